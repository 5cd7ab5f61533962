// A JT/T 808 message as JSON: the standard's terms in English snake case. See decoders.h.
#include "gate/decode/decoders.h"
#include "gate/decode/jt808.h"

#include "base/cursor.h"

typedef const char *bit_name(unsigned bit, bool edition_2019);

static void put_bits(struct jw *w, const char *key, const char *bits_key, uint32_t bits, bit_name *name, bool edition_2019)
{
	jw_ki64(w, key, bits);
	jw_karr(w, bits_key);
	for (unsigned bit = 0; bit < 32; bit++) {
		const char *n = name(bit, edition_2019);
		if (n && (bits >> bit & 1)) {
			jw_cstr(w, n);
		}
	}
	jw_end(w);
}

// 2013 table 26, 2019 table 30.
static const char *signal_name(unsigned bit, bool edition_2019)
{
	static const char *const names[] = { "low_beam", "high_beam", "right_turn", "left_turn", "brake", "reverse", "fog_lamp", "marker_lamp",
		"horn", "air_conditioner", "neutral", "retarder", "abs", "heater", "clutch" };
	(void)edition_2019;
	return bit < ARRAY_LEN(names) ? names[bit] : NULL;
}

static const char *io_name(unsigned bit, bool edition_2019)
{
	(void)edition_2019;
	return bit == 0 ? "deep_sleep" : bit == 1 ? "sleep" : NULL;
}

static void put_area(struct jw *w, uint8_t id, struct cursor *c)
{
	if (id != 0x13) {
		jw_ki64(w, "position_type", take_u8(c));
	}
	if (cursor_left(c) >= 4) {
		jw_ki64(w, id == 0x13 ? "segment_id" : "area_id", take_be32(c));
	}
	if (id == 0x12) {
		jw_ki64(w, "direction", take_u8(c)); // 0 in, 1 out
	} else if (id == 0x13) {
		jw_ki64(w, "driving_time", take_be16(c)); // s
		jw_ki64(w, "result", take_u8(c));         // 0 too short, 1 too long
	}
}

// Extras whose value is more than one number. False: not one of them, or not of their length.
static bool put_structured(struct jw *w, uint8_t id, struct str value)
{
	struct cursor c = cursor_of(value);
	if ((id == 0x11 && (value.n == 1 || value.n == 5)) || (id == 0x12 && value.n == 6) || (id == 0x13 && value.n == 7)) {
		jw_kobj(w, id == 0x11 ? "overspeed_alarm" : id == 0x12 ? "in_out_alarm" : "segment_time_alarm");
		put_area(w, id, &c);
		jw_end(w);
		return true;
	}
	if (id == 0x05 && value.n == 30) {
		jw_karr(w, "tyre_pressure"); // kPa; FF: no tyre there
		while (cursor_left(&c)) {
			uint8_t v = take_u8(&c);
			v == 0xff ? jw_null(w) : jw_i64(w, v);
		}
		jw_end(w);
		return true;
	}
	return false;
}

static void put_number(struct jw *w, uint8_t id, const char *name, struct str value, double divisor)
{
	struct cursor c = cursor_of(value);
	uint32_t raw = value.n == 1 ? take_u8(&c) : value.n == 2 ? take_be16(&c) : take_be32(&c);
	if (id == 0x25) {
		put_bits(w, name, "vehicle_signal_bits", raw, signal_name, false);
	} else if (id == 0x2a) {
		put_bits(w, name, "io_status_bits", raw, io_name, false);
	} else if (id == 0x2b) {
		jw_ki64(w, name, raw);
		jw_ki64(w, "ad0", raw & 0xffff);
		jw_ki64(w, "ad1", raw >> 16);
	} else if (id == 0x06) {
		jw_ki64(w, name, (int64_t)jt808_carriage_temp((uint16_t)raw));
	} else {
		jw_kf64(w, name, raw / divisor);
	}
}

static bool seen_before(struct str extras, size_t before, uint8_t id)
{
	struct str rest = extras, value;
	uint8_t other;
	while (rest.n > before && jt808_extra(&rest, &other, &value)) {
		if (rest.n >= before && other == id) {
			return true;
		}
	}
	return false;
}

// Known ones by name, once; then all of them as {id, hex} in their order; what is cut off as "rest".
static void put_extras(struct jw *w, struct str extras)
{
	struct str rest = extras, value;
	uint8_t id;
	double divisor;
	for (size_t before = rest.n; jt808_extra(&rest, &id, &value); before = rest.n) {
		const char *name = seen_before(extras, before, id) ? NULL : jt808_extra_name(id, value.n, &divisor);
		if (name) {
			put_number(w, id, name, value, divisor);
		} else if (!seen_before(extras, before, id)) {
			put_structured(w, id, value);
		}
	}
	if (rest.n) {
		print_hex(w, "rest", rest);
	}
	jw_karr(w, "extras");
	rest = extras;
	while (jt808_extra(&rest, &id, &value)) {
		jw_obj(w);
		jw_ki64(w, "id", id);
		print_hex(w, "hex", value);
		jw_end(w);
	}
	jw_end(w);
}

static bool put_position(struct jw *w, struct str body, bool edition_2019)
{
	static const char *const loads[] = { "empty", "half", "reserved", "full" };
	struct jt808_position p;
	if (!jt808_position(body, &p)) {
		return false;
	}
	put_bits(w, "alarm", "alarm_bits", p.alarm, jt808_alarm_name, edition_2019);
	put_bits(w, "status", "status_bits", p.status, jt808_status_name, edition_2019);
	jw_kbool(w, "fixed", p.status & JT808_STATUS_FIXED);
	jw_kcstr(w, "load", loads[p.status >> 8 & 3]);
	jw_kf64(w, "latitude", p.lat);
	jw_kf64(w, "longitude", p.lon);
	jw_ki64(w, "altitude", p.altitude);
	jw_kf64(w, "speed", p.speed);
	jw_ki64(w, "direction", p.direction);
	print_time(w, "time", p.time);
	put_extras(w, p.extras);
	return true;
}

static bool put_batch(struct jw *w, const struct jt808 *m)
{
	struct jt808_batch b;
	struct str body;
	if (!jt808_batch(m->body, &b)) {
		return false;
	}
	bool ok = true;
	unsigned n = 0;
	jw_ki64(w, "count", b.count);
	print_code(w, "type", "type_name", b.type, b.type == 0 ? "normal" : b.type == 1 ? "blind_area" : NULL);
	jw_karr(w, "positions");
	for (; ok && jt808_batch_next(&b, &body); n++) {
		jw_obj(w);
		ok = put_position(w, body, m->edition_2019);
		jw_end(w);
	}
	jw_end(w);
	return ok && n == b.count && !b.rest.n;
}

// The model has 8 bytes in the edition of 2011, 20 in that of 2013: what is too short for that is of 2011.
static bool put_register(struct jw *w, const struct jt808 *m)
{
	struct cursor c = cursor_of(m->body);
	bool long_fields = m->edition_2019 && m->body.n >= 76;
	jw_ki64(w, "province", take_be16(&c));
	jw_ki64(w, "city", take_be16(&c));
	print_text(w, "manufacturer", take_str(&c, long_fields ? 11 : 5));
	print_text(w, "model", take_str(&c, long_fields ? 30 : m->body.n < 37 ? 8 : 20));
	print_text(w, "terminal_id", take_str(&c, long_fields ? 30 : 7));
	jw_ki64(w, "plate_color", take_u8(&c)); // 0: not yet registered, then plate is the VIN
	bool ok = cursor_ok(&c);
	print_text(w, "plate", take_rest(&c));
	return ok;
}

static bool put_authenticate(struct jw *w, const struct jt808 *m)
{
	struct str code = jt808_auth_code(m);
	print_text(w, "auth_code", code); // empty: a wrong code, not a wrong message
	if (!m->edition_2019) {
		return true;
	}
	struct cursor c = cursor_of(m->body);
	take_str(&c, (size_t)take_u8(&c));
	print_text(w, "imei", take_str(&c, 15));
	print_text(w, "software_version", take_rest(&c));
	return cursor_ok(&c);
}

static bool put_ack(struct jw *w, struct cursor *c)
{
	static const char *const results[] = { "ok", "failed", "wrong", "unsupported", "alarm_confirmed" };
	jw_ki64(w, "ack_sequence", take_be16(c));
	uint16_t id = take_be16(c);
	print_code(w, "ack_id", "ack_name", id, jt808_name(id));
	uint8_t result = take_u8(c);
	print_code(w, "result", "result_name", result, result < ARRAY_LEN(results) ? results[result] : NULL);
	return cursor_done(c);
}

static bool put_registered(struct jw *w, struct cursor *c)
{
	static const char *const results[] = { "ok", "vehicle_registered", "no_such_vehicle", "terminal_registered", "no_such_terminal" };
	jw_ki64(w, "ack_sequence", take_be16(c));
	uint8_t result = take_u8(c);
	print_code(w, "result", "result_name", result, result < ARRAY_LEN(results) ? results[result] : NULL);
	bool ok = cursor_ok(c);
	if (result == 0) {
		print_text(w, "auth_code", take_rest(c));
	}
	return ok;
}

// Of 0104 and 8103: id, length, value. Numbers of 1, 2 and 4 bytes also as such.
static bool put_parameters(struct jw *w, struct cursor *c, unsigned n)
{
	jw_ki64(w, "count", n);
	jw_karr(w, "parameters");
	while (cursor_left(c) && cursor_ok(c)) {
		uint32_t id = take_be32(c);
		size_t bytes = take_u8(c);
		struct str value = take_str(c, bytes);
		struct cursor number = cursor_of(value);
		jw_obj(w);
		jw_ki64(w, "id", id);
		if (bytes == 1 || bytes == 2 || bytes == 4) {
			jw_ki64(w, "value", bytes == 1 ? take_u8(&number) : bytes == 2 ? take_be16(&number) : take_be32(&number));
		} else {
			print_text(w, "text", value);
		}
		print_hex(w, "hex", value);
		jw_end(w);
	}
	jw_end(w);
	return cursor_ok(c);
}

static bool put_attributes(struct jw *w, struct cursor *c, bool edition_2019)
{
	jw_ki64(w, "terminal_type", take_be16(c));
	print_text(w, "manufacturer", take_str(c, edition_2019 ? 11 : 5));
	print_text(w, "model", take_str(c, edition_2019 ? 30 : 20));
	print_text(w, "terminal_id", take_str(c, edition_2019 ? 30 : 7));
	print_hex(w, "iccid", take_str(c, 10));
	print_text(w, "hardware_version", take_str(c, take_u8(c)));
	print_text(w, "firmware_version", take_str(c, take_u8(c)));
	jw_ki64(w, "gnss", take_u8(c));
	jw_ki64(w, "communication", take_u8(c));
	return cursor_ok(c);
}

static bool put_text_down(struct jw *w, struct cursor *c, bool edition_2019)
{
	jw_ki64(w, "flags", take_u8(c));
	if (edition_2019) {
		jw_ki64(w, "text_type", take_u8(c));
	}
	bool ok = cursor_ok(c);
	print_text(w, "text", take_rest(c));
	return ok;
}

static bool put_body(struct jw *w, const struct jt808 *m)
{
	struct cursor c = cursor_of(m->body);
	switch (m->id) {
	case JT808_ACK: case JT808_SERVER_ACK: return put_ack(w, &c);
	case JT808_HEARTBEAT: case JT808_LOGOUT: case JT808_ASK_TIME: case JT808_GET_PARAMETERS: case JT808_GET_POSITION: return true;
	case JT808_REGISTER: return put_register(w, m);
	case JT808_AUTHENTICATE: return put_authenticate(w, m);
	case JT808_PARAMETERS: jw_ki64(w, "ack_sequence", take_be16(&c)); return put_parameters(w, &c, take_u8(&c));
	case JT808_SET_PARAMETERS: return put_parameters(w, &c, take_u8(&c));
	case JT808_ATTRIBUTES: return put_attributes(w, &c, m->edition_2019);
	case JT808_POSITION: return put_position(w, m->body, m->edition_2019);
	case JT808_POSITION_ANSWER: jw_ki64(w, "ack_sequence", take_be16(&c)); return put_position(w, str_skip(m->body, 2), m->edition_2019);
	case JT808_BATCH: return put_batch(w, m);
	case JT808_PASS_UP: case 0x8900: jw_ki64(w, "pass_through_type", take_u8(&c)); print_hex(w, "data", take_rest(&c)); return cursor_ok(&c);
	case JT808_SERVER_TIME: print_time(w, "time", jt808_time(m->body)); return true;
	case JT808_REGISTERED: return put_registered(w, &c);
	case JT808_TEXT: return put_text_down(w, &c, m->edition_2019);
	default: print_hex(w, "body", m->body); return true;
	}
}

bool print_jt808(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why)
{
	(void)now;
	struct jt808 m;
	if (!jt808_decode(frame, arena, &m, why)) {
		return false;
	}
	if (m.encryption) {
		return refuse_at(why, REJECT_UNSUPPORTED, 3, "消息体已加密（RSA），不支持", "the body is encrypted (RSA): not supported");
	}
	print_code(w, "id", "name", m.id, jt808_name(m.id));
	const char id[2] = { (char)(m.id >> 8), (char)m.id };
	print_hex(w, "id_hex", str_from(id, sizeof(id)));
	jw_ki64(w, "checksum", m.checksum);
	jw_ki64(w, "attributes", m.attributes);
	jw_ki64(w, "length", m.attributes & 1023);
	jw_ki64(w, "encryption", m.encryption);
	jw_ki64(w, "edition", m.edition_2019 ? 2019 : 2013);
	jw_kbool(w, "version_bit", m.attributes >> 14 & 1);
	if (m.edition_2019) {
		jw_ki64(w, "protocol_version", m.version);
	}
	jw_kstr(w, "phone", str_from(m.phone, m.digits));
	jw_kstr(w, "device", jt808_device(&m));
	jw_ki64(w, "sequence", m.seq);
	if (m.parts) {
		jw_ki64(w, "packets", m.parts);
		jw_ki64(w, "packet", m.part);
	}
	if (m.parts > 1) {
		print_hex(w, "body", m.body);
		return true;
	}
	return put_body(w, &m) || refuse_at(why, REJECT_SYNTAX, 0, "消息体与消息的格式不符", "the body does not fit the message");
}
