// A Modbus TCP frame as JSON. Requests and answers look alike; their lengths tell which it is, and both are told where both fit.
#include "base/cursor.h"
#include "gate/decode/decoders.h"

static const char *function_name(uint8_t code) // V1.1b3 chapter 6
{
	static const char *const names[] = { [1] = "read_coils", [2] = "read_discrete_inputs", [3] = "read_holding_registers",
					     [4] = "read_input_registers", [5] = "write_single_coil", [6] = "write_single_register",
					     [15] = "write_multiple_coils", [16] = "write_multiple_registers",
					     [23] = "read_write_multiple_registers" };
	return code < ARRAY_LEN(names) ? names[code] : NULL;
}

static void put_bits(struct jw *w, struct cursor c)
{
	jw_karr(w, "bits");
	while (cursor_left(&c))
		for (unsigned byte = take_u8(&c), i = 0; i < 8; i++)
			jw_i64(w, byte >> i & 1);
	jw_end(w);
}

static void put_registers(struct jw *w, struct cursor c)
{
	jw_karr(w, "registers");
	while (cursor_left(&c) >= 2)
		jw_i64(w, take_be16(&c));
	jw_end(w);
}

static void put_address(struct jw *w, struct cursor *c, const char *second)
{
	jw_ki64(w, "address", take_be16(c));
	jw_ki64(w, second, take_be16(c));
}

static void put_values(struct jw *w, struct cursor c, bool bits)
{
	if (bits)
		put_bits(w, c);
	else
		put_registers(w, c);
}

// head: address, quantity, bytes that follow; they are as many as there are.
static bool written_fits(struct str head, size_t bytes, bool bits)
{
	struct cursor c = cursor_of(head);
	take_be16(&c);
	uint16_t quantity = take_be16(&c);
	uint8_t said = take_u8(&c);
	return cursor_ok(&c) && quantity && said == bytes && bytes == (bits ? (quantity + 7u) / 8 : quantity * 2u);
}

// False: of a function that is known, but in none of its forms. Others are shown as bytes.
static bool put_data(struct jw *w, const struct modbus *m)
{
	struct cursor c = cursor_of(m->data), answer = c;
	uint8_t f = m->function, count = m->data.n ? take_u8(&answer) : 0;
	bool bits = f <= 2 || f == 15, counted = m->data.n > 1 && count == m->data.n - 1 && (bits || count % 2 == 0);
	if (f >= 1 && f <= 4 && m->data.n == 4 && !(counted && f <= 2)) {
		jw_kcstr(w, "kind", "request");
		put_address(w, &c, "quantity");
	} else if (((f >= 1 && f <= 4) || f == 23) && counted) {
		jw_kcstr(w, "kind", "response");
		put_values(w, answer, f <= 2);
	} else if ((f == 5 || f == 6) && m->data.n == 4) { // the answer repeats the request
		put_address(w, &c, "value");
	} else if ((f == 15 || f == 16) && m->data.n == 4) {
		jw_kcstr(w, "kind", "response");
		put_address(w, &c, "quantity");
	} else if ((f == 15 || f == 16) && written_fits(str_first(m->data, 5), m->data.n - 5, bits)) {
		jw_kcstr(w, "kind", "request");
		put_address(w, &c, "quantity");
		take_u8(&c);
		put_values(w, c, f == 15);
	} else if (f == 23 && m->data.n > 9 && written_fits(str_from(m->data.p + 4, 5), m->data.n - 9, false)) {
		jw_kcstr(w, "kind", "request");
		put_address(w, &c, "quantity");
		jw_ki64(w, "write_address", take_be16(&c));
		jw_ki64(w, "write_quantity", take_be16(&c));
		take_u8(&c);
		put_registers(w, c);
	} else if ((f >= 1 && f <= 6) || f == 15 || f == 16 || f == 23) {
		return false;
	} else {
		char hex[512];
		size_t n = MIN(m->data.n, sizeof hex / 2);
		for (size_t i = 0; i < n; i++) {
			hex[2 * i] = "0123456789ABCDEF"[(uint8_t)m->data.p[i] >> 4];
			hex[2 * i + 1] = "0123456789ABCDEF"[m->data.p[i] & 15];
		}
		jw_kstr(w, "data", str_from(hex, 2 * n));
	}
	return true;
}

bool print_modbus(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why)
{
	(void)arena, (void)now;
	struct modbus m;
	if (!modbus_decode(frame, &m, why))
		return false;
	jw_ki64(w, "transaction", m.transaction);
	jw_ki64(w, "unit", m.unit);
	jw_ki64(w, "function", m.function & 0x7f);
	const char *name = function_name(m.function & 0x7f);
	if (name)
		jw_kcstr(w, "name", name);
	if (m.function & 0x80) {
		jw_kcstr(w, "kind", "exception");
		jw_ki64(w, "exception", m.exception);
		if ((name = modbus_exception_name(m.exception)))
			jw_kcstr(w, "exception_name", name);
	} else if (!put_data(w, &m)) {
		return refuse_at(why, REJECT_SYNTAX, 8, "数据与功能码的格式不符", "the data fits no form of the function");
	}
	return true;
}
