/* labels.h - what a job is called by its submitter: its unique key, its name, its tags. They are in
 * a block of their own, which only such jobs have. Why so: docs/design/0021.
 */
#ifndef ENGINE_LABELS_H
#define ENGINE_LABELS_H

#include "engine/job.h"
#include "engine/leat.h"

struct leat_claim;
struct leat_engine;

/* The claims are others where the job was brought back from the dead; else nothing changes once it
 * is submitted. Letters: O who submits it, brings it back, or gives its record back; W the same
 * writes, many read; I. */
struct leat_job_labels {
    struct leat_claim *key;   /* O or NULL */
    leat_atomic_pointer name; /* W struct leat_claim, or NULL */
    uint32_t tags_count;      /* I */
    struct leat_tag tags[];   /* I */
};

/* NULL: it has none. pre: the caller keeps the record. */
struct leat_job_labels *leat_labels_of(const struct leat_engine *engine, uint32_t index);

/* The same: it claims a name, or a key. */
bool leat_labels_claims(const struct leat_engine *engine, uint32_t index);

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
/* A log may have one of them as another job's. pre: as above. */
bool leat_labels_took(const struct leat_engine *engine, uint32_t index);
/* From the next claim on it takes the key, whoever holds it. pre: nobody else is at the engine. */
void leat_labels_insist(struct leat_engine *engine, uint32_t index);
/* The job has ended: takes the key, if that is held for a time, whoever holds it. LEAT_OK. Inside a
 * section. pre: the same. */
enum leat_status leat_labels_hold(struct leat_engine *engine, uint32_t index);
/* Takes that back: the job is not to be. Inside a section. */
void leat_labels_unclaim(struct leat_engine *engine, uint32_t index);
/* The job is dead, and to be brought back: claims anew what it holds to its end, so that nobody
 * else takes it until leat_labels_renewed(). LEAT_EXISTS: another job has it. LEAT_NO_MEMORY.
 * pre: the caller alone has the index, from the book; not inside a section. */
enum leat_status leat_labels_renew(struct leat_engine *engine, uint32_t index);
/* It is back; or it is not to be. pre: the caller keeps the record. */
void leat_labels_renewed(struct leat_engine *engine, uint32_t index);
/* The record is given back. */
void leat_labels_free(struct leat_engine *engine, struct leat_job_extra *extra);

#endif
