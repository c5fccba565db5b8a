/* atomic.h - every atomic operation of the library, with its order in its name. The only file that
 * includes <stdatomic.h>.
 *
 *   _rlx      relaxed: carries a tag from the list in CONTRIBUTING.md
 *   _acq      acquire          _rel      release          _acq_rel  both
 *   _sc       sequentially consistent: names the two store-load pairs that it orders
 *
 * A compare-and-swap reloads `expected` when it fails: with acquire for _acq and _acq_rel, relaxed
 * for _rlx and _rel. All are strong.
 *
 * atom_fence_sc() takes the address of a word that all sides of its protocol share. It is a plain
 * fence, but ThreadSanitizer does not understand fences: in its builds the word is changed by a
 * sequentially consistent read-modify-write, which has the same effect on everyone who uses the
 * same word.
 */
#ifndef RING_ATOMIC_H
#define RING_ATOMIC_H

#include <stdatomic.h>

#include "ring/base.h"

typedef _Atomic(uint8_t) leat_atomic_u8;
typedef _Atomic(uint16_t) leat_atomic_u16;
typedef _Atomic(uint32_t) leat_atomic_u32;
typedef _Atomic(uint64_t) leat_atomic_u64;
typedef _Atomic(void *) leat_atomic_pointer;

LEAT_STATIC(sizeof(leat_atomic_u64) == 8, "no hidden lock");
LEAT_STATIC(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomics are lock-free");
LEAT_STATIC(ATOMIC_POINTER_LOCK_FREE == 2, "pointer atomics are lock-free");

#if defined(__SANITIZE_THREAD__)
#    define LEAT_THREAD_SANITIZER 1
#elif defined(__has_feature)
#    if __has_feature(thread_sanitizer)
#        define LEAT_THREAD_SANITIZER 1
#    endif
#endif
#ifndef LEAT_THREAD_SANITIZER
#    define LEAT_THREAD_SANITIZER 0
#endif

#define atom_init(word, value) atomic_init((word), (value))

#define atom_load_rlx(word) atomic_load_explicit((word), memory_order_relaxed)
#define atom_load_acq(word) atomic_load_explicit((word), memory_order_acquire)

#define atom_store_rlx(word, value) atomic_store_explicit((word), (value), memory_order_relaxed)
#define atom_store_rel(word, value) atomic_store_explicit((word), (value), memory_order_release)

#define atom_swap_acq_rel(word, value)                                                             \
    atomic_exchange_explicit((word), (value), memory_order_acq_rel)

#define atom_cas_rlx(word, expected, value)                                                        \
    atomic_compare_exchange_strong_explicit((word), (expected), (value), memory_order_relaxed,     \
                                            memory_order_relaxed)
#define atom_cas_rel(word, expected, value)                                                        \
    atomic_compare_exchange_strong_explicit((word), (expected), (value), memory_order_release,     \
                                            memory_order_relaxed)
#define atom_cas_acq_rel(word, expected, value)                                                    \
    atomic_compare_exchange_strong_explicit((word), (expected), (value), memory_order_acq_rel,     \
                                            memory_order_acquire)

#define atom_add_rlx(word, value) atomic_fetch_add_explicit((word), (value), memory_order_relaxed)
#define atom_sub_rlx(word, value) atomic_fetch_sub_explicit((word), (value), memory_order_relaxed)
#define atom_add_acq_rel(word, value)                                                              \
    atomic_fetch_add_explicit((word), (value), memory_order_acq_rel)
#define atom_sub_acq_rel(word, value)                                                              \
    atomic_fetch_sub_explicit((word), (value), memory_order_acq_rel)
#define atom_or_sc(word, bits)  atomic_fetch_or_explicit((word), (bits), memory_order_seq_cst)
#define atom_and_sc(word, bits) atomic_fetch_and_explicit((word), (bits), memory_order_seq_cst)

LEAT_INLINE void
atom_fence_sc(leat_atomic_u64 *anchor)
{
#if LEAT_THREAD_SANITIZER
    (void)atomic_fetch_add_explicit(anchor, 0, memory_order_seq_cst);
#else
    (void)anchor;
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

/* Adds to a counter that one thread writes and others may read: no locked instruction. */
LEAT_INLINE void
atom_count(leat_atomic_u64 *counter, uint64_t more)
{
    /* rlx: statistic */
    atom_store_rlx(counter, atom_load_rlx(counter) + more);
}

#endif
