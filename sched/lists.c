/* lists.c - listing jobs, and the work of the one who holds a level's role: turn what came round,
 * deal it to the lists of its queues, sweep, push to the ring. */
#include "sched/lists.h"

#include "sched/lists_internal.h"
#include "sched/worker.h"

/* ---- small things --------------------------------------------------------------------------- */

static uint32_t
queue_of(const struct leat_pool *pool, uint32_t index)
{
    uint32_t queue = pool->config.lists.queue(pool->config.lists.context, index);
    LEAT_ASSERT(queue < pool->config.queues);
    return queue;
}

static bool
drop(const struct leat_pool *pool, uint32_t index)
{
    return pool->config.lists.drop(pool->config.lists.context, index);
}

/* ---- listing -------------------------------------------------------------------------------- */

void
leat_lists_add(struct leat_pool *pool, uint32_t level, const uint32_t *items, uint32_t count)
{
    const struct leat_fifo_links links = job_links(pool);
    struct leat_lists *lists = &pool->lists[level];
    uint32_t oldest = leat_item_index(items[0]);
    uint32_t newest = leat_item_index(items[count - 1]);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = leat_item_index(items[i]);
        leat_atomic_u32 *word = &pool->queues[queue_of(pool, index)].waiting[level];
        (void)atom_add_rlx(word, 1); /* rlx: ordered by inbox:A */
        if (i > 0) {
            leat_fifo_link_to(links, index, leat_item_index(items[i - 1]));
        }
    }
    (void)leat_inbox_push(&lists->inbox, links.of(links.context, oldest), newest);
    leat_pool_notify(pool, LEAT_HINT_LIST(level));
}

/* ---- calls: what the holder is asked to do for a queue -------------------------------------- */

static void
call(struct leat_pool *pool, uint32_t level, uint32_t queue, uint32_t what)
{
    struct leat_lists *lists = &pool->lists[level];
    /* call:A acq_rel -> call:B.  Carries: that the queue's link is in no list; the gate that was
     * opened, to a holder who answers an earlier call.
     * If relaxed: the link could be written here before the last holder has followed it; the holder
     * could find the gate as it was before. */
    uint32_t before = atom_or_acq_rel(&pool->queues[queue].waiting[level], what);
    if ((before & LEAT_LIST_CALLS) == 0) {
        (void)leat_inbox_push(&lists->calls, &lists->lists[queue].next_call, queue);
        leat_pool_notify(pool, LEAT_HINT_LIST(level));
    }
}

/* The next call. Returns what it asks for; 0: there is none. */
static uint32_t
call_take(struct leat_pool *pool, uint32_t level, uint32_t *queue)
{
    struct leat_lists *lists = &pool->lists[level];
    if (lists->chain_calls == LEAT_INDEX_NONE && leat_inbox_ready(&lists->calls)) {
        lists->chain_calls = leat_inbox_take(&lists->calls);
    }
    *queue = lists->chain_calls;
    if (*queue == LEAT_INDEX_NONE) {
        return 0;
    }
    /* rlx: ordered by inbox:B */
    lists->chain_calls = atom_load_rlx(&lists->lists[*queue].next_call);
    /* call:B acq_rel -> call:A.  Carries: see call:A.
     * If relaxed: see call:A. */
    uint32_t word = atom_and_acq_rel(&pool->queues[*queue].waiting[level], ~LEAT_LIST_CALLS);
    LEAT_ASSERT((word & LEAT_LIST_CALLS) != 0);
    return word & LEAT_LIST_CALLS;
}

void
leat_lists_opened(struct leat_pool *pool, uint32_t level, uint32_t queue)
{
    call(pool, level, queue, LEAT_LIST_OPENED);
}

/* The last of the queues has no jobs, but calls for all. */
static uint32_t
places_of(const struct leat_pool *pool)
{
    return pool->config.queues - 1;
}

void
leat_lists_placed(struct leat_pool *pool, uint32_t level)
{
    call(pool, level, places_of(pool), LEAT_LIST_OPENED);
}

bool
leat_lists_held(const struct leat_pool *pool, uint32_t level)
{
    return pool->lists[level].held.count != 0;
}

static void
flag_all(struct leat_pool *pool, uint32_t queue, uint32_t flags)
{
    uint32_t level = LEAT_PRIORITY_LEVELS;
    while (level > 0) {
        level--;
        /* Who misses it is turned back at the take. rlx: ordered by settle:A */
        (void)atom_or_rlx(&pool->queues[queue].waiting[level], flags);
    }
}

void
leat_lists_gate(struct leat_pool *pool, uint32_t queue)
{
    flag_all(pool, queue, LEAT_LIST_GATED);
}

void
leat_lists_exact(struct leat_pool *pool, uint32_t queue)
{
    flag_all(pool, queue, LEAT_LIST_GATED | LEAT_LIST_EXACT);
}

/* ---- one list ------------------------------------------------------------------------------- */

static uint32_t
list_count(const struct leat_list *list)
{
    return list->returned.count + list->swept.count + list->jobs.count + list->heap.count;
}

static bool
list_empty(const struct leat_list *list)
{
    return list_count(list) == 0;
}

bool
leat_lists_some(const struct leat_pool *pool, uint32_t level, uint32_t queue)
{
    return !list_empty(&pool->lists[level].lists[queue]);
}

/* Where the next of its jobs is. */
static struct leat_fifo *
list_front(struct leat_list *list)
{
    if (list->returned.count != 0) {
        return &list->returned;
    }
    return list->swept.count != 0 ? &list->swept : &list->jobs;
}

/* It has jobs that may be admitted, as far as is known. */
static void
list_ready(struct leat_lists *lists, uint32_t queue)
{
    struct leat_list *list = &lists->lists[queue];
    if (!list->on_ready && !list->shut) {
        list->on_ready = true;
        leat_fifo_push_back(&lists->ready, queue_links(lists), queue);
    }
}

static void
list_add(struct leat_pool *pool, uint32_t level, uint32_t queue, uint32_t index)
{
    const struct leat_lists_ops *ops = &pool->config.lists;
    struct leat_lists *lists = &pool->lists[level];
    struct leat_list *list = &lists->lists[queue];
    if (LEAT_UNLIKELY(in_exact_order(pool, level, queue))) {
        lists->heaps = true;
        leat_heap_add(&list->heap, heap_links(pool), index);
    } else {
        bool returned = ops->returned != NULL && ops->returned(ops->context, index);
        leat_fifo_push_back(returned ? &list->returned : &list->jobs, job_links(pool), index);
    }
    list_ready(lists, queue);
}

/* The next of its jobs, off `front`, or the heap where that is NULL. False: there is none. */
static bool
list_pop(const struct leat_pool *pool, struct leat_list *list, struct leat_fifo *front,
         uint32_t *index)
{
    return front == NULL ? leat_heap_pop(&list->heap, heap_links(pool), index)
                         : leat_fifo_pop_front(front, job_links(pool), index);
}

/* It stays the next one. */
static void
list_put_back(const struct leat_pool *pool, struct leat_list *list, struct leat_fifo *front,
              uint32_t index)
{
    if (front == NULL) {
        leat_heap_add(&list->heap, heap_links(pool), index);
    } else {
        leat_fifo_push_front(front, job_links(pool), index);
    }
}

/* It is known which of its jobs is the next one. */
static bool
list_settled(const struct leat_pool *pool, uint32_t level, uint32_t queue)
{
    const struct leat_lists *lists = &pool->lists[level];
    const struct leat_list *list = &lists->lists[queue];
    /* rlx: ordered by inbox:B */
    uint32_t waiting = atom_load_rlx(&pool->queues[queue].waiting[level]) & LEAT_LIST_WAITING;
    bool heap_swept = in_exact_order(pool, level, queue) && list->jobs.count != 0;
    return !heap_swept && (lists->settled || waiting == list_count(list));
}

/* Puts `more`, which may be empty, behind a chain of older jobs. */
static void
list_join(struct leat_fifo *older, struct leat_fifo_links links, struct leat_fifo *more)
{
    if (more->count != 0) {
        leat_fifo_append(older, links, *more);
    }
    leat_fifo_init(more);
}

static void
list_open(const struct leat_pool *pool, struct leat_lists *lists, uint32_t queue)
{
    struct leat_list *list = &lists->lists[queue];
    list->shut = false;
    if (queue == places_of(pool)) {
        list_join(&lists->ready, queue_links(lists), &lists->held);
    }
    if (!list_empty(list)) {
        list_ready(lists, queue);
    }
}

/* ---- cancelled jobs ------------------------------------------------------------------------- */

static bool
sweep_pays(uint32_t zombies, uint32_t waiting)
{
    return zombies > LEAT_ZOMBIES_MIN && zombies > waiting / 2;
}

void
leat_lists_cancelled(struct leat_pool *pool, uint32_t level, uint32_t queue)
{
    struct leat_list *list = &pool->lists[level].lists[queue];
    leat_atomic_u32 *word = &pool->queues[queue].waiting[level];
    uint32_t now = atom_load_rlx(word); /* rlx: hint, re-checked at call:A */
    uint32_t waiting = now & LEAT_LIST_WAITING;
    if (waiting == 0) {
        return;
    }
    /* counted:A release -> forget:A.  Carries: that the job is cancelled.
     * If relaxed: a sweep could forget this cancel and still find the job uncancelled. */
    uint32_t zombies = atom_add_rel(&list->zombies, 1) + 1;
    if (sweep_pays(zombies, waiting) && (now & LEAT_LIST_SWEEP) == 0) {
        call(pool, level, queue, LEAT_LIST_SWEEP);
    }
}

void
leat_lists_sweep(struct leat_pool *pool, uint32_t level, uint32_t queue)
{
    /* rlx: hint, re-checked at call:A */
    if ((atom_load_rlx(&pool->queues[queue].waiting[level]) & LEAT_LIST_WAITING) != 0) {
        call(pool, level, queue, LEAT_LIST_SWEEP);
    }
}

static void
waiting_lower(struct leat_pool *pool, uint32_t level, uint32_t queue, uint32_t count)
{
    if (count != 0) {
        /* admitted:A release -> plain:A.  Carries: the pushes to the ring.
         * If relaxed: a submitter that reads 0 could get its next job in front of its last. */
        (void)atom_sub_rel(&pool->queues[queue].waiting[level], count);
    }
}

/* All that is in the heap is to be looked at, beginning with its root. */
static void
sweep_begin_heap(struct leat_list *list, struct leat_fifo_links links)
{
    if (list->heap.count != 0) {
        leat_fifo_push_back(&list->jobs, links, list->heap.root);
    }
    list->under = list->heap.count;
    list->heap.count = 0;
}

static void
sweep_begin(struct leat_pool *pool, uint32_t level, uint32_t queue)
{
    const struct leat_fifo_links links = job_links(pool);
    struct leat_lists *lists = &pool->lists[level];
    struct leat_list *list = &lists->lists[queue];
    /* forget:A acquire -> counted:A.  Carries: the cancels that it forgets; each add is a
     * read-modify-write, so the last one carries those before it.
     * If relaxed: see counted:A. */
    (void)atom_swap_acq(&list->zombies, 0);
    list_join(&list->returned, links, &list->swept);
    list_join(&list->returned, links, &list->jobs);
    list->jobs = list->returned;
    leat_fifo_init(&list->returned);
    sweep_begin_heap(list, links);
    lists->sweeping = queue;
    lists->sweep_left = list->jobs.count + list->under;
}

/* A job of the queue being swept, which stays. */
static void
sweep_keep(struct leat_pool *pool, struct leat_list *list, bool exact, uint32_t index)
{
    if (exact) {
        leat_heap_add(&list->heap, heap_links(pool), index);
    } else {
        leat_fifo_push_back(&list->swept, job_links(pool), index);
    }
}

/* A root of a heap comes off: its jobs stay under the next ones. */
static void
sweep_below(struct leat_pool *pool, struct leat_list *list, uint32_t index)
{
    const struct leat_heap_links links = heap_links(pool);
    const struct leat_heap_node *node = links.node(links.context, index);
    list->under--;
    if (node->left != LEAT_INDEX_NONE) {
        leat_fifo_push_front(&list->jobs, job_links(pool), node->left);
    }
    if (node->right != LEAT_INDEX_NONE) {
        leat_fifo_push_front(&list->jobs, job_links(pool), node->right);
    }
}

/* Those that were cancelled behind the look at them found more waiting than there are now; and it
 * may be that none comes after them, to ask for another sweep. */
static void
sweep_end(struct leat_pool *pool, uint32_t level)
{
    struct leat_lists *lists = &pool->lists[level];
    uint32_t queue = lists->sweeping;
    uint32_t zombies = atom_load_rlx(&lists->lists[queue].zombies);        /* rlx: statistic */
    uint32_t waiting = atom_load_rlx(&pool->queues[queue].waiting[level]); /* rlx: statistic */
    lists->sweeping = LEAT_INDEX_NONE;
    if (sweep_pays(zombies, waiting & LEAT_LIST_WAITING)) {
        call(pool, level, queue, LEAT_LIST_SWEEP);
    }
}

/* Looks at a part of the jobs of the queue being swept. */
static void
sweep(struct leat_pool *pool, uint32_t level)
{
    struct leat_lists *lists = &pool->lists[level];
    struct leat_list *list = &lists->lists[lists->sweeping];
    const struct leat_fifo_links links = job_links(pool);
    bool exact = in_exact_order(pool, level, lists->sweeping);
    uint32_t index = 0;
    uint32_t dropped = 0;
    /* What was admitted meanwhile came off the front, so there may be fewer. */
    for (uint32_t i = 0; i < LEAT_ADMIT_MOVES && lists->sweep_left > 0 &&
                         leat_fifo_pop_front(&list->jobs, links, &index);
         i++) {
        lists->sweep_left--;
        if (exact) {
            sweep_below(pool, list, index);
        }
        if (drop(pool, index)) {
            dropped++;
        } else {
            sweep_keep(pool, list, exact, index);
        }
    }
    waiting_lower(pool, level, lists->sweeping, dropped);
    if (lists->sweep_left == 0 || list->jobs.count == 0) {
        sweep_end(pool, level);
    }
}

/* Does what was asked for by calls, up to a sweep; and a part of that. */
static void
answer(struct leat_pool *pool, uint32_t level)
{
    struct leat_lists *lists = &pool->lists[level];
    for (uint32_t i = 0; i < LEAT_ADMIT_MOVES && lists->sweeping == LEAT_INDEX_NONE; i++) {
        uint32_t queue = 0;
        uint32_t what = call_take(pool, level, &queue);
        if (what == 0) {
            return;
        }
        if ((what & LEAT_LIST_OPENED) != 0) {
            list_open(pool, lists, queue);
        }
        if ((what & LEAT_LIST_SWEEP) != 0) {
            sweep_begin(pool, level, queue);
        }
    }
    if (lists->sweeping != LEAT_INDEX_NONE) {
        sweep(pool, level);
    }
}

/* ---- from the inbox to the lists ------------------------------------------------------------ */

/* Turns a part of what was taken from the inbox round. Nothing is dealt before all of it is turned,
 * so a chain that is left from the last hold has jobs in `turned`. */
static void
turn(struct leat_pool *pool, struct leat_lists *lists)
{
    const struct leat_fifo_links links = job_links(pool);
    if (lists->turned.count == 0 && leat_inbox_ready(&lists->inbox)) {
        lists->chain = leat_inbox_take(&lists->inbox);
    }
    for (uint32_t i = 0; i < LEAT_ADMIT_MOVES && lists->chain != LEAT_INDEX_NONE; i++) {
        uint32_t index = lists->chain;
        lists->chain = leat_fifo_link(links, index);
        leat_fifo_push_front(&lists->turned, links, index);
    }
}

/* Deals a part of what was turned to the lists, once all of it is turned. Cancelled jobs leave
 * here, since no sweep looks at them in front of the lists. */
static void
deal(struct leat_pool *pool, uint32_t level)
{
    struct leat_lists *lists = &pool->lists[level];
    const struct leat_fifo_links links = job_links(pool);
    uint32_t index = 0;
    for (uint32_t i = 0; i < LEAT_ADMIT_MOVES && lists->chain == LEAT_INDEX_NONE &&
                         leat_fifo_pop_front(&lists->turned, links, &index);
         i++) {
        uint32_t queue = queue_of(pool, index);
        if (drop(pool, index)) {
            waiting_lower(pool, level, queue, 1);
        } else {
            list_add(pool, level, queue, index);
        }
    }
}

/* Behind the calls, so that a list that was opened has what was listed before. */
static void
settle(struct leat_pool *pool, uint32_t level)
{
    struct leat_lists *lists = &pool->lists[level];
    bool looks = lists->turned.count == 0;
    turn(pool, lists);
    deal(pool, level);
    /* Where some are left to turn, some are left that were turned. */
    lists->settled = looks && lists->turned.count == 0;
}

/* ---- from the lists to the ring ------------------------------------------------------------- */

enum turn_end {
    TURN_OVER,
    TURN_GONE, /* of one job: it was let go of */
    TURN_SHUT, /* the list waits at a gate */
    TURN_HELD, /* for a place */
    TURN_FULL, /* the ring is full */
    TURN_LATE, /* it cannot be said yet whose turn it is */
};

/* A job that does not wait for all of its list goes to the list where it does. */
static void
list_change(struct leat_pool *pool, uint32_t level, uint32_t queue, uint32_t index)
{
    LEAT_ASSERT(queue < pool->config.queues);
    (void)atom_add_rlx(&pool->queues[queue].waiting[level], 1); /* rlx: ordered by hand_on:A */
    list_add(pool, level, queue, index);
}

/* A job that was taken off the front of its list. TURN_OVER: it has gone on, to the ring or to the
 * list where it waits. */
static enum turn_end
admit_one(struct leat_pool *pool, uint32_t level, uint32_t queue, uint32_t index)
{
    const struct leat_lists_ops *ops = &pool->config.lists;
    enum leat_passage passage = LEAT_PASSAGE_GO;
    uint32_t other = 0;
    if (drop(pool, index)) {
        return TURN_GONE;
    }
    if (ops->enter != NULL) {
        passage = ops->enter(ops->context, index, level, queue, &other);
    }
    switch (passage) {
    case LEAT_PASSAGE_SHUT:
        return TURN_SHUT;
    case LEAT_PASSAGE_HELD:
        return TURN_HELD;
    case LEAT_PASSAGE_OTHER:
        list_change(pool, level, other, index);
        return TURN_OVER;
    case LEAT_PASSAGE_FULL:
        return TURN_FULL;
    case LEAT_PASSAGE_GO:
        break;
    }
    if (leat_pool_push(pool, level, leat_item_of(LEAT_KIND_JOB, index))) {
        return TURN_OVER;
    }
    if (ops->leave != NULL) {
        ops->leave(ops->context, index);
    }
    return TURN_FULL;
}

/* The turn of a queue, or a part of it. *left: jobs that left its list, `most` at most. */
static enum turn_end
admit_queue(struct leat_pool *pool, uint32_t level, uint32_t queue, uint32_t most, uint32_t *left)
{
    struct leat_list *list = &pool->lists[level].lists[queue];
    bool exact = in_exact_order(pool, level, queue);
    *left = 0;
    if (exact && !list_settled(pool, level, queue)) {
        return TURN_LATE;
    }
    for (; *left < most && list->turn_left > 0; (*left)++) {
        struct leat_fifo *front = exact ? NULL : list_front(list);
        uint32_t index = 0;
        if (!list_pop(pool, list, front, &index)) {
            break;
        }
        enum turn_end end = admit_one(pool, level, queue, index);
        if (end == TURN_OVER) {
            list->turn_left--;
        } else if (end != TURN_GONE) {
            list_put_back(pool, list, front, index);
            return end;
        }
    }
    return TURN_OVER;
}

/* Jobs of a turn. */
static uint32_t
turn_of(const struct leat_pool *pool, uint32_t queue)
{
    uint32_t weight = atom_load_rlx(&pool->queues[queue].weight); /* rlx: statistic */
    return (weight == 0 ? 1 : weight) * LEAT_ADMIT_TURN;
}

/* Goes round the queues. */
static void
admit(struct leat_pool *pool, uint32_t level)
{
    struct leat_lists *lists = &pool->lists[level];
    const struct leat_fifo_links links = queue_links(lists);
    uint32_t moves = LEAT_ADMIT_MOVES;
    while (moves > 0 && lists->ready.count > 0) {
        uint32_t queue = lists->ready.first;
        struct leat_list *list = &lists->lists[queue];
        uint32_t left = 0;
        if (list->turn_left == 0) {
            list->turn_left = turn_of(pool, queue);
        }
        enum turn_end end = admit_queue(pool, level, queue, moves, &left);
        waiting_lower(pool, level, queue, left);
        bool on = end == TURN_OVER && list->turn_left != 0 && !list_empty(list);
        if (on || end == TURN_FULL) {
            return; /* its turn is not over */
        }
        /* A sweep may have emptied its list, or the gate was shut. */
        moves -= left == 0 ? 1 : left;
        (void)leat_fifo_pop_front(&lists->ready, links, &queue);
        if (end == TURN_HELD) {
            /* Nor is this one's: with one place for many, the first one would else be the first
             * again, for as long as it has jobs. */
            leat_fifo_push_back(&lists->held, links, queue);
            continue;
        }
        list->turn_left = 0;
        list->on_ready = false;
        list->shut = end == TURN_SHUT;
        if (!list_empty(list)) {
            list_ready(lists, queue);
        }
    }
}

/* ---- the role ------------------------------------------------------------------------------- */

bool
leat_lists_ready(const struct leat_lists *lists)
{
    /* look:A acquire -> admitter:A, hand_on:A.  Carries: that the holder is busy, and has counted.
     * If relaxed: a drain could miss a job between list and ring, and the worker that moves it. */
    switch ((enum leat_role)atom_load_acq(&lists->role)) {
    case LEAT_ROLE_LEFT:
        return true;
    case LEAT_ROLE_MARKED:
        return false;
    case LEAT_ROLE_FREE:
    case LEAT_ROLE_HELD:
        break;
    }
    return leat_inbox_ready(&lists->inbox) || leat_inbox_ready(&lists->calls);
}

/* Takes the role, or marks it. False: another worker holds it. Ends: a swap fails only where
 * another worker took, gave or marked the role. */
static bool
role_take(struct leat_lists *lists)
{
    uint32_t now = atom_load_rlx(&lists->role); /* rlx: hint, re-checked at admitter:A */
    for (;;) {
        switch ((enum leat_role)now) {
        case LEAT_ROLE_FREE:
        case LEAT_ROLE_LEFT:
            /* admitter:A acq_rel -> hand_on:A, look:A.  Carries: the holder's part as the last one
             * left it. And on, that this worker is busy.
             * If relaxed: a job could be admitted twice, or never. */
            if (atom_cas_acq_rel(&lists->role, &now, LEAT_ROLE_HELD)) {
                return true;
            }
            break;
        case LEAT_ROLE_HELD:
            /* Carries nothing. The fence of who listed is before that of the holder who finds the
             * mark, and whoever then looks behind a fence sees what was listed; or it is later, and
             * who listed tells for himself. rlx: ordered by notify:A */
            if (atom_cas_rlx(&lists->role, &now, LEAT_ROLE_MARKED)) {
                return false;
            }
            break;
        case LEAT_ROLE_MARKED:
            return false;
        }
    }
}

static void
role_give(struct leat_pool *pool, uint32_t level)
{
    struct leat_lists *lists = &pool->lists[level];
    uint32_t next = part_empty(lists) ? LEAT_ROLE_FREE : LEAT_ROLE_LEFT;
    /* hand_on:A release -> admitter:A, look:A.  Carries: the holder's part.
     * If relaxed: see admitter:A. */
    uint32_t was = atom_swap_rel(&lists->role, next);
    if (next == LEAT_ROLE_LEFT || was == LEAT_ROLE_MARKED) {
        leat_pool_notify(pool, LEAT_HINT_LIST(level));
    }
}

bool
leat_lists_admit(struct leat_pool *pool, uint32_t level)
{
    struct leat_lists *lists = &pool->lists[level];
    if (!role_take(lists)) {
        return false;
    }
    turn(pool, lists);
    deal(pool, level);
    answer(pool, level);
    if (lists->heaps) {
        settle(pool, level);
    }
    admit(pool, level);
    role_give(pool, level);
    return true;
}

/* ---- taking beside the ring ------------------------------------------------------------------ */

/* Jobs off the front of the list, until the taker wants no more: then *enough. */
static void
take(struct leat_pool *pool, uint32_t level, uint32_t queue, const struct leat_taker *taker,
     bool *enough)
{
    struct leat_list *list = &pool->lists[level].lists[queue];
    uint32_t left = 0;
    *enough = false;
    while (left < LEAT_ADMIT_MOVES && !*enough) {
        struct leat_fifo *front = in_exact_order(pool, level, queue) ? NULL : list_front(list);
        uint32_t index = 0;
        if (!list_pop(pool, list, front, &index)) {
            break;
        }
        if (!drop(pool, index) && !taker->take(taker->context, index)) {
            list_put_back(pool, list, front, index);
            *enough = true;
        } else {
            left++;
        }
    }
    waiting_lower(pool, level, queue, left);
}

enum leat_taken
leat_lists_take(struct leat_pool *pool, uint32_t level, uint32_t queue,
                const struct leat_taker *taker)
{
    struct leat_lists *lists = &pool->lists[level];
    bool enough = false;
    if (!role_take(lists)) {
        return LEAT_TAKEN_BUSY;
    }
    turn(pool, lists);
    deal(pool, level);
    answer(pool, level);
    settle(pool, level);
    /* What is not dealt yet may belong in front. */
    if (list_settled(pool, level, queue)) {
        take(pool, level, queue, taker, &enough);
    }
    /* What was in the inbox when the caller came must have been dealt. Where some of it is left to
     * turn, some is left that was turned. */
    bool undealt = lists->turned.count != 0 || leat_inbox_ready(&lists->inbox);
    bool some = undealt || !list_empty(&lists->lists[queue]);
    role_give(pool, level);
    return enough || !some ? LEAT_TAKEN_ALL : LEAT_TAKEN_PART;
}

/* ---- init ----------------------------------------------------------------------------------- */

static size_t
queues_bytes(uint32_t queues)
{
    return sizeof(struct leat_queue_words) * queues;
}

size_t
leat_lists_bytes(uint32_t queues)
{
    return queues_bytes(queues) + sizeof(struct leat_list) * queues * LEAT_PRIORITY_LEVELS;
}

struct leat_queue_words *
leat_lists_queues(uint32_t queues, void *memory)
{
    return queues == 0 ? NULL : memory;
}

void
leat_lists_init(struct leat_lists *lists, uint32_t queues, void *memory)
{
    unsigned char *bytes = memory;
    for (uint32_t level = 0; level < LEAT_PRIORITY_LEVELS; level++) {
        struct leat_lists *one = &lists[level];
        leat_inbox_init(&one->inbox);
        leat_inbox_init(&one->calls);
        one->chain = LEAT_INDEX_NONE;
        one->chain_calls = LEAT_INDEX_NONE;
        one->sweeping = LEAT_INDEX_NONE;
        leat_fifo_init(&one->turned);
        leat_fifo_init(&one->ready);
        leat_fifo_init(&one->held);
        if (queues != 0) {
            size_t before = queues_bytes(queues) + sizeof(struct leat_list) * queues * level;
            one->lists = (struct leat_list *)(void *)(bytes + before);
        }
    }
}
