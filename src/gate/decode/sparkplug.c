// Reading and writing Sparkplug B, see sparkplug.h. Pure functions, any thread.
#include "gate/decode/sparkplug.h"

#include <math.h>

static const struct complaint NOT_PROTOBUF = { REJECT_SYNTAX, "不是合法的 Sparkplug B 报文", "not a Sparkplug B payload" };
static const struct complaint WRONG_TYPE = { REJECT_SYNTAX, "Sparkplug B 字段类型不符", "a field of Sparkplug B with another type" };
static const struct complaint TOO_MANY = { REJECT_TOO_LARGE, "一条报文的读数过多", "too many readings in one message" };

bool pb_next(struct cursor *c, struct pb_field *ret)
{
	if (c->failed || c->p == c->end) {
		return false;
	}
	uint64_t key = take_varint(c);
	*ret = (struct pb_field){ .number = (uint32_t)(key >> 3), .wire = (enum pb_wire)(key & 7), .bytes = STR_EMPTY };
	if (!ret->number || key >> 32) { // 29 bits
		c->failed = true;
	}
	switch (ret->wire) {
	case PB_VARINT: ret->value = take_varint(c); break;
	case PB_FIXED64: ret->value = take_le64(c); break;
	case PB_FIXED32: ret->value = take_le32(c); break;
	case PB_BYTES: {
		uint64_t n = take_varint(c);
		ret->bytes = n <= cursor_left(c) ? take_str(c, (size_t)n) : STR_EMPTY;
		c->failed |= n > ret->bytes.n;
		break;
	}
	default: c->failed = true; break;
	}
	return !c->failed;
}

bool pb_nth(struct str bytes, uint32_t number, size_t n, struct str *ret)
{
	struct cursor c = cursor_of(bytes);
	struct pb_field f;
	while (pb_next(&c, &f)) {
		if (f.number == number && f.wire == PB_BYTES && n-- == 0) {
			*ret = f.bytes;
			return true;
		}
	}
	return false;
}

const char *spb_type_name(uint32_t type)
{
	static const char *const names[SPB__MAX] = {
		"Unknown", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float", "Double", "Boolean",
		"String", "DateTime", "Text", "UUID", "DataSet", "Bytes", "File", "Template", "PropertySet", "PropertySetList",
		"Int8Array", "Int16Array", "Int32Array", "Int64Array", "UInt8Array", "UInt16Array", "UInt32Array", "UInt64Array",
		"FloatArray", "DoubleArray", "BooleanArray", "StringArray", "DateTimeArray",
	};
	return type < SPB__MAX ? names[type] : NULL;
}

// --- metrics ---------------------------------------------------------------------------------------------------------

static enum pb_wire metric_wire(uint32_t number)
{
	switch (number) {
	case 1: case 8: case 9: case SPB_F_STRING: case SPB_F_BYTES: case SPB_F_DATASET: case SPB_F_TEMPLATE: case SPB_F_EXTENSION:
		return PB_BYTES;
	case SPB_F_FLOAT: return PB_FIXED32;
	case SPB_F_DOUBLE: return PB_FIXED64;
	default: return PB_VARINT;
	}
}

static void metric_field(struct spb_metric *m, const struct pb_field *f)
{
	switch (f->number) {
	case 1: m->name = f->bytes; m->has_name = true; break;
	case 2: m->alias = f->value; m->has_alias = true; break;
	case 3: m->time = f->value; m->has_time = true; break;
	case 4: m->type = f->value < SPB__MAX ? (uint32_t)f->value : SPB__MAX; m->has_type = true; break;
	case 5: m->historical = f->value != 0; m->has_historical = true; break;
	case 6: m->transient = f->value != 0; m->has_transient = true; break;
	case 7: m->null = f->value != 0; m->has_null = true; break;
	case 8: m->metadata = f->bytes; break;
	case 9: m->properties = f->bytes; break;
	default: m->value = (struct spb_value){ (enum spb_field)f->number, *f }; break; // 10…19, a oneof: the last wins
	}
}

static bool metric_read(struct str bytes, struct spb_metric *ret, bool *ret_wrong_type)
{
	struct cursor c = cursor_of(bytes);
	struct pb_field f;
	*ret = (struct spb_metric){ .name = STR_EMPTY, .metadata = STR_EMPTY, .properties = STR_EMPTY };
	while (pb_next(&c, &f)) {
		if (f.number > SPB_F_EXTENSION) {
			continue; // unknown fields are passed over
		}
		if (f.wire != metric_wire(f.number)) {
			*ret_wrong_type = true;
			return false;
		}
		metric_field(ret, &f);
	}
	return cursor_done(&c) && str_utf8_valid(ret->name);
}

bool spb_next(struct str *rest, struct spb_metric *ret)
{
	struct cursor c = cursor_of(*rest);
	struct pb_field f;
	bool wrong = false;
	while (pb_next(&c, &f)) {
		if (f.number == 2) {
			*rest = take_rest(&c);
			return metric_read(f.bytes, ret, &wrong);
		}
	}
	*rest = STR_EMPTY;
	return false;
}

static bool payload_field(struct spb_payload *p, const struct pb_field *f)
{
	static const enum pb_wire wires[] = { PB_VARINT, PB_VARINT, PB_BYTES, PB_VARINT, PB_BYTES, PB_BYTES };
	if (f->number < ARRAY_LEN(wires) && f->wire != wires[f->number]) {
		return false;
	}
	switch (f->number) {
	case 1: p->time = f->value; p->has_time = true; break;
	case 2: p->metrics++; break;
	case 3: p->seq = f->value; p->has_seq = true; break;
	case 4: p->uuid = f->bytes; return str_utf8_valid(f->bytes);
	case 5: p->body = f->bytes; break;
	default: break;
	}
	return true;
}

bool spb_read(struct str bytes, struct spb_payload *ret, struct refusal *why)
{
	struct cursor c = cursor_of(bytes);
	struct pb_field f;
	struct spb_metric m;
	*ret = (struct spb_payload){ .uuid = STR_EMPTY, .body = STR_EMPTY };
	while (pb_next(&c, &f)) {
		bool wrong = false;
		size_t at = bytes.n - cursor_left(&c);
		if (!payload_field(ret, &f)) {
			return refuse_as(why, &WRONG_TYPE, at);
		}
		if (f.number == 2 && !metric_read(f.bytes, &m, &wrong)) {
			return refuse_as(why, wrong ? &WRONG_TYPE : &NOT_PROTOBUF, at - f.bytes.n);
		}
		if (ret->metrics > LIMIT_READINGS_PER_MESSAGE) {
			return refuse_as(why, &TOO_MANY, at);
		}
	}
	return cursor_done(&c) || refuse_as(why, &NOT_PROTOBUF, bytes.n - cursor_left(&c));
}

// --- values ----------------------------------------------------------------------------------------------------------

bool spb_signed(const struct spb_value *v, uint32_t type, int64_t *ret)
{
	uint64_t raw = v->field.value;
	if (v->is != SPB_F_INT && v->is != SPB_F_LONG) {
		return false;
	}
	switch (type) {
	case SPB_INT8: *ret = (int8_t)raw; return true;
	case SPB_INT16: *ret = (int16_t)raw; return true;
	case SPB_INT32: *ret = (int32_t)raw; return true;
	case SPB_INT64: *ret = v->is == SPB_F_INT ? (int32_t)raw : (int64_t)raw; return true;
	default: return false;
	}
}

bool spb_number(const struct spb_value *v, uint32_t type, double *ret)
{
	int64_t i;
	if (type >= SPB_STRING && type != SPB_DATETIME) {
		return false;
	}
	switch (v->is) {
	case SPB_F_INT: case SPB_F_LONG: *ret = spb_signed(v, type, &i) ? (double)i : (double)v->field.value; break;
	case SPB_F_FLOAT: *ret = pb_float(&v->field); break;
	case SPB_F_DOUBLE: *ret = pb_double(&v->field); break;
	case SPB_F_BOOLEAN: *ret = v->field.value != 0; break;
	case SPB_NOTHING: case SPB_F_STRING: case SPB_F_BYTES: case SPB_F_DATASET: case SPB_F_TEMPLATE: case SPB_F_EXTENSION: return false;
	}
	return isfinite(*ret);
}

enum quality spb_quality(struct str properties)
{
	struct str key, value;
	for (size_t i = 0; i < LIMIT_SPARKPLUG_PROPERTIES && pb_nth(properties, 1, i, &key); i++) {
		struct pb_field f;
		if (!str_eq_nocase(key, STR("quality")) || !pb_nth(properties, 2, i, &value)) {
			continue;
		}
		for (struct cursor c = cursor_of(value); pb_next(&c, &f);) {
			if (f.number == 3 || f.number == 4) { // int_value, long_value
				return f.value == 192 ? Q_GOOD : f.value == 500 ? Q_STALE : Q_BAD;
			}
		}
	}
	return Q_GOOD;
}

// --- topics ----------------------------------------------------------------------------------------------------------

bool spb_topic(struct str topic, struct spb_topic *ret)
{
	static const char *const kinds[SPB_KIND__MAX] = { "NBIRTH", "NDEATH", "DBIRTH", "DDEATH", "NDATA", "DDATA", "NCMD", "DCMD" };
	struct str rest = topic;
	if (!str_starts(topic, STR(SPB_ROOT))) {
		return false;
	}
	str_cut(&rest, '/');
	*ret = (struct spb_topic){ .group = str_cut(&rest, '/'), .kind = SPB_KIND__MAX };
	struct str kind = str_cut(&rest, '/');
	for (int k = 0; k < SPB_KIND__MAX; k++) {
		if (str_is(kind, kinds[k])) {
			ret->kind = (enum spb_kind)k;
		}
	}
	bool more = memchr(rest.p, '/', rest.n) != NULL;
	ret->node = str_cut(&rest, '/');
	ret->device = rest;
	bool of_device = kind.n && kind.p[0] == 'D';
	return ret->kind < SPB_KIND__MAX && ret->group.n && ret->node.n && more == of_device && (rest.n > 0) == of_device &&
	       !memchr(rest.p, '/', rest.n);
}

// --- writing ---------------------------------------------------------------------------------------------------------

static void put_varint(struct buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7) {
		buf_add_u8(out, (uint8_t)(v | 0x80));
	}
	buf_add_u8(out, (uint8_t)v);
}

static void put_number(struct buf *out, unsigned field, uint64_t v)
{
	put_varint(out, field << 3 | PB_VARINT);
	put_varint(out, v);
}

static void put_bytes(struct buf *out, unsigned field, struct str s)
{
	put_varint(out, field << 3 | PB_BYTES);
	put_varint(out, s.n);
	buf_add_str(out, s);
}

static void put_value(struct buf *out, const struct spb_said *m)
{
	float f = (float)m->number;
	uint32_t bits32;
	uint64_t bits64;
	switch (m->type) {
	case SPB_BOOLEAN: put_number(out, SPB_F_BOOLEAN, m->truth); break;
	case SPB_INT8: case SPB_INT16: case SPB_INT32: put_number(out, SPB_F_INT, (uint32_t)(int64_t)m->number); break;
	case SPB_UINT8: case SPB_UINT16: case SPB_UINT32: put_number(out, SPB_F_INT, (uint32_t)m->number); break;
	case SPB_INT64: put_number(out, SPB_F_LONG, (uint64_t)(int64_t)m->number); break;
	case SPB_UINT64: case SPB_DATETIME: put_number(out, SPB_F_LONG, (uint64_t)m->number); break;
	case SPB_FLOAT:
		memcpy(&bits32, &f, sizeof bits32);
		put_varint(out, SPB_F_FLOAT << 3 | PB_FIXED32);
		buf_add_le32(out, bits32);
		break;
	case SPB_DOUBLE:
		memcpy(&bits64, &m->number, sizeof bits64);
		put_varint(out, SPB_F_DOUBLE << 3 | PB_FIXED64);
		buf_add_le64(out, bits64);
		break;
	default: put_bytes(out, SPB_F_STRING, m->text); break;
	}
}

void spb_write(struct buf *out, uint64_t time_ms, const struct spb_said *m, size_t n)
{
	put_number(out, 1, time_ms);
	for (size_t i = 0; i < n; i++) {
		struct buf one;
		buf_init(&one, LIMIT_COMMAND);
		put_bytes(&one, 1, m[i].name);
		put_number(&one, 3, time_ms);
		put_number(&one, 4, m[i].type);
		put_value(&one, &m[i]);
		if (!buf_ok(&one)) {
			out->failed = true;
		}
		put_bytes(out, 2, buf_str(&one));
		buf_free(&one);
	}
}
