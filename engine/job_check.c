/* job_check.c - which field of a job is wrong. It is no part of a submit, whose own checks say yes
 * or no, and nothing else (submit.c, terms.h, labels.h, graph.h): these here say the same, and
 * where. unit_job_check compares the two. */
#include <stdio.h>
#include <string.h>

#include "engine/completion.h"
#include "engine/config.h"
#include "engine/labels.h"
#include "engine/order.h"
#include "engine/terms.h"

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

static enum leat_status
invalid(struct leat_error *error, const char *field, const char *text)
{
    return leat_error_set(error, LEAT_INVALID, field, text);
}

static enum leat_status
unsupported(struct leat_error *error, const char *field, const char *text)
{
    return leat_error_set(error, LEAT_UNSUPPORTED, field, text);
}

/* ---- the job -------------------------------------------------------------------------------- */

static enum leat_status
plain_check(const struct leat_engine *engine, const struct leat_job *job, struct leat_error *error)
{
    char payload[64];
    char levels[64];
    const uint32_t payload_max = engine->config.payload_bytes_max;
    if ((job->flags & ~LEAT_JOB_KEEP_RESULT) != 0) {
        return unsupported(error, "flags", "has a bit that this library does not know");
    }
    if (job->reserved != 0) {
        return unsupported(error, "reserved", "must be 0");
    }
    (void)snprintf(payload, sizeof(payload), "must be at most payload_bytes_max, %u", payload_max);
    (void)snprintf(levels, sizeof(levels), "must be 0 to %u, or LEAT_PRIORITY_OF_QUEUE",
                   LEAT_PRIORITY_LEVELS - 1);
    const bool of_queue = job->priority == LEAT_PRIORITY_OF_QUEUE;
    const struct leat_range_of ranges[] = {
        {"payload_bytes", job->payload_bytes, 0, payload_max, payload},
        {"max_attempts", job->max_attempts, 0, LEAT_ATTEMPTS_MAX, "must be at most 65 535"},
        {"priority", of_queue ? 0 : job->priority, 0, LEAT_PRIORITY_LEVELS - 1, levels},
    };
    if (job->payload == NULL && job->payload_bytes != 0) {
        return invalid(error, "payload", "must not be NULL where payload_bytes is not 0");
    }
    if (job->completions != NULL && job->completions->engine != engine) {
        return invalid(error, "completions", "is a queue of another engine");
    }
    return leat_ranges_check(ranges, COUNT_OF(ranges), error);
}

static enum leat_status
name_check(const char *name, const char *field, struct leat_error *error)
{
    if (leat_name_valid(name)) {
        return LEAT_OK;
    }
    return invalid(error, field, "must be 1 to 200 bytes of [A-Za-z0-9_.:/-]");
}

static enum leat_status
type_check(const struct leat_engine *engine, const struct leat_job *job, struct leat_error *error)
{
    if (job->type.bits != 0) {
        return leat_names_text(&engine->types, job->type.bits - 1) != NULL
                   ? LEAT_OK
                   : leat_error_set(error, LEAT_NOT_FOUND, "type", "is no type of this engine");
    }
    if (job->type_name == NULL) {
        return invalid(error, "type", "must be set, or type_name");
    }
    return name_check(job->type_name, "type_name", error);
}

/* Where its queue is there by now, it may want a priority. */
static enum leat_status
level_check(const struct leat_engine *engine, const struct leat_job *job, uint32_t queue,
            struct leat_error *error)
{
    if (!leat_registry_queue_there(engine, queue) || job->priority == LEAT_PRIORITY_OF_QUEUE) {
        return LEAT_OK;
    }
    return leat_order_level(leat_queue_options(engine, queue), job->priority)
               ? LEAT_OK
               : invalid(error, "priority", "must be that of its queue, which has an exact order");
}

static enum leat_status
queue_check(struct leat_engine *engine, const struct leat_job *job, struct leat_error *error)
{
    uint32_t queue = 0;
    enum leat_status status = LEAT_OK;
    if (job->queue.bits != 0) {
        queue = job->queue.bits - 1;
        status = leat_registry_queue_there(engine, queue)
                     ? LEAT_OK
                     : leat_error_set(error, LEAT_NOT_FOUND, "queue", "is no queue of this engine");
    } else if (job->queue_name != NULL) {
        status = name_check(job->queue_name, "queue_name", error);
        queue = status == LEAT_OK ? leat_names_find(&engine->queues, job->queue_name) : 0;
    }
    return status == LEAT_OK ? level_check(engine, job, queue, error) : status;
}

/* ---- its options ---------------------------------------------------------------------------- */

static enum leat_status
terms_check(const struct leat_job_options *options, struct leat_error *error)
{
    if (options->timeout_ns != LEAT_TIMEOUT_OF_TYPE && !leat_timeout_valid(options->timeout_ns)) {
        return invalid(error, "timeout_ns", "must be 0, 1 ms to 366 days, or LEAT_TIMEOUT_OF_TYPE");
    }
    if ((uint32_t)options->durability > LEAT_DURABILITY_GROUP) {
        return invalid(error, "durability", "must be one of leat_durability");
    }
    if (options->reserved != 0) {
        return unsupported(error, "reserved", "must be 0");
    }
    enum leat_status status =
        options->retry == NULL ? LEAT_OK : leat_retry_policy_check(options->retry, error);
    if (status != LEAT_OK) {
        return leat_error_within(error, status, "retry");
    }
    const bool keyed = options->key != NULL;
    const struct leat_range_of key = {"key_bytes", options->key_bytes, keyed ? 1 : 0,
                                      keyed ? LEAT_KEY_BYTES_MAX : 0,
                                      "must be 1 to 128 with a key, else 0"};
    return leat_ranges_check(&key, 1, error);
}

static enum leat_status
tags_check(const struct leat_job_options *options, struct leat_error *error)
{
    char field[24];
    if (options->tags_count > LEAT_TAGS_MAX) {
        return invalid(error, "tags_count", "must be at most 16");
    }
    if (options->tags == NULL && options->tags_count > 0) {
        return invalid(error, "tags", "must not be NULL where tags_count is not 0");
    }
    for (uint32_t i = 0; i < options->tags_count; i++) {
        const char *tag = options->tags[i];
        const size_t bytes = tag == NULL ? 0 : strnlen(tag, LEAT_TAG_BYTES_MAX + 1);
        if (bytes < 1 || bytes > LEAT_TAG_BYTES_MAX) {
            (void)snprintf(field, sizeof(field), "tags[%u]", i);
            return invalid(error, field, "must be 1 to 32 bytes");
        }
    }
    return LEAT_OK;
}

static enum leat_status
unique_check(const struct leat_job_options *options, struct leat_error *error)
{
    const bool keyed = options->unique_key != NULL;
    const bool timed = options->unique_scope == LEAT_UNIQUE_FOR_TIME;
    const uint32_t scope_max = keyed ? LEAT_UNIQUE_FOR_TIME : LEAT_UNIQUE_UNTIL_FINISHED;
    const uint32_t conflict_max = keyed ? LEAT_UNIQUE_DEBOUNCE : LEAT_UNIQUE_REJECT;
    const size_t name =
        options->name == NULL ? 1 : strnlen(options->name, LEAT_JOB_NAME_BYTES_MAX + 1);
    const struct leat_range_of ranges[] = {
        {"unique_key_bytes", options->unique_key_bytes, keyed ? 1 : 0,
         keyed ? LEAT_UNIQUE_KEY_BYTES_MAX : 0, "must be 1 to 128 with a unique_key, else 0"},
        {"unique_scope", (uint32_t)options->unique_scope, 0, scope_max,
         "must be one of leat_unique_scope, and 0 without a unique_key"},
        {"unique_conflict", (uint32_t)options->unique_conflict, 0, conflict_max,
         "must be one of leat_unique_conflict, and 0 without a unique_key"},
        {"unique_for_ns", options->unique_for_ns, timed ? 1 : 0, timed ? UINT64_MAX : 0,
         "must be set with LEAT_UNIQUE_FOR_TIME, and only then"},
        {"name", name, 1, LEAT_JOB_NAME_BYTES_MAX, "must be 1 to 128 bytes"},
    };
    return leat_ranges_check(ranges, COUNT_OF(ranges), error);
}

static enum leat_status
ties_check(const struct leat_engine *engine, const struct leat_job_options *options,
           struct leat_error *error)
{
    const struct leat_completion_queue *acknowledgements = options->acknowledgements;
    const struct leat_range_of ranges[] = {
        {"parents_count", options->parents_count, 0, LEAT_PARENTS_MAX, "must be at most 65 535"},
        {"parent_policy", (uint32_t)options->parent_policy, 0, LEAT_PARENT_WAIT,
         "must be one of leat_parent_policy"},
    };
    enum leat_status status = leat_ranges_check(ranges, COUNT_OF(ranges), error);
    if (status == LEAT_OK && options->parents == NULL && options->parents_count != 0) {
        status = invalid(error, "parents", "must not be NULL where parents_count is not 0");
    }
    if (status != LEAT_OK || acknowledgements == NULL) {
        return status;
    }
    if (acknowledgements->engine != engine) {
        return invalid(error, "acknowledgements", "is a queue of another engine");
    }
    return options->parents_count == 0 && options->cohort.bits == 0
               ? LEAT_OK
               : unsupported(error, "acknowledgements",
                             "is not for a job with parents or a cohort");
}

/* The names of fields are those of the options. */
static enum leat_status
known_check(const struct leat_engine *engine, const struct leat_job *job,
            const struct leat_job_options *options, struct leat_error *error)
{
    enum leat_status status = terms_check(options, error);
    if (status == LEAT_OK && job->delay_ns != 0 && options->run_at_ns != 0) {
        status = invalid(error, "run_at_ns", "must be 0 where the job has a delay_ns");
    }
    if (status == LEAT_OK) {
        status = tags_check(options, error);
    }
    if (status == LEAT_OK) {
        status = unique_check(options, error);
    }
    return status == LEAT_OK ? ties_check(engine, options, error) : status;
}

static enum leat_status
options_check(const struct leat_engine *engine, const struct leat_job *job,
              struct leat_error *error)
{
    struct leat_job_options known = leat_job_options_default();
    enum leat_status status = leat_struct_read(&known, sizeof(known), job->options);
    if (status == LEAT_OK) {
        status = known_check(engine, job, &known, error);
    } else {
        status = leat_struct_refuse(job->options, status, "leat_job_options_default", error);
    }
    return status == LEAT_OK ? LEAT_OK : leat_error_within(error, status, "options");
}

/* ---- all ------------------------------------------------------------------------------------ */

enum leat_status
leat_job_check(struct leat_engine *engine, const struct leat_job *job, struct leat_error *error)
{
    struct leat_job known = leat_job_default();
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return leat_error_set(error, status, "engine",
                              status == LEAT_FORKED ? leat_status_text(status)
                                                    : "must not be NULL");
    }
    if (job == NULL) {
        return invalid(error, "job", "must not be NULL");
    }
    status = leat_struct_read(&known, sizeof(known), job);
    if (status != LEAT_OK) {
        return leat_struct_refuse(job, status, "leat_job_default", error);
    }
    status = plain_check(engine, &known, error);
    if (status == LEAT_OK && known.options != NULL) {
        status = options_check(engine, &known, error);
    }
    if (status == LEAT_OK) {
        status = queue_check(engine, &known, error);
    }
    if (status == LEAT_OK) {
        status = type_check(engine, &known, error);
    }
    return status == LEAT_OK ? leat_error_set(error, LEAT_OK, "", "ok") : status;
}
