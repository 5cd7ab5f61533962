// A GB/T 32960.3 packet as JSON: the standard's terms in English snake case. See decoders.h.
#include "gate/decode/decoders.h"
#include "gate/decode/gb32960.h"

#include "base/cursor.h"

// Where the writer stands in a unit: members of motors and batteries are objects of their own, cells and probes lists.
struct place {
	struct jw *w;
	unsigned member;   // the object that is open, 0: none
	bool list;         // a list is open
	unsigned bad;      // values that are abnormal or invalid
};

static void close_list(struct place *p)
{
	if (p->list) {
		jw_end(p->w);
	}
	p->list = false;
}

static void close_member(struct place *p)
{
	close_list(p);
	if (p->member) {
		jw_end(p->w);
	}
	p->member = 0;
}

static void put_value(void *owner, const struct gb32960_value *v)
{
	struct place *p = owner;
	struct jw *w = p->w;
	if (v->member != p->member) {
		close_member(p);
		jw_obj(w);
		jw_ki64(w, "number", v->number);
		p->member = v->member;
	}
	if (v->many && !p->list) {
		if (strcmp(v->name, "cell") == 0) {
			jw_ki64(w, "first_cell", v->index);
		}
		jw_karr(w, strcmp(v->name, "cell") == 0 ? "cells" : "temps");
		p->list = true;
	} else if (!v->many) {
		close_list(p);
		bool hydrogen = strcmp(v->group, "hydrogen") == 0, faults = strcmp(v->group, "faults") == 0;
		char key[48];
		struct buf b = { .p = key, .cap = sizeof(key), .max = sizeof(key) };
		buf_printf(&b, "%s%s", hydrogen ? "hydrogen_" : faults ? "faults_" : "", strcmp(v->name, "lon") == 0 ? "longitude" : strcmp(v->name, "lat") == 0 ? "latitude" : v->name);
		jw_key_str(w, buf_str(&b));
	}
	if (v->state == GB32960_VALID) {
		jw_f64(w, v->value);
	} else {
		jw_null(w);
		p->bad++;
	}
}

static void put_alarms(struct jw *w, const struct gb32960_unit *u)
{
	static const char *const lists[] = { "battery_codes", "motor_codes", "engine_codes", "other_codes" };
	struct cursor c = cursor_of(str_skip(u->body, 1));
	uint32_t bits = take_be32(&c);
	jw_karr(w, "alarm_bits");
	for (unsigned bit = 0; gb32960_alarm_name(bit); bit++) {
		if (bits >> bit & 1) {
			jw_cstr(w, gb32960_alarm_name(bit));
		}
	}
	jw_end(w);
	for (unsigned i = 0; i < ARRAY_LEN(lists); i++) {
		struct str codes = STR_EMPTY;
		jw_karr(w, lists[i]);
		if (gb32960_faults(u, i, &codes)) {
			for (struct cursor f = cursor_of(codes); cursor_left(&f);) {
				jw_i64(w, take_be32(&f));
			}
		}
		jw_end(w);
	}
}

// What is no number of its own: bits and codes.
static void put_rest_of(struct jw *w, const struct gb32960_unit *u)
{
	struct cursor c = cursor_of(u->body);
	if (u->type == 1) {
		take_str(&c, 15);
		uint8_t gear = take_u8(&c); // table A.1
		static const char *const gears[] = { "N", "1", "2", "3", "4", "5", "6", NULL, NULL, NULL, NULL, NULL, NULL, "R", "D", "P" };
		if (gear >> 6 == 0) { // the upper bits are reserved: FE and FF are no gear
			jw_kcstr(w, "gear_position", gears[gear & 15]);
			jw_kbool(w, "driving_force", gear >> 5 & 1);
			jw_kbool(w, "braking_force", gear >> 4 & 1);
		}
	} else if (u->type == 5) {
		uint8_t status = take_u8(&c);
		jw_ki64(w, "status", status);
		jw_kbool(w, "valid", !(status & 1));
	} else if (u->type == 7) {
		put_alarms(w, u);
	}
}

static void put_unit(struct jw *w, const struct gb32960_unit *u)
{
	struct place p = { .w = w };
	bool members = u->type == 2 || u->type == 8 || u->type == 9;
	print_code(w, "type", "type_name", u->type, gb32960_unit_name(u->type));
	if (u->type >= 0x80) {
		print_hex(w, "data", str_skip(u->body, 2));
		return;
	}
	if (members) {
		jw_ki64(w, "count", u->body.n ? (uint8_t)u->body.p[0] : 0);
		jw_karr(w, u->type == 2 ? "motors" : "batteries");
	}
	gb32960_visit(u, put_value, &p);
	close_member(&p);
	if (members) {
		jw_end(w);
	}
	put_rest_of(w, u);
	if (p.bad) {
		jw_ki64(w, "invalid_values", p.bad);
	}
}

static void put_report(struct jw *w, const struct gb32960 *m)
{
	struct str rest = gb32960_units(m);
	struct gb32960_unit u;
	struct refusal why;
	jw_karr(w, "units");
	while (gb32960_next(&rest, &u, &why)) {
		jw_obj(w);
		put_unit(w, &u);
		jw_end(w);
	}
	jw_end(w);
	if (rest.n) {
		jw_kcstr(w, "rest_refused", why.en);
		print_hex(w, "rest", rest);
	}
}

static void put_login(struct jw *w, struct cursor *c)
{
	jw_ki64(w, "sequence", take_be16(c));
	print_text(w, "iccid", take_str(c, 20));
	unsigned n = take_u8(c), bytes = take_u8(c);
	jw_ki64(w, "battery_count", n);
	jw_ki64(w, "battery_code_length", bytes);
	jw_karr(w, "battery_codes");
	for (unsigned i = 0; bytes && i < n && cursor_left(c) >= bytes; i++) {
		jw_obj(w);
		print_text(w, "code", take_str(c, bytes));
		jw_end(w);
	}
	jw_end(w);
}

static void put_data(struct jw *w, const struct gb32960 *m)
{
	struct cursor c = cursor_of(m->data);
	if (m->data.n >= 6 && m->command <= GB32960_TIME) {
		take_str(&c, 6);
		print_time(w, "time", m->time);
	}
	if (m->response == GB32960_COMMAND) {
		switch (m->command) {
		case GB32960_LOGIN: put_login(w, &c); break;
		case GB32960_LOGOUT: case GB32960_PLATFORM_LOGOUT: jw_ki64(w, "sequence", take_be16(&c)); break;
		case GB32960_REALTIME: case GB32960_REISSUE: put_report(w, m); return;
		case GB32960_PLATFORM_LOGIN:
			jw_ki64(w, "sequence", take_be16(&c));
			print_text(w, "user", take_str(&c, 12));
			print_text(w, "password", take_str(&c, 20));
			jw_ki64(w, "platform_encryption", take_u8(&c));
			break;
		default: break;
		}
	}
	if (!cursor_ok(&c)) {
		jw_kbool(w, "cut_off", true);
	} else if (cursor_left(&c)) {
		print_hex(w, "data", take_rest(&c));
	}
}

static const char *response_name(uint8_t response)
{
	static const char *const names[] = { NULL, "success", "error", "vin_duplicate" };
	return response == GB32960_COMMAND ? "command" : response < ARRAY_LEN(names) ? names[response] : NULL;
}

bool print_gb32960(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why)
{
	(void)arena, (void)now;
	static const char *const encryptions[] = { NULL, "none", "rsa", "aes128" };
	struct gb32960 m;
	if (!gb32960_decode(frame, &m, why)) {
		return false;
	}
	if (m.encryption != GB32960_PLAIN && m.data.n) {
		return refuse_at(why, REJECT_UNSUPPORTED, 21, "数据单元已加密（RSA 或 AES128），不支持",
				 "the data unit is encrypted (RSA or AES128): not supported");
	}
	print_code(w, "command", "command_name", m.command, gb32960_command_name(m.command));
	print_code(w, "response", "response_name", m.response, response_name(m.response));
	jw_kstr(w, "vin", m.vin);
	print_code(w, "encryption", "encryption_name", m.encryption, m.encryption < ARRAY_LEN(encryptions) ? encryptions[m.encryption] : NULL);
	jw_ki64(w, "length", (int64_t)m.data.n);
	jw_ki64(w, "bcc", m.bcc);
	put_data(w, &m);
	return true;
}
