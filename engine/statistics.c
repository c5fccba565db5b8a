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

/* One of the histograms of each place. */
static struct leat_histograms
of_places(const struct leat_engine *engine, const struct leat_histogram *first)
{
    struct leat_histograms all = {first, sizeof(struct leat_place), engine->pool.places};
    return all;
}

/* ---- counters ------------------------------------------------------------------------------- */

static void
places_sum(const struct leat_engine *engine, struct leat_statistics *sum)
{
    for (uint32_t i = 0; i < engine->pool.places; i++) {
        const struct leat_place *place = &engine->places[i];
        const struct leat_worker *worker = &engine->pool.workers[i];
        sum->jobs_run += read_counter(&place->jobs_run);
        sum->tasks_run += read_counter(&worker->tasks_run);
        sum->parks += read_counter(&worker->parks);
        sum->wakes += read_counter(&worker->wakes);
        sum->steals += read_counter(&worker->steals);
        sum->jobs_running += read_counter(&place->running) != 0 ? 1 : 0;
    }
    const struct leat_outside *outside = &engine->outside;
    sum->jobs_run += read_counter(&outside->leased);
    sum->jobs_completed = leat_tally_sum(engine, LEAT_TALLY_COMPLETED);
    sum->jobs_dead = leat_tally_sum(engine, LEAT_TALLY_DEAD);
    sum->jobs_cancelled = leat_tally_sum(engine, LEAT_TALLY_CANCELLED);
    sum->jobs_retried = leat_tally_sum(engine, LEAT_TALLY_RETRIED);
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
    sum->memory_bytes = leat_footprint_used(&engine->footprint);
    sum->memory_max = leat_footprint_most(&engine->footprint);
    sum->memory_refused = read_counter(&engine->footprint.refused);
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
    sum.at_ns = leat_os_monotonic_ns();
    places_sum(engine, &sum);
    derive(engine, &sum);
    longest_find(engine, &sum);
    sum.queue_wait = leat_histograms_latency(of_places(engine, &engine->places->queue_wait));
    sum.run_time = leat_histograms_latency(of_places(engine, &engine->places->run_time));
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
    filled.steals = read_counter(&one->steals);
    const struct leat_place *place = &engine->places[worker];
    filled.queue_wait = leat_histograms_latency(leat_histograms_one(&place->queue_wait));
    filled.run_time = leat_histograms_latency(leat_histograms_one(&place->run_time));
    filled.active = worker < atom_load_rlx(&engine->pool.active); /* rlx: statistic */
    return leat_struct_write(statistics, &filled, sizeof(filled));
}

/* ---- rates ---------------------------------------------------------------------------------- */

static double
rate(uint64_t before, uint64_t after, double seconds)
{
    return after > before ? (double)(after - before) / seconds : 0.0;
}

enum leat_status
leat_rates_get(const struct leat_statistics *before, const struct leat_statistics *after,
               struct leat_rates *rates)
{
    struct leat_statistics from = leat_statistics_default();
    struct leat_statistics to = leat_statistics_default();
    if (before == NULL || after == NULL || rates == NULL) {
        return LEAT_INVALID;
    }
    enum leat_status status = leat_struct_read(&from, sizeof(from), before);
    if (status == LEAT_OK) {
        status = leat_struct_read(&to, sizeof(to), after);
    }
    if (status == LEAT_OK && to.at_ns <= from.at_ns) {
        status = LEAT_INVALID;
    }
    if (status != LEAT_OK) {
        return status;
    }
    double seconds = (double)(to.at_ns - from.at_ns) / 1e9;
    rates->tasks_run = rate(from.tasks_run, to.tasks_run, seconds);
    rates->jobs_submitted = rate(from.jobs_submitted, to.jobs_submitted, seconds);
    rates->jobs_run = rate(from.jobs_run, to.jobs_run, seconds);
    rates->jobs_completed = rate(from.jobs_completed, to.jobs_completed, seconds);
    rates->jobs_dead = rate(from.jobs_dead, to.jobs_dead, seconds);
    rates->jobs_retried = rate(from.jobs_retried, to.jobs_retried, seconds);
    return LEAT_OK;
}
