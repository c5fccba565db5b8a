/* unit_api_null.c - every public function with NULL and other mistakes: a status, never an abort,
 * and outputs as they were. The list of functions is compared with engine/leat.h itself: one that
 * is declared there and has no case here fails the test. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/source.h"
#include "tests/unit/api_null.h"
#include "tests/unit/api_null_attempts.h"
#include "tests/unit/api_null_batches.h"
#include "tests/unit/api_null_events.h"
#include "tests/unit/api_null_graph.h"
#include "tests/unit/api_null_handlers.h"
#include "tests/unit/api_null_lists.h"
#include "tests/unit/api_null_metrics.h"
#include "tests/unit/api_null_pull.h"
#include "tests/unit/api_null_queues.h"
#include "tests/unit/api_null_settings.h"

static void
nothing(void *argument)
{
    (void)argument;
}

static void
range(size_t begin, size_t end, void *argument)
{
    (void)begin;
    (void)end;
    (void)argument;
}

static struct leat_outcome
done(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

/* ---- texts, versions, defaults -------------------------------------------------------------- */

static void
case_status_text(struct world *world)
{
    (void)world;
    CHECK(leat_status_text((enum leat_status)(-1)) != NULL);
    CHECK(leat_status_text((enum leat_status)INT32_MAX) != NULL);
}

static void
case_job_state_text(struct world *world)
{
    (void)world;
    CHECK(leat_job_state_text((enum leat_job_state)(-1)) != NULL);
    CHECK(leat_job_state_text((enum leat_job_state)INT32_MAX) != NULL);
}

static void
case_reason_text(struct world *world)
{
    (void)world;
    CHECK(leat_reason_text((enum leat_reason)(-1)) != NULL);
    CHECK(leat_reason_text((enum leat_reason)INT32_MAX) != NULL);
}

static void
case_version(struct world *world)
{
    (void)world;
    CHECK(leat_version() > 0);
    CHECK(leat_version_text() != NULL);
    CHECK(leat_priority_levels() > 0);
}

static void
case_config_init(struct world *world)
{
    (void)world;
    struct leat_config config;
    leat_config_init(NULL, 0);
    leat_config_init(NULL, sizeof(config));
    memset(&config, 0x77, sizeof(config));
    leat_config_init(&config, 0);
    CHECK_EQUAL(config.size, 0x77777777);
}

static void
case_type_options_init(struct world *world)
{
    (void)world;
    struct leat_type_options options;
    leat_type_options_init(NULL, 0);
    leat_type_options_init(NULL, sizeof(options));
    memset(&options, 0x77, sizeof(options));
    leat_type_options_init(&options, 7);
    CHECK_EQUAL(options.size, 0x77777777);
}

static void
case_queue_options_init(struct world *world)
{
    (void)world;
    struct leat_queue_options options;
    leat_queue_options_init(NULL, 0);
    leat_queue_options_init(NULL, sizeof(options));
    memset(&options, 0x77, sizeof(options));
    leat_queue_options_init(&options, 7);
    CHECK_EQUAL(options.size, 0x77777777);
}

static void
case_retry_policy_init(struct world *world)
{
    (void)world;
    struct leat_retry_policy policy;
    memset(&policy, 7, sizeof(policy));
    struct leat_retry_policy before = policy;
    leat_retry_policy_init(NULL, 0);
    leat_retry_policy_init(NULL, sizeof(policy));
    leat_retry_policy_init(&policy, 0);
    leat_retry_policy_init(&policy, sizeof(uint32_t));
    CHECK(memcmp(&policy, &before, sizeof(policy)) == 0);
}

static void
case_retry_policy_check(struct world *world)
{
    (void)world;
    struct leat_error error;
    CHECK_STATUS(leat_retry_policy_check(NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_retry_policy_check(NULL, &error), LEAT_INVALID);
    CHECK_EQUAL(error.status, LEAT_INVALID);
}

static void
case_config_check(struct world *world)
{
    (void)world;
    struct leat_error error;
    CHECK_STATUS(leat_config_check(NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_config_check(NULL, &error), LEAT_INVALID);
    CHECK_STATUS(error.status, LEAT_INVALID);
}

static void
case_memory_size(struct world *world)
{
    (void)world;
    CHECK_EQUAL(leat_memory_size(NULL), 0);
}

/* ---- lifecycle ------------------------------------------------------------------------------ */

static void
case_open(struct world *world)
{
    (void)world;
    struct leat_config config = test_config();
    struct leat_error error;
    CHECK_STATUS(leat_open(&config, NULL, &error), LEAT_INVALID);
    CHECK_STATUS(error.status, LEAT_INVALID);
    CHECK_STATUS(leat_open(NULL, NULL, NULL), LEAT_INVALID);
    config.jobs_max = 0;
    struct leat_engine *engine = (struct leat_engine *)(void *)&config;
    CHECK_STATUS(leat_open(&config, &engine, NULL), LEAT_INVALID);
    CHECK(engine == (struct leat_engine *)(void *)&config);
}

static void
case_lifecycle(struct world *world)
{
    (void)world;
    CHECK_STATUS(leat_start(NULL), LEAT_INVALID);
    CHECK_STATUS(leat_drain(NULL, 0), LEAT_INVALID);
    CHECK_STATUS(leat_stop(NULL, 0), LEAT_INVALID);
    CHECK_STATUS(leat_workers_set(NULL, 1), LEAT_INVALID);
    CHECK_OK(leat_close(NULL));
    CHECK_STATUS(leat_thread_attach(NULL), LEAT_INVALID);
}

static void
case_state(struct world *world)
{
    enum leat_engine_state state = LEAT_ENGINE_STOPPING;
    CHECK_STATUS(leat_state(NULL, &state), LEAT_INVALID);
    CHECK_STATUS(leat_state(world->engine, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_state(NULL, NULL), LEAT_INVALID);
    CHECK_EQUAL(state, LEAT_ENGINE_STOPPING);
}

static void
case_run_some(struct world *world)
{
    size_t ran = 7;
    CHECK_STATUS(leat_run_some(NULL, 1, &ran), LEAT_INVALID);
    CHECK_STATUS(leat_run_some(world->engine, 0, &ran), LEAT_INVALID);
    CHECK_EQUAL(ran, 7);
}

static void
case_next_due(struct world *world)
{
    uint64_t delay_ns = 7;
    CHECK_STATUS(leat_next_due(NULL, &delay_ns), LEAT_INVALID);
    CHECK_STATUS(leat_next_due(world->engine, NULL), LEAT_INVALID);
    CHECK_EQUAL(delay_ns, 7);
}

static void
case_clock_changed(struct world *world)
{
    CHECK_STATUS(leat_clock_changed(NULL), LEAT_INVALID);
    CHECK_OK(leat_clock_changed(world->engine));
}

/* ---- tasks ---------------------------------------------------------------------------------- */

static void
case_post(struct world *world)
{
    CHECK_STATUS(leat_post(NULL, 0, nothing, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_post(world->engine, 0, NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_post(world->engine, UINT32_MAX, nothing, NULL), LEAT_INVALID);
}

static void
case_post_batch(struct world *world)
{
    const struct leat_task task = {nothing, NULL};
    const struct leat_task none = {NULL, NULL};
    size_t posted = 7;
    CHECK_STATUS(leat_post_batch(NULL, 0, &task, 1, &posted), LEAT_INVALID);
    CHECK_STATUS(leat_post_batch(world->engine, 0, NULL, 1, &posted), LEAT_INVALID);
    CHECK_STATUS(leat_post_batch(world->engine, 0, &none, 1, &posted), LEAT_INVALID);
    CHECK_STATUS(leat_post_batch(world->engine, 99, &task, 1, &posted), LEAT_INVALID);
    CHECK_STATUS(leat_post_batch(world->engine, 0, NULL, SIZE_MAX, NULL), LEAT_INVALID);
    CHECK_EQUAL(posted, 7);
}

static void
case_post_to(struct world *world)
{
    const struct leat_task task = {nothing, NULL};
    const struct leat_task none = {NULL, NULL};
    CHECK_STATUS(leat_post_to(NULL, 0, 0, &task), LEAT_INVALID);
    CHECK_STATUS(leat_post_to(world->engine, 0, 0, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_post_to(world->engine, 0, 0, &none), LEAT_INVALID);
    CHECK_STATUS(leat_post_to(world->engine, 0, 99, &task), LEAT_INVALID);
    /* Threads are lent. */
    CHECK_STATUS(leat_post_to(world->engine, 99, 0, &task), LEAT_WRONG_STATE);
}

/* ---- runs ----------------------------------------------------------------------------------- */

/* In the handler. The accessors cannot fail, and take no mistakes but a NULL for the size. */
static void
case_run(struct world *world)
{
    struct leat_run *run = world->run;
    if (run == NULL) {
        return;
    }
    CHECK(leat_run_engine(run) == world->engine);
    CHECK(leat_run_id(run).bits != 0);
    CHECK_EQUAL(leat_run_type(run).bits, world->type.bits);
    CHECK(leat_run_queue(run).bits != 0);
    CHECK(leat_run_priority(run) < leat_priority_levels());
    CHECK_EQUAL(leat_run_attempt(run), 1);
    CHECK(leat_run_max_attempts(run) >= 1);
    CHECK_EQUAL(leat_run_worker(run), 0);
    CHECK(leat_run_payload(run, NULL) == NULL);
    CHECK(leat_run_tags(run, NULL) == NULL);
    CHECK(!leat_run_cancelled(run));
    CHECK_EQUAL(leat_run_token(run).job, leat_run_id(run).bits);
    CHECK_OK(leat_run_error(run, NULL));
    CHECK_OK(leat_run_result(run, NULL, 0));
    CHECK_STATUS(leat_run_result(run, NULL, 1), LEAT_INVALID);
    CHECK_STATUS(leat_run_result(run, "", SIZE_MAX), LEAT_INVALID);
    CHECK_STATUS(leat_run_progress(run, UINT32_MAX, NULL), LEAT_INVALID);
}

static void
case_pull(struct world *world)
{
    mistakes_pull(world->engine);
}

/* ---- names ---------------------------------------------------------------------------------- */

static void
case_type_register(struct world *world)
{
    leat_type type = {7};
    CHECK_STATUS(leat_type_register(NULL, "x", done, NULL, NULL, &type), LEAT_INVALID);
    CHECK_STATUS(leat_type_register(world->engine, NULL, done, NULL, NULL, &type), LEAT_INVALID);
    CHECK_STATUS(leat_type_register(world->engine, "x", NULL, NULL, NULL, &type), LEAT_INVALID);
    CHECK_STATUS(leat_type_register(world->engine, "x y", done, NULL, NULL, &type), LEAT_INVALID);
    CHECK_STATUS(leat_type_register(world->engine, "", done, NULL, NULL, NULL), LEAT_INVALID);
    CHECK_EQUAL(type.bits, 7);
}

static void
case_type_find(struct world *world)
{
    leat_type type = {7};
    CHECK_STATUS(leat_type_find(NULL, "x", &type), LEAT_INVALID);
    CHECK_STATUS(leat_type_find(world->engine, NULL, &type), LEAT_INVALID);
    CHECK_STATUS(leat_type_find(world->engine, "t", NULL), LEAT_INVALID);
    CHECK_STATUS(leat_type_find(world->engine, "x y", &type), LEAT_INVALID);
    CHECK_EQUAL(type.bits, 7);
}

static void
case_type_name(struct world *world)
{
    const char *name = "as before";
    leat_type none = {0};
    CHECK_STATUS(leat_type_name(NULL, world->type, &name), LEAT_INVALID);
    CHECK_STATUS(leat_type_name(world->engine, world->type, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_type_name(world->engine, none, &name), LEAT_NOT_FOUND);
    CHECK_TEXT(name, "as before");
}

static void
case_queue_create(struct world *world)
{
    leat_queue queue = {7};
    CHECK_STATUS(leat_queue_create(NULL, "x", NULL, &queue), LEAT_INVALID);
    CHECK_STATUS(leat_queue_create(world->engine, NULL, NULL, &queue), LEAT_INVALID);
    CHECK_STATUS(leat_queue_create(world->engine, "x", NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_queue_create(world->engine, "x y", NULL, &queue), LEAT_INVALID);
    CHECK_EQUAL(queue.bits, 7);
    CHECK_STATUS(leat_queue_find(world->engine, "x", &queue), LEAT_NOT_FOUND);
}

static void
case_queue_find(struct world *world)
{
    leat_queue queue = {7};
    CHECK_STATUS(leat_queue_find(NULL, "default", &queue), LEAT_INVALID);
    CHECK_STATUS(leat_queue_find(world->engine, NULL, &queue), LEAT_INVALID);
    CHECK_STATUS(leat_queue_find(world->engine, "default", NULL), LEAT_INVALID);
    CHECK_STATUS(leat_queue_find(world->engine, "", &queue), LEAT_INVALID);
    CHECK_EQUAL(queue.bits, 7);
}

static void
case_queue_name(struct world *world)
{
    const char *name = "as before";
    leat_queue one = {1};
    leat_queue none = {0};
    CHECK_STATUS(leat_queue_name(NULL, one, &name), LEAT_INVALID);
    CHECK_STATUS(leat_queue_name(world->engine, one, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_queue_name(world->engine, none, &name), LEAT_NOT_FOUND);
    CHECK_TEXT(name, "as before");
}

static void
case_rates(struct world *world)
{
    const leat_queue none = {0};
    const leat_type no_type = {0};
    const leat_tenant no_tenant = {0};
    const struct leat_rate rate = leat_rate_of(1, 1, 1);
    CHECK_STATUS(leat_queue_set_rate(NULL, none, rate), LEAT_INVALID);
    CHECK_STATUS(leat_type_set_rate(NULL, no_type, rate), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_set_rate(NULL, no_tenant, rate), LEAT_INVALID);
    CHECK_STATUS(leat_tenant_set_rate(world->engine, no_tenant, rate), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_set_running_min(NULL, none, 1), LEAT_INVALID);
    CHECK_STATUS(leat_type_set_running_min(NULL, no_type, 1), LEAT_INVALID);
    CHECK_STATUS(leat_queue_set_rate(world->engine, none, rate), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_type_set_rate(world->engine, no_type, rate), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_set_running_min(world->engine, none, 1), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_type_set_running_min(world->engine, no_type, 1), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_set_key_rate(NULL, none, rate), LEAT_INVALID);
    CHECK_STATUS(leat_type_set_key_rate(NULL, no_type, rate), LEAT_INVALID);
    CHECK_STATUS(leat_queue_set_key_rate(world->engine, none, rate), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_type_set_key_rate(world->engine, no_type, rate), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_queue_set_weight(NULL, none, 1), LEAT_INVALID);
    CHECK_STATUS(leat_queue_set_weight(world->engine, none, 1), LEAT_NOT_FOUND);
}

/* ---- jobs ----------------------------------------------------------------------------------- */

static void
case_submit(struct world *world)
{
    struct leat_job job = leat_job_default();
    leat_job_id id = {7};
    CHECK_STATUS(leat_submit(NULL, &job, &id), LEAT_INVALID);
    CHECK_STATUS(leat_submit(world->engine, NULL, &id), LEAT_INVALID);
    CHECK_STATUS(leat_submit(world->engine, &job, &id), LEAT_INVALID);
    memset(&job, 0, sizeof(job));
    CHECK_STATUS(leat_submit(world->engine, &job, &id), LEAT_INVALID);
    CHECK_EQUAL(id.bits, 7);
}

static void
case_wait(struct world *world)
{
    struct leat_job_info info = leat_job_info_default();
    const leat_job_id none = {0};
    CHECK_STATUS(leat_wait(NULL, none, 0, &info), LEAT_INVALID);
    CHECK_STATUS(leat_wait(NULL, none, LEAT_FOREVER, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_wait(world->engine, none, LEAT_FOREVER, NULL), LEAT_NOT_FOUND);
    CHECK_EQUAL(info.state, 0);
}

static void
case_result(struct world *world)
{
    const leat_job_id none = {0};
    char buffer[4] = "abc";
    size_t bytes = 7;
    CHECK_STATUS(leat_result(NULL, none, buffer, sizeof(buffer), &bytes), LEAT_INVALID);
    CHECK_STATUS(leat_result(world->engine, none, NULL, 1, &bytes), LEAT_INVALID);
    CHECK_STATUS(leat_result(world->engine, none, NULL, 0, NULL), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_result(world->engine, none, buffer, sizeof(buffer), &bytes), LEAT_NOT_FOUND);
    CHECK_EQUAL(bytes, 7);
    CHECK_TEXT(buffer, "abc");
}

static void
case_release_and_cancel(struct world *world)
{
    const leat_job_id none = {0};
    CHECK_STATUS(leat_release(NULL, none), LEAT_INVALID);
    CHECK_STATUS(leat_cancel(NULL, none), LEAT_INVALID);
    CHECK_STATUS(leat_release(world->engine, none), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_cancel(world->engine, none), LEAT_NOT_FOUND);
}

static void
case_change(struct world *world)
{
    const leat_job_id none = {0};
    struct leat_when both = {1, 1};
    CHECK_STATUS(leat_reschedule(NULL, none, leat_when_now()), LEAT_INVALID);
    CHECK_STATUS(leat_reschedule(world->engine, none, both), LEAT_INVALID);
    CHECK_STATUS(leat_reschedule(world->engine, none, leat_when_now()), LEAT_NOT_FOUND);
    CHECK_STATUS(leat_priority_set(NULL, none, 0), LEAT_INVALID);
    CHECK_STATUS(leat_priority_set(world->engine, none, leat_priority_levels()), LEAT_INVALID);
    CHECK_STATUS(leat_priority_set(world->engine, none, 0), LEAT_NOT_FOUND);
}

/* ---- groups, completion queues, statistics -------------------------------------------------- */

static void
case_groups(struct world *world)
{
    struct leat_group group;
    CHECK_STATUS(leat_group_init(NULL, world->engine), LEAT_INVALID);
    CHECK_STATUS(leat_group_init(&group, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_group_spawn(NULL, nothing, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_group_wait(NULL, LEAT_FOREVER), LEAT_INVALID);
    CHECK_STATUS(leat_group_cancel(NULL), LEAT_INVALID);
    CHECK_STATUS(leat_group_fail(NULL, LEAT_INVALID), LEAT_INVALID);
    CHECK(!leat_group_cancelled(NULL));
    CHECK_OK(leat_group_init(&group, world->engine));
    CHECK_STATUS(leat_group_spawn(&group, NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_group_fail(&group, LEAT_OK), LEAT_INVALID);
    CHECK_STATUS(leat_group_fail(&group, LEAT_STATUS_COUNT), LEAT_INVALID);
    CHECK(!leat_group_cancelled(&group));
    CHECK_OK(leat_group_wait(&group, 0));
}

static void
case_parallel_for(struct world *world)
{
    const struct leat_range none = {5, 1, 0};
    CHECK_STATUS(leat_parallel_for(NULL, &none, range, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_parallel_for(world->engine, NULL, range, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_parallel_for(world->engine, &none, NULL, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_parallel_for(world->engine, &none, range, NULL), LEAT_INVALID);
}

static void
case_schedule_put(struct world *world)
{
    struct leat_job job = leat_job_default();
    struct leat_schedule schedule = leat_schedule_default();
    struct leat_error error;
    job.type = world->type;
    schedule.spec = "* * * * *";
    schedule.job = &job;
    CHECK_STATUS(leat_schedule_add(NULL, "s", &schedule, &error), LEAT_INVALID);
    CHECK_TEXT(error.field, "engine");
    CHECK_STATUS(leat_schedule_add(NULL, "s", &schedule, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_add(world->engine, NULL, &schedule, &error), LEAT_INVALID);
    CHECK_TEXT(error.field, "name");
    CHECK_STATUS(leat_schedule_add(world->engine, "s", NULL, NULL), LEAT_INVALID);
    schedule.spec = NULL;
    CHECK_STATUS(leat_schedule_add(world->engine, "s", &schedule, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_change(NULL, "s", &schedule, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_change(world->engine, NULL, &schedule, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_change(world->engine, "s", NULL, NULL), LEAT_NOT_FOUND);
}

static void
case_schedule_names(struct world *world)
{
    CHECK_STATUS(leat_schedule_remove(NULL, "s"), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_remove(world->engine, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_pause(NULL, "s"), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_pause(world->engine, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_resume(NULL, "s"), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_resume(world->engine, NULL), LEAT_INVALID);
}

static void
case_schedule_look(struct world *world)
{
    struct leat_schedule_info info = leat_schedule_info_default();
    uint64_t moment_ns = 7;
    size_t count = 7;
    CHECK_STATUS(leat_schedule_get(NULL, "s", &info), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_get(world->engine, NULL, &info), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_get(world->engine, "s", NULL), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_list(NULL, NULL, &info, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_list(world->engine, NULL, NULL, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_list(world->engine, NULL, &info, 1, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_next(NULL, "s", &moment_ns, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_next(world->engine, NULL, &moment_ns, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_next(world->engine, "s", NULL, 1, &count), LEAT_INVALID);
    CHECK_STATUS(leat_schedule_next(world->engine, "s", &moment_ns, 1, NULL), LEAT_INVALID);
    CHECK_EQUAL(moment_ns, 7);
    CHECK_EQUAL(count, 7);
}

static void
case_completion_queues(struct world *world)
{
    struct leat_completion_queue *queue = NULL;
    int descriptor = 7;
    size_t taken = 7;
    CHECK_STATUS(leat_completion_queue_create(NULL, 64, &queue), LEAT_INVALID);
    CHECK(leat_completion_queue_create(world->engine, 64, NULL) != LEAT_OK);
    CHECK(leat_completion_queue_descriptor(NULL, &descriptor) != LEAT_OK);
    CHECK(leat_completion_queue_take(NULL, NULL, 1, &taken) != LEAT_OK);
    CHECK(leat_completion_queue_destroy(NULL) != LEAT_OK);
    CHECK(queue == NULL);
    CHECK_EQUAL(descriptor, 7);
    CHECK_EQUAL(taken, 7);
}

static void
case_statistics(struct world *world)
{
    struct leat_statistics sum = leat_statistics_default();
    struct leat_worker_statistics worker = leat_worker_statistics_default();
    CHECK_STATUS(leat_statistics_get(NULL, &sum), LEAT_INVALID);
    CHECK_STATUS(leat_statistics_get(world->engine, NULL), LEAT_INVALID);
    CHECK_EQUAL(sum.workers, 0);
    CHECK_STATUS(leat_worker_statistics_get(NULL, 0, &worker), LEAT_INVALID);
    CHECK_STATUS(leat_worker_statistics_get(world->engine, 0, NULL), LEAT_INVALID);
    CHECK_STATUS(leat_worker_statistics_get(world->engine, UINT32_MAX, &worker), LEAT_NOT_FOUND);
    CHECK_EQUAL(worker.cpu, 0);
    mistakes_trace(world->engine);
}

static void
case_attempts(struct world *world)
{
    mistakes_ends(world->engine);
    mistakes_failed(world->engine, world->type);
}

/* ---- the list ------------------------------------------------------------------------------- */

struct entry {
    const char *name;
    void (*mistakes)(struct world *world);
};

static const struct entry entries[] = {
    {"leat_status_text", case_status_text},
    {"leat_run_parents", case_run_parents},
    {"leat_run_parent_result", case_run_parents},
    {"leat_run_cohort", case_run_parents},
    {"leat_submit_graph", case_graph},
    {"leat_submit_chain", case_graph},
    {"leat_cohort_open", case_cohort},
    {"leat_cohort_close", case_cohort},
    {"leat_cohort_get", case_cohort},
    {"leat_version_text", case_version},
    {"leat_version", case_version},
    {"leat_priority_levels", case_version},
    {"leat_config_init", case_config_init},
    {"leat_config_check", case_config_check},
    {"leat_retry_policy_init", case_retry_policy_init},
    {"leat_retry_policy_check", case_retry_policy_check},
    {"leat_memory_size", case_memory_size},
    {"leat_open", case_open},
    {"leat_start", case_lifecycle},
    {"leat_drain", case_lifecycle},
    {"leat_stop", case_lifecycle},
    {"leat_workers_set", case_lifecycle},
    {"leat_close", case_lifecycle},
    {"leat_thread_attach", case_lifecycle},
    {"leat_state", case_state},
    {"leat_post", case_post},
    {"leat_post_batch", case_post_batch},
    {"leat_post_to", case_post_to},
    {"leat_run_engine", case_run},
    {"leat_run_id", case_run},
    {"leat_run_type", case_run},
    {"leat_run_queue", case_run},
    {"leat_run_priority", case_run},
    {"leat_run_attempt", case_run},
    {"leat_run_max_attempts", case_run},
    {"leat_run_worker", case_run},
    {"leat_run_payload", case_run},
    {"leat_run_cancelled", case_run},
    {"leat_run_token", case_run},
    {"leat_run_error", case_run_null},
    {"leat_run_result", case_run_null},
    {"leat_run_progress", case_run_null},
    {"leat_run_submit", case_run_null},
    {"leat_run_deadline", case_run_null},
    {"leat_run_log", case_run_null},
    {"leat_next_run", case_run_null},
    {"leat_middleware_add", case_middleware},
    {"leat_type_middleware_add", case_middleware},
    {"leat_type_register_batch", case_type_register_batch},
    {"leat_run_inline", case_run_inline},
    {"leat_complete", case_attempts},
    {"leat_pending_extend", case_attempts},
    API_NULL_PULL,
    {"leat_type_options_init", case_type_options_init},
    {"leat_type_register", case_type_register},
    {"leat_type_find", case_type_find},
    {"leat_type_name", case_type_name},
    {"leat_queue_options_init", case_queue_options_init},
    {"leat_queue_create", case_queue_create},
    {"leat_queue_find", case_queue_find},
    {"leat_queue_name", case_queue_name},
    {"leat_queue_set_rate", case_rates},
    {"leat_type_set_rate", case_rates},
    {"leat_tenant_set_rate", case_rates},
    {"leat_queue_set_key_rate", case_rates},
    {"leat_type_set_key_rate", case_rates},
    {"leat_queue_set_running_min", case_rates},
    {"leat_type_set_running_min", case_rates},
    {"leat_queue_set_weight", case_rates},
    API_NULL_QUEUES,
    {"leat_job_state_text", case_job_state_text},
    {"leat_reason_text", case_reason_text},
    {"leat_submit", case_submit},
    API_NULL_BATCHES,
    API_NULL_LISTS,
    {"leat_get", case_get},
    {"leat_wait", case_wait},
    {"leat_result", case_result},
    {"leat_release", case_release_and_cancel},
    {"leat_cancel", case_release_and_cancel},
    {"leat_reschedule", case_change},
    {"leat_priority_set", case_change},
    {"leat_job_find", case_labels},
    {"leat_job_name", case_labels},
    {"leat_run_tags", case_run},
    {"leat_job_tags", case_labels},
    {"leat_tag_list", case_labels},
    {"leat_tag_count", case_labels},
    {"leat_group_init", case_groups},
    {"leat_group_spawn", case_groups},
    {"leat_group_wait", case_groups},
    {"leat_group_cancel", case_groups},
    {"leat_group_cancelled", case_groups},
    {"leat_group_fail", case_groups},
    {"leat_parallel_for", case_parallel_for},
    {"leat_run_some", case_run_some},
    {"leat_next_due", case_next_due},
    {"leat_clock_changed", case_clock_changed},
    {"leat_schedule_add", case_schedule_put},
    {"leat_schedule_change", case_schedule_put},
    {"leat_schedule_remove", case_schedule_names},
    {"leat_schedule_pause", case_schedule_names},
    {"leat_schedule_resume", case_schedule_names},
    {"leat_schedule_get", case_schedule_look},
    {"leat_schedule_list", case_schedule_look},
    {"leat_schedule_next", case_schedule_look},
    API_NULL_ATTEMPTS,
    {"leat_completion_queue_create", case_completion_queues},
    {"leat_completion_queue_descriptor", case_completion_queues},
    {"leat_completion_queue_take", case_completion_queues},
    {"leat_completion_queue_destroy", case_completion_queues},
    {"leat_statistics_get", case_statistics},
    {"leat_worker_statistics_get", case_statistics},
    API_NULL_EVENTS,
    API_NULL_METRICS,
    API_NULL_SETTINGS,
};

static const struct entry *
entry_of(const char *name)
{
    for (size_t i = 0; i < TEST_COUNT_OF(entries); i++) {
        if (strcmp(entries[i].name, name) == 0) {
            return &entries[i];
        }
    }
    return NULL;
}

/* Cuts out the name of the next function that a line beginning with LEAT_API declares: the word in
 * front of the first bracket. NULL: no more. */
static const char *
next_declared(char **rest)
{
    static const char mark[] = "\nLEAT_API ";
    char *found = strstr(*rest, mark);
    if (found == NULL) {
        return NULL;
    }
    char *end = strchr(found, '(');
    CHECK(end != NULL);
    char *begin = end;
    while (strchr(" \n*", begin[-1]) == NULL) {
        begin--;
    }
    *end = '\0';
    *rest = end + 1;
    return begin;
}

static void
every_function_has_its_case(void **state)
{
    (void)state;
    char *text = test_source_read("engine/leat.h");
    char *rest = text;
    uint32_t count = 0;
    for (const char *name = next_declared(&rest); name != NULL; name = next_declared(&rest)) {
        if (entry_of(name) == NULL) {
            test_say("engine/leat.h declares %s, and nothing here makes mistakes with it\n", name);
        }
        CHECK(entry_of(name) != NULL);
        count++;
    }
    CHECK_EQUAL(count, TEST_COUNT_OF(entries));
    free(text);
}

static void
all_mistakes(struct world *world)
{
    for (size_t i = 0; i < TEST_COUNT_OF(entries); i++) {
        entries[i].mistakes(world);
    }
}

static struct leat_outcome
mistakes_run(struct leat_run *run, void *context)
{
    struct world *world = context;
    if (world->run != NULL) {
        return leat_done();
    }
    world->run = run;
    case_run(world);
    return leat_done();
}

/* In an engine that is open, that runs, and that is stopped. */
static void
mistakes_are_answered(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.workers = 0;
    struct world world = {.engine = test_open(&config)};
    world.type = test_register(world.engine, "t", mistakes_run, &world);
    all_mistakes(&world);
    (void)test_submit(world.engine, world.type);
    CHECK_OK(leat_start(world.engine));
    CHECK_OK(leat_run_some(world.engine, 1, NULL));
    CHECK(world.run != NULL);
    world.run = NULL;
    all_mistakes(&world);
    CHECK_OK(leat_stop(world.engine, LEAT_FOREVER));
    all_mistakes(&world);
    CHECK_EQUAL(test_statistics(world.engine).jobs_submitted, 1);
    test_close(world.engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_has_its_case),
        cmocka_unit_test(mistakes_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
