/* backoff.h - when a job whose attempt failed is due again.
 *
 * A policy is read once, where a type is registered or a job is submitted, and copied whole, so
 * that nothing of the caller's is needed later. From then on a delay is a pure function of the
 * policy, the attempt and a random number, but for a policy that asks a function of the caller's.
 */
#ifndef ENGINE_BACKOFF_H
#define ENGINE_BACKOFF_H

#include "engine/config.h"

/* A policy that was found good, with its list. */
struct leat_backoff {
    enum leat_retry_kind kind;
    uint32_t jitter_percent;
    uint32_t base;
    uint32_t delays_count;
    uint64_t delay_ns;
    uint64_t delay_ns_max;
    leat_retry_function function;
    void *context;
    uint64_t delays_ns[LEAT_RETRY_DELAYS_MAX];
};

/* Copies a policy; NULL: the default one. On failure `backoff` is untouched, and `error` (may be
 * NULL) names the field. */
enum leat_status leat_backoff_read(struct leat_backoff *backoff,
                                   const struct leat_retry_policy *given, struct leat_error *error);

/* The delay behind failure->attempt, 1 or more; at most LEAT_RETRY_NS_MAX, or LEAT_FOREVER: no
 * further attempt. `random` has 64 even bits. */
uint64_t leat_backoff_delay(const struct leat_backoff *backoff, const struct leat_failure *failure,
                            uint64_t random);

/* A number for the jitter: of this attempt of this job, in this process. */
uint64_t leat_backoff_random(uint64_t seed, const struct leat_failure *failure);

#endif
