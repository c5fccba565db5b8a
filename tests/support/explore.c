/* explore.c - the search: which thread goes on, in which of its ways, and what has been seen.
 *
 * A run is a sequence of choices. After it the last choice that has an alternative left is changed
 * and the next run follows the same choices up to there, so nothing has to be undone. Two things
 * keep the number of runs down:
 *
 * States   A state is all that the rest of a run depends on: the model's memory, the stacks of its
 *          threads with their saved registers, their requests, and of the memory model what still
 *          matters (explore_memory_hash(): values that no thread can read any more, and the past
 *          that all threads have in common, are left out). Equal states have equal futures, so a
 *          run that reaches a known one ends. A loop that comes back to where it was ends in the
 *          same way, so waiting loops need no bound. States are kept as hashes of 64 bits: of n
 *          states, one is missed with a probability of n^2 / 2^65, for ten million 3 in a million.
 * Sleep    Steps that do not depend on each other are taken in one order only (sleep sets, with the
 *          sleep set kept beside each state: P. Godefroid, "Partial-order methods for the
 *          verification of concurrent systems", 1996, 5.3). This leaves out steps, not states: when
 *          a known state is reached with a smaller sleep set, what slept there before and does not
 *          now is caught up on. Dependent are two steps on one word, unless both read; two
 *          sequentially consistent ones; two points; and a pause with everything.
 *
 * With a bound on preemptions there are no sleep sets, since the order that they leave out may be
 * the one within the bound; a state counts as known only if it was seen with as many left, and with
 * the same thread running.
 */
#include "tests/support/explore.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/explore_internal.h"

#define SEED_BYTES (6 * EXPLORE_STEPS_MAX)
#define NOBODY     EXPLORE_THREADS_MAX
/* Memory is compared, and hashed if it differs, in blocks; the size hardly matters. */
#define BLOCK_BYTES 256
/* What the hooks of explore_request.c use below the stack pointer that they save. */
#define STACK_MARGIN_BYTES 1024

_Static_assert(EXPLORE_THREADS_MAX <= 8, "sets of threads are bytes");

/* One step of the run at hand, and what is left to try in its place. Sets have a bit per thread. */
struct choice {
    uint64_t state;
    uint32_t way;
    uint32_t ways; /* 0: not known yet */
    uint8_t thread;
    uint8_t enabled;
    uint8_t candidates;
    uint8_t sleep; /* need not be tried here */
    uint8_t tried;
    uint8_t last; /* the thread of the step before, if it could go on; or NOBODY */
    uint8_t left; /* preemptions */
};

struct explore_run explore_run;

static struct {
    struct choice choices[EXPLORE_STEPS_MAX];
    uint32_t depth; /* choices that are decided */
    uint8_t sleep;  /* in front of the step after them */
    bool pruned;
    bool recording; /* writes the schedule down, steps on words of one thread included */
    bool replaying; /* follows `seed` */
    const char *seed;
    char schedule[SEED_BYTES];
    size_t schedule_used;
    void (*alone)(void *state);
    unsigned char *state_first; /* the model's state as setup left it */
    size_t stacks_used[EXPLORE_THREADS_MAX + 1];
    struct explore_table table;
    struct explore_counts counts;
} search;

static unsigned char stacks[EXPLORE_THREADS_MAX + 1][EXPLORE_STACK_BYTES]
    __attribute__((aligned(64)));
static unsigned char memory[EXPLORE_MEMORY_BYTES] __attribute__((aligned(LEAT_PAGE_BYTES)));
static unsigned char memory_first[EXPLORE_MEMORY_BYTES]; /* as setup left it */

/* ---- fibers --------------------------------------------------------------------------------- */

static size_t
stack_used(const struct explore_thread *thread)
{
    const unsigned char *top = (unsigned char *)thread->stack + EXPLORE_STACK_BYTES;
    return (size_t)(top - (unsigned char *)thread->saved);
}

static void
control_give(void)
{
    explore_fiber_switch(&explore_run.threads[explore_run.running].saved, explore_run.saved);
}

const struct explore_thread *
explore_request(const struct explore_request *request)
{
    struct explore_thread *thread = &explore_run.threads[explore_run.running];
    if (explore_run.running != NOBODY) {
        thread->request = *request;
        control_give();
    }
    return thread;
}

void
explore_note(const char *text, const char *file, int line)
{
    if (!explore_run.failed) {
        explore_run.failed = true;
        (void)snprintf(explore_run.message, sizeof(explore_run.message), "%s:%d: %s", file, line,
                       text);
    }
}

void
explore_fail(const char *fact, const char *file, int line)
{
    explore_note(fact, file, line);
    control_give();
    abort(); /* nobody goes on with a failed run */
}

static void
fiber_body(void)
{
    const struct explore_model *model = explore_run.model;
    if (explore_run.running == NOBODY) {
        search.alone(model->state);
    } else {
        model->threads[explore_run.running](model->state);
    }
    struct explore_request end = {.kind = EXPLORE_END};
    explore_run.threads[explore_run.running].ended = true;
    explore_run.threads[explore_run.running].request = end;
    control_give();
}

/* Notes how deep a fiber's stack has been, with room for what the hooks call. */
static void
depth_note(uint32_t index)
{
    size_t used = stack_used(&explore_run.threads[index]) + STACK_MARGIN_BYTES;
    if (search.stacks_used[index] < used) {
        search.stacks_used[index] = used < EXPLORE_STACK_BYTES ? used : EXPLORE_STACK_BYTES;
    }
}

/* Lets a thread run up to its next request. */
static void
fiber_resume(uint32_t index)
{
    struct explore_thread *thread = &explore_run.threads[index];
    void **local = explore_run.model->local;
    explore_run.running = index;
    if (local != NULL) {
        *local = thread->local;
    }
    explore_fiber_switch(&explore_run.saved, thread->saved);
    depth_note(index);
    if (local != NULL) {
        thread->local = *local;
    }
    explore_run.running = NOBODY;
}

static void
fiber_begin(uint32_t index)
{
    struct explore_thread *thread = &explore_run.threads[index];
    memset(thread, 0, sizeof(*thread));
    thread->stack = stacks[index];
    /* What earlier runs left there would make equal states look different. */
    size_t used = search.stacks_used[index];
    memset((unsigned char *)thread->stack + EXPLORE_STACK_BYTES - used, 0, used);
    thread->saved = explore_fiber_make(thread->stack, EXPLORE_STACK_BYTES, fiber_body);
    thread->spurious = explore_run.model->spurious;
    fiber_resume(index);
}

/* Runs a function of the model with nobody else there. */
static void
alone_run(void (*function)(void *state))
{
    if (function != NULL) {
        search.alone = function;
        fiber_begin(NOBODY);
    }
}

void *
explore_memory_take(size_t bytes)
{
    size_t rounded = leat_round_up(bytes, LEAT_PAGE_BYTES);
    if (rounded > sizeof(memory) - explore_run.memory_used) {
        explore_fail("a model takes more than EXPLORE_MEMORY_BYTES", __FILE__, __LINE__);
    }
    void *taken = &memory[explore_run.memory_used];
    explore_run.memory_used += rounded;
    return taken;
}

/* ---- states --------------------------------------------------------------------------------- */

/* Four lanes, so that the multiplications overlap. */
static inline void
lanes_add(uint64_t lanes[4], const unsigned char *from)
{
    for (size_t i = 0; i < 4; i++) {
        uint64_t word = 0;
        memcpy(&word, from + i * sizeof(word), sizeof(word));
        uint64_t lane = (lanes[i] ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        lanes[i] = lane ^ lane >> 32;
    }
}

static uint64_t
bytes_hash(uint64_t hash, const void *address, size_t bytes)
{
    const unsigned char *from = address;
    uint64_t lanes[4] = {hash, 1, 2, 3};
    size_t whole = bytes / sizeof(lanes) * sizeof(lanes);
    for (size_t done = 0; done < whole; done += sizeof(lanes)) {
        lanes_add(lanes, from + done);
    }
    unsigned char rest[sizeof(lanes)] = {0};
    memcpy(rest, from + whole, bytes - whole);
    lanes_add(lanes, rest);
    hash = explore_mix(lanes[0], lanes[1]);
    return explore_mix(hash, explore_mix(lanes[2], lanes[3]));
}

/* Of what a run has changed since its setup: most of a model's memory stays as it was. */
static uint64_t
changes_hash(uint64_t hash, const unsigned char *now, const unsigned char *first, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += BLOCK_BYTES) {
        size_t block = bytes - i < BLOCK_BYTES ? bytes - i : BLOCK_BYTES;
        if (memcmp(now + i, first + i, block) != 0) {
            hash = bytes_hash(explore_mix(hash, i), now + i, block);
        }
    }
    return hash;
}

static uint64_t
state_hash(void)
{
    const struct explore_model *model = explore_run.model;
    uint64_t hash = explore_memory_hash();
    hash = changes_hash(hash, model->state, search.state_first, model->state_bytes);
    hash = changes_hash(hash, memory, memory_first, explore_run.memory_used);
    for (uint32_t i = 0; i < explore_run.threads_count; i++) {
        const struct explore_thread *thread = &explore_run.threads[i];
        uint64_t flags = (thread->ended ? 1U : 0U) | (thread->waits ? 2U : 0U) |
                         (uint64_t)thread->request.kind << 2 | (uint64_t)thread->spurious << 8;
        hash = explore_mix(hash, flags);
        hash = explore_mix(hash, (uint64_t)(uintptr_t)thread->local);
        if (!thread->ended) {
            hash = bytes_hash(hash, thread->saved, stack_used(thread));
        }
    }
    return hash == 0 ? 1 : hash;
}

/* ---- choices -------------------------------------------------------------------------------- */

static bool
can_go_on(const struct explore_thread *thread)
{
    return !thread->ended && !thread->waits &&
           (thread->request.kind != EXPLORE_PAUSE || explore_memory_news(thread));
}

static uint8_t
enabled_set(void)
{
    uint8_t set = 0;
    for (uint32_t i = 0; i < explore_run.threads_count; i++) {
        set |= (uint8_t)(can_go_on(&explore_run.threads[i]) ? 1U << i : 0U);
    }
    return set;
}

/* A thread that runs alone, reads newest values and comes back to a state of this run goes round in
 * a circle for ever. */
static bool
is_circle(uint64_t state, uint8_t enabled)
{
    for (uint32_t i = search.depth; i > 0; i--) {
        const struct choice *choice = &search.choices[i - 1];
        bool alone = choice->enabled == enabled && (enabled & (enabled - 1)) == 0;
        if (!alone || choice->way != 0) {
            return false;
        }
        if (choice->state == state) {
            return true;
        }
    }
    return false;
}

/* The thread of the last step, which others would preempt; or nobody. */
static uint8_t
last_thread(uint8_t enabled)
{
    if (search.depth == 0) {
        return NOBODY;
    }
    uint8_t last = search.choices[search.depth - 1].thread;
    bool gives_way = explore_run.threads[last].request.kind == EXPLORE_PAUSE;
    return (enabled >> last & 1) != 0 && !gives_way ? last : NOBODY;
}

/* Without a bound: what is to be tried from here, given what is known. */
static uint8_t
candidates_all(struct choice *choice, bool known, uint8_t *note)
{
    if (explore_run.model->unpruned) {
        return choice->enabled;
    }
    uint8_t candidates = choice->enabled & (uint8_t)~search.sleep;
    choice->sleep = search.sleep;
    if (known) {
        candidates &= *note;
        choice->sleep &= *note;
    }
    *note = choice->sleep;
    return candidates;
}

static uint8_t
candidates_bounded(struct choice *choice, bool known, uint8_t *note)
{
    choice->left = (uint8_t)explore_run.model->preemptions;
    if (search.depth > 0) {
        const struct choice *before = &search.choices[search.depth - 1];
        bool preempts = before->last != NOBODY && before->last != before->thread;
        choice->left = (uint8_t)(before->left - (preempts ? 1U : 0U));
    }
    if (known && *note >= choice->left) {
        return 0;
    }
    *note = choice->left;
    bool stays = choice->last != NOBODY && choice->left == 0;
    return (uint8_t)(stays ? 1U << choice->last : choice->enabled);
}

/* Decides on the next step. False: there is nothing new to try from here. */
static bool
choice_make(uint8_t enabled)
{
    struct choice *choice = &search.choices[search.depth];
    memset(choice, 0, sizeof(*choice));
    choice->enabled = enabled;
    choice->last = last_thread(enabled);
    choice->state = state_hash();
    if (explore_run.model->bounded) {
        choice->state = explore_mix(choice->state, choice->last);
    }
    if (is_circle(choice->state, enabled)) {
        explore_note("a thread that runs alone goes round in a circle", __FILE__, __LINE__);
        return false;
    }
    uint8_t *note = NULL;
    bool known = explore_table_add(&search.table, choice->state, &note);
    choice->candidates = explore_run.model->bounded ? candidates_bounded(choice, known, note)
                                                    : candidates_all(choice, known, note);
    if (choice->candidates == 0) {
        return false;
    }
    bool stays = choice->last != NOBODY && (choice->candidates >> choice->last & 1) != 0;
    choice->thread = stays ? choice->last : (uint8_t)__builtin_ctz(choice->candidates);
    search.depth++;
    return true;
}

/* Changes the last choice that has something left. False: all is done. */
static bool
choice_change(void)
{
    while (search.depth > 0) {
        struct choice *choice = &search.choices[search.depth - 1];
        choice->way++;
        if (choice->way < choice->ways) {
            return true;
        }
        choice->tried |= (uint8_t)(1U << choice->thread);
        uint8_t left = choice->candidates & (uint8_t)~choice->tried;
        if (left != 0) {
            choice->thread = (uint8_t)__builtin_ctz(left);
            choice->way = 0;
            choice->ways = 0;
            return true;
        }
        search.depth--;
    }
    return false;
}

/* ---- schedules ------------------------------------------------------------------------------ */

static void
schedule_add(uint32_t thread, uint32_t way)
{
    size_t room = sizeof(search.schedule) - search.schedule_used;
    char *end = &search.schedule[search.schedule_used];
    int used = way == 0 ? snprintf(end, room, "%c", (int)('a' + thread))
                        : snprintf(end, room, "%c%" PRIu32, (int)('a' + thread), way);
    search.schedule_used += (size_t)used < room ? (size_t)used : 0;
}

void
explore_own_step(void)
{
    if (search.recording && explore_run.running != NOBODY) {
        schedule_add(explore_run.running, 0);
    }
}

/* The next step of a schedule, or NULL at its end. */
static struct choice *
seed_step(uint8_t enabled)
{
    static struct choice choice;
    memset(&choice, 0, sizeof(choice));
    uint32_t thread = (uint32_t)(*search.seed - 'a');
    if (*search.seed == 0) {
        return NULL;
    }
    if (thread >= explore_run.threads_count || (enabled >> thread & 1) == 0) {
        explore_note("the schedule does not fit the model", __FILE__, __LINE__);
        return NULL;
    }
    char *end = NULL;
    choice.thread = (uint8_t)thread;
    choice.way = (uint32_t)strtoul(search.seed + 1, &end, 10);
    search.seed = end;
    return &choice;
}

/* ---- one run -------------------------------------------------------------------------------- */

static void
run_begin(void)
{
    const struct explore_model *model = explore_run.model;
    memset(model->state, 0, model->state_bytes);
    memset(memory, 0, explore_run.memory_used);
    explore_run.memory_used = 0;
    explore_run.ignored_count = 0;
    explore_run.failed = false;
    explore_run.anew = false;
    search.pruned = false;
    search.sleep = 0;
    search.schedule_used = 0;
    explore_memory_begin();
    if (model->local != NULL) {
        *model->local = NULL;
    }
    alone_run(model->setup);
    memcpy(search.state_first, model->state, model->state_bytes);
    memcpy(memory_first, memory, explore_run.memory_used);
    for (uint32_t i = 0; i < explore_run.threads_count && !explore_run.failed; i++) {
        fiber_begin(i);
    }
}

/* Threads whose step does not depend on the chosen one, and that were tried before it or slept
 * already, need not go next. */
static uint8_t
sleep_behind(const struct choice *choice)
{
    const struct explore_request *request = &explore_run.threads[choice->thread].request;
    uint8_t set = (choice->sleep | choice->tried) & (uint8_t) ~(1U << choice->thread);
    for (uint32_t i = 0; i < explore_run.threads_count && set != 0; i++) {
        if (explore_memory_dependent(&explore_run.threads[i].request, request)) {
            set &= (uint8_t) ~(1U << i);
        }
    }
    return explore_run.model->bounded || explore_run.model->unpruned ? 0 : set;
}

/* Carries out one step. */
static void
step_run(struct choice *choice, uint32_t number)
{
    struct explore_thread *thread = &explore_run.threads[choice->thread];
    struct explore_request traced = {0};
    if (choice->ways == 0) {
        choice->ways = explore_memory_ways(thread);
    }
    if (choice->way >= choice->ways) {
        explore_note("the schedule does not fit the model", __FILE__, __LINE__);
        return;
    }
    if (search.recording) {
        schedule_add(choice->thread, choice->way);
    }
    if (explore_run.traced) {
        traced = thread->request;
    }
    explore_memory_step(thread, choice->way);
    if (explore_run.traced) {
        explore_trace_step(choice->thread, number, &traced, choice->way);
    }
    if (!thread->waits && !explore_run.failed) {
        fiber_resume(choice->thread);
    }
}

/* Nobody can go on: whether that is how it should be. */
static bool
all_ended(void)
{
    bool ended = true;
    for (uint32_t i = 0; i < explore_run.threads_count; i++) {
        bool serves = (explore_run.model->servants >> i & 1) != 0;
        ended = ended && (serves || explore_run.threads[i].ended);
    }
    return ended;
}

/* What is done in this step, or NULL: the run stops here. *stuck: because nobody can go on. */
static struct choice *
step_decide(uint32_t step, bool *stuck)
{
    if (step < search.depth && !search.replaying) {
        /* As the run before. Its last choice may have been changed. */
        struct choice *choice = &search.choices[step];
        if (step + 1 == search.depth) {
            search.sleep = sleep_behind(choice);
            search.counts.steps++;
        }
        return choice;
    }
    uint8_t enabled = enabled_set();
    *stuck = enabled == 0;
    if (*stuck || search.recording) {
        return NULL;
    }
    if (search.replaying) {
        return seed_step(enabled);
    }
    if (!choice_make(enabled)) {
        search.pruned = !explore_run.failed;
        return NULL;
    }
    search.sleep = sleep_behind(&search.choices[step]);
    search.counts.steps++;
    return &search.choices[step];
}

/* One run to its end, to a known state or to a fault. */
static void
run(void)
{
    bool stuck = false;
    uint32_t step = 0;
    run_begin();
    for (; !explore_run.failed && !explore_run.anew && step < EXPLORE_STEPS_MAX; step++) {
        struct choice *choice = step_decide(step, &stuck);
        if (choice == NULL) {
            break;
        }
        step_run(choice, step);
    }
    search.counts.longest = step > search.counts.longest ? step : search.counts.longest;
    if (explore_run.failed || explore_run.anew || search.pruned) {
        return;
    }
    if (step == EXPLORE_STEPS_MAX) {
        explore_note("a run is longer than EXPLORE_STEPS_MAX", __FILE__, __LINE__);
    } else if (stuck && !all_ended()) {
        explore_note("deadlock: each thread has ended or waits", __FILE__, __LINE__);
    } else if (stuck) {
        explore_memory_end();
        alone_run(explore_run.model->check);
    }
}

/* ---- the search ----------------------------------------------------------------------------- */

/* Runs a schedule and prints its steps. */
static void
replay(const char *seed)
{
    printf("%s: schedule %s\n", explore_run.model->name, seed);
    search.replaying = true;
    explore_run.traced = true;
    explore_run.all_shared = true;
    do {
        search.seed = seed;
        run();
    } while (explore_run.anew);
    explore_run.traced = false;
    search.replaying = false;
    printf("%s: %s\n", explore_run.model->name,
           explore_run.failed ? explore_run.message : "no fault");
}

/* After a fault: writes down its schedule, and prints the run. */
static void
fault_show(void)
{
    static char seed[SEED_BYTES];
    const char *name = explore_run.model->name;
    printf("%s: FAILED: %s\n", name, explore_run.message);
    (void)fflush(stdout); /* there may be who needs no more */
    search.recording = true;
    run();
    search.recording = false;
    (void)snprintf(seed, sizeof(seed), "%.*s", (int)search.schedule_used, search.schedule);
    replay(seed);
    printf("%s: to see it again: LEAT_EXPLORE_REPLAY=%s:%s\n", name, name, seed);
}

/* All runs, or those up to the first fault. */
static void
runs_all(void)
{
    explore_memory_forget();
    do {
        explore_table_drop(&search.table);
        explore_table_make(&search.table);
        memset(&search.counts, 0, sizeof(search.counts));
        search.depth = 0;
        do {
            run();
            search.counts.runs++;
            search.counts.pruned += search.pruned ? 1 : 0;
        } while (!explore_run.failed && !explore_run.anew && choice_change());
    } while (explore_run.anew && !explore_run.failed);
    search.counts.states = search.table.used;
    explore_table_drop(&search.table);
}

static void
counts_print(const struct explore_model *model)
{
    const struct explore_counts *counts = &search.counts;
    char bound[48];
    (void)snprintf(bound, sizeof(bound), "at most %" PRIu32 " preemptions", model->preemptions);
    printf("%-28s %s: %" PRIu64 " states, %" PRIu64 " steps, %" PRIu64 " runs (%" PRIu64
           " ended in a known state), longest %" PRIu64 " steps; %s, %s\n",
           model->name, model->fails != NULL ? "fails as it should" : "exhausted", counts->states,
           counts->steps, counts->runs, counts->pruned, counts->longest,
           model->sequential ? "sequentially consistent" : "C11 memory",
           model->bounded ? bound : "no bound");
    (void)fflush(stdout);
}

/* LEAT_EXPLORE_REPLAY is name:schedule. Shows that run if it is this model's. */
static bool
replayed(const struct explore_model *model, const char *wanted)
{
    size_t length = strlen(model->name);
    if (strncmp(wanted, model->name, length) != 0 || wanted[length] != ':') {
        return true;
    }
    replay(wanted + length + 1);
    return !explore_run.failed;
}

static bool
searched(const struct explore_model *model)
{
    runs_all();
    bool fails = model->fails != NULL && strstr(explore_run.message, model->fails) != NULL;
    if (explore_run.failed && !fails) {
        fault_show();
        return false;
    }
    if (!explore_run.failed && model->fails != NULL) {
        printf("%s: FAILED: did not fail with: %s\n", model->name, model->fails);
        return false;
    }
    if (!model->quiet) {
        counts_print(model);
    }
    return true;
}

static const char *
setting(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): this program has one thread */
}

/* The model, with no more preemptions than LEAT_EXPLORE_PREEMPTIONS says. */
static struct explore_model
with_fewer(const struct explore_model *model)
{
    struct explore_model fewer = *model;
    const char *text = setting("LEAT_EXPLORE_PREEMPTIONS");
    if (text != NULL) {
        uint32_t most = (uint32_t)strtoul(text, NULL, 10);
        bool less = model->bounded && model->preemptions < most;
        fewer.preemptions = less ? model->preemptions : most;
        fewer.bounded = true;
    }
    return fewer;
}

bool
explore_is_cut(void)
{
    return setting("LEAT_EXPLORE_PREEMPTIONS") != NULL || setting("LEAT_EXPLORE_REPLAY") != NULL;
}

bool
explore(const struct explore_model *of, struct explore_counts *counts)
{
    const char *wanted = setting("LEAT_EXPLORE_REPLAY");
    struct explore_model fewer = with_fewer(of);
    const struct explore_model *model = &fewer;
    if (model->deep && wanted == NULL && setting("LEAT_EXPLORE_DEEP") == NULL) {
        printf("%-28s left out; LEAT_EXPLORE_DEEP=1 explores it\n", model->name);
        return true;
    }
    memset(memory, 0, explore_run.memory_used);
    memset(&explore_run, 0, sizeof(explore_run));
    explore_run.model = model;
    explore_run.running = NOBODY;
    while (explore_run.threads_count < EXPLORE_THREADS_MAX &&
           model->threads[explore_run.threads_count] != NULL) {
        explore_run.threads_count++;
    }
    search.state_first = explore_zeroed(model->state_bytes);
    bool fine = wanted != NULL ? replayed(model, wanted) : searched(model);
    free(search.state_first);
    *counts = search.counts;
    return fine;
}
