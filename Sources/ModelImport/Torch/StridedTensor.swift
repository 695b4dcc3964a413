import ModelFormat

/// A tensor of a pickle, not read yet: its shape, and where in which storage its elements stand.
struct StridedTensor {
  var type: ElementType
  var shape: [Int]
  /// How many elements of the storage lie between one and the next along each axis.
  var strides: [Int]
  /// The first element, counted in elements of the storage.
  var offset: Int
  var storage: Storage
  var isBigEndian = false

  /// Bytes that several tensors may share.
  enum Storage: Hashable {
    /// A record of the file, by the key that the pickle has for it.
    case record(String)
    /// A string of bytes in the pickle itself.
    case bytes(PickleGraph.Reference)
    /// A file of torch.save's old form within a string of bytes, as `pickle.dump` of tensors makes.
    case nestedFile(PickleGraph.Reference)
  }

  /// An array whose elements stand one after the other, the last axis fastest, or the first as in Fortran.
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

  /// More axes than any weight has.
  static let maxAxes = 8

  /// The number of elements; nil where the shape is none, or is beyond any array. Where a size is 0, no bytes account for the
  /// others, which then are few.
  var elementCount: Int? {
    guard shape.count <= Self.maxAxes, strides.count == shape.count else { return nil }
    return RowMajor.count(
      shape, limit: shape.contains(0) ? SourceTensor.maxElements : SourceTensor.maxExtent)
  }

  /// How many elements the storage must have; nil where an Int does not hold it, or a stride or the offset is below 0.
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

  /// The elements as the nearest floats, the last axis fastest. Nil where `bytes`, the storage's, are too few, or the type has
  /// no floats.
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
}

extension ElementType {
  /// What makes a float of an element's bits; nil of the types that saved weights don't have.
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

  /// The type of the elements of PyTorch's storage class of that name, or of its dtype.
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
