// Where the server may fetch the still of a camera from. Pure; any thread.
#pragma once

#include "base/str.h"

struct still_net { uint32_t address, mask; }; // host order

// "10.20.0.0/16": IPv4, /8 to /32, neither this host's unset address nor link-local, multicast or reserved ones.
bool still_net_read(struct str text, struct still_net *ret);
// http or https to a numeric IPv4 address inside one of the networks, no user, password or fragment. False: *ret_zh, *ret_en say why.
bool still_url_ok(struct str url, const struct still_net *nets, size_t n, const char **ret_zh, const char **ret_en);
