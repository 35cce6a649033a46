/* SPDX-License-Identifier: Apache-2.0 */
/* The tokenizer on a vocabulary of two dozen entries. Expected ids are what Hugging Face's `tokenizers` gives for the same file; golden
 * tests do the same for real vocabularies and texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/clock.h"
#include "engine/tokenizer/tokenizer.h"
#include "tests/lib/folder.h"

/* Ids are positions. */
#define VOCABULARY                                                                                                               \
    "\"[PAD]\":0,\"[UNK]\":1,\"[CLS]\":2,\"[SEP]\":3,\"[MASK]\":4,\"hello\":5,\"world\":6,\"##s\":7,\"foo\":8,\"bar\":9,\"un\":10,"      \
    "\"##able\":11,\"!\":12,\"##ble\":13,\"a\":14,\"b\":15,\"c\":16,\"##a\":17,\"##b\":18,\"é\":19,\"e\":20,\"[\":21,\"]\":22,"       \
    "\"中\":23,\"文\":24"
#define MODEL                                                                                                                     \
    "\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\","                              \
    "\"max_input_chars_per_word\":100,\"vocab\":{" VOCABULARY "}}"
#define NORMALIZER                                                                                                                \
    "\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,\"strip_accents\":null,"         \
    "\"lowercase\":true}"
#define PRE_TOKENIZER "\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"}"
#define POST_PROCESSOR "\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",3],\"cls\":[\"[CLS]\",2]}"
#define TRUNCATION "\"truncation\":{\"direction\":\"Right\",\"max_length\":3,\"strategy\":\"LongestFirst\",\"stride\":0}"
#define FILE_OF(added) "{\"version\":\"1.0\"," TRUNCATION ",\"added_tokens\":[" added "]," NORMALIZER "," PRE_TOKENIZER "," POST_PROCESSOR "," MODEL "}"
#define TOKEN(content, flags) "{\"id\":0,\"content\":\"" content "\"," flags "}"
#define SPECIAL "\"special\":true,\"normalized\":false,\"single_word\":false,\"lstrip\":false,\"rstrip\":false"

enum { IDS_MAX = 64 };

static struct sq_err err;

static int try_open(struct sq_tokenizer **tokenizer, struct sq_str json)
{
    struct test_folder folder;
    test_folder_init(&folder);
    test_folder_write(&folder, "tokenizer.json", json);
    err = (struct sq_err){0};
    int status = sq_tokenizer_open(tokenizer, folder.path, SQ_NORMALISE_NONE, &err);
    test_folder_deinit(&folder);
    return status;
}

static struct sq_tokenizer *open_json(const char *json)
{
    struct sq_tokenizer *tokenizer = NULL;
    if (try_open(&tokenizer, sq_str_view(json))) fail_msg("%s", err.message);
    return tokenizer;
}

static int encode(const struct sq_tokenizer *tokenizer, struct sq_str text, unsigned tokens_max, int32_t *ids, size_t *count, bool *cut)
{
    struct sq_arena scratch;
    assert_int_equal(sq_arena_init(&scratch, sq_tokenizer_scratch_bytes(tokenizer, text.bytes), NULL), 0);
    int status = sq_tokenizer_encode(tokenizer, text, tokens_max, &scratch, ids, count, cut, &err);
    assert_int_equal(scratch.used_bytes, 0);
    sq_arena_deinit(&scratch);
    return status;
}

/* expected: the ids without [CLS] and [SEP], with spaces between. */
static void assert_ids(const struct sq_tokenizer *tokenizer, struct sq_str text, const char *expected)
{
    int32_t ids[IDS_MAX];
    size_t count = 0;
    bool cut = true;
    assert_int_equal(encode(tokenizer, text, IDS_MAX, ids, &count, &cut), 0);
    assert_false(cut);
    char got[512] = "";
    for (size_t i = 1; i + 1 < count; i++) snprintf(got + strlen(got), sizeof got - strlen(got), "%s%d", i > 1 ? " " : "", ids[i]);
    assert_string_equal(got, expected);
    assert_int_equal(ids[0], 2);
    assert_int_equal(ids[count - 1], 3);
}

struct example {
    const char *text, *ids;
};

static void check(const char *json, const struct example *examples, size_t count)
{
    struct sq_tokenizer *tokenizer = open_json(json);
    for (size_t i = 0; i < count; i++) assert_ids(tokenizer, sq_str_view(examples[i].text), examples[i].ids);
    sq_tokenizer_close(tokenizer);
}

#define CHECK(json, ...)                                                                                                          \
    do {                                                                                                                          \
        static const struct example examples[] = {__VA_ARGS__};                                                                   \
        check(json, examples, sizeof examples / sizeof *examples);                                                                \
    } while (0)

static void splits_words_into_the_longest_entries(void **state)
{
    (void)state;
    CHECK(FILE_OF(""), {"", ""}, {"   ", ""}, {"hello world", "5 6"}, {"Hello, WORLDS!", "5 1 6 7 12"}, {"unable", "10 11"},
          {"unables", "10 11 7"}, {"unablex", "1"}, {"aab", "14 17 18"}, {"h\xc3\xa9llo", "5"}, {"he\xcc\x81llo", "5"},
          {"a\xe4\xb8\xad\xe6\x96\x87"
           "b",
           "14 23 24 15"},
          {"a\xe2\x80\x8b"
           "b",
           "14 18"},
          {"[SEP]", "21 1 22"});
}

static void added_tokens_are_found_in_raw_text(void **state)
{
    (void)state;
    CHECK(FILE_OF(TOKEN("[SEP]", SPECIAL) "," TOKEN("[MASK]", SPECIAL)), {"[SEP]", "3"}, {"hello[MASK]world", "5 4 6"},
          {"[sep]", "21 1 22"}, {"[[SEP]]", "21 3 22"});
    CHECK(FILE_OF(TOKEN("<new>", SPECIAL) "," TOKEN("<newer>", SPECIAL) "," TOKEN("[SEP]", SPECIAL)), {"a<new>b<newer>c<new", "14 25 15 26 16 1 1"});
    /* Twice the same content: the flags of the last, and one id. */
    CHECK(FILE_OF(TOKEN("<x>", "\"special\":true,\"single_word\":true") "," TOKEN("<y>", SPECIAL) "," TOKEN("<x>", SPECIAL)),
          {"<x>a <x> a<x><y>", "25 14 25 14 25 26"});
}

static void single_word_tokens_stand_alone(void **state)
{
    (void)state;
    CHECK(FILE_OF(TOKEN("aa", "\"special\":true,\"single_word\":true") "," TOKEN("ab", SPECIAL)), {"aaab aab ab", "14 17 26 14 17 18 26"},
          {"aa aa! _aa aa\xcc\x81", "25 25 12 1 14 17 14 17"});
}

static void word_characters_are_those_of_regular_expressions(void **state)
{
    (void)state;
    CHECK(FILE_OF(TOKEN("aa", "\"special\":true,\"single_word\":true")), {"\xe2\x92\xb6" "aa", "1"}, {"aa\xe2\x93\xa9", "1"},
          {"\xe2\x91\xa0" "aa", "1 25"}, {"aa\xe2\x80\x8d", "14 17"}, {"aa\xe2\x80\xbf", "14 17 1"}, {"aa\xe0\xa4\x83", "1"},
          {"\xc2\xb2" "aa", "1 25"}, {"\xe2\x85\xa0" "aa", "1"});
}

/* U+302E has class 224 and U+1D165 216; U+0901, which is dropped, has class 0 and keeps them apart. */
static void combining_characters_are_put_in_order(void **state)
{
    (void)state;
#define HANGUL_DOT "\xe3\x80\xae"
#define STEM "\xf0\x9d\x85\xa5"
    CHECK("{\"added_tokens\":[]," NORMALIZER "," PRE_TOKENIZER "," POST_PROCESSOR "," "\"model\":{\"unk_token\":\"[UNK]\","
          "\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,\"vocab\":{" VOCABULARY ",\"##" STEM HANGUL_DOT
          "\":25,\"##" HANGUL_DOT STEM "\":26}}}",
          {"a" HANGUL_DOT STEM, "14 25"}, {"a" STEM HANGUL_DOT, "14 25"}, {"a" HANGUL_DOT "\xe0\xa4\x81" STEM, "14 26"},
          {"a" HANGUL_DOT "\xcc\x81" STEM, "14 25"}, {"a" HANGUL_DOT "\xe2\x80\x8b" STEM, "14 25"}, {"a" HANGUL_DOT " " STEM, "1 1"});
}

static void stripping_tokens_take_white_space(void **state)
{
    (void)state;
    CHECK(FILE_OF(TOKEN(" ", "\"special\":true,\"rstrip\":true") "," TOKEN("[MASK]", "\"special\":true,\"rstrip\":true") "," TOKEN(
              " foo", "\"special\":false,\"normalized\":true")),
          {"hello [MASK] world", "5 25 4 25 6"}, {"[MASK]  foo foo", "4 25 25 8 25 8"}, {"\xe4\xb8\xad" "foo", "23 26"});
}

static void white_space_is_taken_once(void **state)
{
    (void)state;
    CHECK(FILE_OF(TOKEN("[MASK]", "\"special\":true,\"rstrip\":true") "," TOKEN("  ", "\"special\":true,\"lstrip\":true")),
          {"[MASK]  a", "4 14"}, {"a  b", "14 25 15"}, {"a   b", "14 25 15"});
}

static void normalized_tokens_are_found_in_normalised_text(void **state)
{
    (void)state;
    CHECK(FILE_OF(TOKEN("H\xc3\xa9llo W\xc3\xb6rld", "\"special\":false") "," TOKEN("\xe4\xb8\xad\xe6\x96\x87", "\"special\":false")),
          {"hello world", "25"}, {"H\xc3\x89LLO W\xc3\x96RLD", "25"}, {"h\xc3\xa9llo  w\xc3\xb6rld", "5 6"},
          {"a \xe4\xb8\xad\xe6\x96\x87 b", "14 26 15"});
}

static void a_cut_text_keeps_its_last_token(void **state)
{
    (void)state;
    struct sq_tokenizer *tokenizer = open_json(FILE_OF(""));
    int32_t ids[4] = {-1, -1, -1, -1};
    size_t count = 0;
    bool cut = false;
    assert_int_equal(encode(tokenizer, SQ_STR("a b"), 4, ids, &count, &cut), 0);
    assert_false(cut);
    assert_int_equal(count, 4);
    assert_int_equal(encode(tokenizer, SQ_STR("a b c"), 4, ids, &count, &cut), 0);
    assert_true(cut);
    assert_memory_equal(ids, ((int32_t[]){2, 14, 15, 3}), sizeof ids);
    /* A word that turns out to be unknown behind the cut counts as one. */
    assert_int_equal(encode(tokenizer, SQ_STR("a unablex"), 4, ids, &count, &cut), 0);
    assert_false(cut);
    assert_memory_equal(ids, ((int32_t[]){2, 14, 1, 3}), sizeof ids);
    assert_int_equal(encode(tokenizer, SQ_STR("a"), 2, ids, &count, &cut), 0);
    assert_true(cut);
    assert_int_equal(count, 2);
    assert_int_equal(encode(tokenizer, SQ_STR("a"), 1, ids, &count, &cut), SQ_E_STATE);
    sq_tokenizer_close(tokenizer);
}

static void bad_texts_are_refused(void **state)
{
    (void)state;
    struct sq_tokenizer *tokenizer = open_json(FILE_OF(""));
    int32_t ids[IDS_MAX];
    size_t count;
    bool cut;
    assert_int_equal(encode(tokenizer, SQ_STR("hello \xff world"), IDS_MAX, ids, &count, &cut), SQ_E_INVALID_UTF8);
    assert_non_null(strstr(err.message, "byte 6"));
    assert_int_equal(encode(tokenizer, SQ_STR("\xed\xa0\x80"), IDS_MAX, ids, &count, &cut), SQ_E_INVALID_UTF8);
    struct sq_arena scratch;
    assert_int_equal(sq_arena_init(&scratch, 64, NULL), 0);
    assert_int_equal(sq_tokenizer_encode(tokenizer, SQ_STR("a"), IDS_MAX, &scratch, ids, &count, &cut, &err), SQ_E_NOMEM);
    assert_int_equal(scratch.used_bytes, 0);
    sq_arena_deinit(&scratch);
    assert_ids(tokenizer, SQ_STR("a\0b"), "14 18"); /* NUL bytes are removed, as Hugging Face does */
    sq_tokenizer_close(tokenizer);
}

/* A megabyte of anything takes a fraction of a second: CPU time, so that a busy machine doesn't matter, and far more than is needed. */
static void long_texts_take_linear_time(void **state)
{
    (void)state;
    static const char *const units[] = {"a", " ", "[", "!", "\xcc\x81", "\xe3\x80\xae\xe3\x80\xaf", "\xe4\xb8\xad", "[MASK]", "[MASK] ", "a "};
    struct sq_tokenizer *tokenizer = open_json(FILE_OF(TOKEN("[MASK]", "\"special\":true,\"lstrip\":true,\"rstrip\":true") "," TOKEN(
        " ", "\"special\":true,\"rstrip\":true,\"lstrip\":true") "," TOKEN("aaaaaaaab", "\"special\":false,\"single_word\":true")));
    enum { BYTES = 1 << 20 };
    char *text = malloc(BYTES);
    int32_t *ids = malloc((BYTES + 2) * sizeof *ids);
    for (size_t unit = 0; unit < sizeof units / sizeof *units; unit++) {
        size_t bytes = strlen(units[unit]), count = 0, whole = BYTES / bytes * bytes;
        for (size_t at = 0; at < whole; at += bytes) memcpy(text + at, units[unit], bytes);
        bool cut;
        uint64_t start_ns = sq_clock_thread_cpu_ns();
        assert_int_equal(encode(tokenizer, (struct sq_str){text, whole}, BYTES + 2, ids, &count, &cut), 0);
        assert_in_range((sq_clock_thread_cpu_ns() - start_ns) / 1000000, 0, 3000);
    }
    free(ids);
    free(text);
    sq_tokenizer_close(tokenizer);
}

/* What lies before the tokens that count may be long: it is still looked through. */
static void words_behind_a_long_nothing_are_found(void **state)
{
    (void)state;
    struct sq_tokenizer *tokenizer = open_json(FILE_OF(""));
    enum { BYTES = 200000 };
    char *text = malloc(BYTES);
    memset(text, ' ', BYTES);
    memcpy(text + BYTES - 5, "hello", 5);
    assert_ids(tokenizer, (struct sq_str){text, BYTES}, "5");
    memset(text, 'a', BYTES - 6);
    assert_ids(tokenizer, (struct sq_str){text, BYTES}, "1 5");
    free(text);
    sq_tokenizer_close(tokenizer);
}

static void tokens_never_pass_their_bound(void **state)
{
    (void)state;
    struct sq_tokenizer *tokenizer = open_json(FILE_OF(""));
    assert_int_equal(sq_tokenizer_tokens_bound(tokenizer, 0), 2);
    assert_int_equal(sq_tokenizer_tokens_bound(tokenizer, 3), 5);
    assert_int_equal(sq_tokenizer_ids_count(tokenizer), 25);
    sq_tokenizer_close(tokenizer);
    tokenizer = open_json(FILE_OF(TOKEN("<x>", SPECIAL)));
    assert_int_equal(sq_tokenizer_ids_count(tokenizer), 26);
    sq_tokenizer_close(tokenizer);
}

#define BODY(normalizer, pre, post, model) "{\"version\":\"1.0\"," normalizer "," pre "," post "," model "}"
static const struct {
    const char *json, *words[2];
} broken_files[] = {
    {"", {"tokenizer.json", "JSON"}},
    {"[]", {"tokenizer.json", "not a JSON object"}},
    {"{\"version\":\"1.0\"", {"tokenizer.json", "JSON"}},
    {"{\"version\":\"2.0\"}", {"tokenizer.json: version", "1.0"}},
    {"{}", {"model.type", "WordPiece"}},
    {"{\"model\":{\"type\":\"WordLevel\"}}", {"model.type: \"WordLevel\"", "use a model"}},
    {"{\"model\":{\"type\":\"BPE\",\"vocab\":{},\"merges\":[]}}", {"model.vocab", "0 entries"}},
    {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0}}}", {"model.merges", "list"}},
    {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a b c\"]}}", {"model.merges[0]", "space"}},
    {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[[\"a\",7]]}}", {"model.merges[0]", "two entries"}},
    {"{\"model\":{\"type\":\"BPE\",\"dropout\":0.1}}", {"model.dropout", "use a model"}},
    {"{\"model\":{\"type\":\"BPE\",\"end_of_word_suffix\":\"</w>\"}}", {"model.end_of_word_suffix", "use a model"}},
    {"{\"model\":{\"type\":\"Unigram\"}}", {"model.vocab", "list"}},
    {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\"]]}}", {"model.vocab", "piece 0"}},
    {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",0]],\"unk_id\":1}}", {"model.unk_id", "1"}},
    {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",0]],\"unk_id\":null}}", {"model.unk_id", "whole number"}},
    {"{\"model\":{\"type\":7}}", {"model.type", "expected"}},
    {"{\"model\":{\"type\":\"WordPiece\"}}", {"model.unk_token", "missing"}},
    {"{\"model\":{\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":3}}", {"model.continuing_subword_prefix", "string"}},
    {"{\"model\":{\"unk_token\":\"u\",\"continuing_subword_prefix\":\"\",\"max_input_chars_per_word\":-1}}",
     {"model.max_input_chars_per_word", "-1"}},
    {"{\"model\":{\"unk_token\":\"u\",\"continuing_subword_prefix\":\"\",\"max_input_chars_per_word\":1e9}}",
     {"model.max_input_chars_per_word", "whole"}},
    {"{\"model\":{\"unk_token\":\"u\",\"continuing_subword_prefix\":\"\",\"max_input_chars_per_word\":100,\"vocab\":[]}}",
     {"model.vocab", "object"}},
    {"{\"model\":{\"unk_token\":\"u\",\"continuing_subword_prefix\":\"\",\"max_input_chars_per_word\":100,\"vocab\":{}}}",
     {"model.vocab", "0 entries"}},
    {"{\"model\":{\"unk_token\":\"u\",\"continuing_subword_prefix\":\"\",\"max_input_chars_per_word\":9,\"vocab\":{\"u\":-1}}}",
     {"model.vocab", "-1"}},
    {"{\"model\":{\"unk_token\":\"u\",\"continuing_subword_prefix\":\"\",\"max_input_chars_per_word\":9,\"vocab\":{\"u\":4294967296}}}",
     {"model.vocab", "4294967296"}},
    {"{\"model\":{\"unk_token\":\"u\",\"continuing_subword_prefix\":\"\",\"max_input_chars_per_word\":9,\"vocab\":{\"u\":1.5}}}",
     {"model.vocab", "whole number"}},
    {"{\"model\":{\"unk_token\":\"u\",\"continuing_subword_prefix\":\"\",\"max_input_chars_per_word\":9,\"vocab\":{\"u\":1,\"u\":2}}}",
     {"tokenizer.json", "uplicate"}},
    {BODY("\"normalizer\":{\"type\":\"ByteLevel\"}", PRE_TOKENIZER, POST_PROCESSOR, MODEL), {"normalizer.type: \"ByteLevel\"", "use a model"}},
    {BODY("\"normalizer\":{\"type\":\"Sequence\"}", PRE_TOKENIZER, POST_PROCESSOR, MODEL), {"normalizer.normalizers", "list"}},
    {BODY("\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"Strip\",\"strip_left\":1}]}", PRE_TOKENIZER,
          POST_PROCESSOR, MODEL), {"normalizer.normalizers[1].strip_left", "true or false"}},
    {BODY("\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"a+\"},\"content\":\"\"}", PRE_TOKENIZER, POST_PROCESSOR, MODEL),
     {"normalizer.pattern", "a+"}},
    {BODY("\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"*\"}", PRE_TOKENIZER, POST_PROCESSOR, MODEL),
     {"normalizer.precompiled_charsmap", "base64"}},
    {BODY("\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAAA\"}", PRE_TOKENIZER, POST_PROCESSOR, MODEL),
     {"precompiled_charsmap", "no character map"}},
    {BODY("\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":1}", PRE_TOKENIZER, POST_PROCESSOR, MODEL),
     {"normalizer.clean_text", "true or false"}},
    {BODY("\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,\"lowercase\":true,"
          "\"strip_accents\":\"yes\"}", PRE_TOKENIZER, POST_PROCESSOR, MODEL),
     {"normalizer.strip_accents", "true or false"}},
    {BODY(NORMALIZER, "\"pre_tokenizer\":null", POST_PROCESSOR, MODEL), {"pre_tokenizer.type", "BertPreTokenizer"}},
    {BODY(NORMALIZER, "\"pre_tokenizer\":{\"type\":\"Whitespace\"}", POST_PROCESSOR, MODEL), {"pre_tokenizer.type: \"Whitespace\"", "use a model"}},
    {BODY(NORMALIZER, "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false}", POST_PROCESSOR, MODEL),
     {"pre_tokenizer.type: \"ByteLevel\"", "BPE alone"}},
    {BODY(NORMALIZER, "\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"_\"}", POST_PROCESSOR, MODEL),
     {"pre_tokenizer.replacement", "U+2581"}},
    {BODY(NORMALIZER, "\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"\xe2\x96\x81\",\"prepend_scheme\":\"x\"}", POST_PROCESSOR,
          MODEL), {"pre_tokenizer.prepend_scheme", "always"}},
    {BODY(NORMALIZER, "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[]}", POST_PROCESSOR, MODEL),
     {"pre_tokenizer.pretokenizers", "WhitespaceSplit"}},
    {BODY(NORMALIZER, PRE_TOKENIZER, "\"post_processor\":null", MODEL), {"post_processor.type", "TemplateProcessing"}},
    {BODY(NORMALIZER, PRE_TOKENIZER, "\"post_processor\":{\"type\":\"ByteLevel\"}", MODEL), {"post_processor.type: \"ByteLevel\"", "use a model"}},
    {BODY(NORMALIZER, PRE_TOKENIZER, "\"post_processor\":{\"type\":\"RobertaProcessing\"}", MODEL), {"post_processor.cls", "id"}},
    {BODY(NORMALIZER, PRE_TOKENIZER, "\"post_processor\":{\"type\":\"Sequence\",\"processors\":[{\"type\":\"ByteLevel\"}]}", MODEL),
     {"post_processor.processors", "special tokens"}},
    {BODY(NORMALIZER, PRE_TOKENIZER, "\"post_processor\":{\"type\":\"BertProcessing\",\"cls\":[\"[CLS]\"]}", MODEL),
     {"post_processor.cls", "id"}},
    {BODY(NORMALIZER, PRE_TOKENIZER, "\"post_processor\":{\"type\":\"BertProcessing\",\"cls\":[\"c\",2],\"sep\":[\"s\",-3]}", MODEL),
     {"post_processor.sep", "range"}},
    {BODY(NORMALIZER, PRE_TOKENIZER, "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[]}", MODEL),
     {"post_processor.single", "special token"}},
    {BODY(NORMALIZER, PRE_TOKENIZER,
          "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"[CLS]\"}},{\"Sequence\":{}},"
          "{\"SpecialToken\":{\"id\":\"[SEP]\"}}],\"special_tokens\":{\"[CLS]\":{\"ids\":[]}}}", MODEL),
     {"post_processor.special_tokens", "[CLS]"}},
    {"{\"added_tokens\":{}," NORMALIZER "," PRE_TOKENIZER "," POST_PROCESSOR "," MODEL "}", {"added_tokens", "list"}},
    {FILE_OF("7"), {"added_tokens[0]", "object"}},
    {FILE_OF(TOKEN("[SEP]", SPECIAL) ",{\"id\":1}"), {"added_tokens[1].content", "string"}},
    {FILE_OF(TOKEN("x", "\"special\":true,\"lstrip\":\"no\"")), {"added_tokens[0].lstrip", "true or false"}},
    {"{\"model\":{\"unk_token\":\"nope\",\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":9,\"vocab\":{\"u\":1}},"
     PRE_TOKENIZER "," POST_PROCESSOR "}", {"unk_token", "nope"}},
};

static void broken_files_are_refused_by_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken_files / sizeof *broken_files; i++) {
        struct sq_tokenizer *tokenizer = (struct sq_tokenizer *)&err;
        assert_int_equal(try_open(&tokenizer, sq_str_view(broken_files[i].json)), SQ_E_MODEL_FILE);
        assert_null(tokenizer);
        for (size_t word = 0; word < 2; word++)
            if (!strstr(err.message, broken_files[i].words[word])) fail_msg("file %zu: \"%s\" lacks \"%s\"", i, err.message, broken_files[i].words[word]);
        assert_non_null(strstr(err.message, "/tokenizer.json:"));
    }
}

static void oversized_entries_are_refused(void **state)
{
    (void)state;
    struct sq_buf json;
    struct sq_tokenizer *tokenizer;
    sq_buf_init(&json);
    sq_buf_append_text(&json, "{\"model\":{\"unk_token\":\"u\",\"continuing_subword_prefix\":\"\",\"max_input_chars_per_word\":9,\"vocab\":{\"");
    for (int i = 0; i < 2000; i++) sq_buf_append_char(&json, 'x');
    sq_buf_append_text(&json, "\":0}}}");
    assert_int_equal(try_open(&tokenizer, sq_buf_view(&json)), SQ_E_MODEL_FILE);
    assert_non_null(strstr(err.message, "2000 bytes"));
    sq_buf_clear(&json);
    for (int i = 0; i < 100000; i++) sq_buf_append_char(&json, '[');
    assert_int_equal(try_open(&tokenizer, sq_buf_view(&json)), SQ_E_MODEL_FILE);
    sq_buf_deinit(&json);
}

/* ---- vocab.txt ---- */

#define VOCAB_TXT "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nHello\n##s\n\n\xc3\xa9\ne\n\xe4\xb8\xad\n\xe4\xb8\xad\xe6\x96\x87\r\n<s>\nhello"

static struct sq_tokenizer *open_vocab(const char *config, const char *map)
{
    struct test_folder folder;
    struct sq_tokenizer *tokenizer = NULL;
    test_folder_init(&folder);
    test_folder_write(&folder, "vocab.txt", SQ_STR(VOCAB_TXT));
    if (config) test_folder_write(&folder, "tokenizer_config.json", sq_str_view(config));
    if (map) test_folder_write(&folder, "special_tokens_map.json", sq_str_view(map));
    err = (struct sq_err){0};
    sq_tokenizer_open(&tokenizer, folder.path, SQ_NORMALISE_NONE, &err);
    test_folder_deinit(&folder);
    return tokenizer;
}

static void vocab_txt_follows_its_config(void **state)
{
    (void)state;
    static const struct {
        const char *config, *map, *text, *ids;
    } cases[] = {
        {NULL, NULL, "Hello \xc3\x89 \xe4\xb8\xad\xe6\x96\x87 [SEP]", "14 10 11 1 3"}, /* of two lines "hello" the last counts */
        {"{\"do_lower_case\":false}", NULL, "Hello \xc3\xa9 e\xcc\x81 hellos", "6 9 1 14 7"},
        {"{\"do_lower_case\":false,\"strip_accents\":true}", NULL, "Hello \xc3\xa9", "6 10"},
        {"{\"do_lower_case\":true,\"strip_accents\":false}", NULL, "HELLO \xc3\x89", "14 9"},
        {"{\"tokenize_chinese_chars\":false}", NULL, "\xe4\xb8\xad\xe6\x96\x87", "12"},
        {"{\"tokenizer_class\":\"DistilBertTokenizerFast\",\"never_split\":null,\"model_max_length\":1e30}", NULL, "hello", "14"},
        {"{\"cls_token\":{\"content\":\"[CLS]\",\"lstrip\":false},\"mask_token\":\"<s>\"}", NULL, "a<s>b[MASK]", "1 13 1 1 1 1"},
        {"{}", "{\"mask_token\":\"<s>\"}", "a<s>", "1 13"},
        {"{\"added_tokens_decoder\":{\"5\":{\"content\":\"<a>\",\"special\":true},\"2\":{\"content\":\"<b>\",\"special\":true}}}", NULL,
         "<a><b>", "15 14"}, /* ids go on behind the vocabulary, in the order of the decoder's */
        {"{\"additional_special_tokens\":[\"<q>\",{\"content\":\"<r>\"}]}", NULL, "<r> <q>", "15 14"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sq_tokenizer *tokenizer = open_vocab(cases[i].config, cases[i].map);
        if (!tokenizer) fail_msg("case %zu: %s", i, err.message);
        assert_ids(tokenizer, sq_str_view(cases[i].text), cases[i].ids);
        sq_tokenizer_close(tokenizer);
    }
}

static void broken_vocab_folders_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *config, *word;
    } cases[] = {
        {"{\"do_lower_case\":\"yes\"}", "do_lower_case"},
        {"{\"tokenizer_class\":\"BertweetTokenizer\"}", "BertweetTokenizer"},
        {"{\"unk_token\":7}", "unk_token"},
        {"{\"cls_token\":\"<cls>\"}", "<cls>"},
        {"{\"added_tokens_decoder\":[]}", "added_tokens_decoder"},
        {"{\"added_tokens_decoder\":{\"x\":{\"content\":\"a\"}}}", "added_tokens_decoder.x"},
        {"{\"additional_special_tokens\":[3]}", "additional_special_tokens[0]"},
        {"[]", "object"},
        {"{", "JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(open_vocab(cases[i].config, NULL));
        assert_int_equal(err.code, SQ_E_MODEL_FILE);
        if (!strstr(err.message, cases[i].word)) fail_msg("case %zu: \"%s\" lacks \"%s\"", i, err.message, cases[i].word);
    }

    static const struct {
        const char *file, *contents, *word;
    } folders[] = {
        {NULL, NULL, "none of tokenizer.json, vocab.txt, vocab.json"},
        {"bpe.codes", "", "BERTweet"},
        {"spiece.model", "", "ALBERT"},
        {"spm.model", "", "DeBERTa"},
        {"vocab.json", "{\"a\": 0}", "merges.txt"},
        {"vocab.json", "[]", "vocab.json: expected an object"},
        {"vocab.json", "{", "vocab.json"},
        {"sentencepiece.bpe.model", "", "not a SentencePiece model"},
        {"sentencepiece.bpe.model", "\x0a\x05\x0a\x09" "abc", "not a SentencePiece model"},
        {"sentencepiece.bpe.model", "\x0a\x03\x0a\x01" "a\x12\x02\x18\x02", "trainer_spec.model_type"},
        {"vocab.txt", "[UNK]\n[CLS]\n\xff\n", "vocab.txt:3"},
        {"vocab.txt", "[CLS]\n[SEP]\n", "[UNK]"},
        {"vocab.txt", "", "[UNK]"},
    };
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        struct test_folder folder;
        struct sq_tokenizer *tokenizer;
        test_folder_init(&folder);
        if (folders[i].file) test_folder_write(&folder, folders[i].file, sq_str_view(folders[i].contents));
        assert_int_equal(sq_tokenizer_open(&tokenizer, folder.path, SQ_NORMALISE_NONE, &err), SQ_E_MODEL_FILE);
        if (!strstr(err.message, folders[i].word)) fail_msg("folder %zu: \"%s\" lacks \"%s\"", i, err.message, folders[i].word);
        test_folder_deinit(&folder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_words_into_the_longest_entries),
        cmocka_unit_test(added_tokens_are_found_in_raw_text),
        cmocka_unit_test(single_word_tokens_stand_alone),
        cmocka_unit_test(word_characters_are_those_of_regular_expressions),
        cmocka_unit_test(combining_characters_are_put_in_order),
        cmocka_unit_test(stripping_tokens_take_white_space),
        cmocka_unit_test(white_space_is_taken_once),
        cmocka_unit_test(normalized_tokens_are_found_in_normalised_text),
        cmocka_unit_test(a_cut_text_keeps_its_last_token),
        cmocka_unit_test(bad_texts_are_refused),
        cmocka_unit_test(long_texts_take_linear_time),
        cmocka_unit_test(words_behind_a_long_nothing_are_found),
        cmocka_unit_test(tokens_never_pass_their_bound),
        cmocka_unit_test(broken_files_are_refused_by_field),
        cmocka_unit_test(oversized_entries_are_refused),
        cmocka_unit_test(vocab_txt_follows_its_config),
        cmocka_unit_test(broken_vocab_folders_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
