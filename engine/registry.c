/* registry.c - types and queues: names bound to handlers, and to options. */
#include "engine/breaker.h"
#include "engine/durable/durable.h"
#include "engine/gates.h"
#include "engine/gather.h"
#include "engine/key_rates.h"
#include "engine/options.h"
#include "engine/order.h"
#include "engine/terms.h"

#include <string.h>

#include "ring/rcu.h"

/* ---- names ---------------------------------------------------------------------------------- */

static enum leat_status
add_status(enum leat_names_result result)
{
    switch (result) {
    case LEAT_NAMES_OK:
    case LEAT_NAMES_FOUND:
        return LEAT_OK;
    case LEAT_NAMES_FULL:
        return LEAT_FULL;
    case LEAT_NAMES_NO_MEMORY:
        break;
    }
    return LEAT_NO_MEMORY;
}

static enum leat_status
find(struct leat_engine *engine, struct leat_names *names, const char *name, uint32_t *bits)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (name == NULL || bits == NULL || !leat_name_valid(name)) {
        return LEAT_INVALID;
    }
    uint32_t index = leat_names_find(names, name);
    if (index == LEAT_NAME_NONE) {
        return LEAT_NOT_FOUND;
    }
    *bits = index + 1;
    return LEAT_OK;
}

static enum leat_status
text(struct leat_engine *engine, const struct leat_names *names, uint32_t bits, const char **name)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (name == NULL) {
        return LEAT_INVALID;
    }
    /* 0 - 1 is beyond every capacity. */
    const char *found = leat_names_text(names, bits - 1);
    if (found == NULL) {
        return LEAT_NOT_FOUND;
    }
    *name = found;
    return LEAT_OK;
}

/* ---- types ---------------------------------------------------------------------------------- */

static void
binding_free(struct leat_engine *engine, struct leat_binding *binding)
{
    if (binding != NULL) {
        leat_breaker_free(engine, binding->breaker);
        leat_memory_give(&engine->memory, binding, sizeof(*binding));
    }
}

static enum leat_status
binding_make(struct leat_engine *engine, const struct leat_type_options *known,
             struct leat_binding **made)
{
    struct leat_backoff backoff;
    enum leat_status status = leat_backoff_read(&backoff, known->retry, NULL);
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_binding *binding = leat_memory_take(&engine->memory, sizeof(*binding));
    if (binding == NULL) {
        return LEAT_NO_MEMORY;
    }
    binding->max_attempts = known->max_attempts;
    binding->timeout_ns = known->timeout_ns;
    binding->backoff = backoff;
    if (known->breaker != NULL) {
        binding->breaker = leat_breaker_make(engine, known->breaker);
        if (binding->breaker == NULL) {
            binding_free(engine, binding);
            return LEAT_NO_MEMORY;
        }
    }
    *made = binding;
    return LEAT_OK;
}

/* Binds once. False: it is bound already. */
static bool
bind(struct leat_engine *engine, uint32_t type, struct leat_binding *binding)
{
    void *unbound = NULL;
    if (binding->breaker != NULL) {
        binding->breaker->type = type;
    }
    /* bind:A acq_rel -> binding:A.  Carries: see binding:A.
     * If relaxed: see binding:A. */
    return atom_cas_acq_rel(&engine->bindings[type], &unbound, binding);
}

/* Binds the name to a binding; what goes with it learns its type. Where it is not bound, the caller
 * has it. */
static enum leat_status
type_bind(struct leat_engine *engine, const char *name, struct leat_binding *plain, uint32_t *index)
{
    leat_middleware_lock(engine);
    struct leat_binding *binding = leat_middleware_around(engine, plain);
    enum leat_status status =
        binding == NULL ? LEAT_NO_MEMORY : add_status(leat_names_add(&engine->types, name, index));
    if (status == LEAT_OK && plain->gather != NULL) {
        plain->gather->type = *index;
    }
    if (status == LEAT_OK && !bind(engine, *index, binding)) {
        status = LEAT_EXISTS;
    }
    leat_middleware_unlock(engine);
    if (status != LEAT_OK && binding != plain) {
        leat_memory_give(&engine->memory, binding, sizeof(*binding));
    }
    return status;
}

/* What comes behind the binding. */
static enum leat_status
type_bound(struct leat_engine *engine, uint32_t index, const struct leat_type_options *known,
           leat_type *type)
{
    const leat_type bound = {index + 1};
    struct leat_breaker *breaker = leat_binding_of(engine, index)->breaker;
    enum leat_status status = LEAT_OK;
    if (breaker != NULL) {
        leat_breaker_stand(breaker);
    }
    if (known->running_max != 0) {
        status = leat_type_set_running_max(engine, bound, known->running_max);
    }
    if (status == LEAT_OK && known->rate.jobs != 0) {
        status = leat_type_set_rate(engine, bound, known->rate);
    }
    if (status == LEAT_OK && known->key_rate.jobs != 0) {
        status = leat_type_set_key_rate(engine, bound, known->key_rate);
    }
    if (status == LEAT_OK && known->running_min != 0) {
        status = leat_type_set_running_min(engine, bound, known->running_min);
    }
    leat_watch_expect(engine, known->timeout_ns);
    if (type != NULL) {
        *type = bound;
    }
    return status;
}

enum leat_status
leat_type_register(struct leat_engine *engine, const char *name, leat_handler handler,
                   void *context, const struct leat_type_options *options, leat_type *type)
{
    struct leat_type_options known;
    uint32_t index = 0;
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK && (name == NULL || handler == NULL || !leat_name_valid(name))) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        status = leat_type_options_read(&known, options, NULL);
    }
    if (status == LEAT_OK && (known.batch_max != 0 || known.batch_delay_ns != 0)) {
        status = LEAT_INVALID;
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_binding *binding = NULL;
    status = binding_make(engine, &known, &binding);
    if (status != LEAT_OK) {
        return status;
    }
    binding->handler = handler;
    binding->context = context;
    status = type_bind(engine, name, binding, &index);
    if (status != LEAT_OK) {
        binding_free(engine, binding);
        return status;
    }
    return type_bound(engine, index, &known, type);
}

enum leat_status
leat_type_register_batch(struct leat_engine *engine, const char *name, leat_batch_handler handler,
                         void *context, const struct leat_type_options *options, leat_type *type)
{
    struct leat_type_options known;
    uint32_t index = 0;
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK && (name == NULL || handler == NULL || !leat_name_valid(name))) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        status = leat_type_options_read(&known, options, NULL);
    }
    if (status == LEAT_OK && known.batch_max == 0) {
        status = LEAT_INVALID;
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_binding *binding = NULL;
    struct leat_gather *gather = NULL;
    status = binding_make(engine, &known, &binding);
    if (status == LEAT_OK) {
        gather = leat_gather_make(engine, handler, context, &known);
        status = gather == NULL ? LEAT_NO_MEMORY : LEAT_OK;
    }
    if (status == LEAT_OK) {
        binding->handler = leat_gather_single;
        binding->context = gather;
        binding->gather = gather;
        status = type_bind(engine, name, binding, &index);
    }
    if (status != LEAT_OK) {
        leat_gather_free(gather);
        binding_free(engine, binding);
        return status;
    }
    leat_gather_begin(gather);
    return type_bound(engine, index, &known, type);
}

enum leat_status
leat_type_find(struct leat_engine *engine, const char *name, leat_type *type)
{
    return find(engine, engine == NULL ? NULL : &engine->types, name,
                type == NULL ? NULL : &type->bits);
}

enum leat_status
leat_type_name(struct leat_engine *engine, leat_type type, const char **name)
{
    return text(engine, engine == NULL ? NULL : &engine->types, type.bits, name);
}

/* ---- queues --------------------------------------------------------------------------------- */

static struct leat_queue_limits
limits_of(const struct leat_queue_options *options)
{
    struct leat_queue_limits limits = leat_queue_limits_default();
    limits.waiting_max = options->waiting_max;
    limits.full = options->full;
    limits.waiting_bytes_max = options->waiting_bytes_max;
    limits.block_ns = options->block_ns;
    return limits;
}

/* Another thread is first. Ends: while the queue is not there, that thread is between two swaps. */
static enum leat_status
queue_await(const struct leat_engine *engine, uint32_t index)
{
    while (!leat_registry_queue_there(engine, index)) {
        leat_os_yield();
    }
    return LEAT_EXISTS;
}

/* The order has to stand when the first job comes. False: another thread is first. */
static bool
queue_make_exact(struct leat_engine *engine, uint32_t index, uint64_t set)
{
    leat_atomic_u64 *word = &engine->pool.queues[index].options;
    uint64_t unset = 0;
    leat_gates_settle(engine);
    /* queue:C acq_rel -> queue:A, queue:D.  Carries: nothing but the word itself.
     * If relaxed: nothing changes. */
    if (!atom_cas_acq_rel(word, &unset, LEAT_QUEUE_MAKING)) {
        return false;
    }
    leat_order_set(engine, index);
    /* queue:D release -> queue:A, queue:B, queue:C.  Carries: see queue:B.
     * If relaxed: see queue:B. */
    atom_store_rel(word, set);
    return true;
}

static bool
queue_make(struct leat_engine *engine, uint32_t index, uint64_t set)
{
    uint64_t unset = 0;
    /* queue:A acq_rel -> queue:B, queue:C, queue:D.  Carries: nothing but the word itself.
     * If relaxed: nothing changes. */
    return atom_cas_acq_rel(&engine->pool.queues[index].options, &unset, set);
}

static enum leat_status
queue_limit(struct leat_engine *engine, uint32_t index, const struct leat_queue_options *options)
{
    bool tuned = (leat_durable_tuned_by_calls(engine, index) & LEAT_TUNED_LIMITS) != 0;
    const struct leat_queue_limits limits =
        tuned ? leat_room_limits(engine, index) : limits_of(options);
    enum leat_status status = leat_room_set(engine, index, &limits, options->tenant);
    if (status == LEAT_OK && options->tenant.bits != 0) {
        leat_tenants_join(engine, index, options->tenant);
    }
    return status;
}

/* A queue's word holds its options once they are set: who creates it by submitting to it and who
 * creates it with options may meet, and the first wins. */
static enum leat_status
queue_add(struct leat_engine *engine, const char *name, const struct leat_queue_options *options,
          uint32_t *index)
{
    enum leat_names_result added = leat_names_add(&engine->queues, name, index);
    enum leat_status status = add_status(added);
    if (status != LEAT_OK) {
        return status;
    }
    uint64_t set = (uint64_t)options->priority + 1;
    bool exact = options->order == LEAT_ORDER_EXACT;
    set |= (options->pull ? LEAT_QUEUE_PULL : 0) | (exact ? LEAT_QUEUE_EXACT : 0);
    if (!(exact ? queue_make_exact(engine, *index, set) : queue_make(engine, *index, set))) {
        return queue_await(engine, *index);
    }
    return queue_limit(engine, *index, options);
}

/* One that an open has made for a log is made anew by who first asks for it with the options that
 * it had. A tenant comes in front of the first job that is counted, or not at all. */
static bool
queue_adopt(struct leat_engine *engine, uint32_t index, const struct leat_queue_options *options)
{
    leat_atomic_u64 *word = &engine->pool.queues[index].options;
    uint64_t asked = (uint64_t)options->priority + 1 + LEAT_QUEUE_REVIVED;
    asked |= options->pull ? LEAT_QUEUE_PULL : 0;
    asked |= options->order == LEAT_ORDER_EXACT ? LEAT_QUEUE_EXACT : 0;
    const uint64_t may = options->tenant.bits == 0 ? LEAT_QUEUE_LIMITED : 0;
    uint64_t now = atom_load_rlx(word); /* rlx: hint, re-checked at adopt:A */
    do {
        if ((now & ~may) != asked) {
            return false;
        }
        /* adopt:A acq_rel -> adopt:A.  Carries: nothing but the word itself.
         * If relaxed: nothing changes. */
    } while (!atom_cas_acq_rel(word, &now, now - LEAT_QUEUE_REVIVED));
    return true;
}

static enum leat_status
queue_create(struct leat_engine *engine, const char *name, const struct leat_queue_options *options,
             uint32_t *index)
{
    enum leat_status status = queue_add(engine, name, options, index);
    if (status != LEAT_EXISTS || !queue_adopt(engine, *index, options)) {
        return status;
    }
    return queue_limit(engine, *index, options);
}

enum leat_status
leat_registry_queue_revive(struct leat_engine *engine, const char *name,
                           const struct leat_queue_options *options, uint32_t *index)
{
    enum leat_status status = queue_add(engine, name, options, index);
    return status == LEAT_EXISTS ? LEAT_OK : status;
}

void
leat_registry_queues_revived(struct leat_engine *engine)
{
    for (uint32_t i = 1; i < engine->config.queues_max; i++) {
        leat_atomic_u64 *options = &engine->pool.queues[i].options;
        uint64_t now = atom_load_rlx(options); /* rlx: not shared yet */
        if (now != 0) {
            atom_store_rlx(options, now | LEAT_QUEUE_REVIVED); /* rlx: not shared yet */
        }
    }
}

bool
leat_registry_queue_there(const struct leat_engine *engine, uint32_t index)
{
    /* queue:B acquire -> queue:A, queue:D.  Carries: that it is in exact order.
     * If relaxed: its first job could be put into the ring. */
    return index < engine->config.queues_max &&
           (uint32_t)atom_load_acq(&engine->pool.queues[index].options) != 0;
}

enum leat_status
leat_registry_queue_check(const struct leat_engine *engine, leat_queue queue, uint32_t *index)
{
    enum leat_status status = leat_engine_check(engine);
    *index = queue.bits - 1; /* 0 - 1 is beyond every capacity */
    if (status == LEAT_OK && !leat_registry_queue_there(engine, *index)) {
        status = LEAT_NOT_FOUND;
    }
    return status;
}

/* What its options say beside its limits; but what a log has brought back stays. */
static enum leat_status
queue_tune(struct leat_engine *engine, uint32_t index, const struct leat_queue_options *options)
{
    const uint32_t tuned = leat_durable_tuned_by_calls(engine, index);
    enum leat_status status = LEAT_OK;
    if (options->running_max != 0 && (tuned & LEAT_TUNED_RUNNING_MAX) == 0) {
        leat_gates_cap(engine, index, options->running_max);
    }
    if (options->rate.jobs != 0 && (tuned & LEAT_TUNED_RATE) == 0) {
        leat_gates_rate(engine, index, &options->rate);
    }
    if (options->key_rate.jobs != 0 && (tuned & LEAT_TUNED_KEY_RATE) == 0) {
        status = leat_key_rates_set(engine, index, &options->key_rate);
    }
    if (status == LEAT_OK && options->running_min != 0 && (tuned & LEAT_TUNED_RUNNING_MIN) == 0) {
        status = leat_reserves_set(engine, index, options->running_min);
    }
    if (status == LEAT_OK && options->weight != 0 && (tuned & LEAT_TUNED_WEIGHT) == 0) {
        leat_order_weigh(engine, index, options->weight);
    }
    return status;
}

enum leat_status
leat_queue_create(struct leat_engine *engine, const char *name,
                  const struct leat_queue_options *options, leat_queue *queue)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (name == NULL || queue == NULL || !leat_name_valid(name)) {
        return LEAT_INVALID;
    }
    struct leat_queue_options known;
    status = leat_queue_options_read(&known, options, NULL);
    if (status == LEAT_OK) {
        const struct leat_queue_limits limits = limits_of(&known);
        status = leat_room_check(engine, &limits, known.tenant);
    }
    uint32_t index = 0;
    if (status == LEAT_OK) {
        status = queue_create(engine, name, &known, &index);
    }
    if (status == LEAT_OK || status == LEAT_EXISTS) {
        queue->bits = index + 1;
    }
    if (status == LEAT_OK) {
        leat_durable_queue(engine, index);
    }
    return status == LEAT_OK ? queue_tune(engine, index, &known) : status;
}

enum leat_status
leat_queue_find(struct leat_engine *engine, const char *name, leat_queue *queue)
{
    uint32_t bits = 0;
    enum leat_status status =
        find(engine, engine == NULL ? NULL : &engine->queues, name, queue == NULL ? NULL : &bits);
    if (status == LEAT_OK && !leat_registry_queue_there(engine, bits - 1)) {
        status = LEAT_NOT_FOUND;
    }
    if (status == LEAT_OK) {
        queue->bits = bits;
    }
    return status;
}

enum leat_status
leat_queue_name(struct leat_engine *engine, leat_queue queue, const char **name)
{
    return text(engine, engine == NULL ? NULL : &engine->queues, queue.bits, name);
}

/* ---- what a job names ----------------------------------------------------------------------- */

enum leat_status
leat_registry_type_named(struct leat_engine *engine, const struct leat_job *job, uint32_t *type)
{
    if (job->type_name == NULL) {
        return LEAT_INVALID;
    }
    *type = leat_names_find(&engine->types, job->type_name);
    if (LEAT_LIKELY(*type != LEAT_NAME_NONE)) {
        return LEAT_OK;
    }
    if (!leat_name_valid(job->type_name)) {
        return LEAT_INVALID;
    }
    /* Asked again when the job is pushed; here, so that a closed engine takes no new name in. */
    if (!leat_engine_accepts(engine)) {
        return LEAT_CLOSED;
    }
    return add_status(leat_names_add(&engine->types, job->type_name, type));
}

enum leat_status
leat_registry_queue_named(struct leat_engine *engine, const struct leat_job *job, uint32_t *queue)
{
    if (job->queue.bits != 0) {
        *queue = job->queue.bits - 1;
        return leat_registry_queue_there(engine, *queue) ? LEAT_OK : LEAT_NOT_FOUND;
    }
    *queue = leat_names_find(&engine->queues, job->queue_name);
    /* A name whose options are not set yet is being created at this moment; so may we. */
    if (*queue != LEAT_NAME_NONE && leat_registry_queue_there(engine, *queue)) {
        return LEAT_OK;
    }
    if (!leat_name_valid(job->queue_name)) {
        return LEAT_INVALID;
    }
    if (!leat_engine_accepts(engine)) {
        return LEAT_CLOSED;
    }
    const struct leat_queue_options defaults = leat_queue_options_default();
    enum leat_status status = queue_add(engine, job->queue_name, &defaults, queue);
    return status == LEAT_EXISTS ? LEAT_OK : status;
}

/* ---- init and fini -------------------------------------------------------------------------- */

bool
leat_registry_init(struct leat_engine *engine)
{
    const struct leat_memory *memory = &engine->memory;
    uint32_t types = engine->config.types_max;
    uint32_t queues = engine->config.queues_max;
    leat_middleware_init(engine);
    engine->bindings = leat_memory_take(memory, sizeof(leat_atomic_pointer) * types);
    bool named = leat_names_init(&engine->types, types, memory, &engine->domain);
    named = leat_names_init(&engine->queues, queues, memory, &engine->domain) && named;
    if (!named || engine->bindings == NULL) {
        return false;
    }
    uint32_t first = 0;
    const struct leat_queue_options defaults = leat_queue_options_default();
    enum leat_status status = leat_backoff_read(&engine->backoff, NULL, NULL);
    LEAT_ASSERT(status == LEAT_OK);
    return queue_add(engine, "default", &defaults, &first) == LEAT_OK;
}

void
leat_registry_fini(struct leat_engine *engine)
{
    const struct leat_memory *memory = &engine->memory;
    uint32_t types = engine->config.types_max;
    for (uint32_t i = 0; engine->bindings != NULL && i < types; i++) {
        void *binding = atom_load_rlx(&engine->bindings[i]); /* rlx: single writer */
        leat_binding_free(engine, binding);
    }
    leat_memory_give(memory, engine->bindings, sizeof(leat_atomic_pointer) * types);
    leat_gathers_fini(engine);
    leat_middleware_fini(engine);
    leat_names_fini(&engine->types);
    leat_names_fini(&engine->queues);
}
