/* stress_wheel.c - threads that arm, move and cancel timers on several wheels, each also trying to
 * hold a wheel and to advance it, by a clock that jumps. Every timer comes to one end: it expires,
 * or it is released after a cancel that said LATER, or a cancel said DONE. None expires early.
 *
 * A record's payload is plain memory that nothing but the wheel orders between who arms it and who
 * is handed it, and what is inside a wheel is plain too: ThreadSanitizer sees a missing edge
 * (word:A -> word:C, role:B -> role:A) as a race. At the end all wheels' checks hold (I1 to I4). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sched/wheel.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define THREADS 4
#define WHEELS  2
#define RECORDS 512
#define TICK    (UINT64_C(1) << LEAT_WHEEL_TICK_LOG2_MIN)
#define END     (UINT64_C(1) << 62)

/* A record's stage: what it is at, and how many threads have it in hand. */
#define STAGE_FREE  0u
#define STAGE_LIVE  1u
#define STAGE_STATE 1u
#define STAGE_HOLD  2u

struct record {
    leat_atomic_u32 stage;
    uint64_t payload; /* plain */
    uint64_t inverse; /* plain */
};

struct counts {
    uint64_t armed;
    uint64_t expired;
    uint64_t released;
    uint64_t later; /* cancels */
    uint64_t done;  /* cancels */
    uint64_t moved;
    uint64_t refused; /* moves and cancels */
    uint64_t marked;  /* times the role was held */
};

struct fixture {
    struct leat_wheels wheels;
    struct record records[RECORDS];
    struct counts counts[THREADS + 1];
    LEAT_ALIGNED_LINE leat_atomic_u64 clock_ns;
    uint64_t deadline_ns;
    uint64_t seed;
};

struct thread {
    struct fixture *fixture;
    struct counts *counts;
    struct test_prng prng;
};

/* True: the record is live, and stays this one until it is let go. */
static bool
keep(struct record *record)
{
    uint32_t stage = atom_load_rlx(&record->stage);
    while ((stage & STAGE_STATE) == STAGE_LIVE) {
        if (atom_cas_acq_rel(&record->stage, &stage, stage + STAGE_HOLD)) {
            return true;
        }
    }
    return false;
}

static void
let_go(struct record *record)
{
    (void)atom_sub_acq_rel(&record->stage, STAGE_HOLD);
}

static uint64_t
some_deadline(struct thread *thread)
{
    uint64_t far = test_random(&thread->prng) >> (30 + test_random_below(&thread->prng, 30));
    return atom_load_rlx(&thread->fixture->clock_ns) + far % (1000 * TICK);
}

/* The end of a timer. */
static void
end(struct thread *thread, uint32_t index)
{
    struct record *record = &thread->fixture->records[index];
    CHECK_EQUAL(record->payload, ~record->inverse);
    record->payload = 0;
    uint32_t stage = atom_sub_acq_rel(&record->stage, STAGE_LIVE);
    CHECK((stage & STAGE_STATE) == STAGE_LIVE);
}

static void
advance(struct thread *thread, struct leat_wheel *wheel)
{
    uint64_t now_ns = atom_load_rlx(&thread->fixture->clock_ns);
    bool more = true;
    for (uint32_t i = 0; more && i < 1000; i++) {
        struct leat_wheel_step step = {.now_ns = now_ns,
                                       .budget = 1 + test_random_below(&thread->prng, 64)};
        more = leat_wheel_advance(wheel, &step);
        for (uint32_t j = 0; j < step.count; j++) {
            uint32_t index = step.indices[j] & ~LEAT_WHEEL_RELEASED;
            CHECK(index < RECORDS);
            if ((step.indices[j] & LEAT_WHEEL_RELEASED) != 0) {
                thread->counts->released++;
            } else {
                uint64_t word = atom_load_rlx(&thread->fixture->wheels.words[index]);
                CHECK((word >> 12) * TICK <= now_ns);
                thread->counts->expired++;
            }
            end(thread, index);
        }
    }
}

static void
arm(struct thread *thread, struct leat_wheel *wheel, bool held)
{
    uint32_t index = test_random_below(&thread->prng, RECORDS);
    struct record *record = &thread->fixture->records[index];
    uint32_t stage = STAGE_FREE;
    if (!atom_cas_acq_rel(&record->stage, &stage, STAGE_LIVE | STAGE_HOLD)) {
        return;
    }
    record->payload = test_random(&thread->prng);
    record->inverse = ~record->payload;
    uint64_t deadline_ns = some_deadline(thread);
    enum leat_wheel_result result = held ? leat_wheel_arm(wheel, index, deadline_ns)
                                         : leat_wheel_arm_any(wheel, index, deadline_ns);
    CHECK(result == LEAT_WHEEL_DONE || result == LEAT_WHEEL_WAKE);
    thread->counts->armed++;
    let_go(record);
}

static void
change(struct thread *thread, struct leat_wheel *held)
{
    uint32_t index = test_random_below(&thread->prng, RECORDS);
    struct record *record = &thread->fixture->records[index];
    if (!keep(record)) {
        return;
    }
    enum leat_wheel_result result = LEAT_WHEEL_REFUSED;
    if (test_random_below(&thread->prng, 3) == 0) {
        result = leat_wheel_cancel(&thread->fixture->wheels, held, index);
        thread->counts->later += result == LEAT_WHEEL_LATER ? 1 : 0;
        if (result == LEAT_WHEEL_DONE) {
            CHECK(held != NULL);
            thread->counts->done++;
            end(thread, index);
        }
    } else {
        result = leat_wheel_rearm(&thread->fixture->wheels, held, index, some_deadline(thread));
        thread->counts->moved += result != LEAT_WHEEL_REFUSED ? 1 : 0;
    }
    thread->counts->refused += result == LEAT_WHEEL_REFUSED ? 1 : 0;
    let_go(record);
}

static void
hold(struct thread *thread, struct leat_wheel *wheel)
{
    if (!leat_wheel_enter(wheel)) {
        thread->counts->marked++;
        return;
    }
    do {
        advance(thread, wheel);
        for (uint32_t i = 0; i < 8; i++) {
            arm(thread, wheel, true);
            change(thread, wheel);
        }
    } while (!leat_wheel_leave(wheel));
}

static void
run(void *shared, uint32_t number)
{
    struct fixture *fixture = shared;
    struct thread thread = {fixture, &fixture->counts[number], {fixture->seed + number}};
    while (test_now_ns() < fixture->deadline_ns) {
        for (uint32_t i = 0; i < 64; i++) {
            uint32_t which = test_random_below(&thread.prng, WHEELS);
            struct leat_wheel *wheel = leat_wheels_at(&fixture->wheels, which);
            uint32_t what = test_random_below(&thread.prng, 16);
            if (what < 5) {
                arm(&thread, wheel, false);
            } else if (what < 12) {
                change(&thread, NULL);
            } else if (what < 15) {
                hold(&thread, wheel);
            } else {
                uint64_t far =
                    test_random(&thread.prng) >> (40 + test_random_below(&thread.prng, 20));
                (void)atom_add_rlx(&fixture->clock_ns, far);
            }
        }
    }
}

static struct counts
sum(const struct fixture *fixture)
{
    struct counts all = {0};
    for (uint32_t i = 0; i <= THREADS; i++) {
        const struct counts *one = &fixture->counts[i];
        all.armed += one->armed;
        all.expired += one->expired;
        all.released += one->released;
        all.later += one->later;
        all.done += one->done;
        all.moved += one->moved;
        all.refused += one->refused;
        all.marked += one->marked;
    }
    return all;
}

static void
every_timer_ends_once(void **state)
{
    (void)state;
    struct fixture *fixture = aligned_alloc(LEAT_LINE_BYTES, sizeof(*fixture));
    CHECK(fixture != NULL);
    *fixture = (struct fixture){.seed = test_seed("stress_wheel")};
    const struct leat_wheels_config config = {
        .records = RECORDS, .wheels = WHEELS, .tick_log2 = LEAT_WHEEL_TICK_LOG2_MIN, .start_ns = 0};
    CHECK(leat_wheels_init(&fixture->wheels, &config));
    fixture->deadline_ns = test_now_ns() + test_duration_ns();
    test_threads_run(THREADS, run, fixture);

    CHECK(leat_wheels_check(&fixture->wheels, stderr));
    atom_store_rlx(&fixture->clock_ns, END);
    struct thread last = {fixture, &fixture->counts[THREADS], {0}};
    for (uint32_t i = 0; i < WHEELS; i++) {
        struct leat_wheel *wheel = leat_wheels_at(&fixture->wheels, i);
        CHECK(leat_wheel_enter(wheel));
        advance(&last, wheel);
        CHECK(leat_wheel_leave(wheel));
        CHECK_EQUAL(leat_wheel_due_ns(wheel), LEAT_WHEEL_NEVER);
    }
    CHECK(leat_wheels_check(&fixture->wheels, stderr));
    struct counts all = sum(fixture);
    test_say("%" PRIu64 " armed, %" PRIu64 " expired, %" PRIu64 " released, %" PRIu64
             " cancelled at once, %" PRIu64 " moved, %" PRIu64 " refused, %" PRIu64 " held\n",
             all.armed, all.expired, all.released, all.done, all.moved, all.refused, all.marked);
    CHECK_EQUAL(all.expired + all.released + all.done, all.armed);
    CHECK_EQUAL(all.released, all.later);
    for (uint32_t i = 0; i < RECORDS; i++) {
        CHECK_EQUAL(atom_load_rlx(&fixture->records[i].stage), STAGE_FREE);
    }
    CHECK(all.expired > 100);
    CHECK(all.released > 100);
    CHECK(all.done > 100);
    leat_wheels_fini(&fixture->wheels);
    free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_timer_ends_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
