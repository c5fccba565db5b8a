/* log_sqlite.c - a table of SQLite as a contestant of log.h. It has one writer at a time, so all
 * that is on its way is one transaction of one thread: threads would take turns, each with a sync
 * of its own. */
#include <sqlite3.h>

#include "bench/rivals/log.h"

/* Its log is checkpointed and used again from its beginning at so many pages, by default. */
#define LOG_PAGES 1000

struct queue {
    const struct bench_log_setup *setup;
    sqlite3 *database;
    sqlite3_stmt *insert;
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
    uint64_t submitted;
};

static void
execute(struct queue *queue, const char *text)
{
    bench_log_must(sqlite3_exec(queue->database, text, NULL, NULL, NULL) == SQLITE_OK, text);
}

static sqlite3_stmt *
prepare(struct queue *queue, const char *text)
{
    sqlite3_stmt *statement = NULL;
    bench_log_must(sqlite3_prepare_v2(queue->database, text, -1, &statement, NULL) == SQLITE_OK,
                   text);
    return statement;
}

static void
run(sqlite3_stmt *statement, const char *what)
{
    bench_log_must(sqlite3_step(statement) == SQLITE_DONE, what);
    sqlite3_reset(statement);
}

/* Once through its log, so that this does not grow while it is measured. */
static void
wear_in(struct queue *queue)
{
    execute(queue, "CREATE TABLE worn(data BLOB); BEGIN");
    for (int i = 0; i < LOG_PAGES; i++) {
        execute(queue, "INSERT INTO worn VALUES(zeroblob(4000))");
    }
    execute(queue, "COMMIT; PRAGMA wal_checkpoint(RESTART); DELETE FROM worn;"
                   "PRAGMA wal_checkpoint(RESTART)");
}

static void *
open_queue(const struct bench_log_setup *setup)
{
    struct queue *queue = bench_log_memory(sizeof(*queue));
    sqlite3_stmt *tables;
    queue->setup = setup;
    bench_log_must(sqlite3_open("queue.db", &queue->database) == SQLITE_OK, "sqlite: open");
    execute(queue, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
                   "PRAGMA synchronous=FULL;"
                   "CREATE TABLE IF NOT EXISTS queue(id INTEGER PRIMARY KEY, data BLOB)");
    tables = prepare(queue, "SELECT 1 FROM sqlite_schema WHERE name = 'worn'");
    bool is_worn = sqlite3_step(tables) == SQLITE_ROW;
    sqlite3_finalize(tables);
    if (!is_worn) {
        wear_in(queue);
    }
    queue->insert = prepare(queue, "INSERT INTO queue(data) VALUES(?)");
    queue->begin = prepare(queue, "BEGIN IMMEDIATE");
    queue->commit = prepare(queue, "COMMIT");
    bench_log_must(sqlite3_bind_blob(queue->insert, 1, setup->payload, (int)setup->payload_bytes,
                                     SQLITE_STATIC) == SQLITE_OK,
                   "sqlite: bind");
    return queue;
}

static void
submit(void *argument, uint32_t lane, uint32_t count)
{
    struct queue *queue = argument;
    (void)lane;
    run(queue->begin, "sqlite: begin");
    for (uint32_t i = 0; i < count; i++) {
        run(queue->insert, "sqlite: insert");
    }
    queue->submitted += count;
}

static void
commit(void *argument, uint64_t *acknowledged)
{
    struct queue *queue = argument;
    run(queue->commit, "sqlite: commit");
    acknowledged[0] = queue->submitted;
}

static uint64_t
count(void *argument)
{
    struct queue *queue = argument;
    sqlite3_stmt *select = prepare(queue, "SELECT data FROM queue");
    uint64_t found = 0;
    while (sqlite3_step(select) == SQLITE_ROW) {
        const void *data = sqlite3_column_blob(select, 0);
        found += bench_log_is_entry(queue->setup, data, (size_t)sqlite3_column_bytes(select, 0));
    }
    sqlite3_finalize(select);
    return found;
}

extern const struct bench_log_kind bench_logs_sqlite[];

const struct bench_log_kind bench_logs_sqlite[] = {
    {.name = "SQLite",
     .note = "3.40, WAL, synchronous=FULL, exclusive; a transaction of all that is on its way",
     .open = open_queue,
     .submit = submit,
     .wait = commit,
     .count = count},
    {.name = NULL},
};
