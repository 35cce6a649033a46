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
    BERT_SETUPS = 64,
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

/* Byte-level BPE and unigram models. */
#define POST "\"post_processor\":{\"type\":\"RobertaProcessing\",\"sep\":[\"</s>\",3],\"cls\":[\"<s>\",2]}"
#define MASK "\"added_tokens\":[" TOKEN("<mask>", SPECIAL ",\"lstrip\":true") "," TOKEN("\xc3\xa9 a", PLAIN) "]"
#define BPE(options)                                                                                                              \
    "\"model\":{\"type\":\"BPE\"," options "\"vocab\":{\"?\":0,\"<mask>\":1,\"<s>\":2,\"</s>\":3,\"a\":4,\"b\":5,\"aa\":6,"                  \
    "\"aaaa\":7,\"ab\":8,\"\xc4\xa0\":9,\"\xc4\xa0" "a\":10,\"\xc4\xa0" "aa\":11,\"\xc3\xa3\":12},\"merges\":[\"a a\",\"aa aa\","           \
    "\"a b\",\"\xc4\xa0 a\",\"\xc4\xa0" "a a\"]}"
#define BYTE_LEVEL(flag) "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":" flag "}"
#define UNIGRAM(options)                                                                                                          \
    "\"model\":{\"type\":\"Unigram\",\"unk_id\":0," options "\"vocab\":[[\"?\",0],[\"<mask>\",0],[\"<s>\",0],[\"</s>\",0],[\"a\",-2],"            \
    "[\"b\",-3],[\"aa\",-2.5],[\"aaaaaaab\",-1],[\"\xe2\x96\x81\",-4],[\"\xe2\x96\x81" "a\",-2],[\"\xe4\xb8\xad\xe6\x96\x87\",-3]]}"
#define METASPACE(more) "{\"type\":\"Metaspace\",\"replacement\":\"\xe2\x96\x81\"" more "}"
#define WHITE "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"WhitespaceSplit\"}," METASPACE("") "]}"
#define STEPS(list) "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[" list "]}"
#define STEP(name) "{\"type\":\"" name "\"}"
#define STRIP "{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true}"
#define SPACES "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\" \"}"

static const char *const others[] = {
    "{" MASK "," POST "," BYTE_LEVEL("false") "," BPE("") "}",
    "{" MASK "," POST "," BYTE_LEVEL("true") "," BPE("\"unk_token\":\"?\",\"fuse_unk\":true,") "," STEPS(STEP("NFC")) "}",
    "{" MASK "," POST "," BYTE_LEVEL("true") "," BPE("\"unk_token\":\"?\",\"ignore_merges\":true,") "}",
    "{" MASK "," POST "," WHITE "," UNIGRAM("") "," STEPS(STEP("NFKD") "," STEP("StripAccents") "," STEP("Lowercase")) "}",
    "{" MASK "," POST ",\"pre_tokenizer\":" METASPACE(",\"split\":false") "," UNIGRAM("") "," STEPS(STEP("Nmt") "," STEP("NFKC") "," SPACES) "}",
    "{" MASK "," POST ",\"pre_tokenizer\":" METASPACE(",\"prepend_scheme\":\"first\"") "," UNIGRAM("") "," STEPS(STEP("NFD")) "}",
    "{" MASK "," POST ",\"pre_tokenizer\":" METASPACE(",\"prepend_scheme\":\"never\"") "," UNIGRAM("") "," STEPS(STRIP) "}",
};

enum { OTHERS = sizeof others / sizeof *others, SETUPS = BERT_SETUPS + OTHERS };

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
    if (setup >= BERT_SETUPS) {
        sq_buf_clear(&json);
        sq_buf_append_text(&json, others[setup - BERT_SETUPS]);
    }
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
    static int32_t cut_ids[258];
    struct sq_arena scratch;
    size_t count = 0, cut_count = 0;
    bool truncated;
    size_t bound = sq_tokenizer_tokens_bound(tokenizer, text.bytes);
    int32_t *ids = malloc(bound * sizeof *ids);
    REQUIRE(ids);
    REQUIRE(sq_arena_init(&scratch, sq_tokenizer_scratch_bytes(tokenizer, text.bytes), NULL) == 0);
    int status = sq_tokenizer_encode(tokenizer, text, (unsigned)bound, &scratch, ids, &count, &truncated, NULL);
    REQUIRE(scratch.used_bytes == 0);
    REQUIRE((status == SQ_E_INVALID_UTF8) == (sq_utf8_valid_bytes(text) != text.bytes));
    REQUIRE(status == 0 || status == SQ_E_INVALID_UTF8 || status == SQ_E_TOO_LARGE);
    if (status == 0) {
        REQUIRE(!truncated && count >= 2 && count <= bound);
        for (size_t i = 0; i < count; i++) REQUIRE(ids[i] >= 0 && (unsigned)ids[i] < sq_tokenizer_ids_count(tokenizer));
        REQUIRE(sq_tokenizer_encode(tokenizer, text, cut, &scratch, cut_ids, &cut_count, &truncated, NULL) == 0);
        REQUIRE(truncated == (count > cut) && cut_count == (truncated ? cut : count));
        REQUIRE(memcmp(ids, cut_ids, (cut_count - 1) * sizeof *ids) == 0 && cut_ids[cut_count - 1] == 3);
    }
    sq_arena_deinit(&scratch);
    free(ids);
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
