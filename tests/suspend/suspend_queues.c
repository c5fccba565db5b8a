/* suspend_queues.c - the queues of one worker, ring/local.h, ring/deque.h and ring/inbox.h, under
 * the suspension test, see suspend.h. One thread is the owner; all others steal, or bring. While
 * the owner stands still, the thieves must get every item that the headers do not give to the
 * frozen call, and who brings must get rid of all records there are. While one of the others stands
 * still, the owner and the rest go on for ever. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ring/deque.h"
#include "ring/inbox.h"
#include "ring/local.h"
#include "tests/support/check.h"
#include "tests/suspend/suspend.h"

#define SLOTS_LOG2 3
#define SLOTS      (1 << SLOTS_LOG2)

/* Items that a worker takes or brings at once. */
#define BATCH 3

struct queue_state {
    const struct suspend_subject *subject;
    struct leat_local local;
    struct leat_local own[SUSPEND_WHO_COUNT]; /* where thieves put what they steal */
    struct leat_deque deque;
    void *memory;
    uint32_t next;                   /* item, by the owner */
    uint64_t in;                     /* sum of items, by the owner */
    uint64_t out[SUSPEND_WHO_COUNT]; /* sum of items, by thread */
};

static void *
zeroed(size_t bytes)
{
    void *memory = aligned_alloc(LEAT_LINE_BYTES, leat_round_up(bytes, LEAT_LINE_BYTES));
    CHECK(memory != NULL);
    memset(memory, 0, bytes);
    return memory;
}

static void *
queue_create(const struct suspend_subject *subject)
{
    struct queue_state *state = zeroed(sizeof(*state));
    size_t local = leat_local_bytes(SLOTS_LOG2);
    state->subject = subject;
    state->memory = zeroed(local * (SUSPEND_WHO_COUNT + 1) + leat_deque_bytes(SLOTS_LOG2));
    unsigned char *memory = state->memory;
    leat_local_init(&state->local, SLOTS_LOG2, memory, 0);
    for (uint32_t i = 0; i < SUSPEND_WHO_COUNT; i++) {
        leat_local_init(&state->own[i], SLOTS_LOG2, memory + local * (i + 1), 0);
    }
    leat_deque_init(&state->deque, SLOTS_LOG2, memory + local * (SUSPEND_WHO_COUNT + 1), 0);
    return state;
}

static void
queue_end(struct queue_state *state)
{
    uint64_t out = 0;
    for (uint32_t i = 0; i < SUSPEND_WHO_COUNT; i++) {
        out += state->out[i];
    }
    CHECK_EQUAL(out, state->in);
    free(state->memory);
    free(state);
}

static void
brought(struct queue_state *state, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        state->next++;
        state->in += state->next;
    }
}

/* ---- the local queue ------------------------------------------------------------------------- */

static bool
local_push(void *subject, uint32_t who)
{
    struct queue_state *state = subject;
    (void)who;
    if (!leat_local_push(&state->local, state->next + 1)) {
        return false;
    }
    brought(state, 1);
    return true;
}

static bool
local_push_n(void *subject, uint32_t who)
{
    struct queue_state *state = subject;
    uint32_t items[BATCH];
    (void)who;
    for (uint32_t i = 0; i < BATCH; i++) {
        items[i] = state->next + 1 + i;
    }
    if (!leat_local_push_n(&state->local, items, BATCH)) {
        return false;
    }
    brought(state, BATCH);
    return true;
}

static bool
local_pop(void *subject, uint32_t who)
{
    struct queue_state *state = subject;
    uint32_t item = 0;
    if (!leat_local_pop(&state->local, &item)) {
        return false;
    }
    state->out[who] += item;
    return true;
}

static bool
local_pop_n(void *subject, uint32_t who)
{
    struct queue_state *state = subject;
    uint32_t items[BATCH] = {0};
    uint32_t count = leat_local_pop_n(&state->local, items, BATCH);
    for (uint32_t i = 0; i < count; i++) {
        state->out[who] += items[i];
    }
    return count > 0;
}

/* One item: of those that the thief has, or has stolen now. */
static bool
local_steal(void *subject, uint32_t who)
{
    struct queue_state *state = subject;
    uint32_t item = 0;
    if (!leat_local_pop(&state->own[who], &item) &&
        leat_local_steal(&state->local, &state->own[who], &item) == 0) {
        return false;
    }
    state->out[who] += item;
    return true;
}

static void
local_destroy(void *subject)
{
    struct queue_state *state = subject;
    CHECK(leat_local_check(&state->local, stderr));
    while (local_pop(state, SUSPEND_OTHER)) {
    }
    for (uint32_t i = 0; i < SUSPEND_WHO_COUNT; i++) {
        CHECK(leat_local_check(&state->own[i], stderr));
        while (local_steal(state, i)) {
        }
    }
    queue_end(state);
}

/* After some laps. */
static void
local_fill(void *subject, uint32_t count)
{
    const struct queue_state *state = subject;
    suspend_laps(state->subject, subject);
    while (local_pop(subject, SUSPEND_OTHER) || local_steal(subject, SUSPEND_OTHER)) {
    }
    for (uint32_t i = 0; i < count; i++) {
        CHECK(local_push(subject, SUSPEND_OTHER));
    }
}

static void
local_empty(void *subject)
{
    local_fill(subject, 0);
}

static void
local_one(void *subject)
{
    local_fill(subject, 1);
}

static void
local_some(void *subject)
{
    local_fill(subject, SLOTS - 2);
}

static void
local_full(void *subject)
{
    local_fill(subject, SLOTS);
}

/* Steps at most, by what the calls do: of a pop each round is one item nearer to the tail. */
#define LOCAL_PUSH_STEPS   4
#define LOCAL_PUSH_N_STEPS (3 + BATCH)
#define LOCAL_POP_STEPS    (2 + 2 * SLOTS)
#define LOCAL_POP_N_STEPS  (2 + (BATCH + 1) * SLOTS)
#define DEQUE_PUSH_STEPS   (3 + LEAT_DEQUE_WORDS)
#define DEQUE_POP_STEPS    (7 + LEAT_DEQUE_WORDS)

static const struct suspend_subject local_subject = {
    .name = "local queue",
    .capacity = SLOTS,
    .budget = 2000,
    .create = queue_create,
    .destroy = local_destroy,
    .operations =
        {{.name = "push", .run = local_push, .owner = true, .steps_most = LOCAL_PUSH_STEPS},
         {.name = "push_n", .run = local_push_n, .owner = true, .steps_most = LOCAL_PUSH_N_STEPS},
         {.name = "pop",
          .run = local_pop,
          .owner = true,
          .hides = 1,
          .steps_most = LOCAL_POP_STEPS},
         {.name = "steal", .run = local_steal, .hides = (SLOTS + 1) / 2},
         {.name = "pop_n",
          .run = local_pop_n,
          .owner = true,
          .hides = BATCH,
          .steps_most = LOCAL_POP_N_STEPS}},
    .situations = {{"empty", local_empty, 0},
                   {"one", local_one, 1},
                   {"some", local_some, SLOTS - 2},
                   {"full", local_full, SLOTS}},
};

/* ---- the deque ------------------------------------------------------------------------------- */

static bool
deque_push(void *subject, uint32_t who)
{
    struct queue_state *state = subject;
    const struct leat_deque_entry entry = {{state->next + 1, ~(uint64_t)(state->next + 1)}};
    (void)who;
    if (!leat_deque_push(&state->deque, &entry)) {
        return false;
    }
    brought(state, 1);
    return true;
}

static void
deque_out(struct queue_state *state, uint32_t who, const struct leat_deque_entry *entry)
{
    CHECK_EQUAL(entry->words[1], ~entry->words[0]);
    state->out[who] += entry->words[0];
}

static bool
deque_pop(void *subject, uint32_t who)
{
    struct queue_state *state = subject;
    struct leat_deque_entry entry;
    if (!leat_deque_pop(&state->deque, &entry)) {
        return false;
    }
    deque_out(state, who, &entry);
    return true;
}

static bool
deque_steal(void *subject, uint32_t who)
{
    struct queue_state *state = subject;
    struct leat_deque_entry entry;
    if (leat_deque_steal(&state->deque, 0, &entry) != LEAT_DEQUE_GOT) {
        return false;
    }
    deque_out(state, who, &entry);
    return true;
}

static void
deque_destroy(void *subject)
{
    struct queue_state *state = subject;
    CHECK(leat_deque_check(&state->deque, stderr));
    while (deque_pop(state, SUSPEND_OTHER)) {
    }
    CHECK(leat_deque_check(&state->deque, stderr));
    queue_end(state);
}

static void
deque_fill(void *subject, uint32_t count)
{
    const struct queue_state *state = subject;
    suspend_laps(state->subject, subject);
    while (deque_pop(subject, SUSPEND_OTHER)) {
    }
    for (uint32_t i = 0; i < count; i++) {
        CHECK(deque_push(subject, SUSPEND_OTHER));
    }
}

static void
deque_empty(void *subject)
{
    deque_fill(subject, 0);
}

static void
deque_one(void *subject)
{
    deque_fill(subject, 1);
}

static void
deque_some(void *subject)
{
    deque_fill(subject, SLOTS - 2);
}

static void
deque_full(void *subject)
{
    deque_fill(subject, SLOTS);
}

static const struct suspend_subject deque_subject = {
    .name = "deque",
    .capacity = SLOTS,
    .budget = 2000,
    .create = queue_create,
    .destroy = deque_destroy,
    /* Pushed twice in a round, so that something is left to steal. */
    .operations =
        {{.name = "push", .run = deque_push, .owner = true, .steps_most = DEQUE_PUSH_STEPS},
         {.name = "again", .run = deque_push, .owner = true, .witness = true},
         {.name = "pop",
          .run = deque_pop,
          .owner = true,
          .hides = 1,
          .steps_most = DEQUE_POP_STEPS},
         {.name = "steal", .run = deque_steal}},
    .situations = {{"empty", deque_empty, 0},
                   {"one", deque_one, 1},
                   {"some", deque_some, SLOTS - 2},
                   {"full", deque_full, SLOTS}},
};

/* ---- the inbox ------------------------------------------------------------------------------- */

#define RECORDS 8

struct inbox_state {
    const struct suspend_subject *subject;
    struct leat_inbox inbox;
    leat_atomic_u32 links[RECORDS];
    /* Records that are in no inbox and no hand. A mutex has no steps, so nobody is frozen here. */
    pthread_mutex_t mutex;
    uint32_t free[RECORDS];
    uint32_t free_count;
};

static void *
inbox_create(const struct suspend_subject *subject)
{
    struct inbox_state *state = zeroed(sizeof(*state));
    state->subject = subject;
    leat_inbox_init(&state->inbox);
    CHECK(pthread_mutex_init(&state->mutex, NULL) == 0);
    for (uint32_t i = 0; i < RECORDS; i++) {
        state->free[i] = i;
    }
    state->free_count = RECORDS;
    return state;
}

/* False: all records are in the inbox, or in hands. */
static bool
inbox_push(void *subject, uint32_t who)
{
    struct inbox_state *state = subject;
    (void)who;
    CHECK(pthread_mutex_lock(&state->mutex) == 0);
    bool any = state->free_count > 0;
    state->free_count -= any ? 1 : 0;
    uint32_t index = state->free[state->free_count % RECORDS];
    CHECK(pthread_mutex_unlock(&state->mutex) == 0);
    if (any) {
        (void)leat_inbox_push(&state->inbox, &state->links[index], index);
    }
    return any;
}

static bool
inbox_take(void *subject, uint32_t who)
{
    struct inbox_state *state = subject;
    (void)who;
    uint32_t index = leat_inbox_take(&state->inbox);
    bool any = index != LEAT_INDEX_NONE;
    while (index != LEAT_INDEX_NONE) {
        uint32_t next = atom_load_rlx(&state->links[index]);
        CHECK(pthread_mutex_lock(&state->mutex) == 0);
        CHECK(state->free_count < RECORDS);
        state->free[state->free_count] = index;
        state->free_count++;
        CHECK(pthread_mutex_unlock(&state->mutex) == 0);
        index = next;
    }
    return any;
}

static leat_atomic_u32 *
inbox_link(void *context, uint32_t index)
{
    struct inbox_state *state = context;
    CHECK(index < RECORDS);
    return &state->links[index];
}

static void
inbox_destroy(void *subject)
{
    struct inbox_state *state = subject;
    CHECK(leat_inbox_check(&state->inbox, inbox_link, state, RECORDS, stderr));
    (void)inbox_take(state, SUSPEND_OTHER);
    CHECK_EQUAL(state->free_count, RECORDS);
    CHECK(pthread_mutex_destroy(&state->mutex) == 0);
    free(state);
}

static void
inbox_fill(void *subject, uint32_t count)
{
    const struct inbox_state *state = subject;
    suspend_laps(state->subject, subject);
    (void)inbox_take(subject, SUSPEND_OTHER);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(inbox_push(subject, SUSPEND_OTHER));
    }
}

static void
inbox_empty(void *subject)
{
    inbox_fill(subject, 0);
}

static void
inbox_half(void *subject)
{
    inbox_fill(subject, RECORDS / 2);
}

static const struct suspend_subject inbox_subject = {
    .name = "inbox",
    .capacity = RECORDS,
    .budget = 2000,
    .create = inbox_create,
    .destroy = inbox_destroy,
    .operations = {{.name = "push", .run = inbox_push, .hides = 1},
                   {.name = "take", .run = inbox_take, .owner = true, .steps_most = 1 + RECORDS}},
    /* A take has one step, and the test one for each record. Items are here the records that can be
     * pushed while nobody takes. */
    .situations = {{"empty", inbox_empty, RECORDS, 0}, {"half", inbox_half, RECORDS / 2, 0}},
};

/* ---- tests ----------------------------------------------------------------------------------- */

static void
the_local_queue_is_lock_free(void **state)
{
    (void)state;
    CHECK(suspend_run(&local_subject));
}

static void
the_deque_is_lock_free(void **state)
{
    (void)state;
    CHECK(suspend_run(&deque_subject));
}

static void
the_inbox_is_lock_free(void **state)
{
    (void)state;
    CHECK(suspend_run(&inbox_subject));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_local_queue_is_lock_free),
        cmocka_unit_test(the_deque_is_lock_free),
        cmocka_unit_test(the_inbox_is_lock_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
