import Testing

@testable import ModelFormat

@Suite struct TensorFileTests {
  private static let one = #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#

  private static func header(_ fields: String) -> String { #"{"a":{\#(fields)}}"# }

  @Test func readsNamesShapesAndTypesOfAPyTorchFile() throws {
    let file = try TensorFile(path: fixture("torch/lastclf.safetensors"))
    #expect(file.names.first == "embedding.weight" && file.names.count == 7)
    #expect(file.shape(of: "lstm.weight_ih_l0") == [96, 16])
    #expect(file.dtype(of: "fc.bias") == .f32)
    #expect(file.shape(of: "nothing") == nil)
    // The bias as the ONNX export of the same model prints it.
    #expect(try file.floats("fc.bias")[0] == 0.030597252771258354)
  }

  @Test(arguments: [("tagger_f16", Float(1) / 2048), ("tagger_bf16", Float(1) / 256)])
  func halfPrecisionIsNearTheFull(name: String, relativeError: Float) throws {
    let full = try TensorFile(path: fixture("torch/tagger.safetensors"))
    let half = try TensorFile(path: fixture("torch/\(name).safetensors"))
    #expect(half.names == full.names)
    for tensor in full.names {
      for (a, b) in zip(try full.floats(tensor), try half.floats(tensor)) {
        #expect(abs(a - b) <= abs(a) * relativeError + 1e-7)
      }
    }
  }

  @Test(arguments: ["tagger", "proj", "lastclf"])
  func writesTheBytesThatPyTorchWrote(name: String) throws {
    let path = fixture("torch/\(name).safetensors")
    let file = try TensorFile(path: path)
    var tensors: [(name: String, shape: [Int], floats: [Float])] = []
    for name in file.names.shuffled() {
      tensors.append((name, try #require(file.shape(of: name)), try file.floats(name)))
    }
    let bytes = try TensorFile.serialize(tensors)
    #expect(try bytes == OpenFile(path: path).read())
  }

  @Test func writtenFileReadsBack() throws {
    let path = "/tmp/carousel-tensors-\(UInt64.random(in: 0 ... .max)).safetensors"
    defer { OpenFile.remove(path) }
    let values: [Float] = [0, -0.0, 1, -1.5, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
    try TensorFile.write(
      [("m\"\n", [2, 3], values), ("é", [], [7]), ("empty", [0, 4], [])], to: path)
    let file = try TensorFile(path: path)
    #expect(file.names == ["empty", "m\"\n", "é"])
    #expect(try file.floats("m\"\n").map(\.bitPattern) == values.map(\.bitPattern))
    #expect(try file.floats("é") == [7])
    #expect(try file.floats("empty") == [])
    #expect(file.shape(of: "é") == [])
  }

  @Test func writerRefusesWhatItCouldNotRead() {
    expectError(mentioning: ["\"a\"", "twice"]) {
      _ = try TensorFile.serialize([("a", [1], [1]), ("a", [1], [2])])
    }
    expectError(mentioning: ["\"a\"", "element 1", "nan"]) {
      _ = try TensorFile.serialize([("a", [2], [1, .nan])])
    }
  }

  @Test func readsMetadata() throws {
    let file = try TensorFile(bytes: tensorBytes(#"{"__metadata__":{"format":"pt"}}   "#))
    #expect(file.metadata == ["format": "pt"])
    #expect(file.names == [])
  }

  @Test(arguments: [
    ("F16", [UInt8]([0x00, 0x3C]), Float(1)), ("F16", [0x01, 0x00], 0x1p-24),
    ("BF16", [0x80, 0x3F], 1), ("F32", [0, 0, 0x80, 0x3F], 1),
    ("F64", [0, 0, 0, 0, 0, 0, 0xF0, 0xBF], -1),
  ])
  func convertsElement(type: String, bytes: [UInt8], expected: Float) throws {
    let header = Self.header(
      #""dtype":"\#(type)","shape":[1],"data_offsets":[0,\#(bytes.count)]"#)
    let file = try TensorFile(bytes: tensorBytes(header, data: bytes))
    #expect(try file.floats("a") == [expected])
  }

  @Test(arguments: [
    ("F16", [UInt8]([0, 0x7C]), "inf"), ("BF16", [0xC0, 0x7F], "nan"),
    ("F32", [0, 0, 0x80, 0xFF], "-inf"), ("F64", [0, 0, 0, 0, 0, 0, 0xF0, 0x7F], "inf"),
    ("F64", [0, 0, 0, 0, 0, 0, 0xF0, 0x47], "3.4028236692"),
  ])
  func refusesElementThatIsNoFiniteFloat(type: String, bytes: [UInt8], value: String) throws {
    let header = Self.header(
      #""dtype":"\#(type)","shape":[1],"data_offsets":[0,\#(bytes.count)]"#)
    let file = try TensorFile(bytes: tensorBytes(header, data: bytes))
    expectError(mentioning: ["\"a\"", "element 0", value]) { _ = try file.floats("a") }
  }

  @Test(arguments: ElementType.allCases)
  func knowsEveryType(type: ElementType) throws {
    let header = Self.header(
      #""dtype":"\#(type.rawValue)","shape":[4],"data_offsets":[0,\#(type.bits / 2)]"#)
    let bytes = [UInt8](repeating: 0, count: type.bits / 2)
    let file = try TensorFile(bytes: tensorBytes(header, data: bytes))
    #expect(file.dtype(of: "a") == type)
    if type.isConvertible {
      #expect(try file.floats("a") == [0, 0, 0, 0])
    } else {
      expectError(mentioning: ["\"a\"", type.rawValue]) { _ = try file.floats("a") }
    }
  }

  @Test func missingTensorIsNamed() throws {
    let file = try TensorFile(bytes: tensorBytes("{}"))
    expectError(mentioning: ["\"w\""]) { _ = try file.floats("w") }
  }

  @Test(arguments: [
    (#""dtype":"F32","shape":[2],"data_offsets":[0,4]"#, ["\"a\"", "takes 8", "hold 4"]),
    (#""dtype":"F32","shape":[2],"data_offsets":[8,0]"#, ["\"a\"", "[8, 0]"]),
    (
      #""dtype":"F32","shape":[2],"data_offsets":[0,8,9]"#, ["header.a.data_offsets", "array of 3"]
    ),
    (
      #""dtype":"F32","shape":[2],"data_offsets":[0,9223372036854775807]"#,
      ["\"a\"", "data_offsets"]
    ),
    (
      #""dtype":"F32","shape":[2],"data_offsets":[0,99999999999999999999]"#,
      ["header.a.data_offsets[1]"]
    ),
    (#""dtype":"F32","shape":[-2],"data_offsets":[0,8]"#, ["header.a.shape[0]", "-2"]),
    (#""dtype":"F32","shape":[2.0],"data_offsets":[0,8]"#, ["header.a.shape[0]", "2.0"]),
    (#""dtype":"F32","shape":2,"data_offsets":[0,8]"#, ["header.a.shape", "array"]),
    (#""dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]"#, ["\"a\"", "counted"]),
    (
      #""dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]"#,
      ["\"a\"", "counted"]
    ),
    (
      #""dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,8]"#,
      ["\"a\"", "4611686018427387904"]
    ),
    (#""dtype":"F4","shape":[3],"data_offsets":[0,1]"#, ["\"a\"", "F4", "[3]"]),
    (#""dtype":"F31","shape":[2],"data_offsets":[0,8]"#, ["header.a.dtype", "F31", "BF16"]),
    (#""dtype":32,"shape":[2],"data_offsets":[0,8]"#, ["header.a.dtype", "32"]),
    (#""shape":[2],"data_offsets":[0,8]"#, ["header.a.dtype", "nothing"]),
    (#""dtype":"F32","data_offsets":[0,8]"#, ["header.a.shape", "nothing"]),
    (#""dtype":"F32","shape":[2]"#, ["header.a.data_offsets", "nothing"]),
    (
      #""dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1"#,
      ["\"x\"", "dtype, shape, data_offsets"]
    ),
    (
      #""dtype":"F32","shape":[1],"data_offsets":[4,8]"#,
      ["\"a\"", "hole", "expected data offset 0", "found 4"]
    ),
    (#""dtype":"F32","shape":[1],"data_offsets":[0,4]"#, ["end at data offset 4", "8"]),
    (#""dtype":"F32","shape":[3],"data_offsets":[0,12]"#, ["\"a\"", "12", "8"]),
  ])
  func refusesEntry(fields: String, parts: [String]) {
    expectError(mentioning: parts) {
      let data = [UInt8](repeating: 0, count: 8)
      _ = try TensorFile(bytes: tensorBytes(Self.header(fields), data: data))
    }
  }

  @Test(arguments: [
    (
      #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#,
      ["\"b\"", "overlaps"]
    ),
    (
      #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#,
      ["\"a\"", "twice", "column 54"]
    ),
    ("[]", ["header", "object"]), ("", ["expected a value", "the end"]),
    (#"{"__metadata__":{"a":1}}"#, ["header.__metadata__.a", "string"]),
    ("{\"a\":\u{0}}", ["column 6", "byte 0"]),
  ])
  func refusesHeader(text: String, parts: [String]) {
    expectError(mentioning: parts) {
      _ = try TensorFile(bytes: tensorBytes(text, data: [0, 0, 0]))
    }
  }

  @Test func headerLengthIsBounded() {
    func bytes(claiming length: UInt64) -> [UInt8] {
      (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + [UInt8(ascii: "{")]
    }
    let limit = UInt64(ModelLimits.headerBytes)
    // One below and at the limit the file is too short for it; one above, the limit speaks first.
    for length in [limit - 1, limit] {
      expectError(mentioning: ["ends within the header", "\(length)", "found 1"]) {
        _ = try TensorFile(bytes: bytes(claiming: length))
      }
    }
    for length in [limit + 1, .max] {
      expectError(mentioning: ["header's length", "\(length)", "\(limit)"]) {
        _ = try TensorFile(bytes: bytes(claiming: length))
      }
    }
  }

  @Test func everyTruncationIsRefused() throws {
    let bytes = tensorBytes(Self.one, data: [UInt8](repeating: 0, count: 8))
    _ = try TensorFile(bytes: bytes)
    for count in 0..<bytes.count {
      #expect(throws: ModelError.self) { _ = try TensorFile(bytes: Array(bytes[..<count])) }
    }
    #expect(throws: ModelError.self) { _ = try TensorFile(bytes: bytes + [0]) }
  }

  /// Whatever the bytes, the result is an error or a file all of whose tensors can be asked for.
  @Test(arguments: [1, 2, 3, 4]) func mutationsNeverCrash(seed: UInt64) throws {
    var generator = SeededGenerator(state: seed)
    let source = tensorBytes(
      #"{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"F64","shape":[1,1],"data_offsets":[4,12]}}"#,
      data: (0..<12).map { UInt8($0) })
    let interesting = Array("0123456789-.eE\"\\{}[]:, nul\u{0}\u{7F}".utf8) + [0x80, 0xFF]
    var refused = 0
    for _ in 0..<5000 {
      var bytes = source
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let index = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[index] = interesting.randomElement(using: &generator)!
        case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 2: bytes.remove(at: index)
        default: bytes.insert(interesting.randomElement(using: &generator)!, at: index)
        }
      }
      do {
        let file = try TensorFile(bytes: bytes)
        for name in file.names {
          let count = try #require(file.shape(of: name)).reduce(1, *)
          if let floats = try? file.floats(name) { #expect(floats.count == count) }
        }
      } catch is ModelError {
        refused += 1
      }
    }
    #expect(refused > 1000)
  }

  @Test(arguments: [
    ("/nonexistent", "No such file"), ("/tmp", "not a regular"), ("/dev/zero", "not a regular"),
  ])
  func refusesPath(path: String, part: String) {
    expectError(mentioning: [path, part]) { _ = try TensorFile(path: path) }
  }
}
