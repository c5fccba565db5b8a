/* answer.c - completions that say more than an outcome and an error: a result, too. */
#include <string.h>

#include "engine/durable/durable.h"
#include "engine/engine_internal.h"
#include "engine/graph.h"

/* A copy of the result where the job keeps one. pre: a hold. */
static enum leat_status
result_copy(const struct leat_run *run, const struct leat_answer *answer, struct leat_said *said)
{
    if (answer->result_bytes == 0) {
        return LEAT_OK;
    }
    /* rlx: statistic */
    if ((atom_load_rlx(run->word) & LEAT_WORD_KEPT) == 0 &&
        !leat_graph_keeps(run->engine, run->index)) {
        return LEAT_OK;
    }
    if (!leat_durable_result_fits(run->engine, run->index, answer->result_bytes)) {
        return LEAT_INVALID;
    }
    said->result = leat_memory_take(&run->engine->memory, answer->result_bytes);
    if (said->result == NULL) {
        return LEAT_NO_MEMORY;
    }
    said->result_bytes = answer->result_bytes;
    memcpy(said->result, answer->result, answer->result_bytes);
    return LEAT_OK;
}

static enum leat_status
answer_read(const struct leat_engine *engine, const struct leat_answer *given,
            struct leat_answer *answer)
{
    if (given == NULL) {
        return LEAT_INVALID;
    }
    *answer = leat_answer_default();
    enum leat_status status = leat_struct_read(answer, sizeof(*answer), given);
    if (status == LEAT_OK && ((answer->result == NULL && answer->result_bytes != 0) ||
                              answer->result_bytes > engine->config.payload_bytes_max)) {
        return LEAT_INVALID;
    }
    if (status == LEAT_OK && answer->timed_out && answer->outcome.kind != LEAT_OUTCOME_RETRY) {
        return LEAT_INVALID;
    }
    return status == LEAT_OK ? leat_outcome_check(answer->outcome) : status;
}

enum leat_status
leat_complete_with(struct leat_engine *engine, leat_token token, const struct leat_answer *answer)
{
    enum leat_status status = leat_engine_check(engine);
    struct leat_answer given;
    uint32_t index = 0;
    uint32_t number = 0;
    if (status == LEAT_OK) {
        status = answer_read(engine, answer, &given);
    }
    if (status == LEAT_OK) {
        status = leat_token_hold(engine, token, &index, &number);
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_said said = {.error = given.error, .timed_out = given.timed_out};
    struct leat_run run = leat_run_of(engine, index);
    status = result_copy(&run, &given, &said);
    if (status == LEAT_OK) {
        status = leat_run_complete(&run, number, given.outcome, &said);
    }
    if (status != LEAT_OK) {
        leat_memory_give(&engine->memory, said.result, said.result_bytes);
    }
    leat_job_unhold(engine, index);
    return leat_durable_settle(engine, status);
}
