#include "report/cap.h"

#include <jansson.h>

#include "base/time.h"
#include "base/xml.h"

// ---- XML 1.0 ------------------------------------------------------------------------------------
static void element_if(struct buf *b, const char *name, struct str s)
{
	if (s.n)
		xml_element(b, name, s);
}

// CAP 1.2, 3.3.2: seconds, an offset in hours and minutes, never "Z".
static void when(struct buf *b, int64_t us)
{
	int zone = time_zone(), off = zone < 0 ? -zone : zone;
	struct civil c = time_to_civil(us, zone);
	buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", c.year, c.month, c.day, c.hour, c.min, c.sec, zone < 0 ? '-' : '+',
	           off / 60, off % 60);
}

static void when_element(struct buf *b, const char *name, int64_t us)
{
	if (us <= 0)
		return;
	buf_printf(b, "<%s>", name);
	when(b, us);
	buf_printf(b, "</%s>\n", name);
}

static void named_value(struct buf *b, const char *element_name, const char *name, struct str value)
{
	if (value.n == 0)
		return;
	buf_printf(b, "<%s>\n<valueName>%s</valueName>\n", element_name, name);
	xml_element(b, "value", value);
	buf_printf(b, "</%s>\n", element_name);
}

// ---- facts --------------------------------------------------------------------------------------
static struct str fact(const json_t *facts, const char *key)
{
	const json_t *j = json_object_get(facts, key);
	return json_is_string(j) ? str_from(json_string_value(j), json_string_length(j)) : STR_EMPTY;
}

// In the language asked for, or in the one there is.
static struct str fact_in(const json_t *facts, const char *key, bool zh)
{
	const json_t *both = json_object_get(facts, key);
	struct str s = fact(both, zh ? "zh" : "en");
	return s.n ? s : fact(both, zh ? "en" : "zh");
}

static int64_t fact_int(const json_t *facts, const char *key) { return (int64_t)json_integer_value(json_object_get(facts, key)); }

static bool fact_real(const json_t *facts, const char *key, double *ret)
{
	const json_t *j = json_object_get(facts, key);
	*ret = json_is_number(j) ? json_number_value(j) : 0;
	return json_is_number(j);
}

static struct str or_unknown(struct str s) { return s.n ? s : STR("Unknown"); }

// ---- area ---------------------------------------------------------------------------------------
// A ring of GeoJSON is closed and longitude comes first (RFC 7946); CAP says latitude first (3.2.4).
static void polygon(struct buf *b, const json_t *ring)
{
	if (json_array_size(ring) < 4)
		return;
	buf_add_cstr(b, "<polygon>");
	for (size_t i = 0; i < json_array_size(ring); i++) {
		const json_t *at = json_array_get(ring, i);
		buf_printf(b, "%s%.6f,%.6f", i ? " " : "", json_number_value(json_array_get(at, 1)), json_number_value(json_array_get(at, 0)));
	}
	buf_add_cstr(b, "</polygon>\n");
}

static bool outline(struct buf *b, const json_t *shape)
{
	const json_t *c = json_object_get(shape, "coordinates");
	struct str kind = fact(shape, "type");
	if (str_is(kind, "Polygon"))
		polygon(b, json_array_get(c, 0));
	else if (str_is(kind, "MultiPolygon"))
		for (size_t i = 0; i < json_array_size(c); i++)
			polygon(b, json_array_get(json_array_get(c, i), 0));
	else
		return false;
	return true;
}

static void area(struct buf *b, const json_t *facts)
{
	struct str place = fact(facts, "area_title"), firm = fact(facts, "enterprise_title");
	double lon, lat, radius;
	buf_add_cstr(b, "<area>\n<areaDesc>");
	xml_text(b, place);
	if (place.n && firm.n)
		buf_add_u8(b, ' ');
	xml_text(b, firm);
	if (!place.n && !firm.n)
		xml_text(b, fact(facts, "area"));
	buf_add_cstr(b, "</areaDesc>\n");
	(void)fact_real(facts, "radius", &radius);
	if (!outline(b, json_object_get(facts, "shape")) && fact_real(facts, "lon", &lon) && fact_real(facts, "lat", &lat))
		buf_printf(b, "<circle>%.6f,%.6f %.3f</circle>\n", lat, lon, radius / 1000);
	named_value(b, "geocode", "GB/T 2260", fact(facts, "area"));
	buf_add_cstr(b, "</area>\n");
}

// ---- info, alert --------------------------------------------------------------------------------
static struct str headline(const struct cap_message *m, const json_t *facts, bool zh, struct arena *a)
{
	struct str level = fact_in(facts, "level", zh), category = fact_in(facts, "category", zh), title = fact(facts, "title");
	bool cancel = str_is(m->msg, "cancel");
	if (zh)
		return arena_printf(a, "%s%.*s预警（%.*s）%.*s", cancel ? "解除" : "", STR_FMT(level), STR_FMT(category), STR_FMT(title));
	return arena_printf(a, "%s%.*s warning (%.*s): %.*s", cancel ? "Lifted: " : "", STR_FMT(level), STR_FMT(category), STR_FMT(title));
}

static void info(struct buf *b, const struct cap_message *m, const json_t *facts, bool zh, struct arena *a)
{
	bool cancel = str_is(m->msg, "cancel");
	struct str category = fact(facts, "cap_category"), event = fact_in(facts, "category", zh);
	buf_add_cstr(b, "<info>\n");
	xml_element(b, "language", zh ? STR("zh-CN") : STR("en-US"));
	xml_element(b, "category", category.n ? category : STR("Safety"));
	xml_element(b, "event", event.n ? event : zh ? STR("安全生产预警") : STR("Work-safety warning"));
	element_if(b, "responseType", cancel ? STR("AllClear") : fact(facts, "response"));
	xml_element(b, "urgency", cancel ? STR("Past") : or_unknown(fact(facts, "urgency")));
	xml_element(b, "severity", or_unknown(fact(facts, "severity")));
	xml_element(b, "certainty", or_unknown(fact(facts, "certainty")));
	named_value(b, "eventCode", "warning_category", fact(json_object_get(facts, "category"), "value"));
	when_element(b, "effective", fact_int(facts, "effective"));
	when_element(b, "expires", cancel ? 0 : fact_int(facts, "expires"));
	element_if(b, "senderName", m->sender_name);
	xml_element(b, "headline", headline(m, facts, zh, a));
	element_if(b, "description", fact_in(facts, "description", zh));
	element_if(b, "instruction", cancel ? STR_EMPTY : fact_in(facts, "instruction", zh));
	named_value(b, "parameter", "warning_level", fact(json_object_get(facts, "level"), "value"));
	named_value(b, "parameter", "release", m->msg);
	area(b, facts);
	buf_add_cstr(b, "</info>\n");
}

static void references(struct buf *b, const struct cap_message *m)
{
	if (m->nrefs == 0)
		return;
	buf_add_cstr(b, "<references>");
	for (size_t i = 0; i < m->nrefs; i++) {
		buf_printf(b, "%s%.*s,%.*s,", i ? " " : "", STR_FMT(m->sender), STR_FMT(m->refs[i].identifier));
		when(b, m->refs[i].sent);
	}
	buf_add_cstr(b, "</references>\n");
}

static struct str msg_type(struct str msg)
{
	return str_is(msg, "alert") ? STR("Alert") : str_is(msg, "cancel") ? STR("Cancel") : STR("Update");
}

enum err cap_write(struct buf *b, const struct cap_message *m, struct arena *a)
{
	json_t *facts = json_loadb(m->facts.p, m->facts.n, 0, NULL);
	if (!json_is_object(facts)) {
		json_decref(facts);
		return ERR_CORRUPT;
	}
	bool exercise = json_is_true(json_object_get(facts, "exercise"));
	buf_add_cstr(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\n");
	xml_element(b, "identifier", m->identifier);
	xml_element(b, "sender", m->sender);
	when_element(b, "sent", m->sent);
	xml_element(b, "status", exercise ? STR("Exercise") : STR("Actual"));
	xml_element(b, "msgType", msg_type(m->msg));
	xml_element(b, "scope", STR("Restricted"));
	xml_element(b, "restriction", STR("发布矩阵所列的单位和人员 Units and persons of the release matrix"));
	if (exercise)
		xml_element(b, "note", STR("演练 This is an exercise"));
	references(b, m);
	info(b, m, facts, true, a);
	info(b, m, facts, false, a);
	buf_add_cstr(b, "</alert>\n");
	json_decref(facts);
	return buf_ok(b) ? OK : ERR_TOO_LARGE;
}

struct str cap_identifier(struct str number, int64_t seq, struct arena *a)
{
	struct str id = arena_printf(a, "%.*s-%lld", STR_FMT(number), (long long)seq);
	char *p = arena_cstr(a, id);
	for (size_t i = 0; i < id.n; i++)
		if (p[i] == ' ' || p[i] == ',' || p[i] == '<' || p[i] == '&')
			p[i] = '-';
	return str_from(p, id.n);
}
