// Calling a device: a TCP connection opened without waiting. Used by the core (core/dial.c), which hands it to the gate.
#pragma once

#include "base/str.h"

enum dial { DIAL_PENDING, DIAL_OPEN, DIAL_FAILED };

// address: "192.0.2.10:502", "[2001:db8::1]:502"; numbers only, so that nothing is looked up. Returns a descriptor that
// connects, owned by the caller, or -1 with *ret_why a constant text in both languages.
int dial_begin(struct str address, const char **ret_why);
enum dial dial_state(int fd, int *ret_errno);
