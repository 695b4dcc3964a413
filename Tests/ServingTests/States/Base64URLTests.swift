import TestSupport
import Testing

@testable import Serving

@Suite struct Base64URLTests {
  /// RFC 4648 §10, and the two characters that URLs have of their own.
  @Test(arguments: [
    ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
    ("foobar", "Zm9vYmFy"), ("~~~", "fn5-"), ("???", "Pz8_"),
  ])
  func examples(bytes: String, text: String) throws {
    #expect(Base64URL.encode(Array(bytes.utf8)) == Array(text.utf8))
    #expect(try Base64URL.decode(Array(text.utf8)[...]) == Array(bytes.utf8))
    #expect(Base64URL.characterCount(bytes.utf8.count) == text.utf8.count)
  }

  @Test func everyByteAtEveryLength() throws {
    var noise = Noise(seed: 1)
    for count in 0..<260 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &noise) }
      let text = Base64URL.encode(bytes)
      #expect(text.count == Base64URL.characterCount(count))
      // A slice that does not start at 0.
      #expect(try Base64URL.decode(([0, 0] + text)[2...]) == bytes)
    }
  }

  @Test(arguments: [
    ("Zg==", 2), ("Zm8=", 3), ("Z", 0), ("Zm9vY", 4), (" Zg", 0), ("Zm9v\n", 4), ("fn5+", 3),
    ("Pz8/", 3), ("Zé", 1),
  ])
  func isStrict(text: String, position: Int) {
    #expect(throws: Base64URL.BadCharacter(position: position)) {
      try Base64URL.decode(Array(text.utf8)[...])
    }
  }

  /// Every text of two or three characters stands for bytes that make it again, or for none.
  @Test func noTwoTextsMeanTheSame() {
    let characters = Array(UInt8(ascii: "!")...UInt8(ascii: "z"))
    for first in characters {
      for second in characters {
        for text in [[first, second], [UInt8(ascii: "A"), first, second]] {
          guard let bytes = try? Base64URL.decode(text[...]) else { continue }
          #expect(Base64URL.encode(bytes) == text)
        }
      }
    }
  }
}
