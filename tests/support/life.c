/* life.c - see life.h. */
#include "tests/support/life.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/durable/internal.h"
#include "engine/order.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define HOUR_NS UINT64_C(3600000000000)

/* Jobs, by number: before what fails is armed; one by one; as a batch; and those that are submitted
 * and cancelled, so that the log is cleaned. */
#define BEFORE 9
#define SINGLY 9
#define CHURN  16

/* Every so many-th of those that come one by one does not wait for the disk, unless it is a member,
 * whose submit does. */
#define FLIES     3
#define TRIES_MAX 100 /* while the log's ring is full, which it may stay; or a job is looked at */

#define MEMBER(number) ((number) % 5 == 2)
#define NAMED(number)  ((number) % 4 == 1)
#define KEYED(number)  ((number) % 8 == 5) /* and for a time */

/* The cleaner is given so long, where nothing was refused. */
#define CLEANS_MS 100

/* ---- what it is told ------------------------------------------------------------------------- */

static bool
accepted(struct life *life, enum leat_status status, const char *call)
{
    if (status != LEAT_OK && (life->allowed >> status & 1) == 0) {
        test_say("%s: %s\n", call, leat_status_text(status));
        CHECK((life->allowed >> status & 1) != 0);
    }
    life->refusals += status == LEAT_OK ? 0 : 1;
    return status == LEAT_OK;
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static uint32_t
payload_bytes(uint32_t number)
{
    return number >= BEFORE + SINGLY + LIFE_BATCH ? LIFE_PAYLOAD_MAX : 40 + number * 29;
}

static unsigned char
payload_byte(uint32_t number, uint32_t at)
{
    return (unsigned char)(number * 31 + at);
}

/* Which of these is for what a handler does with it, see handler(). */
static void
job_fill(struct life *life, uint32_t place, uint32_t number)
{
    struct leat_job *job = &life->batch[place];
    struct leat_job_options *options = &life->options[place];
    unsigned char *payload = life->payloads[place];
    for (uint32_t i = 0; i < payload_bytes(number); i++) {
        payload[i] = payload_byte(number, i);
    }
    memcpy(payload, &number, sizeof(number));
    *job = leat_job_default();
    *options = leat_job_options_default();
    job->type = life->type;
    job->payload = payload;
    job->payload_bytes = payload_bytes(number);
    job->flags = number % 3 == 0 ? LEAT_JOB_KEEP_RESULT : 0;
    job->delay_ns = number % 7 == 6 ? HOUR_NS : 0;
    if (NAMED(number)) {
        (void)snprintf(life->names[place], sizeof(life->names[place]), "job-%u", number);
        options->name = life->names[place];
        options->unique_key = life->names[place];
        options->unique_key_bytes = strlen(life->names[place]);
        options->unique_scope = KEYED(number) ? LEAT_UNIQUE_FOR_TIME : LEAT_UNIQUE_UNTIL_FINISHED;
        options->unique_for_ns = KEYED(number) ? 24 * HOUR_NS : 0;
        job->options = options;
    }
    if (MEMBER(number)) {
        options->cohort = life->cohort;
        job->options = options;
    }
}

/* It is submitted, or refused. */
static void
job_said(struct life *life, uint32_t number, leat_job_id id, bool there)
{
    life->jobs[number].id = id;
    life->jobs[number].fate = there ? LIFE_THERE : LIFE_OPEN;
    life->jobs[number].keyed = there && KEYED(number);
    life->members += MEMBER(number) ? 1 : 0;
    life->members_there += MEMBER(number) && there ? 1 : 0;
}

static struct leat_outcome
handler(struct leat_run *run, void *context)
{
    struct life *life = context;
    size_t bytes = 0;
    uint32_t number = LIFE_JOBS_MAX;
    const unsigned char *payload = leat_run_payload(run, &bytes);
    CHECK(bytes >= sizeof(number));
    memcpy(&number, payload, sizeof(number));
    CHECK(number < life->count);
    CHECK_EQUAL(bytes, payload_bytes(number));
    for (uint32_t i = sizeof(number); i < bytes; i++) {
        CHECK(payload[i] == payload_byte(number, i));
    }
    struct life_job *job = &life->jobs[number];
    CHECK(job->fate != LIFE_ENDED);
    CHECK(job->runs++ == 0 || !life->judges);
    if (life->judges) {
        return leat_done();
    }
    switch (number % 6) {
    case 1:
        (void)accepted(life, leat_run_error(run, "not now"), "error");
        return leat_retry_in(HOUR_NS);
    case 2:
        (void)accepted(life, leat_run_error(run, "never"), "error");
        return leat_fail();
    case 3:
        (void)accepted(life, leat_run_result(run, "fruit", 5), "result");
        return leat_done();
    case 4:
        return leat_snooze(HOUR_NS);
    default:
        /* Its end trails, unless it is kept. */
        job->fate = number % 3 == 0 ? job->fate : LIFE_OPEN;
        return leat_done();
    }
}

/* ---- changes --------------------------------------------------------------------------------- */

/* Of a job that is there, a change that is answered for: what it is from then on. */
static void
changed(struct life *life, uint32_t number, enum leat_status status, enum life_fate fate)
{
    bool done = accepted(life, status, "change");
    life->jobs[number].fate = done ? fate : LIFE_OPEN;
}

static bool
is_there(const struct life *life, uint32_t number)
{
    return number < life->count && life->jobs[number].fate == LIFE_THERE;
}

static leat_queue
tuned(const struct life *life)
{
    leat_queue queue;
    CHECK_OK(leat_queue_find(life->engine, "tuned", &queue));
    return queue;
}

static void
tune(struct life *life)
{
    enum leat_status status = leat_queue_set_weight(life->engine, tuned(life), ++life->weight);
    life->weight_there = accepted(life, status, "weight") ? life->weight : life->weight_there;
}

/* ---- acts ------------------------------------------------------------------------------------ */

static bool
life_open(struct life *life)
{
    struct leat_error error;
    struct leat_type_options options = leat_type_options_default();
    life->engine = NULL;
    enum leat_status status = leat_open(&life->config, &life->engine, &error);
    CHECK_STATUS(error.status, status);
    if (status != LEAT_OK) {
        CHECK(strlen(error.text) != 0);
        CHECK(life->engine == NULL);
        CHECK_EQUAL(test_memory_blocks(&life->memory), 0);
    }
    if (!accepted(life, status, error.text)) {
        return false;
    }
    status = leat_type_register(life->engine, "work", handler, life, &options, &life->type);
    return accepted(life, status, "register");
}

static void
submit(struct life *life)
{
    uint32_t number = life->count++;
    CHECK(number < LIFE_JOBS_MAX);
    leat_job_id id = {0};
    job_fill(life, 0, number);
    enum leat_status status = leat_submit(life->engine, &life->batch[0], &id);
    CHECK((id.bits != 0) == (status == LEAT_OK));
    job_said(life, number, id, accepted(life, status, "submit"));
}

/* What it is told. */
static enum leat_status
told(struct life *life)
{
    struct leat_completion item = {.status = LEAT_EMPTY};
    struct pollfd look = {.events = POLLIN};
    size_t taken = 0;
    CHECK_OK(leat_completion_queue_descriptor(life->queue, &look.fd));
    while (taken == 0) {
        CHECK(poll(&look, 1, 20000) == 1);
        enum leat_status status = leat_completion_queue_take(life->queue, &item, 1, &taken);
        CHECK(status == LEAT_OK || status == LEAT_EMPTY);
    }
    CHECK_EQUAL(item.kind, LEAT_COMPLETION_ACKNOWLEDGED);
    return item.status;
}

/* The same by a call. */
struct call {
    leat_atomic_u32 count;
    leat_job_id id;
    enum leat_status status;
};

static void
called(leat_job_id id, enum leat_status status, void *context)
{
    struct call *call = context;
    call->id = id;
    call->status = status;
    (void)atom_add_acq_rel(&call->count, 1);
}

static bool
was_called(void *argument)
{
    return atom_load_acq(&((struct call *)argument)->count) != 0;
}

static enum leat_status
told_by_call(struct call *call, leat_job_id id)
{
    CHECK(test_until(was_called, call));
    CHECK_EQUAL(atom_load_acq(&call->count), 1);
    CHECK_EQUAL(call->id.bits, id.bits);
    return call->status;
}

static void
submit_flying(struct life *life)
{
    uint32_t number = life->count++;
    leat_job_id id = {0};
    enum leat_status status = LEAT_FULL;
    static struct call call;
    bool calls = number % 2 == 0;
    job_fill(life, 0, number);
    call = (struct call){.count = 0};
    life->options[0].acknowledgements = calls ? NULL : life->queue;
    life->options[0].acknowledged = calls ? called : NULL;
    life->options[0].acknowledged_context = &call;
    life->batch[0].options = &life->options[0];
    for (uint32_t i = 0; i < TRIES_MAX && status == LEAT_FULL; i++) {
        status = leat_submit(life->engine, &life->batch[0], &id);
        (void)usleep(status == LEAT_FULL ? 100 : 0);
    }
    CHECK((id.bits != 0) == (status == LEAT_OK));
    if (status == LEAT_OK) {
        status = calls ? told_by_call(&call, id) : told(life);
    }
    bool there = status != LEAT_FULL && accepted(life, status, "submit without waiting");
    job_said(life, number, id, there);
}

static void
submit_singly(struct life *life)
{
    enum leat_status status = leat_completion_queue_create(life->engine, 1, &life->queue);
    bool flies = accepted(life, status, "completion queue");
    for (uint32_t i = 0; i < SINGLY; i++) {
        if (flies && i % FLIES == FLIES - 1 && !MEMBER(life->count)) {
            submit_flying(life);
        } else {
            submit(life);
        }
    }
}

static void
submit_batch(struct life *life)
{
    leat_job_id ids[LIFE_BATCH] = {{0}};
    uint32_t first = life->count;
    life->count += LIFE_BATCH;
    for (uint32_t i = 0; i < LIFE_BATCH; i++) {
        job_fill(life, i, first + i);
    }
    enum leat_status status =
        leat_submit_batch(life->engine, life->batch, LIFE_BATCH, LEAT_BATCH_ALL_OR_NONE, ids, NULL);
    bool there = accepted(life, status, "batch");
    for (uint32_t i = 0; i < LIFE_BATCH; i++) {
        job_said(life, first + i, ids[i], there);
    }
}

static void
cancel(struct life *life, uint32_t number)
{
    if (is_there(life, number)) {
        changed(life, number, leat_cancel(life->engine, life->jobs[number].id), LIFE_ENDED);
    }
}

static void
run_all(struct life *life)
{
    size_t ran = 0;
    if (test_state(life->engine) == LEAT_ENGINE_OPEN &&
        !accepted(life, leat_start(life->engine), "start")) {
        return;
    }
    while (leat_run_some(life->engine, 100, &ran) == LEAT_OK) {
    }
}

/* The cleaner may look at it: then once more. */
static enum leat_status
revive(struct life *life, leat_job_id id)
{
    const struct leat_when now = {.delay_ns = 0};
    enum leat_status status = LEAT_BUSY;
    for (uint32_t i = 0; i < TRIES_MAX && status == LEAT_BUSY; i++) {
        status = leat_dead_retry(life->engine, id, now);
        (void)usleep(status == LEAT_BUSY ? 1000 : 0);
    }
    return status;
}

/* Behind a run: who died, has a result, or is to come later. */
static void
change_some(struct life *life)
{
    const struct leat_when later = {.delay_ns = HOUR_NS / 2};
    for (uint32_t number = 0; number < BEFORE + SINGLY; number++) {
        struct leat_job_info info = leat_job_info_default();
        leat_job_id id = life->jobs[number].id;
        if (!is_there(life, number) || leat_get(life->engine, id, &info) != LEAT_OK) {
            continue;
        }
        if (info.state == LEAT_JOB_DEAD && number % 4 == 0) {
            changed(life, number, leat_dead_delete(life->engine, id), LIFE_ENDED);
        } else if (info.state == LEAT_JOB_DEAD && number % 4 == 2 && number > BEFORE) {
            changed(life, number, revive(life, id), LIFE_THERE);
        } else if (info.state == LEAT_JOB_COMPLETED && number % 2 == 1) {
            changed(life, number, leat_release(life->engine, id), LIFE_ENDED);
        } else if (info.state == LEAT_JOB_RETRYING) {
            changed(life, number, leat_reschedule(life->engine, id, later), LIFE_THERE);
        }
    }
}

static void
churn(struct life *life)
{
    for (uint32_t i = 0; i < CHURN; i++) {
        submit(life);
        cancel(life, life->count - 1);
        if (i % 8 == 7) {
            run_all(life);
            tune(life);
        }
    }
    for (uint32_t i = 0; i < CLEANS_MS && life->refusals == 0 &&
                         leat_durable_bytes(life->engine) > 5 * life->config.log_segment_bytes;
         i++) {
        usleep(1000);
    }
}

static void
config_make(struct life *life)
{
    life->config = test_config();
    life->config.workers = 0;
    life->config.jobs_max = 256;
    life->config.allocator = test_memory_allocator(&life->memory);
    life->config.payload_bytes_max = LIFE_PAYLOAD_MAX;
    life->config.log_directory = life->directory;
    life->config.log_segment_bytes = LEAT_WAL_SEGMENT_BYTES_MIN;
    life->config.log_ring_bytes = LEAT_WAL_SEGMENT_BYTES_MIN / 2;
}

/* Nothing fails yet: the log that is opened later has something in it. */
static void
before(struct life *life)
{
    struct leat_cohort_options options = leat_cohort_options_default();
    leat_queue queue;
    CHECK(life_open(life));
    CHECK_OK(leat_queue_create(life->engine, "tuned", NULL, &queue));
    CHECK_OK(leat_queue_pause(life->engine, queue));
    tune(life);
    options.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_cohort_open(life->engine, &options, &life->cohort));
    for (uint32_t i = 0; i < BEFORE; i++) {
        submit(life);
    }
    run_all(life);
    CHECK(life->refusals == 0);
    test_close(life->engine);
}

uint64_t
life_step(uint64_t *first)
{
    /* Nobody changes the environment while a test runs. */
    bool all = getenv("LEAT_FAULT_ALL") != NULL; /* NOLINT(concurrency-mt-unsafe) */
    uint64_t step = all ? 1 : test_sanitized() ? 11 : 4;
    *first = all ? 0 : test_seed("life") % step;
    return step;
}

void
life_run(void *argument)
{
    struct life *life = argument;
    config_make(life);
    before(life);
    life->forgets = (life->allowed >> LEAT_NO_MEMORY & 1) != 0;
    life->arm(life, true);
    life->opened = life_open(life);
    if (life->opened) {
        submit_singly(life);
        tune(life);
        submit_batch(life);
        cancel(life, BEFORE);     /* which is kept */
        cancel(life, BEFORE + 1); /* and which is not */
        run_all(life);
        change_some(life);
        churn(life);
    }
    if (life->closes && life->engine != NULL) {
        test_close(life->engine);
        CHECK_EQUAL(test_memory_blocks(&life->memory), 0);
    }
    life->arm(life, false);
}

/* ---- judging --------------------------------------------------------------------------------- */

static void
cohort_judge(struct life *life)
{
    struct leat_cohort_info info = leat_cohort_info_default();
    CHECK_OK(leat_cohort_get(life->engine, life->cohort, &info));
    if (info.total < life->members_there || info.total > life->members) {
        test_say("cohort: %u members, %u there, total %u, ended %u\n", life->members,
                 life->members_there, (uint32_t)info.total,
                 (uint32_t)(info.completed + info.dead + info.cancelled));
    }
    CHECK(info.total >= life->members_there);
    CHECK(info.total <= life->members);
    CHECK(info.open);
}

static void
queue_judge(struct life *life)
{
    struct leat_queue_info info = leat_queue_info_default();
    leat_queue queue = tuned(life);
    uint32_t weight = leat_weight_of(life->engine, queue.bits - 1);
    CHECK_OK(leat_queue_get_info(life->engine, queue, &info));
    CHECK(info.paused);
    CHECK(weight >= life->weight_there && weight <= life->weight);
}

/* Its first one, by what was said of it. */
static void
attempt_judge(struct life *life, leat_job_id id, const char *wanted)
{
    struct leat_attempt_info info = leat_attempt_info_default();
    size_t count = 0;
    CHECK_OK(leat_job_attempts(life->engine, id, &info, 1, &count));
    CHECK(count == 1 || life->forgets);
    CHECK(count == 0 || strcmp(info.error, wanted) == 0 || life->forgets);
}

static void
attempts_judge(struct life *life, uint32_t number, const struct leat_job_info *info)
{
    leat_job_id id = life->jobs[number].id;
    if (info->state == LEAT_JOB_RETRYING) {
        attempt_judge(life, id, "not now");
    } else if (info->state == LEAT_JOB_DEAD && number % 6 == 2) {
        attempt_judge(life, id, "never");
    }
}

/* Nobody else gets it. */
static void
key_judge(struct life *life, uint32_t number)
{
    leat_job_id id = {0};
    if (life->jobs[number].keyed) {
        job_fill(life, 0, number);
        life->options[0].name = NULL;
        life->options[0].cohort.bits = 0;
        CHECK_STATUS(leat_submit(life->engine, &life->batch[0], &id), LEAT_EXISTS);
    }
}

static void
job_judge(struct life *life, uint32_t number)
{
    struct leat_job_info info = leat_job_info_default();
    const struct life_job *job = &life->jobs[number];
    if (job->id.bits == 0) {
        return;
    }
    bool there = leat_get(life->engine, job->id, &info) == LEAT_OK;
    bool ended = !there || info.state == LEAT_JOB_CANCELLED;
    bool right = job->fate == LIFE_OPEN || (job->fate == LIFE_ENDED ? ended : !ended);
    if (!right) {
        test_say("job %u: fate %u, there %d, state %u\n", number, job->fate, there, info.state);
    }
    CHECK(right);
    CHECK(!there || info.payload_bytes == payload_bytes(number));
    if (there) {
        attempts_judge(life, number, &info);
    }
    key_judge(life, number);
}

void
life_judge(void *argument)
{
    struct life *life = argument;
    struct leat_recovery_info found = leat_recovery_info_default();
    test_memory_init(&life->memory); /* what the other process had is gone with it */
    config_make(life);
    life->judges = true;
    life->allowed = 0;
    CHECK(life_open(life));
    CHECK_OK(leat_recovery_get(life->engine, &found));
    CHECK(found.jobs <= life->count + 1U); /* and the cohort */
    cohort_judge(life);
    queue_judge(life);
    for (uint32_t i = 0; i < life->count; i++) {
        life->jobs[i].runs = 0;
        job_judge(life, i);
    }
    run_all(life);
    submit(life);
    run_all(life);
    CHECK_EQUAL(life->jobs[life->count - 1].runs + (life->count % 7 == 0 ? 1 : 0), 1);
    test_close(life->engine);
    CHECK_EQUAL(test_memory_blocks(&life->memory), 0);
}

/* ---- making ---------------------------------------------------------------------------------- */

void
life_reset(struct life *life)
{
    char directory[sizeof(life->directory)];
    memcpy(directory, life->directory, sizeof(directory));
    test_directory_empty(directory);
    memset(life, 0, sizeof(*life));
    memcpy(life->directory, directory, sizeof(directory));
    test_memory_init(&life->memory);
}

struct life *
life_make(void)
{
    struct life *life =
        mmap(NULL, sizeof(*life), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(life != MAP_FAILED);
    strcpy(life->directory, "life.XXXXXX");
    CHECK(mkdtemp(life->directory) != NULL);
    life_reset(life);
    return life;
}

void
life_free(struct life *life)
{
    test_directory_remove(life->directory);
    CHECK(munmap(life, sizeof(*life)) == 0);
}
