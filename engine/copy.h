/* copy.h - a job with all that it points to, copied into one block: for what submits it later, when
 * the caller's memory is the caller's again. */
#ifndef ENGINE_COPY_H
#define ENGINE_COPY_H

#include "engine/leat.h"

/* Bytes for leat_copy_make(). pre: the job, of our size, was checked, and has no parents. */
size_t leat_copy_bytes(const struct leat_job *job);
/* Writes the job to *copy, and what it points to into `block`, aligned to 16. The context of a
 * retry function, and a completion queue, stay the host's. */
void leat_copy_make(struct leat_job *copy, const struct leat_job *job, void *block);

#endif
