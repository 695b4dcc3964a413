import Cryptography
import Serving

/// A bearer's token, known by its hash.
package struct AccessToken: Sendable, Equatable {
  /// What a token is for.
  package enum Scope: String, Sendable, CaseIterable {
    /// To use the models, and see what they are.
    case predict
    /// To see what other clients do.
    case operate
  }

  /// For people; no two are called alike.
  package var name: String
  /// The SHA-256 of the token.
  package var digest: [UInt8]
  package var scopes: Set<Scope>
  /// The names of the models that it may use; nil for all.
  package var models: Set<String>?
  /// How much it may ask for, where that is not what others may.
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

/// The tokens that a server knows.
package struct TokenTable: Sendable, Equatable {
  private let tokens: [[UInt8]: AccessToken]

  package init(_ tokens: [AccessToken]) {
    self.tokens = Dictionary(
      tokens.map { ($0.digest, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// What `given` is a token for; nil where it is none.
  ///
  /// How long it takes tells of the hash at most, from which nobody finds a token.
  func token(_ given: ArraySlice<UInt8>) -> AccessToken? {
    let text = Array(given)
    let digest = Digest.hash(text.span)
    guard let token = tokens[digest], Digest.areEqual(digest[...], token.digest) else { return nil }
    return token
  }
}
