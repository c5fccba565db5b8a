/* glean.c - what can be learnt of a log that is damaged: each batch that is good by itself is told,
 * whatever is missing or damaged around it. */
#include "engine/wal/crc32c.h"
#include "engine/wal/internal.h"

struct glean {
    const struct leat_wal_config *config;
    const struct leat_wal_reader *reader;
    struct leat_wal_gleaned *gleaned;
    int directory;
    uint64_t number; /* of the segment that is read, or was read last */
    uint64_t next;   /* the lowest above it; 0: there is none */
    unsigned char *segment;
    uint64_t room;
    uint64_t bytes; /* that are there */
};

/* ---- segments ------------------------------------------------------------------------------- */

static void
name_look(void *context, const char *name)
{
    struct glean *glean = context;
    bool is_new = false;
    uint64_t number = leat_wal_number(name, &is_new);
    if (!is_new && number > glean->number && (glean->next == 0 || number < glean->next)) {
        glean->next = number;
    }
}

/* The names are read anew for each segment, so that they need no memory. */
static enum leat_status
segment_next(struct glean *glean)
{
    const struct leat_wal_files *files = glean->config->files;
    glean->next = 0;
    int listed = files->directory_list(files->disk, glean->directory, name_look, glean);
    return leat_wal_status_of(listed);
}

/* As much of an open file as is there. */
static enum leat_status
file_read(struct glean *glean, int file)
{
    const struct leat_wal_files *files = glean->config->files;
    const struct leat_memory *memory = &glean->config->memory;
    int64_t size = files->size(files->disk, file);
    if (size < 0) {
        return leat_wal_status_of((int)size);
    }
    if ((uint64_t)size > glean->room) {
        leat_memory_give(memory, glean->segment, glean->room);
        glean->segment = leat_memory_take(memory, (uint64_t)size);
        glean->room = glean->segment == NULL ? 0 : (uint64_t)size;
    }
    if ((uint64_t)size > glean->room) {
        return LEAT_NO_MEMORY;
    }
    int64_t got = files->read_at(files->disk, file, glean->segment, (uint64_t)size, 0);
    glean->bytes = got < 0 ? 0 : (uint64_t)got;
    return got < 0 ? leat_wal_status_of((int)got) : LEAT_OK;
}

static enum leat_status
segment_read(struct glean *glean)
{
    const struct leat_wal_files *files = glean->config->files;
    char name[LEAT_WAL_NAME_BYTES];
    int file = -1;
    leat_wal_name(name, glean->number, false);
    int opened = files->open(files->disk, glean->directory, name, &file);
    if (opened != 0) {
        return leat_wal_status_of(opened);
    }
    enum leat_status status = file_read(glean, file);
    files->close(files->disk, file);
    return status;
}

/* ---- batches -------------------------------------------------------------------------------- */

/* The bytes of the good batch that stands there; 0: none does. By the identity that it says itself:
 * the first block of its segment may be damaged. */
static uint64_t
batch_at(const struct glean *glean, uint64_t offset, struct leat_wal_batch *batch)
{
    memcpy(batch, glean->segment + offset, sizeof(*batch));
    uint64_t size = leat_wal_batch_size(batch->bytes);
    if (!leat_wal_batch_judge(batch, batch->id) || size > glean->bytes - offset) {
        return 0;
    }
    const unsigned char *body = glean->segment + offset + sizeof(*batch);
    return leat_crc32c(0, body, size - sizeof(*batch)) == batch->body_crc ? size : 0;
}

static bool
is_zero(const struct glean *glean, uint64_t offset)
{
    for (uint64_t i = 0; i < LEAT_WAL_BLOCK; i++) {
        if (glean->segment[offset + i] != 0) {
            return false;
        }
    }
    return true;
}

static enum leat_status
batch_tell(const struct glean *glean, uint64_t offset, const struct leat_wal_batch *batch)
{
    const unsigned char *body = glean->segment + offset + sizeof(*batch);
    const struct leat_wal_place place = {glean->number, batch->number, batch->written_ns};
    struct leat_wal_record record;
    uint32_t at = 0;
    while (at < batch->bytes && leat_wal_record_next(body, batch->bytes, &at, &record)) {
        if (!glean->reader->record(glean->reader->context, place, &record)) {
            return LEAT_NO_MEMORY;
        }
    }
    return LEAT_OK;
}

/* One that a later open has written again is told twice, and nothing is missing in front of it. */
static void
batch_count(struct leat_wal_gleaned *gleaned, uint64_t number)
{
    if (gleaned->batch != 0 && number > gleaned->batch + 1) {
        gleaned->missing += number - gleaned->batch - 1;
    }
    gleaned->batch = number > gleaned->batch ? number : gleaned->batch;
}

static enum leat_status
segment_tell(const struct glean *glean)
{
    enum leat_status status = LEAT_OK;
    uint64_t offset = LEAT_WAL_BLOCK;
    while (status == LEAT_OK && offset + LEAT_WAL_BLOCK <= glean->bytes) {
        struct leat_wal_batch batch;
        uint64_t size = batch_at(glean, offset, &batch);
        if (size != 0) {
            batch_count(glean->gleaned, batch.number);
            status = batch_tell(glean, offset, &batch);
            offset += size;
        } else {
            glean->gleaned->missing += is_zero(glean, offset) ? 0 : 1;
            offset += LEAT_WAL_BLOCK;
        }
    }
    return status;
}

/* ---- all ------------------------------------------------------------------------------------- */

static enum leat_status
all_tell(struct glean *glean)
{
    enum leat_status status = segment_next(glean);
    while (status == LEAT_OK && glean->next != 0) {
        glean->number = glean->next;
        status = segment_read(glean);
        if (status == LEAT_OK) {
            status = segment_tell(glean);
        }
        if (status == LEAT_OK) {
            status = segment_next(glean);
        }
    }
    return status;
}

enum leat_status
leat_wal_glean(const struct leat_wal_config *config, const struct leat_wal_reader *reader,
               struct leat_wal_gleaned *gleaned)
{
    const struct leat_wal_files *files = config->files;
    struct glean glean = {.config = config, .reader = reader, .gleaned = gleaned};
    *gleaned = (struct leat_wal_gleaned){.batch = 0};
    int opened = files->directory_open(files->disk, config->directory, &glean.directory);
    if (opened != 0) {
        return leat_wal_status_of(opened);
    }
    enum leat_status status = all_tell(&glean);
    files->directory_close(files->disk, glean.directory);
    leat_memory_give(&config->memory, glean.segment, glean.room);
    return status;
}
