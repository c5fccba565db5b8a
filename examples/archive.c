/* archive.c - packs a directory into one file and unpacks it again, with lz4, in parallel.
 *
 * The part that shows how to use the library is the runner on Leat: a job for each block of
 * 256 KiB, which carries eight bytes, the block's address. The main thread goes through the tree or
 * the archive and submits; what has begun comes back in order: it waits for the oldest block. */
#include "archive_parts.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <leat.h>

#ifndef ARCHIVE_TBB
#    define ARCHIVE_TBB 0 /* 1: in the program archive_tbb */
#endif

/* ---- the runner on Leat -------------------------------------------------------------------- */

struct leat_runner {
    struct leat_engine *engine;
    struct leat_job job; /* what all jobs have in common */
    block_work work;
};

static struct leat_outcome
work_job(struct leat_run *run, void *context)
{
    const struct leat_runner *runner = context;
    runner->work(*(struct block **)leat_run_payload(run, NULL));
    return leat_done(); /* a block that fails says so itself */
}

static bool
leat_begin(void *state, struct block *block)
{
    struct leat_runner *runner = state;
    struct leat_job job = runner->job;
    leat_job_id id = {0};
    job.payload = &block;
    job.payload_bytes = sizeof(struct block *);
    enum leat_status status = leat_submit(runner->engine, &job, &id);
    block->handle = id.bits;
    return status == LEAT_OK || complain("cannot submit a job", leat_status_text(status));
}

static bool
leat_finish(void *state, struct block *block)
{
    struct leat_runner *runner = state;
    const leat_job_id id = {block->handle};
    enum leat_status status = leat_wait(runner->engine, id, LEAT_FOREVER, NULL);
    if (status == LEAT_OK) {
        status = leat_release(runner->engine, id);
    }
    return status == LEAT_OK || complain("cannot wait for a job", leat_status_text(status));
}

static void
leat_end(void *state)
{
    struct leat_runner *runner = state;
    (void)!leat_stop(runner->engine, LEAT_FOREVER);
    (void)!leat_close(runner->engine);
    free(runner);
}

bool
runner_leat(struct runner *runner, uint32_t workers, block_work work)
{
    struct leat_runner *state = calloc(1, sizeof(*state));
    struct leat_config config = leat_config_default();
    struct leat_error error = {.text = ""};
    if (state == NULL) {
        return complain("no memory", "");
    }
    config.workers = workers == 0 ? config.workers : workers;
    config.worker_name = "archive";
    config.spin_ns = 1000000; /* blocks come in bursts: the next one is worth a wait */
    state->work = work;
    state->job = leat_job_default();
    state->job.max_attempts = 1;
    state->job.flags = LEAT_JOB_KEEP_RESULT; /* until the main thread has waited for it */
    enum leat_status status = leat_open(&config, &state->engine, &error);
    if (status != LEAT_OK) {
        free(state);
        return complain("cannot open the engine", error.text);
    }
    status = leat_type_register(state->engine, "block", work_job, state, NULL, &state->job.type);
    if (status == LEAT_OK) {
        status = leat_start(state->engine);
    }
    *runner = (struct runner){leat_begin, leat_finish, leat_end, state};
    if (status != LEAT_OK) {
        leat_end(state);
        return complain("cannot start the engine", leat_status_text(status));
    }
    return true;
}

#if !ARCHIVE_TBB
bool
runner_tbb(struct runner *runner, uint32_t workers, block_work work)
{
    (void)runner;
    (void)workers;
    (void)work;
    return complain("this program has no oneTBB", "archive_tbb has");
}
#endif

/* ---- the command line ---------------------------------------------------------------------- */

struct options {
    bool extract;
    bool tbb;
    const char *from;
    const char *to;
    uint32_t workers; /* 0: as many as the engine would start */
};

static bool
print_help(void)
{
    (void)fputs("Usage: archive create DIR -o FILE\n"
                "       archive extract FILE -C DIR    DIR must not be there, or be empty\n"
                "\n"
                "  --workers N       threads, 1 to 256; default: one per allowed CPU\n"
                "  --baseline tbb    the same work on oneTBB (in the program archive_tbb)\n"
                "  --help            this text\n"
                "\n"
                "Keeps content, names, modes and times of files, directories and links.\n"
                "Exit status: 0 all is done, 2 nothing is (the reason is on stderr).\n",
                stdout);
    return fflush(stdout) == 0;
}

static bool
read_workers(struct options *options, const char *text)
{
    char *end = NULL;
    unsigned long workers = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || workers < 1 || workers > WORKERS_MAX) {
        return complain_name(text, "is not a number of workers");
    }
    options->workers = (uint32_t)workers;
    return true;
}

static bool
read_option(struct options *options, int letter, const char *argument)
{
    switch (letter) {
    case 'o':
    case 'C':
        options->to = argument;
        return options->extract == (letter == 'C') ||
               complain("-o is for create, -C for extract", "");
    case 'w':
        return read_workers(options, argument);
    case 'b':
        options->tbb = strcmp(argument, "tbb") == 0;
        return options->tbb || complain_name(argument, "is no baseline");
    default:
        return complain("what to do?", "see archive --help");
    }
}

static bool
read_options(struct options *options, int count, char **arguments)
{
    static const struct option names[] = {{"workers", required_argument, NULL, 'w'},
                                          {"baseline", required_argument, NULL, 'b'},
                                          {NULL, 0, NULL, 0}};
    const char *verb = count > 1 ? arguments[1] : "";
    options->extract = strcmp(verb, "extract") == 0;
    if (!options->extract && strcmp(verb, "create") != 0) {
        return complain("what to do?", "see archive --help");
    }
    opterr = 0; /* one line of ours instead */
    int letter = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread yet */
    while ((letter = getopt_long(count - 1, arguments + 1, "o:C:", names, NULL)) != -1) {
        if (!read_option(options, letter, optarg)) {
            return false;
        }
    }
    if (optind + 1 != count - 1 || options->to == NULL) {
        return complain("what to do?", "see archive --help");
    }
    options->from = arguments[optind + 1];
    return true;
}

int
main(int count, char **arguments)
{
    struct options options = {0};
    struct runner runner;
    if (count == 2 && strcmp(arguments[1], "--help") == 0) {
        return print_help() ? 0 : 2;
    }
    if (!read_options(&options, count, arguments)) {
        return 2;
    }
    block_work work = options.extract ? block_unpack : block_pack;
    bool good = options.tbb ? runner_tbb(&runner, options.workers, work)
                            : runner_leat(&runner, options.workers, work);
    if (good && options.extract) {
        good = archive_extract(&runner, options.from, options.to);
    } else if (good) {
        good = archive_create(&runner, options.from, options.to);
    }
    return good ? 0 : 2;
}
