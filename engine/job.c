/* job.c - the swaps on a job's word. */
#include "engine/job.h"

bool
leat_job_change(leat_atomic_u64 *word, const struct leat_change *change, uint64_t *before,
                uint64_t *after)
{
    return leat_job_change_inline(word, change, before, after);
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
