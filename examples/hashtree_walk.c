/* hashtree_walk.c - goes through the tree and hands out its files.
 *
 * Each directory is read to its end, its files are submitted as they are met, and then its entries
 * are sorted and visited in that order, directories depth first. A directory sorts with the slash
 * that follows its name in every path below it, so the order of the visits is the order of the
 * printed paths: no sort of all paths is needed at the end, and the workers are busy while the
 * entries are sorted. The stack is explicit, since a tree may be deeper than a thread's stack. */
#include "hashtree_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One name of a directory on the stack. */
struct entry {
    const char *key;                   /* what follows the directory's path: "file" or "sub/" */
    struct record *record;             /* a file, or */
    const struct directory *directory; /* a directory; one of them is NULL */
};

/* One directory on the stack: entries[begin .. end), of which those before `next` were visited. */
struct frame {
    size_t begin;
    size_t next;
    size_t end;
};

struct walk {
    const struct hashers *hashers;
    walk_submit submit;
    void *context;
    struct entry *entries;
    size_t entries_count;
    size_t entries_capacity;
    struct frame *frames;
    size_t frames_count;
    size_t frames_capacity;
    struct path path;
};

/* Where a byte of a name stands in the order of printed paths. Backslash, newline and carriage
 * return are printed as \\, \n and \r: they sort as backslashes, and among themselves by the
 * second byte. No other byte is printed as a backslash, so four places for each byte are enough. */
static int
rank(char byte)
{
    switch (byte) {
    case '\\':
        return '\\' * 4;
    case '\n':
        return '\\' * 4 + 1;
    case '\r':
        return '\\' * 4 + 2;
    default:
        return (unsigned char)byte * 4;
    }
}

static int
entry_compare(const void *one, const void *other)
{
    const char *left = ((const struct entry *)one)->key;
    const char *right = ((const struct entry *)other)->key;
    /* Ends at the latest with the shorter key: its NUL differs from what the other has there, for
     * no name of a directory occurs twice. Where it does (the file system changed meanwhile), at
     * both NULs. */
    while (*left == *right && *left != '\0') {
        left++;
        right++;
    }
    return rank(*left) - rank(*right);
}

/* Makes room for one more item of a growing array; NULL when there is no memory. */
static void *
grow(void *items, size_t *capacity, size_t item_bytes)
{
    size_t more = *capacity == 0 ? 64 : 2 * *capacity;
    void *moved = realloc(items, more * item_bytes);
    if (moved != NULL) {
        *capacity = more;
    }
    return moved;
}

static bool
push_entry(struct walk *walk, struct entry entry)
{
    if (walk->entries_count == walk->entries_capacity) {
        void *moved = grow(walk->entries, &walk->entries_capacity, sizeof(struct entry));
        if (moved == NULL) {
            return false;
        }
        walk->entries = moved;
    }
    walk->entries[walk->entries_count++] = entry;
    return true;
}

static bool
push_frame(struct walk *walk, size_t begin)
{
    if (walk->frames_count == walk->frames_capacity) {
        void *moved = grow(walk->frames, &walk->frames_capacity, sizeof(struct frame));
        if (moved == NULL) {
            return false;
        }
        walk->frames = moved;
    }
    walk->frames[walk->frames_count++] = (struct frame){begin, begin, walk->entries_count};
    return true;
}

static bool
out_of_memory(void)
{
    complain("out of memory");
    return false;
}

static void
report(struct walk *walk, const struct directory *directory, const char *name, int error)
{
    const struct hashers *hashers = walk->hashers;
    const char *path = directory->path;
    if (path_set(&walk->path, directory, name)) {
        path = walk->path.text;
    }
    message_unreadable(hashers->message, hashers->tree->prefix, path, error);
}

static bool
found_file(struct walk *walk, const struct directory *directory, const char *name, uint64_t bytes)
{
    struct tree *tree = walk->hashers->tree;
    struct record *record = tree_add_record(tree, directory, name);
    if (record == NULL || !push_entry(walk, (struct entry){record->name, record, NULL})) {
        return out_of_memory();
    }
    tree->files++;
    tree->bytes += bytes;
    return walk->submit(walk->context, record, bytes >= BIG_BYTES);
}

static bool
found_directory(struct walk *walk, const struct directory *parent, const char *name)
{
    struct directory *directory = tree_add_directory(walk->hashers->tree, parent, name);
    if (directory == NULL) {
        return out_of_memory();
    }
    const char *key = directory->path + parent->length;
    return push_entry(walk, (struct entry){key, NULL, directory}) || out_of_memory();
}

/* One name that readdir() gave. Its type may be unknown; the size of a file never is. */
static bool
found_name(struct walk *walk, const struct directory *directory, int descriptor,
           const struct dirent *item)
{
    const char *name = item->d_name;
    if (name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'))) {
        return true;
    }
    if (item->d_type == DT_DIR) {
        return found_directory(walk, directory, name);
    }
    if (item->d_type != DT_REG && item->d_type != DT_UNKNOWN) {
        return true;
    }
    struct stat status;
    if (fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
        if (item->d_type == DT_REG) {
            return found_file(walk, directory, name, 0); /* opening it gives the reason */
        }
        report(walk, directory, name, errno);
        return true;
    }
    if (S_ISDIR(status.st_mode)) {
        return found_directory(walk, directory, name);
    }
    if (S_ISREG(status.st_mode)) {
        return found_file(walk, directory, name, (uint64_t)status.st_size);
    }
    return true;
}

/* NULL: reported. */
static DIR *
open_directory(struct walk *walk, const struct directory *directory)
{
    const struct tree *tree = walk->hashers->tree;
    int descriptor = -1;
    if (!path_set(&walk->path, directory, "")) {
        errno = ENOMEM;
    } else if (walk->path.length == 0) {
        /* DIR itself is open. By the name "." it would need the right to search it. */
        descriptor = fcntl(tree->descriptor, F_DUPFD_CLOEXEC, 0);
    } else {
        descriptor = path_open(tree, &walk->path,
                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    }
    DIR *stream = descriptor >= 0 ? fdopendir(descriptor) : NULL;
    if (stream == NULL) {
        int error = errno;
        if (descriptor >= 0) {
            (void)close(descriptor);
        }
        report(walk, directory, "", error);
    }
    return stream;
}

/* NULL at the end of the directory, or where it can be read no further. */
static const struct dirent *
next_name(struct walk *walk, const struct directory *directory, DIR *stream)
{
    errno = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): only this thread reads this stream */
    const struct dirent *item = readdir(stream);
    if (item == NULL && errno != 0) {
        report(walk, directory, "", errno);
    }
    return item;
}

/* Submits the files of a directory and puts its sorted entries on the stack. */
static bool
enter(struct walk *walk, const struct directory *directory)
{
    /* Names between two looks at the clock: a few tens of microseconds. */
    const size_t names_per_tick = 64;
    DIR *stream = open_directory(walk, directory);
    if (stream == NULL) {
        return true;
    }
    size_t begin = walk->entries_count;
    bool going = true;
    const struct dirent *item = next_name(walk, directory, stream);
    for (size_t names = 1; going && item != NULL; names++) { /* ends with the directory */
        if (names % names_per_tick == 0) {
            hashers_tick(walk->hashers, false);
        }
        going = found_name(walk, directory, dirfd(stream), item);
        item = next_name(walk, directory, stream);
    }
    (void)closedir(stream);
    if (!going) {
        return false;
    }
    if (walk->entries_count > begin) {
        qsort(walk->entries + begin, walk->entries_count - begin, sizeof(struct entry),
              entry_compare);
    }
    return push_frame(walk, begin) || out_of_memory();
}

/* Visits the next entry of the topmost directory. */
static bool
step(struct walk *walk)
{
    struct frame *frame = &walk->frames[walk->frames_count - 1];
    if (frame->next == frame->end) {
        walk->entries_count = frame->begin;
        walk->frames_count--;
        return true;
    }
    struct entry entry = walk->entries[frame->next++];
    if (entry.record != NULL) {
        struct tree *tree = walk->hashers->tree;
        *tree->end = entry.record;
        tree->end = &entry.record->order_next;
        return true;
    }
    hashers_tick(walk->hashers, false);
    return enter(walk, entry.directory);
}

bool
walk_tree(const struct hashers *hashers, walk_submit submit, void *context)
{
    struct walk walk = {.hashers = hashers, .submit = submit, .context = context};
    const struct directory *root = tree_add_directory(hashers->tree, NULL, "");
    bool going = root != NULL ? enter(&walk, root) : out_of_memory();
    /* Ends: each step visits an entry or leaves a directory, and without following links a
     * directory is met once. */
    while (going && walk.frames_count > 0) {
        going = step(&walk);
    }
    free(walk.entries);
    free(walk.frames);
    path_free(&walk.path);
    return going;
}
