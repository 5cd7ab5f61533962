// GB/T 32960.3-2016: framing (6), data units (7), readings, answers. See gb32960.h.
#include "gate/decode/gb32960.h"

#include "base/cursor.h"

#define HEAD 24u        // ## command, answer, VIN, encryption, length

static const struct complaint NO_START = { REJECT_SYNTAX, "不是以 ## 开头的数据包", "not a packet: it does not begin with ##" };
static const struct complaint EDITION_2025 = { REJECT_UNSUPPORTED, "GB/T 32960.3-2025（起始符 $$），不支持",
	"GB/T 32960.3-2025 (start $$): not supported" };
static const struct complaint TOO_LONG = { REJECT_TOO_LARGE, "数据单元过长", "the data unit is too long" };
static const struct complaint TOO_SHORT = { REJECT_SYNTAX, "数据包不足 25 字节", "the packet is shorter than 25 bytes" };
static const struct complaint WRONG_LENGTH = { REJECT_SYNTAX, "声明的长度与数据包不符", "the declared length does not fit the packet" };
static const struct complaint WRONG_BCC = { REJECT_CHECKSUM, "BCC 校验不符", "the BCC does not match" };
static const struct complaint WRONG_VIN = { REJECT_SYNTAX, "VIN 不是可见字符", "the VIN is not printable" };
static const struct complaint ENCRYPTED = { REJECT_UNSUPPORTED, "数据单元已加密（RSA 或 AES128），不支持",
	"the data unit is encrypted (RSA or AES128): not supported" };
static const struct complaint NOT_SERVED = { REJECT_UNSUPPORTED, "平台不处理的命令", "a command that the server does not process" };
static const struct complaint NO_TIME = { REJECT_TIME, "数据采集时间缺失或无效", "the time of the data is missing or invalid" };
static const struct complaint UNKNOWN_UNIT = { REJECT_UNSUPPORTED, "未知的信息类型，其后内容无法识别",
	"an unknown type of information: what follows cannot be read" };
static const struct complaint SHORT_UNIT = { REJECT_SYNTAX, "信息体不完整", "a unit of information is cut off" };

// --- framing ---------------------------------------------------------------------------------------------------------

static bool starts(struct str s) { return str_starts(s, STR("##")) || str_starts(s, STR("$$")); }

// Bytes before the next possible beginning, from at on.
static size_t next_start(struct str s, size_t at)
{
	while (at < s.n && !starts(str_skip(s, at)) && !(at + 1 == s.n && (s.p[at] == '#' || s.p[at] == '$'))) {
		at++;
	}
	return at;
}

static size_t data_length(struct str frame)
{
	struct cursor c = cursor_of(str_skip(frame, HEAD - 2));
	return take_be16(&c);
}

static uint8_t bcc_of(struct str frame) // from the command to the last byte of the data
{
	uint8_t x = 0;
	for (size_t i = 2; i + 1 < frame.n; i++) {
		x ^= (uint8_t)frame.p[i];
	}
	return x;
}

static bool check_bcc(struct str frame, struct refusal *why)
{
	uint8_t want = bcc_of(frame), got = (uint8_t)frame.p[frame.n - 1];
	if (want == got) {
		return true;
	}
	refuse_as(why, &WRONG_BCC, frame.n - 1);
	why->want = want;
	why->got = got;
	why->how = 'x';
	return false;
}

struct fed gb32960_feed(struct str in)
{
	struct fed fed = { FEED_MORE, 0, STR_EMPTY, { 0 } };
	size_t start = next_start(in, 0);
	if (start || str_starts(in, STR("$$"))) {
		fed.what = FEED_BAD;
		fed.drop = start ? start : next_start(in, 2);
		refuse_as(&fed.why, start ? &NO_START : &EDITION_2025, 0);
		return fed;
	}
	if (in.n < HEAD) {
		return fed;
	}
	size_t n = HEAD + data_length(in) + 1;
	if (n > HEAD + LIMIT_GB32960_DATA + 1) {
		fed.what = FEED_BAD;
		fed.drop = next_start(in, 1);
		refuse_as(&fed.why, &TOO_LONG, HEAD - 2);
	} else if (in.n >= n) {
		fed.frame = str_first(in, n);
		bool right = check_bcc(fed.frame, &fed.why);
		fed.what = right ? FEED_FRAME : FEED_BAD;
		fed.drop = right ? n : next_start(in, 1); // its length may be what is wrong
	}
	return fed;
}

int64_t gb32960_time(struct str six)
{
	struct cursor c = cursor_of(six);
	uint8_t year = take_u8(&c); // table 5: 0 … 99
	struct civil t = { .year = 2000 + year };
	t.month = take_u8(&c);
	t.day = take_u8(&c);
	t.hour = take_u8(&c);
	t.min = take_u8(&c);
	t.sec = take_u8(&c);
	return cursor_ok(&c) && year < 100 && civil_valid(t) ? time_from_civil(t, ZONE_CHINA_MIN) : INT64_MIN;
}

static bool read_vin(struct gb32960 *m)
{
	m->vin = m->vin_sent;
	while (m->vin.n && (m->vin.p[m->vin.n - 1] == '\0' || m->vin.p[m->vin.n - 1] == ' ')) {
		m->vin.n--;
	}
	for (size_t i = 0; i < m->vin.n; i++) {
		if (m->vin.p[i] <= ' ' || m->vin.p[i] > '~') {
			return false;
		}
	}
	return m->vin.n != 0;
}

bool gb32960_decode(struct str frame, struct gb32960 *ret, struct refusal *why)
{
	*ret = (struct gb32960){ .vin = STR_EMPTY, .vin_sent = STR_EMPTY, .data = STR_EMPTY, .time = INT64_MIN };
	if (!str_starts(frame, STR("##"))) {
		return refuse_as(why, str_starts(frame, STR("$$")) ? &EDITION_2025 : &NO_START, 0);
	}
	if (frame.n < HEAD + 1) {
		return refuse_as(why, &TOO_SHORT, frame.n);
	}
	size_t n = data_length(frame);
	if (n > LIMIT_GB32960_DATA) {
		return refuse_as(why, &TOO_LONG, HEAD - 2);
	}
	if (frame.n != HEAD + n + 1) {
		refuse_as(why, &WRONG_LENGTH, HEAD - 2);
		why->want = (uint32_t)n;
		why->got = (uint32_t)(frame.n - HEAD - 1);
		why->how = 'd';
		return false;
	}
	struct cursor c = cursor_of(str_skip(frame, 2));
	ret->command = take_u8(&c);
	ret->response = take_u8(&c);
	ret->vin_sent = take_str(&c, GB32960_VIN_BYTES);
	ret->encryption = take_u8(&c);
	ret->data = take_str(&c, (size_t)take_be16(&c));
	ret->bcc = take_u8(&c);
	ret->time = gb32960_time(str_first(ret->data, GB32960_TIME_BYTES));
	return check_bcc(frame, why) && (read_vin(ret) || refuse_as(why, &WRONG_VIN, 4));
}

// --- layouts (7.2.3) -------------------------------------------------------------------------------------------------

// One number: value = raw / divisor - offset. All bits set: invalid; one less: abnormal; unless plain (bits, codes).
struct field {
	const char *group, *name;
	uint8_t bytes;
	double divisor, offset;
	bool plain;
};

static const struct field VEHICLE[] = { // table 9
	{ "", "status", 1, 1, 0, false }, { "", "charging", 1, 1, 0, false }, { "", "mode", 1, 1, 0, false }, { "", "speed", 2, 10, 0, false },
	{ "", "mileage", 4, 10, 0, false }, { "", "voltage", 2, 10, 0, false }, { "", "current", 2, 10, 1000, false }, { "", "soc", 1, 1, 0, false },
	{ "", "dcdc", 1, 1, 0, false }, { "", "gear", 1, 1, 0, false }, { "", "insulation", 2, 1, 0, false }, { "", "accelerator", 1, 1, 0, false },
	{ "", "brake", 1, 1, 0, false },
};
static const struct field MOTOR[] = { // table 11, behind the number
	{ "motor", "status", 1, 1, 0, false }, { "motor", "controller_temp", 1, 1, 40, false }, { "motor", "speed", 2, 1, 20000, false },
	{ "motor", "torque", 2, 10, 2000, false }, { "motor", "temp", 1, 1, 40, false }, { "motor", "voltage", 2, 10, 0, false },
	{ "motor", "current", 2, 10, 1000, false },
};
static const struct field FUEL_CELL[] = { // table 12, before the probes
	{ "fuelcell", "voltage", 2, 10, 0, false }, { "fuelcell", "current", 2, 10, 0, false }, { "fuelcell", "consumption", 2, 100, 0, false },
};
static const struct field PROBE = { "fuelcell", "temp", 1, 1, 40, false };
static const struct field HYDROGEN[] = { // table 12, behind the probes
	{ "hydrogen", "max_temp", 2, 10, 40, false }, { "hydrogen", "max_temp_probe", 1, 1, 0, false },
	{ "hydrogen", "max_concentration", 2, 1, 0, false }, { "hydrogen", "max_concentration_sensor", 1, 1, 0, false },
	{ "hydrogen", "max_pressure", 2, 10, 0, false }, { "hydrogen", "max_pressure_sensor", 1, 1, 0, false }, { "fuelcell", "dcdc", 1, 1, 0, false },
};
static const struct field ENGINE[] = { // table 13
	{ "engine", "status", 1, 1, 0, false }, { "engine", "speed", 2, 1, 0, false }, { "engine", "consumption", 2, 100, 0, false },
};
static const struct field EXTREMES[] = { // table 16
	{ "cell", "max_voltage_battery", 1, 1, 0, false }, { "cell", "max_voltage_cell", 1, 1, 0, false }, { "cell", "max_voltage", 2, 1000, 0, false },
	{ "cell", "min_voltage_battery", 1, 1, 0, false }, { "cell", "min_voltage_cell", 1, 1, 0, false }, { "cell", "min_voltage", 2, 1000, 0, false },
	{ "probe", "max_temp_battery", 1, 1, 0, false }, { "probe", "max_temp_probe", 1, 1, 0, false }, { "probe", "max_temp", 1, 1, 40, false },
	{ "probe", "min_temp_battery", 1, 1, 0, false }, { "probe", "min_temp_probe", 1, 1, 0, false }, { "probe", "min_temp", 1, 1, 40, false },
};
static const struct field ALARM[] = { { "alarm", "level", 1, 1, 0, false }, { "", "alarm", 4, 1, 0, true } }; // table 17
static const struct field FAULTS[] = {
	{ "faults", "battery", 1, 1, 0, false }, { "faults", "motor", 1, 1, 0, false }, { "faults", "engine", 1, 1, 0, false },
	{ "faults", "other", 1, 1, 0, false },
};
static const struct field BATTERY[] = { { "battery", "voltage", 2, 10, 0, false }, { "battery", "current", 2, 10, 1000, false },
	{ "battery", "total_cells", 2, 1, 0, false } }; // annex A
static const struct field CELL = { "battery", "cell", 2, 1000, 0, false };
static const struct field BATTERY_TEMP = { "battery", "temp", 1, 1, 40, false };

static size_t counted(uint32_t count) { return count >= 0xfe && count <= 0xff ? 0 : count; } // FE, FF: not known

// Bytes of the unit at the front of c, which it moves over; cursor failed: cut off. False: unknown type.
static bool skip_unit(uint8_t type, struct cursor *c)
{
	size_t n = 0;
	switch (type) {
	case 1: take_str(c, 20); return true;
	case 2: take_str(c, 12 * counted(take_u8(c))); return true;
	case 3: take_str(c, 6); n = take_be16(c); take_str(c, (n >= 0xfffe ? 0 : n) + 10); return true;
	case 4: take_str(c, 5); return true;
	case 5: take_str(c, 9); return true;
	case 6: take_str(c, 14); return true;
	case 7:
		take_str(c, 5);
		for (int list = 0; list < 4; list++)
			take_str(c, 4 * counted(take_u8(c)));
		return true;
	case 8:
		for (n = counted(take_u8(c)); n && cursor_ok(c); n--) {
			take_str(c, 9);
			take_str(c, 2 * counted(take_u8(c)));
		}
		return true;
	case 9:
		for (n = counted(take_u8(c)); n && cursor_ok(c); n--) {
			take_u8(c);
			size_t probes = take_be16(c);
			take_str(c, probes >= 0xfffe ? 0 : probes);
		}
		return true;
	default: return false;
	}
}

struct str gb32960_units(const struct gb32960 *m)
{
	bool report = m->command == GB32960_REALTIME || m->command == GB32960_REISSUE;
	return report && m->response == GB32960_COMMAND ? str_skip(m->data, GB32960_TIME_BYTES) : STR_EMPTY;
}

bool gb32960_next(struct str *rest, struct gb32960_unit *ret, struct refusal *why)
{
	if (!rest->n) {
		return false;
	}
	struct cursor c = cursor_of(*rest);
	uint8_t type = take_u8(&c);
	struct cursor end = c;
	if (type >= 0x80 && type <= 0xfe) { // 7.2.3.10: of the maker, with its length
		take_str(&end, (size_t)take_be16(&end));
	} else if (!skip_unit(type, &end)) {
		return refuse_as(why, &UNKNOWN_UNIT, 0);
	}
	if (!cursor_ok(&end)) {
		return refuse_as(why, &SHORT_UNIT, 0);
	}
	ret->type = type;
	ret->body = take_str(&c, (size_t)(end.p - c.p));
	*rest = take_rest(&end);
	return true;
}

struct visitor {
	void (*visit)(void *owner, const struct gb32960_value *v);
	void *owner;
	struct cursor c;
	unsigned member, number;
};

static void visit_field(struct visitor *v, const struct field *f, bool many, unsigned index)
{
	uint32_t raw = f->bytes == 1 ? take_u8(&v->c) : f->bytes == 2 ? take_be16(&v->c) : take_be32(&v->c);
	uint32_t top = f->bytes == 4 ? UINT32_MAX : (1u << 8 * f->bytes) - 1;
	struct gb32960_value out = { f->group, v->member, v->number, f->name, many, index, raw, raw / f->divisor - f->offset, GB32960_VALID };
	if (!f->plain && raw >= top - 1) {
		out.state = raw == top ? GB32960_INVALID : GB32960_ABNORMAL;
	}
	if (f->offset != 0) { // in whole steps: -5.1, not 994.9 - 1000
		out.value = (raw - f->offset * f->divisor) / f->divisor;
	}
	if (cursor_ok(&v->c)) {
		v->visit(v->owner, &out);
	}
}

static void visit_one(struct visitor *v, const struct field *f) { visit_field(v, f, false, 0); }

static void visit_all(struct visitor *v, const struct field *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		visit_one(v, &f[i]);
	}
}

static void visit_fuel_cell(struct visitor *v)
{
	visit_all(v, FUEL_CELL, ARRAY_LEN(FUEL_CELL));
	unsigned n = take_be16(&v->c);
	for (unsigned i = 1; n < 0xfffe && i <= n; i++) {
		visit_field(v, &PROBE, true, i);
	}
	visit_all(v, HYDROGEN, ARRAY_LEN(HYDROGEN));
}

static void visit_position(struct visitor *v) // table 14; FFFFFFFF and FFFFFFFE are beyond the poles too
{
	uint8_t status = take_u8(&v->c);
	uint32_t lon = take_be32(&v->c), lat = take_be32(&v->c);
	enum gb32960_state state = status & 1 || lon > 180000000u || lat > 90000000u ? GB32960_INVALID : GB32960_VALID;
	struct gb32960_value x = { "", 0, 0, "lon", false, 0, lon, (status & 4 ? -1 : 1) * (lon / 1e6), state };
	struct gb32960_value y = { "", 0, 0, "lat", false, 0, lat, (status & 2 ? -1 : 1) * (lat / 1e6), state };
	v->visit(v->owner, &x);
	v->visit(v->owner, &y);
}

static void visit_alarms(struct visitor *v)
{
	visit_all(v, ALARM, ARRAY_LEN(ALARM));
	for (size_t i = 0; i < ARRAY_LEN(FAULTS); i++) {
		struct cursor count = v->c;
		visit_one(v, &FAULTS[i]);
		take_str(&v->c, 4 * counted(take_u8(&count)));
	}
}

static void visit_batteries(struct visitor *v, bool temperature)
{
	for (size_t n = counted(take_u8(&v->c)); n; n--) {
		v->member++;
		v->number = take_u8(&v->c);
		unsigned first = 1, cells;
		if (temperature) {
			cells = take_be16(&v->c);
			cells = cells >= 0xfffe ? 0 : cells;
		} else {
			visit_all(v, BATTERY, ARRAY_LEN(BATTERY));
			first = take_be16(&v->c);
			cells = (unsigned)counted(take_u8(&v->c));
		}
		for (unsigned i = 0; i < cells; i++) {
			visit_field(v, temperature ? &BATTERY_TEMP : &CELL, true, first + i);
		}
	}
}

void gb32960_visit(const struct gb32960_unit *u, void (*visit)(void *owner, const struct gb32960_value *v), void *owner)
{
	struct visitor v = { visit, owner, cursor_of(u->body), 0, 0 };
	switch (u->type) {
	case 1: visit_all(&v, VEHICLE, ARRAY_LEN(VEHICLE)); break;
	case 2:
		for (size_t n = counted(take_u8(&v.c)); n; n--) {
			v.member++;
			v.number = take_u8(&v.c);
			visit_all(&v, MOTOR, ARRAY_LEN(MOTOR));
		}
		break;
	case 3: visit_fuel_cell(&v); break;
	case 4: visit_all(&v, ENGINE, ARRAY_LEN(ENGINE)); break;
	case 5: visit_position(&v); break;
	case 6: visit_all(&v, EXTREMES, ARRAY_LEN(EXTREMES)); break;
	case 7: visit_alarms(&v); break;
	case 8: case 9: visit_batteries(&v, u->type == 9); break;
	default: break;
	}
}

bool gb32960_faults(const struct gb32960_unit *u, unsigned list, struct str *ret_codes)
{
	struct cursor c = cursor_of(str_skip(u->body, 5));
	for (unsigned i = 0; u->type == 7 && i <= list && i < ARRAY_LEN(FAULTS); i++) {
		*ret_codes = take_str(&c, 4 * counted(take_u8(&c)));
	}
	return u->type == 7 && list < ARRAY_LEN(FAULTS) && cursor_ok(&c);
}

// --- readings --------------------------------------------------------------------------------------------------------

struct emitter {
	struct arena *arena;
	const struct decode_sink *sink;
	int64_t time;
	uint16_t flags;
};

static void emit(const struct emitter *e, struct str name, double value, enum quality q)
{
	struct decoded d = { .name = name, .alias = STR_EMPTY, .time = e->time, .value = value, .quality = q,
			     .flags = e->flags, .optional = true };
	e->sink->reading(e->sink->owner, &d);
}

static void emit_value(void *owner, const struct gb32960_value *v)
{
	const struct emitter *e = owner;
	bool good = v->state == GB32960_VALID;
	struct str name = str_of(v->name);
	if (v->member) {
		name = arena_printf(e->arena, v->many ? "%s%u.%s%u" : "%s%u.%s", v->group, v->number, v->name, v->index);
	} else if (*v->group) {
		name = arena_printf(e->arena, v->many ? "%s.%s%u" : "%s.%s", v->group, v->name, v->index);
	}
	emit(e, name, good ? v->value : 0, good ? Q_GOOD : Q_BAD);
	if (!*v->group && strcmp(v->name, "alarm") == 0) {
		for (unsigned bit = 0; gb32960_alarm_name(bit); bit++) {
			emit(e, arena_printf(e->arena, "alarm.%s", gb32960_alarm_name(bit)), v->raw >> bit & 1, Q_GOOD);
		}
	}
}

bool gb32960_readings(const struct gb32960 *m, struct arena *arena, const struct decode_sink *sink, struct refusal *why)
{
	if (m->encryption != GB32960_PLAIN && m->data.n) {
		return refuse_as(why, &ENCRYPTED, HEAD - 3);
	}
	if (m->response != GB32960_COMMAND) {
		return true;
	}
	if (m->command > GB32960_TIME || !m->command || m->command == GB32960_PLATFORM_LOGIN || m->command == GB32960_PLATFORM_LOGOUT) {
		return refuse_as(why, &NOT_SERVED, 2);
	}
	struct str rest = gb32960_units(m);
	struct emitter e = { arena, sink, m->time, m->command == GB32960_REISSUE ? READING_HISTORY : 0 };
	struct gb32960_unit u;
	struct refusal part;
	bool report = m->command == GB32960_REALTIME || m->command == GB32960_REISSUE;
	if (report && m->time == INT64_MIN) {
		return refuse_as(why, &NO_TIME, HEAD);
	}
	while (gb32960_next(&rest, &u, &part)) {
		gb32960_visit(&u, emit_value, &e);
	}
	if (rest.n) { // the units before it count
		sink->refuse(sink->owner, part.reason, arena_printf(arena, "unit 0x%02X", (uint8_t)rest.p[0]));
	}
	return true;
}

// --- answers ---------------------------------------------------------------------------------------------------------

void gb32960_frame(uint8_t command, uint8_t response, struct str vin, struct str data, struct buf *out)
{
	size_t before = out->n;
	buf_add_cstr(out, "##");
	buf_add_u8(out, command);
	buf_add_u8(out, response);
	buf_add_str(out, vin);
	buf_add_u8(out, GB32960_PLAIN);
	buf_add_be16(out, (uint16_t)data.n);
	buf_add_str(out, data);
	buf_add_u8(out, 0);
	if (buf_ok(out)) {
		out->p[out->n - 1] = (char)bcc_of(str_from(out->p + before, out->n - before));
	}
}

void gb32960_put_time(int64_t at, char ret[GB32960_TIME_BYTES])
{
	struct civil t = time_to_civil(at, ZONE_CHINA_MIN);
	const char six[GB32960_TIME_BYTES] = { (char)(t.year - 2000), (char)t.month, (char)t.day, (char)t.hour, (char)t.min, (char)t.sec };
	memcpy(ret, six, sizeof six);
}

void gb32960_answer(const struct gb32960 *m, bool accepted, int64_t now, struct buf *out)
{
	char present[GB32960_TIME_BYTES];
	if (m->response != GB32960_COMMAND || m->vin_sent.n != GB32960_VIN_BYTES) {
		return;
	}
	bool plain = m->encryption == GB32960_PLAIN;
	struct str data = plain && m->time != INT64_MIN ? str_first(m->data, sizeof present) : STR_EMPTY;
	if (m->command == GB32960_TIME && accepted) {
		gb32960_put_time(now, present);
		data = str_from(present, sizeof present);
	}
	gb32960_frame(m->command, accepted ? GB32960_SUCCESS : GB32960_ERROR, m->vin_sent, data, out);
}
