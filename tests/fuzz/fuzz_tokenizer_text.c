/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte chooses how the tokenizer is set up, the second where to cut; the rest is the text. Ids stay in range, a cut text is the
 * beginning of the whole one, and time stays linear: quadratic work shows as too many nanoseconds a byte. */
#include "engine/base/clock.h"
#include "engine/base/utf8.h"
#include "engine/texthash.h"
#include "engine/tokenizer/draft.h"
#include "tests/fuzz/require.h"

enum {
    TEXT_BYTES_MAX = 1 << 16,
    SETUPS = 64,
    NS_START = 200000000,  /* a sanitizer and a busy machine are allowed for */
    NS_A_BYTE = 20000,
};

static const char vocabulary[] = "\"[PAD]\":0,\"[UNK]\":1,\"[CLS]\":2,\"[SEP]\":3,\"[MASK]\":4,\"a\":5,\"b\":6,\"##a\":7,\"##b\":8,\"aa\":9,"
                                 "\"##aaaa\":10,\"!\":11,\"e\":12,\"\xc3\xa9\":13,\"\xe4\xb8\xad\":14,\"##\xcc\x81\":15,\"the\":16,\"##s\":17,"
                                 "\"user\":18,\"http\":19,\"@\":20,\"&\":21,\"i\":22,\"##\xe1\x85\xa1\":23,\"\xe1\x84\x80\":24";

#define PLAIN "\"special\":false"
#define SPECIAL "\"special\":true"
#define STRIPS ",\"lstrip\":true,\"rstrip\":true"
#define ALONE ",\"single_word\":true"
#define TOKEN(content, flags) "{\"content\":\"" content "\"," flags "}"

static const char *const added[] = {
    "",
    (TOKEN("[SEP]", SPECIAL) "," TOKEN("[MASK]", SPECIAL STRIPS)),
    (TOKEN("a b", PLAIN) "," TOKEN("\xc3\xa9", PLAIN ALONE) "," TOKEN(" ", SPECIAL STRIPS)),
    (TOKEN("aaaaaaab", SPECIAL ALONE) "," TOKEN("\xe4\xb8\xad\xe6\x96\x87", PLAIN)),
};

static const char *yes(unsigned setup, unsigned bit) { return setup >> bit & 1 ? "true" : "false"; }

static struct sq_tokenizer *open_setup(unsigned setup)
{
    struct sq_tokenizer_draft draft = {0};
    struct sq_tokenizer *tokenizer = NULL;
    struct sq_err err = {0};
    struct sq_buf json;
    sq_buf_init(&json);
    sq_buf_printf(&json,
                  "{\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":%s,\"handle_chinese_chars\":%s,\"lowercase\":%s},"
                  "\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",3],"
                  "\"cls\":[\"[CLS]\",2]},\"added_tokens\":[%s],\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\","
                  "\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":%u,\"vocab\":{%s}}}",
                  yes(setup, 0), yes(setup, 0), yes(setup, 1), added[setup >> 2 & 3], setup >> 4 & 1 ? 100u : 5u, vocabulary);
    int status = sq_draft_parse_json(&draft, "tokenizer.json", sq_buf_view(&json), &err);
    if (status == 0) status = sq_tokenizer_build(&tokenizer, &draft, setup >> 5 & 1 ? SQ_NORMALISE_TWEET : SQ_NORMALISE_NONE, &err);
    if (status) fprintf(stderr, "%s\n", err.message);
    REQUIRE(status == 0);
    sq_draft_deinit(&draft);
    sq_buf_deinit(&json);
    return tokenizer;
}

static void check(const struct sq_tokenizer *tokenizer, struct sq_str text, unsigned cut)
{
    static int32_t ids[TEXT_BYTES_MAX * 3 + 2], cut_ids[258];
    struct sq_arena scratch;
    size_t count = 0, cut_count = 0;
    bool truncated;
    size_t bound = sq_tokenizer_tokens_bound(tokenizer, text.bytes);
    REQUIRE(bound <= sizeof ids / sizeof *ids);
    REQUIRE(sq_arena_init(&scratch, sq_tokenizer_scratch_bytes(tokenizer, text.bytes), NULL) == 0);
    int status = sq_tokenizer_encode(tokenizer, text, (unsigned)bound, &scratch, ids, &count, &truncated, NULL);
    REQUIRE(scratch.used_bytes == 0);
    REQUIRE((status == 0) == (sq_utf8_valid_bytes(text) == text.bytes));
    if (status == 0) {
        REQUIRE(!truncated && count >= 2 && count <= bound);
        for (size_t i = 0; i < count; i++) REQUIRE(ids[i] >= 0 && (unsigned)ids[i] < sq_tokenizer_ids_count(tokenizer));
        REQUIRE(sq_tokenizer_encode(tokenizer, text, cut, &scratch, cut_ids, &cut_count, &truncated, NULL) == 0);
        REQUIRE(truncated == (count > cut) && cut_count == (truncated ? cut : count));
        REQUIRE(memcmp(ids, cut_ids, (cut_count - 1) * sizeof *ids) == 0 && cut_ids[cut_count - 1] == 3);
    }
    sq_arena_deinit(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct sq_tokenizer *tokenizers[SETUPS];
    if (bytes < 2 || bytes - 2 > TEXT_BYTES_MAX) return 0;
    unsigned setup = data[0] % SETUPS;
    if (!tokenizers[setup]) tokenizers[setup] = open_setup(setup); /* kept for the next inputs */
    struct sq_str text = {(const char *)data + 2, bytes - 2};

    uint64_t start_ns = sq_clock_thread_cpu_ns();
    check(tokenizers[setup], text, 2 + data[1]);
    sq_text_hash(text);
    REQUIRE(sq_clock_thread_cpu_ns() - start_ns < NS_START + NS_A_BYTE * text.bytes);
    return 0;
}
