/* ring.h - how rings are measured, Leat's and others' alike. A run hands a fixed number of items
 * from producers to consumers, each on a thread of its own, and checks every item.
 *
 * A ring is described by a `struct bench_ring_kind`. Its loops are those of ring_loop.h, compiled
 * for it, so that all are measured by the same code and none pays for a call by pointer per item.
 *
 * Waiting  all kinds wait alike, see bench_ring_wait(): none of the loops knows how.
 * Items    who pushed it, and the how many-th of that producer it is, from 1: 27 bits, of the 28
 *          that Leat's rings carry; never 0, which some rings use for an empty slot.
 * Checked  each consumer sees the items of each producer in ascending order, but for a ring that
 *          says otherwise; and all consumers together as many as were pushed, and their sum. */
#ifndef BENCH_KERNELS_RING_H
#define BENCH_KERNELS_RING_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_RING_SLOTS_LOG2    10
#define BENCH_RING_SLOTS         (1U << BENCH_RING_SLOTS_LOG2)
#define BENCH_RING_BATCH         32U
#define BENCH_RING_SEQUENCE_BITS 24
/* Producers, and consumers; a power of two. */
#define BENCH_RING_SIDES_MAX 8U
/* Of one producer: what the sequence holds. */
#define BENCH_RING_ITEMS_MAX ((UINT64_C(1) << BENCH_RING_SEQUENCE_BITS) - 1)
/* Shares of threads are multiples of a batch if `items` is a multiple of this. */
#define BENCH_RING_ITEMS_UNIT (UINT64_C(1) * BENCH_RING_BATCH * BENCH_RING_SIDES_MAX)
/* Before another try, unless said otherwise: about a microsecond, in which the other side handles a
 * few dozen items. A try at once would fetch the very line, or take the very lock, that it uses. */
#define BENCH_RING_PAUSES 32U

/* ---- what is asked for ---------------------------------------------------------------------- */

struct bench_ring_shape {
    uint32_t producers; /* 1 to BENCH_RING_SIDES_MAX */
    uint32_t consumers; /* as many, or 0: one thread pushes and pops in turn */
    bool batch;         /* batches of BENCH_RING_BATCH */
    bool timed;         /* each call is timed, which makes the whole slower */
    uint32_t pauses;    /* see bench_ring_wait() */
    uint64_t items;     /* a multiple of BENCH_RING_ITEMS_UNIT, or of 1 where one thread is alone */
};

/* ---- what comes out ------------------------------------------------------------------------- */

struct bench_ring_spread {
    double p50_ns;
    double p99_ns;
    double p999_ns;
    double max_ns;
};

struct bench_ring_run {
    uint64_t elapsed_ns; /* from the first thread that began to the last that ended */
    uint64_t full;       /* pushes that found no room */
    uint64_t empty;      /* pops that found nothing */
    uint64_t disordered; /* items behind a later one of their producer */
    uint64_t wrong;      /* the same, where the ring keeps them in order; 1 if their sum is wrong */
    /* Where timed. A call is one push or pop, or one of a batch, whatever it answered; done is the
     * time from the first try to the one that succeeded, waiting included. */
    struct bench_ring_spread call;
    struct bench_ring_spread done;
};

/* ---- rings ---------------------------------------------------------------------------------- */

/* Which runs a ring is for, as bits. */
enum bench_ring_use {
    BENCH_RING_MANY = 1,      /* any number on both sides, one item at a time */
    BENCH_RING_BATCHED = 2,   /* the same in batches, by a call of its own or one by one */
    BENCH_RING_SPSC = 4,      /* one on each side */
    BENCH_RING_UNCROWDED = 8, /* not where threads share CPUs: a call may wait, and never yields */
    /* Items may change their order where a thread is stopped inside a call. */
    BENCH_RING_DISORDERS = 16
};

struct bench_ring_facts {
    const char *name;
    unsigned uses;
    uint32_t capacity; /* items */
    double bytes_per_slot;
    /* Instructions that lock a line, for a push and a pop that find no contention, per item. */
    double locked_single;
    double locked_batch;
    const char *note; /* what a reader of the figures should know; or "" */
};

struct bench_ring_side;

/* Each loop runs a whole share. */
struct bench_ring_kind {
    struct bench_ring_facts facts; /* name NULL: the end of a list */
    void *(*create)(const struct bench_ring_shape *shape);
    void (*destroy)(void *ring);
    void (*solo)(struct bench_ring_side *side);
    void (*produce)(struct bench_ring_side *side);
    void (*consume)(struct bench_ring_side *side);
    void (*produce_batch)(struct bench_ring_side *side);
    void (*consume_batch)(struct bench_ring_side *side);
};

/* Lists that end with a kind without a name. */
extern const struct bench_ring_kind bench_rings_leat[];
extern const struct bench_ring_kind bench_rings_mutex[];

/* Runs once, on a ring of its own that has been used before it counts. Ends the process where it
 * cannot have the memory or the threads. */
struct bench_ring_run bench_ring_measure(const struct bench_ring_kind *kind,
                                         const struct bench_ring_shape *shape);

/* ---- for the loops -------------------------------------------------------------------------- */

/* Times in ticks, on a scale of BENCH_RING_STEPS steps for each power of two. */
#define BENCH_RING_STEPS_LOG2 6
#define BENCH_RING_STEPS      (1U << BENCH_RING_STEPS_LOG2)
#define BENCH_RING_POWERS     40U

struct bench_ring_histogram {
    uint32_t counts[BENCH_RING_STEPS * BENCH_RING_POWERS];
    uint64_t max;
};

struct bench_ring_crew;

/* One thread's part in a run. */
struct bench_ring_side {
    void *ring;
    struct bench_ring_crew *crew; /* all threads of the run */
    uint64_t items;               /* to push, or to pop */
    uint32_t index;               /* which producer, or which consumer */
    bool timed;
    struct bench_ring_histogram *call; /* where timed */
    struct bench_ring_histogram *done;
    uint64_t begin_ns; /* from here on: what the loop found */
    uint64_t begin_ticks;
    uint64_t end_ns;
    uint64_t end_ticks;
    uint64_t refused;
    uint64_t sum;
    uint64_t disordered;
    uint64_t wrong;
};

/* Returns when all threads of the run are here; the clock starts. */
void bench_ring_begin(struct bench_ring_side *side);
void bench_ring_end(struct bench_ring_side *side);

/* Waits after a call was refused, `refused` times now for this item: some pauses; where threads
 * share CPUs, from the second time on it yields, since the one waited for may need this CPU. */
void bench_ring_wait(const struct bench_ring_side *side, uint32_t refused);

#ifdef __cplusplus
}
#endif

#endif
