import HTTPCore
import Inference
import ModelFormat
import NumPyFormat
import Serving
import TestSupport
import Testing

@testable import carousel

@Suite struct OfflineModelTests {
  @Test func answersWithoutAServer() throws {
    let model = OfflineModel(try BundledModel.graph())
    let good = model.answer(to: Array(#"{"inputs": [1], "horizon": 2}"#.utf8))
    #expect(good.status == .ok)
    #expect(String(decoding: good.body, as: UTF8.self).hasPrefix(#"{"model":"co2","outputs":["#))
    #expect(model.answer(to: Array("{".utf8)).status == .badRequest)
  }

  /// The floats are those that the answer writes.
  @Test func predictsWhatItAnswers() throws {
    let model = OfflineModel(try BundledModel.graph())
    let body = Array(#"{"inputs": [[360, 361], [355]], "horizon": 2}"#.utf8)
    let sample = Sample(try model.question(in: body), origin: "here")
    let values = try model.predictions(for: sample).map { $0.outputs[0].values }
    #expect(values.map(\.count) == [2, 2])
    let answer = String(decoding: model.answer(to: body).body, as: UTF8.self)
    #expect(answer == "{\"model\":\"co2\",\"outputs\":\(values)}\n".filter { $0 != " " })
  }

  @Test func refusesAsTheServerDoes() throws {
    let model = OfflineModel(try BundledModel.graph())
    #expect(
      throws: CarouselError.refused(reason: #"inputs is missing, expected {"inputs": …}"#)
    ) { try model.question(in: Array("{}".utf8)) }
  }

  /// An archive of arrays, by the inputs' names.
  private func archive(_ arrays: [(name: String, shape: String, bytes: [UInt8])]) -> [UInt8] {
    zipArchive(
      of: arrays.map {
        ("\($0.name).npy", NPYFileTests.file(NPYFileTests.header("|u1", $0.shape), $0.bytes))
      })
  }

  private func question(
    _ model: OfflineModel, _ arrays: [(name: String, shape: String, bytes: [UInt8])]
  ) throws -> Question {
    try model.question(
      in: QuestionInput(
        archive(arrays), path: "x.npz", inputs: model.graph.model.description.inputs))
  }

  /// Inputs that have steps of their own are arrays of different lengths, of one sequence or of several.
  @Test func arraysOfDifferentLengths() throws {
    let model = OfflineModel(try ModelGraph(SmallModels.twoAxes()))
    let one = try question(
      model,
      [
        ("ids", "(3,)", [0, 2, 1]), ("source", "(4, 1)", [1, 2, 3, 5]),
        ("target", "(3,)", [7, 8, 9]),
      ])
    #expect(!one.isBatch && one.sequences[0].stepCounts == [4, 3])
    let outputs = try model.predictions(for: Sample(one, origin: "x.npz"))[0].outputs
    #expect(outputs.map(\.values) == [[7, 10, 11, 8, 30, 11, 9, 20, 11], [2, 5]])
    #expect(outputs.map(\.rows) == [3, 2])
    let two = try question(
      model,
      [
        ("source", "(2, 2)", [1, 2, 3, 4]), ("target", "(2, 3, 1)", [1, 2, 3, 4, 5, 6]),
        ("ids", "(2, 3)", [0, 0, 0, 1, 1, 1]),
      ])
    #expect(two.isBatch && two.sequences.map(\.stepCounts) == [[2, 3], [2, 3]])
    let predictions = try model.predictions(for: Sample(two, origin: "x.npz"))
    #expect(
      predictions.map { $0.outputs.map(\.values) } == [
        [[1, 10, 3, 2, 10, 3, 3, 10, 3], [2]], [[4, 20, 7, 5, 20, 7, 6, 20, 7], [4]],
      ])
    let arrays = try OutputArrays(named: two.outputNames, predictions, isBatch: two.isBatch).arrays
    #expect(arrays.map(\.name) == ["y", "p"])
  }

  /// Inputs of one axis have as many steps as each other, and all inputs as many sequences.
  @Test func arraysThatDoNotFit() throws {
    let model = OfflineModel(try ModelGraph(SmallModels.twoAxes()))
    let refused: [([(name: String, shape: String, bytes: [UInt8])], [String])] = [
      (
        [
          ("ids", "(2,)", [0, 1]), ("source", "(4,)", [1, 2, 3, 5]), ("target", "(3,)", [7, 8, 9]),
        ],
        ["inputs.ids", "2", "3", "inputs.target"]
      ),
      (
        [("ids", "(1, 2)", [0, 1]), ("source", "(2,)", [1, 2]), ("target", "(2,)", [7, 8])],
        ["inputs.ids"]
      ),
      (
        [("ids", "(2,)", [0, 1]), ("source", "(1,)", [1]), ("target", "(2,)", [7, 8])],
        ["\"source\" holds 1 step, expected at least 2"]
      ),
    ]
    for (arrays, parts) in refused {
      #expect {
        try question(model, arrays)
      } throws: { error in
        parts.allSatisfy { "\(error)".contains($0) }
      }
    }
  }
}
