// A GB/T 26875.3 packet as JSON: the standard's terms in English snake case. See decoders.h.
#include "gate/decode/decoders.h"

#include "base/cursor.h"

static void put_system(struct jw *w, struct cursor *c)
{
	uint8_t type = take_u8(c);
	print_code(w, "system_type", "system_type_name", type, gb26875_system_name(type));
	jw_ki64(w, "system_address", take_u8(c));
}

// As a number (low byte first) and as sent, because makers divide the four bytes in their own ways.
static void put_address(struct jw *w, struct cursor *c)
{
	struct str bytes = take_str(c, 4);
	struct cursor number = cursor_of(bytes);
	jw_ki64(w, "component_address", take_le32(&number));
	print_hex(w, "component_address_bytes", bytes);
}

static void put_component(struct jw *w, struct cursor *c)
{
	uint8_t type = take_u8(c);
	print_code(w, "component_type", "component_type_name", type, gb26875_component_name(type));
	put_address(w, c);
}

// Bit 0 (1: in normal operation, 0: under test) is shown apart: devices disagree about it.
static void put_status(struct jw *w, uint8_t type, uint16_t status)
{
	jw_ki64(w, "status", status);
	jw_kbool(w, "normal", status & 1);
	jw_karr(w, "status_bits");
	for (unsigned bit = 1; bit < 16; bit++) {
		const char *name = gb26875_status_name(type, bit);
		if (name && (status >> bit & 1)) {
			jw_cstr(w, name);
		}
	}
	jw_end(w);
}

static void put_operation(struct jw *w, uint8_t type, struct cursor *c)
{
	uint8_t flag = take_u8(c);
	jw_ki64(w, "operation", flag);
	jw_karr(w, "operation_bits");
	for (unsigned bit = 0; bit < 8; bit++) {
		const char *name = gb26875_operation_name(type, bit);
		if (name && (flag >> bit & 1)) {
			jw_cstr(w, name);
		}
	}
	jw_end(w);
	jw_ki64(w, "operator", take_u8(c));
}

static void put_analog(struct jw *w, struct cursor *c)
{
	const char *unit;
	unsigned divisor;
	uint8_t type = take_u8(c);
	const char *name = gb26875_analog_name(type, &unit, &divisor);
	print_code(w, "analog_type", "analog_type_name", type, name);
	int16_t raw = (int16_t)take_le16(c);
	jw_kf64(w, "value", raw / (double)divisor);
	if (unit) {
		jw_kcstr(w, "unit", unit);
	}
	jw_ki64(w, "raw", raw);
}

static void put_version(struct jw *w, struct cursor *c)
{
	jw_ki64(w, "main_version", take_u8(c));
	jw_ki64(w, "sub_version", take_u8(c));
}

static void put_configuration(struct jw *w, struct cursor *c)
{
	size_t n = take_u8(c);
	print_text(w, "description", take_str(c, n));
}

static void put_label(struct jw *w, const char *key, struct cursor *c, bool bcd)
{
	print_time(w, key, gb26875_time(take_str(c, 6), bcd));
}

static void put_body(struct jw *w, uint8_t type, struct cursor *c, bool bcd)
{
	if (type <= 8 || (type >= 61 && type <= 68)) {
		put_system(w, c);
	}
	switch (type) {
	case 1: put_status(w, type, take_le16(c)); break;
	case 2: put_component(w, c); put_status(w, type, take_le16(c)); print_text(w, "description", take_rest(c)); break;
	case 3: put_component(w, c); put_analog(w, c); break;
	case 4: case 24: put_operation(w, type, c); break;
	case 5: case 25: put_version(w, c); break;
	case 6: case 26: put_configuration(w, c); break;
	case 7: put_component(w, c); print_text(w, "description", take_rest(c)); break;
	case 8: case 28: case 90: put_label(w, "system_time", c, bcd); break;
	case 21: put_status(w, type, take_u8(c)); break;
	case 62: case 63: case 67: put_address(w, c); break;
	case 64: case 84: jw_ki64(w, "records", take_u8(c)); put_label(w, "start_time", c, bcd); break;
	case 81: case 85: case 86: case 88: case 89: jw_ki64(w, "reserved", take_u8(c)); break;
	case 91: jw_ki64(w, "answer_within_minutes", take_u8(c)); break;
	default: break;
	}
}

static void put_unit(struct jw *w, const struct gb26875 *m)
{
	struct gb26875_walk walk = gb26875_objects(m);
	struct gb26875_object o;
	print_code(w, "type", "type_name", walk.type, walk.type >= 128 ? "user_defined" : gb26875_type_name(walk.type));
	jw_ki64(w, "count", walk.count);
	if (!walk.known) {
		print_hex(w, "data", walk.rest);
		return;
	}
	jw_karr(w, "objects");
	while (gb26875_next(&walk, &o)) {
		struct cursor c = cursor_of(o.body);
		jw_obj(w);
		put_body(w, walk.type, &c, m->bcd);
		if (o.labelled) {
			print_time(w, "time", o.time);
		}
		jw_end(w);
	}
	jw_end(w);
}

bool print_gb26875(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why)
{
	(void)arena, (void)now;
	struct gb26875 m;
	if (!gb26875_decode(frame, false, &m, why)) {
		return false;
	}
	jw_ki64(w, "sequence", m.seq);
	jw_ki64(w, "main_version", m.main_version);
	jw_ki64(w, "user_version", m.user_version);
	print_time(w, "time", m.time);
	print_hex(w, "source", str_from((const char *)m.source, sizeof(m.source)));
	print_hex(w, "destination", str_from((const char *)m.destination, sizeof(m.destination)));
	jw_ki64(w, "length", (int64_t)m.data.n);
	print_code(w, "command", "command_name", m.command, gb26875_command_name(m.command));
	bool own = !gb26875_command_name(m.command); // a command of the user's: what it holds may only look like a unit
	if (m.data.n && own && (m.data.n < 2 || gb26875_objects(&m).known)) {
		print_hex(w, "data", m.data);
	} else if (m.data.n) {
		put_unit(w, &m);
	}
	return true;
}
