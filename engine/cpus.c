/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/cpus.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pool.h"

enum { PATH_BYTES = 4096, CPUS_MAX = 65536 };

unsigned sq_cpus_affinity(void)
{
    /* The kernel's mask may be wider than cpu_set_t, so it is asked for with growing ones. */
    for (size_t cpus = CPU_SETSIZE; cpus <= CPUS_MAX; cpus *= 2) {
        size_t bytes = CPU_ALLOC_SIZE(cpus);
        cpu_set_t *set = CPU_ALLOC(cpus);
        if (!set) return 1;
        int count = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
        CPU_FREE(set);
        if (count > 0) return (unsigned)count;
    }
    return 1;
}

/* The smaller of two quotas; 0 is none. */
static double smaller(double a, double b)
{
    if (a <= 0) return b;
    return b > 0 && b < a ? b : a;
}

/* Up to two numbers out of a group's file; returns how many there were. */
static int read_numbers(const char *group, const char *name, double numbers[2])
{
    char path[PATH_BYTES + 32];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", group, name) >= sizeof path) return 0;
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    int count = fscanf(file, "%lf %lf", &numbers[0], &numbers[1]);
    fclose(file);
    return count;
}

static double ratio(double quota, double period) { return quota > 0 && period > 0 ? quota / period : 0; }

/* Version 2: "max 100000" or "150000 100000", microseconds of CPU in a period. */
static double read_version_2(const char *group)
{
    double numbers[2];
    return read_numbers(group, "cpu.max", numbers) == 2 ? ratio(numbers[0], numbers[1]) : 0;
}

/* Version 1: the same in two files, -1 for no quota. */
static double read_version_1(const char *group)
{
    double quota[2], period[2];
    if (read_numbers(group, "cpu.cfs_quota_us", quota) != 1 || read_numbers(group, "cpu.cfs_period_us", period) != 1) return 0;
    return ratio(quota[0], period[0]);
}

/* "cpu" among "cpu,cpuacct". */
static bool has_controller(const char *list, const char *name)
{
    for (;;) {
        size_t bytes = strcspn(list, ",");
        if (bytes == strlen(name) && strncmp(list, name, bytes) == 0) return true;
        if (!list[bytes]) return false;
        list += bytes + 1;
    }
}

/* The group's path in the hierarchy of a controller ("": version 2's), from the line "ID:CONTROLLERS:/path". */
static bool read_group(const char *membership, const char *controller, char group[PATH_BYTES])
{
    char line[PATH_BYTES];
    bool found = false;
    FILE *file = fopen(membership, "r");
    if (!file) return false;
    while (!found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path) continue;
        *path++ = '\0';
        found = *path == '/' && has_controller(controllers + 1, controller);
        if (found) memmove(group, path, strlen(path) + 1);
    }
    fclose(file);
    return found;
}

/* A container that sees the host's path but only its own hierarchy has its quota at the mount, where this ends. */
static double smallest_of_parents(const char *mount, const char *group, double (*read)(const char *group))
{
    char path[PATH_BYTES];
    double smallest = 0;
    if ((size_t)snprintf(path, sizeof path, "%s%s", mount, group) >= sizeof path) return 0;
    for (;;) {
        smallest = smaller(smallest, read(path));
        char *slash = strrchr(path + strlen(mount), '/');
        if (!slash) return smallest;
        *slash = '\0';
    }
}

double sq_cpus_quota(const char *mount, const char *membership)
{
    static const struct {
        const char *controller, *folder;
        double (*read)(const char *group);
    } hierarchies[] = {{"", "", read_version_2}, {"", "/unified", read_version_2}, {"cpu", "/cpu", read_version_1}};
    char group[PATH_BYTES], place[PATH_BYTES];
    double smallest = 0;
    for (size_t i = 0; i < sizeof hierarchies / sizeof *hierarchies; i++) {
        if (!read_group(membership, hierarchies[i].controller, group)) continue;
        if ((size_t)snprintf(place, sizeof place, "%s%s", mount, hierarchies[i].folder) >= sizeof place) continue;
        smallest = smaller(smallest, smallest_of_parents(place, group, hierarchies[i].read));
    }
    return smallest;
}

unsigned sq_pool_threads_default(void)
{
    unsigned cores = sq_cpus_affinity();
    double quota = sq_cpus_quota("/sys/fs/cgroup", "/proc/self/cgroup");
    if (quota <= 0 || quota >= cores) return cores;
    unsigned whole = (unsigned)quota;
    return whole < quota ? whole + 1 : whole;
}
