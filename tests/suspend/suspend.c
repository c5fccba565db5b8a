/* suspend.c - the trials of suspend.h, and what they come to. */
#include "tests/suspend/suspend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"
#include "tests/suspend/crew.h"

/* Successes of each operation, by the subject's places. */
#define LAPS 8

/* No success for so long is taken for blocking: at first; then, where it is not expected, once more
 * with all the patience that a loaded machine wants; and at a place that is known by now. */
#define PATIENCE_NS       (300 * TEST_MS)
#define PATIENCE_LONG_NS  (5000 * TEST_MS)
#define PATIENCE_SHORT_NS (30 * TEST_MS)
/* And for those that interrupt, or go round while an earlier one is held, of whom nothing is
 * asked. */
#define PATIENCE_LAPS_NS (10 * TEST_MS)

#define PLACES_MAX 128

/* After so many places that should not block, there is nothing more to learn. */
#define SURPRISES_MAX 4

/* Of an operation that was interrupted or met a frozen thread: how many steps more it may have than
 * it has alone, where not all are tried. */
#define MORE_STEPS 16

struct place_list {
    struct freeze_place places[PLACES_MAX];
    uint32_t count;
};

struct tally {
    uint64_t tried;
    uint64_t passed;
};

/* What was found out about one operation. */
struct verdict {
    struct place_list covered;
    struct place_list blocking;
    struct place_list blocking_pair; /* the first one's places, where one alone does not block */
    struct tally one;
    struct tally two;
    /* Of an operation that nobody disturbs: its steps, and those that block. */
    uint64_t steps[SUSPEND_SITUATIONS_MAX];
    bool blocks_at[SUSPEND_SITUATIONS_MAX][FREEZE_STEPS_MAX];
};

struct session {
    const struct suspend_subject *subject;
    uint32_t operations;
    uint32_t situations;
    struct verdict verdicts[SUSPEND_OPERATIONS_MAX];
    struct test_prng prng;
    bool all;
    uint32_t surprises;
};

/* One trial. */
struct plan {
    uint32_t situation;
    uint32_t frozen_count;
    struct {
        uint32_t operation;
        uint64_t step;
    } frozen[2];
    /* Step of the first one in front of which it is interrupted, 0: none; and by what: an
     * operation, or laps, numbered as the one behind the last. */
    uint64_t interrupt_step;
    uint32_t interrupt;
};

enum outcome {
    ENDED, /* the operation was over before that step */
    PASSED,
    BLOCKED
};

/* ---- places ---------------------------------------------------------------------------------- */

static bool
place_same(const struct freeze_place *one, const struct freeze_place *other)
{
    return one->line == other->line && strcmp(one->file, other->file) == 0 &&
           strcmp(one->kind, other->kind) == 0;
}

static bool
place_known(const struct place_list *list, const struct freeze_place *place)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (place_same(&list->places[i], place)) {
            return true;
        }
    }
    return false;
}

static void
place_add(struct place_list *list, const struct freeze_place *place)
{
    if (!place_known(list, place)) {
        CHECK(list->count < PLACES_MAX);
        list->places[list->count] = *place;
        list->count++;
    }
}

/* The operation's word without the brackets that macros put around it. */
static int
word_of(const char *text, const char **word)
{
    size_t length = strlen(text);
    *word = text;
    while (length >= 2 && (*word)[0] == '(' && (*word)[length - 1] == ')') {
        (*word)++;
        length -= 2;
    }
    return (int)length;
}

/* Whether `text` is "FILE KIND WORD" of the place. */
static bool
place_is(const struct freeze_place *place, const char *text)
{
    char name[256];
    const char *word = NULL;
    int length = word_of(place->text, &word);
    (void)snprintf(name, sizeof(name), "%s %s %.*s", place->file, place->kind, length, word);
    return strcmp(name, text) == 0;
}

static bool
expected(const struct suspend_operation *operation, const struct freeze_place *place)
{
    for (uint32_t i = 0; i < SUSPEND_BLOCKS_MAX; i++) {
        if (operation->blocks[i] != NULL && place_is(place, operation->blocks[i])) {
            return true;
        }
    }
    return false;
}

/* ---- one trial ------------------------------------------------------------------------------- */

/* A thread that is going to stand still. */
struct call {
    const struct suspend_operation *operation;
    void *state;
    uint32_t who;
    struct freeze own;
    struct freeze *freeze; /* own, or one of the subject's; NULL: not begun */
};

struct trial {
    const struct session *session;
    const struct plan *plan;
    void *state;
    struct call calls[2];
    struct crew *interrupter; /* may be NULL */
};

static void
call_run(void *argument)
{
    struct call *call = argument;
    (void)call->operation->run(call->state, call->who);
}

/* True: it stands in front of the step. */
static bool
call_begin(struct call *call, uint64_t step)
{
    if (call->operation->begin != NULL) {
        call->freeze = call->operation->begin(call->state, step);
        return freeze_wait(call->freeze);
    }
    call->freeze = &call->own;
    freeze_start(&call->own, call_run, call);
    return freeze_to(&call->own, step);
}

static struct crew *
laps_start(const struct suspend_subject *subject, void *state, bool owner_stands)
{
    struct crew_order order = {
        .subject = subject, .state = state, .threads = 1, .patience_ns = PATIENCE_LAPS_NS};
    for (uint32_t i = 0; i < SUSPEND_OPERATIONS_MAX; i++) {
        const struct suspend_operation *operation = &subject->operations[i];
        if (operation->run != NULL && !(owner_stands && operation->owner)) {
            order.operations |= UINT32_C(1) << i;
            order.goals[i] = (uint64_t)subject->capacity * 3;
        }
    }
    return crew_start(&order);
}

/* What happens while the first one is held in front of an earlier step. */
static void
interrupt(struct trial *trial)
{
    const struct suspend_subject *subject = trial->session->subject;
    uint32_t by = trial->plan->interrupt;
    if (by == trial->session->operations) {
        trial->interrupter = laps_start(subject, trial->state, trial->calls[0].operation->owner);
    } else {
        const struct crew_order order = {.subject = subject,
                                         .state = trial->state,
                                         .threads = 1,
                                         .operations = UINT32_C(1) << by,
                                         .rounds = 1,
                                         .goals = {1, 1, 1, 1, 1, 1},
                                         .patience_ns = PATIENCE_LAPS_NS};
        trial->interrupter = crew_start(&order);
    }
    (void)crew_watch(trial->interrupter);
}

/* Brings the threads to their steps. False: one did not come so far. */
static bool
stand(struct trial *trial)
{
    const struct plan *plan = trial->plan;
    bool all = true;
    for (uint32_t i = 0; all && i < plan->frozen_count; i++) {
        struct call *call = &trial->calls[i];
        call->operation = &trial->session->subject->operations[plan->frozen[i].operation];
        call->state = trial->state;
        call->who = SUSPEND_FROZEN + i;
        if (i == 0 && plan->interrupt_step != 0) {
            all = call_begin(call, plan->interrupt_step);
            if (all) {
                interrupt(trial);
                all = freeze_to(call->freeze, plan->frozen[i].step);
            }
        } else {
            all = call_begin(call, plan->frozen[i].step);
        }
    }
    return all;
}

/* The crew that must go on without those that stand. */
static struct crew *
others_start(const struct trial *trial, uint64_t patience_ns)
{
    const struct plan *plan = trial->plan;
    const struct suspend_subject *subject = trial->session->subject;
    struct crew_order order = {
        .subject = subject, .state = trial->state, .threads = 2, .patience_ns = patience_ns};
    uint64_t items = subject->situations[plan->situation].items;
    uint64_t hidden = 0;
    bool owner_stands = false;
    for (uint32_t i = 0; i < plan->frozen_count; i++) {
        const struct suspend_operation *frozen = trial->calls[i].operation;
        owner_stands = owner_stands || frozen->owner;
        hidden += frozen->hides;
    }
    if (trial->interrupter != NULL) {
        hidden += crew_successes(trial->interrupter);
    }
    for (uint32_t i = 0; i < trial->session->operations; i++) {
        const struct suspend_operation *operation = &subject->operations[i];
        if (operation->run != NULL && !(owner_stands && operation->owner)) {
            order.operations |= UINT32_C(1) << i;
            order.goals[i] = (uint64_t)LAPS * subject->capacity;
            if (owner_stands) {
                order.goals[i] = items > hidden ? items - hidden : 0;
            }
        }
    }
    return crew_start(&order);
}

/* All threads go on and come to their end. */
static void
trial_end(struct trial *trial, struct crew *others)
{
    for (uint32_t i = 0; i < trial->plan->frozen_count; i++) {
        if (trial->calls[i].freeze != NULL) {
            freeze_let_go(trial->calls[i].freeze);
        }
    }
    for (uint32_t i = 0; i < trial->plan->frozen_count; i++) {
        if (trial->calls[i].freeze == &trial->calls[i].own) {
            freeze_join(&trial->calls[i].own);
        }
    }
    if (trial->interrupter != NULL) {
        crew_join(trial->interrupter);
    }
    if (others != NULL) {
        crew_join(others);
    }
    trial->session->subject->destroy(trial->state);
}

/* *place: where the first one stands. */
static enum outcome
try_plan(const struct session *session, const struct plan *plan, struct freeze_place *place,
         uint64_t patience_ns)
{
    struct trial trial = {.session = session, .plan = plan};
    struct crew *others = NULL;
    enum outcome outcome = ENDED;
    trial.state = session->subject->create(session->subject);
    session->subject->situations[plan->situation].arrange(trial.state);
    if (stand(&trial)) {
        *place = trial.calls[0].freeze->place;
        others = others_start(&trial, patience_ns);
        outcome = crew_watch(others) ? PASSED : BLOCKED;
    }
    trial_end(&trial, others);
    return outcome;
}

/* So that the one trial can be thought through. */
static void
say_surprise(const struct session *session, const struct plan *plan)
{
    const struct suspend_subject *subject = session->subject;
    test_say("%s, %s: blocks", subject->name, subject->situations[plan->situation].name);
    for (uint32_t i = 0; i < plan->frozen_count; i++) {
        test_say(" %s at step %ju", subject->operations[plan->frozen[i].operation].name,
                 (uintmax_t)plan->frozen[i].step);
    }
    if (plan->interrupt_step != 0) {
        bool laps = plan->interrupt == session->operations;
        test_say(", interrupted at step %ju by %s", (uintmax_t)plan->interrupt_step,
                 laps ? "laps" : subject->operations[plan->interrupt].name);
    }
    test_say("\n");
}

/* A trial with as much patience as its outcome is worth, counted. */
static enum outcome
judge(struct session *session, const struct plan *plan)
{
    uint32_t first = plan->frozen[0].operation;
    struct verdict *verdict = &session->verdicts[first];
    struct tally *tally = plan->frozen_count == 1 ? &verdict->one : &verdict->two;
    struct place_list *blocking =
        plan->frozen_count == 1 ? &verdict->blocking : &verdict->blocking_pair;
    struct freeze_place place;
    uint64_t patience_ns = blocking->count == 0 ? PATIENCE_NS : PATIENCE_SHORT_NS;
    enum outcome outcome = try_plan(session, plan, &place, patience_ns);
    if (outcome == BLOCKED && !place_known(blocking, &place)) {
        bool known = expected(&session->subject->operations[first], &place);
        outcome = try_plan(session, plan, &place, known ? PATIENCE_NS : PATIENCE_LONG_NS);
        if (outcome == BLOCKED && !known) {
            session->surprises++;
            say_surprise(session, plan);
        }
    }
    if (outcome != ENDED) {
        tally->tried++;
        tally->passed += outcome == PASSED ? 1 : 0;
        place_add(outcome == PASSED ? &verdict->covered : blocking, &place);
    }
    return outcome;
}

/* ---- all trials ------------------------------------------------------------------------------ */

static bool
freezes(const struct suspend_operation *operation)
{
    return operation->begin != NULL || (operation->run != NULL && !operation->witness);
}

static bool
enough(const struct session *session)
{
    return session->surprises >= SURPRISES_MAX;
}

/* One in so many that the budget is spent. */
static bool
drawn(struct session *session, uint64_t estimate)
{
    uint64_t budget = session->subject->budget;
    return session->all || estimate <= budget || test_random(&session->prng) % estimate < budget;
}

static void
single_trials(struct session *session)
{
    for (uint32_t i = 0; i < session->operations; i++) {
        struct verdict *verdict = &session->verdicts[i];
        for (uint32_t j = 0; freezes(&session->subject->operations[i]) && j < session->situations;
             j++) {
            struct plan plan = {.situation = j, .frozen_count = 1};
            enum outcome outcome = PASSED;
            plan.frozen[0].operation = i;
            while (outcome != ENDED && !enough(session)) {
                plan.frozen[0].step++;
                /* Alone, and yet it goes round in a circle? */
                CHECK(plan.frozen[0].step < FREEZE_STEPS_MAX);
                outcome = judge(session, &plan);
                verdict->blocks_at[j][plan.frozen[0].step] = outcome == BLOCKED;
            }
            verdict->steps[j] = plan.frozen[0].step - 1;
        }
    }
}

/* Tries the steps behind `plan.frozen[at].step`, as far as they are drawn. */
static void
steps_trials(struct session *session, struct plan plan, uint32_t at, uint64_t estimate)
{
    uint64_t alone = session->verdicts[plan.frozen[at].operation].steps[plan.situation];
    enum outcome outcome = PASSED;
    while (outcome != ENDED && !enough(session) && plan.frozen[at].step < FREEZE_STEPS_MAX) {
        plan.frozen[at].step++;
        if (drawn(session, estimate)) {
            outcome = judge(session, &plan);
        } else if (plan.frozen[at].step > alone + MORE_STEPS) {
            outcome = ENDED;
        }
    }
    /* It goes round in a circle, and the frozen one is the reason. */
    if (plan.frozen[at].step == FREEZE_STEPS_MAX) {
        session->surprises++;
    }
}

static uint64_t
interrupted_estimate(const struct session *session)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < session->operations; i++) {
        for (uint32_t j = 0; j < session->situations; j++) {
            uint64_t steps = session->verdicts[i].steps[j];
            sum += steps * steps / 2 * (session->operations + 1);
        }
    }
    return sum;
}

static bool
may_interrupt(const struct session *session, uint32_t operation, uint32_t by)
{
    const struct suspend_operation *operations = session->subject->operations;
    if (by == session->operations) {
        return true;
    }
    return operations[by].run != NULL && !operations[by].witness &&
           !(operations[by].owner && operations[operation].owner);
}

/* The operation in one situation, interrupted in front of each of its steps by one thing. Not where
 * it blocks: what the interruption leaves undone then would be laid to later steps. */
static void
interrupted_by(struct session *session, struct plan plan, uint64_t estimate)
{
    uint32_t operation = plan.frozen[0].operation;
    const struct verdict *verdict = &session->verdicts[operation];
    bool may = may_interrupt(session, operation, plan.interrupt);
    for (uint64_t step = 1; may && step <= verdict->steps[plan.situation]; step++) {
        plan.interrupt_step = step;
        plan.frozen[0].step = step;
        if (!verdict->blocks_at[plan.situation][step]) {
            steps_trials(session, plan, 0, estimate);
        }
    }
}

static void
interrupted_trials(struct session *session)
{
    uint64_t estimate = interrupted_estimate(session);
    for (uint32_t i = 0; i < session->operations; i++) {
        for (uint32_t j = 0; j < session->situations; j++) {
            for (uint32_t by = 0; by <= session->operations; by++) {
                struct plan plan = {.situation = j, .frozen_count = 1, .interrupt = by};
                plan.frozen[0].operation = i;
                interrupted_by(session, plan, estimate);
            }
        }
    }
}

/* Two that can be frozen at once and block nobody alone. */
static bool
may_pair(const struct session *session, uint32_t first, uint32_t second)
{
    const struct suspend_operation *one = &session->subject->operations[first];
    const struct suspend_operation *two = &session->subject->operations[second];
    return freezes(one) && freezes(two) && !(one->owner && two->owner) && two->begin == NULL &&
           session->verdicts[first].blocking.count == 0 &&
           session->verdicts[second].blocking.count == 0;
}

static uint64_t
pairs_estimate(const struct session *session)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < session->operations * session->operations; i++) {
        uint32_t first = i / session->operations;
        uint32_t second = i % session->operations;
        for (uint32_t j = 0; may_pair(session, first, second) && j < session->situations; j++) {
            sum += session->verdicts[first].steps[j] * session->verdicts[second].steps[j];
        }
    }
    return sum;
}

static void
pair_trials(struct session *session)
{
    uint64_t estimate = pairs_estimate(session);
    for (uint32_t i = 0; i < session->operations * session->operations; i++) {
        uint32_t first = i / session->operations;
        uint32_t second = i % session->operations;
        for (uint32_t j = 0; may_pair(session, first, second) && j < session->situations; j++) {
            struct plan plan = {.situation = j, .frozen_count = 2};
            plan.frozen[0].operation = first;
            plan.frozen[1].operation = second;
            while (plan.frozen[0].step < session->verdicts[first].steps[j]) {
                plan.frozen[0].step++;
                steps_trials(session, plan, 1, estimate);
            }
        }
    }
}

/* ---- the table ------------------------------------------------------------------------------- */

static void
print_tally(struct tally tally)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%ju/%ju", (uintmax_t)tally.passed, (uintmax_t)tally.tried);
    (void)printf("  %12s", tally.tried == 0 ? "-" : text);
}

static void
print_blocking(const struct place_list *list, const char *what)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct freeze_place *place = &list->places[i];
        const char *word = NULL;
        int length = word_of(place->text, &word);
        (void)printf("%s before the %s of %.*s (%s:%d)", i == 0 ? what : ",", place->kind, length,
                     word, place->file, place->line);
    }
}

static void
print_verdict(const struct session *session, uint32_t operation)
{
    const struct verdict *verdict = &session->verdicts[operation];
    uint32_t steps = verdict->covered.count;
    for (uint32_t i = 0; i < verdict->blocking.count; i++) {
        steps += place_known(&verdict->covered, &verdict->blocking.places[i]) ? 0 : 1;
    }
    (void)printf("%-16s %-8s %5u", session->subject->name,
                 session->subject->operations[operation].name, steps);
    print_tally(verdict->one);
    print_tally(verdict->two);
    (void)printf("  ");
    if (verdict->blocking.count + verdict->blocking_pair.count == 0) {
        (void)printf("lock-free");
    }
    print_blocking(&verdict->blocking, "BLOCKING");
    print_blocking(&verdict->blocking_pair, "BLOCKING beside another one:");
    (void)printf("\n");
}

/* Blocks where the table says, all of them, and nowhere else. */
static bool
as_expected(const struct suspend_operation *operation, const struct verdict *verdict)
{
    bool good = verdict->blocking_pair.count == 0 && verdict->covered.count > 0;
    for (uint32_t i = 0; i < verdict->blocking.count; i++) {
        good = good && expected(operation, &verdict->blocking.places[i]);
    }
    for (uint32_t i = 0; i < SUSPEND_BLOCKS_MAX && operation->blocks[i] != NULL; i++) {
        bool found = false;
        for (uint32_t j = 0; j < verdict->blocking.count; j++) {
            found = found || place_is(&verdict->blocking.places[j], operation->blocks[i]);
        }
        good = good && found;
    }
    return good;
}

bool
suspend_run(const struct suspend_subject *subject)
{
    struct session *session = calloc(1, sizeof(*session));
    CHECK(session != NULL);
    session->subject = subject;
    /* Nobody changes the environment while a test runs. */
    session->all = getenv("LEAT_SUSPEND_ALL") != NULL; /* NOLINT(concurrency-mt-unsafe) */
    session->prng.state = test_seed(subject->name);
    while (session->operations < SUSPEND_OPERATIONS_MAX &&
           subject->operations[session->operations].name != NULL) {
        session->operations++;
    }
    while (session->situations < SUSPEND_SITUATIONS_MAX &&
           subject->situations[session->situations].name != NULL) {
        session->situations++;
    }
    single_trials(session);
    interrupted_trials(session);
    pair_trials(session);
    bool good = session->surprises == 0;
    for (uint32_t i = 0; i < session->operations; i++) {
        if (freezes(&subject->operations[i])) {
            print_verdict(session, i);
            good = as_expected(&subject->operations[i], &session->verdicts[i]) && good;
        }
    }
    (void)fflush(stdout);
    free(session);
    return good;
}

/* ---- situations ------------------------------------------------------------------------------ */

void
suspend_laps(const struct suspend_subject *subject, void *state)
{
    struct crew *crew = laps_start(subject, state, false);
    (void)crew_watch(crew);
    crew_join(crew);
}

void
suspend_late_store(const struct suspend_subject *subject, void *state, uint32_t operation,
                   const char *file)
{
    struct call call = {
        .operation = &subject->operations[operation], .state = state, .who = SUSPEND_EARLIER};
    uint64_t last = 0;
    uint64_t step = 1;
    /* Once to see where it is. */
    bool stands = call_begin(&call, step);
    while (stands) {
        const struct freeze_place *place = &call.freeze->place;
        bool found = strcmp(place->kind, "store") == 0 && strcmp(place->file, file) == 0;
        last = found ? step : last;
        step++;
        stands = freeze_to(call.freeze, step);
    }
    freeze_join(&call.own);
    CHECK(last != 0);
    CHECK(call_begin(&call, last));
    CHECK(strcmp(call.freeze->place.kind, "store") == 0);
    struct crew *crew = laps_start(subject, state, call.operation->owner);
    (void)crew_watch(crew);
    freeze_let_go(&call.own);
    freeze_join(&call.own);
    crew_join(crew);
}
