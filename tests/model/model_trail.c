/* model_trail.c - the real engine/trail.c with the swaps of engine/job.c: every interleaving of
 * threads that drop the oldest job of a queue, put one off that comes back, bring one that has
 * waited for others, run one, and add one, with C11 memory.
 *
 * comes    a job that waited for others comes to its queue while one is to be dropped: it stays.
 * runs     a worker takes the oldest job while one is to be dropped: each takes another one.
 * two      two threads drop: not the same one.
 * adds     one is added while one is to be dropped.
 * In each, as many are counted as were dropped, and who says that one was dropped has dropped it.
 */
#include <stdio.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "engine/trail.h"
#include "tests/support/explore.h"

static void lock(void);
static void unlock(void);
/* They stand for functions. NOLINTBEGIN(readability-identifier-naming) */
#define leat_mutex_lock(mutex)   ((void)(mutex), lock())
#define leat_mutex_unlock(mutex) ((void)(mutex), unlock())
/* NOLINTEND(readability-identifier-naming) */

#include "engine/job.c"   /* NOLINT(bugprone-suspicious-include) */
#include "engine/trail.c" /* NOLINT(bugprone-suspicious-include) */

#define JOBS_MAX 3

enum step { STEP_NONE, STEP_DROP, STEP_RUN, STEP_COME, STEP_ADD };

struct scenario {
    const char *name;
    enum leat_phase first;                /* of job 0 */
    enum step steps[EXPLORE_THREADS_MAX]; /* of job 0; who adds does so with the last one */
    uint32_t before;                      /* jobs that stand on the trail */
    uint32_t dropped;                     /* at the end */
};

struct state {
    leat_atomic_u32 locked;
    uint32_t inside;           /* plain: under the lock */
    struct leat_trail_row row; /* plain: as it is while nobody has the lock */
    uint32_t said[EXPLORE_THREADS_MAX];
    uint32_t ran;
};

static struct state state_now;
static struct leat_engine engine_now; /* never written but in setup */
static struct leat_trail *trail_now;
static const struct scenario *scenario;

static leat_atomic_u64 *
job_word(uint32_t index)
{
    return leat_slab_word(&engine_now.jobs, index);
}

static leat_job_id
id_of(uint32_t index)
{
    const leat_job_id id = {
        leat_word_of(leat_word_generation(atom_load_rlx(job_word(index))), index)};
    return id;
}

/* ---- the lock -------------------------------------------------------------------------------- */

static void
lock(void)
{
    uint32_t nobody = 0;
    while (!atom_cas_acq(&state_now.locked, &nobody, 1)) {
        nobody = 0;
        explore_pause();
    }
    explore_plain_write(&state_now.inside, "trail");
}

static void
unlock(void)
{
    state_now.row = trail_now->rows[0];
    atom_store_rel(&state_now.locked, 0);
}

/* ---- what the engine has elsewhere ----------------------------------------------------------- */

/* As it is, of records that are not used again. */
enum leat_status
leat_word_judge(uint64_t word, leat_job_id id)
{
    (void)id;
    return leat_word_phase(word) == LEAT_PHASE_GONE ? LEAT_GONE : LEAT_OK;
}

static bool
change(uint32_t index, enum leat_phase from, enum leat_phase to)
{
    const struct leat_change change = {.from = from, .to = to};
    uint64_t before = 0;
    uint64_t after = 0;
    return leat_job_change(job_word(index), &change, &before, &after);
}

bool
leat_job_drop(struct leat_engine *engine, leat_job_id id)
{
    uint32_t index = (uint32_t)(id.bits & LEAT_INDEX_NONE);
    bool drops = change(index, LEAT_PHASE_PENDING, LEAT_PHASE_CANCELLED);
    /* What came meanwhile is dropped all the same, if it was waited for as it is: not this one. */
    EXPLORE_CHECK(!drops || !leat_job_put_off(leat_job_record(engine, index)));
    return drops;
}

struct leat_stand
leat_queue_stand(const struct leat_job_record *record)
{
    (void)record;
    explore_fail("nobody looks", __FILE__, __LINE__);
}

/* ---- threads --------------------------------------------------------------------------------- */

static void
thread(void *argument)
{
    struct state *state = argument;
    switch (scenario->steps[explore_thread()]) {
    case STEP_DROP:
        state->said[explore_thread()] = leat_trail_drop(&engine_now, trail_now, 0) ? 1 : 0;
        break;
    case STEP_RUN:
        state->ran = change(0, LEAT_PHASE_PENDING, LEAT_PHASE_RUNNING) ? 1 : 0;
        break;
    case STEP_COME:
        leat_job_set_put_off(leat_job_record(&engine_now, 0));
        EXPLORE_CHECK(change(0, LEAT_PHASE_BLOCKED, LEAT_PHASE_PENDING));
        break;
    case STEP_ADD:
        leat_trail_add(&engine_now, trail_now, 0, id_of(JOBS_MAX - 1));
        break;
    case STEP_NONE:
        break;
    }
}

/* ---- all ------------------------------------------------------------------------------------- */

static void
trail_setup(void *argument)
{
    struct leat_slab_config jobs = {
        .capacity = JOBS_MAX, .shards = 1, .record_bytes = sizeof(struct leat_job_record)};
    (void)argument;
    memset(&engine_now, 0, sizeof(engine_now));
    engine_now.memory = explore_memory_table();
    EXPLORE_CHECK(leat_slab_init(&engine_now.jobs, &jobs));
    trail_now = leat_trail_create(&engine_now);
    for (uint32_t i = 0; i < JOBS_MAX; i++) {
        uint32_t index = 0;
        EXPLORE_CHECK(leat_slab_take(&engine_now.jobs, 0, &index));
        EXPLORE_CHECK(index == i);
        atom_init(&leat_job_record(&engine_now, i)->priority, (uint8_t)0);
        uint64_t word = leat_word_of(leat_word_generation(atom_load_rlx(job_word(i))), 0);
        atom_init(job_word(i),
                  word | LEAT_WORD_LINKED | (i == 0 ? scenario->first : LEAT_PHASE_PENDING));
        if (i < scenario->before) {
            leat_trail_add(&engine_now, trail_now, 0, id_of(i));
        }
    }
}

static void
trail_check(void *argument)
{
    const struct state *state = argument;
    uint32_t dropped = 0;
    uint32_t said = 0;
    for (uint32_t i = 0; i < JOBS_MAX; i++) {
        dropped += leat_word_phase(atom_load_rlx(job_word(i))) == LEAT_PHASE_CANCELLED ? 1 : 0;
    }
    for (uint32_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        said += state->said[i];
    }
    EXPLORE_CHECK(dropped <= scenario->dropped);
    EXPLORE_CHECK(dropped == scenario->dropped || scenario->steps[2] == STEP_ADD);
    EXPLORE_CHECK(said == dropped);
    EXPLORE_CHECK(atom_load_rlx(&trail_now->dropped) == dropped);
}

static const struct scenario scenarios[] = {
    {"trail_comes", LEAT_PHASE_BLOCKED, {STEP_COME, STEP_DROP}, 1, 0},
    {"trail_comes_adds", LEAT_PHASE_BLOCKED, {STEP_COME, STEP_DROP, STEP_ADD}, 1, 1},
    {"trail_runs", LEAT_PHASE_PENDING, {STEP_RUN, STEP_DROP}, 2, 1},
    {"trail_two", LEAT_PHASE_PENDING, {STEP_DROP, STEP_DROP}, 2, 2},
    {"trail_adds", LEAT_PHASE_PENDING, {STEP_DROP, STEP_ADD, STEP_DROP}, 2, 2},
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
                                      .setup = trail_setup,
                                      .check = trail_check};
        for (uint32_t j = 0; j < EXPLORE_THREADS_MAX; j++) {
            model.threads[j] = scenario->steps[j] == STEP_NONE ? NULL : thread;
        }
        good = explore(&model, &counts) && good;
    }
    return good ? 0 : 1;
}
