/* op_tenants.c - tenants: created, found, limited. What they bound is in op_limits.c, their rate in
 * op_rates.c. */
#include "tests/reference/reference.h"

#include <inttypes.h>

static const char *
name_of(uint32_t tenant)
{
    static const char *const names[REF_TENANTS] = {"acme", "b", "c.d", "ee", "f_f", "g"};
    return names[tenant];
}

/* One that is there, or REF_NONE. */
uint32_t
ref_tenant_draw(struct ref_world *world, leat_tenant *handle)
{
    uint32_t tenant = ref_below(world, ref_chance(world, 80) ? 2 : REF_TENANTS);
    *handle = world->tenants[tenant].handle;
    return handle->bits == 0 ? REF_NONE : tenant;
}

static uint32_t
known(const struct ref_world *world)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < REF_TENANTS; i++) {
        count += world->tenants[i].handle.bits != 0 ? 1 : 0;
    }
    return count;
}

static void
draw(struct ref_world *world, struct ref_limits *limits, struct leat_tenant_options *options)
{
    ref_limits_draw(world, limits);
    limits->bytes_max *= 2;
    options->jobs_max = (uint32_t)limits->jobs_max;
    options->bytes_max = limits->bytes_max;
}

/* ---- operations ------------------------------------------------------------------------------ */

void
ref_op_tenant_create(struct ref_world *world)
{
    struct leat_tenant_options options = leat_tenant_options_default();
    struct ref_limits limits = {0, 0};
    uint32_t tenant = ref_below(world, ref_chance(world, 80) ? 2 : REF_TENANTS);
    struct ref_tenant *of = &world->tenants[tenant];
    leat_tenant handle = {0};
    bool ours = ref_chance(world, 10);
    if (!ours) {
        draw(world, &limits, &options);
    }
    enum leat_status right = known(world) >= world->config.queues_max ? LEAT_FULL : LEAT_OK;
    right = of->handle.bits != 0 ? LEAT_EXISTS : right;
    ref_note(world, tenant, limits.jobs_max, limits.bytes_max);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right),
               leat_tenant_create(world->engine, name_of(tenant), ours ? NULL : &options, &handle));
    if (right == LEAT_EXISTS && handle.bits != of->handle.bits) {
        ref_fail(world, NULL, "the tenant %s has another handle", name_of(tenant));
    }
    if (right == LEAT_OK) {
        of->handle = handle;
        of->limits = limits;
    }
}

void
ref_op_tenant_find(struct ref_world *world)
{
    uint32_t tenant = ref_below(world, REF_TENANTS);
    leat_tenant handle = {77};
    bool there = world->tenants[tenant].handle.bits != 0;
    ref_note(world, tenant, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(there ? LEAT_OK : LEAT_NOT_FOUND),
               leat_tenant_find(world->engine, name_of(tenant), &handle));
    if (handle.bits != (there ? world->tenants[tenant].handle.bits : 77)) {
        ref_fail(world, NULL, "the tenant %s has another handle", name_of(tenant));
    }
}

void
ref_op_tenant_limits(struct ref_world *world)
{
    struct leat_tenant_options options = leat_tenant_options_default();
    struct ref_limits limits;
    leat_tenant handle;
    uint32_t tenant = ref_tenant_draw(world, &handle);
    draw(world, &limits, &options);
    ref_note(world, tenant, limits.jobs_max, limits.bytes_max);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(tenant == REF_NONE ? LEAT_NOT_FOUND : LEAT_OK),
               leat_tenant_set_limits(world->engine, handle, &options));
    if (tenant != REF_NONE) {
        world->tenants[tenant].limits = limits;
    }
}

/* ---- what a tenant tells --------------------------------------------------------------------- */

static uint32_t
queues_of(const struct ref_world *world, uint32_t tenant)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        const struct ref_queue *queue = &world->queues[i];
        count += queue->handle.bits != 0 && queue->tenant == tenant ? 1 : 0;
    }
    return count;
}

static void
info_check(struct ref_world *world, uint32_t number)
{
    struct leat_tenant_info got = leat_tenant_info_default();
    struct ref_tenant *tenant = &world->tenants[number];
    struct ref_limits used = ref_limits_used(world, REF_NONE, number);
    if (leat_tenant_get(world->engine, tenant->handle, &got) != LEAT_OK) {
        ref_fail(world, NULL, "leat_tenant_get() fails");
    }
    if (got.jobs != used.jobs_max || got.bytes != used.bytes_max ||
        got.jobs_max != tenant->limits.jobs_max || got.bytes_max != tenant->limits.bytes_max ||
        got.queues != queues_of(world, number)) {
        ref_fail(world, NULL,
                 "tenant %u tells of %" PRIu64 " jobs and %" PRIu64 " bytes\n  expected: %" PRIu64
                 " and %" PRIu64 ", of limits %" PRIu64 " and %" PRIu64,
                 number, got.jobs, got.bytes, used.jobs_max, used.bytes_max,
                 tenant->limits.jobs_max, tenant->limits.bytes_max);
    }
    if (got.refused < tenant->refused_low || got.refused > tenant->refused_high) {
        ref_fail(world, NULL,
                 "tenant %u: refused is %" PRIu64 "\n  expected: %" PRIu64 " to %" PRIu64, number,
                 got.refused, tenant->refused_low, tenant->refused_high);
    }
    tenant->refused_low = got.refused;
    tenant->refused_high = got.refused;
}

void
ref_tenants_check(struct ref_world *world)
{
    for (uint32_t i = 0; i < REF_TENANTS; i++) {
        if (world->tenants[i].handle.bits != 0) {
            info_check(world, i);
        }
    }
}
