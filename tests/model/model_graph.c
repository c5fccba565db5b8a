/* model_graph.c - the real engine/graph.c and engine/cohort.c with the swaps of engine/job.c: every
 * interleaving, with C11 memory, of threads that submit a child, and end, cancel or forget a
 * parent. Jobs are put into a place of one each; the swaps of ends and cancels are those of
 * retain.c and look.c.
 *
 * end      a parent without anything ends while its first child is submitted: completed, and dead.
 * two      both parents of one child end at once; and while it is submitted.
 * both     two children of one parent are submitted while it ends.
 * child    a child is cancelled while it is submitted, and while its parent ends.
 * down     a parent fails while a child of its child is submitted.
 * within   a parent fails while its child, which came with it, is not published yet; and has
 *          another parent, for which it does not wait then.
 * letter   a dead parent is forgotten while a child is submitted that waits for its return; and
 *          while it is brought back, and ends anew.
 * cohort   the last member of a cohort ends while another one enters.
 * blind    And if an end does not heed the holds in the word, a child waits for ever.
 * In each, a child that was taken is put once, or ended once, never both; all records are given
 * back once, but for those of children that were put.
 */
#include <stdio.h>

#include "tests/support/explore.h"

#include "engine/cohort.c" /* NOLINT(bugprone-suspicious-include) */
#include "engine/graph.c"  /* NOLINT(bugprone-suspicious-include) */
#include "engine/job.c"    /* NOLINT(bugprone-suspicious-include) */

#define JOBS_MAX 4

enum step {
    STEP_NONE,
    STEP_SUBMIT,
    STEP_END,
    STEP_FAIL,
    STEP_CANCEL,
    STEP_FORGET,
    STEP_REVIVE,
    STEP_MEMBER,
    STEP_GRAPH,
    STEP_FAIL_IT
};

struct act {
    enum step step;
    uint32_t job;
};

/* How a job of a scenario comes to be. */
struct made {
    enum leat_phase phase; /* before the threads begin; FILLING: submitted by one, or not at all */
    uint32_t parents[2];   /* plus 1; of a child */
    enum leat_parent_policy policy;
    uint32_t cohort; /* plus 1; of a member */
    bool is_cohort;
};

struct scenario {
    const char *name;
    struct made jobs[JOBS_MAX];
    struct act acts[EXPLORE_THREADS_MAX];
    uint32_t preemptions; /* 0: any */
    uint32_t rest; /* not 0: a further parent of job 1, which goes on when all else is over */
    bool blind;
    bool deep;
    const char *fails;
};

struct state {
    uint32_t put[JOBS_MAX];
    uint32_t freed[JOBS_MAX];
    bool taken[JOBS_MAX];
    uint32_t did[JOBS_MAX]; /* plain: what its handler wrote */
    bool back;              /* job 0 was brought back */
    struct leat_cohort cohort;
};

static struct state state_now;
static struct leat_engine engine_now;
static struct leat_queue_words queue_now;
static const struct scenario *scenario;

static leat_atomic_u64 *
job_word(uint32_t index)
{
    return leat_slab_word(&engine_now.jobs, index);
}

static leat_job_id
id_now(uint32_t index)
{
    uint64_t word = atom_load_rlx(job_word(index));
    leat_job_id id = {leat_word_of(leat_word_generation(word), index)};
    return id;
}

/* ---- what the engine has elsewhere ----------------------------------------------------------- */

void *
leat_block_make(struct leat_engine *engine, leat_atomic_pointer *place, size_t bytes)
{
    void *block = atom_load_acq(place);
    void *none = NULL;
    if (block != NULL) {
        return block;
    }
    block = leat_memory_take(&engine->memory, bytes);
    return atom_cas_acq_rel(place, &none, block) ? block : none;
}

struct leat_job_extra *
leat_job_extra_make(struct leat_engine *engine, struct leat_job_record *record)
{
    return leat_block_make(engine, &record->extra, sizeof(struct leat_job_extra));
}

static void
reclaim(uint32_t index)
{
    explore_plain_write(&state_now.freed[index], "record");
    EXPLORE_CHECK(state_now.freed[index] == 0);
    state_now.freed[index] = 1;
}

void
leat_job_unhold(struct leat_engine *engine, uint32_t index)
{
    (void)engine;
    if (leat_job_let_go(job_word(index), LEAT_WORD_HOLD)) {
        reclaim(index);
    }
}

enum leat_status
leat_job_hold(struct leat_engine *engine, leat_job_id id, uint32_t most, uint32_t *index)
{
    (void)engine;
    (void)most;
    *index = index_of(id.bits);
    uint64_t now = atom_load_acq(job_word(*index));
    do {
        if (leat_word_phase(now) == LEAT_PHASE_GONE) {
            return LEAT_GONE;
        }
    } while (!atom_cas_acq_rel(job_word(*index), &now, now + LEAT_WORD_HOLD));
    return LEAT_OK;
}

enum leat_phase
leat_job_phase_held(const struct leat_engine *engine, uint32_t index)
{
    (void)engine;
    return leat_word_phase(atom_load_acq(job_word(index)));
}

/* As unlink_last() of retain.c. */
static void
unlink_last(uint32_t index)
{
    bool holds = leat_word_phase(atom_load_rlx(job_word(index))) == LEAT_PHASE_DEAD &&
                 leat_job_hold(&engine_now, id_now(index), LEAT_HOLDS_MAX, &index) == LEAT_OK;
    if (leat_job_let_go(job_word(index), LEAT_WORD_LINKED)) {
        reclaim(index);
    } else if (holds) {
        leat_graph_forsaken(&engine_now, index);
        leat_job_unhold(&engine_now, index);
    }
}

void
leat_job_retire(struct leat_engine *engine, uint32_t index)
{
    (void)engine;
    unlink_last(index);
}

void
leat_pool_put(struct leat_pool *pool, uint32_t level, uint32_t queue, uint32_t item)
{
    (void)pool;
    (void)level;
    (void)queue;
    uint32_t index = leat_item_index(item);
    explore_plain_write(&state_now.put[index], "put");
    EXPLORE_CHECK(state_now.put[index] == 0);
    for (uint32_t i = 0; i < 2 && scenario->jobs[index].parents[i] != 0; i++) {
        explore_plain_read(&state_now.did[scenario->jobs[index].parents[i] - 1], "done");
    }
    state_now.put[index] = 1;
}

struct leat_stand
leat_queue_stand(const struct leat_job_record *record)
{
    (void)record;
    return (struct leat_stand){.level = 0};
}

struct leat_due
leat_timers_due(const struct leat_engine *engine, uint64_t delay_ns, uint64_t run_at_ns)
{
    (void)engine;
    (void)delay_ns;
    (void)run_at_ns;
    return (struct leat_due){.at_ns = 0};
}

bool
leat_engine_inside(const struct leat_engine *engine)
{
    (void)engine;
    return true;
}

enum leat_status
leat_struct_read(void *known, size_t known_bytes, const void *given)
{
    memcpy(known, given, known_bytes);
    return LEAT_OK;
}

void
leat_job_ring_bell(struct leat_engine *engine, uint32_t index, uint64_t word)
{
    (void)engine;
    (void)index;
    (void)word;
}

/* Whoever ends a child for its parent knows of a parent's end. */
void
leat_events_ended(struct leat_engine *engine, uint32_t index, struct leat_ending ending)
{
    bool known = ending.reason != LEAT_REASON_PARENT;
    (void)engine;
    for (uint32_t i = 0; i < JOBS_MAX && !known; i++) {
        known = i != index && leat_phase_final(leat_word_phase(atom_load_rlx(job_word(i))));
    }
    EXPLORE_CHECK(known);
}

struct leat_event
leat_events_of(const struct leat_engine *engine, uint32_t index)
{
    (void)engine;
    return (struct leat_event){.id = {index}};
}

void
leat_events_put(struct leat_engine *engine, struct leat_event event)
{
    (void)engine;
    (void)event;
}

void
leat_tally_share(struct leat_engine *engine, struct leat_tally_key key, enum leat_tally_what what)
{
    (void)engine;
    (void)key;
    (void)what;
}

/* What no scenario comes to. */
#define NEVER(type, name, ...)                                                                     \
    type name(__VA_ARGS__)                                                                         \
    {                                                                                              \
        EXPLORE_CHECK(false);                                                                      \
        __builtin_unreachable();                                                                   \
    }

/* NOLINTBEGIN */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
NEVER(void, leat_change_begins, struct leat_engine *e)
NEVER(void, leat_durable_note_slowly, struct leat_engine *e, leat_job_id id, bool follows)
NEVER(void, leat_durable_unused_slowly, struct leat_engine *e, uint32_t index)
NEVER(void, leat_durable_refused_slowly, struct leat_engine *e, uint32_t index)
NEVER(void, leat_durable_ready, struct leat_engine *e)
NEVER(void, leat_durable_cohort_closed, struct leat_engine *e, leat_job_id id,
      struct leat_cohort *cohort)
NEVER(bool, leat_durable_wants, const struct leat_engine *e, const struct leat_job *job)
NEVER(enum leat_status, leat_durable_settle_slowly, struct leat_engine *e, enum leat_status status)
NEVER(void, leat_change_ends, struct leat_engine *e)
NEVER(void, leat_timers_set, struct leat_engine *e, uint32_t i, struct leat_due d)
NEVER(void, leat_timers_arm, struct leat_engine *e, uint32_t i)
NEVER(void, leat_timers_count, struct leat_engine *e, enum leat_phase p, int c)
NEVER(void, leat_room_give, struct leat_engine *e, uint32_t q, uint64_t b)
NEVER(void, leat_room_force, struct leat_engine *e, uint32_t q, uint64_t b)
NEVER(void, leat_completion_deliver, struct leat_engine *engine, uint32_t completion,
      struct leat_completion_end end)
NEVER(bool, leat_gates_stand_slowly, struct leat_engine *e, uint32_t q, uint32_t t)
NEVER(void, leat_lists_add, struct leat_pool *p, uint32_t l, const uint32_t *i, uint32_t c)
NEVER(bool, leat_keys_enter_slowly, struct leat_engine *e, uint32_t i)
NEVER(void, leat_keys_left_slowly, struct leat_engine *e, uint32_t i)
NEVER(enum leat_status, leat_result, struct leat_engine *e, leat_job_id i, void *b, size_t c,
      size_t *n)
NEVER(enum leat_status, leat_submit_all, struct leat_engine *e, const struct leat_batch_part *p)
NEVER(enum leat_status, leat_struct_write, void *given, const void *filled, size_t filled_bytes)
#pragma GCC diagnostic pop
/* NOLINTEND */

/* ---- acts ------------------------------------------------------------------------------------ */

/* As record_fill() and push_one() of submit.c. */
static void
submit(uint32_t index)
{
    const struct made *made = &scenario->jobs[index];
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    struct leat_ties ties = {.noded = true};
    leat_job_id parents[2];
    for (uint32_t i = 0; i < 2 && made->parents[i] != 0; i++) {
        parents[options.parents_count++] = id_now(made->parents[i] - 1);
    }
    options.parents = parents;
    options.parent_policy = made->policy;
    if (made->cohort != 0) {
        options.cohort = id_now(made->cohort - 1);
    }
    if (made->is_cohort) {
        ties.held = 1;
    }
    job.options = &options;
    enum leat_status status = leat_graph_make(&engine_now, index, &job, &ties);
    if (status != LEAT_OK) {
        EXPLORE_CHECK(status == LEAT_GONE || status == LEAT_ENDED);
        leat_graph_refuse(&engine_now, index);
        return;
    }
    state_now.taken[index] = true;
    if (made->is_cohort) {
        leat_cohort_bind(leat_node_there(&engine_now, index), &state_now.cohort, NULL);
    }
    uint64_t generation = leat_word_generation(atom_load_rlx(job_word(index)));
    bool blocks = leat_graph_blocks(&engine_now, index);
    uint64_t phase = (blocks ? LEAT_PHASE_BLOCKED : LEAT_PHASE_PENDING) | LEAT_WORD_LINKED;
    atom_store_rel(job_word(index),
                   (leat_word_of(generation, 0) | phase) + leat_graph_holds(&engine_now, index));
    if (blocks) {
        leat_graph_join(&engine_now, index);
    }
}

/* The swap of an end or a cancel, and what comes behind it. `phases`: those in which it may be. */
static void
end_as(uint32_t index, enum leat_phase to, uint32_t phases)
{
    uint64_t now = atom_load_acq(job_word(index));
    uint64_t next = 0;
    if (phases == 1U << LEAT_PHASE_RUNNING) {
        explore_plain_write(&state_now.did[index], "done");
    }
    do {
        if ((phases >> leat_word_phase(now) & 1) == 0) {
            return;
        }
        bool held = (now & LEAT_WORD_HOLDS) != 0 && !scenario->blind;
        uint64_t link = to == LEAT_PHASE_DEAD ? LEAT_WORD_LINKED : 0;
        uint64_t keeps = leat_word_phase(now) == LEAT_PHASE_RUNNING ? now & ~LEAT_WORD_LINKED : now;
        next = leat_word_with((keeps | link) + (held ? LEAT_WORD_HOLD : 0), to);
    } while (!atom_cas_acq_rel(job_word(index), &now, next));
    if (leat_word_phase(next) == LEAT_PHASE_GONE) {
        reclaim(index);
    }
    if (leat_word_phase(now) == LEAT_PHASE_BLOCKED) {
        leat_graph_unblocked(&engine_now, index);
    }
    if ((next & LEAT_WORD_HOLDS) != (now & LEAT_WORD_HOLDS)) {
        leat_graph_ended(&engine_now, index, now);
        leat_job_unhold(&engine_now, index);
    }
}

/* As retry() of dead.c, and an attempt that is done. */
static void
revive(uint32_t index)
{
    uint64_t unless = 0;
    uint64_t before = 0;
    uint64_t after = 0;
    if (leat_graph_revive(&engine_now, id_now(index), &unless) != LEAT_OK) {
        return;
    }
    const struct leat_change change = {
        .from = LEAT_PHASE_DEAD, .to = LEAT_PHASE_PENDING, .unless = unless};
    const struct leat_change begin = {
        .from = LEAT_PHASE_PENDING, .to = LEAT_PHASE_RUNNING, .clear = LEAT_WORD_LINKED};
    bool revived = leat_job_change(job_word(index), &change, &before, &after);
    leat_graph_revived(&engine_now, index, unless);
    if (!revived) {
        unlink_last(index); /* it goes */
        return;
    }
    state_now.back = true;
    EXPLORE_CHECK(leat_job_change(job_word(index), &begin, &before, &after));
    end_as(index, LEAT_PHASE_COMPLETED, 1U << LEAT_PHASE_RUNNING);
}

/* One that enters the cohort, and ends. */
static void
member(uint32_t index)
{
    const struct leat_change begin = {
        .from = LEAT_PHASE_PENDING, .to = LEAT_PHASE_RUNNING, .clear = LEAT_WORD_LINKED};
    uint64_t before = 0;
    uint64_t after = 0;
    submit(index);
    if (state_now.taken[index]) {
        EXPLORE_CHECK(leat_job_change(job_word(index), &begin, &before, &after));
        end_as(index, LEAT_PHASE_COMPLETED, 1U << LEAT_PHASE_RUNNING);
    }
}

static void
publish(uint32_t index, uint64_t phase)
{
    uint64_t generation = leat_word_generation(atom_load_rlx(job_word(index)));
    atom_store_rel(job_word(index),
                   (leat_word_of(generation, 0) | phase) + leat_graph_holds(&engine_now, index));
}

/* As group_publish() of submit.c: a parent, which runs at once, and its child. */
static void
graph(uint32_t parent)
{
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    const struct leat_ties ties[2] = {{.noded = true}, {.noded = true, .parents = 1}};
    leat_job_id other = {0};
    EXPLORE_CHECK(leat_graph_make(&engine_now, parent, &job, &ties[0]) == LEAT_OK);
    if (scenario->rest != 0) {
        other = id_now(scenario->rest);
        options.parents = &other;
        options.parents_count = 1;
        job.options = &options;
    }
    EXPLORE_CHECK(leat_graph_make(&engine_now, parent + 1, &job, &ties[1]) == LEAT_OK);
    leat_graph_tie(&engine_now, parent, parent + 1);
    state_now.taken[parent + 1] = true;
    publish(parent, LEAT_PHASE_RUNNING);
    publish(parent + 1, LEAT_PHASE_BLOCKED | LEAT_WORD_LINKED);
    leat_graph_join(&engine_now, parent + 1);
}

static void
fail_it(uint32_t index)
{
    while (leat_word_phase(atom_load_acq(job_word(index))) == LEAT_PHASE_FILLING) {
        explore_pause(); /* not there yet */
    }
    end_as(index, LEAT_PHASE_CANCELLED, 1U << LEAT_PHASE_RUNNING);
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
    case STEP_END:
        end_as(act->job, LEAT_PHASE_COMPLETED, 1U << LEAT_PHASE_RUNNING);
        break;
    case STEP_FAIL:
        end_as(act->job, LEAT_PHASE_CANCELLED, 1U << LEAT_PHASE_RUNNING);
        break;
    case STEP_CANCEL:
        end_as(act->job, LEAT_PHASE_CANCELLED, 1U << LEAT_PHASE_BLOCKED);
        break;
    case STEP_FORGET:
        unlink_last(act->job);
        break;
    case STEP_REVIVE:
        revive(act->job);
        break;
    case STEP_GRAPH:
        graph(act->job);
        break;
    case STEP_FAIL_IT:
        fail_it(act->job);
        break;
    case STEP_MEMBER:
        member(act->job);
        break;
    case STEP_NONE:
        break;
    }
}

/* ---- all ------------------------------------------------------------------------------------- */

static void
graph_setup(void *argument)
{
    struct state *state = argument;
    struct leat_slab_config jobs = {
        .capacity = JOBS_MAX, .shards = 1, .record_bytes = sizeof(struct leat_job_record)};
    (void)state;
    memset(&engine_now, 0, sizeof(engine_now));
    engine_now.memory = explore_memory_table();
    engine_now.pool.queues = &queue_now;
    explore_ignore(&engine_now.outside.blocked);
    EXPLORE_CHECK(leat_slab_init(&engine_now.jobs, &jobs));
    for (uint32_t i = 0; i < JOBS_MAX; i++) {
        uint32_t index = 0;
        EXPLORE_CHECK(leat_slab_take(&engine_now.jobs, 0, &index));
        EXPLORE_CHECK(index == i);
        uint64_t generation = leat_word_generation(atom_load_rlx(job_word(i)));
        const struct made *made = &scenario->jobs[i];
        if (made->phase == LEAT_PHASE_BLOCKED) {
            submit(i);
        } else if (made->cohort != 0 && made->phase == LEAT_PHASE_RUNNING) {
            submit(i);
            atom_store_rlx(job_word(i),
                           (atom_load_rlx(job_word(i)) & ~(LEAT_WORD_PHASE | LEAT_WORD_LINKED)) |
                               LEAT_PHASE_RUNNING);
        } else {
            uint64_t link = made->phase == LEAT_PHASE_DEAD ? LEAT_WORD_LINKED : 0;
            atom_store_rlx(job_word(i), leat_word_of(generation, 0) | (uint64_t)made->phase | link);
        }
    }
    if (scenario->jobs[0].is_cohort) {
        struct leat_todo todo = {NULL};
        leat_graph_count(&engine_now, leat_node_there(&engine_now, 0), &todo); /* it is closed */
        EXPLORE_CHECK(todo.first == NULL);
    }
}

/* A child that goes on keeps its parents' records. */
static bool
kept(uint32_t parent)
{
    bool found = false;
    for (uint32_t i = 0; i < JOBS_MAX; i++) {
        const uint32_t *parents = scenario->jobs[i].parents;
        found = found ||
                (state_now.put[i] == 1 && (parents[0] == parent + 1 || parents[1] == parent + 1));
    }
    return found;
}

static void
graph_check(void *argument)
{
    struct state *state = argument;
    if (scenario->rest != 0) {
        /* It did not wait for this one. */
        EXPLORE_CHECK(leat_word_phase(atom_load_rlx(job_word(1))) == LEAT_PHASE_CANCELLED);
        end_as(scenario->rest, LEAT_PHASE_COMPLETED, 1U << LEAT_PHASE_RUNNING);
    }
    /* Who waits for a return goes on with it. */
    EXPLORE_CHECK(!state->back || state->put[1] == (state->taken[1] ? 1 : 0));
    for (uint32_t i = 0; i < JOBS_MAX; i++) {
        uint64_t word = atom_load_rlx(job_word(i));
        enum leat_phase phase = leat_word_phase(word);
        if (!state->taken[i]) {
            EXPLORE_CHECK(state->put[i] == 0);
            EXPLORE_CHECK(phase == LEAT_PHASE_FILLING || state->freed[i] == (kept(i) ? 0 : 1));
            continue;
        }
        if (scenario->jobs[i].cohort == 0) {
            EXPLORE_CHECK(state->put[i] + state->freed[i] == 1);
            EXPLORE_CHECK(phase == (state->put[i] == 1 ? LEAT_PHASE_PENDING : LEAT_PHASE_GONE));
        }
    }
    if (scenario->jobs[0].is_cohort) {
        /* Who entered it has left it. */
        EXPLORE_CHECK(atom_load_rlx(&leat_node_there(&engine_now, 0)->waits) == 0);
    }
    for (uint32_t i = 0; i < JOBS_MAX; i++) {
        const struct made *made = &scenario->jobs[i];
        uint32_t parent = made->parents[0];
        /* Who was put has a parent that keeps its record for it. */
        if (state->taken[i] && state->put[i] == 1 && parent != 0) {
            EXPLORE_CHECK(state->freed[parent - 1] == 0);
            EXPLORE_CHECK(leat_word_phase(atom_load_rlx(job_word(parent - 1))) ==
                          LEAT_PHASE_COMPLETED);
        }
    }
}

#define SUBMIT(job)                                                                                \
    {                                                                                              \
        STEP_SUBMIT, job                                                                           \
    }
#define END(job)                                                                                   \
    {                                                                                              \
        STEP_END, job                                                                              \
    }
#define FAIL(job)                                                                                  \
    {                                                                                              \
        STEP_FAIL, job                                                                             \
    }
#define CANCEL(job)                                                                                \
    {                                                                                              \
        STEP_CANCEL, job                                                                           \
    }
#define FORGET(job)                                                                                \
    {                                                                                              \
        STEP_FORGET, job                                                                           \
    }
#define REVIVE(job)                                                                                \
    {                                                                                              \
        STEP_REVIVE, job                                                                           \
    }
#define GRAPH(job)                                                                                 \
    {                                                                                              \
        STEP_GRAPH, job                                                                            \
    }
#define FAIL_IT(job)                                                                               \
    {                                                                                              \
        STEP_FAIL_IT, job                                                                          \
    }
#define MEMBER(job)                                                                                \
    {                                                                                              \
        STEP_MEMBER, job                                                                           \
    }
#define RUNS                                                                                       \
    {                                                                                              \
        .phase = LEAT_PHASE_RUNNING                                                                \
    }
#define CHILD                                                                                      \
    {                                                                                              \
        .parents = { 1 }                                                                           \
    }
#define WAITS                                                                                      \
    {                                                                                              \
        .parents = {1}, .policy = LEAT_PARENT_WAIT                                                 \
    }

static const struct scenario scenarios[] = {
    {.name = "graph_end", .jobs = {RUNS, CHILD}, .acts = {SUBMIT(1), END(0)}},
    {.name = "graph_end_dead", .jobs = {RUNS, CHILD}, .acts = {SUBMIT(1), FAIL(0)}},
    {.name = "graph_two",
     .jobs = {RUNS, RUNS, {.phase = LEAT_PHASE_BLOCKED, .parents = {1, 2}}},
     .acts = {END(0), END(1)}},
    {.name = "graph_two_dead",
     .jobs = {RUNS, RUNS, {.phase = LEAT_PHASE_BLOCKED, .parents = {1, 2}}},
     .acts = {FAIL(0), FAIL(1)}},
    {.name = "graph_two_submit",
     .jobs = {RUNS, RUNS, {.parents = {1, 2}}},
     .acts = {SUBMIT(2), END(0), END(1)},
     .preemptions = 2},
    {.name = "graph_both",
     .jobs = {RUNS, CHILD, CHILD},
     .acts = {SUBMIT(1), SUBMIT(2), END(0)},
     .preemptions = 1},
    {.name = "graph_both_deep",
     .jobs = {RUNS, CHILD, CHILD},
     .acts = {SUBMIT(1), SUBMIT(2), END(0)},
     .preemptions = 2,
     .deep = true},
    {.name = "graph_child_submit",
     .jobs = {RUNS, CHILD},
     .acts = {SUBMIT(1), CANCEL(1), END(0)},
     .preemptions = 2},
    {.name = "graph_child",
     .jobs = {RUNS, {.phase = LEAT_PHASE_BLOCKED, .parents = {1}}},
     .acts = {CANCEL(1), END(0)}},
    {.name = "graph_down",
     .jobs = {RUNS, {.phase = LEAT_PHASE_BLOCKED, .parents = {1}}, {.parents = {2}}},
     .acts = {SUBMIT(2), FAIL(0)}},
    {.name = "graph_within", .acts = {GRAPH(0), FAIL_IT(0)}},
    {.name = "graph_within_two",
     .jobs = {{.phase = LEAT_PHASE_FILLING}, {.phase = LEAT_PHASE_FILLING}, RUNS},
     .acts = {GRAPH(0), FAIL_IT(0)},
     .rest = 2},
    {.name = "graph_letter",
     .jobs = {{.phase = LEAT_PHASE_DEAD}, WAITS},
     .acts = {SUBMIT(1), FORGET(0)}},
    {.name = "graph_letter_back",
     .jobs = {{.phase = LEAT_PHASE_DEAD}, WAITS},
     .acts = {SUBMIT(1), REVIVE(0)}},
    {.name = "graph_cohort",
     .jobs = {{.phase = LEAT_PHASE_BLOCKED, .is_cohort = true},
              {.phase = LEAT_PHASE_RUNNING, .cohort = 1},
              {.cohort = 1}},
     .acts = {MEMBER(2), END(1)}},
    {.name = "graph_blind",
     .jobs = {RUNS, CHILD},
     .blind = true,
     .acts = {SUBMIT(1), END(0)},
     .fails = "(kept(i) ? 0 : 1)"},
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
                                      .setup = graph_setup,
                                      .check = graph_check,
                                      .bounded = scenario->preemptions != 0,
                                      .preemptions = scenario->preemptions,
                                      .deep = scenario->deep,
                                      .fails = scenario->fails};
        for (uint32_t j = 0; j < EXPLORE_THREADS_MAX; j++) {
            model.threads[j] = scenario->acts[j].step == STEP_NONE ? NULL : thread;
        }
        good = explore(&model, &counts) && good;
    }
    return good ? 0 : 1;
}
