/// The field lines of a head, and what the fields that concern the protocol say together.
struct FieldSection {
  private var fields = HTTPFields()
  private var hostCount = 0
  private var contentLength: Int?
  /// The Transfer-Encoding lines, joined as one list (RFC 9110 §5.3); nil where there are none.
  private var transferCodings: [UInt8]?
  private var asksClose = false
  private var asksKeepAlive = false
  private var expectsContinue = false

  /// Parses one field line, without its CR LF (RFC 9112 §5).
  mutating func append(_ line: Span<UInt8>, maxFields: Int) throws(HTTP1Error) {
    let colon = try Self.checkedColon(in: line)
    guard fields.all.count < maxFields else { throw .tooManyFields(limit: maxFields) }
    if fields.all.isEmpty { fields.reserveCapacity(8) }
    let name = FieldNames.lowercased(line.extracting(0..<colon))
    let rest = line.extracting((colon + 1)...)
    let value = rest.extracting(rest.trimmedIndices)
    if let byte = value.firstNoFieldValue { throw .invalidFieldValueByte(byte, field: name) }
    try interpret(name, value)
    fields.append(lowercased: name, String(fieldValue: value))
  }

  /// Returns the complete head; called when the empty line that ends it has come.
  func head(
    after line: RequestLine
  ) throws(HTTP1Error) -> HTTP1Head {
    // RFC 9112 §3.2: exactly one Host in HTTP/1.1; HTTP/1.0 may do without.
    guard hostCount == 1 || (hostCount == 0 && line.isHTTP10) else { throw .hostCount(hostCount) }
    let framing = try framing(after: line)
    var request = HTTPRequest(
      method: line.method, path: line.path, query: line.query, fields: fields)
    if let authority = line.authority { request.fields["host"] = authority }
    return HTTP1Head(
      request: request, framing: framing, isHTTP10: line.isHTTP10,
      keepsAlive: !asksClose && (!line.isHTTP10 || asksKeepAlive),
      // RFC 9110 §10.1.1: the expectation of an HTTP/1.0 client is ignored.
      expectsContinue: expectsContinue && !line.isHTTP10)
  }

  private func framing(
    after line: RequestLine
  ) throws(HTTP1Error) -> HTTP1Head.Framing {
    if let transferCodings {
      // RFC 9112 §6.1: each of these could smuggle a request past an intermediary.
      guard contentLength == nil else { throw .contentLengthWithTransferEncoding }
      guard !line.isHTTP10 else { throw .transferEncodingBeforeHTTP11 }
      try Self.checkTransferCodings(transferCodings.span)
      return .chunked
    }
    // RFC 9112 §6.3, item 7: a request that states no length has no body, whatever its method.
    return contentLength.map { .sized($0) } ?? .none
  }

  /// Interprets a field that concerns the protocol; ignores others.
  private mutating func interpret(_ name: String, _ value: Span<UInt8>) throws(HTTP1Error) {
    switch name.utf8.count {
    case 4 where name == "host":
      hostCount += 1
      guard Authority.isValid(value) else { throw .invalidHost(value.excerpt) }
    case 6 where name == "expect":
      // RFC 9110 §10.1.1: a list.
      guard value.listHasOnly("100-continue") else {
        throw .unsupportedExpectation(value.excerpt)
      }
      if value.listContains("100-continue") { expectsContinue = true }
    case 10 where name == "connection":
      if value.listContains("close") { asksClose = true }
      if value.listContains("keep-alive") { asksKeepAlive = true }
    case 14 where name == "content-length":
      guard contentLength == nil else { throw .repeatedContentLength }
      contentLength = try Self.length(value)
    case 17 where name == "transfer-encoding":
      if transferCodings != nil { transferCodings?.append(contentsOf: ", ".utf8) }
      transferCodings = transferCodings ?? []
      transferCodings?.append(copying: value)
    default: break
    }
  }

  /// Reads a decimal number.
  private static func length(_ value: Span<UInt8>) throws(HTTP1Error) -> Int {
    guard !value.isEmpty else { throw .invalidContentLength("") }
    var length = 0
    for index in value.indices {
      let digit = value[index] &- ASCII.zero
      guard digit < 10 else { throw .invalidContentLength(value.excerpt) }
      let (product, overflowed) = length.multipliedReportingOverflow(by: 10)
      let (sum, carried) = product.addingReportingOverflow(Int(digit))
      guard !overflowed, !carried else { throw .invalidContentLength(value.excerpt) }
      length = sum
    }
    return length
  }

  /// Checks that `chunked`, the only coding that this server supports, is the only transfer coding.
  private static func checkTransferCodings(_ list: Span<UInt8>) throws(HTTP1Error) {
    if list.equalsCaseless("chunked") { return }
    var chunkedCount = 0
    var isChunkedFinal = false
    var areCodings = true
    list.forEachElement { coding in
      isChunkedFinal = coding.equalsCaseless("chunked")
      if isChunkedFinal { chunkedCount += 1 }
      if !isCoding(coding) { areCodings = false }
    }
    // RFC 9112 §6.3: if chunked is not the final coding, the end of the body can't be found, and the answer is 400; any
    // other unsupported coding gets 501 by §6.1.
    throw isChunkedFinal && chunkedCount == 1 && areCodings
      ? .unsupportedTransferEncoding(list.excerpt) : .chunkedNotFinal(list.excerpt)
  }

  /// Whether a list element is a coding's name, optionally followed by parameters (RFC 9112 §7).
  private static func isCoding(_ element: Span<UInt8>) -> Bool {
    var end = 0
    while end < element.count, ByteSet.token.contains(element[end]) { end += 1 }
    return end > 0 && (end == element.count || element[end] == UInt8(ascii: ";"))
  }

  /// Finds the colon of a field line and checks the name before it.
  static func checkedColon(in line: Span<UInt8>) throws(HTTP1Error) -> Int {
    for index in line.indices {
      let byte = line[index]
      if byte == ASCII.colon {
        guard index > 0 else { throw .emptyFieldName }
        return index
      }
      guard ByteSet.token.contains(byte) else {
        guard byte == ASCII.space || byte == ASCII.tab else { throw .invalidFieldNameByte(byte) }
        guard index > 0 else { throw .foldedField }
        throw .spaceBeforeColon(field: line.extracting(0..<index).excerpt)
      }
    }
    throw .missingColon(line.excerpt)
  }
}
