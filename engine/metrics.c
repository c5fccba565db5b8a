/* metrics.c - statistics as text: OpenMetrics 1.0, and the text format of Prometheus, which differ
 * in the names of counters' families, the units and the last line. Why so: docs/design/0033. */
#include "engine/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine_internal.h"

/* ---- text ----------------------------------------------------------------------------------- */

void
leat_metrics_begin(struct leat_metrics_text *text, enum leat_metrics_format format,
                   leat_text_sink sink, void *context)
{
    text->format = format;
    leat_out_init(&text->out, sink, context);
}

static void
string(struct leat_metrics_text *text, const char *all)
{
    leat_out_text(&text->out, all);
}

static void
number(struct leat_metrics_text *text, uint64_t value)
{
    leat_out_number(&text->out, value);
}

/* Exact, and without a locale's point. */
static void
seconds(struct leat_metrics_text *text, uint64_t ns)
{
    char digits[48];
    (void)snprintf(digits, sizeof(digits), "%" PRIu64 ".%09" PRIu64, ns / 1000000000,
                   ns % 1000000000);
    string(text, digits);
}

void
leat_metrics_escape(struct leat_metrics_text *text, const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"') {
            string(text, "\\");
        }
        if (*value == '\n') {
            string(text, "\\n");
        } else {
            leat_out_bytes(&text->out, value, 1);
        }
    }
}

/* ---- families ------------------------------------------------------------------------------- */

enum family_kind { COUNTER, GAUGE, HISTOGRAM };

struct family {
    const char *name; /* of a counter, without its _total */
    const char *help;
    enum family_kind kind;
    bool timed; /* in seconds */
};

static void
family_begin(struct leat_metrics_text *text, const struct family *family)
{
    static const char *const kinds[] = {" counter\n", " gauge\n", " histogram\n"};
    bool open = text->format == LEAT_METRICS_OPENMETRICS;
    const char *suffix = family->kind == COUNTER && !open ? "_total" : "";
    string(text, "# TYPE ");
    string(text, family->name);
    string(text, suffix);
    string(text, kinds[family->kind]);
    if (open && family->timed) {
        string(text, "# UNIT ");
        string(text, family->name);
        string(text, " seconds\n");
    }
    string(text, "# HELP ");
    string(text, family->name);
    string(text, suffix);
    string(text, " ");
    string(text, family->help);
    string(text, "\n");
}

/* Some labels of a sample: names, and their values. */
struct labels {
    const char *name; /* NULL: none */
    const char *value;
    const char *name_2;
    const char *value_2;
};

static void
label(struct leat_metrics_text *text, const char *name, const char *value)
{
    string(text, name);
    string(text, "=\"");
    leat_metrics_escape(text, value);
    string(text, "\"");
}

static void
sample_begin(struct leat_metrics_text *text, const struct family *family, const char *suffix,
             const struct labels *labels)
{
    string(text, family->name);
    string(text, family->kind == COUNTER ? "_total" : suffix);
    if (labels->name != NULL || labels->name_2 != NULL) {
        string(text, "{");
        if (labels->name != NULL) {
            label(text, labels->name, labels->value);
        }
        if (labels->name_2 != NULL) {
            string(text, labels->name != NULL ? "," : "");
            label(text, labels->name_2, labels->value_2);
        }
        string(text, "}");
    }
    string(text, " ");
}

static void
sample(struct leat_metrics_text *text, const struct family *family, const struct labels *labels,
       uint64_t value)
{
    sample_begin(text, family, "", labels);
    if (family->timed) {
        seconds(text, value);
    } else {
        number(text, value);
    }
    string(text, "\n");
}

/* Bounds of buckets: less than 2^10 ns, 2^12 ns, … 2^38 ns, which is 275 s. All are whole
 * nanoseconds, so "less" is "at most one less". */
#define BOUND_FIRST 10
#define BOUND_LAST  38
#define BOUND_STEP  2

static void
histogram(struct leat_metrics_text *text, const struct family *family, struct labels labels,
          struct leat_histograms histograms)
{
    uint64_t below[LEAT_HISTOGRAM_OCTAVES];
    char bound[32];
    /* Before the buckets: a sum that is a moment too small is better than one too large. */
    uint64_t sum_ns = leat_histograms_latency(histograms).sum_ns;
    uint64_t all = leat_histograms_below(histograms, below);
    labels.name_2 = "le";
    labels.value_2 = bound;
    for (uint32_t k = BOUND_FIRST; k <= BOUND_LAST; k += BOUND_STEP) {
        uint64_t most_ns = (UINT64_C(1) << k) - 1;
        (void)snprintf(bound, sizeof(bound), "%" PRIu64 ".%09" PRIu64, most_ns / 1000000000,
                       most_ns % 1000000000);
        sample_begin(text, family, "_bucket", &labels);
        number(text, below[k]);
        string(text, "\n");
    }
    labels.value_2 = "+Inf";
    sample_begin(text, family, "_bucket", &labels);
    number(text, all);
    labels.name_2 = NULL;
    string(text, "\n");
    sample_begin(text, family, "_sum", &labels);
    seconds(text, sum_ns);
    string(text, "\n");
    sample_begin(text, family, "_count", &labels);
    number(text, all);
    string(text, "\n");
}

/* ---- of the engine -------------------------------------------------------------------------- */

static const struct labels none = {NULL, NULL, NULL, NULL};

static void
one(struct leat_metrics_text *text, struct family family, uint64_t value)
{
    family_begin(text, &family);
    sample(text, &family, &none, value);
}

static void
counters_write(struct leat_metrics_text *text, const struct leat_statistics *sum)
{
    const struct {
        struct family family;
        uint64_t value;
    } all[] = {
        {{"leat_tasks_run", "Tasks begun.", COUNTER, false}, sum->tasks_run},
        {{"leat_jobs_run", "Attempts begun.", COUNTER, false}, sum->jobs_run},
        {{"leat_jobs_submitted", "Jobs accepted.", COUNTER, false}, sum->jobs_submitted},
        {{"leat_jobs_completed", "Jobs completed.", COUNTER, false}, sum->jobs_completed},
        {{"leat_jobs_dead", "Jobs that went dead.", COUNTER, false}, sum->jobs_dead},
        {{"leat_jobs_cancelled", "Jobs cancelled.", COUNTER, false}, sum->jobs_cancelled},
        {{"leat_jobs_retried", "Attempts that failed and were followed by another.", COUNTER,
          false},
         sum->jobs_retried},
        {{"leat_jobs_timed_out", "Attempts that timed out.", COUNTER, false}, sum->jobs_timed_out},
        {{"leat_jobs_stuck", "Handlers that did not return after their timeout.", COUNTER, false},
         sum->jobs_stuck},
        {{"leat_dead_dropped", "Dead letters dropped for want of room, or by age.", COUNTER, false},
         sum->dead_dropped},
        {{"leat_dead_retried", "Dead letters brought back.", COUNTER, false}, sum->dead_retried},
        {{"leat_dead_letters", "Dead letters kept.", GAUGE, false}, sum->dead_letters},
        {{"leat_tasks_waiting", "Tasks that wait.", GAUGE, false}, sum->tasks_waiting},
        {{"leat_workers", "Places for workers.", GAUGE, false}, sum->workers},
        {{"leat_workers_active", "Workers that are to work.", GAUGE, false}, sum->workers_active},
        {{"leat_workers_parked", "Workers that sleep.", GAUGE, false}, sum->workers_parked},
        {{"leat_longest_run_seconds", "Time in its handler of who is there longest.", GAUGE, true},
         sum->run_ns_max},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        one(text, all[i].family, all[i].value);
    }
}

/* Where memory has a cap: else nothing is counted. */
static void
memory_write(struct leat_metrics_text *text, const struct leat_statistics *sum)
{
    if (sum->memory_bytes == 0) {
        return;
    }
    one(text, (struct family){"leat_memory_bytes", "Memory of the engine.", GAUGE, false},
        sum->memory_bytes);
    one(text, (struct family){"leat_memory_max_bytes", "Its cap; 0: none.", GAUGE, false},
        sum->memory_max);
    one(text,
        (struct family){"leat_memory_refused", "Submits that found no memory below the cap.",
                        COUNTER, false},
        sum->memory_refused);
}

static void
quantiles_write(struct leat_metrics_text *text, const struct family *family,
                const struct leat_latency *latency)
{
    const struct {
        const char *quantile;
        uint64_t ns;
    } all[] = {{"0.5", latency->p50_ns},      {"0.9", latency->p90_ns},
               {"0.99", latency->p99_ns},     {"0.999", latency->p999_ns},
               {"0.9999", latency->p9999_ns}, {"1", latency->max_ns}};
    family_begin(text, family);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const struct labels labels = {"q", all[i].quantile, NULL, NULL};
        sample(text, family, &labels, all[i].ns);
    }
}

static void
times_write(struct leat_metrics_text *text, const struct leat_engine *engine,
            const struct leat_statistics *sum)
{
    static const struct family wait = {"leat_wait_seconds",
                                       "From submit, or due, to start, of jobs that are timed.",
                                       HISTOGRAM, true};
    static const struct family run = {"leat_run_seconds", "Attempts of jobs that are timed.",
                                      HISTOGRAM, true};
    static const struct family wait_q = {
        "leat_wait_quantile_seconds", "Quantiles of the same since open, to 3.2 %.", GAUGE, true};
    static const struct family run_q = {"leat_run_quantile_seconds",
                                        "Quantiles of the same since open, to 3.2 %.", GAUGE, true};
    struct leat_histograms all = {&engine->places->queue_wait, sizeof(struct leat_place),
                                  engine->pool.places};
    family_begin(text, &wait);
    histogram(text, &wait, none, all);
    quantiles_write(text, &wait_q, &sum->queue_wait);
    all.first = &engine->places->run_time;
    family_begin(text, &run);
    histogram(text, &run, none, all);
    quantiles_write(text, &run_q, &sum->run_time);
}

/* The durability by its name, and the others with 0; and its size. Without a log all are 0. */
static void
log_write(struct leat_metrics_text *text, const struct leat_health *health)
{
    static const char *const names[] = {"none", "os", "group"};
    const struct family family = {
        "leat_durability", "What a submit is worth that does not say: 1 beside it.", GAUGE, false};
    family_begin(text, &family);
    for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct labels labels = {.name = "durability", .value = names[i]};
        bool is_it = LEAT_DURABILITY_NONE + i == (uint32_t)health->durability;
        sample(text, &family, &labels, is_it ? 1 : 0);
    }
    one(text, (struct family){"leat_log_bytes", "Bytes of the log's files.", GAUGE, false},
        health->log_bytes);
    one(text, (struct family){"leat_log_live_bytes", "Of these, what its jobs need.", GAUGE, false},
        health->log_live_bytes);
    one(text,
        (struct family){"leat_log_unwritten", "Changes that found no space in the log.", COUNTER,
                        false},
        health->log_unwritten);
}

static void
health_write(struct leat_metrics_text *text, struct leat_engine *engine)
{
    struct leat_health health = leat_health_default();
    if (leat_health_get(engine, &health) == LEAT_OK) {
        one(text, (struct family){"leat_health", "0 ok, 1 degraded, 2 failed.", GAUGE, false},
            (uint64_t)health.state);
        one(text, (struct family){"leat_workers_stuck", "Workers that are stuck.", GAUGE, false},
            health.workers_stuck);
        log_write(text, &health);
    }
}

/* ---- of workers ----------------------------------------------------------------------------- */

static uint64_t
worker_value(const struct leat_worker_statistics *worker, size_t offset)
{
    uint64_t value = 0;
    memcpy(&value, (const unsigned char *)worker + offset, sizeof(value));
    return value;
}

static void
workers_write(struct leat_metrics_text *text, struct leat_engine *engine)
{
#define OF(field) offsetof(struct leat_worker_statistics, field)
    static const struct {
        struct family family;
        size_t offset;
    } all[] = {
        {{"leat_worker_jobs_run", "Attempts begun by a worker.", COUNTER, false}, OF(jobs_run)},
        {{"leat_worker_tasks_run", "Tasks begun by a worker.", COUNTER, false}, OF(tasks_run)},
        {{"leat_worker_steals", "Takings from the queues of others.", COUNTER, false}, OF(steals)},
        {{"leat_worker_parks", "How often a worker went to sleep.", COUNTER, false}, OF(parks)},
        {{"leat_worker_wakes", "How often a worker woke another one.", COUNTER, false}, OF(wakes)},
        {{"leat_worker_in_handler_seconds", "For how long at least it is in what it runs.", GAUGE,
          true},
         OF(run_ns)},
    };
#undef OF
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        family_begin(text, &all[i].family);
        for (uint32_t w = 0; w < engine->pool.places; w++) {
            char name[16];
            struct leat_worker_statistics worker = leat_worker_statistics_default();
            (void)snprintf(name, sizeof(name), "%" PRIu32, w);
            const struct labels labels = {"worker", name, NULL, NULL};
            if (leat_worker_statistics_get(engine, w, &worker) == LEAT_OK) {
                sample(text, &all[i].family, &labels, worker_value(&worker, all[i].offset));
            }
        }
    }
}

/* ---- of priorities, queues and types -------------------------------------------------------- */

/* What is written of one kind, and how its families are called. */
struct kind {
    enum leat_statistics_by by;
    const char *label;
    struct family jobs;
    struct family ended;
    struct family retried;
    struct family oldest;
    struct family wait;
    struct family run;
};

#define KIND(which, name)                                                                          \
    {                                                                                              \
        .by = (which), .label = (name),                                                            \
        .jobs = {"leat_" name "_jobs", "Jobs that are there, by state.", GAUGE, false},            \
        .ended = {"leat_" name "_jobs_ended", "Jobs that have ended, by how.", COUNTER, false},    \
        .retried = {"leat_" name "_jobs_retried", "Attempts that were followed by another.",       \
                    COUNTER, false},                                                               \
        .oldest = {"leat_" name "_oldest_seconds",                                                 \
                   "How long who waits longest waits for a worker, of jobs that are timed.",       \
                   GAUGE, true},                                                                   \
        .wait = {"leat_" name "_wait_seconds",                                                     \
                 "From submit, or due, to start, of jobs that are timed.", HISTOGRAM, true},       \
        .run = {"leat_" name "_run_seconds", "Attempts of jobs that are timed.", HISTOGRAM, true}, \
    }

static const struct kind kinds[] = {KIND(LEAT_BY_PRIORITY, "priority"),
                                    KIND(LEAT_BY_QUEUE, "queue"), KIND(LEAT_BY_TYPE, "type")};

/* One row and the value of its label. */
struct named {
    struct leat_statistics_row row;
    char level[16];
    const char *value;
};

static void
named_tell(struct named *named, const struct leat_engine *engine,
           const struct leat_tally_live *live, uint32_t row)
{
    leat_tally_tell(engine, &live[row], row, &named->row);
    (void)snprintf(named->level, sizeof(named->level), "%" PRIu32, row);
    if (named->row.by == LEAT_BY_PRIORITY) {
        named->value = named->level;
    } else {
        /* No name has such letters. */
        named->value = named->row.index == 0 ? "(other)" : named->row.name;
    }
}

static void
row_ended(struct leat_metrics_text *text, const struct kind *kind, const struct named *named)
{
    const struct {
        const char *how;
        uint64_t count;
    } all[] = {{"completed", named->row.completed},
               {"dead", named->row.dead},
               {"cancelled", named->row.cancelled}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const struct labels labels = {kind->label, named->value, "state", all[i].how};
        sample(text, &kind->ended, &labels, all[i].count);
    }
}

static void
row_jobs(struct leat_metrics_text *text, const struct kind *kind, const struct named *named)
{
    for (uint32_t state = LEAT_JOB_SCHEDULED; state < LEAT_JOB_STATES; state++) {
        const struct labels labels = {kind->label, named->value, "state",
                                      leat_job_state_text((enum leat_job_state)state)};
        sample(text, &kind->jobs, &labels, named->row.jobs[state]);
    }
}

static void
rows_counted(struct leat_metrics_text *text, const struct kind *kind, const struct named *rows,
             uint32_t count)
{
    family_begin(text, &kind->jobs);
    for (uint32_t i = 0; i < count; i++) {
        row_jobs(text, kind, &rows[i]);
    }
    family_begin(text, &kind->ended);
    for (uint32_t i = 0; i < count; i++) {
        row_ended(text, kind, &rows[i]);
    }
    family_begin(text, &kind->retried);
    for (uint32_t i = 0; i < count; i++) {
        const struct labels labels = {kind->label, rows[i].value, NULL, NULL};
        sample(text, &kind->retried, &labels, rows[i].row.retried);
    }
    family_begin(text, &kind->oldest);
    for (uint32_t i = 0; i < count; i++) {
        const struct labels labels = {kind->label, rows[i].value, NULL, NULL};
        sample(text, &kind->oldest, &labels, rows[i].row.oldest_ns);
    }
}

static void
rows_timed(struct leat_metrics_text *text, const struct kind *kind,
           const struct leat_engine *engine, const struct named *rows, uint32_t count)
{
    family_begin(text, &kind->wait);
    for (uint32_t i = 0; i < count; i++) {
        const struct labels labels = {kind->label, rows[i].value, NULL, NULL};
        histogram(text, &kind->wait, labels,
                  leat_histograms_one(&leat_tally_times(engine, kind->by, i)->queue_wait));
    }
    family_begin(text, &kind->run);
    for (uint32_t i = 0; i < count; i++) {
        const struct labels labels = {kind->label, rows[i].value, NULL, NULL};
        histogram(text, &kind->run, labels,
                  leat_histograms_one(&leat_tally_times(engine, kind->by, i)->run_time));
    }
}

/* False: no memory. */
static bool
kind_write(struct leat_metrics_text *text, const struct kind *kind,
           const struct leat_engine *engine)
{
    const struct leat_memory *memory = &engine->memory;
    uint32_t most = leat_tally_rows_max(engine, kind->by);
    uint32_t count = leat_tally_rows(engine, kind->by);
    struct leat_tally_live *live = leat_memory_take(memory, sizeof(*live) * most);
    struct named *rows = leat_memory_take(memory, sizeof(*rows) * count);
    bool made = live != NULL && rows != NULL;
    if (made) {
        leat_tally_live(engine, kind->by, live);
        for (uint32_t i = 0; i < count; i++) {
            rows[i].row.by = kind->by;
            named_tell(&rows[i], engine, live, i);
        }
        rows_counted(text, kind, rows, count);
        if (kind->by != LEAT_BY_PRIORITY) {
            rows_timed(text, kind, engine, rows, count);
        }
    }
    leat_memory_give(memory, rows, sizeof(*rows) * count);
    leat_memory_give(memory, live, sizeof(*live) * most);
    return made;
}

/* ---- all of it ------------------------------------------------------------------------------ */

static enum leat_status
write_all(struct leat_metrics_text *text, struct leat_engine *engine)
{
    struct leat_statistics sum = leat_statistics_default();
    enum leat_status status = leat_statistics_get(engine, &sum);
    if (status != LEAT_OK) {
        return status;
    }
    static const struct family build = {"leat_build_info", "The version of the library.", GAUGE,
                                        false};
    const struct labels version = {"version", leat_version_text(), NULL, NULL};
    family_begin(text, &build);
    sample(text, &build, &version, 1);
    counters_write(text, &sum);
    memory_write(text, &sum);
    times_write(text, engine, &sum);
    health_write(text, engine);
    workers_write(text, engine);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !text->out.failed; i++) {
        if (!kind_write(text, &kinds[i], engine)) {
            return LEAT_NO_MEMORY;
        }
    }
    if (text->format == LEAT_METRICS_OPENMETRICS) {
        string(text, "# EOF\n");
    }
    return leat_out_end(&text->out) ? LEAT_OK : LEAT_REFUSED;
}

enum leat_status
leat_metrics_write(struct leat_engine *engine, enum leat_metrics_format format, leat_text_sink sink,
                   void *context)
{
    enum leat_status status = leat_engine_check(engine);
    bool known = format == LEAT_METRICS_OPENMETRICS || format == LEAT_METRICS_PROMETHEUS;
    if (status == LEAT_OK && (sink == NULL || !known)) {
        status = LEAT_INVALID;
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_metrics_text *text = leat_memory_take(&engine->memory, sizeof(*text));
    if (text == NULL) {
        return LEAT_NO_MEMORY;
    }
    leat_metrics_begin(text, format, sink, context);
    status = write_all(text, engine);
    leat_memory_give(&engine->memory, text, sizeof(*text));
    return status;
}
