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
