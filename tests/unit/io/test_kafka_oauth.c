/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/io/kafka_oauth.h"

static struct sq_token_claims claims;
static struct sq_err err;

static int claims_of(const char *token) { return sq_token_read_claims(&claims, sq_str_view(token), &err); }

static void a_token_tells_whose_it_is_and_until_when(void **state)
{
    (void)state;
    /* {"alg":"none"} . {"sub":"squall?~","exp":1900000000} : the payload has both characters in which base64url differs from base64 */
    assert_int_equal(claims_of("eyJhbGciOiJub25lIn0.eyJzdWIiOiJzcXVhbGw_fiIsImV4cCI6MTkwMDAwMDAwMH0."), 0);
    assert_string_equal(claims.principal, "squall?~");
    assert_true(claims.expires_ms == INT64_C(1900000000000));
}

static void what_is_no_token_is_refused_without_being_shown(void **state)
{
    (void)state;
    static const struct {
        const char *token, *says;
    } wrong[] = {
        {"", "three base64url parts"},
        {"sesame", "three base64url parts"},
        {"a.!.c", "three base64url parts"},
        {"e30.c2VzYW1l.e30", "the token's payload"},      /* sesame */
        {"e30.eyJzdWIiOiJzZXNhbWUifQ.", "no \"exp\""},    /* {"sub":"sesame"} */
        {"e30.eyJleHAiOiJzZXNhbWUifQ.", "exp"},           /* {"exp":"sesame"} */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(claims_of(wrong[i].token), SQ_E_CONFIG);
        assert_non_null(strstr(err.message, wrong[i].says));
        assert_null(strstr(err.message, "sesame"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_tells_whose_it_is_and_until_when),
        cmocka_unit_test(what_is_no_token_is_refused_without_being_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
