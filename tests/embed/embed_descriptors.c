/* embed_descriptors.c - which descriptors an engine holds: each one closes on exec, and after close
 * there are as many as before. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

#define DESCRIPTORS_MAX 1024

struct descriptors {
    bool open[DESCRIPTORS_MAX];
    uint32_t count;
};

/* By asking for each: reading a directory would open one more. */
static void
read_descriptors(struct descriptors *now)
{
    memset(now, 0, sizeof(*now));
    for (int i = 0; i < DESCRIPTORS_MAX; i++) {
        now->open[i] = fcntl(i, F_GETFD) >= 0;
        now->count += now->open[i] ? 1 : 0;
    }
}

static void
new_ones_close_on_exec(const struct descriptors *before)
{
    static struct descriptors now;
    read_descriptors(&now);
    for (int i = 0; i < DESCRIPTORS_MAX; i++) {
        if (now.open[i] && !before->open[i]) {
            CHECK((fcntl(i, F_GETFD) & FD_CLOEXEC) != 0);
        }
        CHECK(now.open[i] || !before->open[i]);
    }
}

static void
as_before(const struct descriptors *before)
{
    static struct descriptors now;
    read_descriptors(&now);
    CHECK_EQUAL(now.count, before->count);
    CHECK(memcmp(&now, before, sizeof(now)) == 0);
}

static struct leat_outcome
done(struct leat_run *run, void *context)
{
    (void)context;
    CHECK_OK(leat_run_result(run, "result", 6));
    return leat_done();
}

static void
one_life(struct leat_config *config, const struct descriptors *before)
{
    static const char payload[100000];
    struct leat_engine *engine = test_open(config);
    new_ones_close_on_exec(before);
    leat_type type = test_register(engine, "t", done, NULL);
    struct leat_completion_queue *queue = NULL;
    CHECK_OK(leat_completion_queue_create(engine, 4, &queue));
    CHECK_OK(leat_completion_queue_create(engine, 4, &queue));
    CHECK_OK(leat_completion_queue_destroy(queue));
    new_ones_close_on_exec(before);
    struct leat_job job = leat_job_default();
    job.type = type;
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    job.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_start(engine));
    for (uint32_t i = 0; i < 20; i++) {
        CHECK_OK(leat_submit(engine, &job, NULL));
    }
    new_ones_close_on_exec(before);
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    new_ones_close_on_exec(before);
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    CHECK_OK(leat_start(engine));
    test_finish(engine);
    as_before(before);
}

static void
open_to_close(void **state)
{
    (void)state;
    static struct descriptors before;
    read_descriptors(&before);
    struct leat_config config = test_config();
    for (uint32_t workers = 0; workers < 4; workers++) {
        config.workers = workers;
        one_life(&config, &before);
    }
    /* Defaults ask the system for CPUs and quotas, and leave nothing open. */
    config = leat_config_default();
    as_before(&before);
}

static void
failed_opens(void **state)
{
    (void)state;
    static struct descriptors before;
    read_descriptors(&before);
    struct leat_config config = test_config();
    struct leat_engine *engine = NULL;
    for (uint32_t i = 0; i < 50; i++) {
        config.jobs_max = 1;
        CHECK_STATUS(leat_open(&config, &engine, NULL), LEAT_INVALID);
    }
    as_before(&before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_to_close),
        cmocka_unit_test(failed_opens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
