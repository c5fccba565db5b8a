/* explore_memory.c - the memory of the explorer: C11 as an abstract machine.
 *
 * Each atomic word has its values in modification order. Each thread has a view: for each word the
 * position of the oldest value that it may still read. A value carries a view too, that of its
 * writer at a release, and an acquiring reader adds it to its own. Clocks of the threads' events
 * travel in the same views and tell which plain accesses are ordered.
 *
 *   load             any value not older than the view; the view then stands at that value
 *   store            in the modification order at any place behind the view's, but not between a
 *                    read-modify-write and the value that it read
 *   read-modify-write  reads any value that a store could be placed behind, and is placed there
 *   swap that fails  a load of any value that differs from the expected one
 *   release          the value carries the writer's view; a relaxed one carries the view of the
 *                    last release fence; a read-modify-write carries what its predecessor carries
 *                    as well (release sequences as in C++20: only read-modify-writes continue one)
 *   acquire          adds the value's view; after a relaxed load an acquire fence does so
 *   sc               the order of execution is the single total order S of C11. sc_touched holds
 *                    what sc operations read or wrote, sc_fenced what the threads saw at their sc
 *                    fences. An sc operation does not go behind either for its own word; an sc
 *                    fence adds both to the thread's view, which carries no happens-before.
 *   futex            the kernel compares with the newest value, at once with falling asleep, and
 *                    orders nothing else; who waits is woken in any order, or for no reason as
 *                    often as the model allows
 *
 * This is RC11 but for two kinds of executions that C11 allows and that are left out:
 *  - load buffering: a load never reads from a store that has not been executed (RC11 forbids it
 *    too, and no compiler or CPU in use shows it with these operations inlined as they are);
 *  - S against the order of execution: the verdicts of C11 in which S orders two sc operations
 *    against program order and reads-from taken together (litmus Z6.U). No mapping to x86 or
 *    ARMv8 shows them.
 * model_litmus.c has both, and tests that they are not seen.
 */
#include <stdio.h>
#include <string.h>

#include "tests/support/explore_internal.h"

#define ADDRESS_PLACES 512

/* Starting points of hashes of different things; arbitrary, works. */
#define KEY_THREAD UINT64_C(0x2545F4914F6CDD1D)
#define KEY_SC     UINT64_C(0x9FB21C651E98DF25)
#define KEY_PLAIN  UINT64_C(0xD1B54A32D192ED03)
#define KEY_CLOCK  UINT64_C(0xAEF17502108EF2D9)

LEAT_STATIC(sizeof(struct explore_view) == 128, "a view is joined by a few vector instructions");
LEAT_STATIC(EXPLORE_VALUES_MAX < 256, "positions fit in a byte");

/* What the runs so far taught about the model. Each fact makes the search begin anew once. */
static struct {
    uintptr_t shared[EXPLORE_WORDS_MAX]; /* words that two threads touch */
    uint32_t shared_count;
    bool fences; /* threads use fences, so what a relaxed load saw matters later */
    bool pauses; /* threads wait in loops, so what they looked at matters */
} learnt;

static uint8_t address_places[ADDRESS_PLACES]; /* index of a word + 1; 0: free */

/* ---- views ---------------------------------------------------------------------------------- */

static void
view_join(struct explore_view *restrict view, const struct explore_view *restrict other)
{
    /* Positions and clocks alike, byte by byte: the larger one. */
    uint8_t *restrict to = (uint8_t *)view;
    const uint8_t *restrict from = (const uint8_t *)other;
    for (uint32_t i = 0; i < sizeof(*view); i++) {
        to[i] = to[i] > from[i] ? to[i] : from[i];
    }
}

static void
view_raise(struct explore_view *view, uint32_t word, uint32_t position)
{
    if (view->at[word] < position) {
        view->at[word] = (uint8_t)position;
    }
}

/* A value was placed in the midst of a modification order: those behind it moved up. */
static void
view_shift(struct explore_view *view, uint32_t word, uint32_t position)
{
    if (view->at[word] >= position) {
        view->at[word]++;
    }
}

static void
views_shift(uint32_t word, uint32_t position)
{
    for (uint32_t i = 0; i < explore_run.threads_count; i++) {
        struct explore_thread *thread = &explore_run.threads[i];
        view_shift(&thread->current, word, position);
        view_shift(&thread->acquired, word, position);
        view_shift(&thread->released, word, position);
    }
    view_shift(&explore_run.sc_touched, word, position);
    view_shift(&explore_run.sc_fenced, word, position);
    for (uint32_t i = 0; i < explore_run.words_count; i++) {
        for (uint32_t j = 0; j < explore_run.words[i].count; j++) {
            view_shift(&explore_run.words[i].values[j].view, word, position);
        }
    }
}

static bool
is_acquire(enum leat_model_order order)
{
    return order == LEAT_MODEL_ACQUIRE || order == LEAT_MODEL_ACQ_REL || order == LEAT_MODEL_SC;
}

static bool
is_release(enum leat_model_order order)
{
    return order == LEAT_MODEL_RELEASE || order == LEAT_MODEL_ACQ_REL || order == LEAT_MODEL_SC;
}

/* ---- words ---------------------------------------------------------------------------------- */

static uint64_t
word_read(const void *address, size_t bytes)
{
    uint64_t bits = 0;
    memcpy(&bits, address, bytes); /* little-endian, as all that Leat runs on */
    return bits;
}

static bool
is_shared(uintptr_t address)
{
    for (uint32_t i = 0; i < learnt.shared_count; i++) {
        if (learnt.shared[i] == address) {
            return true;
        }
    }
    return false;
}

static void
word_add(struct leat_model_word place)
{
    struct explore_word *word = &explore_run.words[explore_run.words_count];
    word->address = place.address;
    word->bytes = place.bytes;
    word->key = explore_mix(0, place.address) | 1;
    word->count = 1;
    word->shared = explore_run.all_shared || is_shared(place.address);
    word->owner = (uint8_t)explore_run.running;
    word->first = word_read(explore_pointer(place.address), place.bytes);
    memset(&word->values[0], 0, sizeof(word->values[0]));
    word->values[0].bits = word->first;
    explore_run.words_count++;
}

uint32_t
explore_memory_word(struct leat_model_word place, bool shares)
{
    if (explore_run.running == EXPLORE_THREADS_MAX) {
        return EXPLORE_WORDS_MAX;
    }
    uint64_t hash = explore_mix(0, place.address);
    uint32_t slot = (uint32_t)(hash % ADDRESS_PLACES);
    /* Ends: there are more places than words. */
    while (address_places[slot] != 0 &&
           explore_run.words[address_places[slot] - 1].address != place.address) {
        slot = (slot + 1) % ADDRESS_PLACES;
    }
    if (address_places[slot] == 0) {
        if (explore_run.words_count == EXPLORE_WORDS_MAX) {
            explore_fail("the model has more words than EXPLORE_WORDS_MAX", place.file, place.line);
        }
        word_add(place);
        address_places[slot] = (uint8_t)explore_run.words_count;
    }
    uint32_t index = address_places[slot] - 1U;
    struct explore_word *word = &explore_run.words[index];
    if (word->bytes != place.bytes) {
        explore_fail("one word, two sizes", place.file, place.line);
    }
    if (!word->shared && (shares || word->owner != explore_run.running)) {
        word->shared = true;
        learnt.shared[learnt.shared_count] = place.address;
        learnt.shared_count++;
        explore_run.anew = true;
    }
    return word->shared ? index : EXPLORE_WORDS_MAX;
}

/* ---- in how many ways ----------------------------------------------------------------------- */

/* The oldest position that an operation of this order may use. */
static uint32_t
position_least(const struct explore_thread *thread, uint32_t word, enum leat_model_order order)
{
    uint32_t least = thread->current.at[word];
    if (order == LEAT_MODEL_SC) {
        uint32_t touched = explore_run.sc_touched.at[word];
        uint32_t fenced = explore_run.sc_fenced.at[word];
        least = least > touched ? least : touched;
        least = least > fenced ? least : fenced;
    }
    return least;
}

static bool
swap_succeeds(const struct explore_request *request, const struct explore_value *value)
{
    return request->kind != EXPLORE_CAS || value->bits == request->expected;
}

/* Whether the request can read, or be placed behind, the value at a position. */
static bool
position_fits(const struct explore_thread *thread, uint32_t position)
{
    const struct explore_request *request = &thread->request;
    const struct explore_word *word = &explore_run.words[request->word];
    if (request->kind == EXPLORE_LOAD) {
        return position >= position_least(thread, request->word, request->order);
    }
    if (!swap_succeeds(request, &word->values[position])) {
        return position >= position_least(thread, request->word, request->failure);
    }
    bool tied = position + 1 < word->count && word->values[position + 1].tied;
    return !tied && position >= position_least(thread, request->word, request->order);
}

static uint32_t
waiters(uint32_t word)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < explore_run.threads_count; i++) {
        const struct explore_thread *thread = &explore_run.threads[i];
        count += thread->waits && thread->request.word == word ? 1 : 0;
    }
    return count;
}

uint32_t
explore_memory_ways(const struct explore_thread *thread)
{
    const struct explore_request *request = &thread->request;
    switch (request->kind) {
    case EXPLORE_LOAD:
    case EXPLORE_STORE:
    case EXPLORE_CHANGE:
    case EXPLORE_CAS:
        break;
    case EXPLORE_WAIT:
        return thread->spurious > 0 && explore_memory_newest(request->word) == request->expected
                   ? 2
                   : 1;
    case EXPLORE_WAKE: {
        uint32_t count = waiters(request->word);
        return count > request->operand ? count : 1;
    }
    case EXPLORE_CHOOSE:
        return (uint32_t)request->operand;
    case EXPLORE_FENCE:
    case EXPLORE_WOKEN:
    case EXPLORE_PAUSE:
    case EXPLORE_POINT:
    case EXPLORE_END:
        return 1;
    }
    if (explore_run.model->sequential) {
        return 1;
    }
    uint32_t ways = 0;
    for (uint32_t i = 0; i < explore_run.words[request->word].count; i++) {
        ways += position_fits(thread, i) ? 1 : 0;
    }
    return ways;
}

/* The position that belongs to a way: the newest first. */
static uint32_t
position_of(const struct explore_thread *thread, uint32_t way)
{
    uint32_t position = explore_run.words[thread->request.word].count - 1;
    if (explore_run.model->sequential) {
        return position;
    }
    /* Ends: way is less than the number of positions that fit. */
    for (uint32_t seen = 0;; position--) {
        if (position_fits(thread, position)) {
            if (seen == way) {
                return position;
            }
            seen++;
        }
    }
}

bool
explore_memory_news(const struct explore_thread *thread)
{
    for (uint32_t i = 0; i < explore_run.words_count; i++) {
        if ((thread->looked_at[i / 64] >> (i % 64) & 1) != 0 &&
            thread->current.at[i] + 1U < explore_run.words[i].count) {
            return true;
        }
    }
    return false;
}

uint64_t
explore_memory_newest(uint32_t word)
{
    return explore_run.words[word].values[explore_run.words[word].count - 1].bits;
}

/* ---- steps ---------------------------------------------------------------------------------- */

static void
value_read(struct explore_thread *thread, uint32_t position, enum leat_model_order order)
{
    uint32_t index = thread->request.word;
    const struct explore_value *value = &explore_run.words[index].values[position];
    thread->result = value->bits;
    thread->looked_at[index / 64] |= UINT64_C(1) << (index % 64);
    view_raise(&thread->current, index, position);
    view_join(&thread->acquired, &value->view);
    if (is_acquire(order)) {
        view_join(&thread->current, &value->view);
    }
    view_join(&thread->acquired, &thread->current);
    if (order == LEAT_MODEL_SC) {
        view_raise(&explore_run.sc_touched, index, position);
    }
}

/* Places a value behind the one at `before`. */
static void
value_write(struct explore_thread *thread, uint32_t before, uint64_t bits, bool tied)
{
    const struct explore_request *request = &thread->request;
    struct explore_word *word = &explore_run.words[request->word];
    uint32_t position = before + 1;
    if (word->count == EXPLORE_VALUES_MAX) {
        explore_note("a word has more values than EXPLORE_VALUES_MAX", __FILE__, __LINE__);
        return;
    }
    if (position < word->count) {
        views_shift(request->word, position);
        memmove(&word->values[position + 1], &word->values[position],
                sizeof(word->values[0]) * (word->count - position));
    }
    word->count++;
    view_raise(&thread->current, request->word, position);
    view_raise(&thread->acquired, request->word, position);
    struct explore_value *value = &word->values[position];
    value->bits = word->bytes == 8 ? bits : bits & ((UINT64_C(1) << (8 * word->bytes)) - 1);
    value->tied = tied;
    value->view = is_release(request->order) ? thread->current : thread->released;
    view_raise(&value->view, request->word, position);
    if (tied) {
        view_join(&value->view, &word->values[before].view);
    }
    if (request->order == LEAT_MODEL_SC) {
        view_raise(&explore_run.sc_touched, request->word, position);
    }
}

uint64_t
explore_memory_changed(uint64_t bits, const struct explore_request *request)
{
    switch (request->change) {
    case LEAT_MODEL_SWAP:
        return request->operand;
    case LEAT_MODEL_ADD:
        return bits + request->operand;
    case LEAT_MODEL_SUB:
        return bits - request->operand;
    case LEAT_MODEL_OR:
        return bits | request->operand;
    case LEAT_MODEL_AND:
        return bits & request->operand;
    }
    return bits;
}

static void
swap_step(struct explore_thread *thread, uint32_t position)
{
    const struct explore_request *request = &thread->request;
    const struct explore_value *value = &explore_run.words[request->word].values[position];
    thread->succeeded = value->bits == request->expected;
    if (!thread->succeeded) {
        value_read(thread, position, request->failure);
        return;
    }
    value_read(thread, position, request->order);
    value_write(thread, position, request->operand, true);
}

static void
fence_step(struct explore_thread *thread)
{
    enum leat_model_order order = thread->request.order;
    if (is_acquire(order)) {
        view_join(&thread->current, &thread->acquired);
    }
    if (order == LEAT_MODEL_SC) {
        view_join(&thread->current, &explore_run.sc_touched);
        view_join(&thread->current, &explore_run.sc_fenced);
        view_join(&explore_run.sc_fenced, &thread->current);
        memset(explore_run.sc_fenced.clock, 0, sizeof(explore_run.sc_fenced.clock));
        view_join(&thread->acquired, &thread->current);
    }
    if (is_release(order)) {
        thread->released = thread->current;
    }
}

static void
wake_step(const struct explore_request *request, uint32_t way)
{
    uint32_t count = waiters(request->word);
    uint64_t left = request->operand < count ? request->operand : count;
    /* From the waiter `way` on, around. */
    for (uint32_t i = 0, place = 0; left > 0; i = (i + 1) % explore_run.threads_count) {
        struct explore_thread *thread = &explore_run.threads[i];
        if (!thread->waits || thread->request.word != request->word) {
            continue;
        }
        if (place >= way) {
            thread->waits = false;
            thread->request.kind = EXPLORE_WOKEN;
            left--;
        }
        place++;
    }
}

void
explore_memory_step(struct explore_thread *thread, uint32_t way)
{
    const struct explore_request *request = &thread->request;
    switch (request->kind) {
    case EXPLORE_LOAD:
        value_read(thread, position_of(thread, way), request->order);
        break;
    case EXPLORE_STORE:
        value_write(thread, position_of(thread, way), request->operand, false);
        break;
    case EXPLORE_CHANGE: {
        uint32_t position = position_of(thread, way);
        value_read(thread, position, request->order);
        value_write(thread, position, explore_memory_changed(thread->result, request), true);
        break;
    }
    case EXPLORE_CAS:
        swap_step(thread, position_of(thread, way));
        break;
    case EXPLORE_FENCE:
        explore_run.anew = explore_run.anew || !learnt.fences;
        learnt.fences = true;
        fence_step(thread);
        break;
    case EXPLORE_WAIT:
        thread->waits = way == 0 && explore_memory_newest(request->word) == request->expected;
        thread->spurious -= way;
        break;
    case EXPLORE_WAKE:
        wake_step(request, way);
        break;
    case EXPLORE_PAUSE:
        explore_run.anew = explore_run.anew || !learnt.pauses;
        learnt.pauses = true;
        memset(thread->looked_at, 0, sizeof(thread->looked_at));
        break;
    case EXPLORE_CHOOSE:
        thread->result = way;
        break;
    case EXPLORE_WOKEN:
    case EXPLORE_POINT:
    case EXPLORE_END:
        break;
    }
}

static bool
is_sc(const struct explore_request *request)
{
    bool has_order = request->kind == EXPLORE_LOAD || request->kind == EXPLORE_STORE ||
                     request->kind == EXPLORE_CHANGE || request->kind == EXPLORE_CAS ||
                     request->kind == EXPLORE_FENCE;
    return has_order && (request->order == LEAT_MODEL_SC ||
                         (request->kind == EXPLORE_CAS && request->failure == LEAT_MODEL_SC));
}

static bool
has_word(enum explore_kind kind)
{
    return kind == EXPLORE_LOAD || kind == EXPLORE_STORE || kind == EXPLORE_CHANGE ||
           kind == EXPLORE_CAS || kind == EXPLORE_WAIT || kind == EXPLORE_WAKE;
}

bool
explore_memory_dependent(const struct explore_request *a, const struct explore_request *b)
{
    if (a->kind == EXPLORE_PAUSE || b->kind == EXPLORE_PAUSE) {
        return true;
    }
    if (a->kind == EXPLORE_POINT && b->kind == EXPLORE_POINT) {
        return true;
    }
    if (is_sc(a) && is_sc(b)) {
        return true;
    }
    return has_word(a->kind) && has_word(b->kind) && a->word == b->word &&
           (a->kind != EXPLORE_LOAD || b->kind != EXPLORE_LOAD);
}

/* ---- plain data and events ------------------------------------------------------------------ */

static struct explore_plain *
plain_at(const void *address)
{
    for (uint32_t i = 0; i < explore_run.plains_count; i++) {
        if (explore_run.plains[i].address == address) {
            return &explore_run.plains[i];
        }
    }
    if (explore_run.plains_count == EXPLORE_PLAINS_MAX) {
        explore_fail("the model has more plain data than EXPLORE_PLAINS_MAX", __FILE__, __LINE__);
    }
    struct explore_plain *plain = &explore_run.plains[explore_run.plains_count];
    memset(plain, 0, sizeof(*plain));
    plain->address = address;
    plain->key = explore_mix(KEY_PLAIN, (uint64_t)(uintptr_t)address);
    explore_run.plains_count++;
    return plain;
}

static uint8_t
event_next(struct explore_thread *thread, uint32_t index)
{
    uint8_t number = (uint8_t)(thread->current.clock[index] + 1U);
    if (number == UINT8_MAX) {
        explore_fail("a thread has more events than a byte counts", __FILE__, __LINE__);
    }
    thread->current.clock[index] = number;
    thread->acquired.clock[index] = number;
    return number;
}

static void
plain_access(const void *address, const char *name, bool writes)
{
    uint32_t self = explore_run.running;
    if (self == EXPLORE_THREADS_MAX) {
        return;
    }
    struct explore_thread *thread = &explore_run.threads[self];
    struct explore_plain *plain = plain_at(address);
    bool ordered = plain->write <= thread->current.clock[plain->writer];
    for (uint32_t i = 0; i < explore_run.threads_count && writes; i++) {
        ordered = ordered && plain->reads[i] <= thread->current.clock[i];
    }
    if (explore_run.traced) {
        printf("      %c  plain %-14s %s\n", (char)('a' + self), writes ? "write" : "read", name);
    }
    if (!ordered) {
        char text[128];
        (void)snprintf(text, sizeof(text), "data race: %s of %s", writes ? "write" : "read", name);
        explore_fail(text, __FILE__, __LINE__);
    }
    uint8_t number = event_next(thread, self);
    if (writes) {
        plain->writer = (uint8_t)self;
        plain->write = number;
        memset(plain->reads, 0, sizeof(plain->reads));
    } else {
        plain->reads[self] = number;
    }
}

void
explore_plain_read(const void *address, const char *name)
{
    plain_access(address, name, false);
}

void
explore_plain_write(const void *address, const char *name)
{
    plain_access(address, name, true);
}

struct explore_event
explore_event(void)
{
    struct explore_event event = {.thread = (uint8_t)explore_run.running, .number = 0};
    if (explore_run.running != EXPLORE_THREADS_MAX) {
        event.number = event_next(&explore_run.threads[explore_run.running], event.thread);
    }
    return event;
}

bool
explore_knows(struct explore_event event)
{
    if (event.number == 0 || explore_run.running == EXPLORE_THREADS_MAX) {
        return true; /* setup happens before all threads, and they before check */
    }
    const struct explore_thread *thread = &explore_run.threads[explore_run.running];
    return event.number <= thread->current.clock[event.thread];
}

/* ---- the state, as a number ----------------------------------------------------------------- */

/* What every thread that still runs has seen. Values before it are gone for good: nobody can read
 * them, and nothing can be placed there. Events before it are ordered before all that follows. */
static struct explore_view
view_of_all(void)
{
    struct explore_view base;
    memset(&base, UINT8_MAX, sizeof(base));
    for (uint32_t i = 0; i < explore_run.threads_count; i++) {
        const struct explore_thread *thread = &explore_run.threads[i];
        for (uint32_t j = 0; j < explore_run.words_count && !thread->ended; j++) {
            uint8_t at = thread->current.at[j];
            base.at[j] = base.at[j] < at ? base.at[j] : at;
        }
        for (uint32_t j = 0; j < EXPLORE_THREADS_MAX && !thread->ended; j++) {
            uint8_t clock = thread->current.clock[j];
            base.clock[j] = base.clock[j] < clock ? base.clock[j] : clock;
        }
    }
    return base;
}

static uint32_t
past_of(uint32_t place, uint32_t base)
{
    return place > base ? place - base : 0;
}

/* A sum, so that the order in which words were first touched does not matter. */
static uint64_t
view_hash(const struct explore_view *view, const struct explore_view *base)
{
    uint64_t sum = 0;
    uint32_t words = explore_run.model->sequential ? 0 : explore_run.words_count;
    for (uint32_t i = 0; i < words; i++) {
        uint32_t past = past_of(view->at[i], base->at[i]);
        sum += explore_run.words[i].key * past;
    }
    for (uint32_t i = 0; i < explore_run.threads_count; i++) {
        uint32_t past = past_of(view->clock[i], base->clock[i]);
        sum += (KEY_CLOCK << i | 1) * past;
    }
    return sum;
}

/* 0 if the word and what its values carry are as at the start. */
static uint64_t
word_hash(uint32_t index, const struct explore_view *base)
{
    const struct explore_word *word = &explore_run.words[index];
    uint32_t first = explore_run.model->sequential ? word->count - 1 : base->at[index];
    uint64_t bits = word->key;
    uint64_t views = 0;
    for (uint32_t i = first; i < word->count; i++) {
        const struct explore_value *value = &word->values[i];
        uint64_t tied = value->tied && i > first ? 1 : 0;
        bits = explore_mix(bits + tied, value->bits);
        uint64_t view = view_hash(&value->view, base);
        views += view == 0 ? 0 : explore_mix(word->key + i - first + 1, view);
    }
    return bits - explore_mix(word->key, word->first) + views;
}

static uint64_t
thread_hash(uint32_t index, const struct explore_view *base)
{
    const struct explore_thread *thread = &explore_run.threads[index];
    uint64_t hash = explore_mix(KEY_THREAD + index, view_hash(&thread->current, base));
    if (learnt.fences) {
        hash = explore_mix(hash, view_hash(&thread->acquired, base));
        hash = explore_mix(hash, view_hash(&thread->released, base));
    }
    uint64_t looked_at = 0;
    for (uint32_t i = 0; i < explore_run.words_count && learnt.pauses; i++) {
        if ((thread->looked_at[i / 64] >> (i % 64) & 1) != 0) {
            bool news = thread->current.at[i] + 1U < explore_run.words[i].count;
            looked_at += explore_run.words[i].key * (news ? 3 : 1);
        }
    }
    return explore_mix(hash, looked_at);
}

static uint64_t
plain_hash(const struct explore_plain *plain, const struct explore_view *base)
{
    uint64_t packed = 0;
    if (plain->write > base->clock[plain->writer]) {
        packed = plain->write | (plain->writer + UINT64_C(1)) << 8;
    }
    for (uint32_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        packed <<= 8;
        packed |= plain->reads[i] > base->clock[i] ? plain->reads[i] : 0;
    }
    return packed == 0 ? 0 : explore_mix(plain->key, packed);
}

uint64_t
explore_memory_hash(void)
{
    struct explore_view base = view_of_all();
    uint64_t hash = 0;
    for (uint32_t i = 0; i < explore_run.words_count; i++) {
        hash += explore_run.words[i].shared ? word_hash(i, &base) : 0;
    }
    for (uint32_t i = 0; i < explore_run.threads_count; i++) {
        hash += explore_run.threads[i].ended ? 0 : thread_hash(i, &base);
    }
    for (uint32_t i = 0; i < explore_run.plains_count; i++) {
        hash += plain_hash(&explore_run.plains[i], &base);
    }
    uint64_t clocks = word_read(base.clock, sizeof(base.clock));
    hash = explore_mix(hash, clocks);
    hash = explore_mix(hash, KEY_SC + view_hash(&explore_run.sc_touched, &base));
    return explore_mix(hash, KEY_SC + view_hash(&explore_run.sc_fenced, &base));
}

/* ---- begin and end -------------------------------------------------------------------------- */

void
explore_memory_forget(void)
{
    memset(&learnt, 0, sizeof(learnt));
}

void
explore_memory_begin(void)
{
    memset(address_places, 0, sizeof(address_places));
    explore_run.words_count = 0;
    explore_run.plains_count = 0;
    memset(&explore_run.sc_touched, 0, sizeof(explore_run.sc_touched));
    memset(&explore_run.sc_fenced, 0, sizeof(explore_run.sc_fenced));
}

void
explore_memory_end(void)
{
    for (uint32_t i = 0; i < explore_run.words_count; i++) {
        const struct explore_word *word = &explore_run.words[i];
        if (word->shared) {
            uint64_t newest = explore_memory_newest(i);
            memcpy(explore_pointer(word->address), &newest, word->bytes);
        }
    }
}
