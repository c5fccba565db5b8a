/* acknowledge.c - whom a submit is told that does not wait, by a completion queue or a call of the
 * host's, as far as there is no log in between: see durable/transit.c. */
#include "engine/completion.h"
#include "engine/durable/durable.h"
#include "engine/intake.h"
#include "engine/terms.h"

enum leat_status
leat_intake_acknowledges_check(const struct leat_engine *engine, const struct leat_job *job,
                               const struct leat_job_options *options, struct leat_intake *intake)
{
    struct leat_completion_queue *queue = options->acknowledgements;
    intake->calls = options->acknowledged != NULL;
    if (!intake->calls && queue == NULL) {
        return LEAT_OK;
    }
    if ((intake->calls && queue != NULL) || (queue != NULL && queue->engine != engine)) {
        return LEAT_INVALID;
    }
    if (intake->calls) {
        intake->acknowledges.options = job->options;
    } else {
        intake->acknowledges.queue = queue;
    }
    return intake->ties.noded ? LEAT_UNSUPPORTED : LEAT_OK;
}

uint32_t
leat_intake_acknowledgement(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_extra *extra = leat_job_extra(leat_job_record(engine, index));
    return extra == NULL ? 0 : extra->acknowledgement;
}

enum leat_status
leat_intake_acknowledgement_make(struct leat_engine *engine, const struct leat_job *job,
                                 const struct leat_intake *intake)
{
    struct leat_completion_queue *queue = intake->calls ? NULL : intake->acknowledges.queue;
    if (queue == NULL) {
        return LEAT_OK;
    }
    struct leat_job_extra *extra =
        leat_job_extra_make(engine, leat_job_record(engine, intake->index));
    return extra == NULL ? LEAT_NO_MEMORY
                         : leat_completion_reserve(queue, job->user, &extra->acknowledgement);
}

void
leat_intake_acknowledge(struct leat_engine *engine, const struct leat_intake *intake,
                        leat_job_id id)
{
    const struct leat_completion_end end = {.id = id,
                                            .phase = intake->due.time != 0 ? LEAT_PHASE_SCHEDULED
                                                                           : LEAT_PHASE_PENDING,
                                            .kind = LEAT_COMPLETION_ACKNOWLEDGED};
    if (intake->calls) {
        struct leat_job_options room;
        const struct leat_job_options *options =
            leat_terms_read(intake->acknowledges.options, &room);
        const struct leat_acknowledger who = {options->acknowledged, options->acknowledged_context};
        leat_acknowledge(engine, &who, id, LEAT_OK);
    } else {
        leat_completion_deliver(engine, intake->told, end);
    }
}
