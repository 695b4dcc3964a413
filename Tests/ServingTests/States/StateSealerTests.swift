import Inference
import TestSupport
import Testing

@testable import Serving

@Suite struct StateSealerTests {
  private let sealer = StateSealer(key: Array("0123456789abcdef".utf8))
  private let model = ModelFingerprint(bytes: (0..<16).map { UInt8($0) }[...])
  private let state = SequenceState(
    position: 77, floats: [0, -0.0, 1.5, -.leastNonzeroMagnitude, 3e38])

  private func open(_ token: [UInt8], floatCount: Int = 5) throws(StateFlaw) -> SequenceState {
    try sealer.open(token[...], model: model, floatCount: floatCount)
  }

  private func flaw(_ token: [UInt8], floatCount: Int = 5) -> StateFlaw? {
    do { _ = try open(token, floatCount: floatCount) } catch { return error }
    return nil
  }

  /// A message that is signed, whatever it says.
  private func signed(
    version: UInt8 = 1, element: UInt8 = 1, steps: UInt64 = 1, floats: [UInt8]
  ) -> [UInt8] {
    sealer.sign(
      [version, element] + model.bytes
        + (0..<8).map { UInt8(truncatingIfNeeded: steps >> ($0 * 8)) }
        + floats)
  }

  @Test func f32GoesRound() throws {
    let token = try #require(sealer.seal(state, as: .f32, model: model))
    #expect(token.count == StateSealer.characterCount(floatCount: 5, .f32))
    let found = try open(token)
    #expect(found.position == 77)
    #expect(found.floats.map(\.bitPattern) == state.floats.map(\.bitPattern))
  }

  @Test func f16IsTheNearestHalf() throws {
    var noise = Noise(seed: 3)
    let floats = noise.floats(1000, scale: 4) + [65504, -65504, 1e-9, 0]
    let token = try #require(
      sealer.seal(SequenceState(position: 1 << 40, floats: floats), as: .f16, model: model))
    #expect(token.count == StateSealer.characterCount(floatCount: floats.count, .f16))
    let found = try open(token, floatCount: floats.count)
    #expect(found == SequenceState(position: 1 << 40, floats: floats.map { Float(Float16($0)) }))
  }

  @Test func aStateWithoutFloats() throws {
    let empty = SequenceState(position: 1, floats: [])
    let token = try #require(sealer.seal(empty, as: .f32, model: model))
    #expect(try open(token, floatCount: 0) == empty)
  }

  @Test(arguments: [
    (Float.infinity, StateElement.f32), (-.infinity, .f32), (.nan, .f32), (65520, .f16),
    (-.infinity, .f16), (.nan, .f16),
  ])
  func whatIsNotFiniteIsNotSealed(value: Float, element: StateElement) {
    let state = SequenceState(position: 1, floats: [0, value])
    #expect(sealer.seal(state, as: element, model: model) == nil)
  }

  /// Of the text, every bit; so that of the bytes too, since no two texts stand for the same ones.
  @Test(arguments: StateElement.allCases, [0, 1, 2, 3, 5])
  func everyFlippedBitIsRefused(element: StateElement, count: Int) throws {
    let state = SequenceState(position: 9, floats: Array(state.floats.map { $0 / 1e38 }[..<count]))
    let token = try #require(sealer.seal(state, as: element, model: model))
    #expect(flaw(token, floatCount: count) == nil)
    for index in token.indices {
      for bit in 0..<8 {
        var damaged = token
        damaged[index] ^= 1 << bit
        switch flaw(damaged, floatCount: count) {
        case .signature, .character: break
        case let other: Issue.record("\(String(describing: other)) for bit \(bit) of \(index)")
        }
      }
    }
  }

  @Test func everyShorterAndLongerTokenIsRefused() throws {
    let token = try #require(sealer.seal(state, as: .f32, model: model))
    for count in 0..<token.count {
      switch flaw(Array(token[..<count])) {
      case .signature(let found, let expected):
        #expect(found == count && expected.contains(token.count))
      case .character(let position): #expect(position == count - 1)
      case let other: Issue.record("\(String(describing: other)) for \(count) characters")
      }
    }
    for more in 1...4 {
      #expect(
        flaw(token + Array(repeating: UInt8(ascii: "A"), count: more))
          == .tooLong(found: token.count + more, limit: token.count))
    }
    let half = try #require(
      sealer.seal(SequenceState(position: 1, floats: [1, 2, 3, 4, 5]), as: .f16, model: model))
    #expect(flaw(half) == nil)
    #expect(flaw(half + [UInt8(ascii: "A")]) != nil)
  }

  @Test func anotherKey() throws {
    let token = try #require(sealer.seal(state, as: .f32, model: model))
    let others = [
      StateSealer(key: Array("0123456789abcdeg".utf8)), StateSealer(), StateSealer(),
      StateSealer(key: Array("0123456789abcdef0".utf8)),
    ]
    for other in others {
      #expect(throws: StateFlaw.signature(found: token.count, expected: [token.count, 91])) {
        try other.open(token[...], model: model, floatCount: 5)
      }
    }
  }

  @Test func anotherModel() throws {
    let other = ModelFingerprint(bytes: (1..<17).map { UInt8($0) }[...])
    let token = try #require(sealer.seal(state, as: .f32, model: other))
    #expect(flaw(token) == .otherModel(found: other, expected: model))
    // However many floats it has, as long as a state of ours could be as long.
    #expect(flaw(token, floatCount: 6) == .otherModel(found: other, expected: model))
    #expect(flaw(token, floatCount: 4) == .tooLong(found: token.count, limit: token.count - 5))
  }

  /// What none but a holder of the key could make: another version of the server, or a mistake of ours.
  @Test func signedNonsense() throws {
    #expect(flaw(signed(floats: [0, 0, 0, 0]), floatCount: 1) == nil)
    #expect(flaw(sealer.sign([])) == .version(found: nil, expected: 1))
    #expect(flaw(signed(version: 2, floats: [])) == .version(found: 2, expected: 1))
    #expect(flaw(sealer.sign([1])) == .size(found: 1, expected: StateSealer.headByteCount))
    #expect(
      flaw(sealer.sign([1, 1] + model.bytes + Array(repeating: 1, count: 7)))
        == .size(found: 25, expected: 26))
    #expect(flaw(signed(element: 0, floats: [])) == .element(found: 0))
    #expect(flaw(signed(element: 3, floats: [])) == .element(found: 3))
    for count in [3, 5] {
      #expect(
        flaw(signed(floats: Array(repeating: 0, count: count)), floatCount: 2)
          == .size(found: 26 + count, expected: 34))
    }
    #expect(flaw(signed(element: 2, floats: [0]), floatCount: 1) == .size(found: 27, expected: 28))
    #expect(flaw(signed(floats: [0, 0, 0x80, 0x7F]), floatCount: 1) == .notFinite(index: 0))
    #expect(
      flaw(signed(floats: [0, 0, 0, 0, 1, 0, 0xC0, 0xFF]), floatCount: 2) == .notFinite(index: 1))
    #expect(
      flaw(signed(element: 2, floats: [0, 0, 0, 0x7C]), floatCount: 2) == .notFinite(index: 1))
  }

  @Test(arguments: [
    (0, false), (1, true), (2, true), (StateSealer.maxPosition - 1, true),
    (StateSealer.maxPosition, true), (StateSealer.maxPosition + 1, false), (.max, false),
  ])
  func positionsAreBounded(steps: UInt64, isAdmitted: Bool) {
    let flaw = flaw(signed(steps: steps, floats: []), floatCount: 0)
    #expect(flaw == (isAdmitted ? nil : .position(found: steps, limit: StateSealer.maxPosition)))
  }
}
