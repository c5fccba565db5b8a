/* unit_memory_knobs.c - prefault, lock_memory and huge_pages: what the system says afterwards of
 * the pages of slabs and rings, with the knob and without. That locking is refused where it is not
 * permitted: fault_memory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/engine_internal.h"
#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/threads.h"

/* Pages of a mapping that are in memory, of how many. */
static size_t
resident(void *memory, size_t bytes, size_t *pages)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t count = 0;
    *pages = (bytes + page - 1) / page;
    unsigned char *there = calloc(*pages, 1);
    CHECK(there != NULL);
    CHECK(mincore(memory, bytes, there) == 0);
    for (size_t i = 0; i < *pages; i++) {
        count += there[i] & 1;
    }
    free(there);
    return count;
}

static bool
all_resident(void *memory, size_t bytes)
{
    size_t pages = 0;
    return resident(memory, bytes, &pages) == pages;
}

/* Memory that this process has locked. */
static size_t
locked_kib(void)
{
    char line[256];
    size_t kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    CHECK(file != NULL);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "VmLck:", 6) == 0) {
            kib = strtoul(line + 6, NULL, 10);
        }
    }
    CHECK(fclose(file) == 0);
    return kib;
}

static bool
flag_is_set(const void *memory, const char *flag)
{
    char line[512];
    bool here = false;
    bool set = false;
    FILE *file = fopen("/proc/self/smaps", "re");
    CHECK(file != NULL);
    while (fgets(line, sizeof(line), file) != NULL) {
        char *end = NULL;
        uintptr_t first = strtoul(line, &end, 16);
        if (*end == '-') {
            uintptr_t last = strtoul(end + 1, NULL, 16);
            here = (uintptr_t)memory >= first && (uintptr_t)memory < last;
        } else if (here && strncmp(line, "VmFlags:", 8) == 0) {
            set = strstr(line, flag) != NULL;
        }
    }
    CHECK(fclose(file) == 0);
    return set;
}

static void
prefault(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    config.jobs_max = 100000;
    config.tasks_max = 100000;
    for (uint32_t round = 0; round < 2; round++) {
        config.prefault = round == 1;
        struct leat_engine *engine = test_open(&config);
        const struct leat_pool *pool = &engine->pool;
        CHECK_EQUAL(all_resident(engine->jobs.mapping, engine->jobs.mapping_bytes), round == 1);
        CHECK_EQUAL(all_resident(pool->tasks.mapping, pool->tasks.mapping_bytes), round == 1);
        CHECK(round == 0 || all_resident(pool->queues_memory, pool->queues_bytes));
        CHECK(round == 0 || all_resident(engine->inline_payloads, engine->inline_bytes));
        test_close(engine);
    }
}

/* Asks the system itself, with as much as the engine can have. */
static bool
may_lock(const struct leat_config *config)
{
    struct leat_engine *engine = test_open(config);
    size_t bytes = leat_engine_bytes(&engine->config);
    test_close(engine);
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    bool may = mlock(memory, bytes) == 0;
    CHECK(may || errno == EPERM || errno == ENOMEM);
    CHECK(munmap(memory, bytes) == 0);
    return may;
}

/* Skipped where the system refuses it, and not where only the engine does. */
static void
lock_memory(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    /* Sanitizers make mlock do nothing. */
    if (test_sanitized() || !may_lock(&config)) {
        skip();
    }
    size_t before = locked_kib();
    config.lock_memory = true;
    struct leat_engine *engine = test_open(&config);
    size_t bytes = engine->jobs.mapping_bytes + engine->pool.tasks.mapping_bytes +
                   engine->pool.chunks.mapping_bytes + engine->pool.queues_bytes;
    CHECK(locked_kib() >= before + bytes / 1024);
    CHECK(all_resident(engine->jobs.mapping, engine->jobs.mapping_bytes));
    test_close(engine);
    CHECK_EQUAL(locked_kib(), before);
}

static void
huge_pages(void **state)
{
    (void)state;
    struct leat_config config = test_config();
    if (access("/sys/kernel/mm/transparent_hugepage", F_OK) != 0) {
        skip(); /* a kernel without them: asking changes nothing */
    }
    for (uint32_t round = 0; round < 2; round++) {
        config.huge_pages = round == 1;
        struct leat_engine *engine = test_open(&config);
        CHECK_EQUAL(flag_is_set(engine->jobs.mapping, " hg"), round == 1);
        CHECK_EQUAL(flag_is_set(engine->pool.queues_memory, " hg"), round == 1);
        test_close(engine);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefault),
        cmocka_unit_test(lock_memory),
        cmocka_unit_test(huge_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
