/* deque.h - bounded deque of one worker's spawned tasks: the worker pushes and pops at the bottom,
 * newest first; other workers steal at the top, oldest first.
 *
 * Source   David Chase and Yossi Lev, "Dynamic circular work-stealing deque", 2005; with the orders
 *          of Nhat Minh Le, Antoniu Pop, Albert Cohen and Francesco Zappa Nardelli, "Correct and
 *          efficient work-stealing for weak memory models", 2013. Differs: it does not grow, a full
 *          one refuses; entries are four words; bottom is stored with release where theirs has a
 *          release fence, since ThreadSanitizer knows no fences; what follows the full fence is
 *          relaxed where the fence already orders it.
 * Roles    one owner (push, pop) and any number of thieves (steal). Memory belongs to the caller.
 * Claims   push, ready, count  wait-free.
 *          pop    wait-free: one swap at most, for the last entry, and it is not tried again. One
 *                 that sees an empty deque at once writes nothing.
 *          steal  wait-free, since it does not try again: LOST says that another thread took the
 *                 entry that this one saw, so somebody has got on. A loop around it is lock-free.
 *          A thief that stops for ever holds up nobody. An owner that stops inside a pop hides the
 *          one entry that it is about to take; the others can be stolen.
 *          Capacity exact. Full is an answer about the top that was read, which may be old. Empty
 *          is a fact for a pop; a thief may miss what was pushed since, or is being popped.
 *          Wrap  positions are 64-bit: 584 years at 1e9/s. Differences are taken as signed, since a
 *                pop lowers the bottom below the top for a moment.
 *          ABA   none: the top only grows. The owner uses a position again only if it popped it
 *                below the top's reach, which the fences decide.
 *          Reclamation: none; slots live as long as the deque.
 * I1       0 <= bottom - top <= slots while no pop is under way, -1 inside one
 * I2       a position is taken once after each push to it: by the owner if at its fence the top was
 *          known to be less, else by whoever moves the top over it
 * Edges    deque_push:B  -> deque_steal:B   the owner's writes before the push; the entry
 *          deque_pop:A   -> deque_steal:B   the same for the entries that are left
 *          deque_steal:C -> deque_push:A    the thief has read the slot
 *          deque_steal:C -> deque_count:A   what the thief wrote before its steal (the busy flag)
 *          deque_pop:A   -> deque_count:B   what the owner wrote before its pop
 *          deque_pop:C   -> deque_count:A   the same for the last entry
 *
 * Why no entry is taken twice: let the owner pop position p without a swap, and a thief move the
 * top from p to p + 1. The owner lowers the bottom to p, passes its fence (deque_pop:B) and reads a
 * top less than p. The thief reads the top p, passes its own (deque_steal:A) and reads a bottom
 * greater than p. One fence comes first. The owner's: then the thief sees the bottom p, or what was
 * stored later, which is for another entry at p. The thief's: then the owner sees the top p, and
 * swaps.
 */
#ifndef RING_DEQUE_H
#define RING_DEQUE_H

#include <stdio.h>

#include "ring/atomic.h"
#include "ring/limits.h"

/* What an owner gives in: three words of its own, and a rank, for thieves that do not take all. */
#define LEAT_DEQUE_WORDS 4
#define LEAT_DEQUE_RANK  (LEAT_DEQUE_WORDS - 1)

struct leat_deque_entry {
    uint64_t words[LEAT_DEQUE_WORDS]; /* the last one is the rank */
};

/* Letters: I set at init, then read-only; W one writer, many readers; S many writers. */
struct leat_deque_slot {
    leat_atomic_u64 words[LEAT_DEQUE_WORDS]; /* W */
};

struct leat_deque {
    LEAT_ALIGNED_LINE struct leat_deque_slot *slots; /* I */
    uint64_t mask;                                   /* I slots - 1 */
    LEAT_ALIGNED_LINE leat_atomic_u64 bottom;        /* W next position to push */
    LEAT_ALIGNED_LINE leat_atomic_u64 top;           /* S next position to steal; it only grows */
    LEAT_ALIGNED_LINE leat_atomic_u64 anchor;        /* S see atom_fence_sc() */
};

enum leat_deque_answer {
    LEAT_DEQUE_GOT,
    LEAT_DEQUE_EMPTY,
    LEAT_DEQUE_LOST, /* another thread took the entry meanwhile; there may be more */
    LEAT_DEQUE_LOW   /* its rank is too low */
};

/* Bytes that leat_deque_init() wants for 2^slots_log2 slots, a line of guard included. */
size_t leat_deque_bytes(uint32_t slots_log2);

/* `memory` is zeroed, aligned to a line, and borrowed as long as the deque is used. The first
 * position is `start`: 0, or near the wrap in tests. */
void leat_deque_init(struct leat_deque *deque, uint32_t slots_log2, void *memory, uint64_t start);

/* Checks I1 of a quiescent deque; says on `why` (may be NULL) what is wrong. */
bool leat_deque_check(const struct leat_deque *deque, FILE *why);

/* ---- owner ---------------------------------------------------------------------------------- */

/* Adds an entry at the bottom. False: full; the caller runs it at once. Progress: wait-free. */
LEAT_INLINE bool
leat_deque_push(struct leat_deque *deque, const struct leat_deque_entry *entry)
{
    uint64_t bottom = atom_load_rlx(&deque->bottom); /* rlx: single writer */
    /* deque_push:A acquire -> deque_steal:C.  Carries: the thief has read the slot.
     * If relaxed: a thief whose swap succeeds could have read the new entry and not the old. */
    if (LEAT_UNLIKELY(bottom - atom_load_acq(&deque->top) > deque->mask)) {
        return false;
    }
    struct leat_deque_slot *slot = &deque->slots[bottom & deque->mask];
    for (uint32_t i = 0; i < LEAT_DEQUE_WORDS; i++) {
        atom_store_rlx(&slot->words[i], entry->words[i]); /* rlx: ordered by deque_push:B */
    }
    /* deque_push:B release -> deque_steal:B.  Carries: the owner's writes, and the entry.
     * If relaxed: a thief could see the bottom and read what the slot held before. */
    atom_store_rel(&deque->bottom, bottom + 1);
    return true;
}

/* Takes the newest entry. False: empty, and *entry is left alone. Progress: wait-free. */
LEAT_INLINE bool
leat_deque_pop(struct leat_deque *deque, struct leat_deque_entry *entry)
{
    uint64_t bottom = atom_load_rlx(&deque->bottom); /* rlx: single writer */
    /* A worker asks before each pick, most often in vain: that is not to cost a fence, nor the
     * thieves their copies of the line. The top never passes the bottom, so even an old one that
     * equals it is the newest.
     * rlx: hint, re-checked at deque_pop:C */
    if (bottom == atom_load_rlx(&deque->top)) {
        return false;
    }
    uint64_t place = bottom - 1;
    /* deque_pop:A release -> deque_steal:B, deque_count:B.  Carries: the entries below, to a thief
     * that reads this bottom and not a push's; what the owner wrote before, such as a busy flag.
     * If relaxed: see deque_push:B; an empty deque could be seen beside an idle owner. */
    atom_store_rel(&deque->bottom, place);
    /* deque_pop:B sc -> deque_steal:A.  Orders: bottom lowered then top read, against top read (or
     * moved by another thief) then bottom read. */
    atom_fence_sc(&deque->anchor);
    uint64_t top = atom_load_rlx(&deque->top); /* rlx: ordered by deque_pop:B */
    /* Entries older than this one; -1: it was stolen. */
    int64_t older = (int64_t)(place - top);
    bool got = true;
    if (older <= 0) {
        /* deque_pop:C release -> deque_count:A.  Carries: what the owner wrote before.
         * If relaxed: nothing where deque_pop:B is a fence; with ThreadSanitizer it is none. */
        got = older == 0 && atom_cas_rel(&deque->top, &top, top + 1);
        /* Whoever took the last entry moved the top here. rlx: ordered by deque_pop:B */
        atom_store_rlx(&deque->bottom, bottom);
    }
    if (got) {
        const struct leat_deque_slot *slot = &deque->slots[place & deque->mask];
        for (uint32_t i = 0; i < LEAT_DEQUE_WORDS; i++) {
            entry->words[i] = atom_load_rlx(&slot->words[i]); /* rlx: single writer */
        }
    }
    return got;
}

/* The rank of the entry that a pop would look at, or what stood there before: at most a hint.
 * Progress: wait-free. */
LEAT_INLINE uint64_t
leat_deque_newest(const struct leat_deque *deque)
{
    uint64_t place = atom_load_rlx(&deque->bottom) - 1; /* rlx: single writer */
    /* rlx: single writer */
    return atom_load_rlx(&deque->slots[place & deque->mask].words[LEAT_DEQUE_RANK]);
}

/* Where the next push goes. Progress: wait-free. */
LEAT_INLINE uint64_t
leat_deque_bottom(const struct leat_deque *deque)
{
    return atom_load_rlx(&deque->bottom); /* rlx: single writer */
}

/* True if nothing is there, as far as the owner can know without a fence. Progress: wait-free. */
LEAT_INLINE bool
leat_deque_empty(const struct leat_deque *deque)
{
    /* rlx: single writer; the top is a hint, re-checked at deque_pop:C */
    return atom_load_rlx(&deque->bottom) == atom_load_rlx(&deque->top);
}

/* ---- any thread ----------------------------------------------------------------------------- */

/* Takes the oldest entry, if its rank is at least `least`. Anything but GOT leaves *entry alone. It
 * may answer LOW of an entry that another thread takes at that moment. Progress: wait-free. */
enum leat_deque_answer leat_deque_steal(struct leat_deque *deque, uint64_t least,
                                        struct leat_deque_entry *entry);

/* The rank of the oldest entry, or what stood there before; at most a hint. Progress: wait-free. */
LEAT_INLINE uint64_t
leat_deque_oldest(const struct leat_deque *deque)
{
    uint64_t top = atom_load_rlx(&deque->top); /* rlx: hint, re-checked at deque_steal:C */
    /* rlx: hint, re-checked at deque_steal:C */
    return atom_load_rlx(&deque->slots[top & deque->mask].words[LEAT_DEQUE_RANK]);
}

/* Entries that wait, for the moment when the top was read; one less while the owner pops. */
LEAT_INLINE uint64_t
leat_deque_count(const struct leat_deque *deque)
{
    /* deque_count:A acquire -> deque_steal:C, deque_pop:C.  Carries: what each taker wrote before
     * it moved the top.
     * If relaxed: an empty deque could be seen beside an idle taker. */
    uint64_t top = atom_load_acq(&deque->top);
    /* deque_count:B acquire -> deque_pop:A.  Carries: what the owner wrote before its pop.
     * If relaxed: as deque_count:A. */
    int64_t count = (int64_t)(atom_load_acq(&deque->bottom) - top);
    int64_t slots = (int64_t)deque->mask + 1;
    /* The bottom is younger than the top, and a pop lowers it: both limits can be passed. */
    count = count < slots ? count : slots;
    return (uint64_t)(count > 0 ? count : 0);
}

/* True if there is something to steal. For the second look before parking: behind a full fence it
 * sees each entry whose owner has gone through its own, or that it was taken or is being popped. */
LEAT_INLINE bool
leat_deque_ready(const struct leat_deque *deque)
{
    return leat_deque_count(deque) != 0;
}

#endif
