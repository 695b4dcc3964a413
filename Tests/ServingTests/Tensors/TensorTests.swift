import Inference
import ModelFormat
import TestSupport
import Testing

@testable import Serving

@Suite struct TensorTests {
  private static let features1 = ModelDescription.Input.Kind.features(
    size: 1, mean: nil, scale: nil)
  private static let features3 = ModelDescription.Input.Kind.features(
    size: 3, mean: nil, scale: nil)
  private static let tokens = ModelDescription.Input.Kind.tokens(size: 9, vocabulary: nil)
  private static let vector2 = ModelDescription.Input.Kind.vector(size: 2)

  private static func counting(_ shape: [Int]) -> Tensor {
    let floats = (0..<shape.reduce(1, *)).map { Float($0) }
    return Tensor("x", shape: shape, .floats(floats, floats.indices))
  }

  /// What the axes are is a matter of the input.
  @Test(
    arguments: [
      ([6], features1, 1, nil, true), ([6, 1], features1, 1, nil, true),
      ([2, 3], features1, 2, 3, true), ([2, 3, 1], features1, 2, 3, true),
      ([1, 6], features1, 1, 6, true), ([6, 1, 1], features1, 6, 1, true),
      ([2, 3], features3, 1, nil, false), ([1, 2, 3], features3, 1, 6, false),
      ([2, 1, 3], features3, 2, 3, false), ([6], tokens, 1, nil, true),
      ([6, 1], tokens, 6, 1, true), ([2, 3, 1], tokens, 2, 3, false), ([2], vector2, 1, nil, true),
      ([3, 2], vector2, 3, 2, true),
    ] as [([Int], ModelDescription.Input.Kind, Int, Int?, Bool)])
  func shapesDecide(
    shape: [Int], input: ModelDescription.Input.Kind, count: Int, each: Int?, isFlat: Bool
  ) throws {
    let tensor = Self.counting(shape)
    let column = try tensor.column(of: input)
    #expect(column.isArray == (each != nil) && column.isFlat == isFlat)
    #expect(column.values.count == count)
    let numbers = column.values.flatMap { value in
      switch value {
      case .features(let floats), .vector(let floats): floats
      case .tokens(let ids): ids.map { Float($0) }
      }
    }
    #expect(numbers == (0..<tensor.count).map { Float($0) })
    if each == nil { #expect(try tensor.values(of: input) == column.values[0]) }
  }

  @Test(
    arguments: [
      ([], features1), ([2], features3), ([3, 2], features3), ([2, 3, 4], features3),
      ([1, 1, 2, 3], features3), ([2, 2, 2], tokens), ([3], vector2), ([2, 3], vector2),
      ([2, 3, 2], features1),
    ] as [([Int], ModelDescription.Input.Kind)])
  func otherShapes(shape: [Int], input: ModelDescription.Input.Kind) {
    let tensor = Self.counting(shape)
    #expect {
      try tensor.column(of: input)
    } throws: { error in
      guard case TensorError.shape(let found, let expected) = error else { return false }
      return found == shape && !expected.isEmpty
    }
  }

  /// The same numbers, whatever they are written as; every type's ends too.
  @Test(
    arguments: [
      (.bool, [0, 1, 7], [0, 1, 1]), (.uint8, [0, 255], [0, 255]),
      (.int8, [127, 128], [127, -128]), (.uint16, [1, 2, 0xFF, 0xFF], [513, 65535]),
      (.int16, [1, 2, 0xFE, 0xFF], [513, -2]), (.uint32, [0, 0, 0, 0x80], [0x1p31]),
      (.int32, [7, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF], [7, -1]),
      (.uint64, [UInt8](repeating: 0xFF, count: 8), [0x1p64]),
      (.int64, [0, 0, 0, 0, 1, 0, 0, 0], [0x1p32]), (.fp16, [0, 0x3C, 0, 0xC1], [1, -2.5]),
      (.fp32, [0, 0, 0x80, 0x3F, 0, 0, 0x20, 0xC0], [1, -2.5]),
      (.fp64, [0, 0, 0, 0, 0, 0, 0x04, 0xC0], [-2.5]),
    ] as [(TensorType, [UInt8], [Float])])
  func everyType(type: TensorType, bytes: [UInt8], floats: [Float]) throws {
    let tensor = try Tensor("x", type, shape: [floats.count], bytes: ([9] + bytes).dropFirst())
    #expect(tensor.type == type && tensor.count == floats.count)
    #expect(try tensor.floats() == floats)
    // Places in a slice count from its own beginning.
    #expect(try tensor.slices.map { try $0.floats() } == floats.map { [$0] })
  }

  @Test(arguments: TensorType.allCases) func bytesAreCounted(type: TensorType) throws {
    let size = 6 * type.byteCount
    for count in [size - 1, size, size + 1] {
      let bytes = [UInt8](repeating: 0, count: count)[...]
      if count == size {
        #expect(try Tensor("x", type, shape: [2, 3], bytes: bytes).count == 6)
      } else {
        #expect(throws: TensorError.byteCount(found: count, expected: size)) {
          try Tensor("x", type, shape: [2, 3], bytes: bytes)
        }
      }
    }
    for shape in [
      [-1], [1 << 62, 1 << 62], [Int.max, 2], [0, 1 << 62, 4], [4, 1 << 62, 0], [1 << 40, 0],
    ] {
      #expect(throws: TensorError.shapeTooLarge(shape)) {
        try Tensor("x", type, shape: shape, bytes: [])
      }
    }
  }

  /// An id is a whole number below the size, to the last digit, whatever it is written as.
  @Test(
    arguments: [
      (.fp64, [0, 0, 0, 0, 0, 0, 8, 0x40], 3, nil),
      (.fp64, [0x0D, 0x85, 0x2B, 0, 0, 0, 8, 0x40], nil, 3.000000001267),
      (.fp32, [0, 0, 0x20, 0x40], nil, 2.5), (.fp16, [0, 0x42], 3, nil), (.uint8, [8], 8, nil),
      (.uint8, [9], nil, 9), (.int8, [0xFF], nil, -1),
      (.int64, [0, 0, 0, 0, 1, 0, 0, 0], nil, 0x1p32),
      (.fp32, [0, 0, 0x80, 0x7F], nil, .infinity),
    ] as [(TensorType, [UInt8], Int32?, Double?)])
  func ids(type: TensorType, bytes: [UInt8], id: Int32?, found: Double?) throws {
    let tensor = try Tensor("x", type, shape: [1], bytes: bytes[...])
    if let id {
      #expect(try tensor.values(of: Self.tokens) == .tokens([id]))
    } else {
      #expect {
        try tensor.values(of: Self.tokens)
      } throws: { error in
        guard case TensorError.id(element: 0, let value, size: 9) = error else { return false }
        return found.map { value == $0 || abs(value - $0) < 1e-12 } ?? false
      }
    }
  }

  /// Elements are told by their place in the whole.
  @Test func errorsNameTheElement() throws {
    let ids = Tensor("x", shape: [2, 3], .ids([0, 1, 2, 3, 9, 5]))
    #expect(throws: TensorError.id(element: 4, found: 9, size: 9)) {
      try ids.column(of: Self.tokens)
    }
    var bytes = [UInt8](repeating: 0, count: 2 * 3 * 8)
    bytes[38...39] = [0xF0, 0x7F]
    let infinite = try Tensor("x", .fp64, shape: [2, 1, 3], bytes: bytes[...])
    #expect(throws: TensorError.notFinite(element: 4)) {
      try infinite.column(of: Self.features3)
    }
    // 1e300, which no 32-bit float holds.
    let large = try Tensor(
      "x", .fp64, shape: [1], bytes: [0x9C, 0x75, 0, 0x88, 0x3C, 0xE4, 0x37, 0x7E][...])
    #expect(throws: TensorError.notFinite(element: 0)) { try large.column(of: Self.features1) }
  }

  /// Of floats that are used whole nothing is copied.
  @Test func wholeBuffersAreShared() throws {
    let floats = (0..<64).map { Float($0) }
    let shared = try Tensor(shape: [64], .floats(floats, floats.indices)).floats()
    let address = { (array: [Float]) in array.withUnsafeBufferPointer { $0.baseAddress } }
    #expect(address(shared) == address(floats))
    #expect(try Tensor(shape: [2], .floats(floats, 3..<5)).floats() == [3, 4])
  }

  // MARK: - Answers

  private static func prediction(_ rows: Int?, from start: Float = 0) -> Prediction {
    Prediction(outputs: [
      .init(rows: rows, size: 2, values: (0..<(rows ?? 1) * 2).map { start + Float($0) }),
      .init(rows: nil, size: 1, values: [-start]),
    ])
  }

  @Test func answers() {
    func answers(_ rows: [Int?], isArray: Bool) -> [(String, [Int])] {
      Tensor.answers(
        named: ["y", "z"], rows.map { Self.prediction($0) }, isArray: isArray
      ).map { ($0.name, $0.shape) }
    }
    #expect(answers([3], isArray: false).elementsEqual([("y", [3, 2]), ("z", [1])], by: ==))
    #expect(answers([3], isArray: true).elementsEqual([("y", [1, 3, 2]), ("z", [1, 1])], by: ==))
    #expect(
      answers([nil, nil], isArray: true).elementsEqual([("y", [2, 2]), ("z", [2, 1])], by: ==))
    #expect(
      answers([1, 2], isArray: true).elementsEqual(
        [("y.0", [1, 2]), ("y.1", [2, 2]), ("z", [2, 1])], by: ==))
    let both = [Self.prediction(1, from: 5), Self.prediction(1, from: 7)]
    let tensors = Tensor.answers(named: ["y", "z"], both, isArray: true)
    #expect(tensors[0].elements == .floats([5, 6, 7, 8], 0..<4))
    #expect(tensors[1].elements == .floats([-5, -7], 0..<2))
  }
}
