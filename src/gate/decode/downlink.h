// Commands (bus/command.h) in the words of each protocol: which of them it has, within which bounds, the bytes that say them, and
// what in a device's frame answers them. Pure functions, any thread.
#pragma once

#include "bus/command.h"
#include "gate/decode/gb32960.h"
#include "gate/decode/jt808.h"
#include "gate/decode/sl651.h"

struct downlink_range { uint32_t min, max, step, whole; }; // s; whole: what it must divide, 0: nothing
struct downlink {
	const char *protocol;                   // as in the menu device_protocol
	uint32_t kinds;                         // 1u << enum command_kind
	uint32_t spans;                         // 1u << enum command_span, of COMMAND_QUERY_HISTORY
	struct downlink_range interval, minute, heartbeat;
	bool element;                           // COMMAND_QUERY_HISTORY is about one element
	bool answers;                           // the device says what became of it; otherwise it has it, and that is all
};
const struct downlink *downlink_of(struct str protocol); // NULL: it can be sent nothing
static inline bool downlink_has(const struct downlink *d, enum command_kind k) { return d && d->kinds >> k & 1; }
const struct downlink_range *downlink_seconds(const struct downlink *d, enum command_kind k); // NULL: the kind has no such parameter

struct downlink_wrong { const char *field, *zh, *en; uint32_t min, max, step; }; // max 0: texts without bounds
// Whether the protocol can do it with these parameters; *ret names a field of type device_command. now: UTC us.
bool downlink_check(const struct downlink *d, const struct command *c, int64_t now, struct downlink_wrong *ret);

// What a command to a device needs of what the device last said of itself.
struct downlink_peer {
	char code[LIMIT_DEVICE_NAME];           // as the protocol sends it: MN, 12 or 20 digits, VIN with padding, station, two addresses
	char key[LIMIT_DEVICE_KEY];             // PW, password: the device expects its own back
	uint8_t code_len, key_len;
	bool edition_2019;                      // JT/T 808
	bool bcd_time;                          // GB/T 26875.3
	uint8_t version;                        // JT/T 808 of 2019, GB/T 26875.3; HJ 212: version bits of Flag
	uint16_t system;                        // HJ 212: ST; SL 651: address of the centre; GB/T 26875.3: user version
};
struct downlink_sent {                          // a command that waits for its answer
	uint64_t number;                        // the protocol's own, see each
	struct command c;
};

// HJ 212-2017, table 9 and annex C; number: QN as UTC ms.
void hj212_peer(const struct hj212 *m, struct downlink_peer *ret);
void hj212_command(const struct downlink_peer *to, const struct downlink_sent *s, int64_t now, struct buf *out);
bool hj212_answers(const struct hj212 *m, const struct downlink_sent *s, struct command_answer *ret);

// GB/T 26875.3-2011; number: of the message, 16 bits.
void gb26875_peer(const struct gb26875 *m, struct downlink_peer *ret);
void gb26875_command(const struct downlink_peer *to, const struct downlink_sent *s, int64_t now, struct buf *out);
bool gb26875_answers(const struct gb26875 *m, const struct downlink_sent *s, struct command_answer *ret);

// JT/T 808; number: of the message, 16 bits.
void jt808_peer(const struct jt808 *m, struct downlink_peer *ret);
void jt808_command(const struct downlink_peer *to, const struct downlink_sent *s, int64_t now, struct buf *out);
bool jt808_answers(const struct jt808 *m, const struct downlink_sent *s, struct command_answer *ret);

// GB/T 32960.3-2016, annex B; there are no numbers: the answer has the command's own identifier.
void gb32960_peer(const struct gb32960 *m, struct downlink_peer *ret);
void gb32960_command(const struct downlink_peer *to, const struct downlink_sent *s, int64_t now, struct buf *out);
bool gb32960_answers(const struct gb32960 *m, const struct downlink_sent *s, struct command_answer *ret);

// SL 651-2014, 6.6; number: serial, 1 to 65535. The answer has the function of the question.
void sl651_peer(const struct sl651 *m, struct downlink_peer *ret);
void sl651_command(const struct downlink_peer *to, const struct downlink_sent *s, int64_t now, struct buf *out);
bool sl651_answers(const struct sl651 *m, const struct downlink_sent *s, struct command_answer *ret);

// For these files: outcome, code and a text cut to fit.
bool downlink_said(struct command_answer *ret, enum command_outcome o, int32_t code, const char *fmt, ...) printf_like(4, 5);
void downlink_keep(char *to, uint8_t *ret_len, size_t max, struct str s);
