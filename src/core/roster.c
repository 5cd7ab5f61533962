// Devices, and the sectors of enterprises, as the records say.
#include <stdlib.h>

#include "base/limits.h"
#include "core/core_int.h"

struct loading {
	struct roster *r;
	const struct type *t;
	size_t cap;
};

static struct str text(struct loading *l, const struct row *row, const char *name)
{
	const struct value *v = held(l->t, row, name);
	return v->kind == VAL_TEXT ? arena_str(l->r->arena, v->s) : STR_EMPTY;
}

// A field of seconds; where a record has none, what the type gives to new ones.
static int64_t limit_us(const struct type *t, const struct row *row, const char *name)
{
	const struct field *f = type_field(t, str_of(name));
	double s = 0;
	if (f && f->fallback.n && !str_to_f64(f->fallback, &s))
		s = 0;
	return (int64_t)(value_number(held(t, row, name), s) * US_PER_S);
}

static enum err on_device(void *arg, const struct row *row)
{
	struct loading *l = arg;
	l->r->devices = arena_push(l->r->arena, l->r->devices, &l->r->ndevices, &l->cap, sizeof *l->r->devices);
	struct site_device *d = &l->r->devices[l->r->ndevices - 1];
	*d = (struct site_device){ .id = (uint32_t)row->c.id,
				   .enterprise = row->c.enterprise,
				   .area = arena_str(l->r->arena, row->c.area) };
	d->code = text(l, row, "code");
	d->name = text(l, row, "name");
	d->keyless = value_integer(held(l->t, row, "keyless")) != 0;
	struct str protocol = text(l, row, "protocol");
	if (str_is(protocol, "modbus")) {
		d->poll_address = text(l, row, "poll_address");
		d->poll_ms = (uint32_t)(value_number(held(l->t, row, "poll_interval"), 5) * 1000);
		d->poll_unit = (uint8_t)value_number(held(l->t, row, "poll_unit"), 1);
	}
	d->bcd_time = str_is(protocol, "gb26875") && value_integer(held(l->t, row, "bcd_time")) != 0;
	d->clock_warn = limit_us(l->t, row, "clock_warn_s");
	d->clock_bad = limit_us(l->t, row, "clock_bad_s");
	const struct named_template *tpl = payload_find(l->r->templates, l->r->ntemplates, text(l, row, "template"));
	d->tpl = tpl && (str_is(protocol, "mqtt") || str_is(protocol, "http")) ? tpl->t : NULL;
	d->cipher = str_is(protocol, "gateway") ? CIPHER_AES : str_is(protocol, "dust") ? CIPHER_DES : CIPHER_NONE;
	d->disabled = str_is(text(l, row, "service"), "disabled");
	return OK;
}

static enum err on_enterprise(void *arg, const struct row *row)
{
	struct loading *l = arg;
	struct roster *r = l->r;
	if (!row->c.sector.n || row->c.id <= 0)
		return OK;
	if ((size_t)row->c.id >= r->nsectors) {
		size_t n = MAX((size_t)row->c.id + 1, r->nsectors * 2);
		r->sectors = arena_grow(r->arena, r->sectors, r->nsectors, n, sizeof *r->sectors);
		r->nsectors = n;
	}
	r->sectors[row->c.id] = arena_str(r->arena, row->c.sector);
	return OK;
}

static int device_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct site_device *)a)->code, ((const struct site_device *)b)->code);
}

static void set_sectors(struct roster *r)
{
	for (size_t i = 0; i < r->ndevices; i++)
		r->devices[i].sector = roster_sector(r, r->devices[i].enterprise);
}

static void list_polled(struct roster *r)
{
	r->polled = arena_many(r->arena, r->ndevices + 1, uint32_t);
	for (size_t i = 0; i < r->ndevices; i++)
		if (r->devices[i].poll_address.n && r->devices[i].code.n <= LIMIT_DEVICE_NAME)
			r->polled[r->npolled++] = (uint32_t)i;
}

enum err roster_load(struct db *db, const struct registry *reg, struct roster **ret)
{
	struct arena *a = arena_new(64 << 10), *scratch on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct roster *r = arena_one(a, struct roster);
	*r = (struct roster){ .arena = a, .refs = 1 };
	struct loading devices = { r, registry_type(reg, STR("device")), 0 }, enterprises = { r, registry_type(reg, STR("enterprise")), 0 };
	struct list_query all = { 0 };
	struct diags mistakes = { .arena = scratch }; // none: the packs in force were tried out
	payloads_load(reg, a, &mistakes, &r->templates, &r->ntemplates);
	enum err err = records_each(db, &devices.t->table, &all, scratch, on_device, &devices);
	if (!err && enterprises.t)
		err = records_each(db, &enterprises.t->table, &all, scratch, on_enterprise, &enterprises);
	if (err) {
		arena_free(a);
		return err;
	}
	if (r->ndevices)
		qsort(r->devices, r->ndevices, sizeof *r->devices, device_cmp);
	set_sectors(r);
	list_polled(r);
	*ret = r;
	return OK;
}

void roster_free(struct roster *r) { arena_free(r->arena); }
