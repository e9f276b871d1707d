/*
 * Times of listings (see stamp.h). Runs in the worker; localtime_r() reads no file, because the
 * set-up called tzset() before the cage closed (DECISIONS 6).
 */
#include "worker/stamp.h"

#include "worker/text.h"

#include <time.h>

enum {
	HALF_A_YEAR_S = 31556952 / 2,
	SECONDS_OF_MINUTE = 60,
	SECONDS_OF_HOUR = 3600,
	SECONDS_OF_DAY = 86400,
};

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

/* True if it is not the one that is kept. */
static bool
begins_period(struct stamp *stamp, int64_t period)
{
	bool begins = !stamp->is_kept || stamp->period != period;
	stamp->is_kept = true;
	stamp->period = period;
	return begins;
}

/* ---- as ls prints it ---- */

static void
keep_list_period(struct stamp *stamp, int64_t time_s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm parts = break_down(stamp, time_s);
	char *at = text_put(stamp->day, bytes_of(months + (size_t)parts.tm_mon * 3, 3));
	*at++ = ' ';
	text_put_padded(at, (uint64_t)parts.tm_mday, 2);
	text_put_padded(stamp->year, year_of(&parts), 5);
	stamp->local_hour = (unsigned)parts.tm_hour;
	stamp->local_minute = (unsigned)parts.tm_min;
}

char *
stamp_put_list(struct stamp *stamp, char *at, int64_t time_ns)
{
	int64_t time_s = divide_down(time_ns, 1000000000);
	int64_t day = divide_down(time_s, SECONDS_OF_DAY);
	if (begins_period(stamp, stamp->local ? divide_down(time_s, SECONDS_OF_MINUTE) : day))
		keep_list_period(stamp, time_s);
	at = text_put(at, bytes_of(stamp->day, sizeof("Nov 23") - 1));
	*at++ = ' ';
	bool to_come = time_s > stamp->now_s + SECONDS_OF_MINUTE; /* not: written while we list */
	if (to_come || time_s < stamp->now_s - HALF_A_YEAR_S)
		return text_put(at, bytes_of(stamp->year, sizeof(" 2019") - 1));
	uint64_t second = (uint64_t)(time_s - day * SECONDS_OF_DAY);
	uint64_t hour = second / SECONDS_OF_HOUR;
	uint64_t minute = second / SECONDS_OF_MINUTE % 60;
	at = text_put_two_digits(at, stamp->local ? stamp->local_hour : hour);
	*at++ = ':';
	return text_put_two_digits(at, stamp->local ? stamp->local_minute : minute);
}

/* ---- as a fact ---- */

static void
keep_fact_day(struct stamp *stamp, int64_t time_s)
{
	struct tm parts = break_down(stamp, time_s);
	char *at = text_put_digits(stamp->day, year_of(&parts), 4);
	at = text_put_two_digits(at, (uint64_t)parts.tm_mon + 1);
	text_put_two_digits(at, (uint64_t)parts.tm_mday);
}

char *
stamp_put_fact(struct stamp *stamp, char *at, int64_t time_ns)
{
	int64_t time_s = divide_down(time_ns, 1000000000);
	int64_t day = divide_down(time_s, SECONDS_OF_DAY);
	if (begins_period(stamp, day))
		keep_fact_day(stamp, time_s);
	at = text_put(at, bytes_of(stamp->day, sizeof("20191123") - 1));
	uint64_t second = (uint64_t)(time_s - day * SECONDS_OF_DAY);
	at = text_put_two_digits(at, second / SECONDS_OF_HOUR);
	at = text_put_two_digits(at, second / SECONDS_OF_MINUTE % 60);
	at = text_put_two_digits(at, second % 60);
	int64_t milliseconds = (time_ns % 1000000000 + 1000000000) % 1000000000 / 1000000;
	if (milliseconds == 0)
		return at;
	*at++ = '.';
	return text_put_digits(at, (uint64_t)milliseconds, 3);
}
