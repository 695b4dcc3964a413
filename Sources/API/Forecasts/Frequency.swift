/// The interval between the steps of a time series, by KServe's names: `Frequency` in kserve/kserve,
/// python/kserve/kserve/protocol/rest/timeseries/types.py.
struct Frequency: Equatable, Sendable {
  /// As the client wrote it: the answer repeats it.
  let name: String
  let step: Step

  /// What one step adds to a date and a time.
  enum Step: Equatable, Sendable {
    case seconds(Int)
    case days(Int)
    case months(Int)
  }

  /// Nil if `name` is not one of `names`.
  init?(_ name: String) {
    guard let known = Self.known.first(where: { $0.name == name || $0.letter == name }) else {
      return nil
    }
    (self.name, step) = (name, known.step)
  }

  /// All valid names.
  static let names = known.map(\.name) + known.map(\.letter)

  private static let known: [(name: String, letter: String, step: Step)] = [
    ("second", "S", .seconds(1)), ("minute", "T", .seconds(60)), ("hour", "H", .seconds(3600)),
    ("day", "D", .days(1)), ("week", "W", .days(7)),
    ("month", "M", .months(1)), ("quarter", "Q", .months(3)), ("year", "Y", .months(12)),
  ]
}
