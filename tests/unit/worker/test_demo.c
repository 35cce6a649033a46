/* SPDX-License-Identifier: Apache-2.0 */
/* The demo's script is a function of its seed and holds what it promises; its books notice every loss. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "proto/codec.h"
#include "worker/cli/demo_account.h"
#include "worker/cli/demo_script.h"

enum { TEXTS = 3000 };
static const int64_t end_ms = 1767225600000;

/* Texts of two moods and all kinds; the shipped ones are the demo's own business. */
static void load_texts(struct sq_demo_texts *texts)
{
    static const char *const moods[] = {"terrible, the worst I ever bought, it broke at once", "good value, works as it should"};
    *texts = (struct sq_demo_texts){.items = calloc(TEXTS, sizeof *texts->items), .count = TEXTS, .capacity = TEXTS};
    assert_non_null(texts->items);
    for (unsigned i = 0; i < TEXTS; i++) {
        bool sad = i % 3 == 0;
        texts->items[i] = (struct sq_demo_text){.text = sq_str_view(moods[!sad]), .id = SQ_STR("7"), .rating = sad ? -2.5f : 2, .kind = i % SQ_DEMO_KINDS};
        if (sad) texts->items[i].kind = i % 2 ? SQ_DEMO_PRODUCT : SQ_DEMO_TWEET;
    }
}

static bool are_equal(const struct sq_demo_script *a, const struct sq_demo_script *b)
{
    bool equal = a->count == b->count;
    for (unsigned i = 0; equal && i < a->count; i++) {
        const struct sq_demo_post *x = &a->posts[i], *y = &b->posts[i];
        equal = x->ts_ms == y->ts_ms && x->text == y->text && x->bad == y->bad && x->author == y->author && strcmp(x->entity, y->entity) == 0;
    }
    return equal;
}

static void a_script_is_a_function_of_its_seed(void **state)
{
    (void)state;
    struct sq_demo_texts texts;
    struct sq_demo_script a, b, c;
    load_texts(&texts);
    assert_int_equal(sq_demo_script_init(&a, &texts, 2500, 7, end_ms, NULL), 0);
    assert_int_equal(sq_demo_script_init(&b, &texts, 2500, 7, end_ms, NULL), 0);
    assert_int_equal(sq_demo_script_init(&c, &texts, 2500, 8, end_ms, NULL), 0);
    assert_true(are_equal(&a, &b));
    assert_false(are_equal(&a, &c));
    sq_demo_script_deinit(&a);
    sq_demo_script_deinit(&b);
    sq_demo_script_deinit(&c);
    sq_demo_texts_deinit(&texts);
}

static void one_entity_has_a_bad_hour_and_the_others_do_not(void **state)
{
    (void)state;
    struct sq_demo_texts texts;
    struct sq_demo_script script;
    unsigned sad[18] = {0}, all[18] = {0}, others_sad[18] = {0}, others[18] = {0}, bad = 0;
    load_texts(&texts);
    assert_int_equal(sq_demo_script_init(&script, &texts, 6000, 1, end_ms, NULL), 0);
    assert_int_equal(script.texts_count, 6000);
    for (unsigned i = 0; i < script.count; i++) {
        const struct sq_demo_post *post = &script.posts[i];
        assert_true(i == 0 || script.posts[i - 1].ts_ms <= post->ts_ms);
        assert_true(post->ts_ms <= end_ms && post->ts_ms >= end_ms - SQ_DEMO_SPAN_MS);
        int64_t hour = (post->ts_ms - (end_ms - SQ_DEMO_SPAN_MS)) / 3600000;
        if (hour == 18) hour = 17;
        if (!post->text) {
            bad++;
            continue;
        }
        bool is_acme = strcmp(post->entity, sq_demo_entity) == 0;
        ++*(is_acme ? &all[hour] : &others[hour]);
        if (post->text->rating < 0) ++*(is_acme ? &sad[hour] : &others_sad[hour]);
    }
    assert_int_equal(bad, 8);
    for (int hour = 0; hour < 18; hour++) {
        assert_in_range(100 * others_sad[hour] / others[hour], 5, 25);
        if (hour == 12 || hour == 13) assert_true(100 * sad[hour] / all[hour] > 50);
        else assert_true(100 * sad[hour] / all[hour] <= 25);
    }
    sq_demo_script_deinit(&script);
    sq_demo_texts_deinit(&texts);
}

static void posts_are_events_and_the_bad_ones_are_not(void **state)
{
    (void)state;
    struct sq_demo_texts texts;
    struct sq_demo_script script;
    struct sq_arena arena;
    struct sq_buf value = {0};
    unsigned refused = 0;
    load_texts(&texts);
    assert_int_equal(sq_demo_script_init(&script, &texts, 2000, 3, end_ms, NULL), 0);
    assert_int_equal(sq_arena_init(&arena, sq_event_room_bytes(&sq_event_format_default), NULL), 0);
    for (unsigned i = 0; i < script.count; i++) {
        struct sq_event event;
        struct sq_err err;
        struct sq_record record = {.value = sq_demo_post_write(&script.posts[i], &value)};
        arena.used_bytes = 0;
        int status = sq_event_decode(&sq_event_format_default, &record, &arena, &event, &err);
        refused += status != 0;
        assert_int_equal(status != 0, script.posts[i].text == NULL);
        if (status == 0) {
            assert_true(sq_str_equal(event.entity, sq_str_view(script.posts[i].entity)));
            assert_true(event.has_ts && event.ts_ms == script.posts[i].ts_ms);
            assert_true(event.author.bytes > 0 && event.id.bytes > 0);
        }
    }
    assert_int_equal(refused, script.count - script.texts_count);
    sq_arena_deinit(&arena);
    sq_buf_deinit(&value);
    sq_demo_script_deinit(&script);
    sq_demo_texts_deinit(&texts);
}

static void book_score(struct sq_account *account, int32_t partition, int64_t offset, const char *label)
{
    struct sq_score score = {.source = {SQ_STR("demo.posts"), partition, offset}, .entity = SQ_STR("acme"), .label = sq_str_view(label),
                             .probabilities = {0.5f, 0.25f, 0.25f}, .probabilities_count = 3, .score = 0.5f};
    struct sq_buf value = {0};
    assert_int_equal(sq_score_encode(&score, &value, NULL), 0);
    sq_account_score(account, sq_buf_view(&value));
    sq_buf_deinit(&value);
}

static void the_books_notice_losses_and_repeats(void **state)
{
    (void)state;
    struct sq_account account;
    assert_int_equal(sq_account_init(&account, 2, 10, NULL), 0);
    book_score(&account, 0, 0, "negative"); /* before its own acknowledgement */
    for (int64_t offset = 0; offset < 3; offset++) sq_account_sent(&account, 0, offset);
    sq_account_sent(&account, 1, 0);
    book_score(&account, 0, 1, "positive");
    sq_account_dead_letter(&account, SQ_STR("demo.posts/1/0"));
    assert_false(sq_account_is_even(&account));
    assert_int_equal(sq_account_missing(&account), 1);
    book_score(&account, 0, 1, "positive");
    assert_int_equal(account.duplicates, 1);
    assert_false(sq_account_is_even(&account)); /* a repeat makes up for nothing */
    book_score(&account, 0, 2, "neutral");
    assert_true(sq_account_is_even(&account));
    assert_int_equal(account.scored, 3);
    assert_int_equal(account.dead, 1);
    assert_int_equal(account.negative, 1);
    sq_account_deinit(&account);
}

static void the_books_notice_strangers(void **state)
{
    (void)state;
    static const char *const keys[] = {"", "demo.posts", "demo.posts/9/0", "demo.posts/0/10", "demo.posts/0/-1", "demo.posts/x/0"};
    struct sq_account account;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_int_equal(sq_account_init(&account, 2, 10, NULL), 0);
        sq_account_dead_letter(&account, sq_str_view(keys[i]));
        assert_int_equal(account.strangers, 1);
        assert_false(sq_account_is_even(&account));
        sq_account_deinit(&account);
    }
    assert_int_equal(sq_account_init(&account, 2, 10, NULL), 0);
    book_score(&account, 1, 5, "neutral"); /* known coordinates, but nothing was sent there */
    assert_false(sq_account_is_even(&account));
    sq_account_score(&account, SQ_STR("\xff\xff"));
    assert_null(sq_account_alert(&account, SQ_STR("{")));
    assert_int_equal(account.strangers, 2);
    sq_account_deinit(&account);
}

static const struct sq_account_alert *book_alert(struct sq_account *account, const char *id, int seq, const char *what)
{
    char json[512];
    int bytes = snprintf(json, sizeof json,
                         "{\"alert_id\":\"%s\",\"seq\":%d,\"state\":\"%s\",\"entity\":\"acme\",\"rule\":\"R\",\"severity\":\"critical\","
                         "\"starts_at\":\"2026-01-31T12:00:00Z\",\"at\":\"2026-01-31T14:03:00Z\",\"stats\":{\"count\":58,\"matched\":41,"
                         "\"baseline\":{\"rate\":0.12}},\"examples\":[{\"excerpt\":\"it broke\"}]}",
                         id, seq, what);
    return sq_account_alert(account, (struct sq_str){json, (size_t)bytes});
}

static void repeated_transitions_are_one(void **state)
{
    (void)state;
    struct sq_account account;
    assert_int_equal(sq_account_init(&account, 1, 1, NULL), 0);
    const struct sq_account_alert *alert = book_alert(&account, "aa", 0, "FIRING");
    assert_non_null(alert);
    assert_true(alert->has_fired && alert->matched == 41 && alert->count == 58);
    assert_string_equal(alert->example, "it broke");
    assert_int_equal(alert->at_ms - alert->starts_ms, 123 * 60000);
    assert_null(book_alert(&account, "aa", 0, "FIRING"));
    assert_non_null(book_alert(&account, "aa", 1, "RESOLVED"));
    assert_null(book_alert(&account, "aa", 0, "FIRING")); /* an old repeat opens nothing again */
    assert_string_equal(account.alerts[0].state, "RESOLVED");
    assert_true(sq_account_is_resolved(sq_account_alert_of(&account, account.alerts[0].entity)));
    assert_null(sq_account_alert_of(&account, "nobody"));
    assert_int_equal(account.alerts_count, 1);
    assert_non_null(book_alert(&account, "bb", 0, "FIRING"));
    assert_int_equal(account.alerts_count, 2);
    sq_account_deinit(&account);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_is_a_function_of_its_seed),
        cmocka_unit_test(one_entity_has_a_bad_hour_and_the_others_do_not),
        cmocka_unit_test(posts_are_events_and_the_bad_ones_are_not),
        cmocka_unit_test(the_books_notice_losses_and_repeats),
        cmocka_unit_test(the_books_notice_strangers),
        cmocka_unit_test(repeated_transitions_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
