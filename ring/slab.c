/* slab.c - taking and giving records, see slab.h. */
#include "ring/slab.h"

#include <inttypes.h>

#include "ring/os.h"

#define LOW_MASK ((uint64_t)LEAT_INDEX_NONE)

/* Records of a node come in such numbers: whole pages of words, and of the least records. */
#define NODE_RECORDS_UNIT 512

#define UNIT      (UINT32_C(1) << LEAT_SLAB_UNIT_LOG2)
#define UNIT_FULL (UINT64_MAX >> (64 - UNIT))

LEAT_STATIC(LEAT_SLAB_UNIT_LOG2 <= 6, "a unit has a bit of one word for each record");
LEAT_STATIC(NODE_RECORDS_UNIT % UNIT == 0, "a unit is of one node");
LEAT_STATIC(NODE_RECORDS_UNIT * sizeof(uint64_t) % LEAT_PAGE_BYTES == 0, "a node has whole pages");

static uint32_t
low_of(uint64_t word)
{
    return (uint32_t)(word & LOW_MASK);
}

/* A list head after `count` takes; the tag wraps within its 38 bits. */
static uint64_t
head_after(uint64_t head, uint32_t count, uint32_t index)
{
    return ((head & ~LOW_MASK) + ((uint64_t)count << LEAT_INDEX_BITS)) | index;
}

/* ---- one stack ------------------------------------------------------------------------------ */

/* The records below the top one, as far as they can be followed, up to `most` in all. What is read
 * may be anything, if another thread has taken one meanwhile: then the swap fails. *next: the one
 * behind them. */
static uint32_t
stack_follow(const struct leat_slab *slab, uint32_t *indices, uint32_t most, uint32_t *next)
{
    uint32_t count = 1;
    for (;;) {
        LEAT_ASSERT(indices[count - 1] < slab->capacity);
        /* rlx: ordered by take:A */
        *next = low_of(atom_load_rlx(leat_slab_word(slab, indices[count - 1])));
        if (count == most || *next >= slab->capacity) {
            return count;
        }
        indices[count++] = *next;
    }
}

/* Takes up to `most` records by one swap. Returns how many; 0: the stack is empty. */
LEAT_INLINE uint32_t
stack_take(struct leat_slab *slab, struct leat_slab_stack *stack, uint32_t *indices, uint32_t most)
{
    for (;;) {
        /* take:A acquire -> give:B.  Carries: the links in the records' words, and what the last
         * users did with the records.
         * If relaxed: a link could be read as it was before the record was given back. */
        uint64_t head = atom_load_acq(&stack->head);
        uint32_t next = LEAT_INDEX_NONE;
        indices[0] = low_of(head);
        if (indices[0] == LEAT_INDEX_NONE) {
            return 0;
        }
        uint32_t count = stack_follow(slab, indices, most, &next);
        uint64_t after = head_after(head, count, next);
        /* take:B release -> sum:A.  Carries: that the records were taken, to a searcher. Needs no
         * acquire: a head has each value once, so it meets the very write that take:A has met.
         * If relaxed: a searcher could count the take and miss a record given before it. */
        if (atom_cas_rel(&stack->head, &head, after)) {
            /* The next one to take was given back by another core, most often. */
            leat_slab_prefetch(slab, next);
            return count;
        }
    }
}

/* Puts a chain of records on a stack: from `first` on they are linked, and `last` is to be. */
static void
stack_give(struct leat_slab *slab, struct leat_slab_stack *stack, uint32_t first, uint32_t last,
           uint64_t generation)
{
    uint64_t head = atom_load_rlx(&stack->head); /* rlx: hint, re-checked at give:B */
    for (;;) {
        /* rlx: ordered by give:B */
        atom_store_rlx(leat_slab_word(slab, last), leat_word_of(generation, low_of(head)));
        uint64_t after = (head & ~LOW_MASK) | first;
        /* give:B release -> take:A.  Carries: the links, and the users' last writes.
         * If relaxed: see take:A. */
        if (atom_cas_rel(&stack->head, &head, after)) {
            return;
        }
    }
}

/* ---- the slab ------------------------------------------------------------------------------- */

static uint32_t
node_of_shard(const struct leat_slab *slab, uint32_t shard)
{
    return LEAT_LIKELY(slab->nodes_count == 1) ? 0 : slab->nodes->of_cpu[shard % LEAT_CPUS_MAX];
}

static uint32_t
node_of_record(const struct leat_slab *slab, uint32_t index)
{
    return LEAT_LIKELY(slab->nodes_count == 1) ? 0 : index / slab->node_records;
}

static struct leat_slab_shard *
shard_of(const struct leat_slab *slab, uint32_t node, uint32_t shard)
{
    return &slab->shards[node * slab->node_shards + shard % slab->node_shards];
}

/* A record that was never used, of the first `limit` of a range. False: all were. */
static bool
fresh_take(struct leat_slab_range *range, uint32_t limit, uint32_t *index)
{
    uint32_t most = limit < range->count ? limit : range->count;
    uint32_t fresh = atom_load_rlx(&range->fresh); /* rlx: hint, re-checked at sum:B */
    while (fresh < most) {
        /* fresh:A release -> sum:B.  Carries: what the taker had seen given.
         * If relaxed: see sum:B. */
        if (atom_cas_rel(&range->fresh, &fresh, fresh + 1)) {
            *index = range->first + fresh;
            return true;
        }
    }
    return false;
}

/* From one shard: the stack whose turn it is, else the other one, which then has its turn. */
LEAT_INLINE uint32_t
shard_take(struct leat_slab *slab, struct leat_slab_shard *shard, uint32_t *indices, uint32_t most)
{
    uint32_t role = atom_load_rlx(&shard->role); /* rlx: hint, re-checked at take:B */
    uint32_t count = stack_take(slab, &shard->stacks[role], indices, most);
    if (count != 0) {
        return count;
    }
    count = stack_take(slab, &shard->stacks[role ^ 1], indices, most);
    if (count != 0) {
        atom_store_rlx(&shard->role, role ^ 1); /* rlx: hint, re-checked at take:B */
    }
    return count;
}

/* Takes of any kind so far. Equal before and after a search that found every list empty: nothing
 * was taken in between, lists only grew, so all were empty when the first was looked at. */
static uint64_t
takes_sum(const struct leat_slab *slab)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < slab->nodes_count; i++) {
        /* sum:B acquire -> fresh:A.  Carries: what the taker of the last fresh one had seen given.
         * If relaxed: a searcher could find none fresh and miss a record given before. */
        sum += atom_load_acq(&slab->ranges[i].fresh);
    }
    for (uint32_t i = 0; i < slab->nodes_count * slab->node_shards; i++) {
        for (uint32_t j = 0; j < 2; j++) {
            /* sum:A acquire -> take:B.  Carries: nothing more; keeps the search between two sums.
             * If relaxed: the first sum could be read after the search. */
            sum += atom_load_acq(&slab->shards[i].stacks[j].head) >> LEAT_INDEX_BITS;
        }
    }
    return sum;
}

uint64_t
leat_slab_takes(const struct leat_slab *slab)
{
    uint64_t set_aside = atom_load_rlx(&slab->set_aside); /* rlx: statistic */
    return (takes_sum(slab) - set_aside) & LEAT_GENERATION_LAST;
}

/* From the first list that has some. Returns how many. */
LEAT_INLINE uint32_t
any_take(struct leat_slab *slab, uint32_t shard, uint32_t *indices, uint32_t most)
{
    uint32_t home = node_of_shard(slab, shard);
    for (uint32_t i = 0; i < slab->nodes_count; i++) {
        uint32_t node = (home + i) % slab->nodes_count;
        for (uint32_t j = 0; j < slab->node_shards; j++) {
            /* Reduced first: the sum of a number near its wrap would skip shards. */
            struct leat_slab_shard *from = shard_of(slab, node, shard % slab->node_shards + j);
            uint32_t count = shard_take(slab, from, indices, most);
            if (count != 0) {
                return count;
            }
        }
        if (fresh_take(&slab->ranges[node], slab->capacity, indices)) {
            return 1;
        }
    }
    return 0;
}

static bool
unit_take(struct leat_slab *slab, uint32_t unit, uint32_t *index)
{
    leat_atomic_u64 *word = &slab->aside[unit];
    for (;;) {
        /* aside:C acquire -> aside:A, aside:B.  Carries: what the last users did with the records
         * whose bits are set; and what the trimmer had listed before it cleared others.
         * If relaxed: see give:B; and a searcher could find all units empty, and the lists as they
         * were before. */
        uint64_t bits = atom_load_acq(word);
        uint64_t first = bits & (~bits + 1);
        if (bits == 0) {
            return false;
        }
        if (atom_cas_rlx(word, &bits, bits & ~first)) { /* rlx: ordered by aside:C */
            *index = unit * UNIT + (uint32_t)__builtin_ctzll(first);
            return true;
        }
    }
}

/* A record that a trim has put aside. False: there is none; and none comes, unless by a take. */
static bool
aside_take(struct leat_slab *slab, uint32_t *index)
{
    /* trimming:A acquire -> trimming:B.  Carries: that all were listed again.
     * If relaxed: a searcher could look at a list before they were. */
    if (atom_load_acq(&slab->trimming) == 0) {
        return false;
    }
    for (uint32_t unit = 0; unit < slab->units; unit++) {
        if (unit_take(slab, unit, index)) {
            atom_sub_rlx(&slab->set_aside, 1); /* rlx: statistic */
            return true;
        }
    }
    return false;
}

/* Nothing was found: says so only if nothing was taken while we looked. Each further round means
 * that another thread took a record. What is aside comes first: nothing is put there but by a
 * take. */
static LEAT_COLD bool
take_slowly(struct leat_slab *slab, uint32_t shard, uint32_t *index)
{
    for (;;) {
        uint64_t before = takes_sum(slab);
        if (aside_take(slab, index) || any_take(slab, shard, index, 1) != 0) {
            return true;
        }
        if (takes_sum(slab) == before) {
            return false;
        }
    }
}

/* The taker is alone with the record. A fresh one has the word 0 and starts where the slab
 * starts. */
LEAT_INLINE void
use_begin(struct leat_slab *slab, uint32_t index)
{
    LEAT_ASSERT(index < slab->capacity);
    if (slab->link_inside) {
        return;
    }
    leat_atomic_u64 *word = leat_slab_word(slab, index);
    uint64_t generation = leat_word_generation(atom_load_rlx(word)); /* rlx: ordered by take:B */
    if (generation == 0) {
        generation = slab->generation_start;
    }
    LEAT_ASSERT((generation & 1) == 0);
    atom_store_rlx(word, leat_word_of(generation + 1, 0)); /* rlx: single writer */
}

bool
leat_slab_take(struct leat_slab *slab, uint32_t shard, uint32_t *index)
{
    uint32_t taken = LEAT_INDEX_NONE;
    struct leat_slab_range *near = &slab->ranges[node_of_shard(slab, shard)];
    if (!fresh_take(near, slab->rotation, &taken) && any_take(slab, shard, &taken, 1) == 0 &&
        !take_slowly(slab, shard, &taken)) {
        return false;
    }
    *index = taken;
    use_begin(slab, taken);
    return true;
}

uint32_t
leat_slab_take_n(struct leat_slab *slab, uint32_t shard, uint32_t *indices, uint32_t most)
{
    LEAT_ASSERT(most >= 1);
    struct leat_slab_range *near = &slab->ranges[node_of_shard(slab, shard)];
    uint32_t count = 0;
    while (count < most) {
        uint32_t *to = indices + count;
        uint32_t more =
            fresh_take(near, slab->rotation, to) ? 1 : any_take(slab, shard, to, most - count);
        if (more == 0 && !take_slowly(slab, shard, to)) {
            break;
        }
        more += more == 0;
        for (uint32_t i = 0; i < more; i++) {
            use_begin(slab, to[i]);
        }
        count += more;
    }
    return count;
}

/* The generation of a record once it is free; odd: it retires. */
static uint64_t
generation_free(const struct leat_slab *slab, uint32_t index)
{
    if (slab->link_inside) {
        return 0;
    }
    uint64_t word = atom_load_rlx(leat_slab_word(slab, index)); /* rlx: single writer */
    uint64_t generation = leat_word_generation(word);
    LEAT_ASSERT((generation & 1) == 1);
    if (LEAT_UNLIKELY(generation == LEAT_GENERATION_LAST)) {
        /* Without ids it starts again: 0 is a record as good as never used. */
        return slab->without_ids ? 0 : generation;
    }
    return generation + 1;
}

void
leat_slab_give(struct leat_slab *slab, uint32_t shard, uint32_t index)
{
    LEAT_ASSERT(index < slab->capacity);
    uint64_t generation = generation_free(slab, index);
    if (LEAT_UNLIKELY((generation & 1) != 0)) {
        /* Ids of this record stay answerable as gone: the last generation stands, owner's bits
         * say what the owner left there. */
        atom_add_rlx(&slab->retired, 1); /* rlx: statistic */
        return;
    }
    struct leat_slab_shard *home = shard_of(slab, node_of_record(slab, index), shard);
    uint32_t role = atom_load_rlx(&home->role); /* rlx: hint, re-checked at give:B */
    stack_give(slab, &home->stacks[role ^ 1], index, index, generation);
}

void
leat_slab_give_n(struct leat_slab *slab, uint32_t shard, const uint32_t *indices, uint32_t count)
{
    LEAT_ASSERT(count >= 1);
    if (slab->nodes_count > 1 || !slab->link_inside) {
        for (uint32_t i = 0; i < count; i++) {
            leat_slab_give(slab, shard, indices[i]);
        }
        return;
    }
    for (uint32_t i = count - 1; i > 0; i--) {
        /* rlx: ordered by give:B */
        atom_store_rlx(leat_slab_word(slab, indices[i - 1]), leat_word_of(0, indices[i]));
    }
    struct leat_slab_shard *home = shard_of(slab, 0, shard);
    uint32_t role = atom_load_rlx(&home->role); /* rlx: hint, re-checked at give:B */
    stack_give(slab, &home->stacks[role ^ 1], indices[0], indices[count - 1], 0);
}

/* ---- trimming ------------------------------------------------------------------------------- */

void
leat_slab_trim_begin(struct leat_slab *slab, struct leat_slab_trim *trim)
{
    LEAT_ASSERT(!slab->link_inside);
    trim->left = leat_slab_taken(slab);
    trim->unit = 0;
    /* Before the first is put aside, by the same thread or one that knows of this. rlx: ordered by
     * take:B */
    atom_store_rlx(&slab->trimming, 1);
}

/* Up to a unit of listed records. Returns how many; 0: no list has any. */
static uint32_t
listed_take(struct leat_slab *slab, uint32_t *indices)
{
    for (uint32_t i = 0; i < slab->nodes_count * slab->node_shards; i++) {
        uint32_t count = shard_take(slab, &slab->shards[i], indices, UNIT);
        if (count != 0) {
            return count;
        }
    }
    return 0;
}

static uint32_t
put_aside(struct leat_slab *slab)
{
    uint32_t indices[UNIT];
    uint32_t count = listed_take(slab, indices);
    atom_add_rlx(&slab->set_aside, count); /* rlx: statistic */
    for (uint32_t i = 0; i < count; i++) {
        uint64_t bit = UINT64_C(1) << indices[i] % UNIT;
        /* aside:A release -> aside:C.  Carries: what the last user did with the record, that take:A
         * has met.
         * If relaxed: see give:B. */
        (void)atom_or_rel(&slab->aside[indices[i] / UNIT], bit);
    }
    return count;
}

/* Lists the records of a unit whose bits are set, by one swap. pre: there are some, and they are
 * the caller's. */
static void
unit_give(struct leat_slab *slab, uint32_t unit, uint64_t bits)
{
    uint32_t last = unit * UNIT + (uint32_t)__builtin_ctzll(bits);
    uint32_t first = LEAT_INDEX_NONE;
    uint64_t generation = 0;
    for (uint64_t more = bits; more != 0; more &= more - 1) {
        uint32_t index = unit * UNIT + (uint32_t)__builtin_ctzll(more);
        leat_atomic_u64 *word = leat_slab_word(slab, index);
        uint64_t own = leat_word_generation(atom_load_rlx(word)); /* rlx: ordered by aside:B */
        generation = index == last ? own : generation;
        atom_store_rlx(word, leat_word_of(own, first)); /* rlx: ordered by give:B */
        first = index;
    }
    struct leat_slab_shard *home = shard_of(slab, node_of_record(slab, last), unit);
    uint32_t role = atom_load_rlx(&home->role); /* rlx: hint, re-checked at give:B */
    stack_give(slab, &home->stacks[role ^ 1], first, last, generation);
}

/* Takes all of a unit that is aside. */
static uint64_t
unit_swap(struct leat_slab *slab, uint32_t unit)
{
    /* aside:B release -> aside:C.  Carries: what was listed before. Needs no acquire: what the last
     * users did with the records, take:A has met.
     * If relaxed: see aside:C. */
    return atom_swap_rel(&slab->aside[unit], 0);
}

/* Lists the next units, up to a run; of those that are there whole the memory is given back first.
 */
static uint32_t
run_list(struct leat_slab *slab, uint32_t unit, leat_slab_release release, void *context)
{
    uint64_t bits[LEAT_SLAB_RUN];
    uint32_t count = 0;
    uint32_t whole = 0; /* the last so many */
    while (count < LEAT_SLAB_RUN && unit + count < slab->units) {
        bits[count] = unit_swap(slab, unit + count);
        bool full = bits[count] == UNIT_FULL;
        count++;
        whole += full ? 1 : 0;
        bool last = count == LEAT_SLAB_RUN || unit + count == slab->units;
        if (whole != 0 && (!full || last)) {
            uint32_t end = unit + count - (full ? 0 : 1);
            release(context, (end - whole) * UNIT, whole * UNIT);
            whole = 0;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (bits[i] != 0) {
            unit_give(slab, unit + i, bits[i]);
        }
    }
    return count;
}

bool
leat_slab_trim_step(struct leat_slab *slab, struct leat_slab_trim *trim, uint32_t budget,
                    leat_slab_release release, void *context)
{
    uint32_t done = 0;
    while (trim->left != 0 && done < budget) {
        uint32_t count = put_aside(slab);
        trim->left -= count == 0 || count > trim->left ? trim->left : count;
        done += count;
    }
    /* Not before all are aside: else the budget is used up. */
    while (done < budget && trim->unit < slab->units) {
        uint32_t count = run_list(slab, trim->unit, release, context);
        trim->unit += count;
        done += count * UNIT;
    }
    if (trim->unit < slab->units) {
        return true;
    }
    /* trimming:B release -> trimming:A.  Carries: see trimming:A.
     * If relaxed: see trimming:A. */
    atom_store_rel(&slab->trimming, 0);
    return false;
}

/* ---- start and end -------------------------------------------------------------------------- */

struct layout {
    uint32_t nodes;
    uint32_t node_shards;
    size_t shards; /* offsets */
    size_t aside;
    size_t words;
    size_t records;
    size_t bytes;
};

static uint32_t
units_of(uint32_t capacity)
{
    return (capacity + UNIT - 1) >> LEAT_SLAB_UNIT_LOG2;
}

static struct layout
layout_of(const struct leat_slab_config *config)
{
    struct layout layout;
    layout.nodes = config->nodes == NULL ? 1 : config->nodes->count;
    layout.node_shards = config->shards > layout.nodes ? config->shards / layout.nodes : 1;
    layout.shards = sizeof(struct leat_slab_range) * layout.nodes;
    size_t shards = sizeof(struct leat_slab_shard) * layout.nodes * layout.node_shards;
    size_t words = config->link_inside ? 0 : sizeof(leat_atomic_u64) * config->capacity;
    size_t aside = config->link_inside ? 0 : sizeof(leat_atomic_u64) * units_of(config->capacity);
    layout.aside = leat_round_up(layout.shards + shards, LEAT_PAGE_BYTES);
    layout.words = layout.aside + leat_round_up(aside, LEAT_PAGE_BYTES);
    layout.records = layout.words + leat_round_up(words, LEAT_PAGE_BYTES);
    layout.bytes =
        layout.records + leat_round_up(config->record_bytes * config->capacity, LEAT_PAGE_BYTES);
    return layout;
}

size_t
leat_slab_bytes(const struct leat_slab_config *config)
{
    return layout_of(config).bytes;
}

static void
lists_init(struct leat_slab *slab)
{
    uint32_t left = slab->capacity;
    for (uint32_t i = 0; i < slab->nodes_count; i++) {
        struct leat_slab_range *range = &slab->ranges[i];
        range->first = slab->capacity - left;
        range->count = left < slab->node_records ? left : slab->node_records;
        left -= range->count;
        atom_init(&range->fresh, 0);
    }
    for (uint32_t i = 0; i < slab->nodes_count * slab->node_shards; i++) {
        atom_init(&slab->shards[i].stacks[0].head, LEAT_INDEX_NONE);
        atom_init(&slab->shards[i].stacks[1].head, LEAT_INDEX_NONE);
        atom_init(&slab->shards[i].role, 0);
    }
}

void
leat_slab_spread(const struct leat_slab *slab, void *memory, size_t bytes)
{
    unsigned char *first = memory;
    for (uint32_t i = 0; i < slab->nodes_count && slab->nodes_count > 1; i++) {
        const struct leat_slab_range *range = &slab->ranges[i];
        leat_os_bind(first + bytes * range->first, bytes * range->count, slab->nodes->numbers[i]);
    }
}

bool
leat_slab_init(struct leat_slab *slab, const struct leat_slab_config *config)
{
    LEAT_ASSERT(config->capacity >= 1);
    LEAT_ASSERT(config->capacity <= LEAT_RECORDS_MAX);
    LEAT_ASSERT(config->shards >= 1);
    LEAT_ASSERT(config->shards <= LEAT_SLAB_SHARDS_MAX);
    LEAT_ASSERT(config->record_bytes % 16 == 0);
    LEAT_ASSERT((config->generation_start & 1) == 0);
    struct layout layout = layout_of(config);
    unsigned char *mapping = leat_os_map(layout.bytes);
    if (mapping == NULL) {
        return false;
    }
    slab->mapping = mapping;
    slab->mapping_bytes = layout.bytes;
    slab->ranges = (struct leat_slab_range *)(void *)mapping;
    slab->shards = (struct leat_slab_shard *)(void *)(mapping + layout.shards);
    slab->units = config->link_inside ? 0 : units_of(config->capacity);
    slab->aside = (leat_atomic_u64 *)(void *)(mapping + layout.aside);
    slab->words = mapping + layout.words; /* with link_inside the same as the records */
    slab->records = mapping + layout.records;
    slab->word_bytes = config->link_inside ? config->record_bytes : sizeof(leat_atomic_u64);
    slab->record_bytes = config->record_bytes;
    slab->generation_start = config->generation_start;
    slab->capacity = config->capacity;
    slab->without_ids = config->without_ids;
    slab->link_inside = config->link_inside;
    slab->rotation = config->capacity < LEAT_SLAB_ROTATION ? config->capacity : LEAT_SLAB_ROTATION;
    slab->nodes = config->nodes;
    slab->nodes_count = layout.nodes;
    slab->node_shards = layout.node_shards;
    uint32_t share = (config->capacity + layout.nodes - 1) / layout.nodes;
    slab->node_records = (uint32_t)leat_round_up(share, NODE_RECORDS_UNIT);
    atom_init(&slab->retired, 0);
    atom_init(&slab->trimming, 0);
    atom_init(&slab->set_aside, 0);
    lists_init(slab);
    leat_slab_spread(slab, slab->words, slab->word_bytes);
    leat_slab_spread(slab, slab->records, slab->record_bytes);
    return true;
}

void
leat_slab_fini(struct leat_slab *slab)
{
    leat_os_unmap(slab->mapping, slab->mapping_bytes);
    slab->mapping = NULL;
}

void
leat_slab_huge(struct leat_slab *slab, uint32_t first, uint32_t count)
{
    leat_os_huge(slab->words + (size_t)first * slab->word_bytes, (size_t)count * slab->word_bytes);
    leat_os_huge(slab->records + (size_t)first * slab->record_bytes,
                 (size_t)count * slab->record_bytes);
}

uint32_t
leat_slab_next(const struct leat_slab *slab, uint32_t index)
{
    for (uint32_t i = 0; i < slab->nodes_count; i++) {
        const struct leat_slab_range *range = &slab->ranges[i];
        uint32_t from = index > range->first ? index : range->first;
        if (from < range->first + atom_load_rlx(&range->fresh)) { /* rlx: statistic */
            return from;
        }
    }
    return slab->capacity;
}

uint32_t
leat_slab_taken(const struct leat_slab *slab)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < slab->nodes_count; i++) {
        sum += atom_load_rlx(&slab->ranges[i].fresh); /* rlx: statistic */
    }
    return sum;
}

/* ---- check ---------------------------------------------------------------------------------- */

/* Records of one stack, or capacity + 1 if it has a loop or a record that is not free. */
static uint32_t
stack_length(const struct leat_slab *slab, const struct leat_slab_stack *stack)
{
    uint32_t length = 0;
    uint32_t index = low_of(atom_load_rlx(&stack->head)); /* rlx: not shared yet */
    while (index != LEAT_INDEX_NONE) {
        if (index >= slab->capacity || length >= slab->capacity) {
            return slab->capacity + 1;
        }
        uint64_t word = atom_load_rlx(leat_slab_word(slab, index)); /* rlx: not shared yet */
        if ((leat_word_generation(word) & 1) != 0) {
            return slab->capacity + 1;
        }
        length++;
        index = low_of(word);
    }
    return length;
}

bool
leat_slab_check(const struct leat_slab *slab, uint32_t in_use, FILE *why)
{
    uint64_t fresh = leat_slab_taken(slab);
    uint64_t retired = atom_load_rlx(&slab->retired); /* rlx: not shared yet */
    uint64_t listed = 0;
    for (uint32_t i = 0; i < slab->nodes_count * slab->node_shards; i++) {
        listed += stack_length(slab, &slab->shards[i].stacks[0]);
        listed += stack_length(slab, &slab->shards[i].stacks[1]);
    }
    for (uint32_t i = 0; i < slab->units; i++) {        /* a trim that has not ended */
        uint64_t bits = atom_load_rlx(&slab->aside[i]); /* rlx: not shared yet */
        listed += (uint64_t)__builtin_popcountll(bits);
    }
    if (listed + in_use + retired == fresh) {
        return true;
    }
    if (why != NULL) {
        (void)fprintf(why,
                      "slab: I2: %" PRIu64 " free and %" PRIu32 " in use and %" PRIu64
                      " retired of %" PRIu64 "\n",
                      listed, in_use, retired, fresh);
    }
    return false;
}
