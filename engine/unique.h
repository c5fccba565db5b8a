/* unique.h - claims: that a text belongs to one job. A unique key and a job's own name are claims.
 * Why so: docs/design/0021.
 *
 * A claim is a node of the engine's table (table.h) that says which job has the text. Whether that
 * job still holds it is not written down: its word says so, each time when somebody asks. So no
 * start and no end of a job has anything to do for its claims, and there is no moment in which a
 * key is held by none and both; who finds a claim that is no longer held puts his own into its
 * place. A key of a time also outlives its job's record, until the time is over.
 *
 * Roles    the submitter takes a claim before its job is published; any thread finds one.
 * Claims   find  as leat_table_find().
 *          take  lock-free; where it has a time, BLOCKING: a mutex, held for a few steps, around
 *                the list of such claims. Behind it one submit in hundreds frees the claims that
 *                were let go: BLOCKING in who stands still in a section of rcu.h.
 *          Once a claim is not held it never is again: jobs do not start backwards, ids are not
 *          given out twice, and a dead job that is brought back takes a claim anew. So between the
 *          look at the word and the replacing of the claim nothing can go wrong: the replacing
 *          fails if the claim is not the one looked at.
 * I1       at most one job holds a text
 * I2       a claim that was added is freed when all who refer to it have let go: the table, its
 *          job's record, and the list of those with a time
 * Edges    drop:A -> drop:A    what the others did with the claim
 *          comes:B -> comes:A  that the job is back
 *          leat_job_word_of() orders the end of the last holder against the next one's submit.
 */
#ifndef ENGINE_UNIQUE_H
#define ENGINE_UNIQUE_H

#include "engine/leat.h"
#include "engine/table.h"
#include "ring/mutex.h"

struct leat_engine;

/* A kind, a type, and the text. */
#define LEAT_CLAIM_BYTES_MAX (1 + sizeof(uint32_t) + 128)
LEAT_STATIC(LEAT_UNIQUE_KEY_BYTES_MAX <= 128, "a key fits");
LEAT_STATIC(LEAT_JOB_NAME_BYTES_MAX <= 128, "a name fits");

/* What a text is. Different kinds do not meet, nor do keys of different types. */
enum leat_claim_kind { LEAT_CLAIM_KEY = 1, LEAT_CLAIM_NAME };

/* Beside enum leat_unique_conflict: the holder gives way, whoever that is. */
#define LEAT_CLAIM_TAKES ((enum leat_unique_conflict)(LEAT_UNIQUE_DEBOUNCE + 1))

/* Letters: I set when made, read-only once added; S many writers. */
struct leat_claim {
    struct leat_table_node node;       /* S first */
    leat_job_id id;                    /* I */
    enum leat_unique_scope scope;      /* I a name: UNTIL_FINISHED */
    enum leat_unique_conflict answers; /* I what to do about a claim that is held */
    struct leat_when when;             /* I with DEBOUNCE */
    uint64_t until_ns;                 /* I with FOR_TIME, by the clock of delays */
    bool took;                         /* I what it has replaced may be in a log as held yet */
    leat_atomic_u32 logged;            /* S bytes in the log of a key whose job has ended */
    leat_atomic_u32 references;        /* S 0: not added; see I2 */
    leat_atomic_u32 comes;             /* W 1: its job is about to be brought back from the dead */
    struct leat_claim *next;           /* S under the mutex */
};

/* Letters: I set at init; S many writers; L under the mutex. */
struct leat_claims {
    struct leat_table table;  /* S */
    pthread_mutex_t mutex;    /* S of the claims with a time, in no order: */
    struct leat_claim *first; /* L */
    struct leat_claim *last;  /* L */
    uint32_t timed;           /* L how many */
};

/* False: no memory, or the system failed. */
bool leat_claims_init(struct leat_engine *engine);
/* pre: no record has a claim any more. */
void leat_claims_fini(struct leat_engine *engine);

/* LEAT_OK, LEAT_INVALID. */
enum leat_status leat_claims_check_options(const struct leat_job_options *options);

/* A claim for the job whose record this is; NULL: no memory. Not inside a section. */
struct leat_claim *leat_claim_make(struct leat_engine *engine, uint32_t index,
                                   enum leat_claim_kind kind, const void *text, size_t bytes);
/* Takes it. LEAT_EXISTS, LEAT_JOINED: another job holds the text, and *id is it. LEAT_BUSY; and as
 * leat_reschedule() where the log cannot have what that has come to. With other answers *id says
 * nothing. Inside a section of rcu.h, which with a log it may leave and enter anew; the job is not
 * published. */
enum leat_status leat_claim_take(struct leat_engine *engine, struct leat_claim *claim,
                                 leat_job_id *id);
/* Another claim to the same text, for a job that is to come back from the dead: it is held from the
 * take on. NULL: no memory. Not inside a section. */
struct leat_claim *leat_claim_renew(struct leat_engine *engine, const struct leat_claim *old);
/* The job is back, or will not be: from now on its word says whether it holds. */
void leat_claim_renewed(struct leat_claim *claim);
/* The job is not to be, after all. Inside a section. */
void leat_claim_take_back(struct leat_engine *engine, struct leat_claim *claim);
/* The record is given back. NULL does nothing. */
void leat_claim_free(struct leat_engine *engine, struct leat_claim *claim);

/* A unique key. */
struct leat_claim_text {
    uint32_t type;
    const void *text;
    size_t bytes;
};
/* pre: it is one. */
struct leat_claim_text leat_claim_text_of(const struct leat_claim *key);
/* How long the job holds the key yet, if that is for a time and no other one has replaced it; or 0.
 * Enters its own section. */
uint64_t leat_claim_left_ns(struct leat_engine *engine, struct leat_claim_text text,
                            leat_job_id id);
/* Holds a key for so long, whoever has it, for a job that is gone. LEAT_NO_MEMORY. pre: nobody else
 * is at the engine; not inside a section. */
enum leat_status leat_claim_hold(struct leat_engine *engine, struct leat_claim_text text,
                                 leat_job_id id, uint64_t left_ns, struct leat_claim **held);

/* Who holds the claim's text at this moment; or 0. Inside a section. */
leat_job_id leat_claim_holder(struct leat_engine *engine, const struct leat_claim *claim);
/* The text of a name's claim; it is not terminated. */
const unsigned char *leat_claim_text(const struct leat_claim *name, size_t *bytes);

/* The job that had the name last, or 0. Enters its own section. */
leat_job_id leat_claim_find_name(struct leat_engine *engine, const char *name);

/* Looks at a few claims with a time, and lets go of those whose time is over; tidies the table.
 * Not inside a section. */
void leat_claims_tidy(struct leat_engine *engine);

/* I2, and that the table is right. pre: quiescent. */
bool leat_claims_check(const struct leat_claims *claims, FILE *why);

#endif
