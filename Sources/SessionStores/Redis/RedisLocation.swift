/// Where a Redis is: `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, or `rediss://` over TLS.
package struct RedisLocation: Sendable, Equatable {
  package static let standardPort = 6379

  package var host: String
  package var port: Int
  /// Nil for the user that Redis calls `default`.
  package var user: String?
  package var password: String?
  package var database: Int
  /// Whether it is spoken to over TLS.
  package var isSecure = false
  /// The file of the authorities whose certificate it has; nil for the system's.
  var authorities: String?

  package init(
    host: String, port: Int = Self.standardPort, user: String? = nil, password: String? = nil,
    database: Int = 0
  ) {
    self.host = host
    self.port = port
    self.user = user
    self.password = password
    self.database = database
  }

  /// Reads a URL; nil where it is none of a Redis.
  package init?(_ text: String) {
    guard let scheme = ["redis://", "rediss://"].first(where: text.hasPrefix) else { return nil }
    isSecure = scheme == "rediss://"
    var rest = text.dropFirst(scheme.count)
    database = 0
    if let slash = rest.lastIndex(of: "/"), !rest[slash...].contains("@") {
      let digits = rest[rest.index(after: slash)...]
      if !digits.isEmpty {
        guard let number = Self.number(digits), number <= 1_000_000 else { return nil }
        database = number
      }
      rest = rest[..<slash]
    }
    if let sign = rest.lastIndex(of: "@") {
      let parts = rest[..<sign].split(
        separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, let name = Self.decoded(parts[0]),
        let password = Self.decoded(parts[1]), !password.isEmpty
      else { return nil }
      user = name.isEmpty ? nil : name
      self.password = password
      rest = rest[rest.index(after: sign)...]
    }
    port = Self.standardPort
    var name = rest
    if rest.hasPrefix("[") {
      guard let end = rest.firstIndex(of: "]") else { return nil }
      name = rest[rest.index(after: rest.startIndex)..<end]
      rest = rest[rest.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
    } else {
      name = rest.prefix { $0 != ":" }
      rest = rest.dropFirst(name.count)
    }
    if !rest.isEmpty {
      guard let number = Self.number(rest.dropFirst()), (1...65_535).contains(number) else {
        return nil
      }
      port = number
    }
    guard !name.isEmpty, !name.contains(where: { "/?#[] ".contains($0) }) else { return nil }
    host = String(name)
  }

  /// The URL without its password, for logs and errors.
  package var description: String {
    let name = host.contains(":") ? "[\(host)]" : host
    let who = password == nil ? "" : "\(user ?? ""):***@"
    return "redis\(isSecure ? "s" : "")://\(who)\(name):\(port)/\(database)"
  }

  private static func number(_ digits: Substring) -> Int? {
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    return Int(digits)
  }

  /// The text with its %XX read (RFC 3986 §2.1).
  private static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(2)
      guard digits.count == 2, let value = UInt8(String(Substring(digits)), radix: 16) else {
        return nil
      }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
