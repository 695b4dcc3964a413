import CZlib
import Glibc

/// The formats of deflate data: HTTP's two codings (RFC 9110 §8.4.1), and the bare data in zip archives.
package enum CompressedFormat: Sendable, Equatable {
  /// RFC 1952: one or more members.
  case gzip
  /// RFC 1950, or bare RFC 1951 data, which some clients send under this name.
  case deflate
  /// RFC 1951 alone, as in archives.
  case bareDeflate
}

/// How large inflated output may be.
package struct InflateLimits: Sendable, Equatable {
  /// The most bytes of output.
  package var maxBytes: Int
  /// The most bytes of output for each byte of input. Deflate itself reaches 1032 at most (zlib's Technical Details).
  package var maxRatio: Int

  /// `maxRatio` applies only to outputs larger than this: smaller ones do no harm, and padding compresses as well as a
  /// decompression bomb does.
  package static let maxUncheckedRatioBytes = 1 << 20

  package init(maxBytes: Int, maxRatio: Int) {
    self.maxBytes = maxBytes
    self.maxRatio = maxRatio
  }

  /// The error for the limit that `outputBytes` from `inputBytes` exceed; nil where they exceed none.
  func violation(outputBytes: Int, inputBytes: Int) -> CompressionError? {
    if outputBytes > maxBytes { return .tooLarge(limit: maxBytes) }
    let (allowed, overflows) = inputBytes.multipliedReportingOverflow(by: maxRatio)
    if !overflows, outputBytes > max(allowed, Self.maxUncheckedRatioBytes) {
      return .ratioTooHigh(limit: maxRatio)
    }
    return nil
  }
}

/// Inflates all of `bytes`.
///
/// Inflation stops as soon as the output exceeds a limit, so a decompression bomb costs no more memory than the limit.
///
/// - Parameter hasRoom: called with the output's new capacity, in bytes, before the output grows; false
///   ends inflation with `CompressionError.noRoom`.
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
    // Let other threads that wait for this core run after at most about 0.1 ms of work.
    sched_yield()

    switch step.outcome {
    case .more:
      continue
    case .ended where offset == bytes.count:
      return output
    case .ended:
      // RFC 1952 §2.2: a gzip file is a series of members, so only the first byte of another member may follow.
      guard format == .gzip, bytes[offset] == gzipMagic else {
        throw .trailingGarbage(offset: offset)
      }
      stream.reset()
    case .needsInput:
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
  /// zlib's `windowBits`: 15 is the largest window; adding 16 means gzip, a negative number no wrapper.
  fileprivate func windowBits(_ bytes: Span<UInt8>) -> Int32 {
    switch self {
    case .gzip: 31
    case .deflate: bytes.beginsWithZlibHeader ? 15 : -15
    case .bareDeflate: -15
    }
  }
}

extension Span<UInt8> {
  /// Whether the first two bytes are a zlib header by RFC 1950 §2.2: method 8, and together a multiple of 31.
  ///
  /// Bare deflate data never begins like that: a low nibble of 8 would mean a stored block with non-zero padding.
  fileprivate var beginsWithZlibHeader: Bool {
    guard count >= 2 else { return count == 1 && self[0] & 0x0f == 8 }
    return self[0] & 0x0f == 8 && (Int(self[0]) << 8 | Int(self[1])) % 31 == 0
  }
}

extension [UInt8] {
  /// The capacity needed to hold `more` further bytes: at least doubled when it grows, but not beyond `limit`.
  fileprivate func capacity(for more: Int, limit: Int) -> Int {
    let needed = count + more
    return needed > capacity ? Swift.min(Swift.max(needed, capacity * 2), limit) : capacity
  }
}
