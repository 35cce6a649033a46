/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/offset_note.h"

#include <stdio.h>

enum { BEGUN_DIGITS_MAX = 6 };
static const char begun_word[] = "begun=";

void sq_offset_note_write(char note[SQ_OFFSET_NOTE_BYTES], const char *tag, unsigned begun)
{
    int bytes = snprintf(note, SQ_OFFSET_NOTE_BYTES, "%s", tag);
    if (begun) snprintf(note + bytes, SQ_OFFSET_NOTE_BYTES - (size_t)bytes, "%s%s%u", bytes ? " " : "", begun_word, begun);
}

bool sq_offset_note_has_tag(struct sq_str note, const char *tag)
{
    size_t bytes = strlen(tag);
    if (!bytes || note.bytes < bytes || memcmp(note.data, tag, bytes) != 0) return false;
    return note.bytes == bytes || note.data[bytes] == ' ';
}

unsigned sq_offset_note_begun(struct sq_str note)
{
    const size_t word_bytes = sizeof begun_word - 1;
    size_t digits = 0;
    unsigned begun = 0;
    for (unsigned unit = 1; digits < note.bytes && digits < BEGUN_DIGITS_MAX; digits++, unit *= 10) {
        char c = note.data[note.bytes - 1 - digits];
        if (c < '0' || c > '9') break;
        begun += (unsigned)(c - '0') * unit;
    }
    if (!digits || note.bytes < digits + word_bytes) return 0;
    const char *word = note.data + note.bytes - digits - word_bytes;
    bool is_word = memcmp(word, begun_word, word_bytes) == 0 && (word == note.data || word[-1] == ' ');
    return is_word ? begun : 0;
}
