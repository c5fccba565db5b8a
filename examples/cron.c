/* cron.c - jobs that come by the clock: every second, and at half past nine on working days in
 * Berlin. The next moments are listed, a schedule is paused and resumed, and what was missed while
 * the engine was stopped comes as one job. The program has a clock of its own, which begins a few
 * seconds before noon (UTC) on Friday, 27 March 2026: two days later Berlin's clock is set. */
#include <leat.h>
#include <stdio.h>
#include <time.h>

#define SECOND UINT64_C(1000000000)
#define DAY    UINT64_C(86400)
#define BEGIN  UINT64_C(1774612795) /* seconds since 1970 */

struct world {
    uint64_t now_ns;
    struct leat_engine *engine;
    unsigned ticks;
};

static uint64_t
now(enum leat_clock_kind kind, void *context)
{
    const struct world *world = context;
    (void)kind;
    return world->now_ns;
}

static struct leat_outcome
tick(struct leat_run *run, void *context)
{
    struct world *world = context;
    (void)run;
    world->ticks++;
    return leat_done();
}

static bool
pass(struct world *world, unsigned seconds)
{
    enum leat_status status = LEAT_EMPTY;
    for (unsigned i = 0; i < seconds && status == LEAT_EMPTY; i++) {
        world->now_ns += SECOND;
        status = leat_clock_changed(world->engine);
        while (status == LEAT_OK) {
            status = leat_run_some(world->engine, 16, NULL);
        }
    }
    return status == LEAT_EMPTY;
}

static bool
add(struct world *world, const char *name, const char *spec, const char *zone)
{
    struct leat_schedule schedule = leat_schedule_default();
    struct leat_job job = leat_job_default();
    struct leat_error error = {0};
    job.type_name = "tick";
    schedule.spec = spec;
    schedule.zone = zone;
    schedule.job = &job;
    if (leat_schedule_add(world->engine, name, &schedule, &error) != LEAT_OK) {
        printf("%s: %s\n", name, error.text);
        return false;
    }
    return true;
}

/* Prints the next moments of a schedule, and says when the third one is. */
static uint64_t
third_of(struct world *world, const char *name)
{
    uint64_t moments[3] = {0};
    size_t count = 0;
    if (leat_schedule_next(world->engine, name, moments, 3, &count) != LEAT_OK) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        time_t seconds = (time_t)(moments[i] / SECOND);
        struct tm utc;
        char text[64] = "";
        if (gmtime_r(&seconds, &utc) != NULL) {
            (void)strftime(text, sizeof(text), "%a %d %b %H:%M:%S UTC", &utc);
        }
        printf("%s: %s\n", name, text);
    }
    return moments[2] / SECOND;
}

static bool
ticked(const struct world *world, const char *what, unsigned want)
{
    printf("%s: %u\n", what, world->ticks);
    return world->ticks == want;
}

static bool
run(struct world *world)
{
    static struct leat_schedule_info info = {.size = sizeof(info), .version = LEAT_STRUCT_VERSION};
    if (!add(world, "tick", "* * * * * *", NULL) ||
        !add(world, "report", "30 9 * * mon-fri", "Europe/Berlin") ||
        leat_start(world->engine) != LEAT_OK) {
        return false;
    }
    (void)add(world, "wrong", "61 * * * *", NULL);
    bool ok = third_of(world, "tick") == BEGIN + 3;
    /* From Monday on half past nine is at 7:30 UTC; on Friday it was at 8:30, and is over. */
    ok = third_of(world, "report") == (BEGIN / DAY + 5) * DAY + 27000 && ok;
    ok = pass(world, 5) && ticked(world, "in five seconds", 5) && ok;
    ok = leat_schedule_pause(world->engine, "tick") == LEAT_OK && ok;
    ok = pass(world, 3) && ticked(world, "paused for three more", 5) && ok;
    ok = leat_schedule_resume(world->engine, "tick") == LEAT_OK && ok;
    ok = pass(world, 2) && ticked(world, "resumed for two", 7) && ok;
    ok = leat_stop(world->engine, LEAT_FOREVER) == LEAT_OK && ok;
    world->now_ns += 10 * SECOND;
    ok = leat_start(world->engine) == LEAT_OK && ok;
    ok = pass(world, 1) && ok;
    ok = leat_schedule_get(world->engine, "tick", &info) == LEAT_OK && ok;
    printf("stopped for ten: %llu missed\n", (unsigned long long)info.runs_missed);
    return ticked(world, "and one for all of them", 8) && info.runs == 8 && ok;
}

int
main(void)
{
    struct world world = {.now_ns = BEGIN * SECOND};
    struct leat_config config = leat_config_default();
    config.workers = 0; /* this thread runs the jobs, by leat_run_some() */
    config.clock.now = now;
    config.clock.context = &world;
    if (leat_open(&config, &world.engine, NULL) != LEAT_OK) {
        return 1;
    }
    bool ok = leat_type_register(world.engine, "tick", tick, &world, NULL, NULL) == LEAT_OK &&
              run(&world);
    ok = leat_stop(world.engine, LEAT_FOREVER) == LEAT_OK && ok;
    ok = leat_close(world.engine) == LEAT_OK && ok;
    printf("%s\n", ok ? "ok" : "wrong");
    return ok ? 0 : 1;
}
