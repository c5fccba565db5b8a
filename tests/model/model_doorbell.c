/* model_doorbell.c - the real ring/doorbell.c: every interleaving of ringers and listeners, with
 * C11 memory. The ring is as weak as can be, one relaxed word for each item, so what orders
 * anything is the doorbell. The descriptor is a word that is set and emptied by one swap each, as
 * the kernel does under its lock, and a futex.
 *
 * all     Listeners take until they have everything. If a ring is lost they sleep beside an item
 *         (I1). Whoever is not told that someone listens makes no system call: a ringer makes at
 *         most one for each round that a listener has begun.
 * few     A listener takes one at a time, and leaves the rest without listening.
 * shared  Two listeners wait for one descriptor; what one takes wakes the other for nothing.
 * frozen  A ringer stops for ever in front of its system call or behind it; what others bring is
 *         taken all the same.
 */
#include <stdio.h>

#include "ring/doorbell.h"
#include "tests/support/explore.h"

static enum leat_os_result event_open(int *descriptor);
static void event_close(int descriptor);
static void event_set(int descriptor);
static void event_clear(int descriptor);

/* The real ring/doorbell.c, on a descriptor of ours. */
#define leat_os_event_open  event_open
#define leat_os_event_close event_close
#define leat_os_event_set   event_set
#define leat_os_event_clear event_clear
#include "ring/doorbell.c" /* NOLINT(bugprone-suspicious-include) */
#undef leat_os_event_open
#undef leat_os_event_close
#undef leat_os_event_set
#undef leat_os_event_clear

#define ITEMS_MAX 4

/* Words of an item. */
#define NONE   0
#define PUSHED 1
#define TAKEN  2

struct scenario {
    uint32_t listeners; /* the first threads */
    uint32_t share;     /* items of each ringer */
    uint32_t items;
    uint32_t capacity; /* of a take */
    bool frozen;       /* the first ringer stops */
};

struct state {
    struct leat_doorbell doorbell;
    leat_atomic_u32 items[ITEMS_MAX];
    leat_atomic_u32 event; /* a futex: 1 is readable */
    leat_atomic_u32 never; /* a futex that nobody wakes */
    uint32_t rounds;       /* plain, like the following: begun by listeners */
    uint32_t sets[EXPLORE_THREADS_MAX];
};

static struct state state_now;
static const struct scenario *scenario;

/* ---- the descriptor ------------------------------------------------------------------------- */

static enum leat_os_result
event_open(int *descriptor)
{
    *descriptor = 3;
    return LEAT_OS_OK;
}

static void
event_close(int descriptor)
{
    (void)descriptor;
}

static void
stop_for_ever(void)
{
    if (scenario->frozen && explore_thread() == scenario->listeners) {
        leat_os_futex_wait(&state_now.never, 0, UINT64_MAX);
    }
}

static void
event_set(int descriptor)
{
    EXPLORE_CHECK(descriptor == 3);
    bool before = scenario->frozen && explore_choose(2) == 0;
    if (before) {
        stop_for_ever();
    }
    explore_point();
    state_now.sets[explore_thread()]++;
    (void)atom_swap_acq_rel(&state_now.event, 1);
    leat_os_futex_wake(&state_now.event, UINT32_MAX);
    stop_for_ever();
}

static void
event_clear(int descriptor)
{
    EXPLORE_CHECK(descriptor == 3);
    explore_point();
    state_now.rounds++;
    (void)atom_swap_acq_rel(&state_now.event, 0);
}

static void
event_wait(struct state *state)
{
    while (atom_load_acq(&state->event) == 0) {
        leat_os_futex_wait(&state->event, 0, UINT64_MAX);
    }
}

/* ---- the ring ------------------------------------------------------------------------------- */

static bool
pop(struct state *state, uint32_t *item)
{
    for (uint32_t i = 0; i < scenario->items; i++) {
        uint32_t pushed = PUSHED;
        if (atom_cas_rlx(&state->items[i], &pushed, TAKEN)) { /* rlx: ordered by the fences */
            *item = i;
            return true;
        }
    }
    return false;
}

static bool
ready(struct state *state)
{
    for (uint32_t i = 0; i < scenario->items; i++) {
        if (atom_load_rlx(&state->items[i]) == PUSHED) { /* rlx: ordered by the fences */
            return true;
        }
    }
    return false;
}

/* ---- threads -------------------------------------------------------------------------------- */

static void
ring_thread(void *argument)
{
    struct state *state = argument;
    uint32_t first = (explore_thread() - scenario->listeners) * scenario->share;
    for (uint32_t i = first; i < first + scenario->share; i++) {
        atom_store_rlx(&state->items[i], PUSHED); /* rlx: ordered by the fences */
        leat_doorbell_ring(&state->doorbell);
    }
}

/* As leat_completion_queue_take(). Returns how many; *last is whether the last item was there. */
static uint32_t
take(struct state *state, bool *last)
{
    uint32_t count = 0;
    uint32_t item = 0;
    while (count < scenario->capacity && pop(state, &item)) {
        *last = *last || item == scenario->items - 1;
        count++;
    }
    if (count < scenario->capacity) {
        leat_doorbell_listen(&state->doorbell);
        if (ready(state)) {
            leat_doorbell_ring(&state->doorbell);
        }
    }
    return count;
}

/* Until it has all, or where others take too, for ever; beside a ringer that is frozen, until it
 * has what the other one brought. */
static void
listen_thread(void *argument)
{
    struct state *state = argument;
    uint32_t count = 0;
    bool last = false;
    while (scenario->frozen ? !last : count < scenario->items) {
        event_wait(state);
        count += take(state, &last);
    }
}

/* ---- all ------------------------------------------------------------------------------------ */

static void
doorbell_setup(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(leat_doorbell_init(&state->doorbell) == LEAT_OS_OK);
    state->rounds = 1;
}

static void
doorbell_check(void *argument)
{
    struct state *state = argument;
    for (uint32_t i = 0; i < scenario->items; i++) {
        bool taken = atom_load_rlx(&state->items[i]) == TAKEN;
        EXPLORE_CHECK(taken || (scenario->frozen && i < scenario->items - 1));
    }
    for (uint32_t i = scenario->listeners; i < EXPLORE_THREADS_MAX; i++) {
        EXPLORE_CHECK(state->sets[i] <= state->rounds);
    }
}

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

static const struct model models[] = {
    {.scenario = {.listeners = 1, .share = 2, .items = 2, .capacity = 3},
     .explore = {.name = "doorbell_all_1", .threads = {listen_thread, ring_thread}, .spurious = 1}},
    {.scenario = {.listeners = 1, .share = 1, .items = 2, .capacity = 3},
     .explore = {.name = "doorbell_all_2", .threads = {listen_thread, ring_thread, ring_thread}}},
    {.scenario = {.listeners = 1, .share = 3, .items = 3, .capacity = 1},
     .explore = {.name = "doorbell_few", .threads = {listen_thread, ring_thread}}},
    {.scenario = {.listeners = 1, .share = 1, .items = 2, .capacity = 3, .frozen = true},
     .explore = {.name = "doorbell_frozen",
                 .threads = {listen_thread, ring_thread, ring_thread},
                 .servants = 2}},
    {.scenario = {.listeners = 2, .share = 1, .items = 1, .capacity = 3},
     .explore = {.name = "doorbell_shared",
                 .threads = {listen_thread, listen_thread, ring_thread},
                 .servants = 3}},
    {.scenario = {.listeners = 2, .share = 2, .items = 2, .capacity = 3},
     .explore = {.name = "doorbell_shared_again",
                 .threads = {listen_thread, listen_thread, ring_thread},
                 .servants = 3,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.listeners = 2, .share = 1, .items = 2, .capacity = 3},
     .explore = {.name = "doorbell_shared_2",
                 .threads = {listen_thread, listen_thread, ring_thread, ring_thread},
                 .servants = 3,
                 .bounded = true,
                 .preemptions = 2}},
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
        model.setup = doorbell_setup;
        model.check = doorbell_check;
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
