/// What became of the streams of a connection that are over, by which a frame that comes on one of them is judged (RFC 9113 §5.1, §5.1.1).
struct StreamHistory {
  private enum Fate: UInt8 {
    /// The client opened it; it is under way, or was refused before it was known here.
    case opened
    /// Both sides ended it.
    case ended
    case resetByPeer
    /// This side reset it, when frames of it may have been on their way.
    case resetHere
  }

  /// What a HEADERS or DATA frame on a stream means that is not under way.
  enum Verdict: Equatable {
    /// It opens the stream, or comes late and is to be passed over.
    case fine
    /// It is on a stream that was never opened and can't be any more.
    case protocolError
    case streamClosed
  }

  /// How many of the last ids are remembered; a power of two.
  private static let capacity = 256

  private var highest: Int32 = 0
  /// The fate of an id in the place of its low bits.
  private var slots: [(id: Int32, fate: Fate)] = Array(
    repeating: (0, .opened), count: capacity)

  private static func place(of id: Int32) -> Int { Int(id >> 1) & (capacity - 1) }

  /// HEADERS came on `id`, whose stream is not under way.
  mutating func headersBegan(on id: Int32) -> Verdict {
    // Ids of the wrong kind nghttp2 refuses.
    guard id & 1 == 1 else { return .fine }
    guard id <= highest else {
      highest = id
      slots[Self.place(of: id)] = (id, .opened)
      return .fine
    }
    return verdict(on: id)
  }

  /// DATA came on `id`, whose stream is not under way. On one that was not opened yet nghttp2 refuses it.
  func dataBegan(on id: Int32) -> Verdict {
    id & 1 == 1 && id <= highest ? verdict(on: id) : .fine
  }

  /// The peer reset the stream of `id`.
  mutating func resetByPeer(_ id: Int32) { note(.resetByPeer, of: id) }

  /// The stream of `id` is over; `isComplete` where both sides had ended it.
  mutating func closed(_ id: Int32, isComplete: Bool) {
    guard slots[Self.place(of: id)] == (id, .opened) else { return }
    note(isComplete ? .ended : .resetHere, of: id)
  }

  private mutating func note(_ fate: Fate, of id: Int32) {
    let place = Self.place(of: id)
    if slots[place].id == id { slots[place].fate = fate }
  }

  private func verdict(on id: Int32) -> Verdict {
    // Forgotten, so it may have been anything.
    guard highest - id < 2 * Int32(Self.capacity) else { return .fine }
    let slot = slots[Self.place(of: id)]
    guard slot.id == id else { return .protocolError }
    switch slot.fate {
    case .opened, .resetHere: return .fine
    case .ended, .resetByPeer: return .streamClosed
    }
  }
}
