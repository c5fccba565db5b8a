/* unit_config.c - each field of the configuration below, at and above its limits, with the field
 * named in the error; structs of callers that are older or newer than the library; defaults; the
 * memory that a configuration takes, against what an open really maps. */
#include <stdlib.h>
#include <string.h>

#include "engine/config.h"
#include "engine/seal/seal.h"
#include "engine/wal/uring.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"
#include "tests/support/process.h"
#include "tests/support/threads.h"

#define VALUES_MAX 8
#define NOTHING    UINT64_C(0x6e6f7468696e67) /* ends a list of values */

struct field {
    const char *name;
    size_t offset;
    size_t bytes;
    uint64_t good[VALUES_MAX];
    uint64_t bad[VALUES_MAX];
};

#define FIELD(name)                                                                                \
#    name, offsetof(struct leat_config, name), sizeof(((struct leat_config *)0)->name)

#define RECORDS_LAST ((UINT64_C(1) << 26) - 1)

static const struct field fields[] = {
    {FIELD(workers), {0, 1, 256, NOTHING}, {257, UINT32_MAX, NOTHING}},
    {FIELD(lenders_max), {1, 256, NOTHING}, {0, 257, NOTHING}},
    {FIELD(pinning), {0, 1, 2, NOTHING}, {3, UINT32_MAX, NOTHING}},
    {FIELD(workers_max), {256, LEAT_AUTO, NOTHING}, {257, UINT32_MAX - 1, NOTHING}},
    {FIELD(scheduling), {0, NOTHING}, {3, UINT32_MAX, NOTHING}},
    {FIELD(scheduling_priority), {0, NOTHING}, {1, 99, UINT32_MAX, NOTHING}},
    {FIELD(starvation_picks), {0, 2, 1000000, NOTHING}, {1, 1000001, NOTHING}},
    {FIELD(spin_ns), {0, 1000000, NOTHING}, {1000001, UINT64_MAX, NOTHING}},
    {FIELD(tick_ns), {0, 10000, 10000000, NOTHING}, {1, 9999, 10000001, UINT64_MAX, NOTHING}},
    {FIELD(worker_stack_bytes),
     {0, 64 << 10, 1 << 30, NOTHING},
     {1, (64 << 10) - 1, (1 << 30) + 1, UINT64_MAX, NOTHING}},
    {FIELD(ring_slots), {64, 128, 1 << 20, NOTHING}, {0, 32, 63, 65, 96, 1 << 21, NOTHING}},
    {FIELD(tasks_max), {64, RECORDS_LAST, NOTHING}, {0, 63, RECORDS_LAST + 1, NOTHING}},
    {FIELD(jobs_max), {64, 65, RECORDS_LAST, NOTHING}, {0, 63, RECORDS_LAST + 1, NOTHING}},
    {FIELD(payload_bytes_max), {0, 1, 16 << 20, NOTHING}, {(16 << 20) + 1, NOTHING}},
    {FIELD(payload_bytes_inline), {0, 16, 4096, NOTHING}, {1, 8, 24, 4097, 4112, NOTHING}},
    {FIELD(types_max), {1, 65535, NOTHING}, {0, 65536, NOTHING}},
    {FIELD(queues_max), {1, 65535, NOTHING}, {0, 65536, NOTHING}},
    {FIELD(schedules_max), {1, 65535, NOTHING}, {0, 65536, NOTHING}},
    {FIELD(retained_max), {0, 1, 1 << 20, LEAT_AUTO, NOTHING}, {(1 << 20) + 1, NOTHING}},
    {FIELD(dead_max), {0, 1, 1 << 20, LEAT_AUTO, NOTHING}, {(1 << 20) + 1, NOTHING}},
    {FIELD(retained_age_ns),
     {0, LEAT_AGE_NS_MIN, LEAT_AGE_NS_MAX, NOTHING},
     {1, LEAT_AGE_NS_MIN - 1, LEAT_AGE_NS_MAX + 1, NOTHING}},
    {FIELD(dead_age_ns),
     {0, LEAT_AGE_NS_MIN, LEAT_AGE_NS_MAX, NOTHING},
     {1, LEAT_AGE_NS_MIN - 1, LEAT_AGE_NS_MAX + 1, NOTHING}},
    {FIELD(quarantine_after), {0, 3, 1000, NOTHING}, {1001, UINT32_MAX, NOTHING}},
    {FIELD(sample_interval), {0, 1, 1000000, NOTHING}, {1000001, UINT32_MAX, NOTHING}},
    {FIELD(memory_max), {0, 1, UINT64_MAX, NOTHING}, {NOTHING}},
    {FIELD(log_bytes_max),
     {0, UINT64_C(8) << 26, UINT64_MAX, NOTHING},
     {1, (UINT64_C(8) << 26) - 1, NOTHING}},
    {FIELD(memory_soft_percent), {1, 100, NOTHING}, {0, 101, UINT32_MAX, NOTHING}},
    {FIELD(statistics_rows), {0, 1, 65535, NOTHING}, {65536, UINT32_MAX, NOTHING}},
    {FIELD(stuck_ns),
     {0, 10000000, UINT64_C(366) * 86400 * 1000000000, NOTHING},
     {1, 9999999, UINT64_C(366) * 86400 * 1000000000 + 1, NOTHING}},
    {FIELD(systemd_notify), {0, 1, NOTHING}, {NOTHING}},
    {FIELD(trace), {0, 1, 2, NOTHING}, {3, UINT32_MAX, NOTHING}},
    {FIELD(trace_records),
     {0, 64, 128, 1 << 20, NOTHING},
     {1, 32, 63, 65, (1 << 20) + 1, 1 << 21, NOTHING}},
    {FIELD(log_level), {0, 3, NOTHING}, {4, UINT32_MAX, NOTHING}},
    {FIELD(log_lines_per_s), {0, 1, 1000000, NOTHING}, {1000001, UINT32_MAX, NOTHING}},
    {FIELD(event_mask), {0, 1, LEAT_EVENTS_ALL, NOTHING}, {LEAT_EVENTS_ALL + 1, NOTHING}},
    {FIELD(events_max), {64, 1 << 20, NOTHING}, {0, 32, 63, 65, 1 << 21, NOTHING}},
    {FIELD(threshold_period_ns),
     {10000000, UINT64_C(86400000000000), NOTHING},
     {0, 9999999, UINT64_C(86400000000001), NOTHING}},
    {FIELD(threshold_dead), {0, 1, UINT32_MAX, NOTHING}, {NOTHING}},
    {FIELD(threshold_waiting), {0, 1, UINT32_MAX, NOTHING}, {NOTHING}},
    {FIELD(threshold_failures), {0, 1, 100, NOTHING}, {101, UINT32_MAX, NOTHING}},
    {FIELD(threshold_oldest_ns),
     {0, 10000000, UINT64_C(366) * 86400 * 1000000000, NOTHING},
     {1, 9999999, UINT64_C(366) * 86400 * 1000000000 + 1, NOTHING}},
    {FIELD(busy_poll), {0, 1, NOTHING}, {NOTHING}},
    {FIELD(prefault), {0, 1, NOTHING}, {NOTHING}},
    {FIELD(lock_memory), {0, 1, NOTHING}, {NOTHING}},
    {FIELD(huge_pages), {0, 1, NOTHING}, {NOTHING}},
};

/* The default configuration with one field changed. Little-endian, as all machines Leat runs on. */
static struct leat_config
with(const struct field *field, uint64_t value)
{
    struct leat_config config = leat_config_default();
    memcpy((unsigned char *)&config + field->offset, &value, field->bytes);
    return config;
}

static void
refused(const struct leat_config *config, enum leat_status want, const char *field)
{
    struct leat_error error;
    memset(&error, 0x55, sizeof(error));
    CHECK_STATUS(leat_config_check(config, &error), want);
    CHECK_STATUS(error.status, want);
    CHECK_TEXT(error.field, field);
    CHECK(strlen(error.text) > 0);
    CHECK_STATUS(leat_config_check(config, NULL), want);
    CHECK_EQUAL(leat_memory_size(config), 0);

    struct leat_engine *engine = NULL;
    memset(&error, 0x55, sizeof(error));
    CHECK_STATUS(leat_open(config, &engine, &error), want);
    CHECK_STATUS(error.status, want);
    CHECK_TEXT(error.field, field);
    CHECK(engine == NULL);
}

static void
accepted(const struct leat_config *config)
{
    struct leat_error error;
    memset(&error, 0x55, sizeof(error));
    enum leat_status status = leat_config_check(config, &error);
    if (status != LEAT_OK) {
        test_say("%s: %s\n", error.field, error.text);
    }
    CHECK_STATUS(status, LEAT_OK);
    CHECK_STATUS(error.status, LEAT_OK);
    CHECK_TEXT(error.field, "");
    CHECK(leat_memory_size(config) > 0);
}

static void
limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_COUNT_OF(fields); i++) {
        for (size_t j = 0; fields[i].good[j] != NOTHING; j++) {
            struct leat_config config = with(&fields[i], fields[i].good[j]);
            accepted(&config);
        }
        for (size_t j = 0; fields[i].bad[j] != NOTHING; j++) {
            struct leat_config config = with(&fields[i], fields[i].bad[j]);
            refused(&config, LEAT_INVALID, fields[i].name);
        }
    }
}

static void
retained_follows_jobs(void **state)
{
    (void)state;
    struct leat_config config = leat_config_default();
    config.jobs_max = 64;
    config.retained_max = 64;
    config.dead_max = 64;
    accepted(&config);
    config.retained_max = 65;
    refused(&config, LEAT_INVALID, "retained_max");
    config.retained_max = 64;
    config.dead_max = 65;
    refused(&config, LEAT_INVALID, "dead_max");
    /* They stand in rings, which end at 2^20. */
    config.jobs_max = 1 << 21;
    config.dead_max = (1 << 20) + 1;
    refused(&config, LEAT_INVALID, "dead_max");
    config.retained_max = (1 << 20) + 1;
    refused(&config, LEAT_INVALID, "retained_max");
    config.jobs_max = 64;
    struct leat_config concrete;
    struct leat_error error;
    config.retained_max = LEAT_AUTO;
    config.dead_max = LEAT_AUTO;
    CHECK_OK(leat_config_read(&concrete, &config, &error));
    CHECK_EQUAL(concrete.retained_max, 16);
    CHECK_EQUAL(concrete.dead_max, 16);
    config.jobs_max = 1000000;
    CHECK_OK(leat_config_read(&concrete, &config, &error));
    CHECK_EQUAL(concrete.retained_max, 10000);
    CHECK_EQUAL(concrete.dead_max, 10000);
}

static void
workers_follow_workers_max(void **state)
{
    (void)state;
    struct leat_config config = leat_config_default();
    struct leat_config concrete;
    struct leat_error error;
    config.workers = 7;
    CHECK_OK(leat_config_read(&concrete, &config, &error));
    CHECK_EQUAL(concrete.workers_max, 7);
    config.workers_max = 6;
    refused(&config, LEAT_INVALID, "workers_max");
    config.workers_max = 7;
    accepted(&config);
    size_t bytes = leat_memory_size(&config);
    config.workers_max = 8;
    accepted(&config);
    CHECK(leat_memory_size(&config) > bytes);
}

static void
priorities_follow_scheduling(void **state)
{
    (void)state;
    struct leat_config config = leat_config_default();
    for (uint32_t i = LEAT_SCHEDULING_FIFO; i <= LEAT_SCHEDULING_ROUND_ROBIN; i++) {
        config.scheduling = (enum leat_scheduling)i;
        config.scheduling_priority = 0;
        refused(&config, LEAT_INVALID, "scheduling_priority");
        config.scheduling_priority = 1;
        accepted(&config);
        config.scheduling_priority = 99;
        accepted(&config);
        config.scheduling_priority = 100;
        refused(&config, LEAT_INVALID, "scheduling_priority");
    }
}

static void
pointers(void **state)
{
    (void)state;
    struct leat_config config = leat_config_default();
    struct test_memory memory;
    test_memory_init(&memory);
    config.worker_name = NULL;
    refused(&config, LEAT_INVALID, "worker_name");
    config.worker_name = "";
    refused(&config, LEAT_INVALID, "worker_name");
    config.worker_name = "twelve-bytes";
    refused(&config, LEAT_INVALID, "worker_name");
    config.worker_name = "eleven-byte";
    accepted(&config);
    config.worker_name = "1";
    accepted(&config);
    config.allocator = test_memory_allocator(&memory);
    accepted(&config);
    config.allocator.release = NULL;
    refused(&config, LEAT_INVALID, "allocator");
    config.allocator = test_memory_allocator(&memory);
    config.allocator.allocate = NULL;
    refused(&config, LEAT_INVALID, "allocator");
    config = leat_config_default();
    config.log_directory = "/tmp";
    accepted(&config);
    CHECK_EQUAL(test_memory_calls(&memory), 0);
}

static void
logs(void **state)
{
    (void)state;
    struct leat_config config = leat_config_default();
    config.log_directory = "/tmp";
    config.log_segment_bytes = 65536;
    refused(&config, LEAT_INVALID, "log_ring_bytes");
    config.log_ring_bytes = 32768;
    accepted(&config);
    config.log_ring_bytes = 65536;
    refused(&config, LEAT_INVALID, "log_ring_bytes");
    config.log_ring_bytes = 8192;
    refused(&config, LEAT_INVALID, "log_ring_bytes");
    config.log_ring_bytes = 16384;
    accepted(&config);
    config.log_segment_bytes = 65536 + 4096;
    refused(&config, LEAT_INVALID, "log_segment_bytes");
    config.log_segment_bytes = UINT64_C(1) << 31;
    accepted(&config);
    config.log_segment_bytes += 65536;
    refused(&config, LEAT_INVALID, "log_segment_bytes");
    config.log_segment_bytes = 65536;
    config.log_bytes_max = UINT64_C(8) * 65536 - 1;
    refused(&config, LEAT_INVALID, "log_bytes_max");
    config.log_bytes_max = UINT64_C(8) * 65536;
    accepted(&config);
    config.log_bytes_max = UINT64_MAX;
    accepted(&config);
    config.log_bytes_max = 0;
    config.durability = LEAT_DURABILITY_NONE;
    accepted(&config);
    config.durability = LEAT_DURABILITY_OF_ENGINE;
    refused(&config, LEAT_INVALID, "durability");
    config.durability = LEAT_DURABILITY_OS;
    accepted(&config);
    config.durability = (enum leat_durability)(LEAT_DURABILITY_GROUP + 1);
    refused(&config, LEAT_INVALID, "durability");
    config.durability = LEAT_DURABILITY_GROUP;
    config.log_sync = LEAT_LOG_SYNC_DSYNC;
    accepted(&config);
    config.log_sync = (enum leat_log_sync)(LEAT_LOG_SYNC_IO_URING + 1);
    refused(&config, LEAT_INVALID, "log_sync");
    config.log_sync = LEAT_LOG_SYNC_IO_URING;
    if (leat_wal_uring_there()) {
        accepted(&config);
    } else {
        refused(&config, LEAT_UNSUPPORTED, "log_sync");
    }
    config.log_sync = LEAT_LOG_SYNC_FDATASYNC;
    config.log_read_threads = 8;
    accepted(&config);
    config.log_read_threads = 9;
    refused(&config, LEAT_INVALID, "log_read_threads");
    config.log_read_threads = 0;
    accepted(&config);
    config.inline_mode = true;
    refused(&config, LEAT_INVALID, "log_directory");
}

static bool
no_key(void *context, uint32_t number,
       unsigned char *key) /* NOLINT(readability-non-const-parameter) */
{
    (void)context;
    (void)number;
    (void)key;
    return false;
}

/* A build without lz4, or libcrypto, says so by name. */
static void
what_is_stored(void **state)
{
    (void)state;
    struct leat_config config = leat_config_default();
    struct leat_error error;
    config.log_compression = (enum leat_log_compression)(LEAT_LOG_COMPRESSION_LZ4 + 1);
    refused(&config, LEAT_INVALID, "log_compression");
    config.log_compression = LEAT_LOG_COMPRESSION_LZ4;
    if (leat_seal_compresses()) {
        accepted(&config);
    } else {
        refused(&config, LEAT_UNSUPPORTED, "log_compression");
        CHECK_STATUS(leat_config_check(&config, &error), LEAT_UNSUPPORTED);
        CHECK(strstr(error.text, "LEAT_LZ4") != NULL);
    }
    config.log_compression = LEAT_LOG_COMPRESSION_NONE;
    config.log_key_file = "key:older";
    config.log_key = no_key;
    refused(&config, LEAT_INVALID, "log_key");
    if (leat_seal_encrypts()) {
        config.log_key = NULL;
        accepted(&config);
        config.log_key_file = NULL;
        config.log_key = no_key;
        accepted(&config);
        return;
    }
    config.log_key = NULL;
    refused(&config, LEAT_UNSUPPORTED, "log_key_file");
    CHECK_STATUS(leat_config_check(&config, &error), LEAT_UNSUPPORTED);
    CHECK(strstr(error.text, "LEAT_CRYPTO") != NULL);
    config.log_key_file = NULL;
    config.log_key = no_key;
    refused(&config, LEAT_UNSUPPORTED, "log_key");
}

/* ---- other ages ----------------------------------------------------------------------------- */

/* A caller whose struct ends earlier gets the defaults for the rest. */
static void
older_callers(void **state)
{
    (void)state;
    struct leat_config config;
    memset(&config, 0xff, sizeof(config));
    size_t known = offsetof(struct leat_config, ring_slots);
    leat_config_init(&config, known);
    CHECK_EQUAL(config.size, known);
    CHECK_EQUAL(config.version, LEAT_STRUCT_VERSION);
    /* Nothing is written behind what the caller has. */
    const unsigned char *bytes = (const unsigned char *)&config;
    for (size_t i = known; i < sizeof(config); i++) {
        CHECK_EQUAL(bytes[i], 0xff);
    }
    config.workers = 3;
    struct leat_config concrete;
    struct leat_error error;
    CHECK_OK(leat_config_check(&config, &error));
    CHECK_OK(leat_config_read(&concrete, &config, &error));
    struct leat_config ours = leat_config_default();
    CHECK_EQUAL(concrete.workers, 3);
    CHECK_EQUAL(concrete.ring_slots, ours.ring_slots);
    CHECK_EQUAL(concrete.jobs_max, ours.jobs_max);
    CHECK_EQUAL(concrete.sample_interval, ours.sample_interval);
    CHECK(concrete.worker_started == NULL);
}

struct newer_config {
    struct leat_config known;
    uint64_t unknown[3];
};

static void
newer_callers(void **state)
{
    (void)state;
    struct newer_config newer;
    struct leat_error error;
    memset(&newer, 0xff, sizeof(newer));
    leat_config_init(&newer.known, sizeof(newer));
    CHECK_EQUAL(newer.known.size, sizeof(newer));
    for (size_t i = 0; i < TEST_COUNT_OF(newer.unknown); i++) {
        CHECK_EQUAL(newer.unknown[i], 0);
    }
    CHECK_OK(leat_config_check(&newer.known, &error));
    for (size_t i = 0; i < TEST_COUNT_OF(newer.unknown); i++) {
        newer.unknown[i] = UINT64_C(1) << 63;
        CHECK_STATUS(leat_config_check(&newer.known, &error), LEAT_UNSUPPORTED);
        CHECK_STATUS(error.status, LEAT_UNSUPPORTED);
        newer.unknown[i] = 0;
    }
    CHECK_OK(leat_config_check(&newer.known, NULL));
}

static void
strange_heads(void **state)
{
    (void)state;
    struct leat_config config = leat_config_default();
    config.size = 0;
    refused(&config, LEAT_INVALID, "size");
    config.size = 7;
    refused(&config, LEAT_INVALID, "size");
    config = leat_config_default();
    config.version = 0;
    refused(&config, LEAT_UNSUPPORTED, "version");
    struct leat_error error;
    CHECK_STATUS(leat_config_check(&config, &error), LEAT_UNSUPPORTED);
    CHECK_TEXT(error.text, "version must be set by leat_config_default()");
    config.version = LEAT_STRUCT_VERSION + 1;
    refused(&config, LEAT_UNSUPPORTED, "version");
    CHECK_STATUS(leat_config_check(&config, &error), LEAT_UNSUPPORTED);
    CHECK_TEXT(error.text, "version or a field is newer than this library knows");
    CHECK_STATUS(leat_config_check(NULL, &error), LEAT_INVALID);
    CHECK_STATUS(leat_config_check(NULL, NULL), LEAT_INVALID);
    CHECK_EQUAL(leat_memory_size(NULL), 0);
    /* Too small for a head: left alone. */
    memset(&config, 0xee, sizeof(config));
    leat_config_init(&config, 7);
    CHECK_EQUAL(config.size, 0xeeeeeeee);
    leat_config_init(NULL, sizeof(config));
}

/* ---- defaults and memory -------------------------------------------------------------------- */

static void
defaults(void **state)
{
    (void)state;
    struct leat_config config = leat_config_default();
    accepted(&config);
    CHECK_EQUAL(config.size, sizeof(config));
    CHECK_EQUAL(config.version, LEAT_STRUCT_VERSION);
    CHECK(config.workers >= 1);
    CHECK_EQUAL(config.lenders_max, 1);
    CHECK_EQUAL(config.pinning, LEAT_PIN_ONE);
    CHECK_EQUAL(config.starvation_picks, 61);
    CHECK_EQUAL(config.spin_ns, 50000);
    CHECK_EQUAL(config.tick_ns, 0);
    CHECK_EQUAL(config.worker_stack_bytes, 0);
    CHECK_EQUAL(config.ring_slots, 16384);
    CHECK_EQUAL(config.tasks_max, 262144);
    CHECK_EQUAL(config.jobs_max, 1048576);
    CHECK_EQUAL(config.payload_bytes_max, 1 << 20);
    CHECK_EQUAL(config.payload_bytes_inline, 64);
    CHECK_EQUAL(config.types_max, 4096);
    CHECK_EQUAL(config.queues_max, 4096);
    CHECK_EQUAL(config.retained_max, LEAT_AUTO);
    CHECK_EQUAL(config.retained_age_ns, UINT64_C(3600) * 1000000000);
    CHECK_EQUAL(config.dead_age_ns, 0);
    CHECK_EQUAL(config.dead_max, LEAT_AUTO);
    CHECK_EQUAL(config.sample_interval, 32);
    CHECK_EQUAL(config.statistics_rows, 128);
    CHECK_EQUAL(config.stuck_ns, UINT64_C(60000000000));
    CHECK(!config.systemd_notify);
    CHECK(!config.busy_poll && !config.prefault && !config.lock_memory && !config.huge_pages);
    CHECK(config.allocator.allocate == NULL);
    CHECK(config.allocator.release == NULL);
    CHECK(config.log_directory == NULL);
    CHECK_EQUAL(config.workers_max, LEAT_AUTO);
    CHECK_EQUAL(config.scheduling, LEAT_SCHEDULING_INHERIT);
    CHECK_EQUAL(config.scheduling_priority, 0);
    struct leat_engine *engine = test_open(NULL);
    test_close(engine);
}

static const struct field *
field_of(const char *name)
{
    for (size_t i = 0; i < TEST_COUNT_OF(fields); i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return &fields[i];
        }
    }
    CHECK(false);
    return NULL;
}

static void
memory_grows_with_the_limits(void **state)
{
    (void)state;
    static const char *const that_grow[] = {"workers",   "ring_slots",           "tasks_max",
                                            "jobs_max",  "payload_bytes_inline", "types_max",
                                            "queues_max"};
    for (size_t i = 0; i < TEST_COUNT_OF(that_grow); i++) {
        const struct field *field = field_of(that_grow[i]);
        size_t more = field->good[2] == NOTHING ? 1 : 2;
        struct leat_config small = with(field, field->good[more - 1]);
        struct leat_config large = with(field, field->good[more]);
        CHECK(leat_memory_size(&small) < leat_memory_size(&large));
    }
    struct leat_config config = leat_config_default();
    CHECK(leat_memory_size(&config) >=
          (size_t)config.jobs_max * (64 + 8 + config.payload_bytes_inline));
}

/* Within 2 %, and 4 MiB for what the allocator takes at once. */
static void
memory_is_what_open_maps(void **state)
{
    (void)state;
    if (test_sanitized()) {
        skip();
    }
    struct leat_config config = leat_config_default();
    config.payload_bytes_inline = 256;
    config.retained_max = config.jobs_max;
    size_t said = leat_memory_size(&config);
    size_t before = test_address_space();
    struct leat_engine *engine = test_open(&config);
    size_t mapped = test_address_space() - before;
    size_t slack = said / 50 + (4 << 20);
    CHECK(mapped <= said + slack);
    CHECK(said <= mapped + slack);
    CHECK_OK(leat_close(engine));
    CHECK(test_address_space() <= before + slack);
}

/* A limit that the check takes, an open takes too. */
static void
limits_open(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.jobs_max = (1 << 21) + 5; /* kept: at most 2^20 */
    config.retained_max = 1 << 20;
    config.dead_max = 1 << 20;
    test_close(test_open(&config));
    config.jobs_max = 65;
    config.retained_max = 65;
    config.dead_max = 65;
    test_close(test_open(&config));
    config = test_config();
    config.retained_max = 1;
    config.dead_max = 1;
    test_close(test_open(&config));
    config.workers = 256;
    config.types_max = 1;
    config.queues_max = 1;
    config.payload_bytes_max = 0;
    config.payload_bytes_inline = 0;
    test_close(test_open(&config));
    config = test_config();
    config.prefault = true;
    config.huge_pages = true;
    test_close(test_open(&config));
    config = test_config();
    config.workers = 0;
    config.lenders_max = 256;
    test_close(test_open(&config));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits),
        cmocka_unit_test(retained_follows_jobs),
        cmocka_unit_test(workers_follow_workers_max),
        cmocka_unit_test(priorities_follow_scheduling),
        cmocka_unit_test(pointers),
        cmocka_unit_test(logs),
        cmocka_unit_test(what_is_stored),
        cmocka_unit_test(older_callers),
        cmocka_unit_test(newer_callers),
        cmocka_unit_test(strange_heads),
        cmocka_unit_test(defaults),
        cmocka_unit_test(memory_grows_with_the_limits),
        cmocka_unit_test(memory_is_what_open_maps),
        cmocka_unit_test(limits_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
