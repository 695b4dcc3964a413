import CZlib

/// Compresses `bytes` into one gzip member (RFC 1952), without a file name or time.
///
/// - Parameters:
///   - level: 1 (fastest) to 9 (smallest).
///   - onlyIfSmaller: returns nil as soon as the result would not be smaller than `bytes`.
package func gzipped(
  _ bytes: Span<UInt8>, level: Int, onlyIfSmaller: Bool = false
) throws(CompressionError) -> [UInt8]? {
  // zlib counts in 32 bits; half of that range leaves room for the growth of incompressible input.
  let limit = Int(Int32.max)
  guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
  if onlyIfSmaller, bytes.isEmpty { return nil }
  let stream = try DeflateStream(level: level)
  let capacity = onlyIfSmaller ? bytes.count - 1 : stream.bound(bytes.count)
  return stream.deflate(bytes, capacity: capacity)
}

/// Compresses a gzip member part by part.
package struct GzipStream: ~Copyable {
  private let stream: DeflateStream

  /// The memory that zlib's state takes, rounded up (Memory Footprint in zlib's Technical Details).
  package static let byteCount = 272 << 10

  /// - Parameter level: 1 (fastest) to 9 (smallest).
  package init(level: Int) throws(CompressionError) { stream = try DeflateStream(level: level) }

  /// Adds `bytes` and returns the output that is ready, which may be empty unless `isLast`.
  package func compress(_ bytes: Span<UInt8>, isLast: Bool) -> [UInt8] {
    var output: [UInt8] = []
    stream.deflate(bytes, isLast: isLast, to: &output)
    return output
  }
}

/// Owns zlib's state for one compression.
@safe private struct DeflateStream: ~Copyable {
  // On the heap: zlib keeps the address of its z_stream and refuses one that has moved.
  private let stream: UnsafeMutablePointer<z_stream>

  init(level: Int) throws(CompressionError) {
    precondition((1...9).contains(level), "gzip levels are 1 to 9")
    // SAFETY: one z_stream is allocated, set to zeros (zlib's defaults), owned by this value and
    // freed once, here or in deinit.
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // 31: the largest window, in a gzip wrapper; 8 is zlib's default use of memory.
    let status = unsafe deflateInit2_(
      stream, Int32(level), Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    if status != Z_OK {
      unsafe stream.deallocate()
      throw .outOfMemory
    }
  }

  deinit {
    // SAFETY: initialised by init, not used after this.
    unsafe deflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// The largest compressed size of `byteCount` bytes.
  func bound(_ byteCount: Int) -> Int {
    // SAFETY: the stream is live.
    unsafe Int(deflateBound(stream, UInt(byteCount)))
  }

  /// Compresses `input` and appends the output that is ready to `output`.
  func deflate(_ input: Span<UInt8>, isLast: Bool, to output: inout [UInt8]) {
    let scratch = ScratchBuffer(byteCount: 16 << 10)
    var offset = 0
    while true {
      let (consumed, produced) = step(
        input.extracting(offset...), isLast: isLast, into: scratch)
      offset += consumed
      scratch.append(produced, to: &output)
      // zlib fills the buffer while it has more output, so a buffer that is not full holds the last of it.
      if produced < scratch.byteCount { return }
    }
  }

  private func step(
    _ input: Span<UInt8>, isLast: Bool, into scratch: borrowing ScratchBuffer
  ) -> (consumed: Int, produced: Int) {
    precondition(input.count <= Int(Int32.max), "a part is no larger than zlib can count")
    return unsafe scratch.fill { buffer in
      // SAFETY: zlib reads the span and writes at most the buffer's count of bytes, both alive for the call; the
      // pointers are cleared before they leave scope.
      unsafe input.withUnsafeBufferPointer { bytes in
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
        unsafe stream.pointee.avail_in = UInt32(bytes.count)
        unsafe stream.pointee.next_out = buffer.baseAddress
        unsafe stream.pointee.avail_out = UInt32(buffer.count)
        _ = unsafe CZlib.deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
        defer {
          unsafe stream.pointee.next_in = nil
          unsafe stream.pointee.next_out = nil
        }
        return unsafe (
          bytes.count - Int(stream.pointee.avail_in), buffer.count - Int(stream.pointee.avail_out)
        )
      }
    }
  }

  /// Compresses all of `input`; nil where the result would have more than `capacity` bytes.
  func deflate(_ input: Span<UInt8>, capacity: Int) -> [UInt8]? {
    var status = Z_OK
    // SAFETY: zlib reads the span and writes at most `capacity` bytes of the new array, both alive
    // for the call; the count set is what zlib wrote; the pointers are cleared before they leave
    // scope.
    let output = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      unsafe input.withUnsafeBufferPointer { bytes in
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
        unsafe stream.pointee.avail_in = UInt32(bytes.count)
        unsafe stream.pointee.next_out = buffer.baseAddress
        unsafe stream.pointee.avail_out = UInt32(capacity)
        status = unsafe CZlib.deflate(stream, Z_FINISH)
        count = unsafe capacity - Int(stream.pointee.avail_out)
        unsafe stream.pointee.next_in = nil
        unsafe stream.pointee.next_out = nil
      }
    }
    return status == Z_STREAM_END ? output : nil
  }
}
