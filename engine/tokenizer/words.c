/* SPDX-License-Identifier: Apache-2.0 */
/* Hugging Face normalises the whole text, splits the result, and looks the words up. Done here in one sweep, which gives the same
 * ids:
 *
 * - All normalising steps but canonical ordering look at one code point alone, so sq_chars has them as one mapping.
 * - Ordering moves combining characters only, which never end a word, and only within a run of them. A run is held back until
 *   something else comes. What strip_accents drops takes no part, unless its class is 0: that is a BARRIER.
 * - A word beyond WordPiece's limit is [UNK] whatever it holds, so its rest is counted and not kept. This bounds word and run.
 *
 * Most text is ASCII, where a character is one byte, maps to one character and has no marks: word_of_ascii. */
#include "engine/tokenizer/words.h"

#include "engine/base/utf8.h"

size_t sq_words_scratch_bytes(unsigned chars_max)
{
    return (size_t)SQ_WORDS_RUN_MAX(chars_max) * sizeof(struct sq_char) + 4 * (size_t)chars_max;
}

void sq_words_init(struct sq_words *words, const struct sq_wordpiece *wordpiece, struct sq_ids *ids, void *scratch)
{
    struct sq_char *run = scratch;
    char *word = (char *)(run + SQ_WORDS_RUN_MAX(wordpiece->chars_max));
    *words = (struct sq_words){.wordpiece = wordpiece, .ids = ids, .run = run, .word = word};
}

static void append(struct sq_words *words, uint32_t code_point)
{
    if (words->word_chars++ >= words->wordpiece->chars_max) return;
    words->word_bytes += sq_utf8_encode(code_point, words->word + words->word_bytes);
}

static void append_run(struct sq_words *words)
{
    for (unsigned i = 0; i < words->run_count; i++) append(words, words->run[i].code_point);
    words->run_count = 0;
}

static void hold(struct sq_words *words, struct sq_char combining)
{
    /* A full run alone makes the word too long, whatever follows. */
    if (words->run_count <= words->wordpiece->chars_max) sq_chars_order(words->run, words->run_count++, combining);
}

static void end_word(struct sq_words *words)
{
    append_run(words);
    if (words->word_chars > words->wordpiece->chars_max) sq_ids_add(words->ids, words->wordpiece->unknown_id);
    else if (words->word_chars > 0) {
        sq_wordpiece_split(words->wordpiece, (struct sq_str){words->word, words->word_bytes}, words->ids);
    }
    words->word_bytes = 0;
    words->word_chars = 0;
}

static void take(struct sq_words *words, struct sq_char c)
{
    if (c.combining) {
        hold(words, c);
        return;
    }
    if (words->run_count && c.class != SQ_CHAR_GONE) append_run(words);
    if (c.class == SQ_CHAR_WORD) {
        append(words, c.code_point);
        return;
    }
    if (c.class == SQ_CHAR_SPACE) end_word(words);
    if (c.class == SQ_CHAR_ALONE) {
        end_word(words);
        append(words, c.code_point);
        end_word(words);
    }
}

static void take_mapped(struct sq_words *words, const struct sq_chars *chars, uint32_t code_point)
{
    struct sq_char mapped[SQ_CHARS_OUT_MAX];
    unsigned count = sq_chars_map(chars, code_point, mapped);
    for (unsigned i = 0; i < count; i++) take(words, mapped[i]);
}

/* The letters and digits from `at` on; returns where they end. */
static const unsigned char *word_of_ascii(struct sq_words *words, const struct sq_chars *chars, const unsigned char *at,
                                          const unsigned char *end)
{
    append_run(words);
    unsigned chars_max = words->wordpiece->chars_max, count = words->word_chars;
    char *out = words->word + words->word_bytes;
    for (; at < end && *at < 0x80 && chars->table[*at].class == SQ_CHAR_WORD; at++)
        if (count++ < chars_max) *out++ = (char)chars->table[*at].code_point;
    words->word_chars = count;
    words->word_bytes = (size_t)(out - words->word);
    return at;
}

void sq_words_feed(struct sq_words *words, const struct sq_chars *chars, struct sq_str piece)
{
    const unsigned char *at = (const unsigned char *)piece.data, *end = at + piece.bytes;
    while (at < end && !sq_ids_is_full(words->ids)) {
        if (*at < 0x80 && chars->table[*at].class == SQ_CHAR_WORD) {
            at = word_of_ascii(words, chars, at, end);
            continue;
        }
        uint32_t code_point = sq_chars_next(&at);
        bool simple = code_point < SQ_CHARS_TABLE && chars->table[code_point].class != SQ_CHAR_SEVERAL;
        if (simple) take(words, chars->table[code_point]);
        else take_mapped(words, chars, code_point);
    }
    end_word(words);
}
