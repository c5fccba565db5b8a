/* model_inbox.c - every interleaving of two or three threads over an inbox, with C11 memory; what
 * is taken goes through a FIFO, as it does in a waiting list.
 *
 * transfer  Pushers write plain data into records and push them, a taker takes and reads: a missing
 *           edge inbox:A -> inbox:B is a data race. No record is lost, doubled or made up, those of
 *           one pusher come out in their order, and both lists keep their I1. As many pushes found
 *           the inbox empty as takes found something.
 * again     The same, and the taker pushes what it took once more: the newest record is taken and
 *           comes back while another push has it in hand (ABA).
 * look      Who pushes and then looks for a sleeper, and who goes to sleep and then looks into the
 *           inbox, do not miss each other, with a fence of their own in between.
 */
#include <stdio.h>

#include "ring/fifo.h"
#include "ring/inbox.h"
#include "tests/support/explore.h"

#define RECORDS_MAX 8
/* So many of each pusher. */
#define SHARE 4

struct scenario {
    uint32_t pushers;
    uint32_t pushes; /* of each */
    uint32_t takes;
    bool again;
};

struct state {
    struct leat_inbox inbox;
    leat_atomic_u32 links[RECORDS_MAX];
    uint32_t payload[RECORDS_MAX];       /* plain: uses so far */
    struct leat_fifo fifo;               /* the taker's, then the check's */
    uint32_t taken[RECORDS_MAX];         /* how often; the taker's, then the check's */
    uint32_t found;                      /* takes that found something */
    uint32_t empty[EXPLORE_THREADS_MAX]; /* pushes that found nothing, by thread */
    leat_atomic_u32 sleeps;
    leat_atomic_u64 anchor;
    bool seen_record;
    bool seen_sleeper;
};

static struct state state_now;
static const struct scenario *scenario;

static leat_atomic_u32 *
link_of(void *context, uint32_t index)
{
    struct state *state = context;
    EXPLORE_CHECK(index < RECORDS_MAX);
    return &state->links[index];
}

static struct leat_fifo_links
links_of(struct state *state)
{
    return (struct leat_fifo_links){link_of, state};
}

static void
inbox_setup(void *argument)
{
    struct state *state = argument;
    leat_inbox_init(&state->inbox);
    leat_fifo_init(&state->fifo);
    /* What a list before this one left in the links. */
    for (uint32_t i = 0; i < RECORDS_MAX; i++) {
        atom_init(&state->links[i], (i + 1) % RECORDS_MAX);
    }
}

static void
record_push(struct state *state, uint32_t index)
{
    explore_plain_write(&state->payload[index], "payload");
    state->payload[index]++;
    bool empty = leat_inbox_push(&state->inbox, &state->links[index], index);
    state->empty[explore_thread()] += empty ? 1 : 0;
}

static void
push_thread(void *argument)
{
    for (uint32_t i = 0; i < scenario->pushes; i++) {
        record_push(argument, explore_thread() * SHARE + i);
    }
}

/* Takes all, and appends it. Records of one pusher stand in their order in each chain. */
static uint32_t
chain_take(struct state *state)
{
    uint32_t count =
        leat_fifo_take_over(&state->fifo, links_of(state), leat_inbox_take(&state->inbox));
    state->found += count != 0 ? 1 : 0;
    EXPLORE_CHECK(leat_fifo_check(&state->fifo, links_of(state), stdout));
    return count;
}

/* Takes the records out of the FIFO. */
static void
records_take(struct state *state)
{
    uint32_t next[2] = {0, SHARE};
    uint32_t index = 0;
    while (leat_fifo_pop_front(&state->fifo, links_of(state), &index)) {
        EXPLORE_CHECK(index < RECORDS_MAX);
        explore_plain_read(&state->payload[index], "payload");
        state->taken[index]++;
        EXPLORE_CHECK(state->payload[index] == state->taken[index]);
        if (!scenario->again) {
            EXPLORE_CHECK(index == next[index / SHARE]);
            next[index / SHARE]++;
        } else if (explore_thread() < EXPLORE_THREADS_MAX && state->taken[index] == 1) {
            record_push(state, index);
        }
    }
}

static void
take_thread(void *argument)
{
    struct state *state = argument;
    for (uint32_t i = 0; i < scenario->takes; i++) {
        (void)chain_take(state);
        if (scenario->again) {
            records_take(state);
        }
    }
}

static void
transfer_check(void *argument)
{
    struct state *state = argument;
    uint32_t empty = 0;
    bool ready = leat_inbox_ready(&state->inbox);
    EXPLORE_CHECK(leat_inbox_check(&state->inbox, link_of, state, RECORDS_MAX, stdout));
    EXPLORE_CHECK((chain_take(state) != 0) == ready);
    EXPLORE_CHECK(!leat_inbox_ready(&state->inbox));
    records_take(state);
    for (uint32_t i = 0; i < RECORDS_MAX; i++) {
        EXPLORE_CHECK(state->taken[i] == state->payload[i]);
        bool pushed = i / SHARE < scenario->pushers && i % SHARE < scenario->pushes;
        EXPLORE_CHECK((state->taken[i] != 0) == pushed);
    }
    for (uint32_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        empty += state->empty[i];
    }
    EXPLORE_CHECK(empty == state->found);
}

/* ---- look ----------------------------------------------------------------------------------- */

static void
push_and_look_thread(void *argument)
{
    struct state *state = argument;
    record_push(state, explore_thread() * SHARE);
    atom_fence_sc(&state->anchor);
    bool seen = atom_load_rlx(&state->sleeps) != 0; /* rlx: ordered by the fence */
    explore_point();
    state->seen_sleeper = state->seen_sleeper || seen;
}

static void
sleep_and_look_thread(void *argument)
{
    struct state *state = argument;
    atom_store_rlx(&state->sleeps, 1); /* rlx: ordered by the fence */
    atom_fence_sc(&state->anchor);
    state->seen_record = leat_inbox_ready(&state->inbox);
}

static void
look_check(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(state->seen_record || state->seen_sleeper);
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

static const struct model models[] = {
    {.scenario = {.pushers = 1, .pushes = 3, .takes = 2},
     .explore = {.name = "inbox_1p", .threads = {push_thread, take_thread}}},
    {.scenario = {.pushers = 2, .pushes = 2, .takes = 1},
     .explore = {.name = "inbox_2p", .threads = {push_thread, push_thread, take_thread}}},
    {.scenario = {.pushers = 2, .pushes = 2, .takes = 3},
     .explore = {.name = "inbox_2p_3", .threads = {push_thread, push_thread, take_thread}}},
    {.scenario = {.pushers = 1, .pushes = 2, .takes = 2, .again = true},
     .explore = {.name = "inbox_again_1p", .threads = {push_thread, take_thread}}},
    {.scenario = {.pushers = 2, .pushes = 1, .takes = 2, .again = true},
     .explore = {.name = "inbox_again_2p", .threads = {push_thread, push_thread, take_thread}}},
    {.explore = {.name = "inbox_look",
                 .threads = {push_and_look_thread, sleep_and_look_thread},
                 .check = look_check}},
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
        model.setup = inbox_setup;
        model.check = model.check == NULL ? transfer_check : model.check;
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
