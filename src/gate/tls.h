// TLS 1.2 and 1.3 for MQTT, by OpenSSL, on non-blocking sockets. All set-up happens before the sandbox closes.
#pragma once

#include "base/base.h"
#include "base/str.h"

#include <sys/types.h>

struct tls;         // certificate and settings, one per gate
struct tls_session; // one connection

struct tls *tls_new(struct str cert_pem, struct str key_pem); // NULL: unusable (logged without the key)
void tls_free(struct tls *t); // NULL is fine
struct tls_session *tls_session_new(struct tls *t, int fd); // NULL: out of memory
void tls_session_free(struct tls_session *s); // NULL is fine
void tls_bye(struct tls_session *s); // sends close_notify if that is possible at once

// Bytes read or written; TLS_AGAIN: wait for the events in *ret_wait (EPOLLIN or EPOLLOUT); TLS_CLOSED: over.
#define TLS_AGAIN (-1)
#define TLS_CLOSED (-2)
ssize_t tls_read(struct tls_session *s, void *p, size_t n, uint32_t *ret_wait);
ssize_t tls_write(struct tls_session *s, const void *p, size_t n, uint32_t *ret_wait);
