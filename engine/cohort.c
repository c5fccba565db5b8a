/* cohort.c - jobs that are watched together, see cohort.h. */
#include "engine/cohort.h"

#include <string.h>

#include "engine/batch.h"
#include "engine/durable/durable.h"
#include "engine/events.h"
#include "engine/plan.h"
#include "ring/mutex.h"

/* A cohort's own jobs: it, the first one of the plan, and at most three callbacks. */
#define COHORT    0
#define PARTS_MAX 4

/* ---- members --------------------------------------------------------------------------------- */

/* pre: its record is kept: by a hold, or a member that is not counted. */
static struct leat_node *
node_of(const struct leat_engine *engine, uint64_t id)
{
    struct leat_node *node = leat_node_there(engine, (uint32_t)(id & LEAT_INDEX_NONE));
    LEAT_ASSERT(node->cohort != NULL);
    return node;
}

/* Ends: a swap fails only where another member entered, or ended. */
static bool
enter(struct leat_node *node)
{
    uint64_t waits = atom_load_rlx(&node->waits); /* rlx: ordered by edge:B */
    do {
        if ((waits & LEAT_WAITS_COUNT) == 0) {
            return false;
        }
        /* The number decides. rlx: ordered by edge:B */
    } while (!atom_cas_rlx(&node->waits, &waits, waits + 1));
    return true;
}

enum leat_status
leat_cohort_enter(struct leat_engine *engine, leat_job_id id, bool durable)
{
    uint32_t index = 0;
    enum leat_status status = leat_job_hold(engine, id, LEAT_HOLDS_TO_LOOK, &index);
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_node *node = leat_node_of(engine, index);
    if (node == NULL || node->cohort == NULL) {
        status = LEAT_WRONG_STATE;
    } else if (node->cohort->logged != durable) {
        status = LEAT_UNSUPPORTED;
    } else if (leat_job_phase_held(engine, index) != LEAT_PHASE_BLOCKED || !enter(node)) {
        status = LEAT_ENDED;
    } else {
        (void)atom_add_rlx(&node->cohort->total, 1); /* rlx: ordered by edge:B */
    }
    leat_job_unhold(engine, index);
    return status;
}

void
leat_cohort_leave(struct leat_engine *engine, uint64_t id, struct leat_todo *todo)
{
    struct leat_node *node = node_of(engine, id);
    (void)atom_sub_rlx(&node->cohort->total, 1); /* rlx: ordered by edge:B */
    leat_graph_count(engine, node, todo);
}

void
leat_cohort_back(struct leat_node *cohort, struct leat_node *member, uint64_t id)
{
    (void)atom_add_rlx(&cohort->waits, 1);         /* rlx: not shared yet */
    (void)atom_add_rlx(&cohort->cohort->total, 1); /* rlx: not shared yet */
    member->cohort_id = id;
}

bool
leat_cohort_waits_for_death(const struct leat_cohort *cohort)
{
    /* rlx: not shared yet */
    return atom_load_rlx(&cohort->dead) == 0 && atom_load_rlx(&cohort->death) == NULL;
}

bool
leat_cohort_waits(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_node *node = leat_node_of(engine, index);
    /* rlx: hint, re-checked at edge:B */
    return node != NULL && node->cohort != NULL &&
           (atom_load_rlx(&node->waits) & LEAT_WAITS_COUNT) != 0;
}

/* The job of the first death, for who gets it. */
static struct leat_node *
death_take(struct leat_cohort *cohort)
{
    /* What it points to is there since the cohort's submit. rlx: ordered by submit:A */
    return atom_swap_rlx(&cohort->death, (void *)NULL);
}

/* One more member has ended. */
static void
progress(struct leat_engine *engine, const struct leat_node *node, struct leat_cohort *cohort)
{
    uint64_t ended = 0;
    if (cohort->progress_every != 0) {
        ended = atom_add_rlx(&cohort->ended, 1) + 1; /* rlx: statistic */
    }
    if (ended != 0 && ended % cohort->progress_every == 0) {
        struct leat_event event = leat_events_of(engine, node->index);
        event.kind = LEAT_EVENT_COHORT_PROGRESS;
        event.value = ended;
        event.limit = atom_load_rlx(&cohort->total); /* rlx: statistic */
        leat_events_put(engine, event);
    }
}

void
leat_cohort_member_ended(struct leat_engine *engine, const struct leat_node *member,
                         struct leat_todo *todo)
{
    struct leat_node *node = node_of(engine, member->cohort_id);
    struct leat_cohort *cohort = node->cohort;
    struct leat_node *death = NULL;
    leat_atomic_u64 *count = &cohort->completed;
    enum leat_phase phase = leat_job_phase_held(engine, member->index);
    if (phase == LEAT_PHASE_DEAD) {
        count = &cohort->dead;
        death = death_take(cohort);
    } else if (phase == LEAT_PHASE_CANCELLED) {
        count = &cohort->cancelled;
    }
    (void)atom_add_rlx(count, 1); /* rlx: ordered by edge:B */
    progress(engine, node, cohort);
    if (death != NULL) {
        leat_graph_count(engine, death, todo);
    }
    leat_graph_count(engine, node, todo);
}

enum leat_phase
leat_cohort_end(const struct leat_cohort *cohort)
{
    /* rlx: ordered by edge:B */
    bool failed = atom_load_rlx(&cohort->dead) != 0 || atom_load_rlx(&cohort->cancelled) != 0;
    return failed ? LEAT_PHASE_CANCELLED : LEAT_PHASE_COMPLETED;
}

void
leat_cohort_rest(struct leat_engine *engine, struct leat_cohort *cohort, struct leat_todo *todo)
{
    struct leat_node *death = death_take(cohort);
    if (death != NULL) {
        leat_graph_fail(engine, death, todo);
        leat_graph_count(engine, death, todo);
    }
}

void
leat_cohort_free(struct leat_engine *engine, struct leat_cohort *cohort)
{
    if (cohort != NULL && cohort->logged) {
        leat_mutex_fini(&cohort->mutex);
    }
    leat_memory_give(&engine->memory, cohort, sizeof(*cohort));
}

/* ---- open and close -------------------------------------------------------------------------- */

struct leat_cohort *
leat_cohort_make(struct leat_engine *engine, uint32_t progress_every, bool logged)
{
    struct leat_cohort *cohort = leat_memory_take(&engine->memory, sizeof(*cohort));
    if (cohort != NULL) {
        cohort->progress_every = progress_every;
        cohort->logged = logged;
    }
    if (cohort != NULL && logged) {
        leat_mutex_init(&cohort->mutex);
    }
    return cohort;
}

void
leat_cohort_bind(struct leat_node *node, struct leat_cohort *cohort, struct leat_node *death)
{
    node->cohort = cohort;
    atom_init(&cohort->death, (void *)death);
}

struct opening {
    struct leat_job jobs[PARTS_MAX];
    struct leat_job_options options[PARTS_MAX];
    struct leat_graph_edge edges[2];
    struct leat_ties ties[PARTS_MAX];
    struct leat_plan plan;
    enum leat_durability durability; /* of all of them */
    uint32_t count;
};

/* One more job of the cohort, or none; *place is its place, 0 for none. */
static enum leat_status
part_add(struct opening *opening, const struct leat_job *given, enum leat_parent_policy policy,
         uint32_t *place)
{
    uint32_t at = opening->count;
    struct leat_job *job = &opening->jobs[at];
    struct leat_job_options *options = &opening->options[at];
    if (given == NULL) {
        return LEAT_OK;
    }
    *job = leat_job_default();
    *options = leat_job_options_default();
    enum leat_status status = leat_struct_read(job, sizeof(*job), given);
    if (status == LEAT_OK && job->options != NULL) {
        status = leat_struct_read(options, sizeof(*options), job->options);
    }
    job->size = (uint32_t)sizeof(*job);
    options->size = (uint32_t)sizeof(*options);
    options->parent_policy = policy;
    options->durability = opening->durability;
    job->options = options;
    opening->ties[at].noded = true;
    opening->count++;
    *place = at;
    return status;
}

/* A callback that waits for the end of the cohort. */
static enum leat_status
part_tie(struct opening *opening, const struct leat_job *given, enum leat_parent_policy policy)
{
    uint32_t place = 0;
    enum leat_status status = part_add(opening, given, policy, &place);
    if (status == LEAT_OK && place != 0) {
        opening->edges[opening->plan.edges_count++] = (struct leat_graph_edge){COHORT, place};
        opening->ties[place].parents = 1;
    }
    return status;
}

static enum leat_status
opening_fill(struct opening *opening, const struct leat_cohort_options *options)
{
    struct leat_job cohort = leat_job_default();
    uint32_t place = 0;
    memset(opening, 0, sizeof(*opening));
    opening->durability = options->durability;
    cohort.type_name = LEAT_COHORT_TYPE;
    cohort.flags = options->flags;
    enum leat_status status = part_add(opening, &cohort, LEAT_PARENT_CANCEL, &place);
    opening->ties[COHORT].held = 1;
    opening->plan.edges = opening->edges;
    opening->plan.ties = opening->ties;
    if (status == LEAT_OK) {
        status = part_tie(opening, options->on_complete, LEAT_PARENT_IGNORE);
    }
    if (status == LEAT_OK) {
        status = part_tie(opening, options->on_success, LEAT_PARENT_CANCEL);
    }
    if (status == LEAT_OK) {
        status = part_add(opening, options->on_death, LEAT_PARENT_CANCEL, &opening->plan.death);
        opening->ties[opening->plan.death].held = 1;
    }
    return status;
}

enum leat_status
leat_cohort_open(struct leat_engine *engine, const struct leat_cohort_options *given,
                 leat_job_id *id)
{
    struct leat_cohort_options options = leat_cohort_options_default();
    struct opening opening;
    leat_job_id ids[PARTS_MAX] = {{0}};
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK && id == NULL) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK && given != NULL) {
        status = leat_struct_read(&options, sizeof(options), given);
    }
    if (status == LEAT_OK && options.reserved != 0) {
        status = LEAT_UNSUPPORTED;
    }
    if (status == LEAT_OK) {
        status = opening_fill(&opening, &options);
    }
    if (status != LEAT_OK) {
        return status;
    }
    bool logged = engine->durable != NULL && leat_durable_wants(engine, &opening.jobs[COHORT]);
    opening.plan.cohort = leat_cohort_make(engine, options.progress_every, logged);
    if (opening.plan.cohort == NULL) {
        return LEAT_NO_MEMORY;
    }
    const struct leat_batch_part part = {.jobs = opening.jobs,
                                         .count = opening.count,
                                         .ids = ids,
                                         .deadline_ns = LEAT_FOREVER,
                                         .plan = &opening.plan};
    status = leat_submit_all(engine, &part);
    if (status != LEAT_OK) {
        leat_cohort_free(engine, opening.plan.cohort);
        return status;
    }
    *id = ids[COHORT];
    return LEAT_OK;
}

/* Takes a hold on a cohort. */
static enum leat_status
cohort_hold(struct leat_engine *engine, leat_job_id id, uint32_t *index, struct leat_node **node)
{
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK) {
        status = leat_job_hold(engine, id, LEAT_HOLDS_TO_LOOK, index);
    }
    if (status != LEAT_OK) {
        return status;
    }
    *node = leat_node_of(engine, *index);
    if (*node == NULL || (*node)->cohort == NULL) {
        leat_job_unhold(engine, *index);
        return LEAT_WRONG_STATE;
    }
    return LEAT_OK;
}

/* pre: a hold. */
static enum leat_status
cohort_close(struct leat_engine *engine, leat_job_id id, struct leat_node *node)
{
    uint32_t open = 0;
    struct leat_todo todo = {NULL};
    /* One of those who close it counts. rlx: ordered by edge:B */
    if (!atom_cas_rlx(&node->cohort->closed, &open, 1)) {
        return LEAT_WRONG_STATE;
    }
    leat_change_begins(engine); /* of its callbacks */
    if (node->cohort->logged) {
        leat_durable_cohort_closed(engine, id, node->cohort);
    }
    leat_graph_count(engine, node, &todo);
    leat_graph_todo(engine, &todo);
    leat_change_ends(engine);
    return LEAT_OK;
}

enum leat_status
leat_cohort_close(struct leat_engine *engine, leat_job_id id)
{
    uint32_t index = 0;
    struct leat_node *node = NULL;
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK) {
        leat_durable_ready(engine);
        status = cohort_hold(engine, id, &index, &node);
    }
    if (status == LEAT_OK) {
        status = cohort_close(engine, id, node);
        leat_job_unhold(engine, index);
    }
    return leat_durable_settle(engine, status);
}

enum leat_status
leat_cohort_get(struct leat_engine *engine, leat_job_id id, struct leat_cohort_info *info)
{
    uint32_t index = 0;
    struct leat_node *node = NULL;
    struct leat_cohort_info filled = leat_cohort_info_default();
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK && info == NULL) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        status = cohort_hold(engine, id, &index, &node);
    }
    if (status != LEAT_OK) {
        return status;
    }
    const struct leat_cohort *cohort = node->cohort;
    filled.state = (enum leat_job_state)leat_job_phase_held(engine, index);
    filled.completed = atom_load_rlx(&cohort->completed); /* rlx: statistic */
    filled.dead = atom_load_rlx(&cohort->dead);           /* rlx: statistic */
    filled.cancelled = atom_load_rlx(&cohort->cancelled); /* rlx: statistic */
    filled.total = atom_load_rlx(&cohort->total);         /* rlx: statistic */
    filled.open = atom_load_rlx(&cohort->closed) == 0;    /* rlx: statistic */
    leat_job_unhold(engine, index);
    return leat_struct_write(info, &filled, sizeof(filled));
}

leat_job_id
leat_run_cohort(const struct leat_run *run)
{
    const struct leat_node *node = run == NULL ? NULL : leat_node_of(run->engine, run->index);
    leat_job_id id = {node == NULL ? 0 : node->cohort_id};
    return id;
}
