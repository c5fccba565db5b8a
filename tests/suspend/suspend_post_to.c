/* suspend_post_to.c - leat_post_to() under the suspension test, see suspend.h. A poster stops for
 * ever at each step, with the worker asleep, at work, and in front of a full engine: others post to
 * the same worker, and all of it runs. And a worker stops for ever at each step of taking and
 * running what was posted to it: what is posted to the other worker runs. */
#include <stdlib.h>

#include "engine/leat.h"
#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"
#include "tests/suspend/suspend.h"

/* The least that an engine has. */
#define TASKS 64

#define WORKERS_MAX 2

/* What is posted by threads that may be frozen is not counted. */
struct engine_state {
    struct leat_engine *engine;
    uint32_t workers;
    leat_atomic_u64 accepted;
    leat_atomic_u64 ran;
    uint64_t seen; /* of those that ran, by the witness */
    struct freeze freezes[WORKERS_MAX];
    struct test_gate gate; /* holds the worker that is at work until the others begin */
};

/* ---- work ------------------------------------------------------------------------------------ */

static void
task_counted(void *argument)
{
    struct engine_state *state = argument;
    (void)atom_add_rlx(&state->ran, 1);
}

static void
task_uncounted(void *argument)
{
    (void)argument;
}

static void
task_busy(void *argument)
{
    struct engine_state *state = argument;
    test_gate_stay(&state->gate);
}

static bool
counts(uint32_t who)
{
    return who == SUSPEND_OTHER || who == SUSPEND_OTHER_SECOND;
}

static bool
post_to(struct engine_state *state, uint32_t worker, leat_task_function function)
{
    const struct leat_task task = {function, state};
    return leat_post_to(state->engine, worker, LEAT_PRIORITY_NORMAL, &task) == LEAT_OK;
}

/* ---- operations ------------------------------------------------------------------------------ */

static bool
run_post(void *subject, uint32_t who)
{
    struct engine_state *state = subject;
    if (counts(who)) {
        test_gate_open(&state->gate);
    }
    if (!post_to(state, 0, counts(who) ? task_counted : task_uncounted)) {
        return false;
    }
    (void)atom_add_rlx(&state->accepted, counts(who) ? 1 : 0);
    return true;
}

/* One that ran and was not seen yet. */
static bool
run_see(void *subject, uint32_t who)
{
    struct engine_state *state = subject;
    if (who != SUSPEND_OTHER || state->seen >= atom_load_rlx(&state->ran)) {
        return false;
    }
    state->seen++;
    return true;
}

/* Worker 1 wakes for what is posted to it. */
static struct freeze *
begin_task(void *subject, uint64_t step, struct freeze_places *seen)
{
    struct engine_state *state = subject;
    freeze_note(&state->freezes[1], seen);
    freeze_arm(&state->freezes[1], step);
    CHECK(post_to(state, 1, task_uncounted));
    return &state->freezes[1];
}

static bool
settled(void *subject)
{
    struct engine_state *state = subject;
    return atom_load_rlx(&state->ran) >= atom_load_rlx(&state->accepted);
}

/* ---- situations ------------------------------------------------------------------------------ */

static bool
sleeps(struct freeze *freeze)
{
    CHECK(pthread_mutex_lock(&freeze->mutex) == 0);
    bool answer = freeze->sleeps;
    CHECK(pthread_mutex_unlock(&freeze->mutex) == 0);
    return answer;
}

static void
until_asleep(struct engine_state *state, uint32_t first)
{
    for (uint32_t i = first; i < state->workers; i++) {
        while (!sleeps(&state->freezes[i])) {
            test_sleep_ns(TEST_MS / 20);
        }
    }
}

static void
asleep(void *subject)
{
    until_asleep(subject, 0);
}

static void
busy(void *subject)
{
    struct engine_state *state = subject;
    CHECK(post_to(state, 0, task_busy));
    test_gate_arrivals(&state->gate, 1);
    until_asleep(state, 1);
}

static void
full(void *subject)
{
    struct engine_state *state = subject;
    busy(subject);
    while (post_to(state, 0, task_counted)) {
        (void)atom_add_rlx(&state->accepted, 1);
    }
}

/* ---- engines --------------------------------------------------------------------------------- */

static void
worker_started(struct leat_engine *engine, uint32_t worker, void *context)
{
    struct engine_state *state = context;
    (void)engine;
    freeze_adopt(&state->freezes[worker]);
}

static void *
engine_create(const struct suspend_subject *subject)
{
    struct engine_state *state = calloc(1, sizeof(*state));
    CHECK(state != NULL);
    state->workers = *(const uint32_t *)subject->context;
    test_gate_init(&state->gate);
    for (uint32_t i = 0; i < state->workers; i++) {
        freeze_init(&state->freezes[i]);
    }
    struct leat_config config = test_config();
    config.workers = state->workers;
    config.tasks_max = TASKS;
    config.spin_ns = 0;
    config.worker_started = worker_started;
    config.hook_context = state;
    state->engine = test_start(&config);
    return state;
}

static void
engine_destroy(void *subject)
{
    struct engine_state *state = subject;
    test_gate_open(&state->gate);
    test_finish(state->engine);
    CHECK(settled(state));
    for (uint32_t i = 0; i < state->workers; i++) {
        freeze_fini(&state->freezes[i]);
    }
    test_gate_fini(&state->gate);
    free(state);
}

static const uint32_t one = 1;
static const uint32_t two = 2;

#define ENGINE(workers_count)                                                                      \
    .capacity = TASKS, .budget = 250, .context = &(workers_count), .create = engine_create,        \
    .destroy = engine_destroy, .settled = settled

/* Up to LEAT_WAKE_AGAIN posts wait (docs/design/0006). */
#define WAKING_LATE "tests/support/freeze_os.c call futex wake"

static const struct suspend_subject poster = {
    .name = "posting to 1 worker",
    ENGINE(one),
    .operations = {{.name = "post to", .run = run_post, .late = {WAKING_LATE}},
                   {.name = "task ran", .run = run_see, .witness = true}},
    .situations = {{"asleep", asleep, 0}, {"busy", busy, 0}, {"full", full, 0}},
};

static const struct suspend_subject other_worker = {
    .name = "posting beside a frozen worker",
    ENGINE(two),
    .operations = {{.name = "post to", .run = run_post, .witness = true},
                   {.name = "task ran", .run = run_see, .witness = true},
                   {.name = "task", .begin = begin_task}},
    .situations = {{"asleep", asleep, 0}, {"busy", busy, 0}},
};

/* ---- tests ----------------------------------------------------------------------------------- */

static void
posters_go_on(void **state)
{
    (void)state;
    CHECK(suspend_run(&poster));
}

static void
the_other_worker_goes_on(void **state)
{
    (void)state;
    CHECK(suspend_run(&other_worker));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posters_go_on),
        cmocka_unit_test(the_other_worker_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
