/* SPDX-License-Identifier: Apache-2.0 */
/* The rules are those of `tokenizers`' AddedVocabulary: leftmost match, then longest; a match refused by single_word is skipped
 * whole; the search goes on behind the match itself, not behind the white space that rstrip took. */
#include "engine/tokenizer/added.h"

#include <stdlib.h>

#include "engine/tokenizer/chars.h"

int sq_added_init(struct sq_added *added, const struct sq_added_token *tokens, size_t tokens_count, bool normalized,
                  struct sq_err *err)
{
    *added = (struct sq_added){0};
    struct sq_trie_entry *entries = malloc((tokens_count + 1) * sizeof *entries);
    added->tokens = malloc((tokens_count + 1) * sizeof *added->tokens);
    int status = entries && added->tokens ? 0 : sq_err_set(err, SQ_E_NOMEM, "no memory for %zu added tokens", tokens_count);
    for (size_t i = 0; status == 0 && i < tokens_count; i++) {
        if (tokens[i].normalized != normalized || tokens[i].content.bytes == 0) continue;
        entries[added->tokens_count] = (struct sq_trie_entry){tokens[i].content, (int32_t)added->tokens_count};
        added->starts[(unsigned char)tokens[i].content.data[0]] = true;
        added->tokens[added->tokens_count] = tokens[i];
        added->tokens[added->tokens_count++].content = (struct sq_str){0};
    }
    if (status == 0) status = sq_trie_init(&added->trie, entries, added->tokens_count, err);
    free(entries);
    if (status) sq_added_deinit(added);
    return status;
}

void sq_added_deinit(struct sq_added *added)
{
    sq_trie_deinit(&added->trie);
    free(added->tokens);
    *added = (struct sq_added){0};
}

/* The code point that ends before `at`, and where it begins. */
static uint32_t previous(struct sq_str text, size_t at, size_t *begin)
{
    const unsigned char *p = (const unsigned char *)text.data + at - 1;
    while ((*p & 0xc0) == 0x80) p--;
    *begin = (size_t)(p - (const unsigned char *)text.data);
    return sq_chars_next(&p);
}

static uint32_t following(struct sq_str text, size_t at, size_t *end)
{
    const unsigned char *p = (const unsigned char *)text.data + at;
    uint32_t code_point = sq_chars_next(&p);
    *end = (size_t)(p - (const unsigned char *)text.data);
    return code_point;
}

static bool stands_alone(struct sq_str text, size_t begin, size_t end)
{
    size_t unused;
    if (begin > 0 && sq_chars_is_wordlike(previous(text, begin, &unused))) return false;
    return end == text.bytes || !sq_chars_is_wordlike(following(text, end, &unused));
}

/* The next match at or behind search_at: its bounds and token, or NULL. */
static const struct sq_added_token *find(const struct sq_added *added, struct sq_str text, size_t at, size_t *begin, size_t *end)
{
    while (at < text.bytes) {
        if (!added->starts[(unsigned char)text.data[at]]) {
            at++;
            continue;
        }
        int32_t index = 0;
        size_t bytes = sq_trie_longest(&added->trie, (struct sq_str){text.data + at, text.bytes - at}, &index);
        if (bytes > 0) {
            const struct sq_added_token *token = &added->tokens[index];
            *begin = at;
            *end = at + bytes;
            if (!token->single_word || stands_alone(text, *begin, *end)) return token;
        }
        at += bytes ? bytes : 1;
    }
    return NULL;
}

static size_t strip_left(struct sq_str text, size_t at, size_t least)
{
    size_t begin;
    while (at > least && sq_chars_is_space(previous(text, at, &begin))) at = begin;
    return at;
}

static size_t strip_right(struct sq_str text, size_t at)
{
    size_t end;
    while (at < text.bytes && sq_chars_is_space(following(text, at, &end))) at = end;
    return at;
}

static bool finish(struct sq_added_walk *walk)
{
    walk->finished = true;
    walk->id = -1;
    walk->before = (struct sq_str){walk->text.data + walk->done_at, walk->text.bytes - walk->done_at};
    return true;
}

bool sq_added_next(const struct sq_added *added, struct sq_added_walk *walk)
{
    if (walk->finished) return false;
    for (;;) {
        size_t begin = 0, end = 0, done = walk->done_at;
        const struct sq_added_token *token = added->tokens_count ? find(added, walk->text, walk->search_at, &begin, &end) : NULL;
        if (!token) return finish(walk);
        size_t left = !token->lstrip ? begin : begin > done ? strip_left(walk->text, begin, done) : done;
        /* What an earlier rstrip took is white space up to its end: no need to look at it twice. */
        size_t right = !token->rstrip ? end : strip_right(walk->text, end > done ? end : done);
        walk->search_at = end;
        walk->done_at = right;
        if (left >= right) continue; /* all of it was white space that the token before took */

        walk->before = (struct sq_str){walk->text.data + done, left > done ? left - done : 0};
        walk->id = token->id;
        return true;
    }
}
