import Glibc

/// How the file descriptors that the process may open are divided between connections and everything else.
///
/// Connections never get the last ones: session files and /proc are read and written beside them, and libdispatch,
/// which reads /proc while threads are busy, ends the process if it can't open a file there.
package struct DescriptorBudget: Equatable, Sendable {
  /// How many connections may be open, over all loops.
  let maxConnections: Int
  /// How many further connections each loop may hold for a moment, to refuse them or to answer their health check.
  let maxExtrasPerLoop: Int

  /// How many descriptors are kept free for files and for libdispatch. A limit below `smallLimit` leaves room for
  /// `smallReserve` only.
  static let reserve = 48
  static let smallReserve = 16
  static let smallLimit = 256
  /// How many extra connections a loop may hold: `plentyExtras` at most; `someExtras` at least, or `fewExtras` if the
  /// limit is small.
  static let plentyExtras = 64
  static let someExtras = 16
  static let fewExtras = 4

  init(maxConnections: Int, maxExtrasPerLoop: Int) {
    self.maxConnections = maxConnections
    self.maxExtrasPerLoop = maxExtrasPerLoop
  }

  /// - Parameters:
  ///   - limit: the descriptors that the process may have.
  ///   - open: the descriptors that are open already, with those of the loops and the listeners.
  ///   - loops: the number of event loops.
  ///   - wanted: the connections that the operator wants to admit.
  /// - Throws: `tooFewDescriptors` if there is no room for a single connection.
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

  /// Raises the process's limit on descriptors to the hard limit, and returns the limit that now applies.
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
    // The kernel gives out the lowest free number, so it is enough to look at the first 65,536.
    (0..<CInt(clamping: min(limit, 1 << 16))).count { fcntl($0, F_GETFD) != -1 }
  }
}
