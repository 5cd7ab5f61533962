// Writing and checking county archives. Everything is read in one snapshot of the database.
#include "exchange/archive.h"

#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/jw.h"
#include "base/limits.h"
#include "base/time.h"
#include "exchange/bundle.h"
#include "flow/flow.h"
#include "model/pack_texts.h"
#include "store/audit.h"
#include "store/dump.h"

#define PATH_TEXT 4352

struct writing {
	struct bundle *b;
	struct db *db;
	struct arena *arena;
	struct registry *reg;
	struct problem *p;
	struct archive_report *r;
	json_t *tables, *left_out;
};

static const char readme[] =
	"安澜县级归档 / Anlan county archive, version 1\n"
	"\n"
	"这是一个 zip 文件，不用安澜也能读：全部是 UTF-8 文本（files/ 下是上传的原件）。\n"
	"This is a zip file that can be read without Anlan: everything is UTF-8 text (files/ holds what was uploaded).\n"
	"\n"
	"manifest.json        每个成员的大小和 SM3（GB/T 32905-2016，十六进制）；行数；审计链的长度和末尾哈希\n"
	"                     size and SM3 of every member, rows of each table, length and last hash of the audit chain\n"
	"types/T.zh.json      类型 T 的说明：字段、名称、单位、菜单、状态、步骤（T.en.json 为英文）\n"
	"                     what type T is: fields, labels, units, menus, states, moves (T.en.json in English)\n"
	"records/T.ndjson     类型 T 的记录，每行一个 JSON 对象 / records of type T, a JSON object a line\n"
	"tables/X.ndjson      其他表：alarm 报警、alarm_journal 报警经过、audit 审计链、file 文件、comment 意见……\n"
	"                     other tables: alarms and their journal, the audit chain, files, comments …\n"
	"packs/               归档时有效的业务包 / the packs in force when the archive was made\n"
	"files/ab/cdef…       上传的文件，名称是内容的 SM3；名称、类型见 tables/file.ndjson\n"
	"                     uploaded files, named by the SM3 of their content; tables/file.ndjson says what they are\n"
	"readings/YYYY-MM.csv 监测数据（若有）：测点记录号、测点代码、时间、值、质量（0 好）\n"
	"                     readings (if asked for): record id and code of the point, time, value, quality (0 good)\n"
	"\n"
	"记录中的值 / values of records:\n"
	"  时间 time          自 1970-01-01 UTC 起的微秒，0 = 无 / microseconds since 1970-01-01 UTC, 0 = none\n"
	"  日期 date          YYYY-MM-DD\n"
	"  金额 money         分（1/100 元）/ fen, 1/100 yuan\n"
	"  是否 bool          1, 0\n"
	"  菜单 menu          菜单值；多选为 “,a,b,” / the item's value; several as \",a,b,\"\n"
	"  引用 ref           被引用记录的 id；多个为 “,1,2,” / id of the record referred to; several as \",1,2,\"\n"
	"  位置 position      NAME_lon、NAME_lat，CGCS2000 经纬度（度）/ degrees, CGCS2000\n"
	"  图形 shape         GeoJSON；表格 rows：JSON / GeoJSON; tables of rows: JSON\n"
	"  null               未填 / not filled in\n"
	"  {\"hex\": \"…\"}      二进制 / bytes\n"
	"  公共列 common      id, number 编号, state 状态, area 区划, enterprise 企业 id, thread 线索, version 版本,\n"
	"                     created_at/by, changed_at/by, deadline 时限, retired 1 = 已停用, title 标题, batch 导入批次\n"
	"\n"
	"审计链 / audit chain: hash(n) = SM3(hash(n-1) ‖ seq ‖ at ‖ actor ‖ record ‖ actor_name ‖ action ‖ type ‖ detail)\n"
	"  整数为 8 字节小端；文字前为 4 字节小端长度；hash(0) 为 32 个零字节。\n"
	"  integers as 8 bytes little-endian, texts with their length as 4 bytes little-endian in front, hash(0) = 32 zero bytes.\n"
	"\n"
	"不含口令、密钥、会话和令牌；恢复后用 anlan user passwd 设置口令。含个人信息，请妥善保管。\n"
	"No passwords, keys, sessions or tokens are in it; set passwords with `anlan user passwd` after restoring.\n"
	"It holds personal data: keep it safe.\n"
	"\n"
	"校验 / check:    anlan archive --check FILE\n"
	"恢复 / restore:  anlan restore FILE --data DIR\n";

// ---- members -----------------------------------------------------------------------------------

static enum err add_text(struct writing *w, const char *name, struct str text)
{
	enum err err = bundle_member(w->b, name, w->p);
	if (!err)
		err = bundle_add(w->b, text);
	if (!err)
		err = bundle_member_end(w->b, w->p);
	return err;
}

static enum err add_line(void *arg, struct str line)
{
	struct writing *w = arg;
	enum err err = bundle_add(w->b, line);
	return err ? err : bundle_add(w->b, STR("\n"));
}

static enum err add_table(struct writing *w, const struct dump_table *t)
{
	int64_t rows = 0;
	bool records = t->kind == DUMP_RECORDS;
	struct str plain = records ? str_skip(t->name, 2) : t->name;
	const char *name = arena_cstr(w->arena, arena_printf(w->arena, "%s/%.*s.ndjson", records ? "records" : "tables", STR_FMT(plain)));
	enum err err = bundle_member(w->b, name, w->p);
	if (!err)
		err = dump_rows(w->db, t->name, add_line, w, &rows);
	if (!err)
		err = bundle_member_end(w->b, w->p);
	if (err)
		return problem_set(w->p, err, "", "表 %s 读不出来", "table %s cannot be read", arena_cstr(w->arena, t->name));
	json_array_append_new(w->tables, json_pack("{s:s, s:s, s:I, s:b}", "table", arena_cstr(w->arena, t->name), "member", name, "rows", (json_int_t)rows,
	                                           "type", records && registry_type(w->reg, plain) != NULL));
	w->r->rows += rows;
	return OK;
}

static enum err add_tables(struct writing *w)
{
	struct dump_table *v;
	size_t n;
	enum err err = dump_tables(w->db, w->arena, &v, &n);
	for (size_t i = 0; !err && i < n; i++) {
		if (v[i].kind == DUMP_RECORDS || v[i].kind == DUMP_OPEN)
			err = add_table(w, &v[i]);
		else if (v[i].kind != DUMP_OWN)
			json_array_append_new(w->left_out, json_string(arena_cstr(w->arena, v[i].name)));
	}
	return err;
}

// ---- packs and types ---------------------------------------------------------------------------

static enum err read_packs(struct writing *w)
{
	struct query q;
	struct diags d = { .arena = w->arena };
	struct pack_texts t = { .arena = w->arena };
	enum err err = OK;
	query_begin(&q, w->db, STMT_CONFIG_TEXTS);
	while (query_row(&q))
		pack_texts_put(&t, query_get_str(&q, 0, w->arena), query_get_str(&q, 1, w->arena), query_get_i64(&q, 2) != 0);
	err = query_end(&q);
	if (!err && t.n == 0)
		return problem_set(w->p, ERR_NOT_FOUND, "", "数据目录里没有业务包：先启动一次服务", "there are no packs in the data folder: start the server once");
	if (!err)
		err = registry_load_texts(&w->reg, &t, &d);
	if (err)
		return problem_set(w->p, err, "", "数据目录里的业务包有错误", "the packs in the data folder have mistakes");
	for (size_t i = 0; !err && i < t.n; i++) {
		struct str path = pack_text_path(&t.v[i], w->arena);
		err = add_text(w, arena_cstr(w->arena, arena_printf(w->arena, "packs/%.*s", STR_FMT(path))), t.v[i].text);
	}
	return err;
}

static enum err add_type(struct writing *w, const struct type *t, const char *lang)
{
	struct buf b;
	struct jw j;
	struct identity by = identity_system();
	by.lang = str_of(lang);
	buf_init(&b, LIMIT_RESPONSE);
	jw_init(&j, &b);
	type_json(&j, w->reg, t, &by, true);
	const char *name = arena_cstr(w->arena, arena_printf(w->arena, "types/%.*s.%s.json", STR_FMT(t->name), lang));
	enum err err = jw_done(&j) ? add_text(w, name, buf_str(&b)) : ERR_TOO_LARGE;
	buf_free(&b);
	return err;
}

// ---- the whole ---------------------------------------------------------------------------------

static bool half_written(struct str path)
{
	return str_is(path, "tmp");
}

static enum err add_files(struct writing *w, const char *data_dir)
{
	char path[PATH_TEXT];
	snprintf(path, sizeof path, "%s/files", data_dir);
	enum err err = bundle_tree(w->b, "files/", path, half_written, w->p);
	snprintf(path, sizeof path, "%s/map.json", data_dir);
	if (!err)
		err = bundle_copy(w->b, "map.json", path, w->p);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err add_all(struct writing *w, const char *data_dir, bool readings)
{
	enum err err = add_text(w, "README.txt", str_of(readme));
	if (!err)
		err = audit_verify(w->db, w->p, &w->r->audit_count, w->r->audit_hash);
	if (!err)
		err = read_packs(w);
	for (size_t i = 0; !err && i < w->reg->ntypes; i++) {
		err = add_type(w, &w->reg->types[i], "zh");
		if (!err)
			err = add_type(w, &w->reg->types[i], "en");
	}
	if (!err)
		err = add_tables(w);
	if (!err)
		err = add_files(w, data_dir);
	if (!err && readings)
		err = readings_write(w->b, data_dir, w->db, w->reg, &w->r->readings, w->p);
	return err;
}

static void fill_manifest(struct writing *w, const char *program, bool readings)
{
	char text[TIME_TEXT_MAX];
	json_t *m = bundle_manifest(w->b);
	json_object_set_new(m, "kind", json_string("archive"));
	json_object_set_new(m, "version", json_integer(1));
	json_object_set_new(m, "program", json_string(program));
	json_object_set_new(m, "made_at", json_stringn(text, time_text(clock_now(), text)));
	json_object_set_new(m, "audit", json_pack("{s:I, s:s}", "count", (json_int_t)w->r->audit_count, "hash", w->r->audit_hash));
	json_object_set_new(m, "readings", json_boolean(readings));
	json_object_set(m, "tables", w->tables);
	json_object_set(m, "left_out", w->left_out);
}

static enum err write_snapshot(struct store *s, const char *data_dir, const char *file, bool readings, const char *program,
                               struct archive_report *ret, struct problem *p)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct writing w = { .arena = a, .p = p, .r = ret, .tables = json_array(), .left_out = json_array() };
	enum err err = bundle_begin(&w.b, file, p);
	w.db = store_read_begin(s);
	if (!err)
		err = add_all(&w, data_dir, readings);
	store_read_end(s, w.db);
	if (!err) {
		fill_manifest(&w, program, readings);
		err = bundle_end(w.b, p);
	}
	if (!err)
		ret->members = (int64_t)json_array_size(json_object_get(bundle_manifest(w.b), "members"));
	bundle_free(w.b);
	registry_free(w.reg);
	json_decref(w.tables);
	json_decref(w.left_out);
	return err;
}

enum err archive_write(const char *data_dir, const char *file, bool readings, const char *program, struct archive_report *ret,
                       struct problem *p)
{
	struct store *s;
	char path[PATH_TEXT];
	*ret = (struct archive_report){ .kind = "archive" };
	snprintf(path, sizeof path, "%s/anlan.db", data_dir);
	if (access(path, F_OK))
		return problem_set(p, ERR_NOT_FOUND, "", "%s 中没有数据库", "there is no database in %s", data_dir);
	enum err err = store_open(&s, data_dir, p);
	if (err)
		return err;
	err = write_snapshot(s, data_dir, file, readings, program, ret, p);
	store_close(s);
	return err;
}
