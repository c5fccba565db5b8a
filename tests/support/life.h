/* life.h - a life of an engine with durable jobs: it opens a log that has jobs, submits one by one,
 * without waiting and in a batch, cancels, runs, retries, brings back, cleans and perhaps closes,
 * where something fails (who uses this says what), and remembers what it was told. Then another
 * process judges what is left on a system that fails no more:
 *
 *   J1 the log can be opened
 *   J2 who was acknowledged is there, with its own bytes; whose end was, is not, and never runs
 *   J3 nothing is there that was never submitted, or twice
 *   J4 a cohort, of which some jobs are members, has counted each of them that has ended, and has
 *      the others: no more than were submitted, and no fewer than were acknowledged
 *   J5 the engine goes on: it runs what waits, and takes in more
 *   J6 a queue is paused, and has the weight that was acknowledged last, or one that was refused
 *      behind that
 *
 * A call that was refused leaves it open whether the job is there. A life, and a judgement, is a
 * body for test_child(): it ends with its process.
 */
#ifndef TESTS_SUPPORT_LIFE_H
#define TESTS_SUPPORT_LIFE_H

#include "engine/leat.h"
#include "tests/support/memory.h"

#define LIFE_JOBS_MAX    64
#define LIFE_BATCH       4
#define LIFE_PAYLOAD_MAX 5000

enum life_fate {
    LIFE_OPEN = 0, /* it may be there or not */
    LIFE_THERE,    /* its submit was acknowledged */
    LIFE_ENDED     /* its end was */
};

struct life_job {
    leat_job_id id;
    enum life_fate fate;
    uint32_t runs; /* in this process */
};

/* Is in memory that children share. */
struct life {
    char directory[32];
    /* Set by who uses it. What fails does so while armed; in front of a kill it is disarmed. */
    void (*arm)(struct life *life, bool armed);
    bool closes;      /* at its end; else it is killed */
    uint64_t allowed; /* a bit for each status that may refuse something */
    struct test_memory memory;
    /* What it was told: */
    bool opened;
    uint32_t refusals;
    struct life_job jobs[LIFE_JOBS_MAX];
    uint32_t count;
    leat_job_id cohort;
    uint32_t members;       /* that were submitted */
    uint32_t members_there; /* that were acknowledged */
    uint32_t weight;        /* that was tried last: each time one more */
    uint32_t weight_there;  /* that was acknowledged last */
    /* Of the process that is at it. */
    struct leat_engine *engine;
    struct leat_completion_queue *queue; /* of acknowledgements; or NULL */
    leat_type type;
    bool judges;
    struct leat_config config;
    struct leat_job batch[LIFE_BATCH];
    struct leat_job_options options[LIFE_BATCH];
    char names[LIFE_BATCH][16];
    unsigned char payloads[LIFE_BATCH][LIFE_PAYLOAD_MAX];
};

/* In a new directory. */
struct life *life_make(void);
void life_free(struct life *life);
/* As it was made: no job, no file. */
void life_reset(struct life *life);

/* Which operations a sweep lets fail: from *first on, each so many-th, drawn by the printed seed;
 * all of them with LEAT_FAULT_ALL=1. */
uint64_t life_step(uint64_t *first);

/* The life, and who looks at what it left; both get a struct life. */
void life_run(void *argument);
void life_judge(void *argument);

#endif
