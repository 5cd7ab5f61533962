// The first start of a data folder: someone must be able to log in.
#include "core/core_int.h"

#include "base/hash.h"

struct setup {
	const struct registry *reg;
	const char *password;
	struct arena *arena;
};

static enum err setup_run(struct db *db, void *arg, struct problem *p)
{
	struct setup *s = arg;
	const struct type *t = registry_type(s->reg, STR("person"));
	struct row row;
	if (!t)
		return problem_set(p, ERR_INVALID, NULL, "业务包缺少类型 person", "the packs lack the type person");
	enum err err = records_find(db, &t->table, &(struct scope){ 0 }, STR("login"), (struct value){ .kind = VAL_TEXT, .s = STR("admin") }, s->arena, &row);
	int64_t person = row.c.id;
	if (err == ERR_NOT_FOUND) {
		struct flow_field fields[] = {
			{ "login", { .kind = VAL_TEXT, .s = STR("admin") } },
			{ "name", { .kind = VAL_TEXT, .s = STR("系统管理员") } },
			{ "role", { .kind = VAL_TEXT, .s = STR(",admin,") } },
		};
		err = flow_open(db, s->reg, t, fields, ARRAY_LEN(fields), STR_EMPTY, 0, 0, s->arena, &person, p);
	}
	return err ? err : auth_set_password_in(db, s->reg, person, str_of(s->password), p);
}

enum err setup_first_start(struct core *co, const struct registry *reg, char ret_password[33], struct problem *p)
{
	int64_t n;
	struct db *db = store_read_begin(co->app.store);
	enum err err = auth_count_credentials(db, &n);
	store_read_end(co->app.store, db);
	ret_password[0] = 0;
	if (err || n)
		return err;
	char password[33] = "";
	struct arena *a on_scope_exit(arena_freep) = arena_new(4096);
	struct setup s = { reg, password, a };
	random_text(password, 16);
	err = store_write(co->app.store, setup_run, &s, p);
	if (!err)
		memcpy(ret_password, password, sizeof password);
	return err;
}
