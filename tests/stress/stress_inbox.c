/* stress_inbox.c - the inbox, the FIFO behind it and the parker of who takes, under real threads:
 * no record is lost or doubled, those of one pusher come in their order, and a taker that went to
 * sleep is woken by the push that found the inbox empty.
 *
 * Records are plain memory that nothing but the inbox orders on the way to the taker, so
 * ThreadSanitizer sees a missing edge inbox:A -> inbox:B as a race. A pusher has few records and
 * uses each again as soon as it is free: also while the sweep that has just dropped it goes on. A
 * lost wake-up stands still until patience runs out. Holds I1 of inbox, FIFO and parker. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ring/fifo.h"
#include "ring/inbox.h"
#include "ring/parker.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define PUSHERS     4
#define TAKERS      2
#define SHARE       512 /* records of each pusher */
#define RECORDS     (PUSHERS * SHARE)
#define PATIENCE_NS UINT64_C(20000000000)

/* Tests share the time. */
#define PARTS 3

enum state { FREE, LISTED, ZOMBIE };

struct record {
    uint64_t sequence; /* plain: which push of its pusher this is, from 1 */
    leat_atomic_u32 link;
    leat_atomic_u32 state;
};

struct fixture {
    struct leat_inbox inbox;
    struct leat_fifo fifo; /* of who has the role, like the following */
    uint64_t last[PUSHERS];
    uint64_t taken;
    uint64_t dropped;
    uint64_t found; /* takes that found something */
    struct leat_parker parker;
    LEAT_ALIGNED_LINE leat_atomic_u32 role;
    leat_atomic_u32 sleeps;
    leat_atomic_u32 pushing; /* pushers that have not ended */
    leat_atomic_u64 anchor;
    leat_atomic_u64 pushes;
    leat_atomic_u64 empties; /* pushes that found the inbox empty */
    leat_atomic_u64 naps;
    bool can_sleep;
    uint32_t zombies; /* one in so many becomes one; 0: none */
    uint64_t deadline_ns;
    uint64_t seed;
    struct record records[RECORDS];
};

static leat_atomic_u32 *
link_of(void *context, uint32_t index)
{
    struct fixture *fixture = context;
    CHECK(index < RECORDS);
    return &fixture->records[index].link;
}

static struct leat_fifo_links
links_of(struct fixture *fixture)
{
    return (struct leat_fifo_links){link_of, fixture};
}

/* ---- pushers --------------------------------------------------------------------------------- */

/* As a producer wakes a worker: see sched/park.h. */
static void
wake(struct fixture *fixture)
{
    atom_fence_sc(&fixture->anchor);
    if (atom_load_acq(&fixture->sleeps) != 0 && !leat_parker_notified(&fixture->parker)) {
        (void)leat_parker_notify(&fixture->parker);
    }
}

static void
push_one(struct fixture *fixture, struct test_prng *prng, uint32_t index, uint64_t sequence)
{
    struct record *record = &fixture->records[index];
    record->sequence = sequence;
    atom_store_rlx(&record->state, LISTED);
    if (leat_inbox_push(&fixture->inbox, &record->link, index)) {
        (void)atom_add_rlx(&fixture->empties, 1);
        if (fixture->can_sleep) {
            wake(fixture);
        }
    }
    if (fixture->zombies != 0 && test_random_below(prng, fixture->zombies) == 0) {
        uint32_t listed = LISTED;
        (void)atom_cas_rlx(&record->state, &listed, ZOMBIE);
    }
}

static void
push_all(struct fixture *fixture, uint32_t pusher)
{
    struct test_prng prng = {fixture->seed + pusher};
    uint64_t sequence = 0;
    uint64_t waited_ns = 0;
    while (test_now_ns() < fixture->deadline_ns) {
        uint32_t index = pusher * SHARE + test_random_below(&prng, SHARE);
        if (atom_load_acq(&fixture->records[index].state) == FREE) {
            sequence++;
            push_one(fixture, &prng, index, sequence);
            waited_ns = 0;
        } else if (waited_ns == 0) {
            waited_ns = test_now_ns();
            leat_os_yield();
        } else if (test_now_ns() - waited_ns > PATIENCE_NS) {
            test_say("pusher %u: its records do not come back\n", pusher);
            test_fail(TEST_HERE);
        }
        if (fixture->can_sleep && test_random_below(&prng, 8) == 0) {
            test_sleep_ns(test_random_below(&prng, 50000));
        }
    }
    (void)atom_add_rlx(&fixture->pushes, sequence);
    (void)atom_sub_acq_rel(&fixture->pushing, 1);
    wake(fixture);
}

/* ---- takers ---------------------------------------------------------------------------------- */

/* A record has left the list: checks its order, and gives it back to its pusher. */
static void
receive(struct fixture *fixture, uint32_t index)
{
    struct record *record = &fixture->records[index];
    CHECK(record->sequence > fixture->last[index / SHARE]);
    CHECK(fixture->zombies != 0 || record->sequence == fixture->last[index / SHARE] + 1);
    fixture->last[index / SHARE] = record->sequence;
    fixture->taken++;
    /* Its pusher may write to it from now on. */
    atom_store_rel(&record->state, FREE);
}

static bool
drops(void *context, uint32_t index)
{
    struct fixture *fixture = context;
    struct record *record = &fixture->records[index];
    uint32_t state = atom_load_rlx(&record->state);
    CHECK(state != FREE);
    if (state != ZOMBIE) {
        return false;
    }
    CHECK(record->sequence > fixture->last[index / SHARE]);
    fixture->dropped++;
    atom_store_rel(&record->state, FREE);
    return true;
}

/* Takes over what came, and some of it out again. */
static void
take_some(struct fixture *fixture, struct test_prng *prng)
{
    struct leat_fifo_links links = links_of(fixture);
    uint32_t chain = leat_inbox_take(&fixture->inbox);
    fixture->found += leat_fifo_take_over(&fixture->fifo, links, chain) != 0 ? 1 : 0;
    if (fixture->zombies != 0) {
        (void)leat_fifo_sweep(&fixture->fifo, links, drops);
    }
    uint32_t count = test_random_below(prng, RECORDS);
    uint32_t index = 0;
    for (uint32_t i = 0; i < count && leat_fifo_pop_front(&fixture->fifo, links, &index); i++) {
        /* As one whose turn has not come. */
        if (test_random_below(prng, 4) == 0) {
            leat_fifo_push_front(&fixture->fifo, links, index);
        } else {
            receive(fixture, index);
        }
    }
}

static void
sleep_until_ready(struct fixture *fixture)
{
    leat_parker_prepare(&fixture->parker);
    (void)atom_add_acq_rel(&fixture->sleeps, 1);
    atom_fence_sc(&fixture->anchor);
    if (!leat_inbox_ready(&fixture->inbox) && atom_load_rlx(&fixture->pushing) != 0) {
        (void)atom_add_rlx(&fixture->naps, 1);
        if (!leat_parker_wait(&fixture->parker, leat_os_deadline_ns(PATIENCE_NS))) {
            test_say("the taker is not woken: ready %d, word %u\n",
                     leat_inbox_ready(&fixture->inbox), atom_load_rlx(&fixture->parker.word));
            test_fail(TEST_HERE);
        }
    }
    (void)atom_sub_acq_rel(&fixture->sleeps, 1);
}

static void
take_all(struct fixture *fixture, uint32_t number)
{
    struct test_prng prng = {fixture->seed - 1 - number};
    while (atom_load_acq(&fixture->pushing) != 0) {
        uint32_t nobody = 0;
        bool empty = false;
        if (atom_cas_acq_rel(&fixture->role, &nobody, 1)) {
            take_some(fixture, &prng);
            empty = fixture->fifo.count == 0;
            atom_store_rel(&fixture->role, 0);
        }
        if (empty && fixture->can_sleep) {
            sleep_until_ready(fixture);
        } else if (empty) {
            leat_os_yield();
        }
    }
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void
run(void *shared, uint32_t number)
{
    if (number < PUSHERS) {
        push_all(shared, number);
    } else {
        take_all(shared, number - PUSHERS);
    }
}

/* What is left, when nobody else is there. */
static void
finish(struct fixture *fixture)
{
    struct test_prng prng = {fixture->seed};
    struct leat_fifo_links links = links_of(fixture);
    CHECK(leat_inbox_check(&fixture->inbox, link_of, fixture, RECORDS, stderr));
    do {
        CHECK(leat_fifo_check(&fixture->fifo, links, stderr));
        take_some(fixture, &prng);
    } while (fixture->fifo.count != 0);
    CHECK(leat_fifo_check(&fixture->fifo, links, stderr));
    CHECK(leat_parker_check(&fixture->parker, stderr));
    CHECK_EQUAL(fixture->taken + fixture->dropped, atom_load_rlx(&fixture->pushes));
    CHECK_EQUAL(fixture->found, atom_load_rlx(&fixture->empties));
    for (uint32_t i = 0; i < RECORDS; i++) {
        CHECK_EQUAL(atom_load_rlx(&fixture->records[i].state), FREE);
    }
}

static void
traffic(uint32_t takers, bool can_sleep, uint32_t zombies)
{
    struct fixture *fixture = aligned_alloc(LEAT_LINE_BYTES, sizeof(*fixture));
    CHECK(fixture != NULL);
    *fixture = (struct fixture){.can_sleep = can_sleep, .zombies = zombies};
    leat_inbox_init(&fixture->inbox);
    leat_fifo_init(&fixture->fifo);
    leat_parker_prepare(&fixture->parker);
    atom_init(&fixture->pushing, PUSHERS);
    fixture->seed = test_seed("stress_inbox");
    fixture->deadline_ns = test_now_ns() + test_duration_ns() / PARTS;
    test_threads_run(PUSHERS + takers, run, fixture);
    finish(fixture);
    test_say("%" PRIu64 " taken, %" PRIu64 " dropped, %" PRIu64 " chains, %" PRIu64 " naps\n",
             fixture->taken, fixture->dropped, fixture->found, atom_load_rlx(&fixture->naps));
    CHECK(fixture->taken != 0);
    CHECK((fixture->dropped != 0) == (zombies != 0));
    CHECK((atom_load_rlx(&fixture->naps) != 0) == can_sleep);
    free(fixture);
}

static void
order_is_kept(void **state)
{
    (void)state;
    traffic(TAKERS, false, 0);
}

static void
zombies_leave(void **state)
{
    (void)state;
    traffic(TAKERS, false, 3);
}

static void
a_taker_sleeps(void **state)
{
    (void)state;
    traffic(1, true, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_kept),
        cmocka_unit_test(zombies_leave),
        cmocka_unit_test(a_taker_sleeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
