/* suspend_engine.c - leat_post(), leat_submit() and the workers of a whole engine under the
 * suspension test, see suspend.h. One thread stops for ever at each step of bringing work, with
 * workers asleep, at work, and in front of a full engine; or a worker does, at each step of taking
 * and finishing a task or a job. The others must go on: what they bring is taken in, and all of it
 * runs. What a frozen worker has in its hand, one item, waits with it. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/leat.h"
#include "ring/mpmc.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"
#include "tests/suspend/suspend.h"

/* The least that an engine has. */
#define SLOTS 64

#define WORKERS_MAX 2

#if LEAT_RING == LEAT_RING_TURN
#    define RING_FILE   "ring/turn.h"
#    define RING_BLOCKS "ring/turn.h store slot"
#else
#    define RING_FILE   "ring/packed.h"
#    define RING_BLOCKS NULL
#endif

/* What is brought by threads that may be frozen is not counted. */
struct count {
    leat_atomic_u64 accepted;
    leat_atomic_u64 ran;
    uint64_t seen; /* of those that ran, by the witness */
};

struct engine_state {
    const struct suspend_subject *subject;
    struct leat_engine *engine;
    uint32_t workers;
    leat_type counted;
    leat_type uncounted;
    struct count tasks;
    struct count jobs;
    uint64_t in_hand; /* of a frozen worker, of what is counted: may be missing */
    struct freeze freezes[WORKERS_MAX];
    pthread_t threads[WORKERS_MAX];
    /* One holds a worker that is at work until the others begin, the other one the worker that is
     * going to be frozen. */
    struct test_gate busy_gate;
    struct test_gate next_gate;
    uint32_t next; /* worker to be frozen */
    bool next_is_held;
};

/* ---- work ------------------------------------------------------------------------------------ */

static void
task_counted(void *argument)
{
    struct engine_state *state = argument;
    (void)atom_add_rlx(&state->tasks.ran, 1);
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
    test_gate_wait(&state->busy_gate);
}

static void
task_next(void *argument)
{
    struct engine_state *state = argument;
    for (uint32_t i = 0; i < state->workers; i++) {
        state->next = pthread_equal(state->threads[i], pthread_self()) != 0 ? i : state->next;
    }
    test_gate_wait(&state->next_gate);
}

static struct leat_outcome
job_counted(struct leat_run *run, void *context)
{
    struct engine_state *state = context;
    (void)run;
    (void)atom_add_rlx(&state->jobs.ran, 1);
    return leat_done();
}

static struct leat_outcome
job_uncounted(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

static bool
counts(uint32_t who)
{
    return who == SUSPEND_OTHER || who == SUSPEND_OTHER_SECOND;
}

static bool
bring_task(struct engine_state *state, uint32_t who)
{
    leat_task_function function = counts(who) ? task_counted : task_uncounted;
    if (leat_post(state->engine, LEAT_PRIORITY_NORMAL, function, state) != LEAT_OK) {
        return false;
    }
    (void)atom_add_rlx(&state->tasks.accepted, counts(who) ? 1 : 0);
    return true;
}

static bool
bring_job(struct engine_state *state, uint32_t who)
{
    struct leat_job job = leat_job_default();
    job.type = counts(who) ? state->counted : state->uncounted;
    if (leat_submit(state->engine, &job, NULL) != LEAT_OK) {
        return false;
    }
    (void)atom_add_rlx(&state->jobs.accepted, counts(who) ? 1 : 0);
    return true;
}

/* ---- operations ------------------------------------------------------------------------------ */

static void
go_on(struct engine_state *state, uint32_t who)
{
    if (counts(who)) {
        test_gate_open(&state->busy_gate);
    }
}

static bool
run_post(void *subject, uint32_t who)
{
    go_on(subject, who);
    return bring_task(subject, who);
}

static bool
run_submit(void *subject, uint32_t who)
{
    go_on(subject, who);
    return bring_job(subject, who);
}

/* One that ran and was not seen yet. */
static bool
count_see(struct count *count, uint32_t who)
{
    if (who != SUSPEND_OTHER || count->seen >= atom_load_rlx(&count->ran)) {
        return false;
    }
    count->seen++;
    return true;
}

static bool
see_task(void *subject, uint32_t who)
{
    struct engine_state *state = subject;
    return count_see(&state->tasks, who);
}

static bool
see_job(void *subject, uint32_t who)
{
    struct engine_state *state = subject;
    return count_see(&state->jobs, who);
}

/* The worker whose turn it is goes on where it is held, or wakes for what is brought. */
static struct freeze *
worker_begin(struct engine_state *state, uint64_t step, struct freeze_places *seen,
             bool (*bring)(struct engine_state *state, uint32_t who))
{
    struct freeze *freeze = &state->freezes[state->next];
    freeze_note(freeze, seen);
    freeze_arm(freeze, step);
    CHECK(state->next_is_held || bring(state, SUSPEND_FROZEN));
    test_gate_open(&state->next_gate);
    return freeze;
}

static struct freeze *
begin_task(void *subject, uint64_t step, struct freeze_places *seen)
{
    return worker_begin(subject, step, seen, bring_task);
}

static struct freeze *
begin_job(void *subject, uint64_t step, struct freeze_places *seen)
{
    return worker_begin(subject, step, seen, bring_job);
}

static bool
engine_settled(void *subject)
{
    struct engine_state *state = subject;
    uint64_t accepted =
        atom_load_rlx(&state->tasks.accepted) + atom_load_rlx(&state->jobs.accepted);
    uint64_t ran = atom_load_rlx(&state->tasks.ran) + atom_load_rlx(&state->jobs.ran);
    return ran + state->in_hand >= accepted;
}

/* ---- situations ------------------------------------------------------------------------------ */

static bool
sleeps(void *argument)
{
    struct freeze *freeze = argument;
    CHECK(pthread_mutex_lock(&freeze->mutex) == 0);
    bool answer = freeze->sleeps;
    CHECK(pthread_mutex_unlock(&freeze->mutex) == 0);
    return answer;
}

/* Workers in gates, so many in each; the others sleep. */
static void
arrange(struct engine_state *state, uint32_t busy, uint32_t next)
{
    for (uint32_t i = 0; i < busy + next; i++) {
        leat_task_function function = i < busy ? task_busy : task_next;
        CHECK_OK(leat_post(state->engine, LEAT_PRIORITY_NORMAL, function, state));
        test_gate_arrivals(i < busy ? &state->busy_gate : &state->next_gate,
                           i < busy ? i + 1 : i + 1 - busy);
    }
    uint32_t asleep = 0;
    while (asleep + busy + next < state->workers) {
        asleep = 0;
        for (uint32_t i = 0; i < state->workers; i++) {
            bool is_asleep = sleeps(&state->freezes[i]);
            asleep += is_asleep ? 1 : 0;
            state->next = is_asleep && next == 0 ? i : state->next;
        }
        test_sleep_ns(TEST_MS / 20);
    }
}

/* As arrange(), with one that is held for the trial's thread. */
static void
arrange_held(struct engine_state *state, uint32_t busy)
{
    arrange(state, busy, 1);
    state->next_is_held = true;
}

static void
all_asleep(void *subject)
{
    arrange(subject, 0, 0);
}

static void
all_busy(void *subject)
{
    struct engine_state *state = subject;
    arrange(state, state->workers, 0);
}

static void
one_asleep(void *subject)
{
    struct engine_state *state = subject;
    arrange(state, state->workers - 1, 0);
}

/* Full of tasks, of jobs, of both. */
static void
full_of_tasks(void *subject)
{
    all_busy(subject);
    while (bring_task(subject, SUSPEND_OTHER)) {
    }
}

static void
full_of_jobs(void *subject)
{
    all_busy(subject);
    while (bring_job(subject, SUSPEND_OTHER)) {
    }
}

static void
full(void *subject)
{
    all_busy(subject);
    while (bring_job(subject, SUSPEND_OTHER) && bring_task(subject, SUSPEND_OTHER)) {
    }
}

/* A post of long ago has just stored the ring's tail; all sleep again. */
static void
old_tail(void *subject)
{
    struct engine_state *state = subject;
    all_asleep(subject);
    suspend_late_store(state->subject, subject, 0, RING_FILE);
    all_asleep(subject);
}

/* A worker is about to finish a task, and more waits. */
static void
one_finishes(void *subject)
{
    struct engine_state *state = subject;
    arrange_held(state, state->workers - 1);
    state->in_hand = 1;
    for (uint32_t i = 0; i < 2; i++) {
        CHECK(bring_task(state, SUSPEND_OTHER));
        CHECK(bring_job(state, SUSPEND_OTHER));
    }
}

/* A worker is about to finish a task and to sleep, as all others do. */
static void
others_asleep(void *subject)
{
    arrange_held(subject, 0);
}

/* ---- engines --------------------------------------------------------------------------------- */

static void
worker_started(struct leat_engine *engine, uint32_t worker, void *context)
{
    struct engine_state *state = context;
    (void)engine;
    state->threads[worker] = pthread_self();
    freeze_adopt(&state->freezes[worker]);
}

static void *
engine_create(const struct suspend_subject *subject)
{
    struct engine_state *state = calloc(1, sizeof(*state));
    CHECK(state != NULL);
    state->subject = subject;
    state->workers = *(const uint32_t *)subject->context;
    test_gate_init(&state->busy_gate);
    test_gate_init(&state->next_gate);
    for (uint32_t i = 0; i < state->workers; i++) {
        freeze_init(&state->freezes[i]);
    }
    struct leat_config config = test_config();
    config.workers = state->workers;
    config.ring_slots = SLOTS;
    config.spin_ns = 0;
    config.worker_started = worker_started;
    config.hook_context = state;
    state->engine = test_open(&config);
    state->counted = test_register(state->engine, "counted", job_counted, state);
    state->uncounted = test_register(state->engine, "uncounted", job_uncounted, state);
    CHECK_OK(leat_start(state->engine));
    return state;
}

static void
engine_destroy(void *subject)
{
    struct engine_state *state = subject;
    test_gate_open(&state->busy_gate);
    test_gate_open(&state->next_gate);
    test_finish(state->engine);
    state->in_hand = 0;
    CHECK(engine_settled(state));
    for (uint32_t i = 0; i < state->workers; i++) {
        freeze_fini(&state->freezes[i]);
    }
    test_gate_fini(&state->busy_gate);
    test_gate_fini(&state->next_gate);
    free(state);
}

#define WITNESSES                                                                                  \
    {.name = "task ran", .run = see_task, .witness = true},                                        \
    {                                                                                              \
        .name = "job ran", .run = see_job, .witness = true                                         \
    }

static const uint32_t one = 1;
static const uint32_t two = 2;

#define ENGINE(workers_count)                                                                      \
    .capacity = SLOTS, .budget = 250, .context = &(workers_count), .create = engine_create,        \
    .destroy = engine_destroy, .settled = engine_settled

/* Up to LEAT_WAKE_AGAIN pushes wait (docs/design/0006), where there is no other worker. */
#define WAKING_LATE "tests/support/freeze_os.c call futex wake"

static const struct suspend_subject one_worker = {
    .name = "engine, 1 worker",
    ENGINE(one),
    .operations =
        {{.name = "post", .run = run_post, .blocks = {RING_BLOCKS}, .late = {WAKING_LATE}},
         {.name = "submit", .run = run_submit, .blocks = {RING_BLOCKS}, .late = {WAKING_LATE}},
         WITNESSES},
    .situations = {{"asleep", all_asleep, 0},
                   {"busy", all_busy, 0},
                   {"full of tasks", full_of_tasks, 0},
                   {"full of jobs", full_of_jobs, 0},
                   {"full", full, 0},
                   {"old tail", old_tail, 0}},
};

static const struct suspend_subject two_workers = {
    .name = "engine, 2 workers",
    ENGINE(two),
    .operations = {{.name = "post", .run = run_post, .blocks = {RING_BLOCKS}},
                   {.name = "submit", .run = run_submit, .blocks = {RING_BLOCKS}},
                   WITNESSES},
    .situations = {{"asleep", all_asleep, 0},
                   {"one asleep", one_asleep, 0},
                   {"busy", all_busy, 0},
                   {"full", full, 0},
                   {"old tail", old_tail, 0}},
};

static const struct suspend_subject frozen_worker = {
    .name = "1 of 2 workers",
    ENGINE(two),
    .operations = {{.name = "post", .run = run_post, .witness = true},
                   {.name = "submit", .run = run_submit, .witness = true},
                   WITNESSES,
                   {.name = "task", .begin = begin_task, .blocks = {RING_BLOCKS}},
                   {.name = "job", .begin = begin_job, .blocks = {RING_BLOCKS}}},
    /* A worker that is frozen on its way to sleep has its idle bit set: the first push may notify
     * it and nobody else. */
    .situations = {{"one asleep", one_asleep, 0, 1},
                   {"one finishes", one_finishes, 0, 1},
                   {"others asleep", others_asleep, 0, 1}},
};

/* ---- tests ----------------------------------------------------------------------------------- */

static void
one_worker_goes_on(void **state)
{
    (void)state;
    CHECK(suspend_run(&one_worker));
}

static void
two_workers_go_on(void **state)
{
    (void)state;
    CHECK(suspend_run(&two_workers));
}

static void
another_worker_goes_on(void **state)
{
    (void)state;
    CHECK(suspend_run(&frozen_worker));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_worker_goes_on),
        cmocka_unit_test(two_workers_go_on),
        cmocka_unit_test(another_worker_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
