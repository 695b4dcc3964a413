import HTTPCore

/// The fields of a response as HTTP/2 sends them.
struct ResponseHead {
  private let response: HTTPResponse
  private let others: HTTPFields
  private let date: ResponseDate
  private let tellsLength: Bool
  /// Whether DATA follows.
  let hasBody: Bool

  /// - Parameters:
  ///   - others: the fields to send besides the response's own.
  ///   - omitsBody: whether the request was HEAD, so that Content-Length is sent, but no body.
  ///   - isStreamed: whether the body is sent as it is made, so that its length is not known.
  init(
    _ response: HTTPResponse, _ others: HTTPFields = HTTPFields(), omitsBody: Bool,
    isStreamed: Bool = false, date: ResponseDate
  ) {
    self.response = response
    self.others = others
    self.date = date
    tellsLength = response.mayHaveContent && !isStreamed
    hasBody = response.mayHaveContent && !omitsBody && (isStreamed || !response.body.isEmpty)
  }

  /// Puts the fields into `block`, in the order they are sent: pseudo-header fields come first.
  func append(to block: inout FieldBlock) {
    block.append(known: ":status", response.status == .ok ? "200" : String(response.status.code))
    for field in response.fields.all where !Self.isDropped(field.name) {
      block.append(field.name, field.value)
    }
    for field in others.all { block.append(field.name, field.value) }
    if let server = date.server { block.append(server.name, server.value) }
    if let date = date.field { block.append(known: date.name, date.value) }
    if tellsLength { block.append(known: "content-length", String(response.body.count)) }
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
