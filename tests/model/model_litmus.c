/* model_litmus.c - the explorer against small programs whose verdicts in C11 are known: it must
 * find each outcome that is allowed, and none that is forbidden. This is what the other models
 * rest on.
 *
 * Each program is a line of text, see litmus.h. The verdicts are those of C++20, which repaired the
 * seq_cst of C11; litmus_table.c has the table, litmus_oracle.py the definition. Then come mutual
 * exclusion, locks, waiting and choices, written in C.
 *
 * With programs on the command line it prints every outcome that it finds instead:
 *   model_litmus 'x=1 F.sc a=y' 'y=1 F.sc b=x'
 */
#include <stdio.h>
#include <string.h>

#include "ring/os.h"
#include "tests/model/litmus.h"
#include "tests/support/explore.h"

/* ---- locks ---------------------------------------------------------------------------------- */

struct lock_state {
    leat_atomic_u32 flags[2];
    leat_atomic_u32 turn;
    int counter;
    bool weak;
};

static struct lock_state lock_state;

static void
critical(struct lock_state *state)
{
    explore_plain_read(&state->counter, "counter");
    int before = state->counter;
    explore_plain_write(&state->counter, "counter");
    state->counter = before + 1;
}

static void
counter_check(void *argument)
{
    struct lock_state *state = argument;
    EXPLORE_CHECK(state->counter == 2);
}

/* Peterson's algorithm. Its stores and loads must be sequentially consistent. */
static void
peterson_thread(void *argument)
{
    struct lock_state *state = argument;
    uint32_t self = explore_thread();
    enum leat_model_order store = state->weak ? LEAT_MODEL_RELEASE : LEAT_MODEL_SC;
    enum leat_model_order load = state->weak ? LEAT_MODEL_ACQUIRE : LEAT_MODEL_SC;
    leat_model_store(LEAT_MODEL_WORD(&state->flags[self]), 1, store);
    leat_model_store(LEAT_MODEL_WORD(&state->turn), 1 - self, store);
    while (leat_model_load(LEAT_MODEL_WORD(&state->flags[1 - self]), load) == 1 &&
           leat_model_load(LEAT_MODEL_WORD(&state->turn), load) == 1 - self) {
        leat_pause();
    }
    critical(state);
    leat_model_store(LEAT_MODEL_WORD(&state->flags[self]), 0, store);
}

static void
weak_setup(void *argument)
{
    struct lock_state *state = argument;
    state->weak = true;
}

/* One word, taken by a swap. Two compare-and-swap loops meet in it. */
static void
spinlock_thread(void *argument)
{
    struct lock_state *state = argument;
    uint32_t free = 0;
    while (state->weak ? !atom_cas_rlx(&state->turn, &free, 1)
                       : !atom_cas_acq_rel(&state->turn, &free, 1)) {
        free = 0;
        leat_pause();
    }
    critical(state);
    atom_store_rel(&state->turn, 0);
}

/* A lock that sleeps: 0 free, 1 taken, 2 taken and somebody may sleep. */
static void
mutex_thread(void *argument)
{
    struct lock_state *state = argument;
    uint32_t seen = 0;
    if (!atom_cas_acq_rel(&state->turn, &seen, 1)) {
        while (atom_swap_acq_rel(&state->turn, 2) != 0) {
            leat_os_futex_wait(&state->turn, 2, UINT64_MAX);
        }
    }
    critical(state);
    uint32_t before = atom_swap_acq_rel(&state->turn, 0);
    if (before == 2 && !state->weak) {
        leat_os_futex_wake(&state->turn, 1);
    }
}

static const struct explore_model locks[] = {
    {.name = "litmus_peterson_sc",
     .threads = {peterson_thread, peterson_thread},
     .check = counter_check},
    {.name = "litmus_peterson_acq_rel",
     .threads = {peterson_thread, peterson_thread},
     .setup = weak_setup,
     .fails = "data race"},
    {.name = "litmus_spinlock",
     .threads = {spinlock_thread, spinlock_thread},
     .check = counter_check},
    {.name = "litmus_spinlock_relaxed",
     .threads = {spinlock_thread, spinlock_thread},
     .setup = weak_setup,
     .fails = "data race"},
    {.name = "litmus_mutex",
     .threads = {mutex_thread, mutex_thread},
     .check = counter_check,
     .spurious = 1},
    {.name = "litmus_mutex_no_wake",
     .threads = {mutex_thread, mutex_thread},
     .setup = weak_setup,
     .fails = "deadlock"},
};

/* ---- waiting -------------------------------------------------------------------------------- */

struct wait_state {
    leat_atomic_u32 word;
};

static struct wait_state wait_state;

static void
raise_thread(void *argument)
{
    struct wait_state *state = argument;
    atom_store_rel(&state->word, 1);
}

static void
await_thread(void *argument)
{
    struct wait_state *state = argument;
    while (atom_load_acq(&state->word) == 0) {
        leat_pause();
    }
}

/* Without a pause: that it ends shows in the states, which come back. */
static void
spin_thread(void *argument)
{
    struct wait_state *state = argument;
    while (atom_load_acq(&state->word) == 0) {
    }
}

static void
look_thread(void *argument)
{
    struct wait_state *state = argument;
    (void)atom_load_acq(&state->word);
}

static const struct explore_model waits[] = {
    {.name = "litmus_await", .threads = {raise_thread, await_thread}},
    {.name = "litmus_await_nobody", .threads = {look_thread, await_thread}, .fails = "deadlock"},
    {.name = "litmus_spin", .threads = {raise_thread, spin_thread}},
    {.name = "litmus_spin_nobody", .threads = {look_thread, spin_thread}, .fails = "circle"},
};

/* ---- choices -------------------------------------------------------------------------------- */

struct choice_state {
    uint32_t chosen;
    uint32_t order[2]; /* plain, touched at points only */
    uint32_t reached;
};

static struct choice_state choice_state;

static void
choose_thread(void *argument)
{
    struct choice_state *state = argument;
    state->chosen = explore_choose(3);
}

static void
chosen_check(void *argument)
{
    struct choice_state *state = argument;
    EXPLORE_CHECK(state->chosen != 2);
}

static void
point_thread(void *argument)
{
    struct choice_state *state = argument;
    explore_point();
    state->order[state->reached] = explore_thread();
    state->reached++;
}

static void
order_check(void *argument)
{
    struct choice_state *state = argument;
    EXPLORE_CHECK(state->reached == 2);
    EXPLORE_CHECK(state->order[0] == 0);
}

static const struct explore_model choices[] = {
    {.name = "litmus_choose",
     .threads = {choose_thread},
     .check = chosen_check,
     .fails = "state->chosen != 2"},
    {.name = "litmus_points",
     .threads = {point_thread, point_thread},
     .check = order_check,
     .fails = "state->order[0] == 0"},
};

/* ---- all ------------------------------------------------------------------------------------ */

/* Runs models over one state. Returns how many went wrong. */
static uint32_t
models_run(const struct explore_model *models, size_t count, void *state, size_t bytes)
{
    uint32_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        struct explore_model model = models[i];
        struct explore_counts counts;
        model.state = state;
        model.state_bytes = bytes;
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong;
}

int
main(int argc, char **argv)
{
    if (argc > 1) {
        return litmus_outcomes(argc - 1, argv + 1);
    }
    uint32_t wrong = litmus_table();
    wrong += models_run(locks, sizeof(locks) / sizeof(locks[0]), &lock_state, sizeof(lock_state));
    wrong += models_run(waits, sizeof(waits) / sizeof(waits[0]), &wait_state, sizeof(wait_state));
    wrong += models_run(choices, sizeof(choices) / sizeof(choices[0]), &choice_state,
                        sizeof(choice_state));
    return wrong == 0 ? 0 : 1;
}
