import HTTPCore

/// Tells browsers which other origins' pages may read responses (CORS,
/// https://fetch.spec.whatwg.org/#http-cors-protocol).
///
/// No request is refused for its origin: that is the browser's task. Cookies mean nothing here, so credentials in
/// CORS's sense are never allowed; `authorization` counts as a normal field.
struct CrossOriginPolicy: Sendable {
  private let isOff: Bool
  /// The allowed origins; nil for all.
  private let origins: Set<String>?

  /// How long a browser may reuse the answer to a preflight; some browsers allow no more than this.
  static let maxAgeSeconds = 7200
  /// The fields that pages may read: those of this service that browsers do not expose by default.
  static let exposedFields = "allow, retry-after, www-authenticate"
  /// The fields that pages may send. `*` does not cover authorization, and some browsers ignore it.
  static let allowedFields =
    "authorization, content-type, content-encoding, \(Call.timeoutField), inference-header-content-length, traceparent, *"

  init(_ origins: CrossOrigins) {
    switch origins {
    case .none: (isOff, self.origins) = (true, nil)
    case .all: (isOff, self.origins) = (false, nil)
    case .some(let some): (isOff, self.origins) = (false, Set(some.map(\.text)))
    }
  }

  /// The fields that every response to `head` gets, errors and streamed responses included.
  func fields(for head: HTTPRequest) -> HTTPFields {
    var fields = HTTPFields()
    guard !isOff else { return fields }
    let given = head.fields["origin"]
    if let origins {
      // Sent even if the request has no Origin, so that no cache gives this response to a page of some origin.
      fields.append("vary", "origin")
      guard let given, origins.contains(given) else { return fields }
      fields.append("access-control-allow-origin", given)
    } else {
      guard given != nil else { return fields }
      fields.append("access-control-allow-origin", "*")
    }
    fields.append("access-control-expose-headers", Self.exposedFields)
    return fields
  }

  /// Whether OPTIONS with `head` is a browser's question whether a page of an allowed origin may send a request.
  func isPreflight(_ head: HTTPRequest) -> Bool {
    !isOff && head.fields["access-control-request-method"] != nil
      && fields(for: head)["access-control-allow-origin"] != nil
  }

  /// The further fields of the answer to a preflight of a request by `methods`; empty for other requests.
  func preflightFields(for head: HTTPRequest, methods: [String]) -> HTTPFields {
    guard isPreflight(head) else { return HTTPFields() }
    return [
      "access-control-allow-methods": methods.joined(separator: ", "),
      "access-control-allow-headers": Self.allowedFields,
      "access-control-max-age": String(Self.maxAgeSeconds),
    ]
  }
}
