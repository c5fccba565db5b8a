/* unit_dead.c - dead letters: listed oldest first, in pages and by what they are; their payload;
 * brought back, at once and later, alone and all, with all their attempts, under the same id, and
 * with nothing left that would end them again; deleted, and their records given back at once; gone
 * by number and by age; and jobs that crashed processes. Holds I1 to I3 of engine/book.h. */
#include "engine/dead.h"

#include <string.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory.h"

#define S        UINT64_C(1000000000)
#define DEAD_MAX 6

struct fixture {
    struct test_clock clock;
    struct test_memory memory;
    struct leat_engine *engine;
    leat_type types[2];
    leat_queue queues[2];
    struct leat_outcome answer;
    leat_token token;
    uint32_t runs;
    uint32_t attempt;
    leat_job_id ids[64];
    struct leat_job_info info;
};

static struct leat_outcome
run(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    fixture->runs++;
    fixture->attempt = leat_run_attempt(run);
    fixture->token = leat_run_token(run);
    if (fixture->answer.kind == LEAT_OUTCOME_FAIL) {
        CHECK_OK(leat_run_error(run, "bad"));
    }
    return fixture->answer;
}

static struct fixture *
setup(uint64_t retained_age_ns, uint64_t dead_age_ns)
{
    static struct fixture fixture;
    struct leat_config config = test_config();
    struct leat_queue_options options = leat_queue_options_default();
    memset(&fixture, 0, sizeof(fixture));
    test_clock_init(&fixture.clock);
    test_memory_init(&fixture.memory);
    config.workers = 0;
    config.dead_max = DEAD_MAX;
    config.retained_max = 4;
    config.retained_age_ns = retained_age_ns;
    config.dead_age_ns = dead_age_ns;
    config.clock = test_clock_of(&fixture.clock);
    config.allocator = test_memory_allocator(&fixture.memory);
    fixture.engine = test_start(&config);
    fixture.answer = leat_fail();
    fixture.types[0] = test_register(fixture.engine, "a", run, &fixture);
    fixture.types[1] = test_register(fixture.engine, "b", run, &fixture);
    options.waiting_max = 1;
    CHECK_OK(leat_queue_find(fixture.engine, "default", &fixture.queues[0]));
    CHECK_OK(leat_queue_create(fixture.engine, "q", &options, &fixture.queues[1]));
    return &fixture;
}

static void
teardown(struct fixture *fixture)
{
    test_close(fixture->engine);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
}

static void
run_all(struct fixture *fixture)
{
    while (leat_run_some(fixture->engine, 100, NULL) == LEAT_OK) {
    }
}

/* Dies at once. */
static leat_job_id
die(struct fixture *fixture, uint32_t type, uint32_t queue, uint32_t flags)
{
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    char payload[200] = "what it was to do";
    job.type = fixture->types[type];
    job.queue = fixture->queues[queue];
    job.flags = flags;
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    run_all(fixture);
    return id;
}

static void
die_n(struct fixture *fixture, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        fixture->ids[i] = die(fixture, i % 2, i / 2 % 2, 0);
    }
}

static const struct leat_job_info *
look(struct fixture *fixture, leat_job_id id)
{
    fixture->info = test_get(fixture->engine, id);
    return &fixture->info;
}

static enum leat_job_state
state_of(struct fixture *fixture, leat_job_id id)
{
    return look(fixture, id)->state;
}

static bool
gone(struct fixture *fixture, leat_job_id id)
{
    struct leat_job_info info = leat_job_info_default();
    enum leat_status status = leat_get(fixture->engine, id, &info);
    CHECK(status == LEAT_OK || status == LEAT_GONE);
    return status == LEAT_GONE;
}

static size_t
list(struct fixture *fixture, struct leat_dead_query *query, leat_job_id *ids, size_t capacity)
{
    size_t count = 0;
    CHECK_OK(leat_dead_list(fixture->engine, query, ids, capacity, &count));
    return count;
}

static size_t
letters(struct fixture *fixture)
{
    leat_job_id ids[DEAD_MAX + 1];
    struct leat_dead_query query = leat_dead_query_default();
    size_t count = list(fixture, &query, ids, DEAD_MAX + 1);
    CHECK_EQUAL(test_statistics(fixture->engine).dead_letters, count);
    return count;
}

/* ---- list and show -------------------------------------------------------------------------- */

/* The last `kept` of `all` come in order, page by page. */
static void
check_pages(struct fixture *fixture, uint32_t all, uint32_t kept, uint32_t page)
{
    struct leat_dead_query query = leat_dead_query_default();
    leat_job_id ids[DEAD_MAX + 1];
    uint32_t seen = 0;
    size_t count = page;
    while (count == page) {
        count = list(fixture, &query, ids, page);
        for (size_t i = 0; i < count; i++) {
            CHECK_EQUAL(ids[i].bits, fixture->ids[all - kept + seen].bits);
            seen++;
        }
    }
    CHECK_EQUAL(seen, kept);
}

static void
pages(void **state)
{
    (void)state;
    for (uint32_t all = 0; all < 3 * DEAD_MAX; all++) {
        struct fixture *fixture = setup(0, 0);
        die_n(fixture, all);
        uint32_t kept = all < DEAD_MAX ? all : DEAD_MAX;
        CHECK_EQUAL(letters(fixture), kept);
        CHECK_EQUAL(test_statistics(fixture->engine).dead_dropped, all - kept);
        for (uint32_t page = 1; page <= DEAD_MAX + 1; page++) {
            check_pages(fixture, all, kept, page);
        }
        teardown(fixture);
    }
}

static void
by_what_they_are(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 0);
    struct leat_dead_query query = leat_dead_query_default();
    leat_job_id ids[DEAD_MAX];
    die_n(fixture, 4);
    query.type = fixture->types[1];
    CHECK_EQUAL(list(fixture, &query, ids, DEAD_MAX), 2);
    CHECK_EQUAL(ids[0].bits, fixture->ids[1].bits);
    CHECK_EQUAL(ids[1].bits, fixture->ids[3].bits);
    query = leat_dead_query_default();
    query.queue = fixture->queues[1];
    CHECK_EQUAL(list(fixture, &query, ids, DEAD_MAX), 2);
    CHECK_EQUAL(ids[0].bits, fixture->ids[2].bits);
    query.type = fixture->types[1];
    query.cursor = 0;
    CHECK_EQUAL(list(fixture, &query, ids, DEAD_MAX), 1);
    query = leat_dead_query_default();
    query.reason = LEAT_REASON_ATTEMPTS;
    CHECK_EQUAL(list(fixture, &query, ids, DEAD_MAX), 0);
    fixture->answer = leat_retry();
    leat_job_id used_up = die(fixture, 0, 0, 0);
    CHECK_EQUAL(list(fixture, &query, ids, DEAD_MAX), 1);
    CHECK_EQUAL(ids[0].bits, used_up.bits);
    teardown(fixture);
}

static void
payload(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 0);
    char bytes[200];
    size_t count = 0;
    leat_job_id id = die(fixture, 0, 0, 0);
    CHECK_STATUS(leat_job_payload(fixture->engine, id, bytes, 199, &count), LEAT_FULL);
    CHECK_EQUAL(count, 200);
    CHECK_OK(leat_job_payload(fixture->engine, id, bytes, 200, NULL));
    CHECK_TEXT(bytes, "what it was to do");
    CHECK_STATUS(leat_job_payload(fixture->engine, id, NULL, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_job_payload(NULL, id, bytes, 200, &count), LEAT_INVALID);
    CHECK_OK(leat_dead_retry(fixture->engine, id, leat_when_now()));
    CHECK_STATUS(leat_job_payload(fixture->engine, id, bytes, 200, &count), LEAT_WRONG_STATE);
    fixture->answer = leat_done();
    run_all(fixture);
    CHECK_STATUS(leat_job_payload(fixture->engine, id, bytes, 200, &count), LEAT_WRONG_STATE);
    leat_job_id empty = test_submit(fixture->engine, fixture->types[0]);
    fixture->answer = leat_fail();
    run_all(fixture);
    CHECK_OK(leat_job_payload(fixture->engine, empty, NULL, 0, &count));
    CHECK_EQUAL(count, 0);
    teardown(fixture);
}

/* ---- brought back --------------------------------------------------------------------------- */

static void
with_all_its_attempts(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 0);
    fixture->answer = leat_retry();
    leat_job_id id = die(fixture, 0, 0, LEAT_JOB_KEEP_RESULT);
    for (uint32_t life = 0; life < 5; life++) {
        CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_DEAD);
        CHECK_EQUAL(look(fixture, id)->attempts, 3);
        CHECK_EQUAL(look(fixture, id)->reason, LEAT_REASON_ATTEMPTS);
        leat_token stale = fixture->token;
        CHECK_OK(leat_dead_retry(fixture->engine, id, leat_when_now()));
        CHECK_EQUAL(letters(fixture), 0);
        CHECK_EQUAL(look(fixture, id)->state, LEAT_JOB_PENDING);
        CHECK_EQUAL(fixture->info.attempts, 0);
        CHECK_EQUAL(fixture->info.reason, LEAT_REASON_NONE);
        CHECK_TEXT(fixture->info.error, "");
        CHECK_STATUS(leat_dead_retry(fixture->engine, id, leat_when_now()), LEAT_WRONG_STATE);
        CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
        CHECK_EQUAL(fixture->attempt, 1);
        CHECK_STATUS(leat_complete(fixture->engine, stale, leat_done(), NULL), LEAT_STALE);
        run_all(fixture);
        CHECK_EQUAL(fixture->runs, 3 * (life + 2));
    }
    CHECK_EQUAL(test_statistics(fixture->engine).dead_retried, 5);
    CHECK_EQUAL(test_statistics(fixture->engine).jobs_submitted, 1);
    fixture->answer = leat_done();
    CHECK_OK(leat_dead_retry(fixture->engine, id, leat_when_now()));
    run_all(fixture);
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_COMPLETED);
    CHECK_OK(leat_release(fixture->engine, id));
    teardown(fixture);
}

/* An attempt of the life before was pending: its token does not fit the same number of this one. */
static void
no_token_of_the_life_before(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 0);
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    job.type = fixture->types[0];
    job.max_attempts = 1;
    fixture->answer = leat_pending_for(S);
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    leat_token before = fixture->token;
    test_clock_pass(&fixture->clock, fixture->engine, 2 * S);
    run_all(fixture);
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_DEAD);
    CHECK_OK(leat_dead_retry(fixture->engine, id, leat_when_now()));
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_RUNNING);
    CHECK_STATUS(leat_complete(fixture->engine, before, leat_done(), NULL), LEAT_STALE);
    CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_done(), NULL));
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_COMPLETED);
    teardown(fixture);
}

static void
later_and_cancelled(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 0);
    leat_job_id id = die(fixture, 0, 0, LEAT_JOB_KEEP_RESULT);
    CHECK_OK(leat_dead_retry(fixture->engine, id, leat_when_in(10 * S)));
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_SCHEDULED);
    test_clock_pass(&fixture->clock, fixture->engine, 9 * S);
    CHECK_STATUS(leat_run_some(fixture->engine, 1, NULL), LEAT_EMPTY);
    test_clock_pass(&fixture->clock, fixture->engine, 2 * S);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_DEAD);
    CHECK_OK(leat_dead_retry(fixture->engine, id, leat_when_now()));
    CHECK_OK(leat_cancel(fixture->engine, id));
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_CANCELLED);
    CHECK_EQUAL(look(fixture, id)->reason, LEAT_REASON_NONE);
    CHECK_STATUS(leat_dead_retry(fixture->engine, id, leat_when_now()), LEAT_WRONG_STATE);
    run_all(fixture);
    CHECK_EQUAL(fixture->runs, 2);
    CHECK_OK(leat_release(fixture->engine, id));
    const struct leat_when both = {1, 1};
    CHECK_STATUS(leat_dead_retry(fixture->engine, id, both), LEAT_INVALID);
    teardown(fixture);
}

static void
expired_does_not_expire_again(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 0);
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    options.expires_in_ns = S;
    job.type = fixture->types[0];
    job.options = &options;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    test_clock_pass(&fixture->clock, fixture->engine, 5 * S);
    run_all(fixture);
    CHECK_EQUAL(look(fixture, id)->reason, LEAT_REASON_EXPIRED);
    CHECK_OK(leat_dead_retry(fixture->engine, id, leat_when_in(S)));
    test_clock_pass(&fixture->clock, fixture->engine, 5 * S);
    fixture->answer = leat_done();
    run_all(fixture);
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_COMPLETED);
    CHECK_EQUAL(fixture->runs, 1);
    teardown(fixture);
}

/* Its last attempt had a text of leat_complete(); whether a sweep finds it or a worker does. */
static void
expired_with_its_last_error(void **state)
{
    (void)state;
    for (uint32_t sweep = 0; sweep < 2; sweep++) {
        struct fixture *fixture = setup(0, 0);
        struct leat_job_options options = leat_job_options_default();
        struct leat_job job = leat_job_default();
        leat_job_id id = {0};
        options.expires_in_ns = 2 * S;
        job.type = fixture->types[0];
        job.options = &options;
        fixture->answer = leat_pending();
        CHECK_OK(leat_submit(fixture->engine, &job, &id));
        run_all(fixture);
        CHECK_OK(leat_complete(fixture->engine, fixture->token, leat_retry_in(0), "said later"));
        if (sweep != 0) {
            test_clock_pass(&fixture->clock, fixture->engine, 5 * S);
        } else {
            (void)atom_add_acq_rel(&fixture->clock.boot, 5 * S);
        }
        run_all(fixture);
        CHECK_EQUAL(look(fixture, id)->reason, LEAT_REASON_EXPIRED);
        CHECK_TEXT(fixture->info.error, "said later");
        CHECK_EQUAL(fixture->runs, 1);
        teardown(fixture);
    }
}

/* Its end has come to the queue once; the queue has no slot for a second one. */
static void
told_once(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 0);
    struct leat_completion_queue *completions = NULL;
    struct leat_completion ended[2];
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    size_t taken = 0;
    CHECK_OK(leat_completion_queue_create(fixture->engine, 1, &completions));
    job.type = fixture->types[0];
    job.completions = completions;
    CHECK_OK(leat_submit(fixture->engine, &job, &id));
    run_all(fixture);
    CHECK_OK(leat_completion_queue_take(completions, ended, 2, &taken));
    CHECK_EQUAL(taken, 1);
    CHECK_OK(leat_dead_retry(fixture->engine, id, leat_when_now()));
    run_all(fixture);
    CHECK_STATUS(leat_completion_queue_take(completions, ended, 2, &taken), LEAT_EMPTY);
    CHECK_OK(leat_completion_queue_destroy(completions));
    teardown(fixture);
}

static void
all_and_some(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 0);
    struct leat_dead_query query = leat_dead_query_default();
    size_t count = 9;
    CHECK_OK(leat_dead_retry_all(fixture->engine, NULL, leat_when_now(), &count));
    CHECK_EQUAL(count, 0);
    die_n(fixture, DEAD_MAX);
    query.type = fixture->types[0];
    CHECK_OK(leat_dead_retry_all(fixture->engine, &query, leat_when_now(), &count));
    CHECK_EQUAL(count, DEAD_MAX / 2);
    CHECK_EQUAL(letters(fixture), DEAD_MAX / 2);
    fixture->answer = leat_done();
    run_all(fixture);
    query.type = fixture->types[1];
    query.queue = fixture->queues[1];
    CHECK_OK(leat_dead_delete_all(fixture->engine, &query, &count));
    CHECK_EQUAL(count, 1);
    CHECK(gone(fixture, fixture->ids[3]));
    CHECK_OK(leat_dead_retry_all(fixture->engine, NULL, leat_when_in(S), &count));
    CHECK_EQUAL(count, DEAD_MAX / 2 - 1);
    CHECK_EQUAL(letters(fixture), 0);
    query.version++;
    CHECK_STATUS(leat_dead_delete_all(fixture->engine, &query, &count), LEAT_UNSUPPORTED);
    CHECK_STATUS(leat_dead_list(fixture->engine, NULL, fixture->ids, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_dead_list(fixture->engine, &query, fixture->ids, 0, &count), LEAT_INVALID);
    teardown(fixture);
}

static void
not_where_it_is_closed(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 0);
    size_t count = 9;
    die_n(fixture, 2);
    CHECK_OK(leat_stop(fixture->engine, LEAT_FOREVER));
    CHECK_STATUS(leat_dead_retry(fixture->engine, fixture->ids[0], leat_when_now()), LEAT_CLOSED);
    CHECK_STATUS(leat_dead_retry_all(fixture->engine, NULL, leat_when_now(), &count), LEAT_CLOSED);
    CHECK_EQUAL(count, 9);
    CHECK_EQUAL(letters(fixture), 2);
    CHECK_OK(leat_dead_delete(fixture->engine, fixture->ids[0]));
    CHECK_EQUAL(letters(fixture), 1);
    teardown(fixture);
}

/* A reader's hold refuses it, and nothing has changed. */
static void
not_while_someone_reads(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 0);
    uint32_t index = 0;
    die_n(fixture, 3);
    CHECK_OK(leat_job_hold(fixture->engine, fixture->ids[1], 1, &index));
    CHECK_STATUS(leat_dead_retry(fixture->engine, fixture->ids[1], leat_when_now()), LEAT_BUSY);
    CHECK_STATUS(leat_dead_retry(fixture->engine, fixture->ids[1], leat_when_in(S)), LEAT_BUSY);
    CHECK_EQUAL(letters(fixture), 3);
    CHECK_OK(leat_dead_delete(fixture->engine, fixture->ids[1]));
    /* It is gone for all but who has the hold. */
    const leat_atomic_u64 *word = leat_slab_word(&fixture->engine->jobs, index);
    CHECK(gone(fixture, fixture->ids[1]));
    CHECK(leat_word_phase(atom_load_rlx(word)) == LEAT_PHASE_DEAD);
    leat_job_unhold(fixture->engine, index);
    CHECK(leat_word_phase(atom_load_rlx(word)) != LEAT_PHASE_DEAD);
    CHECK(gone(fixture, fixture->ids[1]));
    teardown(fixture);
}

/* ---- deleted -------------------------------------------------------------------------------- */

static void
deleted_in_the_middle(void **state)
{
    (void)state;
    for (uint32_t which = 0; which < DEAD_MAX; which++) {
        struct fixture *fixture = setup(0, 0);
        die_n(fixture, DEAD_MAX);
        size_t blocks = test_memory_blocks(&fixture->memory);
        CHECK_OK(leat_dead_delete(fixture->engine, fixture->ids[which]));
        CHECK(gone(fixture, fixture->ids[which]));
        CHECK(test_memory_blocks(&fixture->memory) < blocks);
        CHECK_STATUS(leat_dead_delete(fixture->engine, fixture->ids[which]), LEAT_GONE);
        /* No id fits the place where it stood. */
        const leat_job_id none = {0};
        CHECK_STATUS(leat_dead_delete(fixture->engine, none), LEAT_NOT_FOUND);
        CHECK_STATUS(leat_dead_retry(fixture->engine, none, leat_when_now()), LEAT_NOT_FOUND);
        CHECK_STATUS(leat_dead_retry(fixture->engine, fixture->ids[which], leat_when_now()),
                     LEAT_GONE);
        CHECK_EQUAL(letters(fixture), DEAD_MAX - 1);
        CHECK_EQUAL(test_statistics(fixture->engine).dead_dropped, 0);
        teardown(fixture);
    }
}

static void
kept_for_its_submitter(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 0);
    leat_job_id id = die(fixture, 0, 0, LEAT_JOB_KEEP_RESULT);
    CHECK_OK(leat_dead_delete(fixture->engine, id));
    CHECK_EQUAL(letters(fixture), 0);
    CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_DEAD);
    CHECK_STATUS(leat_dead_delete(fixture->engine, id), LEAT_WRONG_STATE);
    CHECK_STATUS(leat_dead_retry(fixture->engine, id, leat_when_now()), LEAT_WRONG_STATE);
    CHECK_OK(leat_release(fixture->engine, id));
    CHECK(gone(fixture, id));
    teardown(fixture);
}

/* ---- ages ----------------------------------------------------------------------------------- */

static void
dead_by_age(void **state)
{
    (void)state;
    struct fixture *fixture = setup(0, 80 * S);
    uint64_t delay_ns = 0;
    for (uint32_t i = 0; i < 6; i++) {
        fixture->ids[i] = die(fixture, 0, 0, 0);
        test_clock_pass(&fixture->clock, fixture->engine, 10 * S);
    }
    CHECK_OK(leat_next_due(fixture->engine, &delay_ns));
    CHECK(delay_ns != 0);
    CHECK(delay_ns <= 10 * S);
    /* 60 s are over; none goes before 80, and each by 90. */
    for (uint64_t now = 60; now < 160; now += 5) {
        for (uint64_t i = 0; i < 6; i++) {
            uint64_t age = now - 10 * i;
            CHECK(age > 80 || !gone(fixture, fixture->ids[i]));
            CHECK(age < 95 || gone(fixture, fixture->ids[i]));
        }
        test_clock_pass(&fixture->clock, fixture->engine, 5 * S);
    }
    CHECK_EQUAL(letters(fixture), 0);
    CHECK_EQUAL(test_statistics(fixture->engine).dead_dropped, 6);
    teardown(fixture);
}

static void
finished_by_age(void **state)
{
    (void)state;
    struct fixture *fixture = setup(8 * S, 0);
    fixture->answer = leat_done();
    leat_job_id done = die(fixture, 0, 0, 0);
    fixture->answer = leat_fail();
    leat_job_id dead = die(fixture, 0, 0, 0);
    for (uint32_t i = 0; i < 8; i++) {
        CHECK(!gone(fixture, done));
        test_clock_pass(&fixture->clock, fixture->engine, S);
    }
    test_clock_pass(&fixture->clock, fixture->engine, 2 * S);
    CHECK(gone(fixture, done));
    CHECK_EQUAL(state_of(fixture, dead), LEAT_JOB_DEAD);
    teardown(fixture);
}

/* By default it is an hour, and an eighth at most. */
static void
finished_by_default(void **state)
{
    (void)state;
    const struct leat_config defaults = leat_config_default();
    struct fixture *fixture = setup(defaults.retained_age_ns, defaults.dead_age_ns);
    fixture->answer = leat_done();
    leat_job_id done = die(fixture, 0, 0, 0);
    fixture->answer = leat_fail();
    leat_job_id dead = die(fixture, 0, 0, 0);
    for (uint32_t i = 0; i < 8; i++) {
        CHECK(!gone(fixture, done));
        test_clock_pass(&fixture->clock, fixture->engine, 450 * S);
    }
    test_clock_pass(&fixture->clock, fixture->engine, 451 * S);
    CHECK(gone(fixture, done));
    test_clock_pass(&fixture->clock, fixture->engine, 3600 * S);
    CHECK_EQUAL(state_of(fixture, dead), LEAT_JOB_DEAD);
    teardown(fixture);
}

/* ---- quarantine ----------------------------------------------------------------------------- */

static void
crashed(void **state)
{
    (void)state;
    for (uint32_t crashes = 0; crashes < 5; crashes++) {
        struct fixture *fixture = setup(0, 0);
        fixture->answer = leat_done();
        leat_job_id id = test_submit(fixture->engine, fixture->types[0]);
        for (uint32_t i = 0; i < crashes; i++) {
            CHECK_OK(leat_job_crashed(fixture->engine, id));
        }
        run_all(fixture);
        struct leat_job_info info = test_get(fixture->engine, id);
        CHECK_EQUAL(info.state, crashes < 3 ? LEAT_JOB_COMPLETED : LEAT_JOB_DEAD);
        CHECK_EQUAL(info.reason, crashes < 3 ? LEAT_REASON_NONE : LEAT_REASON_QUARANTINED);
        CHECK_EQUAL(fixture->runs, crashes < 3 ? 1 : 0);
        if (crashes >= 3) {
            CHECK_OK(leat_dead_retry(fixture->engine, id, leat_when_now()));
            run_all(fixture);
            CHECK_EQUAL(state_of(fixture, id), LEAT_JOB_COMPLETED);
        }
        teardown(fixture);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages),
        cmocka_unit_test(by_what_they_are),
        cmocka_unit_test(payload),
        cmocka_unit_test(with_all_its_attempts),
        cmocka_unit_test(no_token_of_the_life_before),
        cmocka_unit_test(later_and_cancelled),
        cmocka_unit_test(expired_does_not_expire_again),
        cmocka_unit_test(expired_with_its_last_error),
        cmocka_unit_test(told_once),
        cmocka_unit_test(all_and_some),
        cmocka_unit_test(not_where_it_is_closed),
        cmocka_unit_test(not_while_someone_reads),
        cmocka_unit_test(deleted_in_the_middle),
        cmocka_unit_test(kept_for_its_submitter),
        cmocka_unit_test(dead_by_age),
        cmocka_unit_test(finished_by_age),
        cmocka_unit_test(finished_by_default),
        cmocka_unit_test(crashed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
