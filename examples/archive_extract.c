/* archive_extract.c - reads an archive, makes its directories, links and files in order, and hands
 * the blocks to the runner. All of it is made in a new directory beside the one that is asked for,
 * which gets its name when everything is there and checked. */
#include "archive_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL 1
#include <xxhash.h>

/* A directory that is being filled. */
struct level {
    int descriptor;
    struct meta meta;
};

struct extraction {
    struct window window;
    struct level levels[DEPTH_MAX];
    size_t depth;
    FILE *file;
    const char *input;
    const char *directory;
    char *temporary;                   /* NULL: none */
    char target[TARGET_BYTES_MAX + 1]; /* of a link */
    XXH3_state_t sum;
};

/* ---- reading ------------------------------------------------------------------------------- */

static bool
damaged(const struct extraction *extraction)
{
    return complain_name(extraction->input, "is damaged, or no archive");
}

static bool
get(struct extraction *extraction, void *bytes, size_t count)
{
    if (fread(bytes, 1, count, extraction->file) == count) {
        return true;
    }
    return ferror(extraction->file) != 0 ? complain_of("read", extraction->input, errno)
                                         : complain_name(extraction->input, "ends too early");
}

static bool
get_summed(struct extraction *extraction, void *bytes, size_t count)
{
    bool good = get(extraction, bytes, count);
    (void)XXH3_64bits_update(&extraction->sum, bytes, good ? count : 0);
    return good;
}

static bool
get_number(struct extraction *extraction, uint64_t *number, uint32_t count)
{
    unsigned char bytes[sizeof(*number)];
    bool good = get_summed(extraction, bytes, count);
    *number = good ? number_read(bytes, count) : 0;
    return good;
}

/* A single name, and the first one empty: with these nothing outside can be reached. */
static bool
name_is_right(const struct extraction *extraction, const char *name, uint64_t length)
{
    if (extraction->depth == 0) {
        return length == 0;
    }
    return length > 0 && strlen(name) == length && strchr(name, '/') == NULL &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static bool
get_meta(struct extraction *extraction, struct meta *meta)
{
    uint64_t mode = 0;
    uint64_t seconds = 0;
    uint64_t nanoseconds = 0;
    uint64_t length = 0;
    if (!get_number(extraction, &mode, 4) || !get_number(extraction, &seconds, 8) ||
        !get_number(extraction, &nanoseconds, 4) || !get_number(extraction, &length, 2)) {
        return false;
    }
    if (mode > 07777 || nanoseconds >= 1000000000 || length > NAME_BYTES_MAX) {
        return damaged(extraction);
    }
    meta->mode = (uint32_t)mode;
    meta->changed.tv_sec = (time_t)seconds;
    meta->changed.tv_nsec = (long)nanoseconds;
    if (!get_summed(extraction, meta->name, length)) {
        return false;
    }
    meta->name[length] = '\0';
    return name_is_right(extraction, meta->name, length) || damaged(extraction);
}

/* ---- entries ------------------------------------------------------------------------------- */

/* Mode and time, once nothing changes them any more. */
static bool
dress(int descriptor, const struct meta *meta)
{
    const struct timespec times[2] = {meta->changed, meta->changed};
    if (fchmod(descriptor, meta->mode) != 0 || futimens(descriptor, times) != 0) {
        return complain_of("write", meta->name, errno);
    }
    return close(descriptor) == 0 || complain_of("write", meta->name, errno);
}

static bool
extract_retire(void *context, struct block *block)
{
    (void)context;
    return !block->last || dress(block->descriptor, &block->meta);
}

static int
above_of(const struct extraction *extraction)
{
    return extraction->levels[extraction->depth - 1].descriptor;
}

static bool
make_directory(struct extraction *extraction)
{
    if (extraction->depth == DEPTH_MAX) {
        return damaged(extraction);
    }
    struct level *level = &extraction->levels[extraction->depth];
    if (!get_meta(extraction, &level->meta)) {
        return false;
    }
    bool first = extraction->depth == 0;
    int above = first ? AT_FDCWD : above_of(extraction);
    const char *name = first ? extraction->temporary : level->meta.name;
    if (!first && mkdirat(above, name, 0700) != 0) {
        return complain_of("make", name, errno);
    }
    level->descriptor = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (level->descriptor < 0) {
        return complain_of("make", name, errno);
    }
    extraction->depth++;
    return true;
}

static bool
get_block(struct extraction *extraction, struct block *block)
{
    uint64_t stored = 0;
    if (!get_number(extraction, &stored, 4) || !get_number(extraction, &block->checksum, 8)) {
        return false;
    }
    block->stored = (uint32_t)stored;
    uint32_t bytes = block->stored & ~STORED_RAW;
    bool raw = bytes != block->stored;
    if (bytes > block->raw_bytes || (raw && bytes != block->raw_bytes)) {
        return damaged(extraction);
    }
    return get(extraction, block->packed, bytes);
}

static bool
make_blocks(struct extraction *extraction, int descriptor, const struct meta *meta, uint64_t size)
{
    for (uint64_t offset = 0; offset < size; offset += BLOCK_BYTES) {
        struct block *block = window_next(&extraction->window);
        if (block == NULL) {
            return false;
        }
        uint64_t left = size - offset;
        block->offset = offset;
        block->raw_bytes = left < BLOCK_BYTES ? (uint32_t)left : BLOCK_BYTES;
        if (!get_block(extraction, block)) {
            return false;
        }
        block->descriptor = descriptor;
        block->last = left <= BLOCK_BYTES;
        block->meta = *meta;
        if (!window_begin(&extraction->window, block)) {
            return false;
        }
    }
    return true;
}

static bool
make_file(struct extraction *extraction)
{
    struct meta meta;
    uint64_t size = 0;
    if (!get_meta(extraction, &meta) || !get_number(extraction, &size, 8)) {
        return false;
    }
    if (size > INT64_MAX - BLOCK_BYTES) {
        return damaged(extraction);
    }
    int descriptor = openat(above_of(extraction), meta.name,
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        return complain_of("make", meta.name, errno);
    }
    return size == 0 ? dress(descriptor, &meta) : make_blocks(extraction, descriptor, &meta, size);
}

static bool
make_link(struct extraction *extraction)
{
    struct meta meta;
    uint64_t length = 0;
    char *target = extraction->target;
    if (!get_meta(extraction, &meta) || !get_number(extraction, &length, 2)) {
        return false;
    }
    if (length == 0 || length > TARGET_BYTES_MAX) {
        return damaged(extraction);
    }
    if (!get_summed(extraction, target, length)) {
        return false;
    }
    target[length] = '\0';
    const struct timespec times[2] = {meta.changed, meta.changed};
    int above = above_of(extraction);
    if (symlinkat(target, above, meta.name) != 0 ||
        utimensat(above, meta.name, times, AT_SYMLINK_NOFOLLOW) != 0) {
        return complain_of("make", meta.name, errno);
    }
    return true;
}

/* The entries of the tree up to the end of its first directory. */
static bool
make_tree(struct extraction *extraction)
{
    bool good = true;
    do {
        char kind = 0;
        if (!get_summed(extraction, &kind, 1)) {
            return false;
        }
        if (kind != 'D' && extraction->depth == 0) {
            return damaged(extraction);
        }
        if (kind == 'D') {
            good = make_directory(extraction);
        } else if (kind == 'F') {
            good = make_file(extraction);
        } else if (kind == 'L') {
            good = make_link(extraction);
        } else if (kind == 'U') {
            struct level *level = &extraction->levels[--extraction->depth];
            good = dress(level->descriptor, &level->meta);
        } else {
            good = damaged(extraction);
        }
    } while (good && extraction->depth > 0);
    return good;
}

static bool
extract_all(struct extraction *extraction)
{
    char magic[MAGIC_BYTES];
    char end = 0;
    if (!get_summed(extraction, magic, MAGIC_BYTES)) {
        return false;
    }
    if (memcmp(magic, MAGIC, MAGIC_BYTES) != 0) {
        return damaged(extraction);
    }
    if (!make_tree(extraction) || !window_end(&extraction->window) ||
        !get_summed(extraction, &end, 1)) {
        return false;
    }
    uint64_t sum = XXH3_64bits_digest(&extraction->sum);
    uint64_t want = 0;
    if (!get_number(extraction, &want, 8)) {
        return false;
    }
    return (end == 'E' && sum == want && fgetc(extraction->file) == EOF) || damaged(extraction);
}

/* ---- the directory ------------------------------------------------------------------------- */

/* It need not be there; if it is, it has to be empty. */
static bool
directory_open(struct extraction *extraction)
{
    const char *directory = extraction->directory;
    DIR *there = opendir(directory);
    uint32_t entries = 0;
    if (there == NULL && errno != ENOENT) {
        return complain_of("extract to", directory, errno);
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): only this thread reads this stream */
    while (there != NULL && readdir(there) != NULL) {
        entries++;
    }
    if (there != NULL) {
        (void)closedir(there);
    }
    if (entries > 2) { /* itself, and the one above */
        return complain_name(directory, "is not empty");
    }
    size_t length = strlen(directory);
    while (length > 1 && directory[length - 1] == '/') {
        length--;
    }
    char *name = NULL;
    if (asprintf(&name, "%.*s.XXXXXX", (int)length, directory) < 0) {
        return complain("no memory", "");
    }
    if (mkdtemp(name) == NULL) {
        free(name);
        return complain_of("extract to", directory, errno);
    }
    extraction->temporary = name;
    return true;
}

/* Directories of the archive may forbid even their owner to look into them. */
static void
tree_remove(char *directory)
{
    char *const roots[] = {directory, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL, NULL);
    FTSENT *entry = NULL;
    while (tree != NULL && (entry = fts_read(tree)) != NULL) {
        if (entry->fts_info == FTS_D) {
            (void)chmod(entry->fts_accpath, 0700);
        } else {
            (void)remove(entry->fts_accpath);
        }
    }
    if (tree != NULL) {
        (void)fts_close(tree);
    }
}

static bool
directory_close(struct extraction *extraction, bool good)
{
    if (good && rename(extraction->temporary, extraction->directory) != 0) {
        good = complain_of("extract to", extraction->directory, errno);
    }
    if (!good && extraction->temporary != NULL) {
        tree_remove(extraction->temporary);
    }
    free(extraction->temporary);
    return good;
}

bool
archive_extract(struct runner *runner, const char *input, const char *directory)
{
    struct extraction *extraction = calloc(1, sizeof(*extraction));
    if (extraction == NULL) {
        return complain("no memory", "");
    }
    extraction->window.runner = runner;
    extraction->window.retire = extract_retire;
    extraction->window.context = extraction;
    extraction->input = input;
    extraction->directory = directory;
    (void)XXH3_64bits_reset(&extraction->sum);
    extraction->file = fopen(input, "re");
    bool good = extraction->file != NULL || complain_of("read", input, errno);
    good = good && window_init(&extraction->window) && directory_open(extraction) &&
           extract_all(extraction);
    runner->stop(runner->state); /* now no job has a block */
    good = directory_close(extraction, good);
    if (extraction->file != NULL) {
        (void)fclose(extraction->file);
    }
    while (extraction->depth > 0) {
        (void)close(extraction->levels[--extraction->depth].descriptor);
    }
    window_fini(&extraction->window);
    free(extraction);
    return good;
}
