/* archive_create.c - goes through a tree, hands its blocks to the runner, and writes what comes
 * back in order. The archive gets its name when all of it is there. */
#include "archive_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL 1
#include <xxhash.h>

/* A directory that the walk is in, and the names of its entries in order. */
struct level {
    int descriptor;
    char **names;
    size_t count;
    size_t next;
};

struct creation {
    struct window window;
    struct buffer head; /* what is not in a block's head yet */
    struct level levels[DEPTH_MAX];
    size_t depth;
    FILE *file;
    const char *output;
    char *temporary; /* NULL: none */
    struct stat self;
    char target[TARGET_BYTES_MAX + 1]; /* of a link */
    XXH3_state_t sum;
};

/* ---- writing ------------------------------------------------------------------------------- */

static bool
put(struct creation *creation, const void *bytes, size_t count)
{
    return fwrite(bytes, 1, count, creation->file) == count ||
           complain_of("write", creation->output, errno);
}

static bool
put_summed(struct creation *creation, const struct buffer *head)
{
    (void)XXH3_64bits_update(&creation->sum, head->bytes, head->used);
    return put(creation, head->bytes, head->used);
}

/* Writes a block that is packed. */
static bool
create_retire(void *context, struct block *block)
{
    struct creation *creation = context;
    if (block->descriptor >= 0) {
        if (!buffer_number(&block->head, block->stored, 4) ||
            !buffer_number(&block->head, block->checksum, 8)) {
            return false;
        }
        if (block->last) {
            (void)close(block->descriptor);
        }
    }
    if (!put_summed(creation, &block->head)) {
        return false;
    }
    bool raw = (block->stored & STORED_RAW) != 0;
    return block->descriptor < 0 ||
           put(creation, raw ? block->raw : block->packed, block->stored & ~STORED_RAW);
}

/* The block takes the head that has gathered. */
static bool
begin(struct creation *creation, struct block *block)
{
    struct buffer empty = block->head;
    block->head = creation->head;
    creation->head = empty;
    return window_begin(&creation->window, block);
}

/* Entries without content must not gather for ever. */
static bool
head_flush(struct creation *creation, size_t most)
{
    if (creation->head.used <= most) {
        return true;
    }
    struct block *block = window_next(&creation->window);
    return block != NULL && begin(creation, block);
}

static bool
put_entry(struct creation *creation, char kind, const struct stat *status, const char *name)
{
    struct buffer *head = &creation->head;
    size_t length = strlen(name);
    return head_flush(creation, HEAD_BYTES_MAX) && buffer_add(head, &kind, 1) &&
           buffer_number(head, status->st_mode & 07777, 4) &&
           buffer_number(head, (uint64_t)status->st_mtim.tv_sec, 8) &&
           buffer_number(head, (uint64_t)status->st_mtim.tv_nsec, 4) &&
           buffer_number(head, length, 2) && buffer_add(head, name, length);
}

/* ---- entries ------------------------------------------------------------------------------- */

/* Takes the descriptor. */
static bool
add_file(struct creation *creation, int descriptor, const char *name)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0) {
        return complain_of("read", name, errno);
    }
    uint64_t size = (uint64_t)status.st_size;
    if (!put_entry(creation, 'F', &status, name) || !buffer_number(&creation->head, size, 8)) {
        return false;
    }
    if (size == 0) {
        (void)close(descriptor);
    }
    for (uint64_t offset = 0; offset < size; offset += BLOCK_BYTES) {
        struct block *block = window_next(&creation->window);
        if (block == NULL) {
            return false;
        }
        uint64_t left = size - offset;
        block->descriptor = descriptor;
        block->offset = offset;
        block->raw_bytes = left < BLOCK_BYTES ? (uint32_t)left : BLOCK_BYTES;
        block->last = left <= BLOCK_BYTES;
        (void)snprintf(block->meta.name, sizeof(block->meta.name), "%s", name);
        if (!begin(creation, block)) {
            return false;
        }
    }
    return true;
}

static bool
add_link(struct creation *creation, const struct stat *status, int above, const char *name)
{
    ssize_t length = readlinkat(above, name, creation->target, sizeof(creation->target));
    if (length < 0 || length > TARGET_BYTES_MAX) {
        return complain_of("read", name, length < 0 ? errno : ENAMETOOLONG);
    }
    return put_entry(creation, 'L', status, name) &&
           buffer_number(&creation->head, (uint64_t)length, 2) &&
           buffer_add(&creation->head, creation->target, (size_t)length);
}

static int
by_name(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

/* All names of an open directory but its own and the one above. */
static bool
read_names(struct level *level, DIR *stream, const char *name)
{
    size_t capacity = 0;
    for (;;) {
        errno = 0;
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): only this thread reads this stream */
        const struct dirent *entry = readdir(stream);
        if (entry == NULL) {
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (level->count == capacity) {
            capacity = capacity * 2 + 16;
            char **grown = realloc(level->names, sizeof(char *) * capacity);
            if (grown == NULL) {
                return complain("no memory", "");
            }
            level->names = grown;
        }
        level->names[level->count] = strdup(entry->d_name);
        if (level->names[level->count] == NULL) {
            return complain("no memory", "");
        }
        level->count++;
    }
    if (errno != 0) {
        return complain_of("read", name, errno);
    }
    if (level->count > 0) {
        qsort(level->names, level->count, sizeof(char *), by_name);
    }
    return true;
}

/* Takes the descriptor. `name` is for the archive, `shown` for messages. */
static bool
enter(struct creation *creation, int descriptor, const char *name, const char *shown)
{
    struct stat status;
    if (creation->depth == DEPTH_MAX) {
        (void)close(descriptor);
        return complain_name(shown, "has too many directories above it");
    }
    struct level *level = &creation->levels[creation->depth++];
    memset(level, 0, sizeof(*level));
    level->descriptor = descriptor;
    int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (stream == NULL || fstat(descriptor, &status) != 0) {
        return complain_of("read", shown, errno);
    }
    bool good = read_names(level, stream, shown) && put_entry(creation, 'D', &status, name);
    (void)closedir(stream);
    return good;
}

static void
leave(struct creation *creation)
{
    struct level *level = &creation->levels[--creation->depth];
    for (size_t i = 0; i < level->count; i++) {
        free(level->names[i]);
    }
    free(level->names);
    (void)close(level->descriptor);
}

static bool
add_entry(struct creation *creation, const char *name)
{
    int above = creation->levels[creation->depth - 1].descriptor;
    struct stat status;
    if (fstatat(above, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return complain_of("read", name, errno);
    }
    bool self = status.st_dev == creation->self.st_dev && status.st_ino == creation->self.st_ino;
    if (S_ISLNK(status.st_mode)) {
        return add_link(creation, &status, above, name);
    }
    if (self) {
        return true; /* the archive that is being written */
    }
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
        return complain_name(name, "is neither a file nor a directory nor a link");
    }
    int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    int opened = openat(above, name, flags | (S_ISDIR(status.st_mode) ? O_DIRECTORY : 0));
    if (opened < 0) {
        return complain_of("read", name, errno);
    }
    return S_ISDIR(status.st_mode) ? enter(creation, opened, name, name)
                                   : add_file(creation, opened, name);
}

static bool
add_tree(struct creation *creation, const char *directory)
{
    int root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) {
        return complain_of("read", directory, errno);
    }
    bool good = enter(creation, root, "", directory);
    while (good && creation->depth > 0) {
        struct level *level = &creation->levels[creation->depth - 1];
        if (level->next < level->count) {
            good = add_entry(creation, level->names[level->next++]);
        } else {
            good = buffer_add(&creation->head, "U", 1);
            leave(creation);
        }
    }
    return good;
}

/* ---- the file ------------------------------------------------------------------------------ */

static bool
output_open(struct creation *creation)
{
    struct stat status;
    const char *output = creation->output;
    if (stat(output, &status) == 0 && !S_ISREG(status.st_mode)) {
        return complain_name(output, "is not a regular file");
    }
    char *name = NULL;
    if (asprintf(&name, "%s.%ld.tmp", output, (long)getpid()) < 0) {
        return complain("no memory", "");
    }
    int descriptor = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0) {
        free(name);
        return complain_of("write", output, errno);
    }
    creation->temporary = name;
    creation->file = fdopen(descriptor, "w");
    return (creation->file != NULL && fstat(descriptor, &creation->self) == 0) ||
           complain_of("write", output, errno);
}

static bool
create_all(struct creation *creation, const char *directory)
{
    struct buffer tail = {0};
    if (!buffer_add(&creation->head, MAGIC, MAGIC_BYTES) || !add_tree(creation, directory) ||
        !head_flush(creation, 0) || !window_end(&creation->window)) {
        return false;
    }
    bool good = buffer_add(&tail, "E", 1) && put_summed(creation, &tail) &&
                buffer_number(&tail, XXH3_64bits_digest(&creation->sum), 8) &&
                put(creation, tail.bytes + 1, tail.used - 1);
    free(tail.bytes);
    return good;
}

/* Gives the file its name, or removes it. */
static bool
output_close(struct creation *creation, bool good)
{
    if (creation->file != NULL && fclose(creation->file) != 0 && good) {
        good = complain_of("write", creation->output, errno);
    }
    if (good && rename(creation->temporary, creation->output) != 0) {
        good = complain_of("write", creation->output, errno);
    }
    if (!good && creation->temporary != NULL) {
        (void)unlink(creation->temporary);
    }
    free(creation->temporary);
    return good;
}

bool
archive_create(struct runner *runner, const char *directory, const char *output)
{
    struct creation *creation = calloc(1, sizeof(*creation));
    if (creation == NULL) {
        return complain("no memory", "");
    }
    creation->window.runner = runner;
    creation->window.retire = create_retire;
    creation->window.context = creation;
    creation->output = output;
    (void)XXH3_64bits_reset(&creation->sum);
    bool good =
        window_init(&creation->window) && output_open(creation) && create_all(creation, directory);
    runner->stop(runner->state); /* now no job has a block */
    good = output_close(creation, good);
    while (creation->depth > 0) {
        leave(creation);
    }
    window_fini(&creation->window);
    free(creation->head.bytes);
    free(creation);
    return good;
}
