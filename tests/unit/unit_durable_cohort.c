/* unit_durable_cohort.c - cohorts in the log, see docs/design/0040. A program is run to its end
 * once; then the next open goes on from each prefix of its log that has what was acknowledged, unit
 * by unit: so a crash comes between each two. Each member is counted once, each callback that is to
 * come comes, and no other, and nothing is left at the end. */
#include "engine/cohort.h"
#include "tests/support/log_cut.h"
#include "tests/unit/durable_body.h"

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

/* Of the first life: that is the one whose log is gone on from. */
static void
id_note(struct play *play, char name, leat_job_id id)
{
    if (play->first == 0) {
        play->ids[(int)name] = id;
    }
}

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
    id_note(play, text[1], id);
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

/* Their names are those of the jobs. */
static struct leat_job
callback(const struct play *play, const char *text, struct leat_job_options *options)
{
    struct leat_job job = leat_job_default();
    *options = leat_job_options_default();
    options->name = &text[1];
    job.type = play->type;
    job.payload = text;
    job.payload_bytes = 2;
    job.options = options;
    return job;
}

/* With callbacks S, C and D; that of the first death waits for `parent` besides, if that is one. */
static void
cohort_open(struct play *play, uint32_t flags, const leat_job_id *parent)
{
    struct leat_cohort_options options = leat_cohort_options_default();
    struct leat_job_options own[3];
    const struct leat_job success = callback(play, "dS", &own[0]);
    const struct leat_job complete = callback(play, "dC", &own[1]);
    const struct leat_job death = callback(play, "dD", &own[2]);
    own[2].parents = parent;
    own[2].parents_count = parent == NULL ? 0 : 1;
    options.on_success = &success;
    options.on_complete = &complete;
    options.on_death = &death;
    options.flags = flags;
    CHECK_OK(leat_cohort_open(play->world->engine, &options, &play->cohort));
    for (const char *name = "SCD"; *name != '\0'; name++) {
        const char text[] = {*name, '\0'};
        leat_job_id id = {0};
        CHECK_OK(leat_job_find(play->world->engine, text, &id));
        id_note(play, *name, id);
    }
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
        reopen(play); /* nothing is left of it */
        run_all(play->world);
        struct leat_cohort_info info = leat_cohort_info_default();
        CHECK(leat_cohort_get(world->engine, play->cohort, &info) != LEAT_OK);
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
    run_all(play->world);
    either(play, 'a');
    either(play, 'b');
    either(play, 'S');
    either(play, 'C');
    CHECK(!ran(play, 'D'));
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
    cohort_open(play, LEAT_JOB_KEEP_RESULT, NULL);
    (void)member(play, "da", play->cohort, 0);
    (void)member(play, "mb", play->cohort, 0);
    cohort_close(play);
    acknowledged(play);
    run_all(play->world);
    ran_are(play, "abxCS");
    numbers_are(play, 3, 0, 0);
    prefixes(play, success_look);
    play_free(play);
}

/* All run; and again behind the close of the cohort, if that was not in the log. */
static void
closed_run(struct play *play)
{
    struct leat_cohort_info info = leat_cohort_info_default();
    run_all(play->world);
    if (leat_cohort_get(play->world->engine, play->cohort, &info) == LEAT_OK && info.open) {
        cohort_close(play);
        run_all(play->world);
    }
}

/* Nothing keeps it but that job of a death, which does not come. */
static void
alone_look(struct play *play)
{
    closed_run(play);
    ran_are(play, "");
}

static void
no_death_is_told(void **state)
{
    struct play *play = play_make();
    struct leat_cohort_options options = leat_cohort_options_default();
    struct leat_job_options own;
    (void)state;
    const struct leat_job death = callback(play, "dD", &own);
    options.on_death = &death;
    CHECK_OK(leat_cohort_open(play->world->engine, &options, &play->cohort));
    acknowledged(play);
    cohort_close(play);
    run_all(play->world);
    prefixes(play, alone_look);
    play_free(play);
}

/* One dies, one is cancelled, one is done. */
static void
death_look(struct play *play)
{
    struct leat_job_info letter = leat_job_info_default();
    run_all(play->world);
    either(play, 'f');
    either(play, 'g');
    CHECK(!ran(play, 'S') && !ran(play, 'c'));
    /* The first death calls, whichever process it was in; and only that. */
    CHECK(!ran(play, 'f') || ran(play, 'D'));
    either(play, 'D');
    either(play, 'C');
    numbers_are(play, 1, 1, 1);
    CHECK_EQUAL(numbers(play).state, LEAT_JOB_CANCELLED);
    /* The letter is counted, and is so for ever. */
    CHECK_OK(leat_get(play->world->engine, play->ids['f'], &letter));
    CHECK_EQUAL(letter.state, LEAT_JOB_DEAD);
    restart(play);
    const struct leat_when now = {.delay_ns = 0};
    CHECK_OK(leat_dead_retry(play->world->engine, play->ids['f'], now));
    restart(play);
    run_all(play->world);
    ran_are(play, "f");
    numbers_are(play, 1, 1, 1);
    CHECK_OK(leat_dead_delete(play->world->engine, play->ids['f']));
    CHECK_OK(leat_release(play->world->engine, play->cohort));
}

static void
a_death_is_told_once(void **state)
{
    struct play *play = play_make();
    (void)state;
    cohort_open(play, LEAT_JOB_KEEP_RESULT, NULL);
    (void)member(play, "ff", play->cohort, 0);
    (void)member(play, "dg", play->cohort, 0);
    CHECK_OK(leat_cancel(play->world->engine, member(play, "dc", play->cohort, 0)));
    cohort_close(play);
    acknowledged(play);
    run_all(play->world);
    ran_are(play, "fgDC");
    prefixes(play, death_look);
    play_free(play);
}

/* It is closed by a later process, before which others have submitted to it. */
static void
close_look(struct play *play)
{
    struct leat_cohort_info info = numbers(play);
    CHECK(info.open || play->ended['a']);
    if (info.open) {
        CHECK_EQUAL(info.state, LEAT_JOB_BLOCKED);
        (void)member(play, "db", play->cohort, 0);
        run_all(play->world);
        CHECK(!ran(play, 'S') && !ran(play, 'C'));
        restart(play);
        numbers_are(play, 2, 0, 0);
        CHECK(numbers(play).open);
        cohort_close(play);
        CHECK_STATUS(leat_cohort_close(play->world->engine, play->cohort), LEAT_WRONG_STATE);
        crash(play);
        run_all(play->world);
        CHECK(ran(play, 'S') && ran(play, 'C'));
    } else {
        run_all(play->world);
        either(play, 'S');
        either(play, 'C');
    }
    CHECK(!ran(play, 'D'));
    CHECK_EQUAL(numbers(play).state, LEAT_JOB_COMPLETED);
    CHECK_OK(leat_release(play->world->engine, play->cohort));
}

static void
an_open_one_is_open_again(void **state)
{
    struct play *play = play_make();
    (void)state;
    cohort_open(play, LEAT_JOB_KEEP_RESULT, NULL);
    (void)member(play, "da", play->cohort, 0);
    acknowledged(play);
    run_all(play->world);
    cohort_close(play);
    run_all(play->world);
    ran_are(play, "aCS");
    prefixes(play, close_look);
    play_free(play);
}

/* Without members: the close is all. */
static void
empty_look(struct play *play)
{
    closed_run(play);
    either(play, 'S');
    either(play, 'C');
    CHECK(!ran(play, 'D'));
}

static void
an_empty_one_ends_with_its_close(void **state)
{
    struct play *play = play_make();
    (void)state;
    cohort_open(play, 0, NULL);
    acknowledged(play);
    cohort_close(play);
    run_all(play->world);
    ran_are(play, "CS");
    prefixes(play, empty_look);
    play_free(play);
}

/* The cohort is cancelled: C comes at once, its members go on, and the first death calls. */
static void
cancelled_look(struct play *play)
{
    run_all(play->world);
    either(play, 'a');
    either(play, 'f');
    either(play, 'C');
    either(play, 'D');
    CHECK(!ran(play, 'S'));
    if (!play->ended['f']) { /* it is there for its members only */
        struct leat_cohort_info info = leat_cohort_info_default();
        CHECK(leat_cohort_get(play->world->engine, play->cohort, &info) == LEAT_GONE ||
              info.state == LEAT_JOB_CANCELLED);
    }
    CHECK_OK(leat_dead_delete(play->world->engine, play->ids['f']));
}

static void
a_cancelled_one_stays_for_its_members(void **state)
{
    struct play *play = play_make();
    (void)state;
    cohort_open(play, 0, NULL);
    (void)member(play, "da", play->cohort, 0);
    (void)member(play, "ff", play->cohort, 0);
    CHECK_OK(leat_cancel(play->world->engine, play->cohort));
    acknowledged(play);
    run_all(play->world);
    ran_are(play, "afCD");
    prefixes(play, cancelled_look);
    play_free(play);
}

/* The same, with members that outlive the callback of its end, and do not die: who comes at a death
 * does not come. */
static void
a_cancelled_one_waits_for_deaths(void **state)
{
    struct play *play = play_make();
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    const struct leat_when now = {.delay_ns = 0};
    leat_job_id id = {0};
    (void)state;
    cohort_open(play, 0, NULL);
    options.cohort = play->cohort;
    job.type = play->type;
    job.payload = "da";
    job.payload_bytes = 2;
    job.options = &options;
    job.delay_ns = 100 * MINUTE_NS;
    CHECK_OK(leat_submit(play->world->engine, &job, &id));
    CHECK_OK(leat_cancel(play->world->engine, play->cohort));
    run_all(play->world);
    ran_are(play, "C");
    restart(play);
    CHECK_EQUAL(numbers(play).state, LEAT_JOB_CANCELLED);
    run_all(play->world);
    ran_are(play, "");
    crash(play);
    CHECK_OK(leat_reschedule(play->world->engine, id, now));
    run_all(play->world);
    ran_are(play, "a");
    restart(play);
    run_all(play->world);
    ran_are(play, "");
    CHECK_EQUAL(test_statistics(play->world->engine).jobs_blocked, 0);
    play_free(play);
}

/* The job of the first death has a parent, which dies later, or not. */
static void
parent_look(struct play *play)
{
    run_all(play->world);
    either(play, 'f');
    either(play, 'p');
    either(play, 'C');
    either(play, 'D');
    CHECK(!ran(play, 'S'));
    CHECK_OK(leat_dead_delete(play->world->engine, play->ids['f']));
}

static void
a_death_has_a_parent(void **state)
{
    struct play *play = play_make();
    const leat_job_id none = {0};
    (void)state;
    leat_job_id parent = member(play, "dp", none, 0);
    cohort_open(play, 0, &parent);
    (void)member(play, "ff", play->cohort, 0);
    cohort_close(play);
    acknowledged(play);
    run_all(play->world);
    ran_are(play, "pfDC");
    prefixes(play, parent_look);
    play_free(play);
}

/* Members that wait for each other: where the first one fails, the second is cancelled, unseen. */
static void
chain_look(struct play *play)
{
    run_all(play->world);
    either(play, 'f');
    either(play, 'C');
    either(play, 'D');
    CHECK(!ran(play, 'b') && !ran(play, 'S'));
    numbers_are(play, 0, 1, 1);
    CHECK_OK(leat_dead_delete(play->world->engine, play->ids['f']));
    CHECK_OK(leat_release(play->world->engine, play->cohort));
}

static void
members_wait_for_each_other(void **state)
{
    struct play *play = play_make();
    struct leat_job_options options = leat_job_options_default();
    struct leat_job jobs[2];
    leat_job_id ids[2];
    (void)state;
    cohort_open(play, LEAT_JOB_KEEP_RESULT, NULL);
    for (uint32_t i = 0; i < 2; i++) {
        jobs[i] = leat_job_default();
        jobs[i].type = play->type;
        jobs[i].payload = i == 0 ? "ff" : "db";
        jobs[i].payload_bytes = 2;
        jobs[i].options = &options;
    }
    options.cohort = play->cohort;
    CHECK_OK(leat_submit_chain(play->world->engine, jobs, 2, ids));
    id_note(play, 'f', ids[0]);
    id_note(play, 'b', ids[1]);
    cohort_close(play);
    acknowledged(play);
    run_all(play->world);
    ran_are(play, "fDC");
    prefixes(play, chain_look);
    play_free(play);
}

/* A member whose result is kept is counted while it is there, and when it is released. */
static void
kept_look(struct play *play)
{
    run_all(play->world);
    either(play, 'S');
    CHECK_EQUAL(numbers(play).completed, 1);
    CHECK_EQUAL(test_get(play->world->engine, play->ids['a']).state, LEAT_JOB_COMPLETED);
    restart(play);
    run_all(play->world);
    ran_are(play, "");
    CHECK_EQUAL(numbers(play).completed, 1);
    CHECK_OK(leat_release(play->world->engine, play->ids['a']));
    restart(play);
    CHECK_EQUAL(numbers(play).completed, 1);
    CHECK_OK(leat_release(play->world->engine, play->cohort));
}

static void
a_kept_member_is_counted(void **state)
{
    struct play *play = play_make();
    (void)state;
    cohort_open(play, LEAT_JOB_KEEP_RESULT, NULL);
    (void)member(play, "da", play->cohort, LEAT_JOB_KEEP_RESULT);
    cohort_close(play);
    acknowledged(play);
    run_all(play->world);
    prefixes(play, kept_look);
    play_free(play);
}

/* Who waits for a cohort is durable, too. */
static void
a_cohort_is_a_parent(void **state)
{
    struct play *play = play_make();
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    (void)state;
    CHECK_OK(leat_cohort_open(play->world->engine, NULL, &play->cohort));
    options.parents = &play->cohort;
    options.parents_count = 1;
    job.type = play->type;
    job.payload = "dc";
    job.payload_bytes = 2;
    job.options = &options;
    CHECK_OK(leat_submit(play->world->engine, &job, NULL));
    (void)member(play, "da", play->cohort, 0);
    crash(play);
    run_all(play->world);
    ran_are(play, "a");
    CHECK_EQUAL(play->seen.bits, play->cohort.bits);
    cohort_close(play);
    crash(play);
    run_all(play->world);
    ran_are(play, "c");
    play_free(play);
}

/* As durable as each other. */
static void
durability_is_of_all(void **state)
{
    struct play *play = play_make();
    struct leat_cohort_options cohort = leat_cohort_options_default();
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    struct leat_job complete = leat_job_default();
    struct leat_engine *engine = play->world->engine;
    (void)state;
    complete.type = play->type;
    complete.payload = "dC";
    complete.payload_bytes = 2;
    job = complete;
    job.options = &options;
    job.payload = "da";
    cohort.on_complete = &complete;
    for (uint32_t i = LEAT_DURABILITY_NONE; i <= LEAT_DURABILITY_GROUP; i++) {
        cohort.durability = (enum leat_durability)i;
        CHECK_OK(leat_cohort_open(engine, &cohort, &options.cohort));
        for (uint32_t j = LEAT_DURABILITY_NONE; j <= LEAT_DURABILITY_GROUP; j++) {
            bool fits = (i == LEAT_DURABILITY_NONE) == (j == LEAT_DURABILITY_NONE);
            options.durability = (enum leat_durability)j;
            CHECK_STATUS(leat_submit(engine, &job, NULL), fits ? LEAT_OK : LEAT_UNSUPPORTED);
        }
    }
    cohort.durability = (enum leat_durability)(LEAT_DURABILITY_GROUP + 1);
    CHECK_STATUS(leat_cohort_open(engine, &cohort, &options.cohort), LEAT_INVALID);
    cohort.durability = LEAT_DURABILITY_NONE;
    cohort.reserved = 1;
    CHECK_STATUS(leat_cohort_open(engine, &cohort, &options.cohort), LEAT_UNSUPPORTED);
    crash(play);
    CHECK_EQUAL(found(play->world).jobs, 2 * 2 + 2 * 2); /* cohort, callback, two members; twice */
    run_all(play->world);
    ran_are(play, "aaaa");
    play_free(play);
}

/* One that is refused behind its image was never a member. */
static void
a_refused_one_is_not_counted(void **state)
{
    struct play *play = play_make();
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    (void)state;
    cohort_open(play, 0, NULL);
    options.cohort = play->cohort;
    options.name = "D"; /* it has that */
    job.type = play->type;
    job.payload = "da";
    job.payload_bytes = 2;
    job.options = &options;
    CHECK_STATUS(leat_submit(play->world->engine, &job, NULL), LEAT_EXISTS);
    CHECK_EQUAL(numbers(play).total, 0);
    crash(play);
    CHECK_EQUAL(found(play->world).refused, 0);
    CHECK_EQUAL(numbers(play).total, 0);
    cohort_close(play);
    run_all(play->world);
    ran_are(play, "CS");
    play_free(play);
}

/* The cleaner, a thread of its own, has passed all that is in the log by now. */
static void
cleaned(struct world *world, uint64_t newest)
{
    struct leat_wal *wal = &world->engine->durable->wal;
    bool passed = false;
    for (uint32_t i = 0; i < 1000 && !passed; i++) {
        uint64_t oldest = leat_wal_oldest(wal);
        passed = leat_wal_newest(wal) > newest && (oldest == 0 || oldest > newest);
        usleep(passed ? 0 : 10000);
    }
    CHECK(passed);
}

/* So many jobs that the log has new segments. */
static void
fill(struct play *play)
{
    static const char large[4096];
    struct leat_job job = leat_job_default();
    job.type = play->type;
    job.payload = large;
    job.payload_bytes = sizeof(large);
    uint64_t newest = leat_wal_newest(&play->world->engine->durable->wal);
    for (uint32_t i = 0; i < 128; i++) {
        leat_job_id id = {0};
        CHECK_OK(leat_submit(play->world->engine, &job, &id));
        CHECK_OK(leat_cancel(play->world->engine, id));
    }
    cleaned(play->world, newest);
}

/* Through so many segments that the cleaner has dropped each count, and each member's end. */
static void
the_cleaner_keeps_the_numbers(void **state)
{
    struct play *play = play_make();
    struct world *world = play->world;
    const struct leat_when now = {.delay_ns = 0};
    (void)state;
    test_close(world->engine);
    world->config.log_segment_bytes = UINT64_C(1) << 16;
    world->config.log_ring_bytes = UINT64_C(1) << 15;
    reopen(play);
    cohort_open(play, LEAT_JOB_KEEP_RESULT, NULL);
    leat_job_id letter = member(play, "ff", play->cohort, 0);
    (void)member(play, "da", play->cohort, 0);
    run_all(play->world);
    ran_are(play, "faD");
    fill(play);
    restart(play);
    numbers_are(play, 1, 1, 0);
    CHECK(numbers(play).open);
    CHECK_OK(leat_dead_retry(world->engine, letter, now)); /* is counted, and waits */
    fill(play);
    restart(play);
    cohort_close(play); /* with nothing to wait for: it ends */
    CHECK_EQUAL(numbers(play).state, LEAT_JOB_CANCELLED);
    fill(play);
    run_all(play->world);
    CHECK(ran(play, 'C') && ran(play, 'f') && !ran(play, 'D'));
    fill(play);
    restart(play);
    run_all(play->world);
    numbers_are(play, 1, 1, 0);
    CHECK(!numbers(play).open);
    ran_are(play, "");
    play_free(play);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_counted_once),
        cmocka_unit_test(no_death_is_told),
        cmocka_unit_test(a_death_is_told_once),
        cmocka_unit_test(an_open_one_is_open_again),
        cmocka_unit_test(an_empty_one_ends_with_its_close),
        cmocka_unit_test(a_cancelled_one_stays_for_its_members),
        cmocka_unit_test(a_cancelled_one_waits_for_deaths),
        cmocka_unit_test(a_death_has_a_parent),
        cmocka_unit_test(members_wait_for_each_other),
        cmocka_unit_test(a_kept_member_is_counted),
        cmocka_unit_test(a_cohort_is_a_parent),
        cmocka_unit_test(durability_is_of_all),
        cmocka_unit_test(a_refused_one_is_not_counted),
        cmocka_unit_test(the_cleaner_keeps_the_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
