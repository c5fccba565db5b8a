/* mpmc.h - the bounded ring that the library uses where many push and many pop: one interface, and
 * the algorithm behind it chosen when the library is built (-DLEAT_RING=…), so that it inlines.
 *
 *   packed   lock-free, 2 locked instructions for each item that goes through     ring/packed.h
 *   turn     blocking, 2                                                          ring/turn.h
 *   ticket   blocking per slot, 4                                                 ring/ticket.h
 *   scq      lock-free with a bound on what is under way, 6                       ring/scq.h
 *
 * Measurements and the reason for the default: docs/design/0007.
 */
#ifndef RING_MPMC_H
#define RING_MPMC_H

#define LEAT_RING_PACKED 1
#define LEAT_RING_TURN   2
#define LEAT_RING_TICKET 3
#define LEAT_RING_SCQ    4

#ifndef LEAT_RING
#    define LEAT_RING LEAT_RING_PACKED
#endif

#if LEAT_RING == LEAT_RING_PACKED
#    include "ring/packed.h"
#    define LEAT_MPMC(name) leat_packed##name
#elif LEAT_RING == LEAT_RING_TURN
#    include "ring/turn.h"
#    define LEAT_MPMC(name) leat_turn##name
#elif LEAT_RING == LEAT_RING_TICKET
#    include "ring/ticket.h"
#    define LEAT_MPMC(name) leat_ticket##name
#elif LEAT_RING == LEAT_RING_SCQ
#    include "ring/scq.h"
#    define LEAT_MPMC(name) leat_scq##name
#else
#    error "LEAT_RING is none of the algorithms above"
#endif

/* 1: a push is a sequentially consistent operation, and so is what a pop looks at. */
#define LEAT_MPMC_SC (LEAT_RING == LEAT_RING_PACKED)

/* Letters: S many writers. */
struct leat_mpmc {
    struct LEAT_MPMC() ring; /* S */
};

/* Bytes of memory that leat_mpmc_init() wants. */
LEAT_INLINE size_t
leat_mpmc_bytes(uint32_t slots_log2)
{
    return LEAT_MPMC(_bytes)(slots_log2);
}

LEAT_INLINE void
leat_mpmc_init(struct leat_mpmc *ring, const struct leat_ring_config *config)
{
    LEAT_MPMC(_init)(&ring->ring, config);
}

LEAT_INLINE uint64_t
leat_mpmc_slots(const struct leat_mpmc *ring)
{
#if LEAT_RING == LEAT_RING_SCQ
    return ring->ring.capacity;
#else
    return ring->ring.slots.mask + 1;
#endif
}

/* Appends an item. False: full. */
LEAT_INLINE bool
leat_mpmc_push(struct leat_mpmc *ring, uint32_t item)
{
    return LEAT_MPMC(_push)(&ring->ring, item);
}

/* Takes the oldest item. False: empty. */
LEAT_INLINE bool
leat_mpmc_pop(struct leat_mpmc *ring, uint32_t *item)
{
    return LEAT_MPMC(_pop)(&ring->ring, item);
}

/* For a producer that will push more. */
LEAT_INLINE void
leat_mpmc_prefetch(const struct leat_mpmc *ring)
{
#if LEAT_RING == LEAT_RING_PACKED
    leat_packed_prefetch(&ring->ring);
#else
    (void)ring;
#endif
}

/* The item `ahead` places behind the one that the next pop is likely to take. False: it is not
 * there, or it cannot be told at a glance. */
LEAT_INLINE bool
leat_mpmc_peek(const struct leat_mpmc *ring, uint64_t ahead, uint32_t *item)
{
#if LEAT_RING == LEAT_RING_PACKED
    return leat_packed_peek(&ring->ring, ahead, item);
#else
    (void)ring;
    (void)ahead;
    (void)item;
    return false;
#endif
}

/* True if a pop would find an item now. */
LEAT_INLINE bool
leat_mpmc_ready(const struct leat_mpmc *ring)
{
    return LEAT_MPMC(_ready)(&ring->ring);
}

/* Items in the ring, approximate while others use it. */
LEAT_INLINE uint64_t
leat_mpmc_count(const struct leat_mpmc *ring)
{
    return LEAT_MPMC(_count)(&ring->ring);
}

/* Checks the invariants of a quiescent ring; says on `why` (may be NULL) what is wrong. */
LEAT_INLINE bool
leat_mpmc_check(const struct leat_mpmc *ring, FILE *why)
{
    return LEAT_MPMC(_check)(&ring->ring, why);
}

#endif
