/* out.h - text that is written piece by piece, to a function of the host or into memory: numbers,
 * and strings as JSON and logfmt want them. */
#ifndef ENGINE_OUT_H
#define ENGINE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/leat.h"

/* The sink takes all of it, or says false: then nothing more is written. */
struct leat_out {
    leat_text_sink sink;
    void *context;
    bool failed;
    size_t used; /* of the buffer */
    char buffer[512];
};

void leat_out_init(struct leat_out *out, leat_text_sink sink, void *context);
/* Hands on what is left. False: some of it was not taken. */
bool leat_out_end(struct leat_out *out);

void leat_out_bytes(struct leat_out *out, const char *text, size_t bytes);
void leat_out_text(struct leat_out *out, const char *text);
void leat_out_number(struct leat_out *out, uint64_t number);
/* Nanoseconds as microseconds with three places. */
void leat_out_us(struct leat_out *out, uint64_t ns);
/* In quotes. Control letters, quotes and backslashes are escaped; bytes that are no UTF-8 become
 * U+FFFD, so that any text at all can be read back. */
void leat_out_string(struct leat_out *out, const char *text);
/* As it is, if it is a plain word; else as leat_out_string(). */
void leat_out_word(struct leat_out *out, const char *text);

#endif
