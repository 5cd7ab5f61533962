#include "api/lot.h"

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
			else if (json_is_real(v))
				jw_kf64(&w, key, json_real_value(v));
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
