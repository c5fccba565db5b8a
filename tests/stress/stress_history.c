/* stress_history.c - every FIFO ring of the family answers as a bounded queue, by the histories of
 * its threads (tests/support/history.h).
 *
 * small       2 to 4 threads do a few random operations on a ring of 2 or 4 slots, side by side;
 *             then one drains it. Each history must be linearizable (tests/support/linear.h), full
 *             and empty included; thousands a second.
 * large       Thousands of operations by each of up to 4 threads per CPU: no item lost or doubled,
 *             order by time and by thread, and the answers that no order could explain.
 * preempted   Both again, with threads that are stopped anywhere for up to 5 ms.
 * faulty      Rings that are wrong on purpose are noticed, and so is the turn ring if it is held to
 *             the exact rule; or all this shows nothing.
 *
 * The turn ring says full and empty also while an operation of the other kind is half done; this is
 * BLOCKING in its head, and its histories are not linearizable. It is held to the weaker rule that
 * its answer is right or such an operation was under way; all that succeeds is held to the exact
 * rule. The packed and the ticket ring are exact in all. Positions start anywhere, wraps included. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ring/os.h"
#include "tests/support/check.h"
#include "tests/support/linear.h"
#include "tests/support/preempt.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

/* Each test has the same share of the time. */
#define TESTS 7

struct shape {
    const struct test_ring_kind *kind;
    uint32_t threads;
    uint32_t slots_log2;
    bool preempted;
};

static struct history_rule
rule_of(struct shape shape)
{
    return (struct history_rule){UINT32_C(1) << shape.slots_log2, shape.kind->busy_answers};
}

static uint64_t
run(struct shape shape, test_body body, void *shared, struct test_prng *prng)
{
    if (shape.preempted) {
        return preempt_run(shape.threads, body, shared, test_random(prng));
    }
    test_threads_run(shape.threads, body, shared);
    return 0;
}

/* ---- small ----------------------------------------------------------------------------------- */

/* So many histories are made in a row, and then looked at. */
#define SMALL_BATCH 16
/* What the threads do, and the drain with its empty answer at the end, fits into LINEAR_OPS_MAX. */
#define SMALL_OPS_ALL 18
#define SMALL_THREADS 4
/* As often a thread looks again for the others, before it lets them have the CPU. */
#define SMALL_SPINS 200

LEAT_STATIC(SMALL_OPS_ALL + 4 + 1 <= LINEAR_OPS_MAX, "a ring of 4 slots can be drained");

struct small {
    struct shape shape;
    struct linear_memory *memory;
    struct test_ring rings[SMALL_BATCH];
    struct history histories[SMALL_BATCH];
    struct test_prng prngs[SMALL_THREADS];
    uint64_t deadline_ns;
    bool ending;       /* by the first thread, between two meetings */
    bool right;        /* the same; stays false */
    uint64_t checked;  /* by the first thread */
    uint64_t overlaps; /* histories in which operations of two threads overlapped */
    LEAT_ALIGNED_LINE leat_atomic_u64 arrivals;
};

/* Returns when all threads have come here equally often. */
static void
meet(struct small *small)
{
    uint64_t arrived = atom_add_acq_rel(&small->arrivals, 1);
    uint64_t all = (arrived / small->shape.threads + 1) * small->shape.threads;
    uint32_t spins = 0;
    while (atom_load_acq(&small->arrivals) < all) {
        spins++;
        if (spins % SMALL_SPINS == 0) {
            leat_os_yield();
        } else {
            leat_pause();
        }
    }
}

static void
wait_a_little(struct test_prng *prng)
{
    uint32_t pauses = test_random_below(prng, 4) == 0 ? test_random_below(prng, 30) : 0;
    for (uint32_t i = 0; i < pauses; i++) {
        leat_pause();
    }
}

/* One thread's part of one history. */
static void
small_part(struct small *small, uint32_t thread, uint32_t which)
{
    struct test_prng *prng = &small->prngs[thread];
    struct history *history = &small->histories[which];
    uint32_t ops = 1 + test_random_below(prng, SMALL_OPS_ALL / small->shape.threads);
    uint32_t pushes_of_4 = 1 + test_random_below(prng, 3);
    for (uint32_t i = 0; i < ops; i++) {
        wait_a_little(prng);
        if (test_random_below(prng, 4) < pushes_of_4) {
            (void)history_push(history, thread, small->rings[which], thread << 8 | (i + 1));
        } else {
            (void)history_pop(history, thread, small->rings[which]);
        }
    }
}

static bool
overlapped(const struct history_op *ops, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (ops[i].begin < ops[i - 1].end) {
            return true;
        }
    }
    return false;
}

static void
small_check(struct small *small, uint32_t which)
{
    struct history *history = &small->histories[which];
    while (history_pop(history, 0, small->rings[which])) {
    }
    uint32_t count = 0;
    struct history_op *ops = history_merge(history, &count);
    /* One example is enough. */
    if (small->right && !linear_check(small->memory, ops, count, rule_of(small->shape))) {
        test_say("%s, %u slots: no order explains\n", small->shape.kind->name,
                 1U << small->shape.slots_log2);
        history_print(ops, count, stderr);
        small->right = false;
    }
    small->overlaps += overlapped(ops, count) ? 1 : 0;
    small->checked++;
    free(ops);
    test_ring_destroy(small->rings[which]);
    history_clear(history);
}

static void
small_begin(struct small *small)
{
    for (uint32_t i = 0; i < SMALL_BATCH; i++) {
        small->rings[i] =
            test_ring_create(small->shape.kind, small->shape.slots_log2, &small->prngs[0]);
    }
}

/* Threads that wait for each other by yielding tend to stay on one CPU, where nothing overlaps. */
static void
pin(uint32_t thread)
{
    uint16_t cpus[SMALL_THREADS] = {0};
    uint32_t count = leat_os_cpus_allowed(cpus, SMALL_THREADS);
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpus[thread % count], &set);
    CHECK(pthread_setaffinity_np(pthread_self(), sizeof(set), &set) == 0);
}

static void
small_thread(void *shared, uint32_t thread)
{
    struct small *small = shared;
    pin(thread);
    do {
        if (thread == 0) {
            small_begin(small);
        }
        for (uint32_t i = 0; i < SMALL_BATCH; i++) {
            meet(small);
            small_part(small, thread, i);
        }
        meet(small);
        for (uint32_t i = 0; thread == 0 && i < SMALL_BATCH; i++) {
            small_check(small, i);
        }
        if (thread == 0) {
            small->ending = !small->right || test_now_ns() > small->deadline_ns;
        }
        meet(small);
    } while (!small->ending);
}

static bool
small_run(struct shape shape, struct test_prng *prng, uint64_t duration_ns)
{
    struct small *small = aligned_alloc(LEAT_LINE_BYTES, sizeof(*small));
    CHECK(small != NULL);
    memset(small, 0, sizeof(*small));
    small->shape = shape;
    small->right = true;
    small->memory = linear_memory_create();
    for (uint32_t i = 0; i < SMALL_BATCH; i++) {
        history_init(&small->histories[i], shape.threads, LINEAR_OPS_MAX, true);
    }
    for (uint32_t i = 0; i < shape.threads; i++) {
        small->prngs[i].state = test_random(prng);
    }
    atom_init(&small->arrivals, 0);
    small->deadline_ns = test_now_ns() + duration_ns;
    uint64_t stops = run(shape, small_thread, small, prng);
    test_say("%s, %u threads, %u slots: %ju histories, %ju with overlaps, stopped %ju times\n",
             shape.kind->name, shape.threads, 1U << shape.slots_log2, (uintmax_t)small->checked,
             (uintmax_t)small->overlaps, (uintmax_t)stops);
    bool right = small->right;
    for (uint32_t i = 0; i < SMALL_BATCH; i++) {
        history_fini(&small->histories[i]);
    }
    linear_memory_destroy(small->memory);
    free(small);
    return right;
}

/* 2 to 4 threads, 2 and 4 slots. */
#define SMALL_SHAPES 6

static struct shape
small_shape(const struct test_ring_kind *kind, uint32_t number, bool preempted)
{
    return (struct shape){kind, 2 + number / 2, 1 + number % 2, preempted};
}

static void
small_all(bool preempted)
{
    struct test_prng prng = {test_seed("stress_history")};
    uint64_t duration_ns = test_duration_ns() / TESTS / test_rings_count / SMALL_SHAPES;
    for (size_t i = 0; i < test_rings_count; i++) {
        for (uint32_t j = 0; j < SMALL_SHAPES; j++) {
            CHECK(small_run(small_shape(&test_rings[i], j, preempted), &prng, duration_ns));
        }
    }
}

static void
small_histories(void **state)
{
    (void)state;
    small_all(false);
}

static void
small_histories_preempted(void **state)
{
    (void)state;
    small_all(true);
}

/* ---- large ----------------------------------------------------------------------------------- */

#define LARGE_OPS     4000 /* of each thread */
#define LARGE_THREADS 128

struct large {
    struct shape shape;
    struct test_ring ring;
    struct history history; /* one log more than threads: that of the drain */
    uint32_t pushes_of_4[LARGE_THREADS];
    uint64_t seed;
};

static void
large_thread(void *shared, uint32_t thread)
{
    struct large *large = shared;
    struct test_prng prng = {large->seed + thread};
    uint32_t item = thread * LARGE_OPS;
    while (!history_log_full(&large->history, thread)) {
        bool done = false;
        if (test_random_below(&prng, 4) < large->pushes_of_4[thread]) {
            done = history_push(&large->history, thread, large->ring, item);
            item += done ? 1 : 0;
        } else {
            done = history_pop(&large->history, thread, large->ring);
        }
        /* A full log of refusals would show little. */
        if (!done) {
            leat_os_yield();
        }
    }
}

static bool
large_round(struct shape shape, struct test_prng *prng)
{
    struct large *large = aligned_alloc(LEAT_LINE_BYTES, sizeof(*large));
    CHECK(large != NULL);
    CHECK(shape.threads <= LARGE_THREADS);
    memset(large, 0, sizeof(*large));
    large->shape = shape;
    large->seed = test_random(prng);
    large->ring = test_ring_create(shape.kind, shape.slots_log2, prng);
    history_init(&large->history, shape.threads + 1, LARGE_OPS, test_random_below(prng, 2) == 0);
    /* Producers and consumers, or threads that do both. */
    bool sides = test_random_below(prng, 2) == 0;
    for (uint32_t i = 0; i < shape.threads; i++) {
        uint32_t side = i % 2 == 0 ? 4 : 0;
        large->pushes_of_4[i] = sides ? side : 1 + test_random_below(prng, 3);
    }
    (void)run(shape, large_thread, large, prng);
    while (history_pop(&large->history, shape.threads, large->ring)) {
    }
    bool right = history_check(&large->history, rule_of(shape), stderr);
    test_ring_destroy(large->ring);
    history_fini(&large->history);
    free(large);
    return right;
}

/* At least one round, and more as long as there is time. */
static bool
large_run(struct shape shape, struct test_prng *prng, uint64_t duration_ns)
{
    uint64_t deadline_ns = test_now_ns() + duration_ns;
    bool right = true;
    uint32_t rounds = 0;
    do {
        shape.slots_log2 = 1 + test_random_below(prng, 8);
        right = large_round(shape, prng);
        rounds++;
    } while (right && test_now_ns() < deadline_ns);
    test_say("%s, %u threads: %u large histories\n", shape.kind->name, shape.threads, rounds);
    return right;
}

/* 4 threads per CPU. */
static uint32_t
oversubscribed(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t threads = cpus < 1 ? 4 : (uint32_t)cpus * 4;
    return threads > LARGE_THREADS ? LARGE_THREADS : threads;
}

static void
large_all(uint32_t threads, bool preempted)
{
    struct test_prng prng = {test_seed("stress_history")};
    uint64_t duration_ns = test_duration_ns() / TESTS / test_rings_count;
    for (size_t i = 0; i < test_rings_count; i++) {
        struct shape shape = {&test_rings[i], threads, 0, preempted};
        CHECK(large_run(shape, &prng, duration_ns));
    }
}

static void
large_histories(void **state)
{
    (void)state;
    large_all(4, false);
}

static void
large_histories_preempted(void **state)
{
    (void)state;
    large_all(4, true);
}

static void
large_histories_oversubscribed(void **state)
{
    (void)state;
    large_all(oversubscribed(), false);
}

static void
large_histories_oversubscribed_preempted(void **state)
{
    (void)state;
    large_all(oversubscribed(), true);
}

/* ---- faulty ---------------------------------------------------------------------------------- */

static void
faulty_rings_are_noticed(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("stress_history")};
    for (size_t i = 0; i < test_rings_faulty_count; i++) {
        const struct test_ring_kind *kind = &test_rings_faulty[i];
        test_say("%s: what is wrong now is meant to be\n", kind->name);
        CHECK(!small_run(small_shape(kind, 1, false), &prng, TEST_PATIENCE_NS));
        CHECK(!large_run((struct shape){kind, 4, 0, false}, &prng, TEST_PATIENCE_NS));
    }
}

/* What the weaker rule is for does happen, and is noticed by the exact one. */
static void
half_done_operations_are_noticed(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("stress_history")};
    struct test_ring_kind kind = *test_ring_find("turn");
    CHECK(kind.busy_answers);
    kind.busy_answers = false;
    test_say("%s, held to the exact rule: what is wrong now is meant to be\n", kind.name);
    CHECK(!large_run((struct shape){&kind, 4, 0, true}, &prng, TEST_PATIENCE_NS));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_histories),
        cmocka_unit_test(small_histories_preempted),
        cmocka_unit_test(large_histories),
        cmocka_unit_test(large_histories_preempted),
        cmocka_unit_test(large_histories_oversubscribed),
        cmocka_unit_test(large_histories_oversubscribed_preempted),
        cmocka_unit_test(faulty_rings_are_noticed),
        cmocka_unit_test(half_done_operations_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
