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
      decoding: try QuestionBody(
        bytes, path: "x.npz", inputs: inputs, outputs: outputs, horizon: horizon
      ).json,
      as: UTF8.self)
  }

  /// The error that the file gets, which its sentence names.
  private func refusal(
    _ bytes: [UInt8], for inputs: [ModelDescription.Input] = [features(1)], origin: String = "x.npz"
  ) -> CarouselError? {
    do {
      _ = try text(bytes, for: inputs)
    } catch CarouselError.inInput(let found, let error) where found == origin {
      return error
    } catch {
      Issue.record(error)
    }
    return nil
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
    #expect(
      refusal(Self.bytes("(6,)"), for: inputs, origin: "x.npz") == .oneArray(inputs: ["a", "ids"]))
  }

  /// A single one may have been given no name, but none that is another's.
  @Test func namesOfASingleArray() throws {
    func archive(_ names: String...) -> [UInt8] {
      zipArchive(of: names.map { ("\($0).npy", Self.bytes("(6,)")) })
    }
    for name in ["x", "arr_0"] {
      #expect(
        try text(archive(name))
          == #"{"inputs":\#(name == "x" ? #"{"x":[0,1,2,3,4,5]}"# : "[0,1,2,3,4,5]")}"#)
    }
    for names in [["y"], ["arr_1"], ["X"], ["x", "y"], ["arr_0", "x"], ["arr_0", "arr_1"]] {
      let bytes = zipArchive(of: names.map { ("\($0).npy", Self.bytes("(6,)")) })
      #expect(
        refusal(bytes) == .arrayNames(found: names, expected: ["x"], mayHaveNoName: true))
    }
    let empty = Array("PK\u{5}\u{6}".utf8) + [UInt8](repeating: 0, count: 18)
    #expect(refusal(empty) == .arrayNames(found: [], expected: ["x"], mayHaveNoName: true))
    #expect(
      refusal(archive("arr_0"), for: [Self.features(1, "a"), Self.token])
        == .arrayNames(found: ["arr_0"], expected: ["a", "ids"], mayHaveNoName: false))
    #expect(
      "\(CarouselError.arrayNames(found: ["y"], expected: ["x"], mayHaveNoName: true))"
        == #"found the arrays "y", expected one for each input of the model and no other: "x" (or "arr_0", as numpy.savez calls an array without a name)"#
    )
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

  /// What is none of the three is named, by its kind where that is known.
  @Test(
    arguments: [
      ([0x1F, 0x8B, 8], .gzip), (Array("PAR1\u{15}".utf8), .parquet),
      (
        Array("PK\u{3}\u{4}".utf8) + [UInt8](repeating: 0, count: 22) + [1, 0, 4, 0]
          + Array("aFB\0\0".utf8), .torchZip
      ),
      ([0x80, 4, 0x95], .pickle), (Array("<html>".utf8), .html), ([8, 0, 0, 0, 0, 0, 0, 0], nil),
      (Array("RIFF\u{24}\u{8}".utf8), nil), ([0xE9], nil),
    ] as [([UInt8], ForeignFile?)])
  func otherFilesAreNoInput(bytes: [UInt8], kind: ForeignFile?) {
    #expect(throws: CarouselError.notAnInput(path: "x.npz", kind)) { try text(bytes) }
  }

  /// Text is JSON, or refused as what it is, whatever else its first bytes look like.
  @Test(arguments: [#"{"abTFL3": 1}"#, "\n {}", "a,b", "{\u{1}"])
  func textIsForTheReaderOfJSON(body: String) throws {
    #expect(try text(Array(body.utf8)) == body)
  }

  @Test func errorsSayWhereTheInputComesFrom() throws {
    #expect(
      refusal(Array(array.dropLast(8)))
        == .badNPY(
          offset: array.count - 8,
          problem: .truncated(expected: array.count, found: array.count - 8)))
    let nan = NPYFileTests.file(NPYFileTests.float, [0, 0, 0xC0, 0x7F, 0, 0, 0, 0])
    #expect(
      refusal(nan, origin: "x.npz, of shape (2,)")
        == .badNPY(offset: nan.count - 8, problem: .notFinite(element: 0)))
    #expect(refusal(Array("PK\u{3}\u{4}".utf8)) == .badNPZ(entry: nil, problem: .noDirectory))
    let model = OfflineModel(try BundledModel.graph())
    for (bytes, path, sentence) in [
      (Array("{}".utf8), "a.json", "a.json: inputs is missing"),
      ([], "-", "standard input: the body is empty"),
      (
        Self.bytes("(1, 3, 2)"), "b.npy",
        "b.npy, of shape (1, 3, 2): inputs[0][0]: found an array of 2 numbers"
      ),
    ] {
      let body = try QuestionBody(bytes, path: path, inputs: [Self.features(1)])
      #expect {
        try model.question(in: body)
      } throws: {
        "\($0)".hasPrefix(sentence)
      }
    }
  }

  @Test func optionsThatJSONHoldsAlready() {
    #expect(throws: ValidationError.self) { try text(Array("{}".utf8), horizon: 3) }
  }

  /// What starts with a byte order mark is text, which the reader of JSON refuses by that name.
  @Test(arguments: [[0xEF, 0xBB, 0xBF], [0xFF, 0xFE], [0xFE, 0xFF]] as [[UInt8]])
  func textOfAnotherEncodingIsNoArchive(mark: [UInt8]) throws {
    let bytes = mark + Array("{}".utf8)
    #expect(try QuestionBody(bytes, path: "x", inputs: [Self.features(1)]).json == bytes)
  }
}
