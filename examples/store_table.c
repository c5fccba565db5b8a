/* store_table.c - see store_parts.h. What a driver has to keep to is in <leat.h>, "stores"; here it
 * is a mutex and a walk over all jobs, so that it can be seen at a glance. */
#include "store_parts.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LEASE_NS      (UINT64_C(300) * 1000000000)
#define RETRY_NS      UINT64_C(1000000000)
#define ATTEMPTS      3
#define PRIORITIES    8
#define TYPE_BYTES    201
#define ALIGNMENT     16
#define LOOK_AGAIN_NS 1000000 /* how often a caller who waits looks what has come due */

enum state { FREE, WAITING, LEASED };

struct job {
    enum state state;
    uint64_t number;  /* of the job; never used twice. It is token.job */
    uint64_t turn;    /* those with a lower one are in front */
    uint64_t due_ns;  /* WAITING: not before; LEASED: the end of the lease */
    uint32_t attempt; /* token.attempt */
    uint32_t max_attempts;
    uint32_t priority;
    size_t payload_bytes;
    char type_name[TYPE_BYTES];
    unsigned char payload[STORE_TABLE_PAYLOAD_BYTES];
};

struct table {
    pthread_mutex_t mutex;
    struct job jobs[STORE_TABLE_JOBS];
    uint64_t numbers; /* of jobs, so far */
    uint64_t turns;
    uint64_t (*now)(void *context);
    void *context;
};

/* ---- one job; the mutex is held ------------------------------------------------------------- */

static enum leat_status
put(struct table *table, const struct leat_store_job *from)
{
    struct job *job = table->jobs;
    if (from->type_name == NULL || strlen(from->type_name) >= TYPE_BYTES ||
        from->payload_bytes > STORE_TABLE_PAYLOAD_BYTES || from->priority >= PRIORITIES) {
        return LEAT_INVALID;
    }
    while (job < table->jobs + STORE_TABLE_JOBS && job->state != FREE) {
        job++;
    }
    if (job == table->jobs + STORE_TABLE_JOBS) {
        return LEAT_FULL;
    }
    memset(job, 0, sizeof(*job));
    job->state = WAITING;
    job->number = ++table->numbers;
    job->turn = ++table->turns;
    job->due_ns = from->delay_ns == 0 ? 0 : table->now(table->context) + from->delay_ns;
    job->max_attempts = from->max_attempts == 0 ? ATTEMPTS : from->max_attempts;
    job->priority = from->priority;
    job->payload_bytes = from->payload_bytes;
    memcpy(job->type_name, from->type_name, strlen(from->type_name));
    if (from->payload_bytes != 0) {
        memcpy(job->payload, from->payload, from->payload_bytes);
    }
    return LEAT_OK;
}

/* The attempt has failed. */
static void
attempt_failed(struct table *table, struct job *job, uint64_t due_ns)
{
    job->state = job->attempt < job->max_attempts ? WAITING : FREE;
    job->turn = ++table->turns;
    job->due_ns = due_ns;
}

/* Ends the leases whose time is over, and finds the job whose turn it is. */
static struct job *
find_next(struct table *table)
{
    uint64_t now_ns = table->now(table->context);
    struct job *next = NULL;
    for (struct job *job = table->jobs; job < table->jobs + STORE_TABLE_JOBS; job++) {
        if (job->state == LEASED && job->due_ns <= now_ns) {
            attempt_failed(table, job, 0);
        }
        if (job->state != WAITING || job->due_ns > now_ns) {
            continue;
        }
        if (next == NULL || job->priority < next->priority ||
            (job->priority == next->priority && job->turn < next->turn)) {
            next = job;
        }
    }
    return next;
}

/* Who has the lease of the token: the job, or NULL and why not. */
static struct job *
find_leased(struct table *table, leat_token token, enum leat_status *status)
{
    uint64_t now_ns = table->now(table->context);
    *status = token.job == 0 || token.job > table->numbers ? LEAT_NOT_FOUND : LEAT_GONE;
    for (struct job *job = table->jobs; job < table->jobs + STORE_TABLE_JOBS; job++) {
        if (job->state == FREE || job->number != token.job) {
            continue;
        }
        bool holds = job->state == LEASED && job->attempt == token.attempt && job->due_ns > now_ns;
        *status = holds ? LEAT_OK : LEAT_STALE;
        return holds ? job : NULL;
    }
    return NULL;
}

/* Puts type and payload into the buffer, behind `used` bytes. False: they do not fit. */
static bool
copy_out(const struct job *job, const struct leat_store_take *what, size_t *used,
         struct leat_store_lease *lease)
{
    size_t name_bytes = strlen(job->type_name) + 1;
    size_t payload = (*used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    size_t name = payload + job->payload_bytes;
    unsigned char *buffer = what->buffer;
    if (name + name_bytes > what->buffer_bytes) {
        return false;
    }
    memcpy(buffer + payload, job->payload, job->payload_bytes);
    memcpy(buffer + name, job->type_name, name_bytes);
    lease->type_name = (const char *)buffer + name;
    lease->payload = job->payload_bytes == 0 ? NULL : buffer + payload;
    lease->payload_bytes = job->payload_bytes;
    *used = name + name_bytes;
    return true;
}

/* LEAT_EMPTY: there is none. */
static enum leat_status
take(struct table *table, const struct leat_store_take *what, struct leat_store_lease *leases,
     size_t *count)
{
    size_t used = 0;
    size_t taken = 0;
    struct job *job = NULL;
    while (taken < what->max && (job = find_next(table)) != NULL) {
        struct leat_store_lease *lease = &leases[taken];
        if (!copy_out(job, what, &used, lease)) {
            break;
        }
        job->state = LEASED;
        job->attempt++;
        job->due_ns = table->now(table->context);
        job->due_ns += what->lease_ns == 0 ? LEASE_NS : what->lease_ns;
        lease->token.job = job->number;
        lease->token.attempt = job->attempt;
        lease->attempt = job->attempt;
        lease->max_attempts = job->max_attempts;
        taken++;
    }
    if (taken == 0) {
        return job == NULL ? LEAT_EMPTY : LEAT_FULL;
    }
    *count = taken;
    return LEAT_OK;
}

/* ---- the functions of the store ------------------------------------------------------------- */

static void
lock(struct table *table)
{
    if (pthread_mutex_lock(&table->mutex) != 0) {
        abort();
    }
}

static void
unlock(struct table *table)
{
    if (pthread_mutex_unlock(&table->mutex) != 0) {
        abort();
    }
}

/* Says it of one part of a batch; returns what is to be said of all of it. */
static enum leat_status
say(enum leat_status first, enum leat_status *statuses, size_t i, enum leat_status status)
{
    if (statuses != NULL) {
        statuses[i] = status;
    }
    return first == LEAT_OK ? status : first;
}

static enum leat_status
put_batch(void *context, const struct leat_store_job *jobs, size_t count,
          enum leat_status *statuses)
{
    struct table *table = context;
    enum leat_status first = LEAT_OK;
    lock(table);
    for (size_t i = 0; i < count; i++) {
        first = say(first, statuses, i, put(table, &jobs[i]));
    }
    unlock(table);
    return first;
}

static uint64_t
monotonic_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static enum leat_status
take_batch(void *context, const struct leat_store_take *what, struct leat_store_lease *leases,
           size_t *count)
{
    struct table *table = context;
    const struct timespec pause = {0, LOOK_AGAIN_NS};
    uint64_t begin_ns = monotonic_ns();
    for (;;) {
        lock(table);
        enum leat_status status = take(table, what, leases, count);
        unlock(table);
        if (status != LEAT_EMPTY || what->timeout_ns == 0) {
            return status;
        }
        if (monotonic_ns() - begin_ns >= what->timeout_ns) {
            return LEAT_TIMEOUT;
        }
        (void)nanosleep(&pause, NULL);
    }
}

static enum leat_status
ack_batch(void *context, const leat_token *tokens, size_t count, enum leat_status *statuses)
{
    struct table *table = context;
    enum leat_status first = LEAT_OK;
    lock(table);
    for (size_t i = 0; i < count; i++) {
        enum leat_status status = LEAT_OK;
        struct job *job = find_leased(table, tokens[i], &status);
        if (job != NULL) {
            job->state = FREE;
        }
        first = say(first, statuses, i, status);
    }
    unlock(table);
    return first;
}

/* This store forgets what went wrong. */
static enum leat_status
nack_batch(void *context, const struct leat_store_nack *nacks, size_t count,
           enum leat_status *statuses)
{
    struct table *table = context;
    enum leat_status first = LEAT_OK;
    lock(table);
    for (size_t i = 0; i < count; i++) {
        enum leat_status status = LEAT_OK;
        struct job *job = find_leased(table, nacks[i].token, &status);
        uint64_t delay_ns = nacks[i].delay_ns;
        if (job != NULL) {
            delay_ns = delay_ns == LEAT_DELAY_OF_POLICY ? RETRY_NS : delay_ns;
            attempt_failed(table, job, table->now(table->context) + delay_ns);
        }
        first = say(first, statuses, i, status);
    }
    unlock(table);
    return first;
}

static enum leat_status
extend_batch(void *context, const leat_token *tokens, size_t count, uint64_t lease_ns,
             enum leat_status *statuses)
{
    struct table *table = context;
    enum leat_status first = LEAT_OK;
    lock(table);
    for (size_t i = 0; i < count; i++) {
        enum leat_status status = LEAT_OK;
        struct job *job = find_leased(table, tokens[i], &status);
        uint64_t until_ns = table->now(table->context) + (lease_ns == 0 ? LEASE_NS : lease_ns);
        if (job != NULL && until_ns > job->due_ns) {
            job->due_ns = until_ns;
        }
        first = say(first, statuses, i, status);
    }
    unlock(table);
    return first;
}

static void
close_table(void *context)
{
    struct table *table = context;
    (void)pthread_mutex_destroy(&table->mutex);
    free(table);
}

enum leat_status
store_table_open(uint64_t (*now)(void *context), void *context, struct leat_store *store)
{
    struct table *table = calloc(1, sizeof(*table));
    if (table == NULL || pthread_mutex_init(&table->mutex, NULL) != 0) {
        free(table);
        return LEAT_NO_MEMORY;
    }
    table->now = now;
    table->context = context;
    *store = (struct leat_store){.put_batch = put_batch,
                                 .take_batch = take_batch,
                                 .ack_batch = ack_batch,
                                 .nack_batch = nack_batch,
                                 .extend_batch = extend_batch,
                                 .close = close_table,
                                 .context = table};
    return LEAT_OK;
}
