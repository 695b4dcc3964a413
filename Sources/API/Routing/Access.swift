import Cryptography
import HTTPCore
import Serving
import Synchronization

/// Who may use a route, and for what.
enum Access {
  /// Every client.
  case open
  /// Every client that has a token, whatever its scopes; every client where no tokens are needed.
  case known
  /// Clients that may use the models and see their descriptions.
  case predict
  /// Operators, who may see what other clients do.
  case operate

  /// The scope that a token must have; nil where any token will do, or none is needed.
  var scope: AccessToken.Scope? {
    switch self {
    case .open, .known: nil
    case .predict: .predict
    case .operate: .operate
    }
  }
}

/// The permissions of a request's client, beyond the route itself.
final class Grant: Sendable {
  /// The name of the client's token; nil where no token was needed.
  let tokenName: String?
  /// The models that the client may use; nil for all.
  let models: Set<String>?
  /// The token's scopes; nil where no token was needed.
  let scopes: Set<AccessToken.Scope>?
  /// The token's own limits, which replace the server's.
  let limits: RequestLimits.Exceptions?

  init(
    tokenName: String?, models: Set<String>?, scopes: Set<AccessToken.Scope>? = nil,
    limits: RequestLimits.Exceptions? = nil
  ) {
    self.tokenName = tokenName
    self.models = models
    self.scopes = scopes
    self.limits = limits
  }

  static let all = Grant(tokenName: nil, models: nil)
  /// The operator's key is a token for everything.
  static let operatorKey = Grant(
    tokenName: "operator_key", models: nil, scopes: Set(AccessToken.Scope.allCases))

  /// `snapshot`, limited to the models that the client may use.
  func models(of snapshot: ModelSnapshot) -> ModelSnapshot {
    guard let models, let tokenName else { return snapshot }
    return snapshot.limited(to: models, ofToken: tokenName)
  }
}

/// Checks by a request's head whether its client may use the route.
final class AccessPolicy: Sendable {
  private let operatorKey: [UInt8]?
  /// Nil if tokens are needed only by operators.
  private let tokens: Mutex<TokenTable?>

  init(_ settings: ServiceSettings) {
    operatorKey = settings.operatorKey
    tokens = Mutex(settings.tokens)
  }

  /// Requires the tokens of `table` from now on.
  func replaceTokens(by table: TokenTable) { tokens.withLock { $0 = table } }

  /// - Throws: if the request with this head may not use the route.
  func check(_ access: Access, by head: HTTPRequest) throws(Fault) -> Grant {
    if access == .open { return .all }
    let scope = access.scope
    let table = tokens.withLock { $0 }
    if table == nil, access != .operate { return .all }
    guard table != nil || operatorKey != nil else { throw Fault(AccessError.noOperatorKey) }
    let values = head.fields.values(of: "authorization")
    guard values.count < 2 else { throw Fault(AccessError.authorizationCount(values.count)) }
    guard let given = values.first.flatMap(Self.bearerToken) else {
      throw Fault(AccessError.noToken(needs: scope, isKey: table == nil))
    }
    if let operatorKey, Digest.areEqual(given, operatorKey) { return .operatorKey }
    guard let token = table?.token(given) else {
      throw Fault(AccessError.unknownToken(needs: scope, isKey: table == nil))
    }
    if let scope, !token.scopes.contains(scope) {
      throw Fault(AccessError.scope(token: token.name, needs: scope))
    }
    return Grant(
      tokenName: token.name, models: token.models, scopes: token.scopes, limits: token.limits)
  }

  /// The token in a value of `authorization` with the scheme Bearer (RFC 6750 §2.1); nil for another scheme.
  private static func bearerToken(in value: String) -> ArraySlice<UInt8>? {
    let given = Array(value.utf8)
    // RFC 9110 §11.1: the scheme's name is case-insensitive.
    guard String(decoding: given.prefix(7), as: UTF8.self).lowercased() == "bearer " else {
      return nil
    }
    return given[7...].drop { $0 == UInt8(ascii: " ") }
  }
}
