/// The labels (as indices) and scores of one output for one sequence.
///
/// The number of labels may differ from the number of steps.
package struct DecodedLabels: Sendable, Equatable {
  package var labels: Nested<Int32>
  package var scores: Nested<Float>

  package init(labels: Nested<Int32>, scores: Nested<Float>) {
    self.labels = labels
    self.scores = scores
  }
}

/// How the values of a `Nested` are arranged.
package enum NestedForm: Sendable, Equatable {
  case one
  case row
  /// Rows of `size` values.
  case rows(size: Int)
}

/// One value, a row of values, or rows of them.
package struct Nested<Element: Sendable & Equatable>: Sendable, Equatable {
  package let values: [Element]
  package let form: NestedForm

  package init(_ values: [Element], _ form: NestedForm) {
    self.values = values
    self.form = form
  }
}
