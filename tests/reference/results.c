/* results.c - the results of jobs: which are kept, and what a run is told of those that its parents
 * came to. */
#include "tests/reference/graph.h"

#include <string.h>

#include "tests/reference/reference.h"

enum ref_keeps
ref_keeps(const struct ref_world *world, const struct ref_job *job)
{
    bool child = false;
    for (uint32_t i = 0; i < REF_RECORDS && job->node.uses != 0; i++) {
        const struct ref_job *other = &world->jobs[i];
        for (uint32_t j = 0; ref_live(other) && j < other->node.count; j++) {
            const struct ref_edge *edge = &other->node.edges[j];
            child = child || (edge->parent.bits == job->id.bits && !edge->counted);
        }
    }
    if (job->kept || child) {
        return REF_KEEPS;
    }
    return job->node.named || job->node.own ? REF_KEEPS_MAYBE : REF_KEEPS_NOT;
}

void
ref_result_set(struct ref_world *world, struct ref_job *job, const void *bytes, size_t count)
{
    switch (ref_keeps(world, job)) {
    case REF_KEEPS:
        memcpy(job->result, bytes, count);
        job->result_bytes = count;
        job->result_maybe = false;
        break;
    case REF_KEEPS_MAYBE:
        memcpy(job->maybe, bytes, count);
        job->maybe_bytes = count;
        job->result_maybe = true;
        break;
    case REF_KEEPS_NOT:
        break;
    }
}

void
ref_result_learn(struct ref_world *world, struct ref_job *job, size_t told)
{
    unsigned char bytes[REF_RESULT_MAX];
    size_t count = 0;
    if (!job->result_maybe) {
        return;
    }
    job->result_maybe = false;
    enum leat_status status = leat_result(world->engine, job->id, bytes, sizeof(bytes), &count);
    bool same =
        status == LEAT_OK && count == job->maybe_bytes && memcmp(bytes, job->maybe, count) == 0;
    /* The call that ran it may be the last to tell of it. */
    same = same || (status == LEAT_GONE && told == job->maybe_bytes);
    if (same) {
        memcpy(job->result, job->maybe, job->maybe_bytes);
        job->result_bytes = job->maybe_bytes;
    }
}

static void
check_result(struct ref_world *world, const struct ref_job *job, const struct leat_run *run,
             uint32_t number)
{
    unsigned char buffer[REF_RESULT_MAX];
    size_t bytes = SIZE_MAX;
    size_t capacity = ref_chance(world, 80) ? sizeof(buffer) : ref_below(world, 8);
    struct ref_job *parent = ref_graph_job(world, job->node.edges[number].parent);
    enum leat_status right = LEAT_GONE;
    if (parent != NULL && parent != job && !parent->gone) {
        ref_look(world, parent);
    }
    if (parent != NULL && !parent->gone) {
        right = parent->result_bytes <= capacity ? LEAT_OK : LEAT_FULL;
        right = ref_final(parent) ? right : LEAT_WRONG_STATE;
    } else if (job->node.leans) {
        ref_fail(world, job, "its parent %u is gone", number);
    }
    enum leat_status got = leat_run_parent_result(run, number, buffer, capacity, &bytes);
    bool sized = right == LEAT_OK || right == LEAT_FULL;
    if (got != right || bytes != (sized ? parent->result_bytes : SIZE_MAX) ||
        (right == LEAT_OK && bytes != 0 && memcmp(buffer, parent->result, bytes) != 0)) {
        ref_fail(world, job, "the result of its parent %u: %s, %zu bytes\n  expected: %s", number,
                 leat_status_text(got), bytes, leat_status_text(right));
    }
    if (right == LEAT_OK && bytes != 0) {
        ref_met(world, REF_MET_RESULT);
    }
}

void
ref_graph_check_run(struct ref_world *world, const struct ref_job *job, const struct leat_run *run)
{
    leat_job_id ids[REF_PARENTS];
    size_t bytes = 0;
    uint32_t count = leat_run_parents(run, ids, REF_PARENTS);
    bool good = count == job->node.count;
    for (uint32_t i = 0; good && i < count; i++) {
        good = ids[i].bits == job->node.edges[i].parent.bits;
    }
    good = good && leat_run_cohort(run).bits == job->node.cohort_id.bits &&
           leat_run_parents(run, NULL, 0) == count &&
           leat_run_parent_result(run, count, NULL, 0, &bytes) == LEAT_INVALID;
    if (!good) {
        ref_fail(world, job, "the run says: %u parents, or others, or another cohort", count);
    }
    if (count != 0) {
        check_result(world, job, run, ref_below(world, count));
    }
}
