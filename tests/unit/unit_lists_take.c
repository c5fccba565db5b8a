/* unit_lists_take.c - leat_lists_take() on a list of its own: what it is given, what it drops, how
 * much of it one hold moves. Holds I1 to I4 of sched/lists.h. */
#include <stdlib.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"

#define JOBS  512
#define LEVEL 4 /* the default priority's */

static struct leat_outcome
nothing(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

struct taken {
    struct leat_engine *engine;
    uint32_t wanted;
    uint32_t count;
    uint32_t indices[JOBS];
};

static bool
take_one(void *context, uint32_t index)
{
    struct taken *taken = context;
    uint64_t word = atom_load_rlx(leat_slab_word(&taken->engine->jobs, index)); /* rlx: statistic */
    CHECK_EQUAL(leat_word_phase(word), LEAT_PHASE_PENDING);
    if (taken->count == taken->wanted) {
        return false;
    }
    taken->indices[taken->count++] = index;
    return true;
}

static enum leat_taken
take_some(struct taken *taken)
{
    const struct leat_taker taker = {take_one, taken};
    return leat_lists_take(&taken->engine->pool, LEVEL, 0, &taker);
}

/* As many as one hold moves, whether they are given or dropped; and what is not dealt yet is not
 * taken for nothing. */
static void
a_hold_takes_so_many(void **state)
{
    (void)state;
    enum { RING = 64, MOVES = LEAT_ADMIT_MOVES, LISTED = 4 * MOVES + 1 };
    static leat_job_id ids[RING + LISTED];
    struct leat_config config = test_config();
    struct taken *taken = calloc(1, sizeof(*taken));
    CHECK(taken != NULL);
    config.jobs_max = JOBS;
    config.workers = 0;
    taken->engine = test_open(&config);
    leat_type type = test_register(taken->engine, "any", nothing, NULL);
    for (uint32_t i = 0; i < RING + LISTED; i++) {
        ids[i] = test_submit(taken->engine, type);
    }
    CHECK_EQUAL(take_some(taken), LEAT_TAKEN_PART); /* nothing is dealt yet */
    CHECK_EQUAL(taken->engine->pool.lists[LEVEL].lists[0].jobs.count, 0);
    while (take_some(taken) == LEAT_TAKEN_PART) {
        test_engine_check(taken->engine);
    }
    CHECK_EQUAL(taken->count, 0);
    for (uint32_t i = RING; i < RING + MOVES; i++) {
        CHECK_OK(leat_cancel(taken->engine, ids[i]));
    }
    taken->wanted = LISTED;
    CHECK_EQUAL(take_some(taken), LEAT_TAKEN_PART);
    CHECK_EQUAL(taken->count, 0);
    for (uint32_t i = 1; i <= 3; i++) {
        CHECK_EQUAL(take_some(taken), LEAT_TAKEN_PART);
        CHECK_EQUAL(taken->count, i * MOVES);
    }
    CHECK_EQUAL(take_some(taken), LEAT_TAKEN_ALL);
    CHECK_EQUAL(taken->count, LISTED - MOVES);
    for (uint32_t i = 0; i < taken->count; i++) {
        leat_pool_put(&taken->engine->pool, LEVEL, 0,
                      leat_item_of(LEAT_KIND_JOB, taken->indices[i]));
    }
    test_close(taken->engine);
    free(taken);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hold_takes_so_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
