// The list of decoders, and one line in, one JSON object out.
#include "gate/decode/decoders.h"

#include <iconv.h>

#define TEXT_BYTES_MAX 255u // of a description, in GB 18030

static const struct complaint NO_HEX = { REJECT_SYNTAX, "不是十六进制数字",
	"not pairs of hexadecimal digits" };

static const struct decoder DECODERS[] = {
	{ "hj212", FRAME_TEXT, "HJ 212-2017 污染物在线监控数据传输", "HJ 212-2017, pollutant monitoring", print_hj212, NULL },
	{ "gb26875", FRAME_HEX, "GB/T 26875.3-2011 城市消防远程监控", "GB/T 26875.3-2011, urban fire monitoring",
	  print_gb26875, NULL },
	{ "modbus", FRAME_HEX, "Modbus TCP", "Modbus TCP", print_modbus, NULL },
	{ "jt808", FRAME_HEX, "JT/T 808-2013/2019 道路运输车辆卫星定位", "JT/T 808-2013/2019, road vehicles", print_jt808, NULL },
	{ "gb32960", FRAME_HEX, "GB/T 32960.3-2016 电动汽车远程服务与管理", "GB/T 32960.3-2016, electric vehicles", print_gb32960, NULL },
	{ "sl651", FRAME_HEX, "SL 651-2014 水文监测数据通信规约", "SL 651-2014, hydrologic monitoring", print_sl651, NULL },
	{ "json", FRAME_TEXT, "读数数组", "plain array of readings", print_json, NULL },
	{ "senml", FRAME_TEXT, "SenML (RFC 8428)", "SenML JSON (RFC 8428)", print_senml, NULL },
	{ "senml-cbor", FRAME_HEX, "SenML CBOR (RFC 8428 第 6 章)", "SenML CBOR (RFC 8428 6)", print_senml_cbor, NULL },
	{ "sparkplug", FRAME_HEX, "Sparkplug B 报文体", "Sparkplug B payloads", print_sparkplug, NULL },
	{ "gateway-aes", FRAME_AS_IT_IS, "网关加密信封 AES-128-CBC：--key 密钥，或每行“密钥 报文”", "encrypted gateway envelope: --key KEY, or \"KEY FRAME\" a line", print_gateway_aes, NULL },
	{ "dust", FRAME_AS_IT_IS, "粉尘涉爆加密信封 DES-CBC：--key 密钥，或每行“密钥 报文”", "dust-explosion envelope: --key KEY, or \"KEY FRAME\" a line", print_dust, NULL },
	{ "gateway", FRAME_TEXT, "安全生产数据接入规范网关报文", "work-safety gateway bodies", print_gateway, NULL },
};

const struct decoder *decoder_list(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(DECODERS);
	return DECODERS;
}

const struct decoder *decoder_find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(DECODERS); i++) {
		if (str_is(name, DECODERS[i].name)) {
			return &DECODERS[i];
		}
	}
	return NULL;
}

void print_time(struct jw *w, const char *key, int64_t us)
{
	char text[TIME_TEXT_MAX];
	jw_key(w, key);
	if (us == INT64_MIN) {
		jw_null(w);
	} else {
		jw_str(w, str_from(text, time_text_zone(us, ZONE_CHINA_MIN, text)));
	}
}

void print_hex(struct jw *w, const char *key, struct str bytes)
{
	char text[2 * FEED_BYTES_MAX];
	size_t n = MIN(bytes.n, (size_t)FEED_BYTES_MAX);
	str_to_hex((const uint8_t *)bytes.p, n, text);
	jw_kstr(w, key, str_from(text, 2 * n));
}

void print_text(struct jw *w, const char *key, struct str raw)
{
	char in[TEXT_BYTES_MAX], out[4 * TEXT_BYTES_MAX]; // two bytes become at most three, four at most four
	struct str text = str_cut(&raw, '\0');
	text = str_trim(str_first(text, TEXT_BYTES_MAX));
	memcpy(in, text.p, text.n);
	char *from = in, *to = out;
	size_t left = text.n, room = sizeof(out);
	iconv_t cd = iconv_open("UTF-8", "GB18030");
	if (cd == (iconv_t)-1) {
		print_hex(w, key, text);
		return;
	}
	size_t rc = iconv(cd, &from, &left, &to, &room);
	iconv_close(cd);
	if (rc == (size_t)-1) {
		print_hex(w, key, text);
	} else {
		jw_kstr(w, key, str_from(out, sizeof(out) - room));
	}
}

void print_code(struct jw *w, const char *key, const char *name_key, uint32_t code, const char *name)
{
	jw_ki64(w, key, code);
	if (name) {
		jw_kcstr(w, name_key, name);
	}
}

// Bytes of hex digits, in pairs that may have blanks between them. False at anything else.
static bool from_hex(struct str line, struct arena *arena, struct str *ret)
{
	char *digits = arena_alloc(arena, line.n);
	size_t n = 0;
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] != ' ' && line.p[i] != '\t') {
			digits[n++] = line.p[i];
		}
	}
	uint8_t *bytes = arena_alloc(arena, n / 2 + 1);
	if (n == 0 || !str_from_hex(str_from(digits, n), bytes, n / 2)) {
		return false;
	}
	*ret = str_from((const char *)bytes, n / 2);
	return true;
}

static void print_refusal(const struct refusal *why, bool zh, struct buf *out)
{
	char text[16];
	struct jw w;
	jw_init(&w, out);
	jw_obj(&w);
	jw_kobj(&w, "error");
	jw_kcstr(&w, "code", reject_name(why->reason));
	jw_kcstr(&w, "message", zh ? why->zh : why->en);
	jw_ki64(&w, "offset", (int64_t)why->offset);
	if (why->how == 'd') {
		jw_ki64(&w, "expected", why->want);
		jw_ki64(&w, "found", why->got);
	} else if (why->how == 'x') {
		struct buf hex = { .p = text, .cap = sizeof(text), .max = sizeof(text) };
		bool wide = why->want > 0xff || why->got > 0xff;
		buf_printf(&hex, wide ? "%04X" : "%02X", why->want);
		jw_kstr(&w, "expected", buf_str(&hex));
		buf_clear(&hex);
		buf_printf(&hex, wide ? "%04X" : "%02X", why->got);
		jw_kstr(&w, "found", buf_str(&hex));
	}
	jw_end(&w);
	jw_end(&w);
	(void)!jw_done(&w); // the caller looks at the buffer
}

bool decoder_print(const struct decoder *d, struct str line, struct arena *arena, int64_t now, bool zh, struct buf *out)
{
	struct str text = str_trim(line), frame = text;
	struct refusal why = { .how = '-' };
	bool hex = d->form != FRAME_AS_IT_IS && from_hex(text, arena, &frame);
	if (!hex && d->form == FRAME_HEX) {
		refuse_as(&why, &NO_HEX, 0);
		print_refusal(&why, zh, out);
		return false;
	}
	size_t before = out->n;
	struct jw w;
	jw_init(&w, out);
	jw_obj(&w);
	bool ok = d->tpl ? print_template(d->tpl, frame, arena, now, &w, &why) : d->print(frame, arena, now, &w, &why);
	if (ok) {
		jw_end(&w);
		return jw_done(&w);
	}
	out->n = before;
	print_refusal(&why, zh, out);
	return false;
}
