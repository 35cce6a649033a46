/* SPDX-License-Identifier: Apache-2.0 */
/* How many cores this process may use. */
#ifndef SQ_CPUS_H
#define SQ_CPUS_H

/* Cores in the affinity mask, which cpusets are part of; at least 1. */
unsigned sq_cpus_affinity(void);

/* Cores that the CPU quota of the cgroup (version 2) allows, the smallest among the group and its parents, not rounded; 0 for no quota.
 * `mount` is where cgroups are mounted ("/sys/fs/cgroup"), `membership` the file that names the group ("/proc/self/cgroup"). */
double sq_cpus_quota(const char *mount, const char *membership);

#endif
