/* command.c - the type `command`: one process and its group, its output, its end. See work.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/types/memory.h"
#include "engine/types/process.h"
#include "engine/types/work.h"

/* Pieces of a pipe read after the end: all that it can hold, where nobody made it larger. Somebody
 * who left the group may write on. */
#define LAST_PIECES 16
#define OUTPUT_MAX  LEAT_TYPES_PAYLOAD_BYTES_MAX
#define GRACE_MAX   (3600 * LEAT_SECOND_NS)

struct settings {
    uint64_t grace_ns;
    size_t output_bytes_max;
    const char **environment; /* and the texts behind it: one block */
    size_t variables;
};

struct stream {
    struct leat_ear ear;
    struct command *command;
    unsigned char *bytes;
    size_t kept;
    size_t capacity;
    uint64_t total;
};

struct command {
    struct leat_work work;
    struct leat_command asked; /* points into the block's end */
    struct stream output;
    struct stream error;
    struct leat_ear end; /* the pidfd */
    pid_t pid;
    uint32_t exit_status;
    uint32_t signal;
};

static struct command *
command_of(struct leat_work *work)
{
    return (struct command *)(void *)((char *)work - offsetof(struct command, work));
}

static const struct settings *
settings_of(const struct command *command)
{
    return command->work.type->options;
}

/* ---- output ---------------------------------------------------------------------------------- */

static void
keep(struct stream *stream, const unsigned char *bytes, size_t count)
{
    size_t most = settings_of(stream->command)->output_bytes_max;
    size_t wanted = count < most - stream->kept ? count : most - stream->kept;
    stream->total += count;
    if (wanted > stream->capacity - stream->kept) {
        size_t twice = 2 * stream->capacity;
        size_t capacity = twice > stream->kept + wanted ? twice : stream->kept + wanted;
        capacity = capacity < most ? capacity : most;
        unsigned char *grown = leat_types_grow(stream->bytes, capacity);
        if (grown == NULL) {
            return; /* dropped, and the total says so */
        }
        stream->bytes = grown;
        stream->capacity = capacity;
    }
    if (wanted != 0) {
        memcpy(stream->bytes + stream->kept, bytes, wanted);
        stream->kept += wanted;
    }
}

/* False: there is nothing more now, or for ever. */
static bool
piece_read(struct leat_types *types, struct stream *stream)
{
    if (stream->ear.fd < 0) {
        return false;
    }
    ssize_t count = read(stream->ear.fd, types->buffer, LEAT_WORK_PIPE_READ);
    if (count > 0) {
        keep(stream, types->buffer, (size_t)count);
        return true;
    }
    if (count == 0 || errno != EAGAIN) {
        leat_ear_close(types, &stream->ear);
    }
    return false;
}

static void
stream_ready(struct leat_types *types, struct leat_ear *ear)
{
    struct stream *stream = (struct stream *)(void *)((char *)ear - offsetof(struct stream, ear));
    (void)piece_read(types, stream);
}

static void
stream_finish(struct leat_types *types, struct stream *stream)
{
    for (int i = 0; i < LAST_PIECES && piece_read(types, stream); i++) {
    }
    leat_ear_close(types, &stream->ear);
}

/* ---- the end --------------------------------------------------------------------------------- */

static bool
permanent(const struct command *command)
{
    uint32_t status = command->signal != 0 ? 128 + command->signal : command->exit_status;
    for (size_t i = 0; i < command->asked.permanent_count; i++) {
        if (command->asked.permanent[i] == status) {
            return true;
        }
    }
    return false;
}

/* Its status, and the end of what it wrote to its error output. */
static void
describe(const struct command *command, char text[LEAT_WORK_TEXT_MAX])
{
    size_t count = command->error.kept;
    const char *bytes = (const char *)command->error.bytes;
    while (count != 0 && (bytes[count - 1] == '\n' || bytes[count - 1] == ' ')) {
        count--;
    }
    size_t shown = count < LEAT_WORK_TEXT_MAX / 2 ? count : LEAT_WORK_TEXT_MAX / 2;
    const char *what = command->signal != 0 ? "signal" : "exit status";
    uint32_t number = command->signal != 0 ? command->signal : command->exit_status;
    (void)snprintf(text, LEAT_WORK_TEXT_MAX, "%s %u%s%.*s", what, number, shown == 0 ? "" : ": ",
                   (int)shown, shown == 0 ? "" : bytes + (count - shown));
}

static void
ended(struct leat_types *types, struct command *command, bool known)
{
    char text[LEAT_WORK_TEXT_MAX];
    leat_ear_close(types, &command->end);
    stream_finish(types, &command->output);
    stream_finish(types, &command->error);
    if (!known) {
        leat_work_end(types, &command->work, leat_retry(),
                      "its status is lost: the host ignores SIGCHLD, or waited for it");
        return;
    }
    if (command->signal == 0 && command->exit_status == 0) {
        leat_work_end(types, &command->work, leat_done(), NULL);
        return;
    }
    describe(command, text);
    leat_work_end(types, &command->work, permanent(command) ? leat_fail() : leat_retry(), text);
}

/* Whether the process has ended; if so, its status is not fetched yet, and its number is nobody
 * else's. *known false: somebody else has. */
static bool
has_ended(const struct command *command, siginfo_t *info, bool *known)
{
    info->si_pid = 0;
    int options = WEXITED | WNOHANG | WNOWAIT;
    *known = waitid(P_PIDFD, (id_t)command->end.fd, info, options) == 0;
    return !*known || info->si_pid != 0;
}

static void
end_ready(struct leat_types *types, struct leat_ear *ear)
{
    struct command *command =
        (struct command *)(void *)((char *)ear - offsetof(struct command, end));
    siginfo_t info;
    bool known = false;
    if (!has_ended(command, &info, &known)) {
        return;
    }
    if (known) {
        /* While the process is not reaped, the group is its own. */
        (void)kill(-command->pid, SIGKILL);
        known = waitid(P_PIDFD, (id_t)ear->fd, &info, WEXITED) == 0;
    }
    if (known && info.si_code == CLD_EXITED) {
        command->exit_status = (uint32_t)info.si_status;
    } else if (known) {
        command->signal = (uint32_t)info.si_status;
    }
    ended(types, command, known);
}

/* ---- telling it to end ----------------------------------------------------------------------- */

static void
signal_group(const struct command *command, int signal)
{
    siginfo_t info;
    bool known = false;
    if (!has_ended(command, &info, &known)) {
        (void)kill(-command->pid, signal);
    }
}

static void
command_stop(struct leat_types *types, struct leat_work *work)
{
    struct command *command = command_of(work);
    siginfo_t info;
    bool known = false;
    if (has_ended(command, &info, &known)) {
        work->why = LEAT_WHY_ITSELF; /* it was first */
        end_ready(types, &command->end);
        return;
    }
    work->harder_ns = leat_types_now() + settings_of(command)->grace_ns;
    signal_group(command, SIGTERM);
    signal_group(command, SIGCONT);
}

static void
command_stop_harder(struct leat_work *work)
{
    signal_group(command_of(work), SIGKILL);
}

/* ---- begin ----------------------------------------------------------------------------------- */

/* What is allocated for one start. */
struct start {
    struct leat_process spawn;
    const char **lists; /* of arguments, environment and paths, one behind the other */
    char *texts;        /* of paths */
    int pipes[4];       /* output and error: read end, write end */
};

/* Above 2, so that the child's dup2() meets none of them. */
static int
raised(int fd)
{
    int above = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int error = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    errno = error;
    return above;
}

/* The input as a file in memory: a pipe would have to be fed. */
static int
input_open(const struct leat_command *asked)
{
    const char *bytes = asked->input;
    size_t left = asked->input_bytes;
    if (left == 0) {
        return raised(open("/dev/null", O_RDONLY | O_CLOEXEC));
    }
    int fd = raised(memfd_create("leat-input", MFD_CLOEXEC));
    while (fd >= 0 && left != 0) {
        ssize_t count = write(fd, bytes, left);
        if (count <= 0) {
            int error = count == 0 ? EIO : errno;
            (void)close(fd);
            errno = error;
            return -1;
        }
        bytes += count;
        left -= (size_t)count;
    }
    if (fd >= 0) {
        (void)lseek(fd, 0, SEEK_SET);
    }
    return fd;
}

static bool
pipe_open(int *ends)
{
    int made[2] = {-1, -1};
    if (pipe2(made, O_CLOEXEC) != 0) {
        return false;
    }
    ends[0] = raised(made[0]);
    ends[1] = raised(made[1]);
    return ends[0] >= 0 && ends[1] >= 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
}

static size_t
name_length(const char *variable)
{
    return (size_t)(strchr(variable, '=') - variable);
}

static bool
is_set_by(const char *const *variables, const char *variable)
{
    size_t length = name_length(variable) + 1;
    for (size_t i = 0; variables != NULL && variables[i] != NULL; i++) {
        if (strncmp(variables[i], variable, length) == 0) {
            return true;
        }
    }
    return false;
}

static size_t
environment_fill(const struct command *command, const char **list)
{
    const struct leat_command *asked = &command->asked;
    const struct settings *settings = settings_of(command);
    bool clean = (asked->flags & LEAT_COMMAND_CLEAN_ENVIRONMENT) != 0;
    size_t count = 0;
    for (size_t i = 0; !clean && i < settings->variables; i++) {
        if (!is_set_by(asked->environment, settings->environment[i])) {
            list[count++] = settings->environment[i];
        }
    }
    for (size_t i = 0; asked->environment != NULL && asked->environment[i] != NULL; i++) {
        list[count++] = asked->environment[i];
    }
    list[count] = NULL;
    return count + 1;
}

static size_t
arguments_fill(const struct leat_command *asked, const char **list)
{
    size_t count = 0;
    if ((asked->flags & LEAT_COMMAND_SHELL) != 0) {
        list[count++] = "sh";
        list[count++] = "-c";
        list[count++] = asked->argv[0];
        list[count++] = "sh"; /* $0 */
    }
    for (size_t i = count == 0 ? 0 : 1; asked->argv[i] != NULL; i++) {
        list[count++] = asked->argv[i];
    }
    list[count] = NULL;
    return count + 1;
}

static const char *
path_of(const char *const *environment)
{
    const char *path = "/usr/local/bin:/usr/bin:/bin";
    for (size_t i = 0; environment[i] != NULL; i++) {
        path = strncmp(environment[i], "PATH=", 5) == 0 ? environment[i] + 5 : path;
    }
    return path;
}

/* DIRECTORY/NAME for each directory of the path; an empty one is the present one. */
static bool
paths_fill(struct start *start, const char *path, const char *name, const char **list)
{
    size_t colons = 0;
    for (const char *at = path; *at != '\0'; at++) {
        colons += *at == ':' ? 1 : 0;
    }
    size_t bytes = strlen(path) + (colons + 1) * (strlen(name) + 3);
    char *text = start->texts = leat_types_take(bytes);
    size_t count = 0;
    for (const char *at = path; text != NULL && count <= colons; count++) {
        size_t length = strcspn(at, ":");
        list[count] = text;
        text += snprintf(text, bytes, "%.*s/%s", length == 0 ? 1 : (int)length,
                         length == 0 ? "." : at, name) +
                1;
        at += length + 1;
    }
    list[count] = NULL;
    return start->texts != NULL;
}

static bool
lists_fill(struct start *start, const struct command *command)
{
    const struct leat_command *asked = &command->asked;
    bool shell = (asked->flags & LEAT_COMMAND_SHELL) != 0;
    const char *name = shell ? "/bin/sh" : asked->argv[0];
    size_t count = leat_texts_count(asked->argv, LEAT_COMMAND_STRINGS_MAX) + 5 +
                   leat_texts_count(asked->environment, LEAT_COMMAND_STRINGS_MAX) +
                   settings_of(command)->variables + 1;
    const char **environment = leat_types_take((count + 2) * sizeof(char *));
    start->lists = environment;
    if (environment == NULL) {
        return false;
    }
    const char **arguments = environment + environment_fill(command, environment);
    const char **paths = arguments + arguments_fill(asked, arguments);
    start->spawn.environment = environment;
    start->spawn.argv = arguments;
    start->spawn.paths = paths;
    paths[0] = name;
    if (strchr(name, '/') != NULL) {
        return true;
    }
    const char *path = path_of(environment);
    size_t arguments_at = (size_t)(arguments - environment);
    size_t used = (size_t)(paths - environment);
    size_t more = strlen(path) + 2; /* no more directories than bytes */
    const char **grown = leat_types_grow(environment, (used + more) * sizeof(char *));
    if (grown == NULL) {
        return false;
    }
    start->lists = grown;
    start->spawn.environment = grown;
    start->spawn.argv = grown + arguments_at;
    start->spawn.paths = grown + used;
    return paths_fill(start, path, name, grown + used);
}

static void
start_fini(struct start *start)
{
    int fds[] = {start->spawn.input, start->pipes[0], start->pipes[1], start->pipes[2],
                 start->pipes[3]};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
    leat_types_give(start->lists);
    leat_types_give(start->texts);
}

/* 0, or what the system says. */
static int
start_run(struct start *start, struct command *command, struct leat_process_started *spawned,
          const char **stage)
{
    struct leat_process *spawn = &start->spawn;
    *stage = "descriptors";
    if (!lists_fill(start, command)) {
        return ENOMEM;
    }
    spawn->input = input_open(&command->asked);
    if (spawn->input < 0 || !pipe_open(start->pipes) || !pipe_open(start->pipes + 2)) {
        return errno;
    }
    spawn->output = start->pipes[1];
    spawn->error = start->pipes[3];
    spawn->directory = command->asked.directory;
    spawn->no_new_privileges = (command->asked.flags & LEAT_COMMAND_NO_NEW_PRIVILEGES) != 0;
    for (uint32_t i = 0; i < LEAT_COMMAND_LIMITS; i++) {
        spawn->limits[i] = *leat_command_limit(&command->asked, i);
    }
    return leat_process_start(spawn, spawned, stage);
}

/* What will be so the next time, too. */
static bool
as_written(int error)
{
    switch (error) {
    case ENOENT:
    case EACCES:
    case ENOEXEC:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case E2BIG:
    case EPERM:
    case EINVAL:
        return true;
    default:
        return false;
    }
}

static void
not_started(struct leat_types *types, struct command *command, int error, const char *stage)
{
    char text[LEAT_WORK_TEXT_MAX];
    char reason[96];
    const char *what = strerror_r(error, reason, sizeof(reason));
    (void)snprintf(text, sizeof(text), "not started: %s: %s: %.100s", stage, what,
                   command->asked.argv[0]);
    leat_work_end(types, &command->work, as_written(error) ? leat_fail() : leat_retry(), text);
}

static void
command_begin(struct leat_types *types, struct leat_work *work)
{
    struct command *command = command_of(work);
    struct start start = {.spawn = {.input = -1}, .pipes = {-1, -1, -1, -1}};
    struct leat_process_started spawned = {0, -1};
    const char *stage = NULL;
    int error = start_run(&start, command, &spawned, &stage);
    if (error != 0) {
        start_fini(&start);
        not_started(types, command, error, stage);
        return;
    }
    command->pid = spawned.pid;
    bool heard = leat_ear_open(types, &command->output.ear, start.pipes[0]);
    heard = leat_ear_open(types, &command->error.ear, start.pipes[2]) && heard;
    heard = leat_ear_open(types, &command->end, spawned.pidfd) && heard;
    start.pipes[0] = -1;
    start.pipes[2] = -1;
    start_fini(&start);
    if (!heard) {
        /* Nobody would hear of its end; it has a few instructions behind it. */
        error = errno;
        (void)kill(-command->pid, SIGKILL);
        siginfo_t info;
        (void)waitid(P_PIDFD, (id_t)spawned.pidfd, &info, WEXITED);
        leat_ear_close(types, &command->end);
        leat_ear_close(types, &command->output.ear);
        leat_ear_close(types, &command->error.ear);
        not_started(types, command, error, "epoll");
    }
}

/* ---- the kind -------------------------------------------------------------------------------- */

_Static_assert(offsetof(struct command, work) == 0, "it begins with its work");

static enum leat_status
command_read(struct leat_work *work, const void *payload, size_t bytes, void *room)
{
    struct command *command = command_of(work);
    command->end = (struct leat_ear){end_ready, -1};
    command->output.ear = (struct leat_ear){stream_ready, -1};
    command->error.ear = (struct leat_ear){stream_ready, -1};
    command->output.command = command;
    command->error.command = command;
    return leat_command_decode(payload, bytes, room, LEAT_WORK_ROOM(bytes), &command->asked);
}

static void
command_result(const struct leat_work *work, size_t most, struct leat_writer *writer)
{
    const struct command *command =
        (const struct command *)(const void *)((const char *)work - offsetof(struct command, work));
    const struct leat_command_result result = {
        .exit_status = command->exit_status,
        .signal = command->signal,
        .output = command->output.bytes,
        .output_bytes = command->output.kept,
        .output_total = command->output.total,
        .error = command->error.bytes,
        .error_bytes = command->error.kept,
        .error_total = command->error.total,
    };
    leat_command_result_write(&result, most, writer);
}

/* Where it never began, too. */
static void
command_destroy(struct leat_work *work)
{
    struct command *command = command_of(work);
    leat_types_give(command->output.bytes);
    leat_types_give(command->error.bytes);
    leat_types_give(command);
}

static void
settings_destroy(void *options)
{
    struct settings *settings = options;
    leat_types_give(settings->environment);
    leat_types_give(settings);
}

static const struct leat_kind kind_command = {
    sizeof(struct command), command_read,   command_begin,   command_stop,
    command_stop_harder,    command_result, command_destroy, settings_destroy,
};

/* A copy of the environment in one block. */
static bool
environment_copy(struct settings *settings, const char *const *given)
{
    size_t bytes = 0;
    size_t count = 0;
    for (; given[count] != NULL; count++) {
        bytes += strlen(given[count]) + 1;
    }
    settings->environment = leat_types_take((count + 1) * sizeof(char *) + bytes);
    if (settings->environment == NULL) {
        return false;
    }
    char *text = (char *)(settings->environment + count + 1);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(given[i]) + 1;
        /* What a process was given may be no variable. */
        if (strchr(given[i], '=') != NULL) {
            settings->environment[settings->variables++] = memcpy(text, given[i], length);
            text += length;
        }
    }
    return true;
}

enum leat_status
leat_command_register(struct leat_types *types, const char *name,
                      const struct leat_command_options *options, leat_type *type)
{
    struct leat_command_options given = leat_command_options_default();
    enum leat_status status =
        options == NULL ? LEAT_OK : leat_types_read(&given, sizeof(given), options);
    if (status == LEAT_OK &&
        (types == NULL || given.grace_ns > GRACE_MAX || given.output_bytes_max > OUTPUT_MAX ||
         !leat_variables_fit(given.environment))) {
        status = LEAT_INVALID;
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct settings *settings = leat_types_take(sizeof(*settings));
    if (settings == NULL) {
        return LEAT_NO_MEMORY;
    }
    settings->grace_ns = given.grace_ns;
    settings->output_bytes_max = given.output_bytes_max;
    if (!environment_copy(settings, given.environment != NULL ? given.environment
                                                              : (const char *const *)environ)) {
        settings_destroy(settings);
        return LEAT_NO_MEMORY;
    }
    return leat_types_add(types, name, &kind_command, settings, given.type, type);
}
