/* fault_wal_crash.c - the log on a disk that crashes: a user of the log (tests/support/wal.h) does
 * random things on a simulated disk (disk.h), which stops at any of its operations; what a crash
 * may leave is drawn many times, and each image is read again. Then the same with errors, with
 * syncs that lie, with bytes that rot, and with bugs built into the user and the disk, each of
 * which must be noticed.
 *
 *   fault_wal_crash                          some thousand images
 *   fault_wal_crash --states N [--seed S]    so many, on a disk that only crashes, or until one is
 *                                            wrong; prints how many of them were: tests/campaign
 *                                            crash. fault_wal_states enumerates small cases.
 *
 * Holds I1 to I5 of wal.h; of a disk that lies or rots that no other bytes are accepted, nothing is
 * missing in between, and what rots is refused as damage or stood in the last batch, which the log
 * does not say to be durable.
 */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/campaign.h"
#include "tests/support/check.h"
#include "tests/support/threads.h"
#include "tests/support/wal.h"

#define ACTS_MAX  400
#define DRAWS     6 /* images of one crash */
#define CHAIN_MAX 4 /* crashes behind each other */

struct hunt {
    uint64_t seed;
    struct wal_count count; /* of images */
    struct wal_bugs bugs;
    struct disk_fault fault;
    bool skips_syncs;
    bool skips_names;
    uint32_t lies;     /* of 100 syncs */
    bool rots;         /* one sector of each image */
    uint64_t refused;  /* images, as damaged: right only where the disk lies or rots */
    const char *why;   /* the first that was wrong */
    uint64_t why_seed; /* of its chain: --seed begins with that */
};

/* Reads an image of a crash, and says what was wrong with it, or NULL. */
static const char *
image_judge(struct hunt *hunt, struct wal_user *user, struct disk *image, struct wal_user *other)
{
    wal_user_init(other, image, 1 + user->config.seed);
    enum leat_status status = wal_user_open(other);
    if (status == LEAT_CORRUPT && (hunt->lies != 0 || hunt->rots)) {
        hunt->refused++;
        return NULL;
    }
    if (status != LEAT_OK) {
        return other->report.text[0] == 0 ? leat_status_text(status) : other->report.text;
    }
    return hunt->rots ? wal_user_judge_rotten(user, other) : wal_user_judge(user, other);
}

static void
note(struct hunt *hunt, const char *why)
{
    static char text[200];
    wal_count_add(&hunt->count, why);
    if (why != NULL && hunt->why == NULL) {
        (void)snprintf(text, sizeof(text), "%s", why);
        hunt->why = text;
        hunt->why_seed = hunt->seed - 1;
    }
}

static void
disk_set(struct disk *disk, const struct hunt *hunt)
{
    disk->fault = hunt->fault;
    disk->skips_syncs = hunt->skips_syncs;
    disk->skips_names = hunt->skips_names;
    disk->lies = hunt->lies;
    disk->liar.state = hunt->seed;
}

/* Acts until the disk stops, crashes, reads what is left; and so on with one of the images. */
static void
chain(struct hunt *hunt)
{
    struct test_prng prng = {hunt->seed++};
    struct wal_user *user = calloc(1, sizeof(*user));
    struct wal_user *other = calloc(1, sizeof(*other));
    struct disk *disk = calloc(1, sizeof(*disk));
    struct disk *image = calloc(1, sizeof(*image));
    CHECK(user != NULL && other != NULL && disk != NULL && image != NULL);
    disk_init(disk);
    disk_set(disk, hunt);
    wal_user_init(user, disk, test_random(&prng));
    user->bugs = hunt->bugs;
    user->lied = hunt->lies != 0;
    bool goes_on = true;
    for (uint32_t round = 0; round < CHAIN_MAX && hunt->why == NULL && goes_on; round++) {
        disk->stops_at = disk->operations + test_random_below(&prng, 600);
        (void)wal_user_open(user);
        for (uint32_t i = 0; i < ACTS_MAX && disk->operations <= disk->stops_at; i++) {
            wal_user_act(user);
        }
        wal_user_close(user);
        note(hunt, user->wrong);
        for (uint32_t i = 0; i < DRAWS; i++) {
            disk_crash(image, disk, &prng);
            if (hunt->rots) {
                disk_rot(image, &prng);
            }
            note(hunt, image_judge(hunt, user, image, other));
            goes_on = !hunt->rots && other->is_open;
            wal_user_close(other);
            if (i + 1 < DRAWS) {
                disk_fini(image);
            }
        }
        wal_user_go_on(user, other);
        disk_fini(disk);
        disk_crash(disk, image, &prng); /* everything that other has opened is synced */
        disk_fini(image);
        disk_set(disk, hunt);
    }
    disk_fini(disk);
    free(disk);
    free(image);
    free(user);
    free(other);
}

static struct hunt
hunt_run(struct hunt hunt, uint64_t images)
{
    while (hunt.count.states < images && hunt.why == NULL) {
        chain(&hunt);
    }
    return hunt;
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void
test_crashes(void **state)
{
    (void)state;
    struct hunt hunt = hunt_run((struct hunt){.seed = test_seed("fault_wal_crash")},
                                test_sanitized() ? 300 : 3000);
    if (hunt.why != NULL) {
        test_say("image %llu, seed %llu: %s\n", (unsigned long long)hunt.count.states,
                 (unsigned long long)hunt.why_seed, hunt.why);
    }
    CHECK_EQUAL(wal_count_bad(&hunt.count), 0);
}

/* Right is a prefix, or a refusal; of a disk that rots, at most the last batch is missing. */
static void
test_lies_and_rot(void **state)
{
    static const struct hunt hunts[] = {{.lies = 3}, {.lies = 30}, {.rots = true}};
    (void)state;
    for (uint32_t i = 0; i < TEST_COUNT_OF(hunts); i++) {
        struct hunt hunt = hunts[i];
        hunt.seed = test_seed("lies and rot");
        hunt = hunt_run(hunt, test_sanitized() ? 200 : 2000);
        /* Few images may all be of disks that happened to lie where it does not show. */
        for (uint64_t more = 1; hunt.refused == 0 && hunt.why == NULL && more <= 40; more++) {
            hunt = hunt_run(hunt, hunt.count.states + 100);
        }
        test_say("lies %u%s: images %llu, refused %llu\n", hunt.lies, hunt.rots ? ", rots" : "",
                 (unsigned long long)hunt.count.states, (unsigned long long)hunt.refused);
        if (hunt.why != NULL) {
            test_say("seed %llu: %s\n", (unsigned long long)hunt.why_seed, hunt.why);
        }
        CHECK(hunt.why == NULL);
        CHECK(hunt.refused != 0);
        CHECK(hunt.refused < hunt.count.states);
    }
}

/* Each of these breaks a promise that the log rests on, or one of its user's. */
static void
test_bugs_are_noticed(void **state)
{
    static const struct {
        const char *name;
        struct hunt hunt;
    } bugs[] = {
        {"an append is taken for durable", {.bugs = {.acks_early = true}}},
        {"a segment is forgotten, live or not", {.bugs = {.cleans_blindly = true}}},
        {"a segment is removed before the log says so", {.bugs = {.forgets_early = true}}},
        {"syncs of files do nothing", {.skips_syncs = true}},
        {"syncs of the directory do nothing", {.skips_names = true}},
    };
    (void)state;
    for (uint32_t i = 0; i < TEST_COUNT_OF(bugs); i++) {
        struct hunt hunt = bugs[i].hunt;
        hunt.seed = 1;
        hunt = hunt_run(hunt, 20000);
        test_say("%s: %s after %llu images\n", bugs[i].name,
                 hunt.why == NULL ? "NOT NOTICED" : hunt.why,
                 (unsigned long long)hunt.count.states);
        CHECK(hunt.why != NULL);
    }
}

/* Every operation fails, at each of its first times, once and for ever; then crashes. */
static void
test_faults(void **state)
{
    static const uint32_t kinds[] = {DISK_CREATE, DISK_OPEN,       DISK_ALLOCATE, DISK_WRITE,
                                     DISK_READ,   DISK_SYNC,       DISK_RENAME,   DISK_REMOVE,
                                     DISK_LIST,   DISK_NAMES_SYNC, DISK_THROUGH,  DISK_ANY};
    static const int results[] = {-EIO, -ENOSPC, DISK_SHORT};
    struct hunt hunt = {.seed = test_seed("faults")};
    (void)state;
    for (uint32_t i = 0; i < TEST_COUNT_OF(kinds) * TEST_COUNT_OF(results) * 2; i++) {
        hunt.fault.kinds = kinds[i / 2 / TEST_COUNT_OF(results)];
        hunt.fault.result = results[i / 2 % TEST_COUNT_OF(results)];
        hunt.fault.for_ever = i % 2 == 1;
        if (hunt.fault.result == DISK_SHORT && hunt.fault.kinds != DISK_WRITE &&
            hunt.fault.kinds != DISK_THROUGH) {
            continue;
        }
        for (hunt.fault.at = 0; hunt.fault.at < (test_sanitized() ? 1 : 5) && hunt.why == NULL;
             hunt.fault.at++) {
            chain(&hunt);
        }
        if (hunt.why != NULL) {
            test_say("kind %u gives %d, %s, from operation %llu on, seed %llu: %s\n",
                     hunt.fault.kinds, hunt.fault.result, hunt.fault.for_ever ? "for ever" : "once",
                     (unsigned long long)hunt.fault.at, (unsigned long long)hunt.why_seed,
                     hunt.why);
        }
        CHECK(hunt.why == NULL);
    }
    test_say("images %llu wrong %llu\n", (unsigned long long)hunt.count.states,
             (unsigned long long)wal_count_bad(&hunt.count));
}

/* Until the first that is wrong. */
static int
campaign_run(int argc, char **argv)
{
    static const struct test_campaign asked = {"fault_wal_crash", "states", 1000000, 1,
                                               UINT64_C(1000000000000)};
    uint64_t states = 0;
    uint64_t seed = 0;
    test_campaign_read(&asked, argc, argv, &states, &seed);
    struct hunt hunt = hunt_run((struct hunt){.seed = seed}, states);
    const struct wal_count *count = &hunt.count;
    if (hunt.why != NULL) {
        printf("seed %" PRIu64 ": %s\n", hunt.why_seed, hunt.why);
    }
    printf("crash: %" PRIu64 " states, %" PRIu64 " acknowledged lost, %" PRIu64
           " resurrected, %" PRIu64 " wrong otherwise; seed %" PRIu64 "\n",
           count->states, count->lost, count->back, count->wrong, seed);
    return wal_count_bad(count) == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crashes),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_lies_and_rot),
        cmocka_unit_test(test_bugs_are_noticed),
    };
    /* Disks come and go: their pages stay, which is twice as fast. */
    (void)mallopt(M_TRIM_THRESHOLD, 256 << 20); /* NOLINT(concurrency-mt-unsafe) */
    (void)mallopt(M_MMAP_THRESHOLD, 16 << 20);  /* NOLINT(concurrency-mt-unsafe) */
    if (argc > 1) {
        return campaign_run(argc, argv);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
