/* explore_os.c - ring/os.h for models: memory that is gone at the end of a run, a futex that the
 * explorer knows, a clock that stands still, and one CPU. What a model has no use for fails the
 * run. */
#include "ring/os.h"

#include "tests/support/explore_internal.h"

void
leat_assert_failed(const char *fact, const char *file, int line)
{
    explore_fail(fact, file, line);
}

/* ---- the allocator -------------------------------------------------------------------------- */

static void *
memory_allocate(size_t bytes, size_t alignment, void *context)
{
    (void)alignment;
    (void)context;
    return explore_memory_take(bytes);
}

static void
memory_release(void *memory, size_t bytes, void *context)
{
    (void)memory;
    (void)bytes;
    (void)context;
}

struct leat_memory
explore_memory_table(void)
{
    struct leat_memory table = {memory_allocate, memory_release, NULL};
    return table;
}

/* ---- pages ---------------------------------------------------------------------------------- */

void *
leat_os_map(size_t bytes)
{
    return explore_memory_take(bytes);
}

/* Nobody who is explored asks. */
size_t
leat_os_resident(void *memory, size_t bytes)
{
    (void)memory;
    return bytes;
}

void
leat_os_unmap(void *memory, size_t bytes)
{
    (void)memory;
    (void)bytes;
}

enum leat_os_result
leat_os_prefault(void *memory, size_t bytes)
{
    (void)memory;
    (void)bytes;
    return LEAT_OS_OK;
}

enum leat_os_result
leat_os_lock(void *memory, size_t bytes)
{
    return leat_os_prefault(memory, bytes);
}

void
leat_os_huge(void *memory, size_t bytes)
{
    (void)memory;
    (void)bytes;
}

void
leat_os_bind(void *memory, size_t bytes, uint32_t node)
{
    (void)node;
    leat_os_huge(memory, bytes);
}

/* ---- threads: a model names its own --------------------------------------------------------- */

enum leat_os_result
leat_os_thread_start(pthread_t *thread, /* NOLINT(readability-non-const-parameter) */
                     const struct leat_os_thread_config *config)
{
    (void)thread;
    (void)config;
    return LEAT_OS_REFUSED;
}

void
leat_os_thread_join(pthread_t thread)
{
    (void)thread; /* it is at its end, which is no step */
}

void
leat_os_yield(void)
{
    explore_pause();
}

/* ---- futex ---------------------------------------------------------------------------------- */

void
leat_os_futex_wait(leat_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
    (void)deadline_ns; /* the clock stands still */
    struct leat_model_word place = LEAT_MODEL_WORD(word);
    struct explore_request request = {.kind = EXPLORE_WAIT,
                                      .word = explore_memory_word(place, true),
                                      .expected = expected,
                                      .place = place};
    (void)explore_request(&request);
}

void
leat_os_futex_wake(leat_atomic_u32 *word, uint32_t count)
{
    if (explore_run.running == EXPLORE_THREADS_MAX) {
        return;
    }
    struct leat_model_word place = LEAT_MODEL_WORD(word);
    struct explore_request request = {.kind = EXPLORE_WAKE,
                                      .word = explore_memory_word(place, true),
                                      .operand = count,
                                      .place = place};
    (void)explore_request(&request);
}

/* ---- time and CPUs -------------------------------------------------------------------------- */

uint64_t
leat_os_monotonic_ns(void)
{
    return 0;
}

uint64_t
leat_os_boot_ns(void)
{
    return 0;
}

uint64_t
leat_os_wall_ns(void)
{
    return 0;
}

uint64_t
leat_os_deadline_ns(uint64_t timeout_ns)
{
    return timeout_ns;
}

uint32_t
leat_os_cpu(void)
{
    return 0;
}

uint32_t
leat_os_cpus_allowed(uint16_t *cpus, uint32_t capacity)
{
    LEAT_ASSERT(capacity >= 1);
    cpus[0] = 0;
    return 1;
}

ptrdiff_t
leat_os_file_read(const char *path, size_t offset, char *text, size_t capacity)
{
    (void)path;
    (void)offset;
    LEAT_ASSERT(capacity >= 1);
    text[0] = '\0';
    return 0;
}
