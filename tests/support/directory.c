/* directory.c - see directory.h. */
#include "tests/support/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
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

void
test_directory_remove(const char *path)
{
    test_directory_empty(path);
    CHECK(rmdir(path) == 0);
}

/* ---- looked through -------------------------------------------------------------------------- */

#define FILE_MAX (UINT64_C(1) << 21)

struct look {
    const char *text;
    bool there;
    uint64_t digest;
};

static void
file_look(struct look *look, const char *name, const unsigned char *bytes, size_t count)
{
    uint64_t one = UINT64_C(0xcbf29ce484222325);
    for (; *name != '\0'; name++) {
        one = (one ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    }
    for (size_t i = 0; i < count; i++) {
        one = (one ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    look->digest += one; /* in any order of the files */
    look->there = look->there || memmem(bytes, count, look->text, strlen(look->text)) != NULL;
}

static struct look
directory_look(const char *path, const char *text)
{
    struct look look = {text, false, 0};
    unsigned char *bytes = malloc(FILE_MAX);
    DIR *directory = opendir(path);
    CHECK(bytes != NULL && directory != NULL);
    /* One thread has the stream. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (entry->d_name[0] != '.') {
            int file = openat(dirfd(directory), entry->d_name, O_RDONLY | O_CLOEXEC);
            CHECK(file >= 0);
            ssize_t count = read(file, bytes, FILE_MAX);
            CHECK(count >= 0 && (uint64_t)count < FILE_MAX);
            CHECK_EQUAL(close(file), 0);
            file_look(&look, entry->d_name, bytes, (size_t)count);
        }
    }
    CHECK_EQUAL(closedir(directory), 0);
    free(bytes);
    return look;
}

bool
test_directory_has(const char *path, const char *text)
{
    return directory_look(path, text).there;
}

uint64_t
test_directory_digest(const char *path)
{
    return directory_look(path, "\n").digest;
}

int
test_directory_run(const char *path, const char *command, char *text, size_t bytes)
{
    char whole[512];
    char name[128];
    int length = snprintf(whole, sizeof(whole), "cd %s && %s > out 2>&1", path, command);
    CHECK(length > 0 && (size_t)length < sizeof(whole));
    /* What the command names is ours. NOLINTNEXTLINE(concurrency-mt-unsafe,cert-env33-c) */
    int status = system(whole);
    (void)snprintf(name, sizeof(name), "%s/out", path);
    FILE *file = fopen(name, "r");
    CHECK(file != NULL);
    text[fread(text, 1, bytes - 1, file)] = '\0';
    (void)fclose(file);
    return status / 256;
}
