/* history.c - see history.h. */
#include "tests/support/history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/preempt.h"
#include "tests/support/threads.h"

static void *
zeroed(size_t count, size_t bytes)
{
    void *memory = calloc(count == 0 ? 1 : count, bytes);
    CHECK(memory != NULL);
    return memory;
}

/* ---- logging --------------------------------------------------------------------------------- */

void
history_init(struct history *history, uint32_t threads, uint32_t ops_max, bool counted)
{
    size_t bytes = threads * sizeof(*history->logs);
    atom_init(&history->clock, 0);
    history->threads = threads;
    history->ops_max = ops_max;
    history->counted = counted;
    history->logs = aligned_alloc(LEAT_LINE_BYTES, bytes);
    CHECK(history->logs != NULL);
    memset(history->logs, 0, bytes);
    for (uint32_t i = 0; i < threads; i++) {
        history->logs[i].ops = zeroed(ops_max, sizeof(struct history_op));
    }
}

void
history_fini(struct history *history)
{
    for (uint32_t i = 0; i < history->threads; i++) {
        free(history->logs[i].ops);
    }
    free(history->logs);
}

void
history_clear(struct history *history)
{
    atom_init(&history->clock, 0);
    for (uint32_t i = 0; i < history->threads; i++) {
        history->logs[i].count = 0;
    }
}

static uint64_t
stamp(struct history *history)
{
    return history->counted ? atom_add_acq_rel(&history->clock, 1) : test_now_ns();
}

static struct history_op *
next_op(struct history *history, uint32_t thread)
{
    struct history_log *log = &history->logs[thread];
    CHECK(log->count < history->ops_max);
    struct history_op *op = &log->ops[log->count];
    log->count++;
    return op;
}

bool
history_push(struct history *history, uint32_t thread, struct test_ring ring, uint32_t item)
{
    struct history_op *op = next_op(history, thread);
    uint64_t begin = stamp(history);
    preempt_here = 1;
    bool ok = ring.kind->push(ring.state, item);
    preempt_here = 0;
    uint64_t end = stamp(history);
    *op = (struct history_op){begin, end, item, (uint16_t)thread, false, ok};
    return ok;
}

bool
history_pop(struct history *history, uint32_t thread, struct test_ring ring)
{
    struct history_op *op = next_op(history, thread);
    uint32_t item = 0;
    uint64_t begin = stamp(history);
    preempt_here = 1;
    bool ok = ring.kind->pop(ring.state, &item);
    preempt_here = 0;
    uint64_t end = stamp(history);
    *op = (struct history_op){begin, end, item, (uint16_t)thread, true, ok};
    return ok;
}

bool
history_log_full(const struct history *history, uint32_t thread)
{
    return history->logs[thread].count == history->ops_max;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int
by_begin(const void *left, const void *right)
{
    const struct history_op *a = left;
    const struct history_op *b = right;
    return (a->begin > b->begin) - (a->begin < b->begin);
}

struct history_op *
history_merge(const struct history *history, uint32_t *count)
{
    struct history_op *ops =
        zeroed((size_t)history->threads * history->ops_max, sizeof(struct history_op));
    *count = 0;
    for (uint32_t i = 0; i < history->threads; i++) {
        const struct history_log *log = &history->logs[i];
        memcpy(&ops[*count], log->ops, log->count * sizeof(*ops));
        *count += log->count;
    }
    qsort(ops, *count, sizeof(*ops), by_begin);
    return ops;
}

void
history_print(const struct history_op *ops, uint32_t count, FILE *file)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct history_op *op = &ops[i];
        const char *answer = op->ok ? "ok" : op->pops ? "empty" : "full";
        (void)fprintf(file, "  %8" PRIu64 " to %8" PRIu64 "  thread %u  %s %#x: %s\n", op->begin,
                      op->end, op->thread, op->pops ? "pop" : "push", op->item, answer);
    }
}

/* ---- items ----------------------------------------------------------------------------------- */

/* The life of an item: its push and its pop. */
struct life {
    const struct history_op *push;
    const struct history_op *pop; /* NULL: none */
};

struct lives {
    struct life *all; /* in the order of the items */
    uint32_t count;
};

static int
by_item(const void *left, const void *right)
{
    uint32_t a = ((const struct life *)left)->push->item;
    uint32_t b = ((const struct life *)right)->push->item;
    return (a > b) - (a < b);
}

static struct life *
life_of(const struct lives *lives, const struct history_op *op)
{
    struct life key = {op, NULL};
    return bsearch(&key, lives->all, lives->count, sizeof(key), by_item);
}

static bool
said(FILE *why, const char *what, const struct history_op *first, const struct history_op *second)
{
    (void)fprintf(why, "history: %s\n", what);
    history_print(first, 1, why);
    if (second != NULL) {
        history_print(second, 1, why);
    }
    return false;
}

static void
collect(struct lives *lives, const struct history_op *ops, uint32_t count)
{
    lives->all = zeroed(count, sizeof(*lives->all));
    lives->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!ops[i].pops && ops[i].ok) {
            lives->all[lives->count].push = &ops[i];
            lives->count++;
        }
    }
    qsort(lives->all, lives->count, sizeof(*lives->all), by_item);
}

/* Each pushed item was popped once, and no other. */
static bool
items_right(struct lives *lives, const struct history_op *ops, uint32_t count, FILE *why)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!ops[i].pops || !ops[i].ok) {
            continue;
        }
        struct life *life = life_of(lives, &ops[i]);
        if (life == NULL) {
            return said(why, "an item that was not pushed", &ops[i], NULL);
        }
        if (life->pop != NULL) {
            return said(why, "an item came twice", life->pop, &ops[i]);
        }
        life->pop = &ops[i];
    }
    for (uint32_t i = 0; i < lives->count; i++) {
        const struct life *life = &lives->all[i];
        if (life->pop == NULL) {
            return said(why, "an item is lost", life->push, NULL);
        }
        if (life->pop->end < life->push->begin) {
            return said(why, "an item came before its push", life->pop, life->push);
        }
    }
    return true;
}

/* ---- order ----------------------------------------------------------------------------------- */

/* The thread got the items of each other in the order of its pushes. `last` is a scratch pad. */
static bool
thread_right(const struct history_log *log, const struct lives *lives,
             const struct history_op **last, FILE *why)
{
    for (uint32_t i = 0; i < log->count; i++) {
        const struct history_op *op = &log->ops[i];
        if (!op->pops || !op->ok) {
            continue;
        }
        const struct life *life = life_of(lives, op);
        CHECK(life != NULL);
        const struct history_op *before = last[life->push->thread];
        /* Stamps of one thread's pushes do not go back, though they may be equal. */
        if (before != NULL && before->begin > life->push->begin) {
            (void)said(why, "a thread got this item", before, NULL);
            return said(why, "and later an older one of the same thread", life->push, op);
        }
        last[life->push->thread] = life->push;
    }
    return true;
}

static bool
threads_right(const struct history *history, const struct lives *lives, FILE *why)
{
    const struct history_op **last = zeroed(history->threads, sizeof(struct history_op *));
    bool right = true;
    for (uint32_t i = 0; i < history->threads && right; i++) {
        memset(last, 0, history->threads * sizeof(struct history_op *));
        right = thread_right(&history->logs[i], lives, last, why);
    }
    free(last);
    return right;
}

static int
by_push(const void *left, const void *right)
{
    uint64_t a = ((const struct life *)left)->push->begin;
    uint64_t b = ((const struct life *)right)->push->begin;
    return (a > b) - (a < b);
}

/* First of those in [0, count) whose push began after `end`. */
static uint32_t
first_after(const struct life *lives, uint32_t count, uint64_t end)
{
    uint32_t low = 0;
    uint32_t high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (lives[middle].push->begin > end) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* If an item went in before another one, then it did not come out after it. For each item it is
 * enough to look at that one of the later items which came out first. Sorts the lives anew. */
static bool
order_right(struct lives *lives, FILE *why)
{
    const struct life **earliest = zeroed((size_t)lives->count + 1, sizeof(struct life *));
    const struct life *wrong = NULL;
    qsort(lives->all, lives->count, sizeof(*lives->all), by_push);
    for (uint32_t i = lives->count; i > 0; i--) {
        const struct life *life = &lives->all[i - 1];
        const struct life *later = earliest[i];
        earliest[i - 1] = later != NULL && later->pop->end < life->pop->end ? later : life;
    }
    for (uint32_t i = 0; i < lives->count && wrong == NULL; i++) {
        const struct life *life = &lives->all[i];
        uint32_t after = first_after(lives->all, lives->count, life->push->end);
        if (earliest[after] != NULL && earliest[after]->pop->end < life->pop->begin) {
            wrong = life;
            (void)said(why, "an item came out after one that went in later", life->push, life->pop);
            (void)said(why, "the later one", earliest[after]->push, earliest[after]->pop);
        }
    }
    free(earliest);
    return wrong == NULL;
}

/* ---- capacity and answers ------------------------------------------------------------------- */

/* By moment: `sums[t]` is for the moment after stamp t. Stamps are counted from 0. */
struct moments {
    int64_t *least;   /* items that must be inside */
    int64_t *most;    /* items that may be inside */
    int64_t *pushing; /* pushes under way */
    int64_t *popping;
    int64_t *empty; /* moments up to this one at which empty was a right answer */
    int64_t *full;
    uint64_t count;
};

static void
span(int64_t *sums, uint64_t begin, uint64_t end)
{
    if (begin < end) {
        sums[begin]++;
        sums[end]--;
    }
}

static void
accumulate(int64_t *sums, uint64_t count)
{
    for (uint64_t i = 1; i < count; i++) {
        sums[i] += sums[i - 1];
    }
}

static void
moments_fill(struct moments *moments, const struct lives *lives, const struct history_op *ops,
             uint32_t count, struct history_rule rule)
{
    for (uint32_t i = 0; i < lives->count; i++) {
        const struct life *life = &lives->all[i];
        span(moments->least, life->push->end, life->pop->begin);
        span(moments->most, life->push->begin, life->pop->end);
    }
    for (uint32_t i = 0; rule.busy_answers && i < count; i++) {
        span(ops[i].pops ? moments->popping : moments->pushing, ops[i].begin, ops[i].end);
    }
    accumulate(moments->least, moments->count);
    accumulate(moments->most, moments->count);
    accumulate(moments->pushing, moments->count);
    accumulate(moments->popping, moments->count);
    for (uint64_t i = 0; i < moments->count; i++) {
        moments->empty[i] = moments->least[i] == 0 || moments->pushing[i] > 0;
        moments->full[i] = moments->most[i] >= rule.capacity || moments->popping[i] > 0;
    }
    accumulate(moments->empty, moments->count);
    accumulate(moments->full, moments->count);
}

static bool
answers_right(const struct lives *lives, const struct history_op *ops, uint32_t count,
              struct history_rule rule, FILE *why)
{
    struct moments moments = {.count = 2 * (uint64_t)count};
    int64_t *memory = zeroed(moments.count * 6, sizeof(int64_t));
    bool right = true;
    moments.least = memory;
    moments.most = moments.least + moments.count;
    moments.pushing = moments.most + moments.count;
    moments.popping = moments.pushing + moments.count;
    moments.empty = moments.popping + moments.count;
    moments.full = moments.empty + moments.count;
    moments_fill(&moments, lives, ops, count, rule);
    for (uint64_t i = 0; i < moments.count && right; i++) {
        right = moments.least[i] <= rule.capacity;
        if (!right) {
            (void)fprintf(why, "history: %" PRId64 " items inside after stamp %" PRIu64 "\n",
                          moments.least[i], i);
        }
    }
    for (uint32_t i = 0; i < count && right; i++) {
        const struct history_op *op = &ops[i];
        const int64_t *good = op->pops ? moments.empty : moments.full;
        /* Its moments are begin .. end - 1. */
        int64_t before = op->begin == 0 ? 0 : good[op->begin - 1];
        if (!op->ok && good[op->end - 1] == before) {
            right = said(why, "never in its time was this answer right", op, NULL);
        }
    }
    free(memory);
    return right;
}

bool
history_check(const struct history *history, struct history_rule rule, FILE *why)
{
    uint32_t count = 0;
    struct history_op *ops = history_merge(history, &count);
    struct lives lives;
    collect(&lives, ops, count);
    bool right = items_right(&lives, ops, count, why) && threads_right(history, &lives, why) &&
                 order_right(&lives, why) &&
                 (!history->counted || answers_right(&lives, ops, count, rule, why));
    free(lives.all);
    free(ops);
    return right;
}
