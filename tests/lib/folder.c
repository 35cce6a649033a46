/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    abort();
}

static void join(char path[512], const char *folder, const char *file)
{
    if (snprintf(path, 512, "%s/%s", folder, file) >= 512) die(file);
}

void test_folder_init(struct test_folder *folder)
{
    const char *parent = getenv("TMPDIR");
    snprintf(folder->path, sizeof folder->path, "%s/squall-test-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(folder->path)) die(folder->path);
}

void test_folder_deinit(struct test_folder *folder)
{
    DIR *dir = opendir(folder->path);
    if (!dir) die(folder->path);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) test_folder_remove(folder, entry->d_name);
    closedir(dir);
    rmdir(folder->path);
}

void test_folder_write(const struct test_folder *folder, const char *file, struct sq_str contents)
{
    char path[512];
    join(path, folder->path, file);
    FILE *out = fopen(path, "wb");
    if (!out || (contents.bytes && fwrite(contents.data, contents.bytes, 1, out) != 1) || fclose(out)) die(path);
}

void test_folder_remove(const struct test_folder *folder, const char *file)
{
    char path[512];
    join(path, folder->path, file);
    remove(path);
}

void test_read_file(const char *path, struct sq_buf *buf)
{
    char whole[512];
    if (*path == '/') snprintf(whole, sizeof whole, "%s", path);
    else join(whole, SQUALL_SOURCE_DIR, path);
    FILE *in = fopen(whole, "rb");
    if (!in) die(whole);
    sq_buf_init(buf);
    char chunk[16384];
    for (size_t bytes; (bytes = fread(chunk, 1, sizeof chunk, in)) > 0;) sq_buf_append(buf, chunk, bytes);
    if (ferror(in) || sq_buf_failed(buf)) die(whole);
    fclose(in);
}
