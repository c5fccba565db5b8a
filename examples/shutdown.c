/* shutdown.c - a program that ends when it is told to, by SIGTERM or SIGINT: it takes no more work,
 * gives what is there half a second to end, lets what runs come to its end, and says of each job
 * that is left that it was handed back: it used up no attempt, and may be submitted elsewhere.
 *
 *   shutdown [JOBS]    100 of 20 milliseconds each; prints "ready" when they are submitted */
#include <errno.h>
#include <leat.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define MS       UINT64_C(1000000)
#define JOBS_MAX 10000

static leat_job_id ids[JOBS_MAX];

static struct leat_outcome
work(struct leat_run *run, void *context)
{
    const struct timespec duration = {0, 20 * (long)MS};
    (void)run;
    (void)context;
    (void)nanosleep(&duration, NULL);
    return leat_done();
}

/* Blocks the signals, which the descriptor tells of instead. Workers block all signals anyway. */
static int
listen_for_the_end(void)
{
    sigset_t signals;
    if (sigemptyset(&signals) != 0 || sigaddset(&signals, SIGTERM) != 0 ||
        sigaddset(&signals, SIGINT) != 0 || pthread_sigmask(SIG_BLOCK, &signals, NULL) != 0) {
        return -1;
    }
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

static bool
wait_for_the_end(int descriptor)
{
    struct signalfd_siginfo told;
    ssize_t bytes = -1;
    do {
        bytes = read(descriptor, &told, sizeof(told));
    } while (bytes < 0 && errno == EINTR);
    return bytes == (ssize_t)sizeof(told);
}

static bool
submit(struct leat_engine *engine, unsigned jobs)
{
    bool ok = true;
    for (unsigned i = 0; i < jobs; i++) {
        struct leat_job job = leat_job_default();
        job.type_name = "work";
        job.flags = LEAT_JOB_KEEP_RESULT; /* so that its id answers at the end */
        ok = leat_submit(engine, &job, &ids[i]) == LEAT_OK && ok;
    }
    return ok;
}

/* Behind the stop nothing runs: a job has completed, or waits as if it was never begun. */
static bool
hand_back(struct leat_engine *engine, unsigned jobs, unsigned *completed, unsigned *back)
{
    for (unsigned i = 0; i < jobs; i++) {
        struct leat_job_info info = leat_job_info_default();
        if (leat_get(engine, ids[i], &info) != LEAT_OK) {
            return false;
        }
        if (info.state == LEAT_JOB_COMPLETED) {
            (*completed)++;
        } else if (info.state == LEAT_JOB_PENDING && info.attempts == 0) {
            printf("handed back: job %u\n", i);
            (*back)++;
        } else {
            return false;
        }
    }
    return true;
}

int
main(int argc, char **argv)
{
    struct leat_engine *engine = NULL;
    long jobs = argc > 1 ? strtol(argv[1], NULL, 10) : 100;
    unsigned completed = 0;
    unsigned back = 0;
    int descriptor = listen_for_the_end();
    if (descriptor < 0 || jobs < 0 || jobs > JOBS_MAX ||
        leat_open(NULL, &engine, NULL) != LEAT_OK) {
        return 1;
    }
    bool ok = leat_type_register(engine, "work", work, NULL, NULL, NULL) == LEAT_OK &&
              leat_start(engine) == LEAT_OK && submit(engine, (unsigned)jobs);
    printf("ready\n");
    ok = fflush(stdout) == 0 && wait_for_the_end(descriptor) && ok;

    enum leat_status drained = leat_drain(engine, 500 * MS);
    printf("drain: %s\n", leat_status_text(drained));
    ok = (drained == LEAT_OK || drained == LEAT_TIMEOUT) && ok;
    ok = leat_stop(engine, LEAT_FOREVER) == LEAT_OK && ok; /* what runs is waited for */
    ok = hand_back(engine, (unsigned)jobs, &completed, &back) && ok;
    printf("%u completed, %u handed back of %ld\n", completed, back, jobs);
    ok = completed + back == jobs && (drained == LEAT_TIMEOUT || back == 0) && ok;
    ok = leat_close(engine) == LEAT_OK && close(descriptor) == 0 && ok;
    printf("%s\n", ok ? "ok" : "wrong");
    return ok ? 0 : 1;
}
