/* model_keys.c - the real engine/keys.c with the swaps of engine/job.c: every interleaving of
 * threads that submit, end and cancel jobs of one key, with C11 memory. What is put on by the key
 * comes to a place of one job, from which a worker takes it; a worker ends a job, and a canceller
 * cancels it, with the swaps of retain.c and look.c.
 *
 * submit   two threads submit, and workers run what comes: both jobs run, one at a time, and what
 *          one handler wrote is seen by the next; the key is gone at the end. Who has submitted and
 *          finds nothing on its way finds its job let in: a drain relies on that.
 * end      a job ends while another one comes: it takes the key, or finds it gone.
 * line     one in line is cancelled while the key is handed on.
 * holder   the one that has the key is cancelled while a worker takes it, and while one comes.
 * early    one is cancelled while it comes.
 * unheld   as holder, by one who has no hold: the key is handed on when the place lets go.
 * stuck    holder and early where nobody takes the cancelled one from its place: the next one goes
 *          on all the same. One that was cancelled in line before is not given the key.
 * later    one that has the key, and one in line, is given another time: it leaves, and the next
 *          one goes on; it goes to a wheel, which here is as if it were due never.
 * snoozed  one that has the key is given another time, comes due, begins and is snoozed, while the
 *          look for that other time is answered: it keeps its key.
 * first    two threads make the first key of the engine: of the two tables one stays.
 * none     the same where there is no memory for one.
 * forgets  And if nobody sees to what is cancelled, its block is freed while others stand behind.
 * In each, a job runs once or is let go of once, not both; and all that were not cancelled run.
 */
#include <stdio.h>

#include "engine/keys.h"
#include "ring/os.h"
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

#define JOBS_MAX 3

enum step { STEP_NONE, STEP_SUBMIT, STEP_CANCEL, STEP_PUT_OFF, STEP_WORK, STEP_MAKE };

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
    leat_keys_begun(&state_now.extras[index], true);
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
    struct leat_job_options options = {.key = "k", .key_bytes = 1};
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
    for (uint32_t i = 0; i < scenario->before; i++) {
        submit(i);
    }
    if (scenario->cancelled != 0) {
        cancel(scenario->cancelled - 1);
    }
}

static void
keys_check(void *argument)
{
    struct state *state = argument;
    uint32_t keys = 0;
    EXPLORE_CHECK(leat_keys_check(&engine_now, &keys, stdout));
    EXPLORE_CHECK(keys == (scenario->snoozes ? 1 : 0));
    EXPLORE_CHECK(state->mapped == (scenario->none ? 0 : 1));
    if (scenario->snoozes || scenario->first) {
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
#define WORK                                                                                       \
    {                                                                                              \
        STEP_WORK, 0                                                                               \
    }

static const struct scenario scenarios[] = {
    {.name = "keys_submit", .jobs = 2, .acts = {SUBMIT(0), SUBMIT(1), WORK}, .preemptions = 2},
    {.name = "keys_submit_2w",
     .jobs = 2,
     .acts = {SUBMIT(0), SUBMIT(1), WORK, WORK},
     .preemptions = 1},
    {.name = "keys_end", .before = 1, .jobs = 2, .acts = {SUBMIT(1), WORK}},
    {.name = "keys_line", .before = 3, .jobs = 3, .acts = {CANCEL(1), WORK}},
    {.name = "keys_line_2w",
     .before = 3,
     .jobs = 3,
     .acts = {CANCEL(1), WORK, WORK},
     .preemptions = 1},
    {.name = "keys_holder", .before = 2, .jobs = 2, .acts = {CANCEL(0), WORK}},
    {.name = "keys_holder_comes",
     .before = 1,
     .jobs = 2,
     .acts = {CANCEL(0), SUBMIT(1), WORK},
     .preemptions = 1},
    {.name = "keys_early",
     .jobs = 2,
     .acts = {SUBMIT(0), CANCEL(0), SUBMIT(1), WORK},
     .preemptions = 1},
    {.name = "keys_early_line",
     .before = 1,
     .jobs = 2,
     .acts = {SUBMIT(1), CANCEL(1), WORK},
     .preemptions = 2},
    {.name = "keys_unheld", .before = 2, .jobs = 2, .unheld = true, .acts = {CANCEL(0), WORK}},
    {.name = "keys_unheld_line", .before = 3, .jobs = 3, .unheld = true, .acts = {CANCEL(1), WORK}},
    {.name = "keys_stuck", .before = 2, .jobs = 2, .stuck = 1, .acts = {CANCEL(0), WORK}},
    {.name = "keys_stuck_line",
     .before = 3,
     .jobs = 3,
     .unheld = true,
     .cancelled = 2,
     .stuck = 2,
     .acts = {WORK}},
    {.name = "keys_stuck_early",
     .jobs = 2,
     .stuck = 1,
     .acts = {SUBMIT(0), CANCEL(0), SUBMIT(1), WORK},
     .preemptions = 1},
    {.name = "keys_later", .before = 2, .jobs = 2, .acts = {PUT_OFF(0), WORK}},
    {.name = "keys_later_line", .before = 3, .jobs = 3, .acts = {PUT_OFF(1), WORK}},
    {.name = "keys_later_early",
     .before = 1,
     .jobs = 2,
     .acts = {SUBMIT(1), PUT_OFF(1), WORK},
     .preemptions = 1},
    {.name = "keys_snoozed",
     .before = 2,
     .jobs = 2,
     .snoozes = true,
     .acts = {PUT_OFF(0), WORK},
     .preemptions = 3},
    {.name = "keys_first", .jobs = 2, .first = true, .acts = {MAKE(0), MAKE(1)}},
    {.name = "keys_none", .jobs = 2, .first = true, .none = true, .acts = {MAKE(0), MAKE(1)}},
    {.name = "keys_forgets",
     .before = 2,
     .jobs = 2,
     .unheld = true,
     .forgets = true,
     .acts = {CANCEL(0), WORK},
     .fails = "LEAT_KEY_OUTSIDE"},
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
                                      .setup = keys_setup,
                                      .check = keys_check,
                                      .bounded = scenario->preemptions != 0,
                                      .preemptions = scenario->preemptions,
                                      .fails = scenario->fails};
        for (uint32_t j = 0; j < EXPLORE_THREADS_MAX; j++) {
            model.threads[j] = scenario->acts[j].step == STEP_NONE ? NULL : thread;
            model.servants |= scenario->acts[j].step == STEP_WORK ? (uint8_t)(1U << j) : 0;
        }
        good = explore(&model, &counts) && good;
    }
    return good ? 0 : 1;
}
