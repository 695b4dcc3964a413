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
    var files = [(TLSSettings.Role.chain, certificate.chain), (.key, certificate.key)]
    if let clientAuthorities { files.append((.clientAuthorities, clientAuthorities)) }
    for (role, file) in files { try checkReadable(file, role) }
    // SAFETY: the paths are zero-terminated strings for the length of each call; the context is freed if a call fails.
    guard let context = unsafe cssl_new_server_context() else {
      throw .certificate(.chain, file: certificate.chain, problem: "out of memory")
    }
    func check(
      _ isFine: Bool, _ role: TLSSettings.Role, _ file: String, _ problem: (String) -> String
    ) throws(HTTPServerError) {
      guard !isFine else { return }
      let reason = unsafe String(cString: cssl_reason())
      unsafe SSL_CTX_free(context)
      throw .certificate(role, file: file, problem: problem(reason))
    }
    cssl_clear_errors()
    try check(
      unsafe SSL_CTX_use_certificate_chain_file(context, certificate.chain) == 1, .chain,
      certificate.chain
    ) { PEMProblem.sentence(of: certificate.chain, as: .chain, reason: $0) }
    // Told before the key is used, which would be blamed for the order of the chain.
    let place = unsafe cssl_place_of_key(certificate.chain, certificate.key)
    try check(place <= 1, .chain, certificate.chain) { _ in
      "found the certificate of \(certificate.key) as number \(place), expected it first, and behind it those that it follows from"
    }
    cssl_clear_errors()
    let isKeyUsed = unsafe cssl_use_private_key(context, certificate.key)
    try check(isKeyUsed >= 0, .key, certificate.key) { _ in
      "found a key that needs a pass phrase, expected one without: "
        + "openssl pkey -in \(certificate.key) -out key.pem writes it"
    }
    try check(place != 0, .key, certificate.key) { _ in
      "found the key of another certificate, expected that of \(certificate.chain)"
    }
    try check(isKeyUsed == 1, .key, certificate.key) {
      PEMProblem.sentence(of: certificate.key, as: .key, reason: $0)
    }
    if let clientAuthorities {
      try check(
        unsafe cssl_require_client_certificates(context, clientAuthorities) == 1,
        .clientAuthorities, clientAuthorities
      ) { PEMProblem.sentence(of: clientAuthorities, as: .clientAuthorities, reason: $0) }
    }
    return unsafe context
  }

  private static func checkReadable(
    _ file: String, _ role: TLSSettings.Role
  ) throws(HTTPServerError) {
    var status = stat()
    // SAFETY: the path is a zero-terminated string for the length of each call; `stat` writes one `stat`.
    guard unsafe stat(file, &status) == 0, unsafe access(file, R_OK) == 0 else {
      // SAFETY: strerror returns a string that stays valid until this thread's next call of it.
      throw .certificate(role, file: file, problem: unsafe String(cString: strerror(errno)))
    }
    // OpenSSL would wait for a pipe's writer, and read a device that has no end.
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .certificate(
        role, file: file, problem: "found no regular file, expected one in PEM")
    }
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
