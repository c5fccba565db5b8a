/* submit.h - what the operations share that submit jobs: see op_submit.c. */
#ifndef TESTS_REFERENCE_SUBMIT_H
#define TESTS_REFERENCE_SUBMIT_H

#include "tests/reference/reference.h"

/* A drawn job. */
struct spec {
    struct leat_job job;
    struct leat_job_options options;
    struct leat_retry_policy retry;
    unsigned char payload[REF_PAYLOAD_MAX];
    enum leat_status shape; /* what is wrong with it as it is */
    uint32_t type;          /* REF_NONE: none that there is */
    uint32_t queue;
    uint32_t policy;
    uint32_t completions;
    uint32_t key;
    struct ref_labels labels;
    struct ref_ties ties;
    leat_job_id other;          /* who stands for it */
    bool inlined;               /* it is to run in the call that brings it */
    const struct leat_run *run; /* whose handler submits it; NULL: none */
};

/* What a call said of each of its jobs. */
struct ref_told {
    const leat_job_id *ids;
    const enum leat_status *statuses;    /* NULL: it was not asked */
    const struct leat_graph_edge *edges; /* between them */
    uint32_t edges_count;
};

/* What a schedule submits. */
struct spec *ref_schedule_spec(uint32_t number);

/* In inline mode, by the handler of a run. */
void ref_inline_submit(struct ref_world *world, const struct leat_run *run);

/* One with nothing that could be in its way but its key; REF_NONE: none. */
void ref_submit_plain(struct ref_world *world, uint32_t queue, uint32_t level, uint32_t key);
void ref_spec_nothing(struct spec *spec);
void ref_spec_draw(struct ref_world *world, struct spec *spec);
/* By leat_submit(), or by that of a run. */
enum leat_status ref_spec_submit(struct ref_world *world, const struct spec *spec, leat_job_id *id);
/* As far as the job itself goes, and what it names. Called behind the engine, which has taken the
 * names in by then. */
enum leat_status ref_spec_check(struct ref_world *world, const struct spec *spec);
/* What is right for one job, told when the engine has answered; and what becomes of it then. */
uint64_t ref_spec_right(struct ref_world *world, struct spec *spec);
uint64_t ref_spec_right_for(struct ref_world *world, struct spec *spec, enum leat_status got);
void ref_spec_answered(struct ref_world *world, const struct spec *spec, enum leat_status got,
                       leat_job_id id);
/* `alone`: room is made for it; else it was made for all of its batch. */
struct ref_job *ref_spec_accept(struct ref_world *world, const struct spec *spec, leat_job_id id,
                                bool alone);

uint32_t ref_batch_draw(struct ref_world *world, struct spec *specs, struct leat_job *jobs,
                        bool all);
/* What is wrong with one of an all-or-none batch. */
enum leat_status ref_batch_right(struct ref_world *world, const struct spec *spec);
/* The first whose key or name is another one's, of before or of the batch; REF_NONE: none. */
uint32_t ref_batch_clash(struct ref_world *world, const struct spec *specs, uint32_t count);
/* What the engine answered to all or none of them. */
void ref_batch_judge(struct ref_world *world, struct spec *specs, uint32_t count,
                     enum leat_status got, const struct ref_told *told);

/* Those that were to make room for one that comes alone may end, and it be refused all the same;
 * and so it came. */
bool ref_room_loose(const struct ref_world *world, const struct ref_need *needs);
bool ref_room_lost(struct ref_world *world, const struct ref_need *needs);

#endif
