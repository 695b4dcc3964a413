import Scheduling

/// Why a Redis does not do what it is asked.
package enum RedisProblem: Error, Equatable, Sendable {
  /// The machine does not find it, or has no connection to it any more: a sentence.
  case unreachable(String)
  /// It has not answered for so long.
  case slow(Duration)
  /// It answers with an error.
  case refused(String)
  /// What it sends is no answer of a Redis to what it was asked.
  case malformed
  /// It is not what sessions need, in which way does not matter to anything but its operator: a sentence.
  case unfit(String)
  /// More waits for it than may.
  case full(limit: Int)
  case closed
  /// The connection was lost, or time passed, after it was asked and before it answered: it may have done it.
  case unsure(String)
  /// It has made a move, and too few of its replicas have it: a sentence.
  case unreplicated(String)

  package var reason: String {
    switch self {
    case .unreachable(let reason), .unfit(let reason), .unsure(let reason),
      .unreplicated(let reason):
      reason
    case .slow(let time): "no answer for \(time.components.seconds) s"
    case .refused(let error): Self.explained(error)
    case .malformed: "its answer is none of Redis's to what it was asked"
    case .full(let limit): "\(limit) bytes wait for it already"
    case .closed: "closed"
    }
  }

  /// The error as Redis words it, behind what an operator has to do about it where that is known.
  private static func explained(_ error: String) -> String {
    let known = [
      "OOM": "its memory is full (maxmemory)", "READONLY": "it is a replica, which takes no writes",
      "LOADING": "it is reading its data", "NOAUTH": "it wants a password",
      "WRONGPASS": "it does not take the user and password", "NOPERM": "the user may not",
      "MOVED": "another node of its cluster has the key", "ASK": "its cluster moves the key",
      "TRYAGAIN": "its cluster moves the keys just now",
      "CLUSTERDOWN": "its cluster has no node for the key",
      "WRONGTYPE": "a key that begins with carousel: is of another program",
      "MISCONF": "it can't write its data to the disk", "MASTERDOWN": "its master is down",
      "BUSY": "another client's script keeps it busy", "NOREPLICAS": "it misses its replicas",
    ]
    // A script's errors come with where they happened before or behind them.
    let words = error.split { !$0.isLetter || !$0.isASCII }
    let found = words.lazy.compactMap { known[String($0)] }.first
    return found.map { "\($0): \(error)" } ?? error
  }

  /// Whether another connection may lead to one that does it: a name that stands for another machine after a fail-over.
  var isOfConnection: Bool {
    switch self {
    case .refused(let error):
      ["READONLY", "LOADING", "NOAUTH", "MASTERDOWN"].contains { error.contains($0) }
    case .malformed, .unreachable: true
    case .slow, .unfit, .full, .closed, .unsure, .unreplicated: false
    }
  }

  /// Whether it is of all that it is asked to write, not of some scripts or keys.
  var isOfWhole: Bool {
    guard case .refused(let error) = self else { return false }
    return [
      "OOM", "READONLY", "LOADING", "NOAUTH", "MISCONF", "MASTERDOWN", "BUSY", "NOREPLICAS",
    ].contains { error.contains($0) }
  }

  /// Whether time alone won't mend it.
  var isForOperators: Bool {
    switch self {
    case .unfit, .malformed: true
    case .refused(let error):
      ["NOAUTH", "WRONGPASS", "NOPERM", "ERR"].contains { error.hasPrefix($0) }
    case .unreachable, .slow, .full, .closed, .unsure, .unreplicated: false
    }
  }

  var asStoreProblem: SessionStoreProblem {
    switch self {
    case .slow(let time): .slow(time)
    case .closed: .closed
    case .unsure(let reason), .unreplicated(let reason): .unsure(reason: reason)
    case .unreachable, .refused, .malformed, .unfit, .full: .failing(reason: reason)
    }
  }
}
