/* threads.c - see threads.h and prng.h. */
#include "tests/support/threads.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"

#define NS_PER_S UINT64_C(1000000000)

#if defined(__SANITIZE_ADDRESS__)
#    define ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define ADDRESS_SANITIZER 1
#    endif
#endif
#ifndef ADDRESS_SANITIZER
#    define ADDRESS_SANITIZER 0
#endif

/* ---- threads -------------------------------------------------------------------------------- */

static void *
thread_run(void *argument)
{
    struct test_thread *thread = argument;
    (void)pthread_barrier_wait(&thread->all->barrier);
    thread->all->body(thread->all->shared, thread->number);
    return NULL;
}

void
test_threads_start(struct test_threads *threads, uint32_t count, test_body body, void *shared)
{
    pthread_attr_t attributes;
    CHECK(count <= TEST_THREADS_MAX);
    CHECK(pthread_attr_init(&attributes) == 0);
    if (threads->stack_bytes != 0) {
        CHECK(pthread_attr_setstacksize(&attributes, threads->stack_bytes) == 0);
    }
    CHECK(pthread_barrier_init(&threads->barrier, NULL, count) == 0);
    threads->count = count;
    threads->body = body;
    threads->shared = shared;
    for (uint32_t i = 0; i < count; i++) {
        struct test_thread *thread = &threads->threads[i];
        thread->all = threads;
        thread->number = i;
        CHECK(pthread_create(&thread->handle, &attributes, thread_run, thread) == 0);
    }
    (void)pthread_attr_destroy(&attributes);
}

void
test_threads_join(struct test_threads *threads)
{
    for (uint32_t i = 0; i < threads->count; i++) {
        CHECK(pthread_join(threads->threads[i].handle, NULL) == 0);
    }
    (void)pthread_barrier_destroy(&threads->barrier);
}

void
test_threads_run(uint32_t count, test_body body, void *shared)
{
    struct test_threads *threads = calloc(1, sizeof(*threads));
    CHECK(threads != NULL);
    test_threads_start(threads, count, body, shared);
    test_threads_join(threads);
    free(threads);
}

/* ---- gates ---------------------------------------------------------------------------------- */

static struct timespec
deadline_after(uint64_t duration_ns)
{
    struct timespec deadline;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &deadline) == 0);
    uint64_t ns = (uint64_t)deadline.tv_nsec + duration_ns;
    deadline.tv_sec += (time_t)(ns / NS_PER_S);
    deadline.tv_nsec = (long)(ns % NS_PER_S);
    return deadline;
}

void
test_gate_init(struct test_gate *gate)
{
    pthread_condattr_t attributes;
    CHECK(pthread_condattr_init(&attributes) == 0);
    CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_mutex_init(&gate->mutex, NULL) == 0);
    CHECK(pthread_cond_init(&gate->changed, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
    gate->open = false;
    gate->waiting = 0;
}

void
test_gate_fini(struct test_gate *gate)
{
    CHECK(pthread_cond_destroy(&gate->changed) == 0);
    CHECK(pthread_mutex_destroy(&gate->mutex) == 0);
}

void
test_gate_open(struct test_gate *gate)
{
    CHECK(pthread_mutex_lock(&gate->mutex) == 0);
    gate->open = true;
    CHECK(pthread_cond_broadcast(&gate->changed) == 0);
    CHECK(pthread_mutex_unlock(&gate->mutex) == 0);
}

/* Without a deadline where that is NULL. */
static void
gate_pass(struct test_gate *gate, const struct timespec *deadline)
{
    CHECK(pthread_mutex_lock(&gate->mutex) == 0);
    gate->waiting++;
    CHECK(pthread_cond_broadcast(&gate->changed) == 0);
    while (!gate->open) {
        CHECK((deadline == NULL
                   ? pthread_cond_wait(&gate->changed, &gate->mutex)
                   : pthread_cond_timedwait(&gate->changed, &gate->mutex, deadline)) == 0);
    }
    CHECK(pthread_mutex_unlock(&gate->mutex) == 0);
}

void
test_gate_wait(struct test_gate *gate)
{
    struct timespec deadline = deadline_after(TEST_PATIENCE_NS);
    gate_pass(gate, &deadline);
}

void
test_gate_stay(struct test_gate *gate)
{
    gate_pass(gate, NULL);
}

void
test_gate_arrivals(struct test_gate *gate, uint32_t count)
{
    struct timespec deadline = deadline_after(TEST_PATIENCE_NS);
    CHECK(pthread_mutex_lock(&gate->mutex) == 0);
    while (gate->waiting < count) {
        CHECK(pthread_cond_timedwait(&gate->changed, &gate->mutex, &deadline) == 0);
    }
    CHECK(pthread_mutex_unlock(&gate->mutex) == 0);
}

/* ---- time ----------------------------------------------------------------------------------- */

uint64_t
test_now_ns(void)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

void
test_sleep_ns(uint64_t duration_ns)
{
    struct timespec deadline = deadline_after(duration_ns);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) != 0) {
    }
}

bool
test_until(bool (*fact)(void *argument), void *argument)
{
    uint64_t deadline_ns = test_now_ns() + TEST_PATIENCE_NS;
    while (!fact(argument)) {
        if (test_now_ns() > deadline_ns) {
            return false;
        }
        test_sleep_ns(TEST_MS / 10);
    }
    return true;
}

/* ---- the environment ------------------------------------------------------------------------ */

static uint64_t
number_of(const char *name, uint64_t otherwise)
{
    /* Nobody changes the environment while a test starts. */
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe) */
    return text == NULL || text[0] == '\0' ? otherwise : strtoull(text, NULL, 10);
}

uint64_t
test_duration_ns(void)
{
    return number_of("LEAT_TEST_SECONDS", 3) * NS_PER_S;
}

uint64_t
test_seed(const char *name)
{
    uint64_t seed = number_of("LEAT_TEST_SEED", test_now_ns() ^ (uint64_t)getpid() << 40);
    test_say("%s: seed %ju\n", name, (uintmax_t)seed);
    return seed;
}

bool
test_sanitized(void)
{
    return LEAT_THREAD_SANITIZER || ADDRESS_SANITIZER;
}
