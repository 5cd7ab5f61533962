// The device simulator: frames against verified vectors, physics within bounds, scenarios in their order.
// needs: base ../sim
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/time.h"
#include "sim/frames.h"
#include "sim/mqtt.h"
#include "sim/past.h"
#include "sim/payload.h"
#include "sim/physics.h"
#include "sim/scenario.h"
#include "sim/sim.h"

static void assert_hex(const struct buf *b, const char *want)
{
	char got[2048];
	assert_true(b->n * 2 < sizeof got);
	str_to_hex((const uint8_t *)b->p, b->n, got);
	got[b->n * 2] = 0;
	assert_string_equal(got, want);
}

// ---- HJ 212-2017 -------------------------------------------------------------------------------

// Annex A of HJ 212-2017.
static void hj212_annex_a(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 2048);
	hj212_device_frame(STR("QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&"), &b);
	static const char want[] = "##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&1C80\r\n";
	assert_int_equal(b.n, sizeof want - 1);
	assert_memory_equal(b.p, want, b.n);
	assert_int_equal(hj212_device_crc(STR("123456789")), 0x2f80);
	buf_free(&b);
}

static void hj212_answers(void **state)
{
	(void)state;
	static const char data_answer[] = "##0087QN=20160801085857223;ST=91;CN=9014;PW=123456;MN=010000A8900016F000169DC0;Flag=4;CP=&&&&3240\r\n";
	struct str in = str_of(data_answer), qn;
	int cn;
	for (size_t n = 0; n < in.n; n++)
		assert_int_equal(hj212_device_answer(str_first(in, n), &cn, &qn), 0);
	assert_int_equal(hj212_device_answer(in, &cn, &qn), in.n);
	assert_int_equal(cn, 9014);
	assert_true(str_is(qn, "20160801085857223"));
	assert_int_equal(hj212_device_answer(STR("##0087QN=20160801085857223;ST=91;CN=9014;PW=123456;MN=010000A8900016F000169DC0;Flag=4;CP=&&&&3241\r\n"), &cn, &qn), SIZE_MAX);
	assert_int_equal(hj212_device_answer(STR("hello world"), &cn, &qn), SIZE_MAX);
}

static struct sim_point point(const char *code, const char *address, double scale)
{
	return (struct sim_point){ .code = code, .kind = "nmhc", .address = address, .tag = "", .scale = scale, .every = US_PER_S, .hi = 1e9, .lo = -1e9, .forced = NAN };
}

static void hj212_upload(void **state)
{
	(void)state;
	struct sim_point points[] = { point("A", "a24088", 1), point("B", "a21026", 1) };
	struct sim_device d = { .code = "990121A0000000000000000C", .key = "secret99", .protocol = SIM_HJ212, .points = points, .npoints = 2 };
	struct held_value v[] = { { 0, 14.25 }, { 1, 8 } };
	struct buf b;
	buf_init(&b, 2048);
	clock_set_fake(INT64_C(1470013137223000)); // 2016-08-01 08:58:57.223 +08:00
	assert_true(payload_hj212(&b, &d, INT64_C(1470013137000000), v, 2));
	clock_set_fake(0);
	static const char want[] = "##0172QN=20160801085857223;ST=31;CN=2011;PW=secret99;MN=990121A0000000000000000C;Flag=5;"
	                           "CP=&&DataTime=20160801085857;a24088-Rtd=14.25,a24088-Flag=N;a21026-Rtd=8,a21026-Flag=N&&";
	assert_true(str_starts(buf_str(&b), str_from(want + 6, 0)));
	assert_memory_equal(b.p + 6, want + 6, sizeof want - 7);
	assert_int_equal(b.n, sizeof want - 1 + 6);
	buf_free(&b);
}

// ---- GB/T 26875.3 ------------------------------------------------------------------------------

#define GB_TIME INT64_C(1789799405000000) // 2026-09-19 14:30:05 +08:00

static void gb26875_frames(void **state)
{
	(void)state;
	struct gb_unit u;
	struct buf b;
	buf_init(&b, 2048);
	gb_unit_begin(&u, 1);
	gb_add_system(&u, 1, 1, 0x0002, GB_TIME);
	assert_true(gb_frame(2, "010000000000", &u, GB_TIME, &b));
	assert_hex(&b, "404002000101051e0e13091a0100000000000000000000000c0002010101010200051e0e13091ae72323");
	gb_unit_end(&u);
	buf_clear(&b);
	gb_unit_begin(&u, 21);
	gb_add_device(&u, 1, GB_TIME);
	assert_true(gb_frame(3, "010000000000", &u, GB_TIME, &b));
	assert_hex(&b, "404003000101051e0e13091a010000000000000000000000090002150101051e0e13091af62323");
	assert_false(gb_frame(3, "0100", &u, GB_TIME, &b));
	gb_unit_end(&u);
	buf_free(&b);
}

static void gb26875_answers(void **state)
{
	(void)state;
	uint8_t raw[30], command;
	uint16_t seq;
	assert_true(str_from_hex(STR("404003000101051e0e13091a000000000000010000000000000003702323"), raw, sizeof raw));
	for (size_t n = 0; n < sizeof raw; n++)
		assert_int_equal(gb_answer(str_from((const char *)raw, n), &command, &seq), 0);
	assert_int_equal(gb_answer(str_from((const char *)raw, sizeof raw), &command, &seq), sizeof raw);
	assert_int_equal(command, 3);
	assert_int_equal(seq, 3);
	raw[27]++;
	assert_int_equal(gb_answer(str_from((const char *)raw, sizeof raw), &command, &seq), SIZE_MAX);
}

// Three kinds of information, three frames with numbers of their own; fire is bit 1, pressure 0.1 kPa, level 0.01 m.
static void gb26875_parts(void **state)
{
	(void)state;
	struct sim_point points[] = { point("S", "1.1.fire", 1), point("P", "1.1.40.3.fire", 1), point("H", "11.1.91.1.5", 0.001), point("L", "11.1.92.1.2", 1) };
	struct sim_device d = { .code = "990121000007", .key = "", .protocol = SIM_GB26875, .points = points, .npoints = 4 };
	struct held_value v[] = { { 0, 0 }, { 1, 1 }, { 2, 0.46 }, { 3, 3.4 } };
	struct buf b;
	uint16_t seq = 65535;
	buf_init(&b, 2048);
	assert_int_equal(payload_gb26875(&b, &d, GB_TIME, v, 4, &seq), 3);
	assert_int_equal(seq, 2);
	const uint8_t *p = (const uint8_t *)b.p;
	assert_int_equal(p[29] | p[30] << 8, 1 * 256 + 1);       // system 1, address 1
	assert_int_equal(p[31], 0x01);                            // running, no fire
	const uint8_t *two = p + 42;
	assert_int_equal(two[29 + 7] | two[29 + 8] << 8, 0x0003); // running, fire
	const uint8_t *three = two + 30 + 48;
	assert_int_equal(three[29 + 8] | three[29 + 9] << 8, 4600);
	assert_int_equal(three[29 + 16 + 8] | three[29 + 16 + 9] << 8, 340);
	buf_free(&b);
}

// ---- MQTT --------------------------------------------------------------------------------------

static void mqtt_packets(void **state)
{
	(void)state;
	struct buf b;
	struct mqtt_in m;
	buf_init(&b, 2048);
	mqtt_connect(&b, STR("a"), STR("b"), STR("c"), 60);
	assert_hex(&b, "101300044d51545404c2003c000161000162000163");
	buf_clear(&b);
	mqtt_publish(&b, STR("t"), 10, STR("hi"), false);
	assert_hex(&b, "320700017400" "0a6869");
	assert_int_equal(mqtt_take(STR("\x20\x02\x00\x04"), &m), 4);
	assert_int_equal(m.type, MQTT_CONNACK);
	assert_int_equal(m.code, 4);
	assert_int_equal(mqtt_take(STR("\x40\x02\x01"), &m), 0);
	assert_int_equal(mqtt_take(STR("\x40\x02\x01\x02rest"), &m), 4);
	assert_int_equal(m.id, 0x102);
	assert_int_equal(mqtt_take(STR("\x40\xff\xff\xff\xff\x01"), &m), SIZE_MAX);
	buf_free(&b);
}

// ---- physics -----------------------------------------------------------------------------------

static void tank_physics(void **state)
{
	(void)state;
	struct tank t = { .volume = 4000, .level = 78, .in = 600 };
	tank_step(&t, 1);
	assert_true(fabs(t.level - 93) < 1e-9);      // 600 m³ of 4,000 are 15 %
	tank_step(&t, 1);
	assert_true(t.level == 100 && fabs(t.spilled - 320) < 1e-6);
	t.in = 0;
	t.out = 1e6;
	tank_step(&t, 1);
	assert_true(t.level == 0);
}

static void plume_physics(void **state)
{
	(void)state;
	struct wind w = { .speed = 2, .from = 270 }; // to the east
	assert_true(plume_mg_m3(w, 6, -10, 0) == 0); // nothing upwind
	assert_true(plume_mg_m3(w, 0, 50, 0) == 0);
	double near = plume_mg_m3(w, 6, 20, 0), far = plume_mg_m3(w, 6, 150, 0), aside = plume_mg_m3(w, 6, 20, 15);
	assert_true(near > far && far > 0 && near > aside);
	assert_true(plume_mg_m3((struct wind){ 4, 270 }, 6, 50, 0) < plume_mg_m3(w, 6, 50, 0)); // wind thins
	assert_true(fabs(plume_along(w, 100, 30) - 100) < 1e-6);
	assert_true(fabs(nh3_ppm(17.03) - 24.45) < 1e-9);
	assert_true(fabs(sensor_lag(0, 100, 8, 8) - 63.2) < 0.1);
}

static void slow_physics(void **state)
{
	(void)state;
	struct collector c = { .pressure = 980, .wind = 23, .temperature = 32, .dust = 2.4, .clogging = true };
	for (int i = 0; i < 2000; i++)
		collector_step(&c, 0.1);
	assert_true(c.pressure < 2100.1 && c.pressure > 2000 && c.wind >= 0 && c.wind < 17 && c.dust < 60);
	struct pond p = { .level = 127.6, .weir = 2, .rain = 60 };
	double before = pond_beach(&p);
	for (int i = 0; i < 400; i++)
		pond_step(&p, 0.05);
	assert_true(p.level > 129.5 && p.level < POND_CREST && pond_beach(&p) < before);
	p.rain = 0;
	double high = p.level;
	for (int i = 0; i < 4000; i++)
		pond_step(&p, 0.05);
	assert_true(p.level < high && p.level > POND_SILL - 0.1);
	struct cold k = { .temperature = -19 };
	for (int i = 0; i < 1000; i++)
		cold_step(&k, 1);
	assert_true(k.temperature > 24 && k.temperature < 25.1); // as warm as outside, not more
	k.running = true;
	for (int i = 0; i < 1000; i++)
		cold_step(&k, 1);
	assert_true(k.temperature >= -20);
}

// ---- county and scenarios ----------------------------------------------------------------------

static const char devices[] =
	"# remark\n"
	"D\tC01-tank\tmqtt\tkey\tC01\n"
	"P\tC01-LT501\tlevel\t-\t1\t2\t78\t0.02\t0\t0\t0\t100\t119.05\t33.08\toverfill.level\n"
	"P\tC01-TT501\ttemperature\t-\t1\t10\t18\t0.05\t2\t0\t-20\t100\t119.05\t33.08\t-\n"
	"D\tA01-gas\tmqtt\tkey\tA01\n"
	"P\tA01-AA01\tnh3\t-\t1\t5\t2.5\t0.2\t0.5\t0\t0\t500\t119.000054\t33.000045\tammonia.gas\n"
	"P\tA01-AA02\tnh3\t-\t1\t5\t2.5\t0.2\t0.5\t0\t0\t500\t119.000408\t33.000306\tammonia.gas\n"
	"P\tA01-AA03\tnh3\t-\t1\t5\t2.5\t0.2\t0.5\t0\t0\t500\t119.001019\t33.000794\tammonia.gas\n"
	"D\tD01-gw\tmqtt\tkey\tD01\n"
	"P\tD01-DP01\tdifferential_pressure\t-\t1\t5\t980\t8\t40\t0\t0\t5000\t119\t33\tdust.pressure\n"
	"P\tD01-TC01\tcollector_temperature\t-\t1\t5\t32\t0.06\t2\t0\t-20\t200\t119\t33\tdust.temperature\n"
	"D\tW01-water\tmqtt\tkey\tW01\n"
	"P\tW01-WL01\tpool_level\t-\t1\t10\t127.6\t0.001\t0\t0\t100\t140\t119\t33\train.level\n"
	"P\tW01-DB01\tdry_beach\t-\t1\t10\t118\t0.2\t0\t0\t0\t500\t119\t33\train.beach\n"
	"D\tA02-cold\tmqtt\tkey\tA02\n"
	"P\tA02-CT01\tcold_temperature\t-\t1\t10\t-19\t0.06\t0.3\t0\t-60\t40\t119\t33\tcold.temperature\n"
	"D\tF01-utd\tgb26875\t-\tF01\n"
	"P\tF01-FS00\tfire_status\t1.1.fire\t1\t60\t0\t0\t0\t0\t0\t1\t119\t33\tfire.system\n"
	"P\tF01-FS03\tfire_status\t1.1.40.3.fire\t1\t60\t0\t0\t0\t0\t0\t1\t119\t33\tfire.part\n";

static void load(struct county *c, const char *text)
{
	char path[] = "/tmp/test_sim_XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	bool ok = county_load(c, path);
	unlink(path);
	assert_true(ok == (text == devices));
}

static void bad_lists(void **state)
{
	(void)state;
	static const char *const bad[] = { "P\tx\n", "D\tx\tcarrier-pigeon\tk\tp\n", "D\tx\tmqtt\tk\tp\nP\tx\tlevel\t-\t1\t0\t1\t1\t1\t0\t0\t1\t0\t0\t-\n", "hello\n" };
	struct county c;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		load(&c, bad[i]);
		county_free(&c);
	}
	assert_false(county_load(&c, "/nonexistent"));
	county_free(&c);
}

static struct sim_point *by_code(struct county *c, const char *code)
{
	for (size_t i = 0; i < c->ndevices; i++)
		for (size_t k = 0; k < c->devices[i].npoints; k++)
			if (strcmp(c->devices[i].points[k].code, code) == 0)
				return &c->devices[i].points[k];
	fail_msg("no point %s", code);
	return NULL;
}

// A quiet point never leaves normal ± bound, over three days and every minute.
static void quiet(void **state)
{
	(void)state;
	struct county c;
	load(&c, devices);
	for (size_t i = 0; i < c.ndevices; i++)
		for (size_t k = 0; k < c.devices[i].npoints; k++)
			for (int64_t t = 0; t < 3 * 1440; t++) {
				const struct sim_point *p = &c.devices[i].points[k];
				double v = normal_value(p, INT64_C(1790000000000000) + t * US_PER_MIN);
				assert_true(fabs(v - p->normal) <= normal_bound(p) + 1e-9);
				assert_true(v >= p->lo && v <= p->hi);
			}
	county_free(&c);
}

// The first second at which each point passes a value in the given direction; all scenarios, each once.
static void scenarios_in_order(void **state)
{
	(void)state;
	static const struct { const char *code; double limit; bool above; int from, to; } want[] = {
		{ "C01-LT501", 85, true, 30, 60 },      // the first alarm within 90 s of the start
		{ "C01-LT501", 92, true, 55, 90 },
		{ "A01-AA01", 25, true, 200, 225 },
		{ "A01-AA02", 25, true, 210, 260 },
		{ "A01-AA03", 25, true, 240, 330 },
		{ "D01-DP01", 1600, true, 320, 370 },
		{ "D01-TC01", 60, true, 370, 430 },
		{ "D01-TC01", 70, true, 390, 460 },
		{ "F01-FS00", 0.5, true, 450, 465 },
		{ "A02-CT01", -15, true, 560, 640 },
		{ "A02-CT01", -12, true, 620, 720 },
		{ "W01-WL01", 128.5, true, 620, 800 },
		{ "W01-WL01", 129.5, true, 680, 1000 },
		{ "W01-DB01", 80, false, 640, 1000 },
	};
	int at[ARRAY_LEN(want)] = { 0 }, last = 0, high_pool = 0;
	struct county c;
	load(&c, devices);
	struct scenarios *s = scenarios_new(&c, NULL, 1, NULL, true);
	assert_non_null(s);
	for (int tick = 1; tick < 5 * 2400 && scenarios_turn(s, 0.2); tick++) {
		last = tick / 5;
		for (size_t i = 0; i < ARRAY_LEN(want); i++) {
			double v = by_code(&c, want[i].code)->forced;
			if (!at[i] && !isnan(v) && (want[i].above ? v > want[i].limit : v < want[i].limit))
				at[i] = last;
		}
		high_pool += by_code(&c, "W01-WL01")->forced > 129.5;
	}
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		if (at[i] < want[i].from || at[i] > want[i].to)
			fail_msg("%s passes %g after %d s", want[i].code, want[i].limit, at[i]);
	assert_true(high_pool > 5 * 70);   // the rule waits 60 s
	assert_true(last < 2000);          // all come to their end
	for (size_t i = 0; i < c.ndevices; i++)
		for (size_t k = 0; k < c.devices[i].npoints; k++)
			assert_true(isnan(c.devices[i].points[k].forced)); // and give their points back
	scenarios_free(s);
	assert_null(scenarios_new(&c, NULL, 1, "no such thing", false));
	county_free(&c);
}

// The recordings shipped with the packs reach the limits of the demo's points.
static void recordings(void **state)
{
	(void)state;
	static const char one[] = "D\tC02-dcs\tmqtt\tkey\tC02\nP\tC02-XMEAS07\treactor_pressure\t-\t1\t5\t2705\t4\t2\t0\t0\t3200\t119\t33\ttep.7\n"
	                          "D\tM01-gw\tmqtt\tkey\tM01\nP\tM01-MT01\tmachine_temperature\t-\t1\t5\t90\t0.4\t1\t0\t0\t200\t119\t33\tnab.temperature\n";
	char path[] = "/tmp/test_sim_XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0 && write(fd, one, sizeof one - 1) == sizeof one - 1);
	close(fd);
	struct county c;
	assert_true(county_load(&c, path));
	unlink(path);
	struct scenarios *s = scenarios_new(&c, "packs", 1, NULL, false);
	double pressure = 0, coldest = 1000, quiet_most = 0;
	for (int tick = 1; tick < 5 * 880; tick++) {
		assert_true(scenarios_turn(s, 0.2));
		pressure = fmax(pressure, by_code(&c, "C02-XMEAS07")->forced);
		if (tick < 5 * 95)
			quiet_most = fmax(quiet_most, by_code(&c, "C02-XMEAS07")->forced);
		coldest = fmin(coldest, by_code(&c, "M01-MT01")->forced);
	}
	assert_true(pressure > 2895 && quiet_most > 2600 && quiet_most < 2780);
	assert_true(coldest < 40);
	scenarios_free(s);
	county_free(&c);
}

// A tank fills steadily over its high limit, one detector crept up for good, one froze; whoever has no past is quiet.
static void pasts(void **ignored)
{
	(void)ignored;
	int64_t start = INT64_C(1798000000) * US_PER_S, hour = US_PER_HOUR;
	struct sim_point tank = { .code = "L", .kind = "level", .tag = "past.level02", .normal = 44, .hi = 100 };
	struct sim_point crept = { .code = "C", .kind = "combustible_gas", .tag = "past.gas03", .normal = 1, .noise = 0.1, .hi = 100, .seed = 3 };
	struct sim_point frozen = { .code = "F", .kind = "combustible_gas", .tag = "past.gas07", .normal = 1, .noise = 0.1, .hi = 100, .seed = 7 };
	struct sim_point other = { .code = "O", .kind = "combustible_gas", .tag = "past.gas05", .normal = 1, .hi = 100 };
	double v, before = 0;
	for (int64_t t = start - 40 * US_PER_MIN; t <= start + 45 * US_PER_MIN; t += US_PER_MIN) {
		assert_true(past_value(&tank, start, t, &v));
		assert_true(v > before && v < 85);
		before = v;
	}
	assert_true(past_value(&tank, start, start + 52 * US_PER_MIN, &v) && v > 85);
	assert_true(past_value(&tank, start, start + 2 * hour, &v) && v < 60);
	assert_true(past_value(&crept, start, start - 10 * hour, &v) && fabs(v - normal_value(&crept, start - 10 * hour)) < 1e-9);
	assert_true(past_value(&crept, start, start + hour, &v) && v - normal_value(&crept, start + hour) > 4);
	assert_true(past_value(&frozen, start, start, &v));
	before = v;
	assert_true(past_value(&frozen, start, start + hour, &v) && !(v < before) && !(v > before));
	assert_true(past_value(&frozen, start, start - hour, &v) && fabs(v - before) > 0);
	assert_false(past_value(&other, start, start, &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hj212_annex_a),  cmocka_unit_test(hj212_answers), cmocka_unit_test(hj212_upload),
		cmocka_unit_test(gb26875_frames), cmocka_unit_test(gb26875_answers), cmocka_unit_test(gb26875_parts),
		cmocka_unit_test(mqtt_packets),   cmocka_unit_test(tank_physics),  cmocka_unit_test(plume_physics),
		cmocka_unit_test(slow_physics),   cmocka_unit_test(bad_lists),     cmocka_unit_test(quiet),
		cmocka_unit_test(scenarios_in_order), cmocka_unit_test(recordings),
		cmocka_unit_test(pasts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
