// Reads the data tables of the packs from disk: at the start of the server, and for each `anlan calc`. The only file of risk/ that
// touches the world.
#include "base/buf.h"
#include "risk/table.h"

#include <dirent.h>
#include <stdio.h>

#define TABLE_BYTES_MAX (4u << 20)

static bool read_all(const char *path, struct buf *b)
{
	FILE *f = fopen(path, "rb");
	bool ok = f != NULL;
	for (size_t n = 1; ok && n > 0;) {
		char *room = buf_room(b, 1 << 16);
		n = room ? fread(room, 1, 1 << 16, f) : 0;
		ok = room && !ferror(f);
		if (n) {
			buf_commit(b, n);
		}
	}
	if (f) {
		fclose(f);
	}
	return ok;
}

static bool load_table(struct arena *a, struct str path, struct str name, struct risk_tables *t, struct str *ret_wrong)
{
	struct buf b;
	unsigned line = 0;
	buf_init(&b, TABLE_BYTES_MAX);
	t->v = arena_push(a, t->v, &t->n, &t->cap, sizeof *t->v);
	bool ok = read_all(path.p, &b) && risk_table_parse(a, name, arena_str(a, buf_str(&b)), &t->v[t->n - 1], &line);
	if (!ok) {
		*ret_wrong = arena_printf(a, "%.*s:%u", STR_FMT(path), line);
	}
	buf_free(&b);
	return ok;
}

static bool load_folder(struct arena *a, struct str folder, struct risk_tables *t, struct str *ret_wrong)
{
	DIR *d = opendir(folder.p);
	bool ok = true;
	for (struct dirent *e; ok && d && (e = readdir(d)) != NULL;) {
		struct str name = str_of(e->d_name);
		if (str_ends(name, STR(".csv")) && e->d_name[0] != '.') {
			struct str path = arena_printf(a, "%.*s/%s", STR_FMT(folder), e->d_name);
			ok = load_table(a, path, str_first(name, name.n - 4), t, ret_wrong);
		}
	}
	if (d) {
		closedir(d);
	}
	return ok;
}

bool risk_tables_load(struct arena *a, const char *packs, struct risk_tables *ret, struct str *ret_wrong)
{
	DIR *d = opendir(packs);
	bool ok = true;
	*ret = (struct risk_tables){ 0 };
	for (struct dirent *e; ok && d && (e = readdir(d)) != NULL;) {
		if (e->d_name[0] != '.') {
			ok = load_folder(a, arena_printf(a, "%s/%s/tables", packs, e->d_name), ret, ret_wrong);
		}
	}
	if (d) {
		closedir(d);
	}
	return ok;
}
