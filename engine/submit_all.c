/* submit_all.c - jobs that are taken in as a whole, or not at all. Each is checked, then each has a
 * record, and then all are seen at once. */
#include "engine/batch.h"
#include "engine/batch_room.h"
#include "engine/durable/durable.h"
#include "engine/gates.h"
#include "engine/intake.h"
#include "engine/labels.h"
#include "engine/plan.h"

#include <string.h>

#include "ring/rcu.h"

/* What an all-or-none batch needs while it is taken in. */
struct group {
    struct leat_engine *engine;
    const struct leat_batch_part *part;
    struct leat_batch_room room;
    struct leat_batch_ask *asks;
    struct leat_intake *intakes;
    uint32_t *items;
    leat_job_id *ids;
    bool *kept;
};

static enum leat_status
group_check_one(struct group *group, size_t index)
{
    struct leat_job copy;
    const struct leat_job *job = NULL;
    const struct leat_job *given = leat_batch_job(group->part->jobs, group->part->first + index);
    struct leat_intake *intake = &group->intakes[index];
    enum leat_status status = LEAT_INVALID;
    if (group->part->plan != NULL) {
        intake->ties = group->part->plan->ties[index];
    }
    if (given->size == group->part->jobs->size) {
        status = leat_intake_read(given, &copy, &job);
    }
    if (status == LEAT_OK) {
        status = leat_intake_check(group->engine, job, intake);
    }
    if (status == LEAT_OK && !leat_labels_grouped(job->options)) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK && intake->acknowledges.queue != NULL) {
        status = LEAT_UNSUPPORTED;
    }
    if (status == LEAT_OK && intake->ties.noded && group->engine->config.inline_mode) {
        status = LEAT_UNSUPPORTED;
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_batch_ask *ask = &group->asks[index];
    *ask = (struct leat_batch_ask){.queue = intake->queue,
                                   .type = intake->type,
                                   .level = intake->level,
                                   .bytes = intake->bytes,
                                   .index = LEAT_INDEX_NONE,
                                   .counted = leat_intake_counted(intake) &&
                                              !group->engine->config.inline_mode};
    if (ask->counted) {
        ask->block_ns = leat_room_block_ns(group->engine, job, intake->queue);
    }
    return LEAT_OK;
}

static enum leat_status
group_check(struct group *group)
{
    enum leat_status first = LEAT_OK;
    for (size_t i = 0; i < group->part->count; i++) {
        enum leat_status status = group_check_one(group, i);
        if (group->part->statuses != NULL) {
            group->part->statuses[i] = status;
        }
        first = first == LEAT_OK ? status : first;
    }
    return first;
}

/* Of the first `count`. */
static void
group_refuse(const struct group *group, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        leat_intake_refuse(group->engine, &group->intakes[i]);
    }
}

/* Of one that cannot be taken: a job that it names is missing, or its cohort is. Else there is no
 * room, or no memory, or the engine is closed. */
static bool
is_to_blame(enum leat_status status)
{
    return status != LEAT_FULL && status != LEAT_NO_MEMORY && status != LEAT_CLOSED;
}

static enum leat_status
group_fill(struct group *group)
{
    for (size_t i = 0; i < group->part->count; i++) {
        struct leat_job copy;
        const struct leat_job *job = NULL;
        const struct leat_job *given = leat_batch_job(group->part->jobs, group->part->first + i);
        enum leat_status status = leat_intake_read(given, &copy, &job);
        if (status == LEAT_OK) {
            status = leat_intake_fill(group->engine, job, &group->intakes[i]);
        }
        if (status != LEAT_OK) {
            group_refuse(group, i);
            if (group->part->statuses != NULL && is_to_blame(status)) {
                group->part->statuses[i] = status;
            }
            return status;
        }
        group->kept[i] = (job->flags & LEAT_JOB_KEEP_RESULT) != 0;
        group->items[i] = group->intakes[i].index;
    }
    return LEAT_OK;
}

/* Of the first `count`. */
static void
group_unclaim(const struct group *group, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        leat_labels_unclaim(group->engine, group->intakes[i].index);
    }
}

/* What they claim: all of them, or none. Such claims ask nothing of others. */
static enum leat_status
group_claim(const struct group *group)
{
    struct leat_engine *engine = group->engine;
    leat_job_id other = {0};
    for (size_t i = 0; i < group->part->count; i++) {
        enum leat_status status = leat_intake_claim(engine, &group->intakes[i], &other);
        if (status != LEAT_OK) {
            group_unclaim(group, i);
            if (group->part->statuses != NULL) {
                group->part->statuses[i] = status;
            }
            return status;
        }
    }
    return LEAT_OK;
}

/* And the room that has not been taken yet. */
static enum leat_status
group_claim_room(const struct group *group)
{
    enum leat_status status = group_claim(group);
    if (status == LEAT_OK && !leat_batch_room_claim(group->engine, &group->room)) {
        group_unclaim(group, group->part->count);
        status = LEAT_FULL;
    }
    return status;
}

/* True if the engine and all queues take them. */
static bool
group_accepted(const struct group *group)
{
    bool accepted = leat_engine_accepts(group->engine);
    for (size_t i = 0; accepted && i < group->part->count; i++) {
        struct leat_intake *intake = &group->intakes[i];
        intake->options = leat_queue_options(group->engine, intake->queue);
        accepted = leat_queue_open(group->engine, intake->options);
    }
    return accepted;
}

static void
group_publish(struct group *group)
{
    struct leat_engine *engine = group->engine;
    if (group->part->plan != NULL) {
        leat_plan_tie(engine, group->part->plan, group->items);
    }
    for (size_t i = 0; i < group->part->count; i++) {
        struct leat_intake *intake = &group->intakes[i];
        if (leat_intake_enter(engine, intake, group->kept[i], &group->ids[i])) {
            group->asks[i].index = intake->index;
        } else if (!intake->ties.blocks) {
            intake->options |= LEAT_QUEUE_HELD;
        }
    }
}

/* As submit.c claims ahead: what is told the log is done outside of sections. */
static enum leat_status
group_claim_ahead(const struct group *group)
{
    struct leat_engine *engine = group->engine;
    leat_rcu_enter();
    enum leat_status status = group_claim(group);
    leat_rcu_leave(&engine->domain);
    if (status != LEAT_OK) {
        return status;
    }
    for (size_t i = 0; i < group->part->count && status == LEAT_OK; i++) {
        status = leat_durable_claimed(engine, group->intakes[i].index);
        if (status != LEAT_OK && group->part->statuses != NULL) {
            group->part->statuses[i] = status;
        }
    }
    if (status == LEAT_OK && !leat_batch_room_claim(engine, &group->room)) {
        status = LEAT_FULL;
    }
    if (status != LEAT_OK) {
        leat_rcu_enter();
        group_unclaim(group, group->part->count);
        leat_rcu_leave(&engine->domain);
    }
    return status;
}

/* What they have claimed ahead is not to be. Inside a section. */
static enum leat_status
group_closed(const struct group *group, bool claimed)
{
    if (claimed) {
        group_unclaim(group, group->part->count);
        leat_batch_room_unclaim(group->engine, &group->room);
    }
    return LEAT_CLOSED;
}

/* Behind the section: what ends by this, the log is told. pre: leat_change_begins(). */
static LEAT_COLD void
group_join(const struct group *group)
{
    for (size_t i = 0; i < group->part->count; i++) {
        const struct leat_intake *intake = &group->intakes[i];
        if (intake->ties.blocks) {
            leat_graph_join(group->engine, intake->index);
        }
    }
    leat_change_ends(group->engine);
}

static bool
group_joins(const struct group *group)
{
    bool joins = false;
    for (size_t i = 0; i < group->part->count; i++) {
        joins = joins || group->intakes[i].ties.blocks;
    }
    return joins;
}

static enum leat_status
group_push(struct group *group, bool claimed)
{
    struct leat_engine *engine = group->engine;
    enum leat_status status = LEAT_OK;
    bool joins = false;
    leat_rcu_enter();
    if (!group_accepted(group)) {
        status = group_closed(group, claimed);
    } else if (!claimed) {
        status = group_claim_room(group);
    }
    if (status == LEAT_OK) {
        group_publish(group);
        leat_batch_put(engine, group->asks, group->part->count, group->items);
        joins = group_joins(group);
        if (LEAT_UNLIKELY(joins)) {
            leat_change_begins(engine); /* a drain that begins from now on waits for it */
        }
    }
    leat_rcu_leave(&engine->domain);
    if (LEAT_UNLIKELY(joins)) {
        group_join(group);
    }
    for (size_t i = 0; status == LEAT_OK && i < group->part->count; i++) {
        const struct leat_intake *intake = &group->intakes[i];
        leat_intake_entered(engine, intake, intake->options, group->ids[i]);
    }
    return status;
}

/* The same where leat_config.inline_mode is set: they run one after another. */
static enum leat_status
group_run(struct group *group)
{
    struct leat_engine *engine = group->engine;
    enum leat_status status = leat_inline_enter(engine);
    for (size_t i = 0; status == LEAT_OK && i < group->part->count; i++) {
        const struct leat_intake *intake = &group->intakes[i];
        group->ids[i] = leat_intake_run(engine, intake->index, group->kept[i]);
        leat_inline_run(engine, group->ids[i], NULL, NULL);
        (void)atom_add_rlx(&engine->outside.inlined, 1); /* rlx: statistic */
    }
    if (status == LEAT_OK) {
        (void)atom_sub_rlx(&engine->outside.inlined, 1); /* rlx: statistic */
    }
    return status;
}

static uint32_t
group_index(void *context, uint32_t number)
{
    const struct group *group = context;
    return group->items[number];
}

static const struct leat_job *
group_job(void *context, uint32_t number)
{
    const struct group *group = context;
    return leat_batch_job(group->part->jobs, group->part->first + number);
}

/* That of its jobs which asks for most. */
static enum leat_durability
group_durability(struct group *group)
{
    enum leat_durability most = LEAT_DURABILITY_NONE;
    for (uint32_t i = 0; i < group->part->count; i++) {
        enum leat_durability its = leat_durable_of(group->engine, group_job(group, i));
        most = its > most ? its : most;
    }
    return most;
}

/* All in one unit of the log. Those that are not to be durable have their ids. */
static enum leat_status
group_log(struct group *group, enum leat_durability durability)
{
    uint64_t position = 0;
    const struct leat_durable_unit unit = {.count = (uint32_t)group->part->count,
                                           .plan = group->part->plan,
                                           .index = group_index,
                                           .job = group_job,
                                           .context = group};
    enum leat_status status = leat_durable_images(group->engine, &unit, &position);
    return status == LEAT_OK ? leat_durable_wait(group->engine, position, durability) : status;
}

/* Not as most do. */
static LEAT_COLD enum leat_status
group_otherwise(struct group *group)
{
    if (group->engine->submits == LEAT_SUBMITS_INLINE) {
        return group_run(group);
    }
    const enum leat_durability durability = group_durability(group);
    bool waits = durability != LEAT_DURABILITY_NONE;
    enum leat_status status = waits && leat_acknowledges_inside(group->engine)
                                  ? LEAT_DEADLOCK
                                  : group_log(group, durability);
    if (status == LEAT_OK) {
        leat_durable_pass_begin(group->engine->durable);
        status = group_claim_ahead(group);
        status = status == LEAT_OK ? group_push(group, true) : status;
        leat_durable_pass_end(group->engine->durable);
    }
    return status == LEAT_OK ? leat_durable_wait_all(group->engine, durability) : status;
}

/* Takes the records, and puts them. pre: their room is taken, as far as that comes before. */
static enum leat_status
group_take(struct group *group)
{
    enum leat_status status = group_fill(group);
    if (status == LEAT_OK) {
        status = group->engine->submits == LEAT_SUBMITS_PLAIN ? group_push(group, false)
                                                              : group_otherwise(group);
        if (status != LEAT_OK) {
            group_refuse(group, group->part->count);
        }
    }
    if (status != LEAT_OK) {
        leat_batch_room_give(group->engine, &group->room);
    }
    return status;
}

/* Lays the group's arrays into one block, the most aligned first. */
static size_t
group_lay(struct group *group, unsigned char *block)
{
    size_t count = group->part->count;
    size_t asks = sizeof(leat_job_id) * count;
    size_t intakes = asks + sizeof(struct leat_batch_ask) * count;
    size_t items = intakes + sizeof(struct leat_intake) * count;
    size_t kept = items + sizeof(uint32_t) * count;
    if (block != NULL) {
        group->ids = (leat_job_id *)(void *)block;
        group->asks = (struct leat_batch_ask *)(void *)(block + asks);
        group->intakes = (struct leat_intake *)(void *)(block + intakes);
        group->items = (uint32_t *)(void *)(block + items);
        group->kept = (bool *)(block + kept);
    }
    return kept + sizeof(bool) * count;
}

enum leat_status
leat_submit_all(struct leat_engine *engine, const struct leat_batch_part *part)
{
    const struct leat_memory *memory = &engine->memory;
    struct group group = {.engine = engine, .part = part};
    for (size_t i = 0; part->statuses != NULL && i < part->count; i++) {
        part->statuses[i] = LEAT_OK;
    }
    /* More than there are records, and so more than the block's size could overflow with. */
    if (part->count > engine->config.jobs_max) {
        return LEAT_FULL;
    }
    size_t bytes = group_lay(&group, NULL);
    unsigned char *block = leat_memory_take(memory, bytes);
    if (block == NULL) {
        return LEAT_NO_MEMORY;
    }
    (void)group_lay(&group, block);
    enum leat_status status = group_check(&group);
    if (status == LEAT_OK) {
        status = leat_batch_room_init(engine, &group.room, group.asks, part->count);
    }
    if (status == LEAT_OK) {
        status = leat_batch_room_take(engine, &group.room, part->deadline_ns);
    }
    if (status == LEAT_OK) {
        status = group_take(&group);
    }
    if (status == LEAT_OK && part->ids != NULL) {
        memcpy(part->ids, group.ids, sizeof(leat_job_id) * part->count);
    }
    leat_batch_room_fini(engine, &group.room);
    leat_memory_give(memory, block, bytes);
    return status;
}
