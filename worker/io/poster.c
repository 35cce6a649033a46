/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/poster.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct sq_poster {
    CURL *curl;
    const atomic_bool *stop;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode global_status;

/* Never undone: other threads of the process may use the library as well. */
static void init_library(void) { global_status = curl_global_init(CURL_GLOBAL_DEFAULT); }

/* What receivers answer is not read: the status says it all. */
static size_t ignore(char *data, size_t item_bytes, size_t items, void *ctx)
{
    (void)data;
    (void)ctx;
    return item_bytes * items;
}

static int on_progress(void *ctx, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
    (void)down_all, (void)down, (void)up_all, (void)up;
    return atomic_load((const atomic_bool *)ctx);
}

static void set_options(struct sq_poster *poster)
{
    CURL *curl = poster->curl;
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)SQ_POST_TIMEOUT_MS / 2);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)SQ_POST_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "squall/" SQUALL_VERSION);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, poster->stop);
}

int sq_poster_open(struct sq_poster **out, const atomic_bool *stop, struct sq_err *err)
{
    *out = NULL;
    pthread_once(&once, init_library);
    struct sq_poster *poster = calloc(1, sizeof *poster);
    if (poster && global_status == CURLE_OK) poster->curl = curl_easy_init();
    if (!poster || !poster->curl) {
        free(poster);
        return sq_err_set(err, SQ_E_FAILED, "libcurl would not start");
    }
    poster->stop = stop;
    set_options(poster);
    *out = poster;
    return 0;
}

void sq_poster_close(struct sq_poster *poster)
{
    if (!poster) return;
    curl_easy_cleanup(poster->curl);
    free(poster);
}

static void read_answer(CURL *curl, CURLcode code, struct sq_post_answer *answer)
{
    long status = 0;
    curl_off_t retry_after_s = 0;
    if (code != CURLE_OK) {
        snprintf(answer->why, sizeof answer->why, "%s", curl_easy_strerror(code));
        return;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after_s);
    answer->status = (int)status;
    if (retry_after_s > 0) answer->retry_after_ms = (int64_t)retry_after_s * 1000;
    if (status < 200 || status > 299) snprintf(answer->why, sizeof answer->why, "the receiver answered %ld", status);
}

void sq_poster_send(struct sq_poster *poster, const struct sq_post *post, struct sq_post_answer *answer)
{
    *answer = (struct sq_post_answer){.retry_after_ms = -1};
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:"); /* no round trip of its own for a body of a few kilobytes */
    for (unsigned i = 0; i < SQ_POST_HEADERS_MAX && post->headers[i]; i++) {
        struct curl_slist *longer = curl_slist_append(headers, post->headers[i]);
        if (longer) headers = longer;
    }
    curl_easy_setopt(poster->curl, CURLOPT_URL, post->url);
    curl_easy_setopt(poster->curl, CURLOPT_POSTFIELDS, post->body.data);
    curl_easy_setopt(poster->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.bytes);
    curl_easy_setopt(poster->curl, CURLOPT_HTTPHEADER, headers);
    read_answer(poster->curl, curl_easy_perform(poster->curl), answer);
    curl_easy_setopt(poster->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
}
