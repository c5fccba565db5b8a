/* fault_durable_memory.c - a life of an engine with durable jobs (tests/support/life.h), again and
 * again, in which each allocation fails in turn, once and from there on for ever: in an open that
 * reads a log, submits, notes, the cleaner's copies, a close. J1 to J6 of life.h hold afterwards.
 * And what only a long log meets: a switch of segments without memory holds up nobody for ever.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/durable/internal.h"
#include "ring/mutex.h"
#include "sched/topology.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"
#include "tests/support/engine.h"
#include "tests/support/life.h"
#include "tests/support/threads.h"

#define HOUR_NS UINT64_C(3600000000000)

#ifdef __clang__
#    pragma clang diagnostic ignored "-Wreserved-identifier"
#endif

/* Nothing is synced: no machine stops here. The names are the linker's.
 * NOLINTBEGIN(*-reserved-identifier,cert-dcl*,readability-identifier-naming,*-valist.*) */
int __wrap_fsync(int file);
int __wrap_fdatasync(int file);
bool __wrap_leat_topology_ask_hwloc(struct leat_topology *topology, const char *synthetic);

/* It would take most of the time of an open. */
bool
__wrap_leat_topology_ask_hwloc(struct leat_topology *topology, const char *synthetic)
{
    (void)topology;
    (void)synthetic;
    return false;
}

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

/* ---- a life ---------------------------------------------------------------------------------- */

static uint64_t fails_after;
static bool fails_for_ever;

static void
arm(struct life *life, bool armed)
{
    if (armed) {
        test_memory_fail(&life->memory, fails_after, fails_for_ever);
    } else if (!life->closes) {
        _exit(0);
    }
}

static void
sweep(bool for_ever, bool closes)
{
    struct life *life = life_make();
    bool met = true;
    uint64_t step = life_step(&fails_after);
    fails_for_ever = for_ever;
    for (; met; fails_after += step) {
        life_reset(life);
        life->arm = arm;
        life->closes = closes;
        life->allowed = UINT64_C(1) << LEAT_NO_MEMORY;
        test_child(life_run, life);
        met = test_memory_calls(&life->memory) >= atom_load_rlx(&life->memory.fail_at);
        CHECK(met || life->refusals == 0);
        test_child(life_judge, life);
    }
    test_say("%s%s: allocations %llu\n", for_ever ? "for ever" : "once", closes ? ", closed" : "",
             (unsigned long long)fails_after);
    CHECK(fails_after > 50);
    life_free(life);
}

static void
once(void **state)
{
    (void)state;
    sweep(false, false);
    sweep(false, true);
}

static void
for_ever(void **state)
{
    (void)state;
    sweep(true, false);
    sweep(true, true);
}

static int
say_where(void **state)
{
    (void)state;
    test_say("last: allocation %llu%s\n", (unsigned long long)fails_after,
             fails_for_ever ? ", for ever" : "");
    return 0;
}

/* ---- a long log ------------------------------------------------------------------------------ */

#define SMALL 1200 /* jobs whose ends, 16 bytes each, are more than the ring has room for */

struct longer {
    struct test_memory memory;
    struct leat_config config;
    char directory[32];
    struct leat_engine *engine;
    struct leat_job job;
    leat_job_id small[SMALL];
    bool cancelled[SMALL];
};

static struct leat_outcome
never(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    CHECK(false);
    return leat_done();
}

static void
longer_open(struct longer *longer)
{
    longer->engine = test_open(&longer->config);
    longer->job = leat_job_default();
    longer->job.type = test_register(longer->engine, "never", never, NULL);
    longer->job.delay_ns = HOUR_NS;
}

/* Its next segment is one for which the list of segments has no room. */
static bool
wants_room(struct leat_wal *wal)
{
    leat_mutex_lock(&wal->mutex);
    bool none = wal->known_count == wal->known_room;
    leat_mutex_unlock(&wal->mutex);
    return none && atom_load_rlx(&wal->left) < 2 * LEAT_WAL_BLOCK; /* rlx: statistic */
}

static void
longer_fill(struct longer *longer)
{
    static unsigned char payload[3000];
    struct leat_job job = longer->job;
    struct leat_wal *wal = &longer->engine->durable->wal;
    for (uint32_t i = 0; i < SMALL; i++) {
        CHECK_OK(leat_submit(longer->engine, &longer->job, &longer->small[i]));
    }
    job.payload = payload;
    job.payload_bytes = sizeof(payload);
    for (uint32_t i = 0; !wants_room(wal); i++) {
        CHECK(i < 2000);
        CHECK_OK(leat_submit(longer->engine, &job, NULL));
    }
}

/* All ends go to the ring, which is full before they are through; and memory comes back later. */
static void
longer_body(void *argument)
{
    struct longer *longer = argument;
    uint32_t refused = 0;
    longer_open(longer);
    longer_fill(longer);
    leat_durable_clean_stop(longer->engine->durable);
    test_memory_fail(&longer->memory, 0, true);
    for (uint32_t i = 0; i < SMALL; i++) {
        enum leat_status status = leat_cancel(longer->engine, longer->small[i]);
        CHECK(status == LEAT_OK || status == LEAT_NO_MEMORY);
        longer->cancelled[i] = status == LEAT_OK;
        refused += status == LEAT_OK ? 0 : 1;
    }
    test_memory_heal(&longer->memory);
    CHECK(refused > SMALL - 200);
    CHECK_OK(leat_submit(longer->engine, &longer->job, NULL));
    test_close(longer->engine);
    longer_open(longer);
    for (uint32_t i = 0; i < SMALL; i++) {
        struct leat_job_info info = leat_job_info_default();
        CHECK(!longer->cancelled[i] ||
              leat_get(longer->engine, longer->small[i], &info) != LEAT_OK);
    }
    test_close(longer->engine);
    CHECK_EQUAL(test_memory_blocks(&longer->memory), 0);
}

/* A cancel of a job whose result is kept needs memory for its record, and says so. */
static void
kept_body(void *argument)
{
    struct longer *longer = argument;
    leat_job_id id = {0};
    longer_open(longer);
    longer->job.flags = LEAT_JOB_KEEP_RESULT;
    CHECK_OK(leat_submit(longer->engine, &longer->job, &id));
    test_memory_fail(&longer->memory, 0, true);
    CHECK_STATUS(leat_cancel(longer->engine, id), LEAT_NO_MEMORY);
    test_memory_heal(&longer->memory);
    test_close(longer->engine);
}

static void
longer_test(void (*body)(void *argument))
{
    struct longer *longer = calloc(1, sizeof(*longer));
    CHECK(longer != NULL);
    test_memory_init(&longer->memory);
    strcpy(longer->directory, "longer.XXXXXX");
    CHECK(mkdtemp(longer->directory) != NULL);
    longer->config = test_config();
    longer->config.workers = 0;
    longer->config.jobs_max = 4096;
    longer->config.payload_bytes_max = 4096;
    longer->config.allocator = test_memory_allocator(&longer->memory);
    longer->config.log_directory = longer->directory;
    longer->config.log_segment_bytes = LEAT_WAL_SEGMENT_BYTES_MIN;
    longer->config.log_ring_bytes = LEAT_WAL_RING_BYTES_MIN;
    test_child(body, longer);
    test_directory_remove(longer->directory);
    free(longer);
}

static void
a_switch_without_memory(void **state)
{
    (void)state;
    longer_test(longer_body);
}

static void
a_note_without_memory(void **state)
{
    (void)state;
    longer_test(kept_body);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_without_memory),
        cmocka_unit_test(a_switch_without_memory),
        cmocka_unit_test_teardown(once, say_where),
        cmocka_unit_test_teardown(for_ever, say_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
