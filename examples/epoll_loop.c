/* epoll_loop.c - Leat inside a plain epoll loop: `epoll_loop FILE...` prints lines, bytes and name
 * of each file, as `wc -lc` does, in the order in which they are done, and on stderr how far it is.
 *
 * The loop waits for a timer and for the completion queue. It has as many jobs under way as the
 * queue has slots: where none is left, submit says so, and the loop goes on. */
#include <leat.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { SLOTS = 16, BUFFER_BYTES = 1024 };

struct count {
    const char *name;
    unsigned long long lines;
    unsigned long long bytes;
};

/* The job. Its payload is the address of a count, which comes back to the loop as `user`. */
static struct leat_outcome
count_file(struct leat_run *run, void *context)
{
    struct count *count = *(struct count **)leat_run_payload(run, NULL);
    char buffer[BUFFER_BYTES];
    size_t got = 0;
    (void)context;
    FILE *file = fopen(count->name, "re");
    if (file == NULL) {
        return leat_fail();
    }
    while ((got = fread(buffer, 1, sizeof(buffer), file)) > 0) {
        count->bytes += got;
        for (size_t i = 0; i < got; i++) {
            count->lines += buffer[i] == '\n' ? 1 : 0;
        }
    }
    bool good = ferror(file) == 0;
    return fclose(file) == 0 && good ? leat_done() : leat_fail();
}

static void
must(bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "epoll_loop: cannot %s\n", what);
        exit(2); /* NOLINT(concurrency-mt-unsafe): the loop is one thread */
    }
}

/* What the queue has. Returns how many; *failed counts those that could not be read. */
static int
take_counts(struct leat_completion_queue *queue, int *failed)
{
    struct leat_completion items[SLOTS];
    size_t taken = 0; /* stays so where the descriptor was readable for nothing */
    enum leat_status status = leat_completion_queue_take(queue, items, SLOTS, &taken);
    must(status == LEAT_OK || status == LEAT_EMPTY, "take what has ended");
    for (size_t i = 0; i < taken; i++) {
        const struct count *count = items[i].user;
        if (items[i].state == LEAT_JOB_COMPLETED) {
            printf("%llu %llu %s\n", count->lines, count->bytes, count->name);
        } else {
            (void)fprintf(stderr, "epoll_loop: cannot read '%s'\n", count->name);
            *failed += 1;
        }
    }
    return (int)taken;
}

int
main(int files, char **names)
{
    const struct itimerspec often = {.it_interval = {1, 0}, .it_value = {1, 0}};
    struct count *counts = calloc((size_t)files, sizeof(*counts));
    struct leat_engine *engine = NULL;
    struct leat_job job = leat_job_default();
    int queue = -1;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    must(counts != NULL && epoll >= 0 && timer >= 0, "begin");
    must(leat_open(NULL, &engine, NULL) == LEAT_OK && leat_start(engine) == LEAT_OK, "start Leat");
    must(leat_type_register(engine, "count", count_file, NULL, NULL, &job.type) == LEAT_OK &&
             leat_completion_queue_create(engine, SLOTS, &job.completions) == LEAT_OK &&
             leat_completion_queue_descriptor(job.completions, &queue) == LEAT_OK,
         "create the queue");
    must(timerfd_settime(timer, 0, &often, NULL) == 0, "set the timer");
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = queue}};
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, queue, &event) == 0, "wait for the queue");
    event.data.fd = timer;
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) == 0, "wait for the timer");
    job.max_attempts = 1;
    int failed = 0;
    int submitted = 1;
    for (int ended = 1; ended < files;) {
        enum leat_status status = LEAT_OK;
        while (status == LEAT_OK && submitted < files) {
            struct count *count = &counts[submitted];
            count->name = names[submitted];
            job.payload = &count;
            job.payload_bytes = sizeof(struct count *);
            job.user = count;
            status = leat_submit(engine, &job, NULL);
            submitted += status == LEAT_OK ? 1 : 0;
        }
        must(status == LEAT_OK || status == LEAT_FULL, "submit a job");
        int events = epoll_wait(epoll, &event, 1, -1);
        if (events == 1 && event.data.fd == queue) {
            ended += take_counts(job.completions, &failed);
        } else if (events == 1) {
            unsigned long long ticks = 0;
            (void)!read(timer, &ticks, sizeof(ticks));
            (void)fprintf(stderr, "epoll_loop: %d of %d files\n", ended - 1, files - 1);
        }
    }
    free(counts);
    must(leat_stop(engine, LEAT_FOREVER) == LEAT_OK && leat_close(engine) == LEAT_OK, "stop Leat");
    return fflush(stdout) != 0 ? 2 : failed != 0;
}
