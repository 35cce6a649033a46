/* SPDX-License-Identifier: Apache-2.0 */
/* A file of rule tests, as ops/docs/TUNING.md describes it. Times are event time from zero. */
#ifndef SQ_CLI_TEST_FILE_H
#define SQ_CLI_TEST_FILE_H

#include "proto/records.h"
#include "worker/io/yaml.h"

#define SQ_TEST_START_MS INT64_C(1767225600000) /* 2026-01-01T00:00:00Z stands for zero */

/* Records of one entity, one or a row of them. All strings are borrowed from the tree. */
struct sq_test_input {
    struct sq_str entity, label, author, text;
    int64_t from_ms, to_ms, every_ms; /* from zero; to exclusive */
    double share, score;              /* of the records that have the label; how sure the model was */
    unsigned authors, texts;          /* how many different ones take turns; 0: each record has its own */
    size_t line;
};

/* A transition that must come, or must not. */
struct sq_test_expectation {
    struct sq_str rule, entity, severity, reason; /* empty: any */
    int state;                                    /* enum sq_alert_state; -1: any */
    int64_t from_ms, to_ms;                       /* both allowed; the whole test where nothing is said */
    size_t line;
};

struct sq_test_case {
    struct sq_str name;
    size_t line;
    struct sq_test_input *inputs;
    struct sq_test_expectation *expected, *never;
    unsigned inputs_count, expected_count, never_count;
};

struct sq_test_file {
    const char *path;           /* borrowed */
    struct sq_yaml *root;
    struct sq_str config;       /* relative to the file; empty: defaults */
    struct sq_test_case *cases;
    unsigned cases_count;
};

/* SQ_E_CONFIG: the message names file, line and column. On failure there is nothing to close. `path` stays the caller's and is kept. */
int sq_test_file_parse(struct sq_test_file *file, const char *path, struct sq_str text, struct sq_err *err);
int sq_test_file_open(struct sq_test_file *file, const char *path, struct sq_err *err);
void sq_test_file_close(struct sq_test_file *file);

/* "3d20m", for people. */
void sq_test_time_format(int64_t ms, char out[48]);

#endif
