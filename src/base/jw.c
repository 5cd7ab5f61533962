// Writing JSON (RFC 8259) into a buf. One owner at a time. An array or object that nests too deep is a bug of ours.
#include "base/jw.h"
#include "base/time.h"

void jw_init(struct jw *w, struct buf *out)
{
	*w = (struct jw){ .out = out };
}

bool jw_done(struct jw *w)
{
	assert(w->depth == 0 && !w->after_key);
	return w->depth == 0 && !w->after_key && buf_ok(w->out);
}

// Comma and state before a value.
static void value_begin(struct jw *w)
{
	assert(w->after_key || w->depth == 0 || w->stack[w->depth - 1] == '[');
	if (w->need_comma && !w->after_key) {
		buf_add_u8(w->out, ',');
	}
	w->need_comma = true;
	w->after_key = false;
}

static void scope_open(struct jw *w, char bracket)
{
	value_begin(w);
	assert(w->depth < JW_MAX_DEPTH);
	w->stack[w->depth++] = (uint8_t)bracket;
	w->need_comma = false;
	buf_add_u8(w->out, (uint8_t)bracket);
}

void jw_obj(struct jw *w)
{
	scope_open(w, '{');
}

void jw_arr(struct jw *w)
{
	scope_open(w, '[');
}

void jw_end(struct jw *w)
{
	assert(w->depth > 0 && !w->after_key);
	w->depth--;
	buf_add_u8(w->out, w->stack[w->depth] == '{' ? '}' : ']');
	w->need_comma = true;
}

// 1: needs an escape; 2: not ASCII. Everything else is copied.
static inline int byte_class(uint8_t c)
{
	return c >= 0x80 ? 2 : c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

static void put_escape(struct buf *b, uint8_t c)
{
	static const char hex[] = "0123456789abcdef";
	char short_form = 0;
	switch (c) {
	case '"': case '\\': short_form = (char)c; break;
	case '\n': short_form = 'n'; break;
	case '\r': short_form = 'r'; break;
	case '\t': short_form = 't'; break;
	case '\b': short_form = 'b'; break;
	case '\f': short_form = 'f'; break;
	default: break;
	}
	if (short_form) {
		buf_add(b, (char[]){ '\\', short_form }, 2);
	} else {
		buf_add(b, (char[]){ '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] }, 6);
	}
}

static void put_string(struct buf *b, struct str s)
{
	const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n, *from = p;
	buf_add_u8(b, '"');
	while (p < end) {
		int class = byte_class(*p);
		size_t len = 1;
		if (class == 2) {
			len = utf8_sequence(p, (size_t)(end - p));
		}
		if (class == 0 || (class == 2 && len)) {
			p += len;
			continue;
		}
		buf_add(b, from, (size_t)(p - from));
		if (class == 1) {
			put_escape(b, *p);
		} else {
			buf_add_cstr(b, "\xef\xbf\xbd"); // U+FFFD
		}
		from = ++p;
	}
	buf_add(b, from, (size_t)(p - from));
	buf_add_u8(b, '"');
}

void jw_key_str(struct jw *w, struct str key)
{
	assert(w->depth > 0 && w->stack[w->depth - 1] == '{' && !w->after_key);
	if (w->need_comma) {
		buf_add_u8(w->out, ',');
	}
	put_string(w->out, key);
	buf_add_u8(w->out, ':');
	w->after_key = true;
}

void jw_key(struct jw *w, const char *key)
{
	jw_key_str(w, str_of(key));
}

void jw_str(struct jw *w, struct str s)
{
	value_begin(w);
	put_string(w->out, s);
}

void jw_cstr(struct jw *w, const char *s)
{
	if (s) {
		jw_str(w, str_of(s));
	} else {
		jw_null(w);
	}
}

static size_t u64_text(uint64_t v, char *end)
{
	char *p = end;
	do {
		*--p = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	return (size_t)(end - p);
}

void jw_u64(struct jw *w, uint64_t v)
{
	char text[20];
	size_t n = u64_text(v, text + sizeof(text));
	value_begin(w);
	buf_add(w->out, text + sizeof(text) - n, n);
}

void jw_i64(struct jw *w, int64_t v)
{
	char text[21];
	size_t n = u64_text(v < 0 ? 0 - (uint64_t)v : (uint64_t)v, text + sizeof(text));
	if (v < 0) {
		text[sizeof(text) - ++n] = '-';
	}
	value_begin(w);
	buf_add(w->out, text + sizeof(text) - n, n);
}

void jw_f64(struct jw *w, double v)
{
	char text[F64_TEXT_MAX];
	value_begin(w);
	buf_add(w->out, text, f64_text(v, text));
}

void jw_bool(struct jw *w, bool v)
{
	value_begin(w);
	buf_add_cstr(w->out, v ? "true" : "false");
}

void jw_null(struct jw *w)
{
	value_begin(w);
	buf_add(w->out, "null", 4);
}

void jw_time(struct jw *w, int64_t us)
{
	char text[TIME_TEXT_MAX + 2];
	size_t n = time_text(us, text + 1);
	text[0] = text[n + 1] = '"';
	value_begin(w);
	buf_add(w->out, text, n + 2);
}

void jw_raw(struct jw *w, struct str json)
{
	value_begin(w);
	buf_add_str(w->out, json);
}

void jw_kstr(struct jw *w, const char *key, struct str v)
{
	jw_key(w, key);
	jw_str(w, v);
}

void jw_kcstr(struct jw *w, const char *key, const char *v)
{
	jw_key(w, key);
	jw_cstr(w, v);
}

void jw_ki64(struct jw *w, const char *key, int64_t v)
{
	jw_key(w, key);
	jw_i64(w, v);
}

void jw_kf64(struct jw *w, const char *key, double v)
{
	jw_key(w, key);
	jw_f64(w, v);
}

void jw_kbool(struct jw *w, const char *key, bool v)
{
	jw_key(w, key);
	jw_bool(w, v);
}

void jw_ktime(struct jw *w, const char *key, int64_t us)
{
	jw_key(w, key);
	jw_time(w, us);
}

void jw_kobj(struct jw *w, const char *key)
{
	jw_key(w, key);
	jw_obj(w);
}

void jw_karr(struct jw *w, const char *key)
{
	jw_key(w, key);
	jw_arr(w);
}
