/* crew.c - see crew.h. */
#include "engine/wal/crew.h"

#include <limits.h>

#include "ring/mutex.h"

/* ---- changes --------------------------------------------------------------------------------- */

/* pre: the mutex. */
static void
changed(struct leat_wal_crew *crew)
{
    /* crew:A release -> crew:B.  Carries: nothing more than the mutex does.
     * If relaxed: nothing changes. */
    (void)atom_add_rel(&crew->event, 1);
    if (crew->asleep != 0) {
        leat_os_futex_wake(&crew->event, INT_MAX);
    }
}

/* Waits for a change. pre: the mutex, which is let go of meanwhile. */
static void
change_wait(struct leat_wal_crew *crew)
{
    /* crew:B acquire -> crew:A.  Carries: see crew:A.
     * If relaxed: see crew:A. */
    uint32_t event = atom_load_acq(&crew->event);
    crew->asleep++;
    leat_mutex_unlock(&crew->mutex);
    leat_os_futex_wait(&crew->event, event, UINT64_MAX);
    leat_mutex_lock(&crew->mutex);
    crew->asleep--;
}

/* ---- work ------------------------------------------------------------------------------------ */

/* Does the next part. pre: the mutex, as above; there is one. */
static void
part_do(struct leat_wal_crew *crew)
{
    uint32_t place = (uint32_t)(crew->begun++ % crew->places);
    leat_mutex_unlock(&crew->mutex);
    crew->work.part(crew->work.context, place);
    leat_mutex_lock(&crew->mutex);
    crew->done[place] = true;
    changed(crew);
}

static void
errand_do(struct leat_wal_crew *crew)
{
    crew->errand = LEAT_WAL_ERRAND_BEGUN;
    leat_mutex_unlock(&crew->mutex);
    crew->work.errand(crew->work.context);
    leat_mutex_lock(&crew->mutex);
    crew->errand = LEAT_WAL_ERRAND_DONE;
    changed(crew);
}

static void *
helper_run(void *argument)
{
    struct leat_wal_crew *crew = argument;
    leat_mutex_lock(&crew->mutex);
    while (!crew->ends) {
        if (crew->errand == LEAT_WAL_ERRAND_SENT) {
            errand_do(crew);
        } else if (crew->begun < crew->laid) {
            part_do(crew);
        } else {
            change_wait(crew);
        }
    }
    leat_mutex_unlock(&crew->mutex);
    return NULL;
}

/* ---- start and stop -------------------------------------------------------------------------- */

void
leat_wal_crew_init(struct leat_wal_crew *crew, uint32_t threads,
                   const struct leat_wal_crew_work *work)
{
    threads = threads == 0 ? 1 : threads;
    threads = threads > LEAT_WAL_CREW_MAX ? LEAT_WAL_CREW_MAX : threads;
    *crew = (struct leat_wal_crew){.work = *work, .places = 2 * threads, .wanted = threads - 1};
    leat_mutex_init(&crew->mutex);
}

/* What the system does not give is done without. */
static void
helpers_start(struct leat_wal_crew *crew)
{
    const struct leat_os_thread_config helper = {
        .run = helper_run, .argument = crew, .name = "leat-log-read"};
    while (crew->count < crew->wanted &&
           leat_os_thread_start(&crew->helpers[crew->count], &helper) == LEAT_OS_OK) {
        crew->count++;
    }
    crew->wanted = crew->count;
}

void
leat_wal_crew_fini(struct leat_wal_crew *crew)
{
    leat_wal_crew_drop(crew);
    leat_mutex_lock(&crew->mutex);
    if (crew->errand == LEAT_WAL_ERRAND_SENT) {
        crew->errand = LEAT_WAL_ERRAND_NONE;
    }
    crew->ends = true;
    changed(crew);
    leat_mutex_unlock(&crew->mutex);
    for (uint32_t i = 0; i < crew->count; i++) {
        leat_os_thread_join(crew->helpers[i]);
    }
    leat_mutex_fini(&crew->mutex);
}

/* ---- the owner ------------------------------------------------------------------------------- */

uint32_t
leat_wal_crew_place(const struct leat_wal_crew *crew)
{
    /* Nobody else writes these two. */
    return crew->laid - crew->back < crew->places ? (uint32_t)(crew->laid % crew->places)
                                                  : LEAT_WAL_CREW_PLACES;
}

void
leat_wal_crew_lay(struct leat_wal_crew *crew)
{
    leat_mutex_lock(&crew->mutex);
    crew->done[crew->laid++ % crew->places] = false;
    bool starts = crew->count < crew->wanted && crew->laid - crew->begun > 1;
    changed(crew);
    leat_mutex_unlock(&crew->mutex);
    if (starts) {
        helpers_start(crew);
    }
}

bool
leat_wal_crew_back(struct leat_wal_crew *crew, uint32_t *place)
{
    leat_mutex_lock(&crew->mutex);
    bool there = crew->back < crew->laid;
    uint32_t oldest = (uint32_t)(crew->back % crew->places);
    while (there && !crew->done[oldest]) {
        if (crew->begun == crew->back) {
            part_do(crew);
        } else {
            change_wait(crew);
        }
    }
    crew->back += there ? 1 : 0;
    leat_mutex_unlock(&crew->mutex);
    *place = oldest;
    return there;
}

void
leat_wal_crew_drop(struct leat_wal_crew *crew)
{
    uint32_t place = 0;
    leat_mutex_lock(&crew->mutex);
    crew->laid = crew->begun;
    leat_mutex_unlock(&crew->mutex);
    while (leat_wal_crew_back(crew, &place)) {
    }
}

void
leat_wal_crew_send(struct leat_wal_crew *crew)
{
    leat_mutex_lock(&crew->mutex);
    crew->errand = LEAT_WAL_ERRAND_SENT;
    changed(crew);
    leat_mutex_unlock(&crew->mutex);
}

void
leat_wal_crew_fetch(struct leat_wal_crew *crew)
{
    leat_mutex_lock(&crew->mutex);
    if (crew->errand == LEAT_WAL_ERRAND_SENT) {
        errand_do(crew);
    }
    while (crew->errand == LEAT_WAL_ERRAND_BEGUN) {
        change_wait(crew);
    }
    crew->errand = LEAT_WAL_ERRAND_NONE;
    leat_mutex_unlock(&crew->mutex);
}
