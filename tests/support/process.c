/* process.c - see process.h. */
#include "tests/support/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/check.h"

size_t
test_address_space(void)
{
    char text[64];
    FILE *stream = fopen("/proc/self/statm", "re");
    CHECK(stream != NULL);
    size_t length = fread(text, 1, sizeof(text) - 1, stream);
    (void)fclose(stream);
    text[length] = '\0';
    char *end = NULL;
    size_t pages = strtoul(text, &end, 10);
    CHECK(end != text);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

uint32_t
test_thread_count(void)
{
    /* A directory for each thread, and the links of every directory. */
    struct stat status;
    CHECK(stat("/proc/self/task", &status) == 0);
    CHECK(status.st_nlink > 2);
    return (uint32_t)status.st_nlink - 2;
}

bool
test_threads_are(uint32_t count)
{
    for (uint32_t tries = 0; test_thread_count() != count; tries++) {
        if (tries == 10000) {
            return false;
        }
        (void)usleep(1000);
    }
    return true;
}
