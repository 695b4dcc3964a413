/// Writes responses as HTTP/1.1 (RFC 9112 §4).
package enum HTTP1Serializer {
  /// Whether the connection stays open after a response.
  package enum Persistence: Equatable, Sendable {
    /// It stays open, the default of HTTP/1.1, so that no field says so.
    case implied
    /// It stays open for an HTTP/1.0 peer, which has to be told.
    case keepAlive
    /// It closes after this response.
    case close
  }

  /// Appends `response`, with Date, Content-Length and Connection, to `output`.
  ///
  /// Fields of the response that the protocol sets itself are left out.
  /// - Parameters:
  ///   - omitsBody: true for HEAD: the body is left out, and Content-Length gives its length all the same.
  package static func append(
    _ response: HTTPResponse, to output: inout [UInt8], date: ResponseDate, omitsBody: Bool = false,
    persistence: Persistence = .implied
  ) {
    if output.isEmpty { output.reserveCapacity(256 + (omitsBody ? 0 : response.body.count)) }
    appendFields(of: response, to: &output, date: date, persistence: persistence)
    guard response.mayHaveContent else {
      output.append("\r\n")
      return
    }
    output.append("content-length: ")
    output.append(decimal: response.body.count)
    output.append("\r\n\r\n")
    if !omitsBody { output.append(contentsOf: response.body) }
  }

  /// Appends the head of `response`, whose body is streamed.
  static func appendHead(
    _ response: HTTPResponse, to output: inout [UInt8], date: ResponseDate, isChunked: Bool,
    persistence: Persistence
  ) {
    appendFields(of: response, to: &output, date: date, persistence: persistence)
    if isChunked { output.append("transfer-encoding: chunked\r\n") }
    output.append("\r\n")
  }

  /// Appends `bytes` as one chunk (RFC 9112 §7.1). Appends nothing if `bytes` is empty, since an empty chunk ends the
  /// body.
  static func appendChunk(_ bytes: [UInt8], to output: inout [UInt8]) {
    guard !bytes.isEmpty else { return }
    output.append(contentsOf: String(bytes.count, radix: 16).utf8)
    output.append("\r\n")
    output.append(contentsOf: bytes)
    output.append("\r\n")
  }

  /// Appends the end of a chunked body and `trailers`, except fields that must not be trailers (RFC 9110 §6.5.1).
  static func appendLastChunk(_ trailers: HTTPFields, to output: inout [UInt8]) {
    output.append("0\r\n")
    for field in trailers.all where field.mayBeTrailer { append(field, to: &output) }
    output.append("\r\n")
  }

  /// Appends the head up to the fields that define the body's framing.
  private static func appendFields(
    of response: HTTPResponse, to output: inout [UInt8], date: ResponseDate,
    persistence: Persistence
  ) {
    append(response.status, to: &output)
    for field in response.fields.all where !isOurs(field.name) {
      append(field, to: &output)
    }
    output.append(contentsOf: date.lines)
    switch persistence {
    case .implied: break
    case .keepAlive: output.append("connection: keep-alive\r\n")
    case .close: output.append("connection: close\r\n")
    }
  }

  /// The beginning of every head.
  static let beginning = Array("HTTP/1.1 ".utf8)

  private static func append(_ status: HTTPStatus, to output: inout [UInt8]) {
    if status == .ok {
      output.append("HTTP/1.1 200 OK\r\n")
      return
    }
    output.append(contentsOf: beginning)
    output.append(decimal: status.code)
    output.append(ASCII.space)
    output.append(contentsOf: status.reason.utf8)
    output.append("\r\n")
  }

  /// Appends a field line. Control characters in it become spaces, so that none can end the line.
  static func append(_ field: HTTPFields.Field, to output: inout [UInt8]) {
    let start = output.count
    output.append(copying: field.name.utf8.span)
    output.append(": ")
    output.append(copying: field.value.utf8.span)
    if output.span.extracting(start...).firstNoFieldValue != nil {
      for index in start..<output.count where !ASCII.isFieldValue(output[index]) {
        output[index] = ASCII.space
      }
    }
    output.append("\r\n")
  }

  private static func isOurs(_ name: String) -> Bool {
    switch name.utf8.count {
    case 4: name == ResponseDate.name
    case 6: name == ResponseDate.serverName
    case 10: name == "connection" || name == "keep-alive"
    case 14: name == "content-length"
    case 17: name == "transfer-encoding"
    default: false
    }
  }
}
