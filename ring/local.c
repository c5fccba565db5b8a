/* local.c - the parts of a worker's local queue that are not on the single-item path. */
#include "ring/local.h"

#include <inttypes.h>

/* ---- owner ---------------------------------------------------------------------------------- */

bool
leat_local_push_n(struct leat_local *local, const uint32_t *items, uint32_t count)
{
    uint64_t tail = atom_load_rlx(&local->tail); /* rlx: single writer */
    /* local_push_n:A acquire -> local_steal:D.  Carries: as local_push:A.
     * If relaxed: as local_push:A. */
    if (local->mask + 1 - (tail - atom_load_acq(&local->head)) < count) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        /* rlx: ordered by local_push_n:B */
        atom_store_rlx(&local->slots[(tail + i) & local->mask], items[i]);
    }
    /* local_push_n:B release -> local_steal:C.  Carries: as local_push:B.
     * If relaxed: as local_push:B. */
    atom_store_rel(&local->tail, tail + count);
    return true;
}

uint32_t
leat_local_pop_n(struct leat_local *local, uint32_t *items, uint32_t most)
{
    uint64_t tail = atom_load_rlx(&local->tail); /* rlx: single writer */
    uint64_t head = atom_load_rlx(&local->head); /* rlx: hint, re-checked at local_pop_n:A */
    /* Ends as the loop of leat_local_pop(): each round the head is nearer to the tail. */
    for (;;) {
        uint64_t waiting = tail - head;
        uint32_t count = (uint32_t)(waiting < most ? waiting : most);
        if (count == 0) {
            return 0;
        }
        for (uint32_t i = 0; i < count; i++) {
            /* rlx: single writer */
            items[i] = atom_load_rlx(&local->slots[(head + i) & local->mask]);
        }
        /* local_pop_n:A release -> local_steal:B, local_count:A.  Carries: as local_pop:A.
         * If relaxed: as local_pop:A. */
        if (atom_cas_rel(&local->head, &head, head + count)) {
            return count;
        }
    }
}

/* ---- thief ---------------------------------------------------------------------------------- */

uint32_t
leat_local_steal(struct leat_local *victim, struct leat_local *own, uint32_t *first)
{
    LEAT_ASSERT(victim != own);
    uint64_t end = atom_load_rlx(&own->tail); /* rlx: single writer */
    /* local_steal:A acquire -> local_steal:D.  Carries: thieves of our own queue have read the
     * slots that we are about to write.
     * If relaxed: as local_push:A. */
    uint64_t room = own->mask + 1 - (end - atom_load_acq(&own->head));
    for (;;) {
        /* local_steal:B acquire -> local_pop:A, local_pop_n:A, local_steal:D.  Carries: a tail that
         * is not behind the head.
         * If relaxed: see local_pop:A. */
        uint64_t head = atom_load_acq(&victim->head);
        /* local_steal:C acquire -> local_push:B, local_push_n:B, local_steal:E.  Carries: the
         * items, and what their producers wrote.
         * If relaxed: see local_push:B. */
        uint64_t waiting = atom_load_acq(&victim->tail) - head;
        if (waiting == 0) {
            return 0;
        }
        uint64_t half = waiting - waiting / 2;
        uint64_t count = half <= room ? half : room + 1;
        /* Others may take these items meanwhile, and the owner write new ones into the slots; then
         * the head has moved and the swap fails. */
        /* rlx: ordered by local_steal:C */
        uint32_t oldest = atom_load_rlx(&victim->slots[head & victim->mask]);
        for (uint64_t i = 1; i < count; i++) {
            /* rlx: ordered by local_steal:C */
            uint32_t item = atom_load_rlx(&victim->slots[(head + i) & victim->mask]);
            /* rlx: ordered by local_steal:E */
            atom_store_rlx(&own->slots[(end + i - 1) & own->mask], item);
        }
        /* local_steal:D release -> local_push:A, local_push_n:A, local_steal:A, local_steal:B,
         * local_count:A.  Carries: that the slots were read; else as local_pop:A.
         * If relaxed: see local_push:A, local_pop:A. */
        if (atom_cas_rel(&victim->head, &head, head + count)) {
            /* local_steal:E release -> local_steal:C.  Carries: the items, and what the victim and
             * those before it wrote.
             * If relaxed: as local_push:B. */
            atom_store_rel(&own->tail, end + count - 1);
            *first = oldest;
            return (uint32_t)count;
        }
    }
}

/* ---- start and check ------------------------------------------------------------------------ */

size_t
leat_local_bytes(uint32_t slots_log2)
{
    LEAT_ASSERT(slots_log2 >= LEAT_RING_SLOTS_LOG2_MIN);
    LEAT_ASSERT(slots_log2 <= LEAT_RING_SLOTS_LOG2_MAX);
    size_t slots = sizeof(leat_atomic_u32) << slots_log2;
    /* One line of guard behind the slots: the next-line prefetcher runs past the end. */
    return leat_round_up(slots, LEAT_LINE_BYTES) + LEAT_LINE_BYTES;
}

void
leat_local_init(struct leat_local *local, uint32_t slots_log2, void *memory, uint64_t start)
{
    LEAT_ASSERT(slots_log2 >= LEAT_RING_SLOTS_LOG2_MIN);
    LEAT_ASSERT(slots_log2 <= LEAT_RING_SLOTS_LOG2_MAX);
    LEAT_ASSERT(memory != NULL);
    LEAT_ASSERT((uintptr_t)memory % LEAT_LINE_BYTES == 0);
    local->slots = memory;
    local->mask = (UINT64_C(1) << slots_log2) - 1;
    atom_init(&local->tail, start);
    atom_init(&local->head, start);
}

bool
leat_local_check(const struct leat_local *local, FILE *why)
{
    uint64_t head = atom_load_rlx(&local->head); /* rlx: not shared yet */
    uint64_t tail = atom_load_rlx(&local->tail); /* rlx: not shared yet */
    if (tail - head <= local->mask + 1) {
        return true;
    }
    if (why != NULL) {
        (void)fprintf(why, "local: I1: %" PRIu64 " items in %" PRIu64 " slots\n", tail - head,
                      local->mask + 1);
    }
    return false;
}
