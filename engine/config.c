/* config.c - defaults, the checks that name the bad field, and what a configuration takes. */
#include "engine/config.h"

#include "engine/seal/seal.h"
#include "engine/wal/wal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/events.h"
#include "engine/knobs.h"
#include "engine/timers.h"
#include "engine/wal/uring.h"

/* What every sized struct begins with. */
struct head {
    uint32_t size;
    uint32_t version;
};

void
leat_struct_init(void *given, size_t size, const void *defaults, size_t defaults_bytes)
{
    if (given == NULL || size < sizeof(struct head)) {
        return;
    }
    uint32_t stated = (uint32_t)size;
    memset(given, 0, size);
    memcpy(given, defaults, size < defaults_bytes ? size : defaults_bytes);
    memcpy(given, &stated, sizeof(stated));
}

enum leat_status
leat_struct_read(void *known, size_t known_bytes, const void *given)
{
    struct head head;
    memcpy(&head, given, sizeof(head));
    if (head.size < sizeof(head)) {
        return LEAT_INVALID;
    }
    if (head.version != LEAT_STRUCT_VERSION) {
        return LEAT_UNSUPPORTED;
    }
    const unsigned char *bytes = given;
    for (size_t i = known_bytes; i < head.size; i++) {
        if (bytes[i] != 0) {
            return LEAT_UNSUPPORTED;
        }
    }
    memcpy(known, given, head.size < known_bytes ? head.size : known_bytes);
    return LEAT_OK;
}

enum leat_status
leat_struct_write(void *given, const void *filled, size_t filled_bytes)
{
    struct head head;
    memcpy(&head, given, sizeof(head));
    if (head.size < sizeof(head)) {
        return LEAT_INVALID;
    }
    if (head.version != LEAT_STRUCT_VERSION) {
        return LEAT_UNSUPPORTED;
    }
    size_t bytes = head.size < filled_bytes ? head.size : filled_bytes;
    unsigned char *to = given;
    const unsigned char *from = filled;
    memcpy(to + sizeof(head), from + sizeof(head), bytes - sizeof(head));
    return LEAT_OK;
}

enum leat_status
leat_error_set(struct leat_error *error, enum leat_status status, const char *field,
               const char *text)
{
    if (error != NULL) {
        error->status = status;
        (void)snprintf(error->field, sizeof(error->field), "%s", field);
        (void)snprintf(error->text, sizeof(error->text), "%s%s%s", field,
                       field[0] == '\0' ? "" : " ", text);
    }
    return status;
}

enum leat_status
leat_error_as(struct leat_error *error, enum leat_status status)
{
    if (error != NULL) {
        error->status = status;
    }
    return status;
}

enum leat_status
leat_error_within(struct leat_error *error, enum leat_status status, const char *field)
{
    if (error != NULL) {
        const struct leat_error inner = *error;
        (void)snprintf(error->field, sizeof(error->field), "%.15s.%.31s", field, inner.field);
        (void)snprintf(error->text, sizeof(error->text), "%.15s.%.190s", field, inner.text);
    }
    return status;
}

enum leat_status
leat_struct_refuse(const void *given, enum leat_status status, const char *maker,
                   struct leat_error *error)
{
    struct head head;
    char text[64];
    memcpy(&head, given, sizeof(head));
    const char *field = status == LEAT_INVALID ? "size" : "version";
    if (status == LEAT_INVALID || head.version == 0) {
        (void)snprintf(text, sizeof(text), "must be set by %s()", maker);
        return leat_error_set(error, status, field, text);
    }
    return leat_error_set(error, status, field, "or a field is newer than this library knows");
}

enum leat_status
leat_status_of(enum leat_os_result result)
{
    switch (result) {
    case LEAT_OS_OK:
        return LEAT_OK;
    case LEAT_OS_REFUSED:
        return LEAT_REFUSED;
    case LEAT_OS_NO_MEMORY:
        return LEAT_NO_MEMORY;
    case LEAT_OS_FAILED:
        break;
    }
    return LEAT_SYSTEM;
}

/* ---- defaults ------------------------------------------------------------------------------- */

static uint32_t
workers_default(void)
{
    uint16_t cpus[LEAT_WORKERS_MAX];
    uint32_t allowed = leat_os_cpus_allowed(cpus, LEAT_WORKERS_MAX);
    uint32_t quota = leat_quota_cpus("");
    return quota < allowed ? quota : allowed;
}

static struct leat_config
config_default(void)
{
    struct leat_config config;
    memset(&config, 0, sizeof(config));
    config.size = (uint32_t)sizeof(config);
    config.version = LEAT_STRUCT_VERSION;
    config.workers = workers_default();
    config.workers_max = LEAT_AUTO;
    config.lenders_max = 1;
    config.pinning = LEAT_PIN_ONE;
    config.starvation_picks = 61; /* prime, so that it does not beat with a pattern of the host's */
    config.spin_ns = 50000;       /* what a wake of a sleeping thread costs on a virtual CPU */
    config.worker_name = "leat";
    config.ring_slots = 16384;
    config.tasks_max = 262144;
    config.jobs_max = 1048576;
    config.payload_bytes_max = UINT32_C(1) << 20;
    config.payload_bytes_inline = 64;
    config.types_max = 4096;
    config.queues_max = 4096;
    config.schedules_max = 4096;
    config.retained_max = LEAT_AUTO;
    config.dead_max = LEAT_AUTO;
    config.retained_age_ns = UINT64_C(3600) * 1000000000;
    config.sample_interval = 32;
    config.statistics_rows = 128; /* some thousand lines of metrics */
    config.stuck_ns = UINT64_C(60) * 1000000000;
    config.timer_tick_log2 = LEAT_WHEEL_TICK_LOG2_DEFAULT;
    config.quarantine_after = 3;
    config.trace = LEAT_TRACE_SAMPLING;
    config.trace_records = 1024;
    config.log_lines_per_s = 1000;
    config.event_mask = LEAT_EVENTS_ALL;
    config.events_max = 4096;
    config.durability = LEAT_DURABILITY_GROUP;
    config.log_segment_bytes = UINT64_C(64) << 20;
    config.log_ring_bytes = UINT64_C(4) << 20;
    config.threshold_period_ns = UINT64_C(10) * 1000000000;
    config.memory_soft_percent = LEAT_FOOTPRINT_SOFT_DEFAULT;
    return config;
}

void
leat_config_init(struct leat_config *config, size_t size)
{
    struct leat_config ours = config_default();
    leat_struct_init(config, size, &ours, sizeof(ours));
}

/* ---- checks --------------------------------------------------------------------------------- */

enum leat_status
leat_ranges_check(const struct leat_range_of *ranges, uint32_t count, struct leat_error *error)
{
    for (uint32_t i = 0; i < count; i++) {
        if (ranges[i].value < ranges[i].least || ranges[i].value > ranges[i].most) {
            return leat_error_set(error, LEAT_INVALID, ranges[i].field, ranges[i].text);
        }
    }
    return LEAT_OK;
}

/* What this build cannot do. */
static enum leat_status
build_check(const struct leat_config *config, struct leat_error *error)
{
    if (config->log_compression != LEAT_LOG_COMPRESSION_NONE && !leat_seal_compresses()) {
        return leat_error_set(error, LEAT_UNSUPPORTED, "log_compression",
                              "wants a build of Leat with lz4 (CMake: LEAT_LZ4)");
    }
    if (config->log_sync == LEAT_LOG_SYNC_IO_URING && !leat_wal_uring_there()) {
        return leat_error_set(error, LEAT_UNSUPPORTED, "log_sync",
                              "wants a build of Leat with liburing (CMake: LEAT_URING)");
    }
    bool encrypts = config->log_key_file != NULL || config->log_key != NULL;
    if (encrypts && !leat_seal_encrypts()) {
        return leat_error_set(error, LEAT_UNSUPPORTED,
                              config->log_key_file != NULL ? "log_key_file" : "log_key",
                              "wants a build of Leat with libcrypto (CMake: LEAT_CRYPTO)");
    }
    return LEAT_OK;
}

static enum leat_status
log_check(const struct leat_config *config, struct leat_error *error)
{
    if (config->log_directory != NULL && config->inline_mode) {
        return leat_error_set(error, LEAT_INVALID, "log_directory",
                              "and inline_mode exclude each other");
    }
    if (config->log_directory != NULL && config->log_ring_bytes > config->log_segment_bytes / 2) {
        return leat_error_set(error, LEAT_INVALID, "log_ring_bytes",
                              "must be at most half of log_segment_bytes");
    }
    if (config->log_segment_bytes % LEAT_WAL_SEGMENT_BYTES_MIN != 0) {
        return leat_error_set(error, LEAT_INVALID, "log_segment_bytes",
                              "must be a multiple of 64 KiB");
    }
    if ((unsigned)config->log_sync > LEAT_LOG_SYNC_IO_URING) {
        return leat_error_set(error, LEAT_INVALID, "log_sync", "must be one of leat_log_sync");
    }
    if (config->log_key_file != NULL && config->log_key != NULL) {
        return leat_error_set(error, LEAT_INVALID, "log_key",
                              "and log_key_file exclude each other");
    }
    if (config->log_bytes_max != 0 &&
        config->log_bytes_max / LEAT_LOG_SEGMENTS_MIN < config->log_segment_bytes) {
        return leat_error_set(error, LEAT_INVALID, "log_bytes_max",
                              "must be 0, or at least 8 times log_segment_bytes");
    }
    return LEAT_OK;
}

static enum leat_status
rest_check(const struct leat_config *config, struct leat_error *error)
{
    if ((config->allocator.allocate == NULL) != (config->allocator.release == NULL)) {
        return leat_error_set(error, LEAT_INVALID, "allocator",
                              "must have both functions or neither");
    }
    enum leat_status status = log_check(config, error);
    return status == LEAT_OK ? build_check(config, error) : status;
}

static enum leat_status
workers_check(struct leat_config *config, struct leat_error *error)
{
    bool realtime = config->scheduling != LEAT_SCHEDULING_INHERIT;
    uint32_t least = realtime ? 1 : 0;
    uint32_t most = realtime ? LEAT_REALTIME_MAX : 0;
    if (config->workers_max == LEAT_AUTO) {
        config->workers_max = config->workers;
    }
    const struct leat_range_of ranges[] = {
        {"workers_max", config->workers_max, config->workers, LEAT_WORKERS_MAX,
         "must be at least workers, and at most 256"},
        {"scheduling_priority", config->scheduling_priority, least, most,
         "must be 1 to 99 with real-time scheduling, else 0"},
    };
    return leat_ranges_check(ranges, 2, error);
}

static enum leat_status
retained_check(const char *field, uint32_t *value, uint32_t jobs_max, struct leat_error *error)
{
    if (*value == LEAT_AUTO) {
        uint32_t quarter = jobs_max / 4;
        *value = quarter < LEAT_RETAINED_DEFAULT ? quarter : LEAT_RETAINED_DEFAULT;
    }
    if (*value > jobs_max || *value > LEAT_RETAINED_MAX) {
        return leat_error_set(error, LEAT_INVALID, field, "must be at most jobs_max, and 2^20");
    }
    return LEAT_OK;
}

enum leat_status
leat_config_read(struct leat_config *concrete, const struct leat_config *given,
                 struct leat_error *error)
{
    *concrete = config_default();
    enum leat_status status = LEAT_OK;
    if (given != NULL) {
        status = leat_struct_read(concrete, sizeof(*concrete), given);
    }
    if (status != LEAT_OK) {
        return leat_struct_refuse(given, status, "leat_config_default", error);
    }
    status = leat_knobs_check(concrete, error);
    if (status == LEAT_OK) {
        status = rest_check(concrete, error);
    }
    if (status == LEAT_OK) {
        status = workers_check(concrete, error);
    }
    if (status == LEAT_OK) {
        status = retained_check("retained_max", &concrete->retained_max, concrete->jobs_max, error);
    }
    if (status == LEAT_OK) {
        status = retained_check("dead_max", &concrete->dead_max, concrete->jobs_max, error);
    }
    return status;
}

enum leat_status
leat_config_check(const struct leat_config *config, struct leat_error *error)
{
    struct leat_config concrete;
    struct leat_error unused;
    if (config == NULL) {
        return leat_error_set(error, LEAT_INVALID, "config", "must not be NULL");
    }
    enum leat_status status = leat_config_read(&concrete, config, error == NULL ? &unused : error);
    return status == LEAT_OK ? leat_error_set(error, LEAT_OK, "", "ok") : status;
}

/* Does what an open of a log does first, up to what the system refuses. 0, or a negative errno. */
static int
log_try(const char *path, const char **what)
{
    static const char name[] = "leat.try"; /* no name of the log's: an open passes it by */
    const struct leat_wal_files *files = &leat_wal_files_system;
    int directory = -1;
    int file = -1;
    *what = "an open";
    int result = files->directory_open(files->disk, path, &directory);
    if (result != 0) {
        return result;
    }
    *what = "fsync";
    result = files->directory_sync(files->disk, directory);
    if (result == 0) {
        *what = "a new file";
        result = files->create(files->disk, directory, name, &file);
    }
    result = result == -EEXIST ? 0 : result;
    if (file >= 0) {
        files->close(files->disk, file);
        (void)files->remove(files->disk, directory, name);
    }
    files->directory_close(files->disk, directory);
    return result;
}

enum leat_status
leat_config_explain_log(const struct leat_config *concrete, enum leat_status status,
                        struct leat_error *error)
{
    static const char field[] = "log_directory";
    char text[sizeof(error->text) - sizeof(field)];
    const char *what = "";
    const bool system = status == LEAT_REFUSED || status == LEAT_SYSTEM;
    if (!system || strcmp(error->field, field) != 0) {
        return status;
    }
    const int result = log_try(concrete->log_directory, &what);
    if (result == 0) {
        return status;
    }
    (void)snprintf(text, sizeof(text), "%.80s cannot hold a log: the system refuses %s: %s",
                   concrete->log_directory, what, strerrordesc_np(-result));
    return leat_error_set(error, status, field, text);
}

/* ---- what it becomes ------------------------------------------------------------------------ */

struct leat_memory
leat_config_memory(const struct leat_config *concrete)
{
    struct leat_memory memory = leat_memory_default();
    if (concrete->allocator.allocate != NULL) {
        memory.allocate = concrete->allocator.allocate;
        memory.release = concrete->allocator.release;
        memory.context = concrete->allocator.context;
    }
    return memory;
}

struct leat_os_schedule
leat_config_schedule(const struct leat_config *concrete)
{
    struct leat_os_schedule schedule = {.policy = LEAT_OS_POLICY_INHERIT,
                                        .priority = concrete->scheduling_priority};
    if (concrete->scheduling == LEAT_SCHEDULING_FIFO) {
        schedule.policy = LEAT_OS_POLICY_FIFO;
    } else if (concrete->scheduling == LEAT_SCHEDULING_ROUND_ROBIN) {
        schedule.policy = LEAT_OS_POLICY_ROUND_ROBIN;
    }
    return schedule;
}

uint32_t
leat_config_places(const struct leat_config *concrete)
{
    return concrete->workers != 0 ? concrete->workers_max : concrete->lenders_max;
}

struct leat_pool_config
leat_config_pool(const struct leat_config *concrete)
{
    struct leat_pool_config pool;
    memset(&pool, 0, sizeof(pool));
    pool.workers = concrete->workers;
    pool.workers_max = concrete->workers_max;
    pool.lenders_max = concrete->lenders_max;
    pool.ring_slots_log2 = leat_log2_up(concrete->ring_slots);
    if (concrete->trace_records != 0) {
        pool.flight_slots_log2 = leat_log2_up(concrete->trace_records);
    }
    pool.tasks_max = concrete->tasks_max;
    pool.items_max = concrete->tasks_max + concrete->jobs_max;
    /* See gates.h, reserves.h, and leat_lists_placed(). */
    pool.queues = 3 * concrete->queues_max + 2 * concrete->types_max + 1;
    pool.starvation_picks = concrete->starvation_picks;
    pool.pin = (enum leat_pool_pin)concrete->pinning;
    pool.schedule = leat_config_schedule(concrete);
    pool.busy_poll = concrete->busy_poll;
    pool.prefault = concrete->prefault;
    pool.lock_memory = concrete->lock_memory;
    pool.huge_pages = concrete->huge_pages;
    pool.spin_ns = concrete->spin_ns;
    pool.tick_ns = concrete->workers != 0 ? concrete->tick_ns : 0;
    pool.stack_bytes = concrete->worker_stack_bytes;
    (void)snprintf(pool.name, sizeof(pool.name), "%s", concrete->worker_name);
    pool.memory = leat_config_memory(concrete);
    return pool;
}

struct leat_slab_config
leat_config_jobs(const struct leat_config *concrete)
{
    uint16_t cpus[LEAT_SLAB_SHARDS_MAX];
    struct leat_slab_config jobs = {.capacity = concrete->jobs_max,
                                    .shards = leat_os_cpus_allowed(cpus, LEAT_SLAB_SHARDS_MAX),
                                    .record_bytes = sizeof(struct leat_job_record),
                                    .generation_start = 0};
    return jobs;
}

size_t
leat_memory_size(const struct leat_config *config)
{
    struct leat_config concrete;
    struct leat_error error;
    if (config == NULL || leat_config_read(&concrete, config, &error) != LEAT_OK) {
        return 0;
    }
    struct leat_pool_config pool = leat_config_pool(&concrete);
    struct leat_slab_config jobs = leat_config_jobs(&concrete);
    return leat_pool_bytes(&pool) + leat_slab_bytes(&jobs) + leat_engine_bytes(&concrete) +
           leat_timers_bytes(&concrete) + leat_buckets_bytes(&concrete) +
           leat_events_bytes(&concrete);
}
