import Cryptography
import Inference

/// The type of the floats in a token.
package enum StateElement: String, Sendable, CaseIterable {
  /// The server's own type: a continued sequence has the same bits.
  case f32
  /// Half precision, for tokens of half the size.
  case f16

  package var byteCount: Int { self == .f32 ? 4 : 2 }

  /// Its code in a token.
  fileprivate var code: UInt8 { self == .f32 ? 1 : 2 }
}

/// Writes a sequence's state into a signed token for its client, and reads the token when the client sends it back.
///
/// A token is base64url of: the version of this layout (1 byte), the element (1), the model's fingerprint (16),
/// the steps done (8), the floats, and the HMAC-SHA256 of all that under the server's key (32). Numbers are
/// little-endian. The HMAC is checked before anything else is used.
package struct StateSealer: Sendable {
  private let key: [UInt8]

  package static let version: UInt8 = 1
  /// The bytes before the floats.
  package static let headByteCount = 2 + ModelFingerprint.byteCount + 8
  /// The fewest bytes of a key: half of a hash, and beyond guessing if random.
  package static let minKeyByteCount = 16

  package init(key: [UInt8]) {
    precondition(key.count >= Self.minKeyByteCount)
    self.key = key
  }

  /// A sealer with a random key: tokens are valid in this process only.
  package init() {
    var random = SystemRandomNumberGenerator()
    self.init(key: (0..<Digest.byteCount).map { _ in .random(in: 0...255, using: &random) })
  }

  /// The number of characters of a token for a state of `floatCount` floats.
  package static func characterCount(floatCount: Int, _ element: StateElement) -> Int {
    Base64URL.characterCount(
      headByteCount + floatCount * element.byteCount + Digest.byteCount)
  }

  /// The token as text; nil if a float is beyond the range of `element`.
  package func seal(
    _ state: SequenceState, as element: StateElement, model: ModelFingerprint
  ) -> [UInt8]? {
    var message: [UInt8] = []
    message.reserveCapacity(
      Self.headByteCount + state.floats.count * element.byteCount + Digest.byteCount)
    message += [Self.version, element.code]
    message += model.bytes
    message.append(littleEndian: UInt64(state.position), 8)
    for float in state.floats {
      switch element {
      case .f32:
        guard float.isFinite else { return nil }
        message.append(littleEndian: UInt64(float.bitPattern), 4)
      case .f16:
        let half = Float16(float)
        guard half.isFinite else { return nil }
        message.append(littleEndian: UInt64(half.bitPattern), 2)
      }
    }
    return sign(message)
  }

  /// A message and its HMAC, as base64url.
  package func sign(_ message: [UInt8]) -> [UInt8] {
    Base64URL.encode(message + Digest.authenticate(message[...], key: key))
  }

  /// The state in `token`, which has to be one of `model` with `floatCount` floats.
  package func open(
    _ token: ArraySlice<UInt8>, model: ModelFingerprint, floatCount: Int
  ) throws(StateFlaw) -> SequenceState {
    let limit = Self.characterCount(floatCount: floatCount, .f32)
    guard token.count <= limit else { throw .tooLong(found: token.count, limit: limit) }
    let bytes: [UInt8]
    do { bytes = try Base64URL.decode(token) } catch { throw .character(position: error.position) }
    let end = bytes.count - Digest.byteCount
    guard end >= 0, Digest.areEqual(bytes[end...], Digest.authenticate(bytes[..<end], key: key))
    else {
      throw .signature(
        found: token.count,
        expected: StateElement.allCases.map { Self.characterCount(floatCount: floatCount, $0) })
    }
    return try Self.parse(bytes[..<end], model: model, floatCount: floatCount)
  }

  /// Parses a message whose HMAC matches, so that a server with the key wrote it, perhaps one of another version.
  private static func parse(
    _ message: ArraySlice<UInt8>, model: ModelFingerprint, floatCount: Int
  ) throws(StateFlaw) -> SequenceState {
    guard message.first == version else {
      throw .version(found: message.first.map { Int($0) }, expected: Int(version))
    }
    guard message.count >= headByteCount else {
      throw .size(found: message.count, expected: headByteCount)
    }
    let maker = ModelFingerprint(bytes: message[2..<2 + ModelFingerprint.byteCount])
    guard maker == model else { throw .otherModel(found: maker, expected: model) }
    guard let element = StateElement.allCases.first(where: { $0.code == message[1] }) else {
      throw .element(found: Int(message[1]))
    }
    let expected = headByteCount + floatCount * element.byteCount
    guard message.count == expected else {
      throw .size(found: message.count, expected: expected)
    }
    let steps = message.word(at: headByteCount - 8, 8)
    guard steps >= 1, steps <= maxPosition else {
      throw .position(found: steps, limit: maxPosition)
    }
    var floats: [Float] = []
    floats.reserveCapacity(floatCount)
    for index in 0..<floatCount {
      let word = message.word(at: headByteCount + index * element.byteCount, element.byteCount)
      let float =
        switch element {
        case .f32: Float(bitPattern: UInt32(word))
        case .f16: Float(Float16(bitPattern: UInt16(word)))
        }
      guard float.isFinite else { throw .notFinite(index: index) }
      floats.append(float)
    }
    return SequenceState(position: Int(steps), floats: floats)
  }

  /// The most steps that a state may have done: with a request's own steps added, they still fit an `Int`.
  package static let maxPosition: UInt64 = 1 << 62
}

/// Why a text is not a state token that can be continued.
package enum StateFlaw: Error, Equatable, Sendable {
  /// More characters than a token of the model has.
  case tooLong(found: Int, limit: Int)
  /// A character that base64url does not allow here.
  case character(position: Int)
  /// The HMAC does not match; with the number of characters found, and those of an f32 and an f16 token.
  case signature(found: Int, expected: [Int])
  /// Another version of the layout; nil for no bytes at all.
  case version(found: Int?, expected: Int)
  /// The state belongs to another model.
  case otherModel(found: ModelFingerprint, expected: ModelFingerprint)
  /// The code of no `StateElement`.
  case element(found: Int)
  /// The number of bytes, without the HMAC, is wrong.
  case size(found: Int, expected: Int)
  /// A number of steps that is 0 or too large.
  case position(found: UInt64, limit: UInt64)
  /// The float at this index is not finite.
  case notFinite(index: Int)
}

extension [UInt8] {
  /// Appends the lowest `count` bytes of `word`, the least significant first.
  mutating func append(littleEndian word: UInt64, _ count: Int) {
    for index in 0..<count { append(UInt8(truncatingIfNeeded: word >> (8 * UInt64(index)))) }
  }
}

extension ArraySlice<UInt8> {
  /// The little-endian number of `count` bytes at `offset` from the start.
  func word(at offset: Int, _ count: Int) -> UInt64 {
    (0..<count).reduce(0) {
      $0 | UInt64(self[startIndex + offset + $1]) << (8 * UInt64($1))
    }
  }
}
