/* wheel.c - timing wheels, see wheel.h: entries in their lists, the calls of any thread, advancing,
 * start and stop. The check is in wheel_check.c. */
#include "sched/wheel_internal.h"

#include <string.h>

#include "ring/os.h"

/* Values of the role. */
enum { ROLE_FREE = 0, ROLE_HELD = 1, ROLE_MARKED = 2 };

/* ---- ticks ----------------------------------------------------------------------------------- */

static uint64_t
tick_now(const struct leat_wheels *wheels, uint64_t now_ns)
{
    return now_ns <= wheels->start_ns ? 0 : (now_ns - wheels->start_ns) >> wheels->tick_log2;
}

/* The first tick that is not before the deadline. */
static uint64_t
tick_at(const struct leat_wheels *wheels, uint64_t deadline_ns)
{
    if (deadline_ns <= wheels->start_ns) {
        return 0;
    }
    return ((deadline_ns - wheels->start_ns - 1) >> wheels->tick_log2) + 1;
}

/* ---- blocks and lists ------------------------------------------------------------------------ */

static uint32_t
block_take(struct leat_wheel *wheel)
{
    uint32_t index = wheel->spare;
    if (LEAT_LIKELY(wheel->spares != 0)) {
        wheel->spares--;
        wheel->spare = leat_wheel_block_below(leat_wheel_block(wheel->all, index));
        return index;
    }
    bool taken = leat_slab_take(&wheel->all->blocks, wheel->number, &index);
    LEAT_ASSERT(taken);
    return index;
}

static void
block_give(struct leat_wheel *wheel, uint32_t index)
{
    if (wheel->spares == LEAT_WHEEL_SPARES) {
        leat_slab_give(&wheel->all->blocks, wheel->number, index);
        return;
    }
    /* rlx: single writer */
    atom_store_rlx(&leat_wheel_block(wheel->all, index)->head, wheel->spare);
    wheel->spare = index;
    wheel->spares++;
}

/* Puts a block on top of a list that is full or empty. */
static void
list_grow(struct leat_wheel *wheel, uint32_t id)
{
    uint32_t index = block_take(wheel);
    uint64_t below = leat_wheel_place_block(wheel->tops[id]);
    uint64_t head = (uint64_t)id << LEAT_INDEX_BITS | below;
    /* rlx: single writer */
    atom_store_rlx(&leat_wheel_block(wheel->all, index)->head, head);
    wheel->tops[id] = index << LEAT_WHEEL_BLOCK_LOG2;
    wheel->occupied[id >> LEAT_WHEEL_SLOTS_LOG2] |= UINT64_C(1) << (id & (LEAT_WHEEL_SLOTS - 1));
}

/* Drops the top block of a list, which is empty; the one below is full. */
static void
list_shrink(struct leat_wheel *wheel, uint32_t id)
{
    uint32_t index = leat_wheel_place_block(wheel->tops[id]);
    uint32_t below = leat_wheel_block_below(leat_wheel_block(wheel->all, index));
    block_give(wheel, index);
    wheel->tops[id] = below << LEAT_WHEEL_BLOCK_LOG2 | LEAT_WHEEL_NUMBERS;
    if (below == LEAT_INDEX_NONE) {
        uint64_t bit = UINT64_C(1) << (id & (LEAT_WHEEL_SLOTS - 1));
        wheel->occupied[id >> LEAT_WHEEL_SLOTS_LOG2] &= ~bit;
    }
}

/* Puts an entry on top of a list that has room. */
LEAT_INLINE void
entry_put(struct leat_wheel *wheel, uint32_t id, uint64_t entry)
{
    const struct leat_wheels *wheels = wheel->all;
    uint32_t place = wheel->tops[id] + 1;
    wheel->tops[id] = place;
    wheels->cells[place] = entry;
    wheels->places[leat_wheel_entry_index(entry)] = place;
}

/* Puts an entry into a new block. Returns `answer`: see entry_add. */
static bool
entry_put_higher(struct leat_wheel *wheel, uint32_t id, uint64_t entry, bool answer)
{
    list_grow(wheel, id);
    entry_put(wheel, id, entry);
    return answer;
}

/* Appends an entry of a tick that is not past, and within reach. Returns `answer`, so that nothing
 * is left to do behind the call that is rare, nor to be saved before it. */
LEAT_INLINE bool
entry_add(struct leat_wheel *wheel, uint64_t tick, uint32_t index, bool answer)
{
    uint32_t id = leat_wheel_list_of(wheel->now, tick);
    uint64_t entry = tick << LEAT_INDEX_BITS | index;
    if (LEAT_UNLIKELY(leat_wheel_place_number(wheel->tops[id]) == LEAT_WHEEL_NUMBERS)) {
        return entry_put_higher(wheel, id, entry, answer);
    }
    entry_put(wheel, id, entry);
    return answer;
}

/* Drops the last entry of a list that has some. */
LEAT_INLINE void
entry_drop(struct leat_wheel *wheel, uint32_t id)
{
    uint32_t top = wheel->tops[id] - 1;
    wheel->tops[id] = top;
    if (LEAT_UNLIKELY(leat_wheel_place_number(top) == 0)) {
        list_shrink(wheel, id);
    }
}

/* Takes the last entry of a list that has some; its place is still noted. */
LEAT_INLINE uint64_t
entry_pop(struct leat_wheel *wheel, uint32_t id)
{
    uint64_t entry = wheel->all->cells[wheel->tops[id]];
    entry_drop(wheel, id);
    return entry;
}

/* Where a record's entry stands, and which one moves there when it is taken out. */
struct hole {
    uint32_t place;
    uint32_t list;
    uint64_t last; /* entry of the list */
};

/* Looks up what taking a record's entry out needs, and fetches what it will write. pre: it has an
 * entry here. */
LEAT_INLINE struct hole
entry_find(const struct leat_wheel *wheel, uint32_t index)
{
    const struct leat_wheels *wheels = wheel->all;
    uint32_t place = wheels->places[index];
    leat_prefetch(&wheels->cells[place]);
    uint32_t list = leat_wheel_place_list(wheels, place);
    uint64_t last = wheels->cells[wheel->tops[list]];
    leat_prefetch(&wheels->places[leat_wheel_entry_index(last)]);
    return (struct hole){place, list, last};
}

/* Takes a record's entry out: the last one of its list moves to where it stood. */
LEAT_INLINE void
entry_remove(struct leat_wheel *wheel, uint32_t index, struct hole hole)
{
    const struct leat_wheels *wheels = wheel->all;
    wheels->cells[hole.place] = hole.last;
    wheels->places[leat_wheel_entry_index(hole.last)] = hole.place;
    wheels->places[index] = 0; /* last: it may be itself that moved */
    wheel->count--;
    entry_drop(wheel, hole.list);
}

/* Adds an entry for a deadline of any kind. True: earlier than all said before. */
LEAT_INLINE bool
link_at(struct leat_wheel *wheel, uint32_t index, uint64_t tick)
{
    uint64_t place = tick < wheel->now ? wheel->now : tick;
    place = place - wheel->now > LEAT_WHEEL_REACH ? wheel->now + LEAT_WHEEL_REACH : place;
    bool earlier = place < atom_load_rlx(&wheel->due); /* rlx: single writer */
    if (earlier) {
        /* Who goes to sleep by the old one was not told of this timer: the caller sees to it. */
        atom_store_rlx(&wheel->due, place); /* rlx: ordered by due:B */
    }
    wheel->count++;
    return entry_add(wheel, place, index, earlier);
}

/* As the record's deadline now says. An entry that is early enough stays. */
static bool
relink(struct leat_wheel *wheel, uint32_t index, uint64_t tick)
{
    uint32_t place = wheel->all->places[index];
    if (place != 0) {
        if (leat_wheel_entry_tick(wheel->all->cells[place], wheel->now) <= tick) {
            return false;
        }
        entry_remove(wheel, index, entry_find(wheel, index));
    }
    return link_at(wheel, index, tick);
}

/* ---- the role -------------------------------------------------------------------------------- */

bool
leat_wheel_enter(struct leat_wheel *wheel)
{
    uint32_t seen = ROLE_FREE;
    for (;;) {
        if (seen == ROLE_FREE) {
            /* role:A acquire -> role:B.  Carries: the wheel.
             * If relaxed: the wheel could be seen as it was in the midst of another holder. */
            if (atom_cas_acq(&wheel->role, &seen, ROLE_HELD)) {
                return true;
            }
            /* role:C release -> role:D.  Carries: what the caller saw or wrote before, which is why
             * it came; also where it is marked already.
             * If relaxed: the holder could look again and not see it, and leave. */
        } else if (atom_cas_rel(&wheel->role, &seen, ROLE_MARKED)) {
            return false;
        }
    }
}

/* The tick by which there is something to do; inbox aside. */
static uint64_t
tick_next(const struct leat_wheel *wheel, uint32_t *id)
{
    for (uint32_t level = 0; level < LEAT_WHEEL_LEVELS; level++) {
        if (wheel->occupied[level] != 0) {
            return leat_wheel_level_next(wheel, level, id);
        }
    }
    *id = LEAT_WHEEL_LISTS;
    return LEAT_WHEEL_NEVER;
}

bool
leat_wheel_leave(struct leat_wheel *wheel)
{
    uint32_t id = 0;
    bool busy = wheel->current != LEAT_WHEEL_LISTS || wheel->chain != LEAT_INDEX_NONE;
    uint64_t due = busy ? wheel->now : tick_next(wheel, &id);
    if (due != atom_load_rlx(&wheel->due)) { /* rlx: single writer */
        atom_store_rlx(&wheel->due, due);    /* rlx: ordered by due:B */
    }
    uint32_t held = ROLE_HELD;
    /* role:B release -> role:A.  Carries: the wheel.
     * If relaxed: see role:A. */
    if (LEAT_LIKELY(atom_cas_rel(&wheel->role, &held, ROLE_FREE))) {
        return true;
    }
    /* role:D acquire -> role:C.  Carries: what those who came by knew.
     * If relaxed: see role:C. */
    uint32_t marked = atom_swap_acq(&wheel->role, ROLE_HELD);
    LEAT_ASSERT(marked == ROLE_MARKED);
    return false;
}

uint64_t
leat_wheel_due_ns(struct leat_wheel *wheel)
{
    const struct leat_wheels *wheels = wheel->all;
    uint64_t due = atom_load_rlx(&wheel->due); /* rlx: ordered by due:A */
    /* due:A sc -> due:B.  Orders: due read then inbox read, against record sent then due read. */
    atom_fence_sc(&wheel->due);
    if (leat_inbox_ready(&wheel->inbox)) {
        return 0;
    }
    if (due > (LEAT_WHEEL_NEVER - wheels->start_ns) >> wheels->tick_log2) {
        return LEAT_WHEEL_NEVER;
    }
    return wheels->start_ns + (due << wheels->tick_log2);
}

/* ---- any thread ------------------------------------------------------------------------------ */

/* What a call found, and what it left. */
struct request {
    uint64_t before;
    uint64_t after;
};

/* Sends the record to its wheel, if nobody did, and says whether the wheel is due by then. */
static enum leat_wheel_result
send(const struct leat_wheels *wheels, uint32_t index, struct request request)
{
    struct leat_wheel *wheel = leat_wheels_at(wheels, leat_wheel_word_number(request.after));
    bool first = (request.before & LEAT_WHEEL_INBOX) == 0;
    if (first) {
        (void)leat_inbox_push(&wheel->inbox, leat_wheel_link(wheels, index), index);
    }
    if ((request.after & LEAT_WHEEL_ARMED) == 0) {
        return LEAT_WHEEL_LATER;
    }
    /* due:B sc -> due:A, word:A, word:B.  Orders: record sent (or deadline moved) then due read,
     * against due read then inbox read.  Carries: to who arms, what was written before a cancel or
     * a move that found nothing. */
    atom_fence_sc(&wheel->due);
    /* Another thread may have moved it to an earlier tick, and found it not yet in the inbox.
     * rlx: ordered by due:B */
    uint64_t tick = leat_wheel_word_tick(atom_load_rlx(leat_wheel_word(wheels, index)));
    uint64_t due = atom_load_rlx(&wheel->due); /* rlx: ordered by due:B */
    return tick < due ? LEAT_WHEEL_WAKE : LEAT_WHEEL_DONE;
}

enum leat_wheel_result
leat_wheel_arm_any(struct leat_wheel *wheel, uint32_t index, uint64_t deadline_ns)
{
    const struct leat_wheels *wheels = wheel->all;
    leat_atomic_u64 *word = leat_wheel_word(wheels, index);
    uint64_t before = atom_load_rlx(word); /* rlx: hint, re-checked at word:A */
    uint64_t after = leat_wheel_word_of(tick_at(wheels, deadline_ns), wheel->number) |
                     LEAT_WHEEL_ARMED | LEAT_WHEEL_INBOX;
    do {
        if ((before & (LEAT_WHEEL_ARMED | LEAT_WHEEL_INBOX)) != 0) {
            return LEAT_WHEEL_REFUSED;
        }
        /* rlx: ordered by inbox:A and due:B, which come next */
    } while (!atom_cas_rlx(word, &before, after));
    return send(wheels, index, (struct request){before, after});
}

enum leat_wheel_result
leat_wheel_rearm(struct leat_wheels *wheels, struct leat_wheel *held, uint32_t index,
                 uint64_t deadline_ns)
{
    leat_atomic_u64 *word = leat_wheel_word(wheels, index);
    uint64_t before = atom_load_rlx(word); /* rlx: hint, re-checked at word:A */
    uint64_t after = 0;
    uint64_t tick = tick_at(wheels, deadline_ns);
    bool earlier = false;
    bool here = false;
    bool armed = false;
    do {
        armed = (before & LEAT_WHEEL_ARMED) != 0;
        earlier = tick < leat_wheel_word_tick(before);
        here = leat_wheel_word_here(before, held);
        after = leat_wheel_word_with(before, tick);
        after |= earlier && !here ? LEAT_WHEEL_INBOX : 0;
        after = armed ? after : before;
        /* word:A release -> word:C, word:D, due:B.  Carries: what the caller wrote before, to who
         * is handed the record by the deadline it gave; where nothing was armed, to who arms it
         * after this.
         * If relaxed: who is handed the record could read it as it was before; who writes a time
         * and moves, and who arms and then looks at the time, could both miss each other. */
    } while (!atom_cas_rel(word, &before, after));
    if (!armed) {
        return LEAT_WHEEL_REFUSED;
    }
    if (!earlier) {
        return LEAT_WHEEL_DONE;
    }
    if (here) {
        return relink(held, index, tick) ? LEAT_WHEEL_WAKE : LEAT_WHEEL_DONE;
    }
    return send(wheels, index, (struct request){before, after});
}

enum leat_wheel_result
leat_wheel_cancel(struct leat_wheels *wheels, struct leat_wheel *held, uint32_t index)
{
    leat_atomic_u64 *word = leat_wheel_word(wheels, index);
    uint64_t before = atom_load_rlx(word); /* rlx: hint, re-checked at word:B */
    uint64_t after = 0;
    bool here = false;
    struct hole hole = {0};
    do {
        here = leat_wheel_word_here(before, held);
        after = before & ~LEAT_WHEEL_ARMED;
        if (here) {
            /* Before the swap, which lets no look-up behind it begin. */
            hole = entry_find(held, index);
        } else if (after != before) {
            after |= LEAT_WHEEL_INBOX;
        }
        /* word:B release -> word:C, word:D, due:B.  Carries: what the caller wrote before, to who
         * is handed the record; where nothing was armed, to who arms it after this.
         * If relaxed: who changes a state, arms, and then looks at the state, and who changes the
         * state and cancels, could both miss each other. */
    } while (!atom_cas_rel(word, &before, after));
    if (before == after) {
        return LEAT_WHEEL_REFUSED;
    }
    if (here) {
        entry_remove(held, index, hole);
        return LEAT_WHEEL_DONE;
    }
    return send(wheels, index, (struct request){before, after});
}

/* ---- the holder ------------------------------------------------------------------------------ */

enum leat_wheel_result
leat_wheel_arm(struct leat_wheel *wheel, uint32_t index, uint64_t deadline_ns)
{
    const struct leat_wheels *wheels = wheel->all;
    leat_atomic_u64 *word = leat_wheel_word(wheels, index);
    /* rlx: single writer; nobody else acts on it */
    if ((atom_load_rlx(word) & (LEAT_WHEEL_ARMED | LEAT_WHEEL_INBOX)) != 0) {
        return LEAT_WHEEL_REFUSED;
    }
    uint64_t tick = tick_at(wheels, deadline_ns);
    /* rlx: single writer */
    atom_store_rlx(word, leat_wheel_word_of(tick, wheel->number) | LEAT_WHEEL_ARMED);
    return link_at(wheel, index, tick) ? LEAT_WHEEL_WAKE : LEAT_WHEEL_DONE;
}

/* The next record of the chain: its word says what is to be done. */
static void
chain_step(struct leat_wheel *wheel, struct leat_wheel_step *step)
{
    const struct leat_wheels *wheels = wheel->all;
    uint32_t index = wheel->chain;
    leat_atomic_u64 *word = leat_wheel_word(wheels, index);
    /* Before the record can be sent again. rlx: ordered by inbox:B */
    wheel->chain = atom_load_rlx(leat_wheel_link(wheels, index));
    if (wheel->chain != LEAT_INDEX_NONE) {
        leat_prefetch(leat_wheel_word(wheels, wheel->chain));
        leat_prefetch(leat_wheel_link(wheels, wheel->chain));
        leat_prefetch(&wheels->places[wheel->chain]);
    }
    uint64_t before = atom_load_rlx(word); /* rlx: hint, re-checked at word:C */
    do {
        LEAT_ASSERT((before & LEAT_WHEEL_INBOX) != 0);
        /* Not armed, it stays so until it is released, and must have no entry by then. */
        if ((before & LEAT_WHEEL_ARMED) == 0 && wheels->places[index] != 0) {
            entry_remove(wheel, index, entry_find(wheel, index));
        }
        /* word:C acquire -> word:A, word:B.  Carries: what those wrote who found it sent already.
         * If relaxed: who is handed the record could read it as it was before. */
    } while (!atom_cas_acq(word, &before, before & ~LEAT_WHEEL_INBOX));
    if ((before & LEAT_WHEEL_ARMED) != 0) {
        (void)relink(wheel, index, leat_wheel_word_tick(before));
    } else {
        step->indices[step->count] = index | LEAT_WHEEL_RELEASED;
        step->count++;
    }
}

/* The tick of an entry has come: hands the record out, or moves one that was put off. */
static void
expire_step(struct leat_wheel *wheel, struct leat_wheel_step *step, uint32_t index)
{
    leat_atomic_u64 *word = leat_wheel_word(wheel->all, index);
    uint64_t before = atom_load_rlx(word); /* rlx: hint, re-checked at word:D */
    wheel->all->places[index] = 0;
    wheel->count--;
    for (;;) {
        if ((before & LEAT_WHEEL_INBOX) != 0) {
            return; /* the chain says what becomes of it */
        }
        LEAT_ASSERT((before & LEAT_WHEEL_ARMED) != 0);
        if (leat_wheel_word_tick(before) > wheel->now) {
            (void)link_at(wheel, index, leat_wheel_word_tick(before));
            return;
        }
        /* word:D acquire -> word:A, word:B.  Carries: what the moving thread wrote.
         * If relaxed: as word:C. */
        if (LEAT_LIKELY(atom_cas_acq(word, &before, before & ~LEAT_WHEEL_ARMED))) {
            step->indices[step->count] = index;
            step->count++;
            return;
        }
    }
}

/* Fetches the words of a list's last entries, which will expire. */
static void
words_prefetch(const struct leat_wheel *wheel, uint32_t id)
{
    uint32_t top = wheel->tops[id];
    const uint64_t *last = &wheel->all->cells[top];
    for (uint32_t i = 0; i < leat_wheel_place_number(top); i++) {
        leat_prefetch(leat_wheel_word(wheel->all, leat_wheel_entry_index(last[-(ptrdiff_t)i])));
    }
}

/* Behind a list of ticks: the words of the next list, and the block of the one after that, so that
 * it can be read when its words are to be fetched. */
static void
lists_prefetch(const struct leat_wheel *wheel, uint32_t id)
{
    uint64_t later = wheel->occupied[0] & ~UINT64_C(1) << id;
    if (later != 0) {
        words_prefetch(wheel, (uint32_t)__builtin_ctzll(later));
        later &= later - 1;
    }
    if (later != 0) {
        uint32_t top = wheel->tops[__builtin_ctzll(later)];
        uint32_t words = leat_wheel_place_number(top) + 1;
        const uint64_t *first = &wheel->all->cells[top + 1 - words];
        for (uint32_t i = 0; i < words; i += LEAT_LINE_BYTES / sizeof(*first)) {
            leat_prefetch(&first[i]);
        }
    }
}

/* Hands out the timers of the current tick. */
static void
list_expire(struct leat_wheel *wheel, struct leat_wheel_step *step)
{
    const uint32_t *top = &wheel->tops[wheel->current];
    while (*top != LEAT_WHEEL_EMPTY && step->budget != 0 && step->count < LEAT_WHEEL_CHUNK) {
        uint64_t entry = entry_pop(wheel, wheel->current);
        step->budget--;
        if (LEAT_UNLIKELY(leat_wheel_place_number(*top) == LEAT_WHEEL_NUMBERS) &&
            *top != LEAT_WHEEL_EMPTY) {
            words_prefetch(wheel, wheel->current);
        }
        expire_step(wheel, step, leat_wheel_entry_index(entry));
    }
}

/* Moves the timers of a list to lower levels. Records are not touched. */
static void
list_cascade(struct leat_wheel *wheel, struct leat_wheel_step *step)
{
    const uint32_t *top = &wheel->tops[wheel->current];
    while (*top != LEAT_WHEEL_EMPTY && step->budget != 0) {
        uint64_t entry = entry_pop(wheel, wheel->current);
        step->budget--;
        uint64_t tick = leat_wheel_entry_tick(entry, wheel->now);
        (void)entry_add(wheel, tick, leat_wheel_entry_index(entry), false);
    }
}

/* Goes to the next tick at which there is something to do; false: that is behind `target`. */
static bool
move_on(struct leat_wheel *wheel, uint64_t target)
{
    uint32_t id = 0;
    uint64_t next = tick_next(wheel, &id);
    if (next > target) {
        wheel->now = target > wheel->now ? target : wheel->now;
        return false;
    }
    wheel->now = next;
    wheel->current = id;
    if (id < LEAT_WHEEL_SLOTS) {
        lists_prefetch(wheel, id);
    }
    return true;
}

bool
leat_wheel_advance(struct leat_wheel *wheel, struct leat_wheel_step *step)
{
    uint64_t target = tick_now(wheel->all, step->now_ns);
    LEAT_ASSERT(step->budget <= LEAT_WHEEL_NODES_MAX);
    step->count = 0;
    while (step->budget != 0 && step->count < LEAT_WHEEL_CHUNK) {
        /* Timers first, so that those who send records cannot hold them up for ever. */
        if (wheel->current < LEAT_WHEEL_SLOTS) {
            list_expire(wheel, step);
        } else if (wheel->current < LEAT_WHEEL_LISTS) {
            list_cascade(wheel, step);
        } else if (wheel->chain != LEAT_INDEX_NONE) {
            chain_step(wheel, step);
            step->budget--;
        } else if (!move_on(wheel, target)) {
            if (!leat_inbox_ready(&wheel->inbox)) {
                return false;
            }
            wheel->chain = leat_inbox_take(&wheel->inbox);
        }
        if (wheel->current != LEAT_WHEEL_LISTS && wheel->tops[wheel->current] == LEAT_WHEEL_EMPTY) {
            wheel->current = LEAT_WHEEL_LISTS;
        }
    }
    return true;
}

/* ---- start and stop -------------------------------------------------------------------------- */

/* So many are never used up: the full ones hold all records there can be, and of each list one may
 * be partly used. */
static uint32_t
blocks_most(const struct leat_wheels_config *config)
{
    return config->records / LEAT_WHEEL_ENTRIES +
           config->wheels * (LEAT_WHEEL_LISTS + LEAT_WHEEL_SPARES + 1);
}

static struct leat_slab_config
blocks_config(const struct leat_wheels_config *config)
{
    uint32_t shards = config->wheels;
    return (struct leat_slab_config){.capacity = blocks_most(config),
                                     .shards = shards < LEAT_SLAB_SHARDS_MAX ? shards
                                                                             : LEAT_SLAB_SHARDS_MAX,
                                     .record_bytes = sizeof(struct leat_wheel_block),
                                     .without_ids = true,
                                     .link_inside = true};
}

/* Where the arrays stand in the mapping. */
struct layout {
    size_t words;
    size_t links;
    size_t places;
    size_t bytes;
};

static struct layout
layout_of(const struct leat_wheels_config *config)
{
    struct layout layout;
    size_t each = config->wheels * sizeof(struct leat_wheel);
    layout.words = leat_round_up(each, LEAT_PAGE_BYTES);
    size_t words = config->records * sizeof(leat_atomic_u64);
    layout.links = layout.words + leat_round_up(words, LEAT_PAGE_BYTES);
    size_t numbers = leat_round_up(config->records * sizeof(uint32_t), LEAT_PAGE_BYTES);
    layout.places = layout.links + numbers;
    layout.bytes = layout.places + numbers;
    return layout;
}

size_t
leat_wheels_bytes(const struct leat_wheels_config *config)
{
    const struct leat_slab_config blocks = blocks_config(config);
    return layout_of(config).bytes + leat_slab_bytes(&blocks);
}

static void
wheel_init(struct leat_wheels *wheels, uint32_t number)
{
    struct leat_wheel *wheel = &wheels->each[number];
    atom_init(&wheel->role, ROLE_FREE);
    atom_init(&wheel->due, LEAT_WHEEL_NEVER);
    leat_inbox_init(&wheel->inbox);
    wheel->number = number;
    wheel->all = wheels;
    wheel->current = LEAT_WHEEL_LISTS;
    wheel->chain = LEAT_INDEX_NONE;
    wheel->spare = LEAT_INDEX_NONE;
    for (uint32_t i = 0; i < LEAT_WHEEL_LISTS; i++) {
        wheel->tops[i] = LEAT_WHEEL_EMPTY;
    }
}

bool
leat_wheels_init(struct leat_wheels *wheels, const struct leat_wheels_config *config)
{
    LEAT_ASSERT(config->records >= 1);
    LEAT_ASSERT(config->records <= LEAT_RECORDS_MAX);
    LEAT_ASSERT(config->wheels >= 1);
    LEAT_ASSERT(config->wheels <= LEAT_WORKERS_MAX);
    LEAT_ASSERT(config->tick_log2 >= LEAT_WHEEL_TICK_LOG2_MIN);
    LEAT_ASSERT(config->tick_log2 <= LEAT_WHEEL_TICK_LOG2_MAX);
    const struct leat_slab_config blocks = blocks_config(config);
    struct layout layout = layout_of(config);
    unsigned char *mapping = leat_os_map(layout.bytes);
    if (mapping == NULL) {
        return false;
    }
    if (!leat_slab_init(&wheels->blocks, &blocks)) {
        leat_os_unmap(mapping, layout.bytes);
        return false;
    }
    wheels->each = (struct leat_wheel *)(void *)mapping;
    wheels->words = (leat_atomic_u64 *)(void *)(mapping + layout.words);
    wheels->links = (leat_atomic_u32 *)(void *)(mapping + layout.links);
    wheels->places = (uint32_t *)(void *)(mapping + layout.places);
    wheels->cells = leat_slab_record(&wheels->blocks, 0);
    wheels->records = config->records;
    wheels->count = config->wheels;
    wheels->tick_log2 = config->tick_log2;
    wheels->start_ns = config->start_ns;
    wheels->mapping = mapping;
    wheels->mapping_bytes = layout.bytes;
    for (uint32_t i = 0; i < config->wheels; i++) {
        wheel_init(wheels, i);
    }
    return true;
}

void
leat_wheels_fini(struct leat_wheels *wheels)
{
    leat_slab_fini(&wheels->blocks);
    leat_os_unmap(wheels->mapping, wheels->mapping_bytes);
}
