import Inference
import ModelFormat
import Scheduling

/// A model in service: its name in URLs, its engine, and facts about the graph that requests need often.
///
/// A reference is a lease: a request keeps the model that it found until its end, whatever the registry serves meanwhile. When
/// the last reference goes, the engine shuts down and releases the weights.
package final class ServedModel: Sendable {
  package let name: String
  package let engine: Engine
  /// The engine's graph.
  package let graph: ModelGraph
  /// Kept, since each request reads them: `description` copies the whole description, some twenty reference counts.
  package let inputs: [ModelDescription.Input]
  /// The vocabulary of each input; nil for inputs without one.
  package let vocabularies: [Vocabulary?]
  /// For each input, the bytes of the longest text of a token or, without a vocabulary, of the longest id; 0 for inputs that
  /// don't take tokens.
  package let maxTokenBytes: [Int]
  package let outputNames: [String]
  /// The indices of outputs that are decoded to labels.
  package let decodedOutputs: [Int]
  /// The indices of outputs that reconstruct an input.
  package let reconstructions: [Int]
  /// The label names of each output; nil for outputs that are not decoded.
  package let labelNames: [LabelNames?]
  /// The bytes of the longest text of a token of the decoder, with the separator; 0 without a vocabulary.
  package let maxDecodedTokenBytes: Int
  /// The identity that states of its sequences carry; nil for a model that needs whole sequences and so has no states.
  package let identity: ModelIdentity?
  private let onEnd: @Sendable () -> Void

  package var fingerprint: ModelFingerprint? { identity?.fingerprint }
  /// The owner in its sessions' keys; empty for a model that can't have sessions.
  package var sessionOwner: String { fingerprint?.text ?? "" }
  package var description: ModelDescription { graph.model.description }

  /// The name of the decoder's output, which scores tokens; empty without a decoder.
  package var decoderOutputName: String { graph.decoder?.graph.model.outputs[0].name ?? "" }

  /// - Parameter onEnd: called when the last reference is gone and the engine has answered every request.
  package init(name: String, engine: Engine, onEnd: @escaping @Sendable () -> Void = {}) {
    self.name = name
    self.engine = engine
    graph = engine.graph
    inputs = engine.graph.model.description.inputs
    self.onEnd = onEnd
    identity =
      engine.graph.isStreamable && engine.graph.decoder == nil
      ? ModelIdentity(
        name: name, fingerprint: ModelFingerprint(engine.graph),
        floatCount: engine.graph.stateFloatCount)
      : nil
    vocabularies = inputs.map { input in
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
    maxTokenBytes = inputs.map { input in
      switch input.kind {
      case .tokens(_, let entries?): entries.map(\.utf8.count).max() ?? 0
      case .tokens(let size, nil): String(size).utf8.count
      case .features, .vector: 0
      }
    }
  }

  deinit { engine.shutDown(completion: onEnd) }
}
