/* table.c - the operations, one row each. */
#include "tests/reference/reference.h"

#include "ring/base.h"

const struct ref_operation ref_operations[] = {
    /* name, weight, in handlers */
    {"submit", 250, true, ref_op_submit},
    {"batch_each", 20, true, ref_op_batch_each},
    {"batch_all", 30, true, ref_op_batch_all},
    {"cancel", 60, true, ref_op_cancel},
    {"get", 30, true, ref_op_get},
    {"wait", 20, true, ref_op_wait},
    {"result", 20, true, ref_op_result},
    {"release", 70, true, ref_op_release},
    {"reschedule", 50, true, ref_op_reschedule},
    {"priority_set", 40, true, ref_op_priority},
    {"complete", 90, true, ref_op_complete},
    {"pending_extend", 30, true, ref_op_extend},
    {"type_register", 12, true, ref_op_register},
    {"type_find", 5, true, ref_op_type_find},
    {"queue_create", 6, true, ref_op_queue_create},
    {"queue_find", 5, true, ref_op_queue_find},
    {"queue_pause", 3, true, ref_op_pause},
    {"queue_resume", 15, true, ref_op_resume},
    {"queue_cap", 4, true, ref_op_queue_cap},
    {"type_cap", 4, true, ref_op_type_cap},
    {"run_some", 220, false, ref_op_run},
    {"clock_pass", 90, true, ref_op_clock},
    {"clock_step", 6, true, ref_op_step},
    {"next_due", 20, true, ref_op_next_due},
    {"drain", 3, false, ref_op_drain},
    {"stop", 40, false, ref_op_stop},
    {"start", 40, false, ref_op_start},
    {"completions_take", 40, true, ref_op_take},
    {"completion_queue", 3, true, ref_op_completions},
    {"statistics", 15, true, ref_op_statistics},
    {"queue_rate", 4, true, ref_op_queue_rate},
    {"type_rate", 4, true, ref_op_type_rate},
    {"reserve", 80, true, ref_op_reserve},
    {"ack", 20, true, ref_op_ack},
    {"nack", 20, true, ref_op_nack},
    {"lease_release", 15, true, ref_op_lease_release},
    {"lease_extend", 10, true, ref_op_lease_extend},
    {"dead_list", 20, true, ref_op_dead_list},
    {"dead_retry", 30, true, ref_op_dead_retry},
    {"dead_retry_all", 3, true, ref_op_dead_retry_all},
    {"dead_delete", 15, true, ref_op_dead_delete},
    {"dead_delete_all", 3, true, ref_op_dead_delete_all},
    {"dead_payload", 10, true, ref_op_dead_payload},
    {"attempts", 25, true, ref_op_attempts},
};
const uint32_t ref_operations_count = sizeof(ref_operations) / sizeof(ref_operations[0]);

LEAT_STATIC(sizeof(ref_operations) / sizeof(ref_operations[0]) <= REF_OPERATIONS_MAX,
            "there is a place for what each operation met");
