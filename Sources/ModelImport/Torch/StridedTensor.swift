import ModelFormat

/// A tensor of a pickle that is not read yet: its shape, and the place of its elements in a storage.
struct StridedTensor {
  var type: ElementType
  var shape: [Int]
  /// The distance along each axis, in elements of the storage.
  var strides: [Int]
  /// The index of the first element in the storage.
  var offset: Int
  var storage: Storage
  var isBigEndian = false

  /// Bytes that several tensors may share.
  enum Storage: Hashable {
    /// A record of the file, by its key in the pickle.
    case record(String)
    /// Bytes in the pickle itself.
    case bytes(PickleGraph.Reference)
    /// A legacy file of torch.save within bytes, as `pickle.dump` of tensors makes.
    case nestedFile(PickleGraph.Reference)
  }

  /// A contiguous array, in C order or Fortran order.
  init(
    _ type: ElementType, shape: [Int], isFortran: Bool = false, storage: Storage,
    isBigEndian: Bool = false
  ) {
    self.init(type, shape: shape, strides: shape, offset: 0, storage: storage)
    self.isBigEndian = isBigEndian
    var stride = 1
    for axis in isFortran ? Array(shape.indices) : shape.indices.reversed() {
      strides[axis] = stride
      stride = stride.multipliedReportingOverflow(by: shape[axis]).partialValue
    }
  }

  init(_ type: ElementType, shape: [Int], strides: [Int], offset: Int, storage: Storage) {
    self.type = type
    self.shape = shape
    self.strides = strides
    self.offset = offset
    self.storage = storage
  }

  /// A limit above the number of axes of any weight.
  static let maxAxes = 8

  /// The number of elements; nil where the shape is none, or is beyond any array. Where a size is 0, no bytes account for the
  /// others, which then are few.
  var elementCount: Int? {
    guard shape.count <= Self.maxAxes, strides.count == shape.count else { return nil }
    return ArrayShape.count(
      shape, limit: SourceTensor.maxExtent, emptyLimit: SourceTensor.maxElements)
  }

  /// The number of elements that the storage must have; nil if an Int can't hold it, or a stride or the offset is negative.
  var requiredElements: Int? {
    guard let elementCount, offset >= 0 else { return nil }
    guard elementCount > 0 else { return 0 }
    var last = offset
    for (size, stride) in zip(shape, strides) {
      guard stride >= 0 else { return nil }
      // Along an axis of one element nothing moves, whatever its stride is said to be.
      if size == 1 { continue }
      let (distance, overflow) = stride.multipliedReportingOverflow(by: size - 1)
      let (sum, sumOverflow) = last.addingReportingOverflow(distance)
      if overflow || sumOverflow { return nil }
      last = sum
    }
    return last.addingReportingOverflow(1).overflow ? nil : last + 1
  }

  /// The elements as the nearest floats, row-major. Nil if the storage's `bytes` are too few, or the type does not convert.
  func floats(from bytes: ArraySlice<UInt8>) -> [Float]? {
    guard type.bits >= 8, let convert = type.floatConversion, let count = elementCount,
      let required = requiredElements, required <= bytes.count / (type.bits / 8)
    else { return nil }
    let size = type.bits / 8
    let span = bytes.span
    var floats: [Float] = []
    floats.reserveCapacity(count)
    guard count > 0 else { return floats }
    var index = [Int](repeating: 0, count: shape.count)
    let strides = zip(shape, strides).map { $0 == 1 ? 0 : $1 }
    var element = offset
    while true {
      var word: UInt64 = 0
      for byte in 0..<size {
        let shift = 8 * (isBigEndian ? size - 1 - byte : byte)
        word |= UInt64(span[element * size + byte]) << UInt64(shift)
      }
      floats.append(convert(word))
      var axis = shape.count - 1
      while axis >= 0 {
        index[axis] += 1
        element += strides[axis]
        if index[axis] < shape[axis] { break }
        element -= strides[axis] * shape[axis]
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return floats }
    }
  }

  /// The tensor as a constant of a source graph. Floats count as weights, which have to be finite.
  ///
  /// - Parameters:
  ///   - name: the tensor's name, for errors.
  ///   - read: returns the storage's bytes when the constant is read; nil if they are too few.
  func constant(
    name: String, _ read: @escaping @Sendable () throws(ImportError) -> ArraySlice<UInt8>?
  ) -> SourceConstant {
    let isWeight = type.isConvertible
    let kind: SourceTensor.Kind = isWeight ? .float : type == .bool ? .boolean : .integer
    var constant = SourceConstant(shape: shape, kind: kind) {
      () throws(ImportError) in
      guard let bytes = try read(), let floats = floats(from: bytes) else {
        throw ImportError(
          file: "", place: name, problem: "found too few bytes for a tensor of shape \(shape)")
      }
      if isWeight, let index = floats.firstIndex(where: { !$0.isFinite }) {
        throw ImportError(
          file: "", place: name,
          problem: "element \(index) is \(floats[index]), expected finite weights")
      }
      return floats.map(Double.init)
    }
    constant.isHalf = type == .f16 || type == .bf16
    return constant
  }
}

extension ElementType {
  /// Converts an element's bits to a float; nil for types that saved weights don't have.
  var floatConversion: ((UInt64) -> Float)? {
    switch self {
    case .f16: { Float(Float16(bitPattern: UInt16($0))) }
    case .bf16: { Float(bitPattern: UInt32($0) << 16) }
    case .f32: { Float(bitPattern: UInt32($0)) }
    case .f64: { Float(Double(bitPattern: $0)) }
    case .bool: { $0 == 0 ? 0 : 1 }
    case .u8, .u16, .u32, .u64: { Float($0) }
    case .i8: { Float(Int8(truncatingIfNeeded: $0)) }
    case .i16: { Float(Int16(truncatingIfNeeded: $0)) }
    case .i32: { Float(Int32(truncatingIfNeeded: $0)) }
    case .i64: { Float(Int64(truncatingIfNeeded: $0)) }
    case .f4, .f6e2m3, .f6e3m2, .f8e5m2, .f8e4m3, .f8e8m0, .f8e4m3fnuz, .f8e5m2fnuz, .c64: nil
    }
  }

  /// The element type of a PyTorch storage class or dtype.
  init?(torch name: String) {
    switch name {
    case "FloatStorage", "float32", "float": self = .f32
    case "DoubleStorage", "float64", "double": self = .f64
    case "HalfStorage", "float16", "half": self = .f16
    case "BFloat16Storage", "bfloat16": self = .bf16
    case "LongStorage", "int64", "long": self = .i64
    case "IntStorage", "int32", "int": self = .i32
    case "ShortStorage", "int16", "short": self = .i16
    case "CharStorage", "int8": self = .i8
    case "ByteStorage", "UntypedStorage", "uint8": self = .u8
    case "BoolStorage", "bool": self = .bool
    case "uint16": self = .u16
    case "uint32": self = .u32
    case "uint64": self = .u64
    case "ComplexFloatStorage", "complex64": self = .c64
    case "float8_e4m3fn": self = .f8e4m3
    case "float8_e5m2": self = .f8e5m2
    default: return nil
    }
  }
}
