/* suspend_wait.c - who waits for many jobs stands still in front of each of its atomic steps, while
 * the jobs are cancelled, and then goes on: it does not sleep beside an end. Nor does it keep
 * anybody from cancelling them, though it has a hold on each. */
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/freeze.h"
#include "tests/support/threads.h"

#define JOBS 2

struct wait {
    struct leat_engine *engine;
    enum leat_wait_mode mode;
    leat_job_id ids[JOBS];
    struct freeze freeze;
    enum leat_status statuses[JOBS];
    size_t which;
    uint64_t took_ns; /* from when it was let go on */
};

static void
wait_body(void *argument)
{
    struct wait *wait = argument;
    struct leat_wait_set set = leat_wait_set_default();
    set.ids = wait->ids;
    set.count = JOBS;
    set.mode = wait->mode;
    set.statuses = wait->statuses;
    set.timeout_ns = TEST_PATIENCE_NS;
    CHECK_OK(leat_wait_many(wait->engine, &set, &wait->which));
}

/* The jobs end while it stands in front of its `step`th step, or sleeps. True: there is one. */
static bool
end_at(struct wait *wait, enum leat_wait_mode mode, uint64_t step, uint32_t ends)
{
    struct leat_config config = test_config();
    memset(wait, 0, sizeof(*wait));
    config.retained_max = 0;
    wait->engine = test_open(&config);
    wait->mode = mode;
    struct leat_job job = leat_job_default();
    job.type_name = "job";
    for (uint32_t i = 0; i < JOBS; i++) {
        CHECK_OK(leat_submit(wait->engine, &job, &wait->ids[i]));
    }
    freeze_start(&wait->freeze, wait_body, wait);
    bool stands = freeze_to(&wait->freeze, step);
    for (uint32_t i = 0; i < JOBS; i++) {
        if (mode == LEAT_WAIT_ALL || i == ends) {
            CHECK_OK(leat_cancel(wait->engine, wait->ids[i]));
        }
    }
    uint64_t begin_ns = test_now_ns();
    freeze_let_go(&wait->freeze);
    freeze_join(&wait->freeze);
    wait->took_ns = test_now_ns() - begin_ns;
    test_close(wait->engine);
    return stands;
}

static void
no_end_is_slept_through(void **state)
{
    (void)state;
    static struct wait wait;
    for (uint32_t mode = LEAT_WAIT_ALL; mode <= LEAT_WAIT_ANY; mode++) {
        for (uint32_t ends = 0; ends < JOBS; ends++) {
            uint64_t step = 1;
            bool stands = true;
            for (; stands; step++) {
                stands = end_at(&wait, (enum leat_wait_mode)mode, step, ends);
                CHECK(wait.took_ns < TEST_PATIENCE_NS / 2);
                CHECK_EQUAL(wait.which, mode == LEAT_WAIT_ALL ? JOBS : ends);
                CHECK(wait.statuses[ends] == LEAT_OK || wait.statuses[ends] == LEAT_GONE);
            }
            CHECK(step > 5);
            test_say("wait for many: mode %u, %lu steps\n", mode, (unsigned long)step - 2);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_end_is_slept_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
