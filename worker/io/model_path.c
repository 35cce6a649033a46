/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/model_path.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From the executable in a build tree, and once installed. */
static const char *const places[] = {"../../engine/models", "../share/squall/models"};

static bool is_given(const char *value) { return value && value[0] && strcmp(value, "default") != 0; }

/* False when it doesn't fit. */
static bool join(char path[SQ_MODEL_PATH_BYTES], const char *folder, const char *name)
{
    return (size_t)snprintf(path, SQ_MODEL_PATH_BYTES, "%s/%s", folder, name) < SQ_MODEL_PATH_BYTES;
}

static bool is_model(const char *folder)
{
    char path[SQ_MODEL_PATH_BYTES];
    return join(path, folder, "config.json") && access(path, F_OK) == 0;
}

/* Puts the folder's one model into path; returns how many models there are. */
static unsigned find_models(const char *folder, char path[SQ_MODEL_PATH_BYTES])
{
    char candidate[SQ_MODEL_PATH_BYTES];
    unsigned found = 0;
    DIR *directory = opendir(folder);
    if (!directory) return 0;
    for (const struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.' || !join(candidate, folder, entry->d_name) || !is_model(candidate)) continue;
        memcpy(path, candidate, sizeof candidate);
        found++;
    }
    closedir(directory);
    return found;
}

int sq_model_path_shipped(const char *executable_folder, char path[SQ_MODEL_PATH_BYTES], struct sq_err *err)
{
    char folder[SQ_MODEL_PATH_BYTES];
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (!join(folder, executable_folder, places[i])) continue;
        unsigned found = find_models(folder, path);
        if (found == 1) return 0;
        if (found > 1) return sq_err_set(err, SQ_E_MODEL_FILE, "%s holds %u models: choose one with --model", folder, found);
    }
    return sq_err_set(err, SQ_E_MODEL_FILE, "no model in %s/%s or %s/%s: give a Hugging Face folder with --model or SQUALL_MODEL",
                      executable_folder, places[0], executable_folder, places[1]);
}

int sq_model_path_find(const char *flag, const char *configured, char path[SQ_MODEL_PATH_BYTES], struct sq_err *err)
{
    const char *choices[] = {flag, getenv("SQUALL_MODEL"), configured};
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        if (!is_given(choices[i])) continue;
        if ((size_t)snprintf(path, SQ_MODEL_PATH_BYTES, "%s", choices[i]) < SQ_MODEL_PATH_BYTES) return 0;
        return sq_err_set(err, SQ_E_MODEL_FILE, "the model's path is too long");
    }
    char executable[SQ_MODEL_PATH_BYTES];
    ssize_t bytes = readlink("/proc/self/exe", executable, sizeof executable - 1);
    if (bytes <= 0) return sq_err_set(err, SQ_E_MODEL_FILE, "no model is given and /proc/self/exe can't be read: use --model");
    executable[bytes] = '\0';
    char *slash = strrchr(executable, '/');
    if (slash) *slash = '\0';
    return sq_model_path_shipped(executable, path, err);
}

int sq_model_paths_find(struct sq_model_paths *paths, const char *const *given, unsigned given_count, struct sq_err *err)
{
    if (given_count > SQ_MEMBERS_MAX) return sq_err_set(err, SQ_E_CONFIG, "%u models are given, but an ensemble has at most %d", given_count, SQ_MEMBERS_MAX);
    int status = sq_model_path_find(given_count ? given[0] : NULL, NULL, paths->items[0], err);
    for (unsigned i = 1; status == 0 && i < given_count; i++) {
        status = sq_model_path_find(given[i], NULL, paths->items[i], err);
        paths->further[i - 1] = paths->items[i];
    }
    paths->further[given_count ? given_count - 1 : 0] = NULL;
    return status;
}

void sq_model_paths_name(const struct sq_model_paths *paths, char *name, size_t name_bytes)
{
    size_t used = 0;
    name[0] = '\0';
    for (unsigned i = 0; i < SQ_MEMBERS_MAX && used < name_bytes && (i == 0 || paths->further[i - 1]); i++) {
        char *real = realpath(paths->items[i], NULL);
        const char *path = real ? real : paths->items[i], *slash = strrchr(path, '/');
        int bytes = snprintf(name + used, name_bytes - used, "%s%s", i ? "+" : "", slash && slash[1] ? slash + 1 : path);
        used += bytes > 0 ? (size_t)bytes : 0;
        free(real);
    }
}
