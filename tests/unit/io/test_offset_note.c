/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/io/offset_note.h"
#include "worker/io/txn_client.h"

static void what_is_written_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *tag;
        unsigned begun;
        const char *note;
    } notes[] = {
        {"", 0, ""}, {"", 1, "begun=1"}, {"3f2a.18c.7", 0, "3f2a.18c.7"}, {"3f2a.18c.7", 12, "3f2a.18c.7 begun=12"},
    };
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        char note[SQ_OFFSET_NOTE_BYTES];
        sq_offset_note_write(note, notes[i].tag, notes[i].begun);
        assert_string_equal(note, notes[i].note);
        assert_int_equal(sq_offset_note_begun(sq_str_view(note)), notes[i].begun);
        assert_int_equal(sq_offset_note_has_tag(sq_str_view(note), "3f2a.18c.7"), notes[i].tag[0] != '\0');
    }
}

static void the_longest_tag_leaves_room_for_the_number(void **state)
{
    (void)state;
    char tag[SQ_TXN_TAG_BYTES], note[SQ_OFFSET_NOTE_BYTES];
    memset(tag, 'a', sizeof tag);
    tag[sizeof tag - 1] = '\0';
    sq_offset_note_write(note, tag, 999999);
    assert_int_equal(sq_offset_note_begun(sq_str_view(note)), 999999);
    assert_true(sq_offset_note_has_tag(sq_str_view(note), tag));
}

/* Attempt 1 must not pass for attempt 12. */
static void a_tag_is_compared_whole(void **state)
{
    (void)state;
    assert_false(sq_offset_note_has_tag(SQ_STR("a.b.12"), "a.b.1"));
    assert_false(sq_offset_note_has_tag(SQ_STR("a.b"), "a.b.1"));
    assert_false(sq_offset_note_has_tag(SQ_STR("begun=1"), ""));
    assert_true(sq_offset_note_has_tag(SQ_STR("a.b.1 begun=2"), "a.b.1"));
}

static void notes_of_other_hands_say_nothing(void **state)
{
    (void)state;
    static const char *const notes[] = {"", "4", "begun=", "begun", "begun=x", "xbegun=4", "begun=4 ", "begun=12345678", "=4", " =4", "begun 4"};
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        if (sq_offset_note_begun(sq_str_view(notes[i]))) fail_msg("'%s'", notes[i]);
    assert_int_equal(sq_offset_note_begun((struct sq_str){0}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(the_longest_tag_leaves_room_for_the_number),
        cmocka_unit_test(a_tag_is_compared_whole),
        cmocka_unit_test(notes_of_other_hands_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
