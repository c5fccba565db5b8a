/* rcu.h - liburcu, flavour bp: no registration is asked of host threads. Its grace periods are all
 * we take from it; pointers are published through ring/atomic.h, so that the orders stand where
 * all others stand.
 *
 * A section may be left by a thread of the host at any time and is never held across a handler.
 * Progress: enter and leave are wait-free once the thread is attached; the first enter of a thread
 * registers it (a mutex, system calls). wait() blocks until every section begun before has ended.
 *
 * These are the inline functions of fewer than ten lines that liburcu offers to programs of any
 * license, by their names in its static header: releases before 0.14 have no other way to them.
 * With LEAT_RCU_CALLS they are called in the library: a reader there is less aligned than its type
 * says, at which a sanitizer of undefined behaviour stops.
 *
 * ThreadSanitizer cannot see liburcu 0.13 order anything: in its builds the two ends of a grace
 * period are told to it by name.
 */
#ifndef RING_RCU_H
#define RING_RCU_H

#ifndef LEAT_RCU_CALLS
#    ifdef __clang_analyzer__ /* does not know that who registers has a reader then */
#        define LEAT_RCU_CALLS 1
#    else
#        define LEAT_RCU_CALLS 0
#    endif
#endif

#if !LEAT_RCU_CALLS
#    include <urcu/static/urcu-bp.h>
#endif
#include <urcu/urcu-bp.h>

#include "ring/atomic.h"

#if LEAT_THREAD_SANITIZER
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#endif

LEAT_INLINE void
leat_rcu_attach(void)
{
    urcu_bp_register_thread();
}

LEAT_INLINE void
leat_rcu_enter(void)
{
#if LEAT_RCU_CALLS
    urcu_bp_read_lock();
#else
    _urcu_bp_read_lock();
#endif
}

/* `domain` is any address that enter, leave and wait of one engine share. */
LEAT_INLINE void
leat_rcu_leave(void *domain)
{
#if LEAT_THREAD_SANITIZER
    __tsan_release(domain);
#else
    (void)domain;
#endif
#if LEAT_RCU_CALLS
    urcu_bp_read_unlock();
#else
    _urcu_bp_read_unlock();
#endif
}

/* The calling thread is in a section: what waits for more than a few steps of others asserts that
 * it is not, as all grace periods would wait, too. */
LEAT_INLINE bool
leat_rcu_inside(void)
{
#if LEAT_RCU_CALLS
    return urcu_bp_read_ongoing() != 0;
#else
    return _urcu_bp_read_ongoing() != 0;
#endif
}

LEAT_INLINE void
leat_rcu_wait(void *domain)
{
    urcu_bp_synchronize_rcu();
#if LEAT_THREAD_SANITIZER
    __tsan_acquire(domain);
#else
    (void)domain;
#endif
}

#endif
