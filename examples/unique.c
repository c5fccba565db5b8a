/* unique.c - jobs that are not to be there twice. An order is charged once, however often one asks;
 * a document that is saved again and again is indexed once, when it has rested for two seconds. The
 * program has a clock of its own, so that it sees each second without waiting for it. */
#include <leat.h>
#include <stdio.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

struct world {
    uint64_t now_ns;
    struct leat_engine *engine;
    unsigned charged;
    unsigned indexed;
    uint64_t indexed_at_ns;
};

static uint64_t
now(enum leat_clock_kind kind, void *context)
{
    const struct world *world = context;
    (void)kind;
    return world->now_ns;
}

static struct leat_outcome
charge(struct leat_run *run, void *context)
{
    struct world *world = context;
    (void)run;
    world->charged++;
    return leat_done();
}

static struct leat_outcome
index_document(struct leat_run *run, void *context)
{
    struct world *world = context;
    (void)run;
    world->indexed++;
    world->indexed_at_ns = world->now_ns;
    return leat_done();
}

/* Submits a job that holds `key`, among those of its type. */
static enum leat_status
submit(struct world *world, const char *type, const char *key, enum leat_unique_conflict conflict,
       leat_job_id *id)
{
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    options.unique_key = key;
    options.unique_key_bytes = strlen(key);
    options.unique_conflict = conflict;
    job.type_name = type;
    job.options = &options;
    job.delay_ns = conflict == LEAT_UNIQUE_DEBOUNCE ? 2 * SECOND : 0;
    return leat_submit(world->engine, &job, id);
}

/* Moves the clock, and runs what is due. */
static bool
pass(struct world *world, uint64_t duration_ns)
{
    enum leat_status status = LEAT_OK;
    world->now_ns += duration_ns;
    if (leat_clock_changed(world->engine) != LEAT_OK) {
        return false;
    }
    while (status == LEAT_OK) {
        status = leat_run_some(world->engine, 16, NULL);
    }
    return status == LEAT_EMPTY;
}

static bool
charges_once(struct world *world)
{
    leat_job_id first = {0};
    leat_job_id again = {0};
    bool ok = submit(world, "charge", "order 7", LEAT_UNIQUE_REJECT, &first) == LEAT_OK;
    enum leat_status rejected = submit(world, "charge", "order 7", LEAT_UNIQUE_REJECT, NULL);
    enum leat_status joined = submit(world, "charge", "order 7", LEAT_UNIQUE_EXISTING, &again);
    ok = submit(world, "charge", "order 8", LEAT_UNIQUE_REJECT, NULL) == LEAT_OK && ok;
    printf("order 7 once more: %s\n", leat_status_text(rejected));
    printf("or, to join it: %s\n", leat_status_text(joined));
    ok = pass(world, 0) && ok;
    printf("2 orders, charged %u times\n", world->charged);
    return ok && rejected == LEAT_EXISTS && joined == LEAT_JOINED && again.bits == first.bits &&
           world->charged == 2;
}

/* Five times, a second apart: each one puts the job off. */
static bool
indexes_once(struct world *world)
{
    leat_job_id first = {0};
    bool ok = submit(world, "index", "a.txt", LEAT_UNIQUE_DEBOUNCE, &first) == LEAT_OK;
    uint64_t saved_at_ns = world->now_ns;
    for (unsigned i = 1; i < 5; i++) {
        leat_job_id id = {0};
        ok = pass(world, SECOND) && ok;
        ok = submit(world, "index", "a.txt", LEAT_UNIQUE_DEBOUNCE, &id) == LEAT_JOINED && ok;
        ok = id.bits == first.bits && ok;
        saved_at_ns = world->now_ns;
    }
    for (unsigned i = 0; i < 30; i++) {
        ok = pass(world, SECOND / 10) && ok;
    }
    uint64_t rested_ns = world->indexed_at_ns - saved_at_ns;
    printf("saved 5 times, indexed %u time, %.1f s after the last\n", world->indexed,
           (double)rested_ns / (double)SECOND);
    /* Due in steps of a millisecond, never early; and here in the steps of the clock. */
    return ok && world->indexed == 1 && rested_ns >= 2 * SECOND &&
           rested_ns <= 2 * SECOND + SECOND / 10;
}

int
main(void)
{
    struct world world = {.now_ns = SECOND};
    struct leat_config config = leat_config_default();
    config.workers = 0; /* this thread runs the jobs, by leat_run_some() */
    config.clock.now = now;
    config.clock.context = &world;
    if (leat_open(&config, &world.engine, NULL) != LEAT_OK) {
        return 1;
    }
    bool ok =
        leat_type_register(world.engine, "charge", charge, &world, NULL, NULL) == LEAT_OK &&
        leat_type_register(world.engine, "index", index_document, &world, NULL, NULL) == LEAT_OK &&
        leat_start(world.engine) == LEAT_OK;
    ok = ok && charges_once(&world) && indexes_once(&world);
    ok = leat_stop(world.engine, LEAT_FOREVER) == LEAT_OK && ok;
    ok = leat_close(world.engine) == LEAT_OK && ok;
    printf("%s\n", ok ? "ok" : "wrong");
    return ok ? 0 : 1;
}
