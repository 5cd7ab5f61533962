// Which of the payload forms a message body has. Pure functions, any thread.
#include "gate/decode/payload.h"

static const struct complaint NO_FORM = { REJECT_SYNTAX, "无法识别的报文形式",
	"a body of none of the known forms" };

static enum payload form_of_key(struct str key, bool in_array)
{
	static const char *const senml[] = { "n",  "bn", "bt", "bu", "bv", "bs", "bver", "v",
					     "vb", "vs", "vd", "u",  "t",  "s",  "ut" };
	static const char *const gateway[] = { "datas",          "rts",          "videos",         "gatewayCode", "gatewayId",
					       "enterpriseCode", "enterpriseId", "collectTime", "reportType",
					       "appId",          "serviceId",    "wgbm",        "qybm" };
	if (str_is(key, "point") || str_is(key, "value")) {
		return PAYLOAD_JSON;
	}
	for (size_t i = 0; in_array && i < ARRAY_LEN(senml); i++) {
		if (str_is(key, senml[i])) {
			return PAYLOAD_SENML;
		}
	}
	for (size_t i = 0; !in_array && i < ARRAY_LEN(gateway); i++) {
		if (str_is(key, gateway[i])) {
			return PAYLOAD_GATEWAY;
		}
	}
	return PAYLOAD_NONE;
}

// A CBOR array, or the tag that says that CBOR follows: no JSON text begins with such a byte (RFC 8949 3.4.6).
static bool is_cbor(struct str body)
{
	return (body.n && ((uint8_t)body.p[0] & 0xE0) == 0x80) || str_starts(body, STR("\xD9\xD9\xF7"));
}

size_t payload_most(struct str body)
{
	return is_cbor(body) ? body.n / 3 + 1  // {2: 1} of SenML CBOR
			     : body.n / 8 + 1; // {"v":1}, and its comma, of SenML
}

enum payload payload_recognise(struct str body)
{
	struct jr r;
	struct str key;
	enum payload form = PAYLOAD_NONE;
	jr_init(&r, body, NULL); // none of the keys that matter has an escape
	if (is_cbor(body)) {
		return PAYLOAD_SENML_CBOR;
	}
	bool in_array = jr_peek(&r) == JR_ARRAY;
	if (in_array) {
		jr_arr(&r);
		if (!jr_more(&r)) {
			return r.error ? PAYLOAD_NONE : PAYLOAD_JSON; // []
		}
	}
	if (jr_peek(&r) != JR_OBJECT) {
		return PAYLOAD_NONE;
	}
	jr_obj(&r);
	while (form == PAYLOAD_NONE && jr_key(&r, &key)) {
		bool records = !in_array && str_is(key, "e") && jr_peek(&r) == JR_ARRAY; // SenML of the drafts
		form = records ? PAYLOAD_SENML : form_of_key(key, in_array);
		if (form == PAYLOAD_NONE) {
			jr_skip(&r);
		}
	}
	return form;
}

bool payload_decode_as(enum payload form, struct str body, struct arena *arena, int64_t now,
		       const struct decode_sink *sink, struct refusal *why)
{
	struct jr r;
	switch (form) {
	case PAYLOAD_JSON: return payload_json(body, arena, sink, why);
	case PAYLOAD_SENML: return payload_senml(body, arena, now, sink, why);
	case PAYLOAD_SENML_CBOR: return payload_senml_cbor(body, arena, now, sink, why);
	case PAYLOAD_GATEWAY: return payload_gateway(body, arena, sink, why);
	case PAYLOAD_NONE: break;
	}
	jr_init(&r, body, arena);
	jr_skip(&r);
	if (!payload_end(&r, why)) {
		return false;
	}
	return refuse_as(why, &NO_FORM, 0);
}

bool payload_decode(struct str body, struct arena *arena, int64_t now, const struct decode_sink *sink,
		    struct refusal *why)
{
	return payload_decode_as(payload_recognise(body), body, arena, now, sink, why);
}
