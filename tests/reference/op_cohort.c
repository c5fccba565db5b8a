/* op_cohort.c - cohorts: opened with their callbacks, closed, looked at. The ids of callbacks are
 * found by the list of all jobs. */
#include "tests/reference/submit.h"

#include <inttypes.h>
#include <string.h>

#define INDEX_MASK  ((UINT64_C(1) << 26) - 1)
#define COHORT_TYPE (REF_TYPES - 1)
#define PARTS       4 /* it, on_complete, on_success, on_death */

/* ---- opening --------------------------------------------------------------------------------- */

struct opening {
    struct spec specs[PARTS];
    struct leat_graph_edge edges[PARTS];
    struct leat_cohort_options options;
    uint32_t count;
    uint32_t edges_count;
    uint32_t death; /* 0: none */
};

/* One of the callbacks, or none. They have no parents of their own, so none can have ended before
 * its id is found; and each has as many bytes as no other one, by which it is told from them. */
static uint32_t
draw_callback(struct ref_world *world, struct opening *opening, uint32_t bytes)
{
    struct spec *spec = &opening->specs[opening->count];
    if (ref_chance(world, 40)) {
        return 0;
    }
    do {
        ref_spec_draw(world, spec);
    } while (spec->options.parents_count != 0 || spec->options.cohort.bits != 0 ||
             spec->options.parent_policy != LEAT_PARENT_CANCEL);
    if (spec->shape == LEAT_OK && ref_chance(world, 95)) {
        spec->labels.conflict = LEAT_UNIQUE_REJECT;
        spec->options.unique_conflict = LEAT_UNIQUE_REJECT;
    }
    if (spec->job.payload_bytes <= REF_PAYLOAD_MAX) {
        spec->job.payload_bytes = spec->job.payload_bytes / PARTS * PARTS;
        spec->job.payload_bytes += bytes;
        spec->job.payload_bytes -= spec->job.payload_bytes > PARTS ? PARTS : 0;
    }
    ref_labels_look(world, spec->type, &spec->labels);
    return opening->count++;
}

static void
draw_opening(struct ref_world *world, struct opening *opening)
{
    struct spec *cohort = &opening->specs[0];
    memset(opening, 0, sizeof(*opening));
    opening->options = leat_cohort_options_default();
    ref_spec_nothing(cohort);
    cohort->type = COHORT_TYPE;
    cohort->ties.is_cohort = true;
    cohort->job.flags = ref_chance(world, 40) ? LEAT_JOB_KEEP_RESULT : 0;
    opening->options.flags = cohort->job.flags;
    opening->count = 1;
    uint32_t complete = draw_callback(world, opening, 1);
    if (complete != 0) {
        opening->options.on_complete = &opening->specs[complete].job;
        opening->specs[complete].ties.policy = LEAT_PARENT_IGNORE;
        opening->edges[opening->edges_count++] = (struct leat_graph_edge){0, complete};
    }
    uint32_t success = draw_callback(world, opening, 2);
    if (success != 0) {
        opening->options.on_success = &opening->specs[success].job;
        opening->edges[opening->edges_count++] = (struct leat_graph_edge){0, success};
    }
    opening->death = draw_callback(world, opening, 3);
    if (opening->death != 0) {
        opening->options.on_death = &opening->specs[opening->death].job;
        opening->specs[opening->death].ties.held = true;
    }
}

/* The jobs that the model does not know yet are those of the cohort. */
static void
find_ids(struct ref_world *world, const struct opening *opening, leat_job_id *ids)
{
    static leat_job_id all[REF_RECORDS]; /* too much for a stack */
    struct leat_job_query query = leat_job_query_default();
    uint32_t listed = ref_list(world, &query, REF_RECORDS, all);
    for (uint32_t i = 0; i < listed; i++) {
        struct leat_job_info info = leat_job_info_default();
        bool known = world->jobs[(all[i].bits & INDEX_MASK) % REF_RECORDS].id.bits == all[i].bits;
        if (known || all[i].bits == ids[0].bits ||
            leat_get(world->engine, all[i], &info) != LEAT_OK) {
            continue;
        }
        for (uint32_t j = 1; j < opening->count; j++) {
            if (opening->specs[j].job.payload_bytes == info.payload_bytes) {
                ids[j] = all[i];
            }
        }
    }
}

void
ref_op_cohort_open(struct ref_world *world)
{
    static struct opening opening; /* too much for a stack */
    leat_job_id ids[PARTS] = {{0}};
    draw_opening(world, &opening);
    bool plain = opening.count == 1 && opening.options.flags == 0 && ref_chance(world, 50);
    ref_note(world, opening.count, opening.options.flags, 0);
    enum leat_status got =
        leat_cohort_open(world->engine, plain ? NULL : &opening.options, &ids[0]);
    if (got == LEAT_OK) {
        find_ids(world, &opening, ids);
    }
    world->noted->values[2] = ids[0].bits;
    const struct ref_told told = {
        .ids = ids, .edges = opening.edges, .edges_count = opening.edges_count};
    ref_batch_judge(world, opening.specs, opening.count, got, &told);
    if (got == LEAT_OK && opening.death != 0) {
        ref_job_of(world, ids[0])->node.cohort.death = ids[opening.death];
    }
}

/* ---- what is done to one --------------------------------------------------------------------- */

static bool
is_cohort(const struct ref_world *world, const struct ref_job *job)
{
    (void)world;
    return job->node.cohort.is && !job->gone;
}

static bool
is_open(const struct ref_world *world, const struct ref_job *job)
{
    (void)world;
    return job->node.cohort.is && !job->gone && job->node.cohort.open;
}

void
ref_op_cohort_close(struct ref_world *world)
{
    struct ref_target target =
        ref_chance(world, 85) ? ref_target_of(world, is_open) : ref_target(world);
    struct ref_job *job = target.job;
    enum leat_status right = target.missing;
    if (job != NULL) {
        right = job->node.cohort.is && job->node.cohort.open ? LEAT_OK : LEAT_WRONG_STATE;
    }
    ref_note(world, target.id.bits, 0, 0);
    ref_answer(world, target.at, REF_ONE(right), leat_cohort_close(world->engine, target.id));
    if (right == LEAT_OK) {
        ref_cohort_close(world, job);
    }
}

void
ref_op_cohort_get(struct ref_world *world)
{
    struct leat_cohort_info got = leat_cohort_info_default();
    ref_sync(world);
    struct ref_target target =
        ref_chance(world, 80) ? ref_target_of(world, is_cohort) : ref_target(world);
    const struct ref_job *job = target.job;
    enum leat_status right = target.missing;
    if (job != NULL) {
        right = job->node.cohort.is ? LEAT_OK : LEAT_WRONG_STATE;
    }
    ref_note(world, target.id.bits, 0, 0);
    ref_answer(world, target.at, REF_ONE(right), leat_cohort_get(world->engine, target.id, &got));
    if (right != LEAT_OK) {
        return;
    }
    const struct ref_cohort *cohort = &job->node.cohort;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a cohort has a job */
    if (got.state != job->state || got.open != cohort->open || got.total != cohort->total ||
        got.completed != cohort->completed || got.dead != cohort->dead ||
        got.cancelled != cohort->cancelled) {
        ref_fail(
            world, job,
            "the cohort is %s%s, of %" PRIu64 " members %" PRIu64 ", %" PRIu64 ", %" PRIu64
            " have ended\n  expected: %s%s, of %" PRIu64 ": %" PRIu64 ", %" PRIu64 ", %" PRIu64,
            leat_job_state_text(got.state), got.open ? ", open" : "", got.total, got.completed,
            got.dead, got.cancelled, leat_job_state_text(job->state), cohort->open ? ", open" : "",
            cohort->total, cohort->completed, cohort->dead, cohort->cancelled);
    }
}
