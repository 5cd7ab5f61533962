#include "model/held.h"

const struct value *held(const struct type *t, const struct row *row, const char *field)
{
	static const struct value none = { .kind = VAL_NULL, .s = { "", 0 } };
	const struct field *f = type_field(t, str_of(field));
	return f && f->ncols ? &row->vals[f->col] : &none;
}

struct str held_text(const struct type *t, const struct row *row, const char *field)
{
	const struct value *v = held(t, row, field);
	return v->kind == VAL_TEXT ? v->s : STR_EMPTY;
}

int64_t held_int(const struct type *t, const struct row *row, const char *field, int64_t fallback)
{
	const struct value *v = held(t, row, field);
	return v->kind == VAL_INT ? v->i : v->kind == VAL_REAL ? (int64_t)v->f : fallback;
}

double held_number(const struct type *t, const struct row *row, const char *field, double fallback)
{
	const struct value *v = held(t, row, field);
	return v->kind == VAL_REAL ? v->f : v->kind == VAL_INT ? (double)v->i : fallback;
}

bool held_place(const struct type *t, const struct row *row, const char *field, double *lon, double *lat)
{
	const struct field *f = type_field(t, str_of(field));
	const struct value *at = held(t, row, field);
	if (!f || f->ncols != 2 || at[0].kind != VAL_REAL || at[1].kind != VAL_REAL)
		return false;
	*lon = at[0].f;
	*lat = at[1].f;
	return true;
}
