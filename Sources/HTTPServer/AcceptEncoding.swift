import HTTPCore

/// A client's preference among content codings (RFC 9110 §12.5.3).
struct AcceptEncoding: Equatable {
  /// The content coding to use for a response.
  enum Choice: Equatable {
    case identity
    case gzip
    /// gzip, and the client refuses an uncompressed response.
    case onlyGzip
  }

  /// The coding that the client prefers.
  let choice: Choice

  /// Reads the fields of a request. Without Accept-Encoding the choice is `identity`, which every client can read.
  init(_ fields: HTTPFields) {
    let weights = Self.weights(fields.values(of: "accept-encoding"))
    let others = weights["*"]
    // x-gzip is gzip's name in HTTP/1.0 (RFC 9110 §8.4.1.3).
    let gzip = weights["gzip"] ?? weights["x-gzip"] ?? others ?? 0
    let identity = weights["identity"] ?? others
    choice =
      if gzip == 0 || gzip < identity ?? 0 {
        .identity
      } else if identity == 0 {
        .onlyGzip
      } else {
        .gzip
      }
  }

  /// The weight (`q`) of each coding, in thousandths; malformed list members are skipped.
  private static func weights(_ values: [String]) -> [String: Int] {
    var weights: [String: Int] = [:]
    for member in values.flatMap({ $0.split(separator: ",") }) {
      let parts = member.split(separator: ";", omittingEmptySubsequences: false).map(\.trimmed)
      guard let coding = parts.first, !coding.isEmpty, parts.count <= 2 else { continue }
      guard let weight = parts.count == 1 ? 1000 : weight(parts[1]) else { continue }
      weights[coding.lowercased()] = weight
    }
    return weights
  }

  /// Reads `q=0.5`, at most three decimals (RFC 9110 §12.4.2), in thousandths.
  private static func weight(_ parameter: Substring) -> Int? {
    let text = parameter.utf8
    guard text.count >= 3, parameter.lowercased().hasPrefix("q=") else { return nil }
    let number = Array(text.dropFirst(2))
    guard number[0] == UInt8(ascii: "0") || number[0] == UInt8(ascii: "1") else { return nil }
    var thousandths = Int(number[0] - UInt8(ascii: "0")) * 1000
    guard number.count > 1 else { return thousandths }
    guard number[1] == UInt8(ascii: "."), number.count <= 5 else { return nil }
    for (digit, place) in zip(number[2...], [100, 10, 1]) {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      thousandths += Int(digit - UInt8(ascii: "0")) * place
    }
    return thousandths <= 1000 ? thousandths : nil
  }
}

extension Substring {
  /// The text without the spaces and tabs around it (OWS of RFC 9110 §5.6.3).
  var trimmed: Substring {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    let start = drop(while: isSpace)
    guard let end = start.lastIndex(where: { !isSpace($0) }) else { return start }
    return start[...end]
  }
}
