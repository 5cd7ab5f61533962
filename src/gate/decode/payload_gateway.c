// The gateway family of the data access specifications (数据接入规范) for chemical plants, mines and dust workshops:
// a plain or decrypted body with a list of items. Both sets of names are aliases:
//
//   body  gatewayCode gatewayId wgbm · enterpriseCode enterpriseId qybm · collectTime · isConnectDataSource ·
//   reportType
//         (report, continues) · dataType · the list: datas, rts, events or videos
//   item  point: pointCode quotaId tnm oname · value: pointValue value val abnormalValue avx · time: dataTime time ts
//   happenTime
//         statTime, else collectTime · isValid
//
// dataType 04 (or none) readings, 06 abnormal values, 05 statistics (point-Avg, point-Max, point-Min, optional);
// what a camera saw: videoCode and alarmType give the point videoCode.alarmType, an event; its picture is not kept.
// items of other types hold no readings and are refused one by one as unsupported. Pure functions, any thread.
#include "gate/decode/payload.h"

#include <math.h>

static const struct complaint ENCRYPTED = { REJECT_UNSUPPORTED, "报文已加密,应发送解密后的内容",
	"the body is encrypted: send it decrypted" };
static const struct complaint NO_LIST = { REJECT_SYNTAX, "缺少 datas 列表",
	"the list datas is missing" };

bool gateway_time(struct str s, int64_t *ret)
{
	return time_parse_local(s, ZONE_CHINA_MIN, ret) || time_parse(s, ret);
}

static bool one_of(struct str key, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (str_is(key, names[i])) {
			return true;
		}
	}
	return false;
}

static bool is_point_key(struct str key)
{
	static const char *const names[] = { "pointCode", "quotaId", "tnm", "oname" };
	return one_of(key, names, ARRAY_LEN(names));
}

static bool is_item_time_key(struct str key)
{
	static const char *const names[] = { "dataTime", "time", "ts", "happenTime", "statTime" };
	return one_of(key, names, ARRAY_LEN(names));
}

bool gateway_key_is_time(struct str key)
{
	return is_item_time_key(key) || str_ends(key, STR("Time"));
}

bool gateway_key_is_value(struct str key)
{
	static const char *const names[] = { "pointValue", "value",    "val",     "abnormalValue",
					     "avgValue",   "maxValue", "minValue", "avx" };
	return one_of(key, names, ARRAY_LEN(names));
}

// What the body says around its list.
struct body {
	struct str list;           // the list as text, to be read when the rest is known
	struct str data_type;
	int64_t collected;         // collectTime, INT64_MIN: none
	bool has_list, connected, history, envelope;
};

enum { VALUE_PLAIN, VALUE_AVG, VALUE_MAX, VALUE_MIN, VALUE__MAX };

struct item {
	struct str point, camera, seen; // seen: alarmType
	int64_t time;
	bool has_time, time_wrong, valid;
	double value[VALUE__MAX];
	bool has_value[VALUE__MAX], value_wrong;
};

static bool truth(struct jr *r, bool otherwise)
{
	switch (jr_peek(r)) {
	case JR_BOOL: return jr_bool(r);
	case JR_NUMBER: return jr_f64_wide(r) != 0;
	case JR_STRING: {
		struct str s = jr_str(r);
		return str_eq_nocase(s, STR("true")) || str_is(s, "1") ||
		       (otherwise && !str_eq_nocase(s, STR("false")) && !str_is(s, "0"));
	}
	case JR_NONE: case JR_NULL: case JR_OBJECT: case JR_ARRAY: break;
	}
	jr_skip(r);
	return otherwise;
}

// A code that some send as text and some as a number.
static struct str code(struct jr *r)
{
	if (jr_peek(r) == JR_STRING) {
		return jr_str(r);
	}
	struct str s = jr_skip(r);
	return str_is(s, "null") ? STR_EMPTY : s;
}

static void read_time(struct jr *r, struct item *it)
{
	enum jr_type type = jr_peek(r);
	if (type == JR_NULL) {
		jr_null(r);
	} else if (type == JR_NUMBER) {
		it->has_time = payload_time_ms(jr_f64_wide(r), &it->time);
		it->time_wrong = !it->has_time;
	} else if (type == JR_STRING) {
		struct str s = jr_str(r);
		it->has_time = gateway_time(s, &it->time);
		it->time_wrong = !it->has_time && s.n;
	} else {
		jr_skip(r);
		it->time_wrong = true;
	}
}

static void read_value(struct jr *r, struct item *it, unsigned which)
{
	double v = 0;
	bool ok = true;
	switch (jr_peek(r)) {
	case JR_NUMBER: v = jr_f64_wide(r); break;
	case JR_BOOL: v = jr_bool(r); break;
	case JR_STRING: ok = decode_number(jr_str(r), &v); break;
	case JR_NULL: jr_null(r); return;
	case JR_NONE: case JR_OBJECT: case JR_ARRAY: jr_skip(r); ok = false; break;
	}
	it->value[which] = v;
	it->has_value[which] = ok && isfinite(v);
	it->value_wrong |= !it->has_value[which];
}

static unsigned which_value(struct str key)
{
	return str_is(key, "avgValue")   ? VALUE_AVG
	       : str_is(key, "maxValue") ? VALUE_MAX
	       : str_is(key, "minValue") ? VALUE_MIN
					 : VALUE_PLAIN;
}

static void emit(const struct item *it, const struct body *b, struct arena *arena, const struct decode_sink *sink)
{
	static const char *const ends[VALUE__MAX] = { "", "-Avg", "-Max", "-Min" };
	struct decoded d = { .alias = STR_EMPTY,
			     .time = it->has_time ? it->time : b->collected,
			     .sent = b->collected == INT64_MIN ? 0 : b->collected,
			     .flags = b->history ? READING_HISTORY : 0 };
	d.quality = !it->valid ? Q_BAD : !b->connected ? Q_STALE : Q_GOOD;
	bool any = false;
	if (!it->point.n && !(it->camera.n && it->seen.n)) {
		sink->refuse(sink->owner, REJECT_SYNTAX, it->camera);
		return;
	}
	if (it->time_wrong || d.time == INT64_MIN) {
		sink->refuse(sink->owner, REJECT_TIME, it->point);
		return;
	}
	if (!it->point.n) {
		d.name = arena_printf(arena, "%.*s.%.*s", STR_FMT(it->camera), STR_FMT(it->seen));
		d.value = 1;
		sink->reading(sink->owner, &d);
		d.value = 0;
		d.time += PAYLOAD_EVENT_US;
		sink->reading(sink->owner, &d);
		return;
	}
	for (unsigned i = 0; i < VALUE__MAX; i++) {
		bool absent = i == VALUE_PLAIN && !it->valid; // a bad point need not say how much
		if (!it->has_value[i] && !absent) {
			continue;
		}
		d.value = it->has_value[i] ? it->value[i] : 0;
		d.name = i ? arena_printf(arena, "%.*s%s", STR_FMT(it->point), ends[i]) : it->point;
		d.optional = i != VALUE_PLAIN;
		sink->reading(sink->owner, &d);
		any = true;
	}
	if (!any || (it->value_wrong && it->valid)) {
		sink->refuse(sink->owner, REJECT_VALUE, it->point);
	}
}

static void read_item(struct jr *r, const struct body *b, const struct decode_sink *sink)
{
	struct item it = { .point = STR_EMPTY, .camera = STR_EMPTY, .seen = STR_EMPTY, .valid = true };
	struct str key;
	for (jr_obj(r); jr_key(r, &key);) {
		if (is_point_key(key)) {
			it.point = code(r);
		} else if (str_is(key, "videoCode")) {
			it.camera = code(r);
		} else if (str_is(key, "alarmType")) {
			it.seen = code(r);
		} else if (gateway_key_is_value(key)) {
			read_value(r, &it, which_value(key));
		} else if (is_item_time_key(key)) {
			read_time(r, &it);
		} else if (str_is(key, "isValid")) {
			it.valid = truth(r, true);
		} else {
			jr_skip(r);
		}
	}
	if (!r->error) {
		emit(&it, b, r->arena, sink);
	}
}

static bool has_readings(struct str type)
{
	return type.n == 0 || str_is(type, "04") || str_is(type, "05") || str_is(type, "06") || str_is(type, "4") ||
	       str_is(type, "5") || str_is(type, "6");
}

static void read_field(struct jr *r, struct str key, struct body *b)
{
	if (str_is(key, "datas") || str_is(key, "rts") || str_is(key, "events") || str_is(key, "videos")) {
		b->has_list = jr_peek(r) == JR_ARRAY;
		b->list = jr_skip(r);
	} else if (str_is(key, "collectTime")) {
		if (!gateway_time(code(r), &b->collected)) {
			b->collected = INT64_MIN;
		}
	} else if (str_is(key, "reportType")) {
		b->history = str_eq_nocase(code(r), STR("continues"));
	} else if (str_is(key, "isConnectDataSource")) {
		b->connected = truth(r, true);
	} else if (str_is(key, "dataType")) {
		b->data_type = code(r);
	} else {
		b->envelope |= str_is(key, "data") && jr_peek(r) == JR_STRING;
		jr_skip(r);
	}
}

static bool read_list(struct str whole, const struct body *b, struct arena *arena, const struct decode_sink *sink,
		      struct refusal *why)
{
	struct jr r;
	unsigned n = 0;
	bool readings = has_readings(b->data_type);
	jr_init(&r, b->list, arena);
	r.start = whole.p; // so that offsets count from the beginning of the body
	for (jr_arr(&r); jr_more(&r);) {
		if (++n > LIMIT_READINGS_PER_MESSAGE) {
			return payload_too_many(&r, why);
		}
		if (readings) {
			read_item(&r, b, sink);
		} else {
			jr_skip(&r);
			sink->refuse(sink->owner, REJECT_UNSUPPORTED, b->data_type);
		}
	}
	return payload_end(&r, why);
}

bool payload_gateway(struct str body, struct arena *arena, const struct decode_sink *sink, struct refusal *why)
{
	struct jr r;
	struct str key;
	struct body b = { .list = STR_EMPTY, .data_type = STR_EMPTY, .collected = INT64_MIN, .connected = true };
	jr_init(&r, body, arena);
	for (jr_obj(&r); jr_key(&r, &key);) {
		read_field(&r, key, &b);
	}
	if (!payload_end(&r, why)) {
		return false;
	}
	if (!b.has_list && b.envelope) {
		return refuse_as(why, &ENCRYPTED, 0);
	}
	if (!b.has_list) {
		return refuse_as(why, &NO_LIST, 0);
	}
	return read_list(body, &b, arena, sink, why);
}
