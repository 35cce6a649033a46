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

/* Version 1: two files in the hierarchy of the controller; beside it version 2 may hold other controllers. */
static void test_version_1(void **state)
{
    (void)state;
    char path[512];
    static const char *const made[] = {"cpu", "cpu/pod", "unified"};
    test_folder_init(&folder);
    snprintf(membership, sizeof membership, "%s/membership", folder.path);
    for (unsigned i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder.path, made[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    test_folder_write(&folder, "membership", SQ_STR("11:cpuset:/other\n4:cpuacct,cpu:/pod\n1:name=systemd:/x\n0::/y\n"));
    assert_true(sq_cpus_quota(folder.path, membership) == 0);
    test_folder_write(&folder, "cpu/pod/cpu.cfs_period_us", SQ_STR("50000\n"));
    test_folder_write(&folder, "cpu/pod/cpu.cfs_quota_us", SQ_STR("-1\n"));
    assert_true(sq_cpus_quota(folder.path, membership) == 0);
    test_folder_write(&folder, "cpu/pod/cpu.cfs_quota_us", SQ_STR("150000\n"));
    assert_true(sq_cpus_quota(folder.path, membership) == 3);
    test_folder_write(&folder, "cpu/cpu.cfs_period_us", SQ_STR("100000\n")); /* a container's own hierarchy: its group is the mount */
    test_folder_write(&folder, "cpu/cpu.cfs_quota_us", SQ_STR("250000\n"));
    assert_true(sq_cpus_quota(folder.path, membership) == 2.5);
    test_folder_write(&folder, "membership", SQ_STR("4:cpuacct,cpu:/kubepods/not/here\n"));
    assert_true(sq_cpus_quota(folder.path, membership) == 2.5);
    test_folder_write(&folder, "membership", SQ_STR("4:cpuset,cpuacct:/pod\nnonsense\n:\n::\n"));
    assert_true(sq_cpus_quota(folder.path, membership) == 0);
    static const char *const files[] = {"cpu/pod/cpu.cfs_period_us", "cpu/pod/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us", "cpu/cpu.cfs_quota_us"};
    for (unsigned i = 0; i < 4; i++) test_folder_remove(&folder, files[i]);
    static const char *const in_order[] = {"cpu/pod", "cpu", "unified"};
    for (unsigned i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder.path, in_order[i]);
        assert_int_equal(rmdir(path), 0);
    }
    test_folder_deinit(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_quota), cmocka_unit_test(test_version_1)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
