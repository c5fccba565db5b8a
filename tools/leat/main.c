/* main.c - the command `leat`. */
#include <stdio.h>
#include <string.h>

#include "tools/leat/verbs.h"

static const char usage[] =
    "leat wal verify DIR [--json]         is the log of DIR whole, and what is in it\n"
    "leat wal dump DIR [--json]           every record of it\n"
    "leat wal salvage DIR NEW [--json]    what stands before the damage, as a log in NEW, which\n"
    "                                     is made where it is not there\n"
    "leat config list [FILE...] [--json]  every knob, as the files and the environment set it\n"
    "leat config check FILE...            are the files understood\n"
    "leat --version\n"
    "\n"
    "--key-file FILE[:FILE]   of an encrypted log: verify looks into records, and dump shows them\n"
    "--payload                dump shows what jobs carry, and results\n"
    "\n"
    "Exit status: 0; 1: a log is damaged, or a setting wrong; 2: not understood; 3: what is named\n"
    "is not there, or could not be read or written. docs/durability.md and docs/knobs.md explain\n"
    "what is printed.\n";

struct verb {
    const char *name;
    int (*run)(const struct leat_arguments *arguments);
};

static const struct verb verbs[] = {{"wal", leat_verb_wal}, {"config", leat_verb_config}};

bool
leat_print(const char *text, size_t bytes, void *context)
{
    (void)context;
    return fwrite(text, 1, bytes, stdout) == bytes;
}

int
leat_finish(struct leat_out *out, int status)
{
    return leat_out_end(out) && fflush(stdout) == 0
               ? status
               : leat_complain(LEAT_EXIT_SYSTEM, "standard output cannot be written");
}

int
leat_complain(int status, const char *text)
{
    (void)fprintf(stderr, "leat: %s\n", text);
    return status;
}

/* The word is none of a kind. */
static int
refuse(const char *kind, const char *word)
{
    char text[160];
    (void)snprintf(text, sizeof(text), "no %s '%.80s'; leat --help names them", kind, word);
    return leat_complain(LEAT_EXIT_USAGE, text);
}

/* Wherever it stands. */
static bool
asks_for_help(int count, char **words)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

/* Takes options out of the words, wherever they stand. LEAT_EXIT_USAGE: one is wrong. */
static int
arguments_read(struct leat_arguments *arguments, int count, char **words)
{
    *arguments = (struct leat_arguments){.words = words};
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], "--json") == 0) {
            arguments->json = true;
        } else if (strcmp(words[i], "--payload") == 0) {
            arguments->payload = true;
        } else if (strcmp(words[i], "--key-file") == 0) {
            if (i + 1 == count) {
                return leat_complain(LEAT_EXIT_USAGE, "--key-file wants a file");
            }
            arguments->key_file = words[++i];
        } else if (words[i][0] == '-') {
            return refuse("option", words[i]);
        } else {
            words[arguments->count++] = words[i];
        }
    }
    return LEAT_EXIT_OK;
}

int
main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fputs(usage, stderr);
        return LEAT_EXIT_USAGE;
    }
    if (asks_for_help(argc - 1, argv + 1)) {
        (void)fputs(usage, stdout);
        return LEAT_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("leat %s\n", leat_version_text());
        return LEAT_EXIT_OK;
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(argv[1], verbs[i].name) == 0) {
            struct leat_arguments arguments;
            const int status = arguments_read(&arguments, argc - 2, argv + 2);
            return status == LEAT_EXIT_OK ? verbs[i].run(&arguments) : status;
        }
    }
    return refuse(argv[1][0] == '-' ? "option" : "verb", argv[1]);
}
