/* consumer.c - jobs that are taken by someone else, with a lease: a consumer that ends its job, one
 * that asks for more time, one that gives its job back, and one that sleeps for too long. By then
 * the job is another's, and what the late one says of it is refused. The program has a clock of its
 * own, so that no lease is waited for. */
#include <leat.h>
#include <stdio.h>
#include <string.h>

#define SECOND   UINT64_C(1000000000)
#define LEASE_NS (10 * SECOND)

struct world {
    uint64_t now_ns;
    struct leat_engine *engine;
    leat_queue queue;
    leat_job_id id[4];
};

static uint64_t
now(enum leat_clock_kind kind, void *context)
{
    const struct world *world = context;
    (void)kind;
    return world->now_ns;
}

/* Brings four jobs, which are named by a letter. */
static bool
bring(struct world *world)
{
    bool ok = true;
    for (unsigned i = 0; i < 4; i++) {
        struct leat_job job = leat_job_default();
        job.type_name = "letter"; /* that nobody handles here */
        job.queue = world->queue;
        job.payload = &"abcd"[i];
        job.payload_bytes = 1;
        job.flags = LEAT_JOB_KEEP_RESULT;
        ok = leat_submit(world->engine, &job, &world->id[i]) == LEAT_OK && ok;
    }
    return ok;
}

/* Takes one job, and says which one and which attempt it is; '-' where there is none. */
static char
take(struct world *world, struct leat_lease *lease)
{
    _Alignas(16) char payload[16];
    struct leat_reserve_options options = leat_reserve_options_default();
    size_t count = 0;
    options.queue = world->queue;
    options.lease_ns = LEASE_NS;
    options.buffer = payload;
    options.buffer_bytes = sizeof(payload);
    if (leat_reserve(world->engine, &options, lease, &count) != LEAT_OK) {
        printf("nothing to take\n");
        return '-';
    }
    printf("took %c, attempt %u\n", payload[0], lease->attempt);
    return payload[0];
}

static bool
says(const char *what, enum leat_status got, enum leat_status want)
{
    printf("%s: %s\n", what, leat_status_text(got));
    return got == want;
}

static bool
pass(struct world *world, uint64_t duration_ns)
{
    world->now_ns += duration_ns;
    return leat_clock_changed(world->engine) == LEAT_OK;
}

static bool
run(struct world *world)
{
    struct leat_engine *engine = world->engine;
    struct leat_lease lease[6];
    if (!bring(world) || take(world, &lease[0]) != 'a' || take(world, &lease[1]) != 'b' ||
        take(world, &lease[2]) != 'c' || take(world, &lease[3]) != 'd') {
        return false;
    }
    bool ok = says("end a", leat_ack(engine, lease[0].token, "done", 4), LEAT_OK);
    ok = says("more time for b", leat_extend(engine, lease[1].token, 3 * LEASE_NS), LEAT_OK) && ok;
    ok = says("give c back", leat_lease_release(engine, lease[2].token), LEAT_OK) && ok;
    ok = take(world, &lease[4]) == 'c' && lease[4].attempt == 1 && ok;
    ok = says("end c", leat_ack(engine, lease[4].token, NULL, 0), LEAT_OK) && ok;

    /* The consumer of d sleeps: its lease runs out, and the job is there again. */
    ok = pass(world, 2 * LEASE_NS) && ok;
    ok = take(world, &lease[5]) == 'd' && lease[5].attempt == 2 && ok;
    ok = lease[5].token.attempt > lease[3].token.attempt && ok; /* it fences */
    ok = says("end d, late", leat_ack(engine, lease[3].token, "late", 4), LEAT_STALE) && ok;
    ok = says("end d", leat_ack(engine, lease[5].token, "done", 4), LEAT_OK) && ok;
    ok = says("end b", leat_ack(engine, lease[1].token, NULL, 0), LEAT_OK) && ok;
    ok = take(world, &lease[0]) == '-' && ok;

    for (unsigned i = 0; i < 4; i++) {
        struct leat_job_info info = leat_job_info_default();
        ok = leat_get(engine, world->id[i], &info) == LEAT_OK && info.state == LEAT_JOB_COMPLETED &&
             info.attempts == (i == 3 ? 2 : 1) && ok;
    }
    char result[8] = "";
    ok = leat_result(engine, world->id[3], result, sizeof(result), NULL) == LEAT_OK && ok;
    return ok && strcmp(result, "done") == 0;
}

int
main(void)
{
    struct world world = {.now_ns = SECOND};
    struct leat_config config = leat_config_default();
    struct leat_queue_options options = leat_queue_options_default();
    config.workers = 0; /* nobody else works here */
    config.clock.now = now;
    config.clock.context = &world;
    options.pull = true;
    if (leat_open(&config, &world.engine, NULL) != LEAT_OK) {
        return 1;
    }
    bool ok = leat_queue_create(world.engine, "letters", &options, &world.queue) == LEAT_OK &&
              leat_start(world.engine) == LEAT_OK && run(&world);
    ok = leat_stop(world.engine, LEAT_FOREVER) == LEAT_OK && ok;
    ok = leat_close(world.engine) == LEAT_OK && ok;
    printf("%s\n", ok ? "ok" : "wrong");
    return ok ? 0 : 1;
}
