import JSON

/// A Keras tensor as a value of the graph.
struct KerasValue {
  /// The name of the node, input or state in the graph.
  var name: String
  /// Keras's axes without the batch. Elements are in Keras's order, the last axis fastest.
  var axes: [Axis]
  var content = Content.floats
  /// The mask; nil for none.
  var mask: KerasMask?
  /// The index of the input with these steps.
  var origin: Int?
  /// Whether it has steps that `axes` does not show, as inside TimeDistributed.
  var isStepped = false
  /// How often its number of steps changed on the way from the input, where it is fixed.
  var resizes = 0
  /// Whether the graph's value has a single element that stands for all.
  var isSpread = false

  enum Axis: Equatable {
    /// The steps of the sequence, with their number if it is fixed.
    case steps(Int?)
    case size(Int)
  }

  enum Content: Equatable {
    case floats
    /// An input whose kind its first use will decide, by its index.
    case input(Int)
    /// All steps of a sequence flattened to a vector, before that has a node.
    case flattened(steps: Int)
    /// The scores of queries and keys (`Dot` over the elements of two sequences), or their softmax.
    case scores(KerasScores)
    /// A mask that a function of the model computes.
    case mask(KerasMask)
    /// Floats whose fraction Keras cuts off. Only a table's rows are chosen by them.
    case wholeNumbers
    /// The scores that an attention layer answers beside its result. Nothing may read them.
    case attentionScores
  }

  init(name: String, axes: [Axis]) {
    self.name = name
    self.axes = axes
  }

  /// A value of the graph with the steps and mask of this one.
  func with(name: String, axes: [Axis]? = nil) -> KerasValue {
    var value = self
    value.name = name
    value.content = .floats
    value.isSpread = false
    if let axes {
      value.axes = axes
      if value.stepCount != stepCount, value.stepCount != nil { value.resizes += 1 }
    }
    return value
  }

  /// The sizes without the steps.
  var sizes: [Int] {
    axes.compactMap { if case .size(let size) = $0 { size } else { nil } }
  }

  /// The elements of a step or of a vector.
  var size: Int { sizes.reduce(1, *) }

  /// Refuses sizes that no layer answers with: their products are Ints, and what is made of them is no larger than an input may be.
  func check(_ layer: KerasLayer) throws(ImportError) {
    guard RowMajor.count(sizes, limit: KerasLayer.maxSize) != nil,
      (0...KerasLayer.maxSize).contains(stepCount ?? 1)
    else {
      throw layer.refusal(
        "found the sizes \(shape), expected at most \(KerasLayer.maxSize) steps, and as many elements of one"
      )
    }
  }

  /// The place of the steps among the axes.
  var stepAxis: Int? { axes.firstIndex { if case .steps = $0 { true } else { false } } }

  /// Whether the first axis is a fixed number of steps or ids.
  func hasSteps(_ count: Int) -> Bool {
    axes.first == .steps(count) || axes == [.size(count)]
  }

  /// The fixed number of steps.
  var stepCount: Int? {
    guard let stepAxis, case .steps(let count) = axes[stepAxis] else { return nil }
    return count
  }

  var isMask: Bool { if case .mask = content { true } else { false } }

  /// Whether it is a sequence in the graph.
  var isSequence: Bool { stepAxis != nil || isStepped }

  /// The shape as Keras writes it, without the batch.
  var shape: String {
    let texts = axes.map { axis in
      switch axis {
      case .steps(let count): count.map { "\($0) steps" } ?? "steps"
      case .size(let size): "\(size)"
      }
    }
    return "(\(texts.joined(separator: ", ")))"
  }
}

/// The product of two sequences' steps, as in attention written with `Dot`.
struct KerasScores: Equatable {
  let queries: String
  let keys: String
  let size: Int
  var isSoftmax = false
  /// What the scores are multiplied with before the softmax.
  var scale: Float = 1
}

/// The origin of a mask, by the name of a value.
enum KerasMask: Hashable {
  /// Masks ids of 0 (`mask_zero`).
  case zeroTokens(String)
  /// Masks steps where a sequence of one element is 0.
  case steps(String)
  /// Keeps what each of several masks keeps.
  case all([KerasMask])
  /// Keeps what any of several masks keeps.
  case any([KerasMask])
  /// A mask that is false everywhere, to be put together with others.
  case nothing
  /// A mask that is true everywhere: no step is masked.
  case everything
  /// Masks elements equal to a number or, with `isWhole`, steps all of whose elements are (`Masking`).
  case padding(String, number: Float, isWhole: Bool)

  var text: String {
    switch self {
    case .all(let masks), .any(let masks): masks.map(\.text).joined(separator: ", ")
    case .steps(let value): "steps where \(value.jsonExcerpt) is 0 are masked"
    case .nothing: "everything is masked"
    case .everything: "nothing is masked"
    case .zeroTokens(let input): "the id 0 of \(input.jsonExcerpt) is masked (mask_zero)"
    case .padding(let value, let number, _):
      "steps of \(value.jsonExcerpt) that are \(number) are masked (Masking)"
    }
  }

  /// What is left where any of these masks leaves it; nil if one is no mask.
  init?(ofAll values: [KerasValue]) {
    let masks = values.compactMap { if case .mask(let mask) = $0.content { mask } else { nil } }
    guard masks.count == values.count else { return nil }
    self.init(of: masks, isAll: false)
  }

  /// Masks put together; nil if there are none.
  ///
  /// - Parameter isAll: whether a step is left where all masks leave it, else where any does.
  init?(of masks: [KerasMask], isAll: Bool) {
    guard let first = masks.first else { return nil }
    // Only functions of Keras 3 make it, which keep what any mask keeps.
    if masks.contains(.everything) {
      self = .everything
      return
    }
    var others: [KerasMask] = []
    for mask in masks where mask != .nothing && !others.contains(mask) { others.append(mask) }
    guard others.count > 1 else {
      self = others.first ?? first
      return
    }
    self = isAll ? .all(others) : .any(others)
  }
}
