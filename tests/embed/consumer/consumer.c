/* consumer.c - the smallest program that uses both tiers of the installed library. It sees only
 * <leat.h>. Exit 0: 100 tasks ran, and a job gave back its payload turned round. */
#include <leat.h>
#include <stdio.h>
#include <string.h>

#define TASKS 100

static void
count(void *argument)
{
    *(int *)argument += 1; /* there is one worker */
}

static struct leat_outcome
turn_round(struct leat_run *run, void *context)
{
    (void)context;
    size_t bytes = 0;
    const char *payload = (const char *)leat_run_payload(run, &bytes);
    char result[16];
    for (size_t i = 0; i < bytes; i++) {
        result[i] = payload[bytes - 1 - i];
    }
    return leat_run_result(run, result, bytes) == LEAT_OK ? leat_done() : leat_fail();
}

static int
expect_ok(enum leat_status status, const char *what)
{
    if (status != LEAT_OK) {
        fprintf(stderr, "%s: %s\n", what, leat_status_text(status));
        return 1;
    }
    return 0;
}

static int
use_both_tiers(struct leat_engine *engine)
{
    int counter = 0;
    for (int i = 0; i < TASKS; i++) {
        if (expect_ok(leat_post(engine, LEAT_PRIORITY_NORMAL, count, &counter), "post") != 0) {
            return 1;
        }
    }

    int bad = expect_ok(leat_type_register(engine, "turn", turn_round, NULL, NULL, NULL), "type");
    struct leat_job job = leat_job_default();
    job.type_name = "turn";
    job.payload = "leat";
    job.payload_bytes = 4;
    job.flags = LEAT_JOB_KEEP_RESULT;
    leat_job_id id = {0};
    bad += expect_ok(leat_submit(engine, &job, &id), "submit");
    bad += expect_ok(leat_wait(engine, id, LEAT_FOREVER, NULL), "wait");
    char result[4] = {0};
    bad += expect_ok(leat_result(engine, id, result, sizeof(result), NULL), "result");
    bad += expect_ok(leat_release(engine, id), "release");
    bad += expect_ok(leat_drain(engine, LEAT_FOREVER), "drain");
    return bad != 0 || memcmp(result, "tael", 4) != 0 || counter != TASKS;
}

int
main(void)
{
    struct leat_config config = leat_config_default();
    config.workers = 1;
    struct leat_engine *engine = NULL;
    struct leat_error error;
    if (leat_open(&config, &engine, &error) != LEAT_OK) {
        fprintf(stderr, "open: %s %s\n", error.field, error.text);
        return 1;
    }
    int bad = expect_ok(leat_start(engine), "start");
    bad += use_both_tiers(engine);
    bad += expect_ok(leat_stop(engine, LEAT_FOREVER), "stop");
    bad += expect_ok(leat_close(engine), "close");
    printf("leat %s: %s\n", leat_version_text(), bad == 0 ? "ok" : "failed");
    return bad != 0;
}
