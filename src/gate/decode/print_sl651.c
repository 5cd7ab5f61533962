// An SL 651 frame as JSON: the standard's terms in English snake case. See decoders.h.
#include "gate/decode/decoders.h"
#include "gate/decode/sl651.h"

#include "base/cursor.h"

static const char *end_name(uint8_t end)
{
	switch (end) {
	case SL651_ETX: return "ETX";
	case SL651_ETB: return "ETB";
	case SL651_ENQ: return "ENQ";
	case SL651_ACK: return "ACK";
	case SL651_NAK: return "NAK";
	case SL651_EOT: return "EOT";
	case SL651_ESC: return "ESC";
	default: return NULL;
	}
}

static void put_state(struct jw *w, enum sl651_state state, double v)
{
	if (state == SL651_VALID) {
		jw_f64(w, v);
	} else {
		jw_null(w);
	}
}

static void put_list(struct jw *w, const struct sl651_element *el, int64_t observed)
{
	double v;
	int64_t time;
	jw_karr(w, "values");
	for (unsigned i = 0; i < 12; i++) {
		enum sl651_state state = sl651_twelfth(el, i, observed, &v, &time);
		put_state(w, state, v);
	}
	jw_end(w);
	sl651_twelfth(el, 0, observed, &v, &time);
	print_time(w, "first_time", time);
	sl651_twelfth(el, 11, observed, &v, &time);
	print_time(w, "last_time", time);
}

static void put_status(struct jw *w, const struct sl651_element *el)
{
	struct cursor c = cursor_of(el->data);
	uint32_t bits = take_be32(&c);
	jw_ki64(w, "value", bits);
	jw_karr(w, "status_bits");
	for (unsigned bit = 0; sl651_status_name(bit); bit++) {
		if (bits >> bit & 1) {
			jw_cstr(w, sl651_status_name(bit));
		}
	}
	jw_end(w);
}

static void station_text(struct str five, char ret[10])
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < 10; i++) {
		ret[i] = i / 2 < five.n ? digits[i % 2 ? five.p[i / 2] & 15 : (uint8_t)five.p[i / 2] >> 4] : '0';
	}
}

static void put_station(struct jw *w, const char *key, struct str five)
{
	char text[10];
	station_text(five, text);
	jw_kstr(w, key, str_from(text, sizeof text));
}

// other: the address of the station that measured it, if that is not the frame's.
static void put_element(struct jw *w, const struct sl651_element *el, int64_t observed, struct str other)
{
	const char *name = NULL, *unit = NULL, *symbol = sl651_symbol(el->id, &name, &unit);
	char id[8];
	struct buf b = { .p = id, .cap = sizeof(id), .max = sizeof(id) };
	double v;
	buf_printf(&b, "%02X", el->id);
	jw_obj(w);
	if (other.n) {
		put_station(w, "station", other);
	}
	jw_kstr(w, "id", buf_str(&b));
	if (symbol) {
		jw_kcstr(w, "symbol", symbol);
		jw_kcstr(w, "name", name);
	}
	if (el->kind == SL651_LIST) {
		put_list(w, el, observed);
	} else if (el->kind == SL651_STATUS) {
		put_status(w, el);
	} else if (el->kind == SL651_STEP) {
		jw_ki64(w, "step_minutes", el->time / US_PER_MIN);
	} else {
		enum sl651_state state = sl651_number(el->data, el->decimals, &v);
		jw_key(w, "value");
		put_state(w, state, v);
		if (state == SL651_INVALID) {
			jw_kbool(w, "invalid", true);
		}
		jw_ki64(w, "decimals", el->decimals);
		print_hex(w, "hex", el->data);
	}
	if (unit && *unit) {
		jw_kcstr(w, "unit", unit);
	}
	print_time(w, "observed", observed);
	jw_end(w);
}

// A text in GB 18030 of any length in pieces would break characters: as hex when it is longer than a description.
static void put_manual(struct jw *w, struct str text)
{
	if (text.n <= 255) {
		print_text(w, "text", text);
	} else {
		print_hex(w, "text_hex", text);
	}
}

static size_t put_guide(struct jw *w, const struct sl651_element *el)
{
	if (el->kind == SL651_STATION) {
		put_station(w, "station_code", el->station);
		if (el->station_class) {
			print_code(w, "station_class", "station_class_name", el->station_class, sl651_class_name(el->station_class));
		}
	} else if (el->kind == SL651_TEXT) {
		put_manual(w, el->data);
	} else if (el->kind == SL651_IMAGE) {
		jw_ki64(w, "image_bytes", (int64_t)el->data.n);
	} else if (el->kind == SL651_BATCH) {
		print_hex(w, "flow_batch", el->data);
	} else {
		return 0;
	}
	return 1;
}

// First the guides, once each, then the elements, each with the time of its observation; uniform reports: every value.
static void put_report(struct jw *w, const struct sl651 *m, struct str body, int64_t sent)
{
	struct str rest = body;
	struct sl651_element el;
	struct refusal why;
	unsigned seen = 0;
	int64_t observed = sent, step = 0;
	struct str other = STR_EMPTY;
	while (sl651_next(&rest, &el, &why)) {
		if (!(seen & 1u << el.kind) && el.kind == SL651_OBSERVED) {
			print_time(w, "observed", el.time);
		} else if (!(seen & 1u << el.kind)) {
			put_guide(w, &el);
		}
		seen |= 1u << el.kind;
	}
	jw_karr(w, "elements");
	for (rest = body; sl651_next(&rest, &el, &why);) {
		if (el.kind == SL651_OBSERVED) {
			observed = el.time;
		} else if (el.kind == SL651_STATION) {
			char text[10];
			station_text(el.station, text);
			other = str_eq(str_from(text, sizeof text), str_from(m->station, sizeof m->station)) ? STR_EMPTY : el.station;
		} else if (el.kind != SL651_TEXT && el.kind != SL651_IMAGE && el.kind != SL651_BATCH) {
			put_element(w, &el, observed, other);
		}
		step = el.kind == SL651_STEP ? el.time : step;
		size_t before;
		bool series = (m->function == SL651_UNIFORM || m->function == SL651_HISTORY) && step && observed != INT64_MIN &&
			      sl651_series(&el, rest, &before);
		for (int64_t time = observed; series && rest.n; rest = str_skip(rest, before + el.data.n)) {
			el.data = str_from(rest.p + before, el.data.n);
			put_element(w, &el, time += step, other);
		}
	}
	jw_end(w);
	if (rest.n) {
		jw_kcstr(w, "rest_refused", why.en);
		print_hex(w, "rest", rest);
	}
}

static void put_switches(struct jw *w, const struct sl651_switches *s)
{
	double cm;
	put_station(w, "station_code", s->station);
	jw_karr(w, "states");
	for (unsigned i = 0; i < s->n; i++) {
		jw_i64(w, (uint8_t)s->bits.p[i / 8] >> i % 8 & 1);
	}
	jw_end(w);
	if (!s->openings.n) {
		return;
	}
	jw_karr(w, "openings_cm");
	for (unsigned i = 0; i < s->n; i++) {
		enum sl651_state state = sl651_number(str_from(s->openings.p + 2 * i, 2), 0, &cm);
		put_state(w, state, cm);
	}
	jw_end(w);
}

// Behind F1F1 and the station: a version is counted text (table 57), events are 32 counts of two bytes (table 82).
static void put_answer(struct jw *w, uint8_t function, struct str rest)
{
	struct sl651_switches switches;
	struct cursor c = cursor_of(str_skip(rest, 7));
	bool station = str_starts(rest, STR("\xf1\xf1")) && rest.n >= 7;
	if (sl651_switches(function, rest, &switches)) {
		put_switches(w, &switches);
	} else if (station && function == SL651_VERSION && rest.n > 7 && (uint8_t)rest.p[7] == rest.n - 8) {
		put_station(w, "station_code", str_from(rest.p + 2, 5));
		print_text(w, "version", str_skip(rest, 8));
	} else if (station && function == SL651_EVENTS && rest.n == 7 + 64) {
		put_station(w, "station_code", str_from(rest.p + 2, 5));
		jw_karr(w, "events");
		for (unsigned i = 0; i < 32; i++) {
			jw_i64(w, take_be16(&c));
		}
		jw_end(w);
	} else {
		print_hex(w, "data", rest);
	}
}

bool print_sl651(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why)
{
	(void)arena, (void)now;
	struct sl651 m;
	struct sl651_head h;
	if (!sl651_decode(frame, &m, why)) {
		return false;
	}
	jw_kcstr(w, "direction", m.down ? "down" : "up");
	jw_ki64(w, "centre", m.centre);
	jw_kstr(w, "station", str_from(m.station, sizeof(m.station)));
	jw_kstr(w, "password", str_from(m.password, sizeof(m.password)));
	const char function = (char)m.function;
	print_code(w, "function", "function_name", m.function, sl651_function_name(m.function));
	print_hex(w, "function_hex", str_from(&function, 1));
	jw_ki64(w, "length", (int64_t)(m.body.n + (m.begin == SL651_SYN ? 3 : 0)));
	jw_kcstr(w, "begin", m.begin == SL651_SYN ? "SYN" : "STX");
	jw_kcstr(w, "end", end_name(m.end));
	jw_ki64(w, "crc", m.crc);
	if (m.parts) {
		jw_ki64(w, "packets", m.parts);
		jw_ki64(w, "packet", m.part);
	}
	if (m.part > 1 || !sl651_head(m.body, &h)) {
		print_hex(w, "body", m.body);
		return true;
	}
	jw_ki64(w, "serial", h.serial);
	print_time(w, "time", h.sent);
	bool report = (m.function >= SL651_TEST && m.function <= SL651_ELEMENTS) || m.function == SL651_PUMP || m.function == SL651_STATUS_ANSWER;
	if (report && !m.down) {
		put_report(w, &m, h.rest, h.sent);
	} else if (h.rest.n && !m.down) {
		put_answer(w, m.function, h.rest);
	} else if (h.rest.n) {
		print_hex(w, "data", h.rest);
	}
	return true;
}
