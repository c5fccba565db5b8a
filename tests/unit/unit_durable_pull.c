/* unit_durable_pull.c - tokens and leases behind a restart: a token of a process that is gone is
 * stale, though the job runs again with the same number, and tokens grow over all opens; what
 * becomes of a lease that was out. Each once where the process closes, crashes, and is killed. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/unit/durable_body.h"

enum going { GOING_CLOSED, GOING_CRASHED, GOING_COUNT };

/* Lower half of token.attempt: the number of the run. */
static uint32_t
number_of(leat_token token)
{
    return (uint32_t)token.attempt;
}

static uint64_t
life_of(leat_token token)
{
    return token.attempt >> 32;
}

static void
world_goes(struct world *world, enum going going)
{
    if (going == GOING_CLOSED) {
        world_restart(world);
    } else {
        world_crash(world);
    }
}

/* ---- leases ---------------------------------------------------------------------------------- */

static leat_queue
queue_make(struct world *world)
{
    leat_queue queue = {0};
    struct leat_queue_options options = leat_queue_options_default();
    options.pull = true;
    enum leat_status status = leat_queue_create(world->engine, "pull", &options, &queue);
    CHECK(status == LEAT_OK || status == LEAT_EXISTS);
    return queue;
}

static leat_job_id
put(struct world *world)
{
    leat_job_id id = {0};
    struct leat_job job = leat_job_default();
    job.type = world->type;
    job.queue = queue_make(world);
    CHECK_OK(leat_submit(world->engine, &job, &id));
    return id;
}

static struct leat_lease
reserve(struct world *world)
{
    struct leat_lease lease = {.priority = 0};
    struct leat_reserve_options options = leat_reserve_options_default();
    size_t count = 0;
    options.queue = queue_make(world);
    if (test_state(world->engine) == LEAT_ENGINE_OPEN) {
        CHECK_OK(leat_start(world->engine));
    }
    CHECK_OK(leat_reserve(world->engine, &options, &lease, &count));
    CHECK_EQUAL(count, 1);
    return lease;
}

/* Whatever it is asked, it does not hold, and nothing changes. */
static void
check_stale(struct world *world, leat_token token)
{
    const struct leat_answer answer = leat_answer_default();
    const leat_job_id id = {token.job};
    const struct leat_job_info before = test_get(world->engine, id);
    CHECK_STATUS(leat_ack(world->engine, token, NULL, 0), LEAT_STALE);
    CHECK_STATUS(leat_ack(world->engine, token, "late", 4), LEAT_STALE);
    CHECK_STATUS(leat_nack(world->engine, token, 0, NULL), LEAT_STALE);
    CHECK_STATUS(leat_nack(world->engine, token, 0, "late"), LEAT_STALE);
    CHECK_STATUS(leat_extend(world->engine, token, MINUTE_NS), LEAT_STALE);
    CHECK_STATUS(leat_lease_release(world->engine, token), LEAT_STALE);
    CHECK_STATUS(leat_complete(world->engine, token, leat_done(), NULL), LEAT_STALE);
    CHECK_STATUS(leat_complete_with(world->engine, token, &answer), LEAT_STALE);
    CHECK_STATUS(leat_pending_extend(world->engine, token, MINUTE_NS), LEAT_STALE);
    const struct leat_job_info after = test_get(world->engine, id);
    CHECK(after.state == before.state && after.attempts == before.attempts);
}

/* Each life's lease is the job's first attempt, and fits in its own life alone. */
static void
a_lease_ends_with_its_engine(void **state)
{
    (void)state;
    for (uint32_t going = 0; going < GOING_COUNT; going++) {
        struct world *world = world_make();
        const leat_job_id id = put(world);
        leat_token tokens[4];
        for (uint32_t i = 0; i < TEST_COUNT_OF(tokens); i++) {
            struct leat_lease lease = reserve(world);
            tokens[i] = lease.token;
            CHECK(lease.id.bits == id.bits && lease.attempt == 1);
            CHECK(number_of(tokens[i]) == 1 && life_of(tokens[i]) != 0);
            for (uint32_t j = 0; j < i; j++) {
                CHECK(tokens[j].attempt < tokens[i].attempt);
                check_stale(world, tokens[j]);
            }
            CHECK_OK(leat_extend(world->engine, tokens[i], MINUTE_NS));
            world_goes(world, (enum going)going);
            CHECK(found(world).jobs == 1 && found(world).waiting == 1 && found(world).crashed == 0);
            check_stale(world, tokens[i]); /* also where nobody has taken it yet */
        }
        /* One of a life to come fits no more. */
        leat_token token = reserve(world).token;
        leat_token wrong = token;
        wrong.attempt += UINT64_C(1) << 32;
        check_stale(world, wrong);
        wrong.attempt = number_of(token);
        check_stale(world, wrong);
        CHECK_OK(leat_ack(world->engine, token, NULL, 0));
        world_goes(world, (enum going)going);
        CHECK(found(world).jobs == 0);
        CHECK_STATUS(leat_ack(world->engine, token, NULL, 0), LEAT_NOT_FOUND);
        world_free(world);
    }
}

/* Within a life the number grows, and goes on with the next one. */
static void
numbers_go_on(void **state)
{
    struct world *world = world_make();
    (void)state;
    (void)put(world);
    leat_token first = reserve(world).token;
    CHECK_OK(leat_lease_release(world->engine, first));
    run_all(world);
    test_clock_pass(&world->clock, world->engine, MINUTE_NS);
    run_all(world);
    struct leat_lease lease = reserve(world);
    CHECK(life_of(lease.token) == life_of(first) && number_of(lease.token) == 2);
    CHECK(lease.attempt == 1);
    CHECK_OK(leat_nack(world->engine, lease.token, 0, NULL));
    world_crash(world);
    run_all(world);
    test_clock_pass(&world->clock, world->engine, MINUTE_NS);
    run_all(world);
    struct leat_lease next = reserve(world);
    CHECK(life_of(next.token) > life_of(first) && number_of(next.token) == 3);
    CHECK(next.attempt == 2);
    check_stale(world, first);
    check_stale(world, lease.token);
    CHECK_OK(leat_ack(world->engine, next.token, NULL, 0));
    world_free(world);
}

/* ---- attempts that are pending --------------------------------------------------------------- */

static void
a_pending_attempt_ends_with_its_engine(void **state)
{
    (void)state;
    for (uint32_t going = 0; going < GOING_COUNT; going++) {
        struct world *world = world_make();
        (void)submit(world, "pends", NULL, 0);
        world->way = WAY_PENDING;
        run_all(world);
        const leat_token before = world->token;
        world_goes(world, (enum going)going);
        check_stale(world, before);
        run_all(world);
        CHECK(world->runs == 1 && world->attempt == 1);
        CHECK(number_of(world->token) == number_of(before));
        CHECK(world->token.attempt > before.attempt);
        check_stale(world, before);
        CHECK_OK(leat_complete(world->engine, world->token, leat_done(), NULL));
        world_free(world);
    }
}

/* ---- opens ----------------------------------------------------------------------------------- */

/* An open that fails behind its ceiling of ids may use up a number, and gives none out twice. */
static void
an_open_that_fails(void **state)
{
    struct world *world = world_make();
    (void)state;
    for (uint32_t i = 0; i < 200; i++) {
        (void)submit(world, "holds a record", NULL, 0);
    }
    (void)put(world);
    const leat_token before = reserve(world).token;
    test_close(world->engine);
    const uint32_t jobs_max = world->config.jobs_max;
    for (uint32_t i = 0; i < 3; i++) {
        struct leat_error error;
        world->config.jobs_max = 64;
        CHECK_STATUS(leat_open(&world->config, &world->engine, &error), LEAT_INVALID);
    }
    world->config.jobs_max = jobs_max;
    world_open(world);
    const leat_token behind = reserve(world).token;
    CHECK(behind.job == before.job && life_of(behind) > life_of(before));
    check_stale(world, before);
    CHECK_OK(leat_ack(world->engine, behind, NULL, 0));
    world_free(world);
}

/* ---- killed ---------------------------------------------------------------------------------- */

/* In memory that the child shares. */
struct killed {
    struct world *world;
    leat_token token;
};

static void
take_and_die(struct killed *killed, bool submits)
{
    (void)alarm(60);
    world_open(killed->world);
    if (submits) {
        (void)put(killed->world);
    }
    killed->token = reserve(killed->world).token;
    (void)kill(getpid(), SIGKILL);
}

static leat_token
token_of_a_killed(struct killed *killed, bool submits)
{
    int how = 0;
    (void)fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        take_and_die(killed, submits);
        _exit(1);
    }
    CHECK(waitpid(pid, &how, 0) == pid);
    CHECK(WIFSIGNALED(how));
    CHECK_EQUAL(WTERMSIG(how), SIGKILL);
    return killed->token;
}

static void
a_lease_ends_with_a_kill(void **state)
{
    struct world *world = world_make();
    leat_token tokens[3];
    (void)state;
    struct killed *killed =
        mmap(NULL, sizeof(*killed), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(killed != MAP_FAILED);
    killed->world = world;
    test_close(world->engine);
    for (uint32_t i = 0; i < TEST_COUNT_OF(tokens); i++) {
        tokens[i] = token_of_a_killed(killed, i == 0);
        CHECK_EQUAL(number_of(tokens[i]), 1);
        CHECK(i == 0 || tokens[i].attempt > tokens[i - 1].attempt);
    }
    world_open(world);
    CHECK(found(world).jobs == 1 && found(world).crashed == 0); /* nor is it in quarantine */
    struct leat_lease lease = reserve(world);
    CHECK(lease.attempt == 1);
    for (uint32_t i = 0; i < TEST_COUNT_OF(tokens); i++) {
        CHECK(lease.token.job == tokens[i].job && lease.token.attempt > tokens[i].attempt);
        check_stale(world, tokens[i]);
    }
    CHECK_OK(leat_ack(world->engine, lease.token, NULL, 0));
    CHECK(munmap(killed, sizeof(*killed)) == 0);
    world_free(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_ends_with_its_engine),
        cmocka_unit_test(numbers_go_on),
        cmocka_unit_test(a_pending_attempt_ends_with_its_engine),
        cmocka_unit_test(an_open_that_fails),
        cmocka_unit_test(a_lease_ends_with_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
