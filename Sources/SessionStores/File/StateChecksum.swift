import Compression
import Inference
import Scheduling

/// The CRC-32 by which a damaged entry of a store is told: of the state, and of whose it is.
enum StateChecksum {
  static func of(_ state: SequenceState, key: SessionTable.Key, version: Int) -> Int {
    let name = "\(key.model) \(key.id) \(version) \(state.position)"
    return Int(crc32(of: state.floats.span, continuing: crc32(of: name.utf8.span)))
  }
}
