import CZlib
import Inference
import Scheduling

/// The CRC-32 by which a damaged entry of a store is told: of the state, and of whose it is.
enum StateChecksum {
  static func of(_ state: SequenceState, key: SessionTable.Key, version: Int) -> Int {
    var checksum: UInt = 0
    var name = "\(key.model) \(key.id) \(version) \(state.position)"
    name.withUTF8 { bytes in
      // SAFETY: zlib reads the bytes that are lent for the call.
      checksum = unsafe crc32_z(checksum, bytes.baseAddress, bytes.count)
    }
    unsafe state.floats.withUnsafeBytes { bytes in
      // SAFETY: zlib reads the bytes that are lent for the call.
      checksum = unsafe crc32_z(
        checksum, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
    }
    return Int(checksum)
  }
}
