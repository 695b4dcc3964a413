/// How the latest streams of a connection ended, to judge frames that still come on them (RFC 9113 §5.1, §5.1.1).
struct StreamHistory {
  private enum Fate: UInt8 {
    /// The client opened it; it is under way, or nghttp2 refused it before the connection knew it.
    case opened
    /// Both sides ended it.
    case ended
    case resetByPeer
    /// This side reset it, while frames of it may have been on their way.
    case resetHere
  }

  /// How a HEADERS or DATA frame is judged on a stream that is not under way.
  enum Verdict: Equatable {
    /// The frame opens the stream, or comes late and is ignored.
    case fine
    /// The frame is on a stream that was never opened and can't be any more, as later ones were.
    case protocolError
    /// The frame is on a stream that both sides ended, or that the peer reset.
    case streamClosed
  }

  /// How many of the last ids are remembered; a power of two.
  private static let capacity = 256

  private var highest: Int32 = 0
  /// The fates of the latest ids, each at the index that its low bits give (`place(of:)`).
  private var slots: [(id: Int32, fate: Fate)] = Array(
    repeating: (0, .opened), count: capacity)

  private static func place(of id: Int32) -> Int { Int(id >> 1) & (capacity - 1) }

  /// Judges HEADERS on `id`, whose stream is not under way; records a stream that it opens.
  mutating func headersBegan(on id: Int32) -> Verdict {
    // nghttp2 itself refuses even ids, which no client may use.
    guard id & 1 == 1 else { return .fine }
    guard id <= highest else {
      highest = id
      slots[Self.place(of: id)] = (id, .opened)
      return .fine
    }
    return verdict(on: id)
  }

  /// Judges DATA on `id`, whose stream is not under way. nghttp2 itself refuses DATA on a stream that was not opened yet.
  func dataBegan(on id: Int32) -> Verdict {
    id & 1 == 1 && id <= highest ? verdict(on: id) : .fine
  }

  /// Records that the peer reset the stream of `id`.
  mutating func resetByPeer(_ id: Int32) { note(.resetByPeer, of: id) }

  /// Records that the stream of `id` has closed; `isComplete` if both sides had ended it.
  mutating func closed(_ id: Int32, isComplete: Bool) {
    guard slots[Self.place(of: id)] == (id, .opened) else { return }
    note(isComplete ? .ended : .resetHere, of: id)
  }

  private mutating func note(_ fate: Fate, of id: Int32) {
    let place = Self.place(of: id)
    if slots[place].id == id { slots[place].fate = fate }
  }

  private func verdict(on id: Int32) -> Verdict {
    // So old an id is forgotten: the frame may be in order.
    guard highest - id < 2 * Int32(Self.capacity) else { return .fine }
    let slot = slots[Self.place(of: id)]
    guard slot.id == id else { return .protocolError }
    switch slot.fate {
    case .opened, .resetHere: return .fine
    case .ended, .resetByPeer: return .streamClosed
    }
  }
}
