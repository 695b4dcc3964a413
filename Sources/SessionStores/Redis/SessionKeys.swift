import Inference
import Scheduling

/// The names of what a Redis has of sessions, as bytes, and their states as bytes.
enum SessionKeys {
  static let models = Array("carousel:models".utf8)

  static func name(_ kind: String, of key: SessionTable.Key) -> [UInt8] {
    Array("carousel:\(kind):{\(key.model)/\(key.id)}".utf8)
  }

  static func session(_ key: SessionTable.Key) -> [UInt8] { name("s", of: key) }
  static func lease(_ key: SessionTable.Key) -> [UInt8] { name("l", of: key) }
  static func end(_ key: SessionTable.Key) -> [UInt8] { name("e", of: key) }
  static func index(ofModel model: String) -> [UInt8] { Array("carousel:i:\(model)".utf8) }

  /// All keys of a session, in the order of scripts.
  static func all(of key: SessionTable.Key) -> [[UInt8]] {
    [session(key), lease(key), end(key), index(ofModel: key.model)]
  }

  /// The floats as they are in memory: of IEEE 754, the low byte first.
  static func bytes(of floats: [Float]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(floats.count * 4)
    for float in floats {
      let bits = float.bitPattern
      bytes.append(UInt8(truncatingIfNeeded: bits))
      bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
      bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
      bytes.append(UInt8(truncatingIfNeeded: bits >> 24))
    }
    return bytes
  }

  /// Nil where the bytes are no whole number of floats.
  static func floats(of bytes: [UInt8]) -> [Float]? {
    guard bytes.count.isMultiple(of: 4) else { return nil }
    return stride(from: 0, to: bytes.count, by: 4).map { index in
      let bits =
        UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16
        | UInt32(bytes[index + 3]) << 24
      return Float(bitPattern: bits)
    }
  }
}
