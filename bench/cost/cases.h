/* cases.h - tasks, jobs, and jobs with one feature more: each a case that is run in one thread
 * without anybody else. */
#ifndef BENCH_COST_CASES_H
#define BENCH_COST_CASES_H

#include "bench/kernels/setting.h"

struct cost_case {
    const char *name;
    const char *text;
};

enum cost_ran { COST_RAN, COST_LOST /* not everything ran */, COST_NO_CASE };

/* NULL beyond the last one. */
const struct cost_case *cost_case_at(size_t index);

/* Runs at least `count` of a case. What is set for a queue "queue" and for a type "job" counts
 * where the case has such. *ns: nanoseconds for each. Ends the process on failure. */
enum cost_ran cost_run(const char *name, uint64_t count, const struct bench_setting *settings,
                       double *ns);

#endif
