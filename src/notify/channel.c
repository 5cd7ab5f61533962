// What the records say about channels, webhooks and persons. Reads only; any connection, the thread that holds it.
#include "auth/auth.h"
#include "notify/notify_int.h"

// "warning, hazard" → ",warning,hazard,"
static struct str comma_list(struct str text, struct arena *a)
{
	struct str all = STR(",");
	while (text.n) {
		struct str one = str_trim(str_cut(&text, ','));
		if (one.n && !str_is(one, "*"))
			all = arena_printf(a, "%.*s%.*s,", STR_FMT(all), STR_FMT(one));
	}
	return all.n > 1 ? all : STR_EMPTY;
}

static void channel_fill(struct channel *c, const struct type *t, const struct row *r, struct arena *a)
{
	*c = (struct channel){ .via = t->name,
		               .id = r->c.id,
		               .name = r->c.title,
		               .kind = held_text(t, r, "kind"),
		               .url = str_trim(held_text(t, r, "url")),
		               .from = str_trim(held_text(t, r, "sender")),
		               .user = str_trim(held_text(t, r, "account")),
		               .tls = held_text(t, r, "tls"),
		               .template = held_text(t, r, "template"),
		               .success = str_trim(held_text(t, r, "success")),
		               .receipt = str_trim(held_text(t, r, "receipt_key")),
		               .area = area_prefix(r->c.area),
		               .enabled = held_int(t, r, "enabled", 0) != 0,
		               .urgent_only = held_int(t, r, "urgent_only", 0) != 0,
		               .tries = MAX(held_int(t, r, "tries", 8), 1),
		               .retry_s = MAX(held_int(t, r, "retry_s", 10), 1),
		               .merge_s = MAX(held_int(t, r, "merge_s", 60), 0),
		               .rate = MAX(held_int(t, r, "rate", 120), 1),
		               .fallback = held_int(t, r, "fallback", 0),
		               .types = comma_list(held_text(t, r, "types"), a),
		               .events = held_text(t, r, "events") };
}

enum err channels_read(struct db *db, const struct registry *reg, struct arena *a, struct channel **ret, size_t *ret_n)
{
	static const char *const types[] = { VIA_CHANNEL, VIA_WEBHOOK };
	struct problem p;
	size_t cap = 0;
	enum err err = OK;
	problem_init(&p, a);
	*ret = NULL;
	*ret_n = 0;
	for (size_t i = 0; !err && i < ARRAY_LEN(types); i++) {
		const struct type *t = registry_type(reg, str_of(types[i]));
		struct list_query lq = { .limit = LIMIT_CHANNELS };
		struct row *rows = NULL;
		size_t n = 0;
		if (t)
			err = records_list(db, &t->table, NULL, &lq, a, &rows, &n, NULL, &p);
		for (size_t k = 0; !err && k < n; k++) {
			*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
			channel_fill(&(*ret)[*ret_n - 1], t, &rows[k], a);
		}
	}
	return err;
}

const struct channel *channel_find(const struct channel *v, size_t n, struct str via, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].id == id && str_eq(v[i].via, via))
			return &v[i];
	return NULL;
}

enum err person_read(struct db *db, const struct registry *reg, int64_t id, struct arena *a, struct person *ret)
{
	const struct type *t = registry_type(reg, STR("person"));
	struct row r;
	enum err err = t ? records_get(db, &t->table, NULL, id, a, &r) : ERR_NOT_FOUND;
	if (!err && r.c.retired)
		err = ERR_NOT_FOUND;
	if (err)
		return err;
	*ret = (struct person){ .id = id,
		                .name = r.c.title,
		                .lang = held_text(t, &r, "lang"),
		                .mail = str_trim(held_text(t, &r, "mail")),
		                .phone = str_trim(held_text(t, &r, "phone")),
		                .wecom = str_trim(held_text(t, &r, "wecom")),
		                .area = r.c.area,
		                .quiet_from = held_text(t, &r, "quiet_from"),
		                .quiet_to = held_text(t, &r, "quiet_to"),
		                .ways = held_text(t, &r, "ways") };
	return OK;
}

bool listed(struct str list, struct str name)
{
	while (list.n)
		if (str_eq(str_cut(&list, ','), name))
			return true;
	return false;
}

struct str person_address(const struct person *p, struct str kind, struct str more)
{
	if (!listed(p->ways, kind) && !listed(more, kind))
		return STR_EMPTY;
	if (str_is(kind, "mail"))
		return p->mail;
	return str_is(kind, "sms") ? p->phone : p->wecom;
}
