/* process.c - see process.h. */
#include "engine/types/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/close_range.h>

/* What a child says that could not become the program. */
struct failure {
    int error;
    uint32_t stage;
};

enum { STAGE_START, STAGE_SIGNALS, STAGE_FILES, STAGE_LIMITS, STAGE_DIRECTORY, STAGE_EXEC, STAGES };

static const char *const stages[STAGES] = {"start",  "signals",   "descriptors",
                                           "limits", "directory", "program"};

static const int resources[LEAT_COMMAND_LIMITS] = {RLIMIT_CPU, RLIMIT_AS, RLIMIT_NOFILE,
                                                   RLIMIT_FSIZE, RLIMIT_CORE};

/* ---- in the child ---------------------------------------------------------------------------- */

_Noreturn static void
fail(int status, uint32_t stage)
{
    const struct failure failure = {errno, stage};
    ssize_t written = write(status, &failure, sizeof(failure));
    (void)written;
    _exit(127);
}

/* What is ignored stays so over an exec, what is blocked too. */
static void
signals_reset(int status)
{
    struct sigaction action;
    sigset_t none;
    action.sa_handler = SIG_DFL;
    action.sa_flags = 0;
    (void)sigemptyset(&action.sa_mask);
    for (int signal = 1; signal < _NSIG; signal++) {
        /* Refused for KILL, STOP, and the two that libc has for itself. */
        (void)sigaction(signal, &action, NULL);
    }
    (void)sigemptyset(&none);
    /* The child has one thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    if (sigprocmask(SIG_SETMASK, &none, NULL) != 0) {
        fail(status, STAGE_SIGNALS);
    }
}

/* A session of its own; the system kills it when the parent's thread ends, now or by now. */
static void
session_begin(const struct leat_process *spawn, pid_t parent, int status)
{
    if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
        fail(status, STAGE_START);
    }
    if (getppid() != parent) {
        _exit(127);
    }
    if (spawn->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        fail(status, STAGE_START);
    }
}

/* All others, the host's too, are closed by exec. */
static void
files_set(const struct leat_process *spawn, int status)
{
    if (dup2(spawn->input, STDIN_FILENO) < 0 || dup2(spawn->output, STDOUT_FILENO) < 0 ||
        dup2(spawn->error, STDERR_FILENO) < 0 ||
        close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC) != 0) {
        fail(status, STAGE_FILES);
    }
}

static rlim_t
least(uint64_t wanted, rlim_t given)
{
    return wanted < given ? (rlim_t)wanted : given;
}

static void
limits_set(const struct leat_process *spawn, int status)
{
    for (uint32_t i = 0; i < LEAT_COMMAND_LIMITS; i++) {
        struct rlimit limit;
        uint64_t wanted = spawn->limits[i];
        if (wanted == LEAT_COMMAND_AS_IT_IS) {
            continue;
        }
        if (getrlimit((__rlimit_resource_t)resources[i], &limit) != 0) {
            fail(status, STAGE_LIMITS);
        }
        limit.rlim_cur = least(wanted, limit.rlim_max);
        /* At the hard limit of CPU time comes KILL at once. */
        limit.rlim_max = least(resources[i] == RLIMIT_CPU ? wanted + 1 : wanted, limit.rlim_max);
        if (setrlimit((__rlimit_resource_t)resources[i], &limit) != 0) {
            fail(status, STAGE_LIMITS);
        }
    }
}

/* The system promises not to write to them; its declaration cannot.
 * NOLINTBEGIN(performance-no-int-to-ptr) */
static char *const *
list_of(const char *const *texts)
{
    return (char *const *)(uintptr_t)texts;
}
/* NOLINTEND(performance-no-int-to-ptr) */

_Noreturn static void
child(const struct leat_process *spawn, pid_t parent, int status)
{
    signals_reset(status);
    session_begin(spawn, parent, status);
    files_set(spawn, status);
    if (spawn->directory != NULL && chdir(spawn->directory) != 0) {
        fail(status, STAGE_DIRECTORY);
    }
    limits_set(spawn, status);
    int error = ENOENT;
    for (uint32_t i = 0; spawn->paths[i] != NULL; i++) {
        (void)execve(spawn->paths[i], list_of(spawn->argv), list_of(spawn->environment));
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) {
            error = errno;
            break;
        }
        /* One that may not be run says more than one that is not there. */
        error = errno == EACCES ? EACCES : error;
    }
    errno = error;
    fail(status, STAGE_EXEC);
}

/* ---- in the parent --------------------------------------------------------------------------- */

/* Both of this are one process for a while: it has no variable that the child could change. */
static pid_t
start(const struct leat_process *spawn, pid_t parent, int status)
{
    /* fork() would copy the tables of all of the host's memory, and posix_spawn() knows no limits.
     * NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork) */
    pid_t pid = vfork();
    if (pid == 0) {
        child(spawn, parent, status); /* NOLINT(clang-analyzer-unix.Vfork) */
    }
    return pid;
}

/* What the child says: nothing, when exec has closed its end. */
static int
outcome(int status, const char **stage)
{
    struct failure failure = {0, 0};
    ssize_t count = 0;
    do {
        count = read(status, &failure, sizeof(failure));
    } while (count < 0 && errno == EINTR);
    if (count != (ssize_t)sizeof(failure)) {
        return 0;
    }
    *stage = stages[failure.stage < STAGES ? failure.stage : STAGE_START];
    return failure.error;
}

static void
reap(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

int
leat_process_start(const struct leat_process *spawn, struct leat_process_started *spawned,
                   const char **stage)
{
    int status[2];
    *stage = stages[STAGE_START];
    if (pipe2(status, O_CLOEXEC) != 0) {
        return errno;
    }
    /* The child closes all above 2; this one must not be among the three that it sets. */
    int write_end = fcntl(status[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int error = errno;
    (void)close(status[1]);
    if (write_end < 0) {
        (void)close(status[0]);
        return error;
    }
    pid_t pid = start(spawn, getpid(), write_end);
    error = errno;
    (void)close(write_end);
    if (pid > 0) {
        error = outcome(status[0], stage);
        spawned->pid = pid;
        spawned->pidfd = error == 0 ? pidfd_open(pid, 0) : -1;
        if (error == 0 && spawned->pidfd < 0) {
            error = errno;
            (void)kill(-pid, SIGKILL);
        }
        if (error != 0) {
            reap(pid);
        }
    }
    (void)close(status[0]);
    return error;
}
