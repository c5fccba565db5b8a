/* intake.h - a job on its way in, from its check to the moment at which others see it: what those
 * share who take jobs in, singly (submit.c), as a whole (submit_all.c), or from a log
 * (durable/revive.c). */
#ifndef ENGINE_INTAKE_H
#define ENGINE_INTAKE_H

#include "engine/graph.h"
#include "engine/room.h"
#include "engine/timers.h"

/* A checked job: what it names, by index. */
struct leat_intake {
    uint32_t type;
    uint32_t queue;
    uint32_t level;
    uint32_t bytes; /* of its payload */
    uint32_t index; /* of its record, once taken */
    uint32_t told;  /* slot of a completion queue; with LEAT_QUEUE_TOLD */
    /* To whom its submit is to come: a queue, or NULL; or with `calls` what the caller's own
     * options say, which stay while it is submitted. */
    union {
        struct leat_completion_queue *queue;
        const struct leat_job_options *options;
    } acknowledges;
    struct leat_due due;    /* time 0: at once */
    uint64_t options;       /* of its queue, as they were when it was put; of batches */
    bool limited;           /* its queue counts its jobs */
    bool extra;             /* it has more than its record has room for: options, an exact order */
    bool calls;             /* see acknowledges */
    enum leat_room_how how; /* what it does without room */
    bool alone;             /* else its batch takes room for all, or it runs inline */
    bool owes;              /* room, for which others are dropped when nothing can refuse it */
    bool claimed;           /* what it claims it has, and no room is owed */
    struct leat_ties ties;
};

/* A job is counted while it is PENDING. */
LEAT_INLINE bool
leat_intake_counted(const struct leat_intake *intake)
{
    return intake->limited && intake->due.time == 0;
}

/* *job is the given one, or a copy of one that another header has made. */
enum leat_status leat_intake_read(const struct leat_job *given, struct leat_job *copy,
                                  const struct leat_job **job);
/* Checks it, and says in `intake` what it comes to. */
enum leat_status leat_intake_check(struct leat_engine *engine, const struct leat_job *job,
                                   struct leat_intake *intake);
/* Takes a record and fills it; or fills the one that intake->index says. Its word still says
 * FILLING. */
enum leat_status leat_intake_fill(struct leat_engine *engine, const struct leat_job *job,
                                  struct leat_intake *intake);
enum leat_status leat_intake_write(struct leat_engine *engine, const struct leat_job *job,
                                   struct leat_intake *intake);
/* It is not to be: gives back what the fill has taken. */
void leat_intake_refuse(struct leat_engine *engine, const struct leat_intake *intake);
/* leat_labels_claim(), where memory has a cap. Inside a section, which with a log it may leave and
 * enter anew. */
enum leat_status leat_intake_claim(struct leat_engine *engine, const struct leat_intake *intake,
                                   leat_job_id *id);
/* Sets its word: others see it from now on. `phase` has what else its word is to begin with. */
leat_job_id leat_intake_publish(struct leat_engine *engine, uint32_t index, bool kept,
                                uint64_t phase);
/* The same, as it waits by what was said of it. True: it is PENDING, and the caller puts it;
 * `ties.blocks`: it is BLOCKED, and joins; else it is SCHEDULED, and held, see LEAT_QUEUE_HELD. */
bool leat_intake_enter(struct leat_engine *engine, struct leat_intake *intake, bool kept,
                       leat_job_id *id);
/* Of its options, which are checked so far: to whom its submit is to come. */
enum leat_status leat_intake_acknowledges_check(const struct leat_engine *engine,
                                                const struct leat_job *job,
                                                const struct leat_job_options *options,
                                                struct leat_intake *intake);
/* Where that is a completion queue: a slot of it. LEAT_FULL, LEAT_NO_MEMORY. */
enum leat_status leat_intake_acknowledgement_make(struct leat_engine *engine,
                                                  const struct leat_job *job,
                                                  const struct leat_intake *intake);
/* Its slot in a completion queue for who is to hear that it is there; or 0. */
uint32_t leat_intake_acknowledgement(const struct leat_engine *engine, uint32_t index);
/* That one is told, or the host is called. pre: intake->told is it, or intake->calls. */
void leat_intake_acknowledge(struct leat_engine *engine, const struct leat_intake *intake,
                             leat_job_id id);
/* It runs, by its caller. pre: leat_inline_enter(), which leat_inline_run() takes back. */
leat_job_id leat_intake_run(struct leat_engine *engine, uint32_t index, bool kept);
/* The rest of a submit whose job was in flight: claims, and is seen by others. `how` has bits of
 * LEAT_TRANSIT_. As leat_submit(). */
enum leat_status leat_intake_land(struct leat_engine *engine, struct leat_intake *intake,
                                  uint32_t how, leat_job_id *id);
#define LEAT_TRANSIT_OPTIONS 1U  /* it has options */
#define LEAT_TRANSIT_KEPT    2U  /* LEAT_JOB_KEEP_RESULT */
#define LEAT_TRANSIT_DUE     4U  /* its time stands in its timer's node */
#define LEAT_TRANSIT_OWES    8U  /* intake->owes */
#define LEAT_TRANSIT_INSIDE  16U /* a handler submits it */
#define LEAT_TRANSIT_CALLS   32U /* its submit is told by a call of the host's */
/* It waits: what a queue with limits, or one that is closed, is to know of it; and who is told. */
void leat_intake_entered(struct leat_engine *engine, const struct leat_intake *intake,
                         uint64_t options, leat_job_id id);

#endif
