/* topology.c - CPUs, what they share, and their order, from sysfs or from hwloc. */
#include "sched/topology.h"

#include <stdio.h>
#include <stdlib.h>

/* The longest name below a root: ".../cpu1023/topology/thread_siblings_list". */
#define PATH_BYTES 512

/* Caches of a CPU that are looked at: instructions and data of three levels, and one to spare. */
#define CACHES_MAX 8

/* ---- lists of numbers ----------------------------------------------------------------------- */

/* "0-3,8,10-11", as sysfs writes it, read range by range. */
struct list {
    const char *path;
    size_t offset;
};

static bool
number_read(const char **text, uint32_t *number)
{
    char *end = NULL;
    if (**text < '0' || **text > '9') {
        return false;
    }
    unsigned long value = strtoul(*text, &end, 10);
    *text = end;
    *number = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
    return true;
}

/* The next range. False: there is none, or what stands there is none. */
static bool
list_next(struct list *list, uint32_t *first, uint32_t *last)
{
    char text[32];
    const char *at = text;
    (void)leat_os_file_read(list->path, list->offset, text, sizeof(text));
    if (!number_read(&at, first)) {
        return false;
    }
    *last = *first;
    if (*at == '-') {
        at++;
        if (!number_read(&at, last)) {
            return false;
        }
    }
    at += *at == ',' ? 1 : 0;
    list->offset += (size_t)(at - text);
    return *last >= *first;
}

static bool
list_has(const char *path, uint32_t number)
{
    struct list list = {.path = path};
    uint32_t first = 0;
    uint32_t last = 0;
    /* Ends with the file, of which each round reads a piece. */
    while (list_next(&list, &first, &last)) {
        if (number >= first && number <= last) {
            return true;
        }
    }
    return false;
}

/* ---- sysfs ---------------------------------------------------------------------------------- */

/* The first number in a file of a CPU's, if it can be that of a CPU. */
static bool
first_of(const char *root, uint32_t cpu, const char *file, uint16_t *number)
{
    char path[PATH_BYTES];
    uint32_t first = 0;
    uint32_t last = 0;
    (void)snprintf(path, sizeof(path), "%s/sys/devices/system/cpu/cpu%u/%s", root, cpu, file);
    struct list list = {.path = path};
    if (!list_next(&list, &first, &last) || first >= LEAT_CPUS_MAX) {
        return false;
    }
    *number = (uint16_t)first;
    return true;
}

static void
core_read(const char *root, struct leat_cpu *cpu)
{
    /* Kernels before 5.3 know only the second name. */
    if (!first_of(root, cpu->number, "topology/core_cpus_list", &cpu->core) &&
        !first_of(root, cpu->number, "topology/thread_siblings_list", &cpu->core)) {
        cpu->core = cpu->number;
    }
}

/* The cache of the highest level. */
static void
cache_read(const char *root, struct leat_cpu *cpu)
{
    uint16_t highest = 0;
    cpu->cache = cpu->number;
    for (uint32_t i = 0; i < CACHES_MAX; i++) {
        char file[64];
        uint16_t level = 0;
        uint16_t least = 0;
        (void)snprintf(file, sizeof(file), "cache/index%u/level", i);
        if (!first_of(root, cpu->number, file, &level) || level <= highest) {
            continue;
        }
        (void)snprintf(file, sizeof(file), "cache/index%u/shared_cpu_list", i);
        if (first_of(root, cpu->number, file, &least)) {
            highest = level;
            cpu->cache = least;
        }
    }
}

/* The CPUs of one node; it counts if it has any of ours. */
static void
node_read(struct leat_topology *topology, const char *root, uint32_t node)
{
    char path[PATH_BYTES];
    uint32_t first = 0;
    uint32_t last = 0;
    (void)snprintf(path, sizeof(path), "%s/sys/devices/system/node/node%u/cpulist", root, node);
    struct list list = {.path = path};
    /* Ends with the file. */
    while (list_next(&list, &first, &last)) {
        for (uint32_t i = 0; i < topology->cpus_count; i++) {
            struct leat_cpu *cpu = &topology->cpus[i];
            if (cpu->number >= first && cpu->number <= last) {
                cpu->node = leat_topology_node(topology, node);
            }
        }
    }
}

static void
nodes_read(struct leat_topology *topology, const char *root)
{
    char path[PATH_BYTES];
    uint32_t first = 0;
    uint32_t last = 0;
    (void)snprintf(path, sizeof(path), "%s/sys/devices/system/node/online", root);
    struct list list = {.path = path};
    /* Ends with the file. */
    while (list_next(&list, &first, &last)) {
        for (uint32_t node = first; node <= last && node < LEAT_CPUS_MAX; node++) {
            node_read(topology, root, node);
        }
    }
}

static void
sysfs_read(struct leat_topology *topology, const char *root)
{
    for (uint32_t i = 0; i < topology->cpus_count; i++) {
        struct leat_cpu *cpu = &topology->cpus[i];
        cpu->node = 0;
        core_read(root, cpu);
        cache_read(root, cpu);
    }
    topology->nodes.count = 0;
    nodes_read(topology, root);
    if (topology->nodes.count == 0) {
        (void)leat_topology_node(topology, 0);
    }
}

/* ---- order ---------------------------------------------------------------------------------- */

uint16_t
leat_topology_node(struct leat_topology *topology, uint32_t number)
{
    struct leat_nodes *nodes = &topology->nodes;
    for (uint32_t i = 0; i < nodes->count; i++) {
        if (nodes->numbers[i] == number) {
            return (uint16_t)i;
        }
    }
    if (nodes->count == LEAT_NODES_MAX) {
        return 0; /* further ones are as good as the first: far from most */
    }
    nodes->numbers[nodes->count] = (uint16_t)number;
    nodes->count++;
    return (uint16_t)(nodes->count - 1);
}

static bool
comes_before(const struct leat_cpu *a, const struct leat_cpu *b)
{
    const uint16_t keys[][2] = {{a->turn, b->turn},
                                {a->node, b->node},
                                {a->cache, b->cache},
                                {a->core, b->core},
                                {a->number, b->number}};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (keys[i][0] != keys[i][1]) {
            return keys[i][0] < keys[i][1];
        }
    }
    return false;
}

void
leat_topology_arrange(struct leat_topology *topology)
{
    struct leat_cpu *cpus = topology->cpus;
    for (uint32_t i = 0; i < topology->cpus_count; i++) {
        cpus[i].turn = 0;
        for (uint32_t j = 0; j < i; j++) {
            cpus[i].turn = (uint16_t)(cpus[i].turn + (cpus[j].core == cpus[i].core ? 1 : 0));
        }
        topology->nodes.of_cpu[cpus[i].number] = (uint8_t)cpus[i].node;
    }
    /* By insertion: libc's qsort() may allocate. */
    for (uint32_t i = 1; i < topology->cpus_count; i++) {
        struct leat_cpu cpu = cpus[i];
        uint32_t place = i;
        for (; place > 0 && comes_before(&cpu, &cpus[place - 1]); place--) {
            cpus[place] = cpus[place - 1];
        }
        cpus[place] = cpu;
    }
}

enum leat_distance
leat_topology_distance(const struct leat_cpu *a, const struct leat_cpu *b)
{
    if (a->cache == b->cache) {
        return LEAT_SAME_CACHE;
    }
    return a->node == b->node ? LEAT_SAME_NODE : LEAT_FAR;
}

void
leat_topology_victims(const struct leat_topology *topology, uint32_t places, uint32_t place,
                      uint8_t *victims, uint32_t counts[LEAT_DISTANCES])
{
    uint32_t count = 0;
    for (uint32_t distance = 0; distance < LEAT_DISTANCES; distance++) {
        uint32_t before = count;
        for (uint32_t i = 1; i < places; i++) {
            uint32_t other = (place + i) % places;
            uint32_t far = LEAT_SAME_CACHE;
            if (topology != NULL) {
                uint32_t cpus = topology->cpus_count;
                far = leat_topology_distance(&topology->cpus[place % cpus],
                                             &topology->cpus[other % cpus]);
            }
            if (far == distance) {
                victims[count] = (uint8_t)other;
                count++;
            }
        }
        counts[distance] = count - before;
    }
    LEAT_ASSERT(count == places - 1);
}

/* ---- all ------------------------------------------------------------------------------------ */

static void
cpus_add(struct leat_topology *topology, const uint16_t *allowed, uint32_t count,
         const char *online)
{
    for (uint32_t i = 0; i < count && topology->cpus_count < LEAT_CPUS_MAX; i++) {
        if (allowed[i] < LEAT_CPUS_MAX && (online == NULL || list_has(online, allowed[i]))) {
            topology->cpus[topology->cpus_count].number = allowed[i];
            topology->cpus_count++;
        }
    }
}

void
leat_topology_read(struct leat_topology *topology, const char *root, const uint16_t *allowed,
                   uint32_t count)
{
    char online[PATH_BYTES];
    (void)snprintf(online, sizeof(online), "%s/sys/devices/system/cpu/online", root);
    cpus_add(topology, allowed, count, online);
    if (topology->cpus_count == 0) {
        cpus_add(topology, allowed, count, NULL);
    }
    LEAT_ASSERT(topology->cpus_count >= 1);
    if (root[0] != '\0' || !leat_topology_ask_hwloc(topology, NULL)) {
        sysfs_read(topology, root);
    }
    leat_topology_arrange(topology);
}
