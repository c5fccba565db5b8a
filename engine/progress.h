/* progress.h - how far a job says it is: a percent and a line of text, read while they are written.
 *
 * Two texts stand there, the last one and the one before. A word has the percent and how many texts
 * there were so far; the last bit of that says where the last one stands. A new text is written
 * over the older one, and then the word says so. A reader that finds the count as it was has read a
 * text that nobody was at.
 *
 * Source   Hans-J. Boehm, "Can seqlocks get along with programming language memory models?", 2012,
 *          for the orders. Differs: of two texts, one is always whole.
 * Roles    the job's handler writes; any thread with a hold on the record reads.
 * Claims   write  wait-free.
 *          read   lock-free: once more only where another text was written meanwhile. A writer that
 *                 stops anywhere keeps nobody from the last text.
 *          Text and percent are of one call, or the percent is that of a later one without a text.
 *          Wrap: the count has 56 bits.
 * I1       the text that the word names is whole
 * Edges    progress:A -> progress:D   that what stood here is not the last text any more
 *          progress:B -> progress:C   the text
 */
#ifndef ENGINE_PROGRESS_H
#define ENGINE_PROGRESS_H

#include <string.h>

#include "ring/atomic.h"

/* A line of a list. Models have less. */
#ifndef LEAT_PROGRESS_WORDS
#    define LEAT_PROGRESS_WORDS 8
#endif
#define LEAT_PROGRESS_BYTES (sizeof(uint64_t) * LEAT_PROGRESS_WORDS)

#define LEAT_PROGRESS_SHIFT   8
#define LEAT_PROGRESS_PERCENT ((UINT64_C(1) << LEAT_PROGRESS_SHIFT) - 1)

/* Letters: W one writer, many readers. */
struct leat_progress {
    leat_atomic_u64 word;                          /* W count of texts 56 | percent 8 */
    leat_atomic_u64 texts[2][LEAT_PROGRESS_WORDS]; /* W */
};

/* Says the percent, and LEAT_PROGRESS_BYTES of text; NULL: that of before stays. */
LEAT_INLINE void
leat_progress_write(struct leat_progress *progress, uint32_t percent, const char *text)
{
    uint64_t count = atom_load_rlx(&progress->word) >> LEAT_PROGRESS_SHIFT; /* rlx: single writer */
    count += text == NULL ? 0 : 1;
    for (size_t i = 0; text != NULL && i < LEAT_PROGRESS_WORDS; i++) {
        uint64_t word = 0;
        memcpy(&word, text + i * sizeof(word), sizeof(word));
        /* progress:A release -> progress:D.  Carries: that what stood here is not the last text any
         * more.
         * If relaxed: a reader could take a mixture of both for it. */
        atom_store_rel(&progress->texts[count & 1][i], word);
    }
    /* progress:B release -> progress:C.  Carries: the text.
     * If relaxed: a reader could find the one of two calls before. */
    atom_store_rel(&progress->word, count << LEAT_PROGRESS_SHIFT | percent);
}

/* Fills in LEAT_PROGRESS_BYTES of text, and returns the percent. */
LEAT_INLINE uint32_t
leat_progress_read(const struct leat_progress *progress, char *text)
{
    uint64_t word = 0;
    uint64_t again = 0;
    do {
        /* progress:C acquire -> progress:B.  Carries: see progress:B.
         * If relaxed: see progress:B. */
        word = atom_load_acq(&progress->word);
        const leat_atomic_u64 *from = progress->texts[word >> LEAT_PROGRESS_SHIFT & 1];
        for (size_t i = 0; i < LEAT_PROGRESS_WORDS; i++) {
            /* progress:D acquire -> progress:A.  Carries: see progress:A.
             * If relaxed: see progress:A. */
            uint64_t bytes = atom_load_acq(&from[i]);
            memcpy(text + i * sizeof(bytes), &bytes, sizeof(bytes));
        }
        again = atom_load_rlx(&progress->word); /* rlx: ordered by progress:D */
    } while (again >> LEAT_PROGRESS_SHIFT != word >> LEAT_PROGRESS_SHIFT);
    return (uint32_t)(word & LEAT_PROGRESS_PERCENT);
}

#endif
