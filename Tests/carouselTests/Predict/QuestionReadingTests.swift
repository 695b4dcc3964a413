import ArgumentParser
import Inference
import ModelFormat
import Testing

@testable import carousel

@Suite struct QuestionReadingTests {
  private let array = NPYFileTests.file(NPYFileTests.float, NPYFileTests.twoFloats)

  private static func features(_ size: Int, _ name: String = "x") -> ModelDescription.Input {
    .init(name: name, kind: .features(size: size, mean: nil, scale: nil))
  }

  private func text(
    _ bytes: [UInt8], for inputs: [ModelDescription.Input] = [features(1)],
    outputs: Selection.Steps? = nil, horizon: Int? = nil
  ) throws -> String {
    String(
      decoding: try question(
        from: bytes, path: "x.npz", inputs: inputs, outputs: outputs, horizon: horizon),
      as: UTF8.self)
  }

  private static func bytes(_ shape: String) -> [UInt8] {
    NPYFileTests.file(NPYFileTests.header("|u1", shape), [0, 1, 2, 3, 4, 5])
  }

  private static let token = ModelDescription.Input(
    name: "ids", kind: .tokens(size: 9, vocabulary: nil))
  private static let vector = ModelDescription.Input(name: "v", kind: .vector(size: 1))

  /// What the axes of an array are is a matter of the model.
  @Test(arguments: [
    ("(6,)", features(1), "[0,1,2,3,4,5]"), ("(6, 1)", features(1), "[0,1,2,3,4,5]"),
    ("(2, 3)", features(1), "[[0,1,2],[3,4,5]]"), ("(2, 3, 1)", features(1), "[[0,1,2],[3,4,5]]"),
    ("(1, 6)", features(1), "[[0,1,2,3,4,5]]"),
    ("(6, 1, 1)", features(1), "[[0],[1],[2],[3],[4],[5]]"),
    ("(1, 6, 1)", features(1), "[[0,1,2,3,4,5]]"),
    ("(2, 3)", features(3), "[[0,1,2],[3,4,5]]"), ("(1, 2, 3)", features(3), "[[[0,1,2],[3,4,5]]]"),
    ("(6,)", token, "[0,1,2,3,4,5]"), ("(6, 1)", token, "[[0],[1],[2],[3],[4],[5]]"),
    ("(6, 1)", vector, "[[0],[1],[2],[3],[4],[5]]"),
  ])
  func axes(shape: String, input: ModelDescription.Input, json: String) throws {
    #expect(try text(Self.bytes(shape), for: [input]) == "{\"inputs\":\(json)}")
  }

  @Test func arraysByName() throws {
    let inputs = [Self.features(1, "a"), Self.token]
    let archive = zipArchive(of: [
      ("ids.npy", Self.bytes("(6,)")), ("a.npy", Self.bytes("(6, 1)")),
    ])
    #expect(
      try text(archive, for: inputs, horizon: 2)
        == #"{"inputs":{"a":[0,1,2,3,4,5],"ids":[0,1,2,3,4,5]},"horizon":2}"#)
    // A single one needs no name.
    let single = zipArchive(of: [("arr_0.npy", Self.bytes("(6,)"))])
    #expect(try text(single) == #"{"inputs":[0,1,2,3,4,5]}"#)
    #expect(throws: CarouselError.arrayNames(found: ["arr_0"], expected: ["a", "ids"])) {
      try text(single, for: inputs)
    }
    #expect(throws: CarouselError.oneArray(inputs: ["a", "ids"])) {
      try text(Self.bytes("(6,)"), for: inputs)
    }
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

  @Test(arguments: [[0x1F, 0x8B, 8]] as [[UInt8]])
  func anArchiveIsNoInput(bytes: [UInt8]) {
    #expect(throws: CarouselError.notAnInput(path: "x.npz")) { try text(bytes) }
  }

  @Test func optionsThatJSONHoldsAlready() {
    #expect(throws: ValidationError.self) { try text(Array("{}".utf8), horizon: 3) }
  }

  /// What starts with a byte order mark is text, which the reader of JSON refuses by that name.
  @Test(arguments: [[0xEF, 0xBB, 0xBF], [0xFF, 0xFE], [0xFE, 0xFF]] as [[UInt8]])
  func textOfAnotherEncodingIsNoArchive(mark: [UInt8]) throws {
    let bytes = mark + Array("{}".utf8)
    #expect(try question(from: bytes, path: "x", inputs: [Self.features(1)]) == bytes)
  }
}
