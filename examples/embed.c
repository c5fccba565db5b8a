#include <leat.h>
#include <stdio.h>

static struct leat_outcome
greet(struct leat_run *run, void *context)
{
    const char *name = leat_run_payload(run, NULL);
    (void)context;
    printf("hello %s, attempt %u\n", name, leat_run_attempt(run));
    return leat_run_attempt(run) < 2 ? leat_retry() : leat_done();
}

int
main(void)
{
    struct leat_engine *engine = NULL;
    struct leat_error error;
    if (leat_open(NULL, &engine, &error) != LEAT_OK) { /* NULL: the defaults */
        (void)fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    struct leat_job job = leat_job_default();
    struct leat_job_info info = leat_job_info_default();
    leat_job_id id = {0};
    job.payload = "world";
    job.payload_bytes = sizeof("world");
    job.flags = LEAT_JOB_KEEP_RESULT; /* the record stays until leat_release() or leat_close() */
    bool ok = leat_type_register(engine, "greet", greet, NULL, NULL, &job.type) == LEAT_OK &&
              leat_start(engine) == LEAT_OK && leat_submit(engine, &job, &id) == LEAT_OK &&
              leat_wait(engine, id, LEAT_FOREVER, &info) == LEAT_OK;
    printf("%s after %u attempts\n", leat_job_state_text(info.state), info.attempts);
    return leat_stop(engine, LEAT_FOREVER) != LEAT_OK || leat_close(engine) != LEAT_OK || !ok;
}
