/* submit_inline.c - jobs that run in the call that submits them. They are never in a log. */
#include "engine/durable/durable.h"
#include "engine/events.h"
#include "engine/intake.h"

/* pre: leat_inline_enter(), which leat_inline_run() takes back. */
leat_job_id
leat_intake_run(struct leat_engine *engine, uint32_t index, bool kept)
{
    (void)atom_add_rlx(&engine->outside.beside, 1); /* rlx: statistic */
    leat_events_submitted(engine, index);
    return leat_intake_publish(engine, index, kept,
                               LEAT_PHASE_RUNNING | LEAT_WORD_HOLD | leat_word_attempt(1));
}

enum leat_status
leat_submit_running(struct leat_engine *engine, const struct leat_job *given, leat_job_id *id)
{
    struct leat_job copy;
    const struct leat_job *job = NULL;
    struct leat_intake intake = {.index = 0};
    enum leat_status status = leat_intake_read(given, &copy, &job);
    if (status == LEAT_OK) {
        status = leat_intake_check(engine, job, &intake);
    }
    if (status == LEAT_OK && intake.ties.noded) {
        status = LEAT_UNSUPPORTED;
    }
    if (status == LEAT_OK) {
        status = leat_inline_enter(engine);
    }
    if (status != LEAT_OK) {
        return status;
    }
    status = leat_intake_fill(engine, job, &intake);
    if (status == LEAT_OK && engine->submits == LEAT_SUBMITS_DURABLE) {
        status = leat_durable_id(engine, intake.index);
        if (status != LEAT_OK) {
            leat_intake_refuse(engine, &intake);
        }
    }
    if (status == LEAT_OK) {
        intake.told = leat_intake_acknowledgement(engine, intake.index);
        *id = leat_intake_run(engine, intake.index, (job->flags & LEAT_JOB_KEEP_RESULT) != 0);
        if (intake.told != 0 || intake.calls) {
            leat_intake_acknowledge(engine, &intake, *id);
        }
    } else {
        (void)atom_sub_rlx(&engine->outside.inlined, 1); /* rlx: statistic */
    }
    return status;
}
