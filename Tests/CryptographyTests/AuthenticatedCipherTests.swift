import Testing

@testable import Cryptography

@Suite struct AuthenticatedCipherTests {
  private func bytes(_ digits: String) -> [UInt8] {
    let digits = Array(digits)
    return stride(from: 0, to: digits.count, by: 2).map {
      UInt8(String(digits[$0...$0 + 1]), radix: 16)!
    }
  }

  /// Test case 16 of McGrew and Viega, The Galois/Counter Mode of Operation.
  @Test func aKnownAnswer() {
    let key = bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")
    let sealed = bytes(
      "cafebabefacedbaddecaf888"
        + "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        + "76fc6ece0f4e1768cddf8853bb2d551b")
    let context = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    let plain = bytes(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39")
    #expect(AuthenticatedCipher.open(sealed, key: key, context: context) == plain)
  }

  @Test(arguments: [0, 1, 15, 16, 17, 1000])
  func opensWhatItSealed(count: Int) {
    let plain = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let key = [UInt8](repeating: 3, count: 32)
    let sealed = AuthenticatedCipher.seal(plain, key: key, context: [1, 2])
    #expect(sealed.count == count + AuthenticatedCipher.extraByteCount)
    #expect(AuthenticatedCipher.open(sealed, key: key, context: [1, 2]) == plain)
    #expect(AuthenticatedCipher.open(sealed, key: key, context: [1, 3]) == nil)
    #expect(AuthenticatedCipher.open(sealed, key: key, context: []) == nil)
    #expect(
      AuthenticatedCipher.open(sealed, key: [UInt8](repeating: 4, count: 32), context: [1, 2])
        == nil)
    // No two are alike, as each has a nonce of its own.
    #expect(AuthenticatedCipher.seal(plain, key: key, context: [1, 2]) != sealed)
  }

  @Test func everyBitCounts() {
    let key = [UInt8](repeating: 3, count: 32)
    let sealed = AuthenticatedCipher.seal([1, 2, 3], key: key, context: [])
    for index in sealed.indices {
      for bit in 0..<8 {
        var other = sealed
        other[index] ^= 1 << bit
        #expect(AuthenticatedCipher.open(other, key: key, context: []) == nil)
      }
    }
    for count in 0..<sealed.count {
      #expect(AuthenticatedCipher.open(Array(sealed[..<count]), key: key, context: []) == nil)
    }
  }
}
