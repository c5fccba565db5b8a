/* preempt.h - threads that are stopped between any two instructions of an operation, and go on a
 * little later: what a scheduler does seldom, done often. The caller sends SIGUSR1 to the threads
 * at random moments, and the handler sleeps. The handler stays: the process belongs to the test. */
#ifndef TESTS_SUPPORT_PREEMPT_H
#define TESTS_SUPPORT_PREEMPT_H

#include <signal.h>

#include "tests/support/threads.h"

/* How long a thread is stopped, at most: longer than a scheduler's slice. */
#define PREEMPT_NS_MAX (5 * TEST_MS)

/* Not 0 while the thread is in an operation: elsewhere a stop would show nothing. */
extern _Thread_local volatile sig_atomic_t preempt_here;

/* Before the others. */
void preempt_init(void);
/* Stops those of the threads that are in an operation; each has been started and not joined. */
void preempt_all(struct test_threads *threads);

/* As test_threads_run(), with the threads stopped now and then. Returns how often. */
uint64_t preempt_run(uint32_t count, test_body body, void *shared, uint64_t seed);

#endif
