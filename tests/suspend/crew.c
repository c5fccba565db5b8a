/* crew.c - see crew.h. */
#include "tests/suspend/crew.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "ring/atomic.h"
#include "tests/support/check.h"
#include "tests/support/threads.h"
#include "tests/suspend/patience.h"

#define THREADS_MAX 2

/* How often the watcher looks for successes. */
#define WATCH_NS (2 * TEST_MS)

struct member {
    struct crew *crew;
    uint32_t who;
    pthread_t thread;
};

struct crew {
    struct crew_order order;
    struct member members[THREADS_MAX];
    leat_atomic_u64 successes[SUSPEND_OPERATIONS_MAX];
    leat_atomic_u32 over; /* 1: leave */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint32_t left; /* threads, under the mutex */
};

/* Successes that count towards the goals; *met: that is all of them. */
static uint64_t
progress(struct crew *crew, bool *met)
{
    uint64_t sum = 0;
    *met = true;
    for (uint32_t i = 0; i < SUSPEND_OPERATIONS_MAX; i++) {
        uint64_t done = atom_load_rlx(&crew->successes[i]);
        *met = *met && done >= crew->order.goals[i];
        sum += done < crew->order.goals[i] ? done : crew->order.goals[i];
    }
    return sum;
}

/* Each operation once, as far as the thread may do it. False: none succeeded. */
static bool
one_round(struct crew *crew, uint32_t who)
{
    bool any = false;
    for (uint32_t i = 0; i < SUSPEND_OPERATIONS_MAX; i++) {
        const struct suspend_operation *operation = &crew->order.subject->operations[i];
        bool may = (crew->order.operations >> i & 1) != 0 && operation->run != NULL &&
                   (who == SUSPEND_OTHER || !operation->owner);
        if (may && operation->run(crew->order.state, who)) {
            (void)atom_add_rlx(&crew->successes[i], 1);
            any = true;
        }
    }
    return any;
}

static void *
member_run(void *argument)
{
    struct member *member = argument;
    struct crew *crew = member->crew;
    bool met = false;
    uint64_t rounds = 0;
    uint64_t wanted = crew->order.rounds;
    while (atom_load_rlx(&crew->over) == 0 && (wanted == 0 ? !met : rounds < wanted)) {
        if (!one_round(crew, member->who)) {
            (void)sched_yield();
        }
        rounds++;
        (void)progress(crew, &met);
    }
    CHECK(pthread_mutex_lock(&crew->mutex) == 0);
    crew->left++;
    CHECK(pthread_cond_signal(&crew->changed) == 0);
    CHECK(pthread_mutex_unlock(&crew->mutex) == 0);
    return NULL;
}

struct crew *
crew_start(const struct crew_order *order)
{
    struct crew *crew = calloc(1, sizeof(*crew));
    CHECK(crew != NULL);
    CHECK(order->threads <= THREADS_MAX);
    crew->order = *order;
    CHECK(pthread_mutex_init(&crew->mutex, NULL) == 0);
    CHECK(pthread_cond_init(&crew->changed, NULL) == 0);
    for (uint32_t i = 0; i < order->threads; i++) {
        crew->members[i].crew = crew;
        crew->members[i].who = SUSPEND_OTHER + i;
        CHECK(pthread_create(&crew->members[i].thread, NULL, member_run, &crew->members[i]) == 0);
    }
    return crew;
}

/* False: not all have left yet. */
static bool
all_left(struct crew *crew)
{
    struct timespec deadline;
    CHECK(clock_gettime(CLOCK_REALTIME, &deadline) == 0);
    deadline.tv_nsec += (long)WATCH_NS;
    deadline.tv_sec += deadline.tv_nsec / 1000000000;
    deadline.tv_nsec %= 1000000000;
    CHECK(pthread_mutex_lock(&crew->mutex) == 0);
    while (crew->left < crew->order.threads &&
           pthread_cond_timedwait(&crew->changed, &crew->mutex, &deadline) == 0) {
    }
    bool left = crew->left == crew->order.threads;
    CHECK(pthread_mutex_unlock(&crew->mutex) == 0);
    return left;
}

static bool
settled(const struct crew *crew)
{
    const struct suspend_subject *subject = crew->order.subject;
    struct patience patience;
    patience_begin(&patience, crew->order.settle_ns);
    while (subject->settled != NULL && !subject->settled(crew->order.state)) {
        if (patience_is_over(&patience)) {
            return false;
        }
        (void)sched_yield();
    }
    return true;
}

bool
crew_watch(struct crew *crew)
{
    bool met = false;
    uint64_t before = 0;
    struct patience patience;
    patience_begin(&patience, crew->order.patience_ns);
    while (!all_left(crew) && !patience_is_over(&patience)) {
        uint64_t now = progress(crew, &met);
        if (now != before) {
            patience_begin(&patience, crew->order.patience_ns);
        }
        before = now;
    }
    atom_store_rlx(&crew->over, 1);
    (void)progress(crew, &met);
    return met && settled(crew);
}

uint64_t
crew_successes(const struct crew *crew)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < SUSPEND_OPERATIONS_MAX; i++) {
        sum += atom_load_rlx(&crew->successes[i]);
    }
    return sum;
}

void
crew_join(struct crew *crew)
{
    for (uint32_t i = 0; i < crew->order.threads; i++) {
        CHECK(pthread_join(crew->members[i].thread, NULL) == 0);
    }
    CHECK(pthread_cond_destroy(&crew->changed) == 0);
    CHECK(pthread_mutex_destroy(&crew->mutex) == 0);
    free(crew);
}
