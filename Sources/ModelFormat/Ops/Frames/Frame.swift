/// A step that is channels, one after the other, each of as many elements (PyTorch's [C, L], flattened), as a kernel goes
/// over them.
package struct Frame: Sendable, Equatable {
  package let channels: Int
  package let length: Int

  /// How a kernel goes over the elements of a channel.
  package struct Window: Sendable, Equatable {
    package var kernel: Int
    package var stride = 1
    package var dilation = 1
    /// Elements of padding before the first and behind the last.
    package var before = 0
    package var after = 0

    /// From the first to the last element that it covers.
    package var span: Int { (kernel - 1) * dilation + 1 }
  }

  /// How many places `window` has.
  package func places(of window: Window) -> Int {
    let room = length + window.before + window.after - window.span
    return room < 0 ? 0 : room / window.stride + 1
  }
}

extension NodeResolution {
  /// Elements of padding before and behind: one number for both, or two.
  func padding(_ padding: [Int]) throws(ModelError) -> (before: Int, after: Int) {
    guard (1...2).contains(padding.count),
      padding.allSatisfy({ (0...ModelLimits.size).contains($0) })
    else {
      throw .unexpected(
        path: "\(path).padding", found: "\(padding)",
        expected: "one or two whole numbers of 0 or more")
    }
    return (padding[0], padding[padding.count - 1])
  }

  /// The frame that a node's input is.
  func frame(channels: Int, key: String) throws(ModelError) -> Frame {
    try checkChannels(channels, key: key)
    return Frame(channels: channels, length: try size(of: arguments[0]) / channels)
  }

  /// The places of a window, of which there must be one.
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
