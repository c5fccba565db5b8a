/* atomic.h - every atomic operation of the library, with its order in its name. The only file that
 * includes <stdatomic.h>.
 *
 *   _rlx      relaxed: carries a tag from the list in CONTRIBUTING.md
 *   _acq      acquire          _rel      release          _acq_rel  both
 *   _sc       sequentially consistent: names the two store-load pairs that it orders
 *
 * A compare-and-swap reloads `expected` when it fails: with acquire for _acq_rel, _sc for _sc, else
 * relaxed. All are strong.
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
#define atom_load_sc(word)  atomic_load_explicit((word), memory_order_seq_cst)

#define atom_store_rlx(word, value) atomic_store_explicit((word), (value), memory_order_relaxed)
#define atom_store_rel(word, value) atomic_store_explicit((word), (value), memory_order_release)

#define atom_swap_rlx(word, value) atomic_exchange_explicit((word), (value), memory_order_relaxed)
#define atom_swap_acq(word, value) atomic_exchange_explicit((word), (value), memory_order_acquire)
#define atom_swap_rel(word, value) atomic_exchange_explicit((word), (value), memory_order_release)
#define atom_swap_acq_rel(word, value)                                                             \
    atomic_exchange_explicit((word), (value), memory_order_acq_rel)

#define atom_cas_rlx(word, expected, value)                                                        \
    atomic_compare_exchange_strong_explicit((word), (expected), (value), memory_order_relaxed,     \
                                            memory_order_relaxed)
#define atom_cas_acq(word, expected, value)                                                        \
    atomic_compare_exchange_strong_explicit((word), (expected), (value), memory_order_acquire,     \
                                            memory_order_relaxed)
#define atom_cas_rel(word, expected, value)                                                        \
    atomic_compare_exchange_strong_explicit((word), (expected), (value), memory_order_release,     \
                                            memory_order_relaxed)
#define atom_cas_acq_rel(word, expected, value)                                                    \
    atomic_compare_exchange_strong_explicit((word), (expected), (value), memory_order_acq_rel,     \
                                            memory_order_acquire)
#define atom_cas_sc(word, expected, value)                                                         \
    atomic_compare_exchange_strong_explicit((word), (expected), (value), memory_order_seq_cst,     \
                                            memory_order_seq_cst)

#define atom_add_rlx(word, value) atomic_fetch_add_explicit((word), (value), memory_order_relaxed)
#define atom_sub_rlx(word, value) atomic_fetch_sub_explicit((word), (value), memory_order_relaxed)
#define atom_add_acq(word, value) atomic_fetch_add_explicit((word), (value), memory_order_acquire)
#define atom_add_rel(word, value) atomic_fetch_add_explicit((word), (value), memory_order_release)
#define atom_sub_rel(word, value) atomic_fetch_sub_explicit((word), (value), memory_order_release)
#define atom_add_acq_rel(word, value)                                                              \
    atomic_fetch_add_explicit((word), (value), memory_order_acq_rel)
#define atom_sub_acq_rel(word, value)                                                              \
    atomic_fetch_sub_explicit((word), (value), memory_order_acq_rel)
#define atom_sub_sc(word, value) atomic_fetch_sub_explicit((word), (value), memory_order_seq_cst)

#define atom_or_acq_rel(word, bits)  atomic_fetch_or_explicit((word), (bits), memory_order_acq_rel)
#define atom_or_rel(word, bits)      atomic_fetch_or_explicit((word), (bits), memory_order_release)
#define atom_or_rlx(word, bits)      atomic_fetch_or_explicit((word), (bits), memory_order_relaxed)
#define atom_and_acq_rel(word, bits) atomic_fetch_and_explicit((word), (bits), memory_order_acq_rel)
#define atom_and_rel(word, bits)     atomic_fetch_and_explicit((word), (bits), memory_order_release)
#define atom_and_rlx(word, bits)     atomic_fetch_and_explicit((word), (bits), memory_order_relaxed)

#ifndef LEAT_MODEL
#    define LEAT_MODEL 0
#endif

#if LEAT_MODEL

/* Builds of tests/model/ and tests/suspend/: what <stdatomic.h> offers becomes a call of the
 * interleaving explorer, tests/support/explore.h, or of the one that freezes threads, freeze.h
 * beside it, so that every operation of this file is explored, or frozen at, as it stands. */

enum leat_model_order {
    LEAT_MODEL_RELAXED = memory_order_relaxed,
    LEAT_MODEL_ACQUIRE = memory_order_acquire,
    LEAT_MODEL_RELEASE = memory_order_release,
    LEAT_MODEL_ACQ_REL = memory_order_acq_rel,
    LEAT_MODEL_SC = memory_order_seq_cst
};

enum leat_model_change {
    LEAT_MODEL_SWAP,
    LEAT_MODEL_ADD,
    LEAT_MODEL_SUB,
    LEAT_MODEL_OR,
    LEAT_MODEL_AND
};

/* A word as an operation names it. */
struct leat_model_word {
    uintptr_t address; /* 0: the operation has none */
    size_t bytes;
    const char *text;
    const char *file;
    int line;
};

struct leat_model_swap {
    void *expected; /* the value, of the word's size; reloaded on failure */
    uint64_t desired;
    enum leat_model_order success;
    enum leat_model_order failure;
};

uint64_t leat_model_load(struct leat_model_word word, enum leat_model_order order);
void leat_model_store(struct leat_model_word word, uint64_t value, enum leat_model_order order);
uint64_t leat_model_change(struct leat_model_word word, enum leat_model_change change,
                           uint64_t operand, enum leat_model_order order);
bool leat_model_cas(struct leat_model_word word, struct leat_model_swap swap);
void leat_model_fence(struct leat_model_word place, enum leat_model_order order);
void leat_model_pause(struct leat_model_word place);

#    define LEAT_MODEL_ORDER(from) ((enum leat_model_order)(from))
#    define LEAT_MODEL_TYPE(word)  __typeof__(((void)0, *(word)))
#    define LEAT_MODEL_WORD(word)                                                                  \
        ((struct leat_model_word){(uintptr_t)(word), sizeof(*(word)), #word, __FILE__, __LINE__})
#    define LEAT_MODEL_PLACE(text) ((struct leat_model_word){0, 0, (text), __FILE__, __LINE__})
/* A statement, because its value may be left unused. */
#    define LEAT_MODEL_CHANGE(word, change, operand, order)                                        \
        __extension__({                                                                            \
            (LEAT_MODEL_TYPE(word))(uintptr_t) leat_model_change(                                  \
                LEAT_MODEL_WORD(word), (change), (uint64_t)(operand), LEAT_MODEL_ORDER(order));    \
        })

/* NOLINTBEGIN(readability-identifier-naming) */
#    undef atomic_init
#    undef atomic_load_explicit
#    undef atomic_store_explicit
#    undef atomic_exchange_explicit
#    undef atomic_compare_exchange_strong_explicit
#    undef atomic_fetch_add_explicit
#    undef atomic_fetch_sub_explicit
#    undef atomic_fetch_or_explicit
#    undef atomic_fetch_and_explicit
#    undef atomic_thread_fence
/* Not offered yet: a use does not compile. */
#    undef atomic_compare_exchange_weak_explicit
#    undef atomic_fetch_xor_explicit
#    define atomic_init(word, value)                                                               \
        leat_model_store(LEAT_MODEL_WORD(word), (uint64_t)(value), LEAT_MODEL_RELAXED)
#    define atomic_load_explicit(word, order)                                                      \
        ((LEAT_MODEL_TYPE(word))(uintptr_t)leat_model_load(LEAT_MODEL_WORD(word),                  \
                                                           LEAT_MODEL_ORDER(order)))
#    define atomic_store_explicit(word, value, order)                                              \
        leat_model_store(LEAT_MODEL_WORD(word), (uint64_t)(value), LEAT_MODEL_ORDER(order))
#    define atomic_exchange_explicit(word, value, order)                                           \
        LEAT_MODEL_CHANGE(word, LEAT_MODEL_SWAP, value, order)
#    define atomic_compare_exchange_strong_explicit(word, old, value, order, order_failed)         \
        leat_model_cas(LEAT_MODEL_WORD(word),                                                      \
                       (struct leat_model_swap){(old), (uint64_t)(value), LEAT_MODEL_ORDER(order), \
                                                LEAT_MODEL_ORDER(order_failed)})
#    define atomic_fetch_add_explicit(word, more, order)                                           \
        LEAT_MODEL_CHANGE(word, LEAT_MODEL_ADD, more, order)
#    define atomic_fetch_sub_explicit(word, less, order)                                           \
        LEAT_MODEL_CHANGE(word, LEAT_MODEL_SUB, less, order)
#    define atomic_fetch_or_explicit(word, bits, order)                                            \
        LEAT_MODEL_CHANGE(word, LEAT_MODEL_OR, bits, order)
#    define atomic_fetch_and_explicit(word, bits, order)                                           \
        LEAT_MODEL_CHANGE(word, LEAT_MODEL_AND, bits, order)
#    define atomic_thread_fence(order)                                                             \
        leat_model_fence(LEAT_MODEL_PLACE("fence"), LEAT_MODEL_ORDER(order))
#    define leat_pause() leat_model_pause(LEAT_MODEL_PLACE("pause"))
/* NOLINTEND(readability-identifier-naming) */

#endif

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
