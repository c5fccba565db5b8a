/* stream.c - see stream.h. */
#include "tests/support/stream.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"

void
stream_init(struct stream *stream, uint32_t producers, uint32_t readers)
{
    size_t bytes = readers * sizeof(*stream->readers);
    CHECK(producers <= STREAM_PRODUCERS_MAX);
    CHECK(readers <= STREAM_READERS_MAX);
    memset(stream, 0, sizeof(*stream));
    stream->producers = producers;
    stream->readers_count = readers;
    stream->readers = aligned_alloc(LEAT_LINE_BYTES, bytes);
    CHECK(stream->readers != NULL);
    memset(stream->readers, 0, bytes);
    for (uint32_t i = 0; i < readers; i++) {
        stream->readers[i].seen = calloc(producers, sizeof(*stream->readers[i].seen));
        CHECK(stream->readers[i].seen != NULL);
    }
}

void
stream_fini(struct stream *stream)
{
    for (uint32_t i = 0; i < stream->readers_count; i++) {
        free(stream->readers[i].seen);
    }
    free(stream->readers);
}

void
stream_round_begin(struct stream *stream, const uint32_t *goals)
{
    stream->round++;
    for (uint32_t i = 0; i < stream->producers; i++) {
        CHECK(goals[i] <= STREAM_SEQUENCES_MAX);
        stream->goals[i] = goals[i];
    }
    for (uint32_t i = 0; i < stream->readers_count; i++) {
        struct stream_reader *reader = &stream->readers[i];
        memset(reader->seen, 0, stream->producers * sizeof(*reader->seen));
        memset(reader->next, 0, sizeof(reader->next));
        for (uint32_t j = 0; j < stream->producers; j++) {
            atom_store_rlx(&reader->told[j], 0);
        }
    }
}

void
stream_note(const struct stream *stream, struct stream_reader *reader, uint32_t item)
{
    uint32_t sequence = item & (STREAM_SEQUENCES_MAX - 1);
    uint32_t producer = item >> STREAM_SEQUENCE_BITS & (STREAM_PRODUCERS_MAX - 1);
    reader->popped++;
    if (producer >= stream->producers || sequence >= stream->goals[producer] ||
        item != stream_item(stream, producer, sequence)) {
        reader->duplicated++;
        return;
    }
    uint64_t *word = &reader->seen[producer][sequence / 64];
    uint64_t bit = UINT64_C(1) << sequence % 64;
    if ((*word & bit) != 0) {
        reader->duplicated++;
        return;
    }
    *word |= bit;
    if (sequence < reader->next[producer]) {
        reader->reordered++;
    } else {
        reader->next[producer] = sequence + 1;
    }
}

void
stream_exchange(const struct stream *stream, struct stream_reader *reader)
{
    for (uint32_t i = 0; i < stream->producers; i++) {
        uint32_t next = reader->next[i];
        for (uint32_t j = 0; j < stream->readers_count; j++) {
            uint32_t other = atom_load_acq(&stream->readers[j].told[i]);
            next = other > next ? other : next;
        }
        reader->next[i] = next;
        atom_store_rel(&reader->told[i], next);
    }
}

static uint32_t
ones(uint64_t word)
{
    return (uint32_t)__builtin_popcountll(word);
}

/* Of a row whose first `count` bits are set, the 64 from `first` on. */
static uint64_t
first_bits(uint32_t count, uint32_t first)
{
    if (count <= first) {
        return 0;
    }
    return count - first >= 64 ? UINT64_MAX : (UINT64_C(1) << (count - first)) - 1;
}

static void
count_producer(struct stream *stream, uint32_t producer, uint32_t pushed)
{
    stream->counts.pushed += pushed;
    for (uint32_t i = 0; i < STREAM_WORDS; i++) {
        uint64_t right = first_bits(pushed, 64 * i);
        uint64_t came = 0;
        for (uint32_t j = 0; j < stream->readers_count; j++) {
            uint64_t seen = stream->readers[j].seen[producer][i];
            stream->counts.duplicated += ones(seen & (came | ~right));
            came |= seen;
        }
        stream->counts.lost += ones(right & ~came);
    }
}

void
stream_round_end(struct stream *stream, const uint32_t *pushed)
{
    for (uint32_t i = 0; i < stream->producers; i++) {
        CHECK(pushed[i] <= stream->goals[i]);
        count_producer(stream, i, pushed[i]);
    }
    for (uint32_t i = 0; i < stream->readers_count; i++) {
        struct stream_reader *reader = &stream->readers[i];
        stream->counts.popped += reader->popped;
        stream->counts.duplicated += reader->duplicated;
        stream->counts.reordered += reader->reordered;
        reader->popped = 0;
        reader->duplicated = 0;
        reader->reordered = 0;
    }
}
