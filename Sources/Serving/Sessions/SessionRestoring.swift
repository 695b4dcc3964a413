import Scheduling

/// Where the sessions of a session file go: into this process's memory, or into its session store.
package protocol SessionRestoring: Sendable {
  /// Whether they go into a store, which has them from then on.
  var isIntoStore: Bool { get }

  /// Restores the sessions of a file, or only remembers that they are lost.
  func restore(
    _ head: SessionFileHead, asLost: Bool, byteCount: Int,
    from read: @escaping (Int) throws(SessionFileFlaw) -> [UInt8]
  ) throws(SessionFileFlaw) -> SessionImport

  /// Forgets everything that was restored, where that can be.
  func forget()
}

/// The result of importing the sessions of a file.
package struct SessionImport: Sendable {
  /// The number of sessions that continue here.
  package var restored = 0
  /// The number of sessions that don't, for each model's name, and the reason in words.
  package var refused: [(model: String, count: Int, reason: String)] = []
  /// Sessions whose ids the store has another session of, or remembers to have ended: these stay.
  package var present = 0
  /// Sessions that nobody had used for `session_idle_seconds`.
  package var expired = 0
  /// Whether the whole file was gone through; false where the process ends before.
  package var isWhole = true

  /// Notes which models' sessions can't continue.
  ///
  /// - Parameter counts: the sessions in the file, by fingerprint.
  mutating func note(
    refused counts: [String: Int], of models: [ModelIdentity], _ heirs: [String: SuccessorModels]
  ) {
    var counts = counts
    for model in models {
      guard let reason = heirs[model.fingerprint.text]?.refusal,
        let count = counts.removeValue(forKey: model.fingerprint.text)
      else { continue }
      refused.append((model.name, count, reason))
    }
  }
}
