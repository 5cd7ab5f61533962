// Devices: keys, health, and the HTTP push of readings.
#include <stdlib.h>

#include "api/api.h"
#include "base/base64.h"
#include "base/hash.h"
#include "base/strmap.h"
#include "base/time.h"
#include "gate/decode/decode.h"
#include "gate/decode/envelope.h"
#include "store/audit.h"

// ---- keys ---------------------------------------------------------------------------------------

struct key_job {
	struct call *c;
	int64_t device;
	struct str key; // chosen by the caller, or empty
	char fresh[33];
	size_t cipher_bytes; // of the key that opens its messages; 0: they are not encrypted
};

static enum err key_job_run(struct db *db, void *arg, struct problem *p)
{
	struct key_job *j = arg;
	if (j->cipher_bytes)
		return j->key.n ? device_set_cipher_key(db, j->c->app->auth, &j->c->id, j->device, j->key, j->cipher_bytes, p)
				: device_new_cipher_key(db, j->c->app->auth, &j->c->id, j->device, j->cipher_bytes, j->fresh, p);
	if (j->key.n)
		return device_set_key(db, &j->c->id, j->device, j->key, p);
	return device_new_key(db, &j->c->id, j->device, j->fresh, p);
}

static struct str protocol_of(struct call *c, int64_t device)
{
	const struct type *t = registry_type(c->reg, STR("device"));
	const struct field *f = type_field(t, STR("protocol"));
	struct row row;
	bool found = f && records_get(call_db(c), &t->table, &c->id.scope, device, c->arena, &row) == OK && row.vals[f->col].kind == VAL_TEXT;
	return found ? row.vals[f->col].s : STR_EMPTY;
}

enum err call_device(struct call *c, int64_t *ret_id)
{
	enum err err = param_id(c, 0, ret_id);
	struct row row;
	const struct type *t = registry_type(c->reg, STR("device"));
	if (!err && (!t || records_get(call_db(c), &t->table, &c->id.scope, *ret_id, c->arena, &row)))
		err = call_fail(c, ERR_NOT_FOUND, "id", "没有这个设备，或不在您的管辖范围",
				"no such device, or outside your scope");
	return err;
}

enum err devices_key(struct call *c)
{
	struct key_job j = { .c = c, .key = body_str(c, "key") };
	enum err err = call_device(c, &j.device);
	if (err)
		return err;
	struct str protocol = protocol_of(c, j.device);
	j.cipher_bytes = str_is(protocol, "gateway") ? ENVELOPE_AES_KEY : str_is(protocol, "dust") ? ENVELOPE_DES_KEY : 0;
	call_db_refresh(c);
	err = store_write(c->app->store, key_job_run, &j, &c->p);
	if (err)
		return err;
	c->app->kick(c->app, (uint32_t)j.device);
	jw_obj(&c->w);
	jw_kstr(&c->w, "key", j.key.n ? j.key : str_of(j.fresh));
	jw_end(&c->w);
	return OK;
}

#define COUNTY_PREFIX 6 // digits of an area code down to the county (GB/T 2260)

// ---- health -------------------------------------------------------------------------------------

static void write_rejects(struct call *c, const struct device_stats *s)
{
	struct jw *w = &c->w;
	jw_kobj(w, "rejects");
	for (int r = 0; r < REJECT__MAX; r++)
		if (s->rejects[r])
			jw_ki64(w, reject_name((enum reject)r), (int64_t)s->rejects[r]);
	jw_end(w);
	if (s->last_reject_at) {
		jw_kobj(w, "last_reject");
		jw_kcstr(w, "reason", reject_name((enum reject)s->last_reason));
		jw_kcstr(w, "reason_text", reject_text((enum reject)s->last_reason, !call_is_en(c)));
		jw_kcstr(w, "text", s->last_reject);
		jw_ktime(w, "at", s->last_reject_at);
		jw_end(w);
	}
}

static void write_stats(struct call *c, const struct device_stats *s)
{
	struct jw *w = &c->w;
	jw_kbool(w, "online", s->online);
	if (s->last)
		jw_ktime(w, "last", s->last);
	if (s->online)
		jw_ktime(w, "since", s->since);
	jw_kcstr(w, "peer", s->peer);
	jw_kcstr(w, "protocol", protocol_name((enum protocol)s->protocol));
	jw_ki64(w, "messages", (int64_t)s->messages);
	jw_ki64(w, "readings", (int64_t)s->readings);
	jw_ki64(w, "duplicates", (int64_t)s->duplicates);
	write_rejects(c, s);
}

static void write_clock(struct jw *w, const struct site_device *d, const struct device_stats *s)
{
	const struct device_clock *k = &s->clock;
	jw_kcstr(w, "clock", clock_state_name(clock_judge(k, d->clock_warn, d->clock_bad)));
	if (k->known)
		jw_kf64(w, "clock_off_s", (double)k->off / US_PER_S);
	if (s->messages)
		jw_kf64(w, "lag_s", (double)s->lag / US_PER_S);
	jw_ki64(w, "clock_leaps", k->leaps);
	if (k->leaps) {
		jw_ktime(w, "clock_leap_at", k->leap_at);
		jw_kf64(w, "clock_leap_s", (double)k->leap_by / US_PER_S);
	}
}

static void write_share(struct jw *w, const char *name, const struct device_share *s)
{
	jw_kobj(w, name);
	jw_kf64(w, "received", s->received);
	jw_kf64(w, "expected", s->expected);
	if (s->expected > 0)
		jw_kf64(w, "complete", s->received / s->expected);
	if (s->of)
		jw_kf64(w, "online", (double)s->on / s->of);
	jw_end(w);
}

// A device among those of its enterprise and area.
struct part {
	int64_t enterprise;
	struct str area;
	bool online;
	struct device_share hour, day;
};

static int by_enterprise(const void *a, const void *b)
{
	int64_t x = ((const struct part *)a)->enterprise, y = ((const struct part *)b)->enterprise;
	return (x > y) - (x < y);
}

static int by_area(const void *a, const void *b) { return str_cmp(((const struct part *)a)->area, ((const struct part *)b)->area); }

static void share_add(struct device_share *to, const struct device_share *s)
{
	to->received += s->received;
	to->expected += s->expected;
	to->on += s->on;
	to->of += s->of;
}

static void write_sum(struct jw *w, const struct part *v, size_t n)
{
	struct device_share hour = { 0 }, day = { 0 };
	int64_t online = 0;
	for (size_t i = 0; i < n; i++) {
		share_add(&hour, &v[i].hour);
		share_add(&day, &v[i].day);
		online += v[i].online;
	}
	jw_ki64(w, "devices", (int64_t)n);
	jw_ki64(w, "online", online);
	write_share(w, "hour", &hour);
	write_share(w, "day", &day);
}

// v is sorted so that equal ones stand together.
static void write_sums(struct jw *w, const char *name, const struct part *v, size_t n, int (*cmp)(const void *, const void *))
{
	jw_karr(w, name);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && cmp(&v[i], &v[end]) == 0; end++)
			;
		jw_obj(w);
		if (cmp == by_enterprise)
			jw_ki64(w, "enterprise", v[i].enterprise);
		else
			jw_kstr(w, "area", v[i].area);
		write_sum(w, v + i, end - i);
		jw_end(w);
	}
	jw_end(w);
}

struct doubt_counts {           // points in doubt by device id
	const struct site *site;
	uint32_t *n;
	size_t max;
};

static void count_doubt(void *arg, const struct doubted *k)
{
	struct doubt_counts *t = arg;
	struct site_point p;
	if (site_point(t->site, k->point, &p) && p.def.device > 0 && (size_t)p.def.device <= t->max)
		t->n[p.def.device]++;
}

static struct doubt_counts count_doubts(struct call *c, const struct site *site)
{
	struct doubt_counts t = { .site = site };
	for (size_t i = 0; i < site->roster->ndevices; i++)
		t.max = MAX(t.max, (size_t)site->roster->devices[i].id);
	t.n = arena_many(c->arena, t.max + 1, uint32_t);
	c->app->detect_doubted_each(c->app, count_doubt, &t);
	return t;
}

enum err devices_health(struct call *c)
{
	struct site *site = call_site(c);
	struct jw *w = &c->w;
	const struct roster *roster = site->roster;
	struct part *parts = arena_many(c->arena, roster->ndevices + 1, struct part);
	size_t nparts = 0;
	struct doubt_counts doubts = count_doubts(c, site);
	jw_obj(w);
	jw_karr(w, "items");
	for (size_t i = 0; i < roster->ndevices; i++) {
		const struct site_device *d = &roster->devices[i];
		struct device_stats s = { 0 };
		size_t npoints;
		if (!auth_in_scope(&c->id, (struct place){ d->area, d->enterprise, d->sector }))
			continue;
		bool known = c->app->device_stats(c->app, d->id, &s);
		if (!d->disabled) // a device that is switched off owes nothing
			parts[nparts++] = (struct part){ d->enterprise, d->area, s.online, s.hour, s.day };
		jw_obj(w);
		jw_ki64(w, "id", d->id);
		jw_kstr(w, "code", d->code);
		jw_kstr(w, "name", d->name);
		jw_ki64(w, "enterprise", d->enterprise);
		(void)points_of_device(site->points, d->id, &npoints);
		jw_ki64(w, "points", (int64_t)npoints);
		jw_ki64(w, "doubts", doubts.n[d->id]);
		jw_kstr(w, "area", d->area);
		jw_kbool(w, "disabled", d->disabled);
		write_clock(w, d, &s);
		write_share(w, "hour", &s.hour);
		write_share(w, "day", &s.day);
		if (known)
			write_stats(c, &s);
		else
			jw_kbool(w, "online", false);
		jw_end(w);
	}
	jw_end(w);
	jw_kobj(w, "total");
	write_sum(w, parts, nparts);
	jw_end(w);
	qsort(parts, nparts, sizeof *parts, by_enterprise);
	write_sums(w, "enterprises", parts, nparts, by_enterprise);
	qsort(parts, nparts, sizeof *parts, by_area);
	write_sums(w, "areas", parts, nparts, by_area);
	jw_karr(w, "unknown");
	if (c->id.scope.area.n <= COUNTY_PREFIX && !c->id.scope.enterprise) { // nobody knows whose they are: the county's matter
		struct device_stats *v = arena_many(c->arena, 200, struct device_stats);
		size_t n = c->app->unknown_devices(c->app, v, 200);
		for (size_t i = 0; i < n; i++) {
			jw_obj(w);
			write_stats(c, &v[i]);
			jw_end(w);
		}
	}
	jw_end(w);
	jw_end(w);
	return OK;
}

// ---- who pushes ---------------------------------------------------------------------------------

// Authorization: Device CODE:KEY | Basic base64(CODE:KEY) | Bearer KEY with X-Device: CODE | Bearer KEY, if we made it
static void read_credentials(struct call *c, struct str *ret_code, struct str *ret_key)
{
	struct str auth = http_header(c->rq, "Authorization"), pair = STR_EMPTY;
	if (str_starts(auth, STR("Bearer "))) {
		*ret_code = str_trim(http_header(c->rq, "X-Device"));
		*ret_key = str_trim(str_skip(auth, 7));
		return;
	}
	if (str_starts(auth, STR("Device ")))
		pair = str_trim(str_skip(auth, 7));
	else if (str_starts(auth, STR("Basic ")))
		pair = str_from_base64(c->arena, str_trim(str_skip(auth, 6)));
	*ret_code = str_cut(&pair, ':');
	*ret_key = pair;
}

static const struct site_device *device_by_id(const struct site *site, int64_t id)
{
	for (size_t i = 0; id && i < site->roster->ndevices; i++)
		if (site->roster->devices[i].id == id)
			return &site->roster->devices[i];
	return NULL;
}

static enum err identify_device(struct call *c)
{
	struct str code, key;
	read_credentials(c, &code, &key);
	if (!key.n)
		return call_fail(c, ERR_UNAUTHENTICATED, NULL, "缺少设备身份：Authorization: Device 设备编码:密钥",
		                 "no device identity: Authorization: Device CODE:KEY");
	c->device = code.n ? site_device(call_site(c), code) : device_by_id(call_site(c), device_by_key(call_db(c), key));
	if (!c->device || !device_key_ok(call_db(c), c->device->id, key)) {
		c->app->device_reject(c->app, c->device ? c->device->id : 0, REJECT_AUTH, str_first(code, LIMIT_DEVICE_NAME),
		                      c->rq->peer, 0);
		return call_fail(c, ERR_UNAUTHENTICATED, NULL, "设备编码或密钥不对", "unknown device or wrong key");
	}
	if (c->device->disabled)
		return call_fail(c, ERR_FORBIDDEN, NULL, "设备已停用", "the device is disabled");
	return OK;
}

// ---- push ---------------------------------------------------------------------------------------

struct push {
	struct call *c;
	struct reading *v;
	size_t n, cap;
	size_t index; // of the item in the message
	size_t rejected;
	int64_t now;
	struct str *why_text;
	enum reject *why;
	size_t *why_index;
	size_t nwhy, cap_why, cap_text, cap_index;
};

static void push_reject(struct push *p, struct str name, enum reject reason, int64_t time)
{
	p->rejected++;
	p->c->app->device_reject(p->c->app, p->c->device->id, reason, name, p->c->rq->peer, time);
	if (p->nwhy >= 1000)
		return;
	size_t n = p->nwhy;
	p->why = arena_push(p->c->arena, p->why, &n, &p->cap_why, sizeof *p->why);
	n = p->nwhy;
	p->why_text = arena_push(p->c->arena, p->why_text, &n, &p->cap_text, sizeof *p->why_text);
	n = p->nwhy;
	p->why_index = arena_push(p->c->arena, p->why_index, &n, &p->cap_index, sizeof *p->why_index);
	p->why[p->nwhy] = reason;
	p->why_text[p->nwhy] = name;
	p->why_index[p->nwhy++] = p->index;
}

static bool own_point(struct push *p, struct str name, struct site_point *ret)
{
	const struct site *site = p->c->site;
	size_t n;
	if (site_point_named(site, name, ret))
		return ret->def.device == p->c->device->id;
	const uint32_t *own = points_of_device(site->points, p->c->device->id, &n);
	for (size_t i = 0; i < n; i++)
		if (site_point(site, own[i], ret) && str_eq(ret->address, name))
			return true;
	return false;
}

static void on_refuse(void *owner, enum reject why, struct str what)
{
	struct push *p = owner;
	push_reject(p, what, why, 0);
	p->index++;
}

static void on_reading(void *owner, const struct decoded *d)
{
	struct push *p = owner;
	struct site_point point;
	bool known = own_point(p, d->name, &point) || (d->alias.n && own_point(p, d->alias, &point));
	if (!known && !d->optional)
		push_reject(p, d->name, REJECT_UNKNOWN_POINT, 0);
	else if (known && (d->time > p->now + LIMIT_READING_FUTURE_S * US_PER_S ||
			d->time < p->now - LIMIT_READING_PAST_DAYS * US_PER_DAY))
		push_reject(p, d->name, REJECT_TIME, d->time);
	else if (known) {
		p->v = arena_push(p->c->arena, p->v, &p->n, &p->cap, sizeof *p->v);
		p->v[p->n - 1] = (struct reading){ .point = point.def.id,
						   .quality = (uint16_t)d->quality,
						   .flags = d->flags,
						   .time = d->time,
						   .value = d->value * point.scale };
	}
	p->index++;
}

static void write_pushed(struct push *p, const struct push_result *r)
{
	struct jw *w = &p->c->w;
	jw_obj(w);
	jw_ki64(w, "accepted", (int64_t)r->accepted);
	jw_ki64(w, "duplicates", (int64_t)r->duplicates);
	jw_ki64(w, "late", (int64_t)r->late);
	jw_karr(w, "rejected");
	for (size_t i = 0; i < p->nwhy; i++) {
		jw_obj(w);
		jw_ki64(w, "index", (int64_t)p->why_index[i]);
		jw_kstr(w, "point", p->why_text[i]);
		jw_kcstr(w, "reason", reject_name(p->why[i]));
		jw_kcstr(w, "message", reject_text(p->why[i], !call_is_en(p->c)));
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
}

// SenML says what it is (RFC 8428 12.3); of the rest the body does.
static enum payload form_of(struct call *c)
{
	struct str type = http_header(c->rq, "Content-Type");
	type = str_trim(str_cut(&type, ';'));
	if (str_eq_nocase(type, STR("application/senml+cbor")) || str_eq_nocase(type, STR("application/sensml+cbor")))
		return PAYLOAD_SENML_CBOR;
	if (str_eq_nocase(type, STR("application/senml+json")) || str_eq_nocase(type, STR("application/sensml+json")))
		return PAYLOAD_SENML;
	return payload_recognise(c->rq->body);
}

enum err readings_of_gateway(struct call *c, struct str body, struct refusal *why)
{
	struct push p = { .c = c, .now = clock_now() };
	struct decode_sink sink = { &p, on_reading, on_refuse };
	if (!payload_gateway(body, c->arena, &sink, why)) {
		c->app->device_reject(c->app, c->device->id, why->reason, str_first(body, 100), c->rq->peer, 0);
		return ERR_PARSE;
	}
	return p.n ? c->app->push(c->app, c->device->id, p.v, p.n).err : OK;
}

enum err readings_post(struct call *c)
{
	enum err err = identify_device(c);
	if (err)
		return err;
	struct push p = { .c = c, .now = clock_now() };
	struct decode_sink sink = { &p, on_reading, on_refuse };
	struct refusal why;
	const struct payload_template *t = c->device->tpl;
	if (t ? !template_decode(t, c->rq->body, c->arena, p.now, &sink, &why)
	      : !payload_decode_as(form_of(c), c->rq->body, c->arena, p.now, &sink, &why)) {
		c->app->device_reject(c->app, c->device->id, why.reason, str_first(c->rq->body, 100), c->rq->peer, 0);
		return problem_set(&c->p, why.reason == REJECT_TOO_LARGE ? ERR_TOO_LARGE : ERR_PARSE, NULL,
				   "读数报文无法解析（第 %zu 字节）：%s%.0s", "cannot read the message (byte %zu): %.0s%s",
				   why.offset, why.zh, why.en);
	}
	struct push_result r = { 0 };
	if (p.n)
		r = c->app->push(c->app, c->device->id, p.v, p.n);
	if (r.err)
		return r.err == ERR_FULL ? call_fail(c, r.err, NULL, "服务器磁盘已满，读数未保存，请稍后重发",
						     "the server's disk is full; nothing was stored, send again later")
					 : r.err;
	write_pushed(&p, &r);
	return OK;
}
