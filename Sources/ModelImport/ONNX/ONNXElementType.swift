/// `TensorProto.DataType` of onnx.proto: the supported types.
enum ONNXElementType: Int {
  case float = 1
  case uint8 = 2
  case int8 = 3
  case uint16 = 4
  case int16 = 5
  case int32 = 6
  case int64 = 7
  case bool = 9
  case float16 = 10
  case double = 11
  case uint32 = 12
  case uint64 = 13
  case bfloat16 = 16

  var kind: SourceTensor.Kind {
    switch self {
    case .float, .float16, .double, .bfloat16: .float
    case .bool: .boolean
    case .uint8, .int8, .uint16, .int16, .int32, .int64, .uint32, .uint64: .integer
    }
  }

  /// The least and the largest number, of those to which values are quantised.
  var limits: [Int]? {
    switch self {
    case .uint8: [0, 255]
    case .int8: [-128, 127]
    case .uint16: [0, 65535]
    case .int16: [-32768, 32767]
    default: nil
    }
  }

  /// The bytes of an element.
  var size: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16, .float16, .bfloat16: 2
    case .float, .int32, .uint32: 4
    case .int64, .double, .uint64: 8
    }
  }

  /// The number of little-endian bytes.
  func number(_ word: UInt64) -> Double {
    switch self {
    case .float: Double(Float(bitPattern: UInt32(truncatingIfNeeded: word)))
    case .double: Double(bitPattern: word)
    case .float16: ONNXElementType.half(UInt16(truncatingIfNeeded: word))
    case .bfloat16: Double(Float(bitPattern: UInt32(truncatingIfNeeded: word) << 16))
    case .uint8, .uint16, .uint32, .uint64, .bool: Double(word)
    case .int8: Double(Int8(truncatingIfNeeded: word))
    case .int16: Double(Int16(truncatingIfNeeded: word))
    case .int32: Double(Int32(truncatingIfNeeded: word))
    case .int64: Double(Int64(bitPattern: word))
    }
  }

  /// IEEE 754's half precision.
  private static func half(_ bits: UInt16) -> Double {
    let fraction = Double(bits & 0x3FF)
    let exponent = Int(bits >> 10 & 0x1F)
    let sign: Double = bits & 0x8000 == 0 ? 1 : -1
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default:
      return sign * Double(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
    }
  }
}
