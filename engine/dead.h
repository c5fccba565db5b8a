/* dead.h - dead letters: listed, brought back, deleted; and jobs that are known to crash processes.
 * Why so: docs/design/0023.
 *
 * They stand in a book (book.h). Who takes the id of one out of its place has it alone: it gives
 * LINKED up, and with it the record; or makes the job wait again, with LINKED for the place where
 * it waits then. That swap of the word is refused while anyone has a hold, because readers of an
 * ended job read what its next attempt writes.
 *
 * Progress: lock-free; a list or a search looks at each place of the book once.
 */
#ifndef ENGINE_DEAD_H
#define ENGINE_DEAD_H

#include "engine/engine_internal.h"

/* The job was in a handler when the process crashed: counts it, for who reads a log. From
 * quarantine_after crashes on it ends when a worker comes to it. LEAT_NO_MEMORY, or as
 * leat_job_hold(). pre: the job waits. */
enum leat_status leat_job_crashed(struct leat_engine *engine, leat_job_id id);
/* It has been counted so often that it is not to be begun. */
bool leat_job_quarantined(const struct leat_engine *engine, const struct leat_job_extra *extra);

#endif
