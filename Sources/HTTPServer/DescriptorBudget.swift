import Glibc

/// How the descriptors that a process may open are divided.
///
/// Connections never get the last ones: session files and /proc are read and written beside them, and libdispatch, which
/// reads /proc while threads are busy, ends the process where it can't open a file there.
package struct DescriptorBudget: Equatable, Sendable {
  /// The connections of all loops that may be open.
  let maxConnections: Int
  /// The connections beyond those that a loop may hold for a moment, to refuse them or to answer their probe.
  let maxExtrasPerLoop: Int

  /// Kept free for files and for what libdispatch opens. A small limit on descriptors leaves no room for more.
  static let reserve = 48
  static let smallReserve = 16
  static let smallLimit = 256
  /// Extras of a loop where there is plenty, where the limit is not small, and in any case.
  static let plentyExtras = 64
  static let someExtras = 16
  static let fewExtras = 4

  init(maxConnections: Int, maxExtrasPerLoop: Int) {
    self.maxConnections = maxConnections
    self.maxExtrasPerLoop = maxExtrasPerLoop
  }

  /// - Parameters:
  ///   - limit: the descriptors that the process may have.
  ///   - open: those that it has, with the loops' and the listeners'.
  ///   - wanted: connections that an operator wants to admit.
  /// - Throws: where there is no room for a single connection.
  init(limit: Int, open: Int, loops: Int, wanted: Int) throws(HTTPServerError) {
    let isSmall = limit < Self.smallLimit
    let reserve = isSmall ? Self.smallReserve : Self.reserve
    let extras = loops * (isSmall ? Self.fewExtras : Self.someExtras)
    let free = limit - open - reserve
    maxConnections = min(wanted, free - extras)
    guard maxConnections > 0 else {
      throw .tooFewDescriptors(limit: limit, needed: open + reserve + extras + 1)
    }
    maxExtrasPerLoop = min(Self.plentyExtras, (free - maxConnections) / loops)
  }

  /// Raises the limit on the process's descriptors as far as it may, and returns it.
  static func raiseLimit() -> Int {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    // SAFETY: the calls write and read one `rlimit`.
    guard unsafe getrlimit(resource, &limit) == 0 else { return smallLimit }
    let soft = limit.rlim_cur
    limit.rlim_cur = limit.rlim_max
    let isRaised = unsafe setrlimit(resource, &limit) == 0
    return Int(clamping: isRaised ? limit.rlim_max : soft)
  }

  /// How many descriptors below `limit` are open. It asks the kernel for each, since /proc may not be there.
  static func openCount(below limit: Int) -> Int {
    // Descriptors are given out from the lowest number up.
    (0..<CInt(clamping: min(limit, 1 << 16))).count { fcntl($0, F_GETFD) != -1 }
  }
}
