/* unit_health.c - health: of an engine in each of its states; of one and of all workers that are in
 * a handler for longer than they may; of work that nobody takes. And what the service manager is
 * told, at a socket of the file system and at an abstract one: ready, watchdog while healthy only,
 * stopping; names of sockets that are none; variables that ask for nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/health.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

static struct leat_health
health_of(struct leat_engine *engine)
{
    struct leat_health health = leat_health_default();
    CHECK_OK(leat_health_get(engine, &health));
    return health;
}

static struct leat_outcome
held_run(struct leat_run *run, void *context)
{
    (void)run;
    test_gate_wait(context);
    return leat_done();
}

static void
states(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct test_gate gate;
    test_gate_init(&gate);
    struct leat_engine *engine = test_open(&config);
    struct leat_health health = health_of(engine);
    CHECK_EQUAL(health.state, LEAT_HEALTH_FAILED);
    CHECK_EQUAL(health.reasons, LEAT_HEALTH_NOT_RUNNING);
    CHECK_OK(leat_start(engine));
    health = health_of(engine);
    CHECK_EQUAL(health.state, LEAT_HEALTH_OK);
    CHECK_EQUAL(health.reasons, 0);
    CHECK_TEXT(health.text, "ok");
    CHECK_EQUAL(health.workers_active, 1);
    (void)test_submit(engine, test_register(engine, "held", held_run, &gate));
    test_gate_arrivals(&gate, 1);
    CHECK_STATUS(leat_drain(engine, 0), LEAT_TIMEOUT);
    health = health_of(engine);
    CHECK_EQUAL(health.state, LEAT_HEALTH_DEGRADED);
    CHECK_EQUAL(health.reasons, LEAT_HEALTH_DRAINING);
    CHECK_STATUS(leat_stop(engine, 0), LEAT_TIMEOUT);
    health = health_of(engine);
    CHECK_EQUAL(health.state, LEAT_HEALTH_FAILED);
    CHECK_EQUAL(health.reasons, LEAT_HEALTH_DRAINING | LEAT_HEALTH_STOP_EXPIRED);
    test_gate_open(&gate);
    test_close(engine);
    test_gate_fini(&gate);
}

struct seen {
    struct leat_engine *engine;
    uint32_t reasons;
    uint32_t stuck; /* workers */
};

static bool
has_reasons(void *argument)
{
    const struct seen *seen = argument;
    struct leat_health health = health_of(seen->engine);
    return health.reasons == seen->reasons && health.workers_stuck == seen->stuck;
}

/* One of two workers is stuck, then both, and then work waits as well. */
static void
stuck_workers(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    struct test_gate gate;
    test_gate_init(&gate);
    config.workers = 2;
    config.stuck_ns = 50 * TEST_MS;
    struct leat_engine *engine = test_start(&config);
    leat_type type = test_register(engine, "held", held_run, &gate);
    (void)test_submit(engine, type);
    test_gate_arrivals(&gate, 1);
    struct seen seen = {engine, LEAT_HEALTH_STUCK, 1};
    CHECK_EQUAL(health_of(engine).state, LEAT_HEALTH_OK);
    CHECK(test_until(has_reasons, &seen));
    struct leat_health health = health_of(engine);
    CHECK_EQUAL(health.state, LEAT_HEALTH_DEGRADED);
    CHECK_EQUAL(health.workers_stuck, 1);
    CHECK(health.stuck[0] == 1 || health.stuck[0] == 2);
    CHECK(strstr(health.text, health.stuck[0] == 1 ? "worker 0" : "worker 1") != NULL);
    (void)test_submit(engine, type);
    test_gate_arrivals(&gate, 2);
    (void)test_submit(engine, type);
    seen.reasons = LEAT_HEALTH_STUCK | LEAT_HEALTH_NO_PROGRESS;
    seen.stuck = 2;
    CHECK(test_until(has_reasons, &seen));
    health = health_of(engine);
    CHECK_EQUAL(health.state, LEAT_HEALTH_FAILED);
    CHECK_EQUAL(health.stuck[0], 3);
    test_gate_open(&gate);
    seen.reasons = 0;
    seen.stuck = 0;
    CHECK(test_until(has_reasons, &seen));
    test_finish(engine);
    test_gate_fini(&gate);
}

/* No worker, and nobody lends a thread: work stands still; not where 0 says never. */
static void
nobody_takes(void **state)
{
    (void)state;
    for (uint64_t stuck_ns = 0; stuck_ns <= 20 * TEST_MS; stuck_ns += 20 * TEST_MS) {
        struct leat_config config = test_config();
        struct test_gate gate;
        test_gate_init(&gate);
        test_gate_open(&gate);
        config.workers = 0;
        config.stuck_ns = stuck_ns;
        struct leat_engine *engine = test_start(&config);
        (void)test_submit(engine, test_register(engine, "held", held_run, &gate));
        CHECK_EQUAL(health_of(engine).reasons, 0);
        test_sleep_ns(30 * TEST_MS);
        CHECK_EQUAL(health_of(engine).reasons, stuck_ns == 0 ? 0 : LEAT_HEALTH_NO_PROGRESS);
        CHECK_OK(leat_run_some(engine, 1, NULL));
        CHECK_EQUAL(health_of(engine).reasons, 0);
        test_close(engine);
        test_gate_fini(&gate);
    }
}

/* ---- the service manager -------------------------------------------------------------------- */

/* A socket as a service manager has it. */
static int
manager_open(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    bool abstract = name[0] == '@';
    memcpy(address.sun_path, name, length + 1);
    if (abstract) {
        address.sun_path[0] = '\0';
    }
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(descriptor >= 0);
    struct timeval patience = {.tv_sec = 30};
    CHECK_EQUAL(setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    socklen_t bytes =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (abstract ? 0 : 1));
    CHECK_EQUAL(bind(descriptor, (struct sockaddr *)(void *)&address, bytes), 0);
    return descriptor;
}

static void
heard(int manager, char text[256], int flags)
{
    ssize_t bytes = recv(manager, text, 255, flags);
    text[bytes < 0 ? 0 : bytes] = '\0';
}

/* Reads until a message begins so. */
static void
expect(int manager, const char *begin)
{
    char text[256];
    do {
        heard(manager, text, 0);
        CHECK(text[0] != '\0');
    } while (strncmp(text, begin, strlen(begin)) != 0);
}

/* One thread, beside no other. NOLINTBEGIN(concurrency-mt-unsafe) */

static void
told_at(const char *name)
{
    struct leat_config config = test_config();
    struct test_gate gate;
    char text[256];
    test_gate_init(&gate);
    int manager = manager_open(name);
    CHECK_EQUAL(setenv("NOTIFY_SOCKET", name, 1), 0);
    CHECK_EQUAL(setenv("WATCHDOG_USEC", "20000", 1), 0);
    (void)snprintf(text, sizeof(text), "%d", (int)getpid());
    CHECK_EQUAL(setenv("WATCHDOG_PID", text, 1), 0);
    config.systemd_notify = true;
    config.stuck_ns = 50 * TEST_MS;
    struct leat_engine *engine = test_start(&config);
    heard(manager, text, 0);
    CHECK_TEXT(text, "READY=1\nSTATUS=running");
    for (uint32_t i = 0; i < 3; i++) {
        heard(manager, text, 0);
        CHECK_TEXT(text, "WATCHDOG=1\nSTATUS=ok");
    }
    /* All workers are stuck: no food, but it is said why; then they are not. */
    (void)test_submit(engine, test_register(engine, "held", held_run, &gate));
    expect(manager, "STATUS=1 of 1 workers stuck");
    for (uint32_t i = 0; i < 3; i++) {
        heard(manager, text, 0);
        CHECK(strncmp(text, "STATUS=1 of 1", 13) == 0);
    }
    test_gate_open(&gate);
    expect(manager, "WATCHDOG=1");
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    expect(manager, "STOPPING=1");
    while (text[0] != '\0') {
        heard(manager, text, MSG_DONTWAIT);
    }
    /* The time of the watchdog goes by: nothing of it is due. */
    test_sleep_ns(30 * TEST_MS);
    CHECK_OK(leat_start(engine)); /* once more */
    heard(manager, text, 0);
    CHECK_TEXT(text, "READY=1\nSTATUS=running");
    test_close(engine);
    CHECK_EQUAL(close(manager), 0);
    test_gate_fini(&gate);
}

static void
told_in_the_file_system(void **state)
{
    (void)state;
    char folder[] = "/tmp/leat_health_XXXXXX";
    char name[64];
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(name, sizeof(name), "%s/notify", folder);
    told_at(name);
    CHECK_EQUAL(unlink(name), 0);
    CHECK_EQUAL(rmdir(folder), 0);
}

static void
told_abstractly(void **state)
{
    (void)state;
    char name[64];
    (void)snprintf(name, sizeof(name), "@leat_health_%d", (int)getpid());
    told_at(name);
}

/* Watchdogs that are another process's, or no number; and an engine that is not to tell. */
static void
not_asked(void **state)
{
    (void)state;
    static const struct {
        const char *usec;
        const char *pid;
        bool notify;
        bool ready;
    } cases[] = {{"20000", "1", true, true},   {"", NULL, true, true},
                 {"-5", NULL, true, true},     {"20x", NULL, true, true},
                 {"0", NULL, true, true},      {"99999999999999999999", NULL, true, true},
                 {"20000", NULL, false, false}};
    char name[64];
    char text[256];
    (void)snprintf(name, sizeof(name), "@leat_asked_%d", (int)getpid());
    int manager = manager_open(name);
    CHECK_EQUAL(setenv("NOTIFY_SOCKET", name, 1), 0);
    for (size_t i = 0; i < TEST_COUNT_OF(cases); i++) {
        struct leat_config config = test_config();
        CHECK_EQUAL(setenv("WATCHDOG_USEC", cases[i].usec, 1), 0);
        CHECK_EQUAL(unsetenv("WATCHDOG_PID"), 0);
        if (cases[i].pid != NULL) {
            CHECK_EQUAL(setenv("WATCHDOG_PID", cases[i].pid, 1), 0);
        }
        config.systemd_notify = cases[i].notify;
        struct leat_engine *engine = test_start(&config);
        test_sleep_ns(30 * TEST_MS);
        test_close(engine);
        if (cases[i].ready) {
            heard(manager, text, 0);
            CHECK_TEXT(text, "READY=1\nSTATUS=running");
            heard(manager, text, 0);
            CHECK_TEXT(text, "STOPPING=1\nSTATUS=stopping");
        }
        heard(manager, text, MSG_DONTWAIT);
        CHECK_TEXT(text, "");
    }
    CHECK_EQUAL(unsetenv("NOTIFY_SOCKET"), 0);
    CHECK_EQUAL(close(manager), 0);
}

static void
names_of_sockets(void **state)
{
    (void)state;
    char longest[110];
    CHECK(!leat_notify_send("", "READY=1"));
    CHECK(!leat_notify_send("@", "READY=1"));
    CHECK(!leat_notify_send("relative", "READY=1"));
    CHECK(!leat_notify_send("/nowhere/at/all", "READY=1"));
    /* 107 letters are the most that an address has room for. */
    memset(longest, 'x', sizeof(longest));
    longest[0] = '@';
    longest[107] = '\0';
    int manager = manager_open(longest);
    CHECK(leat_notify_send(longest, "READY=1"));
    longest[107] = 'x';
    longest[108] = '\0';
    CHECK(!leat_notify_send(longest, "READY=1"));
    CHECK_EQUAL(close(manager), 0);
}

/* NOLINTEND(concurrency-mt-unsafe) */

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states),           cmocka_unit_test(stuck_workers),
        cmocka_unit_test(nobody_takes),     cmocka_unit_test(told_in_the_file_system),
        cmocka_unit_test(told_abstractly),  cmocka_unit_test(not_asked),
        cmocka_unit_test(names_of_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
