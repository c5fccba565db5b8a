/* log_disk.c - the disk alone, as the floor of log.h: one write and one sync of what an entry takes
 * in whole blocks, into a file that was written before. */
#include <fcntl.h>
#include <unistd.h>

#include "bench/rivals/log.h"

#define BLOCK      UINT64_C(4096)
#define HEAD       UINT64_C(64) /* what a log has to say of an entry, about */
#define FILE_BYTES (UINT64_C(32) << 20)

struct disk {
    int file;
    uint64_t bytes; /* of a write */
    uint64_t offset;
    uint64_t submitted;
    unsigned char *block;
};

static void *
disk_open(const struct bench_log_setup *setup)
{
    struct disk *disk = bench_log_memory(sizeof(*disk));
    disk->bytes = (setup->payload_bytes + HEAD + BLOCK - 1) / BLOCK * BLOCK;
    disk->block = bench_log_memory(disk->bytes);
    disk->file = open("disk", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bench_log_must(disk->file >= 0, "disk: no file");
    for (uint64_t at = 0; at + disk->bytes <= FILE_BYTES; at += disk->bytes) {
        bench_log_must(pwrite(disk->file, disk->block, disk->bytes, (off_t)at) ==
                           (ssize_t)disk->bytes,
                       "disk: write");
    }
    bench_log_must(fsync(disk->file) == 0, "disk: sync");
    return disk;
}

static void
disk_submit(void *log, uint32_t lane, uint32_t count)
{
    struct disk *disk = log;
    (void)lane;
    disk->submitted += count;
}

static void
disk_wait(void *log, uint64_t *acknowledged)
{
    struct disk *disk = log;
    if (disk->offset + disk->bytes > FILE_BYTES) {
        disk->offset = 0;
    }
    disk->block[0]++;
    bench_log_must(pwrite(disk->file, disk->block, disk->bytes, (off_t)disk->offset) ==
                       (ssize_t)disk->bytes,
                   "disk: write");
    bench_log_must(fdatasync(disk->file) == 0, "disk: sync");
    disk->offset += disk->bytes;
    acknowledged[0] = disk->submitted;
}

extern const struct bench_log_kind bench_logs_disk[];

const struct bench_log_kind bench_logs_disk[] = {
    {.name = "bare disk",
     .note = "pwrite and fdatasync of as many 4 KiB blocks as an entry needs: the floor",
     .is_floor = true,
     .open = disk_open,
     .submit = disk_submit,
     .wait = disk_wait},
    {.name = NULL},
};
