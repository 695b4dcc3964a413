/// Ops whose rows are channels, one after the other, each of as many elements.
extension NodeResolution {
  /// The channels of a node's input: the length of a vector among its tensors, which the node reads.
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

  /// The shape of a convolution's weight, [outputs, channels of a group, kernel], which the node reads with its bias.
  ///
  /// - Parameters:
  ///   - channels: what the channels of a group are to be, for an error.
  ///   - fits: whether so many channels in all are right.
  mutating func useConvolution(
    groups: Int, channels: String, fits: (Int) -> Bool
  ) throws(ModelError) -> (outputs: Int, channels: Int, kernel: Int) {
    let name = fullName("weight")
    guard let shape = tensors.shape(of: name) else {
      throw tensors.missing(name, node: node.name)
    }
    guard shape.count == 3, shape.allSatisfy({ $0 > 0 }), shape[0].isMultiple(of: groups),
      fits(shape[1] * groups)
    else {
      throw .shapeMismatch(
        tensor: name, expected: "[outputs, \(channels), kernel], outputs a multiple of \(groups)",
        found: shape)
    }
    try use(name, shape: shape)
    try useIfPresent(fullName("bias"), shape: [shape[0]])
    return (shape[0], shape[1] * groups, shape[2])
  }

  /// Refuses channels that do not divide a node's input; `key` is the attribute that says how many there are.
  func checkChannels(_ channels: Int, key: String) throws(ModelError) {
    let size = try size(of: arguments[0])
    guard size.isMultiple(of: channels) else {
      throw .unexpected(
        path: "\(path).\(key)", found: "\(channels)", expected: "a divisor of \(size)")
    }
  }
}
