/* source.h - the repository's files, for tests that compare the library with what is written. */
#ifndef TESTS_SUPPORT_SOURCE_H
#define TESTS_SUPPORT_SOURCE_H

/* The text of a file, by its path in the repository; free() it. The test is skipped where the build
 * tree was moved away from its sources. */
char *test_source_read(const char *path);
/* The folder that they are in. Skipped likewise. */
const char *test_source_root(void);

#endif
