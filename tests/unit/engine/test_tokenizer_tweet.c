/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/tokenizer/tweet.h"

static void follows_the_three_rules(void **state)
{
    (void)state;
    static const char *const examples[][2] = {
        {"", ""},
        {"plain text", "plain text"},
        {"@jo hi", "@user hi"},
        {"@a@b @_x9 @\xc3\xa9t\xc3\xa9 @\xe5\x90\x8d\xe5\x89\x8d", "@user@user @user @user @user"},
        {"me@site.org @ @! @", "me@user.org @ @! @"},
        {"@@jo", "@@user"},
        {"see http://t.co/x now", "see http now"},
        {"https://a\xe3\x80\x80" "b", "http\xe3\x80\x80" "b"},
        {"http://", "http"},
        {"http:/x https:x HTTP://x hhttp://x", "http:/x https:x HTTP://x hhttp"},
        {"http://a@b\nc", "http\nc"},
        {"@http://x", "@user://x"},
        {"a &amp; b &lt;3 &gt; &quot;q&quot; it&#39;s", "a & b <3 > \"q\" it's"},
        {"&amp;lt; &amp &nbsp; &", "&lt; &amp &nbsp; &"},
        {"&amp;amp;", "&amp;"},
        {"http://x&amp;y z", "http z"},
        {"@&amp;x", "@&x"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct sq_str text = sq_str_view(examples[i][0]);
        char *out = malloc(sq_tweet_bytes_max(text.bytes) + 1); /* exact, so that a sanitizer sees a byte too many */
        size_t bytes = sq_tweet_normalise(text, out);
        out[bytes] = 0;
        assert_string_equal(out, examples[i][1]);
        free(out);
    }
}

static void the_worst_growth_fits(void **state)
{
    (void)state;
    char text[101], out[256];
    for (size_t i = 0; i < sizeof text; i++) text[i] = i % 2 ? 'a' : '@';
    for (size_t bytes = 0; bytes <= sizeof text; bytes++)
        assert_in_range(sq_tweet_normalise((struct sq_str){text, bytes}, out), 0, sq_tweet_bytes_max(bytes));
    assert_int_equal(sq_tweet_normalise((struct sq_str){text, 100}, out), sq_tweet_bytes_max(100));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_three_rules),
        cmocka_unit_test(the_worst_growth_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
