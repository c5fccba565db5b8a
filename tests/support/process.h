/* process.h - what the system says of this process. */
#ifndef TESTS_SUPPORT_PROCESS_H
#define TESTS_SUPPORT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of address space in use. */
size_t test_address_space(void);
/* Threads, this one included. */
uint32_t test_thread_count(void);
/* There are so many, or soon: one that was joined may be counted for a moment. */
bool test_threads_are(uint32_t count);

#endif
