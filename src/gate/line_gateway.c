// The encrypted gateway envelope over TCP: serviceId is the device, and what proves it is that its key opens the data. The core
// sends the key with WELCOME and the gate keeps it as long as the connection: the only key that is ever in this process.
#include "gate/line.h"

#include "gate/decode/envelope.h"

struct said {
	struct envelope e;
	struct str key;
	enum reject wrong; // why readings were refused
};

static bool decode(struct line_state *state, struct str bytes, struct arena *a, struct line_frame *ret, struct refusal *why)
{
	struct said *m = arena_one(a, struct said);
	if (!envelope_read(bytes, a, &m->e, why))
		return false;
	if (m->e.service.n > LIMIT_DEVICE_NAME)
		return refuse_at(why, REJECT_SYNTAX, 0, "serviceId 过长", "serviceId is too long");
	m->key = str_from((const char *)state->v, ENVELOPE_AES_KEY);
	m->wrong = REJECT__MAX;
	*ret = (struct line_frame){ .name = m->e.service, .key = STR_EMPTY, .keyless = true, .said = m };
	return true;
}

static bool readings(const struct line_frame *f, struct arena *a, const struct decode_sink *sink, struct refusal *why)
{
	struct said *m = f->said;
	struct str body;
	const char *iv;
	bool ok = envelope_open_aes(m->e.data, m->key, a, &body, &iv, why) && payload_gateway(body, a, sink, why);
	m->wrong = ok ? REJECT__MAX : why->reason;
	return ok;
}

// One answer for an unknown serviceId and a key that does not fit.
static void answer(const struct line_frame *f, bool accepted, enum welcome verdict, int64_t now, struct buf *out)
{
	const struct said *m = f->said;
	(void)now;
	if (accepted)
		envelope_answer(m->e.data_id, 0, NULL, NULL, out);
	else if (verdict != WELCOME_OK || m->wrong == REJECT_AUTH)
		envelope_answer(m->e.data_id, 401, "INVALID_SERVICE_ID", "unknown serviceId or wrong key", out);
	else if (m->wrong == REJECT__MAX)
		envelope_answer(m->e.data_id, 400, "SYSTEM_ERROR", "not taken, send again", out);
	else
		envelope_answer(m->e.data_id, 400, "INVALID_INTERFACE", reject_text(m->wrong, false), out);
}

// {"quotaId":"","value":1} and the like: never a reading in less than 8 bytes of text, 11 of Base64
const struct line_protocol line_gateway = { .feed = envelope_feed, .decode = decode, .spread = 1, .readings = readings, .answer = answer };
