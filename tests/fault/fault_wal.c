/* fault_wal.c - one run of a user of the log on a simulated disk, again and again, in which each
 * operation fails in turn, in each way, once and from there on for ever; then the process is
 * killed, or the machine stops. Nothing acknowledged is lost, nothing comes back, and a log that
 * was not damaged by anybody is never called damaged.
 *
 * The run without a fault is so long that it cleans, switches segments and opens again. Holds I1 to
 * I6 of wal.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/wal.h"

#define SEED    7
#define ACTS    190
#define CRASHES 2 /* images of a machine that stops, of each run */

struct sweep {
    struct wal_user user;
    struct wal_user other;
    struct disk disk;
    struct disk image;
    bool late; /* of leat_wal_config */
    enum leat_log_sync sync;
    uint64_t runs;
    uint64_t images;
};

/* That read the log: in one of the sweeps, as it takes its time. */
static uint32_t
threads_of(const struct sweep *sweep)
{
    return sweep->sync == LEAT_LOG_SYNC_IO_URING && !sweep->disk.fault.for_ever ? 4 : 1;
}

static void
run(struct sweep *sweep, struct disk_fault fault)
{
    struct wal_user *user = &sweep->user;
    disk_init(&sweep->disk);
    sweep->disk.fault = fault;
    wal_user_init(user, &sweep->disk, SEED);
    user->config.late = sweep->late;
    user->config.sync = sweep->sync;
    user->config.threads = threads_of(sweep);
    for (uint32_t i = 0; i < ACTS; i++) {
        wal_user_act(user);
    }
    wal_user_close(user);
    sweep->runs++;
}

/* What is wrong with what the run has left, or NULL. */
static const char *
image_judge(struct sweep *sweep)
{
    struct wal_user *other = &sweep->other;
    wal_user_init(other, &sweep->image, SEED + 1);
    other->config.threads = threads_of(sweep);
    enum leat_status status = wal_user_open(other);
    wal_user_close(other);
    sweep->images++;
    if (status != LEAT_OK) {
        return other->report.text[0] == 0 ? leat_status_text(status) : other->report.text;
    }
    return wal_user_judge(&sweep->user, other);
}

static const char *
run_judge(struct sweep *sweep)
{
    struct test_prng prng = {sweep->runs};
    const char *why = sweep->user.wrong;
    for (uint32_t i = 0; i <= CRASHES && why == NULL; i++) {
        if (i == 0) {
            disk_copy(&sweep->image, &sweep->disk);
        } else {
            disk_crash(&sweep->image, &sweep->disk, &prng);
        }
        sweep->user.killed = i == 0;
        why = image_judge(sweep);
        disk_fini(&sweep->image);
    }
    return why;
}

static void
sweep_one(int result, bool for_ever, bool late, enum leat_log_sync sync)
{
    struct sweep *sweep = calloc(1, sizeof(*sweep));
    struct disk_fault fault = {.kinds = result < 0 ? DISK_ANY : DISK_WRITE | DISK_THROUGH,
                               .result = result,
                               .for_ever = for_ever};
    bool reached = true;
    CHECK(sweep != NULL);
    sweep->late = late;
    sweep->sync = sync;
    for (fault.at = 0; reached; fault.at++) {
        run(sweep, fault);
        const char *why = run_judge(sweep);
        if (why != NULL) {
            test_say("result %d, %s, from operation %llu on: %s\n", result,
                     for_ever ? "for ever" : "once", (unsigned long long)fault.at, why);
        }
        CHECK(why == NULL);
        reached = sweep->disk.counted > fault.at;
        disk_fini(&sweep->disk);
    }
    test_say("result %d, %s: runs %llu, images %llu\n", result, for_ever ? "for ever" : "once",
             (unsigned long long)sweep->runs, (unsigned long long)sweep->images);
    free(sweep);
}

static void
sweep_all(int result, bool for_ever)
{
    sweep_one(result, for_ever, false, LEAT_LOG_SYNC_FDATASYNC);
    sweep_one(result, for_ever, true, LEAT_LOG_SYNC_FDATASYNC);
    sweep_one(result, for_ever, false, LEAT_LOG_SYNC_DSYNC);
    sweep_one(result, for_ever, true, LEAT_LOG_SYNC_IO_URING);
}

/* Of each kind of operation there is enough in the run. */
static void
test_run(void **state)
{
    static const struct {
        uint32_t kind;
        uint32_t least;
    } kinds[] = {{DISK_CREATE, 6}, {DISK_OPEN, 4},       {DISK_ALLOCATE, 6}, {DISK_WRITE, 40},
                 {DISK_READ, 4},   {DISK_SYNC, 35},      {DISK_RENAME, 4},   {DISK_REMOVE, 2},
                 {DISK_LIST, 2},   {DISK_NAMES_SYNC, 5}, {DISK_THROUGH, 25}, {DISK_RING, 2}};
    struct sweep *sweep = calloc(1, sizeof(*sweep));
    (void)state;
    CHECK(sweep != NULL);
    for (uint32_t i = 0; i < TEST_COUNT_OF(kinds); i++) {
        sweep->sync = kinds[i].kind == DISK_THROUGH ? LEAT_LOG_SYNC_DSYNC
                      : kinds[i].kind == DISK_RING  ? LEAT_LOG_SYNC_IO_URING
                                                    : LEAT_LOG_SYNC_FDATASYNC;
        run(sweep, (struct disk_fault){.kinds = kinds[i].kind, .at = UINT64_MAX});
        CHECK(run_judge(sweep) == NULL);
        test_say("kind %u: %llu\n", kinds[i].kind, (unsigned long long)sweep->disk.counted);
        CHECK(sweep->disk.counted >= kinds[i].least);
        disk_fini(&sweep->disk);
    }
    free(sweep);
}

static void
test_errors(void **state)
{
    (void)state;
    sweep_all(-EIO, false);
    sweep_all(-EIO, true);
    sweep_all(-ENOSPC, false);
    sweep_all(-ENOSPC, true);
}

static void
test_short_writes(void **state)
{
    (void)state;
    sweep_all(DISK_SHORT, false);
    sweep_all(DISK_HALF, false);
    sweep_all(DISK_HALF, true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_short_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
