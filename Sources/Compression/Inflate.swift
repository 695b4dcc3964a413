import CZlib

/// The wrappers around deflate data that HTTP knows (RFC 9110 §8.4.1).
package enum CompressedFormat: Sendable, Equatable {
  /// RFC 1952: one member, or several one after another.
  case gzip
  /// RFC 1950, or, where the zlib header is missing, the bare RFC 1951 that some clients send.
  case deflate
  /// RFC 1951 alone, as in archives.
  case bareDeflate
}

/// How much may come out of compressed bytes.
package struct InflateLimits: Sendable, Equatable {
  /// What may come out, in bytes.
  package var maxBytes: Int
  /// What may come out for each byte that goes in; deflate itself ends at 1032 (zlib's Technical
  /// Details).
  package var maxRatio: Int

  /// Up to this many bytes of output no ratio is held against an input: it can do no harm, and what is
  /// padded compresses as far as a bomb.
  package static let ratioFreeBytes = 1 << 20

  package init(maxBytes: Int, maxRatio: Int) {
    self.maxBytes = maxBytes
    self.maxRatio = maxRatio
  }

  /// The error that `outputBytes` from `inputBytes` amount to, nil where they are within the
  /// limits.
  func violation(outputBytes: Int, inputBytes: Int) -> CompressionError? {
    if outputBytes > maxBytes { return .tooLarge(limit: maxBytes) }
    let (allowed, overflows) = inputBytes.multipliedReportingOverflow(by: maxRatio)
    if !overflows, outputBytes > max(allowed, Self.ratioFreeBytes) {
      return .ratioTooHigh(limit: maxRatio)
    }
    return nil
  }
}

/// Inflates the whole of `bytes`.
///
/// Output beyond a limit is refused as soon as it appears, so a bomb costs no more memory than the
/// limit.
///
/// - Parameter hasRoom: is asked before the output takes so many bytes.
package func inflated(
  _ bytes: Span<UInt8>, from format: CompressedFormat, limits: InflateLimits,
  hasRoom: (Int) -> Bool = { _ in true }
) throws(CompressionError) -> [UInt8] {
  let stream = try InflateStream(format.windowBits(bytes))
  var output: [UInt8] = []
  let scratch = ScratchBuffer(byteCount: 32_768)
  var offset = 0
  while true {
    let step = stream.inflate(bytes.extracting(offset...), into: scratch)
    offset += step.consumed
    if let violation = limits.violation(
      outputBytes: output.count + step.produced, inputBytes: bytes.count)
    {
      throw violation
    }
    let capacity = output.capacity(for: step.produced, limit: limits.maxBytes)
    if capacity > output.capacity {
      guard hasRoom(capacity) else { throw .noRoom(bytes: capacity) }
      output.reserveCapacity(capacity)
    }
    scratch.append(step.produced, to: &output)

    switch step.outcome {
    case .more:
      continue
    case .ended where offset == bytes.count:
      return output
    case .ended:
      // RFC 1952 §2.2: a gzip file is a series of members; only another one's first byte may
      // follow.
      guard format == .gzip, bytes[offset] == gzipMagic else {
        throw .trailingGarbage(offset: offset)
      }
      stream.reset()
    case .starved:
      throw .truncated(inputBytes: bytes.count)
    case .corrupt:
      throw .corrupt(offset: offset)
    case .outOfMemory:
      throw .outOfMemory
    }
  }
}

/// ID1 of RFC 1952 §2.3.1.
private let gzipMagic: UInt8 = 0x1f

extension CompressedFormat {
  /// zlib's `windowBits`: 15 is the largest window, 16 more asks for gzip, negative for no wrapper.
  fileprivate func windowBits(_ bytes: Span<UInt8>) -> Int32 {
    switch self {
    case .gzip: 31
    case .deflate: bytes.beginsWithZlibHeader ? 15 : -15
    case .bareDeflate: -15
    }
  }
}

extension Span<UInt8> {
  /// Whether RFC 1950 §2.2 allows the first two bytes: method 8, and a multiple of 31 together.
  ///
  /// Bare deflate data never begins so: its low nibble would be a stored block with non-zero
  /// padding.
  fileprivate var beginsWithZlibHeader: Bool {
    guard count >= 2 else { return count == 1 && self[0] & 0x0f == 8 }
    return self[0] & 0x0f == 8 && (Int(self[0]) << 8 | Int(self[1])) % 31 == 0
  }
}

extension [UInt8] {
  /// The capacity for `more` bytes: by doubling, but never beyond `limit`, which doubling alone would
  /// pass.
  fileprivate func capacity(for more: Int, limit: Int) -> Int {
    let needed = count + more
    return needed > capacity ? Swift.min(Swift.max(needed, capacity * 2), limit) : capacity
  }
}
