/* SPDX-License-Identifier: Apache-2.0 */
/* The CPU quota of cgroups, on a made-up hierarchy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/cpus.h"
#include "tests/lib/folder.h"

static struct test_folder folder;
static char membership[512], inner[512], outer[512];

static double quota_with(const char *group, const char *outer_max, const char *inner_max)
{
    test_folder_write(&folder, "membership", sq_str_view(group));
    test_folder_remove(&folder, "outer/cpu.max");
    test_folder_remove(&folder, "outer/inner/cpu.max");
    if (outer_max) test_folder_write(&folder, "outer/cpu.max", sq_str_view(outer_max));
    if (inner_max) test_folder_write(&folder, "outer/inner/cpu.max", sq_str_view(inner_max));
    return sq_cpus_quota(folder.path, membership);
}

static void test_quota(void **state)
{
    (void)state;
    test_folder_init(&folder);
    snprintf(membership, sizeof membership, "%s/membership", folder.path);
    snprintf(outer, sizeof outer, "%s/outer", folder.path);
    snprintf(inner, sizeof inner, "%s/outer/inner", folder.path);
    assert_int_equal(mkdir(outer, 0700), 0);
    assert_int_equal(mkdir(inner, 0700), 0);
    const char *group = "0::/outer/inner\n";
    assert_true(quota_with(group, NULL, NULL) == 0);
    assert_true(quota_with(group, "max 100000\n", "max 100000\n") == 0);
    assert_true(quota_with(group, NULL, "150000 100000\n") == 1.5);
    assert_true(quota_with(group, "50000 100000\n", "max 100000\n") == 0.5); /* the parent's counts */
    assert_true(quota_with(group, "50000 100000\n", "400000 100000\n") == 0.5);
    assert_true(quota_with("4:cpu:/outer\n0::/outer\n", "200000 100000\n", "100000 100000\n") == 2); /* not of a child */
    assert_true(quota_with("4:cpu:/outer\n", "200000 100000\n", NULL) == 0); /* no version 2 */
    assert_true(quota_with(group, "nonsense", "-5 0") == 0);
    assert_true(sq_cpus_quota("/nowhere", "/nowhere") == 0);
    test_folder_remove(&folder, "outer/cpu.max");
    test_folder_remove(&folder, "outer/inner/cpu.max");
    rmdir(inner);
    rmdir(outer);
    test_folder_deinit(&folder);
    assert_true(sq_cpus_affinity() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_quota)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
