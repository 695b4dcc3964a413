import Serving

/// Why a request is refused access. Cases carry facts; `sentence` words them.
enum AccessError: Error, Equatable, Sendable {
  /// The request has no token. If `isKey`, only the operator's key would do; without a scope, any token.
  case noToken(needs: AccessToken.Scope?, isKey: Bool)
  /// A request has more than one token, or may have.
  case authorizationCount(Int)
  case unknownToken(needs: AccessToken.Scope?, isKey: Bool)
  case scope(token: String, needs: AccessToken.Scope)
  /// Only operators have access, and the server has no key to recognise them by.
  case noOperatorKey
}

extension AccessError: FaultSource {
  var kind: Fault.Kind {
    switch self {
    case .noToken, .unknownToken: .unauthorized
    case .authorizationCount: .badRequest
    case .scope, .noOperatorKey: .forbidden
    }
  }

  /// The challenge of `www-authenticate` (RFC 6750 §3).
  var details: Fault.Details? {
    switch self {
    case .noToken, .unknownToken(_, isKey: true): .challenge("Bearer")
    case .unknownToken(_, isKey: false): .challenge(#"Bearer error="invalid_token""#)
    case .scope(_, let scope):
      .challenge(#"Bearer error="insufficient_scope", scope="\#(scope.rawValue)""#)
    case .noOperatorKey, .authorizationCount: nil
    }
  }

  var sentence: String {
    switch self {
    case .noToken(_, isKey: true), .unknownToken(_, isKey: true):
      "this is for operators only, expected authorization: Bearer and the server's operator_key"
    case .noToken(let scope, isKey: false):
      "found no token, expected authorization: Bearer and a token"
        + (scope.map { " with the scope \($0.rawValue)" } ?? "")
    case .authorizationCount(let count):
      "found \(count) authorization fields, expected one"
    case .unknownToken(let scope, isKey: false):
      "the token of authorization is not known"
        + (scope.map { ", expected one with the scope \($0.rawValue)" } ?? "")
    case .scope(let token, let scope):
      "the token \(quoted(token)) has not the scope \(scope.rawValue), which this needs"
    case .noOperatorKey:
      "this is for operators only, and the server has neither an operator_key nor a tokens_file by which to know them"
    }
  }
}
