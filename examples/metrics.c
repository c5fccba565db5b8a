/* metrics.c - what a scraper reads: runs some jobs of two types in two queues, then prints the
 * metrics of the engine.
 *
 *   metrics [openmetrics | prometheus]
 */
#include <stdio.h>
#include <string.h>

#include <leat.h>

static struct leat_outcome
send(struct leat_run *run, void *context)
{
    (void)context;
    return leat_run_attempt(run) == 1 ? leat_retry_in(0) : leat_done();
}

static struct leat_outcome
refuse(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_fail();
}

static bool
print(const char *text, size_t bytes, void *context)
{
    (void)context;
    return fwrite(text, 1, bytes, stdout) == bytes;
}

static enum leat_status
submit_some(struct leat_engine *engine, const char *type, const char *queue)
{
    struct leat_job job = leat_job_default();
    enum leat_status status = LEAT_OK;
    job.type_name = type;
    job.queue_name = queue;
    for (int i = 0; i < 100 && status == LEAT_OK; i++) {
        leat_job_id id;
        status = leat_submit(engine, &job, &id);
    }
    return status;
}

static enum leat_status
work(struct leat_engine *engine)
{
    leat_type type;
    leat_queue queue;
    struct leat_type_options options = leat_type_options_default();
    struct leat_queue_options mails = leat_queue_options_default();
    enum leat_status status = leat_type_register(engine, "mail/send", send, NULL, &options, &type);
    if (status == LEAT_OK) {
        status = leat_type_register(engine, "mail/bounce", refuse, NULL, &options, &type);
    }
    if (status == LEAT_OK) {
        status = leat_queue_create(engine, "mails", &mails, &queue);
    }
    if (status == LEAT_OK) {
        status = leat_start(engine);
    }
    if (status == LEAT_OK) {
        status = submit_some(engine, "mail/send", "mails");
    }
    if (status == LEAT_OK) {
        status = submit_some(engine, "mail/bounce", NULL);
    }
    return status == LEAT_OK ? leat_drain(engine, LEAT_FOREVER) : status;
}

int
main(int count, char **arguments)
{
    struct leat_config config = leat_config_default();
    struct leat_engine *engine = NULL;
    struct leat_error error;
    bool plain = count == 2 && strcmp(arguments[1], "prometheus") == 0;
    bool open = count == 1 || (count == 2 && strcmp(arguments[1], "openmetrics") == 0);
    if (!plain && !open) {
        (void)fprintf(stderr, "usage: metrics [openmetrics | prometheus]\n");
        return 2;
    }
    config.sample_interval = 1;
    if (leat_open(&config, &engine, &error) != LEAT_OK) {
        (void)fprintf(stderr, "metrics: %s\n", error.text);
        return 2;
    }
    enum leat_status status = work(engine);
    if (status == LEAT_OK) {
        status = leat_metrics_write(
            engine, plain ? LEAT_METRICS_PROMETHEUS : LEAT_METRICS_OPENMETRICS, print, NULL);
    }
    if (leat_stop(engine, LEAT_FOREVER) != LEAT_OK || leat_close(engine) != LEAT_OK) {
        return 2;
    }
    if (status != LEAT_OK || fflush(stdout) != 0) {
        (void)fprintf(stderr, "metrics: %s\n", leat_status_text(status));
        return 2;
    }
    return 0;
}
