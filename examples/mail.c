/* mail.c - letters to users: looked up, made from a template, and handed to a mail server that now
 * and then refuses. What may succeed later is tried again after 1 s, 5 s, 30 s and 5 min; what
 * cannot succeed fails at once. Around the handler there is a function that writes a line for each
 * attempt. The program has a clock of its own, so that five minutes pass at once. */
#include <leat.h>
#include <stdio.h>

#define SECOND UINT64_C(1000000000)

struct world {
    uint64_t now_ns;
    struct leat_engine *engine;
    unsigned refusals; /* that are to come of the server */
    unsigned attempts;
};

struct letter {
    uint32_t user;
    const char *template; /* a literal of this program */
};

static const char *const addresses[] = {"ann@example.org", "bob@example.org", ""};

static uint64_t
now(enum leat_clock_kind kind, void *context)
{
    const struct world *world = context;
    (void)kind;
    return world->now_ns;
}

static bool
server_takes(struct world *world, const struct letter *letter)
{
    bool taken = world->refusals == 0;
    world->refusals -= taken ? 0 : 1;
    if (taken) {
        printf("to %s: %s!\n", addresses[letter->user], letter->template);
    }
    return taken;
}

static struct leat_outcome
send_letter(struct leat_run *run, void *context)
{
    const struct letter *letter = leat_run_payload(run, NULL);
    struct world *world = context;
    const char *address = addresses[letter->user];
    world->attempts++;
    if (address[0] == '\0') {
        return leat_fail_because(run, "the user has no address");
    }
    if (!server_takes(world, letter)) {
        return leat_retry_because(run, "the server is busy");
    }
    return leat_done();
}

/* Around each attempt of every type. */
static struct leat_outcome
write_line(struct leat_run *run, struct leat_next *next, void *context)
{
    static const char *const words[] = {"", "done", "again later", "failed", "", ""};
    const struct world *world = context;
    struct leat_outcome outcome = leat_next_run(next);
    printf("%llu s: attempt %u: %s\n", (unsigned long long)(world->now_ns / SECOND),
           leat_run_attempt(run), words[outcome.kind]);
    return outcome;
}

static leat_job_id
submit(struct world *world, uint32_t user, const char *template)
{
    const struct letter letter = {user, template};
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    job.type_name = "mail";
    job.payload = &letter;
    job.payload_bytes = sizeof(letter);
    job.flags = LEAT_JOB_KEEP_RESULT;
    return leat_submit(world->engine, &job, &id) == LEAT_OK ? id : (leat_job_id){0};
}

/* Runs what is due and moves the clock to what is next, until the job has ended. */
static bool
ends(struct world *world, leat_job_id id, enum leat_job_state state)
{
    struct leat_job_info info = leat_job_info_default();
    uint64_t rest_ns = 0;
    while (leat_get(world->engine, id, &info) == LEAT_OK && info.state < LEAT_JOB_COMPLETED) {
        if (leat_run_some(world->engine, 1, NULL) == LEAT_OK) {
            continue;
        }
        if (leat_next_due(world->engine, &rest_ns) != LEAT_OK || rest_ns == LEAT_FOREVER) {
            return false;
        }
        world->now_ns += rest_ns;
        if (leat_clock_changed(world->engine) != LEAT_OK) {
            return false;
        }
    }
    return info.state == state;
}

static bool
run(struct world *world)
{
    static const uint64_t waits[] = {SECOND, 5 * SECOND, 30 * SECOND, 300 * SECOND};
    const struct leat_retry_policy policy = leat_retry_list(waits, 4);
    struct leat_type_options options = leat_type_options_default();
    options.retry = &policy;
    options.max_attempts = 5;
    bool ok =
        leat_type_register(world->engine, "mail", send_letter, world, &options, NULL) == LEAT_OK &&
        leat_middleware_add(world->engine, write_line, world) == LEAT_OK &&
        leat_start(world->engine) == LEAT_OK;
    leat_job_id welcome = submit(world, 0, "Welcome");
    ok = ok && ends(world, welcome, LEAT_JOB_COMPLETED);
    ok = ok && ends(world, submit(world, 2, "Hello"), LEAT_JOB_DEAD) && world->attempts == 2;

    world->refusals = 4;
    world->attempts = 0;
    uint64_t begin_ns = world->now_ns;
    ok =
        ok && ends(world, submit(world, 1, "Patience"), LEAT_JOB_COMPLETED) && world->attempts == 5;
    /* Never early, and each time late by a millisecond or two. */
    uint64_t waited_ns = world->now_ns - begin_ns;
    return ok && waited_ns >= 336 * SECOND && waited_ns < 336 * SECOND + SECOND / 50;
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
    bool ok = run(&world);
    ok = leat_stop(world.engine, LEAT_FOREVER) == LEAT_OK && ok;
    ok = leat_close(world.engine) == LEAT_OK && ok;
    printf("%s\n", ok ? "ok" : "wrong");
    return ok ? 0 : 1;
}
