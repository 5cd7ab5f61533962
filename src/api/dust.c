// Dust-explosion enterprises' gateways, as the provincial form of V1.1 has it: POST /api/rtsData, /api/eventsData and /api/videosData with
// {"qybm","wgbm","data"}; data is DES-CBC in hex (gate/decode/envelope.h). The device is the one whose code is wgbm; that its key
// opens data is its proof. Answers are the form's own. The paths do not exist unless a device has this protocol.
#include "api/api.h"
#include "base/time.h"
#include "gate/decode/envelope.h"

static bool anyone(const struct site *s)
{
	for (size_t i = 0; i < s->roster->ndevices; i++)
		if (s->roster->devices[i].cipher == CIPHER_DES)
			return true;
	return false;
}

// The form's code stands in the body; HTTP itself succeeds.
static enum err dust_answer(struct call *c, int code, const char *message)
{
	jw_obj(&c->w);
	jw_ki64(&c->w, "code", code);
	jw_kcstr(&c->w, "msg", message);
	jw_key(&c->w, "data");
	jw_null(&c->w);
	jw_end(&c->w);
	return OK;
}

// The same work and the same answer whether the gateway is unknown or its key is another.
static bool open_for(struct call *c, const struct envelope *e, struct str *ret, struct refusal *why)
{
	const struct site_device *d = site_device(call_site(c), e->service);
	struct str key = STR_EMPTY;
	const char *iv;
	bool known = d && d->cipher == CIPHER_DES && !d->disabled &&
	             device_cipher_key(call_db(c), c->app->auth, d->id, c->arena, &key) && key.n == ENVELOPE_DES_KEY;
	bool opened = envelope_open_des(e->data, known ? key : STR("\0\0\0\0\0\0\0\0"), c->arena, ret, &iv, why);
	c->device = known ? d : NULL;
	if (opened && !known)
		why->reason = REJECT_AUTH;
	return opened && known;
}

enum err dust_post(struct call *c)
{
	struct envelope e;
	struct str body;
	struct refusal why;
	if (!anyone(call_site(c)))
		return call_fail(c, ERR_NOT_FOUND, NULL, "没有这个地址", "no such address");
	if (device_throttled(c->app->auth, c->rq->peer))
		return dust_answer(c, 429, "尝试过于频繁，请稍后再试");
	if (!envelope_read(c->rq->body, c->arena, &e, &why))
		return dust_answer(c, 400, why.zh);
	if (!open_for(c, &e, &body, &why)) {
		if (why.reason == REJECT_UNSUPPORTED)
			return dust_answer(c, 500, why.zh);
		const struct site_device *d = site_device(call_site(c), e.service);
		c->app->device_reject(c->app, d ? d->id : 0, REJECT_AUTH, str_first(e.service, LIMIT_DEVICE_NAME), c->rq->peer, 0);
		device_failed(c->app->auth, c->rq->peer);
		return dust_answer(c, 401, "网关编码或密钥不正确");
	}
	enum err err = readings_of_gateway(c, body, &why);
	if (err == ERR_PARSE)
		return dust_answer(c, 400, why.zh);
	return err ? dust_answer(c, 503, "未能保存，请稍后重发") : dust_answer(c, 200, "操作成功");
}
