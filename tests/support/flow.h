/* flow.h - the ledger of campaign_flow: a ticket per job that lives, with what was done to it and
 * what its attempts answered; and what may be true of it at each begin and at its end.
 *
 * A ticket's word has who has it: serial 32 (of the job) | fence 16 (of the attempt) | place. It
 * grows with each attempt, so who comes late with an attempt that is over cannot write it. Times
 * are of the BOOT clock; each was taken before the call that it is about, so that a begin before it
 * is too early, whatever thread was stopped where. */
#ifndef TESTS_SUPPORT_FLOW_H
#define TESTS_SUPPORT_FLOW_H

#include "engine/leat.h"
#include "ring/atomic.h"
#include "tests/support/prng.h"

#define FLOW_TICKETS   2048
#define FLOW_KEYS      24 /* and as many unique keys, and names */
#define FLOW_THREADS   2  /* that submit */
#define FLOW_QUEUES    9
#define FLOW_REVIVED   6 /* of which all dead letters are retried at once; without keys */
#define FLOW_PULL      7 /* this queue and those behind it are pull queues */
#define FLOW_PAYLOAD   208
#define FLOW_TYPES     5
#define FLOW_DEADLINES 4
#define FLOW_BLOCKS    5 /* the queue in which a submit may wait for room */

enum flow_place {
    FLOW_FREE = 0,
    FLOW_WAITS,   /* submitted, or an attempt is over */
    FLOW_RUNS,    /* in a handler */
    FLOW_OUTSIDE, /* pending, or leased */
    FLOW_ANSWERED /* leat_complete() or the like is about to be called, or was */
};

/* What a job's payload begins with. A consumer that comes late may read its own copy, where the
 * ticket is another job's already. */
struct flow_label {
    uint32_t ticket;
    uint32_t serial;
    uint32_t queue;
    uint32_t key; /* FLOW_KEYS: none */
    uint32_t thread;
    uint32_t order; /* of its thread and key; 0: none is promised */
    bool stays;     /* never DEAD: it has a unique key or a name */
};

struct flow_ticket {
    leat_atomic_u64 word;
    leat_atomic_u64 id; /* 0: not known yet */
    /* OUTSIDE: not over before this; LEAT_FOREVER: never. By the number of the attempt, as one that
     * comes so late that its lease is over may be about to write it beside the next one. */
    leat_atomic_u64 deadlines[FLOW_DEADLINES];
    leat_atomic_u64 due;       /* no begin before this, unless `changed` */
    leat_atomic_u64 tried;     /* serial: somebody was about to cancel it */
    leat_atomic_u64 cancelled; /* serial: that was LEAT_OK */
    leat_atomic_u64 changed;   /* serial: somebody was about to give it another time */
    leat_atomic_u64 revived;   /* serial: somebody was about to retry the dead letter */
    leat_atomic_u32 last;      /* enum leat_outcome_kind of the last attempt, 0: none */
    leat_atomic_u32 parts;     /* the submitter's and the reaper's */
    /* Written before the submit; for the reaper. */
    uint64_t expires; /* not EXPIRED before this */
    uint32_t unique;  /* FLOW_KEYS: none */
    bool kept;
    struct flow_label label;
};

struct flow_queue {
    leat_queue handle;
    const char *name;
    uint32_t most;           /* the highest cap that it ever has; 0: none */
    leat_atomic_u32 running; /* attempts whose end this ledger knows exactly */
    leat_atomic_u64 begun;
    leat_atomic_u64 dropped; /* ends that say so */
    leat_atomic_u32 paused;  /* epoch, odd: leat_queue_pause() has returned */
    leat_atomic_u32 late;    /* begins seen in this epoch */
    leat_atomic_u32 closed;  /* epoch, odd: leat_queue_drain() has returned */
    leat_atomic_u64 purges;
};

struct flow {
    struct leat_engine *engine;
    struct leat_completion_queue *ends;
    leat_type types[FLOW_TYPES];
    struct flow_ticket tickets[FLOW_TICKETS];
    struct flow_queue queues[FLOW_QUEUES];
    leat_atomic_u64 key_holder[FLOW_KEYS]; /* serial 32 | ticket, of the last that began */
    leat_atomic_u32 key_order[FLOW_KEYS][FLOW_THREADS];
    leat_atomic_u64 unique_last[FLOW_KEYS];
    leat_atomic_u64 name_last[FLOW_KEYS];
    leat_atomic_u64 revived_until; /* any dead letter may have been brought back */
    leat_atomic_u64 submitted;
    leat_atomic_u64 begun;
    leat_atomic_u64 completed;
    leat_atomic_u64 dead;
    leat_atomic_u64 cancelled;
    leat_atomic_u64 twice; /* beside itself, or ended twice */
    leat_atomic_u64 key_twice;
    leat_atomic_u64 illegal;
    leat_atomic_u64 free; /* tickets */
};

/* An attempt as its handler or consumer has it. */
struct flow_attempt {
    struct flow_ticket *ticket;
    leat_job_id id;
    leat_token token;
    uint64_t word;     /* as it was written at the begin */
    uint64_t deadline; /* of a lease; LEAT_FOREVER: a handler's */
    struct flow_label label;
};

void flow_init(struct flow *flow);

/* One more that is wrong; says what, the first few times. */
void flow_illegal(struct flow *flow, const char *what, const struct flow_ticket *ticket);
/* A call may answer LEAT_OK, and one other status. */
void flow_expect(struct flow *flow, enum leat_status status, enum leat_status other,
                 const char *what);

/* A free ticket, now the caller's until flow_submitted(); NULL: there is none at `number`. */
struct flow_ticket *flow_claim(struct flow *flow, uint32_t number);
/* The submit answered. Not taken: id is 0. */
void flow_submitted(struct flow *flow, struct flow_ticket *ticket, leat_job_id id);

/* What a submit needs of memory. */
struct flow_order {
    struct flow_ticket *ticket;
    struct leat_job job;
    struct leat_job_options options;
    uint32_t name; /* FLOW_KEYS: none */
    uint32_t closed;
    unsigned char payload[FLOW_PAYLOAD];
    char key[16];
    char unique[16];
    char name_text[16];
};

/* Makes a job of any kind for any free ticket; `plain`: for a batch that is taken as a whole.
 * False: the ticket is not free. */
bool flow_order(struct flow *flow, struct flow_order *order, uint32_t thread,
                struct test_prng *prng, bool plain);
/* The submit of it answered. */
void flow_ordered(struct flow *flow, const struct flow_order *order, enum leat_status status,
                  leat_job_id id);

/* At the begin of a handler, or with a lease. False: it is late, and no longer whose it was. */
bool flow_begin(struct flow *flow, const void *payload, struct flow_attempt *attempt);
/* What an attempt is to come to, but pending. */
struct leat_outcome flow_answer(const struct flow_attempt *attempt, struct test_prng *prng);
/* A handler is about to return it; or a call is about to be made with its token. False: another
 * attempt has begun, or it has ended. */
bool flow_end(struct flow *flow, const struct flow_attempt *attempt, struct leat_outcome outcome);
/* A handler is about to answer pending. `deadline`: as in the ticket. */
void flow_outside(struct flow *flow, struct flow_attempt *attempt, uint64_t deadline);
/* What such a call answered. Only what is over may be stale. */
void flow_answered(struct flow *flow, const struct flow_attempt *attempt, enum leat_status status);

/* The job of a completion has ended as that says. Gives the ticket back, but for dead letters. */
void flow_reap(struct flow *flow, const struct leat_completion *end);
/* Looks whether a dead letter is gone; then its ticket is free. */
void flow_bury(struct flow *flow, uint32_t number);

/* A job that lives, or lived; 0: none. Its serial for `tried` and the like. */
leat_job_id flow_pick(struct flow *flow, uint32_t number, uint32_t *serial);

#endif
