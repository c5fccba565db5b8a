/* rates.h - in the model, how many attempts may begin in a time: op_rates.c, op_key_rates.c. */
#ifndef TESTS_REFERENCE_RATES_H
#define TESTS_REFERENCE_RATES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/leat.h"

struct ref_world;
struct ref_job;

#define REF_KEYS 6

/* A rate: see op_rates.c. */
struct ref_bucket {
    uint64_t jobs; /* 0: none */
    uint64_t per_ns;
    uint64_t burst;
    uint64_t start_ns;
    uint32_t shift;
    uint64_t low; /* it would be full between these two marks */
    uint64_t high;
};

__extension__ typedef unsigned __int128 ref_wide;

/* A rate of each key: see op_key_rates.c. Counts are of tokens, with 64 bits behind the point. */
struct ref_pace {
    uint64_t jobs; /* 0: none */
    uint64_t per_ns;
    uint64_t burst;
    uint64_t start_ns;
    ref_wide start;         /* the count by then */
    ref_wide low[REF_KEYS]; /* its bucket would be full between these two counts */
    ref_wide high[REF_KEYS];
};

/* ---- op_rates.c ------------------------------------------------------------------------------ */

bool ref_rates_may_begin(const struct ref_world *world, const struct ref_job *job);
bool ref_rates_hold(const struct ref_world *world, const struct ref_job *job);
/* The same for a lease: of its queue alone; and that one cannot be refused. */
bool ref_rates_queue_may(const struct ref_world *world, uint32_t queue);
bool ref_rates_queue_must(const struct ref_world *world, uint32_t queue);
void ref_rates_begun(struct ref_world *world, struct ref_job *job);
/* A rate; now and then a wrong one. */
enum leat_status ref_rate_draw(struct ref_world *world, struct leat_rate *rate);
/* A queue that has just been created has its tenant's rate, too. */
void ref_rates_joined(struct ref_world *world, uint32_t queue);
/* Also where no handler begins. */
void ref_rates_take(struct ref_world *world, const struct ref_job *job, bool surely);

/* ---- op_key_rates.c -------------------------------------------------------------------------- */

/* A rate for an option: most often none. */
enum leat_status ref_key_rate_draw(struct ref_world *world, struct leat_rate *rate);
/* What was drawn is set: of a queue, or of a type. */
void ref_key_rate_set(struct ref_world *world, struct ref_pace *pace, const struct leat_rate *rate);
bool ref_key_rates_may_begin(const struct ref_world *world, const struct ref_job *job);
bool ref_key_rates_hold(const struct ref_world *world, const struct ref_job *job);
void ref_key_rates_begun(struct ref_world *world, struct ref_job *job);
/* Also where no handler begins. */
void ref_key_rates_take(struct ref_world *world, const struct ref_job *job, bool surely);
/* The engine says that nothing is left to run. */
void ref_key_rates_idle(struct ref_world *world);
/* Nothing but a token holds the job: in how long that is there at the latest; else LEAT_FOREVER. */
uint64_t ref_key_rates_latest(const struct ref_world *world, const struct ref_job *job);

#endif
