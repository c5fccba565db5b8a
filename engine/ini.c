/* ini.c - see ini.h. Each line is looked at alone. */
#include "engine/ini.h"

#include <string.h>

struct leat_ini
leat_ini_begin(struct leat_slice text)
{
    const struct leat_ini ini = {text.text, text.text + text.length, 0};
    return ini;
}

static bool
blank(char letter)
{
    return letter == ' ' || letter == '\t';
}

/* Without the blanks at both ends. */
static struct leat_ini_part
trimmed(struct leat_ini_part part)
{
    while (part.slice.length > 0 && blank(part.slice.text[0])) {
        part.slice.text++;
        part.slice.length--;
        part.column++;
    }
    while (part.slice.length > 0 && blank(part.slice.text[part.slice.length - 1])) {
        part.slice.length--;
    }
    return part;
}

/* What stands from `from` on, behind the first `length` bytes of the part. */
static struct leat_ini_part
behind(struct leat_ini_part part, size_t length)
{
    part.slice.text += length;
    part.slice.length -= length;
    part.column += (uint32_t)length;
    return trimmed(part);
}

static struct leat_ini_part
before(struct leat_ini_part part, size_t length)
{
    part.slice.length = length;
    return trimmed(part);
}

/* The place of the first letter for which this is so, or the length. */
static size_t
find(struct leat_slice slice, bool (*is)(char letter))
{
    size_t place = 0;
    while (place < slice.length && !is(slice.text[place])) {
        place++;
    }
    return place;
}

static bool
control(char letter)
{
    unsigned char byte = (unsigned char)letter;
    return (byte < ' ' && letter != '\t') || byte == 127;
}

static bool
equals(char letter)
{
    return letter == '=';
}

static struct leat_ini_item
bad(struct leat_ini_item item, struct leat_ini_part where, const char *why)
{
    item.kind = LEAT_INI_BAD;
    item.first = where;
    item.why = why;
    return item;
}

static struct leat_ini_item
section(struct leat_ini_item item, struct leat_ini_part line)
{
    if (line.slice.text[line.slice.length - 1] != ']') {
        return bad(item, behind(line, line.slice.length), "']' is missing");
    }
    const struct leat_ini_part inner = behind(before(line, line.slice.length - 1), 1);
    const size_t word = find(inner.slice, blank);
    item.kind = LEAT_INI_SECTION;
    item.first = before(inner, word);
    item.second = behind(inner, word);
    return item;
}

static struct leat_ini_item
pair(struct leat_ini_item item, struct leat_ini_part line)
{
    const size_t key = find(line.slice, equals);
    if (key == line.slice.length) {
        return bad(item, line, "neither a [section] nor key = value");
    }
    item.kind = LEAT_INI_PAIR;
    item.first = before(line, key);
    item.second = behind(line, key + 1);
    if (item.first.slice.length == 0) {
        return bad(item, line, "there is no key before the '='");
    }
    return item;
}

static struct leat_ini_item
line_read(uint32_t number, struct leat_ini_part whole)
{
    struct leat_ini_item item = {LEAT_INI_END, number, {{"", 0}, 1}, {{"", 0}, 1}, ""};
    const size_t odd = find(whole.slice, control);
    const struct leat_ini_part line = trimmed(whole);
    if (odd < whole.slice.length) {
        whole.column += (uint32_t)odd;
        return bad(item, whole, "this byte is no text");
    }
    if (line.slice.length == 0 || line.slice.text[0] == '#' || line.slice.text[0] == ';') {
        return item;
    }
    return line.slice.text[0] == '[' ? section(item, line) : pair(item, line);
}

struct leat_ini_item
leat_ini_next(struct leat_ini *ini)
{
    struct leat_ini_item item = {LEAT_INI_END, ini->line, {{"", 0}, 1}, {{"", 0}, 1}, ""};
    while (item.kind == LEAT_INI_END && ini->next < ini->end) {
        const size_t left = (size_t)(ini->end - ini->next);
        const char *found = memchr(ini->next, '\n', left);
        size_t length = found == NULL ? left : (size_t)(found - ini->next);
        const char *text = ini->next;
        ini->next = found == NULL ? ini->end : found + 1;
        ini->line++;
        if (found != NULL && length > 0 && text[length - 1] == '\r') {
            length--;
        }
        item = line_read(ini->line, (struct leat_ini_part){{text, length}, 1});
    }
    if (item.kind == LEAT_INI_BAD) {
        ini->next = ini->end;
    }
    return item;
}
