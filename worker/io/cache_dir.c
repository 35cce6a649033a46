/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/cache_dir.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Leaves "" when there is no such variable, when it names no absolute path, or when it is too long. */
static void below(const char *variable, const char *folder, char path[SQ_CACHE_DIR_BYTES])
{
    const char *value = getenv(variable);
    path[0] = '\0';
    if (!value || value[0] != '/') return;
    if (snprintf(path, SQ_CACHE_DIR_BYTES, "%s/%s", value, folder) >= SQ_CACHE_DIR_BYTES) path[0] = '\0';
}

/* With those above it. */
static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    mkdir(path, 0700);
}

void sq_cache_dir_find(const char *configured, char path[SQ_CACHE_DIR_BYTES])
{
    bool is_auto = !configured || strcmp(configured, "auto") == 0;
    if (is_auto) below("XDG_CACHE_HOME", "squall", path);
    if (is_auto && !path[0]) below("HOME", ".cache/squall", path);
    if (!is_auto) snprintf(path, SQ_CACHE_DIR_BYTES, "%s", configured);
    if (path[0]) make_folders(path);
}
