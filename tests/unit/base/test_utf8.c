/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/utf8.h"

static void every_scalar_value_survives(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        if (c >= 0xd800 && c <= 0xdfff) continue;
        char bytes[4];
        uint32_t back = UINT32_MAX;
        size_t count = sq_utf8_encode(c, bytes);
        assert_int_equal(sq_utf8_decode(bytes, count, &back), count);
        assert_int_equal(back, c);
        assert_int_equal(sq_utf8_decode(bytes, count - 1, &back), 0);
    }
}

/* Table 3-7 of the Unicode standard, seen from the other side. */
static void ill_formed_bytes_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfe", "\xff", "\xe2\x82", "\xe2\x28\xa1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint32_t c;
        assert_int_equal(sq_utf8_decode(bad[i], strlen(bad[i]), &c), 0);
    }
}

static void the_valid_prefix_ends_before_the_first_bad_byte(void **state)
{
    (void)state;
    assert_int_equal(sq_utf8_valid_bytes(SQ_STR("na\xc3\xafve")), 6);
    assert_int_equal(sq_utf8_valid_bytes(SQ_STR("na\xc3\xafve\xff!")), 6);
    assert_int_equal(sq_utf8_valid_bytes(SQ_STR("a\0b")), 3);
    assert_int_equal(sq_utf8_valid_bytes((struct sq_str){NULL, 0}), 0);
}

static void a_prefix_cuts_between_code_points(void **state)
{
    (void)state;
    struct sq_str text = SQ_STR("\xe4\xbd\xa0\xe5\xa5\xbd!");
    assert_int_equal(sq_utf8_prefix(text, 1).bytes, 3);
    assert_int_equal(sq_utf8_prefix(text, 2).bytes, 6);
    assert_int_equal(sq_utf8_prefix(text, 99).bytes, 7);
    assert_int_equal(sq_utf8_prefix(text, 0).bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scalar_value_survives),
        cmocka_unit_test(ill_formed_bytes_are_refused),
        cmocka_unit_test(the_valid_prefix_ends_before_the_first_bad_byte),
        cmocka_unit_test(a_prefix_cuts_between_code_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
