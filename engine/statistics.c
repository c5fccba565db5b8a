/* statistics.c - a snapshot of the counters, without stopping anyone. */
#include "engine/events.h"

#include <string.h>

static uint64_t
read_counter(const leat_atomic_u64 *counter)
{
    return atom_load_rlx(counter); /* rlx: statistic */
}

/* a - b of two counters modulo 2^38 that were read one after the other: never below 0. */
static uint64_t
difference(uint64_t a, uint64_t b)
{
    uint64_t left = (a - b) & LEAT_GENERATION_LAST;
    return left > LEAT_GENERATION_LAST / 2 ? 0 : left;
}

/* ---- latencies ------------------------------------------------------------------------------ */

enum { QUANTILES = 5 };

typedef const struct leat_histogram *(*histogram_of)(const struct leat_engine *engine,
                                                     uint32_t place);

static const struct leat_histogram *
queue_wait_of(const struct leat_engine *engine, uint32_t place)
{
    return &engine->places[place].queue_wait;
}

static const struct leat_histogram *
run_time_of(const struct leat_engine *engine, uint32_t place)
{
    return &engine->places[place].run_time;
}

/* One bucket over all places. */
static uint64_t
bucket_sum(const struct leat_engine *engine, histogram_of of, uint32_t bucket)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < engine->pool.places; i++) {
        sum += read_counter(&of(engine, i)->counts[bucket]);
    }
    return sum;
}

/* Reads the buckets again; what was recorded since they were counted shifts a quantile by less than
 * it would have been wrong a moment later. */
static void
quantiles_find(const struct leat_engine *engine, histogram_of of, struct leat_latency *latency)
{
    /* In parts of 10 000. */
    static const uint32_t parts[QUANTILES] = {5000, 9000, 9900, 9990, 9999};
    uint64_t *const values[QUANTILES] = {&latency->p50_ns, &latency->p90_ns, &latency->p99_ns,
                                         &latency->p999_ns, &latency->p9999_ns};
    uint64_t seen = 0;
    uint32_t next = 0;
    for (uint32_t bucket = 0; bucket < LEAT_HISTOGRAM_BUCKETS && next < QUANTILES; bucket++) {
        seen += bucket_sum(engine, of, bucket);
        /* Rounded up: the p99 of one sample is that sample. */
        while (next < QUANTILES && seen > 0 && seen * 10000 >= latency->samples * parts[next]) {
            uint64_t value = leat_histogram_value(bucket);
            value = value < latency->min_ns ? latency->min_ns : value;
            *values[next] = value > latency->max_ns ? latency->max_ns : value;
            next++;
        }
    }
}

static struct leat_latency
latency_of(const struct leat_engine *engine, histogram_of of)
{
    struct leat_latency latency;
    memset(&latency, 0, sizeof(latency));
    for (uint32_t i = 0; i < engine->pool.places; i++) {
        const struct leat_histogram *histogram = of(engine, i);
        uint64_t min_ns = read_counter(&histogram->min_ns);
        uint64_t max_ns = read_counter(&histogram->max_ns);
        if (min_ns != 0 && (latency.min_ns == 0 || min_ns < latency.min_ns)) {
            latency.min_ns = min_ns;
        }
        latency.max_ns = max_ns > latency.max_ns ? max_ns : latency.max_ns;
        latency.sum_ns += read_counter(&histogram->sum_ns);
    }
    for (uint32_t bucket = 0; bucket < LEAT_HISTOGRAM_BUCKETS; bucket++) {
        latency.samples += bucket_sum(engine, of, bucket);
    }
    if (latency.samples != 0) {
        quantiles_find(engine, of, &latency);
    }
    return latency;
}

/* ---- counters ------------------------------------------------------------------------------- */

static void
places_sum(const struct leat_engine *engine, struct leat_statistics *sum)
{
    for (uint32_t i = 0; i < engine->pool.places; i++) {
        const struct leat_place *place = &engine->places[i];
        const struct leat_worker *worker = &engine->pool.workers[i];
        sum->jobs_run += read_counter(&place->jobs_run);
        sum->jobs_completed += read_counter(&place->completed);
        sum->jobs_dead += read_counter(&place->dead);
        sum->jobs_cancelled += read_counter(&place->cancelled);
        sum->jobs_retried += read_counter(&place->retried);
        sum->tasks_run += read_counter(&worker->tasks_run);
        sum->parks += read_counter(&worker->parks);
        sum->wakes += read_counter(&worker->wakes);
        sum->jobs_running += read_counter(&place->running) != 0 ? 1 : 0;
    }
    const struct leat_outside *outside = &engine->outside;
    sum->jobs_run += read_counter(&outside->leased);
    sum->jobs_completed += read_counter(&outside->completed);
    sum->jobs_dead += read_counter(&outside->dead);
    sum->jobs_cancelled += read_counter(&outside->cancelled);
    sum->jobs_retried += read_counter(&outside->retried);
    sum->jobs_run += read_counter(&outside->run);
    sum->jobs_running += read_counter(&outside->beside);
    sum->jobs_running += read_counter(&outside->awaited) % LEAT_OUTSIDE_CHANGE;
    sum->wakes += read_counter(&engine->pool.wakes_outside);
    sum->dead_dropped = read_counter(&outside->dead_dropped);
    sum->dead_retried = read_counter(&outside->dead_retried);
    sum->dead_letters = leat_book_count(&engine->dead);
    sum->jobs_timed_out =
        read_counter(&engine->watch.timed_out) + read_counter(&engine->timers.timed_out);
    sum->jobs_stuck = read_counter(&engine->watch.stuck);
    sum->events_dropped = leat_events_dropped(engine);
}

/* Who has been in its handler for the longest time. */
static void
longest_find(struct leat_engine *engine, struct leat_statistics *sum)
{
    for (uint32_t i = 0; i < engine->pool.places; i++) {
        uint64_t run_ns = leat_worker_run_ns(&engine->pool.workers[i]);
        if (run_ns > sum->run_ns_max) {
            sum->run_ns_max = run_ns;
            sum->run_worker = i;
        }
    }
}

static void
derive(struct leat_engine *engine, struct leat_statistics *sum)
{
    const struct leat_pool *pool = &engine->pool;
    uint64_t taken = leat_slab_takes(&engine->jobs);
    uint64_t refused = read_counter(&engine->outside.refused);
    uint64_t ended = sum->jobs_completed + sum->jobs_dead + sum->jobs_cancelled;
    /* Records taken count modulo 2^38; those that live are far fewer, so the difference is exact.
     */
    uint64_t live = difference(taken + sum->dead_retried, refused + ended);
    sum->jobs_submitted = ended + live - sum->dead_retried;
    sum->jobs_scheduled = read_counter(&engine->timers.scheduled);
    sum->jobs_retrying = read_counter(&engine->timers.retrying);
    sum->jobs_blocked = read_counter(&engine->outside.blocked);
    sum->jobs_waiting = difference(live, sum->jobs_running + sum->jobs_scheduled +
                                             sum->jobs_retrying + sum->jobs_blocked);
    sum->tasks_waiting = difference(leat_slab_takes(&pool->tasks) + leat_slab_takes(&pool->posted),
                                    sum->tasks_run + read_counter(&pool->tasks_refused));
    sum->workers = pool->places;
    sum->workers_active = atom_load_rlx(&pool->active); /* rlx: statistic */
    sum->workers_parked = leat_lot_count(&pool->lot);
}

enum leat_status
leat_statistics_get(struct leat_engine *engine, struct leat_statistics *statistics)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (statistics == NULL) {
        return LEAT_INVALID;
    }
    struct leat_statistics sum = leat_statistics_default();
    places_sum(engine, &sum);
    derive(engine, &sum);
    longest_find(engine, &sum);
    sum.queue_wait = latency_of(engine, queue_wait_of);
    sum.run_time = latency_of(engine, run_time_of);
    return leat_struct_write(statistics, &sum, sizeof(sum));
}

enum leat_status
leat_worker_statistics_get(struct leat_engine *engine, uint32_t worker,
                           struct leat_worker_statistics *statistics)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (statistics == NULL) {
        return LEAT_INVALID;
    }
    if (worker >= engine->pool.places) {
        return LEAT_NOT_FOUND;
    }
    struct leat_worker *one = &engine->pool.workers[worker];
    struct leat_worker_statistics filled = leat_worker_statistics_default();
    filled.cpu = one->cpu;
    /* rlx: statistic */
    filled.parked = (atom_load_rlx(&engine->pool.lot.idle[worker / 64]) >> worker % 64 & 1) != 0;
    filled.running = atom_load_rlx(&one->busy) != 0; /* rlx: statistic */
    filled.tasks_run = read_counter(&one->tasks_run);
    filled.jobs_run = read_counter(&engine->places[worker].jobs_run);
    filled.parks = read_counter(&one->parks);
    filled.wakes = read_counter(&one->wakes);
    filled.run_ns = leat_worker_run_ns(one);
    filled.stuck.bits = leat_watch_stuck(engine, worker);
    filled.active = worker < atom_load_rlx(&engine->pool.active); /* rlx: statistic */
    return leat_struct_write(statistics, &filled, sizeof(filled));
}
