// The county of `anlan bench records`: enterprises and rows of one type, written through the store in big jobs. What flow/ adds
// (audit, notices) is left out here and measured with the changes.
#include "tool/bench_rows.h"

#include "base/time.h"
#include "store/records.h"

#define ROWS_A_JOB 4000

static const char *const places[] = { "990121101000", "990121102000", "990121103000", "990121104000", "990121105000", "990121401000" };
static const char *const sectors[] = { "chemical", "ammonia", "dust", "tailings", "metal", "fire", "general" };
static const char *const names[] = { "恒沣", "泰澄", "利民", "嘉禾源", "百川", "联胜", "康宸", "鑫淼", "瑞祥", "东岳", "宏图", "永固", "江海", "金穗", "明远", "长风" };
static const char *const trades[] = { "化工", "仓储", "冷链", "木业", "铸造", "涂料", "纺织", "食品", "机械", "建材", "商贸", "物流" };
static const char *const parts[] = { "储罐区", "装卸台", "反应釜", "配电室", "冷库", "除尘系统", "尾矿坝", "熔炼炉", "疏散通道", "有限空间", "氨机房", "锅炉房",
	                                 "危化品库", "污水池", "空压站", "消防泵房", "厂区道路", "办公楼", "化验室", "叉车通道" };
static const char *const things[] = { "可燃气体报警器", "安全阀", "压力表", "液位计", "防护栏", "静电接地", "灭火器", "应急照明", "警示标识", "联锁装置", "防爆电气",
	                                  "泄压装置", "喷淋系统", "操作规程", "特种作业证", "检维修票证", "洗眼器", "阻火器", "排风机", "管道法兰" };
static const char *const faults[] = { "未定期校验", "已失效", "安装位置不符合规范", "被遮挡", "锈蚀严重", "渗漏", "未投用", "缺失", "超期未检", "与图纸不一致",
	                                  "接线松动", "无人值守", "记录不全", "未张贴", "参数设置错误" };
static const char *const states[] = { "closed", "closed", "closed", "closed", "found", "assigned", "fixing", "checking" };

struct making {
	const struct registry *reg;
	const struct type *t;
	int64_t from, to;       // ids of this job
	int64_t now;
	uint64_t random;
	struct arena *a;
};

static uint64_t next(struct making *m)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return m->random >> 11;
}
#define ANY(m, v) ((v)[next(m) % ARRAY_LEN(v)])

static void set(const struct table *t, struct value *vals, const char *name, struct value v)
{
	for (size_t i = 0; i < t->ncols; i++)
		if (str_is(t->cols[i].name, name))
			vals[i] = v;
}

static struct value text(struct str s) { return (struct value){ .kind = VAL_TEXT, .s = s }; }
static struct value number(int64_t i) { return (struct value){ .kind = VAL_INT, .i = i }; }

static enum err job_tables(struct db *db, void *arg, struct problem *p)
{
	const struct making *m = arg;
	return registry_make_tables(db, m->reg, p);
}

static enum err job_enterprises(struct db *db, void *arg, struct problem *p)
{
	struct making *m = arg;
	const struct type *t = registry_type(m->reg, STR("enterprise"));
	enum err err = t ? OK : ERR_NOT_FOUND;
	for (int64_t id = m->from; !err && id <= m->to; id++) {
		struct str name = arena_printf(m->a, "安澜%s%s有限公司%lld", ANY(m, names), ANY(m, trades), (long long)id);
		struct value *vals = arena_many(m->a, t->table.ncols, struct value);
		set(&t->table, vals, "name", text(name));
		struct common c = { .id = id, .number = STR_EMPTY, .state = STR_EMPTY, .area = str_of(places[(size_t)id % ARRAY_LEN(places)]),
			                .title = name, .enterprise = id, .version = 1, .created_at = m->now, .changed_at = m->now,
			                .sector = str_of(sectors[(size_t)id % ARRAY_LEN(sectors)]), .prev_state = STR_EMPTY };
		err = records_insert(db, &t->table, &c, vals, p);
	}
	return err;
}

static struct value any_item(struct making *m, const char *field)
{
	const struct field *f = type_field(m->t, str_of(field));
	return f && f->menu && f->menu->nitems ? text(f->menu->items[next(m) % f->menu->nitems].value) : (struct value){ .kind = VAL_NULL };
}

static struct common any_common(struct making *m, int64_t id)
{
	int64_t enterprise = 1 + (int64_t)(next(m) % BENCH_ENTERPRISES);
	int64_t at = m->now - (int64_t)(next(m) % 1095) * US_PER_DAY - (int64_t)(next(m) % 86400) * US_PER_S;
	struct str state = str_of(ANY(m, states));
	bool open = !str_is(state, "closed");
	return (struct common){
		.id = id,
		.number = arena_printf(m->a, "YH-%d-%07lld", time_to_civil(at, time_zone()).year, (long long)id),
		.state = m->t->nstates ? type_state(m->t, state) ? state : m->t->states[0].name : STR_EMPTY,
		.area = str_of(places[(size_t)enterprise % ARRAY_LEN(places)]),
		.sector = str_of(sectors[(size_t)enterprise % ARRAY_LEN(sectors)]),
		.title = arena_printf(m->a, "%llu号%s%s%s", (unsigned long long)(1 + next(m) % 30), ANY(m, parts), ANY(m, things), ANY(m, faults)),
		.enterprise = enterprise, .thread = id, .version = 1, .created_at = at, .changed_at = at, .state_at = at,
		.deadline = open ? m->now + (int64_t)(1 + next(m) % 30) * US_PER_DAY : 0, .prev_state = STR_EMPTY,
	};
}

static enum err job_rows(struct db *db, void *arg, struct problem *p)
{
	struct making *m = arg;
	const struct table *t = &m->t->table;
	enum err err = OK;
	for (int64_t id = m->from; !err && id <= m->to; id++) {
		struct common c = any_common(m, id);
		struct value *vals = arena_many(m->a, t->ncols, struct value);
		set(t, vals, "level", any_item(m, "level"));
		set(t, vals, "source", any_item(m, "source"));
		set(t, vals, "place", text(str_of(ANY(m, parts))));
		set(t, vals, "found", number(c.created_at));
		set(t, vals, "content", text(arena_printf(m->a, "检查发现%s的%s%s，%s%s，应当整改。", ANY(m, parts), ANY(m, things), ANY(m, faults),
		                                          ANY(m, things), ANY(m, faults))));
		set(t, vals, "position_lon", (struct value){ .kind = VAL_REAL, .f = 119 + (double)(next(m) % 100000) / 500000 });
		set(t, vals, "position_lat", (struct value){ .kind = VAL_REAL, .f = 33 + (double)(next(m) % 100000) / 500000 });
		if (id % 2)
			set(t, vals, "origin", text(origin_text(STR("self_check"), 1 + id % 5000, m->a)));
		if (next(m) % 3)
			set(t, vals, "cost", number((int64_t)(next(m) % 100000) * 100));
		err = records_insert(db, t, &c, vals, p);
	}
	return err;
}

static enum err last_row(struct store *s, const struct table *t, int64_t *ret)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct problem p;
	struct row *rows;
	size_t n = 0;
	problem_init(&p, a);
	struct db *db = store_read_begin(s);
	enum err err = records_list(db, t, NULL, &(struct list_query){ .limit = 1, .with_retired = true }, a, &rows, &n, NULL, &p);
	store_read_end(s, db);
	*ret = n ? rows[0].c.id : 0;
	return err;
}

static enum err make(struct store *s, struct making *m, const struct table *t, store_job *job, int64_t rows, int64_t *ret_made,
                     struct problem *p)
{
	int64_t have = 0;
	enum err err = last_row(s, t, &have);
	*ret_made = 0;
	for (int64_t id = have + 1; !err && id <= rows; id = m->to + 1) {
		m->from = id;
		m->to = MIN(id + ROWS_A_JOB - 1, rows);
		m->random = UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)id << 1; // the same county every time
		m->a = arena_new(1 << 20);
		problem_init(p, m->a);
		err = store_write(s, job, m, p);
		if (!err)
			arena_free(m->a);
		*ret_made += m->to - m->from + 1;
	}
	return err;
}

enum err bench_rows(struct store *s, const struct registry *reg, const struct type *t, int64_t rows, int64_t *ret_made, struct problem *p)
{
	struct making m = { .reg = reg, .t = t, .now = clock_now() };
	int64_t enterprises;
	enum err err = store_write(s, job_tables, &m, p);
	const struct type *owner = registry_type(reg, STR("enterprise"));
	if (!err && owner)
		err = make(s, &m, &owner->table, job_enterprises, BENCH_ENTERPRISES, &enterprises, p);
	return err ? err : make(s, &m, &t->table, job_rows, rows, ret_made, p);
}
