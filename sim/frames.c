// HJ 212-2017 and GB/T 26875.3-2011 from the device's side. Test vectors: tests/unit/test_sim.c.
#include "sim/frames.h"

#include "base/cursor.h"
#include "base/time.h"
#include "sim/sim.h"

#define SEGMENT_MAX 1024
#define UNIT_MAX 1024

// ---- HJ 212 ------------------------------------------------------------------------------------

uint16_t hj212_device_crc(struct str segment)
{
	uint16_t crc = 0xffff;
	for (size_t i = 0; i < segment.n; i++) {
		crc = (uint16_t)((crc >> 8) ^ (uint8_t)segment.p[i]);
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? (uint16_t)((crc >> 1) ^ 0xa001) : (uint16_t)(crc >> 1);
	}
	return crc;
}

void hj212_device_frame(struct str segment, struct buf *out)
{
	buf_printf(out, "##%04u%.*s%04X\r\n", (unsigned)MIN(segment.n, (size_t)9999), STR_FMT(segment), hj212_device_crc(segment));
}

void hj212_device_head(struct buf *segment, const char *mn, const char *pw, int st, int64_t time, struct buf *ret_qn)
{
	struct civil c = time_to_civil(time, ZONE_MIN), now = time_to_civil(clock_now(), ZONE_MIN);
	buf_printf(ret_qn, "%04d%02d%02d%02d%02d%02d%03d", now.year, now.month, now.day, now.hour, now.min, now.sec, now.us / 1000);
	buf_printf(segment, "QN=%.*s;ST=%d;CN=2011;PW=%s;MN=%s;Flag=5;CP=&&DataTime=%04d%02d%02d%02d%02d%02d", STR_FMT(buf_str(ret_qn)), st, pw, mn,
	           c.year, c.month, c.day, c.hour, c.min, c.sec);
}

static struct str value_of(struct str segment, const char *name)
{
	while (segment.n) {
		struct str pair = str_cut(&segment, ';');
		struct str key = str_cut(&pair, '=');
		if (str_is(key, name))
			return pair;
	}
	return STR_EMPTY;
}

size_t hj212_device_answer(struct str in, int *ret_cn, struct str *ret_qn)
{
	uint64_t n, cn;
	*ret_cn = 0;
	*ret_qn = STR_EMPTY;
	if (in.n < 6)
		return 0;
	if (!str_starts(in, STR("##")) || !str_to_u64(str_from(in.p + 2, 4), &n) || n > SEGMENT_MAX)
		return SIZE_MAX;
	size_t size = 6 + (size_t)n + 4 + 2;
	if (in.n < size)
		return 0;
	struct str segment = str_from(in.p + 6, (size_t)n);
	uint8_t crc[2];
	if (!str_from_hex(str_from(in.p + 6 + n, 4), crc, 2) || (crc[0] << 8 | crc[1]) != hj212_device_crc(segment))
		return SIZE_MAX;
	if (str_to_u64(value_of(segment, "CN"), &cn) && cn <= 9999)
		*ret_cn = (int)cn;
	*ret_qn = value_of(segment, "QN");
	return size;
}

// ---- GB/T 26875.3 ------------------------------------------------------------------------------

static void add_time(struct buf *b, int64_t time)
{
	struct civil c = time_to_civil(time, ZONE_MIN);
	const int parts[] = { c.sec, c.min, c.hour, c.day, c.month, c.year - 2000 };
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_add_u8(b, (uint8_t)parts[i]);
}

void gb_unit_begin(struct gb_unit *u, uint8_t type)
{
	buf_init(&u->data, UNIT_MAX);
	u->type = type;
	u->objects = 0;
	buf_add_u8(&u->data, type);
	buf_add_u8(&u->data, 0); // count: gb_frame
}

void gb_unit_end(struct gb_unit *u)
{
	buf_free(&u->data);
}

void gb_add_system(struct gb_unit *u, uint8_t system, uint8_t address, uint16_t status, int64_t time)
{
	buf_add_u8(&u->data, system);
	buf_add_u8(&u->data, address);
	buf_add_le16(&u->data, status);
	add_time(&u->data, time);
	u->objects++;
}

void gb_add_component(struct gb_unit *u, uint8_t system, uint8_t address, uint8_t kind, uint32_t component, uint16_t status,
                      const char *description, int64_t time)
{
	char text[31] = { 0 };
	size_t n = strlen(description);
	memcpy(text, description, MIN(n, sizeof text));
	buf_add_u8(&u->data, system);
	buf_add_u8(&u->data, address);
	buf_add_u8(&u->data, kind);
	buf_add_le32(&u->data, component);
	buf_add_le16(&u->data, status);
	buf_add(&u->data, text, sizeof text);
	add_time(&u->data, time);
	u->objects++;
}

void gb_add_analog(struct gb_unit *u, uint8_t system, uint8_t address, uint8_t kind, uint32_t component, uint8_t quantity,
                   int16_t value, int64_t time)
{
	buf_add_u8(&u->data, system);
	buf_add_u8(&u->data, address);
	buf_add_u8(&u->data, kind);
	buf_add_le32(&u->data, component);
	buf_add_u8(&u->data, quantity);
	buf_add_le16(&u->data, (uint16_t)value);
	add_time(&u->data, time);
	u->objects++;
}

void gb_add_device(struct gb_unit *u, uint8_t status, int64_t time)
{
	buf_add_u8(&u->data, status);
	add_time(&u->data, time);
	u->objects++;
}

bool gb_frame(uint16_t seq, const char *address, const struct gb_unit *u, int64_t time, struct buf *out)
{
	uint8_t source[6], zero[6] = { 0 }, sum = 0;
	size_t start = out->n;
	if (!str_from_hex(str_of(address), source, sizeof source) || !buf_ok(&u->data))
		return false;
	buf_add_cstr(out, "@@");
	buf_add_le16(out, seq);
	buf_add_u8(out, 1);
	buf_add_u8(out, 1);
	add_time(out, time);
	buf_add(out, source, sizeof source);
	buf_add(out, zero, sizeof zero);
	buf_add_le16(out, (uint16_t)u->data.n);
	buf_add_u8(out, 2);
	size_t data = out->n;
	buf_add_str(out, buf_str(&u->data));
	if (!buf_ok(out))
		return false;
	out->p[data + 1] = (char)u->objects;
	for (size_t i = start + 2; i < out->n; i++)
		sum = (uint8_t)(sum + (uint8_t)out->p[i]);
	buf_add_u8(out, sum);
	buf_add_cstr(out, "##");
	return buf_ok(out);
}

size_t gb_answer(struct str in, uint8_t *ret_command, uint16_t *ret_seq)
{
	struct cursor c = cursor_of(in);
	uint8_t sum = 0;
	uint16_t start = take_be16(&c);
	*ret_seq = take_le16(&c);
	(void)take_str(&c, 2 + 6 + 6 + 6);
	size_t n = take_le16(&c);
	*ret_command = take_u8(&c);
	if (!cursor_ok(&c))
		return 0;
	if (start != 0x4040 || n > UNIT_MAX)
		return SIZE_MAX;
	if (in.n < 30 + n)
		return 0;
	for (size_t i = 2; i < 27 + n; i++)
		sum = (uint8_t)(sum + (uint8_t)in.p[i]);
	return (uint8_t)in.p[27 + n] == sum && in.p[28 + n] == '#' && in.p[29 + n] == '#' ? 30 + n : SIZE_MAX;
}
