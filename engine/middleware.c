/* middleware.c - functions around handlers, see middleware.h. */
#include "engine/breaker.h"
#include "engine/engine_internal.h"

/* Letters: I set before it is in a list; S under the mutex. */
struct entry {
    leat_middleware function; /* I */
    void *context;            /* I */
    leat_atomic_pointer next; /* S */
};

/* Where an attempt is; on the stack of who calls it. */
struct leat_next {
    struct leat_run *run;
    const struct leat_binding *binding;
    const leat_atomic_pointer *link; /* to what is called next */
    bool of_type;                    /* the link is in the list of the type */
    bool ran;
    struct leat_outcome outcome; /* once it ran */
};

/* ---- an attempt ----------------------------------------------------------------------------- */

static struct entry *
link_read(const leat_atomic_pointer *link)
{
    /* link:A acquire -> append:A.  Carries: the entry.
     * If relaxed: an entry could be called that is not filled yet. */
    return atom_load_acq(link);
}

struct leat_outcome
leat_next_run(struct leat_next *next)
{
    if (next == NULL || next->ran) {
        return next == NULL ? leat_fail() : next->outcome;
    }
    struct leat_next behind = *next;
    struct entry *entry = link_read(behind.link);
    if (entry == NULL && !behind.of_type) {
        behind.link = &behind.binding->middlewares.first;
        behind.of_type = true;
        entry = link_read(behind.link);
    }
    next->ran = true;
    if (entry == NULL) {
        const struct leat_binding *plain = behind.binding->plain;
        next->outcome = plain->handler(behind.run, plain->context);
    } else {
        behind.link = &entry->next;
        next->outcome = entry->function(behind.run, &behind, entry->context);
    }
    return next->outcome;
}

/* The handler of a binding that has middleware. */
static struct leat_outcome
chain_run(struct leat_run *run, void *context)
{
    struct leat_next first = {.run = run,
                              .binding = context,
                              .link = &run->engine->chains.all.first,
                              .outcome = leat_fail()};
    return leat_next_run(&first);
}

/* ---- bindings ------------------------------------------------------------------------------- */

void
leat_middleware_lock(struct leat_engine *engine)
{
    leat_mutex_lock(&engine->chains.mutex);
}

void
leat_middleware_unlock(struct leat_engine *engine)
{
    leat_mutex_unlock(&engine->chains.mutex);
}

static struct leat_binding *
chained(struct leat_engine *engine, struct leat_binding *plain)
{
    struct leat_binding *binding = leat_memory_take(&engine->memory, sizeof(*binding));
    if (binding != NULL) {
        *binding = *plain;
        binding->handler = chain_run;
        binding->context = binding;
        binding->plain = plain;
    }
    return binding;
}

struct leat_binding *
leat_middleware_around(struct leat_engine *engine, struct leat_binding *plain)
{
    bool some = link_read(&engine->chains.all.first) != NULL;
    return some && plain->gather == NULL ? chained(engine, plain) : plain;
}

/* Sees to it that a type goes through the lists. pre: the lock; it is bound, and not to a batch. */
static bool
chain(struct leat_engine *engine, uint32_t type, struct leat_binding **binding)
{
    if ((*binding)->plain == NULL) {
        struct leat_binding *anew = chained(engine, *binding);
        if (anew == NULL) {
            return false;
        }
        /* chain:A release -> binding:A.  Carries: the binding.
         * If relaxed: an attempt could find it empty. */
        atom_store_rel(&engine->bindings[type], (void *)anew);
        *binding = anew;
    }
    return true;
}

static bool
chain_all(struct leat_engine *engine)
{
    bool made = true;
    for (uint32_t type = 0; made && type < engine->config.types_max; type++) {
        struct leat_binding *binding = leat_binding_of(engine, type);
        if (binding != NULL && binding->gather == NULL) {
            made = chain(engine, type, &binding);
        }
    }
    return made;
}

static void
entries_free(struct leat_engine *engine, struct leat_middlewares *list)
{
    struct entry *entry = link_read(&list->first);
    while (entry != NULL) {
        struct entry *next = link_read(&entry->next);
        leat_memory_give(&engine->memory, entry, sizeof(*entry));
        entry = next;
    }
}

void
leat_binding_free(struct leat_engine *engine, struct leat_binding *binding)
{
    if (binding != NULL) {
        leat_breaker_free(engine, binding->breaker);
    }
    if (binding != NULL && binding->plain != NULL) {
        entries_free(engine, &binding->middlewares);
        leat_memory_give(&engine->memory, binding->plain, sizeof(*binding));
    }
    leat_memory_give(&engine->memory, binding, sizeof(*binding));
}

/* ---- what the host asks --------------------------------------------------------------------- */

/* Where the next entry of a list goes. NULL: it is full. */
static leat_atomic_pointer *
list_end(struct leat_middlewares *list)
{
    leat_atomic_pointer *link = &list->first;
    struct entry *entry = link_read(link);
    uint32_t count = 0;
    while (entry != NULL) {
        link = &entry->next;
        entry = link_read(link);
        count++;
    }
    return count < LEAT_MIDDLEWARES_MAX ? link : NULL;
}

/* To all types, or to a bound one. pre: the lock. Where there is no memory for all types, some go
 * through the lists in vain, and run as before. */
static enum leat_status
add(struct leat_engine *engine, struct leat_binding *binding, uint32_t type,
    const struct entry *filled)
{
    struct entry *entry = leat_memory_take(&engine->memory, sizeof(*entry));
    enum leat_status status = LEAT_NO_MEMORY;
    if (entry != NULL && (binding == NULL ? chain_all(engine) : chain(engine, type, &binding))) {
        leat_atomic_pointer *end =
            list_end(binding == NULL ? &engine->chains.all : &binding->middlewares);
        status = end == NULL ? LEAT_FULL : LEAT_OK;
        if (end != NULL) {
            entry->function = filled->function;
            entry->context = filled->context;
            /* append:A release -> link:A.  Carries: see link:A.
             * If relaxed: see link:A. */
            atom_store_rel(end, (void *)entry);
        }
    }
    if (status != LEAT_OK) {
        leat_memory_give(&engine->memory, entry, sizeof(*entry));
    }
    return status;
}

/* pre: the lock. */
static enum leat_status
add_to_type(struct leat_engine *engine, uint32_t type, const struct entry *filled)
{
    struct leat_binding *binding =
        type < engine->config.types_max ? leat_binding_of(engine, type) : NULL;
    if (binding == NULL) {
        return LEAT_NOT_FOUND;
    }
    return binding->gather == NULL ? add(engine, binding, type, filled) : LEAT_UNSUPPORTED;
}

enum leat_status
leat_middleware_add(struct leat_engine *engine, leat_middleware function, void *context)
{
    const struct entry filled = {.function = function, .context = context};
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK && function == NULL) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        leat_middleware_lock(engine);
        status = add(engine, NULL, 0, &filled);
        leat_middleware_unlock(engine);
    }
    return status;
}

enum leat_status
leat_type_middleware_add(struct leat_engine *engine, leat_type type, leat_middleware function,
                         void *context)
{
    const struct entry filled = {.function = function, .context = context};
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK && function == NULL) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        leat_middleware_lock(engine);
        /* 0 - 1 is beyond every capacity. */
        status = add_to_type(engine, type.bits - 1, &filled);
        leat_middleware_unlock(engine);
    }
    return status;
}

/* ---- init and fini -------------------------------------------------------------------------- */

void
leat_middleware_init(struct leat_engine *engine)
{
    leat_mutex_init(&engine->chains.mutex);
}

void
leat_middleware_fini(struct leat_engine *engine)
{
    entries_free(engine, &engine->chains.all);
    leat_mutex_fini(&engine->chains.mutex);
}
