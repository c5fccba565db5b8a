/* suspend_jobs.c - jobs that wait elsewhere than in a ring, under the suspension test, see
 * suspend.h: in lists, in the wheels, with a completion queue. One thread stops for ever at each
 * step of listing or cancelling one, and others list, cancel and run as many as they like. Or a
 * worker does that admits listed jobs: what is listed at its level waits for it and is accepted as
 * long as there are records; other levels, and tasks, go on. So it is while it sweeps a list, too:
 * sched/lists.c is compiled here once more, so that this has fewer jobs to look at. */
#include "sched/limits.h"
#undef LEAT_ZOMBIES_MIN
#define LEAT_ZOMBIES_MIN 4
#include "sched/lists.c" /* with this */

#include "tests/support/check.h"
#include "tests/suspend/host.h"

/* Records enough that a queue comes to be listed. */
#define RECORDS (4 * HOST_SLOTS)

#define HOUR_NS UINT64_C(3600000000000)

/* Jobs in a list to begin with. */
#define LISTED 3

/* ---- listing --------------------------------------------------------------------------------- */

static void
all_busy(void *subject)
{
    struct host *host = subject;
    host_arrange(host, host->workers, false);
}

static void
ring_full(void *subject)
{
    all_busy(subject);
    host_fill(subject);
}

static void
some_listed(void *subject)
{
    ring_full(subject);
    for (uint32_t i = 0; i < LISTED; i++) {
        CHECK(host_submit(subject, SUSPEND_OTHER, LEAT_PRIORITY_NORMAL));
    }
}

/* Where two workers go on, a waker that stops in front of its system call is not LATE, see 0006. */
static const struct host_shape two = {.workers = 2, .jobs_max = RECORDS};
static const struct host_shape three = {.workers = 3, .jobs_max = RECORDS};
/* So few that who cancels many waits for those that the wheels have yet to give back. */
static const struct host_shape few = {.workers = 2};

#define ENGINE(shape)                                                                              \
    .capacity = HOST_SLOTS, .budget = 60, .context = &(shape), .create = host_create

static const struct suspend_subject listing = {
    .name = "ring full",
    ENGINE(two),
    .settled = host_settled,
    .destroy = host_destroy,
    .operations = {{.name = "submit", .run = host_run_submit, .blocks = {HOST_RING_BLOCKS}},
                   HOST_POSTS,
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN},
    .situations = {{"nothing listed", ring_full, 0, 0}, {"some listed", some_listed, 0, 0}},
};

/* ---- admitting ------------------------------------------------------------------------------- */

/* Fills the ring so that its worker admits behind task_next(), and then waits; and lists jobs. */
static void
task_lists(void *argument)
{
    struct host *host = argument;
    for (uint32_t i = 0; i < LEAT_ADMIT_EVERY - 2; i++) {
        CHECK(host_post(host, SUSPEND_FROZEN));
    }
    CHECK_OK(leat_post(host->engine, LEAT_PRIORITY_NORMAL, host_task_next, host));
    CHECK_OK(leat_post(host->engine, LEAT_PRIORITY_NORMAL, host_task_last, host));
    host_fill(host);
    for (uint32_t i = 0; i < LISTED; i++) {
        CHECK(host_submit(host, SUSPEND_FROZEN, LEAT_PRIORITY_NORMAL));
    }
}

static void
admits(void *subject)
{
    struct host *host = subject;
    for (uint32_t i = 0; i + 1 < host->workers; i++) {
        host_hold(host, host_task_busy, &host->busy_gate);
    }
    host_hold(host, task_lists, &host->next_gate);
}

/* Jobs of a queue that is paused have been dealt to its list, and most of them cancelled: whoever
 * admits next at their level sweeps it. */
static void
sweeps(void *subject)
{
    struct host *host = subject;
    leat_job_id ids[LEAT_ZOMBIES_MIN + LISTED];
    struct leat_job job = leat_job_default();
    CHECK_OK(leat_queue_create(host->engine, "paused", NULL, &job.queue));
    CHECK_OK(leat_queue_pause(host->engine, job.queue));
    job.type = host->uncounted;
    job.priority = LEAT_PRIORITY_NORMAL;
    for (size_t i = 0; i < TEST_COUNT_OF(ids); i++) {
        CHECK_OK(leat_submit(host->engine, &job, &ids[i]));
    }
    host_until_asleep(host, host->workers);
    host_arrange(host, host->workers - 1, true);
    for (size_t i = 1; i < TEST_COUNT_OF(ids); i++) {
        CHECK_OK(leat_cancel(host->engine, ids[i]));
    }
}

/* The one that is left there. */
static void
destroy_swept(void *subject)
{
    struct host *host = subject;
    leat_queue queue = {0};
    if (leat_queue_find(host->engine, "paused", &queue) == LEAT_OK) {
        CHECK_OK(leat_queue_resume(host->engine, queue));
    }
    host_destroy(subject);
}

/* A worker that goes on before the ring is full would leave it to chance whether it comes to be. */
static bool
submit_and_list(void *subject, uint32_t who)
{
    struct host *host = subject;
    bool taken = host_submit(host, who, LEAT_PRIORITY_NORMAL);
    if (!taken || atom_load_rlx(&host->jobs.accepted) > HOST_SLOTS) {
        test_gate_open(&host->busy_gate);
    }
    return taken;
}

static bool
submit_high(void *subject, uint32_t who)
{
    struct host *host = subject;
    test_gate_open(&host->busy_gate);
    return host_submit(host, who, LEAT_PRIORITY_HIGH);
}

static bool
submit_only(void *subject, uint32_t who)
{
    return host_submit(subject, who, LEAT_PRIORITY_NORMAL);
}

/* A frozen worker that was interrupted may have gone on to something counted. */
static bool
admitter_settled(void *subject)
{
    struct host *host = subject;
    host->in_hand = 1;
    return host_settled(host);
}

#define ADMITS                                                                                     \
    .name = "admit", .begin = host_begin, .walks = {"sched/lists.c change &list->zombies"}

static const struct suspend_subject its_level = {
    .name = "listed, its level",
    ENGINE(two),
    .destroy = destroy_swept,
    .operations = {{.name = "submit", .run = submit_and_list, .witness = true},
                   HOST_JOBS_RAN,
                   {ADMITS, .span = {"sched/lists.c swap &lists->role",
                                     "sched/lists.c change &lists->role"}}},
    .situations = {{"admits", admits, 0, 0}, {"sweeps", sweeps, 0, 0}},
};

static const struct suspend_subject other_levels = {
    .name = "other levels",
    ENGINE(three),
    .settled = admitter_settled,
    .destroy = destroy_swept,
    .operations = {HOST_POSTS,
                   {.name = "submit", .run = submit_high, .witness = true},
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN,
                   {ADMITS, .blocks = {HOST_RING_BLOCKS}}},
    .situations = {{"admits", admits, 0, 1}, {"sweeps", sweeps, 0, 1}},
};

/* Nothing runs: all records are listed that are accepted. */
static const struct suspend_subject accepting = {
    .name = "accepting",
    .capacity = HOST_SLOTS / 8,
    .budget = 60,
    .context = &two,
    .create = host_create,
    .destroy = destroy_swept,
    .operations = {{.name = "submit", .run = submit_only, .witness = true}, {ADMITS}},
    .situations = {{"admits", admits, 0, 0}, {"sweeps", sweeps, 0, 0}},
};

/* ---- advancing ------------------------------------------------------------------------------- */

/* Jobs are due by the time a worker goes on. */
static void
due(void *subject)
{
    struct host *host = subject;
    struct leat_job job = leat_job_default();
    host_arrange(host, host->workers - 1, true);
    job.type = host->uncounted;
    job.priority = LEAT_PRIORITY_NORMAL;
    job.delay_ns = TEST_MS;
    for (uint32_t i = 0; i < LISTED; i++) {
        CHECK_OK(leat_submit(host->engine, &job, NULL));
    }
    test_sleep_ns(5 * TEST_MS);
}

/* What is due in its wheel waits for it. */
static const struct suspend_subject advancing = {
    .name = "jobs that are due",
    ENGINE(two),
    .settled = admitter_settled,
    .destroy = host_destroy,
    .operations = {HOST_POSTS,
                   HOST_SUBMITS,
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN,
                   {.name = "advance",
                    .begin = host_begin,
                    .walks = {"sched/wheel.c swap &wheel->role"},
                    .blocks = {HOST_RING_BLOCKS}}},
    .situations = {{"due", due, 0, 1}},
};

/* ---- cancelling ------------------------------------------------------------------------------ */

static enum leat_status
bring(struct host *host, uint64_t delay_ns, leat_job_id *id)
{
    struct leat_job job = leat_job_default();
    job.type = host->uncounted;
    job.priority = LEAT_PRIORITY_NORMAL;
    job.delay_ns = delay_ns;
    job.completions = host->completions;
    return leat_submit(host->engine, &job, id);
}

/* A job for each thread that may stand still while it cancels. */
static void
bring_all(struct host *host, uint64_t delay_ns)
{
    for (uint32_t who = SUSPEND_FROZEN; who <= SUSPEND_FROZEN_SECOND; who++) {
        CHECK_OK(bring(host, delay_ns, &host->ids[who]));
    }
}

/* One that was there before, or a new one: either may have begun meanwhile. */
static bool
cancel(struct host *host, uint32_t who, uint64_t delay_ns)
{
    leat_job_id id = host->ids[who];
    if (host_counts(who)) {
        test_gate_open(&host->busy_gate);
        if (bring(host, delay_ns, &id) != LEAT_OK) {
            return false;
        }
    }
    CHECK(leat_cancel(host->engine, id) != LEAT_NOT_FOUND);
    return true;
}

static bool
cancel_waiting(void *subject, uint32_t who)
{
    return cancel(subject, who, 0);
}

static bool
cancel_scheduled(void *subject, uint32_t who)
{
    return cancel(subject, who, HOUR_NS);
}

/* As many slots come free as ends are taken. */
static bool
take_ends(void *subject, uint32_t who)
{
    struct host *host = subject;
    struct leat_completion items[3];
    size_t taken = 0;
    (void)who;
    enum leat_status status = leat_completion_queue_take(host->completions, items, 3, &taken);
    return status == LEAT_OK;
}

static void
in_ring(void *subject)
{
    all_busy(subject);
    bring_all(subject, 0);
}

static void
in_list(void *subject)
{
    ring_full(subject);
    bring_all(subject, 0);
}

/* The next cancel has the list swept. */
static void
in_list_to_be_swept(void *subject)
{
    struct host *host = subject;
    in_list(subject);
    for (uint32_t i = 0; i < LEAT_ZOMBIES_MIN; i++) {
        leat_job_id id = {0};
        CHECK_OK(bring(host, 0, &id));
        CHECK_OK(leat_cancel(host->engine, id));
    }
}

static void
in_wheel(void *subject)
{
    all_busy(subject);
    bring_all(subject, HOUR_NS);
}

static void
in_wheel_asleep(void *subject)
{
    host_arrange(subject, 0, false);
    bring_all(subject, HOUR_NS);
}

static void
with_completions(void *subject)
{
    struct host *host = subject;
    CHECK_OK(leat_completion_queue_create(host->engine, HOST_SLOTS / 2, &host->completions));
    in_ring(subject);
}

/* Whom nobody froze has cancelled nothing. */
static void
cancel_rest(void *subject)
{
    struct host *host = subject;
    for (uint32_t who = SUSPEND_FROZEN; who <= SUSPEND_FROZEN_SECOND; who++) {
        CHECK(leat_cancel(host->engine, host->ids[who]) != LEAT_NOT_FOUND);
    }
    host_destroy(subject);
}

#define CANCELS(function) .name = "cancel", .run = (function)

static const struct suspend_subject cancelling_listed = {
    .name = "jobs in a list",
    ENGINE(two),
    .settled = host_settled,
    .destroy = cancel_rest,
    .operations = {HOST_POSTS,
                   HOST_SUBMITS,
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN,
                   {CANCELS(cancel_waiting), .blocks = {HOST_RING_BLOCKS}}},
    .situations = {{"in the ring", in_ring, 0, 0},
                   {"listed", in_list, 0, 0},
                   {"to be swept", in_list_to_be_swept, 0, 0}},
};

static const struct suspend_subject cancelling_scheduled = {
    .name = "jobs in a wheel",
    ENGINE(few),
    .settled = host_settled,
    .destroy = cancel_rest,
    .operations = {HOST_POSTS,
                   HOST_SUBMITS,
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN,
                   {CANCELS(cancel_scheduled), .blocks = {HOST_RING_BLOCKS}}},
    .situations = {{"busy", in_wheel, 0, 0}, {"asleep", in_wheel_asleep, 0, 0}},
};

static const struct suspend_subject cancelling_completed = {
    .name = "jobs of a queue",
    ENGINE(two),
    .settled = host_settled,
    .destroy = cancel_rest,
    .operations = {HOST_POSTS,
                   HOST_TASKS_RAN,
                   {.name = "take", .run = take_ends, .witness = true},
                   {CANCELS(cancel_waiting), .blocks = {HOST_RING_BLOCKS}}},
    .situations = {{"completions", with_completions, 0, 0}},
};

/* ---- tests ----------------------------------------------------------------------------------- */

static void
who_lists_holds_up_nobody(void **state)
{
    (void)state;
    CHECK(suspend_run(&listing));
}

static void
who_admits_holds_up_its_level(void **state)
{
    (void)state;
    CHECK(suspend_run(&its_level));
    CHECK(suspend_run(&other_levels));
    CHECK(suspend_run(&accepting));
}

static void
who_advances_a_wheel_holds_up_what_is_due(void **state)
{
    (void)state;
    CHECK(suspend_run(&advancing));
}

static void
who_cancels_holds_up_nobody(void **state)
{
    (void)state;
    CHECK(suspend_run(&cancelling_listed));
    CHECK(suspend_run(&cancelling_scheduled));
    CHECK(suspend_run(&cancelling_completed));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_lists_holds_up_nobody),
        cmocka_unit_test(who_admits_holds_up_its_level),
        cmocka_unit_test(who_advances_a_wheel_holds_up_what_is_due),
        cmocka_unit_test(who_cancels_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
