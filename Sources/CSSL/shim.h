// OpenSSL's libssl, and what Swift can't call directly: macros, callbacks, variadic functions.
#pragma once
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

/// A server's contexts, one for each certificate. The first one serves clients that name no host, or a host that no
/// certificate has.
typedef struct {
  SSL_CTX **contexts;
  int count;
} cssl_contexts;

/// Chooses the context whose certificate has the host name that the client asks for (SNI, RFC 6066 §3); else keeps the
/// first.
static inline int cssl_choose_context(SSL *ssl, int *alert, void *argument) {
  (void)alert;
  const cssl_contexts *all = (const cssl_contexts *)argument;
  const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  for (int index = 0; name != NULL && index < all->count; index++) {
    if (X509_check_host(SSL_CTX_get0_certificate(all->contexts[index]), name, strlen(name), 0, NULL) != 1) continue;
    SSL_set_SSL_CTX(ssl, all->contexts[index]);
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_OK;
}

/// Chooses the protocol by ALPN, h2 before http/1.1. Ends the handshake if the client's list has neither (RFC 7301
/// §3.2).
static inline int cssl_choose_protocol(
    SSL *ssl, const unsigned char **chosen, unsigned char *length, const unsigned char *offered, unsigned int count,
    void *argument) {
  (void)ssl, (void)argument;
  static const unsigned char own[] = "\x02h2\x08http/1.1";
  return SSL_select_next_proto((unsigned char **)chosen, length, own, sizeof own - 1, offered, count) ==
                 OPENSSL_NPN_NEGOTIATED
             ? SSL_TLSEXT_ERR_OK
             : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// Makes a server's context for TLS 1.2 and 1.3, without its certificate; returns NULL if memory is short.
static inline SSL_CTX *cssl_new_server_context(void) {
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  if (context == NULL) return NULL;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // Of TLS 1.2 only suites with forward secrecy and authenticated encryption: RFC 9113 §9.2.2 forbids the others.
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_options(
      context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION |
                   SSL_OP_IGNORE_UNEXPECTED_EOF);
  // The rest of a partial write may be written from another address; an idle connection keeps no buffers.
  SSL_CTX_set_mode(
      context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // Sessions are resumed by tickets, which the clients keep.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(context, (const unsigned char *)"carousel", 8);
  SSL_CTX_set_alpn_select_cb(context, cssl_choose_protocol, NULL);
  return context;
}

/// Refuses to ask anyone for a pass phrase, which would wait for a terminal; notes in `asked` that one is needed.
static inline int cssl_refuse_pass_phrase(char *buffer, int size, int writing, void *asked) {
  (void)buffer, (void)size, (void)writing;
  *(int *)asked = 1;
  return -1;
}

/// Uses the private key in `file`; returns 1, 0 if that can't be read, or -1 if it is encrypted.
static inline int cssl_use_private_key(SSL_CTX *context, const char *file) {
  int asked = 0;
  SSL_CTX_set_default_passwd_cb(context, cssl_refuse_pass_phrase);
  SSL_CTX_set_default_passwd_cb_userdata(context, &asked);
  int used = SSL_CTX_use_PrivateKey_file(context, file, SSL_FILETYPE_PEM);
  SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
  SSL_CTX_set_default_passwd_cb(context, NULL);
  return asked ? -1 : used;
}

/// The place in the file `chain`, from 1, of the certificate that the key in the file `key` belongs to; 0 if there is
/// none, -1 if the key can't be read.
static inline int cssl_place_of_key(const char *chain, const char *key) {
  int asked = 0, place = 0;
  BIO *in = BIO_new_file(key, "r");
  EVP_PKEY *private_key = in == NULL ? NULL : PEM_read_bio_PrivateKey(in, NULL, cssl_refuse_pass_phrase, &asked);
  BIO_free(in);
  if (private_key == NULL) return -1;
  in = BIO_new_file(chain, "r");
  for (int number = 1; in != NULL && place == 0; number++) {
    X509 *certificate = PEM_read_bio_X509_AUX(in, NULL, NULL, NULL);
    if (certificate == NULL) break;
    if (X509_check_private_key(certificate, private_key) == 1) place = number;
    X509_free(certificate);
  }
  BIO_free(in);
  EVP_PKEY_free(private_key);
  return place;
}

/// Whether the first certificate in `file` has expired at the time `now` (1), is not valid yet (-1), or neither (0); 0
/// also if the file can't be read.
static inline int cssl_expiry(const char *file, time_t now) {
  BIO *in = BIO_new_file(file, "r");
  X509 *certificate = in == NULL ? NULL : PEM_read_bio_X509_AUX(in, NULL, NULL, NULL);
  BIO_free(in);
  int expiry = 0;
  if (certificate != NULL) {
    if (X509_cmp_time(X509_get0_notAfter(certificate), &now) < 0) expiry = 1;
    else if (X509_cmp_time(X509_get0_notBefore(certificate), &now) > 0) expiry = -1;
  }
  X509_free(certificate);
  ERR_clear_error();
  return expiry;
}

/// Makes the first of `all` choose among them by the client's host name; `all` must live as long as the contexts.
static inline void cssl_enable_sni(cssl_contexts *all) {
  SSL_CTX_set_tlsext_servername_callback(all->contexts[0], cssl_choose_context);
  SSL_CTX_set_tlsext_servername_arg(all->contexts[0], all);
}

/// Requires clients to have a certificate of one of the authorities in `file`; returns 0 if the file can't be read.
static inline int cssl_require_client_certificates(SSL_CTX *context, const char *file) {
  STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(file);
  if (names == NULL) return 0;
  if (SSL_CTX_load_verify_locations(context, file, NULL) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return 0;
  }
  SSL_CTX_set_client_CA_list(context, names);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  return 1;
}

/// Writes the subject of the client's certificate (RFC 2253) into `text`, cut off at `size` bytes with the final zero;
/// returns 0 if the client gave no certificate.
static inline int cssl_peer_subject(SSL *ssl, char *text, int size) {
  X509 *certificate = SSL_get0_peer_certificate(ssl);
  BIO *out = certificate == NULL ? NULL : BIO_new(BIO_s_mem());
  if (out == NULL) return 0;
  X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  int count = BIO_read(out, text, size - 1);
  text[count > 0 ? count : 0] = 0;
  BIO_free(out);
  return 1;
}

/// Makes a client's context that accepts any certificate, for a program that asks only whether a server answers.
static inline SSL_CTX *cssl_new_probe_context(void) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  if (context != NULL) SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  return context;
}

/// Names the host in the handshake (SNI), for servers that have several certificates.
static inline void cssl_set_host(SSL *ssl, const char *name) { SSL_set_tlsext_host_name(ssl, name); }

/// Empties this thread's queue of errors, which nearly always is empty: ERR_clear_error writes to all of it even then.
static inline void cssl_clear_errors(void) {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

/// The reason of the first error in this thread's queue, as text; empties the queue.
static inline const char *cssl_reason(void) {
  const char *reason = ERR_reason_error_string(ERR_peek_error());
  ERR_clear_error();
  return reason == NULL ? "unknown" : reason;
}

/// Makes a client's context for TLS 1.2 and 1.3 that accepts only certificates of the authorities in `file`. If `file`
/// is NULL, these are the system's, or those in the file that SSL_CERT_FILE names. Returns NULL if memory is short or
/// the file can't be read.
static inline SSL_CTX *cssl_new_client_context(const char *file) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  if (context == NULL) return NULL;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  int found = file != NULL ? SSL_CTX_load_verify_locations(context, file, NULL) : SSL_CTX_set_default_verify_paths(context);
  if (found == 1) return context;
  SSL_CTX_free(context);
  return NULL;
}

/// Requires the peer's certificate to be of `host`, a name or an IP address, and names the host in the handshake (SNI)
/// if it is a name; returns 0 if that can't be set up.
static inline int cssl_verify_host(SSL *ssl, const char *host) {
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1) return 1;
  ERR_clear_error();
  return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1;
}

/// Why the peer's certificate was refused; NULL if it was accepted, or if there was none.
static inline const char *cssl_refusal_of_certificate(SSL *ssl) {
  long code = SSL_get_verify_result(ssl);
  return code == X509_V_OK ? NULL : X509_verify_cert_error_string(code);
}
