import CZlib

/// Owns zlib's state for one inflation.
@safe struct InflateStream: ~Copyable {
  /// The result of one call of zlib.
  enum Outcome: Equatable {
    /// zlib has more output, or has input left to consume.
    case more
    /// The stream, or a gzip member of it, is complete.
    case ended
    /// All input is consumed, and the stream is not complete.
    case needsInput
    case corrupt
    case outOfMemory
  }

  /// What one call consumed and produced.
  struct Step {
    let consumed: Int
    let produced: Int
    let outcome: Outcome
  }

  // On the heap: zlib keeps the address of its z_stream and refuses one that has moved.
  private let stream: UnsafeMutablePointer<z_stream>

  /// - Parameter windowBits: the format, as zlib encodes it; see `CompressedFormat.windowBits`.
  init(_ windowBits: Int32) throws(CompressionError) {
    // SAFETY: one z_stream is allocated, set to zeros (zlib's defaults), owned by this value and
    // freed once, here or in deinit.
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let status = unsafe inflateInit2_(
      stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    if status != Z_OK {
      unsafe stream.deallocate()
      throw .outOfMemory
    }
  }

  deinit {
    // SAFETY: initialised by init, not used after this.
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Prepares for another stream of the same format.
  func reset() {
    // SAFETY: the stream is live; inflateReset keeps its memory.
    let status = unsafe inflateReset(stream)
    precondition(status == Z_OK, "inflateReset fails only on a stream that is not initialised")
  }

  /// Inflates some of `input` into `output`, from its start.
  func inflate(_ input: Span<UInt8>, into output: borrowing ScratchBuffer) -> Step {
    let available = min(input.count, Int(UInt32.max))
    var status = Z_OK
    // SAFETY: zlib reads at most avail_in bytes of the span and writes at most avail_out of the
    // buffer, both alive for the call; the pointers are cleared before they leave scope. It never
    // writes input.
    unsafe input.withUnsafeBufferPointer { bytes in
      unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
      unsafe stream.pointee.avail_in = UInt32(available)
      unsafe stream.pointee.next_out = output.bytes.baseAddress
      unsafe stream.pointee.avail_out = UInt32(output.bytes.count)
      status = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
      unsafe stream.pointee.next_in = nil
      unsafe stream.pointee.next_out = nil
    }
    let consumed = unsafe available - Int(stream.pointee.avail_in)
    let produced = unsafe output.bytes.count - Int(stream.pointee.avail_out)
    let outcome: Outcome =
      switch status {
      case Z_STREAM_END: .ended
      case Z_OK where consumed + produced > 0: .more
      case Z_OK, Z_BUF_ERROR: .needsInput
      case Z_MEM_ERROR: .outOfMemory
      default: .corrupt  // Z_DATA_ERROR, and Z_NEED_DICT: HTTP has no way to agree on a dictionary.
      }
    return Step(consumed: consumed, produced: produced, outcome: outcome)
  }
}

/// A fixed buffer that zlib writes into.
@safe struct ScratchBuffer: ~Copyable {
  fileprivate let bytes: UnsafeMutableBufferPointer<UInt8>

  /// A buffer of `byteCount` zeros.
  init(byteCount: Int) {
    // SAFETY: owned by this value, initialised whole, freed once in deinit.
    unsafe bytes = .allocate(capacity: byteCount)
    unsafe bytes.initialize(repeating: 0)
  }

  deinit {
    // SAFETY: allocated by init, not used after this.
    unsafe bytes.deallocate()
  }

  var byteCount: Int { unsafe bytes.count }

  /// Calls `body` with the buffer to write into.
  func fill<Result>(_ body: (UnsafeMutableBufferPointer<UInt8>) -> Result) -> Result {
    // SAFETY: the buffer is alive for the call, and `body` does not keep it.
    unsafe body(bytes)
  }

  /// Appends the buffer's first `count` bytes to `array`.
  func append(_ count: Int, to array: inout [UInt8]) {
    // SAFETY: `count` is at most the buffer's size, since zlib wrote that many bytes; extracting checks this in debug
    // builds.
    unsafe array.append(contentsOf: bytes.extracting(..<count))
  }
}
