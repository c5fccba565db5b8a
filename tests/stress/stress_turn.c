/* stress_turn.c - the turn-per-slot ring under real threads, see ring_body.h. */
#include "ring/turn.h"

#define RING(name) leat_turn##name
#define RING_NAME  "turn"
#include "tests/stress/ring_body.h"

int
main(void)
{
    const struct CMUnitTest tests[] = {RING_TESTS};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
