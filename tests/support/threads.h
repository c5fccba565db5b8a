/* threads.h - threads that begin together, gates that hold a handler until it is told, and waits
 * that end: nothing here but test_gate_stay() can hang a test for longer than TEST_PATIENCE_NS. */
#ifndef TESTS_SUPPORT_THREADS_H
#define TESTS_SUPPORT_THREADS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer than anything takes on a loaded machine under a sanitizer. */
#define TEST_PATIENCE_NS UINT64_C(30000000000)

#define TEST_MS UINT64_C(1000000)

#define TEST_THREADS_MAX 512

typedef void (*test_body)(void *shared, uint32_t number);

struct test_thread {
    pthread_t handle;
    struct test_threads *all;
    uint32_t number;
};

struct test_threads {
    pthread_barrier_t barrier;
    struct test_thread threads[TEST_THREADS_MAX];
    uint32_t count;
    size_t stack_bytes; /* 0: the system's default; set before start */
    test_body body;
    void *shared;
};

/* Starts body(shared, 0 .. count - 1); none begins before all are there. */
void test_threads_start(struct test_threads *threads, uint32_t count, test_body body, void *shared);
void test_threads_join(struct test_threads *threads);
/* Both. */
void test_threads_run(uint32_t count, test_body body, void *shared);

/* Closed until opened; then for ever open. */
struct test_gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool open;
    uint32_t waiting; /* threads that came to it so far */
};

void test_gate_init(struct test_gate *gate);
void test_gate_fini(struct test_gate *gate);
void test_gate_open(struct test_gate *gate);
/* Waits until it is open; the program fails if that never happens. */
void test_gate_wait(struct test_gate *gate);
/* The same of a thread that is held there for a whole trial, however long that takes on a busy
 * machine: it is for whoever runs the trial to see that it ends. */
void test_gate_stay(struct test_gate *gate);
/* Waits until so many threads have come to it. */
void test_gate_arrivals(struct test_gate *gate, uint32_t count);

uint64_t test_now_ns(void);
void test_sleep_ns(uint64_t duration_ns);
/* Asks until the answer is yes. False: patience ran out. */
bool test_until(bool (*fact)(void *argument), void *argument);

/* How long a stress test runs: LEAT_TEST_SECONDS, or 3. */
uint64_t test_duration_ns(void);

/* True in builds with a sanitizer: memory and time are not what they are elsewhere. */
bool test_sanitized(void);

#endif
