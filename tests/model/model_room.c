/* model_room.c - the real engine/room.c and engine/tenants.c: every interleaving of submits that
 * wait for room of a queue that is full with threads that give some, set another limit, or close
 * the queue, with C11 memory. Who waits has no deadline, so a ring of the bell that is lost leaves
 * it waiting for ever: which the explorer finds.
 *
 * give    one waits, one gives its room.
 * bytes   the same where the limit is of bytes.
 * two     two wait, and two give; or one gives room for both, and one of them gives it on.
 * limit   one waits, and another limit is set, which it fits.
 * shrink  one gives room, and the limit is set lower meanwhile, and up again.
 * close   one waits, and its queue is closed.
 * first   a queue gets its first limit, and its tenant, while one submits: what it takes of the
 *         tenant it gives back to it, and the limit holds for it, where it is counted.
 * trail   two threads set that a queue drops, while one submits: it has one trail, which is made.
 * tenant  a tenant is made, while one looks for it: it has its limits.
 * within  a handler submits to a queue that is closed, and a drain looks over the records: one that
 *         has passed has seen it.
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
#include "engine/room.c"    /* NOLINT(bugprone-suspicious-include) */
#include "engine/tenants.c" /* NOLINT(bugprone-suspicious-include) */

#define BYTES 8

enum step {
    STEP_NONE,
    STEP_WAIT,
    STEP_WAIT_GIVE,
    STEP_GIVE,
    STEP_LIMIT,
    STEP_SHRINK,
    STEP_CLOSE,
    STEP_FIRST,
    STEP_COUNTED,
    STEP_DROPS,
    STEP_FOLLOW,
    STEP_MAKE,
    STEP_LOOK,
    STEP_WITHIN,
    STEP_DRAIN
};

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
    struct leat_trail trails[2];
    uint32_t made;          /* plain: trails */
    uint32_t destroyed;     /* plain: trails, a bit for each */
    leat_atomic_u32 parent; /* 1: the handler has ended */
    leat_atomic_u32 child;  /* 1: what it submitted waits */
};

static struct state state_now;
static struct leat_engine engine_now; /* but for its atomics never written but in setup */
static struct leat_queue_words queue_now;
static struct leat_queue_room room_now;
static struct leat_tenant_room tenants_now[1];
static struct leat_bell bells_now[LEAT_BELLS];
static leat_atomic_u32 alive_now;
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

struct leat_trail *
leat_trail_create(struct leat_engine *engine)
{
    (void)engine;
    explore_point();
    struct leat_trail *trail = &state_now.trails[state_now.made++];
    explore_plain_write(trail, "trail");
    return trail;
}

void
leat_trail_destroy(struct leat_engine *engine, struct leat_trail *trail)
{
    (void)engine;
    explore_point();
    state_now.destroyed |= 1u << (trail - state_now.trails);
}

void
leat_trail_add(struct leat_engine *engine, struct leat_trail *trail, uint32_t level, leat_job_id id)
{
    (void)engine;
    (void)level;
    (void)id;
    explore_plain_read(trail, "trail");
}

bool
leat_name_valid(const char *text)
{
    return text != NULL;
}

enum leat_names_result
leat_names_add(struct leat_names *names, const char *text, uint32_t *index)
{
    (void)names;
    (void)text;
    *index = 0;
    return LEAT_NAMES_OK;
}

/* Only those of a tenant are read. */
enum leat_status
leat_struct_read(void *known, size_t bytes, const void *given)
{
    memcpy(known, given, bytes);
    return LEAT_OK;
}

/* ---- what these scenarios do not come to ----------------------------------------------------- */

#define NEVER(head)                                                                                \
    head                                                                                           \
    {                                                                                              \
        explore_fail(#head, __FILE__, __LINE__);                                                   \
    }
#define UNUSED __attribute__((unused))

NEVER(enum leat_status leat_struct_write(UNUSED void *given, UNUSED const void *filled,
                                         UNUSED size_t filled_bytes))
NEVER(uint32_t leat_names_find(UNUSED struct leat_names *names, UNUSED const char *text))
NEVER(const char *leat_names_text(UNUSED const struct leat_names *names, UNUSED uint32_t index))
NEVER(bool leat_names_init(UNUSED struct leat_names *names, UNUSED uint32_t capacity,
                           UNUSED const struct leat_memory *memory, UNUSED void *domain))
NEVER(void leat_names_fini(UNUSED struct leat_names *names))
NEVER(bool leat_rate_valid(UNUSED const struct leat_rate *rate))
NEVER(void leat_buckets_set(UNUSED struct leat_engine *engine, UNUSED uint32_t list,
                            UNUSED const struct leat_rate *rate))
NEVER(void leat_gates_settle(UNUSED struct leat_engine *engine))
NEVER(enum leat_status leat_registry_queue_named(UNUSED struct leat_engine *engine,
                                                 UNUSED const struct leat_job *job,
                                                 UNUSED uint32_t *queue))
NEVER(enum leat_status leat_terms_check(UNUSED struct leat_job_options *known,
                                        UNUSED const struct leat_job_options *given))
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

/* As a queue gets its first limits. */
static void
limit_first(void)
{
    const struct leat_queue_limits limits = {.waiting_max = 1};
    const leat_tenant tenant = {1};
    EXPLORE_CHECK(leat_room_set(&engine_now, 0, &limits, tenant) == LEAT_OK);
}

/* As submits do it, and who ends a job: what is counted is given back. */
static void
submit_counted(void)
{
    const struct leat_room_ask ask = {.bytes = BYTES};
    if ((leat_queue_options(&engine_now, 0) & LEAT_QUEUE_LIMITED) != 0) {
        EXPLORE_CHECK(leat_room_take(&engine_now, &ask) == LEAT_OK);
        EXPLORE_CHECK(leat_room_take(&engine_now, &ask) == LEAT_FULL);
        leat_room_give(&engine_now, 0, BYTES);
    }
}

static void
drop_from_now_on(void)
{
    const struct leat_queue_limits limits = {.waiting_max = 1, .full = LEAT_FULL_DROP_OLDEST};
    const leat_tenant none = {0};
    EXPLORE_CHECK(leat_room_set(&engine_now, 0, &limits, none) == LEAT_OK);
}

/* A job that was taken in. */
static void
follow(uint64_t options)
{
    const struct leat_room_entry entry = {.options = options, .waits = true};
    const leat_job_id id = {1};
    leat_room_entered(&engine_now, &entry, id);
}

static void
tenant_make(void)
{
    const struct leat_tenant_options options = {.jobs_max = 1};
    leat_tenant tenant = {0};
    EXPLORE_CHECK(leat_tenant_create(&engine_now, "tenant", &options, &tenant) == LEAT_OK);
}

static void
tenant_look(void)
{
    const leat_tenant tenant = {1};
    const struct leat_tenant_room *room = leat_tenant_room(&engine_now, tenant);
    EXPLORE_CHECK(room == NULL || leat_quota_most(&room->room.jobs) == 1);
}

/* As queue_calls.c goes over the records: the child's comes first. */
static void
drain(struct state *state)
{
    uint64_t within = leat_room_within(&engine_now, 0);
    bool waits = atom_load_acq(&state->child) != 0;
    bool ended = atom_load_acq(&state->parent) != 0;
    EXPLORE_CHECK(waits || !ended || leat_room_within(&engine_now, 0) != within);
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
    case STEP_FIRST:
        limit_first();
        break;
    case STEP_COUNTED:
        submit_counted();
        break;
    case STEP_DROPS:
        drop_from_now_on();
        break;
    case STEP_FOLLOW:
        follow(LEAT_QUEUE_LIMITED);
        break;
    case STEP_MAKE:
        tenant_make();
        break;
    case STEP_LOOK:
        tenant_look();
        break;
    case STEP_WITHIN:
        atom_store_rel(&state->child, 1);
        follow(LEAT_QUEUE_CLOSED);
        atom_store_rel(&state->parent, 1);
        break;
    case STEP_DRAIN:
        drain(state);
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
    memset(&tenants_now, 0, sizeof(tenants_now));
    atom_init(&tenants_now[0].there, scenario->steps[0] == STEP_MAKE ? 0 : 1);
    engine_now.pool.queues = &queue_now;
    engine_now.rooms.queues = &room_now;
    engine_now.bells = bells_now;
    engine_now.tenants.rooms = tenants_now;
    engine_now.config.queues_max = 1;
    engine_now.alive = &alive_now;
    atom_init(&alive_now, 1);
    atom_init(&engine_now.state, LEAT_ENGINE_RUNNING);
    (void)leat_room_limit(&room_now.room, scenario->jobs_max,
                          (uint64_t)scenario->bytes_max * BYTES);
    for (uint32_t i = 0; i < scenario->before; i++) {
        leat_room_force(&engine_now, 0, BYTES);
    }
}

static void
rooms_check(void *argument)
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
    /* What was made and is not the queue's is given back. */
    const struct leat_trail *trail = leat_room_trail(&engine_now, 0);
    for (uint32_t i = 0; i < state->made; i++) {
        EXPLORE_CHECK((state->destroyed >> i & 1) == (trail == &state->trails[i] ? 0 : 1));
    }
}

static const struct scenario scenarios[] = {
    {"room_give", 1, 0, 1, 1, false, {STEP_WAIT, STEP_GIVE}, 0},
    {"room_bytes", 0, 1, 1, 1, false, {STEP_WAIT, STEP_GIVE}, 0},
    {"room_two", 2, 0, 2, 2, false, {STEP_WAIT, STEP_WAIT, STEP_GIVE, STEP_GIVE}, 1},
    {"room_on", 1, 0, 1, 0, false, {STEP_WAIT_GIVE, STEP_WAIT_GIVE, STEP_GIVE}, 2},
    {"room_limit", 1, 0, 1, 2, false, {STEP_WAIT, STEP_LIMIT}, 0},
    {"room_shrink", 2, 0, 2, 2, false, {STEP_WAIT, STEP_GIVE, STEP_SHRINK}, 2},
    {"room_close", 1, 0, 1, 1, true, {STEP_WAIT, STEP_CLOSE}, 0},
    {"room_first", 0, 0, 0, 0, false, {STEP_FIRST, STEP_COUNTED}, 0},
    {"room_trail", 0, 0, 0, 0, false, {STEP_DROPS, STEP_DROPS, STEP_FOLLOW}, 0},
    {"room_tenant", 0, 0, 0, 0, false, {STEP_MAKE, STEP_LOOK}, 0},
    {"room_within", 0, 0, 0, 0, false, {STEP_WITHIN, STEP_DRAIN}, 0},
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
                                      .check = rooms_check,
                                      .bounded = scenario->preemptions != 0,
                                      .preemptions = scenario->preemptions};
        for (uint32_t j = 0; j < EXPLORE_THREADS_MAX; j++) {
            model.threads[j] = scenario->steps[j] == STEP_NONE ? NULL : thread;
        }
        good = explore(&model, &counts) && good;
    }
    return good ? 0 : 1;
}
