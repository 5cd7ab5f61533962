// Reads the packs below a folder, has every file checked, and keeps the result as one registry in one arena. Called
// at start-up, on reload and by `anlan check`, in any thread; look-ups are plain reads of an immutable registry.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "model/check.h"

enum folder { MENUS, ROLES, POINTS, TYPES, RULES, FOLDERS };
static const struct str folder_names[FOLDERS] = { { "menus", 5 }, { "roles", 5 }, { "points", 6 }, { "types", 5 }, { "rules", 5 } };

struct sources {
	struct source *v;
	size_t n, cap;
};

struct loader {
	struct arena *a;
	struct diags *d;
	struct sources files[FOLDERS];
	size_t packs;
};

static struct yaml_node whole_file(struct str file)
{
	return (struct yaml_node){ .file = file, .line = 1, .col = 1 };
}

static struct str join(struct arena *a, struct str dir, struct str name)
{
	while (dir.n > 1 && dir.p[dir.n - 1] == '/')
		dir.n--;
	return arena_printf(a, "%.*s/%.*s", STR_FMT(dir), STR_FMT(name));
}

static bool is_folder(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int by_name(const void *x, const void *y)
{
	return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

// Names in a folder, sorted, without those that begin with a dot.
static size_t list_folder(struct arena *a, struct str path, struct str **ret)
{
	size_t n = 0, cap = 0;
	struct str *names = NULL;
	DIR *dir = opendir(arena_cstr(a, path));
	*ret = NULL;
	if (!dir)
		return 0;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		names = arena_push(a, names, &n, &cap, sizeof *names);
		names[n - 1] = arena_str(a, str_of(e->d_name));
	}
	closedir(dir);
	if (n)
		qsort(names, n, sizeof *names, by_name);
	*ret = names;
	return n;
}

static bool read_all(int fd, char *p, size_t n, size_t *got)
{
	for (*got = 0; *got < n;) {
		ssize_t r = read(fd, p + *got, n - *got);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return false;
		if (r == 0)
			break;
		*got += (size_t)r;
	}
	return true;
}

static bool read_file(struct loader *l, struct str path, struct str *ret)
{
	struct yaml_node at = whole_file(path);
	struct stat st;
	int fd = open(arena_cstr(l->a, path), O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && fstat(fd, &st) == 0;
	if (ok && st.st_size > (off_t)LIMIT_YAML_FILE) {
		DIAG(l->d, &at, FILE_LARGE, LIMIT_YAML_FILE);
		close(fd);
		return false;
	}
	size_t got = 0;
	char *p = ok ? arena_alloc(l->a, (size_t)st.st_size + 1) : NULL;
	ok = ok && read_all(fd, p, (size_t)st.st_size, &got);
	if (!ok)
		DIAG(l->d, &at, FILE_READ, strerror(errno));
	if (fd >= 0)
		close(fd);
	*ret = str_from(p, got);
	return ok;
}

static void load_file(struct loader *l, enum folder folder, struct str pack, struct str path)
{
	struct source s = { .pack = pack, .file = path };
	if (!str_ends(path, STR(".yaml"))) {
		struct yaml_node at = whole_file(path);
		DIAG(l->d, &at, FILE_NAME);
		return;
	}
	if (!read_file(l, path, &s.text))
		return;
	s.root = yaml_parse(l->a, path, s.text, l->d);
	if (!s.root)
		return;
	struct sources *all = &l->files[folder];
	all->v = arena_push(l->a, all->v, &all->n, &all->cap, sizeof *all->v);
	all->v[all->n - 1] = s;
}

static bool is_pack(struct arena *a, struct str dir)
{
	for (size_t f = 0; f < FOLDERS; f++)
		if (is_folder(join(a, dir, folder_names[f]).p))
			return true;
	return false;
}

static void load_pack(struct loader *l, struct str dir, struct str name)
{
	struct str *names, *files;
	size_t n = list_folder(l->a, dir, &names);
	l->packs++;
	for (size_t i = 0; i < n; i++) {
		struct str path = join(l->a, dir, names[i]);
		if (!is_folder(path.p))
			continue;
		size_t f = 0;
		while (f < FOLDERS && !str_eq(folder_names[f], names[i]))
			f++;
		size_t nfiles = f < FOLDERS ? list_folder(l->a, path, &files) : 0;
		for (size_t k = 0; k < nfiles; k++)
			load_file(l, (enum folder)f, name, join(l->a, path, files[k]));
	}
}

// A folder whose name is nearly one of ours was meant to be one.
static void check_folders(struct loader *l, struct str dir)
{
	static const char *const others[] = { "indicators", "demo", "test", "docs", "scores", "exams" };
	struct str *names;
	size_t n = list_folder(l->a, dir, &names);
	for (size_t i = 0; i < n; i++) {
		struct str path = join(l->a, dir, names[i]);
		bool known = !is_folder(path.p);
		for (size_t f = 0; f < FOLDERS; f++)
			known |= str_eq(folder_names[f], names[i]);
		for (size_t f = 0; f < ARRAY_LEN(others); f++)
			known |= str_is(names[i], others[f]);
		struct yaml_node at = whole_file(path);
		if (!known)
			DIAG_NEARBY(l->d, &at, names[i], folder_names, FOLDERS, FOLDER, STR_FMT(names[i]));
	}
}

static void load_packs(struct loader *l, struct str dir)
{
	struct str *names, last = dir;
	struct yaml_node at = whole_file(dir);
	while (last.n && last.p[last.n - 1] == '/')
		last.n--;
	for (size_t i = last.n; i > 0; i--)
		if (last.p[i - 1] == '/') {
			last = str_skip(last, i);
			break;
		}
	if (is_pack(l->a, dir)) {
		load_pack(l, dir, arena_str(l->a, last));
		check_folders(l, dir);
		return;
	}
	size_t n = list_folder(l->a, dir, &names);
	for (size_t i = 0; i < n; i++) {
		struct str path = join(l->a, dir, names[i]);
		if (!is_pack(l->a, path))
			continue;
		load_pack(l, path, names[i]);
		check_folders(l, path);
	}
	if (l->packs == 0)
		DIAG(l->d, &at, NO_PACK);
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

static void check_simple(struct check *c, struct loader *l)
{
	struct registry *r = c->reg;
	r->menus = arena_many(c->a, l->files[MENUS].n + 1, struct menu);
	r->roles = arena_many(c->a, l->files[ROLES].n, struct role);
	r->kinds = arena_many(c->a, l->files[POINTS].n, struct point_kind);
	for (size_t i = 0; i < l->files[MENUS].n; i++)
		check_menu(c, &l->files[MENUS].v[i]);
	for (size_t i = 0; i < l->files[ROLES].n; i++)
		check_role(c, &l->files[ROLES].v[i]);
	for (size_t i = 0; i < l->files[POINTS].n; i++)
		check_kind(c, &l->files[POINTS].v[i]);
	add_kind_menu(c);
	c->menu_names = names_of(c, r->menus, r->nmenus, sizeof *r->menus);
	c->role_names = names_of(c, r->roles, r->nroles, sizeof *r->roles);
}

static void check_types(struct check *c, struct loader *l)
{
	struct registry *r = c->reg;
	r->types = arena_many(c->a, l->files[TYPES].n, struct type);
	c->type_roots = arena_many(c->a, l->files[TYPES].n, const struct yaml_node *);
	for (size_t i = 0; i < l->files[TYPES].n; i++)
		declare_type(c, &l->files[TYPES].v[i]);
	c->type_names = names_of(c, r->types, r->ntypes, sizeof *r->types);
	for (size_t i = 0; i < r->ntypes; i++)
		check_fields(c, &r->types[i], c->type_roots[i]);
	for (size_t i = 0; i < r->ntypes; i++)
		check_type(c, &r->types[i], c->type_roots[i]);
	check_circles(c);
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

enum err registry_load(struct registry **ret, struct str dir, struct diags *d)
{
	static uint64_t generations;
	struct arena *a = arena_new(256 << 10);
	struct registry *r = arena_one(a, struct registry);
	struct loader l = { .a = a, .d = d };
	struct check c = { .reg = r, .a = a, .d = d };
	size_t before = d->n;
	r->arena = a;
	load_packs(&l, arena_str(a, dir));
	check_simple(&c, &l);
	check_types(&c, &l);
	keep_rules(&c, &l);
	r->generation = __atomic_add_fetch(&generations, 1, __ATOMIC_RELAXED);
	*ret = r;
	if (d->n == before)
		return OK;
	diags_sort(d);
	registry_free(r);
	*ret = NULL;
	return ERR_INVALID;
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

const struct menu *registry_menu(const struct registry *r, struct str name)
{
	FIND(r->menus, r->nmenus, name);
}

const struct field *type_field(const struct type *t, struct str name)
{
	FIND(t->fields, t->nfields, name);
}

const struct state *type_state(const struct type *t, struct str name)
{
	FIND(t->states, t->nstates, name);
}

const struct move *type_move(const struct type *t, struct str name)
{
	FIND(t->moves, t->nmoves, name);
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
