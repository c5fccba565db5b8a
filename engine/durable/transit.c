/* transit.c - submits for which no thread waits: from the append of their image to the moment at
 * which others see the job, and whoever submitted it is told.
 *
 *   its submitter    record filled ──► counted in the air ──► image ──► given to the log
 *   the log's role   image durable, or not to be ──► landed
 *   the log's thread landed ──► claims, published ──► told ──► counted out
 *
 * The list is of the records themselves: a record that is FILLING is in no place, so its link is
 * free; it is in one of the log's inbox, the log's list, and `landed` at a time. What else is to be
 * known of it stands in the record, and in struct leat_job_durable.
 *
 * Roles    any thread flies; who has the log's role puts what is durable into `landed`; the log's
 *          thread alone takes from there, so those of one thread land in its order.
 * Claims   fly   lock-free, as leat_wal_append() and the allocator are, but for a new ceiling of
 *                ids.
 *          land  BLOCKING, by the log's thread: what is claimed, it waits for like any submit.
 * I1       who has let it in counts it in outside.awaited until it is told: a drain waits for it
 * I2       it is told once; and before it is told, it is seen by others, or refused
 * Why the publishing is not in the role: it appends, where it refuses or replaces a job, and an
 * append may have to wait for room, which who has the role makes.
 */
#include "engine/durable/internal.h"

#include "engine/completion.h"
#include "engine/intake.h"
#include "engine/labels.h"
#include "engine/terms.h"

/* That wait for the log once more, together. */
#define LATE_MAX 16

/* Above the bits of how a job flies. */
#define STATUS_SHIFT 8

/* Who is told what. */
struct notice {
    struct leat_transit_told *told; /* or NULL, and: */
    struct leat_acknowledger *call; /* or NULL, and: */
    uint32_t slot;                  /* of a completion queue */
    struct leat_completion_end end;
};

/* Notices of jobs with a name or a key: what had those before has its end in the log. */
struct late {
    struct notice notices[LATE_MAX];
    uint32_t count;
    bool synced; /* one of them is not of LEAT_DURABILITY_OS */
    bool calls;  /* someone waits for several */
};

static struct leat_job_extra *
extra_of(const struct leat_engine *engine, uint32_t index)
{
    return leat_job_extra(leat_job_record(engine, index));
}

/* ---- whom the host is called for ------------------------------------------------------------- */

static struct leat_acknowledger *
call_make(const struct leat_engine *engine, const struct leat_job *job)
{
    struct leat_job_options room;
    const struct leat_job_options *options = leat_terms_read(job->options, &room);
    struct leat_acknowledger *call = leat_memory_take(&engine->memory, sizeof(*call));
    if (call != NULL) {
        *call = (struct leat_acknowledger){options->acknowledged, options->acknowledged_context};
    }
    return call;
}

/* NULL does nothing. */
static void
call_give(const struct leat_engine *engine, struct leat_acknowledger *call)
{
    leat_memory_give(&engine->memory, call, sizeof(*call));
}

/* Whom a job that flies is to be told by. */
static struct notice
notice_take(struct leat_job_extra *extra, uint32_t how)
{
    struct notice notice = {.slot = extra->acknowledgement};
    if ((how & LEAT_TRANSIT_CALLS) != 0) {
        notice.call = extra->durable->tells.call;
    } else {
        notice.told = extra->durable->tells.told;
    }
    extra->durable->tells.told = NULL;
    extra->acknowledgement = 0; /* a refusal does not give the slot back */
    return notice;
}

/* ---- taking off ------------------------------------------------------------------------------ */

enum leat_status
leat_durable_fly(struct leat_engine *engine, uint32_t index, const struct leat_job *job,
                 struct leat_transit_told *told, uint32_t how)
{
    struct leat_durable *durable = engine->durable;
    struct leat_acknowledger *call = NULL;
    uint64_t position = 0;
    if ((how & LEAT_TRANSIT_CALLS) != 0) {
        call = call_make(engine, job);
        if (call == NULL) {
            return LEAT_NO_MEMORY;
        }
    }
    enum leat_status status = leat_durable_image(engine, index, job, told != NULL, &position);
    if (status != LEAT_OK) {
        call_give(engine, call);
        leat_wal_kick(&durable->wal);
        return status;
    }
    struct leat_job_durable *flown = extra_of(engine, index)->durable;
    flown->transit = how;
    flown->tells.told = told;
    flown->position = position;
    if (call != NULL) {
        flown->tells.call = call;
    } else if (told != NULL) {
        (void)atom_add_rlx(&told->call->left, 1); /* rlx: ordered by inbox:A */
        told->call->position = position;
        if ((uint32_t)told->call->durability < flown->durability) {
            told->call->durability = (enum leat_durability)flown->durability;
        }
    }
    (void)atom_add_rlx(&durable->flying, 1); /* rlx: ordered by inbox:A */
    leat_wal_when(&durable->wal, index);
    return LEAT_OK;
}

/* ---- by the log ------------------------------------------------------------------------------ */

leat_atomic_u32 *
leat_durable_link(void *context, uint32_t index)
{
    const struct leat_durable *durable = context;
    return &leat_job_record(durable->engine, index)->link_next;
}

uint64_t
leat_durable_position(void *context, uint32_t index)
{
    const struct leat_durable *durable = context;
    return extra_of(durable->engine, index)->durable->position;
}

bool
leat_durable_calls_written(void *context, uint32_t index)
{
    const struct leat_durable *durable = context;
    return extra_of(durable->engine, index)->durable->durability == LEAT_DURABILITY_OS;
}

void
leat_durable_settled(void *context, uint32_t index, enum leat_status status)
{
    struct leat_durable *durable = context;
    extra_of(durable->engine, index)->durable->transit |= (uint32_t)status << STATUS_SHIFT;
    (void)leat_inbox_push(&durable->landed, leat_durable_link(context, index), index);
    if (status == LEAT_NO_SPACE) {
        leat_durable_missed(durable);
    }
}

/* ---- telling --------------------------------------------------------------------------------- */

static void
tell(struct leat_engine *engine, const struct notice *notice)
{
    struct leat_durable *durable = engine->durable;
    if (notice->told != NULL) {
        notice->told->id = notice->end.id;
        notice->told->status = notice->end.status;
        /* answered:A release -> answered:B.  Carries: what its submit has come to.
         * If relaxed: the caller could read what stood there before. */
        (void)atom_sub_rel(&notice->told->call->left, 1);
    } else if (notice->call != NULL) {
        const struct leat_acknowledger call = *notice->call;
        call_give(engine, notice->call);
        leat_durable_lands(durable); /* the one before may have been at the log of another engine */
        leat_acknowledge(engine, &call, notice->end.id, notice->end.status);
    } else {
        leat_completion_deliver(engine, notice->slot, notice->end);
    }
    leat_change_ends(engine);
    /* flown:A release -> flown:B.  Carries: that the job is where it belongs.
     * If relaxed: a close could free what this thread has in hand. */
    (void)atom_sub_rel(&durable->flying, 1);
}

/* Tells those that were put off. */
static void
late_tell(struct leat_engine *engine, struct late *late)
{
    struct leat_wal *wal = &engine->durable->wal;
    enum leat_status status = LEAT_OK;
    if (late->count != 0) {
        /* What had the claims was noted before it let go of them. rlx: ordered by change:B */
        status = leat_wal_wait_behind(wal, atom_load_rlx(&wal->ring.tail), !late->synced);
    }
    if (status == LEAT_NO_SPACE) {
        leat_durable_missed(engine->durable);
    }
    for (uint32_t i = 0; i < late->count; i++) {
        late->notices[i].end.status = status == LEAT_OK ? late->notices[i].end.status : status;
        tell(engine, &late->notices[i]);
    }
    late->count = 0;
    late->synced = false;
}

/* Who waits for several looks whether all of them are told. */
static void
call_wake(struct leat_durable *durable)
{
    /* calls:A release -> calls:B.  Carries: nothing more than answered:A does.
     * If relaxed: who waits could sleep beside it. */
    (void)atom_add_rel(&durable->calls_told, 1);
    leat_os_futex_wake(&durable->calls_told, UINT32_MAX);
}

/* ---- landing --------------------------------------------------------------------------------- */

/* The submit as it was when its record was filled. */
static struct leat_intake
intake_of(const struct leat_engine *engine, uint32_t index, uint32_t how)
{
    const struct leat_job_record *record = leat_job_record(engine, index);
    struct leat_intake intake = {
        .type = leat_job_type(record),
        .queue = leat_job_queue(record),
        .level = leat_job_level(record),
        .bytes = leat_job_payload_bytes(record),
        .index = index,
        .limited = leat_job_counted(record),
        .extra = true,
        .alone = true,
        .owes = (how & LEAT_TRANSIT_OWES) != 0,
    };
    if ((how & LEAT_TRANSIT_DUE) != 0) {
        intake.due = leat_timers_due_of(engine, index);
    }
    return intake;
}

static void
land(struct leat_engine *engine, uint32_t index, struct late *late)
{
    struct leat_job_extra *extra = extra_of(engine, index);
    const uint32_t transit = extra->durable->transit;
    const uint32_t how = transit & ((1U << STATUS_SHIFT) - 1);
    struct leat_intake intake = intake_of(engine, index, how);
    struct notice notice = notice_take(extra, how);
    const uint32_t durability = extra->durable->durability;
    bool claims = leat_labels_claims(engine, index);
    enum leat_status status = (enum leat_status)(transit >> STATUS_SHIFT);
    /* rlx: single writer */
    uint64_t word = atom_load_rlx(leat_slab_word(&engine->jobs, index));
    const leat_job_id own = {leat_word_of(leat_word_generation(word), index)};
    leat_job_id id = own;
    if (status == LEAT_OK) {
        status = leat_intake_land(engine, &intake, how, &id);
        id = status == LEAT_OK || status == LEAT_JOINED ? id : own; /* not whom it has met */
    } else {
        leat_intake_refuse(engine, &intake);
    }
    notice.end = (struct leat_completion_end){
        .id = id, .kind = LEAT_COMPLETION_ACKNOWLEDGED, .status = status};
    if (status == LEAT_OK) {
        notice.end.phase =
            (how & LEAT_TRANSIT_DUE) != 0 ? LEAT_PHASE_SCHEDULED : LEAT_PHASE_PENDING;
    }
    late->calls = late->calls || notice.told != NULL;
    if (!claims || (status != LEAT_OK && status != LEAT_JOINED)) {
        tell(engine, &notice);
        return;
    }
    late->notices[late->count++] = notice;
    late->synced = late->synced || durability != LEAT_DURABILITY_OS;
    if (late->count == LATE_MAX) {
        late_tell(engine, late);
    }
}

void
leat_durable_landed(void *context)
{
    struct leat_durable *durable = context;
    const struct leat_fifo_links links = {leat_durable_link, durable};
    struct leat_fifo landed;
    struct late late = {.count = 0, .synced = false, .calls = false};
    uint32_t index = 0;
    leat_fifo_init(&landed);
    (void)leat_fifo_take_over(&landed, links, leat_inbox_take(&durable->landed));
    while (leat_fifo_pop_front(&landed, links, &index)) {
        leat_durable_lands(durable);
        land(durable->engine, index, &late);
    }
    late_tell(durable->engine, &late);
    if (late.calls) {
        call_wake(durable);
    }
}

/* ---- waiting for several --------------------------------------------------------------------- */

void
leat_transit_wait(struct leat_engine *engine, struct leat_transit_call *call)
{
    struct leat_durable *durable = engine->durable;
    /* Writes for all of them; what comes of that, each is told. */
    (void)leat_durable_wait(engine, call->position, call->durability);
    for (;;) {
        /* calls:B acquire -> calls:A.  Carries: see calls:A.
         * If relaxed: see calls:A. */
        uint32_t event = atom_load_acq(&durable->calls_told);
        /* answered:B acquire -> answered:A.  Carries: see answered:A.
         * If relaxed: see answered:A. */
        if (atom_load_acq(&call->left) == 0) {
            return;
        }
        leat_os_futex_wait(&durable->calls_told, event, UINT64_MAX);
    }
}

void
leat_durable_land_all(struct leat_durable *durable)
{
    /* flown:B acquire -> flown:A.  Carries: see flown:A.
     * If relaxed: see flown:A. */
    while (atom_load_acq(&durable->flying) != 0) {
        uint64_t tail = atom_load_rlx(&durable->wal.ring.tail); /* rlx: single writer */
        /* It is settled whatever this says. Ends: the log's thread lands all that is. */
        (void)leat_wal_wait(&durable->wal, tail, UINT64_MAX);
        if (durable->wal.threads.run) {
            leat_wal_kick(&durable->wal);
            leat_os_yield();
        } else {
            (void)leat_wal_step(&durable->wal, false); /* what is new in its inbox */
            leat_durable_landed(durable);
        }
    }
}
