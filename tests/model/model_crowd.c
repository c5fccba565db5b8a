/* model_crowd.c - the real engine/crowd.h: every interleaving of threads that end jobs and ring,
 * and of threads that wait for them, with C11 memory. The word of a job is as weak as can be, a
 * relaxed store, so what orders anything is the crowd. Holds I1: a ring that is lost is a thread
 * that sleeps beside the end it waits for.
 *
 * any      Whoever waits for one of the jobs is woken by the end of either.
 * each     It waits again, for the next one, until it has seen all.
 * frozen   A thread stops for ever behind its first step and before its call: the next ring wakes,
 *          also those who slept when it stopped.
 * reads    What does not suffice: a ring that only reads whether somebody waits.
 * late     Nor does this: to enter behind the look.
 */
#include <stdio.h>

#include "engine/crowd.h"
#include "tests/support/explore.h"

#define JOBS 2

enum fault { NOTHING, FROZEN, READS, LATE };

struct scenario {
    uint32_t waiters; /* the first threads */
    uint32_t needs;   /* ends that each of them wants to see */
    uint32_t share;   /* jobs of each other thread */
    enum fault fault;
};

struct state {
    struct leat_crowd crowd;
    leat_atomic_u32 ended[JOBS];
    leat_atomic_u32 never; /* a futex that nobody wakes */
    uint32_t result[JOBS]; /* plain */
};

static const struct scenario *scenario;
static struct state state_now;

/* As leat_crowd_ring(), but for what is wrong with it. */
static void
ring(struct state *state)
{
    struct leat_crowd *crowd = &state->crowd;
    if (scenario->fault == FROZEN && explore_thread() == scenario->waiters) {
        (void)atom_add_rel(&crowd->rings, 1);
        leat_os_futex_wait(&state->never, 0, UINT64_MAX);
    } else if (scenario->fault == READS) {
        (void)atom_add_rel(&crowd->rings, 1);
        if (atom_load_acq(&crowd->waiting) != 0) {
            leat_os_futex_wake(&crowd->rings, UINT32_MAX);
        }
    } else {
        leat_crowd_ring(crowd);
    }
}

static void
end_jobs(void *argument)
{
    struct state *state = argument;
    uint32_t first = (explore_thread() - scenario->waiters) * scenario->share;
    for (uint32_t i = first; i < first + scenario->share; i++) {
        explore_plain_write(&state->result[i], "result");
        state->result[i] = i + 1;
        atom_store_rlx(&state->ended[i], 1); /* rlx: ordered by crowd:B, crowd:D */
        ring(state);
    }
}

/* How many have ended. */
static uint32_t
look(struct state *state)
{
    uint32_t seen = 0;
    for (uint32_t i = 0; i < JOBS; i++) {
        if (atom_load_rlx(&state->ended[i]) != 0) { /* rlx: ordered by crowd:A, crowd:C */
            seen++;
        }
    }
    return seen;
}

static void
wait_jobs(void *argument)
{
    struct state *state = argument;
    bool late = scenario->fault == LATE;
    if (!late) {
        leat_crowd_enter(&state->crowd);
    }
    uint32_t heard = leat_crowd_listen(&state->crowd);
    while (look(state) < scenario->needs) {
        if (late) {
            leat_crowd_enter(&state->crowd);
            heard = leat_crowd_listen(&state->crowd);
        }
        leat_os_futex_wait(&state->crowd.rings, heard, UINT64_MAX);
        heard = leat_crowd_listen(&state->crowd);
    }
    leat_crowd_leave(&state->crowd);
}

static void
crowd_check(void *argument)
{
    struct state *state = argument;
    for (uint32_t i = 0; i < JOBS; i++) {
        EXPLORE_CHECK(atom_load_rlx(&state->ended[i]) == 1 && state->result[i] == i + 1);
    }
}

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

static const struct model models[] = {
    {.scenario = {.waiters = 1, .needs = 1, .share = 1},
     .explore = {.name = "crowd_any", .threads = {wait_jobs, end_jobs, end_jobs}, .spurious = 1}},
    {.scenario = {.waiters = 2, .needs = 1, .share = 2},
     .explore = {.name = "crowd_any_2", .threads = {wait_jobs, wait_jobs, end_jobs}}},
    {.scenario = {.waiters = 1, .needs = 2, .share = 1},
     .explore = {.name = "crowd_each", .threads = {wait_jobs, end_jobs, end_jobs}, .spurious = 1}},
    {.scenario = {.waiters = 2, .needs = 2, .share = 1},
     .explore = {.name = "crowd_each_2",
                 .threads = {wait_jobs, wait_jobs, end_jobs, end_jobs},
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.waiters = 1, .needs = 1, .share = 1, .fault = FROZEN},
     .explore = {.name = "crowd_frozen",
                 .threads = {wait_jobs, end_jobs, end_jobs},
                 .servants = 2}},
    {.scenario = {.waiters = 1, .needs = 1, .share = 2, .fault = READS},
     .explore = {.name = "crowd_reads", .threads = {wait_jobs, end_jobs}, .fails = "deadlock"}},
    {.scenario = {.waiters = 1, .needs = 2, .share = 2, .fault = LATE},
     .explore = {.name = "crowd_late", .threads = {wait_jobs, end_jobs}, .fails = "deadlock"}},
};

int
main(void)
{
    uint32_t wrong = 0;
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        struct explore_model model = models[i].explore;
        struct explore_counts counts;
        scenario = &models[i].scenario;
        model.state = &state_now;
        model.state_bytes = sizeof(state_now);
        model.check = crowd_check;
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
