/* SPDX-License-Identifier: Apache-2.0 */
#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kernels/kernels.h"

void sq_matmul(float *c, size_t c_stride, const float *a, size_t a_stride, const float *w, size_t m, size_t n, size_t k, float beta)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)m, (blasint)n, (blasint)k, 1.0f, a, (blasint)a_stride, w, (blasint)k,
                beta, c, (blasint)c_stride);
}

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
