/* stress_engine.c - everything that hosts and handlers do to jobs, at random, from several threads at
 * once, against a ledger: each accepted job ends exactly once and as the answers of its attempts and
 * of its cancels say, no attempt is missing or comes twice or beside another, a job cancelled while
 * it waited runs no more, payloads and results are those of their job, and at the end the statistics
 * add up exactly and all memory is back.
 *
 * The ledger has a ticket per job. What a handler writes into its ticket and payload is plain data:
 * only the engine orders it before the next attempt, and before whoever learns of the end. So
 * ThreadSanitizer sees an attempt beside another one, or a missing edge, as a race. Rings, slabs and
 * retention are small, so that full, gone and dropped happen; a thread stops, drains and starts the
 * engine meanwhile. Each round is a new engine of another shape. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/memory.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define TICKETS  24000
#define CHORES   24000
#define ROUND_NS (300 * TEST_MS)

#define ACTORS      4
#define COMPLETERS  2
#define LENDERS     2
#define KEPT_MAX    6  /* of one actor, not yet released */
#define BATCH_MAX   8
#define PENDING_MAX 64 /* beyond it a handler is done at once */

#define PAYLOAD_MIN       16
#define PAYLOAD_MAX       6000
#define PAYLOAD_BATCH_MAX 200
#define RESULT_MAX        300

/* A job. What is not atomic is written by the submitter before the submit, and then by one attempt
 * after the other. */
struct ticket {
    uint64_t seed; /* of what its attempts answer */
    uint32_t payload_bytes;
    uint32_t priority;
    uint32_t max_attempts;
    bool kept;
    bool unknown;                /* no handler for its type */
    enum leat_outcome_kind last; /* answer of the last attempt */
    uint32_t runs;
    uint32_t result_bytes;
    leat_atomic_u64 id;        /* 0: not accepted, or not yet */
    leat_atomic_u32 cancelled; /* leat_cancel() said LEAT_OK */
    leat_atomic_u32 flagged;   /* leat_cancel() said LEAT_RUNNING */
    leat_atomic_u32 released;
};

/* A task. */
struct chore {
    struct round *round;
    uint32_t number; /* plain, as runs */
    uint32_t runs;
    bool accepted; /* by its poster, read after the end */
};

struct mail {
    leat_token token;
    uint32_t number; /* of the ticket */
    bool stray;      /* the handler does not answer pending after all */
};

struct round {
    struct leat_engine *engine;
    struct test_memory memory;
    struct leat_config config;
    leat_type known;
    leat_type unknown;
    leat_queue queues[3];
    uint64_t seed;
    uint64_t deadline_ns;
    leat_atomic_u32 tickets_issued;
    leat_atomic_u32 chores_issued;
    leat_atomic_u32 over; /* 1: completers and lenders may go */
    pthread_mutex_t mutex;
    struct mail mails[PENDING_MAX]; /* under the mutex, as the count */
    uint32_t mails_count;
    struct ticket tickets[TICKETS];
    struct chore chores[CHORES];
};

/* One thread at work. */
struct actor {
    struct round *round;
    struct test_prng prng;
    uint32_t spare; /* ticket of a job that was refused, or TICKETS */
    uint32_t kept[KEPT_MAX];
    uint32_t kept_count;
    unsigned char *buffer; /* PAYLOAD_MAX, or BATCH_MAX times PAYLOAD_BATCH_MAX */
};

/* ---- payloads --------------------------------------------------------------------------------- */

/* number 4 | attempts that wrote here 4 | attempts that wrote after giving the token away 4 | ... */
static void
payload_fill(unsigned char *bytes, uint32_t count, uint32_t number)
{
    memset(bytes, 0, PAYLOAD_MIN);
    memcpy(bytes, &number, sizeof(number));
    for (uint32_t i = PAYLOAD_MIN; i < count; i++) {
        bytes[i] = (unsigned char)(number + i * 7);
    }
}

static uint32_t
word_at(const unsigned char *bytes, size_t place)
{
    uint32_t word = 0;
    memcpy(&word, bytes + place, sizeof(word));
    return word;
}

static void
payload_check(const unsigned char *bytes, size_t count, const struct ticket *ticket)
{
    CHECK_EQUAL(count, ticket->payload_bytes);
    CHECK_EQUAL((uintptr_t)bytes % 16, 0);
    CHECK_EQUAL(word_at(bytes, 4), ticket->runs);
    uint32_t number = word_at(bytes, 0);
    for (uint32_t i = PAYLOAD_MIN; i < count; i++) {
        CHECK(bytes[i] == (unsigned char)(number + i * 7));
    }
}

static void
result_fill(unsigned char *bytes, uint32_t count, uint32_t number)
{
    memset(bytes, (int)(number & 0xff), count);
}

/* ---- handlers --------------------------------------------------------------------------------- */

static void submit_child(struct round *round, struct test_prng *prng);

/* What attempt `attempt` of a ticket comes to, by whatever way: a quarter of the jobs fail. */
static enum leat_outcome_kind
answer_of(const struct ticket *ticket, uint32_t attempt)
{
    struct test_prng prng = {ticket->seed + attempt};
    switch (test_random_below(&prng, 8)) {
    case 0:
    case 1:
        return LEAT_OUTCOME_RETRY;
    case 2:
        return LEAT_OUTCOME_FAIL;
    default:
        return LEAT_OUTCOME_DONE;
    }
}

/* Gives the token of an attempt to the completers. False: they have enough. */
static bool
mail_post(struct round *round, const struct mail *mail)
{
    CHECK(pthread_mutex_lock(&round->mutex) == 0);
    bool room = round->mails_count < PENDING_MAX;
    if (room) {
        round->mails[round->mails_count] = *mail;
        round->mails_count++;
    }
    CHECK(pthread_mutex_unlock(&round->mutex) == 0);
    return room;
}

static void
side_effects(struct leat_run *run, struct ticket *ticket, struct test_prng *prng)
{
    unsigned char result[RESULT_MAX];
    struct round *round = NULL;
    size_t bytes = 0;
    uint32_t number = word_at(leat_run_payload(run, &bytes), 0);
    round = (struct round *)(void *)((unsigned char *)(ticket - number) -
                                     offsetof(struct round, tickets));
    if (test_random_below(prng, 4) == 0) {
        CHECK_OK(leat_run_progress(run, test_random_below(prng, 101), NULL));
    }
    if (test_random_below(prng, 4) == 0) {
        CHECK_OK(leat_run_error(run, "an attempt's text"));
    }
    if (ticket->kept && test_random_below(prng, 2) == 0) {
        ticket->result_bytes = test_random_below(prng, RESULT_MAX);
        result_fill(result, ticket->result_bytes, number);
        CHECK_OK(leat_run_result(run, result, ticket->result_bytes));
    }
    if (test_random_below(prng, 10) == 0) {
        submit_child(round, prng);
    }
}

/* The token goes to the completers, who answer in place of the handler; or the handler says it
 * itself, before it answers pending; or it gives the token away and answers all the same. */
static struct leat_outcome
answer_later(struct leat_run *run, struct round *round, uint32_t number, struct test_prng *prng)
{
    struct ticket *ticket = &round->tickets[number];
    struct mail mail = {leat_run_token(run), number, test_random_below(prng, 4) == 0};
    enum leat_outcome_kind answer = answer_of(ticket, ticket->runs);
    if (mail.stray || test_random_below(prng, 4) == 0) {
        ticket->last = answer;
    }
    if (!mail.stray && test_random_below(prng, 4) == 0) {
        ticket->last = answer;
        CHECK_OK(leat_complete(round->engine, mail.token, leat_outcome_of(answer, 0), NULL));
        return leat_pending();
    }
    if (!mail_post(round, &mail) || mail.stray) {
        ticket->last = answer;
        return leat_outcome_of(answer, 0);
    }
    /* The mutex of the mails does not order this before the next attempt; the engine does. */
    size_t bytes = 0;
    unsigned char *payload = leat_run_payload(run, &bytes);
    uint32_t runs = leat_run_attempt(run);
    memcpy(payload + 8, &runs, sizeof(runs));
    return leat_pending();
}
