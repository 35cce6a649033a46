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

/* "max 100000" or "150000 100000": microseconds of CPU in a period. 0 for no quota. */
static double read_quota(const char *group)
{
    char path[PATH_BYTES + 16];
    double quota = 0, period = 0;
    if ((size_t)snprintf(path, sizeof path, "%s/cpu.max", group) >= sizeof path) return 0;
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    bool limited = fscanf(file, "%lf %lf", &quota, &period) == 2 && quota > 0 && period > 0;
    fclose(file);
    return limited ? quota / period : 0;
}

/* The group's path in the hierarchy of version 2: the line "0::/path". */
static bool read_group(const char *membership, char group[PATH_BYTES])
{
    char line[PATH_BYTES];
    bool found = false;
    FILE *file = fopen(membership, "r");
    if (!file) return false;
    while (!found && fgets(line, sizeof line, file)) {
        found = strncmp(line, "0::/", 4) == 0;
        line[strcspn(line, "\n")] = '\0';
    }
    fclose(file);
    if (found) snprintf(group, PATH_BYTES, "%s", line + 3);
    return found;
}

double sq_cpus_quota(const char *mount, const char *membership)
{
    char group[PATH_BYTES], path[PATH_BYTES];
    double smallest = 0;
    if (!read_group(membership, group)) return 0;
    if ((size_t)snprintf(path, sizeof path, "%s%s", mount, group) >= sizeof path) return 0;
    size_t mount_bytes = strlen(mount);
    for (;;) {
        double quota = read_quota(path);
        if (quota > 0 && (smallest <= 0 || quota < smallest)) smallest = quota;
        char *slash = strrchr(path + mount_bytes, '/');
        if (!slash) return smallest;
        *slash = '\0';
    }
}

unsigned sq_pool_threads_default(void)
{
    unsigned cores = sq_cpus_affinity();
    double quota = sq_cpus_quota("/sys/fs/cgroup", "/proc/self/cgroup");
    if (quota <= 0 || quota >= cores) return cores;
    unsigned whole = (unsigned)quota;
    return whole < quota ? whole + 1 : whole;
}
