/* tenants.c - two customers on one engine. The free one may have 50 jobs waiting and begin 10 in a
 * second, in all its queues together; the paying one 100. What is beyond a rate waits in nobody's
 * way. The program has a clock of its own, so what happens in a second is exact. */
#include <leat.h>
#include <stdio.h>

#define SECOND UINT64_C(1000000000)
#define JOBS   80

struct world {
    uint64_t now_ns;
    struct leat_engine *engine;
};

struct customer {
    const char *name;
    const char *queues[2];
    uint32_t waiting_max; /* 0: none */
    uint64_t per_second;
    unsigned accepted;
    unsigned begun;
};

static uint64_t
now(enum leat_clock_kind kind, void *context)
{
    const struct world *world = context;
    (void)kind;
    return world->now_ns;
}

/* The payload. */
struct ticket {
    struct customer *owner;
};

static struct leat_outcome
work(struct leat_run *run, void *context)
{
    const struct ticket *ticket = leat_run_payload(run, NULL);
    (void)context;
    ticket->owner->begun++;
    return leat_done();
}

/* A tenant, its rate, and its two queues. */
static bool
sign_up(struct world *world, const struct customer *customer)
{
    struct leat_tenant_options limits = leat_tenant_options_default();
    struct leat_queue_options options = leat_queue_options_default();
    leat_tenant tenant = {0};
    limits.jobs_max = customer->waiting_max;
    /* A burst of 5 of what comes in a second: so many at once, when none came for a while. */
    bool ok = leat_tenant_create(world->engine, customer->name, &limits, &tenant) == LEAT_OK &&
              leat_tenant_set_rate(world->engine, tenant,
                                   leat_rate_of(customer->per_second, SECOND, 5)) == LEAT_OK;
    options.tenant = tenant;
    for (unsigned i = 0; i < 2 && ok; i++) {
        leat_queue queue = {0};
        ok = leat_queue_create(world->engine, customer->queues[i], &options, &queue) == LEAT_OK;
    }
    return ok;
}

/* Brings jobs to both queues in turn, as many as are taken. */
static void
bring(struct world *world, struct customer *customer)
{
    const struct ticket ticket = {customer};
    for (unsigned i = 0; i < JOBS; i++) {
        struct leat_job job = leat_job_default();
        job.type_name = "work";
        job.queue_name = customer->queues[i % 2];
        job.payload = &ticket;
        job.payload_bytes = sizeof(ticket);
        customer->accepted += leat_submit(world->engine, &job, NULL) == LEAT_OK ? 1 : 0;
    }
    printf("%-6s brings %u jobs, %u are taken\n", customer->name, JOBS, customer->accepted);
}

/* Moves the clock step by step, and runs what may begin. */
static bool
pass(struct world *world, uint64_t duration_ns, uint64_t step_ns)
{
    enum leat_status status = LEAT_EMPTY;
    for (uint64_t passed_ns = 0; passed_ns < duration_ns; passed_ns += step_ns) {
        world->now_ns += step_ns;
        status = leat_clock_changed(world->engine);
        while (status == LEAT_OK) {
            status = leat_run_some(world->engine, 16, NULL);
        }
        if (status != LEAT_EMPTY) {
            return false;
        }
    }
    return true;
}

static bool
run(struct world *world, struct customer *free_one, struct customer *paying)
{
    bool ok = leat_type_register(world->engine, "work", work, NULL, NULL, NULL) == LEAT_OK &&
              sign_up(world, free_one) && sign_up(world, paying) &&
              leat_start(world->engine) == LEAT_OK;
    if (!ok) {
        return false;
    }
    bring(world, free_one);
    bring(world, paying);
    ok = free_one->accepted == free_one->waiting_max && paying->accepted == JOBS;
    /* Who waits for a token begins up to two milliseconds behind it. */
    ok = pass(world, SECOND + SECOND / 500, SECOND / 1000) && ok;
    printf("in a second begin %u of the free one, %u of the paying one\n", free_one->begun,
           paying->begun);
    ok = ok && free_one->begun == 5 + 10 && paying->begun == JOBS;
    ok = pass(world, 4 * SECOND, SECOND / 100) && ok;
    printf("and in four more all that were taken: %u\n", free_one->begun);
    return ok && free_one->begun == free_one->accepted;
}

int
main(void)
{
    struct world world = {.now_ns = SECOND};
    struct customer free_one = {"free", {"free.mail", "free.reports"}, 50, 10, 0, 0};
    struct customer paying = {"paying", {"paying.mail", "paying.reports"}, 0, 100, 0, 0};
    struct leat_config config = leat_config_default();
    config.workers = 0; /* this thread runs the jobs, by leat_run_some() */
    config.clock.now = now;
    config.clock.context = &world;
    if (leat_open(&config, &world.engine, NULL) != LEAT_OK) {
        return 1;
    }
    bool ok = run(&world, &free_one, &paying);
    ok = leat_stop(world.engine, LEAT_FOREVER) == LEAT_OK && ok;
    ok = leat_close(world.engine) == LEAT_OK && ok;
    printf("%s\n", ok ? "ok" : "wrong");
    return ok ? 0 : 1;
}
