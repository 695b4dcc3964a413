import HTTPCore
import Serving

/// One thing that can be asked of the service, a method and a path: a row of the `RouteTable`.
///
/// Which requests it answers, `Allow`, `GET /`, the labels of metrics, who may, how much body is read and what answers all
/// come from here.
struct Route: Sendable {
  let method: String
  let path: PathPattern
  /// What `GET /` says of it; nil where the row above, of the same path, tells of it.
  let summary: String?
  /// Whether it is answered even where descriptors admit no further connection; it costs next to nothing.
  let isHealthCheck: Bool
  /// Which clients may use it.
  let access: Access
  /// How much of a body is read.
  let bodyLimit: BodyLimit
  /// How errors are written.
  let errors: ErrorSchema
  let answer: Answer

  /// The function that answers it.
  enum Answer: Sendable {
    /// A response that depends on no body. A route of GET answers HEAD, too.
    case page(PageMaking, @Sendable (Call) throws(Fault) -> HTTPResponse)
    /// The same, made once the store of sessions has told what it takes; the closure gets it from any thread.
    case laterPage(
      @Sendable (Call, @escaping @Sendable (Result<HTTPResponse, Fault>) -> Void) -> Void)
    /// Reads the body of the request and sees to it that the call is answered. Called away from the event loop
    /// where the body is large.
    case question(@Sendable (Call) -> Void)
  }

  /// How much of a body is read; requests with more get 413.
  enum BodyLimit {
    /// `ServiceSettings.maxUnreadBodyBytes`: nothing depends on it.
    case unread
    /// `max_body_bytes`.
    case setting

    var maxBytes: Int {
      switch self {
      case .unread: ServiceSettings.maxUnreadBodyBytes
      case .setting: .max
      }
    }
  }

  /// Where a page is made.
  enum PageMaking {
    /// On the event loop, at once.
    case onLoop
    /// On another thread, one for each request.
    case forEach
    /// On another thread, one for all requests that wait: it depends on nothing but the path.
    case shared
  }

  /// Writes the response to a request that is refused.
  typealias ErrorSchema = @Sendable (Fault) -> HTTPResponse

  /// The errors of the service's own schema.
  static let ownErrors: ErrorSchema = { $0.response }

  init(
    _ method: String, _ path: PathPattern, _ summary: String?, access: Access,
    bodyLimit: BodyLimit = .unread, isHealthCheck: Bool = false,
    errors: @escaping ErrorSchema = ownErrors, _ answer: Answer
  ) {
    self.method = method
    self.path = path
    self.summary = summary
    self.access = access
    self.bodyLimit = bodyLimit
    self.isHealthCheck = isHealthCheck
    self.errors = errors
    self.answer = answer
  }
}
