// SL 651-2014: framing (6.2), bodies and elements (6.6, annex C), readings, answers. See sl651.h.
#include "gate/decode/sl651.h"

#include "base/cursor.h"

#define HEAD 14u      // up to and with STX or SYN
#define TAIL 3u       // end and CRC
#define NUMBERS 3u    // of SYN: twelve bits total, twelve bits number
#define LENGTH 0x0fffu
#define BODY_AT HEAD

static const struct complaint NO_START = { REJECT_SYNTAX, "不是以 7E7E 开头的帧", "not a frame: it does not begin with 7E7E" };
static const struct complaint ASCII = { REJECT_UNSUPPORTED, "ASCII 编码的帧，不支持", "a frame in ASCII: not supported" };
static const struct complaint TOO_SHORT = { REJECT_SYNTAX, "帧不足 17 字节", "the frame is shorter than 17 bytes" };
static const struct complaint WRONG_BEGIN = { REJECT_SYNTAX, "正文起始符应为 STX 或 SYN", "the body must begin with STX or SYN" };
static const struct complaint WRONG_END = { REJECT_SYNTAX, "正文结束符不对（长度与帧不符）", "the body does not end where its length says" };
static const struct complaint WRONG_LENGTH = { REJECT_SYNTAX, "声明的长度与帧不符", "the declared length does not fit the frame" };
static const struct complaint WRONG_CRC = { REJECT_CHECKSUM, "CRC 校验不符", "the CRC does not match" };
static const struct complaint WRONG_DIRECTION = { REJECT_SYNTAX, "上下行标识应为 0 或 8", "the direction must be 0 or 8" };
static const struct complaint WRONG_PART = { REJECT_SYNTAX, "包序号不在总包数之内", "the number of the packet is not within the total" };
static const struct complaint SHORT_BODY = { REJECT_SYNTAX, "正文过短", "the body is too short" };
static const struct complaint UNKNOWN_ELEMENT = { REJECT_UNSUPPORTED, "无法识别的要素，其后内容无法识别",
	"an element that cannot be read: nor can what follows" };
static const struct complaint NOT_UP = { REJECT_PROTOCOL, "下行帧不应由遥测站发出", "a frame of the centre, sent by a station" };

// --- framing ---------------------------------------------------------------------------------------------------------

uint16_t sl651_crc(struct str bytes)
{
	uint16_t crc = 0xffff;
	for (size_t i = 0; i < bytes.n; i++) {
		crc ^= (uint8_t)bytes.p[i];
		for (int bit = 0; bit < 8; bit++) {
			crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1);
		}
	}
	return crc;
}

static size_t next_start(struct str s, size_t at)
{
	struct str rest = str_skip(s, at);
	const char *p = memmem(rest.p, rest.n, "~~", 2);
	return p ? (size_t)(p - s.p) : s.n - (s.n > at && s.p[s.n - 1] == '~');
}

static bool is_end(uint8_t b)
{
	return b == SL651_ETX || b == SL651_ETB || b == SL651_ENQ || b == SL651_ACK || b == SL651_NAK || b == SL651_EOT || b == SL651_ESC;
}

static size_t body_length(struct str frame)
{
	struct cursor c = cursor_of(str_skip(frame, 11));
	return take_be16(&c) & LENGTH;
}

static bool check_crc(struct str frame, struct refusal *why)
{
	struct cursor c = cursor_of(str_skip(frame, frame.n - 2));
	uint16_t want = sl651_crc(str_first(frame, frame.n - 2)), got = take_be16(&c);
	if (want == got) {
		return true;
	}
	refuse_as(why, &WRONG_CRC, frame.n - 2);
	why->want = want;
	why->got = got;
	why->how = 'x';
	return false;
}

struct fed sl651_feed(struct str in)
{
	struct fed fed = { FEED_MORE, 0, STR_EMPTY, { 0 } };
	size_t start = next_start(in, 0);
	if (start) {
		fed.what = FEED_BAD;
		fed.drop = start;
		refuse_as(&fed.why, in.p[0] == 1 ? &ASCII : &NO_START, 0);
		return fed;
	}
	if (in.n < HEAD) {
		return fed;
	}
	size_t n = HEAD + body_length(in) + TAIL;
	bool begins = in.p[HEAD - 1] == SL651_STX || in.p[HEAD - 1] == SL651_SYN;
	if (begins && in.n < n) {
		return fed;
	}
	fed.frame = str_first(in, n);
	fed.drop = n;
	if (!begins) {
		refuse_as(&fed.why, &WRONG_BEGIN, HEAD - 1);
	} else if (!is_end((uint8_t)in.p[n - TAIL])) {
		refuse_as(&fed.why, &WRONG_END, n - TAIL);
	} else if (check_crc(fed.frame, &fed.why)) {
		fed.what = FEED_FRAME;
		return fed;
	}
	fed.what = FEED_BAD;
	fed.drop = next_start(in, 1); // its length may be what is wrong
	return fed;
}

static void upper_hex(struct str bytes, char *ret)
{
	str_to_hex((const uint8_t *)bytes.p, bytes.n, ret);
	for (size_t i = 0; i < 2 * bytes.n; i++) {
		ret[i] = (char)(ret[i] >= 'a' ? ret[i] - 'a' + 'A' : ret[i]);
	}
}

static bool read_frame(struct str frame, struct sl651 *m, struct refusal *why)
{
	struct cursor c = cursor_of(str_skip(frame, 2));
	uint8_t direction = (uint8_t)frame.p[11] >> 4;
	m->down = direction == 8;
	m->centre = m->down ? (uint8_t)frame.p[7] : take_u8(&c);
	upper_hex(take_str(&c, 5), m->station);
	if (m->down) {
		take_u8(&c);
	}
	upper_hex(take_str(&c, 2), m->password);
	m->function = take_u8(&c);
	size_t n = take_be16(&c) & LENGTH;
	m->begin = take_u8(&c);
	struct cursor body = cursor_of(take_str(&c, n));
	m->end = take_u8(&c);
	m->crc = take_be16(&c);
	if (direction != 0 && direction != 8) {
		return refuse_as(why, &WRONG_DIRECTION, 11);
	}
	if (m->begin == SL651_SYN) {
		uint32_t numbers = (uint32_t)take_u8(&body) << 16;
		numbers |= take_be16(&body);
		m->parts = (uint16_t)(numbers >> 12);
		m->part = (uint16_t)(numbers & 0xfff);
		if (!m->part || m->part > m->parts) {
			return refuse_as(why, &WRONG_PART, BODY_AT);
		}
	}
	m->body = take_rest(&body);
	return true;
}

bool sl651_decode(struct str frame, struct sl651 *ret, struct refusal *why)
{
	*ret = (struct sl651){ .body = STR_EMPTY };
	if (!str_starts(frame, STR("~~"))) {
		return refuse_as(why, frame.n && frame.p[0] == 1 ? &ASCII : &NO_START, 0);
	}
	if (frame.n < HEAD + TAIL) {
		return refuse_as(why, &TOO_SHORT, frame.n);
	}
	size_t n = body_length(frame);
	if (frame.n != HEAD + n + TAIL) {
		refuse_as(why, &WRONG_LENGTH, 11);
		why->want = (uint32_t)n;
		why->got = (uint32_t)(frame.n - HEAD - TAIL);
		why->how = 'd';
		return false;
	}
	uint8_t begin = (uint8_t)frame.p[HEAD - 1], end = (uint8_t)frame.p[frame.n - TAIL];
	if (begin != SL651_STX && begin != SL651_SYN) {
		return refuse_as(why, &WRONG_BEGIN, HEAD - 1);
	}
	if (!is_end(end)) {
		return refuse_as(why, &WRONG_END, frame.n - TAIL);
	}
	return check_crc(frame, why) && read_frame(frame, ret, why);
}

// --- bodies ----------------------------------------------------------------------------------------------------------

// yyMMddHHmm[ss] in BCD at GMT+8.
static int64_t bcd_time(struct str bcd)
{
	char text[14] = "20000000000000";
	int64_t us;
	if (bcd.n != 5 && bcd.n != 6) {
		return INT64_MIN;
	}
	str_to_hex((const uint8_t *)bcd.p, bcd.n, text + 2);
	return time_parse_local(str_from(text, sizeof(text)), ZONE_CHINA_MIN, &us) ? us : INT64_MIN;
}

bool sl651_head(struct str body, struct sl651_head *ret)
{
	struct cursor c = cursor_of(body);
	ret->serial = take_be16(&c);
	ret->sent = bcd_time(take_str(&c, 6));
	ret->rest = cursor_ok(&c) ? take_rest(&c) : STR_EMPTY;
	return cursor_ok(&c);
}

enum sl651_state sl651_number(struct str bcd, uint8_t decimals, double *ret)
{
	static const double powers[] = { 1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7 };
	double v = 0;
	bool negative = bcd.n > 1 && (uint8_t)bcd.p[0] == 0xff;
	size_t i = negative, invalid = 0;
	*ret = 0;
	for (size_t k = 0; k < bcd.n; k++) {
		invalid += (uint8_t)bcd.p[k] == 0xff;
	}
	if (invalid == bcd.n) {
		return SL651_INVALID;
	}
	for (; i < bcd.n; i++) {
		uint8_t b = (uint8_t)bcd.p[i];
		if (b >> 4 > 9 || (b & 15) > 9) {
			return SL651_NO_NUMBER;
		}
		v = v * 100 + (b >> 4) * 10 + (b & 15);
	}
	v /= powers[decimals & 7];
	*ret = negative ? -v : v;
	return SL651_VALID;
}

// F4: a byte each, 0.1 mm; F5 … FC: two bytes each, 0.01 m; not BCD (annex C). The time is that of the first (table 36),
// but devices that say the full hour mean its end.
enum sl651_state sl651_twelfth(const struct sl651_element *list, unsigned i, int64_t observed, double *ret, int64_t *ret_time)
{
	struct cursor c = cursor_of(list->data);
	bool rain = list->id == 0xf4;
	take_str(&c, i * (rain ? 1 : 2));
	uint16_t raw = rain ? take_u8(&c) : take_be16(&c);
	*ret = raw / (rain ? 10.0 : 100.0);
	*ret_time = INT64_MIN;
	if (observed != INT64_MIN) {
		bool first = time_to_civil(observed, ZONE_CHINA_MIN).min != 0;
		*ret_time = observed + ((int64_t)i - (first ? 0 : 11)) * 5 * US_PER_MIN;
	}
	return raw == (rain ? 0xff : 0xffff) ? SL651_INVALID : SL651_VALID;
}

// Reports say the class of the station behind its address, and the time behind that; some answers go on with their own.
static bool class_follows(struct str rest)
{
	return rest.n && (uint8_t)rest.p[0] != 0xf0 && (sl651_class_name((uint8_t)rest.p[0]) || (rest.n > 1 && (uint8_t)rest.p[1] == 0xf0));
}

static bool take_guide(struct cursor *c, struct sl651_element *e)
{
	switch (e->id) {
	case 0xf0:
		e->kind = SL651_OBSERVED;
		e->time = bcd_time(take_str(c, 5));
		return true;
	case 0xf1:
		e->kind = SL651_STATION;
		e->station = take_str(c, 5);
		if (class_follows(str_from((const char *)c->p, cursor_left(c)))) {
			e->station_class = take_u8(c);
		}
		return true;
	case 0xf2: case 0xf3:
		e->kind = e->id == 0xf2 ? SL651_TEXT : SL651_IMAGE;
		e->data = take_rest(c);
		return true;
	case 0xfd: // its definition is fixed, and it stands alone (annex C, note f)
		e->kind = SL651_BATCH;
		e->data = take_rest(c);
		return true;
	default: return false;
	}
}

static bool take_step(struct sl651_element *e) // days, hours, minutes
{
	double days, hours, minutes;
	if (e->data.n != 3 || sl651_number(str_first(e->data, 1), 0, &days) || sl651_number(str_from(e->data.p + 1, 1), 0, &hours) ||
	    sl651_number(str_from(e->data.p + 2, 1), 0, &minutes)) {
		return false;
	}
	e->kind = SL651_STEP;
	e->time = (int64_t)(days * 1440 + hours * 60 + minutes) * US_PER_MIN;
	return true;
}

bool sl651_next(struct str *rest, struct sl651_element *ret, struct refusal *why)
{
	if (!rest->n) {
		return false;
	}
	struct cursor c = cursor_of(*rest);
	*ret = (struct sl651_element){ .kind = SL651_VALUE, .data = STR_EMPTY, .station = STR_EMPTY, .time = INT64_MIN };
	ret->id = take_u8(&c);
	if (ret->id == 0xff) {
		ret->id = (uint16_t)(0xff00 | take_u8(&c));
	}
	uint8_t definition = take_u8(&c);
	bool known = true;
	if (ret->id != 0xfd && (ret->id < 0xf0 || ret->id >= 0xf4)) {
		size_t n = definition >> 3;
		ret->decimals = definition & 7;
		ret->data = take_str(&c, n);
		bool list = ret->id >= 0xf4 && ret->id <= 0xfc;
		known = n && (!list || n == (ret->id == 0xf4 ? 12 : 24));
		ret->kind = list ? SL651_LIST : ret->id == 0x45 && n == 4 ? SL651_STATUS : SL651_VALUE;
		if (ret->id == 0x04) {
			known = take_step(ret);
		}
	} else {
		known = take_guide(&c, ret);
	}
	if (!known || !cursor_ok(&c)) {
		return refuse_as(why, known ? &SHORT_BODY : &UNKNOWN_ELEMENT, 0);
	}
	*rest = take_rest(&c);
	return true;
}

// --- readings --------------------------------------------------------------------------------------------------------

struct emitter {
	struct arena *arena;
	const struct decode_sink *sink;
	struct str station;   // whose frame it is
	char other[10];       // whose elements follow, if a report of several stations (6.6.2.7) has come to another one
	bool of_other;
	int64_t observed, step;
	enum quality quality;
	uint16_t flags;
};

// What another station has measured is not this one's: it is named with that station's address in front.
static struct str name_of(const struct emitter *e, struct str name)
{
	return e->of_other ? arena_printf(e->arena, "%.*s.%.*s", (int)sizeof e->other, e->other, STR_FMT(name)) : name;
}

static void emit(const struct emitter *e, const struct sl651_element *el, double value, int64_t time, enum sl651_state state, bool optional)
{
	const char *name, *unit, *symbol = sl651_symbol(el->id, &name, &unit);
	struct decoded d = { .name = name_of(e, arena_printf(e->arena, "%02X", el->id)), .alias = e->of_other ? STR_EMPTY : str_of(symbol), .time = time, .value = value,
			     .quality = state == SL651_VALID ? e->quality : Q_BAD, .flags = e->flags, .optional = optional };
	if (state == SL651_NO_NUMBER) {
		e->sink->refuse(e->sink->owner, REJECT_VALUE, d.name);
	} else if (time == INT64_MIN) {
		e->sink->refuse(e->sink->owner, REJECT_TIME, d.name);
	} else {
		e->sink->reading(e->sink->owner, &d);
	}
}

static void emit_status(const struct emitter *e, const struct sl651_element *el)
{
	struct cursor c = cursor_of(el->data);
	uint32_t bits = take_be32(&c);
	emit(e, el, bits, e->observed, SL651_VALID, true);
	for (unsigned bit = 0; e->observed != INT64_MIN && sl651_status_name(bit); bit++) {
		struct decoded d = { .name = name_of(e, arena_printf(e->arena, "ZT.%s", sl651_status_name(bit))), .alias = STR_EMPTY, .time = e->observed,
				     .value = bits >> bit & 1, .quality = e->quality, .flags = e->flags, .optional = true };
		e->sink->reading(e->sink->owner, &d);
	}
}

static void emit_element(struct emitter *e, const struct sl651_element *el)
{
	double v;
	int64_t time;
	switch (el->kind) {
	case SL651_OBSERVED: e->observed = el->time; break;
	case SL651_STEP: e->step = el->time; break;
	case SL651_VALUE: {
		enum sl651_state state = sl651_number(el->data, el->decimals, &v);
		emit(e, el, v, e->observed, state, el->id == 0x38 || el->id == 0x45);
		break;
	}
	case SL651_LIST:
		for (unsigned i = 0; i < 12; i++) {
			enum sl651_state state = sl651_twelfth(el, i, e->observed, &v, &time);
			emit(e, el, v, time, state, true);
		}
		break;
	case SL651_STATUS: emit_status(e, el); break;
	case SL651_STATION:
		upper_hex(el->station, e->other);
		e->of_other = !str_eq(str_from(e->other, sizeof e->other), e->station);
		break;
	case SL651_TEXT: case SL651_IMAGE: case SL651_BATCH: break;
	}
}

bool sl651_series(const struct sl651_element *el, struct str rest, size_t *ret_before)
{
	uint8_t again[3];
	size_t n = el->data.n, head = 0, at = 0;
	if (el->id > 0xff) {
		again[head++] = 0xff;
	}
	again[head++] = (uint8_t)el->id;
	again[head++] = (uint8_t)(n << 3 | el->decimals);
	while (at + head + n <= rest.n && memcmp(rest.p + at, again, head) == 0) {
		at += head + n;
	}
	*ret_before = at && at == rest.n ? head : 0;
	return el->kind == SL651_VALUE && n && (at == rest.n || rest.n % n == 0);
}

// 31: behind a time step, the values of one element follow each other to the end.
static bool emit_series(struct emitter *e, struct sl651_element el, struct str *rest)
{
	size_t before;
	if (!e->step || e->observed == INT64_MIN || !sl651_series(&el, *rest, &before)) {
		return false;
	}
	for (int64_t time = e->observed;; time += e->step) {
		double v;
		enum sl651_state state = sl651_number(el.data, el.decimals, &v);
		emit(e, &el, v, time, state, false);
		if (!rest->n) {
			return true;
		}
		el.data = str_from(rest->p + before, el.data.n);
		*rest = str_skip(*rest, before + el.data.n);
	}
}

static bool carries_readings(uint8_t function)
{
	return (function >= SL651_TEST && function <= SL651_HOURLY) || function == SL651_NOW || function == SL651_HISTORY ||
	       function == SL651_ELEMENTS || function == SL651_PUMP || function == SL651_STATUS_ANSWER;
}

// 4C, 4D: bytes that follow, then a bit for each pump or valve, the first lowest (tables 71, 74); 4E: sluices, their bits, then
// two BCD bytes of centimetres each (table 77). The same in the answer to a command and in what the station reports itself.
bool sl651_switches(uint8_t function, struct str body, struct sl651_switches *ret)
{
	struct cursor c = cursor_of(body);
	uint8_t id = take_u8(&c);
	*ret = (struct sl651_switches){ .what = function == SL651_PUMPS ? "PUMP" : function == SL651_VALVES ? "VALVE" : "SLUICE" };
	if (id != 0xf1 || take_u8(&c) != 0xf1 || function < SL651_PUMPS || function > SL651_SLUICES) {
		return false;
	}
	ret->station = take_str(&c, 5);
	unsigned n = take_u8(&c);
	bool sluices = function == SL651_SLUICES;
	ret->n = sluices ? n : 8 * n;
	ret->bits = take_str(&c, sluices ? (n + 7) / 8 : n);
	ret->openings = take_str(&c, sluices ? 2 * n : 0);
	return cursor_done(&c) && n;
}

#define SWITCHES_MAX 64u // read of a station: a byte holds eight, more readings than line_sl651.spread lets any other byte have

static void emit_switches(const struct emitter *e, const struct sl651_switches *s)
{
	for (unsigned i = 0; i < MIN(s->n, SWITCHES_MAX); i++) {
		double cm;
		struct decoded d = { .name = arena_printf(e->arena, "%s.%u", s->what, i + 1), .alias = STR_EMPTY, .time = e->observed,
				     .value = (uint8_t)s->bits.p[i / 8] >> i % 8 & 1, .quality = Q_GOOD, .optional = true };
		e->sink->reading(e->sink->owner, &d);
		if (s->openings.n && sl651_number(str_from(s->openings.p + 2 * i, 2), 0, &cm) == SL651_VALID) {
			d.name = arena_printf(e->arena, "%s.%u.opening", s->what, i + 1);
			d.value = cm / 100;
			e->sink->reading(e->sink->owner, &d);
		}
	}
}

bool sl651_readings(const struct sl651 *m, struct arena *arena, const struct decode_sink *sink, struct refusal *why)
{
	struct sl651_head h;
	struct sl651_element el;
	struct refusal part;
	if (m->down) {
		return refuse_as(why, &NOT_UP, 11);
	}
	if (!sl651_head(m->body, &h)) {
		return refuse_as(why, &SHORT_BODY, BODY_AT);
	}
	struct emitter e = { .arena = arena, .sink = sink, .station = str_from(m->station, sizeof m->station), .observed = h.sent,
			     .quality = m->function == SL651_TEST ? Q_MAINTENANCE : Q_GOOD,
			     .flags = m->function == SL651_HISTORY ? READING_HISTORY : 0 };
	struct sl651_switches switches;
	if (h.sent != INT64_MIN && sl651_switches(m->function, h.rest, &switches)) {
		emit_switches(&e, &switches);
	}
	if (!carries_readings(m->function)) {
		return true;
	}
	bool uniform = m->function == SL651_UNIFORM || m->function == SL651_HISTORY;
	while (sl651_next(&h.rest, &el, &part)) {
		if (!uniform || !emit_series(&e, el, &h.rest)) {
			emit_element(&e, &el);
		}
	}
	if (h.rest.n) { // the elements before it count
		sink->refuse(sink->owner, part.reason, arena_printf(arena, "%02X", (uint8_t)h.rest.p[0]));
	}
	return true;
}

// --- answers ---------------------------------------------------------------------------------------------------------

void sl651_down(const struct sl651 *to, uint16_t serial, struct str more, uint8_t end, int64_t now, struct buf *out)
{
	struct civil t = time_to_civil(now, ZONE_CHINA_MIN);
	const int parts[6] = { t.year % 100, t.month, t.day, t.hour, t.min, t.sec };
	uint8_t address[7];
	size_t before = out->n;
	str_from_hex(str_from(to->station, sizeof(to->station)), address, 5);
	str_from_hex(str_from(to->password, sizeof(to->password)), address + 5, 2);
	buf_add_cstr(out, "~~");
	buf_add(out, address, 5);
	buf_add_u8(out, to->centre);
	buf_add(out, address + 5, 2);
	buf_add_u8(out, to->function);
	buf_add_be16(out, (uint16_t)(0x8000 | ((to->parts ? NUMBERS : 0) + 8 + more.n))); // down, serial and time
	buf_add_u8(out, to->parts ? SL651_SYN : SL651_STX);
	if (to->parts) { // table 23
		buf_add_u8(out, (uint8_t)(to->parts >> 4));
		buf_add_be16(out, (uint16_t)(to->parts << 12 | to->part));
	}
	buf_add_be16(out, serial);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		buf_add_u8(out, (uint8_t)(parts[i] / 10 << 4 | parts[i] % 10));
	}
	buf_add_str(out, more);
	buf_add_u8(out, end);
	if (buf_ok(out)) {
		buf_add_be16(out, sl651_crc(str_from(out->p + before, out->n - before)));
	}
}

void sl651_answer(const struct sl651 *m, uint16_t serial, uint8_t end, int64_t now, struct buf *out)
{
	sl651_down(m, serial, STR_EMPTY, end, now, out);
}
