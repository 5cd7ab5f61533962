// Modbus Application Protocol V1.1b3 over TCP (Messaging on TCP/IP Implementation Guide V1.0b): requests to read, answers,
// and what registers mean. See decode.h.
#include "base/cursor.h"
#include "gate/decode/decode.h"

#define MBAP 7 // transaction, protocol, length, unit

static const char *const TABLES[] = { [MODBUS_COIL] = "coil", [MODBUS_DISCRETE] = "discrete", [MODBUS_HOLDING] = "holding",
				      [MODBUS_INPUT] = "input" };
static const struct {
	const char *name;
	unsigned words;
} TYPES[] = {
	[MODBUS_BIT] = { "bit", 1 },        [MODBUS_U16] = { "uint16", 1 },   [MODBUS_I16] = { "int16", 1 },
	[MODBUS_U32] = { "uint32", 2 },     [MODBUS_I32] = { "int32", 2 },    [MODBUS_F32] = { "float32", 2 },
	[MODBUS_U64] = { "uint64", 4 },     [MODBUS_I64] = { "int64", 4 },    [MODBUS_F64] = { "float64", 4 },
};

unsigned modbus_words(const struct modbus_item *it) { return TYPES[it->type].words; }

static bool read_table(struct str s, struct modbus_item *ret)
{
	for (size_t i = MODBUS_COIL; i < ARRAY_LEN(TABLES); i++)
		if (str_is(s, TABLES[i])) {
			ret->table = (enum modbus_table)i;
			return true;
		}
	return false;
}

static bool read_type(struct str s, struct modbus_item *ret)
{
	for (size_t i = MODBUS_U16; i < ARRAY_LEN(TYPES); i++)
		if (str_is(s, TYPES[i].name)) {
			ret->type = (enum modbus_type)i;
			return true;
		}
	return false;
}

// abcd: high word first, high byte first (the standard's own order of bytes, and the usual one of words)
static bool read_order(struct str s, struct modbus_item *ret)
{
	ret->words_swapped = str_is(s, "cdab") || str_is(s, "dcba");
	ret->bytes_swapped = str_is(s, "badc") || str_is(s, "dcba");
	return str_is(s, "abcd") || ret->words_swapped || ret->bytes_swapped;
}

bool modbus_address(struct str text, struct modbus_item *ret)
{
	struct str rest = text, table = str_cut(&rest, ':'), number = str_cut(&rest, ':'), type = str_cut(&rest, ':'), order = str_cut(&rest, ':');
	int64_t at, bit;
	*ret = (struct modbus_item){ .address = text, .type = MODBUS_BIT, .bit = -1 };
	if (rest.n || !read_table(table, ret) || !str_to_i64(number, &at) || at < 0 || at > 0xffff)
		return false;
	ret->at = (uint16_t)at;
	if (ret->table == MODBUS_COIL || ret->table == MODBUS_DISCRETE)
		return !type.n;
	ret->type = MODBUS_U16;
	if (str_starts(type, STR("bit"))) { // of one register, 0 is the lowest
		ret->bit = str_to_i64(str_skip(type, 3), &bit) && bit >= 0 && bit < 16 ? (int)bit : -1;
		return ret->bit >= 0 && !order.n;
	}
	if (type.n && !read_type(type, ret))
		return false;
	if (order.n && !read_order(order, ret))
		return false;
	return ret->at + modbus_words(ret) <= 0x10000;
}

struct str modbus_request(const struct modbus_read *r, uint8_t ret[MODBUS_REQUEST])
{
	static const uint8_t codes[] = { [MODBUS_COIL] = 1, [MODBUS_DISCRETE] = 2, [MODBUS_HOLDING] = 3, [MODBUS_INPUT] = 4 };
	const uint8_t bytes[MODBUS_REQUEST] = { (uint8_t)(r->transaction >> 8), (uint8_t)r->transaction, 0, 0, 0, 6, r->unit, codes[r->table],
					       (uint8_t)(r->at >> 8), (uint8_t)r->at, (uint8_t)(r->n >> 8), (uint8_t)r->n };
	memcpy(ret, bytes, sizeof bytes);
	return str_from((const char *)ret, sizeof bytes);
}

struct fed modbus_feed(struct str in)
{
	struct cursor c = cursor_of(in);
	struct fed f = { .what = FEED_BAD, .drop = in.n };
	if (in.n < MBAP)
		return (struct fed){ .what = FEED_MORE };
	take_be16(&c);
	uint16_t protocol = take_be16(&c), length = take_be16(&c);
	if (protocol != 0)
		refuse_at(&f.why, REJECT_SYNTAX, 2, "协议标识不是 0", "the protocol identifier is not 0");
	else if (length < 2 || length > 254)
		refuse_at(&f.why, REJECT_SYNTAX, 4, "长度须为 2–254", "the length must be 2 to 254");
	else if (in.n < 6u + length)
		return (struct fed){ .what = FEED_MORE };
	else
		f = (struct fed){ .what = FEED_FRAME, .drop = 6u + length, .frame = str_first(in, 6u + length) };
	return f;
}

bool modbus_decode(struct str frame, struct modbus *ret, struct refusal *why)
{
	struct fed f = modbus_feed(frame);
	if (f.what == FEED_BAD) {
		*why = f.why;
		return false;
	}
	if (f.what == FEED_MORE || f.drop != frame.n)
		return refuse_at(why, REJECT_SYNTAX, 4, "长度与帧不符", "the length is not that of the frame");
	struct cursor c = cursor_of(frame);
	*ret = (struct modbus){ .transaction = take_be16(&c) };
	take_be16(&c), take_be16(&c);
	ret->unit = take_u8(&c);
	ret->function = take_u8(&c);
	if (ret->function & 0x80) {
		ret->exception = take_u8(&c);
		if (!cursor_done(&c))
			return refuse_at(why, REJECT_SYNTAX, MBAP + 1, "异常应答须为 2 字节", "an exception has two bytes");
	}
	ret->data = take_rest(&c);
	return true;
}

bool modbus_answers(const struct modbus *m, const struct modbus_read *r, struct refusal *why)
{
	static const uint8_t codes[] = { [MODBUS_COIL] = 1, [MODBUS_DISCRETE] = 2, [MODBUS_HOLDING] = 3, [MODBUS_INPUT] = 4 };
	if (m->transaction != r->transaction || m->unit != r->unit || (m->function & 0x7f) != codes[r->table])
		return refuse_at(why, REJECT_PROTOCOL, 0, "应答与所问不符", "it answers another question");
	if (m->exception)
		return true;
	size_t bytes = r->table <= MODBUS_DISCRETE ? (r->n + 7u) / 8 : r->n * 2u;
	if (m->data.n != bytes + 1 || (uint8_t)m->data.p[0] != bytes)
		return refuse_at(why, REJECT_SYNTAX, MBAP + 1, "数据长度与所问不符", "the data is not as long as asked for");
	return true;
}

static double of_words(const struct modbus_item *it, const uint8_t *p)
{
	uint64_t v = 0;
	unsigned words = modbus_words(it);
	for (unsigned i = 0; i < words; i++) {
		const uint8_t *w = p + 2 * (it->words_swapped ? words - 1 - i : i);
		v = v << 16 | (uint64_t)(it->bytes_swapped ? w[1] << 8 | w[0] : w[0] << 8 | w[1]);
	}
	union { uint32_t u; float f; } f32 = { .u = (uint32_t)v };
	union { uint64_t u; double f; } f64 = { .u = v };
	switch (it->type) {
	case MODBUS_I16: return (int16_t)v;
	case MODBUS_I32: return (int32_t)v;
	case MODBUS_I64: return (double)(int64_t)v;
	case MODBUS_F32: return (double)f32.f;
	case MODBUS_F64: return f64.f;
	case MODBUS_BIT: case MODBUS_U16: case MODBUS_U32: case MODBUS_U64: break;
	}
	return (double)v;
}

double modbus_value(const struct modbus_item *it, const struct modbus_read *r, const struct modbus *m)
{
	const uint8_t *data = (const uint8_t *)m->data.p + 1;
	unsigned at = it->at - r->at;
	if (r->table <= MODBUS_DISCRETE)
		return data[at / 8] >> at % 8 & 1;
	double v = of_words(it, data + 2 * at);
	return it->bit >= 0 ? (double)((uint64_t)v >> it->bit & 1) : v;
}

const char *modbus_exception_name(uint8_t code) // V1.1b3 chapter 7
{
	static const char *const names[] = { [1] = "illegal_function", [2] = "illegal_data_address", [3] = "illegal_data_value",
					     [4] = "server_device_failure", [5] = "acknowledge", [6] = "server_device_busy",
					     [8] = "memory_parity_error", [10] = "gateway_path_unavailable",
					     [11] = "gateway_target_failed_to_respond" };
	return code < ARRAY_LEN(names) ? names[code] : NULL;
}
