/* SPDX-License-Identifier: Apache-2.0 */
/* The web page's files, put into the binary by worker/io/embed.cmake from worker/io/page/. */
#ifndef SQ_IO_PAGE_H
#define SQ_IO_PAGE_H

#include <stddef.h>

struct sq_page_file {
    const char *path; /* "/", "/page.js", ... */
    const char *type;
    const unsigned char *data;
    size_t bytes;
};

extern const struct sq_page_file sq_page_files[];
extern const size_t sq_page_files_count;

#endif
