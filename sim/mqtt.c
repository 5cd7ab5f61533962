// MQTT 3.1.1 packets: section numbers are those of the OASIS standard of 2014.
#include "sim/mqtt.h"

#include "base/cursor.h"

static void fixed_header(struct buf *out, uint8_t first, size_t n) // 2.2
{
	buf_add_u8(out, first);
	do {
		buf_add_u8(out, (uint8_t)((n & 0x7f) | (n > 0x7f ? 0x80 : 0)));
		n >>= 7;
	} while (n);
}

static void add_text(struct buf *out, struct str s) // 1.5.3
{
	buf_add_be16(out, (uint16_t)s.n);
	buf_add(out, s.p, s.n);
}

void mqtt_connect(struct buf *out, struct str client, struct str user, struct str password, uint16_t keep_alive_s) // 3.1
{
	fixed_header(out, 0x10, 10 + 2 + client.n + 2 + user.n + 2 + password.n);
	add_text(out, STR("MQTT"));
	buf_add_u8(out, 4);
	buf_add_u8(out, 0xc2); // user name, password, clean session
	buf_add_be16(out, keep_alive_s);
	add_text(out, client);
	add_text(out, user);
	add_text(out, password);
}

void mqtt_publish(struct buf *out, struct str topic, uint16_t id, struct str payload, bool again) // 3.3
{
	fixed_header(out, again ? 0x3a : 0x32, 2 + topic.n + 2 + payload.n);
	add_text(out, topic);
	buf_add_be16(out, id);
	buf_add(out, payload.p, payload.n);
}

void mqtt_subscribe(struct buf *out, uint16_t id, struct str topic) // 3.8
{
	fixed_header(out, 0x82, 2 + 2 + topic.n + 1);
	buf_add_be16(out, id);
	add_text(out, topic);
	buf_add_u8(out, 0);
}

void mqtt_ping(struct buf *out) // 3.12
{
	fixed_header(out, 0xc0, 0);
}

size_t mqtt_take(struct str in, struct mqtt_in *ret)
{
	struct cursor c = cursor_of(in);
	size_t n = 0;
	uint8_t first = take_u8(&c), more = 0;
	for (unsigned shift = 0; shift < 28; shift += 7) {
		more = take_u8(&c);
		n |= (size_t)(more & 0x7f) << shift;
		if (!(more & 0x80))
			break;
	}
	if (!cursor_ok(&c))
		return 0;
	if (more & 0x80)
		return SIZE_MAX;
	if (cursor_left(&c) < n)
		return 0;
	size_t size = in.n - cursor_left(&c) + n;
	*ret = (struct mqtt_in){ .type = (enum mqtt_type)(first >> 4) };
	if (ret->type == MQTT_CONNACK) {
		(void)take_u8(&c);
		ret->code = take_u8(&c);
	} else if (ret->type == MQTT_PUBACK || ret->type == MQTT_SUBACK) {
		ret->id = take_be16(&c);
	}
	return cursor_ok(&c) && size <= in.n ? size : SIZE_MAX;
}
