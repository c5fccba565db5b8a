/* reference.h - an executable model of the job engine, and what runs random operations against the
 * engine and the model and compares them after each one.
 *
 * One thread; the engine has no workers of its own, and the clock is moved by hand. So what the
 * engine promises has one right answer, or a small set of them. docs/design/0026 says what is
 * compared, and what is not.
 *
 *   model.c      what a job goes through, in plain words: no engine in it
 *   graph.c      jobs that wait for others
 *   results.c    what they come to, for those who wait
 *   observe.c    the engine is asked about each job, and the model follows or contradicts
 *   handler.c    what handlers do: drawn, too
 *   schedules.c  when schedules fire, and what they owe
 *   parts.c      what may hold a job back beside its time: one row per feature
 *   time.c       the system's clock, for what the engine measures
 *   table.c      the operations: one row each
 *   draw.c       jobs that are to be submitted
 *   op_*.c       the operations themselves, one file per group
 *   reached.c    what a run of the usual length must have met
 *
 * To add an operation: write `static void op(struct ref_world *)` in the op_*.c of its group, or in
 * a new one. It (1) draws its arguments, (2) says by the model which statuses are right, (3) calls
 * ref_note(), then the engine, then ref_answer(), (4) changes the model by the answer. Add a row to
 * ref_operations in table.c. Run `tests/campaign reference --cells`, and put what is new there into
 * reached.c.
 *
 * To add a feature that holds jobs back (keys, buckets, ...): a row in ref_parts in parts.c. What
 * it knows of a job goes to the end of struct ref_job, of a queue to struct ref_queue, and so on.
 * Then reached.c. */
#ifndef TESTS_REFERENCE_REFERENCE_H
#define TESTS_REFERENCE_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/leat.h"
#include "tests/reference/breaker.h"
#include "tests/reference/graph.h"
#include "tests/reference/keys.h"
#include "tests/reference/operations.h"
#include "tests/reference/rates.h"
#include "tests/reference/schedules.h"
#include "tests/support/fake_clock.h"
#include "tests/support/prng.h"

#define REF_RECORDS     256 /* more than jobs_max */
#define REF_TYPES       9   /* names; two more than types_max; the last is that of cohorts */
#define REF_QUEUES      7   /* the same; the first is "default" */
#define REF_NONE        UINT32_MAX
#define REF_COMPLETIONS 2
#define REF_UNIQUES     3 /* of each type */
#define REF_NAMES       4
#define REF_TAGS        3
#define REF_LEVELS      32
#define REF_LINKS       80
#define REF_TENANTS     6  /* one more than queues_max */
#define REF_SLOTS_MAX   16 /* of a completion queue */
#define REF_OLD         64 /* ids whose records are other jobs' by now */
#define REF_PAYLOAD_MAX 200
#define REF_RESULT_MAX  64
#define REF_ERROR_BYTES 256
#define REF_JOURNAL     64 /* operations that a report shows */
#define REF_MS          UINT64_C(1000000)
/* Steps of the wall clock below LEAT_CLOCK_DRIFT_NS, a millisecond, are not followed: a job may be
 * armed behind one that way and wait through one the other way. */
#define REF_WALL_SLACK (2 * REF_MS)
#define REF_S          (1000 * REF_MS)
#define REF_NEVER      UINT64_MAX
#define REF_FAR        (UINT64_C(1) << 62) /* delays go no further */
#define REF_BATCH      24

/* ---- the model ------------------------------------------------------------------------------- */

/* When a job goes on. Where the engine draws a part of it, between two times, until it is seen. */
struct ref_due {
    bool wall;
    uint64_t low_ns;
    uint64_t high_ns;
};

/* What is told of an attempt. */
struct ref_attempt {
    uint32_t attempt;
    enum leat_outcome_kind outcome;
    bool inside; /* its handler ended it */
    bool timed_out;
    bool ended_known;
    uint64_t ended_ns;
    char error[REF_ERROR_BYTES];
};

/* What a job is called by its submitter: see op_claims.c. */
struct ref_labels {
    uint32_t key; /* REF_NONE: none */
    enum leat_unique_scope scope;
    enum leat_unique_conflict conflict;
    uint64_t for_ns;
    uint32_t name; /* REF_NONE: none */
    uint32_t tags_count;
    const char *tags[LEAT_TAGS_MAX + 1];
};

/* Who had a unique key or a name last. */
struct ref_claim {
    leat_job_id id; /* 0: nobody yet */
    enum leat_unique_scope scope;
    uint64_t until_ns;
    bool loose; /* a name: which of the ended jobs it finds is not known */
};

/* One record of the engine, and the job that has it. */
struct ref_job {
    leat_job_id id; /* 0: never used */
    enum leat_job_state state;
    bool gone;     /* its record is not there any more */
    bool gone_now; /* found in this look at all jobs */
    bool kept;     /* until it is released */
    bool zombie;   /* ended in a place that lets go of it later */
    bool loose;    /* released as a zombie: it went at once, or is retained from then on */
    bool moved;    /* waits for a time, but stands where it stood before */
    uint32_t type;
    uint32_t queue;
    uint32_t level;
    struct ref_due due;
    uint64_t expires_ns;
    uint64_t since_ns; /* it waits, for a time or a worker */
    /* Of those that wait for a worker: came in between these two. A retry has no place. */
    uint64_t low;
    uint64_t high;
    bool front; /* a lease was given back: it goes in front of the others */

    enum leat_reason reason;
    uint32_t runs;     /* all that were begun */
    uint32_t attempts; /* without those that were snoozed */
    uint32_t max_attempts;
    uint32_t progress;
    bool cancel;
    uint64_t timeout_ns; /* LEAT_TIMEOUT_OF_TYPE: its type's */
    uint32_t policy;     /* REF_NONE: its type's */

    /* Of the attempt that runs. */
    bool awaited;
    bool said; /* leat_complete() came before the handler's answer */
    bool timed_out;
    bool stuck;
    bool seen; /* by a look of the watcher */
    uint64_t seen_ns;
    struct ref_due until; /* awaited for a time; high_ns 0: for ever */
    struct leat_outcome outcome;
    bool late;  /* leat_complete() brought a text */
    bool tardy; /* and that its time was over for who completed it */

    /* Its end. */
    uint64_t ends;     /* of its kind, so far */
    uint64_t pressure; /* see ref_world */
    uint32_t completions;
    void *user;
    leat_job_id submitter;

    char error[REF_ERROR_BYTES];
    char late_error[REF_ERROR_BYTES];
    uint32_t payload_bytes;
    unsigned char payload[REF_PAYLOAD_MAX];
    size_t result_bytes;
    unsigned char result[REF_RESULT_MAX];

    /* Dead letters, and the attempts that are told. */
    bool unlisted;     /* deleted, or not there any more: only its submitter's */
    uint64_t died_low; /* it came to the others between these two */
    uint64_t died_high;
    uint32_t told; /* so far */
    struct ref_attempt attempts_told[LEAT_ATTEMPTS_KEPT];

    /* Gates. */
    bool inside;   /* it is counted by the gates of its queue and type */
    bool let_past; /* it may have entered before a cap was lowered */
    bool shaken;   /* it may have been in the ring when its queue was paused, or first capped */

    /* Order per key. */
    uint32_t key;     /* REF_NONE: none */
    bool key_begun;   /* it has its key until it ends */
    bool key_placed;  /* it stands in the line of its key, or has it */
    bool came_late;   /* to its list, or may have, within the call at work: see op_pull.c */
    bool lived;       /* as that call began */
    uint64_t key_low; /* it came there between these two */
    uint64_t key_high;
    bool key_let;      /* it may have had its tokens before a rate of keys was set */
    bool key_owes;     /* it has begun, and not come back to its key */
    uint64_t began_ns; /* its last attempt */

    struct ref_labels labels;

    /* Limits: see op_limits.c. */
    bool of_type;   /* it waited before places were kept for its queue: see op_places.c */
    bool placed;    /* it may have had a worker's place before a minimum was raised */
    bool counted;   /* while it waits, by its queue and tenant */
    uint64_t trail; /* its place among those that may be dropped; 0: it is none of them */

    /* Others: see graph.c. */
    struct ref_node node;
    bool result_maybe; /* it may have this one instead */
    size_t maybe_bytes;
    unsigned char maybe[REF_RESULT_MAX];
    bool probe; /* of the breaker of its type, which is half open */
    /* In a handler: see op_inline.c, op_middleware.c. */
    bool handled; /* one that has not returned */
    bool inlined; /* of a call that brought it */
    bool batched; /* in one call with others */
    bool asked;   /* how long it has yet, at asked_ns */
    uint64_t asked_ns;
    uint32_t chain_passed; /* functions of all types that it has passed, and of its own */
    uint32_t chain_typed;
    uint32_t chain_all; /* of so many at least */
    uint32_t chain_own;
    uint64_t gather_ns; /* it waits for others of its batch until then; 0: not known */

    /* Exact order: see op_order.c. */
    uint32_t order;
    uint64_t number;   /* of its submit, in its queue */
    uint64_t came_low; /* it came to wait between these two */
    uint64_t came_high;
    uint32_t passed; /* so many jobs behind it have begun since */
};

struct ref_gate {
    bool used; /* it was paused or capped once */
    bool paused;
    bool halted;   /* all queues are paused */
    uint32_t most; /* 0: no cap */
    uint32_t inside;
};

/* How much may wait; 0: no limit. */
struct ref_limits {
    uint64_t jobs_max;
    uint64_t bytes_max;
};

struct ref_type {
    leat_type handle; /* 0: a name that the engine does not know */
    bool bound;
    uint32_t max_attempts;
    uint64_t timeout_ns;
    uint32_t policy;
    struct ref_gate gate;
    struct ref_bucket bucket;
    struct ref_pace pace;
    struct ref_claim uniques[REF_UNIQUES];
    uint32_t least;
    struct ref_breaker breaker;
    uint32_t chained;    /* functions around its handler alone */
    uint32_t batch_most; /* jobs to a call; 0: its handler takes one */
    uint64_t batch_delay_ns;
};

struct ref_queue {
    leat_queue handle;
    uint32_t priority;
    struct ref_gate gate;
    bool pull;
    struct ref_bucket bucket;
    struct ref_pace pace;
    struct ref_limits limits;
    enum leat_full_policy full;
    uint64_t block_ns;
    bool counts;     /* it had a limit or a tenant once */
    bool closed;     /* by a drain */
    uint32_t tenant; /* REF_NONE: none */
    uint64_t dropped;
    uint32_t least; /* workers' places that are kept for it */
    bool exact;
    uint64_t numbers; /* of submits, in exact order */
    uint32_t weight;  /* 0: none was set */
    uint32_t weight_most;
};

/* See op_tenants.c. */
struct ref_tenant {
    leat_tenant handle; /* 0: not there yet */
    struct ref_limits limits;
    uint64_t refused_low;
    uint64_t refused_high;
    bool rated; /* it had a rate once */
    struct ref_bucket bucket;
};

/* Begins of one level, since the same queues have many jobs there. */
struct ref_shares {
    bool in[REF_QUEUES];
    uint64_t begun[REF_QUEUES];
    uint64_t all;
    uint32_t ahead; /* begins yet that may have been on their way by then */
};

/* What jobs of a queue need that are to wait there. */
struct ref_need {
    uint64_t jobs;
    uint64_t bytes;
    uint32_t level; /* of the least urgent of them */
};

/* What comes of it. */
struct ref_room {
    bool there;
    bool dropping;        /* it lacks only what may be dropped for */
    uint32_t drops_count; /* jobs that have to make room, by index */
    uint32_t drops[REF_RECORDS];
};

/* What is to be taken from a completion queue. */
struct ref_completion {
    struct leat_completion item;
    bool fuzzy; /* ended by the engine itself: it is known when, but not in which order */
};

/* A function around handlers: see op_middleware.c. */
struct ref_link {
    struct ref_world *world;
    uint32_t type;   /* REF_NONE: of all */
    uint32_t number; /* of those of all types, or of this one */
};

struct ref_completions {
    struct leat_completion_queue *queue;
    uint32_t slots;
    uint32_t reserved; /* of jobs that have not ended */
    uint32_t count;
    struct ref_completion items[REF_SLOTS_MAX];
};

struct ref_counts {
    uint64_t submitted;
    uint64_t run;
    uint64_t completed;
    uint64_t dead;
    uint64_t cancelled;
    uint64_t retried;
    uint64_t timed_out;
    uint64_t stuck;
    uint64_t brought_back;
};

/* ---- the world ------------------------------------------------------------------------------- */

/* What an operation was aimed at: enum leat_job_state, and these. */
enum { REF_AT_NOTHING = 0, REF_AT_AWAITED = 9, REF_AT_GONE = 10, REF_AT_COUNT };

struct ref_world;

struct ref_operation {
    const char *name;
    uint32_t weight;  /* how often it is drawn */
    bool in_handlers; /* handlers draw it, too */
    void (*run)(struct ref_world *world);
};

extern const struct ref_operation ref_operations[];
extern const uint32_t ref_operations_count;
#define REF_OPERATIONS_MAX 104

/* One call, for the report. */
struct ref_entry {
    const char *name;
    uint64_t step;
    uint64_t values[3];
    int status; /* -1: it has not come back */
    bool nested;
};

/* What no operation answers: see ref_met_names. */
enum ref_met {
    REF_MET_RELEASED,
    REF_MET_RELEASED_UNPAID,
    REF_MET_RELEASED_LATER,
    REF_MET_CANCELLED,
    REF_MET_IGNORED,
    REF_MET_WAITS,
    REF_MET_COMPLETED_AFTER,
    REF_MET_FORSAKEN,
    REF_MET_EXPIRED,
    REF_MET_RESULT,
    REF_MET_COHORT_COMPLETED,
    REF_MET_COHORT_CANCELLED,
    REF_MET_DEATH,
    REF_MET_OPENED,
    REF_MET_HALF_OPEN,
    REF_MET_PROBE,
    REF_MET_REOPENED,
    REF_MET_CLOSED,
    REF_MET_KEY_WAITS,
    REF_MET_SCHEDULE_RUNS,
    REF_MET_SCHEDULE_JOINS,
    REF_MET_SCHEDULE_REFUSED,
    REF_MET_SCHEDULE_OVERLAPS,
    REF_MET_SCHEDULE_WAITS,
    REF_MET_SCHEDULE_BACK,
    REF_MET_COUNT
};

struct ref_coverage {
    uint64_t cells[REF_OPERATIONS_MAX][LEAT_STATUS_COUNT][REF_AT_COUNT];
    uint64_t met[REF_MET_COUNT];
    uint64_t begins;
    uint64_t checks; /* looks at one job */
    uint64_t steps;
};

struct ref_world {
    uint64_t seed;
    uint64_t episode;
    uint64_t step;
    uint32_t operation; /* row of the one at work */
    struct test_prng prng;
    struct test_clock clock;
    struct leat_config config;
    struct leat_engine *engine;
    enum leat_engine_state state;
    struct ref_job *current;    /* in its handler */
    const struct leat_run *run; /* of the handler at work; NULL: none is */
    struct ref_job *watched;    /* of those in handlers, the one that a worker runs */
    bool running;               /* in leat_run_some() or leat_drain() */
    bool by_itself;             /* the engine did it, and is found out now */
    bool cascades;              /* an end ends and releases others */
    bool shrinks;               /* failures are told apart by the exit status */
    uint64_t run_begin_ns;
    uint64_t run_begins; /* attempts begun in it */
    uint64_t run_looked_ns;
    uint64_t sequence; /* of those that begin to wait for a worker */
    uint64_t synced;   /* the sequence at the last look at all jobs */
    uint64_t ends_dead;
    uint64_t ends_other;
    uint64_t run_ends_dead; /* when the run began */
    uint64_t run_ends_other;
    uint64_t run_retired; /* that ended before it, and came to be kept in it */
    uint64_t joined;      /* the sequence of edges */
    uint64_t deaths;      /* the sequence of those that die */
    uint64_t deaths_synced;
    uint64_t pressure; /* submits that may have cost an ended job its record */
    uint64_t pressure_synced;
    struct ref_counts counts;
    struct ref_job jobs[REF_RECORDS];
    struct leat_event ends[REF_RECORDS]; /* by record: of the last job that ended there */
    leat_job_id old[REF_OLD];
    uint64_t old_count;
    struct ref_type types[REF_TYPES];
    struct ref_queue queues[REF_QUEUES];
    struct ref_tenant tenants[REF_TENANTS];
    uint64_t trail; /* the sequence of what may be dropped */
    uint64_t vain;  /* the step, + 1, in which some were dropped for one that was refused */
    bool places;    /* some were kept once */
    bool halts;     /* in this episode all queues are paused now and then */
    bool halted;    /* and are so now */
    bool halted_once;
    struct ref_calendar calendar;
    struct ref_shares shares[REF_LEVELS];
    uint64_t shares_long;       /* stretches that said something */
    bool bulk;                  /* a leat_submit_bulk() is at work */
    struct ref_inline *inlines; /* the calls that run a job at this moment, the last one first */
    uint32_t chained;           /* functions around all handlers */
    uint32_t links_count;       /* and around those of types */
    struct ref_link links[REF_LINKS];
    struct ref_claim names[REF_NAMES];
    struct ref_completions completions[REF_COMPLETIONS];
    struct ref_entry journal[REF_JOURNAL];
    uint64_t journal_count;
    struct ref_entry *noted;
    struct ref_coverage *coverage;
};

/* ---- world.c: drawing, noting, judging ------------------------------------------------------- */

/* Two draws stand in two statements, never in one expression that does not say which comes first:
 * so a seed walks the same way whatever the compiler. */

/* True in `percent` of all cases. */
bool ref_chance(struct ref_world *world, uint32_t percent);
uint32_t ref_below(struct ref_world *world, uint32_t below);
/* A time of one of the kinds that matter: none, below a tick, some ticks, seconds. */
uint64_t ref_delay(struct ref_world *world);

uint64_t ref_boot(const struct ref_world *world);
uint64_t ref_wall(const struct ref_world *world);
uint64_t ref_monotonic(const struct ref_world *world);
/* A time of WALL, now and then one that is over. */
uint64_t ref_wall_draw(struct ref_world *world);
/* A time of BOOT, as far as it goes. */
uint64_t ref_after(uint64_t now_ns, uint64_t delay_ns);

/* Behind it stands the call. Values are for the report. */
void ref_note(struct ref_world *world, uint64_t a, uint64_t b, uint64_t c);
#define REF_ONE(status) (UINT64_C(1) << (status))
/* What the call answered, and what was right: a set of statuses. */
void ref_answer(struct ref_world *world, uint32_t at, uint64_t right, enum leat_status got);
/* The engine and the model do not agree: says all that is known and ends the process. */
_Noreturn void ref_fail(struct ref_world *world, const struct ref_job *job, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void ref_met(struct ref_world *world, enum ref_met what);
/* For a signal. */
void ref_report(const struct ref_world *world, FILE *to);

/* An operation that handlers may call. */
void ref_run_nested(struct ref_world *world);

/* ---- model.c --------------------------------------------------------------------------------- */

bool ref_final(const struct ref_job *job);
/* It has a record, as far as is known, and has not ended. */
bool ref_live(const struct ref_job *job);
bool ref_waits_for_time(const struct ref_job *job);
bool ref_expired(const struct ref_world *world, const struct ref_job *job);
/* Its time may have come, or must have by `slack_ns` ago. */
bool ref_due_now(const struct ref_world *world, const struct ref_job *job);
bool ref_due_surely(const struct ref_world *world, const struct ref_job *job);
uint32_t ref_max_attempts(const struct ref_world *world, const struct ref_job *job);
/* Takes work from outside, or from a handler. */
bool ref_accepts(const struct ref_world *world);
uint32_t ref_present(const struct ref_world *world);
/* Its record may be given up by now, or must be there. */
bool ref_may_be_gone(const struct ref_world *world, const struct ref_job *job);
uint32_t ref_at(const struct ref_job *job);

void ref_wait_in_line(struct ref_world *world, struct ref_job *job);
void ref_end(struct ref_world *world, struct ref_job *job, enum leat_job_state state,
             enum leat_reason reason);
/* The same, but for those who wait for it. */
void ref_end_alone(struct ref_world *world, struct ref_job *job, enum leat_job_state state,
                   enum leat_reason reason);
/* What an attempt comes to, by its handler or by leat_complete(). */
void ref_settle(struct ref_world *world, struct ref_job *job, struct leat_outcome outcome);
void ref_await(struct ref_world *world, struct ref_job *job, uint64_t timeout_ns);
void ref_begin(struct ref_world *world, struct ref_job *job);
/* A look of the watcher while a handler runs. */
void ref_watch(struct ref_world *world);
/* What the engine may have done by itself to come to `state`. False: nothing leads there. */
bool ref_reach(struct ref_world *world, struct ref_job *job, enum leat_job_state state);

/* ---- observe.c ---- */
/* How ends are told. */
void ref_event(struct leat_engine *engine, const struct leat_event *event, void *context);
/* As what the job ended, by its event; LEAT_JOB_CANCELLED where there was none. */
enum leat_job_state ref_told_end(struct ref_world *world, const struct ref_job *job);

/* ---- op_names.c ------------------------------------------------------------------------------ */

/* A queue that is there, or REF_NONE. */
uint32_t ref_queue_choose(struct ref_world *world, leat_queue *handle);
/* No attempt begins: its queue is paused, or all are. */
bool ref_gate_paused(const struct ref_gate *gate);
/* A queue that is there from now on: all may be paused. */
void ref_gate_join(const struct ref_world *world, struct ref_gate *gate);
/* What waits in the ring is turned back. */
void ref_gate_shake(struct ref_world *world, const struct ref_gate *gate);
/* Nothing is in the ring any more: what was turned back stands in front of its list again, but for
 * what is gathered, which is turned back when its batch is taken. */
void ref_gate_rest(struct ref_world *world);

/* ---- op_limits.c, op_tenants.c ------------------------------------------------------------- */

void ref_limits_draw(struct ref_world *world, struct ref_limits *limits);
/* Limits and tenant of a queue that is to be created. */
struct ref_queue ref_queue_draw(struct ref_world *world, struct leat_queue_options *options);
uint32_t ref_tenant_draw(struct ref_world *world, leat_tenant *handle);
/* One job more. */
void ref_need_add(struct ref_need *need, uint32_t level, uint64_t bytes);
/* Whether there is room, by `needs` of all queues, and for what. */
struct ref_room ref_room(const struct ref_world *world, const struct ref_need *needs);
bool ref_room_there(const struct ref_world *world, const struct ref_need *needs);
/* They are taken in: those that have to make room end; for one that comes alone as many as it
 * takes, for a batch no more than were counted before. */
void ref_room_make(struct ref_world *world, const struct ref_need *needs, bool alone);
/* A submit has found a limit reached, or may have. */
void ref_room_refused(struct ref_world *world, const struct ref_need *needs, bool surely);
/* It waits, and has just been submitted. */
void ref_room_entered(struct ref_world *world, struct ref_job *job);
/* Takes jobs from outside, or from a handler. */
bool ref_queue_open(const struct ref_world *world, uint32_t queue);
/* What queues and tenants tell of themselves. pre: all jobs were looked at. */
void ref_limits_check(struct ref_world *world);
void ref_tenants_check(struct ref_world *world);
/* What waits in the queues of a tenant, or in one queue, and is counted. */
struct ref_limits ref_limits_used(const struct ref_world *world, uint32_t queue, uint32_t tenant);

/* ---- op_places.c --------------------------------------------------------------------------- */

bool ref_places_may_begin(const struct ref_world *world, const struct ref_job *job);
bool ref_places_hold(const struct ref_world *world, const struct ref_job *job);
bool ref_places_reorder(const struct ref_world *world, const struct ref_job *job,
                        const struct ref_job *other);
void ref_places_begun(struct ref_world *world, struct ref_job *job);

/* ---- op_gather.c --------------------------------------------------------------------------- */

/* False: the handler takes one job. `bad`: what was drawn is wrong. */
bool ref_gather_draw(struct ref_world *world, struct leat_type_options *options, bool *bad);
void ref_batch_handler(struct leat_run *const *runs, struct leat_outcome *outcomes, size_t count,
                       void *context);
/* The job comes to a worker with others. */
bool ref_gather_takes(const struct ref_world *world, const struct ref_job *job);
bool ref_gather_holds(const struct ref_world *world, const struct ref_job *job);
bool ref_gather_reorders(const struct ref_world *world, const struct ref_job *job,
                         const struct ref_job *other);
/* The time of its batch is over. */
bool ref_gather_timed_out(const struct ref_world *world, const struct ref_job *job);
/* A breaker has shut the type. */
void ref_gather_shut(struct ref_world *world, uint32_t type);
/* The engine says that nothing is left to run. */
void ref_gather_idle(struct ref_world *world);

/* ---- op_inline.c, op_middleware.c ---------------------------------------------------------- */

/* False: the attempt is a worker's. */
bool ref_inline_begin(struct ref_world *world, const struct leat_run *run);
/* The attempt failed, and the next one begins in the same call: between two delays earlier. */
void ref_inline_again(struct ref_world *world, const uint64_t delays_ns[2]);
/* An attempt begins, and comes to its handler. */
void ref_chain_begin(struct ref_world *world);
void ref_chain_end(struct ref_world *world);
void ref_deadline_check(struct ref_world *world, struct ref_job *job, struct leat_run *run);

/* ---- op_order.c, op_bulk.c, op_payload.c ---------------------------------------------------- */

/* Order and weight of a queue that is to be created; now and then wrong ones. */
enum leat_status ref_order_draw(struct ref_world *world, struct ref_queue *queue,
                                struct leat_queue_options *options);
/* What a job of this level is in the queue. */
enum leat_status ref_order_right(const struct ref_world *world, uint32_t queue, uint32_t level);
void ref_order_submitted(struct ref_world *world, struct ref_job *job, uint32_t order);
/* It came to wait for a worker between these two. */
void ref_order_entered(struct ref_job *job, uint64_t low, uint64_t high);
/* In exact order the first of them begins first. */
bool ref_order_before(const struct ref_job *job, const struct ref_job *other);
/* `job` must not begin in front of `other`. */
bool ref_order_first(const struct ref_world *world, const struct ref_job *job,
                     const struct ref_job *other);
bool ref_order_holds(const struct ref_world *world, const struct ref_job *job);
bool ref_order_reorders(const struct ref_world *world, const struct ref_job *job,
                        const struct ref_job *other);
void ref_order_begun(struct ref_world *world, struct ref_job *job);
void ref_order_look(struct ref_world *world); /* behind each operation */
void ref_payload_config(struct ref_world *world, struct leat_config *config);
/* What was right but for the payloads, of which those of others of the batch are *taken. */
uint64_t ref_payload_right(const struct ref_world *world, uint64_t right, uint64_t bytes,
                           uint64_t *taken);

/* ---- op_dead.c ------------------------------------------------------------------------------- */

/* An attempt ends. */
void ref_attempt_note(struct ref_world *world, struct ref_job *job, enum leat_outcome_kind outcome);
/* How many dead letters there are: surely, and at most. pre: all were looked at. */
void ref_letters(const struct ref_world *world, uint32_t *least, uint32_t *most);

/* ---- policies.c ------------------------------------------------------------------------------ */

#define REF_POLICIES    8
#define REF_POLICY_OURS 0 /* leat_retry_policy_default() */
#define REF_POLICY_BAD  (REF_POLICIES - 1)

/* The policy, for a call. */
struct leat_retry_policy ref_policy(uint32_t number);
/* The delay behind the attempt, between two. False: there is no further attempt. */
bool ref_policy_delay(uint32_t number, uint32_t attempt, uint64_t *low_ns, uint64_t *high_ns);

/* ---- parts.c --------------------------------------------------------------------------------- */

/* A feature that may hold jobs back. Each function may be NULL. */
struct ref_part {
    const char *name;
    /* False: the engine must not begin this job now. */
    bool (*may_begin)(const struct ref_world *world, const struct ref_job *job);
    /* True: it may go on waiting, though nothing else is to be run. */
    bool (*holds)(const struct ref_world *world, const struct ref_job *job);
    /* True: its order among the others of its queue and level is not promised. */
    bool (*reorders)(const struct ref_world *world, const struct ref_job *job,
                     const struct ref_job *other);
    void (*begun)(struct ref_world *world, struct ref_job *job);
    void (*left)(struct ref_world *world, struct ref_job *job);
};

extern const struct ref_part ref_parts[];
extern const uint32_t ref_parts_count;
bool ref_held(const struct ref_world *world, const struct ref_job *job);
/* By others than `but`. */
bool ref_held_but(const struct ref_world *world, const struct ref_job *job,
                  bool (*but)(const struct ref_world *, const struct ref_job *));

/* ---- observe.c ------------------------------------------------------------------------------- */

/* Asks the engine for the job; what it did by itself meanwhile must be legal, and all else as the
 * model says. */
void ref_look(struct ref_world *world, struct ref_job *job);
/* Only what it did by itself: what became of it otherwise, and of its record, is judged at the next
 * look at all jobs. */
void ref_peek(struct ref_world *world, struct ref_job *job);
void ref_look_at_info(struct ref_world *world, struct ref_job *job,
                      const struct leat_job_info *info);
/* All of them: behind what lets work or time go on. */
void ref_sync(struct ref_world *world);
/* The engine says that nothing is left to run. */
void ref_check_idle(struct ref_world *world);
void ref_check_statistics(struct ref_world *world);
void ref_check_due(struct ref_world *world, uint64_t delay_ns);

/* What a call is aimed at: one of the jobs, one of before, or none that ever was. */
struct ref_target {
    leat_job_id id;
    struct ref_job *job; /* NULL: none */
    enum leat_status missing;
    uint32_t at;
    const char *name; /* NULL: it is named by its id */
};

struct ref_target ref_target(struct ref_world *world);
typedef bool (*ref_wanted)(const struct ref_world *world, const struct ref_job *job);
/* One of those, where there is one. */
struct ref_target ref_target_of(struct ref_world *world, ref_wanted wanted);

/* ---- op_claims.c, op_job.c ------------------------------------------------------------------- */

const char *ref_name_text(uint32_t name);
const char *ref_tag_text(uint32_t tag);
/* Its record is there, and it has the tag. */
bool ref_tagged(const struct ref_job *job, const char *tag);
/* A unique key, a name and tags for a job; now and then a wrong one. */
enum leat_status ref_labels_draw(struct ref_world *world, struct leat_job_options *options,
                                 struct ref_labels *labels);
/* What has become of those who have its key and name. */
void ref_labels_look(struct ref_world *world, uint32_t type, const struct ref_labels *labels);
/* What a submit comes to that is right otherwise. *other is set with LEAT_JOINED. */
enum leat_status ref_labels_right(struct ref_world *world, uint32_t type,
                                  const struct ref_labels *labels, leat_job_id *other);
void ref_labels_joined(struct ref_world *world, uint32_t type, const struct ref_labels *labels,
                       struct leat_when when);
/* A job is taken in: who is to make way for it is cancelled; it has its key and name. */
void ref_labels_evict(struct ref_world *world, uint32_t type, const struct ref_labels *labels);
void ref_labels_take(struct ref_world *world, struct ref_job *job);
/* It may be brought back from the dead; it is. */
bool ref_labels_free(struct ref_world *world, const struct ref_job *job);
void ref_labels_renew(struct ref_world *world, const struct ref_job *job);
void ref_labels_loosen(struct ref_world *world, const struct ref_labels *labels);
void ref_labels_check_run(struct ref_world *world, const struct ref_job *job,
                          const struct leat_run *run);
/* A call that names its job by the job's own name. */
struct ref_target ref_target_by_name(struct ref_world *world);
void ref_rescheduled(struct ref_world *world, struct ref_job *job, struct leat_when when);

/* ---- op_complete.c --------------------------------------------------------------------------- */

/* One that has an attempt to complete, most often; a token that may fit; what is right then. */
struct ref_target ref_complete_target(struct ref_world *world);
leat_token ref_token_of(struct ref_world *world, const struct ref_target *target);
enum leat_status ref_complete_right(const struct ref_target *target, leat_token token);
enum leat_status ref_extend_right(const struct ref_target *target, leat_token token);
/* The call was right, and answered. */
void ref_completed(struct ref_world *world, struct ref_job *job, struct leat_outcome outcome,
                   const char *error);
void ref_extended(const struct ref_world *world, struct ref_job *job, uint64_t timeout_ns);

/* ---- handler.c, op_submit.c, op_life.c ------------------------------------------------------- */

struct leat_outcome ref_handler(struct leat_run *run, void *context);
/* An attempt comes to a handler, or to what is around it. False: it came to something before. It is
 * world->current then; `outer` is who was it before. */
bool ref_attempt_enter(struct ref_world *world, struct leat_run *run);
void ref_attempt_leave(struct ref_world *world, struct leat_outcome outcome, struct ref_job *outer);
/* It comes to a handler, if it is its turn: world->current from now on. */
void ref_turn(struct ref_world *world, struct ref_job *job);
/* What a handler does with world->current, and answers. */
struct leat_outcome ref_handle(struct ref_world *world, struct leat_run *run);
struct leat_outcome ref_answer_draw(struct ref_world *world);
struct leat_outcome ref_outcome(struct ref_world *world);
struct ref_job *ref_job_of(struct ref_world *world, leat_job_id id);
/* The ids of all jobs that fit, in pages; how many. */
uint32_t ref_list(struct ref_world *world, struct leat_job_query *query, size_t capacity,
                  leat_job_id *ids);
const char *ref_error_text(struct ref_world *world);
void ref_type_learn(struct ref_world *world, uint32_t type);
void ref_queue_learn(struct ref_world *world, uint32_t queue);
const char *ref_type_name(uint32_t type);
const char *ref_queue_name(uint32_t queue);

void ref_time_begin(void); /* the system's clock begins anew */
/* Opens the engine of an episode; ends it, and looks whether all came back. */
void ref_open(struct ref_world *world);
void ref_close(struct ref_world *world);
/* Runs until there is nothing to run; every second time all is let go of before. */
void ref_finish(struct ref_world *world);
void ref_run(struct ref_world *world, size_t budget);
/* What is due may come from now on. */
void ref_run_begin(struct ref_world *world);

/* ---- reached.c ------------------------------------------------------------------------------- */

/* "operation status state": met in each run of REF_STEPS steps. */
extern const char *const ref_reached[];
extern const uint32_t ref_reached_count;
extern const char *const ref_met_names[REF_MET_COUNT];
#define REF_STEPS UINT64_C(300000)

#endif
