// Message bodies as JSON: what each says, resolved. See decoders.h.
#include "gate/decode/decoders.h"
#include "gate/decode/payload.h"

// --- plain array -----------------------------------------------------------------------------------------------------

struct refused {
	enum reject why;
	struct str name;
};

struct listing {
	struct jw *w;
	struct arena *arena;
	struct refused *refused;
	size_t n, cap;
};

static void list_reading(void *owner, const struct decoded *d)
{
	struct listing *l = owner;
	jw_obj(l->w);
	jw_kstr(l->w, "point", d->name);
	print_time(l->w, "time", d->time);
	jw_kf64(l->w, "value", d->value);
	jw_kcstr(l->w, "quality", quality_name(d->quality));
	jw_end(l->w);
}

static void list_refused(void *owner, enum reject why, struct str what)
{
	struct listing *l = owner;
	l->refused = arena_push(l->arena, l->refused, &l->n, &l->cap, sizeof(*l->refused));
	l->refused[l->n - 1] = (struct refused){ why, what };
}

static void put_refused(struct listing *l, const char *name)
{
	if (!l->n) {
		return;
	}
	jw_karr(l->w, "rejected");
	for (size_t i = 0; i < l->n; i++) {
		jw_obj(l->w);
		jw_kstr(l->w, name, l->refused[i].name);
		jw_kcstr(l->w, "reason", reject_name(l->refused[i].why));
		jw_end(l->w);
	}
	jw_end(l->w);
}

bool print_json(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why)
{
	(void)now;
	struct listing l = { .w = w, .arena = arena };
	struct decode_sink sink = { &l, list_reading, list_refused };
	jw_karr(w, "readings");
	bool ok = payload_json(frame, arena, &sink, why);
	jw_end(w);
	put_refused(&l, "point");
	return ok;
}

bool print_template(const struct payload_template *t, struct str frame, struct arena *arena, int64_t now, struct jw *w,
		    struct refusal *why)
{
	struct listing l = { .w = w, .arena = arena };
	struct decode_sink sink = { &l, list_reading, list_refused };
	jw_karr(w, "readings");
	bool ok = template_decode(t, frame, arena, now, &sink, why);
	jw_end(w);
	put_refused(&l, "point");
	return ok;
}

// --- SenML -----------------------------------------------------------------------------------------------------------

struct senml_listing {
	struct listing l;
	int64_t now;
};

static void list_record(void *owner, const struct senml *rec)
{
	struct senml_listing *s = owner;
	struct jw *w = s->l.w;
	int64_t us = INT64_MIN;
	if (rec->only_base) {
		return;
	}
	if (rec->wrong >= 0 || !senml_time(rec->time, s->now, &us)) {
		list_refused(&s->l, rec->wrong >= 0 ? (enum reject)rec->wrong : REJECT_TIME, rec->name);
		return;
	}
	jw_obj(w);
	jw_kstr(w, "n", rec->name);
	if (rec->unit.n) {
		jw_kstr(w, "u", rec->unit);
	}
	print_time(w, "t", us);
	if (rec->has_bool) {
		jw_kbool(w, "vb", rec->bool_value);
	} else if (rec->has_text || rec->has_data) {
		jw_kstr(w, rec->has_text ? "vs" : "vd", rec->text);
	} else if (rec->has_value) {
		jw_kf64(w, "v", rec->value);
	}
	if (rec->has_sum) {
		jw_kf64(w, "s", rec->sum);
	}
	if (rec->has_update) {
		jw_kf64(w, "ut", rec->update);
	}
	jw_end(w);
}

typedef bool senml_walker(struct str body, struct arena *arena, senml_record *each, void *owner, struct refusal *why);

static bool print_pack(senml_walker *walk, struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why)
{
	struct senml_listing s = { .l = { .w = w, .arena = arena }, .now = now };
	jw_karr(w, "records");
	bool ok = walk(frame, arena, list_record, &s, why);
	jw_end(w);
	put_refused(&s.l, "n");
	return ok;
}

bool print_senml(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why)
{
	return print_pack(senml_walk, frame, arena, now, w, why);
}

bool print_senml_cbor(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why)
{
	return print_pack(senml_cbor_walk, frame, arena, now, w, why);
}

// --- gateway ---------------------------------------------------------------------------------------------------------

static void nowhere_reading(void *owner, const struct decoded *d)
{
	(void)owner, (void)d;
}

static void nowhere_refused(void *owner, enum reject why, struct str what)
{
	(void)owner, (void)why, (void)what;
}

static void copy_text(struct jw *w, struct str key, struct str s)
{
	char text[TIME_TEXT_MAX];
	int64_t us;
	double v;
	if (gateway_key_is_time(key) && gateway_time(s, &us)) {
		jw_str(w, str_from(text, time_text_zone(us, ZONE_CHINA_MIN, text)));
	} else if (gateway_key_is_value(key) && decode_number(s, &v)) {
		jw_f64(w, v);
	} else {
		jw_str(w, s);
	}
}

// The body with its own names; times in RFC 3339, measured values as numbers. Depth is bounded by the reader.
static void copy_value(struct jr *r, struct jw *w, struct str key)
{
	struct str name;
	switch (jr_peek(r)) {
	case JR_STRING: copy_text(w, key, jr_str(r)); break;
	case JR_NUMBER: jw_raw(w, jr_skip(r)); break;
	case JR_BOOL: jw_bool(w, jr_bool(r)); break;
	case JR_NULL: case JR_NONE: jr_skip(r); jw_null(w); break;
	case JR_ARRAY:
		jw_arr(w);
		for (jr_arr(r); jr_more(r);) {
			copy_value(r, w, key);
		}
		jw_end(w);
		break;
	case JR_OBJECT:
		jw_obj(w);
		for (jr_obj(r); jr_key(r, &name);) {
			jw_key_str(w, name);
			copy_value(r, w, name);
		}
		jw_end(w);
		break;
	}
}

bool print_gateway(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why)
{
	(void)now;
	struct decode_sink sink = { NULL, nowhere_reading, nowhere_refused };
	if (!payload_gateway(frame, arena, &sink, why)) {
		return false;
	}
	struct jr r;
	struct str key;
	jr_init(&r, frame, arena);
	for (jr_obj(&r); jr_key(&r, &key);) {
		jw_key_str(w, key);
		copy_value(&r, w, key);
	}
	return payload_end(&r, why);
}

void print_json_or_text(struct str plain, struct arena *arena, struct jw *w)
{
	struct jr r;
	jr_init(&r, plain, arena);
	jr_skip(&r);
	bool json = jr_end(&r);
	jr_init(&r, plain, arena);
	if (json && (jr_peek(&r) == JR_OBJECT || jr_peek(&r) == JR_ARRAY)) {
		copy_value(&r, w, STR_EMPTY);
	} else {
		jw_str(w, plain);
	}
}
