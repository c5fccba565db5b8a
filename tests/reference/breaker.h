/* breaker.h - circuit breakers in the model. */
#ifndef TESTS_REFERENCE_BREAKER_H
#define TESTS_REFERENCE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/leat.h"

struct ref_world;
struct ref_job;

#define REF_SLICES 8  /* of a window of a time */
#define REF_CALLS  16 /* of a window of calls, at most */

struct ref_slice {
    uint64_t number;
    uint32_t calls;
    uint32_t failures;
};

struct ref_breaker {
    bool there;
    struct leat_breaker_options options;
    enum leat_breaker_state state;
    uint64_t openings;
    uint32_t calls; /* in a window of calls */
    bool failed[REF_CALLS];
    struct ref_slice slices[REF_SLICES];
    uint32_t successes;
    uint64_t half_open_ns; /* since then, or later */
    /* HALF_OPEN: those that may begin; it is not told when they are replaced. */
    uint32_t tickets_low;
    uint32_t tickets_high;
    /* When it goes on: OPEN, or its probes are replaced. REF_NEVER: not by time. */
    uint64_t until_low;
    uint64_t until_high;
};

/* Options of a breaker, and what they make; now and then wrong ones. */
enum leat_status ref_breaker_draw(struct ref_world *world, struct leat_breaker_options *options,
                                  struct ref_breaker *breaker);
bool ref_breaker_may_begin(const struct ref_world *world, const struct ref_job *job);
bool ref_breaker_holds(const struct ref_world *world, const struct ref_job *job);
void ref_breaker_begun(struct ref_world *world, struct ref_job *job);
/* An attempt came to something. */
void ref_breaker_ended(struct ref_world *world, const struct ref_job *job, bool failed);
/* What breakers tell of themselves; which of them went on by themselves. */
void ref_breakers_check(struct ref_world *world);
/* leat_next_due() says when to come back. */
void ref_breakers_check_due(struct ref_world *world, uint64_t delay_ns);

#endif
