/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of FIPS 180-4's examples and of RFC 4231. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine/base/sha256.h"

static void digests_are_those_of_the_standard(void **state)
{
    (void)state;
    static char million[1000000];
    memset(million, 'a', sizeof million);
    const struct {
        struct sq_str data;
        const char *hex;
    } cases[] = {
        {SQ_STR(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {SQ_STR("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {SQ_STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {{million, sizeof million}, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char digest[SQ_SHA256_BYTES];
        char hex[SQ_SHA256_HEX_BYTES];
        sq_sha256(cases[i].data, digest);
        for (size_t b = 0; b < sizeof digest; b++) snprintf(hex + 2 * b, 3, "%02x", digest[b]);
        assert_string_equal(hex, cases[i].hex);
    }
}

static void signatures_are_those_of_the_rfc(void **state)
{
    (void)state;
    char long_key[131], hex[SQ_SHA256_HEX_BYTES];
    memset(long_key, 0xaa, sizeof long_key);
    sq_hmac_sha256_hex(SQ_STR("Jefe"), SQ_STR("what do ya want for nothing?"), hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    sq_hmac_sha256_hex(SQ_STR("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"), SQ_STR("Hi There"), hex);
    assert_string_equal(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    sq_hmac_sha256_hex((struct sq_str){long_key, sizeof long_key}, SQ_STR("Test Using Larger Than Block-Size Key - Hash Key First"), hex);
    assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(digests_are_those_of_the_standard), cmocka_unit_test(signatures_are_those_of_the_rfc)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
