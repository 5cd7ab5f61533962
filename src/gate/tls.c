// See tls.h.
#include "gate/tls.h"

#include "base/log.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>

// struct tls is an SSL_CTX and struct tls_session an SSL: the names keep OpenSSL's headers out of the rest.
static SSL_CTX *ctx_of(struct tls *t) { return (SSL_CTX *)t; }
static SSL *ssl_of(struct tls_session *s) { return (SSL *)s; }

// First the server's certificate, then those that lead to its authority.
static bool tls_use_chain(SSL_CTX *ctx, struct str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *x = bio ? PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL) : NULL;
	bool ok = x && SSL_CTX_use_certificate(ctx, x) == 1;
	X509_free(x);
	while (ok && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		if (SSL_CTX_add0_chain_cert(ctx, x) != 1) {
			X509_free(x);
			ok = false;
		}
	BIO_free(bio);
	return ok;
}

static bool tls_use_key(SSL_CTX *ctx, struct str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	bool ok = key && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
	EVP_PKEY_free(key);
	BIO_free(bio);
	return ok;
}

struct tls *tls_new(struct str cert_pem, struct str key_pem)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	bool ok = ctx && cert_pem.n < INT_MAX && key_pem.n < INT_MAX && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) &&
	          tls_use_chain(ctx, cert_pem) && tls_use_key(ctx, key_pem);
	ERR_clear_error();
	if (!ok) {
		log_error("gate", "the TLS certificate and key cannot be used");
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF |
	                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); // tickets serve; no memory per stranger
	// One trial of everything that is fetched or seeded lazily, while files may still be read.
	SSL *trial = SSL_new(ctx);
	SSL_free(trial);
	return (struct tls *)ctx;
}

void tls_free(struct tls *t) { SSL_CTX_free(ctx_of(t)); }

struct tls_session *tls_session_new(struct tls *t, int fd)
{
	SSL *s = SSL_new(ctx_of(t));
	if (!s || SSL_set_fd(s, fd) != 1) {
		SSL_free(s);
		return NULL;
	}
	SSL_set_accept_state(s);
	return (struct tls_session *)s;
}

void tls_session_free(struct tls_session *s) { SSL_free(ssl_of(s)); }

void tls_bye(struct tls_session *s)
{
	if (SSL_is_init_finished(ssl_of(s)))
		SSL_shutdown(ssl_of(s));
	ERR_clear_error();
}

static ssize_t tls_result(struct tls_session *s, int rc, uint32_t *ret_wait)
{
	if (rc > 0)
		return rc;
	int why = SSL_get_error(ssl_of(s), rc);
	ERR_clear_error();
	if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
		return TLS_CLOSED;
	*ret_wait = why == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT;
	return TLS_AGAIN;
}

ssize_t tls_read(struct tls_session *s, void *p, size_t n, uint32_t *ret_wait)
{
	return tls_result(s, SSL_read(ssl_of(s), p, (int)MIN(n, (size_t)INT_MAX)), ret_wait);
}

ssize_t tls_write(struct tls_session *s, const void *p, size_t n, uint32_t *ret_wait)
{
	return tls_result(s, SSL_write(ssl_of(s), p, (int)MIN(n, (size_t)INT_MAX)), ret_wait);
}
