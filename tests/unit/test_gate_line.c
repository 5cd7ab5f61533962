// The gate's line protocols, TLS, walls and clocks. The frames are those of the standards and of public captures.
// needs: base bus loop gate gate/decode
#include "fake_core.h"

#include "base/time.h"
#include "gate/conn.h"
#include "gate/line.h"
#include "gate/sandbox.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static struct fake *f;

static int start(void **state)
{
	(void)state;
	f = fake_start(STR_EMPTY, STR_EMPTY);
	return 0;
}
static int end(void **state)
{
	(void)state;
	fake_end(f);
	return 0;
}

// --- HJ 212 ---

// A frame around the segment, Flag and device number as given; CRC by the decoder's own function.
static void hj212_send(int fd, const char *segment)
{
	struct buf b;
	buf_init(&b, 4096);
	hj212_frame(str_of(segment), &b);
	client_send(fd, buf_str(&b));
	buf_free(&b);
}

static void hj212_expect(int fd, const char *segment)
{
	struct buf b;
	char got[2048];
	buf_init(&b, 4096);
	hj212_frame(str_of(segment), &b);
	size_t n = client_receive(f, fd, (uint8_t *)got, b.n, WAIT_MS);
	if (!str_eq(str_from(got, n), buf_str(&b)))
		fail_msg("received '%.*s' instead of '%.*s'", (int)n, got, (int)b.n, b.p);
	buf_free(&b);
}

#define HJ_DATA(pw, flag, value) \
	"QN=20260801085857223;ST=32;CN=2011;PW=" pw ";MN=" HJ_MN ";Flag=" flag ";CP=&&DataTime=20260801085857;" \
	"w01001-Rtd=" value ",w01001-Flag=N;w01018-Rtd=2.2,w01018-Flag=D&&"

static void hj212_data_is_answered_when_it_is_safe(void **state)
{
	(void)state;
	f->auto_ack = false;
	int fd = client_connect(f->line[PROTO_HJ212]);
	hj212_send(fd, HJ_DATA("123456", "5", "7.1"));
	UNTIL(f, f->nreadings == 2);
	assert_int_equal(f->readings[0].point, 301);
	assert_true(f->readings[0].value == 7.1);
	assert_int_equal(f->readings[0].quality, Q_GOOD);
	assert_int_equal(f->readings[1].point, 302);
	assert_int_equal(f->readings[1].quality, Q_BAD);
	client_expect_nothing(f, fd, 50);
	core_ack(f, f->seq);
	hj212_expect(fd, "QN=20260801085857223;ST=91;CN=9014;PW=123456;MN=" HJ_MN ";Flag=4;CP=&&&&");
	hj212_send(fd, HJ_DATA("123456", "4", "7.2")); // bit A off: no answer wanted
	hj212_send(fd, HJ_DATA("123456", "5", "7.3"));
	UNTIL(f, f->nmessages == 3);
	core_ack(f, f->seq);
	hj212_expect(fd, "QN=20260801085857223;ST=91;CN=9014;PW=123456;MN=" HJ_MN ";Flag=4;CP=&&&&");
	client_expect_nothing(f, fd, 30);
	assert_int_equal(f->hello, 1);
	close(fd);
}

static void hj212_wrong_key_and_unknown_number(void **state)
{
	(void)state;
	int fd = client_connect(f->line[PROTO_HJ212]);
	hj212_send(fd, HJ_DATA("654321", "5", "7.1"));
	hj212_expect(fd, "QN=20260801085857223;ST=91;CN=9011;PW=654321;MN=" HJ_MN ";Flag=4;CP=&&QnRtn=3&&");
	client_expect_end(f, fd);
	fd = client_connect(f->line[PROTO_HJ212]);
	hj212_send(fd, "QN=20260801085857223;ST=32;CN=2011;PW=123456;MN=NOBODY;Flag=5;CP=&&DataTime=20260801085857;LA-Rtd=1&&");
	hj212_expect(fd, "QN=20260801085857223;ST=91;CN=9011;PW=123456;MN=NOBODY;Flag=4;CP=&&QnRtn=4&&");
	client_expect_end(f, fd);
	assert_int_equal(f->nreadings, 0);
}

static void hj212_bad_frames(void **state)
{
	(void)state;
	int fd = client_connect(f->line[PROTO_HJ212]);
	hj212_send(fd, HJ_DATA("123456", "5", "7.1"));
	hj212_expect(fd, "QN=20260801085857223;ST=91;CN=9014;PW=123456;MN=" HJ_MN ";Flag=4;CP=&&&&");
	client_send(fd, STR("##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&"
	                    "RtdInterval=30&&FFFF\r\n"));
	UNTIL(f, f->rejects[REJECT_CHECKSUM] == 1);
	hj212_send(fd, HJ_DATA("123456", "5", "7.2")); // and on it goes
	hj212_expect(fd, "QN=20260801085857223;ST=91;CN=9014;PW=123456;MN=" HJ_MN ";Flag=4;CP=&&&&");
	hj212_send(fd, HJ_DATA("123456", "5", "abc"));
	UNTIL(f, f->rejects[REJECT_VALUE] + f->rejects[REJECT_SYNTAX] == 1);
	close(fd);
	fd = client_connect(f->line[PROTO_HJ212]);
	client_send(fd, STR("GET / HTTP/1.1\r\n\r\n"));
	client_expect_end(f, fd);
	fd = client_connect(f->line[PROTO_HJ212]);
	hj212_send(fd, "QN=20260801085857223;ST=32;CN=1013;PW=123456;MN=" HJ_MN ";Flag=5;CP=&&PolId=w01018&&");
	uint8_t b[64];
	assert_true(client_receive(f, fd, b, 10, WAIT_MS) == 10); // 9013, the notice's answer
	close(fd);
}

static void hj212_commands_and_their_answers(void **state)
{
	(void)state;
	int fd = client_connect(f->line[PROTO_HJ212]);
	core_command(f, 10, 70, (struct command){ .kind = COMMAND_INTERVAL_GET }, "");
	UNTIL(f, f->ndelivered == 1); // nobody there
	assert_int_equal(f->delivered.count, 0);
	hj212_send(fd, HJ_DATA("123456", "4", "7.1"));
	UNTIL(f, f->subscribed == 1); // now it can be spoken to
	core_command(f, 10, 71, (struct command){ .kind = COMMAND_HEARTBEAT_SET, .seconds = 30 }, ""); // not in this protocol
	UNTIL(f, f->ndelivered == 2 && f->delivered.seq == 71);
	assert_int_equal(f->delivered.count, 0);
	char got[512] = "", again[512] = "", qn[18] = "";
	for (int i = 0; i < 2; i++) { // the same number again
		core_command(f, 10, 72, (struct command){ .kind = COMMAND_INTERVAL_GET }, "");
		size_t n = client_receive(f, fd, (uint8_t *)(i ? again : got), 99, WAIT_MS);
		assert_int_equal(n, 99);
		UNTIL(f, f->delivered.seq == 72 && f->delivered.count == 1);
	}
	assert_string_equal(got, again);
	memcpy(qn, got + 9, 17);
	char segment[256];
	snprintf(segment, sizeof segment, "QN=%s;ST=91;CN=9011;PW=123456;MN=" HJ_MN ";Flag=4;CP=&&QnRtn=1&&", qn);
	hj212_send(fd, segment);
	UNTIL(f, f->nanswers == 1);
	assert_true(f->answer.m.seq == 72 && f->answer.m.device == 10 && f->answer.a.outcome == OUTCOME_ACCEPTED);
	snprintf(segment, sizeof segment, "QN=%s;ST=32;CN=1061;PW=123456;MN=" HJ_MN ";Flag=4;CP=&&RtdInterval=60&&", qn);
	hj212_send(fd, segment);
	UNTIL(f, f->nanswers == 2);
	assert_true(f->answer.m.seq == 72 && f->answer.a.outcome == OUTCOME_DONE);
	assert_string_equal(f->answer.a.text, "RtdInterval=60 s");
	hj212_send(fd, segment); // nobody waits for it any more
	hj212_send(fd, HJ_DATA("123456", "4", "7.3"));
	UNTIL(f, f->nmessages == 2);
	assert_int_equal(f->nanswers, 2);
	assert_int_equal(f->subscribed, 1);
	close(fd);
}

#define HJ_PACKET "QN=2026080108%04u223;ST=32;CN=2011;PW=123456;MN=" HJ_MN ";Flag=7;PNUM=2;PNO=%u;CP=&&%.*s&&"
#define HJ_TIME "DataTime=20260801085857;"

static void hj212_packet(int fd, unsigned message, unsigned no, struct str cp)
{
	char segment[2048];
	snprintf(segment, sizeof segment, HJ_PACKET, message, no, STR_FMT(cp));
	hj212_send(fd, segment);
}

// The same readings wherever the packet was full, in a value, a name, beside a comma or a semicolon; each packet is answered.
static void hj212_items_cut_between_packets(void **state)
{
	(void)state;
	static const char *const whole[] = { HJ_TIME "w01001-Rtd=17.25,w01001-Flag=N;w01018-Rtd=2.5,w01018-Flag=D", HJ_TIME "w01001-Rtd=17.25;w01018-Rtd=-2.5" };
	int fd = client_connect(f->line[PROTO_HJ212]);
	unsigned message = 0;
	for (size_t w = 0; w < ARRAY_LEN(whole); w++)
		for (size_t at = strlen(HJ_TIME); at <= strlen(whole[w]); at++) {
			size_t before = f->nreadings;
			uint8_t answers[400];
			hj212_packet(fd, ++message, 1, str_first(str_of(whole[w]), at));
			hj212_packet(fd, message, 2, str_skip(str_of(whole[w]), at));
			UNTIL(f, f->nreadings >= before + 2);
			assert_int_equal(client_receive(f, fd, answers, 198, WAIT_MS), 198); // two of 99 bytes
			bool ok = f->nreadings == before + 2 && f->readings[before].point == 301 && f->readings[before].value == 17.25 &&
			          f->readings[before + 1].point == 302 && f->readings[before + 1].value == (w ? -2.5 : 2.5) &&
			          f->readings[before + 1].quality == (w ? Q_GOOD : Q_BAD) && f->readings[before + 1].time == f->readings[before].time;
			if (!ok)
				fail_msg("cut at byte %zu: '%s' gives %zu readings", at, whole[w], f->nreadings - before);
		}
	assert_int_equal(f->rejects[REJECT_SYNTAX] + f->rejects[REJECT_VALUE] + f->rejects[REJECT_TIME], 0);
	close(fd);
}

// Whole items without a flag at the end, as the standard has them; a packet again; the next that never comes.
static void hj212_packets_of_whole_items(void **state)
{
	(void)state;
	int fd = client_connect(f->line[PROTO_HJ212]);
	hj212_packet(fd, 1, 1, STR(HJ_TIME "w01001-Rtd=7.5"));
	hj212_packet(fd, 1, 1, STR(HJ_TIME "w01001-Rtd=7.5"));
	hj212_packet(fd, 1, 2, STR("w01018-Rtd=2.5"));
	UNTIL(f, f->nreadings == 2);
	assert_true(f->readings[0].value == 7.5 && f->readings[1].value == 2.5);
	hj212_packet(fd, 2, 1, STR(HJ_TIME "w01001-Rtd=8.5"));
	hj212_packet(fd, 3, 1, STR(HJ_TIME "w01001-Rtd=9.5,w01001-Fl")); // another message: what was open is read
	UNTIL(f, f->nreadings == 3);
	assert_true(f->readings[2].value == 8.5);
	close(fd); // cut in the middle, and gone
	UNTIL(f, f->rejects[REJECT_SYNTAX] == 1);
	fd = client_connect(f->line[PROTO_HJ212]);
	hj212_packet(fd, 4, 1, STR(HJ_TIME "w01001-Rtd=9.75"));
	uint8_t answer[99];
	assert_int_equal(client_receive(f, fd, answer, 99, WAIT_MS), 99);
	close(fd);
	UNTIL(f, f->nreadings == 4);
	assert_true(f->readings[3].value == 9.75);
}

// What the next packet needs is the core's before the packet is answered; a gate that finds it there goes on with it.
static void hj212_packets_outlive_the_gate(void **state)
{
	(void)state;
	int fd = client_connect(f->line[PROTO_HJ212]);
	hj212_send(fd, HJ_DATA("123456", "5", "7.0")); // it is known now
	uint8_t answer[99];
	assert_int_equal(client_receive(f, fd, answer, 99, WAIT_MS), 99);
	f->auto_ack = false;
	hj212_packet(fd, 1, 1, STR(HJ_TIME "w01001-Rtd=17.2"));
	UNTIL(f, f->keep.m.count);
	assert_true(str_is(str_from(f->kept, f->keep.m.count), HJ_TIME "w01001-Rtd=17.2") && f->keep.parts == 2 && f->keep.part == 1);
	client_expect_nothing(f, fd, 30);
	core_ack(f, f->seq);
	assert_int_equal(client_receive(f, fd, answer, 99, WAIT_MS), 99);
	f->auto_ack = true;
	size_t before = f->nreadings;
	int later = client_connect(f->line[PROTO_HJ212]); // the device has connected anew: it goes on there
	hj212_packet(later, 1, 2, STR("5,w01001-Flag=D;w01018-Rtd=2.5"));
	UNTIL(f, f->nreadings == before + 2 && f->keep.m.count == 0); // and nothing is kept any more
	assert_true(f->readings[before].point == 301 && f->readings[before].value == 17.25 && f->readings[before].quality == Q_BAD);
	assert_true(f->readings[before + 1].value == 2.5 && f->readings[before + 1].time == f->readings[before].time);
	hj212_packet(later, 2, 1, STR(HJ_TIME "w01001-Rtd=6.2"));
	UNTIL(f, f->keep.m.count);
	struct msg_keep keep = f->keep;
	close(later);
	UNTIL(f, f->nreadings == before + 3);
	f->keep = keep; // as if the gate had been killed instead
	f->gives = true;
	fd = client_connect(f->line[PROTO_HJ212]);
	hj212_packet(fd, 2, 2, STR("5,w01001-Flag=D;w01018-Rtd=3.5"));
	UNTIL(f, f->nreadings == before + 5 && f->keep.m.count == 0);
	assert_true(f->readings[before + 3].value == 6.25 && f->readings[before + 3].quality == Q_BAD);
	assert_true(f->readings[before + 4].value == 3.5 && f->readings[before + 4].time == f->readings[before + 3].time);
	close(fd);
}

// --- many unfinished messages ---

#define CROWD 90
#define PIECE (100u << 10) // of a first message; strangers may begin one of 128 KiB

static int begin_message(struct buf *piece)
{
	int fd = client_connect(f->line[PROTO_GATEWAY]);
	size_t sent = 0;
	for (int i = 0; sent < piece->n && i < WAIT_MS; i++) {
		ssize_t n = send(fd, piece->p + sent, piece->n - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		if (n > 0)
			continue;
		if (f->most.crowded > 0)
			break; // it is not read any more: that is what is wanted
		core_serve_for(f, 1);
	}
	return fd;
}

// Each alone may keep what it began, all together not: those with most are not read, the others go on, and there is an end.
static void unfinished_messages_are_bounded_together(void **state)
{
	(void)state;
	int crowd[CROWD];
	struct buf piece;
	buf_init(&piece, PIECE);
	buf_add_cstr(&piece, "{\"data\":\"");
	while (piece.n < PIECE)
		buf_add_u8(&piece, 'A');
	for (size_t i = 0; i < CROWD; i++)
		crowd[i] = begin_message(&piece);
	UNTIL(f, f->most.crowded > 0);
	assert_true(f->most.buffered > LIMIT_GATE_BUFFERED / 2 && f->most.buffered < 2 * LIMIT_GATE_BUFFERED);
	int fd = client_connect(f->line[PROTO_HJ212]); // who keeps little is read as ever
	hj212_send(fd, HJ_DATA("123456", "5", "7.1"));
	hj212_expect(fd, "QN=20260801085857223;ST=91;CN=9014;PW=123456;MN=" HJ_MN ";Flag=4;CP=&&&&");
	// LIMIT_GATE_CROWDED_S; who sends nothing more is found within a second, so there is room at last whoever came first
	UNTIL(f, f->rejects[REJECT_SLOW] > 0 && f->gate.crowded == 0 && f->gate.buffered <= LIMIT_GATE_BUFFERED);
	size_t closed = f->rejects[REJECT_SLOW];
	assert_true(closed < CROWD); // no more than it takes
	hj212_send(fd, HJ_DATA("123456", "5", "7.2"));
	hj212_expect(fd, "QN=20260801085857223;ST=91;CN=9014;PW=123456;MN=" HJ_MN ";Flag=4;CP=&&&&");
	for (size_t i = 0; i < CROWD; i++)
		close(crowd[i]);
	UNTIL(f, f->gate.buffered < 64u << 10);
	close(fd);
	buf_free(&piece);
}

// --- GB/T 26875.3 ---

// Vector I of the standards file: fire alarm of system 1 address 11, source 010101010101
#define GB_FIRE "40402E000100041F0C0706120101010101010202020202020C00020101010B020024220C0706121E2323"

static void gb26875_is_confirmed_when_it_is_safe(void **state)
{
	(void)state;
	f->auto_ack = false;
	int fd = client_connect(f->line[PROTO_GB26875]);
	client_send_hex(fd, GB_FIRE);
	UNTIL(f, f->nreadings == 1);
	assert_int_equal(f->readings[0].point, 401);
	assert_true(f->readings[0].value == 1);
	client_expect_nothing(f, fd, 50);
	core_ack(f, f->seq);
	uint8_t b[30];
	assert_int_equal(client_receive(f, fd, b, 30, WAIT_MS), 30);
	static const uint8_t head[] = { 0x40, 0x40, 0x2E, 0x00, 0x01, 0x00 }; // same number and versions
	assert_memory_equal(b, head, sizeof head);
	static const uint8_t addresses[] = { 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 0, 0, GB26875_CONFIRM };
	assert_memory_equal(b + 12, addresses, sizeof addresses);
	uint8_t sum = 0;
	for (int i = 2; i < 27; i++)
		sum = (uint8_t)(sum + b[i]);
	assert_int_equal(b[27], sum);
	assert_int_equal(b[28] << 8 | b[29], 0x2323);
	close(fd);
}

// 2018-06-07T12:34:31+08:00 in BCD, as the device's record says; the confirmation has its time in BCD too.
static void gb26875_times_in_bcd(void **state)
{
	(void)state;
	int fd = client_connect(f->line[PROTO_GB26875]);
	client_send_hex(fd, "4040300001003134120706180303030303030202020202020C00020101010B0200313412070618A52323");
	UNTIL(f, f->nreadings == 1);
	assert_int_equal(f->readings[0].point, 411);
	assert_true(f->readings[0].time == INT64_C(1528346071000000));
	char b[30];
	assert_int_equal(client_receive(f, fd, (uint8_t *)b, 30, WAIT_MS), 30);
	int64_t at = gb26875_time(str_from(b + 6, GB26875_TIME_BYTES), true), now = clock_now();
	assert_true(at <= now && now - at < 2 * WAIT_MS * US_PER_MS);
	close(fd);
}

static void gb26875_unknown_source_is_denied(void **state)
{
	(void)state;
	int fd = client_connect(f->line[PROTO_GB26875]);
	client_send_hex(fd, "404003000101103B0C1B0C11672B00000000385B010000000A000218010100003B0C1B0C115F2323"); // vector D
	uint8_t b[30];
	assert_int_equal(client_receive(f, fd, b, 30, WAIT_MS), 30);
	assert_int_equal(b[26], GB26875_DENY);
	client_expect_end(f, fd);
	fd = client_connect(f->line[PROTO_GB26875]);
	client_send_hex(fd, GB_FIRE);
	UNTIL(f, f->nreadings == 1);
	client_send_hex(fd, "40402E000100041F0C0706120101010101010202020202020C00020101010B020024220C0706121F2323"); // sum
	UNTIL(f, f->rejects[REJECT_CHECKSUM] == 1);
	assert_int_equal(f->nreadings, 1);
	close(fd);
}

// --- TLS ---

// A self-signed certificate for localhost, made here.
static void make_certificate(struct buf *cert, struct buf *key)
{
	EVP_PKEY *k = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, k);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const uint8_t *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	assert_true(X509_sign(x, k, EVP_sha256()) > 0);
	BIO *b = BIO_new(BIO_s_mem());
	char *p;
	PEM_write_bio_X509(b, x);
	long n = BIO_get_mem_data(b, &p);
	buf_add(cert, p, (size_t)n);
	BIO_free(b);
	b = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(b, k, NULL, NULL, 0, NULL, NULL);
	n = BIO_get_mem_data(b, &p);
	buf_add(key, p, (size_t)n);
	BIO_free(b);
	X509_free(x);
	EVP_PKEY_free(k);
}

static void tls_expect(SSL *s, const char *hex)
{
	uint8_t want[256], got[256];
	size_t n = hex_bytes(hex, want, sizeof want), have = 0;
	for (int i = 0; have < n && i < WAIT_MS; i++) {
		core_serve(f);
		int r = SSL_read(s, got + have, (int)(n - have));
		if (r > 0)
			have += (size_t)r;
		else
			usleep(1000);
	}
	assert_int_equal(have, n);
	assert_memory_equal(got, want, n);
}

static void mqtt_over_tls(void **state)
{
	(void)state;
	struct buf cert, key, b;
	buf_init(&cert, 65536);
	buf_init(&key, 65536);
	buf_init(&b, 1u << 20);
	make_certificate(&cert, &key);
	f = fake_start(buf_str(&cert), buf_str(&key));
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		int fd = client_connect(f->mqtts);
		SSL *s = SSL_new(ctx);
		SSL_set_max_proto_version(s, version);
		SSL_set_fd(s, fd);
		assert_int_equal(SSL_connect(s), 1);
		fcntl(fd, F_SETFL, O_NONBLOCK);
		buf_clear(&b);
		mqtt_write_connect(&b, MQTT_V311, STR("c"), STR("D1"), STR("secret"), 60);
		assert_int_equal(SSL_write(s, b.p, (int)b.n), b.n);
		tls_expect(s, CONNACK_311);
		buf_clear(&b);
		char json[200];
		for (uint16_t i = 1; i <= 200; i++)
			mqtt_write_publish(&b, MQTT_V311, STR("anlan/v1/D1/readings"), 1, i, reading_json(json, sizeof json, "level", i));
		size_t before = f->nmessages;
		assert_int_equal(SSL_write(s, b.p, (int)b.n), b.n); // several records, more than one read
		for (unsigned i = 1; i <= 200; i++) {
			char hex[9];
			snprintf(hex, sizeof hex, "4002%04X", i);
			tls_expect(s, hex);
		}
		assert_int_equal(f->nmessages, before + 200);
		SSL_shutdown(s);
		SSL_free(s);
		close(fd);
	}
	int plain = client_connect(f->mqtts); // MQTT without TLS on the TLS port
	client_send_hex(plain, "10 0E 0004 4D515454 04 02 003C 0002 6465");
	uint8_t rest[64];
	while (client_receive(f, plain, rest, sizeof rest, 1000) == sizeof rest)
		;
	close(plain);
	SSL_CTX_free(ctx);
	fake_end(f);
	buf_free(&cert);
	buf_free(&key);
	buf_free(&b);
}

// --- walls ---

static bool status_has(pid_t pid, const char *line)
{
	char path[64], b[4096];
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	ssize_t n = read(fd, b, sizeof b);
	close(fd);
	return n > 0 && str_contains(str_from(b, (size_t)n), str_of(line));
}

static void the_running_gate_is_behind_its_walls(void **state)
{
	(void)state;
	close(mqtt_client_ready(f, MQTT_V311, "D1", "secret")); // it serves, so it has entered
	UNTIL(f, f->gone == 1);
	core_serve_for(f, 20); // the socket of that client is closed, too
	assert_true(status_has(f->pid, "\nSeccomp:\t2\n"));
	assert_true(status_has(f->pid, "\nNoNewPrivs:\t1\n"));
	if (geteuid() == 0) {
		assert_true(status_has(f->pid, "\nUid:\t65534\t65534\t65534\t65534\n"));
		assert_true(status_has(f->pid, "\nCapEff:\t0000000000000000\n"));
	}
	char path[64];
	int n = 0;
	for (int fd = 0; fd < 200; fd++) {
		snprintf(path, sizeof path, "/proc/%d/fd/%d", f->pid, fd);
		n += access(path, F_OK) == 0 || (geteuid() != 0 && errno == EACCES);
	}
	if (geteuid() == 0)
		assert_int_equal(n, 3 + 1 + (PROTO__MAX - PROTO_HJ212) + 4 + 2); // standard, listening, rings, epoll and signals: nothing inherited by accident
}

static void try_open(void) { open("/etc/hostname", O_RDONLY); }
static void try_socket(void) { socket(AF_INET, SOCK_STREAM, 0); }
static void try_fork(void) { fork(); }
static void try_exec(void) { execl("/bin/true", "true", NULL); }
static void try_kill(void) { kill(getppid(), 0); }
static void try_code(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void try_connect(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	connect(0, (struct sockaddr *)&a, sizeof a);
}

static void what_the_gate_never_needs_kills_it(void **state)
{
	(void)state;
	void (*const tries[])(void) = { try_open, try_socket, try_fork, try_exec, try_kill, try_connect, try_code };
	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		pid_t pid = fork();
		if (pid == 0) {
			if (!sandbox_enter())
				_exit(2);
			tries[i]();
			_exit(0);
		}
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
	}
}

static void the_gate_dies_with_its_parent(void **state)
{
	(void)state;
	close(mqtt_client_ready(f, MQTT_V311, "D1", "secret"));
	prctl(PR_SET_CHILD_SUBREAPER, 1); // so that the orphan is ours to wait for
	int pipe_fd[2];
	assert_int_equal(pipe(pipe_fd), 0);
	pid_t parent = fork();
	if (parent == 0) {
		fake_spawn(f); // a second gate, on the same sockets
		if (write(pipe_fd[1], &f->pid, sizeof f->pid) > 0)
			pause();
		_exit(0);
	}
	pid_t gate;
	assert_int_equal(read(pipe_fd[0], &gate, sizeof gate), sizeof gate);
	for (int i = 0; i < WAIT_MS && !status_has(gate, "\nSeccomp:\t2\n"); i++)
		usleep(1000);
	kill(parent, SIGKILL);
	int status;
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	assert_int_equal(waitpid(gate, &status, 0), gate);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

// --- clocks, in this process ---

struct local { // a gate without sockets
	struct gate g;
	struct gate_config cfg;
};

static struct local *local_start(void)
{
	struct local *l = mem_alloc(sizeof *l);
	l->cfg = (struct gate_config){ .mqtt_fd = -1, .mqtts_fd = -1, .generation = 1 };
	assert_int_equal(ring_create(&l->cfg.to_core, 4u << 20), OK);
	assert_int_equal(ring_create(&l->cfg.from_core, 4u << 20), OK);
	gate_init(&l->g, &l->cfg);
	return l;
}

static void local_end(struct local *l)
{
	gate_done(&l->g);
	ring_destroy(l->cfg.to_core);
	ring_destroy(l->cfg.from_core);
	mem_free(l);
}

static void local_turn(struct local *l, int64_t mono)
{
	clock_set_fake(mono);
	loop_turn(l->g.loop, 0);
	gate_idle(&l->g);
}

static void who_does_not_say_who_he_is_must_go(void **state)
{
	(void)state;
	const int64_t t = 1000 * US_PER_S;
	clock_set_fake(t);
	struct local *l = local_start();
	uint64_t mute = conn_new(&l->g, -1, &proto_mqtt, PROTO_NONE)->id;
	struct conn *c = conn_new(&l->g, -1, &proto_mqtt, PROTO_NONE);
	uint64_t waiting = c->id;
	struct buf b;
	buf_init(&b, 4096);
	mqtt_write_connect(&b, MQTT_V311, STR("c"), STR("D1"), STR("secret"), 60);
	conn_feed(c, buf_str(&b));
	assert_int_equal(c->state, CONN_WAITING); // for a core that does not answer
	conn_feed(c, STR("\xC0"));
	local_turn(l, t + (LIMIT_GATE_UNAUTHENTICATED_S - 1) * US_PER_S);
	assert_non_null(conn_by_id(&l->g, mute));
	local_turn(l, t + LIMIT_GATE_UNAUTHENTICATED_S * US_PER_S);
	assert_null(conn_by_id(&l->g, mute));
	local_turn(l, t + (LIMIT_GATE_UNAUTHENTICATED_S + 1) * US_PER_S);
	assert_null(conn_by_id(&l->g, waiting)); // refused with "server unavailable"
	assert_int_equal(l->g.nfree, LIMIT_GATE_CONNECTIONS);
	buf_free(&b);
	local_end(l);
	clock_set_fake(0);
}

static void slots_run_out_and_come_back(void **state)
{
	(void)state;
	clock_set_fake(US_PER_S);
	struct local *l = local_start();
	struct conn *c = NULL, *last = NULL;
	for (int i = 0; i < LIMIT_GATE_CONNECTIONS; i++)
		assert_non_null(last = conn_new(&l->g, -1, &proto_mqtt, PROTO_NONE));
	assert_null(conn_new(&l->g, -1, &proto_mqtt, PROTO_NONE));
	uint64_t id = last->id;
	conn_drop(last);
	local_turn(l, US_PER_S);
	assert_null(conn_by_id(&l->g, id));
	assert_non_null(c = conn_new(&l->g, -1, &proto_line, PROTO_HJ212));
	assert_true(c->id != id); // same slot, another number
	local_end(l);
	clock_set_fake(0);
}

static void points_are_found_in_any_order(void **state)
{
	(void)state;
	struct local *l = local_start();
	enum { N = 3000 };
	size_t size = sizeof(struct msg_welcome) + N * (sizeof(struct msg_point) + 24);
	char *m = mem_alloc(size);
	struct msg_welcome w = { .m = { .kind = MSG_WELCOME, .device = 5, .count = N } };
	memcpy(m, &w, sizeof w);
	size_t at = sizeof w;
	for (unsigned i = 0; i < N; i++) {
		char name[25] = "", addr[9];
		int n = snprintf(name, sizeof name, "point-%04u", i), a = snprintf(addr, sizeof addr, "a%u", i);
		struct msg_point p = { i + 1, (uint16_t)n, (uint16_t)a, 1 };
		memcpy(m + at, &p, sizeof p);
		memcpy(m + at + sizeof p, name, (size_t)n);
		memcpy(m + at + sizeof p + n, addr, (size_t)a);
		at += sizeof p + (size_t)(n + a + 7) / 8 * 8;
	}
	assert_null(device_learn(&l->g, (struct msg_welcome *)m, at - 1, STR("D"))); // cut
	struct device *d = device_learn(&l->g, (struct msg_welcome *)m, at, STR("D"));
	assert_non_null(d);
	for (unsigned step = 1; step < N; step = step * 3 + 1) // forwards, then other orders
		for (unsigned k = 0, i = 0; k < 2 * N; k++, i = (i + step) % N) {
			char name[16];
			int n = snprintf(name, sizeof name, k % 5 == 4 ? "a%u" : "point-%04u", i);
			const struct point *p = device_point(d, str_from(name, (size_t)n));
			assert_non_null(p);
			assert_int_equal(p->id, i + 1);
		}
	assert_null(device_point(d, STR("point-9999")));
	assert_null(device_point(d, STR_EMPTY));
	struct conn *c = conn_new(&l->g, -1, &proto_mqtt, PROTO_NONE);
	device_attach(d, c);
	device_detach(c);
	assert_null(device_by_id(&l->g, 5));
	mem_free(m);
	local_end(l);
}

static void keys_of_gateways_are_wiped(void **state)
{
	(void)state;
	struct local *l = local_start();
	struct conn *c = conn_new(&l->g, -1, &proto_line, PROTO_GATEWAY);
	struct msg_welcome w = { .key_len = 16, .key = "1234567890ABCDE" };
	static const uint8_t nothing[sizeof c->line];
	line_key(c, &w);
	assert_memory_equal(c->line.state.v, "1234567890ABCDE", 16);
	assert_memory_equal(w.key, nothing, sizeof w.key); // in the ring's memory
	proto_line.done(c); // at the end of the connection
	assert_memory_equal(&c->line, nothing, sizeof c->line);
	line_init(c);
	local_end(l);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hj212_data_is_answered_when_it_is_safe),
		TEST(hj212_wrong_key_and_unknown_number),
		TEST(hj212_bad_frames),
		TEST(hj212_commands_and_their_answers),
		TEST(hj212_items_cut_between_packets),
		TEST(hj212_packets_of_whole_items),
		TEST(hj212_packets_outlive_the_gate),
		TEST(unfinished_messages_are_bounded_together),
		TEST(gb26875_is_confirmed_when_it_is_safe),
		TEST(gb26875_times_in_bcd),
		TEST(gb26875_unknown_source_is_denied),
		cmocka_unit_test(mqtt_over_tls),
		TEST(the_running_gate_is_behind_its_walls),
		TEST(the_gate_dies_with_its_parent),
		cmocka_unit_test(what_the_gate_never_needs_kills_it),
		cmocka_unit_test(who_does_not_say_who_he_is_must_go),
		cmocka_unit_test(keys_of_gateways_are_wiped),
		cmocka_unit_test(slots_run_out_and_come_back),
		cmocka_unit_test(points_are_found_in_any_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
