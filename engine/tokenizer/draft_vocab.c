/* SPDX-License-Identifier: Apache-2.0 */
/* vocab.txt of BERT and its kin: an entry a line, whose number is its id. never_split is not used, as the fast tokenizers don't. */
#include <inttypes.h>

#include "engine/base/utf8.h"
#include "engine/tokenizer/chars.h"
#include "engine/tokenizer/draft_slow.h"

#define FAIL(...) sq_err_set(err, SQ_E_MODEL_FILE, __VA_ARGS__)

/* Without white space at its end. */
static struct sq_str trim_end(struct sq_str line)
{
    while (line.bytes > 0) {
        const unsigned char *last = (const unsigned char *)line.data + line.bytes - 1;
        while ((*last & 0xc0) == 0x80) last--;
        size_t bytes = (size_t)(last - (const unsigned char *)line.data);
        if (!sq_chars_is_space(sq_chars_next(&last))) break;
        line.bytes = bytes;
    }
    return line;
}

static int read_lines(struct sq_tokenizer_draft *draft, const char *path, struct sq_err *err)
{
    struct sq_str rest = sq_buf_view(&draft->file);
    size_t lines_max = 1;
    for (size_t i = 0; i < rest.bytes; i++) lines_max += rest.data[i] == '\n';
    int status = sq_draft_reserve_entries(draft, lines_max, err);
    if (status) return sq_err_prefix(err, "%s: ", path);
    for (int64_t id = 0; rest.bytes > 0; id++) {
        const char *newline = memchr(rest.data, '\n', rest.bytes);
        struct sq_str line = {rest.data, newline ? (size_t)(newline - rest.data) : rest.bytes};
        if (sq_utf8_valid_bytes(line) != line.bytes) return FAIL("%s:%" PRId64 ": not valid UTF-8", path, id + 1);
        status = sq_draft_add_entry(draft, trim_end(line), id, err);
        if (status) return sq_err_prefix(err, "%s:%" PRId64 ": ", path, id + 1);
        size_t step = line.bytes + (newline ? 1 : 0);
        rest = (struct sq_str){rest.data + step, rest.bytes - step};
    }
    return 0;
}

static int read_flags(struct sq_tokenizer_draft *draft, const json_t *config, const struct sq_slow_tokens *tokens,
                      struct sq_err *err)
{
    struct sq_step *step = &draft->steps[draft->steps_count++];
    *step = (struct sq_step){.kind = sq_step_kind_find("BertNormalizer"), .clean = true};
    draft->split = SQ_SPLIT_BERT;
    draft->model = SQ_MODEL_WORDPIECE;
    draft->unknown = tokens->names[SQ_SLOW_unk];
    draft->chars_max = 100;
    draft->prefix = SQ_STR("##");
    int status = sq_json_get_bool(config, "do_lower_case", true, &step->lower, SQ_E_MODEL_FILE, err);
    if (status == 0) status = sq_json_get_bool(config, "strip_accents", step->lower, &step->strip, SQ_E_MODEL_FILE, err);
    if (status == 0) status = sq_json_get_bool(config, "tokenize_chinese_chars", true, &step->chinese, SQ_E_MODEL_FILE, err);
    return status ? sq_err_prefix(err, "%s", "tokenizer_config.json: ") : 0;
}

int sq_draft_read_vocab(struct sq_tokenizer_draft *draft, const char *model_dir, const struct sq_slow_tokens *tokens,
                        struct sq_err *err)
{
    char path[SQ_DRAFT_PATH_BYTES];
    int status = sq_draft_path(path, model_dir, "vocab.txt", err);
    if (status == 0) status = sq_json_read_file(&draft->file, path, SQ_TOKENIZER_FILE_BYTES_MAX, SQ_E_MODEL_FILE, err);
    if (status == 0) status = read_lines(draft, path, err);
    return status ? status : read_flags(draft, draft->root, tokens, err);
}
