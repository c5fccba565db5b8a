/* op_submit.c - jobs are submitted, one at a time and in batches: what is right of that, and what
 * becomes of them. */
#include "tests/reference/submit.h"

#include <string.h>

#define INDEX_MASK ((UINT64_C(1) << 26) - 1)

/* What jobs of an all-or-none batch take that come before others of it. */
struct taken {
    struct ref_need needs[REF_QUEUES];
    uint32_t slots[REF_COMPLETIONS];
    uint32_t records;
    uint64_t payloads;
    bool parents[REF_RECORDS]; /* of those: they stay for them */
};

/* ---- what is right --------------------------------------------------------------------------- */

/* Names are taken in as they are met, also where the job is refused in the end. */
static enum leat_status
queue_right(struct ref_world *world, const struct spec *spec)
{
    uint32_t known = 0;
    if (spec->queue == REF_NONE) {
        return spec->job.queue.bits != 0 ? LEAT_NOT_FOUND : LEAT_INVALID;
    }
    if (world->queues[spec->queue].handle.bits != 0) {
        return LEAT_OK;
    }
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        known += world->queues[i].handle.bits != 0 ? 1 : 0;
    }
    if (!ref_accepts(world)) {
        return LEAT_CLOSED;
    }
    if (known >= world->config.queues_max) {
        return LEAT_FULL;
    }
    ref_queue_learn(world, spec->queue);
    world->queues[spec->queue].priority = LEAT_PRIORITY_NORMAL;
    return LEAT_OK;
}

static enum leat_status
type_right(struct ref_world *world, const struct spec *spec)
{
    uint32_t known = 0;
    if (spec->type == REF_NONE) {
        return spec->job.type.bits != 0 ? LEAT_NOT_FOUND : LEAT_INVALID;
    }
    if (world->types[spec->type].handle.bits != 0) {
        return LEAT_OK;
    }
    for (uint32_t i = 0; i < REF_TYPES; i++) {
        known += world->types[i].handle.bits != 0 ? 1 : 0;
    }
    if (!ref_accepts(world)) {
        return LEAT_CLOSED;
    }
    if (known >= world->config.types_max) {
        return LEAT_FULL;
    }
    ref_type_learn(world, spec->type);
    return LEAT_OK;
}

static uint32_t
level_of(const struct ref_world *world, const struct spec *spec)
{
    return spec->job.priority == LEAT_PRIORITY_OF_QUEUE ? world->queues[spec->queue].priority
                                                        : spec->job.priority;
}

enum leat_status
ref_spec_check(struct ref_world *world, const struct spec *spec)
{
    enum leat_status right = spec->shape;
    if (right == LEAT_OK) {
        right = queue_right(world, spec);
    }
    right = right == LEAT_OK ? type_right(world, spec) : right;
    return right == LEAT_OK ? ref_order_right(world, spec->queue, level_of(world, spec)) : right;
}

static bool
at_once(const struct ref_world *world, const struct spec *spec)
{
    bool later = spec->job.options != NULL && spec->options.run_at_ns > ref_wall(world);
    return spec->job.delay_ns == 0 && !later && !spec->inlined;
}

/* Whether there is a record: what ended may hold one that is not seen from here. */
static uint64_t
record_right(struct ref_world *world, const struct taken *taken)
{
    uint32_t sure = taken->records;
    uint32_t maybe = 0;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        struct ref_job *job = &world->jobs[i];
        if (job->id.bits == 0 || job->gone) {
            continue;
        }
        bool stays = ref_live(job) || job->kept || taken->parents[i];
        stays = stays || ref_pinned_surely(world, job);
        bool unsure = !stays && (job->zombie || ref_pinned(job) || job->state == LEAT_JOB_DEAD);
        sure += stays ? 1 : 0;
        maybe += unsure ? 1 : 0;
    }
    if (sure >= world->config.jobs_max) {
        return REF_ONE(LEAT_FULL);
    }
    return REF_ONE(LEAT_OK) | (sure + maybe >= world->config.jobs_max ? REF_ONE(LEAT_FULL) : 0);
}

/* It may be that only an ended job's record is to be had. */
static bool
presses(const struct ref_world *world, const struct taken *taken)
{
    return ref_present(world) + taken->records >= world->config.jobs_max;
}

static void
need_add(const struct ref_world *world, const struct spec *spec, struct ref_need *needs)
{
    if (at_once(world, spec) && world->queues[spec->queue].counts) {
        ref_need_add(&needs[spec->queue], level_of(world, spec), spec->job.payload_bytes);
    }
}

/* Whether there is room for a job that is right in itself, beside that in its queue. */
static uint64_t
store_right(struct ref_world *world, const struct spec *spec, struct taken *taken)
{
    if (spec->completions != REF_NONE) {
        const struct ref_completions *slots = &world->completions[spec->completions];
        if (slots->reserved + slots->count + taken->slots[spec->completions] >= slots->slots) {
            return REF_ONE(LEAT_FULL);
        }
        taken->slots[spec->completions]++;
    }
    uint64_t right = record_right(world, taken);
    taken->records++;
    return ref_payload_right(world, right, spec->job.payload_bytes, &taken->payloads);
}

/* The room that there is at most: what waits for a letter that may have been given up in the call
 * may have ended before the room was asked for. */
static bool
room_maybe(struct ref_world *world, const struct ref_need *needs)
{
    static bool shaky[REF_RECORDS]; /* too much for a stack */
    static bool paid[REF_RECORDS];
    if (ref_graph_shaky(world, shaky) == 0) {
        return false;
    }
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        paid[i] = world->jobs[i].node.paid;
        world->jobs[i].node.paid = paid[i] && !shaky[i];
    }
    bool there = ref_room_there(world, needs);
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        world->jobs[i].node.paid = paid[i];
    }
    return there;
}

/* The same for one that comes alone. */
static uint64_t
room_right(struct ref_world *world, const struct spec *spec, struct taken *taken)
{
    if (ref_accepts(world) && presses(world, taken)) {
        world->pressure++;
    }
    need_add(world, spec, taken->needs);
    if (ref_room_there(world, taken->needs)) {
        uint64_t loose = ref_room_loose(world, taken->needs) ? REF_ONE(LEAT_FULL) : 0;
        return store_right(world, spec, taken) | loose;
    }
    bool maybe = room_maybe(world, taken->needs);
    return REF_ONE(LEAT_FULL) | (maybe ? store_right(world, spec, taken) : 0);
}

/* ---- what becomes of it ---------------------------------------------------------------------- */

static struct ref_job *
record_of(struct ref_world *world, leat_job_id id)
{
    uint64_t index = id.bits & INDEX_MASK;
    if (index >= REF_RECORDS) {
        ref_fail(world, NULL, "record %u is beyond jobs_max", (unsigned)index);
    }
    struct ref_job *job = &world->jobs[index];
    if (job->id.bits == 0) {
        return job;
    }
    if (!job->gone) {
        ref_look(world, job); /* those who needed it may have ended since */
    }
    if (!job->gone) {
        ref_fail(world, job, "its record was given to another job");
    }
    if (id.bits <= job->id.bits) {
        ref_fail(world, job, "an id was given out twice");
    }
    return job;
}

static void
set_times(struct ref_world *world, struct ref_job *job, const struct spec *spec)
{
    job->timeout_ns = LEAT_TIMEOUT_OF_TYPE;
    job->expires_ns = REF_NEVER;
    if (spec->job.options != NULL) {
        job->timeout_ns = spec->options.timeout_ns;
        job->expires_ns = spec->options.expires_in_ns == LEAT_FOREVER
                              ? REF_NEVER
                              : ref_after(ref_boot(world), spec->options.expires_in_ns);
    }
    if (spec->inlined) {
        job->state = LEAT_JOB_RUNNING;
        return;
    }
    job->since_ns = ref_boot(world);
    if (ref_ties_block(&spec->ties)) {
        job->state = LEAT_JOB_BLOCKED;
        job->node.paid = job->counted && at_once(world, spec);
        job->node.delay_ns = spec->job.delay_ns;
        job->node.run_at_ns = spec->job.options == NULL ? 0 : spec->options.run_at_ns;
        return;
    }
    if (at_once(world, spec)) {
        ref_wait_in_line(world, job);
        return;
    }
    job->state = LEAT_JOB_SCHEDULED;
    job->due.wall = spec->job.delay_ns == 0;
    job->due.low_ns =
        job->due.wall ? spec->options.run_at_ns : ref_after(ref_boot(world), spec->job.delay_ns);
    if (job->due.low_ns > INT64_MAX) {
        job->due.low_ns = INT64_MAX; /* the last time that there is */
    }
    job->due.high_ns = job->due.low_ns;
}

static void
make_room(struct ref_world *world, const struct spec *spec)
{
    struct ref_need needs[REF_QUEUES] = {{0}};
    need_add(world, spec, needs);
    ref_room_make(world, needs, true);
}

/* `alone`: room is made for it; else it was made for all of its batch. */
struct ref_job *
ref_spec_accept(struct ref_world *world, const struct spec *spec, leat_job_id id, bool alone)
{
    if (!spec->inlined) {
        ref_labels_evict(world, spec->type, &spec->labels);
    }
    if (alone) {
        make_room(world, spec); /* whoever is dropped has ended when others are looked at */
    }
    struct ref_job *job = record_of(world, id);
    if (job->id.bits != 0) {
        world->old[world->old_count++ % REF_OLD] = job->id;
    }
    memset(job, 0, sizeof(*job));
    job->id = id;
    job->kept = (spec->job.flags & LEAT_JOB_KEEP_RESULT) != 0;
    job->type = spec->type;
    job->queue = spec->queue;
    job->level = level_of(world, spec);
    job->counted = world->queues[spec->queue].counts;
    job->max_attempts = spec->job.max_attempts;
    job->policy = spec->policy;
    job->completions = spec->completions;
    job->key = spec->key;
    job->labels = spec->labels;
    job->inlined = spec->inlined;
    ref_order_submitted(world, job, spec->job.options == NULL ? 0 : spec->options.order_priority);
    ref_ties_bind(world, job, &spec->ties);
    if (!spec->inlined) {
        ref_labels_take(world, job);
    }
    job->user = spec->job.user;
    job->submitter = spec->job.options == NULL ? (leat_job_id){0} : spec->options.submitter;
    if (spec->run != NULL && job->submitter.bits == 0) {
        job->submitter = leat_run_id(spec->run);
    }
    job->payload_bytes = (uint32_t)spec->job.payload_bytes;
    memcpy(job->payload, spec->payload, job->payload_bytes);
    set_times(world, job, spec);
    if (job->state == LEAT_JOB_PENDING) {
        ref_room_entered(world, job);
    }
    world->counts.submitted++;
    if (job->completions != REF_NONE) {
        world->completions[job->completions].reserved++;
    }
    return job;
}

/* ---- operations ------------------------------------------------------------------------------ */

/* What is right for one job, told when the engine has answered. */
uint64_t
ref_spec_right(struct ref_world *world, struct spec *spec)
{
    struct taken taken = {.records = 0};
    enum leat_status right = ref_spec_check(world, spec);
    right =
        right == LEAT_OK && spec->inlined && ref_ties_any(&spec->ties) ? LEAT_UNSUPPORTED : right;
    if (right != LEAT_OK) {
        return REF_ONE(right);
    }
    bool pressed = presses(world, &taken);
    uint64_t room = room_right(world, spec, &taken);
    if (spec->inlined) {
        return ref_accepts(world) ? room : REF_ONE(LEAT_CLOSED); /* that is asked first */
    }
    uint64_t ties = ref_ties_right(world, &spec->ties, pressed);
    uint64_t untied = ties & ~REF_ONE(LEAT_OK); /* a parent is missing, or the cohort */
    if (!ref_accepts(world)) {
        /* A queue's limit, or that of completions, may come before; no record is given up. */
        bool full = room == REF_ONE(LEAT_FULL) && taken.records == 0;
        full = full || (taken.payloads != 0 && (room & REF_ONE(LEAT_FULL)) != 0);
        return REF_ONE(LEAT_CLOSED) | untied | (full ? REF_ONE(LEAT_FULL) : 0);
    }
    ref_room_refused(world, taken.needs, room != (REF_ONE(LEAT_OK) | REF_ONE(LEAT_FULL)));
    if (!ref_queue_open(world, spec->queue)) {
        return REF_ONE(LEAT_CLOSED) | untied | (room & REF_ONE(LEAT_FULL));
    }
    if ((room & REF_ONE(LEAT_OK)) == 0) {
        return room;
    }
    room = (room & ~REF_ONE(LEAT_OK)) | untied;
    if ((ties & REF_ONE(LEAT_OK)) != 0) {
        room |= REF_ONE(ref_labels_right(world, spec->type, &spec->labels, &spec->other));
    }
    return room;
}

/* The same, where it is known what the engine answered: if it was taken in, one that waited for a
 * letter may have ended before, and made way for it. */
uint64_t
ref_spec_right_for(struct ref_world *world, struct spec *spec, enum leat_status got)
{
    struct ref_tenant tenants[REF_TENANTS];
    uint64_t pressure = world->pressure;
    memcpy(tenants, world->tenants, sizeof(tenants));
    uint64_t right = ref_spec_right(world, spec);
    if (got == LEAT_OK && (right & REF_ONE(LEAT_OK)) == 0) {
        memcpy(world->tenants, tenants, sizeof(tenants));
        world->pressure = pressure;
        ref_graph_catch_up(world);
        right = ref_spec_right(world, spec);
    }
    /* For which of a batch jobs were dropped in vain is not told. */
    return right | (world->vain == world->step + 1 && got == LEAT_FULL ? REF_ONE(LEAT_FULL) : 0);
}

/* It was refused, and not for others of the same call: who was dropped for it stays so. Nobody is
 * for one that is wrong in itself, or has no record: who was dropped then gave way to a later job
 * of its batch. */
static void
refused_alone(struct ref_world *world, const struct spec *spec)
{
    struct taken taken = {.records = 0};
    if (ref_spec_check(world, spec) != LEAT_OK ||
        (store_right(world, spec, &taken) & REF_ONE(LEAT_OK)) == 0) {
        return;
    }
    need_add(world, spec, taken.needs);
    if (ref_room_lost(world, taken.needs)) {
        world->vain = world->step + 1;
        ref_labels_loosen(world, &spec->labels);
    }
}

/* It was taken in, or another one stands for it. */
void
ref_spec_answered(struct ref_world *world, const struct spec *spec, enum leat_status got,
                  leat_job_id id)
{
    if (got == LEAT_OK) {
        struct ref_need needs[REF_QUEUES] = {{0}};
        ref_ties_await(world, &spec->ties);
        need_add(world, spec, needs);
        if (!ref_room_there(world, needs)) {
            ref_graph_catch_up(world); /* whose end made room */
        }
        ref_ties_hold(world, &spec->ties, true);
        struct ref_job *job = ref_spec_accept(world, spec, id, true);
        ref_ties_hold(world, &spec->ties, false);
        ref_graph_join(world, job);
    }
    if (got == LEAT_JOINED) {
        const struct leat_when when = {spec->job.delay_ns, spec->options.run_at_ns};
        ref_labels_joined(world, spec->type, &spec->labels, when);
    }
    if (got == LEAT_FULL) {
        refused_alone(world, spec);
    }
    if (got == LEAT_OK ? id.bits == 0 : id.bits != (got == LEAT_JOINED ? spec->other.bits : 0)) {
        ref_fail(world, NULL, "an id where none was due, or none, or another one");
    }
}

enum leat_status
ref_spec_submit(struct ref_world *world, const struct spec *spec, leat_job_id *id)
{
    return spec->run == NULL ? leat_submit(world->engine, &spec->job, id)
                             : leat_run_submit(spec->run, &spec->job, id);
}

static void
submit(struct ref_world *world, const struct leat_run *run)
{
    struct spec spec;
    leat_job_id id = {0};
    ref_spec_draw(world, &spec);
    spec.run = run;
    ref_note(world, spec.type, spec.queue, spec.job.priority);
    ref_labels_look(world, spec.type, &spec.labels);
    enum leat_status got = ref_spec_submit(world, &spec, &id);
    world->noted->values[0] = id.bits;
    ref_answer(world, REF_AT_NOTHING, ref_spec_right_for(world, &spec, got), got);
    ref_spec_answered(world, &spec, got, id);
}

void
ref_op_submit(struct ref_world *world)
{
    if (world->config.inline_mode) {
        ref_op_inline(world);
    } else {
        submit(world, NULL);
    }
}

/* By the handler that is at work. */
void
ref_op_run_submit(struct ref_world *world)
{
    if (world->run == NULL) {
        return; /* who calls is told of a bulk, outside of handlers */
    }
    if (world->config.inline_mode) {
        ref_inline_submit(world, world->run);
    } else {
        submit(world, world->run);
    }
}

void
ref_op_batch_each(struct ref_world *world)
{
    static struct spec specs[REF_BATCH]; /* too much for a stack */
    static struct leat_job jobs[REF_BATCH];
    leat_job_id ids[REF_BATCH];
    enum leat_status statuses[REF_BATCH];
    enum leat_status first = LEAT_OK;
    if (world->config.inline_mode) {
        return; /* see docs/design/0026 */
    }
    uint32_t count = ref_batch_draw(world, specs, jobs, false);
    ref_note(world, count, 0, 0);
    struct ref_entry *noted = world->noted;
    enum leat_status got =
        leat_submit_batch(world->engine, jobs, count, LEAT_BATCH_EACH, ids, statuses);
    for (uint32_t i = 0; i < count; i++) {
        ref_note(world, ids[i].bits, specs[i].queue, specs[i].job.priority);
        uint64_t right = ref_spec_right_for(world, &specs[i], statuses[i]);
        ref_answer(world, REF_AT_NOTHING, right, statuses[i]);
        ref_spec_answered(world, &specs[i], statuses[i], ids[i]);
        first = first == LEAT_OK && statuses[i] != LEAT_JOINED ? statuses[i] : first;
    }
    noted->status = (int)got;
    if (got != first) {
        ref_fail(world, NULL, "the batch answered: %s\n  expected: %s", leat_status_text(got),
                 leat_status_text(first));
    }
}

/* Two of them are called the same. */
static bool
alike(const struct spec *spec, const struct spec *other)
{
    const struct ref_labels *labels = &spec->labels;
    bool key = labels->key != REF_NONE && labels->key == other->labels.key;
    return (key && spec->type == other->type) ||
           (labels->name != REF_NONE && labels->name == other->labels.name);
}

/* The first whose key or name is another one's, of before or of the batch; REF_NONE: none. */
uint32_t
ref_batch_clash(struct ref_world *world, const struct spec *specs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        leat_job_id other = {0};
        bool clash = specs[i].type != REF_NONE &&
                     ref_labels_right(world, specs[i].type, &specs[i].labels, &other) != LEAT_OK;
        for (uint32_t j = 0; j < i; j++) {
            clash = clash || alike(&specs[i], &specs[j]);
        }
        if (clash) {
            return i;
        }
    }
    return REF_NONE;
}

/* It may stand in an all-or-none batch. */
static bool
grouped(const struct spec *spec)
{
    return spec->labels.key == REF_NONE || spec->labels.conflict == LEAT_UNIQUE_REJECT;
}

/* What is wrong with one of an all-or-none batch. */
enum leat_status
ref_batch_right(struct ref_world *world, const struct spec *spec)
{
    enum leat_status right = ref_spec_check(world, spec);
    right = right == LEAT_OK && !grouped(spec) ? LEAT_INVALID : right;
    bool inlined = world->config.inline_mode && ref_ties_any(&spec->ties);
    return right == LEAT_OK && inlined ? LEAT_UNSUPPORTED : right;
}

/* Each of the batch by itself. */
static enum leat_status
check_all(struct ref_world *world, const struct spec *specs, uint32_t count,
          enum leat_status *rights)
{
    enum leat_status first = LEAT_OK;
    for (uint32_t i = 0; i < count; i++) {
        rights[i] = ref_batch_right(world, &specs[i]);
        first = first == LEAT_OK ? rights[i] : first;
    }
    return first;
}

/* Who is to blame is told: one whose key or name is another's, or one that a job is missing to. */
static void
culprits(struct ref_world *world, const struct spec *specs, uint32_t count,
         const struct ref_told *told, enum leat_status *rights)
{
    for (uint32_t i = 0; told->statuses != NULL && i < count; i++) {
        enum leat_status status = told->statuses[i];
        bool untied = status != LEAT_OK &&
                      (ref_ties_right(world, &specs[i].ties, true) & REF_ONE(status)) != 0;
        if (status != rights[i] && !untied) {
            ref_fail(world, NULL, "statuses[%u] is: %s\n  expected: %s", i,
                     leat_status_text(status), leat_status_text(rights[i]));
        }
    }
}

/* The call was refused for what a job has to do with others: exactly one is to blame. */
static void
check_blame(struct ref_world *world, uint32_t count, enum leat_status got,
            const struct ref_told *told)
{
    uint32_t blamed = 0;
    for (uint32_t i = 0; told->statuses != NULL && i < count; i++) {
        blamed += told->statuses[i] == got ? 1 : 0;
    }
    if (told->statuses != NULL && blamed != 1) {
        ref_fail(world, NULL, "%u jobs are to blame that one of them is refused: %s", blamed,
                 leat_status_text(got));
    }
}

/* From its turn on a job of a batch holds its parents. */
static void
parents_stay(const struct ref_world *world, const struct ref_ties *ties, struct taken *taken)
{
    for (uint32_t i = 0; i < ties->count; i++) {
        uint64_t index = (ties->parents[i].bits & INDEX_MASK) % REF_RECORDS;
        const struct ref_job *job = &world->jobs[index];
        bool there = job->id.bits == ties->parents[i].bits && !job->gone;
        taken->parents[index] = taken->parents[index] || there;
    }
}

/* Records are taken one after another; room first where nothing is to be dropped for it, last where
 * others are. */
static uint64_t
batch_right(struct ref_world *world, const struct spec *specs, uint32_t count,
            const struct ref_room *room)
{
    struct taken taken = {.records = 0};
    uint64_t right = 0;
    uint64_t lack = REF_ONE(ref_accepts(world) ? LEAT_FULL : LEAT_CLOSED);
    uint64_t last = room->dropping ? lack : REF_ONE(ref_accepts(world) ? LEAT_OK : LEAT_CLOSED);
    if (!room->there && !room->dropping) {
        return lack;
    }
    right |= ref_accepts(world) ? 0 : lack; /* asked for room, or a record */
    for (uint32_t i = 0; i < count; i++) {
        uint32_t before = taken.records;
        bool pressed = presses(world, &taken);
        world->pressure += pressed && ref_accepts(world) ? 1 : 0;
        uint64_t store = store_right(world, &specs[i], &taken);
        bool full = store == REF_ONE(LEAT_FULL);
        bool payloads = taken.payloads != 0 && (store & REF_ONE(LEAT_FULL)) != 0;
        bool slots = full && taken.records == before;
        right |= payloads || slots ? REF_ONE(LEAT_FULL) : 0;
        if (full) {
            return right | lack;
        }
        right |= store == REF_ONE(LEAT_OK) ? 0 : lack;
        uint64_t ties = ref_ties_right(world, &specs[i].ties, pressed);
        right |= ties & ~REF_ONE(LEAT_OK);
        if ((ties & REF_ONE(LEAT_OK)) == 0) {
            return right;
        }
        parents_stay(world, &specs[i].ties, &taken);
    }
    return right | last;
}

static bool
all_open(const struct ref_world *world, const struct spec *specs, uint32_t count)
{
    bool open = true;
    for (uint32_t i = 0; i < count; i++) {
        open = open && ref_queue_open(world, specs[i].queue);
    }
    return open;
}

/* Those between which there are edges are no parents by their ids. */
static void
count_within(struct spec *specs, const struct ref_told *told)
{
    for (uint32_t i = 0; i < told->edges_count; i++) {
        specs[told->edges[i].child].ties.within++;
        specs[told->edges[i].parent].ties.behind++;
    }
}

static void
accept_all(struct ref_world *world, struct spec *specs, uint32_t count, const struct ref_told *told)
{
    struct ref_job *jobs[REF_BATCH];
    for (uint32_t i = 0; i < count; i++) {
        (void)record_of(world, told->ids[i]); /* none of them is in the model yet */
    }
    for (uint32_t i = 0; i < count; i++) {
        jobs[i] = ref_spec_accept(world, &specs[i], told->ids[i], false);
    }
    for (uint32_t i = 0; i < count; i++) {
        ref_ties_hold(world, &specs[i].ties, false);
    }
    for (uint32_t i = 0; i < told->edges_count; i++) {
        ref_graph_tie(world, jobs[told->edges[i].parent], jobs[told->edges[i].child]);
    }
    for (uint32_t i = 0; i < count; i++) {
        ref_graph_join(world, jobs[i]);
    }
}

/* What room there is for all of them. */
static struct ref_room
batch_room(struct ref_world *world, const struct ref_need *needs, uint32_t count,
           enum leat_status got)
{
    struct ref_room room = ref_room(world, needs);
    if (!room.there && got != LEAT_FULL) {
        world->pressure += ref_present(world) + count >= world->config.jobs_max ? 1 : 0;
        ref_graph_catch_up(world); /* whose end made room, while records were taken */
        room = ref_room(world, needs);
    }
    return room;
}

/* What the engine answered to all or none of them. */
void
ref_batch_judge(struct ref_world *world, struct spec *specs, uint32_t count, enum leat_status got,
                const struct ref_told *told)
{
    enum leat_status rights[REF_BATCH];
    count_within(specs, told);
    uint32_t clash = ref_batch_clash(world, specs, count);
    bool clashed = got == LEAT_EXISTS && clash != REF_NONE;
    enum leat_status first = check_all(world, specs, count, rights);
    if (clashed) {
        rights[clash] = LEAT_EXISTS;
    }
    struct ref_need needs[REF_QUEUES] = {{0}};
    for (uint32_t i = 0; first == LEAT_OK && i < count; i++) {
        need_add(world, &specs[i], needs);
    }
    struct ref_room room = batch_room(world, needs, count, got);
    uint64_t right = first == LEAT_OK ? batch_right(world, specs, count, &room) : REF_ONE(first);
    culprits(world, specs, count, told, rights);
    bool dropping = room.dropping && (right & REF_ONE(LEAT_FULL)) != 0;
    if (dropping && ref_accepts(world) && ref_present(world) + count >= world->config.jobs_max) {
        world->pressure++; /* for all its records, which come before */
    }
    bool last = (right & REF_ONE(LEAT_OK)) != 0 || dropping;
    if (clash != REF_NONE && last) {
        right = (right & ~REF_ONE(LEAT_OK)) | REF_ONE(LEAT_EXISTS);
    }
    if (first == LEAT_OK && !all_open(world, specs, count)) {
        right = REF_ONE(LEAT_CLOSED) | (right & ~REF_ONE(LEAT_OK) & ~REF_ONE(LEAT_EXISTS));
    }
    ref_room_refused(world, needs, false);
    right = count == 0 ? REF_ONE(LEAT_OK) : right;
    ref_answer(world, REF_AT_NOTHING, right, got);
    if (first == LEAT_OK && got != LEAT_OK && got != LEAT_FULL && got != LEAT_CLOSED) {
        check_blame(world, count, got, told);
    }
    for (uint32_t i = 0; got == LEAT_OK && i < count; i++) {
        ref_ties_await(world, &specs[i].ties);
        ref_ties_hold(world, &specs[i].ties, true);
    }
    if (got == LEAT_OK) {
        ref_room_make(world, needs, false);
    }
    for (uint32_t i = 0; i < count; i++) {
        if ((told->ids[i].bits != 0) != (got == LEAT_OK)) {
            ref_fail(world, NULL, "an id where none was due, or none");
        }
        if (clashed || (got == LEAT_FULL && dropping)) {
            ref_labels_loosen(world, &specs[i].labels);
        }
    }
    if (got == LEAT_OK) {
        accept_all(world, specs, count, told);
    }
}

void
ref_op_batch_all(struct ref_world *world)
{
    static struct spec specs[REF_BATCH]; /* too much for a stack */
    static struct leat_job jobs[REF_BATCH];
    leat_job_id ids[REF_BATCH];
    enum leat_status statuses[REF_BATCH];
    if (world->config.inline_mode) {
        return; /* see docs/design/0026 */
    }
    uint32_t count = ref_batch_draw(world, specs, jobs, true);
    ref_note(world, count, 0, 0);
    memset(ids, 0, sizeof(ids));
    enum leat_status got =
        leat_submit_batch(world->engine, jobs, count, LEAT_BATCH_ALL_OR_NONE, ids, statuses);
    world->noted->values[1] = count == 0 ? 0 : ids[0].bits;
    const struct ref_told told = {.ids = ids, .statuses = statuses};
    ref_batch_judge(world, specs, count, got, &told);
}
