/* SPDX-License-Identifier: ISC */
/* RFC 1123 and RFC 3339 dates. */

#include "prim/date.h"

#include <string.h>

#include "prim/base.h"
#include "prim/octet.h"

#define SECOND_MS   1000
#define DAY_S       86400
#define YEAR_FIRST  1970
#define YEAR_LAST   9999
#define DAYS_OF_ERA 146097 /* 400 Gregorian years */

struct moment {
	int year, month, day; /* month and day from 1 */
	int hour, minute, second, ms;
	int offset_min; /* what the zone is ahead of UTC */
};

static const char *const MONTHS[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
/* 1 January 1970 was a Thursday. */
static const char *const WEEKDAYS[] = { "Thu", "Fri", "Sat", "Sun", "Mon",
	"Tue", "Wed" };

/*
 * Arithmetic. Years are counted from March, so that a leap day is the last of
 * its year and the month lengths follow 153/5.
 */

static int64_t days_of(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = y / 400;
	int64_t of_era = y % 400;
	int64_t of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	return era * DAYS_OF_ERA + of_era * 365 + of_era / 4 - of_era / 100 +
	    of_year - 719468;
}

/* `days` is not negative. */
static void day_from(int64_t days, struct moment *out)
{
	int64_t z = days + 719468;
	int64_t of_era = z % DAYS_OF_ERA;
	int64_t years =
	    (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
	int64_t month = (5 * of_year + 2) / 153;

	out->day = (int)(of_year - (153 * month + 2) / 5 + 1);
	out->month = (int)(month < 10 ? month + 3 : month - 9);
	out->year = (int)(years + z / DAYS_OF_ERA * 400 +
	    (out->month <= 2 ? 1 : 0));
}

static const int MONTH_DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
	31 };

static int days_in(int year, int month)
{
	bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return MONTH_DAYS[month - 1] + (month == 2 && is_leap);
}

/* A leap second is the one after 59. */
static bool moment_to_ms(const struct moment *m, int64_t *out_ms)
{
	int64_t s, last = (days_of(YEAR_LAST + 1, 1, 1) * DAY_S) - 1;

	if (m->year < YEAR_FIRST || m->year > YEAR_LAST || m->month < 1 ||
	    m->month > 12 || m->day < 1 ||
	    m->day > days_in(m->year, m->month) || m->hour > 23 ||
	    m->minute > 59 || m->second > 60)
		return false;
	s = days_of(m->year, m->month, m->day) * DAY_S;
	s += (int64_t)m->hour * 3600 + (int64_t)m->minute * 60 + m->second;
	s -= (int64_t)m->offset_min * 60;
	if (s < 0 || s > last)
		return false;
	*out_ms = s * SECOND_MS + m->ms;
	return true;
}

static struct moment moment_from(int64_t ms)
{
	int64_t last = days_of(YEAR_LAST + 1, 1, 1) * DAY_S * SECOND_MS - 1;
	struct moment m = { 0 };
	int64_t s;

	if (ms < 0)
		ms = 0;
	if (ms > last)
		ms = last;
	s = ms / SECOND_MS;
	day_from(s / DAY_S, &m);
	m.hour = (int)(s % DAY_S / 3600);
	m.minute = (int)(s % 3600 / 60);
	m.second = (int)(s % 60);
	m.ms = (int)(ms % SECOND_MS);
	return m;
}

/*
 * Reading. Each of these takes something off the front of `s`.
 */

static bool take_digits(struct prim_slice *s, size_t count, int *out_value)
{
	int value = 0;

	if (s->len < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!prim_octet_is_digit(s->ptr[i]))
			return false;
		value = value * 10 + (s->ptr[i] - '0');
	}
	*s = prim_slice_from(*s, count);
	*out_value = value;
	return true;
}

static bool take_char(struct prim_slice *s, char c)
{
	if (s->len == 0 || s->ptr[0] != c)
		return false;
	*s = prim_slice_from(*s, 1);
	return true;
}

static void skip_spaces(struct prim_slice *s)
{
	while (take_char(s, ' '))
		continue;
}

/* "-0500" or, with `colon`, "-05:00". */
static bool take_offset(struct prim_slice *s, bool colon, int *out_min)
{
	bool is_west = s->len && s->ptr[0] == '-';
	int hours, minutes;

	if (!is_west && !(s->len && s->ptr[0] == '+'))
		return false;
	*s = prim_slice_from(*s, 1);
	if (!take_digits(s, 2, &hours) || (colon && !take_char(s, ':')) ||
	    !take_digits(s, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*out_min = (hours * 60 + minutes) * (is_west ? -1 : 1);
	return true;
}

/* ERR-110: what it says is not looked at. False if letters stand there that no
 * comma ends. */
static bool take_weekday(struct prim_slice *s)
{
	size_t len = 0;

	while (len < s->len && prim_octet_is_alpha(s->ptr[len]))
		len++;
	*s = prim_slice_from(*s, len);
	skip_spaces(s);
	return len == 0 || take_char(s, ',');
}

static bool take_month(struct prim_slice *s, int *out_month)
{
	struct prim_slice name = prim_slice_make(s->ptr, 3);

	if (s->len < 3)
		return false;
	for (size_t i = 0; i < PRIM_COUNT(MONTHS); i++) {
		if (prim_slice_eq_nocase(name, prim_slice_of(MONTHS[i]))) {
			*s = prim_slice_from(*s, 3);
			*out_month = (int)i + 1;
			return true;
		}
	}
	return false;
}

/* All of them are +0000. */
static const char *const ZONES[] = { "GMT", "UTC", "UT", "Z" };

static bool take_zone_1123(struct prim_slice *s, int *out_min)
{
	if (take_offset(s, false, out_min))
		return true;
	for (size_t i = 0; i < PRIM_COUNT(ZONES); i++) {
		if (prim_slice_eq_nocase(*s, prim_slice_of(ZONES[i]))) {
			*s = PRIM_SLICE_NONE;
			*out_min = 0;
			return true;
		}
	}
	return false;
}

static bool take_time_1123(struct prim_slice *s, struct moment *m)
{
	if (!take_digits(s, 2, &m->hour))
		return false;
	skip_spaces(s);
	if (!take_char(s, ':'))
		return false;
	skip_spaces(s);
	if (!take_digits(s, 2, &m->minute))
		return false;
	skip_spaces(s);
	m->second = 0;
	if (!take_char(s, ':'))
		return true;
	skip_spaces(s);
	return take_digits(s, 2, &m->second);
}

bool prim_date_parse_1123(struct prim_slice s, int64_t *out_ms)
{
	struct moment m = { 0 };

	skip_spaces(&s);
	if (!take_weekday(&s))
		return false;
	skip_spaces(&s);
	if (!take_digits(&s, 2, &m.day) && !take_digits(&s, 1, &m.day))
		return false;
	skip_spaces(&s);
	if (!take_month(&s, &m.month))
		return false;
	skip_spaces(&s);
	if (!take_digits(&s, 4, &m.year))
		return false;
	skip_spaces(&s);
	if (!take_time_1123(&s, &m))
		return false;
	skip_spaces(&s);
	while (s.len && s.ptr[s.len - 1] == ' ')
		s.len--;
	return take_zone_1123(&s, &m.offset_min) && s.len == 0 &&
	    moment_to_ms(&m, out_ms);
}

void prim_date_put_1123(struct prim_buf *b, int64_t ms)
{
	struct moment m = moment_from(ms);
	int64_t days = days_of(m.year, m.month, m.day);

	prim_buf_putf(b, "%s, %02d %s %04d %02d:%02d:%02d +0000",
	    WEEKDAYS[days % 7], m.day, MONTHS[m.month - 1], m.year, m.hour,
	    m.minute, m.second);
}

/* ".25" is 250; what is finer is cut. No dot is no fraction. */
static bool take_fraction(struct prim_slice *s, int *out_ms)
{
	int weight = 100;

	*out_ms = 0;
	if (!take_char(s, '.'))
		return true;
	if (s->len == 0 || !prim_octet_is_digit(s->ptr[0]))
		return false;
	while (s->len && prim_octet_is_digit(s->ptr[0])) {
		*out_ms += (s->ptr[0] - '0') * weight;
		weight /= 10;
		*s = prim_slice_from(*s, 1);
	}
	return true;
}

static bool take_zone_3339(struct prim_slice *s, int *out_min)
{
	if (take_char(s, 'Z') || take_char(s, 'z')) {
		*out_min = 0;
		return true;
	}
	return take_offset(s, true, out_min);
}

bool prim_date_parse_3339(struct prim_slice s, int64_t *out_ms)
{
	struct moment m = { 0 };

	if (!take_digits(&s, 4, &m.year) || !take_char(&s, '-') ||
	    !take_digits(&s, 2, &m.month) || !take_char(&s, '-') ||
	    !take_digits(&s, 2, &m.day))
		return false;
	if (!take_char(&s, 'T') && !take_char(&s, 't'))
		return false;
	if (!take_digits(&s, 2, &m.hour) || !take_char(&s, ':') ||
	    !take_digits(&s, 2, &m.minute) || !take_char(&s, ':') ||
	    !take_digits(&s, 2, &m.second) || !take_fraction(&s, &m.ms))
		return false;
	return take_zone_3339(&s, &m.offset_min) && s.len == 0 &&
	    moment_to_ms(&m, out_ms);
}

void prim_date_put_3339(struct prim_buf *b, int64_t ms)
{
	struct moment m = moment_from(ms);

	prim_buf_putf(b, "%04d-%02d-%02dT%02d:%02d:%02d", m.year, m.month,
	    m.day, m.hour, m.minute, m.second);
	if (m.ms)
		prim_buf_putf(b, ".%03d", m.ms);
	prim_buf_putc(b, 'Z');
}
