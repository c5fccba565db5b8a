/* log_lmdb.c - LMDB as a contestant of log.h. It has one writer at a time, so all that is on its
 * way is one transaction of one thread. */
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>

#include "bench/rivals/log.h"

#define MAP_BYTES  (UINT64_C(8) << 30) /* of addresses, not of memory or disk */
#define WORN_BYTES (UINT64_C(32) << 20)
#define WORN_ENTRY 2000 /* two to a page */

struct queue {
    const struct bench_log_setup *setup;
    MDB_env *environment;
    MDB_dbi entries;
    MDB_txn *transaction;
    uint64_t first; /* key that is not of the wearing in */
    uint64_t next;
};

static void
must(int result, const char *what)
{
    bench_log_must(result == 0, what);
}

static void
put(struct queue *queue, const void *data, size_t bytes)
{
    uint64_t number = queue->next++;
    MDB_val key = {sizeof(number), &number};
    MDB_val value = {.mv_size = bytes};
    memcpy(&value.mv_data, &data, sizeof(data));
    must(mdb_put(queue->transaction, queue->entries, &key, &value, MDB_APPEND), "lmdb: put");
}

static void
begin(struct queue *queue)
{
    if (queue->transaction == NULL) {
        must(mdb_txn_begin(queue->environment, NULL, 0, &queue->transaction), "lmdb: begin");
    }
}

static void
commit(struct queue *queue)
{
    must(mdb_txn_commit(queue->transaction), "lmdb: commit");
    queue->transaction = NULL;
}

/* Entries that come and go, so that the file does not grow while it is measured. */
static void
wear_in(struct queue *queue)
{
    void *data = bench_log_memory(WORN_ENTRY);
    begin(queue);
    for (uint64_t i = 0; i < WORN_BYTES / WORN_ENTRY; i++) {
        put(queue, data, WORN_ENTRY);
    }
    commit(queue);
    begin(queue);
    must(mdb_drop(queue->transaction, queue->entries, 0), "lmdb: drop");
    commit(queue);
    free(data);
}

static void *
open_queue(const struct bench_log_setup *setup)
{
    struct queue *queue = bench_log_memory(sizeof(*queue));
    MDB_stat state;
    queue->setup = setup;
    must(mdb_env_create(&queue->environment), "lmdb: create");
    must(mdb_env_set_mapsize(queue->environment, MAP_BYTES), "lmdb: size");
    must(mdb_env_open(queue->environment, ".", 0, 0600), "lmdb: open");
    begin(queue);
    must(mdb_dbi_open(queue->transaction, NULL, MDB_INTEGERKEY | MDB_CREATE, &queue->entries),
         "lmdb: entries");
    must(mdb_stat(queue->transaction, queue->entries, &state), "lmdb: state");
    commit(queue);
    if (state.ms_entries == 0) {
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
    begin(queue);
    for (uint32_t i = 0; i < count; i++) {
        put(queue, queue->setup->payload, queue->setup->payload_bytes);
    }
}

static void
wait(void *argument, uint64_t *acknowledged)
{
    struct queue *queue = argument;
    commit(queue);
    acknowledged[0] = queue->next - queue->first;
}

static uint64_t
count(void *argument)
{
    struct queue *queue = argument;
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    uint64_t found = 0;
    begin(queue);
    must(mdb_cursor_open(queue->transaction, queue->entries, &cursor), "lmdb: cursor");
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        found += bench_log_is_entry(queue->setup, value.mv_data, value.mv_size);
    }
    mdb_cursor_close(cursor);
    return found;
}

extern const struct bench_log_kind bench_logs_lmdb[];

const struct bench_log_kind bench_logs_lmdb[] = {
    {.name = "LMDB",
     .note = "0.9; a transaction of all that is on its way",
     .open = open_queue,
     .submit = submit,
     .wait = wait,
     .count = count},
    {.name = NULL},
};
