// The list of decoders, and one line in, one JSON object out.
#include "gate/decode/decoders.h"

static const struct complaint NO_HEX = { REJECT_SYNTAX, "不是十六进制数字",
	"not pairs of hexadecimal digits" };

static const struct decoder DECODERS[] = {
	{ "hj212", false, "HJ 212-2017 污染物在线监控数据传输", "HJ 212-2017, pollutant monitoring", print_hj212 },
	{ "gb26875", true, "GB/T 26875.3-2011 城市消防远程监控", "GB/T 26875.3-2011, urban fire monitoring",
	  print_gb26875 },
	{ "json", false, "读数数组", "plain array of readings", print_json },
	{ "senml", false, "SenML (RFC 8428)", "SenML JSON (RFC 8428)", print_senml },
	{ "gateway", false, "安全生产数据接入规范网关报文", "work-safety gateway bodies", print_gateway },
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
	bool hex = from_hex(text, arena, &frame);
	if (!hex && d->binary) {
		refuse_as(&why, &NO_HEX, 0);
		print_refusal(&why, zh, out);
		return false;
	}
	size_t before = out->n;
	struct jw w;
	jw_init(&w, out);
	jw_obj(&w);
	bool ok = d->print(frame, arena, now, &w, &why);
	if (ok) {
		jw_end(&w);
		return jw_done(&w);
	}
	out->n = before;
	print_refusal(&why, zh, out);
	return false;
}
