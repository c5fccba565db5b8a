/* leat.h - the public interface of Leat, an embeddable engine that runs jobs.
 *
 * Two tiers share one pool of workers:
 *   task  leat_post()    a function and a pointer; no id, no state, nothing copied.
 *   job   leat_submit()  a type, a payload and options; an id, a state, attempts, a result.
 *
 * How to read a function's block
 *   Threads   who may call it. "any" means any thread at any time, handlers included.
 *   Progress  wait-free, lock-free or blocking: what a frozen thread can do to the callers.
 *             docs/design/0002 defines the words, docs/design/0008 says which step blocks. A test
 *             stops a thread at each atomic step of what is called lock-free, but where it says
 *             "by argument" or "by a model": there it is claimed, and no such test is there. Where
 *             a call lets go of the last hold on an ended job, it frees what that job had by the
 *             allocator, whose locks are not counted in.
 *   Ownership borrows (until return), copies, takes (the callee frees), returns owned,
 *             returns borrowed until X.
 *   On every status but LEAT_OK the outputs are untouched and nothing has changed, unless the
 *   function says otherwise.
 *
 * Units: durations are nanoseconds, `_unix_ns` are nanoseconds since 1970 UTC, sizes are bytes.
 * Structs: each that a caller fills begins with `size` and `version`, set by its
 * `leat_x_default()`. A library that is newer than the header it meets takes its defaults for the
 * fields that the caller does not know; an older one answers LEAT_UNSUPPORTED where a field that
 * it does not know is not zero. So programs and libraries of different ages work together.
 * What is declared here and not yet built answers LEAT_UNSUPPORTED; docs/status.md lists it.
 */
#ifndef LEAT_H
#define LEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LEAT_VERSION_MAJOR 0
#define LEAT_VERSION_MINOR 1
#define LEAT_VERSION_PATCH 0

/* Revision of the struct layouts below. It grows only when a field changes its meaning. */
#define LEAT_STRUCT_VERSION 1u

#if defined(LEAT_BUILDING_LIBRARY)
#    define LEAT_API __attribute__((visibility("default")))
#else
#    define LEAT_API
#endif
#define LEAT_NODISCARD __attribute__((warn_unused_result))

/* ---- statuses ------------------------------------------------------------------------------ */

enum leat_status {
    LEAT_OK = 0,
    LEAT_INVALID,     /* an argument is out of its range, or a pointer is NULL that may not be; of a
                         struct, which field it is: see leat_error */
    LEAT_FULL,        /* a limit of the queue or the engine is reached */
    LEAT_EMPTY,       /* nothing there to take or to run */
    LEAT_CLOSED,      /* the engine, or the job's queue, is draining; or the engine is stopped */
    LEAT_WRONG_STATE, /* not legal in the present state of the engine or the job */
    LEAT_BUSY,        /* others are at it, or every place for such a caller is taken: try again */
    LEAT_TIMEOUT,     /* the time given ran out first */
    LEAT_RUNNING,     /* the job is in a handler; its cancel flag is set */
    LEAT_ENDED,       /* the job had already reached a final state */
    LEAT_NOT_FOUND,   /* never given out, or no such name */
    LEAT_GONE,        /* was given out; its record is no longer there */
    LEAT_STALE,       /* a completion token or lease that no longer holds */
    LEAT_EXISTS,      /* the name, or a job's unique key, is taken */
    LEAT_DEADLOCK,    /* the call would wait for the handler that makes it, or a call like that */
    LEAT_NO_MEMORY,   /* the allocator or the address space gave nothing */
    LEAT_NO_SPACE,    /* no room on the disk for the log */
    LEAT_REFUSED,     /* the operating system refused: a permission or a limit; or a function of
                         the host did */
    LEAT_SYSTEM,      /* the operating system failed in another way */
    LEAT_FORKED,      /* the engine belongs to the parent process */
    LEAT_LOG_FAILED,  /* a write or sync of the log failed; nothing more is acknowledged */
    LEAT_CORRUPT,     /* the log is damaged */
    LEAT_UNSUPPORTED, /* declared, not built yet (docs/status.md), or unknown to this library */
    LEAT_JOINED,      /* no job was added: another one stands for it, and its id is given */
    LEAT_SKIPPED,     /* of a batch: the job was not tried, or refused with others to blame */
    LEAT_WRONG_KEY,   /* what is stored was encrypted with a key that is not given, or with none */
    LEAT_STATUS_COUNT /* not a status */
};

/* One lower-case sentence without a full stop; "unknown status" beyond the list.
 * Threads:  any.      Progress: wait-free.
 * Returns:  borrowed for ever.  */
LEAT_API const char *leat_status_text(enum leat_status status);

/* What leat_open() and other cold calls say beside their status. What a call without it found wrong
 * is said by leat_job_check(), leat_type_options_check(), leat_queue_options_check(),
 * leat_retry_policy_check(), leat_config_check(). */
struct leat_error {
    enum leat_status status;
    char field[48]; /* the field of the struct that is wrong, or "" */
    char text[208]; /* one sentence for a person */
};

/* "0.1.0", and the same as major << 16 | minor << 8 | patch.
 * Threads:  any.      Progress: wait-free.  */
LEAT_API const char *leat_version_text(void);
LEAT_API uint32_t leat_version(void);

/* ---- ids, handles, constants --------------------------------------------------------------- */

/* bits: generation 38 | index 26. Zero is no job. An id is never given out twice by one engine. */
typedef struct leat_job_id {
    uint64_t bits;
} leat_job_id;

/* Zero is "none": a job then names its type by text, and takes the default queue. */
typedef struct leat_type {
    uint32_t bits;
} leat_type;

typedef struct leat_queue {
    uint32_t bits;
} leat_queue;

/* Zero is none. */
typedef struct leat_tenant {
    uint32_t bits;
} leat_tenant;

/* The right to complete one attempt that answered leat_pending() or leat_pending_for(). It holds in
 * the engine that gave it: one that has the job from its log later has other tokens. */
typedef struct leat_token {
    uint64_t job;
    uint64_t attempt;
} leat_token;

/* 0 is most urgent. A build has 1 to 16 levels (LEAT_PRIORITY_LEVELS of the library, 8 unless
 * built otherwise; leat_priority_levels() tells). A level beyond the build's is LEAT_INVALID.
 *
 * A worker picks the most urgent work that waits, but in every leat_config.starvation_picks-th pick
 * that of the next level in rotation. So whatever floods one level, each other one in which
 * something waits has a turn in at most levels x starvation_picks picks of a worker: 8 x 61 = 488
 * by default. In time that is so often the longest handler at most: 0.5 s where none takes more
 * than 1 ms. It is said of the oldest of a level; who is behind it has a later turn. Where
 * starvation_picks is 0 nothing is: a flood keeps all less urgent work waiting. */
enum leat_priority {
    LEAT_PRIORITY_CRITICAL = 0,
    LEAT_PRIORITY_HIGH = 2,
    LEAT_PRIORITY_NORMAL = 4,
    LEAT_PRIORITY_LOW = 6,
    LEAT_PRIORITY_IDLE = 7,
    LEAT_PRIORITY_OF_QUEUE = 255 /* jobs only: what the queue says */
};

/* Threads:  any.      Progress: wait-free.  */
LEAT_API uint32_t leat_priority_levels(void);

/* A time that never comes. */
#define LEAT_FOREVER UINT64_MAX

/* A number that the library derives from the others. */
#define LEAT_AUTO UINT32_MAX

/* No worker of the engine. */
#define LEAT_WORKER_NONE UINT32_MAX

struct leat_engine;
struct leat_run;
struct leat_event;
struct leat_log_line;

/* ---- memory -------------------------------------------------------------------------------- */

/* Where an engine's memory beyond its mapped slabs and rings comes from. NULL functions: the
 * library's own choice (jemalloc, or malloc in a build with LEAT_ALLOCATOR=system).
 * Threads: both are called from any thread, several at once, and must not call the engine. */
struct leat_allocator {
    void *(*allocate)(size_t bytes, size_t alignment, void *context); /* NULL when none is left */
    void (*release)(void *memory, size_t bytes, void *context);
    void *context;
};

/* ---- configuration ------------------------------------------------------------------------- */

enum leat_pinning {
    LEAT_PIN_NONE = 0, /* workers run where the kernel puts them */
    LEAT_PIN_SET,      /* every worker may use the whole allowed set of CPUs */
    LEAT_PIN_ONE       /* one CPU each, in turn over the allowed set: one of each core before the
                          second ones, node by node (default) */
};

/* Whose attempts are recorded, see leat_trace_write(). */
enum leat_trace_mode { LEAT_TRACE_OFF = 0, LEAT_TRACE_SAMPLING, LEAT_TRACE_FULL };

enum leat_log_level { LEAT_LOG_DEBUG = 0, LEAT_LOG_INFO, LEAT_LOG_WARNING, LEAT_LOG_ERROR };

enum leat_clock_kind {
    LEAT_CLOCK_BOOT = 1, /* goes on while the machine is suspended: delays, retries, leases */
    LEAT_CLOCK_WALL,     /* since 1970, in UTC; it may be set: run-at, cron */
    LEAT_CLOCK_MONOTONIC /* stands still in a suspend: how long a handler has been running */
};

/* Nanoseconds by one of the clocks. NULL: the system's. A host that has its own, such as a test or
 * a simulation, calls leat_clock_changed() whenever it has moved on. BOOT must not go back.
 * Threads: called by any thread, several at once; it must not call the engine. */
struct leat_clock {
    uint64_t (*now)(enum leat_clock_kind kind, void *context);
    void *context;
};

enum leat_scheduling {
    LEAT_SCHEDULING_INHERIT = 0, /* as the thread that starts the workers (default) */
    LEAT_SCHEDULING_FIFO,        /* real time: SCHED_FIFO */
    LEAT_SCHEDULING_ROUND_ROBIN  /* real time: SCHED_RR */
};

/* What an answered submit of a job is worth, where there is a log. */
enum leat_durability {
    LEAT_DURABILITY_OF_ENGINE = 0, /* of a job: as leat_config.durability says */
    LEAT_DURABILITY_NONE,          /* it is gone with the process */
    LEAT_DURABILITY_OS,            /* the system has it: a crash of the machine may lose it */
    LEAT_DURABILITY_GROUP          /* it is on the disk: written, and synced, with others' */
};

/* Of what is stored in the log: leat_config.log_compression, and the bytes of a key. */
enum leat_log_compression { LEAT_LOG_COMPRESSION_NONE = 0, LEAT_LOG_COMPRESSION_LZ4 };

#define LEAT_LOG_KEY_BYTES 32

/* How what is acknowledged gets to the disk. */
enum leat_log_sync {
    LEAT_LOG_SYNC_FDATASYNC = 0, /* a write, and fdatasync() (default) */
    LEAT_LOG_SYNC_DSYNC,         /* a write through to the disk (RWF_DSYNC), in one call */
    LEAT_LOG_SYNC_IO_URING       /* a write, and fdatasync() behind it, by one call of io_uring */
};

/* What leat_open() is at, of a log: one behind the other. */
enum leat_recovery_phase {
    LEAT_RECOVERY_READS = 1, /* the log's files are read */
    LEAT_RECOVERY_REVIVES,   /* jobs are made of that */
    LEAT_RECOVERY_CLEANS     /* it waits until the log is within the bound of its size */
};

/* How far it is. */
struct leat_recovery_progress {
    uint32_t size;
    uint32_t version;
    enum leat_recovery_phase phase;
    uint64_t bytes_read;  /* of the files that are needed; of: */
    uint64_t bytes_found; /* from REVIVES on the same */
    uint64_t jobs_made;   /* 0 in READS; of: */
    uint64_t jobs_found;  /* from CLEANS on the same */
};

struct leat_config {
    uint32_t size;
    uint32_t version;

    /* Workers. */
    uint32_t workers;          /* 0 to 256; 0: the host lends threads by leat_run_some().
                                   Default: one per allowed CPU (affinity mask, cgroup quota) */
    uint32_t lenders_max;      /* 1 to 256: threads inside leat_run_some() at once (default 1);
                                   used when workers is 0 */
    enum leat_pinning pinning; /* default LEAT_PIN_ONE */
    uint32_t starvation_picks; /* every so many picks the next level in rotation is served, see
                                   leat_priority; 0: strict priorities; else 2 to 1 000 000
                                   (default 61) */
    uint64_t spin_ns;          /* a worker looks for work so long at most before it parks, less
                                  where that did not pay; 0 to 1 ms (default 50 000) */
    uint64_t tick_ns;          /* 0: a submit that finds a worker asleep wakes it (default). Else
                                  no submit makes a system call: a thread of the engine looks so
                                  often whether to wake one; 10 us to 10 ms */
    size_t worker_stack_bytes; /* 0: the system's default; else 64 KiB to 1 GiB */
    const char *worker_name;   /* prefix of the thread names, 1 to 11 bytes; copied */
    bool busy_poll;            /* workers never park: for isolated CPUs */

    /* Limits. */
    uint32_t ring_slots;        /* per priority: a power of two, 64 to 2^20 (default 16 384); a
                                   task, a job or an all-or-none batch takes one; where all
                                   are taken, jobs and batches wait in lists behind them */
    uint32_t tasks_max;         /* posted and not yet started: 64 to 2^26 - 1 (default 262 144) */
    uint32_t jobs_max;          /* records: waiting, running and kept: 64 to 2^26 - 1
                                   (default 1 048 576); memory is taken as they are used */
    uint32_t payload_bytes_max; /* 0 to 16 MiB (default 1 MiB) */
    uint32_t payload_bytes_inline; /* kept beside the record without an allocation: a multiple of
                                   16 from 0 to 4 096 (default 64) */
    uint32_t types_max;            /* 1 to 65 535 (default 4 096) */
    uint32_t queues_max;           /* 1 to 65 535 (default 4 096) */

    /* What is kept of ended jobs that nobody asked to keep: the last so many, until jobs that wait
     * need their records, or an age is over (see below). 0: gone at once. LEAT_AUTO (default):
     * 10 000, or a quarter of jobs_max if that is less. At most jobs_max, and 2^20. */
    uint32_t retained_max; /* completed and cancelled */
    uint32_t dead_max;     /* dead letters, never given up for waiting jobs; beyond dead_max
                                   the oldest goes, counted in dead_dropped */

    /* Statistics. */
    uint32_t
        sample_interval; /* one job in so many is timed: 1 to 1 000 000 (default 32); 0: none */

    /* Hooks: called on each worker thread, first and last thing. May be NULL. */
    void (*worker_started)(struct leat_engine *engine, uint32_t worker, void *context);
    void (*worker_stopping)(struct leat_engine *engine, uint32_t worker, void *context);
    void *hook_context;

    /* Memory. */
    bool prefault;    /* touch rings and slabs at open */
    bool lock_memory; /* mlock rings and slabs; LEAT_REFUSED where not permitted */
    bool huge_pages;  /* ask for transparent huge pages */
    struct leat_allocator allocator;

    /* Durability. */
    const char *log_directory; /* NULL: no log; else it must be there */

    /* Workers, once more. */
    uint32_t workers_max; /* that leat_workers_set() may start: workers to 256; LEAT_AUTO (default):
                             workers. Each takes memory from open on */
    enum leat_scheduling scheduling; /* of workers, not of lent threads; what the system refuses
                                        leat_open() refuses, and says what is missing */
    uint32_t scheduling_priority;    /* 1 to 99 where scheduling is real time, else 0 */

    /* Time. */
    uint32_t timer_tick_log2; /* what waits for a time comes due in steps of 2^this nanoseconds,
                                 never early: 14 to 34 (default 20: a millisecond) */
    struct leat_clock clock;

    /* Schedules. */
    uint32_t schedules_max; /* 1 to 65 535 (default 4 096) */

    /* What handlers say by leat_run_log(); NULL (default): nobody hears it. Called in the handler's
     * thread, several at once. */
    void (*log_sink)(struct leat_engine *engine, const struct leat_log_line *line, void *context);
    void *log_context;

    /* For tests: leat_submit() and leat_submit_batch() run the job before they return, as
     * leat_run_inline() does. What schedules submit goes to the workers. */
    bool inline_mode;
    /* What is kept of ended jobs, once more: for at least so long, and an eighth longer at most
     * while the engine's clock is followed; 0: as long as the numbers above let it stay; else a
     * second to 366 days. By the BOOT clock. An engine with an age looks eight times in it, so a
     * process that rests is woken as often. Dead letters that go are counted in dead_dropped. */
    uint64_t retained_age_ns; /* completed and cancelled (default an hour) */
    uint64_t dead_age_ns;     /* dead letters (default 0) */
    /* A job that ran in so many processes that crashed goes DEAD (LEAT_REASON_QUARANTINED) instead
     * of being begun again: 0, for never, to 1 000 (default 3). Without a log no crash is known. */
    uint32_t quarantine_after;
    /* Limits, once more: bytes of all payloads above payload_bytes_inline, of jobs that wait, run
     * or are kept; 0: none. Beyond it a submit is LEAT_FULL, whatever its queue does at a limit. */
    uint64_t payload_bytes_total_max;
    /* The flight recorder, see leat_trace_write(). */
    enum leat_trace_mode trace; /* default LEAT_TRACE_SAMPLING */
    uint32_t trace_records;     /* of each worker: 0, or a power of two, 64 to 2^20 (default 1 024);
                                   32 bytes each */
    /* Log lines: those below are dropped (default LEAT_LOG_DEBUG, so none); and so many a second
     * pass, all at once or one by one, of all handlers together (default 1 000; 0: no limit, to
     * 1 000 000). The next line that passes says how many did not. */
    enum leat_log_level log_level;
    uint32_t log_lines_per_s;
    /* Events, see enum leat_event_kind. NULL (default): nobody hears them, and they cost nothing.
     * Called by the thread of the engine's clocks, or where there is none by who asks them
     * (leat_run_some(), leat_clock_changed()), and by who stops or closes the engine; one call at a
     * time. What waits for a time waits for its return. It may call what a handler may that does
     * not wait; calls that wait for the engine are answered by LEAT_DEADLOCK. */
    void (*event_sink)(struct leat_engine *engine, const struct leat_event *event, void *context);
    void *event_context;
    uint32_t event_mask; /* LEAT_EVENT_BIT() of each kind that is wanted (default: all) */
    uint32_t events_max; /* that wait for the sink: a power of two, 64 to 2^20 (default 4 096);
                            those beyond are dropped, and counted */
    /* Thresholds: above each there is an event and a line of the log, and once more below. 0: none
     * (default). They are looked at once in threshold_period_ns (default 10 s, 10 ms to 1 day), so
     * a process that rests is woken as often. */
    uint64_t threshold_period_ns;
    uint32_t threshold_dead;     /* dead letters kept; over when there are a fifth less */
    uint32_t threshold_waiting;  /* jobs that wait for a worker; the same */
    uint32_t threshold_failures; /* attempts that failed, in a period of 16 or more attempts: so
                                    many standard deviations and a percent above what they are
                                    usually, 1 to 100; over within half of that */
    /* Statistics, once more. */
    uint32_t statistics_rows; /* queues, and types, that have statistics of their own: 0 to 65 535
                                 (default 128); those behind them share a row */
    /* Health: a worker that is in one task or handler for so long is stuck: 10 ms to 366 days, or 0
     * for never (default 60 s). */
    uint64_t stuck_ns;
    /* The service manager that started the process (systemd, Type=notify) is told of start, stop
     * and health, where it asks for that: see leat_health_get(). */
    bool systemd_notify;
    /* One more threshold: a job waits for a worker for longer, 10 ms to 366 days, or 0 (default);
     * over a fifth below. As far as that is known, as leat_job_count() says: so it is noticed up to
     * a period late. A look goes over all records, some at a time. */
    uint64_t threshold_oldest_ns;
    /* Durability, once more, with a log_directory: see "durable jobs". */
    enum leat_durability durability; /* of jobs that do not say (default LEAT_DURABILITY_GROUP) */
    uint64_t log_segment_bytes;      /* of a file: a multiple of 64 KiB to 2 GiB (default 64 MiB) */
    uint64_t log_ring_bytes; /* between submits and the disk: a power of two from 16 KiB to 1 GiB,
                                at most half of log_segment_bytes (default 4 MiB). What is taken in
                                as one, a job or an all-or-none batch, has half of it */
    /* Memory, once more: of the whole engine, in bytes; 0: no limit, and nothing is counted
     * (default). A submit that would exceed it is LEAT_FULL, or waits where its queue does at a
     * limit, or drops the oldest of its queue, where those have enough. What was accepted runs,
     * retries and ends. A sixteenth of it is kept for what accepted jobs say: where that is used
     * up, a result, an error's text or a progress is refused by LEAT_NO_MEMORY, and so are calls
     * that need memory. Counted are records, payloads, all that the allocator gave, the log's
     * ring, and what is in memory of rings and tables, which is looked up twice a second; not
     * stacks of threads, and not what the allocator keeps for itself. Less than an engine has at
     * open is LEAT_INVALID; where a log brings back more, that and a sixteenth are the cap, until
     * it is set anew. Memory that was used and is free goes back to the system some seconds
     * later. */
    uint64_t memory_max;
    /* Above so much of it, 1 to 100 percent (default 80), ended jobs that are kept are let go, the
     * oldest first, but not dead letters, nor what is kept for its submitter; and there is an
     * event (LEAT_THRESHOLD_MEMORY). Looked at twice a second. */
    uint32_t memory_soft_percent;
    /* What stands in the log, see "durable jobs": whether it is compressed (default
     * LEAT_LOG_COMPRESSION_NONE), and the key that it is encrypted with. NULL (default): none. Else
     * a file of 32 bytes, or of 64 hexadecimal digits, which is this user's or root's and closed to
     * others; or several with `:` between them: the first one encrypts, and the others are needed
     * to read what is there still, up to 16 in all. Up to 4 095 bytes; what a build was made
     * without is LEAT_UNSUPPORTED. */
    enum leat_log_compression log_compression;
    const char *log_key_file;
    /* Instead of files: writes the key of a number, from 0 on, of which 0 encrypts. False: there is
     * no such one; no further one is asked for. Called in leat_open() and leat_log_key_rotate(). */
    bool (*log_key)(void *context, uint32_t number, unsigned char key[LEAT_LOG_KEY_BYTES]);
    void *log_key_context;
    /* With a key: takes in also what is not encrypted, of a log that had no key before. Until it is
     * cleaned, whoever can write to the disk could put jobs there. */
    bool log_takes_plain;
    /* Bytes of the log's files, from 8 log_segment_bytes on; 0: no limit (default). */
    uint64_t log_bytes_max;
    /* How what is acknowledged gets to the disk. What leat_open() finds not to work in
     * log_directory it refuses (LEAT_UNSUPPORTED). */
    enum leat_log_sync log_sync;
    /* Threads that read the log in leat_open(), the caller among them, up to 8; 0: as many as CPUs
     * are allowed, up to 8 (default). They end before it returns. They read, check, decrypt and
     * decompress ahead of the caller, which alone makes jobs of it: so more of them help a log that
     * is encrypted or compressed, and others little. */
    uint32_t log_read_threads;
    /* Told by the thread that is in leat_open(), with a log, how far that is: at most ten times a
     * second in each phase, and once at the end of each: so a log that is short, or empty, has
     * three calls, and one that cannot be read fewer. The open goes on when it returns. There is no
     * engine yet that it could call. NULL (default): nobody is. */
    void (*recovery_progress)(const struct leat_recovery_progress *progress, void *context);
    void *recovery_context;
};

/* Fills `config` with the defaults for this machine. `size` is the caller's sizeof.
 * Threads:  any.      Progress: wait-free. Asks the OS for the allowed CPUs and the cgroup quota.
 * Use leat_config_default() unless the struct is built by another language.  */
LEAT_API void leat_config_init(struct leat_config *config, size_t size);

static inline struct leat_config
leat_config_default(void)
{
    struct leat_config config;
    leat_config_init(&config, sizeof(config));
    return config;
}

/* Says whether leat_open() would take `config`; `error` (may be NULL) names the first bad field.
 * Threads:  any.      Progress: wait-free.    Borrows config.
 * Returns:  LEAT_OK; LEAT_INVALID; LEAT_UNSUPPORTED.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_config_check(const struct leat_config *config,
                                                           struct leat_error *error);

/* Bytes of address space that an engine of `config` maps at open: rings, slabs, workers. Pages
 * are taken from the system as they are used. 0 if the configuration is not valid.
 * Threads:  any.      Progress: wait-free.  */
LEAT_API size_t leat_memory_size(const struct leat_config *config);

/* ---- lifecycle -----------------------------------------------------------------------------
 *
 *   leat_open -> OPEN -start-> RUNNING -drain-> DRAINING -stop-> STOPPED -close-> gone
 *                                 |                                 ^  |
 *                                 +---------------stop--------------+  +-start-> RUNNING
 *
 * OPEN takes work and runs none. STOPPED takes none and runs none; what waits keeps waiting and
 * runs after the next start. Two engines in one process do not touch each other.
 */

/* Opens an engine. `config` NULL: the defaults. `error` may be NULL. Not in a child that was forked
 * while its parent had an engine open, unless it called exec: liburcu counts the parent's threads.
 * A host that forks its servers opens an engine in each of them, and none before.
 * Threads:  any.      Progress: blocking (system calls).    Copies config and its strings.
 * Returns:  LEAT_OK and *engine, owned by the caller, given back by leat_close();
 *           LEAT_INVALID, LEAT_UNSUPPORTED (see error->field); LEAT_NO_MEMORY; LEAT_REFUSED
 *           (mlock, real-time scheduling; see error->text); LEAT_SYSTEM; LEAT_FORKED (such a
 *           child); and with a log_directory
 *           LEAT_NOT_FOUND, LEAT_BUSY (in use), LEAT_CORRUPT, LEAT_WRONG_KEY, LEAT_NO_SPACE.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_open(const struct leat_config *config, struct leat_engine **engine, struct leat_error *error);

/* Starts the workers, or starts them again after a stop; with 0 workers, lets leat_run_some() run.
 * All signals are blocked in workers. If one cannot start, those started are stopped again.
 * Threads:  any outside a handler.    Progress: blocking (thread creation).
 * Returns:  LEAT_OK; LEAT_WRONG_STATE (already running or draining); LEAT_REFUSED, LEAT_NO_MEMORY,
 *           LEAT_SYSTEM (a thread could not be created or pinned); LEAT_DEADLOCK; LEAT_FORKED;
 *           LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_start(struct leat_engine *engine);

/* Lets `count` workers work, 1 to workers_max: at once while RUNNING or DRAINING, from the next
 * start on while OPEN or STOPPED. Workers are 0 .. count - 1, those behind leave: each as soon as
 * the handler that it is in returns; nobody waits for that here. Nothing that waits is lost: what a
 * worker that leaves had taken in and not begun, others run. Its counters stay.
 * Where a worker that was to leave is needed again, it stays, or its place is taken anew when its
 * worker_stopping hook has returned, and that is waited for.
 * Threads:  any outside a handler, also several at once: the last one counts.
 * Progress: blocking (thread creation).
 * Returns:  LEAT_OK; LEAT_REFUSED, LEAT_NO_MEMORY, LEAT_SYSTEM (a thread could not be created: as
 *           many as could are at work); LEAT_WRONG_STATE (threads are lent); LEAT_FULL (more are
 *           kept by leat_queue_set_running_min() and its twin); LEAT_CLOSED (stopping);
 *           LEAT_DEADLOCK; LEAT_FORKED; LEAT_INVALID (count).  */
LEAT_API LEAT_NODISCARD enum leat_status leat_workers_set(struct leat_engine *engine,
                                                          uint32_t count);

/* Closes the engine to work from outside and waits until all work accepted before has ended;
 * work that handlers submit meanwhile is part of it. What is SCHEDULED or RETRYING is not waited
 * for before its time has come: it stays, and leat_statistics says how many there are. While the
 * engine drains it runs when it is due; so until nothing is left, call again now and then until
 * jobs_scheduled and jobs_retrying are 0, or wait for the jobs, or their cohort, and drain then.
 * Jobs behind one of their key that is RETRYING wait as long as that does, and stay with it. A job
 * whose handler answered leat_pending() counts until it is completed, or its time is over. With
 * 0 workers the calling thread runs the work. The timeout bounds the wait for work, not the grace
 * period before it, which ends when submits under way have ended.
 * Threads:  any outside a handler, and outside read sections of liburcu-bp.    Progress: blocking.
 * Returns:  LEAT_OK (nothing waits, nothing runs; still draining); LEAT_TIMEOUT (still draining;
 *           call again or stop); LEAT_WRONG_STATE (not running or draining); LEAT_CLOSED (another
 *           thread stopped the engine meanwhile); LEAT_BUSY (0 workers, all places for lent
 *           threads taken; draining all the same); LEAT_DEADLOCK; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_drain(struct leat_engine *engine,
                                                    uint64_t timeout_ns);

/* Stops the workers: none takes further work, handlers that run are waited for. What waits stays
 * as it is and uses up no attempt. Past the timeout the cancel flags of the running jobs are set,
 * and the engine is still stopping: call again to wait on. Until a call has answered LEAT_OK it can
 * be neither started nor closed, and who waits for a job waits on, also where no thread of it is
 * left. A timeout of 0 nearly always passes, as threads have yet to end. As in leat_drain(), the
 * timeout does not bound the grace period at the beginning.
 * Threads:  as leat_drain().    Progress: blocking.
 * Returns:  LEAT_OK (all threads ended; also where it never started); LEAT_TIMEOUT; LEAT_DEADLOCK;
 *           LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_stop(struct leat_engine *engine, uint64_t timeout_ns);

/* Frees the engine and what it still holds: work that waits is dropped, so drain first, or look
 * at leat_statistics_get(). No other thread may be inside a call on the engine, or begin one.
 * Threads:  any outside a handler.    Progress: blocking.    Takes engine. NULL is LEAT_OK.
 * Returns:  LEAT_OK; LEAT_WRONG_STATE (not open or stopped: stop it first); LEAT_DEADLOCK;
 *           LEAT_FORKED (the child frees nothing).  */
LEAT_API LEAT_NODISCARD enum leat_status leat_close(struct leat_engine *engine);

enum leat_engine_state {
    LEAT_ENGINE_OPEN = 0,
    LEAT_ENGINE_RUNNING,
    LEAT_ENGINE_DRAINING,
    LEAT_ENGINE_STOPPING,
    LEAT_ENGINE_STOPPED
};

/* Threads:  any.      Progress: wait-free.
 * Returns:  LEAT_OK; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_state(const struct leat_engine *engine,
                                                    enum leat_engine_state *state);

/* Prepares the calling thread so that its first submit makes no system call and takes no lock.
 * Optional: every call does it where it was not done.
 * Threads:  any.      Progress: blocking, once per thread.
 * Returns:  LEAT_OK; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_thread_attach(struct leat_engine *engine);

/* ---- tasks --------------------------------------------------------------------------------- */

typedef void (*leat_task_function)(void *argument);

struct leat_task {
    leat_task_function function;
    void *argument;
};

/* Runs function(argument) once on a worker.
 * Threads:  any.      Progress: lock-free once the thread is attached.    Allocates: no.
 * Waits:    never.
 * Returns:  LEAT_OK; LEAT_FULL (the ring of the priority, or tasks_max); LEAT_CLOSED; LEAT_FORKED;
 *           LEAT_INVALID.
 * Order:    the post happens-before the run. FIFO per posting thread and priority, up to the
 *           parallelism of the workers.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_post(struct leat_engine *engine, uint32_t priority,
                                                   leat_task_function function, void *argument);

/* Posts tasks[0 .. count) in order until one does not fit. *posted (may be NULL) is how many were
 * taken, set also with LEAT_FULL and LEAT_CLOSED. Up to 32 take one place of the priority's ring.
 * Threads:  any.      Progress: as leat_post(), by argument: docs/design/0008.    Copies tasks.
 * Returns:  LEAT_OK (all); LEAT_FULL, LEAT_CLOSED (the first *posted); LEAT_FORKED; LEAT_INVALID
 *           (nothing posted; an entry without a function included).  */
LEAT_API LEAT_NODISCARD enum leat_status leat_post_batch(struct leat_engine *engine,
                                                         uint32_t priority,
                                                         const struct leat_task *tasks,
                                                         size_t count, size_t *posted);

/* Runs the task once on one given worker, which no other one takes from it: 0 to the number of
 * workers that count now, less 1. What that worker runs goes first, however long it takes; other
 * workers are not held up. Beside other work of the priority, what is posted to it has every other
 * turn. Where leat_workers_set() makes fewer, what still waits for a worker that leaves goes to the
 * others, in the order in which it would have run.
 * Threads:  any.      Progress: as leat_post().    Allocates: no.    Waits: never.    Copies task.
 * Returns:  LEAT_OK; LEAT_FULL (so many as tasks_max wait that were posted so); LEAT_WRONG_STATE
 *           (the worker does not count now, though workers_max would let it; or threads are lent);
 *           LEAT_CLOSED; LEAT_FORKED; LEAT_INVALID (no such worker, priority, no function).
 * Order:    the post happens-before the run. FIFO per posting thread, worker and priority.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_post_to(struct leat_engine *engine, uint32_t worker,
                                                      uint32_t priority,
                                                      const struct leat_task *task);

/* ---- handlers ------------------------------------------------------------------------------ */

enum leat_outcome_kind {
    LEAT_OUTCOME_DONE = 1,
    LEAT_OUTCOME_RETRY,  /* failed; again if attempts are left, else DEAD */
    LEAT_OUTCOME_FAIL,   /* failed for good: DEAD */
    LEAT_OUTCOME_SNOOZE, /* again after delay_ns; uses up no attempt */
    LEAT_OUTCOME_PENDING /* goes on elsewhere; leat_complete() ends it */
};

#define LEAT_DELAY_OF_POLICY UINT64_MAX /* the retry policy of the type decides */

struct leat_outcome {
    enum leat_outcome_kind kind;
    uint64_t delay_ns; /* RETRY and SNOOZE; PENDING: how long it may take, 0: for ever */
};

static inline struct leat_outcome
leat_outcome_of(enum leat_outcome_kind kind, uint64_t delay_ns)
{
    struct leat_outcome outcome;
    outcome.kind = kind;
    outcome.delay_ns = delay_ns;
    return outcome;
}

static inline struct leat_outcome
leat_done(void)
{
    return leat_outcome_of(LEAT_OUTCOME_DONE, 0);
}

static inline struct leat_outcome
leat_retry(void)
{
    return leat_outcome_of(LEAT_OUTCOME_RETRY, LEAT_DELAY_OF_POLICY);
}

static inline struct leat_outcome
leat_retry_in(uint64_t delay_ns)
{
    return leat_outcome_of(LEAT_OUTCOME_RETRY, delay_ns);
}

static inline struct leat_outcome
leat_fail(void)
{
    return leat_outcome_of(LEAT_OUTCOME_FAIL, 0);
}

static inline struct leat_outcome
leat_snooze(uint64_t delay_ns)
{
    return leat_outcome_of(LEAT_OUTCOME_SNOOZE, delay_ns);
}

static inline struct leat_outcome
leat_pending(void)
{
    return leat_outcome_of(LEAT_OUTCOME_PENDING, 0);
}

/* The same, for at most so long: by the BOOT clock, from the handler's return on, never early; late
 * as a delay is. 0: at once. Above 146 years: that long. If no leat_complete() comes by then, the
 * attempt has failed, as one that was timed out in its handler: by the retry policy there is
 * another one, or the job goes DEAD (LEAT_REASON_TIMEOUT), or CANCELLED where it was cancelled.
 * Which of both came first is decided once: a leat_complete() that is late is LEAT_STALE. The time
 * goes on while the engine is stopped; what is over by the next start fails then, and with 0
 * workers in the next leat_run_some(). A leat_cancel() does not end it: within it, leat_complete()
 * says what the job comes to. */
static inline struct leat_outcome
leat_pending_for(uint64_t timeout_ns)
{
    return leat_outcome_of(LEAT_OUTCOME_PENDING, timeout_ns == 0 ? 1 : timeout_ns);
}

/* Runs one attempt of one job on a worker. `run` is borrowed until the handler returns. A handler
 * may call every function of this header that does not say otherwise; it must not let a C++
 * exception, longjmp or pthread_exit pass through it. */
typedef struct leat_outcome (*leat_handler)(struct leat_run *run, void *context);

/* What a handler may ask of its run. None can fail.
 * Threads:  the handler's own, until it returns.      Progress: wait-free.  */
LEAT_API struct leat_engine *leat_run_engine(const struct leat_run *run);
LEAT_API leat_job_id leat_run_id(const struct leat_run *run);
LEAT_API leat_type leat_run_type(const struct leat_run *run);
LEAT_API leat_queue leat_run_queue(const struct leat_run *run);
LEAT_API uint32_t leat_run_priority(const struct leat_run *run);
LEAT_API uint32_t leat_run_attempt(const struct leat_run *run); /* this one; the first is 1 */
LEAT_API uint32_t leat_run_max_attempts(const struct leat_run *run);
LEAT_API uint32_t leat_run_worker(const struct leat_run *run); /* inline: LEAT_WORKER_NONE */
/* Aligned to 16 bytes, writable by the handler, borrowed until it returns; NULL if there is none.
 * A later attempt sees what an earlier one wrote. */
LEAT_API void *leat_run_payload(const struct leat_run *run, size_t *bytes);
/* True once someone cancelled the job, its attempt was timed out, or a stop ran out of time. A
 * handler that heeds it returns any outcome: where the job was cancelled, only leat_done() ends
 * otherwise than CANCELLED; where it was timed out, see leat_type_options. */
LEAT_API bool leat_run_cancelled(const struct leat_run *run);
/* For leat_complete(), from any thread, once the handler answers leat_pending() or the like. */
LEAT_API leat_token leat_run_token(const struct leat_run *run);

/* Why this attempt fails: up to 255 bytes are copied, cut at a UTF-8 boundary. NULL clears it.
 * Threads:  the handler's own.    Progress: wait-free but for the allocator, used once per job.
 * Returns:  LEAT_OK; LEAT_NO_MEMORY; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_run_error(struct leat_run *run, const char *text);

/* leat_fail() and leat_retry(), and why, as leat_run_error() says it: without the text where there
 * is no memory for it. `return leat_fail_because(run, "no such file");`
 * Threads, Progress: as leat_run_error().  */
static inline struct leat_outcome
leat_fail_because(struct leat_run *run, const char *text)
{
    enum leat_status unused = leat_run_error(run, text);
    (void)unused;
    return leat_fail();
}

static inline struct leat_outcome
leat_retry_because(struct leat_run *run, const char *text)
{
    enum leat_status unused = leat_run_error(run, text);
    (void)unused;
    return leat_retry();
}

/* Sets the result, copied; replaces one set before. It is there for leat_result() once the job
 * has ended. A job without LEAT_JOB_KEEP_RESULT keeps none, and the call does nothing.
 * Threads:  the handler's own.    Progress: wait-free but for the allocator.
 * Returns:  LEAT_OK; LEAT_NO_MEMORY; LEAT_INVALID (above the payload limit; of a durable job also
 *           about half of log_ring_bytes).  */
LEAT_API LEAT_NODISCARD enum leat_status leat_run_result(struct leat_run *run, const void *bytes,
                                                         size_t count);

/* Says how far the job is, 0 to 100, and what it is at: up to 63 bytes of `text` are copied, cut at
 * a UTF-8 boundary; NULL leaves the text as it is. leat_get() shows both, of one call; a later
 * attempt goes on from what an earlier one said.
 * Threads:  the handler's own.    Progress: wait-free but for the allocator, used once per job.
 * Returns:  LEAT_OK; LEAT_NO_MEMORY; LEAT_INVALID (above 100).  */
LEAT_API LEAT_NODISCARD enum leat_status leat_run_progress(struct leat_run *run, uint32_t percent,
                                                           const char *text);

/* How long this attempt has yet before it is timed out, in nanoseconds: its timeout, counted from
 * the first such call of the attempt; so make that call first. 0: it is over, or the attempt was
 * timed out. LEAT_FOREVER: it has none.
 * Threads:  the handler's own.    Progress: wait-free.  */
LEAT_API uint64_t leat_run_deadline(struct leat_run *run);

/* What comes to leat_config.log_sink. Borrowed until the sink returns. */
struct leat_log_line {
    leat_job_id id; /* 0: the engine's own line, about no job */
    leat_type type; /* 0: none */
    uint32_t attempt;
    enum leat_log_level level;
    const char *text;
    leat_queue queue;       /* 0: none */
    uint32_t worker;        /* LEAT_WORKER_NONE: none */
    uint64_t unix_ns;       /* by the clock WALL */
    uint64_t dropped;       /* lines before this one that were too many, since the last one */
    const char *type_name;  /* NULL: none */
    const char *queue_name; /* NULL: none */
};

enum leat_log_format { LEAT_LOG_LOGFMT = 0, LEAT_LOG_JSON };

/* Writes a line as text, for a log_sink: as logfmt (level=info msg="two words" job=7), or as one
 * object of JSON; both with time, level, msg, job, attempt, type, queue, worker and dropped, where
 * they are there, and a line feed at the end. What is no UTF-8 is replaced. The text is cut where
 * `bytes` end, and ended by a 0.
 * Threads:  any.      Progress: wait-free.    Allocates: no.
 * Returns:  the bytes of the whole text, as snprintf() does; 0: a NULL line or text, or no such
 *           level or format.  */
LEAT_API size_t leat_log_format(const struct leat_log_line *line, enum leat_log_format format,
                                char *buffer, size_t bytes);

/* Hands a line to leat_config.log_sink, with whose it is. Without a sink it is dropped; and where
 * its level is below log_level, or there were more than log_lines_per_s, which is counted.
 * Threads:  the handler's own.    Progress: as the sink.    Borrows text.
 * Returns:  LEAT_OK; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_run_log(struct leat_run *run,
                                                      enum leat_log_level level, const char *text);

/* Ends an attempt that answered leat_pending() or leat_pending_for(), or is about to. `outcome` is
 * any but pending. `error` (may be NULL) is copied as by leat_run_error(). A job that had a time
 * and is to be run again at once is RETRYING until a worker comes by.
 * Threads:  any.      Progress: as leat_submit().
 * Returns:  LEAT_OK; LEAT_STALE (completed or timed out before, or another attempt); LEAT_GONE;
 *           LEAT_NOT_FOUND; LEAT_NO_MEMORY (for the text) and LEAT_BUSY (253 callers look at this
 *           job, or one is still inside with a text for an attempt before): the token still holds;
 *           LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_complete(struct leat_engine *engine, leat_token token,
                                                       struct leat_outcome outcome,
                                                       const char *error);

/* What an attempt has come to, and its result. */
struct leat_answer {
    uint32_t size;
    uint32_t version;
    struct leat_outcome outcome; /* any but pending; default: done */
    const char *error;           /* copied; NULL: none */
    /* Copied, where the job has LEAT_JOB_KEEP_RESULT or others wait for it; replaces one set
     * before. It is there for leat_result() once the job has ended, however it did. NULL with 0
     * bytes: what an earlier attempt left. */
    const void *result;
    size_t result_bytes;
    /* With leat_retry(): the caller's time for the attempt was over. It counts as timed out, and
     * the reason of a job that ends so is LEAT_REASON_TIMEOUT. */
    bool timed_out;
};

static inline struct leat_answer
leat_answer_default(void)
{
    struct leat_answer answer;
    memset(&answer, 0, sizeof(answer));
    answer.size = (uint32_t)sizeof(answer);
    answer.version = LEAT_STRUCT_VERSION;
    answer.outcome = leat_done();
    return answer;
}

/* As leat_complete(), with a result.
 * Threads:  any.      Progress: as leat_submit(); with a result, a lock of the allocator.
 * Returns:  as leat_complete(); LEAT_WRONG_STATE (a result, or timed out, and the handler has not
 *           returned): the token holds; LEAT_UNSUPPORTED; LEAT_INVALID (above the payload limit,
 *           too; timed out, and no retry).
 * Order:    the call happens-before leat_wait() and leat_result() see the end.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_complete_with(struct leat_engine *engine, leat_token token, const struct leat_answer *answer);

/* Gives an attempt that answered leat_pending_for() more time: at least `timeout_ns` from now, with
 * the same limits; it never has less by this than it had. For a heartbeat.
 * Threads:  any.      Progress: lock-free.    Allocates: no.    Waits: never.
 * Returns:  LEAT_OK; LEAT_STALE (completed or timed out before, or another attempt);
 *           LEAT_WRONG_STATE (its handler has not returned yet, or answered leat_pending()): the
 *           token holds; LEAT_GONE; LEAT_NOT_FOUND; LEAT_BUSY (253 callers look at this job);
 *           LEAT_FORKED; LEAT_INVALID (no engine).  */
LEAT_API LEAT_NODISCARD enum leat_status leat_pending_extend(struct leat_engine *engine,
                                                             leat_token token, uint64_t timeout_ns);

/* ---- middleware ----------------------------------------------------------------------------
 *
 * Functions around the handlers: of all types, or of one. An attempt goes through those of all
 * types first, in the order in which they were added, then through those of its type, and then
 * comes to its handler; the outcomes come back the same way.
 */

struct leat_next;

/* Goes on by leat_next_run() and answers the outcome that this had, or another one; or answers
 * without it, and then nothing behind it runs. It may ask and say all that a handler may. An
 * outcome that is pending is not seen again when leat_complete() says more. */
typedef struct leat_outcome (*leat_middleware)(struct leat_run *run, struct leat_next *next,
                                               void *context);

/* Runs what stands behind the caller: the next middleware, or the handler. A second call runs
 * nothing, and answers what the first one did.
 * Threads:  the middleware's own, until it returns.      Progress: as the handler.
 * Returns:  the outcome; leat_fail() for NULL.  */
LEAT_API struct leat_outcome leat_next_run(struct leat_next *next);

/* Adds a function around the handlers of all types, those that are registered later too; or of one
 * type that has a handler. At any time: each attempt that begins behind the return goes through it.
 * Handlers of batches have none around them.
 * Threads:  any, handlers too.      Progress: blocking (a mutex).    Borrows context until
 *           leat_close().
 * Returns:  LEAT_OK; LEAT_FULL (32 of all types, or of this one); LEAT_NOT_FOUND (no such type, or
 *           it has no handler); LEAT_UNSUPPORTED (it takes batches); LEAT_NO_MEMORY; LEAT_FORKED;
 *           LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_middleware_add(struct leat_engine *engine, leat_middleware function, void *context);
LEAT_API LEAT_NODISCARD enum leat_status leat_type_middleware_add(struct leat_engine *engine,
                                                                  leat_type type,
                                                                  leat_middleware function,
                                                                  void *context);

/* ---- retries ------------------------------------------------------------------------------- */

/* What is known of an attempt that failed, while it is decided when the next one is due. */
struct leat_failure {
    leat_job_id id;
    leat_type type;
    uint32_t attempt; /* the one that failed; the first is 1 */
    uint32_t max_attempts;
    const char *error; /* what was said of it, or "" */
};

/* Answers the delay of the next attempt; LEAT_FOREVER: none, the job goes DEAD
 * (LEAT_REASON_FAILED). It must be quick, and may be called by several threads at once. */
typedef uint64_t (*leat_retry_function)(const struct leat_failure *failure, void *context);

/* How long to wait behind the n-th attempt, where that one failed. */
enum leat_retry_kind {
    LEAT_RETRY_QUARTIC = 0, /* delay_ns * n^4: 1, 16, 81, 256, 625 s, .. by default */
    LEAT_RETRY_FIXED,       /* delay_ns, always; 0: at once */
    LEAT_RETRY_LIST,        /* delays_ns[n - 1]; the last one repeats */
    LEAT_RETRY_EXPONENTIAL, /* delay_ns * base^(n - 1) */
    LEAT_RETRY_FUNCTION     /* what function() answers */
};

/* When a job whose attempt failed is due again. Each kind uses the fields that are named with it.
 * `jitter_percent` spreads jobs that failed together: a delay of 10 s with 20 % of jitter is any
 * from 8 to 12 s, each as likely. It comes behind delay_ns_max, which is so of the middle.
 * No delay is longer than a year of 366 days: a longer one is an error here, and is cut where a
 * function, or what is counted from the fields, comes to more. */
struct leat_retry_policy {
    uint32_t size;
    uint32_t version;
    enum leat_retry_kind kind; /* default LEAT_RETRY_QUARTIC */
    uint32_t jitter_percent;   /* 0 to 100; LEAT_AUTO (default): 10 with QUARTIC, else 0 */
    uint64_t delay_ns;         /* QUARTIC and EXPONENTIAL: from 1 ns on; FIXED (default 1 s) */
    uint64_t delay_ns_max;     /* QUARTIC, EXPONENTIAL: the delay grows to this (default a year) */
    const uint64_t *delays_ns; /* LIST; copied with the policy */
    uint32_t delays_count;     /* LIST: 1 to 32 */
    uint32_t base;             /* EXPONENTIAL: 2 to 1 000 (default 2) */
    leat_retry_function function; /* FUNCTION */
    void *context;                /* of function(); borrowed until leat_close() */
};

/* Fills `policy` with the defaults; `size` is the caller's sizeof.
 * Threads:  any.      Progress: wait-free.  */
LEAT_API void leat_retry_policy_init(struct leat_retry_policy *policy, size_t size);

static inline struct leat_retry_policy
leat_retry_policy_default(void)
{
    struct leat_retry_policy policy;
    leat_retry_policy_init(&policy, sizeof(policy));
    return policy;
}

/* The same delay behind each attempt. */
static inline struct leat_retry_policy
leat_retry_fixed(uint64_t delay_ns)
{
    struct leat_retry_policy policy = leat_retry_policy_default();
    policy.kind = LEAT_RETRY_FIXED;
    policy.delay_ns = delay_ns;
    return policy;
}

/* A list, whose last delay repeats. Borrows delays_ns for as long as the policy is used. */
static inline struct leat_retry_policy
leat_retry_list(const uint64_t *delays_ns, uint32_t delays_count)
{
    struct leat_retry_policy policy = leat_retry_policy_default();
    policy.kind = LEAT_RETRY_LIST;
    policy.delays_ns = delays_ns;
    policy.delays_count = delays_count;
    return policy;
}

/* first_ns, first_ns * base, first_ns * base^2, and so on. So 2, 4, 8 s, which others write as
 * base^n with base 2, has first_ns = 2 s. */
static inline struct leat_retry_policy
leat_retry_exponential(uint64_t first_ns, uint32_t base)
{
    struct leat_retry_policy policy = leat_retry_policy_default();
    policy.kind = LEAT_RETRY_EXPONENTIAL;
    policy.delay_ns = first_ns;
    policy.base = base;
    return policy;
}

/* Says whether a type would take `policy`; `error` (may be NULL) names the first bad field.
 * Threads:  any.      Progress: wait-free.    Borrows policy.
 * Returns:  LEAT_OK; LEAT_INVALID; LEAT_UNSUPPORTED.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_retry_policy_check(const struct leat_retry_policy *policy, struct leat_error *error);

/* ---- rates --------------------------------------------------------------------------------- */

/* How many attempts may begin: `jobs` in `per_ns` on the average, and `burst` at once after a time
 * in which none did. So in any time t there begin at most burst + t * jobs / per_ns. See
 * leat_queue_set_rate(). jobs 0: no rate; else jobs is 1 to 1 000 000 000 and at most per_ns, which
 * is at most 366 days; burst is at most 67 108 864, 0: as jobs. A burst of less than what comes in
 * a millisecond or two cannot be made use of: what waits begins as late as a timer is, and what a
 * full bucket might have let through meanwhile is lost. */
struct leat_rate {
    uint64_t jobs;
    uint64_t per_ns;
    uint64_t burst;
};

static inline struct leat_rate
leat_rate_of(uint64_t jobs, uint64_t per_ns, uint64_t burst)
{
    struct leat_rate rate;
    rate.jobs = jobs;
    rate.per_ns = per_ns;
    rate.burst = burst;
    return rate;
}

/* ---- circuit breakers ---------------------------------------------------------------------- */

/* A type whose attempts fail too often is shut for a while: its jobs wait, and use up no attempts;
 * in their order, but for those that were on their way to workers, or gathered for a batch, when it
 * was shut, or when all probes had begun. Then some probes may run: if they succeed it is open to
 * all again, and if one fails, shut again. An attempt that was cancelled and failed counts as
 * neither, nor does one that snoozes; probes that came to neither are replaced after open_ns. A
 * type that has a breaker costs its jobs a way through lists, as one with a cap, and a mutex at the
 * end of each attempt. */
struct leat_breaker_options {
    uint32_t size;
    uint32_t version;
    uint32_t failure_percent; /* of the attempts in the window; from there on: 1 to 100 (50) */
    uint32_t calls_min;       /* while there are fewer it stays closed: 1 to 1 024 (10) */
    uint32_t window_calls;    /* the last so many attempts: calls_min to 1 024 (100); or else: */
    uint32_t probes;          /* attempts that all must succeed: 1 to 1 024 (1) */
    uint64_t window_ns;       /* not 0: those of the last so long, in steps of an eighth: 1 ms to
                                 366 days; window_calls says nothing then (default 0) */
    uint64_t open_ns;         /* until the probes: 1 ms to 366 days (30 s); by the BOOT clock */
};

/* Fills `options` with the defaults; `size` is the caller's sizeof.
 * Threads:  any.      Progress: wait-free.  */
LEAT_API void leat_breaker_options_init(struct leat_breaker_options *options, size_t size);

static inline struct leat_breaker_options
leat_breaker_options_default(void)
{
    struct leat_breaker_options options;
    leat_breaker_options_init(&options, sizeof(options));
    return options;
}

enum leat_breaker_state {
    LEAT_BREAKER_CLOSED = 1, /* jobs run */
    LEAT_BREAKER_OPEN,       /* none begins */
    LEAT_BREAKER_HALF_OPEN   /* probes may */
};

struct leat_breaker_info {
    uint32_t size;
    uint32_t version;
    enum leat_breaker_state state;
    uint32_t calls;      /* in the window, while it is closed */
    uint32_t failures;   /* of these */
    uint64_t openings;   /* so far */
    uint64_t open_in_ns; /* OPEN: until the probes */
};

static inline struct leat_breaker_info
leat_breaker_info_default(void)
{
    struct leat_breaker_info info;
    memset(&info, 0, sizeof(info));
    info.size = (uint32_t)sizeof(info);
    info.version = LEAT_STRUCT_VERSION;
    return info;
}

/* How the circuit breaker of a type is.
 * Threads:  any.      Progress: blocking (a mutex).
 * Returns:  LEAT_OK; LEAT_NOT_FOUND (no such type, or it has none); LEAT_UNSUPPORTED (a newer
 *           struct); LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_breaker_get(struct leat_engine *engine, leat_type type, struct leat_breaker_info *info);

/* ---- types --------------------------------------------------------------------------------- */

struct leat_type_options {
    uint32_t size;
    uint32_t version;
    /* All runs count: 1 to 65 535 (default 3). A maxRetry elsewhere is one less where it counts the
     * runs behind the first, and the same where it is compared with the runs so far. */
    uint32_t max_attempts;
    /* Attempts of the type at once, pending ones included; 0: no cap; at most 67 108 864. See
     * leat_type_set_running_max(). */
    uint32_t running_max;
    /* Of one attempt; 0: none; else 1 ms to 366 days (default 60 s). Behind it, and at most an
     * eighth of the shortest timeout in use later, leat_run_cancelled() says true, and the attempt
     * has failed, whatever its handler answers: leat_done() and leat_pending() count as
     * leat_retry(). The next attempt comes when the handler has returned; one that does not return
     * soon is stuck (see leat_statistics). An attempt that answered pending has none but that of
     * leat_pending_for(). */
    uint64_t timeout_ns;
    const struct leat_retry_policy *retry; /* copied; NULL: leat_retry_policy_default() */
    /* For leat_type_register_batch() only, see there; else 0. */
    uint64_t batch_delay_ns; /* at most 366 days */
    uint32_t batch_max;      /* 1 to 256 */
    struct leat_rate rate;   /* see leat_type_set_rate(); jobs 0 (default): none */
    const struct leat_breaker_options *breaker; /* copied; NULL: none */
    /* See leat_type_set_running_min(); 0 (default): none. Where that answers LEAT_FULL, so does the
     * call, and the type is there without. */
    uint32_t running_min;
    struct leat_rate key_rate; /* see leat_type_set_key_rate(); jobs 0 (default): none */
};

/* Fills `options` with the defaults; `size` is the caller's sizeof.
 * Threads:  any.      Progress: wait-free.  */
LEAT_API void leat_type_options_init(struct leat_type_options *options, size_t size);

static inline struct leat_type_options
leat_type_options_default(void)
{
    struct leat_type_options options;
    leat_type_options_init(&options, sizeof(options));
    return options;
}

/* Says whether leat_type_register() would take `options`, and where batch_max is not 0 whether
 * leat_type_register_batch() would; `error` (may be NULL) names the first bad field: "timeout_ns",
 * or, of what they point to, "breaker.probes".
 * Threads:  any.      Progress: wait-free.    Borrows options.
 * Returns:  LEAT_OK; LEAT_INVALID; LEAT_UNSUPPORTED.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_type_options_check(const struct leat_type_options *options, struct leat_error *error);

/* Gives a type name its handler, also while the engine runs, also after jobs of it were submitted.
 * A job taken while its type has no handler goes DEAD (LEAT_REASON_UNKNOWN_TYPE).
 * Names: 1 to 200 bytes of [A-Za-z0-9_.:/-]. `options` NULL: the defaults. `type` may be NULL.
 * Threads:  any.      Progress: blocking (a mutex).    Copies name and options; borrows context
 *           until leat_close().
 * Returns:  LEAT_OK; LEAT_EXISTS (it has one); LEAT_FULL (types_max); LEAT_NO_MEMORY;
 *           LEAT_UNSUPPORTED; LEAT_FORKED; LEAT_INVALID (no valid name, no handler; max_attempts,
 *           timeout_ns, running_max, a rate, retry or breaker out of its range; batch_max or
 *           batch_delay_ns, which are for leat_type_register_batch()).  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_type_register(struct leat_engine *engine, const char *name, leat_handler handler,
                   void *context, const struct leat_type_options *options, leat_type *type);

/* Runs one attempt each of `count` jobs of a type. `runs` and what they are is borrowed until it
 * returns; outcomes[i], leat_done() at first, is what runs[i] comes to. */
typedef void (*leat_batch_handler)(struct leat_run *const *runs, struct leat_outcome *outcomes,
                                   size_t count, void *context);

/* Gives a type name a handler that takes up to batch_max jobs in one call. Jobs that workers come
 * to are gathered until there are so many, or until batch_delay_ns (BOOT clock) after the first of
 * them, or less; 0: until what already waits in the ring has been come to. Then the delay is over
 * when a worker has come by. While the engine drains, nothing is waited for.
 * A job that is gathered is PENDING: it can be cancelled and changed, and then is not among those
 * of the call; nor is one whose queue was paused. All else is each job's own: its attempt, outcome,
 * retries, cancel flag, its part in a cap. A cap below batch_max leaves it to the delay. The time
 * of all is the longest of their timeouts; when that is over, all of them are timed out.
 * Threads, Progress, Copies, Returns: as leat_type_register().  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_type_register_batch(struct leat_engine *engine, const char *name, leat_batch_handler handler,
                         void *context, const struct leat_type_options *options, leat_type *type);

/* Threads:  any.      Progress: wait-free once the thread is attached.
 * Returns:  LEAT_OK; LEAT_NOT_FOUND (neither registered nor used by a job); LEAT_FORKED;
 *           LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_type_find(struct leat_engine *engine,
                                                        const char *name, leat_type *type);

/* The name, NUL-terminated, borrowed until leat_close().
 * Threads:  any.      Progress: wait-free.
 * Returns:  LEAT_OK; LEAT_NOT_FOUND; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_type_name(struct leat_engine *engine, leat_type type,
                                                        const char **name);

/* ---- queues -------------------------------------------------------------------------------- */

/* Which of a queue's jobs that wait begins first. */
enum leat_order {
    LEAT_ORDER_FIFO = 0, /* the one that came first, by priority */
    LEAT_ORDER_EXACT     /* see leat_queue_options.order */
};

/* What a submit does that finds a limit of its queue, or of the queue's tenant, reached. */
enum leat_full_policy {
    LEAT_FULL_REJECT = 0, /* LEAT_FULL (default) */
    LEAT_FULL_BLOCK,      /* it waits for room, see leat_queue_options.block_ns */
    LEAT_FULL_DROP_OLDEST /* it ends jobs of the queue that wait, see there */
};

struct leat_queue_options {
    uint32_t size;
    uint32_t version;
    uint32_t priority; /* of jobs that say LEAT_PRIORITY_OF_QUEUE (default NORMAL) */
    /* Attempts of its jobs at once, pending ones included; 0: no cap; at most 67 108 864. See
     * leat_queue_set_running_max(). */
    uint32_t running_max;
    uint32_t waiting_max;  /* jobs that wait, on all priorities; 0: the engine's limits only. A
                             retry is never refused, so there may be more */
    struct leat_rate rate; /* see leat_queue_set_rate(); jobs 0 (default): none */
    /* See leat_queue_set_running_min(); 0 (default): none. Where that answers LEAT_FULL, so does
     * the call, and the queue is there without. */
    uint32_t running_min;
    bool pull; /* its jobs are taken by leat_reserve(), and never go to a worker */
    /* DROP_OLDEST: of the least urgent jobs of the queue that wait for their first attempt, the one
     * that was submitted first is CANCELLED (LEAT_REASON_DROPPED), and so on until there is room.
     * None is dropped for one that is less urgent: that one is LEAT_FULL; nor one that runs, was
     * run, or has waited for a time (got another priority, was brought back from the dead); nor any
     * for a job that is refused, for whatever reason, or LEAT_JOINED, unless another thread takes
     * the room at that moment, or a job that goes on as one that it waited for was dropped. So
     * jobs_max has to be above waiting_max: the new job has a record before the old one goes. Such
     * a submit takes a lock, and may allocate. */
    enum leat_full_policy full;
    uint64_t waiting_bytes_max; /* of the payloads of the jobs that waiting_max counts; 0: none */
    /* BLOCK: how long leat_submit() waits for room, and a batch with EACH for each job, one with
     * ALL_OR_NONE for all of them; then LEAT_TIMEOUT. LEAT_FOREVER (default). LEAT_FULL at once in
     * handlers and with 0 workers, where the caller may be who has to make room, and for a job, or
     * such a batch, that is larger than the limit. */
    uint64_t block_ns;
    leat_tenant tenant; /* whose limits bind it, too; 0: none. It stays */
    uint32_t weight;    /* see leat_queue_set_weight(); 0 (default): none was set */
    /* LEAT_ORDER_EXACT: the job with the least leat_job_options.order_priority begins first; of
     * those with the same one, that which was submitted first, also where it comes back, by a retry
     * or when it is due. All its jobs have the queue's priority (LEAT_INVALID). They are listed, as
     * those of a queue with a cap, and have memory of the allocator, but none later than at their
     * submit. Those on their way from the list to their begin, at most as many as there may be
     * workers (workers_max; lenders_max), begin in front of a more urgent one that comes later;
     * those that wait for their type's cap, pause or rate are among them. All jobs whose submit has
     * returned are looked at when the next one leaves the list; where jobs come faster than workers
     * list them, so that this cannot be said, none leaves it until they have. That is said of
     * leat_reserve() of a pull queue, too: what it takes is the first of them. */
    enum leat_order order;
    struct leat_rate key_rate; /* see leat_queue_set_key_rate(); jobs 0 (default): none */
};

/* Fills `options` with the defaults; `size` is the caller's sizeof.
 * Threads:  any.      Progress: wait-free.  */
LEAT_API void leat_queue_options_init(struct leat_queue_options *options, size_t size);

static inline struct leat_queue_options
leat_queue_options_default(void)
{
    struct leat_queue_options options;
    leat_queue_options_init(&options, sizeof(options));
    return options;
}

/* Says whether leat_queue_create() would take `options`, whose tenant is not looked at; `error`
 * (may be NULL) names the first bad field.
 * Threads:  any.      Progress: wait-free.    Borrows options.
 * Returns:  LEAT_OK; LEAT_INVALID; LEAT_UNSUPPORTED.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_queue_options_check(const struct leat_queue_options *options, struct leat_error *error);

/* Creates a queue. Names as for types; "default" exists from the start. One that a log has brought
 * back has what calls had set of it, whatever its options say: see there.
 * Threads:  any.      Progress: blocking (a mutex).    Copies name and options.
 * Returns:  LEAT_OK; LEAT_EXISTS (*queue is set to it all the same); LEAT_FULL (queues_max);
 *           LEAT_NOT_FOUND (no such tenant); LEAT_NO_MEMORY; LEAT_UNSUPPORTED; LEAT_FORKED;
 *           LEAT_INVALID (queue NULL, no valid name; a priority, running_max, rate, weight, order
 *           or full out of its range).  */
LEAT_API LEAT_NODISCARD enum leat_status leat_queue_create(struct leat_engine *engine,
                                                           const char *name,
                                                           const struct leat_queue_options *options,
                                                           leat_queue *queue);

/* As leat_type_find() and leat_type_name(). */
LEAT_API LEAT_NODISCARD enum leat_status leat_queue_find(struct leat_engine *engine,
                                                         const char *name, leat_queue *queue);
LEAT_API LEAT_NODISCARD enum leat_status leat_queue_name(struct leat_engine *engine,
                                                         leat_queue queue, const char **name);

/* Caps how many attempts of a type's, or of a queue's, jobs run at once, while the engine runs; 0:
 * no cap. One counts from when it is about to begin until its handler has returned or, where that
 * answered pending, until it is completed. Lowering a cap ends nothing: what runs goes on, and what
 * ran before the first cap or pause of this type or queue is not counted. The others wait in lists,
 * hold no worker and are in nobody's way; they keep their order, but for jobs that were on their
 * way to workers when the first cap was set: one that a worker had in hand goes back to its list,
 * and one that no worker had come to yet may begin before it.
 * A queue or type that was once capped or paused costs its jobs a way through those lists.
 * Threads:  any, handlers too.     Progress: blocking (a grace period).
 * Returns:  LEAT_OK; LEAT_NOT_FOUND; LEAT_FORKED; LEAT_INVALID (more than 67 108 864;
 *           in a build of more than 8 levels, than 262 142).  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_type_set_running_max(struct leat_engine *engine, leat_type type, uint32_t running_max);
LEAT_API LEAT_NODISCARD enum leat_status
leat_queue_set_running_max(struct leat_engine *engine, leat_queue queue, uint32_t running_max);

/* Stops the taking of a queue's jobs: behind the return no attempt begins; what runs goes on, and
 * new jobs are taken in. They wait, in their order, as with leat_queue_set_running_max(): behind a
 * resume, too, a job that no worker had come to may begin before one that was sent back. A drain
 * does not wait for them. To pause twice, or to resume what is not paused, is no error.
 * With a log all calls that set something of a queue wait until it is on the disk, and answer
 * LEAT_LOG_FAILED or LEAT_NO_SPACE where it is not: then it is set in memory only.
 * Threads:  any, handlers too.     Progress: pause: blocking (a grace period); resume: lock-free,
 *           with a log blocking.
 * Returns:  LEAT_OK; LEAT_NOT_FOUND; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_queue_pause(struct leat_engine *engine,
                                                          leat_queue queue);
LEAT_API LEAT_NODISCARD enum leat_status leat_queue_resume(struct leat_engine *engine,
                                                           leat_queue queue);

/* The same for all queues of the engine, also those that are created meanwhile. It goes beside
 * their own pauses: behind a resume what was paused by leat_queue_pause() stays paused, and while
 * the engine is paused leat_queue_resume() lets nothing run. Tasks run all the same, as does what
 * leat_run_inline() runs. From then on all jobs go a way through the lists.
 * Threads:  any, handlers too.     Progress: blocking (a mutex; pause: a grace period).
 * Returns:  LEAT_OK; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_pause_all(struct leat_engine *engine);
LEAT_API LEAT_NODISCARD enum leat_status leat_resume_all(struct leat_engine *engine);

/* Limits how many attempts of a type's, or of a queue's, jobs begin in a time, while the engine
 * runs; jobs 0: any number. An attempt counts when a worker is about to call its handler, and every
 * one does: the first, retries, those behind a snooze. What does not begin, since it was cancelled
 * before, or its queue was paused, counts nothing; but for a cancel that comes in that very moment.
 * A job whose expiry, or whose type without handler, is only seen then has counted. The time is
 * that of the BOOT clock, so a rate goes on while the machine is suspended. The first rate begins
 * with a full burst; another one with the tokens that there were, as far as its burst goes.
 * The others wait, in their order, as with leat_queue_set_running_max(), to which it may be added;
 * those of a type are in nobody's way. As with what is due later, a drain does not wait for those
 * whose time has not come.
 * Threads:  any, handlers too.     Progress: blocking (a mutex, grace periods).
 * Returns:  LEAT_OK; LEAT_NOT_FOUND; LEAT_FORKED; LEAT_INVALID (beyond what struct leat_rate
 *           says).  */
LEAT_API LEAT_NODISCARD enum leat_status leat_type_set_rate(struct leat_engine *engine,
                                                            leat_type type, struct leat_rate rate);
LEAT_API LEAT_NODISCARD enum leat_status
leat_queue_set_rate(struct leat_engine *engine, leat_queue queue, struct leat_rate rate);

/* Limits how many attempts of each key's jobs (leat_job_options.key) of a type, or of a queue,
 * begin in a time, while the engine runs; jobs 0: any number. Each key has the whole rate. Attempts
 * count as with leat_queue_set_rate(), and so does the time; a job passes its queue's and its
 * type's. Jobs without a key pass. Those of a key wait with it, in its order, in front of nobody
 * else, and a drain does not wait for them while their time has not come. One that has ended while
 * it waits may keep its record until then, where 255 threads had it in hand.
 * Another rate holds at once: who waits is looked at anew, and a key owes what it has begun, up to
 * the burst. What began before the first rate does not count.
 * A key is remembered until its tokens are all there again, then it takes no memory; as many at
 * once as jobs_max, 1 048 576 at most: other keys of such queues and types wait until one is
 * forgotten.
 * Threads:  any, handlers too.     Progress: blocking (a mutex, a grace period).
 * Returns:  LEAT_OK; LEAT_NOT_FOUND; LEAT_NO_MEMORY; LEAT_FORKED; LEAT_INVALID (beyond what struct
 *           leat_rate says).  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_type_set_key_rate(struct leat_engine *engine, leat_type type, struct leat_rate rate);
LEAT_API LEAT_NODISCARD enum leat_status
leat_queue_set_key_rate(struct leat_engine *engine, leat_queue queue, struct leat_rate rate);

/* Keeps so many of the workers' places for a type's, or a queue's, jobs, while the engine runs; 0:
 * none. The jobs of all others together then run in the rest at most: in as many places as there
 * are workers (lenders_max, where there are none) less all minimums. A job first takes one of the
 * places that are kept for its queue or, where none are, for its type; then one of the rest. It has
 * it from when it is about to begin until its handler returns, also where that answers pending.
 * What runs, or is about to, when the first minimum is set is not counted. Tasks (leat_post()) and
 * spawned ones are not either: they may have all workers.
 * A job that waits for a place already when the first one is kept for its queue stays behind those
 * of its type.
 * The others wait as with leat_queue_set_running_max(); in an engine with a minimum all jobs do.
 * Threads:  any, handlers too.     Progress: blocking (a mutex, a grace period).
 * Returns:  LEAT_OK; LEAT_FULL (all minimums together would be more than the workers; likewise
 *           leat_workers_set() with fewer than these); LEAT_NOT_FOUND; LEAT_FORKED;
 *           LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_type_set_running_min(struct leat_engine *engine, leat_type type, uint32_t running_min);
LEAT_API LEAT_NODISCARD enum leat_status
leat_queue_set_running_min(struct leat_engine *engine, leat_queue queue, uint32_t running_min);
/* ---- queues: limits, purge, drain ----------------------------------------------------------
 *
 * What waits, for limits, are jobs in state PENDING: a job that is SCHEDULED or RETRYING comes back
 * in its time, whatever the limit, and counts from then on. Jobs that were submitted before the
 * queue had its first limit, or tenant, are not counted.
 */

/* As the fields of the same names in leat_queue_options. */
struct leat_queue_limits {
    uint32_t size;
    uint32_t version;
    uint32_t waiting_max;
    enum leat_full_policy full;
    uint64_t waiting_bytes_max;
    uint64_t block_ns;
};

static inline struct leat_queue_limits
leat_queue_limits_default(void)
{
    struct leat_queue_limits limits;
    memset(&limits, 0, sizeof(limits));
    limits.size = (uint32_t)sizeof(limits);
    limits.version = LEAT_STRUCT_VERSION;
    limits.block_ns = LEAT_FOREVER;
    return limits;
}

/* Sets all limits of a queue, while the engine runs: for the submits that begin behind the return.
 * What waits stays, also where it is more than the new limit. Submits that wait look again.
 * DROP_OLDEST drops jobs that were submitted since it was set.
 * Threads:  any, also several at once: of each field, the last one counts.
 * Progress: lock-free by argument, but for the allocator, once per queue with DROP_OLDEST; with a
 *           log blocking.
 * Returns:  LEAT_OK; LEAT_NOT_FOUND; LEAT_NO_MEMORY; LEAT_UNSUPPORTED; LEAT_FORKED;
 *           LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_queue_set_limits(struct leat_engine *engine, leat_queue queue,
                      const struct leat_queue_limits *limits);

/* Cancels all jobs of a queue that wait, be they PENDING, SCHEDULED, RETRYING or BLOCKED; what runs
 * goes on, and may be run again. One that ends before its turn, since it waited for another
 * one, is not counted. It looks at all records of the engine. Jobs that are submitted meanwhile
 * may be cancelled or not.
 * Threads:  any, handlers too.    Progress: lock-free by argument.    Allocates: no.
 * Waits:    never.
 * Returns:  LEAT_OK and *count (may be NULL), how many; LEAT_NOT_FOUND; LEAT_FORKED;
 *           LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_queue_purge(struct leat_engine *engine,
                                                          leat_queue queue, size_t *count);

/* The same for all queues of the engine at once. A cohort that is open or has members that run is
 * cancelled, too.
 * Threads, Progress, Allocates, Waits: as leat_queue_purge().
 * Returns:  LEAT_OK and *count (may be NULL); LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_purge_all(struct leat_engine *engine, size_t *count);

/* Closes a queue to jobs from outside handlers (LEAT_CLOSED), and waits until those that were in
 * it have ended, as have those that handlers submit to it meanwhile. As in leat_drain(), what is
 * SCHEDULED or RETRYING is not waited for before its time has come, and runs when it has. With 0
 * workers the calling thread runs the work, that of other queues too. What is paused is waited for.
 * Past the timeout the queue is paused: what waits stays as it is and uses up no attempt.
 * leat_queue_reopen() undoes both.
 * Threads:  any outside a handler, and outside read sections of liburcu-bp.    Progress: blocking.
 * Returns:  LEAT_OK (closed still); LEAT_TIMEOUT (closed and paused); LEAT_WRONG_STATE (the engine
 *           is not running or draining); LEAT_CLOSED (it was stopped meanwhile); LEAT_BUSY (0
 *           workers, all places for lent threads taken; closed all the same); LEAT_DEADLOCK;
 *           LEAT_NOT_FOUND; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_queue_drain(struct leat_engine *engine,
                                                          leat_queue queue, uint64_t timeout_ns);

/* Opens a queue to new jobs again, and resumes it. It is no error where it is open.
 * Threads:  any, handlers too.    Progress: lock-free by argument; with a log blocking.
 * Returns:  LEAT_OK; LEAT_NOT_FOUND; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_queue_reopen(struct leat_engine *engine,
                                                           leat_queue queue);

struct leat_queue_info {
    uint32_t size;
    uint32_t version;
    uint32_t priority;
    uint32_t running_max;
    uint32_t waiting_max;
    enum leat_full_policy full;
    uint64_t waiting_bytes_max;
    uint64_t block_ns;
    leat_tenant tenant;
    bool paused;   /* by leat_queue_pause(), leat_pause_all() or a drain */
    bool draining; /* closed by leat_queue_drain() */
    uint64_t waiting;
    uint64_t waiting_bytes; /* of their payloads */
    uint64_t scheduled;
    uint64_t retrying;
    uint64_t running;
    uint64_t dropped; /* jobs that DROP_OLDEST ended */
};

static inline struct leat_queue_info
leat_queue_info_default(void)
{
    struct leat_queue_info info;
    memset(&info, 0, sizeof(info));
    info.size = (uint32_t)sizeof(info);
    info.version = LEAT_STRUCT_VERSION;
    return info;
}

/* Fills `info`. It looks at all records of the engine, and each number is one of jobs that were
 * there at some moment of the call; exact where nothing changes.
 * Threads:  any.      Progress: wait-free.
 * Returns:  LEAT_OK; LEAT_NOT_FOUND; LEAT_UNSUPPORTED (a newer struct); LEAT_FORKED;
 *           LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_queue_get_info(struct leat_engine *engine, leat_queue queue, struct leat_queue_info *info);

/* ---- tenants -------------------------------------------------------------------------------
 *
 * A tenant bounds what waits in several queues together. A queue names it when it is created
 * (leat_queue_options), and has its own limits beside. At a tenant's limit a queue does what it
 * does at its own; DROP_OLDEST drops of the queue's own jobs. What is beyond a tenant's rate waits.
 */

struct leat_tenant_options {
    uint32_t size;
    uint32_t version;
    uint32_t jobs_max;  /* as waiting_max of a queue; 0: none */
    uint64_t bytes_max; /* as waiting_bytes_max */
};

static inline struct leat_tenant_options
leat_tenant_options_default(void)
{
    struct leat_tenant_options options;
    memset(&options, 0, sizeof(options));
    options.size = (uint32_t)sizeof(options);
    options.version = LEAT_STRUCT_VERSION;
    return options;
}

/* Creates a tenant, of at most as many as queues_max. Names as for types. `options` NULL: the
 * defaults.
 * Threads:  any.      Progress: blocking (a mutex).    Copies name and options.
 * Returns:  LEAT_OK; LEAT_EXISTS (*tenant is set to it all the same); LEAT_FULL; LEAT_NO_MEMORY;
 *           LEAT_UNSUPPORTED; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_tenant_create(struct leat_engine *engine, const char *name,
                   const struct leat_tenant_options *options, leat_tenant *tenant);

/* As leat_type_find() and leat_type_name(). */
LEAT_API LEAT_NODISCARD enum leat_status leat_tenant_find(struct leat_engine *engine,
                                                          const char *name, leat_tenant *tenant);
LEAT_API LEAT_NODISCARD enum leat_status leat_tenant_name(struct leat_engine *engine,
                                                          leat_tenant tenant, const char **name);

/* As leat_queue_set_limits().
 * Threads:  any, also several at once: of each field, the last one counts.
 * Progress: lock-free by argument.
 * Returns:  LEAT_OK; LEAT_NOT_FOUND; LEAT_UNSUPPORTED; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_tenant_set_limits(struct leat_engine *engine, leat_tenant tenant,
                       const struct leat_tenant_options *options);

/* As leat_queue_set_rate(), for the jobs of all its queues together: an attempt takes a token of
 * its tenant, too. Those for which there is none wait, in their order, in one line of their tenant
 * for each priority, and are in nobody's way beside it. Pull queues do not heed it.
 * Threads:  any, handlers too.     Progress: blocking (mutexes, grace periods).
 * Returns:  LEAT_OK; LEAT_NOT_FOUND; LEAT_FORKED; LEAT_INVALID (beyond what struct leat_rate
 *           says).  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_tenant_set_rate(struct leat_engine *engine, leat_tenant tenant, struct leat_rate rate);

struct leat_tenant_info {
    uint32_t size;
    uint32_t version;
    uint32_t jobs_max;
    uint32_t queues; /* of this tenant */
    uint64_t bytes_max;
    uint64_t jobs;    /* that wait, in all its queues */
    uint64_t bytes;   /* of their payloads */
    uint64_t refused; /* times that a submit found one of its limits reached */
};

static inline struct leat_tenant_info
leat_tenant_info_default(void)
{
    struct leat_tenant_info info;
    memset(&info, 0, sizeof(info));
    info.size = (uint32_t)sizeof(info);
    info.version = LEAT_STRUCT_VERSION;
    return info;
}

/* Each number is exact for some moment during the call; a submit that is being refused may count
 * for a moment.
 * Threads:  any.      Progress: wait-free.
 * Returns:  LEAT_OK; LEAT_NOT_FOUND; LEAT_UNSUPPORTED (a newer struct); LEAT_FORKED;
 *           LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_tenant_get(struct leat_engine *engine, leat_tenant tenant, struct leat_tenant_info *info);

/* Gives a queue a weight, 1 to 1000, while the engine runs. As long as several queues with a weight
 * have jobs that could run, on one priority, these begin in proportion to the weights: a queue
 * takes 8 * weight of its jobs in turn, then the next one does. What a queue does not use is not
 * saved up, and the turn that runs when a weight is set is the old one's. So of any jobs in a row
 * each such queue begins its share, but for one turn of its own at most. That is as long as nothing
 * but workers is short: a queue with a running_max below 5 for each worker, or in exact order, may
 * not use its turn up, and loses the rest.
 * Weights act where jobs wait in lists. That is where all jobs of a queue with a weight are; of all
 * such queues together, at most 4 jobs for each worker are under way from there to the workers, on
 * each priority. Where such a queue is paused, or runs out of its rate, these may change places
 * among each other. Jobs of a queue without a weight, cap, pause, rate or order are listed only
 * where the ring has no room; listed ones take turns as with weight 1. What the ring has of them,
 * ring_slots at most, is in front of all that waits in lists. A job that waits for its type, or for
 * a worker's place where some are kept, has had its turn when it went to the list of those, whose
 * own turns are as with weight 1. A pull queue's jobs are taken as takers like: its weight says
 * nothing.
 * A queue that once had a weight costs its jobs a way through the lists.
 * Threads:  any, handlers too.     Progress: blocking (a grace period).
 * Returns:  LEAT_OK; LEAT_NOT_FOUND; LEAT_FORKED; LEAT_INVALID (0, or more than 1000).  */
LEAT_API LEAT_NODISCARD enum leat_status leat_queue_set_weight(struct leat_engine *engine,
                                                               leat_queue queue, uint32_t weight);

/* ---- jobs ---------------------------------------------------------------------------------- */

enum leat_job_state {
    LEAT_JOB_SCHEDULED = 1, /* due later, or on its way to another priority */
    LEAT_JOB_BLOCKED,       /* waits for other jobs */
    LEAT_JOB_PENDING,       /* waits for a worker, or a consumer */
    LEAT_JOB_RUNNING,       /* in a handler, pending completion, or leased */
    LEAT_JOB_RETRYING,      /* failed, due again */
    LEAT_JOB_COMPLETED,     /* final */
    LEAT_JOB_DEAD,          /* final; the reason says why */
    LEAT_JOB_CANCELLED      /* final */
};

enum leat_reason {
    LEAT_REASON_NONE = 0,
    LEAT_REASON_FAILED,       /* leat_fail() */
    LEAT_REASON_ATTEMPTS,     /* attempts used up */
    LEAT_REASON_UNKNOWN_TYPE, /* no handler for its type */
    LEAT_REASON_UNSUPPORTED,  /* the handler's answer is not built yet (docs/status.md) */
    LEAT_REASON_INVALID,      /* the handler's answer is none of leat_outcome_kind */
    LEAT_REASON_TIMEOUT,      /* attempts used up, and the last one was timed out */
    LEAT_REASON_EXPIRED,      /* it waited for longer than its expires_in_ns */
    LEAT_REASON_QUARANTINED,  /* see leat_config.quarantine_after */
    LEAT_REASON_DROPPED,      /* CANCELLED by its queue, which was full (LEAT_FULL_DROP_OLDEST) */
    LEAT_REASON_PARENT /* CANCELLED, as a job that it waited for failed (LEAT_PARENT_CANCEL) */
};

/* The states' and reasons' names in lower case: "pending", "unknown type"; "unknown" beyond.
 * Threads:  any.      Progress: wait-free.  */
LEAT_API const char *leat_job_state_text(enum leat_job_state state);
LEAT_API const char *leat_reason_text(enum leat_reason reason);

/* leat_job.flags */
#define LEAT_JOB_KEEP_RESULT 1u /* record and result stay until leat_release() */

struct leat_completion_queue;

#define LEAT_TIMEOUT_OF_TYPE UINT64_MAX

#define LEAT_UNIQUE_KEY_BYTES_MAX 128
#define LEAT_JOB_NAME_BYTES_MAX   128
#define LEAT_TAGS_MAX             16
#define LEAT_TAG_BYTES_MAX        32

/* For how long a job holds its unique key: no other job of its type has the key meanwhile. */
enum leat_unique_scope {
    LEAT_UNIQUE_UNTIL_FINISHED = 0, /* until it has ended, retries included */
    LEAT_UNIQUE_UNTIL_STARTED,      /* until its first attempt begins, or it has ended before */
    LEAT_UNIQUE_FOR_TIME /* for unique_for_ns from its submit on, whatever becomes of it */
};

/* What a submit does that finds its key held. */
enum leat_unique_conflict {
    LEAT_UNIQUE_REJECT = 0, /* LEAT_EXISTS */
    LEAT_UNIQUE_EXISTING,   /* LEAT_JOINED, with the id of the job that holds it */
    LEAT_UNIQUE_REPLACE,    /* that job is cancelled, if it waits, and this one takes its place;
                               else LEAT_EXISTS */
    LEAT_UNIQUE_DEBOUNCE    /* that job, if it waits, gets this one's time, as by leat_reschedule();
                               then LEAT_JOINED, with its id; else LEAT_EXISTS */
};

/* What becomes of a job of which a parent ends otherwise than COMPLETED. */
enum leat_parent_policy {
    LEAT_PARENT_CANCEL = 0, /* it is CANCELLED (LEAT_REASON_PARENT), and so is what waits for it */
    LEAT_PARENT_IGNORE,     /* that parent counts as ended, and it runs all the same */
    LEAT_PARENT_WAIT /* of a dead parent it waits that it is brought back and completes; where that
                        cannot be any more, as it was deleted or is no dead letter: CANCEL */
};

/* What most jobs do not use. A job that sets one of those behind run_at_ns has memory of the
 * allocator. */
struct leat_job_options {
    uint32_t size;
    uint32_t version;
    uint64_t run_at_ns; /* not before this time by the WALL clock, also when that is set; 0: at
                           once. With delay_ns: LEAT_INVALID */
    /* From the submit on, by the BOOT clock: from then on it is not begun (again), but goes DEAD
     * (LEAT_REASON_EXPIRED): when a worker comes to it; and where none does, as in a queue that is
     * paused, at most a second later and the time of one look at all jobs. That look is taken while
     * the engine runs, some jobs in each leat_run_some() or leat_clock_changed() where those do it.
     * An attempt that has begun goes on. LEAT_FOREVER (default): never. */
    uint64_t expires_in_ns;
    uint64_t timeout_ns; /* LEAT_TIMEOUT_OF_TYPE (default), or as leat_type_options says */
    const struct leat_retry_policy *retry; /* copied; NULL: its type's */
    /* Of all jobs of the engine with the same key, whatever their queues, types and priorities, one
     * at a time runs, in the order in which they were submitted by one thread; the others wait
     * without a worker. A job has its key from its first turn to its end: through retries, snoozes,
     * and while it is pending completion. A delayed one takes its place in the order when it is
     * due, and one that is given another time before its first attempt when that comes. Another
     * priority changes the order of keys, not that within a key. */
    const void *key; /* 1 to 128 bytes, copied; NULL: none */
    size_t key_bytes;

    /* Unique keys. At most one job of a type holds a key: of two submits at once, one finds it
     * held. What happens then, the later one's unique_conflict says; for how long a key is held,
     * the holder's unique_scope. */
    const void *unique_key;  /* any bytes, copied; NULL: none */
    size_t unique_key_bytes; /* 1 to 128; 0: none */
    enum leat_unique_scope unique_scope;
    enum leat_unique_conflict unique_conflict;
    uint64_t unique_for_ns; /* with LEAT_UNIQUE_FOR_TIME, and only then: by the BOOT clock */

    /* The caller's own name of the job, 1 to 128 bytes, copied; NULL: none. Of all jobs of an
     * engine that have not ended at most one has it: LEAT_EXISTS. See leat_job_find(). */
    const char *name;

    /* Tags, 1 to 32 bytes each, copied: for lists and counts, see leat_tag_list(). */
    const char *const *tags;
    uint32_t tags_count; /* 0 to 16 */
    /* How long this submit waits for room, where its queue has LEAT_FULL_BLOCK; 0: as that says */
    uint64_t block_ns;

    /* Where its queue has LEAT_ORDER_EXACT: 0 begins first. Elsewhere it says nothing. */
    uint32_t order_priority;

    /* Jobs that are to end before it, copied; see "jobs that wait for others". */
    const leat_job_id *parents;
    uint32_t parents_count; /* 0 to 65 535 */
    enum leat_parent_policy parent_policy;
    leat_job_id cohort; /* of which it is a member, see leat_cohort_open(); 0: none */
    /* The job whose handler submits it, by leat_run_submit(), or by who says so here; any id; 0:
     * none. It is remembered, and nothing waits for it: see leat_get(), leat_job_list(). */
    leat_job_id submitter;
    enum leat_durability durability; /* where there is no log it says nothing */
    uint32_t reserved;               /* 0 */
    /* Not NULL: the submit does not wait for the disk, and what became of it comes to this queue;
     * see "submits that do not wait". */
    struct leat_completion_queue *acknowledgements;
    /* The same, by a call instead of a queue: NULL (default), or acknowledgements is NULL. See
     * "acknowledgements by a call". */
    void (*acknowledged)(leat_job_id id, enum leat_status status, void *context);
    void *acknowledged_context;
};

static inline struct leat_job_options
leat_job_options_default(void)
{
    struct leat_job_options options;
    memset(&options, 0, sizeof(options));
    options.size = (uint32_t)sizeof(options);
    options.version = LEAT_STRUCT_VERSION;
    options.expires_in_ns = LEAT_FOREVER;
    options.timeout_ns = LEAT_TIMEOUT_OF_TYPE;
    return options;
}

struct leat_job {
    uint32_t size;
    uint32_t version;
    leat_type type;         /* or 0 and type_name; where both are set, this one counts */
    leat_queue queue;       /* or 0 and queue_name, as with type; both unset: "default" */
    const char *type_name;  /* a name not known yet is taken in */
    const char *queue_name; /* a queue not there yet is created with default options */
    const void *payload;    /* copied */
    size_t payload_bytes;
    uint32_t priority; /* default LEAT_PRIORITY_OF_QUEUE */
    uint32_t flags;
    uint32_t max_attempts; /* 0: the type's, where it is registered by then, else 3 */
    uint32_t reserved;     /* 0 */
    uint64_t delay_ns;     /* not before so long from now, by the BOOT clock; see run_at_ns.
                              At most 146 years, also of LEAT_FOREVER: as good as never */
    const struct leat_job_options *options; /* copied; NULL: the defaults */
    /* Not NULL: the end of the job comes to this queue, as a completion that says `user`. From
     * now on it has one of the queue's slots. */
    struct leat_completion_queue *completions;
    void *user;
};

static inline struct leat_job
leat_job_default(void)
{
    struct leat_job job;
    memset(&job, 0, sizeof(job));
    job.size = (uint32_t)sizeof(job);
    job.version = LEAT_STRUCT_VERSION;
    job.priority = LEAT_PRIORITY_OF_QUEUE;
    return job;
}

/* Adds one job. `id` may be NULL.
 * Threads:  any; with a unique key or a name outside read sections of liburcu-bp.
 * Progress: lock-free once the thread is attached, for names that are known, payloads up to
 *           payload_bytes_inline, and while there are records that no ended job holds; beyond, a
 *           lock of the allocator or of the names. With a unique key or a name BLOCKING for one
 *           in hundreds, which waits for who stands still in any submit; with a unique key of a
 *           time, in a mutex. When a job with a key comes to run hangs on who answers for its key
 *           (docs/design/0020).
 * Copies job and payload.
 * Allocates: only for a payload above payload_bytes_inline, options, a kept result, or a new name.
 * Waits:    never, but for the mutex of a name that is new; of those with a unique key or a name
 *           one in hundreds for a grace period; for room, where its queue says so (block_ns); and
 *           of a durable job for the disk: see "durable jobs", also for LEAT_LOG_FAILED and
 *           LEAT_NO_SPACE.
 * Returns:  LEAT_OK; LEAT_FULL (a limit of the queue or its tenant, jobs_max, types_max,
 *           queues_max, payload_bytes_total_max, memory_max, or the slots of the completion queue);
 *           LEAT_TIMEOUT (it has waited for room); LEAT_CLOSED; LEAT_NOT_FOUND (a handle of no type
 *           or queue); LEAT_EXISTS (the unique key or the name; that of a submit which is at work
 *           counts, also if it is then refused); LEAT_JOINED (*id is the job that has the unique
 *           key); LEAT_BUSY (so has one that is being submitted or changed at this moment: try
 *           again); LEAT_GONE, LEAT_NOT_FOUND (also a parent, or the cohort); LEAT_WRONG_STATE (the
 *           cohort is none); LEAT_ENDED (it has ended); LEAT_NO_MEMORY; LEAT_UNSUPPORTED;
 *           LEAT_FORKED; LEAT_INVALID (job NULL; neither a type nor a type_name, or no valid name;
 *           payload_bytes above payload_bytes_max, or payload NULL; a priority, max_attempts or an
 *           option out of its range; delay_ns and run_at_ns; queues for completions or
 *           acknowledgements of another engine; acknowledgements and acknowledged; a durable job
 *           above half of log_ring_bytes); LEAT_DEADLOCK (it would wait for the disk, in a call
 *           of leat_job_options.acknowledged).
 *           A job that LEAT_UNIQUE_REPLACE cancelled stays so also where this one is then refused:
 *           as another submit took the key or the name in that moment, or its queue was closed.
 * Order:    submit happens-before the handler. FIFO per submitting thread, queue and priority, up
 *           to the parallelism of the workers.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_submit(struct leat_engine *engine,
                                                     const struct leat_job *job, leat_job_id *id);

/* Says whether leat_submit() would take `job` for what it says; `error` (may be NULL) names the
 * first bad field: "payload_bytes", or of its options "options.key_bytes". For who was answered
 * LEAT_INVALID, which a submit has no time to explain. Not looked at is what hangs on others: room,
 * unique keys and names in use, parents and cohorts, the state of the engine, and how long a
 * durable job is in the log. No name is taken in.
 * Threads:  any.      Progress: wait-free once the thread is attached.    Borrows job.
 * Returns:  LEAT_OK; LEAT_INVALID; LEAT_UNSUPPORTED; LEAT_NOT_FOUND (a handle of no type or queue);
 *           LEAT_FORKED.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_job_check(struct leat_engine *engine, const struct leat_job *job, struct leat_error *error);

enum leat_batch_mode {
    LEAT_BATCH_EACH = 0,   /* every job on its own; statuses[i] tells */
    LEAT_BATCH_ALL_OR_NONE /* one that cannot be taken refuses all */
};

/* Adds jobs[0 .. count). `ids` and `statuses` (either may be NULL) have room for count.
 * EACH: LEAT_OK if all were taken, else the first other status; ids of jobs not taken are 0. One
 * that is LEAT_JOINED counts as taken, and its id is that of the job that stands for it.
 * ALL_OR_NONE: on any other status than LEAT_OK no job was taken, statuses[i] names the culprits
 * (LEAT_OK beside them; all LEAT_OK where it was the room or the memory), ids are untouched. Queues
 * and priorities may be any. All jobs are accepted before the first one is visible; then those of
 * each priority become visible to the workers as a whole, the most urgent ones first, in their
 * order: they take one place of the priority's ring, or are listed behind it. One with a key (see
 * leat_job_options.key) takes a place of its own, and parts those before it from those behind it;
 * a batch with such jobs becomes visible in its own order, so that those of one key run in it.
 * More than jobs_max never fit (LEAT_FULL). Their unique_conflict can only be LEAT_UNIQUE_REJECT
 * (LEAT_INVALID), as what the others do cannot be taken back.
 * Where a limit of a queue or tenant has no room for all, that queue's leat_full_policy says what
 * then; of the queues of a tenant without room, REJECT goes before BLOCK, and that before
 * DROP_OLDEST. REJECT: LEAT_FULL. BLOCK: the batch waits until there is room for all, for the
 * shortest time of its jobs in such queues, and keeps nothing meanwhile: smaller ones may pass by.
 * DROP_OLDEST: when all else is sure, as many of the oldest are dropped as are needed, or none, and
 * LEAT_FULL; none that is more urgent than the least urgent of the batch in that queue.
 * Threads:  any.      Progress: as leat_submit().    Copies jobs and payloads.
 * Returns:  as leat_submit(); LEAT_INVALID for a bad mode or a NULL array with count > 0, and for
 *           durable jobs of an ALL_OR_NONE that together have more than half of log_ring_bytes.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_submit_batch(struct leat_engine *engine, const struct leat_job *jobs, size_t count,
                  enum leat_batch_mode mode, leat_job_id *ids, enum leat_status *statuses);

/* How far a leat_submit_bulk() is. */
struct leat_bulk_progress {
    uint32_t size;
    uint32_t version;
    size_t done;    /* jobs that were taken, or LEAT_JOINED */
    size_t refused; /* tried, and not taken */
    size_t total;   /* of the call */
};

/* Jobs that are submitted in chunks, see leat_submit_bulk(). */
struct leat_bulk {
    uint32_t size;
    uint32_t version;
    const struct leat_job *jobs; /* borrowed, as are the arrays */
    size_t count;
    leat_job_id *ids;           /* room for count, or NULL; 0: the job was not taken */
    enum leat_status *statuses; /* room for count, or NULL; LEAT_OK, LEAT_JOINED: it was */
    enum leat_batch_mode mode;  /* of each chunk */
    size_t chunk;               /* jobs to a chunk; 0: the burst of the rate, else all */
    bool stop_at_error;         /* nothing is tried behind the first job that was not taken, or
                                   behind its chunk with ALL_OR_NONE */
    /* How fast jobs are tried: the caller's thread sleeps before a chunk until there is a token for
     * each of its jobs. There are `burst` of them at the beginning of the call, and never more. By
     * the engine's MONOTONIC clock. jobs 0: as fast as it goes. A chunk is not larger than the
     * burst. */
    struct leat_rate rate;
    uint64_t timeout_ns; /* no chunk begins later, and no wait for a token or for room goes on: the
                            rest is LEAT_TIMEOUT; 0: no such time */
    /* Told in the caller's thread behind each chunk; false: stop. It may call the engine. NULL:
     * nobody. */
    bool (*progress)(const struct leat_bulk_progress *progress, void *context);
    void *context;
};

static inline struct leat_bulk
leat_bulk_default(void)
{
    struct leat_bulk bulk;
    memset(&bulk, 0, sizeof(bulk));
    bulk.size = (uint32_t)sizeof(bulk);
    bulk.version = LEAT_STRUCT_VERSION;
    return bulk;
}

/* Adds jobs chunk by chunk, each chunk as leat_submit_batch() does. What was taken stays, whatever
 * becomes of later chunks. Of a chunk with ALL_OR_NONE that is refused the culprits have
 * their status and the others LEAT_SKIPPED, or all have that of the chunk. What was not tried has
 * LEAT_SKIPPED (`stop_at_error`, `progress`), LEAT_TIMEOUT (timeout_ns), or LEAT_CLOSED (the engine
 * was closed while the call slept).
 * Threads:  any; with a rate not in handlers, whose worker would sleep.
 * Progress: as leat_submit().    Copies jobs and payloads.
 * Waits:    for a rate, at most until timeout_ns; and as leat_submit_batch() does for room, of
 *           which timeout_ns is by the system's clock.
 * Returns:  LEAT_OK if all were taken, else the first other status of a chunk or, with EACH, of a
 *           job; and with nothing tried or written: LEAT_WRONG_STATE (a rate in a handler);
 *           LEAT_UNSUPPORTED (a newer struct); LEAT_FORKED; LEAT_INVALID (mode, NULL, the rate, a
 *           chunk above its burst, or more jobs than that with ALL_OR_NONE and no chunk).  */
LEAT_API LEAT_NODISCARD enum leat_status leat_submit_bulk(struct leat_engine *engine,
                                                          const struct leat_bulk *bulk);

/* Adds a job from a handler: leat_submit() to the run's engine, and it is known whose child it is
 * (leat_job_options.submitter), unless its options say another one. It waits for the handler's own
 * job only if its options say so (`parents`, leat_run_id()); what else it is to know stands in its
 * payload.
 * Threads:  the handler's own, until it returns.    Progress: as leat_submit() with options.
 * Returns:  as leat_submit().  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_run_submit(const struct leat_run *run, const struct leat_job *job, leat_job_id *id);

struct leat_job_info {
    uint32_t size;
    uint32_t version;
    leat_job_id id;
    enum leat_job_state state;
    enum leat_reason reason;
    leat_type type;
    leat_queue queue;
    uint32_t priority;
    uint32_t attempts; /* begun so far, without those that were snoozed */
    uint32_t max_attempts;
    uint32_t progress; /* 0 to 100 */
    bool cancel_requested;
    size_t payload_bytes;
    size_t result_bytes; /* of a job that ended */
    char error[256];     /* of the last attempt, once the job has ended; "" before, RETRYING too:
                            leat_job_attempts() has those of failed attempts */
    uint64_t due_in_ns;  /* SCHEDULED, RETRYING: until its time comes */
    char progress_text[64];
    leat_job_id submitter;           /* of its options; 0: none */
    enum leat_durability durability; /* that it was submitted with; NONE where there is no log */
};

static inline struct leat_job_info
leat_job_info_default(void)
{
    struct leat_job_info info;
    memset(&info, 0, sizeof(info));
    info.size = (uint32_t)sizeof(info);
    info.version = LEAT_STRUCT_VERSION;
    return info;
}

/* Runs a job in the calling thread, with its middleware: for tests, and where an answer is needed
 * now. The engine need not be started. The job has a record and an id as any; payload, result,
 * errors, progress, leat_cancel() and leat_get() are as for one that was submitted. But it begins
 * at once, whatever its time and priority; pauses, caps and a waiting_max are not asked, nor is its
 * key; its name and unique key are not claimed, and need not be free; it has no timeout; one of a
 * type that takes batches comes alone. Where an attempt fails, the next one
 * begins at once: *delay_ns (may be NULL) is for how long it would have waited, all in all.
 * `info` (may be NULL) is what leat_get() says when it is over: the job has ended, or it goes on as
 * one that was submitted, where its handler answered leat_snooze(), or leat_pending() before
 * leat_complete() came.
 * A handler may call it: it then runs on the stack of that one. A drain or stop does not wait for
 * it, leat_close() must not be called meanwhile.
 * Threads:  any, handlers too.      Progress: as the handler.    Copies job and payload.
 * Returns:  LEAT_OK; LEAT_BUSY (256 of the engine are at it, nested ones counted); else as
 *           leat_submit(): nothing ran.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_run_inline(struct leat_engine *engine,
                                                         const struct leat_job *job,
                                                         struct leat_job_info *info,
                                                         uint64_t *delay_ns);

/* What the engine knows of a job at this moment.
 * Threads:  any.      Progress: lock-free.    Waits: never.
 * Returns:  LEAT_OK; LEAT_GONE; LEAT_NOT_FOUND; LEAT_BUSY (239 callers look at this one job);
 *           LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_get(struct leat_engine *engine, leat_job_id id,
                                                  struct leat_job_info *info);

/* Waits until the job has ended. `info` may be NULL; it is filled also with LEAT_TIMEOUT. A caller
 * that came before the end always gets the answer. After it: only if the record is kept or
 * retained (LEAT_GONE otherwise). timeout_ns 0 asks without waiting. One that is DEAD may come to
 * the dead letters a moment later: until then leat_dead_retry() and leat_dead_delete() say
 * LEAT_BUSY.
 * Threads:  any; in a handler only with timeout_ns 0.    Progress: blocking.
 * Returns:  LEAT_OK; LEAT_TIMEOUT; LEAT_CLOSED (the engine is stopped, and not only stopping);
 *           LEAT_DEADLOCK; LEAT_GONE; LEAT_NOT_FOUND; LEAT_BUSY; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_wait(struct leat_engine *engine, leat_job_id id,
                                                   uint64_t timeout_ns, struct leat_job_info *info);

enum leat_wait_mode {
    LEAT_WAIT_ALL = 0, /* until each has ended (default) */
    LEAT_WAIT_ANY      /* until one of them has */
};

#define LEAT_WAIT_MANY_MAX 4096

/* Which jobs are waited for. */
struct leat_wait_set {
    uint32_t size;
    uint32_t version;
    const leat_job_id *ids; /* borrowed */
    size_t count;           /* 1 to 4 096; an id may stand there several times */
    enum leat_wait_mode mode;
    uint64_t timeout_ns;         /* LEAT_FOREVER (default); 0 asks without waiting */
    enum leat_status *statuses;  /* NULL, or for `count`: LEAT_OK (ended), LEAT_GONE (ended, and its
                                   record was not there any more), LEAT_TIMEOUT (not ended) */
    struct leat_job_info *infos; /* NULL, or for `count`, of which infos[0] says the size; of one
                                    that is GONE the id alone */
};

static inline struct leat_wait_set
leat_wait_set_default(void)
{
    struct leat_wait_set set;
    memset(&set, 0, sizeof(set));
    set.size = (uint32_t)sizeof(set);
    set.version = LEAT_STRUCT_VERSION;
    set.timeout_ns = LEAT_FOREVER;
    return set;
}

/* Waits until all, or any, of many jobs have ended. One that is GONE has ended. Those that have not
 * when the call begins are there until it returns, so infos say how each of them ended; it looks at
 * each of them as leat_get() does, as often as its id stands in the list. *which (may be NULL) is a
 * place in the list: with ANY the first one that has ended; with ALL and LEAT_TIMEOUT the first one
 * that has not, with LEAT_OK `count`; with LEAT_NOT_FOUND and LEAT_BUSY the id that is meant. It,
 * statuses and infos are filled with LEAT_OK and LEAT_TIMEOUT, but for *which with ANY and
 * LEAT_TIMEOUT, which is `count`; *which alone with the two others.
 * Threads:  any; in a handler only with timeout_ns 0.    Progress: blocking, as leat_wait(): asleep
 *           it is woken by who ends a job, which is nobody's wait who is not in such a call. With
 *           ANY it looks at all of them again when any job ends that somebody looks at or waits
 *           for; with ALL at one after the other.
 * Allocates: no.
 * Returns:  LEAT_OK; LEAT_TIMEOUT; LEAT_CLOSED (the engine is stopped); LEAT_DEADLOCK; and at once,
 *           whatever the others are: LEAT_NOT_FOUND (an id that was never given out), LEAT_BUSY
 *           (239 callers look at one of them); LEAT_UNSUPPORTED (a newer struct); LEAT_FORKED;
 *           LEAT_INVALID (NULL, count, mode).
 * Order:    what ended the job happens-before the return.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_wait_many(struct leat_engine *engine, const struct leat_wait_set *set, size_t *which);

/* Copies the result of an ended job: at most `capacity` bytes, all or none. *bytes (may be NULL)
 * is its size, set also with LEAT_FULL.
 * Threads:  any.      Progress: lock-free.
 * Returns:  LEAT_OK (0 bytes where it set none); LEAT_FULL (capacity is too small);
 *           LEAT_WRONG_STATE (not ended); LEAT_GONE; LEAT_NOT_FOUND; LEAT_BUSY; LEAT_FORKED;
 *           LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_result(struct leat_engine *engine, leat_job_id id,
                                                     void *buffer, size_t capacity, size_t *bytes);

/* Lets go of a job submitted with LEAT_JOB_KEEP_RESULT. Before its end: nothing is kept then.
 * Threads:  any.      Progress: lock-free.
 * Returns:  LEAT_OK; LEAT_WRONG_STATE (not kept, or released before); LEAT_GONE; LEAT_NOT_FOUND;
 *           LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_release(struct leat_engine *engine, leat_job_id id);

/* Cancels a job. Decided by one compare-and-swap: after LEAT_OK its handler never runs (again).
 * Threads:  any.      Progress: lock-free.
 * Returns:  LEAT_OK (it waited; CANCELLED now); LEAT_RUNNING (its cancel flag is set, the handler
 *           decides); LEAT_ENDED (nothing changed); LEAT_GONE; LEAT_NOT_FOUND; LEAT_FORKED;
 *           LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_cancel(struct leat_engine *engine, leat_job_id id);

/* When a job is to run, as leat_job and leat_job_options say it: one of both, or neither. */
struct leat_when {
    uint64_t delay_ns;  /* not before so long from now, by the BOOT clock */
    uint64_t run_at_ns; /* not before this time by the WALL clock, also when that is set */
};

/* A time that is past is now. */
static inline struct leat_when
leat_when_now(void)
{
    struct leat_when when = {0, 0};
    return when;
}

static inline struct leat_when
leat_when_in(uint64_t delay_ns)
{
    struct leat_when when = {0, 0};
    when.delay_ns = delay_ns;
    return when;
}

static inline struct leat_when
leat_when_at(uint64_t run_at_ns)
{
    struct leat_when when = {0, 0};
    when.run_at_ns = run_at_ns;
    return when;
}

/* Gives a job that waits another time, be it SCHEDULED, RETRYING or PENDING. leat_get() shows it at
 * once, and the job as SCHEDULED where it was PENDING, also until a worker or a list has let go of
 * it. Decided by one compare-and-swap: after LEAT_OK it does not run before its new time. When that
 * comes it goes behind the others of its queue and priority, whatever the queue's waiting_max;
 * where it is still in a place of before, when its turn there has come. Attempts and expires_in_ns
 * stay as they are. A job that is PENDING and is to run now stays where it is.
 * Threads:  any; for the job that runs in the handler: LEAT_WRONG_STATE.    Progress: lock-free.
 * Allocates: no.    Waits: never.
 * Returns:  LEAT_OK; LEAT_WRONG_STATE (it runs, or is pending completion); LEAT_ENDED (nothing
 *           changed; also where it is cancelled or expires meanwhile); LEAT_BUSY (another thread is
 *           changing it at this moment, or 239 callers look at it: nothing changed, try again);
 *           LEAT_GONE; LEAT_NOT_FOUND; LEAT_FORKED; LEAT_INVALID (both times).
 * Order:    the call happens-before the handler's next run.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_reschedule(struct leat_engine *engine, leat_job_id id,
                                                         struct leat_when when);

/* Gives a job that waits another priority, 0 to leat_priority_levels() - 1. leat_get() and the
 * handler's leat_run_priority() show it. A job that waits for a time has it when that comes. One
 * that is PENDING is SCHEDULED until its turn at its old priority comes, and then goes behind the
 * others of the new one: so it can be put behind those that are less urgent, but does not overtake
 * those in front of it.
 * Threads, Progress, Allocates, Waits, Returns, Order: as leat_reschedule(); LEAT_INVALID: the
 *           priority, or another one than that of its queue, where that has LEAT_ORDER_EXACT.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_priority_set(struct leat_engine *engine,
                                                           leat_job_id id, uint32_t priority);

/* How urgent a number is elsewhere: from `least` to `most`, whichever of both is larger. */
struct leat_priority_scale {
    int32_t least;
    int32_t most;
};

/* The priority that a number of another scale stands for, as near as there are levels: of {1, 10}
 * 10 is CRITICAL, and 5 is NORMAL where there are 8. Beyond the ends it is that of the end; of a
 * scale with one number, the middle one. An order by each number is LEAT_ORDER_EXACT. */
static inline uint32_t
leat_priority_of(struct leat_priority_scale scale, int32_t number)
{
    int64_t least = (int64_t)leat_priority_levels() - 1;
    int64_t span = (int64_t)scale.most - scale.least;
    int64_t rest = (int64_t)scale.most - number; /* from the most urgent one, as far as span */
    if (span == 0) {
        return (uint32_t)((least + 1) / 2);
    }
    rest = span < 0 ? -rest : rest;
    span = span < 0 ? -span : span;
    rest = rest < 0 ? 0 : rest > span ? span : rest;
    return (uint32_t)((2 * rest * least + span) / (2 * span));
}

/* ---- jobs that wait for others --------------------------------------------------------------
 *
 * A job that names parents (leat_job_options.parents) is BLOCKED until all of them have ended; then
 * it goes on as if it was submitted at that moment: its delay counts from there. One that ends
 * otherwise than COMPLETED is a failed one, of which leat_job_options.parent_policy says what then.
 * - Parents are jobs that were submitted before, so there is no cycle; a whole graph comes by
 *   leat_submit_graph(). One that has ended counts at once, as long as its record is there; behind
 *   that it is LEAT_GONE, and nothing is submitted. Named twice, it is one.
 * - All else of the submit takes effect at once: its record, the room in its queue, unless it has a
 *   delay, its name and unique key, its expiry. So the end of a parent cannot fail to release it,
 *   however full all is.
 * - It can be cancelled, purged and waited for as any; not rescheduled, nor given another priority
 *   (LEAT_WRONG_STATE). What is cancelled so keeps its record until its parents have ended.
 * - Children of one parent are released in the order in which they were submitted, those of one
 *   leat_submit_graph() in that of its edges, by the thread that ended it; so are those that a
 *   failure cancels, with all that wait for them.
 * - The record of a parent, and its result, stay until its children have ended, and count against
 *   jobs_max meanwhile. It keeps a result that is set while it has a child, also without
 *   LEAT_JOB_KEEP_RESULT.
 * - A job that is brought back from the dead does not wait for its parents again, and they may be
 *   gone.
 * A job costs nothing more if it has neither parents nor children; with them about 100 bytes, and
 * 32 for each parent.
 */

/* Copies the ids of a job's parents, at most `capacity`, in the order of its options, those of
 * leat_submit_graph() last. `ids` may be NULL.
 * Threads:  the handler's own, until it returns.    Progress: wait-free.
 * Returns:  how many there are.  */
LEAT_API uint32_t leat_run_parents(const struct leat_run *run, leat_job_id *ids, uint32_t capacity);

/* Copies the result of parent `number`: leat_result() of its id. A parent without one has 0 bytes.
 * Threads:  the handler's own, until it returns.    Progress: as leat_result().
 * Returns:  LEAT_OK and *bytes (may be NULL); LEAT_FULL (capacity is less than *bytes, which is
 *           set); LEAT_GONE (only where the job was brought back from the dead); LEAT_WRONG_STATE
 *           (the parent was, and has not ended anew); LEAT_BUSY (239 threads look at it: try
 *           again); LEAT_INVALID (no such one).  */
LEAT_API LEAT_NODISCARD enum leat_status leat_run_parent_result(const struct leat_run *run,
                                                                uint32_t number, void *buffer,
                                                                size_t capacity, size_t *bytes);

/* Of two jobs of one call, by their places in its array: the child waits for the parent. */
struct leat_graph_edge {
    uint32_t parent;
    uint32_t child;
};

struct leat_graph {
    uint32_t size;
    uint32_t version;
    const struct leat_job *jobs; /* borrowed, as are the arrays */
    size_t count;
    const struct leat_graph_edge *edges;
    size_t edges_count;
    enum leat_status *statuses; /* room for count, or NULL */
};

static inline struct leat_graph
leat_graph_default(void)
{
    struct leat_graph graph;
    memset(&graph, 0, sizeof(graph));
    graph.size = (uint32_t)sizeof(graph);
    graph.version = LEAT_STRUCT_VERSION;
    return graph;
}

/* Adds all jobs of a graph, or none, as leat_submit_batch() with LEAT_BATCH_ALL_OR_NONE does; each
 * may have parents of its own beside. `ids` (may be NULL) has room for all. `error` (may be NULL)
 * names an edge that cannot be: to a job that is not there, or itself; that is there before; or one
 * of a cycle.
 * Threads:  any.      Progress: as leat_submit().    Copies jobs, payloads and edges.
 * Returns:  as leat_submit_batch(); LEAT_INVALID also for such an edge, or more than 65 535 to one
 *           child; LEAT_UNSUPPORTED also where jobs run inline.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_submit_graph(struct leat_engine *engine,
                                                           const struct leat_graph *graph,
                                                           leat_job_id *ids,
                                                           struct leat_error *error);

/* The same for jobs of which each waits for the one before it.
 * Threads, Progress, Returns: as leat_submit_graph().  */
LEAT_API LEAT_NODISCARD enum leat_status leat_submit_chain(struct leat_engine *engine,
                                                           const struct leat_job *jobs,
                                                           size_t count, leat_job_id *ids);

/* ---- cohorts --------------------------------------------------------------------------------
 *
 * Jobs that are watched together: elsewhere a batch with callbacks. A cohort is a job of its own,
 * with an id, that no handler runs: it is BLOCKED until it is closed and its members have ended.
 * It ends COMPLETED if all of them have, else CANCELLED; so leat_wait(), leat_get() and the
 * parents of other jobs may name it. A member is a job with its id in leat_job_options.cohort;
 * handlers submit members as anyone does, until it has ended: by then its own job is one.
 */

#define LEAT_COHORT_TYPE "leat.cohort"

struct leat_cohort_options {
    uint32_t size;
    uint32_t version;
    /* Jobs that run when it has come to that; copied, with their options. Each has its record, and
     * its room, from the beginning on, so it comes whatever is full by then; and is retried as any.
     * What does not come to pass CANCELs its job. NULL: none. */
    const struct leat_job *on_success;  /* all members have COMPLETED */
    const struct leat_job *on_complete; /* all members have ended */
    const struct leat_job *on_death;    /* the first one is DEAD; at once */
    uint32_t flags; /* LEAT_JOB_KEEP_RESULT: its record stays until leat_release() */
    /* An event, LEAT_EVENT_COHORT_PROGRESS, each time that so many members more have ended; 0:
     * none. It says how many have, and how many there are by then; those of two threads may change
     * places. How it ends is the event of its own job. */
    uint32_t progress_every;
    /* Of it and its callbacks, whatever these say. Its members have to be durable if it is, and not
     * if it is not. */
    enum leat_durability durability;
    uint32_t reserved; /* 0 */
};

static inline struct leat_cohort_options
leat_cohort_options_default(void)
{
    struct leat_cohort_options options;
    memset(&options, 0, sizeof(options));
    options.size = (uint32_t)sizeof(options);
    options.version = LEAT_STRUCT_VERSION;
    return options;
}

/* Opens a cohort. `options` may be NULL.
 * Threads:  any.      Progress: as leat_submit(); the first one of an engine takes the mutex of a
 *           name that is new, and those that come meanwhile wait for it.    Copies options.
 * Waits:    for the disk, where it is durable: see "durable jobs".
 * Returns:  LEAT_OK and *cohort; else as leat_submit_batch().  */
LEAT_API LEAT_NODISCARD enum leat_status leat_cohort_open(struct leat_engine *engine,
                                                          const struct leat_cohort_options *options,
                                                          leat_job_id *cohort);

/* From now on the cohort ends with its last member; without one, at once.
 * Threads:  any.      Progress: lock-free; of a durable one BLOCKING.
 * Waits:    for the disk, where it is durable: then also LEAT_LOG_FAILED, LEAT_NO_SPACE.
 * Returns:  LEAT_OK; LEAT_WRONG_STATE (closed before; no cohort); LEAT_GONE; LEAT_NOT_FOUND;
 *           LEAT_BUSY; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_cohort_close(struct leat_engine *engine,
                                                           leat_job_id cohort);

struct leat_cohort_info {
    uint32_t size;
    uint32_t version;
    enum leat_job_state state; /* of its job */
    bool open;
    uint64_t total; /* members so far */
    uint64_t completed;
    uint64_t dead; /* one that is brought back stays counted so */
    uint64_t cancelled;
};

static inline struct leat_cohort_info
leat_cohort_info_default(void)
{
    struct leat_cohort_info info;
    memset(&info, 0, sizeof(info));
    info.size = (uint32_t)sizeof(info);
    info.version = LEAT_STRUCT_VERSION;
    return info;
}

/* How far it is: each number exact for some moment during the call.
 * Threads:  any.      Progress: lock-free.
 * Returns:  LEAT_OK; LEAT_WRONG_STATE (no cohort); LEAT_GONE; LEAT_NOT_FOUND; LEAT_BUSY;
 *           LEAT_UNSUPPORTED (a newer struct); LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_cohort_get(struct leat_engine *engine, leat_job_id cohort, struct leat_cohort_info *info);

/* The cohort of which the running job is a member; 0: none.
 * Threads:  the handler's own, until it returns.    Progress: wait-free.  */
LEAT_API leat_job_id leat_run_cohort(const struct leat_run *run);

/* ---- jobs by their own names ----------------------------------------------------------------
 *
 * A name is its job's until the job has ended; then it may be given to another one. Until that is
 * done, and while the ended job's record is kept or retained, it still finds the ended job. That
 * may be over earlier where several jobs ask at once and are refused, for whatever reason (a batch,
 * all or none; a graph): then it finds none; and where a dead job that had it asks to come back,
 * and is refused: then it may find that one. Each leat_x_by_name() finds the id and calls leat_x()
 * with it. If between these two the job ends and its name is given to another, the call is about
 * the one that was found, as ids are never used again: it cannot meet the other one.
 */

/* The job of that name.
 * Threads:  any.      Progress: wait-free by argument once the thread is attached, but for other
 *           names that the table puts into the same place.
 * Returns:  LEAT_OK and *id; LEAT_NOT_FOUND (no job has it, or its record is gone); LEAT_FORKED;
 *           LEAT_INVALID (NULL).  */
LEAT_API LEAT_NODISCARD enum leat_status leat_job_find(struct leat_engine *engine, const char *name,
                                                       leat_job_id *id);

/* The name of a job, NUL-terminated; "" where it has none. 129 bytes are enough for all.
 * Threads:  any.      Progress: lock-free.
 * Returns:  LEAT_OK; LEAT_FULL (capacity is too small); LEAT_GONE; LEAT_NOT_FOUND; LEAT_BUSY (239
 *           callers look at this one job); LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_job_name(struct leat_engine *engine, leat_job_id id,
                                                       char *name, size_t capacity);

/* As the function of that name with an id; LEAT_NOT_FOUND, LEAT_INVALID: of the name, too. */
static inline LEAT_NODISCARD enum leat_status
leat_get_by_name(struct leat_engine *engine, const char *name, struct leat_job_info *info)
{
    leat_job_id id;
    enum leat_status status = leat_job_find(engine, name, &id);
    return status == LEAT_OK ? leat_get(engine, id, info) : status;
}

static inline LEAT_NODISCARD enum leat_status
leat_wait_by_name(struct leat_engine *engine, const char *name, uint64_t timeout_ns,
                  struct leat_job_info *info)
{
    leat_job_id id;
    enum leat_status status = leat_job_find(engine, name, &id);
    return status == LEAT_OK ? leat_wait(engine, id, timeout_ns, info) : status;
}

static inline LEAT_NODISCARD enum leat_status
leat_result_by_name(struct leat_engine *engine, const char *name, void *buffer, size_t capacity,
                    size_t *bytes)
{
    leat_job_id id;
    enum leat_status status = leat_job_find(engine, name, &id);
    return status == LEAT_OK ? leat_result(engine, id, buffer, capacity, bytes) : status;
}

static inline LEAT_NODISCARD enum leat_status
leat_release_by_name(struct leat_engine *engine, const char *name)
{
    leat_job_id id;
    enum leat_status status = leat_job_find(engine, name, &id);
    return status == LEAT_OK ? leat_release(engine, id) : status;
}

static inline LEAT_NODISCARD enum leat_status
leat_cancel_by_name(struct leat_engine *engine, const char *name)
{
    leat_job_id id;
    enum leat_status status = leat_job_find(engine, name, &id);
    return status == LEAT_OK ? leat_cancel(engine, id) : status;
}

static inline LEAT_NODISCARD enum leat_status
leat_reschedule_by_name(struct leat_engine *engine, const char *name, struct leat_when when)
{
    leat_job_id id;
    enum leat_status status = leat_job_find(engine, name, &id);
    return status == LEAT_OK ? leat_reschedule(engine, id, when) : status;
}

static inline LEAT_NODISCARD enum leat_status
leat_priority_set_by_name(struct leat_engine *engine, const char *name, uint32_t priority)
{
    leat_job_id id;
    enum leat_status status = leat_job_find(engine, name, &id);
    return status == LEAT_OK ? leat_priority_set(engine, id, priority) : status;
}

/* ---- tags ----------------------------------------------------------------------------------- */

struct leat_tag {
    char text[LEAT_TAG_BYTES_MAX + 1];
};

/* The tags of the job that runs, borrowed until the handler returns; NULL if there are none.
 * Threads:  the handler's own.    Progress: wait-free.  */
LEAT_API const struct leat_tag *leat_run_tags(const struct leat_run *run, uint32_t *count);

/* Copies the tags of a job, at most `capacity`. *count is how many it has.
 * Threads:  any.      Progress: lock-free.
 * Returns:  LEAT_OK; LEAT_GONE; LEAT_NOT_FOUND; LEAT_BUSY (239 callers look at this one job);
 *           LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_job_tags(struct leat_engine *engine, leat_job_id id,
                                                       struct leat_tag *tags, uint32_t capacity,
                                                       uint32_t *count);

/* As leat_job_tags(); LEAT_NOT_FOUND, LEAT_INVALID: of the name, too. */
static inline LEAT_NODISCARD enum leat_status
leat_job_tags_by_name(struct leat_engine *engine, const char *name, struct leat_tag *tags,
                      uint32_t capacity, uint32_t *count)
{
    leat_job_id id;
    enum leat_status status = leat_job_find(engine, name, &id);
    return status == LEAT_OK ? leat_job_tags(engine, id, tags, capacity, count) : status;
}

/* Where a list by tag goes on. Begins as {tag, 0}. */
struct leat_tag_cursor {
    const char *tag; /* borrowed by each call */
    uint64_t next;
};

/* Lists jobs with the tag, those whose record is there: live, kept and retained ones; and moves the
 * cursor. Fewer than `capacity`: there are no more. A job that is there from the first call to the
 * last comes once; one that comes or goes meanwhile, at most once. No index is kept: a look at each
 * record that is in use. Jobs that 239 callers look at are passed over.
 * Threads:  any.      Progress: lock-free by argument.
 * Returns:  LEAT_OK and *count; LEAT_FORKED; LEAT_INVALID (NULL, capacity 0, a tag that is none).
 */
LEAT_API LEAT_NODISCARD enum leat_status leat_tag_list(struct leat_engine *engine,
                                                       struct leat_tag_cursor *cursor,
                                                       leat_job_id *ids, size_t capacity,
                                                       size_t *count);

/* How many jobs leat_tag_list() would list.
 * Threads:  any.      Progress: lock-free by argument.
 * Returns:  LEAT_OK and *count; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_tag_count(struct leat_engine *engine, const char *tag,
                                                        uint64_t *count);
/* ---- jobs: list, search, count --------------------------------------------------------------
 *
 * A pass over all jobs whose record is there: live, kept and retained ones, dead letters too. It
 * comes in pages, each of which looks at some records, and no index is kept: what nobody asks for
 * costs nothing, and who asks stops nobody. A pass that is left off where it is needs no end.
 *
 * What a pass promises: a job that is there from the first page to the last, and fits all the time,
 * comes exactly once, wherever it goes meanwhile. One that comes, goes, or fits only for a while,
 * comes at most once; it fitted in the moment in which it was looked at, but for one that ended in
 * that very moment. Where a tag, a key, a name or a submitter is asked for, one is passed over at
 * which 239 callers look.
 *
 * Dead letters have a list of their own, leat_dead_list(): oldest first, and what is to be brought
 * back. Here they are jobs in state DEAD, in no order, as all others, and may be asked for by tag,
 * key and name.
 *
 * How long a job is in its state is not written down anywhere, as that would cost each job. It is
 * known of jobs that wait for their first attempt and are timed (leat_config.sample_interval; the
 * time counts from when they came due), and of others as far as anyone looked: since the first page
 * that found them so. So it is at most the truth, and short of it by no more
 * than the time between two passes that ask for it (leat_job_count(), and a list with
 * in_state_ns_min). One that left its state and came back between two looks, without an attempt in
 * between, was not seen to leave. From the first such page on 8 bytes are taken for each record.
 */

/* In leat_job_query.states; `|` puts them together. */
#define LEAT_STATE_MASK(state) (UINT32_C(1) << (state))

/* Which jobs: all for which each field that is not 0 fits; and where a pass is. */
struct leat_job_query {
    uint32_t size;
    uint32_t version;
    uint32_t states;     /* of LEAT_STATE_MASK() */
    uint32_t priorities; /* of 1 << priority */
    leat_type type;
    leat_queue queue;
    leat_tenant tenant; /* of its queue */
    uint32_t look_max;  /* records that a page looks at, at most; 0: 16 384 */
    const char *tag;    /* NULL: any; as key and name_prefix borrowed by each call */
    const void *key;    /* leat_job_options.key; NULL: any */
    size_t key_bytes;
    const char *name_prefix;  /* NULL: any; "": those that have a name */
    uint64_t in_state_ns_min; /* for at least so long in its state, as far as that is known */
    uint64_t cursor;          /* 0: a new pass. Each page moves it on; nothing else of it is said */
    bool more;                /* set by each page: there are records that this pass has not seen */
    leat_job_id submitter;    /* whose children; looked at as a tag is */
};

static inline struct leat_job_query
leat_job_query_default(void)
{
    struct leat_job_query query;
    memset(&query, 0, sizeof(query));
    query.size = (uint32_t)sizeof(query);
    query.version = LEAT_STRUCT_VERSION;
    return query;
}

/* A page of the jobs that fit, at most `capacity`; ends earlier where look_max records were looked
 * at. leat_get() tells more of each.
 * Threads:  any, each with a query of its own.    Progress: wait-free, but lock-free where a tag, a
 *           key or a name is asked for. Who stops inside for ever holds up nobody; but while
 *           it looks at one of these, the record of that job is not given back, and while it
 *           looks at a name, what waits for a grace period waits for it.
 * Allocates: see above; and where it was the last to look at a job that has ended, it frees that.
 * Returns:  LEAT_OK and *count; LEAT_NOT_FOUND (no such type, queue or tenant); LEAT_NO_MEMORY;
 *           LEAT_UNSUPPORTED (a newer struct); LEAT_FORKED; LEAT_INVALID (NULL, capacity 0, bits
 *           beyond the states or priorities, look_max above 2^26, a tag, key or name that is none).
 */
LEAT_API LEAT_NODISCARD enum leat_status leat_job_list(struct leat_engine *engine,
                                                       struct leat_job_query *query,
                                                       leat_job_id *ids, size_t capacity,
                                                       size_t *count);

/* Of some jobs: how many, and which is in its state for longest. */
struct leat_job_tally {
    uint64_t jobs;
    uint64_t in_state_ns_max;
    leat_job_id longest; /* 0 where jobs is */
};

/* A page of counting: adds the jobs that fit to counts[0], and those of each queue to
 * counts[queue.bits], as far as that is below `capacity`. So with all zero before the first page,
 * and states LEAT_STATE_MASK(LEAT_JOB_PENDING), they say behind the last one how many jobs wait and
 * for how long the oldest of them has, in the engine and in each queue.
 * Threads, Progress, Allocates, Returns: as leat_job_list().  */
LEAT_API LEAT_NODISCARD enum leat_status leat_job_count(struct leat_engine *engine,
                                                        struct leat_job_query *query,
                                                        struct leat_job_tally *counts,
                                                        size_t capacity);

/* ---- pull queues ----------------------------------------------------------------------------
 *
 * The jobs of a queue with the option `pull` are not run by workers. Consumers take them, each with
 * a lease: the right to end it within a time. A type without a handler will do. A job that is taken
 * is RUNNING, its attempt counts, and the handler's timeout has no say. What becomes of it:
 *
 *   leat_ack()            COMPLETED
 *   leat_nack()           the attempt has failed: RETRYING, or DEAD where it was the last one
 *   leat_lease_release()  waits again, in front; the attempt does not count
 *   the time is over      the attempt has failed, as one that was timed out: PENDING, behind the
 *                         others, or DEAD (LEAT_REASON_TIMEOUT)
 *
 * and each of them ends in CANCELLED where it was cancelled meanwhile, but for leat_ack(). Which
 * comes first is decided once. From then on the lease does not hold: LEAT_STALE; and LEAT_GONE when
 * the job has ended and its record is no longer there. A job has one lease that holds, at most.
 *
 * token.attempt is a fencing token: it grows from one lease of a job to the next. Its lower 32 bits
 * do, modulo 2^16, and those above with each open of the log; without one they are 0. The lease is
 * that of an attempt that is pending: leat_complete() and leat_pending_extend() take its token as
 * well.
 *
 * Leases end with their engine, however that ends, and a token of one is LEAT_STALE from then on. A
 * durable job that was leased waits again as if it had not been taken: the attempt does not count,
 * nor does quarantine_after count the crash, as consumers may be elsewhere and well. So a job whose
 * consumer crashes the process each time is leased again for as long as it does not expire.
 *
 * Priorities, delays, retries, waiting_max, cancel, reschedule and expiry are as for other jobs. A
 * pause, a running_max, and a rate of the queue hold; those of types, and a tenant's rate, do not.
 * leat_drain() waits for leases, not for what nobody has taken; leat_queue_drain() waits for both,
 * as it can still be taken; a stop waits for neither, and a lease's time goes on. With 0 workers
 * what is due (delays, leases that are over) comes when someone is in leat_run_some() or
 * leat_reserve().
 */

struct leat_reserve_options {
    uint32_t size;
    uint32_t version;
    leat_queue queue;
    uint32_t max;        /* leases at once; 1 or more (default 1) */
    uint64_t lease_ns;   /* by the BOOT clock, never less; 0: 5 minutes (default). Above 146 years:
                            that long */
    uint64_t timeout_ns; /* how long to wait for the first job; 0: not (default) */
    void *buffer;        /* for the payloads, aligned to 16; NULL with 0 bytes: jobs without */
    size_t buffer_bytes; /* payload_bytes_max of the engine is enough for each first job */
};

static inline struct leat_reserve_options
leat_reserve_options_default(void)
{
    struct leat_reserve_options options;
    memset(&options, 0, sizeof(options));
    options.size = (uint32_t)sizeof(options);
    options.version = LEAT_STRUCT_VERSION;
    options.max = 1;
    return options;
}

struct leat_lease {
    leat_job_id id;
    leat_token token;
    leat_type type;
    uint32_t priority;
    uint32_t attempt; /* this one; the first is 1 */
    uint32_t max_attempts;
    void *payload; /* in the caller's buffer, aligned to 16; NULL where there is none */
    size_t payload_bytes;
    uint64_t due_in_ns; /* what lease_ns came to */
};

/* Takes jobs of a pull queue, up to `max`: the most urgent first, and of those the oldest, or in
 * the queue's exact order; as many as there are, and whose payloads fit into the buffer one behind
 * the other. Waits for the first one if need be. `leases` has room for `max`. Payloads are copied,
 * so they stay the caller's when a lease is over.
 * Threads:  any; in a handler only with timeout_ns 0.    Progress: blocking, also without a wait:
 *           who is about to deal the jobs of a priority is waited for.    Allocates: no.
 * Returns:  LEAT_OK and *count >= 1; LEAT_EMPTY (timeout_ns 0); LEAT_TIMEOUT; LEAT_FULL (the next
 *           job's payload does not fit into the buffer); LEAT_CLOSED (draining or stopped, also
 *           while it waits); LEAT_WRONG_STATE (not started, or not a pull queue); LEAT_NOT_FOUND;
 *           LEAT_DEADLOCK; LEAT_UNSUPPORTED; LEAT_FORKED; LEAT_INVALID.
 * Order:    the submit happens-before the return.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_reserve(struct leat_engine *engine,
                                                      const struct leat_reserve_options *options,
                                                      struct leat_lease *leases, size_t *count);

/* The job is done. `result` (may be NULL with 0 bytes) is copied, where the job has
 * LEAT_JOB_KEEP_RESULT, or a child.
 * Threads:  any.      Progress: as leat_submit(); with a result, a lock of the allocator.
 * Returns:  LEAT_OK; LEAT_STALE; LEAT_GONE; LEAT_NOT_FOUND; LEAT_NO_MEMORY and LEAT_BUSY (as
 *           leat_complete()) and LEAT_WRONG_STATE (a result, and a token of a handler that has not
 *           returned): the lease holds; LEAT_FORKED; LEAT_INVALID (above the payload limit, too).
 * Order:    the call happens-before leat_wait() and leat_result() see the end.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_ack(struct leat_engine *engine, leat_token token,
                                                  const void *result, size_t result_bytes);

/* The attempt has failed. The next one is due after delay_ns; LEAT_DELAY_OF_POLICY: as its job
 * says, or its type, or by default. `error` (may be NULL) is copied.
 * Threads, Progress, Returns: as leat_complete().  */
LEAT_API LEAT_NODISCARD enum leat_status leat_nack(struct leat_engine *engine, leat_token token,
                                                   uint64_t delay_ns, const char *error);

/* The lease holds for at least lease_ns from now on (0: 5 minutes), and for no less than it did.
 * Threads, Progress, Returns: as leat_pending_extend().  */
LEAT_API LEAT_NODISCARD enum leat_status leat_extend(struct leat_engine *engine, leat_token token,
                                                     uint64_t lease_ns);

/* Gives the job back as if it had not been taken: it is SCHEDULED for a moment, and then waits in
 * front of the others of its priority.
 * Threads, Progress, Returns: as leat_complete().  */
LEAT_API LEAT_NODISCARD enum leat_status leat_lease_release(struct leat_engine *engine,
                                                            leat_token token);

/* ---- stores ---------------------------------------------------------------------------------
 *
 * Where jobs wait, as a table of functions: the pull queue of an engine is one such store, and a
 * program may bring its own, such as a database that several machines share. Who works through the
 * table does not know which one it is (examples/store.c).
 *
 * A lease of a store is what it is above: at most one holds at a time for each job, tokens of one
 * job grow, what is late is LEAT_STALE, or LEAT_GONE. Batches are many calls at once and not one:
 * each function answers LEAT_OK if all went well, else the first other status, and statuses[i] says
 * it of each (`statuses` may be NULL). They are called from any thread, several at once.
 */

struct leat_store_job {
    const char *type_name; /* 1 to 200 bytes; copied */
    const void *payload;   /* copied */
    size_t payload_bytes;
    uint64_t delay_ns;
    uint32_t priority;     /* 0 is most urgent */
    uint32_t max_attempts; /* 0: the store's default */
};

struct leat_store_take {
    size_t max;          /* 1 or more */
    uint64_t lease_ns;   /* 0: the store's default */
    uint64_t timeout_ns; /* how long to wait for the first job; 0: not */
    void *buffer;        /* for what the leases point to; aligned to 16 */
    size_t buffer_bytes;
};

struct leat_store_lease {
    leat_token token;
    const char *type_name; /* in the buffer, or the store's until it is closed */
    const void *payload;   /* in the buffer; NULL where there is none */
    size_t payload_bytes;
    uint32_t attempt; /* the first is 1 */
    uint32_t max_attempts;
};

struct leat_store_nack {
    leat_token token;
    uint64_t delay_ns; /* or LEAT_DELAY_OF_POLICY: the store's */
    const char *error; /* NULL: nothing */
};

struct leat_store {
    enum leat_status (*put_batch)(void *context, const struct leat_store_job *jobs, size_t count,
                                  enum leat_status *statuses);
    /* LEAT_OK and *count >= 1; LEAT_EMPTY, LEAT_TIMEOUT, LEAT_FULL (the first does not fit into the
     * buffer), LEAT_CLOSED. */
    enum leat_status (*take_batch)(void *context, const struct leat_store_take *what,
                                   struct leat_store_lease *leases, size_t *count);
    enum leat_status (*ack_batch)(void *context, const leat_token *tokens, size_t count,
                                  enum leat_status *statuses);
    enum leat_status (*nack_batch)(void *context, const struct leat_store_nack *nacks, size_t count,
                                   enum leat_status *statuses);
    /* At least so long from now on; 0: the store's default. */
    enum leat_status (*extend_batch)(void *context, const leat_token *tokens, size_t count,
                                     uint64_t lease_ns, enum leat_status *statuses);
    void (*close)(void *context); /* no other call is under way */
    void *context;
};

/* A pull queue as a store. Its defaults are those of leat_job, leat_reserve() and the types.
 * Threads:  any.      Progress: wait-free but for the allocator.
 * Returns:  LEAT_OK and *store, owned by the caller, given back by its close() before leat_close();
 *           LEAT_NOT_FOUND; LEAT_WRONG_STATE (not a pull queue); LEAT_NO_MEMORY; LEAT_FORKED;
 *           LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_queue_store(struct leat_engine *engine, leat_queue queue, struct leat_store *store);

/* ---- groups: fork and join ----------------------------------------------------------------- */

/* A group counts tasks that belong together, from leat_group_init() until leat_group_wait() has
 * answered that all have ended; then its memory may go, or be used again. It stands in the
 * caller's memory, such as the stack of the task that begins it, and needs no other.
 *
 * On a worker, tasks that are spawned stay with that worker, the newest first, and others take the
 * oldest when they have nothing to do; where there is no room (1024 wait) the task runs at once,
 * inside the spawn. On other threads they go through the ring of the middle priority.
 * Who begins a group on a worker waits for it in the same task. Tasks may spawn into their group,
 * and begin groups of their own; but into a group that was begun on a worker only the task that
 * began it spawns, and the tasks below that.
 * A worker that waits runs tasks meanwhile: its own, and then others', but only such as were
 * spawned in a longer chain of spawns than the waiting one. So on its stack there are at most as
 * many tasks as the longest chain of spawns has, as if each spawn were a call. */
struct leat_group {
    uint64_t inner[8]; /* the library's */
};

/* Begins a group.
 * Threads:  any.      Progress: wait-free.    Allocates: no.
 * Returns:  LEAT_OK; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_group_init(struct leat_group *group,
                                                         struct leat_engine *engine);

/* Runs function(argument) once, on any worker, unless the group is cancelled before.
 * Threads:  see above.    Progress: on a worker wait-free, but for the task where it runs at once;
 *           elsewhere as leat_post().    Allocates: no.
 * Returns:  LEAT_OK, always on a worker; elsewhere LEAT_FULL (the ring, or tasks_max), LEAT_CLOSED,
 *           LEAT_WRONG_STATE (it was begun on a worker); LEAT_FORKED; LEAT_INVALID.
 * Order:    the spawn happens-before the run, the run before leat_group_wait() answers.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_group_spawn(struct leat_group *group, leat_task_function function, void *argument);

/* Waits until all tasks of the group have ended, and helps: on a worker by running tasks, with
 * 0 workers as leat_run_some() does; another thread sleeps. The help may take longer than the
 * timeout.
 * Threads:  one at a time; on a worker only in the task that began it.    Progress: blocking.
 * Returns:  LEAT_OK (all have ended, or been passed over after a cancel); what leat_group_fail()
 *           said first; LEAT_TIMEOUT (the group goes on); LEAT_CLOSED (stopped; tasks that wait in
 *           a ring run after the next start, and need the group); LEAT_DEADLOCK (on a worker, but
 *           not where it was begun); LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_group_wait(struct leat_group *group,
                                                         uint64_t timeout_ns);

/* Tasks of the group that have not begun are passed over; those that run can ask. Groups that they
 * began themselves go on.
 * Threads:  any.      Progress: wait-free.
 * Returns:  LEAT_OK; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_group_cancel(struct leat_group *group);
/* Threads:  any.      Progress: wait-free.  */
LEAT_API bool leat_group_cancelled(const struct leat_group *group);

/* For a task that fails: cancels the group, and its wait answers `error`; the first one, if there
 * are several. Any status but LEAT_OK.
 * Threads:  any.      Progress: wait-free.
 * Returns:  LEAT_OK; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_group_fail(struct leat_group *group,
                                                         enum leat_status error);

typedef void (*leat_range_function)(size_t begin, size_t end, void *argument);

struct leat_range {
    size_t begin;
    size_t end;   /* one past the last */
    size_t grain; /* pieces are not cut below this; 0: chosen */
};

/* Runs function(begin, end) over pieces of the range, each less than twice the grain, and waits for
 * all of them. A worker goes on by itself as long as nobody takes what it offers.
 * Threads:  any; on a worker it takes part.    Progress: blocking.    Allocates: no.
 * Returns:  LEAT_OK (all done); where nothing was done: LEAT_FULL, LEAT_CLOSED (both never on a
 *           worker); LEAT_FORKED; LEAT_INVALID (begin > end; a NULL).  */
LEAT_API LEAT_NODISCARD enum leat_status leat_parallel_for(struct leat_engine *engine,
                                                           const struct leat_range *range,
                                                           leat_range_function function,
                                                           void *argument);

/* ---- jobs that failed ----------------------------------------------------------------------
 *
 * Of a job with an attempt that failed the last 8 attempts are kept, also of those that follow; one
 * that succeeds at once has none. They go with its record.
 * A job that ended DEAD is a dead letter: kept for who runs the program, as leat_config.dead_max
 * and dead_age_ns say, with its payload, until it is brought back or deleted.
 */

#define LEAT_ATTEMPTS_KEPT 8
/* worker of an attempt that leat_complete(), or its time, ended. */
#define LEAT_WORKER_OUTSIDE UINT32_MAX

struct leat_attempt_info {
    uint32_t size;
    uint32_t version;
    uint32_t attempt;               /* its number, as leat_run_attempt() says it */
    uint32_t worker;                /* or LEAT_WORKER_OUTSIDE */
    enum leat_outcome_kind outcome; /* what was answered; RETRY where it was timed out */
    bool timed_out;
    uint64_t ended_unix_ns;
    /* When it began and how long it took: known of attempts behind one that failed, and of those
     * that are timed (leat_config.sample_interval, with the system's clock), where their handler
     * ended them. Of others no clock was read when they began, and both are 0. The first is what
     * the WALL clock said at the end, less the second. */
    uint64_t started_unix_ns;
    uint64_t duration_ns;
    char error[256]; /* what was said of it, or "" */
};

static inline struct leat_attempt_info
leat_attempt_info_default(void)
{
    struct leat_attempt_info info;
    memset(&info, 0, sizeof(info));
    info.size = (uint32_t)sizeof(info);
    info.version = LEAT_STRUCT_VERSION;
    return info;
}

/* The last attempts of a job, oldest first: those kept, at most `capacity`, then the newest.
 * infos[0] says the size of all. An attempt for which there was no memory is left out.
 * Threads:  any.      Progress: blocking (a mutex of the job, held for a copy).
 * Returns:  LEAT_OK and *count, 0 where none failed; LEAT_GONE; LEAT_NOT_FOUND; LEAT_BUSY (239
 *           callers look at this job); LEAT_UNSUPPORTED (a newer struct); LEAT_FORKED;
 *           LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_job_attempts(struct leat_engine *engine,
                                                           leat_job_id id,
                                                           struct leat_attempt_info *infos,
                                                           size_t capacity, size_t *count);

/* Which dead letters: all for which each field that is not 0 fits. */
struct leat_dead_query {
    uint32_t size;
    uint32_t version;
    leat_type type;
    leat_queue queue;
    enum leat_reason reason;
    uint64_t cursor; /* from where on; 0: the oldest one. leat_dead_list() moves it on */
};

static inline struct leat_dead_query
leat_dead_query_default(void)
{
    struct leat_dead_query query;
    memset(&query, 0, sizeof(query));
    query.size = (uint32_t)sizeof(query);
    query.version = LEAT_STRUCT_VERSION;
    return query;
}

/* Lists dead letters from query->cursor on, oldest first, at most `capacity`, and moves the cursor
 * behind them. Fewer than `capacity`: there were no more; one that ended a moment ago
 * may come yet. leat_get(), leat_job_attempts() and leat_job_payload() tell more of each. One at
 * which 239 callers look is passed over.
 * Threads:  any.      Progress: lock-free by a model.    Allocates: no.
 * Returns:  LEAT_OK and *count; LEAT_UNSUPPORTED (a newer struct); LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_dead_list(struct leat_engine *engine,
                                                        struct leat_dead_query *query,
                                                        leat_job_id *ids, size_t capacity,
                                                        size_t *count);

/* Copies the payload of a dead letter, as its last handler left it: at most `capacity` bytes, all
 * or none. *bytes (may be NULL) is its size, set also with LEAT_FULL.
 * Threads:  any.      Progress: lock-free.
 * Returns:  LEAT_OK; LEAT_FULL (capacity is too small); LEAT_WRONG_STATE (not DEAD); LEAT_GONE;
 *           LEAT_NOT_FOUND; LEAT_BUSY (239 callers look at this job); LEAT_FORKED; LEAT_INVALID. */
LEAT_API LEAT_NODISCARD enum leat_status leat_job_payload(struct leat_engine *engine,
                                                          leat_job_id id, void *buffer,
                                                          size_t capacity, size_t *bytes);

/* Brings a dead letter back: the same job, under the same id, with its payload and all of its
 * attempts: leat_run_attempt() and leat_job_info.attempts begin at 1 again, as do its crashes
 * (leat_config.quarantine_after), and leat_job_attempts() shows the attempts before, too. It has no
 * expiry any more, and no completion queue: its end came there already. A limit of its queue
 * (waiting_max) does not refuse it.
 * Its name, and a unique key with LEAT_UNIQUE_UNTIL_FINISHED, it holds again; keys of the other
 * scopes stay as they are: it has begun, and its time goes on.
 * Threads:  any.      Progress: lock-free by a model; finds the letter by looking at all of them.
 * Returns:  LEAT_OK; LEAT_BUSY (another thread looks at it, or has it in hand: come again);
 *           LEAT_EXISTS (another job holds its name or unique key now); LEAT_NO_MEMORY (for these);
 *           LEAT_WRONG_STATE (no dead letter, or kept for its submitter only); LEAT_CLOSED;
 *           LEAT_GONE; LEAT_NOT_FOUND; LEAT_FORKED; LEAT_INVALID (both times).  */
LEAT_API LEAT_NODISCARD enum leat_status leat_dead_retry(struct leat_engine *engine, leat_job_id id,
                                                         struct leat_when when);
/* The same for all that a query (NULL: each) means, oldest first, of those that are there when the
 * call begins. *count (may be NULL): how many. Those of which leat_dead_retry() would say
 * LEAT_BUSY, LEAT_EXISTS or LEAT_NO_MEMORY stay.
 * Threads, Progress: as leat_dead_retry().
 * Returns:  LEAT_OK; LEAT_CLOSED (*count may be more than 0); LEAT_UNSUPPORTED (a newer struct);
 *           LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_dead_retry_all(struct leat_engine *engine,
                                                             const struct leat_dead_query *query,
                                                             struct leat_when when, size_t *count);

/* Deletes a dead letter, and all that a query (NULL: each) means. The record of one that was
 * submitted with LEAT_JOB_KEEP_RESULT stays until leat_release().
 * Threads:  any.      Progress: lock-free by a model; finds the letter by looking at all of them.
 * Returns:  as leat_dead_retry() and leat_dead_retry_all().  */
LEAT_API LEAT_NODISCARD enum leat_status leat_dead_delete(struct leat_engine *engine,
                                                          leat_job_id id);
LEAT_API LEAT_NODISCARD enum leat_status leat_dead_delete_all(struct leat_engine *engine,
                                                              const struct leat_dead_query *query,
                                                              size_t *count);

/* As the function of that name with an id; LEAT_NOT_FOUND, LEAT_INVALID: of the name, too. */
static inline LEAT_NODISCARD enum leat_status
leat_job_attempts_by_name(struct leat_engine *engine, const char *name,
                          struct leat_attempt_info *infos, size_t capacity, size_t *count)
{
    leat_job_id id;
    enum leat_status status = leat_job_find(engine, name, &id);
    return status == LEAT_OK ? leat_job_attempts(engine, id, infos, capacity, count) : status;
}

static inline LEAT_NODISCARD enum leat_status
leat_job_payload_by_name(struct leat_engine *engine, const char *name, void *buffer,
                         size_t capacity, size_t *bytes)
{
    leat_job_id id;
    enum leat_status status = leat_job_find(engine, name, &id);
    return status == LEAT_OK ? leat_job_payload(engine, id, buffer, capacity, bytes) : status;
}

static inline LEAT_NODISCARD enum leat_status
leat_dead_retry_by_name(struct leat_engine *engine, const char *name, struct leat_when when)
{
    leat_job_id id;
    enum leat_status status = leat_job_find(engine, name, &id);
    return status == LEAT_OK ? leat_dead_retry(engine, id, when) : status;
}

static inline LEAT_NODISCARD enum leat_status
leat_dead_delete_by_name(struct leat_engine *engine, const char *name)
{
    leat_job_id id;
    enum leat_status status = leat_job_find(engine, name, &id);
    return status == LEAT_OK ? leat_dead_delete(engine, id) : status;
}

/* ---- schedules ------------------------------------------------------------------------------
 *
 * A schedule submits a copy of its job at each moment of a cron expression, in a time zone. It has
 * a name. docs/cron.md has the expressions, with examples around the changes of a clock, and all
 * rules about moments that were missed and about clocks that are set.
 *
 * Schedules fire while the engine is RUNNING, at the time of the system's clock (REALTIME). Moments
 * that pass while it is not are missed, and the schedule says what then. A job that a submit
 * refuses (LEAT_FULL, LEAT_NO_MEMORY) is submitted again, after 10 ms first and each second later,
 * until it is taken or its schedule's next moment has come: then it is missed.
 */

/* What happens at a moment at which the job before has not ended. */
enum leat_overlap {
    LEAT_OVERLAP_SKIP = 0, /* nothing (default); runs_overlapped counts it */
    LEAT_OVERLAP_QUEUE,    /* the job is submitted when the one before has ended */
    LEAT_OVERLAP_ALLOW     /* it is submitted all the same */
};

/* What becomes of missed moments: those that are more than a minute late, and those after which
 * another one has come already. */
enum leat_missed {
    LEAT_MISSED_ONE = 0, /* one job for all of them (default) */
    LEAT_MISSED_SKIP,    /* none */
    LEAT_MISSED_ALL      /* one each, up to runs_max */
};

struct leat_schedule {
    uint32_t size;
    uint32_t version;
    const char *spec; /* a cron expression, at most 512 bytes; copied */
    const char *zone; /* a name of tzdata, such as Europe/Berlin; NULL: UTC; copied */
    /* What it submits. Copied as by leat_submit(): payload and names are the caller's again; a
     * completion queue is borrowed until the schedule is removed or changed. A job with
     * LEAT_JOB_KEEP_RESULT is kept each time. Its options are copied, too, and count from each
     * submit on; they have no parents and no cohort. Where its unique key is held, and another job
     * stands for it (LEAT_JOINED), that moment is counted in runs_overlapped. */
    const struct leat_job *job;
    enum leat_overlap overlap;
    enum leat_missed missed;
    uint32_t runs_max; /* jobs that wait to be submitted, those beyond are missed: 1 to 1 000
                          (default 100) */
    bool paused;       /* from the beginning */
    /* When add() and change() begin to count. 0: now. A moment in the past, such as that of the
     * last job in a run of the program before: what lies between is missed. A later one counts as
     * now. */
    uint64_t since_unix_ns;
};

static inline struct leat_schedule
leat_schedule_default(void)
{
    struct leat_schedule schedule;
    memset(&schedule, 0, sizeof(schedule));
    schedule.size = (uint32_t)sizeof(schedule);
    schedule.version = LEAT_STRUCT_VERSION;
    schedule.runs_max = 100;
    return schedule;
}

/* Adds a schedule. Names as for types. `error` (may be NULL) says what was refused: in the spec by
 * line and column.
 * Threads:  any.      Progress: blocking (a mutex; a zone's file).    Copies name and schedule.
 * Returns:  LEAT_OK; LEAT_EXISTS; LEAT_FULL (schedules_max; types_max or queues_max where the job
 *           has a new name); LEAT_NO_MEMORY; LEAT_NOT_FOUND (no such zone; a handle of no type or
 *           queue); LEAT_SYSTEM (a zone's file cannot be read); LEAT_CLOSED (the job has a new
 *           name, and the engine is draining or stopped); LEAT_UNSUPPORTED; LEAT_FORKED;
 *           LEAT_INVALID. With a log LEAT_NO_SPACE (nothing changed); LEAT_LOG_FAILED.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_schedule_add(struct leat_engine *engine,
                                                           const char *name,
                                                           const struct leat_schedule *schedule,
                                                           struct leat_error *error);

/* Puts another schedule in the place of the one of that name. The last job, the counters, and
 * whether it is paused stay; what it had not submitted yet is missed.
 * Threads:  any.      Progress: blocking (a mutex; a zone's file).    Copies schedule.
 * Returns:  LEAT_OK; LEAT_NOT_FOUND (no such schedule, too); LEAT_NO_SPACE (done, in memory only);
 *           else as leat_schedule_add().  */
LEAT_API LEAT_NODISCARD enum leat_status leat_schedule_change(struct leat_engine *engine,
                                                              const char *name,
                                                              const struct leat_schedule *schedule,
                                                              struct leat_error *error);

/* Removes it. Jobs that it submitted go on; it submits none once this has returned.
 * Threads:  any.      Progress: blocking (a mutex).
 * Returns:  LEAT_OK; LEAT_NOT_FOUND; LEAT_FORKED; LEAT_INVALID. With a log LEAT_NO_SPACE,
 *           LEAT_LOG_FAILED: done, in memory only.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_schedule_remove(struct leat_engine *engine,
                                                              const char *name);

/* Pauses it: it submits nothing once this has returned, and what it had not submitted yet is
 * missed. Resumes it: with the first moment from now on; those that passed meanwhile are neither
 * made up for nor counted. Paused twice is paused once.
 * Threads, Progress, Returns: as leat_schedule_remove().  */
LEAT_API LEAT_NODISCARD enum leat_status leat_schedule_pause(struct leat_engine *engine,
                                                             const char *name);
LEAT_API LEAT_NODISCARD enum leat_status leat_schedule_resume(struct leat_engine *engine,
                                                              const char *name);

struct leat_schedule_info {
    uint32_t size;
    uint32_t version;
    char name[208];
    char spec[520];
    char zone[64]; /* "UTC" where none was given */
    leat_type type;
    leat_queue queue;
    enum leat_overlap overlap;
    enum leat_missed missed;
    uint32_t runs_max;
    uint32_t owed; /* jobs that wait to be submitted */
    bool paused;
    uint64_t next_unix_ns;           /* the next moment; 0: none, or paused */
    uint64_t last_unix_ns;           /* when the last job was submitted; 0: none yet */
    leat_job_id last_job;            /* 0: none yet */
    uint64_t runs;                   /* jobs submitted */
    uint64_t runs_missed;            /* moments without a job of their own, as missed says; of one
                                        gap at most the first 1 000 are counted */
    uint64_t runs_overlapped;        /* moments left out by LEAT_OVERLAP_SKIP, or LEAT_JOINED */
    uint64_t refusals;               /* submits that were refused, each repetition too */
    enum leat_status refusal_status; /* of the last one; LEAT_OK: none yet */
};

static inline struct leat_schedule_info
leat_schedule_info_default(void)
{
    struct leat_schedule_info info;
    memset(&info, 0, sizeof(info));
    info.size = (uint32_t)sizeof(info);
    info.version = LEAT_STRUCT_VERSION;
    return info;
}

/* Threads:  any.      Progress: blocking (a mutex).
 * Returns:  LEAT_OK; LEAT_NOT_FOUND; LEAT_UNSUPPORTED (a newer struct); LEAT_FORKED;
 *           LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_schedule_get(struct leat_engine *engine, const char *name, struct leat_schedule_info *info);

/* Lists schedules by name, those behind `after` (NULL: from the first one; it need not exist), at
 * most `capacity`. Fewer than that: there are no more. infos[0] says the size of all.
 * Threads:  any.      Progress: blocking (a mutex).
 * Returns:  LEAT_OK and *count; LEAT_UNSUPPORTED (a newer struct); LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_schedule_list(struct leat_engine *engine,
                                                            const char *after,
                                                            struct leat_schedule_info *infos,
                                                            size_t capacity, size_t *count);

/* The next moments of a schedule, ascending; of a paused one those that it would have if it were
 * resumed now. Fewer than `capacity`, 1 to 1 000: there are no more until the year 2554.
 * Threads:  any.      Progress: blocking (a mutex).
 * Returns:  LEAT_OK and *count; LEAT_NOT_FOUND; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_schedule_next(struct leat_engine *engine,
                                                            const char *name,
                                                            uint64_t *moments_unix_ns,
                                                            size_t capacity, size_t *count);

/* ---- threads lent by the host -------------------------------------------------------------- */

/* Runs waiting tasks and jobs in the calling thread, at most `budget`, until none waits. For
 * engines with 0 workers.
 * Threads:  up to lenders_max at once, outside handlers.    Progress: as the work it runs.
 * Returns:  LEAT_OK and *ran (may be NULL) >= 1; LEAT_EMPTY (none waited); LEAT_BUSY (lenders_max
 *           threads are inside); LEAT_WRONG_STATE (not started, or it has workers); LEAT_CLOSED
 *           (stopped); LEAT_DEADLOCK; LEAT_FORKED; LEAT_INVALID (budget 0).  */
LEAT_API LEAT_NODISCARD enum leat_status leat_run_some(struct leat_engine *engine, size_t budget,
                                                       size_t *ran);

/* When to come back at the latest: nanoseconds from now, 0 if work waits or is due, LEAT_FOREVER if
 * nothing is going to be due.
 * Threads:  any.      Progress: wait-free.
 * Returns:  LEAT_OK; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_next_due(struct leat_engine *engine,
                                                       uint64_t *delay_ns);

/* The host's clock (leat_config.clock) has moved on, or was set: what has come due by it is brought
 * to the workers, or for the next leat_run_some(). Not needed with the system's clock.
 * Threads:  any.      Progress: as leat_submit(), by argument.
 * Returns:  LEAT_OK; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_clock_changed(struct leat_engine *engine);

/* ---- completion queue ----------------------------------------------------------------------
 *
 * For a host with an event loop: a ring of ended jobs with a descriptor that turns readable when
 * there is something to take. A job that names a queue (leat_job.completions) has one of its slots
 * from its submit until its completion is taken, so every end finds a place, however slow the host
 * is. Each such job that a submit accepted comes exactly once, unless the engine is closed before
 * its end. A completion is there before a drain says that the job has ended, but for a
 * leat_cancel() that has not come back yet.
 * Queues that are left when the engine is closed are destroyed by leat_close().
 */

enum leat_completion_kind {
    LEAT_COMPLETION_END = 0,     /* of a job, by leat_job.completions */
    LEAT_COMPLETION_ACKNOWLEDGED /* of a submit, by leat_job_options.acknowledgements */
};

struct leat_completion {
    leat_job_id id; /* its record is there if the job is kept or retained */
    enum leat_job_state state;
    enum leat_reason reason;
    void *user; /* of the leat_job */
    enum leat_completion_kind kind;
    enum leat_status status; /* ACKNOWLEDGED: what a submit that waits would have answered, LEAT_OK
                                or LEAT_JOINED with that id; else there is no job, and `state` is
                                0. END: LEAT_OK */
};

/* Creates a queue for `slots` jobs, 1 to 2^20.
 * Threads:  any.      Progress: blocking (system calls).    Allocates: maps 56 to 88 bytes a slot.
 * Returns:  LEAT_OK and *queue, owned by the caller, given back by leat_completion_queue_destroy()
 *           or leat_close(); LEAT_FULL (256 queues); LEAT_NO_MEMORY; LEAT_REFUSED (no descriptor
 *           is left, or mlock); LEAT_SYSTEM; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_completion_queue_create(struct leat_engine *engine, uint32_t slots,
                             struct leat_completion_queue **queue);

/* The descriptor to wait for (poll, epoll, level or edge triggered): readable while there is
 * something to take, and now and then once for nothing. It never blocks and closes on exec. Only
 * wait for it: take() reads it.
 * Threads:  any.      Progress: wait-free.
 * Returns:  LEAT_OK and *descriptor, borrowed until the queue is destroyed; LEAT_FORKED;
 *           LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_completion_queue_descriptor(struct leat_completion_queue *queue, int *descriptor);

/* Takes up to `capacity` completions, of one worker's jobs in the order of their ends. Fewer than
 * `capacity`: there were no more, and the descriptor turns readable with the next one (edge
 * triggered, too); exactly `capacity`: come again, it may stay as it is.
 * Threads:  any, several at once.    Progress: blocking for who waits at the descriptor: who stops
 *           inside may have taken along what would have made it readable, until the next take.
 *           Lock-free for who takes without waiting.
 * Returns:  LEAT_OK and *taken >= 1; LEAT_EMPTY; LEAT_FORKED; LEAT_INVALID.
 * Order:    what the handler and leat_complete() did happens-before the take.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_completion_queue_take(struct leat_completion_queue *queue, struct leat_completion *items,
                           size_t capacity, size_t *taken);

/* Frees a queue and closes its descriptor. Completions not taken are dropped. No other thread may
 * be in a call on the queue, or begin one, or submit a job that names it.
 * Threads:  any, handlers included, outside read sections of liburcu-bp.    Progress: blocking.
 * Takes queue.
 * Returns:  LEAT_OK; LEAT_BUSY (jobs that name it have not ended: cancel them, or wait, or close
 *           the engine); LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_completion_queue_destroy(struct leat_completion_queue *queue);

/* ---- statistics ---------------------------------------------------------------------------- */

/* Of a histogram with at most 3.2 % error. All 0 where nothing was sampled. */
struct leat_latency {
    uint64_t samples;
    uint64_t sum_ns;
    uint64_t min_ns;
    uint64_t p50_ns;
    uint64_t p90_ns;
    uint64_t p99_ns;
    uint64_t p999_ns;
    uint64_t p9999_ns;
    uint64_t max_ns;
};

struct leat_statistics {
    uint32_t size;
    uint32_t version;
    uint32_t workers; /* places: workers_max, or lenders_max where there are none */
    uint32_t workers_parked;
    uint64_t tasks_run;      /* begun */
    uint64_t jobs_run;       /* attempts begun */
    uint64_t jobs_submitted; /* accepted */
    uint64_t jobs_completed;
    uint64_t jobs_dead;
    uint64_t jobs_cancelled;
    uint64_t jobs_retried; /* attempts that failed and were followed by another */
    uint64_t jobs_waiting; /* for a worker, at this moment; approximate while the engine runs */
    uint64_t jobs_running; /* handlers, and pending completions */
    uint64_t tasks_waiting;
    uint64_t dead_dropped; /* dead letters beyond dead_max, or dead_age_ns */
    uint64_t parks;
    uint64_t wakes;                 /* system calls made to wake a worker */
    struct leat_latency queue_wait; /* submit to start, sampled */
    struct leat_latency run_time;   /* of one attempt, sampled */
    uint32_t workers_active;        /* that are to work while it runs, see leat_workers_set() */
    uint32_t run_worker;            /* the one that has been in its handler for the longest time */
    uint64_t run_ns_max;     /* how long: its run_ns, see there; 0: run_worker says nothing */
    uint64_t jobs_scheduled; /* that are due later, snoozed ones among them; as jobs_waiting */
    uint64_t jobs_retrying;  /* that failed and are due again later; as jobs_waiting */
    uint64_t jobs_timed_out; /* attempts, pending ones too */
    uint64_t jobs_stuck;     /* of these, handlers that were told so and did not return within an
                                eighth of the timeout, or 1 ms; each counts once */
    uint64_t dead_letters;   /* kept at this moment */
    uint64_t dead_retried;   /* dead letters that were brought back; a job that dies again counts in
                                jobs_dead again */
    uint64_t jobs_blocked;   /* that wait for other jobs; as jobs_waiting */
    uint64_t events_dropped; /* beyond events_max */
    uint64_t steals;         /* takings of workers from the queue of another one */
    uint64_t at_ns;          /* when this was read, by a clock that only goes forward */
    uint64_t memory_bytes;   /* of the engine; 0 where leat_config.memory_max was 0 at open */
    uint64_t memory_max;     /* its cap at present; 0: none */
    uint64_t memory_refused; /* submits that found no memory below it, each try of one that waits */
};

static inline struct leat_statistics
leat_statistics_default(void)
{
    struct leat_statistics statistics;
    memset(&statistics, 0, sizeof(statistics));
    statistics.size = (uint32_t)sizeof(statistics);
    statistics.version = LEAT_STRUCT_VERSION;
    return statistics;
}

/* Fills `statistics` without stopping anything: each number is exact for some moment during the
 * call, not all for the same one. Exact together once the engine is drained or stopped.
 * Threads:  any.      Progress: wait-free.
 * Returns:  LEAT_OK; LEAT_UNSUPPORTED (a newer struct); LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_statistics_get(struct leat_engine *engine,
                                                             struct leat_statistics *statistics);

struct leat_worker_statistics {
    uint32_t size;
    uint32_t version;
    int32_t cpu; /* the CPU it is pinned to, or -1 */
    bool parked;
    bool running; /* has work in hand */
    uint64_t tasks_run;
    uint64_t jobs_run;
    uint64_t parks;
    uint64_t wakes; /* of others, by this worker */
    /* How long it has been in the task or handler that it runs, as far as anyone looked: since the
     * first call of this function, or of leat_statistics_get(), that found it there. At most the
     * truth, to a millisecond; 0: it runs nothing, or nothing that a call has seen before. */
    uint64_t run_ns;
    bool active;       /* it is to work while the engine runs, see leat_workers_set() */
    leat_job_id stuck; /* the job whose handler is stuck here at this moment; or 0 */
    uint64_t steals;   /* takings from the queue of another worker */
    struct leat_latency queue_wait; /* of what it ran, sampled */
    struct leat_latency run_time;
};

static inline struct leat_worker_statistics
leat_worker_statistics_default(void)
{
    struct leat_worker_statistics statistics;
    memset(&statistics, 0, sizeof(statistics));
    statistics.size = (uint32_t)sizeof(statistics);
    statistics.version = LEAT_STRUCT_VERSION;
    return statistics;
}

/* One worker, 0 .. leat_statistics.workers - 1.
 * Threads:  any.      Progress: wait-free.
 * Returns:  LEAT_OK; LEAT_NOT_FOUND (no such worker); LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_worker_statistics_get(struct leat_engine *engine, uint32_t worker,
                           struct leat_worker_statistics *statistics);

/* What is counted apart. */
enum leat_statistics_by { LEAT_BY_PRIORITY = 0, LEAT_BY_QUEUE, LEAT_BY_TYPE };

/* One more than the last enum leat_job_state. */
#define LEAT_JOB_STATES 9

/* Of one priority, queue or type. */
struct leat_statistics_row {
    uint32_t size;
    uint32_t version;
    enum leat_statistics_by by;
    uint32_t index;   /* the level, or the handle's bits; 0: of all those beyond statistics_rows */
    const char *name; /* of the queue or type, borrowed until leat_close(); else "" */
    uint64_t jobs[LEAT_JOB_STATES]; /* that are there at this moment, by enum leat_job_state; of
                                       those that have ended, what is kept */
    uint64_t completed;             /* since the engine was opened */
    uint64_t dead;
    uint64_t cancelled;
    uint64_t retried;
    uint64_t oldest_ns;             /* how long the job has waited for a worker that has waited for
                                       the longest time, of those that are timed; 0: none */
    struct leat_latency queue_wait; /* sampled; of a priority there is none */
    struct leat_latency run_time;
};

static inline struct leat_statistics_row
leat_statistics_row_default(void)
{
    struct leat_statistics_row row;
    memset(&row, 0, sizeof(row));
    row.size = (uint32_t)sizeof(row);
    row.version = LEAT_STRUCT_VERSION;
    return row;
}

/* Tells of all priorities, queues or types: levels upwards, queues and types in the order in which
 * they were named first, and last, where there are any, all those beyond statistics_rows together.
 * It goes over all records of the engine once. Each number is exact for some moment during the
 * call, not all for the same one. rows[0] says the size of all. Fewer than `capacity`: that is all.
 * Threads:  any.      Progress: wait-free but for the allocator.
 * Returns:  LEAT_OK and *count; LEAT_NO_MEMORY; LEAT_UNSUPPORTED (a newer struct); LEAT_FORKED;
 *           LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_statistics_list(struct leat_engine *engine,
                                                              enum leat_statistics_by by,
                                                              struct leat_statistics_row *rows,
                                                              size_t capacity, size_t *count);

/* Per second, between two looks at one engine. */
struct leat_rates {
    double tasks_run;
    double jobs_submitted;
    double jobs_run;
    double jobs_completed;
    double jobs_dead;
    double jobs_retried;
};

/* Threads:  any.      Progress: wait-free.
 * Returns:  LEAT_OK; LEAT_UNSUPPORTED (a newer struct); LEAT_INVALID (`after` is not later).  */
LEAT_API LEAT_NODISCARD enum leat_status leat_rates_get(const struct leat_statistics *before,
                                                        const struct leat_statistics *after,
                                                        struct leat_rates *rates);

/* Takes a piece of a text that is written in pieces, in order: of leat_trace_write() and
 * leat_metrics_write(). False: it wants no more of it. */
typedef bool (*leat_text_sink)(const char *text, size_t bytes, void *context);

/* ---- flight recorder ------------------------------------------------------------------------
 *
 * Each worker keeps its last records: attempts with their begin and end, parks, steals, looks at
 * timers. A record takes the place of the oldest one. Tasks have none. `trace` says whose attempts
 * are recorded, and leat_knob_change() changes it while the engine runs: of the jobs that are timed
 * for the statistics (sample_interval), or of all, which then are timed all; of those that are
 * submitted from then on. Runs of batches, of inline jobs and of pull queues are no records. */

/* Writes what is there at this moment, in the trace event format of Chrome, which Perfetto reads
 * too: JSON, sorted by time. An attempt is a slice of its worker ("X"), named after the type, with
 * job, attempt, queue and outcome ("running": it was at it yet); from the submit to the first
 * attempt there is a wait ("b" and "e"), and a steal and a retry are moments ("i"). Times are those
 * of CLOCK_MONOTONIC. The sink may call anything that a handler may.
 * Threads:  any.      Progress: wait-free but for the allocator and the sink; no worker waits.
 * Allocates: 152 bytes per record.
 * Returns:  LEAT_OK; LEAT_WRONG_STATE (trace_records is 0); LEAT_REFUSED (the sink wants no more);
 *           LEAT_NO_MEMORY; LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_trace_write(struct leat_engine *engine,
                                                          leat_text_sink sink, void *context);

/* ---- events ----------------------------------------------------------------------------------
 *
 * What becomes of jobs, told to leat_config.event_sink some time later, in the order in which it
 * happened to each job; of two jobs in any order. (Only a dead letter that is brought back in the
 * very moment of its death may have its next event before that.) An event that finds events_max
 * before it is dropped; the next one says how many were. Behind a leat_stop() that succeeded all
 * that happened in workers has been told; what happens to a stopped engine waits for its next
 * start, and leat_close() forgets it. */

enum leat_event_kind {
    LEAT_EVENT_SUBMITTED = 0,
    LEAT_EVENT_STARTED, /* an attempt */
    LEAT_EVENT_COMPLETED,
    LEAT_EVENT_FAILED,   /* an attempt; what follows is one of RETRYING, DEAD and CANCELLED */
    LEAT_EVENT_RETRYING, /* it is to be run again; a cancel may come first yet */
    LEAT_EVENT_SNOOZED,  /* the same, by its handler's wish */
    LEAT_EVENT_DEAD,
    LEAT_EVENT_CANCELLED,
    LEAT_EVENT_EXPIRED, /* dead, since it waited for too long */
    LEAT_EVENT_BREAKER_OPENED,
    LEAT_EVENT_BREAKER_CLOSED,
    LEAT_EVENT_WORKER_STUCK, /* a handler that was timed out did not return */
    LEAT_EVENT_THRESHOLD_RAISED,
    LEAT_EVENT_THRESHOLD_CLEARED,
    LEAT_EVENT_COHORT_PROGRESS, /* leat_cohort_options.progress_every */
    LEAT_EVENT_KINDS            /* not a kind */
};

#define LEAT_EVENT_BIT(kind) (UINT32_C(1) << (kind))
#define LEAT_EVENTS_ALL      (LEAT_EVENT_BIT(LEAT_EVENT_KINDS) - 1)

enum leat_threshold {
    LEAT_THRESHOLD_DEAD = 0,
    LEAT_THRESHOLD_WAITING,
    LEAT_THRESHOLD_FAILURES,
    LEAT_THRESHOLD_OLDEST,
    LEAT_THRESHOLD_MEMORY
};

/* Borrowed until the sink returns. */
struct leat_event {
    enum leat_event_kind kind;
    leat_job_id id;          /* 0: of no job */
    leat_type type;          /* 0: none */
    leat_queue queue;        /* 0: none */
    uint32_t attempt;        /* STARTED to SNOOZED: which; of ends: runs so far, 0: not known */
    uint32_t worker;         /* LEAT_WORKER_NONE: none, or not known */
    enum leat_reason reason; /* DEAD, EXPIRED, CANCELLED */
    enum leat_threshold threshold; /* THRESHOLD_RAISED, THRESHOLD_CLEARED */
    uint64_t value;                /* of that; FAILURES in hundredths of a percent, OLDEST in ns,
                                      MEMORY in bytes. COHORT_PROGRESS: members that have ended */
    uint64_t limit;                /* the same; COHORT_PROGRESS: members so far */
    uint64_t time_ns;              /* when, by MONOTONIC */
    uint64_t dropped;              /* events before this one, since the last one */
};

/* "submitted", "breaker opened"; "unknown" beyond the list.
 * Threads:  any.      Progress: wait-free.
 * Returns:  borrowed for ever.  */
LEAT_API const char *leat_event_text(enum leat_event_kind kind);

/* "dead letters"; "unknown" beyond the list.
 * Threads:  any.      Progress: wait-free.
 * Returns:  borrowed for ever.  */
LEAT_API const char *leat_threshold_text(enum leat_threshold threshold);

/* ---- durable jobs ----------------------------------------------------------------------------
 *
 * With leat_config.log_directory a job is on the disk before its submit returns, and before
 * anybody sees it, unless it says LEAT_DURABILITY_NONE. The next leat_open() of the directory
 * finds it again with its id: waiting, due at its time, dead with its error, or ended and kept
 * with its result (LEAT_JOB_KEEP_RESULT). Calls that change a job and answer (a cancel, another
 * time or level, the completion of a pending one, what is done with dead letters, a release)
 * answer when the change is on the disk. Ends of handlers, retries and snoozes follow within
 * moments without being waited for: so a crash may run an attempt again, whose end was not on the
 * disk yet. A job that was in a handler when the process crashed is counted: see quarantine_after.
 * Of a batch of handlers' jobs one is.
 *
 * That is LEAT_DURABILITY_GROUP. With LEAT_DURABILITY_OS, of the engine or of a job, they answer
 * when the system has the change, and do not wait for the disk: it is there if the process ends in
 * any way, and a crash of the machine may lose the last moments, from the end on. What was lost is
 * then as if it had never been said. A batch waits as that of its jobs does which asks for most.
 *
 * Where a write or a sync fails, such calls, and submits, answer LEAT_LOG_FAILED from then on, and
 * it is not known whether the change is on the disk; where the disk is full, LEAT_NO_SPACE. Jobs
 * that are there run on.
 *
 * The size of the log. Its files have at most twice the bytes of its jobs (the most that these were
 * since a moment at which the log was as small as it gets) and ten segments, however often jobs are
 * retried or snoozed: who appends waits where the thread that cleans is behind. With log_bytes_max
 * they have at most that; where it is reached, as where the disk is full, submits answer
 * LEAT_NO_SPACE, while ends, cancels and deletes go on as long as there is room for them, which is
 * half a segment or more. Retries, snoozes and other changes, and ends without room, are then in
 * memory only: such calls answer LEAT_NO_SPACE too, though the change is made, and
 * leat_health.log_unwritten counts them; a crash finds the job as it was before. When jobs have
 * ended, be it in memory only, the log finds space again.
 *
 * A job comes back with its parents: it waits for those that have not ended, and its policy is
 * applied to those that have. They are there, with their results, for as long as it may read them;
 * but of one that had ended before the job was submitted only how it did, unless it is kept
 * (LEAT_JOB_KEEP_RESULT). A graph is on the disk as a whole or not at all.
 *
 * A cohort comes back with its members, its numbers and its callbacks: each member that has ended
 * is counted, once, and each callback that has not run comes, as if nothing had happened. So a
 * callback runs at least once, as any job. The events of its progress go on from what is counted.
 *
 * Submits and such calls wait for the disk, in handlers too. What is not written: tasks; jobs with
 * a retry function (LEAT_UNSUPPORTED unless they are LEAT_DURABILITY_NONE, and so is a job one of
 * whose parents is not durable, and a member of a cohort that is not); completion queues, progress;
 * tenants, and what is set of types. Types have to be registered again, before leat_start().
 *
 * Delays, retries, snoozes, expiries and keys that are held for a time, also where their job is
 * gone, go on while nobody is there, by the WALL clock. Where that was set back meanwhile, or
 * before, they last no longer behind an open than what was left of them when they were written;
 * where it was set ahead, that is time that has passed. A run_at_ns is by that clock in any case.
 * Each job has its last attempts, dead or not, as leat_job_attempts() had them.
 *
 * Queues come back with priority, order and pull, and the first leat_queue_create() that says the
 * same makes them as if they were new. What calls have set of one comes back, too, before its jobs
 * can begin: leat_queue_pause() and leat_queue_resume(), leat_queue_set_running_max(),
 * leat_queue_set_running_min(), leat_queue_set_rate(), leat_queue_set_key_rate(),
 * leat_queue_set_weight(), leat_queue_set_limits(), or leat_knob_change() instead. They answer when
 * that is on the disk. It counts in front of what that leat_queue_create() says; of what no call
 * has set, its options count, so a program that starts with other ones has these. A queue begins
 * with all the tokens of its rates. A running_min for which there are too few workers now is left
 * out, as if nobody had set it. Limits of a queue with a tenant hold from that leat_queue_create()
 * on, or another call that sets limits; a tenant for a queue that has had limits without one is
 * LEAT_EXISTS. Not of a queue, and so gone: leat_pause_all(), the closing of a drain, and the pause
 * of one whose time was over.
 *
 * With leat_config.log_compression what is stored of a job is compressed where that helps. With a
 * key (log_key_file, log_key) all that is stored is encrypted, but for what tells how a job is: its
 * id, state, attempts and times. A leat_open() with another key, with none, or with one where there
 * was none is LEAT_WRONG_KEY, and changes nothing; what somebody has changed on the disk is
 * LEAT_CORRUPT.
 *
 * Submits that do not wait. With leat_job_options.acknowledgements leat_submit() answers LEAT_OK
 * and an id when the job is in the log's ring, so that one thread may have as many on their way as
 * the queue has slots. It does not wait where others do, and answers LEAT_FULL, with nothing
 * changed: with no slot left, without room in that ring, and where the thread that cleans is behind
 * (see above, the size of the log): it is asked to go on, and the same submit works some moments
 * later. Once in 65 536 uses of a record it waits for the disk all the same. The job is not there,
 * and cannot run, before it is on the disk, or with LEAT_DURABILITY_OS written; until then its id
 * names no job (LEAT_NOT_FOUND), so a cancel comes behind that. Then it is taken in, its name and
 * its unique key are claimed, and a completion of the kind LEAT_COMPLETION_ACKNOWLEDGED comes,
 * once, with leat_job.user: LEAT_OK; what the claims say (LEAT_EXISTS, LEAT_JOINED, LEAT_BUSY);
 * LEAT_FULL; LEAT_CLOSED, where the job's queue was closed meanwhile; LEAT_LOG_FAILED,
 * LEAT_NO_SPACE or LEAT_NO_MEMORY. With any of these but LEAT_OK and LEAT_JOINED the job is not
 * there, unless the log has failed behind a claim, and with the last three the next open may find
 * it. The end of a job may come before its acknowledgement. Those of one thread are taken in in the
 * order of its submits, and acknowledged so, but for those that claim, which come later, those of
 * LEAT_DURABILITY_OS, which may come earlier than others, and those for which it waits, which may
 * pass by. A leat_drain() waits for them, a leat_queue_drain() does not. leat_close() takes them
 * in, and nobody hears of that any more. A job that is not written (LEAT_DURABILITY_NONE, or there
 * is no log) is acknowledged before its submit returns. What is compressed or encrypted in the log
 * makes no difference. LEAT_UNSUPPORTED: in an all-or-none batch, and so in a graph that is
 * submitted as a whole; with parents or a cohort. LEAT_INVALID: in a schedule.
 *
 * Acknowledgements by a call. With leat_job_options.acknowledged all of this holds, but that there
 * are no slots: as many are on their way as there are records and room in the log's ring. Instead
 * of the completion comes the call, with its id (that of the submit, but for LEAT_JOINED, where it
 * is the job that has the key), its status, and acknowledged_context: once for each submit that
 * answered LEAT_OK, also where the log fails; and a leat_close() returns behind the last one, so
 * here each is heard of. For other answers of a submit there is no call. A job that comes back with
 * the log has none. It is made by the thread that writes the log, which holds no lock then: all
 * acknowledgements behind it, those of queues too, and jobs that are not waited for, wait for its
 * return, so it is to be short. Of a job that is not written it is made by who submits, within the
 * submit. It may make any call of the engine that does not wait: a submit with `acknowledged` or
 * `acknowledgements`, or of a job that is not written; a look at a job. What changes a job there,
 * as a leat_cancel(), answers before that is on the disk. A submit that would wait for the disk
 * answers LEAT_DEADLOCK, and so do leat_close(), leat_stop(), leat_drain(), leat_wait() and others
 * that wait for jobs or for the engine. During a leat_close() its submits are LEAT_CLOSED.
 *
 * Schedules come back with all that their calls have said, a pause too, and go on from their last
 * moment: what was missed meanwhile their policy says. A job is in the log together with the moment
 * that it was submitted for, so a moment brings no second one; where its submit was refused behind
 * that, and the process crashes before that is on the disk, the moment is without a job, or has the
 * one that was refused. The first leat_schedule_add() of a name that came back takes that schedule
 * over: what it says counts, but for the last moment, the counters and the pause; it is to come
 * before leat_start(). A schedule that is not wanted any more is to be removed. One with a retry
 * function is not in the log; a completion queue is there again when it is added again. */

/* What leat_open() found. */
struct leat_recovery_info {
    uint32_t size;
    uint32_t version;
    uint64_t jobs; /* that are there again; of these: */
    uint64_t waiting;
    uint64_t scheduled;
    uint64_t retrying;
    uint64_t dead;
    uint64_t crashed; /* were in a handler when the process crashed */
    uint64_t refused; /* were never acknowledged, and another one has their key or name */
    /* Of the log. */
    uint64_t segments;
    uint64_t batches;
    uint64_t records;
    uint64_t batches_again; /* were not known to be on the disk, and written anew */
    uint64_t torn_bytes;    /* of an end that a crash tore; nothing of it was acknowledged */
    uint64_t read_ns;
    uint64_t revived_ns;
    uint64_t old_key_records; /* were encrypted with another key than the first, or not: 0: the
                                 others are not needed any more */
};

static inline struct leat_recovery_info
leat_recovery_info_default(void)
{
    struct leat_recovery_info info;
    memset(&info, 0, sizeof(info));
    info.size = (uint32_t)sizeof(info);
    info.version = LEAT_STRUCT_VERSION;
    return info;
}

/* What the engine's open found in its log.
 * Threads:  any.      Progress: wait-free.
 * Returns:  LEAT_OK and *info; LEAT_WRONG_STATE (no log); LEAT_FORKED; LEAT_INVALID;
 *           LEAT_UNSUPPORTED (a newer struct).  */
LEAT_API LEAT_NODISCARD enum leat_status leat_recovery_get(struct leat_engine *engine,
                                                           struct leat_recovery_info *info);

/* Gives the log another key: that of `file`, or, with NULL, what leat_config.log_key says is number
 * 0 now. What is written from the return on is encrypted with it; what is there is written anew in
 * time, and older keys stay in memory for that until the close. The next open needs the new key as
 * its first one, and the old one behind it while leat_recovery_info.old_key_records is not 0.
 * Threads:  any outside a handler.    Progress: blocking (reads the file, or asks the function).
 * Returns:  LEAT_OK; LEAT_WRONG_STATE (no log, or none with a key); LEAT_EXISTS (it is there
 *           already); LEAT_FULL (16 keys since the open); LEAT_NOT_FOUND, LEAT_REFUSED,
 *           LEAT_INVALID, LEAT_SYSTEM (no key can be had; `error`, which may be NULL, says why);
 *           LEAT_FORKED. Nothing has changed then.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_log_key_rotate(struct leat_engine *engine, const char *file, struct leat_error *error);

/* ---- health and metrics -------------------------------------------------------------------- */

enum leat_health_state { LEAT_HEALTH_OK = 0, LEAT_HEALTH_DEGRADED, LEAT_HEALTH_FAILED };

/* Why it is not OK. */
#define LEAT_HEALTH_NOT_RUNNING 1u  /* FAILED: not started, or stopped */
#define LEAT_HEALTH_DRAINING    2u  /* DEGRADED: no new work is taken; or it stops */
#define LEAT_HEALTH_STUCK       4u  /* DEGRADED: some workers are in one handler for stuck_ns, or */
                                    /*   beyond its timeout; FAILED where all are */
#define LEAT_HEALTH_NO_PROGRESS  8u /* FAILED: work waits, and nobody took any for stuck_ns */
#define LEAT_HEALTH_STOP_EXPIRED 16u /* FAILED: a stop ran out of time; handlers go on */
#define LEAT_HEALTH_LOG_FAILED   32u /* FAILED: a write or sync of the log failed */
#define LEAT_HEALTH_LOG_FULL     64u /* DEGRADED: the disk has no room for the log */

struct leat_health {
    uint32_t size;
    uint32_t version;
    enum leat_health_state state;
    uint32_t reasons; /* LEAT_HEALTH_ of the list above */
    uint32_t workers_active;
    uint32_t workers_stuck;
    uint64_t stuck[4]; /* a bit for each worker that is stuck: worker w is bit w % 64 of w / 64 */
    char text[128];    /* one line for a person, which names the first one */
    enum leat_durability durability; /* of jobs that do not say; NONE where there is no log */
    uint64_t log_bytes;              /* of the log's files, those included that are made ahead */
    uint64_t log_live_bytes;         /* that its jobs would take alone: see "the size of the log" */
    uint64_t log_unwritten;          /* changes so far that are in memory only, for want of space */
};

static inline struct leat_health
leat_health_default(void)
{
    struct leat_health health;
    memset(&health, 0, sizeof(health));
    health.size = (uint32_t)sizeof(health);
    health.version = LEAT_STRUCT_VERSION;
    return health;
}

/* Whether work goes on. How long a worker is in its handler, and since when nothing was taken, is
 * known since the call that first found it so: ask now and then. With systemd_notify the thread
 * of the clocks asks, twice in the time of the service's watchdog, and feeds that unless the answer
 * is FAILED (with 0 workers whoever calls leat_run_some() does).
 * Threads:  any.      Progress: blocking (a mutex).
 * Returns:  LEAT_OK; LEAT_UNSUPPORTED (a newer struct); LEAT_FORKED; LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_health_get(struct leat_engine *engine,
                                                         struct leat_health *health);

enum leat_metrics_format {
    LEAT_METRICS_OPENMETRICS = 0, /* application/openmetrics-text; version=1.0.0; charset=utf-8 */
    LEAT_METRICS_PROMETHEUS       /* text/plain; version=0.0.4 */
};

/* Writes all statistics as text for a scraper, in pieces of at most 4 KiB. Times are of the jobs
 * that are timed, one in sample_interval; docs/monitoring/ has alerts and a dashboard for them.
 * Threads:  any.      Progress: blocking (the allocator, a mutex, the sink).
 * Returns:  LEAT_OK; LEAT_REFUSED (the sink wants no more); LEAT_NO_MEMORY; LEAT_FORKED;
 *           LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_metrics_write(struct leat_engine *engine,
                                                            enum leat_metrics_format format,
                                                            leat_text_sink sink, void *context);

/* ---- settings ------------------------------------------------------------------------------
 *
 * All that can be set has a name, a knob: the fields of leat_config, of the options of queues and
 * types, and what a build decides. Settings are collected by name and become the structs above.
 * What was said later in this list counts: the struct, files, the environment, leat_settings_set().
 * docs/knobs.md lists the knobs, how values are written, and what a file looks like.
 */

struct leat_settings;

/* Where a value comes from. */
enum leat_knob_source {
    LEAT_SOURCE_DEFAULT = 0,
    LEAT_SOURCE_STRUCT,
    LEAT_SOURCE_FILE,
    LEAT_SOURCE_ENVIRONMENT,
    LEAT_SOURCE_FLAG,
    LEAT_SOURCE_BUILD
};

/* What a knob is of. */
enum leat_knob_scope { LEAT_KNOB_ENGINE = 0, LEAT_KNOB_QUEUE, LEAT_KNOB_TYPE, LEAT_KNOB_BUILD };

struct leat_knob_info {
    uint32_t size;
    uint32_t version;
    enum leat_knob_scope scope;
    enum leat_knob_source source;
    bool live;            /* leat_knob_change() takes it */
    char name[256];       /* as leat_settings_set() takes it; of a queue or type that has no section
                             it begins with "queue.*." or "type.*." */
    char environment[64]; /* "LEAT_WORKERS"; "" where there is none */
    char unit[16];        /* of a bare number; "" where it is a plain number, or none */
    char range[128];
    char fallback[64];     /* the default */
    char value[128];       /* cut where it is longer */
    const char *text;      /* one sentence; borrowed for ever */
    const char *benchmark; /* the row of PERFORMANCE.md that shows what it buys, or NULL */
};

static inline struct leat_knob_info
leat_knob_info_default(void)
{
    struct leat_knob_info info;
    memset(&info, 0, sizeof(info));
    info.size = (uint32_t)sizeof(info);
    info.version = LEAT_STRUCT_VERSION;
    return info;
}

/* Settings over `base`; NULL: the defaults.
 * Threads:  any.      Progress: blocking (the allocator).    Copies base; borrows its strings.
 * Returns:  LEAT_OK and *settings, owned by the caller; LEAT_NO_MEMORY; LEAT_UNSUPPORTED;
 *           LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_settings_create(const struct leat_config *base,
                                                              struct leat_settings **settings);

/* NULL does nothing.
 * Threads:  one, and no other in a call on the settings.    Takes settings.  */
LEAT_API void leat_settings_destroy(struct leat_settings *settings);

/* Reads a file of at most 64 KiB. A later file counts more. `error` (may be NULL) begins with file,
 * line and column, and has the nearest name where one is not known.
 * Threads:  one at a time.    Progress: blocking (a file).    Borrows path.
 * Returns:  LEAT_OK; LEAT_INVALID; LEAT_NOT_FOUND (it cannot be read; `error` has the system's
 *           reason); LEAT_FULL (it is longer); LEAT_NO_MEMORY.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_settings_load(struct leat_settings *settings, const char *path, struct leat_error *error);

/* Reads what the environment says: LEAT_WORKERS and so on, for each knob of the engine. `variables`
 * ends with NULL; NULL is the environment of the process, which nobody may change meanwhile. Other
 * names are left alone, but for those that are a knob's with one or two letters wrong.
 * Threads:  one at a time.    Progress: wait-free but for the allocator.    Borrows variables.
 * Returns:  LEAT_OK; LEAT_INVALID; LEAT_NO_MEMORY.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_settings_environment(struct leat_settings *settings,
                                                                   const char *const *variables,
                                                                   struct leat_error *error);

/* Sets one: "workers", "queue.NAME.running_max", "type.NAME.timeout_ns".
 * Threads:  one at a time.    Progress: wait-free but for the allocator.    Copies name and value.
 * Returns:  LEAT_OK; LEAT_INVALID; LEAT_NO_MEMORY.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_settings_set(struct leat_settings *settings,
                                                           const char *name, const char *value,
                                                           struct leat_error *error);

/* What it all comes to, checked by leat_config_check(), for leat_open().
 * Threads:  one at a time.    Progress: wait-free.
 * Returns:  LEAT_OK and *config, borrowed until the next call on the settings; LEAT_INVALID;
 *           LEAT_UNSUPPORTED.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_settings_config(struct leat_settings *settings,
                                                              const struct leat_config **config,
                                                              struct leat_error *error);

/* The options of one queue, or type, over `base` (NULL: the defaults), for leat_queue_create() and
 * leat_type_register(). Where nothing is set for it, *options is `base`. Knobs of retries go over
 * the policy of `base`, those of a breaker over its breaker. The engine looks at the rest of them.
 * Threads:  one at a time.    Progress: wait-free.
 * Returns:  LEAT_OK and *options, borrowed until the next call on the settings; LEAT_INVALID;
 *           LEAT_UNSUPPORTED.  */
LEAT_API LEAT_NODISCARD enum leat_status
leat_settings_queue(struct leat_settings *settings, const char *name,
                    const struct leat_queue_options *base,
                    const struct leat_queue_options **options);
LEAT_API LEAT_NODISCARD enum leat_status
leat_settings_type(struct leat_settings *settings, const char *name,
                   const struct leat_type_options *base, const struct leat_type_options **options);

/* Lists the knobs from number `first` on, at most `capacity`: all that there are, then those that
 * are set for a queue or type. Fewer than that: there are no more. `settings` NULL: the defaults of
 * this machine. infos[0] says the size of all.
 * Threads:  one at a time; any where settings is NULL.    Progress: wait-free.
 * Returns:  LEAT_OK and *count; LEAT_UNSUPPORTED (a newer struct); LEAT_INVALID.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_knob_list(const struct leat_settings *settings,
                                                        uint32_t first,
                                                        struct leat_knob_info *infos,
                                                        size_t capacity, size_t *count);

/* Changes a live knob of an engine, as the function does that is made for it: of
 * payload_bytes_total_max, and of memory_max and memory_soft_percent, only where
 * payload_bytes_total_max, or memory_max, was not 0 at open. A memory_max below what is there drops
 * nothing that waits: submits are refused until there is less. Behind a new age, what was kept by
 * then stays for so long again.
 * Threads:  any outside a handler; of one queue's limits, all of them count.
 * Progress: blocking (a mutex, grace periods, thread creation).
 * Returns:  LEAT_OK; LEAT_WRONG_STATE (it needs a restart; or see leat_workers_set());
 *           LEAT_NOT_FOUND (no such queue or type); LEAT_BUSY (an age is being looked at: try
 *           again); LEAT_INVALID; or as the functions that change workers, caps, rates, minimums
 *           and limits.  */
LEAT_API LEAT_NODISCARD enum leat_status leat_knob_change(struct leat_engine *engine,
                                                          const char *name, const char *value,
                                                          struct leat_error *error);

#ifdef __cplusplus
}
#endif

#endif
