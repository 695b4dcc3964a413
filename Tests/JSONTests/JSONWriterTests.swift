import TestSupport
import Testing

@testable import JSON

@Suite struct JSONWriterTests {
  func written(_ write: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    write(&writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test(arguments: [
    ("", #""""#), ("é😀", "\"é😀\""), ("\"\\/", #""\"\\/""#), ("\n\r\t", #""\n\r\t""#),
    ("\u{0}\u{1f}\u{7f}", "\"\\u0000\\u001f\u{7f}\""),
  ])
  func escapes(text: String, json: String) {
    #expect(written { $0.string(text) } == json)
  }

  @Test(
    arguments: [
      (0, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (0.1, "0.1"), (1.0 / 3, "0.33333334"),
      (1e20, "1e+20"), (1.5e-7, "1.5e-07"), (.greatestFiniteMagnitude, "3.4028235e+38"),
      (.leastNonzeroMagnitude, "1e-45"), (16_777_216, "16777216.0"),
    ] as [(Float, String)])
  func writesFloats(value: Float, text: String) {
    #expect(written { $0.float(value) } == text)
  }

  /// Every float is JSON and reads back as itself.
  @Test func floatsRoundTrip() throws {
    var noise = SeededNumbers(state: 2)
    let values = (0..<50_000).map { _ in Float(bitPattern: noise.next()) }.filter(\.isFinite)
    let json = written { $0.floats(values[...]) }
    let document = try JSONReaderPool().read(Array("{\"a\":\(json)}".utf8), maxDepth: 2)
    #expect(document.numbers.map(\.bitPattern) == values.map(\.bitPattern))
  }

  /// Of all magnitudes, of those of most answers, and around the bounds of the form without an exponent.
  @Test func floatsAreTheStandardLibrarysText() {
    var noise = SeededNumbers(state: 3)
    let bounds: [Float] = [1e-4, 16_777_216, 1, 10, 1e9, .leastNormalMagnitude]
    let values =
      (0..<50_000).map { _ in Float(bitPattern: noise.next()) }.filter(\.isFinite)
      + (0..<50_000).map { _ in Float(bitPattern: noise.next() % (16 << 23) + (115 << 23)) }
      + bounds.flatMap { [-$0, $0.nextDown, $0, $0.nextUp] }
    for value in values where written({ $0.float(value) }) != value.description {
      Issue.record("\(written { $0.float(value) }), expected \(value)")
    }
  }

  @Test func writesArrays() {
    #expect(written { $0.array([] as [Int]) { writer, value in writer.integer(value) } } == "[]")
    #expect(written { $0.array([1, -2]) { writer, value in writer.integer(value) } } == "[1,-2]")
    #expect(written { $0.optional(nil) } == "null")
    #expect(written { $0.boolean(true) } == "true")
  }
}
