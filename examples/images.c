/* images.c - pictures that are made smaller, cut and filtered, each by a job whose payload says
 * what is to be done to which file.
 *
 *   images OPERATION.. -- FILE..    of half, crop=X,Y,WIDTH,HEIGHT, negative, in their order
 *
 * Files are grey pictures (PGM, binary, 255). FILE comes to FILE.out. One that is no such picture
 * is tried once, and named. Exit status: 0 if all came to be. */
#include <leat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "images_parts.h"

/* The payload; its strings are those of the command line. */
struct request {
    char **operations;
    int operations_count;
    const char *path;
};

static struct leat_outcome
process(struct leat_run *run, void *context)
{
    const struct request *request = leat_run_payload(run, NULL);
    struct picture picture = {0, 0, NULL};
    bool ok = picture_load(request->path, &picture);
    (void)context;
    for (int i = 0; i < request->operations_count && ok; i++) {
        ok = picture_apply(&picture, request->operations[i]) && !leat_run_cancelled(run);
    }
    ok = ok && picture_save(request->path, &picture);
    free(picture.grey);
    return ok ? leat_done() : leat_fail();
}

/* Submits all files in one call. */
static bool
submit(struct leat_engine *engine, struct request request, char **files, size_t count,
       leat_job_id *ids)
{
    struct leat_job *jobs = calloc(count + 1, sizeof(*jobs));
    struct request *requests = calloc(count + 1, sizeof(*requests));
    bool ok = jobs != NULL && requests != NULL;
    for (size_t i = 0; i < count && ok; i++) {
        requests[i] = request;
        requests[i].path = files[i];
        jobs[i] = leat_job_default();
        jobs[i].type_name = "process";
        jobs[i].payload = &requests[i];
        jobs[i].payload_bytes = sizeof(requests[i]);
        jobs[i].priority = LEAT_PRIORITY_HIGH;
        jobs[i].max_attempts = 2;
        jobs[i].flags = LEAT_JOB_KEEP_RESULT; /* so that each can be waited for */
    }
    ok = ok && leat_submit_batch(engine, jobs, count, LEAT_BATCH_ALL_OR_NONE, ids, NULL) == LEAT_OK;
    free(requests);
    free(jobs);
    return ok;
}

/* Waits for each, and names those that did not come to be. */
static size_t
completed(struct leat_engine *engine, char **files, size_t count, const leat_job_id *ids)
{
    size_t done = 0;
    for (size_t i = 0; i < count; i++) {
        struct leat_job_info info = leat_job_info_default();
        if (leat_wait(engine, ids[i], LEAT_FOREVER, &info) == LEAT_OK &&
            info.state == LEAT_JOB_COMPLETED) {
            done++;
        } else {
            (void)fprintf(stderr, "images: '%s' %s after %u attempt\n", files[i],
                          leat_reason_text(info.reason), info.attempts);
        }
    }
    return done;
}

int
main(int argc, char **argv)
{
    struct leat_engine *engine = NULL;
    struct request request = {argv + 1, 0, NULL};
    while (request.operations_count + 1 < argc &&
           strcmp(argv[request.operations_count + 1], "--") != 0) {
        request.operations_count++;
    }
    int first = request.operations_count + 2; /* behind the "--" */
    if (first > argc) {
        (void)fprintf(stderr, "usage: images OPERATION.. -- FILE..\n");
        return 2;
    }
    size_t count = (size_t)(argc - first);
    leat_job_id *ids = calloc(count + 1, sizeof(*ids));
    if (ids == NULL || leat_open(NULL, &engine, NULL) != LEAT_OK) {
        free(ids);
        return 1;
    }
    bool ok = leat_type_register(engine, "process", process, NULL, NULL, NULL) == LEAT_OK &&
              leat_start(engine) == LEAT_OK && submit(engine, request, argv + first, count, ids);
    size_t done = ok ? completed(engine, argv + first, count, ids) : 0;
    printf("%zu of %zu pictures\n", done, count);
    ok = leat_stop(engine, LEAT_FOREVER) == LEAT_OK && leat_close(engine) == LEAT_OK && ok;
    free(ids);
    return ok && done == count ? 0 : 1;
}
