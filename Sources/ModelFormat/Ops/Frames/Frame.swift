/// A step that consists of channels of equal length, one after another (PyTorch's [C, L], flattened).
package struct Frame: Sendable, Equatable {
  package let channels: Int
  package let length: Int

  /// How a kernel moves over the elements of a channel.
  package struct Window: Sendable, Equatable {
    package var kernel: Int
    package var stride = 1
    package var dilation = 1
    /// The elements of padding before the first and after the last.
    package var before = 0
    package var after = 0

    /// The distance from the first to the last element under the kernel, both included.
    package var span: Int { (kernel - 1) * dilation + 1 }
  }

  /// The number of positions of `window`.
  package func places(of window: Window) -> Int {
    let room = length + window.before + window.after - window.span
    return room < 0 ? 0 : room / window.stride + 1
  }
}

extension NodeResolution {
  /// The elements of padding before and after: one number for both, or two; `key` is the attribute with them.
  func padding(_ padding: [Int], key: String = "padding") throws(ModelError) -> (
    before: Int, after: Int
  ) {
    guard (1...2).contains(padding.count),
      padding.allSatisfy({ (0...ModelLimits.size).contains($0) })
    else {
      throw .unexpected(
        path: "\(path).\(key)", found: "\(padding)",
        expected: "one or two whole numbers of 0 or more")
    }
    return (padding[0], padding[padding.count - 1])
  }

  /// Sets the padding of `window`, that of the attribute `key`; returns the number of its positions.
  func pad(
    _ window: inout Frame.Window, by padding: [Int], over frame: Frame, key: String
  ) throws(ModelError) -> Int {
    (window.before, window.after) = try self.padding(padding, key: key)
    return try places(of: window, in: frame, key: key)
  }

  /// The frame of a node's input.
  func frame(channels: Int, key: String) throws(ModelError) -> Frame {
    try checkChannels(channels, key: key)
    return Frame(channels: channels, length: try size(of: arguments[0]) / channels)
  }

  /// The number of positions of a window; throws if there is none.
  func places(of window: Frame.Window, in frame: Frame, key: String) throws(ModelError) -> Int {
    let places = frame.places(of: window)
    guard places > 0 else {
      throw .unexpected(
        path: "\(path).\(key)", found: "a kernel over \(window.span) elements",
        expected:
          "at most \(frame.length + window.before + window.after), a channel's \(frame.length) with "
          + "its padding")
    }
    return places
  }
}
