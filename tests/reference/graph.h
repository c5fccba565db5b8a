/* graph.h - jobs that wait for others, in the model. A job knows its parents and its cohort; what
 * waits for it is found by a look at all jobs. An edge is counted when its parent has ended, as the
 * child's policy says; when all are, the child goes on. */
#ifndef TESTS_REFERENCE_GRAPH_H
#define TESTS_REFERENCE_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/leat.h"

struct ref_world;
struct ref_job;

#define REF_PARENTS_NAMED 3  /* by the options of one job */
#define REF_PARENTS       12 /* those, and what a graph adds */

/* What a submit says of other jobs. */
struct ref_ties {
    leat_job_id parents[REF_PARENTS_NAMED];
    enum leat_status missing[REF_PARENTS_NAMED]; /* LEAT_OK: it was there */
    uint32_t count;
    enum leat_parent_policy policy;
    leat_job_id cohort;
    enum leat_status cohort_missing;
    uint32_t within; /* parents that come with the same call */
    uint32_t behind; /* and children */
    bool held;       /* until a member of its cohort dies */
    bool is_cohort;
};

struct ref_edge {
    leat_job_id parent;
    uint64_t joined; /* the sequence of those that came to wait */
    bool counted;
};

/* Jobs that are watched together. */
struct ref_cohort {
    bool is;
    bool open;
    uint64_t total;
    uint64_t completed;
    uint64_t dead;
    uint64_t cancelled;
    leat_job_id death; /* what the first death lets go; 0: nothing, or no more */
};

/* What a job has to do with others. */
struct ref_node {
    bool own;       /* it was submitted with some of this */
    bool named;     /* another one was to wait for it */
    bool paid;      /* its room is taken while it is BLOCKED */
    bool held;      /* until a member of its cohort dies */
    bool leans;     /* the records of its parents stay for it */
    bool member;    /* of a cohort, for which it has not ended yet */
    bool joins;     /* its submit is at work */
    bool lingers;   /* it ended while it was BLOCKED, and its parents have not */
    bool leaves;    /* its record goes with its last use */
    uint64_t found; /* by which entry of the journal it was found to have expired */
    uint32_t uses;  /* by those that wait for it: its record stays */
    uint32_t count;
    enum leat_parent_policy policy;
    uint64_t delay_ns;
    uint64_t run_at_ns;
    leat_job_id cohort_id;
    struct ref_cohort cohort;
    struct ref_edge edges[REF_PARENTS];
};

/* ---- a submit -------------------------------------------------------------------------------- */

/* Parents and a cohort; now and then wrong ones. */
enum leat_status ref_ties_draw(struct ref_world *world, struct leat_job_options *options,
                               struct ref_ties *ties);
/* Statuses that may come of it; `presses`: ended jobs may lose their records to the call. */
uint64_t ref_ties_right(struct ref_world *world, const struct ref_ties *ties, bool presses);
bool ref_ties_block(const struct ref_ties *ties);
/* Such a job cannot run inline. */
bool ref_ties_any(const struct ref_ties *ties);
/* The job was taken in: its cohort waits for it, whoever ends in the same call. */
void ref_ties_await(struct ref_world *world, const struct ref_ties *ties);
/* Its parents stay while room is made for it, which may end them; until they are bound. */
void ref_ties_hold(struct ref_world *world, const struct ref_ties *ties, bool holds);
/* The job was taken in. Its parents are joined behind that, with all else of the call. */
void ref_ties_bind(struct ref_world *world, struct ref_job *job, const struct ref_ties *ties);
void ref_graph_tie(struct ref_world *world, struct ref_job *parent, struct ref_job *child);
void ref_graph_join(struct ref_world *world, struct ref_job *job);

/* The model's job of that id; NULL: its record is another one's, or nobody's. */
struct ref_job *ref_graph_job(struct ref_world *world, leat_job_id id);

/* ---- ends ------------------------------------------------------------------------------------ */

/* It is about to. */
void ref_graph_ends(struct ref_job *job);
/* The job has ended, also in the model: those who wait for it go on, or end. */
void ref_graph_ended(struct ref_world *world, struct ref_job *job, bool was_blocked);
/* A dead job cannot be brought back any more: it is no letter. */
void ref_graph_forsaken(struct ref_world *world, struct ref_job *job);
/* Its record stays, whatever else says. */
bool ref_pinned(const struct ref_job *job);
/* And no letter that it waits for may have been given up. */
bool ref_pinned_surely(struct ref_world *world, struct ref_job *job);
/* Its record goes, at once or with its last use. */
void ref_let_go(struct ref_job *job);
void ref_cohort_close(struct ref_world *world, struct ref_job *job);

/* ---- what the engine did by itself ----------------------------------------------------------- */

/* A step of a BLOCKED job towards `state`, by itself. */
bool ref_graph_step(struct ref_world *world, struct ref_job *job, enum leat_job_state state);
/* What became of those that are BLOCKED in the model, and of their parents before them. */
void ref_graph_catch_up(struct ref_world *world);
/* The same for all jobs. */
void ref_graph_follow(struct ref_world *world);
/* A parent of the job may have been given up, so that it ended for that. */
bool ref_graph_doubtful(struct ref_world *world, const struct ref_job *job);
/* The call that is judged would end the job, but a letter for which that waited was given up before
 * its turn. Others that ended since may have cost it its record; then its event says so. */
bool ref_graph_ended_before(struct ref_world *world, struct ref_job *job);
/* Which of those that are BLOCKED may have ended for that, or for another one of them; how many. */
uint32_t ref_graph_shaky(struct ref_world *world, bool *shaky);
/* Its record is gone, though it was pinned: what must have happened before. */
void ref_graph_lost(struct ref_world *world, struct ref_job *job);
/* The engine says that a dead job has no place any more: what must have happened before. */
void ref_graph_landed(struct ref_world *world, struct ref_job *job);

/* ---- results.c ------------------------------------------------------------------------------- */

/* Whether a result that is set now is kept; maybe. */
enum ref_keeps { REF_KEEPS_NOT, REF_KEEPS_MAYBE, REF_KEEPS };

enum ref_keeps ref_keeps(const struct ref_world *world, const struct ref_job *job);
void ref_result_set(struct ref_world *world, struct ref_job *job, const void *bytes, size_t count);
/* pre: it has ended, and says that it has so many bytes. Which of two results it has. */
void ref_result_learn(struct ref_world *world, struct ref_job *job, size_t told);
/* What a run says of the parents of its job. */
void ref_graph_check_run(struct ref_world *world, const struct ref_job *job,
                         const struct leat_run *run);

#endif
