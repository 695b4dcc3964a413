import JSON

/// What is wrong with an HTTP/1 request, as far as the protocol itself can tell.
package enum HTTP1Error: Error, Equatable, Sendable {
  case bareLineFeed
  case malformedRequestLine(String)
  case invalidMethodByte(UInt8)
  case methodTooLong(limit: Int)
  case invalidTarget(String)
  case targetTooLong(limit: Int)
  case malformedVersion(String)
  case unsupportedVersion(String)
  case foldedField
  case missingColon(String)
  case emptyFieldName
  case spaceBeforeColon(field: String)
  case invalidFieldNameByte(UInt8)
  case invalidFieldValueByte(UInt8, field: String)
  case headTooLong(limit: Int)
  case tooManyFields(limit: Int)
  case hostCount(Int)
  case invalidHost(String)
  case invalidContentLength(String)
  case repeatedContentLength
  case contentLengthWithTransferEncoding
  case transferEncodingBeforeHTTP11
  case chunkedNotFinal(String)
  case unsupportedTransferEncoding(String)
  case connectUnsupported
  case unsupportedExpectation(String)
  case bodyTooLong(BodyLimit)
  case invalidChunkByte(UInt8, expected: String)
  case chunkSizeOverflow
  case chunkExtensionTooLong(limit: Int)
  case chunkExtensionsOutweighContent(limit: Int)
  case trailersTooLong(limit: Int)
  case timedOut(reading: String)
  case bodyTooSlow(bytesPerSecond: Int)

  /// The status of the error response.
  package var status: HTTPStatus {
    switch self {
    case .bareLineFeed, .malformedRequestLine, .invalidMethodByte, .invalidTarget,
      .malformedVersion, .foldedField, .missingColon, .emptyFieldName, .spaceBeforeColon,
      .invalidFieldNameByte, .invalidFieldValueByte, .hostCount, .invalidHost,
      .invalidContentLength, .repeatedContentLength, .contentLengthWithTransferEncoding,
      .transferEncodingBeforeHTTP11, .chunkedNotFinal, .invalidChunkByte, .chunkSizeOverflow,
      .chunkExtensionTooLong, .chunkExtensionsOutweighContent, .methodTooLong:
      .badRequest
    case .timedOut, .bodyTooSlow: .requestTimeout
    case .bodyTooLong: .contentTooLarge
    case .targetTooLong: .uriTooLong
    case .unsupportedExpectation: .expectationFailed
    case .headTooLong, .tooManyFields, .trailersTooLong: .requestHeaderFieldsTooLarge
    // HTTP allows these, but this server does not support them: RFC 9112 §6.1, RFC 9110 §9.1 and §15.6.6.
    case .unsupportedTransferEncoding, .connectUnsupported: .notImplemented
    case .unsupportedVersion: .httpVersionNotSupported
    }
  }

  /// One sentence for the client: what was found and what was expected.
  package var sentence: String {
    switch self {
    case .bareLineFeed:
      "a line of the head ends in LF alone, expected CR LF"
    case .malformedRequestLine(let line):
      "the request line is \"\(line)\", expected a method, a target and a version, one space between"
    case .invalidMethodByte(let byte):
      "the method holds \(hex(byte)), expected only token characters"
    case .methodTooLong(let limit):
      "the method is longer than \(limit) bytes, as none is that this server knows"
    case .invalidTarget(let target):
      "the request target is \"\(target)\", expected a path, an http URI, or * with OPTIONS"
    case .targetTooLong(let limit):
      "the request target is too long, expected at most \(limit) bytes"
    case .malformedVersion(let version):
      "the version is \"\(version)\", expected HTTP/1.1 or HTTP/1.0"
    case .unsupportedVersion(let version):
      "the version is \(version), expected HTTP/1.1 or HTTP/1.0"
    case .foldedField:
      "a field line starts with a space or tab, expected a field name (folding is obsolete)"
    case .missingColon(let line):
      "the field line \"\(line)\" has no colon, expected name: value"
    case .emptyFieldName:
      "a field line starts with its colon, expected a field name"
    case .spaceBeforeColon(let field):
      "whitespace stands after the field name \"\(field)\", expected the colon at once"
    case .invalidFieldNameByte(let byte):
      "a field name holds \(hex(byte)), expected only token characters"
    case .invalidFieldValueByte(let byte, let field):
      "the value of \(field) holds \(hex(byte)), expected no control characters"
    case .headTooLong(let limit):
      "the request head is too long, expected at most \(limit) bytes"
    case .tooManyFields(let limit):
      "the request has too many fields, expected at most \(limit)"
    case .hostCount(let count):
      "the request has \(count) Host fields, expected exactly one"
    case .invalidHost(let host):
      "the host is \"\(host)\", expected a name or address with an optional port"
    case .invalidContentLength(let value):
      "Content-Length is \"\(value)\", expected decimal digits, a number below 2⁶³"
    case .repeatedContentLength:
      "Content-Length occurs more than once, expected at most one"
    case .contentLengthWithTransferEncoding:
      "both Content-Length and Transfer-Encoding are there, expected one of them"
    case .transferEncodingBeforeHTTP11:
      "an HTTP/1.0 request has Transfer-Encoding, expected Content-Length"
    case .chunkedNotFinal(let value):
      "Transfer-Encoding is \"\(value)\", expected chunked at its end, once"
    case .unsupportedTransferEncoding(let value):
      "Transfer-Encoding is \"\(value)\", expected chunked alone"
    case .connectUnsupported:
      "the method is CONNECT, expected one that names a resource of this server"
    case .unsupportedExpectation(let value):
      "Expect is \"\(value)\", expected 100-continue"
    case .bodyTooLong(let limit): limit.sentence
    case .invalidChunkByte(let byte, let expected):
      "the chunked body holds \(hex(byte)), expected \(expected)"
    case .chunkSizeOverflow:
      "a chunk size is too large, expected at most 15 hexadecimal digits"
    case .chunkExtensionTooLong(let limit):
      "the extensions of a chunk are too long, expected at most \(limit) bytes"
    case .chunkExtensionsOutweighContent(let limit):
      "the extensions of the chunks are too long, expected at most \(limit) bytes beyond 16 a chunk and twice the content"
    case .trailersTooLong(let limit):
      "the trailers are too long, expected at most \(limit) bytes"
    case .timedOut(let part):
      "the request's \(part) did not arrive in time, expected it without a pause"
    case .bodyTooSlow(let rate):
      "the request's body came too slowly, expected at least \(rate) bytes a second"
    }
  }

  /// The error response to the client.
  package var response: HTTPResponse { .error(status, sentence) }

  private func hex(_ byte: UInt8) -> String {
    "the byte 0x" + byte.hexadecimal(uppercase: true)
  }
}
