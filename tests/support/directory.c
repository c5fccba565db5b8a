/* directory.c - see directory.h. */
#include "tests/support/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "tests/support/check.h"

static void
file_copy(int from_directory, int to_directory, const char *name)
{
    static unsigned char bytes[1 << 16];
    int from = openat(from_directory, name, O_RDONLY);
    int to = openat(to_directory, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ssize_t count = 0;
    CHECK(from >= 0 && to >= 0);
    while ((count = read(from, bytes, sizeof(bytes))) > 0) {
        CHECK(write(to, bytes, (size_t)count) == count);
    }
    CHECK(count == 0);
    CHECK(close(from) == 0 && close(to) == 0);
}

/* Each file of `from` is made in `to`, or removed where that is NULL. */
static void
directory_walk(const char *from, const char *to)
{
    DIR *directory = opendir(from);
    int to_directory = to == NULL ? -1 : open(to, O_RDONLY | O_DIRECTORY);
    CHECK(directory != NULL && (to == NULL || to_directory >= 0));
    /* One thread has the stream. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        if (to != NULL) {
            file_copy(dirfd(directory), to_directory, entry->d_name);
        } else {
            CHECK(unlinkat(dirfd(directory), entry->d_name, 0) == 0);
        }
    }
    (void)closedir(directory);
    if (to != NULL) {
        CHECK(close(to_directory) == 0);
    }
}

void
test_directory_copy(const char *from, const char *to)
{
    directory_walk(from, to);
}

void
test_directory_empty(const char *path)
{
    directory_walk(path, NULL);
}
