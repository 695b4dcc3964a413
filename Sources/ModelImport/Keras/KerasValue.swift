import JSON

/// A tensor of Keras as a value of the graph.
struct KerasValue {
  /// The node, input or state in the graph.
  var name: String
  /// Keras's axes without the batch's. Elements of the sizes stand in Keras's order, the last axis fastest.
  var axes: [Axis]
  var content = Content.floats
  /// Which steps Keras passes over; nil: none.
  var mask: KerasMask?
  /// The input of the model whose steps these are.
  var origin: Int?
  /// Whether it stands at steps that `axes` does not show: inside TimeDistributed.
  var isStepped = false
  /// Whether the graph's value has one element, which stands for all.
  var isSpread = false

  enum Axis: Equatable {
    /// The steps of the sequence, and how many where that is fixed.
    case steps(Int?)
    case size(Int)
  }

  enum Content: Equatable {
    case floats
    /// An input of the model whose kind its first use decides: its place among the inputs.
    case input(Int)
    /// All steps of a sequence in one vector, before anything is made of it.
    case flattened(steps: Int)
    /// A score of each query for each key: `Dot` over the elements of two sequences, and their softmax.
    case scores(KerasScores)
    /// Which steps count, as a function of the model says.
    case mask(KerasMask)
  }

  init(name: String, axes: [Axis]) {
    self.name = name
    self.axes = axes
  }

  /// A value of the graph at the steps of this one, with its mask.
  func with(name: String, axes: [Axis]? = nil) -> KerasValue {
    var value = self
    value.name = name
    value.content = .floats
    value.isSpread = false
    if let axes { value.axes = axes }
    return value
  }

  /// The sizes, steps apart.
  var sizes: [Int] {
    axes.compactMap { if case .size(let size) = $0 { size } else { nil } }
  }

  /// The elements a step or a sequence.
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

  /// Whether the first axis is so many steps, or ids.
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

  /// The sizes as Keras writes them, the batch's apart.
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

/// The product of the steps of two sequences, as attention that is written with `Dot` has it.
struct KerasScores: Equatable {
  let queries: String
  let keys: String
  let size: Int
  var isSoftmax = false
}

/// Where the steps that Keras passes over come from: by the name of a value.
enum KerasMask: Hashable {
  /// Ids of 0 (`mask_zero`).
  case zeroTokens(String)
  /// Several masks together.
  case mixed
  /// Elements that are a number; steps all of whose elements are (`Masking`), where `isWhole`.
  case padding(String, number: Float, isWhole: Bool)

  var text: String {
    switch self {
    case .mixed: "sequences of different masks are put together"
    case .zeroTokens(let input): "the id 0 of \(input.jsonExcerpt) is masked (mask_zero)"
    case .padding(let value, let number, _):
      "steps of \(value.jsonExcerpt) that are \(number) are masked (Masking)"
    }
  }
}
