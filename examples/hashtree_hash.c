/* hashtree_hash.c - what a job does: opens one file, reads it, hashes it. Both ways to run call
 * hash_record(), each worker with its own buffer and its own OpenSSL context. */
#include "hashtree_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What one read() takes. It stays in a core's second level cache, so that hashing finds it there.
 * 32 KiB to 1 MiB measured alike on files in memory; elsewhere long reads are the better ones. */
enum { BUFFER_BYTES = 128 * 1024 };

/* The progress reads these while their one writer counts: whole words, no order needed. */
static void
count_up(uint64_t *counter, uint64_t count) /* NOLINT(readability-non-const-parameter) */
{
    __atomic_store_n(counter, *counter + count, __ATOMIC_RELAXED);
}

/* read(), again where a signal came between. */
static ssize_t
read_some(const struct hasher *hasher, int descriptor)
{
    ssize_t got = -1;
    do {
        got = read(descriptor, hasher->buffer, BUFFER_BYTES);
    } while (got < 0 && errno == EINTR);
    return got;
}

/* Reads to the end of the file, whatever size it said: a file may grow, and those of /proc and
 * /sys say 0 or too much. 0, or an error number. */
static int
hash_content(struct hasher *hasher, int descriptor, struct record *record)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0) {
        return errno;
    }
    if (!S_ISREG(status.st_mode)) {
        return S_ISDIR(status.st_mode) ? EISDIR : EINVAL; /* another one since the walk */
    }
    if (status.st_size >= BIG_BYTES) {
        (void)posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    ssize_t got = read_some(hasher, descriptor);
    while (got > 0) { /* ends with the file */
        if (EVP_DigestUpdate(hasher->context, hasher->buffer, (size_t)got) != 1) {
            return EIO;
        }
        record->bytes += (uint64_t)got;
        count_up(&hasher->bytes, (uint64_t)got);
        got = read_some(hasher, descriptor);
    }
    return got == 0 ? 0 : errno;
}

void
hash_record(const struct hashers *hashers, uint32_t worker, struct record *record)
{
    struct hasher *hasher = &hashers->each[worker];
    int error = ENOMEM;
    if (path_set(&hasher->path, record->directory, record->name) &&
        EVP_DigestInit_ex2(hasher->context, hashers->digest, NULL) == 1) {
        /* O_NONBLOCK: were it a FIFO by now, open() would wait for a writer. */
        int descriptor = path_open(hashers->tree, &hasher->path,
                                   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        error = descriptor < 0 ? errno : hash_content(hasher, descriptor, record);
        if (descriptor >= 0) {
            (void)close(descriptor);
        }
    }
    if (error == 0 && EVP_DigestFinal_ex(hasher->context, record->digest, NULL) != 1) {
        error = EIO;
    }
    if (error == 0) {
        record->state = RECORD_HASHED;
    } else {
        record->state = RECORD_FAILED;
        /* Again: path_open() may have cut it. */
        bool whole = path_set(&hasher->path, record->directory, record->name);
        message_unreadable(hashers->message, hashers->tree->prefix,
                           whole ? hasher->path.text : record->name, error);
    }
    count_up(&hasher->files, 1);
}

void
hashers_progress(const struct hashers *hashers, struct progress *progress)
{
    const struct tree *tree = hashers->tree;
    *progress = (struct progress){.files_found = tree->files, .bytes_found = tree->bytes};
    for (uint32_t worker = 0; worker < hashers->count; worker++) {
        const struct hasher *hasher = &hashers->each[worker];
        progress->files_done += __atomic_load_n(&hasher->files, __ATOMIC_RELAXED);
        progress->bytes_done += __atomic_load_n(&hasher->bytes, __ATOMIC_RELAXED);
    }
}

void
hashers_tick(const struct hashers *hashers, bool walked)
{
    if (message_due(hashers->message)) {
        struct progress progress;
        hashers_progress(hashers, &progress);
        progress.walked = walked;
        message_progress(hashers->message, &progress);
    }
}

bool
hashers_create(struct hashers *hashers, uint32_t count)
{
    /* Once for all: EVP_sha256() would be looked up again for each file. */
    hashers->digest = EVP_MD_fetch(NULL, "SHA256", NULL);
    hashers->each = aligned_alloc(_Alignof(struct hasher), count * sizeof(struct hasher));
    hashers->count = 0;
    if (hashers->digest == NULL || hashers->each == NULL) {
        hashers_destroy(hashers);
        return false;
    }
    memset(hashers->each, 0, count * sizeof(struct hasher));
    hashers->count = count;
    bool whole = true;
    for (uint32_t worker = 0; worker < count; worker++) {
        struct hasher *hasher = &hashers->each[worker];
        hasher->context = EVP_MD_CTX_new();
        hasher->buffer = aligned_alloc(4096, BUFFER_BYTES);
        whole = whole && hasher->context != NULL && hasher->buffer != NULL;
    }
    if (!whole) {
        hashers_destroy(hashers);
    }
    return whole;
}

void
hashers_destroy(struct hashers *hashers)
{
    for (uint32_t worker = 0; worker < hashers->count; worker++) {
        EVP_MD_CTX_free(hashers->each[worker].context);
        free(hashers->each[worker].buffer);
        path_free(&hashers->each[worker].path);
    }
    free(hashers->each);
    EVP_MD_free(hashers->digest);
    hashers->each = NULL;
    hashers->digest = NULL;
    hashers->count = 0;
}
