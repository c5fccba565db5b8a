/* out.c - text piece by piece, see out.h. */
#include "engine/out.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void
flush(struct leat_out *out)
{
    if (out->used != 0 && !out->failed) {
        out->failed = !out->sink(out->buffer, out->used, out->context);
    }
    out->used = 0;
}

void
leat_out_bytes(struct leat_out *out, const char *text, size_t bytes)
{
    while (bytes > 0) {
        size_t room = sizeof(out->buffer) - out->used;
        size_t now = bytes < room ? bytes : room;
        memcpy(out->buffer + out->used, text, now);
        out->used += now;
        text += now;
        bytes -= now;
        if (out->used == sizeof(out->buffer)) {
            flush(out);
        }
    }
}

void
leat_out_init(struct leat_out *out, leat_text_sink sink, void *context)
{
    out->sink = sink;
    out->context = context;
    out->failed = false;
    out->used = 0;
}

bool
leat_out_end(struct leat_out *out)
{
    flush(out);
    return !out->failed;
}

void
leat_out_text(struct leat_out *out, const char *text)
{
    leat_out_bytes(out, text, strlen(text));
}

void
leat_out_number(struct leat_out *out, uint64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRIu64, number);
    leat_out_text(out, text);
}

void
leat_out_us(struct leat_out *out, uint64_t ns)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%" PRIu64 ".%03u", ns / 1000, (unsigned)(ns % 1000));
    leat_out_text(out, text);
}

/* Bytes of the letter that begins here, by RFC 3629; 0: it is none. */
static size_t
letter_bytes(const unsigned char *text)
{
    static const struct {
        unsigned char least, most, second_least, second_most, bytes;
    } rows[] = {
        {0x20, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (text[0] < rows[i].least || text[0] > rows[i].most) {
            continue;
        }
        bool whole = rows[i].bytes == 1 ||
                     (text[1] >= rows[i].second_least && text[1] <= rows[i].second_most);
        for (size_t j = 2; whole && j < rows[i].bytes; j++) {
            whole = (text[j] & 0xc0) == 0x80;
        }
        return whole ? rows[i].bytes : 0;
    }
    return 0;
}

void
leat_out_string(struct leat_out *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    leat_out_text(out, "\"");
    while (*at != '\0') {
        size_t bytes = letter_bytes(at);
        if (*at == '"' || *at == '\\') {
            leat_out_text(out, *at == '"' ? "\\\"" : "\\\\");
        } else if (*at < 0x20 || *at == 0x7f) {
            char escape[8];
            (void)snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)*at);
            leat_out_text(out, escape);
        } else if (bytes == 0) {
            leat_out_text(out, "\xef\xbf\xbd");
        } else {
            leat_out_bytes(out, (const char *)at, bytes);
        }
        at += bytes == 0 ? 1 : bytes;
    }
    leat_out_text(out, "\"");
}

void
leat_out_word(struct leat_out *out, const char *text)
{
    bool plain = text[0] != '\0';
    for (const char *at = text; plain && *at != '\0'; at++) {
        plain = *at > ' ' && *at < 0x7f && *at != '"' && *at != '=' && *at != '\\';
    }
    if (plain) {
        leat_out_text(out, text);
    } else {
        leat_out_string(out, text);
    }
}
