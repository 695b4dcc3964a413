import ModelFormat

/// Finds the labels of the steps that a linear-chain conditional random field scores highest together (Viterbi's algorithm).
///
/// The score of labels y is start[y₀] + Σ emission[t][yₜ] + Σ transition[yₜ₋₁][yₜ] + end[y_last]. Of equal paths the one
/// whose last label is the first counts, and so on backwards.
package struct ViterbiDecoder: Sendable {
  /// size × size: a row for each label that a step comes to, an element for each that it comes from.
  private let transitions: [Double]
  private let starts: [Double]
  private let ends: [Double]
  private let size: Int

  init(
    _ crf: ModelDescription.Decode.CRF, size: Int, tensors: TensorFile
  ) throws(ModelError) {
    func floats(_ name: String) throws(ModelError) -> [Double]? {
      let name = tensorName(name, under: crf.weights)
      return tensors.contains(name) ? try tensors.floats(name).map(Double.init) : nil
    }
    var transitions = try tensors.floats(tensorName("transitions", under: crf.weights))
      .map(Double.init)
    if crf.order == .fromTo {
      let rows = transitions
      for from in 0..<size {
        for to in 0..<size { transitions[to * size + from] = rows[from * size + to] }
      }
    }
    self.transitions = transitions
    self.size = size
    if let start = crf.start {
      starts = (0..<size).map { transitions[$0 * size + start] }
    } else {
      starts = try floats("start_transitions") ?? Array(repeating: 0, count: size)
    }
    if let end = crf.end {
      ends = Array(transitions[end * size..<(end + 1) * size])
    } else {
      ends = try floats("end_transitions") ?? Array(repeating: 0, count: size)
    }
  }

  var byteCount: Int {
    (transitions.count + starts.count + ends.count) * MemoryLayout<Double>.stride
  }

  /// The best labels of the steps whose emissions these are, a row a step, and their score.
  func path(_ emissions: [Float]) -> (labels: [Int32], score: Float) {
    guard !emissions.isEmpty else { return ([], 0) }
    let stepCount = emissions.count / size
    var scores = (0..<size).map { starts[$0] + Double(emissions[$0]) }
    var next = scores
    // For each step but the first, and each label, the label before it on the best path there.
    var previous: [UInt16] = []
    previous.reserveCapacity((stepCount - 1) * size)
    for step in 1..<Swift.max(1, stepCount) {
      for to in 0..<size {
        let row = to * size
        var (best, bestScore) = (0, scores[0] + transitions[row])
        for from in 1..<Swift.max(1, size) {
          let score = scores[from] + transitions[row + from]
          if score > bestScore { (best, bestScore) = (from, score) }
        }
        next[to] = bestScore + Double(emissions[step * size + to])
        previous.append(UInt16(best))
      }
      swap(&scores, &next)
    }
    for label in 0..<size { scores[label] += ends[label] }
    var label = scores.indices.reduce(0) { scores[$1] > scores[$0] ? $1 : $0 }
    let score = scores[label]
    var labels = [Int32](repeating: 0, count: stepCount)
    labels[stepCount - 1] = Int32(label)
    for step in stride(from: stepCount - 1, to: 0, by: -1) {
      label = Int(previous[(step - 1) * size + label])
      labels[step - 1] = Int32(label)
    }
    return (labels, Float(score))
  }
}
