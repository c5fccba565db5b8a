/* freeze_os.c - ring/os_linux.c, with a step in front of each wake and a sign at each sleep. */
#define leat_os_futex_wait futex_wait
#define leat_os_futex_wake futex_wake
#include "ring/os_linux.c"
#undef leat_os_futex_wait
#undef leat_os_futex_wake

#include "tests/support/freeze.h"

void leat_os_futex_wait(leat_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns);
void leat_os_futex_wake(leat_atomic_u32 *word, uint32_t count);

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
