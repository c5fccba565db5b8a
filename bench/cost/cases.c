/* cases.c - what a task, a job, and a job with one feature more cost, in one thread without anybody
 * else: submitted in blocks, and run by the thread that is lent. */
#include "bench/cost/cases.h"

#include <string.h>

#include "ring/os.h"

/* Fit into the ring of their priority. */
#define BLOCK 512

struct bench {
    struct leat_engine *engine;
    struct leat_settings *settings;
    struct leat_job job;
    struct leat_job_options options;
    struct leat_completion_queue *completions;
    bool pulls; /* its queue is taken from by leases */
    unsigned char payload[1024];
    uint64_t ran;
};

struct item {
    struct cost_case is;
    void (*configure)(struct leat_config *config); /* may be NULL */
    void (*prepare)(struct bench *bench);          /* may be NULL */
    void (*add)(struct bench *bench);              /* one of them */
    void (*after)(struct bench *bench);            /* a block; may be NULL */
};

/* ---- what runs ------------------------------------------------------------------------------- */

static void
task_run(void *argument)
{
    struct bench *bench = argument;
    bench->ran++;
}

static struct leat_outcome
job_run(struct leat_run *run, void *context)
{
    (void)run;
    task_run(context);
    return leat_done();
}

static struct leat_outcome
result_run(struct leat_run *run, void *context)
{
    bench_must(leat_run_result(run, "result", sizeof("result")));
    return job_run(run, context);
}

/* Every other run. */
static struct leat_outcome
retry_run(struct leat_run *run, void *context)
{
    return leat_run_attempt(run) == 1 ? leat_retry_in(0) : job_run(run, context);
}

/* ---- what is added --------------------------------------------------------------------------- */

static void
post(struct bench *bench)
{
    bench_must(leat_post(bench->engine, LEAT_PRIORITY_NORMAL, task_run, bench));
}

static void
submit(struct bench *bench)
{
    bench_must(leat_submit(bench->engine, &bench->job, NULL));
}

/* The block's jobs are kept until it has run. */
static leat_job_id kept[BLOCK];
static uint32_t kept_count;

static void
submit_kept(struct bench *bench)
{
    bench_must(leat_submit(bench->engine, &bench->job, &kept[kept_count]));
    kept_count++;
}

static void
release_kept(struct bench *bench)
{
    for (uint32_t i = 0; i < kept_count; i++) {
        bench_must(leat_release(bench->engine, kept[i]));
    }
    kept_count = 0;
}

static void
cancel_kept(struct bench *bench)
{
    for (uint32_t i = 0; i < kept_count; i++) {
        bench_must(leat_cancel(bench->engine, kept[i]));
    }
    bench->ran += kept_count;
    kept_count = 0;
}

static void
take_completions(struct bench *bench)
{
    static struct leat_completion taken[BLOCK];
    size_t count = 0;
    bench_must(leat_completion_queue_take(bench->completions, taken, BLOCK, &count));
}

/* ---- what is prepared ------------------------------------------------------------------------ */

static const struct leat_type_options *
type_options(struct bench *bench, const struct leat_type_options *base)
{
    const struct leat_type_options *options = NULL;
    bench_must(leat_settings_type(bench->settings, "job", base, &options));
    return options;
}

static void
type_of(struct bench *bench, leat_handler handler)
{
    const struct leat_type_options *options = type_options(bench, NULL);
    bench_must(leat_type_register(bench->engine, "job", handler, bench, options, &bench->job.type));
}

static void
plain(struct bench *bench)
{
    type_of(bench, job_run);
}

static void
by_name(struct bench *bench)
{
    plain(bench);
    bench->job.type.bits = 0;
    bench->job.type_name = "job";
    bench->job.queue_name = "default";
}

static void
payload_of(struct bench *bench, size_t bytes)
{
    plain(bench);
    bench->job.payload = bench->payload;
    bench->job.payload_bytes = bytes;
}

static void
payload_16(struct bench *bench)
{
    payload_of(bench, 16);
}

static void
payload_64(struct bench *bench)
{
    payload_of(bench, 64);
}

static void
payload_1024(struct bench *bench)
{
    payload_of(bench, 1024);
}

static void
keeps_result(struct bench *bench)
{
    type_of(bench, result_run);
    bench->job.flags = LEAT_JOB_KEEP_RESULT;
}

static void
retries(struct bench *bench)
{
    type_of(bench, retry_run);
}

static void
completes(struct bench *bench)
{
    plain(bench);
    bench_must(leat_completion_queue_create(bench->engine, 2 * BLOCK, &bench->completions));
    bench->job.completions = bench->completions;
}

static void
expires(struct bench *bench)
{
    plain(bench);
    bench->options.expires_in_ns = UINT64_C(3600000000000);
    bench->job.options = &bench->options;
}

/* No time comes: they are cancelled. */
static void
delayed(struct bench *bench)
{
    plain(bench);
    bench->job.delay_ns = UINT64_C(3600000000000);
}

static void
queue_of(struct bench *bench, const struct leat_queue_options *options)
{
    const struct leat_queue_options *set = NULL;
    plain(bench);
    bench_must(leat_settings_queue(bench->settings, "queue", options, &set));
    bench->pulls = set != NULL && set->pull;
    bench_must(leat_queue_create(bench->engine, "queue", set, &bench->job.queue));
}

static void
queued(struct bench *bench)
{
    queue_of(bench, NULL);
}

static void
limited(struct bench *bench)
{
    struct leat_queue_options options = leat_queue_options_default();
    options.waiting_max = 2 * BLOCK;
    queue_of(bench, &options);
}

static void
capped(struct bench *bench)
{
    struct leat_queue_options options = leat_queue_options_default();
    options.running_max = 2 * BLOCK;
    queue_of(bench, &options);
}

static void
type_capped(struct bench *bench)
{
    plain(bench);
    bench_must(leat_type_set_running_max(bench->engine, bench->job.type, 2 * BLOCK));
}

static void
rated(struct bench *bench)
{
    struct leat_queue_options options = leat_queue_options_default();
    options.rate = leat_rate_of(1000000000, 1000000000, 0);
    queue_of(bench, &options);
}

static void
reserved(struct bench *bench)
{
    struct leat_queue_options options = leat_queue_options_default();
    options.running_min = 1;
    queue_of(bench, &options);
}

static void
of_a_tenant(struct bench *bench)
{
    struct leat_queue_options options = leat_queue_options_default();
    bench_must(leat_tenant_create(bench->engine, "tenant", NULL, &options.tenant));
    queue_of(bench, &options);
}

static void
drops(struct bench *bench)
{
    struct leat_queue_options options = leat_queue_options_default();
    options.waiting_max = 2 * BLOCK;
    options.full = LEAT_FULL_DROP_OLDEST;
    queue_of(bench, &options);
}

static void
with_options(struct bench *bench)
{
    plain(bench);
    bench->job.options = &bench->options;
}

static void
queued_options(struct bench *bench)
{
    queued(bench);
    bench->job.options = &bench->options;
}

/* Each job has another text. */
static char text[32] = "text 0000000000";

static void
text_next(void)
{
    static uint64_t number;
    number++;
    for (uint64_t i = 0, rest = number; i < 10; i++, rest /= 10) {
        text[14 - i] = (char)('0' + rest % 10);
    }
}

static void
submit_keyed(struct bench *bench)
{
    text_next();
    bench->options.key = text;
    bench->options.key_bytes = sizeof(text);
    submit(bench);
}

static void
submit_unique(struct bench *bench)
{
    text_next();
    bench->options.unique_key = text;
    bench->options.unique_key_bytes = sizeof(text);
    submit(bench);
}

static void
submit_named(struct bench *bench)
{
    text_next();
    bench->options.name = text;
    submit(bench);
}

static void
submit_tagged(struct bench *bench)
{
    static const char *const tags[] = {"one", "two"};
    bench->options.tags = tags;
    bench->options.tags_count = 2;
    submit(bench);
}

static struct leat_outcome
pass_on(struct leat_run *run, struct leat_next *next, void *context)
{
    (void)run;
    (void)context;
    return leat_next_run(next);
}

static void
surrounded(struct bench *bench)
{
    plain(bench);
    bench_must(leat_middleware_add(bench->engine, pass_on, NULL));
}

static void
broken(struct bench *bench)
{
    struct leat_type_options options = leat_type_options_default();
    struct leat_breaker_options breaker = leat_breaker_options_default();
    options.breaker = &breaker;
    bench_must(leat_type_register(bench->engine, "job", job_run, bench,
                                  type_options(bench, &options), &bench->job.type));
}

static void
batch_run(struct leat_run *const *runs, struct leat_outcome *outcomes, size_t count, void *context)
{
    struct bench *bench = context;
    (void)runs;
    (void)outcomes;
    bench->ran += count;
}

static void
batched(struct bench *bench)
{
    struct leat_type_options options = leat_type_options_default();
    options.batch_max = 32;
    bench_must(leat_type_register_batch(bench->engine, "job", batch_run, bench,
                                        type_options(bench, &options), &bench->job.type));
}

static void
run_inline(struct bench *bench)
{
    bench_must(leat_run_inline(bench->engine, &bench->job, NULL, NULL));
}

static void
pulled(struct bench *bench)
{
    struct leat_queue_options options = leat_queue_options_default();
    options.pull = true;
    queue_of(bench, &options);
}

static void
reserve_all(struct bench *bench)
{
    static struct leat_lease leases[BLOCK];
    struct leat_reserve_options options = leat_reserve_options_default();
    size_t count = 0;
    options.queue = bench->job.queue;
    options.max = BLOCK;
    bench_must(leat_reserve(bench->engine, &options, leases, &count));
    for (size_t i = 0; i < count; i++) {
        bench_must(leat_ack(bench->engine, leases[i].token, NULL, 0));
    }
    bench->ran += count;
}

static void
reserve_where_pulled(struct bench *bench)
{
    if (bench->pulls) {
        reserve_all(bench);
    }
}

/* Another queue has a gate; this one has not. */
static void
others_gated(struct bench *bench)
{
    leat_queue other = {0};
    plain(bench);
    bench_must(leat_queue_create(bench->engine, "other", NULL, &other));
    bench_must(leat_queue_pause(bench->engine, other));
}

static void
untimed(struct leat_config *config)
{
    config->sample_interval = 1000000;
}

static void
all_timed(struct leat_config *config)
{
    config->sample_interval = 1;
}

static void
untraced(struct leat_config *config)
{
    config->trace = LEAT_TRACE_OFF;
}

static void
timed_untraced(struct leat_config *config)
{
    all_timed(config);
    untraced(config);
}

static void
traced(struct leat_config *config)
{
    config->trace = LEAT_TRACE_FULL;
}

static void
event_ignore(struct leat_engine *engine, const struct leat_event *event, void *context)
{
    (void)engine;
    (void)event;
    (void)context;
}

static void
tells(struct leat_config *config)
{
    config->event_sink = event_ignore;
}

static void
retains(struct leat_config *config)
{
    config->retained_max = LEAT_AUTO;
}

/* The others are compared with "job". */
static const struct item items[] = {
    {{"task", "leat_post()"}, NULL, NULL, post, NULL},
    {{"task_trace_full", "the same, where each attempt is recorded"}, traced, NULL, post, NULL},
    {{"job", "leat_submit() without payload"}, NULL, plain, submit, NULL},
    {{"job_untimed", "no job in 32 is timed"}, untimed, plain, submit, NULL},
    {{"job_timed", "each job is timed"}, all_timed, plain, submit, NULL},
    {{"timed_trace_off", "each job is timed, none is recorded"},
     timed_untraced,
     plain,
     submit,
     NULL},
    {{"trace_off", "nothing is recorded"}, untraced, plain, submit, NULL},
    {{"trace_full", "each attempt is recorded"}, traced, plain, submit, NULL},
    {{"events", "a sink is told of events"}, tells, plain, submit, NULL},
    {{"retained", "ended jobs are kept, 10 000 of them"}, retains, plain, submit, NULL},
    {{"names", "type and queue by name"}, NULL, by_name, submit, NULL},
    {{"payload_16", "in the record"}, NULL, payload_16, submit, NULL},
    {{"payload_64", "beside the record"}, NULL, payload_64, submit, NULL},
    {{"payload_1024", "from the allocator"}, NULL, payload_1024, submit, NULL},
    {{"result", "a result that is kept and released"},
     NULL,
     keeps_result,
     submit_kept,
     release_kept},
    {{"retry", "a second attempt, at once"}, NULL, retries, submit, NULL},
    {{"completion", "told by a completion queue"}, NULL, completes, submit, take_completions},
    {{"expiry", "expires in an hour"}, NULL, expires, submit, NULL},
    {{"delay", "due in an hour, and cancelled"}, NULL, delayed, submit_kept, cancel_kept},
    {{"cancel", "cancelled before it runs"}, NULL, plain, submit_kept, cancel_kept},
    {{"queue", "a queue without options"}, NULL, queued, submit, reserve_where_pulled},
    {{"waiting_max", "a queue with a limit"}, NULL, limited, submit, NULL},
    {{"others_gated", "another queue is paused"}, NULL, others_gated, submit, NULL},
    {{"queue_cap", "a queue with a cap that is not reached"}, NULL, capped, submit, NULL},
    {{"queue_rate", "a queue with a rate that is not reached"}, NULL, rated, submit, NULL},
    {{"running_min", "a place is kept for the queue"}, NULL, reserved, submit, NULL},
    {{"tenant", "a queue of a tenant without limits"}, NULL, of_a_tenant, submit, NULL},
    {{"drop_oldest", "a queue that would drop the oldest"}, NULL, drops, submit, NULL},
    {{"key", "one at a time per key, each with its own"}, NULL, with_options, submit_keyed, NULL},
    {{"queue_key", "the same in a queue"}, NULL, queued_options, submit_keyed, NULL},
    {{"unique", "a unique key, each its own"}, NULL, with_options, submit_unique, NULL},
    {{"name", "a name of its own"}, NULL, with_options, submit_named, NULL},
    {{"tags", "two tags"}, NULL, with_options, submit_tagged, NULL},
    {{"middleware", "one function around the handler"}, NULL, surrounded, submit, NULL},
    {{"breaker", "a circuit breaker of the type"}, NULL, broken, submit, NULL},
    {{"take_32", "32 jobs to a call of the handler"}, NULL, batched, submit, NULL},
    {{"pull", "taken with a lease, and acknowledged"}, NULL, pulled, submit, reserve_all},
    {{"inline", "run in the thread of its caller"}, NULL, plain, run_inline, NULL},
    {{"type_cap", "the same of a type"}, NULL, type_capped, submit, NULL},
};

#define ITEMS (sizeof(items) / sizeof(items[0]))

/* ---- all of it ------------------------------------------------------------------------------- */

static void
block(struct bench *bench, const struct item *item)
{
    for (uint32_t i = 0; i < BLOCK; i++) {
        item->add(bench);
    }
    if (item->after == cancel_kept) {
        item->after(bench);
    }
    while (leat_run_some(bench->engine, BLOCK, NULL) == LEAT_OK) {
    }
    if (item->after != NULL && item->after != cancel_kept) {
        item->after(bench);
    }
}

static void
open_with(struct bench *bench, const struct item *item, const struct bench_setting *settings)
{
    struct leat_config config = leat_config_default();
    const struct leat_config *set = NULL;
    config.workers = 0;
    config.retained_max = 0;
    if (item->configure != NULL) {
        item->configure(&config);
    }
    bench->settings = bench_settings_over(&config, settings);
    bench_must(leat_settings_config(bench->settings, &set, NULL));
    bench_must(leat_open(set, &bench->engine, NULL));
    bench_must(leat_start(bench->engine));
    bench->job = leat_job_default();
    bench->options = leat_job_options_default();
    if (item->prepare != NULL) {
        item->prepare(bench);
    }
}

static bool
run(const struct item *item, uint64_t blocks, const struct bench_setting *settings, double *ns)
{
    static struct bench bench;
    memset(&bench, 0, sizeof(bench));
    open_with(&bench, item, settings);
    uint64_t begin_ns = leat_os_monotonic_ns();
    for (uint64_t i = 0; i < blocks; i++) {
        block(&bench, item);
    }
    uint64_t took_ns = leat_os_monotonic_ns() - begin_ns;
    *ns = (double)took_ns / (double)(blocks * BLOCK);
    if (bench.completions != NULL) {
        bench_must(leat_completion_queue_destroy(bench.completions));
    }
    bench_must(leat_stop(bench.engine, LEAT_FOREVER));
    bench_must(leat_close(bench.engine));
    leat_settings_destroy(bench.settings);
    return bench.ran == blocks * BLOCK;
}

const struct cost_case *
cost_case_at(size_t index)
{
    return index < ITEMS ? &items[index].is : NULL;
}

enum cost_ran
cost_run(const char *name, uint64_t count, const struct bench_setting *settings, double *ns)
{
    for (size_t i = 0; i < ITEMS; i++) {
        if (strcmp(items[i].is.name, name) == 0) {
            uint64_t blocks = count / BLOCK + (count % BLOCK != 0 ? 1 : 0);
            return run(&items[i], blocks, settings, ns) ? COST_RAN : COST_LOST;
        }
    }
    return COST_NO_CASE;
}
