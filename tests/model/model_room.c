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
 * drop    two submits drop, where one job is to be dropped: one of them is refused.
 * memory  memory is short, while a queue becomes one that drops: nothing is dropped.
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
    STEP_DRAIN,
    STEP_DROP,
    STEP_MEMORY
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
    struct leat_engine engine; /* but for its atomics never written but in setup */
    struct leat_queue_words queue;
    struct leat_queue_room room;
    struct leat_tenant_room tenants[1];
    struct leat_bell bells[LEAT_BELLS];
    leat_atomic_u32 alive;
    uint32_t entered[EXPLORE_THREADS_MAX]; /* plain: by each thread */
    struct leat_trail trails[2];
    uint32_t made;          /* plain: trails */
    uint32_t dropped;       /* plain: jobs */
    uint32_t destroyed;     /* plain: trails, a bit for each */
    leat_atomic_u32 parent; /* 1: the handler has ended */
    leat_atomic_u32 child;  /* 1: what it submitted waits */
};

static struct state state_now;
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

bool
leat_engine_within(const struct leat_engine *engine)
{
    return leat_engine_inside(engine);
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
    if (how == LEAT_ROOM_DROPS) {
        return LEAT_TIMEOUT; /* memory is short, and stays so */
    }
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
    EXPLORE_CHECK(trail != NULL);
    explore_plain_read(trail, "trail");
}

/* One of those that waited before, as long as there are such. */
bool
leat_trail_drop(struct leat_engine *engine, struct leat_trail *trail, uint32_t level)
{
    (void)trail;
    (void)level;
    explore_point();
    bool drops = state_now.dropped < scenario->before;
    if (drops) {
        state_now.dropped++;
        leat_room_give(engine, 0, BYTES);
    }
    return drops;
}

/* Nothing that waits has a payload of the allocator. */
bool
leat_trail_next(const struct leat_engine *engine, const struct leat_trail *trail, uint32_t level,
                struct leat_trail_look *look, struct leat_stand *stand)
{
    (void)engine;
    (void)level;
    (void)look;
    (void)stand;
    EXPLORE_CHECK(trail != NULL);
    explore_plain_read(trail, "trail");
    return false;
}

uint64_t
leat_footprint_lacks(const struct leat_engine *engine, uint64_t payload_bytes)
{
    (void)engine;
    (void)payload_bytes;
    return 1;
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
NEVER(enum leat_status leat_footprint_take(UNUSED struct leat_engine *engine,
                                           UNUSED uint64_t bytes))
NEVER(void leat_footprint_give(UNUSED struct leat_engine *engine, UNUSED uint64_t bytes))
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
    enum leat_status status = wait_until(&state_now.engine, 0, UINT64_MAX, NULL, NULL);
    EXPLORE_CHECK(status == LEAT_OK || (status == LEAT_CLOSED && scenario->closes));
    state->entered[explore_thread()] = status == LEAT_OK ? 1 : 0;
}

static void
limit(uint64_t jobs_max, uint64_t bytes_max)
{
    if (leat_room_limit(&state_now.room.room, jobs_max, bytes_max * BYTES)) {
        leat_room_ring(&state_now.engine, 0);
    }
}

/* As a queue gets its first limits. */
static void
limit_first(void)
{
    const struct leat_queue_limits limits = {.waiting_max = 1};
    const leat_tenant tenant = {1};
    EXPLORE_CHECK(leat_room_set(&state_now.engine, 0, &limits, tenant) == LEAT_OK);
}

/* As submits do it, and who ends a job: what is counted is given back. */
static void
submit_counted(void)
{
    const struct leat_room_ask ask = {.bytes = BYTES};
    if ((leat_queue_options(&state_now.engine, 0) & LEAT_QUEUE_LIMITED) != 0) {
        EXPLORE_CHECK(leat_room_take(&state_now.engine, &ask) == LEAT_OK);
        EXPLORE_CHECK(leat_room_take(&state_now.engine, &ask) == LEAT_FULL);
        leat_room_give(&state_now.engine, 0, BYTES);
    }
}

static void
drop_from_now_on(void)
{
    const struct leat_queue_limits limits = {.waiting_max = 1, .full = LEAT_FULL_DROP_OLDEST};
    const leat_tenant none = {0};
    EXPLORE_CHECK(leat_room_set(&state_now.engine, 0, &limits, none) == LEAT_OK);
}

/* A job that was taken in. */
static void
follow(uint64_t options)
{
    const struct leat_room_entry entry = {.options = options, .waits = true};
    const leat_job_id id = {1};
    leat_room_entered(&state_now.engine, &entry, id);
}

static void
tenant_make(void)
{
    const struct leat_tenant_options options = {.jobs_max = 1};
    leat_tenant tenant = {0};
    EXPLORE_CHECK(leat_tenant_create(&state_now.engine, "tenant", &options, &tenant) == LEAT_OK);
}

static void
tenant_look(void)
{
    const leat_tenant tenant = {1};
    const struct leat_tenant_room *room = leat_tenant_room(&state_now.engine, tenant);
    EXPLORE_CHECK(room == NULL || leat_quota_most(&room->room.jobs) == 1);
}

/* As queue_calls.c goes over the records: the child's comes first. */
static void
drain(struct state *state)
{
    uint64_t within = leat_room_within(&state_now.engine, 0);
    bool waits = atom_load_acq(&state->child) != 0;
    bool ended = atom_load_acq(&state->parent) != 0;
    EXPLORE_CHECK(waits || !ended || leat_room_within(&state_now.engine, 0) != within);
}

/* A submit that drops, where there may be nothing that it could drop. */
static void
drop(struct state *state)
{
    const struct leat_room_ask ask = {.bytes = BYTES, .drops = true};
    enum leat_status status = leat_room_take(&state_now.engine, &ask);
    EXPLORE_CHECK(status == LEAT_OK || status == LEAT_FULL);
    state->entered[explore_thread()] = status == LEAT_OK ? 1 : 0;
}

/* Memory is short, and the queue perhaps one that drops. */
static void
drop_for_memory(void)
{
    const struct leat_job job = {.priority = LEAT_PRIORITY_OF_QUEUE};
    leat_job_id id = {0};
    EXPLORE_CHECK(leat_room_wait(&state_now.engine, &job, UINT64_MAX, &id) == LEAT_FULL);
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
        leat_room_give(&state_now.engine, 0, BYTES);
        break;
    case STEP_GIVE:
        leat_room_give(&state_now.engine, 0, BYTES);
        break;
    case STEP_LIMIT:
        limit(scenario->jobs_max == 0 ? 0 : scenario->jobs_max + 1,
              scenario->bytes_max == 0 ? 0 : scenario->bytes_max + 1);
        break;
    case STEP_SHRINK:
        limit(1, 0);
        limit(2, 0);
        break;
    case STEP_CLOSE:
        leat_room_close(&state_now.engine, 0);
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
    case STEP_DROP:
        drop(state);
        break;
    case STEP_MEMORY:
        drop_for_memory();
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
    atom_init(&state_now.tenants[0].there, scenario->steps[0] == STEP_MAKE ? 0 : 1);
    state_now.engine.pool.queues = &state_now.queue;
    state_now.engine.rooms.queues = &state_now.room;
    state_now.engine.bells = state_now.bells;
    state_now.engine.tenants.rooms = state_now.tenants;
    state_now.engine.config.queues_max = 1;
    state_now.engine.alive = &state_now.alive;
    atom_init(&state_now.alive, 1);
    atom_init(&state_now.engine.state, LEAT_ENGINE_RUNNING);
    state_now.engine.footprint.counted = scenario->steps[1] == STEP_MEMORY;
    (void)leat_room_limit(&state_now.room.room, scenario->jobs_max,
                          (uint64_t)scenario->bytes_max * BYTES);
    for (uint32_t i = 0; i < scenario->before; i++) {
        leat_room_force(&state_now.engine, 0, BYTES);
    }
}

static void
rooms_check(void *argument)
{
    const struct state *state = argument;
    uint32_t entered = scenario->before - state->dropped;
    for (uint32_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        entered += state->entered[i];
        entered -= scenario->steps[i] == STEP_GIVE ? 1 : 0;
    }
    EXPLORE_CHECK(used(&state_now.room.room.jobs) == entered);
    EXPLORE_CHECK(used(&state_now.room.room.bytes) == (uint64_t)entered * BYTES);
    EXPLORE_CHECK(entered == scenario->after || scenario->closes);
    /* What was made and is not the queue's is given back. */
    const struct leat_trail *trail = leat_room_trail(&state_now.engine, 0);
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
    {"room_limit_bytes", 0, 1, 1, 2, false, {STEP_WAIT, STEP_LIMIT}, 0},
    {"room_shrink", 2, 0, 2, 2, false, {STEP_WAIT, STEP_GIVE, STEP_SHRINK}, 2},
    {"room_close", 1, 0, 1, 1, true, {STEP_WAIT, STEP_CLOSE}, 0},
    {"room_first", 0, 0, 0, 0, false, {STEP_FIRST, STEP_COUNTED}, 0},
    {"room_trail", 0, 0, 0, 0, false, {STEP_DROPS, STEP_DROPS, STEP_FOLLOW}, 0},
    {"room_tenant", 0, 0, 0, 0, false, {STEP_MAKE, STEP_LOOK}, 0},
    {"room_within", 0, 0, 0, 0, false, {STEP_WITHIN, STEP_DRAIN}, 0},
    {"room_drop", 1, 0, 1, 1, false, {STEP_DROP, STEP_DROP}, 0},
    {"room_memory", 0, 0, 0, 0, false, {STEP_DROPS, STEP_MEMORY}, 0},
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
