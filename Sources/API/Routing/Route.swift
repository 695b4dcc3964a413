import HTTPCore
import Serving

/// One request that the service answers, by method and path: a row of the `RouteTable`.
///
/// Matching, `Allow`, the list of `GET /`, the labels of metrics, access control, body limits and the answer all follow
/// from these rows.
final class Route: Sendable {
  let method: String
  let path: PathPattern
  /// What `GET /` says about the route; nil where the row above, with the same path, says it already.
  let summary: String?
  /// Whether the route is answered even when no descriptor is left for further connections. It must be cheap.
  let isHealthCheck: Bool
  /// Which clients may use it.
  let access: Access
  /// How much of the request's body is read.
  let bodyLimit: BodyLimit
  /// How errors are written.
  let errors: ErrorSchema
  let answer: Answer

  /// The function that answers a request.
  enum Answer: Sendable {
    /// A response that does not depend on a body. A route of GET answers HEAD, too.
    case page(PageMaking, @Sendable (Call) throws(Fault) -> HTTPResponse)
    /// Like `page`, but the session store is asked first. The closure passes the page on, from any thread.
    case laterPage(
      @Sendable (Call, @escaping @Sendable (Result<HTTPResponse, Fault>) -> Void) -> Void)
    /// Reads the request's body and makes sure that the call is answered. Called away from the event loop where the
    /// body is large.
    case question(@Sendable (Call) -> Void)
  }

  /// The longest body that is read; requests with a longer one get 413.
  enum BodyLimit {
    /// `ServiceSettings.maxUnreadBodyBytes`: the body has no meaning.
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
    /// On another thread, once per request.
    case forEach
    /// On another thread, once for all requests that wait: the page depends on nothing but the path and the models that
    /// the client may use.
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
