/* labels.h - what a job is called by its submitter: its unique key, its name, its tags. They are in
 * a block of their own, which only such jobs have. Why so: docs/design/0021.
 */
#ifndef ENGINE_LABELS_H
#define ENGINE_LABELS_H

#include "engine/job.h"
#include "engine/leat.h"

struct leat_claim;
struct leat_engine;

/* Never changed once the job is submitted. */
struct leat_job_labels {
    struct leat_claim *key;  /* or NULL */
    struct leat_claim *name; /* or NULL */
    uint32_t tags_count;
    struct leat_tag tags[];
};

/* LEAT_OK, LEAT_INVALID. */
enum leat_status leat_labels_check(const struct leat_job_options *options);
/* True if a batch that is taken in as a whole may have a job with these options, or NULL. */
bool leat_labels_grouped(const struct leat_job_options *given);

/* Gives a record that nobody knows yet its labels. The options were checked. LEAT_NO_MEMORY. Not
 * inside a section of rcu.h. */
enum leat_status leat_labels_make(struct leat_engine *engine, uint32_t index,
                                  const struct leat_job *job);
/* Claims the key and the name, inside a section, before the job is published; both or none. As
 * leat_claim_take(). */
enum leat_status leat_labels_claim(struct leat_engine *engine, uint32_t index, leat_job_id *id);
/* Takes that back: the job is not to be. Inside a section. */
void leat_labels_unclaim(struct leat_engine *engine, uint32_t index);
/* The record is given back. */
void leat_labels_free(struct leat_engine *engine, struct leat_job_extra *extra);

#endif
