/* SPDX-License-Identifier: Apache-2.0 */
/* Unicode's normalisation forms, with the tables of the Unicode version that Hugging Face's `tokenizers` froze: what came later
 * is left as it is. Steps of a normaliser. They allocate only where hundreds of combining characters follow each other, and
 * give it back. */
#ifndef SQ_ENGINE_TOKENIZER_NORMAL_FORMS_H
#define SQ_ENGINE_TOKENIZER_NORMAL_FORMS_H

#include "engine/tokenizer/normaliser.h"

void sq_normal_form_c(const struct sq_step *step, struct sq_str text, struct sq_normal_out *out);
void sq_normal_form_d(const struct sq_step *step, struct sq_str text, struct sq_normal_out *out);
void sq_normal_form_kc(const struct sq_step *step, struct sq_str text, struct sq_normal_out *out);
void sq_normal_form_kd(const struct sq_step *step, struct sq_str text, struct sq_normal_out *out);

#endif
