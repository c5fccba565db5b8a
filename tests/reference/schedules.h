/* schedules.h - what the model knows of schedules: see schedules.c, op_schedule.c. */
#ifndef TESTS_REFERENCE_SCHEDULES_H
#define TESTS_REFERENCE_SCHEDULES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/leat.h"

#define REF_SCHEDULES 4   /* names; one more than schedules_max */
#define REF_CAME      256 /* jobs that schedules submit at once */

struct ref_world;

/* When it fires: each period_s, and offset_s behind that, from 1970 on. */
struct ref_plan {
    const char *spec;
    uint64_t period_s;
    uint64_t offset_s;
    bool fixed; /* its hours are */
};

struct ref_schedule {
    const struct ref_plan *plan; /* NULL: it is not there */
    enum leat_overlap overlap;
    enum leat_missed missed;
    uint32_t runs_max;
    uint32_t owed;
    bool paused;
    uint64_t done_s;      /* up to here its moments are settled */
    uint64_t again_ns;    /* what it owes is tried again then */
    uint64_t patience_ns; /* how long it waited for that */
    uint64_t last_unix_ns;
    leat_job_id last_job;
    uint64_t runs;
    uint64_t runs_missed;
    uint64_t runs_overlapped;
    uint64_t refusals;
    enum leat_status refusal_status;
};

struct ref_calendar {
    bool used; /* in this episode */
    struct ref_schedule all[REF_SCHEDULES];
    uint64_t seen_ns; /* the wall clock, as it was looked at last */
    bool expects; /* a call looks whether a schedule fires, and it is not known what came of it */
    leat_job_id came[REF_CAME]; /* what was submitted since, in this order */
    uint32_t came_count;
    uint32_t came_known;
};

/* A call comes that looks at the clocks; its schedules have fired, before all else that it did. */
void ref_schedules_expect(struct ref_world *world);
void ref_schedules_settle(struct ref_world *world);
/* One of them is due. */
bool ref_schedules_due(const struct ref_world *world);
/* The first moment behind this one. */
uint64_t ref_plan_next(const struct ref_plan *plan, uint64_t after_s);
/* In how long the first of them is due; LEAT_FOREVER: none is. */
uint64_t ref_schedules_due_in(const struct ref_world *world);
void ref_schedules_check_due(struct ref_world *world, uint64_t delay_ns);
void ref_schedules_came(struct ref_world *world, leat_job_id id);
/* What was not submitted by then is missed; moments are settled up to now, or before. */
void ref_schedule_settle(struct ref_world *world, struct ref_schedule *schedule, uint64_t done_s);
void ref_schedule_check(struct ref_world *world, uint32_t number);
void ref_schedule_compare(struct ref_world *world, uint32_t number,
                          const struct leat_schedule_info *info);
/* One of them may deliver there. */
bool ref_schedules_use(uint32_t completions, const struct ref_world *world);
const char *ref_schedule_name(uint32_t number);
/* The operation to which their submits are counted. */
uint32_t ref_schedule_row(void);
/* Time goes on, and all that has come due meanwhile is found. */
void ref_clock_pass(struct ref_world *world, uint64_t ns, bool suspended);

#endif
