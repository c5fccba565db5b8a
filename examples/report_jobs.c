/* report_jobs.c - what the jobs of a report do. */
#include <leat.h>
#include <stdio.h>

#include "report_parts.h"

static struct leat_outcome
keep(struct leat_run *run, const struct counts *counts)
{
    return leat_run_result(run, counts, sizeof(*counts)) == LEAT_OK ? leat_done() : leat_retry();
}

struct leat_outcome
report_count(struct leat_run *run, void *context)
{
    struct counts counts;
    (void)context;
    return counts_of_file(leat_run_payload(run, NULL), &counts) ? keep(run, &counts) : leat_fail();
}

/* Adds what the parents came to; one that failed has no result. */
static bool
add_parents(struct leat_run *run, struct counts *sum)
{
    uint32_t parents = leat_run_parents(run, NULL, 0);
    for (uint32_t i = 0; i < parents; i++) {
        struct counts term = {0, 0, 0, 0};
        if (leat_run_parent_result(run, i, &term, sizeof(term), NULL) != LEAT_OK) {
            return false;
        }
        counts_add(sum, &term);
    }
    return true;
}

struct leat_outcome
report_add(struct leat_run *run, void *context)
{
    struct counts sum = {0, 0, 0, 0};
    (void)context;
    return add_parents(run, &sum) ? keep(run, &sum) : leat_retry();
}

/* The same, and writes the report; the payload says where. */
struct leat_outcome
report_write(struct leat_run *run, void *context)
{
    struct counts sum = {0, 0, 0, 0};
    bool ok = add_parents(run, &sum);
    FILE *file = fopen(leat_run_payload(run, NULL), "w");
    (void)context;
    ok = file != NULL && ok &&
         fprintf(file, "%llu files, %llu lines, %llu words, %llu bytes\n",
                 (unsigned long long)sum.files, (unsigned long long)sum.lines,
                 (unsigned long long)sum.words, (unsigned long long)sum.bytes) > 0;
    ok = file != NULL && fclose(file) == 0 && ok;
    return ok ? keep(run, &sum) : leat_retry();
}

struct leat_outcome
report_notify(struct leat_run *run, void *context)
{
    (void)context;
    printf("the report is there: %s\n", (const char *)leat_run_payload(run, NULL));
    return leat_done();
}
