/* trace.h - the flight recorder of an engine: how much is recorded, the records of attempts, and
 * writing it all down. Why it is so: docs/design/0034.
 *
 * An attempt is recorded where its job is timed (leat_job_record.submit_ns): so those which are not
 * have no instruction more. To record all of them is to time all jobs that are submitted from then
 * on. */
#ifndef ENGINE_TRACE_H
#define ENGINE_TRACE_H

#include "engine/engine_internal.h"
#include "sched/trace.h"

/* What the configuration says, before anyone submits. */
void leat_trace_init(struct leat_engine *engine);
/* pre: the engine's mutex, or as above. */
void leat_trace_set_mode(struct leat_engine *engine, enum leat_trace_mode mode);
void leat_trace_set_interval(struct leat_engine *engine, uint32_t interval);

/* A timed attempt begins, or its handler has answered. pre: run->worker is this thread's. */
void leat_trace_run_begin(const struct leat_run *run, uint64_t start_ns);
void leat_trace_run_end(const struct leat_run *run, uint64_t start_ns, uint64_t end_ns,
                        enum leat_outcome_kind outcome);

#endif
