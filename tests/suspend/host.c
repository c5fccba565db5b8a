/* host.c - see host.h. */
#include "tests/suspend/host.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/engine_internal.h"
#include "engine/wal/wal.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"

/* ---- work ------------------------------------------------------------------------------------ */

bool
host_counts(uint32_t who)
{
    return who == SUSPEND_OTHER || who == SUSPEND_OTHER_SECOND;
}

void
host_accept(struct host *host, uint64_t tasks)
{
    (void)atom_add_rlx(&host->tasks.accepted, tasks);
}

void
host_task_counted(void *argument)
{
    struct host *host = argument;
    (void)atom_add_rlx(&host->tasks.ran, 1);
}

void
host_task_uncounted(void *argument)
{
    (void)argument;
}

static struct leat_outcome
job_counted(struct leat_run *run, void *context)
{
    struct host *host = context;
    (void)run;
    (void)atom_add_rlx(&host->jobs.ran, 1);
    return leat_done();
}

static struct leat_outcome
job_uncounted(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

bool
host_post(struct host *host, uint32_t who)
{
    leat_task_function function = host_counts(who) ? host_task_counted : host_task_uncounted;
    if (leat_post(host->engine, LEAT_PRIORITY_NORMAL, function, host) != LEAT_OK) {
        return false;
    }
    host_accept(host, host_counts(who) ? 1 : 0);
    return true;
}

bool
host_submit(struct host *host, uint32_t who, uint32_t priority)
{
    struct leat_job job = leat_job_default();
    job.type = host_counts(who) ? host->counted : host->uncounted;
    job.priority = priority;
    if (leat_submit(host->engine, &job, NULL) != LEAT_OK) {
        return false;
    }
    (void)atom_add_rlx(&host->jobs.accepted, host_counts(who) ? 1 : 0);
    return true;
}

/* ---- operations ------------------------------------------------------------------------------ */

static void
go_on(struct host *host, uint32_t who)
{
    if (host_counts(who)) {
        test_gate_open(&host->busy_gate);
    }
}

bool
host_run_post(void *subject, uint32_t who)
{
    go_on(subject, who);
    return host_post(subject, who);
}

bool
host_run_submit(void *subject, uint32_t who)
{
    go_on(subject, who);
    return host_submit(subject, who, LEAT_PRIORITY_NORMAL);
}

/* One that ran and was not seen yet. */
static bool
count_see(struct host_count *count, uint32_t who)
{
    if (who != SUSPEND_OTHER || count->seen >= atom_load_rlx(&count->ran)) {
        return false;
    }
    count->seen++;
    return true;
}

bool
host_see_task(void *subject, uint32_t who)
{
    struct host *host = subject;
    return count_see(&host->tasks, who);
}

bool
host_see_job(void *subject, uint32_t who)
{
    struct host *host = subject;
    return count_see(&host->jobs, who);
}

struct freeze *
host_begin(void *subject, uint64_t step, struct freeze_places *seen)
{
    struct host *host = subject;
    struct freeze *freeze = &host->freezes[host->next];
    freeze_note(freeze, seen);
    freeze_arm(freeze, step);
    test_gate_open(&host->next_gate);
    return freeze;
}

bool
host_settled(void *subject)
{
    struct host *host = subject;
    uint64_t accepted = atom_load_rlx(&host->tasks.accepted) + atom_load_rlx(&host->jobs.accepted);
    uint64_t ran = atom_load_rlx(&host->tasks.ran) + atom_load_rlx(&host->jobs.ran);
    return ran + host->in_hand >= accepted;
}

/* ---- situations ------------------------------------------------------------------------------ */

void
host_hold(struct host *host, leat_task_function function, struct test_gate *gate)
{
    CHECK(pthread_mutex_lock(&gate->mutex) == 0);
    uint32_t before = gate->waiting;
    CHECK(pthread_mutex_unlock(&gate->mutex) == 0);
    CHECK_OK(leat_post(host->engine, LEAT_PRIORITY_NORMAL, function, host));
    test_gate_arrivals(gate, before + 1);
}

void
host_is_next(struct host *host)
{
    for (uint32_t i = 0; i < host->workers; i++) {
        host->next = pthread_equal(host->threads[i], pthread_self()) != 0 ? i : host->next;
    }
}

void
host_task_busy(void *argument)
{
    struct host *host = argument;
    test_gate_stay(&host->busy_gate);
}

void
host_task_next(void *argument)
{
    struct host *host = argument;
    host_is_next(host);
    test_gate_stay(&host->next_gate);
}

void
host_task_last(void *argument)
{
    struct host *host = argument;
    if (pthread_equal(host->threads[host->next], pthread_self()) != 0) {
        freeze_sleep(true);
        test_gate_stay(&host->last_gate);
        freeze_sleep(false);
    }
}

void
host_fill(struct host *host)
{
    while (host_post(host, SUSPEND_FROZEN)) {
    }
}

/* And has not been notified: one that has may not have come back yet, and will. */
static bool
sleeps(struct host *host, uint32_t worker)
{
    struct freeze *freeze = &host->freezes[worker];
    const leat_atomic_u32 *bed = &host->engine->pool.workers[worker].bed.word;
    CHECK(pthread_mutex_lock(&freeze->mutex) == 0);
    bool answer = freeze->sleeps && atom_load_acq(bed) == LEAT_PARKER_PARKED;
    CHECK(pthread_mutex_unlock(&freeze->mutex) == 0);
    return answer;
}

void
host_until_asleep(struct host *host, uint32_t count)
{
    uint32_t asleep = 0;
    while (asleep < count) {
        asleep = 0;
        for (uint32_t i = 0; i < host->workers; i++) {
            asleep += sleeps(host, i) ? 1 : 0;
        }
        test_sleep_ns(TEST_MS / 20);
    }
}

void
host_arrange(struct host *host, uint32_t busy, bool next)
{
    if (next) {
        host_hold(host, host_task_next, &host->next_gate);
    }
    for (uint32_t i = 0; i < busy; i++) {
        host_hold(host, host_task_busy, &host->busy_gate);
    }
    host_until_asleep(host, host->workers - busy - (next ? 1 : 0));
    for (uint32_t i = 0; i < host->workers && !next; i++) {
        if (sleeps(host, i)) {
            host->next = i;
            host->next_sleeps = true;
        }
    }
}

/* ---- engines --------------------------------------------------------------------------------- */

static void
worker_started(struct leat_engine *engine, uint32_t worker, void *context)
{
    struct host *host = context;
    (void)engine;
    host->threads[worker] = pthread_self();
    freeze_adopt(&host->freezes[worker]);
}

void *
host_create(const struct suspend_subject *subject)
{
    const struct host_shape *shape = subject->context;
    struct host *host = calloc(1, sizeof(*host));
    CHECK(host != NULL);
    host->subject = subject;
    host->workers = shape->workers;
    test_gate_init(&host->busy_gate);
    test_gate_init(&host->next_gate);
    test_gate_init(&host->last_gate);
    for (uint32_t i = 0; i < host->workers; i++) {
        freeze_init(&host->freezes[i]);
    }
    struct leat_config config = test_config();
    config.workers = host->workers;
    config.jobs_max = shape->jobs_max != 0 ? shape->jobs_max : HOST_SLOTS;
    config.spin_ns = 0;
    config.worker_started = worker_started;
    config.hook_context = host;
    if (shape->logs) {
        strcpy(host->directory, "suspend.XXXXXX");
        CHECK(mkdtemp(host->directory) != NULL);
        config.log_directory = host->directory;
        config.log_segment_bytes = LEAT_WAL_SEGMENT_BYTES_MIN;
        config.log_ring_bytes = LEAT_WAL_RING_BYTES_MIN;
    }
    host->engine = test_open(&config);
    host->counted = test_register(host->engine, "counted", job_counted, host);
    host->uncounted = test_register(host->engine, "uncounted", job_uncounted, host);
    CHECK_OK(leat_start(host->engine));
    return host;
}

void
host_destroy(void *subject)
{
    struct host *host = subject;
    test_gate_open(&host->busy_gate);
    test_gate_open(&host->next_gate);
    test_gate_open(&host->last_gate);
    test_finish(host->engine);
    host->in_hand = 0;
    CHECK(host_settled(host));
    if (host->directory[0] != '\0') {
        test_directory_remove(host->directory);
    }
    for (uint32_t i = 0; i < host->workers; i++) {
        freeze_fini(&host->freezes[i]);
    }
    test_gate_fini(&host->busy_gate);
    test_gate_fini(&host->next_gate);
    test_gate_fini(&host->last_gate);
    free(host);
}
