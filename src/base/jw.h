// Streaming JSON writer with a scope stack: commas and nesting are its business, so the output is always
// well-formed. An unbalanced use is a bug and asserts in jw_done. Output goes to a buf with its maximum.
#pragma once

#include "base/base.h"
#include "base/buf.h"

#define JW_MAX_DEPTH 32

struct jw {
	struct buf *out;
	uint8_t depth;
	uint8_t stack[JW_MAX_DEPTH]; // '{' or '['
	bool need_comma;
	bool after_key;
};

void jw_init(struct jw *w, struct buf *out);
// True if everything fitted and every scope was closed.
bool jw_done(struct jw *w) must_check;
void jw_obj(struct jw *w);
void jw_arr(struct jw *w);
void jw_end(struct jw *w); // closes the innermost object or array
void jw_key(struct jw *w, const char *key);
void jw_key_str(struct jw *w, struct str key);
void jw_str(struct jw *w, struct str s); // invalid UTF-8 becomes U+FFFD
void jw_cstr(struct jw *w, const char *s); // NULL becomes null
void jw_i64(struct jw *w, int64_t v);
void jw_u64(struct jw *w, uint64_t v);
void jw_f64(struct jw *w, double v); // NaN and infinities become null
void jw_bool(struct jw *w, bool v);
void jw_null(struct jw *w);
void jw_time(struct jw *w, int64_t us); // RFC 3339 in the site's zone
void jw_raw(struct jw *w, struct str json); // already JSON

// key and value in one line
void jw_kstr(struct jw *w, const char *key, struct str v);
void jw_kcstr(struct jw *w, const char *key, const char *v);
void jw_ki64(struct jw *w, const char *key, int64_t v);
void jw_kf64(struct jw *w, const char *key, double v);
void jw_kbool(struct jw *w, const char *key, bool v);
void jw_ktime(struct jw *w, const char *key, int64_t us);
void jw_kobj(struct jw *w, const char *key);
void jw_karr(struct jw *w, const char *key);
