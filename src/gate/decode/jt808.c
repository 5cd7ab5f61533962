// JT/T 808-2013 and 2019: framing (4.4), header, position (0200), batch (0704), authentication, readings. See jt808.h.
#include "gate/decode/jt808.h"

#include "base/cursor.h"

#define HEADER_2013 12u     // without the four bytes of a part
#define HEADER_2019 17u
#define PART_BYTES 4u
#define SMALLEST (HEADER_2013 + 1u + 2u)
#define FRAME_MAX (2u * (HEADER_2019 + PART_BYTES + LIMIT_JT808_BODY + 1u) + 2u) // every byte escaped

#define ATTR_LENGTH 0x03ffu
#define ATTR_PARTS (1u << 13)
#define ATTR_2019 (1u << 14)

static const struct complaint NO_SIGN = { REJECT_SYNTAX, "不是以 7E 开头的消息", "not a message: it does not begin with 7E" };
static const struct complaint NO_END = { REJECT_SYNTAX, "消息不是以 7E 结束", "the message does not end with 7E" };
static const struct complaint TOO_SHORT = { REJECT_SYNTAX, "消息不足 15 字节", "the message is shorter than 15 bytes" };
static const struct complaint TOO_LONG = { REJECT_TOO_LARGE, "消息体超过 1023 字节", "the message body is longer than 1023 bytes" };
static const struct complaint WRONG_ESCAPE = { REJECT_SYNTAX, "转义错误：7D 之后应为 01 或 02", "wrong escape: 01 or 02 must follow 7D" };
static const struct complaint WRONG_SUM = { REJECT_CHECKSUM, "校验码不符", "the checksum does not match" };
static const struct complaint WRONG_LENGTH = { REJECT_SYNTAX, "声明的消息体长度与消息不符",
	"the declared length of the body does not fit the message" };
static const struct complaint WRONG_PHONE = { REJECT_SYNTAX, "终端手机号不是 BCD 数字", "the phone number is not BCD digits" };
static const struct complaint WRONG_PART = { REJECT_SYNTAX, "分包序号不在总包数之内", "the number of the packet is not within the total" };
static const struct complaint ENCRYPTED = { REJECT_UNSUPPORTED, "消息体已加密（RSA），不支持", "the body is encrypted (RSA): not supported" };
static const struct complaint SHORT_BODY = { REJECT_SYNTAX, "消息体过短", "the message body is too short" };
static const struct complaint WRONG_BATCH = { REJECT_SYNTAX, "批量位置的数目与长度不符", "the count of positions does not fit the length" };
static const struct complaint NOT_SERVED = { REJECT_UNSUPPORTED, "平台不处理的消息", "a message that the server does not process" };

// --- framing ---------------------------------------------------------------------------------------------------------

static size_t next_sign(struct str s, size_t at)
{
	const char *p = at < s.n ? memchr(s.p + at, 0x7e, s.n - at) : NULL;
	return p ? (size_t)(p - s.p) : s.n;
}

struct fed jt808_feed(struct str in)
{
	struct fed fed = { FEED_MORE, 0, STR_EMPTY, { 0 } };
	size_t start = next_sign(in, 0), end = next_sign(in, 1);
	if (in.n && start) {
		fed.what = FEED_BAD;
		fed.drop = start;
		refuse_as(&fed.why, &NO_SIGN, 0);
	} else if (end == 1 && in.n > 1) {
		fed.drop = 1; // the end of one, the beginning of the next
	} else if (end == in.n && in.n >= FRAME_MAX) {
		fed.what = FEED_BAD;
		fed.drop = in.n;
		refuse_as(&fed.why, &TOO_LONG, 3);
	} else if (end < in.n) {
		// A sign that no other follows may also begin the next message: some send one between two, and a message that broke off
		// must not take the next one along.
		bool begins = end + 1 < in.n && in.p[end + 1] != 0x7e;
		fed.what = end + 1 > FRAME_MAX ? FEED_BAD : FEED_FRAME;
		fed.drop = end + (fed.what == FEED_FRAME && !begins);
		fed.frame = str_first(in, MIN(end + 1, (size_t)FRAME_MAX));
		refuse_as(&fed.why, &TOO_LONG, 3);
	}
	return fed;
}

// 4.4.2: 7D 02 is 7E, 7D 01 is 7D.
static bool unescape(struct str s, struct arena *arena, struct str *ret, struct refusal *why)
{
	char *to = arena_alloc(arena, s.n);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == 0x7d) {
			i++;
			if (i == s.n || (s.p[i] != 1 && s.p[i] != 2)) {
				return refuse_as(why, &WRONG_ESCAPE, i);
			}
			c = s.p[i] == 1 ? 0x7d : 0x7e;
		}
		to[n++] = c;
	}
	*ret = str_from(to, n);
	return true;
}

static uint8_t xor_of(struct str s)
{
	uint8_t x = 0;
	for (size_t i = 0; i < s.n; i++) {
		x ^= (uint8_t)s.p[i];
	}
	return x;
}

// The layout of the header: the one that the version bit names, if the length fits; else the other, if that fits.
static bool choose_edition(struct jt808 *m, size_t bytes, struct refusal *why)
{
	size_t part = m->attributes & ATTR_PARTS ? PART_BYTES : 0, body = m->attributes & ATTR_LENGTH;
	bool said = m->attributes & ATTR_2019;
	for (int i = 0; i < 2; i++) {
		m->edition_2019 = i ? !said : said;
		if (bytes == (m->edition_2019 ? HEADER_2019 : HEADER_2013) + part + body) {
			return true;
		}
	}
	size_t around = (said ? HEADER_2019 : HEADER_2013) + part;
	refuse_as(why, &WRONG_LENGTH, 3);
	why->want = (uint32_t)body;
	why->got = (uint32_t)(bytes < around ? 0 : bytes - around);
	why->how = 'd';
	return false;
}

static bool take_phone(struct cursor *c, struct jt808 *m)
{
	m->digits = m->edition_2019 ? 20 : 12;
	for (size_t i = 0; i < m->digits; i += 2) {
		uint8_t b = take_u8(c);
		if (b >> 4 > 9 || (b & 15) > 9) {
			return false;
		}
		m->phone[i] = (char)('0' + (b >> 4));
		m->phone[i + 1] = (char)('0' + (b & 15));
	}
	return true;
}

static bool read_header(struct str plain, struct jt808 *m, struct refusal *why)
{
	struct cursor c = cursor_of(plain);
	m->id = take_be16(&c);
	m->attributes = take_be16(&c);
	m->encryption = m->attributes >> 10 & 7;
	if (!choose_edition(m, plain.n, why)) {
		return false;
	}
	m->version = m->edition_2019 ? take_u8(&c) : 0;
	if (!take_phone(&c, m)) {
		return refuse_as(why, &WRONG_PHONE, m->edition_2019 ? 6 : 5);
	}
	m->seq = take_be16(&c);
	if (m->attributes & ATTR_PARTS) {
		m->parts = take_be16(&c);
		m->part = take_be16(&c);
		if (!m->part || m->part > m->parts) {
			return refuse_as(why, &WRONG_PART, plain.n - cursor_left(&c));
		}
	}
	m->body = take_rest(&c);
	return true;
}

bool jt808_decode(struct str frame, struct arena *arena, struct jt808 *ret, struct refusal *why)
{
	*ret = (struct jt808){ .body = STR_EMPTY };
	if (!str_starts(frame, STR(JT808_SIGN))) {
		return refuse_as(why, &NO_SIGN, 0);
	}
	if (frame.n < 2 || !str_ends(frame, STR(JT808_SIGN))) {
		return refuse_as(why, &NO_END, frame.n);
	}
	if (frame.n < SMALLEST) {
		return refuse_as(why, &TOO_SHORT, frame.n);
	}
	if (frame.n > FRAME_MAX) {
		return refuse_as(why, &TOO_LONG, 3);
	}
	struct str plain;
	if (!unescape(str_from(frame.p + 1, frame.n - 2), arena, &plain, why)) {
		return false;
	}
	if (plain.n < HEADER_2013 + 1) {
		return refuse_as(why, &TOO_SHORT, frame.n);
	}
	plain.n--;
	ret->checksum = (uint8_t)plain.p[plain.n];
	uint8_t want = xor_of(plain), got = (uint8_t)plain.p[plain.n];
	if (want != got) {
		refuse_as(why, &WRONG_SUM, frame.n - 2);
		why->want = want;
		why->got = got;
		why->how = 'x';
		return false;
	}
	return read_header(plain, ret, why);
}

struct str jt808_device(const struct jt808 *m)
{
	size_t zeros = 0;
	while (zeros + 1 < m->digits && m->phone[zeros] == '0') {
		zeros++;
	}
	return str_from(m->phone + zeros, m->digits - zeros);
}

// --- bodies ----------------------------------------------------------------------------------------------------------

int64_t jt808_time(struct str bcd6)
{
	char text[14] = "20";
	uint8_t bytes[6];
	int64_t us;
	struct cursor c = cursor_of(bcd6);
	take_bytes(&c, bytes, sizeof(bytes));
	str_to_hex(bytes, sizeof(bytes), text + 2);
	return cursor_ok(&c) && time_parse_local(str_from(text, sizeof(text)), ZONE_CHINA_MIN, &us) ? us : INT64_MIN;
}

bool jt808_position(struct str body, struct jt808_position *ret)
{
	struct cursor c = cursor_of(body);
	ret->alarm = take_be32(&c);
	ret->status = take_be32(&c);
	ret->lat = take_be32(&c) / 1e6;
	ret->lon = take_be32(&c) / 1e6;
	ret->altitude = take_be16(&c);
	ret->speed = take_be16(&c) / 10.0;
	ret->direction = take_be16(&c);
	ret->time = jt808_time(take_str(&c, 6));
	ret->extras = take_rest(&c);
	if (ret->status & 1u << 2) {
		ret->lat = -ret->lat;
	}
	if (ret->status & 1u << 3) {
		ret->lon = -ret->lon;
	}
	return cursor_ok(&c);
}

bool jt808_extra(struct str *extras, uint8_t *ret_id, struct str *ret_value)
{
	struct cursor c = cursor_of(*extras);
	*ret_id = take_u8(&c);
	size_t n = take_u8(&c);
	*ret_value = take_str(&c, n);
	if (!cursor_ok(&c)) {
		return false;
	}
	*extras = take_rest(&c);
	return true;
}

bool jt808_batch(struct str body, struct jt808_batch *ret)
{
	struct cursor c = cursor_of(body);
	ret->count = take_be16(&c);
	ret->type = take_u8(&c);
	ret->rest = cursor_ok(&c) ? take_rest(&c) : STR_EMPTY;
	return cursor_ok(&c);
}

bool jt808_batch_next(struct jt808_batch *b, struct str *ret)
{
	struct cursor c = cursor_of(b->rest);
	size_t n = take_be16(&c);
	*ret = take_str(&c, n);
	if (!cursor_ok(&c)) {
		return false;
	}
	b->rest = take_rest(&c);
	return true;
}

// 2013: the whole body. 2019: behind its length, and followed by IMEI and software version.
struct str jt808_auth_code(const struct jt808 *m)
{
	struct cursor c = cursor_of(m->body);
	if (!m->edition_2019) {
		struct str rest = m->body;
		return str_cut(&rest, '\0'); // some end it like a C string
	}
	size_t n = take_u8(&c);
	return take_str(&c, n);
}

// --- readings --------------------------------------------------------------------------------------------------------

struct emitter {
	const struct decode_sink *sink;
	struct arena *arena;
	int64_t time;
	uint16_t flags;
};

static void emit(const struct emitter *e, struct str name, double value, enum quality q, bool optional)
{
	struct decoded d = { .name = name, .alias = STR_EMPTY, .time = e->time, .value = value, .quality = q,
			     .flags = e->flags, .optional = optional };
	e->sink->reading(e->sink->owner, &d);
}

static void emit_bits(const struct emitter *e, const char *family, uint32_t bits, const char *(*name)(unsigned, bool), bool edition_2019)
{
	emit(e, str_of(family), bits, Q_GOOD, true);
	for (unsigned bit = 0; bit < 32; bit++) {
		const char *n = name(bit, edition_2019);
		if (n) {
			emit(e, arena_printf(e->arena, "%s.%s", family, n), bits >> bit & 1, Q_GOOD, true);
		}
	}
}

double jt808_carriage_temp(uint16_t raw)
{
	double t = (int16_t)raw;
	return t < -273 ? -(double)(raw & 0x7fff) : t;
}

static void emit_extras(const struct emitter *e, struct str extras)
{
	uint8_t id;
	struct str value;
	double divisor;
	while (jt808_extra(&extras, &id, &value)) {
		struct cursor c = cursor_of(value);
		const char *name = jt808_extra_name(id, value.n, &divisor);
		if (id == 0x2b && value.n == 4) {
			uint32_t both = take_be32(&c);
			emit(e, STR("ad0"), both & 0xffff, Q_GOOD, true);
			emit(e, STR("ad1"), both >> 16, Q_GOOD, true);
		} else if (name && id == 0x06) {
			emit(e, str_of(name), jt808_carriage_temp(take_be16(&c)), Q_GOOD, true);
		} else if (name) {
			uint32_t raw = value.n == 1 ? take_u8(&c) : value.n == 2 ? take_be16(&c) : take_be32(&c);
			emit(e, str_of(name), raw / divisor, Q_GOOD, true);
		}
	}
}

static bool position_readings(const struct jt808 *m, struct str body, struct emitter *e, struct refusal *why)
{
	struct jt808_position p;
	if (!jt808_position(body, &p)) {
		return refuse_as(why, &SHORT_BODY, m->edition_2019 ? HEADER_2019 : HEADER_2013);
	}
	e->time = p.time;
	if (p.time == INT64_MIN) {
		e->sink->refuse(e->sink->owner, REJECT_TIME, STR("time"));
		return true;
	}
	bool on_earth = p.lat >= -90 && p.lat <= 90 && p.lon >= -180 && p.lon <= 180;
	enum quality q = p.status & JT808_STATUS_FIXED && on_earth ? Q_GOOD : Q_BAD;
	emit(e, STR("lon"), p.lon, q, false);
	emit(e, STR("lat"), p.lat, q, false);
	emit(e, STR("speed"), p.speed, q, false);
	emit(e, STR("alt"), p.altitude, q, true);
	emit(e, STR("direction"), p.direction, q, true);
	emit_bits(e, "alarm", p.alarm, jt808_alarm_name, m->edition_2019);
	emit_bits(e, "status", p.status, jt808_status_name, m->edition_2019);
	emit(e, STR("load"), p.status >> 8 & 3, Q_GOOD, true);
	emit_extras(e, p.extras);
	return true;
}

static bool batch_readings(const struct jt808 *m, struct emitter *e, struct refusal *why)
{
	struct jt808_batch b;
	struct str body;
	if (!jt808_batch(m->body, &b)) {
		return refuse_as(why, &SHORT_BODY, 0);
	}
	e->flags = b.type == 1 ? READING_HISTORY : 0;
	unsigned n = 0;
	for (; jt808_batch_next(&b, &body); n++) {
		if (!position_readings(m, body, e, why)) {
			return false;
		}
	}
	return (n == b.count && !b.rest.n) || refuse_as(why, &WRONG_BATCH, 0);
}

bool jt808_readings(const struct jt808 *m, struct arena *arena, const struct decode_sink *sink, struct refusal *why)
{
	struct emitter e = { .sink = sink, .arena = arena };
	if (m->encryption) {
		return refuse_as(why, &ENCRYPTED, 3);
	}
	switch (m->id) {
	case JT808_POSITION: return position_readings(m, m->body, &e, why);
	case JT808_POSITION_ANSWER: return position_readings(m, str_skip(m->body, 2), &e, why); // behind the number of the question
	case JT808_BATCH: return batch_readings(m, &e, why);
	default: return jt808_result(m) == JT808_OK || refuse_as(why, &NOT_SERVED, 1);
	}
}
