/// The certificates of a server that speaks TLS 1.2 and 1.3, and which clients it takes.
package struct TLSSettings: Sendable, Equatable {
  /// A certificate with its chain and the key to it, files in PEM.
  package struct Certificate: Sendable, Equatable {
    package var chain: String
    package var key: String

    package init(chain: String, key: String) {
      self.chain = chain
      self.key = key
    }
  }

  /// One at least. The first is for clients that ask for no name, or for one that none of them has.
  package var certificates: [Certificate]
  /// A file of authorities in PEM: clients need a certificate of one of them. Nil: they need none.
  package var clientAuthorities: String?
  /// A port of its own, beside the one that speaks HTTP in the clear; nil: that one speaks TLS.
  package var port: Int?

  package init(
    certificates: [Certificate], clientAuthorities: String? = nil, port: Int? = nil
  ) {
    self.certificates = certificates
    self.clientAuthorities = clientAuthorities
    self.port = port
  }

  /// The files that it is read from.
  package var files: [String] {
    certificates.flatMap { [$0.chain, $0.key] } + (clientAuthorities.map { [$0] } ?? [])
  }
}
