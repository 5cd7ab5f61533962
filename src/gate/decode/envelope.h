// The encrypted envelopes of the gateway family, opened. Pure functions over OpenSSL, any thread.
//
//   gateway  TCP, each message ended by "@@": {"appId","serviceId","dataId","data"}; data = Base64 of AES-128-CBC, PKCS#7, key 16
//            bytes, IV sixteen characters '0' or the key itself: the IV changes the first block only, so the text tells which.
//   dust     HTTP: {"qybm","wgbm","data"}; data = hex digits of the Base64 of DES-CBC, PKCS#7, key 8 bytes, IV "12345678".
//
// A fixed IV shows which messages begin alike and nothing here proves that a text is unaltered: both are as the specifications
// have them; use them on closed networks.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "gate/decode/decode.h"

#define ENVELOPE_AES_KEY 16
#define ENVELOPE_DES_KEY 8

struct envelope {
	struct str app, service, data_id; // appId or qybm, serviceId or wgbm, dataId
	struct str data;                  // still sealed
};
// The outer JSON of either form, with or without its "@@".
bool envelope_read(struct str text, struct arena *arena, struct envelope *ret, struct refusal *why);
// The text of data, into the arena; refused as REJECT_AUTH if the key does not open it. ret_iv: name of the IV, or NULL.
bool envelope_open_aes(struct str data, struct str key, struct arena *arena, struct str *ret, const char **ret_iv, struct refusal *why);
bool envelope_open_des(struct str data, struct str key, struct arena *arena, struct str *ret, const char **ret_iv, struct refusal *why);
void envelope_prepare(void); // before a sandbox: what OpenSSL looks up at its first use

// {"success":…,"dataId":…,"error":null or {…},"data":null}@@
void envelope_answer(struct str data_id, int code, const char *type, const char *message, struct buf *out); // code 0: success

struct fed envelope_feed(struct str in); // frames of the TCP form, without their "@@"
