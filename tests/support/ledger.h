/* ledger.h - what a stress test knows of each job beside the engine: what was submitted, what its
 * attempts answered, what cancels were told; and from that, what the job must have come to.
 *
 * There is a ticket per job. Its handler checks that payload and attempt are the right ones, writes
 * into ticket and payload, and answers in one of the ways that a handler has: itself, through
 * leat_complete() before it returns, or pending, and then ledger_complete() answers from another
 * thread.
 * What is not atomic in a ticket is plain data on purpose: only the engine orders it from the
 * submitter to the first attempt, from there to the next, and to whoever learns of the end. So
 * ThreadSanitizer sees an attempt beside another one, or a missing edge, as a race. */
#ifndef TESTS_SUPPORT_LEDGER_H
#define TESTS_SUPPORT_LEDGER_H

#include <pthread.h>

#include "engine/leat.h"
#include "ring/atomic.h"
#include "tests/support/prng.h"

#define LEDGER_TICKETS     24000
#define LEDGER_PENDING_MAX 48 /* beyond it a handler answers itself; fewer than there are records */
#define LEDGER_PAYLOAD_MIN 16
#define LEDGER_RESULT_MAX  300

struct ticket {
    uint64_t seed; /* of what its attempts answer */
    uint32_t payload_bytes;
    uint32_t max_attempts; /* as submitted; 0: the type's */
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

struct mail {
    leat_token token;
    uint32_t number; /* of the ticket */
    bool stray;      /* the handler does not answer pending after all */
};

struct ledger {
    struct leat_engine *engine;
    leat_type known;
    leat_type unknown;
    leat_atomic_u32 issued; /* tickets, and how many more were asked for */
    pthread_mutex_t mutex;
    struct mail mails[LEDGER_PENDING_MAX]; /* under the mutex, as the count */
    uint32_t mails_count;
    struct ticket tickets[LEDGER_TICKETS];
};

/* pre: zeroed; the engine is open. Registers the type, and submits one job of an unknown one. */
void ledger_init(struct ledger *ledger, struct leat_engine *engine);
void ledger_fini(struct ledger *ledger);

/* A ticket's number; LEDGER_TICKETS: there are no more. */
uint32_t ledger_ticket(struct ledger *ledger, struct test_prng *prng, bool kept);
/* The job of a ticket. `payload` has room for `bytes`, at least LEDGER_PAYLOAD_MIN. */
struct leat_job ledger_job(struct ledger *ledger, uint32_t number, unsigned char *payload,
                           uint32_t bytes);
/* The engine took it: others may look at it from now on. */
void ledger_accept(struct ledger *ledger, uint32_t number, leat_job_id id);

/* Completes one pending attempt, if there is any. */
bool ledger_complete(struct ledger *ledger, struct test_prng *prng);

/* leat_cancel(), and what it said is noted. */
enum leat_status ledger_cancel(struct ledger *ledger, struct ticket *ticket, leat_job_id id);

uint32_t ledger_attempts(const struct ticket *ticket);
/* What the engine says of a job, while it goes on or after its end. */
void ledger_check(const struct ticket *ticket, leat_job_id id, const struct leat_job_info *info);
/* What the job must have come to. pre: it ended, and no thread is at work. */
enum leat_job_state ledger_verdict(const struct ticket *ticket);

#endif
