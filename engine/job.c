/* job.c - the table of legal transitions, and the swaps on a job's word. */
#include "engine/job.h"

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
    [LEAT_PHASE_PENDING] = TO(LEAT_PHASE_RUNNING) | TO(LEAT_PHASE_CANCELLED) | TO(LEAT_PHASE_DEAD) |
                           TO(LEAT_PHASE_SCHEDULED),
    [LEAT_PHASE_RUNNING] = TO(LEAT_PHASE_PENDING) | TO(LEAT_PHASE_RETRYING) |
                           TO(LEAT_PHASE_SCHEDULED) | TO(LEAT_PHASE_COMPLETED) |
                           TO(LEAT_PHASE_DEAD) | TO(LEAT_PHASE_CANCELLED),
    [LEAT_PHASE_RETRYING] = TO(LEAT_PHASE_PENDING) | TO(LEAT_PHASE_CANCELLED) | TO(LEAT_PHASE_DEAD),
    [LEAT_PHASE_COMPLETED] = TO(LEAT_PHASE_GONE),
    [LEAT_PHASE_DEAD] = TO(LEAT_PHASE_GONE) | TO(LEAT_PHASE_PENDING) | TO(LEAT_PHASE_SCHEDULED),
    [LEAT_PHASE_CANCELLED] = TO(LEAT_PHASE_GONE),
    [LEAT_PHASE_GONE] = 0,
};

bool
leat_phase_may(enum leat_phase from, enum leat_phase to)
{
    LEAT_ASSERT(from < LEAT_PHASE_COUNT);
    LEAT_ASSERT(to < LEAT_PHASE_COUNT);
    return (legal[from] >> to & 1) != 0;
}

bool
leat_job_change(leat_atomic_u64 *word, const struct leat_change *change, uint64_t *before,
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
         * claim:A, swept:A, each:A, life:A, graph:A.
         * Carries: the record's fields as this thread leaves them.
         * If relaxed: who sees the phase could read the fields of the phase before. */
        if (LEAT_LIKELY(atom_cas_acq_rel(word, &now, next))) {
            *before = now;
            *after = next;
            return true;
        }
    }
}

bool
leat_job_mark(leat_atomic_u64 *word, const struct leat_mark *mark, uint64_t *before)
{
    /* mark:A acquire -> change:B, mark:B, cancel:A.  Carries: the record's fields of this attempt.
     * If relaxed: a completion could compare with the attempt before. */
    uint64_t now = atom_load_acq(word);
    for (;;) {
        if (leat_word_phase(now) != LEAT_PHASE_RUNNING || (now & mark->mask) != mark->value) {
            *before = now;
            return false;
        }
        uint64_t next = (now & ~mark->clear) | mark->set;
        if (mark->hold) {
            LEAT_ASSERT((now & LEAT_WORD_HOLDS) != LEAT_WORD_HOLDS);
            next += LEAT_WORD_HOLD;
        }
        /* mark:B acq_rel -> mark:A, change:A, waiting:A, pending:A.
         * Carries: a completion's error text, before its outcome bits; until when a pending attempt
         * may take, before it is pending.
         * If relaxed: the worker could end the job without the text. */
        if (LEAT_LIKELY(atom_cas_acq_rel(word, &now, next))) {
            *before = now;
            return true;
        }
    }
}

bool
leat_job_let_go(leat_atomic_u64 *word, uint64_t bits)
{
    /* let_go:A acquire -> change:B, let_go:B, end:A, release:A, cancel:A.
     * Carries: what other holders did with the record.
     * If relaxed: the record could be given back under a reader that has just finished. */
    uint64_t now = atom_load_acq(word);
    for (;;) {
        uint64_t next = bits == LEAT_WORD_HOLD ? now - LEAT_WORD_HOLD : now & ~bits;
        next = leat_word_with(next, leat_word_phase(now));
        /* let_go:B acq_rel -> let_go:A, change:A, graph:A.  Carries: as let_go:A.
         * If relaxed: as let_go:A. */
        if (LEAT_LIKELY(atom_cas_acq_rel(word, &now, next))) {
            return leat_word_phase(next) == LEAT_PHASE_GONE;
        }
    }
}
