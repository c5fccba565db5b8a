/* slab.h - fixed records by index, each with a 64-bit word that carries its generation; the free
 * ones in lock-free lists that rotate.
 *
 * Source   R. Kent Treiber, "Systems programming: coping with parallelism", 1986 (the stack), with
 *          a tag against ABA. Differs: two stacks per shard that change roles, so that what is
 *          given back waits until the other stack is used up: a rotation, without a moment in
 *          which the lists are in one thread's hands.
 * Roles    any thread takes and gives. Between take and give the record, and every bit of its word
 *          below the generation, belong to the taker's protocol (engine/job.h).
 *          One thread at a time trims: it puts free records aside until those of whole pages are
 *          there, has their memory given back to the system, and lists them again.
 * Claims   take, give  lock-free: a compare-and-swap fails only if another one succeeded; no step
 *          leaves a list in a state that others must wait for.
 *          Exact: take says none only if there was a moment without a free record. What a trim has
 *          put aside is free: who finds the lists empty takes it from there. In the hand of the
 *          trimmer are LEAT_SLAB_RUN units of records at most.
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
 * I1       a free record is in exactly one stack, or aside, or not yet taken for the first time
 * I2       free + in use + retired = capacity
 * I3       words of free records are even, of records in use odd (not with link_inside)
 * Edges    give:B -> take:A    what the last user did with the record
 *          aside:A -> aside:C    the same, for one that was put aside
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
    uint32_t units;                            /* I of LEAT_SLAB_UNIT_LOG2; 0 with link_inside */
    leat_atomic_u64 *aside;                    /* I by unit: a bit for each record put aside */
    void *mapping;                             /* I */
    size_t mapping_bytes;                      /* I */
    LEAT_ALIGNED_LINE leat_atomic_u32 retired; /* S */
    leat_atomic_u32 trimming;                  /* S 1: records may be aside */
    leat_atomic_u64 set_aside;                 /* S takes that were none of a user's */
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

/* What stands behind the records [first, first + count) is to be in huge pages. */
void leat_slab_huge(struct leat_slab *slab, uint32_t first, uint32_t count);
/* Gives back to the system what stands behind the records [first, first + count), which are
 * nobody's now. They read as zeros from then on, or as before. */
typedef void (*leat_slab_release)(void *context, uint32_t first, uint32_t count);

/* How far a trim is. */
struct leat_slab_trim {
    uint32_t left; /* records that are still to be put aside */
    uint32_t unit; /* from which on they are to be listed again */
};

/* Begins a trim: from now on one thread at a time makes its steps, up to the end. Not with
 * link_inside, where the list is in the records. */
void leat_slab_trim_begin(struct leat_slab *slab, struct leat_slab_trim *trim);
/* The next `budget` records or so; at least a unit. False: the trim is done. */
bool leat_slab_trim_step(struct leat_slab *slab, struct leat_slab_trim *trim, uint32_t budget,
                         leat_slab_release release, void *context);

/* Spreads memory that has `bytes` for each record over the nodes, as the records are. */
void leat_slab_spread(const struct leat_slab *slab, void *memory, size_t bytes);

/* The first record from `index` on that was ever taken; capacity: none. */
uint32_t leat_slab_next(const struct leat_slab *slab, uint32_t index);

/* Records that were ever taken. */
uint32_t leat_slab_taken(const struct leat_slab *slab);

/* Takes since the start, modulo 2^38: for statistics, at no cost on the hot path. While a trim puts
 * records aside it may be off by those that it has in hand. */
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
