import FoundationEssentials
import TestSupport
import Testing

@testable import ModelImport

/// Files that are cut off, changed or made to do harm: each is read, or refused with where and why; none takes long or much memory.
@Suite struct ONNXDamageTests {
  private static let files = [
    "tagger_script", "tagger_dynamo", "lstm_peepholes", "frames_script", "heads_dynamo",
    "packed_script",
  ]

  private static func bytes(_ name: String) throws -> [UInt8] {
    try SourceFile(path: Fixtures.path("onnx_imports/\(name)/model.onnx")).bytes
  }

  private static func read(_ bytes: [UInt8]) throws(ImportError) {
    let graph = try SourceGraph(onnx: bytes, file: "damaged.onnx")
    _ = try GraphTranslation(graph).folder(named: "damaged")
  }

  @Test(arguments: files)
  func cutOff(name: String) throws {
    let bytes = try Self.bytes(name)
    for length in stride(from: 0, to: bytes.count, by: max(bytes.count / 200, 1)) {
      #expect(throws: ImportError.self) { try Self.read(Array(bytes[..<length])) }
    }
  }

  /// Bytes that are changed, removed, doubled: whatever comes of it is a folder or an error.
  @Test(arguments: files)
  func changed(name: String) throws {
    let original = try Self.bytes(name)
    var numbers = Generator()
    var refused = 0
    for _ in 0..<300 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &numbers) {
        let at = Int.random(in: 0..<bytes.count, using: &numbers)
        switch Int.random(in: 0..<4, using: &numbers) {
        case 0: bytes[at] = UInt8.random(in: 0...255, using: &numbers)
        case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
        case 2: bytes.remove(at: at)
        default: bytes.insert(contentsOf: bytes[at..<min(at + 9, bytes.count)], at: at)
        }
      }
      do throws(ImportError) { try Self.read(bytes) } catch {
        refused += 1
        #expect(!error.problem.isEmpty)
      }
    }
    #expect(refused > 0)
  }

  /// The same numbers each time.
  private struct Generator: RandomNumberGenerator {
    var numbers = SeededNumbers(state: 7)

    mutating func next() -> UInt64 { UInt64(numbers.next()) << 32 | UInt64(numbers.next()) }
  }

  @Test func errorsSayWhere() throws {
    let bytes = try Self.bytes("tagger_script")
    do throws(ImportError) {
      try Self.read(Array(bytes.prefix(bytes.count / 2)))
      Issue.record("half of a file was read")
    } catch { #expect(error.place?.hasPrefix("byte ") == true) }
  }

  // MARK: Made by hand

  /// A field of bytes.
  private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    var length: [UInt8] = []
    var rest = bytes.count
    repeat {
      length.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
      rest >>= 7
    } while rest > 0
    return [number << 3 | 2] + length + bytes
  }

  private static func field(_ number: UInt8, _ text: String) -> [UInt8] {
    field(number, Array(text.utf8))
  }

  private static func field(_ number: UInt8, _ value: UInt8) -> [UInt8] { [number << 3, value] }

  private static func node(
    _ op: String, _ inputs: [String], _ outputs: [String], _ attributes: [UInt8] = []
  ) -> [UInt8] {
    field(
      1,
      inputs.flatMap { field(1, $0) } + outputs.flatMap { field(2, $0) } + field(4, op) + attributes
    )
  }

  /// A float input [batch, steps, 3].
  private static func input(_ name: String) -> [UInt8] {
    let axes = field(1, field(2, "b")) + field(1, field(2, "t")) + field(1, field(1, 3))
    return field(11, field(1, name) + field(2, field(1, field(1, 1) + field(2, axes))))
  }

  private static func output(_ name: String) -> [UInt8] { field(12, field(1, name)) }

  private static func model(_ graph: [UInt8]) -> [UInt8] {
    field(1, 8) + field(7, graph) + field(8, field(2, 17))
  }

  private static func constant(_ name: String, _ integers: [UInt8], dimensions: UInt8) -> [UInt8] {
    field(5, field(1, dimensions) + field(2, 7) + field(7, integers) + field(8, name))
  }

  private func refusal(_ graph: [UInt8]) -> ImportError? {
    do throws(ImportError) {
      try Self.read(Self.model(graph))
      return nil
    } catch { return error }
  }

  @Test func theSmallestModel() throws {
    #expect(refusal(Self.input("x") + Self.node("Relu", ["x"], ["y"]) + Self.output("y")) == nil)
  }

  @Test func cycles() throws {
    let graph =
      Self.input("x") + Self.node("Add", ["x", "b"], ["a"]) + Self.node("Relu", ["a"], ["b"])
      + Self.output("b")
    #expect(refusal(graph)?.place == "node \"a\" (Add)")
  }

  @Test func unknownOperators() throws {
    let graph = Self.input("x") + Self.node("Det", ["x"], ["y"]) + Self.output("y")
    let error = try #require(refusal(graph))
    #expect(error.place == "node \"y\" (Det)")
    #expect(error.problem.contains("Det"))
    #expect(error.remedy != nil)
  }

  @Test func hugeArraysAreNotMade() throws {
    // Eight bytes of varint: 2⁵⁵.
    let huge: [UInt8] = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]
    for op in ["ConstantOfShape", "Expand"] {
      let inputs = op == "Expand" ? ["x", "shape"] : ["shape"]
      let graph =
        Self.constant("shape", huge + huge, dimensions: 2) + Self.input("x")
        + Self.node(op, inputs, ["c"]) + Self.node("Add", ["x", "c"], ["y"]) + Self.output("y")
      #expect(refusal(graph) != nil)
    }
    let graph =
      Self.constant("a", [0], dimensions: 1) + Self.constant("z", huge, dimensions: 1)
      + Self.input("x") + Self.node("Range", ["a", "z", "z"], ["r"])
      + Self.node("Tile", ["x", "z"], ["c"]) + Self.output("c")
    #expect(refusal(graph) != nil)
  }

  @Test func deepGraphs() throws {
    var graph = Self.node("Relu", ["x"], ["y"]) + Self.output("y")
    for _ in 0..<200 {
      graph =
        Self.node(
          "If", ["c"], ["y"],
          Self.field(5, Self.field(1, "then_branch") + Self.field(6, graph) + Self.field(20, 5)))
        + Self.output("y")
    }
    #expect(refusal(Self.input("x") + graph)?.problem.contains("deep") == true)
  }

  @Test func weightsThatAreNotFinite() throws {
    let nan: [UInt8] = [0, 0, 0xC0, 0x7F]
    let tensor = Self.field(
      5, Self.field(1, 3) + Self.field(2, 1) + Self.field(9, nan + nan + nan) + Self.field(8, "w"))
    let graph = tensor + Self.input("x") + Self.node("Mul", ["x", "w"], ["y"]) + Self.output("y")
    #expect(refusal(graph)?.problem.contains("finite") == true)
  }

  /// External data stand beside the model, and nowhere else.
  @Test(arguments: ["../secret", "/etc/passwd", "a/../../b", ""])
  func externalDataElsewhere(location: String) throws {
    let entry = Self.field(13, Self.field(1, "location") + Self.field(2, location))
    let tensor = Self.field(
      5, Self.field(1, 3) + Self.field(2, 1) + entry + Self.field(14, 1) + Self.field(8, "w"))
    let graph = tensor + Self.input("x") + Self.node("Mul", ["x", "w"], ["y"]) + Self.output("y")
    #expect(refusal(graph)?.place?.contains("tensor") == true)
  }
}
