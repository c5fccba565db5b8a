/* unit_wal_glean.c - what is learnt of a damaged log: each batch that is good by itself is told,
 * before the damage and behind it, and those that are missing are counted: by their numbers, and by
 * blocks that are of none. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/wal/format.h"
#include "engine/wal/wal.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"
#include "tests/support/memory.h"

#define BATCHES 5 /* of each open, and each a block */

static char directory[64];
static struct leat_wal wal;
static struct test_memory memory;

/* When a record was written is a hundred times its tag. */
#define WRITTEN_NS 100
static uint64_t now_ns;

/* Records that were told, by tag. */
static uint32_t told[2 * BATCHES + 1];
static uint32_t told_max;

static bool
record_take(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    (void)context;
    CHECK(place.batch != 0 && place.segment != 0);
    CHECK(record->tag >= 1 && record->tag <= 2 * BATCHES);
    CHECK_EQUAL(record->bytes, 3);
    CHECK_EQUAL(place.written_ns, (uint64_t)WRITTEN_NS * record->tag);
    told[record->tag]++;
    told_max--;
    return told_max != 0;
}

static uint64_t
wall_ns(void *context)
{
    (void)context;
    return now_ns;
}

static struct leat_wal_config
config_of(void)
{
    return (struct leat_wal_config){.files = &leat_wal_files_system,
                                    .directory = directory,
                                    .memory = leat_memory_default(),
                                    .segment_bytes = LEAT_WAL_SEGMENT_BYTES_MIN,
                                    .ring_bytes = LEAT_WAL_RING_BYTES_MIN,
                                    .seed = 1,
                                    .wall_ns = wall_ns};
}

static bool
record_pass(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    (void)context;
    (void)place;
    (void)record;
    return true;
}

/* Two segments: each open begins one, and the second writes the last batch of the first again. */
static void
setup(void)
{
    strcpy(directory, "unit_wal_glean.XXXXXX");
    CHECK(mkdtemp(directory) != NULL);
    for (uint32_t life = 0; life < 2; life++) {
        struct leat_wal_report report;
        const struct leat_wal_reader reader = {record_pass, NULL};
        const struct leat_wal_config config = config_of();
        CHECK_OK(leat_wal_open(&wal, &config, &reader, &report));
        for (uint32_t i = 0; i < BATCHES; i++) {
            uint64_t position = 0;
            const struct leat_wal_entry entry = {life * BATCHES + i + 1, 0, 3, NULL, "abc"};
            now_ns = (uint64_t)WRITTEN_NS * entry.tag;
            CHECK_OK(leat_wal_append(&wal, &entry, 1, LEAT_WAL_FIRST, &position));
            CHECK_OK(leat_wal_wait(&wal, position, UINT64_MAX));
        }
        leat_wal_close(&wal);
    }
}

static struct leat_wal_gleaned
glean(enum leat_status wanted)
{
    struct leat_wal_gleaned gleaned;
    struct leat_wal_config config = config_of();
    const struct leat_wal_reader reader = {record_take, NULL};
    memset(told, 0, sizeof(told));
    told_max = 1000;
    CHECK_STATUS(leat_wal_glean(&config, &reader, &gleaned), wanted);
    return gleaned;
}

static int
file_open(uint32_t segment)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%016x.wal", directory, segment);
    int file = open(path, O_RDWR | O_CLOEXEC);
    CHECK(file >= 0);
    return file;
}

/* Turns a byte round. */
static void
damage(uint32_t segment, uint64_t offset)
{
    unsigned char byte = 0;
    int file = file_open(segment);
    CHECK_EQUAL(pread(file, &byte, 1, (off_t)offset), 1);
    byte ^= 1;
    CHECK_EQUAL(pwrite(file, &byte, 1, (off_t)offset), 1);
    CHECK_EQUAL(close(file), 0);
}

/* But for one tag (0: none) each was told, the one that was written again twice. */
static void
all_but(uint32_t tag)
{
    for (uint32_t i = 1; i <= 2 * BATCHES; i++) {
        uint32_t wanted = i == tag ? 0 : i == BATCHES ? 2 : 1;
        CHECK_EQUAL(told[i], wanted);
    }
}

static void
a_whole_log(void **state)
{
    (void)state;
    setup();
    struct leat_wal_gleaned gleaned = glean(LEAT_OK);
    CHECK_EQUAL(gleaned.batch, 2 * BATCHES);
    CHECK_EQUAL(gleaned.missing, 0);
    all_but(0);
    test_directory_remove(directory);
}

static void
one_that_is_damaged(void **state)
{
    (void)state;
    for (uint32_t i = 1; i < BATCHES; i++) {
        setup();
        damage(1, i * LEAT_WAL_BLOCK + (i % 2 == 0 ? 8 : 70)); /* its header, or a record */
        struct leat_wal_gleaned gleaned = glean(LEAT_OK);
        CHECK_EQUAL(gleaned.batch, 2 * BATCHES);
        CHECK(gleaned.missing >= 1 && gleaned.missing <= 2);
        all_but(i);
        test_directory_remove(directory);
    }
}

/* Nothing behind it says that there was one, but its block has something. */
static void
the_last_one(void **state)
{
    (void)state;
    setup();
    damage(2, (BATCHES + 1) * LEAT_WAL_BLOCK + 8);
    struct leat_wal_gleaned gleaned = glean(LEAT_OK);
    CHECK_EQUAL(gleaned.batch, 2 * BATCHES - 1);
    CHECK_EQUAL(gleaned.missing, 1);
    all_but(2 * BATCHES);
    test_directory_remove(directory);
}

/* A first block is not needed; of a segment that is gone the numbers are missing. */
static void
segments(void **state)
{
    char path[128];
    (void)state;
    setup();
    damage(1, 0);
    damage(2, 40);
    (void)glean(LEAT_OK);
    all_but(0);
    (void)snprintf(path, sizeof(path), "%s/0000000000000002.wal", directory);
    CHECK_EQUAL(unlink(path), 0);
    struct leat_wal_gleaned gleaned = glean(LEAT_OK);
    CHECK_EQUAL(gleaned.batch, BATCHES);
    CHECK_EQUAL(gleaned.missing, 0);
    int file = file_open(1);
    CHECK_EQUAL(ftruncate(file, 3 * LEAT_WAL_BLOCK + 100), 0);
    CHECK_EQUAL(close(file), 0);
    gleaned = glean(LEAT_OK);
    CHECK_EQUAL(gleaned.batch, 2);
    test_directory_remove(directory);
    setup();
    file = file_open(1);
    CHECK_EQUAL(ftruncate(file, 2 * LEAT_WAL_BLOCK), 0);
    CHECK_EQUAL(close(file), 0);
    gleaned = glean(LEAT_OK);
    CHECK_EQUAL(gleaned.batch, 2 * BATCHES);
    CHECK_EQUAL(gleaned.missing, BATCHES - 2); /* the last of them was written again */
    test_directory_remove(directory);
}

static void
what_cannot_be_read(void **state)
{
    struct leat_wal_gleaned gleaned;
    const struct leat_wal_reader reader = {record_take, NULL};
    struct leat_wal_config config = config_of();
    (void)state;
    setup();
    told_max = 3; /* the reader has no memory */
    CHECK_STATUS(leat_wal_glean(&config, &reader, &gleaned), LEAT_NO_MEMORY);
    told_max = 1000;
    test_memory_init(&memory);
    test_memory_fail(&memory, 0, true);
    config.memory = test_memory_table(&memory);
    CHECK_STATUS(leat_wal_glean(&config, &reader, &gleaned), LEAT_NO_MEMORY);
    test_memory_heal(&memory);
    CHECK_OK(leat_wal_glean(&config, &reader, &gleaned));
    CHECK_EQUAL(test_memory_blocks(&memory), 0);
    config.directory = "unit_wal_glean.none";
    CHECK_STATUS(leat_wal_glean(&config, &reader, &gleaned), LEAT_NOT_FOUND);
    CHECK_EQUAL(gleaned.batch, 0);
    test_directory_remove(directory);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_log),         cmocka_unit_test(one_that_is_damaged),
        cmocka_unit_test(the_last_one),        cmocka_unit_test(segments),
        cmocka_unit_test(what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
