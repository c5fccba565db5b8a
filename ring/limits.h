/* limits.h - the limits of the substrate, each with its reason. */
#ifndef RING_LIMITS_H
#define RING_LIMITS_H

#include "ring/base.h"

/* An item of a ring: 2 bits of kind and 26 of index. With 36 bits of turn it fills one 64-bit
 * slot word. 2^26 records of 64 bytes are 4 GiB, more than one process wants to have waiting. */
#define LEAT_INDEX_BITS 26
#define LEAT_KIND_BITS  2
#define LEAT_ITEM_BITS  (LEAT_KIND_BITS + LEAT_INDEX_BITS)
#define LEAT_TURN_BITS  (64 - LEAT_ITEM_BITS)

/* The last index means "none" in free lists, so there is one record less. */
#define LEAT_INDEX_NONE  ((UINT32_C(1) << LEAT_INDEX_BITS) - 1)
#define LEAT_RECORDS_MAX LEAT_INDEX_NONE

/* Generation of a record: the rest of its 64-bit word. Odd while the record is in use, so a record
 * serves 2^37 times: at 10 million uses a second over 1 024 records in rotation, 163 days. A record
 * that used up its generations is retired. */
#define LEAT_GENERATION_BITS 38
#define LEAT_GENERATION_LAST ((UINT64_C(1) << LEAT_GENERATION_BITS) - 1)

/* Slots of a ring: the least is for tests (the engine's is 64), the most is 8 MiB of slots, beyond
 * which a ring is a store and no window. */
#define LEAT_RING_SLOTS_LOG2_MIN 1
#define LEAT_RING_SLOTS_LOG2_MAX 20

/* Records of a flight recorder: 32 MiB, some seconds of a worker at full speed. */
#define LEAT_FLIGHT_SLOTS_LOG2_MAX 20

/* Items of a chunk: two paired cache lines of 4-byte items. */
#ifndef LEAT_CHUNK_ITEMS /* a model has fewer */
#    define LEAT_CHUNK_ITEMS 32
#endif

/* Slots of a worker's local queue: a batch fits several times, and a steal copies at most half, 128
 * items of 4 bytes, in the time that a few jobs take. A longer queue keeps back work that others
 * could take in the order in which it came. */
#ifndef LEAT_LOCAL_SLOTS_LOG2 /* a model has fewer, and short batches */
#    define LEAT_LOCAL_SLOTS_LOG2 8
LEAT_STATIC(LEAT_CHUNK_ITEMS < 1 << LEAT_LOCAL_SLOTS_LOG2, "a chunk fits into a local queue");
#endif

/* So many records are taken for the first time before one is used again, and from then on they take
 * turns, stack by stack: then a stale id meets a generation that is far ahead, and retirement is
 * far off. */
#define LEAT_SLAB_ROTATION 1024

/* Free records whose memory is given back together, as a power of two: those of 64 bytes fill a
 * page, and each has a bit of one word. And so many of these at once: enough that the system call
 * is little beside them; a thread that stops while it does it takes their records with it. */
#ifndef LEAT_SLAB_UNIT_LOG2 /* a model has smaller ones */
#    define LEAT_SLAB_UNIT_LOG2 6
#    define LEAT_SLAB_RUN       32
#endif

/* Free-list shards of a slab, chosen by CPU. Beyond 64 CPUs several share one: the list's head is
 * touched once per job, which 2 or 3 CPUs can share. */
#define LEAT_SLAB_SHARDS_MAX 64

/* CPUs that are told apart: the size of a cpu_set_t. */
#define LEAT_CPUS_MAX 1024

/* Nodes of memory that are told apart: machines of one process have at most 32. */
#define LEAT_NODES_MAX 64

LEAT_STATIC(LEAT_TURN_BITS == 36, "the turn fills the slot word");
LEAT_STATIC(LEAT_GENERATION_BITS + LEAT_INDEX_BITS == 64, "an id is one word");

#endif
