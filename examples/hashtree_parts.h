/* hashtree_parts.h - what the files of the hashtree example share.
 *
 *   hashtree.c           main, and the run on a Leat engine: read this one to learn the library
 *   hashtree_pool.c      --baseline: the same run on a mutex, a condition variable and threads
 *   hashtree_walk.c      goes through the tree, in the order of the output, and hands out the files
 *   hashtree_hash.c      what a job does: open, read, hash one file
 *   hashtree_tree.c      directories, records and paths in an arena; opening below DIR
 *   hashtree_options.c   the command line
 *   hashtree_message.c   lines on stderr: reasons, unreadable files, progress
 *   hashtree_output.c    files that appear whole or not at all
 *   hashtree_result.c    the lines of sha256sum, the summary in JSON
 */
#ifndef HASHTREE_PARTS_H
#define HASHTREE_PARTS_H

#ifndef _GNU_SOURCE
#    define _GNU_SOURCE 1 /* affinity, O_PATH, the GNU strerror_r() */
#endif

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <leat.h>
#include <openssl/evp.h>

/* Exit statuses. */
enum { EXIT_HASHED = 0, EXIT_UNREADABLE = 1, EXIT_TROUBLE = 2 };

enum {
    WORKERS_MAX = 256,    /* what leat_config.workers takes */
    DIGEST_BYTES = 32,    /* SHA-256 */
    CACHE_LINE_BYTES = 64 /* keeps what two threads write apart */
};

/* A file of this size or more is big: its jobs go before those of small files. See submit_record()
 * in hashtree.c for the reason. 1 MiB takes half a millisecond to hash, about 100 small files. */
enum { BIG_BYTES = 1 << 20 };

/* ---- hashtree_options.c -------------------------------------------------------------------- */

struct options {
    const char *directory;
    const char *output; /* NULL: standard output */
    const char *json;   /* NULL: none */
    uint32_t workers;   /* 0: as many as the engine would start */
    bool baseline;
    bool help;
};

/* Reads the command line; says what is wrong with it on stderr, in one line. */
bool options_read(struct options *options, int count, char **arguments);
bool options_print_help(void);

/* ---- hashtree_tree.c ----------------------------------------------------------------------- */

/* A directory's path from DIR on: "", or ending in a slash. */
struct directory {
    size_t length;
    char path[];
};

enum record_state { RECORD_WAITING = 0, RECORD_HASHED, RECORD_FAILED };

/* One regular file. The walk writes it before the job is submitted, the job while it runs, the
 * main thread reads it after the drain; only `order_next` is the walk's at all times. */
struct record {
    const struct directory *directory;
    struct record *order_next; /* in the order of the output */
    uint64_t bytes;            /* hashed */
    union {
        struct record *queue_next; /* --baseline: while it waits */
        unsigned char digest[DIGEST_BYTES];
    };
    uint8_t state;
    char name[];
};

struct arena_chunk;

struct tree {
    char *prefix; /* of every printed path: DIR and a slash, unless DIR ends in one */
    size_t prefix_length;
    int descriptor;            /* DIR */
    struct record *first;      /* all records, in order */
    struct record **end;       /* where the next one is linked */
    uint64_t files;            /* found so far */
    uint64_t bytes;            /* of them, by their size at that time */
    struct arena_chunk *chunk; /* the newest; holds all directories and records */
    size_t chunk_used;
};

/* A path from DIR on, NUL-terminated, in memory that grows and is used again. */
struct path {
    char *text;
    size_t length;
    size_t capacity;
};

/* false: errno says why. */
bool tree_open(struct tree *tree, const char *directory);
void tree_close(struct tree *tree);
/* NULL when there is no memory. */
struct directory *tree_add_directory(struct tree *tree, const struct directory *parent,
                                     const char *name);
struct record *tree_add_record(struct tree *tree, const struct directory *directory,
                               const char *name);

/* The path of `name` in `directory`, or of the directory itself where name is "". */
bool path_set(struct path *path, const struct directory *directory, const char *name);
/* Opens what path names below DIR. Works beyond PATH_MAX; path is changed then. -1: errno. */
int path_open(const struct tree *tree, struct path *path, int flags);
void path_free(struct path *path);

/* ---- hashtree_message.c -------------------------------------------------------------------- */

struct message {
    pthread_mutex_t lock; /* one line after the other */
    uint64_t unreadable;  /* files and directories; under the lock */
    uint64_t due_ns;      /* when the progress is shown again; UINT64_MAX: never */
    uint64_t began_ns;
    size_t shown; /* columns of the progress that is on the terminal; under the lock */
};

/* What the progress is made of. */
struct progress {
    uint64_t files_done;
    uint64_t bytes_done;
    uint64_t files_found;
    uint64_t bytes_found;
    bool walked; /* what was found is all there is */
};

/* "hashtree: cannot VERB 'NAME': reason of the error number", on one line whatever the name. */
void complain_of(const char *verb, const char *name, int error);
/* "hashtree: TEXT 'ARGUMENT'" */
void complain_usage(const char *text, const char *argument);
void complain(const char *text);
/* The reason is `detail`, or the status where that is "". */
void complain_engine(const char *verb, enum leat_status status, const char *detail);

uint64_t clock_ns(void);
void message_init(struct message *message);
void message_fini(struct message *message);
/* Reports and counts a file or directory. Any thread. */
void message_unreadable(struct message *message, const char *prefix, const char *path, int error);
/* Milliseconds until the progress is due; -1: never. */
int message_wait_ms(const struct message *message);
bool message_due(const struct message *message);
void message_progress(struct message *message, const struct progress *progress);
/* Takes the progress off the terminal. */
void message_progress_end(struct message *message);

/* ---- hashtree_hash.c ----------------------------------------------------------------------- */

/* What one worker needs to hash files. Aligned: no two workers write to one cache line. */
struct hasher {
    _Alignas(CACHE_LINE_BYTES) EVP_MD_CTX *context;
    unsigned char *buffer;
    struct path path;
    uint64_t files; /* hashed; written by the worker, read by the progress */
    uint64_t bytes;
};

struct hashers {
    struct tree *tree;
    struct message *message;
    EVP_MD *digest;
    struct hasher *each;
    uint32_t count;
};

/* false: no memory, or libcrypto has no SHA-256. */
bool hashers_create(struct hashers *hashers, uint32_t count);
void hashers_destroy(struct hashers *hashers);
/* Hashes one file, or reports that it cannot be read. The whole of a job. */
void hash_record(const struct hashers *hashers, uint32_t worker, struct record *record);
/* Any time. */
void hashers_progress(const struct hashers *hashers, struct progress *progress);
/* Shows the progress if it is due. The main thread. */
void hashers_tick(const struct hashers *hashers, bool walked);

/* ---- hashtree_walk.c ----------------------------------------------------------------------- */

/* Takes a file for hashing; false ends the walk, with the reason already on stderr. */
typedef bool (*walk_submit)(void *context, struct record *record, bool big);

/* Goes through the tree and submits each regular file. Directories that cannot be read are
 * reported and skipped. false: submit refused, or no memory (the reason is on stderr). */
bool walk_tree(const struct hashers *hashers, walk_submit submit, void *context);

/* ---- the two ways to run ------------------------------------------------------------------- */

struct worker_summary {
    uint64_t jobs_run;
    uint64_t parks;
};

struct summary {
    const char *mode;
    uint64_t files;
    uint64_t bytes;
    uint64_t unreadable;
    double seconds;     /* from the first thread's start to the last file's end */
    double cpu_seconds; /* of the process, all threads */
    bool latencies;     /* the two below are filled */
    struct leat_latency queue_wait;
    struct leat_latency run_time;
    uint32_t workers;
    struct worker_summary worker[WORKERS_MAX];
};

/* Walk the tree and hash all of it. false: the reason is on stderr. */
bool run_engine(struct hashers *hashers, struct summary *summary);
bool run_pool(struct hashers *hashers, struct summary *summary);

/* ---- hashtree_output.c --------------------------------------------------------------------- */

struct output {
    const char *name; /* as given, for messages */
    char *target;     /* a regular file, resolved; NULL: written in place through `descriptor` */
    char *temporary;  /* beside it; NULL while there is none */
    int descriptor;   /* -1: not open */
    int error;        /* the first that happened */
    mode_t mode;      /* of the target if it exists */
    bool keep_mode;
    char *buffer;
    size_t used;
};

/* Finds out now whether `name` (NULL: standard output) can be written; leaves nothing behind.
 * All of these: false, and one line on stderr. */
bool output_open(struct output *output, const char *name);
bool output_same(const struct output *one, const struct output *other);
void output_write(struct output *output, const void *bytes, size_t count);
__attribute__((format(printf, 2, 3))) void output_print(struct output *output, const char *format,
                                                        ...);
void output_fini(struct output *output);

/* Writes text that `compose` makes of `source`. */
struct output_part {
    struct output *output;
    void (*compose)(struct output *output, const void *source);
    const void *source;
};

/* Writes all parts, or leaves no file behind. */
bool output_commit(const struct output_part *parts, size_t count);

/* ---- hashtree_result.c --------------------------------------------------------------------- */

/* `source` is a struct tree. The lines of sha256sum. */
void result_lines(struct output *output, const void *source);
/* `source` is a struct summary. */
void result_json(struct output *output, const void *source);

#endif
