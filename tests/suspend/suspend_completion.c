/* suspend_completion.c - a completion queue under the suspension test, see suspend.h: threads that
 * reserve a slot and deliver an end, and threads that take. Who takes polls the descriptor first
 * and believes it: so a thread that is frozen at the doorbell would be found out by a ring that the
 * others never hear. */
#include <poll.h>
#include <stdlib.h>

#include "engine/completion.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/suspend/suspend.h"

#define SLOTS 8

struct queue_state {
    struct leat_engine *engine;
    struct leat_completion_queue *queue;
    int descriptor;
};

static void *
queue_create(const struct suspend_subject *subject)
{
    struct queue_state *state = calloc(1, sizeof(*state));
    struct leat_config config = test_config();
    (void)subject;
    CHECK(state != NULL);
    config.workers = 0;
    state->engine = test_open(&config);
    CHECK_OK(leat_completion_queue_create(state->engine, SLOTS, &state->queue));
    CHECK_OK(leat_completion_queue_descriptor(state->queue, &state->descriptor));
    return state;
}

static void
queue_destroy(void *subject)
{
    struct queue_state *state = subject;
    CHECK(leat_completion_check(state->queue, 0, stderr));
    CHECK_OK(leat_completion_queue_destroy(state->queue));
    test_close(state->engine);
    free(state);
}

/* ---- operations ------------------------------------------------------------------------------ */

static bool
end(void *subject, uint32_t who)
{
    struct queue_state *state = subject;
    const struct leat_completion_end ended = {.id = {who}, .phase = LEAT_PHASE_COMPLETED};
    uint32_t completion = 0;
    if (leat_completion_reserve(state->queue, state, &completion) != LEAT_OK) {
        return false;
    }
    leat_completion_deliver(state->engine, completion, ended);
    return true;
}

static bool
readable(const struct queue_state *state)
{
    struct pollfd look = {.fd = state->descriptor, .events = POLLIN};
    return poll(&look, 1, 0) == 1;
}

static bool
take(void *subject, uint32_t who)
{
    struct queue_state *state = subject;
    struct leat_completion items[3];
    size_t taken = 0;
    bool frozen = who == SUSPEND_FROZEN || who == SUSPEND_FROZEN_SECOND;
    if (!frozen && !readable(state)) {
        return false;
    }
    enum leat_status status = leat_completion_queue_take(state->queue, items, 3, &taken);
    CHECK(status == LEAT_OK || status == LEAT_EMPTY);
    for (size_t i = 0; i < taken; i++) {
        CHECK(items[i].user == state);
    }
    return taken > 0;
}

/* ---- situations ------------------------------------------------------------------------------ */

static void
empty(void *subject)
{
    (void)subject;
}

/* Nobody listens, and there is nothing to take. */
static void
empty_and_told(void *subject)
{
    struct queue_state *state = subject;
    struct leat_completion items[3];
    size_t taken = 0;
    for (uint32_t i = 0; i < 3; i++) {
        CHECK(end(subject, SUSPEND_OTHER));
    }
    CHECK_OK(leat_completion_queue_take(state->queue, items, 3, &taken));
}

static void
some(void *subject)
{
    for (uint32_t i = 0; i < SLOTS / 2; i++) {
        CHECK(end(subject, SUSPEND_OTHER));
    }
}

static void
full(void *subject)
{
    while (end(subject, SUSPEND_OTHER)) {
    }
}

/* From its emptying of the descriptor until it listens, a taker may have the ring of all. */
#define LISTENER_LOOKS "ring/doorbell.c load &doorbell->word"
#define LISTENER_SWAPS "ring/doorbell.c swap &doorbell->word"

static const struct suspend_subject completion = {
    .name = "completion queue",
    .capacity = SLOTS,
    .budget = 300,
    .create = queue_create,
    .destroy = queue_destroy,
    .operations = {{.name = "end", .run = end},
                   {.name = "take", .run = take, .blocks = {LISTENER_LOOKS, LISTENER_SWAPS}}},
    .situations = {{"empty", empty, 0},
                   {"empty, told", empty_and_told, 0},
                   {"some", some, 0},
                   {"full", full, 0}},
};

static void
others_go_on(void **state)
{
    (void)state;
    CHECK(suspend_run(&completion));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
