#include "model/pack_texts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "model/check.h"

// ---- the list ----------------------------------------------------------------------------------
static int text_cmp(const struct pack_text *a, struct str pack, struct str folder, struct str name)
{
	int c = str_cmp(a->pack, pack);
	if (!c)
		c = str_cmp(a->folder, folder);
	return c ? c : str_cmp(a->name, name);
}

static size_t place_of(const struct pack_texts *t, struct str pack, struct str folder, struct str name, bool *ret_there)
{
	size_t lo = 0, hi = t->n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (text_cmp(&t->v[mid], pack, folder, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret_there = lo < t->n && text_cmp(&t->v[lo], pack, folder, name) == 0;
	return lo;
}

static void put(struct pack_texts *t, const struct pack_text *one)
{
	bool there;
	size_t at = place_of(t, one->pack, one->folder, one->name, &there);
	bool out = str_trim(one->text).n == 0 && one->own;
	if (out && there) {
		memmove(t->v + at, t->v + at + 1, (--t->n - at) * sizeof *t->v);
	} else if (there) {
		t->v[at] = *one;
	} else if (!out) {
		t->v = arena_push(t->arena, t->v, &t->n, &t->cap, sizeof *t->v);
		memmove(t->v + at + 1, t->v + at, (t->n - 1 - at) * sizeof *t->v);
		t->v[at] = *one;
	}
}

static void path_parts(struct str path, struct str *pack, struct str *folder, struct str *name)
{
	*pack = str_cut(&path, '/');
	*folder = str_cut(&path, '/');
	*name = path;
}

void pack_texts_put(struct pack_texts *t, struct str path, struct str text, bool own)
{
	struct pack_text one = { .file = arena_str(t->arena, path), .text = text, .own = own };
	path_parts(one.file, &one.pack, &one.folder, &one.name);
	put(t, &one);
}

const struct pack_text *pack_texts_find(const struct pack_texts *t, struct str path)
{
	struct str pack, folder, name;
	bool there;
	path_parts(path, &pack, &folder, &name);
	size_t at = place_of(t, pack, folder, name, &there);
	return there ? &t->v[at] : NULL;
}

struct str pack_text_path(const struct pack_text *t, struct arena *a)
{
	return arena_printf(a, "%.*s/%.*s/%.*s", STR_FMT(t->pack), STR_FMT(t->folder), STR_FMT(t->name));
}

bool pack_path_ok(struct str path)
{
	struct str pack, folder, name;
	path_parts(path, &pack, &folder, &name);
	if (!name_ok(pack) || !pack_folder_known(folder) || !str_ends(name, STR(".yaml")))
		return false;
	name.n -= 5;
	return name_ok(name);
}

void pack_texts_digest(const struct pack_texts *t, uint8_t ret[SM3_LEN])
{
	struct sm3 h;
	sm3_init(&h);
	for (size_t i = 0; i < t->n; i++) {
		sm3_add_str(&h, t->v[i].pack);
		sm3_add_str(&h, t->v[i].folder);
		sm3_add_str(&h, t->v[i].name);
		sm3_add_str(&h, t->v[i].text);
	}
	sm3_end(&h, ret);
}

bool pack_texts_same(const struct pack_texts *a, const struct pack_texts *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct pack_text *x = &a->v[i], *y = &b->v[i];
		if (text_cmp(x, y->pack, y->folder, y->name) || x->own != y->own || !str_eq(x->text, y->text))
			return false;
	}
	return true;
}

// ---- reading folders ---------------------------------------------------------------------------
struct reader {
	struct pack_texts *t;
	struct arena *a;
	struct diags *d;            // never NULL here
	bool own;
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

static bool read_file(struct reader *r, struct str path, struct str *ret)
{
	struct yaml_node at = whole_file(path);
	struct stat st;
	int fd = open(arena_cstr(r->a, path), O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && fstat(fd, &st) == 0;
	if (ok && st.st_size > (off_t)LIMIT_YAML_FILE) {
		DIAG(r->d, &at, FILE_LARGE, LIMIT_YAML_FILE);
		close(fd);
		return false;
	}
	size_t got = 0;
	char *p = ok ? arena_alloc(r->a, (size_t)st.st_size + 1) : NULL;
	ok = ok && read_all(fd, p, (size_t)st.st_size, &got);
	if (!ok)
		DIAG(r->d, &at, FILE_READ, strerror(errno));
	if (fd >= 0)
		close(fd);
	*ret = str_from(p, got);
	return ok;
}

static void take_file(struct reader *r, struct str pack, struct str folder, struct str dir, struct str name)
{
	struct pack_text one = { .pack = pack, .folder = folder, .name = name, .file = join(r->a, dir, name), .own = r->own };
	struct yaml_node at = whole_file(one.file);
	if (r->own && str_ends(name, STR(".part")))
		return; // a write that was cut off
	if (!str_ends(name, STR(".yaml")))
		DIAG(r->d, &at, FILE_NAME);
	else if (read_file(r, one.file, &one.text))
		put(r->t, &one);
}

static bool is_pack(struct arena *a, struct str dir)
{
	struct str *names;
	size_t n = list_folder(a, dir, &names);
	for (size_t i = 0; i < n; i++)
		if (pack_folder_known(names[i]) && is_folder(join(a, dir, names[i]).p))
			return true;
	return false;
}

// A folder whose name is nearly one of ours was meant to be one.
static void check_folder(struct reader *r, struct str path, struct str name)
{
	static const char *const others[] = { "demo", "test", "docs", "scores", "exams", "tables" };
	struct yaml_node at = whole_file(path);
	for (size_t f = 0; f < ARRAY_LEN(others); f++)
		if (str_is(name, others[f]))
			return;
	pack_folder_near(r->d, &at, name);
}

static void read_pack(struct reader *r, struct str dir, struct str pack)
{
	struct str *names, *files;
	size_t n = list_folder(r->a, dir, &names);
	r->packs++;
	for (size_t i = 0; i < n; i++) {
		struct str path = join(r->a, dir, names[i]);
		if (!is_folder(path.p))
			continue;
		if (!pack_folder_known(names[i])) {
			check_folder(r, path, names[i]);
			continue;
		}
		size_t nfiles = list_folder(r->a, path, &files);
		for (size_t k = 0; k < nfiles; k++)
			take_file(r, pack, names[i], path, files[k]);
	}
}

static struct str last_name(struct str dir)
{
	while (dir.n && dir.p[dir.n - 1] == '/')
		dir.n--;
	for (size_t i = dir.n; i > 0; i--)
		if (dir.p[i - 1] == '/')
			return str_skip(dir, i);
	return dir;
}

void pack_texts_read(struct pack_texts *t, struct str dir, bool own, struct diags *d)
{
	struct diags none = { .arena = t->arena };
	struct reader r = { .t = t, .a = t->arena, .d = d ? d : &none, .own = own };
	struct str *names;
	dir = arena_str(r.a, dir);
	struct yaml_node at = whole_file(dir);
	if (is_pack(r.a, dir)) {
		read_pack(&r, dir, arena_str(r.a, last_name(dir)));
		return;
	}
	size_t n = list_folder(r.a, dir, &names);
	for (size_t i = 0; i < n; i++) {
		struct str path = join(r.a, dir, names[i]);
		if (is_pack(r.a, path))
			read_pack(&r, path, names[i]);
	}
	if (r.packs == 0 && !own)
		DIAG(r.d, &at, NO_PACK);
}
