/* options.c - options of types and queues: defaults, and the checks that name the bad field. */
#include "engine/options.h"

#include <stdio.h>
#include <string.h>

#include "engine/breaker.h"
#include "engine/buckets.h"
#include "engine/config.h"
#include "engine/order.h"
#include "engine/terms.h"

/* ---- defaults ------------------------------------------------------------------------------- */

static struct leat_type_options
type_defaults(void)
{
    struct leat_type_options options;
    memset(&options, 0, sizeof(options));
    options.size = (uint32_t)sizeof(options);
    options.version = LEAT_STRUCT_VERSION;
    options.max_attempts = LEAT_ATTEMPTS_DEFAULT;
    options.timeout_ns = LEAT_TIMEOUT_NS_DEFAULT;
    return options;
}

static struct leat_queue_options
queue_defaults(void)
{
    struct leat_queue_options options;
    memset(&options, 0, sizeof(options));
    options.size = (uint32_t)sizeof(options);
    options.version = LEAT_STRUCT_VERSION;
    /* A build with few levels has NORMAL in its middle. */
    options.priority = (uint32_t)LEAT_PRIORITY_NORMAL < LEAT_PRIORITY_LEVELS
                           ? (uint32_t)LEAT_PRIORITY_NORMAL
                           : LEAT_PRIORITY_LEVELS / 2;
    options.block_ns = LEAT_FOREVER;
    return options;
}

void
leat_type_options_init(struct leat_type_options *options, size_t size)
{
    struct leat_type_options ours = type_defaults();
    leat_struct_init(options, size, &ours, sizeof(ours));
}

void
leat_queue_options_init(struct leat_queue_options *options, size_t size)
{
    struct leat_queue_options ours = queue_defaults();
    leat_struct_init(options, size, &ours, sizeof(ours));
}

/* ---- checks --------------------------------------------------------------------------------- */

static enum leat_status
invalid(struct leat_error *error, const char *field, const char *text)
{
    return leat_error_set(error, LEAT_INVALID, field, text);
}

static enum leat_status
running_max_check(uint32_t running_max, struct leat_error *error)
{
    char text[48];
    (void)snprintf(text, sizeof(text), "must be at most %u", LEAT_RUNNING_MAX);
    return running_max <= LEAT_RUNNING_MAX ? LEAT_OK : invalid(error, "running_max", text);
}

static enum leat_status
rate_check(const struct leat_rate *rate, const char *field, struct leat_error *error)
{
    if (leat_rate_valid(rate)) {
        return LEAT_OK;
    }
    if (rate->jobs > rate->per_ns && rate->jobs <= LEAT_RATE_JOBS_MAX) {
        return invalid(error, field, "must have at most one job for each nanosecond of per_ns");
    }
    return invalid(error, field,
                   "must have at most 1 000 000 000 jobs in at most 366 days, and a burst of at "
                   "most 67 108 864");
}

static enum leat_status
rates_check(const struct leat_rate *rate, const struct leat_rate *key_rate,
            struct leat_error *error)
{
    enum leat_status status = rate_check(rate, "rate", error);
    return status == LEAT_OK ? rate_check(key_rate, "key_rate", error) : status;
}

/* What the options of a type point to. */
static enum leat_status
parts_check(const struct leat_type_options *known, struct leat_error *error)
{
    enum leat_status status = LEAT_OK;
    if (known->breaker != NULL) {
        struct leat_breaker_options unused;
        status = leat_breaker_check(&unused, known->breaker, error);
        if (status != LEAT_OK) {
            return leat_error_within(error, status, "breaker");
        }
    }
    if (known->retry != NULL) {
        status = leat_retry_policy_check(known->retry, error);
        if (status != LEAT_OK) {
            return leat_error_within(error, status, "retry");
        }
    }
    return status;
}

enum leat_status
leat_type_options_read(struct leat_type_options *known, const struct leat_type_options *given,
                       struct leat_error *error)
{
    *known = type_defaults();
    enum leat_status status = LEAT_OK;
    if (given != NULL) {
        status = leat_struct_read(known, sizeof(*known), given);
    }
    if (status != LEAT_OK) {
        return leat_struct_refuse(given, status, "leat_type_options_default", error);
    }
    const struct leat_range_of ranges[] = {
        {"max_attempts", known->max_attempts, 1, LEAT_ATTEMPTS_MAX, "must be 1 to 65 535"},
        {"batch_max", known->batch_max, 0, LEAT_BATCH_MAX, "must be at most 256"},
        {"batch_delay_ns", known->batch_delay_ns, 0, known->batch_max == 0 ? 0 : LEAT_RETRY_NS_MAX,
         "must be at most 366 days, and 0 without a batch_max"},
    };
    status = leat_ranges_check(ranges, sizeof(ranges) / sizeof(ranges[0]), error);
    if (status == LEAT_OK && !leat_timeout_valid(known->timeout_ns)) {
        status = invalid(error, "timeout_ns", "must be 0, or 1 ms to 366 days");
    }
    if (status == LEAT_OK) {
        status = parts_check(known, error);
    }
    if (status == LEAT_OK) {
        status = running_max_check(known->running_max, error);
    }
    return status == LEAT_OK ? rates_check(&known->rate, &known->key_rate, error) : status;
}

enum leat_status
leat_queue_options_read(struct leat_queue_options *known, const struct leat_queue_options *given,
                        struct leat_error *error)
{
    char levels[48];
    *known = queue_defaults();
    enum leat_status status = LEAT_OK;
    if (given != NULL) {
        status = leat_struct_read(known, sizeof(*known), given);
    }
    if (status != LEAT_OK) {
        return leat_struct_refuse(given, status, "leat_queue_options_default", error);
    }
    (void)snprintf(levels, sizeof(levels), "must be 0 to %u", LEAT_PRIORITY_LEVELS - 1);
    const struct leat_range_of ranges[] = {
        {"priority", known->priority, 0, LEAT_PRIORITY_LEVELS - 1, levels},
        {"weight", known->weight, 0, LEAT_WEIGHT_MAX, "must be 0 to 1 000"},
        {"order", (uint32_t)known->order, LEAT_ORDER_FIFO, LEAT_ORDER_EXACT,
         "must be one of leat_order"},
        {"full", (uint32_t)known->full, LEAT_FULL_REJECT, LEAT_FULL_DROP_OLDEST,
         "must be one of leat_full_policy"},
    };
    status = leat_ranges_check(ranges, sizeof(ranges) / sizeof(ranges[0]), error);
    if (status == LEAT_OK) {
        status = running_max_check(known->running_max, error);
    }
    return status == LEAT_OK ? rates_check(&known->rate, &known->key_rate, error) : status;
}

enum leat_status
leat_type_options_check(const struct leat_type_options *options, struct leat_error *error)
{
    struct leat_type_options known;
    if (options == NULL) {
        return invalid(error, "options", "must not be NULL");
    }
    enum leat_status status = leat_type_options_read(&known, options, error);
    return status == LEAT_OK ? leat_error_set(error, LEAT_OK, "", "ok") : status;
}

enum leat_status
leat_queue_options_check(const struct leat_queue_options *options, struct leat_error *error)
{
    struct leat_queue_options known;
    if (options == NULL) {
        return invalid(error, "options", "must not be NULL");
    }
    enum leat_status status = leat_queue_options_read(&known, options, error);
    return status == LEAT_OK ? leat_error_set(error, LEAT_OK, "", "ok") : status;
}
