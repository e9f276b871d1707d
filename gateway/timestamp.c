/*
 * Moments (see timestamp.h). Runs in the gateway; the texts are the client's. gmtime_r() reads no
 * file, because main() called tzset() before the cage closed (DECISIONS 6).
 */
#include "gateway/timestamp.h"

#include "ipc/base/ends.h"
#include "ipc/base/number.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

enum {
	NS_OF_SECOND = 1000000000,
	DIGITS_OF_NS = 9,
	MOMENT_BYTES = TIMESTAMP_BYTES - 1,
	YEAR_FIRST = 1900, /* of struct tm */
	SECONDS_MAX = 60,  /* with a leap second */
};

/* Takes so many digits from *text. */
static bool
take_number(struct bytes *text, size_t digits, int *result)
{
	uint64_t number;
	if (text->length < digits ||
		number_parse(bytes_of(text->data, digits), INT32_MAX, &number) < 0)
		return false;
	*text = bytes_of(text->data + digits, text->length - digits);
	*result = (int)number;
	return true;
}

/* "" or "." and digits. */
static bool
take_fraction(struct bytes text, int64_t *fraction_ns)
{
	int64_t result = 0;
	if (text.length == 1 || (text.length > 0 && text.data[0] != '.'))
		return false;
	for (size_t i = 1; i < text.length || i <= DIGITS_OF_NS; i++) {
		int digit = i < text.length ? text.data[i] : '0';
		if (digit < '0' || digit > '9')
			return false;
		if (i <= DIGITS_OF_NS)
			result = result * 10 + (digit - '0');
	}
	*fraction_ns = result;
	return true;
}

/* A day that is in no calendar comes out of timegm() as another one. */
static bool
find_minute(const struct tm *parts, time_t *seconds)
{
	struct tm found = *parts;
	*seconds = timegm(&found);
	return found.tm_year == parts->tm_year && found.tm_mon == parts->tm_mon &&
	       found.tm_mday == parts->tm_mday && found.tm_hour == parts->tm_hour &&
	       found.tm_min == parts->tm_min;
}

int
timestamp_parse(struct bytes text, int64_t *time_ns)
{
	struct tm parts = { 0 };
	int second;
	int64_t fraction_ns, result;
	time_t seconds;
	bool is_good =
		take_number(&text, 4, &parts.tm_year) && take_number(&text, 2, &parts.tm_mon) &&
		take_number(&text, 2, &parts.tm_mday) && take_number(&text, 2, &parts.tm_hour) &&
		take_number(&text, 2, &parts.tm_min) && take_number(&text, 2, &second) &&
		second <= SECONDS_MAX && take_fraction(text, &fraction_ns);
	parts.tm_year -= YEAR_FIRST;
	parts.tm_mon -= 1;
	if (!is_good || !find_minute(&parts, &seconds))
		return -EINVAL;
	if (__builtin_mul_overflow((int64_t)seconds + second, NS_OF_SECOND, &result) ||
		__builtin_add_overflow(result, fraction_ns, &result))
		return -ERANGE;
	*time_ns = result;
	return 0;
}

const char *
timestamp_text(int64_t time_ns, char text[TIMESTAMP_BYTES])
{
	time_t seconds = (time_t)(time_ns / NS_OF_SECOND - (time_ns % NS_OF_SECOND < 0 ? 1 : 0));
	struct tm parts;
	/* Nanoseconds of 64 bits lie between 1677 and 2262: a year has four digits. */
	ensure(gmtime_r(&seconds, &parts) != NULL);
	ensure(strftime(text, TIMESTAMP_BYTES, "%Y%m%d%H%M%S", &parts) == MOMENT_BYTES);
	return text;
}
