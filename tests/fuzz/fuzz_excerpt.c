/* SPDX-License-Identifier: Apache-2.0 */
/* What alerts show of texts. The first byte says what to hide, the second where to cut; NUL bytes part the rest into texts. An excerpt is valid
 * UTF-8 on one line, within its length; terms are words of the excerpts; and time stays linear. */
#include <stdint.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/utf8.h"
#include "tests/fuzz/require.h"
#include "worker/core/redact.h"
#include "worker/core/terms.h"

enum {
    TEXT_BYTES_MAX = 1 << 16,
    TEXTS_MAX = 8,
    NS_START = 200000000, /* a sanitizer and a busy machine are allowed for */
    NS_A_BYTE = 20000,
};

static void check_excerpt(const struct sq_redact_rules *rules, struct sq_str excerpt)
{
    size_t chars = 0;
    REQUIRE(sq_utf8_valid_bytes(excerpt) == excerpt.bytes);
    for (size_t i = 0; i < excerpt.bytes; i++) {
        REQUIRE((unsigned char)excerpt.data[i] >= ' ');
        chars += (excerpt.data[i] & 0xc0) != 0x80;
    }
    REQUIRE(chars <= rules->chars_max);
}

static void check_terms(const struct sq_str *texts, unsigned count)
{
    struct sq_terms terms = {0};
    struct sq_alert_term found[SQ_ALERT_TERMS_MAX];
    for (unsigned i = 0; i < count; i++) sq_terms_take(&terms, texts[i]);
    unsigned found_count = sq_terms_list(&terms, texts, count, SQ_STR("acme"), found);
    REQUIRE(found_count <= SQ_ALERT_TERMS_MAX && terms.texts <= SQ_TERMS_TEXTS_MAX);
    for (unsigned i = 0; i < found_count; i++) {
        bool is_within = false;
        for (unsigned j = 0; j < count && !is_within; j++)
            is_within = texts[j].data && found[i].term.data >= texts[j].data && found[i].term.data + found[i].term.bytes <= texts[j].data + texts[j].bytes;
        REQUIRE(is_within && found[i].term.bytes > 0 && found[i].texts >= 2 && found[i].texts <= count);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct sq_buf excerpts[TEXTS_MAX] = {{0}};
    struct sq_str views[TEXTS_MAX];
    unsigned count = 0;
    if (bytes < 2 || bytes - 2 > TEXT_BYTES_MAX) return 0;
    const struct sq_redact_rules rules = {.examples = true, .chars_max = 1 + 4u * (data[1] % 250), .redact = data[0] & 15};
    const char *at = (const char *)data + 2, *end = (const char *)data + bytes;
    uint64_t start_ns = sq_clock_thread_cpu_ns();
    while (at <= end && count < TEXTS_MAX) {
        const char *nul = at < end ? memchr(at, 0, (size_t)(end - at)) : NULL;
        const char *text_end = nul ? nul : end;
        sq_redact_append(&rules, (struct sq_str){at, (size_t)(text_end - at)}, &excerpts[count]);
        views[count] = sq_buf_view(&excerpts[count]);
        check_excerpt(&rules, views[count++]);
        at = text_end + 1;
    }
    check_terms(views, count);
    REQUIRE(sq_clock_thread_cpu_ns() - start_ns < NS_START + NS_A_BYTE * bytes);
    while (count) sq_buf_deinit(&excerpts[--count]);
    return 0;
}
