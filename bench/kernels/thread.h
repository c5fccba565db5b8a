/* thread.h - where the kernels' threads run, and how they wait for each other. Workers and
 * consumers begin at the first CPU, the thread that drives them has the last: so one worker and one
 * driver never share a CPU where there are two. */
#ifndef BENCH_KERNELS_THREAD_H
#define BENCH_KERNELS_THREAD_H

#include <sched.h>

#include "ring/os.h"

/* Moves the calling thread to the last CPU that it may use; *before is for bench_unpin(). */
void bench_pin_last(cpu_set_t *before);
void bench_unpin(const cpu_set_t *before);

/* Starts a thread on the `place`th CPU that the calling thread may use, in turn. To be called
 * before bench_pin_last(). Ends the process on failure. */
pthread_t bench_thread_start(void *(*run)(void *argument), void *argument, uint32_t place);

/* Waits before something is tried again. `crowded`: threads share CPUs, so the one waited for may
 * need this one. */
LEAT_INLINE void
bench_wait(bool crowded, uint32_t pauses)
{
    if (crowded) {
        leat_os_yield();
        return;
    }
    for (uint32_t i = 0; i < pauses; i++) {
        leat_pause();
    }
}

#endif
