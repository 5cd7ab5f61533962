#include "api/lot.h"

#include "store/audit.h"

static const struct value *held(const struct type *t, const char *field, const struct row *row)
{
	static const struct value none = { .kind = VAL_NULL, .s = { "", 0 } };
	const struct field *f = type_field(t, str_of(field));
	return f && f->ncols ? &row->vals[f->col] : &none;
}

struct str lot_text(const struct type *t, const char *field, const struct row *row)
{
	const struct value *v = held(t, field, row);
	return v->kind == VAL_TEXT ? v->s : STR_EMPTY;
}

int64_t lot_id(const struct type *t, const char *field, const struct row *row)
{
	const struct field *f = type_field(t, str_of(field));
	if (f && !f->ncols && str_is(f->name, "enterprise")) // the common column
		return row->c.enterprise;
	const struct value *v = held(t, field, row);
	return v->kind == VAL_INT ? v->i : 0;
}

double lot_number(const struct type *t, const char *field, const struct row *row)
{
	const struct value *v = held(t, field, row);
	return v->kind == VAL_REAL ? v->f : v->kind == VAL_INT ? (double)v->i : 0;
}

enum err lot_pool_text(const struct ticket *v, size_t n, struct arena *a, struct value *ret)
{
	struct buf b;
	buf_init(&b, LIMIT_TEXT_FIELD);
	for (size_t i = 0; i < n; i++) {
		buf_printf(&b, "%s%lld", i ? "," : "", (long long)v[i].id);
		if (v[i].many > 1)
			buf_printf(&b, "*%d", v[i].many);
	}
	bool ok = buf_ok(&b);
	*ret = (struct value){ .kind = n ? VAL_TEXT : VAL_NULL, .s = arena_str(a, buf_str(&b)) };
	buf_free(&b);
	return ok ? OK : ERR_TOO_LARGE;
}

enum err lot_seed(struct db *db, struct str type, int64_t id, struct arena *a, int64_t *ret_entry, char ret[LOT_SEED])
{
	struct audit_entry *v;
	size_t n;
	enum err err = audit_list(db, type, id, 0, 1, a, &v, &n);
	if (err || !n)
		return err ? err : ERR_BUG;
	*ret_entry = v[0].seq;
	return audit_hash_at(db, v[0].seq, ret);
}

// Rows are objects of texts and ids.
struct value lot_rows(const json_t *rows, struct arena *a)
{
	struct buf b;
	struct jw w;
	buf_init(&b, LIMIT_ROWS_FIELD);
	jw_init(&w, &b);
	jw_arr(&w);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i), *v;
		const char *key;
		jw_obj(&w);
		json_object_foreach(row, key, v) {
			if (json_is_string(v))
				jw_kcstr(&w, key, json_string_value(v));
			else
				jw_ki64(&w, key, json_integer_value(v));
		}
		jw_end(&w);
	}
	jw_end(&w);
	struct value ret = { .kind = VAL_TEXT, .s = jw_done(&w) ? arena_str(a, buf_str(&b)) : STR("[]") };
	buf_free(&b);
	return ret;
}
