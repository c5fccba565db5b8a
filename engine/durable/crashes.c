/* crashes.c - which jobs were in a handler when the process crashed. The places of the engine stand
 * in a file beside the log, mapped: it outlives the process. It is not synced, and so is read only
 * on the same boot of the system: a machine that crashed says nothing of its handlers. */
#include "engine/durable/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/wal/internal.h"

#define MAGIC      UINT64_C(0x314e55525441454c) /* "LEATRUN1" */
#define FILE_NAME  "running"
#define PLACES_MAX (UINT64_C(2) * LEAT_WORKERS_MAX)

/* Its first page. */
struct head {
    uint64_t magic;
    char boot[40]; /* of the system */
    uint64_t stride;
    uint64_t offset; /* of the id in a place */
    uint64_t count;
};

static void
boot_read(char *boot, size_t bytes)
{
    memset(boot, 0, bytes);
    (void)leat_os_file_read("/proc/sys/kernel/random/boot_id", 0, boot, bytes);
}

static bool
head_good(const struct head *head)
{
    char boot[sizeof(head->boot)];
    boot_read(boot, sizeof(boot));
    return head->magic == MAGIC && memcmp(head->boot, boot, sizeof(boot)) == 0 &&
           head->count != 0 && head->count <= PLACES_MAX && head->stride <= (UINT64_C(1) << 20) &&
           head->offset < head->stride;
}

static enum leat_status
ids_read(struct leat_durable *durable, int file, const struct head *head)
{
    struct leat_durable_crashed *crashed = &durable->crashed;
    crashed->ids = leat_memory_take(&durable->memory, sizeof(uint64_t) * head->count);
    if (crashed->ids == NULL) {
        return LEAT_NO_MEMORY;
    }
    crashed->room = sizeof(uint64_t) * head->count;
    for (uint64_t i = 0; i < head->count; i++) {
        uint64_t id = 0;
        off_t at = (off_t)(LEAT_PAGE_BYTES + head->stride * i + head->offset);
        if (pread(file, &id, sizeof(id), at) == (ssize_t)sizeof(id) && id != 0) {
            crashed->ids[crashed->count++] = id;
        }
    }
    return LEAT_OK;
}

enum leat_status
leat_durable_crashed_read(struct leat_durable *durable)
{
    struct head head;
    enum leat_status status = LEAT_OK;
    int file = openat(durable->wal.directory, FILE_NAME, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return errno == ENOENT ? LEAT_OK : leat_wal_status_of(-errno);
    }
    if (pread(file, &head, sizeof(head), 0) == (ssize_t)sizeof(head) && head_good(&head)) {
        status = ids_read(durable, file, &head);
    }
    (void)close(file);
    return status;
}

enum leat_status
leat_durable_places_open(struct leat_durable *durable, size_t bytes)
{
    struct head head = {.magic = MAGIC,
                        .stride = sizeof(struct leat_place),
                        .offset = offsetof(struct leat_place, running),
                        .count = bytes / sizeof(struct leat_place)};
    size_t all = LEAT_PAGE_BYTES + bytes;
    boot_read(head.boot, sizeof(head.boot));
    int file =
        openat(durable->wal.directory, FILE_NAME, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) {
        return leat_wal_status_of(-errno);
    }
    const struct leat_wal_files *files = durable->wal.config.files;
    /* Allocated, so that a full disk is met here and not by a worker. */
    int result = files->allocate(files->disk, file, all);
    void *mapping = MAP_FAILED;
    if (result == 0) {
        mapping = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        result = mapping == MAP_FAILED ? -errno : 0;
    }
    (void)close(file);
    if (result != 0) {
        return leat_wal_status_of(result);
    }
    memcpy(mapping, &head, sizeof(head));
    durable->places = mapping;
    durable->places_bytes = all;
    return LEAT_OK;
}

void *
leat_durable_places(const struct leat_durable *durable)
{
    return (unsigned char *)durable->places + LEAT_PAGE_BYTES;
}

void
leat_durable_places_close(struct leat_durable *durable)
{
    if (durable->places != NULL) {
        (void)munmap(durable->places, durable->places_bytes);
        durable->places = NULL;
        (void)unlinkat(durable->wal.directory, FILE_NAME, 0);
    }
    leat_memory_give(&durable->memory, durable->crashed.ids, durable->crashed.room);
    durable->crashed = (struct leat_durable_crashed){.ids = NULL};
}
