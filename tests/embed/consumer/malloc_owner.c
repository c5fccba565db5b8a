/* malloc_owner.c - asks who owns the host's malloc, before, inside and after a run of an engine: it
 * stays what it was. Two ways: the functions' addresses lie in libc, and a block that malloc gives
 * out shows in libc's own accounts. The same for operator new of a C++ library beside it. The job's
 * payload is above the inline limit, so that the library's allocator is really at work. */
#include <dlfcn.h>
#include <leat.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Above 64 bytes, which a record holds itself; below 128 KiB, from where glibc's malloc maps
 * blocks one by one and mallinfo2() counts them elsewhere. */
#define BLOCK_BYTES 65536

/* operator_new.cc */
void *operator_new_address(void);

static bool
lies_in(void *function, const char *name, const char *library)
{
    Dl_info info;
    if (function == NULL || dladdr(function, &info) == 0) {
        fprintf(stderr, "%s is nowhere\n", name);
        return false;
    }
    const char *file = strrchr(info.dli_fname, '/');
    bool inside = file != NULL && strcmp(file + 1, library) == 0;
    if (!inside) {
        fprintf(stderr, "%s is in %s\n", name, info.dli_fname);
    }
    return inside;
}

static bool
lies_in_libc(const char *name)
{
    return lies_in(dlsym(RTLD_DEFAULT, name), name, "libc.so.6");
}

static bool
libc_counts_a_block(void)
{
    size_t before = mallinfo2().uordblks;
    char *volatile block = malloc(BLOCK_BYTES);
    if (block == NULL) {
        return false;
    }
    size_t with_block = mallinfo2().uordblks;
    free(block);
    if (with_block < before + BLOCK_BYTES) {
        fprintf(stderr, "libc's accounts do not show a block of malloc\n");
        return false;
    }
    return true;
}

static bool
host_owns_malloc(const char *when)
{
    static const char *const names[] = {
        "malloc",   "free",           "calloc",        "realloc",
        "memalign", "posix_memalign", "aligned_alloc", "malloc_usable_size"};
    bool owns =
        libc_counts_a_block() && lies_in(operator_new_address(), "operator new", "libstdc++.so.6");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        owns = lies_in_libc(names[i]) && owns;
    }
    if (!owns) {
        fprintf(stderr, "so it was %s\n", when);
    }
    return owns;
}

/* A handler's malloc is the host's as well. Only the addresses: libc's accounts are of the main
 * arena, and a worker may have one of its own. */
static struct leat_outcome
handler(struct leat_run *run, void *context)
{
    (void)run;
    *(bool *)context = lies_in_libc("malloc") && lies_in_libc("free");
    return leat_done();
}

static bool
run_engine(bool *seen_in_handler)
{
    struct leat_config config = leat_config_default();
    config.workers = 1;
    struct leat_engine *engine = NULL;
    if (leat_open(&config, &engine, NULL) != LEAT_OK) {
        return false;
    }
    char *payload = calloc(1, BLOCK_BYTES);
    struct leat_job job = leat_job_default();
    job.type_name = "owner";
    job.payload = payload;
    job.payload_bytes = BLOCK_BYTES;
    bool good =
        payload != NULL && leat_start(engine) == LEAT_OK &&
        leat_type_register(engine, "owner", handler, seen_in_handler, NULL, NULL) == LEAT_OK &&
        leat_submit(engine, &job, NULL) == LEAT_OK && host_owns_malloc("with an engine") &&
        leat_drain(engine, LEAT_FOREVER) == LEAT_OK && leat_stop(engine, LEAT_FOREVER) == LEAT_OK &&
        leat_close(engine) == LEAT_OK;
    free(payload);
    return good;
}

int
main(void)
{
    bool seen_in_handler = false;
    char *early = malloc(BLOCK_BYTES);
    bool good = host_owns_malloc("before") && run_engine(&seen_in_handler) &&
                host_owns_malloc("after") && seen_in_handler;
    /* A block from before goes back to the same owner. */
    free(early);
    return good ? 0 : 1;
}
