/// Prefix beam search of width `width` for the most probable labels under connectionist temporal classification (Graves et
/// al. 2006; Hannun et al. 2014, without a language model).
///
/// A prefix has two probabilities: of all alignments to it that end in a blank, and of all that end in its last label. All
/// are logarithms.
struct CTCBeamSearch {
  private struct Beam {
    /// The index of the beam's prefix in the tree of prefixes.
    let prefix: Int32
    /// The probabilities of the alignments that end in a blank, and of those that end in the last label.
    var blank: Double
    var label: Double
    /// The probability of all alignments.
    var total: Double

    init(prefix: Int32, blank: Double, label: Double) {
      self.prefix = prefix
      self.blank = blank
      self.label = label
      total = CTCBeamSearch.sum(blank, label)
    }
  }

  /// A prefix after the next step: a beam's, or a beam's with one more label.
  private enum Step {
    case stays(Beam)
    case grows(Int32, label: Int32, probability: Double)

    var total: Double {
      switch self {
      case .stays(let beam): beam.total
      case .grows(_, _, let probability): probability
      }
    }
  }

  private let blank: Int
  private let width: Int
  private var beams = [Beam(prefix: 0, blank: 0, label: -.infinity)]
  /// The tree of prefixes: for each its last label and its parent. The first prefix is the empty one.
  private var lastLabels: [Int32] = [-1]
  private var parents: [Int32] = [-1]
  /// The child of a prefix for a label, by parent << 32 | label.
  private var children: [UInt64: Int32] = [:]

  init(blank: Int, width: Int) {
    self.blank = blank
    self.width = width
  }

  /// A bound on the bytes that a search over `steps` steps holds: each step adds at most `width` prefixes to the tree.
  static func workBytes(steps: Int, size: Int, width: Int) -> Int {
    // A prefix takes two labels and two indices (the arrays may be half full), and an entry in a hash table that may be
    // a third full. A step's logarithms are held as well.
    steps * width * 72 + size * 24 + width * width * 64
  }

  /// Advances the search by one step. `probabilities` are the logarithms of the labels' probabilities at that step.
  mutating func advance(by probabilities: [Double]) {
    // `width` candidates are kept, so a prefix needs only its `width` + 1 best labels. All but one of these give a
    // candidate that no later label can beat: the blank gives the prefix itself, and a label that leads to another beam
    // gives that beam. The exception is the prefix's last label, whose repetition is less probable.
    let labels = probabilities.ranked(width + 1, in: probabilities.indices)
      .filter { $0 != blank }
    var places: [Int32: Int] = [:]
    for (place, beam) in beams.enumerated() { places[beam.prefix] = place }
    var best = BestSteps(width: width)
    for beam in beams {
      var label = -Double.infinity
      let last = lastLabels[Int(beam.prefix)]
      if last >= 0 {
        label = beam.label + probabilities[Int(last)]
        if let parent = places[parents[Int(beam.prefix)]] {
          label = Self.sum(
            label,
            growth(of: beams[parent], by: Int(last), probability: probabilities[Int(last)]))
        }
      }
      best.add(
        .stays(
          Beam(
            prefix: beam.prefix, blank: beam.total + probabilities[blank], label: label)))
    }
    for beam in beams {
      for label in labels {
        let growth = growth(of: beam, by: label, probability: probabilities[label])
        // `labels` are in descending order, and `growth` is at most the sum that is checked here: no later label would
        // be kept either.
        guard best.admits(beam.total + probabilities[label]) else { break }
        if let child = children[Self.key(beam.prefix, Int32(label))], places[child] != nil {
          continue
        }
        best.add(.grows(beam.prefix, label: Int32(label), probability: growth))
      }
    }
    beams = best.steps.map { step in
      switch step {
      case .stays(let beam): beam
      case .grows(let parent, let label, let probability):
        Beam(prefix: prefix(parent, label), blank: -.infinity, label: probability)
      }
    }
  }

  /// The most probable labels, with the logarithm of their probability as the score.
  var best: DecodedLabels {
    var labels: [Int32] = []
    var prefix = Int(beams[0].prefix)
    while prefix != 0 {
      labels.append(lastLabels[prefix])
      prefix = Int(parents[prefix])
    }
    return DecodedLabels(
      labels: Nested(labels.reversed(), .row), scores: Nested([Float(beams[0].total)], .one))
  }

  /// The probability that a step adds the label to a prefix. A label repeats the last one only after a blank.
  private func growth(of beam: Beam, by label: Int, probability: Double) -> Double {
    (lastLabels[Int(beam.prefix)] == Int32(label) ? beam.blank : beam.total) + probability
  }

  /// The index of the prefix that extends `parent` by a label; adds it to the tree if it is new.
  private mutating func prefix(_ parent: Int32, _ label: Int32) -> Int32 {
    let key = Self.key(parent, label)
    if let child = children[key] { return child }
    let child = Int32(parents.count)
    children[key] = child
    parents.append(parent)
    lastLabels.append(label)
    return child
  }

  private static func key(_ parent: Int32, _ label: Int32) -> UInt64 {
    UInt64(UInt32(parent)) << 32 | UInt64(UInt32(label))
  }

  /// ln(eᵃ + eᵇ).
  private static func sum(_ a: Double, _ b: Double) -> Double {
    let (most, least) = a > b ? (a, b) : (b, a)
    guard least > -.infinity else { return most }
    return most + Elementary.logOfOnePlus(Elementary.exp(least - most))
  }

  /// The `width` most probable candidates; of equals, those that were added first.
  private struct BestSteps {
    let width: Int
    private(set) var steps: [Step] = []

    init(width: Int) { self.width = width }

    /// Whether a candidate of this probability would be kept.
    func admits(_ total: Double) -> Bool {
      steps.count < width ? total > -.infinity || steps.isEmpty : total > steps[width - 1].total
    }

    mutating func add(_ step: Step) {
      guard admits(step.total) else { return }
      let place = steps.firstIndex { $0.total < step.total } ?? steps.endIndex
      steps.insert(step, at: place)
      if steps.count > width { steps.removeLast() }
    }
  }
}
