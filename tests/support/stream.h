/* stream.h - numbered items through a queue, checked as they come out: how many are lost, come
 * twice or come out of order, counted in memory that does not grow with their number.
 *
 * Producers number their items from 0 in each round; a round is over when all of it has been pushed
 * and the queue has been emptied. So a bit for each item of a round is enough to know exactly what
 * came and how often. A reader has bits of its own, so that readers share no line in a round.
 *
 * Order: a reader knows of each producer up to which item the queue had given out before its own
 * pop began, from its own pops and from what the other readers told it a moment ago. From a FIFO
 * queue nothing older can come now. */
#ifndef TESTS_SUPPORT_STREAM_H
#define TESTS_SUPPORT_STREAM_H

#include "ring/atomic.h"
#include "ring/limits.h"

/* An item is round 5 | producer 5 | sequence 18. */
#define STREAM_SEQUENCE_BITS 18
#define STREAM_PRODUCER_BITS 5
#define STREAM_ROUND_BITS    (LEAT_ITEM_BITS - STREAM_PRODUCER_BITS - STREAM_SEQUENCE_BITS)

#define STREAM_PRODUCERS_MAX 32
#define STREAM_READERS_MAX   32
#define STREAM_SEQUENCES_MAX (UINT32_C(1) << STREAM_SEQUENCE_BITS)
#define STREAM_WORDS         (STREAM_SEQUENCES_MAX / 64)

LEAT_STATIC(STREAM_PRODUCERS_MAX == 1 << STREAM_PRODUCER_BITS, "all producers have a number");
LEAT_STATIC(STREAM_ROUND_BITS == 5, "an item is full");

struct stream_counts {
    uint64_t pushed;
    uint64_t popped;
    uint64_t lost;
    uint64_t duplicated; /* popped more often than pushed; once at most, or never */
    uint64_t reordered;  /* one that came twice may count here too */
};

/* A reader is one thread in a round. */
struct stream_reader {
    LEAT_ALIGNED_LINE uint64_t (*seen)[STREAM_WORDS]; /* by producer: items popped in this round */
    uint32_t next[STREAM_PRODUCERS_MAX]; /* by producer: older ones cannot come any more */
    uint64_t popped;
    uint64_t duplicated;
    uint64_t reordered;
    LEAT_ALIGNED_LINE leat_atomic_u32 told[STREAM_PRODUCERS_MAX]; /* next, as others may know it */
    LEAT_ALIGNED_LINE char guard;
};

struct stream {
    LEAT_ALIGNED_LINE struct stream_reader *readers;
    uint32_t readers_count;
    uint32_t producers;
    uint32_t round;
    uint32_t goals[STREAM_PRODUCERS_MAX]; /* by producer: items of this round */
    struct stream_counts counts;          /* of the rounds that are over */
};

void stream_init(struct stream *stream, uint32_t producers, uint32_t readers);
void stream_fini(struct stream *stream);

/* While nobody reads: begins a round in which each producer pushes so many, at most
 * STREAM_SEQUENCES_MAX; and ends it, when each has pushed so many, if possible all. */
void stream_round_begin(struct stream *stream, const uint32_t *goals);
void stream_round_end(struct stream *stream, const uint32_t *pushed);

static inline uint32_t
stream_item(const struct stream *stream, uint32_t producer, uint32_t sequence)
{
    uint32_t round = stream->round & ((1U << STREAM_ROUND_BITS) - 1);
    return (round << STREAM_PRODUCER_BITS | producer) << STREAM_SEQUENCE_BITS | sequence;
}

/* The reader popped this. */
void stream_note(const struct stream *stream, struct stream_reader *reader, uint32_t item);
/* Between two pops, now and then: what this reader and the others know of each other. */
void stream_exchange(const struct stream *stream, struct stream_reader *reader);

#endif
