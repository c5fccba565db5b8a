/* terms.c - what a job has of its own, see terms.h. */
#include "engine/terms.h"

#include "engine/keys.h"
#include "engine/labels.h"
#include "engine/order.h"
#include "engine/timers.h"

static enum leat_status
known_check(const struct leat_job_options *known)
{
    enum leat_status status = LEAT_OK;
    if (known->timeout_ns != LEAT_TIMEOUT_OF_TYPE && !leat_timeout_valid(known->timeout_ns)) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK && known->durability > LEAT_DURABILITY_GROUP) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK && known->reserved != 0) {
        status = LEAT_UNSUPPORTED;
    }
    if (status == LEAT_OK && known->retry != NULL) {
        status = leat_retry_policy_check(known->retry, NULL);
    }
    if (status == LEAT_OK) {
        status = leat_keys_check_options(known);
    }
    return status;
}

enum leat_status
leat_terms_check(const struct leat_job_options *given, struct leat_job_options *room,
                 const struct leat_job_options **known)
{
    enum leat_status status = LEAT_OK;
    *known = given;
    if (given == NULL || given->size != sizeof(*given) || given->version != LEAT_STRUCT_VERSION) {
        *known = room;
        *room = leat_job_options_default();
        status = given == NULL ? LEAT_OK : leat_struct_read(room, sizeof(*room), given);
    }
    return given == NULL || status != LEAT_OK ? status : known_check(*known);
}

static uint64_t
now_of(const struct leat_engine *engine)
{
    return leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
}

static enum leat_status
submitter_make(struct leat_engine *engine, uint32_t index, leat_job_id submitter)
{
    struct leat_job_extra *extra = leat_job_extra_make(engine, leat_job_record(engine, index));
    if (extra == NULL) {
        return LEAT_NO_MEMORY;
    }
    extra->submitter = submitter.bits;
    return LEAT_OK;
}

enum leat_status
leat_terms_make(struct leat_engine *engine, uint32_t index, const struct leat_job_options *given)
{
    struct leat_job_options room;
    const struct leat_job_options *known = leat_terms_read(given, &room);
    enum leat_status status = LEAT_OK;
    bool own = known->timeout_ns != LEAT_TIMEOUT_OF_TYPE || known->expires_in_ns != LEAT_FOREVER ||
               known->retry != NULL;
    if (known->submitter.bits != 0) {
        status = submitter_make(engine, index, known->submitter);
    }
    if (known->key != NULL && status == LEAT_OK) {
        status = leat_keys_make(engine, index, known);
    }
    if (!own || status != LEAT_OK) {
        return status;
    }
    struct leat_job_extra *extra = leat_job_extra_make(engine, leat_job_record(engine, index));
    struct leat_job_terms *terms =
        extra == NULL ? NULL : leat_memory_take(&engine->memory, sizeof(*terms));
    if (terms == NULL) {
        return LEAT_NO_MEMORY;
    }
    terms->timeout_ns = known->timeout_ns;
    uint64_t expires_ns = known->expires_in_ns == LEAT_FOREVER
                              ? LEAT_FOREVER
                              : leat_timers_after(now_of(engine), known->expires_in_ns);
    atom_init(&terms->expires_ns, expires_ns);
    terms->backs_off = known->retry != NULL;
    if (terms->backs_off) {
        status = leat_backoff_read(&terms->backoff, known->retry, NULL);
    }
    extra->terms = terms;
    if (expires_ns != LEAT_FOREVER) {
        leat_sweep_expect(engine, expires_ns);
    }
    if (known->timeout_ns != LEAT_TIMEOUT_OF_TYPE) {
        leat_watch_expect(engine, known->timeout_ns);
    }
    return status;
}

enum leat_status
leat_terms_fill(struct leat_engine *engine, uint32_t index, uint32_t queue,
                const struct leat_job *job)
{
    enum leat_status status = LEAT_OK;
    if (job->options != NULL) {
        status = leat_terms_make(engine, index, job->options);
        status = status == LEAT_OK ? leat_labels_make(engine, index, job) : status;
    }
    if (leat_order_exact(engine, queue) && status == LEAT_OK) {
        status = leat_order_make(engine, index, queue, job->options);
    }
    return status;
}

void
leat_terms_free(struct leat_engine *engine, struct leat_job_extra *extra)
{
    leat_memory_give(&engine->memory, extra->terms, sizeof(*extra->terms));
    extra->terms = NULL;
    leat_keys_free(engine, extra);
    leat_order_free(engine, extra);
}

static const struct leat_job_terms *
terms_of(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_extra *extra = leat_job_extra(leat_job_record(engine, index));
    return extra == NULL ? NULL : extra->terms;
}

uint64_t
leat_terms_timeout_ns(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_terms *terms = terms_of(engine, index);
    const struct leat_binding *binding =
        leat_binding_of(engine, leat_job_type(leat_job_record(engine, index)));
    if (terms != NULL && terms->timeout_ns != LEAT_TIMEOUT_OF_TYPE) {
        return terms->timeout_ns;
    }
    return binding == NULL ? 0 : binding->timeout_ns;
}

const struct leat_backoff *
leat_terms_backoff(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_terms *terms = terms_of(engine, index);
    if (terms != NULL && terms->backs_off) {
        return &terms->backoff;
    }
    const struct leat_binding *binding =
        leat_binding_of(engine, leat_job_type(leat_job_record(engine, index)));
    return binding == NULL ? &engine->backoff : &binding->backoff;
}

uint64_t
leat_terms_expires_ns(const struct leat_job_extra *extra)
{
    /* rlx: ordered by change:A */
    return extra->terms == NULL ? LEAT_FOREVER : atom_load_rlx(&extra->terms->expires_ns);
}

bool
leat_terms_expired(const struct leat_engine *engine, const struct leat_job_extra *extra)
{
    uint64_t expires_ns = leat_terms_expires_ns(extra);
    return expires_ns != LEAT_FOREVER && now_of(engine) >= expires_ns;
}
