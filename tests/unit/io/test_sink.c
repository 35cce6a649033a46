/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "worker/io/sink.h"

static void strings_live_until_the_batch_is_cleared(void **state)
{
    (void)state;
    struct sq_batch batch;
    struct sq_str copies[400];
    char text[3000];
    sq_batch_init(&batch);
    for (int i = 0; i < 400; i++) { /* more than one chunk */
        memset(text, 'a' + i % 26, sizeof text);
        assert_true(sq_batch_copy(&batch, (struct sq_str){text, sizeof text}, &copies[i]));
    }
    for (int i = 0; i < 400; i++) {
        assert_int_equal(copies[i].bytes, sizeof text);
        assert_int_equal(copies[i].data[0], 'a' + i % 26);
        assert_int_equal(copies[i].data[sizeof text - 1], 'a' + i % 26);
    }
    sq_batch_clear(&batch);
    assert_int_equal(batch.outputs_count, 0);
    sq_batch_deinit(&batch);
}

static void null_stays_null_and_empty_stays_empty(void **state)
{
    (void)state;
    struct sq_batch batch;
    struct sq_str copy;
    sq_batch_init(&batch);
    assert_true(sq_batch_copy(&batch, (struct sq_str){0}, &copy));
    assert_null(copy.data);
    assert_true(sq_batch_copy(&batch, SQ_STR(""), &copy));
    assert_non_null(copy.data);
    assert_int_equal(copy.bytes, 0);
    sq_batch_deinit(&batch);
}

static void larger_pieces_than_a_chunk_fit(void **state)
{
    (void)state;
    struct sq_batch batch;
    sq_batch_init(&batch);
    unsigned char *large = sq_batch_alloc(&batch, 3 * SQ_BATCH_CHUNK_BYTES);
    assert_non_null(large);
    memset(large, 1, 3 * SQ_BATCH_CHUNK_BYTES);
    assert_non_null(sq_batch_alloc(&batch, 100));
    sq_batch_deinit(&batch);
}

static void outputs_start_unacknowledged_and_are_accounted(void **state)
{
    (void)state;
    struct sq_batch batch;
    const struct sq_header header = {SQ_STR("name"), SQ_STR("value")};
    sq_batch_init(&batch);
    for (int i = 0; i < 1000; i++) {
        struct sq_output *output = sq_batch_add(&batch);
        assert_non_null(output);
        assert_int_equal(output->status, SQ_E_TIMEOUT);
        assert_int_equal(output->partition, -1);
        output->key = SQ_STR("key");
        output->value = SQ_STR("1234567");
        output->headers = &header;
        output->headers_count = 1;
        sq_batch_account(&batch, output);
    }
    assert_int_equal(batch.outputs_count, 1000);
    assert_int_equal(batch.bytes, 1000 * (3 + 7 + 4 + 5));
    assert_true(batch.opened_ns > 0);
    sq_batch_clear(&batch);
    assert_int_equal(batch.opened_ns, 0);
    sq_batch_deinit(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_live_until_the_batch_is_cleared),
        cmocka_unit_test(null_stays_null_and_empty_stays_empty),
        cmocka_unit_test(larger_pieces_than_a_chunk_fit),
        cmocka_unit_test(outputs_start_unacknowledged_and_are_accounted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
