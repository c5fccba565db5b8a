/* slab.h - fixed records by index, each with a 64-bit word that carries its generation; the free
 * ones in lock-free lists that rotate.
 *
 * Source   R. Kent Treiber, "Systems programming: coping with parallelism", 1986 (the stack), with
 *          a tag against ABA. Differs: two stacks per shard that change roles, so that what is
 *          given back waits until the other stack is used up: a rotation, without a moment in
 *          which a thread alone holds many records.
 * Roles    any thread takes and gives. Between take and give the record, and every bit of its word
 *          below the generation, belong to the taker's protocol (engine/job.h).
 * Claims   take, give  lock-free: a compare-and-swap fails only if another one succeeded; no step
 *          leaves a list in a state that others must wait for.
 *          Exact: take says none only if there was a moment without a free record.
 *          Words are never unmapped, so a stale reader of a word reads a word. Records may be.
 *          ABA   a list head carries a 38-bit tag, one more per take: a thread would have to sleep
 *                inside one take for exactly a multiple of 2^38 others (1.5 hours at 50 million a
 *                second) and find the same record on top.
 *          Wrap  a record's generation grows by two per use; the last one retires it.
 * Nodes    where memory has several nodes, each has a range of the records, bound to it, with
 *          shards of its own. A record goes back to a shard of its node, whoever gives it, and who
 *          takes one is given one of his node while it has any.
 * Word     in use:  generation (odd) 38 | owner's bits 26
 *          free:    generation (even) 38 | index of the next free record 26
 *          The words stand in an array of their own. Records that nobody knows by an id need no
 *          generation: with link_inside the first 8 bytes of the free record are its word, and
 *          its user's otherwise. So each use moves a line less between the cores.
 * I1       a free record is in exactly one stack, or not yet taken for the first time
 * I2       free + in use + retired = capacity
 * I3       words of free records are even, of records in use odd (not with link_inside)
 * Edges    give:B -> take:A    what the last user did with the record
 */
#ifndef RING_SLAB_H
#define RING_SLAB_H

#include <stdio.h>

#include "ring/atomic.h"
#include "ring/limits.h"

/* Letters: I set at init, then read-only; S many writers. */
struct leat_slab_stack {
    LEAT_ALIGNED_LINE leat_atomic_u64 head; /* S tag 38 | index 26, LEAT_INDEX_NONE at the bottom */
};

struct leat_slab_shard {
    struct leat_slab_stack stacks[2];       /* S */
    LEAT_ALIGNED_LINE leat_atomic_u32 role; /* S hint: which stack is taken from; rarely changed */
};

/* The records of one node. */
struct leat_slab_range {
    LEAT_ALIGNED_LINE leat_atomic_u32 fresh; /* S records ever taken */
    uint32_t first;                          /* I */
    uint32_t count;                          /* I may be 0 */
};

/* Nodes of memory, and which one each CPU is near to. */
struct leat_nodes {
    uint32_t count;
    uint16_t numbers[LEAT_NODES_MAX]; /* the system's */
    uint8_t of_cpu[LEAT_CPUS_MAX];    /* places in numbers[] */
};

struct leat_slab {
    unsigned char *words;                      /* I one per record */
    unsigned char *records;                    /* I */
    size_t word_bytes;                         /* I from one word to the next */
    size_t record_bytes;                       /* I */
    uint64_t generation_start;                 /* I of a record never used; even */
    uint32_t capacity;                         /* I */
    bool without_ids;                          /* I generations start again */
    bool link_inside;                          /* I there are none */
    uint32_t rotation;                         /* I fresh ones are used first up to this many */
    uint32_t nodes_count;                      /* I */
    uint32_t node_shards;                      /* I shards of each node */
    uint32_t node_records;                     /* I of each node but the last ones */
    struct leat_slab_range *ranges;            /* I by node */
    struct leat_slab_shard *shards;            /* I by node */
    const struct leat_nodes *nodes;            /* I NULL: one */
    void *mapping;                             /* I */
    size_t mapping_bytes;                      /* I */
    LEAT_ALIGNED_LINE leat_atomic_u32 retired; /* S */
};

struct leat_slab_config {
    uint32_t capacity;         /* 1 to LEAT_RECORDS_MAX */
    uint32_t shards;           /* 1 to LEAT_SLAB_SHARDS_MAX */
    size_t record_bytes;       /* a multiple of 16 */
    uint64_t generation_start; /* even; near the last in tests */
    bool without_ids;          /* nobody keeps an id of a record: none is ever retired */
    bool link_inside;          /* as without_ids; the first 8 bytes of a record are a
                                  leat_atomic_u64, which its user may write by atomic stores only */
    /* NULL: one. Borrowed as long as the slab is used; shard numbers are CPUs then. */
    const struct leat_nodes *nodes;
};

/* Bytes of address space that leat_slab_init() maps. */
size_t leat_slab_bytes(const struct leat_slab_config *config);

/* Maps the slab. Pages are taken from the system as records are used. False: no memory. */
bool leat_slab_init(struct leat_slab *slab, const struct leat_slab_config *config);
void leat_slab_fini(struct leat_slab *slab);

/* Takes a free record: its word is the next odd generation, owner's bits 0 (with link_inside: any
 * bits). `shard` is any number that spreads threads, such as their CPU. False: none is free.
 * Progress: lock-free. */
bool leat_slab_take(struct leat_slab *slab, uint32_t shard, uint32_t *index);

/* Takes up to `most` records, most of them by one swap where that can be. Returns how many; fewer
 * than `most`: there was a moment without a free one. What stands behind those in `indices` may be
 * overwritten. Progress: lock-free. */
uint32_t leat_slab_take_n(struct leat_slab *slab, uint32_t shard, uint32_t *indices, uint32_t most);

/* Gives a record back, or retires it. The caller is its only user. Progress: lock-free. */
void leat_slab_give(struct leat_slab *slab, uint32_t shard, uint32_t index);
/* The same for `count` of them; by one swap with link_inside and one node. Progress: lock-free. */
void leat_slab_give_n(struct leat_slab *slab, uint32_t shard, const uint32_t *indices,
                      uint32_t count);

/* Spreads memory that has `bytes` for each record over the nodes, as the records are. */
void leat_slab_spread(const struct leat_slab *slab, void *memory, size_t bytes);

/* The first record from `index` on that was ever taken; capacity: none. */
uint32_t leat_slab_next(const struct leat_slab *slab, uint32_t index);

/* Takes since the start, modulo 2^38: for statistics, at no cost on the hot path. */
uint64_t leat_slab_takes(const struct leat_slab *slab);

/* Checks I1 to I3 of a quiescent slab with `in_use` records taken. `why` may be NULL. */
bool leat_slab_check(const struct leat_slab *slab, uint32_t in_use, FILE *why);

LEAT_INLINE leat_atomic_u64 *
leat_slab_word(const struct leat_slab *slab, uint32_t index)
{
    LEAT_DCHECK(index < slab->capacity);
    return (leat_atomic_u64 *)(void *)(slab->words + index * slab->word_bytes);
}

LEAT_INLINE void *
leat_slab_record(const struct leat_slab *slab, uint32_t index)
{
    LEAT_DCHECK(index < slab->capacity);
    return slab->records + index * slab->record_bytes;
}

/* Brings what belongs to a record into the cache, to be written. Any index will do. */
LEAT_INLINE void
leat_slab_prefetch(const struct leat_slab *slab, uint32_t index)
{
    leat_prefetch(slab->words + index * slab->word_bytes);
    leat_prefetch(slab->records + index * slab->record_bytes);
}

LEAT_INLINE uint64_t
leat_word_generation(uint64_t word)
{
    return word >> LEAT_INDEX_BITS;
}

LEAT_INLINE uint64_t
leat_word_of(uint64_t generation, uint32_t low)
{
    return generation << LEAT_INDEX_BITS | low;
}

#endif
