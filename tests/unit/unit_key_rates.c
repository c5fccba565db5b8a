/* unit_key_rates.c - rates of each key, exactly, with a lent thread and a clock by hand: each key
 * has the whole rate, of its queue and of its type; a key that waits holds up no other one and no
 * job without a key; retries and snoozes count, what is cancelled or put off while it waits does
 * not; rates change while jobs wait; keys of one hash are not the same; bad input changes nothing.
 * Holds I1 to I3 of engine/key_rates.h. */
#include "engine/key_rates.h"

#include "sched/pace.h"
#include "tests/unit/key_rates_body.h"

/* ---- when ------------------------------------------------------------------------------------ */

static const struct leat_rate rates[] = {
    {1, DAY, 1},
    {1, DAY, 5},
    {3, SECOND, 1},
    {10, SECOND, 10},
    {1000, SECOND, 100},
    {100, DAY, 1},
    {LEAT_RATE_JOBS_MAX, SECOND, 1},
};

/* Three keys, of each of which the jobs come one by one at their times, in their order. */
static void
each_key_has_the_rate(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2 * TEST_COUNT_OF(rates); i++) {
        struct fixture *fixture = setup(JOBS);
        const struct leat_rate rate = rates[i / 2];
        uint32_t each = (uint32_t)rate.burst + 50;
        uint32_t seen[3] = {0};
        if (i % 2 == 0) {
            CHECK_OK(leat_queue_set_key_rate(fixture->engine, fixture->queue, rate));
        } else {
            CHECK_OK(leat_type_set_key_rate(fixture->engine, fixture->type, rate));
        }
        for (uint32_t key = 0; key < 3; key++) {
            submit(fixture, key, key * each, (key + 1) * each);
        }
        run_until(fixture, (100 + rate.burst) * (rate.per_ns / rate.jobs) + SECOND);
        CHECK_EQUAL(fixture->count, 3 * each);
        for (uint32_t n = 0; n < fixture->count; n++) {
            uint32_t place = seen[fixture->runs[n] / each]++;
            uint64_t behind = place < rate.burst ? 0 : place - rate.burst + 1;
            uint64_t earliest_ns = (behind * rate.per_ns + rate.jobs - 1) / rate.jobs;
            uint64_t late_ns = rate.burst == 1 ? behind * LATE_NS : LATE_NS;
            CHECK_EQUAL(fixture->runs[n] % each, place);
            CHECK(fixture->at_ns[n] >= earliest_ns);
            CHECK(fixture->at_ns[n] <= earliest_ns + late_ns);
        }
        run_until(fixture, now(fixture) + (rate.burst + 1) * rate.per_ns);
        CHECK_EQUAL(buckets(fixture), 0);
        CHECK(next_due(fixture) == LEAT_FOREVER);
        teardown(fixture);
    }
}

/* Seven a second for an hour: none more, none less. */
static void
an_hour_is_exact(void **state)
{
    (void)state;
    struct fixture *fixture = setup(JOBS);
    uint64_t all = 0;
    set(fixture, 7, SECOND, 70);
    submit(fixture, 0, 0, 200);
    for (uint32_t step = 0; step <= 720; step++) {
        fixture->count = 0;
        all += step == 0 ? run_all(fixture) : pass(fixture, 5 * SECOND);
        submit(fixture, 0, 0, fixture->count);
    }
    CHECK_EQUAL(all, 70 + 7 * 3600);
    teardown(fixture);
}

static void
a_key_that_waits_is_in_nobodys_way(void **state)
{
    (void)state;
    struct fixture *fixture = setup(JOBS);
    set(fixture, 1, DAY, 1);
    submit(fixture, 1, 0, 100);
    submit(fixture, NO_KEY, 100, 200);
    submit(fixture, 2, 200, 201);
    CHECK_EQUAL(run_all(fixture), 1 + 100 + 1);
    submit_to(fixture, fixture->second, 3, 201);
    submit_to(fixture, fixture->second, 3, 202);
    CHECK_EQUAL(run_all(fixture), 2); /* of a queue without a rate */
    CHECK_EQUAL(buckets(fixture), 2);
    CHECK_OK(leat_drain(fixture->engine, 0)); /* whose time has not come */
    teardown(fixture);
}

static void
retries_and_snoozes_count(void **state)
{
    (void)state;
    for (enum way way = WAY_RETRY_ONCE; way <= WAY_SNOOZE_ONCE; way++) {
        struct fixture *fixture = setup(JOBS);
        fixture->way = way;
        set(fixture, 1, SECOND, 1);
        submit(fixture, 1, 0, 2);
        CHECK_EQUAL(run_all(fixture), 1);
        run_until(fixture, 10 * SECOND);
        CHECK_EQUAL(fixture->count, 4);
        for (uint32_t i = 0; i < 4; i++) {
            CHECK_EQUAL(fixture->runs[i], i / 2);
            CHECK(fixture->at_ns[i] >= i * SECOND);
        }
        teardown(fixture);
    }
}

static void
who_leaves_takes_no_token(void **state)
{
    (void)state;
    struct fixture *fixture = setup(JOBS);
    set(fixture, 1, SECOND, 1);
    submit(fixture, 1, 0, 4);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[1]));
    CHECK_OK(leat_reschedule(fixture->engine, fixture->ids[2], leat_when_in(10 * SECOND)));
    CHECK_EQUAL(pass(fixture, SECOND + LATE_NS), 1);
    CHECK_EQUAL(fixture->runs[1], 3);
    run_until(fixture, 12 * SECOND);
    CHECK_EQUAL(fixture->count, 3);
    CHECK_EQUAL(fixture->runs[2], 2);
    submit(fixture, 1, 4, 7); /* one begins, and of those two one leaves that holds nothing */
    (void)run_all(fixture);
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[6]));
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[5]));
    run_until(fixture, 20 * SECOND);
    CHECK_EQUAL(buckets(fixture), 0);
    teardown(fixture);
}

/* One that has begun, and waits for the token of its next attempt, keeps its key when it is put
 * off, and hands it on when it is cancelled. */
static void
a_retry_that_waits_may_leave(void **state)
{
    (void)state;
    struct fixture *fixture = setup(JOBS);
    fixture->way = WAY_RETRY_ONCE;
    set(fixture, 1, SECOND, 1);
    submit(fixture, 1, 0, 3);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_OK(leat_reschedule(fixture->engine, fixture->ids[0], leat_when_in(5 * SECOND)));
    CHECK_EQUAL(pass(fixture, 4 * SECOND), 0);
    CHECK_EQUAL(pass(fixture, SECOND + TICK_NS), 1);
    CHECK_EQUAL(fixture->runs[1], 0);
    CHECK_EQUAL(pass(fixture, SECOND + LATE_NS), 1);
    CHECK_EQUAL(fixture->runs[2], 1);
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[1]));
    CHECK_EQUAL(pass(fixture, SECOND + LATE_NS), 1);
    CHECK_EQUAL(fixture->runs[3], 2);
    run_until(fixture, 20 * SECOND);
    CHECK_EQUAL(fixture->count, 5);
    CHECK_EQUAL(buckets(fixture), 0);
    teardown(fixture);
}

static void
both_rates_hold(void **state)
{
    (void)state;
    struct fixture *fixture = setup(JOBS);
    set(fixture, 10, SECOND, 1);
    CHECK_OK(leat_type_set_key_rate(fixture->engine, fixture->type, leat_rate_of(1, SECOND, 3)));
    submit(fixture, 1, 0, 5);
    run_until(fixture, 10 * SECOND);
    CHECK_EQUAL(fixture->count, 5);
    CHECK(fixture->at_ns[1] >= SECOND / 10);
    CHECK(fixture->at_ns[2] >= 2 * SECOND / 10);
    CHECK(fixture->at_ns[2] <= 2 * SECOND / 10 + 2 * LATE_NS);
    CHECK(fixture->at_ns[3] >= SECOND);
    CHECK(fixture->at_ns[3] <= SECOND + LATE_NS);
    CHECK(fixture->at_ns[4] >= 2 * SECOND);
    CHECK(fixture->at_ns[4] <= 2 * SECOND + 2 * LATE_NS);
    CHECK_EQUAL(buckets(fixture), 0);
    teardown(fixture);
}

/* Other bytes, another length, another list: each has the whole rate. */
static void
keys_may_collide(void **state)
{
    (void)state;
    static const char *const texts[] = {"kl", "k", "kk"};
    struct fixture *fixture = setup(JOBS);
    set(fixture, 1, DAY, 1);
    for (uint32_t i = 0; i < 2 * TEST_COUNT_OF(texts); i++) {
        submit_hashed(fixture, texts[i % TEST_COUNT_OF(texts)], 7, 1, i);
    }
    CHECK_EQUAL(pass(fixture, 2 * TICK_NS), TEST_COUNT_OF(texts));
    CHECK_EQUAL(buckets(fixture), TEST_COUNT_OF(texts));
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[4])); /* the bucket in the middle */
    run_until(fixture, 2 * DAY);
    CHECK_EQUAL(fixture->count, 2 * TEST_COUNT_OF(texts) - 1);
    CHECK_EQUAL(buckets(fixture), 2);
    teardown(fixture);
}

/* From when it is let through, and until it begins or is cancelled. */
static void
a_token_is_kept(void **state)
{
    (void)state;
    struct fixture *fixture = setup(JOBS);
    set(fixture, 1, DAY, 1);
    submit(fixture, 1, 0, 1);
    CHECK_EQUAL(buckets(fixture), 1);
    CHECK_OK(leat_cancel(fixture->engine, fixture->ids[0]));
    CHECK_EQUAL(buckets(fixture), 0);
    submit(fixture, 1, 1, 2);
    CHECK_EQUAL(buckets(fixture), 1);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_EQUAL(buckets(fixture), 1);
    CHECK(next_due(fixture) > SECOND);
    teardown(fixture);
}

/* Where as many look at it as can, the canceller has no hold. When its token comes, the next one
 * gets the key, though the queue of the cancelled one is paused. */
static void
cancelled_without_a_hold(void **state)
{
    (void)state;
    struct fixture *fixture = setup(JOBS);
    set(fixture, 1, SECOND, 1);
    submit(fixture, 1, 0, 2);
    submit_to(fixture, fixture->second, 1, 2);
    CHECK_EQUAL(run_all(fixture), 1);
    test_cancel_unheld(fixture->engine, fixture->ids[1]);
    CHECK_OK(leat_queue_pause(fixture->engine, fixture->queue));
    submit(fixture, NO_KEY, 3, 4); /* in front of what comes later */
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_EQUAL(pass(fixture, SECOND / 2), 0);
    CHECK_EQUAL(pass(fixture, SECOND / 2 + LATE_NS), 1);
    CHECK_EQUAL(fixture->runs[1], 2);
    CHECK_EQUAL(buckets(fixture), 0);
    teardown(fixture);
}

static enum leat_status
get(struct fixture *fixture, leat_job_id id)
{
    struct leat_job_info info = leat_job_info_default();
    return leat_get(fixture->engine, id, &info);
}

/* One that waits with its key is cancelled while so many have it in hand: its record goes with the
 * last of them, but where they are as many as can be. Then it goes when its token comes. */
static void
what_keeps_a_record(void **state)
{
    (void)state;
    for (uint32_t less = 0; less < 2; less++) {
        struct fixture *fixture = setup(JOBS);
        uint32_t index = 0;
        set(fixture, 1, SECOND, 1);
        submit(fixture, 1, 0, 2);
        CHECK_EQUAL(run_all(fixture), 1);
        for (uint32_t i = less; i < LEAT_HOLDS_MAX; i++) {
            CHECK_OK(leat_job_hold(fixture->engine, fixture->ids[1], LEAT_HOLDS_MAX, &index));
        }
        CHECK_OK(leat_cancel(fixture->engine, fixture->ids[1]));
        for (uint32_t i = less; i < LEAT_HOLDS_MAX; i++) {
            leat_job_unhold(fixture->engine, index);
        }
        CHECK_STATUS(get(fixture, fixture->ids[1]), less == 0 ? LEAT_OK : LEAT_GONE);
        CHECK_EQUAL(pass(fixture, SECOND + LATE_NS), 0);
        CHECK_STATUS(get(fixture, fixture->ids[1]), LEAT_GONE);
        teardown(fixture);
    }
}

/* An attempt that begins at that time counts like any other. */
static void
a_clock_may_begin_at_zero(void **state)
{
    (void)state;
    struct fixture *fixture = setup_at(JOBS, 0);
    set(fixture, 1, SECOND, 1);
    submit(fixture, 1, 0, 2);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_EQUAL(pass(fixture, SECOND - LATE_NS), 0);
    CHECK_EQUAL(pass(fixture, 2 * LATE_NS), 1);
    teardown(fixture);
}

/* ---- other rates ----------------------------------------------------------------------------- */

static void
rates_change_at_once(void **state)
{
    (void)state;
    struct fixture *fixture = setup(JOBS);
    set(fixture, 1, DAY, 1);
    submit(fixture, 1, 0, 100);
    CHECK_EQUAL(run_all(fixture), 1);
    set(fixture, 1, SECOND, 1); /* the key owes one */
    CHECK_EQUAL(run_all(fixture), 0);
    CHECK_EQUAL(pass(fixture, SECOND - LATE_NS), 0);
    CHECK_EQUAL(pass(fixture, 2 * LATE_NS), 1);
    set(fixture, 1, SECOND, 5);
    CHECK_EQUAL(run_all(fixture), 4);
    set(fixture, 1, SECOND, 1); /* it owes five, and then one */
    CHECK_EQUAL(pass(fixture, SECOND + LATE_NS), 1);
    set(fixture, 0, 0, 0);
    CHECK_EQUAL(run_all(fixture), 93);
    CHECK_EQUAL(buckets(fixture), 0);
    set(fixture, 1, DAY, 2); /* behind none, all are full */
    submit(fixture, 1, 0, 3);
    CHECK_EQUAL(run_all(fixture), 2);
    teardown(fixture);
}

/* What runs when its first rate is set does not count; what waits behind it does. */
static void
the_first_rate_is_full(void **state)
{
    (void)state;
    struct fixture *fixture = setup(JOBS);
    CHECK_OK(leat_queue_set_key_rate(fixture->engine, fixture->second, leat_rate_of(1, DAY, 1)));
    submit(fixture, 1, 0, 3);
    CHECK_OK(leat_run_some(fixture->engine, 1, NULL));
    test_clock_pass(&fixture->clock, fixture->engine, SECOND);
    set(fixture, 1, DAY, 1);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_EQUAL(fixture->count, 2);
    teardown(fixture);
}

/* What began before there was a rate does not count, whether or not others had one. */
static void
a_handler_may_set_it(void **state)
{
    (void)state;
    static const struct {
        bool others;
        uint64_t ns;
        uint32_t runs;
    } cases[] = {{false, 0, 3}, {false, 1, 3}, {true, 0, 2}, {true, 1, 3}};
    for (size_t i = 0; i < TEST_COUNT_OF(cases); i++) {
        struct fixture *fixture = setup(JOBS);
        if (cases[i].others) {
            const struct leat_rate other = leat_rate_of(1, DAY, 1);
            CHECK_OK(leat_queue_set_key_rate(fixture->engine, fixture->second, other));
        }
        fixture->set_by_handler = leat_rate_of(1, DAY, 2);
        fixture->handler_ns = cases[i].ns;
        submit(fixture, 1, 0, 5);
        CHECK_EQUAL(run_all(fixture), cases[i].runs);
        teardown(fixture);
    }
}

static void
without_any_rate_nothing_is_due(void **state)
{
    (void)state;
    struct fixture *fixture = setup(JOBS);
    CHECK(next_due(fixture) == LEAT_FOREVER);
    submit(fixture, 1, 0, 3);
    CHECK_EQUAL(run_all(fixture), 3);
    CHECK(next_due(fixture) == LEAT_FOREVER);
    CHECK(!leat_key_rates_any(fixture->engine));
    teardown(fixture);
}

/* Another list's rate changes nothing of this one's. */
static void
rates_of_others_are_theirs(void **state)
{
    (void)state;
    struct fixture *fixture = setup(JOBS);
    set(fixture, 1, DAY, 1);
    submit(fixture, 1, 0, 2);
    CHECK_EQUAL(run_all(fixture), 1);
    uint64_t due_ns = next_due(fixture);
    CHECK(due_ns > SECOND);
    const struct leat_rate other = leat_rate_of(1, SECOND, 1);
    CHECK_OK(leat_queue_set_key_rate(fixture->engine, fixture->second, other));
    CHECK_EQUAL(next_due(fixture), due_ns);
    CHECK_EQUAL(run_all(fixture), 0);
    teardown(fixture);
}

/* A key that says that it waits where another one does, or nobody. */
static void
the_check_finds_who_waits_elsewhere(void **state)
{
    (void)state;
    struct fixture *fixture = setup(JOBS);
    uint32_t index = 0;
    uint32_t found = 0;
    set(fixture, 1, DAY, 1);
    submit(fixture, 1, 0, 2);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_OK(leat_job_locate(fixture->engine, fixture->ids[1], &index));
    struct leat_key *key = leat_job_extra(leat_job_record(fixture->engine, index))->key;
    uint32_t waits = key->waits;
    CHECK_EQUAL(buckets(fixture), 1);
    key->waits = waits + 1;
    CHECK(!leat_keys_check(fixture->engine, &found, NULL));
    CHECK(!leat_key_rates_check(fixture->engine, &found, NULL));
    key->waits = 0;
    CHECK(!leat_key_rates_check(fixture->engine, &found, NULL));
    key->waits = waits;
    teardown(fixture);
}

/* ---- what is refused ------------------------------------------------------------------------- */

/* What a cap on memory counts. */
static void
its_memory_is_counted(void **state)
{
    (void)state;
    struct fixture *fixture = setup(JOBS);
    CHECK_EQUAL(leat_key_rates_resident(fixture->engine), 0);
    set(fixture, 1, SECOND, 1);
    submit(fixture, 0, 0, 2);
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK(leat_key_rates_resident(fixture->engine) != 0);
    teardown(fixture);
}

static void
bad_input_changes_nothing(void **state)
{
    (void)state;
    static const struct leat_rate bad[] = {
        {2, 1, 1},
        {LEAT_RATE_JOBS_MAX + 1, LEAT_RATE_NS_MAX, 1},
        {1, LEAT_RATE_NS_MAX + 1, 1},
        {1, SECOND, LEAT_RATE_BURST_MAX + 1},
    };
    struct fixture *fixture = setup(JOBS);
    struct leat_engine *engine = fixture->engine;
    struct leat_queue_options queue = leat_queue_options_default();
    struct leat_type_options type = leat_type_options_default();
    leat_queue made;
    leat_type bound;
    for (size_t i = 0; i < TEST_COUNT_OF(bad); i++) {
        queue.key_rate = bad[i];
        type.key_rate = bad[i];
        CHECK_EQUAL(leat_queue_set_key_rate(engine, fixture->queue, bad[i]), LEAT_INVALID);
        CHECK_EQUAL(leat_type_set_key_rate(engine, fixture->type, bad[i]), LEAT_INVALID);
        CHECK_EQUAL(leat_queue_create(engine, "third", &queue, &made), LEAT_INVALID);
        CHECK_EQUAL(leat_type_register(engine, "third", note, fixture, &type, &bound),
                    LEAT_INVALID);
    }
    const struct leat_rate one = {1, DAY, 1};
    CHECK_EQUAL(leat_queue_set_key_rate(engine, (leat_queue){999}, one), LEAT_NOT_FOUND);
    CHECK_EQUAL(leat_type_set_key_rate(engine, (leat_type){999}, one), LEAT_NOT_FOUND);
    CHECK_EQUAL(leat_queue_set_key_rate(NULL, fixture->queue, one), LEAT_INVALID);
    CHECK(!leat_key_rates_any(engine));
    set(fixture, 1, LEAT_RATE_NS_MAX, LEAT_RATE_BURST_MAX);
    set(fixture, LEAT_RATE_JOBS_MAX, LEAT_RATE_NS_MAX, 1);
    queue.key_rate = one;
    CHECK_OK(leat_queue_create(engine, "third", &queue, &made));
    for (uint32_t i = 0; i < 3; i++) {
        submit_to(fixture, made, 1, i);
    }
    CHECK_EQUAL(run_all(fixture), 1);
    CHECK_OK(leat_knob_change(engine, "queue.third.key_rate", "2/1d", NULL));
    teardown(fixture);
}

/* ---- the count ------------------------------------------------------------------------------- */

/* What is due is there then, and not a nanosecond before, at all ages. */
static void
counts_and_times_agree(void **state)
{
    (void)state;
    static const struct leat_bucket_rate all[] = {
        {1, 1, LEAT_RATE_NS_MAX},
        {3, 5, SECOND},
        {1000000000, 67108864, SECOND},
        {7, 1, 86399},
    };
    for (size_t i = 0; i < TEST_COUNT_OF(all); i++) {
        for (uint64_t age_ns = 1; age_ns < UINT64_C(1) << 62; age_ns *= 3) {
            struct leat_pace pace = leat_pace_set(NULL, &all[i], 1000);
            pace = leat_pace_set(&pace, &all[i], 2000 + age_ns / 7);
            leat_bucket_wide count = leat_pace_at(&pace, pace.start_ns + age_ns) + LEAT_PACE_TOKEN;
            uint64_t due_ns = leat_pace_ns(&pace, count);
            CHECK(leat_pace_at(&pace, due_ns) >= count);
            CHECK(leat_pace_at(&pace, due_ns - 1) < count);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_has_the_rate),
        cmocka_unit_test(an_hour_is_exact),
        cmocka_unit_test(a_key_that_waits_is_in_nobodys_way),
        cmocka_unit_test(retries_and_snoozes_count),
        cmocka_unit_test(who_leaves_takes_no_token),
        cmocka_unit_test(a_retry_that_waits_may_leave),
        cmocka_unit_test(both_rates_hold),
        cmocka_unit_test(keys_may_collide),
        cmocka_unit_test(a_token_is_kept),
        cmocka_unit_test(cancelled_without_a_hold),
        cmocka_unit_test(what_keeps_a_record),
        cmocka_unit_test(a_clock_may_begin_at_zero),
        cmocka_unit_test(rates_change_at_once),
        cmocka_unit_test(the_first_rate_is_full),
        cmocka_unit_test(a_handler_may_set_it),
        cmocka_unit_test(without_any_rate_nothing_is_due),
        cmocka_unit_test(rates_of_others_are_theirs),
        cmocka_unit_test(the_check_finds_who_waits_elsewhere),
        cmocka_unit_test(its_memory_is_counted),
        cmocka_unit_test(bad_input_changes_nothing),
        cmocka_unit_test(counts_and_times_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
