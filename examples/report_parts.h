/* report_parts.h - what the files of report.c know of each other. */
#ifndef REPORT_PARTS_H
#define REPORT_PARTS_H

#include <leat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct counts {
    uint64_t files;
    uint64_t lines;
    uint64_t words;
    uint64_t bytes;
};

struct tree {
    char **files;        /* regular ones, by directory */
    size_t *directories; /* of each file, its number: 0, 0, 1, .. */
    size_t files_count;
    size_t directories_count; /* that have files */
};

/* Lists the files below a directory, at most `files_max`; the caller calls tree_free(). */
bool tree_walk(const char *directory, size_t files_max, struct tree *tree);
void tree_free(struct tree *tree);

/* Counts what wc counts: a word is what stands between blanks. */
bool counts_of_file(const char *path, struct counts *counts);
void counts_add(struct counts *sum, const struct counts *term);

/* All files, one after the other; those that cannot be read are left out. */
void counts_of_tree(const struct tree *tree, struct counts *sum);

/* Handlers. The payload of count() is the file's name, that of write() and notify() the report's;
 * add() and write() go on from what their parents came to. */
struct leat_outcome report_count(struct leat_run *run, void *context);
struct leat_outcome report_add(struct leat_run *run, void *context);
struct leat_outcome report_write(struct leat_run *run, void *context);
struct leat_outcome report_notify(struct leat_run *run, void *context);

#endif
