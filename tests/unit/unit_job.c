/* unit_job.c - the job's word in one thread: the table of transitions against one written down here
 * again, for every pair; the bits of the word apart from each other and together all of it; the
 * three swaps with what they set, clear and refuse; who is the last one out of a job that ended. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "engine/job.h"
#include "tests/support/check.h"

#define GENERATION UINT64_C(0x2aaaaaaaab)
#define BASE       (GENERATION << LEAT_INDEX_BITS)

/* Rows from, columns to, both in the order of enum leat_phase:
 * FILLING SCHEDULED BLOCKED PENDING RUNNING RETRYING COMPLETED DEAD CANCELLED GONE */
static const char *const expected[LEAT_PHASE_COUNT] = {
    ".xxxx.....", /* FILLING: due later, waits for others, may run, or runs inline */
    "...x...xx.", /* SCHEDULED: due, expired, cancelled */
    ".x.x..xxx.", /* BLOCKED: released into a delay or at once, all done, expired, cancelled */
    ".x..x..xx.", /* PENDING: put off, taken, expired, cancelled */
    ".x.x.xxxx.", /* RUNNING: snoozed, retried at once or later, and the three ends */
    "...x...xx.", /* RETRYING: due, expired, cancelled */
    ".........x", /* COMPLETED */
    ".x.x.....x", /* DEAD: brought back by an operator, later or at once */
    ".........x", /* CANCELLED */
    "..........", /* GONE */
};

static void
table(void **state)
{
    (void)state;
    for (uint32_t from = 0; from < LEAT_PHASE_COUNT; from++) {
        CHECK_EQUAL(strlen(expected[from]), LEAT_PHASE_COUNT);
        for (uint32_t to = 0; to < LEAT_PHASE_COUNT; to++) {
            bool may = leat_phase_may((enum leat_phase)from, (enum leat_phase)to);
            if (may != (expected[from][to] == 'x')) {
                test_say("from %u to %u\n", from, to);
            }
            CHECK(may == (expected[from][to] == 'x'));
        }
        bool final = from >= LEAT_PHASE_COMPLETED && from <= LEAT_PHASE_CANCELLED;
        CHECK(leat_phase_final((enum leat_phase)from) == final);
    }
}

/* The swap follows the table: every legal pair is done, from its phase alone. */
static void
change_follows_the_table(void **state)
{
    (void)state;
    for (uint32_t from = 0; from < LEAT_PHASE_COUNT; from++) {
        for (uint32_t to = 0; to < LEAT_PHASE_COUNT; to++) {
            if (expected[from][to] != 'x') {
                continue;
            }
            const struct leat_change change = {.from = (enum leat_phase)from,
                                               .to = (enum leat_phase)to};
            for (uint32_t now = 0; now < LEAT_PHASE_COUNT; now++) {
                leat_atomic_u64 word;
                uint64_t before = 1;
                uint64_t after = 2;
                uint64_t held = BASE | LEAT_WORD_LINKED;
                atom_init(&word, held | now);
                CHECK(leat_job_change(&word, &change, &before, &after) == (now == from));
                CHECK_EQUAL(before, held | now);
                CHECK_EQUAL(after, now == from ? held | to : 2);
                CHECK_EQUAL(atom_load_rlx(&word), now == from ? held | to : held | now);
            }
        }
    }
}

static void
change_word(void *argument)
{
    const struct leat_change *change = argument;
    leat_atomic_u64 word;
    uint64_t before = 0;
    uint64_t after = 0;
    atom_init(&word, BASE | (uint64_t)change->from);
    (void)leat_job_change(&word, change, &before, &after);
}

/* An illegal pair is a bug of the library, which ends the process. */
static void
illegal_change_aborts(void **state)
{
    (void)state;
    struct leat_change illegal[] = {
        {.from = LEAT_PHASE_COMPLETED, .to = LEAT_PHASE_RUNNING},
        {.from = LEAT_PHASE_GONE, .to = LEAT_PHASE_PENDING},
        {.from = LEAT_PHASE_PENDING, .to = LEAT_PHASE_COMPLETED},
    };
    for (size_t i = 0; i < TEST_COUNT_OF(illegal); i++) {
        test_child_aborts(change_word, &illegal[i]);
    }
}

/* ---- bits ----------------------------------------------------------------------------------- */

static void
masks_are_apart(void **state)
{
    (void)state;
    static const uint64_t masks[] = {LEAT_WORD_PHASE,   LEAT_WORD_LINKED,  LEAT_WORD_KEPT,
                                     LEAT_WORD_CANCEL,  LEAT_WORD_AWAITED, LEAT_WORD_CLAIMED,
                                     LEAT_WORD_OUTCOME, LEAT_WORD_HOLDS,   LEAT_WORD_ATTEMPT};
    uint64_t all = 0;
    for (size_t i = 0; i < TEST_COUNT_OF(masks); i++) {
        CHECK_EQUAL(all & masks[i], 0);
        all |= masks[i];
    }
    /* Together they fill what the generation leaves. */
    CHECK_EQUAL(all, (UINT64_C(1) << LEAT_INDEX_BITS) - 1);
    CHECK_EQUAL(LEAT_WORD_HOLDS / LEAT_WORD_HOLD, 255);
    CHECK((uint32_t)LEAT_PHASE_COUNT <= LEAT_WORD_PHASE + 1);
    for (uint32_t kind = LEAT_OUTCOME_DONE; kind <= LEAT_OUTCOME_PENDING; kind++) {
        uint64_t bits = (uint64_t)kind << LEAT_WORD_OUTCOME_SHIFT;
        CHECK_EQUAL(bits & ~LEAT_WORD_OUTCOME, 0);
    }
}

static void
attempts_keep_to_their_bits(void **state)
{
    (void)state;
    for (uint32_t attempt = 0; attempt <= LEAT_ATTEMPTS_MAX; attempt++) {
        uint64_t bits = leat_word_attempt(attempt);
        CHECK_EQUAL(bits & ~LEAT_WORD_ATTEMPT, 0);
        CHECK(bits != leat_word_attempt(attempt + 1));
    }
    CHECK_EQUAL(leat_word_generation(BASE | (BASE >> 38)), GENERATION);
}

static void
phases_are_states(void **state)
{
    (void)state;
    CHECK_EQUAL((uint32_t)LEAT_PHASE_SCHEDULED, (uint32_t)LEAT_JOB_SCHEDULED);
    CHECK_EQUAL((uint32_t)LEAT_PHASE_BLOCKED, (uint32_t)LEAT_JOB_BLOCKED);
    CHECK_EQUAL((uint32_t)LEAT_PHASE_PENDING, (uint32_t)LEAT_JOB_PENDING);
    CHECK_EQUAL((uint32_t)LEAT_PHASE_RUNNING, (uint32_t)LEAT_JOB_RUNNING);
    CHECK_EQUAL((uint32_t)LEAT_PHASE_RETRYING, (uint32_t)LEAT_JOB_RETRYING);
    CHECK_EQUAL((uint32_t)LEAT_PHASE_COMPLETED, (uint32_t)LEAT_JOB_COMPLETED);
    CHECK_EQUAL((uint32_t)LEAT_PHASE_DEAD, (uint32_t)LEAT_JOB_DEAD);
    CHECK_EQUAL((uint32_t)LEAT_PHASE_CANCELLED, (uint32_t)LEAT_JOB_CANCELLED);
}

/* ---- swaps ---------------------------------------------------------------------------------- */

static void
change_sets_clears_refuses(void **state)
{
    (void)state;
    leat_atomic_u64 word;
    uint64_t before = 0;
    uint64_t after = 0;
    const struct leat_change change = {.from = LEAT_PHASE_RUNNING,
                                       .to = LEAT_PHASE_PENDING,
                                       .set = LEAT_WORD_LINKED,
                                       .clear = LEAT_WORD_OF_ATTEMPT,
                                       .unless = LEAT_WORD_CANCEL};
    uint64_t start = BASE | LEAT_WORD_OF_ATTEMPT | LEAT_WORD_KEPT | 3 * LEAT_WORD_HOLD |
                     leat_word_attempt(41) | LEAT_PHASE_RUNNING;
    atom_init(&word, start | LEAT_WORD_CANCEL);
    CHECK(!leat_job_change(&word, &change, &before, &after));
    CHECK_EQUAL(before, start | LEAT_WORD_CANCEL);
    CHECK_EQUAL(atom_load_rlx(&word), start | LEAT_WORD_CANCEL);
    atom_store_rlx(&word, start);
    CHECK(leat_job_change(&word, &change, &before, &after));
    CHECK_EQUAL(after, BASE | LEAT_WORD_LINKED | LEAT_WORD_KEPT | 3 * LEAT_WORD_HOLD |
                           leat_word_attempt(41) | LEAT_PHASE_PENDING);
    CHECK_EQUAL(atom_load_rlx(&word), after);
}

static void
mark_wants_running(void **state)
{
    (void)state;
    const struct leat_mark mark = {.set = LEAT_WORD_CLAIMED,
                                   .clear = LEAT_WORD_CANCEL,
                                   .mask = LEAT_WORD_CLAIMED | LEAT_WORD_ATTEMPT,
                                   .value = leat_word_attempt(7)};
    for (uint32_t phase = 0; phase < LEAT_PHASE_COUNT; phase++) {
        leat_atomic_u64 word;
        uint64_t before = 0;
        uint64_t start = BASE | LEAT_WORD_CANCEL | leat_word_attempt(7) | phase;
        bool fits = phase == LEAT_PHASE_RUNNING;
        atom_init(&word, start);
        CHECK(leat_job_mark(&word, &mark, &before) == fits);
        CHECK_EQUAL(before, start);
        uint64_t marked = (start | LEAT_WORD_CLAIMED) & ~LEAT_WORD_CANCEL;
        CHECK_EQUAL(atom_load_rlx(&word), fits ? marked : start);
        /* A second one is refused: it is claimed, or not running. */
        CHECK(!leat_job_mark(&word, &mark, &before));
    }
    leat_atomic_u64 other;
    uint64_t before = 0;
    atom_init(&other, BASE | leat_word_attempt(8) | LEAT_PHASE_RUNNING);
    CHECK(!leat_job_mark(&other, &mark, &before));
    CHECK_EQUAL(before, atom_load_rlx(&other));
}

/* And may bring a hold. */
static void
mark_holds(void **state)
{
    (void)state;
    const struct leat_mark mark = {.set = LEAT_WORD_AWAITED | LEAT_WORD_LINKED, .hold = true};
    uint64_t start = BASE | 254 * LEAT_WORD_HOLD | LEAT_PHASE_RUNNING;
    leat_atomic_u64 word;
    uint64_t before = 0;
    atom_init(&word, start);
    CHECK(leat_job_mark(&word, &mark, &before));
    CHECK_EQUAL(before, start);
    CHECK_EQUAL(atom_load_rlx(&word), (start | mark.set) + LEAT_WORD_HOLD);
}

/* For a time: AWAITED and LINKED, without an outcome, while RUNNING. */
static void
pending_words(void **state)
{
    (void)state;
    const uint64_t both = LEAT_WORD_AWAITED | LEAT_WORD_LINKED;
    const uint64_t beside = LEAT_WORD_CANCEL | LEAT_WORD_CLAIMED | LEAT_WORD_KEPT | LEAT_WORD_HOLDS;
    for (uint32_t phase = 0; phase < LEAT_PHASE_COUNT; phase++) {
        bool runs = phase == LEAT_PHASE_RUNNING;
        CHECK(leat_word_pending(BASE | both | phase) == runs);
        CHECK(leat_word_pending(BASE | both | beside | phase) == runs);
        CHECK(!leat_word_pending(BASE | LEAT_WORD_AWAITED | phase));
        CHECK(!leat_word_pending(BASE | LEAT_WORD_LINKED | phase));
        for (uint64_t said = 1; said < 8; said++) {
            CHECK(!leat_word_pending(BASE | both | said << LEAT_WORD_OUTCOME_SHIFT | phase));
        }
    }
}

/* The first change to a final phase turns into GONE exactly where nobody has the record. */
static void
ends_alone_or_held(void **state)
{
    (void)state;
    static const uint64_t holders[] = {LEAT_WORD_LINKED, LEAT_WORD_KEPT, LEAT_WORD_HOLD,
                                       LEAT_WORD_HOLDS};
    for (uint32_t phase = LEAT_PHASE_COMPLETED; phase <= LEAT_PHASE_CANCELLED; phase++) {
        uint64_t running = BASE | LEAT_WORD_CANCEL | LEAT_WORD_ATTEMPT | LEAT_PHASE_RUNNING;
        uint64_t rest = running & ~LEAT_WORD_PHASE;
        CHECK_EQUAL(leat_word_with(running, (enum leat_phase)phase), rest | LEAT_PHASE_GONE);
        for (size_t i = 0; i < TEST_COUNT_OF(holders); i++) {
            CHECK_EQUAL(leat_word_with(running | holders[i], (enum leat_phase)phase),
                        rest | holders[i] | phase);
        }
    }
    for (uint32_t phase = 0; phase < LEAT_PHASE_COMPLETED; phase++) {
        CHECK_EQUAL(leat_word_with(BASE, (enum leat_phase)phase), BASE | phase);
    }
}

/* One way to let go, by one of those who hold the record. */
static void
let_go(uint32_t phase, uint64_t holders, uint64_t way)
{
    leat_atomic_u64 word;
    bool hold = way == LEAT_WORD_HOLD;
    if (hold && (holders & LEAT_WORD_HOLDS) == 0) {
        return;
    }
    uint64_t left = hold ? holders - LEAT_WORD_HOLD : holders & ~way;
    bool gone = leat_phase_final((enum leat_phase)phase) && left == 0;
    atom_init(&word, BASE | holders | phase);
    CHECK(leat_job_let_go(&word, way) == gone);
    CHECK_EQUAL(atom_load_rlx(&word), BASE | left | (gone ? (uint32_t)LEAT_PHASE_GONE : phase));
}

/* Every way to let go, out of every set of holders, in every phase. */
static void
last_one_out(void **state)
{
    (void)state;
    static const uint64_t ways[] = {LEAT_WORD_LINKED, LEAT_WORD_KEPT,
                                    LEAT_WORD_LINKED | LEAT_WORD_KEPT, LEAT_WORD_HOLD};
    for (uint32_t phase = LEAT_PHASE_SCHEDULED; phase <= LEAT_PHASE_CANCELLED; phase++) {
        for (uint32_t set = 0; set < 16; set++) {
            uint64_t holders = ((set & 1) != 0 ? LEAT_WORD_LINKED : 0) |
                               ((set & 2) != 0 ? LEAT_WORD_KEPT : 0) | (set / 4) * LEAT_WORD_HOLD;
            for (size_t i = 0; i < TEST_COUNT_OF(ways); i++) {
                let_go(phase, holders, ways[i]);
            }
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(change_follows_the_table),
        cmocka_unit_test(illegal_change_aborts),
        cmocka_unit_test(masks_are_apart),
        cmocka_unit_test(attempts_keep_to_their_bits),
        cmocka_unit_test(phases_are_states),
        cmocka_unit_test(change_sets_clears_refuses),
        cmocka_unit_test(mark_wants_running),
        cmocka_unit_test(mark_holds),
        cmocka_unit_test(pending_words),
        cmocka_unit_test(ends_alone_or_held),
        cmocka_unit_test(last_one_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
