/* dlopen_host.c - a program that knows nothing of Leat at link time opens libleat.so as a plug-in
 * would be, uses it, and closes it again, twice. A host thread that called into the library ends
 * only after the dlclose(): what is left to run then must still be there. argv[1]: the library. */
#include <dlfcn.h>
#include <leat.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TASKS 1000

struct library {
    void *handle;
    void (*config_init)(struct leat_config *config, size_t size);
    enum leat_status (*open)(const struct leat_config *config, struct leat_engine **engine,
                             struct leat_error *error);
    enum leat_status (*start)(struct leat_engine *engine);
    enum leat_status (*post)(struct leat_engine *engine, uint32_t priority,
                             leat_task_function function, void *argument);
    enum leat_status (*drain)(struct leat_engine *engine, uint64_t timeout_ns);
    enum leat_status (*stop)(struct leat_engine *engine, uint64_t timeout_ns);
    enum leat_status (*close)(struct leat_engine *engine);
};

struct caller {
    const struct library *library;
    struct leat_engine *engine;
    pthread_barrier_t posted;
    pthread_barrier_t closed;
    int ran;
    bool good;
};

/* ISO C knows no conversion from void * to a function pointer; POSIX says that copying works. */
static bool
find(void *handle, const char *name, void *function, size_t bytes)
{
    void *address = dlsym(handle, name);
    memcpy(function, &address, bytes);
    return address != NULL;
}

#define FIND(library, name)                                                                        \
    find((library)->handle, "leat_" #name, &(library)->name, sizeof((library)->name))

static bool
load(struct library *library, const char *path)
{
    library->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library->handle == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return false;
    }
    return FIND(library, config_init) && FIND(library, open) && FIND(library, start) &&
           FIND(library, post) && FIND(library, drain) && FIND(library, stop) &&
           FIND(library, close);
}

static void
count(void *argument)
{
    *(int *)argument += 1; /* there is one worker */
}

static void *
call_from_a_host_thread(void *argument)
{
    struct caller *caller = argument;
    caller->good = true;
    for (int i = 0; i < TASKS; i++) {
        enum leat_status status =
            caller->library->post(caller->engine, LEAT_PRIORITY_NORMAL, count, &caller->ran);
        caller->good = caller->good && status == LEAT_OK;
    }
    pthread_barrier_wait(&caller->posted);
    pthread_barrier_wait(&caller->closed);
    return NULL;
}

static bool
use(const struct library *library, struct caller *caller)
{
    struct leat_config config;
    library->config_init(&config, sizeof(config));
    config.workers = 1;
    pthread_t thread;
    if (library->open(&config, &caller->engine, NULL) != LEAT_OK ||
        library->start(caller->engine) != LEAT_OK ||
        pthread_create(&thread, NULL, call_from_a_host_thread, caller) != 0) {
        return false;
    }
    pthread_barrier_wait(&caller->posted);
    bool good = library->drain(caller->engine, LEAT_FOREVER) == LEAT_OK &&
                library->stop(caller->engine, LEAT_FOREVER) == LEAT_OK &&
                library->close(caller->engine) == LEAT_OK;
    good = dlclose(library->handle) == 0 && good;
    pthread_barrier_wait(&caller->closed);
    pthread_join(thread, NULL);
    return good && caller->good && caller->ran == TASKS;
}

int
main(int argc, char **argv)
{
    for (int round = 0; round < 2; round++) {
        struct library library = {0};
        struct caller caller = {.library = &library};
        pthread_barrier_init(&caller.posted, NULL, 2);
        pthread_barrier_init(&caller.closed, NULL, 2);
        if (argc != 2 || !load(&library, argv[1]) || !use(&library, &caller)) {
            fprintf(stderr, "round %d failed\n", round);
            return 1;
        }
    }
    return 0;
}
