import Testing

@testable import ModelFormat

/// A file under Tests/Fixtures, found from this source file.
func fixture(_ name: String) -> String {
  let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
  return "/\(tests)/Fixtures/\(name)"
}

/// The bytes of a safetensors file with that header text and data.
func tensorBytes(_ header: String, data: [UInt8] = []) -> [UInt8] {
  let count = UInt64(header.utf8.count)
  return (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + header.utf8 + data
}

/// A file of zero-filled F32 tensors.
func zeros(_ shapes: [String: [Int]]) throws -> TensorFile {
  let tensors = shapes.map {
    (name: $0.key, shape: $0.value, floats: [Float](repeating: 0, count: $0.value.reduce(1, *)))
  }
  return try TensorFile(bytes: TensorFile.serialize(tensors))
}

/// The error that `body` throws, which must mention all of `parts`.
func expectError(
  mentioning parts: [String], sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record(
      "no error, where one mentioning \(parts) was expected", sourceLocation: sourceLocation)
  } catch {
    for part in parts {
      #expect("\(error)".contains(part), sourceLocation: sourceLocation)
    }
  }
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
