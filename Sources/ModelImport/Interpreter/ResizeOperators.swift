/// Operators that make an array larger or smaller along its axes.
enum ResizeOperators {
  /// The outputs of a node; nil for an operator of another family.
  static func evaluate(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor]? {
    guard a.node.op == "Resize" || a.node.op == "Upsample" else { return nil }
    let value = try a.required(0)
    let scalesAt = a.node.op == "Upsample" || a.opset < 11 ? 1 : 2
    var shape = value.shape
    if let sizes = a.optional(3), sizes.count == value.rank {
      shape = sizes.integers
    } else if let scales = a.optional(scalesAt), scales.count == value.rank {
      shape = zip(value.shape, scales.elements).map { SourceTensor.integer(Double($0) * $1) }
    }
    guard a.node.text("mode", default: "nearest") == "nearest",
      Places(a.node, opset: a.opset).repeatEach,
      zip(shape, value.shape).allSatisfy({ $0 > 0 && $0 % max($1, 1) == 0 })
    else {
      throw a.node.refusal("\(shape) of \(value.shape)", because: "whole multiples are known")
    }
    try a.checkCount(shape)
    let (strides, wide) = (RowMajor.strides(value.shape), RowMajor.strides(shape))
    let positions = (0..<shape.reduce(1, *)).map { position in
      shape.indices.reduce(0) { sum, axis in
        let index = position / wide[axis] % shape[axis]
        return sum + index * value.shape[axis] / shape[axis] * strides[axis]
      }
    }
    return [value.picking(positions, shape: shape)]
  }

  /// Where an element of the result lies among those of the value.
  struct Places {
    /// ONNX's coordinate_transformation_mode and nearest_mode.
    let coordinates: String
    let rounding: String

    init(_ node: SourceNode, opset: Int) {
      // Without attributes of these names it was as with the second ones.
      let isOld = node.op == "Upsample" || opset < 11
      coordinates = node.text(
        "coordinate_transformation_mode", default: isOld ? "asymmetric" : "half_pixel")
      rounding = node.text("nearest_mode", default: isOld ? "floor" : "round_prefer_floor")
    }

    /// Whether every element is repeated in a row as often as the others.
    var repeatEach: Bool {
      switch coordinates {
      case "asymmetric": rounding == "floor"
      case "half_pixel", "pytorch_half_pixel", "half_pixel_symmetric":
        ["round_prefer_floor", "round_prefer_ceil"].contains(rounding)
      default: false
      }
    }
  }
}
