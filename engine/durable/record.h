/* record.h - what the engine writes into its log (engine/wal/), record by record. Why so:
 * docs/design/0037.
 *
 * Numbers are in the byte order of the machine: a log of the other order is refused by the log
 * itself. Each struct begins with the format that it is of, so that what is newer is refused.
 *
 *   JOB      struct leat_durable_state, then as far as it has them: its content, the text of its
 *            last error, its result, its last attempts, the oldest first: of each struct
 *            leat_durable_attempt and its text. With content it is an image, else a step.
 *   END      the id: the job is not to come back
 *   IDS      struct leat_durable_ids
 *   QUEUE    struct leat_durable_queue, then the name
 *   SCHEDULE struct leat_durable_schedule, then its name, spec and zone with their 0, and the
 *            content of its job: an image; or the name alone: a step, or that it is removed
 *   COUNT    struct leat_durable_count: of a cohort
 *   TUNING   struct leat_durable_tuning, then the name of the queue
 *   HELD     struct leat_durable_held, then the name of the type with its 0, and the key
 *   CLAIMED  the id: the job has taken a key or name that another one in the log had
 *   content  struct leat_durable_content, then in the order of its counts: texts with their 0,
 *            bytes without, each tag as a text, the delays of the retry policy; where it has
 *            parents or has to do with a cohort, struct leat_durable_ties, each parent, and struct
 *            leat_durable_watch where that says something; the payload
 */
#ifndef ENGINE_DURABLE_RECORD_H
#define ENGINE_DURABLE_RECORD_H

#include "engine/leat.h"
#include "engine/limits.h"
#include "ring/base.h"

#define LEAT_DURABLE_FORMAT 1
/* Of a JOB that has attempts: else it is of the first one, which older versions read. */
#define LEAT_DURABLE_FORMAT_ATTEMPTS 2

enum leat_durable_tag {
    LEAT_DURABLE_JOB = 1,
    LEAT_DURABLE_END,
    LEAT_DURABLE_IDS,
    LEAT_DURABLE_QUEUE,
    LEAT_DURABLE_SCHEDULE,
    LEAT_DURABLE_COUNT,
    LEAT_DURABLE_TUNING,
    LEAT_DURABLE_HELD,
    LEAT_DURABLE_CLAIMED,
    LEAT_DURABLE_TAG_LATER /* it, and those behind it, are of later versions */
};

#define LEAT_DURABLE_KEPT    1u  /* LEAT_JOB_KEEP_RESULT, and not released */
#define LEAT_DURABLE_WALL    2u  /* due by the wall clock; else after so long: then it is the end */
#define LEAT_DURABLE_OS      4u  /* LEAT_DURABILITY_OS; else GROUP */
#define LEAT_DURABLE_USED    8u  /* it has ended, and is there for its children or members only */
#define LEAT_DURABLE_COUNTED 16u /* the numbers of its cohort have it */
#define LEAT_DURABLE_LASTS   32u /* it does not expire, or no more: whatever its content says */

/* How a job is. Of two of one job the one with the higher version is right, and of the same
 * version that which is no image: who writes one takes the version first, and then looks. */
struct leat_durable_state {
    uint16_t format;
    uint8_t phase; /* enum leat_phase; a job that runs waits here */
    uint8_t reason;
    uint8_t level;
    uint8_t flags;
    uint16_t attempts; /* runs so far, modulo 2^16 */
    uint32_t snoozes;
    uint32_t version;
    uint64_t id;
    uint64_t due_ns; /* by the wall clock; 0: at once */
    uint32_t image;  /* the how many-th of the job; 0: it has no content */
    uint32_t crashes;
    uint32_t content_bytes;
    uint32_t error_bytes;
    uint32_t result_bytes;
    uint32_t attempts_bytes;
};

#define LEAT_DURABLE_TIMED_OUT 1u
#define LEAT_DURABLE_TIMED     2u /* when it began is known: so long before its end */

/* An attempt that has ended; behind it its text, without a 0. */
struct leat_durable_attempt {
    uint64_t ended_ns; /* by the wall clock */
    uint64_t took_ns;
    uint32_t number; /* of the run */
    uint32_t attempt;
    uint32_t worker;
    uint8_t outcome; /* enum leat_outcome_kind */
    uint8_t flags;
    uint16_t text_bytes;
};

/* No id from this generation on was given out. */
struct leat_durable_ids {
    uint64_t format;
    uint64_t ceiling;
};

/* A queue that was made otherwise than by default. */
struct leat_durable_queue {
    uint16_t format;
    uint8_t priority;
    uint8_t pull;
    uint8_t exact;
    uint8_t zero[3];
};

#define LEAT_DURABLE_REMOVED 1u
#define LEAT_DURABLE_PAUSED  2u

/* How a schedule is: of two of one name the later one is right. Without a content its definition is
 * that of the last one that had it. */
struct leat_durable_schedule {
    uint16_t format;
    uint8_t flags;
    uint8_t overlap;
    uint8_t missed;
    uint8_t zero;
    uint16_t name_bytes;
    uint16_t spec_bytes;
    uint16_t zone_bytes;
    uint32_t version; /* one more with each record of the schedule */
    uint32_t runs_max;
    uint32_t owed;
    uint32_t refusal_status;
    uint32_t content_bytes;
    int64_t done_s;
    uint64_t last_unix_ns;
    uint64_t last_job;
    uint64_t runs;
    uint64_t runs_missed;
    uint64_t runs_overlapped;
    uint64_t refusals;
    /* Of its job, what a content does not have. */
    uint64_t delay_ns;
    uint64_t run_at_ns;
    uint64_t block_ns;
    uint32_t job_flags;
    uint32_t priority;
    uint32_t durability;
    uint32_t zero_too;
};

#define LEAT_DURABLE_TENANT 4u /* beside PAUSED: its limits hold when its tenant is there */

/* What calls have set of a queue. Of two of one queue that with the higher version is right. */
struct leat_durable_tuning {
    uint16_t format;
    uint16_t tuned; /* enum leat_tuned: which of the following */
    uint32_t version;
    uint32_t flags;
    uint32_t running_max;
    uint32_t running_min;
    uint32_t weight;
    uint32_t waiting_max;
    uint32_t full;
    uint64_t waiting_bytes_max;
    uint64_t block_ns;
    struct leat_rate rate;
    struct leat_rate key_rate;
};

/* What of a job never changes. */
struct leat_durable_content {
    uint16_t format;
    uint16_t max_attempts;
    uint16_t type_bytes;
    uint16_t queue_bytes;
    uint16_t name_bytes;
    uint16_t key_bytes;
    uint16_t unique_bytes;
    uint16_t tags_count;
    uint32_t unique_scope;
    uint32_t unique_conflict;
    uint32_t order_priority;
    uint32_t delays_count;
    uint32_t payload_bytes;
    uint32_t retries; /* 1: it has a policy of its own, with the five below */
    uint32_t retry_kind;
    uint32_t retry_jitter;
    uint32_t retry_base;
    uint32_t ties_bytes; /* 0: it has no parents */
    uint64_t retry_delay_ns;
    uint64_t retry_delay_ns_max;
    uint64_t sequence;  /* of its submit: later is more */
    uint64_t submit_ns; /* by the wall clock, as expires_ns is; LEAT_FOREVER: never */
    uint64_t expires_ns;
    uint64_t timeout_ns;
    uint64_t unique_for_ns;
    uint64_t submitter;
};

/* A unique key that is held though its job has ended. */
struct leat_durable_held {
    uint16_t format;
    uint8_t phase; /* how the job ended; 0: not known */
    uint8_t zero;
    uint16_t type_bytes;
    uint16_t key_bytes;
    uint64_t id;
    uint64_t until_ns; /* by the wall clock, as ended_ns is */
    uint64_t ended_ns;
    uint64_t for_ns; /* in all: no open holds it for longer, whatever its clock says */
};

#define LEAT_DURABLE_CLOSED 1u

/* How a cohort is: the last one of it that was appended is right. One that comes with the end of a
 * member is one unit with that. */
struct leat_durable_count {
    uint16_t format;
    uint16_t flags;
    uint32_t number; /* the how many-th of this cohort */
    uint64_t id;
    uint64_t completed; /* members */
    uint64_t dead;
    uint64_t cancelled;
};

/* What it waits for, and what then. */
struct leat_durable_ties {
    uint32_t policy; /* enum leat_parent_policy */
    uint32_t count;
    uint64_t delay_ns; /* from its release on */
    uint64_t run_at_ns;
};

/* One parent. `phase`: as which it had ended before its child was submitted, or 0. While a child
 * waits, the others are in the log. */
struct leat_durable_parent {
    uint64_t id;
    uint64_t phase;
};

/* What it is to cohorts. All zero: nothing. */
struct leat_durable_watch {
    uint64_t member_of; /* id; 0: none */
    uint64_t called_by; /* it comes at the first death of that one */
    uint32_t is_cohort; /* 1: it is one */
    uint32_t progress_every;
};

LEAT_STATIC(sizeof(struct leat_durable_count) == 40, "no padding");
LEAT_STATIC(sizeof(struct leat_durable_held) == 40, "no padding");
LEAT_STATIC(sizeof(struct leat_durable_watch) == 24, "no padding");
LEAT_STATIC(sizeof(struct leat_durable_ties) == 24, "no padding");
LEAT_STATIC(sizeof(struct leat_durable_parent) == 16, "no padding");
LEAT_STATIC(sizeof(struct leat_durable_state) == 56, "no padding");
LEAT_STATIC(sizeof(struct leat_durable_attempt) == 32, "no padding");
LEAT_STATIC(sizeof(struct leat_durable_queue) == 8, "no padding");
LEAT_STATIC(sizeof(struct leat_durable_schedule) == 128, "no padding");
LEAT_STATIC(sizeof(struct leat_durable_tuning) == 96, "no padding");
LEAT_STATIC(sizeof(struct leat_durable_content) == 120, "no padding");

/* A job that is to be written: its options are read, its type and queue are named. */
struct leat_durable_job {
    const struct leat_job *job;
    struct leat_job_options options;
    struct leat_retry_policy retry; /* with options.retry */
    const char *type;
    const char *queue;
    uint64_t sequence;
    uint64_t submit_ns;
    const struct leat_durable_parent *parents;
    uint32_t parents_count;
    struct leat_durable_watch watch;
};

/* LEAT_OK; LEAT_UNSUPPORTED: it has a retry function: that stays here. */
enum leat_status leat_durable_job_read(struct leat_durable_job *read, const struct leat_job *job);
/* Writes all of the content but the payload, which the caller has, where it fits into so many
 * bytes. Returns how many it has; where those are more, what was written says nothing. */
size_t leat_durable_content_put(const struct leat_durable_job *job, unsigned char *to,
                                size_t bytes);

/* A content that was read: the job points into it and into this struct. */
struct leat_durable_found {
    struct leat_job job;
    struct leat_job_options options;
    struct leat_retry_policy retry;
    uint64_t delays_ns[LEAT_RETRY_DELAYS_MAX];
    const char *tags[LEAT_TAGS_MAX];
    uint64_t sequence;
    uint64_t expires_ns;
    uint64_t submit_ns;
    struct leat_durable_ties ties;
    const unsigned char *parents; /* struct leat_durable_parent, not aligned */
    struct leat_durable_watch watch;
    bool plain; /* its options are those by default */
};

struct leat_durable_parent leat_durable_parent_of(const struct leat_durable_found *found,
                                                  uint32_t number);

/* When it was submitted, without the rest. LEAT_CORRUPT. */
enum leat_status leat_durable_sequence_read(uint64_t *sequence, const unsigned char *bytes,
                                            size_t count);
/* LEAT_OK; LEAT_CORRUPT; LEAT_UNSUPPORTED: of a later format. */
enum leat_status leat_durable_content_read(struct leat_durable_found *found,
                                           const unsigned char *bytes, size_t count);

/* A JOB, taken apart. The same answers. */
struct leat_durable_parts {
    struct leat_durable_state state;
    const unsigned char *content;
    const unsigned char *error;
    const unsigned char *result;
    const unsigned char *attempts;
};
enum leat_status leat_durable_parts_read(struct leat_durable_parts *parts,
                                         const unsigned char *data, size_t bytes);

/* The attempts of a JOB, one after the other. */
struct leat_durable_attempts {
    const unsigned char *at;
    size_t left;
};
/* False: there is none, or it is not as it should be. The text is of as many bytes as that says. */
bool leat_durable_attempt_read(struct leat_durable_attempts *attempts,
                               struct leat_durable_attempt *attempt, const char **text);
/* All of them are as they should be. */
bool leat_durable_attempts_check(const unsigned char *bytes, size_t count);

/* The same of a HELD. */
struct leat_durable_held_parts {
    struct leat_durable_held head;
    const char *type;
    const unsigned char *key;
};
enum leat_status leat_durable_held_read(struct leat_durable_held_parts *parts,
                                        const unsigned char *data, size_t bytes);

/* The same of a SCHEDULE: what it does not have is NULL. */
struct leat_durable_schedule_parts {
    struct leat_durable_schedule head;
    const char *name;
    const char *spec;
    const char *zone;
    const unsigned char *content; /* NULL: a step */
};
enum leat_status leat_durable_schedule_parts(struct leat_durable_schedule_parts *parts,
                                             const unsigned char *data, size_t bytes);

#endif
