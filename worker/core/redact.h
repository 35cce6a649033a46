/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that leave the record they came in (excerpts in scores and alerts) are stripped of what names people, and cut. */
#ifndef SQ_CORE_REDACT_H
#define SQ_CORE_REDACT_H

#include <stddef.h>

#include "engine/base/buf.h"

/* Kinds to hide, as bits. */
enum {
    SQ_REDACT_EMAIL = 1,  /* a@b.example -> [email] */
    SQ_REDACT_URL = 2,    /* scheme://... and www.... up to white space or a quote -> [url] */
    SQ_REDACT_DIGITS = 4, /* four or more digits, with at most two of blank . - / ( ) between any two -> [digits] */
    SQ_REDACT_HANDLE = 8, /* @name -> [handle] */
};

enum { SQ_EXCERPT_CHARS_MAX = 1000 };

struct sq_redact_rules {
    bool examples;      /* false: no excerpts at all */
    unsigned chars_max; /* code points, the "…" included; 1 to SQ_EXCERPT_CHARS_MAX */
    unsigned redact;    /* SQ_REDACT_* */
};

/* Appends the redacted start of `text` to out: white space folded to single blanks, invisible characters dropped, cut to chars_max code
 * points, with "…" as the last one where something was cut. A replacement such as [email] is never cut in two. Text that is not valid
 * UTF-8 is taken up to its first bad byte. Nothing is appended when !examples. Pure; linear in text.bytes. */
void sq_redact_append(const struct sq_redact_rules *rules, struct sq_str text, struct sq_buf *out);

#endif
