// Frames of the two line protocols as a device makes them, and what it must understand of the answers. Pure functions.
#pragma once

#include "base/buf.h"
#include "base/str.h"

// HJ 212-2017: CRC of annex A, and a whole frame around a data segment (6.3.1), CR LF included.
uint16_t hj212_device_crc(struct str segment);
void hj212_device_frame(struct str segment, struct buf *out);
// Header of an upload of live data (CN 2011), with answer required (Flag 5), up to and including "CP=&&DataTime=…".
// time: UTC us. The caller adds ";factor-Rtd=value,factor-Flag=N" for each factor and "&&".
void hj212_device_head(struct buf *segment, const char *mn, const char *pw, int st, int64_t time, struct buf *ret_qn);
// The first whole frame of in: its length with CR LF, 0 = not complete, SIZE_MAX = broken. cn: 9014 …, 0 if absent.
size_t hj212_device_answer(struct str in, int *ret_cn, struct str *ret_qn);

// GB/T 26875.3-2011. address: 12 hex digits, in the order sent.
struct gb_unit {                    // an application data unit being put together
	struct buf data;
	uint8_t type;
	uint8_t objects;
};
void gb_unit_begin(struct gb_unit *u, uint8_t type);
void gb_unit_end(struct gb_unit *u);
void gb_add_system(struct gb_unit *u, uint8_t system, uint8_t address, uint16_t status, int64_t time);            // type 1
void gb_add_component(struct gb_unit *u, uint8_t system, uint8_t address, uint8_t kind, uint32_t component, uint16_t status,
                      const char *description, int64_t time);                                                     // type 2
void gb_add_analog(struct gb_unit *u, uint8_t system, uint8_t address, uint8_t kind, uint32_t component, uint8_t quantity,
                   int16_t value, int64_t time);                                                                  // type 3
void gb_add_device(struct gb_unit *u, uint8_t status, int64_t time);                                              // type 21
// Whole frame, command 2 (send data). main_version and user_version 1, destination zero. False: address is not 12 hex digits.
bool gb_frame(uint16_t seq, const char *address, const struct gb_unit *u, int64_t time, struct buf *out);
// The first whole frame of in: its length, 0 = not complete, SIZE_MAX = broken. command: 3 = confirmed.
size_t gb_answer(struct str in, uint8_t *ret_command, uint16_t *ret_seq);
