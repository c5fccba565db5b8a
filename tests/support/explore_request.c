/* explore_request.c - the threads' side of the explorer: what the operations of ring/atomic.h become
 * in a model, and what models call. Each one notes what it wants and gives up control; the explorer
 * carries it out when it lets the thread go on.
 *
 * An operation on a word that no other thread has ever touched is carried out at once, on the plain
 * memory: nobody can tell when it happens. */
#include <stdio.h>
#include <string.h>

#include "tests/support/explore_internal.h"

static void
word_store(struct leat_model_word word, uint64_t bits)
{
    memcpy((void *)word.address, &bits, word.bytes);
}

static uint64_t
word_load(const void *address, size_t bytes)
{
    uint64_t bits = 0;
    memcpy(&bits, address, bytes);
    return bits;
}

/* Index of the word if the operation is a step. */
static bool
is_step(struct leat_model_word word, uint32_t *index)
{
    *index = explore_memory_word(word, false);
    if (*index == EXPLORE_WORDS_MAX) {
        explore_own_step();
        return false;
    }
    return true;
}

/* ---- operations of ring/atomic.h ------------------------------------------------------------ */

uint64_t
leat_model_load(struct leat_model_word word, enum leat_model_order order)
{
    struct explore_request request = {.kind = EXPLORE_LOAD, .order = order, .place = word};
    if (!is_step(word, &request.word)) {
        return word_load((const void *)word.address, word.bytes);
    }
    return explore_request(&request)->result;
}

void
leat_model_store(struct leat_model_word word, uint64_t value, enum leat_model_order order)
{
    struct explore_request request = {
        .kind = EXPLORE_STORE, .order = order, .operand = value, .place = word};
    if (!is_step(word, &request.word)) {
        word_store(word, value);
        return;
    }
    (void)explore_request(&request);
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
    if (!is_step(word, &request.word)) {
        uint64_t before = word_load((const void *)word.address, word.bytes);
        word_store(word, explore_memory_changed(before, &request));
        return before;
    }
    return explore_request(&request)->result;
}

bool
leat_model_cas(struct leat_model_word word, struct leat_model_swap swap)
{
    struct explore_request request = {.kind = EXPLORE_CAS,
                                      .order = swap.success,
                                      .failure = swap.failure,
                                      .operand = swap.desired,
                                      .expected = word_load(swap.expected, word.bytes),
                                      .place = word};
    uint64_t seen = 0;
    bool succeeded = false;
    if (is_step(word, &request.word)) {
        const struct explore_thread *thread = explore_request(&request);
        seen = thread->result;
        succeeded = thread->succeeded;
    } else {
        seen = word_load((const void *)word.address, word.bytes);
        succeeded = seen == request.expected;
        if (succeeded) {
            word_store(word, swap.desired);
        }
    }
    if (!succeeded) {
        memcpy(swap.expected, &seen, word.bytes);
    }
    return succeeded;
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
