/* unit_durable_sealed.c - the content of sealed records: a log of jobs, encrypted, compressed, or
 * both, cut off at its bytes and with its bits turned round; and with bits turned round by somebody
 * who sets the log's own sums right again. However it is damaged, no record is ever read that is
 * not as it was given, salvage tells all that stands before the damage, and four threads say what
 * one says. And each bit of a record alone, of each
 * kind; and what memory is asked for.
 *
 *   unit_durable_sealed              some thousand of each; fewer under a sanitizer
 *   unit_durable_sealed bits         every bit of 64 KiB: minutes
 *   unit_durable_sealed cuts [WAY]   every byte of 1 MiB: half an hour for each way: encrypted,
 *                                    compressed, both
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/durable/sealed.h"
#include "engine/wal/crc32c.h"
#include "tests/support/check.h"
#include "tests/support/disk.h"
#include "tests/support/memory.h"
#include "tests/support/seal.h"
#include "tests/support/threads.h"

#define JOBS_MAX    2048
#define PAYLOAD_MAX 5000
#define FILE_NAME   "0000000000000001.wal"

static uint32_t bits_step = 97; /* of those that are turned round */
static uint32_t cuts_step = 4099;
static uint32_t both_step = 7; /* of those that are read by one thread and by four */

struct fixture {
    struct disk disk;
    struct leat_seal seal;
    struct leat_unsealed room;
    struct leat_wal_config config;
    struct leat_wal_report report;
    uint32_t jobs;
    uint64_t size;            /* of the segment */
    uint64_t ends[JOBS_MAX];  /* of their batches, in it */
    uint64_t tails[JOBS_MAX]; /* of what of these is not zero */
    bool goes_on;             /* a record that is refused does not end the reading */
    uint32_t read;
    uint32_t refused;
    uint32_t early;          /* of them were unsealed ahead */
    uint32_t reads;          /* of the log */
    enum leat_status status; /* why the last one was */
    bool wrong;
    unsigned char payload[PAYLOAD_MAX];
    unsigned char content[2 * PAYLOAD_MAX];
};

enum way { WAY_ENCRYPTED, WAY_COMPRESSED, WAY_BOTH };

static const char *const way_names[] = {"encrypted", "compressed", "both"};
static const char *only_way; /* NULL: each */

static bool
is_tried(enum way way)
{
    bool is_built = (way == WAY_COMPRESSED || leat_seal_encrypts()) &&
                    (way == WAY_ENCRYPTED || leat_seal_compresses());
    return is_built && (only_way == NULL || strcmp(only_way, way_names[way]) == 0);
}

/* ---- jobs by number -------------------------------------------------------------------------- */

static uint32_t
payload_bytes(uint32_t number)
{
    return number % 4 == 3 ? PAYLOAD_MAX - number % 1000 : number * 37 % 300;
}

/* Those that are large compress, but for some. */
static void
payload_fill(uint32_t number, unsigned char *payload)
{
    for (uint32_t i = 0; i < payload_bytes(number); i++) {
        uint32_t spread = number % 8 == 7 ? (i + number) * UINT32_C(2654435761) >> 13 : i / 32;
        payload[i] = (unsigned char)(number * 7 + spread);
    }
}

/* State and content of a job, without its payload. */
static size_t
image_fill(struct fixture *fixture, uint32_t number, struct leat_durable_state *state)
{
    struct leat_job job = leat_job_default();
    job.payload = fixture->payload;
    job.payload_bytes = payload_bytes(number);
    payload_fill(number, fixture->payload);
    const struct leat_durable_job read = {.job = &job,
                                          .options = leat_job_options_default(),
                                          .type = "type",
                                          .queue = "queue",
                                          .sequence = number + 1};
    size_t bytes = leat_durable_content_put(&read, fixture->content, sizeof(fixture->content));
    *state = (struct leat_durable_state){.format = LEAT_DURABLE_FORMAT,
                                         .version = number,
                                         .id = number + 1,
                                         .image = 1,
                                         .content_bytes = (uint32_t)(bytes + job.payload_bytes)};
    return bytes;
}

/* It is the job that its id says, to the last byte. */
static bool
is_right(struct fixture *fixture, const struct leat_wal_record *plain)
{
    struct leat_durable_parts parts;
    struct leat_durable_found found;
    struct leat_durable_state state;
    if (plain->tag != LEAT_DURABLE_JOB ||
        leat_durable_parts_read(&parts, plain->data, plain->bytes) != LEAT_OK ||
        leat_durable_content_read(&found, parts.content, parts.state.content_bytes) != LEAT_OK ||
        parts.state.id == 0 || parts.state.id > fixture->jobs) {
        return false;
    }
    uint32_t number = (uint32_t)parts.state.id - 1;
    size_t head = image_fill(fixture, number, &state);
    return memcmp(&state, &parts.state, sizeof(state)) == 0 &&
           plain->bytes == sizeof(state) + head + payload_bytes(number) &&
           memcmp(parts.content, fixture->content, head) == 0 &&
           (payload_bytes(number) == 0 ||
            memcmp(parts.content + head, fixture->payload, payload_bytes(number)) == 0);
}

static bool
record_read(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct fixture *fixture = context;
    struct leat_wal_record plain;
    (void)place;
    fixture->early += record->ahead != NULL ? 1 : 0;
    enum leat_status status = leat_sealed_read(&fixture->seal, &fixture->room, record, &plain);
    if (status != LEAT_OK) {
        fixture->status = status;
        fixture->refused++;
        return fixture->goes_on;
    }
    fixture->read++;
    fixture->wrong = fixture->wrong || !is_right(fixture, &plain);
    return true;
}

static void
reading_begin(struct fixture *fixture, uint32_t threads)
{
    fixture->config.threads = threads;
    fixture->config.ahead = threads > 1 ? leat_sealed_ahead : NULL;
    fixture->config.ahead_context = &fixture->seal;
    fixture->read = 0;
    fixture->early = 0;
    fixture->refused = 0;
    fixture->status = LEAT_OK;
}

static enum leat_status
read_by(struct fixture *fixture, uint32_t threads)
{
    const struct leat_wal_reader reader = {record_read, fixture};
    reading_begin(fixture, threads);
    return leat_wal_read(&fixture->config, &reader, &fixture->report);
}

/* The same by one thread, and now and then by four, some of whom unseal ahead. */
static enum leat_status
read_log(struct fixture *fixture)
{
    enum leat_status status = read_by(fixture, 1);
    if (fixture->reads++ % both_step == 0) {
        const struct leat_wal_report report = fixture->report;
        const uint32_t counts[2] = {fixture->read, fixture->refused};
        enum leat_status why = fixture->status;
        CHECK_EQUAL(fixture->early, 0);
        CHECK_STATUS(read_by(fixture, 4), status);
        CHECK_EQUAL(fixture->read, counts[0]);
        CHECK_EQUAL(fixture->refused, counts[1]);
        CHECK_EQUAL(fixture->status, why);
        CHECK_EQUAL(memcmp(&report, &fixture->report, sizeof(report)), 0);
    }
    return status;
}

/* ---- a log ----------------------------------------------------------------------------------- */

static bool
job_append(struct fixture *fixture, struct leat_wal *wal)
{
    struct leat_durable_state state;
    struct leat_sealed sealed;
    unsigned char head[sizeof(state) + 256];
    uint64_t position = 0;
    size_t bytes = image_fill(fixture, fixture->jobs, &state);
    CHECK(bytes <= 256);
    memcpy(head, &state, sizeof(state));
    memcpy(head + sizeof(state), fixture->content, bytes);
    const struct leat_wal_entry entry = {.tag = LEAT_DURABLE_JOB,
                                         .head = head,
                                         .head_bytes = (uint32_t)(sizeof(state) + bytes),
                                         .data = fixture->payload,
                                         .data_bytes = payload_bytes(fixture->jobs)};
    CHECK_OK(leat_sealed_make(&fixture->seal, &entry, &sealed));
    uint64_t size = leat_bytes_size((uint64_t)sealed.entry.head_bytes + sealed.entry.data_bytes);
    bool fits = wal->offset + leat_wal_batch_size(size) <= wal->bytes;
    if (fits) {
        CHECK_OK(leat_wal_append(wal, &sealed.entry, 1, LEAT_WAL_FIRST, &position));
        CHECK_OK(leat_wal_wait(wal, position, UINT64_MAX));
        fixture->ends[fixture->jobs++] = wal->offset;
    }
    leat_sealed_give(&fixture->seal, &sealed);
    return fits;
}

static void
log_write(struct fixture *fixture)
{
    static struct leat_wal wal;
    const struct leat_wal_reader reader = {record_read, fixture};
    CHECK_OK(leat_wal_open(&wal, &fixture->config, &reader, &fixture->report));
    while (fixture->jobs < JOBS_MAX && job_append(fixture, &wal)) {
    }
    leat_wal_close(&wal);
}

static struct disk_file *
file_of(struct fixture *fixture)
{
    struct disk_file *file = disk_find(&fixture->disk, FILE_NAME);
    CHECK(file != NULL);
    return file;
}

static void
tails_find(struct fixture *fixture)
{
    const struct disk_file *file = file_of(fixture);
    for (uint32_t i = 0; i < fixture->jobs; i++) {
        fixture->tails[i] = fixture->ends[i];
        while (file->bytes[fixture->tails[i] - 1] == 0) {
            fixture->tails[i]--;
        }
    }
}

/* One segment, full of jobs. */
static struct fixture *
fixture_make(enum way way, uint64_t segment_bytes)
{
    const struct seal_test_setting setting = {.keys = {1},
                                              .keys_count = way == WAY_COMPRESSED ? 0 : 1,
                                              .compress_above = way == WAY_ENCRYPTED
                                                                    ? LEAT_SEAL_COMPRESS_NEVER
                                                                    : LEAT_SEAL_COMPRESS_ABOVE};
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    CHECK(fixture != NULL);
    disk_init(&fixture->disk);
    seal_test_open(&fixture->seal, &setting);
    fixture->config = (struct leat_wal_config){.files = &fixture->disk.files,
                                               .directory = "log",
                                               .memory = leat_memory_default(),
                                               .segment_bytes = segment_bytes,
                                               .ring_bytes = UINT64_C(1) << 15,
                                               .seed = 5};
    log_write(fixture);
    CHECK_OK(read_log(fixture));
    CHECK_EQUAL(fixture->read, fixture->jobs);
    CHECK(fixture->jobs >= 8 && !fixture->wrong);
    tails_find(fixture);
    /* Plain ones are short, and as they were given. */
    CHECK(way == WAY_COMPRESSED ? fixture->early > 0 : fixture->early == fixture->jobs);
    fixture->size = segment_bytes;
    return fixture;
}

static void
fixture_free(struct fixture *fixture)
{
    CHECK(!fixture->wrong);
    leat_unsealed_give(&fixture->seal, &fixture->room);
    leat_seal_close(&fixture->seal);
    disk_fini(&fixture->disk);
    free(fixture);
}

/* ---- cut off --------------------------------------------------------------------------------- */

/* How many jobs stand before `at`, of those that end there. */
static uint32_t
jobs_before(const struct fixture *fixture, const uint64_t *ends, uint64_t at)
{
    uint32_t count = 0;
    while (count < fixture->jobs && ends[count] <= at) {
        count++;
    }
    return count;
}

/* What is told of a log that reads as `status`: these jobs, and no other. */
static void
salvage_judge(struct fixture *fixture, enum leat_status status, uint32_t jobs)
{
    const struct leat_wal_reader reader = {record_read, fixture};
    reading_begin(fixture, fixture->reads % both_step == 0 ? 4 : 1);
    CHECK_STATUS(leat_wal_salvage(&fixture->config, &reader, &fixture->report), status);
    CHECK_EQUAL(fixture->read, jobs);
    CHECK_EQUAL(fixture->refused, 0);
}

/* Files that are too short are damage; zeros are a torn end, and what is read is a front part. */
static void
cuts_judge(enum way way)
{
    struct fixture *fixture = fixture_make(way, UINT64_C(1) << 20);
    struct disk_file *file = file_of(fixture);
    for (file->size = 0; file->size < fixture->size; file->size += cuts_step) {
        CHECK_EQUAL(read_log(fixture), LEAT_CORRUPT);
        CHECK_EQUAL(fixture->read, 0);
        salvage_judge(fixture, LEAT_CORRUPT, jobs_before(fixture, fixture->tails, file->size));
    }
    file->size = fixture->size;
    for (uint64_t at = fixture->size; at > LEAT_WAL_BLOCK;) {
        uint64_t next = at - LEAT_WAL_BLOCK < cuts_step ? LEAT_WAL_BLOCK : at - cuts_step;
        memset(file->bytes + next, 0, at - next);
        at = next;
        uint32_t before = jobs_before(fixture, fixture->tails, at);
        CHECK_OK(read_log(fixture));
        CHECK(fixture->read == before && fixture->refused == 0);
        salvage_judge(fixture, LEAT_OK, before);
    }
    CHECK_EQUAL(fixture->read, 0);
    fixture_free(fixture);
}

static void
test_cut_off(void **state)
{
    (void)state;
    for (enum way way = WAY_ENCRYPTED; way <= WAY_BOTH; way++) {
        if (is_tried(way)) {
            cuts_judge(way);
        }
    }
}

/* ---- turned round ---------------------------------------------------------------------------- */

static void
turn(struct disk_file *file, uint64_t bit)
{
    file->bytes[bit / 8] = (unsigned char)(file->bytes[bit / 8] ^ (1U << (bit % 8)));
}

/* By accident: the log's own sums notice, or what is behind it is a torn end. */
static void
bits_judge(enum way way)
{
    struct fixture *fixture = fixture_make(way, UINT64_C(1) << 16);
    struct disk_file *file = file_of(fixture);
    for (uint64_t bit = 0; bit < 8 * fixture->size; bit += bits_step) {
        turn(file, bit);
        enum leat_status status = read_log(fixture);
        CHECK(status == LEAT_OK || status == LEAT_CORRUPT || status == LEAT_UNSUPPORTED);
        CHECK(status != LEAT_OK || fixture->read + 1 >= fixture->jobs);
        CHECK(fixture->refused == 0);
        salvage_judge(fixture, status, jobs_before(fixture, fixture->ends, bit / 8));
        turn(file, bit);
    }
    fixture_free(fixture);
}

static void
test_turned_round(void **state)
{
    (void)state;
    for (enum way way = WAY_ENCRYPTED; way <= WAY_BOTH; way++) {
        if (is_tried(way)) {
            bits_judge(way);
        }
    }
}

/* Sets the sums of a batch right. */
static void
batch_seal(struct disk_file *file, uint64_t offset)
{
    struct leat_wal_batch batch;
    memcpy(&batch, file->bytes + offset, sizeof(batch));
    uint64_t size = leat_wal_batch_size(batch.bytes);
    batch.body_crc = leat_crc32c(0, file->bytes + offset + sizeof(batch), size - sizeof(batch));
    leat_wal_batch_seal(&batch);
    memcpy(file->bytes + offset, &batch, sizeof(batch));
}

/* All bits of the bodies of a batch, each with sums that are right: its one record is refused, or
 * as it was. Says how many were refused. */
static uint64_t
forged_judge(struct fixture *fixture, struct disk_file *file, uint64_t offset, uint64_t size)
{
    uint64_t refused = 0;
    uint64_t first = 8 * (offset + sizeof(struct leat_wal_batch));
    for (uint64_t bit = first + offset / 8 % bits_step; bit < 8 * (offset + size);
         bit += bits_step) {
        turn(file, bit);
        batch_seal(file, offset);
        (void)read_log(fixture);
        CHECK(fixture->read <= fixture->jobs);
        refused += fixture->refused;
        turn(file, bit);
        batch_seal(file, offset);
    }
    return refused;
}

/* On purpose, by who can write to the disk and has no key. */
static void
test_forged(void **state)
{
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    struct fixture *fixture =
        fixture_make(leat_seal_compresses() ? WAY_BOTH : WAY_ENCRYPTED, UINT64_C(1) << 16);
    struct disk_file *file = file_of(fixture);
    uint64_t refused = 0;
    fixture->goes_on = true;
    for (uint64_t offset = LEAT_WAL_BLOCK; offset < fixture->size;) {
        struct leat_wal_batch batch;
        memcpy(&batch, file->bytes + offset, sizeof(batch));
        if (batch.magic != LEAT_WAL_BATCH) {
            break;
        }
        uint64_t size = leat_wal_batch_size(batch.bytes);
        refused += forged_judge(fixture, file, offset, size);
        offset += size;
    }
    CHECK(refused * bits_step > 50000);
    CHECK_OK(read_log(fixture));
    CHECK_EQUAL(fixture->read, fixture->jobs);
    fixture_free(fixture);
}

/* ---- one record ------------------------------------------------------------------------------ */

struct sample {
    struct leat_wal_entry entry;
    const char *clear; /* text that stands in the record as it is, or NULL */
    const char *hidden;
};

/* As it was given, joined. */
static uint32_t
joined(const struct leat_wal_entry *entry, unsigned char *to)
{
    if (entry->head_bytes != 0) {
        memcpy(to, entry->head, entry->head_bytes);
    }
    if (entry->data_bytes != 0) {
        memcpy(to + entry->head_bytes, entry->data, entry->data_bytes);
    }
    return entry->head_bytes + entry->data_bytes;
}

static bool
has(const unsigned char *bytes, size_t count, const char *text)
{
    return memmem(bytes, count, text, strlen(text)) != NULL;
}

/* Ahead of its turn it is the same, within the room that there is; or it is left for its turn. */
static void
ahead_judge(struct leat_seal *seal, const struct leat_wal_record *record,
            const struct leat_wal_record *given)
{
    static _Alignas(16) unsigned char to[2048];
    struct leat_wal_record early = *record;
    struct leat_wal_record plain;
    uint32_t fitted = 0;
    for (size_t room = 0; room <= 1024; room += 16) {
        struct leat_unsealed none = {.block = NULL};
        memset(to, 0xa5, sizeof(to));
        size_t made = leat_sealed_ahead(seal, record, to, room);
        CHECK(made <= room && made % 16 == 0);
        for (size_t i = room; i < sizeof(to); i++) {
            CHECK(to[i] == 0xa5);
        }
        if (made == 0) {
            CHECK_EQUAL(fitted, 0);
            continue;
        }
        fitted++;
        early.ahead = to;
        CHECK_OK(leat_sealed_read(seal, &none, &early, &plain));
        CHECK(plain.tag == given->tag && plain.bytes == given->bytes && none.key != 0);
        CHECK_EQUAL(memcmp(plain.data, given->data, given->bytes), 0);
        CHECK(none.block == NULL);
    }
    CHECK(fitted > 0);
}

static void
sample_judge(struct leat_seal *seal, const struct sample *sample)
{
    struct leat_unsealed room = {.block = NULL};
    struct leat_sealed sealed;
    static unsigned char given[512];
    static unsigned char stored[512];
    struct leat_wal_record plain;
    uint32_t bytes = joined(&sample->entry, given);
    CHECK_OK(leat_sealed_make(seal, &sample->entry, &sealed));
    const struct leat_wal_record record = {stored, joined(&sealed.entry, stored), sealed.entry.tag,
                                           NULL};
    leat_sealed_give(seal, &sealed);
    CHECK_EQUAL(record.tag, sample->entry.tag | LEAT_DURABLE_SEALED);
    CHECK_EQUAL(record.bytes, bytes + LEAT_SEAL_OVERHEAD_BYTES);
    CHECK(sample->clear == NULL || has(stored, record.bytes, sample->clear));
    CHECK(sample->hidden == NULL || !has(stored, record.bytes, sample->hidden));
    CHECK_OK(leat_sealed_read(seal, &room, &record, &plain));
    CHECK(plain.tag == sample->entry.tag && plain.bytes == bytes && room.key != 0);
    CHECK_EQUAL(memcmp(plain.data, given, bytes), 0);
    ahead_judge(seal, &record, &plain);
    for (uint32_t bit = 0; bit < 8 * record.bytes; bit++) {
        stored[bit / 8] = (unsigned char)(stored[bit / 8] ^ (1U << (bit % 8)));
        CHECK(leat_sealed_read(seal, &room, &record, &plain) != LEAT_OK);
        stored[bit / 8] = (unsigned char)(stored[bit / 8] ^ (1U << (bit % 8)));
    }
    for (uint32_t bit = 0; bit < 22; bit++) {
        const struct leat_wal_record other = {stored, record.bytes, record.tag ^ (1U << bit), NULL};
        CHECK(leat_sealed_read(seal, &room, &other, &plain) != LEAT_OK);
    }
    for (uint32_t shorter = 0; shorter < record.bytes; shorter++) {
        const struct leat_wal_record other = {stored, shorter, record.tag, NULL};
        CHECK(leat_sealed_read(seal, &room, &other, &plain) != LEAT_OK);
    }
    leat_unsealed_give(seal, &room);
}

/* Each kind, and one that this build does not know: nothing of that is in the clear. */
static void
test_records(void **state)
{
    static struct leat_seal seal;
    const struct seal_test_setting setting = {
        .keys = {1}, .keys_count = 1, .compress_above = LEAT_SEAL_COMPRESS_NEVER};
    static const unsigned char long_text[200];
    unsigned char step[sizeof(struct leat_durable_state)];
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    memset(step, 'c', sizeof(step));
    const struct sample samples[] = {
        {{LEAT_DURABLE_JOB, sizeof(step), 0, step, NULL}, "cccccccc", NULL},
        {{LEAT_DURABLE_JOB, sizeof(step), 7, step, "content"}, "cccccccc", "content"},
        {{LEAT_DURABLE_JOB, 0, sizeof(step), NULL, step}, "cccccccc", NULL},
        {{LEAT_DURABLE_END, 8, 0, "12345678", NULL}, "12345678", NULL},
        {{LEAT_DURABLE_IDS, 16, 0, "1234567812345678", NULL}, NULL, "12345678"},
        {{LEAT_DURABLE_QUEUE, 8, 5, "12345678", "queue"}, NULL, "queue"},
        {{LEAT_DURABLE_QUEUE, 0, 13, NULL, "12345678queue"}, NULL, "queue"},
        {{200, 3, 200, "abc", long_text}, NULL, "abc"},
        {{201, 0, 0, NULL, NULL}, NULL, NULL},
    };
    seal_test_open(&seal, &setting);
    for (size_t i = 0; i < TEST_COUNT_OF(samples); i++) {
        sample_judge(&seal, &samples[i]);
    }
    leat_seal_close(&seal);
}

/* What is short asks for no memory; what is not is refused where there is none, and nothing is
 * lost. */
static void
test_memory(void **state)
{
    static struct leat_seal seal;
    static unsigned char data[2000];
    struct test_memory memory;
    struct leat_sealed sealed;
    uint64_t id = 7;
    const struct leat_seal_source key = seal_test_key(1);
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    test_memory_init(&memory);
    const struct leat_seal_config config = {.memory = test_memory_table(&memory),
                                            .keys = &key,
                                            .keys_count = 1,
                                            .compress_above = LEAT_SEAL_COMPRESS_NEVER,
                                            .bytes_max = 1 << 20};
    struct leat_error error;
    CHECK_OK(leat_seal_open(&seal, &config, &error));
    uint64_t calls = test_memory_calls(&memory);
    const struct leat_wal_entry end = {LEAT_DURABLE_END, sizeof(id), 0, &id, NULL};
    const struct leat_wal_entry step = {LEAT_DURABLE_JOB, sizeof(struct leat_durable_state), 0,
                                        data, NULL};
    const struct leat_wal_entry large = {LEAT_DURABLE_JOB, 100, 1900, data, data};
    for (uint32_t i = 0; i < 100; i++) {
        CHECK_OK(leat_sealed_make(&seal, i % 2 == 0 ? &end : &step, &sealed));
        leat_sealed_give(&seal, &sealed);
    }
    CHECK_EQUAL(test_memory_calls(&memory), calls);
    test_memory_fail(&memory, 0, true);
    CHECK_STATUS(leat_sealed_make(&seal, &large, &sealed), LEAT_NO_MEMORY);
    test_memory_heal(&memory);
    CHECK_OK(leat_sealed_make(&seal, &large, &sealed));
    leat_sealed_give(&seal, &sealed);
    leat_seal_close(&seal);
    CHECK_EQUAL(test_memory_blocks(&memory), 0);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_off), cmocka_unit_test(test_turned_round),
        cmocka_unit_test(test_forged),  cmocka_unit_test(test_records),
        cmocka_unit_test(test_memory),
    };
    if (test_sanitized()) {
        bits_step = 1999;
        cuts_step = 40009;
    }
    const char *what = argc < 2 ? "" : argv[1];
    bool bits = strcmp(what, "bits") == 0 && argc == 2;
    bool cuts = strcmp(what, "cuts") == 0 && argc <= 3;
    bool known = argc < 2 || bits || (cuts && argc == 2);
    for (enum way way = WAY_ENCRYPTED; cuts && argc == 3 && way <= WAY_BOTH; way++) {
        known = known || strcmp(argv[2], way_names[way]) == 0;
    }
    if (!known) {
        (void)fputs("usage: unit_durable_sealed [bits | cuts [encrypted | compressed | both]]\n",
                    stderr);
        return 2;
    }
    only_way = argc == 3 ? argv[2] : NULL;
    bits_step = bits ? 1 : bits_step;
    cuts_step = cuts ? 1 : cuts_step;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
