/* freeze_os.c - ring/os_linux.c, with a step in front of each wake and each use of an event, and a
 * sign at each sleep. */
#define leat_os_futex_wait  futex_wait
#define leat_os_futex_wake  futex_wake
#define leat_os_event_set   event_set
#define leat_os_event_clear event_clear
#include "ring/os_linux.c"
#undef leat_os_futex_wait
#undef leat_os_futex_wake
#undef leat_os_event_set
#undef leat_os_event_clear

#include "tests/support/freeze.h"

void leat_os_futex_wait(leat_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns);
void leat_os_futex_wake(leat_atomic_u32 *word, uint32_t count);
void leat_os_event_set(int descriptor);
void leat_os_event_clear(int descriptor);

void
leat_os_futex_wait(leat_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
    freeze_sleep(true);
    futex_wait(word, expected, deadline_ns);
    freeze_sleep(false);
}

void
leat_os_futex_wake(leat_atomic_u32 *word, uint32_t count)
{
    freeze_step((struct freeze_place){"call", "futex wake", __FILE__, __LINE__, true});
    futex_wake(word, count);
}

void
leat_os_event_set(int descriptor)
{
    freeze_step((struct freeze_place){"call", "event set", __FILE__, __LINE__, true});
    event_set(descriptor);
}

void
leat_os_event_clear(int descriptor)
{
    freeze_step((struct freeze_place){"call", "event clear", __FILE__, __LINE__, true});
    event_clear(descriptor);
}
