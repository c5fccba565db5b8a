/* memory.h - where the ready-made types take their memory: from the host's malloc, as any program
 * that sees <leat.h> only. */
#ifndef ENGINE_TYPES_MEMORY_H
#define ENGINE_TYPES_MEMORY_H

#include <stddef.h>

/* All zero; NULL: there is none. */
void *leat_types_take(size_t bytes);
/* What was there stays; NULL: there is none, and it is as it was. */
void *leat_types_grow(void *memory, size_t bytes);
/* NULL does nothing. Copies are held as const. */
void leat_types_give(const void *memory);
/* A copy that ends in a NUL; NULL of NULL. *failed is set where there is no memory. */
char *leat_types_copy(const void *bytes, size_t count, int *failed);
char *leat_types_copy_text(const char *text, int *failed);

#endif
