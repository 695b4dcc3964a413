import Inference
import ModelFormat
import Scheduling

/// A model as the service knows it: its engine, its name in URLs, and what its requests need at hand.
///
/// To hold it is to lease it: a request keeps the one that it found to its end, whatever the registry serves by then. When
/// nobody holds it any more its engine shuts down, and lets go of the weights.
package final class ServedModel: Sendable {
  package let name: String
  package let engine: Engine
  /// For each input of tokens that has a vocabulary; nil for the others.
  package let vocabularies: [Vocabulary?]
  /// The bytes of the longest text that stands for a token of an input, or of its longest id; 0 for inputs that take none.
  package let maxTokenBytes: [Int]
  package let outputNames: [String]
  /// The outputs whose numbers become labels.
  package let decodedOutputs: [Int]
  /// The outputs that reconstruct an input.
  package let reconstructions: [Int]
  /// What the labels of each output are called; nil for outputs that are not decoded.
  package let labelNames: [LabelNames?]
  /// Of the longest text that a token of its decoder adds, what separates it from the one before included; 0 without a vocabulary.
  package let maxDecodedTokenBytes: Int
  /// The identity that the states of its sequences carry; nil where it has no states, as its steps need the whole sequence.
  package let identity: ModelIdentity?
  private let onEnd: @Sendable () -> Void

  // These are inlinable, since a call from another module would copy all of a description, some twenty reference counts.

  @inlinable package var fingerprint: ModelFingerprint? { identity?.fingerprint }
  /// The key of its sessions; empty for a model that can have none.
  package var sessionOwner: String { fingerprint?.text ?? "" }
  @inlinable package var graph: ModelGraph { engine.graph }
  @inlinable package var description: ModelDescription { engine.graph.model.description }

  /// The output of its decoder, which scores tokens; empty without a decoder.
  package var decoderOutputName: String { graph.decoder?.graph.model.outputs[0].name ?? "" }

  /// - Parameter onEnd: called once all leases were given back and the engine has answered all that it took.
  package init(name: String, engine: Engine, onEnd: @escaping @Sendable () -> Void = {}) {
    self.name = name
    self.engine = engine
    self.onEnd = onEnd
    identity =
      engine.graph.isStreamable && engine.graph.decoder == nil
      ? ModelIdentity(
        name: name, fingerprint: ModelFingerprint(engine.graph),
        floatCount: engine.graph.stateFloatCount)
      : nil
    vocabularies = engine.graph.model.description.inputs.map { input in
      guard case .tokens(_, let entries?) = input.kind else { return nil }
      return Vocabulary(entries)
    }
    let outputs = engine.graph.model.outputs
    outputNames = outputs.map(\.name)
    decodedOutputs = outputs.indices.filter { outputs[$0].decode != nil }
    reconstructions = outputs.indices.filter { outputs[$0].reconstructs != nil }
    labelNames = outputs.map { output in
      output.decode.map { _ in LabelNames(output.labelTexts, count: output.size) }
    }
    let decoder = engine.graph.decoder?.decoder
    maxDecodedTokenBytes =
      (decoder?.vocabulary?.map(\.utf8.count).max()).map {
        $0 + (decoder?.separator.utf8.count ?? 0)
      } ?? 0
    maxTokenBytes = engine.graph.model.description.inputs.map { input in
      switch input.kind {
      case .tokens(_, let entries?): entries.map(\.utf8.count).max() ?? 0
      case .tokens(let size, nil): String(size).utf8.count
      case .features, .vector: 0
      }
    }
  }

  deinit { engine.shutDown(completion: onEnd) }
}
