/* table.h - a hash table of an engine, keyed by bytes: liburcu's lock-free one (cds_lfht), with the
 * engine's memory for nodes, a seed of its own, and no thread.
 *
 * Source   liburcu-cds, after Shalev and Shavit, Split-Ordered Lists, 2006, and Michael, High
 *          Performance Dynamic Lock-Free Hash Tables and List-Based Sets, 2002.
 *          Differs: it neither grows by itself nor calls call_rcu(), as both start threads that a
 *          process keeps, whatever becomes of the engine. Who adds nodes calls
 *          leat_table_tidy() now and then, outside of every section: it makes the table larger or
 *          smaller, and frees what was removed, after one grace period for many nodes.
 * Roles    any thread finds, adds, replaces and removes, inside a section of rcu.h.
 * Claims   find                  wait-free but for the length of a chain, two nodes on average
 *                                where tidy is called.
 *          add, replace, remove  lock-free.
 *          tidy                  BLOCKING: it waits for a grace period, and for who is at it in
 *                                the same table; else at most one thread is at it, and no other
 *                                call waits for that one.
 *          A node that is out of the table is freed only behind a grace period that began behind
 *          its removal, and its address is not used before, so there is no ABA.
 *          Nodes are counted by the engine's allocator; the buckets, 16 bytes for each two to
 *          sixteen nodes, are liburcu's own from malloc(), which it does not do without.
 * I1       A key has at most one node in the table.
 * I2       A node that was added is in the table, or on the list of those removed, or about to be
 *          put there by the one thread whose call took it out.
 * Edges    removed:A -> removed:B   the node, out of the table
 *          tidy:A -> tidy:B         the size that the last one gave the table
 *          liburcu orders what stands in a node before it is added against who finds it.
 *
 * Keys are hashed by SipHash-2-4 with 128 bits that nobody outside knows, so that who may choose
 * keys cannot choose them for one chain. (Aumasson, Bernstein, SipHash, 2012.)
 */
#ifndef ENGINE_TABLE_H
#define ENGINE_TABLE_H

#include <urcu/urcu-bp.h>

#include <urcu/rculfhash.h>

#include <stdio.h>

#include "ring/atomic.h"
#include "ring/memory.h"

/* First member of a consumer's node. Letters: I set when made; S many writers. */
struct leat_table_node {
    struct cds_lfht_node link;       /* S liburcu's */
    struct leat_table_node *removed; /* Q the next one that is out of the table */
    const unsigned char *key;        /* I behind the consumer's node */
    uint64_t hash;                   /* I */
    uint32_t key_bytes;              /* I */
    uint32_t bytes;                  /* I of the whole block */
};

/* Letters: I set at init, then read-only; S many writers; W one
 * writer; T a statistic. */
struct leat_table {
    struct cds_lfht *lfht;                         /* I */
    struct leat_memory memory;                     /* I */
    void *domain;                                  /* I of the grace periods */
    uint64_t seed[2];                              /* I */
    LEAT_ALIGNED_LINE leat_atomic_pointer removed; /* S struct leat_table_node: out, not yet free */
    leat_atomic_u32 removed_count;                 /* T */
    leat_atomic_u32 count;                         /* T nodes in the table */
    leat_atomic_u32 tidying;                       /* S 1: a thread changes the size */
    leat_atomic_u32 buckets_log2;                  /* W by who tidies */
};

/* Limits: a grace period for so many nodes that are freed. */
#define LEAT_TABLE_REMOVED 256
/* 2^this buckets at least and at most: as few as one page has, as many as there are records. */
#define LEAT_TABLE_LOG2_MIN 8
#define LEAT_TABLE_LOG2_MAX 26

/* False: no memory, or the system gave no seed. `table` is zeroed. `domain` as for
 * leat_rcu_leave(). */
bool leat_table_init(struct leat_table *table, const struct leat_memory *memory, void *domain);
/* Frees all nodes. pre: quiescent; not inside a section. Nothing if init failed. */
void leat_table_fini(struct leat_table *table);

/* A zeroed node of `bytes`, with a copy of the key behind it; or NULL. Not in the table yet. */
void *leat_table_make(const struct leat_table *table, size_t bytes, const void *key,
                      size_t key_bytes);
/* Frees one that was never added. */
void leat_table_unmake(const struct leat_table *table, struct leat_table_node *node);

/* All of these: inside a section of rcu.h. What they return is valid until its end. */

struct leat_table_node *leat_table_find(const struct leat_table *table, const void *key,
                                        size_t key_bytes);
/* Adds the node. Returns it; or the one that has the key, and nothing has changed. */
struct leat_table_node *leat_table_add(struct leat_table *table, struct leat_table_node *node);
/* Puts `node` in the place of `old`, which has the same key. False: `old` was out before. */
bool leat_table_replace(struct leat_table *table, struct leat_table_node *old,
                        struct leat_table_node *node);
/* False: it was out before. */
bool leat_table_remove(struct leat_table *table, struct leat_table_node *node);
/* Frees the node, later. pre: this thread's replace or remove took it out, and nobody has freed it.
 * It may be called outside of a section, and at any time. */
void leat_table_free(struct leat_table *table, struct leat_table_node *node);

/* True if it is time for leat_table_tidy(). Progress: wait-free. */
bool leat_table_untidy(const struct leat_table *table);
/* See above. Not inside a section. */
void leat_table_tidy(struct leat_table *table);

/* True if each key is there once and the counts are right. Says why not. pre: quiescent. */
bool leat_table_check(const struct leat_table *table, FILE *why);

uint64_t leat_table_hash(const uint64_t seed[2], const void *key, size_t key_bytes);

#endif
