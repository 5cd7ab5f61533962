// Commands to devices: what a device's protocol can be asked, and asking. Each is a record of type device_command, made here by
// who may manage devices; core/commands.c sends it and brings it through its states.
#include "api/api.h"
#include "base/base64.h"
#include "base/hash.h"
#include "base/time.h"
#include "flow/flow.h"
#include "store/audit.h"
#include "model/held.h"

// ---- the record ---------------------------------------------------------------------------------

#define ENCODED "base64:" // a content that a text field cannot hold as it is

static bool is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] < ' ' && s.p[i] != '\n' && s.p[i] != '\t')
			return false;
	return s.n == str_trim(s).n && !memchr(s.p, 127, s.n) && !str_starts(s, STR(ENCODED));
}

static struct str payload_kept(struct arena *a, struct str s)
{
	struct str coded = is_plain(s) ? s : str_to_base64(a, s);
	return is_plain(s) ? s : arena_printf(a, ENCODED "%.*s", STR_FMT(coded));
}

static struct str payload_sent(struct arena *a, struct str kept)
{
	return str_starts(kept, STR(ENCODED)) ? str_from_base64(a, str_skip(kept, sizeof ENCODED - 1)) : kept;
}

static uint32_t element_of(struct str hex)
{
	uint8_t b[3];
	if ((hex.n != 4 && hex.n != 6) || !str_from_hex(hex, b, hex.n / 2))
		return 0;
	return hex.n == 4 ? (uint32_t)b[0] << 8 | b[1] : (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
}

static void code_of(struct str s, char ret[8]) // too long: none, and it is refused
{
	if (s.n <= 8)
		memcpy(ret, s.p, s.n);
}

static enum err wrong(const struct downlink_wrong *w, struct problem *p)
{
	enum err err = strcmp(w->field, "kind") == 0 ? ERR_CONFLICT : ERR_INVALID;
	if (!w->max)
		return problem_set(p, err, w->field, "%s%.0s", "%.0s%s", w->zh, w->en);
	if (w->step > 1)
		return problem_set(p, err, w->field, "%s%.0s：%u 至 %u，为 %u 的倍数", "%.0s%s: %u to %u, a multiple of %u", w->zh, w->en, w->min, w->max, w->step);
	return problem_set(p, err, w->field, "%s%.0s：%u 至 %u", "%.0s%s: %u to %u", w->zh, w->en, w->min, w->max);
}

static struct str device_protocol(struct db *db, const struct registry *reg, int64_t device, struct arena *a)
{
	const struct type *t = registry_type(reg, STR("device"));
	struct row row;
	return t && !records_get(db, &t->table, &(struct scope){ 0 }, device, a, &row) ? held_text(t, &row, "protocol") : STR_EMPTY;
}

enum err device_command_read(struct db *db, const struct registry *reg, const struct row *row, struct arena *a, struct device_command *ret,
                             struct problem *p)
{
	const struct type *t = registry_type(reg, STR("device_command"));
	enum command_kind kind = COMMAND__MAX;
	enum command_span span = SPAN_NONE;
	struct downlink_wrong w;
	*ret = (struct device_command){ .id = row->c.id, .device = held_int(t, row, "device", 0), .created = row->c.created_at };
	command_kind_find(held_text(t, row, "kind"), &kind);
	command_span_find(held_text(t, row, "span"), &span);
	ret->c = (struct command){ .kind = kind, .span = span, .seconds = (uint32_t)held_int(t, row, "seconds", 0),
		                   .element = element_of(held_text(t, row, "element")), .from = held_int(t, row, "since", 0), .to = held_int(t, row, "until", 0) };
	code_of(held_text(t, row, "element"), ret->c.factor);
	code_of(held_text(t, row, "info"), ret->c.info);
	ret->payload = payload_sent(a, held_text(t, row, "payload"));
	ret->downlink = downlink_of(device_protocol(db, reg, ret->device, a));
	if (!downlink_check(ret->downlink, &ret->c, clock_now(), &w))
		return wrong(&w, p);
	if (kind == COMMAND_PAYLOAD && (!ret->payload.n || ret->payload.n > LIMIT_COMMAND))
		return problem_set(p, ERR_INVALID, "payload", "请填写要下发的内容，最多 16 KiB", "payload must hold 1 byte to 16 KiB");
	return OK;
}

// Those that are not answered yet, oldest first; device 0: of all.
enum err device_commands_open(struct db *db, const struct registry *reg, int64_t device, size_t limit, struct arena *a, struct row **ret,
                              size_t *ret_n, int64_t *ret_total, struct problem *p)
{
	const struct type *t = registry_type(reg, STR("device_command"));
	const struct value states[] = { { .kind = VAL_TEXT, .s = STR("queued") }, { .kind = VAL_TEXT, .s = STR("sent") } };
	const struct value id = { .kind = VAL_INT, .i = device };
	const struct filter filters[] = { { STR("state"), FILTER_IN, states, ARRAY_LEN(states) }, { STR("device"), FILTER_EQ, &id, 1 } };
	const struct sort sort = { .column = STR("created_at") };
	struct list_query lq = { .text = STR_EMPTY, .filters = filters, .nfilters = device ? 2 : 1, .sorts = &sort, .nsorts = 1, .limit = limit };
	*ret_n = 0;
	if (!t) // the county runs without the pack
		return OK;
	return records_list(db, &t->table, NULL, &lq, a, ret, ret_n, ret_total, p);
}

// ---- asking -------------------------------------------------------------------------------------

struct command_job {
	struct call *c;
	int64_t device, id;
	json_t *body;           // of the record
	struct str payload;
};

#define COMMAND_SHOWN 200 // bytes of a command that the device's history keeps as they are; of longer ones the digest

// The device's own history says it too, in short.
static enum err note_on_device(struct db *db, const struct command_job *j, const struct device_command *k)
{
	uint8_t digest[SM3_LEN];
	char hex[2 * SM3_LEN];
	struct buf out;
	struct jw w;
	buf_init(&out, 4096);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_kcstr(&w, "kind", command_info((enum command_kind)k->c.kind)->name);
	jw_ki64(&w, "command", j->id);
	if (j->payload.n) {
		jw_ki64(&w, "bytes", (int64_t)j->payload.n);
		sm3_once(j->payload, digest);
		str_to_hex(digest, sizeof digest, hex);
		jw_kstr(&w, j->payload.n <= COMMAND_SHOWN ? "payload" : "sm3", j->payload.n <= COMMAND_SHOWN ? j->payload : str_from(hex, sizeof hex));
	}
	jw_end(&w);
	struct audit_entry e = { .actor = j->c->id.person, .actor_name = j->c->id.title, .action = STR("device.command"),
				 .type = STR("device"), .record = j->device, .detail = buf_str(&out) };
	enum err err = audit_add(db, &e);
	buf_free(&out);
	return err;
}

static enum err room_for_one(struct db *db, struct command_job *j, struct problem *p)
{
	struct row *rows;
	size_t n;
	int64_t of_device = 0, all = 0;
	enum err err = device_commands_open(db, j->c->reg, j->device, 1, j->c->arena, &rows, &n, &of_device, p);
	if (!err)
		err = device_commands_open(db, j->c->reg, 0, 1, j->c->arena, &rows, &n, &all, p);
	if (!err && (of_device >= LIMIT_COMMANDS_PER_DEVICE || all >= LIMIT_COMMANDS))
		return problem_set(p, ERR_UNAVAILABLE, NULL, "等待下发的命令太多，请稍后再试", "too many commands are waiting already; try again later");
	return err;
}

// The record, what it comes to checked against the protocol, and the line in the device's history: all or nothing.
static enum err command_job_run(struct db *db, void *arg, struct problem *p)
{
	struct command_job *j = arg;
	struct call *c = j->c;
	const struct type *t = registry_type(c->reg, STR("device_command"));
	struct device_command k;
	struct row row;
	enum err err = room_for_one(db, j, p);
	if (!err)
		err = flow_create(db, c->reg, t, j->body, &c->id, c->arena, &j->id, p);
	if (!err)
		err = records_get(db, &t->table, &(struct scope){ 0 }, j->id, c->arena, &row);
	if (!err)
		err = device_command_read(db, c->reg, &row, c->arena, &k, p);
	return err ? err : note_on_device(db, j, &k);
}

static json_t *record_body(struct command_job *j, struct str kind)
{
	static const char *const params[] = { "seconds", "since", "until", "span", "element", "info" };
	json_t *body = json_object();
	json_object_set_new(body, "device", json_integer(j->device));
	json_object_set_new(body, "kind", json_stringn(kind.p, kind.n));
	for (size_t i = 0; i < ARRAY_LEN(params); i++)
		if (json_object_get(j->c->body, params[i]))
			json_object_set(body, params[i], json_object_get(j->c->body, params[i]));
	if (j->payload.n) {
		struct str kept = payload_kept(j->c->arena, j->payload);
		json_object_set_new(body, "payload", json_stringn(kept.p, kept.n));
	}
	return body;
}

enum err devices_command(struct call *c)
{
	struct command_job j = { .c = c };
	struct str kind = body_str(c, "kind");
	enum command_kind k = COMMAND_PAYLOAD;
	enum err err = call_device(c, &j.device);
	if (err)
		return err;
	if (kind.n && !command_kind_find(kind, &k))
		return call_fail(c, ERR_INVALID, "kind", "没有这种命令", "there is no such command");
	j.payload = k == COMMAND_PAYLOAD ? body_str(c, "payload") : STR_EMPTY;
	if (k == COMMAND_PAYLOAD && (!j.payload.n || j.payload.n > LIMIT_COMMAND))
		return call_fail(c, ERR_INVALID, "payload", "请填写要下发的内容，最多 16 KiB", "payload must hold 1 byte to 16 KiB");
	if (!registry_type(c->reg, STR("device_command")))
		return call_fail(c, ERR_CONFLICT, NULL, "业务包里没有设备命令", "the packs in force have no device commands");
	j.body = record_body(&j, str_of(command_info(k)->name));
	call_db_refresh(c);
	err = store_write(c->app->store, command_job_run, &j, &c->p);
	json_decref(j.body);
	if (err)
		return err;
	bool delivered = k == COMMAND_PAYLOAD && c->app->command_wait(c->app, j.id);
	jw_obj(&c->w);
	jw_ki64(&c->w, "id", j.id);
	jw_kcstr(&c->w, "state", delivered ? "delivered" : "queued");
	jw_end(&c->w);
	return OK;
}

// ---- what can be asked --------------------------------------------------------------------------

static void write_param(struct jw *w, const char *name)
{
	jw_obj(w);
	jw_kcstr(w, "name", name);
	jw_end(w);
}

static void write_seconds(struct jw *w, const struct downlink_range *r)
{
	jw_obj(w);
	jw_kcstr(w, "name", "seconds");
	jw_ki64(w, "min", r->min);
	jw_ki64(w, "max", r->max);
	jw_ki64(w, "step", r->step);
	jw_end(w);
}

static void write_span(struct jw *w, const struct downlink *d)
{
	jw_obj(w);
	jw_kcstr(w, "name", "span");
	jw_karr(w, "values");
	for (int s = SPAN_MINUTE; s < SPAN__MAX; s++)
		if (d->spans >> s & 1)
			jw_cstr(w, command_span_name((enum command_span)s));
	jw_end(w);
	jw_end(w);
}

static void write_params(struct jw *w, const struct downlink *d, enum command_kind k)
{
	const struct downlink_range *seconds = downlink_seconds(d, k);
	unsigned params = command_info(k)->params;
	jw_karr(w, "params");
	if (params & PARAM_PAYLOAD)
		write_param(w, "payload");
	if (seconds)
		write_seconds(w, seconds);
	if (params & PARAM_PERIOD) {
		write_param(w, "since");
		write_param(w, "until");
	}
	if (params & PARAM_SPAN)
		write_span(w, d);
	if (params & PARAM_FACTOR || (params & PARAM_ELEMENT && d->element))
		write_param(w, "element");
	if (params & PARAM_INFO)
		write_param(w, "info");
	jw_end(w);
}

enum err devices_commands(struct call *c)
{
	int64_t id;
	enum err err = call_device(c, &id);
	if (err)
		return err;
	const struct type *t = registry_type(c->reg, STR("device_command"));
	const struct menu *m = t && auth_may_create(&c->id, t) ? registry_menu(c->reg, STR("device_command_kind")) : NULL;
	const struct downlink *d = downlink_of(device_protocol(call_db(c), c->reg, id, c->arena));
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (int k = 0; k < COMMAND__MAX; k++) {
		const char *name = command_info((enum command_kind)k)->name;
		const struct menu_item *it = m ? menu_item(m, str_of(name)) : NULL;
		if (!downlink_has(d, (enum command_kind)k) || !it)
			continue;
		jw_obj(&c->w);
		jw_kcstr(&c->w, "kind", name);
		jw_klabel(&c->w, "label", it->label);
		jw_klabel(&c->w, "help", it->help);
		write_params(&c->w, d, (enum command_kind)k);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}
