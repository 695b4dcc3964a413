/// Where a Redis is: `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`; or who knows that, the Sentinels that watch over it:
/// `redis+sentinel://[[USER]:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]/NAME[/DATABASE]`; or some nodes of a cluster:
/// `redis+cluster://[[USER]:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]`. `rediss` is over TLS.
package struct RedisLocation: Sendable, Equatable {
  package static let standardPort = 6379
  package static let sentinelPort = 26_379

  /// A name or address, and a port there.
  package struct Place: Sendable, Equatable {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
      self.host = host
      self.port = port
    }

    /// Nil where the text is no host with a port behind it, or without.
    init?(_ text: Substring, standardPort: Int) {
      var (name, rest) = (text, Substring())
      if text.hasPrefix("[") {
        guard let end = text.firstIndex(of: "]") else { return nil }
        name = text[text.index(after: text.startIndex)..<end]
        rest = text[text.index(after: end)...]
        guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
      } else {
        name = text.prefix { $0 != ":" }
        rest = text.dropFirst(name.count)
      }
      port = standardPort
      if !rest.isEmpty {
        guard let number = RedisLocation.number(rest.dropFirst()), (1...65_535).contains(number)
        else { return nil }
        port = number
      }
      guard !name.isEmpty, !name.contains(where: { "/?#[], ".contains($0) }) else { return nil }
      host = String(name)
    }

    var description: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }
  }

  /// The Redis, or the Sentinels, or nodes of a cluster; never empty.
  package var places: [Place]
  /// What the Sentinels call the Redis; nil where there are none.
  package var sentinelName: String?
  /// Nil for the user that Redis calls `default`.
  package var user: String?
  package var password: String?
  package var database: Int
  /// Whether it is a cluster, of which `places` are some nodes.
  package var isCluster = false
  /// Whether it is spoken to over TLS.
  package var isSecure = false
  /// The file of the authorities whose certificate it has; nil for the system's.
  var authorities: String?

  package init(
    host: String, port: Int = Self.standardPort, user: String? = nil, password: String? = nil,
    database: Int = 0
  ) {
    places = [Place(host: host, port: port)]
    self.user = user
    self.password = password
    self.database = database
  }

  /// Reads a URL; nil where it is none of a Redis.
  package init?(_ text: String) {
    let schemes = ["", "+sentinel", "+cluster"].flatMap { ["redis\($0)://", "rediss\($0)://"] }
    guard let scheme = schemes.first(where: text.hasPrefix) else { return nil }
    isSecure = scheme.hasPrefix("rediss")
    var rest = text.dropFirst(scheme.count)
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
    var parts = rest.split(separator: "/", omittingEmptySubsequences: false)
    let hosts = parts.removeFirst()
    if scheme.hasSuffix("+sentinel://") {
      guard let first = parts.first, let name = Self.decoded(parts.removeFirst()), !first.isEmpty
      else { return nil }
      sentinelName = name
      guard let found = Self.places(hosts, standardPort: Self.sentinelPort) else { return nil }
      places = found
    } else if scheme.hasSuffix("+cluster://") {
      // A cluster has one database.
      guard let found = Self.places(hosts, standardPort: Self.standardPort),
        parts.isEmpty || parts == [""]
      else { return nil }
      (places, isCluster) = (found, true)
    } else {
      guard let place = Place(hosts, standardPort: Self.standardPort) else { return nil }
      places = [place]
    }
    database = 0
    if let digits = parts.first, !digits.isEmpty {
      guard let number = Self.number(digits), number <= 1_000_000 else { return nil }
      database = number
    }
    guard parts.count <= 1 else { return nil }
  }

  /// The URL without its password, for logs and errors.
  package var description: String {
    let who = password == nil ? "" : "\(user ?? ""):***@"
    let hosts = places.map(\.description).joined(separator: ",")
    let kind = isCluster ? "+cluster" : sentinelName == nil ? "" : "+sentinel"
    let scheme = "redis\(isSecure ? "s" : "")\(kind)"
    if isCluster { return "\(scheme)://\(who)\(hosts)" }
    return "\(scheme)://\(who)\(hosts)\(sentinelName.map { "/\($0)" } ?? "")/\(database)"
  }

  /// Nil where a part between commas is no host.
  private static func places(_ text: Substring, standardPort: Int) -> [Place]? {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let found = parts.compactMap { Place($0, standardPort: standardPort) }
    return found.count == parts.count ? found : nil
  }

  fileprivate static func number(_ digits: Substring) -> Int? {
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
