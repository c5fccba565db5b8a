/* libuv_loop.c - Leat inside a libuv loop: `libuv_loop <FILE` prints number and Adler-32 of each
 * 64 KiB of a file, in the order in which they are done. libuv reads, jobs compute, the loop
 * prints. Where the queue has no slot left, submit says so, and what was read waits for one. */
#include <leat.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum { SLOTS = 16, BLOCK_BYTES = 65536 };

struct block {
    unsigned number;
    unsigned sum;
    size_t used;
    char bytes[BLOCK_BYTES];
};

static struct leat_engine *engine;
static struct leat_job job; /* what all jobs have in common */
static struct block *block; /* is read, or waits for a slot; NULL: the file has ended */
static unsigned under_way;  /* jobs */
static uv_poll_t ends;

static void
must(bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "libuv_loop: cannot %s\n", what);
        exit(2); /* NOLINT(concurrency-mt-unsafe): the loop is one thread */
    }
}

/* The job. Its payload is the address of a block, which comes back to the loop as `user`. */
static struct leat_outcome
compute(struct leat_run *run, void *context)
{
    struct block *mine = *(struct block **)leat_run_payload(run, NULL);
    unsigned low = 1;
    unsigned high = 0;
    (void)context;
    for (size_t i = 0; i < mine->used; i++) {
        low = (low + (unsigned char)mine->bytes[i]) % 65521;
        high = (high + low) % 65521;
    }
    mine->sum = high << 16 | low;
    return leat_done();
}

static void on_read(uv_fs_t *request);

static void
block_read(unsigned number)
{
    static uv_fs_t request;
    block = calloc(1, sizeof(*block));
    must(block != NULL, "get memory");
    block->number = number;
    uv_buf_t room = uv_buf_init(block->bytes, BLOCK_BYTES);
    must(uv_fs_read(ends.loop, &request, 0, &room, 1, -1, on_read) == 0, "read");
}

static void
block_submit(void)
{
    job.payload = &block;
    job.user = block;
    enum leat_status status = leat_submit(engine, &job, NULL);
    must(status == LEAT_OK || status == LEAT_FULL, "submit a job");
    if (status == LEAT_OK) {
        under_way++;
        block_read(block->number + 1);
    }
}

static void
on_read(uv_fs_t *request)
{
    must(request->result >= 0, "read");
    block->used = (size_t)request->result;
    uv_fs_req_cleanup(request);
    if (block->used > 0) {
        block_submit();
    } else {
        free(block);
        block = NULL;
    }
}

static void
on_ends(uv_poll_t *poll, int status, int events)
{
    struct leat_completion items[SLOTS];
    size_t taken = 0; /* stays so where the descriptor was readable for nothing */
    must(poll == &ends && status == 0 && events == UV_READABLE, "wait for the queue");
    (void)!leat_completion_queue_take(job.completions, items, SLOTS, &taken);
    for (size_t i = 0; i < taken; i++) {
        struct block *done = items[i].user;
        printf("%u %08x\n", done->number, done->sum);
        free(done);
    }
    under_way -= (unsigned)taken;
    if (block != NULL && block->used > 0) {
        block_submit();
    }
}

int
main(void)
{
    int descriptor = -1;
    job = leat_job_default();
    job.payload_bytes = sizeof(struct block *);
    must(leat_open(NULL, &engine, NULL) == LEAT_OK && leat_start(engine) == LEAT_OK &&
             leat_type_register(engine, "adler", compute, NULL, NULL, &job.type) == LEAT_OK &&
             leat_completion_queue_create(engine, SLOTS, &job.completions) == LEAT_OK &&
             leat_completion_queue_descriptor(job.completions, &descriptor) == LEAT_OK &&
             uv_poll_init(uv_default_loop(), &ends, descriptor) == 0 &&
             uv_poll_start(&ends, UV_READABLE, on_ends) == 0,
         "begin");
    block_read(0);
    while (block != NULL || under_way > 0) {
        uv_run(uv_default_loop(), UV_RUN_ONCE);
    }
    must(leat_stop(engine, LEAT_FOREVER) == LEAT_OK && leat_close(engine) == LEAT_OK, "stop Leat");
    return fflush(stdout) == 0 ? 0 : 2;
}
