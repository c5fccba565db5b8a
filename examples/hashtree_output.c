/* hashtree_output.c - outputs that appear whole or not at all.
 *
 * Whether an output can be written is found out before the walk; it is written after it. A regular
 * file, or one that is not there yet, is written to a temporary file beside it, which then takes
 * its name. Anything else (a terminal, a pipe, /dev/full) is written in place. While a temporary
 * file exists, the signals that would end the program wait: they end it once that is gone. */
#include "hashtree_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_BYTES = 128 * 1024 };

/* ---- writing ------------------------------------------------------------------------------- */

/* Whether one of the signals that wait would end the program. */
static bool
interrupted(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
            sigismember(&pending, SIGHUP) == 1);
}

static void
output_flush(struct output *output)
{
    size_t done = 0;
    if (output->temporary != NULL && interrupted()) {
        output->error = EINTR;
    }
    while (output->error == 0 && done < output->used) {
        ssize_t wrote = write(output->descriptor, output->buffer + done, output->used - done);
        if (wrote >= 0) {
            done += (size_t)wrote;
        } else if (errno == EAGAIN) {
            struct pollfd room = {.fd = output->descriptor, .events = POLLOUT};
            (void)poll(&room, 1, -1);
        } else if (errno != EINTR) {
            output->error = errno;
        }
    }
    output->used = 0;
}

void
output_write(struct output *output, const void *bytes, size_t count)
{
    const char *from = bytes;
    while (count > 0 && output->error == 0) {
        if (output->used == BUFFER_BYTES) {
            output_flush(output);
        }
        size_t room = BUFFER_BYTES - output->used;
        size_t part = count < room ? count : room;
        memcpy(output->buffer + output->used, from, part);
        output->used += part;
        from += part;
        count -= part;
    }
}

void
output_print(struct output *output, const char *format, ...)
{
    char text[512]; /* the longest line of the summary has some 150 bytes */
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof(text)) {
        output->error = EOVERFLOW;
        return;
    }
    output_write(output, text, (size_t)length);
}

static void
output_close(struct output *output)
{
    output_flush(output);
    if (output->descriptor >= 0 && close(output->descriptor) != 0 && output->error == 0) {
        output->error = errno;
    }
    output->descriptor = -1;
}

/* ---- opening ------------------------------------------------------------------------------- */

/* The descriptor that a name stands for, or -1. Opening such a name would not do: it starts over
 * at the beginning of a file to which the shell wants to append. */
static int
standard_descriptor(const char *name)
{
    if (name == NULL || strcmp(name, "-") == 0 || strcmp(name, "/dev/stdout") == 0) {
        return STDOUT_FILENO;
    }
    if (strcmp(name, "/dev/stderr") == 0) {
        return STDERR_FILENO;
    }
    bool numbered = strncmp(name, "/dev/fd/", 8) == 0 && name[8] >= '0' && name[8] <= '9';
    char *end = NULL;
    long number = numbered ? strtol(name + 8, &end, 10) : -1;
    return numbered && *end == '\0' && number <= INT_MAX ? (int)number : -1;
}

/* Where a file that does not exist yet would be. A link that leads nowhere is replaced. */
static char *
resolve_new(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *base = slash == NULL ? name : slash + 1;
    if (*base == '\0') {
        errno = *name == '\0' ? ENOENT : EISDIR;
        return NULL;
    }
    char *above = slash == NULL ? strdup(".") : strndup(name, (size_t)(slash - name) + 1);
    char *directory = above == NULL ? NULL : realpath(above, NULL);
    int error = errno;
    free(above);
    errno = error;
    if (directory == NULL) {
        return NULL;
    }
    size_t size = strlen(directory) + strlen(base) + 2;
    char *target = malloc(size);
    if (target != NULL) {
        (void)snprintf(target, size, "%s/%s", directory, base);
    }
    free(directory);
    return target;
}

/* Creates the temporary file. false: errno. */
static bool
temporary_create(struct output *output)
{
    /* A name is taken once in four billion times; a hundred in a row are not chance. */
    const int attempts_max = 100;
    size_t above = (size_t)(strrchr(output->target, '/') - output->target) + 1;
    size_t size = above + sizeof(".hashtree.01234567");
    char *name = malloc(size);
    if (name == NULL) {
        return false;
    }
    memcpy(name, output->target, above);
    uint32_t random = (uint32_t)clock_ns() ^ (uint32_t)getpid() << 20;
    for (int attempt = 0; attempt < attempts_max; attempt++) {
        random = random * 1664525u + 1013904223u;
        (void)snprintf(name + above, size - above, ".hashtree.%08x", random);
        output->descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (output->descriptor >= 0) {
            output->temporary = name;
            return true;
        }
        if (errno != EEXIST) {
            break;
        }
    }
    int error = errno;
    free(name);
    errno = error;
    return false;
}

static void
temporary_remove(struct output *output)
{
    if (output->temporary != NULL) {
        (void)unlink(output->temporary);
        free(output->temporary);
        output->temporary = NULL;
    }
}

/* false: errno. */
static bool
output_find(struct output *output, const char *name)
{
    int standard = standard_descriptor(name);
    if (standard >= 0) {
        output->descriptor = fcntl(standard, F_DUPFD_CLOEXEC, 0);
        return output->descriptor >= 0;
    }
    struct stat status;
    if (stat(name, &status) != 0) {
        output->target = errno == ENOENT ? resolve_new(name) : NULL;
        return output->target != NULL;
    }
    if (!S_ISREG(status.st_mode)) { /* a directory is refused here */
        output->descriptor = open(name, O_WRONLY | O_NOCTTY | O_CLOEXEC);
        return output->descriptor >= 0;
    }
    if (faccessat(AT_FDCWD, name, W_OK, AT_EACCESS) != 0) {
        return false;
    }
    output->keep_mode = true;
    output->mode = status.st_mode & 0777;
    output->target = realpath(name, NULL);
    return output->target != NULL;
}

static bool
output_failed(const struct output *output, int error)
{
    complain_of("write", output->name, error);
    return false;
}

bool
output_open(struct output *output, const char *name)
{
    memset(output, 0, sizeof(*output));
    output->descriptor = -1;
    output->name = name == NULL ? "standard output" : name;
    output->buffer = malloc(BUFFER_BYTES);
    if (output->buffer == NULL) {
        return output_failed(output, ENOMEM);
    }
    if (!output_find(output, name)) {
        return output_failed(output, errno);
    }
    if (output->target != NULL) {
        /* Only to see that it can be done. Were it left there until the end, the walk could meet
         * it, and a killed program would leave it behind. */
        if (!temporary_create(output)) {
            return output_failed(output, errno);
        }
        output_close(output);
        temporary_remove(output);
    }
    return true;
}

bool
output_same(const struct output *one, const struct output *other)
{
    return one->target != NULL && other->target != NULL && strcmp(one->target, other->target) == 0;
}

void
output_fini(struct output *output)
{
    if (output->descriptor >= 0) {
        (void)close(output->descriptor);
    }
    free(output->target);
    free(output->buffer);
}

/* ---- committing ---------------------------------------------------------------------------- */

static bool
part_write(const struct output_part *part)
{
    struct output *output = part->output;
    if (output->target != NULL) {
        if (!temporary_create(output)) {
            return output_failed(output, errno);
        }
        if (output->keep_mode && fchmod(output->descriptor, output->mode) != 0) {
            return output_failed(output, errno);
        }
    }
    part->compose(output, part->source);
    output_close(output);
    if (output->error == EINTR) {
        return false; /* the signal says it all */
    }
    return output->error == 0 || output_failed(output, output->error);
}

/* Writes the parts that go to regular files, or those that do not. */
static bool
parts_write(const struct output_part *parts, size_t count, bool files)
{
    bool good = true;
    for (size_t index = 0; index < count && good; index++) {
        const struct output *output = parts[index].output;
        if (output != NULL && (output->target != NULL) == files) {
            good = part_write(&parts[index]);
        }
    }
    return good;
}

static bool
part_rename(const struct output_part *part)
{
    struct output *output = part->output;
    if (output == NULL || output->temporary == NULL) {
        return true;
    }
    if (rename(output->temporary, output->target) != 0) {
        return output_failed(output, errno);
    }
    free(output->temporary);
    output->temporary = NULL;
    return true;
}

/* Those that are ignored (nohup) would look as if they waited, so they stay as they are. */
static void
signals_hold(sigset_t *before)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t held;
    (void)sigemptyset(&held);
    for (size_t index = 0; index < sizeof(ending) / sizeof(ending[0]); index++) {
        struct sigaction action;
        if (sigaction(ending[index], NULL, &action) == 0 && action.sa_handler != SIG_IGN) {
            (void)sigaddset(&held, ending[index]);
        }
    }
    (void)pthread_sigmask(SIG_BLOCK, &held, before);
}

bool
output_commit(const struct output_part *parts, size_t count)
{
    /* In place first: a reader at the other end of a pipe may keep the program waiting, and while
     * a temporary file exists it could not be interrupted. */
    bool good = parts_write(parts, count, false);
    sigset_t before;
    signals_hold(&before);
    good = good && parts_write(parts, count, true);
    for (size_t index = 0; index < count && good; index++) {
        good = part_rename(&parts[index]);
    }
    for (size_t index = 0; index < count; index++) {
        if (parts[index].output != NULL) {
            temporary_remove(parts[index].output);
        }
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return good;
}
