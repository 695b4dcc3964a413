import ModelFormat

/// Steps of a known number, such as the last six of any sequence, as elements of a vector: a matrix may have weights for each, and
/// they may be put together in groups.
enum FixedSteps {
  /// The value with its steps as elements; nil where their number is not known, or where the input's axis may as well be elements.
  ///
  /// - Parameter areSure: whether they are steps for sure, also where no recurrent network read them.
  static func elements(
    _ l: inout Lowering, _ value: CarriedValue, areSure: Bool = false, _ node: SourceNode
  ) -> CarriedValue? {
    guard value.form == .sequence, value.timeAtoms.count == 1, let time = value.timeAtoms.first,
      time.isOfFixedNumber || !time.isOpen && time.size <= VectorSteps.maxSteps,
      time.origin != nil, areSure && time.isDerived || l.examples.read(time)
    else { return nil }
    var result = Layout.inForeignOrder(&l, value, node)
    let (size, count) = (value.size, time.size)
    guard RowMajor.count([size, count, count], limit: Lowering.maxElements) != nil else {
      return nil
    }
    // A convolution with a window of all steps, which has each of them as an element of its own.
    let weights = (0..<size * count * count).map { index in
      index / count % count == index % count ? 1.0 : 0
    }
    result = Layout.map(
      &l, result, .conv(groups: size), node,
      tensors: [("weight", [size * count, 1, count], weights)])
    result = Layout.map(&l, result, .last, node)
    if !time.isOpen { ExampleLength.recordSideBySide(&l, time, node) }
    let atom = l.newAtom(count)
    result.form = .vector
    result.axes = value.axes.map { axis in axis.map { $0 == time ? atom : $0 } }
    result.elements = value.foreignOrder + [atom]
    return result
  }
}

extension Atom {
  /// Whether an op took so many steps of any number, as `x[:, -6:]` does.
  var isOfFixedNumber: Bool {
    role == .time && isOpen && isDerived && size <= VectorSteps.maxSteps
  }
}
