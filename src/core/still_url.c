#include <arpa/inet.h>
#include <curl/curl.h>

#include "auth/fetch.h"
#include "core/stills.h"

// 0/8, 169.254/16, 224/4 and above: never a camera, and what cloud machines keep their secrets at.
static bool never(uint32_t a) { return a >> 24 == 0 || a >> 16 == 0xa9fe || a >> 28 >= 0xe; }

static bool read_address(struct str s, uint32_t *ret)
{
	char text[16];
	struct in_addr in;
	if (s.n >= sizeof text)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = 0;
	if (inet_pton(AF_INET, text, &in) != 1)
		return false;
	*ret = ntohl(in.s_addr);
	return true;
}

bool still_net_read(struct str text, struct still_net *ret)
{
	struct str rest = str_trim(text), host = str_cut(&rest, '/');
	int64_t bits;
	if (!read_address(host, &ret->address) || !str_to_i64(rest, &bits) || bits < 8 || bits > 32)
		return false;
	ret->mask = UINT32_MAX << (32 - bits);
	ret->address &= ret->mask;
	return !never(ret->address);
}

static bool part(CURLU *u, CURLUPart what, char ret[64])
{
	char *text = NULL;
	bool ok = curl_url_get(u, what, &text, 0) == CURLUE_OK;
	ret[0] = 0;
	if (ok)
		snprintf(ret, 64, "%s", text);
	curl_free(text);
	return ok;
}

static bool plain(CURLU *u)
{
	char s[64];
	return part(u, CURLUPART_SCHEME, s) && (str_is(str_of(s), "http") || str_is(str_of(s), "https")) &&
	       !part(u, CURLUPART_USER, s) && !part(u, CURLUPART_PASSWORD, s) && !part(u, CURLUPART_FRAGMENT, s);
}

bool still_url_ok(struct str url, const struct still_net *nets, size_t n, const char **ret_zh, const char **ret_en)
{
	char host[64] = "";
	uint32_t a = 0;
	*ret_zh = "地址须为 http(s)://IPv4[:端口]/路径，不带用户名密码";
	*ret_en = "the address must be http(s)://IPv4[:PORT]/PATH without user and password";
	CURLU *u = fetch_url_read(url);
	bool ok = u && plain(u) && part(u, CURLUPART_HOST, host) && read_address(str_of(host), &a);
	curl_url_cleanup(u);
	if (!ok)
		return false;
	*ret_zh = "地址不在允许的摄像机网段内，请管理员登记“摄像机网段”";
	*ret_en = "the address is in no network of cameras; the administrator enters camera_network";
	for (size_t i = 0; i < n; i++)
		if ((a & nets[i].mask) == nets[i].address)
			return !never(a);
	return false;
}
