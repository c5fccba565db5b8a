/* memory.c - see memory.h. */
#include "engine/types/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *
leat_types_take(size_t bytes)
{
    return calloc(1, bytes);
}

void *
leat_types_grow(void *memory, size_t bytes)
{
    return realloc(memory, bytes);
}

void
leat_types_give(const void *memory)
{
    free((void *)(uintptr_t)memory); /* NOLINT(performance-no-int-to-ptr) */
}

char *
leat_types_copy(const void *bytes, size_t count, int *failed)
{
    if (bytes == NULL) {
        return NULL;
    }
    char *copy = leat_types_take(count + 1);
    if (copy == NULL) {
        *failed = 1;
        return NULL;
    }
    memcpy(copy, bytes, count);
    return copy;
}

char *
leat_types_copy_text(const char *text, int *failed)
{
    return leat_types_copy(text, text == NULL ? 0 : strlen(text), failed);
}
