/// The parts of a probe's http or https URL.
struct ProbeTarget: Equatable {
  /// A name or an address; an IPv6 address without brackets.
  let host: String
  let isTLS: Bool
  let port: String
  /// Path and query, for the request line.
  let target: String
  /// Host and port as the URL writes them, for the Host field.
  let authority: String

  /// Parses `http[s]://host[:port][/path][?query]` (RFC 3986 §3); nil for anything else.
  init?(url: String) {
    let schemes = ["http://", "https://"]
    guard let scheme = schemes.first(where: { url.lowercased().hasPrefix($0) }),
      url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else {
      return nil
    }
    isTLS = scheme == "https://"
    let rest = url.dropFirst(scheme.count).prefix { $0 != "#" }
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    let target = rest.dropFirst(authority.count)
    guard !authority.contains("@") else { return nil }

    let host: Substring
    let afterHost: Substring
    if authority.first == "[" {
      guard let bracket = authority.firstIndex(of: "]") else { return nil }
      host = authority[..<bracket].dropFirst()
      afterHost = authority[bracket...].dropFirst()
    } else {
      host = authority.prefix { $0 != ":" }
      afterHost = authority.dropFirst(host.count)
    }
    guard !host.isEmpty, afterHost.isEmpty || afterHost.first == ":" else { return nil }
    let port = afterHost.dropFirst()
    if !port.isEmpty {
      guard port.allSatisfy({ $0.isASCII && $0.isNumber }), UInt16(port) ?? 0 > 0 else {
        return nil
      }
    }
    self.host = String(host)
    self.port = port.isEmpty ? isTLS ? "443" : "80" : String(port)
    self.target = target.first == "/" ? String(target) : "/" + target
    self.authority = String(authority)
  }
}
