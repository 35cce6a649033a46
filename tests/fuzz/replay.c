/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over the files of the folders named, where libFuzzer isn't there to do it. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/require.h"

__attribute__((weak)) unsigned sq_fuzz_sound, sq_fuzz_sound_min;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Bytes read, or -1. Exactly as much memory as the file has bytes, so that a sanitizer sees a read beyond it. */
static long replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) return -1;
    long bytes = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    uint8_t *data = bytes >= 0 ? malloc(bytes ? (size_t)bytes : 1) : NULL;
    rewind(file);
    if (data && fread(data, 1, (size_t)bytes, file) == (size_t)bytes) LLVMFuzzerTestOneInput(data, (size_t)bytes);
    else bytes = -1;
    free(data);
    fclose(file);
    return bytes;
}

int main(int argc, char **argv)
{
    unsigned files = 0;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (!folder) {
            perror(argv[i]);
            return 1;
        }
        for (struct dirent *entry; (entry = readdir(folder));) {
            char path[4096];
            if (entry->d_name[0] == '.') continue;
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            if (replay_file(path) < 0) {
                fprintf(stderr, "%s: can't be read\n", path);
                return 1;
            }
            files++;
        }
        closedir(folder);
    }
    printf("%u files\n", files);
    if (sq_fuzz_sound < sq_fuzz_sound_min)
        fprintf(stderr, "only %u of them are sound, %u have to be: has the format changed? Then keep new ones\n", sq_fuzz_sound, sq_fuzz_sound_min);
    return files && sq_fuzz_sound >= sq_fuzz_sound_min ? 0 : 1;
}
