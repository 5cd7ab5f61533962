// The process that talks to devices: MQTT 3.1.1 and 5.0 (plain and TLS), and the line protocols over TCP (gate/line.h).
// It has no database, no files, no privileges and no keys (but those of encrypted gateways, while they are connected): whoever
// connects is checked by the core (MSG_HELLO → MSG_WELCOME), readings go into the ring, and an acknowledgement leaves only
// after the core's MSG_ACK covers it.
// One thread, one event loop; started by the parent with fork, restarted by it when it dies.
#pragma once

#include "base/base.h"
#include "base/str.h"
#include "bus/msg.h"

struct ring;

struct gate_config {
	int mqtt_fd, mqtts_fd;       // listening sockets; -1 = not served
	int line_fd[PROTO__MAX];     // of the line protocols (gate/line.h); 0 = not served
	int dialled_fd;              // the gate's end of bus/pass.h; 0 = none
	struct str cert, key;                        // PEM, for mqtts_fd; empty = no TLS
	struct ring *to_core, *from_core;            // to_core ≥ 4 MiB; from_core ≥ 16 MiB (20,000 points in one WELCOME)
	uint32_t generation;                         // 1…; other than that of every gate before on the same rings
	bool open;                                   // tests under a debugger only: keep privileges and system calls
};

// In the child, right after fork. Closes every descriptor that is neither in cfg nor 0-2, gives up privileges, enters
// the sandbox, serves until SIGTERM (then takes leave of the devices and exits 0). Exit code 1: could not start
// (logged).
//
// What a device sees: readings of a message that name an unknown point, or carry an impossible time or value, are
// refused one by one, counted by device and reason (MSG_REJECT), and the message is still acknowledged as received:
// sending it again could never succeed. Payload that cannot be read at all: MQTT 5.0 QoS 1 gets reason 0x99 (payload
// format invalid), 3.1.1 has no negative PUBACK and gets the plain one; both are counted as REJECT_SYNTAX.
_Noreturn void gate_run(const struct gate_config *cfg);
