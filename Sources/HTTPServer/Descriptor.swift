import Glibc

/// An open file descriptor with one owner, closed by `close()` or when the owner lets go of it.
struct Descriptor: ~Copyable {
  /// -1 once closed.
  private(set) var number: CInt

  /// Takes ownership of `number`; returns nil if it is -1, the result of a failed call.
  init?(adopting number: CInt) {
    guard number >= 0 else { return nil }
    self.number = number
  }

  deinit { if number >= 0 { _ = Glibc.close(number) } }

  mutating func close() {
    if number >= 0 { _ = Glibc.close(number) }
    number = -1
  }

  /// Sets an integer socket option; returns whether the kernel took it.
  @discardableResult
  func set(_ option: CInt, at level: CInt = SOL_SOCKET, to value: CInt) -> Bool {
    var value = value
    let size = socklen_t(MemoryLayout<CInt>.size)
    // SAFETY: the kernel reads `size` bytes of a local that lives through the call.
    return unsafe setsockopt(number, level, option, &value, size) == 0
  }
}
