/* suspend_hand.c - a worker with several items in its hand, under the suspension test, see
 * suspend.h: it takes a batch apart, or claims several items of a ring, and stops for ever at each
 * step. Up to where it has put them into its local queue and says so, all of them wait with it;
 * from then on the one that it runs. The others must run the rest, and bring as much as they like.
 *
 * How many a worker claims hangs on how long the last ones took, and in this test each step is
 * slow: so sched/worker.c is compiled here once more, without that limit. */
#include "sched/limits.h"
#undef LEAT_CLAIM_NS
#define LEAT_CLAIM_NS 3600000000000
#include "sched/worker.c" /* with this */

#include "tests/support/check.h"
#include "tests/suspend/host.h"

/* Tasks of a batch. */
#define BATCH 4

/* So many single ones make a worker claim several, see LEAT_CLAIM_EVERY. And those that it may
 * claim when it is frozen: the half of them at most, as there are two workers. */
#define SINGLES   (3 * LEAT_CLAIM_EVERY)
#define CLAIMABLE 8

/* ---- what is in its hand --------------------------------------------------------------------- */

/* From the swap that takes an item out of the ring until others can see what came with it. */
static bool
hides_several(const struct freeze_place *place)
{
    static const char *const steps[][2] = {
        {"ring/packed.h", ""},      {"ring/packed.c", ""},   {"ring/chunk.h", ""},
        {"ring/local.c", ""},       {"ring/local.h", ""},    {"sched/worker.c", "stocked"},
        {"sched/pool.c", "anchor"}, {"sched/pool.c", "hint"}};
    for (size_t i = 0; i < TEST_COUNT_OF(steps); i++) {
        if (strcmp(place->file, steps[i][0]) == 0 && strstr(place->text, steps[i][1]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool
settled(struct host *host, uint64_t several)
{
    struct freeze *freeze = &host->freezes[host->next];
    CHECK(pthread_mutex_lock(&freeze->mutex) == 0);
    bool hidden = freeze->stands && hides_several(&freeze->place);
    CHECK(pthread_mutex_unlock(&freeze->mutex) == 0);
    host->in_hand = hidden ? several : 1;
    return host_settled(host);
}

static bool
batch_settled(void *subject)
{
    return settled(subject, BATCH);
}

static bool
claim_settled(void *subject)
{
    return settled(subject, CLAIMABLE / 2);
}

/* ---- situations ------------------------------------------------------------------------------ */

static void
post_counted(struct host *host, size_t count, size_t at_once)
{
    struct leat_task tasks[BATCH];
    for (size_t i = 0; i < at_once; i++) {
        tasks[i] = (struct leat_task){host_task_counted, host};
    }
    for (size_t i = 0; i < count; i += at_once) {
        CHECK_OK(leat_post_batch(host->engine, LEAT_PRIORITY_NORMAL, tasks, at_once, NULL));
        host_accept(host, at_once);
    }
}

/* A worker stands in front of batches, and the other one is held. */
static void
batches_wait(void *subject)
{
    struct host *host = subject;
    host_arrange(host, host->workers - 1, true);
    post_counted(host, 2 * BATCH, BATCH);
}

/* The same for one that sleeps. */
static void
batch_comes(void *subject)
{
    struct host *host = subject;
    host_arrange(host, host->workers - 1, false);
}

static void
task_first(void *argument)
{
    struct host *host = argument;
    test_gate_stay(&host->last_gate);
}

/* A worker has run so many single ones that it claims several. The other one is held. */
static void
singles_wait(void *subject)
{
    struct host *host = subject;
    for (uint32_t i = 0; i + 1 < host->workers; i++) {
        host_hold(host, host_task_busy, &host->busy_gate);
    }
    host_hold(host, task_first, &host->last_gate);
    for (uint32_t i = 0; i < SINGLES; i++) {
        CHECK(host_post(host, SUSPEND_FROZEN));
    }
    CHECK_OK(leat_post(host->engine, LEAT_PRIORITY_NORMAL, host_task_next, host));
    post_counted(host, CLAIMABLE, 1);
    test_gate_open(&host->last_gate);
    test_gate_arrivals(&host->next_gate, 1);
}

/* The one that sleeps wakes for a batch. */
static struct freeze *
begin(void *subject, uint64_t step, struct freeze_places *seen)
{
    struct host *host = subject;
    struct freeze *freeze = host_begin(subject, step, seen);
    if (host->next_sleeps) {
        post_counted(host, BATCH, BATCH);
    }
    return freeze;
}

/* ---- subjects -------------------------------------------------------------------------------- */

/* One of them goes on: if it sleeps just then, a waker that stops in front of its system call is
 * LATE, see 0006. */
static const struct host_shape two = {.workers = 2};

#define ENGINE                                                                                     \
    .name = "1 of 2 workers", .capacity = HOST_SLOTS, .budget = 60, .context = &two,               \
    .create = host_create, .destroy = host_destroy

static const struct suspend_subject opening = {
    ENGINE,
    .settled = batch_settled,
    .operations = {HOST_POSTS,
                   HOST_SUBMITS,
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN,
                   {.name = "open",
                    .begin = begin,
                    .blocks = {HOST_RING_BLOCKS},
                    .late_or_not = {HOST_WAKING}}},
    .situations = {{"batches wait", batches_wait, 0, 1}, {"a batch comes", batch_comes, 0, 1}},
};

static const struct suspend_subject claiming = {
    ENGINE,
    .settled = claim_settled,
    .operations = {HOST_POSTS,
                   HOST_SUBMITS,
                   HOST_TASKS_RAN,
                   HOST_JOBS_RAN,
                   {.name = "claim",
                    .begin = begin,
                    .blocks = {HOST_RING_BLOCKS},
                    .late_or_not = {HOST_WAKING}}},
    .situations = {{"singles wait", singles_wait, 0, 1}},
};

/* ---- tests ----------------------------------------------------------------------------------- */

static void
who_opens_a_batch_holds_up_its_tasks(void **state)
{
    (void)state;
    CHECK(suspend_run(&opening));
}

static void
who_claims_holds_up_what_it_claimed(void **state)
{
    (void)state;
    CHECK(suspend_run(&claiming));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_opens_a_batch_holds_up_its_tasks),
        cmocka_unit_test(who_claims_holds_up_what_it_claimed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
