// The line protocols: over TCP, each frame says whose it is. line.c does what is the same for all of them (asking the
// core who it is, holding answers until readings are durable, refusing); a protocol is one struct line_protocol in a file
// of its own, line_NAME.c, over its decoder in decode/NAME.c, and a line in the table of line.c.
#pragma once

#include "gate/conn.h"

struct line_frame {           // one whole frame, decoded
	struct str name;      // device code
	struct str key;       // what proves it to the core, or STR_EMPTY
	bool keyless;         // the protocol has no key: the device's record must allow it
	bool bound;           // this kind of frame carries no key: it is whose the connection is
	int64_t sent;         // when the device says it sent it, UTC us; not positive: it does not say
	// A packet of a message in several: which of how many, from 1, of which message (any number that they share), and its
	// piece. parts 0: a whole message.
	unsigned parts, part;
	uint64_t series;
	struct str piece;
	void *said;           // the protocol's own, in the arena of the message
};

struct line_protocol {
	struct fed (*feed)(struct str in);
	// Fills *ret, whose texts live as long as bytes and the arena. state: of the connection, zeroed at its start.
	bool (*decode)(struct line_state *state, struct str bytes, struct arena *a, struct line_frame *ret, struct refusal *why);
	// The message whose pieces, put together, are whole (of the length of one arena's life); last: the packet that came last.
	// NULL: the protocol has no packets.
	bool (*join)(const struct line_frame *last, struct str whole, struct arena *a, struct line_frame *ret, struct refusal *why);
	// Packets that are read each on its own (instead of join): puts what was kept of the packet before in front of this one, and
	// cuts off what may go on in the next. f->piece: what is read. Texts live in a.
	void (*carry)(struct line_frame *f, struct str kept, struct arena *a, struct str *ret_keep);
	// What was kept and was not continued, as a message. False: it was cut in the middle.
	bool (*orphan)(struct str kept, struct arena *a, struct line_frame *ret);
	unsigned spread;      // readings that a byte of a frame can hold at most
	bool (*readings)(const struct line_frame *f, struct arena *a, const struct decode_sink *sink, struct refusal *why);
	// What the standard wants back, appended to out: accepted, or refused with the core's verdict (WELCOME_OK: known, but
	// its frame was not taken). now: UTC us. It leaves when the readings are durable.
	void (*answer)(const struct line_frame *f, bool accepted, enum welcome verdict, int64_t now, struct buf *out);
	// Commands (gate/decode/downlink.h says which); all four or none. peer: what a command needs of any frame; number: the
	// protocol's own for the next command; command: its bytes; answers: whether a whole message answers it.
	void (*peer)(const struct line_frame *f, struct downlink_peer *ret);
	uint64_t (*number)(struct line_state *state, int64_t now);
	void (*command)(const struct downlink_peer *to, const struct downlink_sent *s, int64_t now, struct buf *out);
	bool (*answers)(const struct line_frame *f, const struct downlink_sent *s, struct command_answer *ret);
};
extern const struct line_protocol line_hj212, line_gb26875, line_jt808, line_gb32960, line_sl651, line_gateway;
void line_kept(struct conn *c, const struct msg_keep *m, struct str bytes); // what an earlier gate had kept of the device
void line_inherit(struct conn *c, struct conn *old); // the device is on c now: a message in packets goes on there
void line_key(struct conn *c, const struct msg_welcome *m); // the key that came with WELCOME, for the protocol's state
