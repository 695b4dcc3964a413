import Inference
import JSON
import ModelFormat
import Scheduling

/// A model as the service knows it: its engine, its name in URLs, and what its requests need at hand.
struct ServedModel: Sendable {
  let name: String
  let engine: Engine
  /// For each input of tokens that has a vocabulary; nil for the others.
  let vocabularies: [Vocabulary?]
  /// What a token of each input is in JSON at the most; 0 for inputs that take none.
  let bytesPerToken: [Int]
  /// `{"model":"co2","outputs":`
  let answerPrefix: [UInt8]
  /// What the states of its sequences are told by; nil where these can't be taken along, as steps need the whole
  /// sequence.
  let fingerprint: ModelFingerprint?

  var graph: ModelGraph { engine.graph }
  var description: ModelDescription { engine.graph.model.description }

  init(name: String, engine: Engine) {
    self.name = name
    self.engine = engine
    fingerprint = engine.graph.isStreamable ? ModelFingerprint(engine.graph) : nil
    vocabularies = engine.graph.model.description.inputs.map { input in
      guard case .tokens(_, let entries?) = input.kind else { return nil }
      return Vocabulary(entries)
    }
    bytesPerToken = engine.graph.model.description.inputs.map { input in
      switch input.kind {
      case .tokens(_, let entries?):
        (entries.map(\.utf8.count).max() ?? 0) * JSONWriter.maxEscape
      // A number and its comma.
      case .tokens(let size, nil): String(size).utf8.count + 1
      case .features, .vector: 0
      }
    }
    var writer = JSONWriter()
    writer.raw(#"{"model":"#)
    writer.string(name)
    writer.raw(#","outputs":"#)
    answerPrefix = writer.bytes
  }
}

/// The models of a service, by name.
final class ModelCatalogue: Sendable {
  /// In the order given.
  let models: [ServedModel]
  let defaultModel: ServedModel?
  private let indices: [String: Int]

  /// No name may be given twice; `defaultModel` is one of them, or nil for the first.
  init(_ engines: [(name: String, engine: Engine)], defaultModel: String?) {
    let models = engines.map { ServedModel(name: $0.name, engine: $0.engine) }
    let indices = Dictionary(
      models.indices.map { (models[$0].name, $0) }, uniquingKeysWith: { first, _ in first })
    precondition(indices.count == models.count, "two models with one name")
    precondition(defaultModel.map { indices[$0] != nil } ?? true, "no such default model")
    self.models = models
    self.indices = indices
    self.defaultModel = defaultModel.flatMap { indices[$0] }.map { models[$0] } ?? models.first
  }

  func model(_ name: String) throws(APIError) -> ServedModel {
    guard let index = indices[name] else {
      throw .noSuchModel(name: name, known: models.map(\.name))
    }
    return models[index]
  }
}
