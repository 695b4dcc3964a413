import Inference
import ModelFormat

extension Tensor {
  /// The tensor's elements as the values of one sequence of an input, which its shape has to be of; `column` checks that.
  package func values(
    of input: ModelDescription.Input.Kind
  ) throws(TensorError) -> InputSequence.Values {
    switch input {
    case .features: .features(try floats())
    case .tokens(let size, _): .tokens(try ids(size: size))
    case .vector: .vector(try floats())
    }
  }

  /// The tensor as one sequence or, if its first axis is one of sequences, as many. The shape decides; a shape that fits both is
  /// one sequence.
  ///
  /// | input | shape of a sequence |
  /// |---|---|
  /// | features | [steps, size]; of size 1 also [steps] |
  /// | tokens | [steps]; beside other sequences also [steps, 1] |
  /// | vector | [size] |
  package func column(of input: ModelDescription.Input.Kind) throws(TensorError) -> InputColumn {
    let one = Self.shapesOfOne(input)
    let many = Self.shapesOfMany(input)
    if one.contains(where: { Self.fits(shape, $0) }) {
      return InputColumn(
        values: [try values(of: input)], isArray: false, isFlat: Self.isFlat(shape, input))
    }
    let inner = Array(shape.dropFirst())
    guard !shape.isEmpty, many.contains(where: { Self.fits(inner, $0) }) else {
      throw .shape(found: shape, expected: one + many.map { [nil] + $0 })
    }
    let size = inner.reduce(1, *)
    var values: [InputSequence.Values] = []
    values.reserveCapacity(shape[0])
    for (index, slice) in slices.enumerated() {
      do { values.append(try slice.values(of: input)) } catch {
        throw error.moved(by: index * size)
      }
    }
    return InputColumn(values: values, isArray: true, isFlat: Self.isFlat(inner, input))
  }

  /// The shapes of a tensor that is one sequence; nil is any number of steps.
  private static func shapesOfOne(_ input: ModelDescription.Input.Kind) -> [[Int?]] {
    switch input {
    case .features(size: 1, _, _): [[nil, 1], [nil]]
    case .features(let size, _, _): [[nil, size]]
    case .tokens: [[nil]]
    case .vector(let size): [[size]]
    }
  }

  /// The shapes of a sequence in a tensor of several, without the first axis.
  private static func shapesOfMany(_ input: ModelDescription.Input.Kind) -> [[Int?]] {
    if case .tokens = input { [[nil], [nil, 1]] } else { shapesOfOne(input) }
  }

  /// Whether the steps of a sequence of this shape are single numbers, not vectors.
  private static func isFlat(_ shape: [Int], _ input: ModelDescription.Input.Kind) -> Bool {
    switch input {
    case .features(let size, _, _): size == 1
    case .tokens: shape.count == 1
    case .vector: true
    }
  }

  private static func fits(_ shape: [Int], _ expected: [Int?]) -> Bool {
    shape.count == expected.count && zip(shape, expected).allSatisfy { $1 == nil || $0 == $1 }
  }
}

extension TensorError {
  /// The error of an element of a slice, with the element's index in the whole tensor; the slice begins at `offset`.
  fileprivate func moved(by offset: Int) -> TensorError {
    switch self {
    case .notFinite(let element): .notFinite(element: element + offset)
    case .id(let element, let found, let size):
      .id(element: element + offset, found: found, size: size)
    case .shapeTooLarge, .byteCount, .shape: self
    }
  }
}
