// Reports of dangers by the public: the one door through which somebody who has not logged in writes. Everything comes in one request of
// bounded size; pictures lose all that is not the picture; who reported is sealed beside the record (flow/seal.c) and blanked in what he
// wrote. His receipt number is computed from the nonce of his page, so that a report sent twice is one report; only its digest is kept.
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "api/api.h"
#include "base/jpeg.h"
#include "base/base64.h"
#include "base/hash.h"
#include "model/held.h"

#define REPORT "danger_report"
#define MERGED_DEPTH 4      // a report merged into one that was merged …
#define NONCE_HEX 32        // 128 bits of the page's random numbers
#define RECEIPT_LETTERS 20  // 100 bits
#define RECEIPT_TEXT (RECEIPT_LETTERS + 3 + 1)
static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // no I L O U: read out and typed without mistake

// ---- the receipt number ------------------------------------------------------------------------
static void receipt_of(struct str nonce, char ret[RECEIPT_TEXT])
{
	uint8_t hash[SM3_LEN];
	struct sm3 h;
	sm3_init(&h);
	sm3_add_str(&h, STR("anlan receipt"));
	sm3_add_str(&h, nonce);
	sm3_end(&h, hash);
	size_t n = 0;
	for (size_t i = 0; i < RECEIPT_LETTERS; i++) {
		if (i && i % 5 == 0)
			ret[n++] = '-';
		ret[n++] = letters[hash[i] % 32];
	}
	ret[n] = 0;
}

// As it is typed: small letters, blanks, O for 0, I and L for 1. Empty if it is none. The digest is in the arena.
static struct str receipt_digest(struct call *c, struct str typed)
{
	char plain[RECEIPT_LETTERS];
	size_t n = 0;
	for (size_t i = 0; i < typed.n; i++) {
		char x = typed.p[i] >= 'a' && typed.p[i] <= 'z' ? (char)(typed.p[i] - 'a' + 'A') : typed.p[i];
		x = x == 'O' ? '0' : x == 'I' || x == 'L' ? '1' : x;
		if (x == '-' || x == ' ')
			continue;
		if (n == RECEIPT_LETTERS || !x || !strchr(letters, x))
			return STR_EMPTY;
		plain[n++] = x;
	}
	uint8_t *hash = arena_alloc(c->arena, SM3_LEN);
	sm3_once(str_from(plain, n), hash);
	return n == RECEIPT_LETTERS ? str_from((const char *)hash, SM3_LEN) : STR_EMPTY;
}

static bool nonce_ok(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return s.n == NONCE_HEX;
}

// ---- who may come in ---------------------------------------------------------------------------
static enum err type_of(struct call *c, const struct type **ret)
{
	*ret = registry_type(c->reg, STR(REPORT));
	return *ret ? OK : call_fail(c, ERR_NOT_FOUND, NULL, "这里没有开通网上举报，请拨打 12350", "reports are not taken here; call 12350");
}

static void become_nobody(struct call *c)
{
	c->id = identity_system();
	c->id.title = STR("举报人");
	c->id.lang = call_is_en(c) ? STR("en") : STR("zh");
}

// ---- the form ----------------------------------------------------------------------------------
static void kinds_json(struct call *c, const struct type *t)
{
	const struct field *f = type_field(t, STR("kind"));
	jw_karr(&c->w, "kinds");
	for (size_t i = 0; f && f->menu && i < f->menu->nitems; i++) {
		jw_obj(&c->w);
		jw_kstr(&c->w, "value", f->menu->items[i].value);
		jw_kstr(&c->w, "label", label_text(c, f->menu->items[i].label));
		jw_end(&c->w);
	}
	jw_end(&c->w);
}

static enum err areas_json(struct call *c)
{
	const struct type *t = registry_type(c->reg, STR("area"));
	struct list_query lq = { .limit = LIMIT_REPORT_AREAS };
	struct row *rows = NULL;
	size_t n = 0;
	int64_t total;
	enum err err = t ? records_list(call_db(c), &t->table, NULL, &lq, c->arena, &rows, &n, &total, &c->p) : OK;
	jw_karr(&c->w, "areas");
	for (size_t i = 0; !err && i < n; i++) {
		struct str tier = held_text(t, &rows[i], "tier");
		if (!str_is(tier, "county") && !str_is(tier, "town") && !str_is(tier, "zone"))
			continue;
		jw_obj(&c->w);
		jw_kstr(&c->w, "code", held_text(t, &rows[i], "code"));
		jw_kstr(&c->w, "name", held_text(t, &rows[i], "name"));
		const struct field *at = type_field(t, STR("centre"));
		if (at && at->ncols > 1 && rows[i].vals[at->col].kind == VAL_REAL) { // the page finds the nearest; where it is stays there
			jw_karr(&c->w, "centre");
			jw_f64(&c->w, rows[i].vals[at->col].f);
			jw_f64(&c->w, rows[i].vals[at->col + 1].f);
			jw_end(&c->w);
		}
		jw_end(&c->w);
	}
	jw_end(&c->w);
	return err;
}

static enum err form(struct call *c)
{
	const struct type *t;
	enum err err = type_of(c, &t);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_kstr(&c->w, "county", c->app->county);
	kinds_json(c, t);
	err = areas_json(c);
	jw_ki64(&c->w, "photos", LIMIT_REPORT_PHOTOS);
	jw_ki64(&c->w, "photo_bytes", LIMIT_REPORT_PHOTO);
	jw_end(&c->w);
	return err;
}

enum err report_form(struct call *c) { return public_answer(c, form); }

// ---- what is taken in --------------------------------------------------------------------------
struct report {
	struct call *c;
	const struct type *t;
	json_t *fields;         // of the record
	struct str name, phone, digest;
	bool desk;              // taken down by somebody who has logged in: a call, a letter, a visit
	struct file_in *photos[LIMIT_REPORT_PHOTOS];
	size_t nphotos;
	int64_t id;
};

// Letters and digits alone, as one would compare them by ear: no blanks, dashes, brackets; wide forms (U+FF01…) as narrow, small as large.
// 0: a character that does not count. *i moves on behind it.
static uint32_t next_plain(struct str s, size_t *i)
{
	const uint8_t *p = (const uint8_t *)s.p + *i;
	size_t n = MAX(utf8_sequence(p, s.n - *i), (size_t)1);
	uint32_t x = n == 1 ? p[0] : n == 2 ? p[0] & 31u : n == 3 ? p[0] & 15u : p[0] & 7u;
	for (size_t k = 1; k < n; k++)
		x = x << 6 | (p[k] & 63u);
	*i += n;
	x = x >= 0xff01 && x <= 0xff5e ? x - 0xff01 + '!' : x;
	x = x >= 'a' && x <= 'z' ? x - 'a' + 'A' : x;
	bool mark = x == 0xa0 || x == 0xb7 || (x >= 0x2000 && x <= 0x206f) || (x >= 0x3000 && x <= 0x303f);
	return (x >= '0' && x <= '9') || (x >= 'A' && x <= 'Z') || (x > 0x7f && !mark) ? x : 0;
}

// Where the secret that begins at from ends in the text; 0: it does not stand there.
static size_t stands_at(struct str text, size_t from, const uint32_t *secret, size_t n)
{
	size_t found = 0, i = from;
	while (i < text.n && found < n) {
		uint32_t x = next_plain(text, &i);
		if (x && x != secret[found])
			return 0;
		found += x != 0;
	}
	return found == n ? i : 0;
}

#define NUMBER_DIGITS 11    // of a mobile number without the country's code

// Every place where the secret stands in the text becomes *, however it is spaced. Short ones are left: a single character hides nothing.
static struct str blanked(struct str text, struct str secret, struct arena *a)
{
	char *out = arena_cstr(a, text);
	uint32_t *v = arena_many(a, secret.n + 1, uint32_t);
	size_t n = 0, bytes = 0;
	bool digits = true;
	for (size_t i = 0; i < secret.n;) {
		v[n] = next_plain(secret, &i);
		bytes += v[n] > 0x7f ? 3 : v[n] != 0;
		digits &= !v[n] || (v[n] >= '0' && v[n] <= '9');
		n += v[n] != 0;
	}
	if (bytes < 4)
		return text;
	if (digits && n > NUMBER_DIGITS) { // +86 138… is written 138… in the text
		v += n - NUMBER_DIGITS;
		n = NUMBER_DIGITS;
	}
	for (size_t i = 0; i < text.n;) {
		size_t at = i, end = next_plain(text, &i) ? stands_at(text, at, v, n) : 0;
		if (end)
			memset(out + at, '*', end - at);
		i = MAX(i, end);
	}
	return str_from(out, text.n);
}

static enum err put_text(struct report *r, const char *key, size_t most)
{
	struct call *c = r->c;
	struct str s = str_trim(body_str(c, key));
	if (s.n > most)
		return call_fail(c, ERR_INVALID, key, "文字太长，请写短一些", "the text is too long");
	s = blanked(blanked(s, r->name, c->arena), r->phone, c->arena);
	if (s.n)
		json_object_set_new(r->fields, key, json_stringn(s.p, s.n));
	return OK;
}

static enum err who(struct report *r)
{
	struct call *c = r->c;
	r->name = str_trim(body_str(c, "name"));
	r->phone = str_trim(body_str(c, "phone"));
	if (r->name.n > 120 || r->phone.n > 60)
		return call_fail(c, ERR_INVALID, r->name.n > 120 ? "name" : "phone", "姓名或电话太长", "name or phone is too long");
	return OK;
}

static enum err channel(struct report *r)
{
	enum err err = put_text(r, "channel", 60);
	if (!err)
		err = put_text(r, "channel_number", 60);
	if (!err && !json_object_get(r->fields, "channel"))
		json_object_set_new(r->fields, "channel", json_string("hotline"));
	return err;
}

static enum err what(struct report *r)
{
	struct call *c = r->c;
	enum err err = put_text(r, "content", LIMIT_REPORT_TEXT);
	if (!err)
		err = put_text(r, "object", 360);
	if (!err)
		err = put_text(r, "place", 600);
	if (!err)
		err = put_text(r, "kind", 60);
	if (!err)
		err = put_text(r, "area", 12);
	if (err)
		return err;
	if (str_utf8_len(str_of(json_string_value(json_object_get(r->fields, "content")) ? json_string_value(json_object_get(r->fields, "content")) : "")) < 5)
		return call_fail(c, ERR_INVALID, "content", "请写明看到了什么（至少 5 个字）", "say what you saw (5 characters at least)");
	const json_t *at = json_object_get(c->body, "position"), *object = json_object_get(r->fields, "object");
	if (json_is_array(at))
		json_object_set(r->fields, "position", (json_t *)(uintptr_t)at);
	json_object_set_new(r->fields, "insider", json_boolean(json_is_true(json_object_get(c->body, "insider"))));
	if (!r->desk)
		json_object_set_new(r->fields, "channel", json_string("web"));
	else if ((err = channel(r)))
		return err;
	if (object)
		json_object_set(r->fields, "title", (json_t *)(uintptr_t)object);
	else
		json_object_set_new(r->fields, "title", json_string("群众举报"));
	return OK;
}

static enum err photo(struct report *r, const char *text)
{
	struct call *c = r->c;
	struct str bytes = text ? str_from_base64(c->arena, str_of(text)) : STR_EMPTY;
	if (bytes.n > LIMIT_REPORT_PHOTO)
		return call_fail(c, ERR_TOO_LARGE, "photos", "照片太大，请拍小一些或少传一张", "a photo is too large");
	struct str plain = jpeg_plain(bytes, c->arena);
	if (!plain.n)
		return call_fail(c, ERR_UNSUPPORTED, "photos", "照片应为 JPEG 格式", "photos are JPEG");
	struct file_in **f = &r->photos[r->nphotos];
	enum err err = file_in_begin(f, c->app->store, &c->p);
	if (err)
		return err;
	r->nphotos++;
	err = file_in_add(*f, plain.p, plain.n);
	if (!err)
		err = file_in_end(*f, STR("photo.jpg"), &c->p);
	if (!err && !str_is(file_in_mime(*f), "image/jpeg"))
		err = call_fail(c, ERR_UNSUPPORTED, "photos", "照片应为 JPEG 格式", "photos are JPEG");
	return err;
}

static enum err photos(struct report *r)
{
	const json_t *list = json_object_get(r->c->body, "photos");
	enum err err = OK;
	if (list && (!json_is_array(list) || json_array_size(list) > LIMIT_REPORT_PHOTOS))
		return call_fail(r->c, ERR_INVALID, "photos", "照片最多 3 张", "at most 3 photos");
	for (size_t i = 0; !err && i < json_array_size(list); i++)
		err = photo(r, json_string_value(json_array_get(list, i)));
	return err;
}

static struct str identity_text(const struct report *r)
{
	struct buf b;
	struct jw w;
	if (!r->name.n && !r->phone.n)
		return STR_EMPTY;
	buf_init(&b, 4096);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "name", r->name);
	jw_kstr(&w, "phone", r->phone);
	jw_end(&w);
	struct str ret = jw_done(&w) ? arena_str(r->c->arena, buf_str(&b)) : STR_EMPTY;
	buf_free(&b);
	return ret;
}

static enum err keep_photos(struct db *db, struct report *r, struct problem *p)
{
	json_t *ids = json_array();
	enum err err = OK;
	for (size_t i = 0; !err && i < r->nphotos; i++) {
		struct file_info info = { .name = STR("photo.jpg"), .source = STR_EMPTY, .lon = NAN, .lat = NAN };
		err = files_add(db, r->photos[i], &info, r->c->id.title, p);
		json_array_append_new(ids, json_integer(info.id));
	}
	json_object_set_new(r->fields, "photos", ids);
	return err;
}

// The town's office is who is most likely to go and see: put down, and confirmed by who accepts the report.
static enum err suggest_owner(struct db *db, struct report *r, struct problem *p)
{
	const struct type *t = registry_type(r->c->reg, STR("organisation"));
	struct value kind = { .kind = VAL_TEXT, .s = STR("town_office") }, area = { .kind = VAL_TEXT, .s = str_of(json_string_value(json_object_get(r->fields, "area"))) };
	const struct filter f[] = { { STR("kind"), FILTER_EQ, &kind, 1 }, { STR("area"), FILTER_EQ, &area, 1 } };
	struct list_query lq = { .filters = f, .nfilters = ARRAY_LEN(f), .limit = 1 };
	struct row *rows;
	size_t n = 0;
	int64_t total;
	if (!t || !area.s.n || !type_field(t, STR("kind")) || !type_field(r->t, STR("owner")))
		return OK;
	enum err err = records_list(db, &t->table, NULL, &lq, r->c->arena, &rows, &n, &total, p);
	if (!err && n)
		json_object_set_new(r->fields, "owner", json_integer(rows[0].c.id));
	return err;
}

static enum err report_job(struct db *db, void *arg, struct problem *p)
{
	struct report *r = arg;
	struct call *c = r->c;
	struct row row;
	bool named = r->name.n || r->phone.n;
	enum err err = flow_sealed_record(db, r->digest, &r->id);
	if (err != ERR_NOT_FOUND)
		return err; // it came before
	err = keep_photos(db, r, p);
	if (!err)
		err = suggest_owner(db, r, p);
	if (!err)
		err = flow_create(db, c->reg, r->t, r->fields, &c->id, c->arena, &r->id, p);
	if (!err)
		err = flow_seal(db, c->app->auth, r->id, r->digest, identity_text(r), c->arena);
	const struct flow_field mark = { "named", { .kind = VAL_INT, .i = named } };
	return err || !named ? err : flow_update(db, c->reg, r->t, r->id, &mark, 1, LABEL_EMPTY, c->arena, &row, p);
}

static enum err take_in(struct report *r)
{
	struct call *c = r->c;
	char receipt[RECEIPT_TEXT];
	struct row row;
	receipt_of(body_str(c, "nonce"), receipt);
	r->digest = receipt_digest(c, str_of(receipt));
	enum err err = who(r);
	if (!err)
		err = what(r);
	if (!err)
		err = photos(r);
	if (!err)
		err = store_write(c->app->store, report_job, r, &c->p);
	call_db_refresh(c);
	if (!err)
		err = records_get(call_db(c), &r->t->table, NULL, r->id, c->arena, &row);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_kcstr(&c->w, "receipt", arena_cstr(c->arena, str_of(receipt)));
	jw_kstr(&c->w, "number", row.c.number);
	jw_end(&c->w);
	return OK;
}

static enum err begin(struct report *r)
{
	struct call *c = r->c;
	enum err err = type_of(c, &r->t);
	if (!err && !nonce_ok(body_str(c, "nonce")))
		err = call_fail(c, ERR_INVALID, "nonce", "nonce 应为页面生成的 32 位十六进制随机数", "nonce: 32 random hex digits made by the page");
	return err;
}

// 12350: the operator writes down what is said; who called is sealed as if he had written it himself, and the operator reads the
// receipt number out.
enum err report_desk(struct call *c)
{
	struct report r = { .c = c, .desk = true };
	enum err err = begin(&r);
	if (!err && !auth_may_create(&c->id, r.t))
		err = call_fail(c, ERR_FORBIDDEN, NULL, "您的角色不登记举报", "your role takes no reports down");
	if (!err && str_is(body_str(c, "channel"), "web"))
		err = call_fail(c, ERR_INVALID, "channel", "网页举报由举报人自己提交", "what comes over the page is handed in by who reports");
	if (err)
		return err;
	r.fields = json_object();
	err = take_in(&r);
	for (size_t i = 0; i < r.nphotos; i++)
		file_in_free(r.photos[i]);
	json_decref(r.fields);
	return err;
}

enum err report_post(struct call *c)
{
	static atomic_int running;
	struct report r = { .c = c };
	enum err err = begin(&r);
	if (!err)
		err = public_room(c, PUBLIC_REPORT);
	if (err)
		return err;
	become_nobody(c);
	if (running++ < LIMIT_REPORT_RUNNING) {
		r.fields = json_object();
		err = take_in(&r);
	} else {
		err = call_fail(c, ERR_UNAVAILABLE, NULL, "提交的人太多，请稍后再试；内容还在页面上", "too many are reporting; try again in a moment, the page keeps what you wrote");
	}
	running--;
	for (size_t i = 0; i < r.nphotos; i++)
		file_in_free(r.photos[i]);
	json_decref(r.fields);
	return err;
}

// ---- by receipt --------------------------------------------------------------------------------
static enum err by_receipt(struct call *c, const struct type **ret_t, struct row *ret)
{
	int64_t id = 0;
	enum err err = type_of(c, ret_t);
	if (!err)
		err = public_room(c, PUBLIC_RECEIPT);
	if (err)
		return err;
	become_nobody(c);
	struct str digest = receipt_digest(c, body_str(c, "receipt"));
	err = digest.n ? flow_sealed_record(call_db(c), digest, &id) : ERR_NOT_FOUND;
	if (!err)
		err = records_get(call_db(c), &(*ret_t)->table, NULL, id, c->arena, ret);
	if (err == ERR_NOT_FOUND) // one that is none and one that nobody has are answered alike
		return call_fail(c, err, "receipt", "没有这个回执号，请核对", "there is no such receipt number");
	return err;
}

static void put_if(struct call *c, const struct type *t, const struct row *row, const char *key, const char *field)
{
	struct str s = held_text(t, row, field);
	if (s.n)
		jw_kstr(&c->w, key, s);
}

// What was merged has the fate of the report that it was merged into.
static enum err follow_merged(struct call *c, const struct type *t, struct row *row)
{
	const struct field *same = type_field(t, STR("same_as"));
	enum err err = OK;
	for (int i = 0; !err && i < MERGED_DEPTH && same && str_is(row->c.state, "merged") && row->vals[same->col].kind == VAL_INT; i++)
		err = records_get(call_db(c), &t->table, NULL, row->vals[same->col].i, c->arena, row);
	return err == ERR_NOT_FOUND ? OK : err;
}

// What became of the reward, without a word on who gets it: the amount from the moment it is approved.
static enum err put_reward(struct call *c, int64_t report)
{
	const struct type *t = registry_type(c->reg, STR("report_reward"));
	struct value id = { .kind = VAL_INT, .i = report };
	const struct filter f[] = { { STR("danger_report"), FILTER_EQ, &id, 1 } };
	struct list_query lq = { .filters = f, .nfilters = ARRAY_LEN(f), .limit = 1 };
	struct row *rows;
	size_t n = 0;
	int64_t total;
	enum err err = t ? records_list(call_db(c), &t->table, NULL, &lq, c->arena, &rows, &n, &total, &c->p) : OK;
	if (err || !n)
		return err;
	const struct state *s = type_state(t, rows[0].c.state);
	bool collect = str_is(rows[0].c.state, "approved");
	jw_kobj(&c->w, "reward");
	jw_kstr(&c->w, "state", rows[0].c.state);
	jw_kstr(&c->w, "label", s ? label_text(c, s->label) : rows[0].c.state);
	if (collect || str_is(rows[0].c.state, "paid"))
		jw_kf64(&c->w, "amount", held_number(t, &rows[0], "amount", 0) / 100); // held in fen
	jw_kbool(&c->w, "collect", collect);
	jw_end(&c->w);
	return OK;
}

enum err report_query(struct call *c)
{
	const struct type *t;
	struct row row;
	enum err err = by_receipt(c, &t, &row);
	struct row own = row;
	if (!err)
		err = follow_merged(c, t, &row);
	if (err)
		return err;
	bool merged = own.c.id != row.c.id;
	const struct field *kind = type_field(t, STR("kind"));
	const struct menu_item *item = kind && kind->menu ? menu_item(kind->menu, held_text(t, &row, "kind")) : NULL;
	const struct state *s = type_state(t, row.c.state);
	jw_obj(&c->w);
	jw_kstr(&c->w, "number", own.c.number);
	if (merged)
		jw_kstr(&c->w, "merged", row.c.number);
	jw_kstr(&c->w, "kind", item ? label_text(c, item->label) : STR_EMPTY);
	jw_ktime(&c->w, "received", own.c.created_at);
	jw_kstr(&c->w, "state", row.c.state);
	jw_kstr(&c->w, "label", s ? label_text(c, s->label) : row.c.state);
	jw_kbool(&c->w, "ended", s && s->end);
	if (row.c.deadline)
		jw_ktime(&c->w, "deadline", row.c.deadline);
	put_if(c, t, &row, "accepted", "accepted");
	if (!merged) // what was asked of somebody else
		put_if(c, t, &row, "question", "question");
	put_if(c, t, &own, "satisfaction", "satisfaction");
	if (held_text(t, &row, "replied").n) { // not before it is said
		put_if(c, t, &row, "reply", "public_reply");
		put_if(c, t, &row, "replied", "replied");
	}
	if (!merged) // of a merged report it is who came first that is rewarded
		err = put_reward(c, own.c.id);
	jw_end(&c->w);
	return err;
}

struct words {
	struct call *c;
	const struct type *t;
	struct row *row;
};

static enum err words_job(struct db *db, void *arg, struct problem *p)
{
	static const struct label told = { { "举报人补充了情况", sizeof "举报人补充了情况" - 1 }, { "Who reported has added something", sizeof "Who reported has added something" - 1 } };
	struct words *x = arg;
	struct call *c = x->c;
	struct str sealed, text = str_trim(body_str(c, "text"));
	struct comment *v;
	size_t n, own = 0;
	int64_t id;
	enum err err = flow_comments(db, x->t, x->row->c.id, 0, LIMIT_PAGE_SIZE, c->arena, &v, &n);
	for (size_t i = 0; !err && i < n; i++)
		own += v[i].person == 0;
	if (err || own >= LIMIT_REPORT_WORDS)
		return err ? err : problem_set(p, ERR_CONFLICT, "text", "补充的次数太多，请拨打 12350", "you have added often enough; call 12350");
	err = flow_sealed_text(db, c->app->auth, x->row->c.id, c->arena, &sealed);
	if (!err) {
		json_t *j = json_loadb(sealed.p, sealed.n, 0, NULL);
		text = blanked(text, str_of(json_string_value(json_object_get(j, "name"))), c->arena);
		text = blanked(text, str_of(json_string_value(json_object_get(j, "phone"))), c->arena);
		json_decref(j);
	} else if (err != ERR_NOT_FOUND) {
		return err;
	}
	json_t *body = json_pack("{s:o}", "text", json_stringn(text.p, text.n));
	err = flow_comment(db, c->reg, x->t, x->row->c.id, body, &c->id, c->arena, &id, p);
	json_decref(body);
	return err ? err : flow_say(db, c->reg, x->t, x->row, told, c->arena);
}

enum err report_words(struct call *c)
{
	const struct type *t;
	struct row row;
	struct str text = str_trim(body_str(c, "text"));
	enum err err = by_receipt(c, &t, &row);
	if (!err && (str_utf8_len(text) < 2 || text.n > LIMIT_REPORT_TEXT))
		err = call_fail(c, ERR_INVALID, "text", "请写明补充的情况（2 到 2000 字）", "write what you want to add");
	if (!err) {
		call_db_refresh(c);
		err = store_write(c->app->store, words_job, &(struct words){ c, t, &row }, &c->p);
	}
	return err ? err : call_done(c);
}

// ---- was he satisfied? ------------------------------------------------------------------------
static enum err rate_job(struct db *db, void *arg, struct problem *p)
{
	struct words *x = arg;
	struct call *c = x->c;
	struct str how = body_str(c, "satisfaction");
	const struct field *f = type_field(x->t, STR("satisfaction"));
	if (!f || !f->menu || !menu_item(f->menu, how))
		return problem_set(p, ERR_INVALID, "satisfaction", "请选择满意、基本满意或不满意", "choose satisfied, fairly satisfied or not satisfied");
	if (held_text(x->t, x->row, "satisfaction").n)
		return problem_set(p, ERR_CONFLICT, "satisfaction", "已经评价过了", "it has been rated already");
	const struct flow_field mark = { "satisfaction", { .kind = VAL_TEXT, .s = how } };
	return flow_update(db, c->reg, x->t, x->row->c.id, &mark, 1, LABEL("举报人评价", "the reporter's opinion"), c->arena, x->row, p);
}

enum err report_rate(struct call *c)
{
	const struct type *t;
	struct row row;
	enum err err = by_receipt(c, &t, &row);
	struct row last = row;
	if (!err)
		err = follow_merged(c, t, &last);
	const struct state *s = err ? NULL : type_state(t, last.c.state);
	if (!err && !(s && s->end))
		err = call_fail(c, ERR_CONFLICT, "receipt", "办结答复后再评价", "rate it when it has been answered");
	if (!err) {
		call_db_refresh(c);
		err = store_write(c->app->store, rate_job, &(struct words){ c, t, &row }, &c->p);
	}
	return err ? err : call_done(c);
}

// ---- the seal ----------------------------------------------------------------------------------
struct opening {
	struct call *c;
	const struct type *t;
	int64_t id;
	struct str plain;
};

static enum err open_job(struct db *db, void *arg, struct problem *p)
{
	struct opening *o = arg;
	struct call *c = o->c;
	return flow_unseal(db, c->app->auth, o->t, o->id, c->body, &c->id, c->arena, &o->plain, p);
}

enum err report_identity(struct call *c)
{
	struct opening o = { .c = c };
	enum err err = type_of(c, &o.t);
	if (!err)
		err = param_id(c, 0, &o.id);
	if (!err)
		err = store_write(c->app->store, open_job, &o, &c->p);
	if (err)
		return err;
	json_t *j = json_loadb(o.plain.p, o.plain.n, 0, NULL);
	jw_obj(&c->w);
	jw_kcstr(&c->w, "name", arena_cstr(c->arena, str_of(json_string_value(json_object_get(j, "name")))));
	jw_kcstr(&c->w, "phone", arena_cstr(c->arena, str_of(json_string_value(json_object_get(j, "phone")))));
	jw_end(&c->w);
	json_decref(j);
	return OK;
}
