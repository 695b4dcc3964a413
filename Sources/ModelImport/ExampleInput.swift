/// An input of a framework's model for one sequence, to be made in Python.
package struct ExampleInput: Sendable {
  package let name: String
  package let shape: [Int]
  /// The folder's input with these numbers; nil if the folder has none.
  package let node: String?
  /// The number that fills the array; nil for an input of the folder, or for several numbers.
  package let number: Double?
  package let isWhole: Bool
  /// The axis of the steps, where elements of a step stand before it.
  package let stepAxis: Int?
  /// The axis of the sequences; nil if there is none.
  package let batchAxis: Int?

  /// The steps of the array where the model takes any number.
  package static let steps = 24

  package init(
    name: String, shape: [Int], node: String?, number: Double? = nil, isWhole: Bool,
    stepAxis: Int? = nil, batchAxis: Int? = nil
  ) {
    self.name = name
    self.shape = shape
    self.node = node
    self.number = number
    self.isWhole = isWhole
    self.stepAxis = stepAxis
    self.batchAxis = batchAxis
  }
}
