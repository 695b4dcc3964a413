import TestSupport
import Testing

@testable import Compression

@Suite struct GzipTests {
  @Test func headerNamesNoFileAndNoTime() throws {
    let bytes: [UInt8] = [1, 2, 3]
    let coded = try #require(try gzipped(bytes.span, level: 6))
    #expect(Array(coded[..<9]) == [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0])
  }

  @Test func higherLevelsAreNotLarger() throws {
    let text = Array((0..<2000).map { String($0 * $0 % 1009) }.joined(separator: ",").utf8)
    let sizes = try [1, 9].map { try #require(try gzipped(text.span, level: $0)).count }
    #expect(sizes[1] < sizes[0])
    #expect(sizes[0] < text.count)
  }

  @Test func whatDoesNotShrinkIsGivenUp() throws {
    var random = Noise(seed: 2)
    let noise = (0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) }
    #expect(try gzipped(noise.span, level: 9, onlyIfSmaller: true) == nil)
    #expect(try #require(try gzipped(noise.span, level: 9)).count > noise.count)
    let nothing: [UInt8] = []
    #expect(try gzipped(nothing.span, level: 9, onlyIfSmaller: true) == nil)
  }

  @Test func whatShrinksByOneByteIsKept() throws {
    // The smallest run of zeros that gains is found, and the one before it must be refused.
    let counts = 1...100
    let first = try #require(
      try counts.first {
        let zeros = [UInt8](repeating: 0, count: $0)
        return try gzipped(zeros.span, level: 9, onlyIfSmaller: true) != nil
      })
    let zeros = [UInt8](repeating: 0, count: first)
    let coded = try #require(try gzipped(zeros.span, level: 9))
    #expect(coded.count == first - 1)
  }
}

@Suite struct GzipStreamTests {
  /// Whatever the parts, what comes out is one member that holds them all.
  @Test(arguments: [1, 7, 4096, 100_000])
  func partsMakeOneMember(count: Int) throws {
    var noise = Noise(seed: 3)
    let bytes = (0..<150_000).map {
      UInt8(truncatingIfNeeded: $0 % 7 == 0 ? Int(noise.next() % 256) : $0 / 9)
    }
    let stream = try GzipStream(level: 4)
    var coded: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: count) {
      coded += stream.compress(
        bytes.span.extracting(start..<min(start + count, bytes.count)), isLast: false)
    }
    let nothing: [UInt8] = []
    coded += stream.compress(nothing.span, isLast: true)
    #expect(coded.count < bytes.count)
    let limits = InflateLimits(maxBytes: bytes.count, maxRatio: 1032)
    #expect(try inflated(coded.span, from: .gzip, limits: limits) == bytes)
  }
}
