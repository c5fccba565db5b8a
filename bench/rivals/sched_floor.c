/* sched_floor.c - what a program gets that needs one worker and its levels, and nothing else: a
 * plain ring of each level, and a thread that looks at them in turn and never sleeps. The floor of
 * the row of priorities, and no pool. */
#include "bench/kernels/thread.h"
#include "bench/rivals/sched.h"

#define LEVELS 8U

/* Leslie Lamport's ring of one producer and one consumer. Letters: P the producer, C the worker. */
struct level {
    LEAT_ALIGNED_LINE leat_atomic_u64 tail; /* P */
    LEAT_ALIGNED_LINE leat_atomic_u64 head; /* C */
    struct bench_sched_item *items[BENCH_SCHED_SLOTS];
};

static struct level levels[LEVELS];

/* NULL: there is nothing in it. */
static struct bench_sched_item *
take(struct level *level)
{
    uint64_t head = atom_load_rlx(&level->head); /* rlx: single writer */
    /* posted:A acquire -> posted:B.  Carries: the item.
     * If relaxed: an old item could be run. */
    if (atom_load_acq(&level->tail) == head) {
        return NULL;
    }
    struct bench_sched_item *item = level->items[head % BENCH_SCHED_SLOTS];
    /* taken:A release -> taken:B.  Carries: that the slot was read.
     * If relaxed: it could be written before. */
    atom_store_rel(&level->head, head + 1);
    return item;
}

static void *
work(void *argument)
{
    (void)argument;
    for (;;) {
        struct bench_sched_item *item = NULL;
        for (uint32_t i = 0; i < LEVELS && item == NULL; i++) {
            item = take(&levels[i]);
        }
        if (item != NULL) {
            bench_sched_job(item);
        } else {
            leat_pause();
        }
    }
    return NULL;
}

static void *
floor_open(const struct bench_sched_config *config)
{
    LEAT_ASSERT(config->workers == 1 && config->producers == 1);
    (void)bench_thread_start(work, NULL, 0);
    return levels;
}

static bool
floor_post(void *port, uint32_t level, struct bench_sched_item *item)
{
    struct level *to = (struct level *)port + level;
    uint64_t tail = atom_load_rlx(&to->tail); /* rlx: single writer */
    /* taken:B acquire -> taken:A.  Carries: see taken:A.
     * If relaxed: see taken:A. */
    if (tail - atom_load_acq(&to->head) == BENCH_SCHED_SLOTS) {
        return false;
    }
    to->items[tail % BENCH_SCHED_SLOTS] = item;
    /* posted:B release -> posted:A.  Carries: see posted:A.
     * If relaxed: see posted:A. */
    atom_store_rel(&to->tail, tail + 1);
    return true;
}

const struct bench_sched_kind bench_pools_floor[] = {
    {.name = "bare rings",
     .uses = BENCH_SCHED_FLOOR | BENCH_SCHED_PLACES,
     .note = "the floor: a plain ring of each level and one thread that looks at them in turn",
     .open = floor_open,
     .post = floor_post},
    {.name = NULL},
};
