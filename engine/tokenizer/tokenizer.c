/* SPDX-License-Identifier: Apache-2.0 */
/* A text goes through four steps, each on what the one before left:
 *
 *     tweet.c      mentions, links, entities (where the model asks for it)
 *     added.c      `[SEP]` and the like get their ids; between them lie pieces
 *     words.c      a piece is normalised and split into words (chars.c knows the characters)
 *     wordpiece.c  a word becomes ids (trie.c finds the entries)
 *
 * A tokenizer with added tokens that match normalised text normalises a piece whole before looking for them, and splits it after.
 * draft_json.c and draft_vocab.c read the files, build.c makes a tokenizer of what they hold. */
#include "engine/tokenizer/tokenizer.h"

#include <unistd.h>

#include "engine/base/utf8.h"
#include "engine/tokenizer/draft.h"
#include "engine/tokenizer/tokenizer_parts.h"
#include "engine/tokenizer/tweet.h"

/* Why a folder without vocab.txt and tokenizer.json can't be used. */
static int refuse(const char *model_dir, struct sq_err *err)
{
    static const struct {
        const char *file, *kind;
    } others[] = {
        {"merges.txt", "a byte-level BPE tokenizer (RoBERTa, GPT-2)"},
        {"bpe.codes", "a BPE tokenizer (BERTweet)"},
        {"sentencepiece.bpe.model", "a SentencePiece tokenizer (XLM-R, CamemBERT)"},
        {"spiece.model", "a SentencePiece tokenizer (ALBERT, XLNet)"},
        {"spm.model", "a SentencePiece tokenizer (DeBERTa)"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char path[SQ_DRAFT_PATH_BYTES];
        if (sq_draft_path(path, model_dir, others[i].file, NULL) || access(path, F_OK) != 0) continue;
        return sq_err_set(err, SQ_E_MODEL_FILE,
                          "%s: %s is not supported, only BERT's WordPiece tokenizers are: use a BERT or DistilBERT model", path,
                          others[i].kind);
    }
    return sq_err_set(err, SQ_E_MODEL_FILE, "%s: neither tokenizer.json nor vocab.txt is there: name a Hugging Face model folder",
                      model_dir);
}

int sq_tokenizer_open(struct sq_tokenizer **tokenizer, const char *model_dir, enum sq_normalise normalise, struct sq_err *err)
{
    struct sq_tokenizer_draft draft = {0};
    char json_path[SQ_DRAFT_PATH_BYTES], vocab_path[SQ_DRAFT_PATH_BYTES];
    *tokenizer = NULL;
    int status = sq_draft_path(json_path, model_dir, "tokenizer.json", err);
    if (status == 0) status = sq_draft_path(vocab_path, model_dir, "vocab.txt", err);
    if (status) return status;

    bool is_json = access(json_path, F_OK) == 0;
    if (!is_json && access(vocab_path, F_OK) != 0) return refuse(model_dir, err);
    status = is_json ? sq_draft_read_json(&draft, json_path, err) : sq_draft_read_vocab(&draft, model_dir, err);
    if (status == 0) {
        status = sq_tokenizer_build(tokenizer, &draft, normalise, err);
        if (status) sq_err_prefix(err, "%s: ", is_json ? json_path : vocab_path);
    }
    sq_draft_deinit(&draft);
    return status;
}

unsigned sq_tokenizer_ids_count(const struct sq_tokenizer *tokenizer) { return tokenizer->ids_count; }

/* Every token takes at least one character of the normalised text, and a character comes from at least one byte; only tweet.c
 * adds some. */
size_t sq_tokenizer_tokens_bound(const struct sq_tokenizer *tokenizer, size_t text_bytes)
{
    return (tokenizer->tweet ? sq_tweet_bytes_max(text_bytes) : text_bytes) + 2;
}

static size_t normalised_bytes_max(const struct sq_tokenizer *tokenizer, size_t text_bytes)
{
    if (tokenizer->normalised.tokens_count == 0) return 0;
    return SQ_CHARS_GROWTH * (tokenizer->tweet ? sq_tweet_bytes_max(text_bytes) : text_bytes);
}

size_t sq_tokenizer_scratch_bytes(const struct sq_tokenizer *tokenizer, size_t text_bytes)
{
    enum { BLOCKS = 3 };
    return sq_words_scratch_bytes(tokenizer->wordpiece.chars_max) + (tokenizer->tweet ? sq_tweet_bytes_max(text_bytes) : 0)
           + normalised_bytes_max(tokenizer, text_bytes) + BLOCKS * SQ_ARENA_ALIGN_BYTES;
}

/* What one call works with. */
struct encoding {
    const struct sq_tokenizer *tokenizer;
    struct sq_ids ids;
    struct sq_words words;
    char *normalised; /* NULL where no added token matches normalised text */
};

static bool is_full(const struct encoding *encoding) { return encoding->ids.count > encoding->ids.ids_max; }

static void encode_piece(struct encoding *encoding, struct sq_str piece)
{
    const struct sq_tokenizer *tokenizer = encoding->tokenizer;
    if (!encoding->normalised) {
        sq_words_feed(&encoding->words, &tokenizer->chars, piece);
        return;
    }
    unsigned run_max = SQ_WORDS_RUN_MAX(tokenizer->wordpiece.chars_max);
    size_t bytes = sq_chars_normalise(&tokenizer->chars, piece, encoding->words.run, run_max, encoding->normalised);
    struct sq_added_walk walk = {.text = {encoding->normalised, bytes}};
    while (!is_full(encoding) && sq_added_next(&tokenizer->normalised, &walk)) {
        sq_words_feed(&encoding->words, &tokenizer->plain, walk.before);
        if (walk.id >= 0) sq_ids_add(&encoding->ids, walk.id);
    }
}

static void encode_text(struct encoding *encoding, struct sq_str text)
{
    struct sq_added_walk walk = {.text = text};
    while (!is_full(encoding) && sq_added_next(&encoding->tokenizer->added, &walk)) {
        encode_piece(encoding, walk.before);
        if (walk.id >= 0) sq_ids_add(&encoding->ids, walk.id);
    }
}

/* The blocks of one call; SQ_E_NOMEM when the scratch was made for shorter texts. */
static int take_scratch(struct encoding *encoding, struct sq_arena *scratch, struct sq_str *text, struct sq_err *err)
{
    const struct sq_tokenizer *tokenizer = encoding->tokenizer;
    void *words = sq_arena_alloc(scratch, sq_words_scratch_bytes(tokenizer->wordpiece.chars_max));
    char *tweet = tokenizer->tweet && words ? sq_arena_alloc(scratch, sq_tweet_bytes_max(text->bytes)) : NULL;
    size_t normalised_bytes = normalised_bytes_max(tokenizer, text->bytes);
    if (normalised_bytes) encoding->normalised = sq_arena_alloc(scratch, normalised_bytes);
    if (!words || (tokenizer->tweet && !tweet) || (normalised_bytes && !encoding->normalised)) {
        return sq_err_set(err, SQ_E_NOMEM, "the scratch of %zu bytes is too small for a text of %zu", scratch->capacity_bytes,
                          text->bytes);
    }
    sq_words_init(&encoding->words, &tokenizer->wordpiece, &encoding->ids, words);
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
    if (status) return status;

    *truncated = is_full(&encoding);
    size_t count = *truncated ? encoding.ids.ids_max : encoding.ids.count;
    ids[0] = tokenizer->first_id;
    ids[count + 1] = tokenizer->last_id;
    *ids_count = count + 2;
    return 0;
}
