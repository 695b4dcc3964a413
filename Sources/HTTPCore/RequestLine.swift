/// A request's first line: method, target and version (RFC 9112 §3).
struct RequestLine {
  let method: String
  let path: String
  let query: String?
  /// The authority of a target in absolute form, which then replaces Host; nil for other targets.
  let authority: String?
  let isHTTP10: Bool

  /// Parses `line`, given without its CR LF.
  init(parsing line: Span<UInt8>, limits: HTTP1Limits) throws(HTTP1Error) {
    var methodEnd = 0
    while methodEnd < line.count, line[methodEnd] != ASCII.space {
      guard ByteSet.token.contains(line[methodEnd]) else {
        throw .invalidMethodByte(line[methodEnd])
      }
      methodEnd += 1
    }
    let targetStart = methodEnd + 1
    var targetEnd = targetStart
    while targetEnd < line.count, line[targetEnd] != ASCII.space { targetEnd += 1 }
    guard methodEnd > 0, targetEnd > targetStart, targetEnd < line.count else {
      throw .malformedRequestLine(line.excerpt)
    }
    guard targetEnd - targetStart <= limits.maxTargetBytes else {
      throw .targetTooLong(limit: limits.maxTargetBytes)
    }
    method = String(ascii: line.extracting(0..<methodEnd))
    isHTTP10 = try Self.isHTTP10(line.extracting((targetEnd + 1)...))

    let target = line.extracting(targetStart..<targetEnd)
    for index in target.indices where !ByteSet.target.contains(target[index]) {
      throw .invalidTarget(target.excerpt)
    }
    guard method != "CONNECT" else { throw .connectUnsupported }
    var pathStart = 0
    if target[0] != ASCII.slash {
      if target.count == 1, target[0] == UInt8(ascii: "*"), method == "OPTIONS" {
        (path, query, authority) = ("*", nil, nil)
        return
      }
      pathStart = try Self.authorityEnd(of: target)
      authority = String(ascii: target.extracting(Self.authorityStart(of: target)..<pathStart))
    } else {
      authority = nil
    }
    var pathEnd = pathStart
    while pathEnd < target.count, target[pathEnd] != ASCII.questionMark { pathEnd += 1 }
    path = pathEnd > pathStart ? String(ascii: target.extracting(pathStart..<pathEnd)) : "/"
    query = pathEnd < target.count ? String(ascii: target.extracting((pathEnd + 1)...)) : nil
  }

  /// Whether the version is HTTP/1.0; later minor versions count as 1.1 (RFC 9110 §2.5).
  private static func isHTTP10(_ version: Span<UInt8>) throws(HTTP1Error) -> Bool {
    let name = "HTTP/".utf8.span
    var isWellFormed = version.count == 8 && version[6] == UInt8(ascii: ".")
    for index in 0..<min(name.count, version.count) where version[index] != name[index] {
      isWellFormed = false
    }
    guard isWellFormed, isDigit(version[5]), isDigit(version[7]) else {
      throw .malformedVersion(version.excerpt)
    }
    guard version[5] == UInt8(ascii: "1") else { throw .unsupportedVersion(version.excerpt) }
    return version[7] == ASCII.zero
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- ASCII.zero < 10 }

  /// The index of the authority in a target of absolute form; 0 for other targets.
  private static func authorityStart(of target: Span<UInt8>) -> Int {
    for scheme in ["http://", "https://"] {
      let length = scheme.utf8.count
      if target.count > length, target.extracting(first: length).equalsCaseless(scheme) {
        return length
      }
    }
    return 0
  }

  /// The index of the path in a target of absolute form (RFC 9112 §3.2.2).
  private static func authorityEnd(of target: Span<UInt8>) throws(HTTP1Error) -> Int {
    let start = authorityStart(of: target)
    var end = start
    while end < target.count, target[end] != ASCII.slash, target[end] != ASCII.questionMark {
      end += 1
    }
    // RFC 9110 §4.2.1: an http URI has a host.
    guard start > 0, end > start, target[start] != ASCII.colon,
      Authority.isValid(target.extracting(start..<end))
    else { throw .invalidTarget(target.excerpt) }
    return end
  }
}
