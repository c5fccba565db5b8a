/* timer_leat.c - the timing wheel of sched/ as a kind of timer.h. Records are 64 bytes, as jobs
 * have them: their word and link stand among other things. */
#include <stdlib.h>
#include <string.h>

#include "bench/kernels/timer.h"
#include "ring/os.h"
#include "sched/wheel.h"

#define TICK_LOG2 LEAT_WHEEL_TICK_LOG2_DEFAULT
#define TICK_NS   (UINT64_C(1) << TICK_LOG2)

struct record {
    leat_atomic_u64 word;
    leat_atomic_u32 link;
    uint32_t fired; /* the tick, written by who is handed the record */
    unsigned char rest[48];
};

struct timers {
    struct leat_wheels wheels;
    struct leat_wheel *wheel;
    const struct bench_timer_plan *plan;
    struct record *records;
    size_t bytes;
};

static void *
leat_create(const struct bench_timer_plan *plan)
{
    struct timers *made =
        aligned_alloc(LEAT_LINE_BYTES, leat_round_up(sizeof(struct timers), LEAT_LINE_BYTES));
    LEAT_ASSERT(made != NULL);
    memset(made, 0, sizeof(*made));
    made->plan = plan;
    made->bytes = plan->count * sizeof(struct record);
    made->records = leat_os_map(made->bytes);
    LEAT_ASSERT(made->records != NULL);
    /* Every page is there, as in a pool that has run for a while. */
    LEAT_ASSERT(leat_os_prefault(made->records, made->bytes) == LEAT_OS_OK);
    const struct leat_wheels_config config = {.words = &made->records[0].word,
                                              .links = &made->records[0].link,
                                              .stride = sizeof(struct record),
                                              .records = plan->count,
                                              .wheels = 1,
                                              .tick_log2 = TICK_LOG2,
                                              .start_ns = 0};
    LEAT_ASSERT(leat_wheels_init(&made->wheels, &config));
    made->wheel = leat_wheels_at(&made->wheels, 0);
    LEAT_ASSERT(leat_wheel_enter(made->wheel));
    return made;
}

static void
leat_destroy(void *timers)
{
    struct timers *made = timers;
    leat_wheels_fini(&made->wheels);
    leat_os_unmap(made->records, made->bytes);
    free(made);
}

static void
leat_arm(void *timers)
{
    const struct timers *made = timers;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        (void)leat_wheel_arm(made->wheel, i, made->plan->deadlines[i] * TICK_NS);
    }
}

static void
leat_cancel(void *timers)
{
    struct timers *made = timers;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        (void)leat_wheel_cancel(&made->wheels, made->wheel, made->plan->order[i]);
    }
}

static void
leat_rearm(void *timers)
{
    struct timers *made = timers;
    for (uint32_t i = 0; i < made->plan->count; i++) {
        uint32_t index = made->plan->order[i];
        (void)leat_wheel_rearm(&made->wheels, made->wheel, index,
                               made->plan->moved[index] * TICK_NS);
    }
}

static uint32_t
leat_fire(void *timers)
{
    struct timers *made = timers;
    uint32_t fired = 0;
    for (uint32_t tick = 1; tick <= BENCH_TIMER_TICKS; tick++) {
        struct leat_wheel_step step = {.now_ns = tick * TICK_NS};
        bool more = true;
        while (more) {
            step.budget = LEAT_WHEEL_NODES_MAX;
            more = leat_wheel_advance(made->wheel, &step);
            for (uint32_t i = 0; i < step.count; i++) {
                made->records[step.indices[i]].fired = tick;
                fired += made->plan->deadlines[step.indices[i]] == tick ? 1 : 0;
            }
        }
    }
    return fired;
}

static uint64_t
leat_bytes(void *timers)
{
    struct timers *made = timers;
    /* None was given back so far. */
    return leat_slab_takes(&made->wheels.blocks) * sizeof(struct leat_wheel_block) +
           made->plan->count * sizeof(uint32_t) + sizeof(struct leat_wheel);
}

const struct bench_timer_kind bench_timers_leat[] = {
    {{"leat wheel", BENCH_TIMER_ARM | BENCH_TIMER_CANCEL | BENCH_TIMER_FIRE | BENCH_TIMER_REARM,
      "records of 64 bytes"},
     leat_create,
     leat_destroy,
     leat_arm,
     leat_cancel,
     leat_rearm,
     leat_fire,
     leat_bytes},
    {.facts = {.name = NULL}},
};

/* ---- through the inbox ----------------------------------------------------------------------- */

static uint64_t
take_all(struct timers *made)
{
    uint64_t begin_ns = leat_os_monotonic_ns();
    struct leat_wheel_step step = {.now_ns = 0};
    bool more = true;
    while (more) {
        step.budget = LEAT_WHEEL_NODES_MAX;
        more = leat_wheel_advance(made->wheel, &step);
    }
    return leat_os_monotonic_ns() - begin_ns;
}

/* The thread that sends takes, too: so what is measured is the work, not the way between cores. */
struct bench_timer_remote
bench_timer_remote_arm(void *timers)
{
    struct timers *made = timers;
    uint64_t begin_ns = leat_os_monotonic_ns();
    for (uint32_t i = 0; i < made->plan->count; i++) {
        (void)leat_wheel_arm_any(made->wheel, i, made->plan->deadlines[i] * TICK_NS);
    }
    uint64_t sent_ns = leat_os_monotonic_ns() - begin_ns;
    return (struct bench_timer_remote){sent_ns, take_all(made)};
}

struct bench_timer_remote
bench_timer_remote_cancel(void *timers)
{
    struct timers *made = timers;
    leat_arm(made);
    uint64_t begin_ns = leat_os_monotonic_ns();
    for (uint32_t i = 0; i < made->plan->count; i++) {
        (void)leat_wheel_cancel(&made->wheels, NULL, made->plan->order[i]);
    }
    uint64_t sent_ns = leat_os_monotonic_ns() - begin_ns;
    return (struct bench_timer_remote){sent_ns, take_all(made)};
}
