/* topology_hwloc.c - what CPUs share, as hwloc sees it: it knows more systems, and the faults of
 * more firmwares, than a reader of sysfs. */
#include "sched/topology.h"

#ifndef LEAT_HWLOC
#    define LEAT_HWLOC 0
#endif

#if LEAT_HWLOC

#    include <hwloc.h>

/* All that is called here, also by hwloc's inline functions. A program that links libleat.a without
 * hwloc does without it. */
#    pragma weak hwloc_bitmap_first
#    pragma weak hwloc_bitmap_iszero
#    pragma weak hwloc_get_obj_by_depth
#    pragma weak hwloc_get_type_depth
#    pragma weak hwloc_obj_type_is_dcache
#    pragma weak hwloc_topology_destroy
#    pragma weak hwloc_topology_init
#    pragma weak hwloc_topology_load
#    pragma weak hwloc_topology_set_flags
#    pragma weak hwloc_topology_set_synthetic

static uint16_t
first_of(hwloc_const_bitmap_t set)
{
    return (uint16_t)hwloc_bitmap_first(set);
}

/* False: hwloc does not know the CPU, or not its node. */
static bool
cpu_ask(struct leat_topology *topology, hwloc_topology_t machine, struct leat_cpu *cpu)
{
    hwloc_obj_t unit = hwloc_get_pu_obj_by_os_index(machine, cpu->number);
    if (unit == NULL || hwloc_bitmap_iszero(unit->nodeset)) {
        return false;
    }
    cpu->core = cpu->number;
    cpu->cache = cpu->number;
    for (hwloc_obj_t above = unit->parent; above != NULL; above = above->parent) {
        if (above->type == HWLOC_OBJ_CORE) {
            cpu->core = first_of(above->cpuset);
        }
        if (hwloc_obj_type_is_dcache(above->type) != 0) {
            cpu->cache = first_of(above->cpuset);
        }
    }
    cpu->node = leat_topology_node(topology, first_of(unit->nodeset));
    return true;
}

bool
leat_topology_ask_hwloc(struct leat_topology *topology, const char *synthetic)
{
    hwloc_topology_t machine;
    if (hwloc_topology_init == NULL || hwloc_topology_init(&machine) != 0) {
        return false;
    }
    /* Otherwise it may move the calling thread from CPU to CPU to look at each. */
    bool known = hwloc_topology_set_flags(machine, HWLOC_TOPOLOGY_FLAG_DONT_CHANGE_BINDING) == 0 &&
                 (synthetic == NULL || hwloc_topology_set_synthetic(machine, synthetic) == 0) &&
                 hwloc_topology_load(machine) == 0;
    topology->nodes.count = 0;
    for (uint32_t i = 0; i < topology->cpus_count && known; i++) {
        known = cpu_ask(topology, machine, &topology->cpus[i]);
    }
    hwloc_topology_destroy(machine);
    return known;
}

#else

bool
leat_topology_ask_hwloc(struct leat_topology *topology, const char *synthetic)
{
    (void)topology;
    (void)synthetic;
    return false;
}

#endif
