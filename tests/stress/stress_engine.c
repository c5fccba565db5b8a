/* stress_engine.c - everything that hosts and handlers do to jobs, at random, from several threads
 * at once, against a ledger (tests/support/ledger.h): each accepted job ends exactly once and as
 * the answers of its attempts and of its cancels say, no attempt is missing or comes twice or
 * beside another, a job cancelled while it waited runs no more, payloads and results are those of
 * their job, and at the end the statistics add up exactly and all memory is back.
 *
 * Rings, slabs and retention are small, so that full, gone and dropped happen; a thread stops,
 * drains and starts the engine meanwhile. Each round is a new engine of another shape. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/ledger.h"
#include "tests/support/memory.h"
#include "tests/support/threads.h"

#define ROUND_NS (300 * TEST_MS)
#define CHORES   24000 /* tasks of one round */

#define ACTORS     4
#define COMPLETERS 2
#define LENDERS    2
#define KEPT_MAX   6 /* of one actor, not yet released */
#define BATCH_MAX  8

#define PAYLOAD_MAX       6000
#define PAYLOAD_BATCH_MAX 200

/* A task. Plain. */
struct chore {
    uint32_t number;
    uint32_t runs;
    bool accepted; /* its poster's */
};

struct round {
    struct leat_engine *engine;
    struct test_memory memory;
    struct leat_config config;
    uint64_t seed;
    uint64_t deadline_ns;
    leat_atomic_u32 over; /* 1: completers and lenders may go */
    leat_atomic_u32 chores_issued;
    struct chore chores[CHORES];
    struct ledger ledger;
};

static void
chore_run(void *argument)
{
    struct chore *chore = argument;
    CHECK(chore->number < CHORES);
    chore->runs++;
}

/* Completers, and behind them the threads that are lent where there are no workers. */
static void
serve(void *shared, uint32_t number)
{
    struct round *round = shared;
    struct test_prng prng = {round->seed - number};
    while (atom_load_rlx(&round->over) == 0) {
        if (number < COMPLETERS) {
            if (!ledger_complete(&round->ledger, &prng)) {
                leat_os_yield();
            }
            continue;
        }
        enum leat_status status =
            leat_run_some(round->engine, 1 + test_random_below(&prng, 30), NULL);
        if (status != LEAT_OK) {
            CHECK(status == LEAT_EMPTY || status == LEAT_BUSY || status == LEAT_CLOSED);
            leat_os_yield();
        }
    }
}

/* ---- actors: bringing work ------------------------------------------------------------------- */

struct actor {
    struct round *round;
    struct test_prng prng;
    uint32_t kept[KEPT_MAX]; /* tickets */
    uint32_t kept_count;
    unsigned char *buffer; /* PAYLOAD_MAX, or BATCH_MAX times PAYLOAD_BATCH_MAX */
};

static bool
going(struct round *round)
{
    return test_now_ns() < round->deadline_ns &&
           atom_load_rlx(&round->ledger.issued) < LEDGER_TICKETS;
}

static uint32_t
any_priority(struct actor *actor)
{
    uint32_t priority = test_random_below(&actor->prng, leat_priority_levels() + 1);
    return priority == leat_priority_levels() ? (uint32_t)LEAT_PRIORITY_OF_QUEUE : priority;
}

static void
refused(enum leat_status status)
{
    CHECK(status == LEAT_FULL || status == LEAT_CLOSED);
    leat_os_yield();
}

static void
submit(struct actor *actor)
{
    struct round *round = actor->round;
    bool kept = actor->kept_count < KEPT_MAX && test_random_below(&actor->prng, 3) == 0;
    uint32_t number = ledger_ticket(&round->ledger, &actor->prng, kept);
    if (number == LEDGER_TICKETS) {
        return;
    }
    uint32_t most = test_random_below(&actor->prng, 8) == 0 ? PAYLOAD_MAX : 100;
    uint32_t bytes =
        LEDGER_PAYLOAD_MIN + test_random_below(&actor->prng, most - LEDGER_PAYLOAD_MIN);
    struct leat_job job = ledger_job(&round->ledger, number, actor->buffer, bytes);
    leat_job_id id = {0};
    job.priority = any_priority(actor);
    enum leat_status status = leat_submit(round->engine, &job, &id);
    /* The payload was copied. */
    memset(actor->buffer, 0xee, bytes);
    if (status != LEAT_OK) {
        refused(status);
        return;
    }
    ledger_accept(&round->ledger, number, id);
    if (kept) {
        actor->kept[actor->kept_count] = number;
        actor->kept_count++;
    }
}

static void
submit_batch(struct actor *actor)
{
    struct round *round = actor->round;
    struct leat_job jobs[BATCH_MAX];
    leat_job_id ids[BATCH_MAX];
    enum leat_status statuses[BATCH_MAX];
    uint32_t numbers[BATCH_MAX];
    bool all = test_random_below(&actor->prng, 2) == 0;
    uint32_t priority = any_priority(actor);
    uint32_t count = 0;
    for (uint32_t wanted = test_random_below(&actor->prng, BATCH_MAX + 1); count < wanted;
         count++) {
        unsigned char *payload = actor->buffer + (size_t)count * PAYLOAD_BATCH_MAX;
        numbers[count] = ledger_ticket(&round->ledger, &actor->prng, false);
        if (numbers[count] == LEDGER_TICKETS) {
            break;
        }
        uint32_t more = test_random_below(&actor->prng, PAYLOAD_BATCH_MAX - LEDGER_PAYLOAD_MIN);
        jobs[count] =
            ledger_job(&round->ledger, numbers[count], payload, LEDGER_PAYLOAD_MIN + more);
        jobs[count].priority = all ? priority : any_priority(actor);
        ids[count].bits = 0;
    }
    enum leat_batch_mode mode = all ? LEAT_BATCH_ALL_OR_NONE : LEAT_BATCH_EACH;
    enum leat_status status = leat_submit_batch(round->engine, jobs, count, mode, ids, statuses);
    uint32_t taken = 0;
    for (uint32_t i = 0; i < count; i++) {
        CHECK(all || (ids[i].bits != 0) == (statuses[i] == LEAT_OK));
        if (ids[i].bits != 0) {
            ledger_accept(&round->ledger, numbers[i], ids[i]);
            taken++;
        }
    }
    CHECK((status == LEAT_OK) == (taken == count));
    CHECK(!all || taken == count || taken == 0);
    if (status != LEAT_OK) {
        refused(status);
    }
}

static void
post(struct actor *actor)
{
    struct round *round = actor->round;
    struct leat_task tasks[BATCH_MAX];
    struct chore *chores[BATCH_MAX];
    uint32_t priority = test_random_below(&actor->prng, leat_priority_levels());
    uint32_t count = 1 + test_random_below(&actor->prng, BATCH_MAX);
    size_t posted = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = atom_add_rlx(&round->chores_issued, 1);
        if (number >= CHORES) {
            return;
        }
        chores[i] = &round->chores[number];
        chores[i]->number = number;
        tasks[i] = (struct leat_task){chore_run, chores[i]};
    }
    enum leat_status status = LEAT_OK;
    if (count == 1) {
        status = leat_post(round->engine, priority, chore_run, chores[0]);
        posted = status == LEAT_OK ? 1 : 0;
    } else {
        status = leat_post_batch(round->engine, priority, tasks, count, &posted);
    }
    CHECK(posted <= count);
    CHECK((status == LEAT_OK) == (posted == count));
    for (size_t i = 0; i < posted; i++) {
        chores[i]->accepted = true;
    }
    if (status != LEAT_OK) {
        refused(status);
    }
}

/* ---- actors: looking at jobs ----------------------------------------------------------------- */

/* A ticket that somebody brought in, an own one or not. NULL: the one that was drawn was not. */
static struct ticket *
any_ticket(struct actor *actor, leat_job_id *id)
{
    struct round *round = actor->round;
    uint32_t issued = atom_load_rlx(&round->ledger.issued);
    issued = issued < LEDGER_TICKETS ? issued : LEDGER_TICKETS;
    if (issued == 0) {
        return NULL;
    }
    /* Mostly a young one. */
    uint32_t back = test_random_below(&actor->prng, issued);
    back = test_random_below(&actor->prng, 8) == 0 ? back : back % 100;
    struct ticket *ticket = &round->ledger.tickets[issued - 1 - back];
    id->bits = atom_load_acq(&ticket->id);
    return id->bits == 0 ? NULL : ticket;
}

static void
look(struct actor *actor)
{
    leat_job_id id = {0};
    struct leat_job_info info = leat_job_info_default();
    const struct ticket *ticket = any_ticket(actor, &id);
    if (ticket == NULL) {
        return;
    }
    enum leat_status status = LEAT_OK;
    if (test_random_below(&actor->prng, 2) == 0) {
        status = leat_get(actor->round->engine, id, &info);
    } else {
        uint64_t timeout_ns = test_random_below(&actor->prng, TEST_MS / 2);
        status = leat_wait(actor->round->engine, id, timeout_ns, &info);
        CHECK(status != LEAT_OK || info.state >= LEAT_JOB_COMPLETED);
    }
    if (status == LEAT_OK || status == LEAT_TIMEOUT) {
        ledger_check(ticket, id, &info);
    } else {
        CHECK(status == LEAT_GONE || status == LEAT_CLOSED);
    }
}

static void
cancel(struct actor *actor)
{
    leat_job_id id = {0};
    struct ticket *ticket = any_ticket(actor, &id);
    if (ticket == NULL) {
        return;
    }
    (void)ledger_cancel(&actor->round->ledger, ticket, id);
}

static void
read_result(struct actor *actor, const struct ticket *ticket, leat_job_id id)
{
    unsigned char result[LEDGER_RESULT_MAX];
    size_t bytes = LEDGER_RESULT_MAX + 1;
    uint32_t number = (uint32_t)(ticket - actor->round->ledger.tickets);
    CHECK_OK(leat_result(actor->round->engine, id, result, sizeof(result), &bytes));
    CHECK_EQUAL(bytes, ticket->result_bytes);
    for (size_t i = 0; i < bytes; i++) {
        CHECK(result[i] == (unsigned char)number);
    }
}

/* The oldest of its own that are kept: waits for the end, or not, and lets it go. */
static void
settle(struct actor *actor)
{
    struct round *round = actor->round;
    if (actor->kept_count == 0) {
        return;
    }
    struct ticket *ticket = &round->ledger.tickets[actor->kept[0]];
    leat_job_id id = {atom_load_rlx(&ticket->id)};
    struct leat_job_info info = leat_job_info_default();
    enum leat_status status = LEAT_TIMEOUT;
    if (test_random_below(&actor->prng, 4) != 0) {
        status = leat_wait(round->engine, id, TEST_MS * 5, &info);
    }
    if (status == LEAT_OK) {
        ledger_check(ticket, id, &info);
        CHECK_EQUAL(info.result_bytes, ticket->result_bytes);
        read_result(actor, ticket, id);
    } else {
        CHECK(status == LEAT_TIMEOUT || status == LEAT_CLOSED);
    }
    CHECK_OK(leat_release(round->engine, id));
    CHECK_EQUAL(atom_add_rlx(&ticket->released, 1), 0);
    status = leat_release(round->engine, id);
    CHECK(status == LEAT_WRONG_STATE || status == LEAT_GONE);
    actor->kept_count--;
    memmove(actor->kept, actor->kept + 1, actor->kept_count * sizeof(actor->kept[0]));
}

static void
act(struct round *round, uint32_t number)
{
    struct actor actor = {.round = round, .prng = {round->seed + number}};
    actor.buffer = malloc(PAYLOAD_MAX);
    CHECK(actor.buffer != NULL);
    while (going(round)) {
        switch (test_random_below(&actor.prng, 10)) {
        case 0:
            submit_batch(&actor);
            break;
        case 1:
        case 2:
            post(&actor);
            break;
        case 3:
            cancel(&actor);
            break;
        case 4:
        case 5:
            look(&actor);
            break;
        case 6:
            settle(&actor);
            break;
        default:
            submit(&actor);
            break;
        }
    }
    /* The last ones stay kept, for the end. */
    free(actor.buffer);
}

/* ---- the engine's life, and its statistics --------------------------------------------------- */

static void
stop_and_start(struct round *round, struct test_prng *prng)
{
    enum leat_status status = LEAT_TIMEOUT;
    while (status == LEAT_TIMEOUT) {
        status = leat_stop(round->engine, test_random_below(prng, 2 * TEST_MS));
    }
    CHECK_STATUS(status, LEAT_OK);
    CHECK_OK(leat_start(round->engine));
}

static void
steer(struct round *round)
{
    struct test_prng prng = {~round->seed};
    while (going(round)) {
        test_sleep_ns(test_random_below(&prng, 20 * TEST_MS));
        if (test_random_below(&prng, 2) == 0) {
            enum leat_status status =
                leat_drain(round->engine, test_random_below(&prng, 10 * TEST_MS));
            /* Without workers: the lenders have all places. */
            CHECK(status == LEAT_OK || status == LEAT_TIMEOUT ||
                  (status == LEAT_BUSY && round->config.workers == 0));
            if (status == LEAT_OK) {
                struct leat_statistics sum = test_statistics(round->engine);
                CHECK_EQUAL(sum.jobs_running, 0);
                CHECK_EQUAL(sum.tasks_waiting, 0);
                /* Records in the hands of those who are being refused. */
                CHECK(sum.jobs_waiting <= (uint64_t)ACTORS * BATCH_MAX);
            }
        }
        stop_and_start(round, &prng);
    }
}

/* What is counted does not fall. */
static void
watch(struct round *round)
{
    struct leat_statistics before = leat_statistics_default();
    while (going(round)) {
        struct leat_statistics sum = test_statistics(round->engine);
        CHECK(sum.tasks_run >= before.tasks_run);
        CHECK(sum.jobs_run >= before.jobs_run);
        CHECK(sum.jobs_completed >= before.jobs_completed);
        CHECK(sum.jobs_dead >= before.jobs_dead);
        CHECK(sum.jobs_cancelled >= before.jobs_cancelled);
        CHECK(sum.jobs_retried >= before.jobs_retried);
        CHECK(sum.dead_dropped >= before.dead_dropped);
        CHECK(sum.queue_wait.samples >= before.queue_wait.samples);
        CHECK(sum.run_time.samples >= before.run_time.samples);
        before = sum;
        test_sleep_ns(TEST_MS / 4);
    }
}

static void
play(void *shared, uint32_t number)
{
    if (number < ACTORS) {
        act(shared, number);
    } else if (number == ACTORS) {
        steer(shared);
    } else {
        watch(shared);
    }
}

/* ---- the end --------------------------------------------------------------------------------- */

struct totals {
    uint64_t submitted;
    uint64_t completed;
    uint64_t dead;
    uint64_t cancelled;
    uint64_t runs;
    uint64_t retried;       /* attempts that had another one behind them */
    uint64_t retried_first; /* the same, and those whose job was cancelled before the next */
    uint64_t kept;
};

/* What is still there says the same; what is kept is still there. */
static void
check_record(struct round *round, const struct ticket *ticket, enum leat_job_state state)
{
    leat_job_id id = {atom_load_rlx(&ticket->id)};
    struct leat_job_info info = leat_job_info_default();
    enum leat_status status = leat_get(round->engine, id, &info);
    bool kept = ticket->kept && atom_load_rlx(&ticket->released) == 0;
    if (status == LEAT_OK) {
        ledger_check(ticket, id, &info);
        CHECK_EQUAL(info.state, state);
    } else {
        CHECK_STATUS(status, LEAT_GONE);
        CHECK(!kept);
    }
    CHECK_STATUS(leat_cancel(round->engine, id), status == LEAT_OK ? LEAT_ENDED : LEAT_GONE);
}

static void
check_tickets(struct round *round, struct totals *totals)
{
    for (uint32_t i = 0; i < LEDGER_TICKETS; i++) {
        struct ticket *ticket = &round->ledger.tickets[i];
        if (atom_load_rlx(&ticket->id) == 0) {
            CHECK_EQUAL(ticket->runs, 0);
            continue;
        }
        enum leat_job_state state = ledger_verdict(ticket);
        uint32_t more = atom_load_rlx(&ticket->cancelled) != 0 ? ticket->runs : 0;
        totals->submitted++;
        totals->completed += state == LEAT_JOB_COMPLETED ? 1 : 0;
        totals->dead += state == LEAT_JOB_DEAD ? 1 : 0;
        totals->cancelled += state == LEAT_JOB_CANCELLED ? 1 : 0;
        totals->runs += ticket->runs;
        totals->retried += ticket->runs > 0 ? ticket->runs - 1 : 0;
        totals->retried_first += ticket->runs > 0 && more == 0 ? ticket->runs - 1 : more;
        check_record(round, ticket, state);
    }
}

static void
check_chores(struct round *round)
{
    uint64_t run = 0;
    for (uint32_t i = 0; i < CHORES; i++) {
        const struct chore *chore = &round->chores[i];
        CHECK_EQUAL(chore->runs, chore->accepted ? 1 : 0);
        run += chore->runs;
    }
    CHECK_EQUAL(test_statistics(round->engine).tasks_run, run);
}

static void
check_sums(struct round *round, const struct totals *totals)
{
    struct leat_statistics sum = test_statistics(round->engine);
    CHECK_EQUAL(sum.jobs_submitted, totals->submitted);
    CHECK_EQUAL(sum.jobs_completed, totals->completed);
    CHECK_EQUAL(sum.jobs_dead, totals->dead);
    CHECK_EQUAL(sum.jobs_cancelled, totals->cancelled);
    CHECK_EQUAL(sum.jobs_run, totals->runs);
    CHECK(sum.jobs_retried >= totals->retried);
    CHECK(sum.jobs_retried <= totals->retried_first);
    CHECK_EQUAL(sum.jobs_waiting, 0);
    CHECK_EQUAL(sum.jobs_running, 0);
    CHECK_EQUAL(sum.tasks_waiting, 0);
    if (round->config.dead_max == 0) {
        CHECK_EQUAL(sum.dead_dropped, 0);
    } else {
        CHECK_EQUAL(sum.dead_dropped + leat_book_count(&round->engine->dead), sum.jobs_dead);
    }
    if (round->config.sample_interval == 1) {
        CHECK_EQUAL(sum.run_time.samples, sum.jobs_run);
    }
}

static void
release_all(struct round *round)
{
    for (uint32_t i = 0; i < LEDGER_TICKETS; i++) {
        struct ticket *ticket = &round->ledger.tickets[i];
        leat_job_id id = {atom_load_rlx(&ticket->id)};
        if (id.bits != 0 && ticket->kept && atom_load_rlx(&ticket->released) == 0) {
            CHECK_OK(leat_release(round->engine, id));
        }
    }
}

/* ---- rounds ---------------------------------------------------------------------------------- */

static uint32_t
one_of(struct test_prng *prng, const uint32_t *choices, uint32_t count)
{
    return choices[test_random_below(prng, count)];
}

static struct leat_config
any_config(struct test_prng *prng)
{
    static const uint32_t workers[] = {0, 1, 2, 2, 4};
    static const uint32_t records[] = {128, 200, 1000};
    static const uint32_t retained[] = {0, 1, 8, 64};
    static const uint32_t inlines[] = {0, 16, 64, 1024};
    static const uint32_t guards[] = {0, 2, 61};
    struct leat_config config = test_config();
    config.workers = one_of(prng, workers, TEST_COUNT_OF(workers));
    config.lenders_max = LENDERS;
    config.jobs_max = one_of(prng, records, TEST_COUNT_OF(records));
    config.retained_max = one_of(prng, retained, TEST_COUNT_OF(retained));
    config.dead_max = one_of(prng, retained, TEST_COUNT_OF(retained));
    config.payload_bytes_inline = one_of(prng, inlines, TEST_COUNT_OF(inlines));
    config.starvation_picks = one_of(prng, guards, TEST_COUNT_OF(guards));
    config.sample_interval = test_random_below(prng, 2) == 0 ? 1 : 32;
    return config;
}

static struct round *
round_setup(struct test_prng *prng)
{
    struct round *round = calloc(1, sizeof(*round));
    CHECK(round != NULL);
    test_memory_init(&round->memory);
    round->config = any_config(prng);
    round->config.allocator = test_memory_allocator(&round->memory);
    round->seed = test_random(prng);
    round->engine = test_open(&round->config);
    ledger_init(&round->ledger, round->engine);
    CHECK_OK(leat_start(round->engine));
    round->deadline_ns = test_now_ns() + ROUND_NS;
    return round;
}

static void
round_teardown(struct round *round)
{
    /* The job that ledger_init() submitted. */
    struct totals totals = {.submitted = 1, .dead = 1};
    check_tickets(round, &totals);
    check_chores(round);
    check_sums(round, &totals);
    release_all(round);
    test_close(round->engine);
    CHECK_EQUAL(test_memory_blocks(&round->memory), 0);
    ledger_fini(&round->ledger);
    free(round);
}

static void
one_round(struct test_prng *prng)
{
    struct round *round = round_setup(prng);
    struct test_threads *servants = calloc(1, sizeof(*servants));
    CHECK(servants != NULL);
    test_threads_start(servants, COMPLETERS + (round->config.workers == 0 ? LENDERS : 0), serve,
                       round);
    test_threads_run(ACTORS + 2, play, round);
    /* Without workers a drain needs a place that the lenders leave now and then. */
    enum leat_status status = LEAT_BUSY;
    while (status == LEAT_BUSY) {
        status = leat_drain(round->engine, TEST_PATIENCE_NS);
    }
    CHECK_STATUS(status, LEAT_OK);
    atom_store_rlx(&round->over, 1);
    test_threads_join(servants);
    free(servants);
    round_teardown(round);
}

static void
everything_at_once(void **state)
{
    (void)state;
    struct test_prng prng = {test_seed("stress_engine")};
    uint64_t deadline_ns = test_now_ns() + test_duration_ns();
    uint32_t rounds = 0;
    do {
        one_round(&prng);
        rounds++;
    } while (test_now_ns() < deadline_ns);
    test_say("stress_engine: %u rounds\n", rounds);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
