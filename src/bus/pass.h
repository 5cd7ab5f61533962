// Connections handed from core to gate. The gate may open no socket (gate/sandbox.h): for devices that wait to be called
// (Modbus TCP) the core connects and passes the descriptor on, with what the gate must know of the device.
#pragma once

#include "base/err.h"
#include "bus/msg.h"

struct dialled {
	uint32_t device;     // record id
	uint32_t interval_ms; // between two rounds of questions
	uint16_t protocol;   // enum protocol
	uint8_t unit;        // Modbus unit identifier
	uint8_t name_len;
	char name[64];       // device code
	char peer[56];       // address, to be shown
};

// Two ends of one line that keeps messages whole: ret[0] for the core, ret[1] for the gate. Both outlive either process.
enum err pass_create(int ret[2]) must_check;
// Any thread; never waits. The caller keeps its copy of fd. False: the gate has not taken earlier ones yet.
bool pass_send(int to, int fd, const struct dialled *d) must_check;
// Returns the descriptor, owned by the caller, or -1: nothing there.
int pass_take(int from, struct dialled *ret);
