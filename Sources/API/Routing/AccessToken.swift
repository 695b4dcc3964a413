import Cryptography
import Serving

/// A bearer token, stored as its hash.
package struct AccessToken: Sendable, Equatable {
  /// What a token permits.
  package enum Scope: String, Sendable, CaseIterable {
    /// Using the models and seeing their descriptions.
    case predict
    /// Seeing what other clients do.
    case operate
  }

  /// A unique name, for people.
  package var name: String
  /// The SHA-256 of the token.
  package var digest: [UInt8]
  package var scopes: Set<Scope>
  /// The names of the models that the token may be used for; nil for all.
  package var models: Set<String>?
  /// The token's own limits, which replace the server's.
  package var limits = RequestLimits.Exceptions()

  /// - Precondition: `digest` has the length of a SHA-256.
  package init(
    name: String, digest: [UInt8], scopes: Set<Scope>, models: Set<String>? = nil,
    limits: RequestLimits.Exceptions = RequestLimits.Exceptions()
  ) {
    precondition(digest.count == Digest.byteCount, "a SHA-256 has 32 bytes")
    self.name = name
    self.digest = digest
    self.scopes = scopes
    self.models = models
    self.limits = limits
  }
}

/// The tokens that the server accepts.
package struct TokenTable: Sendable, Equatable {
  private let tokens: [[UInt8]: AccessToken]

  package init(_ tokens: [AccessToken]) {
    self.tokens = Dictionary(
      tokens.map { ($0.digest, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The token whose text is `given`; nil where there is none.
  ///
  /// The time that this takes reveals at most something about the hash, from which the token can't be found.
  func token(_ given: ArraySlice<UInt8>) -> AccessToken? {
    let text = Array(given)
    let digest = Digest.hash(text.span)
    guard let token = tokens[digest], Digest.areEqual(digest[...], token.digest) else { return nil }
    return token
  }
}
