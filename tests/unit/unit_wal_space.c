/* unit_wal_space.c - the log where there is no space for another segment, in one thread on a
 * simulated disk: what is refused, what goes to what is left, and that of this half a segment is
 * left for who cleans, whatever waited already and in however many batches it is written. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "engine/wal/internal.h"
#include "tests/support/check.h"
#include "tests/support/disk.h"
#include "tests/support/memory.h"

#define SEGMENT LEAT_WAL_SEGMENT_BYTES_MIN
#define KEPT    (SEGMENT / 2)
#define LITTLE  (4 * LEAT_WAL_BLOCK) /* of it, for a segment of which little is needed */
/* With so much left it is found out whether there is space. */
#define LOOKS (KEPT + LEAT_WAL_RING_BYTES_MIN)

struct fixture {
    struct test_memory memory;
    struct disk disk;
    struct leat_wal_config config;
    struct leat_wal wal;
    struct leat_wal_report report;
    unsigned char data[LEAT_WAL_RING_BYTES_MIN];
};

static bool
record_read(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    (void)context;
    (void)place;
    (void)record;
    return true;
}

static void
log_open(struct fixture *fixture)
{
    const struct leat_wal_reader reader = {record_read, fixture};
    fixture->config.seed++;
    CHECK_OK(leat_wal_open(&fixture->wal, &fixture->config, &reader, &fixture->report));
}

static struct fixture *
setup(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    test_memory_init(&fixture->memory);
    disk_init(&fixture->disk);
    fixture->config = (struct leat_wal_config){.files = &fixture->disk.files,
                                               .directory = "log",
                                               .memory = test_memory_table(&fixture->memory),
                                               .segment_bytes = SEGMENT,
                                               .ring_bytes = LEAT_WAL_RING_BYTES_MIN};
    return fixture;
}

/* The log may have had other files than the disk's for a time. */
static void
finish(struct fixture *fixture)
{
    fixture->wal.config.files = &fixture->disk.files;
    leat_wal_close(&fixture->wal);
    CHECK_EQUAL(test_memory_blocks(&fixture->memory), 0);
    disk_fini(&fixture->disk);
    free(fixture);
}

static enum leat_status
append_as(struct fixture *fixture, enum leat_wal_need need, uint32_t bytes, uint64_t *position)
{
    const struct leat_wal_entry entry = {1, 0, bytes, NULL, fixture->data};
    return leat_wal_append(&fixture->wal, &entry, 1, need, position);
}

static enum leat_status
append(struct fixture *fixture, uint32_t bytes, uint64_t *position)
{
    return append_as(fixture, LEAT_WAL_FIRST, bytes, position);
}

static enum leat_status
wait_for(struct fixture *fixture, uint64_t position)
{
    return leat_wal_wait(&fixture->wal, position, UINT64_MAX);
}

/* Appends records until the next batch begins another segment. */
static void
segment_fill(struct fixture *fixture)
{
    uint64_t segment = fixture->wal.id;
    while (fixture->wal.id == segment) {
        uint64_t position = 0;
        CHECK_OK(append(fixture, 3000, &position));
        CHECK_OK(wait_for(fixture, position));
    }
}

/* Batches of a block each, until so much is left. */
static void
fill_until(struct fixture *fixture, uint64_t left)
{
    while (leat_wal_room(&fixture->wal) > left) {
        uint64_t position = 0;
        CHECK_OK(append_as(fixture, LEAT_WAL_LAST, 10, &position));
        CHECK_OK(wait_for(fixture, position));
    }
    CHECK_EQUAL(leat_wal_room(&fixture->wal), left);
}

/* ---- what goes to what is left --------------------------------------------------------------- */

/* No space for a segment: what is new is refused, what makes room goes to what is left. */
static void
test_no_space(void **state)
{
    struct fixture *fixture = setup();
    uint64_t position = 0;
    (void)state;
    log_open(fixture);
    fixture->disk.space = SEGMENT - 1;
    CHECK_STATUS(leat_wal_prepare(&fixture->wal), LEAT_NO_SPACE);
    CHECK_STATUS(append(fixture, 10, &position), LEAT_NO_SPACE);
    /* What ends, down to what is kept for who cleans; and that, to the last block. */
    enum leat_status status = LEAT_OK;
    for (uint32_t ends = 0; status == LEAT_OK; ends++) {
        CHECK(ends < 100);
        CHECK(leat_wal_room(&fixture->wal) >= KEPT);
        status = append_as(fixture, LEAT_WAL_LAST, 10, &position);
        CHECK(status != LEAT_OK || wait_for(fixture, position) == LEAT_OK);
    }
    CHECK_EQUAL(status, LEAT_NO_SPACE);
    CHECK_EQUAL(leat_wal_room(&fixture->wal), KEPT);
    CHECK_STATUS(append_as(fixture, LEAT_WAL_CLEAN, 10, &position), LEAT_NO_SPACE);
    CHECK(leat_wal_keep(&fixture->wal, 10));
    status = LEAT_OK;
    for (uint32_t copies = 0; status == LEAT_OK; copies++) {
        CHECK(copies < 100);
        CHECK_OK(append_as(fixture, LEAT_WAL_CLEAN, 10, &position));
        status = leat_wal_wait_cleaning(&fixture->wal, position);
    }
    leat_wal_keep_end(&fixture->wal);
    CHECK_EQUAL(status, LEAT_NO_SPACE);
    CHECK_EQUAL(leat_wal_room(&fixture->wal), 0);
    fixture->disk.space = SEGMENT;
    atom_store_rlx(&fixture->wal.asleep, 1);
    CHECK_OK(leat_wal_prepare(&fixture->wal));
    CHECK_EQUAL(atom_load_rlx(&fixture->wal.asleep), 0);         /* it goes on */
    CHECK_STATUS(append(fixture, 10, &position), LEAT_NO_SPACE); /* that is the reserve */
    fixture->disk.space = SEGMENT - 1;
    CHECK_STATUS(leat_wal_prepare(&fixture->wal), LEAT_NO_SPACE);
    fixture->disk.space = SEGMENT;
    CHECK_OK(leat_wal_prepare(&fixture->wal));
    CHECK_OK(leat_wal_prepare(&fixture->wal)); /* both are there */
    CHECK_OK(wait_for(fixture, position));
    CHECK_OK(append(fixture, 10, &position));
    CHECK_OK(leat_wal_stop(&fixture->wal));
    finish(fixture);
}

/* A cap is a disk of that size: below it, at it and above. */
static void
test_bytes_max(void **state)
{
    const uint64_t segment = SEGMENT;
    struct fixture *fixture = setup();
    uint64_t position = 0;
    (void)state;
    fixture->config.bytes_max = 3 * segment - 1;
    log_open(fixture);
    CHECK_OK(leat_wal_prepare(&fixture->wal));
    CHECK_STATUS(leat_wal_prepare(&fixture->wal), LEAT_NO_SPACE);
    CHECK_STATUS(append(fixture, 10, &position), LEAT_NO_SPACE);
    CHECK_EQUAL(leat_wal_held(&fixture->wal), 2 * segment);
    leat_wal_close(&fixture->wal);
    fixture->config.bytes_max = 3 * segment;
    log_open(fixture);
    CHECK_OK(leat_wal_prepare(&fixture->wal));
    CHECK_OK(leat_wal_prepare(&fixture->wal));
    CHECK_EQUAL(leat_wal_held(&fixture->wal), 3 * segment);
    uint64_t laid = leat_wal_laid(&fixture->wal);
    segment_fill(fixture); /* into the second one, and the reserve is behind it */
    CHECK(leat_wal_laid(&fixture->wal) > laid + segment - LEAT_WAL_BLOCK);
    CHECK_STATUS(leat_wal_prepare(&fixture->wal), LEAT_NO_SPACE);
    CHECK_STATUS(append(fixture, 10, &position), LEAT_NO_SPACE);
    const uint64_t room = leat_wal_room(&fixture->wal);
    CHECK(room > segment && room < 2 * segment); /* what ends may go to */
    /* The first one goes, and there is space for another. */
    CHECK_OK(leat_wal_forget(&fixture->wal, position));
    CHECK_EQUAL(leat_wal_held(&fixture->wal), 2 * segment);
    CHECK_OK(leat_wal_prepare(&fixture->wal));
    CHECK_OK(append(fixture, 10, &position));
    finish(fixture);
}

/* ---- two that look for space at once --------------------------------------------------------- */

/* The files of a fixture, but what another thread does in between. */
struct between {
    struct fixture *fixture;
    struct leat_wal_files files;
    enum leat_status prepared; /* the last time */
    uint32_t wanted;
    bool allocates; /* and then there is space for who asked, too */
    uint32_t full;  /* behind them */
    bool done;
};

static void
prepare_once(struct between *between)
{
    if (!between->done) {
        between->done = true;
        for (uint32_t i = 0; i < between->wanted; i++) {
            between->prepared = leat_wal_prepare(&between->fixture->wal);
        }
        between->full = atom_load_rlx(&between->fixture->wal.full);
    }
}

static int
rename_between(void *context, int directory, const char *from, const char *to)
{
    struct between *between = context;
    struct disk *disk = &between->fixture->disk;
    prepare_once(between);
    return disk->files.rename(disk, directory, from, to);
}

static int
allocate_between(void *context, int file, uint64_t bytes)
{
    struct between *between = context;
    struct disk *disk = &between->fixture->disk;
    bool first = !between->done;
    prepare_once(between);
    return first && !between->allocates ? -ENOSPC : disk->files.allocate(disk, file, bytes);
}

static int
create_on_disk(void *context, int directory, const char *name, int *file)
{
    struct disk *disk = &((struct between *)context)->fixture->disk;
    return disk->files.create(disk, directory, name, file);
}

static int64_t
write_on_disk(void *context, int file, const struct iovec *pieces, int count, uint64_t offset)
{
    struct disk *disk = &((struct between *)context)->fixture->disk;
    return disk->files.write_at(disk, file, pieces, count, offset);
}

static int
sync_on_disk(void *context, int file)
{
    struct disk *disk = &((struct between *)context)->fixture->disk;
    return disk->files.sync(disk, file);
}

static int
names_sync_on_disk(void *context, int directory)
{
    struct disk *disk = &((struct between *)context)->fixture->disk;
    return disk->files.directory_sync(disk, directory);
}

static int
remove_on_disk(void *context, int directory, const char *name)
{
    struct disk *disk = &((struct between *)context)->fixture->disk;
    return disk->files.remove(disk, directory, name);
}

static void
between_set(struct between *between, struct fixture *fixture)
{
    *between = (struct between){.fixture = fixture, .wanted = 1, .files = fixture->disk.files};
    between->files.disk = between;
    between->files.create = create_on_disk;
    between->files.write_at = write_on_disk;
    between->files.sync = sync_on_disk;
    between->files.directory_sync = names_sync_on_disk;
    between->files.rename = rename_between;
    between->files.remove = remove_on_disk;
    between->files.allocate = allocate_between;
    fixture->wal.config.files = &between->files;
}

/* Until the other thread has done its part. */
static void
write_until_done(struct between *between)
{
    while (!between->done) {
        uint64_t position = 0;
        CHECK_OK(append(between->fixture, 3000, &position));
        CHECK_OK(wait_for(between->fixture, position));
    }
}

/* The segment ahead is taken, and none can be made behind it: from then on new records are
 * refused, though the switch to it goes well. */
static void
test_last_segment(void **state)
{
    struct fixture *fixture = setup();
    struct between between;
    uint64_t position = 0;
    (void)state;
    log_open(fixture);
    CHECK_OK(leat_wal_prepare(&fixture->wal));
    fixture->disk.space = 0;
    between_set(&between, fixture);
    segment_fill(fixture);
    CHECK_EQUAL(between.prepared, LEAT_NO_SPACE);
    CHECK_STATUS(append(fixture, 10, &position), LEAT_NO_SPACE);
    finish(fixture);
}

/* Who writes finds no space, but meanwhile one is there ahead: new records are taken. */
static void
test_space_meanwhile(void **state)
{
    struct fixture *fixture = setup();
    struct between between;
    uint64_t position = 0;
    (void)state;
    log_open(fixture);
    between_set(&between, fixture);
    write_until_done(&between);
    CHECK_EQUAL(between.prepared, LEAT_OK);
    CHECK_EQUAL(atom_load_rlx(&fixture->wal.ready), 1);
    CHECK_OK(append(fixture, 10, &position));
    CHECK_OK(wait_for(fixture, position));
    finish(fixture);
}

/* Two were made ahead while who writes makes one: that goes. */
static void
test_one_too_many(void **state)
{
    struct fixture *fixture = setup();
    struct between between;
    (void)state;
    log_open(fixture);
    between_set(&between, fixture);
    between.wanted = 2;
    between.allocates = true;
    write_until_done(&between);
    CHECK_EQUAL(between.prepared, LEAT_OK);
    CHECK_EQUAL(atom_load_rlx(&fixture->wal.ready), 2);
    CHECK_EQUAL(leat_wal_held(&fixture->wal), 3 * SEGMENT);
    CHECK_EQUAL(disk_names(&fixture->disk), 3);
    finish(fixture);
}

/* ---- what is kept ---------------------------------------------------------------------------- */

/* Nobody makes segments ahead: who writes does, in front of what is kept. */
static void
test_found_out_in_time(void **state)
{
    struct fixture *fixture = setup();
    uint64_t position = 0;
    (void)state;
    log_open(fixture);
    fill_until(fixture, LOOKS);
    CHECK_EQUAL(atom_load_rlx(&fixture->wal.ready), 0);
    CHECK_OK(append(fixture, 10, &position));
    CHECK_OK(wait_for(fixture, position));
    CHECK_EQUAL(atom_load_rlx(&fixture->wal.ready), 1);
    CHECK_EQUAL(leat_wal_room(&fixture->wal), SEGMENT + LOOKS - LEAT_WAL_BLOCK);
    CHECK_OK(append(fixture, 10, &position)); /* there is space for the other one, too */
    finish(fixture);
}

static int
allocate_beside(void *context, int file, uint64_t bytes)
{
    struct between *between = context;
    struct disk *disk = &between->fixture->disk;
    uint64_t position = 0;
    if (!between->done) {
        between->done = true;
        CHECK_OK(append_as(between->fixture, LEAT_WAL_LAST, 10, &position));
        between->prepared = wait_for(between->fixture, position);
    }
    return disk->files.allocate(disk, file, bytes);
}

/* One is being made ahead, the last for which the cap has room: it is not made once more, and the
 * log is not full meanwhile. */
static void
test_one_is_coming(void **state)
{
    struct fixture *fixture = setup();
    struct between between;
    (void)state;
    fixture->config.bytes_max = 2 * SEGMENT;
    log_open(fixture);
    fill_until(fixture, LOOKS);
    between_set(&between, fixture);
    between.files.allocate = allocate_beside;
    between.prepared = LEAT_EMPTY;
    CHECK_OK(leat_wal_prepare(&fixture->wal));
    CHECK_OK(between.prepared);
    CHECK_EQUAL(leat_wal_room(&fixture->wal), SEGMENT + LOOKS - LEAT_WAL_BLOCK);
    CHECK_EQUAL(atom_load_rlx(&fixture->wal.full), 0);
    CHECK_STATUS(leat_wal_prepare(&fixture->wal), LEAT_NO_SPACE);
    CHECK_EQUAL(atom_load_rlx(&fixture->wal.full), 1);
    CHECK_EQUAL(atom_load_rlx(&fixture->wal.coming), 0);
    finish(fixture);
}

/* Who writes makes one: who makes them ahead has one, too, and finds no space for another, as that
 * is taken: the log is not full. */
static void
test_two_are_made(void **state)
{
    struct fixture *fixture = setup();
    struct between between;
    uint64_t position = 0;
    (void)state;
    fixture->config.bytes_max = 3 * SEGMENT;
    log_open(fixture);
    fill_until(fixture, LOOKS);
    between_set(&between, fixture);
    between.wanted = 2;
    between.allocates = true;
    CHECK_OK(append(fixture, 10, &position));
    CHECK_OK(wait_for(fixture, position));
    CHECK_EQUAL(between.prepared, LEAT_NO_SPACE);
    CHECK_EQUAL(between.full, 0);
    CHECK_EQUAL(atom_load_rlx(&fixture->wal.ready), 2);
    finish(fixture);
}

/* Two threads that make one at a time. The second one of who makes them ahead finds no space, and
 * before it can say so the other one's is there. */
struct both {
    struct between between;
    pthread_t preparer;
    sem_t begun; /* the other one has begun to make it */
    sem_t goes;  /* and goes on */
    sem_t done;
    bool fails; /* the preparer's */
};

static int
allocate_both(void *context, int file, uint64_t bytes)
{
    struct both *both = context;
    struct disk *disk = &both->between.fixture->disk;
    if (pthread_equal(pthread_self(), both->preparer) != 0) {
        return both->fails ? -ENOSPC : disk->files.allocate(disk, file, bytes);
    }
    int result = disk->files.allocate(disk, file, bytes);
    CHECK_EQUAL(sem_post(&both->begun), 0);
    CHECK_EQUAL(sem_wait(&both->goes), 0);
    return result;
}

static int
remove_both(void *context, int directory, const char *name)
{
    struct both *both = context;
    struct disk *disk = &both->between.fixture->disk;
    if (both->fails) {
        both->fails = false;
        CHECK_EQUAL(sem_post(&both->goes), 0);
        CHECK_EQUAL(sem_wait(&both->done), 0);
    }
    return disk->files.remove(disk, directory, name);
}

static void *
writes(void *argument)
{
    struct both *both = argument;
    uint64_t position = 0;
    CHECK_OK(append(both->between.fixture, 10, &position));
    CHECK_OK(wait_for(both->between.fixture, position));
    CHECK_EQUAL(sem_post(&both->done), 0);
    return NULL;
}

static void
test_not_full_with_both(void **state)
{
    struct fixture *fixture = setup();
    struct both both = {.preparer = pthread_self()};
    pthread_t writer;
    uint64_t position = 0;
    (void)state;
    CHECK_EQUAL(sem_init(&both.begun, 0, 0), 0);
    CHECK_EQUAL(sem_init(&both.goes, 0, 0), 0);
    CHECK_EQUAL(sem_init(&both.done, 0, 0), 0);
    log_open(fixture);
    fill_until(fixture, LOOKS);
    between_set(&both.between, fixture);
    both.between.done = true;
    both.between.files.allocate = allocate_both;
    both.between.files.remove = remove_both;
    CHECK_EQUAL(pthread_create(&writer, NULL, writes, &both), 0);
    CHECK_EQUAL(sem_wait(&both.begun), 0);
    CHECK_OK(leat_wal_prepare(&fixture->wal));
    both.fails = true;
    CHECK_STATUS(leat_wal_prepare(&fixture->wal), LEAT_NO_SPACE);
    CHECK_EQUAL(pthread_join(writer, NULL), 0);
    CHECK_EQUAL(atom_load_rlx(&fixture->wal.ready), 2);
    CHECK_OK(append(fixture, 10, &position));
    finish(fixture);
}

/* A record that was new when it was appended, and a mark, get no further either; who cleans writes
 * the record. */
static void
test_waiting_records(void **state)
{
    struct fixture *fixture = setup();
    uint64_t position = 0;
    (void)state;
    log_open(fixture);
    fixture->disk.space = SEGMENT - 1;
    fill_until(fixture, KEPT);
    CHECK(leat_wal_is_unmarked(&fixture->wal));
    CHECK(!leat_wal_step(&fixture->wal, true));
    CHECK_EQUAL(atom_load_rlx(&fixture->wal.full), 1);
    atom_store_rlx(&fixture->wal.full, 0);
    CHECK_OK(append(fixture, 10, &position));
    CHECK_STATUS(wait_for(fixture, position), LEAT_NO_SPACE);
    CHECK_EQUAL(atom_load_rlx(&fixture->wal.full), 1);
    CHECK(!leat_wal_step(&fixture->wal, false));
    CHECK_EQUAL(leat_wal_room(&fixture->wal), KEPT);
    CHECK_STATUS(leat_wal_wait_cleaning(&fixture->wal, position), LEAT_NO_SPACE);
    CHECK(leat_wal_keep(&fixture->wal, 0));
    CHECK_STATUS(wait_for(fixture, position), LEAT_NO_SPACE);
    CHECK_OK(leat_wal_wait_cleaning(&fixture->wal, position));
    leat_wal_keep_end(&fixture->wal);
    CHECK_EQUAL(leat_wal_room(&fixture->wal), KEPT - LEAT_WAL_BLOCK);
    finish(fixture);
}

/* Of what waits so much is written as there is room for. */
static void
test_smaller_batch(void **state)
{
    struct fixture *fixture = setup();
    uint64_t first = 0;
    uint64_t second = 0;
    (void)state;
    log_open(fixture);
    fixture->disk.space = SEGMENT - 1;
    fill_until(fixture, KEPT + LEAT_WAL_BLOCK);
    CHECK_OK(append_as(fixture, LEAT_WAL_BACK, 3000, &first)); /* never refused */
    CHECK_OK(append_as(fixture, LEAT_WAL_BACK, 3000, &second));
    CHECK_OK(wait_for(fixture, first));
    CHECK_EQUAL(leat_wal_room(&fixture->wal), KEPT);
    CHECK_STATUS(wait_for(fixture, second), LEAT_NO_SPACE);
    finish(fixture);
}

/* As much may be kept as there is room for, but for four blocks, if more is wanted than these.
 * Three blocks, and one for each half of the ring, are for batches that are not full. */
static void
test_keep_limits(void **state)
{
    struct fixture *fixture = setup();
    uint64_t position = 0;
    (void)state;
    log_open(fixture);
    fixture->disk.space = SEGMENT - 1;
    fill_until(fixture, KEPT + 3 * LEAT_WAL_BLOCK);
    CHECK(leat_wal_keep(&fixture->wal, 8192)); /* 2 + 3 + 2 + 4 blocks of 11 */
    CHECK_STATUS(append_as(fixture, LEAT_WAL_LAST, 10, &position), LEAT_NO_SPACE);
    leat_wal_keep_end(&fixture->wal);
    CHECK(!leat_wal_keep(&fixture->wal, 8192 + 1));
    CHECK_OK(append_as(fixture, LEAT_WAL_LAST, 10, &position)); /* which comes to 32 */
    CHECK(!leat_wal_keep(&fixture->wal, 8192 - 31));
    CHECK(leat_wal_keep(&fixture->wal, 8192 - 32));
    leat_wal_keep_end(&fixture->wal);
    CHECK_OK(wait_for(fixture, position));
    finish(fixture);
}

/* Who cleans spends what is kept, to the last block that is for it. */
static void
spend(struct fixture *fixture, uint64_t bytes, uint64_t floor)
{
    enum leat_status status = LEAT_OK;
    CHECK(leat_wal_keep(&fixture->wal, bytes));
    while (status == LEAT_OK) {
        uint64_t position = 0;
        CHECK_OK(append_as(fixture, LEAT_WAL_CLEAN, 10, &position));
        status = leat_wal_wait_cleaning(&fixture->wal, position);
    }
    leat_wal_keep_end(&fixture->wal);
    CHECK_EQUAL(status, LEAT_NO_SPACE);
    CHECK_EQUAL(leat_wal_room(&fixture->wal), floor);
}

/* One that comes to more than was weighed does not spend what is for a segment of which little is
 * needed. */
static void
test_little(void **state)
{
    struct fixture *fixture = setup();
    (void)state;
    log_open(fixture);
    fixture->disk.space = SEGMENT - 1;
    fill_until(fixture, KEPT + 3 * LEAT_WAL_BLOCK);
    spend(fixture, 8192, LITTLE);
    CHECK(!leat_wal_keep(&fixture->wal, 4096));
    CHECK(!leat_wal_keep(&fixture->wal, 4095)); /* one waits */
    spend(fixture, 4000, 0);
    finish(fixture);
}

/* That a segment is not needed any more can be said beside a record that has no room. */
static void
test_forget_beside_a_large_record(void **state)
{
    struct fixture *fixture = setup();
    uint64_t mine = 0;
    uint64_t position = 0;
    (void)state;
    log_open(fixture);
    segment_fill(fixture);
    fixture->disk.space = 0;
    fill_until(fixture, KEPT);
    CHECK(leat_wal_keep(&fixture->wal, 10));
    while (leat_wal_room(&fixture->wal) > 2 * LEAT_WAL_BLOCK) {
        CHECK_OK(append_as(fixture, LEAT_WAL_CLEAN, 10, &mine));
        CHECK_OK(leat_wal_wait_cleaning(&fixture->wal, mine));
    }
    CHECK_OK(append_as(fixture, LEAT_WAL_BACK, 8180, &position));
    const uint64_t oldest = leat_wal_oldest(&fixture->wal);
    CHECK_OK(leat_wal_forget(&fixture->wal, mine));
    CHECK(leat_wal_oldest(&fixture->wal) != oldest);
    leat_wal_keep_end(&fixture->wal);
    finish(fixture);
}

/* Nobody cleans any more: what trails goes to what was kept. */
static void
test_stop(void **state)
{
    struct fixture *fixture = setup();
    uint64_t position = 0;
    (void)state;
    log_open(fixture);
    fixture->disk.space = 0;
    fill_until(fixture, KEPT + LEAT_WAL_BLOCK);
    CHECK_OK(append_as(fixture, LEAT_WAL_LAST, 10, &position));
    CHECK_OK(append_as(fixture, LEAT_WAL_BACK, 8000, &position));
    CHECK_OK(leat_wal_stop(&fixture->wal));
    CHECK(leat_wal_is_durable(&fixture->wal, position));
    CHECK(!leat_wal_is_unmarked(&fixture->wal));
    finish(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_space),      cmocka_unit_test(test_bytes_max),
        cmocka_unit_test(test_last_segment),  cmocka_unit_test(test_space_meanwhile),
        cmocka_unit_test(test_one_too_many),  cmocka_unit_test(test_found_out_in_time),
        cmocka_unit_test(test_one_is_coming), cmocka_unit_test(test_waiting_records),
        cmocka_unit_test(test_smaller_batch), cmocka_unit_test(test_keep_limits),
        cmocka_unit_test(test_two_are_made),  cmocka_unit_test(test_not_full_with_both),
        cmocka_unit_test(test_little),        cmocka_unit_test(test_forget_beside_a_large_record),
        cmocka_unit_test(test_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
