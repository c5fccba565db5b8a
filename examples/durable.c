/* durable.c - jobs of a process that is gone, in the next one. The first process takes in three
 * orders: two wait, one comes in an hour. It ends without a word, as in a crash. The second one
 * finds them, runs the two, and ends as it should; the third one finds the one that is left.
 *
 *   durable DIRECTORY            an empty one, for the log
 *   durable DIRECTORY take       one of the three processes
 *   durable DIRECTORY run
 *   durable DIRECTORY look */
#include <inttypes.h>
#include <leat.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOUR_NS (UINT64_C(3600) * 1000000000)

static atomic_uint packed;

static struct leat_outcome
pack(struct leat_run *run, void *context)
{
    (void)context;
    printf("packed %s\n", (const char *)leat_run_payload(run, NULL));
    atomic_fetch_add(&packed, 1);
    return leat_done();
}

/* A log may have millions of jobs: then a person likes to see that the open goes on. */
static void
show(const struct leat_recovery_progress *progress, void *context)
{
    (void)context;
    if (progress->phase == LEAT_RECOVERY_READS) {
        (void)fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " MiB read", progress->bytes_read >> 20,
                      progress->bytes_found >> 20);
    } else if (progress->phase == LEAT_RECOVERY_REVIVES) {
        (void)fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " jobs found", progress->jobs_made,
                      progress->jobs_found);
    } else {
        (void)fputs("\r\033[K", stderr); /* the line is empty again */
    }
    (void)fflush(stderr);
}

static struct leat_engine *
engine_open(const char *directory)
{
    struct leat_engine *engine = NULL;
    struct leat_error error;
    struct leat_config config = leat_config_default();
    leat_type type;
    config.workers = 1;
    config.log_directory = directory;
    config.log_segment_bytes = UINT64_C(1) << 20;
    config.log_ring_bytes = UINT64_C(1) << 18;
    config.recovery_progress = isatty(STDERR_FILENO) != 0 ? show : NULL;
    if (leat_open(&config, &engine, &error) != LEAT_OK) {
        printf("%s: %s\n", error.field, error.text);
        return NULL;
    }
    /* Types are the program's: they are registered in each process, before the start. */
    return leat_type_register(engine, "pack", pack, NULL, NULL, &type) == LEAT_OK ? engine : NULL;
}

static bool
submit(struct leat_engine *engine, const char *order, uint64_t delay_ns)
{
    struct leat_job job = leat_job_default();
    job.type_name = "pack";
    job.payload = order;
    job.payload_bytes = strlen(order) + 1;
    job.delay_ns = delay_ns;
    /* LEAT_OK: it is on the disk. */
    return leat_submit(engine, &job, NULL) == LEAT_OK;
}

static bool
take(struct leat_engine *engine)
{
    bool taken = submit(engine, "apples", 0) && submit(engine, "pears", 0) &&
                 submit(engine, "plums", HOUR_NS);
    printf("took 3 orders, and is gone\n");
    (void)fflush(stdout);
    if (taken) {
        _exit(0); /* no close, no stop */
    }
    return false;
}

static bool
found(struct leat_engine *engine, uint64_t waiting, uint64_t scheduled)
{
    struct leat_recovery_info info = leat_recovery_info_default();
    if (leat_recovery_get(engine, &info) != LEAT_OK) {
        return false;
    }
    printf("found %" PRIu64 " that wait, %" PRIu64 " for later\n", info.waiting, info.scheduled);
    return info.waiting == waiting && info.scheduled == scheduled;
}

static bool
run(struct leat_engine *engine)
{
    return found(engine, 2, 1) && leat_start(engine) == LEAT_OK &&
           leat_drain(engine, LEAT_FOREVER) == LEAT_OK &&
           leat_stop(engine, LEAT_FOREVER) == LEAT_OK && atomic_load(&packed) == 2;
}

/* One of the three, in this process. */
static int
part(const char *directory, const char *what)
{
    struct leat_engine *engine = engine_open(directory);
    bool right = engine != NULL;
    if (right && strcmp(what, "take") == 0) {
        right = take(engine);
    } else if (right && strcmp(what, "run") == 0) {
        right = run(engine);
    } else if (right) {
        right = found(engine, 0, 1);
    }
    return leat_close(engine) == LEAT_OK && right ? 0 : 1;
}

/* The same in a process of its own. */
static bool
process(const char *program, const char *directory, const char *what)
{
    int status = 0;
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        (void)execl(program, program, directory, what, (char *)NULL);
        _exit(1);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

int
main(int argc, char **argv)
{
    if (argc == 3) {
        return part(argv[1], argv[2]);
    }
    if (argc != 2) {
        (void)fprintf(stderr, "usage: durable DIRECTORY\n");
        return 2;
    }
    bool right = process(argv[0], argv[1], "take") && process(argv[0], argv[1], "run") &&
                 process(argv[0], argv[1], "look");
    printf("%s\n", right ? "ok" : "wrong");
    return right ? 0 : 1;
}
