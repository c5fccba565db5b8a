/* inline.c - jobs that run in the thread that brings them. Such a job has a record like any, but no
 * place ever has its index: it is RUNNING from its submit on, attempt by attempt, until it ends; or
 * goes on as others do, where it is to wait for a time or a completion. Why: docs/design/0024. */
#include "engine/events.h"
#include "engine/history.h"
#include "engine/timers.h"

/* What becomes of a job on its way. */
struct course {
    uint64_t delay_ns; /* that it would have waited for so far */
    bool again;        /* a further attempt has begun */
};

/* The run comes first: run.c has the one and we want the other. */
struct leat_inline_run {
    struct leat_run run;
    struct course *course;
};

bool
leat_inline_again(const struct leat_run *run, uint64_t delay_ns)
{
    const struct leat_inline_run *own = (const struct leat_inline_run *)(const void *)run;
    struct course *course = own->course;
    const struct leat_mark next = {
        .set = leat_word_attempt(run->number + 1),
        .clear = LEAT_WORD_OF_ATTEMPT | LEAT_WORD_ATTEMPT,
        .mask = LEAT_WORD_CANCEL,
    };
    uint64_t before = 0;
    if (!leat_job_mark(run->word, &next, &before)) {
        return false;
    }
    course->delay_ns = leat_timers_after(course->delay_ns, delay_ns);
    course->again = true;
    return true;
}

static void
attempt(struct leat_inline_run *own)
{
    struct leat_run *run = &own->run;
    struct leat_engine *engine = run->engine;
    /* Anew for each: it is another one from the first middleware on. */
    const struct leat_binding *binding = leat_binding_of(engine, leat_job_type(run->record));
    leat_error_clear(run->record); /* nobody reads it before the end */
    own->course->again = false;
    run->late = false;
    run->asked = false;
    run->attempt = run->number;
    /* As for a worker's attempt. rlx: single writer */
    atom_store_rlx(&run->record->attempts, (uint16_t)run->number);
    (void)atom_add_rlx(&engine->outside.run, 1); /* rlx: statistic */
    leat_history_begin(run, 0);
    leat_events_started(run);
    leat_run_settle(run, binding->handler(run, binding->context));
    run->number++;
}

static void
run_all(struct leat_inline_run *own)
{
    struct leat_run *run = &own->run;
    const struct leat_binding *binding = leat_binding_of(run->engine, leat_job_type(run->record));
    if (binding == NULL) {
        const struct leat_ending unknown = {LEAT_PHASE_DEAD, LEAT_REASON_UNKNOWN_TYPE, NULL, false};
        (void)leat_job_end(run->engine, run->index, unknown);
        return;
    }
    run->max_attempts = run->record->max_attempts;
    run->max_attempts = run->max_attempts == 0 ? binding->max_attempts : run->max_attempts;
    /* Ends: behind max_attempts there is no other. */
    do {
        attempt(own);
    } while (own->course->again);
}

enum leat_status
leat_inline_enter(struct leat_engine *engine)
{
    enum leat_status status = LEAT_OK;
    /* rlx: statistic */
    if (atom_add_rlx(&engine->outside.inlined, 1) >= LEAT_INLINE_MAX) {
        status = LEAT_BUSY;
    }
    if (!leat_engine_accepts(engine)) {
        status = LEAT_CLOSED;
    }
    if (status != LEAT_OK) {
        (void)atom_sub_rlx(&engine->outside.inlined, 1); /* rlx: statistic */
    }
    return status;
}

void
leat_inline_run(struct leat_engine *engine, leat_job_id id, struct leat_job_info *info,
                uint64_t *delay_ns)
{
    uint32_t index = (uint32_t)(id.bits & LEAT_INDEX_NONE);
    struct course course = {.delay_ns = 0};
    struct leat_inline_run own = {.course = &course,
                                  .run = {.engine = engine,
                                          .record = leat_job_record(engine, index),
                                          .word = leat_slab_word(&engine->jobs, index),
                                          .id = id.bits,
                                          .index = index,
                                          .number = 1,
                                          .how = LEAT_HOW_INLINE}};
    run_all(&own);
    if (info != NULL) {
        leat_job_tell(engine, id, index, info);
    }
    if (delay_ns != NULL) {
        *delay_ns = course.delay_ns;
    }
    (void)atom_sub_rlx(&engine->outside.beside, 1);  /* rlx: statistic */
    (void)atom_sub_rlx(&engine->outside.inlined, 1); /* rlx: statistic */
    leat_job_unhold(engine, index);
}

enum leat_status
leat_run_inline(struct leat_engine *engine, const struct leat_job *job, struct leat_job_info *info,
                uint64_t *delay_ns)
{
    struct leat_job_info told;
    leat_job_id id = {0};
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK && job == NULL) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK && info != NULL) {
        status = leat_struct_read(&told, sizeof(told), info); /* no answer fits it later, else */
    }
    if (status == LEAT_OK) {
        status = leat_submit_running(engine, job, &id);
    }
    if (status != LEAT_OK) {
        return status;
    }
    leat_inline_run(engine, id, &told, delay_ns);
    return info == NULL ? LEAT_OK : leat_struct_write(info, &told, sizeof(told));
}
