/* op_schedule.c - schedules are added, changed, paused and removed, told of and listed; and the
 * clocks move to the very moment at which one is due. */
#include "tests/reference/schedules.h"

#include <inttypes.h>
#include <string.h>

#include "ring/base.h"
#include "tests/reference/submit.h"

#define PLANS    6
#define SENTINEL 77

/* Those of one schedule come at seconds that leave its number, divided by four. */
static const struct ref_plan plans[REF_SCHEDULES][PLANS] = {
    {{"@every 4s", 4, 0, false},
     {"*/20 * * * * *", 20, 0, false},
     {"@every 60s", 60, 0, false},
     {"0 * * * *", 3600, 0, false},
     {"@daily", 86400, 0, true},
     {"0 5 * * *", 86400, 18000, true}},
    {{"1-59/4 * * * * *", 4, 1, false},
     {"1-59/20 * * * * *", 20, 1, false},
     {"5 * * * * *", 60, 5, false},
     {"13 30 * * * *", 3600, 1813, false},
     {"17 0 5 * * *", 86400, 18017, true},
     {"49 20 0 * * *", 86400, 1249, true}},
    {{"2-59/4 * * * * *", 4, 2, false},
     {"2-59/12 * * * * *", 12, 2, false},
     {"30 * * * * *", 60, 30, false},
     {"2 0 */2 * * *", 7200, 2, false},
     {"46 59 23 * * *", 86400, 86386, true},
     {"10 1 12 * * *", 86400, 43270, true}},
    {{"3-59/4 * * * * *", 4, 3, false},
     {"3-59/12 * * * * *", 12, 3, false},
     {"59 * * * * *", 60, 59, false},
     {"15 45 */3 * * *", 10800, 2715, false},
     {"7 7 7 * * *", 86400, 25627, true},
     {"59 59 23 * * *", 86400, 86399, true}},
};

/* Its job. */
static struct spec specs[REF_SCHEDULES];

struct spec *
ref_schedule_spec(uint32_t number)
{
    return &specs[number];
}

const char *
ref_schedule_name(uint32_t number)
{
    static const char *const names[REF_SCHEDULES] = {"A", "B:4", "b/c", "nightly.report"};
    return names[number];
}

bool
ref_schedules_use(uint32_t completions, const struct ref_world *world)
{
    bool uses = false;
    for (uint32_t i = 0; i < REF_SCHEDULES; i++) {
        uses = uses || (world->calendar.all[i].plan != NULL && specs[i].completions == completions);
    }
    return uses;
}

static uint32_t
known(const struct ref_world *world)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < REF_SCHEDULES; i++) {
        count += world->calendar.all[i].plan != NULL ? 1 : 0;
    }
    return count;
}

/* One that is there, most often. */
static uint32_t
draw_number(struct ref_world *world)
{
    uint32_t number = ref_below(world, REF_SCHEDULES);
    bool any = ref_chance(world, 10);
    for (uint32_t i = 0; !any && i < REF_SCHEDULES; i++) {
        uint32_t next = (number + i) % REF_SCHEDULES;
        if (world->calendar.all[next].plan != NULL) {
            return next;
        }
    }
    return number;
}

/* The answer to a call by a name that is right. */
static enum leat_status
name_right(const struct ref_world *world, uint32_t number)
{
    return world->calendar.all[number].plan == NULL ? LEAT_NOT_FOUND : LEAT_OK;
}

/* ---- adding ---------------------------------------------------------------------------------- */

struct drawn {
    struct leat_schedule schedule;
    struct spec spec;
    const struct ref_plan *plan;
    enum leat_status shape; /* what is wrong with all but the job */
};

static void
draw_mistake(struct ref_world *world, struct drawn *drawn)
{
    static const char *const bad[] = {"* * * *", "61 * * * *", "0 0 30 2 *", "@every 0s", ""};
    drawn->shape = LEAT_INVALID;
    switch (ref_below(world, 7)) {
    case 0:
        drawn->schedule.spec = NULL;
        break;
    case 1:
        drawn->schedule.spec = bad[ref_below(world, 5)];
        break;
    case 2:
        drawn->schedule.overlap = (enum leat_overlap)3;
        break;
    case 3:
        drawn->schedule.missed = (enum leat_missed)3;
        break;
    case 4:
        drawn->schedule.runs_max = ref_chance(world, 50) ? 0 : 1001;
        break;
    case 5:
        drawn->schedule.zone = "../UTC";
        break;
    default:
        drawn->schedule.zone = "Nowhere/Land";
        drawn->shape = LEAT_NOT_FOUND;
        break;
    }
}

static void
draw(struct ref_world *world, uint32_t number, struct drawn *drawn)
{
    static const uint32_t runs_max[] = {1, 2, 5, 20};
    struct leat_schedule *schedule = &drawn->schedule;
    memset(drawn, 0, sizeof(*drawn));
    bool unique = ref_chance(world, 40);
    do { /* one with others is refused; each has what a job may have otherwise */
        ref_spec_draw(world, &drawn->spec);
    } while (drawn->spec.options.parents_count != 0 || drawn->spec.options.cohort.bits != 0 ||
             drawn->spec.options.parent_policy != LEAT_PARENT_CANCEL ||
             (unique && drawn->spec.labels.key == REF_NONE));
    *schedule = leat_schedule_default();
    drawn->plan = &plans[number][ref_below(world, PLANS)];
    schedule->spec = drawn->plan->spec;
    schedule->zone = ref_chance(world, 50) ? "UTC" : NULL;
    schedule->job = &drawn->spec.job;
    schedule->overlap = (enum leat_overlap)ref_below(world, 3);
    schedule->missed = (enum leat_missed)ref_below(world, 3);
    schedule->runs_max = runs_max[ref_below(world, 4)];
    schedule->paused = ref_chance(world, 10);
    if (ref_chance(world, 40)) {
        uint64_t back_ns = ref_below(world, 300) * drawn->plan->period_s * (REF_S / 20);
        bool ahead = ref_chance(world, 10);
        schedule->since_unix_ns = ref_wall(world) - (ahead ? 0 - back_ns : back_ns);
    }
    if (ref_chance(world, 6)) {
        draw_mistake(world, drawn);
    }
}

/* What is wrong with it, once the name is right. The names of its job are taken in last. */
static enum leat_status
shape_right(struct ref_world *world, const struct drawn *drawn)
{
    return drawn->shape != LEAT_OK ? drawn->shape : ref_spec_check(world, &drawn->spec);
}

/* It is as drawn from now on. The copy's pointers are not followed. */
static void
take(struct ref_world *world, uint32_t number, const struct drawn *drawn)
{
    struct ref_schedule *schedule = &world->calendar.all[number];
    const struct leat_schedule *from = &drawn->schedule;
    uint64_t now_s = ref_wall(world) / REF_S;
    uint64_t since_s = from->since_unix_ns / REF_S;
    specs[number] = drawn->spec;
    schedule->plan = drawn->plan;
    schedule->overlap = from->overlap;
    schedule->missed = from->missed;
    schedule->runs_max = from->runs_max;
    bool before = from->since_unix_ns != 0 && since_s < now_s;
    ref_schedule_settle(world, schedule, before ? since_s : now_s);
}

/* It may be due at once. The drain of a queue looks at the clocks again and again: so that it is
 * known when it fires, a handler lets it. */
static void
put(struct ref_world *world, uint32_t number)
{
    ref_schedule_check(world, number);
    if (world->running && ref_schedules_due(world)) {
        ref_clock_pass(world, 0, false);
    }
}

void
ref_op_schedule_add(struct ref_world *world)
{
    static struct drawn drawn; /* too much for a stack */
    uint32_t number = ref_below(world, REF_SCHEDULES);
    struct leat_error error;
    if (!world->calendar.used) {
        return;
    }
    draw(world, number, &drawn);
    bool bad = ref_chance(world, 2);
    bool there = world->calendar.all[number].plan != NULL;
    bool full = known(world) == world->config.schedules_max;
    ref_note(world, number, drawn.schedule.overlap, drawn.schedule.missed);
    enum leat_status got =
        leat_schedule_add(world->engine, bad ? "no name" : ref_schedule_name(number),
                          &drawn.schedule, ref_chance(world, 50) ? &error : NULL);
    enum leat_status right = LEAT_INVALID;
    if (!bad) {
        right = full ? LEAT_FULL : LEAT_OK;
        right = there ? LEAT_EXISTS : right;
        right = right == LEAT_OK ? shape_right(world, &drawn) : right;
    }
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right), got);
    if (got == LEAT_OK) {
        memset(&world->calendar.all[number], 0, sizeof(world->calendar.all[number]));
        take(world, number, &drawn);
        world->calendar.all[number].paused = drawn.schedule.paused;
        put(world, number);
    }
}

void
ref_op_schedule_change(struct ref_world *world)
{
    static struct drawn drawn; /* too much for a stack */
    uint32_t number = draw_number(world);
    if (!world->calendar.used) {
        return;
    }
    draw(world, number, &drawn);
    ref_note(world, number, drawn.schedule.overlap, drawn.schedule.missed);
    enum leat_status got =
        leat_schedule_change(world->engine, ref_schedule_name(number), &drawn.schedule, NULL);
    enum leat_status right = name_right(world, number);
    right = right == LEAT_OK ? shape_right(world, &drawn) : right;
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right), got);
    if (got == LEAT_OK) {
        take(world, number, &drawn);
        put(world, number);
    }
}

/* ---- what is done to one --------------------------------------------------------------------- */

void
ref_op_schedule_remove(struct ref_world *world)
{
    uint32_t number = draw_number(world);
    if (!world->calendar.used) {
        return;
    }
    ref_note(world, number, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(name_right(world, number)),
               leat_schedule_remove(world->engine, ref_schedule_name(number)));
    world->calendar.all[number].plan = NULL;
}

static void
pause_set(struct ref_world *world, bool paused)
{
    uint32_t number = draw_number(world);
    struct ref_schedule *schedule = &world->calendar.all[number];
    if (!world->calendar.used) {
        return;
    }
    ref_note(world, number, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(name_right(world, number)),
               paused ? leat_schedule_pause(world->engine, ref_schedule_name(number))
                      : leat_schedule_resume(world->engine, ref_schedule_name(number)));
    if (schedule->plan != NULL && schedule->paused != paused) {
        schedule->paused = paused;
        ref_schedule_settle(world, schedule, ref_wall(world) / REF_S);
        ref_schedule_check(world, number);
    }
}

void
ref_op_schedule_pause(struct ref_world *world)
{
    pause_set(world, true);
}

void
ref_op_schedule_resume(struct ref_world *world)
{
    pause_set(world, false);
}

/* ---- what is told ---------------------------------------------------------------------------- */

/* All of them, in pages, by name. */
void
ref_op_schedule_list(struct ref_world *world)
{
    static struct leat_schedule_info infos[2]; /* too much for a stack */
    size_t count = 0;
    uint32_t next = 0;
    size_t capacity = 1 + ref_below(world, 2);
    const char *after = NULL;
    if (!world->calendar.used) {
        return;
    }
    do {
        infos[0] = leat_schedule_info_default();
        ref_note(world, capacity, next, 0);
        ref_answer(world, REF_AT_NOTHING, REF_ONE(LEAT_OK),
                   leat_schedule_list(world->engine, after, infos, capacity, &count));
        for (size_t i = 0; i < count; i++) {
            while (next < REF_SCHEDULES && world->calendar.all[next].plan == NULL) {
                next++;
            }
            if (next == REF_SCHEDULES || strcmp(infos[i].name, ref_schedule_name(next)) != 0) {
                ref_fail(world, NULL, "the schedule \"%s\" is listed", infos[i].name);
            }
            ref_schedule_compare(world, next, &infos[i]);
            after = ref_schedule_name(next);
            next++;
        }
    } while (count == capacity);
    for (; next < REF_SCHEDULES; next++) {
        if (world->calendar.all[next].plan != NULL) {
            ref_fail(world, NULL, "the schedule \"%s\" is not listed", ref_schedule_name(next));
        }
    }
}

void
ref_op_schedule_get(struct ref_world *world)
{
    struct leat_schedule_info info = leat_schedule_info_default();
    uint32_t number = draw_number(world);
    const struct ref_schedule *schedule = &world->calendar.all[number];
    if (!world->calendar.used) {
        return;
    }
    ref_note(world, number, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(name_right(world, number)),
               leat_schedule_get(world->engine, ref_schedule_name(number), &info));
    if (schedule->plan == NULL) {
        return;
    }
    ref_schedule_compare(world, number, &info);
    const struct spec *spec = &specs[number];
    if (strcmp(info.spec, schedule->plan->spec) != 0 || strcmp(info.zone, "UTC") != 0 ||
        strcmp(info.name, ref_schedule_name(number)) != 0 ||
        info.type.bits != world->types[spec->type].handle.bits ||
        info.queue.bits != world->queues[spec->queue].handle.bits) {
        ref_fail(world, NULL, "schedule %u: its expression, zone, name, type or queue is wrong",
                 number);
    }
}

void
ref_op_schedule_next(struct ref_world *world)
{
    uint64_t moments[8] = {SENTINEL};
    size_t count = SENTINEL;
    uint32_t number = draw_number(world);
    size_t capacity = ref_below(world, 9);
    const struct ref_schedule *schedule = &world->calendar.all[number];
    if (!world->calendar.used) {
        return;
    }
    enum leat_status right = capacity == 0 ? LEAT_INVALID : name_right(world, number);
    ref_note(world, number, capacity, 0);
    ref_answer(
        world, REF_AT_NOTHING, REF_ONE(right),
        leat_schedule_next(world->engine, ref_schedule_name(number), moments, capacity, &count));
    if (count != (right == LEAT_OK ? capacity : SENTINEL)) {
        ref_fail(world, NULL, "%zu moments are told of %zu", count, capacity);
    }
    uint64_t at_s = schedule->paused ? ref_wall(world) / REF_S : schedule->done_s;
    for (size_t i = 0; right == LEAT_OK && i < count; i++) {
        at_s = ref_plan_next(schedule->plan, at_s);
        if (moments[i] != at_s * REF_S) {
            ref_fail(world, NULL, "moment %zu is %" PRIu64 "\n  expected: %" PRIu64, i, moments[i],
                     at_s * REF_S);
        }
    }
}

/* ---- they fire ------------------------------------------------------------------------------- */

uint32_t
ref_schedule_row(void)
{
    uint32_t row = 0;
    while (ref_operations[row].run != ref_op_schedule_fires) {
        row++; /* ends: it is one of them */
    }
    return row;
}

/* To the nanosecond at which the first one is due, or to the one before. */
void
ref_op_schedule_fires(struct ref_world *world)
{
    uint64_t due_ns = ref_schedules_due_in(world);
    bool before = ref_chance(world, 30);
    if (!world->calendar.used || due_ns == 0 || due_ns > 3600 * REF_S) {
        return;
    }
    ref_clock_pass(world, before ? due_ns - 1 : due_ns, false);
}
