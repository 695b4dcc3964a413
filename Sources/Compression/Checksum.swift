import CZlib

/// The CRC-32 of `bytes` (RFC 1952 §8), or of all bytes where those before them have the CRC-32 `checksum`.
package func crc32(of bytes: RawSpan, continuing checksum: UInt32 = 0) -> UInt32 {
  let result = unsafe bytes.withUnsafeBytes { buffer in
    // SAFETY: zlib reads the bytes that are lent for the call.
    unsafe crc32_z(
      UInt(checksum), buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), buffer.count)
  }
  return UInt32(truncatingIfNeeded: result)
}
