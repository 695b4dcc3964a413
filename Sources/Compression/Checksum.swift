import CZlib

/// The CRC-32 of `bytes` (RFC 1952 §8).
package func crc32(of bytes: [UInt8]) -> UInt32 {
  let checksum = unsafe bytes.withUnsafeBufferPointer { buffer in
    // SAFETY: zlib reads the bytes of the array, which is alive for the call.
    unsafe crc32_z(0, buffer.baseAddress, buffer.count)
  }
  return UInt32(truncatingIfNeeded: checksum)
}
