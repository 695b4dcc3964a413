import Compression
import Inference
import Scheduling

/// The CRC-32 over a state and its session's key, version and steps; by it, a damaged entry of a store is recognised.
enum StateChecksum {
  static func of(_ state: SequenceState, key: SessionTable.Key, version: Int) -> Int {
    let name = "\(key.model) \(key.id) \(version) \(state.position)"
    return Int(crc32(of: state.floats.span, continuing: crc32(of: name.utf8.span)))
  }
}
