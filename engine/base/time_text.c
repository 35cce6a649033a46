/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/time_text.h"

#include <stdio.h>

#define DAY_MS INT64_C(86400000)

/* Days since 1970-01-01 and back, counting years from March so that the leap day comes last: a year is then 153 days per five months, and
 * 400 years are 146097 days whatever the start. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    if (month <= 2) year--;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void date_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    *month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

void sq_time_text_format(int64_t ms, char out[SQ_TIME_TEXT_BYTES])
{
    if (ms < SQ_TIME_MS_MIN) ms = SQ_TIME_MS_MIN;
    if (ms > SQ_TIME_MS_MAX) ms = SQ_TIME_MS_MAX;
    int64_t days = ms / DAY_MS - (ms % DAY_MS < 0);
    int in_day = (int)(ms - days * DAY_MS);
    int64_t year, month, day;
    date_from_days(days, &year, &month, &day);
    int bytes = snprintf(out, SQ_TIME_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d", (int)year, (int)month, (int)day, in_day / 3600000,
                         in_day / 60000 % 60, in_day / 1000 % 60);
    size_t room = SQ_TIME_TEXT_BYTES - (size_t)bytes;
    if (in_day % 1000) snprintf(out + bytes, room, ".%03dZ", in_day % 1000);
    else snprintf(out + bytes, room, "Z");
}

/* A cursor that only moves past what was asked for. */
struct cursor {
    const char *at, *end;
};

static bool take_any(struct cursor *cursor, const char *wanted)
{
    if (cursor->at == cursor->end || !*cursor->at || !strchr(wanted, *cursor->at)) return false;
    cursor->at++;
    return true;
}

static bool take_digits(struct cursor *cursor, int digits, int min, int max, int *number)
{
    *number = 0;
    for (int i = 0; i < digits; i++) {
        if (cursor->at == cursor->end || *cursor->at < '0' || *cursor->at > '9') return false;
        *number = *number * 10 + (*cursor->at++ - '0');
    }
    return *number >= min && *number <= max;
}

static bool take_date(struct cursor *cursor, int64_t *days)
{
    static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;
    if (!take_digits(cursor, 4, 1, 9999, &year) || !take_any(cursor, "-")) return false;
    if (!take_digits(cursor, 2, 1, 12, &month) || !take_any(cursor, "-")) return false;
    if (!take_digits(cursor, 2, 1, month_days[month - 1], &day)) return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month == 2 && day == 29 && !leap) return false;
    *days = days_from_date(year, month, day);
    return true;
}

static bool take_time(struct cursor *cursor, int *ms)
{
    int hour, minute, second, thousandths = 0;
    if (!take_digits(cursor, 2, 0, 23, &hour) || !take_any(cursor, ":")) return false;
    if (!take_digits(cursor, 2, 0, 59, &minute) || !take_any(cursor, ":")) return false;
    if (!take_digits(cursor, 2, 0, 60, &second)) return false;
    if (take_any(cursor, ".")) {
        const char *first = cursor->at;
        int weight = 100, digit;
        while (take_digits(cursor, 1, 0, 9, &digit)) {
            thousandths += digit * weight;
            weight /= 10;
        }
        if (cursor->at == first) return false;
    }
    *ms = ((hour * 60 + minute) * 60 + second) * 1000 + thousandths;
    return true;
}

static bool take_zone(struct cursor *cursor, int *ms)
{
    *ms = 0;
    if (take_any(cursor, "Zz")) return true;
    int sign = cursor->at < cursor->end && *cursor->at == '-' ? -1 : 1;
    int hour, minute;
    if (!take_any(cursor, "+-") || !take_digits(cursor, 2, 0, 23, &hour)) return false;
    if (!take_any(cursor, ":") || !take_digits(cursor, 2, 0, 59, &minute)) return false;
    *ms = sign * (hour * 60 + minute) * 60000;
    return true;
}

bool sq_time_text_parse(struct sq_str text, int64_t *ms)
{
    struct cursor cursor = {text.data, text.data + text.bytes};
    int64_t days;
    int in_day, zone;
    if (text.bytes == 0 || !take_date(&cursor, &days) || !take_any(&cursor, "Tt ")) return false;
    if (!take_time(&cursor, &in_day) || !take_zone(&cursor, &zone) || cursor.at != cursor.end) return false;
    *ms = days * DAY_MS + in_day - zone;
    return true;
}
