/* rows.c - which work shows what a knob buys, and at which values: the lowest and the highest that
 * somebody would set. Of a knob of the build the values are those of its macro, and tools/knobs.py
 * builds a program with each. */
#include "bench/knobs/rows.h"

#include <stddef.h>

#define ENGINE(field) .name = "knob_" #field, .knob = #field
#define QUEUE(field)  .name = "knob_queue_" #field, .knob = "queue.queue." #field
#define TYPE(field)   .name = "knob_type_" #field, .knob = "type.job." #field
#define BUILD(macro)  .name = "knob_" #macro, .knob = #macro
#define SET(from, to) .low = (from), .high = (to)

static const struct knob_row rows[] = {
    /* ---- of an engine ---- */
    {ENGINE(workers), .work = "jobs_all", SET("1", "4")},
    {ENGINE(pinning), .work = "jobs", SET("none", "set")},
    {ENGINE(starvation_picks), .work = "urgent", SET("2", "0"), .with = "queue.queue.priority=0"},
    {ENGINE(spin_ns), .work = "near", SET("0", "1ms")},
    {ENGINE(tick_ns), .work = "call", SET("10us", "1ms")},
    {ENGINE(busy_poll), .work = "idle", SET(NULL, "true")},
    {ENGINE(ring_slots), .work = "jobs", SET("64", "1048576")},
    {ENGINE(tasks_max), .work = "tasks", SET("1024", "4194304")},
    {ENGINE(jobs_max), .work = "jobs", SET("1024", "4194304")},
    {ENGINE(payload_bytes_inline), .work = "payload_64", SET("0", "1KiB")},
    {ENGINE(retained_max), .work = "retained", SET("0", "1048576")},
    {ENGINE(sample_interval), .work = "job", SET("1", "0")},
    {ENGINE(prefault), .work = "first", SET(NULL, "true")},
    {ENGINE(lock_memory), .work = "first", SET(NULL, "true")},
    {ENGINE(huge_pages), .work = "first", SET(NULL, "true")},
    {ENGINE(scheduling), .work = "idle",
     SET("round_robin scheduling_priority=1", "fifo scheduling_priority=1")},
    {ENGINE(timer_tick_log2), .work = "late", SET("14", "24")},
    {ENGINE(trace), .work = "job", SET("off", "full")},
    {ENGINE(trace_records), .work = "trace_full", SET("0", "65536")},
    {ENGINE(event_mask), .work = "events", SET("0", NULL)},
    {ENGINE(statistics_rows), .work = "job", SET("0", "65535")},
    {ENGINE(stuck_ns), .work = "job", SET("0", "10ms")},
    /* ---- of a queue ---- */
    {QUEUE(priority), .work = "urgent", SET("0", "7")},
    {QUEUE(running_max), .work = "queue", SET("1", "1024")},
    {QUEUE(waiting_max), .work = "queue", SET(NULL, "1024")},
    {QUEUE(rate), .work = "queue", SET(NULL, "1000000000/1s")},
    {QUEUE(key_rate), .work = "queue_key", SET(NULL, "1000000/1s")},
    {QUEUE(running_min), .work = "queue", SET(NULL, "1")},
    {QUEUE(weight), .work = "queue", SET("1", "1000")},
    {QUEUE(order), .work = "queue", SET(NULL, "exact")},
    {QUEUE(pull), .work = "queue", SET(NULL, "true")},
    {QUEUE(full), .work = "waiting_max", SET("block", "drop_oldest")},
    {QUEUE(waiting_bytes_max), .work = "queue", SET(NULL, "1GiB")},
    /* ---- of a type ---- */
    {TYPE(running_max), .work = "job", SET("1", "1024")},
    {TYPE(timeout_ns), .work = "job", SET("0", "1s")},
    {TYPE(batch_max), .work = "take_32", SET("1", "256"), .usual = "32, as the case has it"},
    {TYPE(rate), .work = "job", SET(NULL, "1000000000/1s")},
    {TYPE(key_rate), .work = "key", SET(NULL, "1000000/1s")},
    {TYPE(running_min), .work = "job", SET(NULL, "1")},
    {TYPE(breaker_window_calls), .work = "breaker", SET("10", "1024")},
    {TYPE(breaker_window_ns), .work = "breaker", SET(NULL, "1s")},
    /* ---- of a build ---- */
    {BUILD(LEAT_RING), .work = "tasks", SET("LEAT_RING_TURN", "LEAT_RING_TICKET")},
    {BUILD(LEAT_ALLOCATOR_JEMALLOC), .work = "payload_1024", SET("0", NULL)},
    {BUILD(LEAT_PRIORITY_LEVELS), .work = "task", SET("5", NULL)},
    {BUILD(LEAT_SLOW_CHECKS), .work = "job", SET(NULL, "1")},
    {BUILD(LEAT_LOCAL_SLOTS_LOG2), .work = "fan", SET("6", "12")},
    {BUILD(LEAT_SLAB_ROTATION), .work = "slab", SET("64", "16384")},
    {BUILD(LEAT_SLAB_SHARDS_MAX), .work = "tasks", SET("1", "256")},
    {BUILD(LEAT_SPAWN_SLOTS_LOG2), .work = "group", SET("4", "13")},
    {BUILD(LEAT_STOLEN_SHORT_NS), .work = "group", SET("0", "100000")},
    {BUILD(LEAT_STOLEN_REST_NS), .work = "group", SET("0", "100000")},
    {BUILD(LEAT_JOIN_ROUNDS), .work = "join", SET("1", "4096")},
    {BUILD(LEAT_JOIN_PAUSES), .work = "join", SET("1", "64")},
    {BUILD(LEAT_CLAIM_MAX), .work = "tasks", SET("1", "64")},
    {BUILD(LEAT_CLAIM_NS), .work = "tasks_crowd", SET("1000", "10000000")},
    {BUILD(LEAT_CLAIM_EVERY), .work = "tasks_crowd", SET("1", "64")},
    {BUILD(LEAT_ADMIT_MOVES), .work = "deep", SET("8", "1024"), .with = "ring_slots=64"},
    {BUILD(LEAT_ADMIT_TURN), .work = "deep", SET("1", "64"), .with = "ring_slots=64"},
    {BUILD(LEAT_ADMIT_EVERY), .work = "deep", SET("1", "256"), .with = "ring_slots=64"},
    {BUILD(LEAT_WAKE_AGAIN), .work = "tasks_crowd", SET("2", "256")},
    {BUILD(LEAT_ROB_EVERY), .work = "tasks_crowd", SET("2", "1024")},
    {BUILD(LEAT_SPENT_MAX), .work = "tasks", SET("1", "64")},
    {BUILD(LEAT_SPIN_PARTS), .work = "near", SET("1", "256")},
    {BUILD(LEAT_SPIN_ROUNDS), .work = "near", SET("1", "256")},
    {BUILD(LEAT_WHEEL_SLOTS_LOG2), .work = "wheel_fire", SET("4", NULL)},
    {BUILD(LEAT_WHEEL_BLOCK_LOG2), .work = "wheel_fire", SET("3", "6")},
    {BUILD(LEAT_WHEEL_NODES_MAX), .work = "wheel_fire", SET("64", "16384")},
    {BUILD(LEAT_TIMERS_OFF), .work = "delay", SET("1", "1024")},
    {BUILD(LEAT_KEYS_STRIPES), .work = "unique", SET("1", "256")},
    {BUILD(LEAT_KEYS_LOAD), .work = "unique", SET("1", "16")},
    {BUILD(LEAT_PIECES), .work = "loop", SET("1", "1024")},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

const struct knob_row *
knob_row_at(size_t index)
{
    return index < ROWS ? &rows[index] : NULL;
}
