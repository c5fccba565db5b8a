/* open.c - from a log on the disk to an engine that goes on with it, and back. */
#include "engine/durable/internal.h"

#include <stdio.h>
#include <string.h>

#include "engine/config.h"
#include "engine/wal/crew.h"

/* ---- the log --------------------------------------------------------------------------------- */

static enum leat_status
say(struct leat_error *error, enum leat_status status, const char *text)
{
    static const char *const plain[LEAT_STATUS_COUNT] = {
        [LEAT_BUSY] = "is in use by another process, or by another engine of this one",
        [LEAT_NO_MEMORY] = "there is no memory for the jobs of the log",
        [LEAT_NO_SPACE] = "has no room on its disk for a segment (log_segment_bytes)",
        [LEAT_REFUSED] = "the system refused: the directory must be there, and be the user's own",
        [LEAT_SYSTEM] = "the system failed to read or write it",
        [LEAT_CORRUPT] = "has a record in it that is none of Leat's jobs",
        [LEAT_UNSUPPORTED] = "was written by a later version of Leat",
        [LEAT_INVALID] = "wants a log_ring_bytes of at most half of log_segment_bytes",
    };
    if (text[0] == '\0') {
        text = plain[status] == NULL ? leat_status_text(status) : plain[status];
    }
    return leat_error_set(error, status, "log_directory", text);
}

enum leat_status
leat_durable_read(struct leat_durable *durable, const struct leat_wal_record *record,
                  struct leat_wal_record *plain)
{
    enum leat_status status = leat_sealed_read(&durable->seal, &durable->unsealed, record, plain);
    if (status != LEAT_OK) {
        (void)leat_sealed_explain(&durable->seal, record, status, &durable->refusal);
    }
    return status;
}

/* Of a record that could not be unsealed. */
static enum leat_status
say_refusal(const struct leat_durable *durable, struct leat_error *error)
{
    char text[sizeof(error->text)];
    (void)snprintf(text, sizeof(text), "cannot be read: %.180s", durable->refusal.text);
    return leat_error_set(error, durable->refusal.status, "log_directory", text);
}

/* Of the files, with what the log says of them. */
static enum leat_status
say_report(struct leat_error *error, enum leat_status status, const struct leat_wal_report *report)
{
    char text[sizeof(error->text)];
    if (report->text[0] == '\0') {
        return say(error, status, "");
    }
    if (status == LEAT_CORRUPT) {
        (void)snprintf(text, sizeof(text),
                       "is damaged: %.110s; leat wal salvage saves what stands before that",
                       report->text);
    } else {
        (void)snprintf(text, sizeof(text), "cannot be used: %.160s", report->text);
    }
    return say(error, status, text);
}

/* ---- how far it is --------------------------------------------------------------------------- */

#define TELLS_NS UINT64_C(100000000) /* ten times a second: as often as one reads a number */

static void
tell(struct leat_durable *durable, enum leat_recovery_phase phase, bool ended)
{
    struct leat_durable_telling *telling = &durable->telling;
    if (telling->progress == NULL) {
        return;
    }
    const uint64_t now_ns = leat_os_monotonic_ns();
    if (ended || now_ns >= telling->again_ns) {
        telling->again_ns = now_ns + TELLS_NS;
        telling->now.phase = phase;
        telling->progress(&telling->now, telling->context);
    }
}

static void
tell_begin(struct leat_durable *durable, const struct leat_config *concrete)
{
    durable->telling = (struct leat_durable_telling){
        .progress = concrete->recovery_progress,
        .context = concrete->recovery_context,
        .now = {.size = (uint32_t)sizeof(durable->telling.now), .version = LEAT_STRUCT_VERSION},
    };
}

/* For the log. Its end is told when that is known. */
static void
tell_read(void *context, uint64_t done, uint64_t of)
{
    struct leat_durable *durable = context;
    durable->telling.now.bytes_read = done;
    durable->telling.now.bytes_found = of;
    if (done < of) {
        tell(durable, LEAT_RECOVERY_READS, false);
    }
}

void
leat_durable_revived(struct leat_durable *durable, uint64_t made, uint64_t found)
{
    durable->telling.now.jobs_made = made;
    durable->telling.now.jobs_found = found;
    if (made < found) {
        tell(durable, LEAT_RECOVERY_REVIVES, false);
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Threads that read the log. */
static uint32_t
threads_of(const struct leat_config *concrete)
{
    uint16_t cpus[LEAT_WAL_CREW_MAX];
    return concrete->log_read_threads != 0 ? concrete->log_read_threads
                                           : leat_os_cpus_allowed(cpus, LEAT_WAL_CREW_MAX);
}

/* The engine may not be there yet. */
static uint64_t
wall_ns(void *context)
{
    const struct leat_clock *clock = &((const struct leat_durable *)context)->clock;
    return clock->now == NULL ? leat_os_wall_ns() : clock->now(LEAT_CLOCK_WALL, clock->context);
}

static enum leat_status
log_read(struct leat_durable *durable, const struct leat_config *concrete, struct leat_error *error)
{
    struct leat_wal_report report;
    const struct leat_wal_reader reader = {leat_durable_table_record, durable};
    const struct leat_wal_config config = {.files = &leat_wal_files_system,
                                           .directory = concrete->log_directory,
                                           .memory = durable->memory,
                                           .segment_bytes = concrete->log_segment_bytes,
                                           .ring_bytes = concrete->log_ring_bytes,
                                           .bytes_max = concrete->log_bytes_max,
                                           .late = concrete->durability == LEAT_DURABILITY_OS,
                                           .sync = concrete->log_sync,
                                           .calls = {leat_durable_link, leat_durable_position,
                                                     leat_durable_settled, durable,
                                                     leat_durable_landed},
                                           .calls_written = leat_durable_calls_written,
                                           .progress = tell_read,
                                           .progress_context = durable,
                                           .threads = threads_of(concrete),
                                           .ahead = durable->seals ? leat_sealed_ahead : NULL,
                                           .ahead_context = &durable->seal,
                                           .wall_ns = wall_ns,
                                           .wall_context = durable};
    enum leat_status status = leat_wal_open(&durable->wal, &config, &reader, &report);
    if (durable->refusal.status != LEAT_OK) {
        return say_refusal(durable, error);
    }
    if (durable->table.status != LEAT_OK) { /* the log alone would say: no memory */
        status = durable->table.status;
        report.text[0] = '\0';
    }
    durable->found.segments = report.segments;
    durable->found.batches = report.batches;
    durable->found.records = report.records;
    durable->found.batches_again = report.batches_again;
    durable->found.torn_bytes = report.torn_bytes;
    if (status == LEAT_OK) {
        tell(durable, LEAT_RECOVERY_READS, true);
    }
    return status == LEAT_OK ? LEAT_OK : say_report(error, status, &report);
}

/* The keys first: a log is not touched without. */
static enum leat_status
log_open(struct leat_durable *durable, const struct leat_config *concrete, struct leat_error *error)
{
    struct leat_seal_key_sight key = {0};
    enum leat_status status = leat_sealed_open(&durable->seal, concrete, &durable->memory, error);
    if (status != LEAT_OK) {
        return status;
    }
    for (uint32_t i = 0; !key.seals && leat_seal_key(&durable->seal, i, &key); i++) {
    }
    durable->key = key.identity;
    durable->seals = durable->key != 0 || concrete->log_compression != LEAT_LOG_COMPRESSION_NONE;
    status = log_read(durable, concrete, error);
    leat_unsealed_give(&durable->seal, &durable->unsealed);
    if (status != LEAT_OK) {
        leat_seal_close(&durable->seal);
    }
    return status;
}

/* Those of the process before, and then the engine's own. */
static enum leat_status
places_begin(struct leat_durable *durable, const struct leat_config *concrete,
             struct leat_error *error)
{
    enum leat_status status = leat_durable_crashed_read(durable);
    if (status == LEAT_OK) {
        size_t bytes = sizeof(struct leat_place) * leat_config_places(concrete);
        status = leat_durable_places_open(durable, bytes);
    }
    return status == LEAT_OK ? LEAT_OK : say(error, status, "");
}

LEAT_STATIC(LEAT_GENERATION_LAST / LEAT_DURABLE_IDS_STEP <= UINT32_MAX, "a life is half a word");

/* From now on ids are above all that were given out; and so is the number of this life: the ceiling
 * is at least a step above the one of each open before, and durable before there is an engine. */
static enum leat_status
ceiling_begin(struct leat_durable *durable, struct leat_error *error)
{
    uint64_t ceiling = leat_durable_generation(durable) + LEAT_DURABLE_IDS_STEP;
    if (ceiling > LEAT_GENERATION_LAST) {
        return say(error, LEAT_FULL, "has no ids left: begin a new one");
    }
    durable->life = (uint32_t)(ceiling / LEAT_DURABLE_IDS_STEP);
    enum leat_status status = leat_durable_ceiling_set(durable, ceiling);
    return status == LEAT_OK ? LEAT_OK : say(error, status, "");
}

enum leat_status
leat_durable_open(const struct leat_config *concrete, const struct leat_memory *memory,
                  struct leat_error *error, struct leat_durable **opened)
{
    uint64_t start_ns = leat_os_monotonic_ns();
    struct leat_durable *durable = leat_memory_take_lines(memory, sizeof(*durable));
    if (durable == NULL) {
        return say(error, LEAT_NO_MEMORY, "");
    }
    durable->memory = *memory;
    leat_inbox_init(&durable->landed);
    durable->segment_bytes = concrete->log_segment_bytes;
    durable->clock = concrete->clock;
    leat_durable_pace_end(durable); /* it has not begun */
    durable->found = leat_recovery_info_default();
    tell_begin(durable, concrete);
    enum leat_status status = log_open(durable, concrete, error);
    if (status != LEAT_OK) {
        leat_durable_table_fini(durable);
        leat_memory_give(memory, durable, sizeof(*durable));
        return status;
    }
    durable->serial = durable->wal.id;
    leat_mutex_init(&durable->mutex);
    status = places_begin(durable, concrete, error);
    if (status == LEAT_OK) {
        status = ceiling_begin(durable, error);
    }
    durable->found.read_ns = leat_os_monotonic_ns() - start_ns;
    if (status != LEAT_OK) {
        leat_durable_close(durable);
        return status;
    }
    *opened = durable;
    return LEAT_OK;
}

uint64_t
leat_durable_generation(const struct leat_durable *durable)
{
    return durable->table.ceiling & ~UINT64_C(1);
}

uint32_t
leat_durable_life(const struct leat_durable *durable)
{
    return durable->life;
}

/* ---- begin and end --------------------------------------------------------------------------- */

enum leat_status
leat_durable_begin(struct leat_engine *engine, struct leat_error *error)
{
    struct leat_durable *durable = engine->durable;
    uint64_t start_ns = leat_os_monotonic_ns();
    durable->engine = engine;
    if (!leat_durable_tuning_init(durable, engine->config.queues_max)) {
        return say(error, LEAT_NO_MEMORY, "");
    }
    enum leat_status status = leat_durable_revive(engine, error);
    leat_durable_table_fini(durable);
    if (status != LEAT_OK) {
        return status;
    }
    durable->found.revived_ns = leat_os_monotonic_ns() - start_ns;
    tell(durable, LEAT_RECOVERY_REVIVES, true);
    if (durable->found.old_key_records != 0) {
        leat_durable_renew(durable);
    }
    if (!leat_wal_start(&durable->wal)) {
        return say(error, LEAT_SYSTEM, "wants two threads, which the system refused");
    }
    /* Who ran in a crash is counted before it can bring the next one about. */
    if (durable->found.crashed != 0) {
        status = leat_durable_wait_all(engine, LEAT_DURABILITY_GROUP);
    }
    if (status != LEAT_OK) {
        return say(error, status, "");
    }
    if (!leat_durable_clean_start(engine)) {
        return say(error, LEAT_SYSTEM, "wants a thread, which the system refused");
    }
    leat_durable_pace_bound(durable); /* before there are handlers that may crash */
    tell(durable, LEAT_RECOVERY_CLEANS, true);
    return LEAT_OK;
}

void
leat_durable_end(struct leat_engine *engine)
{
    struct leat_durable *durable = engine->durable;
    if (durable != NULL) {
        leat_durable_clean_stop(durable);
        leat_durable_land_all(durable);
        durable->closing = true;
        (void)leat_wal_stop(&durable->wal);
    }
}

enum leat_status
leat_durable_state(const struct leat_engine *engine)
{
    const struct leat_durable *durable = engine->durable;
    if (durable == NULL) {
        return LEAT_OK;
    }
    if (atom_load_rlx(&durable->wal.failed) != 0) { /* rlx: statistic */
        return LEAT_LOG_FAILED;
    }
    /* rlx: statistic */
    return atom_load_rlx(&durable->wal.full) != 0 ? LEAT_NO_SPACE : LEAT_OK;
}

uint64_t
leat_durable_bytes(struct leat_engine *engine)
{
    return leat_wal_bytes(&engine->durable->wal);
}

void
leat_durable_health(struct leat_engine *engine, struct leat_health *health)
{
    struct leat_durable *durable = engine->durable;
    health->durability = durable == NULL ? LEAT_DURABILITY_NONE : engine->config.durability;
    if (durable != NULL) {
        health->log_bytes = leat_wal_held(&durable->wal);
        health->log_live_bytes = atom_load_rlx(&durable->live_bytes); /* rlx: statistic */
        health->log_unwritten = atom_load_rlx(&durable->lost);        /* rlx: statistic */
    }
}

void
leat_durable_close(struct leat_durable *durable)
{
    if (durable == NULL) {
        return;
    }
    struct leat_memory memory = durable->memory;
    leat_durable_table_fini(durable);
    leat_durable_tuning_fini(durable);
    leat_durable_places_close(durable);
    leat_wal_close(&durable->wal);
    leat_unsealed_give(&durable->seal, &durable->unsealed);
    leat_seal_close(&durable->seal);
    leat_mutex_fini(&durable->mutex);
    leat_memory_give(&memory, durable, sizeof(*durable));
}

/* ---- keys ------------------------------------------------------------------------------------ */

struct host_key {
    const struct leat_config *config;
};

static bool
host_key_ask(void *context, unsigned char key[LEAT_SEAL_KEY_BYTES])
{
    const struct leat_config *config = ((const struct host_key *)context)->config;
    return config->log_key(config->log_key_context, 0, key);
}

static enum leat_status
key_rotate(struct leat_engine *engine, const char *file, struct leat_error *error)
{
    struct leat_durable *durable = engine->durable;
    struct host_key host = {&engine->config};
    const struct leat_seal_source source = {.file = file, .key = host_key_ask, .context = &host};
    leat_mutex_lock(&durable->mutex);
    enum leat_status status = leat_seal_rotate(&durable->seal, &source, error);
    leat_mutex_unlock(&durable->mutex);
    if (status == LEAT_OK) {
        leat_durable_renew(durable);
        return leat_error_set(error, LEAT_OK, "", "ok");
    }
    return status;
}

enum leat_status
leat_log_key_rotate(struct leat_engine *engine, const char *file, struct leat_error *error)
{
    struct leat_error unread;
    struct leat_error *say_to = error == NULL ? &unread : error;
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return leat_error_set(say_to, status, "engine", leat_status_text(status));
    }
    if (engine->durable == NULL || engine->durable->key == 0) {
        return leat_error_set(say_to, LEAT_WRONG_STATE, "engine", "has no log with a key");
    }
    if (file == NULL && engine->config.log_key == NULL) {
        return leat_error_set(say_to, LEAT_INVALID, "file",
                              "is to name a key, as there is no log_key to be asked");
    }
    return key_rotate(engine, file, say_to);
}

/* ---- what was found -------------------------------------------------------------------------- */

enum leat_status
leat_recovery_get(struct leat_engine *engine, struct leat_recovery_info *info)
{
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK && info == NULL) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK && engine->durable == NULL) {
        status = LEAT_WRONG_STATE;
    }
    return status == LEAT_OK
               ? leat_struct_write(info, &engine->durable->found, sizeof(engine->durable->found))
               : status;
}
