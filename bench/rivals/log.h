/* log.h - queues on a disk: what is measured of them is how soon an entry that was put in is
 * acknowledged, with so many that are not yet, and how soon all of them are there again after a
 * crash. A kind is a table of functions. It keeps its files in the present folder, and every run
 * has a folder and a process of its own. */
#ifndef BENCH_RIVALS_LOG_H
#define BENCH_RIVALS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Connections of one contestant at most. */
#define BENCH_LOG_LANES 64

struct bench_log_setup {
    uint32_t depth;               /* so many are not acknowledged at a time */
    uint32_t lanes;               /* into so many equal parts that is divided */
    uint32_t payload_bytes;       /* of an entry */
    const unsigned char *payload; /* the same of all */
    /* Only to have entries to be read again: they need not be durable one by one. */
    bool fills;
};

struct bench_log_kind {
    const char *name; /* NULL: the end of a list */
    const char *note; /* how it is set up, and what a reader of the figures should know */
    bool is_floor;    /* no log: only with one entry on its way, and nothing is to be counted */
    /* Another one, set up otherwise: only with entries of 64 bytes, and no recovery, which would be
     * that one's. */
    bool is_variant;
    /* False: this machine does not let it run, and it is left out. NULL: it does. */
    bool (*there)(void);
    /* Connections, at most BENCH_LOG_LANES, of which the depth is a multiple; NULL: one. */
    uint32_t (*lanes)(uint32_t depth, uint32_t payload_bytes);
    /* Opens what is in the folder, or something new. All of these end the process on failure. */
    void *(*open)(const struct bench_log_setup *setup);
    /* Hands over so many entries more; it may put that off to wait(). */
    void (*submit)(void *log, uint32_t lane, uint32_t count);
    /* Returns when one more is acknowledged at least: how many are, of each lane, in all. Those of
     * a lane are so in their order. */
    void (*wait)(void *log, uint64_t *acknowledged);
    /* Entries that are there, and are what they were. */
    uint64_t (*count)(void *log);
    /* Ends what another process does for it, without a warning. NULL: nothing does. */
    void (*kill)(void *log);
    /* Closes what was opened again, where it would else make files beside who removes them. NULL:
     * nothing does. It does not count as part of a recovery. */
    void (*close)(void *log);
};

struct bench_log_result {
    double ns;        /* an entry */
    uint64_t wrong;   /* acknowledged and not there afterwards, or there and never handed over */
    uint64_t samples; /* so many */
};

/* One run. */
struct bench_log_case {
    const struct bench_log_kind *kind;
    uint32_t depth; /* of a recovery: not used */
    uint32_t payload_bytes;
    uint64_t items;
};

/* Puts entries in, at most `items` and for about BENCH_LOG_NS, each with its time from the
 * hand-over to the acknowledgement in samples[]; ends the process that did so, opens again, and
 * counts. */
struct bench_log_result bench_log_measure(const struct bench_log_case *one, double *samples);
#define BENCH_LOG_NS UINT64_C(250000000)

/* Puts `items` in; measures, after the end of the process that did so, how long it takes until all
 * of them are there again. */
struct bench_log_result bench_log_recover(const struct bench_log_case *one);

/* ---- for the contestants -------------------------------------------------------------------- */

/* Ends the process with a message if it is false. */
void bench_log_must(bool held, const char *what);
/* Whether an entry that was read is one of ours. */
bool bench_log_is_entry(const struct bench_log_setup *setup, const void *data, size_t bytes);
/* Memory, or the end of the process. */
void *bench_log_memory(size_t bytes);
/* Whether the system has what LEAT_LOG_SYNC_IO_URING needs. */
bool bench_log_uring_there(void);

#ifdef __cplusplus
}
#endif

#endif
