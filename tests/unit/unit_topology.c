/* unit_topology.c - what is read of machines that are written into a folder: several sockets, two
 * threads a core, nodes of memory, CPUs that are offline or not allowed, files that are missing,
 * empty or nonsense; and quotas of control groups of both versions, nested, in a container, beside
 * each other; the order in which workers take CPUs, and who is near whom. hwloc and sysfs agree on
 * this machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sched/topology.h"
#include "tests/support/check.h"

#define CPUS_MAX 32

struct machine {
    char root[64];
    struct leat_topology *topology;
};

/* ---- a machine in a folder ------------------------------------------------------------------ */

/* Writes a file below the root, with the folders on the way to it. */
static void
put(const struct machine *machine, const char *path, const char *text)
{
    char full[256];
    (void)snprintf(full, sizeof(full), "%s/%s", machine->root, path);
    for (char *slash = strchr(full + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(full, 0700); /* it may be there */
        *slash = '/';
    }
    FILE *file = fopen(full, "we");
    CHECK(file != NULL);
    CHECK(fputs(text, file) >= 0);
    CHECK(fclose(file) == 0);
}

static void
put_cpu(const struct machine *machine, uint32_t cpu, const char *file, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "sys/devices/system/cpu/cpu%u/%s", cpu, file);
    put(machine, path, text);
}

static struct machine
setup(void)
{
    struct machine machine = {.root = "/tmp/leat-topology-XXXXXX"};
    CHECK(mkdtemp(machine.root) != NULL);
    machine.topology = calloc(1, sizeof(*machine.topology));
    CHECK(machine.topology != NULL);
    return machine;
}

static void
teardown(struct machine *machine)
{
    char command[96];
    (void)snprintf(command, sizeof(command), "rm -r %s", machine->root);
    CHECK(system(command) == 0); /* NOLINT(cert-env33-c, concurrency-mt-unsafe) */
    free(machine->topology);
}

static void
read_all(struct machine *machine, uint32_t cpus)
{
    uint16_t allowed[CPUS_MAX];
    for (uint32_t i = 0; i < cpus; i++) {
        allowed[i] = (uint16_t)i;
    }
    memset(machine->topology, 0, sizeof(*machine->topology));
    leat_topology_read(machine->topology, machine->root, allowed, cpus);
}

static void
check_order(const struct machine *machine, const uint16_t *numbers, uint32_t count)
{
    CHECK_EQUAL(machine->topology->cpus_count, count);
    for (uint32_t i = 0; i < count; i++) {
        CHECK_EQUAL(machine->topology->cpus[i].number, numbers[i]);
    }
}

#define CHECK_ORDER(machine, ...)                                                                  \
    do {                                                                                           \
        const uint16_t numbers_[] = {__VA_ARGS__};                                                 \
        check_order((machine), numbers_, (uint32_t)TEST_COUNT_OF(numbers_));                       \
    } while (0)

static const struct leat_cpu *
find(const struct machine *machine, uint32_t number)
{
    const struct leat_cpu *found = NULL;
    for (uint32_t i = 0; i < machine->topology->cpus_count; i++) {
        if (machine->topology->cpus[i].number == number) {
            found = &machine->topology->cpus[i];
        }
    }
    CHECK(found != NULL);
    return found;
}

static enum leat_distance
distance(const struct machine *machine, uint32_t one, uint32_t other)
{
    return leat_topology_distance(find(machine, one), find(machine, other));
}

/* Two sockets of 4 cores with 2 threads, numbered as Linux does on most servers: the second threads
 * come last. A socket is a node, and has two caches of the last level. */
static void
put_server(const struct machine *machine)
{
    char text[32];
    put(machine, "sys/devices/system/cpu/online", "0-15\n");
    put(machine, "sys/devices/system/node/online", "0-1\n");
    put(machine, "sys/devices/system/node/node0/cpulist", "0-3,8-11\n");
    put(machine, "sys/devices/system/node/node1/cpulist", "4-7,12-15\n");
    for (uint32_t cpu = 0; cpu < 16; cpu++) {
        uint32_t core = cpu % 8;
        uint32_t cache = core / 2 * 2;
        (void)snprintf(text, sizeof(text), "%u,%u\n", core, core + 8);
        put_cpu(machine, cpu, "topology/core_cpus_list", text);
        put_cpu(machine, cpu, "cache/index0/level", "1\n");
        put_cpu(machine, cpu, "cache/index0/shared_cpu_list", text);
        (void)snprintf(text, sizeof(text), "%u-%u,%u-%u\n", cache, cache + 1, cache + 8, cache + 9);
        put_cpu(machine, cpu, "cache/index3/level", "3\n");
        put_cpu(machine, cpu, "cache/index3/shared_cpu_list", text);
    }
}

/* ---- CPUs ----------------------------------------------------------------------------------- */

static void
server(void **state)
{
    (void)state;
    struct machine machine = setup();
    put_server(&machine);
    read_all(&machine, 16);
    CHECK_ORDER(&machine, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    CHECK_EQUAL(machine.topology->nodes.count, 2);
    CHECK_EQUAL(machine.topology->nodes.of_cpu[3], 0);
    CHECK_EQUAL(machine.topology->nodes.of_cpu[12], 1);
    CHECK_EQUAL(distance(&machine, 0, 8), LEAT_SAME_CACHE);
    CHECK_EQUAL(distance(&machine, 0, 1), LEAT_SAME_CACHE);
    CHECK_EQUAL(distance(&machine, 0, 2), LEAT_SAME_NODE);
    CHECK_EQUAL(distance(&machine, 0, 4), LEAT_FAR);
    CHECK_EQUAL(distance(&machine, 15, 5), LEAT_SAME_NODE);
    CHECK_EQUAL(distance(&machine, 15, 6), LEAT_SAME_CACHE);
    teardown(&machine);
}

/* The same, threads of a core numbered one after the other, on nodes that take turns, and called 2
 * and 5. */
static void
neighbours(void **state)
{
    (void)state;
    struct machine machine = setup();
    put(&machine, "sys/devices/system/node/online", "2,5\n");
    put(&machine, "sys/devices/system/node/node2/cpulist", "0-1,4-5");
    put(&machine, "sys/devices/system/node/node5/cpulist", "2-3,6-7\n");
    for (uint32_t cpu = 0; cpu < 8; cpu++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "%u-%u\n", cpu / 2 * 2, cpu / 2 * 2 + 1);
        put_cpu(&machine, cpu, "topology/thread_siblings_list", text);
    }
    read_all(&machine, 8);
    CHECK_ORDER(&machine, 0, 4, 2, 6, 1, 5, 3, 7);
    CHECK_EQUAL(machine.topology->nodes.count, 2);
    CHECK_EQUAL(machine.topology->nodes.numbers[0], 2);
    CHECK_EQUAL(machine.topology->nodes.numbers[1], 5);
    /* Nothing is known of caches. */
    CHECK_EQUAL(distance(&machine, 0, 1), LEAT_SAME_NODE);
    CHECK_EQUAL(distance(&machine, 0, 2), LEAT_FAR);
    teardown(&machine);
}

/* Of a core only the second thread is allowed: then that is its first one for us. */
static void
some_are_allowed(void **state)
{
    (void)state;
    struct machine machine = setup();
    const uint16_t allowed[] = {1, 8, 9, 12, 1024, UINT16_MAX};
    put_server(&machine);
    leat_topology_read(machine.topology, machine.root, allowed, TEST_COUNT_OF(allowed));
    CHECK_ORDER(&machine, 8, 1, 12, 9);
    /* Those of the other node alone: it is the only one that counts. */
    memset(machine.topology, 0, sizeof(*machine.topology));
    leat_topology_read(machine.topology, machine.root, &allowed[3], 1);
    CHECK_EQUAL(machine.topology->nodes.count, 1);
    CHECK_EQUAL(machine.topology->nodes.numbers[0], 1);
    teardown(&machine);
}

static void
some_are_offline(void **state)
{
    (void)state;
    struct machine machine = setup();
    put_server(&machine);
    put(&machine, "sys/devices/system/cpu/online", "0,2-3,15\n");
    read_all(&machine, 16);
    CHECK_ORDER(&machine, 0, 2, 3, 15);
    /* If none of ours were, the file would be wrong. */
    put(&machine, "sys/devices/system/cpu/online", "20-30\n");
    read_all(&machine, 2);
    CHECK_ORDER(&machine, 0, 1);
    teardown(&machine);
}

static void
nothing_is_there(void **state)
{
    (void)state;
    struct machine machine = setup();
    read_all(&machine, 3);
    CHECK_ORDER(&machine, 0, 1, 2);
    CHECK_EQUAL(machine.topology->nodes.count, 1);
    CHECK_EQUAL(distance(&machine, 0, 1), LEAT_SAME_NODE);
    teardown(&machine);
}

static const char *const nonsense[] = {
    "",
    "\n",
    "x",
    "-",
    "-1\n",
    "0-",
    "3-1\n",
    ",,,",
    " 0",
    "0 1",
    "4294967296",
    "99999999999999999999",
    "0-99999999999999999999\n",
    "0,0,0,0",
    "0x10",
    "\xff\xfe",
};

static void
files_are_broken(void **state)
{
    (void)state;
    static const char *const files[] = {"topology/core_cpus_list", "topology/thread_siblings_list",
                                        "cache/index0/level", "cache/index3/level",
                                        "cache/index3/shared_cpu_list"};
    for (size_t i = 0; i < TEST_COUNT_OF(nonsense); i++) {
        struct machine machine = setup();
        put_server(&machine);
        put(&machine, "sys/devices/system/cpu/online", nonsense[i]);
        put(&machine, "sys/devices/system/node/online", nonsense[i]);
        put(&machine, "sys/devices/system/node/node0/cpulist", nonsense[i]);
        for (size_t j = 0; j < TEST_COUNT_OF(files); j++) {
            put_cpu(&machine, 0, files[j], nonsense[i]);
        }
        read_all(&machine, 2);
        CHECK(machine.topology->cpus_count >= 1);
        CHECK(machine.topology->cpus_count <= 2);
        CHECK(machine.topology->nodes.count >= 1);
        CHECK(machine.topology->cpus[0].node < machine.topology->nodes.count);
        teardown(&machine);
    }
}

/* ---- victims -------------------------------------------------------------------------------- */

static void
check_victims(const struct leat_topology *topology, uint32_t places, uint32_t place,
              const uint8_t *wanted, const uint32_t *wanted_counts)
{
    uint8_t victims[64];
    uint32_t counts[LEAT_DISTANCES];
    leat_topology_victims(topology, places, place, victims, counts);
    for (uint32_t i = 0; i < LEAT_DISTANCES; i++) {
        CHECK_EQUAL(counts[i], wanted_counts[i]);
    }
    for (uint32_t i = 0; i + 1 < places; i++) {
        CHECK_EQUAL(victims[i], wanted[i]);
    }
}

#define CHECK_VICTIMS(topology, place, near, node, far, ...)                                       \
    do {                                                                                           \
        const uint8_t wanted_[] = {__VA_ARGS__};                                                   \
        const uint32_t counts_[LEAT_DISTANCES] = {near, node, far};                                \
        check_victims(topology, TEST_COUNT_OF(wanted_) + 1, place, wanted_, counts_);              \
    } while (0)

static void
victims(void **state)
{
    (void)state;
    struct machine machine = setup();
    put_server(&machine);
    read_all(&machine, 16);
    const struct leat_topology *topology = machine.topology;
    CHECK_VICTIMS(topology, 0, 1, 2, 4, 1, 2, 3, 4, 5, 6, 7);
    CHECK_VICTIMS(topology, 3, 1, 2, 4, 2, 0, 1, 4, 5, 6, 7);
    CHECK_VICTIMS(topology, 5, 1, 2, 4, 4, 6, 7, 0, 1, 2, 3);
    /* The second thread of a core shares its cache. */
    CHECK_VICTIMS(topology, 8, 3, 2, 4, 9, 0, 1, 2, 3, 4, 5, 6, 7);
    /* More workers than CPUs: number 16 is on the CPU of number 0. */
    CHECK_VICTIMS(topology, 16, 4, 4, 8, 0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15);
    CHECK_VICTIMS(NULL, 2, 4, 0, 0, 3, 4, 0, 1);
    CHECK_VICTIMS(topology, 0, 1, 0, 0, 1);
    uint8_t none = 77;
    uint32_t counts[LEAT_DISTANCES] = {9, 9, 9};
    leat_topology_victims(topology, 1, 0, &none, counts);
    CHECK_EQUAL(none, 77);
    CHECK_EQUAL(counts[0] + counts[1] + counts[2], 0);
    teardown(&machine);
}

/* ---- quotas --------------------------------------------------------------------------------- */

/* What a machine with these files grants; the list ends with NULL. */
static uint32_t
quota_of(const char *const *files)
{
    struct machine machine = setup();
    for (size_t i = 0; files[i] != NULL; i += 2) {
        put(&machine, files[i], files[i + 1]);
    }
    uint32_t quota = leat_quota_cpus(machine.root);
    teardown(&machine);
    return quota;
}

#define CHECK_QUOTA(quota, ...)                                                                    \
    do {                                                                                           \
        const char *const files_[] = {__VA_ARGS__, NULL, NULL};                                    \
        CHECK_EQUAL(quota_of(files_), quota);                                                      \
    } while (0)

#define SELF        "proc/self/cgroup"
#define GROUP(path) ("sys/fs/cgroup/" path)

static void
quota_version_2(void **state)
{
    (void)state;
    CHECK_QUOTA(2, SELF, "0::/a\n", GROUP("a/cpu.max"), "150000 100000\n");
    CHECK_QUOTA(1, SELF, "0::/a\n", GROUP("a/cpu.max"), "100000 100000\n");
    CHECK_QUOTA(2, SELF, "0::/a\n", GROUP("a/cpu.max"), "100001 100000\n");
    CHECK_QUOTA(1, SELF, "0::/a\n", GROUP("a/cpu.max"), "1000 100000\n");
    CHECK_QUOTA(UINT32_MAX, SELF, "0::/a\n", GROUP("a/cpu.max"), "max 100000\n");
    CHECK_QUOTA(3, SELF, "0::/\n", GROUP("cpu.max"), "300000 100000\n");
    CHECK_QUOTA(3, SELF, "0::/", GROUP("cpu.max"), "300000 100000");
    /* The least on the way up, wherever it is. */
    CHECK_QUOTA(2, SELF, "0::/a/b/c\n", GROUP("a/b/c/cpu.max"), "max 100000\n",
                GROUP("a/b/cpu.max"), "500000 100000\n", GROUP("a/cpu.max"), "200000 100000\n");
    CHECK_QUOTA(4, SELF, "0::/a/b\n", GROUP("a/b/cpu.max"), "400000 100000\n", GROUP("a/cpu.max"),
                "800000 100000\n", GROUP("cpu.max"), "900000 100000\n");
    CHECK_QUOTA(5, SELF, "0::/a/b\n", GROUP("cpu.max"), "500000 100000\n");
    /* In a container that sees only its own group: the path is the host's. */
    CHECK_QUOTA(2, SELF, "0::/kubepods/pod1/0123\n", GROUP("cpu.max"), "200000 100000\n");
    CHECK_QUOTA(2, SELF, "0::/../other\n", GROUP("cpu.max"), "200000 100000\n");
}

static void
quota_version_1(void **state)
{
    (void)state;
    CHECK_QUOTA(2, SELF, "4:memory:/m\n3:cpu,cpuacct:/a\n0::/\n",
                GROUP("cpu,cpuacct/a/cpu.cfs_quota_us"), "150000\n",
                GROUP("cpu,cpuacct/a/cpu.cfs_period_us"), "100000\n");
    CHECK_QUOTA(3, SELF, "3:cpuacct,cpu:/a\n", GROUP("cpu/a/cpu.cfs_quota_us"), "300000\n",
                GROUP("cpu/a/cpu.cfs_period_us"), "100000\n");
    CHECK_QUOTA(UINT32_MAX, SELF, "3:cpu:/a\n", GROUP("cpu/a/cpu.cfs_quota_us"), "-1\n",
                GROUP("cpu/a/cpu.cfs_period_us"), "100000\n");
    CHECK_QUOTA(1, SELF, "3:cpu:/a/b\n", GROUP("cpu/a/b/cpu.cfs_quota_us"), "-1\n",
                GROUP("cpu/a/b/cpu.cfs_period_us"), "100000\n", GROUP("cpu/a/cpu.cfs_quota_us"),
                "50000\n", GROUP("cpu/a/cpu.cfs_period_us"), "100000\n");
    /* Other controllers, and names that only begin so, have no say. */
    CHECK_QUOTA(UINT32_MAX, SELF, "3:cpuset,cpuacct:/a\n", GROUP("cpu/a/cpu.cfs_quota_us"),
                "50000\n", GROUP("cpu/a/cpu.cfs_period_us"), "100000\n");
    /* Both versions side by side: the least counts. */
    CHECK_QUOTA(2, SELF, "3:cpu:/a\n0::/b\n", GROUP("cpu/a/cpu.cfs_quota_us"), "400000\n",
                GROUP("cpu/a/cpu.cfs_period_us"), "100000\n", GROUP("unified/b/cpu.max"),
                "200000 100000\n");
}

static void
quota_is_broken(void **state)
{
    (void)state;
    CHECK_QUOTA(UINT32_MAX, SELF, "");
    CHECK_QUOTA(UINT32_MAX, "etc/nothing", "");
    CHECK_QUOTA(UINT32_MAX, SELF, "0::/a\n"); /* no such group */
    static const char *const texts[] = {
        "",       "\n",         "x y\n", "0 0\n",     "-5 100000\n", "100000 -1\n",
        "150000", "150000 0\n", " ",     "150000 x\n"};
    for (size_t i = 0; i < TEST_COUNT_OF(texts); i++) {
        CHECK_QUOTA(UINT32_MAX, SELF, "0::/a\n", GROUP("a/cpu.max"), texts[i]);
    }
    static const char *const lines[] = {":::::", "0", "0:", "0::", "0::a\n", "\n\n\n", "::/a\n"};
    for (size_t i = 0; i < TEST_COUNT_OF(lines); i++) {
        CHECK(quota_of((const char *const[]){SELF, lines[i], NULL, NULL}) == UINT32_MAX);
    }
    CHECK_QUOTA(UINT32_MAX, SELF, "0::/a\n", GROUP("a/cpu.max"), "18446744073709551615 1\n");
    /* A path that is too long for us is passed over, and those behind it are not. */
    char *deep = calloc(1, 8192);
    CHECK(deep != NULL);
    (void)strcpy(deep, "7:cpu:"); /* NOLINT(clang-analyzer-security.insecureAPI.strcpy) */
    for (uint32_t i = 0; i < 1000; i++) {
        (void)strcat(deep, "/deep"); /* NOLINT(clang-analyzer-security.insecureAPI.strcpy) */
    }
    (void)strcat(deep, "\n0::/a\n"); /* NOLINT(clang-analyzer-security.insecureAPI.strcpy) */
    CHECK_QUOTA(2, SELF, deep, GROUP("a/cpu.max"), "200000 100000\n");
    free(deep);
}

/* ---- hwloc ---------------------------------------------------------------------------------- */

static void
hwloc_agrees(void **state)
{
    (void)state;
    struct machine machine = setup();
    struct machine other = setup();
    static uint16_t allowed[LEAT_CPUS_MAX];
    uint32_t count = leat_os_cpus_allowed(allowed, LEAT_CPUS_MAX);
    leat_topology_read(machine.topology, "", allowed, count);
    if (!leat_topology_ask_hwloc(machine.topology, NULL)) {
        teardown(&machine);
        teardown(&other);
        skip(); /* not built in */
        return;
    }
    /* A root that is no "" and still this machine. */
    leat_topology_read(other.topology, "/.", allowed, count);
    CHECK_EQUAL(machine.topology->cpus_count, other.topology->cpus_count);
    CHECK_EQUAL(machine.topology->nodes.count, other.topology->nodes.count);
    for (uint32_t i = 0; i < machine.topology->cpus_count; i++) {
        const struct leat_cpu *cpu = &machine.topology->cpus[i];
        CHECK_EQUAL(cpu->number, other.topology->cpus[i].number);
        CHECK_EQUAL(cpu->core, other.topology->cpus[i].core);
        CHECK_EQUAL(cpu->cache, other.topology->cpus[i].cache);
        CHECK_EQUAL(cpu->node, other.topology->cpus[i].node);
    }
    teardown(&machine);
    teardown(&other);
}

static void
hwloc_described(void **state)
{
    (void)state;
    struct machine machine = setup();
    read_all(&machine, 16);
    if (!leat_topology_ask_hwloc(machine.topology, "numa:2 l3:2 core:2 pu:2")) {
        teardown(&machine);
        skip(); /* not built in */
        return;
    }
    leat_topology_arrange(machine.topology);
    CHECK_ORDER(&machine, 0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15);
    CHECK_EQUAL(machine.topology->nodes.count, 2);
    CHECK_EQUAL(distance(&machine, 0, 3), LEAT_SAME_CACHE);
    CHECK_EQUAL(distance(&machine, 0, 4), LEAT_SAME_NODE);
    CHECK_EQUAL(distance(&machine, 0, 8), LEAT_FAR);
    /* CPUs that it does not know. */
    CHECK(!leat_topology_ask_hwloc(machine.topology, "core:2 pu:2"));
    CHECK(!leat_topology_ask_hwloc(machine.topology, "nonsense"));
    teardown(&machine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server),           cmocka_unit_test(neighbours),
        cmocka_unit_test(some_are_allowed), cmocka_unit_test(some_are_offline),
        cmocka_unit_test(nothing_is_there), cmocka_unit_test(files_are_broken),
        cmocka_unit_test(quota_version_2),  cmocka_unit_test(quota_version_1),
        cmocka_unit_test(quota_is_broken),  cmocka_unit_test(hwloc_agrees),
        cmocka_unit_test(hwloc_described),  cmocka_unit_test(victims),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
