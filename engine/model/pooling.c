/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/pooling.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/json.h"
#include "engine/engine.h"

enum { PATH_BYTES = 4096, WORD_BYTES = 64 };

/* Whether it may stand in a message on a terminal, as it is. */
static bool is_plain(const char *text)
{
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) return false;
    }
    return true;
}

static int fail(const char *key, const char *value, const char *advice, struct sq_err *err)
{
    return sq_err_set(err, SQ_E_MODEL_FILE, "%s: '%.*s' can't be run: %s", key, WORD_BYTES, is_plain(value) ? value : "?", advice);
}

/* ---- modules.json ---- */

/* The path of a module: a folder inside the model's. */
static int read_path(const json_t *module, const char **path, struct sq_err *err)
{
    int status = sq_json_get_text(module, "path", "", path, SQ_E_MODEL_FILE, err);
    if (status < 0) return status;
    if (strlen(*path) < SQ_MODULE_PATH_BYTES && !strchr(*path, '/') && (*path)[0] != '.' && is_plain(*path)) return 0;
    return sq_err_set(err, SQ_E_MODEL_FILE, "path: expected the name of a folder inside the model's");
}

static int read_module(char pooling_path[SQ_MODULE_PATH_BYTES], const json_t *module, struct sq_err *err)
{
    const char *type, *path;
    if (!json_is_object(module)) return sq_err_set(err, SQ_E_MODEL_FILE, "expected a list of modules");
    int status = sq_json_get_text(module, "type", "", &type, SQ_E_MODEL_FILE, err);
    if (status == 0) status = read_path(module, &path, err);
    if (status < 0) return status;
    const char *dot = strrchr(type, '.');
    const char *class_name = dot ? dot + 1 : type;
    if (strcmp(class_name, "Normalize") == 0) return 0; /* vectors are normalised anyway */
    if (strcmp(class_name, "Transformer") == 0) {
        if (path[0] == '\0') return 0;
        return fail("path", path, "save the model again with a current sentence-transformers, which keeps the encoder at the top", err);
    }
    if (strcmp(class_name, "Pooling") != 0) return fail("type", type, "take a model of Transformer, Pooling and Normalize alone", err);
    memcpy(pooling_path, path, strlen(path) + 1);
    return 0;
}

int sq_modules_parse(char pooling_path[SQ_MODULE_PATH_BYTES], const char *name, struct sq_str text, struct sq_err *err)
{
    json_t *modules;
    pooling_path[0] = '\0';
    int status = sq_json_parse(&modules, name, text, SQ_E_MODEL_FILE, err);
    if (status < 0) return status;
    if (!json_is_array(modules)) status = sq_err_set(err, SQ_E_MODEL_FILE, "expected a list of modules");
    for (size_t i = 0; status == 0 && i < json_array_size(modules); i++) status = read_module(pooling_path, json_array_get(modules, i), err);
    json_decref(modules);
    return status < 0 ? sq_err_prefix(err, "%s: ", name) : 0;
}

/* ---- 1_Pooling/config.json ---- */

struct mode {
    const char *word, *old_key;
    int pooling; /* enum sq_pooling; -1: can't be run */
};

static const struct mode modes[] = {
    {"cls", "pooling_mode_cls_token", SQ_POOLING_FIRST},
    {"mean", "pooling_mode_mean_tokens", SQ_POOLING_MEAN},
    {"max", "pooling_mode_max_tokens", -1},
    {"mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", -1},
    {"weightedmean", "pooling_mode_weightedmean_tokens", -1},
    {"lasttoken", "pooling_mode_lasttoken", -1},
};
enum { MODES_COUNT = sizeof modes / sizeof *modes };
static const char advice[] = "take a model that pools by mean or by the first token";

/* New files: "pooling_mode": "mean". */
static int read_word(int *mode, const json_t *object, struct sq_err *err)
{
    const char *word;
    int status = sq_json_get_text(object, "pooling_mode", NULL, &word, SQ_E_MODEL_FILE, err);
    if (status < 0 || !word) return status;
    for (int i = 0; i < MODES_COUNT; i++) {
        if (strcmp(modes[i].word, word) == 0) *mode = i;
    }
    return *mode < 0 ? fail("pooling_mode", word, advice, err) : 0;
}

/* Old ones: a flag a mode, of which one is set. */
static int read_flags(int *mode, const json_t *object, struct sq_err *err)
{
    for (int i = 0; i < MODES_COUNT; i++) {
        bool set;
        int status = sq_json_get_bool(object, modes[i].old_key, false, &set, SQ_E_MODEL_FILE, err);
        if (status < 0) return status;
        if (set && *mode >= 0) return fail(modes[i].old_key, "true, as another mode is", advice, err);
        if (set) *mode = i;
    }
    return *mode < 0 ? sq_err_set(err, SQ_E_MODEL_FILE, "says no pooling_mode") : 0;
}

static int read_mode(enum sq_pooling *pooling, const json_t *object, struct sq_err *err)
{
    int mode = -1;
    if (!json_is_object(object)) return sq_err_set(err, SQ_E_MODEL_FILE, "expected a JSON object");
    int status = read_word(&mode, object, err);
    if (status == 0 && mode < 0) status = read_flags(&mode, object, err);
    if (status < 0) return status;
    if (modes[mode].pooling < 0) return fail("pooling_mode", modes[mode].word, advice, err);
    *pooling = (enum sq_pooling)modes[mode].pooling;
    return 0;
}

int sq_pooling_parse(enum sq_pooling *pooling, const char *name, struct sq_str text, struct sq_err *err)
{
    json_t *object;
    int status = sq_json_parse(&object, name, text, SQ_E_MODEL_FILE, err);
    if (status < 0) return status;
    status = read_mode(pooling, object, err);
    json_decref(object);
    return status < 0 ? sq_err_prefix(err, "%s: ", name) : 0;
}

/* ---- the folder ---- */

/* 1 and the file's contents, or 0 when there is no such file. */
static int read_if_there(struct sq_buf *text, char path[PATH_BYTES], const char *model_path, const char *folder, const char *file,
                         struct sq_err *err)
{
    if ((size_t)snprintf(path, PATH_BYTES, "%s/%s%s%s", model_path, folder, *folder ? "/" : "", file) >= PATH_BYTES)
        return sq_err_set(err, SQ_E_MODEL_FILE, "the model's path is too long");
    if (access(path, F_OK) != 0) return 0;
    int status = sq_json_read_file(text, path, SQ_MODULES_BYTES_MAX, SQ_E_MODEL_FILE, err);
    return status < 0 ? status : 1;
}

static int read_files(enum sq_pooling *pooling, const char *model_path, struct sq_buf *text, struct sq_err *err)
{
    char path[PATH_BYTES], pooling_path[SQ_MODULE_PATH_BYTES] = "1_Pooling";
    int status = read_if_there(text, path, model_path, "", "modules.json", err);
    if (status > 0) status = sq_modules_parse(pooling_path, path, sq_buf_view(text), err);
    if (status < 0 || !*pooling_path) return status;
    sq_buf_clear(text);
    status = read_if_there(text, path, model_path, pooling_path, "config.json", err);
    return status > 0 ? sq_pooling_parse(pooling, path, sq_buf_view(text), err) : status;
}

int sq_pooling_read(enum sq_pooling *pooling, const char *model_path, struct sq_err *err)
{
    struct sq_buf text;
    *pooling = SQ_POOLING_MEAN;
    sq_buf_init(&text);
    int status = read_files(pooling, model_path, &text, err);
    sq_buf_deinit(&text);
    return status;
}

int sq_sentence_tokens_max_read(unsigned *tokens_max, const char *model_path, struct sq_err *err)
{
    char path[PATH_BYTES];
    struct sq_buf text;
    json_t *object;
    int64_t number = 0;
    sq_buf_init(&text);
    int status = read_if_there(&text, path, model_path, "", "sentence_bert_config.json", err);
    if (status > 0) status = sq_json_parse(&object, path, sq_buf_view(&text), SQ_E_MODEL_FILE, err) < 0 ? err->code : 1;
    if (status > 0) {
        status = sq_json_get_int(object, "max_seq_length", 2, SQ_TOKENS_MAX, 0, &number, SQ_E_MODEL_FILE, err);
        json_decref(object);
        if (status < 0) sq_err_prefix(err, "%s: ", path);
    }
    sq_buf_deinit(&text);
    *tokens_max = (unsigned)number;
    return status < 0 ? status : 0;
}
