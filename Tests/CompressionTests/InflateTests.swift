import TestSupport
import Testing

@testable import Compression

@Suite struct InflateTests {
  static let generous = InflateLimits(maxBytes: 1 << 24, maxRatio: 2000)
  static let sentence = Array("a carousel turns, and turns, and turns".utf8)

  /// Made with Python: zlib.compress(sentence, 9), and the same without its wrapper.
  static let zlibSentence: [UInt8] = Samples.zlib
  static let rawSentence: [UInt8] = Array(Samples.zlib[2..<(Samples.zlib.count - 4)])

  private func gzip(_ bytes: [UInt8], level: Int = 6) throws -> [UInt8] {
    try #require(try gzipped(bytes.span, level: level))
  }

  @Test(arguments: [0, 1, 2, 1000, 32_767, 32_768, 32_769, 200_000])
  func gzipComesBack(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
    for level in [1, 6, 9] {
      let coded = try gzip(bytes, level: level)
      #expect(try inflated(coded.span, from: .gzip, limits: Self.generous) == bytes)
    }
  }

  @Test(arguments: [zlibSentence, rawSentence])
  func deflateComesWrappedOrBare(coded: [UInt8]) throws {
    #expect(try inflated(coded.span, from: .deflate, limits: Self.generous) == Self.sentence)
  }

  @Test func membersAreConcatenated() throws {
    let one = try gzip(Self.sentence)
    let none = try gzip([])
    let coded = one + none + one
    #expect(
      try inflated(coded.span, from: .gzip, limits: Self.generous) == Self.sentence + Self.sentence)
  }

  @Test func everyPrefixIsTruncated() throws {
    for (coded, format) in [
      (try gzip(Self.sentence), CompressedFormat.gzip), (Self.zlibSentence, .deflate),
      (Self.rawSentence, .deflate),
    ] {
      for count in 0..<coded.count {
        let prefix = Array(coded[..<count])
        #expect(throws: CompressionError.truncated(inputBytes: count)) {
          try inflated(prefix.span, from: format, limits: Self.generous)
        }
      }
    }
  }

  @Test func aSecondMemberIsTruncatedToo() throws {
    let coded = try gzip(Self.sentence)
    let bytes = coded + coded.dropLast()
    #expect(throws: CompressionError.truncated(inputBytes: bytes.count)) {
      try inflated(bytes.span, from: .gzip, limits: Self.generous)
    }
  }

  @Test(arguments: [0, 1, 0x1e, 0xff] as [UInt8])
  func whatFollowsTheStreamIsRefused(byte: UInt8) throws {
    for (coded, format) in [
      (try gzip(Self.sentence), CompressedFormat.gzip), (Self.zlibSentence, .deflate),
      (Self.rawSentence, .deflate),
    ] {
      let bytes = coded + [byte]
      #expect(throws: CompressionError.trailingGarbage(offset: coded.count)) {
        try inflated(bytes.span, from: format, limits: Self.generous)
      }
    }
  }

  @Test func aWrongChecksumIsCorrupt() throws {
    var coded = try gzip(Self.sentence)
    coded[coded.count - 8] ^= 1
    #expect(throws: CompressionError.self) {
      try inflated(coded.span, from: .gzip, limits: Self.generous)
    }
    var wrapped = Self.zlibSentence
    wrapped[wrapped.count - 1] ^= 1
    #expect(throws: CompressionError.corrupt(offset: wrapped.count)) {
      try inflated(wrapped.span, from: .deflate, limits: Self.generous)
    }
  }

  @Test func textIsNeither() {
    let text = Array("{\"inputs\": [1, 2]}".utf8)
    #expect(throws: CompressionError.corrupt(offset: 2)) {
      try inflated(text.span, from: .gzip, limits: Self.generous)
    }
    #expect(throws: CompressionError.self) {
      try inflated(text.span, from: .deflate, limits: Self.generous)
    }
  }

  @Test(arguments: [99_999, 100_000, 100_001])
  func outputIsCapped(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
    let coded = try gzip(bytes)
    let limits = InflateLimits(maxBytes: 100_000, maxRatio: 2000)
    if count <= 100_000 {
      #expect(try inflated(coded.span, from: .gzip, limits: limits) == bytes)
    } else {
      #expect(throws: CompressionError.tooLarge(limit: 100_000)) {
        try inflated(coded.span, from: .gzip, limits: limits)
      }
    }
  }

  @Test func outputMayBeNothing() throws {
    let limits = InflateLimits(maxBytes: 0, maxRatio: 1)
    let none = try gzip([])
    #expect(try inflated(none.span, from: .gzip, limits: limits) == [])
    let one = try gzip([7])
    #expect(throws: CompressionError.tooLarge(limit: 0)) {
      try inflated(one.span, from: .gzip, limits: limits)
    }
  }

  @Test func ratioIsCappedAboveTheFreeBytes() throws {
    let limits = InflateLimits(maxBytes: 1 << 30, maxRatio: 100)
    let small = try gzip([UInt8](repeating: 0, count: InflateLimits.maxUncheckedRatioBytes))
    #expect(
      try inflated(small.span, from: .gzip, limits: limits).count
        == InflateLimits.maxUncheckedRatioBytes)
    let bomb = try gzip([UInt8](repeating: 0, count: 8 << 20))
    #expect(throws: CompressionError.ratioTooHigh(limit: 100)) {
      try inflated(bomb.span, from: .gzip, limits: limits)
    }
  }

  @Test func limitsHoldAtTheirEdges() {
    let limits = InflateLimits(maxBytes: 2_000_000, maxRatio: 10)
    #expect(limits.violation(outputBytes: 1_499_999, inputBytes: 150_000) == nil)
    #expect(limits.violation(outputBytes: 1_500_000, inputBytes: 150_000) == nil)
    #expect(
      limits.violation(outputBytes: 1_500_001, inputBytes: 150_000) == .ratioTooHigh(limit: 10))
    let free = InflateLimits.maxUncheckedRatioBytes
    #expect(limits.violation(outputBytes: free, inputBytes: 1) == nil)
    #expect(limits.violation(outputBytes: free + 1, inputBytes: 1) == .ratioTooHigh(limit: 10))
    #expect(limits.violation(outputBytes: 2_000_000, inputBytes: .max) == nil)
    #expect(
      limits.violation(outputBytes: 2_000_001, inputBytes: .max) == .tooLarge(limit: 2_000_000))
  }

  @Test func mutatedStreamsNeverCrash() throws {
    let coded = try gzip((0..<4000).map { UInt8(truncatingIfNeeded: $0 % 97) })
    let limits = InflateLimits(maxBytes: 10_000, maxRatio: 2000)
    var random = Noise(seed: 1)
    var refused = 0
    for _ in 0..<3000 {
      var bytes = coded
      for _ in 0...Int.random(in: 0..<4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(
          in: 0...255, using: &random)
      }
      for format in [CompressedFormat.gzip, .deflate] {
        do throws(CompressionError) {
          let output = try inflated(bytes.span, from: format, limits: limits)
          #expect(output.count <= limits.maxBytes)
        } catch {
          refused += 1
        }
      }
    }
    #expect(refused > 3000)
  }
}

/// Bytes that another implementation made.
enum Samples {
  static let zlib: [UInt8] = [
    0x78, 0xda, 0x4b, 0x54, 0x48, 0x4e, 0x2c, 0xca, 0x2f, 0x2d, 0x4e, 0xcd, 0x51, 0x28,
    0x29, 0x2d, 0xca, 0x2b, 0xd6, 0x51, 0x48, 0xcc, 0x4b, 0xc1, 0x60, 0x02, 0x00, 0x0e,
    0xb6, 0x0d, 0xf2,
  ]
}

@Suite struct InflateRoomTests {
  /// The caller is asked before the output takes more, and its no ends the inflation.
  @Test func noRoomEndsIt() throws {
    let zeros = [UInt8](repeating: 0, count: 300_000)
    let coded = try #require(try gzipped(zeros.span, level: 9))
    let limits = InflateLimits(maxBytes: 1 << 20, maxRatio: 1032)
    var asked: [Int] = []
    let output = try inflated(coded.span, from: .gzip, limits: limits) {
      asked.append($0)
      return true
    }
    #expect(output == zeros)
    #expect(asked == asked.sorted() && (asked.last ?? 0) >= zeros.count)
    #expect(throws: CompressionError.noRoom(bytes: asked[1])) {
      try inflated(coded.span, from: .gzip, limits: limits) { $0 <= asked[0] }
    }
  }
}
