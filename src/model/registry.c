// Reads the packs below a folder, has every file checked, and keeps the result as one registry in one arena. Called
// at start-up, on reload and by `anlan check`, in any thread; look-ups are plain reads of an immutable registry.
#include <stdlib.h>

#include "base/limits.h"
#include "model/check.h"
#include "model/pack_texts.h"

enum folder { ABOUT, MENUS, ROLES, POINTS, TYPES, RULES, FRAGMENTS, KEPT /* only kept, from here on */, CALENDARS = KEPT, SCHEDULES,
	      INDICATORS, INDEXES, ASSESSMENTS, DOCUMENTS, MIGRATIONS, PAYLOADS, FOLDERS };
static const struct str folder_names[FOLDERS] = {
	{ "about", 5 },     { "menus", 5 },     { "roles", 5 },     { "points", 6 },      { "types", 5 },        { "rules", 5 },
	{ "fragments", 9 }, { "calendars", 9 }, { "schedules", 9 }, { "indicators", 10 }, { "indexes", 7 }, { "assessments", 11 },
	{ "documents", 9 }, { "migrations", 10 }, { "payloads", 8 },
};

struct loader {
	struct arena *a;
	struct arena *trees;        // of files of which only texts are kept; gone when the registry stands
	struct diags *d;
	struct sources files[FOLDERS];
};

// A text into the folder it belongs to, parsed.
static void take_text(struct loader *l, const struct pack_text *t)
{
	size_t f = 0;
	while (f < FOLDERS && !str_eq(folder_names[f], t->folder))
		f++;
	if (f == FOLDERS)
		return;
	struct source s = { .pack = arena_str(l->a, t->pack), .file = arena_str(l->a, t->file), .text = t->text };
	s.root = yaml_parse_apart(f >= KEPT || f == RULES ? l->a : l->trees, l->a, s.file, s.text, l->d);
	if (!s.root)
		return;
	struct sources *all = &l->files[f];
	all->v = arena_push(l->a, all->v, &all->n, &all->cap, sizeof *all->v);
	all->v[all->n - 1] = s;
}

bool pack_folder_known(struct str name)
{
	for (size_t f = 0; f < FOLDERS; f++)
		if (str_eq(folder_names[f], name))
			return true;
	return false;
}

void pack_folder_near(struct diags *d, const struct yaml_node *at, struct str name)
{
	DIAG_NEARBY(d, at, name, folder_names, FOLDERS, FOLDER, STR_FMT(name));
}

// ---- checking ----------------------------------------------------------------------------------

// The kinds of measurement are a menu too, `point_kind`, so that a field can hold one and people see its label.
static void add_kind_menu(struct check *c)
{
	struct registry *r = c->reg;
	if (r->nkinds == 0 || registry_menu(r, STR("point_kind")))
		return;
	struct menu m = { .name = STR("point_kind"), .label = { STR("监测种类"), STR("Kind of measurement") }, .nitems = r->nkinds };
	m.items = arena_many(c->a, m.nitems, struct menu_item);
	for (size_t i = 0; i < m.nitems; i++)
		m.items[i] = (struct menu_item){ .value = r->kinds[i].name, .label = r->kinds[i].label, .color = STR_EMPTY };
	r->menus[r->nmenus++] = m;
}

// Templates of vendors' messages likewise, `payload_template`: what a device may name.
static void add_payload_menu(struct check *c, const struct sources *files)
{
	struct menu m = { .name = STR("payload_template"), .label = { STR("报文模板"), STR("Template of messages") } };
	m.items = arena_many(c->a, files->n, struct menu_item);
	for (size_t i = 0; i < files->n; i++)
		if (check_payload(c, &files->v[i], &m.items[m.nitems]))
			m.nitems++;
	if (m.nitems && !registry_menu(c->reg, m.name))
		c->reg->menus[c->reg->nmenus++] = m;
}

static void check_simple(struct check *c, struct loader *l)
{
	struct registry *r = c->reg;
	r->menus = arena_many(c->a, l->files[MENUS].n + 2, struct menu);
	r->roles = arena_many(c->a, l->files[ROLES].n, struct role);
	r->kinds = arena_many(c->a, l->files[POINTS].n, struct point_kind);
	for (size_t i = 0; i < l->files[MENUS].n; i++)
		check_menu(c, &l->files[MENUS].v[i]);
	for (size_t i = 0; i < l->files[ROLES].n; i++)
		check_role(c, &l->files[ROLES].v[i]);
	for (size_t i = 0; i < l->files[POINTS].n; i++)
		check_kind(c, &l->files[POINTS].v[i]);
	add_kind_menu(c);
	add_payload_menu(c, &l->files[PAYLOADS]);
	for (size_t i = 0; i < r->nmenus; i++)
		check_choices(c, &r->menus[i]);
	c->menu_names = names_of(c, r->menus, r->nmenus, sizeof *r->menus);
	c->role_names = names_of(c, r->roles, r->nroles, sizeof *r->roles);
	for (size_t i = 0; i < l->files[ROLES].n; i++)
		check_manages(c, &l->files[ROLES].v[i]);
}

// What each pack says of itself; one that says nothing goes by its name. In the order of the menu of sections.
static void check_packs(struct check *c, struct loader *l)
{
	struct registry *r = c->reg;
	r->packs = arena_many(c->a, l->files[ABOUT].n + r->ntypes, struct pack);
	for (size_t i = 0; i < l->files[ABOUT].n; i++)
		check_about(c, &l->files[ABOUT].v[i]);
	for (size_t i = 0; i < r->ntypes; i++)
		if (!registry_pack(r, r->types[i].pack))
			r->packs[r->npacks++] = (struct pack){ .name = r->types[i].pack, .label = { r->types[i].pack, r->types[i].pack },
				                               .about = { STR_EMPTY, STR_EMPTY }, .section = SIZE_MAX };
	if (r->npacks)
		qsort(r->packs, r->npacks, sizeof *r->packs, pack_before);
}

static void check_types(struct check *c, struct loader *l)
{
	struct registry *r = c->reg;
	r->types = arena_many(c->a, l->files[TYPES].n, struct type);
	c->type_roots = arena_many(c->a, l->files[TYPES].n, const struct yaml_node *);
	c->fields_at = arena_many(c->a, l->files[TYPES].n, struct fields_at);
	c->fragments = &l->files[FRAGMENTS];
	c->assessments = &l->files[ASSESSMENTS];
	for (size_t i = 0; i < l->files[FRAGMENTS].n; i++)
		check_fragment(c, &l->files[FRAGMENTS].v[i]);
	for (size_t i = 0; i < l->files[TYPES].n; i++)
		declare_type(c, &l->files[TYPES].v[i]);
	c->type_names = names_of(c, r->types, r->ntypes, sizeof *r->types);
	for (size_t i = 0; i < r->ntypes; i++)
		check_fields(c, &r->types[i], c->type_roots[i]);
	for (size_t i = 0; i < r->ntypes; i++)
		check_draws(c, &r->types[i]);
	for (size_t i = 0; i < r->ntypes; i++)
		check_type(c, &r->types[i], c->type_roots[i]);
	check_origins(c, l->files[SCHEDULES].v, l->files[SCHEDULES].n);
	for (size_t i = 0; i < r->ntypes; i++)
		check_type_flow(c, &r->types[i], c->type_roots[i]);
	for (size_t i = 0; i < r->ntypes; i++)
		r->types[i].table.timeless = !r->types[i].nstates && !r->types[i].expires.at;
	check_circles(c);
	check_trigger_circles(c);
}

static void check_schedules(struct check *c, struct loader *l)
{
	c->reg->schedules = arena_many(c->a, l->files[SCHEDULES].n, struct schedule);
	for (size_t i = 0; i < l->files[SCHEDULES].n; i++)
		check_schedule(c, &l->files[SCHEDULES].v[i]);
}

// Rules are only kept: alarm/ knows what they mean. Their names must differ.
static void keep_rules(struct check *c, struct loader *l)
{
	struct registry *r = c->reg;
	r->rules = arena_many(c->a, l->files[RULES].n, struct rule_file);
	for (size_t i = 0; i < l->files[RULES].n; i++) {
		const struct source *s = &l->files[RULES].v[i];
		const struct yaml_node *name = yaml_get(s->root, "rule");
		if (s->root->kind != YAML_MAP)
			DIAG(c->d, s->root, WANT_MAP);
		else if (!name)
			DIAG(c->d, s->root, MISSING_KEY, "rule");
		else if (name->kind == YAML_SCALAR && declare(c, 'u', name->text, name))
			r->rules[r->nrules++] = (struct rule_file){ .pack = s->pack, .file = s->file, .root = s->root };
	}
}

// What other folders check for themselves when the registry stands: file by file, in the order of packs and names.
static void keep_files(struct check *c, struct loader *l)
{
	struct registry *r = c->reg;
	size_t n = 0;
	for (size_t f = KEPT; f < FOLDERS; f++)
		n += l->files[f].n;
	r->files = arena_many(c->a, n, struct pack_file);
	for (size_t f = KEPT; f < FOLDERS; f++)
		for (size_t i = 0; i < l->files[f].n; i++) {
			const struct source *s = &l->files[f].v[i];
			if (s->root->kind != YAML_MAP)
				DIAG(c->d, s->root, WANT_MAP);
			else
				r->files[r->nfiles++] = (struct pack_file){ folder_names[f], s->pack, s->file, s->root };
		}
}

enum err registry_load_texts(struct registry **ret, const struct pack_texts *texts, struct diags *d)
{
	static uint64_t generations;
	struct arena *a = arena_new(256 << 10);
	struct registry *r = arena_one(a, struct registry);
	struct arena *trees on_scope_exit(arena_freep) = arena_new(256 << 10);
	struct loader l = { .a = a, .trees = trees, .d = d };
	struct check c = { .reg = r, .a = a, .d = d };
	size_t before = d->n;
	r->arena = a;
	for (size_t i = 0; i < texts->n; i++)
		take_text(&l, &texts->v[i]);
	check_simple(&c, &l);
	check_calendars(&c, l.files[CALENDARS].v, l.files[CALENDARS].n);
	check_types(&c, &l);
	check_packs(&c, &l);
	check_schedules(&c, &l);
	keep_rules(&c, &l);
	keep_files(&c, &l);
	r->generation = __atomic_add_fetch(&generations, 1, __ATOMIC_RELAXED);
	*ret = r;
	if (d->n == before)
		return OK;
	diags_sort(d);
	registry_free(r);
	*ret = NULL;
	return ERR_INVALID;
}

enum err registry_load(struct registry **ret, struct str dir, struct diags *d)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct pack_texts texts = { .arena = a };
	size_t before = d->n;
	pack_texts_read(&texts, dir, false, d);
	enum err err = registry_load_texts(ret, &texts, d);
	if (err || d->n == before)
		return err;
	registry_free(*ret);
	*ret = NULL;
	diags_sort(d);
	return ERR_INVALID;
}

enum err registry_make_tables(struct db *db, const struct registry *r, struct problem *p)
{
	const struct table **tables = arena_many(p->arena, r->ntypes, const struct table *);
	for (size_t i = 0; i < r->ntypes; i++)
		tables[i] = &r->types[i].table;
	return records_migrate_all(db, tables, r->ntypes, p);
}

void registry_free(struct registry *r)
{
	if (r)
		arena_free(r->arena);
}

// ---- look-ups ----------------------------------------------------------------------------------

#define FIND(items, count, key)                              \
	for (size_t find_i = 0; find_i < (count); find_i++)  \
		if (str_eq((items)[find_i].key, name))       \
			return &(items)[find_i];             \
	return NULL

const struct type *registry_type(const struct registry *r, struct str name)
{
	FIND(r->types, r->ntypes, name);
}

const struct point_kind *registry_kind(const struct registry *r, struct str name)
{
	FIND(r->kinds, r->nkinds, name);
}

const struct role *registry_role(const struct registry *r, struct str name)
{
	FIND(r->roles, r->nroles, name);
}

const struct schedule *registry_schedule(const struct registry *r, struct str name)
{
	FIND(r->schedules, r->nschedules, name);
}

const struct pack *registry_pack(const struct registry *r, struct str name)
{
	FIND(r->packs, r->npacks, name);
}

const struct menu *registry_menu(const struct registry *r, struct str name)
{
	FIND(r->menus, r->nmenus, name);
}

const struct field *type_field(const struct type *t, struct str name)
{
	FIND(t->fields, t->nfields, name);
}

const struct draw *type_draw(const struct type *t, struct str name)
{
	FIND(t->draws, t->ndraws, name);
}

const struct state *type_state(const struct type *t, struct str name)
{
	FIND(t->states, t->nstates, name);
}

const struct move *type_move(const struct type *t, struct str name)
{
	FIND(t->moves, t->nmoves, name);
}

struct filter type_open_states(const struct type *t, struct arena *a)
{
	struct value *open = arena_many(a, t->nstates, struct value);
	struct filter f = { STR("state"), FILTER_IN, open, 0 };
	for (size_t i = 0; i < t->nstates; i++)
		if (!t->states[i].end)
			open[f.nvals++] = (struct value){ .kind = VAL_TEXT, .s = t->states[i].name };
	return f;
}

const struct listing *type_listing(const struct type *t, struct str name)
{
	FIND(t->lists, t->nlists, name);
}

const struct menu_item *menu_item(const struct menu *m, struct str name)
{
	FIND(m->items, m->nitems, value);
}

bool role_may(const struct role *r, const char *permission)
{
	for (size_t i = 0; i < r->nmay; i++)
		if (str_is(r->may[i], permission))
			return true;
	return false;
}
