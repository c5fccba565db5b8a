/* types.c - the smallest program that uses the installed ready-made types. It sees only
 * <leat_types.h>. Exit 0: a command has run, and said what it was to say. */
#include <leat_types.h>
#include <stdio.h>
#include <string.h>

static int
expect_ok(enum leat_status status, const char *what)
{
    if (status != LEAT_OK) {
        (void)fprintf(stderr, "%s: %s\n", what, leat_status_text(status));
        return 1;
    }
    return 0;
}

static int
run_command(struct leat_engine *engine, struct leat_types *types)
{
    static const char *const argv[] = {"echo", "hello", NULL};
    struct leat_command command = leat_command_default();
    struct leat_job job = leat_job_default();
    struct leat_command_result said;
    leat_job_id id = {0};
    unsigned char payload[256];
    unsigned char result[256];
    size_t bytes = 0;
    command.argv = argv;
    job.type_name = "command";
    job.payload = payload;
    job.flags = LEAT_JOB_KEEP_RESULT;
    if (expect_ok(leat_command_register(types, "command", NULL, NULL), "register") != 0 ||
        expect_ok(leat_command_encode(&command, payload, sizeof(payload), &job.payload_bytes),
                  "encode") != 0 ||
        expect_ok(leat_submit(engine, &job, &id), "submit") != 0 ||
        expect_ok(leat_wait(engine, id, LEAT_FOREVER, NULL), "wait") != 0 ||
        expect_ok(leat_result(engine, id, result, sizeof(result), &bytes), "result") != 0 ||
        expect_ok(leat_command_result_decode(result, bytes, &said), "decode") != 0 ||
        expect_ok(leat_release(engine, id), "release") != 0) {
        return 1;
    }
    return said.output_bytes == 6 && memcmp(said.output, "hello\n", 6) == 0 ? 0 : 1;
}

int
main(void)
{
    struct leat_config config = leat_config_default();
    struct leat_engine *engine = NULL;
    struct leat_types *types = NULL;
    config.workers = 1;
    if (expect_ok(leat_open(&config, &engine, NULL), "open") != 0 ||
        expect_ok(leat_start(engine), "start") != 0 ||
        expect_ok(leat_types_create(engine, NULL, &types), "create") != 0) {
        return 1;
    }
    int failed = run_command(engine, types);
    failed |= expect_ok(leat_stop(engine, LEAT_FOREVER), "stop");
    failed |= expect_ok(leat_types_stop(types), "stop of types");
    failed |= expect_ok(leat_close(engine), "close");
    leat_types_destroy(types);
    return failed;
}
