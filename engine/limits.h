/* limits.h - the engine's limits, each with its reason. */
#ifndef ENGINE_LIMITS_H
#define ENGINE_LIMITS_H

#include "sched/limits.h"

/* Names of types and queues: room for a path-like name, and short enough to copy. */
#define LEAT_NAME_BYTES_MAX 200

/* Handles are 16 bits in the 64-byte record. */
#define LEAT_TYPES_MAX  65535
#define LEAT_QUEUES_MAX 65535

/* Of running_max: as many as there can be jobs; with more than 8 levels, what the word of a gate
 * has room for beside them. */
#if LEAT_PRIORITY_LEVELS > 8
#    define LEAT_RUNNING_MAX 262142U
#else
#    define LEAT_RUNNING_MAX (1u << 26)
#endif

/* Jobs of queues with weights that may stand in the ring, for each worker: enough that it need not
 * admit for each one, few enough that a weight acts soon. */
#define LEAT_WINDOW_PLACES 4

/* Of struct leat_rate: a clock tells nanoseconds, jobs in more are meant as fewer in less; what is
 * rarer than once a year is a schedule; and there are no more jobs. */
#define LEAT_RATE_JOBS_MAX  UINT64_C(1000000000)
#define LEAT_RATE_NS_MAX    (UINT64_C(366) * 24 * 60 * 60 * 1000000000)
#define LEAT_RATE_BURST_MAX (UINT64_C(1) << 26)

/* Attempts are 16 bits in the record. */
#define LEAT_ATTEMPTS_MAX     65535
#define LEAT_ATTEMPTS_DEFAULT 3

/* A longer delay of a retry is a mistake of units. It also keeps a delay and its jitter far from
 * the end of 64 bits. */
#define LEAT_RETRY_NS_MAX (UINT64_C(366) * 24 * 60 * 60 * 1000000000)
/* A list that is longer follows a rule, and a rule is a function. */
#define LEAT_RETRY_DELAYS_MAX 32
#define LEAT_RETRY_BASE_MAX   1000

/* A timeout below a millisecond would be over before anyone has looked twice. */
#define LEAT_TIMEOUT_NS_MIN     UINT64_C(1000000)
#define LEAT_TIMEOUT_NS_MAX     LEAT_RETRY_NS_MAX
#define LEAT_TIMEOUT_NS_DEFAULT (UINT64_C(60) * 1000000000)
/* Each is one more call on a worker's stack, and a list of more is a program of its own. */
#define LEAT_MIDDLEWARES_MAX 32

/* Of batch_max: what a handler of batches puts into one statement or one message. */
#define LEAT_BATCH_MAX 256

/* Of one job: its edges are one block of memory, 1.5 MiB. */
#define LEAT_PARENTS_MAX 65535

/* Runs of leat_run_inline() at once: jobs that run jobs that run jobs end here, and not where the
 * stack does. */
#define LEAT_INLINE_MAX 256

/* In how many parts of a timeout handlers are looked at, and how often at most. */
#define LEAT_WATCH_PARTS  8
#define LEAT_WATCH_NS_MIN UINT64_C(1000000)

/* Of the log's files, where they have a limit: the oldest and its copies, one that is written to,
 * two that are made ahead, and some to be cleaned by turns. */
#define LEAT_LOG_SEGMENTS_MIN 8

/* Larger data belongs in a file that the payload names. */
#define LEAT_PAYLOAD_BYTES_MAX        (UINT32_C(16) << 20)
#define LEAT_PAYLOAD_INLINE_BYTES_MAX 4096
/* Kept in the record itself: a pointer and a length. */
#define LEAT_PAYLOAD_RECORD_BYTES 16

/* What a handler is promised of its payload's address, and a consumer of its buffer's. */
#define LEAT_PAYLOAD_ALIGNMENT 16

/* Of leat_reserve(): longer than a handler's timeout, since a consumer may have taken several. */
#define LEAT_LEASE_NS_DEFAULT (UINT64_C(300) * 1000000000)

#define LEAT_RING_SLOTS_MIN 64
#define LEAT_TASKS_MIN      64
#define LEAT_JOBS_MIN       64

#define LEAT_SPIN_NS_MAX     UINT64_C(1000000)
#define LEAT_TICK_NS_MIN     UINT64_C(10000)
#define LEAT_TICK_NS_MAX     UINT64_C(10000000)
#define LEAT_STACK_BYTES_MIN (UINT64_C(64) << 10)
#define LEAT_STACK_BYTES_MAX (UINT64_C(1) << 30)
#define LEAT_WORKER_NAME_MAX 11
#define LEAT_STARVATION_MAX  1000000
/* Of SCHED_FIFO and SCHED_RR in Linux. */
#define LEAT_REALTIME_MAX      99
#define LEAT_SAMPLE_MAX        1000000
#define LEAT_TRACE_RECORDS_MIN 64
#define LEAT_EVENTS_MIN        64
#define LEAT_LOG_LINES_MAX     1000000
/* Of leat_config.log_key_file: some paths; as long as one may be. */
#define LEAT_LOG_KEY_FILE_BYTES_MAX 4095
#define LEAT_RETAINED_DEFAULT       10000
/* 8 MiB of ids. */
#define LEAT_RETAINED_MAX (UINT32_C(1) << 20)
/* Of what is kept for a time: the age is looked at so often in itself, so it may be exceeded by as
 * much. One mark more than fit into an age is always behind it, and one is being written. */
#define LEAT_BOOK_PARTS 8
#define LEAT_BOOK_MARKS (LEAT_BOOK_PARTS + 2)
/* Shorter is count, not age. */
#define LEAT_AGE_NS_MIN  UINT64_C(1000000000)
#define LEAT_AGE_NS_MAX  LEAT_RETRY_NS_MAX
#define LEAT_ERROR_BYTES 256
/* As many as there are names. Each takes 32 bytes of every worker's place, and some pages of 4 KiB
 * as its jobs are timed. */
#define LEAT_STATISTICS_ROWS_MAX 65535
/* A worker's time is told to a millisecond. */
#define LEAT_STUCK_NS_MIN UINT64_C(10000000)
/* A job that has crashed a process so often will do it again. */
#define LEAT_QUARANTINE_MAX 1000

/* How often thresholds are looked at: a look goes over all workers' counters. And how far from what
 * is usual: beyond 100 standard deviations all is. */
#define LEAT_THRESHOLD_NS_MIN     UINT64_C(10000000)
#define LEAT_THRESHOLD_NS_MAX     (UINT64_C(24) * 60 * 60 * 1000000000)
#define LEAT_THRESHOLD_SIGMAS_MAX 100

/* So often at most it is looked for jobs that have expired, and so late they may be found: an
 * expiry is a matter of seconds. Records that are looked at without going on to other clocks: some
 * ten microseconds. */
#define LEAT_SWEEP_NS      UINT64_C(1000000000)
#define LEAT_SWEEP_RECORDS 1024

/* Records beyond these are given back when they are free: those of so many, with payloads, are some
 * ten MiB, which nobody misses. Some seconds after they were used, later where they are used again
 * and again; where they would be less than a part of what was there once, not at all. In steps of
 * some hundred microseconds. */
#define LEAT_TRIM_RECORDS (UINT32_C(1) << 17)
#define LEAT_TRIM_NS      UINT64_C(4000000000)
#define LEAT_TRIM_NS_MAX  (LEAT_TRIM_NS << 6)
#define LEAT_TRIM_PART    16
#define LEAT_TRIM_STEP    16384

/* Where memory has a cap: this part of it is kept for what accepted jobs say; it is looked at so
 * often; so many kept jobs are let go in one go, some hundred microseconds; where less by such a
 * part is used than there was, memory is given back; who waits for memory looks so often; and so
 * many jobs of a queue are dropped for one that needs memory, at most. */
#define LEAT_FOOTPRINT_KEPT     16
#define LEAT_FOOTPRINT_LOOK_NS  UINT64_C(500000000)
#define LEAT_FOOTPRINT_STEP     1024
#define LEAT_FOOTPRINT_FALL     4
#define LEAT_FOOTPRINT_AGAIN_NS UINT64_C(5000000)
#define LEAT_FOOTPRINT_DROPS    1024
/* Of memory_soft_percent, where nothing is set: room to let go of what is kept before a submit is
 * refused. */
#define LEAT_FOOTPRINT_SOFT_DEFAULT 80

/* After so many jobs that ended or were cancelled while a wheel had them, a worker is told to take
 * their records off: few beside the 16 384 places of a ring, and a wake-up for each 64 is cheap. */
#define LEAT_TIMERS_OFF 64

/* Of a key that jobs run one at a time by: a path, or some ids. */
#define LEAT_KEY_BYTES_MAX 128
/* Parts of their table, for each of which one thread answers: some for each thread of a machine. */
#define LEAT_KEYS_STRIPES 64
/* Records for each bucket: chains are so long where each of them has a key of its own. And buckets
 * at most: 8 MiB. */
#define LEAT_KEYS_LOAD        4
#define LEAT_KEYS_BUCKETS_MAX (UINT32_C(1) << 20)
/* Buckets of keys that are not full, where there are as many jobs: 192 MiB. And when a key that has
 * found no room for its bucket looks again: nobody counts on rates at that limit. */
#define LEAT_KEYS_RATED_MAX (UINT32_C(1) << 20)
#define LEAT_KEYS_ROOM_NS   UINT64_C(10000000)
/* The window of a circuit breaker: a bit for each attempt; or so many parts of a time, so that it
 * forgets an eighth at once. */
#define LEAT_BREAKER_CALLS_MAX 1024
#define LEAT_BREAKER_SLICES    8

/* Threads that look at one job at once: 8 bits of its word. */
#define LEAT_HOLDS_MAX 255
/* Two are left: for whoever makes a job wait for a time, and for its end. */
#define LEAT_HOLDS_TO_COMPLETE 253
/* The last ones are for completions: those who wait for a job must not keep it from ending. */
#define LEAT_HOLDS_TO_LOOK 239

/* Pieces of a parallel loop for each worker, where no grain is given: what the others wait for at
 * the end is then less than 2 % of the work, if all of it is alike. */
#define LEAT_PIECES 64

/* How often a drain by a lent thread looks for work that others brought: rarely enough to sleep,
 * soon enough for a person. */
#define LEAT_LENT_LOOK_NS UINT64_C(1000000)

/* Futexes that waiters of leat_wait() share, by record: enough that a wake rarely wakes others. */
#define LEAT_BELLS 64

/* Records that a page of a list looks at: some hundred microseconds; and at most: all there can be.
 */
#define LEAT_LOOK_DEFAULT 16384
#define LEAT_LOOK_MAX     (UINT32_C(1) << 26)

/* Completion queues of an engine: one for each event loop, and more loops than workers are of no
 * use. */
#define LEAT_COMPLETION_QUEUES_MAX 256
/* They stand in rings. */
#define LEAT_COMPLETION_SLOTS_MAX (UINT32_C(1) << LEAT_RING_SLOTS_LOG2_MAX)

/* More than any list of schedules that people keep; each takes about 1 KiB. */
#define LEAT_SCHEDULES_MAX 65535
/* Jobs of one schedule that wait to be submitted, and moments that are counted or listed at once:
 * less than a millisecond of computing. */
#define LEAT_SCHEDULE_RUNS_MAX 1000
/* So late may a moment be served and still count as on time: a machine under load, a clock that is
 * put right by some seconds. */
#define LEAT_SCHEDULE_LATE_S 60
/* A clock that is set back by more than a day was wrong before; by less, it is not known which of
 * the two times was right. */
#define LEAT_SCHEDULE_BACK_S INT64_C(86400)
/* When a schedule looks again whether its job has ended, or is taken: each time after twice as long
 * as before, so that it waits for at most as long again as it had to. */
#define LEAT_SCHEDULE_AGAIN_NS_MIN UINT64_C(10000000)
#define LEAT_SCHEDULE_AGAIN_NS_MAX UINT64_C(1000000000)
/* How often it is looked whether the files of zones have changed: governments announce a change
 * days before, at the shortest. */
#define LEAT_SCHEDULE_ZONES_NS (UINT64_C(300) * 1000000000)
/* Schedules that are served without letting go of the mutex: some ten microseconds. */
#define LEAT_SCHEDULE_BATCH 64

/* Of a file of settings: a thousand queues with some lines each. */
#define LEAT_SETTINGS_BYTES_MAX 65536

LEAT_STATIC(LEAT_RETRY_NS_MAX <= UINT64_MAX / 200, "a delay and its jitter, in percent, fit");
LEAT_STATIC(LEAT_TYPES_MAX <= UINT16_MAX, "the record has 16 bits for the type");
LEAT_STATIC(LEAT_QUEUES_MAX <= UINT16_MAX, "the record has 16 bits for the queue");

#endif
