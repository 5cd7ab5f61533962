// The walls around the gate. Called once, by gate_run, after everything that needs a file or a privilege is done.
#pragma once

#include "base/base.h"

// Root becomes nobody for good, then no_new_privs, then a system call allow-list: anything else kills the process. The
// death of the parent kills it, too.
// False: the kernel refused (logged).
bool sandbox_enter(void) must_check;
// Closes all descriptors from 0 up except the n listed ones (negative entries are passed over; keep[] is sorted in
// place).
void sandbox_close_others(int *keep, size_t n);
