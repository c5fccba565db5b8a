/* log_server.c - see log_server.h. One thread serves all connections: it writes what is owed
 * and reads what comes, whatever is possible, so that neither side waits for the other for ever. A
 * request is made once, so that the client is cheap. */
#include "bench/rivals/log_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REQUESTS_BYTES (UINT64_C(256) << 10) /* of requests, at least, that one call may send */
#define SOCKET         "socket"
#define ARGUMENTS      31 /* of a server, at most */
#define ANSWER_BYTES   16384
#define CONNECT_TRIES  20000 /* about as many milliseconds */

struct lane {
    int socket;
    uint64_t owed;  /* bytes to be sent */
    uint64_t sent;  /* bytes in all */
    uint64_t lines; /* that came */
    bool in_line;   /* the last byte that came was not a line's end */
};

struct bench_server {
    const struct bench_log_setup *setup;
    const char *replies;
    pid_t process;
    unsigned char *requests; /* the same one, again and again */
    uint64_t request_bytes;
    uint64_t requests_bytes;
    struct lane lanes[BENCH_LOG_LANES];
};

/* ---- start and stop ------------------------------------------------------------------------- */

static void
nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static pid_t
spawn(const char *const *arguments)
{
    pid_t child = fork();
    bench_log_must(child >= 0, "no process");
    if (child == 0) {
        int file = open("server.log", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        int nothing = open("/dev/null", O_RDONLY);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(nothing, STDIN_FILENO);
        dup2(file, STDOUT_FILENO);
        dup2(file, STDERR_FILENO);
        char *words[ARGUMENTS + 1] = {NULL};
        size_t count = 1;
        while (count < ARGUMENTS && arguments[count] != NULL) {
            count++;
        }
        memcpy(words, arguments, count * sizeof(*words)); /* execv() changes none of them */
        execv(arguments[0], words);
        _exit(127);
    }
    return child;
}

static int
connect_to(const char *name, pid_t process)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, name, strlen(name) + 1);
    for (int i = 0; i < CONNECT_TRIES; i++) {
        int handle = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bench_log_must(handle >= 0, "no socket");
        if (connect(handle, (const struct sockaddr *)&address, sizeof(address)) == 0) {
            bench_log_must(fcntl(handle, F_SETFL, O_NONBLOCK) == 0, "fcntl");
            return handle;
        }
        close(handle);
        bench_log_must(waitpid(process, NULL, WNOHANG) == 0, "the server ended");
        nap();
    }
    bench_log_must(false, "the server does not listen");
    return -1;
}

/* As many copies of one request as make a call worth it. */
static void
prepare_requests(struct bench_server *server, const struct bench_server_words *words)
{
    const struct bench_log_setup *setup = server->setup;
    size_t head = strlen(words->head);
    size_t tail = strlen(words->tail);
    server->request_bytes = head + setup->payload_bytes + tail;
    uint64_t copies = REQUESTS_BYTES / server->request_bytes + 1;
    server->requests_bytes = copies * server->request_bytes;
    server->requests = bench_log_memory(server->requests_bytes);
    for (uint64_t i = 0; i < copies; i++) {
        unsigned char *request = server->requests + i * server->request_bytes;
        memcpy(request, words->head, head);
        memcpy(request + head, setup->payload, setup->payload_bytes);
        memcpy(request + head + setup->payload_bytes, words->tail, tail);
    }
}

struct bench_server *
bench_server_start(const struct bench_log_setup *setup, const char *const *arguments,
                   const struct bench_server_words *words)
{
    struct bench_server *server = bench_log_memory(sizeof(*server));
    server->setup = setup;
    server->replies = words->replies;
    prepare_requests(server, words);
    unlink(SOCKET); /* of one that was killed */
    server->process = spawn(arguments);
    for (uint32_t i = 0; i < setup->lanes; i++) {
        server->lanes[i].socket = connect_to(SOCKET, server->process);
    }
    return server;
}

void
bench_server_kill(void *log)
{
    struct bench_server *server = log;
    bench_log_must(kill(server->process, SIGKILL) == 0, "the server cannot be killed");
    bench_log_must(waitpid(server->process, NULL, 0) == server->process, "no server");
}

/* ---- requests ------------------------------------------------------------------------------- */

void
bench_server_submit(void *log, uint32_t lane, uint32_t count)
{
    struct bench_server *server = log;
    server->lanes[lane].owed += count * server->request_bytes;
}

/* Sends what is owed, as far as it goes. */
static void
send_some(struct bench_server *server, struct lane *lane)
{
    while (lane->owed != 0) {
        uint64_t offset = lane->sent % server->request_bytes;
        uint64_t room = server->requests_bytes - offset;
        ssize_t sent = send(lane->socket, server->requests + offset,
                            lane->owed < room ? lane->owed : room, MSG_NOSIGNAL);
        if (sent < 0) {
            bench_log_must(errno == EAGAIN || errno == EINTR,
                           "the server does not listen any more");
            return;
        }
        lane->sent += (uint64_t)sent;
        lane->owed -= (uint64_t)sent;
    }
}

static bool
is_expected(char letter, char expected)
{
    return expected == '0' ? letter >= '0' && letter <= '9' : letter == expected;
}

/* Reads what is there; true: a line ended. */
static bool
receive_some(struct bench_server *server, struct lane *lane)
{
    char buffer[ANSWER_BYTES / 16];
    uint64_t before = lane->lines;
    for (;;) {
        ssize_t count = recv(lane->socket, buffer, sizeof(buffer), 0);
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
            return lane->lines != before;
        }
        bench_log_must(count > 0, "the server has hung up");
        for (ssize_t i = 0; i < count; i++) {
            if (!lane->in_line) {
                char expected = server->replies[lane->lines % strlen(server->replies)];
                bench_log_must(is_expected(buffer[i], expected), "the server refused an entry");
            }
            lane->in_line = buffer[i] != '\n';
            lane->lines += !lane->in_line;
        }
    }
}

void
bench_server_wait(void *log, uint64_t *acknowledged)
{
    struct bench_server *server = log;
    struct pollfd handles[BENCH_LOG_LANES];
    uint32_t lanes = server->setup->lanes;
    bool news = false;
    for (uint32_t i = 0; i < lanes; i++) {
        send_some(server, &server->lanes[i]);
    }
    while (!news) {
        for (uint32_t i = 0; i < lanes; i++) {
            const struct lane *lane = &server->lanes[i];
            short out = lane->owed != 0 ? POLLOUT : 0;
            handles[i] = (struct pollfd){lane->socket, (short)(POLLIN | out), 0};
        }
        bench_log_must(poll(handles, lanes, -1) > 0 || errno == EINTR, "poll");
        for (uint32_t i = 0; i < lanes; i++) {
            if ((handles[i].revents & POLLOUT) != 0) {
                send_some(server, &server->lanes[i]);
            }
            if ((handles[i].revents & ~POLLOUT) != 0) {
                news |= receive_some(server, &server->lanes[i]);
            }
        }
    }
    for (uint32_t i = 0; i < lanes; i++) {
        acknowledged[i] = server->lanes[i].lines / strlen(server->replies);
    }
}

uint64_t
bench_server_ask(struct bench_server *server, const char *request, const char *key,
                 const char *not_yet)
{
    static char answer[ANSWER_BYTES];
    size_t bytes = 0;
    int handle = server->lanes[0].socket;
    ssize_t length = (ssize_t)strlen(request);
    bench_log_must(send(handle, request, (size_t)length, MSG_NOSIGNAL) == length, "no request");
    for (;;) {
        bench_log_must(poll(&(struct pollfd){handle, POLLIN, 0}, 1, -1) > 0, "poll");
        ssize_t count = recv(handle, answer + bytes, sizeof(answer) - 1 - bytes, 0);
        bench_log_must(count > 0, "the server has hung up");
        bytes += (size_t)count;
        answer[bytes] = '\0';
        const char *found = strstr(answer, key);
        if (found != NULL && strchr(found, '\n') != NULL) {
            return strtoull(found + strlen(key), NULL, 10);
        }
        const char *refused = not_yet == NULL ? NULL : strstr(answer, not_yet);
        if (refused != NULL && strchr(refused, '\n') != NULL) {
            nap();
            return UINT64_MAX;
        }
    }
}
