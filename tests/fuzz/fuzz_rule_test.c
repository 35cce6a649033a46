/* SPDX-License-Identifier: Apache-2.0 */
/* A file of rule tests: refused with a place, or cases that can be run. */
#include <stdint.h>
#include <string.h>

#include "tests/fuzz/require.h"
#include "worker/cli/test_file.h"

static void check_expectations(const struct sq_test_expectation *expectations, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        REQUIRE(expectations[i].from_ms >= 0 && expectations[i].from_ms <= expectations[i].to_ms && expectations[i].state >= -1);
}

static void check_case(const struct sq_test_case *test)
{
    REQUIRE(test->name.bytes > 0 && test->expected_count + test->never_count > 0);
    for (unsigned i = 0; i < test->inputs_count; i++) {
        const struct sq_test_input *input = &test->inputs[i];
        REQUIRE(input->entity.bytes > 0 && input->entity.bytes <= SQ_ENTITY_BYTES_MAX && (input->label.bytes || input->text.bytes));
        REQUIRE(input->every_ms > 0 && input->from_ms >= 0 && input->to_ms > input->from_ms);
        REQUIRE(input->share >= 0 && input->share <= 1 && input->score >= 0 && input->score <= 1);
    }
    check_expectations(test->expected, test->expected_count);
    check_expectations(test->never, test->never_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct sq_test_file file;
    struct sq_err err;
    int status = sq_test_file_parse(&file, "input", (struct sq_str){(const char *)data, bytes}, &err);
    if (status) {
        REQUIRE(status == SQ_E_CONFIG && strncmp(err.message, "input", 5) == 0);
        return 0;
    }
    REQUIRE(file.cases_count > 0);
    for (unsigned i = 0; i < file.cases_count; i++) check_case(&file.cases[i]);
    sq_test_file_close(&file);
    return 0;
}
