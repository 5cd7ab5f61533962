// needs: base
// Any bytes through the JSON reader: what it accepts must stay the same when skipped, walked and written again.
#include "base/arena.h"
#include "base/jr.h"
#include "base/jw.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void copy_value(struct jr *r, struct jw *w)
{
	struct str key;
	switch (jr_peek(r)) {
	case JR_NULL: jr_null(r); jw_null(w); break;
	case JR_BOOL: jw_bool(w, jr_bool(r)); break;
	case JR_NUMBER: jw_f64(w, jr_f64_wide(r)); break;
	case JR_STRING: jw_str(w, jr_str(r)); break;
	case JR_ARRAY:
		jw_arr(w);
		for (jr_arr(r); jr_more(r);) {
			copy_value(r, w);
		}
		jw_end(w);
		break;
	case JR_OBJECT:
		jw_obj(w);
		for (jr_obj(r); jr_key(r, &key);) {
			jw_key_str(w, key);
			copy_value(r, w);
		}
		if (w->after_key) {
			jw_null(w);
		}
		jw_end(w);
		break;
	case JR_NONE: jr_skip(r); jw_null(w); break;
	}
}

static bool copy(struct str in, struct buf *out, struct arena *a)
{
	struct jr r;
	struct jw w;
	jr_init(&r, in, a);
	buf_init(out, 8 << 20);
	jw_init(&w, out);
	copy_value(&r, &w);
	bool ok = jr_end(&r);
	if (jr_offset(&r) > in.n || (ok && !jw_done(&w))) {
		abort();
	}
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(0);
	struct str in = str_from((const char *)data, n);
	struct jr r;
	jr_init(&r, in, NULL);
	jr_skip(&r);
	bool skipped = jr_end(&r);
	struct buf one, two;
	bool ok = copy(in, &one, a);
	if (ok != skipped) {
		abort();
	}
	if (ok) {
		if (!copy(buf_str(&one), &two, a) || !str_eq(buf_str(&one), buf_str(&two))) {
			abort();
		}
		buf_free(&two);
	}
	buf_free(&one);
	jr_init(&r, in, a);
	int64_t i = jr_i64(&r);
	if (jr_end(&r) && i != 0 && !skipped) {
		abort();
	}
	arena_free(a);
	return 0;
}
