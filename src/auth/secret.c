// Secrets at rest: DIR/secret.key, made at the first start, and AES-256-GCM under it (NIST SP 800-38D; OpenSSL 3.0, which
// has no SM4-GCM yet). Who has the database without the key file has no secrets. Any thread once open.
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/auth_int.h"
#include "base/hash.h"

#define NONCE_LEN 12
#define TAG_LEN 16

// ---- the key file ------------------------------------------------------------------------------
static enum err key_make(const char *path, uint8_t key[32])
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return ERR_IO;
	random_bytes(key, 32);
	bool ok = write(fd, key, 32) == 32 && fsync(fd) == 0;
	ok &= close(fd) == 0;
	return ok ? OK : ERR_IO;
}

static enum err key_read(int fd, uint8_t key[32])
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return ERR_IO;
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return ERR_FORBIDDEN;
	return st.st_size == 32 && read(fd, key, 32) == 32 ? OK : ERR_CORRUPT;
}

enum err secret_open(struct auth *au, const char *dir, struct problem *p)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/secret.key", dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum err err = fd >= 0 ? key_read(fd, au->key) : errno == ENOENT ? key_make(path, au->key) : ERR_IO;
	if (fd >= 0)
		close(fd);
	if (err == ERR_FORBIDDEN)
		return problem_set(p, err, "", "密钥文件 %s 可被他人读取，请执行 chmod 600", "others can read the key file %s; run chmod 600 on it", path);
	if (err)
		return problem_set(p, err, "", "密钥文件 %s 无法读写或已损坏，请放回另存的那一份",
		                   "the key file %s cannot be used; put back the copy you kept of it", path);
	return OK;
}

// ---- sealing: nonce, text, tag -----------------------------------------------------------------
// What the sealed text is bound to: use and owner.
static struct str binding(const char *what, int64_t whose, struct arena *a)
{
	return arena_printf(a, "%s %lld", what, (long long)whose);
}

enum err key_seal(const uint8_t key[32], const char *what, int64_t whose, struct str plain, struct arena *a, struct str *ret)
{
	struct str bound = binding(what, whose, a);
	uint8_t *out = arena_alloc(a, NONCE_LEN + plain.n + TAG_LEN);
	int n;
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	random_bytes(out, NONCE_LEN);
	bool ok = c && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, out) == 1 &&
	          EVP_EncryptUpdate(c, NULL, &n, (const uint8_t *)bound.p, (int)bound.n) == 1 &&
	          EVP_EncryptUpdate(c, out + NONCE_LEN, &n, (const uint8_t *)plain.p, (int)plain.n) == 1 &&
	          EVP_EncryptFinal_ex(c, out + NONCE_LEN + n, &n) == 1 &&
	          EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_LEN, out + NONCE_LEN + plain.n) == 1;
	EVP_CIPHER_CTX_free(c);
	*ret = str_from((const char *)out, NONCE_LEN + plain.n + TAG_LEN);
	return ok ? OK : ERR_BUG;
}

enum err key_unseal(const uint8_t key[32], const char *what, int64_t whose, struct str sealed, struct arena *a, struct str *ret)
{
	if (sealed.n < NONCE_LEN + TAG_LEN)
		return ERR_CORRUPT;
	struct str bound = binding(what, whose, a);
	size_t len = sealed.n - NONCE_LEN - TAG_LEN;
	uint8_t *out = arena_alloc(a, len + 1), tag[TAG_LEN];
	const uint8_t *in = (const uint8_t *)sealed.p;
	int n;
	memcpy(tag, in + NONCE_LEN + len, TAG_LEN);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	bool ok = c && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, in) == 1 &&
	          EVP_DecryptUpdate(c, NULL, &n, (const uint8_t *)bound.p, (int)bound.n) == 1 &&
	          EVP_DecryptUpdate(c, out, &n, in + NONCE_LEN, (int)len) == 1 &&
	          EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) == 1 && EVP_DecryptFinal_ex(c, out + n, &n) == 1;
	EVP_CIPHER_CTX_free(c);
	*ret = ok ? str_from((const char *)out, len) : STR_EMPTY;
	return ok ? OK : ERR_CORRUPT;
}

enum err auth_seal(const struct auth *au, const char *what, int64_t whose, struct str plain, struct arena *a, struct str *ret)
{
	return key_seal(au->key, what, whose, plain, a, ret);
}

enum err auth_unseal(const struct auth *au, const char *what, int64_t whose, struct str sealed, struct arena *a, struct str *ret)
{
	return key_unseal(au->key, what, whose, sealed, a, ret);
}

void auth_digest_begin(const struct auth *au, struct sm3 *ret)
{
	sm3_init(ret);
	sm3_add_str(ret, STR("digest"));
	sm3_add(ret, au->key, sizeof au->key);
}
