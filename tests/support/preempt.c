/* preempt.c - see preempt.h. */
#include "tests/support/preempt.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"

/* Between two rounds of signals, at most. */
#define PAUSE_NS_MAX (TEST_MS / 10)

/* From PREEMPT_NS_MAX down to what any sleep takes. */
#define HALVINGS 8

struct preempted {
    struct test_threads threads;
    test_body body;
    void *shared;
    leat_atomic_u32 running;
};

_Thread_local volatile sig_atomic_t preempt_here;

/* Stops so far. A signal handler has no argument. */
static leat_atomic_u64 stops;

static void
on_signal(int number)
{
    (void)number;
    if (preempt_here == 0) {
        return;
    }
    int error = errno;
    struct test_prng prng = {atom_add_rlx(&stops, 1)};
    /* Mostly short, so that many are stopped, and seldom very long. */
    uint32_t halvings = test_random_below(&prng, HALVINGS);
    struct timespec duration = {.tv_nsec =
                                    (long)((test_random(&prng) % PREEMPT_NS_MAX) >> halvings)};
    (void)nanosleep(&duration, NULL);
    errno = error;
}

void
preempt_init(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
}

void
preempt_all(struct test_threads *threads)
{
    for (uint32_t i = 0; i < threads->count; i++) {
        /* One that has ended takes no harm. */
        CHECK(pthread_kill(threads->threads[i].handle, SIGUSR1) == 0);
    }
}

static void
run(void *argument, uint32_t number)
{
    struct preempted *preempted = argument;
    preempted->body(preempted->shared, number);
    (void)atom_sub_acq_rel(&preempted->running, 1);
}

uint64_t
preempt_run(uint32_t count, test_body body, void *shared, uint64_t seed)
{
    struct preempted *preempted = calloc(1, sizeof(*preempted));
    struct test_prng prng = {seed};
    uint64_t before = atom_load_rlx(&stops);
    CHECK(preempted != NULL);
    preempt_init();
    preempted->body = body;
    preempted->shared = shared;
    atom_init(&preempted->running, count);
    test_threads_start(&preempted->threads, count, run, preempted);
    while (atom_load_acq(&preempted->running) > 0) {
        preempt_all(&preempted->threads);
        test_sleep_ns(test_random(&prng) % PAUSE_NS_MAX);
    }
    test_threads_join(&preempted->threads);
    free(preempted);
    return atom_load_rlx(&stops) - before;
}
