// Sparkplug B payloads (Eclipse Sparkplug 3.0, chapter 6; protobuf package org.eclipse.tahu.protobuf). Read in place: first
// spb_read checks the whole and gives what stands around the metrics, then spb_next gives one after the other. Pure.
#pragma once

#include "base/cursor.h"
#include "gate/decode/decode.h"

// --- protobuf --------------------------------------------------------------------------------------------------------

enum pb_wire { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 };
struct pb_field {
	uint32_t number;
	enum pb_wire wire;
	uint64_t value;        // of a varint or fixed field
	struct str bytes;      // of PB_BYTES
};
// False: the end, or (c->failed) what is not protobuf; groups, which nobody uses any more, are not.
bool pb_next(struct cursor *c, struct pb_field *ret);
bool pb_nth(struct str bytes, uint32_t number, size_t n, struct str *ret); // the n-th field of a number that holds bytes
static inline float pb_float(const struct pb_field *f)
{
	float v;
	uint32_t bits = (uint32_t)f->value;
	memcpy(&v, &bits, sizeof v);
	return v;
}
static inline double pb_double(const struct pb_field *f)
{
	double v;
	memcpy(&v, &f->value, sizeof v);
	return v;
}

// --- payloads --------------------------------------------------------------------------------------------------------

enum spb_type { // 6.4.16
	SPB_UNKNOWN, SPB_INT8, SPB_INT16, SPB_INT32, SPB_INT64, SPB_UINT8, SPB_UINT16, SPB_UINT32, SPB_UINT64, SPB_FLOAT,
	SPB_DOUBLE, SPB_BOOLEAN, SPB_STRING, SPB_DATETIME, SPB_TEXT, SPB_UUID, SPB_DATASET, SPB_BYTES, SPB_FILE, SPB_TEMPLATE,
	SPB_PROPERTYSET, SPB_PROPERTYSETLIST, SPB__MAX = 35 // 22…34: arrays
};
const char *spb_type_name(uint32_t type); // "Int8" …; NULL: not in the standard

// Numbers of the value's fields in a metric; in other messages they begin elsewhere, in the same order.
enum spb_field { SPB_NOTHING = 0, SPB_F_INT = 10, SPB_F_LONG, SPB_F_FLOAT, SPB_F_DOUBLE, SPB_F_BOOLEAN, SPB_F_STRING, SPB_F_BYTES,
	SPB_F_DATASET, SPB_F_TEMPLATE, SPB_F_EXTENSION };
struct spb_value {
	enum spb_field is;
	struct pb_field field;
};
struct spb_metric {
	struct str name;               // STR_EMPTY with an alias alone
	bool has_name, has_alias, has_time, has_type, historical, transient, null;
	bool has_historical, has_transient, has_null;
	uint64_t alias, time;          // time: ms since 1970
	uint32_t type;                 // enum spb_type; SPB_UNKNOWN: as the birth said
	struct str metadata, properties; // messages, or empty
	struct spb_value value;
};
struct spb_payload {
	bool has_time, has_seq;
	uint64_t time, seq;            // ms since 1970
	struct str uuid, body;
	size_t metrics;
};
bool spb_read(struct str bytes, struct spb_payload *ret, struct refusal *why);
// rest: at first the payload's bytes, which spb_read has accepted. False at the end.
bool spb_next(struct str *rest, struct spb_metric *ret);
// The number that a value of a type is; false if it is none (text, bytes, data sets, NaN). Signed integers travel as two's
// complement of 32 or 64 bits.
bool spb_number(const struct spb_value *v, uint32_t type, double *ret);
bool spb_signed(const struct spb_value *v, uint32_t type, int64_t *ret); // the same for the signed types, exactly
// The property "Quality" (6.4.13): 0 bad, 192 good, 500 stale; good without it, bad for any other.
enum quality spb_quality(struct str properties);

// --- topics (chapter 4) ----------------------------------------------------------------------------------------------

enum spb_kind { SPB_NBIRTH, SPB_NDEATH, SPB_DBIRTH, SPB_DDEATH, SPB_NDATA, SPB_DDATA, SPB_NCMD, SPB_DCMD, SPB_KIND__MAX };
struct spb_topic {
	enum spb_kind kind;
	struct str group, node, device; // device: empty unless the kind is a device's
};
#define SPB_ROOT "spBv1.0/"
bool spb_topic(struct str topic, struct spb_topic *ret); // false: not of this form; wildcards are just characters

// --- what the host says ----------------------------------------------------------------------------------------------

struct spb_said { // one metric of a command
	struct str name;
	uint32_t type;        // SPB_BOOLEAN, SPB_STRING or a number's
	bool truth;
	double number;
	struct str text;
};
void spb_write(struct buf *out, uint64_t time_ms, const struct spb_said *m, size_t n);
