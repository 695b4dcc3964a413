import JSON
import Serving
import Testing

@testable import API

@Suite struct BodyReaderTests {
  private func read(_ body: String) throws(Fault) -> JSONDocument {
    try BodyReader().read(Array(body.utf8))
  }

  @Test(
    arguments: [
      ([0x1F, 0x8B, 8, 0], .gzip), ([0xFF, 0xFE, 0x7B, 0], .otherUnicode),
      ([0xFE, 0xFF, 0, 0x7B], .otherUnicode), ([0x7B, 0, 0x7D, 0], .otherUnicode),
      ([0, 0x7B, 0, 0x7D], .otherUnicode), ([0xEF, 0xBB, 0xBF, 0x7B, 0x7D], .byteOrderMark),
      ([0x93] + Array("NUMPY".utf8) + [1, 0], .foreign(.npy)),
      ([0x80, 5, 0x95, 1], .foreign(.pickle)), (Array("PK\u{3}\u{4}".utf8), .foreign(.zip)),
      (Array("PAR1\u{15}".utf8), .foreign(.parquet)),
      (Array("<!DOCTYPE html>".utf8), .foreign(.html)),
      (
        Array("RIFF".utf8) + [0x24, 8, 0, 0, 0x57],
        .binary(head: [0x52, 0x49, 0x46, 0x46, 0x24, 8, 0, 0])
      ),
      ([1], .binary(head: [1])),
      (
        Array("--x\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n{}\r\n--x--\r\n".utf8),
        .form
      ),
    ] as [([UInt8], BodyError.OtherFormat)])
  func knowsForeignBodies(body: [UInt8], format: BodyError.OtherFormat) {
    #expect(throws: Fault(BodyError.otherFormat(format))) { try BodyReader().read(body) }
  }

  /// What starts as an object is told by its syntax, whatever else its first bytes look like.
  @Test func anObjectIsNoForeignBody() throws {
    #expect(try read(#"{"abTFL3":1}"#).count(0) == 1)
    #expect(throws: Fault(BodyError.unreadable(.syntax(offset: 10, path: "", found: "1")))) {
      try read(#"{"abTFL3" 1}"#)
    }
    #expect(throws: Fault(BodyError.unreadable(.controlCharacter))) { try read("\n {\"\u{1}\":1}") }
  }

  /// A sentence says what it is, what was expected, and what to do.
  @Test(arguments: [
    ("\u{1}", ["is no text", "bytes 01,", "expected {"]),
    ("--x\r\ncontent-disposition: form-data", ["form", "curl -d @FILE"]),
    ("PAR1\u{0}", ["a Parquet file", #"{"inputs": pandas.read_parquet('FILE')"#]),
    ("PK\u{5}\u{6}", ["a zip archive", #"expected {"inputs": …}"#, "unpack it"]),
    ("date,ppm", [#"it starts with "date""#, #"{"inputs": …}"#, #"{"prompt": …}"#]),
    ("", ["the body is empty", #"{"inputs": …}"#, #"{"prompt": …}"#]),
    ("{'inputs': [1]}", ["\"'inputs'\" at byte 1", "expected double quotes"]),
    (#"{"stream": True}"#, [#""True" at byte 11"#, "expected true"]),
    (#"{"model": None}"#, [#""None""#, "expected null"]),
  ])
  func sentences(body: String, parts: [String]) {
    #expect {
      try read(body)
    } throws: { error in
      let sentence = "\(error)"
      return parts.allSatisfy { sentence.contains($0) }
    }
  }

  /// Each error of reading is one of the service's, with all that it says.
  @Test(arguments: [
    (#"{"a":"#, Fault(BodyError.unreadable(.incomplete(offset: 5)))),
    (#"{"inputs":[1]]"#, Fault(BodyError.unreadable(.syntax(offset: 13, path: "", found: "]")))),
    (#"{"a":nul}"#, Fault(BodyError.unreadable(.syntax(offset: 5, path: "a", found: "nul")))),
    (#"{"a":1} x"#, Fault(BodyError.unreadable(.trailing(offset: 8, found: "x")))),
    ("7", Fault(BodyError.unreadable(.notObject(found: "7")))),
    (" ", Fault(BodyError.unreadable(.empty))),
    (#"{"a":[1,"b"]}"#, Fault(BodyError.unreadable(.mixed(path: "a[1]", found: #""b""#)))),
    (#"{"a":[1e999]}"#, Fault(BodyError.unreadable(.notFinite(path: "a[0]", found: "1e999")))),
    (
      #"{"a":[[[[[[[[1]]]]]]]]}"#,
      Fault(BodyError.unreadable(.tooDeep(path: "a[0][0][0][0][0][0][0]", limit: 8)))
    ),
  ])
  func refuses(body: String, error: Fault) {
    #expect(throws: error) { try read(body) }
  }
}
