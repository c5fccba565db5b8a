/* stress_durable_cohort.c - cohorts in a log while workers, submitters, the cleaner and who cancels
 * are at them. Each round ends the engine with cohorts under way; the next goes on with its log. A
 * cohort that is closed ends, with as many members as it was given, and each of its callbacks
 * comes; a clean end loses nothing and repeats nothing. Holds I6 of durable.h, and that what is
 * counted is so once. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/cohort.h"
#include "engine/durable/internal.h"
#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define THREADS 3
#define COHORTS 6  /* of each thread in each round */
#define MEMBERS 24 /* of each cohort, at most */
#define ROUNDS  6

/* What becomes of one cohort. Letters: S many writers; Q between rounds. */
struct watched {
    leat_job_id id;           /* Q */
    uint32_t given;           /* Q members that were taken in */
    leat_atomic_u32 complete; /* S how often its callback has run */
    leat_atomic_u32 death;    /* S */
    leat_atomic_u32 failed;   /* S members that failed */
};

struct fixture {
    char directory[32];
    struct leat_config config;
    struct leat_engine *engine;
    leat_type type;
    uint32_t round;
    uint64_t seed;
    struct watched all[ROUNDS][THREADS][COHORTS];
};

/* What a job's payload says. */
struct note {
    uint32_t round;
    uint32_t thread;
    uint32_t cohort;
    char kind; /* d is done, f fails, C and D are callbacks */
};

static struct leat_outcome
handler(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    struct note note;
    memcpy(&note, leat_run_payload(run, NULL), sizeof(note));
    struct watched *watched = &fixture->all[note.round][note.thread][note.cohort];
    if (note.kind == 'C') {
        (void)atom_add_rlx(&watched->complete, 1); /* rlx: statistic */
    } else if (note.kind == 'D') {
        (void)atom_add_rlx(&watched->death, 1); /* rlx: statistic */
    } else if (note.kind == 'f') {
        (void)atom_add_rlx(&watched->failed, 1); /* rlx: statistic */
        return leat_fail();
    }
    return leat_done();
}

static struct leat_job
job_of(const struct fixture *fixture, const struct note *note)
{
    struct leat_job job = leat_job_default();
    job.type = fixture->type;
    job.payload = note;
    job.payload_bytes = sizeof(*note);
    return job;
}

/* One cohort, which others end while it is filled. */
static void
cohort_fill(struct fixture *fixture, struct note note, struct test_prng *prng)
{
    struct watched *watched = &fixture->all[note.round][note.thread][note.cohort];
    struct leat_cohort_options options = leat_cohort_options_default();
    struct leat_job_options own = leat_job_options_default();
    struct note notes[2] = {note, note};
    notes[0].kind = 'C';
    notes[1].kind = 'D';
    const struct leat_job complete = job_of(fixture, &notes[0]);
    const struct leat_job death = job_of(fixture, &notes[1]);
    options.on_complete = &complete;
    options.on_death = &death;
    options.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_cohort_open(fixture->engine, &options, &watched->id));
    own.cohort = watched->id;
    uint32_t count = test_random_below(prng, MEMBERS) + 1;
    for (uint32_t i = 0; i < count; i++) {
        leat_job_id id = {0};
        note.kind = test_random_below(prng, 8) == 0 ? 'f' : 'd';
        struct leat_job job = job_of(fixture, &note);
        job.options = &own;
        job.delay_ns = test_random_below(prng, 3) == 0 ? 30 * TEST_MS : 0; /* for the next round */
        CHECK_OK(leat_submit(fixture->engine, &job, &id));
        if (test_random_below(prng, 8) == 0) {
            enum leat_status status = leat_cancel(fixture->engine, id);
            CHECK(status == LEAT_OK || status == LEAT_RUNNING || status == LEAT_ENDED ||
                  status == LEAT_GONE);
        }
    }
    watched->given = count;
    CHECK_OK(leat_cohort_close(fixture->engine, watched->id));
}

static void
submitter(void *context, uint32_t thread)
{
    struct fixture *fixture = context;
    struct test_prng prng = {fixture->seed + (uint64_t)fixture->round * THREADS + thread};
    for (uint32_t i = 0; i < COHORTS; i++) {
        const struct note note = {fixture->round, thread, i, 'd'};
        cohort_fill(fixture, note, &prng);
    }
}

static struct fixture *
fixture_make(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    strcpy(fixture->directory, "stress_dcohort.XXXXXX");
    CHECK(mkdtemp(fixture->directory) != NULL);
    fixture->config = test_config();
    fixture->config.workers = 2;
    fixture->config.jobs_max = 8192;
    fixture->config.log_directory = fixture->directory;
    fixture->config.log_segment_bytes = UINT64_C(1) << 16;
    fixture->config.log_ring_bytes = UINT64_C(1) << 15;
    return fixture;
}

static void
fixture_free(struct fixture *fixture)
{
    test_directory_remove(fixture->directory);
    free(fixture);
}

static void
begin(struct fixture *fixture)
{
    fixture->engine = test_open(&fixture->config);
    fixture->type = test_register(fixture->engine, "t", handler, fixture);
    CHECK_OK(leat_start(fixture->engine));
}

/* ---- two at one end -------------------------------------------------------------------------- */

struct pair {
    struct leat_engine *engine;
    leat_job_id member;
    struct leat_cohort *cohort;
};

/* One ends it, the other one notes that, as the cleaner does. */
static void
pair_run(void *context, uint32_t thread)
{
    struct pair *pair = context;
    if (thread == 0) {
        leat_mutex_lock(&pair->cohort->mutex);
        usleep(100000); /* both others come to it */
        leat_mutex_unlock(&pair->cohort->mutex);
    } else if (thread == 1) {
        usleep(30000);
        CHECK_OK(leat_cancel(pair->engine, pair->member));
    } else {
        usleep(60000);
        leat_durable_note(pair->engine, pair->member);
    }
}

static void
two_note_one_end(void **state)
{
    struct fixture *fixture = fixture_make();
    struct leat_cohort_options cohort_options = leat_cohort_options_default();
    struct leat_job_options options = leat_job_options_default();
    struct leat_cohort_info info = leat_cohort_info_default();
    struct leat_job job = leat_job_default();
    struct pair pair;
    leat_job_id id;
    (void)state;
    begin(fixture);
    pair.engine = fixture->engine;
    cohort_options.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_cohort_open(pair.engine, &cohort_options, &id));
    options.cohort = id;
    job.type = fixture->type;
    job.options = &options;
    job.delay_ns = UINT64_C(3600000000000);
    job.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_submit(pair.engine, &job, &pair.member));
    const struct leat_node *node = leat_node_of(pair.engine, (uint32_t)(id.bits & LEAT_INDEX_NONE));
    LEAT_ASSERT(node != NULL);
    pair.cohort = node->cohort;
    test_threads_run(3, pair_run, &pair);
    CHECK_EQUAL(pair.cohort->log.cancelled, 1);
    test_close(fixture->engine);
    begin(fixture);
    CHECK_OK(leat_cohort_get(fixture->engine, id, &info));
    CHECK_EQUAL(info.cancelled, 1);
    test_close(fixture->engine);
    fixture_free(fixture);
}

/* ---- rounds ---------------------------------------------------------------------------------- */

/* It has ended, all its members are counted, and each callback came as often as it was to. */
static void
watched_check(struct fixture *fixture, struct watched *watched)
{
    struct leat_cohort_info info = leat_cohort_info_default();
    (void)test_wait(fixture->engine, watched->id);
    CHECK_OK(leat_cohort_get(fixture->engine, watched->id, &info));
    CHECK_EQUAL(info.total, watched->given);
    CHECK_EQUAL(info.completed + info.dead + info.cancelled, watched->given);
    CHECK(info.dead <= atom_load_rlx(&watched->failed)); /* rlx: statistic */
    bool all = info.completed == info.total;
    CHECK_EQUAL(info.state, all ? LEAT_JOB_COMPLETED : LEAT_JOB_CANCELLED);
}

static void
calls_check(const struct watched *watched, bool died)
{
    CHECK_EQUAL(atom_load_rlx(&watched->complete), 1); /* rlx: statistic */
    /* rlx: statistic */
    CHECK_EQUAL(atom_load_rlx(&watched->death), died ? 1 : 0);
}

static void
all_check(struct fixture *fixture)
{
    struct watched *watched = &fixture->all[0][0][0];
    const size_t count = sizeof(fixture->all) / sizeof(*watched);
    bool *died = calloc(count, sizeof(*died));
    CHECK(died != NULL);
    begin(fixture);
    for (size_t i = 0; i < count; i++) {
        struct leat_cohort_info info = leat_cohort_info_default();
        watched_check(fixture, &watched[i]);
        CHECK_OK(leat_cohort_get(fixture->engine, watched[i].id, &info));
        died[i] = info.dead != 0;
        CHECK_OK(leat_release(fixture->engine, watched[i].id));
    }
    CHECK_OK(leat_drain(fixture->engine, TEST_PATIENCE_NS));
    for (size_t i = 0; i < count; i++) {
        calls_check(&watched[i], died[i]);
    }
    test_close(fixture->engine);
    free(died);
}

static void
cohorts_go_through_ends(void **state)
{
    struct fixture *fixture = fixture_make();
    (void)state;
    fixture->seed = test_seed("stress_durable_cohort");
    for (fixture->round = 0; fixture->round < ROUNDS; fixture->round++) {
        begin(fixture);
        test_threads_run(THREADS, submitter, fixture);
        test_close(fixture->engine);
    }
    all_check(fixture);
    fixture_free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_note_one_end),
        cmocka_unit_test(cohorts_go_through_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
