import Inference
import ModelFormat
import TestSupport
import Testing

@testable import carousel

@Suite struct DeviationTests {
  private func output(_ values: [Float], rows: Int?) -> Prediction.Output {
    .init(rows: rows, size: values.count / (rows ?? 1), values: values)
  }

  @Test func arithmetic() throws {
    let deviation = try Deviation.Output(
      name: "y", classes: 2,
      found: [output([1, 2, 5, 4], rows: 2), output([0, -7], rows: 1)],
      expected: [output([1, 3, 3, 4], rows: 2), output([0, -7], rows: 1)])
    #expect(deviation.name == "y")
    #expect(deviation.largestDifference == 2)
    #expect(deviation.rmsDifference == (5.0 / 6).squareRoot())
    #expect(deviation.f32Range == [-7, 4])
    #expect(deviation.answers == 3 && deviation.otherClass == 1)
  }

  @Test func vectorsThatAreNoClasses() throws {
    let deviation = try Deviation.Output(
      name: "y", classes: nil, found: [output([1, 2], rows: nil)],
      expected: [output([2, 1], rows: nil)])
    #expect(deviation.answers == 1 && deviation.otherClass == nil)
  }

  @Test(arguments: [.nan, .infinity] as [Float])
  func numbersThatAreNotFinite(number: Float) {
    let (bad, good) = (output([number], rows: nil), output([1], rows: nil))
    for (found, expected) in [(bad, good), (good, bad), (bad, bad)] {
      #expect(throws: CarouselError.notFinite(output: "y")) {
        try Deviation.Output(name: "y", classes: nil, found: [found], expected: [expected])
      }
    }
  }

  private func deviation(
    of name: String, _ precision: Precision, asking body: String? = nil
  ) throws -> Deviation {
    let graph = try loadModel(Fixtures.bundledModel(name), precision: precision)
    let model = OfflineModel(graph)
    let sample = try body.map { Sample(try model.question(in: Array($0.utf8)), origin: "file") }
    return try Deviation(of: model, on: try sample ?? Sample(of: model))
  }

  @Test(arguments: ["co2", "sunspots", "kjv"])
  func f32DiffersInNothing(name: String) throws {
    let outputs = try deviation(of: name, .f32).outputs
    #expect(outputs.count == 1)
    #expect(outputs.allSatisfy { $0.largestDifference == 0 && $0.rmsDifference == 0 })
    #expect(outputs.allSatisfy { $0.otherClass ?? 0 == 0 && $0.f32Range[0] < $0.f32Range[1] })
  }

  @Test func int8DiffersALittle() throws {
    let deviation = try deviation(of: "co2", .int8)
    #expect(deviation.sequences == 9 && deviation.steps == 824)
    let output = try #require(deviation.outputs.first)
    #expect(output.name == "ppm" && output.answers == 824)
    #expect(output.rmsDifference > 0 && output.largestDifference > output.rmsDifference)
    // A thousandth of a level of some 340 ppm.
    #expect(output.rmsDifference < 0.34)
    // Labelled, but a forecast's.
    #expect(output.otherClass == nil)
  }

  @Test func probabilitiesAreOfClasses() throws {
    let output = try #require(try deviation(of: "kjv", .int8).outputs.first)
    #expect(output.otherClass != nil)
  }

  @Test func labelsAreOfClasses() throws {
    let forecaster = try SmallModels.forecaster()
    var description = forecaster.description
    description.outputs = [.init(name: "y", labels: ["up", "down"])]
    let model = OfflineModel(
      try ModelGraph(
        Model(description: description, tensors: forecaster.tensors), precision: .f16))
    let output = try #require(try Deviation(of: model, on: Sample(of: model)).outputs.first)
    #expect(try #require(output.otherClass) < output.answers)
  }

  @Test func aHorizonIsComparedToItsEnd() throws {
    let deviation = try deviation(
      of: "co2", .int8, asking: #"{"inputs": [[360, 361], [355, 356]], "horizon": 40}"#)
    #expect(deviation.sequences == 2 && deviation.steps == 4)
    let output = try #require(deviation.outputs.first)
    #expect(output.answers == 2 && output.largestDifference > 0)
  }
}
