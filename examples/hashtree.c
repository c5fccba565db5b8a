/* hashtree.c - the SHA-256 of every regular file under a directory, one Leat job per file.
 *
 * The part that shows how to use the library is run_engine() and what it calls: open, register a
 * handler, start, submit while walking, drain, read the statistics, stop, close. A job carries
 * eight bytes, the address of its file's record; the handler writes the digest there, and draining
 * makes all of them visible to the main thread, which writes them out in order. */
#include "hashtree_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const double second_ns = 1e9;

/* What a job carries. */
struct hash_payload {
    struct record *record;
};

struct engine_run {
    struct leat_engine *engine;
    const struct hashers *hashers;
    struct leat_job job; /* what all jobs have in common */
};

/* ---- the handler --------------------------------------------------------------------------- */

static struct leat_outcome
hash_job(struct leat_run *run, void *context)
{
    const struct hashers *hashers = context;
    const struct hash_payload *payload = leat_run_payload(run, NULL);
    hash_record(hashers, leat_run_worker(run), payload->record);
    return leat_done(); /* a file that cannot be read is an answer, not a failure to try again */
}

/* ---- submitting ---------------------------------------------------------------------------- */

/* Big files before small ones: what is left when the last job starts decides how long the other
 * workers sit idle at the end. With the big ones last that is a big file; with the big ones first
 * it is a small one, and the small ones fill the gaps. */
static uint32_t
priority_of(bool big)
{
    return big ? LEAT_PRIORITY_HIGH : LEAT_PRIORITY_NORMAL;
}

static bool
submit_record(void *context, struct record *record, bool big)
{
    /* The engine is full when thousands of jobs wait: no worker runs dry in a millisecond. */
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = 1000000};
    struct engine_run *run = context;
    struct leat_job job = run->job;
    job.priority = priority_of(big);
    const struct hash_payload payload = {record};
    job.payload = &payload;
    job.payload_bytes = sizeof(payload);
    enum leat_status status = leat_submit(run->engine, &job, NULL);
    while (status == LEAT_FULL) { /* ends: the workers make room */
        hashers_tick(run->hashers, false);
        (void)nanosleep(&pause, NULL);
        status = leat_submit(run->engine, &job, NULL);
    }
    if (status != LEAT_OK) {
        complain_engine("take a job", status, "");
    }
    return status == LEAT_OK;
}

/* ---- the run ------------------------------------------------------------------------------- */

static bool
engine_open(struct engine_run *run, struct hashers *hashers)
{
    struct leat_config config = leat_config_default();
    config.workers = hashers->count;
    config.worker_name = "hashtree";
    config.payload_bytes_max = sizeof(struct hash_payload);
    config.payload_bytes_inline = 16;
    config.retained_max = 0; /* nobody asks for a job that has ended */

    struct leat_error error = {.text = ""};
    enum leat_status status = leat_open(&config, &run->engine, &error);
    if (status != LEAT_OK) {
        complain_engine("open", status, error.text);
        return false;
    }
    run->job = leat_job_default();
    run->job.max_attempts = 1;
    status = leat_type_register(run->engine, "hash", hash_job, hashers, NULL, &run->job.type);
    if (status == LEAT_OK) {
        status = leat_start(run->engine);
    }
    if (status != LEAT_OK) {
        complain_engine("start", status, "");
        (void)!leat_close(run->engine);
        return false;
    }
    return true;
}

static bool
engine_drain(struct engine_run *run)
{
    int wait_ms = message_wait_ms(run->hashers->message);
    uint64_t wait_ns = wait_ms < 0 ? LEAT_FOREVER : (uint64_t)wait_ms * 1000000u;
    enum leat_status status = leat_drain(run->engine, wait_ns);
    while (status == LEAT_TIMEOUT) { /* ends with the jobs */
        hashers_tick(run->hashers, true);
        status = leat_drain(run->engine, wait_ns);
    }
    if (status != LEAT_OK) {
        complain_engine("drain", status, "");
    }
    return status == LEAT_OK;
}

static bool
engine_summarize(const struct engine_run *run, struct summary *summary)
{
    struct leat_statistics all = leat_statistics_default();
    enum leat_status status = leat_statistics_get(run->engine, &all);
    summary->mode = "leat";
    summary->workers = all.workers;
    summary->latencies = true;
    summary->queue_wait = all.queue_wait;
    summary->run_time = all.run_time;
    for (uint32_t index = 0; index < all.workers && status == LEAT_OK; index++) {
        struct leat_worker_statistics one = leat_worker_statistics_default();
        status = leat_worker_statistics_get(run->engine, index, &one);
        summary->worker[index] = (struct worker_summary){one.jobs_run, one.parks};
    }
    if (status != LEAT_OK) {
        complain_engine("tell its statistics", status, "");
    }
    return status == LEAT_OK;
}

bool
run_engine(struct hashers *hashers, struct summary *summary)
{
    struct engine_run run = {.hashers = hashers};
    if (!engine_open(&run, hashers)) {
        return false;
    }
    bool walked = walk_tree(hashers, submit_record, &run) && engine_drain(&run) &&
                  engine_summarize(&run, summary);
    enum leat_status status = leat_stop(run.engine, LEAT_FOREVER);
    if (status == LEAT_OK) {
        status = leat_close(run.engine);
    }
    if (status != LEAT_OK) {
        complain_engine("stop", status, "");
    }
    return walked && status == LEAT_OK;
}

/* ---- the program --------------------------------------------------------------------------- */

struct program {
    struct options options;
    struct tree tree;
    struct message message;
    struct hashers hashers;
    struct output lines;
    struct output json;
    struct summary summary;
};

/* What the records say. false: one was never hashed. */
static bool
count_records(const struct tree *tree, struct summary *summary)
{
    uint64_t failed = 0;
    for (const struct record *record = tree->first; record != NULL; record = record->order_next) {
        if (record->state == RECORD_HASHED) {
            summary->files++;
            summary->bytes += record->bytes;
        } else {
            failed += record->state == RECORD_FAILED ? 1 : 0;
        }
    }
    return summary->files + failed == tree->files;
}

static double
cpu_seconds(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) {
        return 0.0;
    }
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int
hash_tree(struct program *program)
{
    const struct options *options = &program->options;
    struct hashers *hashers = &program->hashers;
    struct summary *summary = &program->summary;
    hashers->tree = &program->tree;
    hashers->message = &program->message;
    /* The engine's choice also for --baseline: as many as there are CPUs for this process. */
    uint32_t workers = options->workers != 0 ? options->workers : leat_config_default().workers;
    if (!hashers_create(hashers, workers)) {
        complain("no memory, or no SHA-256 in libcrypto");
        return EXIT_TROUBLE;
    }
    uint64_t began_ns = clock_ns();
    double cpu_before = cpu_seconds();
    bool ran = options->baseline ? run_pool(hashers, summary) : run_engine(hashers, summary);
    summary->seconds = (double)(clock_ns() - began_ns) / second_ns;
    summary->cpu_seconds = cpu_seconds() - cpu_before;
    summary->unreadable = program->message.unreadable;
    message_progress_end(&program->message);
    hashers_destroy(hashers);
    if (!ran) {
        return EXIT_TROUBLE;
    }
    if (!count_records(&program->tree, summary)) {
        complain("not all files were hashed; this is a bug");
        return EXIT_TROUBLE;
    }
    /* The summary first: where it cannot be written, standard output stays empty. */
    struct output_part parts[] = {
        {options->json != NULL ? &program->json : NULL, result_json, summary},
        {&program->lines, result_lines, &program->tree},
    };
    if (!output_commit(parts, sizeof(parts) / sizeof(parts[0]))) {
        return EXIT_TROUBLE;
    }
    return summary->unreadable == 0 ? EXIT_HASHED : EXIT_UNREADABLE;
}

/* Opens what the command line names, hashes, closes. */
static int
run_program(struct program *program)
{
    const struct options *options = &program->options;
    if (!tree_open(&program->tree, options->directory)) {
        complain_of("read", options->directory, errno);
        return EXIT_TROUBLE;
    }
    int status = EXIT_TROUBLE;
    bool lines = output_open(&program->lines, options->output);
    bool json = lines && (options->json == NULL || output_open(&program->json, options->json));
    if (json && output_same(&program->lines, &program->json)) {
        complain_usage("-o and --json name the same file:", options->json);
    } else if (json) {
        message_init(&program->message);
        status = hash_tree(program);
        message_fini(&program->message);
    }
    output_fini(&program->json);
    output_fini(&program->lines);
    tree_close(&program->tree);
    return status;
}

/* A descriptor below 3 that came closed must not turn out to be a file that is opened here. */
static bool
hold_standard_descriptors(void)
{
    int descriptor = open("/dev/null", O_RDONLY);
    while (descriptor >= 0 && descriptor <= STDERR_FILENO) {
        descriptor = open("/dev/null", O_RDONLY);
    }
    return descriptor >= 0 && close(descriptor) == 0;
}

int
main(int count, char **arguments)
{
    if (!hold_standard_descriptors()) {
        return EXIT_TROUBLE;
    }
    struct program *program = calloc(1, sizeof(*program));
    if (program == NULL) {
        complain("out of memory");
        return EXIT_TROUBLE;
    }
    program->lines.descriptor = -1;
    program->json.descriptor = -1;
    int status = EXIT_TROUBLE;
    if (options_read(&program->options, count, arguments)) {
        if (program->options.help) {
            status = options_print_help() ? EXIT_HASHED : EXIT_TROUBLE;
        } else {
            status = run_program(program);
        }
    }
    free(program);
    return status;
}
