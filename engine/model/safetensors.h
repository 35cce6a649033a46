/* SPDX-License-Identifier: Apache-2.0 */
/* Reads safetensors files (https://github.com/huggingface/safetensors, "Format"): eight bytes of header length, a JSON header that
 * says where each tensor lies, the tensors.
 *
 * Everything the header says is checked when the file is opened, so that what comes after trusts it. Tensors are read with pread, never
 * mapped: a file that shrinks under a map is SIGBUS. */
#ifndef SQ_MODEL_SAFETENSORS_H
#define SQ_MODEL_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/str.h"

enum {
    SQ_SAFETENSORS_HEADER_BYTES_MAX = 8 * 1024 * 1024,
    SQ_SAFETENSORS_TENSORS_MAX = 16384,
    SQ_SAFETENSORS_NAME_BYTES_MAX = 256,
    SQ_SAFETENSORS_RANK_MAX = 8,
};

struct sq_dtype; /* a row of the table of element types */

struct sq_tensor {
    char *name; /* owned */
    const struct sq_dtype *dtype;
    unsigned rank;
    uint64_t shape[SQ_SAFETENSORS_RANK_MAX];
    uint64_t begin, end; /* bytes, from the first byte after the header */
};

struct sq_safetensors {
    char *path;               /* owned; for errors */
    int file;                 /* descriptor; -1 when only a header was parsed */
    uint64_t data_offset;     /* of the first byte after the header, in the file */
    struct sq_tensor *tensors; /* by `begin`; owned */
    size_t tensors_count;
};

/* Opens and checks. SQ_E_MODEL_FILE with the file and what is wrong with it; nothing is left behind then. */
int sq_safetensors_open(struct sq_safetensors *safetensors, const char *path, struct sq_err *err);

/* The header alone, for a file whose tensors take data_bytes: what open does after reading. `path` stands in errors. */
int sq_safetensors_parse(struct sq_safetensors *safetensors, const char *path, struct sq_str header, uint64_t data_bytes,
                         struct sq_err *err);
void sq_safetensors_close(struct sq_safetensors *safetensors);

/* NULL when there is none of that name. */
const struct sq_tensor *sq_safetensors_find(const struct sq_safetensors *safetensors, const char *name);

uint64_t sq_tensor_values_count(const struct sq_tensor *tensor);
const char *sq_tensor_dtype_name(const struct sq_tensor *tensor);

/* Reads the whole tensor into values (room for sq_tensor_values_count), F32, F16 and BF16 made fp32. Other types, values that are not
 * finite and files that end early are errors. Blocks for the reading. */
int sq_safetensors_read(const struct sq_safetensors *safetensors, const struct sq_tensor *tensor, float *values, struct sq_err *err);

/* The same, but F16 and BF16 stay in their 16 bits. */
int sq_safetensors_read_kept(const struct sq_safetensors *safetensors, const struct sq_tensor *tensor, void *values, struct sq_err *err);

#endif
