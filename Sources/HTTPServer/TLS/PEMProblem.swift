import Glibc

/// Why OpenSSL finds nothing to use in a file, said by what the file holds instead.
enum PEMProblem {
  /// - Parameter reason: OpenSSL's, for a file in which there is what was expected.
  static func sentence(of file: String, as role: TLSSettings.Role, reason: String) -> String {
    let bytes = firstBytes(of: file)
    let expected = "expected \(role.expected) in PEM"
    if bytes.isEmpty { return "found an empty file, \(expected)" }
    if let form = BinaryForm(bytes) {
      return "found \(form.rawValue), \(expected): \(form.command(file, role)) writes it"
    }
    guard let label = label(in: bytes) else { return "found no PEM, \(expected)" }
    return label.hasSuffix(role.label)
      ? "\(reason), \(expected)" : "found \(label), \(expected)"
  }

  /// A form of certificates and keys that is not text (DER, X.690).
  private enum BinaryForm: String {
    case der = "DER"
    case archive = "PKCS#12"

    /// Nil for anything that does not begin as a sequence, which both forms are.
    init?(_ bytes: [UInt8]) {
      guard bytes.count >= 8, bytes[0] == 0x30 else { return nil }
      let lengthBytes = bytes[1] < 0x80 ? 0 : Int(bytes[1] & 0x7F)
      // A PKCS#12 file begins with the version 3 (RFC 7292 §4); keys have 0 or 1 there, certificates a sequence.
      let version = bytes.dropFirst(2 + lengthBytes).prefix(3)
      self = Array(version) == [0x02, 0x01, 0x03] ? .archive : .der
    }

    /// The command that writes the file as PEM.
    func command(_ file: String, _ role: TLSSettings.Role) -> String {
      switch (self, role) {
      case (.der, .key): "openssl pkey -inform der -in \(file) -out key.pem"
      case (.der, _): "openssl x509 -inform der -in \(file) -out chain.pem"
      case (.archive, .key): "openssl pkcs12 -in \(file) -nocerts -noenc -out key.pem"
      case (.archive, _): "openssl pkcs12 -in \(file) -nokeys -out chain.pem"
      }
    }
  }

  /// What the first block of PEM is called, `RSA PRIVATE KEY` (RFC 7468 §2); nil where there is none.
  private static func label(in bytes: [UInt8]) -> String? {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let begin = text.firstRange(of: "-----BEGIN "),
      let end = text[begin.upperBound...].firstRange(of: "-----")
    else { return nil }
    return String(text[begin.upperBound..<end.lowerBound])
  }

  /// The start of a file; some write a certificate as text before its PEM.
  private static func firstBytes(of file: String) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 16 << 10)
    // SAFETY: the path is a zero-terminated string for the length of the call.
    let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    // SAFETY: the call writes at most as many bytes as there are.
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe read(descriptor, $0.baseAddress, $0.count)
    }
    return Array(bytes.prefix(max(0, count)))
  }
}

extension TLSSettings.Role {
  fileprivate var expected: String {
    switch self {
    case .chain: "a certificate and those that it follows from"
    case .key: "the certificate's private key"
    case .clientAuthorities: "certificates of authorities"
    }
  }

  /// How the labels of its blocks of PEM end.
  fileprivate var label: String { self == .key ? "PRIVATE KEY" : "CERTIFICATE" }
}
