/* source.c - see source.h. A build tree knows its sources: LEAT_SOURCE_DIRECTORY where the build
 * defines it, else the line of CMakeCache.txt that says so, in a folder above the program. */
#include "tests/support/source.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/check.h"

#ifndef LEAT_SOURCE_DIRECTORY
#    define LEAT_SOURCE_DIRECTORY ""
#endif

#define FILE_BYTES_MAX (1 << 20)
#define PATH_BYTES     4096

static char *
read_all(const char *path)
{
    FILE *stream = fopen(path, "re");
    if (stream == NULL) {
        return NULL;
    }
    char *text = malloc(FILE_BYTES_MAX);
    CHECK(text != NULL);
    size_t length = fread(text, 1, FILE_BYTES_MAX - 1, stream);
    text[length] = '\0';
    (void)fclose(stream);
    return text;
}

/* The folder of the sources into `root`, from the first CMakeCache.txt above the program. */
static bool
find_root(char *root, size_t bytes)
{
    static const char key[] = "\nCMAKE_HOME_DIRECTORY:INTERNAL=";
    static char program[PATH_BYTES];
    static char cache[PATH_BYTES + 32];
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    CHECK(length > 0);
    program[length] = '\0';
    for (char *slash = strrchr(program, '/'); slash != NULL; slash = strrchr(program, '/')) {
        *slash = '\0';
        (void)snprintf(cache, sizeof(cache), "%s/CMakeCache.txt", program);
        char *text = read_all(cache);
        char *line = text == NULL ? NULL : strstr(text, key);
        if (line != NULL) {
            line += sizeof(key) - 1;
            line[strcspn(line, "\n")] = '\0';
            (void)snprintf(root, bytes, "%s", line);
        }
        free(text);
        if (line != NULL) {
            return true;
        }
    }
    return false;
}

static _Noreturn void
not_there(const char *what)
{
    test_say("no sources: %s is not there\n", what);
    _exit(TEST_SKIPPED);
}

const char *
test_source_root(void)
{
    static char root[PATH_BYTES] = LEAT_SOURCE_DIRECTORY;
    static char full[PATH_BYTES + 32];
    if (root[0] == '\0' && !find_root(root, sizeof(root))) {
        not_there("CMakeCache.txt");
    }
    (void)snprintf(full, sizeof(full), "%s/engine/leat.h", root);
    if (access(full, R_OK) != 0) {
        not_there(full);
    }
    return root;
}

char *
test_source_read(const char *path)
{
    static char full[PATH_BYTES + 256];
    (void)snprintf(full, sizeof(full), "%s/%s", test_source_root(), path);
    char *text = read_all(full);
    if (text == NULL) {
        not_there(path);
    }
    return text;
}
