/* stress_scq.c - the SCQ ring under real threads, see ring_body.h. Where more threads than its
 * capacity are in calls, its premise does not hold: these flows get a larger ring. */
#include "ring/scq.h"

#define RING(name)                   leat_scq##name
#define RING_NAME                    "scq"
#define RING_TURN_WRAP(slots_log2)   (UINT64_C(1) << (LEAT_SCQ_CYCLE_BITS + 1 + (slots_log2)))
#define RING_THREADS_MAX(slots_log2) (UINT32_C(1) << (slots_log2))
#include "tests/stress/ring_body.h"

int
main(void)
{
    const struct CMUnitTest tests[] = {RING_TESTS};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
