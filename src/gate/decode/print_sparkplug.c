// A Sparkplug B payload as JSON, all of it: field names of the standard's protobuf, times in RFC 3339, the datatype as number
// and as name. Arrays and bytes in Base64. See decoders.h.
#include "base/base64.h"
#include "gate/decode/decoders.h"
#include "gate/decode/sparkplug.h"

#define DEPTH_MAX 6 // of templates and property sets in one another
#define MS_MAX INT64_C(253402300799999)

static const struct complaint TOO_DEEP = { REJECT_SYNTAX, "嵌套过深或字段有误", "nested too deep, or a field that is wrong" };

struct printer {
	struct jw *w;
	struct arena *arena;
	unsigned depth;
	bool failed;
};

static void put_ms(struct printer *p, const char *key, uint64_t ms)
{
	print_time(p->w, key, ms <= (uint64_t)MS_MAX ? (int64_t)ms * 1000 : INT64_MIN);
}

static void put_u64(struct printer *p, const char *key, uint64_t v)
{
	jw_key(p->w, key);
	jw_u64(p->w, v);
}

static void put_type(struct printer *p, const char *key, const char *name_key, uint64_t type)
{
	put_u64(p, key, type);
	jw_kcstr(p->w, name_key, type < SPB__MAX ? spb_type_name((uint32_t)type) : NULL);
}

// --- pieces that hold values: the value's fields begin at `first` and are int, long, float, double, boolean, string -----

static bool is_value(uint32_t number, uint32_t first, struct pb_field *f, struct spb_value *ret)
{
	static const enum pb_wire wires[] = { PB_VARINT, PB_VARINT, PB_FIXED32, PB_FIXED64, PB_VARINT, PB_BYTES };
	if (number < first || number - first >= ARRAY_LEN(wires) || f->wire != wires[number - first]) {
		return false;
	}
	*ret = (struct spb_value){ (enum spb_field)(SPB_F_INT + (int)(number - first)), *f };
	return true;
}

static void put_plain(struct printer *p, const struct spb_value *v, uint32_t type)
{
	char text[TIME_TEXT_MAX];
	int64_t i;
	switch (v->is) {
	case SPB_F_INT: case SPB_F_LONG:
		if (spb_signed(v, type, &i)) {
			jw_i64(p->w, i);
		} else if (type == SPB_DATETIME && v->field.value <= (uint64_t)MS_MAX) {
			jw_str(p->w, str_from(text, time_text_zone((int64_t)v->field.value * 1000, ZONE_CHINA_MIN, text)));
		} else if (type == SPB_BOOLEAN) {
			jw_bool(p->w, v->field.value != 0);
		} else {
			jw_u64(p->w, v->field.value);
		}
		break;
	case SPB_F_FLOAT: jw_f64(p->w, pb_float(&v->field)); break;
	case SPB_F_DOUBLE: jw_f64(p->w, pb_double(&v->field)); break;
	case SPB_F_BOOLEAN: jw_bool(p->w, v->field.value != 0); break;
	case SPB_F_STRING: jw_str(p->w, v->field.bytes); break;
	case SPB_F_BYTES: jw_str(p->w, str_to_base64(p->arena, v->field.bytes)); break;
	case SPB_NOTHING: case SPB_F_DATASET: case SPB_F_TEMPLATE: case SPB_F_EXTENSION: jw_null(p->w); break;
	}
}

// --- metadata --------------------------------------------------------------------------------------------------------

static void put_metadata(struct printer *p, struct str bytes)
{
	static const char *const names[] = { "", "is_multi_part", "content_type", "size", "seq", "file_name", "file_type", "md5", "description" };
	struct cursor c = cursor_of(bytes);
	struct pb_field f;
	jw_kobj(p->w, "metadata");
	while (pb_next(&c, &f)) {
		if (f.number >= ARRAY_LEN(names)) {
			continue;
		}
		jw_key(p->w, names[f.number]);
		if (f.wire == PB_BYTES) {
			jw_str(p->w, f.bytes);
		} else if (f.number == 1) {
			jw_bool(p->w, f.value != 0);
		} else {
			jw_u64(p->w, f.value);
		}
	}
	p->failed |= !cursor_done(&c);
	jw_end(p->w);
}

// --- properties: keys and values side by side ------------------------------------------------------------------------

static void put_properties(struct printer *p, struct str bytes);

static void put_property_list(struct printer *p, struct str bytes)
{
	struct cursor c = cursor_of(bytes);
	struct pb_field f;
	jw_arr(p->w);
	while (pb_next(&c, &f)) {
		if (f.number == 1 && f.wire == PB_BYTES) {
			put_properties(p, f.bytes);
		}
	}
	p->failed |= !cursor_done(&c);
	jw_end(p->w);
}

static void put_property(struct printer *p, struct str bytes)
{
	struct cursor c = cursor_of(bytes);
	struct pb_field f;
	struct spb_value v = { 0 };
	struct str set = STR_EMPTY, list = STR_EMPTY;
	uint64_t type = 0;
	bool null = false;
	while (pb_next(&c, &f)) {
		if (f.number == 1) {
			type = f.value;
		} else if (f.number == 2) {
			null = f.value != 0;
		} else if (f.number == 9) {
			set = f.bytes;
		} else if (f.number == 10) {
			list = f.bytes;
		} else {
			is_value(f.number, 3, &f, &v);
		}
	}
	p->failed |= !cursor_done(&c);
	jw_obj(p->w);
	put_type(p, "type", "type_name", type);
	jw_key(p->w, "value");
	if (set.n) {
		put_properties(p, set);
	} else if (list.n) {
		put_property_list(p, list);
	} else if (null) {
		jw_null(p->w);
	} else {
		put_plain(p, &v, type < SPB__MAX ? (uint32_t)type : SPB_UNKNOWN);
	}
	jw_end(p->w);
}

static void put_properties(struct printer *p, struct str bytes)
{
	struct str key, value;
	jw_obj(p->w);
	if (++p->depth > DEPTH_MAX) {
		p->failed = true;
	}
	for (size_t i = 0; !p->failed && i < LIMIT_SPARKPLUG_PROPERTIES && pb_nth(bytes, 1, i, &key); i++) {
		jw_key_str(p->w, key);
		if (pb_nth(bytes, 2, i, &value)) {
			put_property(p, value);
		} else {
			jw_null(p->w);
		}
	}
	p->depth--;
	jw_end(p->w);
}

// --- data sets -------------------------------------------------------------------------------------------------------

static void put_row(struct printer *p, struct str bytes, const uint8_t *types, size_t n_types)
{
	struct cursor c = cursor_of(bytes), e;
	struct pb_field f, g;
	size_t column = 0;
	jw_arr(p->w);
	while (pb_next(&c, &f)) {
		struct spb_value v = { 0 };
		if (f.number != 1 || f.wire != PB_BYTES) {
			continue;
		}
		for (e = cursor_of(f.bytes); pb_next(&e, &g);) {
			is_value(g.number, 1, &g, &v);
		}
		put_plain(p, &v, column < n_types ? types[column] : SPB_UNKNOWN);
		column++;
	}
	p->failed |= !cursor_done(&c);
	jw_end(p->w);
}

static size_t dataset_types(struct str bytes, uint8_t *types, size_t max) // one by one or packed
{
	struct cursor c = cursor_of(bytes);
	struct pb_field f;
	size_t n = 0;
	while (pb_next(&c, &f)) {
		if (f.number == 3 && f.wire == PB_VARINT && n < max) {
			types[n++] = (uint8_t)MIN(f.value, (uint64_t)SPB__MAX);
		}
		for (struct cursor packed = cursor_of(f.bytes); f.number == 3 && cursor_left(&packed) && !packed.failed && n < max;) {
			uint64_t type = take_varint(&packed);
			types[n++] = (uint8_t)MIN(type, (uint64_t)SPB__MAX);
		}
	}
	return n;
}

static void put_dataset(struct printer *p, struct str bytes)
{
	uint8_t types[LIMIT_SHEET_COLUMNS];
	size_t n = dataset_types(bytes, types, ARRAY_LEN(types));
	struct cursor c;
	struct pb_field f;
	jw_obj(p->w);
	for (c = cursor_of(bytes); pb_next(&c, &f);) {
		if (f.number == 1) {
			put_u64(p, "num_of_columns", f.value);
		}
	}
	p->failed |= !cursor_done(&c);
	jw_karr(p->w, "columns");
	for (c = cursor_of(bytes); pb_next(&c, &f);) {
		if (f.number == 2) {
			jw_str(p->w, f.bytes);
		}
	}
	jw_end(p->w);
	jw_karr(p->w, "types");
	for (size_t i = 0; i < n; i++) {
		jw_cstr(p->w, spb_type_name(types[i]));
	}
	jw_end(p->w);
	jw_karr(p->w, "rows");
	for (c = cursor_of(bytes); pb_next(&c, &f);) {
		if (f.number == 4 && f.wire == PB_BYTES) {
			put_row(p, f.bytes, types, n);
		}
	}
	jw_end(p->w);
	jw_end(p->w);
}

// --- templates and metrics -------------------------------------------------------------------------------------------

static void put_metric(struct printer *p, const struct spb_metric *m);

static void put_parameter(struct printer *p, struct str bytes)
{
	struct cursor c = cursor_of(bytes);
	struct pb_field f;
	struct spb_value v = { 0 };
	uint64_t type = 0;
	struct str name = STR_EMPTY;
	while (pb_next(&c, &f)) {
		if (f.number == 1) {
			name = f.bytes;
		} else if (f.number == 2) {
			type = f.value;
		} else {
			is_value(f.number, 3, &f, &v);
		}
	}
	p->failed |= !cursor_done(&c);
	jw_obj(p->w);
	jw_kstr(p->w, "name", name);
	put_type(p, "type", "type_name", type);
	jw_key(p->w, "value");
	put_plain(p, &v, type < SPB__MAX ? (uint32_t)type : SPB_UNKNOWN);
	jw_end(p->w);
}

static void put_template(struct printer *p, struct str bytes)
{
	struct cursor c;
	struct pb_field f;
	struct spb_metric m;
	jw_obj(p->w);
	for (c = cursor_of(bytes); pb_next(&c, &f);) {
		switch (f.number) {
		case 1: jw_kstr(p->w, "version", f.bytes); break;
		case 4: jw_kstr(p->w, "template_ref", f.bytes); break;
		case 5: jw_kbool(p->w, "is_definition", f.value != 0); break;
		default: break;
		}
	}
	p->failed |= !cursor_done(&c);
	jw_karr(p->w, "metrics");
	struct str rest = bytes;
	while (!p->failed && spb_next(&rest, &m)) {
		put_metric(p, &m);
	}
	jw_end(p->w);
	jw_karr(p->w, "parameters");
	for (c = cursor_of(bytes); pb_next(&c, &f);) {
		if (f.number == 3 && f.wire == PB_BYTES) {
			put_parameter(p, f.bytes);
		}
	}
	jw_end(p->w);
	jw_end(p->w);
}

static void put_metric_value(struct printer *p, const struct spb_metric *m)
{
	if (m->value.is == SPB_NOTHING && !m->null) {
		return;
	}
	jw_key(p->w, "value");
	if (m->null || ++p->depth > DEPTH_MAX) {
		p->failed |= !m->null;
		jw_null(p->w);
		return;
	}
	if (m->value.is == SPB_F_DATASET) {
		put_dataset(p, m->value.field.bytes);
	} else if (m->value.is == SPB_F_TEMPLATE) {
		put_template(p, m->value.field.bytes);
	} else {
		put_plain(p, &m->value, m->type);
	}
	p->depth--;
}

static void put_metric(struct printer *p, const struct spb_metric *m)
{
	jw_obj(p->w);
	if (m->has_name) {
		jw_kstr(p->w, "name", m->name);
	}
	if (m->has_alias) {
		put_u64(p, "alias", m->alias);
	}
	if (m->has_time) {
		put_ms(p, "timestamp", m->time);
	}
	if (m->has_type) {
		put_type(p, "datatype", "datatype_name", m->type);
	}
	if (m->has_historical) {
		jw_kbool(p->w, "is_historical", m->historical);
	}
	if (m->has_transient) {
		jw_kbool(p->w, "is_transient", m->transient);
	}
	if (m->has_null) {
		jw_kbool(p->w, "is_null", m->null);
	}
	if (m->metadata.n) {
		put_metadata(p, m->metadata);
	}
	if (m->properties.n) {
		jw_key(p->w, "properties");
		put_properties(p, m->properties);
	}
	put_metric_value(p, m);
	jw_end(p->w);
}

bool print_sparkplug(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why)
{
	struct spb_payload payload;
	struct spb_metric m;
	struct printer p = { .w = w, .arena = arena };
	(void)now;
	if (!spb_read(frame, &payload, why)) {
		return false;
	}
	if (payload.has_time) {
		put_ms(&p, "timestamp", payload.time);
	}
	jw_karr(w, "metrics");
	for (struct str rest = frame; !p.failed && spb_next(&rest, &m);) {
		put_metric(&p, &m);
	}
	jw_end(w);
	if (payload.has_seq) {
		put_u64(&p, "seq", payload.seq);
	}
	if (payload.uuid.n) {
		jw_kstr(w, "uuid", payload.uuid);
	}
	if (payload.body.n) {
		jw_kstr(w, "body", str_to_base64(arena, payload.body));
	}
	return !p.failed || refuse_as(why, &TOO_DEEP, 0);
}
