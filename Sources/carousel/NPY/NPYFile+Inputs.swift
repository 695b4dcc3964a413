import ModelFormat
import NumPyFormat
import Serving

extension NPYFile {
  /// The array in row-major order.
  var tensor: Tensor {
    Tensor(shape: header.shape, .bytes(rowMajor, TensorType(header.elementType)))
  }

  /// The array as sequences of an input: one, or several along the first axis (see `Tensor.column`).
  func column(for input: ModelDescription.Input) throws(CarouselError) -> InputColumn {
    do { return try tensor.column(of: input.kind) } catch {
      switch error {
      case .notFinite(let element): throw .numPy(failure(at: element) { .notFinite(element: $0) })
      case .id(let element, let found, let size):
        throw .numPy(
          failure(at: element) {
            if !found.isFinite { return .notFinite(element: $0) }
            return found == found.rounded()
              ? .tokenRange(element: $0, found: found, size: size) : .notWhole(element: $0)
          })
      case .shape(_, let expected):
        throw .arrayShape(input: input.name, found: header.shape, expected: expected)
      case .shapeTooLarge, .byteCount: preconditionFailure("the header was checked: \(error)")
      }
    }
  }
}

extension TensorType {
  /// The type of the elements of a .npy file.
  fileprivate init(_ type: ElementType) {
    switch type {
    case .bool: self = .bool
    case .u8: self = .uint8
    case .i8: self = .int8
    case .u16: self = .uint16
    case .i16: self = .int16
    case .u32: self = .uint32
    case .i32: self = .int32
    case .u64: self = .uint64
    case .i64: self = .int64
    case .f16: self = .fp16
    case .f32: self = .fp32
    case .f64: self = .fp64
    case .f4, .f6e2m3, .f6e3m2, .f8e5m2, .f8e4m3, .f8e8m0, .f8e4m3fnuz, .f8e5m2fnuz, .bf16, .c64:
      preconditionFailure("NumPy has no \(type.rawValue)")
    }
  }
}
