/// The model that a state belongs to. Any model with the same fingerprint can continue the state.
package struct ModelIdentity: Sendable, Hashable {
  /// The model's name in URLs, now or before.
  package let name: String
  package let fingerprint: ModelFingerprint
  /// The number of floats of a state.
  package let floatCount: Int

  package init(name: String, fingerprint: ModelFingerprint, floatCount: Int) {
    self.name = name
    self.fingerprint = fingerprint
    self.floatCount = floatCount
  }
}
