/// A request as the application sees it: its head parsed, its body whole, chunking undone.
package struct HTTPRequest: Sendable, Equatable {
  private var head: Head
  /// The content, after chunked decoding and content decoding (gzip, deflate); empty where it comes in parts.
  package var body: [UInt8]
  /// The fields that followed the content (RFC 9110 §6.5); empty where it comes in parts.
  package var trailers = HTTPFields()

  package init(
    method: String, path: String, query: String? = nil, fields: HTTPFields = HTTPFields(),
    body: [UInt8] = []
  ) {
    head = Head(method: method, path: path, query: query, fields: fields)
    self.body = body
  }

  /// The method, case-sensitive as on the wire (RFC 9110 §9.1).
  package var method: String { head.method }
  /// The request target without its query: `/predict`.
  package var path: String { head.path }
  /// What follows the first `?` of the target, without it; nil where there is none.
  package var query: String? { head.query }
  package var fields: HTTPFields {
    get { head.fields }
    set { head = Head(method: method, path: path, query: query, fields: newValue) }
  }

  /// A request is handed on a dozen times and hardly ever changed, so that its copies share what they have read.
  private final class Head: Sendable, Equatable {
    let method: String
    let path: String
    let query: String?
    let fields: HTTPFields

    init(method: String, path: String, query: String?, fields: HTTPFields) {
      self.method = method
      self.path = path
      self.query = query
      self.fields = fields
    }

    static func == (one: Head, other: Head) -> Bool {
      one === other
        || one.method == other.method && one.path == other.path && one.query == other.query
          && one.fields == other.fields
    }
  }
}

extension HTTPRequest {
  /// About what it takes in memory without its body: a field is two strings, and what stands around them.
  package var headBytes: Int {
    512 + path.utf8.count + fields.heldBytes + (trailers.all.isEmpty ? 0 : trailers.heldBytes)
  }
}

extension HTTPRequest {
  /// About what it takes in memory, with what a connection takes that has nothing else under way.
  package var heldBytes: Int { body.capacity + headBytes + 4096 }
}

/// A response. The server adds Content-Length, Date, Server, Connection and content coding; the application the rest.
package struct HTTPResponse: Sendable, Equatable {
  package var status: HTTPStatus
  package var fields: HTTPFields
  package var body: [UInt8]

  package init(status: HTTPStatus, fields: HTTPFields = HTTPFields(), body: [UInt8] = []) {
    self.status = status
    self.fields = fields
    self.body = body
  }

  /// Whether its status lets it have content and a Content-Length: RFC 9110 §8.6 forbids the length
  /// of a 204, §15.4.5 the content of a 304.
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

/// Header fields in their order, duplicates kept; names are compared without case.
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

  /// Adds a field after those present, another of its name or not.
  package mutating func append(_ name: String, _ value: String) {
    let hasUppercase = name.utf8.contains { $0 >= 0x41 && $0 <= 0x5A }
    append(lowercased: hasUppercase ? name.lowercased() : name, value)
  }

  /// Adds a field whose name is known to be in lower case.
  package mutating func append(lowercased name: String, _ value: String) {
    all.append(Field(name: name, value: value))
  }

  /// About what they take in memory.
  package var heldBytes: Int {
    all.reduce(0) { $0 + 64 + $1.name.utf8.count + $1.value.utf8.count }
  }

  /// Adds `fields` after those present.
  package mutating func append(contentsOf fields: HTTPFields) {
    if !fields.all.isEmpty { all += fields.all }
  }

  /// Makes room for `count` fields at once.
  package mutating func reserveCapacity(_ count: Int) {
    all.reserveCapacity(count)
  }

  /// The values of every field called `name` (in lower case), in order.
  package func values(of name: String) -> [String] {
    all.compactMap { $0.name == name ? $0.value : nil }
  }

  /// The value of the first field called `name` (in lower case); setting replaces all of that name.
  package subscript(name: String) -> String? {
    get {
      // A closure over the elements would copy each.
      for index in all.indices where all[index].name == name { return all[index].value }
      return nil
    }
    set {
      all.removeAll { $0.name == name }
      if let newValue { append(name, newValue) }
    }
  }
}
