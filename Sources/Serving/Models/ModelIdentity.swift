/// The model that a state belongs to: any model that computes the same can go on with it, whatever its name.
package struct ModelIdentity: Sendable, Hashable {
  /// The one that it has, or had, in URLs.
  package let name: String
  package let fingerprint: ModelFingerprint
  /// The numbers of a state.
  package let floatCount: Int

  package init(name: String, fingerprint: ModelFingerprint, floatCount: Int) {
    self.name = name
    self.fingerprint = fingerprint
    self.floatCount = floatCount
  }
}
