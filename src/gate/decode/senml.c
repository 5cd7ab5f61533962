// SenML (RFC 8428): what its two forms share: base fields, resolved records, relative times. Section numbers: RFC 8428.
// Pure functions, any thread.
#include "gate/decode/payload.h"

#include <math.h>

#define VERSION_MAX 10           // 4.1: bver of the RFC
#define RELATIVE_BELOW 268435456.0 // 2^28, 4.5.3
#define SECONDS_MAX 253402300799.0 // the year 9999

static void wrong(struct senml *rec, enum reject why)
{
	if (rec->wrong < 0) {
		rec->wrong = (int)why;
	}
}

static double number(struct senml *rec, const struct senml_value *v, enum reject why)
{
	if (v->is == SENML_NUMBER && isfinite(v->number)) {
		return v->number;
	}
	wrong(rec, why);
	return 0;
}

static struct str text(struct senml *rec, const struct senml_value *v)
{
	if (v->is == SENML_TEXT) {
		return v->text;
	}
	wrong(rec, REJECT_SYNTAX);
	return STR_EMPTY;
}

enum senml_label senml_label(struct str key)
{
	static const struct {
		const char *name;
		enum senml_label label;
	} labels[] = {
		{ "n", SENML_N }, { "v", SENML_V }, { "t", SENML_T }, { "u", SENML_U }, { "vb", SENML_VB },
		{ "vs", SENML_VS }, { "vd", SENML_VD }, { "s", SENML_S }, { "ut", SENML_UT }, { "bn", SENML_BN },
		{ "bt", SENML_BT }, { "bu", SENML_BU }, { "bv", SENML_BV }, { "bs", SENML_BS }, { "bver", SENML_BVER },
	};
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		if (str_is(key, labels[i].name)) {
			return labels[i].label;
		}
	}
	return str_ends(key, STR("_")) ? SENML_MUST : SENML_OTHER; // 4.4
}

void senml_begin(struct senml_pack *p)
{
	p->rec = (struct senml){ .name = STR_EMPTY, .unit = STR_EMPTY, .text = STR_EMPTY, .wrong = -1 };
	p->time = 0;
	p->values = 0;
	p->own = false;
}

static void take_value(struct senml_pack *p, enum senml_label label, const struct senml_value *v)
{
	struct senml *rec = &p->rec;
	p->values++;
	if (label == SENML_V) {
		rec->value = number(rec, v, REJECT_VALUE);
		rec->has_value = true;
	} else if (label == SENML_VB) {
		rec->has_bool = v->is == SENML_BOOL;
		rec->bool_value = v->truth;
		if (!rec->has_bool) {
			wrong(rec, REJECT_VALUE);
		}
	} else {
		rec->text = text(rec, v);
		rec->has_text = label == SENML_VS;
		rec->has_data = label == SENML_VD;
	}
}

// A base field holds for all that follow: one that cannot be read leaves none of them a name, a time or a value to believe.
static bool base_readable(enum senml_label label, const struct senml_value *v)
{
	bool number = label == SENML_BT || label == SENML_BV || label == SENML_BS;
	return label == SENML_BN ? v->is == SENML_TEXT : !number || (v->is == SENML_NUMBER && isfinite(v->number));
}

const char *senml_field(struct senml_pack *p, enum senml_label label, const struct senml_value *v)
{
	struct senml *rec = &p->rec;
	p->own |= label >= 0;
	if (!base_readable(label, v)) {
		return "a SenML base field that is not of its kind";
	}
	switch (label) {
	case SENML_BN: p->base.name = text(rec, v); break;
	case SENML_BU: p->base.unit = text(rec, v); break;
	case SENML_BT: p->base.time = number(rec, v, REJECT_TIME); break;
	case SENML_BV:
		p->base.value = number(rec, v, REJECT_VALUE);
		p->base.has_value = true;
		break;
	case SENML_BS:
		p->base.sum = number(rec, v, REJECT_VALUE);
		p->base.has_sum = true;
		break;
	case SENML_BVER: {
		double version = number(rec, v, REJECT_SYNTAX);
		return version > VERSION_MAX || version < 1 ? "SenML version beyond 10" : NULL;
	}
	case SENML_N: rec->name = text(rec, v); break;
	case SENML_U: rec->unit = text(rec, v); break;
	case SENML_T: p->time = number(rec, v, REJECT_TIME); break;
	case SENML_S:
		rec->sum = number(rec, v, REJECT_VALUE);
		rec->has_sum = true;
		break;
	case SENML_UT:
		rec->update = number(rec, v, REJECT_TIME);
		rec->has_update = true;
		break;
	case SENML_V: case SENML_VB: case SENML_VS: case SENML_VD: take_value(p, label, v); break;
	case SENML_OTHER: case SENML_MUST: break;
	}
	return NULL;
}

// 4.5.1: begins with a letter or digit, then also - : . / _
static bool name_valid(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!alnum && (i == 0 || !memchr("-:./_", c, 5))) {
			return false;
		}
	}
	return s.n > 0 && s.n <= LIMIT_POINT_NAME;
}

const struct senml *senml_end(struct senml_pack *p, struct arena *arena)
{
	struct senml *rec = &p->rec;
	typeof(&p->base) b = &p->base;
	if (!rec->name.n) {
		rec->name = b->name;
	} else if (b->name.n) {
		rec->name = arena_printf(arena, "%.*s%.*s", STR_FMT(b->name), STR_FMT(rec->name));
	}
	if (!rec->unit.n) {
		rec->unit = b->unit;
	}
	rec->time = b->time + p->time;
	bool other = rec->has_bool || rec->has_text || rec->has_data;
	if (b->has_value && !other && p->own && (rec->has_value || !rec->has_sum)) {
		rec->value += b->value;
		rec->has_value = true;
	}
	if (b->has_sum && (rec->has_sum || (p->own && !rec->has_value && !other))) {
		rec->sum += b->sum;
		rec->has_sum = true;
	}
	rec->only_base = !p->own;
	if (rec->only_base) {
		return rec;
	}
	if (!name_valid(rec->name)) {
		wrong(rec, rec->name.n > LIMIT_POINT_NAME ? REJECT_TOO_LARGE : REJECT_SYNTAX);
	}
	if (p->values > 1) {
		wrong(rec, REJECT_SYNTAX); // 4.2: exactly one value field, or a sum
	}
	if ((!rec->has_value && !rec->has_sum && !other) || !isfinite(rec->value) || !isfinite(rec->sum)) {
		wrong(rec, REJECT_VALUE);
	}
	return rec;
}

bool senml_time(double seconds, int64_t now, int64_t *ret)
{
	if (!(fabs(seconds) <= SECONDS_MAX)) {
		return false;
	}
	int64_t us = (int64_t)floor(seconds * 1e6 + 0.5);
	*ret = seconds < RELATIVE_BELOW ? now + us : us;
	return true;
}
