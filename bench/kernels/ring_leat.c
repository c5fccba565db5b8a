/* ring_leat.c - Leat's rings as kinds of ring.h: one line for each algorithm.
 *
 * A batch is a chunk, as in the pool: a block from a slab, filled, and pushed as one item. The ring
 * has so few slots then that it holds as many items as the others do. */
#include <stdlib.h>

#include "bench/kernels/machine.h"
#include "bench/kernels/ring_loop.h"
#include "ring/chunk.h"
#include "ring/os.h"
#include "ring/packed.h"
#include "ring/scq.h"
#include "ring/slab.h"
#include "ring/spsc.h"
#include "ring/ticket.h"
#include "ring/turn.h"

#define CHUNKS_LOG2 5

LEAT_STATIC(LEAT_CHUNK_ITEMS == BENCH_RING_BATCH, "a batch is a chunk of 128 bytes");
LEAT_STATIC(BENCH_RING_SLOTS == BENCH_RING_BATCH << CHUNKS_LOG2, "so many items in any case");
LEAT_STATIC(BENCH_RING_SIDES_MAX << BENCH_RING_SEQUENCE_BITS <= LEAT_ITEM_MASK, "items fit");

/* ---- chunks --------------------------------------------------------------------------------- */

/* A producer takes so many blocks at once, and a consumer gives as many back. */
#define KEPT 8

/* Blocks for what the ring holds, and what each thread may have in its hand: so there is always
 * one. */
static void
chunks_init(struct leat_slab *slab, const struct bench_ring_shape *shape)
{
    uint32_t cpus = bench_cpus();
    struct leat_slab_config config = {
        .capacity = (1U << CHUNKS_LOG2) + (KEPT + 1) * (shape->producers + shape->consumers),
        .shards = cpus < LEAT_SLAB_SHARDS_MAX ? cpus : LEAT_SLAB_SHARDS_MAX,
        .record_bytes = sizeof(struct leat_chunk),
        .without_ids = true,
        .link_inside = true};
    bool ready = leat_slab_init(slab, &config);
    LEAT_ASSERT(ready);
    enum leat_os_result result = leat_os_prefault(slab->mapping, slab->mapping_bytes);
    LEAT_ASSERT(result == LEAT_OS_OK);
}

static void
chunks_fini(struct leat_slab *slab)
{
    bool sound = leat_slab_check(slab, 0, stderr);
    LEAT_ASSERT(sound);
    leat_slab_fini(slab);
}

/* What a thread has of a ring: a producer, blocks that are free, and one that is filled and was not
 * pushed because of a full ring, as the loops come again with the same items; a consumer, blocks
 * that are to be given back. */
struct hand {
    void *ring;
    struct leat_slab *slab;
    uint32_t held; /* LEAT_INDEX_NONE: none */
    uint32_t count;
    uint32_t kept[KEPT];
};

static void
hand_give(struct hand *hand)
{
    if (hand->count != 0) {
        leat_slab_give_n(hand->slab, leat_os_cpu(), hand->kept, hand->count);
        hand->count = 0;
    }
}

LEAT_INLINE uint32_t
hand_take(struct hand *hand)
{
    if (hand->count == 0) {
        hand->count = leat_slab_take_n(hand->slab, leat_os_cpu(), hand->kept, KEPT);
        LEAT_ASSERT(hand->count != 0);
    }
    return hand->kept[--hand->count];
}

LEAT_INLINE void
hand_fill(struct hand *hand, const uint64_t *items, uint32_t count)
{
    if (hand->held != LEAT_INDEX_NONE) {
        return;
    }
    hand->held = hand_take(hand);
    uint32_t block[LEAT_CHUNK_ITEMS];
    LEAT_ASSERT(count == LEAT_CHUNK_ITEMS);
    for (uint32_t i = 0; i < LEAT_CHUNK_ITEMS; i++) {
        block[i] = (uint32_t)items[i];
    }
    leat_chunk_fill(leat_slab_record(hand->slab, hand->held), block, LEAT_CHUNK_ITEMS);
}

/* Takes the items out of a block, which is given back with others. Returns how many. */
LEAT_INLINE uint32_t
hand_empty(struct hand *hand, uint32_t index, uint64_t *items)
{
    uint32_t block[LEAT_CHUNK_ITEMS];
    uint32_t count = leat_chunk_read(leat_slab_record(hand->slab, index), block);
    for (uint32_t i = 0; i < count; i++) {
        items[i] = block[i];
    }
    hand->kept[hand->count++] = index;
    if (hand->count == KEPT) {
        hand_give(hand);
    }
    return count;
}

/* ---- every algorithm ------------------------------------------------------------------------ */

#define RING_SINGLE(x)                                                                             \
    struct x##_ring {                                                                              \
        struct leat_##x ring;                                                                      \
        struct leat_slab slab;                                                                     \
        bool chunks;                                                                               \
        void *memory;                                                                              \
        size_t bytes;                                                                              \
    };                                                                                             \
    static struct x##_ring *x##_open(uint32_t slots_log2, bool remap)                              \
    {                                                                                              \
        size_t bytes = leat_round_up(sizeof(struct x##_ring), LEAT_LINE_BYTES);                    \
        struct x##_ring *made = aligned_alloc(LEAT_LINE_BYTES, bytes);                             \
        LEAT_ASSERT(made != NULL);                                                                 \
        made->chunks = false;                                                                      \
        made->bytes = leat_##x##_bytes(slots_log2);                                                \
        made->memory = leat_os_map(made->bytes);                                                   \
        LEAT_ASSERT(made->memory != NULL);                                                         \
        const struct leat_ring_config config = {                                                   \
            .slots_log2 = slots_log2, .remap = remap, .memory = made->memory};                     \
        leat_##x##_init(&made->ring, &config);                                                     \
        return made;                                                                               \
    }                                                                                              \
    static void *x##_create_single(const struct bench_ring_shape *shape)                           \
    {                                                                                              \
        (void)shape;                                                                               \
        return x##_open(BENCH_RING_SLOTS_LOG2, false);                                             \
    }                                                                                              \
    static void x##_destroy(void *ring)                                                            \
    {                                                                                              \
        struct x##_ring *made = ring;                                                              \
        bool sound = leat_##x##_check(&made->ring, stderr);                                        \
        LEAT_ASSERT(sound);                                                                        \
        if (made->chunks) {                                                                        \
            chunks_fini(&made->slab);                                                              \
        }                                                                                          \
        leat_os_unmap(made->memory, made->bytes);                                                  \
        free(made);                                                                                \
    }                                                                                              \
    LEAT_INLINE bool x##_push(void *ring, uint64_t item)                                           \
    {                                                                                              \
        return leat_##x##_push(&((struct x##_ring *)ring)->ring, (uint32_t)item);                  \
    }                                                                                              \
    LEAT_INLINE bool x##_pop(void *ring, uint64_t *item)                                           \
    {                                                                                              \
        uint32_t popped = 0;                                                                       \
        bool some = leat_##x##_pop(&((struct x##_ring *)ring)->ring, &popped);                     \
        *item = popped;                                                                            \
        return some;                                                                               \
    }                                                                                              \
    BENCH_RING_LOOPS(x)

#define RING_CHUNKS(x)                                                                             \
    static void *x##_create(const struct bench_ring_shape *shape)                                  \
    {                                                                                              \
        if (!shape->batch) {                                                                       \
            return x##_create_single(shape);                                                       \
        }                                                                                          \
        struct x##_ring *made = x##_open(CHUNKS_LOG2, false);                                      \
        made->chunks = true;                                                                       \
        chunks_init(&made->slab, shape);                                                           \
        return made;                                                                               \
    }                                                                                              \
    LEAT_INLINE uint32_t x##_chunk_push(void *hand, const uint64_t *items, uint32_t count)         \
    {                                                                                              \
        struct hand *own = hand;                                                                   \
        hand_fill(own, items, count);                                                              \
        if (!x##_push(own->ring, own->held)) {                                                     \
            return 0;                                                                              \
        }                                                                                          \
        own->held = LEAT_INDEX_NONE;                                                               \
        return count;                                                                              \
    }                                                                                              \
    LEAT_INLINE uint32_t x##_chunk_pop(void *hand, uint64_t *items, uint32_t count)                \
    {                                                                                              \
        (void)count; /* always a whole chunk */                                                    \
        struct hand *own = hand;                                                                   \
        uint64_t index = 0;                                                                        \
        return x##_pop(own->ring, &index) ? hand_empty(own, (uint32_t)index, items) : 0;           \
    }                                                                                              \
    static void x##_chunk_produce(struct bench_ring_side *side)                                    \
    {                                                                                              \
        struct x##_ring *made = side->ring;                                                        \
        struct hand hand = {.ring = made, .slab = &made->slab, .held = LEAT_INDEX_NONE};           \
        bench_ring_produce_batch_loop(side, &hand, x##_chunk_push);                                \
        hand_give(&hand);                                                                          \
    }                                                                                              \
    static void x##_chunk_consume(struct bench_ring_side *side)                                    \
    {                                                                                              \
        struct x##_ring *made = side->ring;                                                        \
        struct hand hand = {.ring = made, .slab = &made->slab, .held = LEAT_INDEX_NONE};           \
        bench_ring_consume_batch_loop(side, &hand, x##_chunk_pop);                                 \
        hand_give(&hand);                                                                          \
    }

#define RING_CALLS(x)                                                                              \
    x##_create, x##_destroy, x##_solo, x##_produce, x##_consume, x##_chunk_produce,                \
        x##_chunk_consume

RING_SINGLE(packed)
RING_CHUNKS(packed)
BENCH_RING_EACH(packed)
BENCH_RING_BATCH_LOOPS(packed)

static void *
packed_create_remap(const struct bench_ring_shape *shape)
{
    (void)shape;
    return packed_open(BENCH_RING_SLOTS_LOG2, true);
}

RING_SINGLE(turn)
RING_CHUNKS(turn)
RING_SINGLE(ticket)
RING_CHUNKS(ticket)
RING_SINGLE(scq)
RING_CHUNKS(scq)
RING_SINGLE(spsc)

#define MANY_BATCHED (BENCH_RING_MANY | BENCH_RING_BATCHED)

/* Locked instructions per item:
 *   packed  push: the swap on the slot. pop: the same. The hints are stored plainly. 2
 *   turn    push: the swap on the tail. pop: that on the head. The slot is stored plainly. 2
 *   ticket  push: the credit and the ticket. pop: the same. The slot is stored plainly. 4
 *   scq     push: the credit, the position, the slot. pop: the same, the credit last. 6
 *   spsc    none
 *   chunk   those of the ring, and of the slab: one swap to take 8 blocks, one to give 8. By 32 */
#define BATCHED(single) (((single) + 2.0 / KEPT) / LEAT_CHUNK_ITEMS)

const struct bench_ring_kind bench_rings_leat[] = {
    {{"leat packed", MANY_BATCHED, BENCH_RING_SLOTS, 8, 2, BATCHED(2),
      "4-byte items; a batch is a chunk of 128 bytes, 8 in hand"},
     RING_CALLS(packed)},
    {{"leat packed remap", BENCH_RING_MANY, BENCH_RING_SLOTS, 8, 2, 2,
      "4-byte items; neighbours on different lines"},
     packed_create_remap,
     packed_destroy,
     BENCH_RING_CALLS(packed)},
    {{"leat packed singles", BENCH_RING_BATCHED, BENCH_RING_SLOTS, 8, 2, 2,
      "4-byte items; a batch is pushed one by one"},
     packed_create_single,
     packed_destroy,
     BENCH_RING_CALLS(packed)},
    {{"leat turn", MANY_BATCHED, BENCH_RING_SLOTS, 8, 2, BATCHED(2),
      "4-byte items; a batch is a chunk of 128 bytes, 8 in hand"},
     RING_CALLS(turn)},
    {{"leat ticket", MANY_BATCHED, BENCH_RING_SLOTS, 8, 4, BATCHED(4),
      "4-byte items; a batch is a chunk of 128 bytes, 8 in hand; waits inside for a slot"},
     RING_CALLS(ticket)},
    {{"leat scq", MANY_BATCHED, BENCH_RING_SLOTS, 16, 6, BATCHED(6),
      "4-byte items; a batch is a chunk of 128 bytes, 8 in hand; two slots for an item"},
     RING_CALLS(scq)},
    {{"leat spsc", BENCH_RING_SPSC, BENCH_RING_SLOTS, 4, 0, 0, "4-byte items"},
     spsc_create_single,
     spsc_destroy,
     spsc_solo,
     spsc_produce,
     spsc_consume,
     NULL,
     NULL},
    {.facts = {.name = NULL}},
};
