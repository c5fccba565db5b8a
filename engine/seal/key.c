/* key.c - where a key comes from: a file, or a function of the host. What it was read into is wiped
 * before the return. */
#include "engine/seal/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The digits, "\r\n", and one more by which a longer file is known. */
#define FILE_BYTES_MAX (2 * LEAT_SEAL_KEY_BYTES + 3)

enum leat_status
leat_seal_fail(struct leat_error *error, enum leat_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error->status = status;
    error->field[0] = '\0';
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is begun above */
    (void)vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    return status;
}

static int
digit(unsigned char letter)
{
    if (letter >= '0' && letter <= '9') {
        return letter - '0';
    }
    letter |= 'a' ^ 'A';
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

static bool
are_digits(const unsigned char *text, size_t bytes)
{
    bool all = true;
    for (size_t i = 0; i < bytes; i++) {
        all = all && digit(text[i]) >= 0;
    }
    return all;
}

/* What a file has, as a key. False: it is none. */
static bool
parse(const unsigned char *text, size_t bytes, unsigned char key[LEAT_SEAL_KEY_BYTES])
{
    if (bytes == LEAT_SEAL_KEY_BYTES) {
        memcpy(key, text, bytes);
        return true;
    }
    bytes -= bytes > 0 && text[bytes - 1] == '\n' ? 1 : 0;
    bytes -= bytes > 0 && text[bytes - 1] == '\r' ? 1 : 0;
    if (bytes != (size_t)2 * LEAT_SEAL_KEY_BYTES || !are_digits(text, bytes)) {
        return false;
    }
    for (size_t i = 0; i < LEAT_SEAL_KEY_BYTES; i++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): are_digits() */
        key[i] = (unsigned char)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    }
    return true;
}

/* That nobody else can read it, or could have written it. What systemd gives to a service is
 * readable by root's group, by which it means the service alone. */
static bool
is_private(const struct stat *about)
{
    mode_t others = S_IRWXG | S_IRWXO;
    if (about->st_uid == 0 && about->st_gid == 0) {
        others &= ~(mode_t)S_IRGRP;
    }
    return (about->st_mode & others) == 0 && (about->st_uid == geteuid() || about->st_uid == 0);
}

/* Up to `capacity` bytes, or a negative errno. */
static ssize_t
read_all(int file, unsigned char *to, size_t capacity)
{
    size_t there = 0;
    ssize_t more = 1;
    while (more != 0 && there < capacity) {
        more = read(file, to + there, capacity - there);
        if (more > 0) {
            there += (size_t)more;
        } else if (more < 0 && errno != EINTR) {
            return -errno;
        }
    }
    return (ssize_t)there;
}

static enum leat_status
system_refused(const char *path, int why, struct leat_error *error)
{
    enum leat_status status = why == EACCES || why == EPERM ? LEAT_REFUSED : LEAT_SYSTEM;
    char words[80];
    /* The one of GNU, which returns the text. */
    const char *text = strerror_r(why, words, sizeof(words));
    return leat_seal_fail(error, why == ENOENT ? LEAT_NOT_FOUND : status, "the key file %.100s: %s",
                          path, text);
}

/* pre: file is open. */
static enum leat_status
take_opened(const char *path, int file, unsigned char key[LEAT_SEAL_KEY_BYTES],
            struct leat_error *error)
{
    struct stat about;
    if (fstat(file, &about) != 0) {
        return system_refused(path, errno, error);
    }
    if (!S_ISREG(about.st_mode)) {
        return leat_seal_fail(error, LEAT_INVALID, "the key file %.100s is no regular file", path);
    }
    if (!is_private(&about)) {
        return leat_seal_fail(error, LEAT_REFUSED,
                              "the key file %.100s has mode %04o and is user %u's: it must be "
                              "this user's or root's, and closed to all others (chmod 0400)",
                              path, (unsigned)about.st_mode & 07777U, (unsigned)about.st_uid);
    }
    unsigned char text[FILE_BYTES_MAX] = {0};
    ssize_t bytes = read_all(file, text, sizeof(text));
    enum leat_status status = LEAT_OK;
    if (bytes < 0) {
        status = system_refused(path, (int)-bytes, error);
    } else if (bytes == LEAT_SEAL_KEY_BYTES && are_digits(text, LEAT_SEAL_KEY_BYTES)) {
        status = leat_seal_fail(error, LEAT_INVALID,
                                "the key file %.100s has 32 hexadecimal digits, which is half a "
                                "key",
                                path);
    } else if (!parse(text, (size_t)bytes, key)) {
        status = leat_seal_fail(error, LEAT_INVALID,
                                "the key file %.100s has neither 32 bytes nor 64 hexadecimal "
                                "digits",
                                path);
    }
    explicit_bzero(text, sizeof(text));
    return status;
}

static enum leat_status
take_file(const char *path, unsigned char key[LEAT_SEAL_KEY_BYTES], struct leat_error *error)
{
    /* Not to wait for the writer of a pipe. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0) {
        return system_refused(path, errno, error);
    }
    enum leat_status status = take_opened(path, file, key, error);
    (void)close(file);
    return status;
}

static bool
is_zero(const unsigned char key[LEAT_SEAL_KEY_BYTES])
{
    unsigned char any = 0;
    for (size_t i = 0; i < LEAT_SEAL_KEY_BYTES; i++) {
        any |= key[i];
    }
    return any == 0;
}

enum leat_status
leat_seal_key_take(const struct leat_seal_source *source, unsigned char key[LEAT_SEAL_KEY_BYTES],
                   struct leat_error *error)
{
    unsigned char taken[LEAT_SEAL_KEY_BYTES] = {0};
    enum leat_status status = LEAT_OK;
    if (source->file != NULL) {
        status = take_file(source->file, taken, error);
    } else if (source->key == NULL) {
        status = leat_seal_fail(error, LEAT_INVALID,
                                "a key is to come from neither a file nor a "
                                "function");
    } else if (!source->key(source->context, taken)) {
        status = leat_seal_fail(error, LEAT_REFUSED, "the function for the key gave none");
    }
    /* A file of zeros, or a function that wrote nothing. */
    if (status == LEAT_OK && is_zero(taken)) {
        status = leat_seal_fail(error, LEAT_INVALID, "the key has only zeros");
    }
    if (status == LEAT_OK) {
        memcpy(key, taken, sizeof(taken));
    }
    explicit_bzero(taken, sizeof(taken));
    return status;
}
