/* types.c - the thread of the ready-made types, see work.h: begins what was handed in, waits for
 * it, looks whether it is cancelled or out of time, and tells the engine what it came to.
 * Why it is so: docs/design/0035. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "engine/types/memory.h"
#include "engine/types/work.h"

#define MS UINT64_C(1000000)
/* Between two tries of what the engine does not take yet: a handler returns, or a reader ends. */
#define AGAIN_NS   MS
#define EVENTS_MAX 64
/* Results that do not fit are cut to a half so often: 16 MiB to nothing. */
#define CUTS_MAX 25u

/* ---- small things ---------------------------------------------------------------------------- */

uint64_t
leat_types_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * LEAT_SECOND_NS + (uint64_t)now.tv_nsec;
}

static uint64_t
after(uint64_t now_ns, uint64_t delay_ns)
{
    return delay_ns > LEAT_FOREVER - now_ns ? LEAT_FOREVER : now_ns + delay_ns;
}

bool
leat_ear_open(struct leat_types *types, struct leat_ear *ear, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = ear}};
    ear->fd = fd;
    return epoll_ctl(types->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

void
leat_ear_close(struct leat_types *types, struct leat_ear *ear)
{
    if (ear->fd >= 0) {
        (void)epoll_ctl(types->epoll, EPOLL_CTL_DEL, ear->fd, NULL);
        (void)close(ear->fd);
        ear->fd = -1;
    }
}

static void
wake(const struct leat_types *types)
{
    uint64_t one = 1;
    /* It cannot fail but where 2^64 - 2 wakes wait. */
    ssize_t written = write(types->wake.fd, &one, sizeof(one));
    (void)written;
}

static void
woken(struct leat_types *types, struct leat_ear *ear)
{
    uint64_t count = 0;
    ssize_t got = read(ear->fd, &count, sizeof(count));
    (void)got;
    (void)types;
}

/* ---- ending ---------------------------------------------------------------------------------- */

/* Why it was told to end counts for more than what it says. */
static void
overrule(struct leat_work *work)
{
    switch (work->why) {
    case LEAT_WHY_ITSELF:
        break;
    case LEAT_WHY_CANCELLED:
        work->outcome = leat_retry(); /* of a cancelled job: CANCELLED */
        (void)snprintf(work->error, sizeof(work->error), "cancelled");
        break;
    case LEAT_WHY_TIME:
        work->outcome = leat_retry();
        (void)snprintf(work->error, sizeof(work->error), "timed out after %llu ms",
                       (unsigned long long)(work->timeout_ns / MS));
        break;
    case LEAT_WHY_STOPPED:
        work->outcome = leat_snooze(LEAT_SECOND_NS);
        work->error[0] = '\0';
        break;
    }
}

void
leat_work_end(struct leat_types *types, struct leat_work *work, struct leat_outcome outcome,
              const char *error)
{
    struct leat_work_list *from = work->stage == LEAT_WORK_HANDED ? &types->begins : &types->runs;
    work->outcome = outcome;
    (void)snprintf(work->error, sizeof(work->error), "%s", error == NULL ? "" : error);
    overrule(work);
    TAILQ_REMOVE(from, work, link);
    TAILQ_INSERT_TAIL(&types->ended, work, link);
    work->stage = LEAT_WORK_ENDED;
}

/* The result as bytes of *memory; its parts are cut to `most`. */
static size_t
result_of(const struct leat_work *work, size_t most, void **memory)
{
    const struct leat_kind *kind = work->type->kind;
    struct leat_writer writer = {.bytes = NULL};
    *memory = NULL;
    if (kind->result == NULL || most == 0) {
        return 0;
    }
    kind->result(work, most, &writer);
    writer.capacity = writer.used;
    writer.used = 0;
    writer.bytes = leat_types_take(writer.capacity);
    if (writer.bytes == NULL) {
        return 0;
    }
    kind->result(work, most, &writer);
    *memory = writer.bytes;
    return writer.used;
}

/* What the engine says to the answer. A result that is too large for it is cut. */
static enum leat_status
say(struct leat_types *types, const struct leat_work *work)
{
    struct leat_answer answer = leat_answer_default();
    enum leat_status status = LEAT_INVALID;
    answer.outcome = work->outcome;
    answer.timed_out = work->why == LEAT_WHY_TIME;
    answer.error = work->error[0] == '\0' ? NULL : work->error;
    for (uint32_t cuts = 0; cuts <= CUTS_MAX && status == LEAT_INVALID; cuts++) {
        void *memory = NULL;
        answer.result_bytes = result_of(work, LEAT_TYPES_PAYLOAD_BYTES_MAX >> cuts, &memory);
        answer.result = memory;
        status = leat_complete_with(types->engine, work->token, &answer);
        leat_types_give(memory);
    }
    return status;
}

/* Tells the engine what has ended. What it does not take yet stays. */
static void
say_all(struct leat_types *types)
{
    struct leat_work *work = TAILQ_FIRST(&types->ended);
    while (work != NULL) {
        struct leat_work *next = TAILQ_NEXT(work, link);
        enum leat_status status = say(types, work);
        if (status != LEAT_BUSY && status != LEAT_NO_MEMORY && status != LEAT_WRONG_STATE) {
            TAILQ_REMOVE(&types->ended, work, link);
            work->type->kind->destroy(work);
        }
        work = next;
    }
}

/* ---- beginning ------------------------------------------------------------------------------- */

static bool
cancelled(const struct leat_types *types, const struct leat_work *work)
{
    struct leat_job_info info = leat_job_info_default();
    leat_job_id id = {work->token.job};
    return leat_get(types->engine, id, &info) == LEAT_OK && info.cancel_requested;
}

static void
begin(struct leat_types *types, struct leat_work *work, bool stopping)
{
    if (stopping) {
        work->why = LEAT_WHY_STOPPED;
    } else if (cancelled(types, work)) {
        work->why = LEAT_WHY_CANCELLED;
    }
    if (work->why != LEAT_WHY_ITSELF) {
        leat_work_end(types, work, leat_retry(), NULL);
        return;
    }
    work->deadline_ns = after(leat_types_now(), work->timeout_ns);
    TAILQ_REMOVE(&types->begins, work, link);
    TAILQ_INSERT_TAIL(&types->runs, work, link);
    work->stage = LEAT_WORK_RUNS;
    types->next_look_ns = 0;
    work->type->kind->begin(types, work);
}

/* Begins each whose attempt is pending by now. */
static void
begin_all(struct leat_types *types, bool stopping)
{
    struct leat_work *work = TAILQ_FIRST(&types->begins);
    while (work != NULL) {
        struct leat_work *next = TAILQ_NEXT(work, link);
        enum leat_status status = leat_pending_extend(types->engine, work->token, 0);
        if (status == LEAT_OK) {
            begin(types, work, stopping);
        } else if (status != LEAT_WRONG_STATE && status != LEAT_BUSY) {
            TAILQ_REMOVE(&types->begins, work, link);
            work->type->kind->destroy(work);
        }
        work = next;
    }
}

static bool
handed_take(struct leat_types *types)
{
    (void)pthread_mutex_lock(&types->lock);
    bool stopping = types->stopping;
    TAILQ_CONCAT(&types->begins, &types->handed, link);
    (void)pthread_mutex_unlock(&types->lock);
    return stopping;
}

/* ---- looking --------------------------------------------------------------------------------- */

static void
look_at(struct leat_types *types, struct leat_work *work, uint64_t now_ns, bool stopping)
{
    const struct leat_kind *kind = work->type->kind;
    if (work->stage == LEAT_WORK_STOPS) {
        if (now_ns >= work->harder_ns) {
            work->harder_ns = LEAT_FOREVER;
            kind->stop_harder(work);
        }
        return;
    }
    if (now_ns >= work->deadline_ns) {
        work->why = LEAT_WHY_TIME;
    } else if (cancelled(types, work)) {
        work->why = LEAT_WHY_CANCELLED;
    } else if (stopping) {
        work->why = LEAT_WHY_STOPPED;
    }
    if (work->why != LEAT_WHY_ITSELF) {
        work->stage = LEAT_WORK_STOPS;
        work->harder_ns = LEAT_FOREVER;
        kind->stop(types, work);
    }
}

/* The next look is at the first deadline, or after look_ns. */
static void
look(struct leat_types *types, bool stopping)
{
    uint64_t now_ns = leat_types_now();
    if (now_ns < types->next_look_ns && !stopping) {
        return;
    }
    uint64_t next_ns = now_ns + types->look_ns;
    struct leat_work *work = TAILQ_FIRST(&types->runs);
    while (work != NULL) {
        struct leat_work *next = TAILQ_NEXT(work, link);
        look_at(types, work, now_ns, stopping);
        if (work->stage != LEAT_WORK_ENDED) {
            uint64_t due_ns = work->stage == LEAT_WORK_STOPS ? work->harder_ns : work->deadline_ns;
            next_ns = due_ns < next_ns ? due_ns : next_ns;
        }
        work = next;
    }
    types->next_look_ns = next_ns;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static uint64_t
patience_ns(const struct leat_types *types)
{
    if (!TAILQ_EMPTY(&types->begins) || !TAILQ_EMPTY(&types->ended)) {
        return AGAIN_NS;
    }
    if (TAILQ_EMPTY(&types->runs)) {
        return LEAT_FOREVER;
    }
    uint64_t now_ns = leat_types_now();
    return types->next_look_ns > now_ns ? types->next_look_ns - now_ns : 0;
}

static void
hear(struct leat_types *types)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(types->epoll, events, EVENTS_MAX, 0);
    for (int i = 0; i < count; i++) {
        struct leat_ear *ear = events[i].data.ptr;
        /* One that an earlier event of this round closed has none; its work is there still. */
        if (ear->fd >= 0) {
            ear->ready(types, ear);
        }
    }
}

static void *
thread_run(void *argument)
{
    struct leat_types *types = argument;
    bool over = false;
    /* Ends: leat_types_stop() says when, and commands end by KILL at the latest. */
    while (!over) {
        leat_transfers_wait(types, patience_ns(types));
        hear(types);
        leat_transfers_step(types);
        bool stopping = handed_take(types);
        begin_all(types, stopping);
        look(types, stopping);
        say_all(types);
        over = stopping && TAILQ_EMPTY(&types->begins) && TAILQ_EMPTY(&types->runs) &&
               TAILQ_EMPTY(&types->ended);
    }
    return NULL;
}

/* ---- the handler ----------------------------------------------------------------------------- */

/* False: the thread takes nothing any more. */
static bool
hand_in(struct leat_types *types, struct leat_work *work)
{
    (void)pthread_mutex_lock(&types->lock);
    bool taken = !types->stopping;
    if (taken) {
        TAILQ_INSERT_TAIL(&types->handed, work, link);
        /* Under the lock: the thread may end as soon as it is free. */
        wake(types);
    }
    (void)pthread_mutex_unlock(&types->lock);
    return taken;
}

static struct leat_outcome
refuse(struct leat_run *run, struct leat_outcome outcome, const char *error)
{
    /* Without memory for it the outcome has to do. */
    enum leat_status status = leat_run_error(run, error);
    (void)status;
    return outcome;
}

/* One block: the work, room for what is read from the payload, and a copy of that. */
static enum leat_status
work_make(const struct leat_ready_type *type, const void *payload, size_t bytes,
          struct leat_work **work)
{
    const struct leat_kind *kind = type->kind;
    if (bytes == 0) {
        return LEAT_INVALID;
    }
    unsigned char *block = leat_types_take(kind->work_bytes + LEAT_WORK_ROOM(bytes) + bytes);
    if (block == NULL) {
        return LEAT_NO_MEMORY;
    }
    unsigned char *room = block + kind->work_bytes;
    unsigned char *copy = room + LEAT_WORK_ROOM(bytes);
    struct leat_work *made = (struct leat_work *)(void *)block;
    memcpy(copy, payload, bytes);
    made->type = type;
    enum leat_status status = kind->read(made, copy, bytes, room);
    if (status != LEAT_OK) {
        leat_types_give(block);
        return status;
    }
    *work = made;
    return LEAT_OK;
}

static struct leat_outcome
handle(struct leat_run *run, void *context)
{
    const struct leat_ready_type *type = context;
    size_t bytes = 0;
    uint64_t timeout_ns = leat_run_deadline(run);
    const void *payload = leat_run_payload(run, &bytes);
    struct leat_work *work = NULL;
    enum leat_status status = work_make(type, payload, bytes, &work);
    if (status == LEAT_NO_MEMORY) {
        return refuse(run, leat_retry(), "no memory");
    }
    if (status != LEAT_OK) {
        return refuse(run, leat_fail(),
                      status == LEAT_UNSUPPORTED ? "the payload is of a newer library"
                                                 : "the payload is not one of this type");
    }
    work->token = leat_run_token(run);
    work->timeout_ns = timeout_ns;
    work->stage = LEAT_WORK_HANDED;
    if (!hand_in(type->types, work)) {
        type->kind->destroy(work);
        return leat_snooze(LEAT_SECOND_NS);
    }
    /* With a time, that never comes: see leat_pending_extend() in begin_all(). */
    return leat_pending_for(LEAT_FOREVER);
}

enum leat_status
leat_types_add(struct leat_types *types, const char *name, const struct leat_kind *kind,
               void *options, const struct leat_type_options *type_options, leat_type *type)
{
    struct leat_ready_type *added = leat_types_take(sizeof(*added));
    if (added == NULL) {
        kind->options_destroy(options);
        return LEAT_NO_MEMORY;
    }
    *added = (struct leat_ready_type){.types = types, .kind = kind, .options = options};
    (void)pthread_mutex_lock(&types->lock);
    bool closed = types->stopping;
    (void)pthread_mutex_unlock(&types->lock);
    enum leat_status status =
        closed ? LEAT_CLOSED
               : leat_type_register(types->engine, name, handle, added, type_options, type);
    /* LEAT_FULL may be of running_min, and then the type is there: what it has is kept. */
    if (status != LEAT_OK && status != LEAT_FULL) {
        kind->options_destroy(options);
        leat_types_give(added);
        return status;
    }
    (void)pthread_mutex_lock(&types->lock);
    added->next = types->registered;
    types->registered = added;
    (void)pthread_mutex_unlock(&types->lock);
    return status;
}

/* ---- create, stop, destroy ------------------------------------------------------------------- */

static void
parts_free(struct leat_types *types)
{
    leat_transfers_fini(types);
    if (types->wake.fd >= 0) {
        (void)close(types->wake.fd);
    }
    if (types->epoll >= 0) {
        (void)close(types->epoll);
    }
    leat_types_give(types->buffer);
    (void)pthread_mutex_destroy(&types->lock);
    leat_types_give(types);
}

static enum leat_status
parts_make(struct leat_types *types)
{
    TAILQ_INIT(&types->handed);
    TAILQ_INIT(&types->begins);
    TAILQ_INIT(&types->runs);
    TAILQ_INIT(&types->ended);
    types->wake.ready = woken;
    types->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    types->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (types->epoll < 0 || types->wake.fd < 0 ||
        !leat_ear_open(types, &types->wake, types->wake.fd)) {
        return LEAT_REFUSED;
    }
    types->buffer = leat_types_take(LEAT_WORK_PIPE_READ);
    return types->buffer != NULL && leat_transfers_init(types) ? LEAT_OK : LEAT_NO_MEMORY;
}

/* All signals are blocked in it: none is for it, and a child of it begins so. */
static enum leat_status
thread_start(struct leat_types *types)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&types->thread, NULL, thread_run, types);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0 ? LEAT_OK : LEAT_REFUSED;
}

enum leat_status
leat_types_create(struct leat_engine *engine, const struct leat_types_options *options,
                  struct leat_types **types)
{
    struct leat_types_options given = {.size = 0, .look_ns = 100 * MS};
    enum leat_engine_state state = LEAT_ENGINE_OPEN;
    enum leat_status status =
        options == NULL ? LEAT_OK : leat_types_read(&given, sizeof(given), options);
    if (status == LEAT_OK &&
        (types == NULL || given.look_ns < MS || given.look_ns > 10 * LEAT_SECOND_NS)) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        status = leat_state(engine, &state);
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_types *made = leat_types_take(sizeof(*made));
    if (made == NULL) {
        return LEAT_NO_MEMORY;
    }
    made->engine = engine;
    made->look_ns = given.look_ns;
    made->epoll = -1;
    made->wake.fd = -1;
    (void)pthread_mutex_init(&made->lock, NULL);
    status = parts_make(made);
    if (status == LEAT_OK) {
        status = thread_start(made);
    }
    if (status != LEAT_OK) {
        parts_free(made);
        return status;
    }
    *types = made;
    return LEAT_OK;
}

enum leat_status
leat_types_stop(struct leat_types *types)
{
    enum leat_engine_state state = LEAT_ENGINE_OPEN;
    if (types == NULL) {
        return LEAT_INVALID;
    }
    if (types->stopped) {
        return LEAT_OK;
    }
    enum leat_status status = leat_state(types->engine, &state);
    if (status != LEAT_OK) {
        return status;
    }
    (void)pthread_mutex_lock(&types->lock);
    types->stopping = true;
    wake(types);
    (void)pthread_mutex_unlock(&types->lock);
    (void)pthread_join(types->thread, NULL);
    types->stopped = true;
    return LEAT_OK;
}

void
leat_types_destroy(struct leat_types *types)
{
    if (types == NULL) {
        return;
    }
    struct leat_ready_type *type = types->registered;
    while (type != NULL) {
        struct leat_ready_type *next = type->next;
        type->kind->options_destroy(type->options);
        leat_types_give(type);
        type = next;
    }
    parts_free(types);
}
