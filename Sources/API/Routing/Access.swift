import Cryptography
import HTTPCore
import Serving
import Synchronization

/// Who may use a route, by what it lets a client do.
enum Access {
  /// Every client may use it.
  case open
  /// Use the models, and see what they are.
  case predict
  /// See what other clients do.
  case operate

  /// What a token must be for.
  var scope: AccessToken.Scope? {
    switch self {
    case .open: nil
    case .predict: .predict
    case .operate: .operate
    }
  }
}

/// What the client of a request may do beyond its route.
struct Grant: Sendable {
  /// The name of its token; nil where none is asked for.
  let tokenName: String?
  /// The models that it may use; nil for all.
  let models: Set<String>?
  /// What its token is for; nil where none is asked for.
  var scopes: Set<AccessToken.Scope>?
  /// How much its token may ask for, where that is not what others may.
  var limits: RequestLimits.Exceptions?

  static let all = Grant(tokenName: nil, models: nil)

  /// The models of `snapshot`, of which it finds only those that it may use.
  func models(of snapshot: ModelSnapshot) -> ModelSnapshot {
    guard let models, let tokenName else { return snapshot }
    return snapshot.limited(to: models, ofToken: tokenName)
  }
}

/// Checks by the head of every request whether its client may use the route.
final class AccessPolicy: Sendable {
  private let operatorKey: [UInt8]?
  /// Nil where no token is asked for, but by operators.
  private let tokens: Mutex<TokenTable?>

  init(_ settings: ServiceSettings) {
    operatorKey = settings.operatorKey
    tokens = Mutex(settings.tokens)
  }

  /// Asks for `table` from now on.
  func replaceTokens(by table: TokenTable) { tokens.withLock { $0 = table } }

  /// - Throws: where the request of `head` does not show that its client may.
  func check(_ access: Access, by head: HTTPRequest) throws(Fault) -> Grant {
    guard let scope = access.scope else { return .all }
    let table = tokens.withLock { $0 }
    if table == nil, scope == .predict { return .all }
    guard table != nil || operatorKey != nil else { throw Fault(AccessError.noOperatorKey) }
    guard let given = head.bearerToken else {
      throw Fault(AccessError.noToken(needs: scope, isKey: table == nil))
    }
    // The operator's key is a token for everything.
    if let operatorKey, Digest.areEqual(given, operatorKey) { return .all }
    guard let token = table?.token(given) else {
      throw Fault(AccessError.unknownToken(needs: scope, isKey: table == nil))
    }
    guard token.scopes.contains(scope) else {
      throw Fault(AccessError.scope(token: token.name, needs: scope))
    }
    return Grant(
      tokenName: token.name, models: token.models, scopes: token.scopes, limits: token.limits)
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
