import ArgumentParser
import Inference
import ModelFormat
import NumPyFormat
import Serving
import Testing

@testable import carousel

@Suite struct QuestionInputTests {
  private let array = NPYFileTests.file(NPYFileTests.float, NPYFileTests.twoFloats)

  private static func features(_ size: Int, _ name: String = "x") -> ModelDescription.Input {
    .init(name: name, kind: .features(size: size, mean: nil, scale: nil))
  }

  private func content(
    _ bytes: [UInt8], for inputs: [ModelDescription.Input] = [features(1)],
    outputs: Selection.Steps? = nil, horizon: Int? = nil
  ) throws -> QuestionInput.Content {
    try QuestionInput(bytes, path: "x.npz", inputs: inputs, outputs: outputs, horizon: horizon)
      .content
  }

  /// The columns of arrays; nil where the input is JSON.
  private func columns(
    _ bytes: [UInt8], for inputs: [ModelDescription.Input] = [features(1)]
  ) throws -> [InputColumn]? {
    guard case .columns(let columns, _, _) = try content(bytes, for: inputs) else { return nil }
    return columns
  }

  /// The body of JSON; nil where the input is an array.
  private func text(_ bytes: [UInt8]) throws -> String? {
    guard case .json(let json) = try content(bytes) else { return nil }
    return String(decoding: json, as: UTF8.self)
  }

  /// The error that the file gets, which its sentence names.
  private func refusal(
    _ bytes: [UInt8], for inputs: [ModelDescription.Input] = [features(1)], origin: String = "x.npz"
  ) -> CarouselError? {
    do {
      _ = try content(bytes, for: inputs)
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

  private static let six: [Float] = [0, 1, 2, 3, 4, 5]

  private typealias Values = InputSequence.Values
  private static let rows: [Values] = [.features([0, 1, 2]), .features([3, 4, 5])]
  private static let ids: Values = .tokens([0, 1, 2, 3, 4, 5])
  private static let steps: [Values] = six.map { number in Values.features([number]) }
  private static let idSteps: [Values] = six.map { number in Values.tokens([Int32(number)]) }
  private static let vectors: [Values] = six.map { number in Values.vector([number]) }

  /// What the axes of an array are is a matter of the model.
  @Test(
    arguments: [
      ("(6,)", features(1), [.features(six)], false),
      ("(6, 1)", features(1), [.features(six)], false),
      ("(2, 3)", features(1), rows, true), ("(2, 3, 1)", features(1), rows, true),
      ("(1, 6)", features(1), [.features(six)], true), ("(6, 1, 1)", features(1), steps, true),
      ("(1, 6, 1)", features(1), [.features(six)], true),
      ("(2, 3)", features(3), [.features(six)], false),
      ("(1, 2, 3)", features(3), [.features(six)], true),
      ("(6,)", token, [ids], false), ("(6, 1)", token, idSteps, true),
      ("(6, 1)", vector, vectors, true),
    ] as [(String, ModelDescription.Input, [InputSequence.Values], Bool)])
  func axes(
    shape: String, input: ModelDescription.Input, values: [InputSequence.Values], isArray: Bool
  ) throws {
    let columns = try #require(try columns(Self.bytes(shape), for: [input]))
    #expect(columns.map(\.values) == [values] && columns[0].isArray == isArray)
    // Bare numbers, but for steps that are vectors.
    #expect(columns[0].isFlat == (input != Self.features(3)))
  }

  @Test func arraysByName() throws {
    let inputs = [Self.features(1, "a"), Self.token]
    let archive = zipArchive(of: [
      ("ids.npy", Self.bytes("(6,)")), ("a.npy", Self.bytes("(6, 1)")),
    ])
    let columns = try #require(try columns(archive, for: inputs))
    #expect(columns.map(\.values) == [[.features(Self.six)], [.tokens([0, 1, 2, 3, 4, 5])]])
    #expect(
      refusal(Self.bytes("(6,)"), for: inputs, origin: "x.npz") == .oneArray(inputs: ["a", "ids"]))
  }

  /// Beside an array of sequences, numbers of one step each are as many sequences.
  @Test func sequencesOfOneStepBesideOthers() throws {
    let archive = zipArchive(of: [
      ("ids.npy", Self.bytes("(6, 1)")), ("a.npy", Self.bytes("(6, 1)")),
    ])
    let columns = try #require(try columns(archive, for: [Self.features(1, "a"), Self.token]))
    #expect(columns.map(\.values) == [Self.steps, Self.idSteps])
    #expect(columns.map(\.isArray) == [true, true])
  }

  /// A single one may have been given no name, but none that is another's.
  @Test func namesOfASingleArray() throws {
    func archive(_ names: String...) -> [UInt8] {
      zipArchive(of: names.map { ("\($0).npy", Self.bytes("(6,)")) })
    }
    for name in ["x", "arr_0"] {
      #expect(try columns(archive(name))?.map(\.values) == [[.features(Self.six)]])
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
    guard case .columns(let columns, nil, nil) = try content(array) else {
      Issue.record("no array, or with options")
      return
    }
    #expect(columns.map(\.values) == [[.features([1, -2.5])]])
    guard case .columns(_, .all, 3) = try content(array, outputs: .all, horizon: 3) else {
      Issue.record("no array, or without options")
      return
    }
  }

  /// An array asks what the same numbers in JSON ask.
  @Test func arraysAskWhatJSONAsks() throws {
    let model = OfflineModel(try BundledModel.graph())
    let numbers = [360.25, 361.5, 362] as [Float]
    let data = numbers.flatMap { number in
      (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * $0)) }
    }
    let inputs = model.graph.model.description.inputs
    for (shape, json, outputs, horizon) in [
      ("(3,)", "[360.25,361.5,362]", nil, nil), ("(1, 3)", "[[360.25,361.5,362]]", nil, 5),
      ("(3, 1)", "[360.25,361.5,362]", .all, nil),
    ] as [(String, String, Selection.Steps?, Int?)] {
      let input = try QuestionInput(
        NPYFileTests.file(NPYFileTests.header("<f4", shape), data), path: "x.npy", inputs: inputs,
        outputs: outputs, horizon: horizon)
      let question = try model.question(in: input)
      let predictions = try model.predictions(for: Sample(question, origin: "x.npy"))
      let body =
        "{\"inputs\":\(json)" + (outputs == nil ? "" : ",\"outputs\":\"all\"")
        + (horizon.map { ",\"horizon\":\($0)" } ?? "") + "}"
      let expected = model.answer(to: Array(body.utf8))
      #expect(expected.status == .ok)
      #expect(try model.answerText(to: question, predictions) == expected.body)
    }
    // And what is refused in JSON is refused.
    for (outputs, horizon) in [(.all, 2), (nil, Int.max)] as [(Selection.Steps?, Int?)] {
      let input = try QuestionInput(
        array, path: "x.npy", inputs: inputs, outputs: outputs, horizon: horizon)
      #expect(throws: CarouselError.self) { try model.question(in: input) }
    }
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
    #expect(throws: CarouselError.notAnInput(path: "x.npz", kind)) { try content(bytes) }
  }

  /// Text is JSON, or refused as what it is, whatever else its first bytes look like.
  @Test(arguments: [#"{"abTFL3": 1}"#, "\n {}", "a,b", "{\u{1}"])
  func textIsForTheReaderOfJSON(body: String) throws {
    #expect(try text(Array(body.utf8)) == body)
  }

  @Test func errorsSayWhereTheInputComesFrom() throws {
    #expect(
      refusal(Array(array.dropLast(8)))
        == .numPy(
          .npy(
            offset: array.count - 8,
            problem: .truncated(expected: array.count, found: array.count - 8))))
    let nan = NPYFileTests.file(NPYFileTests.float, [0, 0, 0xC0, 0x7F, 0, 0, 0, 0])
    #expect(
      refusal(nan, origin: "x.npz, of shape (2,)")
        == .numPy(.npy(offset: nan.count - 8, problem: .notFinite(element: 0))))
    #expect(
      refusal(Array("PK\u{3}\u{4}".utf8)) == .numPy(.npz(entry: nil, problem: .zip(.noDirectory))))
    #expect(
      refusal(Self.bytes("(1, 3, 2)"), origin: "x.npz, of shape (1, 3, 2)")
        == .arrayShape(
          input: "x", found: [1, 3, 2], expected: [[nil, 1], [nil], [nil, nil, 1], [nil, nil]]))
    let model = OfflineModel(try BundledModel.graph())
    for (bytes, path, sentence) in [
      (Array("{}".utf8), "a.json", "a.json: inputs is missing"),
      ([], "-", "standard input: the body is empty"),
    ] {
      let input = try QuestionInput(bytes, path: path, inputs: [Self.features(1)])
      #expect {
        try model.question(in: input)
      } throws: {
        "\($0)".hasPrefix(sentence)
      }
    }
  }

  @Test func optionsThatJSONHoldsAlready() {
    #expect(throws: ValidationError.self) { try content(Array("{}".utf8), horizon: 3) }
  }

  /// What starts with a byte order mark is text, which the reader of JSON refuses by that name.
  @Test(arguments: [[0xEF, 0xBB, 0xBF], [0xFF, 0xFE], [0xFE, 0xFF]] as [[UInt8]])
  func textOfAnotherEncodingIsNoArchive(mark: [UInt8]) throws {
    let bytes = mark + Array("{}".utf8)
    guard case .json(let json) = try content(bytes) else {
      Issue.record("no JSON")
      return
    }
    #expect(json == bytes)
  }
}
