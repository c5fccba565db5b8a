/* freeze.c - see freeze.h. */
#include "tests/support/freeze.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/threads.h"

/* No thread takes so many: one that does will not come to its end. */
#define STEPS_ENDLESS UINT64_C(10000000)

static _Thread_local struct freeze *current_freeze;

/* ---- places ---------------------------------------------------------------------------------- */

bool
freeze_places_know(const struct freeze_places *list, const struct freeze_place *place)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct freeze_place *other = &list->places[i];
        if (place->line == other->line && strcmp(place->file, other->file) == 0 &&
            strcmp(place->kind, other->kind) == 0) {
            return true;
        }
    }
    return false;
}

void
freeze_places_add(struct freeze_places *list, const struct freeze_place *place)
{
    if (!freeze_places_know(list, place)) {
        CHECK(list->count < FREEZE_PLACES_MAX);
        list->places[list->count] = *place;
        list->count++;
    }
}

/* ---- the thread's side ----------------------------------------------------------------------- */

static void
lock(struct freeze *freeze)
{
    CHECK(pthread_mutex_lock(&freeze->mutex) == 0);
}

static void
unlock(struct freeze *freeze)
{
    CHECK(pthread_mutex_unlock(&freeze->mutex) == 0);
}

void
freeze_step(struct freeze_place place)
{
    struct freeze *freeze = current_freeze;
    if (freeze == NULL) {
        return;
    }
    lock(freeze);
    freeze->steps++;
    freeze->place = place;
    if (freeze->seen != NULL) {
        freeze_places_add(freeze->seen, &place);
    }
    CHECK(freeze->steps < STEPS_ENDLESS);
    while (freeze->steps >= freeze->stop || freeze->writes >= freeze->stop_writes) {
        freeze->stands = true;
        CHECK(pthread_cond_broadcast(&freeze->changed) == 0);
        CHECK(pthread_cond_wait(&freeze->changed, &freeze->mutex) == 0);
    }
    freeze->stands = false;
    freeze->writes += place.writes ? 1 : 0;
    if (freeze->seen != NULL && freeze->seen->taken != NULL) {
        freeze->seen->taken(freeze->seen->context, &place);
    }
    unlock(freeze);
}

void
freeze_sleep(bool begins)
{
    struct freeze *freeze = current_freeze;
    if (freeze == NULL) {
        return;
    }
    lock(freeze);
    freeze->sleeps = begins;
    CHECK(pthread_cond_broadcast(&freeze->changed) == 0);
    unlock(freeze);
}

void
freeze_adopt(struct freeze *freeze)
{
    current_freeze = freeze;
}

static void *
thread_run(void *argument)
{
    struct freeze *freeze = argument;
    lock(freeze);
    while (!freeze->begun) {
        CHECK(pthread_cond_wait(&freeze->changed, &freeze->mutex) == 0);
    }
    unlock(freeze);
    current_freeze = freeze;
    freeze->body(freeze->argument);
    current_freeze = NULL;
    lock(freeze);
    freeze->ended = true;
    CHECK(pthread_cond_broadcast(&freeze->changed) == 0);
    unlock(freeze);
    return NULL;
}

/* ---- the others' side ------------------------------------------------------------------------ */

void
freeze_init(struct freeze *freeze)
{
    pthread_condattr_t attributes;
    *freeze = (struct freeze){.stop = UINT64_MAX, .stop_writes = UINT64_MAX};
    CHECK(pthread_condattr_init(&attributes) == 0);
    CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_mutex_init(&freeze->mutex, NULL) == 0);
    CHECK(pthread_cond_init(&freeze->changed, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
}

void
freeze_fini(struct freeze *freeze)
{
    CHECK(pthread_cond_destroy(&freeze->changed) == 0);
    CHECK(pthread_mutex_destroy(&freeze->mutex) == 0);
}

void
freeze_start(struct freeze *freeze, void (*body)(void *argument), void *argument)
{
    freeze_init(freeze);
    freeze->body = body;
    freeze->argument = argument;
    CHECK(pthread_create(&freeze->thread, NULL, thread_run, freeze) == 0);
}

void
freeze_note(struct freeze *freeze, struct freeze_places *seen)
{
    lock(freeze);
    freeze->seen = seen;
    unlock(freeze);
}

static void
stop_at(struct freeze *freeze, uint64_t step, uint64_t writes)
{
    lock(freeze);
    freeze->begun = true;
    freeze->stop = step;
    freeze->stop_writes = writes;
    freeze->stands = false;
    CHECK(pthread_cond_broadcast(&freeze->changed) == 0);
    unlock(freeze);
}

bool
freeze_wait(struct freeze *freeze)
{
    struct timespec deadline;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &deadline) == 0);
    deadline.tv_sec += (time_t)(TEST_PATIENCE_NS / UINT64_C(1000000000));
    lock(freeze);
    while (!freeze->stands && !freeze->ended && !(freeze->sleeps && freeze->steps > 0)) {
        CHECK(pthread_cond_timedwait(&freeze->changed, &freeze->mutex, &deadline) == 0);
    }
    bool stands = freeze->stands;
    unlock(freeze);
    return stands;
}

bool
freeze_to(struct freeze *freeze, uint64_t step)
{
    stop_at(freeze, step, UINT64_MAX);
    return freeze_wait(freeze);
}

bool
freeze_to_write(struct freeze *freeze, uint64_t count)
{
    stop_at(freeze, UINT64_MAX, count);
    return freeze_wait(freeze);
}

void
freeze_arm(struct freeze *freeze, uint64_t step)
{
    lock(freeze);
    freeze->steps = 0;
    freeze->writes = 0;
    unlock(freeze);
    stop_at(freeze, step, UINT64_MAX);
}

void
freeze_let_go(struct freeze *freeze)
{
    freeze_note(freeze, NULL);
    stop_at(freeze, UINT64_MAX, UINT64_MAX);
}

void
freeze_join(struct freeze *freeze)
{
    CHECK(pthread_join(freeze->thread, NULL) == 0);
    freeze_fini(freeze);
}

/* ---- the operations of ring/atomic.h --------------------------------------------------------- */

static uint64_t
load(struct leat_model_word word)
{
    switch (word.bytes) {
    case 1:
        return __atomic_load_n((const uint8_t *)word.address, __ATOMIC_SEQ_CST);
    case 2:
        return __atomic_load_n((const uint16_t *)word.address, __ATOMIC_SEQ_CST);
    case 4:
        return __atomic_load_n((const uint32_t *)word.address, __ATOMIC_SEQ_CST);
    default:
        return __atomic_load_n((const uint64_t *)word.address, __ATOMIC_SEQ_CST);
    }
}

/* `expected` points to a value of the word's size. */
static bool
cas(struct leat_model_word word, void *expected, uint64_t desired)
{
    switch (word.bytes) {
    case 1:
        return __atomic_compare_exchange_n((uint8_t *)word.address, (uint8_t *)expected,
                                           (uint8_t)desired, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    case 2:
        return __atomic_compare_exchange_n((uint16_t *)word.address, (uint16_t *)expected,
                                           (uint16_t)desired, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    case 4:
        return __atomic_compare_exchange_n((uint32_t *)word.address, (uint32_t *)expected,
                                           (uint32_t)desired, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    default:
        return __atomic_compare_exchange_n((uint64_t *)word.address, (uint64_t *)expected, desired,
                                           false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    }
}

static uint64_t
changed(uint64_t value, enum leat_model_change change, uint64_t operand)
{
    switch (change) {
    case LEAT_MODEL_ADD:
        return value + operand;
    case LEAT_MODEL_SUB:
        return value - operand;
    case LEAT_MODEL_OR:
        return value | operand;
    case LEAT_MODEL_AND:
        return value & operand;
    case LEAT_MODEL_SWAP:
        break;
    }
    return operand;
}

/* No thread stands still in here: for the caller it is one operation. */
static uint64_t
apply(struct leat_model_word word, enum leat_model_change change, uint64_t operand)
{
    uint64_t value = load(word); /* little-endian: its first bytes are the value of any size */
    while (!cas(word, &value, changed(value, change, operand))) {
    }
    return value;
}

static void
step(const char *kind, struct leat_model_word word, bool writes)
{
    freeze_step((struct freeze_place){kind, word.text, word.file, word.line, writes});
}

uint64_t
leat_model_load(struct leat_model_word word, enum leat_model_order order)
{
    (void)order;
    step("load", word, false);
    return load(word);
}

void
leat_model_store(struct leat_model_word word, uint64_t value, enum leat_model_order order)
{
    (void)order;
    step("store", word, true);
    (void)apply(word, LEAT_MODEL_SWAP, value);
}

uint64_t
leat_model_change(struct leat_model_word word, enum leat_model_change change, uint64_t operand,
                  enum leat_model_order order)
{
    (void)order;
    step("change", word, true);
    return apply(word, change, operand);
}

bool
leat_model_cas(struct leat_model_word word, struct leat_model_swap swap)
{
    step("swap", word, true);
    return cas(word, swap.expected, swap.desired);
}

void
leat_model_fence(struct leat_model_word place, enum leat_model_order order)
{
    (void)order;
    step("fence", place, false);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void
leat_model_pause(struct leat_model_word place)
{
    (void)place;
}
