/* explore_request.c - the threads' side of the explorer: what the operations of ring/atomic.h
 * become in a model, and what models call. Each one notes what it wants and gives up control; the
 * explorer carries it out when it lets the thread go on.
 *
 * An operation on a word that no other thread has ever touched is carried out at once, on the plain
 * memory: nobody can tell when it happens. */
#include <stdio.h>
#include <string.h>

#include "tests/support/explore_internal.h"

struct outcome {
    uint64_t value; /* read */
    bool succeeded; /* of a swap */
};

static uint64_t
bits_of(const void *address, size_t bytes)
{
    uint64_t bits = 0;
    memcpy(&bits, address, bytes);
    return bits;
}

static bool
is_ignored(uintptr_t address)
{
    for (uint32_t i = 0; i < explore_run.ignored_count; i++) {
        if (explore_run.ignored[i] == address) {
            return true;
        }
    }
    return false;
}

/* By a thread that is alone with the word. */
static struct outcome
carry_out_at_once(const struct explore_request *request)
{
    void *address = explore_pointer(request->place.address);
    struct outcome outcome = {.value = bits_of(address, request->place.bytes)};
    outcome.succeeded = outcome.value == request->expected;
    uint64_t bits = request->operand;
    if (request->kind == EXPLORE_CHANGE) {
        bits = explore_memory_changed(outcome.value, request);
    }
    if (request->kind != EXPLORE_LOAD && (request->kind != EXPLORE_CAS || outcome.succeeded)) {
        memcpy(address, &bits, request->place.bytes);
    }
    return outcome;
}

static struct outcome
carry_out(struct explore_request *request)
{
    if (is_ignored(request->place.address)) {
        return (struct outcome){.value = 0, .succeeded = true};
    }
    request->word = explore_memory_word(request->place, false);
    if (request->word == EXPLORE_WORDS_MAX) {
        explore_own_step();
        return carry_out_at_once(request);
    }
    const struct explore_thread *thread = explore_request(request);
    return (struct outcome){.value = thread->result, .succeeded = thread->succeeded};
}

/* ---- operations of ring/atomic.h ------------------------------------------------------------ */

uint64_t
leat_model_load(struct leat_model_word word, enum leat_model_order order)
{
    struct explore_request request = {.kind = EXPLORE_LOAD, .order = order, .place = word};
    return carry_out(&request).value;
}

void
leat_model_store(struct leat_model_word word, uint64_t value, enum leat_model_order order)
{
    struct explore_request request = {
        .kind = EXPLORE_STORE, .order = order, .operand = value, .place = word};
    (void)carry_out(&request);
}

uint64_t
leat_model_change(struct leat_model_word word, enum leat_model_change change, uint64_t operand,
                  enum leat_model_order order)
{
    struct explore_request request = {.kind = EXPLORE_CHANGE,
                                      .order = order,
                                      .change = change,
                                      .operand = operand,
                                      .place = word};
    return carry_out(&request).value;
}

bool
leat_model_cas(struct leat_model_word word, struct leat_model_swap swap)
{
    struct explore_request request = {.kind = EXPLORE_CAS,
                                      .order = swap.success,
                                      .failure = swap.failure,
                                      .operand = swap.desired,
                                      .expected = bits_of(swap.expected, word.bytes),
                                      .place = word};
    struct outcome outcome = carry_out(&request);
    if (!outcome.succeeded) {
        memcpy(swap.expected, &outcome.value, word.bytes);
    }
    return outcome.succeeded;
}

void
leat_model_fence(struct leat_model_word place, enum leat_model_order order)
{
    struct explore_request request = {.kind = EXPLORE_FENCE, .order = order, .place = place};
    (void)explore_request(&request);
}

void
leat_model_pause(struct leat_model_word place)
{
    struct explore_request request = {.kind = EXPLORE_PAUSE, .place = place};
    (void)explore_request(&request);
}

/* ---- what models call ----------------------------------------------------------------------- */

uint32_t
explore_thread(void)
{
    return explore_run.running;
}

void
explore_pause(void)
{
    leat_model_pause(LEAT_MODEL_PLACE("pause"));
}

void
explore_point(void)
{
    struct explore_request request = {.kind = EXPLORE_POINT, .place = LEAT_MODEL_PLACE("point")};
    (void)explore_request(&request);
}

uint32_t
explore_choose(uint32_t count)
{
    struct explore_request request = {
        .kind = EXPLORE_CHOOSE, .operand = count, .place = LEAT_MODEL_PLACE("choose")};
    return (uint32_t)explore_request(&request)->result;
}

void
explore_ignore(const void *word)
{
    if (explore_run.ignored_count == EXPLORE_IGNORED_MAX) {
        explore_fail("the model ignores more than EXPLORE_IGNORED_MAX", __FILE__, __LINE__);
    }
    explore_run.ignored[explore_run.ignored_count] = (uintptr_t)word;
    explore_run.ignored_count++;
}
