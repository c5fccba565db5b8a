/* keys_body.h - what model_keys.c and model_key_rates.c share: threads that submit, end and cancel
 * jobs of few keys. What is put on by a key comes to a place of one job, from which a worker takes
 * it; a worker ends a job, and a canceller cancels it, with the swaps of retain.c and look.c.
 * Sections of rcu.h are counted, timers are words, and time goes on where a servant lets one timer
 * after the other come.
 */
#ifndef TESTS_MODEL_KEYS_BODY_H
#define TESTS_MODEL_KEYS_BODY_H

#include <stdio.h>

#include "engine/key_rates.h"
#include "engine/keys.h"
#include "ring/os.h"
#include "ring/rcu.h"
#include "sched/alarms.h"
#include "tests/support/explore.h"

/* Few words, counted here. */
#undef LEAT_KEYS_STRIPES
#define LEAT_KEYS_STRIPES 2
static void *table_map(size_t bytes);
static void table_unmap(void *memory, size_t bytes);
/* They stand for functions. NOLINTBEGIN(readability-identifier-naming) */
#define leat_os_map   table_map
#define leat_os_unmap table_unmap
/* NOLINTEND(readability-identifier-naming) */

#include "engine/job.c"  /* NOLINT(bugprone-suspicious-include) */
#include "engine/keys.c" /* NOLINT(bugprone-suspicious-include) */

/* Sections, timers and the records of buckets. */
static uint64_t now_of(void);
static void section_enter(void);
static void section_leave(void);
static void section_wait(void);
static enum leat_wheel_result timer_arm(uint32_t index, uint64_t due_ns);
static enum leat_wheel_result timer_rearm(uint32_t index, uint64_t due_ns);
static bool room_take(uint32_t *index);
static void room_give(uint32_t index);
/* They stand for functions. NOLINTBEGIN(readability-identifier-naming) */
#define leat_rcu_enter()                           section_enter()
#define leat_rcu_leave(domain)                     ((void)(domain), section_leave())
#define leat_rcu_wait(domain)                      ((void)(domain), section_wait())
#define leat_wheels_init(wheels, config)           ((void)(config), (wheels)->each = NULL, true)
#define leat_wheels_fini(wheels)                   ((void)(wheels))
#define leat_wheels_check(wheels, why)             ((void)(wheels), (void)(why), true)
#define leat_wheels_at(wheels, number)             ((void)(number), (wheels)->each)
#define leat_wheel_arm_any(wheel, index, due_ns)   ((void)(wheel), timer_arm(index, due_ns))
#define leat_wheel_rearm(wheels, held, index, due) ((void)(wheels), timer_rearm(index, due))
#define leat_clocks_now(clocks, time)              ((void)(clocks), now_of())
#define leat_alarms_look(alarms, now_ns)           ((void)(alarms), (uint64_t)(now_ns))
#define leat_alarms_armed(alarms, result)          ((void)(alarms), (void)(result))
#define leat_slab_init(slab, config)               (room_init(slab, config))
#define leat_slab_fini(slab)                       ((void)(slab))
#define leat_slab_take(slab, shard, index)         ((void)(slab), room_take(index))
#define leat_slab_give(slab, shard, index)         ((void)(slab), room_give(index))
#define leat_slab_next(slab, index)                ((void)(slab), (uint32_t)(index))
#define leat_slab_check(slab, in_use, why)         ((void)(slab), (void)(why), (in_use) <= ROOM)
/* NOLINTEND(readability-identifier-naming) */
#define ROOM    3
#define RATE_NS 1000

static bool
room_init(struct leat_slab *slab, const struct leat_slab_config *config)
{
    slab->capacity = ROOM;
    slab->record_bytes = config->record_bytes;
    slab->records = explore_memory_take(ROOM * config->record_bytes);
    return true;
}

#include "engine/key_rates.c" /* NOLINT(bugprone-suspicious-include) */

/* There is no log here. */
enum leat_status
leat_durable_tuned_slowly(struct leat_engine *engine, uint32_t queue, enum leat_tuned what)
{
    (void)engine;
    (void)queue;
    (void)what;
    return LEAT_UNSUPPORTED;
}
#undef leat_slab_init
#undef leat_slab_take

#define JOBS_MAX 3

enum step {
    STEP_NONE,
    STEP_SUBMIT,
    STEP_CANCEL,
    STEP_PUT_OFF,
    STEP_WORK,
    STEP_MAKE,
    STEP_TIME,
    STEP_RATE,
    STEP_UNRATE,
    STEP_AGAIN
};

struct act {
    enum step step;
    uint32_t job;
};

struct scenario {
    const char *name;
    uint32_t before; /* jobs that were submitted before */
    uint32_t jobs;
    bool unheld;
    bool forgets;
    bool first;
    bool none;          /* there is no memory for a table */
    bool snoozes;       /* the first job; what is due later is due at once */
    uint32_t cancelled; /* before; by its number from 1 on */
    uint32_t stuck;     /* nobody takes the job of this number, from 1 on, from its place */
    struct act acts[EXPLORE_THREADS_MAX];
    uint32_t preemptions; /* 0: any */
    bool ran;             /* the first job, once, before */
    bool rated;
    bool still;    /* time does not go on */
    uint32_t room; /* buckets; 0: enough */
    bool two;      /* keys: of jobs with odd numbers, and of the others */
    bool deep;     /* see explore.h */
    const char *fails;
};

struct state {
    struct leat_job_extra extras[JOBS_MAX];
    struct leat_key *keys[JOBS_MAX];
    leat_atomic_u64 on_the_way;
    uint32_t lines;                  /* plain: written by who puts on */
    leat_atomic_u32 ready[JOBS_MAX]; /* 1: a worker may take it from its place */
    leat_atomic_u32 inside;
    uint32_t notes; /* plain: what handlers write */
    uint32_t ran[JOBS_MAX];
    uint32_t freed[JOBS_MAX];
    uint32_t later[JOBS_MAX];
    leat_atomic_u32 due[JOBS_MAX]; /* 1: later */
    uint32_t mapped;               /* plain: tables */
    leat_atomic_u64 now_ns;
    leat_atomic_u64 timers[ROOM + LEAT_KEYS_STRIPES]; /* 1 + when it is due; 0: it is not set */
    leat_atomic_u32 sections;
    leat_atomic_u32 used[ROOM];
    leat_atomic_u64 began_ns[2]; /* by key; 0: not yet */
    leat_atomic_u32 unrated;
};

static struct state state_now;
static struct leat_engine engine_now;     /* never written but in setup */
static struct leat_queue_words queue_now; /* plain: no gate was ever set, nothing pulls */
static const struct scenario *scenario;

/* ---- the table ------------------------------------------------------------------------------- */

static void *
table_map(size_t bytes)
{
    explore_point();
    if (scenario->none) {
        return NULL;
    }
    state_now.mapped++;
    void *table = explore_memory_take(bytes);
    explore_plain_write(table, "table");
    return table;
}

static void
table_unmap(void *memory, size_t bytes)
{
    (void)memory;
    (void)bytes;
    explore_point();
    state_now.mapped--;
}

/* ---- what rates of keys need ----------------------------------------------------------------- */

static void
section_enter(void)
{
    explore_plain_read(rates_of(&engine_now), "table");
    (void)atom_add_acq_rel(&state_now.sections, 1);
}

static void
section_leave(void)
{
    (void)atom_sub_acq_rel(&state_now.sections, 1);
}

/* Ends: sections end. */
static void
section_wait(void)
{
    while (atom_add_acq_rel(&state_now.sections, 0) != 0) {
        explore_pause();
    }
}

static enum leat_wheel_result
timer_arm(uint32_t index, uint64_t due_ns)
{
    uint64_t none = 0;
    EXPLORE_CHECK(atom_cas_acq_rel(&state_now.timers[index], &none, due_ns + 1));
    return LEAT_WHEEL_DONE;
}

static enum leat_wheel_result
timer_rearm(uint32_t index, uint64_t due_ns)
{
    uint64_t now = atom_load_rlx(&state_now.timers[index]);
    while (now != 0) {
        if (atom_cas_acq_rel(&state_now.timers[index], &now, due_ns + 1)) {
            return LEAT_WHEEL_DONE;
        }
    }
    return LEAT_WHEEL_REFUSED;
}

static bool
room_take(uint32_t *index)
{
    uint32_t room = scenario->room != 0 ? scenario->room : ROOM;
    for (*index = 0; *index < room; (*index)++) {
        uint32_t none = 0;
        if (atom_cas_acq(&state_now.used[*index], &none, 1)) {
            return true;
        }
    }
    return false;
}

static void
room_give(uint32_t index)
{
    EXPLORE_CHECK(atom_load_rlx(&state_now.timers[LEAT_KEYS_STRIPES + index]) == 0);
    atom_store_rel(&state_now.used[index], 0);
}

static uint64_t
now_of(void)
{
    return atom_load_acq(&state_now.now_ns);
}

/* Else a timer that looks for room comes again and again. */
static bool
room_left(void)
{
    uint32_t room = scenario->room != 0 ? scenario->room : ROOM;
    for (uint32_t i = 0; i < room; i++) {
        if (atom_load_rlx(&state_now.used[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Lets one timer after the other come. Ends: a servant of the model. */
static _Noreturn void
let_time_pass(void)
{
    for (;;) {
        bool came = false;
        for (uint32_t i = 0; i < ROOM + LEAT_KEYS_STRIPES; i++) {
            uint64_t due = atom_load_acq(&state_now.timers[i]);
            uint64_t now_ns = atom_load_rlx(&state_now.now_ns);
            if (due == 0 || (scenario->still && due - 1 > now_ns) ||
                (i < LEAT_KEYS_STRIPES && !room_left())) {
                continue;
            }
            if (atom_cas_acq_rel(&state_now.timers[i], &due, 0)) {
                atom_store_rel(&state_now.now_ns, due - 1 > now_ns ? due - 1 : now_ns);
                timer_fired(&engine_now, i);
            }
            came = true; /* or it was moved */
        }
        if (!came) {
            explore_pause();
        }
    }
}

static void
rate(void)
{
    const struct leat_rate one = leat_rate_of(1, RATE_NS, 1);
    EXPLORE_CHECK(leat_key_rates_set(&engine_now, 0, &one) == LEAT_OK);
}

static void
unrate(void)
{
    const struct leat_rate none = {0};
    atom_store_rel(&state_now.unrated, 1);
    EXPLORE_CHECK(leat_key_rates_set(&engine_now, 0, &none) == LEAT_OK);
}

/* An attempt begins, no sooner than its key's rate lets it. */
static void
begun(uint32_t index)
{
    leat_atomic_u64 *began_ns = &state_now.began_ns[scenario->two ? index & 1 : 0];
    uint64_t now_ns = atom_load_acq(&state_now.now_ns);
    uint64_t last_ns = atom_load_rlx(began_ns);
    leat_keys_begun(&engine_now, &state_now.extras[index], true);
    if (scenario->rated && atom_load_acq(&state_now.unrated) == 0) {
        EXPLORE_CHECK(last_ns == 0 || now_ns >= last_ns + RATE_NS);
    }
    atom_store_rlx(began_ns, now_ns);
}

/* ---- what the engine has elsewhere ----------------------------------------------------------- */

void
leat_change_begins(struct leat_engine *engine)
{
    (void)engine;
    (void)atom_add_acq_rel(&state_now.on_the_way, 1);
}

void
leat_change_ends(struct leat_engine *engine)
{
    (void)engine;
    (void)atom_sub_acq_rel(&state_now.on_the_way, 1);
}

struct leat_job_extra *
leat_job_extra_make(struct leat_engine *engine, struct leat_job_record *record)
{
    (void)engine;
    return leat_job_extra(record);
}

static leat_atomic_u64 *
job_word(uint32_t index)
{
    return leat_slab_word(&engine_now.jobs, index);
}

/* The caller has let go of a record that nobody has any more. */
static void
reclaim(uint32_t index)
{
    explore_plain_write(&state_now.freed[index], "record");
    EXPLORE_CHECK(state_now.freed[index] == 0);
    state_now.freed[index] = 1;
    leat_keys_free(&engine_now, &state_now.extras[index]);
}

void
leat_job_retire(struct leat_engine *engine, uint32_t index)
{
    if (!scenario->forgets && leat_keys_retire(engine, index)) {
        return;
    }
    if (leat_job_let_go(job_word(index), LEAT_WORD_LINKED)) {
        reclaim(index);
    }
}

void
leat_job_unhold(struct leat_engine *engine, uint32_t index)
{
    (void)engine;
    if (leat_job_let_go(job_word(index), LEAT_WORD_HOLD)) {
        reclaim(index);
    }
}

static void
due(uint32_t index)
{
    const struct leat_change change = {
        .from = LEAT_PHASE_SCHEDULED, .to = LEAT_PHASE_PENDING, .set = LEAT_WORD_LINKED};
    uint64_t before = 0;
    uint64_t after = 0;
    EXPLORE_CHECK(leat_job_change(job_word(index), &change, &before, &after));
    leat_gates_put(&engine_now, 0, 0, 0, leat_item_of(LEAT_KIND_JOB, index));
}

/* What is due later is never due. */
void
leat_timers_route(struct leat_engine *engine, uint32_t index)
{
    if (scenario->snoozes) {
        due(index);
    } else if (leat_phase_final(leat_word_phase(atom_load_acq(job_word(index))))) {
        leat_job_retire(engine, index);
    } else {
        explore_plain_write(&state_now.later[index], "later");
        EXPLORE_CHECK(state_now.later[index] == 0);
        state_now.later[index] = 1;
    }
}

uint64_t
leat_timers_left(const struct leat_engine *engine, uint32_t index)
{
    (void)engine;
    return atom_load_rlx(&state_now.due[index]);
}

struct leat_stand
leat_queue_stand(const struct leat_job_record *record)
{
    (void)record;
    return (struct leat_stand){.level = 0};
}

bool
leat_gates_stand_slowly(struct leat_engine *engine, uint32_t queue, uint32_t type)
{
    (void)engine;
    (void)queue;
    (void)type;
    return false;
}

enum leat_status
leat_registry_queue_check(const struct leat_engine *engine, leat_queue queue, uint32_t *index)
{
    (void)engine;
    *index = (uint32_t)queue.bits;
    return LEAT_OK;
}

enum leat_status
leat_gates_type_check(struct leat_engine *engine, leat_type type, uint32_t *list)
{
    *list = leat_gates_list(engine, (uint32_t)type.bits);
    return LEAT_OK;
}

bool
leat_rate_valid(const struct leat_rate *rate)
{
    (void)rate;
    return true;
}

struct leat_bucket_rate
leat_buckets_rate(const struct leat_rate *rate)
{
    return (struct leat_bucket_rate){(uint32_t)rate->jobs, (uint32_t)rate->burst, rate->per_ns};
}

void
leat_lists_add(struct leat_pool *pool, uint32_t level, const uint32_t *items, uint32_t count)
{
    (void)pool;
    (void)level;
    (void)items;
    (void)count;
    EXPLORE_CHECK(false);
}

void
leat_pool_put(struct leat_pool *pool, uint32_t level, uint32_t queue, uint32_t item)
{
    (void)pool;
    (void)level;
    (void)queue;
    explore_plain_write(&state_now.lines, "lines");
    state_now.lines++;
    uint32_t before = atom_swap_acq_rel(&state_now.ready[leat_item_index(item)], 1);
    EXPLORE_CHECK(before == 0);
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static void
submit(uint32_t index)
{
    uint64_t generation = leat_word_generation(atom_load_rlx(job_word(index)));
    atom_store_rel(job_word(index),
                   leat_word_of(generation, 0) | LEAT_WORD_LINKED | LEAT_PHASE_PENDING);
    leat_gates_put(&engine_now, 0, 0, 0, leat_item_of(LEAT_KIND_JOB, index));
    if (atom_load_acq(&state_now.on_the_way) == 0) {
        EXPLORE_CHECK((atom_load_rlx(&state_now.keys[index]->asks) & ASK_ENTER) == 0);
    }
}

/* As leat_job_end(). */
static void
end(uint32_t index)
{
    uint64_t now = atom_load_acq(job_word(index));
    uint64_t hold = leat_keys_hold(&engine_now, index);
    EXPLORE_CHECK(hold != 0);
    while (!atom_cas_acq_rel(job_word(index), &now,
                             leat_word_with(now + hold, LEAT_PHASE_COMPLETED))) {
    }
    EXPLORE_CHECK(leat_word_phase(now) == LEAT_PHASE_RUNNING);
    leat_keys_left(&engine_now, index);
}

/* Its attempt has begun, and its next one is another time. */
static void
snooze(uint32_t index)
{
    const struct leat_change change = {.from = LEAT_PHASE_RUNNING, .to = LEAT_PHASE_SCHEDULED};
    uint64_t before = 0;
    uint64_t after = 0;
    EXPLORE_CHECK(leat_job_change(job_word(index), &change, &before, &after));
}

/* As leat_run_item(). */
static void
run(uint32_t index)
{
    const struct leat_change change = {
        .from = LEAT_PHASE_PENDING, .to = LEAT_PHASE_RUNNING, .clear = LEAT_WORD_LINKED};
    uint64_t before = 0;
    uint64_t after = 0;
    if (!leat_job_change(job_word(index), &change, &before, &after)) {
        leat_timers_route(&engine_now, index);
        return;
    }
    EXPLORE_CHECK(atom_add_rlx(&state_now.inside, 1) == 0); /* rlx: statistic */
    explore_plain_write(&state_now.notes, "notes of handlers");
    state_now.notes++;
    explore_plain_write(&state_now.ran[index], "run");
    EXPLORE_CHECK(state_now.ran[index] == 0);
    state_now.ran[index] = 1;
    begun(index);
    (void)atom_sub_rlx(&state_now.inside, 1); /* rlx: statistic */
    if (scenario->snoozes && index == 0) {
        snooze(index);
    } else {
        EXPLORE_CHECK(!scenario->snoozes || state_now.ran[0] == 0);
        end(index);
    }
}

/* As leat_cancel(). */
static void
cancel(uint32_t index)
{
    uint64_t now = atom_load_acq(job_word(index));
    uint64_t hold = scenario->unheld ? 0 : LEAT_WORD_HOLD;
    while (leat_word_phase(now) == LEAT_PHASE_FILLING) {
        explore_pause(); /* not there yet */
        now = atom_load_acq(job_word(index));
    }
    while (leat_word_phase(now) == LEAT_PHASE_PENDING) {
        if (atom_cas_acq_rel(job_word(index), &now,
                             leat_word_with(now, LEAT_PHASE_CANCELLED) + hold)) {
            if (hold != 0) {
                leat_keys_left(&engine_now, index);
            }
            return;
        }
    }
}

/* As leat_reschedule(), without its claim. */
static void
put_off(uint32_t index)
{
    const struct leat_change change = {
        .from = LEAT_PHASE_PENDING, .to = LEAT_PHASE_SCHEDULED, .hold = true};
    uint64_t before = 0;
    uint64_t after = 0;
    if (leat_job_change(job_word(index), &change, &before, &after)) {
        atom_store_rlx(&state_now.due[index], scenario->snoozes ? 0 : 1);
        leat_keys_left(&engine_now, index);
    }
}

static void
make(uint32_t index)
{
    const char *key = scenario->two && (index & 1) != 0 ? "l" : "k";
    struct leat_job_options options = {.key = key, .key_bytes = 1};
    enum leat_status status = leat_keys_make(&engine_now, index, &options);
    EXPLORE_CHECK(status == (scenario->none ? LEAT_NO_MEMORY : LEAT_OK));
    state_now.keys[index] = state_now.extras[index].key;
}

/* Ends: a servant of the model. */
static _Noreturn void
work(void)
{
    for (;;) {
        bool ran = false;
        for (uint32_t i = 0; i < scenario->jobs; i++) {
            uint32_t ready = i + 1 == scenario->stuck ? UINT32_MAX : 1;
            if (atom_cas_acq(&state_now.ready[i], &ready, scenario->snoozes ? 0 : 2)) {
                run(i);
                ran = true;
            }
        }
        if (!ran) {
            explore_pause();
        }
    }
}

static void
thread(void *argument)
{
    (void)argument;
    const struct act *act = &scenario->acts[explore_thread()];
    switch (act->step) {
    case STEP_SUBMIT:
        submit(act->job);
        break;
    case STEP_CANCEL:
        cancel(act->job);
        break;
    case STEP_PUT_OFF:
        put_off(act->job);
        break;
    case STEP_MAKE:
        make(act->job);
        if (!scenario->none) {
            explore_plain_read(table_of(&engine_now), "table");
        }
        break;
    case STEP_WORK:
        work();
        break;
    case STEP_TIME:
        let_time_pass();
        break;
    case STEP_RATE:
        rate();
        break;
    case STEP_UNRATE:
        unrate();
        break;
    case STEP_AGAIN:
        due(act->job);
        break;
    case STEP_NONE:
        break;
    }
}

/* ---- all ------------------------------------------------------------------------------------- */

static void
keys_setup(void *argument)
{
    struct state *state = argument;
    struct leat_slab_config jobs = {
        .capacity = JOBS_MAX, .shards = 1, .record_bytes = sizeof(struct leat_job_record)};
    memset(&engine_now, 0, sizeof(engine_now));
    engine_now.memory = explore_memory_table();
    engine_now.pool.queues = &queue_now;
    engine_now.config.jobs_max = JOBS_MAX;
    engine_now.config.queues_max = 1;
    engine_now.config.types_max = 1;
    EXPLORE_CHECK(leat_slab_init(&engine_now.jobs, &jobs));
    for (uint32_t i = 0; i < scenario->jobs; i++) {
        uint32_t index = 0;
        EXPLORE_CHECK(leat_slab_take(&engine_now.jobs, 0, &index));
        EXPLORE_CHECK(index == i);
        atom_init(&leat_job_record(&engine_now, i)->extra, (void *)&state->extras[i]);
        if (!scenario->first) {
            make(i);
        }
    }
    atom_store_rlx(&state_now.now_ns, 1);
    if (scenario->rated) {
        rate();
    }
    for (uint32_t i = 0; i < scenario->before; i++) {
        submit(i);
    }
    if (scenario->cancelled != 0) {
        cancel(scenario->cancelled - 1);
    }
    if (scenario->ran) {
        atom_store_rlx(&state->ready[0], 0);
        run(0);
    }
}

static bool
is_acted(enum step step)
{
    bool acted = false;
    for (uint32_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        acted = acted || scenario->acts[i].step == step;
    }
    return acted;
}

/* One that waits for a token waits for nothing else. */
static void
waits_check(uint32_t index)
{
    enum leat_phase phase = leat_word_phase(atom_load_rlx(job_word(index)));
    EXPLORE_CHECK(phase != LEAT_PHASE_SCHEDULED || state_now.keys[index]->waits == 0);
}

static void
keys_check(void *argument)
{
    struct state *state = argument;
    uint32_t keys = 0;
    uint32_t buckets = 0;
    EXPLORE_CHECK(leat_keys_check(&engine_now, &keys, stdout));
    EXPLORE_CHECK(leat_key_rates_check(&engine_now, &buckets, stdout));
    EXPLORE_CHECK(buckets == (scenario->ran ? 1 : 0));
    EXPLORE_CHECK(keys == (scenario->snoozes ? 1 : 0));
    bool rated = scenario->rated || is_acted(STEP_RATE);
    EXPLORE_CHECK(state->mapped == (scenario->none ? 0U : rated ? 2U : 1U));
    if (scenario->snoozes || scenario->first) {
        waits_check(0);
        return;
    }
    for (uint32_t i = 0; i < scenario->jobs; i++) {
        bool cancelled = i + 1 == scenario->cancelled;
        bool put_off = state->later[i] == 1;
        for (uint32_t j = 0; j < EXPLORE_THREADS_MAX; j++) {
            cancelled =
                cancelled || (scenario->acts[j].step == STEP_CANCEL && scenario->acts[j].job == i);
            EXPLORE_CHECK(!put_off || state->ran[i] == 0);
        }
        EXPLORE_CHECK(state->freed[i] == 1 || put_off || i + 1 == scenario->stuck);
        EXPLORE_CHECK(state->ran[i] == 1 || cancelled || put_off);
    }
}

#define SUBMIT(job)                                                                                \
    {                                                                                              \
        STEP_SUBMIT, job                                                                           \
    }
#define CANCEL(job)                                                                                \
    {                                                                                              \
        STEP_CANCEL, job                                                                           \
    }
#define PUT_OFF(job)                                                                               \
    {                                                                                              \
        STEP_PUT_OFF, job                                                                          \
    }
#define MAKE(job)                                                                                  \
    {                                                                                              \
        STEP_MAKE, job                                                                             \
    }
#define AGAIN(job)                                                                                 \
    {                                                                                              \
        STEP_AGAIN, job                                                                            \
    }
#define RATE                                                                                       \
    {                                                                                              \
        STEP_RATE, 0                                                                               \
    }
#define UNRATE                                                                                     \
    {                                                                                              \
        STEP_UNRATE, 0                                                                             \
    }
#define TIME                                                                                       \
    {                                                                                              \
        STEP_TIME, 0                                                                               \
    }
#define WORK                                                                                       \
    {                                                                                              \
        STEP_WORK, 0                                                                               \
    }

static bool
explore_keys(const struct scenario *scenarios, size_t count)
{
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        struct explore_counts counts;
        scenario = &scenarios[i];
        struct explore_model model = {.name = scenario->name,
                                      .state = &state_now,
                                      .state_bytes = sizeof(state_now),
                                      .setup = keys_setup,
                                      .check = keys_check,
                                      .bounded = scenario->preemptions != 0,
                                      .preemptions = scenario->preemptions,
                                      .deep = scenario->deep,
                                      .fails = scenario->fails};
        for (uint32_t j = 0; j < EXPLORE_THREADS_MAX; j++) {
            model.threads[j] = scenario->acts[j].step == STEP_NONE ? NULL : thread;
            bool serves =
                scenario->acts[j].step == STEP_WORK || scenario->acts[j].step == STEP_TIME;
            model.servants |= serves ? (uint8_t)(1U << j) : 0;
        }
        good = explore(&model, &counts) && good;
    }
    return good;
}

#endif
