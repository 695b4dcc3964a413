import HTTPCore

/// Tells browsers which pages of other origins may read answers (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol).
///
/// No request is refused for its origin: that is the browser's to do. Cookies mean nothing here, so credentials in the sense of
/// browsers are never allowed; `authorization` is a field like others.
struct CrossOriginPolicy: Sendable {
  private let isOff: Bool
  /// Nil for all.
  private let origins: Set<String>?

  /// For how long a browser may go by an answer to a preflight; some take no more.
  static let maxAgeSeconds = 7200
  /// What pages may read of an answer beside its body: the fields of this service that browsers do not show by themselves.
  static let exposedFields = "allow, retry-after, www-authenticate"
  /// What pages may send: `*` does not stand for authorization, and to some browsers for nothing.
  static let allowedFields =
    "authorization, content-type, content-encoding, \(Call.timeoutField), inference-header-content-length, traceparent, *"

  init(_ origins: CrossOrigins) {
    switch origins {
    case .none: (isOff, self.origins) = (true, nil)
    case .all: (isOff, self.origins) = (false, nil)
    case .some(let some): (isOff, self.origins) = (false, Set(some.map(\.text)))
    }
  }

  /// What every response to the request of `head` has, errors and streams among them.
  func fields(for head: HTTPRequest) -> HTTPFields {
    var fields = HTTPFields()
    guard !isOff else { return fields }
    let given = head.fields["origin"]
    if let origins {
      // Also where there is none: what a cache keeps is not for all.
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

  /// What the answer to OPTIONS has beside those where a browser asks whether a page may send a request of `methods`.
  func preflightFields(for head: HTTPRequest, methods: [String]) -> HTTPFields {
    guard !isOff, head.fields["access-control-request-method"] != nil,
      fields(for: head)["access-control-allow-origin"] != nil
    else { return HTTPFields() }
    return [
      "access-control-allow-methods": methods.joined(separator: ", "),
      "access-control-allow-headers": Self.allowedFields,
      "access-control-max-age": String(Self.maxAgeSeconds),
    ]
  }
}
