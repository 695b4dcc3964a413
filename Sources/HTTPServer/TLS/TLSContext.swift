import CSSL
import Glibc
import Synchronization

/// The certificates and keys for a server's TLS connections, read once. Used by any thread.
// Sendable: OpenSSL's contexts lock for themselves, and nothing else changes.
@safe final class TLSContext: @unchecked Sendable {
  /// A context for each certificate. OpenSSL's callbacks hold this address, so the memory stays where it is.
  private let all: UnsafeMutablePointer<cssl_contexts>

  /// Reads the files of `settings`; throws if one can't be used.
  init(_ settings: TLSSettings) throws(HTTPServerError) {
    precondition(!settings.certificates.isEmpty, "a server has a certificate")
    // SAFETY: allocated here and freed in deinit, with the contexts that it holds by then.
    unsafe all = .allocate(capacity: 1)
    let contexts = UnsafeMutablePointer<OpaquePointer?>.allocate(
      capacity: settings.certificates.count)
    unsafe all.initialize(to: cssl_contexts(contexts: contexts, count: 0))
    for certificate in settings.certificates {
      let context = try unsafe Self.context(certificate, settings.clientAuthorities)
      // SAFETY: there is room for as many as there are certificates.
      unsafe all.pointee.contexts[Int(all.pointee.count)] = context
      unsafe all.pointee.count += 1
    }
    unsafe cssl_enable_sni(all)
  }

  deinit {
    for index in 0..<Int(unsafe all.pointee.count) {
      // SAFETY: connections under way hold their own references.
      unsafe SSL_CTX_free(all.pointee.contexts[index])
    }
    unsafe all.pointee.contexts.deallocate()
    unsafe all.deallocate()
  }

  private static func context(
    _ certificate: TLSSettings.Certificate, _ clientAuthorities: String?
  ) throws(HTTPServerError) -> OpaquePointer {
    for file in [certificate.chain, certificate.key] + (clientAuthorities.map { [$0] } ?? []) {
      var status = stat()
      // SAFETY: the path is a zero-terminated string for the length of the call, which writes one `stat`.
      guard unsafe stat(file, &status) == 0 else {
        // SAFETY: strerror returns a string that stays valid until this thread's next call of it.
        throw .certificate(file: file, problem: unsafe String(cString: strerror(errno)))
      }
      if status.st_mode & S_IFMT == S_IFREG { continue }
      // OpenSSL would wait for a pipe's writer, and read a device that has no end.
      throw .certificate(file: file, problem: "found no regular file, expected one in PEM")
    }
    // SAFETY: the paths are zero-terminated strings for the length of each call; the context is freed if a call fails.
    guard let context = unsafe cssl_new_server_context() else {
      throw .certificate(file: certificate.chain, problem: "out of memory")
    }
    func check(
      _ isFine: Bool, _ file: String, expected: String
    ) throws(HTTPServerError) {
      guard !isFine else { return }
      let reason = unsafe String(cString: cssl_reason())
      unsafe SSL_CTX_free(context)
      throw .certificate(file: file, problem: "\(reason), expected \(expected) in PEM")
    }
    cssl_clear_errors()
    try check(
      unsafe SSL_CTX_use_certificate_chain_file(context, certificate.chain) == 1, certificate.chain,
      expected: "a certificate and those that it follows from")
    let isKeyUsed = unsafe cssl_use_private_key(context, certificate.key)
    if isKeyUsed < 0 {
      cssl_clear_errors()
      unsafe SSL_CTX_free(context)
      throw .certificate(
        file: certificate.key,
        problem: "found a key that needs a pass phrase, expected one without: "
          + "openssl pkey -in \(certificate.key) -out key.pem writes it")
    }
    try check(isKeyUsed == 1, certificate.key, expected: "the certificate's private key")
    if let clientAuthorities {
      try check(
        unsafe cssl_require_client_certificates(context, clientAuthorities) == 1, clientAuthorities,
        expected: "certificates of authorities")
    }
    return unsafe context
  }

  /// Makes the server's side of a TLS connection over a socket; nil if memory is exhausted. The caller frees it.
  @unsafe func newConnection(_ descriptor: CInt) -> OpaquePointer? {
    // SAFETY: there is a first context; the socket outlives the connection that is made here.
    guard let connection = unsafe SSL_new(all.pointee.contexts[0]) else { return nil }
    unsafe SSL_set_fd(connection, descriptor)
    unsafe SSL_set_accept_state(connection)
    return unsafe connection
  }
}

/// The context that new connections get; a reload replaces it.
final class TLSReference: Sendable {
  private let context: Mutex<TLSContext>

  init(_ context: TLSContext) { self.context = Mutex(context) }

  var current: TLSContext { context.withLock { $0 } }

  func replace(_ new: TLSContext) { context.withLock { $0 = new } }
}
