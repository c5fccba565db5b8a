/* wait.c - leat_wait_many(): a thread that waits for all, or any, of many jobs. It has a hold on
 * each that has not ended, so none can go before it has been told how it ended; and what is final
 * stays so, since nobody brings a dead job back on which there is a hold.
 *
 * All: one after the other, each as leat_wait() does, at its bell. Any: at the bell of the crowd.
 */
#include "engine/engine_internal.h"

#include <string.h>

#define HELD_BITS 64

/* One call. */
struct waiter {
    struct leat_engine *engine;
    struct leat_wait_set set;
    uint64_t held[LEAT_WAIT_MANY_MAX / HELD_BITS]; /* by place in the list; the others are gone */
    size_t at;                                     /* see `which` of leat_wait_many() */
    leat_atomic_u32 *bell;                         /* to sleep at */
    uint32_t heard;                                /* what it said before the last look */
};

LEAT_STATIC(LEAT_WAIT_MANY_MAX % HELD_BITS == 0, "whole words");

static uint32_t
index_of(const struct waiter *waiter, size_t place)
{
    return (uint32_t)(waiter->set.ids[place].bits & LEAT_INDEX_NONE);
}

static bool
is_held(const struct waiter *waiter, size_t place)
{
    return (waiter->held[place / HELD_BITS] >> place % HELD_BITS & 1) != 0;
}

static bool
has_ended(const struct waiter *waiter, size_t place)
{
    return !is_held(waiter, place) ||
           leat_phase_final(leat_job_phase_held(waiter->engine, index_of(waiter, place)));
}

/* ---- holds ----------------------------------------------------------------------------------- */

static void
unhold_all(struct waiter *waiter, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_held(waiter, i)) {
            leat_job_unhold(waiter->engine, index_of(waiter, i));
        }
    }
}

/* LEAT_OK; or what is wrong with the id at waiter->at, and none is held. */
static enum leat_status
hold_all(struct waiter *waiter)
{
    for (size_t i = 0; i < waiter->set.count; i++) {
        uint32_t index = 0;
        enum leat_status status =
            leat_job_hold(waiter->engine, waiter->set.ids[i], LEAT_HOLDS_TO_LOOK, &index);
        if (status == LEAT_OK) {
            waiter->held[i / HELD_BITS] |= UINT64_C(1) << i % HELD_BITS;
        } else if (status != LEAT_GONE) {
            unhold_all(waiter, i);
            waiter->at = i;
            return status;
        }
    }
    return LEAT_OK;
}

/* ---- waiting --------------------------------------------------------------------------------- */

static bool
any_ended(struct waiter *waiter)
{
    struct leat_crowd *crowd = &waiter->engine->crowd;
    waiter->bell = &crowd->rings;
    waiter->heard = leat_crowd_listen(crowd);
    waiter->at = 0;
    while (waiter->at < waiter->set.count && !has_ended(waiter, waiter->at)) {
        waiter->at++;
    }
    return waiter->at < waiter->set.count;
}

static bool
all_ended(struct waiter *waiter)
{
    for (; waiter->at < waiter->set.count; waiter->at++) {
        uint32_t bell = index_of(waiter, waiter->at) % LEAT_BELLS;
        waiter->bell = &waiter->engine->bells[bell].count;
        /* waitall:A acquire -> bell:A.  Carries: the final word; read before it.
         * If relaxed: see bell:A. */
        waiter->heard = atom_load_acq(waiter->bell);
        if (!has_ended(waiter, waiter->at)) {
            return false;
        }
    }
    return true;
}

/* Ends: at the deadline, or when the engine is stopped. */
static enum leat_status
wait_in(struct waiter *waiter, bool any)
{
    uint64_t timeout_ns = waiter->set.timeout_ns;
    uint64_t deadline_ns = leat_os_deadline_ns(timeout_ns);
    for (;;) {
        if (any ? any_ended(waiter) : all_ended(waiter)) {
            return LEAT_OK;
        }
        if (leat_engine_state_now(waiter->engine) == LEAT_ENGINE_STOPPED) {
            return LEAT_CLOSED;
        }
        if (timeout_ns == 0) {
            return LEAT_TIMEOUT;
        }
        if (leat_engine_within(waiter->engine)) {
            return LEAT_DEADLOCK;
        }
        if (leat_os_monotonic_ns() >= deadline_ns) {
            return LEAT_TIMEOUT;
        }
        leat_os_futex_wait(waiter->bell, waiter->heard, deadline_ns);
    }
}

static enum leat_status
wait_set(struct waiter *waiter)
{
    bool any = waiter->set.mode == LEAT_WAIT_ANY;
    if (any) {
        leat_crowd_enter(&waiter->engine->crowd);
    }
    enum leat_status status = wait_in(waiter, any);
    if (any) {
        leat_crowd_leave(&waiter->engine->crowd);
    }
    return status;
}

/* ---- answers --------------------------------------------------------------------------------- */

static enum leat_status
tell_one(const struct waiter *waiter, size_t place)
{
    const struct leat_wait_set *set = &waiter->set;
    enum leat_status answer = LEAT_GONE;
    struct leat_job_info info = leat_job_info_default();
    info.id = set->ids[place];
    if (is_held(waiter, place)) {
        leat_job_tell(waiter->engine, info.id, index_of(waiter, place), &info);
        answer = leat_phase_final((enum leat_phase)info.state) ? LEAT_OK : LEAT_TIMEOUT;
    }
    if (set->statuses != NULL) {
        set->statuses[place] = answer;
    }
    if (set->infos == NULL) {
        return LEAT_OK;
    }
    void *to = (unsigned char *)set->infos + (size_t)set->infos->size * place;
    memmove(to, set->infos, sizeof(uint32_t) * 2); /* size and version */
    return leat_struct_write(to, &info, sizeof(info));
}

static enum leat_status
tell_all(const struct waiter *waiter)
{
    enum leat_status status = LEAT_OK;
    bool asked = waiter->set.statuses != NULL || waiter->set.infos != NULL;
    for (size_t i = 0; asked && status == LEAT_OK && i < waiter->set.count; i++) {
        status = tell_one(waiter, i);
    }
    return status;
}

static enum leat_status
set_read(struct leat_wait_set *set, const struct leat_wait_set *given)
{
    *set = leat_wait_set_default();
    enum leat_status status =
        given == NULL ? LEAT_INVALID : leat_struct_read(set, sizeof(*set), given);
    if (status != LEAT_OK) {
        return status;
    }
    bool mode = set->mode == LEAT_WAIT_ALL || set->mode == LEAT_WAIT_ANY;
    if (!mode || set->ids == NULL || set->count == 0 || set->count > LEAT_WAIT_MANY_MAX) {
        return LEAT_INVALID;
    }
    if (set->infos != NULL && set->infos->size < sizeof(uint32_t) * 2) {
        return LEAT_INVALID;
    }
    bool known = set->infos == NULL || set->infos->version == LEAT_STRUCT_VERSION;
    return known ? LEAT_OK : LEAT_UNSUPPORTED;
}

enum leat_status
leat_wait_many(struct leat_engine *engine, const struct leat_wait_set *set, size_t *which)
{
    struct waiter waiter = {.engine = engine};
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK) {
        status = set_read(&waiter.set, set);
    }
    if (status != LEAT_OK) {
        return status;
    }
    status = hold_all(&waiter);
    bool told = status == LEAT_NOT_FOUND || status == LEAT_BUSY;
    if (status == LEAT_OK) {
        status = wait_set(&waiter);
        if (status == LEAT_OK || status == LEAT_TIMEOUT) {
            enum leat_status written = tell_all(&waiter);
            told = written == LEAT_OK;
            status = told ? status : written;
        }
        unhold_all(&waiter, waiter.set.count);
    }
    if (told && which != NULL) {
        *which = waiter.at;
    }
    return status;
}
