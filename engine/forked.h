/* forked.h - whether this process was forked while its parent had an engine open. liburcu goes on
 * counting the parent's threads there, so an engine of such a child may wait for one that is not.
 *
 * The one word of the library that all engines of a process share: it is inherited, and an engine
 * of the parent is not the child's to be asked. Two engines do not meet in it but for their number.
 *
 * Roles    any thread opens and closes.
 * Progress of no interest: an open waits for the system anyway. A process that has by chance the
 *          number of its parent, in a space of numbers of its own, is taken for that.
 */
#ifndef ENGINE_FORKED_H
#define ENGINE_FORKED_H

#include <stdbool.h>

/* An engine is about to be opened. False: it must not be; else leat_forked_leave() follows when it
 * is closed, or was not opened. */
bool leat_forked_enter(void);
void leat_forked_leave(void);

#endif
