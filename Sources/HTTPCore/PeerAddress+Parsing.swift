extension PeerAddress {
  /// Parses `192.0.2.1`, or IPv6 as in RFC 4291 §2.2 without a zone; nil where `text` is neither.
  package init?(_ text: some StringProtocol, port: Int = 0) {
    let bytes = Self.ipv4(text) ?? Self.ipv6(text)
    guard let bytes else { return nil }
    self.init(bytes: bytes, port: port)
  }

  /// Parses an address with or without a port, as proxies write it: `192.0.2.1:80`, `[2001:db8::1]:80`; IPv6 without a
  /// port may stand with or without brackets.
  package init?(node: some StringProtocol) {
    if node.first == "[" {
      guard let end = node.firstIndex(of: "]") else { return nil }
      let rest = node[node.index(after: end)...]
      guard let bytes = Self.ipv6(node[node.index(after: node.startIndex)..<end]),
        let port = rest.isEmpty ? 0 : rest.first == ":" ? Self.port(rest.dropFirst()) : nil
      else { return nil }
      self.init(bytes: bytes, port: port)
    } else if let colon = node.firstIndex(of: ":"), let bytes = Self.ipv4(node[..<colon]) {
      guard let port = Self.port(node[node.index(after: colon)...]) else { return nil }
      self.init(bytes: bytes, port: port)
    } else {
      self.init(node)
    }
  }

  private static func port(_ text: some StringProtocol) -> Int? {
    decimal(text, maxDigits: 5).flatMap { $0 <= 65_535 ? $0 : nil }
  }

  private static func decimal(_ text: some StringProtocol, maxDigits: Int) -> Int? {
    guard text.utf8.count <= maxDigits, text.utf8.allSatisfy({ $0 &- ASCII.zero < 10 }) else {
      return nil
    }
    return Int(text)
  }

  /// Parses four decimal numbers. Leading zeros are refused, as some parsers take such numbers for octal.
  private static func ipv4(_ text: some StringProtocol) -> [UInt8]? {
    let parts = text.split(separator: ".", maxSplits: 4, omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var bytes: [UInt8] = []
    for part in parts {
      guard part.utf8.count == 1 || part.utf8.first != ASCII.zero,
        let byte = decimal(part, maxDigits: 3).flatMap({ UInt8(exactly: $0) })
      else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  /// Parses eight groups; `::` may stand for one run of zeros, and the last two groups may be written as IPv4.
  private static func ipv6(_ text: some StringProtocol) -> [UInt8]? {
    let characters = Array(text.utf8)
    guard characters.count <= 45 else { return nil }
    guard let gap = characters.indices.dropLast().first(where: { isGap(characters, at: $0) })
    else {
      return groups(characters[...]).flatMap { $0.count == 16 ? $0 : nil }
    }
    guard let head = groups(characters[..<gap]), let tail = groups(characters[(gap + 2)...]),
      head.count + tail.count <= 14, !endsInIPv4(characters[..<gap])
    else { return nil }
    return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
  }

  private static func isGap(_ characters: [UInt8], at index: Int) -> Bool {
    characters[index] == ASCII.colon && characters[index + 1] == ASCII.colon
  }

  private static func endsInIPv4(_ characters: ArraySlice<UInt8>) -> Bool {
    characters.contains(UInt8(ascii: "."))
  }

  /// The bytes of groups separated by colons, the last of which may be an IPv4 address; empty for an empty text.
  private static func groups(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    guard !text.isEmpty else { return [] }
    let parts = text.split(separator: ASCII.colon, omittingEmptySubsequences: false)
    var bytes: [UInt8] = []
    for (index, part) in parts.enumerated() {
      if index == parts.count - 1, endsInIPv4(part) {
        guard let last = ipv4(String(decoding: part, as: UTF8.self)) else { return nil }
        bytes += last
        continue
      }
      guard (1...4).contains(part.count) else { return nil }
      var group = 0
      for character in part {
        guard let digit = character.hexadecimalValue else { return nil }
        group = group << 4 | Int(digit)
      }
      bytes += [UInt8(group >> 8), UInt8(group & 0xFF)]
    }
    return bytes
  }
}
