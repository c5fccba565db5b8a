/* operations.h - what is drawn and done, one by one; the table of them is in table.c. */
#ifndef TESTS_REFERENCE_OPERATIONS_H
#define TESTS_REFERENCE_OPERATIONS_H

#include "tests/reference/reference.h"

void ref_op_submit(struct ref_world *world);
void ref_op_batch_each(struct ref_world *world);
void ref_op_batch_all(struct ref_world *world);
void ref_op_cancel(struct ref_world *world);
void ref_op_get(struct ref_world *world);
void ref_op_wait(struct ref_world *world);
void ref_op_result(struct ref_world *world);
void ref_op_release(struct ref_world *world);
void ref_op_reschedule(struct ref_world *world);
void ref_op_priority(struct ref_world *world);
void ref_op_complete(struct ref_world *world);
void ref_op_extend(struct ref_world *world);
void ref_op_register(struct ref_world *world);
void ref_op_type_find(struct ref_world *world);
void ref_op_queue_create(struct ref_world *world);
void ref_op_queue_find(struct ref_world *world);
void ref_op_pause(struct ref_world *world);
void ref_op_resume(struct ref_world *world);
void ref_op_queue_cap(struct ref_world *world);
void ref_op_type_cap(struct ref_world *world);
void ref_op_run(struct ref_world *world);
void ref_op_clock(struct ref_world *world);
void ref_op_step(struct ref_world *world);
void ref_op_next_due(struct ref_world *world);
void ref_op_drain(struct ref_world *world);
void ref_op_stop(struct ref_world *world);
void ref_op_start(struct ref_world *world);
void ref_op_take(struct ref_world *world);
void ref_op_completions(struct ref_world *world);
void ref_op_statistics(struct ref_world *world);
void ref_op_queue_rate(struct ref_world *world);
void ref_op_type_rate(struct ref_world *world);
void ref_op_reserve(struct ref_world *world);
void ref_op_ack(struct ref_world *world);
void ref_op_nack(struct ref_world *world);
void ref_op_lease_release(struct ref_world *world);
void ref_op_lease_extend(struct ref_world *world);
void ref_op_dead_list(struct ref_world *world);
void ref_op_dead_retry(struct ref_world *world);
void ref_op_dead_retry_all(struct ref_world *world);
void ref_op_dead_delete(struct ref_world *world);
void ref_op_dead_delete_all(struct ref_world *world);
void ref_op_dead_payload(struct ref_world *world);
void ref_op_attempts(struct ref_world *world);
void ref_op_get_by_name(struct ref_world *world);
void ref_op_wait_by_name(struct ref_world *world);
void ref_op_result_by_name(struct ref_world *world);
void ref_op_release_by_name(struct ref_world *world);
void ref_op_cancel_by_name(struct ref_world *world);
void ref_op_reschedule_by_name(struct ref_world *world);
void ref_op_priority_by_name(struct ref_world *world);
void ref_op_job_find(struct ref_world *world);
void ref_op_job_name(struct ref_world *world);
void ref_op_job_tags(struct ref_world *world);
void ref_op_tag_list(struct ref_world *world);
void ref_op_tag_count(struct ref_world *world);
void ref_op_queue_limits(struct ref_world *world);
void ref_op_purge(struct ref_world *world);
void ref_op_queue_drain(struct ref_world *world);
void ref_op_queue_reopen(struct ref_world *world);
void ref_op_tenant_create(struct ref_world *world);
void ref_op_tenant_find(struct ref_world *world);
void ref_op_tenant_limits(struct ref_world *world);
void ref_op_tenant_rate(struct ref_world *world);
void ref_op_queue_min(struct ref_world *world);
void ref_op_type_min(struct ref_world *world);
void ref_op_graph(struct ref_world *world);
void ref_op_chain(struct ref_world *world);
void ref_op_cohort_open(struct ref_world *world);
void ref_op_cohort_close(struct ref_world *world);
void ref_op_cohort_get(struct ref_world *world);
void ref_op_breaker_get(struct ref_world *world);
void ref_op_job_list(struct ref_world *world);
void ref_op_inline(struct ref_world *world);
void ref_op_middleware(struct ref_world *world);
void ref_op_queue_weight(struct ref_world *world);
void ref_op_shares(struct ref_world *world);
void ref_op_exact(struct ref_world *world);
void ref_op_bulk_each(struct ref_world *world);
void ref_op_bulk_all(struct ref_world *world);

#endif
