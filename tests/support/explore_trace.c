/* explore_trace.c - prints the steps of a run that went wrong. */
#include <inttypes.h>
#include <stdio.h>

#include "tests/support/explore_internal.h"

static const char *
order_name(enum leat_model_order order)
{
    switch (order) {
    case LEAT_MODEL_RELAXED:
        return "rlx";
    case LEAT_MODEL_ACQUIRE:
        return "acq";
    case LEAT_MODEL_RELEASE:
        return "rel";
    case LEAT_MODEL_ACQ_REL:
        return "acq_rel";
    case LEAT_MODEL_SC:
        return "sc";
    }
    return "?";
}

static const char *
change_name(enum leat_model_change change)
{
    switch (change) {
    case LEAT_MODEL_SWAP:
        return "swap";
    case LEAT_MODEL_ADD:
        return "add";
    case LEAT_MODEL_SUB:
        return "sub";
    case LEAT_MODEL_OR:
        return "or";
    case LEAT_MODEL_AND:
        return "and";
    }
    return "?";
}

/* Where the word stands in the model's state. */
static void
place_print(const struct explore_request *request)
{
    const struct leat_model_word *place = &request->place;
    uintptr_t state = (uintptr_t)explore_run.model->state;
    if (place->address >= state && place->address < state + explore_run.model->state_bytes) {
        printf("%s@%#" PRIxPTR, place->text, place->address - state);
    } else {
        printf("%s", place->text);
    }
}

static void
outcome_print(const struct explore_thread *thread, const struct explore_request *request,
              uint32_t way)
{
    switch (request->kind) {
    case EXPLORE_LOAD:
        printf("%s = %#" PRIx64 "%s", order_name(request->order), thread->result,
               way == 0 ? "" : "  (not the newest)");
        break;
    case EXPLORE_STORE:
        printf("%s <- %#" PRIx64 "%s", order_name(request->order), request->operand,
               way == 0 ? "" : "  (behind an older value)");
        break;
    case EXPLORE_CHANGE:
        printf("%s %s %#" PRIx64 ", was %#" PRIx64 "%s", order_name(request->order),
               change_name(request->change), request->operand, thread->result,
               way == 0 ? "" : "  (not the newest)");
        break;
    case EXPLORE_CAS:
        printf("%s %#" PRIx64 " -> %#" PRIx64 " %s", order_name(request->order), request->expected,
               request->operand, thread->succeeded ? "done" : "failed");
        if (!thread->succeeded) {
            printf(", is %#" PRIx64 "%s", thread->result, way == 0 ? "" : "  (not the newest)");
        }
        break;
    case EXPLORE_FENCE:
        printf("%s", order_name(request->order));
        break;
    case EXPLORE_WAIT:
        printf("while %#" PRIx64 ": %s", request->expected, thread->waits ? "sleeps" : "returns");
        break;
    case EXPLORE_WAKE:
    case EXPLORE_CHOOSE:
        printf("%" PRIu64, request->kind == EXPLORE_WAKE ? request->operand : thread->result);
        break;
    case EXPLORE_WOKEN:
    case EXPLORE_PAUSE:
    case EXPLORE_POINT:
    case EXPLORE_END:
        break;
    }
}

void
explore_trace_step(uint32_t thread, uint32_t number, const struct explore_request *request,
                   uint32_t way)
{
    static const char *const names[] = {
        [EXPLORE_LOAD] = "load",   [EXPLORE_STORE] = "store",   [EXPLORE_CHANGE] = "change",
        [EXPLORE_CAS] = "swap",    [EXPLORE_FENCE] = "fence",   [EXPLORE_WAIT] = "futex wait",
        [EXPLORE_WAKE] = "wake",   [EXPLORE_WOKEN] = "woken",   [EXPLORE_PAUSE] = "pause",
        [EXPLORE_POINT] = "point", [EXPLORE_CHOOSE] = "choose", [EXPLORE_END] = "end"};
    printf("%4" PRIu32 "  %c  %-10s ", number, (int)('a' + thread), names[request->kind]);
    place_print(request);
    printf("  ");
    outcome_print(&explore_run.threads[thread], request, way);
    printf("  [%s:%d]\n", request->place.file, request->place.line);
}
