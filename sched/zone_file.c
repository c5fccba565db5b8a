/* zone_file.c - the files that zone.h reads. The directory is opened first and the name looked up
 * in it, so that no path has to be put together. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sched/zone.h"

/* Letters, digits and `_ + -`, in parts that a slash divides: no name leads out of the directory,
 * since none has a dot. */
static bool
name_sound(const char *name)
{
    size_t length = strnlen(name, LEAT_ZONE_NAME_BYTES);
    bool sound = length > 0 && length < LEAT_ZONE_NAME_BYTES;
    char before = '/';
    for (size_t i = 0; i < length && sound; i++) {
        char letter = name[i];
        bool word = (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') ||
                    (letter >= '0' && letter <= '9') || letter == '_' || letter == '+' ||
                    letter == '-';
        sound = word || (letter == '/' && before != '/');
        before = letter;
    }
    return sound && before != '/';
}

static struct leat_zone_stamp
stamp_of(const struct stat *status)
{
    return (struct leat_zone_stamp){.device = status->st_dev,
                                    .file = status->st_ino,
                                    .bytes = (uint64_t)status->st_size,
                                    .changed_s = status->st_mtim.tv_sec,
                                    .changed_ns = status->st_mtim.tv_nsec};
}

static bool
stamp_same(const struct leat_zone_stamp *a, const struct leat_zone_stamp *b)
{
    return a->device == b->device && a->file == b->file && a->bytes == b->bytes &&
           a->changed_s == b->changed_s && a->changed_ns == b->changed_ns;
}

/* Opens the zone's file for reading; *result says why there is none. Not blocking: a name may be
 * that of a pipe. */
static int
file_open(const struct leat_zone_file *file, enum leat_zone_result *result)
{
    int folder = open(file->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int opened =
        folder < 0 ? -1 : openat(folder, file->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool missing = errno == ENOENT || errno == ENOTDIR;
    if (opened < 0) {
        *result = missing ? LEAT_ZONE_MISSING : LEAT_ZONE_UNREADABLE;
    }
    if (folder >= 0) {
        (void)close(folder);
    }
    return opened;
}

/* Reads exactly `size` bytes. */
static bool
bytes_read(int opened, uint8_t *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) { /* each round takes a byte at least, or ends */
        ssize_t got = pread(opened, bytes + done, size - done, (off_t)done);
        if (got <= 0) {
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

/* Makes a zone of an open file. Who wrote into it meanwhile is noticed by its stamp. */
static enum leat_zone_result
zone_read(const struct leat_zone_file *file, int opened, struct leat_zone *zone)
{
    uint8_t *bytes = leat_memory_take(&file->memory, file->stamp.bytes);
    if (bytes == NULL) {
        return LEAT_ZONE_NO_MEMORY;
    }
    enum leat_zone_result result = LEAT_ZONE_UNREADABLE;
    struct stat status;
    if (bytes_read(opened, bytes, file->stamp.bytes) && fstat(opened, &status) == 0) {
        struct leat_zone_stamp after = stamp_of(&status);
        if (stamp_same(&file->stamp, &after)) {
            result = leat_zone_init(zone, &file->memory, bytes, file->stamp.bytes);
        }
    }
    leat_memory_give(&file->memory, bytes, file->stamp.bytes);
    return result;
}

/* Fills the stamp and the zone of `file`, whose other fields are set. With `known` (may be NULL)
 * only if the stamp is another one; *changed tells. */
static enum leat_zone_result
load(struct leat_zone_file *file, const struct leat_zone_stamp *known, bool *changed)
{
    enum leat_zone_result result = LEAT_ZONE_UNREADABLE;
    *changed = false;
    int opened = file_open(file, &result);
    if (opened < 0) {
        return result;
    }
    struct stat status;
    if (fstat(opened, &status) == 0) {
        file->stamp = stamp_of(&status);
        if (S_ISDIR(status.st_mode)) {
            result = LEAT_ZONE_MISSING;
        } else if (!S_ISREG(status.st_mode) || status.st_size <= 0) {
            result = LEAT_ZONE_DAMAGED;
        } else if (status.st_size > LEAT_ZONE_FILE_BYTES_MAX) {
            result = LEAT_ZONE_TOO_LARGE;
        } else if (known != NULL && stamp_same(known, &file->stamp)) {
            result = LEAT_ZONE_OK;
        } else {
            result = zone_read(file, opened, &file->zone);
            *changed = result == LEAT_ZONE_OK;
        }
    }
    (void)close(opened);
    return result;
}

enum leat_zone_result
leat_zone_file_open(struct leat_zone_file *file, const struct leat_memory *memory,
                    const char *directory, const char *name)
{
    if (!name_sound(name)) {
        return LEAT_ZONE_NAME;
    }
    struct leat_zone_file made = {.zone = leat_zone_utc(),
                                  .memory = *memory,
                                  .directory = directory == NULL ? LEAT_ZONE_DIRECTORY : directory};
    memcpy(made.name, name, strlen(name));
    enum leat_zone_result result = LEAT_ZONE_OK;
    if (strcmp(name, "UTC") != 0) {
        bool changed = false;
        result = load(&made, NULL, &changed);
    }
    if (result == LEAT_ZONE_OK) {
        *file = made;
    }
    return result;
}

void
leat_zone_file_close(struct leat_zone_file *file)
{
    leat_zone_fini(&file->zone, &file->memory);
}

enum leat_zone_result
leat_zone_file_refresh(struct leat_zone_file *file, bool *changed)
{
    *changed = false;
    if (strcmp(file->name, "UTC") == 0) {
        return LEAT_ZONE_OK;
    }
    struct leat_zone_file made = *file;
    enum leat_zone_result result = load(&made, &file->stamp, changed);
    if (*changed) {
        leat_zone_fini(&file->zone, &file->memory);
        *file = made;
    }
    return result;
}
