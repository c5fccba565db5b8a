/* hashtree_message.c - what goes to stderr: one line for each reason and for each file or
 * directory that cannot be read, and the progress where stderr is a terminal. */
#include "hashtree_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Five updates a second: fast enough to look alive, slow enough to be read. */
static const uint64_t progress_interval_ns = 200000000;

/* The estimate counts a file as so many bytes beside its content: opening, reading and closing a
 * small one takes about as long as hashing this much. */
static const double file_cost_bytes = 8192.0;

static const double second_ns = 1e9;

uint64_t
clock_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A name on one line, without what could steer a terminal: backslash, newline and carriage return
 * as in the output, other control bytes in octal. */
static void
put_name(const char *name)
{
    for (; *name != '\0'; name++) {
        unsigned char byte = (unsigned char)*name;
        if (byte == '\n') {
            (void)fputs("\\n", stderr);
        } else if (byte == '\r') {
            (void)fputs("\\r", stderr);
        } else if (byte == '\\') {
            (void)fputs("\\\\", stderr);
        } else if (byte < ' ' || byte == 0x7F) {
            (void)fprintf(stderr, "\\%03o", (unsigned)byte);
        } else {
            (void)fputc(byte, stderr);
        }
    }
}

static void
put_reason(int error)
{
    char text[128];
    (void)fprintf(stderr, "': %s\n", strerror_r(error, text, sizeof(text)));
}

void
complain_of(const char *verb, const char *name, int error)
{
    (void)fprintf(stderr, "hashtree: cannot %s '", verb);
    put_name(name);
    put_reason(error);
}

void
complain_usage(const char *text, const char *argument)
{
    (void)fprintf(stderr, "hashtree: %s '", text);
    put_name(argument);
    (void)fputs("'\n", stderr);
}

void
complain(const char *text)
{
    (void)fprintf(stderr, "hashtree: %s\n", text);
}

void
complain_engine(const char *verb, enum leat_status status, const char *detail)
{
    const char *reason = *detail == '\0' ? leat_status_text(status) : detail;
    (void)fprintf(stderr, "hashtree: the engine cannot %s: %s\n", verb, reason);
}

void
message_init(struct message *message)
{
    memset(message, 0, sizeof(*message));
    (void)pthread_mutex_init(&message->lock, NULL);
    /* A line leaves in one piece, also where several processes write to one place. */
    (void)setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
    message->began_ns = clock_ns();
    bool terminal = isatty(STDERR_FILENO) == 1;
    message->due_ns = terminal ? message->began_ns + progress_interval_ns : UINT64_MAX;
}

void
message_fini(struct message *message)
{
    (void)pthread_mutex_destroy(&message->lock);
}

/* Overwrites the progress with blanks; leaves the cursor at the start of its line. */
static void
wipe(struct message *message)
{
    if (message->shown > 0) {
        (void)fprintf(stderr, "\r%*s\r", (int)message->shown, "");
        message->shown = 0;
    }
}

void
message_unreadable(struct message *message, const char *prefix, const char *path, int error)
{
    (void)pthread_mutex_lock(&message->lock);
    message->unreadable++;
    wipe(message);
    (void)fputs("hashtree: cannot read '", stderr);
    put_name(prefix);
    put_name(path);
    put_reason(error);
    (void)pthread_mutex_unlock(&message->lock);
}

int
message_wait_ms(const struct message *message)
{
    return message->due_ns == UINT64_MAX ? -1 : (int)(progress_interval_ns / 1000000u);
}

bool
message_due(const struct message *message)
{
    return message->due_ns != UINT64_MAX && clock_ns() >= message->due_ns;
}

struct scaled {
    double value;
    const char *unit;
};

static struct scaled
scale(double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    while (bytes >= 1024.0 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        bytes /= 1024.0;
        unit++;
    }
    return (struct scaled){bytes, units[unit]};
}

/* "1:02:03 left": while the walk goes on, of what it has found. */
static void
format_left(char *text, size_t size, const struct progress *progress, double seconds)
{
    double done = (double)progress->bytes_done + file_cost_bytes * (double)progress->files_done;
    double all = (double)progress->bytes_found + file_cost_bytes * (double)progress->files_found;
    double left = done > 0.0 && all > done ? seconds * (all - done) / done : 0.0;
    if (left > 359999.0) { /* 99:59:59; an estimate beyond is of no use */
        (void)snprintf(text, size, "days left");
        return;
    }
    unsigned whole = (unsigned)(left + 0.5);
    const char *more = progress->walked ? "" : " or more";
    if (whole >= 3600) {
        (void)snprintf(text, size, "%u:%02u:%02u%s left", whole / 3600, whole / 60 % 60, whole % 60,
                       more);
    } else {
        (void)snprintf(text, size, "%u:%02u%s left", whole / 60, whole % 60, more);
    }
}

void
message_progress(struct message *message, const struct progress *progress)
{
    uint64_t now = clock_ns();
    double seconds = (double)(now - message->began_ns) / second_ns;
    struct scaled done = scale((double)progress->bytes_done);
    struct scaled found = scale((double)progress->bytes_found);
    struct scaled rate = scale(seconds > 0.0 ? (double)progress->bytes_done / seconds : 0.0);
    char left[48];
    format_left(left, sizeof(left), progress, seconds);
    char line[256];
    int length =
        snprintf(line, sizeof(line), "%llu/%llu%s files, %.1f %s/%.1f %s, %.1f %s/s, %s",
                 (unsigned long long)progress->files_done,
                 (unsigned long long)progress->files_found, progress->walked ? "" : "+", done.value,
                 done.unit, found.value, found.unit, rate.value, rate.unit, left);

    (void)pthread_mutex_lock(&message->lock);
    size_t before = message->shown;
    message->shown = length > 0 ? (size_t)length : 0;
    /* Blanks over what the last one showed beyond the end of this one. */
    int pad = before > message->shown ? (int)(before - message->shown) : 0;
    (void)fprintf(stderr, "\r%s%*s", line, pad, "");
    (void)fflush(stderr);
    (void)pthread_mutex_unlock(&message->lock);
    message->due_ns = now + progress_interval_ns;
}

void
message_progress_end(struct message *message)
{
    (void)pthread_mutex_lock(&message->lock);
    wipe(message);
    (void)fflush(stderr);
    (void)pthread_mutex_unlock(&message->lock);
    message->due_ns = UINT64_MAX;
}
