/* topology.h - what of this machine the process may use: how many CPUs' worth of time, and which
 * CPUs, in the order in which workers take them, with what they share. See docs/design/0013.
 *
 * Where from  The CPUs: the affinity mask, handed in. What they share: hwloc, where the library was
 *   built with it, else sysfs. Time: the quotas of the control groups. All files are read below a
 *   root, "" for this machine, so that tests have machines of their own; hwloc is asked for "".
 * When  at open. Nothing is read again at run time: what changes later counts from the next open.
 * Broken files  What cannot be read is not shared: such a CPU is a core of its own, with a cache of
 *   its own; memory is one node.
 */
#ifndef SCHED_TOPOLOGY_H
#define SCHED_TOPOLOGY_H

#include "ring/os.h"
#include "ring/slab.h"
#include "sched/limits.h"

/* A core, and a cache, go by the number of the least CPU that has a part in it. */
struct leat_cpu {
    uint16_t number; /* the system's */
    uint16_t core;
    uint16_t cache; /* the last level */
    uint16_t node;  /* place in leat_nodes.numbers */
    uint16_t turn;  /* CPUs of its core that come before it */
};

struct leat_topology {
    uint32_t cpus_count;                 /* at least 1 */
    struct leat_cpu cpus[LEAT_CPUS_MAX]; /* in the order of workers */
    struct leat_nodes nodes;             /* that these CPUs are in; at least 1 */
};

/* How far two CPUs are from each other; thieves look at the near ones first. */
enum leat_distance { LEAT_SAME_CACHE, LEAT_SAME_NODE, LEAT_FAR, LEAT_DISTANCES };

/* Fills a zeroed topology with the `count` CPUs of `allowed` that are online. The order: one CPU of
 * each core first, then the second ones and so on; within these node by node, cache by cache. */
void leat_topology_read(struct leat_topology *topology, const char *root, const uint16_t *allowed,
                        uint32_t count);

enum leat_distance leat_topology_distance(const struct leat_cpu *a, const struct leat_cpu *b);

/* The places whose workers one of `places` steals from: all others, `counts` of each distance, near
 * ones first, and of these the next ones first. Worker i has CPU i, in turn. NULL: workers run
 * anywhere, and all are equally near. */
void leat_topology_victims(const struct leat_topology *topology, uint32_t places, uint32_t place,
                           uint8_t *victims, uint32_t counts[LEAT_DISTANCES]);

/* CPUs' worth of time that the control groups grant to this process, version 1 and 2: the least
 * quota from its own group up to the root, rounded up. UINT32_MAX: none. */
uint32_t leat_quota_cpus(const char *root);

/* ---- for topology.c and tests --------------------------------------------------------------- */

/* core, cache and node of the CPUs in cpus[], as hwloc sees them; NULL: of this machine, else of
 * one that is described to it. False: it does not know them all, or is not built in. */
bool leat_topology_ask_hwloc(struct leat_topology *topology, const char *synthetic);
/* The place of a node, taken in where it is new. */
uint16_t leat_topology_node(struct leat_topology *topology, uint32_t number);
/* Brings the CPUs into order, once all else is known. */
void leat_topology_arrange(struct leat_topology *topology);

#endif
