/// The steps a second that workers got done of late, while more riders waited than found seats.
///
/// The cost of one turn says less: turns vary, a worker may be held up while another is not, and between turns riders board,
/// alight and are answered. Without threads or clocks.
struct Throughput: Sendable {
  typealias Instant = ContinuousClock.Instant

  /// How long steps are counted before the average moves.
  static let windowSeconds = 0.2
  /// The weight of a window in the average, which so follows within a second or two.
  static let windowShare = 0.2

  /// Since when the steps were counted; nil while there are seats for all.
  private var began: Instant?
  private var steps = 0
  /// A moving average; nil until riders had to wait for as long as a window.
  private(set) var stepsPerSecond: Double?

  /// Records a turn that begins.
  ///
  /// - Parameters:
  ///   - steps: of all its riders.
  ///   - isFull: whether riders wait that found no seat.
  mutating func record(steps: Int, isFull: Bool, now: Instant) {
    guard isFull else {
      began = nil
      return
    }
    if let began {
      let seconds = began.duration(to: now).seconds
      if seconds >= Self.windowSeconds {
        let found = Double(self.steps) / seconds
        stepsPerSecond = stepsPerSecond.map { $0 + (found - $0) * Self.windowShare } ?? found
        self.began = nil
      }
    }
    if began == nil {
      began = now
      self.steps = 0
    }
    self.steps += steps
  }
}
