// The one list of decoders that `anlan decode PROTOCOL` offers, each printing a frame as a JSON object with the
// protocol's own field names: numbers as numbers, times in RFC 3339 at +08:00. Called by tool/ and by tests; any
// thread.
#pragma once

#include "base/jw.h"
#include "gate/decode/decode.h"
#include "gate/decode/template.h"

struct decoder {
	const char *name;      // as given on the command line
	enum { FRAME_TEXT, FRAME_HEX, FRAME_AS_IT_IS } form; // text (or hex); bytes, written as hex digits; text, also of hex digits
	const char *zh, *en;   // what it is
	// Writes the members of one object, or returns false (what was written is then thrown away).
	bool (*print)(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why);
	const struct payload_template *tpl; // instead of print: read by this template
};

const struct decoder *decoder_find(struct str name); // NULL: none
const struct decoder *decoder_list(size_t *ret_n);

// One line (a frame as hex or text, blanks around it ignored) → one JSON object appended to out, without a line end.
// Refused: {"error":{"code":reject name,"message":…,"offset":…,"expected"?,"found"?}} and false. now: UTC us for
// relative SenML times; zh: language of the message.
bool decoder_print(const struct decoder *d, struct str line, struct arena *arena, int64_t now, bool zh,
		   struct buf *out);

// The functions of the list; each lives in print_*.c.
bool print_hj212(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why);
bool print_gb26875(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why);
bool print_modbus(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why);
bool print_jt808(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why);
bool print_gb32960(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why);
bool print_sl651(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why);
bool print_json(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why);
bool print_senml(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why);
bool print_senml_cbor(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why);
bool print_sparkplug(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why);
bool print_gateway_aes(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why);
bool print_dust(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why);
bool print_gateway(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why);

bool print_template(const struct payload_template *t, struct str frame, struct arena *arena, int64_t now, struct jw *w,
		    struct refusal *why);

// What they share.
void print_json_or_text(struct str plain, struct arena *arena, struct jw *w); // as print_gateway does, any JSON; else as text
void print_time(struct jw *w, const char *key, int64_t us); // at +08:00; null for INT64_MIN
void print_hex(struct jw *w, const char *key, struct str bytes);
// Text in GB 18030 of at most 255 bytes, padded with NUL or blanks. Bytes that are no such text are shown as hex.
void print_text(struct jw *w, const char *key, struct str raw);
void print_code(struct jw *w, const char *key, const char *name_key, uint32_t code, const char *name); // name: NULL = none
