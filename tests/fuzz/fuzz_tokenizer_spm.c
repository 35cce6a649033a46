/* SPDX-License-Identifier: Apache-2.0 */
/* The input is a SentencePiece model. Whatever it holds, it is refused with a message or gives pieces that lie within it. */
#include <math.h>

#include "engine/tokenizer/charsmap.h"
#include "engine/tokenizer/spm.h"
#include "tests/fuzz/require.h"

enum { PIECES_MAX = 1000 };

static void require_within(struct sq_str part, struct sq_str whole)
{
    REQUIRE(part.bytes == 0 || (part.data >= whole.data && part.data + part.bytes <= whole.data + whole.bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct sq_charsmap charsmap;
    struct sq_str file = {(const char *)data, bytes};
    struct sq_err err = {0};
    struct sq_spm spm;
    int status = sq_spm_parse(&spm, file, PIECES_MAX, &err);
    if (status) {
        REQUIRE(err.code == status && err.message[0] && !spm.pieces);
        return 0;
    }
    REQUIRE(spm.pieces_count > 0 && spm.pieces_count <= PIECES_MAX);
    for (size_t i = 0; i < spm.pieces_count; i++) {
        require_within(spm.pieces[i].text, file);
        REQUIRE(isfinite(spm.pieces[i].score));
    }
    require_within(spm.charsmap, file);
    if (spm.charsmap.bytes) sq_charsmap_init(&charsmap, spm.charsmap, &err);
    sq_spm_deinit(&spm);
    return 0;
}
