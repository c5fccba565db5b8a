/* hashtree_result.c - what is written at the end: the lines of sha256sum and the summary. */
#include "hashtree_parts.h"

#include <string.h>

static const char escaped_bytes[] = "\\\n\r"; /* what sha256sum of coreutils 9.1 escapes */

static void
write_escaped(struct output *output, const char *text)
{
    for (;;) { /* ends with the text */
        size_t plain = strcspn(text, escaped_bytes);
        output_write(output, text, plain);
        text += plain;
        if (*text == '\0') {
            return;
        }
        output_write(output, *text == '\n' ? "\\n" : *text == '\r' ? "\\r" : "\\\\", 2);
        text++;
    }
}

static bool
has_escaped(const char *text)
{
    return strpbrk(text, escaped_bytes) != NULL;
}

static void
write_digest(struct output *output, const unsigned char *digest)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * DIGEST_BYTES + 2];
    char *to = text;
    for (size_t index = 0; index < DIGEST_BYTES; index++) {
        *to++ = digits[digest[index] >> 4];
        *to++ = digits[digest[index] & 15];
    }
    *to++ = ' ';
    *to = ' ';
    output_write(output, text, sizeof(text));
}

void
result_lines(struct output *output, const void *source)
{
    const struct tree *tree = source;
    bool prefix_escaped = has_escaped(tree->prefix);
    for (const struct record *record = tree->first; record != NULL; record = record->order_next) {
        if (record->state != RECORD_HASHED) {
            continue;
        }
        const struct directory *directory = record->directory;
        bool escaped = prefix_escaped || has_escaped(directory->path) || has_escaped(record->name);
        if (escaped) {
            output_write(output, "\\", 1);
        }
        write_digest(output, record->digest);
        if (escaped) {
            write_escaped(output, tree->prefix);
            write_escaped(output, directory->path);
            write_escaped(output, record->name);
        } else {
            output_write(output, tree->prefix, tree->prefix_length);
            output_write(output, directory->path, directory->length);
            output_write(output, record->name, strlen(record->name));
        }
        output_write(output, "\n", 1);
    }
}

static void
write_latency(struct output *output, const char *name, const struct leat_latency *latency)
{
    output_print(output,
                 ",\n  \"%s\": {\"samples\": %llu, \"p50\": %llu, \"p99\": %llu, \"p999\": %llu}",
                 name, (unsigned long long)latency->samples, (unsigned long long)latency->p50_ns,
                 (unsigned long long)latency->p99_ns, (unsigned long long)latency->p999_ns);
}

void
result_json(struct output *output, const void *source)
{
    const struct summary *summary = source;
    uint64_t jobs = 0;
    for (uint32_t index = 0; index < summary->workers; index++) {
        jobs += summary->worker[index].jobs_run;
    }
    double rate = summary->seconds > 0.0 ? (double)jobs / summary->seconds : 0.0;
    output_print(output, "{\n  \"mode\": \"%s\",\n", summary->mode);
    output_print(output, "  \"files\": %llu,\n", (unsigned long long)summary->files);
    output_print(output, "  \"bytes\": %llu,\n", (unsigned long long)summary->bytes);
    output_print(output, "  \"unreadable\": %llu,\n", (unsigned long long)summary->unreadable);
    output_print(output, "  \"seconds\": %.6f,\n", summary->seconds);
    output_print(output, "  \"cpu_seconds\": %.6f,\n", summary->cpu_seconds);
    output_print(output, "  \"jobs_per_second\": %.1f,\n  \"workers\": [", rate);
    for (uint32_t index = 0; index < summary->workers; index++) {
        const struct worker_summary *worker = &summary->worker[index];
        output_print(output, "%s\n    {\"jobs_run\": %llu, \"parks\": %llu}", index == 0 ? "" : ",",
                     (unsigned long long)worker->jobs_run, (unsigned long long)worker->parks);
    }
    output_print(output, "\n  ]");
    if (summary->latencies) {
        write_latency(output, "queue_wait_ns", &summary->queue_wait);
        write_latency(output, "run_time_ns", &summary->run_time);
    }
    output_print(output, "\n}\n");
}
