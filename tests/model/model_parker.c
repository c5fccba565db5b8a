/* model_parker.c - the real ring/parker.c: every interleaving of an owner that sleeps with one or
 * two notifiers, with C11 memory.
 *
 * carry   Who comes back from a wait has been notified, and sees what its notifier wrote before
 *         (parker:A -> parker:B). A wait on the futex may return for no reason.
 * task    Notifiers bring tasks and look whether the owner has announced that it may sleep; the
 *         owner announces, looks once more and sleeps. If a notification is lost, it sleeps beside
 *         a task that it has not seen. Notifications of one round come late, into the next.
 *         In timed, the deadline of the first wait has passed.
 * close   The owner stays awake. Either the notifier is told so, or the owner is told that it was
 *         notified, and sees what was written before (parker:A -> parker:C).
 * frozen  A notifier stops for ever in front of its system call; another one repeats it.
 *
 * In all of them no notifier makes a system call for an owner that has not begun to wait.
 */
#include <stdio.h>

#include "ring/parker.h"
#include "tests/support/explore.h"

static void futex_wake(leat_atomic_u32 *word, uint32_t count);

/* The real ring/parker.c, with our eyes on its system call. */
#define leat_os_futex_wake futex_wake
#include "ring/parker.c" /* NOLINT(bugprone-suspicious-include) */
#undef leat_os_futex_wake

#define NOTIFIERS_MAX 2
/* The thread that repeats a system call, where one is frozen. */
#define REPEATER 2

struct scenario {
    uint32_t notifiers;
    bool timed;
    bool frozen;
};

struct state {
    struct leat_parker parker;
    leat_atomic_u64 anchor;
    leat_atomic_u32 announced;
    leat_atomic_u32 tasks[NOTIFIERS_MAX];
    leat_atomic_u32 never; /* a futex that nobody wakes */
    uint32_t note;         /* plain, like the following */
    bool closed;           /* what the owner was told */
    bool notified;         /* what the notifier was told */
    bool waits;            /* the owner has begun to wait in some round */
};

static struct state state_now;
static const struct scenario *scenario;

static void
futex_wake(leat_atomic_u32 *word, uint32_t count)
{
    if (explore_thread() == REPEATER && scenario->frozen) {
        leat_os_futex_wake(word, count);
        return;
    }
    explore_point();
    EXPLORE_CHECK(state_now.waits);
    if (scenario->frozen) {
        leat_os_futex_wait(&state_now.never, 0, UINT64_MAX);
    }
    leat_os_futex_wake(word, count);
}

static void
parker_setup(void *argument)
{
    struct state *state = argument;
    /* As the round before left it. */
    atom_init(&state->parker.word, LEAT_PARKER_NOTIFIED);
}

static void
parker_check(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(leat_parker_check(&state->parker, stdout));
    EXPLORE_CHECK(state->closed == state->notified);
    for (uint32_t i = 0; i < scenario->notifiers; i++) {
        EXPLORE_CHECK(atom_load_rlx(&state->tasks[i]) == 2);
    }
}

/* ---- the owner ------------------------------------------------------------------------------ */

static void
announce(struct state *state)
{
    leat_parker_prepare(&state->parker);
    /* As sched/park.c does it: changes of other owners' bits would continue its release. */
    (void)atom_add_acq_rel(&state->announced, 1);
}

static bool
wait_begin(struct state *state, uint64_t deadline_ns)
{
    explore_point();
    state->waits = true;
    return leat_parker_wait(&state->parker, deadline_ns);
}

/* Waits until there is a note. */
static void
read_thread(void *argument)
{
    struct state *state = argument;
    announce(state);
    EXPLORE_CHECK(wait_begin(state, UINT64_MAX));
    explore_plain_read(&state->note, "note");
    EXPLORE_CHECK(state->note == 1);
}

static void
close_thread(void *argument)
{
    struct state *state = argument;
    announce(state);
    bool notified = leat_parker_close(&state->parker);
    explore_point();
    state->closed = notified;
    if (notified) {
        explore_plain_read(&state->note, "note");
        EXPLORE_CHECK(state->note == 1);
    }
}

/* Does the tasks that it finds. */
static uint32_t
tasks_do(struct state *state)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < scenario->notifiers; i++) {
        uint32_t task = 1;
        count += atom_cas_rlx(&state->tasks[i], &task, 2) ? 1 : 0; /* rlx: ordered by the fence */
    }
    return count;
}

static void
do_thread(void *argument)
{
    struct state *state = argument;
    uint32_t done = tasks_do(state);
    bool timed = scenario->timed;
    while (done < scenario->notifiers) {
        announce(state);
        atom_fence_sc(&state->anchor);
        uint32_t found = tasks_do(state);
        bool notified = false;
        if (found == 0) {
            notified = wait_begin(state, timed ? 0 : UINT64_MAX);
            EXPLORE_CHECK(notified || timed);
            timed = false;
        }
        if (!notified) {
            (void)leat_parker_close(&state->parker);
        }
        (void)atom_sub_acq_rel(&state->announced, 1);
        done += found;
    }
}

/* ---- notifiers ------------------------------------------------------------------------------ */

/* The first one leaves a note. */
static void
write_thread(void *argument)
{
    struct state *state = argument;
    explore_plain_write(&state->note, "note");
    state->note = 1;
    while (atom_load_acq(&state->announced) == 0) {
        explore_pause();
    }
    EXPLORE_CHECK(leat_parker_notify(&state->parker));
    EXPLORE_CHECK(leat_parker_notified(&state->parker));
    EXPLORE_CHECK(!leat_parker_notify(&state->parker));
}

static void
write_to_closed_thread(void *argument)
{
    struct state *state = argument;
    explore_plain_write(&state->note, "note");
    state->note = 1;
    while (atom_load_acq(&state->announced) == 0) {
        explore_pause();
    }
    bool notified = leat_parker_notify(&state->parker);
    explore_point();
    state->notified = notified;
}

static void
bring_thread(void *argument)
{
    struct state *state = argument;
    atom_store_rlx(&state->tasks[explore_thread() - 1], 1); /* rlx: ordered by the fence */
    atom_fence_sc(&state->anchor);
    if (atom_load_acq(&state->announced) != 0 && !leat_parker_notified(&state->parker)) {
        (void)leat_parker_notify(&state->parker);
    }
}

/* Comes when the owner was notified, and does not know whether it wakes. */
static void
repeat_thread(void *argument)
{
    struct state *state = argument;
    /* Before the announcement it would see the round before. */
    while (atom_load_acq(&state->announced) == 0 || !leat_parker_notified(&state->parker)) {
        explore_pause();
    }
    leat_parker_again(&state->parker);
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

static const struct model models[] = {
    {.explore = {.name = "parker_carry", .threads = {read_thread, write_thread}, .spurious = 1}},
    {.scenario = {.notifiers = 1},
     .explore = {.name = "parker_task", .threads = {do_thread, bring_thread}, .spurious = 1}},
    {.scenario = {.notifiers = 2},
     .explore = {.name = "parker_task_2", .threads = {do_thread, bring_thread, bring_thread}}},
    {.scenario = {.notifiers = 1, .timed = true},
     .explore = {.name = "parker_timed", .threads = {do_thread, bring_thread}}},
    {.explore = {.name = "parker_close", .threads = {close_thread, write_to_closed_thread}}},
    {.scenario = {.frozen = true},
     .explore = {.name = "parker_frozen",
                 .threads = {read_thread, write_thread, repeat_thread},
                 .servants = 2}},
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
        model.setup = parker_setup;
        model.check = parker_check;
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
