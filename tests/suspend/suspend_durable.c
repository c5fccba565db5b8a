/* suspend_durable.c - an engine with a log under the suspension test, see suspend.h: a thread stops
 * for ever at each step of a durable submit, of one that does not wait, is taken in behind that and
 * acknowledged, of a batch, a cancel, the log's own work, or a worker as it ends a durable job; and
 * so do the log's thread, which settles, takes in and tells, and the cleaner. Tasks, and jobs that
 * are not durable, go on whatever stands still. Durable submits wait for a record in front of
 * theirs that is not published, and for who has the log's role. Nobody is told of a submit that
 * does not wait while the log's thread stands, wherever that is. So it says the tables of
 * docs/design/0037 and 0043.
 *
 * Where a caller stops the log's threads rest: what they do is done by whoever waits, or by the one
 * that stops. A worker does not wait, so they are needed there. The cleaner rests but where it is
 * the one that stops; then there is no limit to how far others are ahead of it, for which they
 * would wait: unit_durable_size has that.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/durable/internal.h"
#include "tests/support/check.h"
#include "tests/suspend/host.h"

#define HOUR_NS UINT64_C(3600000000000)

/* Of laps: each durable submit is a batch of the log. */
#define PLACES 4

#define BATCH 3

/* Of the queue of acknowledgements. */
#define SLOTS 8

/* A submit takes three blocks of a segment with so many bytes, and its end one more. */
#define LARGE_BYTES 7000

#ifdef __clang__
#    pragma clang diagnostic ignored "-Wreserved-identifier"
#endif

/* Nothing is synced: what is asked is who waits for whom. The names are the linker's.
 * NOLINTBEGIN(*-reserved-identifier,cert-dcl*,readability-identifier-naming,*-valist.*) */
int __wrap_fsync(int file);
int __wrap_fdatasync(int file);

int
__wrap_fsync(int file)
{
    (void)file;
    return 0;
}

int
__wrap_fdatasync(int file)
{
    (void)file;
    return 0;
}
/* NOLINTEND(*-reserved-identifier,cert-dcl*,readability-identifier-naming,*-valist.*) */

/* ---- threads of the engine's own ------------------------------------------------------------- */

/* The next thread of that name stops as that says. */
struct starting {
    const char *name;
    struct freeze *freeze;
};

static struct starting starting;

struct started {
    void *(*run)(void *argument);
    void *argument;
    struct freeze *freeze;
};

static void *
started_run(void *argument)
{
    const struct started started = *(struct started *)argument;
    free(argument);
    freeze_adopt(started.freeze);
    return started.run(started.argument);
}

/* NOLINTBEGIN(*-reserved-identifier,cert-dcl*,readability-identifier-naming) */
enum leat_os_result __real_leat_os_thread_start(pthread_t *thread,
                                                const struct leat_os_thread_config *config);
enum leat_os_result __wrap_leat_os_thread_start(pthread_t *thread,
                                                const struct leat_os_thread_config *config);

enum leat_os_result
__wrap_leat_os_thread_start(pthread_t *thread, const struct leat_os_thread_config *config)
{
    struct leat_os_thread_config changed = *config;
    if (starting.name == NULL || strcmp(config->name, starting.name) != 0) {
        return __real_leat_os_thread_start(thread, config);
    }
    struct started *started = malloc(sizeof(*started));
    CHECK(started != NULL);
    *started = (struct started){config->run, config->argument, starting.freeze};
    starting.name = NULL;
    changed.run = started_run;
    changed.argument = started;
    return __real_leat_os_thread_start(thread, &changed);
}
/* NOLINTEND(*-reserved-identifier,cert-dcl*,readability-identifier-naming) */

/* ---- a host, and a thread that stops --------------------------------------------------------- */

struct logged {
    struct host *host;
    struct freeze freeze;
    struct freeze own;     /* of a thread of the engine's own */
    struct test_gate gate; /* the thread waits here for its call */
    pthread_t thread;
    void (*call)(struct logged *logged);
    leat_job_id id;     /* of a durable job that waits */
    leat_job_id cohort; /* or 0 */
    uint64_t delay_ns;  /* of those that are submitted */
    struct leat_completion_queue *queue;
};

static void *
caller_run(void *argument)
{
    struct logged *logged = argument;
    freeze_adopt(&logged->freeze);
    test_gate_stay(&logged->gate);
    if (logged->call != NULL) {
        logged->call(logged);
    }
    freeze_sleep(true);
    test_gate_stay(&logged->host->last_gate);
    return NULL;
}

static void *
logged_create(const struct suspend_subject *subject)
{
    struct logged *logged = calloc(1, sizeof(*logged));
    CHECK(logged != NULL);
    logged->host = host_create(subject);
    leat_durable_clean_stop(logged->host->engine->durable);
    CHECK_OK(leat_completion_queue_create(logged->host->engine, SLOTS, &logged->queue));
    freeze_init(&logged->freeze);
    freeze_init(&logged->own);
    test_gate_init(&logged->gate);
    CHECK(pthread_create(&logged->thread, NULL, caller_run, logged) == 0);
    test_gate_arrivals(&logged->gate, 1);
    return logged;
}

static void *
resting_create(const struct suspend_subject *subject)
{
    struct logged *logged = logged_create(subject);
    CHECK_OK(leat_wal_stop(&logged->host->engine->durable->wal));
    return logged;
}

/* Nor does any job end that a worker has run: who ends it kicks the log's thread, and does not
 * wait, so whoever is behind would wait for that. */
static void *
waiting_create(const struct suspend_subject *subject)
{
    struct logged *logged = resting_create(subject);
    logged->delay_ns = HOUR_NS;
    return logged;
}

static void
logged_destroy(void *subject)
{
    struct logged *logged = subject;
    struct leat_wal *log = &logged->host->engine->durable->wal;
    test_gate_open(&logged->gate);
    test_gate_open(&logged->host->last_gate);
    CHECK(pthread_join(logged->thread, NULL) == 0);
    /* A worker that ends a job in front of this does not wait, and kicks the log's thread. */
    CHECK(log->threads.run || leat_wal_start(log));
    CHECK(leat_cancel(logged->host->engine, logged->id) != LEAT_NOT_FOUND);
    if (logged->cohort.bits != 0) {
        CHECK_OK(leat_cohort_close(logged->host->engine, logged->cohort));
    }
    host_destroy(logged->host);
    freeze_fini(&logged->own);
    freeze_fini(&logged->freeze);
    test_gate_fini(&logged->gate);
    free(logged);
}

static bool
logged_settled(void *subject)
{
    struct logged *logged = subject;
    return host_settled(logged->host);
}

/* A frozen worker may have gone on to something counted. */
static bool
ending_settled(void *subject)
{
    struct logged *logged = subject;
    logged->host->in_hand = 1;
    return host_settled(logged->host);
}

static struct freeze *
begin(void *subject, uint64_t step, struct freeze_places *seen, void (*call)(struct logged *logged))
{
    struct logged *logged = subject;
    logged->call = call;
    freeze_note(&logged->freeze, seen);
    freeze_arm(&logged->freeze, step);
    test_gate_open(&logged->gate);
    return &logged->freeze;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static struct leat_job
durable_job(const struct logged *logged)
{
    struct leat_job job = leat_job_default();
    job.type = logged->host->uncounted;
    job.delay_ns = logged->delay_ns;
    return job;
}

/* Where others have submitted more than the workers have run yet, it is refused. */
static void
accepted(enum leat_status status)
{
    CHECK(status == LEAT_OK || status == LEAT_FULL);
}

static void
call_submit(struct logged *logged)
{
    const struct leat_job job = durable_job(logged);
    accepted(leat_submit(logged->host->engine, &job, NULL));
}

/* With a key it replaces the job that has it. */
static enum leat_status
fly(struct logged *logged, const char *key)
{
    struct leat_job job = durable_job(logged);
    struct leat_job_options options = leat_job_options_default();
    options.acknowledgements = logged->queue;
    options.unique_key = key;
    options.unique_key_bytes = key == NULL ? 0 : strlen(key);
    options.unique_conflict = key == NULL ? LEAT_UNIQUE_REJECT : LEAT_UNIQUE_REPLACE;
    job.options = &options;
    return leat_submit(logged->host->engine, &job, NULL);
}

/* One, if there is one. */
static bool
take(struct logged *logged, leat_job_id *id)
{
    struct leat_completion item;
    size_t taken = 0;
    enum leat_status status = leat_completion_queue_take(logged->queue, &item, 1, &taken);
    CHECK(status == LEAT_OK || status == LEAT_EMPTY);
    if (taken != 0) {
        CHECK_EQUAL(item.kind, LEAT_COMPLETION_ACKNOWLEDGED);
        CHECK_OK(item.status);
        *id = item.id;
    }
    return taken != 0;
}

/* And then as the log's own thread does, and who waits for the acknowledgement. */
static void
call_fly(struct logged *logged)
{
    struct leat_durable *durable = logged->host->engine->durable;
    leat_job_id id;
    accepted(fly(logged, NULL));
    (void)leat_wal_step(&durable->wal, false);
    leat_durable_landed(durable);
    (void)take(logged, &id);
}

static void
call_batch(struct logged *logged)
{
    struct leat_job jobs[BATCH];
    for (uint32_t i = 0; i < BATCH; i++) {
        jobs[i] = durable_job(logged);
    }
    accepted(
        leat_submit_batch(logged->host->engine, jobs, BATCH, LEAT_BATCH_ALL_OR_NONE, NULL, NULL));
}

static void
call_cancel(struct logged *logged)
{
    CHECK_OK(leat_cancel(logged->host->engine, logged->id));
}

/* As the log's own thread does: what nobody waits for. */
static void
call_log(struct logged *logged)
{
    (void)leat_wal_step(&logged->host->engine->durable->wal, true);
}

static struct freeze *
begin_submit(void *subject, uint64_t step, struct freeze_places *seen)
{
    return begin(subject, step, seen, call_submit);
}

static struct freeze *
begin_fly(void *subject, uint64_t step, struct freeze_places *seen)
{
    return begin(subject, step, seen, call_fly);
}

static struct freeze *
begin_batch(void *subject, uint64_t step, struct freeze_places *seen)
{
    return begin(subject, step, seen, call_batch);
}

static struct freeze *
begin_cancel(void *subject, uint64_t step, struct freeze_places *seen)
{
    return begin(subject, step, seen, call_cancel);
}

static struct freeze *
begin_log(void *subject, uint64_t step, struct freeze_places *seen)
{
    return begin(subject, step, seen, call_log);
}

/* A thread of the engine's own is started by `start`, and stops. */
static struct freeze *
begin_own(struct logged *logged, uint64_t step, struct freeze_places *seen, const char *name)
{
    freeze_note(&logged->own, seen);
    freeze_arm(&logged->own, step);
    starting = (struct starting){name, &logged->own};
    return &logged->own;
}

static struct freeze *
begin_clean(void *subject, uint64_t step, struct freeze_places *seen)
{
    struct logged *logged = subject;
    struct freeze *freeze = begin_own(logged, step, seen, "leat-log-clean");
    CHECK(leat_durable_clean_start(logged->host->engine));
    return freeze;
}

static struct freeze *
begin_tell(void *subject, uint64_t step, struct freeze_places *seen)
{
    struct logged *logged = subject;
    struct freeze *freeze = begin_own(logged, step, seen, "leat-log");
    CHECK(leat_wal_start(&logged->host->engine->durable->wal));
    return freeze;
}

static struct freeze *
begin_end(void *subject, uint64_t step, struct freeze_places *seen)
{
    struct logged *logged = subject;
    return host_begin(logged->host, step, seen);
}

/* ---- the others ------------------------------------------------------------------------------ */

static bool
post(void *subject, uint32_t who)
{
    struct logged *logged = subject;
    return host_run_post(logged->host, who);
}

static bool
submit_light(void *subject, uint32_t who)
{
    struct logged *logged = subject;
    struct host *host = logged->host;
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    options.durability = LEAT_DURABILITY_NONE;
    job.type = host_counts(who) ? host->counted : host->uncounted;
    job.options = &options;
    if (leat_submit(host->engine, &job, NULL) != LEAT_OK) {
        return false;
    }
    (void)atom_add_rlx(&host->jobs.accepted, host_counts(who) ? 1 : 0);
    return true;
}

static bool
submit_durable(void *subject, uint32_t who)
{
    struct logged *logged = subject;
    return host_run_submit(logged->host, who);
}

static bool
submit_cancel(void *subject, uint32_t who)
{
    const struct logged *logged = subject;
    const struct leat_job job = durable_job(logged);
    leat_job_id id;
    (void)who;
    return leat_submit(logged->host->engine, &job, &id) == LEAT_OK &&
           leat_cancel(logged->host->engine, id) == LEAT_OK;
}

/* The cleaner, which stands, has set no limit. */
static bool
submit_cancel_beyond(void *subject, uint32_t who)
{
    const struct logged *logged = subject;
    leat_durable_pace_end(logged->host->engine->durable);
    return submit_cancel(subject, who);
}

/* One is acknowledged. */
static bool
fly_told(void *subject, uint32_t who)
{
    struct logged *logged = subject;
    leat_job_id id;
    (void)who;
    accepted(fly(logged, NULL));
    return take(logged, &id) && leat_cancel(logged->host->engine, id) == LEAT_OK;
}

static bool
see_task(void *subject, uint32_t who)
{
    struct logged *logged = subject;
    return host_see_task(logged->host, who);
}

static bool
see_job(void *subject, uint32_t who)
{
    struct logged *logged = subject;
    return host_see_job(logged->host, who);
}

/* ---- situations ------------------------------------------------------------------------------ */

/* A job waits to be cancelled; its record is in the log. */
static void
waits(void *subject)
{
    struct logged *logged = subject;
    struct leat_job job = durable_job(logged);
    job.delay_ns = HOUR_NS;
    CHECK_OK(leat_submit(logged->host->engine, &job, &logged->id));
}

/* A worker has a durable job before it. */
static void
ends(void *subject)
{
    struct logged *logged = subject;
    const struct leat_job job = durable_job(logged);
    waits(subject);
    host_arrange(logged->host, logged->host->workers - 1, true);
    CHECK_OK(leat_submit(logged->host->engine, &job, NULL));
}

/* What ended with a key that it holds yet; the numbers of a cohort; what is set of a queue. */
static void
kinds(struct logged *logged)
{
    struct leat_engine *engine = logged->host->engine;
    struct leat_cohort_options cohort = leat_cohort_options_default();
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = durable_job(logged);
    leat_queue queue;
    leat_job_id id;
    CHECK_OK(leat_cohort_open(engine, &cohort, &logged->cohort));
    options.cohort = logged->cohort;
    options.unique_key = "held";
    options.unique_key_bytes = 4;
    options.unique_scope = LEAT_UNIQUE_FOR_TIME;
    options.unique_for_ns = HOUR_NS;
    job.options = &options;
    job.delay_ns = HOUR_NS;
    CHECK_OK(leat_submit(engine, &job, &id));
    CHECK_OK(leat_cancel(engine, id));
    CHECK_OK(leat_queue_find(engine, "default", &queue));
    CHECK_OK(leat_queue_set_running_max(engine, queue, 1000));
}

/* The oldest segment is to be cleaned, and has something of each kind. */
static void
grown(void *subject)
{
    static char large[LARGE_BYTES];
    struct logged *logged = subject;
    struct leat_engine *engine = logged->host->engine;
    struct leat_durable *durable = engine->durable;
    struct leat_job job = durable_job(logged);
    leat_job_id id;
    waits(subject);
    kinds(logged);
    job.delay_ns = HOUR_NS;
    job.payload = large;
    job.payload_bytes = sizeof(large);
    while (leat_wal_bytes(&durable->wal) < 3 * durable->segment_bytes) {
        CHECK_OK(leat_submit(engine, &job, &id));
        CHECK_OK(leat_cancel(engine, id));
    }
}

/* The log's thread has some to tell of: two are plain, and the second of the others replaces the
 * first one. */
static void
flown(void *subject)
{
    struct logged *logged = subject;
    const char *keys[] = {NULL, "k", NULL, "k"};
    waits(subject);
    for (uint32_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        CHECK_OK(fly(logged, keys[i]));
    }
}

static const struct host_shape three = {.workers = 3, .logs = true};

#define ENGINE(how)                                                                                \
    .capacity = PLACES, .budget = 40, .context = &three, .create = (how), .destroy = logged_destroy

#define OTHERS                                                                                     \
    {.name = "post", .run = post, .witness = true},                                                \
        {.name = "submit", .run = submit_light, .witness = true},                                  \
        {.name = "task ran", .run = see_task, .witness = true},                                    \
    {                                                                                              \
        .name = "job ran", .run = see_job, .witness = true                                         \
    }

#define DURABLES                                                                                   \
    {.name = "submit", .run = submit_durable, .witness = true},                                    \
    {                                                                                              \
        .name = "job ran", .run = see_job, .witness = true                                         \
    }

static const struct suspend_subject light_submit = {
    .name = "log, others",
    ENGINE(resting_create),
    .settled = logged_settled,
    .operations = {OTHERS,
                   {.name = "submit", .begin = begin_submit},
                   {.name = "batch", .begin = begin_batch}},
    .situations = {{"waits", waits, 0, 0}},
};

static const struct suspend_subject light_cancel = {
    .name = "log, others",
    ENGINE(resting_create),
    .settled = logged_settled,
    .operations = {OTHERS,
                   {.name = "cancel", .begin = begin_cancel},
                   {.name = "log", .begin = begin_log}},
    .situations = {{"waits", waits, 0, 0}},
};

static const struct suspend_subject light_fly = {
    .name = "log, others",
    ENGINE(resting_create),
    .settled = logged_settled,
    .operations = {OTHERS, {.name = "fly", .begin = begin_fly}},
    .situations = {{"waits", waits, 0, 0}},
};

static const struct suspend_subject light_end = {
    .name = "log, others",
    ENGINE(logged_create),
    .settled = ending_settled,
    .operations = {OTHERS, {.name = "end", .begin = begin_end}},
    .situations = {{"ends", ends, 0, 1}},
};

static const struct suspend_subject light_clean = {
    .name = "log, others",
    ENGINE(resting_create),
    .settled = logged_settled,
    .operations = {OTHERS, {.name = "clean", .begin = begin_clean}},
    .situations = {{"grown", grown, 0, 0}},
};

static const struct suspend_subject light_tell = {
    .name = "log, others",
    ENGINE(resting_create),
    .settled = logged_settled,
    .operations = {OTHERS, {.name = "tell", .begin = begin_tell}},
    .situations = {{"flown", flown, 0, 0}},
};

/* What was reserved in front of others and is not published; and who writes for all. */
#define UNPUBLISHED "ring/bytes.c store word_at(ring, position)"
#define WAITS                                                                                      \
    .blocks = {UNPUBLISHED},                                                                       \
    .span = {"engine/wal/role.h swap &role->state", "engine/wal/role.h change &role->state"}

static const struct suspend_subject durable_submit = {
    .name = "log, durable",
    ENGINE(waiting_create),
    .operations = {{.name = "changes", .run = submit_cancel, .witness = true},
                   {.name = "submit", .begin = begin_submit, WAITS},
                   {.name = "batch", .begin = begin_batch, WAITS},
                   {.name = "cancel", .begin = begin_cancel, WAITS},
                   {.name = "log", .begin = begin_log, WAITS}},
    .situations = {{"waits", waits, 0, 0}},
};

static const struct suspend_subject durable_fly = {
    .name = "log, durable",
    ENGINE(waiting_create),
    .operations = {{.name = "changes", .run = submit_cancel, .witness = true},
                   {.name = "fly", .begin = begin_fly, WAITS}},
    .situations = {{"waits", waits, 0, 0}},
};

static const struct suspend_subject durable_clean = {
    .name = "log, durable",
    ENGINE(waiting_create),
    .operations = {{.name = "changes", .run = submit_cancel_beyond, .witness = true},
                   {.name = "clean", .begin = begin_clean, WAITS}},
    .situations = {{"grown", grown, 0, 0}},
};

static const struct suspend_subject durable_tell = {
    .name = "log, durable",
    ENGINE(waiting_create),
    .operations = {{.name = "changes", .run = submit_cancel, .witness = true},
                   {.name = "tell", .begin = begin_tell, WAITS}},
    .situations = {{"flown", flown, 0, 0}},
};

/* From the first step to the last. */
#define FIRST_STEP "engine/wal/threads.c load &wal->threads.stop"

static const struct suspend_subject told_tell = {
    .name = "log, told",
    ENGINE(waiting_create),
    .operations = {{.name = "told", .run = fly_told, .witness = true},
                   {.name = "tell",
                    .begin = begin_tell,
                    .blocks = {FIRST_STEP},
                    .span = {FIRST_STEP, "none"}}},
    .situations = {{"flown", flown, 0, 0}},
};

static const struct suspend_subject durable_end = {
    .name = "log, durable",
    ENGINE(logged_create),
    .operations = {DURABLES, {.name = "end", .begin = begin_end, .blocks_or_not = {UNPUBLISHED}}},
    .situations = {{"ends", ends, 0, 1}},
};

/* ---- tests ----------------------------------------------------------------------------------- */

static void
others_go_on_beside_its_threads(void **state)
{
    (void)state;
    CHECK(suspend_run(&light_clean));
    CHECK(suspend_run(&light_tell));
}

static void
durable_jobs_wait_for_its_threads(void **state)
{
    (void)state;
    CHECK(suspend_run(&durable_clean));
    CHECK(suspend_run(&durable_tell));
    CHECK(suspend_run(&told_tell));
}

static void
others_go_on_beside_the_log(void **state)
{
    (void)state;
    CHECK(suspend_run(&light_submit));
    CHECK(suspend_run(&light_cancel));
    CHECK(suspend_run(&light_fly));
    CHECK(suspend_run(&light_end));
}

static void
durable_jobs_wait_for_the_log(void **state)
{
    (void)state;
    CHECK(suspend_run(&durable_submit));
    CHECK(suspend_run(&durable_fly));
    CHECK(suspend_run(&durable_end));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_go_on_beside_the_log),
        cmocka_unit_test(durable_jobs_wait_for_the_log),
        cmocka_unit_test(others_go_on_beside_its_threads),
        cmocka_unit_test(durable_jobs_wait_for_its_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
