/* SPDX-License-Identifier: Apache-2.0 */
/* Tweet normalisation, before anything else sees the text. In this order: `&amp; &lt; &gt; &quot; &#39;` become the characters
 * they stand for (once: `&amp;lt;` is `&lt;`), `@` followed by word characters becomes `@user`, and `http://` or `https://` up to
 * the next white space becomes `http`. */
#ifndef SQ_ENGINE_TOKENIZER_TWEET_H
#define SQ_ENGINE_TOKENIZER_TWEET_H

#include "engine/base/str.h"

/* The most bytes text_bytes can grow to: `@a` becomes `@user`. */
static inline size_t sq_tweet_bytes_max(size_t text_bytes) { return text_bytes / 2 * 5 + text_bytes % 2; }

/* Writes the normalised form of a valid text to out, which has room for sq_tweet_bytes_max; returns its bytes. */
size_t sq_tweet_normalise(struct sq_str text, char *out);

#endif
