/* ring_run.c - one run of ring.h: a ring, its threads, and what they found. Consumers begin at the
 * first CPU and producers at the last, see thread.h; all of them are started before one begins. */
#include <stdlib.h>

#include "bench/kernels/machine.h"
#include "bench/kernels/ring_loop.h"
#include "bench/kernels/thread.h"

#define THREADS_MAX ((size_t)2 * BENCH_RING_SIDES_MAX)
/* Items for a thread alone, before it counts: two laps. */
#define WARM_ITEMS (UINT64_C(2) * BENCH_RING_SLOTS)
/* Readings of the clock of which the closest two count as what reading it takes. */
#define CLOCK_PAIRS 1000

struct bench_ring_crew {
    uint32_t threads;
    uint32_t pauses;
    bool crowded;                              /* more threads than CPUs */
    LEAT_ALIGNED_LINE leat_atomic_u32 arrived; /* threads that are ready to begin */
};

/* A thread; nothing that it writes shares a line with another's. */
struct seat {
    LEAT_ALIGNED_LINE struct bench_ring_side side;
    void (*loop)(struct bench_ring_side *side);
    pthread_t thread;
};

/* ---- for the loops -------------------------------------------------------------------------- */

void
bench_ring_begin(struct bench_ring_side *side)
{
    struct bench_ring_crew *crew = side->crew;
    (void)atom_add_acq_rel(&crew->arrived, 1);
    while (atom_load_acq(&crew->arrived) < crew->threads) {
        bench_wait(crew->crowded, 1);
    }
    side->begin_ns = leat_os_monotonic_ns();
    side->begin_ticks = bench_ring_ticks();
}

void
bench_ring_end(struct bench_ring_side *side)
{
    side->end_ticks = bench_ring_ticks();
    side->end_ns = leat_os_monotonic_ns();
}

void
bench_ring_wait(const struct bench_ring_side *side, uint32_t refused)
{
    bench_wait(side->crew->crowded && refused > 1, side->crew->pauses);
}

/* ---- threads -------------------------------------------------------------------------------- */

static void *
seat_run(void *argument)
{
    struct seat *seat = argument;
    seat->loop(&seat->side);
    return NULL;
}

static struct bench_ring_histogram *
histogram_create(bool timed)
{
    if (!timed) {
        return NULL;
    }
    struct bench_ring_histogram *histogram = calloc(1, sizeof(*histogram));
    LEAT_ASSERT(histogram != NULL);
    return histogram;
}

/* Fills a seat with a thread's part; the thread is started later. */
static void
seat_fill(struct seat *seat, const struct bench_ring_shape *shape, uint64_t items, uint32_t index)
{
    seat->side.items = items;
    seat->side.index = index;
    seat->side.timed = shape->timed;
    seat->side.call = histogram_create(shape->timed);
    seat->side.done = histogram_create(shape->timed);
}

static void
seats_run(struct seat *seats, const struct bench_ring_shape *shape)
{
    uint32_t cpus = bench_cpus();
    uint32_t threads = shape->producers + shape->consumers;
    for (uint32_t i = 0; i < threads; i++) {
        uint32_t index = seats[i].side.index;
        uint32_t place = i < shape->producers ? cpus - 1 - index % cpus : index;
        seats[i].thread = bench_thread_start(seat_run, &seats[i], place);
    }
    for (uint32_t i = 0; i < threads; i++) {
        leat_os_thread_join(seats[i].thread);
    }
}

/* ---- what was found ------------------------------------------------------------------------- */

/* What reading the clock twice takes: it is part of every time. */
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

/* The least time of a step of the histogram. */
static uint64_t
step_ticks(uint32_t place)
{
    uint32_t power = place >> BENCH_RING_STEPS_LOG2;
    if (power == 0) {
        return place;
    }
    uint32_t shift = power - 1;
    return (uint64_t)(place - (shift << BENCH_RING_STEPS_LOG2)) << shift;
}

/* The least time that at least part / 1 000 of all do not exceed. */
static uint64_t
part_ticks(const struct bench_ring_histogram *all, uint64_t part)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < BENCH_RING_STEPS * BENCH_RING_POWERS; i++) {
        total += all->counts[i];
    }
    uint64_t rank = (total * part + 999) / 1000;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < BENCH_RING_STEPS * BENCH_RING_POWERS; i++) {
        seen += all->counts[i];
        if (seen >= rank) {
            return step_ticks(i);
        }
    }
    return all->max;
}

static double
ns_of(const struct bench_ring_side *side, uint64_t ticks, uint64_t clock)
{
    double rate =
        (double)(side->end_ns - side->begin_ns) / (double)(side->end_ticks - side->begin_ticks);
    return ticks > clock ? (double)(ticks - clock) * rate : 0;
}

static void
histogram_add(struct bench_ring_histogram *sum, const struct bench_ring_histogram *more)
{
    for (uint32_t i = 0; i < BENCH_RING_STEPS * BENCH_RING_POWERS; i++) {
        sum->counts[i] += more->counts[i];
    }
    sum->max = more->max > sum->max ? more->max : sum->max;
}

static struct bench_ring_spread
spread_of(const struct bench_ring_side *side, const struct bench_ring_histogram *all)
{
    uint64_t clock = clock_ticks();
    struct bench_ring_spread spread = {
        ns_of(side, part_ticks(all, 500), clock), ns_of(side, part_ticks(all, 990), clock),
        ns_of(side, part_ticks(all, 999), clock), ns_of(side, all->max, clock)};
    return spread;
}

/* Adds up the histograms in those of the first thread. */
static void
spreads_fill(struct bench_ring_run *run, const struct seat *seats, uint32_t threads)
{
    const struct bench_ring_side *first = &seats[0].side;
    for (uint32_t i = 1; i < threads; i++) {
        histogram_add(first->call, seats[i].side.call);
        histogram_add(first->done, seats[i].side.done);
    }
    run->call = spread_of(first, first->call);
    run->done = spread_of(first, first->done);
    for (uint32_t i = 0; i < threads; i++) {
        free(seats[i].side.call);
        free(seats[i].side.done);
    }
}

/* What all consumers together have to see. */
static uint64_t
sum_expected(uint32_t producers, uint64_t share)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < producers; i++) {
        sum += bench_ring_first(i) * share + share * (share + 1) / 2;
    }
    return sum;
}

static struct bench_ring_run
run_of(const struct bench_ring_kind *kind, const struct seat *seats,
       const struct bench_ring_shape *shape)
{
    bool ordered = (kind->facts.uses & BENCH_RING_DISORDERS) == 0;
    struct bench_ring_run run = {0};
    uint32_t threads = shape->producers + shape->consumers;
    uint64_t begin_ns = UINT64_MAX;
    uint64_t end_ns = 0;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < threads; i++) {
        const struct bench_ring_side *side = &seats[i].side;
        begin_ns = side->begin_ns < begin_ns ? side->begin_ns : begin_ns;
        end_ns = side->end_ns > end_ns ? side->end_ns : end_ns;
        *(i < shape->producers ? &run.full : &run.empty) += side->refused;
        sum += side->sum;
        run.disordered += side->disordered;
        run.wrong += side->wrong + (ordered ? side->disordered : 0);
    }
    run.elapsed_ns = end_ns - begin_ns;
    run.wrong += sum == sum_expected(shape->producers, seats[0].side.items) ? 0 : 1;
    if (shape->timed) {
        spreads_fill(&run, seats, threads);
    }
    return run;
}

/* ---- one run -------------------------------------------------------------------------------- */

/* Uses every slot, and so every page and whatever a ring does the first time. */
static void
warm(const struct bench_ring_kind *kind, void *ring)
{
    struct bench_ring_crew crew = {.threads = 1};
    struct bench_ring_side side = {.ring = ring, .crew = &crew, .items = WARM_ITEMS};
    kind->solo(&side);
    LEAT_ASSERT(side.wrong == 0);
}

static void
shape_check(const struct bench_ring_shape *shape)
{
    bool alone = shape->consumers == 0;
    LEAT_ASSERT(shape->producers >= 1);
    LEAT_ASSERT(shape->producers <= BENCH_RING_SIDES_MAX);
    LEAT_ASSERT(shape->producers == (alone ? 1 : shape->consumers));
    LEAT_ASSERT(alone || shape->items % BENCH_RING_ITEMS_UNIT == 0);
    LEAT_ASSERT(shape->items >= 1);
    LEAT_ASSERT(shape->items / shape->producers <= BENCH_RING_ITEMS_MAX);
}

struct bench_ring_run
bench_ring_measure(const struct bench_ring_kind *kind, const struct bench_ring_shape *shape)
{
    shape_check(shape);
    uint64_t share = shape->items / shape->producers;
    void *ring = kind->create(shape);
    LEAT_ASSERT(ring != NULL);
    warm(kind, ring);
    uint32_t threads = shape->producers + shape->consumers;
    struct bench_ring_crew crew = {
        .threads = threads, .pauses = shape->pauses, .crowded = threads > bench_cpus()};
    struct seat *seats = aligned_alloc(LEAT_LINE_BYTES, THREADS_MAX * sizeof(*seats));
    LEAT_ASSERT(seats != NULL);
    for (uint32_t i = 0; i < threads; i++) {
        bool first = i < shape->producers;
        struct seat seat = {.side = {.ring = ring, .crew = &crew}};
        seat_fill(&seat, shape, share, first ? i : i - shape->producers);
        seat.loop = shape->batch ? (first ? kind->produce_batch : kind->consume_batch)
                                 : (first ? kind->produce : kind->consume);
        if (shape->consumers == 0) {
            seat.loop = kind->solo;
        }
        seats[i] = seat;
    }
    seats_run(seats, shape);
    struct bench_ring_run run = run_of(kind, seats, shape);
    free(seats);
    kind->destroy(ring);
    return run;
}
