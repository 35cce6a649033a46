/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/core/identity.h"

/* vectors_sip64 of the reference implementation: the input 00 01 .. n-1 under the key 00 01 .. 0f. */
static void agrees_with_the_published_vectors(void **state)
{
    (void)state;
    static const struct {
        size_t bytes;
        uint64_t hash;
    } vectors[] = {{0, 0x726fdb47dd0e0e31u}, {1, 0x74f839c593dc67fdu}, {15, 0xa129ca6149be45e5u}};
    unsigned char input[15];
    for (unsigned char i = 0; i < sizeof input; i++) input[i] = i;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct sq_siphash hash;
        sq_siphash_init(&hash);
        sq_siphash_take(&hash, input, vectors[i].bytes);
        assert_true(sq_siphash_end(&hash) == vectors[i].hash);
    }
}

/* These stand in ops/docs/DETECTION.md; they were computed by another program. */
static void ids_never_change(void **state)
{
    (void)state;
    uint64_t acme = sq_identity_fingerprint(SQ_STR("squall"), SQ_STR("NegativeSpike"), SQ_STR("acme"));
    assert_true(acme == 0x08040fb6b45baee2u);
    assert_true(sq_identity_alert(acme, 1767225600000) == 0x2922b7d1104eb241u);
    assert_true(sq_identity_alert(acme, 1767225659999) == 0x2922b7d1104eb241u);
    assert_true(sq_identity_alert(acme, 1767225660000) != 0x2922b7d1104eb241u);
    assert_true(sq_identity_fingerprint(SQ_STR("squall"), SQ_STR("NegativeSpike"), SQ_STR("\xc3\xa9")) == 0xbdcabf7ac45b33ddu);
}

static void parts_are_told_apart(void **state)
{
    (void)state;
    assert_true(sq_identity_fingerprint(SQ_STR("a"), SQ_STR("bc"), SQ_STR("d")) == 0xb0702b69c56ef13eu);
    assert_true(sq_identity_fingerprint(SQ_STR("ab"), SQ_STR("c"), SQ_STR("d")) == 0x74c7605f71679fbfu);
}

static void the_rules_digest_follows_the_rules(void **state)
{
    (void)state;
    struct sq_rule rule = {.name = "a", .label = "negative", .windows_ms = {900000}, .windows_count = 1, .budget_per_entity_week = 1};
    struct sq_time_rules time = {60000, 30000, 60000, 600000};
    uint64_t digest = sq_identity_rules(&rule, 1, &time);
    assert_true(digest == sq_identity_rules(&rule, 1, &time));
    rule.budget_per_entity_week = 0.2;
    assert_true(digest != sq_identity_rules(&rule, 1, &time));
    rule.budget_per_entity_week = 1;
    rule.entities_count = 1;
    assert_true(digest != sq_identity_rules(&rule, 1, &time));
    rule.entities_count = 0;
    time.bucket_ms = 300000;
    assert_true(digest != sq_identity_rules(&rule, 1, &time));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_published_vectors),
        cmocka_unit_test(ids_never_change),
        cmocka_unit_test(parts_are_told_apart),
        cmocka_unit_test(the_rules_digest_follows_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
