/* SPDX-License-Identifier: Apache-2.0 */
/* A library to be preloaded: the process dies when it lower-cases a skull. For texts that kill the encoder, which the real one
 * doesn't know any of. */
#include <stdint.h>
#include <stdlib.h>

int32_t utf8proc_tolower(int32_t code_point); /* in place of the library's */

int32_t utf8proc_tolower(int32_t code_point)
{
    if (code_point == 0x1F480) abort();
    return code_point;
}
