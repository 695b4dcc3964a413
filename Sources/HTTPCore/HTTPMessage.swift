/// A request as the application sees it: head parsed, body complete, transfer and content codings undone.
///
/// It is copied a dozen times on its way and hardly ever changed, so its copies share one object.
package struct HTTPRequest: Sendable, Equatable {
  private var content: Content

  package init(
    method: String, path: String, query: String? = nil, fields: HTTPFields = HTTPFields(),
    body: [UInt8] = []
  ) {
    content = Content(method: method, path: path, query: query, fields: fields, body: body)
  }

  /// The method, case-sensitive as on the wire (RFC 9110 §9.1).
  package var method: String { content.method }
  /// Whether the method is meant to change nothing (RFC 9110 §9.2.1).
  package var isSafe: Bool {
    switch content.method {
    case "GET", "HEAD", "OPTIONS", "TRACE": true
    default: false
    }
  }
  /// The request target without its query: `/predict`.
  package var path: String { content.path }
  /// The target's query: everything after the first `?`; nil where there is none.
  package var query: String? { content.query }
  package var fields: HTTPFields {
    get { content.fields }
    _modify { yield &owned().fields }
  }
  /// The content, after chunked decoding and content decoding (gzip, deflate); empty where the body comes in parts.
  package var body: [UInt8] {
    get { content.body }
    _modify { yield &owned().body }
  }
  /// The length of `body`. Other modules that only count its bytes need no reference to the array.
  package var bodyCount: Int { content.body.count }
  /// The bytes of memory that `body` takes.
  package var bodyCapacity: Int { content.body.capacity }
  /// The value of the first field called `name` (in lower case), as of `fields`.
  package func field(_ name: String) -> String? { content.fields[name] }
  /// The trailer fields (RFC 9110 §6.5); empty where the body comes in parts.
  package var trailers: HTTPFields {
    get { content.trailers }
    _modify { yield &owned().trailers }
  }

  /// The content, for a change: a copy if other requests share it.
  private mutating func owned() -> Content {
    if !isKnownUniquelyReferenced(&content) { content = Content(content) }
    return content
  }

  // Sendable: changed only while one request refers to it.
  private final class Content: @unchecked Sendable, Equatable {
    let method: String
    let path: String
    let query: String?
    var fields: HTTPFields
    var body: [UInt8]
    var trailers = HTTPFields()

    init(method: String, path: String, query: String?, fields: HTTPFields, body: [UInt8]) {
      self.method = method
      self.path = path
      self.query = query
      self.fields = fields
      self.body = body
    }

    init(_ other: Content) {
      method = other.method
      path = other.path
      query = other.query
      fields = other.fields
      body = other.body
      trailers = other.trailers
    }

    static func == (one: Content, other: Content) -> Bool {
      one === other
        || one.method == other.method && one.path == other.path && one.query == other.query
          && one.fields == other.fields && one.body == other.body && one.trailers == other.trailers
    }
  }
}

extension HTTPRequest {
  /// About how many bytes of memory the request takes without its body: a field is two strings and their overhead.
  package var headBytes: Int {
    512 + path.utf8.count + fields.heldBytes + (trailers.all.isEmpty ? 0 : trailers.heldBytes)
  }
}

extension HTTPRequest {
  /// About how many bytes of memory the request takes, including a connection that has nothing else in flight.
  package var heldBytes: Int { bodyCapacity + headBytes + 4096 }
}

/// A response. The application sets all fields but Content-Length, Date, Server, Connection and those of the content
/// coding, which the server adds.
package struct HTTPResponse: Sendable, Equatable {
  package var status: HTTPStatus
  package var fields: HTTPFields
  package var body: [UInt8]

  package init(status: HTTPStatus, fields: HTTPFields = HTTPFields(), body: [UInt8] = []) {
    self.status = status
    self.fields = fields
    self.body = body
  }

  /// Whether the status allows content and a Content-Length: RFC 9110 §8.6 forbids Content-Length with 204, and §15.4.5
  /// content with 304.
  package var mayHaveContent: Bool { status.code != 204 && status.code != 304 }
}

/// A status code (RFC 9110 §15).
package struct HTTPStatus: Sendable, Equatable, Hashable {
  package let code: Int

  package init(_ code: Int) { self.code = code }

  package static let ok = HTTPStatus(200)
  package static let badRequest = HTTPStatus(400)
  package static let unauthorized = HTTPStatus(401)
  package static let forbidden = HTTPStatus(403)
  package static let notFound = HTTPStatus(404)
  package static let methodNotAllowed = HTTPStatus(405)
  package static let requestTimeout = HTTPStatus(408)
  package static let conflict = HTTPStatus(409)
  package static let gone = HTTPStatus(410)
  package static let contentTooLarge = HTTPStatus(413)
  package static let uriTooLong = HTTPStatus(414)
  package static let unsupportedMediaType = HTTPStatus(415)
  package static let expectationFailed = HTTPStatus(417)
  package static let unprocessableContent = HTTPStatus(422)
  package static let tooManyRequests = HTTPStatus(429)
  package static let requestHeaderFieldsTooLarge = HTTPStatus(431)
  package static let internalServerError = HTTPStatus(500)
  package static let notImplemented = HTTPStatus(501)
  package static let serviceUnavailable = HTTPStatus(503)
  package static let gatewayTimeout = HTTPStatus(504)
  package static let httpVersionNotSupported = HTTPStatus(505)

  /// The reason phrase of RFC 9110, empty for codes that this server never sends.
  package var reason: String {
    switch code {
    case 100: "Continue"
    case 200: "OK"
    case 204: "No Content"
    case 304: "Not Modified"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 410: "Gone"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 415: "Unsupported Media Type"
    case 417: "Expectation Failed"
    case 422: "Unprocessable Content"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    default: ""
    }
  }
}

/// Header fields in order, duplicates kept; names are compared without case.
package struct HTTPFields: Sendable, Equatable, ExpressibleByDictionaryLiteral {
  package struct Field: Sendable, Equatable {
    /// The name in lower case, as HTTP/2 requires it and HTTP/1.1 allows it.
    package let name: String
    package let value: String
  }

  package private(set) var all: [Field] = []

  package init() {}

  package init(dictionaryLiteral elements: (String, String)...) {
    for (name, value) in elements { append(name, value) }
  }

  /// Adds a field at the end, even if one of that name is present.
  package mutating func append(_ name: String, _ value: String) {
    let hasUppercase = name.utf8.contains { $0 >= 0x41 && $0 <= 0x5A }
    append(lowercased: hasUppercase ? name.lowercased() : name, value)
  }

  /// Adds a field whose name the caller knows to be in lower case.
  package mutating func append(lowercased name: String, _ value: String) {
    all.append(Field(name: name, value: value))
  }

  /// About how many bytes of memory the fields take.
  package var heldBytes: Int {
    all.reduce(0) { $0 + 64 + $1.name.utf8.count + $1.value.utf8.count }
  }

  /// Adds `fields` at the end.
  package mutating func append(contentsOf fields: HTTPFields) {
    if !fields.all.isEmpty { all += fields.all }
  }

  /// Reserves capacity for `count` fields.
  package mutating func reserveCapacity(_ count: Int) {
    all.reserveCapacity(count)
  }

  /// The values of every field called `name` (in lower case), in order.
  package func values(of name: String) -> [String] {
    all.compactMap { $0.name == name ? $0.value : nil }
  }

  /// The value of the first field called `name` (in lower case); setting it replaces all fields of that name.
  package subscript(name: String) -> String? {
    get {
      // A closure over the elements would copy each of them.
      let count = name.utf8.count
      for index in all.indices where all[index].name.utf8.count == count {
        if all[index].name == name { return all[index].value }
      }
      return nil
    }
    set {
      all.removeAll { $0.name == name }
      if let newValue { append(name, newValue) }
    }
  }
}
