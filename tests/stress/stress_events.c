/* stress_events.c - threads that submit, cancel and retry while workers run, and the mask is
 * changed: each job's events come in order, one begin, one end, attempts one by one; and what was
 * told and what was dropped are all of them. Holds I1 of engine/events.h. */
#include <stdlib.h>
#include <string.h>

#include "engine/events.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define JOBS_MAX   256
#define SUBMITTERS 3

/* Events of two jobs of one record may cross. */
#define GENERATIONS 256

/* What is known of one job. Written by who drains, one at a time. */
struct seen {
    uint64_t id;
    uint32_t attempt;
    bool ended;
    bool running;
};

struct work {
    struct leat_engine *engine;
    leat_type type;
    uint64_t deadline_ns;
    uint64_t seed;
    bool all; /* nothing was dropped or left out: courses are whole */
    struct seen seen[JOBS_MAX][GENERATIONS];
    uint64_t told[LEAT_EVENT_KINDS];
    uint64_t dropped;
    leat_atomic_u64 submitted;
};

static void
follow(struct seen *seen, const struct leat_event *event)
{
    switch (event->kind) {
    case LEAT_EVENT_SUBMITTED:
        CHECK(seen->id == 0 || seen->ended);
        *seen = (struct seen){.id = event->id.bits};
        return;
    case LEAT_EVENT_STARTED:
        CHECK_EQUAL(seen->id, event->id.bits);
        CHECK(!seen->running);
        CHECK_EQUAL(event->attempt, seen->attempt + 1);
        seen->attempt = event->attempt;
        seen->running = true;
        return;
    case LEAT_EVENT_FAILED:
        CHECK(seen->running);
        CHECK_EQUAL(event->attempt, seen->attempt);
        return;
    case LEAT_EVENT_RETRYING:
        CHECK(seen->running);
        seen->running = false;
        return;
    case LEAT_EVENT_COMPLETED:
    case LEAT_EVENT_DEAD:
        CHECK(seen->running);
        seen->ended = true;
        return;
    case LEAT_EVENT_CANCELLED:
        seen->ended = true;
        return;
    case LEAT_EVENT_SNOOZED:
    case LEAT_EVENT_EXPIRED:
    case LEAT_EVENT_BREAKER_OPENED:
    case LEAT_EVENT_BREAKER_CLOSED:
    case LEAT_EVENT_WORKER_STUCK:
    case LEAT_EVENT_THRESHOLD_RAISED:
    case LEAT_EVENT_THRESHOLD_CLEARED:
    case LEAT_EVENT_COHORT_PROGRESS:
    case LEAT_EVENT_KINDS:
        break;
    }
    CHECK(false);
}

static void
sink(struct leat_engine *engine, const struct leat_event *event, void *context)
{
    (void)engine;
    struct work *work = context;
    uint64_t record = event->id.bits % (UINT64_C(1) << LEAT_INDEX_BITS);
    uint64_t generation = event->id.bits >> (LEAT_INDEX_BITS + 1);
    struct seen *seen = &work->seen[record][generation % GENERATIONS];
    work->told[event->kind]++;
    work->dropped += event->dropped;
    if (!work->all) {
        return;
    }
    CHECK_EQUAL(event->dropped, 0);
    if (event->kind != LEAT_EVENT_SUBMITTED) {
        CHECK_EQUAL(seen->id, event->id.bits);
        CHECK(!seen->ended);
    }
    follow(seen, event);
}

static struct leat_outcome
by_id(struct leat_run *run, void *context)
{
    (void)context;
    switch (leat_run_id(run).bits % 5) {
    case 0:
        return leat_run_attempt(run) < 3 ? leat_retry() : leat_done();
    case 1:
        return leat_fail();
    default:
        return leat_done();
    }
}

static void
submitter(void *shared, uint32_t number)
{
    struct work *work = shared;
    struct test_prng prng = {work->seed + number};
    while (test_now_ns() < work->deadline_ns) {
        struct leat_job job = leat_job_default();
        leat_job_id id = {0};
        job.type = work->type;
        enum leat_status status = leat_submit(work->engine, &job, &id);
        CHECK(status == LEAT_OK || status == LEAT_FULL);
        if (status != LEAT_OK) {
            leat_os_yield();
            continue;
        }
        (void)atom_add_rlx(&work->submitted, 1);
        if (test_random_below(&prng, 4) == 0) {
            status = leat_cancel(work->engine, id);
            CHECK(status == LEAT_OK || status == LEAT_RUNNING || status == LEAT_ENDED ||
                  status == LEAT_GONE);
        }
        if (!work->all && test_random_below(&prng, 64) == 0) {
            const char *mask = test_random_below(&prng, 2) == 0 ? "0" : "32767";
            CHECK_OK(leat_knob_change(work->engine, "event_mask", mask, NULL));
        }
    }
}

static void
stress(uint32_t events_max, bool all)
{
    struct work *work = calloc(1, sizeof(*work));
    struct leat_config config = test_config();
    CHECK(work != NULL);
    config.workers = 2;
    config.jobs_max = JOBS_MAX;
    config.retained_max = 0;
    config.dead_max = 0;
    config.events_max = events_max;
    config.event_sink = sink;
    config.event_context = work;
    work->all = all;
    work->seed = test_seed("stress_events");
    work->engine = test_start(&config);
    work->type = test_register(work->engine, "t", by_id, NULL);
    work->deadline_ns = test_now_ns() + test_duration_ns() / 2;
    test_threads_run(SUBMITTERS, submitter, work);
    CHECK_OK(leat_drain(work->engine, LEAT_FOREVER));
    CHECK_OK(leat_stop(work->engine, LEAT_FOREVER));
    uint64_t ends = work->told[LEAT_EVENT_COMPLETED] + work->told[LEAT_EVENT_DEAD] +
                    work->told[LEAT_EVENT_CANCELLED];
    test_say("%ju jobs, %ju submits told, %ju ends, %ju dropped\n",
             (uintmax_t)atom_load_rlx(&work->submitted),
             (uintmax_t)work->told[LEAT_EVENT_SUBMITTED], (uintmax_t)ends,
             (uintmax_t)test_statistics(work->engine).events_dropped);
    if (all) {
        CHECK_EQUAL(test_statistics(work->engine).events_dropped, 0);
        CHECK_EQUAL(work->told[LEAT_EVENT_SUBMITTED], atom_load_rlx(&work->submitted));
        CHECK_EQUAL(ends, atom_load_rlx(&work->submitted));
    } else {
        CHECK(work->dropped <= test_statistics(work->engine).events_dropped);
    }
    test_close(work->engine);
    free(work);
}

/* There is room for all that the clocks' thread may be behind. */
static void
courses_are_whole(void **state)
{
    (void)state;
    stress(1 << 20, true);
}

static void
drops_are_counted(void **state)
{
    (void)state;
    stress(64, false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(courses_are_whole),
        cmocka_unit_test(drops_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
