/* mutex.h - mutexes, of what is not lock-free and says so. One that is used rightly cannot fail. */
#ifndef RING_MUTEX_H
#define RING_MUTEX_H

#include <errno.h>
#include <pthread.h>

#include "ring/base.h"

LEAT_INLINE void
leat_mutex_init(pthread_mutex_t *mutex)
{
    int failed = pthread_mutex_init(mutex, NULL);
    LEAT_ASSERT(failed == 0);
}

LEAT_INLINE void
leat_mutex_fini(pthread_mutex_t *mutex)
{
    (void)pthread_mutex_destroy(mutex);
}

LEAT_INLINE void
leat_mutex_lock(pthread_mutex_t *mutex)
{
    int failed = pthread_mutex_lock(mutex);
    LEAT_ASSERT(failed == 0);
}

/* False: another thread has it. */
LEAT_INLINE bool
leat_mutex_try(pthread_mutex_t *mutex)
{
    int failed = pthread_mutex_trylock(mutex);
    LEAT_ASSERT(failed == 0 || failed == EBUSY);
    return failed == 0;
}

LEAT_INLINE void
leat_mutex_unlock(pthread_mutex_t *mutex)
{
    int failed = pthread_mutex_unlock(mutex);
    LEAT_ASSERT(failed == 0);
}

#endif
