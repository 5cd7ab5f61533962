// GB/T 26875.3-2011 "Remote-monitoring system of urban fire protection, part 3: protocol on the alarm transmission
// network": framing (6.6), application data units (7, 8), readings, confirmations. Pure functions, any thread.
#include "gate/decode/decode.h"

#include "base/cursor.h"

#define FIXED_BYTES 30u   // everything but the application data unit
#define DATA_AT 27u       // offset of the application data unit
#define LABEL_BYTES 6u    // a time label
#define DESCRIPTION_BYTES 31u

static const struct complaint WRONG_SUM = { REJECT_CHECKSUM, "校验和不符",
	"the checksum does not match" };
static const struct complaint NO_START = { REJECT_SYNTAX, "不是以 @@ 开头的数据包",
	"not a packet: it does not begin with @@" };
static const struct complaint TOO_LONG = { REJECT_TOO_LARGE, "应用数据单元超过 1024 字节",
	"the application data unit is longer than 1024 bytes" };
static const struct complaint WRONG_LENGTH = { REJECT_SYNTAX, "声明的长度与数据包不符",
	"the declared length does not fit the packet" };
static const struct complaint TOO_SHORT = { REJECT_SYNTAX, "数据包不足 30 字节",
	"the packet is shorter than 30 bytes" };
static const struct complaint NO_END = { REJECT_SYNTAX, "数据包不是以 ## 结束",
	"the packet does not end with ##" };
static const struct complaint NO_COUNT = { REJECT_SYNTAX, "应用数据单元缺少信息对象数目",
	"the application data unit has no count of objects" };
static const struct complaint WRONG_COUNT = { REJECT_SYNTAX, "信息对象的数目与长度不符",
	"the count of objects does not fit the length" };

// --- framing ---------------------------------------------------------------------------------------------------------

static size_t next_start(struct str s, size_t at)
{
	struct str rest = str_skip(s, at);
	const char *p = memmem(rest.p, rest.n, "@@", 2);
	if (p) {
		return (size_t)(p - s.p);
	}
	return s.n - (s.n > at && s.p[s.n - 1] == '@');
}

static struct fed fed_bad(size_t drop, struct refusal why)
{
	return (struct fed){ FEED_BAD, drop, STR_EMPTY, why };
}

static size_t data_length(struct str frame)
{
	return (size_t)(uint8_t)frame.p[24] | (size_t)(uint8_t)frame.p[25] << 8;
}

// 6.6.7: the low byte of the sum from the sequence number to the end of the application data unit.
static uint8_t sum_of(struct str frame)
{
	uint8_t sum = 0;
	for (size_t i = 2; i < frame.n - 3; i++) {
		sum = (uint8_t)(sum + (uint8_t)frame.p[i]);
	}
	return sum;
}

static bool check_sum(struct str frame, struct refusal *why)
{
	uint8_t want = sum_of(frame), got = (uint8_t)frame.p[frame.n - 3];
	if (want == got) {
		return true;
	}
	refuse_as(why, &WRONG_SUM, frame.n - 3);
	why->want = want;
	why->got = got;
	why->how = 'x';
	return false;
}

struct fed gb26875_feed(struct str in)
{
	struct refusal why;
	size_t start = next_start(in, 0);
	if (start) {
		refuse_as(&why, &NO_START, 0);
		return fed_bad(start, why);
	}
	struct fed more = { FEED_MORE, 0, STR_EMPTY, { 0 } };
	if (in.n < DATA_AT) {
		return more;
	}
	size_t len = data_length(in);
	if (len > LIMIT_GB26875_DATA) {
		refuse_as(&why, &TOO_LONG, 24);
		return fed_bad(next_start(in, 1), why);
	}
	if (in.n < len + FIXED_BYTES) {
		return more;
	}
	struct str frame = str_from(in.p, len + FIXED_BYTES);
	if (!str_ends(frame, STR("##"))) {
		refuse_as(&why, &WRONG_LENGTH, 24);
		return fed_bad(next_start(in, 1), why);
	}
	if (!check_sum(frame, &why)) {
		return (struct fed){ FEED_BAD, frame.n, frame, why };
	}
	return (struct fed){ FEED_FRAME, frame.n, frame, { 0 } };
}

// --- the frame -------------------------------------------------------------------------------------------------------

#define NO_NUMBER (-10000) // of no civil time

static int label_number(uint8_t b, bool bcd)
{
	if (!bcd) {
		return b;
	}
	return b >> 4 > 9 || (b & 15) > 9 ? NO_NUMBER : (b >> 4) * 10 + (b & 15);
}

// 8.2.2: second, minute, hour, day, month, year of the century.
int64_t gb26875_time(struct str six, bool bcd)
{
	struct cursor c = cursor_of(six);
	struct civil t = { .us = 0 };
	t.sec = label_number(take_u8(&c), bcd);
	t.min = label_number(take_u8(&c), bcd);
	t.hour = label_number(take_u8(&c), bcd);
	t.day = label_number(take_u8(&c), bcd);
	t.month = label_number(take_u8(&c), bcd);
	t.year = 2000 + label_number(take_u8(&c), bcd);
	return cursor_done(&c) && t.year >= 2000 && civil_valid(t) ? time_from_civil(t, ZONE_CHINA_MIN) : INT64_MIN;
}

static void read_fixed(struct str frame, struct gb26875 *m)
{
	struct cursor c = cursor_of(str_skip(frame, 2));
	m->seq = take_le16(&c);
	m->main_version = take_u8(&c);
	m->user_version = take_u8(&c);
	m->time = gb26875_time(take_str(&c, LABEL_BYTES), m->bcd);
	take_bytes(&c, m->source, sizeof(m->source));
	take_bytes(&c, m->destination, sizeof(m->destination));
	size_t len = take_le16(&c);
	m->command = take_u8(&c);
	m->data = take_str(&c, len);
}

static bool check_unit(const struct gb26875 *m, struct refusal *why);

bool gb26875_decode(struct str frame, bool bcd, struct gb26875 *ret, struct refusal *why)
{
	*ret = (struct gb26875){ .time = INT64_MIN, .data = STR_EMPTY, .bcd = bcd };
	if (!str_starts(frame, STR("@@"))) {
		return refuse_as(why, &NO_START, 0);
	}
	if (frame.n < FIXED_BYTES) {
		return refuse_as(why, &TOO_SHORT, frame.n);
	}
	size_t len = data_length(frame);
	if (len > LIMIT_GB26875_DATA) {
		return refuse_as(why, &TOO_LONG, 24);
	}
	if (frame.n != len + FIXED_BYTES) {
		refuse_as(why, &WRONG_LENGTH, 24);
		why->want = (uint32_t)len;
		why->got = (uint32_t)(frame.n - FIXED_BYTES);
		why->how = 'd';
		return false;
	}
	if (!str_ends(frame, STR("##"))) {
		return refuse_as(why, &NO_END, frame.n - 2);
	}
	read_fixed(frame, ret);
	return check_sum(frame, why) && check_unit(ret, why);
}

void gb26875_device(const struct gb26875 *m, char ret[12])
{
	str_to_hex(m->source, sizeof(m->source), ret);
}

// --- information objects (8.3) ---------------------------------------------------------------------------------------

enum label { LABEL_NONE, LABEL_ALWAYS, LABEL_MAYBE };

// body: bytes of an object without its time label; text_at: offset of the length byte of a text that follows, or 0.
// Tables and figures of 8.3; what the standard gives no label is accepted with one, as some devices send it.
static const struct layout {
	uint8_t type;
	uint8_t body;
	uint8_t label;   // enum label
	bool text;       // the last byte of body counts the bytes of a text behind it
} LAYOUTS[] = {
	{ 1, 4, LABEL_ALWAYS, false },   { 2, 9 + DESCRIPTION_BYTES, LABEL_ALWAYS, false },
	{ 3, 10, LABEL_ALWAYS, false },  { 4, 4, LABEL_ALWAYS, false },
	{ 5, 4, LABEL_MAYBE, false },    { 6, 3, LABEL_MAYBE, true },
	{ 7, 7 + DESCRIPTION_BYTES, LABEL_MAYBE, false },
	{ 8, 8, LABEL_NONE, false },     { 21, 1, LABEL_ALWAYS, false },  { 24, 2, LABEL_ALWAYS, false },
	{ 25, 2, LABEL_MAYBE, false },   { 26, 1, LABEL_MAYBE, true },    { 28, 6, LABEL_NONE, false },
	{ 61, 2, LABEL_MAYBE, false },   { 62, 6, LABEL_MAYBE, false },   { 63, 6, LABEL_MAYBE, false },
	{ 64, 9, LABEL_MAYBE, false },   { 65, 2, LABEL_MAYBE, false },   { 66, 2, LABEL_MAYBE, false },
	{ 67, 6, LABEL_MAYBE, false },   { 68, 2, LABEL_MAYBE, false },   { 81, 1, LABEL_MAYBE, false },
	{ 84, 7, LABEL_MAYBE, false },   { 85, 1, LABEL_MAYBE, false },   { 86, 1, LABEL_MAYBE, false },
	{ 88, 1, LABEL_MAYBE, false },   { 89, 1, LABEL_MAYBE, false },   { 90, 6, LABEL_MAYBE, false },
	{ 91, 1, LABEL_MAYBE, false },
};

static const struct layout *layout_of(uint8_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(LAYOUTS); i++) {
		if (LAYOUTS[i].type == type) {
			return &LAYOUTS[i];
		}
	}
	return NULL;
}

bool gb26875_next(struct gb26875_walk *w, struct gb26875_object *ret)
{
	const struct layout *layout = layout_of(w->type);
	if (!layout || !w->rest.n) {
		return false;
	}
	size_t body = layout->body;
	if (layout->text && w->rest.n >= body) {
		body += (uint8_t)w->rest.p[body - 1];
	}
	size_t all = body + (w->labels ? LABEL_BYTES : 0);
	if (w->rest.n < all) {
		return false;
	}
	ret->body = str_first(w->rest, body);
	ret->labelled = w->labels;
	ret->time = w->labels ? gb26875_time(str_from(w->rest.p + body, LABEL_BYTES), w->bcd) : INT64_MIN;
	w->rest = str_skip(w->rest, all);
	return true;
}

static bool fits(struct gb26875_walk w)
{
	struct gb26875_object o;
	unsigned n = 0;
	while (gb26875_next(&w, &o)) {
		n++;
	}
	return n == w.count && !w.rest.n;
}

struct gb26875_walk gb26875_objects(const struct gb26875 *m)
{
	struct cursor c = cursor_of(m->data);
	struct gb26875_walk w = { .bcd = m->bcd };
	w.type = take_u8(&c);
	w.count = take_u8(&c);
	w.rest = cursor_ok(&c) ? take_rest(&c) : STR_EMPTY;
	const struct layout *layout = cursor_ok(&c) ? layout_of(w.type) : NULL;
	w.known = layout != NULL;
	w.labels = layout && layout->label == LABEL_ALWAYS;
	if (layout && layout->label == LABEL_MAYBE && !fits(w)) {
		w.labels = true;
	}
	return w;
}

static bool check_unit(const struct gb26875 *m, struct refusal *why)
{
	if (!m->data.n || !gb26875_command_name(m->command)) {
		return true; // confirmations, and a send that only keeps the link; what a command of the user's holds is his matter
	}
	struct gb26875_walk w = gb26875_objects(m);
	if (m->data.n == 1) {
		return refuse_as(why, &NO_COUNT, DATA_AT);
	}
	if (w.known && !fits(w)) {
		return refuse_as(why, &WRONG_COUNT, DATA_AT + 1);
	}
	return true;
}

// --- readings --------------------------------------------------------------------------------------------------------

// Where names of readings are put together: a prefix that stays and an end that changes.
struct naming {
	struct arena *arena;
	char text[64];
	size_t prefix;
};

static void add_number(struct naming *n, uint32_t v)
{
	char digits[10];
	size_t k = 0;
	do {
		digits[k++] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	while (k) {
		n->text[n->prefix++] = digits[--k];
	}
	n->text[n->prefix++] = '.';
}

static struct str name_with(const struct naming *n, struct str end)
{
	char *p = arena_alloc(n->arena, n->prefix + end.n);
	memcpy(p, n->text, n->prefix);
	memcpy(p + n->prefix, end.p, end.n);
	return str_from(p, n->prefix + end.n);
}

static void emit(const struct decode_sink *sink, struct str name, int64_t time, double value, bool optional)
{
	struct decoded d = { .name = name,
			     .alias = STR_EMPTY,
			     .time = time,
			     .value = value,
			     .quality = Q_GOOD,
			     .optional = optional,
			     .untimed = time == INT64_MIN }; // neither object nor frame has a time: a fire is a fire
	sink->reading(sink->owner, &d);
}

static void emit_bits(const struct decode_sink *sink, const struct naming *n, uint8_t type, uint16_t status,
		      int64_t time)
{
	emit(sink, name_with(n, STR("status")), time, status, true);
	for (unsigned bit = 0; bit < 16; bit++) {
		const char *name = gb26875_status_name(type, bit);
		if (name) {
			emit(sink, name_with(n, str_of(name)), time, status >> bit & 1, true);
		}
	}
}

static void emit_analog(const struct decode_sink *sink, struct naming *n, struct cursor *c, int64_t time)
{
	uint8_t analog = take_u8(c);
	int16_t raw = (int16_t)take_le16(c);
	unsigned divisor = 1;
	const char *unit;
	gb26875_analog_name(analog, &unit, &divisor);
	add_number(n, analog);
	n->prefix--; // without the dot behind it
	emit(sink, name_with(n, STR_EMPTY), time, raw / (double)divisor, false);
}

static void object_readings(const struct gb26875_object *o, uint8_t type, int64_t time, struct arena *arena,
			    const struct decode_sink *sink)
{
	struct naming n = { .arena = arena };
	struct cursor c = cursor_of(o->body);
	if (type == 21 || type == 24) {
		memcpy(n.text, "device.", 7);
		n.prefix = 7;
	} else {
		add_number(&n, take_u8(&c));
		add_number(&n, take_u8(&c));
	}
	if (type == 2 || type == 3) {
		add_number(&n, take_u8(&c));
		add_number(&n, take_le32(&c));
	}
	if (type == 3) {
		emit_analog(sink, &n, &c, time);
	} else if (type == 4 || type == 24) {
		emit(sink, name_with(&n, STR("operation")), time, take_u8(&c), true);
	} else {
		emit_bits(sink, &n, type, type == 21 ? take_u8(&c) : take_le16(&c), time);
	}
}

// A clock that lost its battery begins again at 2000: what is older than the standard is no time of an event.
static int64_t believed(int64_t time)
{
	return time < INT64_C(1293811200) * US_PER_S ? INT64_MIN : time; // 2011-01-01 at GMT+8
}

bool gb26875_readings(const struct gb26875 *m, struct arena *arena, const struct decode_sink *sink, struct refusal *why)
{
	(void)why; // the objects were checked by gb26875_decode
	struct gb26875_walk w = gb26875_objects(m);
	struct gb26875_object o;
	if (m->command != GB26875_SEND && m->command != GB26875_ANSWER) {
		return true;
	}
	if (w.type != 1 && w.type != 2 && w.type != 3 && w.type != 4 && w.type != 21 && w.type != 24) {
		return true;
	}
	while (gb26875_next(&w, &o)) {
		int64_t time = believed(o.time);
		object_readings(&o, w.type, time == INT64_MIN ? believed(m->time) : time, arena, sink);
	}
	return true;
}

// --- answers ---------------------------------------------------------------------------------------------------------

void gb26875_put_time(int64_t at, bool bcd, uint8_t ret[GB26875_TIME_BYTES])
{
	struct civil t = time_to_civil(at, ZONE_CHINA_MIN);
	const int label[LABEL_BYTES] = { t.sec, t.min, t.hour, t.day, t.month, t.year % 100 };
	for (size_t i = 0; i < LABEL_BYTES; i++) {
		ret[i] = (uint8_t)(bcd ? label[i] / 10 << 4 | label[i] % 10 : label[i]);
	}
}

void gb26875_frame(const struct gb26875 *m, int64_t now, struct buf *out)
{
	size_t before = out->n;
	uint8_t label[GB26875_TIME_BYTES];
	gb26875_put_time(now, m->bcd, label);
	buf_add_cstr(out, "@@");
	buf_add_le16(out, m->seq);
	buf_add_u8(out, m->main_version);
	buf_add_u8(out, m->user_version);
	buf_add(out, label, sizeof label);
	buf_add(out, m->source, 6);
	buf_add(out, m->destination, 6);
	buf_add_le16(out, (uint16_t)m->data.n);
	buf_add_u8(out, m->command);
	buf_add_str(out, m->data);
	buf_add_u8(out, 0); // the sum, when all is there
	buf_add_cstr(out, "##");
	if (buf_ok(out)) {
		struct str frame = str_from(out->p + before, out->n - before);
		out->p[out->n - 3] = (char)sum_of(frame);
	}
}

void gb26875_answer(const struct gb26875 *m, bool accepted, int64_t now, struct buf *out)
{
	if (m->command == GB26875_CONFIRM || m->command == GB26875_ANSWER || m->command == GB26875_DENY) {
		return;
	}
	struct gb26875 back = { .seq = m->seq, .main_version = m->main_version, .user_version = m->user_version, .bcd = m->bcd };
	memcpy(back.source, m->destination, 6);
	memcpy(back.destination, m->source, 6);
	back.data = STR_EMPTY;
	back.command = accepted && m->command == GB26875_SEND ? GB26875_CONFIRM : GB26875_DENY;
	gb26875_frame(&back, now, out);
}
