/* alerts.c - who is told when something goes wrong: a threshold on dead letters, whose event
 * becomes a POST with a JSON body, tried again where the other side is down; and its line in the
 * log.
 *
 *   alerts URL
 *
 * Some jobs fail, so the threshold is raised; the dead letters are deleted, so it is over. Exit
 * status 0 if both were told. The thread that tells events waits for nobody: it submits a job. */
#include <leat.h>
#include <leat_types.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define MS      UINT64_C(1000000)
#define LETTERS 5
#define LIMIT   3

enum told { RAISED, CLEARED, TOLD_COUNT };

struct alerts {
    const char *url;
    atomic_ullong ids[TOLD_COUNT]; /* of the jobs that tell it; 0: not yet */
};

static leat_job_id
submit(struct leat_engine *engine, const char *url, const struct leat_event *event)
{
    static const char form[] =
        "{\"event\":\"%s\",\"threshold\":\"%s\",\"value\":%llu,\"limit\":%llu}";
    static unsigned char payload[LEAT_HTTP_URL_BYTES_MAX + 512]; /* one call at a time */
    char body[256];
    struct leat_http http = leat_http_default();
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    http.url = url;
    http.body = body;
    http.body_bytes =
        (size_t)snprintf(body, sizeof(body), form, leat_event_text(event->kind),
                         leat_threshold_text(event->threshold), (unsigned long long)event->value,
                         (unsigned long long)event->limit);
    if (leat_http_encode(&http, payload, sizeof(payload), &job.payload_bytes) != LEAT_OK) {
        return id;
    }
    job.type_name = "alert";
    job.payload = payload;
    job.priority = LEAT_PRIORITY_CRITICAL;
    job.flags = LEAT_JOB_KEEP_RESULT;
    return leat_submit(engine, &job, &id) == LEAT_OK ? id : (leat_job_id){0};
}

static void
tell(struct leat_engine *engine, const struct leat_event *event, void *context)
{
    struct alerts *alerts = context;
    enum told told = event->kind == LEAT_EVENT_THRESHOLD_RAISED ? RAISED : CLEARED;
    atomic_store(&alerts->ids[told], submit(engine, alerts->url, event).bits);
}

static void
write_line(struct leat_engine *engine, const struct leat_log_line *line, void *context)
{
    (void)engine;
    (void)context;
    printf("%s\n", line->text);
}

static struct leat_outcome
fails(struct leat_run *run, void *context)
{
    (void)context;
    return leat_fail_because(run, "the disk is full");
}

static bool
start(struct leat_engine *engine, struct leat_types **types)
{
    static const uint64_t delays[] = {10 * MS, 50 * MS}; /* of real ones: seconds to hours */
    const struct leat_retry_policy policy = leat_retry_list(delays, 2);
    struct leat_type_options type = leat_type_options_default();
    struct leat_http_options http = leat_http_options_default();
    type.retry = &policy;
    type.max_attempts = 5;
    http.type = &type;
    return leat_types_create(engine, NULL, types) == LEAT_OK &&
           leat_http_register(*types, "alert", &http, NULL) == LEAT_OK &&
           leat_type_register(engine, "backup", fails, NULL, NULL, NULL) == LEAT_OK &&
           leat_start(engine) == LEAT_OK;
}

/* Waits until it was told, and taken. */
static bool
delivered(struct leat_engine *engine, struct alerts *alerts, enum told told)
{
    const struct timespec rest = {0, (long)MS};
    struct leat_job_info info = leat_job_info_default();
    leat_job_id id = {0};
    for (int i = 0; i < 10000 && id.bits == 0; i++) {
        (void)nanosleep(&rest, NULL);
        id.bits = atomic_load(&alerts->ids[told]);
    }
    return id.bits != 0 && leat_wait(engine, id, 10000 * MS, &info) == LEAT_OK &&
           info.state == LEAT_JOB_COMPLETED;
}

static bool
run(struct leat_engine *engine, struct alerts *alerts)
{
    struct leat_job job = leat_job_default();
    bool ok = true;
    job.type_name = "backup";
    for (int i = 0; i < LETTERS && ok; i++) {
        ok = leat_submit(engine, &job, NULL) == LEAT_OK;
    }
    ok = ok && delivered(engine, alerts, RAISED);
    size_t count = 0;
    while (ok && count < LETTERS) { /* one that has just died may come yet */
        size_t deleted = 0;
        ok = leat_dead_delete_all(engine, NULL, &deleted) == LEAT_OK;
        count += deleted;
    }
    return ok && delivered(engine, alerts, CLEARED);
}

int
main(int argc, char **argv)
{
    struct leat_config config = leat_config_default();
    struct leat_engine *engine = NULL;
    struct leat_types *types = NULL;
    struct alerts alerts = {.url = argc == 2 ? argv[1] : NULL};
    if (argc != 2) {
        (void)fprintf(stderr, "usage: alerts URL\n");
        return 2;
    }
    config.threshold_dead = LIMIT;
    config.threshold_period_ns = 10 * MS; /* of a real one: 10 s */
    config.event_sink = tell;
    config.event_context = &alerts;
    config.event_mask =
        LEAT_EVENT_BIT(LEAT_EVENT_THRESHOLD_RAISED) | LEAT_EVENT_BIT(LEAT_EVENT_THRESHOLD_CLEARED);
    config.log_sink = write_line;
    if (leat_open(&config, &engine, NULL) != LEAT_OK) {
        return 1;
    }
    bool ok = start(engine, &types) && run(engine, &alerts);
    ok = leat_stop(engine, LEAT_FOREVER) == LEAT_OK && ok;
    ok = (types == NULL || leat_types_stop(types) == LEAT_OK) && ok;
    ok = leat_close(engine) == LEAT_OK && ok;
    leat_types_destroy(types);
    printf("%s\n", ok ? "ok" : "wrong");
    return ok ? 0 : 1;
}
