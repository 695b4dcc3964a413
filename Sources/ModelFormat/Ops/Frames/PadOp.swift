/// Padding before and after the elements of each channel of a step.
package struct PadOp: OpDefinition {
  /// The kind of padding.
  package enum Mode: String, Sendable {
    /// One number.
    case constant
    /// The channel's elements mirrored at its ends; the end elements are not repeated.
    case reflect
    /// The element at the end, repeated.
    case edge
  }

  package static let name = "pad"
  package static let documentation = OpDocumentation(
    inputs: "any of C · L: channels one after the other",
    parameters:
      "`channels` (1): C; `before` (0), `after` (0): how many elements; `mode`: `\"constant\"` (the default), "
      + "`\"reflect\"` or `\"edge\"`; `value` (0), of a constant",
    result: "C · (before + L + after), as `torch.nn.functional.pad`")
  package static let attributes: [OpAttribute<Self>] = [
    .integer("channels", \.channels, in: 1...ModelLimits.size),
    .integer("before", \.before, in: 0...ModelLimits.size),
    .integer("after", \.after, in: 0...ModelLimits.size),
    .word("mode", \.mode, expected: "\"constant\", \"reflect\" or \"edge\""),
    .number("value", \.value),
  ]

  package var channels = 1
  package var before = 0
  package var after = 0
  package var mode: Mode?
  package var value: Float = 0

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let frame = try node.frame(channels: channels, key: "channels")
    for (key, count) in [("before", before), ("after", after)]
    where mode == .reflect && count >= frame.length {
      throw .unexpected(
        path: "\(node.path).\(key)", found: "\(count)",
        expected: "less than a channel's \(frame.length) elements, which are reflected")
    }
    return node.arguments[0].form.with(size: channels * (before + frame.length + after))
  }
}

extension ModelDescription.Op {
  package static func pad(
    channels: Int = 1, before: Int = 0, after: Int = 0, mode: PadOp.Mode? = nil, value: Float = 0
  ) -> Self {
    var op = PadOp()
    (op.channels, op.before, op.after, op.mode, op.value) = (channels, before, after, mode, value)
    return Self(op)
  }
}
