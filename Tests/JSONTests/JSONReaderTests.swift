import CSimdJSON
import TestSupport
import Testing

@testable import JSON

@Suite struct JSONReaderTests {
  let pool = JSONReaderPool()

  func read(_ body: String, maxDepth: Int = 8) throws(JSONReadError) -> JSONDocument {
    try pool.read(Array(body.utf8), maxDepth: maxDepth)
  }

  @Test func takesADocumentApart() throws {
    let document = try read(
      #" {"a": [[1, -2.5e1], [3]], "b\n": "é\u00e9\ud83d\ude00", "c": [null, true, false, {}, []], "d": 7e2} "#
    )
    #expect(
      document.nodes.map(\.kind) == [
        .object, .string, .array, .numbers, .numbers, .string, .string, .string, .array, .null,
        .true, .false, .object, .array, .string, .number,
      ])
    #expect(document.numbers == [1, -25, 3])
    #expect(document.count(0) == 4)
    #expect(document.count(2) == 2)
    #expect(document.next(2) == 5)
    #expect(document.range(3) == 0..<2)
    #expect(document.range(4) == 2..<3)
    #expect(document.string(5) == "b\n")
    #expect(document.string(6) == "éé😀")
    #expect(document.count(8) == 5)
    #expect(document.next(8) == 14)
    #expect(document.number(15) == 700)
  }

  @Test(arguments: [
    ("", JSONReadError.empty),
    (" \n\t ", .empty),
    ("7", .notObject(found: "7")),
    ("\"a\"", .notObject(found: "\"a\"")),
    ("[1]", .notObject(found: "[")),
    ("<xml>", .notObject(found: "<xml>")),
    (#"{"a":"#, .incomplete(offset: 5)),
    (#"{"inputs":[1"#, .incomplete(offset: 12)),
    (#"{"inputs":[1]]"#, .syntax(offset: 13, path: "", found: "]")),
    (#"{"a":1,"\x":1}"#, .syntax(offset: 7, path: "", found: #""\x""#)),
    (#"{"a":[[1,2]"#, .incomplete(offset: 11)),
    (#"{"a":[1,2}"#, .syntax(offset: 9, path: "a[2]", found: "}")),
    (#"{"a":"b"#, .incomplete(offset: 7)),
    (#"{"a":[{}"#, .incomplete(offset: 8)),
    ("{\"a\":\"b\u{1}\"}", .controlCharacter),
    (#"{"a":1} x"#, .trailing(offset: 8, found: "x")),
    (#"{"a":"}\"","b":[{}]} ]"#, .trailing(offset: 21, found: "]")),
    (#"{"a":1}{"b":2}"#, .trailing(offset: 7, found: "{")),
    (#"{"a":01}"#, .syntax(offset: 5, path: "a", found: "01")),
    (#"{"a":[1,2.]}"#, .syntax(offset: 8, path: "a[1]", found: "2.")),
    (#"{"a":[[5],[+1]]}"#, .syntax(offset: 11, path: "a[1][0]", found: "+1")),
    (#"{"a":nul}"#, .syntax(offset: 5, path: "a", found: "nul")),
    (#"{"a":{"b":tru}}"#, .syntax(offset: 10, path: "a.b", found: "tru")),
    (#"{"a":"\x"}"#, .syntax(offset: 5, path: "a", found: #""\x""#)),
    (#"{"a":"\ud800"}"#, .syntax(offset: 5, path: "a", found: #""\ud800""#)),
    (#"{"a":[1,"b"]}"#, .mixed(path: "a[1]", found: #""b""#)),
    (#"{"a":[[1],[2,null,3]]}"#, .mixed(path: "a[1][1]", found: "null")),
    (#"{"a":[1,[2]]}"#, .mixed(path: "a[1]", found: "[")),
    (#"{"a":[[[1,2],[3,NaN]]]}"#, .notFinite(path: "a[0][1][1]", found: "NaN")),
    (#"{"a":[{},{"b":[0,[2]]}]}"#, .mixed(path: "a[1].b[1]", found: "[")),
    (
      #"{"a":[{},{"b":[[{"c":nul}]]}]}"#,
      .syntax(offset: 21, path: "a[1].b[0][0].c", found: "nul")
    ),
    (#"{"a":[Infinity]}"#, .notFinite(path: "a[0]", found: "Infinity")),
    (#"{"a":[0,-Infinity]}"#, .notFinite(path: "a[1]", found: "-Infinity")),
    (#"{"a":[1e999]}"#, .notFinite(path: "a[0]", found: "1e999")),
    (#"{"a":{"b":[0,-1e39]}}"#, .notFinite(path: "a.b[1]", found: "-1e39")),
    (#"{"a":nan}"#, .notFinite(path: "a", found: "nan")),
    ("{\"a\":[1\u{0}]}", .syntax(offset: 6, path: "a[0]", found: "1")),
  ])
  func refuses(body: String, error: JSONReadError) {
    #expect(throws: error) { try read(body) }
  }

  private static let zeros = String(repeating: "0", count: 400)
  private static let nines = String(repeating: "9", count: 400)

  /// Numbers of any length, as far as they are near to a double.
  @Test(
    arguments: [
      ("1e-\(nines)", 0), ("-0.5E-\(nines)", -0.0), ("0e\(nines)", 0),
      ("0.00e+9999999999999999999", 0), ("1e-9999999999999999999 ", 0), ("1e-5000", 0),
      ("0.\(zeros)1", 0), ("0.\(zeros)15e401", 1.5), ("25\(zeros)e-401", 2.5),
      ("1e\(zeros)2", 100),
    ] as [(String, Float)])
  func readsExtremes(text: String, expected: Float) throws {
    let document = try read(#"{"a":[\#(text)],"b":\#(text)}"#)
    #expect(document.numbers.map(\.bitPattern) == [expected.bitPattern])
    #expect(document.number(4) == Double(expected))
  }

  @Test(arguments: [
    nines, "1\(zeros)e-9", "0.\(zeros)1e800", "1e\(nines)", "1e9999999999999999999",
    "-1E18446744073709551616",
  ])
  func refusesWhatIsTooLarge(text: String) {
    let found = String(text.prefix(40))
    #expect(throws: JSONReadError.notFinite(path: "a[0]", found: found)) {
      try read(#"{"a":[\#(text)]}"#)
    }
  }

  @Test(
    arguments: [[0xFF], [0x7B, 0x22, 0xC3, 0x22, 0x3A, 0x31, 0x7D], [0xED, 0xA0, 0x80]] as [[UInt8]]
  )
  func refusesInvalidUTF8(body: [UInt8]) {
    #expect(throws: JSONReadError.invalidUTF8) { try pool.read(body, maxDepth: 8) }
  }

  @Test func limitsDepth() throws {
    func nested(_ depth: Int) -> String {
      #"{"a":"# + String(repeating: "[", count: depth - 1) + "1"
        + String(repeating: "]", count: depth - 1) + "}"
    }
    #expect(throws: Never.self) { try read(nested(3), maxDepth: 4) }
    #expect(throws: Never.self) { try read(nested(4), maxDepth: 4) }
    #expect(throws: JSONReadError.tooDeep(path: "a[0][0][0]", limit: 4)) {
      try read(nested(5), maxDepth: 4)
    }
    #expect(throws: JSONReadError.tooDeep(path: "a[0][0][0]", limit: 4)) {
      try read(nested(100_000), maxDepth: 4)
    }
  }

  @Test(
    arguments: [
      ("16777217", 16_777_216), ("16777219", 16_777_220), ("0.1", 0.1), ("-0", -0.0),
      ("3.4028235e38", .greatestFiniteMagnitude), ("3.40282356e38", .greatestFiniteMagnitude),
      ("1e-46", 0), ("-1e-400", -0.0), ("1.4e-45", .leastNonzeroMagnitude),
      ("0.7006492321624085354618e-45", 0), ("0.7006492321624085354619e-45", .leastNonzeroMagnitude),
      // A double half way between two floats, and decimals that round to it from either side.
      ("1.00000005960464477539062500", 1), ("1.00000005960464477539062501", 1.000_000_1),
      ("1.00000017881393432617187499", 1.000_000_1), ("1.00000017881393432617187500", 1.000_000_2),
    ] as [(String, Float)])
  func roundsOnce(text: String, nearest: Float) throws {
    let document = try read(#"{"a":[\#(text)]}"#)
    #expect(document.numbers.map(\.bitPattern) == [nearest.bitPattern])
  }

  @Test func readsBackEveryFloatItself() throws {
    var noise = SeededNumbers(state: 3)
    let values = (0..<20_000).map { _ in Float(bitPattern: noise.next()) }.filter(\.isFinite)
    let text = values.map(\.description).joined(separator: ",")
    #expect(
      try read(#"{"a":[\#(text)]}"#).numbers.map(\.bitPattern) == values.map(\.bitPattern))
  }

  /// Short decimals are read another way than long ones; both ways give the nearest float.
  @Test func readsDecimalsOfAnyLength() throws {
    var noise = SeededNumbers(state: 5)
    func digits(_ count: UInt64) -> String {
      (0..<count).map { _ in String(noise.next() % 10) }.joined()
    }
    let texts = (0..<20_000).map { _ in
      let sign = noise.next() % 2 == 0 ? "-" : ""
      let whole = String(UInt64(digits(1 + UInt64(noise.next()) % 10)) ?? 0)
      let fraction = noise.next() % 4 == 0 ? "" : "." + digits(1 + UInt64(noise.next()) % 10)
      return sign + whole + fraction
    }
    for start in stride(from: 0, to: texts.count, by: 8) {
      let some = texts[start..<start + 8]
      let document = try read(#"{"a": [ \#(some.joined(separator: " , ")) ] }"#)
      #expect(document.numbers.map(\.bitPattern) == some.map { Float($0)?.bitPattern })
      #expect(document.count(2) == 8)
    }
  }

  @Test(arguments: [
    "01", "-01", "1.", "-", "-.5", ".5", "+1", "1 2", "1_0", "1.5x", "1..2", "0x1", "--1", "1,",
    ",1",
  ])
  func refusesWhatLooksLikeAShortNumber(text: String) {
    #expect(throws: JSONReadError.self) { try read(#"{"a":[\#(text)]}"#) }
    #expect(throws: JSONReadError.self) { try read(#"{"a":[1.5,\#(text)]}"#) }
    #expect(throws: JSONReadError.self) { try read(#"{"a":\#(text)}"#) }
  }

  @Test func readersForgetEarlierDocuments() throws {
    #expect(throws: JSONReadError.self) { try read(#"{"abc":[[1,2],["x",NaN]]}"#) }
    let large = #"{"a":["# + String(repeating: "1,", count: 200_000) + "1]}"
    #expect(try read(large).numbers.count == 200_001)
    let small = try read(#"{"b":[2]}"#)
    #expect(small.nodes.count == 3)
    #expect(small.numbers == [2])
    #expect(small.text == Array("b".utf8))
  }

  /// Whatever the bytes, the reader returns a document whose nodes stay within it, or an error.
  @Test func survivesMutations() {
    var noise = SeededNumbers(state: 1)
    let bodies = [
      #"{"inputs": [[1.5,2,-3e4],[4,5,6]], "model": "co2", "horizon": 12}"#,
      #"{"inputs":{"a":[[1],[2]],"b":["x\n","y"]},"t":true,"n":null,"e":[],"o":{}}"#,
      #"{"inputs":"In the beginning","outputs":"all"}"#,
    ].map { Array($0.utf8) }
    let fragments = [
      "{", "}", "[", "]", ",", ":", "\"", "\\", "1e999", "NaN", "\u{0}", "[[", "null",
    ]
    var documents = 0
    for _ in 0..<20_000 {
      var body = bodies[Int(noise.next() % 3)]
      for _ in 0...noise.next() % 3 {
        let place = Int(noise.next()) % (body.count + 1)
        switch noise.next() % 4 {
        case 0 where place < body.count: body[place] = UInt8(truncatingIfNeeded: noise.next())
        case 1 where place < body.count: body.remove(at: place)
        case 2: body.removeLast(body.count - place)
        default:
          body.insert(contentsOf: fragments[Int(noise.next()) % fragments.count].utf8, at: place)
        }
      }
      guard let document = try? pool.read(body, maxDepth: 6) else { continue }
      documents += 1
      var node = 0
      while node < document.nodes.count {
        switch document.kind(node) {
        case .numbers: #expect(document.range(node).upperBound <= document.numbers.count)
        case .string: #expect(document.bytes(node).count == document.count(node))
        case .array, .object: #expect(document.next(node) <= document.nodes.count)
        case .null, .true, .false, .number: break
        }
        node += 1
      }
    }
    #expect(documents > 100)
  }

  /// Whole numbers that a double holds exactly are told as such, others by their digits: n − 1, n and n + 1.
  @Test(arguments: [-1, 0, 1]) func largeNumbersKeepTheirDigits(offset: Int) throws {
    let number = (1 << 53) + offset
    for sign in ["", "-"] {
      let document = try JSONReaderPool().read(Array("{\"a\":\(sign)\(number)}".utf8), maxDepth: 4)
      let found = try JSONMembers<JSONMemberError>(["a"], others: .refused, of: document)["a"].map(
        document.found)
      let value = Double(sign == "-" ? -number : number)
      #expect(found == (offset <= 0 ? .number(value) : .largeNumber("\(sign)\(number)")))
    }
  }
}
