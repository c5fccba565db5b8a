/* unit_alarm.c - sleeping until a time by one of two clocks (ring/os.h), and that a wall clock that
 * was set before the sleep began is not slept through: the system says so once, where the timer is
 * set, which here is a function of the test's own. */
#include <errno.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "ring/os.h"
#include "tests/support/check.h"

#define MS UINT64_C(1000000)
#define S  (1000 * MS)

static uint32_t refusals; /* how many times the clock was set meanwhile */

/* Stands in for the system's function of this name. */
int settime(int descriptor, int flags, const struct itimerspec *next,
            struct itimerspec *old) __asm__("timerfd_settime");

int
settime(int descriptor, int flags, const struct itimerspec *next, struct itimerspec *old)
{
    long result = syscall(SYS_timerfd_settime, descriptor, flags, next, old);
    if (result == 0 && refusals != 0 && (flags & TFD_TIMER_CANCEL_ON_SET) != 0) {
        refusals--;
        errno = ECANCELED;
        return -1;
    }
    return (int)result;
}

/* Returns how long it slept. */
static uint64_t
sleep_for(const struct leat_os_alarm *alarm, int event, uint64_t boot_ns, uint64_t wall_ns)
{
    uint64_t begin_ns = leat_os_monotonic_ns();
    leat_os_alarm_wait(alarm, event, boot_ns == 0 ? UINT64_MAX : leat_os_boot_ns() + boot_ns,
                       wall_ns == 0 ? UINT64_MAX : leat_os_wall_ns() + wall_ns);
    return leat_os_monotonic_ns() - begin_ns;
}

static void
sleeps_until(void **state)
{
    (void)state;
    struct leat_os_alarm alarm;
    int event = -1;
    CHECK_EQUAL(leat_os_event_open(&event), LEAT_OS_OK);
    CHECK_EQUAL(leat_os_alarm_open(&alarm), LEAT_OS_OK);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK(sleep_for(&alarm, event, 20 * MS, 0) >= 20 * MS);
        CHECK(sleep_for(&alarm, event, 0, 20 * MS) >= 19 * MS);
        CHECK(sleep_for(&alarm, event, 3600 * S, 20 * MS) >= 19 * MS);
    }
    leat_os_event_set(event);
    CHECK(sleep_for(&alarm, event, 30 * S, 0) < 10 * S);
    leat_os_alarm_close(&alarm);
    leat_os_event_close(event);
}

static void
a_set_clock_is_told(void **state)
{
    (void)state;
    struct leat_os_alarm alarm;
    int event = -1;
    CHECK_EQUAL(leat_os_event_open(&event), LEAT_OS_OK);
    CHECK_EQUAL(leat_os_alarm_open(&alarm), LEAT_OS_OK);
    refusals = 1;
    CHECK(sleep_for(&alarm, event, 30 * S, 0) < 10 * S);
    CHECK_EQUAL(refusals, 0);
    CHECK(sleep_for(&alarm, event, 20 * MS, 0) >= 20 * MS);
    leat_os_alarm_close(&alarm);
    leat_os_event_close(event);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sleeps_until),
        cmocka_unit_test(a_set_clock_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
