/* model_room.c - the real engine/room.c, of a queue that is full: every interleaving of submits
 * that wait for room with threads that give some, set another limit, or close the queue, with C11
 * memory. Who waits has no deadline, so a ring of the bell that is lost leaves it waiting for ever:
 * which the explorer finds.
 *
 * give    one waits, one gives its room.
 * bytes   the same where the limit is of bytes.
 * two     two wait, and two give; or one gives room for both, and one of them gives it on.
 * limit   one waits, and another limit is set, which it fits.
 * shrink  one gives room, and the limit is set lower meanwhile, and up again.
 * close   one waits, and its queue is closed.
 * No more is taken than the limit, and what was taken is counted.
 */
#include <stdio.h>
#include <string.h>

#include "engine/room.h"
#include "engine/terms.h"
#include "engine/trail.h"
#include "ring/rcu.h"
#include "tests/support/explore.h"

/* Sections and grace periods are for those who begin a submit, which here has begun. */
/* They stand for functions. NOLINTBEGIN(readability-identifier-naming) */
#define leat_rcu_enter()       ((void)0)
#define leat_rcu_leave(domain) ((void)(domain))
#define leat_rcu_wait(domain)  explore_point()
static void futex_wait(leat_atomic_u32 *word, uint32_t event, uint64_t deadline_ns);

#define leat_os_futex_wait futex_wait
/* NOLINTEND(readability-identifier-naming) */
#include "engine/room.c" /* NOLINT(bugprone-suspicious-include) */

#define BYTES 8

enum step { STEP_NONE, STEP_WAIT, STEP_WAIT_GIVE, STEP_GIVE, STEP_LIMIT, STEP_SHRINK, STEP_CLOSE };

struct scenario {
    const char *name;
    uint32_t jobs_max;
    uint32_t bytes_max; /* of so many jobs */
    uint32_t before;    /* jobs that wait before */
    uint32_t after;     /* at the end */
    bool closes;
    enum step steps[EXPLORE_THREADS_MAX];
    uint32_t preemptions; /* 0: any */
};

struct state {
    uint32_t entered[EXPLORE_THREADS_MAX]; /* plain: by each thread */
};

static struct state state_now;
static struct leat_engine engine_now; /* but for its atomics never written but in setup */
static struct leat_queue_words queue_now;
static struct leat_queue_room room_now;
static struct leat_bell bells_now[LEAT_BELLS];
static const struct scenario *scenario;

/* The kernel has seen another value, and so the thread does from now on; the explorer does not know
 * of that. */
static void
futex_wait(leat_atomic_u32 *word, uint32_t event, uint64_t deadline_ns)
{
#undef leat_os_futex_wait
    leat_os_futex_wait(word, event, deadline_ns);
    while (atom_load_acq(word) == event) {
        explore_pause();
    }
}

/* ---- what the engine has elsewhere ----------------------------------------------------------- */

struct leat_tenant_room *
leat_tenant_room(const struct leat_engine *engine, leat_tenant tenant)
{
    (void)engine;
    (void)tenant;
    return NULL;
}

bool
leat_engine_inside(const struct leat_engine *engine)
{
    (void)engine;
    return false;
}

void
leat_job_ring_bell(struct leat_engine *engine, uint32_t index, uint64_t word)
{
    struct leat_bell *bell = &engine->bells[index % LEAT_BELLS];
    (void)word;
    (void)atom_add_acq_rel(&bell->count, 1);
    leat_os_futex_wake(&bell->count, UINT32_MAX);
}

enum leat_status
leat_submit_once(struct leat_engine *engine, const struct leat_job *given, enum leat_room_how how,
                 leat_job_id *id)
{
    const struct leat_room_ask ask = {.bytes = BYTES, .waits = how == LEAT_ROOM_WAITS};
    (void)given;
    (void)id;
    return leat_room_take(engine, &ask);
}

/* ---- what these scenarios do not come to ----------------------------------------------------- */

#define NEVER(head)                                                                                \
    head                                                                                           \
    {                                                                                              \
        explore_fail(#head, __FILE__, __LINE__);                                                   \
    }
#define UNUSED __attribute__((unused))

NEVER(enum leat_status leat_struct_read(UNUSED void *known, UNUSED size_t bytes,
                                        UNUSED const void *given))
NEVER(enum leat_status leat_registry_queue_named(UNUSED struct leat_engine *engine,
                                                 UNUSED const struct leat_job *job,
                                                 UNUSED uint32_t *queue))
NEVER(enum leat_status leat_terms_check(UNUSED struct leat_job_options *known,
                                        UNUSED const struct leat_job_options *given))
NEVER(struct leat_trail *leat_trail_create(UNUSED struct leat_engine *engine))
NEVER(void leat_trail_destroy(UNUSED struct leat_engine *engine, UNUSED struct leat_trail *trail))
NEVER(void leat_trail_add(UNUSED struct leat_engine *engine, UNUSED struct leat_trail *trail,
                          UNUSED uint32_t level, UNUSED leat_job_id id))
NEVER(bool leat_trail_drop(UNUSED struct leat_engine *engine, UNUSED struct leat_trail *trail,
                           UNUSED uint32_t level))
NEVER(bool leat_trail_next(UNUSED const struct leat_engine *engine,
                           UNUSED const struct leat_trail *trail, UNUSED uint32_t level,
                           UNUSED struct leat_trail_look *look, UNUSED struct leat_stand *stand))
NEVER(enum leat_status leat_footprint_take(UNUSED struct leat_engine *engine,
                                           UNUSED uint64_t bytes))
NEVER(void leat_footprint_give(UNUSED struct leat_engine *engine, UNUSED uint64_t bytes))
NEVER(uint64_t leat_footprint_lacks(UNUSED const struct leat_engine *engine,
                                    UNUSED uint64_t payload_bytes))
NEVER(uint64_t leat_footprint_again(UNUSED uint64_t deadline_ns))

/* ---- threads --------------------------------------------------------------------------------- */

static uint64_t
used(const struct leat_quota *quota)
{
    return atom_load_rlx(&quota->used) & ~LEAT_QUOTA_WAITED;
}

static void
wait(struct state *state)
{
    enum leat_status status = wait_until(&engine_now, 0, UINT64_MAX, NULL, NULL);
    EXPLORE_CHECK(status == LEAT_OK || (status == LEAT_CLOSED && scenario->closes));
    state->entered[explore_thread()] = status == LEAT_OK ? 1 : 0;
}

static void
limit(uint64_t jobs_max)
{
    if (leat_room_limit(&room_now.room, jobs_max, 0)) {
        leat_room_ring(&engine_now, 0);
    }
}

static void
thread(void *argument)
{
    struct state *state = argument;
    switch (scenario->steps[explore_thread()]) {
    case STEP_WAIT:
        wait(state);
        break;
    case STEP_WAIT_GIVE:
        wait(state);
        state->entered[explore_thread()] = 0;
        leat_room_give(&engine_now, 0, BYTES);
        break;
    case STEP_GIVE:
        leat_room_give(&engine_now, 0, BYTES);
        break;
    case STEP_LIMIT:
        limit(scenario->jobs_max + 1);
        break;
    case STEP_SHRINK:
        limit(1);
        limit(2);
        break;
    case STEP_CLOSE:
        leat_room_close(&engine_now, 0);
        break;
    case STEP_NONE:
        break;
    }
}

/* ---- all ------------------------------------------------------------------------------------- */

static void
room_setup(void *argument)
{
    (void)argument;
    memset(&engine_now, 0, sizeof(engine_now));
    memset(&queue_now, 0, sizeof(queue_now));
    memset(&room_now, 0, sizeof(room_now));
    memset(&bells_now, 0, sizeof(bells_now));
    engine_now.pool.queues = &queue_now;
    engine_now.rooms.queues = &room_now;
    engine_now.bells = bells_now;
    atom_init(&engine_now.state, LEAT_ENGINE_RUNNING);
    (void)leat_room_limit(&room_now.room, scenario->jobs_max,
                          (uint64_t)scenario->bytes_max * BYTES);
    for (uint32_t i = 0; i < scenario->before; i++) {
        leat_room_force(&engine_now, 0, BYTES);
    }
}

static void
room_check(void *argument)
{
    const struct state *state = argument;
    uint32_t entered = scenario->before;
    for (uint32_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        entered += state->entered[i];
        entered -= scenario->steps[i] == STEP_GIVE ? 1 : 0;
    }
    EXPLORE_CHECK(used(&room_now.room.jobs) == entered);
    EXPLORE_CHECK(used(&room_now.room.bytes) == (uint64_t)entered * BYTES);
    EXPLORE_CHECK(entered == scenario->after || scenario->closes);
}

static const struct scenario scenarios[] = {
    {"room_give", 1, 0, 1, 1, false, {STEP_WAIT, STEP_GIVE}, 0},
    {"room_bytes", 0, 1, 1, 1, false, {STEP_WAIT, STEP_GIVE}, 0},
    {"room_two", 2, 0, 2, 2, false, {STEP_WAIT, STEP_WAIT, STEP_GIVE, STEP_GIVE}, 1},
    {"room_on", 1, 0, 1, 0, false, {STEP_WAIT_GIVE, STEP_WAIT_GIVE, STEP_GIVE}, 2},
    {"room_limit", 1, 0, 1, 2, false, {STEP_WAIT, STEP_LIMIT}, 0},
    {"room_shrink", 2, 0, 2, 2, false, {STEP_WAIT, STEP_GIVE, STEP_SHRINK}, 2},
    {"room_close", 1, 0, 1, 1, true, {STEP_WAIT, STEP_CLOSE}, 0},
};

int
main(void)
{
    bool good = true;
    for (uint32_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        struct explore_counts counts;
        scenario = &scenarios[i];
        struct explore_model model = {.name = scenario->name,
                                      .state = &state_now,
                                      .state_bytes = sizeof(state_now),
                                      .setup = room_setup,
                                      .check = room_check,
                                      .bounded = scenario->preemptions != 0,
                                      .preemptions = scenario->preemptions};
        for (uint32_t j = 0; j < EXPLORE_THREADS_MAX; j++) {
            model.threads[j] = scenario->steps[j] == STEP_NONE ? NULL : thread;
        }
        good = explore(&model, &counts) && good;
    }
    return good ? 0 : 1;
}
