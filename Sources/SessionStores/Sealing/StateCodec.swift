import Inference
import Scheduling

/// How states are written to a file: as they are, with a checksum beside them, or sealed.
struct StateCodec: Sendable {
  /// Nil where states are written as they are.
  let sealing: StateSealing?

  /// In the place of the checksum (CRC-32, so never negative) of a state that is sealed: one would tell of what is encrypted.
  private static let sealed = -1

  init(_ sealing: StateSealing?) { self.sealing = sealing }

  /// What the columns `checksum` and `state` get.
  func values(
    of state: SequenceState, key: SessionTable.Key, version: Int
  ) -> (checksum: SQLiteStatement.Value, state: SQLiteStatement.Value) {
    guard let sealing else {
      return (
        .integer(StateChecksum.of(state, key: key, version: version)), .floats(state.floats)
      )
    }
    var plain: [UInt8] = []
    plain.reserveCapacity(4 * state.floats.count)
    for float in state.floats {
      for shift in stride(from: 0, to: 32, by: 8) {
        plain.append(UInt8(truncatingIfNeeded: float.bitPattern >> UInt32(shift)))
      }
    }
    return (
      .integer(Self.sealed),
      .bytes(sealing.seal(plain, of: key, version: version, steps: state.position))
    )
  }

  /// The state's floats, from the column `place` of a row.
  func floats(
    of row: SQLiteStatement, _ place: Int32, checksum: Int, key: SessionTable.Key, version: Int,
    steps: Int
  ) throws(StateSealingError) -> [Float] {
    guard checksum == Self.sealed else {
      guard let floats = row.floats(place),
        checksum
          == StateChecksum.of(
            SequenceState(position: steps, floats: floats), key: key, version: version)
      else { throw .damaged }
      return floats
    }
    let sealed = row.bytes(place)
    guard let sealing else {
      guard let name = StateSealing.keyName(of: sealed) else { throw .damaged }
      throw .noKey(name: name)
    }
    let plain = try sealing.open(sealed, of: key, version: version, steps: steps)
    guard plain.count.isMultiple(of: 4) else { throw .damaged }
    return stride(from: 0, to: plain.count, by: 4).map { start in
      var bits: UInt32 = 0
      for index in 0..<4 { bits |= UInt32(plain[start + index]) << UInt32(8 * index) }
      return Float(bitPattern: bits)
    }
  }
}
