/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SQ_PRECISION_TEXTS_H
#define SQ_PRECISION_TEXTS_H

enum { SQ_PRECISION_TEXTS = 200 };

extern const char *const sq_precision_texts[SQ_PRECISION_TEXTS]; /* valid UTF-8 */

#endif
