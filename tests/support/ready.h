/* ready.h - an engine with ready-made types for a test, and a server of its own beside it. */
#ifndef TESTS_SUPPORT_READY_H
#define TESTS_SUPPORT_READY_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/types/leat_types.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

struct test_ready {
    struct leat_engine *engine;
    struct leat_types *types;
    leat_type type;
    unsigned char payload[65536];
    size_t bytes;
    unsigned char result[65536]; /* of the job that ended last */
    size_t result_bytes;
};

static inline struct leat_type_options
test_ready_type(void)
{
    static const struct leat_retry_policy at_once = {
        .size = sizeof(at_once), .version = LEAT_STRUCT_VERSION, .kind = LEAT_RETRY_FIXED};
    struct leat_type_options options = leat_type_options_default();
    options.retry = &at_once;
    options.max_attempts = 2;
    options.timeout_ns = UINT64_C(20) * 1000 * TEST_MS;
    return options;
}

static inline void
test_ready_start(struct test_ready *ready)
{
    struct leat_types_options options = {sizeof(options), LEAT_STRUCT_VERSION, 10 * TEST_MS};
    struct leat_config config = test_config();
    config.jobs_max = 2048;
    ready->engine = test_start(&config);
    CHECK_OK(leat_types_create(ready->engine, &options, &ready->types));
}

static inline void
test_ready_end(struct test_ready *ready)
{
    CHECK_OK(leat_stop(ready->engine, LEAT_FOREVER));
    CHECK_OK(leat_types_stop(ready->types));
    CHECK_OK(leat_types_stop(ready->types));
    test_close(ready->engine);
    leat_types_destroy(ready->types);
}

static inline leat_job_id
test_ready_submit(struct test_ready *ready, uint64_t timeout_ns)
{
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    options.timeout_ns = timeout_ns;
    job.type = ready->type;
    job.options = &options;
    job.payload = ready->payload;
    job.payload_bytes = ready->bytes;
    job.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_submit(ready->engine, &job, &id));
    return id;
}

static inline struct leat_job_info
test_ready_wait(struct test_ready *ready, leat_job_id id)
{
    struct leat_job_info info = leat_job_info_default();
    CHECK_OK(leat_wait(ready->engine, id, TEST_PATIENCE_NS, &info));
    CHECK_OK(
        leat_result(ready->engine, id, ready->result, sizeof(ready->result), &ready->result_bytes));
    CHECK_OK(leat_release(ready->engine, id));
    return info;
}

static inline struct leat_job_info
test_ready_run(struct test_ready *ready)
{
    return test_ready_wait(ready, test_ready_submit(ready, LEAT_TIMEOUT_OF_TYPE));
}

/* A server: it prints its port, and ends with its input. */
struct test_server {
    FILE *says;
    int input;
    pid_t pid;
    unsigned int port;
};

static inline void
test_server_start(struct test_server *server, const char *script)
{
    int input[2];
    int output[2];
    CHECK(pipe(input) == 0 && pipe(output) == 0);
    server->pid = fork();
    CHECK(server->pid >= 0);
    if (server->pid == 0) {
        (void)dup2(input[0], 0);
        (void)dup2(output[1], 1);
        for (int fd = 3; fd < 64; fd++) {
            (void)close(fd);
        }
        (void)execlp("python3", "python3", script, (char *)NULL);
        _exit(TEST_SKIPPED);
    }
    (void)close(input[0]);
    (void)close(output[1]);
    server->input = input[1];
    server->says = fdopen(output[0], "r");
    CHECK(server->says != NULL);
    char line[32] = "";
    CHECK(fgets(line, sizeof(line), server->says) != NULL);
    server->port = (unsigned int)strtoul(line, NULL, 10);
    CHECK(server->port != 0);
}

static inline void
test_server_end(struct test_server *server)
{
    (void)close(server->input);
    (void)fclose(server->says);
    CHECK(waitpid(server->pid, NULL, 0) == server->pid);
}

#endif
