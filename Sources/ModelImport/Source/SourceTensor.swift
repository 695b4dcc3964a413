import ModelFormat

/// An array of numbers of a source graph, row-major, in double precision, which holds every float and every integer up to 2⁵³.
package struct SourceTensor: Sendable, Equatable {
  /// The kind of numbers.
  package enum Kind: Sendable, Equatable {
    case float, integer, boolean
  }

  package var shape: [Int]
  package var kind: Kind
  /// The elements; a single one if all are equal (`isUniform`), so that large arrays of zeros take no memory.
  package var elements: [Double]

  /// The most elements of an array that is computed, where none of those that it comes of has more: those are accounted for by
  /// the file.
  package static let maxElements = 1 << 24

  /// What the sizes of an array, but those of 0, may come to: more than any memory holds, and so far from the ends of an Int that
  /// positions in an array, and sums and differences of them, are Ints without a check.
  static let maxExtent = 1 << 48

  package init(shape: [Int], kind: Kind = .float, elements: [Double]) {
    precondition(elements.count == 1 || elements.count == RowMajor.count(shape))
    self.shape = shape
    self.kind = kind
    self.elements = elements
  }

  /// An array whose elements all equal `value`.
  package init(repeating value: Double, shape: [Int], kind: Kind = .float) {
    self.init(shape: shape, kind: kind, elements: [value])
  }

  /// A list of whole numbers, such as a shape.
  package init(integers: [Int]) {
    self.init(shape: [integers.count], kind: .integer, elements: integers.map(Double.init))
  }

  package var count: Int { shape.reduce(1, *) }
  package var rank: Int { shape.count }
  package var isUniform: Bool { elements.count == 1 }

  /// The first element, of an array that should have one alone; no number where there is none.
  var first: Double { elements.first ?? .nan }

  package subscript(position: Int) -> Double { isUniform ? elements[0] : elements[position] }

  /// Whether its elements, all equal, are more than an array may have that is computed.
  var isTooLargeToBeDense: Bool { isUniform && count > SourceTensor.maxElements }

  /// All elements, even for a uniform array.
  package var dense: [Double] {
    isUniform && count != 1 ? Array(repeating: elements[0], count: count) : elements
  }

  /// The elements as whole numbers; those beyond any size are the largest one.
  package var integers: [Int] { dense.map(SourceTensor.integer) }

  /// The elements as whole numbers; nil where they are too many.
  var list: [Int]? { isTooLargeToBeDense ? nil : integers }

  package static func integer(_ number: Double) -> Int {
    let limit = Double(maxExtent)
    return number.isNaN ? 0 : Int(min(max(number, -limit), limit))
  }

  /// A whole number of a file; one beyond any size is the largest.
  static func integer(_ number: Int) -> Int { min(max(number, -maxExtent), maxExtent) }

  package func reshaped(_ shape: [Int]) -> SourceTensor {
    SourceTensor(shape: shape, kind: kind, elements: elements)
  }

  /// The elements at `positions`, in a new shape.
  func picking(_ positions: [Int], shape: [Int]) -> SourceTensor {
    if isUniform { return reshaped(shape) }
    return SourceTensor(shape: shape, kind: kind, elements: positions.map { elements[$0] })
  }

  /// The elements at distances of `strides[axis]` along each axis of a new shape.
  func picking(shape: [Int], strides: [Int], offset: Int = 0) -> SourceTensor {
    if isUniform { return reshaped(shape) }
    let axes = shape.indices.filter { shape[$0] != 1 }
    var picked: [Double] = []
    picked.reserveCapacity(shape.reduce(1, *))
    // Positions along the last axis are not kept: an array may be large.
    let starts = RowMajor.positions(
      shape: axes.dropLast().map { shape[$0] }, strides: axes.dropLast().map { strides[$0] },
      offset: offset)
    let (count, stride) = axes.last.map { (shape[$0], strides[$0]) } ?? (1, 0)
    for start in starts {
      for index in 0..<count { picked.append(elements[start + index * stride]) }
    }
    return SourceTensor(shape: shape, kind: kind, elements: picked)
  }

  /// The axes in another order, which is a permutation of theirs.
  package func permuted(_ order: [Int]) -> SourceTensor {
    let strides = RowMajor.strides(shape)
    return picking(shape: order.map { shape[$0] }, strides: order.map { strides[$0] })
  }

  /// A range of an axis.
  func part(_ range: Range<Int>, along axis: Int) -> SourceTensor {
    let strides = RowMajor.strides(shape)
    var shape = shape
    shape[axis] = range.count
    return picking(shape: shape, strides: strides, offset: range.lowerBound * strides[axis])
  }

  /// The elements mapped by `function`.
  func map(_ kind: Kind? = nil, _ function: (Double) -> Double) -> SourceTensor {
    SourceTensor(shape: shape, kind: kind ?? self.kind, elements: elements.map(function))
  }
}

/// Positions in row-major arrays.
enum RowMajor {
  /// How many elements an array of `shape` has; nil where a size is below 0, or the sizes but those of 0 come to more than `limit`.
  static func count(_ shape: some Sequence<Int>, limit: Int = SourceTensor.maxExtent) -> Int? {
    ArrayShape.count(shape, limit: limit, emptyLimit: limit)
  }

  /// How far apart neighbours along each axis stand.
  static func strides(_ shape: [Int]) -> [Int] {
    var strides = Array(repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    return strides
  }

  /// The positions of the elements of `shape` in row-major order, with a distance of `strides[axis]` along each axis.
  static func positions(shape: [Int], strides: [Int], offset: Int = 0) -> [Int] {
    var positions = [offset]
    for (size, stride) in zip(shape, strides) {
      var next: [Int] = []
      next.reserveCapacity(positions.count * size)
      for position in positions {
        for index in 0..<size { next.append(position + index * stride) }
      }
      positions = next
    }
    return positions
  }

  /// The strides for reading an array of `shape` as broadcast to `wide`.
  static func broadcastStrides(_ shape: [Int], to wide: [Int]) -> [Int] {
    let own = strides(shape)
    let lead = wide.count - shape.count
    return wide.indices.map { axis in
      axis < lead || shape[axis - lead] == 1 ? 0 : own[axis - lead]
    }
  }

  /// The broadcast shape of two shapes by NumPy's rules; nil if they don't fit.
  static func broadcast(_ first: [Int], _ second: [Int]) -> [Int]? {
    let rank = max(first.count, second.count)
    var shape: [Int] = []
    for axis in 0..<rank {
      let one = axis < rank - first.count ? 1 : first[axis - rank + first.count]
      let other = axis < rank - second.count ? 1 : second[axis - rank + second.count]
      guard one == other || one == 1 || other == 1 else { return nil }
      shape.append(one == 1 ? other : one)
    }
    return shape
  }
}
