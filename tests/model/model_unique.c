/* model_unique.c - the real engine/unique.c with the swaps of engine/job.c: every interleaving of
 * threads that claim one text, end the job that has it, bring that back from the dead, and free its
 * claim, with C11 memory. The table of claims, which is liburcu's, is here one place, and the words
 * of jobs are changed by the swaps of run.c, dead.c and look.c. What the text protects is plain
 * data, written by each job that is accepted: two at once are a race.
 *
 * ends     the job that has it ends and lets go of its claim, while another one comes; or two.
 * fresh    two come to a text that nobody has; the one is published while the other one waits, and
 *          then joins it, where it does not see old words only.
 * started  a worker begins the job that had the text until then, while one comes that replaces it:
 *          that is never refused.
 * replace  one comes that cancels the job that has it, while a worker takes that; two such.
 * comes    a dead job is brought back, while one comes.
 * timed    a claim whose time is over is put out by the list of such claims and replaced, while
 *          its job's record is given back; one whose time is not over stays.
 * In each, at most one job has the text; who refers to a claim at the end is counted, and what
 * nobody refers to was freed once, behind what the others did with it.
 * Holds I1 and I2 of engine/unique.h, and its edges.
 */
#include <stdio.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "engine/unique.h"
#include "ring/rcu.h"
#include "tests/support/explore.h"

/* Grace periods are those of the table, which frees nothing before. */
static uint64_t now_ns_of(void);
static int list_try(void);
static void list_lock(void);
static void list_unlock(void);
/* They stand for functions. NOLINTBEGIN(readability-identifier-naming) */
#define leat_rcu_enter()              ((void)0)
#define leat_rcu_leave(domain)        ((void)(domain))
#define leat_clocks_now(clocks, kind) ((void)(clocks), (void)(kind), now_ns_of())
#define leat_mutex_lock(mutex)        ((void)(mutex), list_lock())
#define leat_mutex_unlock(mutex)      ((void)(mutex), list_unlock())
#define pthread_mutex_trylock(mutex)  ((void)(mutex), list_try())
/* NOLINTEND(readability-identifier-naming) */

#include "engine/job.c"    /* NOLINT(bugprone-suspicious-include) */
#include "engine/unique.c" /* NOLINT(bugprone-suspicious-include) */

#define JOBS_MAX 3
#define UNTIL_NS UINT64_C(100)

enum step {
    STEP_NONE,
    STEP_COME, /* with `answers` */
    STEP_RUN,  /* a worker: it runs and ends, and its record is given back */
    STEP_BACK, /* it is dead, and is brought back */
    STEP_FREE, /* its record is given back */
    STEP_TIDY
};

struct act {
    enum step step;
    uint32_t job;
};

struct scenario {
    const char *name;
    enum leat_phase phase;        /* of job 0, which has the text; FILLING: nobody has it */
    enum leat_unique_scope scope; /* its */
    enum leat_unique_conflict answers;
    bool over; /* its time */
    struct act acts[EXPLORE_THREADS_MAX];
    uint32_t preemptions; /* 0: any */
    bool sequential;
};

struct list {
    struct leat_claim *first;
    struct leat_claim *last;
    uint32_t timed;
};

struct state {
    struct leat_claim claims[JOBS_MAX + 1]; /* by job; the last: that of job 0, renewed */
    leat_atomic_pointer table;              /* struct leat_table_node */
    leat_atomic_u32 listed;                 /* 1: a thread has the list of claims with a time */
    leat_atomic_u64 words[JOBS_MAX];
    uint32_t guarded;             /* plain */
    struct list list;             /* plain: as the engine has it while nobody is at it */
    uint32_t freed[JOBS_MAX + 1]; /* plain, by who frees it */
    bool back;
};

static struct state state_now;
static struct leat_engine engine_now; /* but for its list of claims never written but in setup */
static const struct scenario *scenario;

static leat_job_id
id_of(uint32_t job)
{
    const leat_job_id id = {leat_word_of(1, job)};
    return id;
}

static uint64_t
now_ns_of(void)
{
    return scenario->over ? UNTIL_NS : UNTIL_NS - 1;
}

/* ---- the list's mutex ------------------------------------------------------------------------ */

static int
list_try(void)
{
    uint32_t nobody = 0;
    if (!atom_cas_acq(&state_now.listed, &nobody, 1)) {
        return 1;
    }
    explore_plain_write(&engine_now.claims, "list");
    return 0;
}

static void
list_lock(void)
{
    while (list_try() != 0) {
        explore_pause();
    }
}

static void
list_unlock(void)
{
    state_now.list.first = engine_now.claims.first;
    state_now.list.last = engine_now.claims.last;
    state_now.list.timed = engine_now.claims.timed;
    atom_store_rel(&state_now.listed, 0);
}

/* ---- the table of one place ------------------------------------------------------------------ */

struct leat_table_node *
leat_table_find(const struct leat_table *table, const void *key, size_t key_bytes)
{
    (void)table;
    (void)key;
    (void)key_bytes;
    return atom_load_acq(&state_now.table);
}

struct leat_table_node *
leat_table_add(struct leat_table *table, struct leat_table_node *node)
{
    void *none = NULL;
    (void)table;
    return atom_cas_acq_rel(&state_now.table, &none, (void *)node) ? node : none;
}

static bool
taken_out(struct leat_table_node *old, struct leat_table_node *node)
{
    void *there = old;
    bool taken = atom_cas_acq_rel(&state_now.table, &there, (void *)node);
    if (taken) {
        explore_plain_read(old, "claim");
    }
    return taken;
}

bool
leat_table_replace(struct leat_table *table, struct leat_table_node *old,
                   struct leat_table_node *node)
{
    (void)table;
    return taken_out(old, node);
}

bool
leat_table_remove(struct leat_table *table, struct leat_table_node *node)
{
    (void)table;
    return taken_out(node, NULL);
}

void
leat_table_free(struct leat_table *table, struct leat_table_node *node)
{
    size_t number = (size_t)((struct leat_claim *)(void *)node - state_now.claims);
    (void)table;
    explore_plain_write(node, "claim");
    EXPLORE_CHECK(state_now.freed[number] == 0);
    state_now.freed[number] = 1;
}

/* Never added, so nobody else knows it. */
void
leat_table_unmake(const struct leat_table *table, struct leat_table_node *node)
{
    (void)table;
    leat_table_free(NULL, node);
}

bool
leat_table_untidy(const struct leat_table *table)
{
    (void)table;
    return false;
}

/* ---- what the engine has elsewhere ----------------------------------------------------------- */

bool
leat_job_word_of(const struct leat_engine *engine, leat_job_id id, uint64_t *word)
{
    (void)engine;
    *word = atom_load_acq(&state_now.words[id.bits & LEAT_INDEX_NONE]);
    return true;
}

/* As it is: a job that waits is cancelled. */
bool
leat_job_purge(struct leat_engine *engine, leat_job_id id)
{
    const struct leat_change change = {.from = LEAT_PHASE_PENDING, .to = LEAT_PHASE_CANCELLED};
    uint64_t before = 0;
    uint64_t after = 0;
    (void)engine;
    return leat_job_change(&state_now.words[id.bits & LEAT_INDEX_NONE], &change, &before, &after);
}

/* The attempts of one that waits are not to be known here: it counts as waiting. */
enum leat_status
leat_job_hold(struct leat_engine *engine, leat_job_id id, uint32_t most, uint32_t *index)
{
    (void)engine;
    (void)id;
    (void)most;
    (void)index;
    return LEAT_BUSY;
}

/* ---- what these scenarios do not come to ----------------------------------------------------- */

#define NEVER(head)                                                                                \
    head                                                                                           \
    {                                                                                              \
        explore_fail(#head, __FILE__, __LINE__);                                                   \
    }
#define UNUSED __attribute__((unused))

NEVER(void leat_job_unhold(UNUSED struct leat_engine *engine, UNUSED uint32_t index))
NEVER(bool leat_job_live(UNUSED const struct leat_engine *engine, UNUSED leat_job_id id))
NEVER(void leat_durable_unheld(UNUSED struct leat_engine *engine, UNUSED uint32_t bytes))
NEVER(enum leat_status leat_reschedule(UNUSED struct leat_engine *engine, UNUSED leat_job_id id,
                                       UNUSED struct leat_when when))
NEVER(void *leat_table_make(UNUSED const struct leat_table *table, UNUSED size_t bytes,
                            UNUSED const void *key, UNUSED size_t key_bytes))
NEVER(void leat_table_tidy(UNUSED struct leat_table *table))
NEVER(bool leat_table_init(UNUSED struct leat_table *table, UNUSED const struct leat_memory *memory,
                           UNUSED void *domain))
NEVER(void leat_table_fini(UNUSED struct leat_table *table))
NEVER(bool leat_table_check(UNUSED const struct leat_table *table, UNUSED FILE *why))

/* ---- threads --------------------------------------------------------------------------------- */

/* What a handler does while its job has the text. */
static void
guard(void)
{
    explore_plain_write(&state_now.guarded, "guarded");
    state_now.guarded++;
}

static bool
change(uint32_t job, enum leat_phase from, enum leat_phase to)
{
    const uint64_t attempt = to == LEAT_PHASE_RUNNING ? leat_word_attempt(1) : 0;
    const struct leat_change change = {.from = from, .to = to, .set = attempt};
    uint64_t before = 0;
    uint64_t after = 0;
    return leat_job_change(&state_now.words[job], &change, &before, &after);
}

static void
let_go(uint32_t claim)
{
    explore_plain_read(&state_now.claims[claim], "claim");
    leat_claim_free(&engine_now, &state_now.claims[claim]);
}

/* Where it waits yet. A cancelled one is let go of here, too. */
static void
run(uint32_t job, uint32_t claim)
{
    if (change(job, LEAT_PHASE_PENDING, LEAT_PHASE_RUNNING)) {
        if (scenario->scope != LEAT_UNIQUE_UNTIL_STARTED) {
            guard();
        }
        EXPLORE_CHECK(change(job, LEAT_PHASE_RUNNING, LEAT_PHASE_COMPLETED));
    }
    let_go(claim);
}

static void
come(uint32_t job)
{
    leat_job_id id = {0};
    enum leat_status status = leat_claim_take(&engine_now, &state_now.claims[job], &id);
    enum leat_status refusal =
        scenario->answers == LEAT_UNIQUE_EXISTING ? LEAT_JOINED : LEAT_EXISTS;
    /* It looked again and again, and each time at the word from before. */
    bool busy = scenario->answers != LEAT_UNIQUE_REJECT && !scenario->sequential;
    EXPLORE_CHECK(status == LEAT_OK || status == refusal || (busy && status == LEAT_BUSY));
    EXPLORE_CHECK(status == LEAT_OK || scenario->scope != LEAT_UNIQUE_UNTIL_STARTED);
    if (status == LEAT_OK) {
        atom_store_rel(&state_now.words[job], leat_word_of(1, 0) | LEAT_PHASE_PENDING);
        run(job, job);
    } else {
        let_go(job);
    }
}

/* As dead.c does it. */
static void
bring_back(void)
{
    struct leat_claim *renewed = &state_now.claims[JOBS_MAX];
    leat_job_id id = {0};
    if (leat_claim_take(&engine_now, renewed, &id) == LEAT_OK) {
        let_go(0);
        state_now.back = true;
        EXPLORE_CHECK(change(0, LEAT_PHASE_DEAD, LEAT_PHASE_PENDING));
        leat_claim_renewed(renewed);
        run(0, JOBS_MAX);
    } else {
        let_go(JOBS_MAX);
    }
}

static void
thread(void *argument)
{
    const struct act act = scenario->acts[explore_thread()];
    (void)argument;
    switch (act.step) {
    case STEP_COME:
        come(act.job);
        break;
    case STEP_RUN:
        run(act.job, act.job);
        break;
    case STEP_BACK:
        bring_back();
        break;
    case STEP_FREE:
        let_go(act.job);
        break;
    case STEP_TIDY:
        leat_claims_tidy(&engine_now);
        break;
    case STEP_NONE:
        break;
    }
}

/* ---- all ------------------------------------------------------------------------------------- */

static void
unique_setup(void *argument)
{
    struct state *state = argument;
    leat_job_id id = {0};
    memset(&engine_now.claims, 0, sizeof(engine_now.claims));
    for (uint32_t i = 0; i <= JOBS_MAX; i++) {
        state->claims[i].id = id_of(i % JOBS_MAX);
        state->claims[i].scope = LEAT_UNIQUE_UNTIL_FINISHED;
        state->claims[i].answers = scenario->answers;
    }
    state->claims[0].scope = scenario->scope;
    state->claims[0].until_ns = UNTIL_NS;
    atom_init(&state->claims[JOBS_MAX].comes, 1);
    for (uint32_t i = 0; i < JOBS_MAX; i++) {
        atom_init(&state->words[i], leat_word_of(1, 0) | LEAT_PHASE_FILLING);
    }
    if (scenario->phase != LEAT_PHASE_FILLING) {
        (void)leat_claim_take(&engine_now, &state->claims[0], &id);
        atom_init(&state->words[0], leat_word_of(1, 0) | scenario->phase);
    }
}

/* What stays is the claim of a job that is dead yet, and one whose time is not over. */
static void
unique_check(void *argument)
{
    const struct state *state = argument;
    const void *there = atom_load_rlx(&state->table);
    const bool listed = state->list.timed != 0;
    uint32_t kept = listed ? 2 : 0;
    for (uint32_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        const struct act act = scenario->acts[i];
        EXPLORE_CHECK(act.step != STEP_COME || state->freed[act.job] == 1);
        EXPLORE_CHECK(act.step != STEP_BACK || state->freed[JOBS_MAX] == 1);
        EXPLORE_CHECK(act.step != STEP_TIDY || listed == !scenario->over);
        kept += act.step == STEP_BACK && !state->back ? 1 : 0;
    }
    EXPLORE_CHECK(there == (listed ? &state->claims[0] : NULL));
    EXPLORE_CHECK(atom_load_rlx(&state->claims[0].references) == kept);
    EXPLORE_CHECK(scenario->phase == LEAT_PHASE_FILLING || state->freed[0] == (kept == 0 ? 1 : 0));
}

#define COME(number)                                                                               \
    {                                                                                              \
        STEP_COME, number                                                                          \
    }
#define RUN(number)                                                                                \
    {                                                                                              \
        STEP_RUN, number                                                                           \
    }
#define BACK                                                                                       \
    {                                                                                              \
        STEP_BACK, 0                                                                               \
    }
#define FREE                                                                                       \
    {                                                                                              \
        STEP_FREE, 0                                                                               \
    }
#define TIDY                                                                                       \
    {                                                                                              \
        STEP_TIDY, 0                                                                               \
    }

static const struct scenario scenarios[] = {
    {.name = "unique_ends", .phase = LEAT_PHASE_PENDING, .acts = {RUN(0), COME(1)}},
    {.name = "unique_ends_2",
     .phase = LEAT_PHASE_PENDING,
     .acts = {RUN(0), COME(1), COME(2)},
     .preemptions = 2},
    {.name = "unique_fresh", .acts = {COME(1), COME(2)}},
    {.name = "unique_fresh_joins",
     .answers = LEAT_UNIQUE_EXISTING,
     .acts = {COME(1), COME(2)},
     .sequential = true},
    {.name = "unique_started",
     .phase = LEAT_PHASE_PENDING,
     .scope = LEAT_UNIQUE_UNTIL_STARTED,
     .answers = LEAT_UNIQUE_REPLACE,
     .acts = {RUN(0), COME(1)}},
    {.name = "unique_replace",
     .phase = LEAT_PHASE_PENDING,
     .answers = LEAT_UNIQUE_REPLACE,
     .acts = {RUN(0), COME(1)}},
    {.name = "unique_replace_2",
     .phase = LEAT_PHASE_PENDING,
     .answers = LEAT_UNIQUE_REPLACE,
     .acts = {RUN(0), COME(1), COME(2)},
     .preemptions = 1},
    {.name = "unique_fresh_replace", .answers = LEAT_UNIQUE_REPLACE, .acts = {COME(1), COME(2)}},
    {.name = "unique_comes", .phase = LEAT_PHASE_DEAD, .acts = {BACK, COME(1)}},
    {.name = "unique_timed",
     .phase = LEAT_PHASE_COMPLETED,
     .scope = LEAT_UNIQUE_FOR_TIME,
     .over = true,
     .acts = {FREE, TIDY}},
    {.name = "unique_timed_comes",
     .phase = LEAT_PHASE_COMPLETED,
     .scope = LEAT_UNIQUE_FOR_TIME,
     .over = true,
     .acts = {FREE, TIDY, COME(1)},
     .preemptions = 2},
    {.name = "unique_timed_early",
     .phase = LEAT_PHASE_COMPLETED,
     .scope = LEAT_UNIQUE_FOR_TIME,
     .acts = {FREE, TIDY, TIDY}},
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
                                      .setup = unique_setup,
                                      .check = unique_check,
                                      .sequential = scenario->sequential,
                                      .bounded = scenario->preemptions != 0,
                                      .preemptions = scenario->preemptions};
        for (uint32_t j = 0; j < EXPLORE_THREADS_MAX; j++) {
            model.threads[j] = scenario->acts[j].step == STEP_NONE ? NULL : thread;
        }
        good = explore(&model, &counts) && good;
    }
    return good ? 0 : 1;
}
