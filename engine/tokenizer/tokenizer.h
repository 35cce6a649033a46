/* SPDX-License-Identifier: Apache-2.0 */
/* Text in, token ids out, the same ids as Hugging Face's `tokenizers` gives. Three kinds:
 *
 *     WordPiece       BERT, DistilBERT, ELECTRA, MPNet      tokenizer.json, or vocab.txt
 *     byte-level BPE  RoBERTa, DistilRoBERTa                tokenizer.json, or vocab.json and merges.txt
 *     unigram         XLM-RoBERTa, CamemBERT, ALBERT        tokenizer.json, or sentencepiece.bpe.model (not ALBERT)
 *
 * Each with the normalisers that the tables in normaliser.c and draft_normaliser.c list. What a folder asks for beyond that is
 * refused by name.
 *
 *     sq_tokenizer_open(&tokenizer, "finbert", SQ_NORMALISE_NONE, &err);
 *     sq_arena_init(&scratch, sq_tokenizer_scratch_bytes(tokenizer, SQ_TEXT_BYTES_MAX), &err);
 *     sq_tokenizer_encode(tokenizer, text, 128, &scratch, ids, &ids_count, &truncated, &err);
 *
 * Read-only after open, so any number of threads may encode at once, each with its own scratch. */
#ifndef SQ_ENGINE_TOKENIZER_H
#define SQ_ENGINE_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/str.h"
#include "engine/engine.h"

struct sq_tokenizer;

/* Loads model_dir/tokenizer.json, or where there is none the files above with tokenizer_config.json. Truncation and padding
 * blocks in the file are not used. normalise: NONE or TWEET; AUTO counts as NONE, since only the model's config.json can
 * say. Blocks for the reading. SQ_E_MODEL_FILE names the file and the field; nothing is left behind then. */
int sq_tokenizer_open(struct sq_tokenizer **tokenizer, const char *model_dir, enum sq_normalise normalise, struct sq_err *err);
void sq_tokenizer_close(struct sq_tokenizer *tokenizer); /* NULL is fine */

/* Largest id the tokenizer can give, plus one: the model's embedding needs at least as many rows. */
unsigned sq_tokenizer_ids_count(const struct sq_tokenizer *tokenizer);

/* What encode takes from its scratch for a text of text_bytes or fewer. */
size_t sq_tokenizer_scratch_bytes(const struct sq_tokenizer *tokenizer, size_t text_bytes);

/* Tokens a text of text_bytes can take at most before cutting, special ones included. */
size_t sq_tokenizer_tokens_bound(const struct sq_tokenizer *tokenizer, size_t text_bytes);

/* Fills ids, which has room for tokens_max, with [CLS] x [SEP]; an empty text gives [CLS] [SEP]. A text of more tokens is cut to
 * tokens_max, the final [SEP] kept, and *truncated set; tokens_max is at least 2. Time is linear in text.bytes, but for BPE,
 * where a word of n bytes takes n log n; what lies behind the cut is only normalised. Never blocks; the scratch is given back as
 * it came; allocates only in the rare case that normal_forms.h names.
 * SQ_E_INVALID_UTF8: the message has the byte. SQ_E_TOO_LARGE: normalising makes more of the text than four times its bytes and
 * 64 KiB. SQ_E_NOMEM: the scratch is smaller than scratch_bytes says. */
int sq_tokenizer_encode(const struct sq_tokenizer *tokenizer, struct sq_str text, unsigned tokens_max, struct sq_arena *scratch,
                        int32_t *ids, size_t *ids_count, bool *truncated, struct sq_err *err);

#endif
