// The demo county: reads the packs' data files, runs the one store job, writes the two files for simulator and map.
#include "tool/demo_int.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"

const char *demo_text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));
	return s ? s : "";
}

double demo_number(const json_t *object, const char *key, double fallback)
{
	const json_t *v = json_object_get(object, key);
	return json_is_number(v) ? json_number_value(v) : fallback;
}

double demo_jitter(const char *text)
{
	uint64_t h = UINT64_C(1469598103934665603); // FNV-1a, then a finaliser: neighbours in name are not neighbours in value
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	return (double)(h >> 11) / (double)(UINT64_C(1) << 52) - 1;
}

void demo_day(int64_t us, char ret[11])
{
	struct civil c = time_to_civil(us, time_zone());
	snprintf(ret, 11, "%04u-%02u-%02u", (unsigned)c.year % 10000, (unsigned)c.month % 100, (unsigned)c.day % 100);
}

void demo_device_code(const char *protocol, const char *plant, const char *key, unsigned n, char ret[64])
{
	if (strcmp(protocol, "hj212") == 0)
		snprintf(ret, 64, "990121A0000000000000%04X", n & 0xffff);
	else if (strcmp(protocol, "gb26875") == 0)
		snprintf(ret, 64, "990121%06x", n & 0xffffff);
	else
		snprintf(ret, 64, "%s-%s", plant, key);
}

static int dump_part(const char *text, size_t n, void *buf)
{
	buf_add(buf, text, n);
	return buf_ok(buf) ? 0 : -1;
}

static bool demo_dump(const json_t *j, struct buf *out)
{
	return j && json_dump_callback(j, dump_part, out, JSON_COMPACT | JSON_REAL_PRECISION(9)) == 0;
}

enum err demo_create(struct demo *d, const char *type, json_t *body, int64_t *ret_id)
{
	const struct type *t = registry_type(d->reg, str_of(type));
	struct problem p;
	int64_t id = 0;
	arena_reset(d->scratch);
	problem_init(&p, d->scratch);
	enum err err = body ? OK : problem_set(&p, ERR_INVALID, "", "数据文件的内容不合格式", "the data file is not of the expected form");
	if (!err && !t)
		err = problem_set(&p, ERR_INVALID, "", "业务包缺少类型 %s", "the packs lack the type %s", type);
	if (!err)
		err = flow_create(d->db, d->reg, t, body, &d->system, d->scratch, &id, &p);
	if (err) {
		struct buf text;
		buf_init(&text, DEMO_MAX_FILE);
		demo_dump(body, &text);
		(void)problem_set(d->p, err, "", "演示数据 %s：%.*s（%.*s）", "demo data, %s: %.*s (%.*s)", type, STR_FMT(p.zh),
		                  (int)MIN(text.n, (size_t)200), text.n ? text.p : "");
		buf_free(&text);
	}
	json_decref(body);
	if (ret_id)
		*ret_id = id;
	return err;
}

enum err demo_is_filled(struct db *db, const struct registry *reg, int64_t *ret_people)
{
	const struct type *t = registry_type(reg, STR("person"));
	struct arena *a on_scope_exit(arena_freep) = arena_new(4096);
	struct problem p;
	struct row *rows;
	size_t n;
	*ret_people = 0;
	problem_init(&p, a);
	struct list_query lq = { .limit = 1, .with_retired = true };
	return t ? records_list(db, &t->table, NULL, &lq, a, &rows, &n, ret_people, &p) : OK;
}

// ---- files in ----------------------------------------------------------------------------------

static enum err load(struct demo *d, const char *path, json_t **ret)
{
	json_error_t e;
	*ret = json_load_file(path, JSON_REJECT_DUPLICATES, &e);
	return *ret ? OK : problem_set(d->p, ERR_INVALID, "", "%s 第 %d 行：%s", "%s line %d: %s", path, e.line, e.text);
}

// The packs the registry was read from: the folder three above PACKS/core/types/area.yaml.
static enum err packs_dir(struct demo *d, char *ret, size_t n)
{
	const struct type *t = registry_type(d->reg, STR("area"));
	struct str file = t ? t->file : STR_EMPTY;
	for (int up = 0; up < 3; up++) {
		while (file.n && file.p[file.n - 1] != '/')
			file.n--;
		file.n -= file.n > 0;
	}
	snprintf(ret, n, "%.*s", STR_FMT(file));
	return t ? OK : problem_set(d->p, ERR_INVALID, "", "业务包缺少类型 area", "the packs lack the type area");
}

static enum err load_all(struct demo *d)
{
	static const struct { const char *name; size_t at; } files[] = {
		{ "areas", offsetof(struct demo, areas) },
		{ "map", offsetof(struct demo, map) },
		{ "people", offsetof(struct demo, people) },
		{ "enterprises", offsetof(struct demo, enterprises) },
	};
	char packs[2048], path[4096];
	enum err err = packs_dir(d, packs, sizeof packs);
	for (size_t i = 0; i < ARRAY_LEN(files) && !err; i++) {
		snprintf(path, sizeof path, "%s/core/demo/%s.json", packs, files[i].name);
		err = load(d, path, (json_t **)(void *)((char *)d + files[i].at));
	}
	glob_t g;
	snprintf(path, sizeof path, "%s/*/demo/plants.json", packs);
	if (!err && glob(path, 0, NULL, &g) == 0) {
		for (size_t i = 0; i < g.gl_pathc && d->nplants < DEMO_PLANT_FILES && !err; i++)
			err = load(d, g.gl_pathv[i], &d->plants[d->nplants++]);
		globfree(&g);
	}
	snprintf(path, sizeof path, "%s/*/demo/records.json", packs);
	if (!err && glob(path, 0, NULL, &g) == 0) {
		for (size_t i = 0; i < g.gl_pathc && d->nrecord_files < DEMO_RECORD_FILES && !err; i++) {
			size_t k = d->nrecord_files++;
			size_t len = strlen(g.gl_pathv[i]) + 1;
			d->record_files[k].path = memcpy(mem_alloc(len), g.gl_pathv[i], len);
			err = load(d, g.gl_pathv[i], &d->record_files[k].json);
		}
		globfree(&g);
	}
	return err;
}

static void unload(struct demo *d)
{
	json_decref(d->areas);
	json_decref(d->map);
	json_decref(d->people);
	json_decref(d->enterprises);
	for (size_t i = 0; i < d->nplants; i++)
		json_decref(d->plants[i]);
	for (size_t i = 0; i < d->nrecord_files; i++) {
		mem_free(d->record_files[i].path);
		json_decref(d->record_files[i].json);
	}
	json_decref(d->org_ids);
	json_decref(d->person_ids);
}

// ---- files out ---------------------------------------------------------------------------------

static enum err write_file(const char *dir, const char *name, struct str text, struct problem *p)
{
	char path[4096], temp[4096];
	snprintf(path, sizeof path, "%s/demo", dir);
	(void)mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/demo/%s", dir, name);
	snprintf(temp, sizeof temp, "%s/demo/.%s", dir, name);
	int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok = fd >= 0;
	while (ok && text.n) {
		ssize_t n = write(fd, text.p, text.n);
		ok = n > 0;
		text = str_skip(text, n > 0 ? (size_t)n : 0);
	}
	ok = ok && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	ok = ok && rename(temp, path) == 0;
	return ok ? OK : problem_set(p, errno == ENOSPC ? ERR_FULL : ERR_IO, "", "写不了 %s", "cannot write %s", path);
}

static const char *area_color(const char *tier, size_t n)
{
	static const char *const towns[] = { "yellow", "orange", "blue", "blue", "yellow" };
	return strcmp(tier, "zone") == 0 ? "red" : towns[n % ARRAY_LEN(towns)];
}

// {bounds, areas: [{code, name, tier, color, geometry}], layers}
static json_t *map_json(const struct demo *d)
{
	json_t *areas = json_array(), *a;
	size_t i, towns = 0;
	json_array_foreach(json_object_get(d->areas, "areas"), i, a) {
		const char *tier = demo_text(a, "tier");
		json_t *shape = json_object_get(a, "shape");
		if (!json_is_object(shape))
			continue;
		bool town = strcmp(tier, "town") == 0 || strcmp(tier, "zone") == 0;
		json_array_append_new(areas, json_pack("{s:s,s:s,s:s,s:s,s:O}", "code", demo_text(a, "code"), "name", demo_text(a, "name"),
		                                       "tier", tier, "color", town ? area_color(tier, towns++) : "", "geometry", shape));
	}
	return json_pack("{s:O,s:o,s:O}", "bounds", json_object_get(d->map, "bounds"), "areas", areas, "layers",
	                 json_object_get(d->map, "layers"));
}

static enum err write_files(struct demo *d, const char *dir)
{
	struct buf map;
	json_t *j = map_json(d);
	buf_init(&map, DEMO_MAX_FILE);
	enum err err = demo_dump(j, &map) ? write_file(dir, "map.json", buf_str(&map), d->p)
		: problem_set(d->p, ERR_INVALID, "", "areas.json 或 map.json 不合格式", "areas.json or map.json is not of the expected form");
	json_decref(j);
	buf_free(&map);
	if (!err && !buf_ok(d->tsv))
		err = problem_set(d->p, ERR_TOO_LARGE, "", "devices.tsv 太大", "devices.tsv is too large");
	return err ? err : write_file(dir, "devices.tsv", buf_str(d->tsv), d->p);
}

// ---- the job -----------------------------------------------------------------------------------

static enum err fill_job(struct db *db, void *arg, struct problem *p)
{
	struct demo *d = arg;
	d->db = db;
	d->p = p;
	enum err err = demo_people(d);
	if (!err)
		err = demo_enterprises(d);
	if (!err)
		err = demo_records(d);
	return err ? err : demo_history(d);
}

enum err demo_fill(struct store *s, const struct registry *reg, const char *dir, struct problem *p)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(256 << 10);
	struct buf tsv;
	buf_init(&tsv, DEMO_MAX_FILE);
	struct demo d = { .reg = reg, .scratch = a, .p = p, .system = identity_system(), .now = clock_now(), .org_ids = json_object(),
		          .person_ids = json_object(), .tsv = &tsv };
	buf_add_cstr(&tsv, "# Devices of the invented demo county, for anlan-sim; sim/devices.h describes the columns. Keys: keep it secret.\n");
	int64_t start = clock_mono();
	enum err err = load_all(&d);
	if (!err)
		err = store_write(s, fill_job, &d, p);
	d.p = p;
	if (!err)
		err = write_files(&d, dir);
	if (!err)
		log_info("demo", "%u devices and %u points put in within %lld ms", d.devices, d.points,
		         (long long)((clock_mono() - start) / US_PER_MS));
	unload(&d);
	buf_free(&tsv);
	return err;
}
