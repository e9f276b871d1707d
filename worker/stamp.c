/*
 * Times of listings (see stamp.h). Runs in the worker; localtime_r() reads no file, because main()
 * called tzset() before the cage closed (DECISIONS 6).
 */
#include "worker/stamp.h"

#include "worker/text.h"

#include <time.h>

enum { HALF_A_YEAR_S = 31556952 / 2, SECONDS_OF_MINUTE = 60 };

/* Floor division: times before 1970 are negative. */
static int64_t
divide_down(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

static struct tm
break_down(const struct stamp *stamp, int64_t time_s)
{
	struct tm parts = { 0 };
	time_t seconds = (time_t)time_s;
	if (stamp->local)
		localtime_r(&seconds, &parts);
	else
		gmtime_r(&seconds, &parts);
	return parts;
}

/* From nanoseconds since 1970 a year has four digits: 1677 to 2262. */
static uint64_t
year_of(const struct tm *parts)
{
	return (uint64_t)parts->tm_year + 1900;
}

static void
keep_list_minute(struct stamp *stamp, int64_t time_s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm parts = break_down(stamp, time_s);
	char *at = text_put(stamp->text, bytes_of(months + (size_t)parts.tm_mon * 3, 3));
	*at++ = ' ';
	at = text_put_padded(at, (uint64_t)parts.tm_mday, 2);
	*at++ = ' ';
	bool to_come = time_s > stamp->now_s + SECONDS_OF_MINUTE; /* not: written while we list */
	if (to_come || time_s < stamp->now_s - HALF_A_YEAR_S) {
		at = text_put_padded(at, year_of(&parts), 5);
	} else {
		at = text_put_digits(at, (uint64_t)parts.tm_hour, 2);
		*at++ = ':';
		at = text_put_digits(at, (uint64_t)parts.tm_min, 2);
	}
	stamp->length = (size_t)(at - stamp->text);
}

char *
stamp_put_list(struct stamp *stamp, char *at, int64_t time_ns)
{
	int64_t time_s = divide_down(time_ns, 1000000000);
	int64_t minute = divide_down(time_s, SECONDS_OF_MINUTE);
	if (stamp->length == 0 || stamp->minute != minute) {
		stamp->minute = minute;
		keep_list_minute(stamp, time_s);
	}
	return text_put(at, bytes_of(stamp->text, stamp->length));
}

static void
keep_fact_minute(struct stamp *stamp, int64_t time_s)
{
	struct tm parts = break_down(stamp, time_s);
	char *at = text_put_digits(stamp->text, year_of(&parts), 4);
	at = text_put_digits(at, (uint64_t)parts.tm_mon + 1, 2);
	at = text_put_digits(at, (uint64_t)parts.tm_mday, 2);
	at = text_put_digits(at, (uint64_t)parts.tm_hour, 2);
	at = text_put_digits(at, (uint64_t)parts.tm_min, 2);
	stamp->length = (size_t)(at - stamp->text);
}

char *
stamp_put_fact(struct stamp *stamp, char *at, int64_t time_ns)
{
	int64_t time_s = divide_down(time_ns, 1000000000);
	int64_t minute = divide_down(time_s, SECONDS_OF_MINUTE);
	if (stamp->length == 0 || stamp->minute != minute) {
		stamp->minute = minute;
		keep_fact_minute(stamp, time_s);
	}
	at = text_put(at, bytes_of(stamp->text, stamp->length));
	at = text_put_digits(at, (uint64_t)(time_s - minute * SECONDS_OF_MINUTE), 2);
	int64_t milliseconds = (time_ns - time_s * 1000000000) / 1000000;
	if (milliseconds == 0)
		return at;
	*at++ = '.';
	return text_put_digits(at, (uint64_t)milliseconds, 3);
}
