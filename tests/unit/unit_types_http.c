/* unit_types_http.c - requests against a server of the test: what an answer's status comes to, what
 * is sent, signatures, cuts, time, resets, redirects; a cancel; what a payload may not be. Beyond
 * the worker that there is, many requests are on their way at once. */
#include <string.h>

#include "tests/support/ready.h"

static struct test_ready ready;
static struct test_server server;
static char url[128];

static void
setup(const struct leat_http_options *given)
{
    struct leat_http_options options = *given;
    struct leat_type_options type = test_ready_type();
    test_ready_start(&ready);
    options.type = &type;
    CHECK_OK(leat_http_register(ready.types, "http", &options, &ready.type));
}

static struct leat_http
request(const char *path)
{
    struct leat_http http = leat_http_default();
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/%s", server.port, path);
    http.url = url;
    return http;
}

static struct leat_job_info
run(const struct leat_http *http)
{
    CHECK_OK(leat_http_encode(http, ready.payload, sizeof(ready.payload), &ready.bytes));
    return test_ready_run(&ready);
}

static struct leat_http_result
result(void)
{
    struct leat_http_result read;
    CHECK_OK(leat_http_result_decode(ready.result, ready.result_bytes, &read));
    return read;
}

static void
comes_to(const char *path, enum leat_job_state state, uint32_t attempts)
{
    struct leat_http http = request(path);
    struct leat_job_info info = run(&http);
    if (info.state != state || info.attempts != attempts) {
        test_say("%s: %s\n", path, info.error);
    }
    CHECK_EQUAL(info.state, state);
    CHECK_EQUAL(info.attempts, attempts);
}

static void
a_status_has_a_meaning(void **state)
{
    (void)state;
    struct leat_http_options options = leat_http_options_default();
    options.retry_after_ns_max = 1000 * TEST_MS;
    setup(&options);
    comes_to("status/200", LEAT_JOB_COMPLETED, 1);
    comes_to("status/204", LEAT_JOB_COMPLETED, 1);
    comes_to("status/404", LEAT_JOB_DEAD, 1);
    CHECK_EQUAL(result().status, 404);
    comes_to("status/410/5", LEAT_JOB_DEAD, 1);
    comes_to("status/408", LEAT_JOB_DEAD, 2);
    comes_to("status/425", LEAT_JOB_DEAD, 2);
    comes_to("status/429", LEAT_JOB_DEAD, 2);
    comes_to("status/500", LEAT_JOB_DEAD, 2);
    comes_to("status/302", LEAT_JOB_DEAD, 2);
    comes_to("once/500", LEAT_JOB_COMPLETED, 2);
    uint64_t before_ns = test_now_ns();
    comes_to("once/429/7", LEAT_JOB_COMPLETED, 1); /* put off: no attempt is used up */
    comes_to("once/503/7", LEAT_JOB_COMPLETED, 2);
    uint64_t took_ns = test_now_ns() - before_ns;
    CHECK(took_ns >= 2000 * TEST_MS && took_ns < 12000 * TEST_MS);
    comes_to("reset", LEAT_JOB_DEAD, 2);
    comes_to("redirect/status/200", LEAT_JOB_DEAD, 2);
    test_ready_end(&ready);
}

static void
echoes(const struct leat_http *http, const char *want)
{
    CHECK_EQUAL(run(http).state, LEAT_JOB_COMPLETED);
    struct leat_http_result got = result();
    CHECK_EQUAL(got.body_bytes, strlen(want));
    CHECK(memcmp(got.body, want, got.body_bytes) == 0);
    CHECK(!got.truncated);
}

static void
a_request_is_sent_as_asked(void **state)
{
    (void)state;
    const char *const headers[] = {"X-Test: yes", "content-type: text/plain", NULL};
    struct leat_http_options options = leat_http_options_default();
    options.secret = "secret";
    options.secret_bytes = 6;
    options.redirects_max = 1;
    setup(&options);
    struct leat_http http = request("echo");
    echoes(&http, "GET|||");
    http.body = "{}";
    http.body_bytes = 2;
    echoes(&http, "POST|application/json||{}");
    http.method = "PUT";
    http.headers = headers;
    echoes(&http, "PUT|text/plain|yes|{}");
    http = request("chunked");
    echoes(&http, "one two three");
    http = request("signed");
    http.body = "body";
    http.body_bytes = 4;
    CHECK_EQUAL(run(&http).state, LEAT_JOB_COMPLETED);
    comes_to("redirect/status/200", LEAT_JOB_COMPLETED, 1);
    comes_to("redirect/redirect/status/200", LEAT_JOB_DEAD, 2);
    comes_to("file", LEAT_JOB_DEAD, 1);
    test_ready_end(&ready);
}

static void
a_body_is_cut(void **state)
{
    (void)state;
    struct leat_http_options options = leat_http_options_default();
    options.response_bytes_max = 13;
    setup(&options);
    struct leat_http http = request("chunked");
    echoes(&http, "one two three");
    test_ready_end(&ready);
    options.response_bytes_max = 12;
    setup(&options);
    comes_to("chunked", LEAT_JOB_COMPLETED, 1);
    CHECK(result().truncated);
    CHECK_EQUAL(result().body_bytes, 12);
    comes_to("huge", LEAT_JOB_COMPLETED, 1);
    CHECK(result().truncated);
    test_ready_end(&ready);
}

static void
time_and_cancels(void **state)
{
    (void)state;
    struct leat_http_options options = leat_http_options_default();
    setup(&options);
    struct leat_http http = request("slow/20");
    CHECK_OK(leat_http_encode(&http, ready.payload, sizeof(ready.payload), &ready.bytes));
    struct leat_job_info info = test_ready_wait(&ready, test_ready_submit(&ready, 200 * TEST_MS));
    CHECK_EQUAL(info.state, LEAT_JOB_DEAD);
    CHECK_TEXT(info.error, "timed out after 200 ms");
    leat_job_id id = test_ready_submit(&ready, LEAT_TIMEOUT_OF_TYPE);
    test_sleep_ns(50 * TEST_MS);
    CHECK_STATUS(leat_cancel(ready.engine, id), LEAT_RUNNING);
    CHECK_EQUAL(test_ready_wait(&ready, id).state, LEAT_JOB_CANCELLED);
    (void)test_ready_submit(&ready, LEAT_TIMEOUT_OF_TYPE); /* a stop ends it */
    test_sleep_ns(50 * TEST_MS);
    test_ready_end(&ready);
}

static void
no_request_holds_a_worker(void **state)
{
    (void)state;
    leat_job_id ids[30];
    struct leat_http_options options = leat_http_options_default();
    setup(&options);
    struct leat_http http = request("slow/0.5");
    CHECK_OK(leat_http_encode(&http, ready.payload, sizeof(ready.payload), &ready.bytes));
    uint64_t before_ns = test_now_ns();
    for (uint32_t i = 0; i < TEST_COUNT_OF(ids); i++) {
        ids[i] = test_ready_submit(&ready, LEAT_TIMEOUT_OF_TYPE);
    }
    for (uint32_t i = 0; i < TEST_COUNT_OF(ids); i++) {
        CHECK_EQUAL(test_ready_wait(&ready, ids[i]).state, LEAT_JOB_COMPLETED);
    }
    CHECK(test_now_ns() - before_ns < 10000 * TEST_MS); /* one by one: 15 s */
    test_ready_end(&ready);
}

static void
refused_url(const char *text)
{
    struct leat_http http = leat_http_default();
    size_t bytes = 0;
    http.url = text;
    CHECK_STATUS(leat_http_encode(&http, NULL, 0, &bytes), LEAT_INVALID);
}

static void
refused_header(const char *text)
{
    const char *const headers[] = {text, NULL};
    struct leat_http http = leat_http_default();
    size_t bytes = 0;
    http.url = "http://h/";
    http.headers = headers;
    CHECK_STATUS(leat_http_encode(&http, NULL, 0, &bytes), LEAT_INVALID);
}

static void
payloads_have_limits(void **state)
{
    static char longest[LEAT_HTTP_URL_BYTES_MAX + 2] = "http://";
    static const char *headers[LEAT_HTTP_HEADERS_MAX + 2];
    struct leat_http http = leat_http_default();
    size_t bytes = 0;
    (void)state;
    refused_url(NULL);
    refused_url("file:///etc/passwd");
    refused_url("ftp://h/");
    refused_url("http://h/\r\nX: y");
    refused_header("X: a\r\nY: b");
    refused_header("X: a\nY: b");
    refused_header(": a");
    refused_header("X a: b");
    refused_header("X");
    memset(longest + 7, 'x', LEAT_HTTP_URL_BYTES_MAX - 7);
    http.url = longest;
    CHECK_STATUS(leat_http_encode(&http, NULL, 0, &bytes), LEAT_FULL);
    longest[LEAT_HTTP_URL_BYTES_MAX] = 'x';
    refused_url(longest);
    http.url = "https://h/";
    for (size_t i = 0; i < LEAT_HTTP_HEADERS_MAX; i++) {
        headers[i] = "X: y";
    }
    http.headers = headers;
    CHECK_STATUS(leat_http_encode(&http, NULL, 0, &bytes), LEAT_FULL);
    headers[LEAT_HTTP_HEADERS_MAX] = "X: y";
    CHECK_STATUS(leat_http_encode(&http, NULL, 0, &bytes), LEAT_INVALID);
    http.headers = NULL;
    http.method = "ABCDEFGHIJKLMNOP";
    CHECK_STATUS(leat_http_encode(&http, NULL, 0, &bytes), LEAT_FULL);
    http.method = "ABCDEFGHIJKLMNOPQ";
    CHECK_STATUS(leat_http_encode(&http, NULL, 0, &bytes), LEAT_INVALID);
    http.method = "get";
    CHECK_STATUS(leat_http_encode(&http, NULL, 0, &bytes), LEAT_INVALID);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payloads_have_limits),       cmocka_unit_test(a_status_has_a_meaning),
        cmocka_unit_test(a_request_is_sent_as_asked), cmocka_unit_test(a_body_is_cut),
        cmocka_unit_test(time_and_cancels),           cmocka_unit_test(no_request_holds_a_worker),
    };
    test_server_start(&server, LEAT_TEST_SERVERS "/http_server.py");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    test_server_end(&server);
    return failed;
}
