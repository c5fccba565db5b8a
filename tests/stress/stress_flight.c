/* stress_flight.c - threads that copy a flight recorder while its one writer goes round in it, and
 * writers that take turns: what is copied are whole records without gaps, newer each time; and a
 * whole engine whose trace is written, and switched, while it works. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "ring/flight.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define READERS    3
#define SLOTS_LOG2 4
#define SLOTS      16

struct box {
    struct leat_flight flight;
    struct leat_flight_slot slots[SLOTS];
    uint64_t deadline_ns;
    leat_atomic_u64 copied;
    leat_atomic_u64 skipped; /* records that the writer was at */
};

static void
writer(struct box *box)
{
    uint64_t number = 0;
    while (test_now_ns() < box->deadline_ns) {
        for (uint32_t i = 0; i < 1000; i++) {
            number++;
            const struct leat_flight_record record = {
                {number, ~number, number * 3, number ^ 0x5555}};
            leat_flight_write(&box->flight, &record);
        }
        if (number % 64000 == 0) {
            leat_os_yield();
        }
    }
    CHECK(leat_flight_check(&box->flight, NULL));
}

static void
reader(struct box *box)
{
    struct leat_flight_record records[SLOTS] = {0};
    uint64_t last = 0;
    while (test_now_ns() < box->deadline_ns) {
        const struct leat_flight_record *first = NULL;
        uint64_t count = leat_flight_copy(&box->flight, records, &first);
        CHECK(count < SLOTS);
        for (uint64_t i = 0; i < count; i++) {
            uint64_t number = first[i].words[0];
            CHECK_EQUAL(number, first[0].words[0] + i);
            CHECK_EQUAL(first[i].words[1], ~number);
            CHECK_EQUAL(first[i].words[2], number * 3);
            CHECK_EQUAL(first[i].words[3], number ^ 0x5555);
        }
        uint64_t newest = count == 0 ? last : first[count - 1].words[0];
        CHECK(newest >= last);
        last = newest;
        (void)atom_add_rlx(&box->copied, count);
        (void)atom_add_rlx(&box->skipped, SLOTS - 1 - count);
    }
}

static void
box_thread(void *shared, uint32_t number)
{
    if (number == 0) {
        writer(shared);
    } else {
        reader(shared);
    }
}

static void
copies_are_whole(void **state)
{
    (void)state;
    struct box *box = aligned_alloc(LEAT_LINE_BYTES, sizeof(*box));
    CHECK(box != NULL);
    memset(box, 0, sizeof(*box));
    leat_flight_init(&box->flight, SLOTS_LOG2, box->slots, 0);
    box->deadline_ns = test_now_ns() + test_duration_ns() / 2;
    test_threads_run(1 + READERS, box_thread, box);
    test_say("%ju copied, %ju left out\n", (uintmax_t)atom_load_rlx(&box->copied),
             (uintmax_t)atom_load_rlx(&box->skipped));
    CHECK(atom_load_rlx(&box->copied) > 0);
    free(box);
}

/* ---- an engine ------------------------------------------------------------------------------- */

struct work {
    struct leat_engine *engine;
    leat_type type;
    uint64_t deadline_ns;
    uint64_t seed;
};

static struct leat_outcome
maybe(struct leat_run *run, void *context)
{
    (void)context;
    return leat_run_id(run).bits % 7 == 0 && leat_run_attempt(run) < 3 ? leat_retry() : leat_done();
}

static bool
count_bytes(const char *text, size_t bytes, void *context)
{
    uint64_t *all = context;
    CHECK(text[0] != '\0');
    *all += bytes;
    return true;
}

static void
work_thread(void *shared, uint32_t number)
{
    static const char *const modes[] = {"off", "sampling", "full"};
    struct work *work = shared;
    struct test_prng prng = {work->seed + number};
    uint64_t bytes = 0;
    while (test_now_ns() < work->deadline_ns) {
        struct leat_job job = leat_job_default();
        job.type = work->type;
        if (number > 1) {
            enum leat_status status = leat_submit(work->engine, &job, NULL);
            CHECK(status == LEAT_OK || status == LEAT_FULL);
        } else if (number == 1) {
            CHECK_OK(
                leat_knob_change(work->engine, "trace", modes[test_random_below(&prng, 3)], NULL));
            test_sleep_ns(1000000);
        } else {
            CHECK_OK(leat_trace_write(work->engine, count_bytes, &bytes));
        }
    }
}

static void
an_engine_is_written_while_it_works(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.workers = 2;
    config.jobs_max = 1024;
    config.trace_records = 128;
    struct work work = {.engine = test_start(&config), .seed = test_seed("stress_flight")};
    work.type = test_register(work.engine, "t", maybe, NULL);
    work.deadline_ns = test_now_ns() + test_duration_ns() / 2;
    test_threads_run(4, work_thread, &work);
    test_finish(work.engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_are_whole),
        cmocka_unit_test(an_engine_is_written_while_it_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
