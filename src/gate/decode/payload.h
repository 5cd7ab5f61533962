// What the decoders of message bodies share among themselves. Private to src/gate/decode.
#pragma once

#include "base/jr.h"
#include "base/jw.h"
#include "gate/decode/decode.h"

// True if the whole text was read; else the refusal with the reader's reason and place.
bool payload_end(struct jr *r, struct refusal *why);
bool payload_too_many(struct jr *r, struct refusal *why); // refuses; always false
bool payload_too_many_at(size_t offset, struct refusal *why); // likewise
bool payload_time_ms(double ms, int64_t *ret);            // milliseconds since 1970, up to the year 9999
// A momentary event is 1 at its time and 0 so much later, so that it returns by itself; devices say events by the second.
#define PAYLOAD_EVENT_US (US_PER_S / 2)
bool payload_quality(struct str name, enum quality *ret);

// One resolved SenML record.
struct senml {
	struct str name, unit;     // resolved; unit may be empty
	double time;               // seconds: bt + t, before relative times are added to the present
	double value, sum, update; // resolved v, s; ut
	bool has_value, has_sum, has_update;
	bool has_bool, bool_value;
	bool has_text, has_data;   // vs, vd
	struct str text;           // of vd: base64url
	bool only_base;            // nothing but base fields: sets them for the records that follow, is none itself
	int wrong;                 // enum reject, -1: fine
};
typedef void senml_record(void *owner, const struct senml *rec);
bool senml_walk(struct str body, struct arena *arena, senml_record *each, void *owner, struct refusal *why);
bool senml_cbor_walk(struct str body, struct arena *arena, senml_record *each, void *owner, struct refusal *why);

// What JSON and CBOR share (senml.c): fields by the labels of RFC 8428 table 4, values of either form.
enum senml_label {
	SENML_BVER = -1, SENML_BN = -2, SENML_BT = -3, SENML_BU = -4, SENML_BV = -5, SENML_BS = -6,
	SENML_N = 0, SENML_U, SENML_V, SENML_VS, SENML_VB, SENML_S, SENML_T, SENML_UT, SENML_VD,
	SENML_OTHER,               // an extension that may be ignored
	SENML_MUST,                // one that must be understood: the reader refuses the pack (4.4)
};
#define SENML_NOT_UNDERSTOOD "a SenML field that must be understood is not"
struct senml_value {
	enum { SENML_ELSE, SENML_NUMBER, SENML_TEXT, SENML_BOOL } is;
	double number;             // may be infinite or NaN: the record is refused then
	struct str text;
	bool truth;
};
struct senml_pack {                // while it is read
	struct {                   // base fields in force (4.1)
		struct str name, unit;
		double time, value, sum;
		bool has_value, has_sum;
	} base;
	struct senml rec;          // the record at hand
	double time;               // its t
	unsigned values;           // value fields seen
	bool own;                  // any field that is not a base field
};
#define SENML_PACK (struct senml_pack){ .base = { .name = STR_EMPTY, .unit = STR_EMPTY } }
enum senml_label senml_label(struct str key);
void senml_begin(struct senml_pack *p);  // a record
// NULL, or why the whole pack must be refused.
const char *senml_field(struct senml_pack *p, enum senml_label label, const struct senml_value *v);
const struct senml *senml_end(struct senml_pack *p, struct arena *arena);
// Seconds as senml.time → UTC us: below 2^28 they are relative to now (RFC 8428 4.5.3). False if out of range.
bool senml_time(double seconds, int64_t now, int64_t *ret);

// A time of the gateway family: Beijing time "yyyy-MM-dd HH:mm:ss" or "yyyyMMddHHmmss", or RFC 3339.
bool gateway_time(struct str s, int64_t *ret);
// Whether a key of the gateway family names a time, or a measured number that may come as text.
bool gateway_key_is_time(struct str key);
bool gateway_key_is_value(struct str key);
