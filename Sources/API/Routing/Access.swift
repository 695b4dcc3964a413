import HTTPCore
import Serving

/// Who may use a route, by what it lets a client do.
enum Access {
  /// Every client may use it.
  case open
  /// Use the models, and see what they are.
  case predict
  /// See what other clients do.
  case operate
}

/// Checks by the head of every request whether its client may use the route.
struct AccessPolicy: Sendable {
  private let operatorKey: [UInt8]?

  init(_ settings: ServiceSettings) { operatorKey = settings.operatorKey }

  /// - Throws: where the request of `head` does not show that its client may.
  func check(_ access: Access, by head: HTTPRequest) throws(Fault) {
    switch access {
    case .open, .predict: break
    case .operate:
      guard let operatorKey else { throw Fault(RouteError.notOperator(hasKey: false)) }
      guard let token = head.bearerToken, Digest.areEqual(token, operatorKey) else {
        throw Fault(RouteError.notOperator(hasKey: true))
      }
    }
  }
}

extension HTTPRequest {
  /// What stands behind `authorization: Bearer` (RFC 6750 §2.1).
  fileprivate var bearerToken: ArraySlice<UInt8>? {
    let given = Array((fields["authorization"] ?? "").utf8)
    // RFC 9110 §11.1: the scheme's name has no case.
    guard String(decoding: given.prefix(7), as: UTF8.self).lowercased() == "bearer " else {
      return nil
    }
    return given[7...]
  }
}
