/* graph.c - jobs that wait for others: what the end of a job does to those who wait for it, and
 * theirs; and what the engine did to them by itself. */
#include "tests/reference/graph.h"

#include <inttypes.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "engine/events.h"
#include "tests/reference/reference.h"

#define INDEX_MASK ((UINT64_C(1) << 26) - 1)

/* Those that one end has ended, and whose own children are to be seen to. */
struct todo {
    uint32_t count;
    uint32_t jobs[REF_RECORDS];
    uint64_t sequence; /* when it began */
    bool exact;        /* it is known when it was */
    bool first;        /* they are the children of the first one */
};

struct ref_job *
ref_graph_job(struct ref_world *world, leat_job_id id)
{
    struct ref_job *job = &world->jobs[(id.bits & INDEX_MASK) % REF_RECORDS];
    return id.bits != 0 && job->id.bits == id.bits ? job : NULL;
}

static struct ref_job *
job_there(struct ref_world *world, leat_job_id id)
{
    struct ref_job *job = ref_graph_job(world, id);
    /* One that has just been found gone is judged when it is known who else has ended. */
    if (job == NULL || (job->gone && !job->gone_now)) {
        ref_fail(world, job, "%" PRIx64 " is to stay for others, but is gone", id.bits);
    }
    return job;
}

/* ---- uses ------------------------------------------------------------------------------------ */

bool
ref_pinned(const struct ref_job *job)
{
    return job->node.uses != 0 || job->node.lingers;
}

void
ref_let_go(struct ref_job *job)
{
    job->node.leaves = ref_pinned(job);
    job->gone = !job->node.leaves;
}

/* By what it waits. */
static uint64_t
waits_of(const struct ref_job *job)
{
    const struct ref_cohort *cohort = &job->node.cohort;
    uint64_t waits = job->node.held ? 1 : 0;
    waits += job->node.joins ? 1 : 0;
    for (uint32_t i = 0; i < job->node.count; i++) {
        waits += job->node.edges[i].counted ? 0 : 1;
    }
    if (cohort->is) {
        waits += cohort->open ? 1 : 0;
        waits += cohort->total - cohort->completed - cohort->dead - cohort->cancelled;
    }
    return waits;
}

static void
unpinned(struct ref_job *job)
{
    if (job->node.leaves && !ref_pinned(job)) {
        job->node.leaves = false;
        job->gone = true;
        job->gone_now = false; /* where it was found before, that is why */
    }
}

/* It needs its parents no more. */
static void
parents_leave(struct ref_world *world, struct ref_job *job)
{
    for (uint32_t i = 0; job->node.leans && i < job->node.count; i++) {
        struct ref_job *parent = job_there(world, job->node.edges[i].parent);
        parent->node.uses--;
        unpinned(parent);
    }
    job->node.leans = false;
}

/* It has ended while it was BLOCKED, and waits for nothing any more. */
static void
retire(struct ref_world *world, struct ref_job *job)
{
    bool dead = job->state == LEAT_JOB_DEAD;
    uint32_t most = dead ? world->config.dead_max : world->config.retained_max;
    parents_leave(world, job);
    job->node.lingers = false;
    /* If it was found to have expired in this very look, it may have been released before that, and
     * have ended where it waited then. */
    job->zombie = job->reason == LEAT_REASON_EXPIRED && job->node.found == world->journal_count;
    world->run_retired++;
    if (most == 0 && !job->kept && !job->zombie) {
        ref_let_go(job);
    }
    unpinned(job);
}

/* ---- whether a dead job may come back -------------------------------------------------------- */

enum returns { RETURNS_NOT, RETURNS_MAYBE, RETURNS };

static enum returns
returns(const struct ref_world *world, const struct ref_job *job)
{
    if (job->state != LEAT_JOB_DEAD || job->unlisted) {
        return RETURNS_NOT;
    }
    if (job->zombie) {
        return RETURNS_MAYBE; /* the place that has it may let go of it at any time */
    }
    if (world->config.dead_max == 0) {
        return RETURNS_NOT;
    }
    return world->ends_dead - job->ends < world->config.dead_max ? RETURNS : RETURNS_MAYBE;
}

/* A parent for which the job waits though that is dead, and may be no letter; the only one, if
 * *count is 1. */
static struct ref_job *
doubtful(struct ref_world *world, const struct ref_job *job, uint32_t *count)
{
    struct ref_job *found = NULL;
    bool waits = job->state == LEAT_JOB_BLOCKED || job->node.lingers;
    *count = 0;
    for (uint32_t i = 0; waits && i < job->node.count; i++) {
        const struct ref_edge *edge = &job->node.edges[i];
        struct ref_job *parent = edge->counted ? NULL : job_there(world, edge->parent);
        if (parent != NULL && ref_final(parent) && returns(world, parent) != RETURNS) {
            *count += parent == found ? 0 : 1;
            found = parent;
        }
    }
    return found;
}

bool
ref_graph_doubtful(struct ref_world *world, const struct ref_job *job)
{
    uint32_t count = 0;
    return doubtful(world, job, &count) != NULL;
}

/* A parent of the job that is BLOCKED is one of `shaky`. */
static bool
leans_on(struct ref_world *world, const struct ref_job *job, const bool *shaky)
{
    bool leans = false;
    for (uint32_t i = 0; job->node.leans && i < job->node.count; i++) {
        leans = leans || shaky[job_there(world, job->node.edges[i].parent) - world->jobs];
    }
    return leans;
}

uint32_t
ref_graph_shaky(struct ref_world *world, bool *shaky)
{
    uint32_t count = 0;
    uint32_t before = 0;
    memset(shaky, 0, sizeof(*shaky) * REF_RECORDS);
    do {
        before = count;
        for (uint32_t i = 0; i < REF_RECORDS; i++) {
            const struct ref_job *job = &world->jobs[i];
            bool blocked = ref_live(job) && job->state == LEAT_JOB_BLOCKED && !shaky[i];
            if (blocked && (ref_graph_doubtful(world, job) || leans_on(world, job, shaky))) {
                shaky[i] = true;
                count++;
            }
        }
    } while (count != before);
    return count;
}

static bool
waits_for(const struct ref_job *child, const struct ref_job *parent)
{
    bool found = false;
    for (uint32_t i = 0; child->node.leans && i < child->node.count; i++) {
        found = found || child->node.edges[i].parent.bits == parent->id.bits;
    }
    return found;
}

/* Why the record of a job that is pinned may be gone all the same: a dead job that is doubtful. */
static struct ref_job *
doubt_of(struct ref_world *world, struct ref_job *job)
{
    uint32_t count = 0;
    struct ref_job *found = job->node.lingers ? doubtful(world, job, &count) : NULL;
    if (found == NULL && job->state == LEAT_JOB_DEAD && job->node.uses != 0 &&
        returns(world, job) == RETURNS_MAYBE) {
        found = job;
    }
    for (uint32_t i = 0; i < REF_RECORDS && found == NULL && job->node.uses != 0; i++) {
        const struct ref_job *child = &world->jobs[i];
        if (child->id.bits != 0 && child->node.lingers && waits_for(child, job)) {
            found = doubtful(world, child, &count);
        }
    }
    return found;
}

bool
ref_pinned_surely(struct ref_world *world, struct ref_job *job)
{
    return ref_pinned(job) && doubt_of(world, job) == NULL;
}

/* ---- a child goes on, or ends ---------------------------------------------------------------- */

static void
release(struct ref_world *world, const struct todo *todo, struct ref_job *job)
{
    uint64_t now_ns = ref_boot(world);
    bool later = job->node.delay_ns != 0;
    ref_met(world, job->node.paid ? REF_MET_RELEASED : REF_MET_RELEASED_UNPAID);
    if (later || job->node.run_at_ns > ref_wall(world)) {
        job->state = LEAT_JOB_SCHEDULED;
        job->since_ns = now_ns;
        job->moved = false;
        job->front = false;
        job->due.wall = !later;
        job->due.low_ns = job->node.run_at_ns < INT64_MAX ? job->node.run_at_ns : INT64_MAX;
        job->due.high_ns = job->due.low_ns;
        if (later) {
            uint64_t from_ns = todo->exact ? now_ns : world->run_begin_ns;
            job->due.low_ns = ref_after(from_ns, job->node.delay_ns);
            job->due.high_ns = ref_after(now_ns, job->node.delay_ns);
        }
        ref_met(world, REF_MET_RELEASED_LATER);
        return;
    }
    uint64_t low = todo->first ? world->sequence + 1 : todo->sequence;
    low = todo->exact ? low : world->synced;
    ref_key_enter(job, low, world->sequence + 1);
    ref_wait_in_line(world, job);
    ref_order_entered(job, low, job->high);
    job->low = low;
    job->trail = 0; /* it did not wait since its submit */
}

static enum leat_job_state
state_now(struct ref_world *world, const struct ref_job *job)
{
    struct leat_job_info info = leat_job_info_default();
    bool there = leat_get(world->engine, job->id, &info) == LEAT_OK;
    return there ? info.state : ref_told_end(world, job);
}

/* It is found that a job which waits for others has expired before this. */
static bool
expired_before(struct ref_world *world, const struct ref_job *job)
{
    return ref_expired(world, job) && state_now(world, job) == LEAT_JOB_DEAD;
}

/* By what its parents came to, and not by somebody's call. */
static void
end_blocked(struct ref_world *world, struct todo *todo, struct ref_job *job,
            enum leat_job_state state)
{
    bool before = world->by_itself;
    enum leat_reason reason = LEAT_REASON_PARENT;
    if (job->state != LEAT_JOB_BLOCKED) {
        return;
    }
    if (job->node.cohort.is) {
        reason = LEAT_REASON_NONE;
    } else if (expired_before(world, job)) {
        state = LEAT_JOB_DEAD;
        reason = LEAT_REASON_EXPIRED;
    }
    world->by_itself = true; /* their order is not told */
    ref_end_alone(world, job, state, reason);
    world->by_itself = before;
    job->pressure = before ? job->pressure : world->pressure;
    todo->jobs[todo->count++] = (uint32_t)(job - world->jobs);
}

static enum leat_job_state
cohort_end(const struct ref_cohort *cohort)
{
    return cohort->dead == 0 && cohort->cancelled == 0 ? LEAT_JOB_COMPLETED : LEAT_JOB_CANCELLED;
}

/* One thing less to wait for. */
static void
go_on(struct ref_world *world, const struct todo *todo, struct ref_job *job)
{
    if (waits_of(job) != 0) {
        return;
    }
    if (ref_final(job)) {
        retire(world, job);
    } else {
        release(world, todo, job);
    }
}

/* The job that was to come at the first death. */
static void
death_comes(struct ref_world *world, struct todo *todo, struct ref_cohort *cohort, bool comes)
{
    struct ref_job *death = ref_graph_job(world, cohort->death);
    cohort->death.bits = 0;
    if (death == NULL) {
        return;
    }
    death->node.held = false;
    if (comes) {
        ref_met(world, REF_MET_DEATH);
    } else {
        end_blocked(world, todo, death, LEAT_JOB_CANCELLED);
    }
    go_on(world, todo, death);
}

/* The same for any job. */
static void
counted(struct ref_world *world, struct todo *todo, struct ref_job *job)
{
    if (waits_of(job) == 0 && job->node.cohort.is) {
        enum leat_job_state state = cohort_end(&job->node.cohort);
        ref_met(world,
                state == LEAT_JOB_COMPLETED ? REF_MET_COHORT_COMPLETED : REF_MET_COHORT_CANCELLED);
        end_blocked(world, todo, job, state);
        death_comes(world, todo, &job->node.cohort, false);
    }
    go_on(world, todo, job);
}

static void
member_ended(struct ref_world *world, struct todo *todo, struct ref_job *job)
{
    struct ref_job *of = NULL;
    if (!job->node.member) {
        return;
    }
    job->node.member = false;
    of = job_there(world, job->node.cohort_id);
    of->node.cohort.completed += job->state == LEAT_JOB_COMPLETED ? 1 : 0;
    of->node.cohort.dead += job->state == LEAT_JOB_DEAD ? 1 : 0;
    of->node.cohort.cancelled += job->state == LEAT_JOB_CANCELLED ? 1 : 0;
    if (job->state == LEAT_JOB_DEAD) {
        death_comes(world, todo, &of->node.cohort, true);
    }
    counted(world, todo, of);
}

/* ---- the end of a parent --------------------------------------------------------------------- */

/* pre: the edge is not counted, and its parent has ended. */
static void
edge_settle(struct ref_world *world, struct todo *todo, struct ref_job *child,
            struct ref_edge *edge)
{
    const struct ref_job *parent = job_there(world, edge->parent);
    bool failed = parent->state != LEAT_JOB_COMPLETED;
    if (failed && child->node.policy == LEAT_PARENT_WAIT && returns(world, parent) != RETURNS_NOT) {
        ref_met(world, REF_MET_WAITS);
        return;
    }
    if (failed && child->node.policy == LEAT_PARENT_IGNORE) {
        ref_met(world, REF_MET_IGNORED);
    } else if (failed) {
        ref_met(world,
                child->node.policy == LEAT_PARENT_WAIT ? REF_MET_FORSAKEN : REF_MET_CANCELLED);
        end_blocked(world, todo, child, LEAT_JOB_CANCELLED);
    } else if (child->node.policy == LEAT_PARENT_WAIT && parent->told != 0) {
        ref_met(world, REF_MET_COMPLETED_AFTER);
    }
    edge->counted = true;
    counted(world, todo, child);
}

/* The next edge behind `joined` that is not counted. */
static struct ref_edge *
edge_next(struct ref_world *world, const struct ref_job *parent, uint64_t joined,
          struct ref_job **child)
{
    struct ref_edge *found = NULL;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        struct ref_job *job = &world->jobs[i];
        for (uint32_t j = 0; job->id.bits != 0 && j < job->node.count; j++) {
            struct ref_edge *edge = &job->node.edges[j];
            bool of = edge->parent.bits == parent->id.bits && !edge->counted;
            if (of && edge->joined > joined && (found == NULL || edge->joined < found->joined)) {
                found = edge;
                *child = job;
            }
        }
    }
    return found;
}

static void
settle(struct ref_world *world, struct todo *todo, const struct ref_job *parent)
{
    struct ref_job *child = NULL;
    struct ref_edge *edge = parent->node.uses == 0 ? NULL : edge_next(world, parent, 0, &child);
    while (edge != NULL) {
        uint64_t joined = edge->joined;
        edge_settle(world, todo, child, edge);
        edge = edge_next(world, parent, joined, &child);
    }
}

/* The children of those that were ended. */
static void
settle_all(struct ref_world *world, struct todo *todo)
{
    todo->first = false;
    while (todo->count != 0) {
        struct ref_job *job = &world->jobs[todo->jobs[--todo->count]];
        settle(world, todo, job);
        member_ended(world, todo, job);
    }
}

static void
todo_begin(struct ref_world *world, struct todo *todo)
{
    todo->count = 0;
    todo->sequence = world->sequence;
    todo->exact = !world->by_itself;
    todo->first = true;
    world->cascades = true;
    if (!world->running) {
        /* From here on it is not known in which order. */
        world->run_ends_dead = world->ends_dead;
        world->run_ends_other = world->ends_other;
        world->run_retired = 0;
    }
}

static void
todo_end(struct ref_world *world, struct todo *todo)
{
    settle_all(world, todo);
    world->cascades = false;
}

/* One that is BLOCKED has its record until it waits for nothing any more. */
void
ref_graph_ends(struct ref_job *job)
{
    if (job->state == LEAT_JOB_BLOCKED) {
        job->node.lingers = waits_of(job) != 0;
        job->zombie = job->node.lingers;
    }
}

void
ref_graph_ended(struct ref_world *world, struct ref_job *job, bool was_blocked)
{
    if (job->node.uses == 0 && !job->node.own) {
        return;
    }
    struct todo todo;
    todo_begin(world, &todo);
    settle(world, &todo, job);
    member_ended(world, &todo, job);
    if (!was_blocked) {
        parents_leave(world, job);
    }
    todo_end(world, &todo);
}

/* It has no place any more, and goes unless somebody wants it. */
void
ref_graph_forsaken(struct ref_world *world, struct ref_job *job)
{
    struct todo todo;
    bool found_gone = job->gone;
    job->unlisted = true;
    job->zombie = false;
    if (!job->kept) {
        ref_let_go(job);
    }
    todo_begin(world, &todo);
    settle(world, &todo, job);
    todo_end(world, &todo);
    job->gone = job->gone || found_gone;
}

/* Each dead job is so once: those who waited for it do so no more. So who looks for the next one
 * comes to an end. */
static void
give_up(struct ref_world *world, struct ref_job *dead)
{
    if (dead->unlisted) {
        ref_fail(world, dead, "it was given up before, and is waited for yet");
    }
    ref_graph_forsaken(world, dead);
}

void
ref_graph_lost(struct ref_world *world, struct ref_job *job)
{
    struct ref_job *dead = doubt_of(world, job);
    world->by_itself = true;
    while (ref_pinned(job) && dead != NULL) {
        give_up(world, dead);
        dead = doubt_of(world, job);
    }
    world->by_itself = false;
}

void
ref_graph_landed(struct ref_world *world, struct ref_job *job)
{
    uint32_t count = 0;
    struct ref_job *dead = doubtful(world, job, &count);
    world->by_itself = true;
    while (job->node.lingers && dead != NULL) {
        give_up(world, dead);
        dead = doubtful(world, job, &count);
    }
    world->by_itself = false;
    if (job->node.lingers) {
        ref_fail(world, job, "it is a letter, but waits for its parents yet");
    }
    job->zombie = false;
}

void
ref_cohort_close(struct ref_world *world, struct ref_job *job)
{
    struct todo todo;
    todo_begin(world, &todo);
    job->node.cohort.open = false;
    counted(world, &todo, job);
    todo_end(world, &todo);
}

/* ---- a submit -------------------------------------------------------------------------------- */

bool
ref_ties_block(const struct ref_ties *ties)
{
    return ties->count + ties->within != 0 || ties->held || ties->is_cohort;
}

bool
ref_ties_any(const struct ref_ties *ties)
{
    return ref_ties_block(ties) || ties->behind != 0 || ties->cohort.bits != 0;
}

static void
edge_add(struct ref_world *world, struct ref_job *child, leat_job_id parent, uint64_t joined)
{
    struct ref_node *node = &child->node;
    if (node->count == REF_PARENTS) {
        ref_fail(world, child, "it has more parents than the model has room for");
    }
    node->edges[node->count++] = (struct ref_edge){parent, joined, false};
    node->leans = true;
    struct ref_job *of = job_there(world, parent);
    of->node.uses++;
    of->node.named = true;
}

void
ref_ties_await(struct ref_world *world, const struct ref_ties *ties)
{
    if (ties->cohort.bits != 0) {
        job_there(world, ties->cohort)->node.cohort.total++;
    }
}

void
ref_ties_hold(struct ref_world *world, const struct ref_ties *ties, bool holds)
{
    for (uint32_t i = 0; i < ties->count; i++) {
        struct ref_job *parent = job_there(world, ties->parents[i]);
        parent->node.uses = holds ? parent->node.uses + 1 : parent->node.uses - 1;
    }
}

void
ref_ties_bind(struct ref_world *world, struct ref_job *job, const struct ref_ties *ties)
{
    struct ref_node *node = &job->node;
    node->own = ties->cohort.bits != 0 || ref_ties_block(ties);
    node->joins = ref_ties_block(ties);
    node->policy = ties->policy;
    node->held = ties->held;
    node->cohort.is = ties->is_cohort;
    node->cohort.open = ties->is_cohort;
    for (uint32_t i = 0; i < ties->count; i++) {
        edge_add(world, job, ties->parents[i], 0);
    }
    if (ties->cohort.bits != 0) {
        node->cohort_id = ties->cohort;
        node->member = true;
    }
}

void
ref_graph_tie(struct ref_world *world, struct ref_job *parent, struct ref_job *child)
{
    edge_add(world, child, parent->id, ++world->joined);
    parent->node.own = true;
}

void
ref_graph_join(struct ref_world *world, struct ref_job *job)
{
    struct todo todo;
    if (!job->node.joins) {
        return;
    }
    todo_begin(world, &todo);
    for (uint32_t i = 0; i < job->node.count; i++) {
        struct ref_edge *edge = &job->node.edges[i];
        if (edge->joined != 0) {
            continue; /* its parent came with it */
        }
        edge->joined = ++world->joined;
        if (ref_final(job_there(world, edge->parent))) {
            edge_settle(world, &todo, job, edge);
        }
    }
    job->node.joins = false;
    counted(world, &todo, job);
    todo_end(world, &todo);
}

/* ---- what the engine did by itself ----------------------------------------------------------- */

/* pre: world->by_itself. */
bool
ref_graph_step(struct ref_world *world, struct ref_job *job, enum leat_job_state state)
{
    uint32_t count = 0;
    if (job->state != LEAT_JOB_BLOCKED) {
        return false;
    }
    if (state == LEAT_JOB_DEAD && ref_expired(world, job)) {
        ref_met(world, REF_MET_EXPIRED);
        job->node.found = world->journal_count;
        ref_end(world, job, LEAT_JOB_DEAD, LEAT_REASON_EXPIRED);
        return true;
    }
    struct ref_job *parent = doubtful(world, job, &count);
    if (state != LEAT_JOB_CANCELLED || parent == NULL) {
        return false;
    }
    ref_met(world, REF_MET_FORSAKEN);
    if (count == 1) {
        ref_graph_forsaken(world, parent);
    } else {
        ref_end(world, job, LEAT_JOB_CANCELLED, LEAT_REASON_PARENT);
    }
    return true;
}

/* Jobs that began are told by who begins them. */
static bool
is_told(struct ref_world *world, const struct ref_job *job)
{
    return job == world->current ||
           (job->state != LEAT_JOB_RUNNING && state_now(world, job) == LEAT_JOB_RUNNING);
}

/* A parent for which it waits has ended, and is not followed yet: that may be why. */
static bool
parent_first(struct ref_world *world, const struct ref_job *job)
{
    bool first = false;
    for (uint32_t i = 0; i < job->node.count; i++) {
        const struct ref_edge *edge = &job->node.edges[i];
        const struct ref_job *parent = edge->counted ? job : job_there(world, edge->parent);
        first = first || (parent != job && !ref_final(parent) &&
                          state_now(world, parent) >= LEAT_JOB_COMPLETED);
    }
    return first;
}

/* Those that are BLOCKED: tolerant, as they may follow another one that is not looked at yet.
 * `parents`: first those whose parents have been followed. */
static void
look_at_blocked(struct ref_world *world, bool parents)
{
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        struct ref_job *job = &world->jobs[i];
        bool waits = ref_live(job) && job->state == LEAT_JOB_BLOCKED;
        if (waits && !(parents && parent_first(world, job))) {
            enum leat_job_state now = state_now(world, job);
            world->by_itself = true;
            if (now != LEAT_JOB_BLOCKED) {
                (void)ref_graph_step(world, job, now);
            }
            world->by_itself = false;
        }
    }
}

static uint32_t
blocked(const struct ref_world *world)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        count += ref_live(&world->jobs[i]) && world->jobs[i].state == LEAT_JOB_BLOCKED ? 1 : 0;
    }
    return count;
}

/* Ends: each round but the last one has one BLOCKED job less. */
void
ref_graph_follow(struct ref_world *world)
{
    uint32_t before = 0;
    do {
        before = blocked(world);
        for (uint32_t i = 0; i < REF_RECORDS; i++) {
            struct ref_job *job = &world->jobs[i];
            if (job->id.bits != 0 && !job->gone && job->state != LEAT_JOB_BLOCKED &&
                !is_told(world, job)) {
                ref_peek(world, job);
            }
        }
        look_at_blocked(world, true);
        if (blocked(world) == before) {
            look_at_blocked(world, false); /* a cohort may be the parent of its own member */
        }
    } while (blocked(world) != before);
}

bool
ref_graph_ended_before(struct ref_world *world, struct ref_job *job)
{
    struct leat_job_info info = leat_job_info_default();
    if (!ref_graph_doubtful(world, job)) {
        return false;
    }
    enum leat_status status = leat_get(world->engine, job->id, &info);
    leat_events_drain(world->engine);
    const struct leat_event *event = &world->ends[job - world->jobs];
    bool told = status == LEAT_GONE && event->id.bits == job->id.bits;
    enum leat_reason reason = told ? event->reason : info.reason;
    return reason == LEAT_REASON_PARENT && ref_reach(world, job, LEAT_JOB_CANCELLED);
}

void
ref_graph_catch_up(struct ref_world *world)
{
    bool differs = false;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        differs = differs || (ref_live(job) && job->state == LEAT_JOB_BLOCKED &&
                              state_now(world, job) != LEAT_JOB_BLOCKED);
    }
    if (differs) {
        ref_graph_follow(world);
    }
}
