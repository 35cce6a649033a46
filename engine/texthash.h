/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes that travel in score records. Both are part of the record format: the same text must give the same hash in every version. */
#ifndef SQ_ENGINE_TEXTHASH_H
#define SQ_ENGINE_TEXTHASH_H

#include <stdint.h>

#include "engine/base/str.h"

/* XXH64 (seed 0) over the text made comparable: NFKC, lower case; URLs, @names, a leading "RT", punctuation, symbols and digits
 * dropped; white space folded; first 200 code points. 0 for fewer than four words, which are honestly common (where a script has no
 * spaces, two characters count as a word), and for invalid UTF-8. Thread-safe; works in a fixed buffer on the stack. */
uint64_t sq_text_hash(struct sq_str text);

/* For near-copies: a 64-bit simhash (Charikar, STOC 2002) over the runs of three words of the same comparable text, each hashed by XXH64 of its
 * words' XXH64 over their code points, little-endian. Texts that share most runs differ in few bits, others in about 32. 0 as for
 * sq_text_hash. Thread-safe. */
uint64_t sq_text_simhash(struct sq_str text);

/* XXH64 (seed 0) of an author's name as given; 0 for none. */
uint64_t sq_author_hash(struct sq_str author);

#endif
