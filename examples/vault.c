/* vault.c - a log that nobody reads without a key, and how the key is changed. An order is taken in
 * under a first key; without it the log is refused; a second key comes, the engine writes anew what
 * the first one has encrypted, and then the first one may go.
 *
 *   vault DIRECTORY   an empty one, for the log and the keys; 77: this build cannot encrypt */
#include <fcntl.h>
#include <leat.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 512
#define SKIPPED    77

static char log_path[PATH_BYTES];
static char key_path[PATH_BYTES];
static char old_key_path[PATH_BYTES];
static atomic_uint moved;

static struct leat_outcome
move(struct leat_run *run, void *context)
{
    (void)context;
    printf("moved %s\n", (const char *)leat_run_payload(run, NULL));
    atomic_fetch_add(&moved, 1);
    return leat_done();
}

/* A key is 32 random bytes, which nobody else can read. */
static bool
key_make(const char *path)
{
    unsigned char key[LEAT_LOG_KEY_BYTES];
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    return file >= 0 && getrandom(key, sizeof(key), 0) == sizeof(key) &&
           write(file, key, sizeof(key)) == sizeof(key) && close(file) == 0;
}

/* `keys`: a file, or several with a colon between them, or NULL. */
static enum leat_status
engine_open(const char *keys, struct leat_engine **engine)
{
    struct leat_error error;
    struct leat_config config = leat_config_default();
    leat_type type;
    config.workers = 1;
    config.log_directory = log_path;
    config.log_segment_bytes = UINT64_C(1) << 20;
    config.log_ring_bytes = UINT64_C(1) << 18;
    config.log_key_file = keys;
    enum leat_status status = leat_open(&config, engine, &error);
    if (status == LEAT_OK) {
        status = leat_type_register(*engine, "move", move, NULL, NULL, &type);
    }
    return status;
}

static enum leat_status
take(void)
{
    struct leat_engine *engine = NULL;
    struct leat_job job = leat_job_default();
    enum leat_status status = engine_open(old_key_path, &engine);
    if (status == LEAT_OK) {
        job.type_name = "move";
        job.payload = "gold";
        job.payload_bytes = 5;
        status = leat_submit(engine, &job, NULL);
        printf("took an order in\n");
        status = leat_close(engine) == LEAT_OK ? status : LEAT_SYSTEM;
    }
    return status;
}

static bool
is_refused(void)
{
    struct leat_engine *engine = NULL;
    enum leat_status status = engine_open(NULL, &engine);
    printf("without a key: %s\n", leat_status_text(status));
    return status == LEAT_WRONG_KEY;
}

/* The new key first, and the old one as long as something is there that it has encrypted: while an
 * engine has both, it writes that anew. */
static bool
change(void)
{
    char both[2 * PATH_BYTES + 1];
    (void)snprintf(both, sizeof(both), "%s:%s", key_path, old_key_path);
    for (int i = 0; i < 100; i++) {
        struct leat_engine *engine = NULL;
        struct leat_recovery_info info = leat_recovery_info_default();
        bool opened =
            engine_open(both, &engine) == LEAT_OK && leat_recovery_get(engine, &info) == LEAT_OK;
        (void)usleep(10000);
        if (leat_close(engine) != LEAT_OK || !opened) {
            return false;
        }
        if (info.old_key_records == 0) {
            printf("the old key is not needed any more\n");
            return unlink(old_key_path) == 0;
        }
    }
    return false;
}

static bool
run(void)
{
    struct leat_engine *engine = NULL;
    bool ran = engine_open(key_path, &engine) == LEAT_OK && leat_start(engine) == LEAT_OK &&
               leat_drain(engine, LEAT_FOREVER) == LEAT_OK &&
               leat_stop(engine, LEAT_FOREVER) == LEAT_OK && atomic_load(&moved) == 1;
    return leat_close(engine) == LEAT_OK && ran;
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: vault DIRECTORY\n");
        return 2;
    }
    (void)snprintf(log_path, sizeof(log_path), "%.400s/log", argv[1]);
    (void)snprintf(key_path, sizeof(key_path), "%.400s/key", argv[1]);
    (void)snprintf(old_key_path, sizeof(old_key_path), "%.400s/key.old", argv[1]);
    if (mkdir(log_path, 0700) != 0 || !key_make(key_path) || !key_make(old_key_path)) {
        perror(argv[1]);
        return 1;
    }
    enum leat_status status = take();
    if (status == LEAT_UNSUPPORTED) {
        return SKIPPED;
    }
    bool right = status == LEAT_OK && is_refused() && change() && run();
    printf("%s\n", right ? "ok" : "wrong");
    return right ? 0 : 1;
}
