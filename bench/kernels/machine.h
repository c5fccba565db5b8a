/* machine.h - what the registrations ask of the machine and of the build. */
#ifndef BENCH_KERNELS_MACHINE_H
#define BENCH_KERNELS_MACHINE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* CPUs that the calling thread may use. */
uint32_t bench_cpus(void);

/* Name and version of the compiler that built the kernels, and the library with them. */
const char *bench_compiler(void);

#ifdef __cplusplus
}
#endif

#endif
