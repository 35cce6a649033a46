/* SPDX-License-Identifier: Apache-2.0 */
/* The words that set an alert's texts apart from what was said before.
 *
 * Before: of the matching texts of a partition so far, how many hold a word, counted by the word's hash in a small table that forgets by
 * halves. Words that share a cell look more common than they are, so that at worst a word is not shown. The alert's texts: the examples kept for
 * its longest window. Words are compared by their log-odds ratio with a Dirichlet prior of what was common before, over its standard deviation
 * (Monroe, Colaresi and Quinn, "Fightin' Words", Political Analysis 16, 2008). Not part of any decision; part of the saved state, since it shows in
 * alerts. One thread. */
#ifndef SQ_CORE_TERMS_H
#define SQ_CORE_TERMS_H

#include "proto/records.h"
#include "worker/core/bytes.h"

enum { SQ_TERMS_CELLS = 1024, SQ_TERMS_TEXTS_MAX = 4096 };

struct sq_terms {
    uint16_t cells[SQ_TERMS_CELLS]; /* texts that hold a word of the cell */
    uint32_t texts;
};

/* Notes a text's words, each once. */
void sq_terms_take(struct sq_terms *terms, struct sq_str text);

/* Up to SQ_ALERT_TERMS_MAX words that at least two of the texts hold and that stand out by two deviations, strongest first; not the entity's
 * own name. The words are views into the texts. Returns how many. */
unsigned sq_terms_list(const struct sq_terms *terms, const struct sq_str *texts, unsigned texts_count, struct sq_str entity,
                       struct sq_alert_term out[SQ_ALERT_TERMS_MAX]);

void sq_terms_put(struct sq_buf *out, const struct sq_terms *terms);
void sq_terms_take_saved(struct sq_bytes *bytes, struct sq_terms *terms);

#endif
