import CSSL
import Glibc

/// The certificates of a server that speaks TLS 1.2 and 1.3, and which clients it accepts.
package struct TLSSettings: Sendable, Equatable {
  /// The paths of two files in PEM: a certificate with its chain, and the certificate's key.
  package struct Certificate: Sendable, Equatable {
    package var chain: String
    package var key: String

    package init(chain: String, key: String) {
      self.chain = chain
      self.key = key
    }
  }

  /// What a file is for; the raw values are the names of the server's settings.
  package enum Role: String, Sendable {
    case chain = "tls_certificate"
    case key = "tls_key"
    case clientAuthorities = "tls_client_authorities"
  }

  /// At least one. The first is for clients that ask for no host name, or for one that no certificate has.
  package var certificates: [Certificate]
  /// The path of a file in PEM with certificate authorities: clients need a certificate of one of them. Nil: clients
  /// need none.
  package var clientAuthorities: String?
  /// The port of TLS, beside the port that speaks HTTP unencrypted; nil: that port speaks TLS.
  package var port: Int?

  package init(
    certificates: [Certificate], clientAuthorities: String? = nil, port: Int? = nil
  ) {
    self.certificates = certificates
    self.clientAuthorities = clientAuthorities
    self.port = port
  }

  /// The paths of all files that these settings name.
  package var files: [String] {
    certificates.flatMap { [$0.chain, $0.key] } + (clientAuthorities.map { [$0] } ?? [])
  }

  /// The files whose certificates clients refuse at `now`, in seconds since 1970, each with the reason.
  package func untimelyCertificates(at now: Int = time(nil)) -> [(file: String, problem: String)] {
    certificates.compactMap { certificate in
      // SAFETY: the path is a zero-terminated string for the length of the call.
      switch unsafe cssl_expiry(certificate.chain, now) {
      case 1: (certificate.chain, "it has expired")
      case -1: (certificate.chain, "it is not valid yet")
      default: nil
      }
    }
  }
}
