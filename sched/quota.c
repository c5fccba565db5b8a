/* quota.c - the CPU time that control groups grant, of version 2 (cpu.max) and 1 (cpu.cfs_*). Each
 * group above a process's own may have a quota, too, and the least counts.
 *
 * Where a hierarchy is mounted is not looked up: systemd, Docker and Kubernetes all mount at the
 * same places. In a container the path of the group may be that of the host, of which only the root
 * is to be seen; the walk up ends there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched/topology.h"

/* A group with a longer path counts as one without a quota. */
#define LINE_BYTES 640
#define PATH_BYTES 960

/* Where the groups of a hierarchy are. */
struct hierarchy {
    const char *root;
    const char *mount; /* below root/sys/fs/cgroup, not terminated */
    size_t mount_length;
    bool version_1;
};

/* Microseconds granted in each period; "max" and -1 are no numbers here. */
static uint32_t
quota_of(const char *granted, const char *period)
{
    unsigned long long granted_us = granted[0] == '-' ? 0 : strtoull(granted, NULL, 10);
    unsigned long long period_us = period[0] == '-' ? 0 : strtoull(period, NULL, 10);
    if (granted_us == 0 || period_us == 0) {
        return UINT32_MAX;
    }
    unsigned long long cpus = granted_us / period_us + (granted_us % period_us != 0 ? 1 : 0);
    return cpus > UINT32_MAX ? UINT32_MAX : (uint32_t)cpus;
}

static void
file_read(const struct hierarchy *hierarchy, const char *group, size_t length, const char *file,
          char text[64])
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof(path), "%s/sys/fs/cgroup/%.*s%.*s/%s", hierarchy->root,
                   (int)hierarchy->mount_length, hierarchy->mount, (int)length, group, file);
    (void)leat_os_file_read(path, 0, text, 64);
}

static uint32_t
group_quota(const struct hierarchy *hierarchy, const char *group, size_t length)
{
    char granted[64];
    char period[64];
    if (hierarchy->version_1) {
        file_read(hierarchy, group, length, "cpu.cfs_quota_us", granted);
        file_read(hierarchy, group, length, "cpu.cfs_period_us", period);
        return quota_of(granted, period);
    }
    file_read(hierarchy, group, length, "cpu.max", granted);
    const char *space = strchr(granted, ' ');
    return quota_of(granted, space == NULL ? "" : space + 1);
}

/* The least of a group and all above it; "/" is the root. */
static uint32_t
walk(const struct hierarchy *hierarchy, const char *group)
{
    uint32_t least = UINT32_MAX;
    size_t length = strlen(group);
    /* Ends: each round the path is shorter. */
    for (;;) {
        uint32_t quota = group_quota(hierarchy, group, length);
        least = quota < least ? quota : least;
        if (length == 0) {
            return least;
        }
        do {
            length--;
        } while (length > 0 && group[length] != '/');
    }
}

static bool
names_cpu(const char *controllers, size_t length)
{
    while (length >= 3) {
        const char *comma = memchr(controllers, ',', length);
        size_t name = comma == NULL ? length : (size_t)(comma - controllers);
        if (name == 3 && memcmp(controllers, "cpu", 3) == 0) {
            return true;
        }
        controllers += comma == NULL ? length : name + 1;
        length -= comma == NULL ? length : name + 1;
    }
    return false;
}

/* "0::/path" is the group of version 2, "4:cpu,cpuacct:/path" one of version 1. */
static uint32_t
line_quota(const char *root, const char *line)
{
    const char *controllers = strchr(line, ':');
    const char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');
    if (group == NULL || group[1] != '/') {
        return UINT32_MAX;
    }
    controllers++;
    size_t length = (size_t)(group - controllers);
    group++;
    /* Where version 1 is in use, version 2 stands beside it. */
    struct hierarchy places[2] = {{.root = root, .mount = ""},
                                  {.root = root, .mount = "unified", .mount_length = 7}};
    if (length != 0 && !names_cpu(controllers, length)) {
        return UINT32_MAX;
    }
    if (length != 0) {
        /* Its folder is called like the controllers, with a link that has the one name. */
        places[0] = (struct hierarchy){root, controllers, length, true};
        places[1] = (struct hierarchy){root, "cpu", 3, true};
    }
    uint32_t one = walk(&places[0], group);
    uint32_t other = walk(&places[1], group);
    return one < other ? one : other;
}

uint32_t
leat_quota_cpus(const char *root)
{
    char path[PATH_BYTES];
    char line[LINE_BYTES];
    uint32_t least = UINT32_MAX;
    size_t offset = 0;
    (void)snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    /* Ends with the file, of which each round reads a piece. */
    for (;;) {
        ptrdiff_t count = leat_os_file_read(path, offset, line, sizeof(line));
        if (count <= 0) {
            return least;
        }
        size_t length = (size_t)count;
        size_t end = strcspn(line, "\n");
        offset += end == length ? length : end + 1;
        /* The last one may lack its end. */
        if (end < length || length + 1 < sizeof(line)) {
            line[end] = '\0';
            uint32_t quota = line_quota(root, line);
            least = quota < least ? quota : least;
        }
    }
}
