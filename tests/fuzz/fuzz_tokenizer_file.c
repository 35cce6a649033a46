/* SPDX-License-Identifier: Apache-2.0 */
/* The input is a tokenizer.json. Whatever it holds, it is refused with a message or makes a tokenizer whose ids stay below ids_count. */
#include "engine/tokenizer/draft.h"
#include "tests/fuzz/require.h"

enum { TOKENS_MAX = 64, FILE_BYTES_MAX = 1 << 20 };

static const char *const texts[] = {
    "", "hello world", "HELLO [SEP] W\xc3\xb6rld!", "a[MASK] b\xcc\x81 \xe3\x80\xae\xe3\x80\xaf\xe3\x80\xae", "\xe4\xb8\xad\xe6\x96\x87 \xed\x95\x9c\xea\xb5\xad",
    "  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  ##s",
};

static void encode_all(const struct sq_tokenizer *tokenizer)
{
    struct sq_arena scratch;
    REQUIRE(sq_arena_init(&scratch, sq_tokenizer_scratch_bytes(tokenizer, 256), NULL) == 0);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int32_t ids[TOKENS_MAX];
        size_t count = 0;
        bool truncated;
        int status = sq_tokenizer_encode(tokenizer, sq_str_view(texts[i]), TOKENS_MAX, &scratch, ids, &count, &truncated, NULL);
        if (status == SQ_E_TOO_LARGE) continue; /* replacing may make a text grow without end */
        REQUIRE(status == 0);
        REQUIRE(count >= 2 && count <= TOKENS_MAX);
        for (size_t at = 0; at < count; at++) REQUIRE(ids[at] >= 0 && (unsigned)ids[at] < sq_tokenizer_ids_count(tokenizer));
    }
    sq_arena_deinit(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct sq_tokenizer_draft draft = {0};
    struct sq_tokenizer *tokenizer = NULL;
    struct sq_err err = {0};
    if (bytes > FILE_BYTES_MAX) return 0;
    int status = sq_draft_parse_json(&draft, "tokenizer.json", (struct sq_str){(const char *)data, bytes}, &err);
    if (status == 0) status = sq_tokenizer_build(&tokenizer, &draft, SQ_NORMALISE_TWEET, &err);
    sq_draft_deinit(&draft);
    if (status) REQUIRE(err.code == status && err.message[0] && !tokenizer);
    else encode_all(tokenizer);
    sq_tokenizer_close(tokenizer);
    return 0;
}
