/* log_cut.c - see log_cut.h. */
#include "tests/support/log_cut.h"

#include <stdlib.h>
#include <string.h>

#include "engine/durable/record.h"
#include "engine/job.h"
#include "tests/support/check.h"

#define RECORDS_MAX 4096

struct test_log {
    uint32_t count;
    struct leat_wal_record records[RECORDS_MAX]; /* with data of their own */
};

static bool
record_keep(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct test_log *log = context;
    (void)place;
    CHECK(log->count < RECORDS_MAX);
    void *data = malloc(record->bytes + 1U);
    CHECK(data != NULL);
    memcpy(data, record->data, record->bytes);
    log->records[log->count] = *record;
    log->records[log->count++].data = data;
    return true;
}

static void
wal_open(struct leat_wal *wal, const char *directory, struct test_log *log)
{
    struct leat_wal_report report;
    const struct leat_wal_reader reader = {record_keep, log};
    const struct leat_wal_config config = {.files = &leat_wal_files_system,
                                           .directory = directory,
                                           .memory = leat_memory_default(),
                                           .segment_bytes = UINT64_C(1) << 20,
                                           .ring_bytes = UINT64_C(1) << 19};
    CHECK_OK(leat_wal_open(wal, &config, &reader, &report));
}

struct test_log *
test_log_read(const char *directory)
{
    struct test_log *log = calloc(1, sizeof(*log));
    struct leat_wal wal;
    CHECK(log != NULL);
    wal_open(&wal, directory, log);
    leat_wal_close(&wal);
    return log;
}

uint32_t
test_log_count(const struct test_log *log)
{
    return log->count;
}

void
test_log_write(const struct test_log *log, uint32_t count, const char *directory)
{
    static struct test_log none;
    struct leat_wal wal;
    uint64_t position = 0;
    none.count = 0;
    wal_open(&wal, directory, &none);
    CHECK(none.count == 0);
    for (uint32_t i = 0; i < count; i++) {
        const struct leat_wal_entry entry = {.tag = log->records[i].tag,
                                             .data = log->records[i].data,
                                             .data_bytes = log->records[i].bytes};
        CHECK_OK(leat_wal_append(&wal, &entry, 1, LEAT_WAL_LAST, &position));
    }
    CHECK_OK(leat_wal_stop(&wal));
    leat_wal_close(&wal);
}

static bool
says_end(const struct leat_wal_record *record, uint64_t id)
{
    struct leat_durable_parts parts;
    if (record->tag == LEAT_DURABLE_END) {
        return memcmp(record->data, &id, sizeof(id)) == 0;
    }
    return record->tag == LEAT_DURABLE_JOB &&
           leat_durable_parts_read(&parts, record->data, record->bytes) == LEAT_OK &&
           parts.state.id == id && leat_phase_final(parts.state.phase);
}

/* A count, or a key, is one unit with the record before it, or stands alone: then that is passed
 * over. */
bool
test_log_whole(const struct test_log *log, uint32_t count)
{
    const uint32_t tag = count == log->count ? 0 : log->records[count].tag;
    return tag != LEAT_DURABLE_COUNT && tag != LEAT_DURABLE_HELD;
}

bool
test_log_ended(const struct test_log *log, uint32_t count, uint64_t id)
{
    bool ended = false;
    for (uint32_t i = 0; i < count; i++) {
        ended = ended || says_end(&log->records[i], id);
    }
    return ended;
}

uint64_t
test_log_image(const struct test_log *log, uint32_t record)
{
    struct leat_durable_parts parts;
    const struct leat_wal_record *at = &log->records[record];
    bool image = at->tag == LEAT_DURABLE_JOB &&
                 leat_durable_parts_read(&parts, at->data, at->bytes) == LEAT_OK &&
                 parts.state.image != 0;
    return image ? parts.state.id : 0;
}

bool
test_log_images(const struct test_log *log, uint32_t count, uint64_t id)
{
    bool images = false;
    for (uint32_t i = 0; i < count; i++) {
        images = images || test_log_image(log, i) == id;
    }
    return images;
}

uint32_t
test_log_tagged(const struct test_log *log, uint32_t tag)
{
    uint32_t tagged = 0;
    for (uint32_t i = 0; i < log->count; i++) {
        tagged += log->records[i].tag == tag ? 1 : 0;
    }
    return tagged;
}

void
test_log_free(struct test_log *log)
{
    for (uint32_t i = 0; i < log->count; i++) {
        free((void *)(uintptr_t)log->records[i].data); /* NOLINT(performance-no-int-to-ptr) */
    }
    free(log);
}
