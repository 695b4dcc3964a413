/// How far apart the steps of a time series are, by one of the names that KServe gives it: `Frequency` in
/// kserve/kserve, python/kserve/kserve/protocol/rest/timeseries/types.py.
struct Frequency: Equatable, Sendable {
  /// As the client wrote it, since the answer repeats it.
  let name: String
  let step: Step

  /// What one step adds to a date and a time.
  enum Step: Equatable, Sendable {
    case seconds(Int)
    case days(Int)
    case months(Int)
  }

  /// Nil where `name` is none of `names`.
  init?(_ name: String) {
    guard let known = Self.known.first(where: { $0.name == name || $0.letter == name }) else {
      return nil
    }
    (self.name, step) = (name, known.step)
  }

  /// All names there are.
  static let names = known.map(\.name) + known.map(\.letter)

  private static let known: [(name: String, letter: String, step: Step)] = [
    ("second", "S", .seconds(1)), ("minute", "T", .seconds(60)), ("hour", "H", .seconds(3600)),
    ("day", "D", .days(1)), ("week", "W", .days(7)),
    ("month", "M", .months(1)), ("quarter", "Q", .months(3)), ("year", "Y", .months(12)),
  ]
}
