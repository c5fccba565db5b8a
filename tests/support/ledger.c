/* ledger.c - see ledger.h. */
#include "tests/support/ledger.h"

#include <string.h>

#include "ring/os.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"

/* ---- payloads -------------------------------------------------------------------------------- */

/* ticket 4 | attempts 4 | the last attempt that wrote after it gave its token away 4 | 0 4 | ... */
static void
payload_fill(unsigned char *bytes, uint32_t count, uint32_t number)
{
    memset(bytes, 0, LEDGER_PAYLOAD_MIN);
    memcpy(bytes, &number, sizeof(number));
    for (uint32_t i = LEDGER_PAYLOAD_MIN; i < count; i++) {
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
word_put(unsigned char *bytes, size_t place, uint32_t word)
{
    memcpy(bytes + place, &word, sizeof(word));
}

static void
payload_check(const unsigned char *bytes, uint32_t count)
{
    uint32_t number = word_at(bytes, 0);
    CHECK_EQUAL((uintptr_t)bytes % 16, 0);
    for (uint32_t i = LEDGER_PAYLOAD_MIN; i < count; i++) {
        CHECK(bytes[i] == (unsigned char)(number + i * 7));
    }
}

/* ---- submits --------------------------------------------------------------------------------- */

uint32_t
ledger_ticket(struct ledger *ledger, struct test_prng *prng, bool kept)
{
    uint32_t number = atom_add_rlx(&ledger->issued, 1);
    if (number >= LEDGER_TICKETS) {
        return LEDGER_TICKETS;
    }
    struct ticket *ticket = &ledger->tickets[number];
    ticket->seed = test_random(prng);
    ticket->max_attempts = test_random_below(prng, 5);
    ticket->kept = kept;
    ticket->unknown = test_random_below(prng, 40) == 0;
    return number;
}

struct leat_job
ledger_job(struct ledger *ledger, uint32_t number, unsigned char *payload, uint32_t bytes)
{
    static const char *const queues[] = {"default", "one", "two"};
    struct ticket *ticket = &ledger->tickets[number];
    struct leat_job job = leat_job_default();
    CHECK(bytes >= LEDGER_PAYLOAD_MIN);
    ticket->payload_bytes = bytes;
    payload_fill(payload, bytes, number);
    job.type = ticket->unknown ? ledger->unknown : ledger->known;
    if (number % 4 != 0) {
        job.queue_name = queues[number % TEST_COUNT_OF(queues)];
    }
    job.payload = payload;
    job.payload_bytes = bytes;
    job.max_attempts = ticket->max_attempts;
    job.flags = ticket->kept ? LEAT_JOB_KEEP_RESULT : 0;
    return job;
}

void
ledger_accept(struct ledger *ledger, uint32_t number, leat_job_id id)
{
    CHECK(id.bits != 0);
    CHECK_EQUAL(atom_load_rlx(&ledger->tickets[number].id), 0);
    atom_store_rel(&ledger->tickets[number].id, id.bits);
}

/* From within a handler: taken in every state of the engine, but for the room. */
static void
submit_child(struct ledger *ledger, struct test_prng *prng)
{
    unsigned char payload[LEDGER_PAYLOAD_MIN + 40];
    uint32_t number = ledger_ticket(ledger, prng, false);
    if (number == LEDGER_TICKETS) {
        return;
    }
    uint32_t bytes = LEDGER_PAYLOAD_MIN + test_random_below(prng, 40);
    struct leat_job job = ledger_job(ledger, number, payload, bytes);
    leat_job_id id = {0};
    job.priority = test_random_below(prng, leat_priority_levels());
    enum leat_status status = leat_submit(ledger->engine, &job, &id);
    if (status == LEAT_OK) {
        ledger_accept(ledger, number, id);
    } else {
        CHECK_STATUS(status, LEAT_FULL);
    }
}

/* ---- handlers -------------------------------------------------------------------------------- */

/* One attempt. */
struct visit {
    struct ledger *ledger;
    struct leat_run *run;
    struct ticket *ticket;
    uint32_t number;
    unsigned char *payload;
    struct test_prng prng;
};

/* What an attempt of a ticket comes to, by whatever way. */
static enum leat_outcome_kind
answer_of(const struct ticket *ticket, uint64_t attempt)
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

/* Gives the token of an attempt away. False: enough are. */
static bool
mail_post(struct ledger *ledger, struct mail mail)
{
    CHECK(pthread_mutex_lock(&ledger->mutex) == 0);
    bool room = ledger->mails_count < LEDGER_PENDING_MAX;
    if (room) {
        ledger->mails[ledger->mails_count] = mail;
        ledger->mails_count++;
    }
    CHECK(pthread_mutex_unlock(&ledger->mutex) == 0);
    return room;
}

static void
side_effects(struct visit *visit)
{
    unsigned char result[LEDGER_RESULT_MAX];
    struct test_prng *prng = &visit->prng;
    if (test_random_below(prng, 4) == 0) {
        CHECK_OK(leat_run_progress(visit->run, test_random_below(prng, 101), NULL));
    }
    if (test_random_below(prng, 4) == 0) {
        CHECK_OK(leat_run_error(visit->run, "the text of an attempt"));
    }
    if (visit->ticket->kept && test_random_below(prng, 2) == 0) {
        uint32_t bytes = test_random_below(prng, LEDGER_RESULT_MAX);
        memset(result, (int)(visit->number & 0xff), bytes);
        CHECK_OK(leat_run_result(visit->run, result, bytes));
        /* Where the submitter has let go of it already, none is set, and none is asked for. */
        visit->ticket->result_bytes = bytes;
    }
    if (test_random_below(prng, 10) == 0) {
        submit_child(visit->ledger, prng);
    }
}

/* Says what it comes to before it answers pending. */
static struct leat_outcome
answer_early(struct visit *visit, enum leat_outcome_kind answer)
{
    leat_token token = leat_run_token(visit->run);
    struct leat_outcome outcome = leat_outcome_of(answer, 0);
    visit->ticket->last = answer;
    CHECK_OK(leat_complete(visit->ledger->engine, token, outcome, NULL));
    CHECK_STATUS(leat_complete(visit->ledger->engine, token, leat_done(), NULL), LEAT_STALE);
    return leat_pending();
}

/* Gives the token away; a completion answers. A stray token is given away, and of no use. */
static struct leat_outcome
answer_elsewhere(struct visit *visit, enum leat_outcome_kind answer)
{
    const struct mail mail = {leat_run_token(visit->run), visit->number,
                              test_random_below(&visit->prng, 4) == 0};
    uint32_t attempt = leat_run_attempt(visit->run);
    if (mail_post(visit->ledger, mail) && !mail.stray) {
        /* Behind the mutex of the mails: now only the engine orders this before what follows. */
        word_put(visit->payload, 8, attempt);
        return leat_pending();
    }
    visit->ticket->last = answer;
    return leat_outcome_of(answer, 0);
}

static void
visit_begin(struct visit *visit)
{
    size_t bytes = 0;
    visit->payload = leat_run_payload(visit->run, &bytes);
    CHECK(bytes >= LEDGER_PAYLOAD_MIN);
    visit->number = word_at(visit->payload, 0);
    CHECK(visit->number < LEDGER_TICKETS);
    struct ticket *ticket = &visit->ledger->tickets[visit->number];
    visit->ticket = ticket;
    visit->prng.state = ~(ticket->seed + ticket->runs);
    CHECK_EQUAL(bytes, ticket->payload_bytes);
    payload_check(visit->payload, ticket->payload_bytes);
    CHECK_EQUAL(word_at(visit->payload, 4), ticket->runs);
    CHECK(word_at(visit->payload, 8) <= ticket->runs);
    CHECK_EQUAL(atom_load_rlx(&ticket->cancelled), 0);
    CHECK(!ticket->unknown);
    ticket->runs++;
    CHECK_EQUAL(leat_run_attempt(visit->run), ticket->runs);
    CHECK_EQUAL(leat_run_max_attempts(visit->run), ledger_attempts(ticket));
    word_put(visit->payload, 4, ticket->runs);
}

static struct leat_outcome
ticket_run(struct leat_run *run, void *context)
{
    struct visit visit = {.ledger = context, .run = run};
    visit_begin(&visit);
    side_effects(&visit);
    enum leat_outcome_kind answer = answer_of(visit.ticket, visit.ticket->runs);
    switch (test_random_below(&visit.prng, 12)) {
    case 0:
        return answer_early(&visit, answer);
    case 1:
        return answer_elsewhere(&visit, answer);
    default:
        visit.ticket->last = answer;
        return leat_outcome_of(answer, 0);
    }
}

/* ---- completions and cancels ----------------------------------------------------------------- */

/* Takes any mail. False: there is none. */
static bool
mail_take(struct ledger *ledger, struct test_prng *prng, struct mail *mail)
{
    CHECK(pthread_mutex_lock(&ledger->mutex) == 0);
    bool any = ledger->mails_count > 0;
    if (any) {
        uint32_t place = test_random_below(prng, ledger->mails_count);
        *mail = ledger->mails[place];
        ledger->mails_count--;
        ledger->mails[place] = ledger->mails[ledger->mails_count];
    }
    CHECK(pthread_mutex_unlock(&ledger->mutex) == 0);
    return any;
}

static void
complete_stray(struct ledger *ledger, const struct mail *mail)
{
    /* While the handler runs it is taken, and forgotten when the handler answers. */
    enum leat_status status = leat_complete(ledger->engine, mail->token, leat_done(), NULL);
    CHECK(status == LEAT_OK || status == LEAT_STALE || status == LEAT_GONE);
}

bool
ledger_complete(struct ledger *ledger, struct test_prng *prng)
{
    struct mail mail;
    if (!mail_take(ledger, prng, &mail)) {
        return false;
    }
    if (mail.stray) {
        complete_stray(ledger, &mail);
        return true;
    }
    struct ticket *ticket = &ledger->tickets[mail.number];
    enum leat_outcome_kind answer = answer_of(ticket, mail.token.attempt);
    const char *text = test_random_below(prng, 2) == 0 ? NULL : "the text of a completion";
    enum leat_status status = LEAT_OK;
    ticket->last = answer;
    for (;;) {
        status = leat_complete(ledger->engine, mail.token, leat_outcome_of(answer, 0), text);
        /* A text while the completion of the attempt before is not quite through with its own:
         * later. */
        if (status != LEAT_BUSY || text == NULL) {
            break;
        }
        leat_os_yield();
    }
    CHECK_STATUS(status, LEAT_OK);
    status = leat_complete(ledger->engine, mail.token, leat_done(), NULL);
    CHECK(status == LEAT_STALE || status == LEAT_GONE);
    return true;
}

enum leat_status
ledger_cancel(struct ledger *ledger, struct ticket *ticket, leat_job_id id)
{
    enum leat_status status = leat_cancel(ledger->engine, id);
    if (status == LEAT_OK) {
        CHECK_EQUAL(atom_add_rlx(&ticket->cancelled, 1), 0);
        /* It waited for its first attempt, or for another one. */
        CHECK(ticket->runs == 0 || ticket->last == LEAT_OUTCOME_RETRY);
    } else if (status == LEAT_RUNNING) {
        (void)atom_add_rlx(&ticket->flagged, 1);
    } else {
        CHECK(status == LEAT_ENDED || status == LEAT_GONE);
    }
    return status;
}

/* ---- what must hold -------------------------------------------------------------------------- */

uint32_t
ledger_attempts(const struct ticket *ticket)
{
    return ticket->max_attempts == 0 ? leat_type_options_default().max_attempts
                                     : ticket->max_attempts;
}

/* The job has ended, so its ticket's plain fields do not change any more. */
static void
check_end(const struct ticket *ticket, const struct leat_job_info *info)
{
    CHECK_EQUAL(info->attempts, ticket->runs);
    if (atom_load_rlx(&ticket->cancelled) != 0) {
        CHECK_EQUAL(info->state, LEAT_JOB_CANCELLED);
    } else if (ticket->runs != 0 && ticket->last == LEAT_OUTCOME_DONE) {
        CHECK_EQUAL(info->state, LEAT_JOB_COMPLETED);
    } else {
        CHECK(info->state == LEAT_JOB_DEAD || info->state == LEAT_JOB_CANCELLED);
    }
    if (info->state != LEAT_JOB_DEAD) {
        CHECK_EQUAL(info->reason, LEAT_REASON_NONE);
    } else if (ticket->unknown) {
        CHECK_EQUAL(info->reason, LEAT_REASON_UNKNOWN_TYPE);
    } else if (ticket->last == LEAT_OUTCOME_FAIL) {
        CHECK_EQUAL(info->reason, LEAT_REASON_FAILED);
    } else {
        CHECK_EQUAL(info->reason, LEAT_REASON_ATTEMPTS);
    }
}

void
ledger_check(const struct ticket *ticket, leat_job_id id, const struct leat_job_info *info)
{
    CHECK_EQUAL(info->id.bits, id.bits);
    CHECK_EQUAL(info->payload_bytes, ticket->payload_bytes);
    CHECK(info->attempts <= info->max_attempts);
    CHECK_EQUAL(info->max_attempts, ledger_attempts(ticket));
    CHECK(info->progress <= 100);
    CHECK(info->state >= LEAT_JOB_PENDING);
    CHECK(info->state <= LEAT_JOB_CANCELLED);
    if (info->state >= LEAT_JOB_COMPLETED) {
        check_end(ticket, info);
    }
}

enum leat_job_state
ledger_verdict(const struct ticket *ticket)
{
    bool flagged = atom_load_rlx(&ticket->flagged) != 0;
    if (atom_load_rlx(&ticket->cancelled) != 0) {
        CHECK(ticket->runs == 0 || ticket->last == LEAT_OUTCOME_RETRY);
        CHECK(ticket->runs < ledger_attempts(ticket));
        return LEAT_JOB_CANCELLED;
    }
    if (ticket->unknown) {
        CHECK_EQUAL(ticket->runs, 0);
        /* For a moment it counts as running, and can be told. */
        return flagged ? LEAT_JOB_CANCELLED : LEAT_JOB_DEAD;
    }
    CHECK(ticket->runs >= 1);
    CHECK(ticket->runs <= ledger_attempts(ticket));
    CHECK_EQUAL(ticket->last, answer_of(ticket, ticket->runs));
    if (ticket->last == LEAT_OUTCOME_DONE) {
        return LEAT_JOB_COMPLETED;
    }
    CHECK(flagged || ticket->last == LEAT_OUTCOME_FAIL || ticket->runs == ledger_attempts(ticket));
    return flagged ? LEAT_JOB_CANCELLED : LEAT_JOB_DEAD;
}

/* ---- begin and end --------------------------------------------------------------------------- */

void
ledger_init(struct ledger *ledger, struct leat_engine *engine)
{
    struct leat_job job = leat_job_default();
    ledger->engine = engine;
    CHECK(pthread_mutex_init(&ledger->mutex, NULL) == 0);
    ledger->known = test_register(engine, "known", ticket_run, ledger);
    job.type_name = "unknown";
    CHECK_OK(leat_submit(engine, &job, NULL));
    CHECK_OK(leat_type_find(engine, "unknown", &ledger->unknown));
}

void
ledger_fini(struct ledger *ledger)
{
    CHECK(pthread_mutex_destroy(&ledger->mutex) == 0);
}
