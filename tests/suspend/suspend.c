/* suspend.c - the trials of suspend.h, and what they come to. */
#include "tests/suspend/suspend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"
#include "tests/suspend/crew.h"
#include "tests/suspend/places.h"

/* Successes of each operation, by the subject's places. */
#define LAPS 8

/* No success for so long, as patience.h counts, is taken for blocking: at first; then, where it is
 * not expected, once more with all patience; and at a place that is known by now. */
#define PATIENCE_NS       (300 * TEST_MS)
#define PATIENCE_LONG_NS  (5000 * TEST_MS)
#define PATIENCE_SHORT_NS (30 * TEST_MS)
/* In a span, where all steps are to block. */
#define PATIENCE_SPAN_NS (60 * TEST_MS)
/* And for those that interrupt, or go round while an earlier one is held, of whom nothing is
 * asked. */
#define PATIENCE_LAPS_NS (10 * TEST_MS)

/* After so many places that should not block, there is nothing more to learn. */
#define SURPRISES_MAX 4

/* Of an operation that was interrupted or met a frozen thread: how many writes more it may have
 * than it has alone, where not all are tried. */
#define MORE_WRITES 4

struct tally {
    uint64_t tried;
    uint64_t passed;
};

/* What was found out about one operation. */
struct verdict {
    struct freeze_places covered;
    struct freeze_places blocking;
    struct freeze_places blocking_pair; /* the first one's places, where one alone does not block */
    struct freeze_places late;
    struct tally one;
    struct tally two;
    uint64_t steps_most; /* of any trial, to its end; not of a thread of the subject's own */
    /* Where each step in between is to block; and whether the thread of this trial is there. */
    const struct suspend_span *span;
    bool inside;
    /* Of an operation that nobody disturbs: its steps; those that block; how many it takes before
     * them that write. */
    uint64_t steps[SUSPEND_SITUATIONS_MAX];
    bool blocks_at[SUSPEND_SITUATIONS_MAX][FREEZE_STEPS_MAX];
    uint64_t writes[SUSPEND_SITUATIONS_MAX][FREEZE_STEPS_MAX];
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
        uint64_t step; /* of one that was interrupted: writes since. Of the second: writes + 1 */
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

/* Where the first one stood, and whether what few brought then was left undone. */
struct stand {
    struct freeze_place place;
    uint64_t writes;
    bool late;
    bool inside; /* the span of its operation */
};

/* ---- places ---------------------------------------------------------------------------------- */

/* A thread in the operation takes a step. */
static void
step_taken(void *context, const struct freeze_place *place)
{
    struct verdict *verdict = context;
    verdict->inside = verdict->inside ? !suspend_place_is(place, verdict->span->upto)
                                      : suspend_place_is(place, verdict->span->behind);
}

static void
span_watch(struct verdict *verdict, const struct suspend_span *span)
{
    if (span->behind != NULL) {
        verdict->span = span;
        verdict->covered.taken = step_taken;
        verdict->covered.context = verdict;
    }
}

/* ---- one trial ------------------------------------------------------------------------------- */

/* In one trial: an interruption, few, one alone, the others. */
#define CREWS_MAX 4

/* A thread that is going to stand still. */
struct call {
    const struct suspend_operation *operation;
    void *state;
    uint32_t who;
    struct freeze_places *seen; /* may be NULL */
    struct freeze own;
    struct freeze *freeze; /* own, or one of the subject's; NULL: not begun */
};

struct trial {
    struct session *session;
    const struct plan *plan;
    void *state;
    struct call calls[2];
    uint64_t interrupter_successes;
    /* Some may stand still until all that stand go on. */
    struct crew *crews[CREWS_MAX];
    uint32_t crews_count;
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
        call->freeze = call->operation->begin(call->state, step, call->seen);
        return freeze_wait(call->freeze);
    }
    call->freeze = &call->own;
    freeze_start(&call->own, call_run, call);
    freeze_note(&call->own, call->seen);
    return freeze_to(&call->own, step);
}

static bool
call_begin_to_write(struct call *call, uint64_t count)
{
    call->freeze = &call->own;
    freeze_start(&call->own, call_run, call);
    freeze_note(&call->own, call->seen);
    return freeze_to_write(&call->own, count);
}

static struct crew_order
laps_order(const struct suspend_subject *subject, void *state, bool owner_stands)
{
    struct crew_order order = {.subject = subject,
                               .state = state,
                               .threads = 1,
                               .patience_ns = PATIENCE_LAPS_NS,
                               .settle_ns = PATIENCE_NS};
    for (uint32_t i = 0; i < SUSPEND_OPERATIONS_MAX; i++) {
        const struct suspend_operation *operation = &subject->operations[i];
        if (operation->run != NULL && !operation->tries && !(owner_stands && operation->owner)) {
            order.operations |= UINT32_C(1) << i;
            order.goals[i] = (uint64_t)subject->capacity * 3;
        }
    }
    return order;
}

/* Has a crew at work and watches it. */
static bool
crew_work(struct trial *trial, const struct crew_order *order)
{
    CHECK(trial->crews_count < CREWS_MAX);
    struct crew *crew = crew_start(order);
    trial->crews[trial->crews_count] = crew;
    trial->crews_count++;
    return crew_watch(crew);
}

/* What happens while the first one is held in front of an earlier step. */
static void
interrupt(struct trial *trial)
{
    const struct suspend_subject *subject = trial->session->subject;
    uint32_t by = trial->plan->interrupt;
    struct crew_order order = laps_order(subject, trial->state, trial->calls[0].operation->owner);
    if (by != trial->session->operations) {
        order.operations = UINT32_C(1) << by;
        order.rounds = 1;
    }
    (void)crew_work(trial, &order);
    trial->interrupter_successes = crew_successes(trial->crews[0]);
}

static void
call_prepare(struct trial *trial, uint32_t number)
{
    struct call *call = &trial->calls[number];
    call->operation = &trial->session->subject->operations[trial->plan->frozen[number].operation];
    call->state = trial->state;
    call->who = SUSPEND_FROZEN + number;
    struct verdict *verdict = &trial->session->verdicts[trial->plan->frozen[number].operation];
    verdict->inside = false;
    call->seen = &verdict->covered;
}

/* Brings the threads to their steps. False: one did not come so far. */
static bool
stand(struct trial *trial)
{
    const struct plan *plan = trial->plan;
    struct call *first = &trial->calls[0];
    bool interrupted = plan->interrupt_step != 0;
    call_prepare(trial, 0);
    bool all = call_begin(first, interrupted ? plan->interrupt_step : plan->frozen[0].step);
    if (all && interrupted) {
        interrupt(trial);
        all = freeze_to_write(first->freeze, first->freeze->writes + plan->frozen[0].step);
    }
    if (all && plan->frozen_count == 2) {
        call_prepare(trial, 1);
        all = call_begin_to_write(&trial->calls[1], plan->frozen[1].step - 1);
    }
    return all;
}

/* One thread does the first operation a few times. True: what it brought came to its end. */
static bool
few_suffice(struct trial *trial, uint64_t patience_ns)
{
    const struct suspend_situation *situation =
        &trial->session->subject->situations[trial->plan->situation];
    const struct crew_order order = {.subject = trial->session->subject,
                                     .state = trial->state,
                                     .threads = 1,
                                     .operations = 1,
                                     .rounds = 1 + situation->more,
                                     .patience_ns = patience_ns,
                                     .settle_ns = patience_ns};
    return crew_work(trial, &order);
}

/* What the owner's thread left for the others before it stood still. */
static uint64_t
items_left(const struct trial *trial)
{
    uint64_t items = trial->session->subject->situations[trial->plan->situation].items;
    uint64_t gone = trial->interrupter_successes;
    for (uint32_t i = 0; i < trial->plan->frozen_count; i++) {
        gone += trial->calls[i].operation->hides;
    }
    return items > gone ? items - gone : 0;
}

/* Whether one thread alone goes on without those that stand, and then two. */
static bool
others_go_on(struct trial *trial, uint64_t patience_ns)
{
    bool owner_stands = false;
    for (uint32_t i = 0; i < trial->plan->frozen_count; i++) {
        owner_stands = owner_stands || trial->calls[i].operation->owner;
    }
    const struct suspend_subject *subject = trial->session->subject;
    struct crew_order order = laps_order(subject, trial->state, owner_stands);
    order.patience_ns = patience_ns;
    order.settle_ns = patience_ns;
    for (uint32_t i = 0; i < SUSPEND_OPERATIONS_MAX; i++) {
        order.operations |= subject->operations[i].tries ? UINT32_C(1) << i : 0;
    }
    /* Without its owner they have what is left once, and not for laps. */
    if (!owner_stands && !crew_work(trial, &order)) {
        return false;
    }
    order.threads = 2;
    for (uint32_t i = 0; i < SUSPEND_OPERATIONS_MAX; i++) {
        if (order.goals[i] != 0) {
            order.goals[i] = owner_stands ? items_left(trial) : (uint64_t)LAPS * subject->capacity;
        }
    }
    return crew_work(trial, &order);
}

static void
call_end(struct trial *trial, uint32_t number)
{
    struct call *call = &trial->calls[number];
    struct verdict *verdict = &trial->session->verdicts[trial->plan->frozen[number].operation];
    freeze_join(&call->own);
    uint64_t steps = call->own.steps;
    verdict->steps_most = steps > verdict->steps_most ? steps : verdict->steps_most;
}

/* All threads go on and come to their end. */
static void
trial_end(struct trial *trial)
{
    for (uint32_t i = 0; i < trial->plan->frozen_count; i++) {
        if (trial->calls[i].freeze != NULL) {
            freeze_let_go(trial->calls[i].freeze);
        }
    }
    for (uint32_t i = 0; i < trial->plan->frozen_count; i++) {
        if (trial->calls[i].freeze == &trial->calls[i].own) {
            call_end(trial, i);
        }
    }
    for (uint32_t i = 0; i < trial->crews_count; i++) {
        crew_join(trial->crews[i]);
    }
    trial->session->subject->destroy(trial->state);
}

static enum outcome
try_plan(struct session *session, const struct plan *plan, struct stand *at, uint64_t patience_ns)
{
    const struct suspend_subject *subject = session->subject;
    struct trial trial = {.session = session, .plan = plan};
    enum outcome outcome = ENDED;
    trial.state = subject->create(subject);
    subject->situations[plan->situation].arrange(trial.state);
    bool stands = stand(&trial);
    at->place = trial.calls[0].freeze->place;
    at->writes = trial.calls[0].freeze->writes;
    at->late = false;
    at->inside = session->verdicts[plan->frozen[0].operation].inside;
    patience_ns = at->inside ? PATIENCE_SPAN_NS : patience_ns;
    if (stands) {
        /* Of two, only whether they block. */
        if (subject->settled != NULL && plan->frozen_count == 1) {
            at->late = !few_suffice(&trial, patience_ns);
        }
        outcome = others_go_on(&trial, patience_ns) ? PASSED : BLOCKED;
    }
    trial_end(&trial);
    return outcome;
}

/* So that the one trial can be thought through. */
static void
say_surprise(const struct session *session, const struct plan *plan, const char *what)
{
    const struct suspend_subject *subject = session->subject;
    const char *first = subject->operations[plan->frozen[0].operation].name;
    test_say("%s, %s: %s: %s", subject->name, subject->situations[plan->situation].name, what,
             first);
    if (plan->interrupt_step != 0) {
        bool laps = plan->interrupt == session->operations;
        test_say(" interrupted at step %ju by %s, then frozen behind %ju writes more",
                 (uintmax_t)plan->interrupt_step,
                 laps ? "laps" : subject->operations[plan->interrupt].name,
                 (uintmax_t)plan->frozen[0].step);
    } else {
        test_say(" at step %ju", (uintmax_t)plan->frozen[0].step);
    }
    if (plan->frozen_count == 2) {
        test_say(" and %s behind %ju writes", subject->operations[plan->frozen[1].operation].name,
                 (uintmax_t)plan->frozen[1].step - 1);
    }
    test_say("\n");
}

/* Whether a trial went otherwise than the span says. An operation that was interrupted may come
 * through it without what it holds up otherwise. */
static bool
is_strange(const struct plan *plan, const struct stand *at, enum outcome outcome)
{
    return outcome == BLOCKED ? !at->inside
                              : outcome == PASSED && at->inside && plan->interrupt_step == 0;
}

/* Whether there is more to say of a place than is known. */
static bool
is_news(const struct verdict *verdict, const struct plan *plan, const struct stand *at,
        enum outcome outcome)
{
    const struct freeze_places *blocking =
        plan->frozen_count == 1 ? &verdict->blocking : &verdict->blocking_pair;
    if (verdict->span != NULL && (outcome == BLOCKED || is_strange(plan, at, outcome))) {
        return is_strange(plan, at, outcome);
    }
    if (outcome == BLOCKED) {
        return !freeze_places_know(blocking, &at->place);
    }
    return outcome == PASSED && at->late && !freeze_places_know(&verdict->late, &at->place);
}

static const char *
what(enum outcome outcome, const struct stand *at)
{
    if (outcome == BLOCKED) {
        return "blocks";
    }
    return at->inside ? "does not block" : "late";
}

/* Whether the table says so of the place where it stood. */
static bool
is_named(const struct suspend_operation *operation, const struct stand *at, enum outcome outcome)
{
    const char *const *names = outcome == BLOCKED ? operation->blocks : operation->late;
    const char *const *or_not =
        outcome == BLOCKED ? operation->blocks_or_not : operation->late_or_not;
    return suspend_expected(names, &at->place) || suspend_expected(or_not, &at->place);
}

/* A trial with as much patience as its outcome is worth, counted. One that is repeated may stand at
 * another place than before: what others do decides that, too. */
static enum outcome
judge(struct session *session, const struct plan *plan, struct stand *at)
{
    uint32_t first = plan->frozen[0].operation;
    const struct suspend_operation *operation = &session->subject->operations[first];
    bool alone = plan->frozen_count == 1;
    struct verdict *verdict = &session->verdicts[first];
    struct tally *tally = alone ? &verdict->one : &verdict->two;
    bool any = verdict->blocking.count + verdict->late.count + verdict->blocking_pair.count != 0;
    enum outcome outcome = try_plan(session, plan, at, any ? PATIENCE_SHORT_NS : PATIENCE_NS);
    uint64_t patience_ns = 0;
    while (is_news(verdict, plan, at, outcome) &&
           (patience_ns == 0 ||
            (patience_ns != PATIENCE_LONG_NS && !is_named(operation, at, outcome)))) {
        bool named = is_named(operation, at, outcome);
        patience_ns = named ? PATIENCE_NS : PATIENCE_LONG_NS;
        outcome = try_plan(session, plan, at, patience_ns);
    }
    if (is_news(verdict, plan, at, outcome) && !is_named(operation, at, outcome)) {
        session->surprises++;
        say_surprise(session, plan, what(outcome, at));
    }
    tally->tried += outcome != ENDED ? 1 : 0;
    tally->passed += outcome == PASSED ? 1 : 0;
    if (outcome == BLOCKED) {
        freeze_places_add(alone ? &verdict->blocking : &verdict->blocking_pair, &at->place);
    } else if (outcome == PASSED && at->late) {
        freeze_places_add(&verdict->late, &at->place);
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

/* Every step of an operation that nobody disturbs. */
static void
single_trials(struct session *session, uint32_t operation, uint32_t situation)
{
    struct verdict *verdict = &session->verdicts[operation];
    struct plan plan = {.situation = situation, .frozen_count = 1};
    enum outcome outcome = PASSED;
    plan.frozen[0].operation = operation;
    while (outcome != ENDED && !enough(session)) {
        struct stand at;
        uint64_t step = plan.frozen[0].step + 1;
        plan.frozen[0].step = step;
        /* Alone, and yet it goes round in a circle? */
        CHECK(step < FREEZE_STEPS_MAX);
        outcome = judge(session, &plan, &at);
        verdict->blocks_at[situation][step] = outcome == BLOCKED;
        verdict->writes[situation][step] = at.writes;
    }
    verdict->steps[situation] = plan.frozen[0].step - (outcome == ENDED ? 1 : 0);
}

/* Writes of an operation that nobody disturbs, as far as a step follows. */
static uint64_t
writes_of(const struct session *session, uint32_t operation, uint32_t situation)
{
    const struct verdict *verdict = &session->verdicts[operation];
    return verdict->writes[situation][verdict->steps[situation]];
}

/* Tries plan.frozen[last].step from 1 on until the operation ends before it, as far as they are
 * drawn. */
static void
further_trials(struct session *session, struct plan plan, uint64_t estimate)
{
    uint32_t last = plan.frozen_count - 1;
    uint64_t alone = writes_of(session, plan.frozen[last].operation, plan.situation);
    enum outcome outcome = PASSED;
    plan.frozen[last].step = 0;
    while (outcome != ENDED && !enough(session)) {
        struct stand at;
        plan.frozen[last].step++;
        if (plan.frozen[last].step == FREEZE_STEPS_MAX) {
            /* It goes round in a circle. */
            say_surprise(session, &plan, "endless");
            session->surprises++;
        } else if (drawn(session, estimate)) {
            outcome = judge(session, &plan, &at);
        } else if (plan.frozen[last].step > alone + MORE_WRITES) {
            outcome = ENDED;
        }
    }
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

/* An operation interrupted by something in front of each of its steps: about how many trials that
 * are, and those trials. Not where it blocks: what the interruption leaves undone then would be
 * laid to later steps. */
static uint64_t
interrupted_trials(struct session *session, struct plan plan, uint64_t estimate)
{
    const struct verdict *verdict = &session->verdicts[plan.frozen[0].operation];
    uint64_t writes = writes_of(session, plan.frozen[0].operation, plan.situation);
    uint64_t sum = 0;
    for (uint64_t step = 1; step <= verdict->steps[plan.situation]; step++) {
        sum += writes - verdict->writes[plan.situation][step];
        plan.interrupt_step = step;
        if (estimate != 0 && !verdict->blocks_at[plan.situation][step]) {
            further_trials(session, plan, estimate);
        }
    }
    return sum;
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

/* The same for two operations: at each step of the first one that follows a write. */
static uint64_t
pair_trials(struct session *session, struct plan plan, uint64_t estimate)
{
    uint32_t first = plan.frozen[0].operation;
    const struct verdict *verdict = &session->verdicts[first];
    uint64_t sum = 0;
    for (uint64_t step = 1; step <= verdict->steps[plan.situation]; step++) {
        const uint64_t *writes = &verdict->writes[plan.situation][step];
        if (step > 1 && writes[0] == writes[-1]) {
            continue;
        }
        sum += writes_of(session, plan.frozen[1].operation, plan.situation) + 1;
        plan.frozen[0].step = step;
        if (estimate != 0) {
            further_trials(session, plan, estimate);
        }
    }
    return sum;
}

/* All trials with an interruption, or all pairs; with the estimate 0 only counted. */
static uint64_t
all_further(struct session *session, uint32_t frozen_count, uint64_t estimate)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < session->operations * session->situations; i++) {
        struct plan plan = {.situation = i % session->situations, .frozen_count = frozen_count};
        uint32_t first = i / session->situations;
        plan.frozen[0].operation = first;
        for (uint32_t j = 0;
             freezes(&session->subject->operations[first]) && j <= session->operations; j++) {
            plan.interrupt = j;
            plan.frozen[1].operation = j;
            if (frozen_count == 1 && may_interrupt(session, first, j)) {
                sum += interrupted_trials(session, plan, estimate);
            } else if (frozen_count == 2 && j < session->operations &&
                       may_pair(session, first, j)) {
                sum += pair_trials(session, plan, estimate);
            }
        }
    }
    return sum;
}

static void
all_trials(struct session *session)
{
    for (uint32_t i = 0; i < session->operations; i++) {
        for (uint32_t j = 0; j < session->situations; j++) {
            if (freezes(&session->subject->operations[i])) {
                single_trials(session, i, j);
            }
        }
    }
    for (uint32_t count = 1; count <= 2 && !enough(session); count++) {
        uint64_t estimate = all_further(session, count, 0);
        if (estimate != 0) {
            (void)all_further(session, count, estimate);
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
print_places(const struct freeze_places *list, const char *what)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct freeze_place *place = &list->places[i];
        const char *word = NULL;
        int length = suspend_word_of(place->text, &word);
        (void)printf("%s before the %s of %.*s (%s:%d)", i == 0 ? what : ",", place->kind, length,
                     word, place->file, place->line);
    }
}

static void
print_verdict(const struct session *session, uint32_t operation)
{
    const struct verdict *verdict = &session->verdicts[operation];
    (void)printf("%-17s %-7s %5u", session->subject->name,
                 session->subject->operations[operation].name, verdict->covered.count);
    print_tally(verdict->one);
    print_tally(verdict->two);
    if (verdict->blocking.count + verdict->blocking_pair.count + verdict->late.count == 0) {
        if (session->subject->operations[operation].steps_most != 0) {
            (void)printf("  wait-free, %ju steps at most", (uintmax_t)verdict->steps_most);
        } else {
            (void)printf("  lock-free");
        }
    }
    if (verdict->span != NULL && verdict->blocking.count != 0) {
        (void)printf("  BLOCKING behind the %s, up to the %s: at %u places", verdict->span->behind,
                     verdict->span->upto, verdict->blocking.count);
    } else {
        print_places(&verdict->blocking, "  BLOCKING");
    }
    print_places(&verdict->blocking_pair, "  BLOCKING beside another one:");
    print_places(&verdict->late, "  LATE");
    (void)printf("\n");
}

/* All of the list are named, or are among those that may be there or not; all that are named are
 * there. */
static bool
as_named(const struct freeze_places *list, const char *const *names, const char *const *or_not)
{
    bool good = suspend_all_there(list, names);
    for (uint32_t i = 0; i < list->count; i++) {
        good = good && (suspend_expected(names, &list->places[i]) ||
                        suspend_expected(or_not, &list->places[i]));
    }
    return good;
}

static bool
as_expected(const struct suspend_operation *operation, const struct verdict *verdict)
{
    /* Of a span each trial was compared. */
    bool blocks = verdict->span != NULL
                      ? verdict->blocking.count > 0
                      : as_named(&verdict->blocking, operation->blocks, operation->blocks_or_not);
    bool bounded = operation->steps_most == 0 || verdict->steps_most <= operation->steps_most;
    bool walked =
        verdict->covered.count > 0 && suspend_all_there(&verdict->covered, operation->walks);
    return walked && verdict->blocking_pair.count == 0 && blocks && bounded &&
           as_named(&verdict->late, operation->late, operation->late_or_not);
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
        span_watch(&session->verdicts[session->operations],
                   &subject->operations[session->operations].span);
        session->operations++;
    }
    while (session->situations < SUSPEND_SITUATIONS_MAX &&
           subject->situations[session->situations].name != NULL) {
        session->situations++;
    }
    all_trials(session);
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
    const struct crew_order order = laps_order(subject, state, false);
    struct crew *crew = crew_start(&order);
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
    const struct crew_order order = laps_order(subject, state, call.operation->owner);
    struct crew *crew = crew_start(&order);
    (void)crew_watch(crew);
    freeze_let_go(&call.own);
    freeze_join(&call.own);
    crew_join(crew);
}
