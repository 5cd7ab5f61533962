// The plain array of readings that the HTTP and MQTT contract describes. The hot path of the whole gate: nothing is
// allocated but for strings with escapes. The form that devices really send is read without the general reader, which
// decides about everything else, mistakes included; both give the same readings (tests/fuzz/fuzz_payload_json.c holds
// one against the other). Pure functions, any thread.
#include "gate/decode/payload.h"

#include <math.h>

#define MS_MAX 253402300799999.0 // 9999-12-31T23:59:59.999Z

static const struct complaint TOO_MANY = { REJECT_TOO_LARGE, "一条报文的读数过多",
	"too many readings in one message" };

// One object while it is read.
struct item {
	struct str point;
	struct decoded d;
	bool has_time, has_value, is_null;
	int wrong;   // enum reject of the first thing wrong with it, -1: nothing
};

static void item_wrong(struct item *it, enum reject why)
{
	if (it->wrong < 0) {
		it->wrong = (int)why;
	}
}

bool payload_time_ms(double ms, int64_t *ret)
{
	if (!(ms >= 0 && ms <= MS_MAX)) {
		return false;
	}
	*ret = (int64_t)(ms * 1000 + 0.5);
	return true;
}

static void read_time(struct jr *r, struct item *it)
{
	bool ok = false;
	enum jr_type type = jr_peek(r);
	if (type == JR_STRING) {
		ok = time_parse(jr_str(r), &it->d.time);
	} else if (type == JR_NUMBER) {
		ok = payload_time_ms(jr_f64_wide(r), &it->d.time);
	} else {
		jr_skip(r);
	}
	it->has_time = true;
	if (!ok) {
		item_wrong(it, REJECT_TIME);
	}
}

static void read_value(struct jr *r, struct item *it)
{
	enum jr_type type = jr_peek(r);
	it->has_value = type == JR_NUMBER || type == JR_BOOL;
	it->is_null = type == JR_NULL;
	if (type == JR_NUMBER) {
		it->d.value = jr_f64_wide(r);
	} else if (type == JR_BOOL) {
		it->d.value = jr_bool(r);
	} else {
		jr_skip(r);
	}
	if ((!it->has_value && !it->is_null) || !isfinite(it->d.value)) {
		item_wrong(it, REJECT_VALUE);
	}
}

bool payload_quality(struct str name, enum quality *ret)
{
	for (int q = 0; q < Q__MAX; q++) {
		if (str_is(name, quality_name((enum quality)q))) {
			*ret = (enum quality)q;
			return true;
		}
	}
	return false;
}

static void read_quality(struct jr *r, struct item *it)
{
	enum jr_type type = jr_peek(r);
	if (type == JR_NULL) {
		jr_null(r);
	} else if (type != JR_STRING) {
		jr_skip(r);
		item_wrong(it, REJECT_SYNTAX);
	} else if (!payload_quality(jr_str(r), &it->d.quality)) {
		item_wrong(it, REJECT_SYNTAX);
	}
}

static void read_point(struct jr *r, struct item *it)
{
	if (jr_peek(r) == JR_STRING) {
		it->point = jr_str(r);
	} else {
		jr_skip(r);
	}
}

static void emit(const struct item *it, const struct decode_sink *sink)
{
	if (it->wrong >= 0) {
		sink->refuse(sink->owner, (enum reject)it->wrong, it->point);
	} else if (!it->point.n) {
		sink->refuse(sink->owner, REJECT_SYNTAX, it->point);
	} else if (!it->has_time) {
		sink->refuse(sink->owner, REJECT_TIME, it->point);
	} else if (!it->has_value && !(it->is_null && it->d.quality == Q_BAD)) {
		sink->refuse(sink->owner, REJECT_VALUE, it->point);
	} else {
		struct decoded d = it->d;
		d.name = it->point;
		sink->reading(sink->owner, &d);
	}
}

static void read_item(struct jr *r, const struct decode_sink *sink)
{
	struct item it = { .point = STR_EMPTY, .d.alias = STR_EMPTY, .wrong = -1 };
	struct str key;
	for (jr_obj(r); jr_key(r, &key);) {
		if (str_is(key, "point")) {
			read_point(r, &it);
		} else if (str_is(key, "time")) {
			read_time(r, &it);
		} else if (str_is(key, "value")) {
			read_value(r, &it);
		} else if (str_is(key, "quality")) {
			read_quality(r, &it);
		} else {
			jr_skip(r);
		}
	}
	if (!r->error) {
		emit(&it, sink);
	}
}

// ---- the usual form of an object: point, time, value in this order, no escapes, no text beyond ASCII ----

// Over the literal and the blanks behind it; NULL (and NULL stays NULL) if it is not what stands at p.
static inline const char *over(const char *p, const char *end, const char *literal)
{
	size_t n = strlen(literal);
	if (!p || (size_t)(end - p) < n || memcmp(p, literal, n) != 0) {
		return NULL;
	}
	for (p += n; p < end && *p == ' ';) {
		p++;
	}
	return p;
}

struct usual {
	struct decoded d;
	struct str time;  // text of d.time with its quotes: the readings of a message mostly share it
};

// "time" in quotes at p; the byte behind it, NULL: not one.
static inline const char *read_usual_time(const char *p, const char *end, struct usual *u)
{
	if (u->time.n && (size_t)(end - p) >= u->time.n && memcmp(p, u->time.p, u->time.n) == 0) {
		return p + u->time.n;
	}
	const char *behind = p < end && *p == '"' ? time_scan(p + 1, end, &u->d.time) : NULL;
	if (!behind || behind == end || *behind != '"') {
		u->time = STR_EMPTY;
		return NULL;
	}
	u->time = str_from(p, (size_t)(behind + 1 - p));
	return behind + 1;
}

// {"point": "…", "time": "…", "value": number} at the front of in, with or without blanks behind colons and commas.
// Fills name, time and value of u->d and returns the length, or 0: let the general reader see what it is.
static size_t read_usual(struct str in, struct usual *u)
{
	const char *end = in.p + in.n, *p = over(over(in.p, end, ""), end, "{\"point\":");
	if (!p || p == end || *p != '"') {
		return 0;
	}
	const char *name = p + 1;
	p = jr_plain_run(name, end);
	u->d.name = str_from(name, (size_t)(p - name));
	p = over(p, end, "\",");
	p = over(p, end, "\"time\":");
	if (!p || !(p = read_usual_time(p, end, u))) {
		return 0;
	}
	p = over(p, end, ",");
	p = over(p, end, "\"value\":");
	if (!p || !(p = f64_scan(p, end, &u->d.value)) || p == end || *p != '}') {
		return 0;
	}
	return u->d.name.n && isfinite(u->d.value) ? (size_t)(p + 1 - in.p) : 0;
}

bool payload_end(struct jr *r, struct refusal *why)
{
	if (jr_end(r)) {
		return true;
	}
	return refuse_at(why, REJECT_SYNTAX, jr_offset(r), "不是合法的 JSON 读数", r->error);
}

bool payload_too_many_at(size_t offset, struct refusal *why)
{
	return refuse_as(why, &TOO_MANY, offset);
}

bool payload_too_many(struct jr *r, struct refusal *why)
{
	return payload_too_many_at(jr_offset(r), why);
}

bool payload_json(struct str body, struct arena *arena, const struct decode_sink *sink, struct refusal *why)
{
	struct jr r;
	jr_init(&r, body, arena);
	if (jr_peek(&r) == JR_OBJECT) {
		read_item(&r, sink);
		return payload_end(&r, why);
	}
	unsigned n = 0;
	struct usual usual = { .d.alias = STR_EMPTY };
	for (jr_arr(&r); jr_more(&r);) {
		if (++n > LIMIT_READINGS_PER_MESSAGE) {
			return payload_too_many(&r, why);
		}
		size_t read = read_usual(jr_rest(&r), &usual);
		if (read) {
			jr_pass(&r, read);
			sink->reading(sink->owner, &usual.d);
		} else {
			read_item(&r, sink);
		}
	}
	return payload_end(&r, why);
}
