extension Tensor {
  /// The elements, each as the nearest float; no copy if the tensor is a whole array of floats.
  package func floats() throws(TensorError) -> [Float] {
    switch elements {
    case .floats(let floats, let range):
      return range == floats.indices ? floats : Array(floats[range])
    case .ids(let ids): return ids.map { Float($0) }
    case .bytes(let bytes, let type):
      var floats: [Float] = []
      floats.reserveCapacity(count)
      for element in 0..<count {
        let float =
          switch Self.number(bytes, element, type) {
          case .whole(let value): Float(value)
          case .natural(let value): Float(value)
          case .float(let value): value
          case .double(let value): Float(value)
          }
        guard float.isFinite else { throw .notFinite(element: element) }
        floats.append(float)
      }
      return floats
    }
  }

  /// The elements as ids. Each has to be exactly a whole number from 0 to `size` - 1.
  package func ids(size: Int) throws(TensorError) -> [Int32] {
    var ids: [Int32] = []
    ids.reserveCapacity(count)
    switch elements {
    case .ids(let found):
      for (element, id) in found.enumerated() {
        guard (0..<size).contains(Int(id)) else {
          throw .id(element: element, found: Double(id), size: size)
        }
        ids.append(id)
      }
    case .floats(let floats, let range):
      for (element, value) in floats[range].enumerated() {
        guard value >= 0, value < Float(size), let id = Int32(exactly: value) else {
          throw .id(element: element, found: Double(value), size: size)
        }
        ids.append(id)
      }
    case .bytes(let bytes, let type):
      for element in 0..<count {
        let id: Int32?
        let found: Double
        switch Self.number(bytes, element, type) {
        case .whole(let value): (id, found) = (Int32(exactly: value), Double(value))
        case .natural(let value): (id, found) = (Int32(exactly: value), Double(value))
        case .float(let value): (id, found) = (Int32(exactly: value), Double(value))
        case .double(let value): (id, found) = (Int32(exactly: value), value)
        }
        guard let id, (0..<size).contains(Int(id)) else {
          throw .id(element: element, found: found, size: size)
        }
        ids.append(id)
      }
    }
    return ids
  }

  /// An element without rounding.
  package enum Number {
    case whole(Int64)
    case natural(UInt64)
    case float(Float)
    case double(Double)
  }

  /// The element at this index.
  package func number(_ element: Int) -> Number {
    switch elements {
    case .floats(let floats, let range): .float(floats[range.lowerBound + element])
    case .ids(let ids): .whole(Int64(ids[element]))
    case .bytes(let bytes, let type): Self.number(bytes, element, type)
    }
  }

  private static func number(
    _ bytes: ArraySlice<UInt8>, _ element: Int, _ type: TensorType
  ) -> Number {
    let start = bytes.startIndex + element * type.byteCount
    var bits: UInt64 = 0
    for index in (start..<start + type.byteCount).reversed() {
      bits = bits << 8 | UInt64(bytes[index])
    }
    return switch type {
    case .bool: .natural(bits == 0 ? 0 : 1)
    case .uint8, .uint16, .uint32, .uint64: .natural(bits)
    case .int8: .whole(Int64(Int8(truncatingIfNeeded: bits)))
    case .int16: .whole(Int64(Int16(truncatingIfNeeded: bits)))
    case .int32: .whole(Int64(Int32(truncatingIfNeeded: bits)))
    case .int64: .whole(Int64(bitPattern: bits))
    case .fp16: .float(Float(Float16(bitPattern: UInt16(truncatingIfNeeded: bits))))
    case .fp32: .float(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case .fp64: .double(Double(bitPattern: bits))
    }
  }
}
