// Encrypted envelopes as JSON: what stands outside, the IV that fitted, and data decrypted. See decoders.h.
#include "gate/decode/decoders.h"
#include "gate/decode/envelope.h"

typedef bool opener(struct str data, struct str key, struct arena *arena, struct str *ret, const char **ret_iv, struct refusal *why);

// "KEY FRAME"; the frame is the outer JSON, with or without @@, or its data alone.
static bool print_sealed(opener *open, const char *const names[3], struct str line, struct arena *arena, struct jw *w, struct refusal *why)
{
	struct str key = str_cut(&line, ' '), plain, data = str_trim(line);
	struct envelope e = { STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY };
	const char *iv = NULL;
	if (!data.n)
		return refuse_at(why, REJECT_SYNTAX, 0, "缺少密钥：--key 密钥，或每行以密钥和空格开头",
		                 "no key: give --key KEY, or begin each line with the key and a blank");
	if (str_starts(data, STR("{"))) {
		if (!envelope_read(data, arena, &e, why))
			return false;
		data = e.data;
	}
	if (!open(data, key, arena, &plain, &iv, why))
		return false;
	const struct str outside[] = { e.app, e.service, e.data_id };
	for (size_t i = 0; i < 3; i++)
		if (outside[i].n)
			jw_kstr(w, names[i], outside[i]);
	jw_kcstr(w, "iv", iv);
	jw_key(w, "data");
	print_json_or_text(plain, arena, w);
	return true;
}

bool print_gateway_aes(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why)
{
	static const char *const names[] = { "appId", "serviceId", "dataId" };
	(void)now;
	return print_sealed(envelope_open_aes, names, frame, arena, w, why);
}

bool print_dust(struct str frame, struct arena *arena, int64_t now, struct jw *w, struct refusal *why)
{
	static const char *const names[] = { "qybm", "wgbm", "dataId" };
	(void)now;
	return print_sealed(envelope_open_des, names, frame, arena, w, why);
}
