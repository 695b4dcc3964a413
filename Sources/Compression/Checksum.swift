import CZlib

/// The CRC-32 of the bytes of `elements` (RFC 1952 §8). If `checksum` is the CRC-32 of the bytes before them, the
/// result is that of all bytes together.
package func crc32<Element: BitwiseCopyable>(
  of elements: Span<Element>, continuing checksum: UInt32 = 0
) -> UInt32 {
  let result = unsafe elements.withUnsafeBytes { bytes in
    // SAFETY: zlib reads the bytes that are lent for the call.
    unsafe crc32_z(
      UInt(checksum), bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
  }
  return UInt32(truncatingIfNeeded: result)
}
