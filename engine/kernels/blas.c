/* SPDX-License-Identifier: Apache-2.0 */
#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kernels/rungs.h"

/* OpenBLAS adds to what is in its output, so the bias is put there first. */
static void start_rows(float *out, size_t stride, size_t rows, const float *bias, size_t outputs, enum sq_linear_mode mode)
{
    for (size_t row = 0; row < rows; row++, out += stride) {
        if (mode == SQ_LINEAR_SET) memcpy(out, bias, outputs * sizeof *out);
        else for (size_t i = 0; i < outputs; i++) out[i] += bias[i];
    }
}

void sq_blas_apply(const struct sq_linear *linear, size_t first, size_t outputs, float *out, size_t out_stride, const float *in,
                   size_t in_stride, size_t rows, enum sq_linear_mode mode)
{
    blasint inputs = (blasint)linear->inputs;
    const float *weight = (const float *)linear->weight + first * linear->inputs;
    start_rows(out, out_stride, rows, linear->bias + first, outputs, mode);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)rows, (blasint)outputs, inputs, 1.0f, in, (blasint)in_stride, weight, inputs,
                1.0f, out, (blasint)out_stride);
}

const struct sq_rung sq_rung_fp32_blas = {.name = "fp32", .group = 1};

/* The flavour without threads gives wrong results, silently, when several threads call it: its buffer allocator has no lock
 * (OpenMathLib/OpenBLAS#2711). Hosts choose the flavour by a link, so it is checked at run time. */
int sq_blas_init(struct sq_err *err)
{
    if (openblas_get_parallel() == 0)
        return sq_err_set(err, SQ_E_FAILED,
                          "this host's OpenBLAS is the single-threaded build, which is wrong when several threads call it: install the "
                          "pthread build (Debian: libopenblas0-pthread) and choose it with update-alternatives");
    openblas_set_num_threads(1);
    if (openblas_get_num_threads() == 1) return 0;
    return sq_err_set(err, SQ_E_FAILED, "OpenBLAS can't be held to one thread a call; it says it is '%s'", openblas_get_config());
}

unsigned sq_blas_threads_max(void)
{
    const char *bound = strstr(openblas_get_config(), "MAX_THREADS=");
    long threads = bound ? strtol(bound + strlen("MAX_THREADS="), NULL, 10) : 0;
    return threads > 0 ? (unsigned)threads : 16;
}
