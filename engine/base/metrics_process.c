/* SPDX-License-Identifier: Apache-2.0 */
/* The process_* families, as every Prometheus client names them, out of /proc. What can't be read is left out. */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/base/metrics.h"

static void write_value(struct sq_buf *out, const char *name, const char *type, const char *help, double value)
{
    sq_buf_printf(out, "# HELP process_%s %s\n# TYPE process_%s %s\nprocess_%s %.15g\n", name, help, name, type, name, value);
}

/* Fields 14, 15, 22, 23 and 24 of /proc/self/stat; the name before them may hold anything, so reading starts behind its last ')'. */
struct usage {
    unsigned long user_ticks, system_ticks;
    unsigned long long start_ticks;
    unsigned long virtual_bytes;
    long resident_pages;
};

static bool read_usage(struct usage *usage)
{
    char line[1024];
    FILE *file = fopen("/proc/self/stat", "r");
    if (!file) return false;
    bool read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    const char *rest = read ? strrchr(line, ')') : NULL;
    return rest && sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %llu %lu %ld",
                          &usage->user_ticks, &usage->system_ticks, &usage->start_ticks, &usage->virtual_bytes,
                          &usage->resident_pages) == 5;
}

static bool read_boot_seconds(unsigned long long *seconds)
{
    char line[256];
    bool found = false;
    FILE *file = fopen("/proc/stat", "r");
    if (!file) return false;
    while (!found && fgets(line, sizeof line, file)) found = sscanf(line, "btime %llu", seconds) == 1;
    fclose(file);
    return found;
}

/* Open descriptors, without the one that counts them. */
static int count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    if (!dir) return -1;
    int count = -1;
    for (struct dirent *entry; (entry = readdir(dir));) count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

void sq_metrics_write_process(struct sq_buf *out)
{
    double ticks_per_second = (double)sysconf(_SC_CLK_TCK);
    struct usage usage;
    unsigned long long boot_seconds;
    if (read_usage(&usage)) {
        write_value(out, "cpu_seconds_total", "counter", "CPU time used, user and system.",
                    (double)(usage.user_ticks + usage.system_ticks) / ticks_per_second);
        write_value(out, "resident_memory_bytes", "gauge", "Resident memory.",
                    (double)usage.resident_pages * (double)sysconf(_SC_PAGESIZE));
        write_value(out, "virtual_memory_bytes", "gauge", "Virtual memory.", (double)usage.virtual_bytes);
        if (read_boot_seconds(&boot_seconds))
            write_value(out, "start_time_seconds", "gauge", "When the process started, since 1970-01-01 UTC.",
                        (double)boot_seconds + (double)usage.start_ticks / ticks_per_second);
    }
    int fds = count_fds();
    if (fds >= 0) write_value(out, "open_fds", "gauge", "Open file descriptors.", fds);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        write_value(out, "max_fds", "gauge", "How many file descriptors may be open.", (double)limit.rlim_cur);
}
