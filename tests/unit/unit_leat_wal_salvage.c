/* unit_leat_wal_salvage.c - an engine opens what `leat wal salvage` saves of a log that was
 * cleaned, wherever that is damaged: the jobs of all that stands before the damage are there, and
 * no id comes a second time, though the record that says which were given out may be gone. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/durable/internal.h"
#include "engine/seal/seal.h"
#include "engine/wal/format.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"
#include "tests/support/engine.h"
#include "tests/support/log_cut.h"

#define SEGMENT   (UINT64_C(1) << 16)
#define FILES_MAX 64
#define HOUR_NS   UINT64_C(3600000000000)
#define KEY       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* More than a step of the ceiling needs, by one record after the other. */
#define LAPS (LEAT_DURABLE_IDS_STEP / 2 + 10)

struct log {
    char directory[64];
    char copy[80];
    char saved[80];
    char key[80]; /* a file; or "" */
    struct leat_config config;
    struct leat_engine *engine;
    leat_type type;
    uint64_t highest;          /* generation of an id that was given out */
    uint64_t files[FILES_MAX]; /* segments, in order */
    uint32_t files_count;
    uint32_t opened; /* times that a damaged one was */
};

static struct leat_outcome
handler(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

/* ---- an engine ------------------------------------------------------------------------------- */

static void
engine_open(struct log *log, const char *directory)
{
    log->config.log_directory = directory;
    log->engine = test_open(&log->config);
    log->type = test_register(log->engine, "work", handler, NULL);
}

static leat_job_id
submit(struct log *log, uint32_t bytes, uint64_t delay_ns, enum leat_durability durability)
{
    static const char payload[4096];
    leat_job_id id = {0};
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    options.durability = durability;
    job.type = log->type;
    job.payload = payload;
    job.payload_bytes = bytes;
    job.delay_ns = delay_ns;
    job.options = &options;
    CHECK_OK(leat_submit(log->engine, &job, &id));
    return id;
}

static void
seen(struct log *log, leat_job_id id)
{
    uint64_t generation = leat_word_generation(id.bits);
    log->highest = generation > log->highest ? generation : log->highest;
}

/* Jobs that come and go, until the cleaner has passed what was there. */
static void
churn(struct log *log)
{
    struct leat_wal *wal = &log->engine->durable->wal;
    const uint64_t newest = leat_wal_newest(wal);
    bool passed = false;
    for (uint32_t i = 0; i < 10000 && !passed; i++) {
        leat_job_id id = submit(log, 4096, HOUR_NS, LEAT_DURABILITY_GROUP);
        seen(log, id);
        CHECK_OK(leat_cancel(log->engine, id));
        uint64_t oldest = leat_wal_oldest(wal);
        passed = leat_wal_newest(wal) > newest && (oldest == 0 || oldest > newest);
    }
    CHECK(passed);
}

/* The ceiling is raised by ids that are in no record. */
static void
raise_ceiling(struct log *log)
{
    size_t ran = 0;
    if (test_state(log->engine) == LEAT_ENGINE_OPEN) {
        CHECK_OK(leat_start(log->engine));
    }
    for (uint32_t i = 0; i < LAPS; i++) {
        seen(log, submit(log, 0, 0, LEAT_DURABILITY_NONE));
        CHECK_OK(leat_run_some(log->engine, 1, &ran));
    }
}

/* Old jobs, of which the cleaner copies each; opens that give out no id; and a ceiling that was
 * raised in the last life. */
static void
log_fill(struct log *log)
{
    engine_open(log, log->directory);
    for (uint32_t i = 0; i < 5; i++) {
        seen(log, submit(log, 100, HOUR_NS, LEAT_DURABILITY_GROUP));
    }
    churn(log);
    test_close(log->engine);
    for (uint32_t i = 0; i < 10; i++) {
        engine_open(log, log->directory);
        test_close(log->engine);
    }
    engine_open(log, log->directory);
    churn(log);
    raise_ceiling(log);
    for (uint32_t i = 0; i < 40; i++) {
        seen(log, submit(log, 4096, HOUR_NS, LEAT_DURABILITY_GROUP));
    }
    churn(log);
    test_close(log->engine);
}

static struct log *
log_make(bool encrypted)
{
    struct log *log = calloc(1, sizeof(*log));
    CHECK(log != NULL);
    strcpy(log->directory, "unit_leat_wal_salvage.XXXXXX");
    CHECK(mkdtemp(log->directory) != NULL);
    (void)snprintf(log->copy, sizeof(log->copy), "%s.copy", log->directory);
    (void)snprintf(log->saved, sizeof(log->saved), "%s.saved", log->directory);
    CHECK_EQUAL(mkdir(log->copy, 0700), 0);
    log->config = test_config();
    log->config.workers = 0;
    log->config.jobs_max = 256;
    log->config.payload_bytes_max = 4096;
    log->config.log_segment_bytes = SEGMENT;
    log->config.log_ring_bytes = SEGMENT / 2;
    if (encrypted) {
        (void)snprintf(log->key, sizeof(log->key), "%s.key", log->directory);
        int file = open(log->key, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
        CHECK(file >= 0);
        CHECK_EQUAL(write(file, KEY, strlen(KEY)), strlen(KEY));
        CHECK_EQUAL(close(file), 0);
        log->config.log_key_file = log->key;
    }
    log_fill(log);
    return log;
}

static void
log_free(struct log *log)
{
    test_directory_remove(log->directory);
    test_directory_remove(log->copy);
    if (log->key[0] != '\0') {
        CHECK_EQUAL(unlink(log->key), 0);
    }
    free(log);
}

/* ---- files ----------------------------------------------------------------------------------- */

static int
by_number(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void
files_list(struct log *log)
{
    DIR *directory = opendir(log->directory);
    CHECK(directory != NULL);
    log->files_count = 0;
    /* One thread has the stream. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        bool is_new = false;
        uint64_t number = leat_wal_number(entry->d_name, &is_new);
        if (number != 0 && !is_new) {
            CHECK(log->files_count < FILES_MAX);
            log->files[log->files_count++] = number;
        }
    }
    CHECK(closedir(directory) == 0);
    CHECK(log->files_count >= 3);
    qsort(log->files, log->files_count, sizeof(log->files[0]), by_number);
}

static void
path_of(const struct log *log, uint32_t place, char *path, size_t bytes)
{
    char name[LEAT_WAL_NAME_BYTES];
    leat_wal_name(name, log->files[place], false);
    (void)snprintf(path, bytes, "%s/%s", log->copy, name);
}

enum harm { TURN_BIT, ZERO_REST, CUT_SHORT, REMOVE, HARMS };

/* One segment of the copy, from a block on. */
static void
harm(const struct log *log, uint32_t place, uint64_t offset, enum harm how)
{
    static const unsigned char zeros[SEGMENT];
    char path[160];
    unsigned char byte = 0;
    path_of(log, place, path, sizeof(path));
    if (how == REMOVE) {
        CHECK_EQUAL(unlink(path), 0);
        return;
    }
    int file = open(path, O_RDWR | O_CLOEXEC);
    CHECK(file >= 0);
    CHECK_EQUAL(pread(file, &byte, 1, (off_t)offset + 20), 1);
    byte ^= 4;
    if (how == TURN_BIT) {
        CHECK_EQUAL(pwrite(file, &byte, 1, (off_t)offset + 20), 1);
    } else if (how == ZERO_REST) {
        CHECK_EQUAL(pwrite(file, zeros, SEGMENT - offset, (off_t)offset), SEGMENT - offset);
    } else {
        CHECK_EQUAL(ftruncate(file, (off_t)offset), 0);
    }
    CHECK_EQUAL(close(file), 0);
}

/* ---- salvage --------------------------------------------------------------------------------- */

static int
program(const char *arguments)
{
    char command[512];
    (void)snprintf(command, sizeof(command), "'%s' wal %s > /dev/null 2>&1", LEAT_PROGRAM,
                   arguments);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe,cert-env33-c) */
    return system(command) / 256;
}

static bool
salvage(const struct log *log, bool keyed)
{
    char arguments[300];
    (void)snprintf(arguments, sizeof(arguments), "salvage %s %s %s%s", log->copy, log->saved,
                   keyed ? "--key-file " : "", keyed ? log->key : "");
    return program(arguments) == 0;
}

/* The jobs that the saved records come to, by a reader of the test's own. */
static uint32_t
jobs_check(struct log *log, const struct test_log *records)
{
    struct leat_recovery_info found = leat_recovery_info_default();
    uint32_t jobs = 0;
    uint32_t count = test_log_count(records);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t id = test_log_image(records, i);
        if (id != 0 && !test_log_ended(records, count, id) &&
            !test_log_images(records, i, id)) { /* the first of them */
            struct leat_job_info info = leat_job_info_default();
            CHECK_OK(leat_get(log->engine, (leat_job_id){id}, &info));
            jobs++;
        }
    }
    CHECK_OK(leat_recovery_get(log->engine, &found));
    CHECK_EQUAL(found.jobs, jobs);
    return jobs;
}

/* Of all records of the engine. */
static void
new_ids_check(struct log *log)
{
    for (uint32_t i = 0; i < 20; i++) {
        leat_job_id id = submit(log, 0, HOUR_NS, LEAT_DURABILITY_GROUP);
        CHECK(leat_word_generation(id.bits) > log->highest);
    }
}

/* A damaged copy. */
static void
saved_check(struct log *log)
{
    if (!salvage(log, log->key[0] != '\0')) {
        return; /* there was nothing before the damage */
    }
    struct test_log *records = log->key[0] != '\0' ? NULL : test_log_read(log->saved);
    engine_open(log, log->saved);
    if (records != NULL) {
        (void)jobs_check(log, records);
        test_log_free(records);
    }
    new_ids_check(log);
    test_close(log->engine);
    test_directory_remove(log->saved);
    log->opened++;
}

static void
damaged(struct log *log, uint32_t place, uint64_t offset, enum harm how)
{
    test_directory_empty(log->copy);
    test_directory_copy(log->directory, log->copy);
    harm(log, place, offset, how);
    saved_check(log);
}

/* Each segment, in each way, in every so many-th byte. */
static void
everywhere(struct log *log, uint64_t stride)
{
    files_list(log);
    for (uint32_t place = 0; place < log->files_count; place++) {
        for (uint32_t how = 0; how < REMOVE; how++) {
            for (uint64_t offset = 0; offset < SEGMENT; offset += stride) {
                damaged(log, place, offset, (enum harm)how);
            }
        }
        damaged(log, place, 0, REMOVE);
    }
    test_say("%u segments, opened %u times\n", log->files_count, log->opened);
    CHECK(log->opened > log->files_count);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void
what_is_saved_opens(void **state)
{
    struct log *log = log_make(false);
    (void)state;
    everywhere(log, 7 * LEAT_WAL_BLOCK);
    log_free(log);
}

static void
an_encrypted_one_with_its_key(void **state)
{
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    struct log *log = log_make(true);
    everywhere(log, SEGMENT);
    log_free(log);
}

/* Two places of one log. */
static void
damaged_twice(void **state)
{
    struct log *log = log_make(false);
    (void)state;
    files_list(log);
    for (uint32_t place = 1; place < log->files_count; place++) {
        test_directory_empty(log->copy);
        test_directory_copy(log->directory, log->copy);
        for (uint32_t i = place; i < log->files_count; i++) {
            harm(log, i, 2 * LEAT_WAL_BLOCK, i % 2 == 0 ? ZERO_REST : TURN_BIT);
        }
        saved_check(log);
    }
    CHECK(log->opened != 0);
    log_free(log);
}

/* The one record that says which ids were given out last is in a batch that is bad, and of these
 * ids there is no other one. */
static void
the_last_ceiling_is_lost(void **state)
{
    struct log *log = log_make(false);
    (void)state;
    engine_open(log, log->directory);
    raise_ceiling(log);
    raise_ceiling(log);
    test_close(log->engine);
    files_list(log);
    for (uint64_t offset = LEAT_WAL_BLOCK; offset < SEGMENT; offset += LEAT_WAL_BLOCK) {
        damaged(log, log->files_count - 1, offset, TURN_BIT);
    }
    CHECK(log->opened != 0);
    log_free(log);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_opens),
        cmocka_unit_test(an_encrypted_one_with_its_key),
        cmocka_unit_test(damaged_twice),
        cmocka_unit_test(the_last_ceiling_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
