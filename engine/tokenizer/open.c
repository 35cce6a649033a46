/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "engine/tokenizer/draft.h"
#include "engine/tokenizer/tokenizer.h"

static int read_json(struct sq_tokenizer_draft *draft, const char *path, struct sq_err *err)
{
    int status = sq_json_read_file(&draft->file, path, SQ_TOKENIZER_FILE_BYTES_MAX, SQ_E_MODEL_FILE, err);
    draft->source = "tokenizer.json";
    return status ? status : sq_draft_parse_json(draft, path, sq_buf_view(&draft->file), err);
}

int sq_tokenizer_open(struct sq_tokenizer **tokenizer, const char *model_dir, enum sq_normalise normalise, struct sq_err *err)
{
    struct sq_tokenizer_draft draft = {0};
    char path[SQ_DRAFT_PATH_BYTES];
    *tokenizer = NULL;
    int status = sq_draft_path(path, model_dir, "tokenizer.json", err);
    if (status) return status;
    bool is_json = access(path, F_OK) == 0;
    status = is_json ? read_json(&draft, path, err) : sq_draft_read_slow(&draft, model_dir, err);
    if (status == 0) {
        status = sq_tokenizer_build(tokenizer, &draft, normalise, err);
        if (status) sq_err_prefix(err, "%s/%s: ", model_dir, draft.source);
    }
    sq_draft_deinit(&draft);
    return status;
}
