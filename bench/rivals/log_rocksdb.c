/* log_rocksdb.c - RocksDB as a contestant of log.h. Its own group commit would need as many threads
 * as entries on their way; a batch of one thread gives it the same log with less work. */
#include <rocksdb/c.h>
#include <stdlib.h>

#include "bench/rivals/log.h"

/* Of a log file, before the next: so few that a log that is used again can be made ready soon. */
#define BUFFER_BYTES (UINT64_C(16) << 20)
#define WORN_ENTRY   4096

struct queue {
    const struct bench_log_setup *setup;
    rocksdb_t *database;
    rocksdb_writeoptions_t *synced;
    rocksdb_writebatch_t *batch;
    uint64_t first; /* key that is not of the wearing in */
    uint64_t next;
};

static void
must(const char *error, const char *what)
{
    bench_log_must(error == NULL, error == NULL ? what : error);
}

static void
put(struct queue *queue, const void *data, size_t bytes)
{
    uint64_t key = __builtin_bswap64(queue->next++); /* in order */
    rocksdb_writebatch_put(queue->batch, (const char *)&key, sizeof(key), data, bytes);
}

static void
write_batch(struct queue *queue, const rocksdb_writeoptions_t *options)
{
    char *error = NULL;
    rocksdb_write(queue->database, options, queue->batch, &error);
    must(error, "rocksdb: write");
    rocksdb_writebatch_clear(queue->batch);
}

/* Logs of their full length, which are used again: so a sync has no new length to write. */
static void
wear_in(struct queue *queue)
{
    rocksdb_writeoptions_t *plain = rocksdb_writeoptions_create();
    rocksdb_flushoptions_t *flush = rocksdb_flushoptions_create();
    char *data = bench_log_memory(WORN_ENTRY);
    for (int log = 0; log < 3; log++) {
        char *error = NULL;
        for (uint64_t i = 0; i < BUFFER_BYTES / WORN_ENTRY; i++) {
            put(queue, data, WORN_ENTRY);
        }
        write_batch(queue, plain);
        rocksdb_flush(queue->database, flush, &error);
        must(error, "rocksdb: flush");
    }
    uint64_t from = 0;
    uint64_t to = __builtin_bswap64(queue->next);
    rocksdb_writebatch_delete_range(queue->batch, (const char *)&from, sizeof(from),
                                    (const char *)&to, sizeof(to));
    write_batch(queue, plain);
    free(data);
}

static void *
open_queue(const struct bench_log_setup *setup)
{
    struct queue *queue = bench_log_memory(sizeof(*queue));
    rocksdb_options_t *options = rocksdb_options_create();
    char *error = NULL;
    queue->setup = setup;
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_write_buffer_size(options, BUFFER_BYTES);
    rocksdb_options_set_recycle_log_file_num(options, 4);
    rocksdb_options_set_compression(options, rocksdb_no_compression);
    queue->database = rocksdb_open(options, ".", &error);
    must(error, "rocksdb: open");
    queue->synced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(queue->synced, 1);
    queue->batch = rocksdb_writebatch_create();
    rocksdb_iterator_t *iterator = NULL;
    rocksdb_readoptions_t *read = rocksdb_readoptions_create();
    iterator = rocksdb_create_iterator(queue->database, read);
    rocksdb_iter_seek_to_first(iterator);
    bool is_new = !rocksdb_iter_valid(iterator);
    rocksdb_iter_destroy(iterator);
    if (is_new) {
        wear_in(queue);
    }
    queue->first = queue->next;
    return queue;
}

static void
submit(void *argument, uint32_t lane, uint32_t count)
{
    struct queue *queue = argument;
    (void)lane;
    for (uint32_t i = 0; i < count; i++) {
        put(queue, queue->setup->payload, queue->setup->payload_bytes);
    }
}

static void
wait(void *argument, uint64_t *acknowledged)
{
    struct queue *queue = argument;
    write_batch(queue, queue->synced);
    acknowledged[0] = queue->next - queue->first;
}

static uint64_t
count(void *argument)
{
    struct queue *queue = argument;
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    rocksdb_iterator_t *iterator = rocksdb_create_iterator(queue->database, options);
    uint64_t found = 0;
    for (rocksdb_iter_seek_to_first(iterator); rocksdb_iter_valid(iterator);
         rocksdb_iter_next(iterator)) {
        size_t bytes = 0;
        const char *data = rocksdb_iter_value(iterator, &bytes);
        found += bench_log_is_entry(queue->setup, data, bytes);
    }
    rocksdb_iter_destroy(iterator);
    return found;
}

extern const struct bench_log_kind bench_logs_rocksdb[];

const struct bench_log_kind bench_logs_rocksdb[] = {
    {.name = "RocksDB",
     .note = "7.8, sync, logs used again, no compression; a batch of all that is on its way",
     .open = open_queue,
     .submit = submit,
     .wait = wait,
     .count = count},
    {.name = NULL},
};
