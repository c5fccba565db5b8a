/* crew.h - the others: threads that do a subject's operations while some thread stands still. They
 * may come to stand still with it, inside an operation; so whoever has them at work watches them,
 * and joins them only when all that stood have gone on. */
#ifndef TESTS_SUSPEND_CREW_H
#define TESTS_SUSPEND_CREW_H

#include "tests/suspend/suspend.h"

struct crew;

struct crew_order {
    const struct suspend_subject *subject;
    void *state;
    uint32_t threads;
    uint32_t operations; /* a bit for each that they do; those of an owner are the first one's */
    uint64_t goals[SUSPEND_OPERATIONS_MAX]; /* successes, after which they leave */
    uint64_t rounds;                        /* not 0: each leaves after so many instead */
    uint64_t patience_ns;                   /* without a success */
    uint64_t settle_ns;                     /* until what they began is done */
};

struct crew *crew_start(const struct crew_order *order);
/* Waits until all left, or nothing has succeeded for as long as patience lasts, and tells them to
 * leave. True: the goals were met, and nothing is left undone that they began. */
bool crew_watch(struct crew *crew);
/* Successes of all operations so far. */
uint64_t crew_successes(const struct crew *crew);
void crew_join(struct crew *crew);

#endif
