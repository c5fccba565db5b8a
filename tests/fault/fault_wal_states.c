/* fault_wal_states.c - the log on a disk that crashes, state by state, where fault_wal_crash draws
 * them: a user of the log (tests/support/wal.h) does a short work that is written down below, on a
 * simulated disk (disk.h) that stops at each of its operations in turn. What a crash may leave then
 * is enumerated, and each image is read again.
 *
 * A piece is what a crash leaves or not by itself: a sector that a write has changed and no sync
 * has put on the disk, a change of a name behind the last sync of the directory, the size of a file
 * that was made since its last sync. Of up to MOST pieces every subset is an image. Where there are
 * more, these are: every subset of the MOST youngest, once with all that are older there and once
 * with none of them; and each of the older ones there alone, or missing alone.
 *
 * In a second life, on what the first one has left where it stopped, the same is done at each
 * operation of an open and some more work: the process had ended and the machine had not; or it
 * had, and nothing, or all, was left of what was not synced.
 *
 * Both for each way in which the log writes: synced at once or late, by fdatasync, through, or both
 * by one call.
 *
 *   fault_wal_states        MOST is 5; a second life for every 37th stop of the first. Under a
 *                           sanitizer 3, every 5th stop, and a second life for every 50th
 *   fault_wal_states all    MOST is 12, and 6 in the second life, one for each stop: minutes
 *
 * Holds I1 to I5 of wal.h in each image. Parts of sectors, and crashes behind more than one other,
 * are left to fault_wal_crash.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/threads.h"
#include "tests/support/wal.h"

#define WAYS        6 /* in which the log writes: by the seed of the user */
#define STOPS_MAX   2000
#define SUBSETS_OF  12 /* pieces at most */
#define SECOND_MOST 6  /* in the second life, as there are so many */

static uint32_t most = 5;
static uint64_t stops_step = 1; /* of both lives */
static uint64_t lives_step = 37;

/* What is done, by letters: o opens again, s submits one, u a unit, e ends one, w waits, t waits
 * until it is written, m marks, p makes a segment ahead, c cleans. The first life fills the first
 * segment of 15 blocks, goes on in a second one while some is written and not synced, cleans the
 * first, of which more is live than a batch holds, closes and opens. */
static const char first_life[] = "uwpuwpeuwututeeututwuteuwutststststststwcstewposeuwcwmouseww";
static const char second_life[] = "stsuwew";

/* How the second life begins. */
enum leaves { LEAVES_PROCESS, LEAVES_NOTHING, LEAVES_ALL, LEAVES_COUNT };

struct sweep {
    uint64_t way;
    uint64_t stop;
    uint64_t second; /* operations of the second life, or UINT64_MAX */
    uint64_t stops;
    struct wal_count count;
    uint32_t widest; /* pieces at one stop */
    bool whole;      /* the work came to its end, in a third segment, without the first */
    struct disk disk;
    struct disk image;
    struct wal_user user;
    struct wal_user other;
};

/* ---- one image ------------------------------------------------------------------------------- */

static const char *
image_judge(struct sweep *sweep)
{
    struct wal_user *other = &sweep->other;
    wal_user_init(other, &sweep->image, sweep->user.config.seed + 1);
    enum leat_status status = wal_user_open(other);
    if (status != LEAT_OK) {
        return other->report.text[0] == 0 ? leat_status_text(status) : other->report.text;
    }
    return wal_user_judge(&sweep->user, other);
}

static void
note(struct sweep *sweep, const char *why)
{
    if (why != NULL && wal_count_bad(&sweep->count) == 0) {
        test_say("way %llu, stopped at %llu, then %lld: %s\n", (unsigned long long)sweep->way,
                 (unsigned long long)sweep->stop, (long long)sweep->second, why);
    }
    wal_count_add(&sweep->count, why);
}

/* ---- the images of one stop ------------------------------------------------------------------ */

struct pieces {
    struct disk_piece piece[DISK_PIECES_MAX];
    bool there[DISK_PIECES_MAX];
    uint32_t count;
};

static void
image_make(struct sweep *sweep, const struct pieces *pieces)
{
    disk_crash_to(&sweep->image, &sweep->disk, pieces->piece, pieces->count, pieces->there);
    note(sweep, image_judge(sweep));
    wal_user_close(&sweep->other);
    disk_fini(&sweep->image);
}

static void
all_set(struct pieces *pieces, bool there)
{
    for (uint32_t i = 0; i < pieces->count; i++) {
        pieces->there[i] = there;
    }
}

/* All subsets of those from `first` on. */
static void
subsets_make(struct sweep *sweep, struct pieces *pieces, uint32_t first)
{
    for (uint32_t subset = 0; subset < 1U << (pieces->count - first); subset++) {
        for (uint32_t i = first; i < pieces->count; i++) {
            pieces->there[i] = (subset >> (i - first) & 1) != 0;
        }
        image_make(sweep, pieces);
    }
}

static void
stop_judge(struct sweep *sweep)
{
    static struct pieces pieces;
    sweep->stops++;
    pieces.count = disk_pieces(&sweep->disk, pieces.piece);
    sweep->widest = pieces.count > sweep->widest ? pieces.count : sweep->widest;
    uint32_t free_most = sweep->second == UINT64_MAX || most < SECOND_MOST ? most : SECOND_MOST;
    uint32_t older = pieces.count > free_most ? pieces.count - free_most : 0;
    for (uint32_t there = 0; there <= (older == 0 ? 0 : 1); there++) {
        all_set(&pieces, there != 0);
        subsets_make(sweep, &pieces, older);
        for (uint32_t i = 0; i < older; i++) {
            all_set(&pieces, there != 0);
            pieces.there[i] = !pieces.there[i];
            image_make(sweep, &pieces);
        }
    }
}

/* ---- lives ----------------------------------------------------------------------------------- */

static enum wal_act
act_of(char letter)
{
    static const char letters[] = "osuewtxmpc";
    const char *place = strchr(letters, letter);
    CHECK(place != NULL);
    return (enum wal_act)(place - letters);
}

/* Until the disk stops. */
static void
live(struct sweep *sweep, const char *acts, uint64_t operations)
{
    struct disk *disk = &sweep->disk;
    struct wal_user *user = &sweep->user;
    disk->stops_at = disk->operations + operations;
    (void)wal_user_open(user);
    for (; *acts != 0 && disk->operations <= disk->stops_at; acts++) {
        wal_user_do(user, act_of(*acts));
    }
    sweep->whole = user->is_open && *acts == 0 && leat_wal_newest(&user->wal) >= 3 &&
                   disk_find(disk, "0000000000000001.wal") == NULL;
    wal_user_close(user);
    if (user->wrong != NULL) {
        note(sweep, user->wrong);
    }
}

static void
first_run(struct sweep *sweep)
{
    disk_init(&sweep->disk);
    wal_user_init(&sweep->user, &sweep->disk, sweep->way);
    sweep->user.config.threads = 1;
    sweep->user.cleans_from = 2;
    live(sweep, first_life, sweep->stop);
}

/* The machine stops, and comes up with this. */
static void
crash(struct sweep *sweep, bool all)
{
    static struct pieces pieces;
    pieces.count = disk_pieces(&sweep->disk, pieces.piece);
    all_set(&pieces, all);
    disk_crash_to(&sweep->image, &sweep->disk, pieces.piece, pieces.count, pieces.there);
    disk_fini(&sweep->disk);
    disk_copy(&sweep->disk, &sweep->image);
    disk_fini(&sweep->image);
    sweep->user.changes_written = 0; /* what is said to be written is lost by that */
}

/* True: it was stopped. */
static bool
second_run(struct sweep *sweep, enum leaves leaves)
{
    first_run(sweep);
    if (leaves != LEAVES_PROCESS) {
        crash(sweep, leaves == LEAVES_ALL);
    }
    live(sweep, second_life, sweep->second);
    bool stopped = sweep->disk.operations > sweep->disk.stops_at;
    stop_judge(sweep);
    disk_fini(&sweep->disk);
    return stopped;
}

static void
second_lives(struct sweep *sweep)
{
    for (enum leaves leaves = LEAVES_PROCESS; leaves < LEAVES_COUNT; leaves++) {
        sweep->second = 0;
        while (second_run(sweep, leaves)) {
            sweep->second += stops_step;
        }
    }
    sweep->second = UINT64_MAX;
}

static void
sweep_run(struct sweep *sweep)
{
    bool stopped = true;
    sweep->second = UINT64_MAX;
    for (sweep->stop = sweep->way % stops_step; stopped; sweep->stop += stops_step) {
        CHECK(sweep->stop < STOPS_MAX);
        first_run(sweep);
        stopped = sweep->disk.operations > sweep->disk.stops_at;
        CHECK(stopped || sweep->whole);
        stop_judge(sweep);
        disk_fini(&sweep->disk);
        if (sweep->stop % lives_step == sweep->way % lives_step) {
            second_lives(sweep);
        }
    }
}

/* Says what was found in a line that begins with "states". */
static bool
states_judge(FILE *out)
{
    struct sweep *sweep = calloc(1, sizeof(*sweep));
    CHECK(sweep != NULL);
    for (sweep->way = 0; sweep->way < WAYS; sweep->way++) {
        sweep_run(sweep);
    }
    const struct wal_count *count = &sweep->count;
    (void)fprintf(
        out,
        "states: %" PRIu64 " states at %" PRIu64 " stops, with %" PRIu32 " pieces at most; %" PRIu64
        " acknowledged lost, %" PRIu64 " resurrected, %" PRIu64 " wrong otherwise\n",
        count->states, sweep->stops, sweep->widest, count->lost, count->back, count->wrong);
    bool right = wal_count_bad(count) == 0;
    free(sweep);
    return right;
}

static void
test_states(void **state)
{
    (void)state;
    CHECK(states_judge(stderr));
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
    };
    /* Disks come and go: their pages stay. */
    (void)mallopt(M_TRIM_THRESHOLD, 256 << 20); /* NOLINT(concurrency-mt-unsafe) */
    (void)mallopt(M_MMAP_THRESHOLD, 16 << 20);  /* NOLINT(concurrency-mt-unsafe) */
    if (test_sanitized()) {
        most = 3;
        stops_step = 5;
        lives_step = 50;
    }
    if (argc == 2 && strcmp(argv[1], "all") == 0) {
        most = SUBSETS_OF;
        stops_step = 1;
        lives_step = 1;
        return states_judge(stdout) ? 0 : 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
