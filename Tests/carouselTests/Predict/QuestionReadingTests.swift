import ArgumentParser
import Inference
import Testing

@testable import carousel

@Suite struct QuestionReadingTests {
  private let array = NPYFileTests.file(NPYFileTests.float, NPYFileTests.twoFloats)

  private func text(
    _ bytes: [UInt8], outputs: Selection.Steps? = nil, horizon: Int? = nil
  ) throws -> String {
    String(
      decoding: try question(from: bytes, path: "x.npz", outputs: outputs, horizon: horizon),
      as: UTF8.self)
  }

  @Test func jsonIsAskedAsItIs() throws {
    #expect(try text(Array("{\"inputs\": [1]}".utf8)) == "{\"inputs\": [1]}")
  }

  @Test func anArrayBecomesInputs() throws {
    #expect(try text(array) == #"{"inputs":[1.0,-2.5]}"#)
    #expect(
      try text(array, outputs: .all, horizon: 3)
        == #"{"inputs":[1.0,-2.5],"outputs":"all","horizon":3}"#)
  }

  @Test(arguments: [[0x50, 0x4B, 3, 4, 0x2D], [0x1F, 0x8B, 8]] as [[UInt8]])
  func anArchiveIsNoInput(bytes: [UInt8]) {
    #expect(throws: CarouselError.notAnInput(path: "x.npz")) { try text(bytes) }
  }

  @Test func optionsThatJSONHoldsAlready() {
    #expect(throws: ValidationError.self) { try text(Array("{}".utf8), horizon: 3) }
  }
}
