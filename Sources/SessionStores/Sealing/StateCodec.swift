import Inference
import Scheduling

/// How states are written to a store: unencrypted with a checksum beside them, or encrypted (sealed).
struct StateCodec: Sendable {
  /// Nil if states are written unencrypted.
  let sealing: StateSealing?

  /// Stands in the place of the checksum of a sealed state, as a checksum would reveal something about what is
  /// encrypted. A CRC-32 is never negative.
  private static let sealed = -1

  init(_ sealing: StateSealing?) { self.sealing = sealing }

  /// The values of the columns `checksum` and `state` of a file.
  func values(
    of state: SequenceState, key: SessionTable.Key, version: Int
  ) -> (checksum: SQLiteStatement.Value, state: SQLiteStatement.Value) {
    guard sealing == nil else {
      let (checksum, sealed) = bytes(of: state, key: key, version: version)
      return (.integer(checksum), .bytes(sealed))
    }
    return (.integer(StateChecksum.of(state, key: key, version: version)), .floats(state.floats))
  }

  /// The floats of a state, from column `place` of a row.
  func floats(
    of row: SQLiteStatement, _ place: Int32, checksum: Int, key: SessionTable.Key, version: Int,
    steps: Int
  ) throws(StateSealingError) -> [Float] {
    guard checksum != Self.sealed else {
      return try floats(
        of: row.bytes(place), checksum: checksum, key: key, version: version, steps: steps)
    }
    guard let floats = row.floats(place),
      checksum
        == StateChecksum.of(
          SequenceState(position: steps, floats: floats), key: key, version: version)
    else { throw .damaged }
    return floats
  }

  /// A state as bytes, and the checksum that is kept beside them.
  func bytes(
    of state: SequenceState, key: SessionTable.Key, version: Int
  ) -> (checksum: Int, bytes: [UInt8]) {
    let plain = Self.bytes(of: state.floats)
    guard let sealing else {
      return (StateChecksum.of(state, key: key, version: version), plain)
    }
    return (Self.sealed, sealing.seal(plain, of: key, version: version, steps: state.position))
  }

  /// The floats of a state from its bytes and checksum, as `bytes(of:key:version:)` made them.
  func floats(
    of bytes: [UInt8], checksum: Int, key: SessionTable.Key, version: Int, steps: Int
  ) throws(StateSealingError) -> [Float] {
    guard checksum == Self.sealed else {
      guard let floats = Self.floats(of: bytes),
        checksum
          == StateChecksum.of(
            SequenceState(position: steps, floats: floats), key: key, version: version)
      else { throw .damaged }
      return floats
    }
    guard let sealing else {
      guard let name = StateSealing.keyName(of: bytes) else { throw .damaged }
      throw .noKey(MissingKey(name))
    }
    let plain = try sealing.open(bytes, of: key, version: version, steps: steps)
    guard let floats = Self.floats(of: plain) else { throw .damaged }
    return floats
  }

  /// The floats as bytes: IEEE 754, little-endian.
  private static func bytes(of floats: [Float]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 * floats.count)
    for float in floats {
      let bits = float.bitPattern
      bytes.append(UInt8(truncatingIfNeeded: bits))
      bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
      bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
      bytes.append(UInt8(truncatingIfNeeded: bits >> 24))
    }
    return bytes
  }

  /// Nil if the bytes are not a whole number of floats.
  private static func floats(of bytes: [UInt8]) -> [Float]? {
    guard bytes.count.isMultiple(of: 4) else { return nil }
    return stride(from: 0, to: bytes.count, by: 4).map { index in
      let bits =
        UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16
        | UInt32(bytes[index + 3]) << 24
      return Float(bitPattern: bits)
    }
  }
}
