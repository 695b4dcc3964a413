import CKernels
import ModelFormat

/// Viterbi's algorithm: finds the labels with the highest score under a linear-chain conditional random field.
///
/// The score of labels y is start[y₀] + Σ emission[t][yₜ] + Σ transition[yₜ₋₁][yₜ] + end[y_last]. Of equal paths, the one with
/// the lowest last label wins, then the one with the lowest label before that, and so on.
package struct ViterbiDecoder: Sendable {
  private static let lanes = Int(CK_LANES)

  /// The scores of transitions in the kernel's order: [to / lanes][from][to % lanes], the last block padded with zeros.
  private let transitions: [Float]
  private let starts: [Double]
  private let ends: [Double]
  private let size: Int
  private let kernels: Kernels

  init(
    _ crf: ModelDescription.Decode.CRF, size: Int, tensors: TensorFile, kernels: Kernels
  ) throws(ModelError) {
    let given = try tensors.floats(tensorName("transitions", under: crf.weights))
    func transition(from: Int, to: Int) -> Float {
      crf.order == .fromTo ? given[from * size + to] : given[to * size + from]
    }
    let blocks = (size + Self.lanes - 1) / Self.lanes
    var transitions = [Float](repeating: 0, count: blocks * Self.lanes * size)
    for to in 0..<size {
      for from in 0..<size {
        transitions[Self.place(from: from, to: to, size: size)] = transition(from: from, to: to)
      }
    }
    self.transitions = transitions
    self.size = size
    self.kernels = kernels
    /// The scores of the first or the last label: of transitions from or to the boundary label `label` or, without one,
    /// the tensor `tensor`; zeros if there is no such tensor.
    func scores(
      _ label: Int?, _ tensor: String, _ transition: (_ end: Int, _ label: Int) -> Float
    ) throws(ModelError) -> [Double] {
      if let label { return (0..<size).map { Double(transition(label, $0)) } }
      let name = tensorName(tensor, under: crf.weights)
      guard tensors.contains(name) else { return Array(repeating: 0, count: size) }
      return try tensors.floats(name).map(Double.init)
    }
    starts = try scores(crf.start, "start_transitions") { transition(from: $0, to: $1) }
    ends = try scores(crf.end, "end_transitions") { transition(from: $1, to: $0) }
  }

  private static func place(from: Int, to: Int, size: Int) -> Int {
    (to / lanes * size + from) * lanes + to % lanes
  }

  var byteCount: Int {
    transitions.count * MemoryLayout<Float>.stride
      + (starts.count + ends.count) * MemoryLayout<Double>.stride
  }

  /// The bytes held while the labels of `steps` steps are found: a score for each step and label.
  static func workBytes(steps: Int, size: Int) -> Int { steps * size * MemoryLayout<Double>.stride }

  /// The labels with the highest score, and that score. `emissions` has a row of `size` scores for each step.
  ///
  /// - Parameter checkpoint: called every `OutputDecoder.stepsBetweenCheckpoints` steps; an error that it throws
  ///   ends the search.
  func path<E: Error>(
    _ emissions: [Float], checkpoint: () throws(E) -> Void
  ) throws(E) -> (labels: [Int32], score: Float) {
    guard !emissions.isEmpty else { return ([], 0) }
    let stepCount = emissions.count / size
    // For each step and label, the score of the best path that ends there. Where that path came from is not stored: the
    // way back computes it again, once a step.
    var scores = [Double](repeating: 0, count: emissions.count)
    for label in 0..<size { scores[label] = starts[label] + Double(emissions[label]) }
    for step in 1..<Swift.max(1, stepCount) {
      if step.isMultiple(of: OutputDecoder.stepsBetweenCheckpoints) { try checkpoint() }
      advance(&scores, to: step, emissions)
    }
    let last = (stepCount - 1) * size
    for label in 0..<size { scores[last + label] += ends[label] }
    var label = (0..<size).reduce(0) { scores[last + $1] > scores[last + $0] ? $1 : $0 }
    let score = scores[last + label]
    var labels = [Int32](repeating: 0, count: stepCount)
    labels[stepCount - 1] = Int32(label)
    for step in stride(from: stepCount - 2, through: 0, by: -1) {
      if step.isMultiple(of: OutputDecoder.stepsBetweenCheckpoints) { try checkpoint() }
      label = origin(of: label, in: scores, at: step)
      labels[step] = Int32(label)
    }
    return (labels, Float(score))
  }

  /// Computes the scores of a step from those of the one before.
  private func advance(_ scores: inout [Double], to step: Int, _ emissions: [Float]) {
    precondition(step > 0 && scores.count == emissions.count && (step + 1) * size <= scores.count)
    // SAFETY: the rows of `step` and the one before have `size` elements each and do not overlap; transitions are laid out
    // for that many labels.
    unsafe scores.withUnsafeMutableBufferPointer { scores in
      unsafe emissions.withUnsafeBufferPointer { emissions in
        let (row, before) = (step * size, (step - 1) * size)
        unsafe kernels.routines.best_scores(
          scores.baseAddress! + before, transitions, emissions.baseAddress! + row, size,
          scores.baseAddress! + row)
      }
    }
  }

  /// The label at `step` from which the best path reaches `label` at the next step.
  private func origin(of label: Int, in scores: [Double], at step: Int) -> Int {
    let first = Self.place(from: 0, to: label, size: size)
    var (best, bestScore) = (0, -Double.infinity)
    for from in 0..<size {
      let score = scores[step * size + from] + Double(transitions[first + from * Self.lanes])
      if score > bestScore { (best, bestScore) = (from, score) }
    }
    return best
  }
}
