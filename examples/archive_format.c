/* archive_format.c - numbers and names in an archive, and lines on stderr. */
#include "archive_parts.h"

#include <stdlib.h>
#include <string.h>

bool
buffer_add(struct buffer *buffer, const void *bytes, size_t count)
{
    if (buffer->capacity - buffer->used < count) {
        size_t capacity = (buffer->used + count) * 2;
        unsigned char *grown = realloc(buffer->bytes, capacity);
        if (grown == NULL) {
            return complain("no memory", "");
        }
        buffer->bytes = grown;
        buffer->capacity = capacity;
    }
    memcpy(buffer->bytes + buffer->used, bytes, count);
    buffer->used += count;
    return true;
}

bool
buffer_number(struct buffer *buffer, uint64_t number, uint32_t bytes)
{
    unsigned char text[sizeof(number)];
    for (uint32_t i = 0; i < bytes; i++) {
        text[i] = (unsigned char)(number >> 8 * i);
    }
    return buffer_add(buffer, text, bytes);
}

uint64_t
number_read(const unsigned char *bytes, uint32_t count)
{
    uint64_t number = 0;
    for (uint32_t i = 0; i < count; i++) {
        number |= (uint64_t)bytes[i] << 8 * i;
    }
    return number;
}

/* Without what could steer a terminal, and without line ends. */
static void
put_name(const char *name)
{
    for (; *name != '\0'; name++) {
        unsigned char byte = (unsigned char)*name;
        if (byte < ' ' || byte == 0x7F || byte == '\\') {
            (void)fprintf(stderr, "\\%03o", (unsigned)byte);
        } else {
            (void)fputc(byte, stderr);
        }
    }
}

bool
complain_of(const char *verb, const char *name, int error)
{
    char text[128];
    (void)fprintf(stderr, "archive: cannot %s '", verb);
    put_name(name);
    (void)fprintf(stderr, "': %s\n", strerror_r(error, text, sizeof(text)));
    return false;
}

bool
complain_name(const char *name, const char *text)
{
    (void)fputs("archive: '", stderr);
    put_name(name);
    (void)fprintf(stderr, "' %s\n", text);
    return false;
}

bool
complain(const char *text, const char *detail)
{
    (void)fprintf(stderr, "archive: %s%s%s\n", text, *detail == '\0' ? "" : ": ", detail);
    return false;
}
