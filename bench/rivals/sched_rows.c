/* sched_rows.c - what is measured of a pool: how fast no-ops from outside run, how long a call
 * takes, how soon an item starts, what becomes of short jobs between long ones, and of urgent ones
 * behind many others.
 *
 * Where it is asked how soon something starts, items are due at times that are fixed before the
 * run, and count from then: who delays the sender delays what is measured (open loop). The sender
 * waits on the clock without sleeping. */
#include <stdlib.h>

#include "bench/kernels/ring_loop.h"
#include "bench/rivals/sched.h"
#include "ring/os.h"

/* Before the first item that counts. */
#define LEAD_NS UINT64_C(1000000)
/* Busy: the next item comes before a worker that looks for work goes to sleep, if it can look at
 * all. Idle: 200 microseconds and more after the last one ended. */
#define BUSY_PERIOD_NS UINT64_C(5000)
#define IDLE_PERIOD_NS UINT64_C(250000)
/* Items that are sent and do not count: one in so many, and one more. */
#define LEAD_PART 16
/* Readings of the clock of which the closest two count as what reading it takes. */
#define CLOCK_PAIRS 1000
/* Calls that are not timed, before those that are: a lap and a half of a bounded pool's ring, so
 * that no call is the first to touch a page. */
#define CALLS_LEAD (BENCH_SCHED_SLOTS + BENCH_SCHED_SLOTS / 2)
/* Of mixed jobs. */
#define MIXED_NS_MIN 100
#define MIXED_POWERS 10 /* times 2^10: 100 ns to 100 microseconds */
#define MIXED_SEED   UINT64_C(20261128)
/* One of them that comes so often keeps one worker busy for half of the time. Of short ones, three
 * powers of the ten, it is asked how soon they start. */
#define MIXED_PERIOD_NS UINT64_C(30000)
#define MIXED_SHORT_NS  (UINT64_C(8) * MIXED_NS_MIN)
/* The flood: jobs of a microsecond, of which so many wait at any time. */
#define FLOOD_NS   UINT64_C(1000)
#define FLOOD_JOBS 256
/* From one urgent job to the next, and from one look at the lower levels to the next. */
#define URGENT_PERIOD_NS UINT64_C(100000)
/* Of calm ones: from when the flood stands again to when the next one is due. */
#define CALM_PERIOD_NS UINT64_C(50000)
/* Who is so late was stopped by the machine. */
#define GAP_NS UINT64_C(1000)
/* From when an urgent job is due, so long the worker may not have been stopped. The same for all
 * pools, and longer than the bar: so no pool gains by letting it wait. */
#define CALM_NS UINT64_C(5000)
/* Longer than that is not waited for: it counts as this. */
#define STARVED_NS UINT64_C(20000000)

struct sample {
    struct bench_sched_item item; /* first: the item is the sample */
    leat_atomic_u64 started_ns;   /* 0: not yet */
};

static void
started(struct bench_sched_item *item)
{
    struct sample *sample = (struct sample *)item;
    atom_store_rel(&sample->started_ns, leat_os_monotonic_ns());
}

/* All pages touched. Freed by the end of the process, as jobs may be late. */
static struct sample *
samples_create(uint64_t count)
{
    struct sample *samples = malloc(count * sizeof(*samples));
    LEAT_ASSERT(samples != NULL);
    for (uint64_t i = 0; i < count; i++) {
        samples[i].item.run = started;
        atom_init(&samples[i].started_ns, 0);
    }
    return samples;
}

static double *
times_create(struct bench_sched_result *result, uint64_t count)
{
    result->samples_count = count;
    result->samples = calloc(count, sizeof(*result->samples));
    LEAT_ASSERT(result->samples != NULL);
    return result->samples;
}

static double
mean(const struct bench_sched_result *result)
{
    double sum = 0;
    for (size_t i = 0; i < result->samples_count; i++) {
        sum += result->samples[i];
    }
    return sum / (double)result->samples_count;
}

/* ---- no-ops --------------------------------------------------------------------------------- */

static void
outside(const struct bench_sched_run *run, struct bench_sched_result *result)
{
    uint64_t each = (run->items + run->producers - 1) / run->producers;
    uint64_t begin_ns = 0;
    result->posted = each * run->producers;
    bench_sched_produce(run, each, &begin_ns);
    bench_sched_wait(run, result->posted);
    result->ns = (double)(leat_os_monotonic_ns() - begin_ns) / (double)result->posted;
}

static uint64_t
clock_ticks(void)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < CLOCK_PAIRS; i++) {
        uint64_t begin = bench_ring_ticks();
        uint64_t ticks = bench_ring_ticks() - begin;
        least = ticks < least ? ticks : least;
    }
    return least;
}

/* Each call by itself, one after the other, without what reading the clock takes. */
static void
calls(const struct bench_sched_run *run, struct bench_sched_result *result)
{
    double *times = times_create(result, run->items);
    for (uint32_t i = 0; i < CALLS_LEAD; i++) {
        bench_sched_post(run, BENCH_SCHED_NORMAL, &bench_sched_noop);
    }
    uint64_t clock = clock_ticks();
    uint64_t begin_ns = leat_os_monotonic_ns();
    uint64_t begin_ticks = bench_ring_ticks();
    for (uint64_t i = 0; i < run->items; i++) {
        uint64_t ticks = bench_ring_ticks();
        bench_sched_post(run, BENCH_SCHED_NORMAL, &bench_sched_noop);
        times[i] = (double)(bench_ring_ticks() - ticks);
    }
    double rate =
        (double)(leat_os_monotonic_ns() - begin_ns) / (double)(bench_ring_ticks() - begin_ticks);
    for (uint64_t i = 0; i < run->items; i++) {
        times[i] = times[i] > (double)clock ? (times[i] - (double)clock) * rate : 0;
    }
    result->posted = run->items + CALLS_LEAD;
    result->ns = mean(result);
}

/* ---- how soon it starts --------------------------------------------------------------------- */

static void
latency(const struct bench_sched_run *run, uint64_t period_ns, struct bench_sched_result *result)
{
    uint64_t lead = run->items / LEAD_PART + 1;
    uint64_t count = run->items + lead;
    struct sample *samples = samples_create(count);
    double *times = times_create(result, run->items);
    uint64_t begin_ns = leat_os_monotonic_ns() + LEAD_NS;
    for (uint64_t i = 0; i < count; i++) {
        while (leat_os_monotonic_ns() < begin_ns + i * period_ns) {
            leat_pause();
        }
        bench_sched_post(run, BENCH_SCHED_NORMAL, &samples[i].item);
    }
    result->posted = count;
    bench_sched_wait(run, count);
    for (uint64_t i = 0; i < run->items; i++) {
        uint64_t due_ns = begin_ns + (i + lead) * period_ns;
        times[i] = (double)(atom_load_acq(&samples[i + lead].started_ns) - due_ns);
    }
    result->ns = mean(result);
}

static void
latency_busy(const struct bench_sched_run *run, struct bench_sched_result *result)
{
    latency(run, BUSY_PERIOD_NS, result);
}

static void
latency_idle(const struct bench_sched_run *run, struct bench_sched_result *result)
{
    latency(run, IDLE_PERIOD_NS, result);
}

/* ---- short and long jobs -------------------------------------------------------------------- */

struct mixed {
    struct bench_sched_item item; /* first: the item is the job */
    uint64_t ns;
};

static void
mixed_run(struct bench_sched_item *item)
{
    bench_sched_spin(((struct mixed *)item)->ns);
}

/* As many of each power of two, and even within it. */
static uint64_t
mixed_ns(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    uint64_t least_ns = (uint64_t)MIXED_NS_MIN << (*random >> 32) % MIXED_POWERS;
    return least_ns + (*random & UINT32_MAX) % least_ns;
}

static void
mixed(const struct bench_sched_run *run, struct bench_sched_result *result)
{
    struct mixed *jobs = malloc(run->items * sizeof(*jobs));
    LEAT_ASSERT(jobs != NULL);
    uint64_t random = MIXED_SEED;
    for (uint64_t i = 0; i < run->items; i++) {
        jobs[i] = (struct mixed){{mixed_run}, mixed_ns(&random)};
    }
    uint64_t begin_ns = leat_os_monotonic_ns();
    for (uint64_t i = 0; i < run->items; i++) {
        bench_sched_post(run, BENCH_SCHED_NORMAL, &jobs[i].item);
    }
    result->posted = run->items;
    bench_sched_wait(run, result->posted);
    result->ns = (double)(leat_os_monotonic_ns() - begin_ns) / (double)run->items;
}

struct mixed_sample {
    struct sample sample; /* first: the item is the job */
    uint64_t ns;
};

static void
mixed_started(struct bench_sched_item *item)
{
    started(item);
    bench_sched_spin(((struct mixed_sample *)item)->ns);
}

/* So many jobs until `shorts` of them are short. All powers come, so it ends. */
static uint64_t
mixed_count(uint64_t shorts)
{
    uint64_t random = MIXED_SEED;
    uint64_t count = 0;
    uint64_t found = 0;
    do {
        found += mixed_ns(&random) < MIXED_SHORT_NS ? 1 : 0;
        count++;
    } while (found < shorts);
    return count;
}

/* All pages touched. Freed by the end of the process. */
static struct mixed_sample *
mixed_create(uint64_t count)
{
    struct mixed_sample *jobs = malloc(count * sizeof(*jobs));
    LEAT_ASSERT(jobs != NULL);
    uint64_t random = MIXED_SEED;
    for (uint64_t i = 0; i < count; i++) {
        jobs[i].sample.item.run = mixed_started;
        atom_init(&jobs[i].sample.started_ns, 0);
        jobs[i].ns = mixed_ns(&random);
    }
    return jobs;
}

/* How soon short jobs start, behind whatever comes. */
static void
mixed_latency(const struct bench_sched_run *run, struct bench_sched_result *result)
{
    uint64_t lead = run->items / LEAD_PART + 1;
    uint64_t count = mixed_count(run->items + lead);
    struct mixed_sample *jobs = mixed_create(count);
    double *times = times_create(result, run->items);
    uint64_t begin_ns = leat_os_monotonic_ns() + LEAD_NS;
    for (uint64_t i = 0; i < count; i++) {
        while (leat_os_monotonic_ns() < begin_ns + i * MIXED_PERIOD_NS) {
            leat_pause();
        }
        bench_sched_post(run, BENCH_SCHED_NORMAL, &jobs[i].sample.item);
    }
    result->posted = count;
    bench_sched_wait(run, count);
    uint64_t shorts = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t due_ns = begin_ns + i * MIXED_PERIOD_NS;
        if (jobs[i].ns < MIXED_SHORT_NS && shorts++ >= lead) {
            times[shorts - lead - 1] = (double)(atom_load_acq(&jobs[i].sample.started_ns) - due_ns);
        }
    }
    result->ns = mean(result);
}

/* ---- floods --------------------------------------------------------------------------------- */

static void
flood_run(struct bench_sched_item *item)
{
    (void)item;
    bench_sched_spin(FLOOD_NS);
}

static struct bench_sched_item flood_item = {flood_run};

/* Keeps FLOOD_JOBS waiting until the time. */
static void
flood(const struct bench_sched_run *run, uint32_t level, uint64_t until_ns,
      struct bench_sched_result *result)
{
    while (leat_os_monotonic_ns() < until_ns) {
        uint64_t waiting = result->posted - bench_sched_ran();
        for (; waiting < FLOOD_JOBS && leat_os_monotonic_ns() < until_ns; waiting++) {
            bench_sched_post(run, level, &flood_item);
            result->posted++;
        }
        leat_pause();
    }
}

/* How long an urgent job waited, less what the job in front of it, which has begun, may take. */
static double
priority_ns(struct sample *sample, uint64_t due_ns)
{
    uint64_t front_ns = due_ns + FLOOD_NS;
    uint64_t started_ns = atom_load_acq(&sample->started_ns);
    return started_ns > front_ns ? (double)(started_ns - front_ns) : 0;
}

/* An urgent job now and then, behind a flood that is not. */
static void
priority(const struct bench_sched_run *run, struct bench_sched_result *result)
{
    struct sample *samples = samples_create(run->items);
    double *times = times_create(result, run->items);
    uint64_t begin_ns = leat_os_monotonic_ns() + LEAD_NS;
    for (uint64_t i = 0; i < run->items; i++) {
        flood(run, BENCH_SCHED_LOW, begin_ns + i * URGENT_PERIOD_NS, result);
        bench_sched_post(run, BENCH_SCHED_CRITICAL, &samples[i].item);
        result->posted++;
    }
    bench_sched_wait(run, result->posted);
    for (uint64_t i = 0; i < run->items; i++) {
        times[i] = priority_ns(&samples[i], begin_ns + i * URGENT_PERIOD_NS);
    }
    result->ns = mean(result);
}

/* ---- the same on a calm machine ------------------------------------------------------------- */

/* An urgent job, and what may have stopped it. */
struct calm_sample {
    struct sample sample; /* first: the item is this */
    uint64_t due_ns;
    leat_atomic_u32 stopped; /* 1: the machine stopped a thread when it was due */
};

static struct {
    struct calm_sample *samples;
    leat_atomic_u64 known; /* of so many it is known when they are due */
} calm;

/* A job of the flood. If it took much longer than it takes, the worker was stopped: then the urgent
 * jobs that were due meanwhile, or shortly before, are marked. */
static void
calm_run(struct bench_sched_item *item)
{
    (void)item;
    uint64_t begin_ns = leat_os_monotonic_ns();
    bench_sched_spin(FLOOD_NS);
    uint64_t end_ns = leat_os_monotonic_ns();
    if (LEAT_LIKELY(end_ns - begin_ns <= FLOOD_NS + GAP_NS)) {
        return;
    }
    for (uint64_t i = atom_load_acq(&calm.known); i-- > 0;) {
        struct calm_sample *urgent = &calm.samples[i];
        if (urgent->due_ns + CALM_NS < begin_ns) {
            return;
        }
        if (urgent->due_ns < end_ns) {
            atom_store_rel(&urgent->stopped, 1);
        }
    }
}

/* Until the urgent job is due the sender only reads the clock: so what it is late by is the
 * machine's. What the call takes, and a gap within it, is the pool's. */
static void
calm_wait(struct calm_sample *urgent)
{
    uint64_t now_ns = leat_os_monotonic_ns();
    while (now_ns < urgent->due_ns) {
        leat_pause();
        now_ns = leat_os_monotonic_ns();
    }
    if (now_ns > urgent->due_ns + GAP_NS) {
        atom_store_rel(&urgent->stopped, 1);
    }
}

/* All memory of the urgent level is used once: what a page costs at its first use is not asked. */
static void
calm_warm(const struct bench_sched_run *run, struct bench_sched_result *result)
{
    for (; result->posted < BENCH_SCHED_SLOTS; result->posted++) {
        bench_sched_post(run, BENCH_SCHED_CRITICAL, &bench_sched_noop);
    }
    bench_sched_wait(run, result->posted);
}

/* As priority(), and only of those urgent jobs into which no gap of the machine fell. */
static void
priority_calm(const struct bench_sched_run *run, struct bench_sched_result *result)
{
    static struct bench_sched_item flood_calm = {calm_run};
    calm.samples = calloc(run->items, sizeof(*calm.samples));
    LEAT_ASSERT(calm.samples != NULL);
    double *times = times_create(result, run->items);
    calm_warm(run, result);
    for (uint64_t i = 0; i < run->items; i++) {
        struct calm_sample *urgent = &calm.samples[i];
        uint64_t waiting = result->posted - bench_sched_ran();
        for (; waiting < FLOOD_JOBS; waiting++) {
            bench_sched_post(run, BENCH_SCHED_LOW, &flood_calm);
            result->posted++;
        }
        urgent->sample.item.run = started;
        urgent->due_ns = leat_os_monotonic_ns() + CALM_PERIOD_NS;
        atom_store_rel(&calm.known, i + 1);
        calm_wait(urgent);
        bench_sched_post(run, BENCH_SCHED_CRITICAL, &urgent->sample.item);
        result->posted++;
    }
    bench_sched_wait(run, result->posted);
    size_t kept = 0;
    for (uint64_t i = 0; i < run->items; i++) {
        struct calm_sample *urgent = &calm.samples[i];
        if (atom_load_acq(&urgent->stopped) == 0) {
            times[kept++] = priority_ns(&urgent->sample, urgent->due_ns);
        }
    }
    /* Where none is left there is one that did not wait: see the number of samples. */
    result->samples_count = kept == 0 ? 1 : kept;
    result->ns = mean(result);
}

/* ---- starvation ----------------------------------------------------------------------------- */

/* True: all have started. */
static bool
all_started(struct sample *samples, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (atom_load_acq(&samples[i].started_ns) == 0) {
            return false;
        }
    }
    return true;
}

/* A job of each lower level, under a flood of the most urgent one: how long until all of them have
 * started. */
static void
starvation(const struct bench_sched_run *run, struct bench_sched_result *result)
{
    uint32_t lower = run->kind->levels_count - 1;
    struct sample *samples = samples_create(run->items * lower);
    double *times = times_create(result, run->items);
    flood(run, BENCH_SCHED_CRITICAL, leat_os_monotonic_ns() + LEAD_NS, result);
    for (uint64_t i = 0; i < run->items; i++) {
        struct sample *mine = &samples[i * lower];
        uint64_t begin_ns = leat_os_monotonic_ns();
        uint64_t end_ns = begin_ns + STARVED_NS;
        for (uint32_t level = 0; level < lower; level++) {
            bench_sched_post(run, run->kind->levels[level + 1], &mine[level].item);
            result->posted++;
        }
        uint64_t now_ns = begin_ns;
        while (!all_started(mine, lower) && now_ns < end_ns) {
            now_ns = leat_os_monotonic_ns() + FLOOD_NS;
            flood(run, BENCH_SCHED_CRITICAL, now_ns, result);
        }
        uint64_t last_ns = begin_ns;
        for (uint32_t level = 0; level < lower; level++) {
            uint64_t started_ns = atom_load_acq(&mine[level].started_ns);
            started_ns = started_ns == 0 ? end_ns : started_ns;
            last_ns = started_ns > last_ns ? started_ns : last_ns;
        }
        times[i] = (double)(last_ns - begin_ns);
    }
    bench_sched_wait(run, result->posted);
    result->ns = mean(result);
}

/* ---- all of them ---------------------------------------------------------------------------- */

#define TASKS BENCH_SCHED_TASKS
#define JOBS  BENCH_SCHED_JOBS

const struct bench_sched_row bench_sched_rows[] = {
    {.name = "outside_1w", .uses = TASKS, .workers = 1, .producers = 1, .measure = outside},
    {.name = "outside_2w", .uses = TASKS, .workers = 2, .producers = 1, .measure = outside},
    {.name = "outside_4p_2w", .uses = TASKS, .workers = 2, .producers = 4, .measure = outside},
    {.name = "outside_4x", .uses = TASKS, .workers = 0, .producers = 1, .measure = outside},
    {.name = "outside_batch32_1w",
     .uses = TASKS,
     .workers = 1,
     .producers = 1,
     .batch = true,
     .measure = outside},
    {.name = "job_outside_1w",
     .uses = TASKS | JOBS,
     .workers = 1,
     .producers = 1,
     .measure = outside},
    {.name = "submit_call",
     .uses = TASKS | JOBS | BENCH_SCHED_UNWOKEN,
     .workers = 1,
     .producers = 1,
     .measure = calls},
    {.name = "latency_busy", .uses = TASKS, .workers = 2, .producers = 1, .measure = latency_busy},
    {.name = "latency_busy_1w",
     .uses = TASKS,
     .workers = 1,
     .producers = 1,
     .measure = latency_busy},
    {.name = "latency_idle", .uses = TASKS, .workers = 2, .producers = 1, .measure = latency_idle},
    {.name = "latency_idle_1w",
     .uses = TASKS,
     .workers = 1,
     .producers = 1,
     .measure = latency_idle},
    {.name = "mixed_1w", .uses = TASKS, .workers = 1, .producers = 1, .measure = mixed},
    {.name = "mixed_2w", .uses = TASKS, .workers = 2, .producers = 1, .measure = mixed},
    {.name = "mixed_4x", .uses = TASKS, .workers = 0, .producers = 1, .measure = mixed},
    {.name = "mixed_latency",
     .uses = TASKS,
     .workers = 1,
     .producers = 1,
     .measure = mixed_latency},
    {.name = "priority",
     .uses = TASKS | BENCH_SCHED_FLOOR,
     .workers = 1,
     .producers = 1,
     .measure = priority},
    {.name = "priority_calm",
     .uses = TASKS | BENCH_SCHED_FLOOR,
     .workers = 1,
     .producers = 1,
     .measure = priority_calm},
    {.name = "starvation",
     .uses = BENCH_SCHED_LEVELS,
     .workers = 1,
     .producers = 1,
     .measure = starvation},
    {.name = NULL},
};
