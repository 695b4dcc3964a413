import Cryptography
import Inference
import ModelFormat
import TestSupport
import Testing

@testable import Serving

@Suite struct ModelFingerprintTests {
  private func fingerprint(_ model: Model, _ precision: Precision? = nil) throws -> ModelFingerprint
  {
    ModelFingerprint(try ModelGraph(model, precision: precision))
  }

  @Test func replicasHaveTheSame() throws {
    let first = try fingerprint(SmallModels.forecaster())
    #expect(first.bytes.count == ModelFingerprint.byteCount)
    #expect(try fingerprint(SmallModels.forecaster()) == first)
    #expect(try fingerprint(SmallModels.forecaster(), .f32) == first)
    #expect(try fingerprint(SmallModels.forecaster(name: "copy")) == first)
  }

  /// From a folder or from memory, whatever the order and spacing of model.json.
  @Test func theFileIsWhatCounts() throws {
    let folder = Fixtures.bundledModel("co2")
    let first = try fingerprint(Model(folder: folder))
    let description = try ModelDescription(path: "\(folder)/model.json")
    let again = try ModelDescription(json: Array(description.json.utf8))
    let model = try Model(
      description: again, tensors: TensorFile(path: "\(folder)/model.safetensors"))
    #expect(try fingerprint(model) == first)
  }

  /// A state with sums over time, of which each once took one float, is another model's: it is refused by that name.
  @Test func sumsHaveALayoutOfTheirOwn() throws {
    func unmarked(_ model: Model) throws -> [UInt8] {
      let description = model.description
      let plan = ModelDescription(
        name: "", version: "", precision: .f32, inputs: description.inputs,
        nodes: description.nodes, outputs: description.outputs)
      let weights = model.tensors.withBytes { Digest.hash($0) }
      let whole = weights + plan.json.utf8
      return Array(Digest.hash(whole.span).prefix(ModelFingerprint.byteCount))
    }
    let (pooled, layers) = (try SmallModels.forecaster(.pooled), try SmallModels.forecaster())
    #expect(try fingerprint(pooled).bytes != unmarked(pooled))
    #expect(try fingerprint(layers).bytes == unmarked(layers))
    let token = try #require(
      StateSealer(key: Array(repeating: 1, count: 16)).seal(
        SequenceState(position: 1, floats: [0]), as: .f32,
        model: ModelFingerprint(bytes: unmarked(pooled)[...])))
    #expect(
      throws: StateFlaw.otherModel(
        found: ModelFingerprint(bytes: try unmarked(pooled)[...]), expected: try fingerprint(pooled)
      )
    ) {
      try StateSealer(key: Array(repeating: 1, count: 16))
        .open(token[...], model: fingerprint(pooled), floatCount: 100)
    }
  }

  @Test func othersHaveOthers() throws {
    let small = try SmallModels.forecaster()
    var description = small.description
    description.inputs[0].kind = .features(size: 1, mean: [0.5], scale: [3])
    let fingerprints = [
      try fingerprint(small), try fingerprint(small, .f16), try fingerprint(small, .int8),
      try fingerprint(SmallModels.forecaster(seed: 2)),
      try fingerprint(SmallModels.forecaster(.pooled)),
      // Of the same tensors.
      try fingerprint(SmallModels.forecaster(cell: .gru)),
      try fingerprint(SmallModels.forecaster(cell: .gruResetBefore)),
      try fingerprint(SmallModels.forecaster(cell: .rareGRU)),
      try fingerprint(Model(description: description, tensors: small.tensors)),
    ]
    #expect(Set(fingerprints.map(\.bytes)).count == fingerprints.count)
  }
}
