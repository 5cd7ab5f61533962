// What the decoders of message bodies share among themselves. Private to src/gate/decode.
#pragma once

#include "base/jr.h"
#include "base/jw.h"
#include "gate/decode/decode.h"

// True if the whole text was read; else the refusal with the reader's reason and place.
bool payload_end(struct jr *r, struct refusal *why);
bool payload_too_many(struct jr *r, struct refusal *why); // refuses; always false
bool payload_time_ms(double ms, int64_t *ret);            // milliseconds since 1970, up to the year 9999
bool payload_quality(struct str name, enum quality *ret);

// One resolved SenML record.
struct senml {
	struct str name, unit;     // resolved; unit may be empty
	double time;               // seconds: bt + t, before relative times are added to the present
	double value, sum, update; // resolved v, s; ut
	bool has_value, has_sum, has_update;
	bool has_bool, bool_value;
	bool has_text, has_data;   // vs, vd
	struct str text;
	bool only_base;            // nothing but base fields: sets them for the records that follow, is none itself
	int wrong;                 // enum reject, -1: fine
};
typedef void senml_record(void *owner, const struct senml *rec);
bool senml_walk(struct str body, struct arena *arena, senml_record *each, void *owner, struct refusal *why);
// Seconds as senml.time → UTC us: below 2^28 they are relative to now (RFC 8428 4.5.3). False if out of range.
bool senml_time(double seconds, int64_t now, int64_t *ret);

// A time of the gateway family: Beijing time "yyyy-MM-dd HH:mm:ss" or "yyyyMMddHHmmss", or RFC 3339.
bool gateway_time(struct str s, int64_t *ret);
// Whether a key of the gateway family names a time, or a measured number that may come as text.
bool gateway_key_is_time(struct str key);
bool gateway_key_is_value(struct str key);
