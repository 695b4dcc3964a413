import FoundationEssentials
import ModelFormat
import Testing

@testable import carousel

@Suite struct ModelLoadingTests {
  @Test func inTheOrderOfTheFolders() throws {
    #expect(try loadModels([BundledModel.folder]).map(\.model.description.name) == ["co2"])
    #expect(try loadModels([]).isEmpty)
  }

  /// One precision for every model; where none is asked for, each model's own.
  @Test func inThePrecisionAskedFor() throws {
    #expect(try loadModels([BundledModel.folder]).map(\.precision) == [.f32])
    #expect(try loadModels([BundledModel.folder], precision: .f16).map(\.precision) == [.f16])
    let folder = try Self.folder(precision: .int8)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(
      try loadModels([BundledModel.folder, folder]).map(\.precision) == [.f32, .int8])
    #expect(
      try loadModels([BundledModel.folder, folder], precision: .f32).map(\.precision)
        == [.f32, .f32])
  }

  @Test func aWeightThatIsTooLargeNamesItsFolder() throws {
    let folder = try Self.folder(precision: .f16, weight: 1e5)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect {
      try loadModels([folder])
    } throws: {
      "\($0)"
        == "\(folder): tensor \"h.weight_ih_l0\": element 0 is 100000.0, beyond the 65504.0 of f16"
    }
    #expect(try loadModels([folder], precision: .f32).count == 1)
  }

  /// A model folder that asks for a precision.
  private static func folder(precision: Precision, weight: Float = 1) throws -> String {
    let folder = "/tmp/carousel-model-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    try ModelDescription(
      name: "m", version: "1", precision: precision,
      inputs: [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil))],
      nodes: [.init(name: "h", op: .lstm, inputs: ["x"])], outputs: [.init(name: "h")]
    ).write(to: "\(folder)/model.json")
    try TensorFile.write(
      ["h.weight_ih_l0", "h.weight_hh_l0"].map {
        ($0, [4, 1], Array(repeating: weight, count: 4))
      }, to: "\(folder)/model.safetensors")
    return folder
  }

  @Test func oneNameTwice() {
    let folder = BundledModel.folder
    #expect(throws: CarouselError.duplicateModel(name: "co2", folders: [folder, folder])) {
      try loadModels([folder, folder])
    }
  }

  @Test func anErrorNamesItsFolder() {
    #expect { try loadModels([BundledModel.folder, "/nonexistent"]) } throws: {
      $0 is ModelError && "\($0)".contains("/nonexistent")
    }
  }
}
