/* middleware.h - functions around handlers, of all types and of one. Why so: docs/design/0024.
 *
 * A type without any is bound to its handler, and an attempt pays nothing. The first one binds it
 * anew: to a function that goes through two lists, those of all types and those of its own, and
 * then calls the handler. Lists only grow, at their end, so that who is at one goes on with what it
 * has. What a type was bound to before stays until the engine is closed: attempts may be in it.
 *
 * Source   ours.
 * Roles    any thread adds, under the mutex of `chains`; any worker reads.
 * Claims   an attempt  wait-free. An add is BLOCKING in the mutex, as is a registration; no
 *          function of the user's is called under it.
 * I1       a bound type has a `plain` binding where a list of all types, or its own, has an entry
 * I2       a list has at most LEAT_MIDDLEWARES_MAX entries
 * Edges    append:A -> link:A   the entry
 * If a thread stops for ever: behind the lock, nobody adds or registers any more; attempts go on.
 */
#ifndef ENGINE_MIDDLEWARE_H
#define ENGINE_MIDDLEWARE_H

#include "engine/leat.h"
#include "engine/limits.h"
#include "ring/atomic.h"
#include "ring/mutex.h"

struct leat_binding;

/* A list of struct entry. Letters: S many writers, under the mutex. */
struct leat_middlewares {
    leat_atomic_pointer first; /* S NULL: none */
};

/* What an engine has of it. Letters: S many writers. */
struct leat_chains {
    pthread_mutex_t mutex;       /* S of all bindings and lists */
    struct leat_middlewares all; /* S around the handlers of all types */
};

void leat_middleware_init(struct leat_engine *engine);
void leat_middleware_fini(struct leat_engine *engine);

void leat_middleware_lock(struct leat_engine *engine);
void leat_middleware_unlock(struct leat_engine *engine);

/* What a type is to be bound to that would be bound to `plain`: that, or what goes through the
 * middleware of all types. NULL: no memory. pre: the lock. */
struct leat_binding *leat_middleware_around(struct leat_engine *engine, struct leat_binding *plain);
/* Frees a binding, with its list and its plain one. NULL does nothing. */
void leat_binding_free(struct leat_engine *engine, struct leat_binding *binding);

#endif
