/* keys.h - in the model, order per key: op_keys.c. */
#ifndef TESTS_REFERENCE_KEYS_H
#define TESTS_REFERENCE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/leat.h"

struct ref_world;
struct ref_job;

const unsigned char *ref_key_text(uint32_t key, size_t *bytes);
/* A key for a job; now and then a wrong one. */
enum leat_status ref_key_draw(struct ref_world *world, struct leat_job_options *options,
                              uint32_t *key);
/* It waits for a worker: at the place that it has, or at a new one. */
void ref_key_enter(struct ref_job *job, uint64_t low, uint64_t high);
/* It got another time, and loses its place. */
void ref_key_leave(struct ref_job *job);
void ref_key_end(struct ref_job *job);
/* What the engine did by itself to others of its key. */
void ref_key_look(struct ref_world *world, const struct ref_job *job);
bool ref_key_may_begin(const struct ref_world *world, const struct ref_job *job);
bool ref_key_waits(const struct ref_world *world, const struct ref_job *job);
bool ref_key_holds(const struct ref_world *world, const struct ref_job *job);
bool ref_key_reorders(const struct ref_world *world, const struct ref_job *job,
                      const struct ref_job *other);
void ref_key_begun(struct ref_world *world, struct ref_job *job);

#endif
