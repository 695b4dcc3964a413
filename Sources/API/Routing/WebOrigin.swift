/// An origin of web pages as browsers write it (RFC 6454 §6.2): a scheme, a host, and a port unless it is the scheme's
/// default.
package struct WebOrigin: Sendable, Hashable {
  let text: String

  /// Parses `text`; nil where it is no origin, for example because a path follows.
  package init?(_ text: some StringProtocol) {
    let text = text.lowercased()
    guard let separator = text.firstRange(of: "://") else { return nil }
    let scheme = text[..<separator.lowerBound]
    let authority = text[separator.upperBound...]
    guard scheme.utf8.first.map({ (0x61...0x7A).contains($0) }) == true,
      scheme.utf8.allSatisfy({ Self.schemeBytes.contains($0) }), !authority.isEmpty,
      authority.utf8.allSatisfy({ Self.authorityBytes.contains($0) })
    else { return nil }
    let standard = Self.standardPorts[String(scheme)].map { ":\($0)" }
    let isStandard = standard.map { authority.hasSuffix($0) } ?? false
    let ownPort = isStandard ? standard?.count ?? 0 : 0
    self.text = "\(scheme)://\(authority.dropLast(ownPort))"
  }

  private static let standardPorts = ["http": 80, "https": 443]
  private static let schemeBytes = Set("abcdefghijklmnopqrstuvwxyz0123456789+-.".utf8)
  private static let authorityBytes = Set("abcdefghijklmnopqrstuvwxyz0123456789-._:[]".utf8)
}

/// The origins whose pages may read responses.
package enum CrossOrigins: Sendable, Equatable {
  case none
  case all
  case some(Set<WebOrigin>)
}
