// `anlan user add|passwd|list`: persons who log in, from the command line, running server or not. Acts as the system
// itself: who can write the data folder may. The password is the first line of standard input, never an argument.
#include <stdio.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/jw.h"
#include "base/time.h"
#include "store/audit.h"
#include "tool/tool.h"

static const char usage[] =
	"用法 / usage:\n       anlan user add NAME --data DIR --role ROLE[,ROLE…] [--area CODE] [--enterprise ID] [--title NAME] [--packs DIR]\n"
	"       anlan user passwd NAME --data DIR [--packs DIR]\n"
	"       anlan user list --data DIR [--packs DIR]\n"
	"密码为标准输入的第一行，在终端上则询问且不显示。忘记密码：user passwd，服务可以在运行。\n"
	"The password is the first line of standard input; at a terminal it is asked for and not shown. A forgotten one: user passwd; the server may be running.";

struct user_tool {
	struct arena *arena;
	struct problem p;
	struct registry *reg;
	struct store *store;
	const struct type *person;
	const char *data, *packs, *role, *area, *enterprise, *title, *name;
	struct str roles;       // ",a,b,"
	struct str area_code, title_text;
	int64_t enterprise_id;
	struct str encoded;
};

// ---- input and output --------------------------------------------------------------------------
static int say(struct user_tool *u, enum err err)
{
	const struct problem *p = &u->p;
	struct str zh = p->zh.n ? p->zh : str_of(err_text(err, true)), en = p->en.n ? p->en : str_of(err_text(err, false));
	fprintf(stderr, "anlan: %.*s / %.*s\n", STR_FMT(zh), STR_FMT(en));
	return 1;
}

// First line of standard input; a terminal does not show it.
static struct str read_password(struct arena *a)
{
	char line[512];
	struct termios old, quiet;
	bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &old) == 0;
	if (terminal) {
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
		fprintf(stderr, "密码 / password: ");
	}
	bool got = fgets(line, sizeof(line), stdin) != NULL;
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		fputc('\n', stderr);
	}
	struct str s = got ? str_of(line) : STR_EMPTY;
	while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
		s.n--;
	return arena_str(a, s);
}

// ---- opening -----------------------------------------------------------------------------------
static enum err load_packs(struct user_tool *u)
{
	struct diags d = { .arena = u->arena };
	enum err err = registry_load(&u->reg, str_of(u->packs), &d);
	for (size_t i = 0; i < d.n; i++)
		fprintf(stderr, "%.*s:%u:%u: %.*s\n", STR_FMT(d.v[i].file), d.v[i].line, d.v[i].col, STR_FMT(d.v[i].text));
	if (err)
		return problem_set(&u->p, err, "", "业务包 %s 有错误", "there are mistakes in the packs %s", u->packs);
	u->person = registry_type(u->reg, STR("person"));
	if (!u->person)
		return problem_set(&u->p, ERR_INVALID, "", "业务包缺少类型 person", "the packs lack the type person");
	return OK;
}

static enum err job_tables(struct db *db, void *arg, struct problem *p)
{
	static const struct str needed[] = { { "person", 6 }, { "area", 4 }, { "enterprise", 10 } };
	struct user_tool *u = arg;
	enum err err = OK;
	for (size_t i = 0; !err && i < ARRAY_LEN(needed); i++) {
		const struct type *t = registry_type(u->reg, needed[i]);
		if (t)
			err = records_migrate(db, &t->table, p);
	}
	return err;
}

static enum err open_data(struct user_tool *u, bool create)
{
	enum err err = load_packs(u);
	if (err)
		return err;
	if (create)
		mkdir(u->data, 0700); // store_open says what is wrong if it cannot be
	else if (access(arena_cstr(u->arena, arena_printf(u->arena, "%s/anlan.db", u->data)), F_OK) != 0)
		return problem_set(&u->p, ERR_NOT_FOUND, "", "%s 中没有数据库", "there is no database in %s", u->data);
	err = store_open(&u->store, u->data, &u->p);
	return err ? err : store_write(u->store, job_tables, u, &u->p);
}

// ---- checks ------------------------------------------------------------------------------------
static enum err check_roles(struct user_tool *u)
{
	struct str rest = str_of(u->role);
	struct identity sys = identity_system();
	u->roles = STR(",");
	while (rest.n) {
		struct str one = str_cut(&rest, ',');
		if (!registry_role(u->reg, one))
			return problem_set(&u->p, ERR_INVALID, "role", "没有角色“%.*s”", "there is no role \"%.*s\"", STR_FMT(one));
		u->roles = arena_printf(u->arena, "%.*s%.*s,", STR_FMT(u->roles), STR_FMT(one));
	}
	return auth_check_person(&sys, NULL, &(struct person_facts){ .roles = u->roles, .area = STR_EMPTY }, &u->p);
}

static bool digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

// The code of an area; where the register of areas is filled, of one that is in it.
static enum err check_area(struct user_tool *u, struct db *db)
{
	if (!u->area)
		return OK;
	u->area_code = str_of(u->area);
	const struct type *t = registry_type(u->reg, STR("area"));
	struct value code = { .kind = VAL_TEXT, .s = u->area_code };
	struct row *rows, row;
	size_t n = 0;
	struct list_query any = { .text = STR_EMPTY, .limit = 1 };
	bool shape = digits(u->area_code) && (u->area_code.n == 6 || u->area_code.n == 9 || u->area_code.n == 12);
	enum err err = t ? records_list(db, &t->table, NULL, &any, u->arena, &rows, &n, NULL, &u->p) : OK;
	if (!err && n)
		err = records_find(db, &t->table, NULL, STR("code"), code, u->arena, &row);
	if (err == ERR_NOT_FOUND || !shape)
		return problem_set(&u->p, ERR_INVALID, "area", "没有区域 %s", "there is no area %s", u->area);
	return err;
}

static enum err check_enterprise(struct user_tool *u, struct db *db)
{
	if (!u->enterprise)
		return OK;
	const struct type *t = registry_type(u->reg, STR("enterprise"));
	struct row row;
	bool number = str_to_i64(str_of(u->enterprise), &u->enterprise_id) && u->enterprise_id > 0;
	enum err err = t && number ? records_get(db, &t->table, NULL, u->enterprise_id, u->arena, &row) : ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND)
		return problem_set(&u->p, ERR_INVALID, "enterprise", "没有企业 %s", "there is no enterprise %s", u->enterprise);
	if (!err && !u->area)
		u->area_code = row.c.area;
	return err;
}

// Without a place these two see no record at all (auth/session.c): legal, but hardly meant.
static void warn_about_place(const struct user_tool *u)
{
	if (str_contains(u->roles, STR(",enterprise,")) && !u->enterprise)
		fprintf(stderr, "anlan: 未指定 --enterprise，此人看不到任何记录 / without --enterprise this person sees no record\n");
	if (str_contains(u->roles, STR(",town,")) && !u->area)
		fprintf(stderr, "anlan: 未指定 --area，此人看不到任何记录 / without --area this person sees no record\n");
}

static enum err check_all(struct user_tool *u)
{
	enum err err = check_roles(u);
	if (err)
		return err;
	warn_about_place(u);
	struct db *db = store_read_begin(u->store);
	err = check_enterprise(u, db);
	if (!err)
		err = check_area(u, db);
	store_read_end(u->store, db);
	return err;
}

// ---- add ---------------------------------------------------------------------------------------
static void set_text(const struct table *t, struct value *vals, const char *column, struct str s)
{
	for (size_t i = 0; i < t->ncols; i++)
		if (str_is(t->cols[i].name, column))
			vals[i] = (struct value){ .kind = VAL_TEXT, .s = s };
}

static struct str created_detail(struct user_tool *u, struct arena *a)
{
	struct buf b;
	struct jw w;
	buf_init(&b, 4096);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kcstr(&w, "login", u->name);
	jw_kstr(&w, "role", u->roles);
	jw_kcstr(&w, "from", "command line");
	jw_end(&w);
	struct str s = jw_done(&w) ? arena_str(a, buf_str(&b)) : STR("{}");
	buf_free(&b);
	return s;
}

static enum err job_add(struct db *db, void *arg, struct problem *p)
{
	struct user_tool *u = arg;
	const struct table *t = &u->person->table;
	struct identity sys = identity_system();
	int64_t now = clock_now();
	struct value *vals = arena_many(p->arena, t->ncols, struct value);
	struct common c = { .title = u->title_text, .area = u->area_code, .enterprise = u->enterprise_id, .version = 1,
		                .type_version = u->person->version, .created_at = now, .changed_at = now, .state_at = now };
	set_text(t, vals, "login", str_of(u->name));
	set_text(t, vals, "name", u->title_text);
	set_text(t, vals, "role", u->roles);
	set_text(t, vals, "lang", STR("zh"));
	enum err err = records_insert(db, t, &c, vals, p);
	if (!err)
		err = audit_add(db, &(struct audit_entry){ .at = now, .actor_name = sys.name, .action = STR("create"),
		                .type = STR("person"), .record = c.id, .detail = created_detail(u, p->arena) });
	return err ? err : auth_put_credential(db, &sys, c.id, u->encoded);
}

static enum err user_add(struct user_tool *u)
{
	enum err err = check_all(u);
	if (err)
		return err;
	u->title_text = str_of(u->title ? u->title : u->name);
	err = auth_encode_password(str_of(u->name), read_password(u->arena), u->arena, &u->encoded, &u->p);
	if (!err)
		err = store_write(u->store, job_add, u, &u->p);
	if (err == ERR_CONFLICT && str_is(u->p.field, "login")) {
		problem_init(&u->p, u->arena);
		return problem_set(&u->p, err, "login", "已有登录名 %s", "there is a login %s already", u->name);
	}
	if (!err)
		printf("已添加 / added: %s\n", u->name);
	return err;
}

// ---- passwd ------------------------------------------------------------------------------------
struct passwd {
	struct user_tool *u;
	int64_t person;
};

static enum err job_passwd(struct db *db, void *arg, struct problem *p)
{
	(void)p;
	const struct passwd *w = arg;
	struct identity sys = identity_system();
	return auth_put_credential(db, &sys, w->person, w->u->encoded);
}

static enum err user_passwd(struct user_tool *u)
{
	struct row row;
	struct value login = { .kind = VAL_TEXT, .s = str_of(u->name) };
	struct db *db = store_read_begin(u->store);
	enum err err = records_find(db, &u->person->table, NULL, STR("login"), login, u->arena, &row);
	store_read_end(u->store, db);
	if (err == ERR_NOT_FOUND)
		return problem_set(&u->p, err, "login", "没有登录名 %s", "there is no login %s", u->name);
	if (!err)
		err = auth_encode_password(str_of(u->name), read_password(u->arena), u->arena, &u->encoded, &u->p);
	if (!err)
		err = store_write(u->store, job_passwd, &(struct passwd){ u, row.c.id }, &u->p);
	if (!err)
		printf("密码已更改 / password changed: %s\n", u->name);
	return err;
}

// ---- list --------------------------------------------------------------------------------------
static struct str text_of(const struct table *t, const struct row *row, const char *column)
{
	for (size_t i = 0; i < t->ncols; i++)
		if (str_is(t->cols[i].name, column) && row->vals[i].kind == VAL_TEXT)
			return row->vals[i].s;
	return STR_EMPTY;
}

static enum err print_person(void *arg, const struct row *row)
{
	const struct user_tool *u = arg;
	const struct table *t = &u->person->table;
	struct str login = text_of(t, row, "login"), roles = text_of(t, row, "role");
	if (roles.n >= 2)
		roles = str_from(roles.p + 1, roles.n - 2);
	printf("%lld\t%.*s\t%.*s\t%.*s\t%.*s\t%lld\t%s\n", (long long)row->c.id, STR_FMT(login), STR_FMT(row->c.title), STR_FMT(roles),
	       STR_FMT(row->c.area), (long long)row->c.enterprise, row->c.retired ? "retired" : "active");
	return OK;
}

static enum err user_list(struct user_tool *u)
{
	struct arena *scratch = arena_new(0);
	struct list_query all = { .text = STR_EMPTY, .with_retired = true };
	printf("id\tlogin\tname\troles\tarea\tenterprise\tstate\n");
	struct db *db = store_read_begin(u->store);
	enum err err = records_each(db, &u->person->table, &all, scratch, print_person, u);
	store_read_end(u->store, db);
	arena_free(scratch);
	return err;
}

// ------------------------------------------------------------------------------------------------
static const struct verb {
	const char *name;
	int nargs;              // with the verb
	bool creates;           // a data folder that is not there yet
	enum err (*run)(struct user_tool *u);
} verbs[] = {
	{ "add", 2, true, user_add },
	{ "passwd", 2, false, user_passwd },
	{ "list", 1, false, user_list },
};

static const struct verb *find_verb(const struct user_tool *u, int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (argc == verbs[i].nargs && strcmp(argv[0], verbs[i].name) == 0 && u->data && (!verbs[i].creates || u->role))
			return &verbs[i];
	return NULL;
}

int tool_user(int argc, char **argv)
{
	struct user_tool u = {
		.data = tool_option(&argc, argv, "--data"),
		.packs = tool_option(&argc, argv, "--packs"),
		.role = tool_option(&argc, argv, "--role"),
		.area = tool_option(&argc, argv, "--area"),
		.enterprise = tool_option(&argc, argv, "--enterprise"),
		.title = tool_option(&argc, argv, "--title"),
		.area_code = STR_EMPTY,
	};
	tool_no_more_options(argc, argv, usage);
	const struct verb *verb = find_verb(&u, argc, argv);
	if (!verb) {
		fprintf(stderr, "%s\n", usage);
		return 2;
	}
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	u.arena = a;
	u.packs = u.packs ? u.packs : tool_packs_dir();
	u.name = argc > 1 ? argv[1] : "";
	problem_init(&u.p, a);
	enum err err = open_data(&u, verb->creates);
	if (!err)
		err = verb->run(&u);
	int status = err ? say(&u, err) : 0;
	store_close(u.store);
	registry_free(u.reg);
	return status;
}
