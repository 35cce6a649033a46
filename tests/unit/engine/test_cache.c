/* SPDX-License-Identifier: Apache-2.0 */
/* A cache's entries are found whole or not at all, and nothing that went wrong with them stops anybody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/buf.h"
#include "engine/cache.h"
#include "tests/lib/folder.h"

static struct test_folder folder;
static struct sq_cache cache;
static struct sq_cache_entry entry;
static const struct sq_str parts[] = {{"one ", 4}, {"and two", 7}};

static int setup(void **state)
{
    (void)state;
    test_folder_init(&folder);
    sq_cache_open(&cache, folder.path);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sq_cache_unlock(&cache);
    test_folder_deinit(&folder);
    return 0;
}

static void store(const char *made_for)
{
    assert_true(sq_cache_lock_wait(&cache, "test", 0));
    assert_true(sq_cache_store(&cache, "thing", made_for, parts, 2));
    sq_cache_unlock(&cache);
}

static bool find(const char *made_for)
{
    cache.trouble[0] = '\0';
    bool is_found = sq_cache_find(&cache, &entry, "thing", made_for);
    if (is_found) assert_true(sq_str_equal(entry.payload, SQ_STR("one and two")));
    sq_cache_entry_close(&entry);
    return is_found;
}

/* The folder's one entry. */
static char *entry_path(void)
{
    static char path[600];
    DIR *directory = opendir(folder.path);
    path[0] = '\0';
    for (struct dirent *file; (file = readdir(directory));) {
        if (strncmp(file->d_name, "thing-", 6) == 0) snprintf(path, sizeof path, "%s/%s", folder.path, file->d_name);
    }
    closedir(directory);
    assert_true(path[0] != '\0');
    return path;
}

static const char *entry_name(void) { return strrchr(entry_path(), '/') + 1; }

static void test_what_is_stored_is_found(void **state)
{
    (void)state;
    struct stat file;
    assert_false(find("a"));
    assert_string_equal(cache.trouble, ""); /* that there is nothing yet is no trouble */
    store("a");
    assert_true(find("a"));
    assert_false(find("b"));
    assert_string_equal(cache.trouble, "");
    assert_int_equal(stat(entry_path(), &file), 0);
    assert_int_equal(file.st_mode & 022, 0);
    assert_int_equal(file.st_size, SQ_CACHE_HEADER_BYTES + 11);
}

static void test_a_replaced_entry_stays_as_it_was_for_who_mapped_it(void **state)
{
    (void)state;
    struct sq_cache_entry old;
    store("a");
    assert_true(sq_cache_find(&cache, &old, "thing", "a"));
    assert_true(sq_cache_lock_wait(&cache, "test", 0));
    assert_true(sq_cache_store(&cache, "thing", "a", &(struct sq_str){"new", 3}, 1));
    assert_true(sq_str_equal(old.payload, SQ_STR("one and two")));
    assert_true(sq_cache_find(&cache, &entry, "thing", "a"));
    assert_true(sq_str_equal(entry.payload, SQ_STR("new")));
    sq_cache_entry_close(&entry);
    sq_cache_entry_close(&old);
}

/* The stored entry's bytes, and "a" for what it was made. */
static void store_and_read(struct sq_buf *contents)
{
    struct sq_str payload;
    store("a");
    sq_buf_init(contents);
    test_read_file(entry_path(), contents);
    assert_null(sq_cache_check(sq_buf_view(contents), "a", &payload));
}

static void test_any_other_length_is_refused(void **state)
{
    (void)state;
    struct sq_buf contents;
    struct sq_str payload;
    store_and_read(&contents);
    for (size_t bytes = 0; bytes < contents.bytes; bytes++) {
        char *exact = malloc(bytes ? bytes : 1); /* so that a sanitizer sees a read beyond it */
        memcpy(exact, contents.data, bytes);
        assert_non_null(sq_cache_check((struct sq_str){exact, bytes}, "a", &payload));
        free(exact);
    }
    sq_buf_append_char(&contents, 'x');
    assert_non_null(sq_cache_check(sq_buf_view(&contents), "a", &payload));
    sq_buf_deinit(&contents);
}

static void test_any_flipped_bit_is_found(void **state)
{
    (void)state;
    struct sq_buf contents;
    struct sq_str payload;
    store_and_read(&contents);
    for (size_t bit = 0; bit < contents.bytes * 8; bit++) {
        contents.data[bit / 8] = (char)(contents.data[bit / 8] ^ (1 << bit % 8));
        if (!sq_cache_check(sq_buf_view(&contents), "a", &payload)) fail_msg("bit %zu", bit);
        contents.data[bit / 8] = (char)(contents.data[bit / 8] ^ (1 << bit % 8));
    }
    sq_buf_deinit(&contents);
}

static void test_a_damaged_file_is_told(void **state)
{
    (void)state;
    struct sq_buf contents;
    store_and_read(&contents);
    contents.data[contents.bytes - 1] = '!';
    test_folder_write(&folder, entry_name(), sq_buf_view(&contents));
    assert_false(find("a"));
    assert_non_null(strstr(cache.trouble, entry_name()));
    assert_non_null(strstr(cache.trouble, "is ignored: its contents are damaged"));
    sq_buf_deinit(&contents);
}

static void test_a_file_of_that_name_for_something_else_is_ignored(void **state)
{
    (void)state;
    char a[64];
    struct sq_buf contents;
    store("a");
    snprintf(a, sizeof a, "%s", entry_name());
    sq_buf_init(&contents);
    test_read_file(entry_path(), &contents);
    test_folder_remove(&folder, a);
    store("b");
    test_folder_write(&folder, entry_name(), sq_buf_view(&contents));
    assert_false(find("b"));
    assert_non_null(strstr(cache.trouble, "something else"));
    sq_buf_deinit(&contents);
}

/* Who can write it could also change it later, under the map. */
static void test_what_others_can_write_is_ignored(void **state)
{
    (void)state;
    char elsewhere[600];
    store("a");
    assert_int_equal(chmod(entry_path(), 0664), 0);
    assert_false(find("a"));
    assert_non_null(strstr(cache.trouble, "others may write it"));
    assert_int_equal(chmod(entry_path(), 0644), 0);
    assert_true(find("a"));
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", folder.path);
    assert_int_equal(rename(entry_path(), elsewhere), 0);
    store("a");
    char *path = entry_path();
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("elsewhere", path), 0);
    assert_false(find("a"));
    if (geteuid() != 0) return; /* only root can give files away */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rename(elsewhere, path), 0);
    assert_int_equal(chown(path, 4711, 4711), 0);
    assert_false(find("a"));
    assert_non_null(strstr(cache.trouble, "another user"));
}

static void test_a_folder_that_cannot_be_written(void **state)
{
    (void)state;
    static const char *const folders[] = {"/proc", "/nowhere/at/all", "/dev/null"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        sq_cache_open(&cache, folders[i]);
        sq_cache_find(&cache, &entry, "thing", "a");
        assert_false(sq_cache_lock_wait(&cache, "test", 0));
        assert_false(sq_cache_store(&cache, "thing", "a", parts, 2));
        assert_non_null(strstr(cache.trouble, folders[i]));
        sq_cache_unlock(&cache);
    }
    sq_cache_open(&cache, "");
    assert_false(sq_cache_find(&cache, &entry, "thing", "a"));
    assert_false(sq_cache_lock_wait(&cache, "test", 0));
    assert_false(sq_cache_store(&cache, "thing", "a", parts, 2));
    assert_string_equal(cache.trouble, "");
}

/* A child holds the lock until the pipe is closed. */
static void test_one_process_at_a_time(void **state)
{
    (void)state;
    int until[2], held[2];
    char byte = 0;
    assert_int_equal(pipe(until) | pipe(held), 0);
    pid_t child = fork();
    if (child == 0) {
        close(until[1]);
        bool is_locked = sq_cache_lock_wait(&cache, "test", 0) && write(held[1], "x", 1) == 1;
        _exit(is_locked && read(until[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(held[1]); /* or a child without the lock would be waited for */
    assert_int_equal(read(held[0], &byte, 1), 1);
    assert_false(sq_cache_lock_wait(&cache, "test", 30));
    assert_non_null(strstr(cache.trouble, "another process"));
    assert_false(sq_cache_store(&cache, "thing", "a", parts, 2));
    assert_true(sq_cache_lock_wait(&cache, "another model", 0));
    sq_cache_unlock(&cache);
    close(until[1]);
    assert_true(sq_cache_lock_wait(&cache, "test", 10000));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(until[0]);
    close(held[0]);
}

/* A process that was killed while it wrote leaves a part; the next one writes over it. */
static void test_a_part_that_was_left(void **state)
{
    (void)state;
    char part[600];
    store("a");
    snprintf(part, sizeof part, "%s.part", entry_path());
    assert_int_equal(rename(entry_path(), part), 0);
    assert_false(find("a"));
    store("a");
    assert_true(find("a"));
    assert_int_equal(access(part, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_stored_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_replaced_entry_stays_as_it_was_for_who_mapped_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_any_other_length_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_any_flipped_bit_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_damaged_file_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_file_of_that_name_for_something_else_is_ignored, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_others_can_write_is_ignored, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_folder_that_cannot_be_written, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_process_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_part_that_was_left, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
