/* sched_run.c - the workers' side of sched.h, and one run: a pool, its warm-up, its producers. */
#include "bench/rivals/sched.h"

#include <stdlib.h>

#include "bench/kernels/machine.h"
#include "bench/kernels/thread.h"

/* No-ops before it counts: two laps of what a bounded pool holds. */
#define WARM_JOBS (UINT64_C(2) * BENCH_SCHED_SLOTS)
/* All workers have their first job by then, or the run is wrong. */
#define MEET_NS UINT64_C(1000000000)
/* Some 10 microseconds, see bench/kernels/pool.c; towards the end fewer, so that it is seen. */
#define FULL_PAUSES     256
#define LOOK_PAUSES_MAX 256
#define LOOK_JOBS       8
/* After the last job, for one that runs twice. */
#define LATE_NS UINT64_C(200000)
/* Of the loop in bench_sched_spin(): some 200 microseconds, of which the shortest counts. */
#define SPIN_ROUNDS  100000
#define SPIN_SAMPLES 20

/* A worker; nothing that it writes shares a line with another's. */
struct seat {
    LEAT_ALIGNED_LINE leat_atomic_u64 ran;
};

static struct {
    struct seat seats[BENCH_SCHED_WORKERS_MAX];
    uint64_t before; /* jobs that ran to make it warm */
    double rounds_per_ns;
    cpu_set_t allowed;
    uint32_t workers;
    bool places;
    LEAT_ALIGNED_LINE leat_atomic_u32 seated;  /* workers that had a job */
    LEAT_ALIGNED_LINE leat_atomic_u32 met;     /* of those, in meet() */
    LEAT_ALIGNED_LINE leat_atomic_u32 arrived; /* producers that are ready */
} here;

static _Thread_local struct seat *own;

struct bench_sched_item bench_sched_noop;

/* ---- workers -------------------------------------------------------------------------------- */

static void
place(uint32_t number)
{
    uint32_t left = number % (uint32_t)CPU_COUNT(&here.allowed);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &here.allowed) && left-- == 0) {
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            (void)sched_setaffinity(0, sizeof(one), &one);
            return;
        }
    }
}

static __attribute__((noinline)) void
sit_down(void)
{
    uint32_t number = atom_add_acq_rel(&here.seated, 1);
    LEAT_ASSERT(number < BENCH_SCHED_WORKERS_MAX);
    own = &here.seats[number];
    if (!here.places) {
        place(number);
    }
}

void
bench_sched_job(void *item)
{
    if (LEAT_UNLIKELY(own == NULL)) {
        sit_down();
    }
    if (item != &bench_sched_noop) {
        struct bench_sched_item *work = item;
        work->run(work);
    }
    /* Released for the look of bench_sched_ran(). */
    atom_store_rel(&own->ran, atom_load_rlx(&own->ran) + 1);
}

static uint64_t
ran_sum(void)
{
    uint64_t sum = 0;
    uint32_t seated = atom_load_acq(&here.seated);
    for (uint32_t i = 0; i < seated; i++) {
        sum += atom_load_acq(&here.seats[i].ran);
    }
    return sum;
}

uint64_t
bench_sched_ran(void)
{
    return ran_sum() - here.before;
}

/* Keeps a worker until each of them is here, so that each has its place before it counts. */
static void
meet(struct bench_sched_item *item)
{
    (void)item;
    uint64_t deadline_ns = leat_os_monotonic_ns() + MEET_NS;
    (void)atom_add_acq_rel(&here.met, 1);
    while (atom_load_acq(&here.met) < here.workers && leat_os_monotonic_ns() < deadline_ns) {
        leat_os_yield();
    }
}

/* ---- work ----------------------------------------------------------------------------------- */

static __attribute__((noinline)) uint64_t
spin(uint64_t rounds)
{
    uint64_t value = rounds;
    for (uint64_t i = 0; i < rounds; i++) {
        value = value * UINT64_C(6364136223846793005) + 1;
        __asm__ volatile("" : "+r"(value)); /* one by one, and not left out */
    }
    return value;
}

void
bench_sched_calibrate(void)
{
    uint64_t least_ns = UINT64_MAX;
    for (int i = 0; i < SPIN_SAMPLES; i++) {
        uint64_t begin_ns = leat_os_monotonic_ns();
        (void)spin(SPIN_ROUNDS);
        uint64_t ns = leat_os_monotonic_ns() - begin_ns;
        least_ns = ns < least_ns ? ns : least_ns;
    }
    here.rounds_per_ns = (double)SPIN_ROUNDS / (double)least_ns;
}

void
bench_sched_spin(uint64_t ns)
{
    (void)spin((uint64_t)((double)ns * here.rounds_per_ns));
}

/* ---- producers ------------------------------------------------------------------------------ */

void
bench_sched_post(const struct bench_sched_run *run, uint32_t level, struct bench_sched_item *item)
{
    while (LEAT_UNLIKELY(!run->kind->post(run->port, level, item))) {
        bench_wait(run->crowded, FULL_PAUSES);
    }
}

static void
post_noops(const struct bench_sched_run *run, uint64_t count)
{
    if (run->batch && run->kind->post_noops != NULL) {
        while (count > 0) {
            size_t some = count < BENCH_SCHED_BATCH ? (size_t)count : BENCH_SCHED_BATCH;
            size_t taken = run->kind->post_noops(run->port, some);
            count -= taken;
            if (LEAT_UNLIKELY(taken < some)) {
                bench_wait(run->crowded, FULL_PAUSES);
            }
        }
        return;
    }
    for (; count > 0; count--) {
        bench_sched_post(run, BENCH_SCHED_NORMAL, &bench_sched_noop);
    }
}

struct producer {
    LEAT_ALIGNED_LINE struct bench_sched_run run;
    uint64_t each;
    uint32_t number;
    pthread_t thread;
};

static void *
attach(const struct bench_sched_kind *kind, void *pool, uint32_t number)
{
    return kind->attach == NULL ? pool : kind->attach(pool, number);
}

/* Returns when all producers are ready. */
static void
arrive(const struct bench_sched_run *run)
{
    (void)atom_add_acq_rel(&here.arrived, 1);
    while (atom_load_acq(&here.arrived) < run->producers) {
        bench_wait(run->crowded, 1);
    }
}

static void *
producer_run(void *argument)
{
    struct producer *producer = argument;
    struct bench_sched_run *run = &producer->run;
    run->port = attach(run->kind, run->pool, producer->number);
    arrive(run);
    post_noops(run, producer->each);
    return NULL;
}

void
bench_sched_produce(const struct bench_sched_run *run, uint64_t each, uint64_t *begin_ns)
{
    struct producer producers[BENCH_SCHED_PRODUCERS_MAX];
    uint32_t cpus = (uint32_t)CPU_COUNT(&here.allowed);
    (void)sched_setaffinity(0, sizeof(here.allowed), &here.allowed);
    for (uint32_t i = 1; i < run->producers; i++) {
        producers[i] = (struct producer){.run = *run, .each = each, .number = i};
        producers[i].thread = bench_thread_start(producer_run, &producers[i], cpus - 1 - i % cpus);
    }
    place(cpus - 1);
    arrive(run);
    *begin_ns = leat_os_monotonic_ns();
    post_noops(run, each);
    for (uint32_t i = 1; i < run->producers; i++) {
        leat_os_thread_join(producers[i].thread);
    }
}

void
bench_sched_wait(const struct bench_sched_run *run, uint64_t posted)
{
    for (;;) {
        uint64_t ran = bench_sched_ran();
        if (ran >= posted) {
            return;
        }
        uint64_t pauses = (posted - ran) / LOOK_JOBS + 1;
        bench_wait(run->crowded,
                   pauses < LOOK_PAUSES_MAX ? (uint32_t)pauses : (uint32_t)LOOK_PAUSES_MAX);
    }
}

/* ---- one run -------------------------------------------------------------------------------- */

uint32_t
bench_sched_workers(const struct bench_sched_row *row)
{
    return row->workers == 0 ? 4 * bench_cpus() : row->workers;
}

/* Every worker has had a job, and all memory was used once. */
static void
warm(const struct bench_sched_run *run)
{
    struct bench_sched_item meeting = {meet};
    for (uint32_t i = 0; i < here.workers; i++) {
        bench_sched_post(run, BENCH_SCHED_NORMAL, &meeting);
    }
    bench_sched_wait(run, here.workers);
    post_noops(run, WARM_JOBS);
    bench_sched_wait(run, here.workers + WARM_JOBS);
    here.before = ran_sum();
}

void
bench_sched_measure(const struct bench_sched_kind *kind, const struct bench_sched_row *row,
                    uint64_t items, struct bench_sched_result *result)
{
    here.workers = bench_sched_workers(row);
    here.places = (kind->uses & BENCH_SCHED_PLACES) != 0;
    int failed = sched_getaffinity(0, sizeof(here.allowed), &here.allowed);
    LEAT_ASSERT(failed == 0);
    LEAT_ASSERT(here.workers <= BENCH_SCHED_WORKERS_MAX);
    LEAT_ASSERT(row->producers <= BENCH_SCHED_PRODUCERS_MAX);
    struct bench_sched_config config = {.workers = here.workers, .producers = row->producers};
    struct bench_sched_run run = {.kind = kind,
                                  .pool = kind->open(&config),
                                  .items = items,
                                  .producers = row->producers,
                                  .batch = row->batch,
                                  .crowded = here.workers + row->producers > bench_cpus()};
    run.port = attach(kind, run.pool, 0);
    warm(&run);
    /* What starts late inherits it, and places itself with its first job. */
    place((uint32_t)CPU_COUNT(&here.allowed) - 1);
    *result = (struct bench_sched_result){.posted = 0};
    row->measure(&run, result);
    bench_sched_wait(&run, result->posted);
    uint64_t late_ns = leat_os_monotonic_ns() + LATE_NS;
    while (leat_os_monotonic_ns() < late_ns) {
        leat_os_yield();
    }
    result->wrong += bench_sched_ran() == result->posted ? 0 : 1;
    result->wrong += atom_load_acq(&here.seated) == here.workers ? 0 : 1;
}
