/* ini.h - what a file of settings is made of: sections and pairs, each with its line and column.
 *
 *   # a comment has its line for itself, and so has one with a semicolon
 *   key = value
 *   [word]
 *   [word name]
 *
 * Blanks around the parts do not count. There are no quotes, no escapes, no line that goes on in
 * the next one. Bytes below the blank are refused, but for tabs and the \r in front of a \n. */
#ifndef ENGINE_INI_H
#define ENGINE_INI_H

#include "engine/knobs.h"

struct leat_ini {
    const char *next;
    const char *end;
    uint32_t line; /* that was read last, from 1 on */
};

enum leat_ini_kind { LEAT_INI_END = 0, LEAT_INI_SECTION, LEAT_INI_PAIR, LEAT_INI_BAD };

struct leat_ini_part {
    struct leat_slice slice;
    uint32_t column; /* in bytes, from 1 on */
};

struct leat_ini_item {
    enum leat_ini_kind kind;
    uint32_t line;
    struct leat_ini_part first;  /* a section's word, a key; BAD: where */
    struct leat_ini_part second; /* a section's name, maybe empty; a value */
    const char *why;             /* BAD */
};

struct leat_ini leat_ini_begin(struct leat_slice text);
/* The next item. Behind a BAD one there is no other. */
struct leat_ini_item leat_ini_next(struct leat_ini *ini);

#endif
