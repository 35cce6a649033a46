/* SPDX-License-Identifier: Apache-2.0 */
/* The input is the body of POST /predict or /embed. It is refused with a status, a kind and a message, or is texts within the bound. */
#include "tests/fuzz/require.h"
#include "worker/pipeline/predict_json.h"

enum { TEXTS_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct sq_predict_query query;
    struct sq_predict_refusal refusal = {0};
    if (!sq_predict_parse(&query, (struct sq_str){(const char *)data, bytes}, TEXTS_MAX, &refusal)) {
        REQUIRE(refusal.status >= 400 && refusal.status < 500 && refusal.type && refusal.message[0]);
        return 0;
    }
    REQUIRE(query.texts_count >= 1 && query.texts_count <= TEXTS_MAX && (!query.is_single || query.texts_count == 1));
    size_t sum_bytes = 0;
    for (size_t i = 0; i < query.texts_count; i++) {
        struct sq_str text = sq_predict_text(&query, i);
        for (size_t at = 0; at < text.bytes; at++) sum_bytes += text.data[at] != '\0';
    }
    REQUIRE(sum_bytes <= bytes);
    sq_predict_query_deinit(&query);
    return 0;
}
