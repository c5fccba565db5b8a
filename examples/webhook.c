/* webhook.c - tells others what happened: a POST with a JSON body to each URL, signed, tried up to
 * five times where the other side is down, and not again where it refuses.
 *
 *   webhook SECRET URL..
 *
 * Prints a line for each URL; exit status 0 if all were delivered. leat_types.h says which answers
 * count as what, and how a receiver checks the signature. */
#include <leat.h>
#include <leat_types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS       UINT64_C(1000000)
#define URLS_MAX 64

static bool
start(struct leat_engine *engine, const char *secret, struct leat_types **types)
{
    static const uint64_t delays[] = {10 * MS, 50 * MS}; /* of real ones: seconds to hours */
    const struct leat_retry_policy policy = leat_retry_list(delays, 2);
    struct leat_type_options type = leat_type_options_default();
    struct leat_http_options http = leat_http_options_default();
    type.retry = &policy;
    type.max_attempts = 5;
    type.timeout_ns = 5000 * MS;
    type.running_max = 8; /* on their way at once; no worker waits for them */
    http.type = &type;
    http.secret = secret;
    http.secret_bytes = strlen(secret);
    return leat_types_create(engine, NULL, types) == LEAT_OK &&
           leat_http_register(*types, "webhook", &http, NULL) == LEAT_OK &&
           leat_start(engine) == LEAT_OK;
}

static leat_job_id
submit(struct leat_engine *engine, const char *url)
{
    static const char body[] = "{\"event\":\"user.registered\",\"user\":7}";
    static const char *const headers[] = {"X-Event-Type: user.registered", NULL};
    static unsigned char payload[LEAT_HTTP_URL_BYTES_MAX + 1024];
    struct leat_http http = leat_http_default();
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    http.url = url;
    http.headers = headers;
    http.body = body;
    http.body_bytes = sizeof(body) - 1;
    if (leat_http_encode(&http, payload, sizeof(payload), &job.payload_bytes) != LEAT_OK) {
        return id;
    }
    job.type_name = "webhook";
    job.payload = payload;
    job.priority = LEAT_PRIORITY_HIGH;
    job.flags = LEAT_JOB_KEEP_RESULT;
    return leat_submit(engine, &job, &id) == LEAT_OK ? id : (leat_job_id){0};
}

/* Waits for the end, and tells of it: the last answer is there also where the job is DEAD. */
static bool
delivered(struct leat_engine *engine, const char *url, leat_job_id id)
{
    static unsigned char bytes[1 << 16];
    struct leat_job_info info = leat_job_info_default();
    struct leat_http_result result = {0};
    size_t count = 0;
    if (leat_wait(engine, id, LEAT_FOREVER, &info) != LEAT_OK) {
        printf("%s: not taken\n", url);
        return false;
    }
    if (leat_result(engine, id, bytes, sizeof(bytes), &count) == LEAT_OK && count > 0 &&
        leat_http_result_decode(bytes, count, &result) != LEAT_OK) {
        result.status = 0;
    }
    printf("%s: %s, attempts %u, status %u\n", url, leat_job_state_text(info.state), info.attempts,
           result.status);
    return info.state == LEAT_JOB_COMPLETED;
}

int
main(int argc, char **argv)
{
    struct leat_engine *engine = NULL;
    struct leat_types *types = NULL;
    leat_job_id ids[URLS_MAX];
    if (argc < 3 || argc - 2 > URLS_MAX) {
        (void)fprintf(stderr, "usage: webhook SECRET URL..\n");
        return 2;
    }
    if (leat_open(NULL, &engine, NULL) != LEAT_OK) {
        return 1;
    }
    bool ok = start(engine, argv[1], &types);
    for (int i = 2; i < argc && ok; i++) {
        ids[i - 2] = submit(engine, argv[i]);
    }
    bool all = ok;
    for (int i = 2; i < argc && ok; i++) {
        all = delivered(engine, argv[i], ids[i - 2]) && all;
    }
    ok = leat_stop(engine, LEAT_FOREVER) == LEAT_OK && all;
    ok = (types == NULL || leat_types_stop(types) == LEAT_OK) && ok;
    ok = leat_close(engine) == LEAT_OK && ok;
    leat_types_destroy(types);
    return ok ? 0 : 1;
}
