/* directory.h - the files of a directory, copied or removed. */
#ifndef TESTS_SUPPORT_DIRECTORY_H
#define TESTS_SUPPORT_DIRECTORY_H

/* Makes each file of `from` in `to`, too. */
void test_directory_copy(const char *from, const char *to);
void test_directory_empty(const char *path);

#endif
