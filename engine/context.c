/* context.c - what a handler may ask of its run, and say: error, result, progress, log lines,
 * children. */
#include "engine/durable/durable.h"
#include "engine/gather.h"
#include "engine/graph.h"
#include "engine/history.h"
#include "engine/logs.h"
#include "engine/terms.h"

#include <string.h>

/* ---- children ------------------------------------------------------------------------------- */

enum leat_status
leat_run_submit(const struct leat_run *run, const struct leat_job *given, leat_job_id *id)
{
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    enum leat_status status = LEAT_INVALID;
    if (run != NULL && given != NULL) {
        status = leat_struct_read(&job, sizeof(job), given);
    }
    if (status == LEAT_OK && job.options != NULL) {
        status = leat_struct_read(&options, sizeof(options), job.options);
    }
    if (status != LEAT_OK) {
        return status;
    }
    if (options.submitter.bits == 0) {
        options.submitter = leat_run_id(run);
    }
    job.size = (uint32_t)sizeof(job);
    options.size = (uint32_t)sizeof(options);
    job.options = &options;
    return leat_submit(run->engine, &job, id);
}

/* ---- what it is ----------------------------------------------------------------------------- */

struct leat_engine *
leat_run_engine(const struct leat_run *run)
{
    return run->engine;
}

leat_job_id
leat_run_id(const struct leat_run *run)
{
    uint64_t generation = leat_word_generation(atom_load_rlx(run->word)); /* rlx: single writer */
    leat_job_id id = {leat_word_of(generation, run->index)};
    return id;
}

leat_type
leat_run_type(const struct leat_run *run)
{
    leat_type type = {leat_job_type(run->record) + 1};
    return type;
}

leat_queue
leat_run_queue(const struct leat_run *run)
{
    leat_queue queue = {leat_job_queue(run->record) + 1};
    return queue;
}

uint32_t
leat_run_priority(const struct leat_run *run)
{
    return leat_job_level(run->record);
}

uint32_t
leat_run_attempt(const struct leat_run *run)
{
    return run->attempt;
}

uint32_t
leat_run_max_attempts(const struct leat_run *run)
{
    return run->max_attempts;
}

uint32_t
leat_run_worker(const struct leat_run *run)
{
    return run->worker == NULL ? LEAT_WORKER_NONE : run->worker->index;
}

void *
leat_run_payload(const struct leat_run *run, size_t *bytes)
{
    struct leat_job_record *record = run->record;
    if (bytes != NULL) {
        *bytes = leat_job_payload_bytes(record);
    }
    switch ((enum leat_payload_place)leat_payload_place(record)) {
    case LEAT_PAYLOAD_RECORD:
        return record->payload.bytes;
    case LEAT_PAYLOAD_INLINE:
        return leat_job_inline(run->engine, run->index);
    case LEAT_PAYLOAD_HEAP:
        return record->payload.pointer;
    case LEAT_PAYLOAD_NONE:
        break;
    }
    return NULL;
}

/* The attempt was timed out, or its batch. */
static bool
timed_out(const struct leat_run *run)
{
    /* Late is safe: the handler asks again, or ends. rlx: statistic */
    return leat_word_timed_out(atom_load_rlx(run->word)) ||
           (run->how == LEAT_HOW_BATCH && leat_gather_timed_out(run));
}

bool
leat_run_cancelled(const struct leat_run *run)
{
    /* As in timed_out(). rlx: statistic */
    return (atom_load_rlx(run->word) & LEAT_WORD_CANCEL) != 0 || timed_out(run) ||
           atom_load_rlx(&run->engine->stop_expired) != 0; /* rlx: statistic */
}

leat_token
leat_run_token(const struct leat_run *run)
{
    leat_token token = {leat_run_id(run).bits, (uint64_t)run->engine->life << 32 | run->number};
    return token;
}

/* ---- how long it has yet --------------------------------------------------------------------- */

uint64_t
leat_run_deadline(struct leat_run *run)
{
    uint64_t timeout_ns = 0;
    if (run == NULL) {
        return 0;
    }
    const struct leat_engine *engine = run->engine;
    switch ((enum leat_how)run->how) {
    case LEAT_HOW_ITEM:
        timeout_ns = leat_terms_timeout_ns(engine, run->index);
        break;
    case LEAT_HOW_BATCH:
        timeout_ns = leat_gather_timeout_ns(run);
        break;
    case LEAT_HOW_INLINE:
        break;
    }
    if (timeout_ns == 0) {
        return LEAT_FOREVER;
    }
    uint64_t now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_MONOTONIC);
    if (!run->asked) {
        run->asked = true;
        run->asked_ns = now_ns;
    }
    uint64_t passed_ns = now_ns - run->asked_ns;
    return passed_ns < timeout_ns && !timed_out(run) ? timeout_ns - passed_ns : 0;
}

/* ---- what it says ---------------------------------------------------------------------------- */

enum leat_status
leat_run_error(struct leat_run *run, const char *text)
{
    if (run == NULL) {
        return LEAT_INVALID;
    }
    if (text == NULL) {
        leat_error_clear(run->record);
        return LEAT_OK;
    }
    struct leat_job_errors *errors = leat_job_errors_make(run->engine, run->record);
    if (errors == NULL) {
        return LEAT_NO_MEMORY;
    }
    leat_text_copy(errors->error, text);
    return LEAT_OK;
}

enum leat_status
leat_run_result(struct leat_run *run, const void *bytes, size_t count)
{
    if (run == NULL || (bytes == NULL && count > 0) ||
        count > run->engine->config.payload_bytes_max) {
        return LEAT_INVALID;
    }
    /* rlx: statistic */
    if ((atom_load_rlx(run->word) & LEAT_WORD_KEPT) == 0 &&
        !leat_graph_keeps(run->engine, run->index)) {
        return LEAT_OK;
    }
    if (!leat_durable_result_fits(run->engine, run->index, count)) {
        return LEAT_INVALID;
    }
    struct leat_memory *memory = &run->engine->memory;
    struct leat_job_extra *extra = leat_job_extra_make(run->engine, run->record);
    void *copy = count == 0 || extra == NULL ? NULL : leat_memory_take(memory, count);
    if (extra == NULL || (copy == NULL && count > 0)) {
        return LEAT_NO_MEMORY;
    }
    if (count > 0) {
        memcpy(copy, bytes, count);
    }
    leat_memory_give(memory, extra->result, extra->result_bytes);
    extra->result = copy;
    extra->result_bytes = count;
    return LEAT_OK;
}

enum leat_status
leat_run_progress(struct leat_run *run, uint32_t percent, const char *text)
{
    char line[LEAT_PROGRESS_BYTES] = "";
    if (run == NULL || percent > 100) {
        return LEAT_INVALID;
    }
    struct leat_job_extra *extra = leat_job_extra_make(run->engine, run->record);
    struct leat_progress *progress =
        extra == NULL ? NULL : leat_block_make(run->engine, &extra->progress, sizeof(*progress));
    if (progress == NULL) {
        return LEAT_NO_MEMORY;
    }
    if (text != NULL) {
        leat_text_cut(line, text, sizeof(line));
    }
    leat_progress_write(progress, percent, text == NULL ? NULL : line);
    return LEAT_OK;
}

enum leat_status
leat_run_log(struct leat_run *run, enum leat_log_level level, const char *text)
{
    if (run == NULL || text == NULL || (uint32_t)level > LEAT_LOG_ERROR) {
        return LEAT_INVALID;
    }
    const struct leat_log_line line = {.id = leat_run_id(run),
                                       .type = leat_run_type(run),
                                       .attempt = run->attempt,
                                       .level = level,
                                       .text = text,
                                       .queue = leat_run_queue(run),
                                       .worker = leat_run_worker(run)};
    leat_logs_write(run->engine, line);
    return LEAT_OK;
}
