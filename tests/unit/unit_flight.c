/* unit_flight.c - the flight recorder in one thread: empty, below, at and above its room, and where
 * its count comes near its end; and that its check sees what is wrong. Holds I1 and I2. */
#include <string.h>

#include "ring/flight.h"
#include "tests/support/check.h"

#define SLOTS_LOG2 3
#define SLOTS      UINT64_C(8)

struct box {
    struct leat_flight flight;
    struct leat_flight_slot slots[SLOTS];
};

static void
open(struct box *box, uint64_t start)
{
    memset(box, 0, sizeof(*box));
    CHECK_EQUAL(leat_flight_bytes(SLOTS_LOG2), sizeof(box->slots));
    leat_flight_init(&box->flight, SLOTS_LOG2, box->slots, start);
}

static void
write(struct box *box, uint64_t number)
{
    const struct leat_flight_record record = {{number, number + 1, number + 2, number + 3}};
    leat_flight_write(&box->flight, &record);
}

/* They are the last ones of `written`, numbered from 1 on. */
static void
check_last(struct box *box, uint64_t written)
{
    struct leat_flight_record records[SLOTS] = {0};
    const struct leat_flight_record *first = NULL;
    uint64_t count = leat_flight_copy(&box->flight, records, &first);
    CHECK_EQUAL(count, written < SLOTS - 1 ? written : SLOTS - 1);
    for (uint64_t i = 0; i < count; i++) {
        for (uint64_t word = 0; word < 4; word++) {
            CHECK_EQUAL(first[i].words[word], written - count + i + 1 + word);
        }
    }
    CHECK_EQUAL(records[SLOTS - 1].words[0], 0); /* no more is written */
    CHECK(leat_flight_check(&box->flight, NULL));
}

static void
the_last_ones_stay(void **state)
{
    (void)state;
    struct box box;
    open(&box, 0);
    check_last(&box, 0);
    for (uint64_t i = 1; i <= 3 * SLOTS; i++) {
        write(&box, i);
        check_last(&box, i);
    }
}

/* 2^64 records are 584 years; the last of them are right. */
static void
the_count_near_its_end(void **state)
{
    (void)state;
    struct box box;
    const uint64_t before = UINT64_MAX - 2 * SLOTS;
    open(&box, before);
    for (uint64_t i = 1; i <= 2 * SLOTS - 1; i++) {
        write(&box, i);
        if (i >= SLOTS - 1) {
            check_last(&box, i);
        }
    }
}

static void
the_check_sees(void **state)
{
    (void)state;
    struct box box;
    open(&box, 0);
    write(&box, 5);
    write(&box, 4);
    CHECK(!leat_flight_check(&box.flight, NULL));
    open(&box, 0);
    write(&box, 5);
    atom_store_rlx(&box.slots[1].words[0], 7);
    CHECK(!leat_flight_check(&box.flight, NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_ones_stay),
        cmocka_unit_test(the_count_near_its_end),
        cmocka_unit_test(the_check_sees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
