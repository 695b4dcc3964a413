import HTTPCore
import Inference
import ModelFormat
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
}
