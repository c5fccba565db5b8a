/* leat_types.h - job types that need no handler of the host's: commands, HTTP requests, mails.
 *
 * A library of its own beside libleat, which it uses as any host does (pkg-config leat-types). One
 * thread starts what there is to do and waits for it; a job is pending completion meanwhile, so no
 * worker is held, and a type's running_max says how many are on their way at once.
 *
 *   struct leat_types *types = NULL;
 *   leat_types_create(engine, NULL, &types);
 *   leat_command_register(types, "command", NULL, NULL);
 *
 *   const char *const argv[] = {"tar", "-czf", "/tmp/etc.tar.gz", "/etc", NULL};
 *   struct leat_command command = leat_command_default();
 *   command.argv = argv;
 *   unsigned char payload[256];
 *   struct leat_job job = leat_job_default();
 *   leat_command_encode(&command, payload, sizeof(payload), &job.payload_bytes);
 *   job.type_name = "command";
 *   job.payload = payload;
 *   leat_submit(engine, &job, &id);
 *
 *   leat_stop(engine, LEAT_FOREVER);  leat_types_stop(types);
 *   leat_close(engine);               leat_types_destroy(types);
 *                                     (each answers a status that is to be looked at)
 *
 * What all three have in common:
 *   Time      the job's timeout, or its type's, ends an attempt: it has failed, and the next one
 *             begins when nothing of this one runs any more. After the last: LEAT_REASON_TIMEOUT.
 *   Cancel    is seen within leat_types_options.look_ns: nothing in the engine tells of one, so the
 *             thread asks leat_get() about each job that runs, so often.
 *   Payload   by leat_x_encode(). What cannot be read is a job that fails for good.
 *   Result    of a job with LEAT_JOB_KEEP_RESULT, DEAD or not, is read by leat_x_result_decode().
 *             One above the engine's payload_bytes_max is cut to a half until it fits.
 *   Twice     a job may run again after a crash of its process or a network's silence: at least
 * once. Statuses and words are those of leat.h.
 */
#ifndef ENGINE_TYPES_LEAT_TYPES_H
#define ENGINE_TYPES_LEAT_TYPES_H

#include <leat.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(LEAT_BUILDING_TYPES)
#    define LEAT_TYPES_API __attribute__((visibility("default")))
#else
#    define LEAT_TYPES_API
#endif

/* Of one payload, of any of these types. */
#define LEAT_TYPES_PAYLOAD_BYTES_MAX ((size_t)16 << 20)

/* ---- the thread ------------------------------------------------------------------------------ */

struct leat_types;

struct leat_types_options {
    uint32_t size;
    uint32_t version;
    uint64_t look_ns; /* between two looks for cancels, while something runs: 1 ms to 10 s
                         (default 100 ms) */
};

/* Starts the thread. `options` NULL: the defaults.
 * Threads:  any.      Progress: blocking.
 * Returns:  LEAT_OK and *types, owned; LEAT_NO_MEMORY; LEAT_REFUSED (no thread, no descriptors);
 *           LEAT_UNSUPPORTED; LEAT_FORKED; LEAT_INVALID.  */
LEAT_TYPES_API LEAT_NODISCARD enum leat_status
leat_types_create(struct leat_engine *engine, const struct leat_types_options *options,
                  struct leat_types **types);

/* Ends what runs, commands as a cancel does, and the thread. Those jobs, and those that a worker
 * comes to later, are put off by a second, which uses up no attempt. Call it before leat_close().
 * Threads:  one, no handler.      Progress: blocking, for as long as commands take to end.
 * Returns:  LEAT_OK, also a second time; LEAT_FORKED; LEAT_INVALID.  */
LEAT_TYPES_API LEAT_NODISCARD enum leat_status leat_types_stop(struct leat_types *types);

/* Frees it, once it is stopped and its engine closed. NULL does nothing.
 * Threads:  one.  */
LEAT_TYPES_API void leat_types_destroy(struct leat_types *types);

/* ---- commands -------------------------------------------------------------------------------
 *
 * Runs a program in a session and process group of its own, signals as they are by default, without
 * any descriptor of the host but its own input, output and error. Exit status 0 is done; those of
 * `permanent` fail for good, and so does what cannot be started as it is written; any other status
 * or signal is tried again, and so is a start that the system had no room for.
 *
 * When its time is over, or it is cancelled, its group gets TERM, and after grace_ns KILL. When it
 * ends, however it does, its group gets KILL: what it left behind in its group does not outlive it.
 * What left the group (setsid) does. When the engine's process dies, the system kills the command
 * itself, unless it is set-uid; what the command has started finds its output closed, no more.
 *
 * The host must leave SIGCHLD at its default and wait for no children but its own, by their ids: a
 * command whose status somebody else has fetched counts as failed.
 */

#define LEAT_COMMAND_STRINGS_MAX 4096u
#define LEAT_COMMAND_AS_IT_IS    UINT64_MAX

/* leat_command.flags */
#define LEAT_COMMAND_SHELL                                                                         \
    1u                                    /* argv[0] is a line for /bin/sh, the others its $1, $2 ..
*/
#define LEAT_COMMAND_CLEAN_ENVIRONMENT 2u /* nothing but `environment` */
#define LEAT_COMMAND_NO_NEW_PRIVILEGES 4u /* set-uid programs stay what the engine is */

struct leat_command {
    uint32_t size;
    uint32_t version;
    /* NULL at the end; 1 to LEAT_COMMAND_STRINGS_MAX. argv[0] without a slash is looked for in the
     * PATH that the command gets. */
    const char *const *argv;
    const char *const *environment; /* "NAME=value", NULL at the end, 0 to
                                       LEAT_COMMAND_STRINGS_MAX; in place of those of that name */
    const char *directory;          /* NULL: the process's */
    const void *input;              /* what it reads; with 0 bytes: nothing */
    size_t input_bytes;
    const uint8_t *permanent; /* statuses that fail for good; 128 + n: signal n */
    size_t permanent_count;   /* 0 to 255 */
    /* Limits of the system for the process, setrlimit(2); LEAT_COMMAND_AS_IT_IS (default): as the
     * engine's, which none is above. A process that is over its CPU time gets XCPU, a second later
     * KILL. */
    uint64_t cpu_seconds;
    uint64_t memory_bytes; /* of address space */
    uint64_t files;        /* open at once */
    uint64_t file_bytes;   /* of a file that it writes */
    uint64_t core_bytes;
    uint32_t flags;
};

static inline struct leat_command
leat_command_default(void)
{
    struct leat_command command;
    memset(&command, 0, sizeof(command));
    command.size = (uint32_t)sizeof(command);
    command.version = LEAT_STRUCT_VERSION;
    command.cpu_seconds = LEAT_COMMAND_AS_IT_IS;
    command.memory_bytes = LEAT_COMMAND_AS_IT_IS;
    command.files = LEAT_COMMAND_AS_IT_IS;
    command.file_bytes = LEAT_COMMAND_AS_IT_IS;
    command.core_bytes = LEAT_COMMAND_AS_IT_IS;
    return command;
}

struct leat_command_options {
    uint32_t size;
    uint32_t version;
    const struct leat_type_options *type; /* NULL: the defaults */
    const char *const *environment;       /* NULL: what the process's is at this moment */
    uint64_t grace_ns;                    /* from TERM to KILL: 0 to 1 h (default 5 s) */
    size_t output_bytes_max; /* kept of each of output and error, the rest is read and dropped:
                                0 to 16 MiB (default 64 KiB) */
};

static inline struct leat_command_options
leat_command_options_default(void)
{
    struct leat_command_options options;
    memset(&options, 0, sizeof(options));
    options.size = (uint32_t)sizeof(options);
    options.version = LEAT_STRUCT_VERSION;
    options.grace_ns = UINT64_C(5000000000);
    options.output_bytes_max = (size_t)64 << 10;
    return options;
}

/* Registers a type whose jobs are commands. `options` NULL: the defaults; copied. `type` may be
 * NULL. Threads:  any.      Progress: blocking.
 * Returns:  as leat_type_register(); LEAT_CLOSED (stopped).  */
LEAT_TYPES_API LEAT_NODISCARD enum leat_status
leat_command_register(struct leat_types *types, const char *name,
                      const struct leat_command_options *options, leat_type *type);

/* Writes a payload. *bytes is its size, set also with LEAT_FULL: so a first call with no room
 * tells. Threads:  any.      Progress: wait-free.
 * Returns:  LEAT_OK; LEAT_FULL (capacity, or above LEAT_TYPES_PAYLOAD_BYTES_MAX); LEAT_UNSUPPORTED;
 *           LEAT_INVALID (a string, a count or a flag that may not be).  */
LEAT_TYPES_API LEAT_NODISCARD enum leat_status
leat_command_encode(const struct leat_command *command, void *buffer, size_t capacity,
                    size_t *bytes);

/* Reads one. What `command` then points to is in the payload and in `room`, which is aligned for
 * pointers; 2 * bytes + 16 of room are always enough.
 * Threads:  any.      Progress: wait-free.
 * Returns:  LEAT_OK; LEAT_FULL (room); LEAT_UNSUPPORTED (of a newer library); LEAT_INVALID.  */
LEAT_TYPES_API LEAT_NODISCARD enum leat_status leat_command_decode(const void *payload,
                                                                   size_t bytes, void *room,
                                                                   size_t room_bytes,
                                                                   struct leat_command *command);

struct leat_command_result {
    uint32_t exit_status; /* 0 where a signal ended it */
    uint32_t signal;      /* 0: none */
    const void *output;   /* the first output_bytes of output_total that it wrote */
    size_t output_bytes;
    uint64_t output_total;
    const void *error;
    size_t error_bytes;
    uint64_t error_total;
    bool truncated; /* not all of both is here */
};

/* Reads what leat_result() gave of a command; what `result` points to is in `bytes`.
 * Threads:  any.      Progress: wait-free.
 * Returns:  LEAT_OK; LEAT_INVALID.  */
LEAT_TYPES_API LEAT_NODISCARD enum leat_status
leat_command_result_decode(const void *bytes, size_t count, struct leat_command_result *result);

/* ---- HTTP -----------------------------------------------------------------------------------
 *
 * Sends a request. Of the answer's status:
 *   2xx                    done
 *   408, 425               tried again
 *   429 with Retry-After   put off until then, which uses up no attempt; without: tried again
 *   503 with Retry-After   tried again, then
 *   other 4xx              fails for good
 *   all else               tried again; 3xx too, where it is not followed
 * and a connection that breaks, or is refused, or whose certificate is, is tried again. Retry-After
 * is at least 1 s and at most retry_after_ns_max. Nothing but http and https is spoken.
 */

#define LEAT_HTTP_HEADERS_MAX   128u
#define LEAT_HTTP_URL_BYTES_MAX 8192u

struct leat_http {
    uint32_t size;
    uint32_t version;
    const char *method;         /* 1 to 16 capital letters; NULL: POST with a body, else GET */
    const char *url;            /* http:// or https:// */
    const char *const *headers; /* "Name: value", NULL at the end; NULL: none */
    const void *body;
    size_t body_bytes; /* with a body and no Content-Type, that is application/json */
};

static inline struct leat_http
leat_http_default(void)
{
    struct leat_http http;
    memset(&http, 0, sizeof(http));
    http.size = (uint32_t)sizeof(http);
    http.version = LEAT_STRUCT_VERSION;
    return http;
}

struct leat_http_options {
    uint32_t size;
    uint32_t version;
    const struct leat_type_options *type; /* NULL: the defaults */
    uint64_t connect_timeout_ns;          /* 1 ms to 1 h (default 10 s) */
    uint64_t retry_after_ns_max;          /* 1 s to 366 days (default 1 h) */
    size_t response_bytes_max; /* kept of a body, the rest is not read: 0 to 16 MiB (default
                                  64 KiB) */
    uint32_t redirects_max;    /* followed: 0 (default) to 20 */
    uint32_t reserved;         /* 0 */
    const char *ca_file;       /* certificates to trust; NULL: the system's */
    const char *proxy;         /* NULL: none, whatever the environment says */
    /* With a secret, 1 to 1024 bytes, a request carries "Leat-Job: ID", the same in each attempt,
     * and "Leat-Signature: t=SECONDS,v1=HEX": HMAC-SHA-256 by the secret of SECONDS, a point, ID, a
     * point, and the body. SECONDS are since 1970 UTC, of this attempt: a receiver refuses old
     * ones. */
    const void *secret;
    size_t secret_bytes;
};

static inline struct leat_http_options
leat_http_options_default(void)
{
    struct leat_http_options options;
    memset(&options, 0, sizeof(options));
    options.size = (uint32_t)sizeof(options);
    options.version = LEAT_STRUCT_VERSION;
    options.connect_timeout_ns = UINT64_C(10000000000);
    options.retry_after_ns_max = UINT64_C(3600000000000);
    options.response_bytes_max = (size_t)64 << 10;
    return options;
}

struct leat_http_result {
    uint32_t status;
    const void *body;
    size_t body_bytes;
    bool truncated; /* there was more */
};

/* As leat_command_register() and so on.  */
LEAT_TYPES_API LEAT_NODISCARD enum leat_status
leat_http_register(struct leat_types *types, const char *name,
                   const struct leat_http_options *options, leat_type *type);
LEAT_TYPES_API LEAT_NODISCARD enum leat_status
leat_http_encode(const struct leat_http *http, void *buffer, size_t capacity, size_t *bytes);
LEAT_TYPES_API LEAT_NODISCARD enum leat_status leat_http_decode(const void *payload, size_t bytes,
                                                                void *room, size_t room_bytes,
                                                                struct leat_http *http);
LEAT_TYPES_API LEAT_NODISCARD enum leat_status
leat_http_result_decode(const void *bytes, size_t count, struct leat_http_result *result);

/* ---- mail -----------------------------------------------------------------------------------
 *
 * Hands a mail to a server by SMTP. One that the server refuses with 5xx fails for good, for any of
 * its receivers; with 4xx, or where the connection breaks, it is tried again. A mail that has no
 * From, To, Date or Message-ID gets them; the Message-ID is the same in each attempt.
 */

#define LEAT_MAIL_RECEIVERS_MAX 100u
#define LEAT_MAIL_HEADERS_MAX   128u

struct leat_mail {
    uint32_t size;
    uint32_t version;
    const char *from;           /* an address: name@example.org */
    const char *const *to;      /* addresses, NULL at the end; 1 to LEAT_MAIL_RECEIVERS_MAX */
    const char *const *headers; /* "Subject: text", NULL at the end; NULL: none */
    const void *body;           /* its lines may end in LF or CR LF */
    size_t body_bytes;
};

static inline struct leat_mail
leat_mail_default(void)
{
    struct leat_mail mail;
    memset(&mail, 0, sizeof(mail));
    mail.size = (uint32_t)sizeof(mail);
    mail.version = LEAT_STRUCT_VERSION;
    return mail;
}

struct leat_mail_options {
    uint32_t size;
    uint32_t version;
    const struct leat_type_options *type; /* NULL: the defaults */
    const char *server;                   /* smtp://host:port or smtps://host:port */
    const char *user;                     /* NULL: none */
    const char *password;
    const char *ca_file;         /* certificates to trust; NULL: the system's */
    uint64_t connect_timeout_ns; /* 1 ms to 1 h (default 10 s) */
    bool tls;                    /* nothing is sent without; user and password never are */
};

static inline struct leat_mail_options
leat_mail_options_default(void)
{
    struct leat_mail_options options;
    memset(&options, 0, sizeof(options));
    options.size = (uint32_t)sizeof(options);
    options.version = LEAT_STRUCT_VERSION;
    options.connect_timeout_ns = UINT64_C(10000000000);
    return options;
}

/* As leat_command_register() and so on; there is no result.  */
LEAT_TYPES_API LEAT_NODISCARD enum leat_status
leat_mail_register(struct leat_types *types, const char *name,
                   const struct leat_mail_options *options, leat_type *type);
LEAT_TYPES_API LEAT_NODISCARD enum leat_status
leat_mail_encode(const struct leat_mail *mail, void *buffer, size_t capacity, size_t *bytes);
LEAT_TYPES_API LEAT_NODISCARD enum leat_status leat_mail_decode(const void *payload, size_t bytes,
                                                                void *room, size_t room_bytes,
                                                                struct leat_mail *mail);

#ifdef __cplusplus
}
#endif

#endif
