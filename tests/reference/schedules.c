/* schedules.c - when schedules fire: moments that come and are missed, jobs that are owed, a clock
 * that is set back. Written from engine/leat.h and docs/cron.md.
 *
 * Calls that look at the clocks let schedules fire first of all, and each move of the clocks is
 * followed by such a call. So what a job of a schedule meets is known, as with any other submit.
 * The plans of two schedules never come at the same second: so their order is known, too, but where
 * both try again. */
#include "tests/reference/schedules.h"

#include <inttypes.h>

#include "engine/events.h"
#include "tests/reference/submit.h"

#define LATE_S         60
#define BACK_S         86400
#define COUNTED_MAX    1000
#define PATIENCE_FIRST (10 * REF_MS)
#define NEVER          UINT64_MAX

/* ---- moments --------------------------------------------------------------------------------- */

/* How many there are up to this one. */
static uint64_t
moments_until(const struct ref_plan *plan, uint64_t now_s)
{
    return (now_s - plan->offset_s) / plan->period_s;
}

uint64_t
ref_plan_next(const struct ref_plan *plan, uint64_t after_s)
{
    return (moments_until(plan, after_s) + 1) * plan->period_s + plan->offset_s;
}

static uint64_t
due_of(const struct ref_schedule *schedule)
{
    if (schedule->plan == NULL || schedule->paused) {
        return NEVER;
    }
    uint64_t moment_ns = ref_plan_next(schedule->plan, schedule->done_s) * REF_S;
    bool again = schedule->owed != 0 && schedule->again_ns < moment_ns;
    return again ? schedule->again_ns : moment_ns;
}

static uint64_t
first_due(const struct ref_world *world)
{
    uint64_t first = NEVER;
    for (uint32_t i = 0; i < REF_SCHEDULES; i++) {
        uint64_t due_ns = due_of(&world->calendar.all[i]);
        first = due_ns < first ? due_ns : first;
    }
    return world->state == LEAT_ENGINE_RUNNING ? first : NEVER;
}

bool
ref_schedules_due(const struct ref_world *world)
{
    return first_due(world) <= ref_wall(world);
}

uint64_t
ref_schedules_due_in(const struct ref_world *world)
{
    uint64_t due_ns = first_due(world);
    if (due_ns == NEVER) {
        return LEAT_FOREVER;
    }
    return due_ns > ref_wall(world) ? due_ns - ref_wall(world) : 0;
}

void
ref_schedules_check_due(struct ref_world *world, uint64_t delay_ns)
{
    if (delay_ns > ref_schedules_due_in(world)) {
        ref_fail(world, NULL, "leat_next_due() says %" PRIu64 ", but a schedule is due in %" PRIu64,
                 delay_ns, ref_schedules_due_in(world));
    }
}

void
ref_schedule_settle(struct ref_world *world, struct ref_schedule *schedule, uint64_t done_s)
{
    schedule->runs_missed += schedule->owed;
    schedule->owed = 0;
    schedule->again_ns = 0;
    schedule->patience_ns = 0;
    schedule->done_s = done_s;
    world->calendar.seen_ns = ref_wall(world);
}

/* ---- what is told ---------------------------------------------------------------------------- */

void
ref_schedule_compare(struct ref_world *world, uint32_t number,
                     const struct leat_schedule_info *info)
{
    const struct ref_schedule *right = &world->calendar.all[number];
    const uint64_t moment_ns = ref_plan_next(right->plan, right->done_s) * REF_S;
    const uint64_t numbers[][2] = {{info->overlap, right->overlap},
                                   {info->missed, right->missed},
                                   {info->runs_max, right->runs_max},
                                   {info->owed, right->owed},
                                   {info->paused, right->paused},
                                   {info->next_unix_ns, right->paused ? 0 : moment_ns},
                                   {info->last_unix_ns, right->last_unix_ns},
                                   {info->last_job.bits, right->last_job.bits},
                                   {info->runs, right->runs},
                                   {info->runs_missed, right->runs_missed},
                                   {info->runs_overlapped, right->runs_overlapped},
                                   {info->refusals, right->refusals},
                                   {info->refusal_status, right->refusal_status}};
    for (uint32_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i][0] != numbers[i][1]) {
            ref_fail(world, NULL,
                     "schedule %u, \"%s\": number %u that it tells is %" PRIu64
                     "\n  expected: %" PRIu64,
                     number, right->plan->spec, i, numbers[i][0], numbers[i][1]);
        }
    }
}

static struct leat_schedule_info
told(struct ref_world *world, uint32_t number)
{
    struct leat_schedule_info info = leat_schedule_info_default();
    if (leat_schedule_get(world->engine, ref_schedule_name(number), &info) != LEAT_OK) {
        ref_fail(world, NULL, "leat_schedule_get() fails");
    }
    return info;
}

void
ref_schedule_check(struct ref_world *world, uint32_t number)
{
    const struct leat_schedule_info info = told(world, number);
    ref_schedule_compare(world, number, &info);
}

/* ---- firing ---------------------------------------------------------------------------------- */

static bool
before_lives(struct ref_world *world, const struct ref_schedule *schedule)
{
    const struct ref_job *job = ref_graph_job(world, schedule->last_job);
    return schedule->overlap != LEAT_OVERLAP_ALLOW && job != NULL && ref_live(job);
}

static void
moments_take(struct ref_world *world, struct ref_schedule *schedule, uint64_t now_s)
{
    const struct ref_plan *plan = schedule->plan;
    uint64_t newest_s = moments_until(plan, now_s) * plan->period_s + plan->offset_s;
    uint64_t count = moments_until(plan, now_s) - moments_until(plan, schedule->done_s);
    schedule->done_s = count > COUNTED_MAX ? now_s : newest_s;
    count = count > COUNTED_MAX ? COUNTED_MAX : count;
    uint64_t runs = schedule->missed == LEAT_MISSED_ALL ? count : 1;
    if (schedule->missed == LEAT_MISSED_SKIP && now_s - newest_s >= LATE_S) {
        runs = 0;
    }
    schedule->runs_missed += count - runs;
    if (schedule->overlap == LEAT_OVERLAP_SKIP && before_lives(world, schedule)) {
        ref_met(world, REF_MET_SCHEDULE_OVERLAPS);
        schedule->runs_overlapped += runs;
        return;
    }
    if (schedule->missed != LEAT_MISSED_ALL && schedule->overlap != LEAT_OVERLAP_QUEUE) {
        schedule->runs_missed += schedule->owed; /* they were refused until now */
        schedule->owed = 0;
    }
    uint64_t owed = schedule->owed + runs;
    schedule->owed = owed > schedule->runs_max ? schedule->runs_max : (uint32_t)owed;
    schedule->runs_missed += owed - schedule->owed;
}

static void
try_later(struct ref_world *world, struct ref_schedule *schedule)
{
    uint64_t longer_ns = 2 * schedule->patience_ns;
    longer_ns = longer_ns < PATIENCE_FIRST ? PATIENCE_FIRST : longer_ns;
    schedule->patience_ns = longer_ns > REF_S ? REF_S : longer_ns;
    schedule->again_ns = ref_wall(world) + schedule->patience_ns;
}

/* What its next submit answered, by what it tells since: those that were taken in come first, as
 * one that is refused, or joined, is not followed by a better one. */
static enum leat_status
answer_of(struct ref_world *world, uint32_t number, leat_job_id *id)
{
    struct ref_calendar *calendar = &world->calendar;
    const struct ref_schedule *schedule = &calendar->all[number];
    const struct leat_schedule_info info = told(world, number);
    if (info.runs > schedule->runs && calendar->came_known < calendar->came_count) {
        *id = calendar->came[calendar->came_known++];
        return LEAT_OK;
    }
    if (info.runs_overlapped > schedule->runs_overlapped) {
        return LEAT_JOINED;
    }
    if (info.refusals > schedule->refusals) {
        return info.refusal_status;
    }
    ref_fail(world, NULL, "schedule %u, \"%s\", owes a job, and does not submit it", number,
             schedule->plan->spec);
}

static void
answered(struct ref_world *world, struct ref_schedule *schedule, enum leat_status status,
         leat_job_id id)
{
    if (status != LEAT_OK && status != LEAT_JOINED) {
        ref_met(world, REF_MET_SCHEDULE_REFUSED);
        schedule->refusals++;
        schedule->refusal_status = status;
        try_later(world, schedule);
        return;
    }
    schedule->owed--;
    schedule->again_ns = 0;
    schedule->patience_ns = 0;
    if (status == LEAT_JOINED) {
        ref_met(world, REF_MET_SCHEDULE_JOINS);
        schedule->runs_overlapped++;
        return;
    }
    ref_met(world, REF_MET_SCHEDULE_RUNS);
    schedule->runs++;
    schedule->last_unix_ns = ref_wall(world);
    schedule->last_job = id;
}

static void
owed_submit(struct ref_world *world, uint32_t number)
{
    struct ref_schedule *schedule = &world->calendar.all[number];
    leat_job_id id = {0};
    if (before_lives(world, schedule)) {
        ref_met(world, REF_MET_SCHEDULE_WAITS);
        try_later(world, schedule);
        return;
    }
    struct spec *spec = ref_schedule_spec(number);
    enum leat_status status = answer_of(world, number, &id);
    ref_note(world, id.bits, number, schedule->owed);
    ref_answer(world, REF_AT_NOTHING, ref_spec_right_for(world, spec, status), status);
    ref_spec_answered(world, spec, status, status == LEAT_JOINED ? spec->other : id);
    answered(world, schedule, status, id);
}

/* How well the next job that came fits: its last one surely is its own. Who submits none has found
 * that the one before lives, which one that came may have ended. */
static uint32_t
fits(struct ref_world *world, uint32_t number)
{
    const struct ref_calendar *calendar = &world->calendar;
    const struct leat_schedule_info info = told(world, number);
    const struct ref_schedule *schedule = &calendar->all[number];
    uint64_t left = info.runs - schedule->runs;
    if (left == 0 && info.refusals == schedule->refusals &&
        info.runs_overlapped == schedule->runs_overlapped) {
        return 4;
    }
    if (calendar->came_known == calendar->came_count || left == 0) {
        return 0;
    }
    leat_job_id id = calendar->came[calendar->came_known];
    if (left == 1) {
        return info.last_job.bits == id.bits ? 3 : 0;
    }
    struct leat_job_info job = leat_job_info_default();
    bool there = leat_get(world->engine, id, &job) == LEAT_OK;
    const struct spec *spec = ref_schedule_spec(number);
    bool alike = there && job.type.bits == info.type.bits && job.queue.bits == info.queue.bits &&
                 job.payload_bytes == spec->job.payload_bytes;
    return alike ? 2 : 1;
}

/* One that is due first; of several the one whose job came first. */
static uint32_t
choose(struct ref_world *world, uint64_t due_ns)
{
    uint32_t found = REF_NONE;
    for (uint32_t i = 0; i < REF_SCHEDULES; i++) {
        if (due_of(&world->calendar.all[i]) == due_ns &&
            (found == REF_NONE || fits(world, i) > fits(world, found))) {
            found = i;
        }
    }
    return found;
}

/* What is settled beyond the new time. */
static void
set_back(struct ref_schedule *schedule, uint64_t now_s)
{
    uint64_t first_s = ref_plan_next(schedule->plan, now_s);
    if (!schedule->plan->fixed) {
        /* It goes on by the new time, with one moment left out. */
        schedule->done_s = first_s < schedule->done_s ? first_s : schedule->done_s;
    } else if (schedule->done_s > now_s + BACK_S) {
        schedule->done_s = now_s; /* it begins anew */
    }
    schedule->again_ns = 0;
}

static void
clock_seen(struct ref_world *world)
{
    struct ref_calendar *calendar = &world->calendar;
    bool back = ref_wall(world) < calendar->seen_ns;
    calendar->seen_ns = ref_wall(world);
    for (uint32_t i = 0; back && i < REF_SCHEDULES; i++) {
        if (calendar->all[i].plan != NULL) {
            ref_met(world, REF_MET_SCHEDULE_BACK);
            set_back(&calendar->all[i], ref_wall(world) / REF_S);
        }
    }
}

static void
fire(struct ref_world *world)
{
    uint64_t now_s = ref_wall(world) / REF_S;
    while (first_due(world) <= ref_wall(world)) { /* ends: the time of each becomes later */
        uint32_t number = choose(world, first_due(world));
        struct ref_schedule *schedule = &world->calendar.all[number];
        if (ref_plan_next(schedule->plan, schedule->done_s) <= now_s) {
            moments_take(world, schedule, now_s);
        }
        if (schedule->owed != 0) {
            owed_submit(world, number);
        }
    }
}

/* ---- calls ----------------------------------------------------------------------------------- */

void
ref_schedules_came(struct ref_world *world, leat_job_id id)
{
    struct ref_calendar *calendar = &world->calendar;
    if (calendar->expects && calendar->came_count < REF_CAME) {
        calendar->came[calendar->came_count++] = id;
    }
}

void
ref_schedules_expect(struct ref_world *world)
{
    struct ref_calendar *calendar = &world->calendar;
    if (!calendar->used) {
        return;
    }
    leat_events_drain(world->engine); /* of those before */
    for (uint32_t i = 0; i < REF_SCHEDULES; i++) {
        struct ref_job *job = ref_graph_job(world, calendar->all[i].last_job);
        if (calendar->all[i].plan == NULL) {
            continue;
        }
        if (job != NULL && !job->gone && job != world->current) {
            ref_look(world, job);
        }
        const struct spec *spec = ref_schedule_spec(i);
        ref_labels_look(world, spec->type, &spec->labels);
    }
    calendar->came_count = 0;
    calendar->came_known = 0;
    calendar->expects = true;
}

void
ref_schedules_settle(struct ref_world *world)
{
    struct ref_calendar *calendar = &world->calendar;
    if (!calendar->expects) {
        return;
    }
    leat_events_drain(world->engine);
    calendar->expects = false;
    struct ref_entry *noted = world->noted;
    uint32_t operation = world->operation;
    world->operation = ref_schedule_row();
    clock_seen(world);
    fire(world);
    if (calendar->came_known != calendar->came_count) {
        ref_fail(world, NULL, "a job came that no schedule owes");
    }
    for (uint32_t i = 0; i < REF_SCHEDULES; i++) {
        if (calendar->all[i].plan != NULL) {
            ref_schedule_check(world, i);
        }
    }
    world->operation = operation;
    world->noted = noted;
}
