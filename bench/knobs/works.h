/* works.h - what runs for a row of leat_knobs. The shapes are those of the other benchmarks: bursts
 * and latencies of bench/kernels/pool.h, timers and slabs beside it, and the cases of
 * bench/cost/cases.h; here are a few more, of which each is moved by a knob that moves no other. */
#ifndef BENCH_KNOBS_WORKS_H
#define BENCH_KNOBS_WORKS_H

#include "bench/kernels/setting.h"

/* Nanoseconds. `few`: only that it runs. Ends the process on failure; there is no other work. */
double knob_work_run(const char *name, const struct bench_setting *settings, bool few);

/* NULL: there is no such work. */
const char *knob_work_text(const char *name);

#endif
