/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <xxhash.h>

#include "engine/base/clock.h"
#include "engine/texthash.h"

static uint64_t hash_of(const char *text) { return sq_text_hash(sq_str_view(text)); }

#define PLAIN "the battery died after two days"

static void copies_have_one_hash(void **state)
{
    (void)state;
    static const char *const copies[] = {
        PLAIN,
        "The battery died, after two days!!!",
        "RT @someone: the battery died after two days https://t.co/abc123",
        "RT @a: RT @b_c9: the battery died after two days",
        "\"THE BATTERY DIED AFTER TWO DAYS\" http://x.y",
        "the battery @jo died after 22 two days 100%",
        "  the\tbattery\n died   after\xc2\xa0two\xe3\x80\x80 days \xf0\x9f\x98\xa1\xf0\x9f\x98\xa1",
        "https://t.co/1 the battery died https://t.co/2 after two days",
        "\xef\xbd\x94\xef\xbd\x88\xef\xbd\x85 battery died after two days", /* full width */
    };
    uint64_t expected = XXH64(PLAIN, sizeof PLAIN - 1, 0); /* the form itself: other programs may compute it */
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++)
        if (hash_of(copies[i]) != expected) fail_msg("copy %zu has another hash", i);
}

static void other_texts_have_other_hashes(void **state)
{
    (void)state;
    assert_int_not_equal(hash_of(PLAIN), hash_of("the battery died after two weeks"));
    assert_int_not_equal(hash_of(PLAIN), hash_of("battery the died after two days"));
    assert_int_not_equal(hash_of(PLAIN), hash_of("start the battery died after two days"));
}

static void composed_and_decomposed_are_the_same(void **state)
{
    (void)state;
    uint64_t hash = hash_of("un caf\xc3\xa9 tr\xc3\xa8s froid aujourd'hui");
    assert_int_not_equal(hash, 0);
    assert_int_equal(hash, hash_of("un cafe\xcc\x81 tre\xcc\x80s froid aujourdhui"));
    assert_int_not_equal(hash, hash_of("un cafe tres froid aujourdhui"));
}

static void short_texts_have_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "   ", "ok", "so true", "thank you all", "1 2 3 4 5 6", "@a @b @c @d @e", "! ! ! ! !",
                                        "RT @x: thank you all", "http://a.b/c d e f", "\xf0\x9f\x98\xa1 \xf0\x9f\x98\xa1 no \xf0\x9f\x98\xa1"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (hash_of(texts[i]) != 0) fail_msg("\"%s\" has a hash", texts[i]);
    assert_int_not_equal(hash_of("thank you all again"), 0);
}

/* Eight characters of Chinese are as long as four words. */
static void scripts_without_spaces_count_characters(void **state)
{
    (void)state;
    assert_int_equal(hash_of("\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87"), 0);
    assert_int_not_equal(hash_of("\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87"), 0);
}

static void invalid_utf8_has_none(void **state)
{
    (void)state;
    assert_int_equal(hash_of("the battery died after two \xff days"), 0);
}

/* Only the beginning counts, however far it stretches; a megabyte takes no time to speak of. */
static void long_texts_take_linear_time(void **state)
{
    (void)state;
    enum { BYTES = 1 << 20 };
    static const char *const units[] = {"a b c d e ", "@", "@a", "1", " ", "http://", "://", "\xcc\x81", "\xef\xb7\xba", "\xe1\x84\x80", "a"};
    char *text = malloc(BYTES);
    for (size_t unit = 0; unit < sizeof units / sizeof *units; unit++) {
        size_t bytes = strlen(units[unit]), whole = BYTES / bytes * bytes;
        for (size_t at = 0; at < whole; at += bytes) memcpy(text + at, units[unit], bytes);
        uint64_t start_ns = sq_clock_thread_cpu_ns();
        sq_text_hash((struct sq_str){text, whole});
        assert_in_range((sq_clock_thread_cpu_ns() - start_ns) / 1000000, 0, 3000);
    }
    memset(text, '!', BYTES);
    memcpy(text + BYTES - sizeof PLAIN, PLAIN, sizeof PLAIN - 1);
    assert_int_equal(sq_text_hash((struct sq_str){text, BYTES}), hash_of(PLAIN));
    free(text);
}

static void endings_behind_200_characters_do_not_count(void **state)
{
    (void)state;
    char text[512];
    for (size_t i = 0; i < sizeof text - 1; i++) text[i] = i % 5 == 4 ? ' ' : (char)('a' + i % 23);
    text[511] = 0;
    uint64_t hash = hash_of(text);
    text[400] = 'z';
    assert_int_equal(hash_of(text), hash);
    text[100] = 'z';
    assert_int_not_equal(hash_of(text), hash);
}

static void authors_are_hashed_as_given(void **state)
{
    (void)state;
    assert_int_equal(sq_author_hash((struct sq_str){0}), 0);
    assert_int_equal(sq_author_hash(SQ_STR("Jo")), XXH64("Jo", 2, 0));
    assert_int_not_equal(sq_author_hash(SQ_STR("jo")), sq_author_hash(SQ_STR("Jo")));
}

static unsigned distance(const char *a, const char *b)
{
    return (unsigned)__builtin_popcountll(sq_text_simhash(sq_str_view(a)) ^ sq_text_simhash(sq_str_view(b)));
}

#define LONG_TEXT                                                                                                                       \
    "the battery of my new phone died after two days and nobody at the shop wanted to hear about it so i wrote to the maker who told me "  \
    "to go back to the shop where they laughed at me and said that i should buy"

static void near_copies_differ_in_few_bits(void **state)
{
    (void)state;
    assert_int_equal(distance(LONG_TEXT " another one", "RT @jo: " LONG_TEXT " another one! http://x.y"), 0);
    assert_true(distance(LONG_TEXT " another one", LONG_TEXT " another") <= 6);
    assert_true(distance(LONG_TEXT " another one", LONG_TEXT " a better one") <= 12);
    assert_true(distance(LONG_TEXT, "what a lovely day it is to walk along the river with my dog and my very best friends of all") >= 16);
    assert_int_equal(sq_text_simhash(SQ_STR("so bad it is")) != 0, 1);
    assert_int_equal(sq_text_simhash(SQ_STR("so bad")), 0);
    assert_int_equal(sq_text_simhash(SQ_STR("\xff four words are here")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_have_one_hash),
        cmocka_unit_test(other_texts_have_other_hashes),
        cmocka_unit_test(composed_and_decomposed_are_the_same),
        cmocka_unit_test(short_texts_have_none),
        cmocka_unit_test(scripts_without_spaces_count_characters),
        cmocka_unit_test(invalid_utf8_has_none),
        cmocka_unit_test(long_texts_take_linear_time),
        cmocka_unit_test(endings_behind_200_characters_do_not_count),
        cmocka_unit_test(authors_are_hashed_as_given),
        cmocka_unit_test(near_copies_differ_in_few_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
