/* report_tree.c - the files of a directory, and what is counted in each. */
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report_parts.h"

static bool
append(struct tree *tree, const char *path)
{
    char *copy = strdup(path);
    tree->files[tree->files_count] = copy;
    tree->directories[tree->files_count] = tree->directories_count - 1;
    tree->files_count += copy != NULL ? 1 : 0;
    return copy != NULL;
}

/* Files come before directories, so those of one directory are neighbours. */
static int
files_first(const FTSENT **left, const FTSENT **right)
{
    int apart = ((*left)->fts_info == FTS_D) - ((*right)->fts_info == FTS_D);
    return apart != 0 ? apart : strcmp((*left)->fts_name, (*right)->fts_name);
}

bool
tree_walk(const char *directory, size_t files_max, struct tree *tree)
{
    char *root = strdup(directory);
    char *const roots[] = {root, NULL};
    tree->files = calloc(files_max + 1, sizeof(*tree->files));
    tree->directories = calloc(files_max + 1, sizeof(*tree->directories));
    FTS *walk = root == NULL ? NULL : fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, files_first);
    bool ok = walk != NULL && tree->files != NULL && tree->directories != NULL;
    const FTSENT *last = NULL; /* the directory of the file before */
    FTSENT *entry = ok ? fts_read(walk) : NULL;
    while (entry != NULL && ok && tree->files_count < files_max) {
        if (entry->fts_info == FTS_F) {
            tree->directories_count += entry->fts_parent != last ? 1 : 0;
            last = entry->fts_parent;
            ok = append(tree, entry->fts_path);
        }
        entry = fts_read(walk);
    }
    if (walk != NULL) {
        (void)fts_close(walk);
    }
    free(root);
    return ok;
}

void
tree_free(struct tree *tree)
{
    for (size_t i = 0; i < tree->files_count; i++) {
        free(tree->files[i]);
    }
    free(tree->files);
    free(tree->directories);
}

bool
counts_of_file(const char *path, struct counts *counts)
{
    unsigned char buffer[1024];
    size_t bytes = 0;
    bool inside = false; /* a word */
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    *counts = (struct counts){1, 0, 0, 0};
    while ((bytes = fread(buffer, 1, sizeof(buffer), file)) > 0) {
        counts->bytes += bytes;
        for (size_t i = 0; i < bytes; i++) {
            bool blank = buffer[i] == ' ' || (buffer[i] >= '\t' && buffer[i] <= '\r');
            counts->words += !blank && !inside ? 1 : 0;
            counts->lines += buffer[i] == '\n' ? 1 : 0;
            inside = !blank;
        }
    }
    bool ok = ferror(file) == 0;
    return fclose(file) == 0 && ok;
}

void
counts_add(struct counts *sum, const struct counts *term)
{
    sum->files += term->files;
    sum->lines += term->lines;
    sum->words += term->words;
    sum->bytes += term->bytes;
}

void
counts_of_tree(const struct tree *tree, struct counts *sum)
{
    for (size_t i = 0; i < tree->files_count; i++) {
        struct counts term;
        if (counts_of_file(tree->files[i], &term)) {
            counts_add(sum, &term);
        }
    }
}
