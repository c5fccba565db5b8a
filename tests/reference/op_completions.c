/* op_completions.c - completion queues: created, taken from, destroyed. */
#include "tests/reference/reference.h"

#include <inttypes.h>
#include <string.h>

/* Which of those that are to come it is: the first, or one beside which the order is not known. */
static uint32_t
place_of(const struct ref_completions *queue, const struct leat_completion *item)
{
    for (uint32_t i = 0; i < queue->count; i++) {
        if (queue->items[i].item.id.bits == item->id.bits) {
            return i;
        }
        if (!queue->items[i].fuzzy) {
            break;
        }
    }
    /* One whose order is not known may come in front of others. */
    for (uint32_t i = 0; i < queue->count; i++) {
        if (queue->items[i].item.id.bits == item->id.bits && queue->items[i].fuzzy) {
            return i;
        }
    }
    return REF_NONE;
}

static void
take_one(struct ref_world *world, struct ref_completions *queue, const struct leat_completion *item)
{
    uint32_t place = place_of(queue, item);
    if (place == REF_NONE) {
        ref_fail(world, NULL, "a completion of %" PRIx64 " (%s), which is not to come now",
                 item->id.bits, leat_job_state_text(item->state));
    }
    const struct leat_completion *right = &queue->items[place].item;
    if (item->state != right->state || item->reason != right->reason || item->user != right->user) {
        ref_fail(world, NULL, "a completion of %" PRIx64 " says %s, %s\n  expected: %s, %s",
                 item->id.bits, leat_job_state_text(item->state), leat_reason_text(item->reason),
                 leat_job_state_text(right->state), leat_reason_text(right->reason));
    }
    queue->count--;
    memmove(&queue->items[place], &queue->items[place + 1],
            sizeof(queue->items[0]) * (queue->count - place));
}

void
ref_op_take(struct ref_world *world)
{
    struct leat_completion items[REF_SLOTS_MAX];
    struct ref_completions *queue = &world->completions[ref_below(world, REF_COMPLETIONS)];
    size_t capacity = ref_chance(world, 2) ? 0 : 1 + ref_below(world, REF_SLOTS_MAX);
    size_t taken = 0;
    ref_graph_catch_up(world);
    enum leat_status right = queue->count == 0 ? LEAT_EMPTY : LEAT_OK;
    right = queue->queue == NULL || capacity == 0 ? LEAT_INVALID : right;
    size_t due = queue->count < capacity ? queue->count : capacity;
    ref_note(world, capacity, due, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right),
               leat_completion_queue_take(queue->queue, items, capacity, &taken));
    if (taken != (right == LEAT_OK ? due : 0)) {
        ref_fail(world, NULL, "%zu completions were taken\n  expected: %zu", taken, due);
    }
    for (size_t i = 0; i < taken; i++) {
        take_one(world, queue, &items[i]);
    }
}

/* Creates one that is not there, or destroys one. */
void
ref_op_completions(struct ref_world *world)
{
    struct ref_completions *queue = &world->completions[ref_below(world, REF_COMPLETIONS)];
    uint32_t slots = ref_chance(world, 5) ? 0 : 1 + ref_below(world, REF_SLOTS_MAX);
    enum leat_status right = queue->reserved != 0 ? LEAT_BUSY : LEAT_OK;
    bool named = world->bulk || ref_schedules_use((uint32_t)(queue - world->completions), world);
    if (queue->queue != NULL && named) {
        return; /* a job that is not submitted yet may name it */
    }
    ref_note(world, slots, queue->queue != NULL, queue->reserved);
    if (queue->queue == NULL) {
        ref_answer(world, REF_AT_NOTHING, REF_ONE(slots == 0 ? LEAT_INVALID : LEAT_OK),
                   leat_completion_queue_create(world->engine, slots, &queue->queue));
        queue->slots = slots;
        return;
    }
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right), leat_completion_queue_destroy(queue->queue));
    if (right == LEAT_OK) {
        memset(queue, 0, sizeof(*queue));
    }
}
