import HTTPCore
import Serving

/// The pages for load balancers and process supervisors.
struct HealthPages: Sendable {
  private let readiness: ReadinessState

  init(_ parts: ServiceParts) { readiness = parts.readiness }

  /// `GET /livez`
  func live() -> HTTPResponse { response("live") }

  /// `GET /readyz`
  func ready() throws(Fault) -> HTTPResponse {
    guard readiness.value == .ready else { throw Fault(RouteError.notReady(readiness.value)) }
    return response("ready")
  }

  private func response(_ status: String) -> HTTPResponse {
    .json(Array("{\"status\":\"\(status)\"}\n".utf8))
  }
}
