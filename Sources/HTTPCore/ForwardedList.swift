/// The elements of `X-Forwarded-For` or `Forwarded` (RFC 7239 §4), read from the last to the first.
///
/// The end was written by a trusted proxy. Whatever the client wrote before it, unclosed quotes for example, does not
/// change how the end is read.
struct ForwardedList {
  /// A non-empty element.
  struct Node: Equatable {
    /// The address in the element; nil where it holds none.
    let address: PeerAddress?
  }

  private var rest: ArraySlice<UInt8>
  private let hasParameters: Bool

  /// - Parameter hasParameters: whether elements have the form of `Forwarded`: `for=192.0.2.1;proto=http`.
  init(_ value: String, hasParameters: Bool) {
    rest = Array(value.utf8)[...]
    self.hasParameters = hasParameters
  }

  /// Removes and returns the last remaining element.
  mutating func popLast() -> Node? {
    while !rest.isEmpty {
      let comma = lastComma
      let element = Self.trimmed(rest[(comma.map { $0 + 1 } ?? rest.startIndex)...])
      rest = comma.map { rest[..<$0] } ?? []
      guard !element.isEmpty else { continue }
      let node = hasParameters ? Self.forParameter(of: element) : element
      return Node(address: node.flatMap { PeerAddress(node: String(decoding: $0, as: UTF8.self)) })
    }
    return nil
  }

  /// The last comma outside quotes.
  private var lastComma: Int? {
    var isQuoted = false
    for index in rest.indices.reversed() {
      switch rest[index] {
      case Self.quote where hasParameters:
        // Within a quoted string, a quote after an odd number of backslashes is part of the string.
        let slashes = rest[..<index].reversed().prefix { $0 == Self.backslash }.count
        if !isQuoted || slashes % 2 == 0 { isQuoted.toggle() }
      case ASCII.comma where !isQuoted: return index
      default: break
      }
    }
    return nil
  }

  private static let quote = UInt8(ascii: "\"")
  private static let backslash = UInt8(ascii: "\\")

  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let isSpace: (UInt8) -> Bool = { $0 == ASCII.space || $0 == ASCII.tab }
    let start = bytes.drop(while: isSpace)
    return start.dropLast(start.reversed().prefix(while: isSpace).count)
  }

  /// The value of an element's only `for=`; nil where there is none or several, or where the element breaks the
  /// grammar.
  private static func forParameter(of element: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    var rest = element
    var found: ArraySlice<UInt8>?
    while true {
      // Pairs may be empty.
      while rest.first == UInt8(ascii: ";") { rest = trimmed(rest.dropFirst()) }
      guard !rest.isEmpty else { return found }
      let name = rest.prefix { ByteSet.token.contains($0) }
      rest = rest.dropFirst(name.count)
      guard !name.isEmpty, rest.popFirst() == UInt8(ascii: "="), let value = popValue(of: &rest)
      else { return nil }
      if String(decoding: name, as: UTF8.self).lowercased() == "for" {
        guard found == nil else { return nil }
        found = value
      }
      rest = trimmed(rest)
      guard rest.isEmpty || rest.first == UInt8(ascii: ";") else { return nil }
    }
  }

  /// Removes a token or a quoted string (RFC 9110 §5.6.4) from the front and returns its value.
  private static func popValue(of rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard rest.first == quote else {
      // By the grammar, an IPv4 address with a port must be quoted, but proxies leave the quotes out.
      let value = rest.prefix { ByteSet.token.contains($0) || $0 == ASCII.colon }
      rest = rest.dropFirst(value.count)
      return value.isEmpty ? nil : value
    }
    rest.removeFirst()
    var value: [UInt8] = []
    while let byte = rest.popFirst() {
      switch byte {
      case quote: return value[...]
      case backslash:
        guard let escaped = rest.popFirst() else { return nil }
        value.append(escaped)
      default: value.append(byte)
      }
    }
    return nil
  }
}
