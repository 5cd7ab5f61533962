// An HJ 212 packet as JSON: fields by their names in the standard, CP as an object. See decoders.h.
#include "gate/decode/decoders.h"

// Parts of CP that are codes even when they look like numbers.
static bool is_code(struct str name)
{
	static const char *const ends[] = { "-Flag", "-EFlag", "-Info", "-SN" };
	static const char *const names[] = { "QN", "PolId", "NewPW", "PW", "MN", "SN", "InfoId" };
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		if (str_ends(name, str_of(ends[i]))) {
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (str_is(name, names[i])) {
			return true;
		}
	}
	return false;
}

static void put_value(struct jw *w, struct str name, struct str value)
{
	char text[TIME_TEXT_MAX];
	int64_t us;
	double v;
	bool measured = memchr(name.p, '-', name.n) != NULL;
	if (!value.n) {
		jw_null(w);
	} else if (is_code(name)) {
		jw_str(w, value);
	} else if (str_ends(name, STR("Time")) && (value.n == 14 || value.n == 17)) {
		bool real = time_parse_local(value, ZONE_CHINA_MIN, &us);
		jw_str(w, real ? str_from(text, time_text_zone(us, ZONE_CHINA_MIN, text)) : value);
	} else if (measured ? decode_number(value, &v) : str_to_f64(value, &v)) {
		jw_f64(w, v);
	} else {
		jw_str(w, value);
	}
}

static size_t count_name(struct str cp, struct str name)
{
	struct hj212_pair pair = { 0 };
	size_t n = 0;
	while (hj212_next(&cp, &pair)) {
		n += str_eq(pair.name, name);
	}
	return n;
}

// A name that occurs several times becomes one array.
static void put_repeated(struct jw *w, struct str cp, struct str name)
{
	struct hj212_pair pair = { 0 };
	jw_arr(w);
	while (hj212_next(&cp, &pair)) {
		if (str_eq(pair.name, name)) {
			put_value(w, pair.name, pair.value);
		}
	}
	jw_end(w);
}

static void put_cp(struct jw *w, struct str cp)
{
	struct str rest = cp;
	struct hj212_pair pair = { 0 };
	jw_kobj(w, "CP");
	for (size_t at = 0; hj212_next(&rest, &pair); at = cp.n - rest.n) {
		if (count_name(str_first(cp, at), pair.name)) {
			continue; // already in the array
		}
		jw_key_str(w, pair.name);
		if (count_name(rest, pair.name)) {
			put_repeated(w, cp, pair.name);
		} else {
			put_value(w, pair.name, pair.value);
		}
	}
	jw_end(w);
}

bool print_hj212(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why)
{
	(void)arena, (void)now;
	struct hj212 m;
	if (!hj212_decode(frame, &m, why)) {
		return false;
	}
	if (m.qn.n) {
		jw_kstr(w, "QN", m.qn);
		print_time(w, "QN_time", m.qn_time);
	}
	jw_ki64(w, "ST", m.st);
	jw_ki64(w, "CN", m.cn);
	jw_kstr(w, "PW", m.pw);
	jw_kstr(w, "MN", m.mn);
	if (m.flag >= 0) {
		jw_ki64(w, "Flag", m.flag);
	}
	if (m.pnum || m.pno) {
		jw_ki64(w, "PNUM", m.pnum);
		jw_ki64(w, "PNO", m.pno);
	}
	put_cp(w, m.cp);
	return true;
}
