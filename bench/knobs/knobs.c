/* knobs.c - what each knob that matters to speed buys.
 *
 *   leat_knobs --list              a row each: name, knob, work, what its nanoseconds are of, the
 *                                  lowest value, the default, the highest one, how it changes
 *   leat_knobs --check             that the table of knobs names these rows and no others
 *   leat_knobs [--few] ROW [VALUE] runs its work with this value of its knob; without, as it is
 *                                  built; and prints nanoseconds
 *
 * tools/knobs.py measures with it. Exit status: 0; 1: a fault; 2: no such row; 77: the system
 * refuses what the value asks for. */
#include <stdio.h>
#include <string.h>

#include "bench/kernels/machine.h"
#include "bench/knobs/rows.h"
#include "bench/knobs/works.h"

#define SETTINGS_MAX 4
#define TEXT_BYTES   128

/* ---- what there is --------------------------------------------------------------------------- */

/* The name of a row's knob as leat_knob_list() has it: without its section. */
static void
listed_name(const struct knob_row *row, char *name, size_t bytes)
{
    const char *last = strrchr(row->knob, '.');
    if (last == NULL) {
        (void)snprintf(name, bytes, "%s", row->knob);
    } else {
        (void)snprintf(name, bytes, "%.*s.*%s", (int)strcspn(row->knob, "."), row->knob, last);
    }
}

/* The knob of this number, and false beyond the last one. */
static bool
info_at(uint32_t index, struct leat_knob_info *info)
{
    size_t count = 0;
    *info = leat_knob_info_default();
    bench_must(leat_knob_list(NULL, index, info, 1, &count));
    return count == 1;
}

static bool
info_of(const struct knob_row *row, struct leat_knob_info *info)
{
    char name[TEXT_BYTES];
    listed_name(row, name, sizeof(name));
    for (uint32_t i = 0; info_at(i, info); i++) {
        if (strcmp(info->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static const struct knob_row *
row_of(const char *name)
{
    const struct knob_row *row = knob_row_at(0);
    for (size_t i = 1; row != NULL && strcmp(row->name, name) != 0; i++) {
        row = knob_row_at(i);
    }
    return row;
}

static const char *
change_of(const struct leat_knob_info *info)
{
    if (info->scope == LEAT_KNOB_BUILD) {
        return "build";
    }
    return info->live ? "live" : "restart";
}

static int
list(void)
{
    struct leat_knob_info info;
    const struct knob_row *row = knob_row_at(0);
    for (size_t i = 1; row != NULL; i++) {
        if (!info_of(row, &info)) {
            (void)fprintf(stderr, "%s: there is no knob %s\n", row->name, row->knob);
            return 1;
        }
        printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row->name, info.name, row->work,
               knob_work_text(row->work), row->low == NULL ? "" : row->low,
               row->usual == NULL ? info.fallback : row->usual, row->high == NULL ? "" : row->high,
               change_of(&info));
        row = knob_row_at(i);
    }
    return 0;
}

/* ---- what is to be true of it ---------------------------------------------------------------- */

static int
fault(const struct knob_row *row, const char *text)
{
    (void)fprintf(stderr, "leat_knobs: %s: %s\n", row->name, text);
    return 1;
}

static int
row_check(const struct knob_row *row, size_t index)
{
    static struct leat_knob_info info;
    if (row_of(row->name) != knob_row_at(index)) {
        return fault(row, "is there twice");
    }
    if (!info_of(row, &info)) {
        return fault(row, "has no knob");
    }
    if (info.benchmark == NULL || strcmp(info.benchmark, row->name) != 0) {
        return fault(row, "is not what its knob names");
    }
    if (knob_work_text(row->work) == NULL) {
        return fault(row, "has no work");
    }
    if (row->low == NULL && row->high == NULL) {
        return fault(row, "has no value");
    }
    return 0;
}

static int
check(void)
{
    int faults = 0;
    const struct knob_row *row = knob_row_at(0);
    for (size_t i = 1; row != NULL; i++) {
        faults += row_check(row, i - 1);
        row = knob_row_at(i);
    }
    static struct leat_knob_info info;
    for (uint32_t i = 0; info_at(i, &info); i++) {
        if (info.benchmark != NULL && row_of(info.benchmark) == NULL) {
            (void)fprintf(stderr, "leat_knobs: %s names %s, which is no row\n", info.name,
                          info.benchmark);
            faults++;
        }
    }
    return faults == 0 ? 0 : 1;
}

/* ---- a run ----------------------------------------------------------------------------------- */

/* NAME=VALUE pairs with blanks between, cut up in place. Returns how many. */
static size_t
pairs_of(char *text, struct bench_setting *settings, size_t capacity)
{
    size_t count = 0;
    char *next = NULL;
    for (char *pair = strtok_r(text, " ", &next); pair != NULL && count < capacity;
         pair = strtok_r(NULL, " ", &next)) {
        char *value = strchr(pair, '=');
        if (value != NULL) {
            *value = '\0';
            settings[count] = (struct bench_setting){pair, value + 1};
            count++;
        }
    }
    return count;
}

static int
run(const struct knob_row *row, const char *value, bool few)
{
    struct bench_setting settings[SETTINGS_MAX + 1] = {{NULL, NULL}};
    char with[TEXT_BYTES] = "";
    char set[2 * TEXT_BYTES] = "";
    size_t count = 0;
    if (row->with != NULL) {
        (void)snprintf(with, sizeof(with), "%s", row->with);
        count = pairs_of(with, settings, SETTINGS_MAX);
    }
    if (value != NULL) {
        (void)snprintf(set, sizeof(set), "%s=%s", row->knob, value);
        (void)pairs_of(set, &settings[count], SETTINGS_MAX - count);
    }
    printf("%.3f\n", knob_work_run(row->work, settings, few));
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        return list();
    }
    if (argc == 2 && strcmp(argv[1], "--check") == 0) {
        return check();
    }
    if (argc == 2 && strcmp(argv[1], "--compiler") == 0) {
        printf("%s\n", bench_compiler());
        return 0;
    }
    bool few = argc > 1 && strcmp(argv[1], "--few") == 0;
    int first = few ? 2 : 1;
    const struct knob_row *row = argc > first ? row_of(argv[first]) : NULL;
    if (row == NULL || argc > first + 2) {
        (void)fprintf(stderr,
                      "usage: leat_knobs --list | --check | --compiler | [--few] ROW [VALUE]\n");
        return 2;
    }
    return run(row, argc > first + 1 ? argv[first + 1] : NULL, few);
}
