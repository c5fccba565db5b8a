/* backoff.c - retry policies: checked and copied, and what they say behind an attempt. */
#include "engine/backoff.h"

#include <string.h>

#define SECOND_NS UINT64_C(1000000000)
/* Of QUARTIC where the caller does not say: enough that jobs which failed at one moment, with what
 * they all need, do not come back at one moment. */
#define JITTER_PERCENT 10

/* ---- delays --------------------------------------------------------------------------------- */

/* a * b, at most `most`. pre: a <= most. */
static uint64_t
times(uint64_t a, uint64_t b, uint64_t most)
{
    return b != 0 && a > most / b ? most : a * b;
}

static uint64_t
quartic(const struct leat_backoff *backoff, uint32_t attempt)
{
    uint64_t delay_ns = backoff->delay_ns;
    for (uint32_t i = 0; i < 4; i++) {
        delay_ns = times(delay_ns, attempt, backoff->delay_ns_max);
    }
    return delay_ns;
}

static uint64_t
exponential(const struct leat_backoff *backoff, uint32_t attempt)
{
    uint64_t delay_ns = backoff->delay_ns;
    /* Ends soon: the delay is at least doubled each time. */
    for (uint32_t i = 1; i < attempt && delay_ns < backoff->delay_ns_max; i++) {
        delay_ns = times(delay_ns, backoff->base, backoff->delay_ns_max);
    }
    return delay_ns;
}

static uint64_t
listed(const struct leat_backoff *backoff, uint32_t attempt)
{
    uint32_t last = backoff->delays_count - 1;
    return backoff->delays_ns[attempt - 1 < last ? attempt - 1 : last];
}

static uint64_t
middle_of(const struct leat_backoff *backoff, const struct leat_failure *failure)
{
    switch (backoff->kind) {
    case LEAT_RETRY_QUARTIC:
        return quartic(backoff, failure->attempt);
    case LEAT_RETRY_EXPONENTIAL:
        return exponential(backoff, failure->attempt);
    case LEAT_RETRY_LIST:
        return listed(backoff, failure->attempt);
    case LEAT_RETRY_FUNCTION:
        return backoff->function(failure, backoff->context);
    case LEAT_RETRY_FIXED:
        break;
    }
    return backoff->delay_ns;
}

/* Any of the delays around the middle. That the lower ones are more likely is not to be seen: by
 * one part in 2^8 for a delay of a year, and in 2^33 for one of a second. */
static uint64_t
jitter(uint64_t middle_ns, uint32_t percent, uint64_t random)
{
    uint64_t reach_ns = middle_ns * percent / 100;
    return middle_ns - reach_ns + random % (2 * reach_ns + 1);
}

uint64_t
leat_backoff_delay(const struct leat_backoff *backoff, const struct leat_failure *failure,
                   uint64_t random)
{
    LEAT_ASSERT(failure->attempt >= 1);
    uint64_t middle_ns = middle_of(backoff, failure);
    if (middle_ns == LEAT_FOREVER) {
        return LEAT_FOREVER;
    }
    middle_ns = middle_ns < LEAT_RETRY_NS_MAX ? middle_ns : LEAT_RETRY_NS_MAX;
    uint64_t delay_ns = jitter(middle_ns, backoff->jitter_percent, random);
    return delay_ns < LEAT_RETRY_NS_MAX ? delay_ns : LEAT_RETRY_NS_MAX;
}

/* Source: Sebastiano Vigna, "splitmix64", 2015. Its state is the attempt, so no thread has to
 * share one. */
uint64_t
leat_backoff_random(uint64_t seed, const struct leat_failure *failure)
{
    uint64_t mixed = seed ^ failure->id.bits;
    mixed += UINT64_C(0x9e3779b97f4a7c15) * ((uint64_t)failure->attempt + 1);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

/* ---- policies ------------------------------------------------------------------------------- */

static struct leat_retry_policy
policy_defaults(void)
{
    struct leat_retry_policy policy;
    memset(&policy, 0, sizeof(policy));
    policy.size = (uint32_t)sizeof(policy);
    policy.version = LEAT_STRUCT_VERSION;
    policy.kind = LEAT_RETRY_QUARTIC;
    policy.jitter_percent = LEAT_AUTO;
    policy.delay_ns = SECOND_NS;
    policy.delay_ns_max = LEAT_RETRY_NS_MAX;
    policy.base = 2;
    return policy;
}

void
leat_retry_policy_init(struct leat_retry_policy *policy, size_t size)
{
    struct leat_retry_policy ours = policy_defaults();
    leat_struct_init(policy, size, &ours, sizeof(ours));
}

static enum leat_status
invalid(struct leat_error *error, const char *field, const char *text)
{
    return leat_error_set(error, LEAT_INVALID, field, text);
}

static enum leat_status
delay_check(uint64_t delay_ns, const char *field, struct leat_error *error)
{
    if (delay_ns > LEAT_RETRY_NS_MAX) {
        return invalid(error, field, "must be at most 366 days");
    }
    return LEAT_OK;
}

/* Where the delay grows, it must have something to grow from, and room for it. */
static enum leat_status
growing_check(const struct leat_retry_policy *policy, struct leat_error *error)
{
    enum leat_status status = delay_check(policy->delay_ns_max, "delay_ns_max", error);
    if (status != LEAT_OK) {
        return status;
    }
    if (policy->delay_ns < 1 || policy->delay_ns > policy->delay_ns_max) {
        return invalid(error, "delay_ns", "must be 1 to delay_ns_max");
    }
    return LEAT_OK;
}

static enum leat_status
list_check(const struct leat_retry_policy *policy, struct leat_error *error)
{
    if (policy->delays_count < 1 || policy->delays_count > LEAT_RETRY_DELAYS_MAX) {
        return invalid(error, "delays_count", "must be 1 to 32");
    }
    if (policy->delays_ns == NULL) {
        return invalid(error, "delays_ns", "must not be NULL");
    }
    enum leat_status status = LEAT_OK;
    for (uint32_t i = 0; i < policy->delays_count && status == LEAT_OK; i++) {
        status = delay_check(policy->delays_ns[i], "delays_ns", error);
    }
    return status;
}

static enum leat_status
kind_check(const struct leat_retry_policy *policy, struct leat_error *error)
{
    enum leat_status status = LEAT_OK;
    switch (policy->kind) {
    case LEAT_RETRY_QUARTIC:
        return growing_check(policy, error);
    case LEAT_RETRY_FIXED:
        return delay_check(policy->delay_ns, "delay_ns", error);
    case LEAT_RETRY_LIST:
        return list_check(policy, error);
    case LEAT_RETRY_EXPONENTIAL:
        status = growing_check(policy, error);
        if (status == LEAT_OK && (policy->base < 2 || policy->base > LEAT_RETRY_BASE_MAX)) {
            status = invalid(error, "base", "must be 2 to 1000");
        }
        return status;
    case LEAT_RETRY_FUNCTION:
        return policy->function != NULL ? LEAT_OK : invalid(error, "function", "must not be NULL");
    }
    return invalid(error, "kind", "must be one of enum leat_retry_kind");
}

static enum leat_status
policy_read(struct leat_retry_policy *known, const struct leat_retry_policy *given,
            struct leat_error *error)
{
    *known = policy_defaults();
    enum leat_status status = LEAT_OK;
    if (given != NULL) {
        status = leat_struct_read(known, sizeof(*known), given);
    }
    if (status != LEAT_OK) {
        return leat_struct_refuse(given, status, "leat_retry_policy_default", error);
    }
    if (known->jitter_percent == LEAT_AUTO) {
        known->jitter_percent = known->kind == LEAT_RETRY_QUARTIC ? JITTER_PERCENT : 0;
    }
    if (known->jitter_percent > 100) {
        return invalid(error, "jitter_percent", "must be 0 to 100, or LEAT_AUTO");
    }
    return kind_check(known, error);
}

enum leat_status
leat_backoff_read(struct leat_backoff *backoff, const struct leat_retry_policy *given,
                  struct leat_error *error)
{
    struct leat_retry_policy known;
    enum leat_status status = policy_read(&known, given, error);
    if (status != LEAT_OK) {
        return status;
    }
    memset(backoff, 0, sizeof(*backoff));
    backoff->kind = known.kind;
    backoff->jitter_percent = known.jitter_percent;
    backoff->base = known.base;
    backoff->delay_ns = known.delay_ns;
    backoff->delay_ns_max = known.delay_ns_max;
    backoff->function = known.function;
    backoff->context = known.context;
    if (known.kind == LEAT_RETRY_LIST) {
        backoff->delays_count = known.delays_count;
        memcpy(backoff->delays_ns, known.delays_ns, sizeof(uint64_t) * known.delays_count);
    }
    return LEAT_OK;
}

enum leat_status
leat_retry_policy_check(const struct leat_retry_policy *policy, struct leat_error *error)
{
    struct leat_retry_policy known;
    if (policy == NULL) {
        return invalid(error, "", "policy must not be NULL");
    }
    return policy_read(&known, policy, error);
}
