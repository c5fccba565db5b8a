/* clean.c - letting go of the oldest segment. What is needed of it was appended anew; then a batch
 * says that it is not needed; then its file goes. So a crash between any two of these leaves the
 * old records, or the new ones, or both, and the later place wins.
 */
#include "engine/wal/internal.h"

#include <string.h>

#include "ring/mutex.h"

uint64_t
leat_wal_oldest(struct leat_wal *wal)
{
    leat_mutex_lock(&wal->mutex);
    uint64_t number = wal->known_count < 2 ? 0 : wal->known[0].number;
    leat_mutex_unlock(&wal->mutex);
    return number;
}

uint64_t
leat_wal_newest(struct leat_wal *wal)
{
    leat_mutex_lock(&wal->mutex);
    uint64_t number = wal->known[wal->known_count - 1].number;
    leat_mutex_unlock(&wal->mutex);
    return number;
}

uint64_t
leat_wal_bytes(struct leat_wal *wal)
{
    uint64_t bytes = 0;
    leat_mutex_lock(&wal->mutex);
    for (uint32_t i = 0; i < wal->known_count; i++) {
        bytes += wal->known[i].bytes;
    }
    leat_mutex_unlock(&wal->mutex);
    return bytes;
}

uint64_t
leat_wal_held(struct leat_wal *wal)
{
    leat_mutex_lock(&wal->mutex);
    uint64_t held = wal->held;
    leat_mutex_unlock(&wal->mutex);
    return held;
}

uint64_t
leat_wal_laid(const struct leat_wal *wal)
{
    return atom_load_rlx(&wal->laid); /* rlx: statistic */
}

uint64_t
leat_wal_room(const struct leat_wal *wal)
{
    /* rlx: statistic */
    return atom_load_rlx(&wal->left) + atom_load_rlx(&wal->ready) * wal->config.segment_bytes;
}

enum leat_status
leat_wal_look(struct leat_wal *wal, const struct leat_wal_reader *reader)
{
    struct leat_wal_report report = {.segments = 0};
    struct leat_wal_scan scan = {
        .config = &wal->config, .reader = reader, .report = &report, .directory = wal->directory};
    leat_mutex_lock(&wal->mutex);
    bool there = wal->known_count >= 2;
    struct leat_wal_known oldest = {.number = 0};
    uint64_t limit = 0;
    if (there) {
        oldest = wal->known[0];
        limit = wal->known[1].first;
    }
    leat_mutex_unlock(&wal->mutex);
    enum leat_status status = there ? leat_wal_scan_segment(&scan, &oldest, limit) : LEAT_NOT_FOUND;
    leat_wal_scan_fini(&scan);
    return status;
}

enum leat_status
leat_wal_forget(struct leat_wal *wal, uint64_t position)
{
    const struct leat_wal_files *files = wal->config.files;
    char name[LEAT_WAL_NAME_BYTES];
    enum leat_status status = leat_wal_wait_cleaning(wal, position);
    if (status != LEAT_OK) {
        return status;
    }
    leat_mutex_lock(&wal->mutex);
    uint64_t number = wal->known_count < 2 ? 0 : wal->known[0].number;
    uint64_t next = number == 0 ? 0 : wal->known[1].number;
    leat_mutex_unlock(&wal->mutex);
    if (number == 0) {
        return LEAT_NOT_FOUND;
    }
    atom_store_rlx(&wal->oldest, next); /* rlx: single writer */
    status = leat_wal_say(wal);
    if (status != LEAT_OK) {
        return status;
    }
    leat_wal_name(name, number, false);
    /* Where that fails the next open does it. */
    (void)files->remove(files->disk, wal->directory, name);
    leat_mutex_lock(&wal->mutex);
    wal->held -= wal->known[0].bytes;
    wal->known_count--;
    memmove(wal->known, wal->known + 1, wal->known_count * sizeof(*wal->known));
    leat_mutex_unlock(&wal->mutex);
    leat_wal_prepare_again(wal);
    return LEAT_OK;
}
