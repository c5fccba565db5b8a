/* job.h - the job record, and the word in which everything about a job is decided.
 *
 * Word, 64 bits (the slab's word of the record; see ring/slab.h for the generation)
 *   63..26  generation, odd while the record is in use
 *   25..20  attempt     low bits of the attempt, so that a completion of an earlier one fails. (To
 *                       be taken for the right one it would have to sleep, after its claim, through
 *                       a multiple of 64 attempts that all were timed out, or gave tokens away and
 *                       did not answer pending.)
 *   19..12  holds       threads inside leat_wait(), leat_get(), leat_result() on this job
 *   11..9   outcome     what leat_complete() said: 2 bits of kind, 1 of whether it left a text; 0:
 *                       nothing. The text alone is TIMED_OUT, said by the watcher (watch.h) or by
 *                       who has the role of a wheel (pending.h): from then on leat_complete() is
 *                       stale, and the attempt has failed, whatever its handler answers. The same
 *                       bit is EXPIRED while DEAD: a sweep ended it (sweep.h), and the record's
 *                       reason is not its own; and DROPPED while CANCELLED (trail.h). Bit 10
 *                       is PARENT while CANCELLED: a parent failed, which ended it (graph.h)
 *    8      CLAIMED     a leat_complete() is at work
 *    7      AWAITED     the handler answered pending; leat_complete() ends the attempt
 *    6      CANCEL      cancel was asked while RUNNING
 *    5      KEPT        LEAT_JOB_KEEP_RESULT, until leat_release()
 *    4      LINKED      a place (a ring, a worker's hand, a wheel, a book) has the index.
 *                       While RUNNING: with AWAITED only, and then it is a wheel (pending.h)
 *    3..0   phase
 *   Some have another meaning while the phase is SCHEDULED or RETRYING (docs/design/0017):
 *    9      HANDED      while CHANGING: who took the index from its place left it to that thread
 *    8      CHANGING    a thread is at time or level, and the job goes nowhere until it has ended
 *    7      MOVED       the index may be in another place than a wheel: time and level are new
 *   A PENDING job has none of them; one that is CANCELLED, or DEAD and EXPIRED, may have the first
 *   two until the change ends.
 *
 * State first, link second: a thread first changes the word, then puts the index into a place. A
 * record whose phase is final, with no LINKED, KEPT or holds, is gone: the same compare-and-swap
 * that removes the last of them sets phase GONE, and its thread alone gives the record back.
 *
 * Who may take which edge (all by compare-and-swap on the word, except the first)
 *   FILLING  -> PENDING    the submitter, before the index is in a ring
 *   PENDING  -> RUNNING    the worker that took the index from a ring or its hand
 *   FILLING  -> SCHEDULED  the submitter, before its timer is armed
 *   FILLING  -> RUNNING    who runs it inline; the attempts behind the first are RUNNING, too
 *   SCHEDULED | RETRYING -> PENDING      who holds the role of its wheel, when its time has come
 *   SCHEDULED | RETRYING | PENDING -> CANCELLED    any thread: leat_cancel()
 *   PENDING  -> SCHEDULED  any thread: leat_reschedule(), leat_priority_set(); with MOVED
 *   SCHEDULED | RETRYING | PENDING -> DEAD         who sweeps: it has expired; with EXPIRED
 *   DEAD     -> PENDING | SCHEDULED      who took it out of the book of dead letters, while nobody
 *                                        has a hold; the index stays with that thread (dead.h)
 *   RUNNING  -> RETRYING | SCHEDULED     the worker, or leat_complete(): a retry with a delay, a
 *                                        snooze; before its timer is armed
 *   RUNNING  -> PENDING    the worker, or leat_complete(): a retry
 *   RUNNING  -> COMPLETED | DEAD | CANCELLED    the worker, or leat_complete()
 *   FILLING  -> BLOCKED    the submitter, before its parents know it (graph.h)
 *   BLOCKED  -> PENDING | SCHEDULED      who has counted its last parent
 *   BLOCKED  -> COMPLETED  the same, where it is a cohort (cohort.h)
 *   BLOCKED  -> CANCELLED | DEAD         any thread, as PENDING; who sees a parent fail
 *   final    -> GONE       who removes the last hold
 *
 * If a thread stops for ever: before its swap, nothing has happened; after a swap to PENDING and
 * before the push, that job waits with it; after a swap to a final phase, the record is not given
 * back. No other job is held up by any of these.
 */
#ifndef ENGINE_JOB_H
#define ENGINE_JOB_H

#include "engine/limits.h"
#include "engine/progress.h"
#include "ring/slab.h"

enum leat_phase {
    LEAT_PHASE_FILLING = 0,
    LEAT_PHASE_SCHEDULED = 1, /* 1 to 8 are enum leat_job_state */
    LEAT_PHASE_BLOCKED = 2,
    LEAT_PHASE_PENDING = 3,
    LEAT_PHASE_RUNNING = 4,
    LEAT_PHASE_RETRYING = 5,
    LEAT_PHASE_COMPLETED = 6,
    LEAT_PHASE_DEAD = 7,
    LEAT_PHASE_CANCELLED = 8,
    LEAT_PHASE_GONE = 9,
    LEAT_PHASE_COUNT
};

#define LEAT_WORD_PHASE         UINT64_C(0xf)
#define LEAT_WORD_LINKED        (UINT64_C(1) << 4)
#define LEAT_WORD_KEPT          (UINT64_C(1) << 5)
#define LEAT_WORD_CANCEL        (UINT64_C(1) << 6)
#define LEAT_WORD_AWAITED       (UINT64_C(1) << 7)
#define LEAT_WORD_CLAIMED       (UINT64_C(1) << 8)
#define LEAT_WORD_OUTCOME_SHIFT 9
#define LEAT_WORD_OUTCOME       (UINT64_C(7) << LEAT_WORD_OUTCOME_SHIFT)
#define LEAT_WORD_OUTCOME_KIND  UINT64_C(3)
#define LEAT_WORD_OUTCOME_TEXT  UINT64_C(4)
#define LEAT_WORD_TIMED_OUT     (LEAT_WORD_OUTCOME_TEXT << LEAT_WORD_OUTCOME_SHIFT)
#define LEAT_WORD_MOVED         LEAT_WORD_AWAITED
#define LEAT_WORD_CHANGING      LEAT_WORD_CLAIMED
#define LEAT_WORD_HANDED        (UINT64_C(1) << LEAT_WORD_OUTCOME_SHIFT)
#define LEAT_WORD_EXPIRED       (LEAT_WORD_OUTCOME_TEXT << LEAT_WORD_OUTCOME_SHIFT)
#define LEAT_WORD_DROPPED       LEAT_WORD_EXPIRED
#define LEAT_WORD_PARENT        (UINT64_C(2) << LEAT_WORD_OUTCOME_SHIFT)
#define LEAT_WORD_HOLD          (UINT64_C(1) << 12)
#define LEAT_WORD_HOLDS         (UINT64_C(255) << 12)
#define LEAT_WORD_ATTEMPT_SHIFT 20
#define LEAT_WORD_ATTEMPT       (UINT64_C(63) << LEAT_WORD_ATTEMPT_SHIFT)

/* What belongs to one attempt and goes with it. */
#define LEAT_WORD_OF_ATTEMPT (LEAT_WORD_AWAITED | LEAT_WORD_CLAIMED | LEAT_WORD_OUTCOME)

struct leat_job_terms;
struct leat_key;
struct leat_job_labels;
struct leat_job_order;
struct leat_job_durable;

/* What only some jobs need: from the allocator, at the first use, until the record is gone.
 * Letters: I set by the submitter; O the attempt's thread while RUNNING, readers after the end;
 * W one writer. */
struct leat_job_extra {
    leat_atomic_pointer errors;       /* S struct leat_job_errors of history.h, or NULL */
    leat_atomic_pointer history;      /* W struct leat_job_history of history.h, or NULL */
    void *result;                     /* O */
    size_t result_bytes;              /* O */
    struct leat_job_terms *terms;     /* I see terms.h; NULL: those of its type */
    leat_atomic_pointer progress;     /* W struct leat_progress, or NULL */
    leat_atomic_u32 crashes;          /* W see dead.h */
    uint32_t acknowledgement;         /* I slot of a completion queue, or 0; see transit.c */
    struct leat_key *key;             /* I see keys.h; NULL: none */
    struct leat_job_labels *labels;   /* I see labels.h; or NULL */
    struct leat_job_order *order;     /* I see order.h; NULL: its queue has no exact order */
    leat_atomic_pointer node;         /* S struct leat_node of graph.h, or NULL */
    uint64_t submitter;               /* I of its options, or 0 */
    struct leat_job_durable *durable; /* I see durable/durable.h; NULL: it is not */
};

LEAT_STATIC(sizeof(struct leat_job_extra) < 110, "what needs a pointer does not pay for texts");

/* One line. Letters: I set by the submitter, read-only while the job lives; O who has it
 * in hand; W one writer at a time, many readers; S many writers. */
struct leat_job_record {
    leat_atomic_u32 link_next;     /* S links of the place that has the record; rings need none */
    uint16_t admitted;             /* O what it entered, see below; 0: nothing */
    bool returned;                 /* O older than those listed: it was there before, or admitted */
    uint8_t window;                /* O level + 1 whose window it is in, see windows.h; 0: none */
    uint32_t spare;                /* Q */
    leat_atomic_u32 payload_bytes; /* I as type */
    leat_atomic_u64 submit_ns;     /* W monotonic, since when it waits; 0: this job is not timed */
    leat_atomic_u16 type;         /* I index; read by cancels that hold nothing, as are queue and */
    leat_atomic_u16 queue;        /* W index;   priority */
    uint16_t max_attempts;        /* I 0: the type's */
    leat_atomic_u16 attempts;     /* W begun so far */
    leat_atomic_u8 priority;      /* S level, and LEAT_JOB_COUNTED; see docs/design/0017 */
    leat_atomic_u8 reason;        /* W enum leat_reason, before the end is swapped in */
    leat_atomic_u8 late;          /* W 1: the last attempt's error is late_error; as reason */
    leat_atomic_u8 payload_place; /* S enum leat_payload_place; see leat_job_free_payload() */
    leat_atomic_u32 notice;       /* I slot of its completion queue, or 0; see leat_cancel() */
    leat_atomic_pointer extra;    /* S struct leat_job_extra, or NULL */
    union {
        unsigned char bytes[LEAT_PAYLOAD_RECORD_BYTES]; /* O */
        void *pointer;                                  /* O */
    } payload;
};

/* The gates of its queue and type; and their buckets, where it has not begun yet. */
#define LEAT_ADMITTED       1U
#define LEAT_ADMITTED_QUEUE 2U
#define LEAT_ADMITTED_TYPE  4U
/* The bucket of its tenant, where it has not begun yet. */
#define LEAT_ADMITTED_TENANT 128U
/* Of reserves.h, while its handler has not returned; at most one of these. */
#define LEAT_ADMITTED_PLACE      8U
#define LEAT_ADMITTED_KEPT_QUEUE 16U
#define LEAT_ADMITTED_KEPT_TYPE  32U
/* Of order.h: it left the heap of its queue, and has not begun. */
#define LEAT_ADMITTED_AHEAD 64U
/* A probe of its type's breaker (breaker.h). */
#define LEAT_ADMITTED_PROBE 256U
#define LEAT_ADMITTED_PLACES                                                                       \
    (LEAT_ADMITTED_PLACE | LEAT_ADMITTED_KEPT_QUEUE | LEAT_ADMITTED_KEPT_TYPE)

/* Beside the level: the job's queue has a limit, and counts it while it is PENDING. */
#define LEAT_JOB_COUNTED 128U
/* It was put off, brought back, or waited for others: it waits for a worker, but not since its
 * submit (trail.h). */
#define LEAT_JOB_PUT_OFF 32U
/* It was snoozed: its timer's node says how often. */
#define LEAT_JOB_SNOOZED 64U
#define LEAT_JOB_LEVEL   15U

enum leat_payload_place {
    LEAT_PAYLOAD_NONE = 0,
    LEAT_PAYLOAD_RECORD, /* in the record */
    LEAT_PAYLOAD_INLINE, /* in the array beside the records */
    LEAT_PAYLOAD_HEAP    /* from the allocator */
};

LEAT_STATIC(sizeof(struct leat_job_record) == 64, "a record is one line of 64 bytes");
LEAT_STATIC(offsetof(struct leat_job_record, payload) == 48, "the payload is aligned to 16");
LEAT_STATIC((LEAT_WORD_ATTEMPT >> LEAT_WORD_ATTEMPT_SHIFT) << LEAT_WORD_ATTEMPT_SHIFT <
                UINT64_C(1) << LEAT_INDEX_BITS,
            "the flags stay below the generation");
LEAT_STATIC((LEAT_WORD_EXPIRED & (LEAT_WORD_MOVED | LEAT_WORD_CHANGING | LEAT_WORD_HANDED)) == 0,
            "a job may expire while it is changed");
LEAT_STATIC(LEAT_WORD_HOLDS / LEAT_WORD_HOLD == LEAT_HOLDS_MAX, "holds have 8 bits");

LEAT_INLINE uint32_t
leat_job_queue(const struct leat_job_record *record)
{
    return atom_load_rlx(&record->queue); /* rlx: ordered by submit:A */
}

LEAT_INLINE uint32_t
leat_job_type(const struct leat_job_record *record)
{
    return atom_load_rlx(&record->type); /* rlx: ordered by submit:A */
}

LEAT_INLINE uint32_t
leat_job_payload_bytes(const struct leat_job_record *record)
{
    return atom_load_rlx(&record->payload_bytes); /* rlx: ordered by submit:A */
}

LEAT_INLINE uint8_t
leat_payload_place(const struct leat_job_record *record)
{
    return atom_load_rlx(&record->payload_place); /* rlx: ordered by submit:A */
}

LEAT_INLINE void
leat_payload_place_set(struct leat_job_record *record, uint8_t place)
{
    atom_store_rlx(&record->payload_place, place); /* rlx: ordered by submit:A */
}

LEAT_INLINE uint8_t
leat_job_priority_of(uint32_t level, bool counted)
{
    return (uint8_t)(level | (counted ? LEAT_JOB_COUNTED : 0));
}

LEAT_INLINE uint32_t
leat_job_level(const struct leat_job_record *record)
{
    /* rlx: ordered by submit:A */
    return atom_load_rlx(&record->priority) & LEAT_JOB_LEVEL;
}

LEAT_INLINE bool
leat_job_counted(const struct leat_job_record *record)
{
    /* rlx: ordered by submit:A */
    return (atom_load_rlx(&record->priority) & LEAT_JOB_COUNTED) != 0;
}

/* From the next change of its word on. */
LEAT_INLINE void
leat_job_set_put_off(struct leat_job_record *record)
{
    /* rlx: ordered by change:B, changed:A */
    (void)atom_or_rlx(&record->priority, LEAT_JOB_PUT_OFF);
}

LEAT_INLINE bool
leat_job_put_off(const struct leat_job_record *record)
{
    /* rlx: ordered by trailed:A */
    return (atom_load_rlx(&record->priority) & LEAT_JOB_PUT_OFF) != 0;
}

LEAT_INLINE bool
leat_job_snoozed(const struct leat_job_record *record)
{
    /* rlx: ordered by submit:A */
    return (atom_load_rlx(&record->priority) & LEAT_JOB_SNOOZED) != 0;
}

/* True if the table has the edge. Folded where both are constants. */
LEAT_INLINE bool
leat_phase_may(enum leat_phase from, enum leat_phase to)
{
#define TO(phase) (1u << (phase))
    /* One row per phase: the phases that may follow. */
    static const uint16_t legal[LEAT_PHASE_COUNT] = {
        [LEAT_PHASE_FILLING] = TO(LEAT_PHASE_PENDING) | TO(LEAT_PHASE_SCHEDULED) |
                               TO(LEAT_PHASE_BLOCKED) | TO(LEAT_PHASE_RUNNING),
        [LEAT_PHASE_SCHEDULED] =
            TO(LEAT_PHASE_PENDING) | TO(LEAT_PHASE_CANCELLED) | TO(LEAT_PHASE_DEAD),
        [LEAT_PHASE_BLOCKED] = TO(LEAT_PHASE_PENDING) | TO(LEAT_PHASE_SCHEDULED) |
                               TO(LEAT_PHASE_CANCELLED) | TO(LEAT_PHASE_DEAD) |
                               TO(LEAT_PHASE_COMPLETED),
        [LEAT_PHASE_PENDING] = TO(LEAT_PHASE_RUNNING) | TO(LEAT_PHASE_CANCELLED) |
                               TO(LEAT_PHASE_DEAD) | TO(LEAT_PHASE_SCHEDULED),
        [LEAT_PHASE_RUNNING] = TO(LEAT_PHASE_PENDING) | TO(LEAT_PHASE_RETRYING) |
                               TO(LEAT_PHASE_SCHEDULED) | TO(LEAT_PHASE_COMPLETED) |
                               TO(LEAT_PHASE_DEAD) | TO(LEAT_PHASE_CANCELLED),
        [LEAT_PHASE_RETRYING] =
            TO(LEAT_PHASE_PENDING) | TO(LEAT_PHASE_CANCELLED) | TO(LEAT_PHASE_DEAD),
        [LEAT_PHASE_COMPLETED] = TO(LEAT_PHASE_GONE),
        [LEAT_PHASE_DEAD] = TO(LEAT_PHASE_GONE) | TO(LEAT_PHASE_PENDING) | TO(LEAT_PHASE_SCHEDULED),
        [LEAT_PHASE_CANCELLED] = TO(LEAT_PHASE_GONE),
        [LEAT_PHASE_GONE] = 0,
    };
#undef TO
    LEAT_ASSERT(from < LEAT_PHASE_COUNT);
    LEAT_ASSERT(to < LEAT_PHASE_COUNT);
    return (legal[from] >> to & 1) != 0;
}

LEAT_INLINE enum leat_phase
leat_word_phase(uint64_t word)
{
    return (enum leat_phase)(word & LEAT_WORD_PHASE);
}

LEAT_INLINE bool
leat_phase_final(enum leat_phase phase)
{
    return phase >= LEAT_PHASE_COMPLETED && phase <= LEAT_PHASE_CANCELLED;
}

LEAT_INLINE bool
leat_word_timed_out(uint64_t word)
{
    return (word & LEAT_WORD_OUTCOME) == LEAT_WORD_TIMED_OUT;
}

/* A pending attempt with a time that is not over, and that nobody has completed. */
LEAT_INLINE bool
leat_word_pending(uint64_t word)
{
    const uint64_t bits = LEAT_WORD_AWAITED | LEAT_WORD_LINKED;
    return leat_word_phase(word) == LEAT_PHASE_RUNNING &&
           (word & (bits | LEAT_WORD_OUTCOME)) == bits;
}

/* The bits of an attempt's number. */
LEAT_INLINE uint64_t
leat_word_attempt(uint32_t attempt)
{
    return ((uint64_t)attempt << LEAT_WORD_ATTEMPT_SHIFT) & LEAT_WORD_ATTEMPT;
}

/* The word with another phase; GONE instead where the phase is final and nothing holds it. */
LEAT_INLINE uint64_t
leat_word_with(uint64_t word, enum leat_phase phase)
{
    uint64_t after = (word & ~LEAT_WORD_PHASE) | (uint64_t)phase;
    bool held = (word & (LEAT_WORD_LINKED | LEAT_WORD_KEPT | LEAT_WORD_HOLDS)) != 0;
    if (leat_phase_final(phase) && !held) {
        after = (word & ~LEAT_WORD_PHASE) | (uint64_t)LEAT_PHASE_GONE;
    }
    return after;
}

struct leat_change {
    enum leat_phase from;
    enum leat_phase to;
    uint64_t set;
    uint64_t clear;
    uint64_t unless; /* refused if one of these bits is set */
    bool hold;       /* the caller gets a hold; pre: fewer than LEAT_HOLDS_MAX have one */
};

/* Swaps in a change if the word is in phase `from`; *before is what it was, *after what it is.
 * False: refused, nothing changed. pre: the caller keeps the generation alive (it has the index
 * from a place, runs it, or has a hold). Progress: lock-free. */
bool leat_job_change(leat_atomic_u64 *word, const struct leat_change *change, uint64_t *before,
                     uint64_t *after);

/* The same, for the one edge that every attempt takes. */
LEAT_INLINE bool
leat_job_change_inline(leat_atomic_u64 *word, const struct leat_change *change, uint64_t *before,
                       uint64_t *after)
{
    LEAT_ASSERT(leat_phase_may(change->from, change->to));
    /* change:A acquire -> change:B, let_go:B, mark:B, submit:A, release:A, cancel:A, claim:B,
     * changed:A.
     * Carries: what the last mover of this job wrote into its record.
     * If relaxed: a failed swap is retried; a refusal could be read beside an old record. */
    uint64_t now = atom_load_acq(word);
    for (;;) {
        if (leat_word_phase(now) != change->from || (now & change->unless) != 0) {
            *before = now;
            return false;
        }
        uint64_t next = leat_word_with((now & ~change->clear) | change->set, change->to);
        if (change->hold) {
            LEAT_ASSERT((now & LEAT_WORD_HOLDS) != LEAT_WORD_HOLDS);
            next += LEAT_WORD_HOLD;
        }
        /* change:B acq_rel -> change:A, let_go:A, mark:A, hold:A, hold:B, wait:A, waiting:A,
         * claim:A, swept:A, each:A, tallied:A, life:A, graph:A, walked:A,
         * trailed:A.  Carries: the record's fields as this thread leaves them.
         * If relaxed: who sees the phase could read the fields of the phase before. */
        if (LEAT_LIKELY(atom_cas_acq_rel(word, &now, next))) {
            *before = now;
            *after = next;
            return true;
        }
    }
}

/* A change of bits of a RUNNING job, whose phase stays; refused unless (word & mask) == value. */
struct leat_mark {
    uint64_t set;
    uint64_t clear;
    uint64_t mask;
    uint64_t value;
    bool hold; /* as in struct leat_change */
};

bool leat_job_mark(leat_atomic_u64 *word, const struct leat_mark *mark, uint64_t *before);

/* Clears `bits` (LINKED, KEPT) or one hold, whatever the phase. True: the record is gone by this,
 * and the caller gives it back. Progress: lock-free. */
bool leat_job_let_go(leat_atomic_u64 *word, uint64_t bits);

#endif
