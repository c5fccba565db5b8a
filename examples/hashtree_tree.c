/* hashtree_tree.c - the tree as it is kept in memory. Directories and records lie one behind the
 * other in chunks that never move and are given back all at once: a file takes 58 bytes and its
 * name, and millions of them need no malloc() each. A record holds its name only; the path above
 * it stands once in its directory. */
#include "hashtree_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Large enough that chunks are few, small enough that a small tree does not show in a listing. */
static const size_t chunk_bytes = 1 << 20;

struct arena_chunk {
    struct arena_chunk *older;
    size_t capacity;
    _Alignas(struct record) unsigned char bytes[];
};

static void *
tree_allocate(struct tree *tree, size_t bytes)
{
    const size_t alignment = _Alignof(struct record); /* the directory's is not larger */
    size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    if (tree->chunk == NULL || tree->chunk->capacity - tree->chunk_used < rounded) {
        size_t capacity = rounded > chunk_bytes ? rounded : chunk_bytes;
        struct arena_chunk *chunk = malloc(sizeof(*chunk) + capacity);
        if (chunk == NULL) {
            return NULL;
        }
        chunk->older = tree->chunk;
        chunk->capacity = capacity;
        tree->chunk = chunk;
        tree->chunk_used = 0;
    }
    void *memory = tree->chunk->bytes + tree->chunk_used;
    tree->chunk_used += rounded;
    return memory;
}

struct directory *
tree_add_directory(struct tree *tree, const struct directory *parent, const char *name)
{
    size_t above = parent == NULL ? 0 : parent->length;
    size_t length = strlen(name);
    struct directory *directory = tree_allocate(tree, sizeof(*directory) + above + length + 2);
    if (directory == NULL) {
        return NULL;
    }
    if (parent != NULL) {
        memcpy(directory->path, parent->path, above);
    }
    memcpy(directory->path + above, name, length);
    directory->length = above + length;
    if (length > 0) {
        directory->path[directory->length++] = '/';
    }
    directory->path[directory->length] = '\0';
    return directory;
}

struct record *
tree_add_record(struct tree *tree, const struct directory *directory, const char *name)
{
    size_t name_bytes = strlen(name) + 1;
    struct record *record = tree_allocate(tree, offsetof(struct record, name) + name_bytes);
    if (record == NULL) {
        return NULL;
    }
    record->directory = directory;
    record->order_next = NULL;
    record->queue_next = NULL;
    record->bytes = 0;
    record->state = RECORD_WAITING;
    memcpy(record->name, name, name_bytes);
    return record;
}

bool
path_set(struct path *path, const struct directory *directory, const char *name)
{
    size_t name_length = strlen(name);
    size_t length = directory->length + name_length;
    if (length >= path->capacity) {
        size_t capacity = length < PATH_MAX ? PATH_MAX : 2 * length;
        char *text = realloc(path->text, capacity);
        if (text == NULL) {
            return false;
        }
        path->text = text;
        path->capacity = capacity;
    }
    memcpy(path->text, directory->path, directory->length);
    memcpy(path->text + directory->length, name, name_length);
    if (name_length == 0 && length > 0) {
        length--; /* "sub/" would follow a symbolic link in the place of sub */
    }
    path->text[length] = '\0';
    path->length = length;
    return true;
}

void
path_free(struct path *path)
{
    free(path->text);
    path->text = NULL;
    path->capacity = 0;
}

/* The system takes paths of up to PATH_MAX - 1 bytes; trees can be deeper. Goes down in steps
 * that fit: each takes at least half of them off the path, since a name has at most 255 bytes. */
static int
path_open_in_steps(const struct tree *tree, const struct path *path, int flags)
{
    const int step_flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    char *rest = path->text;
    size_t length = path->length;
    int at = tree->descriptor;
    while (at >= 0 && length >= PATH_MAX) {
        char *slash = memrchr(rest, '/', PATH_MAX - 1);
        if (slash == NULL) {
            break; /* the last openat() refuses it */
        }
        *slash = '\0';
        int next = openat(at, rest, step_flags);
        int error = errno;
        if (at != tree->descriptor) {
            (void)close(at);
        }
        errno = error;
        length -= (size_t)(slash + 1 - rest);
        rest = slash + 1;
        at = next;
    }
    if (at < 0) {
        return -1;
    }
    int descriptor = openat(at, rest, flags);
    int error = errno;
    if (at != tree->descriptor) {
        (void)close(at);
    }
    errno = error;
    return descriptor;
}

int
path_open(const struct tree *tree, struct path *path, int flags)
{
    if (path->length >= PATH_MAX) {
        return path_open_in_steps(tree, path, flags);
    }
    return openat(tree->descriptor, path->text, flags);
}

bool
tree_open(struct tree *tree, const char *directory)
{
    memset(tree, 0, sizeof(*tree));
    tree->end = &tree->first;
    tree->descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
    if (tree->descriptor < 0) {
        return false;
    }
    size_t length = strlen(directory);
    char *prefix = malloc(length + 2);
    if (prefix == NULL) {
        (void)close(tree->descriptor);
        errno = ENOMEM;
        return false;
    }
    memcpy(prefix, directory, length);
    if (length == 0 || directory[length - 1] != '/') {
        prefix[length++] = '/';
    }
    prefix[length] = '\0';
    tree->prefix = prefix;
    tree->prefix_length = length;
    return true;
}

void
tree_close(struct tree *tree)
{
    while (tree->chunk != NULL) {
        struct arena_chunk *older = tree->chunk->older;
        free(tree->chunk);
        tree->chunk = older;
    }
    free(tree->prefix);
    (void)close(tree->descriptor);
}
