import Inference
import ModelFormat

/// Numbers of one type in a shape. Protocols decode inputs to tensors, and encode predictions from tensors.
package struct Tensor: Sendable, Equatable {
  /// The numbers in row-major order.
  package enum Elements: Sendable, Equatable {
    /// The floats in `range` of an array, which several tensors may share.
    case floats([Float], Range<Int>)
    case ids([Int32])
    /// Bytes of a message or a file: contiguous, little-endian.
    case bytes(ArraySlice<UInt8>, TensorType)
  }

  package let name: String
  /// The length of each axis, outermost first.
  package let shape: [Int]
  package let elements: Elements

  /// A tensor; `elements` must have as many elements as `shape`.
  package init(_ name: String = "", shape: [Int], _ elements: Elements) {
    self.name = name
    self.shape = shape
    self.elements = elements
    precondition(shape.reduce(1, *) == count, "\(count) elements of shape \(shape)")
  }

  /// A tensor of `bytes` from a client or a file.
  ///
  /// - Throws: if their number does not match the type and the shape.
  package init(
    _ name: String, _ type: TensorType, shape: [Int], bytes: ArraySlice<UInt8>
  ) throws(TensorError) {
    guard let count = ArrayShape.count(shape),
      case (let expected, false) = count.multipliedReportingOverflow(by: type.byteCount)
    else { throw .shapeTooLarge(shape) }
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

  /// The number of elements.
  package var count: Int {
    switch elements {
    case .floats(_, let range): range.count
    case .ids(let ids): ids.count
    case .bytes(let bytes, let type): bytes.count / type.byteCount
    }
  }

  /// The slices along the first axis, each with the shape of the other axes.
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
  /// Predictions as tensors.
  ///
  /// - Parameters:
  ///   - names: the names of the predictions' outputs.
  ///   - isArray: whether tensors have an axis of sequences, even for one sequence. If answers differ in
  ///     length, each sequence has its own tensor, `NAME.0` and so on.
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

/// Why a tensor does not fit an input.
package enum TensorError: Error, Equatable, Sendable {
  /// A shape with a negative length, or of more bytes than an `Int` counts.
  case shapeTooLarge([Int])
  /// Another number of bytes than the type and the shape say.
  case byteCount(found: Int, expected: Int)
  /// A shape that the input does not allow. `expected` lists the allowed shapes; nil is any length.
  case shape(found: [Int], expected: [[Int?]])
  /// The element at this index is not finite, or beyond the range of a 32-bit float.
  case notFinite(element: Int)
  /// The element at this index is not a whole number from 0 to `size` - 1.
  case id(element: Int, found: Double, size: Int)
}
