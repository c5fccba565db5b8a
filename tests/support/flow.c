/* flow.c - see flow.h. */
#include "tests/support/flow.h"

#include <inttypes.h>
#include <string.h>

#include "ring/os.h"
#include "tests/support/check.h"

#define SAID_MAX 20
#define SLIP     40 /* begins that may be noted behind a pause: each worker's, batches too */

/* ---- words ----------------------------------------------------------------------------------- */

static uint64_t
word_of(uint32_t serial, uint64_t fence, enum flow_place place)
{
    return (uint64_t)serial << 32 | (fence & 0xffff) << 8 | place;
}

static uint32_t
word_serial(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

static uint32_t
word_fence(uint64_t word)
{
    return (uint32_t)(word >> 8 & 0xffff);
}

static enum flow_place
word_place(uint64_t word)
{
    return (enum flow_place)(word & 0xff);
}

/* Of the attempt that the word is of. */
static uint64_t
deadline_of(const struct flow_ticket *ticket, uint64_t word)
{
    return atom_load_acq(&ticket->deadlines[word_fence(word) % FLOW_DEADLINES]);
}

static void
deadline_set(struct flow_ticket *ticket, uint64_t word, uint64_t deadline)
{
    atom_store_rel(&ticket->deadlines[word_fence(word) % FLOW_DEADLINES], deadline);
}

static void
count(leat_atomic_u64 *counter)
{
    (void)atom_add_rlx(counter, 1);
}

void
flow_illegal(struct flow *flow, const char *what, const struct flow_ticket *ticket)
{
    if (atom_add_rlx(&flow->illegal, 1) < SAID_MAX) {
        uint64_t word = ticket == NULL ? 0 : atom_load_acq(&ticket->word);
        test_say("flow: %s: ticket %td, word %" PRIx64 ", id %" PRIx64 ", queue %u, last %u\n",
                 what, ticket == NULL ? -1 : ticket - flow->tickets, word,
                 ticket == NULL ? 0 : atom_load_acq(&ticket->id),
                 ticket == NULL ? 0 : ticket->label.queue,
                 ticket == NULL ? 0 : atom_load_acq(&ticket->last));
    }
}

void
flow_expect(struct flow *flow, enum leat_status status, enum leat_status other, const char *what)
{
    if (status != LEAT_OK && status != other) {
        test_say("flow: %s: %s\n", what, leat_status_text(status));
        flow_illegal(flow, "a status", NULL);
    }
}

void
flow_init(struct flow *flow)
{
    atom_store_rlx(&flow->free, FLOW_TICKETS);
}

/* ---- a ticket's life ------------------------------------------------------------------------- */

struct flow_ticket *
flow_claim(struct flow *flow, uint32_t number)
{
    struct flow_ticket *ticket = &flow->tickets[number];
    uint64_t word = atom_load_acq(&ticket->word);
    uint32_t serial = word_serial(word) + 1;
    if (word_place(word) != FLOW_FREE ||
        !atom_cas_acq_rel(&ticket->word, &word, word_of(serial, 0, FLOW_WAITS))) {
        return NULL;
    }
    (void)atom_sub_rlx(&flow->free, 1);
    ticket->label = (struct flow_label){.ticket = number, .serial = serial};
    atom_store_rel(&ticket->id, 0);
    atom_store_rel(&ticket->last, 0);
    atom_store_rel(&ticket->parts, 2);
    atom_store_rel(&ticket->due, 0);
    return ticket;
}

static void
part(struct flow *flow, struct flow_ticket *ticket)
{
    if (atom_sub_acq_rel(&ticket->parts, 1) == 1) {
        uint64_t word = atom_load_acq(&ticket->word);
        atom_store_rel(&ticket->id, 0);
        atom_store_rel(&ticket->word, word_of(word_serial(word), 0, FLOW_FREE));
        (void)atom_add_rlx(&flow->free, 1);
    }
}

void
flow_submitted(struct flow *flow, struct flow_ticket *ticket, leat_job_id id)
{
    if (id.bits == 0) {
        part(flow, ticket);
    } else {
        atom_store_rel(&ticket->id, id.bits);
    }
    part(flow, ticket);
}

leat_job_id
flow_pick(struct flow *flow, uint32_t number, uint32_t *serial)
{
    struct flow_ticket *ticket = &flow->tickets[number];
    uint64_t before = atom_load_acq(&ticket->word);
    leat_job_id id = {atom_load_acq(&ticket->id)};
    uint64_t behind = atom_load_acq(&ticket->word);
    *serial = word_serial(before);
    if (word_serial(before) != word_serial(behind) || word_place(before) == FLOW_FREE ||
        word_place(behind) == FLOW_FREE) {
        id.bits = 0;
    }
    return id;
}

/* ---- attempts -------------------------------------------------------------------------------- */

/* Of two jobs with one key: the one seen before must have ended, when another one has begun. But
 * for a dead letter that was brought back: it comes to its key anew. */
static bool
key_taken(struct flow *flow, const struct flow_label *label)
{
    uint64_t self = (uint64_t)label->serial << 32 | label->ticket;
    uint64_t before = atom_swap_acq_rel(&flow->key_holder[label->key], self);
    uint32_t number = (uint32_t)before;
    uint32_t serial = 0;
    leat_job_id id = flow_pick(flow, number, &serial);
    struct leat_job_info info = leat_job_info_default();
    return before != 0 && before != self && id.bits != 0 && serial == before >> 32 &&
           leat_get(flow->engine, id, &info) == LEAT_OK && info.state < LEAT_JOB_COMPLETED &&
           atom_load_acq(&flow->tickets[number].revived) != serial;
}

static const char beside[] = "it begins beside itself";

/* What must be true when an attempt has just begun; NULL, or what is wrong. */
static const char *
wrong_at_begin(struct flow *flow, const struct flow_ticket *ticket, uint64_t word,
               const struct flow_attempt *attempt)
{
    uint64_t now = leat_os_boot_ns();
    uint32_t serial = word_serial(attempt->word);
    enum flow_place place = word_place(word);
    uint16_t newer = (uint16_t)(word_fence(attempt->word) - word_fence(word));
    if (word_serial(word) != serial || place == FLOW_FREE) {
        return "it begins behind its end";
    }
    if (place == FLOW_RUNS || (place == FLOW_OUTSIDE && now < deadline_of(ticket, word))) {
        return beside;
    }
    if (newer == 0 || newer > 0x7fff) {
        return "an attempt's number does not grow";
    }
    if (atom_load_acq(&ticket->cancelled) == serial) {
        return "it begins behind its cancel";
    }
    /* An answer that came too late has no say in when the next attempt is due. */
    bool late = place == FLOW_ANSWERED && now >= deadline_of(ticket, word);
    bool all = attempt->label.queue == FLOW_REVIVED && now < atom_load_acq(&flow->revived_until);
    bool other = late || all || atom_load_acq(&ticket->changed) == serial;
    if (!other && now < atom_load_acq(&ticket->due)) {
        return "it begins too early";
    }
    return NULL;
}

/* The order of a key is that of first attempts. */
static bool
out_of_order(struct flow *flow, const struct flow_ticket *ticket, const struct flow_label *label,
             uint64_t word)
{
    if (label->key == FLOW_KEYS || label->order == 0 || word_fence(word) != 0) {
        return false;
    }
    leat_atomic_u32 *last = &flow->key_order[label->key][label->thread];
    if (atom_load_acq(&ticket->changed) == word_serial(word)) {
        return false;
    }
    uint32_t before = atom_load_acq(last);
    while (before < label->order && !atom_cas_acq_rel(last, &before, label->order)) {
    }
    return before > label->order;
}

static void
note_queue(struct flow *flow, const struct flow_attempt *attempt, bool handler)
{
    struct flow_queue *queue = &flow->queues[attempt->label.queue];
    count(&queue->begun);
    count(&flow->begun);
    if (handler) {
        uint32_t running = atom_add_rlx(&queue->running, 1) + 1;
        if (queue->most != 0 && running > queue->most) {
            flow_illegal(flow, "more run than the cap", attempt->ticket);
        }
    }
    uint32_t paused = atom_load_acq(&queue->paused);
    if ((paused & 1) != 0 && atom_add_rlx(&queue->late, 1) + 1 > SLIP &&
        atom_load_acq(&queue->paused) == paused) {
        flow_illegal(flow, "it begins in a pause", attempt->ticket);
    }
}

bool
flow_begin(struct flow *flow, const void *payload, struct flow_attempt *attempt)
{
    bool handler = attempt->deadline == LEAT_FOREVER;
    struct flow_label *label = &attempt->label;
    memcpy(label, payload, sizeof(*label));
    if (label->ticket >= FLOW_TICKETS) {
        flow_illegal(flow, "its payload is another one", NULL);
        return false;
    }
    struct flow_ticket *ticket = &flow->tickets[label->ticket];
    attempt->ticket = ticket;
    attempt->word =
        word_of(label->serial, attempt->token.attempt, handler ? FLOW_RUNS : FLOW_OUTSIDE);
    uint64_t word = atom_load_acq(&ticket->word);
    const char *wrong = NULL;
    bool disorder = false;
    bool taken = false;
    do {
        wrong = wrong_at_begin(flow, ticket, word, attempt);
        if (wrong != NULL) {
            break;
        }
        disorder = out_of_order(flow, ticket, label, word);
        deadline_set(ticket, attempt->word, attempt->deadline);
    } while (!atom_cas_acq_rel(&ticket->word, &word, attempt->word));
    if (wrong == NULL) {
        taken = label->key != FLOW_KEYS && key_taken(flow, label);
        note_queue(flow, attempt, handler);
    }
    /* Who comes so late that its lease may be over has seen nothing that counts. */
    if (leat_os_boot_ns() < attempt->deadline) {
        if (wrong != NULL || disorder) {
            flow_illegal(flow, wrong != NULL ? wrong : "a key's order", ticket);
        }
        if (wrong == beside) {
            count(&flow->twice);
        }
        if (taken) {
            count(&flow->key_twice);
        }
    }
    return wrong == NULL;
}

static void
leave_queue(struct flow *flow, const struct flow_attempt *attempt)
{
    (void)atom_sub_rlx(&flow->queues[attempt->label.queue].running, 1);
}

bool
flow_end(struct flow *flow, const struct flow_attempt *attempt, struct leat_outcome outcome)
{
    struct flow_ticket *ticket = attempt->ticket;
    uint32_t serial = word_serial(attempt->word);
    uint64_t word = attempt->word;
    bool handler = word_place(word) == FLOW_RUNS;
    if (atom_load_acq(&ticket->word) == word) {
        bool again = outcome.kind == LEAT_OUTCOME_SNOOZE || outcome.kind == LEAT_OUTCOME_RETRY;
        bool known = outcome.delay_ns != LEAT_DELAY_OF_POLICY;
        atom_store_rel(&ticket->due, again && known ? leat_os_boot_ns() + outcome.delay_ns : 0);
        atom_store_rel(&ticket->last, outcome.kind);
    }
    enum flow_place place = handler ? FLOW_WAITS : FLOW_ANSWERED;
    bool ours = atom_cas_acq_rel(&ticket->word, &word, word_of(serial, word_fence(word), place));
    if (handler) {
        leave_queue(flow, attempt);
        if (!ours) {
            count(&flow->twice);
            flow_illegal(flow, "another attempt began while a handler ran", ticket);
        }
    }
    return ours;
}

void
flow_outside(struct flow *flow, struct flow_attempt *attempt, uint64_t deadline)
{
    struct flow_ticket *ticket = attempt->ticket;
    uint64_t word = attempt->word;
    attempt->word = word_of(word_serial(word), word_fence(word), FLOW_OUTSIDE);
    attempt->deadline = deadline;
    deadline_set(ticket, attempt->word, deadline);
    atom_store_rel(&ticket->due, 0);
    leave_queue(flow, attempt);
    if (!atom_cas_acq_rel(&ticket->word, &word, attempt->word)) {
        count(&flow->twice);
        flow_illegal(flow, "another attempt began while a handler ran", ticket);
    }
}

void
flow_answered(struct flow *flow, const struct flow_attempt *attempt, enum leat_status status)
{
    bool over = leat_os_boot_ns() >= attempt->deadline;
    bool gone = status == LEAT_STALE || status == LEAT_GONE;
    if (status != LEAT_OK && !(gone && over)) {
        flow_illegal(flow, leat_status_text(status), attempt->ticket);
    }
}

/* ---- ends ------------------------------------------------------------------------------------ */

static bool
may_be_cancelled(struct flow *flow, const struct flow_ticket *ticket, uint32_t serial)
{
    return atom_load_acq(&ticket->tried) == serial || ticket->unique != FLOW_KEYS ||
           atom_load_acq(&flow->queues[ticket->label.queue].purges) != 0;
}

static const char *
wrong_dead(const struct flow_ticket *ticket, enum leat_reason reason, uint64_t word)
{
    uint64_t now = leat_os_boot_ns();
    enum flow_place place = word_place(word);
    uint32_t last = atom_load_acq(&ticket->last);
    bool outside = place == FLOW_OUTSIDE || place == FLOW_ANSWERED;
    bool fits = false;
    if (reason == LEAT_REASON_FAILED) {
        fits = last == LEAT_OUTCOME_FAIL;
    } else if (reason == LEAT_REASON_ATTEMPTS) {
        fits = last == LEAT_OUTCOME_RETRY;
    } else if (reason == LEAT_REASON_TIMEOUT) {
        /* A consumer that is stopped behind leat_reserve() has not noted its lease. */
        bool over = outside && now >= deadline_of(ticket, word);
        fits = over || (place != FLOW_OUTSIDE && ticket->label.queue >= FLOW_PULL);
    } else if (reason == LEAT_REASON_EXPIRED) {
        fits = now >= ticket->expires;
    }
    return ticket->label.stays ? "it died that never fails"
           : fits              ? NULL
                               : leat_reason_text(reason);
}

/* Perhaps by one call for all of a queue, just now or a moment ago. */
static bool
revived(struct flow *flow, const struct flow_ticket *ticket, uint32_t serial)
{
    return atom_load_acq(&ticket->revived) == serial ||
           (ticket->label.queue == FLOW_REVIVED &&
            leat_os_boot_ns() < atom_load_acq(&flow->revived_until));
}

/* NULL, or why the job cannot have ended so. */
static const char *
wrong_at_end(struct flow *flow, const struct flow_ticket *ticket, const struct leat_completion *end)
{
    uint64_t word = atom_load_acq(&ticket->word);
    uint32_t serial = word_serial(word);
    leat_job_id id = {atom_load_acq(&ticket->id)};
    if (word_place(word) == FLOW_FREE || (id.bits != 0 && id.bits != end->id.bits)) {
        count(&flow->twice);
        return "it ends behind its end";
    }
    if (end->state == LEAT_JOB_DEAD && revived(flow, ticket, serial)) {
        return NULL; /* what is noted may be of its second life */
    }
    if (word_place(word) == FLOW_RUNS) {
        return "it ends while it runs";
    }
    if (end->state != LEAT_JOB_CANCELLED && atom_load_acq(&ticket->cancelled) == serial) {
        return "it was cancelled, and ends otherwise";
    }
    if (end->state == LEAT_JOB_COMPLETED) {
        bool done = atom_load_acq(&ticket->last) == LEAT_OUTCOME_DONE;
        return done && word_fence(word) != 0 ? NULL : "nobody completed it";
    }
    if (end->state == LEAT_JOB_DEAD) {
        return wrong_dead(ticket, end->reason, word);
    }
    if (end->reason == LEAT_REASON_DROPPED) {
        count(&flow->queues[ticket->label.queue].dropped);
        return word_fence(word) == 0 ? NULL : "it was dropped, and had run";
    }
    return may_be_cancelled(flow, ticket, serial) ? NULL : "nobody cancelled it";
}

/* What is kept says the same, with the result of the last attempt; then it is let go of. */
static void
look_at_kept(struct flow *flow, const struct flow_ticket *ticket, const struct leat_completion *end)
{
    struct leat_job_info info = leat_job_info_default();
    uint64_t result = 0;
    size_t bytes = 0;
    enum leat_status status = leat_get(flow->engine, end->id, &info);
    bool revived = end->state == LEAT_JOB_DEAD;
    if (status != LEAT_OK || (info.state != end->state && !revived)) {
        flow_illegal(flow, "what is kept is not what ended", ticket);
        return;
    }
    if (end->state == LEAT_JOB_COMPLETED) {
        status = leat_result(flow->engine, end->id, &result, sizeof(result), &bytes);
        if (status != LEAT_OK || bytes != sizeof(result) || result != end->id.bits) {
            flow_illegal(flow, "another result", ticket);
        }
    }
    if (leat_release(flow->engine, end->id) != LEAT_OK) {
        flow_illegal(flow, "it cannot be released", ticket);
    }
}

void
flow_reap(struct flow *flow, const struct leat_completion *end)
{
    struct flow_ticket *ticket = end->user;
    const char *wrong = wrong_at_end(flow, ticket, end);
    if (wrong != NULL) {
        flow_illegal(flow, wrong, ticket);
    }
    count(end->state == LEAT_JOB_COMPLETED ? &flow->completed
          : end->state == LEAT_JOB_DEAD    ? &flow->dead
                                           : &flow->cancelled);
    if (ticket->kept) {
        look_at_kept(flow, ticket, end);
    }
    if (end->state == LEAT_JOB_DEAD) {
        atom_store_rel(&ticket->id, end->id.bits);
        atom_store_rel(&ticket->due, 0);
        atom_store_rel(&ticket->changed, word_serial(atom_load_acq(&ticket->word)));
        (void)atom_or_acq_rel(&ticket->parts, 1U << 31);
        return;
    }
    part(flow, ticket);
}

void
flow_bury(struct flow *flow, uint32_t number)
{
    struct flow_ticket *ticket = &flow->tickets[number];
    uint32_t parts = atom_load_acq(&ticket->parts);
    struct leat_job_info info = leat_job_info_default();
    if ((parts >> 31) == 0) {
        return;
    }
    leat_job_id id = {atom_load_acq(&ticket->id)};
    if (leat_get(flow->engine, id, &info) == LEAT_GONE) {
        (void)atom_sub_acq_rel(&ticket->parts, 1U << 31);
        part(flow, ticket);
    }
}
