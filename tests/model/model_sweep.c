/* model_sweep.c - the word of engine/sweep.h that says when the next job expires: threads that
 * submit one, while a sweep begins; with C11 memory. A word for each record stands for its word in
 * the slab, and says that it is in use. Holds I1 and the edge expiry:A -> expiry:B.
 *
 * later, sooner   The sweep sees the record, or its time stays in the word, whether an earlier time
 *                 stood there or not.
 * both            The same of two of them.
 * reads           Who only reads an earlier time there is passed over, and nobody comes back.
 */
#include <stdio.h>

#include "engine/sweep.h"
#include "tests/support/explore.h"

#define RECORDS 2
#define SOONER  UINT64_C(5)
#define OTHER   UINT64_C(10) /* of a job that was there before, and has ended */
#define LATER   UINT64_C(20)

struct scenario {
    uint32_t records;
    uint64_t expires_ns[RECORDS];
    bool reads;
};

struct state {
    struct leat_sweep sweep;
    leat_atomic_u32 used[RECORDS];
    bool seen[RECORDS]; /* plain, the sweeper's */
};

static const struct scenario *scenario;
static struct state state_now;

static void
sweep_setup(void *argument)
{
    struct state *state = argument;
    atom_init(&state->sweep.next_ns, OTHER);
}

/* What does not suffice. */
static void
bring_or_read(struct leat_sweep *sweep, uint64_t expires_ns)
{
    /* rlx: hint, re-checked at expiry:A */
    if (!scenario->reads || expires_ns < atom_load_rlx(&sweep->next_ns)) {
        (void)leat_sweep_bring(sweep, expires_ns);
    }
}

static void
submitter(void *argument)
{
    struct state *state = argument;
    uint32_t record = explore_thread() - 1;
    atom_store_rlx(&state->used[record], 1); /* rlx: ordered by expiry:A */
    bring_or_read(&state->sweep, scenario->expires_ns[record]);
}

static void
sweeper(void *argument)
{
    struct state *state = argument;
    leat_sweep_begin(&state->sweep);
    for (uint32_t i = 0; i < scenario->records; i++) {
        state->seen[i] = atom_load_rlx(&state->used[i]) != 0; /* rlx: ordered by expiry:B */
    }
}

static void
sweep_check(void *argument)
{
    const struct state *state = argument;
    uint64_t next_ns = atom_load_rlx(&state->sweep.next_ns); /* rlx: not shared yet */
    for (uint32_t i = 0; i < scenario->records; i++) {
        EXPLORE_CHECK(state->seen[i] || next_ns <= scenario->expires_ns[i]);
    }
}

struct model {
    const char *name;
    struct scenario scenario;
    const char *fails;
};

static const struct model models[] = {
    {"sweep_later", {1, {LATER}, false}, NULL},
    {"sweep_sooner", {1, {SOONER}, false}, NULL},
    {"sweep_both", {2, {LATER, SOONER}, false}, NULL},
    {"sweep_reads", {1, {LATER}, true}, "state->seen[i]"},
};

int
main(void)
{
    bool good = true;
    for (uint32_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        struct explore_counts counts;
        scenario = &models[i].scenario;
        struct explore_model model = {.name = models[i].name,
                                      .state = &state_now,
                                      .state_bytes = sizeof(state_now),
                                      .setup = sweep_setup,
                                      .threads = {sweeper, submitter},
                                      .check = sweep_check,
                                      .fails = models[i].fails};
        model.threads[2] = scenario->records > 1 ? submitter : NULL;
        good = explore(&model, &counts) && good;
    }
    return good ? 0 : 1;
}
