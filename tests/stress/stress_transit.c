/* stress_transit.c - submits that do not wait for the disk, with real threads and files. Each has
 * a completion queue, keeps many in flight, and is told of every one that was taken in, once and
 * in its order, but for those with names, which are told behind. Names meet, and one of each is
 * there; some jobs are cancelled as soon as they are acknowledged. One is told by calls, and
 * cancels in them. Others submit batches that wait together. A queue is closed and opened again
 * meanwhile. Then the engine is drained, which waits for what is in flight: every job that was
 * acknowledged has run once, or was cancelled, and no other one has. At the end it is closed with
 * submits in flight, and all that was acknowledged is found by the next open. Segments are small,
 * so that submits come near the bound of the log's size; in one round what is acknowledged is
 * written only. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define FLYERS    3
#define BATCHERS  1
#define CALLERS   1
#define ALL       (FLYERS + BATCHERS + CALLERS)
#define WORKERS   2
#define SLOTS     100
#define JOBS_MAX  (UINT32_C(1) << 16)
#define BATCH     14
#define ROUND_NS  UINT64_C(400000000)
#define ROUNDS    3
#define NAMES     4 /* that meet */
#define LATER_NS  UINT64_C(2000000)
#define CLOSED_NS UINT64_C(3000000)

enum fate { FATE_NONE = 0, FATE_TAKEN, FATE_REFUSED, FATE_CANCELLED };

struct fixture;

/* Letters: W its thread; S many. */
struct submitter {
    struct fixture *fixture;
    uint32_t place;
    struct leat_completion_queue *queue;
    int descriptor;
    uint32_t flying;
    uint32_t count;       /* jobs so far */
    uint32_t last;        /* plain one that was told */
    unsigned char *fates; /* W by number */
    leat_atomic_u8 *runs; /* S by number */
    /* Of one who is told by calls; `last` and `fates` are then the log's thread's. */
    leat_atomic_u32 heard; /* W the log's thread: calls so far */
};

struct fixture {
    char directory[32];
    struct leat_config config;
    struct leat_engine *engine;
    leat_type type;
    leat_queue gate; /* is closed now and then */
    struct submitter submitters[ALL];
    leat_atomic_u32 stop;
    uint64_t seed;
};

/* What a completion says is one of these: the number of its job, and whether that has a name. */
static char tags[2 * JOBS_MAX];

struct payload {
    uint32_t place;
    uint32_t number;
};

static struct leat_outcome
handler(struct leat_run *run, void *context)
{
    struct fixture *fixture = context;
    struct payload payload;
    memcpy(&payload, leat_run_payload(run, NULL), sizeof(payload));
    (void)atom_add_rlx(&fixture->submitters[payload.place].runs[payload.number], 1);
    return leat_done();
}

static bool
stops(struct fixture *fixture)
{
    return atom_load_rlx(&fixture->stop) != 0;
}

/* ---- those that do not wait ------------------------------------------------------------------ */

static void
told(struct submitter *submitter, const struct leat_completion *item, struct test_prng *prng)
{
    const char *tag = item->user;
    uint32_t number = (uint32_t)((tag - tags) / 2);
    bool named = (tag - tags) % 2 != 0;
    CHECK_EQUAL(item->kind, LEAT_COMPLETION_ACKNOWLEDGED);
    CHECK(number < submitter->count && submitter->fates[number] == FATE_NONE);
    CHECK(item->status == LEAT_OK || item->status == LEAT_CLOSED ||
          (named && item->status == LEAT_EXISTS));
    submitter->fates[number] = item->status == LEAT_OK ? FATE_TAKEN : FATE_REFUSED;
    if (!named) {
        CHECK(number >= submitter->last);
        submitter->last = number;
    }
    if (item->status == LEAT_OK && test_random_below(prng, 8) == 0 &&
        leat_cancel(submitter->fixture->engine, item->id) == LEAT_OK) {
        submitter->fates[number] = FATE_CANCELLED;
    }
    submitter->flying--;
}

/* Until none is left, or fewer than `most`. */
static void
listen_until(struct submitter *submitter, uint32_t most, struct test_prng *prng)
{
    while (submitter->flying > most) {
        struct leat_completion items[16];
        struct pollfd look = {.fd = submitter->descriptor, .events = POLLIN};
        size_t taken = 0;
        CHECK(poll(&look, 1, 20000) == 1);
        if (leat_completion_queue_take(submitter->queue, items, TEST_COUNT_OF(items), &taken) ==
            LEAT_OK) {
            for (size_t i = 0; i < taken; i++) {
                told(submitter, &items[i], prng);
            }
        }
    }
}

static void
fly_one(struct submitter *submitter, struct test_prng *prng)
{
    struct fixture *fixture = submitter->fixture;
    struct payload payload = {submitter->place, submitter->count};
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    uint32_t way = test_random_below(prng, 16);
    char name[16];
    leat_job_id id = {0};
    options.acknowledgements = submitter->queue;
    job.type = fixture->type;
    job.payload = &payload;
    job.payload_bytes = sizeof(payload);
    job.options = &options;
    job.user = &tags[2 * (size_t)submitter->count];
    if (way == 0) {
        (void)snprintf(name, sizeof(name), "n%u", test_random_below(prng, NAMES));
        options.name = name;
        job.user = &tags[2 * (size_t)submitter->count + 1];
    }
    job.delay_ns = way == 1 ? LATER_NS : 0;
    job.queue = way < 4 ? fixture->gate : job.queue;
    enum leat_status status = leat_submit(fixture->engine, &job, &id);
    CHECK(status == LEAT_OK || status == LEAT_FULL || status == LEAT_CLOSED);
    if (status == LEAT_OK) {
        submitter->flying++;
        submitter->count++;
    } else {
        (void)usleep(50);
    }
}

static void *
flyer(void *argument)
{
    struct submitter *submitter = argument;
    struct fixture *fixture = submitter->fixture;
    struct test_prng prng = {fixture->seed + submitter->place + submitter->count};
    while (!stops(fixture) && submitter->count < JOBS_MAX) {
        fly_one(submitter, &prng);
        if (submitter->flying == SLOTS) {
            listen_until(submitter, test_random_below(&prng, SLOTS), &prng);
        }
    }
    listen_until(submitter, 0, &prng);
    return NULL;
}

/* ---- those that are told by calls ------------------------------------------------------------ */

/* Whom a call is about. */
static struct call {
    struct submitter *submitter;
    uint32_t number;
} calls[JOBS_MAX];

static void
called(leat_job_id id, enum leat_status status, void *context)
{
    const struct call *call = context;
    struct submitter *submitter = call->submitter;
    const uint32_t number = call->number;
    CHECK(submitter->fates[number] == FATE_NONE);
    CHECK(status == LEAT_OK || status == LEAT_CLOSED);
    CHECK(number >= submitter->last);
    submitter->last = number;
    submitter->fates[number] = status == LEAT_OK ? FATE_TAKEN : FATE_REFUSED;
    if (status == LEAT_OK && number % 8 == 0 &&
        leat_cancel(submitter->fixture->engine, id) == LEAT_OK) {
        submitter->fates[number] = FATE_CANCELLED;
    }
    (void)atom_add_acq_rel(&submitter->heard, 1);
}

static void
call_one(struct submitter *submitter)
{
    struct fixture *fixture = submitter->fixture;
    struct payload payload = {submitter->place, submitter->count};
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    calls[submitter->count] = (struct call){submitter, submitter->count};
    options.acknowledged = called;
    options.acknowledged_context = &calls[submitter->count];
    job.type = fixture->type;
    job.payload = &payload;
    job.payload_bytes = sizeof(payload);
    job.options = &options;
    job.queue = submitter->count % 4 == 0 ? fixture->gate : job.queue;
    enum leat_status status = leat_submit(fixture->engine, &job, NULL);
    CHECK(status == LEAT_OK || status == LEAT_FULL || status == LEAT_CLOSED);
    if (status == LEAT_OK) {
        submitter->count++;
    } else {
        (void)usleep(50);
    }
}

static void *
caller(void *argument)
{
    struct submitter *submitter = argument;
    while (!stops(submitter->fixture) && submitter->count < JOBS_MAX) {
        call_one(submitter);
        while (submitter->count - atom_load_acq(&submitter->heard) >= SLOTS) {
            (void)usleep(50);
        }
    }
    while (submitter->count != atom_load_acq(&submitter->heard)) {
        (void)usleep(50);
    }
    return NULL;
}

/* ---- those that wait together ---------------------------------------------------------------- */

static void *
batcher(void *argument)
{
    struct submitter *submitter = argument;
    struct fixture *fixture = submitter->fixture;
    struct payload payloads[BATCH];
    struct leat_job jobs[BATCH];
    enum leat_status statuses[BATCH];
    while (!stops(fixture) && submitter->count + BATCH < JOBS_MAX) {
        for (uint32_t i = 0; i < BATCH; i++) {
            payloads[i] = (struct payload){submitter->place, submitter->count + i};
            jobs[i] = leat_job_default();
            jobs[i].type = fixture->type;
            jobs[i].payload = &payloads[i];
            jobs[i].payload_bytes = sizeof(payloads[i]);
            jobs[i].queue = i % 7 == 0 ? fixture->gate : jobs[i].queue;
        }
        enum leat_status status =
            leat_submit_batch(fixture->engine, jobs, BATCH, LEAT_BATCH_EACH, NULL, statuses);
        CHECK(status == LEAT_OK || status == LEAT_CLOSED);
        for (uint32_t i = 0; i < BATCH; i++) {
            CHECK(statuses[i] == LEAT_OK || statuses[i] == LEAT_CLOSED);
            submitter->fates[submitter->count++] =
                statuses[i] == LEAT_OK ? FATE_TAKEN : FATE_REFUSED;
        }
    }
    return NULL;
}

/* ---- rounds ---------------------------------------------------------------------------------- */

static void
open_all(struct fixture *fixture)
{
    fixture->engine = test_open(&fixture->config);
    fixture->type = test_register(fixture->engine, "work", handler, fixture);
    fixture->gate = (leat_queue){0};
    enum leat_status made = leat_queue_create(fixture->engine, "gate", NULL, &fixture->gate);
    CHECK(made == LEAT_OK || made == LEAT_EXISTS);
    for (uint32_t i = 0; i < FLYERS; i++) {
        struct submitter *submitter = &fixture->submitters[i];
        CHECK_OK(leat_completion_queue_create(fixture->engine, SLOTS, &submitter->queue));
        CHECK_OK(leat_completion_queue_descriptor(submitter->queue, &submitter->descriptor));
    }
}

/* A name stays with the job that ran: what the others were told says that it was taken. */
static void
judge(struct fixture *fixture)
{
    for (uint32_t i = 0; i < ALL; i++) {
        struct submitter *submitter = &fixture->submitters[i];
        for (uint32_t j = 0; j < submitter->count; j++) {
            uint32_t runs = atom_load_rlx(&submitter->runs[j]);
            CHECK(submitter->fates[j] != FATE_NONE);
            CHECK_EQUAL(runs, submitter->fates[j] == FATE_TAKEN ? 1 : 0);
        }
    }
}

static void
round_run(struct fixture *fixture)
{
    pthread_t threads[ALL];
    uint64_t end_ns = test_now_ns() + ROUND_NS;
    open_all(fixture);
    CHECK_OK(leat_start(fixture->engine));
    atom_store_rlx(&fixture->stop, 0);
    for (uint32_t i = 0; i < ALL; i++) {
        void *(*body)(void *argument) = i < FLYERS + BATCHERS ? batcher : caller;
        body = i < FLYERS ? flyer : body;
        CHECK(pthread_create(&threads[i], NULL, body, &fixture->submitters[i]) == 0);
    }
    while (test_now_ns() < end_ns) {
        enum leat_status drained =
            leat_queue_drain(fixture->engine, fixture->gate, UINT64_C(20000000000));
        CHECK_OK(drained);
        (void)usleep(CLOSED_NS / 1000 / 3);
        CHECK_OK(leat_queue_reopen(fixture->engine, fixture->gate));
        (void)usleep(CLOSED_NS / 1000);
    }
    atom_store_rlx(&fixture->stop, 1);
    for (uint32_t i = 0; i < ALL; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    while (test_statistics(fixture->engine).jobs_scheduled != 0) { /* a drain does not wait */
        (void)usleep(1000);
    }
    CHECK_OK(leat_drain(fixture->engine, UINT64_C(20000000000)));
    judge(fixture);
    test_close(fixture->engine);
}

/* Closed with many in flight: what was acknowledged comes back, and perhaps more. */
static void
close_in_flight(struct fixture *fixture)
{
    struct submitter *submitter = &fixture->submitters[0];
    struct test_prng prng = {fixture->seed};
    struct leat_recovery_info info = leat_recovery_info_default();
    open_all(fixture);
    submitter->count = 0;
    submitter->last = 0;
    memset(submitter->fates, 0, JOBS_MAX);
    while (submitter->flying < SLOTS) {
        fly_one(submitter, &prng);
    }
    listen_until(submitter, SLOTS / 2, &prng);
    uint64_t taken = 0;
    uint64_t refused = 0;
    for (uint32_t i = 0; i < submitter->count; i++) {
        taken += submitter->fates[i] == FATE_TAKEN ? 1 : 0;
        refused += submitter->fates[i] == FATE_REFUSED || submitter->fates[i] == FATE_CANCELLED;
    }
    submitter->flying = 0;
    CHECK_OK(leat_close(fixture->engine));
    fixture->engine = test_open(&fixture->config);
    CHECK_OK(leat_recovery_get(fixture->engine, &info));
    CHECK(info.jobs >= taken && info.jobs <= SLOTS - refused);
    test_close(fixture->engine);
}

int
main(void)
{
    static struct fixture fixture;
    fixture.seed = test_seed("stress_transit");
    strcpy(fixture.directory, "stress_transit.XXXXXX");
    CHECK(mkdtemp(fixture.directory) != NULL);
    fixture.config = test_config();
    fixture.config.workers = WORKERS;
    fixture.config.jobs_max = 65536;
    fixture.config.retained_max = 0;
    fixture.config.log_directory = fixture.directory;
    fixture.config.log_segment_bytes = UINT64_C(1) << 16; /* so that the cleaner is behind */
    fixture.config.log_ring_bytes = UINT64_C(1) << 15;
    for (uint32_t i = 0; i < ALL; i++) {
        struct submitter *submitter = &fixture.submitters[i];
        submitter->fixture = &fixture;
        submitter->place = i;
        submitter->fates = calloc(JOBS_MAX, sizeof(*submitter->fates));
        submitter->runs = calloc(JOBS_MAX, sizeof(*submitter->runs));
        CHECK(submitter->fates != NULL && submitter->runs != NULL);
    }
    for (uint32_t round = 0; round < ROUNDS; round++) {
        fixture.config.durability = round == 1 ? LEAT_DURABILITY_OS : LEAT_DURABILITY_GROUP;
        round_run(&fixture);
    }
    close_in_flight(&fixture);
    for (uint32_t i = 0; i < ALL; i++) {
        free(fixture.submitters[i].fates);
        free(fixture.submitters[i].runs);
    }
    test_directory_remove(fixture.directory);
    return 0;
}
