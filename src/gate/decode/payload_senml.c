// SenML in JSON (RFC 8428): base fields, resolved records, relative times. Pure functions, any thread.
#include "gate/decode/payload.h"

#include <math.h>

#define VERSION_MAX 10           // 4.1: bver of the RFC
#define RELATIVE_BELOW 268435456.0 // 2^28, 4.5.3
#define SECONDS_MAX 253402300799.0 // the year 9999

// Base fields in force (4.1).
struct base {
	struct str name, unit;
	double time, value, sum;
	bool has_value, has_sum;
};

struct record {
	struct senml rec;
	double time;
	unsigned values;  // value fields seen
	bool own;         // any field that is not a base field
};

static void wrong(struct senml *rec, enum reject why)
{
	if (rec->wrong < 0) {
		rec->wrong = (int)why;
	}
}

static double read_number(struct jr *r, struct senml *rec, enum reject why)
{
	double v = 0;
	if (jr_peek(r) == JR_NUMBER) {
		v = jr_f64_wide(r);
	} else {
		jr_skip(r);
		v = NAN;
	}
	if (!isfinite(v)) {
		wrong(rec, why);
		return 0;
	}
	return v;
}

static struct str read_text(struct jr *r, struct senml *rec)
{
	if (jr_peek(r) == JR_STRING) {
		return jr_str(r);
	}
	jr_skip(r);
	wrong(rec, REJECT_SYNTAX);
	return STR_EMPTY;
}

static bool read_base(struct jr *r, struct str key, struct base *b, struct senml *rec)
{
	if (str_is(key, "bn")) {
		b->name = read_text(r, rec);
	} else if (str_is(key, "bt")) {
		b->time = read_number(r, rec, REJECT_TIME);
	} else if (str_is(key, "bu")) {
		b->unit = read_text(r, rec);
	} else if (str_is(key, "bv")) {
		b->value = read_number(r, rec, REJECT_VALUE);
		b->has_value = true;
	} else if (str_is(key, "bs")) {
		b->sum = read_number(r, rec, REJECT_VALUE);
		b->has_sum = true;
	} else if (str_is(key, "bver")) {
		double version = read_number(r, rec, REJECT_SYNTAX);
		if (version > VERSION_MAX || version < 1) {
			jr_fail(r, "SenML version beyond 10");
		}
	} else {
		return false;
	}
	return true;
}

static void read_bool(struct jr *r, struct senml *rec)
{
	rec->has_bool = jr_peek(r) == JR_BOOL;
	if (rec->has_bool) {
		rec->bool_value = jr_bool(r);
	} else {
		jr_skip(r);
		wrong(rec, REJECT_VALUE);
	}
}

static bool read_value(struct jr *r, struct str key, struct record *rc)
{
	struct senml *rec = &rc->rec;
	if (str_is(key, "v")) {
		rec->value = read_number(r, rec, REJECT_VALUE);
		rec->has_value = true;
	} else if (str_is(key, "vb")) {
		read_bool(r, rec);
	} else if (str_is(key, "vs")) {
		rec->text = read_text(r, rec);
		rec->has_text = true;
	} else if (str_is(key, "vd")) {
		rec->text = read_text(r, rec);
		rec->has_data = true;
	} else {
		return false;
	}
	rc->values++;
	return true;
}

static void read_own(struct jr *r, struct str key, struct record *rc)
{
	struct senml *rec = &rc->rec;
	rc->own = true;
	if (str_is(key, "n")) {
		rec->name = read_text(r, rec);
	} else if (str_is(key, "u")) {
		rec->unit = read_text(r, rec);
	} else if (str_is(key, "t")) {
		rc->time = read_number(r, rec, REJECT_TIME);
	} else if (str_is(key, "s")) {
		rec->sum = read_number(r, rec, REJECT_VALUE);
		rec->has_sum = true;
	} else if (str_is(key, "ut")) {
		rec->update = read_number(r, rec, REJECT_TIME);
		rec->has_update = true;
	} else if (!read_value(r, key, rc)) {
		if (str_ends(key, STR("_"))) {
			jr_fail(r, "a SenML field that must be understood is not"); // 4.4
		}
		jr_skip(r);
	}
}

// 4.5.1: begins with a letter or digit, then also - : . / _
static bool name_valid(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!alnum && (i == 0 || !memchr("-:./_", c, 5))) {
			return false;
		}
	}
	return s.n > 0 && s.n <= LIMIT_POINT_NAME;
}

static void resolve(struct record *rc, const struct base *b, struct arena *arena)
{
	struct senml *rec = &rc->rec;
	if (!rec->name.n) {
		rec->name = b->name;
	} else if (b->name.n) {
		rec->name = arena_printf(arena, "%.*s%.*s", STR_FMT(b->name), STR_FMT(rec->name));
	}
	if (!rec->unit.n) {
		rec->unit = b->unit;
	}
	rec->time = b->time + rc->time;
	bool other = rec->has_bool || rec->has_text || rec->has_data;
	if (b->has_value && !other && rc->own && (rec->has_value || !rec->has_sum)) {
		rec->value += b->value;
		rec->has_value = true;
	}
	if (b->has_sum && (rec->has_sum || (rc->own && !rec->has_value && !other))) {
		rec->sum += b->sum;
		rec->has_sum = true;
	}
	rec->only_base = !rc->own;
	if (rec->only_base) {
		return;
	}
	if (!name_valid(rec->name)) {
		wrong(rec, rec->name.n > LIMIT_POINT_NAME ? REJECT_TOO_LARGE : REJECT_SYNTAX);
	}
	if (rc->values > 1) {
		wrong(rec, REJECT_SYNTAX); // 4.2: exactly one value field, or a sum
	}
	if ((!rec->has_value && !rec->has_sum && !other) || !isfinite(rec->value) || !isfinite(rec->sum)) {
		wrong(rec, REJECT_VALUE);
	}
}

bool senml_walk(struct str body, struct arena *arena, senml_record *each, void *owner, struct refusal *why)
{
	struct jr r;
	struct base base = { .name = STR_EMPTY, .unit = STR_EMPTY };
	unsigned n = 0;
	jr_init(&r, body, arena);
	for (jr_arr(&r); jr_more(&r);) {
		if (++n > LIMIT_READINGS_PER_MESSAGE) {
			return payload_too_many(&r, why);
		}
		struct record rc = { .rec = { .name = STR_EMPTY, .unit = STR_EMPTY, .text = STR_EMPTY, .wrong = -1 } };
		struct str key;
		for (jr_obj(&r); jr_key(&r, &key);) {
			if (!read_base(&r, key, &base, &rc.rec)) {
				read_own(&r, key, &rc);
			}
		}
		if (r.error) {
			break;
		}
		resolve(&rc, &base, arena);
		each(owner, &rc.rec);
	}
	return payload_end(&r, why);
}

bool senml_time(double seconds, int64_t now, int64_t *ret)
{
	if (!(fabs(seconds) <= SECONDS_MAX)) {
		return false;
	}
	int64_t us = (int64_t)floor(seconds * 1e6 + 0.5);
	*ret = seconds < RELATIVE_BELOW ? now + us : us;
	return true;
}

struct reader {
	const struct decode_sink *sink;
	int64_t now;
};

static void read_record(void *owner, const struct senml *rec)
{
	const struct reader *rd = owner;
	struct decoded d = { .name = rec->name, .alias = STR_EMPTY, .quality = Q_GOOD };
	if (rec->only_base) {
		return;
	}
	int bad = rec->wrong;
	if (bad < 0 && (rec->has_text || rec->has_data)) {
		bad = REJECT_UNSUPPORTED; // a reading is a number
	}
	if (bad < 0 && !senml_time(rec->time, rd->now, &d.time)) {
		bad = REJECT_TIME;
	}
	if (bad >= 0) {
		rd->sink->refuse(rd->sink->owner, (enum reject)bad, rec->name);
		return;
	}
	d.value = rec->has_bool ? rec->bool_value : rec->has_value ? rec->value : rec->sum;
	rd->sink->reading(rd->sink->owner, &d);
}

bool payload_senml(struct str body, struct arena *arena, int64_t now, const struct decode_sink *sink,
		   struct refusal *why)
{
	struct reader rd = { sink, now };
	return senml_walk(body, arena, read_record, &rd, why);
}
