/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/clock.h"
#include "engine/base/utf8.h"
#include "worker/core/redact.h"

enum { ALL = SQ_REDACT_EMAIL | SQ_REDACT_URL | SQ_REDACT_DIGITS | SQ_REDACT_HANDLE };

static struct sq_buf buf;

static const char *redact_str(unsigned kinds, unsigned chars_max, struct sq_str text)
{
    sq_buf_clear(&buf);
    sq_buf_append_text(&buf, "");
    sq_redact_append(&(struct sq_redact_rules){true, chars_max, kinds}, text, &buf);
    return buf.data;
}

static const char *redact(unsigned kinds, unsigned chars_max, const char *text) { return redact_str(kinds, chars_max, sq_str_view(text)); }

static void names_people_no_more(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"mail joe.doe+x@mail.example.org, now", "mail [email], now"},
        {"(joe@example.org).", "([email])."},
        {"JOE@EXAMPLE.ORG", "[email]"},
        {"j\xc3\xb6rg@b\xc3\xbc" "cher.example", "[email]"},
        {"no mail: a@b, a@b., @b.c", "no mail: a@b, a@b., [handle].c"},
        {"see https://x.example/a?b=1#c!", "see [url]"},
        {"see HTTPS://X.EXAMPLE and www.x.example.", "see [url] and [url]"},
        {"\"http://x.example\" quoted", "\"[url]\" quoted"},
        {"s3+ssh://host/path", "[url]"},
        {"1http://x", "1http://x"},
        {"a:// b://", "[url] [url]"},
        {"call +1 (555) 123-4567 today", "call +[digits] today"},
        {"card 4111 1111 1111 1111.", "card [digits]."},
        {"born 1999-12-31", "born [digits]"},
        {"ID A1234567B", "ID A[digits]B"},
        {"3 of 12, up 5.5%", "3 of 12, up 5.5%"},
        {"1 2 3 4", "[digits]"},
        {"1,234", "1,234"},
        {"12   345", "12 345"},
        {"thanks @ann_b and @J\xc3\xb6rg!", "thanks [handle] and [handle]!"},
        {"a@ann", "a@ann"},
        {"@ alone", "@ alone"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) assert_string_equal(redact(ALL, 200, cases[i].text), cases[i].expected);
}

static void hides_only_what_was_asked(void **state)
{
    (void)state;
    static const char text[] = "@ann joe@x.example http://x.example 12345";
    assert_string_equal(redact(0, 200, text), text);
    assert_string_equal(redact(SQ_REDACT_EMAIL, 200, text), "@ann [email] http://x.example 12345");
    assert_string_equal(redact(SQ_REDACT_URL, 200, text), "@ann joe@x.example [url] 12345");
    assert_string_equal(redact(SQ_REDACT_DIGITS, 200, text), "@ann joe@x.example http://x.example [digits]");
    assert_string_equal(redact(SQ_REDACT_HANDLE, 200, text), "[handle] joe@x.example http://x.example 12345");
}

static void folds_white_space_and_drops_what_is_not_seen(void **state)
{
    (void)state;
    assert_string_equal(redact(0, 200, "  a \t\r\n b\xc2\xa0\xe3\x80\x80" "c  "), "a b c");
    assert_string_equal(redact_str(0, 200, SQ_STR("a\0b\x1b[31m\xe2\x80\xae" "c\xef\xbb\xbf")), "ab[31mc");
    assert_string_equal(redact(0, 200, "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80"), "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80");
}

static void cuts_at_characters_and_says_so(void **state)
{
    (void)state;
    assert_string_equal(redact(0, 5, "abcde"), "abcde");
    assert_string_equal(redact(0, 5, "abcdef"), "abcd\xe2\x80\xa6");
    assert_string_equal(redact(0, 5, "abcd e"), "abcd\xe2\x80\xa6");
    assert_string_equal(redact(0, 5, "abcde   "), "abcde");
    assert_string_equal(redact(0, 3, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"), "\xc3\xa9\xc3\xa9\xe2\x80\xa6");
    assert_string_equal(redact(0, 1, "ab"), "\xe2\x80\xa6");
    assert_string_equal(redact(ALL, 10, "1234567 rest"), "[digits]\xe2\x80\xa6");
    assert_string_equal(redact(ALL, 8, "ab 1234567"), "ab\xe2\x80\xa6");
    assert_string_equal(redact(0, 200, "good\xff" "bad"), "good");
}

static void off_means_nothing(void **state)
{
    (void)state;
    sq_buf_clear(&buf);
    sq_redact_append(&(struct sq_redact_rules){false, 200, 0}, SQ_STR("text"), &buf);
    assert_int_equal(buf.bytes, 0);
}

static uint32_t next_random(uint32_t *seed) { return (*seed = *seed * 1664525 + 1013904223) >> 8; }

/* Whatever the text: valid UTF-8 out, no longer than allowed, and nothing is left that a second pass would hide. */
static void any_text_stays_within_bounds(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a", "@", ".", "1", "-", " ", "http://", "www.", "\xc3\xa9", "\xe2\x80\xae", "\xff", ":", "/", "(", "x.y"};
    uint32_t seed = 7;
    for (int round = 0; round < 20000; round++) {
        char text[256] = "";
        for (uint32_t i = next_random(&seed) % 24; i > 0; i--) strcat(text, pieces[next_random(&seed) % (sizeof pieces / sizeof *pieces)]);
        unsigned chars_max = 1 + next_random(&seed) % 40;
        redact(ALL, chars_max, text);
        assert_int_equal(sq_utf8_valid_bytes(sq_buf_view(&buf)), buf.bytes);
        assert_int_equal(sq_utf8_prefix(sq_buf_view(&buf), chars_max).bytes, buf.bytes);
        for (size_t i = 0, digits = 0; i < buf.bytes; i++) {
            digits = buf.data[i] >= '0' && buf.data[i] <= '9' ? digits + 1 : 0;
            if (digits >= 4) fail_msg("seed 7, round %d: '%s' from '%s'", round, buf.data, text);
        }
    }
}

static uint64_t cost_of(const char *piece, size_t bytes)
{
    static char text[1 << 20];
    size_t piece_bytes = strlen(piece);
    for (size_t i = 0; i < bytes; i++) text[i] = piece[i % piece_bytes];
    uint64_t start_ns = sq_clock_thread_cpu_ns();
    redact_str(ALL, 1u << 30, (struct sq_str){text, bytes});
    return sq_clock_thread_cpu_ns() - start_ns;
}

static void cost_is_linear(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a", "a.", "1 ", "1  ", "12 ", "@", "a@", "a@b-", "www", "://", "a-", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        uint64_t small_ns = cost_of(pieces[i], 1 << 14), large_ns = cost_of(pieces[i], 1 << 20);
        if (large_ns > 64 * 8 * small_ns + 50000000) fail_msg("'%s': %llu ns, 64 times as long: %llu ns", pieces[i], (unsigned long long)small_ns, (unsigned long long)large_ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_people_no_more),
        cmocka_unit_test(hides_only_what_was_asked),
        cmocka_unit_test(folds_white_space_and_drops_what_is_not_seen),
        cmocka_unit_test(cuts_at_characters_and_says_so),
        cmocka_unit_test(off_means_nothing),
        cmocka_unit_test(any_text_stays_within_bounds),
        cmocka_unit_test(cost_is_linear),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sq_buf_deinit(&buf);
    return failed;
}
