/// The place of an element in a body, written out only when an error names it: `inputs.x[3][17][2]`.
struct InputPath: CustomStringConvertible {
  /// `inputs`, or `inputs.x` where the inputs are an object.
  let root: String
  private(set) var first: Int?
  private(set) var second: Int?
  private(set) var third: Int?

  init(_ root: String) { self.root = root }

  /// The path of this one's element at `index`; at most three levels deep.
  subscript(index: Int) -> InputPath {
    var path = self
    switch (first, second) {
    case (nil, _): path.first = index
    case (_, nil): path.second = index
    default: path.third = index
    }
    return path
  }

  var description: String {
    [first, second, third].reduce(into: root) { text, index in
      if let index { text += "[\(index)]" }
    }
  }
}
