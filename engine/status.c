/* status.c - statuses, states and reasons in words; the library's version. */
#include "engine/leat.h"
#include "engine/limits.h"

static const char *const status_texts[LEAT_STATUS_COUNT] = {
    [LEAT_OK] = "ok",
    [LEAT_INVALID] = "an argument is out of its range, or NULL",
    [LEAT_FULL] = "a limit of the queue or the engine is reached",
    [LEAT_EMPTY] = "nothing there to take or to run",
    [LEAT_CLOSED] = "the engine is draining or stopped",
    [LEAT_WRONG_STATE] = "not legal in the present state",
    [LEAT_BUSY] = "others are at it: try again",
    [LEAT_TIMEOUT] = "the time given ran out",
    [LEAT_RUNNING] = "the job is running and was asked to stop",
    [LEAT_ENDED] = "the job had already ended",
    [LEAT_NOT_FOUND] = "never given out, or no such name",
    [LEAT_GONE] = "was given out and is no longer there",
    [LEAT_STALE] = "the token or lease no longer holds",
    [LEAT_EXISTS] = "the name or the unique key is taken",
    [LEAT_DEADLOCK] = "the call would wait for the handler that makes it",
    [LEAT_NO_MEMORY] = "no memory",
    [LEAT_NO_SPACE] = "no room on the disk for the log",
    [LEAT_REFUSED] = "the operating system, or a function of the host, refused",
    [LEAT_SYSTEM] = "the operating system failed",
    [LEAT_FORKED] = "the engine belongs to the parent process",
    [LEAT_LOG_FAILED] = "the log failed; nothing more is acknowledged",
    [LEAT_CORRUPT] = "the log is damaged",
    [LEAT_UNSUPPORTED] = "not built yet, or unknown to this library",
    [LEAT_JOINED] = "another job stands for it",
    [LEAT_SKIPPED] = "not tried, or refused with others of its batch",
    [LEAT_WRONG_KEY] = "encrypted with a key that is not given, or with none",
};

static const char *const state_texts[] = {
    [0] = "unknown",
    [LEAT_JOB_SCHEDULED] = "scheduled",
    [LEAT_JOB_BLOCKED] = "blocked",
    [LEAT_JOB_PENDING] = "pending",
    [LEAT_JOB_RUNNING] = "running",
    [LEAT_JOB_RETRYING] = "retrying",
    [LEAT_JOB_COMPLETED] = "completed",
    [LEAT_JOB_DEAD] = "dead",
    [LEAT_JOB_CANCELLED] = "cancelled",
};

static const char *const reason_texts[] = {
    [LEAT_REASON_NONE] = "none",
    [LEAT_REASON_FAILED] = "failed for good",
    [LEAT_REASON_ATTEMPTS] = "attempts used up",
    [LEAT_REASON_UNKNOWN_TYPE] = "unknown type",
    [LEAT_REASON_UNSUPPORTED] = "the handler's answer is not supported yet",
    [LEAT_REASON_INVALID] = "the handler's answer is not valid",
    [LEAT_REASON_TIMEOUT] = "timed out",
    [LEAT_REASON_EXPIRED] = "expired while it waited",
    [LEAT_REASON_QUARANTINED] = "quarantined: it ran where processes crashed",
    [LEAT_REASON_DROPPED] = "dropped from a full queue",
    [LEAT_REASON_PARENT] = "a job that it waited for failed",
};

static const char *const event_texts[] = {
    [LEAT_EVENT_SUBMITTED] = "submitted",
    [LEAT_EVENT_STARTED] = "started",
    [LEAT_EVENT_COMPLETED] = "completed",
    [LEAT_EVENT_FAILED] = "attempt failed",
    [LEAT_EVENT_RETRYING] = "retrying",
    [LEAT_EVENT_SNOOZED] = "snoozed",
    [LEAT_EVENT_DEAD] = "dead",
    [LEAT_EVENT_CANCELLED] = "cancelled",
    [LEAT_EVENT_EXPIRED] = "expired",
    [LEAT_EVENT_BREAKER_OPENED] = "breaker opened",
    [LEAT_EVENT_BREAKER_CLOSED] = "breaker closed",
    [LEAT_EVENT_WORKER_STUCK] = "worker stuck",
    [LEAT_EVENT_THRESHOLD_RAISED] = "threshold raised",
    [LEAT_EVENT_THRESHOLD_CLEARED] = "threshold cleared",
    [LEAT_EVENT_COHORT_PROGRESS] = "cohort progress",
};

static const char *const threshold_texts[] = {
    [LEAT_THRESHOLD_DEAD] = "dead letters",
    [LEAT_THRESHOLD_WAITING] = "jobs waiting",
    [LEAT_THRESHOLD_FAILURES] = "attempts failed, in percent / 100,",
    [LEAT_THRESHOLD_OLDEST] = "age of the oldest job waiting, in ns,",
    [LEAT_THRESHOLD_MEMORY] = "bytes of memory",
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

const char *
leat_status_text(enum leat_status status)
{
    return (unsigned)status < LEAT_STATUS_COUNT ? status_texts[status] : "unknown status";
}

const char *
leat_job_state_text(enum leat_job_state state)
{
    return (unsigned)state < COUNT_OF(state_texts) ? state_texts[state] : "unknown";
}

const char *
leat_reason_text(enum leat_reason reason)
{
    return (unsigned)reason < COUNT_OF(reason_texts) ? reason_texts[reason] : "unknown";
}

const char *
leat_event_text(enum leat_event_kind kind)
{
    return (unsigned)kind < COUNT_OF(event_texts) ? event_texts[kind] : "unknown";
}

const char *
leat_threshold_text(enum leat_threshold threshold)
{
    return (unsigned)threshold < COUNT_OF(threshold_texts) ? threshold_texts[threshold] : "unknown";
}

#define TEXT_OF(number)  #number
#define VERSION(a, b, c) TEXT_OF(a) "." TEXT_OF(b) "." TEXT_OF(c)

const char *
leat_version_text(void)
{
    return VERSION(LEAT_VERSION_MAJOR, LEAT_VERSION_MINOR, LEAT_VERSION_PATCH);
}

uint32_t
leat_version(void)
{
    return (uint32_t)LEAT_VERSION_MAJOR << 16 | (uint32_t)LEAT_VERSION_MINOR << 8 |
           (uint32_t)LEAT_VERSION_PATCH;
}

uint32_t
leat_priority_levels(void)
{
    return LEAT_PRIORITY_LEVELS;
}
