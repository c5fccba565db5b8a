/* stress_ticket.c - the ticket ring under real threads, see ring_body.h. */
#include "ring/ticket.h"

#define RING(name) leat_ticket##name
#define RING_NAME  "ticket"
#include "tests/stress/ring_body.h"

int
main(void)
{
    const struct CMUnitTest tests[] = {RING_TESTS};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
