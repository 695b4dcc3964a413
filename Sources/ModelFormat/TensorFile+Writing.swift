import JSON

extension TensorFile {
  /// Writes F32 tensors to a safetensors file at `path`, which appears whole or not at all.
  ///
  /// Each tensor's floats are row-major, as many as its shape has; two tensors of one name are refused.
  package static func write(
    _ tensors: [(name: String, shape: [Int], floats: [Float])], to path: String
  ) throws(ModelError) {
    try OpenFile.write(try serialize(tensors), to: path)
  }

  /// The bytes of a safetensors file in the reference implementation's layout: tensors sorted by name, the header
  /// padded with spaces so that the data starts at a multiple of 8.
  package static func serialize(
    _ tensors: [(name: String, shape: [Int], floats: [Float])]
  ) throws(ModelError) -> [UInt8] {
    var fields: [String] = []
    var offset = 0
    let sorted = tensors.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    for (name, shape, floats) in sorted {
      precondition(shape.reduce(1, *) == floats.count, "\(name): \(shape), \(floats.count) floats")
      let end = offset + 4 * floats.count
      let sizes = shape.map(String.init).joined(separator: ",")
      fields.append(
        "\(name.jsonText):{\"dtype\":\"F32\",\"shape\":[\(sizes)],\"data_offsets\":[\(offset),\(end)]}"
      )
      offset = end
    }
    var header = Array("{\(fields.joined(separator: ","))}".utf8)
    header += Array(repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(TensorHeader.lengthBytes + header.count + offset)
    for index in 0..<TensorHeader.lengthBytes {
      bytes.append(UInt8(truncatingIfNeeded: header.count >> (8 * index)))
    }
    bytes += header
    for (_, _, floats) in sorted {
      for float in floats {
        let word = float.bitPattern
        for shift in [0, 8, 16, 24] as [UInt32] {
          bytes.append(UInt8(truncatingIfNeeded: word >> shift))
        }
      }
    }
    // Reads the bytes back, which refuses duplicate names and floats that are not finite.
    let file = try TensorFile(bytes: bytes)
    for name in file.names { _ = try file.floats(name) }
    return bytes
  }
}
