/* patience.c - see patience.h. What a thread does, Linux says in /proc/self/task: its state, and
 * its time on a processor. Where the second is not there the clock is all there is. */
#include "tests/suspend/patience.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/support/check.h"
#include "tests/support/threads.h"

/* Between two looks. */
#define LOOK_NS (2 * TEST_MS)

#define TEXT_BYTES 512

void
patience_begin(struct patience *patience, uint64_t limit_ns)
{
    patience->limit_ns = limit_ns;
    patience->looked_ns = 0;
    patience->count = 0;
}

/* False: the thread has ended, or the system does not say. */
static bool
file_read(long id, const char *name, char text[TEXT_BYTES])
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/self/task/%ld/%s", id, name);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    size_t bytes = fread(text, 1, TEXT_BYTES - 1, file);
    text[bytes] = 0;
    (void)fclose(file);
    return bytes != 0;
}

/* Whether it waits for a processor, or has one. */
static bool
wants_to_run(long id)
{
    char text[TEXT_BYTES];
    const char *end = file_read(id, "stat", text) ? strrchr(text, ')') : NULL;
    return end != NULL && end[1] == ' ' && end[2] == 'R';
}

static struct patience_thread *
thread_of(struct patience *patience, long id)
{
    for (uint32_t i = 0; i < patience->count; i++) {
        if (patience->threads[i].id == id) {
            return &patience->threads[i];
        }
    }
    CHECK(patience->count < PATIENCE_THREADS_MAX);
    struct patience_thread *thread = &patience->threads[patience->count];
    memset(thread, 0, sizeof(*thread));
    thread->id = id;
    patience->count++;
    return thread;
}

/* Adds what has come since the last look. True: it has had all of its time. */
static bool
thread_look(struct patience *patience, long id, uint64_t since_ns)
{
    char text[TEXT_BYTES];
    bool known = file_read(id, "schedstat", text);
    uint64_t worked_ns = known ? strtoull(text, NULL, 10) : 0;
    struct patience_thread *thread = thread_of(patience, id);
    uint64_t more_ns = worked_ns - thread->worked_ns;
    bool waits = known && wants_to_run(id);
    thread->had_ns += waits ? (more_ns < since_ns ? more_ns : since_ns) : since_ns;
    thread->worked_ns = worked_ns;
    return thread->had_ns >= patience->limit_ns;
}

bool
patience_is_over(struct patience *patience)
{
    uint64_t now_ns = test_now_ns();
    uint64_t since_ns = patience->looked_ns == 0 ? 0 : now_ns - patience->looked_ns;
    if (patience->looked_ns != 0 && since_ns < LOOK_NS) {
        return false;
    }
    patience->looked_ns = now_ns;
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    bool over = true;
    /* Only this thread reads this directory. */
    struct dirent *task = readdir(tasks); /* NOLINT(concurrency-mt-unsafe) */
    while (task != NULL) {
        long id = strtol(task->d_name, NULL, 10);
        if (id != 0 && id != syscall(SYS_gettid)) {
            over = thread_look(patience, id, since_ns) && over;
        }
        task = readdir(tasks); /* NOLINT(concurrency-mt-unsafe) */
    }
    (void)closedir(tasks);
    return over && since_ns != 0;
}
