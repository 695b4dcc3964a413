import Glibc

/// An open file descriptor, closed when its one owner lets go of it or closes it before.
struct Descriptor: ~Copyable {
  /// -1 once closed.
  private(set) var number: CInt

  /// Takes over `number`; nil where it is the -1 of a failed call.
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
