/// What states belong to: a model that computes the same goes on with them, whatever its name.
struct ModelIdentity: Sendable, Hashable {
  /// The one that it has, or had, in URLs.
  let name: String
  let fingerprint: ModelFingerprint
  /// The numbers of a state.
  let floatCount: Int
}
