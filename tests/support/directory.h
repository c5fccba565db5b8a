/* directory.h - the files of a directory: copied, removed, looked through. */
#ifndef TESTS_SUPPORT_DIRECTORY_H
#define TESTS_SUPPORT_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes each file of `from` in `to`, too. */
void test_directory_copy(const char *from, const char *to);
void test_directory_empty(const char *path);
/* And it, too. */
void test_directory_remove(const char *path);
/* The text stands in one of its files, which are at most 2 MiB each. */
bool test_directory_has(const char *path, const char *text);
/* Of the names and bytes of all its files: the same as long as nothing changes. */
uint64_t test_directory_digest(const char *path);
/* Runs a shell's command in it; its exit status, and what it prints, which is the file `out` there,
 * in `text`, cut to `bytes`. */
int test_directory_run(const char *path, const char *command, char *text, size_t bytes);

#endif
