/// The steps a second that the workers did recently, while more riders waited than found seats.
///
/// The cost of a single turn says less: turns vary, one worker may be held up while another is not, and between turns
/// riders board, alight and are answered. Without threads or clocks.
struct Throughput: Sendable {
  typealias Instant = ContinuousClock.Instant

  /// The length of a window: steps are counted for this long before the average is updated.
  static let windowSeconds = 0.2
  /// The weight of one window in the average, which then follows a change within a second or two.
  static let windowShare = 0.2

  /// When the current window began; nil while there are seats for all.
  private var began: Instant?
  private var steps = 0
  /// The moving average; nil until riders have had to wait for a whole window.
  private(set) var stepsPerSecond: Double?

  /// Records a turn that begins.
  ///
  /// - Parameters:
  ///   - steps: the turn's steps, of all its riders.
  ///   - isFull: whether riders are waiting that found no seat.
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
