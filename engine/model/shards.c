/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/shards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/json.h"

enum { PATH_BYTES = 4096 };
static const char whole[] = "model.safetensors", index_file[] = "model.safetensors.index.json";

/* A plain name: it is looked for in the folder and nowhere else, and ends up in messages on terminals. */
static bool is_good_name(const json_t *value)
{
    static const char suffix[] = ".safetensors";
    if (!json_is_string(value)) return false;
    const char *name = json_string_value(value);
    size_t bytes = json_string_length(value);
    if (bytes < sizeof suffix || bytes > SQ_SHARD_NAME_BYTES_MAX || strcmp(name + bytes - (sizeof suffix - 1), suffix) != 0) return false;
    for (size_t i = 0; i < bytes; i++) {
        if (name[i] == '/' || (unsigned char)name[i] < 0x20 || name[i] == 0x7f) return false;
    }
    return name[0] != '.';
}

static int compare_names(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Each name once, in order. */
static int add(struct sq_shards *shards, const char *name, struct sq_err *err)
{
    if (bsearch(&name, shards->names, shards->count, sizeof *shards->names, compare_names)) return 0;
    if (shards->count == SQ_SHARDS_MAX) return sq_err_set(err, SQ_E_MODEL_FILE, "weight_map: more than %d files", SQ_SHARDS_MAX);
    char *copy = strdup(name);
    if (!copy) return sq_err_set(err, SQ_E_NOMEM, "no memory for the list of files");
    shards->names[shards->count++] = copy;
    qsort(shards->names, shards->count, sizeof *shards->names, compare_names);
    return 0;
}

static int read_map(struct sq_shards *shards, const json_t *object, struct sq_err *err)
{
    json_t *map = json_object_get(object, "weight_map"), *value;
    const char *tensor;
    if (!json_is_object(map) || json_object_size(map) == 0)
        return sq_err_set(err, SQ_E_MODEL_FILE, "weight_map: expected an object that gives a file for each tensor");
    json_object_foreach(map, tensor, value)
    {
        if (!is_good_name(value))
            return sq_err_set(err, SQ_E_MODEL_FILE, "weight_map: expected names of .safetensors files that lie in the model's folder");
        int status = add(shards, json_string_value(value), err);
        if (status < 0) return status;
    }
    return 0;
}

static int allocate(struct sq_shards *shards, struct sq_err *err)
{
    *shards = (struct sq_shards){.names = calloc(SQ_SHARDS_MAX, sizeof *shards->names)};
    return shards->names ? 0 : sq_err_set(err, SQ_E_NOMEM, "no memory for the list of files");
}

int sq_shards_parse(struct sq_shards *shards, const char *name, struct sq_str text, struct sq_err *err)
{
    json_t *object = NULL;
    int status = allocate(shards, err);
    if (status == 0) status = sq_json_parse(&object, name, text, SQ_E_MODEL_FILE, err);
    if (status == 0) {
        shards->is_split = true;
        status = read_map(shards, object, err);
        json_decref(object);
        if (status < 0) sq_err_prefix(err, "%s: ", name);
    }
    if (status < 0) sq_shards_close(shards);
    return status;
}

void sq_shards_close(struct sq_shards *shards)
{
    for (size_t i = 0; i < shards->count; i++) free(shards->names[i]);
    free(shards->names);
    *shards = (struct sq_shards){0};
}

static bool exists(const char *model_path, const char *file)
{
    char path[PATH_BYTES];
    return (size_t)snprintf(path, sizeof path, "%s/%s", model_path, file) < sizeof path && access(path, F_OK) == 0;
}

/* A folder without safetensors: says what it has instead and what to do. */
static int explain_no_weights(const char *model_path, struct sq_err *err)
{
    static const struct {
        const char *file, *advice;
    } others[] = {
        {"pytorch_model.bin", "which may run code when it is loaded"},
        {"pytorch_model.bin.index.json", "whose parts may run code when they are loaded"},
        {"tf_model.h5", "which is TensorFlow's"},
        {"flax_model.msgpack", "which is Flax's"},
        {"adapter_model.safetensors", "which only changes another model: merge it into that one (peft's merge_and_unload)"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (!exists(model_path, others[i].file)) continue;
        return sq_err_set(err, SQ_E_MODEL_FILE,
                          "%s: has %s, %s, and no model.safetensors: look for one in the model's pull requests on the hub, or load and save it "
                          "once with transformers (save_pretrained)", model_path, others[i].file, others[i].advice);
    }
    return sq_err_set(err, SQ_E_MODEL_FILE, "%s/%s: no such file: expected a complete Hugging Face folder", model_path, whole);
}

static int parse_file(struct sq_shards *shards, const char *model_path, struct sq_err *err)
{
    char path[PATH_BYTES];
    struct sq_buf text;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", model_path, index_file) >= sizeof path)
        return sq_err_set(err, SQ_E_MODEL_FILE, "the model's path is too long");
    sq_buf_init(&text);
    int status = sq_json_read_file(&text, path, SQ_SHARD_INDEX_BYTES_MAX, SQ_E_MODEL_FILE, err);
    if (status == 0) status = sq_shards_parse(shards, path, sq_buf_view(&text), err);
    sq_buf_deinit(&text);
    return status;
}

int sq_shards_open(struct sq_shards *shards, const char *model_path, struct sq_err *err)
{
    *shards = (struct sq_shards){0};
    if (!exists(model_path, whole) && exists(model_path, index_file)) return parse_file(shards, model_path, err);
    if (!exists(model_path, whole)) return explain_no_weights(model_path, err);
    int status = allocate(shards, err);
    if (status == 0) status = add(shards, whole, err);
    if (status < 0) sq_shards_close(shards);
    return status;
}
