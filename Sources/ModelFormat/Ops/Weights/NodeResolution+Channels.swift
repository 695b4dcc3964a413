/// Checks for ops whose rows consist of channels of equal length, one after another.
extension NodeResolution {
  /// The number of channels of a node's input: the length of `tensor`, one of its vectors.
  mutating func useChannels(_ tensor: String) throws(ModelError) -> Int {
    let size = try size(of: arguments[0])
    let name = fullName(tensor)
    guard let shape = tensors.shape(of: name) else {
      throw tensors.missing(name, node: node.name)
    }
    guard shape.count == 1, shape[0] > 0, size.isMultiple(of: shape[0]) else {
      throw .shapeMismatch(tensor: name, expected: "[a divisor of \(size)]", found: shape)
    }
    try use(name, shape: shape)
    return shape[0]
  }

  /// Records that the convolution's weight and bias are read; returns the outputs, the channels of all groups, and the
  /// kernel's sizes, of a weight [outputs, channels of a group, kernel…].
  ///
  /// - Parameters:
  ///   - channels: the expected channels of a group, for an error.
  ///   - fits: whether a total number of channels is right.
  mutating func useConvolution(
    groups: Int, channels: String, kernelAxes: Int = 1, fits: (Int) -> Bool
  ) throws(ModelError) -> (outputs: Int, channels: Int, kernel: [Int]) {
    let name = fullName("weight")
    guard let shape = tensors.shape(of: name) else {
      throw tensors.missing(name, node: node.name)
    }
    guard shape.count == 2 + kernelAxes, shape.allSatisfy({ $0 > 0 }),
      shape[0].isMultiple(of: groups), fits(shape[1] * groups)
    else {
      let kernel = Array(repeating: "kernel", count: kernelAxes).joined(separator: ", ")
      throw .shapeMismatch(
        tensor: name,
        expected: "[outputs, \(channels), \(kernel)], outputs a multiple of \(groups)", found: shape
      )
    }
    try use(name, shape: shape)
    try useIfPresent(fullName("bias"), shape: [shape[0]])
    return (shape[0], shape[1] * groups, Array(shape[2...]))
  }

  /// Throws if the number of channels does not divide the input's size; `key` is the attribute with that number.
  func checkChannels(_ channels: Int, key: String) throws(ModelError) {
    let size = try size(of: arguments[0])
    guard size.isMultiple(of: channels) else {
      throw .unexpected(
        path: "\(path).\(key)", found: "\(channels)", expected: "a divisor of \(size)")
    }
  }
}
