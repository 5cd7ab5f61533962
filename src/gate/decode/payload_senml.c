// SenML in its two forms (RFC 8428 5 and 6). What a record means is in senml.c. Pure functions, any thread.
#include "base/base64.h"
#include "base/cbor.h"
#include "gate/decode/payload.h"

#define TAG_SELF_DESCRIBED 55799 // RFC 8949 3.4.6

// --- JSON ------------------------------------------------------------------------------------------------------------

static struct senml_value json_value(struct jr *r)
{
	switch (jr_peek(r)) {
	case JR_NUMBER: return (struct senml_value){ .is = SENML_NUMBER, .number = jr_f64_wide(r) };
	case JR_STRING: return (struct senml_value){ .is = SENML_TEXT, .text = jr_str(r) };
	case JR_BOOL: return (struct senml_value){ .is = SENML_BOOL, .truth = jr_bool(r) };
	case JR_NONE: case JR_NULL: case JR_OBJECT: case JR_ARRAY: break;
	}
	jr_skip(r);
	return (struct senml_value){ .is = SENML_ELSE };
}

// draft: of the object form, whose records say bv for a truth and sv for a text.
static void json_record(struct jr *r, struct senml_pack *pack, bool draft)
{
	struct str key;
	senml_begin(pack);
	for (jr_obj(r); jr_key(r, &key);) {
		enum senml_label label = senml_label(key);
		if (label == SENML_MUST) {
			jr_fail(r, SENML_NOT_UNDERSTOOD);
		}
		struct senml_value v = json_value(r);
		if (draft && label == SENML_BV) {
			label = SENML_VB;
		} else if (draft && str_is(key, "sv")) {
			label = SENML_VS;
		}
		const char *no = r->error ? NULL : senml_field(pack, label, &v);
		if (no) {
			jr_fail(r, no);
		}
	}
}

static bool json_records(struct jr *r, struct senml_pack *pack, bool draft, senml_record *each, void *owner)
{
	unsigned n = 0;
	for (jr_arr(r); jr_more(r);) {
		if (++n > LIMIT_READINGS_PER_MESSAGE) {
			return false;
		}
		json_record(r, pack, draft);
		if (r->error) {
			break;
		}
		each(owner, senml_end(pack, r->arena));
	}
	return true;
}

// The form of the drafts before the RFC (draft-jennings-senml-10), which devices still send: one object with the base fields and the
// records in e, in whatever order.
static bool json_draft(struct jr *r, struct senml_pack *pack, senml_record *each, void *owner)
{
	struct jr records = *r;
	struct str key;
	bool found = false, few = true;
	senml_begin(pack);
	for (jr_obj(r); jr_key(r, &key);) {
		enum senml_label label = senml_label(key);
		if (str_is(key, "e") && !found) {
			records = *r;
			found = true;
			jr_skip(r);
			continue;
		}
		struct senml_value v = json_value(r);
		const char *no = r->error || label >= 0 ? NULL : senml_field(pack, label, &v);
		if (no) {
			jr_fail(r, no);
		}
	}
	if (!found) {
		jr_fail(r, "no e in an object of SenML");
	}
	if (!r->error) {
		few = json_records(&records, pack, true, each, owner);
		if (records.error) {
			*r = records;
		}
	}
	return few;
}

bool senml_walk(struct str body, struct arena *arena, senml_record *each, void *owner, struct refusal *why)
{
	struct jr r;
	struct senml_pack pack = SENML_PACK;
	jr_init(&r, body, arena);
	bool few = jr_peek(&r) == JR_OBJECT ? json_draft(&r, &pack, each, owner) : json_records(&r, &pack, false, each, owner);
	return few ? payload_end(&r, why) : payload_too_many(&r, why);
}

// --- CBOR ------------------------------------------------------------------------------------------------------------

// Table 4 is all there is of integers; extensions have text keys. Other integers can be ignored as unknown extensions.
static enum senml_label cbor_label(struct cbor *r)
{
	int64_t i;
	if (cbor_peek(r) == CBOR_TEXT) {
		return senml_label(cbor_str(r, NULL));
	}
	bool fits = cbor_int(r, &i);
	return fits && i >= SENML_BS && i <= SENML_VD ? (enum senml_label)i : SENML_OTHER;
}

// 6: String and Data Values have definite lengths; data are bytes here and base64url in JSON.
static struct senml_value cbor_text(struct cbor *r, enum senml_label label)
{
	bool pieces, bytes = cbor_peek(r) == CBOR_BYTES;
	struct str s = cbor_str(r, &pieces);
	if (bytes != (label == SENML_VD) || (pieces && (label == SENML_VS || label == SENML_VD))) {
		return (struct senml_value){ .is = SENML_ELSE };
	}
	return (struct senml_value){ .is = SENML_TEXT, .text = bytes ? base64url_text(s, r->arena) : s };
}

static struct senml_value cbor_value(struct cbor *r, enum senml_label label)
{
	double v;
	bool pieces;
	switch (cbor_peek(r)) {
	case CBOR_INT: case CBOR_FLOAT: case CBOR_TAG:
		return cbor_f64(r, &v) ? (struct senml_value){ .is = SENML_NUMBER, .number = v } : (struct senml_value){ .is = SENML_ELSE };
	case CBOR_TEXT: case CBOR_BYTES:
		if (label != SENML_OTHER) {
			return cbor_text(r, label);
		}
		cbor_str(r, &pieces);
		return (struct senml_value){ .is = SENML_ELSE };
	case CBOR_BOOL: return (struct senml_value){ .is = SENML_BOOL, .truth = cbor_bool(r) };
	case CBOR_NONE: case CBOR_ARRAY: case CBOR_MAP: case CBOR_OTHER: break;
	}
	cbor_skip(r);
	return (struct senml_value){ .is = SENML_ELSE };
}

static void cbor_record(struct cbor *r, struct senml_pack *pack)
{
	senml_begin(pack);
	for (cbor_map(r); cbor_more(r);) {
		enum senml_label label = cbor_label(r);
		if (label == SENML_MUST) {
			cbor_fail(r, SENML_NOT_UNDERSTOOD);
		}
		bool whole = cbor_peek(r) == CBOR_INT;
		struct senml_value v = cbor_value(r, label);
		const char *no = r->error ? NULL : label == SENML_BVER && !whole ? "a SenML version that is no integer" // 6
							 : senml_field(pack, label, &v);
		if (no) {
			cbor_fail(r, no);
		}
	}
}

bool senml_cbor_walk(struct str body, struct arena *arena, senml_record *each, void *owner, struct refusal *why)
{
	struct cbor r;
	struct senml_pack pack = SENML_PACK;
	unsigned n = 0;
	cbor_init(&r, body, arena);
	if (cbor_tag_is(&r, TAG_SELF_DESCRIBED)) {
		cbor_tag(&r);
	}
	for (cbor_arr(&r); cbor_more(&r);) {
		if (++n > LIMIT_READINGS_PER_MESSAGE) {
			return payload_too_many_at(cbor_offset(&r), why);
		}
		cbor_record(&r, &pack);
		if (r.error) {
			break;
		}
		each(owner, senml_end(&pack, arena));
	}
	if (cbor_end(&r)) {
		return true;
	}
	return refuse_at(why, REJECT_SYNTAX, cbor_offset(&r), "不是合法的 SenML CBOR", r.error);
}

// --- readings --------------------------------------------------------------------------------------------------------

struct reader {
	const struct decode_sink *sink;
	int64_t now;
};

static void read_record(void *owner, const struct senml *rec)
{
	const struct reader *rd = owner;
	struct decoded d = { .name = rec->name, .alias = STR_EMPTY, .quality = Q_GOOD };
	if (rec->only_base) {
		return;
	}
	int bad = rec->wrong;
	if (bad < 0 && (rec->has_text || rec->has_data)) {
		bad = REJECT_UNSUPPORTED; // a reading is a number
	}
	if (bad < 0 && !senml_time(rec->time, rd->now, &d.time)) {
		bad = REJECT_TIME;
	}
	if (bad >= 0) {
		rd->sink->refuse(rd->sink->owner, (enum reject)bad, rec->name);
		return;
	}
	d.value = rec->has_bool ? rec->bool_value : rec->has_value ? rec->value : rec->sum;
	rd->sink->reading(rd->sink->owner, &d);
}

bool payload_senml(struct str body, struct arena *arena, int64_t now, const struct decode_sink *sink,
		   struct refusal *why)
{
	struct reader rd = { sink, now };
	return senml_walk(body, arena, read_record, &rd, why);
}

bool payload_senml_cbor(struct str body, struct arena *arena, int64_t now, const struct decode_sink *sink,
			struct refusal *why)
{
	struct reader rd = { sink, now };
	return senml_cbor_walk(body, arena, read_record, &rd, why);
}
