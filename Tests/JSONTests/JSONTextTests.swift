import Testing

@testable import JSON

@Suite struct JSONTextTests {
  @Test(arguments: ["", "a\"b\\c\n\r\t\u{1}\u{1F}é😀", "\u{7F}\u{2028}"])
  func writtenTextReadsBack(text: String) throws {
    #expect(try JSONParser.parse(Array(text.jsonText.utf8)) == .string(text))
    #expect(text.jsonText.unicodeScalars.allSatisfy { $0.isPrintable })
    #expect(text.printable.unicodeScalars.allSatisfy { $0.isPrintable })
  }
  /// Both ways in which strings are written escape alike; text for people has more to escape.
  @Test func escapesAlike() {
    for unit in UInt32(0)..<0x3000 {
      guard let scalar = Unicode.Scalar(unit) else { continue }
      var writer = JSONWriter()
      writer.string(String(scalar))
      let written = String(decoding: writer.bytes, as: UTF8.self)
      if unit < 0x20 || scalar.isPrintable {
        #expect(String(scalar).jsonText == written)
      } else {
        #expect(written == "\"\(scalar)\"")
      }
    }
    #expect(
      "\u{1}\u{1F}\u{7F}\u{9F}\u{2028}\u{202E}".jsonText
        == #""\u0001\u001f\u007f\u009f\u2028\u202e""#)
    #expect("a\u{1B}[2J\n".printable == #"a\u001b[2J\n"#)
  }

  @Test func longTextIsCutShort() {
    func text(_ count: Int) -> String { String(repeating: "é", count: count) }
    for count in [0, 79, 80] { #expect(text(count).jsonExcerpt == "\"\(text(count))\"") }
    #expect(text(81).jsonExcerpt == "\"\(text(80))…\"")
  }

  @Test func hexadecimal() {
    #expect(
      (0...255).map { UInt8($0).hexadecimal() }
        == (0...255).map {
          ($0 < 16 ? "0" : "") + String($0, radix: 16)
        })
    #expect([0x0A, 0xBC].hexadecimal(separator: " ", uppercase: true) == "0A BC")
    #expect("0123456789abcdef".utf8.map(\.hexadecimalValue) == Array(0..<16))
    #expect("ABCDEF".utf8.map(\.hexadecimalValue) == [10, 11, 12, 13, 14, 15])
    #expect("/:@G`g".utf8.allSatisfy { $0.hexadecimalValue == nil })
  }
}
