// Readings in the words of each protocol. Called by link.c.
#include "sim/payload.h"

#include <math.h>

#include "base/jw.h"
#include "base/time.h"
#include "sim/frames.h"

#define GB_FIRE 0x0003               // running, fire
#define GB_NORMAL 0x0001             // running

static double raw_value(const struct sim_point *p, double value)
{
	return round(value / p->scale * 1000) / 1000;
}

static void add_time(struct jw *w, const char *key, int64_t time)
{
	char text[TIME_TEXT_MAX];
	jw_kstr(w, key, str_from(text, time_text_zone(time, ZONE_MIN, text)));
}

void payload_array(struct buf *out, const struct sim_device *d, int64_t time, const struct held_value *v, size_t n)
{
	struct jw w;
	jw_init(&w, out);
	jw_arr(&w);
	for (size_t i = 0; i < n; i++) {
		const struct sim_point *p = &d->points[v[i].point];
		jw_obj(&w);
		jw_kcstr(&w, "point", p->code);
		add_time(&w, "time", time);
		jw_kf64(&w, "value", raw_value(p, v[i].value));
		jw_end(&w);
	}
	jw_end(&w);
}

void payload_continues(struct buf *out, const struct sim_device *d, int64_t time, const struct held_value *v, size_t n)
{
	struct jw w;
	char id[64], collected[32];
	struct civil c = time_to_civil(time, ZONE_MIN);
	struct buf b;
	buf_init(&b, sizeof collected);
	buf_printf(&b, "%04d-%02d-%02d %02d:%02d:%02d", c.year, c.month, c.day, c.hour, c.min, c.sec);
	struct str when = str_from(collected, MIN(b.n, sizeof collected));
	if (b.n)
		memcpy(collected, b.p, when.n);
	buf_clear(&b);
	buf_printf(&b, "%.40s-%lld", d->code, (long long)(time / US_PER_S));
	struct str name = str_from(id, MIN(b.n, sizeof id));
	if (b.n)
		memcpy(id, b.p, name.n);
	buf_free(&b);
	jw_init(&w, out);
	jw_obj(&w);
	jw_kstr(&w, "dataId", name);
	jw_kcstr(&w, "enterpriseCode", d->plant);
	jw_kcstr(&w, "gatewayCode", d->code);
	jw_kstr(&w, "collectTime", when);
	jw_kbool(&w, "isConnectDataSource", true);
	jw_kcstr(&w, "reportType", "continues");
	jw_karr(&w, "datas");
	for (size_t i = 0; i < n; i++) {
		const struct sim_point *p = &d->points[v[i].point];
		jw_obj(&w);
		jw_kcstr(&w, "quotaId", p->code);
		jw_kf64(&w, "value", raw_value(p, v[i].value));
		jw_kbool(&w, "isValid", true);
		jw_end(&w);
	}
	jw_end(&w);
	jw_end(&w);
}

// ST of HJ 212-2017 table 5: 22 ambient air, 31 air pollution source.
static int system_type(const struct sim_device *d)
{
	for (size_t i = 0; i < d->npoints; i++)
		if (strcmp(d->points[i].kind, "pm25") == 0)
			return 22;
	return 31;
}

bool payload_hj212(struct buf *out, const struct sim_device *d, int64_t time, const struct held_value *v, size_t n)
{
	struct buf segment, qn;
	char number[F64_TEXT_MAX];
	buf_init(&segment, 1024);
	buf_init(&qn, 32);
	hj212_device_head(&segment, d->code, d->key, system_type(d), time, &qn);
	for (size_t i = 0; i < n; i++) {
		const struct sim_point *p = &d->points[v[i].point];
		size_t len = f64_text(raw_value(p, v[i].value), number);
		buf_printf(&segment, ";%s-Rtd=%.*s,%s-Flag=N", p->address, (int)len, number, p->address);
	}
	buf_add_cstr(&segment, "&&");
	bool ok = buf_ok(&segment);
	if (ok)
		hj212_device_frame(buf_str(&segment), out);
	buf_free(&segment);
	buf_free(&qn);
	return ok;
}

// "1.1.fire" → 2 numbers, "1.1.40.3.fire" → 4, "11.1.91.1.5" → 5
static size_t address_parts(const char *address, uint32_t ret[5])
{
	struct str rest = str_of(address);
	size_t n = 0;
	uint64_t v;
	while (rest.n && n < 5) {
		if (!str_to_u64(str_cut(&rest, '.'), &v) || v > UINT32_MAX)
			break;
		ret[n++] = (uint32_t)v;
	}
	return n;
}

static double resolution(uint32_t quantity) // GB/T 26875.3-2011: resolution of each analogue quantity
{
	switch (quantity) {
	case 2: return 0.01;
	case 3: case 4: case 5: case 6: case 8: case 9: case 10: case 11: return 0.1;
	default: return 1;
	}
}

static void add_part(struct gb_unit units[4], const struct sim_point *p, double value, int64_t time)
{
	uint32_t a[5];
	size_t n = address_parts(p->address, a);
	uint16_t status = value > 0.5 ? GB_FIRE : GB_NORMAL;
	if (n == 2) {
		gb_add_system(&units[1], (uint8_t)a[0], (uint8_t)a[1], status, time);
	} else if (n == 4) {
		gb_add_component(&units[2], (uint8_t)a[0], (uint8_t)a[1], (uint8_t)a[2], a[3], status, p->code, time);
	} else if (n == 5) {
		double raw = round(value / p->scale / resolution(a[4]));
		gb_add_analog(&units[3], (uint8_t)a[0], (uint8_t)a[1], (uint8_t)a[2], a[3], (uint8_t)a[4],
		              (int16_t)fmin(fmax(raw, INT16_MIN), INT16_MAX), time);
	}
}

unsigned payload_gb26875(struct buf *out, const struct sim_device *d, int64_t time, const struct held_value *v, size_t n, uint16_t *seq)
{
	struct gb_unit units[4];
	unsigned frames = 0;
	for (uint8_t type = 1; type < 4; type++)
		gb_unit_begin(&units[type], type);
	for (size_t i = 0; i < n; i++)
		add_part(units, &d->points[v[i].point], v[i].value, time);
	for (uint8_t type = 1; type < 4; type++) {
		if (units[type].objects && gb_frame(*seq, d->code, &units[type], time, out)) {
			frames++;
			(*seq)++;
		}
		gb_unit_end(&units[type]);
	}
	return frames;
}
