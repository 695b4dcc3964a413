import ModelFormat
import Serving
import Testing

@testable import NumPyFormat
@testable import carousel

@Suite struct NPYFileTests {
  static let float = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
  static let twoFloats: [UInt8] = [0, 0, 0x80, 0x3F, 0, 0, 0x20, 0xC0]  // 1, -2.5

  /// A file as NumPy writes it; the header is not padded, which the format leaves open.
  static func file(
    _ header: String, _ data: [UInt8], version: UInt8 = 1, minor: UInt8 = 0, length: Int? = nil
  ) -> [UInt8] {
    let length = length ?? header.utf8.count
    let lengthBytes = (0..<(version == 1 ? 2 : 4)).map {
      UInt8(truncatingIfNeeded: length >> ($0 * 8))
    }
    return [0x93] + Array("NUMPY".utf8) + [version, minor] + lengthBytes + Array(header.utf8) + data
  }

  static func header(_ type: String, _ shape: String, fortran: String = "False") -> String {
    "{'descr': '\(type)', 'fortran_order': \(fortran), 'shape': \(shape), }          \n"
  }

  @Test(arguments: [1, 2, 3] as [UInt8])
  func everyVersion(version: UInt8) throws {
    let file = try NPYFile(Self.file(Self.float, Self.twoFloats, version: version))
    #expect(file.header == (try NPYFile(Self.file(Self.float, Self.twoFloats)).header))
    #expect(file.json == "[1.0,-2.5]")
  }

  @Test(arguments: [
    ("<f2", [0x00, 0x3C, 0x00, 0xC1], "[1.0,-2.5]"),
    ("<f4", twoFloats, "[1.0,-2.5]"),
    ("<f8", [0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0x04, 0xC0], "[1.0,-2.5]"),
    ("<i4", [7, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF], "[7,-1]"),
    (
      "<i8", [0, 0, 0, 0, 1, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
      "[4294967296,-2]"
    ),
  ])
  func everyElementType(type: String, data: [UInt8], json: String) throws {
    #expect(try NPYFile(Self.file(Self.header(type, "(2,)"), data)).json == json)
  }

  @Test(arguments: [
    ("()", 1, "0"), ("(1,)", 1, "[0]"), ("(2, 3)", 6, "[[0,0,0],[0,0,0]]"),
    ("(1, 2, 1)", 2, "[[[0],[0]]]"),
  ])
  func shapes(shape: String, count: Int, json: String) throws {
    let data = [UInt8](repeating: 0, count: count * 4)
    #expect(try NPYFile(Self.file(Self.header("<i4", shape), data)).json == json)
  }

  /// Also one whose bytes a number holds, but not with those of the header.
  @Test(arguments: ["(4611686018427387903, 1)", "(4611686018427387904, 4)"])
  func aShapeIsTooLarge(shape: String) {
    #expect {
      try NPYFile(Self.file(Self.header("<f2", shape), []))
    } throws: {
      guard case .npy(_, .shapeTooLarge)? = $0 as? NumPyError else { return false }
      return true
    }
  }

  @Test func floatsKeepTheirShortestText() throws {
    let bits = Float(0.1).bitPattern
    let data = (0..<4).map { UInt8(truncatingIfNeeded: bits >> ($0 * 8)) }
    #expect(try NPYFile(Self.file(Self.header("<f4", "(1,)"), data)).json == "[0.1]")
  }

  /// Every width and sign.
  @Test(
    arguments: [
      ("|b1", [0, 1], "[0,1]"), ("|u1", [0, 255], "[0,255]"), ("|i1", [127, 128], "[127,-128]"),
      ("<u2", [1, 2, 0xFF, 0xFF], "[513,65535]"), ("<i2", [1, 2, 0xFE, 0xFF], "[513,-2]"),
      ("<u4", [0, 0, 0, 0x80, 1, 0, 0, 0], "[2147483648,1]"),
      (
        "<u8", [UInt8](repeating: 0xFF, count: 8) + [1, 0, 0, 0, 0, 0, 0, 0],
        "[18446744073709551615,1]"
      ),
    ] as [(String, [UInt8], String)])
  func everyOtherElementType(type: String, data: [UInt8], json: String) throws {
    #expect(try NPYFile(Self.file(Self.header(type, "(2,)"), data)).json == json)
  }

  @Test(arguments: [
    ("(2, 3)", "False", "[[0,1,2],[3,4,5]]"), ("(2, 3)", "True", "[[0,2,4],[1,3,5]]"),
    ("(1, 2, 3)", "True", "[[[0,2,4],[1,3,5]]]"),
    ("(3, 2, 1)", "True", "[[[0],[3]],[[1],[4]],[[2],[5]]]"),
    ("(6,)", "True", "[0,1,2,3,4,5]"),
  ])
  func everyOrderOfAxes(shape: String, fortran: String, json: String) throws {
    let header = Self.header("|u1", shape, fortran: fortran)
    #expect(try NPYFile(Self.file(header, [0, 1, 2, 3, 4, 5])).json == json)
  }

  @Test(arguments: ["False", "True"]) func theLastAxisMayBeLeftOut(fortran: String) throws {
    let header = Self.header("|u1", "(2, 3, 1)", fortran: fortran)
    let column = try NPYFile(Self.file(header, [0, 1, 2, 3, 4, 5])).column(for: Self.feature)
    #expect(column.isArray && column.isFlat)
    #expect(
      column.values
        == (fortran == "True"
          ? [.features([0, 2, 4]), .features([1, 3, 5])]
          : [.features([0, 1, 2]), .features([3, 4, 5])]))
  }

  static let feature = ModelDescription.Input(
    name: "x", kind: .features(size: 1, mean: nil, scale: nil))
  private static let token = ModelDescription.Input(
    name: "ids", kind: .tokens(size: 4, vocabulary: nil))

  /// An id is a whole number, also where a 32-bit float could not tell it from one.
  @Test(
    arguments: [
      ("<f8", [0x0D, 0x85, 0x2B, 0, 0, 0, 8, 0x40], false),
      ("<f8", [0, 0, 0, 0, 0, 0, 8, 0x40], true),
      ("<f4", [0, 0, 0x20, 0x40], false), ("<f4", [0, 0, 0x40, 0x40], true),
      ("<f2", [0, 0x41], false), ("<f2", [0, 0x42], true),
    ] as [(String, [UInt8], Bool)])
  func idsAreWhole(type: String, data: [UInt8], isWhole: Bool) throws {
    let file = try NPYFile(Self.file(Self.header(type, "(1,)"), data))
    #expect((try? file.column(for: Self.token))?.values == (isWhole ? [.tokens([3])] : nil))
    #expect(file.json.hasPrefix(isWhole ? "[3.0]" : type == "<f8" ? "[3.0000" : "[2.5]"))
  }

  /// Of an array in Fortran's order, the element is named by its place in the file.
  @Test(arguments: [("False", 1), ("True", 2)])
  func idsAreOfTheVocabulary(fortran: String, place: Int) throws {
    let header = Self.header("|u1", "(2, 2)", fortran: fortran)
    var data: [UInt8] = [0, 0, 0, 0]
    data[place] = 4
    let file = try NPYFile(Self.file(header, data))
    #expect(
      throws: CarouselError.numPy(
        .npy(
          offset: 10 + header.utf8.count + place,
          problem: .tokenRange(element: place, found: 4, size: 4)))
    ) { try file.column(for: Self.token) }
  }

  @Test func otherShapesAreRefused() throws {
    let header = Self.header("|u1", "(1, 2, 2)")
    let file = try NPYFile(Self.file(header, [0, 1, 2, 3]))
    #expect(
      throws: CarouselError.arrayShape(
        input: "x", found: [1, 2, 2], expected: [[nil, 1], [nil], [nil, nil, 1], [nil, nil]])
    ) { try file.column(for: Self.feature) }
    #expect(
      "\(CarouselError.arrayShape(input: "x", found: [2, 2], expected: [[nil], [nil, 3]]))"
        == #"found an array of shape (2, 2), expected (n,) or (n, 3) for input "x""#)
  }

  @Test func infinityIsRefused() throws {
    let header = Self.header("<f4", "(2,)")
    let file = try NPYFile(Self.file(header, [0, 0, 0, 0, 0, 0, 0x80, 0x7F]))
    #expect(
      throws: CarouselError.numPy(
        .npy(offset: 10 + header.utf8.count + 4, problem: .notFinite(element: 1)))
    ) { try file.column(for: Self.feature) }
  }

  @Test func everyTruncationIsRefused() {
    let whole = Self.file(Self.float, Self.twoFloats)
    for count in 0..<whole.count {
      #expect(throws: NumPyError.self) { try NPYFile(Array(whole[..<count])) }
    }
  }

  @Test func bytesBehindTheDataAreRefused() {
    let whole = Self.file(Self.float, Self.twoFloats)
    #expect(throws: NumPyError.npy(offset: whole.count, problem: .trailingBytes(1))) {
      try NPYFile(whole + [0])
    }
  }

  @Test func headerLengthIsBounded() throws {
    let limit = NPYFile.maxHeaderBytes
    for length in [limit - 1, limit] {
      let padded = Self.float + String(repeating: " ", count: length - Self.float.utf8.count)
      #expect(try NPYFile(Self.file(padded, Self.twoFloats, version: 2)).header.shape == [2])
    }
    #expect(
      throws: NumPyError.npy(
        offset: 8, problem: .headerTooLong(bytes: limit + 1, limit: limit))
    ) { try NPYFile(Self.file(Self.float, Self.twoFloats, version: 2, length: limit + 1)) }
  }

  @Test func otherVersionsAreRefused() {
    for (major, minor) in [(0, 0), (1, 1), (4, 0)] as [(UInt8, UInt8)] {
      #expect(
        throws: NumPyError.npy(offset: 6, problem: .version(major: major, minor: minor))
      ) {
        try NPYFile(Self.file(Self.float, Self.twoFloats, version: major, minor: minor))
      }
    }
  }

  @Test func otherFilesAreNotTaken() {
    #expect(!NPYFile.isNPY(Array("{\"inputs\": []}".utf8)))
    #expect(!NPYFile.isNPY([0x93]))
    #expect(NPYFile.isNPY(Self.file(Self.float, [])))
  }
}

extension NPYFile {
  /// The array as nested JSON arrays, each number as its type has it.
  var json: String { tensor.json }
}

extension Tensor {
  fileprivate var json: String {
    guard shape.isEmpty else { return "[\(slices.map(\.json).joined(separator: ","))]" }
    return switch number(0) {
    case .natural(let value): "\(value)"
    case .whole(let value): "\(value)"
    case .float(let value): "\(value)"
    case .double(let value): "\(value)"
    }
  }
}
