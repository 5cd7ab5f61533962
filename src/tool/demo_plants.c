// Enterprises of the demo county and what they consist of: the plant descriptions (packs/*/demo/plants.json) times the
// size of each enterprise. Called by demo.c inside the fill job; writes the lines of devices.tsv on the way.
#include "tool/demo_int.h"

#include <math.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/time.h"

#define MAX_PARTS 8                   // devices or installations of one plant
#define KM_PER_LON 93.2               // one degree of longitude at 33.1° N
#define KM_PER_LAT 110.9

struct part {                         // a device or installation of the enterprise
	const char *key;
	int64_t id;
	const json_t *form;
	json_t *tanks;                // of an installation: rows
	struct buf lines;             // a device's lines of devices.tsv
};

struct plant {                        // an enterprise being made
	const json_t *row, *form;     // enterprises.json, plants.json
	const char *code;             // "C01"
	int64_t enterprise;
	int size;
	double lon, lat;
	struct part devices[MAX_PARTS], installations[MAX_PARTS];
	size_t ndevices, ninstallations;
	int64_t persons[3];           // principal, technical, operating
	unsigned placed;              // pieces of equipment put on the ground so far
};

struct unit {                         // one piece of equipment being made
	const json_t *form;
	int i;                        // 1 …
	char name[128], tag[48];
	int64_t id, installation;
	struct part *device, *in;     // in: the installation, or NULL
	double lon, lat;
};

// {i} → 3, {ii} → 03
static void expand(const char *text, int i, char *ret, size_t n)
{
	struct buf b;
	buf_init(&b, n - 1);
	for (struct str rest = str_of(text); rest.n;) {
		if (str_starts(rest, STR("{ii}")) || str_starts(rest, STR("{i}"))) {
			bool two = rest.p[2] == 'i';
			buf_printf(&b, two ? "%02d" : "%d", i);
			rest = str_skip(rest, two ? 4 : 3);
		} else {
			buf_add(&b, rest.p, 1);
			rest = str_skip(rest, 1);
		}
	}
	snprintf(ret, n, "%.*s", (int)b.n, b.n ? b.p : "");
	buf_free(&b);
}

static struct part *part_of(struct part *v, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (*key && strcmp(v[i].key, key) == 0)
			return &v[i];
	return NULL;
}

static enum err wrong(struct demo *d, const struct plant *pl, const char *what)
{
	return problem_set(d->p, ERR_INVALID, "", "企业 %s：%s 不合格式", "enterprise %s: %s is not of the expected form", pl->code, what);
}

static const json_t *plant_form(const struct demo *d, const char *name)
{
	for (size_t i = 0; i < d->nplants; i++) {
		const json_t *form = json_object_get(json_object_get(d->plants[i], "plants"), name);
		if (form)
			return form;
	}
	return NULL;
}

static enum err make_enterprise(struct demo *d, struct plant *pl)
{
	static const char *const copy[] = { "name", "uscc", "sector", "trade", "scale", "staff", "risk", "area", "address", "phone" };
	json_t *body = json_object();
	for (size_t i = 0; i < ARRAY_LEN(copy); i++)
		json_object_set(body, copy[i], json_object_get(pl->row, copy[i]));
	json_object_set(body, "legal_person", json_object_get(pl->row, "principal"));
	json_object_set(body, "safety_manager", json_object_get(pl->row, "manager"));
	json_object_set(body, "position", json_object_get(pl->row, "at"));
	json_object_set_new(body, "demo", json_true());
	return demo_create(d, "enterprise", body, &pl->enterprise);
}

// The safety manager logs in as ent-CODE and comes first: the demo's login page offers the first person of a role. The
// other two who answer for a major hazard installation are persons too.
static enum err make_staff(struct demo *d, struct plant *pl)
{
	static const struct { const char *login, *name, *post; unsigned at; } staff[] = {
		{ "ent", "manager", "安全管理员（操作负责人）", 2 },
		{ "principal", "principal", "主要负责人", 0 },
		{ "technical", "technical", "技术负责人", 1 },
	};
	bool all = json_array_size(json_object_get(pl->form, "installations")) > 0;
	for (unsigned i = 0; i < (all ? 3 : 1); i++) {
		char login[32], phone[16];
		snprintf(login, sizeof login, "%s-%c%s", staff[i].login, pl->code[0] | 0x20, pl->code + 1);
		snprintf(phone, sizeof phone, "1390001%04u", (d->devices * 3 + i) % 10000);
		json_t *body = json_pack("{s:s,s:O,s:s,s:s,s:[s],s:O,s:I,s:s}", "login", login, "name", json_object_get(pl->row, staff[i].name), "post",
		                         all ? staff[i].post : "安全管理员", "phone", phone, "role", "enterprise", "area",
		                         json_object_get(pl->row, "area"), "enterprise", (json_int_t)pl->enterprise, "lang", "zh");
		if (strcmp(login, "ent-c01") == 0)
			json_object_set_new(body, "demo", json_true());
		enum err err = demo_create(d, "person", body, &pl->persons[staff[i].at]);
		if (err)
			return err;
		json_object_set_new(d->person_ids, login, json_integer(pl->persons[staff[i].at]));
	}
	return OK;
}

static void set_number(json_t *body, const char *key, const json_t *v)
{
	if (json_is_number(v))
		json_object_set(body, key, (json_t *)(uintptr_t)v);
}

// GB 18218-2018: the platform computes S, R and grade itself; here only whether it is a major hazard at all.
static json_t *substances(const json_t *form, int times, double *ret_s)
{
	json_t *c, *rows = json_array();
	size_t i;
	*ret_s = 0;
	json_array_foreach(json_object_get(form, "chemicals"), i, c) {
		double q = demo_number(c, "q", 0) * times;
		*ret_s += q / demo_number(c, "Q", 1);
		json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:f}", "name", demo_text(c, "name"), "cas", demo_text(c, "cas"), "state",
		                                      demo_text(c, "state"), "quantity_t", q));
	}
	return rows;
}

static enum err make_installation(struct demo *d, struct plant *pl, const json_t *form)
{
	double s, exposed = demo_number(pl->row, "exposed", 0);
	char name[160];
	json_t *rows = substances(form, json_is_string(json_object_get(form, "per")) ? pl->size : 1, &s);
	if (s < 1) {
		json_decref(rows);
		return OK; // not a major hazard installation
	}
	snprintf(name, sizeof name, "%s %s", pl->code, demo_text(form, "name"));
	json_t *body = json_pack("{s:s,s:I,s:s,s:o,s:f,s:I,s:I,s:I,s:s,s:[f,f],s:b}", "name", name, "enterprise", (json_int_t)pl->enterprise, "unit",
	                         demo_text(form, "unit"), "substances", rows, "exposed", exposed, "principal", (json_int_t)pl->persons[0],
	                         "technical", (json_int_t)pl->persons[1], "operating", (json_int_t)pl->persons[2], "plan",
	                         demo_text(form, "plan"), "position", pl->lon, pl->lat, "demo", 1);
	set_number(body, "external_distance", json_object_get(form, "external"));
	struct part *part = &pl->installations[pl->ninstallations++];
	part->key = demo_text(form, "key");
	part->form = form;
	part->tanks = json_array();
	return demo_create(d, "installation", body, &part->id);
}

// What turns the level of a tank into tonnes.
static void note_tank(struct part *in, const struct unit *u, int64_t point)
{
	const char *medium = demo_text(u->form, "medium");
	double volume = demo_number(u->form, "capacity", 0);
	json_t *c;
	size_t i;
	json_array_foreach(json_object_get(in->form, "chemicals"), i, c)
		if (volume > 0 && strcmp(demo_text(c, "name"), medium) == 0 && demo_number(c, "density", 0) > 0)
			json_array_append_new(in->tanks, json_pack("{s:s,s:s,s:I,s:s,s:f,s:f}", "name", u->tag, "substance", medium, "point",
			                                           (json_int_t)point, "shape", volume < 200 ? "horizontal" : "vertical",
			                                           "volume_m3", volume, "density", demo_number(c, "density", 0)));
}

static enum err step(struct demo *d, const struct type *t, const struct part *part, const char *move, json_t *body)
{
	struct identity quiet = d->system;
	quiet.batch = 1; // nobody is told of what is long past
	enum err err = flow_move(d->db, d->reg, t, part->id, str_of(move), body, &quiet, true, d->scratch, d->p);
	json_decref(body);
	return err;
}

// Declared, checked and filed some time ago, for three years.
static enum err file_installation(struct demo *d, const struct plant *pl, const struct part *part)
{
	const struct type *t = registry_type(d->reg, STR("installation"));
	char day[11], until[11], number[64];
	size_t n = json_dumpb(part->tanks, NULL, 0, JSON_COMPACT);
	arena_reset(d->scratch);
	char *text = arena_alloc(d->scratch, n + 1);
	(void)json_dumpb(part->tanks, text, n, JSON_COMPACT);
	int64_t at = d->now - (int64_t)(200 + 150 * demo_jitter(pl->code)) * US_PER_DAY;
	struct row row;
	demo_day(at, day);
	demo_day(at + 1095 * US_PER_DAY, until);
	snprintf(number, sizeof number, "BA 安澜 %.4s-%s（虚构）", day, pl->code);
	struct flow_field tanks = { "tanks", { .kind = VAL_TEXT, .s = str_from(text, n) } };
	struct flow_field filed = { "filed", { .kind = VAL_TEXT, .s = str_of(day) } };
	enum err err = flow_update(d->db, d->reg, t, part->id, &tanks, json_array_size(part->tanks) ? 1 : 0, LABEL_EMPTY, d->scratch, &row, d->p);
	if (!err)
		err = step(d, t, part, "declare", json_pack("{s:s}", "assessed", day));
	if (!err)
		err = step(d, t, part, "check", json_pack("{s:s}", "town_note", "资料与现场一致。（虚构）"));
	if (!err)
		err = step(d, t, part, "accept", json_pack("{s:s,s:s}", "filing_number", number, "valid_until", until));
	if (!err)
		err = flow_update(d->db, d->reg, t, part->id, &filed, 1, LABEL_EMPTY, d->scratch, &row, d->p);
	return err;
}

static enum err make_device(struct demo *d, struct plant *pl, const json_t *form)
{
	const char *protocol = demo_text(form, "protocol");
	bool keyless = strcmp(protocol, "gb26875") == 0;
	char code[64], name[160], day[11], key[13] = "-";
	struct part *part = &pl->devices[pl->ndevices++];
	part->key = demo_text(form, "key");
	buf_init(&part->lines, DEMO_MAX_FILE);
	demo_device_code(protocol, pl->code, part->key, ++d->devices, code);
	snprintf(name, sizeof name, "%s %s", pl->code, demo_text(form, "name"));
	demo_day(d->now - (int64_t)(500 + 300 * demo_jitter(code)) * US_PER_DAY, day);
	json_t *body = json_pack("{s:s,s:s,s:I,s:s,s:b,s:s,s:s,s:s,s:s,s:[f,f],s:b}", "code", code, "name", name, "enterprise", (json_int_t)pl->enterprise,
	                         "protocol", protocol, "keyless", keyless, "service", "active", "maker", demo_text(form, "maker"), "model",
	                         demo_text(form, "model"), "installed", day, "position", pl->lon, pl->lat, "demo", 1);
	enum err err = demo_create(d, "device", body, &part->id);
	if (!err && !keyless) {
		random_text(key, 12);
		key[12] = 0;
		err = device_set_key(d->db, &d->system, part->id, str_of(key), d->p);
	}
	buf_printf(&part->lines, "D\t%s\t%s\t%s\t%s\n", code, protocol, key, pl->code);
	return err;
}

// ---- equipment and points ----------------------------------------------------------------------

// Pieces stand in rows of five, 30 m apart, or where "at" says (metres east and north of the enterprise).
static void place(struct plant *pl, struct unit *u)
{
	const json_t *at = json_array_get(json_object_get(u->form, "at"), (size_t)(u->i - 1));
	unsigned n = pl->placed++;
	double east = at ? json_number_value(json_array_get(at, 0)) : (n % 5) * 30.0 - 60;
	double north = at ? json_number_value(json_array_get(at, 1)) : (n / 5) * 30.0 - 60;
	u->lon = pl->lon + east / 1000 / KM_PER_LON;
	u->lat = pl->lat + north / 1000 / KM_PER_LAT;
}

// What the simulator must know: the line is read by sim/devices.c.
static void point_line(struct demo *d, struct unit *u, const json_t *form, const char *code, const char *address)
{
	const json_t *range = json_object_get(form, "range");
	double normal = demo_number(form, "normal", 0) + demo_number(form, "spread", 0) * demo_jitter(code);
	char sim[48];
	expand(demo_text(form, "sim"), u->i, sim, sizeof sim);
	buf_printf(&u->device->lines, "P\t%s\t%s\t%s\t%g\t%g\t%g\t%g\t%g\t%g\t%g\t%g\t%.6f\t%.6f\t%s\n", code, demo_text(form, "kind"),
	           *address ? address : "-", demo_number(form, "scale", 1), demo_number(form, "every", 10), round(normal * 1000) / 1000,
	           demo_number(form, "noise", 0), demo_number(form, "swing", 0), demo_number(form, "step", 0),
	           json_number_value(json_array_get(range, 0)), json_number_value(json_array_get(range, 1)), u->lon, u->lat, *sim ? sim : "-");
	d->points++;
}

static enum err make_point(struct demo *d, struct plant *pl, struct unit *u, const json_t *form)
{
	static const char *const limits[] = { "ll", "l", "h", "hh" };
	char code[64], part[48], address[64], name[256], due[11];
	expand(demo_text(form, "code"), u->i, part, sizeof part);
	expand(demo_text(form, "address"), u->i, address, sizeof address);
	snprintf(code, sizeof code, "%s-%s", pl->code, part);
	snprintf(name, sizeof name, "%s%s", u->name, demo_text(form, "name"));
	const struct point_kind *kind = registry_kind(d->reg, str_of(demo_text(form, "kind")));
	if (!kind)
		return wrong(d, pl, "kind");
	// about one in 200 is overdue for calibration, which shows as the quality of its readings
	int64_t days = demo_jitter(part) < 0 && demo_jitter(code) < -0.98 ? -20 : 190 + (int64_t)(150 * demo_jitter(code));
	demo_day(d->now + days * US_PER_DAY, due);
	json_t *body = json_pack("{s:s,s:s,s:I,s:I,s:I,s:s,s:s%,s:f,s:s,s:s,s:[f,f],s:b}", "code", code, "name", name, "device",
	                         (json_int_t)u->device->id, "equipment", (json_int_t)u->id, "enterprise", (json_int_t)pl->enterprise, "kind",
	                         demo_text(form, "kind"), "unit", kind->unit.p, kind->unit.n, "interval_s", demo_number(form, "every", 10),
	                         "service", "in_service", "calibration_due", due, "position", u->lon, u->lat, "demo", 1);
	if (u->installation)
		json_object_set_new(body, "installation", json_integer(u->installation));
	if (*address)
		json_object_set_new(body, "address", json_string(address));
	set_number(body, "scale", json_object_get(form, "scale"));
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		set_number(body, limits[i], json_array_get(json_object_get(form, "limits"), i));
	set_number(body, "range_min", json_array_get(json_object_get(form, "range"), 0));
	set_number(body, "range_max", json_array_get(json_object_get(form, "range"), 1));
	int64_t id;
	enum err err = demo_create(d, "point", body, &id);
	if (!err && u->in && strcmp(demo_text(form, "kind"), "level") == 0)
		note_tank(u->in, u, id);
	if (!err)
		point_line(d, u, form, code, address);
	return err;
}

static enum err make_unit(struct demo *d, struct plant *pl, const json_t *form, int i)
{
	struct unit u = { .form = form, .i = i };
	struct part *in = part_of(pl->installations, pl->ninstallations, demo_text(form, "in"));
	json_t *point;
	size_t k;
	u.device = part_of(pl->devices, pl->ndevices, demo_text(form, "device"));
	u.installation = in ? in->id : 0;
	u.in = in;
	if (!u.device)
		return wrong(d, pl, "device");
	expand(demo_text(form, "name"), i, u.name, sizeof u.name);
	expand(demo_text(form, "tag"), i, u.tag, sizeof u.tag);
	place(pl, &u);
	json_t *body = json_pack("{s:s,s:s,s:s,s:I,s:[f,f],s:b}", "name", u.name, "tag", u.tag, "kind", demo_text(form, "kind"), "enterprise",
	                         (json_int_t)pl->enterprise, "position", u.lon, u.lat, "demo", 1);
	if (u.installation)
		json_object_set_new(body, "installation", json_integer(u.installation));
	if (*demo_text(form, "medium"))
		json_object_set(body, "medium", json_object_get(form, "medium"));
	set_number(body, "capacity", json_object_get(form, "capacity"));
	if (*demo_text(form, "capacity_unit"))
		json_object_set(body, "capacity_unit", json_object_get(form, "capacity_unit"));
	enum err err = demo_create(d, "equipment", body, &u.id);
	json_array_foreach(json_object_get(form, "points"), k, point) {
		if (err)
			break;
		err = make_point(d, pl, &u, point);
	}
	return err;
}

static enum err make_equipment(struct demo *d, struct plant *pl)
{
	json_t *form;
	size_t k;
	enum err err = OK;
	json_array_foreach(json_object_get(pl->form, "equipment"), k, form) {
		const json_t *count = json_object_get(form, "count");
		int n = json_is_string(count) ? pl->size : (int)json_integer_value(count);
		for (int i = 1; i <= n && !err; i++)
			err = make_unit(d, pl, form, i);
	}
	return err;
}

static enum err make_plant(struct demo *d, struct plant *pl)
{
	json_t *form;
	size_t i;
	enum err err = make_enterprise(d, pl);
	if (!err)
		err = make_staff(d, pl);
	json_array_foreach(json_object_get(pl->form, "installations"), i, form)
		if (!err)
			err = pl->ninstallations < MAX_PARTS ? make_installation(d, pl, form) : wrong(d, pl, "installations");
	json_array_foreach(json_object_get(pl->form, "devices"), i, form)
		if (!err)
			err = pl->ndevices < MAX_PARTS ? make_device(d, pl, form) : wrong(d, pl, "devices");
	if (!err)
		err = make_equipment(d, pl);
	for (size_t k = 0; k < pl->ninstallations; k++) {
		if (!err)
			err = file_installation(d, pl, &pl->installations[k]);
		json_decref(pl->installations[k].tanks);
	}
	for (size_t k = 0; k < pl->ndevices; k++) {
		buf_add_str(d->tsv, buf_str(&pl->devices[k].lines));
		buf_free(&pl->devices[k].lines);
	}
	return err;
}

enum err demo_enterprises(struct demo *d)
{
	json_t *row;
	size_t i;
	enum err err = OK;
	json_array_foreach(json_object_get(d->enterprises, "enterprises"), i, row) {
		const json_t *at = json_object_get(row, "at");
		struct plant pl = { .row = row, .code = demo_text(row, "code"), .size = (int)demo_number(row, "size", 1) };
		pl.form = plant_form(d, demo_text(row, "plant"));
		pl.lon = json_number_value(json_array_get(at, 0));
		pl.lat = json_number_value(json_array_get(at, 1));
		err = pl.form && *pl.code ? make_plant(d, &pl) : wrong(d, &pl, "plant");
		if (err)
			break;
	}
	return err;
}
