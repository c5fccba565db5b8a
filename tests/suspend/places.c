/* places.c - see places.h. */
#include "tests/suspend/places.h"

#include <stdio.h>
#include <string.h>

int
suspend_word_of(const char *text, const char **word)
{
    size_t length = strlen(text);
    *word = text;
    while (length >= 2 && (*word)[0] == '(' && (*word)[length - 1] == ')') {
        (*word)++;
        length -= 2;
    }
    return (int)length;
}

bool
suspend_place_is(const struct freeze_place *place, const char *text)
{
    char name[256];
    const char *word = NULL;
    int length = suspend_word_of(place->text, &word);
    (void)snprintf(name, sizeof(name), "%s %s %.*s", place->file, place->kind, length, word);
    return strcmp(name, text) == 0;
}

bool
suspend_expected(const char *const *names, const struct freeze_place *place)
{
    for (uint32_t i = 0; i < SUSPEND_PLACES_MAX && names[i] != NULL; i++) {
        if (suspend_place_is(place, names[i])) {
            return true;
        }
    }
    return false;
}

bool
suspend_all_there(const struct freeze_places *list, const char *const *names)
{
    bool good = true;
    for (uint32_t i = 0; i < SUSPEND_PLACES_MAX && names[i] != NULL; i++) {
        bool found = false;
        for (uint32_t j = 0; j < list->count; j++) {
            found = found || suspend_place_is(&list->places[j], names[i]);
        }
        good = good && found;
    }
    return good;
}
