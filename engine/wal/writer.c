/* writer.c - appending, and writing out what was appended: one batch, one sync, for all. */
#include "engine/wal/internal.h"

#include "engine/wal/crc32c.h"
#include "ring/mutex.h"

/* Of leat_wal.asleep. */
#define ASLEEP          1
#define ASLEEP_FOR_GOOD 2

/* Of the last segment, for who cleans; and of that, for a segment of which little is needed. */
#define KEPT_PARTS    2
#define LITTLE_PARTS  8
#define LITTLE_BLOCKS UINT64_C(4)

/* ---- appending ------------------------------------------------------------------------------ */

static uint64_t
entry_bytes(const struct leat_wal_entry *entry)
{
    return (uint64_t)entry->head_bytes + entry->data_bytes;
}

static bool
has_failed(const struct leat_wal *wal)
{
    return atom_load_rlx(&wal->failed) != 0; /* rlx: hint, re-checked at wal:B */
}

/* What was appended and is not written yet. */
static uint64_t
waiting_bytes(const struct leat_wal *wal)
{
    /* rlx: statistic */
    return atom_load_rlx(&wal->ring.tail) - leat_bytes_head(&wal->ring);
}

/* There is no space for another segment, and what is left is not for that record: it is new, or
 * would, with all that waits to be written, take of what is kept. About so, as what waits may come
 * to several batches, and others may append at the same moment: batch_end() has the last word. */
static bool
has_no_space(const struct leat_wal *wal, enum leat_wal_need need, uint64_t size)
{
    /* rlx: statistic */
    if (LEAT_LIKELY(atom_load_rlx(&wal->full) == 0)) {
        return false;
    }
    bool spends =
        need == LEAT_WAL_CLEAN && atom_load_rlx(&wal->spends) != 0; /* rlx: single writer */
    if (spends || need == LEAT_WAL_BACK) {
        return false;
    }
    uint64_t kept = atom_load_rlx(&wal->kept); /* rlx: statistic */
    return need == LEAT_WAL_FIRST ||
           leat_wal_room(wal) < kept + leat_wal_batch_size(waiting_bytes(wal) + size);
}

/* LEAT_OK, and how much room the entries take. */
static enum leat_status
entries_check(const struct leat_wal *wal, const struct leat_wal_entry *entries, uint32_t count,
              uint64_t *size)
{
    *size = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (entries[i].tag > LEAT_BYTES_TAG_MAX || entry_bytes(&entries[i]) > UINT32_MAX) {
            return LEAT_INVALID;
        }
        *size += leat_bytes_size(entry_bytes(&entries[i]));
    }
    return count != 0 && *size <= wal->batch_bytes_max ? LEAT_OK : LEAT_INVALID;
}

/* The first one last: it says that all are there. */
static void
entries_publish(struct leat_wal *wal, const struct leat_wal_entry *entries, uint32_t count,
                uint64_t end)
{
    for (uint32_t i = count; i-- > 0;) {
        const struct leat_wal_entry *entry = &entries[i];
        uint64_t bytes = entry_bytes(entry);
        uint64_t word = leat_bytes_word((uint32_t)bytes, entry->tag);
        end -= leat_bytes_size(bytes);
        leat_bytes_copy(&wal->ring, end, 0, entry->head, entry->head_bytes);
        leat_bytes_copy(&wal->ring, end, entry->head_bytes, entry->data, entry->data_bytes);
        leat_bytes_publish(&wal->ring, end, i + 1 == count ? word : word | LEAT_BYTES_MORE);
    }
}

enum leat_status
leat_wal_append(struct leat_wal *wal, const struct leat_wal_entry *entries, uint32_t count,
                enum leat_wal_need need, uint64_t *position)
{
    uint64_t size = 0;
    uint64_t start = 0;
    enum leat_status status = entries_check(wal, entries, count, &size);
    if (status != LEAT_OK) {
        return status;
    }
    if (has_failed(wal)) {
        return LEAT_LOG_FAILED;
    }
    if (has_no_space(wal, need, size)) {
        return LEAT_NO_SPACE;
    }
    if (!leat_bytes_reserve(&wal->ring, size, &start)) {
        return LEAT_FULL;
    }
    entries_publish(wal, entries, count, start + size);
    *position = start + size;
    return LEAT_OK;
}

void
leat_wal_kick(struct leat_wal *wal)
{
    /* wal:C acq_rel -> wal:D, wal:G.  Carries: the records, or that it is to end, to a thread that
     * is about to sleep.
     * If relaxed: it could find the ring empty, and the swap come before its own. */
    if (atom_swap_acq_rel(&wal->asleep, 0) != 0) {
        leat_os_futex_wake(&wal->asleep, 1);
    }
}

void
leat_wal_lock(struct leat_wal *wal, pthread_mutex_t *mutex)
{
    if (LEAT_UNLIKELY(!leat_mutex_try(mutex))) {
        leat_wal_kick(wal);
        leat_mutex_lock(mutex);
    }
}

/* ---- one batch ------------------------------------------------------------------------------ */

/* Why a batch is written. */
enum why {
    WHY_WRITTEN, /* only with records, and it is not synced */
    WHY_RECORDS, /* only with some; or where the last ones are not synced */
    WHY_MARK,    /* or where the log does not know yet that the last ones are durable */
    WHY_CLEAN,   /* as WHY_RECORDS, for who cleans */
    WHY_ANYHOW   /* for who cleans: it has something to say in its header */
};

static void
fail(struct leat_wal *wal)
{
    /* wal:A release -> wal:B.  Carries: nothing; keeps the failure before the news of it.
     * If relaxed: who is woken could miss it, and sleep for ever. */
    atom_store_rel(&wal->failed, 1);
    atom_store_rlx(&wal->unmarked, 0); /* nor will it ever. rlx: ordered by turn_of:C */
}

/* pre: the role; its records are there. */
static struct leat_wal_batch
header_of(const struct leat_wal *wal, uint64_t bytes)
{
    const struct leat_wal_config *config = &wal->config;
    return (struct leat_wal_batch){
        .id = wal->id,
        .number = wal->batch,
        .durable = wal->batch_durable,
        /* The batch that has to say it is of the thread that wrote it. rlx: ordered by turn_of:A */
        .oldest = atom_load_rlx(&wal->oldest),
        .bytes = (uint32_t)bytes,
        .written_ns = config->wall_ns == NULL ? 0 : config->wall_ns(config->wall_context),
    };
}

/* Writes the records up to `to`; `synced`: so that it is. False: the log has failed. */
static bool
batch_write(struct leat_wal *wal, uint64_t to, bool synced)
{
    static const unsigned char zeros[LEAT_WAL_BLOCK];
    struct leat_bytes_piece pieces[2];
    uint64_t from = leat_bytes_head(&wal->ring);
    uint64_t size = leat_wal_batch_size(to - from);
    struct leat_wal_batch header = header_of(wal, to - from);
    leat_bytes_pieces(&wal->ring, from, to, pieces);
    size_t pad = size - sizeof(header) - (to - from);
    header.body_crc = leat_crc32c(0, pieces[0].data, pieces[0].bytes);
    header.body_crc = leat_crc32c(header.body_crc, pieces[1].data, pieces[1].bytes);
    header.body_crc = leat_crc32c(header.body_crc, zeros, pad);
    leat_wal_batch_seal(&header);
    struct iovec all[4] = {{&header, sizeof(header)},
                           {pieces[0].data, pieces[0].bytes},
                           {pieces[1].data, pieces[1].bytes},
                           leat_wal_piece(zeros, pad)};
    const struct leat_wal_files *files = wal->config.files;
    int result = synced ? leat_wal_write_by(&wal->synced, wal->file, all, 4, wal->offset)
                        : leat_wal_write_all(files, wal->file, all, 4, wal->offset);
    if (result != 0) {
        return false;
    }
    leat_bytes_give(&wal->ring, to);
    wal->batch_said = header.durable;
    wal->offset += size;
    atom_count(&wal->laid, size);                         /* rlx: single writer */
    atom_store_rlx(&wal->left, wal->bytes - wal->offset); /* rlx: single writer */
    wal->batch++;
    wal->batch_records = to == from ? wal->batch_records : wal->batch;
    return true;
}

static bool
is_synced(const struct leat_wal *wal)
{
    return wal->batch_durable == wal->batch;
}

/* All that was written is on the disk. */
static void
batch_synced(struct leat_wal *wal)
{
    wal->batch_known = wal->batch_said;
    wal->batch_durable = wal->batch;
    /* wal:E release -> wal:F.  Carries: that all below it is on the disk.
     * If relaxed: nothing else is read by it; it stays before the news of it. */
    atom_store_rel(&wal->durable, leat_bytes_head(&wal->ring));
}

/* Syncs what was written. False: the log has failed. */
static bool
batch_sync(struct leat_wal *wal)
{
    const struct leat_wal_files *files = wal->config.files;
    if (files->sync(files->disk, wal->file) != 0) {
        return false;
    }
    batch_synced(wal);
    return true;
}

/* Writes a batch where there is room, which may be in another segment. All that was written is
 * synced before a switch; and before a mark, which is to say so. */
static enum leat_status
batch_place(struct leat_wal *wal, uint64_t to, bool is_mark, bool synced)
{
    uint64_t bytes = to - leat_bytes_head(&wal->ring);
    bool fits = wal->offset + leat_wal_batch_size(bytes) <= wal->bytes;
    enum leat_status status = LEAT_OK;
    if ((is_mark || !fits) && !is_synced(wal) && !batch_sync(wal)) {
        return LEAT_LOG_FAILED;
    }
    if (!fits) {
        status = leat_wal_segment_switch(wal);
    }
    return status == LEAT_OK && !batch_write(wal, to, synced) ? LEAT_LOG_FAILED : status;
}

/* What was only written before is not reached by a later write through: that is synced. The sync
 * behind a write reaches it. */
static bool
write_syncs(const struct leat_wal *wal)
{
    enum leat_log_sync sync = wal->config.sync;
    return sync == LEAT_LOG_SYNC_IO_URING || (sync == LEAT_LOG_SYNC_DSYNC && is_synced(wal));
}

/* Who cleans spends it, where that was weighed before. pre: the role. */
static uint64_t
kept_from(const struct leat_wal *wal, enum why why, uint64_t kept)
{
    const bool cleans = why == WHY_CLEAN || why == WHY_ANYHOW;
    if (!cleans || atom_load_rlx(&wal->spends) == 0) { /* rlx: ordered by turn_of:A */
        return kept;
    }
    return why == WHY_ANYHOW ? 0 : atom_load_rlx(&wal->floor); /* rlx: ordered by turn_of:A */
}

/* How much of the log a batch of `size` bytes may take, or a smaller one in its place. Of the last
 * segment that is there a part is for who cleans. In front of that, and while there is room for all
 * that the ring may have, it is found out whether there is space for another one, if nobody is
 * making it. pre: the role. */
static uint64_t
batch_most(struct leat_wal *wal, uint64_t size, enum why why)
{
    const uint64_t left = wal->bytes - wal->offset;
    uint64_t kept = atom_load_rlx(&wal->kept); /* rlx: ordered by turn_of:A */
    /* All rlx: statistic */
    bool none = atom_load_rlx(&wal->ready) == 0 && atom_load_rlx(&wal->coming) != LEAT_WAL_COMING;
    if (none && left < kept + size + wal->config.ring_bytes && atom_load_rlx(&wal->full) == 0) {
        leat_wal_segment_ahead(wal);
    }
    if (LEAT_LIKELY(atom_load_rlx(&wal->full) == 0)) { /* rlx: statistic */
        return UINT64_MAX;
    }
    kept = kept_from(wal, why, kept);
    uint64_t ahead = atom_load_rlx(&wal->ready) * wal->config.segment_bytes; /* rlx: statistic */
    uint64_t room = left + ahead > kept ? left + ahead - kept : 0;
    if (size > left && ahead >= kept + size) {
        return size; /* in the next one */
    }
    return room < left ? room : left;
}

/* Up to where the next batch goes, which may be without records. LEAT_NO_SPACE: there would be one,
 * and what is left is not for it. */
static enum leat_status
batch_end(struct leat_wal *wal, enum why why, bool *marks, uint64_t *to)
{
    const uint64_t head = leat_bytes_head(&wal->ring);
    *to = leat_bytes_ready(&wal->ring, wal->batch_bytes_max);
    *marks = why == WHY_ANYHOW || (why == WHY_MARK && wal->batch_known < wal->batch_records);
    if (*to == head && !*marks) {
        return LEAT_OK;
    }
    const bool records = *to != head;
    const uint64_t size = leat_wal_batch_size(*to - head);
    const uint64_t most = batch_most(wal, size, why);
    if (LEAT_LIKELY(size <= most)) {
        return LEAT_OK;
    }
    *marks = *marks && why == WHY_ANYHOW; /* the other one can be done without */
    *to = most < LEAT_WAL_BLOCK
              ? head
              : leat_bytes_ready(&wal->ring, most - sizeof(struct leat_wal_batch));
    const bool alone = why == WHY_ANYHOW && most >= LEAT_WAL_BLOCK; /* the header */
    return *to == head && (records || *marks) && !alone ? LEAT_NO_SPACE : LEAT_OK;
}

/* LEAT_OK: one was written; LEAT_EMPTY: there was nothing to write; else as leat_wal_wait(). pre:
 * the role. */
static enum leat_status
batch(struct leat_wal *wal, enum why why)
{
    bool marks = false;
    uint64_t to = 0;
    if (has_failed(wal)) {
        return LEAT_LOG_FAILED;
    }
    enum leat_status status = batch_end(wal, why, &marks, &to);
    uint64_t bytes = to - leat_bytes_head(&wal->ring);
    bool writes = status == LEAT_OK && (bytes != 0 || marks);
    if (!writes && (why == WHY_WRITTEN || is_synced(wal))) {
        return status == LEAT_OK ? LEAT_EMPTY : status;
    }
    bool synced = writes && why != WHY_WRITTEN && write_syncs(wal);
    if (writes) {
        status = batch_place(wal, to, bytes == 0, synced);
    }
    if (status == LEAT_OK && synced) {
        batch_synced(wal);
    } else if (status != LEAT_LOG_FAILED && why != WHY_WRITTEN && !is_synced(wal) &&
               !batch_sync(wal)) {
        status = LEAT_LOG_FAILED;
    }
    if (status == LEAT_LOG_FAILED) {
        fail(wal);
        return status;
    }
    /* rlx: ordered by turn_of:C */
    atom_store_rlx(&wal->unmarked, wal->batch_known < wal->batch_records ? 1 : 0);
    return status;
}

/* Takes the role for one batch. False: another thread has it. */
static bool
batch_asleep(struct leat_wal *wal, enum why why, enum leat_status *status)
{
    if (!leat_wal_role_take(&wal->role)) {
        return false;
    }
    *status = batch(wal, why);
    leat_wal_settle(wal, *status);
    if (LEAT_UNLIKELY(wal->calls_sync && !is_synced(wal))) {
        *status = batch(wal, WHY_RECORDS);
        leat_wal_settle(wal, *status);
    }
    leat_wal_role_give(&wal->role, *status != LEAT_EMPTY);
    return true;
}

/* The same, by who is awake: the log's thread may wait for what this was about, also where it
 * failed. */
static bool
batch_try(struct leat_wal *wal, enum why why, enum leat_status *status)
{
    if (!batch_asleep(wal, why, status)) {
        return false;
    }
    /* It had the role before it slept for good. rlx: ordered by turn_of:A */
    if (LEAT_UNLIKELY(*status != LEAT_EMPTY && atom_load_rlx(&wal->asleep) == ASLEEP_FOR_GOOD)) {
        leat_wal_kick(wal);
    }
    return true;
}

/* ---- waiting -------------------------------------------------------------------------------- */

uint64_t
leat_wal_durable(const struct leat_wal *wal)
{
    /* wal:F acquire -> wal:E.  Carries: see wal:E.
     * If relaxed: see wal:E. */
    return atom_load_acq(&wal->durable);
}

bool
leat_wal_is_durable(const struct leat_wal *wal, uint64_t position)
{
    return leat_wal_durable(wal) >= position;
}

bool
leat_wal_is_written(const struct leat_wal *wal, uint64_t position)
{
    /* The ring gives back what is written. rlx: ordered by turn_of:E */
    return atom_load_rlx(&wal->ring.head) >= position;
}

static bool
is_there(const struct leat_wal *wal, uint64_t position, enum why why)
{
    return why == WHY_WRITTEN ? leat_wal_is_written(wal, position)
                              : leat_wal_is_durable(wal, position);
}

static enum leat_status
wait_for(struct leat_wal *wal, uint64_t position, uint64_t deadline_ns, enum why why)
{
    /* The role was had in vain: a record in front is not there yet. Whoever appends that sees to
     * it that all is written; only who looks once more before he sleeps cannot miss it. Where
     * that is written and not synced, the caller syncs it. */
    bool in_vain = false;
    for (;;) {
        uint32_t event = leat_wal_role_event(&wal->role);
        enum leat_status status = LEAT_EMPTY;
        if (is_there(wal, position, why)) {
            return LEAT_OK;
        }
        /* wal:B acquire -> wal:A.  Carries: see wal:A.
         * If relaxed: see wal:A. */
        if (atom_load_acq(&wal->failed) != 0) {
            return LEAT_LOG_FAILED;
        }
        if (deadline_ns != UINT64_MAX && leat_os_monotonic_ns() >= deadline_ns) {
            return LEAT_TIMEOUT;
        }
        bool looks = !in_vain || leat_wal_is_written(wal, position);
        if (looks && batch_try(wal, why, &status)) {
            if (status == LEAT_NO_SPACE || status == LEAT_NO_MEMORY) {
                return is_there(wal, position, why) ? LEAT_OK : status;
            }
            in_vain = status == LEAT_EMPTY;
            continue;
        }
        leat_os_futex_wait(&wal->role.events, event, deadline_ns);
        in_vain = false;
    }
}

enum leat_status
leat_wal_wait(struct leat_wal *wal, uint64_t position, uint64_t deadline_ns)
{
    return wait_for(wal, position, deadline_ns, WHY_RECORDS);
}

enum leat_status
leat_wal_wait_written(struct leat_wal *wal, uint64_t position, uint64_t deadline_ns)
{
    return wait_for(wal, position, deadline_ns, WHY_WRITTEN);
}

/* ---- who cleans ----------------------------------------------------------------------------- */

enum leat_status
leat_wal_wait_cleaning(struct leat_wal *wal, uint64_t position)
{
    return wait_for(wal, position, UINT64_MAX, WHY_CLEAN);
}

/* Has the role. */
static void
role_wait(struct leat_wal *wal)
{
    for (;;) {
        uint32_t event = leat_wal_role_event(&wal->role);
        if (leat_wal_role_take(&wal->role)) {
            return;
        }
        leat_os_futex_wait(&wal->role.events, event, UINT64_MAX);
    }
}

/* The most that records of so many bytes come to where who cleans alone has them written: of two
 * batches that follow one another the ring has more than one may have; then one that says so. */
static uint64_t
blocks_most(const struct leat_wal *wal, uint64_t bytes)
{
    uint64_t batches = 3 + 2 * bytes / wal->batch_bytes_max;
    return leat_round_up(bytes, LEAT_WAL_BLOCK) + batches * LEAT_WAL_BLOCK;
}

static uint64_t
kept_at_least(const struct leat_wal *wal)
{
    return leat_round_up(wal->config.segment_bytes / KEPT_PARTS, LEAT_WAL_BLOCK);
}

/* For a segment of which next to nothing is needed. */
static uint64_t
kept_for_little(const struct leat_wal *wal)
{
    const uint64_t part = leat_round_up(wal->config.segment_bytes / LITTLE_PARTS, LEAT_WAL_BLOCK);
    const uint64_t least = LITTLE_BLOCKS * LEAT_WAL_BLOCK;
    return part < least ? least : part;
}

/* pre: the role. */
static void
keep_set(struct leat_wal *wal, uint64_t kept, uint64_t floor, uint32_t spends)
{
    atom_store_rlx(&wal->kept, kept);     /* rlx: ordered by turn_of:C */
    atom_store_rlx(&wal->floor, floor);   /* rlx: ordered by turn_of:C */
    atom_store_rlx(&wal->spends, spends); /* rlx: ordered by turn_of:C */
}

bool
leat_wal_keep(struct leat_wal *wal, uint64_t bytes)
{
    role_wait(wal);
    const uint64_t least = kept_at_least(wal);
    const uint64_t room = leat_wal_room(wal);
    const uint64_t little = kept_for_little(wal);
    const uint64_t needs = blocks_most(wal, bytes + waiting_bytes(wal));
    const uint64_t floor = blocks_most(wal, bytes) <= little ? 0 : little;
    const uint64_t wanted = 2 * needs + floor < least ? least : 2 * needs + floor;
    const bool there = needs + floor <= room;
    if (there) {
        keep_set(wal, wanted < room ? wanted : room, floor, 1);
    }
    leat_wal_role_give(&wal->role, false);
    return there;
}

/* So much from now on, which nobody spends. */
static void
keep_only(struct leat_wal *wal, uint64_t kept)
{
    role_wait(wal);
    keep_set(wal, kept, 0, 0);
    leat_wal_role_give(&wal->role, false);
}

void
leat_wal_keep_end(struct leat_wal *wal)
{
    keep_only(wal, kept_at_least(wal));
    leat_wal_kick(wal); /* what found no room beside that */
}

void
leat_wal_keep_none(struct leat_wal *wal)
{
    keep_only(wal, 0);
}

/* ---- the log's thread ----------------------------------------------------------------------- */

bool
leat_wal_is_unmarked(const struct leat_wal *wal)
{
    return atom_load_rlx(&wal->unmarked) != 0; /* rlx: ordered by turn_of:A */
}

/* Why the log's thread writes. */
static enum why
why_unasked(const struct leat_wal *wal)
{
    return wal->config.late ? WHY_WRITTEN : WHY_RECORDS;
}

bool
leat_wal_step(struct leat_wal *wal, bool mark)
{
    enum leat_status status = LEAT_EMPTY;
    return batch_try(wal, mark ? WHY_MARK : why_unasked(wal), &status) && status == LEAT_OK;
}

/* Looks once more, and sleeps until it is kicked, or the role is let go of; says what the look did.
 * `position` other than 0: not where that is there, which who had the role before may have seen to,
 * and found nobody asleep. */
static enum leat_status
rest(struct leat_wal *wal, uint64_t deadline_ns, enum why why, uint64_t position)
{
    enum leat_status status = LEAT_EMPTY;
    uint32_t how = deadline_ns == UINT64_MAX ? ASLEEP_FOR_GOOD : ASLEEP;
    uint32_t event = leat_wal_role_event(&wal->role);
    /* wal:D acq_rel -> wal:C.  Carries: see wal:C.
     * If relaxed: see wal:C. */
    (void)atom_swap_acq_rel(&wal->asleep, how);
    bool had = batch_asleep(wal, why, &status);
    bool marks = how == ASLEEP_FOR_GOOD && leat_wal_is_unmarked(wal);
    bool behind = atom_load_rlx(&wal->behind) != 0; /* rlx: ordered by turn_of:A */
    bool nothing = position != 0 ? status == LEAT_EMPTY && !is_there(wal, position, why)
                                 : status != LEAT_OK && !marks && !behind;
    /* The kick of who ended it could have come before wal:D. rlx: ordered by wal:D */
    bool ends = position == 0 && atom_load_rlx(&wal->threads.stop) != 0;
    if (!had && !ends) {
        leat_os_futex_wait(&wal->role.events, event, deadline_ns);
    } else if (nothing && !ends) {
        leat_os_futex_wait(&wal->asleep, how, deadline_ns);
    }
    /* wal:G acquire -> wal:C.  Carries: see wal:C; a store would cut off the swap of who kicked.
     * If relaxed: the thread could look again, see nothing, and sleep beside the record. */
    (void)atom_swap_acq(&wal->asleep, 0);
    return status;
}

void
leat_wal_sleep(struct leat_wal *wal, uint64_t deadline_ns)
{
    (void)rest(wal, deadline_ns, why_unasked(wal), 0);
}

enum leat_status
leat_wal_wait_behind(struct leat_wal *wal, uint64_t position, bool written)
{
    const enum why why = written ? WHY_WRITTEN : WHY_RECORDS;
    enum leat_status status = LEAT_EMPTY;
    while (!is_there(wal, position, why)) {
        if (status != LEAT_OK && status != LEAT_EMPTY) {
            return status;
        }
        status = rest(wal, UINT64_MAX, why, position);
    }
    return LEAT_OK;
}

enum leat_status
leat_wal_say(struct leat_wal *wal)
{
    for (;;) {
        uint32_t event = leat_wal_role_event(&wal->role);
        enum leat_status status = LEAT_EMPTY;
        if (batch_try(wal, WHY_ANYHOW, &status)) {
            return status;
        }
        leat_os_futex_wait(&wal->role.events, event, UINT64_MAX);
    }
}

enum leat_status
leat_wal_flush(struct leat_wal *wal)
{
    uint64_t tail = atom_load_rlx(&wal->ring.tail); /* rlx: ordered by wal:C */
    return leat_wal_wait(wal, tail, UINT64_MAX);
}
