/* unit_pool_init.c - how a pool is laid out: the workers, their CPUs and whom they rob, pinned or
 * not, lent or of its own, with a guard behind each block; as many shards as CPUs, up to the most
 * that there may be; and that each lock, mapping or thread that the system refuses is a clean
 * failure, of which nothing is kept. The CPUs are those that the test says; the system's functions
 * of these names are the test's own. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sched/pool.h"
#include "tests/support/check.h"
#include "tests/support/threads.h"

#define CPU_FIRST   100 /* of no machine that has less: nothing is known of them */
#define GUARD       (sizeof(struct leat_worker) + 4096)
#define MAPPED_MOST (UINT64_C(1) << 33)
#define ONLINE      "/sys/devices/system/cpu/online"

/* ---- the system ------------------------------------------------------------------------------ */

static uint32_t cpus_count = 3;
static uint32_t blocks;  /* out of the allocator */
static uint64_t calls;   /* of mlock, since the last reset */
static uint64_t fail_at; /* this one fails, counted from 1; 0: none */

int affinity(pid_t process, size_t bytes, cpu_set_t *set) __asm__("sched_getaffinity");
int opened(const char *path, int flags, ...) __asm__("open");
int locked(const void *place, size_t bytes) __asm__("mlock");
int created(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
            void *argument) __asm__("pthread_create");

int
affinity(pid_t process, size_t bytes, cpu_set_t *set)
{
    (void)process;
    CHECK(bytes == sizeof(*set));
    CPU_ZERO(set);
    for (uint32_t i = 0; i < cpus_count; i++) {
        CPU_SET(CPU_FIRST + i, set);
    }
    return 0;
}

/* All that are allowed are online. */
int
opened(const char *path, int flags, ...)
{
    static const char online[] = "0-1023\n";
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    if (strcmp(path, ONLINE) != 0) {
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    }
    int file = memfd_create("online", MFD_CLOEXEC);
    CHECK(file >= 0);
    CHECK(write(file, online, sizeof(online) - 1) == (ssize_t)sizeof(online) - 1);
    return file;
}

int
locked(const void *place, size_t bytes)
{
    (void)place;
    (void)bytes;
    if (++calls == fail_at) {
        errno = EPERM;
        return -1;
    }
    return 0;
}

static uint32_t refusals; /* of threads: there are never any */

/* As pthread_create(). NOLINTBEGIN(readability-non-const-parameter) */
int
created(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
/* NOLINTEND(readability-non-const-parameter) */
{
    (void)thread;
    (void)attributes;
    (void)run;
    (void)argument;
    refusals++;
    return EAGAIN;
}

/* ---- blocks with a guard behind them --------------------------------------------------------- */

static void *
allocate(size_t bytes, size_t alignment, void *context)
{
    (void)context;
    unsigned char *block = aligned_alloc(alignment, leat_round_up(bytes + GUARD, alignment));
    CHECK(block != NULL);
    memset(block, 0xa5, bytes + GUARD);
    blocks++;
    return block;
}

static void
release(void *memory, size_t bytes, void *context)
{
    (void)context;
    const unsigned char *block = memory;
    for (size_t i = 0; i < GUARD; i++) {
        CHECK_EQUAL(block[bytes + i], 0xa5);
    }
    blocks--;
    free(memory);
}

static struct leat_pool_config
config_of(uint32_t workers, enum leat_pool_pin pin)
{
    struct leat_pool_config config = {.workers = workers,
                                      .workers_max = 5,
                                      .lenders_max = 4,
                                      .ring_slots_log2 = 1,
                                      .tasks_max = 2,
                                      .items_max = 2,
                                      .queues = 1,
                                      .spin_ns = 7,
                                      .pin = pin,
                                      .memory = {allocate, release, NULL}};
    return config;
}

static struct leat_pool *
setup(const struct leat_pool_config *config)
{
    static struct leat_pool pool;
    memset(&pool, 0, sizeof(pool));
    CHECK_EQUAL(leat_pool_init(&pool, config), LEAT_OS_OK);
    return &pool;
}

static void
teardown(struct leat_pool *pool)
{
    leat_pool_fini(pool);
    CHECK_EQUAL(blocks, 0);
}

/* ---- workers --------------------------------------------------------------------------------- */

static void
check_victims(const struct leat_worker *worker, const struct leat_topology *topology)
{
    uint8_t victims[LEAT_WORKERS_MAX];
    uint32_t counts[LEAT_DISTANCES];
    uint32_t places = worker->pool->places;
    leat_topology_victims(topology, places, worker->index, victims, counts);
    for (uint32_t i = 0; i < LEAT_DISTANCES; i++) {
        CHECK_EQUAL(worker->victims_count[i], counts[i]);
    }
    for (uint32_t i = 0; i + 1 < places; i++) {
        CHECK_EQUAL(worker->victims[i], victims[i]);
    }
}

static void
check_worker(const struct leat_worker *worker, bool is_open, bool pinned)
{
    const struct leat_topology *topology = worker->pool->topology;
    uint32_t number = topology->cpus[worker->index % topology->cpus_count].number;
    CHECK(worker->cpu == (pinned ? (int32_t)number : -1));
    check_victims(worker, pinned ? topology : NULL);
    uint32_t newest = atom_load_rlx(&worker->inbox.newest);
    CHECK_EQUAL(newest, is_open ? LEAT_INDEX_NONE : LEAT_INBOX_CLOSED);
    for (uint32_t level = 0; level < LEAT_PRIORITY_LEVELS; level++) {
        CHECK_EQUAL(worker->posted[level].first, LEAT_INDEX_NONE);
        CHECK_EQUAL(worker->posted[level].last, LEAT_INDEX_NONE);
        CHECK_EQUAL(worker->posted[level].count, 0);
    }
    CHECK_EQUAL(worker->depth, 0); /* behind the last level */
}

static void
check_places(uint32_t workers, enum leat_pool_pin pin, uint32_t places)
{
    const struct leat_pool_config config = config_of(workers, pin);
    struct leat_pool *pool = setup(&config);
    uint32_t active = workers != 0 ? workers : places;
    CHECK_EQUAL(pool->places, places);
    CHECK_EQUAL(atom_load_rlx(&pool->active), active);
    CHECK_EQUAL(atom_load_rlx(&pool->open), active);
    for (uint32_t i = 0; i < places; i++) {
        CHECK(pool->workers[i].pool == pool);
        CHECK_EQUAL(pool->workers[i].index, i);
        check_worker(&pool->workers[i], i < workers, workers != 0 && pin == LEAT_POOL_PIN_ONE);
    }
    teardown(pool);
}

static void
places_are_laid_out(void **state)
{
    (void)state;
    check_places(3, LEAT_POOL_PIN_ONE, 5);
    check_places(3, LEAT_POOL_PIN_SET, 5);
    check_places(3, LEAT_POOL_PIN_NONE, 5);
    check_places(5, LEAT_POOL_PIN_ONE, 5);
    check_places(6, LEAT_POOL_PIN_ONE, 6);
    check_places(0, LEAT_POOL_PIN_ONE, 4);
    check_places(0, LEAT_POOL_PIN_NONE, 4);
}

static void
busy_polling_never_ends(void **state)
{
    (void)state;
    struct leat_pool_config config = config_of(1, LEAT_POOL_PIN_NONE);
    struct leat_pool *pool = setup(&config);
    CHECK_EQUAL(pool->spin_ns, 7);
    teardown(pool);
    config.busy_poll = true;
    pool = setup(&config);
    CHECK_EQUAL(pool->spin_ns, UINT64_MAX);
    teardown(pool);
}

static void
a_shard_for_each_cpu(void **state)
{
    (void)state;
    const struct leat_pool_config config = config_of(1, LEAT_POOL_PIN_NONE);
    static const uint32_t counts[] = {1, 3, LEAT_SLAB_SHARDS_MAX - 1, LEAT_SLAB_SHARDS_MAX,
                                      LEAT_SLAB_SHARDS_MAX + 1};
    for (size_t i = 0; i < TEST_COUNT_OF(counts); i++) {
        cpus_count = counts[i];
        struct leat_pool *pool = setup(&config);
        CHECK_EQUAL(pool->cpus_count, counts[i]);
        uint32_t shards = i + 1 == TEST_COUNT_OF(counts) ? LEAT_SLAB_SHARDS_MAX : counts[i];
        CHECK_EQUAL(pool->tasks.node_shards, shards);
        CHECK_EQUAL(pool->posted.node_shards, shards);
        teardown(pool);
    }
    cpus_count = 3;
}

/* ---- failures -------------------------------------------------------------------------------- */

/* Each part that is to be locked fails once, and no failure is passed over. */
static void
no_failure_is_passed_over(void **state)
{
    (void)state;
    static struct leat_pool pool;
    struct leat_pool_config config = config_of(2, LEAT_POOL_PIN_NONE);
    config.lock_memory = true;
    fail_at = 1;
    for (;; fail_at++) {
        memset(&pool, 0, sizeof(pool));
        calls = 0;
        enum leat_os_result result = leat_pool_init(&pool, &config);
        if (result == LEAT_OS_OK) {
            break;
        }
        CHECK_EQUAL(result, LEAT_OS_REFUSED);
        CHECK_EQUAL(calls, fail_at);
        CHECK_EQUAL(blocks, 0);
    }
    CHECK_EQUAL(fail_at, 6); /* the queues and four slabs */
    CHECK_EQUAL(calls, 5);
    leat_pool_fini(&pool);
    CHECK_EQUAL(blocks, 0);
    fail_at = 0;
}

/* Lists that are larger than all that may be mapped. */
static void
lists_must_fit(void **state)
{
    (void)state;
    if (test_sanitized()) {
        return; /* a sanitizer maps more than that itself */
    }
    static struct leat_pool pool;
    struct leat_pool_config config = config_of(2, LEAT_POOL_PIN_NONE);
    struct rlimit before;
    memset(&pool, 0, sizeof(pool));
    while (leat_lists_bytes(config.queues) < 2 * MAPPED_MOST) {
        config.queues *= 2;
    }
    CHECK(getrlimit(RLIMIT_AS, &before) == 0);
    const struct rlimit less = {MAPPED_MOST, before.rlim_max};
    CHECK(setrlimit(RLIMIT_AS, &less) == 0);
    CHECK_EQUAL(leat_pool_init(&pool, &config), LEAT_OS_NO_MEMORY);
    CHECK(setrlimit(RLIMIT_AS, &before) == 0);
    CHECK_EQUAL(blocks, 0);
}

/* Nobody is inside, and nobody is waited for. */
static void
check_empty(const struct leat_pool *pool, uint32_t open)
{
    CHECK_EQUAL(atom_load_rlx(&pool->alive), 0);
    CHECK_EQUAL(atom_load_rlx(&pool->active), 2);
    CHECK_EQUAL(atom_load_rlx(&pool->open), open);
    for (uint32_t i = 0; i < pool->places; i++) {
        CHECK_EQUAL(atom_load_rlx(&pool->workers[i].seat), LEAT_SEAT_EMPTY);
    }
}

static void
without_a_thread_a_place_stays_empty(void **state)
{
    (void)state;
    const struct leat_pool_config config = config_of(2, LEAT_POOL_PIN_NONE);
    struct leat_pool *pool = setup(&config);
    bool again = true;
    CHECK_EQUAL(leat_pool_start(pool), LEAT_OS_REFUSED);
    check_empty(pool, 0);
    CHECK_EQUAL(refusals, 1);
    CHECK_EQUAL(leat_pool_resize(pool, 4, &again), LEAT_OS_REFUSED);
    CHECK(!again);
    CHECK_EQUAL(refusals, 2);
    check_empty(pool, 2);
    teardown(pool);
}

/* Of two places more, the first has a thread that is on its way out. */
static void
a_place_is_waited_for(void **state)
{
    (void)state;
    const struct leat_pool_config config = config_of(2, LEAT_POOL_PIN_NONE);
    struct leat_pool *pool = setup(&config);
    bool again = false;
    refusals = 0;
    atom_init(&pool->workers[2].seat, LEAT_SEAT_LEAVING);
    CHECK_EQUAL(leat_pool_resize(pool, 4, &again), LEAT_OS_OK);
    CHECK(again);
    CHECK_EQUAL(refusals, 0);
    CHECK_EQUAL(atom_load_rlx(&pool->workers[2].seat), LEAT_SEAT_LEAVING);
    atom_init(&pool->workers[2].seat, LEAT_SEAT_EMPTY);
    check_empty(pool, 2);
    teardown(pool);
}

static void
as_many_as_before_wakes_nobody(void **state)
{
    (void)state;
    const struct leat_pool_config config = config_of(2, LEAT_POOL_PIN_NONE);
    struct leat_pool *pool = setup(&config);
    bool again = true;
    leat_lot_enter(&pool->lot, &pool->workers[1].bed, 1);
    CHECK_EQUAL(leat_pool_resize(pool, 2, &again), LEAT_OS_OK);
    CHECK(!again);
    CHECK(!leat_parker_notified(&pool->workers[1].bed));
    check_empty(pool, 2);
    teardown(pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_laid_out),
        cmocka_unit_test(busy_polling_never_ends),
        cmocka_unit_test(a_shard_for_each_cpu),
        cmocka_unit_test(no_failure_is_passed_over),
        cmocka_unit_test(lists_must_fit),
        cmocka_unit_test(without_a_thread_a_place_stays_empty),
        cmocka_unit_test(a_place_is_waited_for),
        cmocka_unit_test(as_many_as_before_wakes_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
