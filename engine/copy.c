/* copy.c - see copy.h. The same walk counts the bytes and copies them, so both agree. */
#include "engine/copy.h"

#include <string.h>

#include "engine/config.h"
#include "engine/limits.h"

/* Without a block it counts only, and what it returns is not to be read. */
struct room {
    unsigned char *block;
    size_t used;
};

static const void *
put(struct room *room, const void *from, size_t bytes)
{
    unsigned char *to = room->block == NULL ? NULL : room->block + room->used;
    if (from == NULL || bytes == 0) {
        return NULL;
    }
    room->used += leat_round_up(bytes, LEAT_PAYLOAD_ALIGNMENT);
    if (to != NULL) {
        memcpy(to, from, bytes);
    }
    return to;
}

static const char *
put_text(struct room *room, const char *text)
{
    return put(room, text, text == NULL ? 0 : strlen(text) + 1);
}

static const struct leat_retry_policy *
put_policy(struct room *room, const struct leat_retry_policy *given)
{
    struct leat_retry_policy policy = leat_retry_policy_default();
    if (given == NULL) {
        return NULL;
    }
    enum leat_status status = leat_struct_read(&policy, sizeof(policy), given);
    LEAT_ASSERT(status == LEAT_OK);
    uint32_t count = policy.kind == LEAT_RETRY_LIST ? policy.delays_count : 0;
    policy.size = (uint32_t)sizeof(policy);
    policy.delays_ns = put(room, policy.delays_ns, sizeof(*policy.delays_ns) * count);
    return put(room, &policy, sizeof(policy));
}

static const char *const *
put_tags(struct room *room, const struct leat_job_options *options)
{
    const char *tags[LEAT_TAGS_MAX] = {NULL};
    for (uint32_t i = 0; i < options->tags_count; i++) {
        tags[i] = put_text(room, options->tags[i]);
    }
    return put(room, tags, sizeof(tags[0]) * options->tags_count);
}

static const struct leat_job_options *
put_options(struct room *room, const struct leat_job_options *given)
{
    struct leat_job_options options = leat_job_options_default();
    if (given == NULL) {
        return NULL;
    }
    enum leat_status status = leat_struct_read(&options, sizeof(options), given);
    LEAT_ASSERT(status == LEAT_OK);
    LEAT_ASSERT(options.parents_count == 0);
    options.size = (uint32_t)sizeof(options);
    options.retry = put_policy(room, options.retry);
    options.key = put(room, options.key, options.key_bytes);
    options.unique_key = put(room, options.unique_key, options.unique_key_bytes);
    options.name = put_text(room, options.name);
    options.tags = put_tags(room, &options);
    options.parents = NULL;
    return put(room, &options, sizeof(options));
}

static struct leat_job
put_all(struct room *room, const struct leat_job *job)
{
    struct leat_job copy = *job;
    copy.payload = put(room, job->payload, job->payload_bytes);
    copy.options = put_options(room, job->options);
    return copy;
}

size_t
leat_copy_bytes(const struct leat_job *job)
{
    struct room room = {NULL, 0};
    (void)put_all(&room, job);
    return room.used;
}

void
leat_copy_make(struct leat_job *copy, const struct leat_job *job, void *block)
{
    struct room room = {block, 0};
    *copy = put_all(&room, job);
}
