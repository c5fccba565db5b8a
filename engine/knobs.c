/* knobs.c - the table of all knobs, and what is found in it by name. See knobs.h. */
#include "engine/knobs.h"

#include "engine/wal/crew.h"
#include "engine/wal/wal.h"

#include <string.h>

#include "ring/limits.h"
#include "ring/mpmc.h"

static const char *const pinnings[] = {"none", "set", "one", NULL};
static const char *const schedulings[] = {"inherit", "fifo", "round_robin", NULL};
static const char *const fulls[] = {"reject", "block", "drop_oldest", NULL};
static const char *const traces[] = {"off", "sampling", "full", NULL};
static const char *const durabilities[] = {"", "none", "os", "group", NULL};
static const char *const syncs[] = {"fdatasync", "dsync", "io_uring", NULL};
static const char *const compressions[] = {"none", "lz4", NULL};
static const char *const levels[] = {"debug", "info", "warning", "error", NULL};
static const char *const orders[] = {"fifo", "exact", NULL};
/* A list and a function are said in the program. */
static const char *const retries[] = {"quartic", "fixed", "", "exponential", NULL};
static const char *const rings[] = {"", "packed", "turn", "ticket", "scq", NULL};
static const char *const allocators[] = {"system", "jemalloc", NULL};

#define SIZE_OF(type, field) (sizeof(((struct type *)NULL)->field))

#define ENGINE(field)                                                                              \
    .scope = LEAT_KNOB_ENGINE, .name = #field, .offset = offsetof(struct leat_config, field),      \
    .bytes = SIZE_OF(leat_config, field)
#define QUEUE(field)                                                                               \
    .scope = LEAT_KNOB_QUEUE, .name = #field,                                                      \
    .offset = offsetof(struct leat_queue_options, field),                                          \
    .bytes = SIZE_OF(leat_queue_options, field)
#define TYPE(field)                                                                                \
    .scope = LEAT_KNOB_TYPE, .name = #field, .offset = offsetof(struct leat_type_options, field),  \
    .bytes = SIZE_OF(leat_type_options, field)
#define RETRY(field)                                                                               \
    .scope = LEAT_KNOB_TYPE, .part = LEAT_PART_RETRY, .name = "retry_" #field,                     \
    .offset = offsetof(struct leat_retry_policy, field),                                           \
    .bytes = SIZE_OF(leat_retry_policy, field)
#define BREAKER(field)                                                                             \
    .scope = LEAT_KNOB_TYPE, .part = LEAT_PART_BREAKER, .name = "breaker_" #field,                 \
    .offset = offsetof(struct leat_breaker_options, field),                                        \
    .bytes = SIZE_OF(leat_breaker_options, field)
/* Of CMake, or of a limits.h. */
#define BUILD(macro)    .scope = LEAT_KNOB_BUILD, .name = #macro, .built = macro
#define RANGE(from, to) .least = (from), .most = (to)

static const struct leat_knob knobs[] = {
    /* ---- of an engine ---- */
    {ENGINE(workers), .benchmark = "knob_workers", RANGE(0, LEAT_WORKERS_MAX),
     .live = LEAT_LIVE_WORKERS, .fallback = "one per allowed CPU",
     .text = "Threads that run the work; with 0 the host lends its own."},
    {ENGINE(lenders_max), RANGE(1, LEAT_WORKERS_MAX),
     .text = "Threads that the host may lend at once, where there are no workers."},
    {ENGINE(pinning), .benchmark = "knob_pinning", .kind = LEAT_KNOB_WORD, .words = pinnings,
     RANGE(0, LEAT_PIN_ONE), .text = "Whether workers stay on their CPUs."},
    {ENGINE(starvation_picks), .benchmark = "knob_starvation_picks", RANGE(2, LEAT_STARVATION_MAX),
     .also = LEAT_KNOB_OR_ZERO,
     .text = "Every so many picks a less urgent level is served; 0 is strict."},
    {ENGINE(spin_ns), .benchmark = "knob_spin_ns", .kind = LEAT_KNOB_DURATION,
     RANGE(0, LEAT_SPIN_NS_MAX),
     .text = "How long a worker looks for work before it sleeps: latency for CPU time."},
    {ENGINE(tick_ns), .benchmark = "knob_tick_ns", .kind = LEAT_KNOB_DURATION,
     RANGE(LEAT_TICK_NS_MIN, LEAT_TICK_NS_MAX), .also = LEAT_KNOB_OR_ZERO,
     .text = "A thread wakes workers so often, and no submit makes a system call."},
    {ENGINE(worker_stack_bytes), .kind = LEAT_KNOB_SIZE,
     RANGE(LEAT_STACK_BYTES_MIN, LEAT_STACK_BYTES_MAX), .also = LEAT_KNOB_OR_ZERO,
     .text = "The stack of a worker; 0 is the system's default."},
    {ENGINE(worker_name), .kind = LEAT_KNOB_TEXT, RANGE(1, LEAT_WORKER_NAME_MAX),
     .text = "How the names of the threads begin."},
    {ENGINE(busy_poll), .benchmark = "knob_busy_poll", .kind = LEAT_KNOB_SWITCH, RANGE(0, 1),
     .text = "Workers never sleep: for CPUs that nobody else needs."},
    {ENGINE(ring_slots), .benchmark = "knob_ring_slots",
     RANGE(LEAT_RING_SLOTS_MIN, UINT64_C(1) << LEAT_RING_SLOTS_LOG2_MAX),
     .also = LEAT_KNOB_POWER_OF_TWO,
     .text = "Places of each level's ring; what finds none waits in lists behind it."},
    {ENGINE(tasks_max), .benchmark = "knob_tasks_max", RANGE(LEAT_TASKS_MIN, LEAT_RECORDS_MAX),
     .text = "Tasks that are posted and not yet begun."},
    {ENGINE(jobs_max), .benchmark = "knob_jobs_max", RANGE(LEAT_JOBS_MIN, LEAT_RECORDS_MAX),
     .text = "Jobs that wait, run or are kept; memory is taken as they are used."},
    {ENGINE(payload_bytes_max), .kind = LEAT_KNOB_SIZE, RANGE(0, LEAT_PAYLOAD_BYTES_MAX),
     .text = "The longest payload, and the longest result."},
    {ENGINE(payload_bytes_inline), .benchmark = "knob_payload_bytes_inline", .kind = LEAT_KNOB_SIZE,
     RANGE(0, LEAT_PAYLOAD_INLINE_BYTES_MAX), .also = LEAT_KNOB_MULTIPLE,
     .text = "A payload up to this takes no allocation; each record has the room for it."},
    {ENGINE(types_max), RANGE(1, LEAT_TYPES_MAX), .text = "Types of jobs."},
    {ENGINE(queues_max), RANGE(1, LEAT_QUEUES_MAX), .text = "Queues."},
    {ENGINE(retained_max), .benchmark = "knob_retained_max", RANGE(0, LEAT_RETAINED_MAX),
     .also = LEAT_KNOB_OR_AUTO,
     .text = "Completed and cancelled jobs that are kept; at most jobs_max."},
    {ENGINE(dead_max), RANGE(0, LEAT_RETAINED_MAX), .also = LEAT_KNOB_OR_AUTO,
     .text = "Dead letters that are kept; at most jobs_max."},
    {ENGINE(sample_interval), .benchmark = "knob_sample_interval", RANGE(1, LEAT_SAMPLE_MAX),
     .also = LEAT_KNOB_OR_ZERO, .live = LEAT_LIVE_SAMPLE,
     .text = "One job in so many is timed; 0 is none."},
    {ENGINE(prefault), .benchmark = "knob_prefault", .kind = LEAT_KNOB_SWITCH, RANGE(0, 1),
     .text = "Rings and records are touched at open, so no job meets a page fault."},
    {ENGINE(lock_memory), .benchmark = "knob_lock_memory", .kind = LEAT_KNOB_SWITCH, RANGE(0, 1),
     .text = "Rings and records are never swapped out."},
    {ENGINE(huge_pages), .benchmark = "knob_huge_pages", .kind = LEAT_KNOB_SWITCH, RANGE(0, 1),
     .text = "Transparent huge pages are asked for."},
    {ENGINE(log_directory), .kind = LEAT_KNOB_TEXT, RANGE(1, 4095), .also = LEAT_KNOB_OR_ZERO,
     .text = "Where the log stands; none is no log."},
    {ENGINE(durability), .kind = LEAT_KNOB_WORD, .words = durabilities,
     RANGE(LEAT_DURABILITY_NONE, LEAT_DURABILITY_GROUP), .also = LEAT_KNOB_OF_LOG,
     .text = "What an answered submit is worth, where there is a log."},
    {ENGINE(log_segment_bytes), .kind = LEAT_KNOB_SIZE,
     RANGE(LEAT_WAL_SEGMENT_BYTES_MIN, LEAT_WAL_SEGMENT_BYTES_MAX), .also = LEAT_KNOB_OF_LOG,
     .text = "Bytes of a file of the log; a multiple of 64 KiB."},
    {ENGINE(log_ring_bytes), .kind = LEAT_KNOB_SIZE,
     RANGE(LEAT_WAL_RING_BYTES_MIN, LEAT_WAL_RING_BYTES_MAX),
     .also = LEAT_KNOB_POWER_OF_TWO | LEAT_KNOB_OF_LOG,
     .text = "Between submits and the disk; at most half of log_segment_bytes."},
    {ENGINE(log_compression), .kind = LEAT_KNOB_WORD, .words = compressions,
     RANGE(0, LEAT_LOG_COMPRESSION_LZ4), .also = LEAT_KNOB_OF_LOG,
     .text = "How what is stored of jobs is made smaller; lz4 wants a build with it."},
    {ENGINE(log_key_file), .kind = LEAT_KNOB_TEXT, RANGE(1, LEAT_LOG_KEY_FILE_BYTES_MAX),
     .also = LEAT_KNOB_OR_ZERO | LEAT_KNOB_OF_LOG,
     .text = "The file of the key that the log is encrypted with, and older ones behind a colon."},
    {ENGINE(log_takes_plain), .kind = LEAT_KNOB_SWITCH, RANGE(0, 1), .also = LEAT_KNOB_OF_LOG,
     .text = "With a key: what was written without one is taken in."},
    {ENGINE(log_bytes_max), .kind = LEAT_KNOB_SIZE, RANGE(0, UINT64_MAX), .also = LEAT_KNOB_OF_LOG,
     .text = "Bytes of the log's files, at least 8 log_segment_bytes; 0 is no limit."},
    {ENGINE(log_sync), .kind = LEAT_KNOB_WORD, .words = syncs, RANGE(0, LEAT_LOG_SYNC_IO_URING),
     .also = LEAT_KNOB_OF_LOG,
     .text =
         "How a batch of the log gets to the disk: a write and a sync, a write through, or both "
         "by one call; io_uring wants a build with it."},
    {ENGINE(log_read_threads), RANGE(0, LEAT_WAL_CREW_MAX), .also = LEAT_KNOB_OF_LOG,
     .text = "Threads that read the log at an open."},
    {ENGINE(workers_max), RANGE(0, LEAT_WORKERS_MAX), .also = LEAT_KNOB_OR_AUTO,
     .text = "Places for workers, of which `workers` are at work; at least as many."},
    {ENGINE(scheduling), .benchmark = "knob_scheduling", .kind = LEAT_KNOB_WORD,
     .words = schedulings, RANGE(0, LEAT_SCHEDULING_ROUND_ROBIN),
     .text = "The system's scheduling of workers."},
    {ENGINE(scheduling_priority), .benchmark = "knob_scheduling", RANGE(0, LEAT_REALTIME_MAX),
     .text = "Their priority: from 1 on where scheduling is fifo or round_robin, else 0."},
    {ENGINE(timer_tick_log2), .benchmark = "knob_timer_tick_log2",
     RANGE(LEAT_WHEEL_TICK_LOG2_MIN, LEAT_WHEEL_TICK_LOG2_MAX),
     .text = "What waits for a time comes due in steps of 2^this nanoseconds."},
    {ENGINE(schedules_max), RANGE(1, LEAT_SCHEDULES_MAX), .text = "Schedules."},
    {ENGINE(inline_mode), .kind = LEAT_KNOB_SWITCH, RANGE(0, 1),
     .text = "A submit runs its job before it returns: for tests."},
    {ENGINE(retained_age_ns), .kind = LEAT_KNOB_DURATION, RANGE(LEAT_AGE_NS_MIN, LEAT_AGE_NS_MAX),
     .also = LEAT_KNOB_OR_ZERO, .live = LEAT_LIVE_RETAINED_AGE,
     .text = "For how long completed and cancelled jobs are kept; 0 is no limit."},
    {ENGINE(dead_age_ns), .kind = LEAT_KNOB_DURATION, RANGE(LEAT_AGE_NS_MIN, LEAT_AGE_NS_MAX),
     .also = LEAT_KNOB_OR_ZERO, .live = LEAT_LIVE_DEAD_AGE,
     .text = "For how long dead letters are kept; 0 is no limit."},
    {ENGINE(quarantine_after), RANGE(0, LEAT_QUARANTINE_MAX),
     .text = "A job that ran in so many processes that crashed goes dead; 0 is never."},
    {ENGINE(payload_bytes_total_max), .kind = LEAT_KNOB_SIZE, RANGE(0, UINT64_MAX),
     .live = LEAT_LIVE_PAYLOADS,
     .text = "Bytes of all payloads that are not inline; 0 is no limit."},
    {ENGINE(trace), .benchmark = "knob_trace", .kind = LEAT_KNOB_WORD, .words = traces,
     RANGE(0, LEAT_TRACE_FULL), .live = LEAT_LIVE_TRACE,
     .text = "Whose attempts are recorded: nobody's, of timed jobs, all."},
    {ENGINE(trace_records), .benchmark = "knob_trace_records",
     RANGE(LEAT_TRACE_RECORDS_MIN, UINT64_C(1) << LEAT_FLIGHT_SLOTS_LOG2_MAX),
     .also = LEAT_KNOB_OR_ZERO | LEAT_KNOB_POWER_OF_TWO,
     .text = "Records of each worker's flight recorder; 0 is none."},
    {ENGINE(log_level), .kind = LEAT_KNOB_WORD, .words = levels, RANGE(0, LEAT_LOG_ERROR),
     .text = "Log lines below it are dropped."},
    {ENGINE(log_lines_per_s), RANGE(0, LEAT_LOG_LINES_MAX),
     .text = "Log lines that pass in a second; 0 is no limit."},
    {ENGINE(event_mask), .benchmark = "knob_event_mask", RANGE(0, LEAT_EVENTS_ALL),
     .live = LEAT_LIVE_EVENTS, .text = "The kinds of events that the sink is told, a bit each."},
    {ENGINE(events_max), RANGE(LEAT_EVENTS_MIN, UINT64_C(1) << LEAT_RING_SLOTS_LOG2_MAX),
     .also = LEAT_KNOB_POWER_OF_TWO, .text = "Events that wait for the sink; others are dropped."},
    {ENGINE(threshold_period_ns), .kind = LEAT_KNOB_DURATION,
     RANGE(LEAT_THRESHOLD_NS_MIN, LEAT_THRESHOLD_NS_MAX), .live = LEAT_LIVE_THRESHOLD_PERIOD,
     .text = "How often thresholds are looked at, where there are some."},
    {ENGINE(threshold_dead), RANGE(0, UINT32_MAX), .live = LEAT_LIVE_THRESHOLD_DEAD,
     .text = "Above so many dead letters there is an event; 0 is none."},
    {ENGINE(threshold_waiting), RANGE(0, UINT32_MAX), .live = LEAT_LIVE_THRESHOLD_WAITING,
     .text = "Above so many jobs that wait there is an event; 0 is none."},
    {ENGINE(threshold_failures), RANGE(0, LEAT_THRESHOLD_SIGMAS_MAX),
     .live = LEAT_LIVE_THRESHOLD_FAILURES,
     .text =
         "So many standard deviations above the usual share of failures is an event; 0 is none."},
    {ENGINE(threshold_oldest_ns), .kind = LEAT_KNOB_DURATION,
     RANGE(LEAT_THRESHOLD_NS_MIN, LEAT_RETRY_NS_MAX), .also = LEAT_KNOB_OR_ZERO,
     .live = LEAT_LIVE_THRESHOLD_OLDEST,
     .text = "Where a job waits for a worker for longer there is an event; 0 is none."},
    {ENGINE(memory_max), .kind = LEAT_KNOB_SIZE, RANGE(0, UINT64_MAX), .live = LEAT_LIVE_MEMORY,
     .text = "Bytes of memory of the whole engine; 0 is no limit."},
    {ENGINE(memory_soft_percent), RANGE(1, 100), .live = LEAT_LIVE_MEMORY_MARK,
     .text = "Above so much of memory_max ended jobs are let go, and there is an event."},
    {ENGINE(statistics_rows), .benchmark = "knob_statistics_rows",
     RANGE(0, LEAT_STATISTICS_ROWS_MAX),
     .text = "Queues, and types, with statistics of their own; the others share a row."},
    {ENGINE(stuck_ns), .benchmark = "knob_stuck_ns", .kind = LEAT_KNOB_DURATION,
     RANGE(LEAT_STUCK_NS_MIN, LEAT_RETRY_NS_MAX), .also = LEAT_KNOB_OR_ZERO,
     .text = "A worker that is in one task or handler for so long is stuck; 0 is never."},
    {ENGINE(systemd_notify), .kind = LEAT_KNOB_SWITCH, RANGE(0, 1),
     .text = "The service manager is told of start, stop and health; its watchdog is fed."},

    /* ---- of a queue ---- */
    {QUEUE(priority), .benchmark = "knob_queue_priority", RANGE(0, LEAT_PRIORITY_LEVELS - 1),
     .text = "The level of its jobs that name none; 0 is most urgent."},
    {QUEUE(running_max), .benchmark = "knob_queue_running_max", RANGE(0, LEAT_RUNNING_MAX),
     .live = LEAT_LIVE_RUNNING_MAX, .text = "Its attempts at once; 0 is no cap."},
    {QUEUE(waiting_max), .benchmark = "knob_queue_waiting_max", RANGE(0, UINT32_MAX),
     .live = LEAT_LIVE_LIMIT, .text = "Its jobs that wait; 0 is no limit."},
    {QUEUE(rate), .benchmark = "knob_queue_rate", .kind = LEAT_KNOB_RATE, .live = LEAT_LIVE_RATE,
     .text = "How many of its attempts begin in a time."},
    {QUEUE(key_rate), .benchmark = "knob_queue_key_rate", .kind = LEAT_KNOB_RATE,
     .live = LEAT_LIVE_KEY_RATE, .text = "How many attempts of each key begin in a time."},
    {QUEUE(running_min), .benchmark = "knob_queue_running_min", RANGE(0, LEAT_WORKERS_MAX),
     .live = LEAT_LIVE_RUNNING_MIN, .text = "Workers' places that are kept for its jobs."},
    {QUEUE(weight), .benchmark = "knob_queue_weight", RANGE(1, LEAT_WEIGHT_MAX),
     .also = LEAT_KNOB_OR_ZERO, .live = LEAT_LIVE_WEIGHT,
     .text =
         "Its share beside other queues that wait; 0 is none, and cannot be set while it runs."},
    {QUEUE(order), .benchmark = "knob_queue_order", .kind = LEAT_KNOB_WORD, .words = orders,
     RANGE(0, LEAT_ORDER_EXACT),
     .text = "Whether its jobs begin in the exact order of their order_priority."},
    {QUEUE(pull), .benchmark = "knob_queue_pull", .kind = LEAT_KNOB_SWITCH, RANGE(0, 1),
     .text = "Consumers take its jobs, and workers never do."},
    {QUEUE(full), .benchmark = "knob_queue_full", .kind = LEAT_KNOB_WORD, .words = fulls,
     RANGE(0, LEAT_FULL_DROP_OLDEST), .live = LEAT_LIVE_LIMIT,
     .text = "What a submit does that finds a limit reached."},
    {QUEUE(waiting_bytes_max), .benchmark = "knob_queue_waiting_bytes_max", .kind = LEAT_KNOB_SIZE,
     RANGE(0, UINT64_MAX), .live = LEAT_LIVE_LIMIT,
     .text = "Bytes of the payloads that wait in it; 0 is no limit."},
    {QUEUE(block_ns), .kind = LEAT_KNOB_DURATION, RANGE(0, UINT64_MAX - 1),
     .also = LEAT_KNOB_OR_FOREVER, .live = LEAT_LIVE_LIMIT,
     .text = "How long a submit waits for room, where full is block."},

    /* ---- of a type ---- */
    {TYPE(max_attempts), RANGE(1, LEAT_ATTEMPTS_MAX), .text = "Runs of a job that fails."},
    {TYPE(running_max), .benchmark = "knob_type_running_max", RANGE(0, LEAT_RUNNING_MAX),
     .live = LEAT_LIVE_RUNNING_MAX, .text = "Its attempts at once; 0 is no cap."},
    {TYPE(timeout_ns), .benchmark = "knob_type_timeout_ns", .kind = LEAT_KNOB_DURATION,
     RANGE(LEAT_TIMEOUT_NS_MIN, LEAT_TIMEOUT_NS_MAX), .also = LEAT_KNOB_OR_ZERO,
     .text = "The time of one attempt; 0 is no limit."},
    {TYPE(batch_delay_ns), .kind = LEAT_KNOB_DURATION, RANGE(0, LEAT_RETRY_NS_MAX),
     .text = "How long a batch waits to be full; 0 where its handler takes no batches."},
    {TYPE(batch_max), .benchmark = "knob_type_batch_max", RANGE(1, LEAT_BATCH_MAX),
     .also = LEAT_KNOB_OR_ZERO, .text = "Jobs of a batch; 0 where its handler takes no batches."},
    {TYPE(rate), .benchmark = "knob_type_rate", .kind = LEAT_KNOB_RATE, .live = LEAT_LIVE_RATE,
     .text = "How many of its attempts begin in a time."},
    {TYPE(key_rate), .benchmark = "knob_type_key_rate", .kind = LEAT_KNOB_RATE,
     .live = LEAT_LIVE_KEY_RATE, .text = "How many attempts of each key begin in a time."},
    {TYPE(running_min), .benchmark = "knob_type_running_min", RANGE(0, LEAT_WORKERS_MAX),
     .live = LEAT_LIVE_RUNNING_MIN, .text = "Workers' places that are kept for its jobs."},
    {RETRY(kind), .kind = LEAT_KNOB_WORD, .words = retries, RANGE(0, LEAT_RETRY_EXPONENTIAL),
     .text = "How the delay grows from one attempt to the next."},
    {RETRY(jitter_percent), RANGE(0, 100), .also = LEAT_KNOB_OR_AUTO,
     .text = "How far delays are spread; auto is 10 where kind is quartic, else 0."},
    {RETRY(delay_ns), .kind = LEAT_KNOB_DURATION, RANGE(0, LEAT_RETRY_NS_MAX),
     .text = "The first delay; 0 only where kind is fixed."},
    {RETRY(delay_ns_max), .kind = LEAT_KNOB_DURATION, RANGE(1, LEAT_RETRY_NS_MAX),
     .text = "The longest delay."},
    {RETRY(base), RANGE(2, LEAT_RETRY_BASE_MAX),
     .text = "Each delay is so many times the last one, where kind is exponential."},
    {BREAKER(failure_percent), RANGE(1, 100),
     .text = "Attempts that fail, from which on the type is shut for a while."},
    {BREAKER(calls_min), RANGE(1, LEAT_BREAKER_CALLS_MAX),
     .text = "With fewer attempts in the window it stays open to all."},
    {BREAKER(window_calls), .benchmark = "knob_type_breaker_window_calls",
     RANGE(1, LEAT_BREAKER_CALLS_MAX),
     .text = "The last so many attempts count; at least breaker_calls_min."},
    {BREAKER(probes), RANGE(1, LEAT_BREAKER_CALLS_MAX),
     .text = "Attempts that must succeed before it is open to all again."},
    {BREAKER(window_ns), .benchmark = "knob_type_breaker_window_ns", .kind = LEAT_KNOB_DURATION,
     RANGE(LEAT_TIMEOUT_NS_MIN, LEAT_TIMEOUT_NS_MAX), .also = LEAT_KNOB_OR_ZERO,
     .text = "Attempts of the last so long count instead; 0 is by number."},
    {BREAKER(open_ns), .kind = LEAT_KNOB_DURATION, RANGE(LEAT_TIMEOUT_NS_MIN, LEAT_TIMEOUT_NS_MAX),
     .text = "For how long it is shut."},

    /* ---- of a build: CMake ---- */
    {BUILD(LEAT_RING), .benchmark = "knob_LEAT_RING", .kind = LEAT_KNOB_WORD, .words = rings,
     RANGE(1, LEAT_RING_SCQ), .fallback = "packed", .text = "CMake: the ring of the library."},
    {BUILD(LEAT_ALLOCATOR_JEMALLOC), .benchmark = "knob_LEAT_ALLOCATOR_JEMALLOC",
     .kind = LEAT_KNOB_WORD, .words = allocators, RANGE(0, 1), .fallback = "jemalloc",
     .text = "CMake, as LEAT_ALLOCATOR: the library's own memory."},
    {BUILD(LEAT_PRIORITY_LEVELS), .benchmark = "knob_LEAT_PRIORITY_LEVELS",
     RANGE(1, LEAT_PRIORITY_LEVELS_MAX), .fallback = "8", .text = "CMake: levels of urgency."},
    {BUILD(LEAT_SLOW_CHECKS), .benchmark = "knob_LEAT_SLOW_CHECKS", .kind = LEAT_KNOB_SWITCH,
     RANGE(0, 1), .fallback = "false", .text = "CMake: assertions that cost on hot paths."},

    /* ---- of a build: ring/limits.h, sched/limits.h, engine/limits.h ---- */
    {BUILD(LEAT_CHUNK_ITEMS),
     .text = "ring: items of a batch that take one place of a ring; as many as fill a line."},
    {BUILD(LEAT_LOCAL_SLOTS_LOG2), .benchmark = "knob_LEAT_LOCAL_SLOTS_LOG2",
     .text = "ring: places of a worker's local queue, as a power of two."},
    {BUILD(LEAT_SLAB_ROTATION), .benchmark = "knob_LEAT_SLAB_ROTATION",
     .text = "ring: records that are used before one is used again."},
    {BUILD(LEAT_SLAB_UNIT_LOG2),
     .text = "ring: records whose memory is given back together, as a power of two."},
    {BUILD(LEAT_SLAB_RUN), .text = "ring: so many of these are given back by one system call."},
    {BUILD(LEAT_SLAB_SHARDS_MAX), .benchmark = "knob_LEAT_SLAB_SHARDS_MAX",
     .text = "ring: free lists of records, by CPU."},
    {BUILD(LEAT_SPAWN_SLOTS_LOG2), .benchmark = "knob_LEAT_SPAWN_SLOTS_LOG2",
     .text = "sched: places of a worker's spawned tasks, as a power of two."},
    {BUILD(LEAT_STOLEN_SHORT_NS), .benchmark = "knob_LEAT_STOLEN_SHORT_NS",
     .kind = LEAT_KNOB_DURATION,
     .text = "sched: who steals a task that is shorter leaves its owner alone for a while."},
    {BUILD(LEAT_STOLEN_REST_NS), .benchmark = "knob_LEAT_STOLEN_REST_NS",
     .kind = LEAT_KNOB_DURATION, .text = "sched: for how long."},
    {BUILD(LEAT_JOIN_ROUNDS), .benchmark = "knob_LEAT_JOIN_ROUNDS",
     .text = "sched: looks of who waits for a group before it sleeps."},
    {BUILD(LEAT_JOIN_PAUSES), .benchmark = "knob_LEAT_JOIN_PAUSES",
     .text = "sched: pauses between two of these looks."},
    {BUILD(LEAT_CLAIM_MAX), .benchmark = "knob_LEAT_CLAIM_MAX",
     .text = "sched: items that a worker takes from a ring at once."},
    {BUILD(LEAT_CLAIM_NS), .benchmark = "knob_LEAT_CLAIM_NS", .kind = LEAT_KNOB_DURATION,
     .text = "sched: it takes fewer where those before lasted longer in all."},
    {BUILD(LEAT_CLAIM_EVERY), .benchmark = "knob_LEAT_CLAIM_EVERY",
     .text = "sched: how often it looks whether it may take more."},
    {BUILD(LEAT_ADMIT_MOVES), .benchmark = "knob_LEAT_ADMIT_MOVES",
     .text = "sched: records that one admits from lists at once."},
    {BUILD(LEAT_ADMIT_TURN), .benchmark = "knob_LEAT_ADMIT_TURN",
     .text = "sched: jobs of one queue before the next one's."},
    {BUILD(LEAT_ADMIT_EVERY), .benchmark = "knob_LEAT_ADMIT_EVERY",
     .text = "sched: picks for one that admits though there is work."},
    {BUILD(LEAT_ZOMBIES_MIN), .text = "sched: cancelled jobs that may stay in a list."},
    {BUILD(LEAT_WAKE_AGAIN), .benchmark = "knob_LEAT_WAKE_AGAIN",
     .text = "sched: pushes for one wake-up that is repeated."},
    {BUILD(LEAT_ROB_EVERY), .benchmark = "knob_LEAT_ROB_EVERY",
     .text = "sched: ways to a ring for one to the others' queues."},
    {BUILD(LEAT_SPENT_MAX), .benchmark = "knob_LEAT_SPENT_MAX",
     .text = "sched: records of tasks, and blocks of batches, that are given back at once."},
    {BUILD(LEAT_SPIN_PARTS), .benchmark = "knob_LEAT_SPIN_PARTS",
     .text = "sched: where looking begins to pay, the part of spin_ns."},
    {BUILD(LEAT_SPIN_ROUNDS), .benchmark = "knob_LEAT_SPIN_ROUNDS",
     .text = "sched: rounds of a spin for one look at the clock."},
    {BUILD(LEAT_WHEEL_SLOTS_LOG2), .benchmark = "knob_LEAT_WHEEL_SLOTS_LOG2",
     .text = "sched: slots of a level of a timing wheel, as a power of two."},
    {BUILD(LEAT_WHEEL_BLOCK_LOG2), .benchmark = "knob_LEAT_WHEEL_BLOCK_LOG2",
     .text = "sched: words of a block of timers, as a power of two."},
    {BUILD(LEAT_WHEEL_NODES_MAX), .benchmark = "knob_LEAT_WHEEL_NODES_MAX",
     .text = "sched: timers that one step looks at."},
    {BUILD(LEAT_WATCH_PARTS), .text = "engine: looks at a handler within its timeout."},
    {BUILD(LEAT_SWEEP_NS), .kind = LEAT_KNOB_DURATION,
     .text = "engine: how often it is looked for jobs that have expired."},
    {BUILD(LEAT_SWEEP_RECORDS), .text = "engine: records that are looked at in one go."},
    {BUILD(LEAT_TRIM_RECORDS), .text = "engine: records that are never given back."},
    {BUILD(LEAT_TRIM_NS), .kind = LEAT_KNOB_DURATION,
     .text = "engine: when the others are, after they were used."},
    {BUILD(LEAT_TRIM_STEP), .text = "engine: records that are given back in one go."},
    {BUILD(LEAT_FOOTPRINT_KEPT), .text = "engine: the part of memory_max for accepted jobs alone."},
    {BUILD(LEAT_FOOTPRINT_LOOK_NS), .kind = LEAT_KNOB_DURATION,
     .text = "engine: how often memory is looked at, where it has a cap."},
    {BUILD(LEAT_FOOTPRINT_STEP), .text = "engine: ended jobs that are let go in one go."},
    {BUILD(LEAT_FOOTPRINT_FALL),
     .text = "engine: where less by such a part is used than was, memory is given back."},
    {BUILD(LEAT_FOOTPRINT_AGAIN_NS), .kind = LEAT_KNOB_DURATION,
     .text = "engine: how often a submit looks that waits for memory."},
    {BUILD(LEAT_FOOTPRINT_DROPS),
     .text = "engine: jobs of a queue that are dropped for one that needs memory, at most."},
    {BUILD(LEAT_TIMERS_OFF), .benchmark = "knob_LEAT_TIMERS_OFF",
     .text = "engine: ended jobs in a wheel before a worker is told to take them off."},
    {BUILD(LEAT_KEYS_STRIPES), .benchmark = "knob_LEAT_KEYS_STRIPES",
     .text = "engine: parts of the table of keys."},
    {BUILD(LEAT_KEYS_LOAD), .benchmark = "knob_LEAT_KEYS_LOAD",
     .text = "engine: records for each bucket of it."},
    {BUILD(LEAT_PIECES), .benchmark = "knob_LEAT_PIECES",
     .text = "engine: pieces of a parallel loop for each worker."},
    {BUILD(LEAT_LENT_LOOK_NS), .kind = LEAT_KNOB_DURATION,
     .text = "engine: how often a drain by a lent thread looks for work."},
    {BUILD(LEAT_BELLS), .text = "engine: futexes that waiters share."},
    {BUILD(LEAT_SCHEDULE_BATCH), .text = "engine: schedules that are served in one go."},
};

#define KNOBS ((uint32_t)(sizeof(knobs) / sizeof(knobs[0])))

/* Longer names have no near ones. */
#define NAME_MAX 48

const struct leat_knob *
leat_knob_at(uint32_t index)
{
    return index < KNOBS ? &knobs[index] : NULL;
}

uint32_t
leat_knob_first(uint32_t scope)
{
    uint32_t first = 0;
    while (first < KNOBS && (uint32_t)knobs[first].scope < scope) {
        first++;
    }
    return first;
}

/* ---- names ---------------------------------------------------------------------------------- */

struct leat_slice
leat_slice_of(const char *text)
{
    const struct leat_slice slice = {text, strlen(text)};
    return slice;
}

bool
leat_slice_is(struct leat_slice slice, const char *text)
{
    bool alike = slice.length == strlen(text);
    return alike && (slice.length == 0 || memcmp(slice.text, text, slice.length) == 0);
}

uint32_t
leat_knob_find(enum leat_knob_scope scope, struct leat_slice name)
{
    for (uint32_t i = 0; i < KNOBS; i++) {
        if (knobs[i].scope == scope && leat_slice_is(name, knobs[i].name)) {
            return i;
        }
    }
    return LEAT_KNOBS_NONE;
}

static uint32_t
least_of(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Letters that are put in, left out or exchanged between them. pre: both at most NAME_MAX. */
static uint32_t
distance(struct leat_slice a, struct leat_slice b)
{
    uint32_t row[NAME_MAX + 1];
    for (uint32_t j = 0; j <= b.length; j++) {
        row[j] = j;
    }
    for (uint32_t i = 1; i <= a.length; i++) {
        uint32_t before = row[0];
        row[0] = i;
        for (uint32_t j = 1; j <= b.length; j++) {
            uint32_t other = before + (a.text[i - 1] == b.text[j - 1] ? 0 : 1);
            before = row[j];
            row[j] = least_of(row[j] + 1, row[j - 1] + 1, other);
        }
    }
    return row[b.length];
}

const struct leat_knob *
leat_knob_near(enum leat_knob_scope scope, struct leat_slice name, uint32_t most)
{
    const struct leat_knob *near = NULL;
    uint32_t least = most + 1;
    for (uint32_t i = 0; name.length <= NAME_MAX && i < KNOBS; i++) {
        const struct leat_slice known = leat_slice_of(knobs[i].name);
        bool fits = knobs[i].scope == scope && known.length <= NAME_MAX;
        uint32_t far = fits ? distance(name, known) : least;
        near = far < least ? &knobs[i] : near;
        least = far < least ? far : least;
    }
    return near;
}

struct leat_knob_path
leat_knob_path_of(const char *name)
{
    struct leat_knob_path path = {LEAT_KNOB_ENGINE, {"", 0}, leat_slice_of(name)};
    const char *dot = strrchr(name, '.');
    const char *begin = name;
    if (strncmp(name, "queue.", 6) == 0) {
        path.scope = LEAT_KNOB_QUEUE;
        begin = name + 6;
    } else if (strncmp(name, "type.", 5) == 0) {
        path.scope = LEAT_KNOB_TYPE;
        begin = name + 5;
    }
    if (path.scope != LEAT_KNOB_ENGINE) {
        /* Only one dot: a section without a name, which is refused. */
        size_t length = dot >= begin ? (size_t)(dot - begin) : 0;
        path.section = (struct leat_slice){begin, length};
        path.key = leat_slice_of(dot + 1);
    }
    return path;
}
