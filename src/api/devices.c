// Devices: keys, commands, health, and the HTTP push of readings.
#include "api/api.h"
#include "base/base64.h"
#include "base/hash.h"
#include "base/strmap.h"
#include "base/time.h"
#include "gate/decode/decode.h"
#include "store/audit.h"

// ---- keys and commands --------------------------------------------------------------------------

struct key_job {
	struct call *c;
	int64_t device;
	struct str key; // chosen by the caller, or empty
	char fresh[33];
};

static enum err key_job_run(struct db *db, void *arg, struct problem *p)
{
	struct key_job *j = arg;
	if (j->key.n)
		return device_set_key(db, &j->c->id, j->device, j->key, p);
	return device_new_key(db, &j->c->id, j->device, j->fresh, p);
}

static enum err find_device(struct call *c, int64_t *ret_id)
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
	enum err err = find_device(c, &j.device);
	if (err)
		return err;
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

struct command_job {
	const struct identity *by;
	int64_t device;
	struct str payload;
};

#define COMMAND_SHOWN 200 // bytes of a command that the audit keeps as they are; of longer ones the digest

static enum err command_job_run(struct db *db, void *arg, struct problem *p)
{
	const struct command_job *j = arg;
	uint8_t digest[SM3_LEN];
	char hex[2 * SM3_LEN];
	struct buf out;
	struct jw w;
	(void)p;
	buf_init(&out, 4096);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_ki64(&w, "bytes", (int64_t)j->payload.n);
	if (j->payload.n <= COMMAND_SHOWN) {
		jw_kstr(&w, "payload", j->payload);
	} else {
		sm3_once(j->payload, digest);
		str_to_hex(digest, sizeof digest, hex);
		jw_kstr(&w, "sm3", str_from(hex, sizeof hex));
	}
	jw_end(&w);
	struct audit_entry e = { .actor = j->by->person, .actor_name = j->by->title, .action = STR("device.command"),
				 .type = STR("device"), .record = j->device, .detail = buf_str(&out) };
	enum err err = audit_add(db, &e);
	buf_free(&out);
	return err;
}

static bool takes_commands(struct call *c, int64_t device)
{
	const struct type *t = registry_type(c->reg, STR("device"));
	const struct field *f = type_field(t, STR("protocol"));
	struct row row;
	return f && records_get(call_db(c), &t->table, &c->id.scope, device, c->arena, &row) == OK &&
	       row.vals[f->col].kind == VAL_TEXT && str_is(row.vals[f->col].s, "mqtt");
}

// Written down first, then sent: there is no command without its entry.
enum err devices_command(struct call *c)
{
	struct command_job j = { .by = &c->id, .payload = body_str(c, "payload") };
	bool delivered = false;
	enum err err = find_device(c, &j.device);
	if (err)
		return err;
	if (!j.payload.n || j.payload.n > LIMIT_COMMAND)
		return call_fail(c, ERR_INVALID, "payload", "请填写要下发的内容，最多 16 KiB", "payload must hold 1 byte to 16 KiB");
	if (!takes_commands(c, j.device))
		return call_fail(c, ERR_CONFLICT, NULL, "只有 MQTT 设备可以接收命令", "only MQTT devices can be sent commands");
	call_db_refresh(c);
	err = store_write(c->app->store, command_job_run, &j, &c->p);
	if (!err)
		err = c->app->command(c->app, (uint32_t)j.device, j.payload, &delivered);
	if (err)
		return err == ERR_UNAVAILABLE ? call_fail(c, err, NULL, "等待下发的命令太多，请稍后再试", "too many commands are waiting already; try again later") : err;
	jw_obj(&c->w);
	jw_kcstr(&c->w, "state", delivered ? "delivered" : "queued");
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

enum err devices_health(struct call *c)
{
	struct site *site = call_site(c);
	struct jw *w = &c->w;
	jw_obj(w);
	jw_karr(w, "items");
	for (size_t i = 0; i < site->ndevices; i++) {
		const struct site_device *d = &site->devices[i];
		struct device_stats s = { 0 };
		if (!auth_in_scope(&c->id, d->area, d->enterprise))
			continue;
		bool known = c->app->device_stats(c->app, d->id, &s);
		jw_obj(w);
		jw_ki64(w, "id", d->id);
		jw_kstr(w, "code", d->code);
		jw_kstr(w, "name", d->name);
		jw_ki64(w, "enterprise", d->enterprise);
		jw_ki64(w, "points", (int64_t)d->npoints);
		jw_kbool(w, "disabled", d->disabled);
		if (known)
			write_stats(c, &s);
		else
			jw_kbool(w, "online", false);
		jw_end(w);
	}
	jw_end(w);
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
	for (size_t i = 0; id && i < site->ndevices; i++)
		if (site->devices[i].id == id)
			return &site->devices[i];
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
		                      c->rq->peer);
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

static void push_reject(struct push *p, struct str name, enum reject reason)
{
	p->rejected++;
	p->c->app->device_reject(p->c->app, p->c->device->id, reason, name, p->c->rq->peer);
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

static const struct site_point *own_point(struct push *p, struct str name)
{
	const struct site *site = p->c->site;
	uint32_t at;
	if (strmap_get(site->point_by_code, name, &at))
		return site->points[at].def.device == p->c->device->id ? &site->points[at] : NULL;
	for (size_t i = 0; i < p->c->device->npoints; i++)
		if (str_eq(site->points[p->c->device->points[i]].address, name))
			return &site->points[p->c->device->points[i]];
	return NULL;
}

static void on_refuse(void *owner, enum reject why, struct str what)
{
	struct push *p = owner;
	push_reject(p, what, why);
	p->index++;
}

static void on_reading(void *owner, const struct decoded *d)
{
	struct push *p = owner;
	const struct site_point *pt = own_point(p, d->name);
	if (!pt && d->alias.n)
		pt = own_point(p, d->alias);
	if (!pt && !d->optional)
		push_reject(p, d->name, REJECT_UNKNOWN_POINT);
	else if (pt && (d->time > p->now + LIMIT_READING_FUTURE_S * US_PER_S ||
			d->time < p->now - LIMIT_READING_PAST_DAYS * US_PER_DAY))
		push_reject(p, d->name, REJECT_TIME);
	else if (pt) {
		p->v = arena_push(p->c->arena, p->v, &p->n, &p->cap, sizeof *p->v);
		p->v[p->n - 1] = (struct reading){ .point = pt->def.id,
						   .quality = (uint16_t)d->quality,
						   .flags = d->flags,
						   .time = d->time,
						   .value = d->value * pt->scale };
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

enum err readings_post(struct call *c)
{
	enum err err = identify_device(c);
	if (err)
		return err;
	struct push p = { .c = c, .now = clock_now() };
	struct decode_sink sink = { &p, on_reading, on_refuse };
	struct refusal why;
	if (!payload_decode(c->rq->body, c->arena, p.now, &sink, &why)) {
		c->app->device_reject(c->app, c->device->id, why.reason, str_first(c->rq->body, 100), c->rq->peer);
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
