/* record.c - see record.h. */
#include "engine/durable/record.h"

#include <stddef.h>
#include <string.h>

#include "engine/config.h"
#include "engine/job.h"

/* ---- writing -------------------------------------------------------------------------------- */

/* What does not fit is counted only. */
struct room {
    unsigned char *to;
    size_t bytes;
    size_t used;
};

static void
put(struct room *room, const void *from, size_t bytes)
{
    if (bytes != 0 && room->used + bytes <= room->bytes) {
        memcpy(room->to + room->used, from, bytes);
    }
    room->used += bytes;
}

static void
put_text(struct room *room, const char *text)
{
    if (text != NULL) {
        put(room, text, strlen(text) + 1);
    }
}

static uint16_t
text_bytes(const char *text)
{
    return text == NULL ? 0 : (uint16_t)(strlen(text) + 1);
}

enum leat_status
leat_durable_job_read(struct leat_durable_job *read, const struct leat_job *job)
{
    enum leat_status status = LEAT_OK;
    *read = (struct leat_durable_job){.job = job, .options = leat_job_options_default()};
    if (job->options != NULL) {
        status = leat_struct_read(&read->options, sizeof(read->options), job->options);
    }
    if (status == LEAT_OK && read->options.retry != NULL) {
        status = leat_struct_read(&read->retry, sizeof(read->retry), read->options.retry);
    }
    if (status != LEAT_OK) {
        return status;
    }
    bool lives_here = read->options.retry != NULL && read->retry.kind == LEAT_RETRY_FUNCTION;
    read->watch.member_of = read->options.cohort.bits;
    return lives_here ? LEAT_UNSUPPORTED : LEAT_OK;
}

static uint32_t
watch_bytes(const struct leat_durable_job *job)
{
    const struct leat_durable_watch *watch = &job->watch;
    bool any = watch->member_of != 0 || watch->called_by != 0 || watch->is_cohort != 0;
    return any ? (uint32_t)sizeof(*watch) : 0;
}

static uint32_t
ties_bytes(const struct leat_durable_job *job)
{
    const uint32_t parents = (uint32_t)sizeof(struct leat_durable_parent) * job->parents_count;
    const uint32_t bytes = parents + watch_bytes(job);
    return bytes == 0 ? 0 : (uint32_t)sizeof(struct leat_durable_ties) + bytes;
}

static void
put_ties(struct room *room, const struct leat_durable_job *job)
{
    const struct leat_durable_ties ties = {.policy = (uint32_t)job->options.parent_policy,
                                           .count = job->parents_count,
                                           .delay_ns = job->job->delay_ns,
                                           .run_at_ns = job->options.run_at_ns};
    if (ties_bytes(job) != 0) {
        put(room, &ties, sizeof(ties));
        put(room, job->parents, sizeof(*job->parents) * job->parents_count);
        put(room, &job->watch, watch_bytes(job));
    }
}

static struct leat_durable_content
content_of(const struct leat_durable_job *job)
{
    const struct leat_job_options *options = &job->options;
    const struct leat_retry_policy *retry = options->retry == NULL ? NULL : &job->retry;
    const bool expires = options->expires_in_ns != LEAT_FOREVER;
    const uint64_t left_ns = LEAT_FOREVER - 1 - job->submit_ns;
    struct leat_durable_content content = {
        .format = LEAT_DURABLE_FORMAT,
        .max_attempts = (uint16_t)job->job->max_attempts,
        .type_bytes = text_bytes(job->type),
        .queue_bytes = text_bytes(job->queue),
        .name_bytes = text_bytes(options->name),
        .key_bytes = (uint16_t)(options->key == NULL ? 0 : options->key_bytes),
        .unique_bytes = (uint16_t)options->unique_key_bytes,
        .tags_count = (uint16_t)options->tags_count,
        .unique_scope = options->unique_scope,
        .unique_conflict = options->unique_conflict,
        .order_priority = options->order_priority,
        .payload_bytes = (uint32_t)job->job->payload_bytes,
        .sequence = job->sequence,
        .submit_ns = job->submit_ns,
        .expires_ns = LEAT_FOREVER,
        .timeout_ns = options->timeout_ns,
        .unique_for_ns = options->unique_for_ns,
        .submitter = options->submitter.bits,
        .ties_bytes = ties_bytes(job),
    };
    if (expires) {
        content.expires_ns =
            job->submit_ns + (options->expires_in_ns < left_ns ? options->expires_in_ns : left_ns);
    }
    if (retry != NULL) {
        content.retries = 1;
        content.retry_kind = retry->kind;
        content.retry_jitter = retry->jitter_percent;
        content.retry_base = retry->base;
        content.retry_delay_ns = retry->delay_ns;
        content.retry_delay_ns_max = retry->delay_ns_max;
        content.delays_count = retry->kind == LEAT_RETRY_LIST ? retry->delays_count : 0;
    }
    return content;
}

size_t
leat_durable_content_put(const struct leat_durable_job *job,
                         unsigned char *to, /* NOLINT(readability-non-const-parameter) */
                         size_t bytes)
{
    struct room room = {to, bytes, 0};
    const struct leat_durable_content content = content_of(job);
    put(&room, &content, sizeof(content));
    put_text(&room, job->type);
    put_text(&room, job->queue);
    put_text(&room, job->options.name);
    put(&room, job->options.key, content.key_bytes);
    put(&room, job->options.unique_key, content.unique_bytes);
    for (uint32_t i = 0; i < content.tags_count; i++) {
        put_text(&room, job->options.tags[i]);
    }
    put(&room, job->retry.delays_ns, sizeof(uint64_t) * content.delays_count);
    put_ties(&room, job);
    return room.used;
}

/* ---- reading -------------------------------------------------------------------------------- */

/* Of `left` bytes that are there; NULL from the first that is not as it should be. */
struct rest {
    const unsigned char *at;
    size_t left;
};

static const unsigned char *
take(struct rest *rest, size_t bytes)
{
    const unsigned char *at = rest->at;
    if (at == NULL || bytes > rest->left) {
        rest->at = NULL;
        return NULL;
    }
    rest->at += bytes;
    rest->left -= bytes;
    return at;
}

/* With its 0; 0 bytes: there is none, and NULL. */
static const char *
take_text(struct rest *rest, size_t bytes)
{
    const unsigned char *text = bytes == 0 ? NULL : take(rest, bytes);
    if (text != NULL && memchr(text, 0, bytes) != text + bytes - 1) {
        rest->at = NULL;
        return NULL;
    }
    return (const char *)text;
}

static const char *
take_tag(struct rest *rest)
{
    size_t most = rest->left < LEAT_TAG_BYTES_MAX + 1 ? rest->left : LEAT_TAG_BYTES_MAX + 1;
    const unsigned char *end = rest->at == NULL ? NULL : memchr(rest->at, 0, most);
    if (end == NULL) {
        rest->at = NULL;
        return NULL;
    }
    return take_text(rest, (size_t)(end - rest->at) + 1);
}

static void
retry_read(struct leat_durable_found *found, const struct leat_durable_content *content,
           struct rest *rest)
{
    const unsigned char *delays = take(rest, sizeof(uint64_t) * content->delays_count);
    found->retry = leat_retry_policy_default();
    found->retry.kind = content->retry_kind;
    found->retry.jitter_percent = content->retry_jitter;
    found->retry.base = content->retry_base;
    found->retry.delay_ns = content->retry_delay_ns;
    found->retry.delay_ns_max = content->retry_delay_ns_max;
    if (content->delays_count != 0 && delays != NULL) {
        memcpy(found->delays_ns, delays, sizeof(uint64_t) * content->delays_count);
        found->retry.delays_ns = found->delays_ns;
        found->retry.delays_count = content->delays_count;
    }
    found->options.retry = &found->retry;
}

static void
options_read(struct leat_durable_found *found, const struct leat_durable_content *content,
             struct rest *rest)
{
    struct leat_job_options *options = &found->options;
    *options = leat_job_options_default();
    options->name = take_text(rest, content->name_bytes);
    options->key = content->key_bytes == 0 ? NULL : take(rest, content->key_bytes);
    options->key_bytes = content->key_bytes;
    options->unique_key = content->unique_bytes == 0 ? NULL : take(rest, content->unique_bytes);
    options->unique_key_bytes = content->unique_bytes;
    options->unique_scope = content->unique_scope;
    options->unique_conflict = content->unique_conflict;
    options->unique_for_ns = content->unique_for_ns;
    options->timeout_ns = content->timeout_ns;
    options->order_priority = content->order_priority;
    options->submitter.bits = content->submitter;
    options->tags_count = content->tags_count;
    options->tags = content->tags_count == 0 ? NULL : found->tags;
    for (uint32_t i = 0; i < content->tags_count; i++) {
        found->tags[i] = take_tag(rest);
    }
    if (content->retries != 0) {
        retry_read(found, content, rest);
    }
}

/* False: it is not as it should be. */
static bool
ties_read(struct leat_durable_found *found, size_t bytes, struct rest *rest)
{
    const unsigned char *head = take(rest, sizeof(found->ties));
    if (head == NULL) {
        return false;
    }
    memcpy(&found->ties, head, sizeof(found->ties));
    size_t parents = sizeof(struct leat_durable_parent) * found->ties.count;
    found->parents = take(rest, parents);
    bytes -= sizeof(found->ties);
    if (bytes == parents + sizeof(found->watch)) {
        const unsigned char *watch = take(rest, sizeof(found->watch));
        if (watch != NULL) {
            memcpy(&found->watch, watch, sizeof(found->watch));
        }
        bytes = parents;
    } else if (parents == 0) {
        return false;
    }
    return found->ties.count <= LEAT_PARENTS_MAX && found->ties.policy <= LEAT_PARENT_WAIT &&
           bytes == parents;
}

struct leat_durable_parent
leat_durable_parent_of(const struct leat_durable_found *found, uint32_t number)
{
    struct leat_durable_parent parent;
    memcpy(&parent, found->parents + sizeof(parent) * number, sizeof(parent));
    return parent;
}

enum leat_status
leat_durable_sequence_read(uint64_t *sequence, const unsigned char *bytes, size_t count)
{
    if (count < sizeof(struct leat_durable_content)) {
        return LEAT_CORRUPT;
    }
    memcpy(sequence, bytes + offsetof(struct leat_durable_content, sequence), sizeof(*sequence));
    return LEAT_OK;
}

/* What is said of it beside its type, its queue and its payload is said by default. */
static bool
is_plain(const struct leat_durable_content *content)
{
    const uint32_t bytes = content->name_bytes | content->key_bytes | content->unique_bytes |
                           content->tags_count | content->delays_count;
    const uint64_t said = content->unique_scope | content->unique_conflict |
                          content->order_priority | content->retries | content->ties_bytes |
                          content->unique_for_ns | content->submitter;
    return (bytes | said) == 0 && content->expires_ns == LEAT_FOREVER &&
           content->timeout_ns == LEAT_TIMEOUT_OF_TYPE;
}

enum leat_status
leat_durable_content_read(struct leat_durable_found *found, const unsigned char *bytes,
                          size_t count)
{
    struct leat_durable_content content;
    struct rest rest = {bytes, count};
    const unsigned char *head = take(&rest, sizeof(content));
    if (head == NULL) {
        return LEAT_CORRUPT;
    }
    memcpy(&content, head, sizeof(content));
    if (content.format != LEAT_DURABLE_FORMAT) {
        return LEAT_UNSUPPORTED;
    }
    if (content.tags_count > LEAT_TAGS_MAX || content.delays_count > LEAT_RETRY_DELAYS_MAX) {
        return LEAT_CORRUPT;
    }
    found->job = leat_job_default();
    found->sequence = content.sequence;
    found->expires_ns = content.expires_ns;
    found->submit_ns = content.submit_ns;
    found->ties = (struct leat_durable_ties){.count = 0};
    found->parents = NULL;
    found->watch = (struct leat_durable_watch){.member_of = 0};
    found->plain = is_plain(&content);
    found->job.max_attempts = content.max_attempts;
    found->job.type_name = take_text(&rest, content.type_bytes);
    found->job.queue_name = take_text(&rest, content.queue_bytes);
    options_read(found, &content, &rest);
    if (content.ties_bytes != 0 && !ties_read(found, content.ties_bytes, &rest)) {
        return LEAT_CORRUPT;
    }
    found->options.parent_policy = (enum leat_parent_policy)found->ties.policy;
    found->job.options = &found->options;
    found->job.payload_bytes = content.payload_bytes;
    found->job.payload = content.payload_bytes == 0 ? NULL : take(&rest, content.payload_bytes);
    return rest.at != NULL && rest.left == 0 ? LEAT_OK : LEAT_CORRUPT;
}

enum leat_status
leat_durable_parts_read(struct leat_durable_parts *parts, const unsigned char *data, size_t bytes)
{
    struct rest rest = {data, bytes};
    const unsigned char *head = take(&rest, sizeof(parts->state));
    if (head == NULL) {
        return LEAT_CORRUPT;
    }
    memcpy(&parts->state, head, sizeof(parts->state));
    if (parts->state.format != LEAT_DURABLE_FORMAT &&
        parts->state.format != LEAT_DURABLE_FORMAT_ATTEMPTS) {
        return LEAT_UNSUPPORTED;
    }
    parts->content = take(&rest, parts->state.content_bytes);
    parts->error = take(&rest, parts->state.error_bytes);
    parts->result = take(&rest, parts->state.result_bytes);
    parts->attempts = take(&rest, parts->state.attempts_bytes);
    bool whole =
        (parts->state.image != 0) == (parts->state.content_bytes != 0) &&
        (parts->state.format == LEAT_DURABLE_FORMAT_ATTEMPTS) == (parts->state.attempts_bytes != 0);
    return rest.at != NULL && rest.left == 0 && whole && parts->state.phase < LEAT_PHASE_COUNT &&
                   leat_durable_attempts_check(parts->attempts, parts->state.attempts_bytes)
               ? LEAT_OK
               : LEAT_CORRUPT;
}

/* Of a text that a record has, with its 0; or has not. */
static const char *
take_wanted(struct rest *rest, size_t bytes, bool wanted)
{
    if ((bytes > 1) != wanted) {
        rest->at = NULL;
    }
    return wanted ? take_text(rest, bytes) : NULL;
}

enum leat_status
leat_durable_schedule_parts(struct leat_durable_schedule_parts *parts, const unsigned char *data,
                            size_t bytes)
{
    struct rest rest = {data, bytes};
    struct leat_durable_schedule *head = &parts->head;
    const unsigned char *from = take(&rest, sizeof(*head));
    if (from == NULL) {
        return LEAT_CORRUPT;
    }
    memcpy(head, from, sizeof(*head));
    if (head->format != LEAT_DURABLE_FORMAT) {
        return LEAT_UNSUPPORTED;
    }
    bool defines = head->content_bytes != 0;
    parts->name = take_wanted(&rest, head->name_bytes, true);
    parts->spec = take_wanted(&rest, head->spec_bytes, defines);
    parts->zone = take_wanted(&rest, head->zone_bytes, defines);
    parts->content = defines ? take(&rest, head->content_bytes) : NULL;
    bool fits = rest.at != NULL && rest.left == 0 && head->name_bytes <= LEAT_NAME_BYTES_MAX + 1;
    return fits && head->overlap <= LEAT_OVERLAP_ALLOW && head->missed <= LEAT_MISSED_ALL
               ? LEAT_OK
               : LEAT_CORRUPT;
}
