/* stress_fork.c - fork and join whose results are known, on one to four real workers: fib; skynet,
 * a tree of tasks with ten below each; a walk through the folders of the sources, with a task for
 * each folder, compared with nftw()'s; and a merge sort by groups of all lines of the files that it
 * found, compared with qsort()'s. Random keys, and trees of random shape: stress_group. */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/check.h"
#include "tests/support/engine.h"
#include "tests/support/source.h"
#include "tests/support/threads.h"

#define FIB 20
/* Leaves are 10 to this power. */
#define SKYNET_LEVELS    6
#define SKYNET_SANITIZED 4
#define CHILDREN         10
#define PATH_BYTES       4096
/* What is no longer worth a task of its own. */
#define LINES_FEW 32
/* The sources have more; a walk that finds next to nothing would prove nothing. */
#define LINES_LEAST 50000

/* Runs function(argument) and all that it spawns. */
static void
fork_run(struct leat_engine *engine, void (*function)(void *), void *argument)
{
    struct leat_group group;
    CHECK_OK(leat_group_init(&group, engine));
    CHECK_OK(leat_group_spawn(&group, function, argument));
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
}

/* ---- fib and skynet ------------------------------------------------------------------------- */

struct call {
    struct leat_engine *engine;
    uint64_t size;
    uint64_t first;
    uint64_t result;
};

static void
fib_run(void *argument)
{
    struct call *call = argument;
    struct leat_group group;
    if (call->size < 2) {
        call->result = call->size;
        return;
    }
    struct call one = {call->engine, call->size - 1, 0, 0};
    struct call two = {call->engine, call->size - 2, 0, 0};
    CHECK_OK(leat_group_init(&group, call->engine));
    CHECK_OK(leat_group_spawn(&group, fib_run, &one));
    CHECK_OK(leat_group_spawn(&group, fib_run, &two));
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    call->result = one.result + two.result;
}

static void
fib_round(struct leat_engine *engine)
{
    uint64_t before = 0;
    uint64_t want = 1;
    for (uint32_t i = 1; i < FIB; i++) {
        uint64_t next = before + want;
        before = want;
        want = next;
    }
    struct call call = {engine, FIB, 0, 0};
    fork_run(engine, fib_run, &call);
    CHECK_EQUAL(call.result, want);
}

/* `size` is how many leaves are below; they are numbers from `first` on. */
static void
skynet_run(void *argument)
{
    struct call *call = argument;
    struct call children[CHILDREN];
    struct leat_group group;
    if (call->size == 1) {
        call->result = call->first;
        return;
    }
    uint64_t size = call->size / CHILDREN;
    CHECK_OK(leat_group_init(&group, call->engine));
    for (uint32_t i = 0; i < CHILDREN; i++) {
        children[i] = (struct call){call->engine, size, call->first + i * size, 0};
        CHECK_OK(leat_group_spawn(&group, skynet_run, &children[i]));
    }
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    for (uint32_t i = 0; i < CHILDREN; i++) {
        call->result += children[i].result;
    }
}

static void
skynet_round(struct leat_engine *engine)
{
    uint64_t leaves = 1;
    for (uint32_t i = 0; i < (test_sanitized() ? SKYNET_SANITIZED : SKYNET_LEVELS); i++) {
        leaves *= CHILDREN;
    }
    struct call call = {engine, leaves, 0, 0};
    fork_run(engine, skynet_run, &call);
    CHECK_EQUAL(call.result, leaves * (leaves - 1) / 2);
}

/* ---- a walk through the sources ------------------------------------------------------------- */

struct text {
    struct text *next;
    size_t bytes;
    char *start; /* ends with a 0 */
};

struct folder {
    struct leat_engine *engine;
    struct folder *next;     /* of those in the same folder */
    struct folder *children; /* known when its task ends */
    struct text *texts;
    char path[PATH_BYTES];
};

/* Not what is built, nor what a tool keeps. */
static bool
is_folder_of_ours(const char *name)
{
    return name[0] != '.' && strncmp(name, "build", 5) != 0;
}

static bool
is_text_of_ours(const char *name)
{
    const char *end = strrchr(name, '.');
    return end != NULL &&
           (strcmp(end, ".c") == 0 || strcmp(end, ".h") == 0 || strcmp(end, ".md") == 0);
}

static struct text *
text_read(int folder, const char *name)
{
    struct text *text = calloc(1, sizeof(*text));
    struct stat about;
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
    CHECK(text != NULL);
    CHECK(file >= 0);
    CHECK(fstat(file, &about) == 0);
    text->bytes = (size_t)about.st_size;
    text->start = calloc(text->bytes + 1, 1);
    CHECK(text->start != NULL);
    CHECK_EQUAL(read(file, text->start, text->bytes), text->bytes);
    CHECK(close(file) == 0);
    return text;
}

static void walk_run(void *argument);

static void
entry_take(struct folder *folder, struct leat_group *group, int here, const char *name)
{
    struct stat about;
    CHECK(fstatat(here, name, &about, AT_SYMLINK_NOFOLLOW) == 0);
    if (S_ISDIR(about.st_mode) && is_folder_of_ours(name)) {
        struct folder *child = calloc(1, sizeof(*child));
        CHECK(child != NULL);
        child->engine = folder->engine;
        int length = snprintf(child->path, PATH_BYTES, "%s/%s", folder->path, name);
        CHECK(length > 0);
        CHECK(length < PATH_BYTES);
        child->next = folder->children;
        folder->children = child;
        CHECK_OK(leat_group_spawn(group, walk_run, child));
    } else if (S_ISREG(about.st_mode) && is_text_of_ours(name)) {
        struct text *text = text_read(here, name);
        text->next = folder->texts;
        folder->texts = text;
    }
}

/* All that is in a folder; folders by tasks of their own, which have ended when this one does. */
static void
walk_run(void *argument)
{
    struct folder *folder = argument;
    struct leat_group group;
    DIR *stream = opendir(folder->path);
    CHECK(stream != NULL);
    CHECK_OK(leat_group_init(&group, folder->engine));
    /* A stream of its own: NOLINTNEXTLINE(concurrency-mt-unsafe) */
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            entry_take(folder, &group, dirfd(stream), entry->d_name);
        }
    }
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    CHECK(closedir(stream) == 0);
}

/* What nftw() finds. It has no argument for its function. */
static struct {
    uint64_t files;
    uint64_t bytes;
} looked;

static int
look(const char *path, const struct stat *about, int type, struct FTW *place)
{
    const char *name = path + place->base;
    if (type == FTW_D && place->level > 0 && !is_folder_of_ours(name)) {
        return FTW_SKIP_SUBTREE;
    }
    if (type == FTW_F && is_text_of_ours(name)) {
        looked.files++;
        looked.bytes += (uint64_t)about->st_size;
    }
    return FTW_CONTINUE;
}

/* Takes the folders apart. Returns all texts. */
static struct text *
texts_gather(struct folder *root)
{
    struct text *texts = NULL;
    uint64_t files = 0;
    uint64_t bytes = 0;
    struct folder *left = root;
    while (left != NULL) { /* ends: each folder is in it once */
        struct folder *folder = left;
        left = folder->next;
        while (folder->children != NULL) {
            struct folder *child = folder->children;
            folder->children = child->next;
            child->next = left;
            left = child;
        }
        while (folder->texts != NULL) {
            struct text *text = folder->texts;
            folder->texts = text->next;
            text->next = texts;
            texts = text;
            files++;
            bytes += text->bytes;
        }
        free(folder);
    }
    CHECK_EQUAL(files, looked.files);
    CHECK_EQUAL(bytes, looked.bytes);
    return texts;
}

static struct text *
walk_round(struct leat_engine *engine)
{
    struct folder *root = calloc(1, sizeof(*root));
    CHECK(root != NULL);
    root->engine = engine;
    (void)snprintf(root->path, PATH_BYTES, "%s", test_source_root());
    fork_run(engine, walk_run, root);
    return texts_gather(root);
}

/* ---- sorting -------------------------------------------------------------------------------- */

struct part {
    struct leat_engine *engine;
    const char **lines;
    const char **room;
    size_t count;
};

/* No two are equal: of the same text, the one that stands before in memory. */
static int
line_compare(const void *left, const void *right)
{
    const char *a = *(const char *const *)left;
    const char *b = *(const char *const *)right;
    int order = strcmp(a, b);
    return order != 0 ? order : ((uintptr_t)a > (uintptr_t)b) - ((uintptr_t)a < (uintptr_t)b);
}

static void
lines_merge(struct part *part, size_t half)
{
    size_t left = 0;
    size_t right = half;
    for (size_t i = 0; i < part->count; i++) {
        bool takes_left =
            right == part->count ||
            (left < half && line_compare(&part->lines[left], &part->lines[right]) < 0);
        part->room[i] = part->lines[takes_left ? left++ : right++];
    }
    memcpy(part->lines, part->room, part->count * sizeof(part->lines[0]));
}

static void
sort_run(void *argument)
{
    struct part *part = argument;
    struct leat_group group;
    if (part->count <= LINES_FEW) {
        qsort(part->lines, part->count, sizeof(part->lines[0]), line_compare);
        return;
    }
    size_t half = part->count / 2;
    struct part left = {part->engine, part->lines, part->room, half};
    struct part right = {part->engine, part->lines + half, part->room + half, part->count - half};
    CHECK_OK(leat_group_init(&group, part->engine));
    CHECK_OK(leat_group_spawn(&group, sort_run, &left));
    CHECK_OK(leat_group_spawn(&group, sort_run, &right));
    CHECK_OK(leat_group_wait(&group, LEAT_FOREVER));
    lines_merge(part, half);
}

/* Ends each line with a 0. Counts them where `lines` is NULL. */
static size_t
lines_split(struct text *texts, const char **lines)
{
    size_t count = 0;
    for (struct text *text = texts; text != NULL; text = text->next) {
        char *line = text->start;
        while (line < text->start + text->bytes) {
            char *end = memchr(line, '\n', (size_t)(text->start + text->bytes - line));
            end = end == NULL ? text->start + text->bytes : end;
            if (lines != NULL) {
                *end = '\0';
                lines[count] = line;
            }
            count++;
            line = end + 1;
        }
    }
    return count;
}

static size_t
sort_round(struct leat_engine *engine, struct text *texts)
{
    size_t count = lines_split(texts, NULL);
    CHECK(count >= LINES_LEAST);
    const char **lines = calloc(count, 3 * sizeof(lines[0]));
    CHECK(lines != NULL);
    CHECK_EQUAL(lines_split(texts, lines), count);
    const char **want = lines + 2 * count;
    memcpy(want, lines, count * sizeof(lines[0]));
    struct part whole = {engine, lines, lines + count, count};
    fork_run(engine, sort_run, &whole);
    qsort(want, count, sizeof(want[0]), line_compare);
    CHECK(memcmp(lines, want, count * sizeof(lines[0])) == 0);
    free(lines);
    return count;
}

static void
texts_free(struct text *texts)
{
    while (texts != NULL) {
        struct text *next = texts->next;
        free(texts->start);
        free(texts);
        texts = next;
    }
}

/* ---- all ------------------------------------------------------------------------------------ */

static void
results_are_right(void **state)
{
    (void)state;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread is there yet */
    CHECK(nftw(test_source_root(), look, 16, FTW_PHYS | FTW_ACTIONRETVAL) == 0);
    for (uint32_t workers = 1; workers <= 4; workers *= 2) {
        uint64_t deadline_ns = test_now_ns() + test_duration_ns() / 3;
        struct leat_config config = test_config();
        config.workers = workers;
        struct leat_engine *engine = test_start(&config);
        uint32_t rounds = 0;
        size_t lines = 0;
        do {
            fib_round(engine);
            skynet_round(engine);
            struct text *texts = walk_round(engine);
            lines = sort_round(engine, texts);
            texts_free(texts);
            rounds++;
        } while (test_now_ns() < deadline_ns);
        test_say("%u workers: %u rounds of %" PRIu64 " files and %zu lines\n", workers, rounds,
                 looked.files, lines);
        test_finish(engine);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
