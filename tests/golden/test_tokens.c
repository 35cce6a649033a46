/* SPDX-License-Identifier: Apache-2.0 */
/* The ids of every text that the repository ships are those of Hugging Face's `tokenizers`, for every kind of tokenizer, BERT's from
 * tokenizer.json as well as from vocab.txt. README.md says what is compared; ops/parity compares any other folder of texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <xxhash.h>

#include "engine/base/json.h"
#include "engine/tokenizer/chars.h"
#include "engine/tokenizer/tokenizer.h"
#include "tests/golden/random_texts.h"
#include "tests/lib/folder.h"

enum { TEXTS_MAX = 24000, CUT = 16 };

/* ---- the texts ---- */

struct source {
    struct sq_str texts[TEXTS_MAX];
    size_t texts_count;
    struct sq_buf file[4]; /* what the texts point into */
    size_t files_count;
    char *made[256]; /* or this */
    size_t made_count;
};

static struct source source;

static void add_text(struct sq_str text)
{
    assert_in_range(source.texts_count, 0, TEXTS_MAX - 1);
    source.texts[source.texts_count++] = text;
}

/* Calls add for each line, without its line end. */
static void each_line(const char *path, void (*add)(struct sq_str line))
{
    struct sq_buf *file = &source.file[source.files_count++];
    test_read_file(path, file);
    for (struct sq_str rest = sq_buf_view(file); rest.bytes > 0;) {
        const char *newline = memchr(rest.data, '\n', rest.bytes);
        size_t bytes = newline ? (size_t)(newline - rest.data) : rest.bytes;
        add((struct sq_str){rest.data, bytes});
        bytes += newline ? 1 : 0;
        rest = (struct sq_str){rest.data + bytes, rest.bytes - bytes};
    }
}

static void add_vader_line(struct sq_str line)
{
    const char *tab = memchr(line.data, '\t', line.bytes);
    const char *end = line.data + line.bytes;
    if (tab) tab = memchr(tab + 1, '\t', (size_t)(end - tab - 1));
    if (!tab) return;
    if (end[-1] == '\r') end--;
    add_text((struct sq_str){tab + 1, (size_t)(end - tab - 1)});
}

static void read_vader(void)
{
    static const char *const names[] = {"tweets", "amazonReviewSnippets", "movieReviewSnippets", "nytEditorialSnippets"};
    for (size_t i = 0; i < 4; i++) {
        char path[128];
        snprintf(path, sizeof path, "ops/data/vader/%s_GroundTruth.txt", names[i]);
        each_line(path, add_vader_line);
    }
}

static void read_finance(void) { each_line("tests/golden/texts/finance.txt", add_text); }
static void read_chinese(void) { each_line("tests/golden/texts/chinese.txt", add_text); }

static void add_hard_line(struct sq_str line)
{
    json_t *object = NULL;
    assert_int_equal(sq_json_parse(&object, "hard.jsonl", line, SQ_E_FAILED, NULL), 0);
    const json_t *text = json_object_get(object, "text");
    json_int_t times = json_object_get(object, "times") ? json_integer_value(json_object_get(object, "times")) : 1;
    size_t bytes = json_string_length(text);
    char *whole = malloc(bytes * (size_t)times + 1);
    assert_in_range(source.made_count, 0, 255);
    source.made[source.made_count++] = whole;
    for (json_int_t i = 0; i < times; i++) memcpy(whole + (size_t)i * bytes, json_string_value(text), bytes);
    add_text((struct sq_str){whole, bytes * (size_t)times});
    json_decref(object);
}

static void read_hard(void) { each_line("tests/golden/texts/hard.jsonl", add_hard_line); }

static void read_random(void)
{
    struct test_random random = {RANDOM_SEED};
    struct sq_buf *all = &source.file[source.files_count++];
    sq_buf_init(all);
    static size_t ends[RANDOM_TEXTS];
    struct sq_buf text;
    sq_buf_init(&text);
    for (size_t i = 0; i < RANDOM_TEXTS; i++) {
        random_text(&random, &text);
        sq_buf_append_str(all, sq_buf_view(&text));
        ends[i] = all->bytes;
    }
    for (size_t i = 0; i < RANDOM_TEXTS; i++) {
        size_t begin = i ? ends[i - 1] : 0;
        add_text((struct sq_str){all->data + begin, ends[i] - begin});
    }
    sq_buf_deinit(&text);
}

static const struct {
    const char *name;
    void (*read)(void);
    size_t texts_count;
} sources[] = {
    {"vader", read_vader, 23703}, {"finance", read_finance, 9543}, {"chinese", read_chinese, 2000},
    {"hard", read_hard, 111},     {"random", read_random, RANDOM_TEXTS},
};

static void load_source(size_t index)
{
    source.texts_count = source.files_count = source.made_count = 0;
    sources[index].read();
    assert_int_equal(source.texts_count, sources[index].texts_count);
}

static void unload_source(void)
{
    for (size_t i = 0; i < source.files_count; i++) sq_buf_deinit(&source.file[i]);
    for (size_t i = 0; i < source.made_count; i++) free(source.made[i]);
}

/* ---- the tokenizers, in both forms ---- */

static json_t *special(const char *token) { return json_pack("{s{ss si}}", "SpecialToken", "id", token, "type_id", 0); }

/* tokenizer.json as `tokenizers` saves it. */
static char *tokenizer_json(struct sq_str vocab, bool lowercase)
{
    json_t *entries = json_object(), *added = json_array(), *ids = json_object();
    json_int_t id = 0;
    for (const char *line = vocab.data, *end; (end = strchr(line, '\n')); line = end + 1, id++) {
        char entry[512];
        snprintf(entry, sizeof entry, "%.*s", (int)(end - line), line);
        json_object_set_new(entries, entry, json_integer(id));
        if (strstr("[PAD][UNK][CLS][SEP][MASK]", entry) && *entry == '[' && strlen(entry) > 1) {
            json_array_append_new(added, json_pack("{sI ss sb sb sb sb sb}", "id", id, "content", entry, "single_word", 0, "lstrip", 0,
                                                   "rstrip", 0, "normalized", 0, "special", 1));
            json_object_set_new(ids, entry, json_pack("{ss s[I] s[s]}", "id", entry, "ids", id, "tokens", entry));
        }
    }
    json_t *root = json_pack("{ss s{ss si ss si} so so s{ss sb sb sn sb} s{ss} s{ss s[o{s{ss si}}o] s[] so} s{ss ss ss si so}}", "version",
                             "1.0", "truncation", "direction", "Right", "max_length", 8, "strategy", "LongestFirst", "stride", 0,
                             "padding", json_null(), "added_tokens", added, "normalizer", "type", "BertNormalizer", "clean_text", 1,
                             "handle_chinese_chars", 1, "strip_accents", "lowercase", (int)lowercase, "pre_tokenizer", "type",
                             "BertPreTokenizer", "post_processor", "type", "TemplateProcessing", "single", special("[CLS]"), "Sequence",
                             "id", "A", "type_id", 0, special("[SEP]"), "pair", "special_tokens", ids, "model", "type", "WordPiece",
                             "unk_token", "[UNK]", "continuing_subword_prefix", "##", "max_input_chars_per_word", 100, "vocab", entries);
    char *text = json_dumps(root, JSON_COMPACT);
    assert_non_null(text);
    json_decref(root);
    return text;
}

static struct sq_tokenizer *open_tokenizer(const struct test_folder *folder, enum sq_normalise normalise)
{
    struct sq_tokenizer *tokenizer = NULL;
    struct sq_err err = {0};
    if (sq_tokenizer_open(&tokenizer, folder->path, normalise, &err)) fail_msg("%s", err.message);
    return tokenizer;
}

static struct sq_tokenizer *open_form(const char *vocabulary, bool lowercase, bool as_json, enum sq_normalise normalise)
{
    struct test_folder folder;
    struct sq_buf vocab;
    char path[128];
    snprintf(path, sizeof path, "tests/golden/vocab/%s.txt", vocabulary);
    test_read_file(path, &vocab);
    test_folder_init(&folder);
    if (as_json) {
        char *text = tokenizer_json(sq_buf_view(&vocab), lowercase);
        test_folder_write(&folder, "tokenizer.json", sq_str_view(text));
        free(text);
    } else {
        test_folder_write(&folder, "vocab.txt", sq_buf_view(&vocab));
        test_folder_write(&folder, "tokenizer_config.json", lowercase ? SQ_STR("{\"do_lower_case\": true, \"never_split\": null}")
                                                                      : SQ_STR("{\"do_lower_case\": false}"));
    }
    struct sq_tokenizer *tokenizer = open_tokenizer(&folder, normalise);
    test_folder_deinit(&folder);
    sq_buf_deinit(&vocab);
    return tokenizer;
}

/* A folder of the slow tokenizer's files: {file in the folder, file in vocab/} */
static struct sq_tokenizer *open_slow(const char *tokenizer_class, const char *const files[][2])
{
    struct test_folder folder;
    char config[128];
    test_folder_init(&folder);
    for (size_t i = 0; files[i][0]; i++) {
        struct sq_buf file;
        char path[128];
        snprintf(path, sizeof path, "tests/golden/vocab/%s", files[i][1]);
        test_read_file(path, &file);
        test_folder_write(&folder, files[i][0], sq_buf_view(&file));
        sq_buf_deinit(&file);
    }
    snprintf(config, sizeof config, "{\"tokenizer_class\": \"%s\"}", tokenizer_class);
    test_folder_write(&folder, "tokenizer_config.json", sq_str_view(config));
    struct sq_tokenizer *tokenizer = open_tokenizer(&folder, SQ_NORMALISE_NONE);
    test_folder_deinit(&folder);
    return tokenizer;
}

/* ---- comparing ---- */

struct encoded {
    int32_t *ids;
    size_t ids_count;
};

static struct sq_arena scratch;
static struct encoded first, second;

static void encode(const struct sq_tokenizer *tokenizer, struct sq_str text, struct encoded *encoded)
{
    struct sq_err err = {0};
    bool truncated = true;
    size_t bound = sq_tokenizer_tokens_bound(tokenizer, text.bytes);
    encoded->ids = realloc(encoded->ids, bound * sizeof *encoded->ids);
    if (sq_tokenizer_encode(tokenizer, text, (unsigned)bound, &scratch, encoded->ids, &encoded->ids_count, &truncated, &err)) {
        fail_msg("%s", err.message);
    }
    assert_false(truncated);
    assert_int_equal(scratch.used_bytes, 0);
}

static bool same(const struct encoded *a, const struct encoded *b)
{
    return a->ids_count == b->ids_count && memcmp(a->ids, b->ids, a->ids_count * sizeof *a->ids) == 0;
}

/* Cut to CUT tokens, the ids are the first ones and the last. */
static bool cut_is_right(const struct sq_tokenizer *tokenizer, struct sq_str text, const struct encoded *whole)
{
    int32_t ids[CUT];
    size_t count = 0;
    bool truncated = false;
    assert_int_equal(sq_tokenizer_encode(tokenizer, text, CUT, &scratch, ids, &count, &truncated, NULL), 0);
    if (whole->ids_count <= CUT) return !truncated && count == whole->ids_count && memcmp(ids, whole->ids, count * sizeof *ids) == 0;
    return truncated && count == CUT && memcmp(ids, whole->ids, (CUT - 1) * sizeof *ids) == 0
           && ids[CUT - 1] == whole->ids[whole->ids_count - 1];
}

static void report(const char *set, const char *what, size_t index, struct sq_str text, const struct encoded *got)
{
    struct sq_buf line;
    sq_buf_init(&line);
    sq_buf_printf(&line, "%s, text %zu %s: ", set, index, what);
    sq_json_write_str(&line, sq_utf8_prefix(text, 100));
    sq_buf_append_text(&line, " gives");
    for (size_t i = 0; i < got->ids_count && i < 40; i++) sq_buf_printf(&line, " %d", got->ids[i]);
    print_error("%s\n", line.data);
    sq_buf_deinit(&line);
}

/* One set over the source that is loaded. Returns how many texts differ. */
static size_t compare(const char *set, const char *source_name, const struct sq_tokenizer *json, const struct sq_tokenizer *vocab)
{
    char path[128];
    struct sq_buf digests;
    snprintf(path, sizeof path, "tests/golden/ids/%s.%s.u32", set, source_name);
    test_read_file(path, &digests);
    assert_int_equal(digests.bytes, source.texts_count * 4);
    size_t wrong = 0;
    for (size_t i = 0; i < source.texts_count; i++) {
        struct sq_str text = source.texts[i];
        uint32_t expected;
        memcpy(&expected, digests.data + 4 * i, 4);
        encode(json, text, &first);
        const char *what = NULL;
        if ((uint32_t)XXH64(first.ids, first.ids_count * sizeof *first.ids, 0) != expected) what = "differs from Hugging Face's";
        else if (!cut_is_right(json, text, &first)) what = "is cut wrongly";
        else if (vocab) {
            encode(vocab, text, &second);
            if (!same(&first, &second)) what = "differs between tokenizer.json and vocab.txt";
        }
        if (what && wrong++ < 10) report(set, what, i, text, &first);
    }
    sq_buf_deinit(&digests);
    return wrong;
}

static void check_vocabulary(const char *name, bool lowercase)
{
    struct sq_tokenizer *json = open_form(name, lowercase, true, SQ_NORMALISE_NONE);
    struct sq_tokenizer *vocab = open_form(name, lowercase, false, SQ_NORMALISE_NONE);
    assert_int_equal(sq_arena_init(&scratch, sq_tokenizer_scratch_bytes(json, 1 << 20), NULL), 0);
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        load_source(i);
        wrong += compare(name, sources[i].name, json, vocab);
        unload_source();
    }
    sq_arena_deinit(&scratch);
    sq_tokenizer_close(json);
    sq_tokenizer_close(vocab);
    assert_int_equal(wrong, 0);
}

static void ids_of_bert_base_uncased(void **state) { (void)state, check_vocabulary("bert-base-uncased", true); }
static void ids_of_bert_base_cased(void **state) { (void)state, check_vocabulary("bert-base-cased", false); }
static void ids_of_bert_base_chinese(void **state) { (void)state, check_vocabulary("bert-base-chinese", true); }
static void ids_of_bert_base_multilingual_cased(void **state) { (void)state, check_vocabulary("bert-base-multilingual-cased", false); }

/* Only the sources that README.md names for the set. */
static void check_slow(const char *set, const char *tokenizer_class, const char *const files[][2], const char *used)
{
    struct sq_tokenizer *tokenizer = open_slow(tokenizer_class, files);
    assert_int_equal(sq_arena_init(&scratch, sq_tokenizer_scratch_bytes(tokenizer, 1 << 20), NULL), 0);
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (!strstr(used, sources[i].name)) continue;
        load_source(i);
        wrong += compare(set, sources[i].name, tokenizer, NULL);
        unload_source();
    }
    sq_arena_deinit(&scratch);
    sq_tokenizer_close(tokenizer);
    assert_int_equal(wrong, 0);
}

static void ids_of_roberta(void **state)
{
    (void)state;
    static const char *const files[][2] = {{"vocab.json", "bpe.vocab.json"}, {"merges.txt", "bpe.merges.txt"}, {NULL}};
    check_slow("roberta", "RobertaTokenizer", files, "finance hard random");
}

static const char *const unigram[][2] = {{"sentencepiece.bpe.model", "unigram.model"}, {NULL}};

static void ids_of_xlm_roberta(void **state)
{
    (void)state;
    check_slow("xlm-roberta", "XLMRobertaTokenizer", unigram, "finance chinese hard random");
}

static void ids_of_camembert(void **state) { (void)state, check_slow("camembert", "CamembertTokenizer", unigram, "chinese hard"); }

static void ids_after_tweet_normalisation(void **state)
{
    (void)state;
    static const size_t used[] = {0, 1, 3}; /* vader, finance, hard */
    struct sq_tokenizer *tokenizer = open_form("bert-base-uncased", true, false, SQ_NORMALISE_TWEET);
    assert_int_equal(sq_arena_init(&scratch, sq_tokenizer_scratch_bytes(tokenizer, 1 << 20), NULL), 0);
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof used / sizeof *used; i++) {
        load_source(used[i]);
        wrong += compare("tweet", sources[used[i]].name, tokenizer, NULL);
        unload_source();
    }
    sq_arena_deinit(&scratch);
    sq_tokenizer_close(tokenizer);
    assert_int_equal(wrong, 0);
}

/* ---- the normaliser ---- */

/* Whole texts, since combining characters move; most of these end as [UNK], which tells nothing of their order. */
static void normalised_form_of_texts(void **state)
{
    (void)state;
    static struct sq_chars chars = {.clean = true, .chinese = true, .strip = true, .lower = true};
    enum { RUN_MAX = 1024 };
    static struct sq_char run[RUN_MAX];
    sq_chars_init(&chars);
    size_t wrong = 0;
    for (size_t i = 3; i < 5; i++) { /* hard, random */
        char path[128];
        struct sq_buf digests;
        snprintf(path, sizeof path, "tests/golden/ids/normalised.%s.u32", sources[i].name);
        test_read_file(path, &digests);
        load_source(i);
        assert_int_equal(digests.bytes, source.texts_count * 4);
        for (size_t text = 0; text < source.texts_count; text++) {
            uint32_t expected;
            memcpy(&expected, digests.data + 4 * text, 4);
            char *out = malloc(source.texts[text].bytes * SQ_CHARS_GROWTH + 1);
            size_t bytes = sq_chars_normalise(&chars, source.texts[text], run, RUN_MAX, out);
            bool differs = (uint32_t)XXH64(out, bytes, 0) != expected;
            if (differs && wrong++ < 10) print_error("%s, text %zu: its normalised form differs\n", sources[i].name, text);
            free(out);
        }
        unload_source();
        sq_buf_deinit(&digests);
    }
    assert_int_equal(wrong, 0);
}


static void normalised_form_of_every_code_point(void **state)
{
    (void)state;
    static struct sq_chars flags[] = {
        {.clean = true, .chinese = true, .strip = true, .lower = true}, {.clean = true, .chinese = true}, {.strip = true}, {.lower = true},
    };
    static const char *const names[] = {"uncased", "cased", "stripped", "lowered"};
    enum { BLOCK = 4096 };
    struct sq_buf file;
    test_read_file("tests/golden/ids/characters.txt", &file);
    size_t wrong = 0, blocks = 0;
    for (char *line = strtok(file.data, "\n"); line; line = strtok(NULL, "\n"), blocks++) {
        char name[16];
        unsigned block;
        uint64_t expected;
        assert_int_equal(sscanf(line, "%15s %x %lx", name, &block, &expected), 3);
        struct sq_chars *chars = NULL;
        for (size_t i = 0; i < 4; i++)
            if (strcmp(name, names[i]) == 0) chars = &flags[i];
        assert_non_null(chars);
        XXH64_state_t *hash = XXH64_createState();
        XXH64_reset(hash, 0);
        for (uint32_t c = block; c < block + BLOCK; c++) {
            if (c >= 0xd800 && c <= 0xdfff) continue;
            struct sq_char run[4];
            char text[4], out[4 * SQ_CHARS_GROWTH + 1];
            size_t bytes = sq_chars_normalise(chars, (struct sq_str){text, sq_utf8_encode(c, text)}, run, 4, out);
            assert_in_range(bytes, 0, sizeof out - 1);
            out[bytes++] = '\n';
            XXH64_update(hash, out, bytes);
        }
        if (XXH64_digest(hash) != expected) {
            print_error("%s: normalising U+%04X to U+%04X differs\n", name, block, block + BLOCK - 1);
            wrong++;
        }
        XXH64_freeState(hash);
    }
    sq_buf_deinit(&file);
    assert_int_equal(blocks, 4 * 272);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_of_bert_base_uncased),
        cmocka_unit_test(ids_of_bert_base_cased),
        cmocka_unit_test(ids_of_bert_base_chinese),
        cmocka_unit_test(ids_of_bert_base_multilingual_cased),
        cmocka_unit_test(ids_of_roberta),
        cmocka_unit_test(ids_of_xlm_roberta),
        cmocka_unit_test(ids_of_camembert),
        cmocka_unit_test(ids_after_tweet_normalisation),
        cmocka_unit_test(normalised_form_of_texts),
        cmocka_unit_test(normalised_form_of_every_code_point),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(first.ids);
    free(second.ids);
    return failed;
}
