/* base.h - what every file of the library starts from: cache lines, branch hints, and the levels
 * of assertion.
 *
 *   LEAT_STATIC   at compile time.
 *   LEAT_ASSERT   always on, also in release: one fact each. A failure is a bug of the library
 *                 and ends the process; a caller's mistake is answered by a status instead.
 *   LEAT_DCHECK   in builds with LEAT_SLOW_CHECKS: facts whose check costs on a hot path.
 */
#ifndef RING_BASE_H
#define RING_BASE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two lines of 64 bytes: the adjacent-line prefetcher of x86 moves pairs, and some aarch64 cores
 * have lines of 128. What different threads write stands at least this far apart. */
#define LEAT_LINE_BYTES 128

#define LEAT_ALIGNED_LINE   __attribute__((aligned(LEAT_LINE_BYTES)))
#define LEAT_LIKELY(fact)   __builtin_expect(!!(fact), 1)
#define LEAT_UNLIKELY(fact) __builtin_expect(!!(fact), 0)
#define LEAT_COLD           __attribute__((cold, noinline))
#define LEAT_INLINE         static inline __attribute__((always_inline))

#define LEAT_STATIC(fact, text) static_assert(fact, text)

/* Ends the process; the fact and its place stand in the core dump as arguments. */
LEAT_COLD _Noreturn void leat_assert_failed(const char *fact, const char *file, int line);

#define LEAT_ASSERT(fact)                                                                          \
    do {                                                                                           \
        if (LEAT_UNLIKELY(!(fact))) {                                                              \
            leat_assert_failed(#fact, __FILE__, __LINE__);                                         \
        }                                                                                          \
    } while (0)

#ifndef LEAT_SLOW_CHECKS
#    define LEAT_SLOW_CHECKS 0
#endif

#define LEAT_DCHECK(fact)                                                                          \
    do {                                                                                           \
        if (LEAT_SLOW_CHECKS) {                                                                    \
            LEAT_ASSERT(fact);                                                                     \
        }                                                                                          \
    } while (0)

/* Rounds up to a multiple of `unit`, a power of two. */
LEAT_INLINE size_t
leat_round_up(size_t value, size_t unit)
{
    return (value + unit - 1) & ~(unit - 1);
}

/* The least n with 2^n >= value; value from 1 to 2^31. */
LEAT_INLINE uint32_t
leat_log2_up(uint32_t value)
{
    return value <= 1 ? 0 : 32 - (uint32_t)__builtin_clz(value - 1);
}

/* Tells the CPU that this thread is in a short wait. */
LEAT_INLINE void
leat_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

/* Brings the line of an address into the cache, to be written. Does no harm at any address. */
LEAT_INLINE void
leat_prefetch(const void *address)
{
#if defined(__x86_64__)
    /* For the oldest CPUs of the kind the compiler would only read. They take this for a nop. */
    __asm__ volatile("prefetchw %0" ::"m"(*(const unsigned char *)address));
#else
    __builtin_prefetch(address, 1, 3);
#endif
}

#endif
