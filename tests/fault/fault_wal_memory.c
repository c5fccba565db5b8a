/* fault_wal_memory.c - the log where there is no memory: each allocation of a run of its user
 * (tests/support/wal.h) fails in turn, once and from there on for ever, and so does each of an
 * open, a reading and a salvage: a clean LEAT_NO_MEMORY, nothing is held and nothing leaks, and
 * with memory the same call finds all. Holds I1 to I6 of wal.h.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/memory.h"
#include "tests/support/wal.h"

#define SEED 7
#define ACTS 400

struct world {
    struct wal_user user;
    struct wal_user other;
    struct disk disk;
    struct disk image;
    struct test_memory memory;
    uint64_t records; /* that a reader was told */
};

static struct world *
world_make(void)
{
    struct world *world = calloc(1, sizeof(*world));
    CHECK(world != NULL);
    test_memory_init(&world->memory);
    return world;
}

/* ---- a run ----------------------------------------------------------------------------------- */

static void
run(struct world *world)
{
    struct wal_user *user = &world->user;
    disk_init(&world->disk);
    wal_user_init(user, &world->disk, SEED);
    user->config.memory = test_memory_table(&world->memory);
    for (uint32_t i = 0; i < ACTS; i++) {
        wal_user_act(user);
    }
    wal_user_close(user);
}

static void
run_judge(struct world *world, uint64_t nth, bool for_ever)
{
    const char *why = world->user.wrong;
    disk_copy(&world->image, &world->disk);
    wal_user_init(&world->other, &world->image, SEED + 1);
    if (why == NULL) {
        CHECK_OK(wal_user_open(&world->other));
        world->user.killed = true;
        why = wal_user_judge(&world->user, &world->other);
        wal_user_close(&world->other);
    }
    if (why != NULL) {
        test_say("allocation %llu, %s: %s\n", (unsigned long long)nth,
                 for_ever ? "for ever" : "once", why);
    }
    CHECK(why == NULL);
    disk_fini(&world->image);
}

static void
run_sweep(bool for_ever)
{
    struct world *world = world_make();
    uint64_t nth = 0;
    for (bool met = true; met; nth++) {
        test_memory_fail(&world->memory, nth, for_ever);
        uint64_t fail_at = atom_load_rlx(&world->memory.fail_at);
        run(world);
        met = test_memory_calls(&world->memory) >= fail_at;
        test_memory_heal(&world->memory);
        CHECK_EQUAL(test_memory_blocks(&world->memory), 0);
        run_judge(world, nth, for_ever);
        disk_fini(&world->disk);
    }
    test_say("%s: allocations %llu\n", for_ever ? "for ever" : "once", (unsigned long long)nth);
    CHECK(nth > 15);
    free(world);
}

static void
runs(void **state)
{
    (void)state;
    run_sweep(false);
    run_sweep(true);
}

/* ---- one call -------------------------------------------------------------------------------- */

static bool
record_count(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct world *world = context;
    (void)place;
    (void)record;
    world->records++;
    return true;
}

typedef enum leat_status (*reading)(const struct leat_wal_config *config,
                                    const struct leat_wal_reader *reader,
                                    struct leat_wal_report *report);

/* Opens, and closes again. */
static enum leat_status
open_and_close(const struct leat_wal_config *config, const struct leat_wal_reader *reader,
               struct leat_wal_report *report)
{
    static struct leat_wal wal;
    enum leat_status status = leat_wal_open(&wal, config, reader, report);
    if (status == LEAT_OK) {
        leat_wal_close(&wal);
    }
    return status;
}

/* Once with memory, and then without, until it has enough. Where others help, some of what they
 * need can be done without. */
static void
call_sweep_by(struct world *world, reading call, enum leat_status want, bool for_ever)
{
    const struct leat_wal_reader reader = {record_count, world};
    struct leat_wal_report report;
    struct leat_wal_config config = world->user.config;
    uint64_t records = 0;
    uint64_t nth = 0;
    config.memory = test_memory_table(&world->memory);
    config.files = &world->image.files;
    for (bool met = true; met; nth++) {
        world->records = 0;
        disk_copy(&world->image, &world->disk);
        if (nth != 0) {
            test_memory_fail(&world->memory, nth - 1, for_ever);
        }
        uint64_t fail_at = atom_load_rlx(&world->memory.fail_at);
        enum leat_status status = call(&config, &reader, &report);
        met = nth == 0 || test_memory_calls(&world->memory) >= fail_at;
        test_memory_heal(&world->memory);
        CHECK(!world->image.locked);
        CHECK_EQUAL(test_memory_blocks(&world->memory), 0);
        disk_fini(&world->image);
        if (nth == 0) {
            CHECK_STATUS(status, want);
            records = world->records;
        } else if (!met || (config.threads > 1 && status != LEAT_NO_MEMORY)) {
            CHECK_STATUS(status, want);
        } else {
            CHECK_STATUS(status, LEAT_NO_MEMORY);
        }
    }
    CHECK_EQUAL(world->records, records);
    CHECK(records > 0);
    CHECK(nth > 3);
}

static void
call_sweep(struct world *world, reading call, enum leat_status want, bool for_ever)
{
    world->user.config.threads = 1;
    call_sweep_by(world, call, want, for_ever);
    world->user.config.threads = 4;
    call_sweep_by(world, call, want, for_ever);
}

static void
calls(void **state)
{
    struct world *world = world_make();
    struct leat_wal_report report;
    struct test_prng prng = {SEED};
    (void)state;
    run(world);
    for (uint32_t i = 0; i < 2; i++) {
        call_sweep(world, open_and_close, LEAT_OK, i == 1);
        call_sweep(world, leat_wal_read, LEAT_OK, i == 1);
        call_sweep(world, leat_wal_salvage, LEAT_OK, i == 1);
    }
    const struct leat_wal_reader reader = {record_count, world};
    struct leat_wal_config config = world->user.config;
    config.memory = leat_memory_default();
    for (uint32_t i = 0; leat_wal_read(&config, &reader, &report) != LEAT_CORRUPT; i++) {
        CHECK(i < 100);
        disk_rot(&world->disk, &prng);
    }
    for (uint32_t i = 0; i < 2; i++) {
        call_sweep(world, open_and_close, LEAT_CORRUPT, i == 1);
        call_sweep(world, leat_wal_salvage, LEAT_CORRUPT, i == 1);
    }
    disk_fini(&world->disk);
    free(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs),
        cmocka_unit_test(calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
