/* SPDX-License-Identifier: Apache-2.0 */
/* Folders without tokenizer.json. tokenizer_class, else config.json's model_type, else the files that are there say which kind
 * it is; the settings stand in tokenizer_config.json, or are the class's own. */
#include "engine/tokenizer/draft_slow.h"

#include <string.h>
#include <unistd.h>

#define FAIL(...) sq_err_set(err, SQ_E_MODEL_FILE, __VA_ARGS__)

enum { CONFIG_BYTES_MAX = 1 << 20 };

#define BERT                                                                                                                      \
    {[SQ_SLOW_unk] = "[UNK]", [SQ_SLOW_sep] = "[SEP]", [SQ_SLOW_pad] = "[PAD]", [SQ_SLOW_cls] = "[CLS]", [SQ_SLOW_mask] = "[MASK]"}
#define ROBERTA(unknown)                                                                                                          \
    {[SQ_SLOW_bos] = "<s>", [SQ_SLOW_eos] = "</s>", [SQ_SLOW_unk] = unknown, [SQ_SLOW_sep] = "</s>", [SQ_SLOW_pad] = "<pad>",      \
     [SQ_SLOW_cls] = "<s>", [SQ_SLOW_mask] = "<mask>"}

/* The first class of each file is what the file alone stands for. */
static const struct sq_slow_class classes[] = {
    {"BertTokenizer", "bert", "vocab.txt", BERT, false, sq_draft_read_vocab},
    {"DistilBertTokenizer", "distilbert", "vocab.txt", BERT, false, sq_draft_read_vocab},
    {"ElectraTokenizer", "electra", "vocab.txt", BERT, false, sq_draft_read_vocab},
    {"MobileBertTokenizer", "mobilebert", "vocab.txt", BERT, false, sq_draft_read_vocab},
    {"MPNetTokenizer", "mpnet", "vocab.txt", ROBERTA("[UNK]"), true, sq_draft_read_vocab},
    {"RobertaTokenizer", "roberta", "vocab.json", ROBERTA("<unk>"), false, sq_draft_read_merges},
    {"XLMRobertaTokenizer", "xlm-roberta", "sentencepiece.bpe.model", ROBERTA("<unk>"), false, sq_draft_read_xlm},
    {"CamembertTokenizer", "camembert", "sentencepiece.bpe.model", ROBERTA("<unk>"), true, sq_draft_read_camembert},
};

enum { CLASSES_COUNT = sizeof classes / sizeof *classes };

/* An object of one of the small files, or none where the file is absent. */
static int read_object(const char *model_dir, const char *file, json_t **object, struct sq_err *err)
{
    char path[SQ_DRAFT_PATH_BYTES];
    int status = sq_draft_path(path, model_dir, file, err);
    if (status || access(path, F_OK) != 0) return status;
    struct sq_buf text;
    sq_buf_init(&text);
    status = sq_json_read_file(&text, path, CONFIG_BYTES_MAX, SQ_E_MODEL_FILE, err);
    if (status == 0) status = sq_json_parse(object, path, sq_buf_view(&text), SQ_E_MODEL_FILE, err);
    sq_buf_deinit(&text);
    if (status == 0 && !json_is_object(*object)) status = FAIL("%s: expected an object", path);
    return status;
}

/* draft->root becomes tokenizer_config.json, with special_tokens_map.json over it where the former has no list of its own. */
static int read_config(struct sq_tokenizer_draft *draft, const char *model_dir, struct sq_err *err)
{
    json_t *map = NULL, *legacy = NULL;
    int status = read_object(model_dir, "tokenizer_config.json", &draft->root, err);
    if (status == 0 && !draft->root) draft->root = json_object();
    if (status == 0 && !draft->root) status = sq_err_set(err, SQ_E_NOMEM, "no memory for a tokenizer");
    if (status || json_object_get(draft->root, "added_tokens_decoder")) return status;

    status = read_object(model_dir, "special_tokens_map.json", &map, err);
    if (status == 0 && map) json_object_update(draft->root, map);
    if (status == 0) status = read_object(model_dir, "added_tokens.json", &legacy, err);
    if (status == 0 && json_object_size(legacy) > 0) {
        status = FAIL("%s/added_tokens.json: not supported beside vocab.txt: add the tokenizer.json that the fast tokenizer saves",
                      model_dir);
    }
    json_decref(map);
    json_decref(legacy);
    return status;
}


/* What stands in tokenizer_config.json, with or without "Fast". */
static int class_of_name(const struct sq_slow_class **found, const char *name, struct sq_err *err)
{
    for (size_t i = 0; i < CLASSES_COUNT; i++) {
        size_t bytes = strlen(classes[i].name);
        *found = &classes[i];
        if (strncmp(name, classes[i].name, bytes) == 0 && (name[bytes] == 0 || strcmp(name + bytes, "Fast") == 0)) return 0;
    }
    return FAIL("tokenizer_class: \"%.64s\" is not supported without a tokenizer.json: add the one that the fast tokenizer saves, "
                "or use a BERT, MPNet, RoBERTa, XLM-RoBERTa or CamemBERT model", name);
}

static int class_of_model_type(const struct sq_slow_class **found, const char *model_dir, struct sq_err *err)
{
    json_t *config = NULL;
    int status = read_object(model_dir, "config.json", &config, err);
    const char *type = json_string_value(json_object_get(config, "model_type"));
    for (size_t i = 0; status == 0 && type && i < CLASSES_COUNT; i++)
        if (strcmp(type, classes[i].model_type) == 0) *found = &classes[i];
    json_decref(config);
    return status;
}

static bool has_file(const char *model_dir, const char *file)
{
    char path[SQ_DRAFT_PATH_BYTES];
    return sq_draft_path(path, model_dir, file, NULL) == 0 && access(path, F_OK) == 0;
}

/* Why a folder without any of our files can't be used. */
static int refuse(const char *model_dir, struct sq_err *err)
{
    static const struct {
        const char *file, *kind;
    } others[] = {
        {"bpe.codes", "BERTweet's tokenizer"},
        {"spiece.model", "the tokenizer of ALBERT, XLNet and T5"},
        {"spm.model", "the tokenizer of DeBERTa"},
        {"tokenizer.model", "the tokenizer of a language model"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (!has_file(model_dir, others[i].file)) continue;
        return FAIL("%s/%s: %s is not supported without a tokenizer.json: add the one that the fast tokenizer saves, if any, or "
                    "use a BERT, MPNet, RoBERTa, XLM-RoBERTa or CamemBERT model", model_dir, others[i].file, others[i].kind);
    }
    return FAIL("%s: none of tokenizer.json, vocab.txt, vocab.json and sentencepiece.bpe.model is there: name a Hugging Face model "
                "folder", model_dir);
}

static int find_class(const struct sq_slow_class **found, const json_t *config, const char *model_dir, struct sq_err *err)
{
    const char *name = NULL;
    *found = NULL;
    int status = sq_json_get_text(config, "tokenizer_class", NULL, &name, SQ_E_MODEL_FILE, err);
    if (status == 0 && name) status = class_of_name(found, name, err);
    if (status) return sq_err_prefix(err, "%s/tokenizer_config.json: ", model_dir);
    if (!*found) status = class_of_model_type(found, model_dir, err);
    for (size_t i = 0; !*found && i < CLASSES_COUNT; i++)
        if (has_file(model_dir, classes[i].file)) *found = &classes[i];
    return status;
}

int sq_draft_read_slow(struct sq_tokenizer_draft *draft, const char *model_dir, struct sq_err *err)
{
    const struct sq_slow_class *slow_class = NULL;
    struct sq_slow_tokens tokens = {0};
    if (has_file(model_dir, "bpe.codes")) return refuse(model_dir, err); /* its vocab.txt is no WordPiece's */
    int status = read_config(draft, model_dir, err);
    if (status == 0) status = find_class(&slow_class, draft->root, model_dir, err);
    if (status) return status;
    if (!slow_class || !has_file(model_dir, slow_class->file)) return refuse(model_dir, err);
    status = sq_draft_read_tokens(draft, slow_class, &tokens, err);
    if (status) return sq_err_prefix(err, "%s/tokenizer_config.json: ", model_dir);
    draft->source = slow_class->file;
    return slow_class->read(draft, model_dir, &tokens, err);
}
