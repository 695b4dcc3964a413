/// A slice of one axis: `count` elements from `start` on, `step` apart.
struct AxisRange {
  var start: Int
  var step: Int
  var count: Int
  /// Behind the last element that it may take.
  var end: Int
  /// Whether the start and the end were given as numbers below 0, which count from the end of the axis.
  var startsFromEnd: Bool
  var endsFromEnd: Bool
  /// Whether a bound lies beyond the axis, and not so far that "all of it" is meant.
  var isBeyond: Bool

  /// An index from which on exporters mean the end of an axis, however long it is.
  private static let allSteps = 1 << 20

  /// The slice that ONNX's Slice takes of an axis of `size` elements.
  init(of size: Int, start: Int, end: Int, step: Int) {
    func clamp(_ at: Int, _ low: Int, _ high: Int) -> Int {
      min(max(at < 0 ? at + size : at, low), high)
    }
    let first = step > 0 ? clamp(start, 0, size) : clamp(start, 0, size - 1)
    let bound = step > 0 ? clamp(end, 0, size) : clamp(end, -1, size - 1)
    let span = step > 0 ? bound - first : first - bound
    let count = size == 0 ? 0 : max((span + Swift.abs(step) - 1) / Swift.abs(step), 0)
    (self.start, self.step, self.count) = (count == 0 ? 0 : first, count <= 1 ? 1 : step, count)
    self.end = bound
    startsFromEnd = step > 0 && start < 0 && start >= -size
    endsFromEnd = step > 0 && end < 0 && end >= -size
    isBeyond =
      step > 0
      && (end > size && end < AxisRange.allSteps || start < -size && start > -AxisRange.allSteps)
  }

  func isAll(of size: Int) -> Bool { start == 0 && step == 1 && count == size }

  var indices: [Int] { (0..<count).map { start + $0 * step } }
}
