/// Parses request heads, strictly by RFC 9112: input that two parsers could read differently is refused.
///
/// A line is parsed once it is complete, so bytes may come in pieces of any size.
package struct HTTP1Parser {
  private let limits: HTTP1Limits
  private var startLine: RequestLine?
  private var fields = FieldSection()
  /// How many bytes of this head are in parsed lines.
  private var headBytes = 0
  /// How many bytes of the unfinished line were already searched for an LF.
  private var scanned = 0
  private var skippedEmptyLine = false
  /// Whether a first line that was refused begins with HEAD, so that the refusal has no content.
  private var isRefusedHEAD = false

  /// A parser that has seen no bytes.
  package init(limits: HTTP1Limits) {
    self.limits = limits
  }

  /// Whether part of a head has been parsed.
  package var isUnderWay: Bool { startLine != nil }

  /// About how many bytes of memory the parsed lines take.
  package var heldBytes: Int { isUnderWay ? 4 * headBytes : 0 }

  /// The method of the head being read, once its first line is parsed; of a first line that was refused, HEAD alone.
  package var method: String? { startLine?.method ?? (isRefusedHEAD ? "HEAD" : nil) }

  /// Parses the complete lines of `bytes` from `offset` on and moves `offset` behind them.
  ///
  /// Returns the head once its empty line has come; nil while more bytes are needed. The next call must then begin with
  /// the bytes that this one left.
  package mutating func parse(
    _ bytes: Span<UInt8>, _ offset: inout Int
  ) throws(HTTP1Error) -> HTTP1Head? {
    let start = offset
    do { return try parseLines(bytes, &offset) } catch {
      var first = bytes.extracting(start...)
      // An empty line may stand before the first one.
      if first.count > 2, first[0] == ASCII.carriageReturn { first = first.extracting(2...) }
      isRefusedHEAD = String(fieldValue: first.extracting(first: 5)) == "HEAD "
      throw error
    }
  }

  private mutating func parseLines(
    _ bytes: Span<UInt8>, _ offset: inout Int
  ) throws(HTTP1Error) -> HTTP1Head? {
    while true {
      if startLine == nil, offset < bytes.count { try checkFirstByte(bytes[offset]) }
      let end = bytes.index(of: ASCII.lineFeed, from: offset + scanned)
      if startLine == nil { try checkMethod(bytes.extracting(offset..<end)) }
      try checkLength(end - offset + (end < bytes.count ? 1 : 0))
      guard end < bytes.count else {
        scanned = end - offset
        return nil
      }
      guard end > offset, bytes[end - 1] == ASCII.carriageReturn else { throw .bareLineFeed }
      let line = bytes.extracting(offset..<(end - 1))
      headBytes += end + 1 - offset
      offset = end + 1
      scanned = 0
      if let head = try parse(line) { return head }
    }
  }

  /// Parses one line; returns the head when the line ends it.
  private mutating func parse(_ line: Span<UInt8>) throws(HTTP1Error) -> HTTP1Head? {
    // Compared, not bound: a copy of the first line for each line would cost as much as parsing a short one.
    guard startLine != nil else {
      if line.isEmpty, !skippedEmptyLine {
        // RFC 9112 §2.2: one empty line before the request line is ignored.
        skippedEmptyLine = true
        headBytes = 0
      } else {
        startLine = try RequestLine(parsing: line, limits: limits)
      }
      return nil
    }
    guard line.isEmpty, let startLine else {
      try fields.append(line, maxFields: limits.maxFields)
      return nil
    }
    let head = try fields.head(after: startLine)
    self = HTTP1Parser(limits: limits)
    return head
  }

  /// Refuses at once bytes that can't begin a request line, such as a TLS handshake.
  private func checkFirstByte(_ byte: UInt8) throws(HTTP1Error) {
    guard ByteSet.token.contains(byte) || byte == ASCII.carriageReturn else {
      throw byte == ASCII.lineFeed ? .bareLineFeed : .invalidMethodByte(byte)
    }
  }

  /// Refuses a method that is too long, before its line is complete.
  private func checkMethod(_ line: Span<UInt8>) throws(HTTP1Error) {
    guard scanned <= HTTP1Limits.maxMethodBytes, line.count > HTTP1Limits.maxMethodBytes else {
      return
    }
    for index in 0...HTTP1Limits.maxMethodBytes where line[index] == ASCII.space { return }
    throw .methodTooLong(limit: HTTP1Limits.maxMethodBytes)
  }

  private func checkLength(_ lineBytes: Int) throws(HTTP1Error) {
    guard headBytes + lineBytes > limits.maxHeadBytes else { return }
    // If targets may be longer than heads, it is not the target's limit that is exceeded.
    throw startLine == nil && limits.maxTargetBytes < limits.maxHeadBytes
      ? .targetTooLong(limit: limits.maxTargetBytes) : .headTooLong(limit: limits.maxHeadBytes)
  }
}
