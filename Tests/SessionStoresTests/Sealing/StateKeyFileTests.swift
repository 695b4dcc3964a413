import Testing

@testable import SessionStores

@Suite struct StateKeyFileTests {
  private static let digits = String(repeating: "0f", count: 32)
  private static let base64 = "Dw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8="

  @Test func reads() throws {
    let keys = try StateKey.keys(
      in: "# ours\n\n2026-10 \(Self.digits)\r\n  old.key_1\t\(Self.base64)  \n")
    #expect(keys.map(\.name) == ["2026-10", "old.key_1"])
    for key in keys { #expect(key.bytes == [UInt8](repeating: 15, count: 32)) }
  }

  @Test(arguments: [
    ("", StateKeyFileError.count(0)),
    ("# nothing", .count(0)),
    ("a", .words(line: 1, found: 1)),
    ("\na \(digits) b", .words(line: 2, found: 3)),
    ("a/b \(digits)", .name(line: 1)),
    ("\(String(repeating: "n", count: 33)) \(digits)", .name(line: 1)),
    ("a \(digits.dropLast())", .key(line: 1, name: "a")),
    ("a \(digits)00", .key(line: 1, name: "a")),
    ("a \(digits.dropLast())g", .key(line: 1, name: "a")),
    ("a \(digits.dropLast(2))+1", .key(line: 1, name: "a")),
    ("a \(base64.dropLast())", .key(line: 1, name: "a")),
    ("a Dw8=", .key(line: 1, name: "a")),
    ("a \(digits)\na \(digits)", .twice(line: 2, name: "a")),
  ])
  func refuses(text: String, error: StateKeyFileError) {
    #expect(throws: error) { try StateKey.keys(in: text) }
    // A key is no part of a sentence that is logged.
    #expect(!"\(error)".contains("0f0f") && !"\(error)".contains("Dw8"))
  }

  @Test(arguments: [100, 101])
  func hasABound(count: Int) throws {
    let text = (0..<count).map { "k\($0) \(Self.digits)\n" }.joined()
    if count <= StateKey.maxCount {
      #expect(try StateKey.keys(in: text).count == count)
    } else {
      #expect(throws: StateKeyFileError.count(count)) { try StateKey.keys(in: text) }
    }
  }
}
