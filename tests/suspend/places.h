/* places.h - steps by their names in the tables of tests/suspend/. */
#ifndef TESTS_SUSPEND_PLACES_H
#define TESTS_SUSPEND_PLACES_H

#include "tests/suspend/suspend.h"

/* The operation's word without the brackets that macros put around it; its length. */
int suspend_word_of(const char *text, const char **word);
/* Whether `text` is "FILE KIND WORD" of the place. */
bool suspend_place_is(const struct freeze_place *place, const char *text);
/* Whether the place is one of the table's, which end with NULL. */
bool suspend_expected(const char *const *names, const struct freeze_place *place);
/* Whether all of the table's are in the list. */
bool suspend_all_there(const struct freeze_places *list, const char *const *names);

#endif
