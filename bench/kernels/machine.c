/* machine.c - CPUs, threads on them, the compiler. */
#include "bench/kernels/machine.h"

#include <stdio.h>

#include "bench/kernels/thread.h"

/* More are not told apart. */
#define CPUS_MAX 256

uint32_t
bench_cpus(void)
{
    uint16_t cpus[CPUS_MAX];
    return leat_os_cpus_allowed(cpus, CPUS_MAX);
}

const char *
bench_compiler(void)
{
#if defined(__clang__)
    return "clang " __clang_version__;
#else
    return "gcc " __VERSION__;
#endif
}

void
bench_pin_last(cpu_set_t *before)
{
    CPU_ZERO(before);
    if (sched_getaffinity(0, sizeof(*before), before) != 0) {
        return;
    }
    cpu_set_t last;
    CPU_ZERO(&last);
    for (size_t cpu = CPU_SETSIZE; cpu > 0; cpu--) {
        if (CPU_ISSET(cpu - 1, before)) {
            CPU_SET(cpu - 1, &last);
            break;
        }
    }
    (void)sched_setaffinity(0, sizeof(last), &last);
}

void
bench_unpin(const cpu_set_t *before)
{
    if (CPU_COUNT(before) > 0) {
        (void)sched_setaffinity(0, sizeof(*before), before);
    }
}

pthread_t
bench_thread_start(void *(*run)(void *argument), void *argument, uint32_t place)
{
    uint16_t cpus[CPUS_MAX];
    uint32_t count = leat_os_cpus_allowed(cpus, CPUS_MAX);
    struct leat_os_thread_config config = {.run = run,
                                           .argument = argument,
                                           .cpus = &cpus[place % count],
                                           .cpus_count = 1,
                                           .stack_bytes = 0,
                                           .name = ""};
    (void)snprintf(config.name, sizeof(config.name), "bench-%u", place % CPUS_MAX);
    pthread_t thread;
    enum leat_os_result result = leat_os_thread_start(&thread, &config);
    LEAT_ASSERT(result == LEAT_OS_OK);
    return thread;
}
