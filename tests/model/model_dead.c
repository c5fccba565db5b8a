/* model_dead.c - the real engine/dead.c and engine/book.c with the swaps of engine/job.c: every
 * interleaving of threads that bring a dead letter back, delete it, let it go by its age or for
 * another one that dies, look at it, and run it again, with C11 memory. What an attempt writes into
 * its record is plain: who brings a letter back writes it, who looks at an ended job reads it, and
 * who has the record to give back writes it.
 *
 * retry     two threads bring one letter back: one of them does.
 * delete    one brings it back, one deletes it.
 * age       one brings it back, while its age is over.
 * full      one brings it back, while another job dies and needs its place.
 * look      one brings it back, while one looks at it: it comes back, or goes to its place again.
 * look_full the same where its place is written over meanwhile: it stands as the newest.
 * runs      one brings it back, a worker runs it, and it dies again; another one brings it back,
 *           too.
 * holds     who brings one back in spite of who looks at it writes what that one reads.
 * blind     who brings one back without taking it out of the book has it twice.
 * In each, a job stands in the book once, waits in one place, or is given back once; as many have
 * been put into a place as were brought back. Holds I1 to I3 of engine/book.h.
 */
#include <stdio.h>

#include "engine/dead.h"
#include "ring/rcu.h"
#include "tests/support/explore.h"

/* Sections are for states of the engine, which here has one. */
/* They stand for functions. NOLINTBEGIN(readability-identifier-naming) */
#define leat_rcu_enter()       ((void)0)
#define leat_rcu_leave(domain) ((void)(domain))
/* NOLINTEND(readability-identifier-naming) */

#include "engine/book.c" /* NOLINT(bugprone-suspicious-include) */
#include "engine/dead.c" /* NOLINT(bugprone-suspicious-include) */
#include "engine/job.c"  /* NOLINT(bugprone-suspicious-include) */

#define JOBS_MAX 2

enum step {
    STEP_NONE,
    STEP_RETRY,
    STEP_DELETE,
    STEP_AGE,
    STEP_DIE,
    STEP_LOOK,
    STEP_WORK,
    STEP_HOLDS,
    STEP_BLIND
};

struct scenario {
    const char *name;
    uint32_t max;
    uint32_t before; /* jobs that are dead before */
    uint32_t jobs;
    enum step steps[EXPLORE_THREADS_MAX]; /* of job 0; who dies is job 1 */
    uint32_t preemptions;                 /* 0: any */
    const char *fails;
};

struct state {
    uint32_t notes[JOBS_MAX];        /* plain: what an attempt writes */
    uint32_t placed[JOBS_MAX];       /* plain: by who brought it back */
    uint32_t gone[JOBS_MAX];         /* plain: by who gives it back */
    leat_atomic_u32 ready[JOBS_MAX]; /* 1: a worker may take it from its place */
    leat_atomic_u32 back;            /* times that a job was brought back */
};

static struct state state_now;
static struct leat_engine engine_now; /* but for its atomics never written but in setup */
static struct leat_queue_words queue_now;
static leat_atomic_u32 alive_now;
static const struct scenario *scenario;

/* ---- what the engine has elsewhere ----------------------------------------------------------- */

static leat_atomic_u64 *
job_word(uint32_t index)
{
    return leat_slab_word(&engine_now.jobs, index);
}

static leat_job_id
id_of(uint32_t index)
{
    leat_job_id id = {leat_word_of(leat_word_generation(atom_load_rlx(job_word(index))), index)};
    return id;
}

static void
note(uint32_t index)
{
    explore_plain_write(&state_now.notes[index], "notes");
    state_now.notes[index]++;
}

static void
reclaim(uint32_t index)
{
    note(index);
    EXPLORE_CHECK(state_now.gone[index] == 0);
    state_now.gone[index] = 1;
}

struct leat_job_extra *
leat_job_extra_make(struct leat_engine *engine, struct leat_job_record *record)
{
    (void)engine;
    return leat_job_extra(record);
}

void
leat_retention_drop(struct leat_engine *engine, uint64_t id)
{
    uint32_t index = (uint32_t)(id & LEAT_INDEX_NONE);
    (void)engine;
    if (leat_job_let_go(job_word(index), LEAT_WORD_LINKED)) {
        reclaim(index);
    }
}

void
leat_retention_put(struct leat_engine *engine, struct leat_book *book, uint32_t index)
{
    uint64_t before = leat_book_put(book, id_of(index).bits);
    if (before != 0) {
        leat_retention_drop(engine, before);
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

/* As it is, of a record that is not used again. */
enum leat_status
leat_job_hold(struct leat_engine *engine, leat_job_id id, uint32_t most, uint32_t *index)
{
    (void)engine;
    (void)most;
    *index = (uint32_t)(id.bits & LEAT_INDEX_NONE);
    uint64_t now = atom_load_acq(job_word(*index));
    while (leat_word_phase(now) != LEAT_PHASE_GONE) {
        if (atom_cas_acq_rel(job_word(*index), &now, now + LEAT_WORD_HOLD)) {
            return LEAT_OK;
        }
    }
    return LEAT_GONE;
}

enum leat_phase
leat_job_phase_held(const struct leat_engine *engine, uint32_t index)
{
    (void)engine;
    return leat_word_phase(atom_load_acq(job_word(index)));
}

enum leat_status
leat_get(struct leat_engine *engine, leat_job_id id, struct leat_job_info *info)
{
    (void)engine;
    (void)id;
    (void)info;
    return LEAT_GONE; /* who does not find a letter gives up */
}

enum leat_status
leat_job_locate(const struct leat_engine *engine, leat_job_id id, uint32_t *index)
{
    (void)engine;
    (void)id;
    (void)index;
    return LEAT_GONE;
}

/* None of these has a child. */
enum leat_status
leat_graph_revive(struct leat_engine *engine, leat_job_id id, uint64_t *unless)
{
    (void)engine;
    (void)id;
    *unless = LEAT_WORD_HOLDS;
    return LEAT_OK;
}

void
leat_graph_revived(struct leat_engine *engine, uint32_t index, uint64_t unless)
{
    (void)engine;
    (void)index;
    (void)unless;
}

enum leat_status
leat_labels_renew(struct leat_engine *engine, uint32_t index)
{
    (void)engine;
    (void)index;
    return LEAT_OK;
}

void
leat_labels_renewed(struct leat_engine *engine, uint32_t index)
{
    (void)engine;
    (void)index;
}

uint32_t
leat_timers_snoozes_slowly(const struct leat_engine *engine, uint32_t index)
{
    (void)engine;
    (void)index;
    return 0;
}

/* Of those that renew a record. */
void
leat_timers_snoozed(struct leat_engine *engine, uint32_t index, int change)
{
    (void)engine;
    (void)change;
    note(index);
}

struct leat_due
leat_timers_due(const struct leat_engine *engine, uint64_t delay_ns, uint64_t run_at_ns)
{
    (void)engine;
    (void)delay_ns;
    (void)run_at_ns;
    return (struct leat_due){.at_ns = 0};
}

struct leat_stand
leat_queue_stand(const struct leat_job_record *record)
{
    (void)record;
    return (struct leat_stand){.level = 0};
}

void
leat_pool_put(struct leat_pool *pool, uint32_t level, uint32_t queue, uint32_t item)
{
    uint32_t index = leat_item_index(item);
    (void)pool;
    (void)level;
    (void)queue;
    note(index);
    state_now.placed[index]++;
    EXPLORE_CHECK(atom_swap_acq_rel(&state_now.ready[index], 1) == 0);
}

/* ---- what these scenarios do not come to ----------------------------------------------------- */

#define NEVER(head)                                                                                \
    head                                                                                           \
    {                                                                                              \
        explore_fail(#head, __FILE__, __LINE__);                                                   \
    }
#define UNUSED __attribute__((unused))

NEVER(void leat_timers_set(UNUSED struct leat_engine *engine, UNUSED uint32_t index,
                           UNUSED struct leat_due due))
NEVER(void leat_timers_count(UNUSED struct leat_engine *engine, UNUSED enum leat_phase phase,
                             UNUSED int change))
NEVER(void leat_timers_arm(UNUSED struct leat_engine *engine, UNUSED uint32_t index))
NEVER(void leat_room_force(UNUSED struct leat_engine *engine, UNUSED uint32_t queue,
                           UNUSED uint64_t bytes))
NEVER(void leat_room_give(UNUSED struct leat_engine *engine, UNUSED uint32_t queue,
                          UNUSED uint64_t bytes))
NEVER(bool leat_keys_enter_slowly(UNUSED struct leat_engine *engine, UNUSED uint32_t index))
NEVER(bool leat_gates_stand_slowly(UNUSED struct leat_engine *engine, UNUSED uint32_t queue,
                                   UNUSED uint32_t type))
NEVER(void leat_lists_add(UNUSED struct leat_pool *pool, UNUSED uint32_t level,
                          UNUSED const uint32_t *items, UNUSED uint32_t count))
NEVER(bool leat_engine_inside(UNUSED const struct leat_engine *engine))
NEVER(void leat_durable_note_slowly(UNUSED struct leat_engine *engine, UNUSED leat_job_id id,
                                    UNUSED bool follows))
NEVER(enum leat_status leat_durable_settle_slowly(UNUSED struct leat_engine *engine,
                                                  UNUSED enum leat_status status))
NEVER(enum leat_status leat_struct_read(UNUSED void *known, UNUSED size_t bytes,
                                        UNUSED const void *given))
NEVER(enum leat_status leat_struct_write(UNUSED void *given, UNUSED const void *filled,
                                         UNUSED size_t filled_bytes))

/* ---- threads --------------------------------------------------------------------------------- */

static void
brought_back(enum leat_status status)
{
    EXPLORE_CHECK(status == LEAT_OK || status == LEAT_BUSY || status == LEAT_GONE);
    if (status == LEAT_OK) {
        (void)atom_add_rlx(&state_now.back, 1); /* rlx: statistic */
    }
}

static void
die(uint32_t index)
{
    note(index);
    atom_store_rel(job_word(index),
                   leat_word_of(leat_word_generation(atom_load_rlx(job_word(index))), 0) |
                       LEAT_WORD_LINKED | LEAT_PHASE_DEAD);
    leat_retention_put(&engine_now, &engine_now.dead, index);
}

static void
age(void)
{
    uint64_t id = leat_book_pop(&engine_now.dead, leat_book_end(&engine_now.dead));
    if (id != 0) {
        leat_retention_drop(&engine_now, id);
    }
}

static void
look(uint32_t index)
{
    uint32_t held = 0;
    if (leat_job_hold(&engine_now, id_of(index), LEAT_HOLDS_TO_LOOK, &held) != LEAT_OK) {
        return;
    }
    if (leat_job_phase_held(&engine_now, held) == LEAT_PHASE_DEAD) {
        explore_plain_read(&state_now.notes[held], "notes");
        explore_point();
        explore_plain_read(&state_now.notes[held], "notes");
    }
    leat_job_unhold(&engine_now, held);
}

/* It dies again, as by leat_job_end(). */
static void
run(uint32_t index)
{
    const struct leat_change begins = {
        .from = LEAT_PHASE_PENDING, .to = LEAT_PHASE_RUNNING, .clear = LEAT_WORD_LINKED};
    const struct leat_change ends = {
        .from = LEAT_PHASE_RUNNING, .to = LEAT_PHASE_DEAD, .set = LEAT_WORD_LINKED};
    uint64_t before = 0;
    uint64_t after = 0;
    EXPLORE_CHECK(leat_job_change(job_word(index), &begins, &before, &after));
    note(index);
    EXPLORE_CHECK(leat_job_change(job_word(index), &ends, &before, &after));
    leat_retention_put(&engine_now, &engine_now.dead, index);
}

/* Ends: a servant of the model. */
static _Noreturn void
work(void)
{
    for (;;) {
        uint32_t ready = 1;
        if (atom_cas_acq(&state_now.ready[0], &ready, 0)) {
            run(0);
        } else {
            explore_pause();
        }
    }
}

/* What does not suffice: the swap whoever looks; the same without the letter in hand. */
static void
back_wrongly(uint32_t index, bool takes)
{
    const struct leat_change change = {
        .from = LEAT_PHASE_DEAD, .to = LEAT_PHASE_PENDING, .unless = takes ? 0 : LEAT_WORD_HOLDS};
    struct letter letter;
    uint64_t before = 0;
    uint64_t after = 0;
    if (find(&engine_now, id_of(index), &letter) == LEAT_OK &&
        (!takes || leat_book_take(&engine_now.dead, letter.position, letter.id.bits)) &&
        leat_job_change(job_word(index), &change, &before, &after)) {
        renew(&engine_now, index);
        leat_pool_put(&engine_now.pool, 0, 0, leat_item_of(LEAT_KIND_JOB, index));
        brought_back(LEAT_OK);
    }
}

static void
thread(void *argument)
{
    const struct leat_when now = {0};
    enum leat_status status = LEAT_OK;
    (void)argument;
    switch (scenario->steps[explore_thread()]) {
    case STEP_RETRY:
        brought_back(leat_dead_retry(&engine_now, id_of(0), now));
        break;
    case STEP_DELETE:
        status = leat_dead_delete(&engine_now, id_of(0));
        EXPLORE_CHECK(status == LEAT_OK || status == LEAT_BUSY || status == LEAT_GONE);
        break;
    case STEP_AGE:
        age();
        break;
    case STEP_DIE:
        die(1);
        break;
    case STEP_LOOK:
        look(0);
        break;
    case STEP_WORK:
        work();
        break;
    case STEP_HOLDS:
        back_wrongly(0, true);
        break;
    case STEP_BLIND:
        back_wrongly(0, false);
        break;
    case STEP_NONE:
        break;
    }
}

/* ---- all ------------------------------------------------------------------------------------- */

static void
dead_setup(void *argument)
{
    struct leat_slab_config jobs = {
        .capacity = JOBS_MAX, .shards = 1, .record_bytes = sizeof(struct leat_job_record)};
    (void)argument;
    memset(&engine_now, 0, sizeof(engine_now));
    engine_now.memory = explore_memory_table();
    engine_now.pool.queues = &queue_now;
    engine_now.alive = &alive_now;
    atom_init(&alive_now, 1);
    atom_init(&engine_now.state, LEAT_ENGINE_RUNNING);
    explore_ignore(&engine_now.outside.dead_retried);
    EXPLORE_CHECK(leat_book_init(&engine_now.dead, scenario->max, 0));
    EXPLORE_CHECK(leat_slab_init(&engine_now.jobs, &jobs));
    for (uint32_t i = 0; i < scenario->jobs; i++) {
        uint32_t index = 0;
        EXPLORE_CHECK(leat_slab_take(&engine_now.jobs, 0, &index));
        EXPLORE_CHECK(index == i);
        atom_init(&leat_job_record(&engine_now, i)->extra, (void *)NULL);
        if (i < scenario->before) {
            die(i);
        }
    }
}

static void
dead_check(void *argument)
{
    const struct state *state = argument;
    uint32_t placed = 0;
    uint32_t standing = 0;
    for (uint32_t i = 0; i < scenario->jobs; i++) {
        uint64_t word = atom_load_rlx(job_word(i)); /* rlx: not shared yet */
        bool waits = atom_load_rlx(&state->ready[i]) == 1;
        uint32_t places = state->gone[i] + (waits ? 1 : 0);
        EXPLORE_CHECK((word & LEAT_WORD_HOLDS) == 0);
        for (uint32_t j = 0; j < scenario->max; j++) {
            bool here = leat_book_at(&engine_now.dead, j) == id_of(i).bits;
            EXPLORE_CHECK(!here || leat_word_phase(word) == LEAT_PHASE_DEAD);
            places += here ? 1 : 0;
            standing += here ? 1 : 0;
        }
        EXPLORE_CHECK(places == 1);
        EXPLORE_CHECK(!waits || leat_word_phase(word) == LEAT_PHASE_PENDING);
        EXPLORE_CHECK(state->gone[i] == 0 || leat_word_phase(word) == LEAT_PHASE_GONE);
        EXPLORE_CHECK(state->gone[i] == 1 || (word & LEAT_WORD_LINKED) != 0);
        placed += state->placed[i];
    }
    EXPLORE_CHECK(placed == atom_load_rlx(&state->back));
    EXPLORE_CHECK(leat_book_count(&engine_now.dead) == standing);
}

static const struct scenario scenarios[] = {
    {"dead_retry", 1, 1, 1, {STEP_RETRY, STEP_RETRY}, 0, NULL},
    {"dead_delete", 1, 1, 1, {STEP_RETRY, STEP_DELETE}, 0, NULL},
    {"dead_age", 2, 2, 2, {STEP_RETRY, STEP_AGE, STEP_DELETE}, 0, NULL},
    {"dead_full", 1, 1, 2, {STEP_RETRY, STEP_DIE}, 0, NULL},
    {"dead_look", 1, 1, 1, {STEP_RETRY, STEP_LOOK}, 0, NULL},
    {"dead_look_2", 1, 1, 1, {STEP_RETRY, STEP_LOOK, STEP_RETRY}, 3, NULL},
    {"dead_look_full", 1, 1, 2, {STEP_RETRY, STEP_LOOK, STEP_DIE}, 3, NULL},
    {"dead_look_age", 1, 1, 1, {STEP_RETRY, STEP_LOOK, STEP_AGE}, 3, NULL},
    {"dead_runs", 1, 1, 1, {STEP_RETRY, STEP_RETRY, STEP_WORK}, 3, NULL},
    {"dead_runs_look", 1, 1, 1, {STEP_RETRY, STEP_LOOK, STEP_WORK}, 3, NULL},
    {"dead_holds", 1, 1, 1, {STEP_HOLDS, STEP_LOOK}, 0, "data race"},
    {"dead_blind", 1, 1, 1, {STEP_BLIND, STEP_DELETE}, 0, "LEAT_WORD_LINKED"},
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
                                      .setup = dead_setup,
                                      .check = dead_check,
                                      .bounded = scenario->preemptions != 0,
                                      .preemptions = scenario->preemptions,
                                      .fails = scenario->fails};
        for (uint32_t j = 0; j < EXPLORE_THREADS_MAX; j++) {
            model.threads[j] = scenario->steps[j] == STEP_NONE ? NULL : thread;
            model.servants |= (uint8_t)(scenario->steps[j] == STEP_WORK ? 1u << j : 0);
        }
        good = explore(&model, &counts) && good;
    }
    return good ? 0 : 1;
}
