/* tenants.c - tenants, see tenants.h. */
#include "engine/tenants.h"

#include "engine/gates.h"

LEAT_STATIC((uint32_t)(LEAT_NAME_NONE + 1) == 0, "no name is no tenant");

/* ---- names ---------------------------------------------------------------------------------- */

struct leat_tenant_room *
leat_tenant_room(const struct leat_engine *engine, leat_tenant tenant)
{
    if (LEAT_LIKELY(tenant.bits == 0) || tenant.bits > engine->config.queues_max) {
        return NULL;
    }
    struct leat_tenant_room *room = &engine->tenants.rooms[tenant.bits - 1];
    /* tenant:A acquire -> tenant:B.  Carries: its first limits.
     * If relaxed: a submit could find it without any. */
    return atom_load_acq(&room->there) != 0 ? room : NULL;
}

static enum leat_status
room_check(const struct leat_engine *engine, leat_tenant tenant, struct leat_tenant_room **room)
{
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK) {
        *room = leat_tenant_room(engine, tenant);
        status = *room == NULL ? LEAT_NOT_FOUND : LEAT_OK;
    }
    return status;
}

enum leat_status
leat_tenant_find(struct leat_engine *engine, const char *name, leat_tenant *tenant)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (name == NULL || tenant == NULL || !leat_name_valid(name)) {
        return LEAT_INVALID;
    }
    /* That of no index is 0. */
    const leat_tenant found = {leat_names_find(&engine->tenants.names, name) + 1};
    if (leat_tenant_room(engine, found) == NULL) {
        return LEAT_NOT_FOUND;
    }
    *tenant = found;
    return LEAT_OK;
}

enum leat_status
leat_tenant_name(struct leat_engine *engine, leat_tenant tenant, const char **name)
{
    struct leat_tenant_room *room = NULL;
    enum leat_status status = room_check(engine, tenant, &room);
    if (status == LEAT_OK && name == NULL) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        *name = leat_names_text(&engine->tenants.names, tenant.bits - 1);
    }
    return status;
}

/* ---- limits --------------------------------------------------------------------------------- */

static enum leat_status
options_read(struct leat_tenant_options *known, const struct leat_tenant_options *given)
{
    *known = leat_tenant_options_default();
    return given == NULL ? LEAT_OK : leat_struct_read(known, sizeof(*known), given);
}

static enum leat_status
add(struct leat_engine *engine, const char *name, leat_tenant *tenant)
{
    uint32_t index = 0;
    enum leat_status status = LEAT_NO_MEMORY;
    switch (leat_names_add(&engine->tenants.names, name, &index)) {
    case LEAT_NAMES_OK:
        status = LEAT_OK;
        break;
    case LEAT_NAMES_FOUND:
        status = LEAT_EXISTS;
        break;
    case LEAT_NAMES_FULL:
        return LEAT_FULL;
    case LEAT_NAMES_NO_MEMORY:
        return LEAT_NO_MEMORY;
    }
    tenant->bits = index + 1;
    return status;
}

enum leat_status
leat_tenant_create(struct leat_engine *engine, const char *name,
                   const struct leat_tenant_options *options, leat_tenant *tenant)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (name == NULL || tenant == NULL || !leat_name_valid(name)) {
        return LEAT_INVALID;
    }
    struct leat_tenant_options known;
    status = options_read(&known, options);
    if (status == LEAT_OK) {
        status = add(engine, name, tenant);
    }
    if (status == LEAT_OK) {
        struct leat_tenant_room *room = &engine->tenants.rooms[tenant->bits - 1];
        (void)leat_room_limit(&room->room, known.jobs_max, known.bytes_max);
        /* tenant:B release -> tenant:A.  Carries: see tenant:A.
         * If relaxed: see tenant:A. */
        atom_store_rel(&room->there, 1);
    }
    return status;
}

enum leat_status
leat_tenant_set_limits(struct leat_engine *engine, leat_tenant tenant,
                       const struct leat_tenant_options *options)
{
    struct leat_tenant_room *room = NULL;
    struct leat_tenant_options known;
    enum leat_status status = room_check(engine, tenant, &room);
    if (status == LEAT_OK && options == NULL) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        status = options_read(&known, options);
    }
    if (status == LEAT_OK && leat_room_limit(&room->room, known.jobs_max, known.bytes_max)) {
        leat_room_ring_tenant(engine, tenant);
    }
    return status;
}

enum leat_status
leat_tenant_get(struct leat_engine *engine, leat_tenant tenant, struct leat_tenant_info *info)
{
    struct leat_tenant_room *room = NULL;
    enum leat_status status = room_check(engine, tenant, &room);
    if (status == LEAT_OK && info == NULL) {
        status = LEAT_INVALID;
    }
    if (status != LEAT_OK) {
        return status;
    }
    struct leat_tenant_info filled = leat_tenant_info_default();
    filled.jobs_max = (uint32_t)leat_quota_most(&room->room.jobs);
    filled.bytes_max = leat_quota_most(&room->room.bytes);
    filled.jobs = leat_quota_used(&room->room.jobs);
    filled.bytes = leat_quota_used(&room->room.bytes);
    filled.queues = atom_load_rlx(&room->queues);   /* rlx: statistic */
    filled.refused = atom_load_rlx(&room->refused); /* rlx: statistic */
    return leat_struct_write(info, &filled, sizeof(filled));
}

/* ---- rates ---------------------------------------------------------------------------------- */

static void
gate(struct leat_engine *engine, uint32_t queue)
{
    leat_lists_gate(&engine->pool, queue);
    leat_gate_use(leat_gate_of(engine, queue));
}

void
leat_tenants_join(struct leat_engine *engine, uint32_t queue, leat_tenant tenant)
{
    struct leat_tenants *tenants = &engine->tenants;
    leat_mutex_lock(&tenants->mutex);
    if (tenants->rooms[tenant.bits - 1].rated) {
        gate(engine, queue);
        leat_gates_settle(engine);
    }
    leat_mutex_unlock(&tenants->mutex);
}

/* pre: the mutex. */
static void
rate_set(struct leat_engine *engine, leat_tenant tenant, const struct leat_rate *rate)
{
    engine->tenants.rooms[tenant.bits - 1].rated = true;
    for (uint32_t queue = 0; queue < engine->config.queues_max; queue++) {
        if (leat_room_tenant(engine, queue) == tenant.bits) {
            gate(engine, queue);
        }
    }
    leat_buckets_set(engine, leat_gates_list_tenant(engine, tenant.bits - 1), rate);
}

enum leat_status
leat_tenant_set_rate(struct leat_engine *engine, leat_tenant tenant, struct leat_rate rate)
{
    struct leat_tenant_room *room = NULL;
    enum leat_status status = room_check(engine, tenant, &room);
    if (status == LEAT_OK && !leat_rate_valid(&rate)) {
        status = LEAT_INVALID;
    }
    if (status == LEAT_OK) {
        leat_mutex_lock(&engine->tenants.mutex);
        rate_set(engine, tenant, &rate);
        leat_mutex_unlock(&engine->tenants.mutex);
    }
    return status;
}

/* ---- init and fini -------------------------------------------------------------------------- */

static size_t
rooms_bytes(const struct leat_config *concrete)
{
    return sizeof(struct leat_tenant_room) * concrete->queues_max;
}

size_t
leat_tenants_bytes(const struct leat_config *concrete)
{
    return rooms_bytes(concrete) + sizeof(leat_atomic_pointer) * concrete->queues_max;
}

bool
leat_tenants_init(struct leat_engine *engine)
{
    struct leat_tenants *tenants = &engine->tenants;
    tenants->bytes = rooms_bytes(&engine->config);
    tenants->rooms = leat_os_map(tenants->bytes);
    bool named = leat_names_init(&tenants->names, engine->config.queues_max, &engine->memory,
                                 &engine->domain);
    leat_mutex_init(&tenants->mutex);
    return named && tenants->rooms != NULL;
}

void
leat_tenants_fini(struct leat_engine *engine)
{
    leat_names_fini(&engine->tenants.names);
    if (engine->tenants.bytes != 0) {
        leat_os_unmap(engine->tenants.rooms, engine->tenants.bytes);
        leat_mutex_fini(&engine->tenants.mutex);
    }
}
