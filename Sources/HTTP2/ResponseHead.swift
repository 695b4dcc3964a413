import HTTPCore

/// The fields of a response as HTTP/2 sends them.
struct ResponseHead: Equatable {
  /// A name in lower case and its value; pseudo-header fields come first.
  struct Field: Equatable {
    let name: String
    let value: String
  }

  /// In the order they are sent.
  let fields: [Field]
  /// Whether DATA follows.
  let hasBody: Bool

  /// - Parameters:
  ///   - others: what it has beside its own fields.
  ///   - omitsBody: the request was HEAD, so the length is told and nothing is sent.
  ///   - isStreamed: the body is sent as it is made, so its length is not known.
  init(
    _ response: HTTPResponse, _ others: HTTPFields = HTTPFields(), omitsBody: Bool,
    isStreamed: Bool = false, date: ResponseDate
  ) {
    var fields = [Field(name: ":status", value: String(response.status.code))]
    for field in response.fields.all
    where !field.name.hasPrefix(":") && !Self.dropped.contains(field.name) {
      fields.append(Field(name: field.name, value: field.value))
    }
    for field in others.all { fields.append(Field(name: field.name, value: field.value)) }
    if let server = date.server { fields.append(Field(name: server.name, value: server.value)) }
    if let date = date.field { fields.append(Field(name: date.name, value: date.value)) }
    if response.mayHaveContent, !isStreamed {
      fields.append(Field(name: "content-length", value: String(response.body.count)))
    }
    self.fields = fields
    hasBody = response.mayHaveContent && !omitsBody && (isStreamed || !response.body.isEmpty)
  }

  /// What RFC 9113 §8.2.2 forbids, and what is the server's own to say.
  private static let dropped: Set<String> = [
    "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te",
    "content-length", ResponseDate.serverName, ResponseDate.name,
  ]
}
