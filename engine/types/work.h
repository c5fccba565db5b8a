/* work.h - one attempt of a job of a ready-made type, and the thread that has all of them.
 *
 * Roles    handlers, on workers: make an attempt's work and hand it in. The thread: all else. So
 *          nothing of a work is shared, but through the list of what was handed in, under a lock
 *          that is held for a few instructions.
 * Claims   An attempt begins when the engine has taken its answer, pending, and not before: a
 *          handler that was timed out between hand-in and answer leaves no work behind. It ends
 *          when nothing of it runs any more. So no two attempts of a job are at work at once.
 *
 *   HANDED   handed in; its handler may not have returned
 *   RUNS     begun by its kind
 *   STOPS    told to end, and why: cancelled, out of time, or all are
 *   ENDED    has an answer, which the engine has not taken yet
 *
 *   HANDED -> RUNS -> STOPS -> ENDED; RUNS -> ENDED; HANDED -> ENDED: begun in vain, or cancelled;
 *   HANDED -> gone: the attempt is another's, or the job's record is gone; ENDED -> gone.
 */
#ifndef ENGINE_TYPES_WORK_H
#define ENGINE_TYPES_WORK_H

#include <pthread.h>
#include <sys/queue.h>

#include "engine/types/fields.h"

#define LEAT_SECOND_NS      UINT64_C(1000000000)
#define LEAT_WORK_TEXT_MAX  256
#define LEAT_WORK_PIPE_READ ((size_t)64 << 10) /* what a pipe of the system holds by default */

enum leat_work_stage { LEAT_WORK_HANDED, LEAT_WORK_RUNS, LEAT_WORK_STOPS, LEAT_WORK_ENDED };
enum leat_work_why { LEAT_WHY_ITSELF, LEAT_WHY_CANCELLED, LEAT_WHY_TIME, LEAT_WHY_STOPPED };

struct leat_work;
struct leat_types;
struct leat_ready_type;

/* Room in which a payload of so many bytes can be decoded, whatever it is. */
#define LEAT_WORK_ROOM(bytes) (2 * (bytes) + 16)

/* What the kinds do. All are called by the thread, but for read. */
struct leat_kind {
    /* Of the kind's own struct, which begins with its struct leat_work. */
    size_t work_bytes;
    /* Fills in a work, which is all zero, from a payload that lies behind it, as its room does; or
     * says what the payload cannot be read for. */
    enum leat_status (*read)(struct leat_work *work, const void *payload, size_t bytes, void *room);
    void (*begin)(struct leat_types *types, struct leat_work *work);
    /* Told once: it is to end soon, by leat_work_end(). */
    void (*stop)(struct leat_types *types, struct leat_work *work);
    /* STOPS, and its harder_ns has come; NULL: it never does. */
    void (*stop_harder)(struct leat_work *work);
    /* Writes its result, of which parts of any length are cut to `most` bytes; NULL: none. */
    void (*result)(const struct leat_work *work, size_t most, struct leat_writer *writer);
    void (*destroy)(struct leat_work *work); /* frees it */
    /* Frees what struct leat_ready_type.options is. */
    void (*options_destroy)(void *options);
};

/* A registered type: the context of its handler. */
struct leat_ready_type {
    struct leat_ready_type *next;
    struct leat_types *types;
    const struct leat_kind *kind;
    void *options; /* of its kind */
};

struct leat_work {
    TAILQ_ENTRY(leat_work) link;
    const struct leat_ready_type *type;
    leat_token token;
    enum leat_work_stage stage;
    enum leat_work_why why;
    uint64_t timeout_ns;
    uint64_t deadline_ns; /* MONOTONIC; LEAT_FOREVER: none */
    uint64_t harder_ns;   /* of STOPS: when it is told once more */
    struct leat_outcome outcome;
    char error[LEAT_WORK_TEXT_MAX]; /* "": none */
};

TAILQ_HEAD(leat_work_list, leat_work);

/* What the thread waits for beside curl's: calls `ready` when the descriptor is. Lies in a work. */
struct leat_ear {
    void (*ready)(struct leat_types *types, struct leat_ear *ear);
    int fd; /* -1: none */
};

struct leat_types {
    struct leat_engine *engine;
    uint64_t look_ns;
    pthread_t thread;
    bool stopped; /* of the caller of leat_types_stop() */

    pthread_mutex_t lock; /* of these */
    struct leat_work_list handed;
    struct leat_ready_type *registered;
    bool stopping;

    /* The thread's own. */
    struct leat_work_list begins; /* HANDED */
    struct leat_work_list runs;   /* RUNS, STOPS */
    struct leat_work_list ended;  /* ENDED */
    uint64_t next_look_ns;
    int epoll;
    struct leat_ear wake;
    void *multi;           /* CURLM */
    unsigned char *buffer; /* LEAT_WORK_PIPE_READ bytes */
};

uint64_t leat_types_now(void);

/* Registers a handler of the kind. Takes `options`, also where it fails: frees it then. */
enum leat_status leat_types_add(struct leat_types *types, const char *name,
                                const struct leat_kind *kind, void *options,
                                const struct leat_type_options *type_options, leat_type *type);

/* The work has come to this, and nothing of it runs any more. `error` NULL: none. */
void leat_work_end(struct leat_types *types, struct leat_work *work, struct leat_outcome outcome,
                   const char *error);

/* False: the system has no room; errno says more. */
bool leat_ear_open(struct leat_types *types, struct leat_ear *ear, int fd);
/* Closes the descriptor as well; -1 does nothing. */
void leat_ear_close(struct leat_types *types, struct leat_ear *ear);

/* ---- transfer.c ------------------------------------------------------------------------------ */

/* False: there is no memory. */
bool leat_transfers_init(struct leat_types *types);
void leat_transfers_fini(struct leat_types *types);
/* Waits for the ears, what curl waits for, or so long. */
void leat_transfers_wait(struct leat_types *types, uint64_t timeout_ns);
void leat_transfers_step(struct leat_types *types);

#endif
