/* stress_packed.c - the packed-slot ring under real threads, see ring_body.h. */
#include "ring/packed.h"

#define RING(name) leat_packed##name
#define RING_NAME  "packed"
#include "tests/stress/ring_body.h"

int
main(void)
{
    const struct CMUnitTest tests[] = {RING_TESTS};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
