// The type descriptions that forms, lists and pages are drawn from.
#include "api/api.h"

// The lists that tell how the day goes, of types that the caller may read.
static void write_today(struct call *c, const struct pack *p)
{
	jw_karr(&c->w, "today");
	for (size_t i = 0; i < p->ntoday; i++) {
		const struct today *d = &p->today[i];
		if (!auth_may_read(&c->id, d->type))
			continue;
		jw_obj(&c->w);
		jw_kstr(&c->w, "type", d->type->name);
		jw_kstr(&c->w, "list", d->list->name);
		jw_kstr(&c->w, "label", label_text(c, d->list->label));
		jw_end(&c->w);
	}
	jw_end(&c->w);
}

// Packs in the order in which people see them, each with the section it stands in.
static void write_packs(struct call *c)
{
	const struct menu *sections = registry_menu(c->reg, STR("pack_section"));
	jw_karr(&c->w, "packs");
	for (size_t i = 0; i < c->reg->npacks; i++) {
		const struct pack *p = &c->reg->packs[i];
		jw_obj(&c->w);
		jw_kstr(&c->w, "name", p->name);
		jw_kstr(&c->w, "label", label_text(c, p->label));
		jw_kstr(&c->w, "about", label_text(c, p->about));
		jw_kstr(&c->w, "section", p->section != SIZE_MAX ? label_text(c, sections->items[p->section].label) : STR_EMPTY);
		jw_karr(&c->w, "first");
		for (size_t k = 0; k < p->nfirst; k++)
			jw_str(&c->w, p->first[k]);
		jw_end(&c->w);
		write_today(c, p);
		jw_end(&c->w);
	}
	jw_end(&c->w);
}

enum err types_list(struct call *c)
{
	jw_obj(&c->w);
	jw_karr(&c->w, "types");
	for (size_t i = 0; i < c->reg->ntypes; i++) {
		const struct type *t = &c->reg->types[i];
		if (auth_may_read(&c->id, t))
			type_json(&c->w, c->reg, t, &c->id, false);
	}
	jw_end(&c->w);
	write_packs(c);
	jw_end(&c->w);
	return OK;
}

enum err types_get(struct call *c)
{
	const struct type *t = registry_type(c->reg, c->param[0]);
	if (!t || !auth_may_read(&c->id, t))
		return call_fail(c, ERR_NOT_FOUND, "type", "没有这个类型，或无权查看", "no such type, or not yours to see");
	int64_t version;
	struct str was;
	enum err err = query_int(c, "version", t->version, 0, INT64_MAX, &version);
	if (err)
		return err;
	if (version == t->version)
		type_json(&c->w, c->reg, t, &c->id, true);
	else if (config_type_version(call_db(c), t->name, version, c->arena, &was))
		return call_fail(c, ERR_NOT_FOUND, "version", "没有这个版本", "there was no such version");
	else
		jw_raw(&c->w, was);
	return OK;
}
