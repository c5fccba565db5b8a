/* log_cut.h - a log that ends earlier: what a crash leaves of one whose later records had not come
 * to the disk. */
#ifndef TESTS_SUPPORT_LOG_CUT_H
#define TESTS_SUPPORT_LOG_CUT_H

#include <stdint.h>

#include "engine/wal/wal.h"

/* The records of the log in `directory`, which nobody uses. */
struct test_log;
struct test_log *test_log_read(const char *directory);
uint32_t test_log_count(const struct test_log *log);
/* Of the first `count`, as they were appended, makes a log in an empty directory. */
void test_log_write(const struct test_log *log, uint32_t count, const char *directory);
/* True if no unit is cut in two there. */
bool test_log_whole(const struct test_log *log, uint32_t count);
/* True if of these one says that the job has ended. */
bool test_log_ended(const struct test_log *log, uint32_t count, uint64_t id);
/* The id of the image that this one is; or 0. */
uint64_t test_log_image(const struct test_log *log, uint32_t record);
/* True if one of the first `count` is an image of it. */
bool test_log_images(const struct test_log *log, uint32_t count, uint64_t id);
/* How many of them are of that kind. */
uint32_t test_log_tagged(const struct test_log *log, uint32_t tag);
void test_log_free(struct test_log *log);

#endif
