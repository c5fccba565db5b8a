/* append.c - how records come into the log, and what of them a thread waits for, see internal.h. */
#include "engine/durable/internal.h"

#include <string.h>

#include "ring/rcu.h"

/* A call of the host's that this thread is in, and the one around it. */
struct telling {
    const struct leat_engine *engine;
    const struct telling *around;
    bool lands; /* this thread lands what is in flight of the engine's log */
};

/* Records of a unit for which no memory is asked. */
#define FEW LEAT_DURABLE_FEW

/* What this thread has appended and not waited for yet. */
struct mine {
    uint64_t serial;               /* of the open: another one may stand at the same address */
    uint64_t position;             /* of the last that is to be durable; 0: none */
    uint64_t written;              /* of the last that is to be written only; 0: none */
    enum leat_status failed;       /* LEAT_OK: the last is in the log */
    uint64_t losses;               /* of this open */
    bool lands;                    /* see leat_durable_lands() */
    bool cleans;                   /* it is the cleaner */
    uint32_t passes;               /* see leat_durable_pass_begin() */
    const struct telling *telling; /* of any engine; NULL: none */
};

/* How something is appended. */
struct way {
    enum leat_wal_need need;
    bool waits; /* for room in the ring, and for the cleaner; else the answer is LEAT_FULL */
};

static _Thread_local struct mine mine;

/* Such a call may have been at the log of another engine. */
static LEAT_COLD void
mine_begin(const struct leat_durable *durable)
{
    mine = (struct mine){.serial = durable->serial, .telling = mine.telling};
    for (const struct telling *at = mine.telling; at != NULL; at = at->around) {
        mine.lands = mine.lands || (at->lands && at->engine->durable == durable);
    }
}

static struct mine *
mine_of(const struct leat_durable *durable)
{
    if (mine.serial != durable->serial) {
        mine_begin(durable);
    }
    return &mine;
}

/* ---- appending ------------------------------------------------------------------------------ */

static void
appended(struct leat_durable *durable, uint64_t position)
{
    struct mine *last = mine_of(durable);
    last->position = position;
    last->failed = LEAT_OK;
    leat_durable_grown(durable);
}

void
leat_durable_lands(struct leat_durable *durable)
{
    struct mine *last = mine_of(durable);
    last->lands = true;
    last->failed = LEAT_OK;
}

bool
leat_durable_lands_here(const struct leat_durable *durable)
{
    return mine_of(durable)->lands;
}

void
leat_durable_cleans(struct leat_durable *durable)
{
    mine_of(durable)->cleans = true;
}

void
leat_durable_pass_begin(const struct leat_durable *durable)
{
    mine_of(durable)->passes++;
}

void
leat_durable_pass_end(const struct leat_durable *durable)
{
    struct mine *last = mine_of(durable);
    last->passes -= last->passes != 0 ? 1 : 0;
}

bool
leat_durable_passes(const struct leat_durable *durable)
{
    const struct mine *last = mine_of(durable);
    return last->lands || last->passes != 0;
}

enum leat_status
leat_durable_wait_as(struct leat_durable *durable, uint64_t position)
{
    const struct mine *last = mine_of(durable);
    if (last->lands) {
        return leat_wal_wait_behind(&durable->wal, position, false);
    }
    return last->cleans ? leat_wal_wait_cleaning(&durable->wal, position)
                        : leat_wal_wait(&durable->wal, position, UINT64_MAX);
}

/* Where the ring is full, it writes for all: who appends here waits for the disk anyway, or must
 * not be refused. Ends: what was in the ring becomes durable; where nothing does, for want of space
 * or memory, that is the answer. */
static enum leat_status
append_stored(struct leat_durable *durable, const struct leat_wal_entry *entries, uint32_t count,
              struct way way, uint64_t *position)
{
    struct leat_wal *wal = &durable->wal;
    enum leat_status status = LEAT_OK;
    while (status == LEAT_OK) {
        uint64_t head = leat_bytes_head(&wal->ring);
        enum leat_status appends = leat_wal_append(wal, entries, count, way.need, position);
        if (appends != LEAT_FULL || !way.waits) {
            return appends;
        }
        status = leat_durable_wait_as(durable, head + 1); /* the first that is in the ring */
    }
    return status;
}

static void
sealed_give(const struct leat_durable *durable, struct leat_sealed *sealed, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        leat_sealed_give(&durable->seal, &sealed[i]);
    }
}

/* Each of them becomes what is stored, which stands in `sealed`; or none does. */
static enum leat_status
sealed_make(struct leat_durable *durable, struct leat_wal_entry *entries,
            struct leat_sealed *sealed, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        enum leat_status status = leat_sealed_make(&durable->seal, &entries[i], &sealed[i]);
        if (status != LEAT_OK) {
            sealed_give(durable, sealed, i);
            return status;
        }
        entries[i] = sealed[i].entry;
    }
    return LEAT_OK;
}

/* All that goes into the log goes here. The entries become what is stored: how long they are counts
 * behind the return, their bytes are gone. */
static enum leat_status
append(struct leat_durable *durable, struct leat_wal_entry *entries, uint32_t count, struct way way,
       uint64_t *position)
{
    struct leat_sealed few[FEW];
    struct leat_sealed *sealed = few;
    size_t bytes = sizeof(struct leat_sealed) * count;
    LEAT_ASSERT(!way.waits || !leat_rcu_inside());
    if (LEAT_LIKELY(!durable->seals)) {
        return append_stored(durable, entries, count, way, position);
    }
    if (count > FEW) {
        sealed = leat_memory_take(&durable->memory, bytes);
    }
    enum leat_status status =
        sealed == NULL ? LEAT_NO_MEMORY : sealed_make(durable, entries, sealed, count);
    if (status == LEAT_OK) {
        status = append_stored(durable, entries, count, way, position);
        sealed_give(durable, sealed, count);
    }
    if (sealed != few) {
        leat_memory_give(&durable->memory, sealed, bytes);
    }
    return status;
}

void
leat_durable_lose(struct leat_durable *durable, enum leat_status status)
{
    struct mine *last = mine_of(durable);
    last->failed = status;
    last->losses++;
    (void)atom_add_rlx(&durable->lost, 1); /* rlx: statistic */
}

enum leat_status
leat_durable_append_as(struct leat_durable *durable, const struct leat_wal_entry *entries,
                       uint32_t count, enum leat_wal_need need)
{
    struct leat_wal_entry stored[FEW];
    uint64_t position = 0;
    const bool cleans = mine_of(durable)->cleans;
    const struct way way = {cleans ? LEAT_WAL_CLEAN : need, true};
    LEAT_ASSERT(count <= FEW);
    memcpy(stored, entries, sizeof(*entries) * count);
    enum leat_status status = append(durable, stored, count, way, &position);
    if (status == LEAT_OK) {
        appended(durable, position);
        return LEAT_OK;
    }
    leat_durable_lose(durable, status);
    if (status == LEAT_NO_SPACE && !cleans) {
        leat_durable_missed(durable);
    }
    return status;
}

enum leat_status
leat_durable_append(struct leat_durable *durable, const struct leat_wal_entry *entry)
{
    return leat_durable_append_as(durable, entry, 1, LEAT_WAL_LAST);
}

uint64_t
leat_durable_losses(const struct leat_durable *durable)
{
    return mine_of(durable)->losses;
}

/* Who finds no space makes the cleaner look whether there is some to be gained. */
enum leat_status
leat_durable_append_first(struct leat_durable *durable, struct leat_wal_entry *entries,
                          uint32_t count, bool waits, uint64_t *position)
{
    const struct way way = {LEAT_WAL_FIRST, waits};
    if (waits) {
        leat_durable_pace(durable);
    } else if (leat_durable_pace_stops(durable)) {
        return LEAT_FULL;
    }
    enum leat_status status = append(durable, entries, count, way, position);
    if (status == LEAT_NO_SPACE) {
        leat_durable_missed(durable);
    }
    return status;
}

/* ---- waiting --------------------------------------------------------------------------------- */

enum leat_status
leat_durable_wait(struct leat_engine *engine, uint64_t position, enum leat_durability durability)
{
    struct leat_wal *wal = &engine->durable->wal;
    const bool written = durability == LEAT_DURABILITY_OS;
    enum leat_status status = LEAT_OK;
    LEAT_ASSERT(!leat_rcu_inside());
    if (mine_of(engine->durable)->lands) {
        status = leat_wal_wait_behind(wal, position, written);
    } else {
        status = written ? leat_wal_wait_written(wal, position, UINT64_MAX)
                         : leat_wal_wait(wal, position, UINT64_MAX);
    }
    if (status == LEAT_NO_SPACE) {
        leat_durable_missed(engine->durable);
    }
    return status;
}

enum leat_status
leat_durable_wait_all(struct leat_engine *engine, enum leat_durability durability)
{
    /* What had the caller's claim was noted before it let go of that. rlx: ordered by change:B */
    uint64_t tail = atom_load_rlx(&engine->durable->wal.ring.tail);
    return leat_durable_wait(engine, tail, durability);
}

enum leat_status
leat_durable_settle_slowly(struct leat_engine *engine, enum leat_status status)
{
    struct mine *last = mine_of(engine->durable);
    const struct mine was = *last;
    enum leat_status settled = was.failed;
    if (was.lands) {
        return settled == LEAT_OK || status != LEAT_OK ? status : settled;
    }
    *last = (struct mine){
        .serial = was.serial, .losses = was.losses, .passes = was.passes, .telling = was.telling};
    if (settled == LEAT_OK && was.written != 0) {
        settled = leat_durable_wait(engine, was.written, LEAT_DURABILITY_OS);
    }
    if (settled == LEAT_OK && was.position != 0) {
        settled = leat_durable_wait(engine, was.position, LEAT_DURABILITY_GROUP);
    }
    return settled == LEAT_OK || status != LEAT_OK ? status : settled;
}

uint64_t
leat_durable_last(const struct leat_durable *durable)
{
    return mine_of(durable)->position;
}

void
leat_durable_wait_less(const struct leat_durable *durable, const struct leat_job_durable *job,
                       uint64_t before)
{
    struct mine *last = mine_of(durable);
    if (job->durability == LEAT_DURABILITY_OS && last->position != before) {
        last->written = last->position;
        last->position = before;
    }
}

/* ---- acknowledgements by a call -------------------------------------------------------------- */

void
leat_acknowledge(const struct leat_engine *engine, const struct leat_acknowledger *who,
                 leat_job_id id, enum leat_status status)
{
    const struct leat_durable *durable = engine->durable;
    const bool lands = durable != NULL && mine_of(durable)->lands;
    const struct telling telling = {engine, mine.telling, lands};
    LEAT_ASSERT(!leat_rcu_inside());
    mine.telling = &telling;
    who->acknowledged(id, status, who->context);
    mine.telling = telling.around;
}

bool
leat_acknowledges_inside(const struct leat_engine *engine)
{
    /* Ends: as deep as the host's calls are in one another. */
    for (const struct telling *at = mine.telling; at != NULL; at = at->around) {
        if (at->engine == engine) {
            return true;
        }
    }
    return false;
}
