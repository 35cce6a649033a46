/* SPDX-License-Identifier: Apache-2.0 */
/* A text goes through these steps, each on what the one before left:
 *
 *     tweet.c       mentions, links, entities (where the model asks for it)
 *     added.c       `[SEP]` and the like get their ids; between them lie pieces
 *     normaliser.c  a piece is normalised: a list of steps (normal_forms.c, charsmap.c)
 *     added.c       added tokens that are looked for in normalised text
 *     byte_level.c, metaspace.c  a piece is cut into words
 *     bpe.c, unigram.c           a word becomes ids (trie.c finds the entries)
 *
 * BERT's normaliser, pre-tokeniser and WordPiece are one sweep over the piece instead: words.c. Where added tokens want
 * normalised text, its normaliser is a step like the others, and the sweep takes the characters as they are.
 *
 * The files of a folder become a draft (draft_*.c), and build.c makes a tokenizer of that. */
#include "engine/tokenizer/tokenizer.h"

#include "engine/base/utf8.h"
#include "engine/tokenizer/tokenizer_parts.h"
#include "engine/tokenizer/tweet.h"

unsigned sq_tokenizer_ids_count(const struct sq_tokenizer *tokenizer) { return tokenizer->ids_count; }

/* ---- sizes ---- */

static size_t raw_bytes_max(const struct sq_tokenizer *tokenizer, size_t text_bytes)
{
    return tokenizer->tweet ? sq_tweet_bytes_max(text_bytes) : text_bytes;
}

static size_t normal_bytes_max(const struct sq_tokenizer *tokenizer, size_t text_bytes)
{
    size_t raw_bytes = raw_bytes_max(tokenizer, text_bytes);
    return tokenizer->normaliser.steps_count ? sq_normaliser_bytes_max(raw_bytes) : raw_bytes;
}

static bool adds_a_space(const struct sq_tokenizer *tokenizer)
{
    return tokenizer->split == SQ_SPLIT_BYTE_LEVEL && tokenizer->byte_level.add_prefix_space;
}

/* The longest word, where words are put together in a buffer or a model needs room for them. */
static size_t word_bytes_max(const struct sq_tokenizer *tokenizer, size_t text_bytes)
{
    size_t normal_bytes = normal_bytes_max(tokenizer, text_bytes);
    if (tokenizer->split == SQ_SPLIT_METASPACE) return sq_metaspace_word_bytes_max(normal_bytes);
    return normal_bytes + adds_a_space(tokenizer);
}

/* A token takes at least one byte of a word. What a text may begin with, a space or U+2581, every piece may begin with, and
 * between two pieces lies an added token of at least one byte. WordPiece takes at least one character of the normalised text,
 * and that comes from at least one byte. */
size_t sq_tokenizer_tokens_bound(const struct sq_tokenizer *tokenizer, size_t text_bytes)
{
    size_t raw_bytes = raw_bytes_max(tokenizer, text_bytes);
    if (tokenizer->model == SQ_MODEL_WORDPIECE) return raw_bytes + 2;
    size_t normal_bytes = normal_bytes_max(tokenizer, text_bytes);
    if (tokenizer->split == SQ_SPLIT_METASPACE) return sq_metaspace_word_bytes_max(normal_bytes + raw_bytes) + 2;
    return normal_bytes + (adds_a_space(tokenizer) ? raw_bytes + 1 : 0) + 2;
}

static size_t model_scratch_bytes(const struct sq_tokenizer *tokenizer, size_t text_bytes)
{
    switch (tokenizer->model) {
    case SQ_MODEL_BPE: return sq_bpe_scratch_bytes(word_bytes_max(tokenizer, text_bytes));
    case SQ_MODEL_UNIGRAM: return sq_unigram_scratch_bytes(&tokenizer->unigram, word_bytes_max(tokenizer, text_bytes));
    case SQ_MODEL_WORDPIECE: break;
    }
    return sq_words_scratch_bytes(tokenizer->wordpiece.chars_max);
}

static size_t word_buffer_bytes(const struct sq_tokenizer *tokenizer, size_t text_bytes)
{
    return tokenizer->split == SQ_SPLIT_METASPACE || adds_a_space(tokenizer) ? word_bytes_max(tokenizer, text_bytes) : 0;
}

static size_t normal_buffer_bytes(const struct sq_tokenizer *tokenizer, size_t text_bytes)
{
    return tokenizer->normaliser.steps_count ? normal_bytes_max(tokenizer, text_bytes) : 0;
}

size_t sq_tokenizer_scratch_bytes(const struct sq_tokenizer *tokenizer, size_t text_bytes)
{
    enum { BLOCKS = 5 };
    return model_scratch_bytes(tokenizer, text_bytes) + (tokenizer->tweet ? raw_bytes_max(tokenizer, text_bytes) : 0)
           + 2 * normal_buffer_bytes(tokenizer, text_bytes) + word_buffer_bytes(tokenizer, text_bytes)
           + BLOCKS * (size_t)SQ_ARENA_ALIGN_BYTES;
}

/* ---- one call ---- */

struct encoding {
    const struct sq_tokenizer *tokenizer;
    struct sq_ids ids;
    void *model_scratch;
    struct sq_words words; /* SQ_SPLIT_BERT */
    char *normal[2];       /* [normal_bytes] what normalising steps write to */
    size_t normal_bytes;
    char *word;            /* [word_bytes] */
    size_t word_bytes;
    bool is_too_large;     /* what normalising makes of the text */
};

static bool is_done(const struct encoding *encoding) { return sq_ids_is_full(&encoding->ids) || encoding->is_too_large; }

static void encode_word(struct encoding *encoding, struct sq_str word)
{
    const struct sq_tokenizer *tokenizer = encoding->tokenizer;
    if (tokenizer->model == SQ_MODEL_BPE) sq_bpe_split(&tokenizer->bpe, word, encoding->model_scratch, &encoding->ids);
    else sq_unigram_split(&tokenizer->unigram, word, encoding->model_scratch, &encoding->ids);
}

static void encode_byte_level(struct encoding *encoding, struct sq_str piece)
{
    if (adds_a_space(encoding->tokenizer) && piece.data[0] != ' ') {
        encoding->word[0] = ' ';
        memcpy(encoding->word + 1, piece.data, piece.bytes);
        piece = (struct sq_str){encoding->word, piece.bytes + 1};
    }
    while (piece.bytes && !is_done(encoding)) encode_word(encoding, sq_byte_level_next(&encoding->tokenizer->byte_level, &piece));
}

static void encode_metaspace(struct encoding *encoding, struct sq_str piece, bool is_first)
{
    struct sq_metaspace_walk walk = {
        .rest = piece, .is_first = is_first, .word = encoding->word, .word_bytes_max = encoding->word_bytes};
    struct sq_str word;
    while (!is_done(encoding) && sq_metaspace_next(&encoding->tokenizer->metaspace, &walk, &word)) encode_word(encoding, word);
    encoding->is_too_large |= walk.is_full;
}

/* A normalised piece. is_first: the text begins with it. */
static void encode_words(struct encoding *encoding, struct sq_str piece, bool is_first)
{
    const struct sq_tokenizer *tokenizer = encoding->tokenizer;
    if (piece.bytes == 0) return;
    switch (tokenizer->split) {
    case SQ_SPLIT_BERT: sq_words_feed(&encoding->words, &tokenizer->chars, piece); break;
    case SQ_SPLIT_BYTE_LEVEL: encode_byte_level(encoding, piece); break;
    case SQ_SPLIT_METASPACE: encode_metaspace(encoding, piece, is_first); break;
    }
}

static void encode_piece(struct encoding *encoding, struct sq_str piece, bool is_first)
{
    const struct sq_tokenizer *tokenizer = encoding->tokenizer;
    struct sq_added_walk walk = {0};
    if (!sq_normaliser_run(&tokenizer->normaliser, piece, encoding->normal, encoding->normal_bytes, &walk.text)) {
        encoding->is_too_large = true;
        return;
    }
    while (!is_done(encoding) && sq_added_next(&tokenizer->normalised, &walk)) {
        encode_words(encoding, walk.before, is_first);
        if (walk.id >= 0) sq_ids_add(&encoding->ids, walk.id);
        is_first = false;
    }
}

static void encode_text(struct encoding *encoding, struct sq_str text)
{
    struct sq_added_walk walk = {.text = text};
    while (!is_done(encoding) && sq_added_next(&encoding->tokenizer->added, &walk)) {
        encode_piece(encoding, walk.before, walk.before.data == text.data);
        if (walk.id >= 0) sq_ids_add(&encoding->ids, walk.id);
    }
}

/* A block of the scratch, or NULL if none is needed; *is_short when it is and there is none. */
static void *take(struct sq_arena *scratch, size_t bytes, bool *is_short)
{
    void *block = bytes ? sq_arena_alloc(scratch, bytes) : NULL;
    *is_short |= bytes && !block;
    return block;
}

/* The blocks of one call; SQ_E_NOMEM when the scratch was made for shorter texts. */
static int take_scratch(struct encoding *encoding, struct sq_arena *scratch, struct sq_str *text, struct sq_err *err)
{
    const struct sq_tokenizer *tokenizer = encoding->tokenizer;
    bool is_short = false;
    encoding->model_scratch = take(scratch, model_scratch_bytes(tokenizer, text->bytes), &is_short);
    encoding->normal_bytes = normal_buffer_bytes(tokenizer, text->bytes);
    encoding->normal[0] = take(scratch, encoding->normal_bytes, &is_short);
    encoding->normal[1] = take(scratch, encoding->normal_bytes, &is_short);
    encoding->word_bytes = word_buffer_bytes(tokenizer, text->bytes);
    encoding->word = take(scratch, encoding->word_bytes, &is_short);
    char *tweet = take(scratch, tokenizer->tweet ? raw_bytes_max(tokenizer, text->bytes) : 0, &is_short);
    if (is_short) {
        return sq_err_set(err, SQ_E_NOMEM, "the scratch of %zu bytes is too small for a text of %zu", scratch->capacity_bytes,
                          text->bytes);
    }
    if (tokenizer->split == SQ_SPLIT_BERT) {
        sq_words_init(&encoding->words, &tokenizer->wordpiece, &encoding->ids, encoding->model_scratch);
    }
    if (tweet) *text = (struct sq_str){tweet, sq_tweet_normalise(*text, tweet)};
    return 0;
}

int sq_tokenizer_encode(const struct sq_tokenizer *tokenizer, struct sq_str text, unsigned tokens_max, struct sq_arena *scratch,
                        int32_t *ids, size_t *ids_count, bool *truncated, struct sq_err *err)
{
    if (tokens_max < 2) return sq_err_set(err, SQ_E_STATE, "tokens_max is %u, no room for the special tokens", tokens_max);
    size_t valid_bytes = sq_utf8_valid_bytes(text);
    if (valid_bytes != text.bytes) {
        return sq_err_set(err, SQ_E_INVALID_UTF8, "not valid UTF-8 at byte %zu", valid_bytes);
    }
    struct encoding encoding = {.tokenizer = tokenizer, .ids = {.ids = ids + 1, .ids_max = tokens_max - 2}};
    size_t mark_bytes = scratch->used_bytes;
    int status = take_scratch(&encoding, scratch, &text, err);
    if (status == 0 && text.bytes > 0) encode_text(&encoding, text);
    sq_arena_rewind(scratch, mark_bytes);
    if (status == 0 && encoding.is_too_large) {
        status = sq_err_set(err, SQ_E_TOO_LARGE, "normalising makes more than %zu bytes of the text", encoding.normal_bytes);
    }
    if (status) return status;

    *truncated = sq_ids_is_full(&encoding.ids);
    size_t count = *truncated ? encoding.ids.ids_max : encoding.ids.count;
    ids[0] = tokenizer->first_id;
    ids[count + 1] = tokenizer->last_id;
    *ids_count = count + 2;
    return 0;
}
