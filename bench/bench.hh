/* bench.hh - what the registrations share. */
#ifndef BENCH_BENCH_HH
#define BENCH_BENCH_HH

#include <benchmark/benchmark.h>

// Seconds that one open-loop run takes; main.cc derives them from --benchmark_min_time.
double open_loop_seconds();

// Says that this row has more threads than CPUs: the one that drives, and `others`.
void label_crowd(benchmark::State &state, unsigned others);

#endif
