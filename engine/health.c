/* health.c - see health.h. */
#include "engine/health.h"
#include "engine/durable/durable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/engine_internal.h"

/* ---- workers -------------------------------------------------------------------------------- */

static bool
stuck(struct leat_engine *engine, uint32_t place)
{
    uint64_t most_ns = engine->config.stuck_ns;
    bool late = most_ns != 0 && leat_worker_run_ns(&engine->pool.workers[place]) >= most_ns;
    return late || leat_watch_stuck(engine, place) != 0;
}

static void
workers_look(struct leat_engine *engine, struct leat_health *health)
{
    uint32_t first = LEAT_WORKER_NONE;
    uint32_t active = atom_load_rlx(&engine->pool.active); /* rlx: statistic */
    uint32_t able = 0;
    for (uint32_t i = 0; i < engine->pool.places; i++) {
        if (stuck(engine, i)) {
            health->stuck[i / 64] |= UINT64_C(1) << i % 64;
            health->workers_stuck++;
            first = first == LEAT_WORKER_NONE ? i : first;
        } else if (i < active) {
            able++;
        }
    }
    health->workers_active = active;
    if (health->workers_stuck > 0) {
        bool none = able == 0 && engine->config.workers != 0;
        health->reasons |= LEAT_HEALTH_STUCK;
        health->state = none ? LEAT_HEALTH_FAILED : LEAT_HEALTH_DEGRADED;
        (void)snprintf(health->text, sizeof(health->text), "%u of %u workers stuck, worker %u",
                       health->workers_stuck, engine->pool.places, first);
    }
}

/* ---- the engine ----------------------------------------------------------------------------- */

static void
fail(struct leat_health *health, uint32_t reason, const char *text)
{
    health->reasons |= reason;
    health->state = LEAT_HEALTH_FAILED;
    (void)snprintf(health->text, sizeof(health->text), "%s", text);
}

static uint64_t
taken_sum(const struct leat_engine *engine)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < engine->pool.places; i++) {
        sum += atom_load_rlx(&engine->pool.workers[i].taken); /* rlx: statistic */
    }
    return sum;
}

/* Work waits, and has for so long, since somebody took some. */
static bool
stands_still(struct leat_engine *engine)
{
    struct leat_vitals *vitals = &engine->vitals;
    uint64_t now_ns = leat_os_monotonic_ns();
    uint64_t taken = taken_sum(engine);
    bool waits = leat_pool_work_waits(&engine->pool);
    leat_mutex_lock(&vitals->mutex);
    if (!waits || taken != vitals->taken || vitals->since_ns == 0) {
        vitals->taken = taken;
        vitals->since_ns = now_ns;
    }
    bool still = engine->config.stuck_ns != 0 && now_ns > vitals->since_ns &&
                 now_ns - vitals->since_ns >= engine->config.stuck_ns;
    leat_mutex_unlock(&vitals->mutex);
    return still;
}

static void
log_look(const struct leat_engine *engine, struct leat_health *health)
{
    enum leat_status status = leat_durable_state(engine);
    if (status == LEAT_LOG_FAILED) {
        fail(health, LEAT_HEALTH_LOG_FAILED, "the log has failed");
    } else if (status == LEAT_NO_SPACE) {
        health->reasons |= LEAT_HEALTH_LOG_FULL;
        health->state = health->state == LEAT_HEALTH_OK ? LEAT_HEALTH_DEGRADED : health->state;
        (void)snprintf(health->text, sizeof(health->text), "no room on the disk for the log");
    }
}

static void
state_look(struct leat_engine *engine, struct leat_health *health)
{
    enum leat_engine_state state = leat_engine_state_now(engine);
    bool takes = state == LEAT_ENGINE_RUNNING || state == LEAT_ENGINE_DRAINING;
    if (state == LEAT_ENGINE_DRAINING || state == LEAT_ENGINE_STOPPING) {
        health->reasons |= LEAT_HEALTH_DRAINING;
        health->state = LEAT_HEALTH_DEGRADED;
        (void)snprintf(health->text, sizeof(health->text), "draining");
    }
    workers_look(engine, health);
    log_look(engine, health);
    if (stands_still(engine) && takes) {
        fail(health, LEAT_HEALTH_NO_PROGRESS, "work waits and nobody takes it");
    }
    if (state == LEAT_ENGINE_OPEN || state == LEAT_ENGINE_STOPPED) {
        fail(health, LEAT_HEALTH_NOT_RUNNING, "not running");
    }
    if (atom_load_rlx(&engine->stop_expired) != 0) { /* rlx: statistic */
        fail(health, LEAT_HEALTH_STOP_EXPIRED, "a stop ran out of time");
    }
}

enum leat_status
leat_health_get(struct leat_engine *engine, struct leat_health *health)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (health == NULL) {
        return LEAT_INVALID;
    }
    struct leat_health found = leat_health_default();
    leat_durable_health(engine, &found);
    (void)snprintf(found.text, sizeof(found.text), "ok");
    state_look(engine, &found);
    return leat_struct_write(health, &found, sizeof(found));
}

/* ---- the service manager -------------------------------------------------------------------- */

bool
leat_notify_send(const char *socket_name, const char *text)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(socket_name);
    if (length < 2 || length >= sizeof(address.sun_path) ||
        (socket_name[0] != '/' && socket_name[0] != '@')) {
        return false;
    }
    memcpy(address.sun_path, socket_name, length);
    bool abstract = socket_name[0] == '@';
    if (abstract) {
        address.sun_path[0] = '\0';
    }
    /* The end of an abstract name is that of the address; a path has a 0 behind it. */
    socklen_t bytes =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (abstract ? 0 : 1));
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return false;
    }
    ssize_t sent = sendto(descriptor, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
                          (const struct sockaddr *)(const void *)&address, bytes);
    (void)close(descriptor);
    return sent >= 0;
}

static void
tell(struct leat_engine *engine, const char *text)
{
    if (engine->vitals.socket[0] != '\0') {
        (void)leat_notify_send(engine->vitals.socket, text);
    }
}

/* What the watchdog asks for is fed in half the time, as sd_watchdog_enabled(3) has it. */
static uint64_t
watchdog_ns(void)
{
    /* As every library does that reads the environment: nobody changes it beside an open.
     * NOLINTBEGIN(concurrency-mt-unsafe) */
    const char *of = getenv("WATCHDOG_PID");
    const char *usec = getenv("WATCHDOG_USEC");
    /* NOLINTEND(concurrency-mt-unsafe) */
    if (usec == NULL || (of != NULL && strtoll(of, NULL, 10) != (long long)getpid())) {
        return 0;
    }
    char *end = NULL;
    unsigned long long value = strtoull(usec, &end, 10);
    bool number = usec[0] >= '0' && usec[0] <= '9' && *end == '\0';
    return number && value <= UINT64_MAX / 1000 ? value * 1000 / 2 : 0;
}

void
leat_vitals_init(struct leat_engine *engine)
{
    struct leat_vitals *vitals = &engine->vitals;
    /* As above. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    const char *name = engine->config.systemd_notify ? getenv("NOTIFY_SOCKET") : NULL;
    leat_mutex_init(&vitals->mutex);
    atom_init(&vitals->feed_ns, LEAT_TIME_NEVER);
    if (name != NULL && strlen(name) < sizeof(vitals->socket)) {
        memcpy(vitals->socket, name, strlen(name) + 1);
        vitals->watchdog_ns = watchdog_ns();
    }
}

void
leat_vitals_fini(struct leat_engine *engine)
{
    leat_mutex_fini(&engine->vitals.mutex);
}

void
leat_vitals_started(struct leat_engine *engine)
{
    struct leat_vitals *vitals = &engine->vitals;
    tell(engine, "READY=1\nSTATUS=running");
    if (vitals->watchdog_ns != 0) {
        atom_store_rlx(&vitals->feed_ns, 0); /* rlx: statistic */
        leat_clocks_changed(&engine->clocks);
    }
}

void
leat_vitals_stopping(struct leat_engine *engine)
{
    tell(engine, "STOPPING=1\nSTATUS=stopping");
}

void
leat_vitals_stopped(struct leat_engine *engine)
{
    /* Else the clocks of the next start feed before READY. rlx: statistic */
    atom_store_rlx(&engine->vitals.feed_ns, LEAT_TIME_NEVER);
}

static uint64_t
source_next(void *context)
{
    const struct leat_engine *engine = context;
    return atom_load_rlx(&engine->vitals.feed_ns); /* rlx: statistic */
}

static uint64_t
source_look(void *context, uint64_t now_ns)
{
    struct leat_engine *engine = context;
    struct leat_vitals *vitals = &engine->vitals;
    struct leat_health health = leat_health_default();
    char text[sizeof(health.text) + 32];
    uint64_t feed_ns = source_next(engine);
    if (feed_ns > now_ns) {
        return feed_ns;
    }
    uint64_t next_ns = now_ns + vitals->watchdog_ns;
    /* One of those who come at once. rlx: statistic */
    if (atom_cas_rlx(&vitals->feed_ns, &feed_ns, next_ns) &&
        leat_health_get(engine, &health) == LEAT_OK) {
        bool fed = health.state != LEAT_HEALTH_FAILED;
        (void)snprintf(text, sizeof(text), "%sSTATUS=%s", fed ? "WATCHDOG=1\n" : "", health.text);
        tell(engine, text);
    }
    return source_next(engine);
}

struct leat_clock_source
leat_vitals_source(struct leat_engine *engine)
{
    struct leat_clock_source source = {source_look, source_next, NULL, engine, LEAT_TIME_BOOT};
    return source;
}
