/* SPDX-License-Identifier: Apache-2.0 */
/* How many cores this process may use. */
#ifndef SQ_CPUS_H
#define SQ_CPUS_H

/* Cores in the affinity mask, which cpusets are part of; at least 1. */
unsigned sq_cpus_affinity(void);

/* Cores that the CPU quota of the cgroup allows, the smallest among the group and its parents, not rounded; 0 for no quota. Version 2
 * (cpu.max), version 1 (cpu.cfs_quota_us under `mount`/cpu) and both at once, see the kernel's admin-guide/cgroup-v2 and
 * scheduler/sched-bwc. `mount` is where cgroups are mounted ("/sys/fs/cgroup"), `membership` the file that names the groups
 * ("/proc/self/cgroup"). */
double sq_cpus_quota(const char *mount, const char *membership);

#endif
