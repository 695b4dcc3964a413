/// The names of common request fields: they need neither an allocation nor lower-casing.
package enum FieldNames {
  /// `bytes`, a field name as received, in lower case. The caller has checked that every byte is a token character.
  package static func lowercased(_ bytes: Span<UInt8>) -> String {
    if let candidate = candidate(for: bytes), bytes.equalsCaseless(candidate) { return candidate }
    var name: [UInt8] = []
    name.reserveCapacity(bytes.count)
    for index in bytes.indices { name.append(ASCII.lowercase(bytes[index])) }
    return String(ascii: name.span)
  }

  /// The only common name that `bytes` can be, by its length and first letter, and for two names also the eighth.
  private static func candidate(for bytes: Span<UInt8>) -> String? {
    guard bytes.count > 1 else { return nil }
    switch (bytes.count, ASCII.lowercase(bytes[0])) {
    case (4, UInt8(ascii: "h")): return "host"
    case (6, UInt8(ascii: "a")): return "accept"
    case (6, UInt8(ascii: "e")): return "expect"
    case (6, UInt8(ascii: "c")): return "cookie"
    case (6, UInt8(ascii: "p")): return "pragma"
    case (6, UInt8(ascii: "o")): return "origin"
    case (7, UInt8(ascii: "r")): return "referer"
    case (10, UInt8(ascii: "c")): return "connection"
    case (10, UInt8(ascii: "u")): return "user-agent"
    case (11, UInt8(ascii: "t")): return "traceparent"
    case (12, UInt8(ascii: "c")): return "content-type"
    case (13, UInt8(ascii: "a")): return "authorization"
    case (13, UInt8(ascii: "c")): return "cache-control"
    case (14, UInt8(ascii: "c")): return "content-length"
    case (15, UInt8(ascii: "a")):
      return bytes[7] == UInt8(ascii: "e") ? "accept-encoding" : "accept-language"
    case (15, UInt8(ascii: "x")): return "x-forwarded-for"
    case (16, UInt8(ascii: "c")): return "content-encoding"
    case (17, UInt8(ascii: "t")): return "transfer-encoding"
    case (17, UInt8(ascii: "x")): return "x-forwarded-proto"
    case (25, UInt8(ascii: "u")): return "upgrade-insecure-requests"
    case (31, UInt8(ascii: "i")): return "inference-header-content-length"
    default: return nil
    }
  }
}
