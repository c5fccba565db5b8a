/* forbid.h - calls of the system that a process may not make: a sandbox, by seccomp. */
#ifndef TESTS_SUPPORT_FORBID_H
#define TESTS_SUPPORT_FORBID_H

#include <stdint.h>

#define TEST_FORBID_MAX 15

/* From now on these calls (SYS_...) answer with an error, for this thread and those that it starts.
 * For a child, as it cannot be taken back. */
void test_forbid(const uint32_t *calls, uint32_t count, int error);

#endif
