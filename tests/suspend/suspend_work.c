/* suspend_work.c - what a frozen worker has beside the rings, under the suspension test, see
 * suspend.h: its local queue and its deque, from which others steal, the way to sleep, groups and
 * loops. A worker stops for ever at each step of that; the others must run everything but what it
 * has in its hand. Who waits in a group for that waits with it, and so it is found. */
#include <string.h>

#include "sched/limits.h"
#include "tests/support/check.h"
#include "tests/suspend/host.h"

/* Tasks behind the first one of a batch, and those of a group. A thief takes half of such, or of
 * what a worker had claimed: one to run, and the others to keep. */
#define BEHIND 3
#define STOLEN (LEAT_CLAIM_MAX / 2)
#define PIECES 4

/* A group, by the task that began it. */
struct fork {
    struct host *host;
    struct leat_group group;
};

/* ---- stealing tasks -------------------------------------------------------------------------- */

static void
task_victim(void *argument)
{
    struct host *host = argument;
    test_gate_stay(&host->last_gate);
}

/* One worker stands in `first`, and what is behind it in its batch waits in its local queue. All
 * others are held. */
static void
stock(struct host *host, leat_task_function first, struct test_gate *gate)
{
    struct leat_task tasks[1 + BEHIND] = {{first, host}};
    size_t posted = 0;
    for (size_t i = 1; i <= BEHIND; i++) {
        tasks[i] = (struct leat_task){host_task_counted, host};
    }
    CHECK_OK(leat_post_batch(host->engine, LEAT_PRIORITY_NORMAL, tasks, 1 + BEHIND, &posted));
    CHECK_EQUAL(posted, 1 + BEHIND);
    host_accept(host, BEHIND);
    test_gate_arrivals(gate, 1);
}

/* A handler that does not return stands on its worker's local queue; a thief comes. */
static void
thief_comes(void *subject)
{
    struct host *host = subject;
    host_hold(host, host_task_next, &host->next_gate);
    host_hold(host, host_task_busy, &host->busy_gate);
    stock(host, task_victim, &host->last_gate);
}

/* The same, and there is something in the ring as well. */
static void
thief_is_busy(void *subject)
{
    thief_comes(subject);
    CHECK(host_post(subject, SUSPEND_OTHER));
}

/* The victim goes on, beside a thief. */
static void
victim_goes_on(void *subject)
{
    struct host *host = subject;
    host_hold(host, host_task_busy, &host->busy_gate);
    stock(host, host_task_next, &host->next_gate);
}

/* What a thief does from its swap until others can see what it stole: it publishes that in its
 * queue, and says that there is something. The last is news only where another thief has found all
 * queues empty meanwhile. */
static bool
hides_stolen(const struct freeze_place *place)
{
    static const char *const steps[][3] = {{"ring/local.c", "store", "tail"},
                                           {"sched/worker.c", "", "stocked"},
                                           {"sched/pool.c", "", "anchor"},
                                           {"sched/pool.c", "", "hint"}};
    for (size_t i = 0; i < TEST_COUNT_OF(steps); i++) {
        if (strcmp(place->file, steps[i][0]) == 0 && strstr(place->kind, steps[i][1]) != NULL &&
            strstr(place->text, steps[i][2]) != NULL) {
            return true;
        }
    }
    return false;
}

/* In the hand of a thief is half of what its victim had until others can see it; else one item. */
static bool
thief_settled(void *subject)
{
    struct host *host = subject;
    struct freeze *freeze = &host->freezes[host->next];
    CHECK(pthread_mutex_lock(&freeze->mutex) == 0);
    bool stolen = freeze->stands && hides_stolen(&freeze->place);
    CHECK(pthread_mutex_unlock(&freeze->mutex) == 0);
    host->in_hand = stolen ? STOLEN : 1;
    return host_settled(host);
}

static const struct host_shape one = {.workers = 1};
static const struct host_shape two = {.workers = 2};
static const struct host_shape three = {.workers = 3};
static const struct host_shape four = {.workers = 4};

#define ENGINE(shape)                                                                              \
    .capacity = HOST_SLOTS, .budget = 60, .context = &(shape), .create = host_create,              \
    .destroy = host_destroy

static const struct suspend_subject thief = {
    .name = "1 of 3 workers",
    ENGINE(three),
    .settled = thief_settled,
    .operations = {HOST_POSTS,
                   HOST_SUBMITS,
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN,
                   {.name = "steal",
                    .begin = host_begin,
                    .blocks = {HOST_RING_BLOCKS},
                    .late_or_not = {HOST_WAKING}}},
    /* The third worker may fall asleep just before the thief stops on its way to wake it. */
    .situations = {{"a victim", thief_comes, 0, 1}, {"a victim, busy", thief_is_busy, 0, 1}},
};

static const struct suspend_subject victim = {
    .name = "1 of 2 workers",
    ENGINE(two),
    .settled = thief_settled,
    .operations = {HOST_POSTS,
                   HOST_SUBMITS,
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN,
                   {.name = "local", .begin = host_begin, .blocks = {HOST_RING_BLOCKS}}},
    .situations = {{"a batch", victim_goes_on, 0, 1}},
};

/* ---- going to sleep -------------------------------------------------------------------------- */

static void
parks_alone(void *subject)
{
    host_arrange(subject, 1, true);
}

static void
parks_beside_sleepers(void *subject)
{
    host_arrange(subject, 0, true);
}

static const struct suspend_subject parking = {
    .name = "1 of 2 workers",
    ENGINE(two),
    .settled = host_settled,
    .operations = {HOST_POSTS,
                   HOST_SUBMITS,
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN,
                   {.name = "park", .begin = host_begin}},
    /* The first push may notify just the frozen one. */
    .situations = {{"one busy", parks_alone, 0, 1}, {"one asleep", parks_beside_sleepers, 0, 1}},
};

/* ---- forking --------------------------------------------------------------------------------- */

static void
spawn(struct fork *fork)
{
    CHECK_OK(leat_group_spawn(&fork->group, host_task_counted, fork->host));
    host_accept(fork->host, 1);
}

static void
begin_and_hold(struct fork *fork, struct host *host)
{
    fork->host = host;
    host_is_next(host);
    test_gate_stay(&host->next_gate);
    CHECK_OK(leat_group_init(&fork->group, host->engine));
}

/* The worker that is frozen forks. */
static void
task_forks(void *argument)
{
    struct fork fork;
    begin_and_hold(&fork, argument);
    for (uint32_t i = 0; i < BEHIND; i++) {
        spawn(&fork);
    }
    CHECK_OK(leat_group_wait(&fork.group, LEAT_FOREVER));
}

static void
piece(size_t begin, size_t end, void *argument)
{
    (void)begin;
    (void)end;
    (void)argument;
}

static void
task_loops(void *argument)
{
    struct host *host = argument;
    const struct leat_range range = {0, PIECES, 1};
    host_task_next(host);
    CHECK_OK(leat_parallel_for(host->engine, &range, piece, host));
}

/* Another worker has the only task of the group until the others begin. */
static void
task_waits(void *argument)
{
    struct host *host = argument;
    struct leat_group group;
    CHECK_OK(leat_group_init(&group, host->engine));
    CHECK_OK(leat_group_spawn(&group, host_task_busy, host));
    test_gate_arrivals(&host->busy_gate, 1);
    host_task_next(host);
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
}

static void
forks(void *subject)
{
    struct host *host = subject;
    host_hold(host, task_forks, &host->next_gate);
    host_hold(host, host_task_busy, &host->busy_gate);
}

static void
forks_beside_sleepers(void *subject)
{
    struct host *host = subject;
    host_hold(host, task_forks, &host->next_gate);
    host_until_asleep(host, 1);
}

static void
loops(void *subject)
{
    struct host *host = subject;
    host_hold(host, task_loops, &host->next_gate);
    host_hold(host, host_task_busy, &host->busy_gate);
}

static void
waits(void *subject)
{
    struct host *host = subject;
    host_hold(host, task_waits, &host->next_gate);
}

/* Of what it spawned, the frozen worker may have one task in its hand. */
static bool
forker_settled(void *subject)
{
    struct host *host = subject;
    host->in_hand = 1;
    return host_settled(host);
}

static const struct suspend_subject forking = {
    .name = "1 of 2 workers",
    ENGINE(two),
    .settled = forker_settled,
    .operations = {HOST_POSTS,
                   HOST_SUBMITS,
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN,
                   {.name = "fork", .begin = host_begin, .late = {HOST_WAKING}}},
    .situations = {{"spawns", forks, 0, 1},
                   {"spawns beside sleepers", forks_beside_sleepers, 0, 1},
                   {"loops", loops, 0, 1},
                   {"waits", waits, 0, 1}},
};

/* ---- joining --------------------------------------------------------------------------------- */

/* The worker that is not frozen has tasks of a group in its deque, and waits for them. */
static void
task_joins(void *argument)
{
    struct host *host = argument;
    struct fork fork = {.host = host};
    CHECK_OK(leat_group_init(&fork.group, host->engine));
    for (uint32_t i = 0; i < BEHIND; i++) {
        spawn(&fork);
    }
    test_gate_stay(&host->busy_gate);
    CHECK_OK(leat_group_wait(&fork.group, LEAT_FOREVER));
}

static void
joins(void *subject)
{
    struct host *host = subject;
    host_hold(host, host_task_next, &host->next_gate);
    host_hold(host, task_joins, &host->busy_gate);
}

static void
joins_beside_another(void *subject)
{
    struct host *host = subject;
    host_hold(host, host_task_next, &host->next_gate);
    host_hold(host, host_task_busy, &host->busy_gate);
    host_hold(host, host_task_busy, &host->busy_gate);
    host_hold(host, task_joins, &host->busy_gate);
}

/* A worker that waits runs nothing but deeper tasks, so with it all workers are held up. */
static const struct suspend_subject joining = {
    .name = "1 of 2 workers",
    ENGINE(two),
    .settled = forker_settled,
    .operations = {HOST_POSTS,
                   HOST_SUBMITS,
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN,
                   {.name = "help",
                    .begin = host_begin,
                    .span = {"ring/deque.c swap &deque->top",
                             "sched/spawn.c change &join->others"}}},
    .situations = {{"a group", joins, 0, 1}},
};

/* Beside it two workers go on, so that to one of them a wake-up may be owed. */
static const struct suspend_subject joining_beside = {
    .name = "1 of 4 workers",
    ENGINE(four),
    .settled = forker_settled,
    .operations = {HOST_POSTS,
                   HOST_SUBMITS,
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN,
                   {.name = "help", .begin = host_begin}},
    .situations = {{"a group", joins_beside_another, 0, 1}},
};

/* ---- groups of threads that are no workers --------------------------------------------------- */

static bool
run_group(void *subject, uint32_t who)
{
    struct host *host = subject;
    struct leat_group group;
    (void)who;
    CHECK_OK(leat_group_init(&group, host->engine));
    bool taken = leat_group_spawn(&group, host_task_uncounted, host) == LEAT_OK;
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    return taken;
}

static bool
run_loop(void *subject, uint32_t who)
{
    struct host *host = subject;
    const struct leat_range range = {0, PIECES, 1};
    (void)who;
    return leat_parallel_for(host->engine, &range, piece, host) == LEAT_OK;
}

static void
asleep(void *subject)
{
    host_arrange(subject, 0, false);
}

/* Who waits for what it brought brings no more: a wake-up that is owed to the only worker is not
 * made good by others. */
static const struct suspend_subject outside_one = {
    .name = "groups, 1 worker",
    ENGINE(one),
    .settled = host_settled,
    .operations = {{.name = "group", .run = run_group, .blocks = {HOST_WAKING, HOST_RING_BLOCKS}},
                   {.name = "loop", .run = run_loop, .blocks = {HOST_WAKING, HOST_RING_BLOCKS}}},
    .situations = {{"asleep", asleep, 0, 0}},
};

/* As many workers as may be owed one, and one more. */
static const struct suspend_subject outside = {
    .name = "groups, 3 workers",
    ENGINE(three),
    .settled = host_settled,
    .operations = {{.name = "group", .run = run_group, .blocks = {HOST_RING_BLOCKS}},
                   {.name = "loop", .run = run_loop, .blocks = {HOST_RING_BLOCKS}}},
    .situations = {{"asleep", asleep, 0, 0}},
};

/* ---- tests ----------------------------------------------------------------------------------- */

static void
who_steals_holds_up_nobody(void **state)
{
    (void)state;
    CHECK(suspend_run(&thief));
}

static void
a_local_queue_is_stolen(void **state)
{
    (void)state;
    CHECK(suspend_run(&victim));
}

static void
who_parks_holds_up_nobody(void **state)
{
    (void)state;
    CHECK(suspend_run(&parking));
}

static void
what_was_spawned_is_stolen(void **state)
{
    (void)state;
    CHECK(suspend_run(&forking));
}

static void
a_group_waits_for_its_tasks(void **state)
{
    (void)state;
    CHECK(suspend_run(&joining));
    CHECK(suspend_run(&joining_beside));
}

static void
groups_of_other_threads_go_on(void **state)
{
    (void)state;
    CHECK(suspend_run(&outside_one));
    CHECK(suspend_run(&outside));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_steals_holds_up_nobody),
        cmocka_unit_test(a_local_queue_is_stolen),
        cmocka_unit_test(who_parks_holds_up_nobody),
        cmocka_unit_test(what_was_spawned_is_stolen),
        cmocka_unit_test(a_group_waits_for_its_tasks),
        cmocka_unit_test(groups_of_other_threads_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
