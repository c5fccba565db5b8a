/* hashtree_options.c - the command line. */
#include "hashtree_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char help_text[] =
    "Usage: hashtree [-o FILE] [--json FILE] [--workers N] [--baseline] [--] DIR\n"
    "\n"
    "Prints the SHA-256 of every regular file under DIR, in the format of sha256sum and sorted\n"
    "bytewise by the path as printed. Each file is one job of a Leat engine.\n"
    "\n"
    "  -o FILE        write there instead of standard output (as does -)\n"
    "  --json FILE    write a summary: files, bytes, seconds, jobs per second, latencies\n"
    "  --workers N    1 to 256 threads; default: one per CPU that the process may use\n"
    "  --baseline     do the same work on a plain mutex-and-condition pool instead\n"
    "  --help         print this\n"
    "\n"
    "Symbolic links below DIR are not followed; DIR itself may be one. Mount points are crossed.\n"
    "A regular FILE is replaced as a whole at the end, or not touched at all.\n"
    "Progress is shown where standard error is a terminal.\n"
    "\n"
    "Exit status: 0 all hashed; 1 some files or directories could not be read, each named on\n"
    "standard error; 2 trouble, with the reason on standard error.\n";

bool
options_print_help(void)
{
    if (fputs(help_text, stdout) < 0 || fflush(stdout) != 0) {
        complain_of("write", "standard output", errno);
        return false;
    }
    return true;
}

/* 1 to 256 in decimal digits and nothing else; 0 if it is not. */
static uint32_t
workers_parse(const char *text)
{
    uint32_t number = 0;
    for (const char *digit = text; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9') {
            return 0;
        }
        number = number * 10 + (uint32_t)(*digit - '0');
        if (number > WORKERS_MAX) {
            return 0;
        }
    }
    return number;
}

/* The command line while it is read. */
struct cursor {
    char **arguments;
    int count;
    int at;
};

/* Whether the argument at the cursor is option `name`, "--name VALUE", "--name=VALUE", "-n VALUE"
 * or "-nVALUE". *value is NULL where the command line ends before it. */
static bool
option_matches(struct cursor *cursor, const char *name, const char **value)
{
    const char *argument = cursor->arguments[cursor->at];
    size_t length = strlen(name);
    if (strcmp(argument, name) == 0) {
        *value = cursor->at + 1 < cursor->count ? cursor->arguments[++cursor->at] : NULL;
        return true;
    }
    if (strncmp(argument, name, length) != 0) {
        return false;
    }
    bool is_long = name[1] == '-';
    if (is_long && argument[length] != '=') {
        return false;
    }
    *value = argument + length + (is_long ? 1 : 0);
    return true;
}

/* The option at the cursor. */
static bool
option_read(struct options *options, struct cursor *cursor)
{
    const char *argument = cursor->arguments[cursor->at];
    const char *value = "";
    if (strcmp(argument, "--baseline") == 0) {
        options->baseline = true;
    } else if (strcmp(argument, "--help") == 0) {
        options->help = true;
    } else if (option_matches(cursor, "-o", &value)) {
        options->output = value;
    } else if (option_matches(cursor, "--json", &value)) {
        options->json = value;
    } else if (option_matches(cursor, "--workers", &value)) {
        options->workers = value == NULL ? 0 : workers_parse(value);
        if (value != NULL && options->workers == 0) {
            complain_usage("--workers takes a number from 1 to 256, not", value);
            return false;
        }
    } else {
        complain_usage("no such option:", argument);
        return false;
    }
    if (value == NULL) {
        complain_usage("a value is missing after", argument);
        return false;
    }
    return true;
}

/* The name at the cursor. */
static bool
directory_read(struct options *options, const struct cursor *cursor)
{
    const char *argument = cursor->arguments[cursor->at];
    if (options->directory != NULL) {
        complain_usage("one DIR only, so this is one too many:", argument);
        return false;
    }
    options->directory = argument;
    return true;
}

bool
options_read(struct options *options, int count, char **arguments)
{
    memset(options, 0, sizeof(*options));
    struct cursor cursor = {arguments, count, 1};
    bool only_names = false;
    for (; cursor.at < count; cursor.at++) {
        const char *argument = arguments[cursor.at];
        if (!only_names && strcmp(argument, "--") == 0) {
            only_names = true;
            continue;
        }
        bool option = !only_names && argument[0] == '-' && argument[1] != '\0';
        bool good = option ? option_read(options, &cursor) : directory_read(options, &cursor);
        if (!good) {
            return false;
        }
    }
    if (options->directory == NULL && !options->help) {
        complain("no DIR given; hashtree --help says more");
        return false;
    }
    return true;
}
