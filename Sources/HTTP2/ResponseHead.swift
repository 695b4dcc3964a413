import HTTPCore

/// What of a response goes before its body.
///
/// Functions, not a value that holds the response: that would retain and release each of its parts.
enum ResponseHead {
  /// Puts the fields of `response` into `block`, in the order they are sent: pseudo-header fields come first.
  ///
  /// - Parameters:
  ///   - others: the fields to send besides the response's own.
  ///   - ours: the fields that the server adds to all responses.
  ///   - isStreamed: whether the body is sent as it is made, so that its length is not known.
  static func append(
    _ response: HTTPResponse, _ others: HTTPFields, ours: FieldBlock, isStreamed: Bool,
    to block: inout FieldBlock
  ) {
    block.append(known: ":status", response.status.code)
    for field in response.fields.all where !isDropped(field.name) {
      block.append(field.name, field.value)
    }
    for field in others.all { block.append(field.name, field.value) }
    block.append(ours)
    if response.mayHaveContent && !isStreamed {
      block.append(known: "content-length", response.body.count)
    }
  }

  /// Whether DATA follows the head: not behind a HEAD request, nor for an empty body that is known whole.
  static func hasBody(_ response: HTTPResponse, omitsBody: Bool, isStreamed: Bool) -> Bool {
    response.mayHaveContent && !omitsBody && (isStreamed || !response.body.isEmpty)
  }

  /// Whether a field of the response is left out: RFC 9113 §8.2.2 forbids it, or the server sets it itself.
  private static func isDropped(_ name: String) -> Bool {
    switch name.utf8.count {
    case 2: name == "te"
    case 4: name == ResponseDate.name
    case 6: name == ResponseDate.serverName
    case 7: name == "upgrade"
    case 10: name == "connection" || name == "keep-alive"
    case 14: name == "content-length"
    case 16: name == "proxy-connection"
    case 17: name == "transfer-encoding"
    default: false
    }
  }
}
