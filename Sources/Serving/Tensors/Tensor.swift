import Inference

/// Numbers of one type in a shape: what the inputs of every protocol become before they become sequences, and what
/// predictions become before a protocol writes them.
package struct Tensor: Sendable, Equatable {
  /// Where the numbers are: in the order of the shape, the last axis fastest.
  package enum Elements: Sendable, Equatable {
    /// Those of `range`, which may be a part of what others use too.
    case floats([Float], Range<Int>)
    case ids([Int32])
    /// As they stand in a message or a file: side by side, little-endian.
    case bytes(ArraySlice<UInt8>, TensorType)
  }

  package let name: String
  /// The length of each axis, the outermost first.
  package let shape: [Int]
  package let elements: Elements

  /// A tensor of as many elements as `shape` has.
  package init(_ name: String = "", shape: [Int], _ elements: Elements) {
    self.name = name
    self.shape = shape
    self.elements = elements
    precondition(shape.reduce(1, *) == count, "\(count) elements of shape \(shape)")
  }

  /// The tensor of `bytes`, which come from outside.
  ///
  /// - Throws: where they are not as many as the type and the shape say.
  package init(
    _ name: String, _ type: TensorType, shape: [Int], bytes: ArraySlice<UInt8>
  ) throws(TensorError) {
    var expected = type.byteCount
    for length in shape {
      let (product, overflow) = expected.multipliedReportingOverflow(by: length)
      guard length >= 0, !overflow else { throw .shapeTooLarge(shape) }
      expected = product
    }
    guard bytes.count == expected else {
      throw .byteCount(found: bytes.count, expected: expected)
    }
    self.init(name, shape: shape, .bytes(bytes, type))
  }

  package var type: TensorType {
    switch elements {
    case .floats: .fp32
    case .ids: .int32
    case .bytes(_, let type): type
    }
  }

  /// How many elements there are.
  package var count: Int {
    switch elements {
    case .floats(_, let range): range.count
    case .ids(let ids): ids.count
    case .bytes(let bytes, let type): bytes.count / type.byteCount
    }
  }

  /// The tensors of which this is made along its first axis, of the other axes each.
  package var slices: [Tensor] {
    let inner = Array(shape.dropFirst())
    let size = inner.reduce(1, *)
    return (0..<shape[0]).map { index in
      let elements: Elements
      switch self.elements {
      case .floats(let floats, let range):
        let start = range.lowerBound + index * size
        elements = .floats(floats, start..<start + size)
      case .ids(let ids): elements = .ids(Array(ids[index * size..<(index + 1) * size]))
      case .bytes(let bytes, let type):
        let start = bytes.startIndex + index * size * type.byteCount
        elements = .bytes(bytes[start..<start + size * type.byteCount], type)
      }
      return Tensor(name, shape: inner, elements)
    }
  }
}

extension Tensor {
  /// Predictions as tensors: the one place where answers become some.
  ///
  /// - Parameters:
  ///   - names: those of the predictions' outputs.
  ///   - isArray: whether a tensor has an axis of sequences, be there one. Where sequences have answers of
  ///     different lengths each has a tensor of its own, `NAME.0` and so on.
  package static func answers(
    named names: [String], _ predictions: [Prediction], isArray: Bool
  ) -> [Tensor] {
    var tensors: [Tensor] = []
    for (index, name) in names.enumerated() {
      let parts = predictions.map { $0.outputs[index] }
      let shapes = parts.map { part in (part.rows.map { [$0] } ?? []) + [part.size] }
      func tensor(_ name: String, _ shape: [Int], _ values: [Float]) -> Tensor {
        Tensor(name, shape: shape, .floats(values, values.indices))
      }
      if !isArray {
        tensors.append(tensor(name, shapes[0], parts[0].values))
      } else if shapes.allSatisfy({ $0 == shapes[0] }) {
        let values = parts.count == 1 ? parts[0].values : parts.flatMap(\.values)
        tensors.append(tensor(name, [parts.count] + shapes[0], values))
      } else {
        for (number, part) in parts.enumerated() {
          tensors.append(tensor("\(name).\(number)", shapes[number], part.values))
        }
      }
    }
    return tensors
  }
}

/// Why a tensor is not what an input takes.
package enum TensorError: Error, Equatable, Sendable {
  case shapeTooLarge([Int])
  case byteCount(found: Int, expected: Int)
  /// Axes that an input of such values does not have; each of `expected` would do, nil standing for any length.
  case shape(found: [Int], expected: [[Int?]])
  /// The element of that index is not finite, or beyond the range of a 32-bit float.
  case notFinite(element: Int)
  /// The element of that index is no whole number from 0 to `size` - 1.
  case id(element: Int, found: Double, size: Int)
}
